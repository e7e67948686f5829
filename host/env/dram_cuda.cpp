#include "host/env/dram_cuda.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "host/backend/cuda/devices.hpp"
#include "host/backend/cuda/memory.hpp"
#include "host/env/dram_batches.hpp"

namespace exarch::dram {
namespace {

// A workload in device memory.
struct Uploaded {
  std::weak_ptr<const Workload> workload;
  DeviceArena requests, distances;
};

struct QueueArenas {
  PinnedArena host_params, host_results;              // (candidate)
  DeviceArena params, order, sort, results, scratch;  // (candidate), (position), -, (candidate), (position, scratch)
};

// What stays on a device between batches.
struct DramState {
  static constexpr std::size_t kWorkloads = 8;

  std::vector<std::unique_ptr<Uploaded>> workloads;  // the latest last
  std::array<QueueArenas, CudaDevice::kQueues> queues;
};

// Workloads never change, so the one that is still the same object is still the same trace.
const Uploaded& upload(DramState& state, const DramWorkload& workload) {
  const auto known = std::ranges::find_if(state.workloads, [&](const auto& u) { return u->workload.lock().get() == &workload; });
  if (known != state.workloads.end()) {
    std::rotate(known, known + 1, state.workloads.end());
    return *state.workloads.back();
  }
  std::erase_if(state.workloads, [](const auto& u) { return u->workload.expired(); });
  if (state.workloads.size() == DramState::kWorkloads) state.workloads.erase(state.workloads.begin());
  auto fresh = std::make_unique<Uploaded>();
  fresh->workload = workload.weak_from_this();
  const std::size_t bytes = std::size_t{workload.view.count} * sizeof(PackedRequest);
  if (!fresh->requests.reserve(bytes) || !fresh->distances.reserve(sizeof(Distances))) {
    throw Error("not enough device memory for the trace of " + std::to_string(workload.view.count) +
                " requests; use --backend cpu, which gives the same results");
  }
  EXARCH_CUDA_TRY(cudaMemcpy(fresh->requests.as(), workload.view.requests, bytes, cudaMemcpyHostToDevice));
  EXARCH_CUDA_TRY(cudaMemcpy(fresh->distances.as(), &workload.distances, sizeof(Distances), cudaMemcpyHostToDevice));
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
        uploaded_(upload(state_, workload)) {}

  // An exception may leave chunks in flight whose buffers are about to be reused.
  ~CudaChunks() override {
    for (unsigned queue = 0; queue < kQueues; ++queue) device_.queue(queue).drain();
  }

  [[nodiscard]] std::size_t capacity(const ScratchSize& scratch, bool exact) const override {
    const std::size_t each = scratch_bytes(scratch, exact) + sizeof(ControllerParams) + sizeof(RunResult) + 16;
    return std::clamp<std::size_t>(device_.queue_bytes() / each, 1, tuning_.chunk);
  }

  [[nodiscard]] bool start(unsigned queue, const Chunk& chunk) override {
    QueueArenas& arenas = state_.queues[queue];
    const auto count = static_cast<std::uint32_t>(chunk.params.size());
    if (!reserve(arenas, chunk)) return false;
    CudaQueue& streams = device_.queue(queue);
    std::memcpy(arenas.host_params.as(), chunk.params.data(), chunk.params.size_bytes());
    EXARCH_CUDA_TRY(cudaMemcpyAsync(arenas.params.as(), arenas.host_params.as(), chunk.params.size_bytes(),
                                    cudaMemcpyHostToDevice, streams.stream()));
    launch(streams, arenas, chunk);
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
  static bool reserve(QueueArenas& arenas, const Chunk& chunk) {
    const std::size_t count = chunk.params.size();
    return arenas.host_params.reserve(chunk.params.size_bytes()) && arenas.host_results.reserve(count * sizeof(RunResult)) &&
           arenas.params.reserve(chunk.params.size_bytes()) && arenas.order.reserve(count * sizeof(std::uint32_t)) &&
           arenas.sort.reserve(sort_bytes(static_cast<std::uint32_t>(count))) &&
           arenas.results.reserve(count * sizeof(RunResult)) &&
           arenas.scratch.reserve(count * scratch_bytes(chunk.scratch, chunk.exact));
  }

  // The bins' sizes are counted here from the parameters, which the host has anyway: no round trip between sorting and launching.
  void launch(CudaQueue& streams, const QueueArenas& arenas, const Chunk& chunk) const {
    const auto count = static_cast<std::uint32_t>(chunk.params.size());
    DeviceBatch batch{workload_.view,
                      uploaded_.distances.as<const Distances>(),
                      arenas.params.as<const ControllerParams>(),
                      nullptr,
                      arenas.results.as<RunResult>(),
                      arenas.scratch.as(),
                      chunk.scratch,
                      workload_.step_budget};
    batch.workload.requests = uploaded_.requests.as<const PackedRequest>();
    if (!tuning_.bin && !chunk.exact && !workload_.view.has_writes) {
      EXARCH_CUDA_TRY(launch_mixed(batch, 0, count, tuning_.block, streams.stream()));
      return;
    }
    EXARCH_CUDA_TRY(sort_into_bins(batch, arenas.order.as<std::uint32_t>(), count, arenas.sort.as(), streams.stream()));
    batch.order = arenas.order.as<const std::uint32_t>();
    std::array<std::uint32_t, kBins> sizes{};
    for (const ControllerParams& params : chunk.params) ++sizes[bin_of(params, workload_.view.has_writes)];
    const Kernel kernel = chunk.exact ? Kernel::exact : tuning_.shape.value_or(tuned_shape(device_.major(), count));
    streams.mark();
    std::uint32_t first = 0;
    for (std::uint32_t bin = 0; bin < kBins; ++bin) {
      if (sizes[bin] == 0) continue;
      EXARCH_CUDA_TRY(launch_bin(batch, bin, kernel, first, sizes[bin], tuning_.block, streams.fork(bin)));
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
  std::array<std::size_t, kQueues> counts_{};
};

static_assert(CudaQueue::kSideStreams == kBins && CudaDevice::kQueues == ChunkDevice::kQueues);

}  // namespace

void run_on_cuda(const DramWorkload& workload, std::span<const ControllerParams> params, CudaDevices& devices,
                 std::span<RunResult> results, std::span<std::uint8_t> exact, const CudaTuning& tuning) {
  if (tuning.block == 0 || tuning.block % 32 != 0 || tuning.block > kLargestBlock || tuning.chunk == 0 ||
      tuning.shape == Kernel::exact) {
    throw Error("internal error: a CUDA block has 32, 64, ... " + std::to_string(kLargestBlock) +
                " threads, and the single pass is dense or in lanes");
  }
  const std::scoped_lock lock(devices.mutex());
  const std::size_t share = (params.size() + devices.size() - 1) / devices.size();
  std::vector<std::exception_ptr> failures(devices.size());
  const auto run_share = [&](std::size_t d) {
    const std::size_t first = std::min(d * share, params.size());
    const std::size_t count = std::min(share, params.size() - first);
    if (count == 0) return;
    try {
      devices[d].use();
      CudaChunks chunks(devices[d], workload, tuning);
      run_chunks(workload, params.subspan(first, count), chunks, results.subspan(first, count), exact.subspan(first, count));
    } catch (...) {
      failures[d] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t d = 1; d < devices.size(); ++d) others.emplace_back(run_share, d);
    run_share(0);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace exarch::dram
