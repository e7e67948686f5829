// The exact kernel: the reference simulator's own order of simultaneous events, in bounded state.
//
// Same rules as the single pass (channel.hpp); arrivals and responses travel as the reference's messages between controller,
// arbiter and player. Within a cycle, agents run in rounds: a zero-delay message is delivered in the next round, agents of
// a later round run in reverse order of their notifications, and those of the first in the order in which a binary heap of timed
// notifications yields them. Replaced notifications stay in the heap as dead entries, because they shape that order.
#pragma once

#include <cstdint>

#include "kernels/dram/channel.hpp"
#include "kernels/dram/notifications.hpp"

namespace exarch::dram {
inline namespace EXARCH_ISA {

template <PagePolicy kPolicy, Choice kChoice, bool kWrites>
struct EventOrder {
  enum MessageKind : std::uint32_t { kRequest = 1, kAccepted, kResponse, kConsumed, kAcknowledge };

  using Banks = Channel<Dense, kPolicy, kChoice, kWrites>;
  Banks channel;
  Notifications events;
  // Messages with a delay: the cycle of their delivery, kNeverAbsolute when there is none.
  std::uint64_t request_at, response_at;  // to the arbiter
  bool request_first;                     // of the two, the request was sent first
  std::uint64_t player_response_at;       // to the player
  Counters* counters;
  Witness* witness;
  PendingResponse* pending;  // ring: by request when consumption follows request order, else by CAS order
  std::uint32_t* cas_order;  // ring by CAS order: which request
  std::uint32_t* arrivals;   // ring by request: low 32 bits of its arrival at the arbiter
  std::uint32_t mask;
  bool simple, queue_in_order, arbiter_in_order, in_request_order;
  Status status;  // ok until a reason to stop is found

  // Controller.
  std::uint64_t offered_at;  // kNeverAbsolute while nothing is offered
  bool response_out;
  std::uint64_t last_done;  // cycle of the last completed response handshake
  std::uint32_t cas_count, handed, held;
  std::uint64_t idle_since, idle_cycles;
  std::uint64_t winner;
  std::uint32_t winner_bank;

  // Arbiter. Requests pass it in order, so its queue is a range of indices.
  std::uint32_t arrived, forwarded, max_active;
  std::uint32_t active;
  bool parked, channel_busy, player_busy;
  std::uint32_t received, sent_responses;
  std::uint64_t last_accepted, last_consumed;

  // Player.
  std::uint32_t sent, consumed;
  bool all_consumed;
  std::uint64_t issue_ps;
  std::uint64_t steps;  // made before the last pause

  EXARCH_INLINE void attach(const WorkloadView& view, const Distances& distances, const Scratch& scratch, Counters& result,
                            Witness& proof) {
    channel.attach(view, distances, scratch.slots, result, proof);
    events.heap = scratch.heap;
    counters = &result;
    witness = &proof;
    pending = scratch.pending;
    cas_order = scratch.cas_order;
    arrivals = scratch.arrivals;
  }

  // As SinglePass::resume(). The part must begin part_overlap() before the end of the last one.
  EXARCH_INLINE void resume(const WorkloadView& view, const Distances& distances, const Scratch& scratch, Counters& result,
                            Witness& proof) {
    attach(view, distances, scratch, result, proof);
    status = Status::ok;
  }

  EXARCH_HD void reset(const WorkloadView& view, const ControllerParams& params, const Distances& distances,
                       const Scratch& scratch, Counters& result, Witness& proof) {
    attach(view, distances, scratch, result, proof);
    channel.reset(view, params, distances, scratch.slots, scratch.slot_count, result, proof);
    events.reset(scratch.heap, scratch.heap_count);
    steps = 0;
    request_at = response_at = player_response_at = kNeverAbsolute;
    request_first = false;
    mask = scratch.pending_count - 1;
    simple = params.arbiter == Arbiter::Simple;
    queue_in_order = params.resp_queue == RespQueue::Reorder;
    arbiter_in_order = params.arbiter == Arbiter::Reorder;
    in_request_order = queue_in_order || arbiter_in_order;
    status = Status::ok;
    response_out = false;
    last_done = last_accepted = last_consumed = kNeverAbsolute;
    cas_count = handed = held = 0;
    idle_since = idle_cycles = 0;
    winner_bank = 0;
    arrived = forwarded = active = 0;
    max_active = params.max_active_transactions;
    parked = channel_busy = player_busy = false;
    received = sent_responses = 0;
    sent = consumed = 0;
    all_consumed = false;
    issue_ps = 0;
    offered_at = kNeverAbsolute;
    winner = channel.select(winner_bank);
  }

  // ---- responses ------------------------------------------------------------------------------------------------------

  // A pending response's `end` is its arrival while the CAS is still to come, one less once the arbiter lists it, and the end of
  // its data in between.
  [[nodiscard]] EXARCH_INLINE std::uint32_t request_of_handed(std::uint32_t k) const {
    return queue_in_order ? k : cas_order[k & mask];
  }
  [[nodiscard]] EXARCH_INLINE PendingResponse& response_of(std::uint32_t k, std::uint32_t request) {
    return pending[(in_request_order ? request : k) & mask];
  }

  // End of the data of the next response in the queue's order; false while its CAS is still to come.
  [[nodiscard]] EXARCH_INLINE bool next_data_end(std::uint64_t& end) {
    if (queue_in_order) {
      if (handed >= channel.accepted) return false;
      const PendingResponse& r = pending[handed & mask];
      if (r.end == r.arrival) return false;
    } else if (handed == cas_count) {
      return false;
    }
    const std::uint32_t low = response_of(handed, request_of_handed(handed)).end;
    end = events.now + static_cast<std::uint64_t>(
                           static_cast<std::int64_t>(static_cast<std::int32_t>(low - static_cast<std::uint32_t>(events.now))));
    return true;
  }

  EXARCH_INLINE void notify_data() {
    std::uint64_t end = 0;
    if (next_data_end(end) && end > events.now) events.notify(Notifications::kData, end - events.now);
  }

  EXARCH_INLINE void handle_responses() {
    if (response_out) {
      if (last_done != events.now) return;
      response_out = false;
      ++counters->served;
      if (--held == 0) {
        idle_since = events.now;
        return;
      }
    }
    std::uint64_t end = 0;
    if (!next_data_end(end)) return;
    if (end > events.now) {
      events.notify(Notifications::kData, end - events.now);
      return;
    }
    const std::uint32_t delay = last_done == events.now ? 1 : 0;
    ++handed;
    if (delay == 0) {
      events.send_next_round(Notifications::kArbiter, kResponse);
    } else {
      response_at = events.now + 1;
      request_first = request_at != kNeverAbsolute;
      events.notify(Notifications::kArbiter, 1);
    }
    response_out = true;
    last_done = kNeverAbsolute;
  }

  // ---- controller -----------------------------------------------------------------------------------------------------

  EXARCH_INLINE bool accept_request(std::uint32_t now) { return offered_at <= events.now && take_request(now); }

  EXARCH_OUTLINE bool take_request(std::uint32_t now) {
    if (!channel.has_space()) {
      witness->buffer_refused = true;
      return false;
    }
    offered_at = kNeverAbsolute;
    if (held == 0) idle_cycles += events.now - idle_since;
    ++held;
    const std::uint32_t index = channel.accepted;
    const std::uint32_t arrival = arrivals[index & mask];
    if (static_cast<std::uint32_t>(events.now) - arrival >= kMaxWait) status = Status::latency_limit;
    if (in_request_order) {
      if (index - consumed > mask) status = Status::out_of_space;
      pending[index & mask] = {arrival, arrival};
    }
    if (channel.store(arrival, now) == Banks::Stored::no_room) status = Status::out_of_space;
    events.send_next_round(Notifications::kArbiter, kAccepted);
    return true;
  }

  EXARCH_OUTLINE void issue_bank(std::uint32_t b, std::uint32_t now) {
    using enum CommandCode;
    const std::uint32_t code = channel.command[b];
    if (code == code_of(ACT)) {
      channel.issue_act(b, now);
    } else if (code == code_of(PRE)) {
      channel.issue_pre(b, now);
    } else {
      const auto served = channel.issue_cas(b, now);
      (void)accept_request(now);
      if (cas_count - (in_request_order ? handed : consumed) >= mask) status = Status::out_of_space;
      if (!queue_in_order) cas_order[cas_count & mask] = served.request;
      response_of(cas_count, served.request) = {static_cast<std::uint32_t>(served.data_end), served.arrival};
      ++cas_count;
      notify_data();
      channel.after_cas(b, kWrites && code >= code_of(WR), now);
    }
  }

  EXARCH_INLINE void controller_step() {
    const auto now = static_cast<std::uint32_t>(events.now - channel.epoch);
    handle_responses();
    if (accept_request(now)) winner = channel.select(winner_bank);
    const bool refreshing = events.now >= channel.refresh_due;
    if (refreshing) channel.evaluate_refresh(events.now);
    bool issued = true;
    if (refreshing && channel.refresh_ready(now) == now) {
      channel.issue_refresh(now);
      channel.propose_all(now);
    } else if (winner >> 32 == now) {
      issue_bank(winner_bank, now);
    } else {
      issued = false;
    }
    if (refreshing) {
      if (channel.blocked) channel.propose_all(now);
      channel.evaluate_refresh(events.now);
      issued = true;
    }
    if (issued) winner = channel.select(winner_bank);
    const std::uint32_t bank_time = static_cast<std::uint32_t>(winner >> 32);
    std::uint64_t next = bank_time == kNever ? kNeverAbsolute : channel.absolute(bank_time);
    if (refreshing && (channel.due_prea || channel.due_refa)) {
      next = min_of(next, channel.absolute(channel.refresh_ready(now)));
    } else {
      next = min_of(next, channel.refresh_due);
    }
    if (next != kNeverAbsolute) events.notify(Notifications::kTimer, next > events.now ? next - events.now : 0);
  }

  // ---- arbiter --------------------------------------------------------------------------------------------------------

  EXARCH_INLINE void acknowledge() { events.send_next_round(Notifications::kPlayer, kAcknowledge); }

  EXARCH_INLINE void offer(std::uint32_t delay) {
    ++forwarded;
    offered_at = events.now + delay;
    events.notify(Notifications::kOffer, delay);
  }

  // Offers the newest request to the controller, or leaves it queued behind the one being offered.
  EXARCH_INLINE void forward() {
    if (channel_busy) return;
    channel_busy = true;
    offer(!simple && last_accepted == events.now ? 1 : 0);
  }

  EXARCH_INLINE void response_done() {
    last_done = events.now;
    events.notify_next_round(Notifications::kDone);
  }

  [[nodiscard]] EXARCH_INLINE bool next_response_is_listed() const {
    if (!arbiter_in_order || queue_in_order) return sent_responses < received;
    if (sent_responses >= channel.accepted) return false;
    const PendingResponse& r = pending[sent_responses & mask];
    return r.end == r.arrival - 1;
  }

  EXARCH_INLINE void send_next_response(std::uint32_t delay) {
    ++sent_responses;
    if (delay == 0) {
      events.send_next_round(Notifications::kPlayer, kResponse);
    } else {
      player_response_at = events.now + 1;
      events.notify(Notifications::kPlayer, 1);
    }
  }

  EXARCH_INLINE void request_from_player() {
    arrivals[arrived & mask] = static_cast<std::uint32_t>(events.now);
    if (arrived - channel.accepted >= mask) status = Status::out_of_space;
    ++arrived;
    if (!simple) {
      witness->most_active = max_of(witness->most_active, active);
      if (active >= max_active) {
        witness->active_waited = true;
        parked = true;
        return;
      }
      ++active;
      acknowledge();
    }
    forward();
  }

  EXARCH_INLINE void accepted_by_controller() {
    last_accepted = events.now;
    if (simple) acknowledge();
    const std::uint32_t admitted = arrived - (parked ? 1 : 0);
    if (forwarded == admitted) {
      channel_busy = false;
    } else {
      offer(1);
    }
  }

  EXARCH_INLINE void response_from_controller() {
    if (!simple) response_done();
    if (arbiter_in_order && !queue_in_order) {
      PendingResponse& r = pending[cas_order[received & mask] & mask];
      r.end = r.arrival - 1;
    }
    ++received;
    if (player_busy || !next_response_is_listed()) return;
    player_busy = true;
    send_next_response(!simple && last_consumed == events.now ? 1 : 0);
  }

  EXARCH_INLINE void consumed_by_player() {
    if (simple) {
      response_done();
    } else {
      last_consumed = events.now;
      if (parked) {
        parked = false;
        acknowledge();
        forward();
      } else {
        --active;
      }
    }
    if (next_response_is_listed()) {
      send_next_response(1);
    } else {
      player_busy = false;
    }
  }

  // Messages that were delayed until this cycle come before those sent in it.
  EXARCH_INLINE void arbiter_run() {
    std::uint64_t kinds = events.take_due_to_arbiter();
    const bool both = request_at == response_at;
    if (response_at <= events.now) {
      kinds = kinds << 4 | kResponse;
      response_at = kNeverAbsolute;
    }
    if (request_at <= events.now) {
      kinds = both && !request_first ? (kinds & ~0xFull) << 4 | std::uint64_t{kRequest} << 4 | kResponse : kinds << 4 | kRequest;
      request_at = kNeverAbsolute;
    }
    for (; kinds != 0; kinds >>= 4) {
      const auto kind = static_cast<std::uint32_t>(kinds) & 15u;
      if (kind == kRequest) {
        request_from_player();
      } else if (kind == kAccepted) {
        accepted_by_controller();
      } else if (kind == kResponse) {
        response_from_controller();
      } else {
        consumed_by_player();
      }
    }
    // The single notification is for the earliest message: renewed after each run.
    const std::uint64_t next = min_of(request_at, response_at);
    if (next != kNeverAbsolute) events.notify(Notifications::kArbiter, next - events.now);
  }

  // ---- player ---------------------------------------------------------------------------------------------------------

  EXARCH_INLINE void request_in(std::uint64_t delay) {
    if (delay == 0) {
      events.send_next_round(Notifications::kArbiter, kRequest);
    } else {
      request_at = events.now + delay;
      request_first = response_at == kNeverAbsolute;
      events.notify(Notifications::kArbiter, delay);
    }
  }

  EXARCH_INLINE void send_next_request() {
    const bool first = sent == 0;
    const std::uint64_t gap = channel.request_at(sent).gap;
    ++sent;
    // The cycle goes on to its end.
    if (sent == channel.workload->part_end && sent < channel.workload->count && status == Status::ok) status = Status::paused;
    if (channel.workload->player_period_ps == channel.workload->tck_ps) {
      const std::uint64_t earliest = first ? 0 : events.now + 1;
      issue_ps += gap;  // cycles here: the clocks coincide
      const std::uint64_t arrives = channel.workload->relative ? earliest + gap : max_of(earliest, issue_ps);
      request_in(arrives - events.now);
      return;
    }
    const std::uint64_t period = channel.workload->player_period_ps;
    const std::uint64_t tck = channel.workload->tck_ps;
    const std::uint64_t earliest = first ? 0 : (events.now * tck / period + 1) * period;
    issue_ps += gap * period;
    const std::uint64_t leaves = channel.workload->relative ? earliest + gap * period : max_of(earliest, issue_ps);
    request_in((leaves + tck - 1) / tck - events.now);
  }

  EXARCH_INLINE void consume() {
    const std::uint32_t arrival = pending[consumed & mask].arrival;
    all_consumed = ++consumed == channel.workload->count;
    const std::uint32_t latency = static_cast<std::uint32_t>(events.now) - arrival;
    counters->latency_sum += latency;
    counters->latency_max = max_of<std::uint64_t>(counters->latency_max, latency);
    ++counters->latency_histogram[latency_bucket(latency)];
    events.send_next_round(Notifications::kArbiter, kConsumed);
  }

  EXARCH_INLINE void player_run() {
    std::uint64_t kinds = events.take_due_to_player();
    if (player_response_at <= events.now) {
      kinds = kinds << 4 | kResponse;
      player_response_at = kNeverAbsolute;
    }
    for (; kinds != 0; kinds >>= 4) {
      if ((kinds & 15u) == kAcknowledge) {
        if (sent < channel.workload->count) send_next_request();
      } else {
        consume();
      }
    }
    if (player_response_at != kNeverAbsolute) events.notify(Notifications::kPlayer, player_response_at - events.now);
  }

  // ---- the run --------------------------------------------------------------------------------------------------------

  EXARCH_HD Status run(std::uint64_t max_steps) {
    std::uint32_t agents = 0;
    if (sent == 0) {
      send_next_request();
      // At the start everyone runs once; the order makes no difference.
      agents = Notifications::kController;
    }
    for (std::uint64_t step = steps; step < max_steps; ++step) {
      for (; agents != 0; agents >>= 2) {
        const std::uint32_t agent = agents & 3u;
        if (agent == Notifications::kController) {
          controller_step();
        } else if (agent == Notifications::kArbiterAgent) {
          arbiter_run();
        } else {
          player_run();
        }
      }
      if (all_consumed) return finish();
      if (events.next_round != 0) {
        agents = events.advance_round();
        continue;
      }
      if (stopped() != Status::ok) {
        steps = step;
        return stopped();
      }
      agents = events.advance_cycle();
      if (agents == 0) break;  // cannot happen: a response is always on its way
      if (events.now - channel.epoch >= kRebaseAt) {
        channel.rebase(events.now);
        winner = channel.select(winner_bank);
      }
    }
    return Status::step_limit;
  }

  [[nodiscard]] EXARCH_INLINE Status stopped() const { return events.overflow ? Status::out_of_space : status; }

  EXARCH_HD Status finish() {
    channel.finish();
    counters->cycles = events.now;
    if (held == 0) idle_cycles += events.now - idle_since;
    counters->idle_cycles_fifo = counters->idle_cycles_reorder = idle_cycles;
    return stopped();
  }
};

}  // namespace EXARCH_ISA
}  // namespace exarch::dram
