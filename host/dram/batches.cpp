#include "host/dram/batches.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "host/error.hpp"

namespace exarch::dram {
namespace {

// Candidates that need the same attempt: which kernel, and how many times the scratch areas were enlarged.
struct Attempt {
  bool exact;
  unsigned enlarged;
  bool operator<(const Attempt& other) const { return std::tie(exact, enlarged) < std::tie(other.exact, other.enlarged); }
};

class ChunkRunner {
 public:
  ChunkRunner(const DramWorkload& workload, std::span<const ControllerParams> params, ChunkDevice& device,
              std::span<RunResult> results, std::span<std::uint8_t> exact)
      : workload_(workload), params_(params), device_(device), results_(results), exact_(exact) {}

  void run() {
    std::vector<std::uint32_t> all(params_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint32_t>(i);
    if (!all.empty()) open_[{workload_.exact_from_start, 0}] = std::move(all);
    while (!open_.empty()) {
      const auto node = open_.extract(open_.begin());
      run_attempt(node.key(), node.mapped());
    }
  }

 private:
  // What every candidate of the list is given; a run's result does not depend on having more than it needs.
  [[nodiscard]] ScratchSize scratch_of(const Attempt& attempt, std::span<const std::uint32_t> candidates) const {
    ScratchSize largest{0, 0, 0};
    for (const std::uint32_t candidate : candidates) {
      const ScratchSize size = usual_scratch(workload_.view, params_[candidate]);
      largest = {std::max(largest.slots, size.slots), std::max(largest.pending, size.pending), std::max(largest.heap, size.heap)};
    }
    for (unsigned i = 0; i < attempt.enlarged; ++i) {
      const ScratchSize larger = larger_scratch(workload_.view, largest);
      if (larger.pending == largest.pending && larger.heap == largest.heap) {
        throw Error("internal error: a run outgrew its largest scratch area");
      }
      largest = larger;
    }
    return largest;
  }

  void run_attempt(const Attempt& attempt, std::span<const std::uint32_t> candidates) {
    const ScratchSize scratch = scratch_of(attempt, candidates);
    std::size_t limit = device_.capacity(scratch, attempt.exact);
    std::array<std::span<const std::uint32_t>, ChunkDevice::kQueues> in_flight{};
    const auto collect = [&](unsigned queue) {
      if (!in_flight[queue].empty()) take_results(attempt, std::exchange(in_flight[queue], {}), device_.finish(queue));
    };
    unsigned queue = 0;
    std::vector<ControllerParams> chunk;
    for (std::size_t next = 0; next < candidates.size();) {
      collect(queue);
      const auto part = candidates.subspan(next, std::min(limit, candidates.size() - next));
      chunk.clear();
      for (const std::uint32_t candidate : part) chunk.push_back(params_[candidate]);
      if (device_.start(queue, {chunk, scratch, attempt.exact})) {
        in_flight[queue] = part;
        next += part.size();
        queue = (queue + 1) % ChunkDevice::kQueues;
        continue;
      }
      if (part.size() == 1) {
        throw Error("not enough device memory for a single run of this workload (" + std::to_string(workload_.view.count) +
                    " requests); use --backend cpu, which gives the same results");
      }
      limit = part.size() / 2;
    }
    // The older chunk first.
    for (unsigned i = 0; i < ChunkDevice::kQueues; ++i) collect((queue + i) % ChunkDevice::kQueues);
  }

  void take_results(const Attempt& attempt, std::span<const std::uint32_t> candidates, std::span<const RunResult> chunk) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const std::uint32_t candidate = candidates[i];
      if (chunk[i].status == Status::tie) {
        open_[{true, 0}].push_back(candidate);
      } else if (chunk[i].status == Status::out_of_space) {
        open_[{attempt.exact, attempt.enlarged + 1}].push_back(candidate);
      } else {
        results_[candidate] = chunk[i];
        exact_[candidate] = attempt.exact;
      }
    }
  }

  const DramWorkload& workload_;
  std::span<const ControllerParams> params_;
  ChunkDevice& device_;
  std::span<RunResult> results_;
  std::span<std::uint8_t> exact_;
  std::map<Attempt, std::vector<std::uint32_t>> open_;
};

}  // namespace

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

void run_chunks(const DramWorkload& workload, std::span<const ControllerParams> params, ChunkDevice& device,
                std::span<RunResult> results, std::span<std::uint8_t> exact) {
  ChunkRunner(workload, params, device, results, exact).run();
}

}  // namespace exarch::dram
