#include "host/dram/cuda.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "host/dram/batches.hpp"
#include "host/execute/cuda/devices.hpp"
#include "host/execute/cuda/memory.hpp"

namespace exarch::dram {
namespace {

// A trace, or a part of it, in device memory.
struct TraceArenas {
  DeviceArena requests, next_same_row, previous_same_address;

  // False if there is not enough memory for so many requests.
  [[nodiscard]] bool reserve(std::size_t count, bool has_writes) {
    return requests.reserve(count * sizeof(PackedRequest)) && next_same_row.reserve(count * sizeof(std::uint32_t)) &&
           (!has_writes || previous_same_address.reserve(count * sizeof(std::uint32_t)));
  }

  void release() {
    requests.release();
    next_same_row.release();
    previous_same_address.release();
  }

  // Copies the whole trace; afterwards every stream may use it.
  void upload_all(const WorkloadView& whole) const {
    each_array(whole, [&](const auto* from, const DeviceArena& to) { upload(from, whole.count, to); });
  }

  // Starts copying requests [part.first, part.end) in `stream`, which alone may use them, and lets `view` refer to them.
  void start_copying(const WorkloadView& whole, const TracePart& part, cudaStream_t stream, WorkloadView& view) const {
    each_array(whole, [&](const auto* from, const DeviceArena& to) {
      EXARCH_CUDA_TRY(cudaMemcpyAsync(to.as(), from + part.first, std::size_t{part.end - part.first} * sizeof *from,
                                      cudaMemcpyHostToDevice, stream));
    });
    refer(whole, part, view);
  }

  void refer(const WorkloadView& whole, const TracePart& part, WorkloadView& view) const {
    view.requests = requests.as<const PackedRequest>();
    view.next_same_row = next_same_row.as<const std::uint32_t>();
    view.previous_same_address = whole.has_writes ? previous_same_address.as<const std::uint32_t>() : nullptr;
    view.part_first = part.first;
    view.part_end = part.end;
  }

 private:
  // Calls f(host array, its place here) for each array of the trace.
  template <class F>
  void each_array(const WorkloadView& whole, const F& f) const {
    f(whole.requests, requests);
    f(whole.next_same_row, next_same_row);
    if (whole.has_writes) f(whole.previous_same_address, previous_same_address);
  }
};

// A workload in device memory: with its whole trace, unless that is too long.
struct Uploaded {
  std::weak_ptr<const Workload> workload;
  DeviceArena distances;
  TraceArenas trace;
  bool whole;
};

struct QueueArenas {
  PinnedArena host_params, host_results;              // (candidate)
  DeviceArena params, order, sort, results, scratch;  // (candidate), (position), -, (candidate), (position, scratch)
  // Of a trace in parts: the part at hand, and (position) paused runs.
  TraceArenas part;
  DeviceArena states;
};

// What stays on a device between batches.
struct DramState {
  static constexpr std::size_t kWorkloads = 8;

  std::vector<std::unique_ptr<Uploaded>> workloads;  // the latest last
  std::array<QueueArenas, CudaDevice::kQueues> queues;
};

// Workloads never change, so the one that is still the same object is still the same trace.
const Uploaded& uploaded(DramState& state, const DramWorkload& workload, std::size_t most_requests) {
  const bool fits = workload.view.count <= most_requests;
  const auto known = std::ranges::find_if(state.workloads, [&](const auto& u) { return u->workload.lock().get() == &workload; });
  if (known != state.workloads.end() && (*known)->whole <= fits) {
    std::rotate(known, known + 1, state.workloads.end());
    return *state.workloads.back();
  }
  std::erase_if(state.workloads, [&](const auto& u) { return u->workload.expired() || u->workload.lock().get() == &workload; });
  if (state.workloads.size() == DramState::kWorkloads) state.workloads.erase(state.workloads.begin());
  auto fresh = std::make_unique<Uploaded>();
  fresh->workload = workload.weak_from_this();
  if (!fresh->distances.reserve(sizeof(Distances))) throw Error("no device memory is left; use --backend cpu");
  upload(&workload.distances, 1, fresh->distances);
  fresh->whole = fits && fresh->trace.reserve(workload.view.count, workload.view.has_writes);
  if (fresh->whole) {
    fresh->trace.upload_all(workload.view);
  } else {
    fresh->trace.release();
  }
  state.workloads.push_back(std::move(fresh));
  return *state.workloads.back();
}

class CudaChunks final : public ChunkDevice {
 public:
  CudaChunks(CudaDevice& device, const DramWorkload& workload, const CudaTuning& tuning)
      : device_(device),
        state_(device.state<DramState>()),
        workload_(workload),
        tuning_(tuning),
        uploaded_(uploaded(state_, workload, tuning.part == 0 ? device.queue_bytes() / kRequestBytes : tuning.part)),
        part_(largest_part(device, workload, tuning)) {}

