// MAESTRO's kernels on a device: the same headers as on the CPU.
#include "kernels/launch/maestro_device.hpp"
#include "kernels/maestro/network.hpp"

namespace exarch::maestro {
namespace {

// Neighbouring threads have neighbouring candidates on the same layer: what an agent asks together is alike, and the layer is
// read once per warp. Budget: budgets.txt.
template <class Design>
__global__ void __launch_bounds__(kMaestroBlock) layer_kernel(const __grid_constant__ MaestroBatch<Design> batch) {
  const std::uint64_t i = std::uint64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= std::uint64_t{batch.count} * batch.layer_count) return;
  const auto layer = static_cast<std::uint32_t>(i / batch.count), candidate = static_cast<std::uint32_t>(i % batch.count);
  Workspace<TwoLevels> work;
  LayerResult& result = batch.parts[i];
  result.status = evaluate(batch.designs[candidate], batch.layers[layer].layer, batch.version, work, result.counters);
}

template <class Design>
__global__ void __launch_bounds__(kMaestroBlock) total_kernel(const __grid_constant__ MaestroBatch<Design> batch) {
  const std::uint32_t candidate = blockIdx.x * blockDim.x + threadIdx.x;
  if (candidate >= batch.count) return;
  Totals totals{};
  Status status = Status::ok;
  for (std::uint32_t layer = 0; layer < batch.layer_count; ++layer) {
    const LayerResult& part = batch.parts[std::uint64_t{layer} * batch.count + candidate];
    status = part.status;
    if (status != Status::ok) break;
    add(part.counters, batch.layers[layer], hardware_of(batch.designs[candidate]), layer == 0, totals);
  }
  batch.results[candidate] = {totals, status};
}

template <class Design>
int launch_networks(const MaestroBatch<Design>& batch, void* stream) noexcept {
  const std::uint64_t threads = std::uint64_t{batch.count} * batch.layer_count;
  const auto blocks = [](std::uint64_t count) { return static_cast<std::uint32_t>((count + kMaestroBlock - 1) / kMaestroBlock); };
  layer_kernel<Design><<<blocks(threads), kMaestroBlock, 0, static_cast<cudaStream_t>(stream)>>>(batch);
  if (const cudaError_t error = cudaGetLastError(); error != cudaSuccess) return error;
  total_kernel<Design><<<blocks(batch.count), kMaestroBlock, 0, static_cast<cudaStream_t>(stream)>>>(batch);
  return cudaGetLastError();
}

}  // namespace

const DeviceKernels* cuda_kernels() noexcept {
  static constexpr DeviceKernels kKernels{launch_networks<CleanDesign>, launch_networks<ArchgymDesign>,
                                          launch_networks<ShippedDesign>};
  return &kKernels;
}

}  // namespace exarch::maestro
