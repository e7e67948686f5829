#define EXARCH_ISA x86_64_v3
#include "kernels/batch/dram_launch.hpp"
#include "kernels/dram/simulate.hpp"

namespace exarch::dram {

void run_x86_64_v3(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                   const Scratch& scratch, Kernel kernel, std::uint64_t max_steps, RunResult& result) {
  simulate(workload, params, distances, scratch, kernel, max_steps, result);
}

}  // namespace exarch::dram
