// Statistics against values worked out by hand, and what must hold of any.
#include "host/study/statistics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace exarch {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Scores = std::vector<std::vector<double>>;

TEST(Scores, AreOneAtTheOptimumAndShrinkWithDistance) {
  EXPECT_EQ(normalised_score(50, 50), 1);
  EXPECT_EQ(normalised_score(100, 50), 0.5);    // minimised: optimum / value
  EXPECT_EQ(normalised_score(-20, -80), 0.25);  // maximised: value / optimum
  EXPECT_EQ(normalised_score(kInfinity, 50), 0);
  EXPECT_EQ(normalised_score(kInfinity, kInfinity), 0);  // nothing is feasible: nothing is good
  EXPECT_EQ(normalised_score(3, -80), 0);
  EXPECT_EQ(normalised_score(0, 0), 1);
  EXPECT_EQ(normalised_score(4, 0), 0);
  EXPECT_EQ(relative_regret(60, 50), 0.2);
  EXPECT_EQ(relative_regret(-60, -80), 0.25);
  EXPECT_EQ(relative_regret(0, 0), 0);
  EXPECT_EQ(relative_regret(1, 0), kInfinity);
}

TEST(Quantiles, InterpolateAndTakeInfinity) {
  const std::vector<double> v{1, 2, 3, 4};
  EXPECT_EQ(quantile(v, 0), 1);
  EXPECT_EQ(quantile(v, 0.5), 2.5);
  EXPECT_EQ(quantile(v, 1), 4);
  EXPECT_EQ(quantile(std::vector{1.0, kInfinity, kInfinity}, 0.5), kInfinity);
  EXPECT_EQ(quantile(std::vector{7.0}, 0.3), 7);
}

TEST(InterquartileMean, IsTheMeanOfTheMiddleHalf) {
  EXPECT_EQ(interquartile_mean(std::vector<double>{0, 0, 3, 5, 4, 6, 100, 900}), 4.5);  // 3, 5, 4, 6
  EXPECT_EQ(interquartile_mean(std::vector<double>{1, 2, 6}), 3);
}

TEST(InterquartileMean, ItsIntervalCoversItAndDependsOnTheSeedAlone) {
  Scores strata(3);
  for (int i = 0; i < 60; ++i) strata[static_cast<std::size_t>(i) % 3].push_back(std::fmod(i * 0.377, 1.0));
  const Aggregate a = aggregate_iqm(strata, 5), again = aggregate_iqm(strata, 5), other = aggregate_iqm(strata, 6);
  EXPECT_LT(a.interval.low, a.mean);
  EXPECT_GT(a.interval.high, a.mean);
  EXPECT_EQ(a.interval.low, again.interval.low);
  EXPECT_NE(a.interval.low, other.interval.low);
  // Standard error of the mean of the middle half of 60 uniform numbers: about 0.05; the interval is four of them wide.
  EXPECT_NEAR(a.interval.high - a.interval.low, 0.2, 0.08);
  // Without any spread inside the strata there is nothing to resample.
  const Aggregate sure = aggregate_iqm(Scores{{0.2, 0.2}, {0.6, 0.6}}, 1);
  EXPECT_EQ(sure.interval.low, sure.mean);
  EXPECT_EQ(sure.interval.high, sure.mean);
}

TEST(InterquartileMean, OfAResampleIsThatOfTheSortedResample) {
  // One stratum of two runs: a resample has both, or one twice; four scores of two strata, all counted without a middle half's
  // edge.
  const Aggregate a = aggregate_iqm(Scores{{0, 1}}, 3, 4000);
  EXPECT_EQ(a.mean, 0.5);
  EXPECT_EQ(a.interval.low, 0);
  EXPECT_EQ(a.interval.high, 1);
}

TEST(Profiles, AreSharesOfRunsAveragedOverProblems) {
  const std::vector<double> thresholds{0, 0.5, 0.9, 1};
  EXPECT_THAT(performance_profile(Scores{{0.5, 1}, {0.2, 0.6, 0.95, 1}}, thresholds),
              ::testing::ElementsAre(1, 0.875, 0.5, 0.375));
}

TEST(Improvement, CountsPairsAndHalvesTies) {
  const Scores a{{1, 2}, {5}}, b{{1, 3}, {4}};
  EXPECT_EQ(probability_of_improvement(a, b), ((0.5 + 0 + 1 + 0) / 4 + 1) / 2);
  EXPECT_EQ(probability_of_improvement(a, b) + probability_of_improvement(b, a), 1);
  EXPECT_EQ(probability_of_improvement(a, a), 0.5);
}

TEST(Variance, IsSplitBetweenSettingsAndSeeds) {
  EXPECT_EQ(variance_between(Scores{{1, 1}, {3, 3}}), 1);
  EXPECT_EQ(variance_between(Scores{{1, 3}, {1, 3}}), 0);
  EXPECT_EQ(variance_between(Scores{{2, 2}, {2, 2}}), 0);
  EXPECT_NEAR(variance_between(Scores{{0, 2}, {4, 6}}), (16.0 - 2) / 20, 1e-12);
  EXPECT_EQ(variance_between(Scores(28, std::vector<double>(15, 0.98373))), 0);
  EXPECT_TRUE(std::isnan(variance_between(Scores{{1}, {2}}))) << "one seed says nothing about luck";
}

}  // namespace
}  // namespace exarch
