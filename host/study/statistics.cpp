#include "host/study/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/core/philox.hpp"

namespace exarch {
namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

double normalised_score(double cost, double optimum) {
  if (!std::isfinite(cost)) return 0;
  if (cost == optimum) return 1;
  if (std::signbit(cost) != std::signbit(optimum)) return 0;
  const double a = std::abs(cost), b = std::abs(optimum);
  return std::min(a, b) / std::max(a, b);
}

double relative_regret(double cost, double optimum) {
  if (cost == optimum) return 0;  // both finite: an optimum is
  return optimum == 0 ? std::numeric_limits<double>::infinity() : (cost - optimum) / std::abs(optimum);
}

double quantile(std::span<const double> ascending, double q) {
  const double place = q * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const double fraction = place - static_cast<double>(below);
  const double above = ascending[std::min(below + 1, ascending.size() - 1)];
  if (fraction == 0 || ascending[below] == above) return ascending[below];
  return ascending[below] + (above - ascending[below]) * fraction;
}

BoxPlot box_plot(std::vector<double>& values) {
  std::ranges::sort(values);
  return {quantile(values, 0.05), quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75),
          quantile(values, 0.95), values.front(),         values.back(),         mean_of(values)};
}

double interquartile_mean(std::span<const double> ascending) {
  const std::size_t cut = ascending.size() / 4;
  return mean_of(ascending.subspan(cut, ascending.size() - 2 * cut));
}

Aggregate aggregate_iqm(Strata strata, std::uint64_t seed, std::size_t resamples) {
  std::vector<double> all;
  for (const std::vector<double>& stratum : strata) all.insert(all.end(), stratum.begin(), stratum.end());
  std::ranges::sort(all);
  const double mean = interquartile_mean(all);
  // Sorting each resample would cost more than all searches did: runs are drawn by their places in the sorted scores, counted,
  // and the middle half summed from the counts.
  std::vector<std::vector<std::uint32_t>> places;  // (stratum, run)
  for (const std::vector<double>& stratum : strata) {
    std::vector<std::uint32_t>& place = places.emplace_back();
    for (const double score : stratum) {
      place.push_back(static_cast<std::uint32_t>(std::ranges::lower_bound(all, score) - all.begin()));
    }
  }
  const std::size_t cut = all.size() / 4;
  std::vector<double> means;
  std::vector<std::uint32_t> count(all.size());
  for (std::size_t resample = 0; resample < resamples; ++resample) {
    std::ranges::fill(count, 0);
    for (std::size_t s = 0; s < places.size(); ++s) {
      PhiloxStream draws(seed, static_cast<std::uint32_t>(resample), static_cast<std::uint32_t>(s), 0);
      const auto runs = static_cast<std::uint32_t>(places[s].size());
      for (std::uint32_t run = 0; run < runs; ++run) ++count[places[s][draws.below(runs)]];
    }
    double sum = 0;
    std::size_t seen = 0;
    for (std::size_t place = 0; place < all.size(); ++place) {
      const std::size_t first = std::max(seen, cut), last = std::min(seen + count[place], all.size() - cut);
      if (first < last) sum += static_cast<double>(last - first) * all[place];
      seen += count[place];
    }
    means.push_back(sum / static_cast<double>(all.size() - 2 * cut));
  }
  std::ranges::sort(means);
  return {mean, means.empty() ? Interval{mean, mean} : Interval{quantile(means, 0.025), quantile(means, 0.975)}};
}

std::vector<double> performance_profile(Strata strata, std::span<const double> thresholds) {
  std::vector<double> profile(thresholds.size());
  for (const std::vector<double>& stratum : strata) {
    std::vector<double> sorted = stratum;
    std::ranges::sort(sorted);
    for (std::size_t t = 0; t < thresholds.size(); ++t) {
      const auto reached = sorted.end() - std::ranges::lower_bound(sorted, thresholds[t]);
      profile[t] += static_cast<double>(reached) / static_cast<double>(sorted.size());
    }
  }
  for (double& share : profile) share /= static_cast<double>(strata.size());
  return profile;
}

double probability_of_improvement(Strata a, Strata b) {
  double sum = 0;
  for (std::size_t s = 0; s < a.size(); ++s) {
    std::vector<double> sorted = b[s];
    std::ranges::sort(sorted);
    double wins = 0;
    for (const double score : a[s]) {
      const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), score);
      wins += static_cast<double>(first - sorted.begin()) + 0.5 * static_cast<double>(last - first);
    }
    sum += wins / (static_cast<double>(a[s].size()) * static_cast<double>(sorted.size()));
  }
  return sum / static_cast<double>(a.size());
}

double variance_between(Strata groups) {
  const double shift = groups[0][0];  // equal scores must give sums of exact zeros
  double sum = 0, size = 0;
  for (const std::vector<double>& group : groups) {
    for (const double score : group) sum += score - shift;
    size += static_cast<double>(group.size());
  }
  const double mean = shift + sum / size, number = static_cast<double>(groups.size());
  if (size <= number) return std::numeric_limits<double>::quiet_NaN();
  double between = 0, all = 0;
  for (const std::vector<double>& group : groups) {
    double of_group = 0;
    for (const double score : group) of_group += score - shift;
    of_group = shift + of_group / static_cast<double>(group.size());
    between += static_cast<double>(group.size()) * (of_group - mean) * (of_group - mean);
    for (const double score : group) all += (score - mean) * (score - mean);
  }
  if (!(all > 0)) return 0;
  const double by_chance = (number - 1) * std::max(0.0, all - between) / (size - number);
  return std::clamp((between - by_chance) / all, 0.0, 1.0);
}

}  // namespace exarch
