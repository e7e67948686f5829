// The packed set of designs behaves as a map from designs to numbers, whatever the values.
#include "host/execute/design_index.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <map>
#include <random>
#include <vector>

namespace exarch {
namespace {

using Design = std::vector<std::int64_t>;

void expect_a_map(std::size_t parameters, std::size_t count, const std::function<std::int64_t(std::size_t)>& draw) {
  DesignIndex index(parameters);
  std::map<Design, std::uint32_t> want;
  std::vector<Design> by_number;
  Design design(parameters), got(parameters);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t p = 0; p < parameters; ++p) design[p] = draw(p);
    const auto [it, is_new] = want.try_emplace(design, static_cast<std::uint32_t>(want.size()));
    if (is_new) by_number.push_back(design);
    ASSERT_EQ(index.insert(design), std::pair(it->second, is_new));
    ASSERT_EQ(index.size(), want.size());
  }
  for (std::size_t number = 0; number < by_number.size(); ++number) {
    index.get(number, got);
    ASSERT_EQ(got, by_number[number]) << number;
  }
}

TEST(DesignIndex, NumbersDesignsInOrderOfInsertion) {
  std::mt19937_64 rng(1);
  expect_a_map(12, 20000, [&](std::size_t p) { return static_cast<std::int64_t>(rng() % (p + 1)); });
}

TEST(DesignIndex, TakesValuesOfAnySize) {
  std::mt19937_64 rng(2);
  const std::vector<std::int64_t> values{0,   -1,  255, 256, 4096, std::numeric_limits<std::int64_t>::min(),
                                         257, -7,  1,   2,   3,    std::numeric_limits<std::int64_t>::max(),
                                         4,   128, 127, 5,   6};
  expect_a_map(3, 20000, [&](std::size_t) { return values[rng() % values.size()]; });
}

// Keys of several words, which grow while designs come in.
TEST(DesignIndex, WidensKeys) {
  std::mt19937_64 rng(3);
  std::int64_t next = 0;
  expect_a_map(9, 5000, [&](std::size_t p) { return p % 2 == 0 ? next++ : static_cast<std::int64_t>(rng() % 3); });
  expect_a_map(1, 70000, [&](std::size_t) { return static_cast<std::int64_t>(rng() % 60000); });
  expect_a_map(20, 3000, [&](std::size_t) { return static_cast<std::int64_t>(rng()); });
}

TEST(DesignIndex, ConstantParametersTakeNoBits) {
  expect_a_map(64, 10, [&](std::size_t) { return 7; });
}

}  // namespace
}  // namespace exarch
