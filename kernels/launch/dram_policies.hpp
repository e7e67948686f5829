// One page policy's kernels on the CPU. Each is compiled in a translation unit of its own (dram_cpu_policy.cpp), once per
// instruction-set level: together they would take one compiler minutes.
#pragma once

#include <cstdint>

#include "kernels/dram/constraints.hpp"
#include "kernels/dram/scratch.hpp"
#include "kernels/dram/types.hpp"

namespace exarch::dram {
inline namespace EXARCH_ISA {

// As a RunFunction does; params.page_policy is kPolicy.
template <PagePolicy kPolicy>
void run_policy(const WorkloadView& workload, const ControllerParams& params, const Distances& distances, const Scratch& scratch,
                Kernel kernel, std::uint64_t max_steps, RunResult& result);

// Any policy.
inline void run_any_policy(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                           const Scratch& scratch, Kernel kernel, std::uint64_t max_steps, RunResult& result) {
  switch (params.page_policy) {
    case PagePolicy::Open:
      return run_policy<PagePolicy::Open>(workload, params, distances, scratch, kernel, max_steps, result);
    case PagePolicy::OpenAdaptive:
      return run_policy<PagePolicy::OpenAdaptive>(workload, params, distances, scratch, kernel, max_steps, result);
    case PagePolicy::Closed:
      return run_policy<PagePolicy::Closed>(workload, params, distances, scratch, kernel, max_steps, result);
    case PagePolicy::ClosedAdaptive:
      return run_policy<PagePolicy::ClosedAdaptive>(workload, params, distances, scratch, kernel, max_steps, result);
  }
}

}  // namespace EXARCH_ISA
}  // namespace exarch::dram