  // An exception may leave chunks in flight whose buffers are about to be reused.
  ~CudaChunks() override {
    for (unsigned queue = 0; queue < kQueues; ++queue) device_.queue(queue).drain();
  }

  [[nodiscard]] std::size_t capacity(const ScratchSize& scratch, bool exact) const override {
    const std::size_t each = scratch_bytes(scratch, exact) + sizeof(ControllerParams) + sizeof(RunResult) + 16 +
                             (uploaded_.whole ? 0 : state_bytes(exact));
    const std::size_t bytes = device_.queue_bytes() - (uploaded_.whole ? 0 : part_ * kRequestBytes);
    return std::clamp<std::size_t>(bytes / each, 1, tuning_.chunk);
  }

  [[nodiscard]] bool start(unsigned queue, const Chunk& chunk) override {
    QueueArenas& arenas = state_.queues[queue];
    const auto count = static_cast<std::uint32_t>(chunk.params.size());
    const std::vector<TracePart> parts = uploaded_.whole ? std::vector<TracePart>{{0, workload_.view.count}}
                                                         : trace_parts(workload_.view.count, part_, part_overlap(chunk.scratch));
    if (parts.empty() || !reserve(arenas, chunk)) return false;
    CudaQueue& streams = device_.queue(queue);
    std::memcpy(arenas.host_params.as(), chunk.params.data(), chunk.params.size_bytes());
    EXARCH_CUDA_TRY(cudaMemcpyAsync(arenas.params.as(), arenas.host_params.as(), chunk.params.size_bytes(),
                                    cudaMemcpyHostToDevice, streams.stream()));
    run(streams, arenas, chunk, parts);
    EXARCH_CUDA_TRY(cudaMemcpyAsync(arenas.host_results.as(), arenas.results.as(), count * sizeof(RunResult),
                                    cudaMemcpyDeviceToHost, streams.stream()));
    counts_[queue] = count;
    return true;
  }

  [[nodiscard]] std::span<const RunResult> finish(unsigned queue) override {
    device_.queue(queue).wait();
    return {state_.queues[queue].host_results.as<const RunResult>(), counts_[queue]};
  }

 private:
  static constexpr std::size_t kRequestBytes = sizeof(PackedRequest) + 2 * sizeof(std::uint32_t);

  // A quarter of a queue's memory for the part: its transfer is then short beside the runs that read it.
  static std::uint32_t largest_part(const CudaDevice& device, const DramWorkload& workload, const CudaTuning& tuning) {
    const std::size_t room = std::min<std::size_t>(device.queue_bytes() / 4 / kRequestBytes, workload.view.count);
    return static_cast<std::uint32_t>(tuning.part == 0 ? room : std::min<std::size_t>(tuning.part, room));
  }

  [[nodiscard]] bool reserve(QueueArenas& arenas, const Chunk& chunk) const {
    const std::size_t count = chunk.params.size();
    std::size_t sort = 0;
    EXARCH_CUDA_TRY(sort_bytes(static_cast<std::uint32_t>(count), sort));
    return arenas.host_params.reserve(chunk.params.size_bytes()) && arenas.host_results.reserve(count * sizeof(RunResult)) &&
           arenas.params.reserve(chunk.params.size_bytes()) && arenas.order.reserve(count * sizeof(std::uint32_t)) &&
           arenas.sort.reserve(sort) && arenas.results.reserve(count * sizeof(RunResult)) &&
           arenas.scratch.reserve(count * scratch_bytes(chunk.scratch, chunk.exact)) &&
           (uploaded_.whole ||
            (arenas.part.reserve(part_, workload_.view.has_writes) && arenas.states.reserve(count * state_bytes(chunk.exact))));
  }

