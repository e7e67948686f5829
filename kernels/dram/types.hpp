// The vocabulary of the DRAM controller model: what a candidate is, what a workload is, what a run counts.
//
// Plain data only, laid out once and shared by the single-pass kernel, the exact-order kernel, the reference model and
// the CUDA backend. Times are whole controller clock cycles (tCK) unless a name ends in _ps.
#pragma once

#include <cstdint>

#include "kernels/core/config.hpp"

namespace exarch::dram {

// Model version: part of every stored result. Raise it when any counter of any run changes.
inline constexpr char kModelVersion[] = "dramsys-4.0-archgym/1";

// Values are indices into the value lists of the design space, in ArchGym's order.
enum class PagePolicy : std::uint8_t { Open, OpenAdaptive, Closed, ClosedAdaptive };
enum class Scheduler : std::uint8_t { Fifo, FrFcfsGrp, FrFcfs };
enum class SchedulerBuffer : std::uint8_t { Bankwise, ReadWrite, Shared };
enum class RespQueue : std::uint8_t { Fifo, Reorder };
enum class RefreshPolicy : std::uint8_t { NoRefresh, AllBank, PerBank };  // PerBank: system kernel only
enum class Arbiter : std::uint8_t { Simple, Fifo, Reorder };
// System kernel only, beyond the first value of each.
enum class CmdMux : std::uint8_t { Oldest, Strict };
enum class PowerDownPolicy : std::uint8_t { NoPowerDown, Staggered };

// One candidate: the controller knobs that DRAMGym searches.
struct ControllerParams {
  PagePolicy page_policy = PagePolicy::Open;
  Scheduler scheduler = Scheduler::Fifo;
  SchedulerBuffer scheduler_buffer = SchedulerBuffer::Bankwise;
  RespQueue resp_queue = RespQueue::Fifo;
  RefreshPolicy refresh_policy = RefreshPolicy::NoRefresh;
  Arbiter arbiter = Arbiter::Simple;
  std::uint32_t request_buffer_size = 8;       // >= 1
  std::uint32_t refresh_max_postponed = 0;     // refresh commands
  std::uint32_t refresh_max_pulledin = 0;      // refresh commands
  std::uint32_t max_active_transactions = 64;  // >= 1; ignored by Arbiter::Simple
  CmdMux cmd_mux = CmdMux::Oldest;
  PowerDownPolicy power_down_policy = PowerDownPolicy::NoPowerDown;
};

inline constexpr std::uint32_t kMaxBanks = 8;  // DDR3, one rank

// JEDEC timing of one DDR3 memory, in cycles.
struct Timing {
  std::uint32_t tRCD, tRP, tRAS, tRC, tRRD, tFAW, tCCD, tRTP, tWR, tWTR, tRL, tWL, tAL, tREFI, tRFC;
  std::uint32_t burst;  // data cycles of one burst: burstLength / dataRate
  std::uint32_t banks;  // 1..kMaxBanks

  // Derived distances (DRAMSys 4.0, DDR3).
  [[nodiscard]] EXARCH_HD constexpr std::uint32_t read_to_write() const { return tRL + burst + 2 - tWL; }
  [[nodiscard]] EXARCH_HD constexpr std::uint32_t write_to_read() const { return tWL + burst + tWTR; }
  [[nodiscard]] EXARCH_HD constexpr std::uint32_t write_to_precharge() const { return tWL + burst + tWR; }
};

inline constexpr std::uint32_t kNoRequest = 0xFFFFFFFFu;

// Parts of row << 8 | bank << 1 | is_write.
[[nodiscard]] EXARCH_HD constexpr std::uint32_t row_of(std::uint32_t row_bank_write) {
  return row_bank_write >> 8;
}
[[nodiscard]] EXARCH_HD constexpr std::uint32_t bank_of(std::uint32_t row_bank_write) {
  return (row_bank_write >> 1) & 0x7Fu;
}
[[nodiscard]] EXARCH_HD constexpr bool write_of(std::uint32_t row_bank_write) {
  return (row_bank_write & 1u) != 0;
}

// One request of a trace, already decoded by the address mapping; 8 bytes.
struct alignas(8) PackedRequest {
  // Absolute traces: player cycles since the previous request's earliest issue time (never negative: the running
  // maximum of the file's time stamps, which no request can undercut). Relative traces: the gap as written.
  std::uint32_t gap;
  std::uint32_t row_bank_write;  // row << 8 | bank << 1 | is_write

