// The fast kernel: one pass over the events of a run, without an event queue.
//
// Arrivals and responses follow closed recurrences, so only commands, arrivals and refresh evaluations are events, and time jumps
// from one to the next. A request that reaches an idle controller in a cycle in which the controller acts anyway is a tie: the
// reference's event queue decides which comes first. The kernel goes on only if both orders issue the same command; otherwise it
// stops with Status::tie and the candidate is to be run by the exact kernel (event_order.hpp). Players whose clock is not the
// controller's always need the exact kernel.
#pragma once

#include <cstdint>

#include "kernels/dram/channel.hpp"
#include "kernels/dram/responses.hpp"
#include "kernels/dram/scratch.hpp"

namespace exarch::dram {
inline namespace EXARCH_ISA {

template <class Shape, PagePolicy kPolicy, Choice kChoice, bool kWrites>
struct SinglePass {
  using Banks = Channel<Shape, kPolicy, kChoice, kWrites>;
  enum class Offer : std::uint8_t { none, waiting_for_response, queued, freed, tie };

  Banks channel;
  Responses<Shape> responses;

  // The next request of the trace, on its way to the controller.
  Offer offer;
  std::uint64_t offer_at;      // cycle in which it is offered to the controller
  std::uint64_t arrival;       // cycle in which it reached (or will reach) the arbiter
  std::uint64_t issue;         // its earliest issue time
  std::uint64_t player_free;   // first cycle the player may send again
  std::uint64_t channel_free;  // first cycle the arbiter may offer again
  std::uint32_t offered;       // relative offer_at, kNever while it is unknown
  std::uint32_t visible;       // the same when the buffer has space, else kNever
  std::uint32_t special;       // relative cycle from which events need special_step(): refresh, rebase, a reason to stop
  std::uint32_t max_active;
  std::uint64_t steps;  // made before the last pause
  bool simple;
  std::uint32_t clock;   // cycle of the last event
  std::uint64_t winner;  // the bank proposal to be issued next, and its bank
  std::uint32_t bank;
  Status status;  // ok until a reason to stop is found

  EXARCH_INLINE void attach(const WorkloadView& workload, const Distances& distances, const Scratch& scratch, Counters& counters,
                            Witness& witness) {
    channel.attach(workload, distances, scratch.slots, counters, witness);
    responses.attach(scratch, counters, witness);
  }

  // Goes on with the next part of the trace after Status::paused; everything else must have the contents it had.
  EXARCH_INLINE void resume(const WorkloadView& workload, const Distances& distances, const Scratch& scratch, Counters& counters,
                            Witness& witness) {
    attach(workload, distances, scratch, counters, witness);
    status = Status::ok;
    update_special();
  }

  EXARCH_HD void reset(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                       const Scratch& scratch, Counters& counters, Witness& witness) {
    steps = 0;
    channel.reset(workload, params, distances, scratch.slots, scratch.slot_count, counters, witness);
    responses.reset(params, scratch, counters, witness);
    max_active = params.max_active_transactions;
    simple = params.arbiter == Arbiter::Simple;
    issue = player_free = channel_free = 0;
    status = Status::ok;
    clock = kOrigin;
    update_special();
    prepare_offer();
    update_visible();
    winner = channel.select(bank);
  }

  // ---- arrivals -------------------------------------------------------------------------------------------------------

  EXARCH_INLINE void prepare_offer() {
    const std::uint32_t index = channel.accepted;
    const WorkloadView& workload = *channel.workload;
    if (index + 1 >= workload.part_end) {
      if (index == workload.count) {
        offer = Offer::none;
        offered = kNever;
        return;
      }
      // A step that takes a request prepares the one behind it, so the last one of a part is prepared but not taken.
      if (workload.part_end < workload.count && status == Status::ok) stop(Status::paused);
    }
    const std::uint64_t gap = channel.request_at(index).gap;
    issue += gap;
    arrival = workload.relative ? player_free + gap : max_of(player_free, issue);
    if (simple) {
      offer = Offer::tie;
      offer_at = arrival;
      offered = channel.relative(arrival);
    } else {
      admit();
    }
  }

  // Fifo and Reorder arbiter: a request is admitted when fewer than max_active are between admission and response.
  EXARCH_INLINE void admit() {
    const std::uint32_t index = channel.accepted;
    std::uint64_t admission = arrival;
    bool waited = false;
    if (index >= max_active && responses.passed <= index - max_active) {
      if (responses.delivered <= index - max_active) {
        offer = Offer::waiting_for_response;
        offered = kNever;
        return;
      }
      const std::uint64_t freed = responses.end_of(index - max_active, arrival);
      waited = freed >= arrival;
      admission = max_of(arrival, freed);
      if (waited && Shape::leader()) channel.witness->active_waited = true;
    }
    offer_at = max_of(admission, channel_free);
    offered = channel.relative(offer_at);
    offer = admission < channel_free ? Offer::queued : waited ? Offer::freed : Offer::tie;
    player_free = admission + 1;
  }

  EXARCH_INLINE void update_visible() { visible = channel.has_space() ? offered : kNever; }

  EXARCH_INLINE void update_special() { special = min_of(channel.relative(channel.refresh_due), kRebaseAt); }

  EXARCH_OUTLINE void stop(Status why) {
    status = why;
    special = 0;
  }

  // The controller takes the offered request in cycle `now`; true if that changed what a bank proposes.
  EXARCH_INLINE bool accept(std::uint32_t now) {
    const std::uint64_t cycle = channel.absolute(now);
    if (cycle - arrival >= kMaxWait) stop(Status::latency_limit);
    if (channel.total == 0) responses.note_idle(cycle);
    if (!responses.open(channel.accepted, arrival)) {
      stop(Status::out_of_space);
      return false;
    }
    const typename Banks::Stored stored = channel.store(static_cast<std::uint32_t>(arrival), now);
    if (stored == Banks::Stored::no_room) {
      stop(Status::out_of_space);
      return false;
    }
    channel_free = cycle + 1;
    if (simple) player_free = channel_free;
    prepare_offer();
    update_visible();
    return stored == Banks::Stored::proposes;
  }

  // For the rare call sites; accept() itself is expanded where it counts.
  EXARCH_OUTLINE void accept_rarely(std::uint32_t now) { (void)accept(now); }

  // ---- commands -------------------------------------------------------------------------------------------------------

  EXARCH_INLINE void issue_bank(std::uint32_t b, std::uint32_t now) {
    using enum CommandCode;
    const std::uint32_t code = channel.command[b];
    if (code == code_of(ACT)) {
      channel.issue_act(b, now);
    } else if (code == code_of(PRE)) {
      channel.issue_pre(b, now);
    } else {
      const auto served = channel.issue_cas(b, now);
      responses.close(served.request, served.arrival, served.data_end);
      if (offer == Offer::waiting_for_response) admit();
      update_visible();
      if (visible <= now) {
        if (Shape::leader()) channel.witness->buffer_refused = true;
        (void)accept(now);
      }
      channel.after_cas(b, kWrites && code >= code_of(WR), now);
    }
  }

  // ---- the run --------------------------------------------------------------------------------------------------------

  // A request arrives by itself in the very cycle in which the controller issues `winner`: true if both orders agree.
  EXARCH_OUTLINE bool accept_tie(std::uint32_t now) {
    const std::uint8_t code = channel.command[bank];
    const std::uint64_t late = winner;
    accept_rarely(now);
    update_winner();
    return winner == late && channel.command[bank] == code;  // a request belongs to one bank
  }

  // After a request was stored, only the proposal of its bank is new.
  EXARCH_INLINE void update_winner() {
    const std::uint32_t b = channel.last_stored_bank;
    if (b == bank) {
      winner = channel.select(bank);
      return;
    }
    const std::uint64_t key = channel.key_of(b);
    if (key < winner) {
      winner = key;
      bank = b;
    }
  }

  // The same while the refresh manager has a say; `blocks_now`: it has just blocked the banks, whose proposals still compete in
  // this step. A request stored first would compete too, one stored afterwards would not.
  EXARCH_OUTLINE bool accept_tie_at_refresh(std::uint32_t now, bool blocks_now) {
    const std::uint8_t code = channel.command[bank];
    const bool blocked = channel.blocked;
    if (blocks_now) channel.blocked = false;
    accept_rarely(now);
    channel.blocked = blocked;
    std::uint32_t other = 0;
    const std::uint64_t early = channel.select(other);
    if (channel.refresh_ready(now) == now) return true;
    const bool same = early == winner && other == bank && channel.command[other] == code;
    if (winner >> 32 == now) return same;
    if (blocks_now && early >> 32 == now) return false;
    winner = early;
    bank = other;
    return true;
  }

  // One controller step at a cycle in which the refresh manager has a say. False if the run must stop as a tie.
  EXARCH_OUTLINE bool refresh_step(std::uint32_t now) {
    const std::uint64_t cycle = channel.absolute(now);
    if (visible == now && offer == Offer::queued) {
      accept_rarely(now);
      winner = channel.select(bank);
    }
    const bool was_empty = channel.total == 0;
    const bool was_blocked = channel.blocked;
    channel.evaluate_refresh(cycle);
    if (visible == now && offer == Offer::tie) {
      if (was_empty) return false;
      if (!accept_tie_at_refresh(now, channel.blocked && !was_blocked)) return false;
    }
    if (channel.refresh_ready(now) == now) {
      channel.issue_refresh(now);
      channel.propose_all(now);
    } else if (winner >> 32 == now) {
      issue_bank(bank, now);
    }
    if (channel.blocked) channel.propose_all(now);
    channel.evaluate_refresh(cycle);
    if (visible == now && offer == Offer::freed) {
      accept_rarely(now);
      channel.evaluate_refresh(cycle);
    }
    return true;
  }

  // When the refresh manager next wants a step: its due time, or the time of the command it proposes.
  [[nodiscard]] EXARCH_HD std::uint32_t refresh_time(std::uint32_t earliest) const {
    return channel.due_prea || channel.due_refa ? channel.refresh_ready(earliest) : channel.relative(channel.refresh_due);
  }

  // An event at or after `special`. False when the run has ended (`status` says how).
  EXARCH_OUTLINE bool special_step(std::uint32_t next) {
    if (status != Status::ok) return false;
    const std::uint32_t now = min_of(next, refresh_time(clock));
    if (responses.delivered == channel.workload->count && channel.absolute(now) > responses.last_end) {
      finish();
      return false;
    }
    if (now >= kRebaseAt) {
      rebase(now == visible ? offer_at : channel.absolute(now));
    } else {
      if (!refresh_step(now)) {
        status = Status::tie;
        return false;
      }
      clock = now;
      if (status == Status::ok) update_special();
    }
    winner = channel.select(bank);
    return true;
  }

  EXARCH_HD Status run(std::uint64_t max_steps) {
    for (std::uint64_t i = steps; i < max_steps; ++i) {
      const auto ready = static_cast<std::uint32_t>(winner >> 32);
      const std::uint32_t next = min_of(ready, visible);
      if (next >= special) {
        if (!special_step(next)) {
          steps = i;
          return status;
        }
        continue;
      }
      clock = next;
      if (visible < ready || (visible == ready && offer != Offer::freed)) {
        if (visible == ready && offer == Offer::tie) {
          if (!accept_tie(next)) return Status::tie;
        } else if (accept(next)) {
          update_winner();
        }
      } else {
        issue_bank(bank, next);
        winner = channel.select(bank);
      }
    }
    return Status::step_limit;
  }

  EXARCH_HD void rebase(std::uint64_t now) {
    channel.rebase(now);
    if (offered != kNever) offered = channel.relative(offer_at);
    update_visible();
    update_special();
    clock = kOrigin;
  }

  EXARCH_HD void finish() {
    channel.finish();
    responses.finish(channel.workload->count, simple);
  }
};

}  // namespace EXARCH_ISA
}  // namespace exarch::dram
