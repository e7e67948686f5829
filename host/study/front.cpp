#include "host/study/front.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace exarch {

std::vector<std::uint32_t> search_front(const TruthTable& table, const SearchTask& search) {
  const auto tradeoffs = table.tradeoffs();
  const DesignSpace& space = table.space();
  const auto agent = make_agent(search.agent, space, search.options);
  std::vector<std::uint32_t> seen;
  std::vector<bool> known(table.groups());
  std::vector<double> costs;
  GeneBatch batch;
  for (std::uint64_t requested = 0; requested < search.budget;) {
    agent->ask(batch);
    if (batch.candidates() == 0) break;
    costs.clear();
    for (std::size_t c = 0; c < batch.candidates(); ++c, ++requested) {
      const std::uint32_t group = table.group_of(space.point_of(batch.row(c)));
      for (std::size_t k = 0; k < search.options.objectives; ++k) {
        costs.push_back(table.is_sane(group) ? table.metrics(group)[tradeoffs[k]] : std::numeric_limits<double>::infinity());
      }
      if (requested >= search.budget || known[group] || !table.is_sane(group)) continue;
      known[group] = true;
      seen.push_back(group);
    }
    agent->tell(batch, costs);
  }
  std::ranges::sort(seen);
  return seen;
}

FrontScore score_front(const TruthTable& table, std::span<const std::uint32_t> front, std::span<const std::uint32_t> seen) {
  const auto tradeoffs = table.tradeoffs();
  std::vector<double> range;
  for (const std::size_t t : tradeoffs) {
    const auto value = [&](std::uint32_t group) { return table.metrics(group)[t]; };
    const auto [low, high] = std::ranges::minmax(front, {}, value);
    range.push_back(value(high) - value(low));
  }
  FrontScore score{0, 0};
  for (const std::uint32_t exact : front) {
    double nearest = std::numeric_limits<double>::infinity();
    for (const std::uint32_t other : seen) {
      double squares = 0;  // only what is worse counts
      for (std::size_t k = 0; k < tradeoffs.size(); ++k) {
        const double worse = std::max(0.0, table.metrics(other)[tradeoffs[k]] - table.metrics(exact)[tradeoffs[k]]);
        const double scaled = range[k] > 0 ? worse / range[k] : worse > 0 ? 1 : 0;
        squares += scaled * scaled;
      }
      nearest = std::min(nearest, squares);
    }
    if (nearest == 0) score.covered += 1;  // by a design of the same trade-offs, whatever else differs
    score.distance += std::sqrt(nearest);
  }
  score.covered /= static_cast<double>(front.size());
  score.distance /= static_cast<double>(front.size());
  return score;
}

}  // namespace exarch
