// A search: an agent proposes designs, generation by generation, and is told what they cost.
//
//   SearchSpec spec(problem);
//   spec.agent = "ga";
//   spec.population = 256;
//   spec.generations = 20;
//   Observer quiet;
//   const SearchReport report = run_search(spec, std::make_shared<LocalExecutor>(), "run.db", quiet);
//   if (!report.best.empty()) use(report.best[0].design, report.best[0].metrics);
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agents/agent.hpp"
#include "host/execute/evaluator.hpp"
#include "host/run/observer.hpp"
#include "host/run/problem.hpp"

namespace exarch {

struct SearchSpec {
  explicit SearchSpec(Problem about) : problem(std::move(about)) {}

  Problem problem;  // one workload; several objectives for agents that take several
  std::string agent = "ga";
  // Makes an agent of a program's own; `agent` is then its name, by which a store knows it. Empty: one of agent_table().
  std::function<std::unique_ptr<Agent>(const DesignSpace&, const AgentOptions&)> make_own_agent{};
  std::map<std::string, std::string> agent_parameters{};
  std::size_t population = 1024;
  std::uint32_t generations = 50;
  std::uint64_t seed = 1;
  EvaluatorOptions evaluation{};
  std::size_t top = 5;  // best designs in the report, of one objective; of several, all of the front
  Design baseline{};    // what the best are compared with; empty: the environment's default design
};

// A design of the report with its result.
struct FoundDesign {
  Design design;
  std::uint8_t status;          // 0 = ok
  double cost;                  // by the first objective
  std::vector<double> values;   // by objective
  std::vector<double> metrics;  // of a failed run without meaning
  std::vector<std::uint64_t> counters;
  std::string artifact{};  // "" of a model without
};

// The design that breaks a constraint least, and by how much; 0: some design meets it.
struct ClosestDesign {
  double excess;
  Design design;
};

struct SearchReport {
  std::shared_ptr<const Workload> workload;
  std::uint32_t generations = 0;               // in all, those of earlier processes included
  std::uint64_t requested = 0, simulated = 0;  // the same; without the baseline
  std::uint64_t judged = 0, infeasible = 0;    // candidates, the same
  std::map<std::string, std::uint64_t>
      reasons;  // why candidates do not count, or count though the environment doubts them: how many
  std::map<std::string, ClosestDesign> closest;  // by constraint
  // Of this process.
  double seconds = 0, agent_seconds = 0, evaluation_seconds = 0, store_seconds = 0;
  FoundDesign baseline{};
  std::vector<FoundDesign> best;  // best first; of several objectives the Pareto front of what was seen, by the first objective
};

// Searches into a store, which is made or continued; "": none. UsageError for a spec that makes no sense, Error for a store of
// another run and whatever else goes wrong, Cancelled.
//
// The report (but for times) and the store depend on the spec only, not on the executor, and not on how often the search was
// ended and continued.
SearchReport run_search(const SearchSpec& spec, const std::shared_ptr<Executor>& executor, const std::string& store,
                        Observer& observer);

}  // namespace exarch
