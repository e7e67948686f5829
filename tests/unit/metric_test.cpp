// What an objective promises: lower cost is what the user asked for, infeasible designs never win, and every other text is
// refused with the nearest name.
#include "host/metric/metric.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "host/error.hpp"

namespace exarch {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

const std::vector<MetricInfo> kMetrics = {
    {"time", "ps", "total time"}, {"energy", "pJ", "total energy"}, {"power", "mW", "average power"}};
const std::vector<std::pair<std::string, std::string>> kPresets = {
    {"latency", "min:time"}, {"edp", "time * energy"}, {"cool", "min:time, power <= 3"}};

Objective parse(const std::string& text) {
  return Objective::parse(text, kMetrics, kPresets);
}

Score score(const std::string& text, std::vector<double> metrics) {
  return parse(text).score(metrics, true);
}

std::string error_of(const std::string& text) {
  try {
    (void)parse(text);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "(no error)";
}

TEST(Objective, MinimisesAndMaximisesProducts) {
  EXPECT_EQ(score("time", {2, 3, 5}).cost, 2);
  EXPECT_EQ(score("min:time", {2, 3, 5}).cost, 2);
  EXPECT_EQ(score("max:time", {2, 3, 5}).cost, -2);
  EXPECT_EQ(score("max:time", {2, 3, 5}).value, 2);
  EXPECT_DOUBLE_EQ(score("min:time^2*energy^-1", {4, 8, 5}).cost, 2);
  EXPECT_DOUBLE_EQ(score("time^0.5", {16, 0, 0}).value, 4);
  EXPECT_DOUBLE_EQ(score("time^1e1 * energy", {2, 3, 0}).value, 3072);
}

TEST(Objective, PresetsStandForTheirExpression) {
  EXPECT_EQ(parse("latency").text(), "min:time");
  EXPECT_EQ(parse(" edp , power<=4").text(), "time*energy,power<=4");
  EXPECT_EQ(score("edp, power <= 4", {2, 3, 4}).cost, 6);
  EXPECT_EQ(score("edp, power <= 4", {2, 3, 5}).cost, kInfinity);
  EXPECT_EQ(score("cool, energy>=1", {2, 0.5, 1}).cost, kInfinity);
  EXPECT_EQ(score("cool, energy>=1", {2, 1, 3}).cost, 2);
}

TEST(Objective, TextParsesBackToTheSameObjective) {
  const Objective objective = parse("cool,energy>=1");
  EXPECT_EQ(parse(objective.text()).text(), objective.text());
}

TEST(Objective, TargetsRewardTheDistance) {
  EXPECT_DOUBLE_EQ(score("target:power=1", {0, 0, 3}).value, 0.5);
  EXPECT_DOUBLE_EQ(score("target:power=1", {0, 0, 3}).cost, -0.5);
  EXPECT_DOUBLE_EQ(score("target: power=1 * time=10", {5, 0, 3}).value, 0.5 * 2);
  EXPECT_EQ(score("target:power=1", {0, 0, 1}).value, Objective::kRewardCap);
  EXPECT_EQ(score("target:power=1", {0, 0, std::nextafter(1.0, 2)}).value, Objective::kRewardCap);
  // Hitting one target does not hide the other.
  EXPECT_LT(score("target:power=1*time=10", {11, 0, 1}).cost, score("target:power=1*time=10", {15, 0, 1}).cost);
}

TEST(Objective, ConstraintsIncludeTheirBound) {
  EXPECT_EQ(score("time,power<=5", {2, 3, 5}).cost, 2);
  EXPECT_EQ(score("time,power>=5", {2, 3, 5}).cost, 2);
  EXPECT_EQ(score("time,power<=4.9", {2, 3, 5}).cost, kInfinity);
  EXPECT_EQ(score("time,power>=-1,energy<=2", {2, 3, 5}).cost, kInfinity);
  EXPECT_EQ(score("max:time,power<=4", {2, 3, 5}).cost, kInfinity);
  EXPECT_EQ(score("max:time,power<=4", {2, 3, 5}).value, 2);
}

TEST(Objective, WhatCannotBeReadCostsInfinity) {
  const Objective objective = parse("max:time,power<=4");
  EXPECT_EQ(objective.score(std::vector<double>{2, 3, 1}, false).cost, kInfinity);
  for (const double bad : {kNaN, kInfinity, -kInfinity}) {
    EXPECT_EQ(objective.score(std::vector<double>{bad, 3, 1}, true).cost, kInfinity);
    EXPECT_EQ(objective.score(std::vector<double>{2, 3, bad}, true).cost, kInfinity);
    EXPECT_EQ(objective.score(std::vector<double>{2, bad, 1}, true).cost, -2);  // not asked for
  }
  EXPECT_EQ(score("time^-1", {0, 0, 0}).cost, kInfinity);
  EXPECT_EQ(score("max:time^-1", {0, 0, 0}).cost, kInfinity);
  EXPECT_EQ(score("max:time^2", {1e200, 0, 0}).cost, kInfinity);
  EXPECT_EQ(score("time^0.5", {-1, 0, 0}).cost, kInfinity);
}

TEST(Objective, EverythingElseIsRefused) {
  EXPECT_NE(error_of("tme").find("unknown metric 'tme' (did you mean 'time'?)"), std::string::npos);
  EXPECT_NE(error_of("latencyy").find("did you mean 'latency'?"), std::string::npos);
  EXPECT_NE(error_of("qqqqqqqqq").find("metrics and presets are time, energy, power, latency"), std::string::npos);
  EXPECT_NE(error_of("time,pwer<=3").find("did you mean 'power'?"), std::string::npos);
  EXPECT_NE(error_of("time^").find("expected a number, found ''"), std::string::npos);
  EXPECT_NE(error_of("time,power<=x").find("expected a number, found 'x'"), std::string::npos);
  EXPECT_NE(error_of("target:time").find("a target is written metric=number"), std::string::npos);
  EXPECT_NE(error_of("target:time=0").find("greater than 0"), std::string::npos);
  EXPECT_NE(error_of("time,power<3").find("a constraint is written"), std::string::npos);
  for (const char* text :
       {"",         "min:",         "max:",       "target:", "time*",         "*time",           "time,",       "time,,power<=1",
        "time^inf", "time^nan",     "time^2^3",   "time=3",  "target:time^2", "target:time=1=2", "min:latency", "time,power",
        "time,<=3", "min:max:time", "time;power", "time^1x"}) {
    EXPECT_NE(error_of(text), "(no error)") << text;
  }
}

}  // namespace
}  // namespace exarch
