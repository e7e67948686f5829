// Ranking many candidates: the best k, the distinct ones, the Pareto front, a histogram. On the CPU in plain C++, on a CUDA
// device with Thrust; both give the same numbers, because all comparisons are those of one integer key per value.
//
// A candidate is its index. Ties always go to the smallest index. Lower is better; NaN is worse than infinity, and -0 equals 0.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/core/config.hpp"

namespace exarch::rank {

// Orders as the value does; equal keys for equal values and for all NaNs.
[[nodiscard]] EXARCH_HD constexpr std::uint64_t order_key(double value) {
  if (value != value) return ~0ull;
  const auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
  return (bits >> 63) != 0 ? ~bits : bits | 1ull << 63;
}

struct Functions {
  // The k best candidates (all if there are fewer), the best first.
  std::vector<std::uint32_t> (*top_k)(std::span<const double> cost, std::size_t k);
  // The best candidate; at least one is required.
  std::uint32_t (*argmin)(std::span<const double> cost);
  // The first candidate of every distinct key, ascending by index.
  std::vector<std::uint32_t> (*distinct)(std::span<const std::uint64_t> key);
  // Candidates that no other one beats or equals in all of two or three objectives (of equal ones, the first), ascending by
  // index. One span of costs per objective, of equal lengths.
  std::vector<std::uint32_t> (*pareto_front)(std::span<const std::span<const double>> objectives);
  // How many values lie in [edge i, edge i + 1); the edges ascend, and one less number than edges comes back.
  std::vector<std::uint64_t> (*histogram)(std::span<const double> value, std::span<const double> edges);
};

[[nodiscard]] const Functions& cpu_functions();

// Null in a build without CUDA. Runs on the calling thread's device; failures are thrown as std::runtime_error.
[[nodiscard]] const Functions* cuda_functions();

}  // namespace exarch::rank
