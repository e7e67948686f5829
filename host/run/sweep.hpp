// A sweep: every point of a space, or a random sample of it, on each workload.
//
//   SweepSpec spec(problem);
//   spec.keep = 10;                                    // the ten best by problem.objectives[0], and the Pareto front
//   Observer quiet;
//   const SweepReport report = run_sweep(spec, std::make_shared<LocalExecutor>(), "", quiet);
//   for (const KeptDesign& kept : report.kept[0]) use(kept.design, kept.metrics);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/execute/evaluator.hpp"
#include "host/run/observer.hpp"
#include "host/run/problem.hpp"

namespace exarch {

inline constexpr std::uint64_t kMostPoints = std::uint64_t{1} << 40;  // of a sweep: weeks of evaluations

struct SweepSpec {
  explicit SweepSpec(Problem about) : problem(std::move(about)) {}

  Problem problem;
  std::uint64_t sample = 0;  // how many points are drawn uniformly, with repetition; 0: every point, in order
  std::uint64_t seed = 1;    // of the sample
  // What is kept: 0: everything. Else so many of the best by the problem's first objective, and the Pareto front of the
  // environment's trade-offs.
  std::size_t keep = 0;
  EvaluatorOptions evaluation{};
  std::string asked_for{};  // the objective that a truth is made for; noted in the store, which is later looked at by it
};

// A design that was worth keeping.
struct KeptDesign {
  std::uint64_t candidate;  // its number in the sweep
  Design design;
  double cost;
  std::vector<double> metrics;
  std::vector<std::uint64_t> counters;
};

struct SweepReport {
  std::uint64_t requested = 0, simulated = 0;  // by this call
  double seconds = 0;
  std::vector<std::string> warnings;  // of the workloads
  // (workload) What is worth keeping, in the order of the sweep: of a sweep that keeps the best, into no store.
  std::vector<std::vector<KeptDesign>> kept;
};

// Sweeps into a store, which is made or continued; "": none, and Observer::on_results() has the results. UsageError for a spec
// that makes no sense, Error for a store of another run and whatever else goes wrong, Cancelled.
//
// The report and the store depend on the spec only, not on the executor, and not on how often the sweep was ended and continued.
SweepReport run_sweep(const SweepSpec& spec, const std::shared_ptr<Executor>& executor, const std::string& store,
                      Observer& observer);

}  // namespace exarch
