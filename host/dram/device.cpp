#include "host/dram/device.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "host/error.hpp"

namespace exarch::dram {
namespace {

// A trace, or a part of it, in device memory.
struct TraceBuffers {
  explicit TraceBuffers(const DeviceRuntime& runtime)
      : requests(runtime, MemoryKind::device),
        next_same_row(runtime, MemoryKind::device),
        previous_same_address(runtime, MemoryKind::device) {}

  DeviceBuffer requests, next_same_row, previous_same_address;

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
    each_array(whole, [&](const auto* from, const DeviceBuffer& to) { to.upload(from, whole.count); });
  }

  // Starts copying requests [part.first, part.end) in the queue's own stream, which alone may use them, and lets `view` refer to
  // them.
  void start_copying(const WorkloadView& whole, const TracePart& part, DeviceQueue& queue, WorkloadView& view) const {
    each_array(whole, [&](const auto* from, const DeviceBuffer& to) {
      queue.copy_to(to, from + part.first, std::size_t{part.end - part.first} * sizeof *from);
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
  explicit Uploaded(const DeviceRuntime& runtime) : distances(runtime, MemoryKind::device), trace(runtime) {}
  DeviceBuffer distances;
  TraceBuffers trace;
  bool whole = false;
};

// What a queue needs beyond the candidates and their results.
struct QueueBuffers {
  explicit QueueBuffers(const DeviceRuntime& runtime)
      : order(runtime, MemoryKind::device),
        sort(runtime, MemoryKind::device),
        scratch(runtime, MemoryKind::device),
        part(runtime),
        states(runtime, MemoryKind::device) {}
  DeviceBuffer order, sort, scratch;  // (position), -, (position, scratch)
  // Of a trace in parts: the part at hand, and (position) paused runs.
  TraceBuffers part;
  DeviceBuffer states;
};

// What stays on a device between batches.
struct DramState {
  explicit DramState(const DeviceRuntime& runtime) : queues{QueueBuffers(runtime), QueueBuffers(runtime)} {}
  KeptWorkloads<Uploaded> workloads;
  std::array<QueueBuffers, Device::kQueues> queues;
};

const Uploaded& uploaded(Device& device, const DramWorkload& workload, std::size_t most_requests) {
  const bool fits = workload.view.count <= most_requests;
  return device.state<DramState>().workloads.get(
      workload, [fits](const Uploaded& known) { return known.whole <= fits; },
      [&] {
        auto fresh = std::make_unique<Uploaded>(device.runtime());
        if (!fresh->distances.reserve(sizeof(Distances))) throw Error("no device memory is left; use --backend cpu");
        fresh->distances.upload(&workload.distances, 1);
        fresh->whole = fits && fresh->trace.reserve(workload.view.count, workload.view.has_writes);
        if (fresh->whole) {
          fresh->trace.upload_all(workload.view);
        } else {
          fresh->trace.release();
        }
        return fresh;
      });
}

class DramChunks final : public DeviceChunks<ControllerParams, RunResult, Attempt> {
 public:
  DramChunks(Device& device, const DramWorkload& workload, const DeviceTuning& tuning)
      : DeviceChunks(device, tuning.chunk),
        state_(device.state<DramState>()),
        workload_(workload),
        tuning_(tuning),
        kernels_(*tuning.kernels),
        uploaded_(uploaded(device, workload, tuning.part == 0 ? device.queue_bytes() / kRequestBytes : tuning.part)),
        part_(largest_part(device, workload, tuning)) {}

  void begin(const Attempt& attempt, std::span<const ControllerParams> params) override {
    exact_ = attempt.exact;
    scratch_ = scratch_for(workload_.view, attempt, params);
    parts_ = uploaded_.whole ? std::vector<TracePart>{{0, workload_.view.count}}
                             : trace_parts(workload_.view.count, part_, part_overlap(scratch_));
  }

 protected:
  // The 16 bytes: a place in the order, and what sorting takes.
  [[nodiscard]] std::size_t bytes_each() const override {
    return scratch_bytes(scratch_, exact_) + 16 + (uploaded_.whole ? 0 : kernels_.state_bytes(exact_));
  }
  [[nodiscard]] std::size_t bytes_shared() const override { return uploaded_.whole ? 0 : part_ * kRequestBytes; }

  [[nodiscard]] bool reserve(unsigned queue, std::uint32_t count) override {
    QueueBuffers& buffers = state_.queues[queue];
    std::size_t sort = 0;
    device().queue(queue).check(kernels_.sort_bytes(count, sort), "asking for the size of a sort");
    return !parts_.empty() && buffers.order.reserve(count * sizeof(std::uint32_t)) && buffers.sort.reserve(sort) &&
           buffers.scratch.reserve(count * scratch_bytes(scratch_, exact_)) &&
           (uploaded_.whole || (buffers.part.reserve(part_, workload_.view.has_writes) &&
                                buffers.states.reserve(count * kernels_.state_bytes(exact_))));
  }

  // The bins' sizes are counted here from the parameters, which the host has anyway: no round trip between sorting and launching.
  // A trace in parts is copied part by part behind the kernels that still read the one before; the other queue's kernels run
  // meanwhile.
  void launch(unsigned queue, std::span<const ControllerParams> chunk, const ControllerParams* params,
              RunResult* results) override {
    const QueueBuffers& buffers = state_.queues[queue];
    DeviceQueue& streams = device().queue(queue);
    const auto count = static_cast<std::uint32_t>(chunk.size());
    DeviceBatch batch{workload_.view,
                      uploaded_.distances.as<const Distances>(),
                      params,
                      nullptr,
                      results,
                      buffers.scratch.as(),
                      scratch_,
                      workload_.step_budget,
                      uploaded_.whole ? nullptr : buffers.states.as(),
                      false};
    uploaded_.trace.refer(workload_.view, parts_[0], batch.workload);
    if (uploaded_.whole && !tuning_.bin && !exact_ && !workload_.view.has_writes) {
      streams.check(kernels_.launch_mixed(batch, 0, count, tuning_.block, streams.stream()), "launching DRAM runs");
      return;
    }
    streams.check(kernels_.sort_into_bins(batch, buffers.order.as<std::uint32_t>(), count, buffers.sort.as(), streams.stream()),
                  "sorting DRAM runs");
    batch.order = buffers.order.as<const std::uint32_t>();
    std::array<std::uint32_t, kBins> sizes{};
    for (const ControllerParams& candidate : chunk) ++sizes[kernels_.bin_of(candidate, workload_.view.has_writes)];
    for (const TracePart& part : parts_) {
      if (!uploaded_.whole) buffers.part.start_copying(workload_.view, part, streams, batch.workload);
      launch_bins(streams, batch, count, sizes);
      batch.resume = true;
    }
  }

 private:
  static constexpr std::size_t kRequestBytes = sizeof(PackedRequest) + 2 * sizeof(std::uint32_t);

  // A quarter of a queue's memory for the part: its transfer is then short beside the runs that read it.
  static std::uint32_t largest_part(const Device& device, const DramWorkload& workload, const DeviceTuning& tuning) {
    const std::size_t room = std::min<std::size_t>(device.queue_bytes() / 4 / kRequestBytes, workload.view.count);
    return static_cast<std::uint32_t>(tuning.part == 0 ? room : std::min<std::size_t>(tuning.part, room));
  }

  void launch_bins(DeviceQueue& streams, const DeviceBatch& batch, std::uint32_t count,
                   const std::array<std::uint32_t, kBins>& sizes) const {
    const Kernel single_pass = uploaded_.whole ? tuning_.shape.value_or(tuned_shape(device().major(), count)) : Kernel::dense;
    streams.mark();
    std::uint32_t first = 0;
    for (std::uint32_t bin = 0; bin < kBins; ++bin) {
      if (sizes[bin] == 0) continue;
      streams.check(kernels_.launch_bin(batch, bin, exact_ ? Kernel::exact : single_pass, first, sizes[bin], tuning_.block,
                                        streams.fork(bin)),
                    "launching DRAM runs");
      first += sizes[bin];
    }
    for (std::uint32_t bin = 0; bin < kBins; ++bin) {
      if (sizes[bin] != 0) streams.join(bin);
    }
  }

  DramState& state_;
  const DramWorkload& workload_;
  const DeviceTuning& tuning_;
  const DeviceKernels& kernels_;
  const Uploaded& uploaded_;
  std::uint32_t part_;  // most requests at hand, of a trace in parts
  // Of the attempt at hand:
  bool exact_ = false;
  ScratchSize scratch_{0, 0, 0};
  std::vector<TracePart> parts_;
};

}  // namespace

void run_on_devices(const DramWorkload& workload, std::span<const ControllerParams> params, Devices& devices, std::span<Run> runs,
                    const DeviceTuning& tuning) {
  if (tuning.block == 0 || tuning.block % 32 != 0 || tuning.block > kLargestBlock || tuning.chunk == 0 ||
      tuning.shape == Kernel::exact) {
    throw Error("internal error: a device's block has 32, 64, ... " + std::to_string(kLargestBlock) +
                " threads, and the single pass is dense or in lanes");
  }
  devices.for_each_share(params.size(), [&](Device& device, std::size_t first, std::size_t count) {
    DramChunks chunks(device, workload, tuning);
    run_chunks(workload, params.subspan(first, count), chunks, runs.subspan(first, count));
  });
}

void run_chunks(const DramWorkload& workload, std::span<const ControllerParams> params, DramChunkDevice& device,
                std::span<Run> runs) {
  exarch::run_chunks(params, Attempt{workload.exact_from_start, 0}, device,
                     [&](std::size_t candidate, const RunResult& result, const Attempt& attempt) -> std::optional<Attempt> {
                       if (result.status == Status::tie) return Attempt{true, 0};
                       if (result.status == Status::out_of_space) return Attempt{attempt.exact, attempt.enlarged + 1};
                       runs[candidate] = {result, attempt.exact};
                       return std::nullopt;
                     });
}

ScratchSize scratch_for(const WorkloadView& workload, const Attempt& attempt, std::span<const ControllerParams> params) {
  ScratchSize largest{0, 0, 0};
  for (const ControllerParams& candidate : params) {
    const ScratchSize size = usual_scratch(workload, candidate);
    largest = {std::max(largest.slots, size.slots), std::max(largest.pending, size.pending), std::max(largest.heap, size.heap)};
  }
  for (unsigned i = 0; i < attempt.enlarged; ++i) {
    const ScratchSize larger = larger_scratch(workload, largest);
    if (larger.pending == largest.pending && larger.heap == largest.heap) {
      throw Error("internal error: a run outgrew its largest scratch area");
    }
    largest = larger;
  }
  return largest;
}

std::vector<TracePart> trace_parts(std::uint32_t count, std::uint32_t capacity, std::uint32_t overlap) {
  if (capacity >= count) return {{0, count}};
  if (capacity <= overlap) return {};
  std::vector<TracePart> parts{{0, capacity}};
  while (parts.back().end < count) {
    const std::uint32_t first = parts.back().end - overlap;
    parts.push_back({first, first + std::min(capacity, count - first)});
  }
  return parts;
}

}  // namespace exarch::dram
