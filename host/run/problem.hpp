// What a run is about: a cost model, workloads, the space of designs, and what is best.
//
//   const Environment& dram = find_environment("dram");
//   Problem problem(dram, resolve_space(dram, "archgym-aco"));
//   problem.workloads = list_workloads(dram, {{"trace", "stream,random"}});
//   problem.objectives = parse_objectives(dram, "latency");
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/env/environment.hpp"
#include "host/run/observer.hpp"

namespace exarch {

using Workloads = std::vector<std::shared_ptr<const Workload>>;

struct Problem {
  // `environment` is one of the registry's, or outlives all that is made of it.
  Problem(const Environment& environment, DesignSpace designs) : space(std::move(designs)), environment_(&environment) {}

  [[nodiscard]] const Environment& environment() const { return *environment_; }

  DesignSpace space;
  std::vector<WorkloadOptions> workloads{};  // each completed: complete_options(), list_workloads()
  std::vector<Objective> objectives{};       // what a run minimises; a sweep that keeps everything needs none

 private:
  const Environment* environment_;
};

// Loads a workload; its warnings go to the observer. Error, UsageError for files and options that are none.
[[nodiscard]] std::shared_ptr<const Workload> load(const Environment& environment, const WorkloadOptions& options,
                                                   Observer& observer);
[[nodiscard]] Workloads load_all(const Environment& environment, const std::vector<WorkloadOptions>& options, Observer& observer);

}  // namespace exarch
