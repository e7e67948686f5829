// A trace given to a run in parts: wherever the run pauses and whatever moves in memory meanwhile, it must end as with the whole
// trace, to the bit. This is what lets a device run traces that exceed its memory.
#include <gtest/gtest.h>

#include <cstring>
#include <type_traits>

#include "host/dram/device.hpp"
#include "kernels/dram/simulate.hpp"
#include "tests/support/array_lanes.hpp"
#include "tests/support/random_cases.hpp"

namespace exarch::dram {
namespace {

using namespace testing;

// A run's memory, in places of its own; moved to others between parts.
struct Memory {
  explicit Memory(const ScratchSize& size)
      : slots(size.slots), pending(size.pending), cas_order(size.pending), arrivals(size.pending), heap(size.heap) {}

  [[nodiscard]] Scratch scratch() {
    return {slots.data(),     static_cast<std::uint32_t>(slots.size()),
            pending.data(),   static_cast<std::uint32_t>(pending.size()),
            cas_order.data(), arrivals.data(),
            heap.data(),      static_cast<std::uint32_t>(heap.size())};
  }

  std::vector<BufferSlot> slots;
  std::vector<PendingResponse> pending;
  std::vector<std::uint32_t> cas_order, arrivals;
  std::vector<std::uint64_t> heap;
};

// Copies of a part's requests, exactly as long as the part, so that a sanitizer sees every read beyond it.
struct PartCopy {
  PartCopy(const WorkloadView& whole, const TracePart& part)
      : requests(whole.requests + part.first, whole.requests + part.end),
        next_same_row(whole.next_same_row + part.first, whole.next_same_row + part.end) {
    if (whole.has_writes) {
      previous_same_address.assign(whole.previous_same_address + part.first, whole.previous_same_address + part.end);
    }
    view = whole;
    view.requests = requests.data();
    view.next_same_row = next_same_row.data();
    view.previous_same_address = whole.has_writes ? previous_same_address.data() : nullptr;
    view.part_first = part.first;
    view.part_end = part.end;
  }

