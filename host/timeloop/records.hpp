// Recorded Timeloop problems: a JSON object with a layer, an architecture and a mapping, and what Timeloop says of it.
//
//   {"id": ..., "problem": {"C": 16, "M": 32, ...},
//    "arch": {"compute": {"name": "mac", "instances": 16, ...}, "storage": [{"name": "L0", "size_words": 64, ...}, ...]},
//    "mapping": [{"spatial": [["M", 4, "X"]], "temporal": [["C", 16]], "keep": {"Weights": true, ...}}, ...]}
//
// Other keys are not read. docs/formats.md describes the format. Example of use:
//
//   const Record record = record_of(parse_json<nlohmann::ordered_json>(line, "rows.jsonl"));
//   std::puts(answer(nullptr, record, FillRule::current).dump().c_str());
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "kernels/launch/timeloop_launch.hpp"

namespace exarch::timeloop {

struct Record {
  Input input;
  std::string compute_name;              // "mac"
  std::vector<std::string> level_names;  // (level) innermost first
  // What the layer calls its tensors and loops.
  std::array<std::string, kSpaces> space_names{"Weights", "Inputs", "Outputs"};      // (Space)
  std::array<std::string, kDims> dim_names{"C", "M", "R", "S", "N", "P", "Q", "G"};  // (Dim)
};

// The problem that a row describes; Error saying which key is missing or wrong, and what it may be. Numbers must be legal:
// bounds, instances and the like are whole numbers from 1 to kLargestNumber, energies and areas are numbers from 0 to 1e30.
// Whether layer, architecture and mapping go together is the model's business: answer() gives its status.
[[nodiscard]] Record record_of(const nlohmann::ordered_json& row);

// Everything Timeloop says about a mapping, by the names of docs/formats.md. An example of a value:
// output_of(...)["levels"][0]["ds"]["Weights"]["reads"].
[[nodiscard]] nlohmann::ordered_json output_of(const Record& record, const Counters& counters, const Price& price);

// What Timeloop says where it has no numbers: {"valid": false, "fail": [{"level": "L0", "reason": "mapped tile size 44 exceeds
// buffer capacity 43"}]}, or {"valid": false, "parse_error": "..."} where it does not come to the evaluation. `status` is one of
// those that Timeloop has, which is all but ok, bad_number and the limits of Exarch.
[[nodiscard]] nlohmann::ordered_json refusal_of(const Record& record, Status status, const Fault& fault);

// How a status is called: "ok", "factor_product", "level" ...
[[nodiscard]] const char* name_of(Status status);

// The answer to a row: {"id": ..., "status": ..., "out": {...}}. `out` is output_of() or refusal_of(). With a limit of Exarch,
// "why" says in a sentence which, in the place of `out`. A row that is no problem has status "invalid", and "error" says why.
[[nodiscard]] nlohmann::ordered_json answer(const nlohmann::ordered_json& row, FillRule rule);
[[nodiscard]] nlohmann::ordered_json answer(const nlohmann::ordered_json& id, const Record& record, FillRule rule);
[[nodiscard]] nlohmann::ordered_json invalid_answer(const nlohmann::ordered_json& id, const std::string& fault);

// The answer to a line of a file, as text: what is no JSON is "invalid", too. `fault` is the error of an invalid one, else "".
struct LineAnswer {
  std::string text, fault;
};
[[nodiscard]] LineAnswer answer_line(const std::string& line, FillRule rule);

}  // namespace exarch::timeloop
