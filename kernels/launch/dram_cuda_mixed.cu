// The single pass of read-only traces with policies chosen at run time, thread by thread: what binning is compared with.
#include "kernels/launch/dram_kernels.cuh"

namespace exarch::dram {
namespace {

// Not inlined: as one function, seven kernels take the compiler minutes.
template <PagePolicy kPolicy, Choice kChoice, bool kWrites>
__device__ __noinline__ void run_as(const DeviceBatch& batch, std::uint32_t candidate, const Scratch& scratch,
                                    RunResult& result) {
  run_whole<DensePass<kPolicy, kChoice, kWrites>>(batch, candidate, scratch, result);
}

// Budget: 64 registers, 1,536 bytes of stack, no spills.
__global__ void __launch_bounds__(kLargestBlock, kDenseBlocks)
    dense_mixed_kernel(const __grid_constant__ DeviceBatch batch, std::uint32_t first, std::uint32_t count) {
  run_position<false, 1>(
      batch, first, count, [&](std::uint32_t, std::uint32_t candidate, const Scratch& scratch, RunResult& result) {
        dispatch_policies(batch.params[candidate], false, [&]<PagePolicy kPolicy, Choice kChoice, bool kWrites>() -> void {
          if constexpr (!kWrites) run_as<kPolicy, kChoice, kWrites>(batch, candidate, scratch, result);
        });
      });
}

}  // namespace

int launch_mixed(const DeviceBatch& batch, std::uint32_t first, std::uint32_t count, std::uint32_t block, void* stream) noexcept {
  const LaunchShape shape{first, count, block, static_cast<cudaStream_t>(stream)};
  dense_mixed_kernel<<<blocks_of(shape, 1), shape.block, 0, shape.stream>>>(batch, first, count);
  return cudaGetLastError();
}

}  // namespace exarch::dram
