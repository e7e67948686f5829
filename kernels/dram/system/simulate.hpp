// The system kernel: one candidate on one workload, with the original's order of simultaneous events.
//
// Any standard, ranks, channels, initiators, clocks, delays, power-down, Strict. One thread runs a candidate; its memory is a
// Scratch, its counters one SystemCounters per channel. Example:
//   const Tables tables = make_tables(protocol);
//   run_system(view, tables, params, scratch, kNoStepLimit, counters, result);
#pragma once

#include <cstdint>

#include "kernels/dram/system/controller.hpp"

namespace exarch::dram::system {
inline namespace EXARCH_ISA {

struct System {
  enum PlayerMessage : std::uint32_t { kAcknowledge, kAnswer };

  // What the arbiter keeps of a channel.
  struct Lane {
    Queue queue;  // admitted requests that are not offered yet
    bool busy;
    std::int64_t last_accepted;
    std::uint32_t next_id;
  };

  // An initiator, and what the arbiter keeps of it.
  struct Initiator {
    const Player* player;
    std::uint32_t sent, consumed;
    bool finished;
    std::int64_t issue;    // ps, the latest request's earliest issue time
    Mailbox<4> box;        // messages to it
    std::uint32_t active;  // requests between admission and response
    std::uint32_t parked;  // transaction waiting for admission
    bool busy;             // a response is on its way to it
    Queue responses;       // for it, in order of arrival (Simple, Fifo)
    std::uint32_t* by_id;  // for it, ring by player_id (Reorder)
    std::uint32_t next_id, next_response_id, answer;
    std::int64_t last_consumed;
  };

  Events events;
  ArbiterBox arbiter_box;
  Controller controllers[kMaxChannels];
  Lane lanes[kMaxChannels];
  Initiator initiators[kMaxPlayers];
  const SystemView* view;
  SystemCounters* counters;
  Transaction* transactions;
  std::uint32_t id_mask, free_transaction;
  std::int64_t tck, arbitration_forward, arbitration_backward;
  std::uint32_t max_active;
  bool simple, in_order, out_of_space;
  std::uint32_t finished;
  std::int64_t last_finish;

  EXARCH_HD void reset(const SystemView& workload, const Tables& tables, const ControllerParams& params, const Scratch& scratch,
                       SystemCounters* results) {
    view = &workload;
    counters = results;
    transactions = scratch.transactions;
    events.reset(scratch.heap, scratch.size.heap);
    arbiter_box.reset();
    tck = tables.tck;
    arbitration_forward = std::int64_t{workload.delays.arbitration_forward} * tck;
    arbitration_backward = std::int64_t{workload.delays.arbitration_backward} * tck;
    max_active = params.max_active_transactions;
    simple = params.arbiter == Arbiter::Simple;
    in_order = params.arbiter == Arbiter::Reorder;
    out_of_space = false;
    finished = 0;
    last_finish = 0;
    id_mask = scratch.size.transactions - 1;
    for (std::uint32_t t = 0; t < scratch.size.transactions; ++t) transactions[t].next = t + 1;
    transactions[id_mask].next = kNobody;
    free_transaction = 0;
    for (std::uint32_t c = 0; c < workload.channel_count; ++c) {
      counters[c] = SystemCounters{};
      controllers[c].reset(workload, tables, params, scratch, c, events, arbiter_box, counters[c]);
      lanes[c].queue.reset();
      lanes[c].busy = false;
      lanes[c].last_accepted = kNever;
      lanes[c].next_id = 1;
    }
    for (std::uint32_t p = 0; p < workload.player_count; ++p) reset_initiator(initiators[p], workload.players[p], scratch, p);
  }

  EXARCH_HD void reset_initiator(Initiator& i, const Player& player, const Scratch& scratch, std::uint32_t p) const {
    i.player = &player;
    i.sent = i.consumed = 0;
    i.finished = false;
    i.issue = 0;
    i.box.reset();
    i.active = 0;
    i.parked = kNobody;
    i.busy = false;
    i.responses.reset();
    i.by_id = scratch.by_player + std::uint64_t{p} * scratch.size.transactions;
    if (in_order) {
      for (std::uint32_t t = 0; t < scratch.size.transactions; ++t) i.by_id[t] = kNobody;
    }
    i.next_id = i.next_response_id = 1;
    i.answer = kNobody;
    i.last_consumed = kNever;
  }

  // ---- arbiter --------------------------------------------------------------------------------------------------------

  EXARCH_INLINE void to_player(std::uint32_t p, PlayerMessage message, std::int64_t delay) {
    initiators[p].box.send(events, kPlayerSource + p, message, delay);
  }

  EXARCH_INLINE void number(std::uint32_t t) {
    Transaction& request = transactions[t];
    request.player_id = initiators[request.player].next_id++;
    request.channel_id = lanes[request.channel].next_id++;
  }

  // Queues a request for its channel, and offers it at once if the channel is free.
  EXARCH_INLINE void forward(std::uint32_t t) {
    Lane& lane = lanes[transactions[t].channel];
    if (lane.busy) {
      lane.queue.push(transactions, t);
      return;
    }
    lane.busy = true;
    const std::int64_t delay = simple ? arbitration_forward : lane.last_accepted == events.now ? tck : 0;
    controllers[transactions[t].channel].offer(t, delay);
  }

  EXARCH_INLINE void admit(std::uint32_t t) {
    number(t);
    to_player(transactions[t].player, kAcknowledge, 0);
    forward(t);
  }

  EXARCH_INLINE void request_from(std::uint32_t p) {
    Initiator& i = initiators[p];
    const std::uint32_t t = free_transaction;
    if (t == kNobody) {
      out_of_space = true;
      return;
    }
    free_transaction = transactions[t].next;
    const Request& request = i.player->requests[i.sent - 1];
    Transaction& own = transactions[t];
    own.arrival = events.now;
    own.data_end = 0;
    own.row = request.row;
    own.address = request.address;
    own.bank = request.bank;
    own.channel = request.channel;
    own.player = static_cast<std::uint8_t>(p);
    own.is_write = request.is_write != 0;
    if (simple) {
      number(t);
      forward(t);
    } else if (i.active < max_active) {
      ++i.active;
      admit(t);
    } else {
      i.parked = t;
    }
  }

  EXARCH_INLINE void accepted_by(std::uint32_t c) {
    Lane& lane = lanes[c];
    lane.last_accepted = events.now;
    if (simple) to_player(transactions[controllers[c].accepted].player, kAcknowledge, 0);
    if (lane.queue.empty()) {
      lane.busy = false;
    } else {
      controllers[c].offer(lane.queue.pop(transactions), tck + (simple ? arbitration_forward : 0));
    }
  }

  [[nodiscard]] EXARCH_INLINE bool has_answer(const Initiator& i) const {
    return in_order ? i.by_id[i.next_response_id & id_mask] != kNobody : !i.responses.empty();
  }

  EXARCH_INLINE void send_answer(Initiator& i, std::uint32_t p, std::int64_t delay) {
    if (in_order) {
      i.answer = i.by_id[i.next_response_id & id_mask];
      i.by_id[i.next_response_id & id_mask] = kNobody;
      ++i.next_response_id;
    } else {
      i.answer = i.responses.pop(transactions);
    }
    to_player(p, kAnswer, delay);
  }

  EXARCH_INLINE void response_from(std::uint32_t c) {
    const std::uint32_t t = controllers[c].response;
    const std::uint32_t p = transactions[t].player;
    Initiator& i = initiators[p];
    if (!simple) controllers[c].response_done();
    if (in_order) {
      i.by_id[transactions[t].player_id & id_mask] = t;
    } else {
      i.responses.push(transactions, t);
    }
    if (i.busy || !has_answer(i)) return;
    i.busy = true;
    send_answer(i, p, simple ? arbitration_backward : i.last_consumed == events.now ? tck : 0);
  }

  EXARCH_INLINE void consumed_by(std::uint32_t p) {
    Initiator& i = initiators[p];
    const std::uint32_t t = i.answer;
    if (simple) {
      controllers[transactions[t].channel].response_done();
    } else {
      i.last_consumed = events.now;
      if (i.parked != kNobody) {
        const std::uint32_t next = i.parked;
        i.parked = kNobody;
        admit(next);
      } else {
        --i.active;
      }
    }
    transactions[t].next = free_transaction;
    free_transaction = t;
    if (has_answer(i)) {
      send_answer(i, p, tck + (simple ? arbitration_backward : 0));
    } else {
      i.busy = false;
    }
  }

  EXARCH_INLINE void arbiter_run() {
    arbiter_box.deliver(events, kArbiterSource, [this](std::uint32_t code) {
      switch (code >> 4) {
        case kRequest:
          return request_from(code & 15u);
        case kAccepted:
          return accepted_by(code & 15u);
        case kResponse:
          return response_from(code & 15u);
        default:
          return consumed_by(code & 15u);
      }
    });
  }

  // ---- players --------------------------------------------------------------------------------------------------------

  // Up to the controller's next clock edge.
  [[nodiscard]] EXARCH_INLINE std::int64_t on_edge(std::int64_t time) const { return (time + tck - 1) / tck * tck; }

  EXARCH_INLINE void send_request(Initiator& i, std::uint32_t p) {
    const std::int64_t period = i.player->period_ps;
    const std::int64_t gap = std::int64_t{i.player->requests[i.sent].gap} * period;
    const std::int64_t earliest = i.sent == 0 ? 0 : (events.now / period + 1) * period;
    ++i.sent;
    i.issue += gap;
    const std::int64_t leaves = i.player->relative ? earliest + gap : max_of(earliest, i.issue);
    arbiter_box.send(events, kArbiterSource, kRequest << 4 | p, on_edge(leaves) - events.now);
  }

  EXARCH_INLINE void consume(Initiator& i, std::uint32_t p) {
    const Transaction& request = transactions[i.answer];
    SystemCounters& c = counters[request.channel];
    const auto latency = static_cast<std::uint64_t>(events.now - request.arrival);
    c.latency_sum_ps += latency;
    c.latency_max_ps = max_of(c.latency_max_ps, latency);
    ++c.latency_histogram[latency_bucket(latency / static_cast<std::uint64_t>(tck))];
    if (++i.consumed == i.player->count) {
      i.finished = true;
      ++finished;
      last_finish = events.now;
    }
    arbiter_box.send(events, kArbiterSource, kConsumed << 4 | p, on_edge(events.now) - events.now);
  }

  EXARCH_INLINE void player_run(std::uint32_t p) {
    Initiator& i = initiators[p];
    i.box.deliver(events, kPlayerSource + p, [this, &i, p](std::uint32_t code) {
      if (code == kAnswer) {
        consume(i, p);
      } else if (i.sent < i.player->count) {
        send_request(i, p);
      }
    });
  }

  // ---- the run --------------------------------------------------------------------------------------------------------

  EXARCH_HD SystemStatus run(std::uint64_t max_steps, std::uint64_t& steps) {
    for (std::uint32_t c = 0; c < view->channel_count; ++c) controllers[c].step();
    for (std::uint32_t p = 0; p < view->player_count; ++p) send_request(initiators[p], p);
    for (steps = 0; steps < max_steps; ++steps) {
      if (events.overflow || out_of_space) return SystemStatus::out_of_space;
      Agents agents = 0;
      if (events.round_is_due()) {
        agents = events.advance_round();
      } else {
        agents = events.advance_time();
        if (agents == 0) return SystemStatus::stalled;
        if (proves_endless()) return SystemStatus::endless;
      }
      for (; agents != 0; agents >>= 4) {
        const std::uint32_t agent = (static_cast<std::uint32_t>(agents) & 15u) - 1;
        if (agent < kArbiterAgent) {
          controllers[agent].step();
        } else if (agent == kArbiterAgent) {
          arbiter_run();
        } else {
          player_run(agent - kPlayerAgent);
        }
      }
      if (finished == view->player_count) return SystemStatus::ok;
    }
    return SystemStatus::step_limit;
  }

  [[nodiscard]] EXARCH_INLINE bool proves_endless() const {
    for (std::uint32_t c = 0; c < view->channel_count; ++c) {
      if (controllers[c].goes_on_for_ever()) return true;
    }
    return false;
  }

  // Closes the books; false if a list of them was too short.
  EXARCH_HD bool finish(SystemResult& result) {
    bool complete = true;
    for (std::uint32_t c = 0; c < view->channel_count; ++c) {
      controllers[c].finish();
      complete = complete && !controllers[c].energy.overflow;
    }
    result.players_finished = finished;
    result.last_finish_ps = static_cast<std::uint64_t>(last_finish);
    return complete;
  }
};

// Runs one candidate to its end. `counters`: (channel).
EXARCH_HD void run_system(const SystemView& view, const Tables& tables, const ControllerParams& params, const Scratch& scratch,
                          std::uint64_t max_steps, System& system, SystemCounters* counters, SystemResult& result) {
  system.reset(view, tables, params, scratch, counters);
  result.steps = 0;
  result.status = system.run(max_steps, result.steps);
  if (!system.finish(result) || system.events.overflow || system.out_of_space) result.status = SystemStatus::out_of_space;
}

}  // namespace EXARCH_ISA
}  // namespace exarch::dram::system
