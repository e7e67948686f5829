#include "host/maestro/device.hpp"

#include <array>
#include <memory>
#include <optional>

#include "host/error.hpp"
#include "host/execute/chunks.hpp"

namespace exarch::maestro {
namespace {

struct Uploaded {
  explicit Uploaded(const DeviceRuntime& runtime) : layers(runtime, MemoryKind::device) {}
  DeviceBuffer layers;  // (layer)
};

// What stays on a device between batches.
struct MaestroState {
  explicit MaestroState(const DeviceRuntime& runtime)
      : parts{DeviceBuffer(runtime, MemoryKind::device), DeviceBuffer(runtime, MemoryKind::device)} {}
  KeptWorkloads<Uploaded> workloads;
  std::array<DeviceBuffer, Device::kQueues> parts;  // (queue)(layer, candidate)
};

const Uploaded& uploaded(Device& device, const NetworkWorkload& workload) {
  return device.state<MaestroState>().workloads.get(
      workload, [](const Uploaded&) { return true; },
      [&] {
        auto fresh = std::make_unique<Uploaded>(device.runtime());
        if (!fresh->layers.reserve(workload.layers.size() * sizeof(LayerCount))) {
          throw Error("no device memory is left; use --backend cpu");
        }
        fresh->layers.upload(workload.layers.data(), workload.layers.size());
        return fresh;
      });
}

constexpr std::size_t kMostCandidates = 1u << 18;  // of a launch

// There is one attempt: every evaluation ends.
struct OnlyAttempt {
  bool operator<(const OnlyAttempt&) const { return false; }
};

template <class Design>
class NetworkChunks final : public DeviceChunks<Design, NetworkResult, OnlyAttempt> {
 public:
  NetworkChunks(Device& device, const NetworkWorkload& workload, const DeviceKernels& kernels)
      : DeviceChunks<Design, NetworkResult, OnlyAttempt>(device, kMostCandidates),
        state_(device.state<MaestroState>()),
        workload_(workload),
        kernels_(kernels),
        uploaded_(uploaded(device, workload)) {}

  void begin(const OnlyAttempt& /*attempt*/, std::span<const Design> /*candidates*/) override {}

 protected:
  [[nodiscard]] std::size_t bytes_each() const override { return workload_.layers.size() * sizeof(LayerResult); }
  [[nodiscard]] bool reserve(unsigned queue, std::uint32_t count) override {
    return state_.parts[queue].reserve(count * bytes_each());
  }

  void launch(unsigned queue, std::span<const Design> chunk, const Design* designs, NetworkResult* results) override {
    const MaestroBatch<Design> batch{uploaded_.layers.as<const LayerCount>(),
                                     static_cast<std::uint32_t>(workload_.layers.size()),
                                     workload_.version,
                                     designs,
                                     static_cast<std::uint32_t>(chunk.size()),
                                     state_.parts[queue].as<LayerResult>(),
                                     results};
    DeviceQueue& streams = this->device().queue(queue);
    streams.check(kernels_.launch<Design>()(batch, streams.stream()), "launching MAESTRO evaluations");
  }

 private:
  MaestroState& state_;
  const NetworkWorkload& workload_;
  const DeviceKernels& kernels_;
  const Uploaded& uploaded_;
};

}  // namespace

template <class Design>
void run_on_devices(const NetworkWorkload& workload, std::span<const Design> designs, Devices& devices,
                    std::span<NetworkResult> results, const DeviceKernels* kernels) {
  devices.for_each_share(designs.size(), [&](Device& device, std::size_t first, std::size_t count) {
    NetworkChunks<Design> chunks(device, workload, *kernels);
    run_chunks(designs.subspan(first, count), OnlyAttempt{}, chunks,
               [share = results.subspan(first, count)](std::size_t candidate, const NetworkResult& result,
                                                       const OnlyAttempt&) -> std::optional<OnlyAttempt> {
                 share[candidate] = result;
                 return std::nullopt;
               });
  });
}

template void run_on_devices(const NetworkWorkload&, std::span<const CleanDesign>, Devices&, std::span<NetworkResult>,
                             const DeviceKernels*);
template void run_on_devices(const NetworkWorkload&, std::span<const ArchgymDesign>, Devices&, std::span<NetworkResult>,
                             const DeviceKernels*);
template void run_on_devices(const NetworkWorkload&, std::span<const ShippedDesign>, Devices&, std::span<NetworkResult>,
                             const DeviceKernels*);

}  // namespace exarch::maestro
