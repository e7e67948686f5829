#include "host/study/summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "host/error.hpp"
#include "host/metric/metric.hpp"

namespace exarch {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kThresholds = 100;

// The runs of an agent at one population under one problem.
struct Gathered {
  std::vector<std::vector<float>> score;            // (checkpoint, run)
  std::vector<std::vector<double>> regret;          // (checkpoint, run)
  std::vector<std::vector<double>> regret_in_time;  // (second, run)
  std::vector<double> evaluations_to_optimum, generations_to_optimum, seconds_to_optimum;
  std::vector<double> rates;  // (configuration)
  std::uint64_t runs = 0;
};

// Cells of an agent under one problem, in the order of its configurations.
struct AgentCells {
  std::vector<std::uint32_t> configurations;
  std::vector<std::vector<double>> scores;  // (configuration, seed)
  std::vector<double> reported;             // (run) scores
  std::map<std::uint64_t, Gathered> by_population;
  std::uint64_t evaluations = 0, found = 0;
};

double median_of(std::vector<double> values) {
  if (values.empty()) return kNaN;
  std::ranges::sort(values);
  return quantile(values, 0.5);
}

std::vector<std::uint64_t> checkpoints_to(std::uint64_t largest) {
  std::vector<std::uint64_t> points;
  for (std::uint64_t n = 10; n < largest; n *= 10) {
    points.push_back(n);
    if (3 * n < largest) points.push_back(3 * n);
  }
  points.push_back(largest);
  return points;
}

// The best cost of a cell's run after so many evaluations.
double best_after(const StoredCell& cell, std::size_t first, std::size_t count, std::uint64_t evaluations) {
  const auto begin = cell.evaluation.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = begin + static_cast<std::ptrdiff_t>(count);
  const auto later = std::upper_bound(begin, end, evaluations);
  return later == begin ? kInfinity : cell.cost[static_cast<std::size_t>(later - cell.evaluation.begin()) - 1];
}

// Evaluations told after so many seconds by a clock; and seconds after so many evaluations, behind the clock's end at its mean
// pace.
double evaluations_at(const StoredClock& clock, double seconds) {
  const auto later = std::ranges::upper_bound(clock.seconds, seconds);
  if (later == clock.seconds.begin()) return 0;
  return clock.evaluations[static_cast<std::size_t>(later - clock.seconds.begin()) - 1];
}
double seconds_at(const StoredClock& clock, double evaluations) {
  const auto reached = std::ranges::lower_bound(clock.evaluations, evaluations);
  if (reached != clock.evaluations.end()) return clock.seconds[static_cast<std::size_t>(reached - clock.evaluations.begin())];
  const double last = clock.evaluations.back();
  return last > 0 ? clock.seconds.back() * evaluations / last : kInfinity;
}

class Summariser {
 public:
  Summariser(const StudyStore& store, const std::vector<double>& seconds) : store_(store) {
    summary_.seconds = seconds;
    std::uint64_t largest = 0;
    for (const StoredConfiguration& c : store.configurations()) {
      largest = std::max(largest, c.evaluations);
      if (summary_.agents.empty() || summary_.agents.back().label != c.label) {
        summary_.agents.push_back({.label = c.label, .agent = c.agent, .seeds = c.seeds});
      }
      ++summary_.agents.back().configurations;
      agent_of_.push_back(summary_.agents.size() - 1);
    }
    summary_.checkpoints = checkpoints_to(largest);
    for (int i = 0; i <= kThresholds; ++i) summary_.thresholds.push_back(static_cast<double>(i) / kThresholds);
  }

  StudySummary take(std::uint64_t bootstrap_seed) {
    const std::uint64_t cells = store_.cell_count(), all = store_.configurations().size() * store_.problems().size();
    if (cells < all) {
      throw Error(store_.file().path() + ": the study has " + std::to_string(cells) + " of its " + std::to_string(all) +
                  " cells; give the command that made it again to continue it");
    }
    find_best();
    for (AgentSummary& agent : summary_.agents) agent.runs = agent.configurations * agent.seeds * summary_.problems.size();
    cells_.assign(summary_.agents.size(), std::vector<AgentCells>(summary_.problems.size()));
    store_.for_each_cell([this](std::uint32_t c, std::uint32_t p, const StoredCell& cell) {
      const auto problem = std::ranges::find(summary_.problems, p, &StudySummary::Problem::stored);
      if (problem != summary_.problems.end()) gather(c, static_cast<std::size_t>(problem - summary_.problems.begin()), cell);
      return true;
    });
    for (std::size_t a = 0; a < summary_.agents.size(); ++a) {
      for (std::size_t p = 0; p < summary_.problems.size(); ++p) {
        summary_.agents[a].problems.push_back(summarise(cells_[a][p]));
        summary_.agents[a].evaluations += cells_[a][p].evaluations;
      }
    }
    compare(bootstrap_seed);
    count_wins();
    return std::move(summary_);
  }

