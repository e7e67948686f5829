#include "tests/support/array_lanes.hpp"

namespace exarch::dram::testing {

void run_array_lanes(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                     const Scratch& scratch, Kernel /*kernel*/, std::uint64_t max_steps, RunResult& result) {
  simulate_with<ArrayLanesPass>(workload, params, distances, scratch, max_steps, result);
}

}  // namespace exarch::dram::testing
