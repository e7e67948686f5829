// When a command may be issued: the earliest times of one channel, kept as running maxima.
#pragma once

#include <cstdint>

#include "kernels/dram/system/scratch.hpp"
#include "kernels/dram/system/tables.hpp"

namespace exarch::dram::system {
inline namespace EXARCH_ISA {

struct Constraints {
  const Protocol* protocol;
  const Tables* tables;
  Bank* banks;    // (bank of the channel)
  Group* groups;  // (group of the channel)
  Rank* ranks;    // (rank)
  std::uint32_t bank_count, banks_per_rank, banks_per_group, rank_count;
  std::int64_t bus_free[2];
  std::int64_t any_ready[kCommands];
  std::int64_t last_time[kCommands];  // on the channel
  std::uint32_t last_rank[kCommands];

  EXARCH_HD void reset_constraints(const Protocol& p, const Tables& t, Bank* bank_place, Group* group_place, Rank* rank_place) {
    protocol = &p;
    tables = &t;
    banks = bank_place;
    groups = group_place;
    ranks = rank_place;
    bank_count = p.banks();
    banks_per_rank = p.banks_per_rank;
    banks_per_group = p.banks_per_group;
    rank_count = p.ranks;
    bus_free[0] = bus_free[1] = p.first_use_of_bus_waits ? std::int64_t{p.tck_ps} - 1 : 0;
    for (std::uint32_t c = 0; c < kCommands; ++c) {
      any_ready[c] = 0;
      last_time[c] = kNoTime;
      last_rank[c] = 0;
    }
    for (std::uint32_t b = 0; b < bank_count; ++b) {
      Bank& bank = banks[b];
      for (std::int64_t& ready : bank.ready) ready = 0;
      bank.time = 0;
      bank.last_act = 0;
      bank.head = bank.tail = bank.chosen = kNobody;
      bank.count = bank.open_row = 0;
      bank.rank = static_cast<std::uint8_t>(b / banks_per_rank);
      bank.group = static_cast<std::uint8_t>(b / banks_per_group);
      bank.command = Command::NONE;
      bank.outcome = kRowMiss;
      bank.active = bank.blocked = bank.asleep = false;
    }
    for (std::uint32_t g = 0; g < p.groups(); ++g) {
      for (std::int64_t& ready : groups[g].ready) ready = 0;
    }
    for (std::uint32_t r = 0; r < rank_count; ++r) {
      Rank& rank = ranks[r];
      for (std::int64_t& ready : rank.ready) ready = 0;
      for (std::int64_t& entry : rank.window) entry = kNoTime;
      rank.window_next = 0;
      rank.last_refb = kNoTime;
      rank.refb_count = 0;
      rank.held = 0;
    }
  }

  // The earliest time of a command of a bank; may lie in the past.
  [[nodiscard]] EXARCH_INLINE std::int64_t ready_bank(Command command, std::uint32_t b) const {
    return max_of(ready_alone(command, banks[b]), ready_of_rank(command, banks[b].rank));
  }

  // By the constraints of the bank and its group.
  [[nodiscard]] EXARCH_INLINE std::int64_t ready_alone(Command command, const Bank& bank) const {
    const std::uint32_t column = column_of(code_of(command));
    return max_of(bank.ready[column], groups[bank.group].ready[column]);
  }

  // By all others: the same for all banks of a rank.
  [[nodiscard]] EXARCH_INLINE std::int64_t ready_of_rank(Command command, std::uint32_t r) const {
    const std::uint32_t code = code_of(command);
    const Rank& rank = ranks[r];
    std::int64_t t = max_of(rank.ready[code], bus_free[protocol->bus_of(command)]);
    if (command == Command::ACT) {
      t = max_of(t, rank.window[rank.window_next] + tables->window_act);
    } else if (command == Command::REFB) {
      if (protocol->window.counts_refb) t = max_of(t, rank.window[rank.window_next] + tables->window_refb);
      if (tables->has_full_round) {
        const bool full = rank.refb_count % banks_per_rank == 0;
        t = max_of(t, rank.last_refb + (full ? tables->refb_after_full_round : tables->refb_after_refb));
      }
    }
    if (tables->has_any_rank) t = max_of(t, any_ready[code]);
    for (std::uint32_t set = tables->other_rank_previous[code]; set != 0; set &= set - 1) {
      t = max_of(t, after_other_rank(code, log2_floor(set & (0u - set)), r));
    }
    return t;
  }

  // The same of a command of a rank.
  [[nodiscard]] EXARCH_INLINE std::int64_t ready_rank(Command command, std::uint32_t r) const {
    const std::uint32_t code = code_of(command);
    return max_of(max_of(ranks[r].ready[code], any_ready[code]), bus_free[0]);
  }

  EXARCH_INLINE void note_command(Command command, std::uint32_t r, std::int64_t now) {
    const std::uint32_t code = code_of(command);
    Rank& rank = ranks[r];
    raise(rank.ready, now, tables->rank[code]);
    if (tables->has_any_rank) raise(any_ready, now, tables->any_rank[code]);
    last_time[code] = now;
    last_rank[code] = r;
    bus_free[protocol->bus_of(command)] = now + tables->length[code];
    if (command == Command::ACT || (command == Command::REFB && protocol->window.counts_refb)) {
      rank.window[rank.window_next] = now + tables->window_tail[code];
      rank.window_next = rank.window_next + 1 == protocol->window.count ? 0 : rank.window_next + 1;
    }
    if (command == Command::REFB) {
      rank.last_refb = now;
      ++rank.refb_count;
    }
  }

  EXARCH_INLINE void note_bank_command(Command command, std::uint32_t b, std::int64_t now) {
    const std::uint32_t code = code_of(command);
    Bank& bank = banks[b];
    raise(bank.ready, now, tables->bank[code]);
    raise(groups[bank.group].ready, now, tables->group[code]);
    note_command(command, bank.rank, now);
  }

 private:
  // A row applies if the channel's last such command went to another rank.
  [[nodiscard]] EXARCH_INLINE std::int64_t after_other_rank(std::uint32_t next, std::uint32_t previous, std::uint32_t r) const {
    if (last_time[previous] == kNoTime || last_rank[previous] == r) return 0;
    const std::int64_t t = last_time[previous] + tables->other_rank[next][previous];
    return t < 0 ? kNever : t;
  }

  template <std::uint32_t kCount>
  EXARCH_INLINE void raise(std::int64_t (&ready)[kCount], std::int64_t now, const std::int64_t (&row)[kCount]) const {
    if (tables->has_negative) return raise_signed(ready, now, row);
    for (std::uint32_t k = 0; k < kCount; ++k) ready[k] = max_of(ready[k], now + row[k]);
  }

  // The original's times have no sign: a sum below zero is a time that never comes.
  template <std::uint32_t kCount>
  EXARCH_OUTLINE void raise_signed(std::int64_t (&ready)[kCount], std::int64_t now, const std::int64_t (&row)[kCount]) const {
    for (std::uint32_t k = 0; k < kCount; ++k) {
      const std::int64_t t = now + row[k];
      ready[k] = max_of(ready[k], t < 0 && row[k] != kNoTime ? kNever : t);
    }
  }
};

}  // namespace EXARCH_ISA
}  // namespace exarch::dram::system
