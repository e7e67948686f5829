#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "tools/exarch/common.hpp"

namespace exarch::cli {
namespace {

struct Entry {
  double cost, value;
  std::uint32_t workload;
  Design design;  // the first with this result
  std::vector<double> metrics;
  ResultId result;
  std::uint64_t candidates;  // how many share it
};

int run(const Arguments& arguments) {
  const OpenedStore opened = open_store(arguments.positional[0]);
  const Environment& environment = opened.environment;
  std::string text = arguments.text("objective");
  if (text.empty() && opened.kind == "search") text = opened.store.identity_value("objective");
  const Objective objective = parse_objective(environment, text);
  const std::size_t top = arguments.number("top", 1, 100000);

  const std::vector<StoredResult> results = load_results(opened.store);
  // Candidates with the same result and the same price are one line: the first of them, and how many there are.
  std::map<std::pair<std::uint32_t, ResultId>, std::vector<Entry>> groups;
  std::vector<double> metrics(environment.metrics().size());
  Design design(opened.space.dimensions());
  for_each_candidate(opened, [&](std::uint32_t w, std::uint64_t, std::span<const Gene> genes, ResultId id) {
    opened.space.design_of(genes, design);
    environment.price(*opened.workloads[w], design, results[id].counters, metrics);
    auto& group = groups[{w, id}];
    const auto same = std::ranges::find_if(group, [&](const Entry& e) { return e.metrics == metrics; });
    if (same != group.end()) {
      ++same->candidates;
    } else {
      const Score score = objective.score(metrics, results[id].status == 0);
      group.push_back({score.cost, score.value, w, design, metrics, id, 1});
    }
    return true;
  });
  std::vector<Entry> entries;
  for (auto& [key, group] : groups) {
    for (Entry& entry : group) {
      if (std::isfinite(entry.cost)) entries.push_back(std::move(entry));
    }
  }
  std::ranges::stable_sort(
      entries, [](const Entry& a, const Entry& b) { return std::pair(a.workload, a.cost) < std::pair(b.workload, b.cost); });

  const std::string& primary = primary_option(environment).name;
  const auto first_metrics = environment.metrics().first(std::min<std::size_t>(5, metrics.size()));
  std::vector<std::vector<std::string>> rows{{primary, "rank", "objective", "designs"}};
  for (const MetricInfo& m : first_metrics) rows[0].push_back(m.name);
  rows[0].emplace_back("design");
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  std::size_t rank = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& e = entries[i];
    rank = i > 0 && entries[i - 1].workload == e.workload ? rank + 1 : 1;
    if (rank > top) continue;
    const std::string& workload = opened.workloads[e.workload]->name;
    char value[64];
    std::snprintf(value, sizeof value, "%.9g", e.value);
    rows.push_back({workload, std::to_string(rank), value, std::to_string(e.candidates)});
    for (std::size_t m = 0; m < first_metrics.size(); ++m) rows.back().push_back(format_metric(first_metrics[m], e.metrics[m]));
    rows.back().push_back(format_design(environment, e.design));
    nlohmann::ordered_json entry{{primary, workload}, {"rank", rank}, {"objective", e.value}, {"designs", e.candidates}};
    const StoredResult& result = results[e.result];
    entry.update(result_json(environment, e.design, result.status, e.metrics, result.counters));
    json.push_back(entry);
  }
  if (arguments.flag("json")) {
    std::cout << json.dump(2) << "\n";
  } else {
    print_table(rows);
  }
  if (entries.empty()) {
    std::cerr << "exarch: no feasible design in " << arguments.positional[0] << "\n";
    return 1;
  }
  return 0;
}

}  // namespace

const Verb kBestVerb{
    .name = "best",
    .synopsis = "STORE.db [--objective EXPR] [--top N] [--json]",
    .doc = "Shows the best designs of a run store; designs with one result share a line.",
    .options = {{"objective", "EXPR", "a preset or an expression; default: the search's own, else the environment's first"},
                {"top", "N", "lines per workload", "10"}},
    .json = "an array, all metrics and counters included",
    .min_positional = 1,
    .max_positional = 1,
    .examples =
        "  exarch best sweep.db --objective latency --top 10\n"
        "  exarch best run.db --objective 'min:total_energy_pj, average_power_mw<=1500'\n",
    .run = run};

}  // namespace exarch::cli
