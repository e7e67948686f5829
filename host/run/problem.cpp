#include "host/run/problem.hpp"

namespace exarch {

std::shared_ptr<const Workload> load(const Environment& environment, const WorkloadOptions& options, Observer& observer) {
  std::shared_ptr<const Workload> workload = environment.load_workload(options);
  for (const std::string& warning : workload->warnings) observer.on_warning(warning);
  return workload;
}

Workloads load_all(const Environment& environment, const std::vector<WorkloadOptions>& options, Observer& observer) {
  Workloads workloads;
  for (const WorkloadOptions& one : options) workloads.push_back(load(environment, one, observer));
  return workloads;
}

}  // namespace exarch