 private:
  // What to normalise by is known only after all cells were seen.
  void find_best() {
    const std::size_t problems = store_.problems().size();
    std::vector<double> best(problems, kInfinity), best_reported(problems, kInfinity);
    store_.for_each_cell([&](std::uint32_t, std::uint32_t p, const StoredCell& cell) {
      for (const double cost : cell.cost) best[p] = std::min(best[p], cost);
      for (const double cost : cell.reported) best_reported[p] = std::min(best_reported[p], cost);
      return true;
    });
    for (std::uint32_t p = 0; p < problems; ++p) {
      const StoredProblem& problem = store_.problems()[p];
      // Where there is an optimum, to see nothing feasible is to score nothing; where nobody knows of one, it says nothing.
      if (!std::isfinite(best[p]) && !problem.exact) continue;
      StudySummary::Problem& summary = summary_.problems.emplace_back();
      summary.stored = p;
      summary.best_seen = best[p];
      summary.optimum = problem.exact ? problem.optimum : best[p];
      summary.best_score = normalised_score(best[p], summary.optimum);
      if (!problem.reported_as.empty()) summary.reported_optimum = problem.reported_optimum.value_or(best_reported[p]);
    }
    if (summary_.problems.empty()) throw Error(store_.file().path() + ": no search saw a feasible design");
  }

  void gather(std::uint32_t c, std::size_t p, const StoredCell& cell) {
    const StoredConfiguration& configuration = store_.configurations()[c];
    const StudySummary::Problem& problem = summary_.problems[p];
    AgentCells& cells = cells_[agent_of_[c]][p];
    cells.configurations.push_back(c);
    std::vector<double>& scores = cells.scores.emplace_back();
    Gathered& gathered = cells.by_population[configuration.population];
    gathered.score.resize(summary_.checkpoints.size());
    gathered.regret.resize(summary_.checkpoints.size());
    gathered.regret_in_time.resize(summary_.seconds.size());
    const auto clock = summary_.seconds.empty() ? std::nullopt : store_.clock(c, problem.stored);
    if (!summary_.seconds.empty() && !clock) {
      throw Error(store_.file().path() + ": times are still missing; give the command that made it again to continue it");
    }
    if (clock) gathered.rates.push_back(clock->evaluations.back() / clock->seconds.back());
    std::size_t first = 0;
    for (std::size_t seed = 0; seed < cell.improvements.size(); ++seed) {
      const std::size_t count = cell.improvements[seed];
      const double best = count == 0 ? kInfinity : cell.cost[first + count - 1];
      scores.push_back(normalised_score(best, problem.optimum));
      cells.evaluations += cell.requested[seed];
      if (!cell.reported.empty()) cells.reported.push_back(normalised_score(cell.reported[seed], *problem.reported_optimum));
      for (std::size_t k = 0; k < summary_.checkpoints.size(); ++k) {
        if (cell.requested[seed] < summary_.checkpoints[k]) break;
        const double at = best_after(cell, first, count, summary_.checkpoints[k]);
        gathered.score[k].push_back(static_cast<float>(normalised_score(at, problem.optimum)));
        gathered.regret[k].push_back(relative_regret(at, problem.optimum));
      }
      const bool found = best <= problem.optimum;
      cells.found += found ? 1 : 0;
      const double evaluations = found ? cell.evaluation[first + count - 1] : kInfinity;
      gathered.evaluations_to_optimum.push_back(evaluations);
      gathered.generations_to_optimum.push_back(found ? std::ceil(evaluations / static_cast<double>(configuration.population))
                                                      : kInfinity);
      if (clock) {
        gathered.seconds_to_optimum.push_back(found ? seconds_at(*clock, evaluations) : kInfinity);
        for (std::size_t s = 0; s < summary_.seconds.size(); ++s) {
          const auto reached = static_cast<std::uint64_t>(evaluations_at(*clock, summary_.seconds[s]));
          gathered.regret_in_time[s].push_back(relative_regret(best_after(cell, first, count, reached), problem.optimum));
        }
      }
      ++gathered.runs;
      first += count;
    }
  }

