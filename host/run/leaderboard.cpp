#include "host/run/leaderboard.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/rank/rank.hpp"

namespace exarch {

void Leaderboard::offer(const Score& score, ResultId id, std::uint64_t candidate, const Design& design,
                        const std::vector<double>& metrics, std::span<const std::uint64_t> counters, std::string_view artifact) {
  if (!std::isfinite(score.cost) || !best_.reaches({score.cost, id, 0})) return;
  std::vector<std::uint64_t> keys(metrics.size());
  std::ranges::transform(metrics, keys.begin(), rank::order_key);
  const Identity identity{score.cost, id, std::move(keys)};
  if (Line* line = best_.find(identity); line != nullptr) {
    ++line->candidates;
    return;
  }
  best_.offer(identity, {score.cost, id, candidate},
              {score.value, design, metrics, {counters.begin(), counters.end()}, std::string(artifact), 1});
}

}  // namespace exarch