  std::vector<PackedRequest> requests;
  std::vector<std::uint32_t> next_same_row, previous_same_address;
  WorkloadView view;
};

template <template <PagePolicy, Choice, bool> class Run>
RunResult run_in_parts(const DramWorkload& workload, const ControllerParams& params, const ScratchSize& size,
                       const std::vector<TracePart>& parts) {
  RunResult result{};
  reset_witness(result.witness);
  dispatch_policies(params, workload.view.has_writes, [&]<PagePolicy kPolicy, Choice kChoice, bool kWrites>() {
    using State = Run<kPolicy, kChoice, kWrites>;
    static_assert(std::is_trivially_copyable_v<State>);
    std::vector<std::byte> kept(sizeof(State));
    Memory memory(size);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const PartCopy part(workload.view, parts[i]);
      Memory moved = memory;
      RunResult partial = result;
      State run;
      if (i == 0) {
        run.reset(part.view, params, workload.distances, moved.scratch(), partial.counters, partial.witness);
      } else {
        std::memcpy(static_cast<void*>(&run), kept.data(), sizeof run);
        run.resume(part.view, workload.distances, moved.scratch(), partial.counters, partial.witness);
      }
      partial.status = run.run(workload.step_budget);
      std::memcpy(kept.data(), &run, sizeof run);
      result = partial;
      memory = moved;
      if (result.status != Status::paused) return;
    }
  });
  return result;
}

RunResult run_in_parts(const DramWorkload& workload, const ControllerParams& params, Kernel kernel, const ScratchSize& size,
                       const std::vector<TracePart>& parts) {
  switch (kernel) {
    case Kernel::dense:
      return run_in_parts<DensePass>(workload, params, size, parts);
    case Kernel::lanes:
      return run_in_parts<testing::ArrayLanesPass>(workload, params, size, parts);
    case Kernel::exact:
      break;
  }
  return run_in_parts<EventOrder>(workload, params, size, parts);
}

void expect_parts_change_nothing(std::mt19937_64& rng, const DramWorkload& workload, const ControllerParams& params,
                                 bool single_pass) {
  ScratchSize size = usual_scratch(workload.view, params);
  size.pending = std::min(size.pending, 32u);
  const std::vector<TracePart> whole{{0, workload.view.count}};
  for (const Kernel kernel : {Kernel::dense, Kernel::lanes, Kernel::exact}) {
    if (kernel != Kernel::exact && !single_pass) continue;
    const RunResult want = run_in_parts(workload, params, kernel, size, whole);
    // The single pass reads nothing twice but the request at which it paused.
    const std::uint32_t overlap = kernel == Kernel::exact ? part_overlap(size) : 1;
    const auto capacity = static_cast<std::uint32_t>(overlap + 1 + rng() % (rng() % 3 == 0 ? 3 : 60));
    const auto parts = trace_parts(workload.view.count, capacity, overlap);
    const RunResult got = run_in_parts(workload, params, kernel, size, parts);
    const std::string what = describe(params) + " kernel " + std::to_string(static_cast<int>(kernel)) + ", " +
                             std::to_string(parts.size()) + " parts of " + std::to_string(capacity);
    EXPECT_EQ(got.status, want.status) << what;
    EXPECT_EQ(std::memcmp(&got.counters, &want.counters, sizeof want.counters), 0) << what;
    EXPECT_EQ(std::memcmp(&got.witness, &want.witness, sizeof want.witness), 0) << what;
  }
}

TEST(TraceParts, ChangeNothing) {
  std::mt19937_64 rng(0x9A275);
  for (int trace = 0; trace < 150 && !HasFailure(); ++trace) {
    const auto kind = static_cast<TraceKind>(trace % 5);
    auto requests = random_requests(rng, kind, 2 + rng() % 400);
    const bool relative = trace % 7 == 6;
    if (relative) {
      for (auto& request : requests) request.issue = rng() % 50;
    }
    const std::uint32_t clocks[] = {533, 1600, 1};
    const bool same_clock = trace % 3 != 2;
    const auto workload = make_workload(requests, relative, same_clock ? 800 : clocks[rng() % 3]);
    for (int i = 0; i < 8; ++i) expect_parts_change_nothing(rng, *workload, random_params(rng), same_clock);
  }
}

// The step budget counts the steps of all parts together.
TEST(TraceParts, ShareOneStepBudget) {
  std::mt19937_64 rng(0x57E9);
  const auto workload = make_workload(random_requests(rng, TraceKind::bursty, 300));
  for (const std::uint64_t budget : {1u, 50u, 99u, 300u, 700u, 100000u}) {
    workload->step_budget = budget;
    for (int i = 0; i < 20; ++i) expect_parts_change_nothing(rng, *workload, random_params(rng), true);
  }
}

TEST(TraceParts, CoverTheTraceOnceAndOverlap) {
  for (std::uint32_t count = 1; count < 60; ++count) {
    for (std::uint32_t overlap = 1; overlap < 9; ++overlap) {
      for (std::uint32_t capacity = 1; capacity < 70; ++capacity) {
        const auto parts = trace_parts(count, capacity, overlap);
        if (capacity < count && capacity <= overlap) {
          EXPECT_TRUE(parts.empty());
          continue;
        }
        ASSERT_FALSE(parts.empty());
        EXPECT_EQ(parts.front().first, 0u);
        EXPECT_EQ(parts.back().end, count);
        for (std::size_t i = 0; i < parts.size(); ++i) {
          EXPECT_LE(parts[i].end - parts[i].first, capacity);
          if (i > 0) {
            EXPECT_EQ(parts[i].first + overlap, parts[i - 1].end);
            EXPECT_GT(parts[i].end, parts[i - 1].end);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace exarch::dram
