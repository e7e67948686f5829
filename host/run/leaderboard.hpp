// The best designs of a workload, as `exarch best` and reports show them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "host/metric/metric.hpp"
#include "host/run/best.hpp"
#include "host/space/design_space.hpp"
#include "host/store/run_store.hpp"

namespace exarch {

// Candidates with the same result and the same price are one line, placed by cost, then by result, then by its first candidate.
// Candidates come in ascending order, so that a line that falls off the end never comes back.
class Leaderboard {
 public:
  struct Line {
    double value;
    Design design;  // the first with this result and price
    std::vector<double> metrics;
    std::vector<std::uint64_t> counters;
    std::string artifact;      // "" of a model without
    std::uint64_t candidates;  // how many share it
  };
  using Order = std::tuple<double, ResultId, std::uint64_t>;                  // cost, result, first candidate
  using Identity = std::tuple<double, ResultId, std::vector<std::uint64_t>>;  // cost, result, order_key()s of the metrics

  explicit Leaderboard(std::size_t lines) : best_(lines) {}

  void offer(const Score& score, ResultId id, std::uint64_t candidate, const Design& design, const std::vector<double>& metrics,
             std::span<const std::uint64_t> counters, std::string_view artifact = {});

  // Order and line, best first.
  [[nodiscard]] const Best<Identity, Order, Line>::Entries& entries() const { return best_.entries(); }

 private:
  Best<Identity, Order, Line> best_;
};

}  // namespace exarch
