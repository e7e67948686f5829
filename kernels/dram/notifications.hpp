// The event queue of the exact kernel: timed notifications in a binary heap, zero-delay ones in rounds with their messages.
#pragma once

#include <cstdint>

#include "kernels/dram/scratch.hpp"

namespace exarch::dram {
inline namespace EXARCH_ISA {

struct Notifications {
  // A heap entry is cycle << kCycleShift | serial number << kSourceBits | source. Serial numbers come round again long after the
  // last entry of a past round is gone: no time but that of a request, which nothing replaces, lies further ahead than the
  // memory's longest timing or refresh interval.
  static constexpr std::uint32_t kSourceBits = 3, kCycleShift = 20;
  static constexpr std::uint64_t kIdentity = (1u << kCycleShift) - 1;
  static constexpr std::uint64_t kNoEntry = ~0ull;

  enum Source : std::uint32_t { kOffer, kDone, kTimer, kData, kArbiter, kPlayer, kSources };
  // Agents, as two-bit codes (0: none).
  static constexpr std::uint32_t kController = 1, kArbiterAgent = 2, kPlayerAgent = 3;

  std::uint64_t* heap;  // (place - 1), places count from 1
  std::uint32_t capacity, size;
  bool overflow;
  std::uint64_t now;             // cycle
  std::uint64_t last_number;     // serial number << kSourceBits
  std::uint64_t live[kSources];  // the live heap entry, kNoEntry when there is none
  std::uint32_t next_round;      // agents to run in the next round, two bits each, first one lowest
  std::uint32_t next_round_set;  // the sources notified with zero delay, as a bit set
  // Zero-delay messages as kinds of four bits each, first one lowest: to the arbiter in the low half, to the player in the other.
  std::uint64_t due;           // of this round
  std::uint64_t coming;        // of the next
  std::uint32_t coming_at[2];  // where the next one goes

  EXARCH_HD void reset(std::uint64_t* storage, std::uint32_t entries) {
    heap = storage;
    capacity = entries;
    size = 0;
    overflow = false;
    now = 0;
    last_number = 0;
    next_round = next_round_set = 0;
    for (std::uint64_t& entry : live) entry = kNoEntry;
    due = coming = 0;
    coming_at[0] = 0;
    coming_at[1] = 32;
  }

  [[nodiscard]] EXARCH_INLINE static std::uint32_t agent_of(std::uint32_t source) {
    return source == kArbiter ? kArbiterAgent : source == kPlayer ? kPlayerAgent : kController;
  }

  // A zero delay replaces whatever is live by "next round", in which agents run in the reverse order of their notifications.
  EXARCH_INLINE void notify_next_round(std::uint32_t source) {
    if (next_round_set >> source & 1u) return;
    next_round_set |= 1u << source;
    live[source] = kNoEntry;
    const std::uint32_t agent = agent_of(source);
    next_round = next_round == 0 ? agent : agent | without(next_round, agent) << 2;
  }

  // A later-or-equal time than the live one is ignored; an earlier one replaces it, and the replaced entry stays in the heap as a
  // dead one.
  EXARCH_INLINE void notify(std::uint32_t source, std::uint64_t delay) {
    if (delay == 0) {
      notify_next_round(source);
      return;
    }
    if (next_round_set >> source & 1u) return;
    const std::uint64_t at = (now + delay) << kCycleShift;
    if (at >= (live[source] & ~kIdentity)) return;
    last_number = (last_number + (1u << kSourceBits)) & kIdentity;
    live[source] = at | last_number | source;
    insert(live[source]);
  }

  // A message (kind 1..15) to be delivered in the next round.
  EXARCH_INLINE void send_next_round(std::uint32_t source, std::uint32_t kind) {
    const std::uint32_t box = source - kArbiter;
    coming |= std::uint64_t{kind} << coming_at[box];
    coming_at[box] += 4;
    notify_next_round(source);
  }

  // The messages that are due in this round.
  EXARCH_INLINE std::uint64_t take_due_to_arbiter() {
    const std::uint64_t kinds = due & 0xFFFFFFFFu;
    due ^= kinds;
    return kinds;
  }
  EXARCH_INLINE std::uint64_t take_due_to_player() {
    const std::uint64_t kinds = due >> 32;
    due &= 0xFFFFFFFFu;
    return kinds;
  }

  // A list of agents without one of them.
  [[nodiscard]] EXARCH_HD static std::uint32_t without(std::uint32_t agents, std::uint32_t agent) {
    if ((agents & 3u) == agent) return agents >> 2;
    if ((agents >> 2 & 3u) == agent) return (agents & 3u) | agents >> 4 << 2;
    return (agents >> 4 & 3u) == agent ? agents & 15u : agents;
  }

  // Moves to the next round of this cycle, if there is one; the agents to run, two bits each, first one lowest.
  EXARCH_INLINE std::uint32_t advance_round() {
    const std::uint32_t agents = next_round;
    next_round = next_round_set = 0;
    due = coming;
    coming = 0;
    coming_at[0] = 0;
    coming_at[1] = 32;
    return agents;
  }

  // Moves to the next cycle; the agents to run, 0 when no event is left.
  EXARCH_INLINE std::uint32_t advance_cycle() {
    // A cycle that holds dead entries only does not take place.
    while (size > 0 && dead(heap[0])) extract();
    if (size == 0) return 0;
    const std::uint64_t first = heap[0];
    extract();
    now = first >> kCycleShift;
    live[source_of(first)] = kNoEntry;
    std::uint32_t agents = agent_of(source_of(first));
    std::uint32_t shift = 2;
    while (size > 0 && heap[0] >> kCycleShift == now) {
      const std::uint64_t entry = heap[0];
      extract();
      if (dead(entry)) continue;
      live[source_of(entry)] = kNoEntry;
      const std::uint32_t agent = agent_of(source_of(entry));
      if (without(agents, agent) != agents) continue;  // runs already
      agents |= agent << shift;
      shift += 2;
    }
    return agents;
  }

  [[nodiscard]] EXARCH_INLINE static std::uint32_t source_of(std::uint64_t entry) {
    return static_cast<std::uint32_t>(entry) & ((1u << kSourceBits) - 1);
  }
  [[nodiscard]] EXARCH_INLINE bool dead(std::uint64_t entry) const { return live[source_of(entry)] != entry; }

  // Appends and moves up while the parent's time is strictly greater.
  EXARCH_INLINE void insert(std::uint64_t entry) {
    if (size == capacity) {
      overflow = true;
      return;
    }
    const std::uint64_t last_of_cycle = entry | kIdentity;
    std::uint32_t place = ++size;
    while (place > 1 && heap[place / 2 - 1] > last_of_cycle) {
      heap[place - 1] = heap[place / 2 - 1];
      place /= 2;
    }
    heap[place - 1] = entry;
  }

  // Removes the root; the last element moves to the root and then down, the left child winning equal times.
  EXARCH_OUTLINE void extract() {
    const std::uint64_t entry = heap[--size];
    const std::uint64_t cycle = entry & ~kIdentity;
    std::uint32_t place = 1;
    while (2 * place <= size) {
      std::uint32_t child = 2 * place;
      if (child < size && (heap[child] | kIdentity) < heap[child - 1]) ++child;
      if (heap[child - 1] >= cycle) break;
      heap[place - 1] = heap[child - 1];
      place = child;
    }
    heap[place - 1] = entry;
  }
};

}  // namespace EXARCH_ISA
}  // namespace exarch::dram
