#include "tools/exarch/study_measures.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "host/error.hpp"
#include "host/run/inputs.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {

std::string printed(const char* format, double number) {
  char text[64];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

std::string percent(double share) {
  return std::isfinite(share) ? printed("%.3g", 100 * share) : "-";
}

bool is_store(const std::string& name) {
  return std::filesystem::is_regular_file(name) || name.ends_with(".db");
}

void allow_for_study(const Arguments& arguments, const std::string& what, std::vector<std::string> names, bool workloads) {
  if (workloads) {
    for (const OptionSpec& option : workload_options()) names.push_back(option.name);
  }
  allow_only(kStudyVerb, arguments, what, names);
}

std::vector<Objective> objectives_of(const Environment& environment, const Arguments& arguments) {
  std::vector<Objective> objectives;
  for (const std::string& text : arguments.all("objective")) objectives.push_back(parse_objective(environment, text));
  if (objectives.empty()) objectives.push_back(parse_objective(environment, ""));
  refuse_repeated(objectives);
  return objectives;
}

std::vector<SearchTask> AgentStudy::searches(std::size_t problems, std::uint64_t first_seed) const {
  std::vector<SearchTask> specs;
  for (const std::string& agent : agents) {
    for (std::size_t problem = 0; problem < problems; ++problem) {
      for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        specs.push_back({agent, {first_seed + seed, population, {}, 1}, problem, budget});
      }
    }
  }
  return specs;
}

AgentStudy agent_study_of(const Arguments& arguments, const char* agents) {
  AgentStudy study{split(arguments.has("agents") ? arguments.text("agents") : agents, ','),
                   arguments.number("seeds", 1, 1'000'000), arguments.number("budget", 1, 1'000'000'000),
                   arguments.number("population", 2, 1'000'000)};
  if (study.agents.empty()) throw UsageError("--agents: expected names separated by commas");
  for (auto agent = study.agents.begin(); agent != study.agents.end(); ++agent) {
    if (std::find(study.agents.begin(), agent, *agent) != agent) throw UsageError("--agents names " + *agent + " twice");
  }
  return study;
}

}  // namespace exarch::cli
