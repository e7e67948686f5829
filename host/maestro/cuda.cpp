#include "host/maestro/cuda.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "host/error.hpp"
#include "host/execute/cuda/devices.hpp"
#include "host/execute/cuda/memory.hpp"
#include "kernels/launch/maestro_cuda.hpp"

namespace exarch::maestro {
namespace {

struct QueueArenas {
  PinnedArena host_designs, host_results;       // (candidate)
  DeviceArena layers, designs, parts, results;  // (layer), (candidate), (layer, candidate), (candidate)
  std::size_t first = 0, count = 0;             // candidates in flight
};

// What stays on a device between batches.
struct MaestroState {
  std::array<QueueArenas, CudaDevice::kQueues> queues;
};

constexpr std::size_t kMostCandidates = 1u << 18;  // of a launch

template <class Design>
class NetworkBatches {
 public:
  NetworkBatches(CudaDevice& device, const NetworkWorkload& workload, std::span<const Design> designs,
                 std::span<NetworkResult> results)
      : device_(device), arenas_(device.state<MaestroState>().queues), workload_(workload), designs_(designs), results_(results) {
    const std::size_t each = sizeof(Design) + sizeof(NetworkResult) + workload.layers.size() * sizeof(LayerResult);
    chunk_ = std::clamp<std::size_t>(device.queue_bytes() / each, 1, kMostCandidates);
  }

  // An exception may leave launches in flight whose buffers are about to be reused.
  ~NetworkBatches() {
    for (unsigned queue = 0; queue < CudaDevice::kQueues; ++queue) device_.queue(queue).drain();
  }

  // Two chunks in flight: one is fetched while the other is computed.
  void run() {
    for (QueueArenas& arenas : arenas_) arenas.count = 0;
    unsigned queue = 0;
    for (std::size_t first = 0; first < designs_.size(); queue = 1 - queue) {
      finish(queue);
      first += start(queue, first);
    }
    for (unsigned q = 0; q < CudaDevice::kQueues; ++q) finish(q);
  }

 private:
  // Starts a chunk; its candidates.
  std::size_t start(unsigned queue, std::size_t first) {
    QueueArenas& arenas = arenas_[queue];
    const std::size_t layer_bytes = workload_.layers.size() * sizeof(LayerCount);
    std::size_t count = std::min(chunk_, designs_.size() - first);
    while (!reserve(arenas, count, layer_bytes)) {
      if (count == 1) throw Error("no device memory is left; use --backend cpu");
      count = chunk_ = std::max<std::size_t>(1, count / 2);
    }
    CudaQueue& streams = device_.queue(queue);
    std::memcpy(arenas.host_designs.as(), designs_.data() + first, count * sizeof(Design));
    EXARCH_CUDA_TRY(
        cudaMemcpyAsync(arenas.layers.as(), workload_.layers.data(), layer_bytes, cudaMemcpyHostToDevice, streams.stream()));
    EXARCH_CUDA_TRY(cudaMemcpyAsync(arenas.designs.as(), arenas.host_designs.as(), count * sizeof(Design), cudaMemcpyHostToDevice,
                                    streams.stream()));
    const MaestroBatch<Design> batch{arenas.layers.as<const LayerCount>(),
                                     static_cast<std::uint32_t>(workload_.layers.size()),
                                     workload_.version,
                                     arenas.designs.as<const Design>(),
                                     static_cast<std::uint32_t>(count),
                                     arenas.parts.as<LayerResult>(),
                                     arenas.results.as<NetworkResult>()};
    EXARCH_CUDA_TRY(static_cast<cudaError_t>(launch_networks(batch, streams.stream())));
    EXARCH_CUDA_TRY(cudaMemcpyAsync(arenas.host_results.as(), arenas.results.as(), count * sizeof(NetworkResult),
                                    cudaMemcpyDeviceToHost, streams.stream()));
    arenas.first = first;
    arenas.count = count;
    return count;
  }

  [[nodiscard]] bool reserve(QueueArenas& arenas, std::size_t count, std::size_t layer_bytes) const {
    return arenas.host_designs.reserve(count * sizeof(Design)) && arenas.host_results.reserve(count * sizeof(NetworkResult)) &&
           arenas.layers.reserve(layer_bytes) && arenas.designs.reserve(count * sizeof(Design)) &&
           arenas.parts.reserve(count * workload_.layers.size() * sizeof(LayerResult)) &&
           arenas.results.reserve(count * sizeof(NetworkResult));
  }

  void finish(unsigned queue) {
    QueueArenas& arenas = arenas_[queue];
    if (arenas.count == 0) return;
    device_.queue(queue).wait();
    std::ranges::copy(std::span(arenas.host_results.as<const NetworkResult>(), arenas.count),
                      results_.subspan(arenas.first, arenas.count).begin());
    arenas.count = 0;
  }

  CudaDevice& device_;
  std::array<QueueArenas, CudaDevice::kQueues>& arenas_;
  const NetworkWorkload& workload_;
  std::span<const Design> designs_;
  std::span<NetworkResult> results_;
  std::size_t chunk_;
};

template <class Design>
void run_on_devices(const NetworkWorkload& workload, std::span<const Design> designs, CudaDevices& devices,
                    std::span<NetworkResult> results) {
  devices.for_each_share(designs.size(), [&](CudaDevice& device, std::size_t first, std::size_t count) {
    NetworkBatches(device, workload, designs.subspan(first, count), results.subspan(first, count)).run();
  });
}

}  // namespace

void run_on_cuda(const NetworkWorkload& workload, std::span<const CleanDesign> designs, CudaDevices& devices,
                 std::span<NetworkResult> results) {
  run_on_devices(workload, designs, devices, results);
}

void run_on_cuda(const NetworkWorkload& workload, std::span<const ArchgymDesign> designs, CudaDevices& devices,
                 std::span<NetworkResult> results) {
  if (!workload.shipped) {
    run_on_devices(workload, designs, devices, results);
    return;
  }
  std::vector<ShippedDesign> shipped;
  for (const ArchgymDesign& design : designs) shipped.push_back({design});
  run_on_devices(workload, std::span<const ShippedDesign>(shipped), devices, results);
}

}  // namespace exarch::maestro
