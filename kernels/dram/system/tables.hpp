// A protocol's distances in the form the system kernel adds up: picoseconds, by the command that was issued.
//
// Built once per workload (make_tables) and read by every run.
#pragma once

#include <cstdint>

#include "kernels/dram/protocol.hpp"

namespace exarch::dram::system {

// Times are signed: a distance may be negative, and "no constraint" is so small that no sum with a time matters.
inline constexpr std::int64_t kNoTime = -(std::int64_t{1} << 61);
inline constexpr std::int64_t kNever = std::int64_t{1} << 61;

// Columns of bank and group: the commands that have constraints of these scopes.
inline constexpr std::uint32_t kColumns = 8;  // ACT RD RDA WR WRA PRE REFB -
[[nodiscard]] EXARCH_HD constexpr std::uint32_t column_of(std::uint32_t code) {
  return code == code_of(Command::REFB) ? 6 : code - 1;
}

struct Tables {
  std::int64_t bank[kCommands][kColumns];   // (previous, column of next)
  std::int64_t group[kCommands][kColumns];  // same
  std::int64_t rank[kCommands][kCommands];  // (previous, next)
  std::int64_t any_rank[kCommands][kCommands];
  std::int64_t other_rank[kCommands][kCommands];  // (next, previous): looked up when `next` is proposed
  std::uint32_t other_rank_previous[kCommands];   // bit set of the `previous` with a row, by next
  std::int64_t length[kCommands];                 // on the bus
  std::int64_t window_tail[kCommands];            // from a command's first cycle to its last
  std::int64_t window_act, window_refb;
  std::int64_t refb_after_refb, refb_after_full_round;  // kNoTime: no row; the second takes the first one's place
  bool has_any_rank, has_negative, has_full_round;
  std::int64_t tck;
  std::int64_t longest;  // of all distances
};

[[nodiscard]] constexpr std::int64_t in_ps(std::int32_t cycles, std::uint32_t tck_ps) {
  return cycles == kNoConstraint ? kNoTime : std::int64_t{cycles} * tck_ps;
}

[[nodiscard]] constexpr Tables make_tables(const Protocol& p) {
  Tables t{};
  const auto row = [&p](Scope scope, std::uint32_t next, std::uint32_t previous) {
    return in_ps(p.distance[static_cast<std::uint32_t>(scope)][next][previous], p.tck_ps);
  };
  const std::uint32_t refb = code_of(Command::REFB);
  t.has_full_round = p.refb_after_full_round != kNoConstraint;
  for (std::uint32_t previous = 0; previous < kCommands; ++previous) {
    for (std::uint32_t k = 0; k < kColumns; ++k) t.bank[previous][k] = t.group[previous][k] = kNoTime;
    for (std::uint32_t next = 0; next < kCommands; ++next) {
      if ((next >= code_of(Command::ACT) && next <= code_of(Command::PRE)) || next == refb) {
        t.bank[previous][column_of(next)] = row(Scope::bank, next, previous);
        t.group[previous][column_of(next)] = row(Scope::group, next, previous);
      }
      t.rank[previous][next] = row(Scope::rank, next, previous);
      t.any_rank[previous][next] = row(Scope::any_rank, next, previous);
      t.has_any_rank = t.has_any_rank || t.any_rank[previous][next] != kNoTime;
      t.other_rank[next][previous] = p.ranks > 1 ? row(Scope::other_rank, next, previous) : kNoTime;
      if (t.other_rank[next][previous] != kNoTime) t.other_rank_previous[next] |= 1u << previous;
      for (const auto& scope : p.distance) {
        t.longest = max_of(t.longest, in_ps(scope[next][previous], p.tck_ps));
        t.has_negative = t.has_negative || (scope[next][previous] < 0 && scope[next][previous] != kNoConstraint);
      }
    }
  }
  for (std::uint32_t c = 0; c < kCommands; ++c) {
    t.length[c] = std::int64_t{p.length[c]} * p.tck_ps;
    t.window_tail[c] = t.length[c] - p.tck_ps;
  }
  t.window_act = std::int64_t{p.window.act} * p.tck_ps;
  t.window_refb = std::int64_t{p.window.refb} * p.tck_ps;
  t.refb_after_refb = t.rank[refb][refb];
  t.refb_after_full_round = in_ps(p.refb_after_full_round, p.tck_ps);
  if (t.has_full_round) t.rank[refb][refb] = kNoTime;
  t.tck = p.tck_ps;
  return t;
}

}  // namespace exarch::dram::system
