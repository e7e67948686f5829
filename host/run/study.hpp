// A study: many searches of many agents, as a plan has them, into a store of their own.
//
//   const StudySpec spec = resolve_study(StudyPlan::from_toml(text, "my_plan.toml"));
//   Observer quiet;
//   run_study(spec, std::make_shared<LocalExecutor>(), "study.db", quiet);
//   const StudyStore store(std::filesystem::path("study.db"));
//   const StudySummary summary = summarise(store, spec.plan.seconds);
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/execute/evaluator.hpp"
#include "host/run/observer.hpp"
#include "host/run/problem.hpp"
#include "host/study/plan.hpp"
#include "host/study/study.hpp"

namespace exarch {

// A plan with everything it names, before anything runs.
struct StudySpec {
  StudyPlan plan;
  Problem problem;                  // its objectives are the plan's
  std::vector<Objective> reported;  // (objective) by what else the best design of a search is priced; or empty
  EvaluatorOptions evaluation{};
  std::string truth{};  // the store of the truth, for a plan whose costs come from one; made or continued

  [[nodiscard]] std::size_t problems() const {
    return problem.workloads.size() * problem.objectives.size();
  }  // (workload, objective)
};

// Looks up what a plan names. UsageError or Error for whatever the plan has wrong, with file and line where the plan has one.
[[nodiscard]] StudySpec resolve_study(StudyPlan plan);
// Loads its workloads, with the same care about errors.
[[nodiscard]] Workloads load_workloads(const StudySpec& spec, Observer& observer);

struct StudyReport {
  double seconds = 0;
  std::vector<double> agent_seconds;  // (agent of the plan) of this process
};

// Runs what the store lacks; the truth first, if the plan wants one. UsageError, Error, Cancelled.
StudyReport run_study(const StudySpec& spec, const std::shared_ptr<Executor>& executor, const std::string& store,
                      Observer& observer);

// What a study would take.
struct StudyEstimate {
  StudySize size;
  std::vector<StudySize> agents;   // (agent of the plan)
  std::uint64_t truth_points = 0;  // evaluations that the truth takes; 0: there is one, or none is needed
  double agent_seconds = 0;        // of the agents, on so many threads as the executor has
  double simulation_seconds = 0;   // of the truth, or at most of all simulations
};

// Runs samples, so that figures of time differ each time.
[[nodiscard]] StudyEstimate estimate_study(const StudySpec& spec, const std::shared_ptr<Executor>& executor, Observer& observer);

}  // namespace exarch
