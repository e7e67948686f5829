// The controller of one channel: request buffer, bank machines, command selection, response queue.
//
// step() is the original's controller method; the arbiter and the players around it are in simulate.hpp.
#pragma once

#include <cstdint>

#include "kernels/dram/system/managers.hpp"

namespace exarch::dram::system {
inline namespace EXARCH_ISA {

// Messages to the arbiter: kind << 4 | channel or player.
enum ArbiterMessage : std::uint32_t { kRequest, kAccepted, kResponse, kConsumed };
// At most one of each kind per channel or player is on its way.
using ArbiterBox = Mailbox<2 * kMaxChannels + 2 * kMaxPlayers>;

struct Controller : Managers {
  Events* events;
  ArbiterBox* arbiter;
  Transaction* transactions;
  SystemCounters* counters;
  std::uint32_t channel;
  std::int64_t tck;
  ControllerParams params;
  EnergyLog energy;
  bool counts_energy;
  std::int64_t log_shift, read_delay, write_delay, accept_delay;  // by path delays, ps

  // Request buffer.
  std::uint32_t total, writes, last_stored_bank, cas_id;  // cas_id: of the next CAS, for Strict
  bool last_cas_write;
  std::uint64_t proposing;  // banks with a proposal, as a bit set

  // What the arbiter sees.
  std::uint32_t offered, accepted, response;  // transactions on their way; kNobody: none
  std::int64_t offered_at;

  // Responses.
  Queue in_cas_order;    // RespQueue Fifo
  std::uint32_t* by_id;  // RespQueue Reorder: ring by channel_id
  std::uint32_t id_mask, next_response_id;
  bool response_out;
  std::int64_t last_done;  // time of the last completed handshake
  std::uint32_t held;
  std::int64_t idle_since;
  std::int64_t patience;
  std::int64_t last_progress;  // of the last CAS, or the request that ended an empty buffer

  EXARCH_HD void reset(const SystemView& view, const Tables& t, const ControllerParams& candidate, const Scratch& scratch,
                       std::uint32_t number, Events& queue, ArbiterBox& box, SystemCounters& result) {
    const Protocol& p = *view.protocol;
    reset_constraints(p, t, scratch.banks + std::uint64_t{number} * p.banks(),
                      scratch.groups + std::uint64_t{number} * p.groups(), scratch.ranks + std::uint64_t{number} * p.ranks);
    reset_managers(candidate);
    events = &queue;
    arbiter = &box;
    transactions = scratch.transactions;
    counters = &result;
    channel = number;
    tck = t.tck;
    params = candidate;
    counts_energy = p.energy.modelled;
    energy.reset(p, result.energy, scratch.implicit + std::uint64_t{number} * scratch.size.implicit, scratch.size.implicit);
    const Delays& d = view.delays;
    log_shift = (std::int64_t{d.think_forward} + d.phy_forward) * tck;
    const std::int64_t back = (std::int64_t{d.think_backward} + d.phy_backward) * tck;
    read_delay = log_shift + back + std::int64_t{p.read_data_end} * tck;
    write_delay = log_shift + back + std::int64_t{p.write_data_end} * tck;
    accept_delay = std::int64_t{d.think_forward} * tck;
    total = writes = last_stored_bank = 0;
    cas_id = 1;
    last_cas_write = false;
    proposing = 0;
    offered = accepted = response = kNobody;
    offered_at = kNever;
    in_cas_order.reset();
    id_mask = scratch.size.transactions - 1;
    by_id = scratch.by_channel + std::uint64_t{number} * scratch.size.transactions;
    if (params.resp_queue == RespQueue::Reorder) {
      for (std::uint32_t i = 0; i <= id_mask; ++i) by_id[i] = kNobody;
    }
    next_response_id = 1;
    response_out = false;
    last_done = kNever;
    held = 0;
    idle_since = last_progress = 0;
    patience = kNever;
    if (refresh_policy != RefreshPolicy::NoRefresh) {
      patience = (2 * (postponed_limit + pulledin_limit) + 4 * std::int64_t{banks_per_rank} + 64) * (interval + t.longest);
    }
  }

  // ---- the step -------------------------------------------------------------------------------------------------------

  EXARCH_HD void step() {
    const std::int64_t now = events->now;
    handle_responses(now);
    accept(now, 0);
    (void)evaluate_refresh(now);
    (void)evaluate_power(now);
    const Winner winner = select(now);
    bool blocked_step = false;
    if (winner.command != Command::NONE) {
      issue(winner, now);
    } else {
      blocked_step = winner.any;
    }
    for (std::uint64_t set = changed; set != 0; set &= set - 1) evaluate(lowest(set));
    changed = 0;
    if (winner.command != Command::NONE) update_times();
    std::int64_t next = kNever;
    for (std::uint64_t set = proposing; set != 0; set &= set - 1) {
      const std::int64_t t = max_of(banks[lowest(set)].time, now);
      if (!(blocked_step && t == now)) next = min_of(next, t);
    }
    next = min_of(next, evaluate_refresh(now, blocked_step));
    next = min_of(next, evaluate_power(now, blocked_step));
    if (next < kNever) events->notify(source_of(channel, kTimer), next - now);
  }

  EXARCH_HD void finish() {
    add_idle(events->now);
    if (counts_energy) energy.finish();
    counters->time_ps = static_cast<std::uint64_t>(events->now);
  }

  // The arbiter offers a request.
  EXARCH_INLINE void offer(std::uint32_t t, std::int64_t delay) {
    offered = t;
    offered_at = events->now + delay;
    events->notify(source_of(channel, kOffer), delay);
  }

  // The handshake of the response that is out is complete.
  EXARCH_INLINE void response_done() {
    last_done = events->now;
    events->notify_next_round(source_of(channel, kDone));
  }

  // Requests wait, and longer than any refresh can be put off none has had its CAS: the controller refreshes for ever. Examples:
  // Strict with FrFcfsGrp passes the next request over again and again; a memory whose refresh takes longer than its interval.
  [[nodiscard]] EXARCH_INLINE bool goes_on_for_ever() const { return total > 0 && events->now - last_progress > patience; }

 private:
  [[nodiscard]] EXARCH_INLINE static std::uint32_t lowest(std::uint64_t set) { return log2_floor(set & (0ull - set)); }
  EXARCH_INLINE void add_idle(std::int64_t until) {
    if (held == 0) counters->idle_ps += static_cast<std::uint64_t>(until - idle_since);
  }

  // ---- responses ------------------------------------------------------------------------------------------------------

  [[nodiscard]] EXARCH_INLINE std::uint32_t next_response() const {
    return params.resp_queue == RespQueue::Fifo ? in_cas_order.head : by_id[next_response_id & id_mask];
  }

  EXARCH_INLINE void notify_data(std::int64_t now) {
    const std::uint32_t t = next_response();
    if (t != kNobody && transactions[t].data_end > now) {
      events->notify(source_of(channel, kData), transactions[t].data_end - now);
    }
  }

  EXARCH_INLINE void handle_responses(std::int64_t now) {
    if (response_out) {
      if (last_done != now) return;
      response_out = false;
      ++counters->served;
      if (--held == 0) {
        idle_since = now;
        return;
      }
    }
    const std::uint32_t t = next_response();
    if (t == kNobody) return;
    if (transactions[t].data_end > now) {
      events->notify(source_of(channel, kData), transactions[t].data_end - now);
      return;
    }
    if (params.resp_queue == RespQueue::Fifo) {
      (void)in_cas_order.pop(transactions);
    } else {
      by_id[next_response_id & id_mask] = kNobody;
    }
    ++next_response_id;
    response = t;
    response_out = true;
    arbiter->send(*events, kArbiterSource, kResponse << 4 | channel, last_done == now ? tck : 0);
    last_done = kNever;
  }

  // ---- request buffer -------------------------------------------------------------------------------------------------

  [[nodiscard]] EXARCH_INLINE bool has_space() const {
    const std::uint32_t size = params.request_buffer_size;
    switch (params.scheduler_buffer) {
      case SchedulerBuffer::Bankwise:
        return banks[last_stored_bank].count < size;
      case SchedulerBuffer::ReadWrite:
        return writes < size && total - writes < size;
      default:
        return total < size;
    }
  }

  EXARCH_INLINE void accept(std::int64_t now, std::int64_t delay) {
    if (offered_at <= now && has_space()) store(now, delay);
  }

  EXARCH_OUTLINE void store(std::int64_t now, std::int64_t delay) {
    const std::uint32_t t = offered;
    offered = kNobody;
    offered_at = kNever;
    add_idle(now);
    ++held;
    Transaction& request = transactions[t];
    const std::uint32_t b = request.bank;
    Bank& bank = banks[b];
    Rank& rank = ranks[bank.rank];
    if (rank.held++ == 0 && power_down) signal_exit(rank);
    if (total++ == 0) last_progress = now;
    writes += request.is_write ? 1u : 0u;
    last_stored_bank = b;
    request.next = kNobody;
    request.previous = bank.tail;
    if (bank.tail == kNobody) {
      bank.head = t;
    } else {
      transactions[bank.tail].next = t;
    }
    bank.tail = t;
    ++bank.count;
    evaluate(b);
    accepted = t;
    arbiter->send(*events, kArbiterSource, kAccepted << 4 | channel, delay);
  }

  EXARCH_INLINE void remove(std::uint32_t t, Bank& bank) {
    const Transaction& request = transactions[t];
    if (request.previous == kNobody) {
      bank.head = request.next;
    } else {
      transactions[request.previous].next = request.next;
    }
    if (request.next == kNobody) {
      bank.tail = request.previous;
    } else {
      transactions[request.next].previous = request.previous;
    }
    --bank.count;
    --total;
    writes -= request.is_write ? 1u : 0u;
  }

  // ---- bank machines --------------------------------------------------------------------------------------------------

  [[nodiscard]] EXARCH_INLINE std::uint32_t next_hit(std::uint32_t t, std::uint32_t row) const {
    while (t != kNobody && transactions[t].row != row) t = transactions[t].next;
    return t;
  }

  // The oldest row hit of the last CAS' direction that no older hit of the same address precedes; the oldest hit if there is
  // none.
  [[nodiscard]] EXARCH_OUTLINE std::uint32_t grouped_hit(std::uint32_t oldest, std::uint32_t row) const {
    for (std::uint32_t t = oldest; t != kNobody; t = next_hit(transactions[t].next, row)) {
      if (transactions[t].is_write != last_cas_write) continue;
      bool hazard = false;
      for (std::uint32_t o = oldest; o != t && !hazard; o = next_hit(transactions[o].next, row)) {
        hazard = transactions[o].address == transactions[t].address;
      }
      if (!hazard) return t;
    }
    return oldest;
  }

  [[nodiscard]] EXARCH_INLINE std::uint32_t choose(const Bank& bank) const {
    if (!bank.active || params.scheduler == Scheduler::Fifo) return bank.head;
    const std::uint32_t oldest = next_hit(bank.head, bank.open_row);
    if (oldest == kNobody) return bank.head;
    return params.scheduler == Scheduler::FrFcfs ? oldest : grouped_hit(oldest, bank.open_row);
  }

  [[nodiscard]] EXARCH_INLINE bool further_hit(const Bank& bank) const {
    if (params.scheduler == Scheduler::Fifo) {
      const std::uint32_t second = transactions[bank.head].next;
      return second != kNobody && transactions[second].row == bank.open_row;
    }
    const std::uint32_t oldest = next_hit(bank.head, bank.open_row);
    return oldest != kNobody && next_hit(transactions[oldest].next, bank.open_row) != kNobody;
  }

  [[nodiscard]] EXARCH_INLINE bool closes_after(const Bank& bank) const {
    switch (params.page_policy) {
      case PagePolicy::Open:
        return false;
      case PagePolicy::OpenAdaptive:
        return bank.count >= 2 && !further_hit(bank);
      case PagePolicy::Closed:
        return true;
      default:
        return !further_hit(bank);
    }
  }

  EXARCH_INLINE void evaluate(std::uint32_t b) {
    Bank& bank = banks[b];
    proposing &= ~bit(b);
    changed &= ~bit(b);
    bank.command = Command::NONE;
    if (bank.blocked || bank.asleep) return;
    bank.chosen = choose(bank);
    if (bank.chosen == kNobody) return;
    const Transaction& request = transactions[bank.chosen];
    if (!bank.active) {
      bank.command = Command::ACT;
    } else if (request.row == bank.open_row || params.page_policy == PagePolicy::Closed) {
      const bool closing = closes_after(bank);
      bank.command = request.is_write ? (closing ? Command::WRA : Command::WR) : (closing ? Command::RDA : Command::RD);
    } else {
      bank.command = Command::PRE;
    }
    bank.time = ready_bank(bank.command, b);
    proposing |= bit(b);
  }

  // A command was issued: all proposals have other times. What they have in common is looked up once for a rank and command.
  EXARCH_INLINE void update_times() {
    std::int64_t of_rank[kMaxRanks][kColumns];
    std::uint64_t known = 0;
    static_assert(kMaxRanks * kColumns <= 64);
    for (std::uint64_t set = proposing; set != 0; set &= set - 1) {
      Bank& bank = banks[lowest(set)];
      const std::uint32_t column = column_of(code_of(bank.command));
      const std::uint64_t place = 1ull << (bank.rank * kColumns + column);
      if ((known & place) == 0) {
        known |= place;
        of_rank[bank.rank][column] = ready_of_rank(bank.command, bank.rank);
      }
      bank.time = max_of(ready_alone(bank.command, bank), of_rank[bank.rank][column]);
    }
  }

  // ---- selection ------------------------------------------------------------------------------------------------------

  struct Winner {
    Command command;  // NONE: nothing is issued
    bool any;         // something was proposed
    std::uint32_t rank, bank, id;
  };

  // The best proposal so far of a bus. Whose it is: a bank, or behind all banks a rank.
  struct Best {
    std::int64_t end;  // of the command on its bus
    std::uint32_t id, place;
  };
  static constexpr std::uint32_t kOfRank = 1u << 16, kOfPower = 1u << 17;

  EXARCH_INLINE static void contend(Best& best, std::int64_t end, std::uint32_t id, std::uint32_t place) {
    if (end < best.end || (end == best.end && id < best.id)) best = {end, id, place};
  }

  [[nodiscard]] EXARCH_INLINE Command command_of(const Best& best) const {
    if ((best.place & kOfRank) == 0) return banks[best.place].command;
    const Rank& rank = ranks[best.place & 0xFFFFu];
    return (best.place & kOfPower) != 0 ? rank.power_command : rank.refresh_command;
  }

  [[nodiscard]] EXARCH_INLINE Winner select(std::int64_t now) const {
    Best best[2] = {{kNever, ~0u, kNobody}, {kNever, ~0u, kNobody}};
    bool any = proposing != 0;
    const bool two_buses = protocol->command_buses == 2, strict = params.cmd_mux == CmdMux::Strict;
    std::uint64_t set = proposing;
    if (power_down || now >= refresh_from) {
      for (std::uint32_t r = 0; r < rank_count; ++r) {
        const Rank& rank = ranks[r];
        if (rank.power_command != Command::NONE) {
          // In the place of all others of its rank.
          set &= ~(std::uint64_t{all_banks()} << (r * banks_per_rank));
          contend(best[0], end_of(rank.power_command, rank.power_time, now), ~0u, r | kOfRank | kOfPower);
          any = true;
        } else if (rank.refresh_command != Command::NONE) {
          contend(best[0], end_of(rank.refresh_command, rank.refresh_time, now), 0, r | kOfRank);
          any = true;
        }
      }
    }
    for (; set != 0; set &= set - 1) {
      const std::uint32_t b = lowest(set);
      const Bank& bank = banks[b];
      const std::uint32_t id = transactions[bank.chosen].channel_id;
      const bool cas = is_cas(bank.command);
      if (strict && cas && id != cas_id) continue;
      contend(best[two_buses && cas ? 1 : 0], end_of(bank.command, bank.time, now), id, b);
    }
    Winner winner{Command::NONE, any, 0, 0, 0};
    Best& chosen = best[two_buses && is_first(best[1], best[0]) ? 1 : 0];
    if (chosen.place == kNobody) return winner;
    const Command command = command_of(chosen);
    if (chosen.end - tables->length[code_of(command)] != now) return winner;
    winner.command = command;
    winner.id = chosen.id;
    if ((chosen.place & kOfRank) != 0) {
      winner.rank = chosen.place & 0xFFFFu;
      winner.bank = ranks[winner.rank].refresh_bank;
    } else {
      winner.rank = banks[chosen.place].rank;
      winner.bank = chosen.place;
    }
    return winner;
  }

  // Between the buses: by time without length, then by id.
  [[nodiscard]] EXARCH_INLINE bool is_first(const Best& column, const Best& row) const {
    if (column.place == kNobody || row.place == kNobody) return column.place != kNobody;
    const std::int64_t of_column = column.end - tables->length[code_of(command_of(column))];
    const std::int64_t of_row = row.end - tables->length[code_of(command_of(row))];
    return of_column < of_row || (of_column == of_row && column.id < row.id);
  }

  // When a command that is issued as soon as it may leaves its bus.
  [[nodiscard]] EXARCH_INLINE std::int64_t end_of(Command command, std::int64_t ready, std::int64_t now) const {
    return max_of(ready, now) + tables->length[code_of(command)];
  }

  // ---- issuing --------------------------------------------------------------------------------------------------------

  EXARCH_INLINE void issue(const Winner& winner, std::int64_t now) {
    const Command command = winner.command;
    Rank& rank = ranks[winner.rank];
    ++counters->commands[code_of(command)];
    const bool of_bank = command <= Command::PRE || command == Command::REFB;
    std::uint32_t served = kNobody;
    if (of_bank) {
      served = update_bank(command, winner.bank, winner.id != 0, now);
      note_refresh(command, winner.rank, winner.bank, now);
      if (power_down) note_power(command, rank);
      note_bank_command(command, winner.bank, now);
    } else {
      update_rank(command, winner.rank);
      note_refresh(command, winner.rank, 0, now);
      if (power_down) note_power(command, rank);
      note_command(command, winner.rank, now);
    }
    if (served != kNobody) after_cas(command, served, now);
    if (power_down && rank.held == 0) signal_entry(rank);
    if (counts_energy) {
      energy.log(command, of_bank ? winner.bank : 0, now + log_shift, of_bank ? banks[winner.bank].last_act + log_shift : 0);
    }
  }

  // The bank machine's own state; the request that a CAS serves. `asked`: by a request, not by a refresh.
  EXARCH_INLINE std::uint32_t update_bank(Command command, std::uint32_t b, bool asked, std::int64_t now) {
    using enum Command;
    Bank& bank = banks[b];
    changed |= bit(b);
    if (command == ACT) {
      bank.active = true;
      bank.open_row = transactions[bank.chosen].row;
      bank.last_act = now;
    } else if (command == PRE) {
      bank.active = false;
      bank.outcome = asked ? kRowConflict : kRowMiss;
    } else if (command == REFB) {
      bank.blocked = bank.asleep = false;
    } else {
      const std::uint32_t served = bank.chosen;
      bank.chosen = kNobody;
      ++counters->row[bank.outcome];
      bank.outcome = kRowHit;
      if (closes_by_itself(command)) {
        bank.active = false;
        bank.outcome = kRowMiss;
      }
      return served;
    }
    return kNobody;
  }

  EXARCH_OUTLINE void update_rank(Command command, std::uint32_t r) {
    using enum Command;
    for (std::uint32_t b = r * banks_per_rank, end = b + banks_per_rank; b < end; ++b) {
      Bank& bank = banks[b];
      if (command == PREA) {
        if (bank.active) bank.outcome = kRowMiss;
        bank.active = false;
      } else if (command == REFA) {
        bank.blocked = bank.asleep = false;
      } else if (command == PDEA || command == PDEP || command == SREFEN) {
        bank.asleep = true;
      } else if (command == PDXA || command == PDXP) {
        bank.asleep = false;
      }
      changed |= bit(b);
    }
  }

  EXARCH_INLINE void after_cas(Command command, std::uint32_t t, std::int64_t now) {
    Transaction& request = transactions[t];
    const std::uint32_t b = request.bank;
    ++cas_id;
    last_progress = now;
    remove(t, banks[b]);
    if (last_cas_write != request.is_write) {
      last_cas_write = request.is_write;
      if (params.scheduler == Scheduler::FrFcfsGrp) changed |= proposing;
    }
    accept(now, accept_delay);
    request.data_end = now + (is_write_cas(command) ? write_delay : read_delay);
    if (params.resp_queue == RespQueue::Fifo) {
      in_cas_order.push(transactions, t);
    } else {
      by_id[request.channel_id & id_mask] = t;
    }
    notify_data(now);
    --ranks[banks[b].rank].held;
  }
};

}  // namespace EXARCH_ISA
}  // namespace exarch::dram::system
