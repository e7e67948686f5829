// Many independent searches at once: agents of any kind, settings, seed, workload and objective.
//
// Searches advance together, the candidates they ask for joined into one batch, so that small populations fill a machine too.
// Each gives what it would give alone: an agent sees its own costs only, and a cost depends on the design only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agents/agent.hpp"
#include "host/execute/evaluator.hpp"
#include "host/study/truth.hpp"

namespace exarch {

// One search.
struct SearchTask {
  std::string agent;
  AgentOptions options;
  std::size_t problem = 0;        // which costs it minimises
  std::uint64_t budget = 0;       // evaluations after which it ends
  std::uint64_t generations = 0;  // asks after which it ends; 0: any number
};

// A new best cost of a search: the evaluation that found it, counted from 1.
struct Improvement {
  std::uint64_t evaluation;
  double cost;
  std::uint64_t point;
};

struct SearchRecord {
  std::vector<Improvement> improvements;  // in order; infeasible designs are none
  std::uint64_t requested = 0;            // evaluations, up to the budget

  // The best cost after so many evaluations; +infinity before the first feasible design.
  [[nodiscard]] double best_after(std::uint64_t evaluations) const;
};

// Where costs come from.
class Costs {
 public:
  virtual ~Costs() = default;
  // Costs of candidates under a problem: (candidate). Called by one thread at a time.
  virtual void cost(std::size_t problem, const GeneBatch& batch, std::span<double> costs) = 0;
};

// Simulates what is new: evaluators for workloads, problems as (workload, objective).
class SimulatedCosts final : public Costs {
 public:
  struct Problem {
    std::size_t workload;
    Objective objective;
  };
  SimulatedCosts(const Environment& environment, const DesignSpace& space,
                 std::span<const std::shared_ptr<const Workload>> workloads, std::vector<Problem> problems,
                 const std::shared_ptr<Executor>& executor, EvaluatorOptions options = {});
  void cost(std::size_t problem, const GeneBatch& batch, std::span<double> costs) override;

  [[nodiscard]] std::uint64_t requested() const;  // evaluations asked for, all searches together
  [[nodiscard]] std::uint64_t simulated() const;  // runs that were needed for them

 private:
  const DesignSpace& space_;
  std::vector<Problem> problems_;
  std::vector<std::unique_ptr<Evaluator>> evaluators_;  // (workload)
};

using SearchProgress = std::function<void(std::uint64_t evaluations)>;

// Runs all searches in lock-step. They are two teams: while the costs of one are computed, the other's agents are told theirs and
// asked again. `space` is the problems' design space. (search)
[[nodiscard]] std::vector<SearchRecord> search_in_lockstep(const DesignSpace& space, std::span<const SearchTask> searches,
                                                           Costs& costs, const SearchProgress& progress = {});

// The same where costs are known already: each search runs to its end by itself, on the pool's threads. (search)
[[nodiscard]] std::vector<SearchRecord> search_in_tables(const DesignSpace& space, std::span<const SearchTask> searches,
                                                         std::span<const Ranking> problems, ThreadPool& pool,
                                                         const SearchProgress& progress = {});

}  // namespace exarch
