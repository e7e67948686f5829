// What the other tests rely on: real lanes (tests/support/real_lanes.hpp) notice what a device would not survive.
#include "tests/support/real_lanes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

namespace exarch {
namespace {

using testing::RealLanes;
using testing::RealWarp;
using testing::run_lanes;

using ::testing::ContainsRegex;

TEST(RealLanes, ExchangeWhatTheyKeep) {
  std::array<std::uint64_t, kLanes> sum{}, least{};
  std::array<std::uint32_t, kLanes> place{}, column{};
  std::uint32_t shared = 0;
  std::array<std::uint32_t, kLanes> seen{};
  const auto body = [&] {
    const std::uint32_t me = RealWarp::lane();
    RealLanes::Values<std::uint16_t> values;
    values.fill(5);
    for (std::uint32_t i = 0; i < kLanes; ++i) values.set(i, static_cast<std::uint16_t>(values[i] + 100 * i));
    for (std::uint32_t i = 0; i < kLanes; ++i) sum[me] += values[i];
    RealLanes::Table table{};
    const std::uint32_t row[kTableColumns] = {1, 2, 3, 4};
    table.raise(6, 40, row);
    column[me] = table.at(6, 2);
    least[me] = RealLanes::first_of([&](auto i) { return std::uint64_t{1000} - values[i]; }, place[me]);
    RealLanes::write(shared, 77u);
    seen[me] = shared;
  };
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    sum.fill(0);
    shared = 0;
    ASSERT_EQ(run_lanes(seed, body), "");
    for (std::uint32_t i = 0; i < kLanes; ++i) {
      EXPECT_EQ(sum[i], 8 * 5 + 100 * 28u);
      EXPECT_EQ(column[i], 43u);
      EXPECT_EQ(least[i], 295u);
      EXPECT_EQ(place[i], 7u);
      EXPECT_EQ(seen[i], 77u);
    }
  }
}

// The fault that Channel::store() had.
TEST(RealLanes, SayWhoWaitsWhereIfACollectiveIsBehindTheLeader) {
  std::uint32_t most = 0;
  const std::string fault = run_lanes(1, [&] {
    RealLanes::Values<std::uint32_t> count;
    count.fill(3);
    if (RealLanes::leader()) most = max_of(most, count[2]);
    RealLanes::write(most, 1u);
  });
  EXPECT_THAT(fault, ContainsRegex("^lane 0 waits in a shuffle at tests/property/real_lanes_test.cpp:[0-9]+:[0-9]+ "));
  EXPECT_THAT(fault, ContainsRegex("; lanes 1,2,3,4,5,6,7 wait in a sync at tests/property/real_lanes_test.cpp:[0-9]+:[0-9]+ "));
}

TEST(RealLanes, SayWhoHasFinished) {
  const std::string fault = run_lanes(2, [] {
    RealLanes::Values<std::uint32_t> count;
    count.fill(3);
    if (RealWarp::lane() >= 6) (void)count[RealWarp::lane()];
  });
  EXPECT_THAT(fault, ContainsRegex("lanes 0,1,2,3,4,5 have finished; lanes 6,7 wait in a shuffle"));
}

// Two shuffles are not the same shuffle.
TEST(RealLanes, TellTwoPlacesOfTheSourceApart) {
  const std::string fault = run_lanes(3, [] {
    RealLanes::Values<std::uint32_t> a;
    a.fill(RealWarp::lane());
    std::uint32_t got = 0;
    if (RealWarp::lane() % 2 == 0) {
      got = a[1];
    } else {
      got = a[2];
    }
    a.fill(got);
  });
  EXPECT_THAT(fault, ContainsRegex("lanes 0,2,4,6 wait in a shuffle at .*; lanes 1,3,5,7 wait in a shuffle at"));
}

TEST(RealLanes, TellTwoOperationsApart) {
  const std::string fault = run_lanes(4, [] {
    const RealWarp::Here here;
    if (RealLanes::leader()) {
      (void)RealWarp::ballot(true, here);
    } else {
      RealWarp::sync(here);
    }
  });
  EXPECT_THAT(fault, ContainsRegex("lane 0 waits in a ballot at .*; lanes 1,2,3,4,5,6,7 wait in a sync at"));
}

// A write by the leader alone, without the synchronisations of write(): what others read depends on the order.
TEST(RealLanes, RunInAnOrderOfTheirOwn) {
  std::set<std::uint32_t> read, again;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (auto* all : {&read, &again}) {
      std::uint32_t shared = 0, seen = 0;
      ASSERT_EQ(run_lanes(seed,
                          [&] {
                            if (RealLanes::leader()) shared = 1;
                            if (RealWarp::lane() == 5) seen = shared;
                          }),
                "");
      all->insert(seen * 100 + static_cast<std::uint32_t>(seed));
    }
  }
  EXPECT_EQ(read, again) << "a seed gives an order";
  EXPECT_TRUE(*read.begin() < 100 && *read.rbegin() >= 100) << "all orders were alike";
}

}  // namespace
}  // namespace exarch
