// About DRAM only: its workloads are traces, which other simulators have too.
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

#include "host/dram/convert.hpp"
#include "host/error.hpp"
#include "host/files/line_reader.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/trace_make.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxGap_ck = 4'294'967'294;  // of a trace (docs/formats.md)

const Environment& dram_env() {
  return find_environment("dram");
}

std::vector<std::string> names_of(const std::vector<OptionSpec>& options) {
  std::vector<std::string> names;
  for (const OptionSpec& option : options) names.push_back(option.name);
  return names;
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const Json& element : value) text += (text.empty() ? "" : " ") + element.dump();
  return text;
}

int info(const Arguments& arguments) {
  if (arguments.positional.size() != 2) throw UsageError("exarch trace info takes one trace: a shipped name or a path");
  allow_only(kTraceVerb, arguments, "trace info", names_of(workload_options(dram_env())));
  WorkloadOptions options = given_options(dram_env(), arguments);
  options[primary_option(dram_env()).name] = arguments.positional[1];
  options = complete_options(dram_env(), options);
  const auto workload = load_given(dram_env(), options);
  Json json(options);
  json["warnings"] = workload->warnings;
  std::vector<std::vector<std::string>> rows{{"fact", "value", "unit", "meaning"}};
  for (const WorkloadFact& fact : dram_env().describe_workload(*workload)) {
    json[fact.name] = std::visit([](const auto& value) { return Json(value); }, fact.value);
    rows.push_back({fact.name, text_of(json[fact.name]), fact.unit, fact.doc});
  }
  if (arguments.flag("json")) {
    std::cout << json.dump(2) << "\n";
    return 0;
  }
  for (const auto& [name, value] : options) std::cout << name << " " << value << "\n";
  std::cout << "\n";
  print_table(rows);
  return 0;
}

int list(const Arguments& arguments) {
  if (arguments.positional.size() != 1) throw UsageError("exarch trace list takes no further argument");
  allow_only(kTraceVerb, arguments, "trace list", {});
  const std::vector<std::string> names = dram_env().shipped_workloads();
  if (arguments.flag("json")) {
    std::cout << Json(names).dump(2) << "\n";
  } else {
    for (const std::string& name : names) std::cout << name << "\n";
  }
  return 0;
}

// Decimal, or hexadecimal with 0x; 64 bits.
std::uint64_t address_of(const Arguments& arguments, const std::string& option) {
  const std::string& text = arguments.text(option);
  std::uint64_t value = 0;
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if ((hex ? parse_hex(text, value) : parse_decimal(text, value)) == Parsed::ok) return value;
  throw UsageError("--" + option + " " + in_quotes(text) +
                   ": expected a whole number of at most 64 bits, hexadecimal ones with 0x");
}

int list_formats(const Arguments& arguments) {
  if (arguments.positional.size() != 1) throw UsageError("exarch trace formats takes no further argument");
  allow_only(kTraceVerb, arguments, "trace formats", {});
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows{{"format", "made by", "line or record", "time"}};
  for (const dram::TraceFormat& format : dram::trace_formats()) {
    json.push_back({{"name", format.name}, {"tool", format.tool}, {"line", format.line}, {"time", format.time}});
    rows.push_back({format.name, format.tool, format.line, format.time});
  }
  print_answer(arguments, json, rows);
  return 0;
}

