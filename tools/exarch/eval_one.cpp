#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/dram/simulation.hpp"
#include "host/error.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/eval.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/show.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

void print_result(const Environment& environment, const Evaluator& evaluator, Evaluator::OutcomeId id, const Design& design,
                  std::span<const double> metrics, const Verdict& verdict) {
  std::cout << printable(evaluator.workload().name) << ": " << format_design(environment, design) << "\n"
            << "status " << verdict.status << (verdict.violates.empty() ? "" : ", infeasible: " + verdict.summary()) << "\n";
  for (const std::string& sentence : verdict.why) std::cout << sentence << "\n";
  std::cout << "\n";
  if (evaluator.status(id) != 0) return;
  std::vector<std::vector<std::string>> rows{{"metric", "value", "unit", "meaning"}};
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const MetricInfo& metric = environment.metrics()[m];
    rows.push_back({metric.name, format_metric(metric, metrics[m]), metric.unit, metric.doc});
  }
  print_table(rows);
  std::cout << "\n";
  if (const auto& artifact = environment.artifact()) {
    std::cout << artifact->name << ": " << artifact->doc << "\n";
    std::istringstream lines(evaluator.artifact(id));
    for (std::string line; std::getline(lines, line);) std::cout << printable(line) << "\n";
    std::cout << "\n";
  }
}

// The design as the reference's input file, for one workload; DRAMSys takes several, in a folder.
void write_reference_input(const Environment& environment, const Workload& workload, const WorkloadOptions& options,
                           const Design& design, const std::string& path) {
  if (environment.name() == "dram") {
    say("written for the reference: " + dram::write_simulation(path, options, design).string() + " (DRAMSys FILE " + path + "/)");
    return;
  }
  const std::string text = environment.reference_input(workload, design);
  if (text.empty()) throw UsageError("--reference-input: " + environment.name() + " writes no input files of its reference");
  OutputFile out(path);
  out.write(text);
  out.close();
}

}  // namespace

nlohmann::ordered_json evaluated_json(const Environment& environment, const Verdict& verdict, const WorkloadOptions& options,
                                      const Evaluator& evaluator, Evaluator::OutcomeId id, std::span<const std::int64_t> design,
                                      std::span<const double> metrics) {
  Json json{{"environment", environment.name()}, {"model", environment.model_version()}};
  for (const auto& [name, value] : options) json["workload"][name] = value;
  json["warnings"] = evaluator.workload().warnings;
  json.update(result_json(environment, design, evaluator.status(id), metrics, evaluator.counters(id), evaluator.artifact(id)));
  if (!verdict.violates.empty()) json["violates"] = verdict.violates;
  if (!verdict.why.empty()) json["why"] = verdict.why;
  if (evaluator.status(id) == 0) {
    json["detail"] = Json::parse(environment.detail_json(evaluator.workload(), evaluator.detail(id)));
  }
  return json;
}

int eval_one(const Environment& environment, const Arguments& arguments) {
  const Design design = given_design(environment, arguments);
  const std::shared_ptr<Executor> executor = make_executor(arguments);
  const std::vector<WorkloadOptions> workloads = given_workloads(environment, arguments);
  const Workloads loaded = load_given(environment, workloads);  // all before the first result is shown
  if (arguments.has("reference-input")) {
    if (loaded.size() != 1) throw UsageError("--reference-input writes a design on one workload; name one workload");
    refuse_overwriting("--reference-input", arguments.text("reference-input"), workloads[0]);
    write_reference_input(environment, *loaded[0], workloads[0], design, arguments.text("reference-input"));
  }
  Json json = Json::array();
  const Sanity sanity(environment);
  bool ok = true;
  std::vector<double> metrics(environment.metrics().size());
  for (std::size_t w = 0; w < workloads.size(); ++w) {
    Evaluator evaluator(environment, loaded[w], executor, evaluator_options(arguments));
    const Evaluator::OutcomeId id = evaluator.evaluate(design)[0];
    ok = ok && evaluator.status(id) == 0;
    evaluator.price(id, design, metrics);
    const Verdict verdict = verdict_of(environment, *loaded[w], {}, sanity, evaluator.status(id), design, metrics);
    if (arguments.flag("json")) {
      json.push_back(evaluated_json(environment, verdict, workloads[w], evaluator, id, design, metrics));
    } else {
      print_result(environment, evaluator, id, design, metrics, verdict);
    }
  }
  if (arguments.flag("json")) std::cout << (json.size() == 1 ? json[0] : json).dump(2) << "\n";
  return ok ? 0 : 1;
}

}  // namespace exarch::cli
