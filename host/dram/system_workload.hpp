// A workload of any memory: one trace for each initiator, decoded, with the clocks, delays and the protocol that the system
// kernel and the reference model need.
//
//   SystemSetup setup;
//   setup.memspec = "MICRON_4Gb_DDR4-2400_8bit_A";
//   setup.mapping = "am_ddr4_8x4Gbx8_dimm_p1KB_brc";
//   setup.traces = "cloud-1+random";
//   setup.clk_mhz = "800+1600";
//   const auto workload = load_system_workload(setup);
//   simulate_system_reference(workload->view, workload->table, params);
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/dram/memspec.hpp"
#include "host/dram/standards/standard.hpp"
#include "kernels/dram/system/types.hpp"

namespace exarch::dram {

// DRAMSys' keys of the controller's path delays, in ns, and where each goes.
struct DelayKey {
  std::string_view name;
  std::uint32_t system::Delays::*cycles;
};
inline constexpr std::array<DelayKey, 6> kDelayKeys{{{"ArbitrationDelayFw", &system::Delays::arbitration_forward},
                                                     {"ArbitrationDelayBw", &system::Delays::arbitration_backward},
                                                     {"ThinkDelayFw", &system::Delays::think_forward},
                                                     {"ThinkDelayBw", &system::Delays::think_backward},
                                                     {"PhyDelayFw", &system::Delays::phy_forward},
                                                     {"PhyDelayBw", &system::Delays::phy_backward}}};

struct SystemSetup {
  std::string memspec, mapping;
  std::string traces;   // one per initiator, joined with "+"
  std::string clk_mhz;  // of each initiator, joined likewise; one for all is enough
  std::uint64_t address_offset = 0;
  std::array<std::uint64_t, kDelayKeys.size()> delays_ns{};
};

// Refers to itself: is neither copied nor moved.
struct SystemWorkload {
  MemSpec memspec;
  ProtocolTable table;
  std::vector<std::vector<system::Request>> requests;  // (player, request)
  system::SystemView view{};
  std::uint64_t out_of_range = 0;  // requests above the memory; their addresses wrap
  std::uint64_t refreshes = 0;     // refresh commands within the trace's time, at most
  std::uint64_t step_budget = 0;   // more steps than a run needs that makes progress
  std::vector<std::string> warnings;

  SystemWorkload() = default;
  SystemWorkload(const SystemWorkload&) = delete;
  SystemWorkload& operator=(const SystemWorkload&) = delete;
};

// Longest trace, in controller cycles: 23 minutes at 800 MHz, some 10^8 refreshes to step through.
inline constexpr std::uint64_t kMaxSpan = std::uint64_t{1} << 40;

// MHz of each initiator, from numbers joined with "+"; UsageError for anything else.
[[nodiscard]] std::vector<std::uint32_t> player_clocks(const std::string& text);

// Throws Error or UsageError, naming the file or the field.
[[nodiscard]] std::unique_ptr<SystemWorkload> load_system_workload(const SystemSetup& setup);

// Why a candidate cannot run on a memory, "" if it can: refresh bank by bank, or power-down, that the memory has not.
[[nodiscard]] std::string unable(const MemSpec& memspec, const ControllerParams& params);

}  // namespace exarch::dram
