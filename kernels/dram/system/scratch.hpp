// The memory of one run of the system kernel: one block, divided here.
//
// The usual sizes suffice for nearly every run; one that outgrows them ends with SystemStatus::out_of_space and is repeated with
// larger_scratch(). Example (CPU): std::vector<std::uint64_t> block(scratch_words(view, params, size)).
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/dram/system/energy.hpp"
#include "kernels/dram/system/events.hpp"
#include "kernels/dram/system/types.hpp"

namespace exarch::dram::system {

struct ScratchSize {
  std::uint32_t transactions;  // a power of two
  std::uint32_t heap;
  std::uint32_t implicit;  // precharges on their way per channel; a power of two
};

inline constexpr std::uint32_t kMaxRing = 1u << 26;

[[nodiscard]] EXARCH_HD constexpr ScratchSize usual_scratch() {
  return {1024, 4096, 128};
}

// What to try after `size` was not enough; no larger than `size` when there is no more to give.
[[nodiscard]] EXARCH_HD constexpr ScratchSize larger_scratch(const ScratchSize& size) {
  return {min_of(size.transactions * 8, kMaxRing), min_of(size.heap * 8, kMaxRing), min_of(size.implicit * 8, kMaxRing)};
}

inline namespace EXARCH_ISA {

inline constexpr std::uint32_t kNobody = 0xFFFFFFFFu;  // no transaction

// A request between its arrival at the arbiter and the end of its response.
struct Transaction {
  std::int64_t arrival;          // ps, at the arbiter
  std::int64_t data_end;         // ps, once its CAS is issued
  std::uint32_t row, address;    // as in Request
  std::uint32_t player_id;       // from 1, in the order of its player's admissions
  std::uint32_t channel_id;      // from 1, in the order of its channel's admissions
  std::uint32_t next, previous;  // in the one list it is in: arbiter's queue, bank's list, response queue, player's list
  std::uint8_t bank, channel, player;
  bool is_write;
};

// First in, first out, linked through Transaction::next.
struct Queue {
  std::uint32_t head, tail;

  EXARCH_HD void reset() { head = tail = kNobody; }
  [[nodiscard]] EXARCH_INLINE bool empty() const { return head == kNobody; }
  EXARCH_INLINE void push(Transaction* all, std::uint32_t t) {
    all[t].next = kNobody;
    if (head == kNobody) {
      head = t;
    } else {
      all[tail].next = t;
    }
    tail = t;
  }
  EXARCH_INLINE std::uint32_t pop(const Transaction* all) {
    const std::uint32_t t = head;
    head = all[t].next;
    return t;
  }
};

// A bank machine.
struct Bank {
  std::int64_t ready[kColumns];  // earliest time by the bank's own constraints
  std::int64_t time;             // of the proposal, by all constraints; may lie in the past
  std::int64_t last_act;
  std::uint32_t head, tail, count;  // waiting requests, in order of acceptance
  std::uint32_t chosen;             // transaction, kNobody: idle
  std::uint32_t open_row;
  Command command;           // proposal; NONE: nothing
  RowOutcome outcome;        // of the next CAS; when closed: a miss or a conflict
  std::uint8_t rank, group;  // of the channel
  bool active, blocked, asleep;
};

struct Group {
  std::int64_t ready[kColumns];
};

// Refresh manager, power-down manager and constraints of one rank.
struct Rank {
  std::int64_t ready[kCommands];
  std::int64_t window[kMaxActivateWindow];  // last cycles of the last commands of the activate window, a ring
  std::uint32_t window_next;
  std::int64_t last_refb;
  std::uint64_t refb_count;
  std::uint32_t held;  // requests stored and without their CAS

  // Refresh.
  std::int64_t trigger;
  std::int64_t flexibility;
  std::int64_t refresh_time;  // of the proposal, or of the next evaluation
  Command refresh_command;
  bool pulled_in, refresh_asleep, frozen;
  std::uint32_t refresh_bank;  // of the channel
  std::uint32_t to_refresh;    // PerBank: bit set of the rank's banks
  std::uint32_t open_banks;

  // Power-down.
  enum class State : std::uint8_t { idle, active, precharged, self_refresh, extra_refresh };
  State state;
  bool entry, exit, self, idle;
  std::uint32_t activated;
  Command power_command;
  std::int64_t power_time;
};

[[nodiscard]] EXARCH_HD constexpr std::uint64_t words_of(std::uint64_t bytes) {
  return (bytes + 7) / 8;
}

struct Scratch {
  Transaction* transactions;
  HeapEntry* heap;
  Bank* banks;                // (channel, bank)
  Group* groups;              // (channel, group)
  Rank* ranks;                // (channel, rank)
  ImplicitPre* implicit;      // (channel, entry)
  std::uint32_t* by_channel;  // (channel, id modulo transactions): RespQueue Reorder
  std::uint32_t* by_player;   // (player, id modulo transactions): Arbiter Reorder
  ScratchSize size;
};

// Divides a block of scratch_words() words; with a null block, only counts them.
[[nodiscard]] EXARCH_HD std::uint64_t divide_scratch(const SystemView& view, const ScratchSize& size, std::uint64_t* block,
                                                     Scratch& scratch) {
  const Protocol& p = *view.protocol;
  std::uint64_t used = 0;
  const auto take = [&](auto*& place, std::uint64_t count) {
    using T = std::remove_reference_t<decltype(*place)>;
    if (block != nullptr) place = reinterpret_cast<T*>(block + used);
    used += words_of(count * sizeof(T));
  };
  take(scratch.transactions, size.transactions);
  take(scratch.heap, size.heap);
  take(scratch.banks, std::uint64_t{view.channel_count} * p.banks());
  take(scratch.groups, std::uint64_t{view.channel_count} * p.groups());
  take(scratch.ranks, std::uint64_t{view.channel_count} * p.ranks);
  take(scratch.implicit, std::uint64_t{view.channel_count} * size.implicit);
  take(scratch.by_channel, std::uint64_t{view.channel_count} * size.transactions);
  take(scratch.by_player, std::uint64_t{view.player_count} * size.transactions);
  scratch.size = size;
  return used;
}

[[nodiscard]] EXARCH_HD std::uint64_t scratch_words(const SystemView& view, const ScratchSize& size) {
  Scratch scratch{};
  return divide_scratch(view, size, nullptr, scratch);
}

}  // namespace EXARCH_ISA
}  // namespace exarch::dram::system
