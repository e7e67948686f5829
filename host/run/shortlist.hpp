// What is worth keeping of a sweep that need not keep everything: the best designs and the Pareto front.
//
// Designs of equal cost and trade-offs are one entry, the first of them. So what is kept depends neither on how the designs are
// split into batches nor on which of them shared a run.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "host/execute/evaluator.hpp"
#include "host/run/best.hpp"
#include "kernels/rank/rank.hpp"

namespace exarch {

class Shortlist {
 public:
  static constexpr std::size_t kMaxTradeoffs = 3;

  struct Entry {
    std::uint64_t point;
    Evaluator::OutcomeId outcome;
    double cost;
    std::array<double, kMaxTradeoffs> tradeoffs;  // those there are none of are 0
    bool sane = true;                             // may stand on the front
  };

  // The `top` best by cost. With two or three metrics in `tradeoffs`, where lower is better, the Pareto front over them too.
  Shortlist(std::size_t top, std::size_t tradeoffs);

  // Points may be offered in any order; an infinite cost is never kept. A result that is not `sane` (Environment::sanity()) is
  // kept for its cost alone: it is on no front, and takes nobody's place there.
  void offer(std::uint64_t point, Evaluator::OutcomeId outcome, double cost, std::span<const double> tradeoffs, bool sane = true);
  // Ranks what was offered since; true if that changed entries().
  bool settle(const rank::Functions& functions);
  // By point.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

 private:
  // Of order_key()s: equal for entries that are one.
  using Identity = std::tuple<std::uint64_t, std::array<std::uint64_t, kMaxTradeoffs>, bool>;
  using Order = std::pair<double, std::uint64_t>;  // cost, point

  static Identity identity_of(const Entry& entry);
  // Leaves the first of those that are one; by point.
  static void unite(std::vector<Entry>& entries);
  void settle_front(const std::vector<Entry>& offered, const rank::Functions& functions);

  std::size_t top_, tradeoffs_;
  Best<Identity, Order, Entry> best_;
  std::vector<Entry> front_;  // by point
  std::vector<Entry> entries_, offered_;
};

}  // namespace exarch
