// Ranking against brute force, on the CPU and, where there is one, on a CUDA device.
#include "kernels/rank/rank.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "host/execute/devices.hpp"

namespace exarch::rank {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// "a is better than b": NaN is worse than everything else.
bool better(double a, double b) {
  return std::isnan(b) ? !std::isnan(a) : a < b;
}

// Few different values, so that ties are everywhere; now and then a special one.
std::vector<double> random_costs(std::mt19937_64& rng, std::size_t count) {
  const double specials[] = {0.0, -0.0, kInfinity, -kInfinity, kNan, -kNan, 5e-324, -5e-324, 1e308};
  const std::uint64_t spread = 1 + rng() % (rng() % 2 == 0 ? 6 : 100000);
  std::vector<double> costs;
  for (std::size_t i = 0; i < count; ++i) {
    costs.push_back(rng() % 12 == 0 ? specials[rng() % 9]
                                    : static_cast<double>(rng() % spread) - static_cast<double>(spread) / 3);
  }
  return costs;
}

enum class Where { cpu, cuda };

class Rank : public ::testing::TestWithParam<Where> {
 protected:
  void SetUp() override {
    if (GetParam() == Where::cpu) {
      functions_ = &cpu_functions();
      return;
    }
    if (const CudaProbe probe = probe_cuda(); !probe.available) GTEST_SKIP() << probe.reason;
    functions_ = cuda_functions();
  }

  const Functions* functions_ = nullptr;
  std::mt19937_64 rng_{0x4A4E};
};

INSTANTIATE_TEST_SUITE_P(On, Rank, ::testing::Values(Where::cpu, Where::cuda),
                         [](const auto& instance) { return instance.param == Where::cpu ? "cpu" : "cuda"; });

TEST(OrderKey, OrdersAsTheValueDoes) {
  std::mt19937_64 rng(1);
  const auto values = random_costs(rng, 300);
  for (const double a : values) {
    for (const double b : values) {
      EXPECT_EQ(order_key(a) < order_key(b), better(a, b)) << a << " " << b;
    }
  }
  EXPECT_EQ(order_key(0.0), order_key(-0.0));
  EXPECT_EQ(order_key(kNan), order_key(-kNan));
  EXPECT_LT(order_key(kInfinity), order_key(kNan));
}

// The k best by selecting the best of the rest, k times.
TEST_P(Rank, TopKAndArgmin) {
  for (int round = 0; round < 60; ++round) {
    const auto costs = random_costs(rng_, rng_() % 200);
    std::vector<std::uint32_t> want;
    std::vector<bool> taken(costs.size());
    for (std::size_t n = 0; n < costs.size(); ++n) {
      std::size_t best = costs.size();
      for (std::size_t i = 0; i < costs.size(); ++i) {
        if (!taken[i] && (best == costs.size() || better(costs[i], costs[best]))) best = i;
      }
      taken[best] = true;
      want.push_back(static_cast<std::uint32_t>(best));
    }
    if (!costs.empty()) {
      EXPECT_EQ(functions_->argmin(costs), want[0]);
    }
    for (const std::size_t k : {std::size_t{0}, std::size_t{1}, std::size_t{7}, costs.size(), costs.size() + 5}) {
      const auto part = std::vector(want.begin(), want.begin() + static_cast<std::ptrdiff_t>(std::min(k, want.size())));
      EXPECT_EQ(functions_->top_k(costs, k), part) << "k = " << k;
    }
  }
}

TEST_P(Rank, Distinct) {
  for (int round = 0; round < 60; ++round) {
    std::vector<std::uint64_t> keys(rng_() % 300);
    const std::uint64_t spread = 1 + rng_() % 200;
    for (auto& key : keys) key = rng_() % 3 == 0 ? ~(rng_() % spread) : rng_() % spread;
    std::vector<std::uint32_t> want;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (std::find(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(i), keys[i]) ==
          keys.begin() + static_cast<std::ptrdiff_t>(i)) {
        want.push_back(static_cast<std::uint32_t>(i));
      }
    }
    EXPECT_EQ(functions_->distinct(keys), want);
  }
}

TEST_P(Rank, ParetoFront) {
  for (int round = 0; round < 120; ++round) {
    const std::size_t count = rng_() % 250;
    std::vector<std::vector<double>> costs;
    for (int o = 0; o < 2 + round % 2; ++o) costs.push_back(random_costs(rng_, count));
    const std::vector<std::span<const double>> objectives(costs.begin(), costs.end());
    const auto no_worse = [&](std::size_t a, std::size_t b) {
      return std::ranges::all_of(costs, [&](const auto& cost) { return !better(cost[b], cost[a]); });
    };
    std::vector<std::uint32_t> want;
    for (std::size_t i = 0; i < count; ++i) {
      bool beaten = false;
      for (std::size_t j = 0; j < count && !beaten; ++j) beaten = j != i && no_worse(j, i) && (!no_worse(i, j) || j < i);
      if (!beaten) want.push_back(static_cast<std::uint32_t>(i));
    }
    EXPECT_EQ(functions_->pareto_front(objectives), want) << costs.size() << " objectives, " << count << " candidates";
  }
}

TEST_P(Rank, Histogram) {
  for (int round = 0; round < 60; ++round) {
    const auto values = random_costs(rng_, rng_() % 400);
    std::vector<double> edges;
    for (const double edge : random_costs(rng_, rng_() % 9)) {
      if (!std::isnan(edge)) edges.push_back(edge);
    }
    std::ranges::sort(edges);
    std::vector<std::uint64_t> want(edges.empty() ? 0 : edges.size() - 1);
    for (const double v : values) {
      for (std::size_t e = 0; e < want.size(); ++e) {
        if (edges[e] <= v && v < edges[e + 1]) ++want[e];
      }
    }
    EXPECT_EQ(functions_->histogram(values, edges), want);
  }
}

TEST(RankFunctions, OfADeviceExistWhereADeviceDoes) {
  if (!probe_cuda().available) GTEST_SKIP() << probe_cuda().reason;
  EXPECT_NE(cuda_functions(), nullptr);
}

}  // namespace
}  // namespace exarch::rank
