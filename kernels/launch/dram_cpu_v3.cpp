#define EXARCH_ISA x86_64_v3
#include "kernels/launch/dram_launch.hpp"
#include "kernels/launch/dram_policies.hpp"

namespace exarch::dram {

void run_x86_64_v3(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                   const Scratch& scratch, Kernel kernel, std::uint64_t max_steps, RunResult& result) {
  run_any_policy(workload, params, distances, scratch, kernel, max_steps, result);
}

}  // namespace exarch::dram
