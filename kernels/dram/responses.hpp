// When the player consumes each response, and what follows from it: latency, idle time, and which transactions are still active.
//
// Responses leave in CAS order (RespQueue Fifo with Arbiter Simple or Fifo) or in request order (any Reorder), at most one per
// cycle: E(i) = max(R(i), E(i-1) + 1), with R the end of the data.
#pragma once

#include <cstdint>

#include "kernels/dram/scratch.hpp"
#include "kernels/dram/types.hpp"
#include "kernels/dram/witness.hpp"

namespace exarch::dram {
inline namespace EXARCH_ISA {

template <class Shape>
struct Responses {
  PendingResponse* pending;
  std::uint32_t mask;
  bool in_request_order, windowed;
  std::uint32_t opened;         // requests the controller accepted
  std::uint32_t delivered;      // responses whose consumption time is known
  std::uint32_t passed;         // responses consumed before the latest arrival (windowed only)
  std::uint64_t last_end;       // consumption of the latest of them
  std::uint64_t last_data_end;  // latest data end so far
  Counters* counters;
  Witness* witness;

  // As Channel::attach().
  EXARCH_INLINE void attach(const Scratch& scratch, Counters& result, Witness& proof) {
    pending = scratch.pending;
    counters = &result;
    witness = &proof;
  }

  EXARCH_INLINE void reset(const ControllerParams& params, const Scratch& scratch, Counters& result, Witness& proof) {
    attach(scratch, result, proof);
    mask = scratch.pending_count - 1;
    in_request_order = params.resp_queue == RespQueue::Reorder || params.arbiter == Arbiter::Reorder;
    windowed = params.arbiter != Arbiter::Simple;
    opened = delivered = passed = 0;
    last_end = last_data_end = 0;
  }

  // Consumption time of response k, which must be delivered and not yet overwritten; `near` is any cycle within 2^31 of it.
  [[nodiscard]] EXARCH_INLINE std::uint64_t end_of(std::uint32_t k, std::uint64_t near) const {
    const std::uint32_t low = pending[k & mask].end;
    return near + static_cast<std::uint64_t>(
                      static_cast<std::int64_t>(static_cast<std::int32_t>(low - static_cast<std::uint32_t>(near))));
  }

  // The controller accepted request `index`. False if the ring is too small.
  EXARCH_INLINE bool open(std::uint32_t index, std::uint64_t arrival) {
    if (windowed) {
      if (arrival > last_end) {
        passed = delivered;
      } else {
        while (passed < delivered && end_of(passed, arrival) < arrival) ++passed;
      }
      if (Shape::leader()) witness->most_active = max_of(witness->most_active, index - passed);
      if (index - passed > mask) return false;
    } else if (in_request_order && index - delivered > mask) {
      return false;
    }
    ++opened;
    if (in_request_order) {
      const auto low = static_cast<std::uint32_t>(arrival);
      Shape::write(pending[index & mask], {low, low});
    }
    return true;
  }

  EXARCH_INLINE void count_latency(std::uint32_t cycles) {
    if (!Shape::leader()) return;
    counters->latency_sum += cycles;
    counters->latency_max = max_of<std::uint64_t>(counters->latency_max, cycles);
    ++counters->latency_histogram[latency_bucket(cycles)];
  }

  // The CAS of request `index` was issued; its data end at `data_end`.
  EXARCH_INLINE void close(std::uint32_t index, std::uint32_t arrival, std::uint64_t data_end) {
    last_data_end = max_of(last_data_end, data_end);
    if (!in_request_order) {
      if (windowed) Shape::write(pending[delivered & mask].end, static_cast<std::uint32_t>(data_end));
      ++delivered;
      last_end = data_end;
      count_latency(static_cast<std::uint32_t>(data_end) - arrival);
      return;
    }
    Shape::write(pending[index & mask].end, static_cast<std::uint32_t>(data_end));
    if (index != delivered) return;
    do {
      PendingResponse& response = pending[delivered & mask];
      last_end = max_of(end_of(delivered, data_end), last_end + 1);
      Shape::write(response.end, static_cast<std::uint32_t>(last_end));
      count_latency(static_cast<std::uint32_t>(last_end) - response.arrival);
      ++delivered;
    } while (known(delivered));
  }

  // Whether the data end of response k is known; a CAS never ends in the cycle of the arrival.
  [[nodiscard]] EXARCH_INLINE bool known(std::uint32_t k) const {
    return k < opened && pending[k & mask].end != pending[k & mask].arrival;
  }

  // A request is accepted in `cycle` while the buffer is empty: the controller was idle since the last response left it.
  EXARCH_INLINE void note_idle(std::uint64_t cycle) {
    if (!Shape::leader()) return;
    if (cycle > last_data_end) counters->idle_cycles_fifo += cycle - last_data_end;
    if (cycle > last_end) counters->idle_cycles_reorder += cycle - last_end;
  }

  EXARCH_INLINE void finish(std::uint32_t requests, bool simple) {
    if (!Shape::leader()) return;
    counters->cycles = last_end;
    counters->served = simple ? requests - 1 : requests;
    if (!simple) counters->idle_cycles_fifo += last_end - last_data_end;
  }
};

}  // namespace EXARCH_ISA
}  // namespace exarch::dram
