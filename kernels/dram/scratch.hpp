// Memory a run needs beyond its fixed state, provided by whoever launches it.
//
// The usual sizes suffice for nearly every run; a run that outgrows them stops with Status::out_of_space and is repeated with
// larger_scratch().
#pragma once

#include <cstdint>

#include "kernels/dram/types.hpp"
#include "kernels/dram/witness.hpp"

namespace exarch::dram {

// A waiting request, with all that the controller asks of it: a run reads the trace itself strictly forwards, and so can be given
// it in parts. Lists are per bank, in acceptance order, which is request order.
struct BufferSlot {
  std::uint32_t request;         // index into the trace
  std::uint32_t arrival;         // low 32 bits of the cycle in which it reached the arbiter
  std::uint32_t row_bank_write;  // as in PackedRequest
  std::uint32_t next_same_row;   // the next two as in WorkloadView, kNoRequest where the scheduler does not ask
  std::uint32_t previous_same_address;
  std::uint16_t next, previous;

  [[nodiscard]] EXARCH_HD constexpr std::uint32_t row() const { return row_of(row_bank_write); }
  [[nodiscard]] EXARCH_HD constexpr bool is_write() const { return write_of(row_bank_write); }
};
inline constexpr std::uint16_t kNoSlot = 0xFFFFu;
inline constexpr std::uint32_t kMaxBufferSlots = 0xFFFEu;

// Most requests the buffer can hold at once.
[[nodiscard]] EXARCH_HD constexpr std::uint64_t buffer_capacity(SchedulerBuffer type, std::uint64_t size) {
  return type == SchedulerBuffer::Bankwise    ? kMaxBanks * (size - 1) + 1
         : type == SchedulerBuffer::ReadWrite ? 2 * size - 1
                                              : size;
}

// A response that is, or will be, on its way. Ring by request index (responses in request order) or by CAS order.
struct PendingResponse {
  std::uint32_t end;      // low 32 bits of: data end, later consumption by the player; == arrival while unknown
  std::uint32_t arrival;  // low 32 bits of the cycle the request reached the arbiter
};

struct Scratch {
  BufferSlot* slots;  // (slot)
  std::uint32_t slot_count;
  PendingResponse* pending;     // (ring entry)
  std::uint32_t pending_count;  // a power of two
  // Exact kernel only:
  std::uint32_t* cas_order;  // (ring entry)
  std::uint32_t* arrivals;   // (ring entry)
  std::uint64_t* heap;       // (entry) of the event queue
  std::uint32_t heap_count;
};

struct ScratchSize {
  std::uint32_t slots, pending, heap;
};

[[nodiscard]] EXARCH_HD constexpr std::uint32_t power_of_two_at_least(std::uint64_t n) {
  std::uint32_t p = 1;
  while (p < n && p < (1u << 31)) p <<= 1;
  return p;
}

inline constexpr std::uint32_t kUsualPending = 1024;
// Dead entries accumulate until their time comes: up to one per request and refresh interval.
inline constexpr std::uint32_t kUsualHeap = 4096;

// One candidate's outcome; plain data.
struct RunResult {
  Counters counters;
  Witness witness;
  Status status;
};

// The kernels: the single pass in its two shapes (kernels/core/shape.hpp), and the exact order of simultaneous events.
enum class Kernel : std::uint8_t { dense, lanes, exact };

inline constexpr std::uint64_t kNoStepLimit = ~0ull;

// Requests before the end of a part that a run paused there may still have to read again: those on their way to the controller,
// of which its ring holds all.
[[nodiscard]] EXARCH_HD constexpr std::uint32_t part_overlap(const ScratchSize& size) {
  return size.pending + 2;
}

[[nodiscard]] EXARCH_HD constexpr ScratchSize usual_scratch(const WorkloadView& workload, const ControllerParams& params) {
  const std::uint64_t held = buffer_capacity(params.scheduler_buffer, params.request_buffer_size);
  const std::uint64_t window = params.arbiter == Arbiter::Simple
                                   ? kUsualPending
                                   : min_of<std::uint64_t>(std::uint64_t{params.max_active_transactions} + 2, kUsualPending);
  return {
      static_cast<std::uint32_t>(min_of<std::uint64_t>(min_of<std::uint64_t>(held, workload.count) + kMaxBanks, kMaxBufferSlots)),
      power_of_two_at_least(min_of<std::uint64_t>(window, std::uint64_t{workload.count} + 2)), kUsualHeap};
}

// What to try after `size` was not enough: more of everything that a run may outgrow. No run needs more than a ring entry per
// request and a few notifications per request.
[[nodiscard]] EXARCH_HD constexpr ScratchSize larger_scratch(const WorkloadView& workload, const ScratchSize& size) {
  const std::uint32_t ring = power_of_two_at_least(std::uint64_t{workload.count} + 2);
  const std::uint64_t heap = std::uint64_t{8} * workload.count + kUsualHeap;
  return {size.slots, static_cast<std::uint32_t>(min_of<std::uint64_t>(std::uint64_t{size.pending} * 8, ring)),
          static_cast<std::uint32_t>(min_of<std::uint64_t>(std::uint64_t{size.heap} * 8, heap))};
}

}  // namespace exarch::dram
