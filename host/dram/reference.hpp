// The slow, obvious DRAM controller model: the yardstick of the fast kernels.
//
// Follows the reference simulator's event order exactly (messages, rounds, the binary heap of timed notifications) and looks
// every distance up in a table of timing constraints. It is never optimised. `exarch eval --engine reference` runs it.
// reference/ has its parts: events, timing, queues, managers (refresh, power-down), controller, players, energy.
#pragma once

#include <cstdint>
#include <vector>

#include "host/dram/standards/standard.hpp"
#include "kernels/dram/system/types.hpp"
#include "kernels/dram/types.hpp"

namespace exarch::dram {

// ---- any memory ---------------------------------------------------------------------------------------------------------

struct SystemCommand {
  std::uint64_t time_ps;
  system::Command command;
  std::uint32_t channel, rank;
  std::uint32_t bank;     // of the channel; 0 for commands to a whole rank
  std::uint64_t request;  // from 1, in the order in which the players make them; 0 for refresh and power-down
};

// A request's way, as the reference model went it. Times in ps; kNotReached where a run ended before.
inline constexpr std::uint64_t kNotReached = ~0ull;
struct SystemRequest {
  std::uint64_t id = 0;                          // as SystemCommand::request; 0: its player never came to make it
  std::uint32_t player = 0, number = 0;          // the number-th of its player, from 0
  std::uint64_t arrival_ps = kNotReached;        // at the arbiter
  std::uint64_t stored_ps = kNotReached;         // in the controller's buffer
  std::uint64_t first_command_ps = kNotReached;  // the first issued for it: PRE, ACT or its CAS
  std::uint64_t cas_ps = kNotReached;
  std::uint64_t response_ps = kNotReached;  // at its player
  RowOutcome outcome = kRowOutcomes;        // kRowOutcomes: no CAS
};

struct SystemRun {
  system::SystemStatus status = system::SystemStatus::ok;
  std::vector<system::SystemCounters> channels;
  std::vector<SystemCommand> commands;  // channel by channel in issue order, when asked for
  std::vector<SystemRequest> requests;  // player by player in order of its trace, likewise
};

// Simulates one candidate on one workload, whose protocol is that of `table`. `max_steps` bounds the number of controller steps
// (SystemStatus::step_limit). A run that refreshes for ever without serving another request is SystemStatus::endless.
[[nodiscard]] SystemRun simulate_system_reference(const system::SystemView& view, const ProtocolTable& table,
                                                  const ControllerParams& params, bool keep_commands = false,
                                                  std::uint64_t max_steps = ~0ull);

// ---- DDR3 with one rank, in the terms of its own kernels ----------------------------------------------------------------

enum class Command : std::uint8_t { ACT, PRE, PREA, RD, RDA, WR, WRA, REFA };

struct IssuedCommand {
  std::uint64_t cycle;
  Command command;
  std::uint32_t bank;     // 0 for PREA, REFA
  std::uint32_t request;  // id from 1; 0 for refresh commands
};

struct ReferenceResult {
  Status status = Status::ok;
  // idle_cycles_fifo and idle_cycles_reorder: only the one of the candidate's own response order is meaningful; both hold it.
  Counters counters{};
  std::vector<IssuedCommand> commands;  // in issue order, when asked for
};

// Simulates one candidate on one workload. `max_steps` bounds the number of controller steps (Status::step_limit).
[[nodiscard]] ReferenceResult simulate_reference(const WorkloadView& workload, const ControllerParams& params,
                                                 bool keep_commands = false, std::uint64_t max_steps = ~0ull);

}  // namespace exarch::dram
