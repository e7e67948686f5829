// The DRAM kernels on a device: dense and exact (a thread runs a candidate from reset to the end), lanes (eight threads do). nvcc
// only.
//
// A candidate's result is counted in the thread's own memory, which the hardware interleaves so that a warp's accesses to the
// same counter are one line, and copied out once.
#pragma once

#include <cuda_runtime.h>

#include "kernels/core/warp_lanes.cuh"
#include "kernels/dram/simulate.hpp"
#include "kernels/launch/dram_device.hpp"

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

// Calls run(position, candidate, scratch, result) in each of the kThreads threads of a candidate, and keeps the first one's
// result.
template <bool kExact, std::uint32_t kThreads, class Run>
__device__ void run_position(const DeviceBatch& batch, std::uint32_t first, std::uint32_t count, const Run& run) {
  const std::uint32_t i = (blockIdx.x * blockDim.x + threadIdx.x) / kThreads;
  if (i >= count) return;
  const std::uint32_t position = first + i;
  const std::uint32_t candidate = batch.order == nullptr ? position : __ldg(batch.order + position);
  RunResult result;
  run(position, candidate, scratch_at<kExact>(batch, position), result);
  if (threadIdx.x % kThreads == 0) copy_result(result, batch.results[candidate]);
}

template <class Run>
__device__ void start(const DeviceBatch& batch, std::uint32_t candidate, const Scratch& scratch, Run& run, RunResult& result) {
  result.counters = Counters{};
  reset_witness(result.witness);
  run.reset(batch.workload, batch.params[candidate], *batch.distances, scratch, result.counters, result.witness);
}

// Runs a candidate through the whole trace.
template <class Run>
__device__ void run_whole(const DeviceBatch& batch, std::uint32_t candidate, const Scratch& scratch, RunResult& result) {
  Run run;
  start(batch, candidate, scratch, run, result);
  result.status = run.run(batch.max_steps);
}

// Runs a candidate through the part of the trace that is there, from where the part before left it.
template <class Run>
__device__ void run_part(const DeviceBatch& batch, std::uint32_t position, std::uint32_t candidate, const Scratch& scratch,
                         RunResult& result) {
  Run& kept = reinterpret_cast<Run*>(batch.states)[position];
  Run run;
  if (batch.resume) {
    copy_result(batch.results[candidate], result);
    if (result.status != Status::paused) return;
    run = kept;
    run.resume(batch.workload, *batch.distances, scratch, result.counters, result.witness);
  } else {
    start(batch, candidate, scratch, run, result);
  }
  result.status = run.run(batch.max_steps);
  if (result.status == Status::paused) kept = run;
}

// What is kept of a paused run. All instantiations of a kernel have the same members: one stands for the size of all.
inline constexpr std::size_t kDenseState = sizeof(DensePass<PagePolicy::Open, Choice::fifo, false>);
inline constexpr std::size_t kExactState = sizeof(EventOrder<PagePolicy::Open, Choice::fifo, false>);

// Blocks of the largest size that registers let a multiprocessor hold: 64 registers for the dense single pass; the exact kernel
// would spill with so few and may take 80; lanes keep the banks in registers and may take 128. A choice to be measured.
inline constexpr std::uint32_t kDenseBlocks = 4, kLanesBlocks = 2, kExactBlocks = 3;

// Budgets of all three: budgets.txt. Traces in parts are for dense and exact only: lanes would have to spill.
template <PagePolicy kPolicy, Choice kChoice, bool kWrites>
__global__ void __launch_bounds__(kLargestBlock, kDenseBlocks)
    dense_kernel(const __grid_constant__ DeviceBatch batch, std::uint32_t first, std::uint32_t count) {
  using Run = DensePass<kPolicy, kChoice, kWrites>;
  static_assert(sizeof(Run) == kDenseState);
  run_position<false, 1>(batch, first, count,
                         [&](std::uint32_t position, std::uint32_t candidate, const Scratch& scratch, RunResult& result) {
                           run_part<Run>(batch, position, candidate, scratch, result);
                         });
}

template <PagePolicy kPolicy, Choice kChoice, bool kWrites>
__global__ void __launch_bounds__(kLargestBlock, kLanesBlocks)
    lanes_kernel(const __grid_constant__ DeviceBatch batch, std::uint32_t first, std::uint32_t count) {
  run_position<false, kLanes>(batch, first, count,
                              [&](std::uint32_t, std::uint32_t candidate, const Scratch& scratch, RunResult& result) {
                                run_whole<SinglePass<WarpLanes, kPolicy, kChoice, kWrites>>(batch, candidate, scratch, result);
                              });
}

template <PagePolicy kPolicy, Choice kChoice, bool kWrites>
__global__ void __launch_bounds__(kLargestBlock, kExactBlocks)
    exact_kernel(const __grid_constant__ DeviceBatch batch, std::uint32_t first, std::uint32_t count) {
  using Run = EventOrder<kPolicy, kChoice, kWrites>;
  static_assert(sizeof(Run) == kExactState);
  run_position<true, 1>(batch, first, count,
                        [&](std::uint32_t position, std::uint32_t candidate, const Scratch& scratch, RunResult& result) {
                          run_part<Run>(batch, position, candidate, scratch, result);
                        });
}

struct LaunchShape {
  std::uint32_t first, count, block;
  cudaStream_t stream;
};

// DeviceKernels::launch_mixed (dram_cuda_mixed.cu).
[[nodiscard]] int launch_mixed(const DeviceBatch& batch, std::uint32_t first, std::uint32_t count, std::uint32_t block,
                               void* stream) noexcept;

[[nodiscard]] inline std::uint32_t blocks_of(const LaunchShape& shape, std::uint32_t threads_per_candidate) {
  const std::uint32_t candidates = shape.block / threads_per_candidate;
  return (shape.count + candidates - 1) / candidates;
}

}  // namespace exarch::dram
