// The reference model's timing checker: every distance is looked up in the rows of the standard.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "host/dram/reference/events.hpp"
#include "host/dram/standards/standard.hpp"

namespace exarch::dram::reference {

using system::Command;
using system::Protocol;
using system::Scope;

class TimingChecker {
 public:
  explicit TimingChecker(const ProtocolTable& table)
      : protocol_(table.protocol),
        rows_(system::kCommands),
        on_bus_(protocol_.command_buses, kNever),
        on_bank_(system::kCommands, std::vector<Tick>(protocol_.banks(), kNever)),
        on_group_(system::kCommands, std::vector<Tick>(protocol_.groups(), kNever)),
        on_rank_(system::kCommands, std::vector<Tick>(protocol_.ranks, kNever)),
        on_channel_(system::kCommands, {kNever, 0}),
        window_(protocol_.ranks),
        refreshed_banks_(protocol_.ranks, 0) {
    for (const ConstraintRow& row : table.rows) rows_[code_of(row.next)].push_back(row);
  }

  // Earliest time, not before `now`, at which `next` meets all constraints. `bank` counts through the channel.
  [[nodiscard]] Tick earliest(Command next, std::uint32_t rank, std::uint32_t bank, Tick now) const {
    Tick result = std::max(now, bus_is_free(next));
    for (const ConstraintRow& row : rows_[code_of(next)]) {
      const Tick previous = last(row, rank, bank);
      if (previous == kNever) continue;
      const auto cycles = is_full_round(row, rank) ? protocol_.refb_after_full_round : row.distance;
      const auto time = static_cast<std::int64_t>(previous) + cycles * protocol_.tck_ps;
      result = std::max(result, static_cast<Tick>(std::max<std::int64_t>(time, 0)));
    }
    const Protocol::ActivateWindow& window = protocol_.window;
    const bool in_window = next == Command::ACT || (next == Command::REFB && window.counts_refb);
    if (in_window && window_[rank].size() == window.count) {
      const std::int64_t cycles = next == Command::ACT ? window.act : window.refb;
      result = std::max(result, static_cast<Tick>(static_cast<std::int64_t>(window_[rank].front()) + cycles * protocol_.tck_ps));
    }
    return result;
  }

  void record(Command command, std::uint32_t rank, std::uint32_t bank, Tick now) {
    const std::size_t code = code_of(command);
    const Tick last_cycle = now + Tick{protocol_.length[code] - 1} * protocol_.tck_ps;
    on_bus_[protocol_.bus_of(command)] = last_cycle;
    on_channel_[code] = {now, rank};
    on_rank_[code][rank] = now;
    on_group_[code][bank / protocol_.banks_per_group] = now;
    on_bank_[code][bank] = now;
    if (command == Command::REFB) ++refreshed_banks_[rank];
    if (command == Command::ACT || (command == Command::REFB && protocol_.window.counts_refb)) {
      window_[rank].push_back(last_cycle);
      if (window_[rank].size() > protocol_.window.count) window_[rank].pop_front();
    }
  }

 private:
  struct OnChannel {
    Tick time;
    std::uint32_t rank;
  };

  // A bus that was never used is free at once; on HBM2 the time of "never" wraps around to a picosecond before the first edge.
  [[nodiscard]] Tick bus_is_free(Command next) const {
    const Tick last_cycle = on_bus_[protocol_.bus_of(next)];
    if (last_cycle == kNever) return protocol_.first_use_of_bus_waits ? protocol_.tck_ps - 1 : 0;
    return last_cycle + protocol_.tck_ps;
  }

  [[nodiscard]] Tick last(const ConstraintRow& row, std::uint32_t rank, std::uint32_t bank) const {
    const std::size_t code = code_of(row.previous);
    switch (row.scope) {
      case Scope::bank:
        return on_bank_[code][bank];
      case Scope::group:
        return on_group_[code][bank / protocol_.banks_per_group];
      case Scope::rank:
        return on_rank_[code][rank];
      case Scope::other_rank:
        return on_channel_[code].rank == rank ? kNever : on_channel_[code].time;
      case Scope::any_rank:
        return on_channel_[code].time;
    }
    return kNever;
  }

  [[nodiscard]] bool is_full_round(const ConstraintRow& row, std::uint32_t rank) const {
    return protocol_.refb_after_full_round != system::kNoConstraint && row.scope == Scope::rank && row.next == Command::REFB &&
           row.previous == Command::REFB && refreshed_banks_[rank] % protocol_.banks_per_rank == 0;
  }

  const Protocol& protocol_;
  std::vector<std::vector<ConstraintRow>> rows_;  // by next command
  std::vector<Tick> on_bus_;                      // last cycle that the last command of the bus takes
  std::vector<std::vector<Tick>> on_bank_, on_group_, on_rank_;
  std::vector<OnChannel> on_channel_;
  std::vector<std::deque<Tick>> window_;        // (rank) last cycles of the last activates
  std::vector<std::uint64_t> refreshed_banks_;  // (rank) REFB issued
};

}  // namespace exarch::dram::reference