dram::ConvertOptions convert_options(const Arguments& arguments) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  dram::ConvertOptions options;
  if (arguments.has("from")) options.from = arguments.text("from");
  if (arguments.has("clk_mhz")) options.read.clk_mhz = static_cast<std::uint32_t>(arguments.number("clk_mhz", 1, 100'000));
  if (arguments.has("word-bytes")) options.read.word_bytes = static_cast<std::uint32_t>(arguments.number("word-bytes", 1, 1024));
  if (arguments.has("direction")) {
    const std::string& direction = arguments.text("direction");
    if (direction != "read" && direction != "write") throw UsageError("--direction " + in_quotes(direction) + ": read or write");
    options.read.is_write = direction == "write";
  }
  if (arguments.has("skip")) options.skip = arguments.number("skip", 0, kMost);
  if (arguments.has("limit")) options.limit = arguments.number("limit", 1, kMost);
  if (arguments.has("interval")) options.interval = arguments.number("interval", 0, kMaxGap_ck);
  if (arguments.has("burst"))
    options.burst_bytes = static_cast<std::uint32_t>(arguments.number("burst", 1, dram::kMaxRequestBytes));
  if (arguments.has("address_offset")) options.address_offset = address_of(arguments, "address_offset");
  options.from_zero = arguments.flag("from-zero");
  return options;
}

int convert(const Arguments& arguments) {
  if (arguments.positional.size() != 3) throw UsageError("exarch trace convert takes an input and an output file");
  allow_only(kTraceVerb, arguments, "trace convert",
             {"from", "clk_mhz", "word-bytes", "direction", "skip", "limit", "interval", "burst", "address_offset", "from-zero"});
  const std::string &in = arguments.positional[1], &out = arguments.positional[2];
  const dram::Conversion done = dram::convert_trace(in, out, convert_options(arguments));
  if (!done.note.empty()) say(done.note);
  if (arguments.flag("json")) {
    std::cout << Json{{"requests", done.requests}, {"out", out}, {"format", done.format}, {"note", done.note}}.dump(2) << "\n";
  } else {
    std::cout << done.requests << " requests written to " << out << "\n";
  }
  return 0;
}

int trace_verb(const Arguments& arguments) {
  static const std::vector<std::string> kActions{"list", "formats", "info", "convert", "make"};
  const std::string& action = arguments.positional[0];
  if (action == "list") return list(arguments);
  if (action == "formats") return list_formats(arguments);
  if (action == "info") return info(arguments);
  if (action == "convert") return convert(arguments);
  if (action == "make") return make_trace_action(kTraceVerb, arguments);
  throw UsageError("unknown action '" + action + "'" + did_you_mean(action, kActions) +
                   "; use list, formats, info, convert or make");
}

std::vector<OptionSpec> options() {
  std::vector<OptionSpec> all{
      {"from", "FORMAT", "convert: " + dram::trace_format_names() + "; without it, the content decides"},
      {"skip", "N", "convert: leaves out the first N requests"},
      {"limit", "N", "convert: takes N requests at most"},
      {"from-zero", "", "convert: times count from that of the first request taken"},
      {"interval", "N", "make, and convert of a format without times: cycles between requests", "1"},
      {"burst", "BYTES",
       "convert: requests with lengths are cut at multiples of it (64; .stl: as they are); make: bytes of a request (64)"},
      {"word-bytes", "N", "convert: bytes of an element, for scalesim", "1"},
      {"direction", "read|write", "convert: of all requests, for scalesim (by the file's name)"}};
  for (const OptionSpec& option : make_options()) all.push_back(option);
  for (const OptionSpec& option : workload_options(dram_env())) {
    if (option.name != primary_option(dram_env()).name) all.push_back(option);
  }
  return all;
}

}  // namespace

const Verb kTraceVerb{.name = "trace",
                      .synopsis = "list | formats | info TRACE [--json] | convert IN OUT.stl | make PATTERN OUT.stl",
                      .doc =
                          "Lists shipped traces and the formats that are read, describes a trace, converts another tool's trace, "
                          "or makes one: sequential, strided, random, hot-rows or zipf.",
                      .options = options(),
                      .json = "names, facts, or what was written",
                      .min_positional = 1,
                      .max_positional = 3,
                      .examples =
                          "  exarch trace list\n  exarch trace info cloud-1\n"
                          "  exarch trace convert app.trace.gz app.stl --skip 1000 --limit 100000\n"
                          "  exarch trace convert gem5.ptrc app.stl --clk_mhz 800 --address_offset 0x80000000 --from-zero\n"
                          "  exarch trace make zipf zipf.stl --requests 50000 --writes 30 --seed 7\n",
                      .run = trace_verb};

}  // namespace exarch::cli
