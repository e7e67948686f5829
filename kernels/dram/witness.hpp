// What a run proves about its neighbours: the extremes of every comparison with a limit that the run made.
//
// If no comparison would have come out differently with another limit, the run with that limit is the same step by step, and its
// result can be shared without simulating it (equal_run_* below). A limit that was hit is shared with nobody.
#pragma once

#include <cstdint>

#include "kernels/core/config.hpp"
#include "kernels/dram/types.hpp"

namespace exarch::dram {

struct Witness {
  std::int64_t postponed_low, postponed_high;  // refresh balances compared with RefreshMaxPostponed
  std::int64_t pulledin_low;                   // lowest balance compared with -RefreshMaxPulledin
  std::uint32_t buffer_fill;                   // fullest the space test of the buffer's own type found it
  std::uint32_t buffer_total;                  // most requests in the buffer when one more entered
  std::uint32_t most_active;                   // most transactions active when one more arrived (Fifo/Reorder arbiter)
  bool postponed_forced, pulledin_limited;     // a limit was reached
  bool buffer_refused;                         // a request had to wait for buffer space
  bool active_waited;                          // a request had to wait for MaxActiveTransactions
};

EXARCH_HD constexpr void reset_witness(Witness& w) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 62;
  w = {kLimit, -kLimit, kLimit, 0, 0, 0, false, false, false, false};
}

// Would RefreshMaxPostponed = other have given the same run as `own`?
[[nodiscard]] EXARCH_HD constexpr bool equal_run_postponed(const Witness& w, std::uint32_t own, std::uint32_t other) {
  return own == other || (!w.postponed_forced && (other > w.postponed_high || other < w.postponed_low));
}

[[nodiscard]] EXARCH_HD constexpr bool equal_run_pulledin(const Witness& w, std::uint32_t own, std::uint32_t other) {
  return own == other || (!w.pulledin_limited && -static_cast<std::int64_t>(other) < w.pulledin_low);
}

[[nodiscard]] EXARCH_HD constexpr bool equal_run_active(const Witness& w, std::uint32_t own, std::uint32_t other) {
  return own == other || (!w.active_waited && other > w.most_active);
}

// Buffer type and size together: a buffer that never refused anyone is as good as any larger one, and as good as any type that
// could hold what it held.
[[nodiscard]] EXARCH_HD constexpr bool equal_run_buffer(const Witness& w, SchedulerBuffer own_type, std::uint32_t own_size,
                                                        SchedulerBuffer other_type, std::uint32_t other_size) {
  if (own_type == other_type && own_size == other_size) return true;
  if (w.buffer_refused) return false;
  return other_size > (own_type == other_type ? w.buffer_fill : w.buffer_total);
}

}  // namespace exarch::dram
