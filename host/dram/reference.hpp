// The slow, obvious DRAM controller model: the yardstick of the fast kernels.
//
// Follows the reference simulator's event order exactly (messages, rounds, the binary heap of timed notifications) and looks
// every distance up in a table of timing constraints. It is never optimised. `exarch eval --engine reference` runs it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/dram/types.hpp"

namespace exarch::dram {

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
