// The protocol of one memory standard as plain dense data: what a controller must respect on DDR3, DDR4, LPDDR4, HBM2 or WideIO.
//
// The host builds it once per memory from rows {next, previous, scope, distance} in JEDEC's names; the system kernel
// (kernels/dram/system) and the reference model read it. Every time is a whole number of controller clock cycles (tCK) unless
// a name ends in _ps. The default values describe a memory without any constraint; see add() for how rows go in.
//
// Example, two rows of DDR4:
//   Protocol p;
//   p.add(Command::RD, Command::ACT, Scope::bank, tRCD - tAL);
//   p.add(Command::RD, Command::WR, Scope::group, tWL + burst + tWTR_L);
#pragma once

#include <cstdint>

#include "kernels/core/config.hpp"

namespace exarch::dram::system {

// JEDEC's names; REFB is REFpb of LPDDR4 and REFSB of HBM2. PDE/PDX: power-down entry and exit, A with a bank open, P with none.
enum class Command : std::uint8_t { NONE, ACT, RD, RDA, WR, WRA, PRE, PREA, REFA, REFB, PDEA, PDXA, PDEP, PDXP, SREFEN, SREFEX };
inline constexpr std::uint32_t kCommands = 16;

[[nodiscard]] EXARCH_HD constexpr std::uint32_t code_of(Command command) {
  return static_cast<std::uint32_t>(command);
}
[[nodiscard]] EXARCH_HD constexpr bool is_cas(Command command) {
  return command >= Command::RD && command <= Command::WRA;
}
[[nodiscard]] EXARCH_HD constexpr bool is_write_cas(Command command) {
  return command == Command::WR || command == Command::WRA;
}
[[nodiscard]] EXARCH_HD constexpr bool closes_by_itself(Command command) {
  return command == Command::RDA || command == Command::WRA;
}

// Which earlier command of that name a distance counts from: the last one on
//   bank        the same bank
//   group       any bank of the same bank group
//   rank        any bank of the same rank
//   other_rank  the channel, if that one went to another rank; no constraint if it went to the same rank
//   any_rank    the channel, whatever its rank
enum class Scope : std::uint8_t { bank, group, rank, other_rank, any_rank };
inline constexpr std::uint32_t kScopes = 5;

inline constexpr std::int32_t kNoConstraint = -0x7FFFFFFF;

inline constexpr std::uint32_t kMaxRanks = 8;             // of a channel; HBM2: its pseudo channels
inline constexpr std::uint32_t kMaxBanksPerRank = 32;     // all groups together
inline constexpr std::uint32_t kMaxBanksPerChannel = 64;  // all ranks together
inline constexpr std::uint32_t kMaxActivateWindow = 4;

struct Protocol {
  // (scope, next, previous): `next` may be issued `distance` cycles after the first cycle of that `previous`, or later;
  // kNoConstraint where there is no row. May be negative. Where the sum of both times is below zero, `next` is never ready.
  std::int32_t distance[kScopes][kCommands][kCommands];

  // Cycles a command occupies its bus: the next command of that bus may begin right after them.
  std::uint32_t length[kCommands];

  // 1: one command bus. 2: RD, RDA, WR, WRA use the column bus and all others the row bus (HBM2).
  std::uint32_t command_buses;
  // The first command of a bus may not be issued before tCK - 1 ps (HBM2): from then on its times may be off the clock's edges.
  bool first_use_of_bus_waits;

  // Activate window, per rank: ACT needs `act` cycles from the last cycle of the `count`-th last ACT of its rank (DDR: tFAW,
  // WideIO: two activates, tTAW). Where `counts_refb`, REFB enters the window too and needs `refb` cycles itself (LPDDR4, HBM2).
  // The last cycle of a command at T is T + length - 1.
  struct ActivateWindow {
    std::uint32_t count;  // 1..kMaxActivateWindow
    std::int32_t act, refb;
    bool counts_refb;
  } window;

  // First cycle of a CAS to the end of its data (spec: R - T), without think and phy delays.
  std::uint32_t read_data_end, write_data_end;

  // Refresh. refresh_interval: REFA to REFA (DDR4: of its fine granularity); per_bank_interval: REFB to REFB, 0 if the standard
  // has none. What follows a refresh stands in `distance`.
  std::uint32_t refresh_interval, per_bank_interval;
  // REFB after REFB of its rank when the number of REFB issued on the rank so far is a multiple of the banks per rank (HBM2); it
  // takes the place of distance[rank][REFB][REFB] then. kNoConstraint: no such rule.
  std::int32_t refb_after_full_round;

  // Shape of one channel.
  std::uint32_t ranks;            // 1..kMaxRanks
  std::uint32_t banks_per_rank;   // 1..kMaxBanksPerRank
  std::uint32_t banks_per_group;  // divides banks_per_rank; equal to it where there are no groups

  std::uint32_t tck_ps;  // 10^6 / clkMhz, rounded to the nearest ps
  std::uint32_t burst;   // data cycles of a burst: burstLength / dataRate

  // What the counting of energy needs (DRAMPower), cycles.
  struct Energy {
    bool modelled;  // false for LPDDR4 and HBM2: nothing is counted
    // RDA and WRA close their bank at max(CAS + this, ACT + tRAS).
    std::uint32_t implicit_pre_read, implicit_pre_write;
    std::uint32_t tRAS, tRFC, tRP;
    std::uint32_t min_self_refresh;  // tCKESR: a shorter self-refresh is complained about
    // The books close this many cycles, less one, after the last entry.
    std::uint32_t end_width[kCommands];
  } energy;

  constexpr Protocol()
      : distance{},
        length{},
        command_buses(1),
        first_use_of_bus_waits(false),
        window{4, 0, 0, false},
        read_data_end(0),
        write_data_end(0),
        refresh_interval(0),
        per_bank_interval(0),
        refb_after_full_round(kNoConstraint),
        ranks(1),
        banks_per_rank(8),
        banks_per_group(8),
        tck_ps(0),
        burst(0),
        energy{} {
    for (auto& scope : distance) {
      for (auto& next : scope) {
        for (std::int32_t& cell : next) cell = kNoConstraint;
      }
    }
    for (std::uint32_t& cycles : length) cycles = 1;
  }

  // A row; of several for the same place the largest counts.
  constexpr void add(Command next, Command previous, Scope scope, std::int32_t cycles) {
    std::int32_t& cell = distance[static_cast<std::uint32_t>(scope)][code_of(next)][code_of(previous)];
    cell = max_of(cell, cycles);
  }

  [[nodiscard]] EXARCH_HD constexpr std::uint32_t banks() const { return ranks * banks_per_rank; }
  [[nodiscard]] EXARCH_HD constexpr std::uint32_t groups() const { return banks() / banks_per_group; }
  [[nodiscard]] EXARCH_HD constexpr std::uint32_t bus_of(Command command) const {
    return command_buses == 2 && is_cas(command) ? 1 : 0;
  }
};

}  // namespace exarch::dram::system
