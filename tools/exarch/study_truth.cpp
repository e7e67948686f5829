#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "host/run/truth.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/study_measures.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

struct TruthPrinter {
  const OpenedStore& opened;
  std::vector<std::vector<std::string>> summary, parameters;
  Json json = Json::array();

  explicit TruthPrinter(const OpenedStore& store) : opened(store) {
    const std::string& primary = primary_option(opened.environment).name;
    summary = {{primary, "objective", "optimum", "designs", "default's regret %", "default's rank", "different", "local optima",
                "global", "on them %", "front"}};
    parameters = {{primary, "objective", "parameter", "alone %", "in all %"}};
  }

  void add(std::uint32_t w, const TruthTable& truth, const Objective& objective) {
    const Environment& environment = opened.environment;
    const std::string& workload = opened.workloads[w]->name;
    const Ranking ranking(truth, objective);
    if (!ranking.feasible()) throw Error(workload + ": no design is feasible by " + objective.text());
    const std::size_t front = truth.pareto_front(objective).size();
    const std::uint32_t best = ranking.best_group();
    const double optimum = objective.score(truth.metrics(best), true).value;
    std::vector<double> distinct(ranking.costs().begin(), ranking.costs().end());
    std::ranges::sort(distinct);
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    const auto local = ranking.local_optima();
    const double standard = default_cost(truth, objective);
    const auto designs = static_cast<double>(truth.points());
    summary.push_back({workload, objective.text(), printed("%.9g", optimum), std::to_string(ranking.optimal_designs()),
                       percent(ranking.relative_regret(standard)),
                       std::isfinite(standard) ? std::to_string(ranking.rank(standard)) : "-", std::to_string(distinct.size()),
                       std::to_string(local.plateaus), std::to_string(local.global),
                       percent(static_cast<double>(local.designs) / designs), std::to_string(front)});
    Json entry{{primary_option(environment).name, workload},
               {"objective", objective.text()},
               {"designs", truth.points()},
               {"feasible_designs", ranking.feasible_designs()},
               {"different_costs", distinct.size()},
               {"optimum", optimum},
               {"optimal_designs", ranking.optimal_designs()},
               {"pareto_front", front},
               {"local_optima", {{"plateaus", local.plateaus}, {"global", local.global}, {"designs", local.designs}}},
               {"importance", Json::object()}};
    const auto importance = ranking.importance();
    for (std::size_t p = 0; p < importance.size(); ++p) {
      if (opened.space.values(p).size() == 1) continue;
      const std::string& name = environment.parameters()[p].name;
      parameters.push_back({workload, objective.text(), name, printed("%.2f", 100 * importance[p].alone),
                            printed("%.2f", 100 * importance[p].total)});
      entry["importance"][name] = {{"alone", importance[p].alone}, {"total", importance[p].total}};
    }
    json.push_back(entry);
  }

 private:
  [[nodiscard]] double default_cost(const TruthTable& truth, const Objective& objective) const {
    const std::uint32_t group = truth.group_of(point_of(opened.space, default_design(opened.environment, opened.space)));
    return objective.score(truth.metrics(group), truth.ok(group)).cost;
  }
};

// The store that an argument names, made or continued first if it names an environment.
std::string truth_store(const Arguments& arguments) {
  const std::string& name = arguments.positional[1];
  if (is_store(name)) {
    allow_for_study(arguments, "study truth of a store", {"objective"});
    return name;
  }
  allow_for_study(arguments, "study truth", {"objective", "space", "out", "engine", "no-share"}, true);
  // A mistake here must not be found after the sweep.
  const Environment& environment = find_environment(name);
  const std::vector<Objective> objectives = objectives_of(environment, arguments);
  Problem problem(environment, given_space(environment, arguments));
  TruthTable::check_size(problem.space);
  if (!arguments.has("out")) throw UsageError("no --out FILE.db given for the results");
  problem.objectives = objectives;
  problem.workloads = given_workloads(environment, arguments);
  TerminalObserver terminal;
  const SweepReport report =
      run_truth(problem, evaluator_options(arguments), make_executor(arguments), arguments.text("out"), terminal);
  if (report.requested > 0) {
    say(std::to_string(report.requested) + " evaluations, " + std::to_string(report.simulated) + " of them simulated, in " +
        short_time(report.seconds) + "; the truth is in " + arguments.text("out"));
  }
  return arguments.text("out");
}

}  // namespace

int study_truth(const Arguments& arguments) {
  const OpenedStore opened = open_run(truth_store(arguments));
  const std::vector<Objective> objectives = objectives_of(opened.environment, arguments);
  TruthPrinter printer(opened);
  for (std::uint32_t w = 0; w < opened.workloads.size(); ++w) {
    const TruthTable truth = truth_of(opened, w);
    for (const Objective& objective : objectives) printer.add(w, truth, objective);
  }
  if (arguments.flag("json")) {
    std::cout << printer.json.dump(2) << "\n";
    return 0;
  }
  print_table(printer.summary);
  std::cout << "\n";
  print_table(printer.parameters);
  return 0;
}

}  // namespace exarch::cli
