#include "host/dram/reference/energy.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace exarch::dram::reference {
namespace {

using Cycle = std::uint64_t;

struct Entry {
  Cycle cycle;
  Command command;
  std::uint32_t bank;
};

// RDA and WRA become RD and WR plus a precharge of the bank when its data and tRAS allow; then all are put in order of
// time, precharges first within a cycle.
std::vector<Entry> merged_commands(const std::vector<LoggedCommand>& log, const Protocol& p, Cycle delay) {
  std::vector<Entry> merged;
  std::vector<Cycle> last_activate(p.banks(), 0);
  for (const LoggedCommand& issued : log) {
    const Cycle cycle = issued.time / p.tck_ps + delay;
    if (issued.command == Command::ACT) last_activate[issued.bank] = cycle;
    if (!closes_by_itself(issued.command)) {
      merged.push_back({cycle, issued.command, issued.bank});
      continue;
    }
    const bool write = is_write_cas(issued.command);
    merged.push_back({cycle, write ? Command::WR : Command::RD, issued.bank});
    const Cycle offset = write ? p.energy.implicit_pre_write : p.energy.implicit_pre_read;
    merged.push_back({std::max(cycle + offset, last_activate[issued.bank] + p.energy.tRAS), Command::PRE, issued.bank});
  }
  std::stable_sort(merged.begin(), merged.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.cycle, a.command != Command::PRE) < std::pair(b.cycle, b.command != Command::PRE);
  });
  return merged;
}

// The power model plays the merged list: one flag per bank of the whole channel, whatever its rank.
class Books {
 public:
  explicit Books(const Protocol& protocol) : e_(protocol.energy), open_(protocol.banks(), false), saved_(open_) {}

  void play(const Entry& entry) {
    const Cycle t = entry.cycle;
    switch (entry.command) {
      case Command::ACT:
      case Command::RD:
      case Command::WR:
      case Command::PRE:
      case Command::PREA:
      case Command::REFA:
        if (state_ != State::none) complain(2);
        play_access(entry);
        break;
      case Command::PDEA:
        if (open_count() == 0) complain(2);
        saved_ = open_;
        n_.active += span(first_activate_, t);
        enter(State::active, t);
        break;
      case Command::PDXA:
        if (leave(State::active)) n_.active_power_down += span(mark_, t);
        open_ = saved_;
        first_activate_ = t;
        break;
      case Command::PDEP:
        if (open_count() != 0) complain(2);
        n_.precharged += span(last_precharge_, t);
        enter(State::precharged, t);
        break;
      case Command::PDXP:
        if (leave(State::precharged)) n_.precharge_power_down += span(mark_, t);
        last_precharge_ = t;
        break;
      case Command::SREFEN:
        if (open_count() != 0) complain(2);
        n_.precharged += span(last_precharge_, t);
        sleeps_since_ = t;
        state_ = State::self_refresh;
        break;
      case Command::SREFEX:
        leave_self_refresh(t);
        break;
      default:
        break;
    }
  }

  // `end` may be one less than the time of the last entry; only self-refresh counts that.
  void close(std::int64_t end) {
    const auto until = [end](Cycle from) { return end > static_cast<std::int64_t>(from) ? static_cast<Cycle>(end) - from : 0; };
    switch (state_) {
      case State::none:
        if (open_count() > 0) {
          n_.active += until(first_activate_);
        } else {
          n_.precharged += until(last_precharge_);
        }
        break;
      case State::active:
        n_.active_power_down += until(mark_);
        break;
      case State::precharged:
        n_.precharge_power_down += until(mark_);
        break;
      case State::self_refresh: {
        const std::int64_t d = end - static_cast<std::int64_t>(sleeps_since_);
        const std::int64_t rfc = e_.tRFC, r = rfc - e_.tRP;
        n_.self_refresh_active += std::min(d, r);
        if (d > r) n_.self_refresh_precharged += static_cast<Cycle>(std::min(d, rfc) - r);
        if (d > rfc) n_.self_refresh += static_cast<Cycle>(d - rfc);
        break;
      }
    }
  }

  [[nodiscard]] const system::EnergyCounters& counters() const { return n_; }

