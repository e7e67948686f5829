#include "kernels/launch/cpu_level.hpp"
#include "kernels/launch/dram_launch.hpp"
#include "kernels/launch/dram_policies.hpp"

namespace exarch::dram {

void run_baseline(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                  const Scratch& scratch, Kernel kernel, std::uint64_t max_steps, RunResult& result) {
  run_any_policy(workload, params, distances, scratch, kernel, max_steps, result);
}

RunFunction cpu_run_function() {
#if defined(EXARCH_HAS_V3)
  if (runs_x86_64_v3()) return run_x86_64_v3;
#endif
  return run_baseline;
}

}  // namespace exarch::dram
