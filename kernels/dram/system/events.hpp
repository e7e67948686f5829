// The event queue of the system kernel: timed notifications in a binary heap, zero-delay ones in rounds, messages in mailboxes.
//
// The order of simultaneous events is the reference simulator's (see event_order.hpp of the DDR3 kernels, which has the same
// rules for one channel and one initiator): agents of a later round run in the reverse order of their notifications, those of a
// cycle's first round in the order in which the heap yields them, and replaced notifications stay in the heap as dead entries.
#pragma once

#include <cstdint>

#include "kernels/dram/system/tables.hpp"
#include "kernels/dram/system/types.hpp"

namespace exarch::dram::system {
inline namespace EXARCH_ISA {

struct HeapEntry {
  std::int64_t time;
  std::uint64_t identity;  // serial number << 8 | source
};

// Sources of notifications: four of each channel's controller, the arbiter, the players.
enum ControllerSource : std::uint32_t { kOffer, kDone, kTimer, kData, kControllerSources };
inline constexpr std::uint32_t kArbiterSource = kControllerSources * kMaxChannels;
inline constexpr std::uint32_t kPlayerSource = kArbiterSource + 1;  // of the first player
inline constexpr std::uint32_t kSystemSources = kPlayerSource + kMaxPlayers;

// Agents: the channels' controllers, the arbiter, the players.
inline constexpr std::uint32_t kArbiterAgent = kMaxChannels;
inline constexpr std::uint32_t kPlayerAgent = kArbiterAgent + 1;  // the first
static_assert(kPlayerAgent + kMaxPlayers < 15, "a list of agents holds four bits each, and 0 ends it");

[[nodiscard]] EXARCH_HD constexpr std::uint32_t source_of(std::uint32_t channel, ControllerSource source) {
  return channel * kControllerSources + source;
}

// A list of agents, four bits each: number + 1, the first to run lowest.
using Agents = std::uint64_t;

struct Events {
  HeapEntry* heap;  // (place - 1), places count from 1
  std::uint32_t capacity, size;
  bool overflow;
  std::uint32_t parity;  // of the round: messages sent in one round are read in the next
  std::int64_t now;      // ps
  std::uint64_t serial;
  std::uint64_t round_sources;  // notified with zero delay, as a bit set
  Agents next_round;
  std::uint32_t next_round_agents;           // the same as a bit set
  std::int64_t live_time[kSystemSources];    // of the live notification, kNever when there is none
  std::uint64_t live_entry[kSystemSources];  // its identity, 0 when there is none

  EXARCH_HD void reset(HeapEntry* storage, std::uint32_t entries) {
    heap = storage;
    capacity = entries;
    size = 0;
    overflow = false;
    parity = 0;
    now = 0;
    serial = 0;
    round_sources = 0;
    next_round = 0;
    next_round_agents = 0;
    for (std::uint32_t s = 0; s < kSystemSources; ++s) {
      live_time[s] = kNever;
      live_entry[s] = 0;
    }
  }

  [[nodiscard]] EXARCH_INLINE static std::uint32_t agent_of(std::uint32_t source) {
    return source < kArbiterSource ? source / kControllerSources : source - kArbiterSource + kArbiterAgent;
  }

  // A list without one of its agents.
  [[nodiscard]] EXARCH_HD static Agents without(Agents agents, std::uint32_t agent) {
    std::uint32_t shift = 0;
    while ((agents >> shift & 15u) != agent + 1) shift += 4;
    const Agents before = agents & ((Agents{1} << shift) - 1);
    return before | (agents >> shift >> 4 << shift);
  }

  EXARCH_INLINE void notify_next_round(std::uint32_t source) {
    if ((round_sources >> source & 1u) != 0) return;
    round_sources |= std::uint64_t{1} << source;
    live_time[source] = kNever;
    live_entry[source] = 0;
    const std::uint32_t agent = agent_of(source);
    if ((next_round_agents >> agent & 1u) != 0) next_round = without(next_round, agent);
    next_round_agents |= 1u << agent;
    next_round = next_round << 4 | (agent + 1);
  }

  // A later-or-equal time than the live one is ignored; an earlier one replaces it.
  EXARCH_INLINE void notify(std::uint32_t source, std::int64_t delay) {
    if (delay == 0) {
      notify_next_round(source);
      return;
    }
    if ((round_sources >> source & 1u) != 0 || now + delay >= live_time[source]) return;
    live_time[source] = now + delay;
    live_entry[source] = ++serial << 8 | source;
    insert({live_time[source], live_entry[source]});
  }

  [[nodiscard]] EXARCH_INLINE bool round_is_due() const { return next_round != 0; }

  EXARCH_INLINE Agents advance_round() {
    const Agents agents = next_round;
    next_round = 0;
    next_round_agents = 0;
    round_sources = 0;
    parity ^= 1u;
    return agents;
  }

  // Moves to the next time at which something happens; the agents to run, 0 when no event is left.
  EXARCH_INLINE Agents advance_time() {
    while (size > 0 && dead(heap[0])) extract();
    if (size == 0) return 0;
    parity ^= 1u;
    now = heap[0].time;
    Agents agents = 0;
    std::uint32_t shift = 0, seen = 0;
    while (size > 0 && heap[0].time == now) {
      const HeapEntry entry = heap[0];
      extract();
      if (dead(entry)) continue;
      const auto source = static_cast<std::uint32_t>(entry.identity & 255u);
      live_time[source] = kNever;
      live_entry[source] = 0;
      const std::uint32_t agent = agent_of(source);
      if ((seen >> agent & 1u) != 0) continue;  // runs already
      seen |= 1u << agent;
      agents |= Agents{agent + 1} << shift;
      shift += 4;
    }
    return agents;
  }

  [[nodiscard]] EXARCH_INLINE bool dead(const HeapEntry& entry) const {
    return live_entry[entry.identity & 255u] != entry.identity;
  }

  // Appends and moves up while the parent's time is strictly greater.
  EXARCH_INLINE void insert(HeapEntry entry) {
    if (size == capacity) {
      overflow = true;
      return;
    }
    std::uint32_t place = ++size;
    while (place > 1 && heap[place / 2 - 1].time > entry.time) {
      heap[place - 1] = heap[place / 2 - 1];
      place /= 2;
    }
    heap[place - 1] = entry;
  }

  // Removes the root; the last element moves to the root and then down, the left child winning equal times.
  EXARCH_OUTLINE void extract() {
    const HeapEntry entry = heap[--size];
    std::uint32_t place = 1;
    while (2 * place <= size) {
      std::uint32_t child = 2 * place;
      if (child < size && heap[child].time < heap[child - 1].time) ++child;
      if (heap[child - 1].time >= entry.time) break;
      heap[place - 1] = heap[child - 1];
      place = child;
    }
    if (size > 0) heap[place - 1] = entry;
  }
};

// Messages to one agent: those of the next round, and those for a later time. A code is the receiver's business.
template <std::uint32_t kMost>
struct Mailbox {
  std::uint8_t round[2][kMost];  // (parity, message)
  std::uint32_t round_count[2];
  std::int64_t time[kMost];  // (message) in order of time, equal times in order of sending
  std::uint8_t timed[kMost];
  std::uint32_t timed_count;

  EXARCH_HD void reset() { round_count[0] = round_count[1] = timed_count = 0; }

  EXARCH_INLINE void send(Events& events, std::uint32_t source, std::uint32_t code, std::int64_t delay) {
    if (delay == 0) {
      const std::uint32_t to = events.parity ^ 1u;
      round[to][round_count[to]++] = static_cast<std::uint8_t>(code);
      events.notify_next_round(source);
      return;
    }
    const std::int64_t at = events.now + delay;
    std::uint32_t place = timed_count++;
    for (; place > 0 && time[place - 1] > at; --place) {
      time[place] = time[place - 1];
      timed[place] = timed[place - 1];
    }
    time[place] = at;
    timed[place] = static_cast<std::uint8_t>(code);
    events.notify(source, delay);
  }

  // Calls handle(code) for every message that is due. The single notification is for the earliest message: renewed after each
  // run.
  template <class F>
  EXARCH_INLINE void deliver(Events& events, std::uint32_t source, F&& handle) {
    const std::uint32_t own = events.parity;
    for (std::uint32_t i = 0; i < round_count[own]; ++i) handle(std::uint32_t{round[own][i]});
    round_count[own] = 0;
    while (timed_count > 0 && time[0] <= events.now) {
      const std::uint32_t code = timed[0];
      --timed_count;
      for (std::uint32_t i = 0; i < timed_count; ++i) {
        time[i] = time[i + 1];
        timed[i] = timed[i + 1];
      }
      handle(code);
    }
    if (timed_count > 0) events.notify(source, time[0] - events.now);
  }
};

}  // namespace EXARCH_ISA
}  // namespace exarch::dram::system