 private:
  enum class State : std::uint8_t { none, active, precharged, self_refresh };

  static Cycle span(Cycle from, Cycle to) { return to > from ? to - from : 0; }
  [[nodiscard]] Cycle open_count() const { return static_cast<Cycle>(std::count(open_.begin(), open_.end(), true)); }
  void complain(std::uint64_t lines) { n_.complaint_lines += lines; }

  void enter(State state, Cycle t) {
    mark_ = t;
    state_ = state;
  }

  bool leave(State state) {
    const bool right = state_ == state;
    if (!right) complain(1);
    state_ = State::none;
    return right;
  }

  void play_access(const Entry& entry) {
    const Cycle t = entry.cycle;
    switch (entry.command) {
      case Command::ACT:
        if (open_[entry.bank]) {
          complain(2);
          break;
        }
        ++n_.act;
        if (open_count() == 0) {
          first_activate_ = t;
          n_.precharged += span(last_precharge_, t);
        }
        open_[entry.bank] = true;
        break;
      case Command::RD:
        if (!open_[entry.bank]) complain(2);
        ++n_.rd;
        break;
      case Command::WR:
        if (!open_[entry.bank]) complain(2);
        ++n_.wr;
        break;
      case Command::PRE:
        if (!open_[entry.bank]) {
          complain(2);
          break;
        }
        ++n_.pre;
        if (open_count() == 1) close_last(t);
        open_[entry.bank] = false;
        break;
      case Command::PREA:
        if (open_count() == 0) {
          complain(2);
          break;
        }
        n_.pre += open_count();
        close_last(t);
        open_.assign(open_.size(), false);
        break;
      case Command::REFA:
        if (open_count() != 0) complain(2);
        ++n_.ref;
        n_.precharged += span(last_precharge_, t);
        last_precharge_ = t + e_.tRFC - e_.tRP;
        n_.active += e_.tRFC - e_.tRP;
        first_activate_ = t;
        open_.assign(open_.size(), false);
        break;
      default:
        break;
    }
  }

  void close_last(Cycle t) {
    n_.active += span(first_activate_, t);
    last_precharge_ = t;
  }

  // The first tRFC of self-refresh are a refresh, which an early exit has to finish.
  void leave_self_refresh(Cycle t) {
    const Cycle d = span(sleeps_since_, t), r = e_.tRFC - e_.tRP;
    if (t <= sleeps_since_) complain(2);
    if (d < e_.min_self_refresh) complain(2);
    (void)leave(State::self_refresh);
    if (d >= e_.tRFC) {
      n_.self_refresh_active += static_cast<std::int64_t>(r);
      n_.self_refresh_precharged += e_.tRP;
      n_.self_refresh += d - e_.tRFC;
      last_precharge_ = t;
    } else if (d >= r) {
      n_.self_refresh_active += static_cast<std::int64_t>(r);
      n_.self_refresh_precharged += d - r;
      n_.exit_precharged += e_.tRFC - d;
      last_precharge_ = t + e_.tRFC - d;
    } else {
      n_.self_refresh_active += static_cast<std::int64_t>(d);
      n_.exit_active += r - d;
      n_.exit_precharged += e_.tRP;
      last_precharge_ = t + e_.tRFC - d;
    }
  }

  const Protocol::Energy& e_;
  system::EnergyCounters n_{};
  std::vector<bool> open_, saved_;
  Cycle first_activate_ = 0, last_precharge_ = 0;
  Cycle mark_ = 0, sleeps_since_ = 0;  // the last entry to power-down, and to self-refresh, of any rank
  State state_ = State::none;
};

}  // namespace

system::EnergyCounters count_energy(const std::vector<LoggedCommand>& log, const Protocol& protocol, std::uint64_t delay) {
  if (!protocol.energy.modelled || log.empty()) return {};
  const std::vector<Entry> merged = merged_commands(log, protocol, delay);
  Books books(protocol);
  for (const Entry& entry : merged) books.play(entry);
  const Entry& last = merged.back();
  const std::int64_t width = protocol.energy.end_width[code_of(last.command)];
  books.close(static_cast<std::int64_t>(last.cycle) + width - 1);
  return books.counters();
}

}  // namespace exarch::dram::reference