  [[nodiscard]] EXARCH_HD constexpr std::uint32_t row() const { return row_of(row_bank_write); }
  [[nodiscard]] EXARCH_HD constexpr std::uint32_t bank() const { return bank_of(row_bank_write); }
  [[nodiscard]] EXARCH_HD constexpr bool is_write() const { return write_of(row_bank_write); }
};
static_assert(sizeof(PackedRequest) == 8);
inline constexpr std::uint32_t kMaxRowBits = 24;

// A workload as the kernels see it: the trace or a part of it, its clocks, the memory's timing.
struct WorkloadView {
  const PackedRequest* requests;               // (request - part_first) in trace order; request ids are index + 1
  const std::uint32_t* next_same_row;          // (same) next request of the trace to the same bank and row, or kNoRequest
  const std::uint32_t* previous_same_address;  // (same) previous request with the identical address, or kNoRequest; null
                                               // without writes, when no rule needs it
  std::uint32_t part_first, part_end;          // the requests at hand; a part that is not the last holds two or more
  std::uint32_t count;                         // of the whole trace: 1 .. kNoRequest - 1
  bool relative;                               // .rstl: gaps count from the previous acknowledgement
  bool has_writes;
  std::uint32_t player_period_ps;  // trace time unit
  std::uint32_t tck_ps;            // controller clock
  Timing timing;
};

enum class Status : std::uint8_t {
  ok = 0,
  tie = 1,            // single pass only: the outcome could depend on the order of simultaneous events; run the exact kernel
  out_of_space = 2,   // the scratch area was too small for this run; run again with larger_scratch()
  step_limit = 3,     // gave up after the step budget
  latency_limit = 4,  // a request waited kMaxWait cycles to enter the controller
  paused = 5,         // the part of the trace at hand is used up: resume() with the next one
};

// Latencies are kept in 32 bits; a run in which a request waits this long for its turn is given up rather than counted wrong.
inline constexpr std::uint32_t kMaxWait = 1u << 30;

// Latency histogram: buckets 0..7 hold 0..7 cycles, then four buckets per power of two; the last one is open.
inline constexpr std::uint32_t kLatencyBuckets = 64;

[[nodiscard]] EXARCH_HD constexpr std::uint32_t latency_bucket(std::uint64_t cycles) {
  const std::uint32_t log2_width = log2_floor(cycles | 4u) - 2u;
  return static_cast<std::uint32_t>(
      min_of<std::uint64_t>(std::uint64_t{4} * log2_width + (cycles >> log2_width), kLatencyBuckets - 1u));
}

// Largest latency a bucket holds (the last bucket has no upper end: use latency_max there).
[[nodiscard]] constexpr std::uint64_t latency_bucket_upper(std::uint32_t bucket) {
  if (bucket < 8) return bucket;
  const std::uint32_t log2 = 3 + (bucket - 8) / 4;
  const std::uint64_t quarter = (bucket - 8) % 4;
  return ((5 + quarter) << (log2 - 2)) - 1;
}

// How a CAS finds its row.
enum RowOutcome : std::uint32_t {
  kRowHit,       // an earlier CAS used it since its ACT
  kRowMiss,      // the first CAS after an ACT on a bank that was closed already
  kRowConflict,  // the first CAS after an ACT for which the controller had issued PRE
  kRowOutcomes,
};

// Everything a run counts; exact integers.
struct Counters {
  std::uint64_t cycles;                 // from 0 to the last response
  std::uint64_t act, pre, rd, wr, ref;  // commands; pre includes the implicit ones of RDA/WRA and the banks of PREA
  std::uint64_t active_cycles;          // DRAMPower: at least one bank open
  std::uint64_t precharged_cycles;      // DRAMPower: all others, up to the end of the last command
  std::uint64_t row[kRowOutcomes];      // CAS by RowOutcome
  std::uint64_t served;                 // responses whose handshake completed (one less than requests with Arbiter Simple)
  std::uint64_t idle_cycles_fifo;       // no request held, responses leaving the controller in CAS order (RespQueue Fifo)
  std::uint64_t idle_cycles_reorder;    // same, responses leaving in request order (RespQueue Reorder)
  std::uint64_t latency_sum;            // arrival at the arbiter to response, summed
  std::uint64_t latency_max;
  std::uint32_t latency_histogram[kLatencyBuckets];
};

}  // namespace exarch::dram
