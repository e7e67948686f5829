// What the counters of a channel cost: DRAMPower's energy, power and the bandwidths, as the reference simulator computes them.
#pragma once

#include "host/dram/memspec.hpp"
#include "kernels/dram/system/types.hpp"

namespace exarch::dram {

// NaN where the reference divides zero by zero: the power of a channel without a command, the busy bandwidth of one without a
// request.
struct EnergyShares {
  double activate = 0, precharge = 0, read = 0, write = 0, refresh = 0;  // pJ of all devices
  double background = 0;                                                 // standby, power-down and self-refresh
};

struct ChannelMetrics {
  double total_energy_pj = 0, average_power_mw = 0;  // of all devices; 0 where DRAMSys 4.0 has no energy model
  double avg_bw_gbps = 0, avg_bw_idle_gbps = 0;      // over the whole time; over the time that the controller held requests
  double max_bw_gbps = 0;
  EnergyShares energy;  // of total_energy_pj
};

[[nodiscard]] ChannelMetrics price_channel(const MemSpec& memspec, const system::SystemCounters& counters);

}  // namespace exarch::dram
