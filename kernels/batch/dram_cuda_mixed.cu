// The single pass of read-only traces with policies chosen at run time, thread by thread: what binning is compared with. Budget:
// dram_budgets.txt.
#include "kernels/batch/dram_dense.cuh"

namespace exarch::dram {
namespace {

__global__ void __launch_bounds__(kLargestBlock)
    dense_mixed_kernel(const __grid_constant__ DeviceBatch batch, std::uint32_t first, std::uint32_t count) {
  run_position<false>(batch, first, count, [&](const ControllerParams& params, const Scratch& scratch, RunResult& result) {
    result.status = dispatch_policies(params, false, [&]<PagePolicy kPolicy, Choice kChoice, bool kWrites>() -> Status {
      SinglePass<kPolicy, kChoice, kWrites> kernel;
      kernel.reset(batch.workload, params, *batch.distances, scratch, result.counters, result.witness);
      return kernel.run(batch.max_steps);
    });
  });
}

}  // namespace

int launch_mixed(const DeviceBatch& batch, std::uint32_t first, std::uint32_t count, std::uint32_t block, void* stream) {
  const LaunchShape shape{first, count, block, static_cast<cudaStream_t>(stream)};
  dense_mixed_kernel<<<blocks_of(shape), shape.block, 0, shape.stream>>>(batch, first, count);
  return cudaGetLastError();
}

}  // namespace exarch::dram
