#include "host/timeloop/device.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "host/error.hpp"
#include "host/execute/chunks.hpp"
#include "host/timeloop/drawing.hpp"

namespace exarch::timeloop {
namespace {

constexpr const char* kNoMemory = "no device memory is left; use --backend cpu, which gives the same results";

// ---- what levels keep ------------------------------------------------------------------------------------------------------

struct UploadedMapping {
  explicit UploadedMapping(const DeviceRuntime& runtime)
      : frame(runtime, MemoryKind::device), shared(runtime, MemoryKind::device) {}
  DeviceBuffer frame, shared;
};

struct KeptState {
  explicit KeptState(const DeviceRuntime& /*runtime*/) {}
  KeptWorkloads<UploadedMapping> workloads;
};

// There is one attempt: every evaluation ends.
struct SingleAttempt {
  bool operator<(const SingleAttempt&) const { return false; }
};

class KeptChunks final : public DeviceChunks<KeptMapping, KeptResult, SingleAttempt> {
 public:
  KeptChunks(Device& device, const UploadedMapping& uploaded, const DeviceKernels& kernels)
      : DeviceChunks(device, std::size_t{1} << 20), uploaded_(uploaded), kernels_(kernels) {}

  void begin(const SingleAttempt& /*attempt*/, std::span<const KeptMapping> /*candidates*/) override {}

 protected:
  [[nodiscard]] std::size_t bytes_each() const override { return 0; }
  [[nodiscard]] bool reserve(unsigned /*queue*/, std::uint32_t /*count*/) override { return true; }

  void launch(unsigned queue, std::span<const KeptMapping> chunk, const KeptMapping* mappings, KeptResult* results) override {
    const KeptBatch batch{uploaded_.frame.as<const Frame>(), uploaded_.shared.as<const Shared>(), mappings, results,
                          static_cast<std::uint32_t>(chunk.size())};
    DeviceQueue& streams = device().queue(queue);
    streams.check(kernels_.total_of_kept(batch, streams.stream()), "launching Timeloop evaluations");
  }

 private:
  const UploadedMapping& uploaded_;
  const DeviceKernels& kernels_;
};

template <class T>
void upload(const T* from, std::size_t count, DeviceBuffer& to) {
  if (!to.reserve(std::max<std::size_t>(count, 1) * sizeof(T))) throw Error(kNoMemory);
  to.upload(from, count);
}

// ---- random mappings -------------------------------------------------------------------------------------------------------

constexpr std::uint32_t kMostThreads = 1u << 17;

}  // namespace

void run_on_devices(const Workload& workload, const Frame& frame, const Shared& shared, std::span<const KeptMapping> mappings,
                    Devices& devices, std::span<KeptResult> results, const DeviceKernels* kernels) {
  devices.for_each_share(mappings.size(), [&](Device& device, std::size_t first, std::size_t count) {
    const UploadedMapping& uploaded = device.state<KeptState>().workloads.get(
        workload, [](const UploadedMapping&) { return true; },
        [&] {
          auto fresh = std::make_unique<UploadedMapping>(device.runtime());
          upload(&frame, 1, fresh->frame);
          upload(&shared, 1, fresh->shared);
          return fresh;
        });
    KeptChunks chunks(device, uploaded, *kernels);
    run_chunks(mappings.subspan(first, count), SingleAttempt{}, chunks,
               [share = results.subspan(first, count)](std::size_t candidate, const KeptResult& result,
                                                       const SingleAttempt&) -> std::optional<SingleAttempt> {
                 share[candidate] = result;
                 return std::nullopt;
               });
  });
}

// The tables of a drawing on a device, and the launches over a range of numbers.
class DrawingOnDevice {
 public:
  DrawingOnDevice(Device& device, const Drawing& drawing, const DeviceKernels& kernels, std::uint32_t each)
      : device_(device),
        kernels_(kernels),
        each_(each),
        state_(device.state<DrawState>()),
        host_view_(drawing.view_),
        view_(device.runtime(), MemoryKind::device) {
    DrawView view = drawing.view_;
    for (std::size_t t = 0; t < drawing.tables_.size(); ++t) {
      const Drawing::Table& table = drawing.tables_[t];
      view.table[t] = {view.table[t].spreads,   on_device(table.buckets), on_device(table.spatial),
                       on_device(table.ranges), on_device(table.extents), on_device(table.factors)};
    }
    upload(&view, 1, view_);
    std::int64_t elements = 1;
    const Frame& frame = view.frame;
    for (std::uint32_t s = 0; s < frame.architecture.levels; ++s) {
      elements = std::max(elements, frame.wide[s] * frame.high[s]);
    }
    elements_ = static_cast<std::uint32_t>(std::min<std::int64_t>(elements, kMaxElements));
  }
  DrawingOnDevice(const DrawingOnDevice&) = delete;
  DrawingOnDevice& operator=(const DrawingOnDevice&) = delete;
  // An exception may leave launches in flight.
  ~DrawingOnDevice() {
    for (unsigned queue = 0; queue < Device::kQueues; ++queue) device_.queue(queue).drain();
  }

