// Timeloop's model on a device: the same headers as on the CPU.
#include "kernels/launch/timeloop_device.hpp"

namespace exarch::timeloop {
namespace {

// All threads read the same nest and deliveries; what is different is what levels keep. Budget: budgets.txt.
__global__ void __launch_bounds__(kTimeloopBlock) kept_kernel(const __grid_constant__ KeptBatch batch) {
  const std::uint32_t candidate = blockIdx.x * blockDim.x + threadIdx.x;
  if (candidate >= batch.count) return;
  KeptResult& result = batch.results[candidate];
  Fault fault;
  Totals totals;
  result.status = total(*batch.frame, *batch.shared, batch.mappings[candidate].keep, totals, fault);
  if (result.status == Status::ok) result.totals = totals;
}

// Thread t draws the numbers first + t, first + t + threads, ... and keeps the best of them.
__global__ void __launch_bounds__(kTimeloopBlock) draw_kernel(const __grid_constant__ DrawBatch batch) {
  const std::uint32_t thread = blockIdx.x * blockDim.x + threadIdx.x;
  if (thread >= batch.threads) return;
  const Workspace work = workspace_in(batch.work + thread * workspace_bytes(batch.elements), batch.elements);
  Drawn best;
  draw_all(*batch.view, batch.seed, batch.first + thread, batch.end, batch.threads, work, best);
  batch.best[thread] = best;
}

std::uint32_t blocks_for(std::uint32_t threads) {
  return (threads + kTimeloopBlock - 1) / kTimeloopBlock;
}

int launch_kept(const KeptBatch& batch, void* stream) noexcept {
  kept_kernel<<<blocks_for(batch.count), kTimeloopBlock, 0, static_cast<cudaStream_t>(stream)>>>(batch);
  return cudaGetLastError();
}

int launch_draw(const DrawBatch& batch, void* stream) noexcept {
  draw_kernel<<<blocks_for(batch.threads), kTimeloopBlock, 0, static_cast<cudaStream_t>(stream)>>>(batch);
  return cudaGetLastError();
}

}  // namespace

const DeviceKernels* cuda_kernels() noexcept {
  static constexpr DeviceKernels kKernels{launch_kept, launch_draw};
  return &kKernels;
}

}  // namespace exarch::timeloop
