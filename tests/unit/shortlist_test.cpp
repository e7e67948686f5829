// What a sweep keeps, against brute force, however the points are split into batches.
#include "host/run/shortlist.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <tuple>

namespace exarch {
namespace {

using Entry = Shortlist::Entry;

// Few different values, so that equal costs, equal prices and dominated points are everywhere.
std::vector<Entry> random_points(std::mt19937_64& rng, std::size_t count) {
  std::vector<Entry> points;
  for (std::size_t i = 0; i < count; ++i) {
    const auto outcome = static_cast<Evaluator::OutcomeId>(rng() % 40);
    const double cost = rng() % 9 == 0 ? std::numeric_limits<double>::infinity() : static_cast<double>(rng() % 30);
    points.push_back({i, outcome, cost, {double(rng() % 12), double(rng() % 12), double(rng() % 12)}, rng() % 4 != 0});
  }
  return points;
}

std::vector<std::uint64_t> brute_force(const std::vector<Entry>& points, std::size_t top, std::size_t tradeoffs) {
  std::vector<Entry> distinct;
  for (const Entry& e : points) {
    const bool known = std::ranges::any_of(
        distinct, [&](const Entry& d) { return std::tie(d.cost, d.tradeoffs, d.sane) == std::tie(e.cost, e.tradeoffs, e.sane); });
    if (e.cost < std::numeric_limits<double>::infinity() && !known) distinct.push_back(e);
  }
  std::vector<Entry> by_cost = distinct;
  std::ranges::stable_sort(by_cost, {}, &Entry::cost);
  std::set<std::uint64_t> kept;
  for (std::size_t i = 0; i < std::min(top, by_cost.size()); ++i) kept.insert(by_cost[i].point);
  for (const Entry& e : distinct) {
    const bool beaten = std::ranges::any_of(distinct, [&](const Entry& d) {
      bool as_good = true, equal = true;
      for (std::size_t t = 0; t < tradeoffs; ++t) {
        as_good = as_good && d.tradeoffs[t] <= e.tradeoffs[t];
        equal = equal && d.tradeoffs[t] == e.tradeoffs[t];
      }
      return as_good && d.sane && (!equal || d.point < e.point);
    });
    if (tradeoffs > 0 && e.sane && !beaten) kept.insert(e.point);
  }
  return {kept.begin(), kept.end()};
}

TEST(Shortlist, KeepsTheBestAndTheFrontHoweverPointsAreSplit) {
  std::mt19937_64 rng(0x5407);
  for (int round = 0; round < 200; ++round) {
    const auto points = random_points(rng, rng() % 300);
    const std::size_t top = 1 + rng() % 20;
    const std::size_t tradeoffs = round % 3 == 0 ? 0 : 2 + rng() % 2;
    Shortlist shortlist(top, tradeoffs);
    for (const Entry& e : points) {
      shortlist.offer(e.point, e.outcome, e.cost, std::span(e.tradeoffs), e.sane);
      if (rng() % 20 == 0) (void)shortlist.settle(rank::cpu_functions());
    }
    (void)shortlist.settle(rank::cpu_functions());
    EXPECT_FALSE(shortlist.settle(rank::cpu_functions()));
    std::vector<std::uint64_t> got;
    for (const Entry& e : shortlist.entries()) got.push_back(e.point);
    EXPECT_EQ(got, brute_force(points, top, tradeoffs)) << "round " << round;
  }
}

}  // namespace
}  // namespace exarch
