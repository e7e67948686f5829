// The CUDA launch of the DRAM single pass: one thread per candidate.
//
// Not wired to a backend yet; it keeps the kernels compiling for the device, and reports their registers and spills.
#include "kernels/batch/dram_cuda.cuh"

namespace exarch::dram {

__global__ void single_pass_kernel(WorkloadView workload, const ControllerParams* params, const Distances* distances,
                                   BufferSlot* slots, std::uint32_t slots_per_candidate, PendingResponse* pending,
                                   std::uint32_t pending_per_candidate, std::uint32_t candidates, std::uint64_t max_steps,
                                   RunResult* results) {
  const std::uint32_t candidate = blockIdx.x * blockDim.x + threadIdx.x;
  if (candidate >= candidates) return;
  const Scratch scratch{slots + std::uint64_t{candidate} * slots_per_candidate,
                        slots_per_candidate,
                        pending + std::uint64_t{candidate} * pending_per_candidate,
                        pending_per_candidate,
                        nullptr,
                        nullptr,
                        nullptr,
                        0};
  simulate_single_pass(workload, params[candidate], *distances, scratch, max_steps, results[candidate]);
}

}  // namespace exarch::dram
