// DRAMPower's view of a channel's command log.
#pragma once

#include <vector>

#include "host/dram/reference/controller.hpp"

namespace exarch::dram::reference {

// Counts the commands and the states of the channel, ill-timed ones as the power model takes them.
// `delay`: cycles from a command's issue to the memory.
[[nodiscard]] system::EnergyCounters count_energy(const std::vector<LoggedCommand>& log, const Protocol& protocol,
                                                  std::uint64_t delay);

}  // namespace exarch::dram::reference
