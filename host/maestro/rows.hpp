// Recorded MAESTRO problems: a JSON object with a layer, its directives and the hardware, and what MAESTRO prints for it.
//
//   {"id": ..., "layer": {"type": "CONV", "dims": {"K": 64, ...}, "stride": {"X": 2}},
//    "directives": [["TemporalMap", "K", 8, 8], ["Cluster", 4], ["SpatialMap", "C", 1, 1], ...],
//    "hw": {"num_pes": 1024, "num_simd_lanes": 1, "noc_bw": 64, "noc_hops": 1, "noc_hop_latency": 1, "offchip_bw": 32}}
//
// Other keys are not read. docs/formats.md describes the format.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "host/maestro/advice.hpp"
#include "kernels/launch/maestro_launch.hpp"

namespace exarch::maestro {

// The problem a row describes; Error saying which key is missing or wrong, and what it may be. Numbers that make no sense are
// the model's business, directives beyond kMaxDirectives are left out; answer() gives both their status.
[[nodiscard]] Problem problem_of(const nlohmann::ordered_json& row);

// Everything MAESTRO prints about a layer, by the columns' names in docs/formats.md. A number that is not finite is a string, as
// x86 prints it: "-nan", "inf".
[[nodiscard]] nlohmann::ordered_json output_of(const Problem& problem, const Counters& counters);

// How a status is called: "ok", "zero_compute_delay" ...
[[nodiscard]] const char* name_of(Status status);

// The answer to a row: {"id": ..., "status": ..., "impossible": ..., "out": {...}}; with another status than ok "why" says in a
// sentence what is wrong in place of the last two, and "warning" stands beside a layer that can be read in two ways. A row that
// is no problem has status "invalid", which no model gives, and "error" says why.
[[nodiscard]] nlohmann::ordered_json answer(const nlohmann::ordered_json& row, Version version);
// Under limits, l1_over and l2_over say by how many elements the result misses them.
[[nodiscard]] nlohmann::ordered_json answer(const nlohmann::ordered_json& id, const Problem& problem, Version version,
                                            const std::optional<Limits>& limits = std::nullopt);
[[nodiscard]] nlohmann::ordered_json invalid_answer(const nlohmann::ordered_json& id, const std::string& fault);

}  // namespace exarch::maestro
