#include <algorithm>
#include <chrono>
#include <limits>

#include "host/run/study.hpp"
#include "host/run/truth.hpp"

namespace exarch {
namespace {

// The runs that evaluating a whole space on a workload takes, about, and the seconds of one on all threads.
struct RunEstimate {
  double runs, seconds_each;
};

// Asks random designs for half a second or so. A design of a class of n equal ones stands for 1 / n of a run, and n is about the
// product, over the parameters, of how many of a parameter's values leave the design in its class.
RunEstimate estimate_runs(const StudySpec& spec, std::shared_ptr<const Workload> workload,
                          const std::shared_ptr<Executor>& executor) {
  constexpr std::size_t kFewest = 16, kMost = 256;
  constexpr double kEnough = 0.5;
  const DesignSpace& space = spec.problem.space;
  const std::size_t parameters = space.dimensions();
  Evaluator evaluator(spec.problem.environment(), std::move(workload), executor, spec.evaluation);
  std::vector<Gene> genes(parameters), neighbour(parameters);
  std::vector<std::int64_t> design(parameters), line;  // the design, then its neighbours
  double seconds = 0, shares = 0;
  std::size_t asked = 0;
  for (; asked < kFewest || (asked < kMost && seconds < kEnough); ++asked) {
    random_genes(space, 1, asked, genes);
    space.design_of(genes, design);
    line = design;
    for (std::size_t p = 0; p < parameters; ++p) {
      neighbour = genes;
      for (neighbour[p] = 0; neighbour[p] < space.values(p).size(); ++neighbour[p]) {
        space.design_of(neighbour, design);
        line.insert(line.end(), design.begin(), design.end());
      }
    }
    const auto start = std::chrono::steady_clock::now();
    const std::vector<Evaluator::OutcomeId> ids = evaluator.evaluate(line);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    double share = 1;
    auto id = ids.begin() + 1;
    for (std::size_t p = 0; p < parameters; ++p) {
      const auto end = id + static_cast<std::ptrdiff_t>(space.values(p).size());
      share /= static_cast<double>(std::count(id, end, ids.front()));
      id = end;
    }
    shares += share;
  }
  return {shares / static_cast<double>(asked) * static_cast<double>(space.size()),
          seconds / static_cast<double>(evaluator.simulated())};
}

}  // namespace

StudyEstimate estimate_study(const StudySpec& spec, const std::shared_ptr<Executor>& executor, Observer& observer) {
  const StudyPlan& plan = spec.plan;
  (void)spec.problem.space.size();  // as run_study() will
  StudyEstimate estimate;
  estimate.size = size_of(plan, spec.problems());
  for (const AgentGrid& grid : plan.agents) {
    StudyPlan alone = plan;
    alone.agents = {grid};
    estimate.agents.push_back(size_of(alone, spec.problems()));
  }
  estimate.agent_seconds =
      static_cast<double>(spec.problems()) * estimate_agent_seconds(plan, spec.problem.space) / executor->pool().threads();
  const Workloads workloads = load_workloads(spec, observer);
  const bool truth_exists = plan.truth && !spec.truth.empty() && find_truth(spec.truth, spec.problem, workloads, observer);
  if (plan.truth && !truth_exists) estimate.truth_points = spec.problem.space.size() * workloads.size();
  if (plan.truth && estimate.truth_points == 0) return estimate;
  const double asked = plan.truth ? std::numeric_limits<double>::infinity()
                                  : static_cast<double>(estimate.size.evaluations) / static_cast<double>(workloads.size());
  for (const auto& workload : workloads) {
    const RunEstimate runs = estimate_runs(spec, workload, executor);
    estimate.simulation_seconds += std::min(runs.runs, asked) * runs.seconds_each;
  }
  return estimate;
}

}  // namespace exarch
