#include <iostream>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/run/inputs.hpp"
#include "host/run/store_view.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

int rank_verb(const Arguments& arguments) {
  const OpenedStore opened = open_run(arguments.positional[0]);
  const Environment& environment = opened.environment;
  const Objective objective = objective_for(opened, arguments.text("objective"));
  Design design = default_design(environment, opened.space);
  assign_all(environment, arguments.all("set"), design);
  const std::uint64_t point = point_of(opened.space, design);

  std::vector<std::vector<std::string>> rows{
      {primary_option(environment).name, "objective", "optimum", "regret", "rank", "of", "better", "best design"}};
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (std::uint32_t w = 0; w < opened.workloads.size(); ++w) {
    const TruthTable truth = truth_of(opened, w);
    const Ranking ranking(truth, objective);
    const std::string& workload = opened.workloads[w]->name;
    if (!ranking.feasible()) throw Error(workload + ": no design is feasible");
    const double cost = ranking.cost(point);
    const bool feasible = std::isfinite(cost);
    const auto value_of = [&](std::uint64_t at) {
      const std::uint32_t group = truth.group_of(at);
      return objective.score(truth.metrics(group), truth.ok(group)).value;
    };
    const std::uint64_t best_point = truth.first_point(ranking.best_group());
    const Design best = design_at(opened.space, best_point);
    const std::uint64_t rank = ranking.rank(cost);
    char value[64] = "infeasible", optimum[64], regret[64] = "", better[64] = "";
    std::snprintf(optimum, sizeof optimum, "%.9g", value_of(best_point));
    if (feasible) {
      std::snprintf(value, sizeof value, "%.9g", value_of(point));
      std::snprintf(regret, sizeof regret, "%.4g%%", 100 * ranking.relative_regret(cost));
      std::snprintf(better, sizeof better, "%.4g%%", 100 * static_cast<double>(rank - 1) / static_cast<double>(truth.points()));
    }
    rows.push_back({workload, value, optimum, regret, feasible ? std::to_string(rank) : "",
                    std::to_string(ranking.feasible_designs()), better, format_design(environment, best)});
    nlohmann::ordered_json entry{{primary_option(environment).name, workload},
                                 {"design", format_design(environment, design)},
                                 {"feasible", feasible},
                                 {"optimum", value_of(best_point)},
                                 {"feasible_designs", ranking.feasible_designs()},
                                 {"optimal_designs", ranking.optimal_designs()}};
    if (feasible) {
      entry["objective"] = value_of(point);
      entry["regret"] = ranking.regret(cost);
      entry["relative_regret"] = ranking.relative_regret(cost);
      entry["rank"] = rank;
    }
    json.push_back(entry);
  }
  print_answer(arguments, json, rows);
  return 0;
}

}  // namespace

const Verb kRankVerb{
    .name = "rank",
    .synopsis = "TRUTH.db [--set NAME=VALUE ...] [--objective EXPR]",
    .doc = "Says where a design stands among all of its space: rank and exact regret.",
    .options =
        {{"set", "NAME=VALUE",
          "sets a parameter of the design; others have their default or, if the space lacks it, its first value", "", true},
         {"objective", "EXPR",
          "a preset (see exarch envs) or an expression; default: what the truth was made for, else the environment's first"}},
    .json = "one entry per workload, with the absolute regret too",
    .min_positional = 1,
    .max_positional = 1,
    .examples =
        "  exarch rank truth.db --set PagePolicy=Open --set Scheduler=FrFcfs --objective latency\n"
        "(TRUTH.db: a store of exarch study truth, or of exarch sweep --all)\n",
    .run = rank_verb};

}  // namespace exarch::cli
