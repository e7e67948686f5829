// DDR3 timing constraints as a table of JEDEC sentences, and the dense form the kernels use.
//
// A row says: `next` may not come earlier than `distance` cycles after the last `previous` within `scope`. The rows are those
// of the reference simulator's DDR3 checker (DRAMSys 4.0); a test proves that the dense form equals the rows.
#pragma once

#include <cstdint>

#include "kernels/dram/types.hpp"

namespace exarch::dram {

// The low bit of a CAS command is "with auto-precharge", so that code >> 1 is the command's timing class.
enum class CommandCode : std::uint8_t { NONE = 0, ACT = 2, PRE = 4, RD = 6, RDA = 7, WR = 8, WRA = 9, PREA = 10, REFA = 12 };

inline constexpr std::uint32_t kCommandCodes = 14;
inline constexpr std::uint32_t kTimingClasses = 8;  // NONE ACT PRE RD(A) WR(A) PREA REFA -

[[nodiscard]] EXARCH_HD constexpr std::uint32_t code_of(CommandCode command) {
  return static_cast<std::uint32_t>(command);
}
[[nodiscard]] EXARCH_HD constexpr std::uint32_t class_of(CommandCode command) {
  return code_of(command) >> 1;
}

enum class Scope : std::uint8_t { bank, rank };

struct TimingConstraint {
  CommandCode next, previous;
  Scope scope;
  std::uint32_t distance;  // cycles
};

inline constexpr std::uint32_t kMaxConstraints = 64;

struct ConstraintTable {
  TimingConstraint rows[kMaxConstraints];
  std::uint32_t count;
};

// All rows but the two that need a memory of their own: the command bus (any after any: 1) and the four-activate
// window (ACT after the fourth last ACT: tFAW).
[[nodiscard]] constexpr ConstraintTable ddr3_constraints(const Timing& t) {
  using enum CommandCode;
  ConstraintTable table{};
  const auto add = [&table](CommandCode next, CommandCode previous, Scope scope, std::uint32_t distance) {
    table.rows[table.count++] = {next, previous, scope, distance};
  };
  const std::uint32_t rd_pre = t.tAL + t.tRTP;
  const std::uint32_t wr_pre = t.write_to_precharge();
  // clang-format off
  constexpr CommandCode kReads[] = {RD, RDA};
  constexpr CommandCode kWrites[] = {WR, WRA};
  for (const CommandCode next : kReads) {
    add(next, ACT,  Scope::bank, t.tRCD - t.tAL);
    add(next, RD,   Scope::rank, t.tCCD);             add(next, RDA, Scope::rank, t.tCCD);
    add(next, WR,   Scope::rank, t.write_to_read());  add(next, WRA, Scope::rank, t.write_to_read());
  }
  add(RDA,  WR,   Scope::bank, wr_pre > t.tRTP ? wr_pre - t.tRTP : 0);
  for (const CommandCode next : kWrites) {
    add(next, ACT,  Scope::bank, t.tRCD - t.tAL);
    add(next, RD,   Scope::rank, t.read_to_write());  add(next, RDA, Scope::rank, t.read_to_write());
    add(next, WR,   Scope::rank, t.tCCD);             add(next, WRA, Scope::rank, t.tCCD);
  }
  add(ACT,  ACT,  Scope::bank, t.tRC);
  add(ACT,  ACT,  Scope::rank, t.tRRD);
  add(ACT,  RDA,  Scope::bank, rd_pre + t.tRP);
  add(ACT,  WRA,  Scope::bank, wr_pre + t.tRP);
  add(ACT,  PRE,  Scope::bank, t.tRP);
  add(ACT,  PREA, Scope::rank, t.tRP);
  add(ACT,  REFA, Scope::rank, t.tRFC);
  add(PRE,  ACT,  Scope::bank, t.tRAS);
  add(PRE,  RD,   Scope::bank, rd_pre);
  add(PRE,  WR,   Scope::bank, wr_pre);
  add(PREA, ACT,  Scope::rank, t.tRAS);
  add(PREA, RD,   Scope::rank, rd_pre);               add(PREA, RDA, Scope::rank, rd_pre);
  add(PREA, WR,   Scope::rank, wr_pre);               add(PREA, WRA, Scope::rank, wr_pre);
  add(REFA, ACT,  Scope::rank, t.tRC);
  add(REFA, RDA,  Scope::rank, rd_pre + t.tRP);
  add(REFA, WRA,  Scope::rank, wr_pre + t.tRP);
  add(REFA, PRE,  Scope::rank, t.tRP);                add(REFA, PREA, Scope::rank, t.tRP);
  add(REFA, REFA, Scope::rank, t.tRFC);
  // clang-format on
  return table;
}

// Columns of a bank's ready times.
enum BankColumn : std::uint32_t { kBankAct = 0, kBankCas = 1, kBankPre = 2, kBankRda = 3, kBankColumns = 4 };

// The same constraints as two dense matrices of distances: after `command` at T, rank-wide class k is ready no earlier than
// T + rank[command][k] (at least 1: the command bus), and its bank's column k no earlier than T + bank[command][k].
struct alignas(64) Distances {
  std::uint32_t rank[kCommandCodes][kTimingClasses];
  std::uint32_t bank[kCommandCodes][kBankColumns];
  std::uint32_t tFAW;
  // What the energy model adds (DRAMPower): implicit precharge after RDA and WRA, tRAS, and the end marker's widths.
  std::uint32_t implicit_pre_read, implicit_pre_write, tRAS;
  std::uint32_t read_data_end, write_data_end;  // CAS to the last data cycle
  std::uint32_t tREFI, tRFC_minus_tRP;
  std::uint32_t end_width[kCommandCodes];
};

[[nodiscard]] constexpr Distances make_distances(const Timing& t) {
  using enum CommandCode;
  Distances d{};
  for (std::uint32_t command = 1; command < kCommandCodes; ++command) {
    for (std::uint32_t k = 1; k < kTimingClasses; ++k) d.rank[command][k] = 1;
  }
  const ConstraintTable table = ddr3_constraints(t);
  for (std::uint32_t i = 0; i < table.count; ++i) {
    const TimingConstraint& row = table.rows[i];
    std::uint32_t* cell = nullptr;
    if (row.scope == Scope::rank) {
      cell = &d.rank[code_of(row.previous)][class_of(row.next)];
    } else {
      const bool only_rda = row.next == RDA && row.previous == WR;
      const BankColumn column = row.next == ACT ? kBankAct : row.next == PRE ? kBankPre : only_rda ? kBankRda : kBankCas;
      cell = &d.bank[code_of(row.previous)][column];
    }
    *cell = max_of(*cell, row.distance);
  }
  d.tFAW = t.tFAW;
  d.implicit_pre_read = t.tAL + max_of(t.tRTP, 4u);
  d.implicit_pre_write = t.tWL + t.burst + t.tWR;
  d.tRAS = t.tRAS;
  d.read_data_end = t.tRL + t.burst;
  d.write_data_end = t.tWL + t.burst;
  d.tREFI = t.tREFI;
  d.tRFC_minus_tRP = t.tRFC > t.tRP ? t.tRFC - t.tRP : 0;
  d.end_width[code_of(ACT)] = t.tRCD;
  d.end_width[code_of(PRE)] = d.end_width[code_of(PREA)] = t.tRP;
  d.end_width[code_of(RD)] = d.end_width[code_of(RDA)] = t.tRL + 1 + t.burst;
  d.end_width[code_of(WR)] = d.end_width[code_of(WRA)] = t.tWL + t.burst + t.tWR;
  d.end_width[code_of(REFA)] = 0;
  return d;
}

}  // namespace exarch::dram
