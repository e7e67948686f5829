// A study as a text: which agents, with which settings, how often, on what. docs/formats.md has the grammar (TOML).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/env/environment.hpp"
#include "host/study/lockstep.hpp"

namespace exarch {

inline constexpr std::uint64_t kMaxEvaluations = 1'000'000'000;  // of a search of a study
inline constexpr std::uint64_t kMaxSeeds = 1'000'000;

// An agent with lists of settings; every combination of them is a configuration.
struct AgentGrid {
  std::uint32_t line = 0;    // of the plan
  std::string label, agent;  // the label is the plan's own name for it, by default the agent's
  std::vector<std::size_t> populations;
  // What ends a search: so many generations, or so many evaluations. One of the two lists is empty.
  std::vector<std::uint64_t> generations, evaluations;
  std::uint64_t seeds = 0;                                             // searches per configuration and problem
  std::vector<std::pair<std::string, std::vector<std::string>>> grid;  // hyperparameters and their values
};

// One point of a grid.
struct Configuration {
  std::size_t grid = 0;  // its place in StudyPlan::agents
  std::size_t population = 0;
  std::uint64_t generations = 0;  // 0: no limit
  std::uint64_t evaluations = 0;  // at most
  std::map<std::string, std::string> parameters;
};

struct StudyPlan {
  std::string name, doc;
  std::string environment, space;  // an empty space: the environment's first
  WorkloadOptions workload;        // of the primary option, several values separated by commas
  std::vector<std::string> objectives;
  std::vector<std::string> reported_as;  // (objective) what else to price the best design of a search by; or empty
  bool truth = true;                     // costs from a truth table, or by simulation
  std::vector<double> seconds;           // wall times at which to compare, ascending
  std::uint64_t first_seed = 1;
  std::vector<AgentGrid> agents;
  std::map<std::string, std::string> places;  // "file:line: " of keys ("space", "workload.trace") that only others can judge

  // Reads a plan; `where` names it in errors. UsageError, with line and key, for what the grammar does not have, unknown agents
  // and hyperparameters, and a plan without runs.
  [[nodiscard]] static StudyPlan from_toml(std::string_view text, const std::string& where);

  // Where a key stands, for the beginning of an error; "" for one that the plan does not have.
  [[nodiscard]] std::string place(const std::string& key) const {
    const auto found = places.find(key);
    return found == places.end() ? "" : found->second;
  }

  // Replaces the number of seeds of every agent.
  void set_seeds(std::uint64_t seeds);

  // All configurations, agent by agent, the last list fastest: population, generations or evaluations, then hyperparameters in
  // their order.
  [[nodiscard]] std::vector<Configuration> configurations() const;

  // The searches of a configuration under a problem, one per seed.
  [[nodiscard]] std::vector<SearchTask> searches(const Configuration& configuration, std::size_t problem) const;

  // All that results depend on, as a text: equal plans have equal texts.
  [[nodiscard]] std::string canonical() const;
};

}  // namespace exarch
