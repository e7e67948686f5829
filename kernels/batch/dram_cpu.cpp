#include "kernels/batch/dram_launch.hpp"
#include "kernels/dram/simulate.hpp"

namespace exarch::dram {

void run_baseline(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                  const Scratch& scratch, Kernel kernel, std::uint64_t max_steps, RunResult& result) {
  simulate(workload, params, distances, scratch, kernel, max_steps, result);
}

RunFunction cpu_run_function(const char** name) {
#if defined(EXARCH_HAS_V3)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
      __builtin_cpu_supports("fma")) {
    if (name != nullptr) *name = "x86-64-v3";
    return run_x86_64_v3;
  }
#endif
  if (name != nullptr) *name = "baseline";
  return run_baseline;
}

}  // namespace exarch::dram