  [[nodiscard]] AgentOnProblem summarise(AgentCells& cells) const {
    AgentOnProblem result{};
    std::vector<double> all;
    double best_mean = -1, worst_mean = kInfinity;
    for (std::size_t i = 0; i < cells.scores.size(); ++i) {
      std::vector<double> scores = cells.scores[i];
      all.insert(all.end(), scores.begin(), scores.end());
      const BoxPlot box = box_plot(scores);
      if (box.mean > best_mean) {
        best_mean = box.mean;
        result.best_configuration = cells.configurations[i];
        result.best = box;
      }
      if (box.mean < worst_mean) {
        worst_mean = box.mean;
        result.worst_configuration = cells.configurations[i];
        result.worst = box;
      }
    }
    result.between_configurations = variance_between(cells.scores);
    result.score = box_plot(all);
    result.iqm = interquartile_mean(all);
    result.found = static_cast<double>(cells.found) / static_cast<double>(all.size());
    if (!cells.reported.empty()) result.reported = box_plot(cells.reported);
    for (std::size_t k = 0; k < summary_.checkpoints.size(); ++k) {
      std::vector<double> scores;
      for (const auto& [population, gathered] : cells.by_population) {
        scores.insert(scores.end(), gathered.score[k].begin(), gathered.score[k].end());
      }
      const double share = static_cast<double>(scores.size()) / static_cast<double>(all.size());
      if (scores.empty()) {
        result.curve.push_back({kNaN, kNaN, kNaN, kNaN, 0});
        continue;
      }
      std::ranges::sort(scores);
      result.curve.push_back(
          {quantile(scores, 0.25), quantile(scores, 0.5), quantile(scores, 0.75), interquartile_mean(scores), share});
    }
    if (cells.by_population.size() > 1 || !summary_.seconds.empty()) {
      for (const auto& [population, gathered] : cells.by_population)
        result.populations.push_back(summarise(population, gathered));
    }
    return result;
  }

  [[nodiscard]] static PopulationSummary summarise(std::uint64_t population, const Gathered& gathered) {
    PopulationSummary result{.population = population, .runs = gathered.runs};
    for (const auto& regrets : gathered.regret) result.regret.push_back(median_of(regrets));
    for (const auto& regrets : gathered.regret_in_time) {
      if (!regrets.empty()) result.regret_in_time.push_back(median_of(regrets));
    }
    const auto& evaluations = gathered.evaluations_to_optimum;
    result.found = static_cast<double>(std::ranges::count_if(evaluations, [](double e) { return std::isfinite(e); })) /
                   static_cast<double>(evaluations.size());
    result.evaluations_to_optimum = median_of(evaluations);
    result.generations_to_optimum = median_of(gathered.generations_to_optimum);
    result.seconds_to_optimum = median_of(gathered.seconds_to_optimum);
    result.evaluations_per_second = median_of(gathered.rates);
    return result;
  }

  // (problem, run) scores of an agent.
  [[nodiscard]] std::vector<std::vector<double>> strata_of(std::size_t a) const {
    std::vector<std::vector<double>> strata;
    for (const AgentCells& cells : cells_[a]) {
      std::vector<double>& stratum = strata.emplace_back();
      for (const auto& scores : cells.scores) stratum.insert(stratum.end(), scores.begin(), scores.end());
    }
    return strata;
  }

  void compare(std::uint64_t bootstrap_seed) {
    std::vector<std::vector<std::vector<double>>> strata;
    for (std::size_t a = 0; a < summary_.agents.size(); ++a) strata.push_back(strata_of(a));
    for (std::size_t a = 0; a < summary_.agents.size(); ++a) {
      AgentSummary& agent = summary_.agents[a];
      agent.iqm = aggregate_iqm(strata[a], bootstrap_seed);
      agent.profile = performance_profile(strata[a], summary_.thresholds);
      for (const auto& other : strata) agent.improvement.push_back(probability_of_improvement(strata[a], other));
    }
  }

  void count_wins() {
    const std::size_t agents = summary_.agents.size(), problems = summary_.problems.size();
    std::uint64_t seeds = 0;
    for (const AgentSummary& agent : summary_.agents) seeds = std::max(seeds, agent.seeds);
    std::vector<double> best(agents), median(agents), column;
    for (std::size_t p = 0; p < problems; ++p) {
      for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        for (std::size_t a = 0; a < agents; ++a) {
          column.clear();
          for (const auto& scores : cells_[a][p].scores) column.push_back(scores[seed % scores.size()]);
          std::ranges::sort(column);
          best[a] = column.back();
          median[a] = quantile(column, 0.5);
        }
        const double share = 1 / static_cast<double>(problems * seeds);
        share_win(best, share, &AgentSummary::wins_by_best);
        share_win(median, share, &AgentSummary::wins_by_median);
      }
    }
  }

  void share_win(const std::vector<double>& values, double share, double AgentSummary::*wins) {
    const double top = std::ranges::max(values);
    const auto winners = static_cast<double>(std::ranges::count(values, top));
    for (std::size_t a = 0; a < values.size(); ++a) {
      if (values[a] == top) summary_.agents[a].*wins += share / winners;
    }
  }

  const StudyStore& store_;
  StudySummary summary_;
  std::vector<std::size_t> agent_of_;           // (configuration)
  std::vector<std::vector<AgentCells>> cells_;  // (agent, problem)
};

}  // namespace

StudySummary summarise(const StudyStore& store, const std::vector<double>& seconds, std::uint64_t bootstrap_seed) {
  return Summariser(store, seconds).take(bootstrap_seed);
}

}  // namespace exarch
