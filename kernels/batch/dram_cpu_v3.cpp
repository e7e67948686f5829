#define EXARCH_ISA x86_64_v3
#include "kernels/batch/dram_launch.hpp"
#include "kernels/dram/simulate.hpp"

namespace exarch::dram {

void run_x86_64_v3(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                   const Scratch& scratch, bool exact, std::uint64_t max_steps, RunResult& result) {
  (exact ? simulate_exact : simulate_single_pass)(workload, params, distances, scratch, max_steps, result);
}

}  // namespace exarch::dram
