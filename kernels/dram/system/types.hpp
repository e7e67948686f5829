// What the system kernel runs: any standard of protocol.hpp, several ranks, channels and initiators, delays, power-down.
//
// Plain data. A candidate is ControllerParams, as for the DDR3 kernels. Times are picoseconds where a name ends in _ps, clock
// cycles (tCK) otherwise; ps, because HBM2 issues commands off the clock's edges.
#pragma once

#include <cstdint>

#include "kernels/dram/protocol.hpp"
#include "kernels/dram/types.hpp"

namespace exarch::dram::system {

inline constexpr std::uint32_t kMaxChannels = 8;
inline constexpr std::uint32_t kMaxPlayers = 4;

// One request of an initiator, decoded by the address mapping; 16 bytes.
struct alignas(16) Request {
  // Player cycles: absolute traces: since the previous request's earliest issue time (running maximum of the file's time stamps);
  // relative traces: the gap as written. The first request's counts from 0.
  std::uint32_t gap;
  std::uint32_t row;
  std::uint32_t address;  // equal for two requests of the workload exactly when their full addresses are equal
  std::uint8_t bank;      // of the channel, rank-major: rank * banks_per_rank + group * banks_per_group + bank
  std::uint8_t channel;
  std::uint8_t is_write;  // 0 or 1
  std::uint8_t unused = 0;
};
static_assert(sizeof(Request) == 16);

// An initiator: its trace and its clock.
struct Player {
  const Request* requests;  // (request)
  std::uint32_t count;      // >= 1
  std::uint32_t period_ps;  // 10^6 / clkMhz, rounded to the nearest ps; unit of the gaps
  bool relative;            // .rstl: gaps count from the previous acknowledgement
};

// Path delays of the controller, in cycles (ns over tCK, rounded half away from zero).
struct Delays {
  std::uint32_t arbitration_forward = 0, arbitration_backward = 0;  // Arbiter Simple only
  std::uint32_t think_forward = 0, think_backward = 0;
  std::uint32_t phy_forward = 0, phy_backward = 0;
};

// A workload as the system kernel sees it.
struct SystemView {
  Player players[kMaxPlayers];
  std::uint32_t player_count;   // 1..kMaxPlayers
  std::uint32_t channel_count;  // 1..kMaxChannels
  const Protocol* protocol;     // of every channel
  Delays delays;
};

// How a run ended.
enum class SystemStatus : std::uint8_t {
  ok = 0,
  stalled = 1,       // no event is left although an initiator has not finished; Total Time is that of the last event
  out_of_space = 2,  // the scratch area was too small: run again with larger_scratch()
  step_limit = 3,    // gave up after the step budget
  endless = 4,       // proved to go on for ever without serving another request
};

// What DRAMPower counts on one channel; cycles and commands. All zero where Energy::modelled is false.
struct EnergyCounters {
  std::uint64_t act, pre, rd, wr, ref;
  std::uint64_t active, precharged;                       // Cact, Cpre
  std::uint64_t active_power_down, precharge_power_down;  // CpdA, CpdP
  std::uint64_t self_refresh;                             // Csr
  std::int64_t self_refresh_active;            // SRa; -1 where SREFEN ends the log of a run without another self-refresh
  std::uint64_t self_refresh_precharged;       // SRp
  std::uint64_t exit_active, exit_precharged;  // UPa, UPp
  std::uint64_t complaint_lines;               // lines the original's power model writes to stderr

  // W: the cycles average power refers to.
  [[nodiscard]] EXARCH_HD constexpr std::uint64_t window() const {
    return active + precharged + active_power_down + precharge_power_down + self_refresh +
           static_cast<std::uint64_t>(self_refresh_active) + self_refresh_precharged + exit_active + exit_precharged;
  }
};

// What a run counts on one channel; exact integers.
struct SystemCounters {
  std::uint64_t time_ps;              // Total Time: the same for all channels
  std::uint64_t commands[kCommands];  // issued, by Command
  std::uint64_t row[kRowOutcomes];    // CAS by RowOutcome
  std::uint64_t served;               // responses whose handshake with the controller is complete
  std::uint64_t idle_ps;              // the controller holds no request
  EnergyCounters energy;
  std::uint64_t latency_sum_ps;  // arrival at the arbiter to response, summed over the channel's requests
  std::uint64_t latency_max_ps;
  std::uint32_t latency_histogram[kLatencyBuckets];  // by whole cycles
};

// One candidate's outcome; its counters, one per channel, lie where the caller said.
struct SystemResult {
  SystemStatus status;
  std::uint32_t players_finished;  // initiators whose last response came
  std::uint64_t last_finish_ps;    // when the latest of them finished; 0 if none did
  std::uint64_t steps;             // rounds of simultaneous events, for budgets
};

}  // namespace exarch::dram::system