  // The bins' sizes are counted here from the parameters, which the host has anyway: no round trip between sorting and launching.
  // A trace in parts is copied part by part behind the kernels that still read the one before; the other queue's kernels run
  // meanwhile.
  void run(CudaQueue& streams, const QueueArenas& arenas, const Chunk& chunk, const std::vector<TracePart>& parts) const {
    const auto count = static_cast<std::uint32_t>(chunk.params.size());
    DeviceBatch batch{workload_.view,
                      uploaded_.distances.as<const Distances>(),
                      arenas.params.as<const ControllerParams>(),
                      nullptr,
                      arenas.results.as<RunResult>(),
                      arenas.scratch.as(),
                      chunk.scratch,
                      workload_.step_budget,
                      uploaded_.whole ? nullptr : arenas.states.as(),
                      false};
    uploaded_.trace.refer(workload_.view, parts[0], batch.workload);
    if (uploaded_.whole && !tuning_.bin && !chunk.exact && !workload_.view.has_writes) {
      EXARCH_CUDA_TRY(launch_mixed(batch, 0, count, tuning_.block, streams.stream()));
      return;
    }
    EXARCH_CUDA_TRY(sort_into_bins(batch, arenas.order.as<std::uint32_t>(), count, arenas.sort.as(), streams.stream()));
    batch.order = arenas.order.as<const std::uint32_t>();
    std::array<std::uint32_t, kBins> sizes{};
    for (const ControllerParams& params : chunk.params) ++sizes[bin_of(params, workload_.view.has_writes)];
    for (const TracePart& part : parts) {
      if (!uploaded_.whole) arenas.part.start_copying(workload_.view, part, streams.stream(), batch.workload);
      launch_bins(streams, batch, chunk.exact, count, sizes);
      batch.resume = true;
    }
  }

  void launch_bins(CudaQueue& streams, const DeviceBatch& batch, bool exact, std::uint32_t count,
                   const std::array<std::uint32_t, kBins>& sizes) const {
    const Kernel single_pass = uploaded_.whole ? tuning_.shape.value_or(tuned_shape(device_.major(), count)) : Kernel::dense;
    streams.mark();
    std::uint32_t first = 0;
    for (std::uint32_t bin = 0; bin < kBins; ++bin) {
      if (sizes[bin] == 0) continue;
      EXARCH_CUDA_TRY(
          launch_bin(batch, bin, exact ? Kernel::exact : single_pass, first, sizes[bin], tuning_.block, streams.fork(bin)));
      first += sizes[bin];
    }
    for (std::uint32_t bin = 0; bin < kBins; ++bin) {
      if (sizes[bin] != 0) streams.join(bin);
    }
  }

  CudaDevice& device_;
  DramState& state_;
  const DramWorkload& workload_;
  const CudaTuning& tuning_;
  const Uploaded& uploaded_;
  std::uint32_t part_;  // most requests at hand, of a trace in parts
  std::array<std::size_t, kQueues> counts_{};
};

static_assert(CudaDevice::kQueues == ChunkDevice::kQueues);

}  // namespace

void run_on_cuda(const DramWorkload& workload, std::span<const ControllerParams> params, CudaDevices& devices,
                 std::span<RunResult> results, std::span<std::uint8_t> exact, const CudaTuning& tuning) {
  if (tuning.block == 0 || tuning.block % 32 != 0 || tuning.block > kLargestBlock || tuning.chunk == 0 ||
      tuning.shape == Kernel::exact) {
    throw Error("internal error: a CUDA block has 32, 64, ... " + std::to_string(kLargestBlock) +
                " threads, and the single pass is dense or in lanes");
  }
  devices.for_each_share(params.size(), [&](CudaDevice& device, std::size_t first, std::size_t count) {
    CudaChunks chunks(device, workload, tuning);
    run_chunks(workload, params.subspan(first, count), chunks, results.subspan(first, count), exact.subspan(first, count));
  });
}

}  // namespace exarch::dram
