// How a batch of candidates is run on a device that takes thousands at once, for every model: cut into chunks that fit its
// memory, two chunks in flight, halved where memory is short, and repeated where an attempt leaves a run open.
//
// run_chunks() has the loop and knows no memory; a ChunkDevice is what runs a chunk. DeviceChunks is the one on a Device:
// buffers, copies up and down. A model derives from it and adds its own memory and its launch. Example: host/maestro/device.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/env/environment.hpp"
#include "host/error.hpp"
#include "host/execute/devices.hpp"

namespace exarch {

// `Attempt` says how candidates are run: which kernel, how much scratch memory. Attempts are ordered; the least is made first.
template <class Candidate, class Result, class Attempt>
class ChunkDevice {
 public:
  static constexpr unsigned kQueues = Device::kQueues;

  virtual ~ChunkDevice() = default;
  // Chunks of these candidates follow, all in this attempt. No chunk is in flight.
  virtual void begin(const Attempt& attempt, std::span<const Candidate> candidates) = 0;
  // Most candidates worth giving to a queue at once, at least 1.
  [[nodiscard]] virtual std::size_t capacity() const = 0;
  // Starts a chunk on an idle queue; false if there is not enough memory for it. `chunk` need not outlive the call.
  [[nodiscard]] virtual bool start(unsigned queue, std::span<const Candidate> chunk) = 0;
  // Waits for the queue's chunk; (candidate), valid until the queue's next start().
  [[nodiscard]] virtual std::span<const Result> finish(unsigned queue) = 0;
};

// Runs all candidates to the end. take(candidate, result, attempt) keeps a result, or says in which attempt the candidate is to
// be run again: std::optional<Attempt>. It is called in no particular order.
template <class Candidate, class Result, class Attempt, class Take>
void run_chunks(std::span<const Candidate> candidates, const Attempt& first, ChunkDevice<Candidate, Result, Attempt>& device,
                const Take& take) {
  constexpr unsigned kQueues = ChunkDevice<Candidate, Result, Attempt>::kQueues;
  std::map<Attempt, std::vector<std::size_t>> open;  // the candidates of an attempt to come, ascending in the first
  if (!candidates.empty()) {
    open[first].resize(candidates.size());
    std::iota(open[first].begin(), open[first].end(), std::size_t{0});
  }
  while (!open.empty()) {
    const auto node = open.extract(open.begin());
    const Attempt& attempt = node.key();
    const std::span<const std::size_t> numbers = node.mapped();
    std::vector<Candidate> gathered;
    gathered.reserve(numbers.size());
    for (const std::size_t number : numbers) gathered.push_back(candidates[number]);
    device.begin(attempt, gathered);

    std::array<std::span<const std::size_t>, kQueues> in_flight{};
    const auto collect = [&](unsigned queue) {
      const auto chunk = std::exchange(in_flight[queue], {});
      if (chunk.empty()) return;
      const std::span<const Result> results = device.finish(queue);
      for (std::size_t i = 0; i < chunk.size(); ++i) {
        if (const std::optional<Attempt> again = take(chunk[i], results[i], attempt)) open[*again].push_back(chunk[i]);
      }
    };
    std::size_t limit = device.capacity();
    unsigned queue = 0;
    for (std::size_t next = 0; next < numbers.size();) {
      collect(queue);
      const std::size_t count = std::min(limit, numbers.size() - next);
      if (device.start(queue, std::span(gathered).subspan(next, count))) {
        in_flight[queue] = numbers.subspan(next, count);
        next += count;
        queue = (queue + 1) % kQueues;
        continue;
      }
      if (count == 1) {
        throw Error(
            "not enough device memory for a single run of this workload; use --backend cpu, which gives the same results");
      }
      limit = count / 2;
    }
    // The older chunk first.
    for (unsigned i = 0; i < kQueues; ++i) collect((queue + i) % kQueues);
  }
}

// A chunk's buffers on a device, and the copies in and out. What a queue has is kept in a Buffers, which lives with the device.
template <class Candidate, class Result, class Attempt>
class DeviceChunks : public ChunkDevice<Candidate, Result, Attempt> {
 public:
  using ChunkDevice<Candidate, Result, Attempt>::kQueues;

