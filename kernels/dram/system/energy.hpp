// DRAMPower's replay of a channel's command log as a running sum.
//
// The log is in order of time already, but for the precharges that RDA and WRA imply: these wait in a short list, sorted by time,
// and are played before the first logged command that is not earlier. Flags and REFA/PREA of several ranks mix, as in the
// original.
#pragma once

#include <cstdint>

#include "kernels/dram/system/tables.hpp"
#include "kernels/dram/system/types.hpp"

namespace exarch::dram::system {
inline namespace EXARCH_ISA {

struct ImplicitPre {
  std::int64_t time;
  std::uint32_t bank;
};

struct EnergyLog {
  enum class Mode : std::uint8_t { none, active, precharged, self_refresh };

  const Protocol* protocol;
  EnergyCounters* counters;
  ImplicitPre* waiting;  // ring of `capacity`, a power of two, by time
  std::uint32_t capacity, first, count;
  bool overflow;
  std::int64_t tck, first_act, last_pre;
  std::int64_t down_since, refresh_since;  // last power-down entry, last self-refresh entry; of whatever rank
  std::int64_t last_time;                  // of the last entry played
  Command last;
  Mode mode;
  std::uint64_t open, saved;  // bit set of banks

  EXARCH_HD void reset(const Protocol& p, EnergyCounters& c, ImplicitPre* storage, std::uint32_t entries) {
    protocol = &p;
    counters = &c;
    waiting = storage;
    capacity = entries;
    first = count = 0;
    overflow = false;
    tck = p.tck_ps;
    first_act = last_pre = down_since = refresh_since = last_time = 0;
    last = Command::NONE;
    mode = Mode::none;
    open = saved = 0;
  }

  // A command issued at `time` (shifted by the delays that the log is written with). `bank` of the channel, 0 for rank commands;
  // `last_act`: that of the bank, likewise shifted.
  EXARCH_INLINE void log(Command command, std::uint32_t bank, std::int64_t time, std::int64_t last_act) {
    if (count > 0) play_waiting(time);
    play(command, bank, time);
    if (closes_by_itself(command)) imply(command, bank, time, last_act);
  }

  EXARCH_HD void finish() {
    play_waiting(kNever);
    if (last == Command::NONE) return;
    const std::uint32_t width = protocol->energy.end_width[code_of(last)];
    const std::int64_t end = last_time + (std::int64_t{width} - 1) * tck;
    if (mode == Mode::none) {
      if (open != 0) {
        add(counters->active, end - first_act);
      } else {
        add(counters->precharged, end - last_pre);
      }
    } else if (mode == Mode::active) {
      add(counters->active_power_down, end - down_since);
    } else if (mode == Mode::precharged) {
      add(counters->precharge_power_down, end - down_since);
    } else {
      const std::int64_t d = end - refresh_since, rfc = cycles(protocol->energy.tRFC), r = rfc - cycles(protocol->energy.tRP);
      counters->self_refresh_active += min_of(d, r);  // -1 for an entry that is the log's last
      add(counters->self_refresh_precharged, min_of(d, rfc) - r);
      add(counters->self_refresh, d - rfc);
    }
    // Sums were of ps; every one is a multiple of tCK.
    EnergyCounters& c = *counters;
    std::uint64_t* const sums[] = {&c.active,
                                   &c.precharged,
                                   &c.active_power_down,
                                   &c.precharge_power_down,
                                   &c.self_refresh,
                                   &c.self_refresh_precharged,
                                   &c.exit_active,
                                   &c.exit_precharged};
    for (std::uint64_t* sum : sums) *sum /= static_cast<std::uint64_t>(tck);
    c.self_refresh_active /= tck;
  }

 private:
  [[nodiscard]] EXARCH_INLINE std::int64_t cycles(std::uint32_t n) const { return std::int64_t{n} * tck; }
  EXARCH_INLINE static void add(std::uint64_t& sum, std::int64_t span) {
    if (span > 0) sum += static_cast<std::uint64_t>(span);
  }
  EXARCH_INLINE void complain() { counters->complaint_lines += 2; }

  EXARCH_INLINE void imply(Command command, std::uint32_t bank, std::int64_t time, std::int64_t last_act) {
    const auto& e = protocol->energy;
    const std::int64_t at =
        max_of(time + cycles(command == Command::RDA ? e.implicit_pre_read : e.implicit_pre_write), last_act + cycles(e.tRAS));
    if (count == capacity) {
      overflow = true;
      return;
    }
    std::uint32_t place = count++;
    const std::uint32_t mask = capacity - 1;
    for (; place > 0 && waiting[(first + place - 1) & mask].time > at; --place) {
      waiting[(first + place) & mask] = waiting[(first + place - 1) & mask];
    }
    waiting[(first + place) & mask] = {at, bank};
  }

  EXARCH_INLINE void play_waiting(std::int64_t until) {
    while (count > 0 && waiting[first].time <= until) {
      const ImplicitPre pre = waiting[first];
      first = (first + 1) & (capacity - 1);
      --count;
      play(Command::PRE, pre.bank, pre.time);
    }
  }

  EXARCH_INLINE void play(Command command, std::uint32_t bank, std::int64_t t) {
    using enum Command;
    const std::uint64_t bit = std::uint64_t{1} << bank;
    last = command;
    last_time = t;
    if (mode != Mode::none && command <= REFA) complain();
    switch (command) {
      case ACT:
        if ((open & bit) != 0) {
          complain();
          break;
        }
        ++counters->act;
        if (open == 0) {
          first_act = t;
          add(counters->precharged, t - last_pre);
        }
        open |= bit;
        break;
      case RD:
      case RDA:
        ++counters->rd;
        if ((open & bit) == 0) complain();
        break;
      case WR:
      case WRA:
        ++counters->wr;
        if ((open & bit) == 0) complain();
        break;
      case PRE:
        if ((open & bit) == 0) {
          complain();
          break;
        }
        ++counters->pre;
        open &= ~bit;
        if (open == 0) close(t);
        break;
      default:
        play_rank(command, t);
        break;
    }
  }

  EXARCH_INLINE void close(std::int64_t t) {
    add(counters->active, t - first_act);
    last_pre = t;
  }

  [[nodiscard]] EXARCH_HD static std::uint32_t bits_of(std::uint64_t set) {
    std::uint32_t n = 0;
    for (; set != 0; set &= set - 1) ++n;
    return n;
  }

  EXARCH_OUTLINE void play_rank(Command command, std::int64_t t) {
    using enum Command;
    EnergyCounters& c = *counters;
    const std::int64_t rfc = cycles(protocol->energy.tRFC), rp = cycles(protocol->energy.tRP);
    switch (command) {
      case PREA:
        if (open == 0) {
          complain();
          break;
        }
        c.pre += bits_of(open);
        open = 0;
        close(t);
        break;
      case REFA:
        if (open != 0) complain();
        ++c.ref;
        add(c.precharged, t - last_pre);
        last_pre = t + rfc - rp;
        add(c.active, rfc - rp);
        first_act = t;
        open = 0;
        break;
      case PDEA:
        if (open == 0) complain();
        saved = open;
        add(c.active, t - first_act);
        down_since = t;
        mode = Mode::active;
        break;
      case PDXA:
        if (mode == Mode::active) {
          add(c.active_power_down, t - down_since);
        } else {
          ++c.complaint_lines;
        }
        open = saved;
        first_act = t;
        mode = Mode::none;
        break;
      case PDEP:
        if (open != 0) complain();
        add(c.precharged, t - last_pre);
        down_since = t;
        mode = Mode::precharged;
        break;
      case PDXP:
        if (mode == Mode::precharged) {
          add(c.precharge_power_down, t - down_since);
        } else {
          ++c.complaint_lines;
        }
        last_pre = t;
        mode = Mode::none;
        break;
      case SREFEN:
        if (open != 0) complain();
        add(c.precharged, t - last_pre);
        refresh_since = t;
        mode = Mode::self_refresh;
        break;
      case SREFEX:
        leave_self_refresh(t, rfc, rp);
        break;
      default:
        break;
    }
  }

  // The refresh that self-refresh begins with may still be running.
  EXARCH_INLINE void leave_self_refresh(std::int64_t t, std::int64_t rfc, std::int64_t rp) {
    EnergyCounters& c = *counters;
    const std::int64_t d = t - refresh_since, r = rfc - rp;
    if (mode != Mode::self_refresh) {
      ++c.complaint_lines;
    }
    if (d < cycles(protocol->energy.min_self_refresh)) complain();
    if (d >= rfc) {
      c.self_refresh_active += max_of<std::int64_t>(r, 0);
      add(c.self_refresh_precharged, rp);
      add(c.self_refresh, d - rfc);
      last_pre = t;
    } else if (d >= r) {
      c.self_refresh_active += max_of<std::int64_t>(r, 0);
      add(c.self_refresh_precharged, d - r);
      add(c.exit_precharged, rfc - d);
      last_pre = t + rfc - d;
    } else {
      c.self_refresh_active += max_of<std::int64_t>(d, 0);
      add(c.exit_active, r - d);
      add(c.exit_precharged, rp);
      last_pre = t + rfc - d;
    }
    mode = Mode::none;
  }
};

}  // namespace EXARCH_ISA
}  // namespace exarch::dram::system
