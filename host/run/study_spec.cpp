#include <algorithm>

#include "host/error.hpp"
#include "host/run/inputs.hpp"
#include "host/run/study.hpp"
#include "host/study/truth.hpp"

namespace exarch {
namespace {

// What others find wrong with the plan, with a place before it: that of the key which `key_of` an error is.
template <class KeyOf, class Body>
decltype(auto) located_by(const StudyPlan& plan, const KeyOf& key_of, const Body& body) {
  try {
    return body();
  } catch (const UsageError& error) {
    throw UsageError(plan.place(key_of(error.what())) + error.what());
  } catch (const Error& error) {
    throw Error(plan.place(key_of(error.what())) + error.what());
  }
}

template <class Body>
decltype(auto) located(const StudyPlan& plan, const std::string& key, const Body& body) {
  return located_by(
      plan, [&key](const std::string&) { return key; }, body);
}

// What is wrong with a workload is the matter of one of its options: the one whose name or value the error has, else the primary.
template <class Body>
decltype(auto) located_in_workload(const StudyPlan& plan, const Environment& environment, const Body& body) {
  const auto key_of = [&](const std::string& error) {
    const std::string& primary = primary_option(environment).name;
    for (const auto& [name, value] : plan.workload) {
      if (name == primary) continue;
      if (error.find(name) != std::string::npos || error.find(value) != std::string::npos) return "workload." + name;
    }
    return "workload." + primary;
  };
  return located_by(plan, key_of, body);
}

void check_options(const StudyPlan& plan, const Environment& environment) {
  std::vector<std::string> options;
  for (const WorkloadOption& option : environment.workload_options()) options.push_back(option.name);
  for (const auto& [name, value] : plan.workload) {
    if (std::ranges::find(options, name) != options.end()) continue;
    throw UsageError(plan.place("workload." + name) + "'" + name + "' of [workload] does not describe a workload of " +
                     plan.environment + did_you_mean(name, options));
  }
}

// What is named twice would count twice.
void check_duplicates(const StudyPlan& plan, const Problem& problem) {
  const std::vector<Objective>& objectives = problem.objectives;
  for (std::size_t i = 0; i < objectives.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (objectives[i].text() != objectives[j].text()) continue;
      throw UsageError(plan.place("objectives") + "'" + plan.objectives[j] + "' and '" + plan.objectives[i] +
                       "' are the same objective");
    }
  }
  const std::string& primary = primary_option(problem.environment()).name;
  const std::vector<WorkloadOptions>& workloads = problem.workloads;
  for (std::size_t i = 0; i < workloads.size(); ++i) {
    if (std::count(workloads.begin(), workloads.begin() + static_cast<std::ptrdiff_t>(i), workloads[i]) == 0) continue;
    throw UsageError(plan.place("workload." + primary) + "'" + workloads[i].at(primary) + "' stands there twice");
  }
}

}  // namespace

StudySpec resolve_study(StudyPlan plan) {
  const Environment& environment = located(
      plan, "environment", [&]() -> auto& { return find_environment(plan.environment); });
  check_options(plan, environment);
  const auto workloads = [&] {
    return located_in_workload(plan, environment, [&] { return list_workloads(environment, plan.workload); });
  };
  std::vector<WorkloadOptions> listed;  // before the space only where that follows from them
  if (depends_on_workload(environment, plan.space)) listed = workloads();
  Problem problem(environment, located(plan, "space", [&] { return resolve_space(environment, plan.space, listed); }));
  problem.workloads = listed.empty() ? workloads() : std::move(listed);
  const auto parse = [&](const std::string& key, const std::vector<std::string>& texts) {
    return located(plan, key, [&] {
      std::vector<Objective> parsed;
      for (const std::string& text : texts) parsed.push_back(parse_objective(environment, text));
      return parsed;
    });
  };
  problem.objectives = parse("objectives", plan.objectives);
  std::vector<Objective> reported = parse("reported_as", plan.reported_as);
  if (plan.truth) located(plan, "space", [&] { TruthTable::check_size(problem.space); });
  check_duplicates(plan, problem);
  return {std::move(plan), std::move(problem), std::move(reported)};
}

Workloads load_workloads(const StudySpec& spec, Observer& observer) {
  return located_in_workload(spec.plan, spec.problem.environment(),
                             [&] { return load_all(spec.problem.environment(), spec.problem.workloads, observer); });
}

}  // namespace exarch
