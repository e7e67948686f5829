// Refresh and power-down managers of a channel's ranks.
//
// evaluate_*() may propose one command (refresh_command, power_command of the rank) with the earliest time it can be issued, and
// returns when the manager wants to be asked again. Evaluating changes state as the original's does: a refresh that is due and
// postponed is counted, banks are blocked.
#pragma once

#include <cstdint>

#include "kernels/dram/system/constraints.hpp"

namespace exarch::dram::system {
inline namespace EXARCH_ISA {

struct Managers : Constraints {
  RefreshPolicy refresh_policy;
  bool power_down;
  std::int64_t interval;                         // of refreshes
  std::int64_t postponed_limit, pulledin_limit;  // refresh commands
  std::int64_t refresh_from;                     // before this time no refresh manager has anything to do
  std::uint64_t changed;                         // banks to evaluate anew, as a bit set

  EXARCH_HD void reset_managers(const ControllerParams& params) {
    const Protocol& p = *protocol;
    const bool per_bank = params.refresh_policy == RefreshPolicy::PerBank;
    refresh_policy = params.refresh_policy;
    power_down = params.power_down_policy == PowerDownPolicy::Staggered;
    const std::uint32_t cycles = per_bank ? p.per_bank_interval : p.refresh_interval;
    interval = std::int64_t{cycles} * p.tck_ps;
    const std::int64_t each = per_bank ? banks_per_rank : 1;
    postponed_limit = params.refresh_max_postponed * each;
    pulledin_limit = params.refresh_max_pulledin * each;
    refresh_from = refresh_policy == RefreshPolicy::NoRefresh ? kNever : 0;
    changed = 0;
    for (std::uint32_t r = 0; r < rank_count; ++r) {
      Rank& rank = ranks[r];
      rank.trigger = refresh_policy == RefreshPolicy::NoRefresh ? kNever : first_trigger(r, cycles) * p.tck_ps;
      rank.flexibility = 0;
      rank.refresh_command = Command::NONE;
      rank.refresh_time = kNever;
      rank.refresh_bank = r * banks_per_rank;
      rank.pulled_in = rank.refresh_asleep = rank.frozen = false;
      rank.to_refresh = all_banks();
      rank.open_banks = 0;
      rank.state = Rank::State::idle;
      rank.entry = rank.idle = true;
      rank.exit = rank.self = false;
      rank.activated = 0;
      rank.power_command = Command::NONE;
      rank.power_time = kNever;
    }
  }

  // ---- refresh --------------------------------------------------------------------------------------------------------

  // All managers; the earliest time any of them wants, leaving out `now` itself if `skip_now`.
  EXARCH_INLINE std::int64_t evaluate_refresh(std::int64_t now, bool skip_now = false) {
    if (now < refresh_from) return refresh_from;
    return evaluate_due_refresh(now, skip_now);
  }

  EXARCH_OUTLINE std::int64_t evaluate_due_refresh(std::int64_t now, bool skip_now) {
    std::int64_t next = kNever;
    refresh_from = kNever;
    for (std::uint32_t r = 0; r < rank_count; ++r) {
      Rank& rank = ranks[r];
      rank.refresh_command = Command::NONE;
      rank.refresh_time = now < rank.trigger ? rank.trigger : evaluate_refresh_of(rank, r, now);
      if (!(skip_now && rank.refresh_time == now)) next = min_of(next, rank.refresh_time);
      refresh_from = min_of(refresh_from, rank.trigger);
    }
    return next;
  }

  // After a refresh command, its manager's trigger may lie anywhere.
  EXARCH_INLINE void note_refresh(Command command, std::uint32_t r, std::uint32_t b, std::int64_t now) {
    using enum Command;
    if (refresh_policy == RefreshPolicy::NoRefresh) return;
    Rank& rank = ranks[r];
    switch (command) {
      case ACT:
        ++rank.open_banks;
        break;
      case PRE:
      case RDA:
      case WRA:
        --rank.open_banks;
        break;
      case PREA:
        rank.open_banks = 0;
        break;
      case REFA:
        refresh_from = 0;
        if (rank.refresh_asleep || refresh_policy == RefreshPolicy::PerBank) {
          rank.pulled_in = false;
          rank.trigger = now + interval;
          rank.refresh_asleep = false;
        } else {
          refresh_done(rank);
        }
        break;
      case REFB:
        refresh_from = 0;
        rank.frozen = false;
        rank.to_refresh &= ~(1u << (b - r * banks_per_rank));
        if (rank.to_refresh == 0) rank.to_refresh = all_banks();
        refresh_done(rank);
        break;
      case SREFEN:
        rank.trigger = kNever;
        refresh_from = 0;
        rank.refresh_asleep = true;
        break;
      case PDEA:
      case PDEP:
        rank.refresh_asleep = true;
        break;
      case PDXA:
      case PDXP:
        rank.refresh_asleep = false;
        break;
      default:
        break;
    }
  }

  // ---- power-down -----------------------------------------------------------------------------------------------------

  // As evaluate_refresh().
  EXARCH_INLINE std::int64_t evaluate_power(std::int64_t now, bool skip_now = false) {
    return power_down ? evaluate_power_of_all(now, skip_now) : kNever;
  }

  EXARCH_OUTLINE std::int64_t evaluate_power_of_all(std::int64_t now, bool skip_now) {
    using enum Command;
    std::int64_t next = kNever;
    for (std::uint32_t r = 0; r < rank_count; ++r) {
      Rank& rank = ranks[r];
      rank.power_command = NONE;
      rank.power_time = kNever;
      if (rank.exit) {
        rank.power_command = rank.state == Rank::State::active         ? PDXA
                             : rank.state == Rank::State::precharged   ? PDXP
                             : rank.state == Rank::State::self_refresh ? SREFEX
                                                                       : REFA;
      } else if (rank.entry) {
        rank.power_command = rank.activated != 0 ? PDEA : PDEP;
      } else if (rank.self) {
        rank.power_command = SREFEN;
      }
      if (rank.power_command == NONE) continue;
      rank.power_time = max_of(ready_rank(rank.power_command, r), now);
      if (!(skip_now && rank.power_time == now)) next = min_of(next, rank.power_time);
    }
    return next;
  }

  // A request comes to a rank that held none.
  EXARCH_INLINE void signal_exit(Rank& rank) const {
    rank.idle = rank.self = rank.entry = false;
    if (rank.state != Rank::State::idle) rank.exit = true;
  }

  // A command was issued for a rank that holds no request.
  EXARCH_INLINE void signal_entry(Rank& rank) const {
    rank.idle = true;
    if (rank.state == Rank::State::idle) rank.entry = true;
  }

  EXARCH_INLINE void note_power(Command command, Rank& rank) const {
    using enum Command;
    using State = Rank::State;
    switch (command) {
      case ACT:
        ++rank.activated;
        break;
      case PRE:
        --rank.activated;
        break;
      case PREA:
        rank.activated = 0;
        break;
      case PDEA:
      case PDEP:
        rank.state = command == PDEA ? State::active : State::precharged;
        rank.entry = false;
        break;
      case SREFEN:
        rank.state = State::self_refresh;
        rank.entry = rank.self = false;
        break;
      case PDXA:
        rank.state = State::idle;
        rank.exit = false;
        break;
      case PDXP:
        rank.state = State::idle;
        rank.exit = false;
        if (rank.idle) rank.self = true;
        break;
      case SREFEX:
        rank.state = State::extra_refresh;
        break;
      case REFA:
        if (rank.state == State::extra_refresh) {
          rank.state = State::idle;
          rank.exit = false;
        } else if (rank.idle) {
          rank.entry = true;
        }
        break;
      case REFB:
        if (rank.idle) rank.entry = true;
        break;
      default:
        break;
    }
  }

  [[nodiscard]] EXARCH_INLINE static std::uint64_t bit(std::uint32_t b) { return std::uint64_t{1} << b; }
  [[nodiscard]] EXARCH_INLINE std::uint32_t all_banks() const {
    return static_cast<std::uint32_t>((std::uint64_t{1} << banks_per_rank) - 1);
  }

 private:
  // REFI less a share of it that spreads the ranks: in the order of the reversed bits of their numbers.
  [[nodiscard]] EXARCH_HD std::int64_t first_trigger(std::uint32_t r, std::uint32_t cycles) const {
    if (rank_count == 1) return cycles;
    std::uint32_t reversed = 0;
    for (std::uint32_t i = 0, bits = log2_floor(rank_count); i < bits; ++i) reversed |= (r >> i & 1u) << (bits - 1 - i);
    const std::uint64_t left = std::uint64_t{cycles} * (rank_count - reversed);
    return static_cast<std::int64_t>((left + rank_count - 1) / rank_count);
  }

  EXARCH_INLINE void refresh_done(Rank& rank) {
    if (rank.pulled_in) {
      --rank.flexibility;
    } else {
      rank.pulled_in = true;
    }
    if (rank.flexibility == -pulledin_limit) {
      rank.pulled_in = false;
      rank.trigger += interval;
    }
  }

  EXARCH_INLINE void block(std::uint32_t b) {
    if (!banks[b].blocked) changed |= bit(b);
    banks[b].blocked = true;
  }

  [[nodiscard]] EXARCH_INLINE bool idle(std::uint32_t b) const { return banks[b].chosen == kNobody; }

  // The first bank of those to be refreshed that is idle; bank_count if there is none.
  [[nodiscard]] EXARCH_INLINE std::uint32_t first_idle(const Rank& rank, std::uint32_t first) const {
    for (std::uint32_t set = rank.to_refresh; set != 0; set &= set - 1) {
      const std::uint32_t b = first + log2_floor(set & (0u - set));
      if (idle(b)) return b;
    }
    return bank_count;
  }

  EXARCH_INLINE std::int64_t put_off(Rank& rank) const {
    rank.trigger += interval;
    return rank.trigger;
  }

  EXARCH_INLINE std::int64_t propose(Rank& rank, std::uint32_t r, Command command, std::int64_t now) {
    rank.refresh_command = command;
    const bool of_bank = command == Command::PRE || command == Command::REFB;
    return max_of(of_bank ? ready_bank(command, rank.refresh_bank) : ready_rank(command, r), now);
  }

  EXARCH_INLINE std::int64_t evaluate_refresh_of(Rank& rank, std::uint32_t r, std::int64_t now) {
    if (power_down) {
      rank.entry = false;
      if (rank.state != Rank::State::idle) rank.exit = true;
      if (rank.refresh_asleep) return kNever;
    }
    if (now >= rank.trigger + interval) {
      rank.trigger += interval;
      rank.pulled_in = false;
    }
    return refresh_policy == RefreshPolicy::AllBank ? evaluate_all_bank(rank, r, now) : evaluate_per_bank(rank, r, now);
  }

  EXARCH_INLINE std::int64_t evaluate_all_bank(Rank& rank, std::uint32_t r, std::int64_t now) {
    const std::uint32_t first = r * banks_per_rank;
    const bool forced = !rank.pulled_in && rank.flexibility == postponed_limit;
    if (forced) {
      for (std::uint32_t b = 0; b < banks_per_rank; ++b) block(first + b);
    } else {
      bool busy = false;
      for (std::uint32_t b = 0; b < banks_per_rank; ++b) busy = busy || !idle(first + b);
      if (busy) {
        if (!rank.pulled_in) ++rank.flexibility;
        rank.pulled_in = false;
        return put_off(rank);
      }
    }
    return propose(rank, r, !rank.pulled_in && rank.open_banks > 0 ? Command::PREA : Command::REFA, now);
  }

  EXARCH_INLINE std::int64_t evaluate_per_bank(Rank& rank, std::uint32_t r, std::int64_t now) {
    const std::uint32_t first = r * banks_per_rank;
    const std::uint32_t found = rank.pulled_in || !rank.frozen ? first_idle(rank, first) : bank_count;
    if (rank.pulled_in) {
      if (found == bank_count) {
        rank.pulled_in = false;
        return put_off(rank);
      }
      rank.refresh_bank = found;
      return propose(rank, r, banks[found].active ? Command::PRE : Command::REFB, now);
    }
    const bool forced = rank.flexibility == postponed_limit;
    if (!rank.frozen) {
      rank.refresh_bank = found != bank_count ? found : first + log2_floor(rank.to_refresh & (0u - rank.to_refresh));
    }
    if (found == bank_count && !forced) {
      ++rank.flexibility;
      return put_off(rank);
    }
    if (banks[rank.refresh_bank].active) return propose(rank, r, Command::PRE, now);
    if (forced) {
      block(rank.refresh_bank);
      rank.frozen = true;
    }
    return propose(rank, r, Command::REFB, now);
  }
};

}  // namespace EXARCH_ISA
}  // namespace exarch::dram::system