  struct Buffers {
    explicit Buffers(const DeviceRuntime& runtime)
        : host_candidates(runtime, MemoryKind::pinned),
          host_results(runtime, MemoryKind::pinned),
          candidates(runtime, MemoryKind::device),
          results(runtime, MemoryKind::device) {}
    DeviceBuffer host_candidates, host_results, candidates, results;  // (candidate)
  };
  // The buffers of all queues: a Device::state().
  struct State {
    explicit State(const DeviceRuntime& runtime) : queues{Buffers(runtime), Buffers(runtime)} {}
    std::array<Buffers, kQueues> queues;
  };

  // At most `most` candidates are launched at once.
  DeviceChunks(Device& device, std::size_t most) : device_(device), state_(device.state<State>()), most_(most) {}
  DeviceChunks(const DeviceChunks&) = delete;
  DeviceChunks& operator=(const DeviceChunks&) = delete;
  // An exception may leave chunks in flight whose buffers are about to be reused.
  ~DeviceChunks() override {
    for (unsigned queue = 0; queue < kQueues; ++queue) device_.queue(queue).drain();
  }

  [[nodiscard]] std::size_t capacity() const final {
    const std::size_t each = sizeof(Candidate) + sizeof(Result) + bytes_each();
    return std::clamp<std::size_t>((device_.queue_bytes() - bytes_shared()) / each, 1, most_);
  }

  [[nodiscard]] bool start(unsigned queue, std::span<const Candidate> chunk) final {
    Buffers& buffers = state_.queues[queue];
    const std::size_t result_bytes = chunk.size() * sizeof(Result);
    if (!buffers.host_candidates.reserve(chunk.size_bytes()) || !buffers.host_results.reserve(result_bytes) ||
        !buffers.candidates.reserve(chunk.size_bytes()) || !buffers.results.reserve(result_bytes) ||
        !reserve(queue, static_cast<std::uint32_t>(chunk.size()))) {
      return false;
    }
    DeviceQueue& streams = device_.queue(queue);
    std::memcpy(buffers.host_candidates.as(), chunk.data(), chunk.size_bytes());
    streams.copy_to(buffers.candidates, buffers.host_candidates.as(), chunk.size_bytes());
    launch(queue, chunk, buffers.candidates.template as<const Candidate>(), buffers.results.template as<Result>());
    streams.copy_from(buffers.results, buffers.host_results.as(), result_bytes);
    counts_[queue] = chunk.size();
    return true;
  }

  [[nodiscard]] std::span<const Result> finish(unsigned queue) final {
    device_.queue(queue).wait();
    return {state_.queues[queue].host_results.template as<const Result>(), counts_[queue]};
  }

 protected:
  // Device memory per candidate beyond itself and its result, and per queue beyond all candidates, below queue_bytes().
  [[nodiscard]] virtual std::size_t bytes_each() const = 0;
  [[nodiscard]] virtual std::size_t bytes_shared() const { return 0; }
  // Reserves it for so many candidates; false if there is not enough.
  [[nodiscard]] virtual bool reserve(unsigned queue, std::uint32_t count) = 0;
  // Runs a chunk in the queue's streams. `chunk` is on the host; the buffers (candidate) are on the device.
  virtual void launch(unsigned queue, std::span<const Candidate> chunk, const Candidate* candidates, Result* results) = 0;

  [[nodiscard]] Device& device() const { return device_; }

 private:
  Device& device_;
  State& state_;
  std::size_t most_;
  std::array<std::size_t, kQueues> counts_{};
};

// What a model keeps on a device of the workloads it saw last. Workloads never change, so the one that is still the same object
// is still the same.
template <class Kept>
class KeptWorkloads {
 public:
  // usable(kept) tells whether what there is will do; otherwise make() gives a std::unique_ptr<Kept>.
  template <class Usable, class Make>
  const Kept& get(const Workload& workload, const Usable& usable, const Make& make) {
    const auto is_it = [&](const Entry& entry) { return entry.workload.lock().get() == &workload; };
    const auto known = std::ranges::find_if(entries_, is_it);
    if (known != entries_.end() && usable(*known->kept)) {
      std::rotate(known, known + 1, entries_.end());
      return *entries_.back().kept;
    }
    std::erase_if(entries_, [&](const Entry& entry) { return entry.workload.expired() || is_it(entry); });
    if (entries_.size() == kMost) entries_.erase(entries_.begin());
    entries_.push_back({workload.weak_from_this(), make()});
    return *entries_.back().kept;
  }

 private:
  static constexpr std::size_t kMost = 8;
  struct Entry {
    std::weak_ptr<const Workload> workload;
    std::unique_ptr<Kept> kept;
  };
  std::vector<Entry> entries_;  // the latest last
};

}  // namespace exarch
