// About DRAM only: its workloads are traces, which other simulators have too.
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/dram/convert.hpp"
#include "host/error.hpp"
#include "host/run/inputs.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

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

int convert(const Arguments& arguments) {
  if (arguments.positional.size() != 3) throw UsageError("exarch trace convert takes an input and an output file");
  allow_only(kTraceVerb, arguments, "trace convert: the trace is written as it is", {"from"});
  if (!arguments.has("from")) throw UsageError("no --from FORMAT given: dramsim2, dramsim3, ramulator or stl");
  const std::string& out = arguments.positional[2];
  const std::uint64_t requests = dram::convert_trace(arguments.text("from"), arguments.positional[1], out);
  if (arguments.flag("json")) {
    std::cout << Json{{"requests", requests}, {"out", out}}.dump(2) << "\n";
  } else {
    std::cout << requests << " requests written to " << out << "\n";
  }
  return 0;
}

int trace_verb(const Arguments& arguments) {
  static const std::vector<std::string> kActions{"list", "info", "convert"};
  const std::string& action = arguments.positional[0];
  if (action == "list") return list(arguments);
  if (action == "info") return info(arguments);
  if (action == "convert") return convert(arguments);
  throw UsageError("unknown action '" + action + "'" + did_you_mean(action, kActions) + "; use list, info or convert");
}

std::vector<OptionSpec> options() {
  std::vector<OptionSpec> all{{"from", "FORMAT", "convert: dramsim2, dramsim3, ramulator or stl"}};
  for (const OptionSpec& option : workload_options(dram_env())) {
    if (option.name != primary_option(dram_env()).name) all.push_back(option);
  }
  return all;
}

}  // namespace

const Verb kTraceVerb{.name = "trace",
                      .synopsis = "list | info TRACE [--json] | convert --from FORMAT IN OUT.stl",
                      .doc = "Lists shipped traces, describes one, or converts another simulator's trace.",
                      .options = options(),
                      .json = "names, facts, or what was written",
                      .min_positional = 1,
                      .max_positional = 3,
                      .examples =
                          "  exarch trace list\n  exarch trace info cloud-1\n"
                          "  exarch trace convert --from ramulator app.trace app.stl\n",
                      .run = trace_verb};

}  // namespace exarch::cli
