// The dense shape: one thread runs one candidate from reset to the end. nvcc only.
//
// A candidate's result is counted in the thread's own memory, which the hardware interleaves so that a warp's accesses to the
// same counter are one line, and copied out once.
#pragma once

#include <cuda_runtime.h>

#include "kernels/batch/dram_cuda.hpp"
#include "kernels/dram/simulate.hpp"

namespace exarch::dram {

template <class T>
__device__ T* take(std::byte*& area, std::uint32_t count) {
  T* part = reinterpret_cast<T*>(area);
  area += std::size_t{count} * sizeof(T);
  return part;
}

// Widest alignment first; the order is nobody else's business.
template <bool kExact>
__device__ Scratch scratch_at(const DeviceBatch& batch, std::uint32_t position) {
  const ScratchSize& size = batch.scratch_size;
  std::byte* area = batch.scratch + position * scratch_bytes(size, kExact);
  std::uint64_t* heap = kExact ? take<std::uint64_t>(area, size.heap) : nullptr;
  PendingResponse* pending = take<PendingResponse>(area, size.pending);
  std::uint32_t* cas_order = kExact ? take<std::uint32_t>(area, size.pending) : nullptr;
  std::uint32_t* arrivals = kExact ? take<std::uint32_t>(area, size.pending) : nullptr;
  BufferSlot* slots = take<BufferSlot>(area, size.slots);
  return {slots, size.slots, pending, size.pending, cas_order, arrivals, heap, kExact ? size.heap : 0};
}

// Copies eight bytes at a time. Left to itself, the compiler loads the whole record into registers before it stores any of it,
// and a kernel of 40 registers becomes one of 116.
__device__ inline void copy_result(const RunResult& from, RunResult& to) {
  static_assert(sizeof(RunResult) % sizeof(std::uint64_t) == 0 && alignof(RunResult) == sizeof(std::uint64_t));
  const auto* source = reinterpret_cast<const std::uint64_t*>(&from);
  auto* target = reinterpret_cast<std::uint64_t*>(&to);
#pragma unroll 1
  for (std::uint32_t i = 0; i < sizeof(RunResult) / sizeof(std::uint64_t); ++i) target[i] = source[i];
}

// `run(candidate's params, scratch, result)` simulates.
template <bool kExact, class Run>
__device__ void run_position(const DeviceBatch& batch, std::uint32_t first, std::uint32_t count, const Run& run) {
  const std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const std::uint32_t position = first + i;
  const std::uint32_t candidate = batch.order == nullptr ? position : __ldg(batch.order + position);
  RunResult result;
  result.counters = Counters{};
  reset_witness(result.witness);
  run(batch.params[candidate], scratch_at<kExact>(batch, position), result);
  copy_result(result, batch.results[candidate]);
}

// At most 64 registers for the single pass, so that registers alone would let a multiprocessor hold 32 warps; the exact kernel
// would spill with so few and may take 80. A choice to be measured: left free, the compiler takes more of them, or 32, with the
// same stack.
inline constexpr std::uint32_t kSinglePassBlocks = 4, kExactBlocks = 3;

// Budget (dram_budgets.txt): 64 registers and 1,280 bytes of stack for the single pass, 80 and 1,536 for the exact kernel, no
// spills.
template <template <PagePolicy, Choice, bool> class Kernel, bool kExact, PagePolicy kPolicy, Choice kChoice, bool kWrites>
__global__ void __launch_bounds__(kLargestBlock, kExact ? kExactBlocks : kSinglePassBlocks)
    dense_kernel(const __grid_constant__ DeviceBatch batch, std::uint32_t first, std::uint32_t count) {
  run_position<kExact>(batch, first, count, [&](const ControllerParams& params, const Scratch& scratch, RunResult& result) {
    Kernel<kPolicy, kChoice, kWrites> kernel;
    kernel.reset(batch.workload, params, *batch.distances, scratch, result.counters, result.witness);
    result.status = kernel.run(batch.max_steps);
  });
}

struct LaunchShape {
  std::uint32_t first, count, block;
  cudaStream_t stream;
};

inline std::uint32_t blocks_of(const LaunchShape& shape) {
  return (shape.count + shape.block - 1) / shape.block;
}

}  // namespace exarch::dram
