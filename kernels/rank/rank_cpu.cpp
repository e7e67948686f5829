#include <algorithm>
#include <array>
#include <numeric>

#include "kernels/rank/rank.hpp"
#include "kernels/rank/staircase.hpp"

namespace exarch::rank {
namespace {

std::vector<std::uint64_t> keys_of(std::span<const double> values) {
  std::vector<std::uint64_t> keys(values.size());
  std::ranges::transform(values, keys.begin(), order_key);
  return keys;
}

std::vector<std::uint32_t> all_candidates(std::size_t count) {
  std::vector<std::uint32_t> candidates(count);
  std::iota(candidates.begin(), candidates.end(), 0u);
  return candidates;
}

std::vector<std::uint32_t> top_k(std::span<const double> cost, std::size_t k) {
  const auto keys = keys_of(cost);
  auto order = all_candidates(cost.size());
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(k, order.size()));
  std::partial_sort(order.begin(), end, order.end(),
                    [&keys](std::uint32_t a, std::uint32_t b) { return keys[a] != keys[b] ? keys[a] < keys[b] : a < b; });
  order.erase(end, order.end());
  return order;
}

std::uint32_t argmin(std::span<const double> cost) {
  return static_cast<std::uint32_t>(std::ranges::min_element(cost, {}, order_key) - cost.begin());
}

std::vector<std::uint32_t> distinct(std::span<const std::uint64_t> key) {
  auto order = all_candidates(key.size());
  const auto key_of = [key](std::uint32_t candidate) { return key[candidate]; };
  std::ranges::stable_sort(order, {}, key_of);
  order.erase(std::ranges::unique(order, {}, key_of).begin(), order.end());
  std::ranges::sort(order);
  return order;
}

std::vector<std::uint32_t> pareto_front(std::span<const std::span<const double>> objectives) {
  std::array<std::vector<std::uint64_t>, 3> keys;
  for (std::size_t i = 0; i < 3; ++i) {
    // With two objectives, the third is the same for all.
    keys[i] = i < objectives.size() ? keys_of(objectives[i]) : std::vector<std::uint64_t>(objectives[0].size());
  }
  auto order = all_candidates(objectives[0].size());
  std::ranges::sort(order, [&keys](std::uint32_t a, std::uint32_t b) {
    for (const auto& key : keys) {
      if (key[a] != key[b]) return key[a] < key[b];
    }
    return a < b;
  });
  Staircase staircase;
  std::erase_if(order, [&](std::uint32_t candidate) { return !staircase.add(keys[1][candidate], keys[2][candidate]); });
  std::ranges::sort(order);
  return order;
}

std::vector<std::uint64_t> histogram(std::span<const double> value, std::span<const double> edges) {
  const auto edge_keys = keys_of(edges);
  std::vector<std::uint64_t> counts(edges.empty() ? 0 : edges.size() - 1);
  for (const double v : value) {
    const auto above = std::ranges::upper_bound(edge_keys, order_key(v)) - edge_keys.begin();
    if (above > 0 && static_cast<std::size_t>(above) < edge_keys.size()) ++counts[static_cast<std::size_t>(above) - 1];
  }
  return counts;
}

}  // namespace

const Functions& cpu_functions() {
  static constexpr Functions kFunctions{top_k, argmin, distinct, pareto_front, histogram};
  return kFunctions;
}

}  // namespace exarch::rank
