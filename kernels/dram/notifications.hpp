// The event queue of the exact kernel: timed notifications in a binary heap, zero-delay ones in rounds, and agents' inboxes.
#pragma once

#include <cstdint>

#include "kernels/dram/scratch.hpp"

namespace exarch::dram {
inline namespace EXARCH_ISA {

struct Notifications {
  enum Source : std::uint32_t { kOffer, kDone, kTimer, kData, kArbiter, kPlayer, kSources };
  // Agents, as two-bit codes (0: none).
  static constexpr std::uint32_t kController = 1, kArbiterAgent = 2, kPlayerAgent = 3;

  HeapEntry* heap;  // (place - 1), places count from 1
  std::uint32_t capacity, size;
  bool overflow;
  std::uint64_t now;
  std::uint32_t round;
  std::uint64_t last_number;
  std::uint64_t live[kSources];  // number of the live heap entry, 0: none
  std::uint64_t live_cycle[kSources];
  std::uint32_t next_round;      // sources notified with zero delay, four bits each plus one, last notified lowest
  std::uint32_t next_round_set;  // the same as a bit set

  EXARCH_HD void reset(HeapEntry* storage, std::uint32_t entries) {
    heap = storage;
    capacity = entries;
    size = 0;
    overflow = false;
    now = 0;
    round = 0;
    last_number = 0;
    next_round = next_round_set = 0;
    for (std::uint32_t s = 0; s < kSources; ++s) {
      live[s] = 0;
      live_cycle[s] = 0;
    }
  }

  // A zero delay replaces whatever is live by "next round"; a later-or-equal time than the live one is ignored; an earlier one
  // replaces it, and the replaced entry stays in the heap as a dead one.
  EXARCH_HD void notify(std::uint32_t source, std::uint64_t delay) {
    if (next_round_set >> source & 1u) return;
    if (delay == 0) {
      next_round_set |= 1u << source;
      next_round = next_round << 4 | (source + 1);
      live[source] = 0;
      return;
    }
    const std::uint64_t cycle = now + delay;
    if (live[source] != 0 && cycle >= live_cycle[source]) return;
    last_number += 8;
    live[source] = last_number | source;
    live_cycle[source] = cycle;
    insert({cycle, last_number | source});
  }

  [[nodiscard]] EXARCH_HD static std::uint32_t agent_of(std::uint32_t source) {
    return source == kArbiter ? kArbiterAgent : source == kPlayer ? kPlayerAgent : kController;
  }

  // Adds an agent behind those already runnable, once.
  EXARCH_HD static std::uint32_t make_runnable(std::uint32_t runnable, std::uint32_t source, std::uint32_t& shift) {
    const std::uint32_t agent = agent_of(source);
    for (std::uint32_t s = 0; s < shift; s += 2) {
      if ((runnable >> s & 3u) == agent) return runnable;
    }
    runnable |= agent << shift;
    shift += 2;
    return runnable;
  }

  // Moves to the next round or cycle; the agents to run, two bits each, first one lowest; 0 when no event is left.
  EXARCH_HD std::uint32_t advance() {
    std::uint32_t runnable = 0;
    std::uint32_t shift = 0;
    if (next_round != 0) {
      ++round;
      for (std::uint32_t sources = next_round; sources != 0; sources >>= 4) {
        runnable = make_runnable(runnable, (sources & 15u) - 1, shift);
      }
      next_round = next_round_set = 0;
      return runnable;
    }
    // A cycle that holds dead entries only does not take place.
    while (size > 0 && dead(heap[0])) extract();
    if (size == 0) return 0;
    now = heap[0].cycle;
    round = 0;
    while (size > 0 && heap[0].cycle == now) {
      const HeapEntry entry = heap[0];
      extract();
      if (dead(entry)) continue;
      const auto source = static_cast<std::uint32_t>(entry.number & 7u);
      live[source] = 0;
      runnable = make_runnable(runnable, source, shift);
    }
    return runnable;
  }

  [[nodiscard]] EXARCH_HD bool dead(const HeapEntry& entry) const { return live[entry.number & 7u] != entry.number; }

  // Appends and moves up while the parent's time is strictly greater.
  EXARCH_HD void insert(const HeapEntry& entry) {
    if (size == capacity) {
      overflow = true;
      return;
    }
    std::uint32_t place = ++size;
    while (place > 1 && heap[place / 2 - 1].cycle > entry.cycle) {
      heap[place - 1] = heap[place / 2 - 1];
      place /= 2;
    }
    heap[place - 1] = entry;
  }

  // Removes the root; the last element moves to the root and then down, the left child winning equal times.
  EXARCH_HD void extract() {
    const HeapEntry entry = heap[--size];
    std::uint32_t place = 1;
    while (2 * place <= size) {
      std::uint32_t child = 2 * place;
      if (child < size && heap[child].cycle < heap[child - 1].cycle) ++child;
      if (heap[child - 1].cycle >= entry.cycle) break;
      heap[place - 1] = heap[child - 1];
      place = child;
    }
    heap[place - 1] = entry;
  }
};

// Messages on their way to one agent, ordered by delivery time, first sent first. At most four are ever under way.
struct Inbox {
  static constexpr std::uint32_t kCapacity = 8;
  std::uint64_t cycle[kCapacity];
  std::uint32_t round[kCapacity];  // earliest round in that cycle
  std::uint32_t kind[kCapacity];
  std::uint32_t size;

  EXARCH_HD void reset() { size = 0; }

  EXARCH_HD void send(Notifications& events, std::uint32_t source, std::uint32_t message, std::uint64_t delay) {
    const std::uint64_t at = events.now + delay;
    std::uint32_t place = size++;
    for (; place > 0 && cycle[place - 1] > at; --place) {
      cycle[place] = cycle[place - 1];
      round[place] = round[place - 1];
      kind[place] = kind[place - 1];
    }
    cycle[place] = at;
    round[place] = delay == 0 ? events.round + 1 : 0;
    kind[place] = message;
    events.notify(source, delay);
  }

  // The next message that is due in this round.
  EXARCH_HD bool receive(const Notifications& events, std::uint32_t& message) {
    if (size == 0 || cycle[0] > events.now || round[0] > events.round) return false;
    message = kind[0];
    --size;
    for (std::uint32_t i = 0; i < size; ++i) {
      cycle[i] = cycle[i + 1];
      round[i] = round[i + 1];
      kind[i] = kind[i + 1];
    }
    return true;
  }

  // An agent's single notification is for its earliest message: renewed after each of its runs.
  EXARCH_HD void renew(Notifications& events, std::uint32_t source) const {
    if (size > 0) events.notify(source, cycle[0] - events.now);
  }
};

}  // namespace EXARCH_ISA
}  // namespace exarch::dram
