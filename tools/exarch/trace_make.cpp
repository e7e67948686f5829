#include "tools/exarch/trace_make.hpp"

#include <charconv>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

#include "host/dram/synthetic.hpp"
#include "host/error.hpp"
#include "host/files/text.hpp"

namespace exarch::cli {
namespace {

constexpr std::uint64_t kMost64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kMost32 = std::numeric_limits<std::uint32_t>::max();

double exponent_of(const Arguments& arguments) {
  const std::string& text = arguments.text("exponent");
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw UsageError("--exponent " + in_quotes(text) + ": expected a number from 0 to 10");
  }
  return value;
}

dram::SyntheticSpec spec_of(const Arguments& arguments) {
  dram::SyntheticSpec spec;
  spec.pattern = dram::find_pattern(arguments.positional[1]);
  spec.seed = arguments.seed();
  const auto take = [&arguments](const char* option, auto& field, std::uint64_t most) {
    if (arguments.has(option)) field = static_cast<std::remove_reference_t<decltype(field)>>(arguments.number(option, 0, most));
  };
  take("requests", spec.requests, kMost64);
  take("footprint", spec.footprint_bytes, kMost64);
  take("burst", spec.block_bytes, kMost32);
  take("stride", spec.stride_bytes, kMost64);
  take("row-bytes", spec.row_bytes, kMost32);
  take("hot-rows", spec.hot_rows, kMost32);
  take("hot-share", spec.hot_percent, kMost32);
  take("writes", spec.write_percent, kMost32);
  take("interval", spec.interval, kMost64);
  take("group", spec.group, kMost64);
  take("pause", spec.pause, kMost64);
  if (arguments.has("exponent")) spec.exponent = exponent_of(arguments);
  return spec;
}

}  // namespace

std::vector<OptionSpec> make_options() {
  const dram::SyntheticSpec spec;
  return {{"requests", "N", "make: how many requests", std::to_string(spec.requests)},
          {"footprint", "BYTES", "make: addresses lie below it", std::to_string(spec.footprint_bytes)},
          {"writes", "PERCENT", "make: share of writes, drawn for each request", std::to_string(spec.write_percent)},
          {"stride", "BYTES", "make strided: from one request to the next", std::to_string(spec.stride_bytes)},
          {"hot-rows", "N", "make hot-rows: how many rows are hot", std::to_string(spec.hot_rows)},
          {"hot-share", "PERCENT", "make hot-rows: requests to hot rows", std::to_string(spec.hot_percent)},
          {"exponent", "X", "make zipf: the row of rank k has a weight of 1 / k^X", "1"},
          {"row-bytes", "BYTES", "make hot-rows, zipf: bytes of a row", std::to_string(spec.row_bytes)},
          {"group", "N", "make: requests between two pauses; 0: no pauses", std::to_string(spec.group)},
          {"pause", "N", "make: cycles of a pause, added to the interval", std::to_string(spec.pause)}};
}

int make_trace_action(const Verb& verb, const Arguments& arguments) {
  if (arguments.positional.size() != 3) throw UsageError("exarch trace make takes a pattern and an output file");
  std::vector<std::string> allowed{"requests", "footprint", "writes", "interval", "burst", "group", "pause"};
  const dram::SyntheticSpec spec = spec_of(arguments);
  const std::string &pattern = arguments.positional[1], &out = arguments.positional[2];
  if (spec.pattern == dram::Pattern::strided) allowed.emplace_back("stride");
  if (spec.pattern == dram::Pattern::hot_rows) allowed.insert(allowed.end(), {"hot-rows", "hot-share", "row-bytes"});
  if (spec.pattern == dram::Pattern::zipf) allowed.insert(allowed.end(), {"exponent", "row-bytes"});
  allow_only(verb, arguments, "trace make " + pattern, allowed);
  dram::make_trace(spec, out);
  if (arguments.flag("json")) {
    std::cout
        << nlohmann::ordered_json{{"requests", spec.requests}, {"out", out}, {"pattern", pattern}, {"seed", spec.seed}}.dump(2)
        << "\n";
  } else {
    std::cout << spec.requests << " requests written to " << out << "\n";
  }
  return 0;
}

}  // namespace exarch::cli
