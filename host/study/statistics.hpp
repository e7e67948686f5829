// Statistics of repeated searches: quartiles, interquartile means with bootstrap intervals, performance profiles, probability of
// improvement. As Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (NeurIPS 2021), define
// them: a score is what a run reached (higher is better), a stratum the runs of one problem.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace exarch {

// How good a cost is beside the optimum's: 1 = as good, towards 0 = worse; 0 for an infinite cost. For a maximised objective this
// is value / optimum (ArchGym's normalised reward), for a minimised one optimum / value. Costs of different signs score 0.
[[nodiscard]] double normalised_score(double cost, double optimum);

// How much more than the optimum's a cost is, over the optimum's magnitude; 0 at the optimum, +infinity where that has no
// meaning.
[[nodiscard]] double relative_regret(double cost, double optimum);

// The q-quantile (0 to 1) of ascending numbers, at least one, between neighbours in proportion; infinite where only one of them
// is finite.
[[nodiscard]] double quantile(std::span<const double> ascending, double q);

struct BoxPlot {
  double low, lower_quartile, median, upper_quartile, high;  // low and high: the 5th and 95th percentile
  double minimum, maximum, mean;
};
// Sorts `values`, at least one.
[[nodiscard]] BoxPlot box_plot(std::vector<double>& values);

// Mean of the middle half of ascending scores; of fewer than four, the mean of all.
[[nodiscard]] double interquartile_mean(std::span<const double> ascending);

struct Interval {
  double low, high;
};

using Strata = std::span<const std::vector<double>>;  // (stratum, run) scores; no stratum is empty

// The interquartile mean over all strata, and its 95 % interval by the percentile bootstrap: `resamples` times, as many runs are
// drawn from each stratum as it has. The same seed gives the same interval.
struct Aggregate {
  double mean;
  Interval interval;
};
[[nodiscard]] Aggregate aggregate_iqm(Strata strata, std::uint64_t seed, std::size_t resamples = 1000);

// (threshold) share of runs that score at least so much, the mean over strata.
[[nodiscard]] std::vector<double> performance_profile(Strata strata, std::span<const double> thresholds);

// The probability that a run of `a` scores more than one of `b` on the same problem, a tie being half of it: the mean over strata
// (Mann-Whitney U). The strata of both are the same problems in the same order.
[[nodiscard]] double probability_of_improvement(Strata a, Strata b);

// Share of the variance of scores that groups (configurations) explain beyond what chance would let them, the rest being among
// the runs of one (seeds): epsilon squared of a one-way analysis of variance (Kelley, 1935), from 0 to 1. 0 where all scores are
// equal; NaN where every group has one run, and nothing can be said.
[[nodiscard]] double variance_between(Strata groups);

}  // namespace exarch
