// Declarations of the CUDA launches; nvcc only.
#pragma once

#include "kernels/dram/simulate.hpp"

namespace exarch::dram {

// One thread per candidate; scratch areas are per candidate, in order. Buffers: params (candidate), results (candidate).
__global__ void single_pass_kernel(WorkloadView workload, const ControllerParams* params, const Distances* distances,
                                   BufferSlot* slots, std::uint32_t slots_per_candidate, PendingResponse* pending,
                                   std::uint32_t pending_per_candidate, std::uint32_t candidates, std::uint64_t max_steps,
                                   RunResult* results);

}  // namespace exarch::dram
