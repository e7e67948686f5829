#include "tools/exarch/leaderboard.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace exarch::cli {

void Leaderboard::offer(const Score& score, ResultId id, std::uint64_t candidate, const Design& design,
                        const std::vector<double>& metrics, std::span<const std::uint64_t> counters) {
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

Objective objective_for(const OpenedStore& opened, const std::string& given) {
  std::string text = given;
  if (text.empty() && opened.kind == "search") {
    const std::vector<Objective> all = parse_objectives(opened.environment, opened.store.identity_value("objective"));
    text = all.front().text();
    const std::span first = all.front().constraints();
    std::vector<std::string> known(first.begin(), first.end());
    for (const Objective& objective : all) {
      for (const std::string& constraint : objective.constraints()) {
        if (std::ranges::find(known, constraint) != known.end()) continue;
        known.push_back(constraint);
        text += "," + constraint;
      }
    }
  }
  if (text.empty()) text = opened.kept_by;
  return parse_objective(opened.environment, text);
}

void for_each_priced(const OpenedStore& opened, const std::function<void(const PricedCandidate&)>& visit) {
  ResultTable results(opened.store);
  std::vector<double> metrics(opened.environment.metrics().size());
  Design design(opened.space.dimensions());
  for_each_candidate(opened, [&](std::uint32_t w, std::uint64_t candidate, std::span<const Gene> genes, ResultId id) {
    const ResultTable::Row row = results.at(w, id);
    opened.space.design_of(genes, design);
    if (row.status == 0) opened.environment.price(*opened.workloads[w], design, row.counters, metrics);
    visit({w, candidate, id, design, metrics, row});
    return true;
  });
}

}  // namespace exarch::cli
