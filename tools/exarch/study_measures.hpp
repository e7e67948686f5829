// `exarch study truth`, `regret` and `front`: what is known of a space, and how agents do against it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/env/environment.hpp"
#include "host/study/lockstep.hpp"
#include "tools/exarch/options.hpp"

namespace exarch::cli {

int study_truth(const Arguments& arguments);
int study_regret(const Arguments& arguments);
int study_front(const Arguments& arguments);

// Refuses what a study would ignore: all options but the common ones, these, and those of workloads if it takes any.
void allow_for_study(const Arguments& arguments, const std::string& what, std::vector<std::string> names, bool workloads = false);

// Whether an argument means a store, rather than an environment.
[[nodiscard]] bool is_store(const std::string& name);
// What --objective says, repeated or not; the environment's first where it says nothing.
[[nodiscard]] std::vector<Objective> objectives_of(const Environment& environment, const Arguments& arguments);

// The searches that agents are compared by.
struct AgentStudy {
  std::vector<std::string> agents;
  std::uint64_t seeds, budget;
  std::size_t population;

  // (agent, problem, seed)
  [[nodiscard]] std::vector<SearchTask> searches(std::size_t problems, std::uint64_t first_seed) const;
};
// By the options; `agents`: those by default.
[[nodiscard]] AgentStudy agent_study_of(const Arguments& arguments, const char* agents);

// A number by a format of printf.
[[nodiscard]] std::string printed(const char* format, double number);
// A share in %, "-" for none.
[[nodiscard]] std::string percent(double share);

}  // namespace exarch::cli