  [[nodiscard]] Drawn best(std::uint64_t seed, std::uint64_t first, std::uint64_t end) {
    Drawn sum{};
    std::array<std::uint32_t, Device::kQueues> in_flight{};
    const auto collect = [&](unsigned queue) {
      if (in_flight[queue] == 0) return;
      device_.queue(queue).wait();
      const auto* parts = state_.host_best[queue].as<const Drawn>();
      for (std::uint32_t t = 0; t < in_flight[queue]; ++t) join(host_view_, parts[t], sum);
      in_flight[queue] = 0;
    };
    std::uint32_t most = threads_in_memory();
    unsigned queue = 0;
    while (first < end) {
      collect(queue);
      // A warp at least; more threads where all of them have enough to do.
      const std::uint64_t enough = std::max<std::uint64_t>((end - first + each_ - 1) / each_, 32);
      const auto threads = static_cast<std::uint32_t>(std::min({std::uint64_t{most}, end - first, enough}));
      if (!reserve(queue, threads)) {
        if (threads == 1) throw Error(kNoMemory);
        most = threads / 2;
        continue;
      }
      const std::uint64_t count = std::min(end - first, std::uint64_t{threads} * each_);
      start(queue, seed, first, first + count, threads);
      in_flight[queue] = threads;
      first += count;
      queue = (queue + 1) % Device::kQueues;
    }
    for (unsigned i = 0; i < Device::kQueues; ++i) collect((queue + i) % Device::kQueues);
    return sum;
  }

 private:
  // Memory of the launches, kept by the device.
  struct DrawState {
    explicit DrawState(const DeviceRuntime& runtime)
        : best{DeviceBuffer(runtime, MemoryKind::device), DeviceBuffer(runtime, MemoryKind::device)},
          work{DeviceBuffer(runtime, MemoryKind::device), DeviceBuffer(runtime, MemoryKind::device)},
          host_best{DeviceBuffer(runtime, MemoryKind::pinned), DeviceBuffer(runtime, MemoryKind::pinned)} {}
    std::array<DeviceBuffer, Device::kQueues> best, work, host_best;  // (queue)(thread)
  };

  template <class T>
  const T* on_device(const std::vector<T>& values) {
    DeviceBuffer& buffer = tables_.emplace_back(device_.runtime(), MemoryKind::device);
    upload(values.data(), values.size(), buffer);
    return buffer.as<const T>();
  }

  [[nodiscard]] std::uint32_t threads_in_memory() const {
    const std::size_t each = workspace_bytes(elements_) + sizeof(Drawn);
    return static_cast<std::uint32_t>(std::clamp<std::size_t>(device_.queue_bytes() / each, 1, kMostThreads));
  }

  [[nodiscard]] bool reserve(unsigned queue, std::uint32_t threads) {
    return state_.best[queue].reserve(threads * sizeof(Drawn)) && state_.host_best[queue].reserve(threads * sizeof(Drawn)) &&
           state_.work[queue].reserve(threads * workspace_bytes(elements_));
  }

  void start(unsigned queue, std::uint64_t seed, std::uint64_t first, std::uint64_t end, std::uint32_t threads) {
    const DrawBatch batch{view_.as<const DrawView>(),         seed,    first,    end, state_.best[queue].as<Drawn>(),
                          state_.work[queue].as<std::byte>(), threads, elements_};
    DeviceQueue& streams = device_.queue(queue);
    streams.check(kernels_.draw(batch, streams.stream()), "launching random mappings");
    streams.copy_from(state_.best[queue], state_.host_best[queue].as<std::byte>(), threads * sizeof(Drawn));
  }

  Device& device_;
  const DeviceKernels& kernels_;
  std::uint32_t each_;  // numbers of a thread in a launch
  DrawState& state_;
  const DrawView& host_view_;
  DeviceBuffer view_;
  std::vector<DeviceBuffer> tables_;
  std::uint32_t elements_ = 1;
};

Drawn Drawing::best_on(Devices& devices, std::uint64_t seed, std::uint64_t first, std::uint64_t count,
                       const DeviceKernels* kernels, std::uint32_t each) const {
  Drawn sum{};
  std::mutex mutex;
  devices.for_each_share(count, [&](Device& device, std::size_t from, std::size_t numbers) {
    const Drawn part = DrawingOnDevice(device, *this, *kernels, each).best(seed, first + from, first + from + numbers);
    const std::lock_guard<std::mutex> lock(mutex);
    join(view_, part, sum);
  });
  return sum;
}

}  // namespace exarch::timeloop
