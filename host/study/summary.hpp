// What a study says: scores of agents over their configurations and seeds, how much of it is luck, curves over budgets, and what
// population size does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/study/statistics.hpp"
#include "host/study/study_store.hpp"

namespace exarch {

// Medians over runs at one population size, all other settings of the agent taken together.
struct PopulationSummary {
  std::uint64_t population = 0, runs = 0;
  std::vector<double> regret{};          // (checkpoint) median relative regret of the runs that made so many evaluations
  std::vector<double> regret_in_time{};  // (second of the plan) the same after that time; empty without clocks
  double found = 0;                      // share of runs that reached the optimum
  double evaluations_to_optimum = 0;     // median over all runs, +infinity where fewer than half found it
  double generations_to_optimum = 0;     // the same
  double seconds_to_optimum = 0;         // the same, by the clocks; NaN without
  double evaluations_per_second = 0;     // of the clocks; NaN without
};

// One agent (a label of the plan) under one problem.
struct AgentOnProblem {
  BoxPlot score;                  // of all runs: normalised by the optimum
  double iqm = 0;                 // interquartile mean of the same
  double found = 0;               // share of runs that reached the optimum
  double between_configurations;  // share of the score's variance; the rest is among seeds
  // The configurations with the highest and the lowest mean score, and their scores over seeds.
  std::uint32_t best_configuration = 0, worst_configuration = 0;
  BoxPlot best, worst;
  std::optional<BoxPlot>
      reported;  // of the best designs by the problem's other objective, normalised by its optimum or best seen
  // After so many evaluations, of the runs that made so many.
  struct AtBudget {
    double lower_quartile, median, upper_quartile, iqm;  // NaN without such runs
    double runs;                                         // share of all runs
  };
  std::vector<AtBudget> curve;                 // (checkpoint) scores
  std::vector<PopulationSummary> populations;  // ascending; empty for an agent with one size, unless there are clocks
};

struct AgentSummary {
  std::string label, agent;
  std::uint64_t configurations = 0, seeds = 0, runs = 0, evaluations = 0;
  std::vector<AgentOnProblem> problems{};
  Aggregate iqm{};                              // over all problems
  std::vector<double> profile{};                // (threshold) share of runs
  std::vector<double> improvement{};            // (agent) probability of scoring more than that agent
  double wins_by_best = 0, wins_by_median = 0;  // see StudySummary
};

struct StudySummary {
  struct Problem {
    std::uint32_t stored;  // which of the store's
    double optimum;        // what scores are normalised by: the optimum, or the best seen where nobody knows it
    double best_seen;      // by cost; +infinity: nothing feasible
    double best_score;     // normalised_score(best_seen, optimum)
    std::optional<double> reported_optimum;
  };
  // Without those whose optimum nobody knows and for which no search saw a feasible design; nothing else is about them either.
  std::vector<Problem> problems;
  std::vector<AgentSummary> agents;
  std::vector<std::uint64_t> checkpoints;  // 10, 30, 100, ... up to the largest number of evaluations
  std::vector<double> thresholds;          // of the performance profile
  std::vector<double> seconds;             // of the plan
};

// Of a finished study; Error for one that lacks cells, or in which no search saw a feasible design. `seconds` as in the plan.
//
// wins_by_best: had everybody run each configuration once, with one seed, and compared agents by their best configuration: in
// what share of such comparisons (problem, seed) this agent would have won; agents that tie share the win. wins_by_median: the
// same by the median configuration. (An agent with fewer seeds repeats them.)
[[nodiscard]] StudySummary summarise(const StudyStore& store, const std::vector<double>& seconds,
                                     std::uint64_t bootstrap_seed = 1);

}  // namespace exarch
