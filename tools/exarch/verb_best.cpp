#include <cstdio>
#include <nlohmann/json.hpp>

#include "host/run/inputs.hpp"
#include "host/run/leaderboard.hpp"
#include "host/run/store_view.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

int best_verb(const Arguments& arguments) {
  const OpenedStore opened = open_run(arguments.positional[0]);
  const Environment& environment = opened.environment;
  const Objective objective = objective_for(opened, arguments.text("objective"));
  if (opened.keep != "all" && opened.keep.find(" by " + objective.text() + " and ") == std::string::npos) {
    say(arguments.positional[0] + " keeps only " + opened.keep + "; a design that is better by another objective may be missing");
  }
  const std::size_t top = arguments.number("top", 1, 100000);

  std::vector<Leaderboard> boards(opened.workloads.size(), Leaderboard(top));
  for_each_priced(opened, [&](const PricedCandidate& c) {
    boards[c.workload].offer(objective.score(c.metrics, c.row.status == 0), c.result, c.candidate, c.design, c.metrics,
                             c.row.counters, c.row.artifact);
  });

  const std::string& primary = primary_option(environment).name;
  const auto first_metrics = environment.metrics().first(std::min<std::size_t>(5, environment.metrics().size()));
  std::vector<std::vector<std::string>> rows{{primary, "rank", "objective", "designs"}};
  for (const MetricInfo& m : first_metrics) rows[0].push_back(m.name);
  rows[0].emplace_back("design");
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (std::size_t w = 0; w < boards.size(); ++w) {
    const std::string& workload = opened.workloads[w]->name;
    std::size_t rank = 0;
    for (const auto& [order, ranked] : boards[w].entries()) {
      const Leaderboard::Line& e = ranked.item;
      ++rank;
      char value[64];
      std::snprintf(value, sizeof value, "%.9g", e.value);
      rows.push_back({workload, std::to_string(rank), value, opened.keep == "all" ? std::to_string(e.candidates) : ""});
      for (std::size_t m = 0; m < first_metrics.size(); ++m) rows.back().push_back(format_metric(first_metrics[m], e.metrics[m]));
      rows.back().push_back(format_design(environment, e.design));
      nlohmann::ordered_json entry{{primary, workload}, {"rank", rank}, {"objective", e.value}};
      if (opened.keep == "all") entry["designs"] = e.candidates;
      entry.update(result_json(environment, e.design, 0, e.metrics, e.counters, e.artifact));
      json.push_back(entry);
    }
  }
  print_answer(arguments, json, rows);
  if (json.empty()) {
    say("no feasible design in " + arguments.positional[0]);
    return 1;
  }
  return 0;
}

}  // namespace

const Verb kBestVerb{
    .name = "best",
    .synopsis = "STORE.db [--objective EXPR] [--top N] [--json]",
    .doc = "Shows the best designs of a run store; designs with one result share a line.",
    .options = {{"objective", "EXPR",
                 "a preset or an expression; default: the search's own, or what the sweep or truth was made for, "
                 "else the environment's first"},
                {"top", "N", "lines per workload", "10"}},
    .json = "an array, all metrics and counters included",
    .min_positional = 1,
    .max_positional = 1,
    .examples =
        "  exarch best sweep.db --objective latency --top 10\n"
        "  exarch best run.db --objective 'min:total_energy_pj, average_power_mw<=1500'\n",
    .run = best_verb};

}  // namespace exarch::cli
