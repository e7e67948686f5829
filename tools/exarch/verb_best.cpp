#include <cmath>
#include <iostream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "host/error.hpp"
#include "tools/exarch/common.hpp"

namespace exarch::cli {
namespace {

struct Entry {
  double value;
  Design design;  // the first with this result and price
  std::vector<double> metrics;
  std::vector<std::uint64_t> counters;
  std::uint64_t candidates;  // how many share it
};

// The best lines of a workload. Candidates with the same result and the same price are one line, placed by cost, then by result,
// then by its first candidate. A line that falls off the end never comes back, so the board need not hold more than it shows.
class Board {
 public:
  explicit Board(std::size_t lines) : lines_(lines) {}

  void offer(const Score& score, ResultId id, std::uint64_t candidate, const Design& design, const std::vector<double>& metrics,
             std::span<const std::uint64_t> counters) {
    if (!std::isfinite(score.cost)) return;
    const bool full = entries_.size() == lines_;
    if (full && Key{score.cost, id, 0} > entries_.rbegin()->first) return;
    for (auto it = entries_.lower_bound({score.cost, id, 0}); it != entries_.end(); ++it) {
      const auto& [cost, result, first] = it->first;
      if (cost != score.cost || result != id) break;
      if (it->second.metrics != metrics) continue;
      ++it->second.candidates;
      return;
    }
    entries_.try_emplace({score.cost, id, candidate}, Entry{score.value, design, metrics, {counters.begin(), counters.end()}, 1});
    if (full) entries_.erase(std::prev(entries_.end()));
  }

  using Key = std::tuple<double, ResultId, std::uint64_t>;
  [[nodiscard]] const std::map<Key, Entry>& entries() const { return entries_; }

 private:
  std::size_t lines_;
  std::map<Key, Entry> entries_;
};

int run(const Arguments& arguments) {
  const OpenedStore opened = open_store(arguments.positional[0]);
  const Environment& environment = opened.environment;
  std::string text = arguments.text("objective");
  if (text.empty() && opened.kind == "search") {
    text = split(opened.store.identity_value("objective"), ';').at(0);  // of several, the first
  }
  const Objective objective = parse_objective(environment, text);
  if (opened.keep != "all" && opened.keep.find(" by " + objective.text() + " and ") == std::string::npos) {
    std::cerr << "exarch: " << arguments.positional[0] << " keeps only " << opened.keep
              << "; a design that is better by another objective may be missing\n";
  }
  const std::size_t top = arguments.number("top", 1, 100000);

  ResultTable results(opened.store);
  std::vector<Board> boards(opened.workloads.size(), Board(top));
  std::vector<double> metrics(environment.metrics().size());
  Design design(opened.space.dimensions());
  for_each_candidate(opened, [&](std::uint32_t w, std::uint64_t candidate, std::span<const Gene> genes, ResultId id) {
    const ResultTable::Row result = results.at(w, id);
    opened.space.design_of(genes, design);
    environment.price(*opened.workloads[w], design, result.counters, metrics);
    boards[w].offer(objective.score(metrics, result.status == 0), id, candidate, design, metrics, result.counters);
    return true;
  });

  const std::string& primary = primary_option(environment).name;
  const auto first_metrics = environment.metrics().first(std::min<std::size_t>(5, metrics.size()));
  std::vector<std::vector<std::string>> rows{{primary, "rank", "objective", "designs"}};
  for (const MetricInfo& m : first_metrics) rows[0].push_back(m.name);
  rows[0].emplace_back("design");
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (std::size_t w = 0; w < boards.size(); ++w) {
    const std::string& workload = opened.workloads[w]->name;
    std::size_t rank = 0;
    for (const auto& [key, e] : boards[w].entries()) {
      ++rank;
      char value[64];
      std::snprintf(value, sizeof value, "%.9g", e.value);
      rows.push_back({workload, std::to_string(rank), value, opened.keep == "all" ? std::to_string(e.candidates) : ""});
      for (std::size_t m = 0; m < first_metrics.size(); ++m) rows.back().push_back(format_metric(first_metrics[m], e.metrics[m]));
      rows.back().push_back(format_design(environment, e.design));
      nlohmann::ordered_json entry{{primary, workload}, {"rank", rank}, {"objective", e.value}};
      if (opened.keep == "all") entry["designs"] = e.candidates;
      entry.update(result_json(environment, e.design, 0, e.metrics, e.counters));
      json.push_back(entry);
    }
  }
  print_answer(arguments, json, rows);
  if (json.empty()) {
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
