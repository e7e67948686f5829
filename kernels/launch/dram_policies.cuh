// The launch of one page policy's kernels, each defined in its own compilation of dram_cuda_policy.cu. nvcc only.
#pragma once

#include "kernels/launch/dram_kernels.cuh"

namespace exarch::dram {

template <int kPagePolicy, Kernel kKernel>
cudaError_t launch_policy(const DeviceBatch& batch, Choice choice, const LaunchShape& shape);

}  // namespace exarch::dram
