#include <iostream>
#include <nlohmann/json.hpp>

#include "host/env/dram.hpp"
#include "host/error.hpp"
#include "host/spec/data_dir.hpp"
#include "host/trace/convert.hpp"
#include "tools/exarch/common.hpp"

namespace exarch::cli {
namespace {

std::string percent(std::uint64_t part, std::uint64_t whole) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

int info(const Arguments& arguments) {
  if (arguments.positional.size() != 2) throw UsageError("exarch trace info takes one trace: a shipped name or a path");
  WorkloadOptions options;
  for (const WorkloadOption& option : dram_environment().workload_options()) {
    if (option.name != "trace") options[option.name] = arguments.text(option.name);
  }
  options["trace"] = arguments.positional[1];
  const auto workload = std::static_pointer_cast<const dram::DramWorkload>(load(dram_environment(), options));
  const dram::TraceInfo facts = dram::trace_info(workload->trace, workload->memspec);
  const double span_ns = static_cast<double>(facts.last_issue) * workload->view.player_period_ps / 1000.0;
  if (arguments.flag("json")) {
    std::cout << nlohmann::ordered_json{{"trace", options["trace"]},
                                        {"requests", facts.requests},
                                        {"reads", facts.reads},
                                        {"writes", facts.writes},
                                        {"relative", workload->trace.relative},
                                        {"first_issue", facts.first_issue},
                                        {"last_issue", facts.last_issue},
                                        {"span_ns", span_ns},
                                        {"distinct_rows", facts.distinct_rows},
                                        {"same_row_as_previous_in_bank", facts.same_row_as_previous_in_bank},
                                        {"per_bank", facts.per_bank},
                                        {"out_of_range", facts.out_of_range},
                                        {"content_hash", workload->trace.content_hash}}
                     .dump(2)
              << "\n";
    return 0;
  }
  std::cout << options["trace"] << " on " << workload->memspec.id << " behind " << options["addressmapping"] << "\n";
  std::string banks;
  for (const std::uint64_t n : facts.per_bank) banks += (banks.empty() ? "" : "  ") + std::to_string(n);
  print_table({{"requests", std::to_string(facts.requests)},
               {"reads", std::to_string(facts.reads) + " (" + percent(facts.reads, facts.requests) + ")"},
               {"writes", std::to_string(facts.writes) + " (" + percent(facts.writes, facts.requests) + ")"},
               {"times", workload->trace.relative ? "relative (.rstl)" : "absolute (.stl)"},
               {"span", std::to_string(facts.first_issue) + " .. " + std::to_string(facts.last_issue) + " player cycles, " +
                            std::to_string(static_cast<std::uint64_t>(span_ns)) + " ns"},
               {"distinct rows", std::to_string(facts.distinct_rows)},
               {"row locality", percent(facts.same_row_as_previous_in_bank, facts.requests) + " to the row its bank used last"},
               {"per bank", banks},
               {"content hash", workload->trace.content_hash}});
  return 0;
}

int list(const Arguments& arguments) {
  if (arguments.positional.size() != 1) throw UsageError("exarch trace list takes no further argument");
  const std::vector<std::string> names = shipped_names("dram/traces");
  if (arguments.flag("json")) {
    std::cout << nlohmann::ordered_json(names).dump(2) << "\n";
  } else {
    for (const std::string& name : names) std::cout << name << "\n";
  }
  return 0;
}

int convert(const Arguments& arguments) {
  if (arguments.positional.size() != 3) throw UsageError("exarch trace convert takes an input and an output file");
  if (!arguments.has("from")) throw UsageError("no --from FORMAT given: dramsim3, ramulator or stl");
  const std::string& out = arguments.positional[2];
  const std::uint64_t requests = dram::convert_trace(arguments.text("from"), arguments.positional[1], out);
  if (arguments.flag("json")) {
    std::cout << nlohmann::ordered_json{{"requests", requests}, {"out", out}}.dump(2) << "\n";
  } else {
    std::cout << requests << " requests written to " << out << "\n";
  }
  return 0;
}

int run(const Arguments& arguments) {
  static const std::vector<std::string> kActions{"list", "info", "convert"};
  const std::string& action = arguments.positional[0];
  if (action == "list") return list(arguments);
  if (action == "info") return info(arguments);
  if (action == "convert") return convert(arguments);
  throw UsageError("unknown action '" + action + "'" + did_you_mean(action, kActions) + "; use list, info or convert");
}

std::vector<OptionSpec> options() {
  std::vector<OptionSpec> all{{"from", "FORMAT", "convert: dramsim3, ramulator or stl"}};
  for (OptionSpec& option : workload_options()) {
    if (option.name != "trace") all.push_back(option);
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
                      .run = run};

}  // namespace exarch::cli
