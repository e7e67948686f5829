// One memory channel of one candidate: request buffer, bank machines, command selection, refresh manager and counters.
//
// This is the rule set that both fast kernels share. What differs between them is only who calls store() and when: the single
// pass (single_pass.hpp) derives arrivals from recurrences, the exact kernel (event_order.hpp) from the reference's messages.
//
// Times inside are 32-bit cycles relative to `epoch`, with an origin far above every timing distance, so that "never
// happened" is simply 0; rebase() moves the origin on long runs.
#pragma once

#include <cstdint>

#include "kernels/core/shape.hpp"
#include "kernels/dram/constraints.hpp"
#include "kernels/dram/scratch.hpp"
#include "kernels/dram/types.hpp"
#include "kernels/dram/witness.hpp"

namespace exarch::dram {
inline namespace EXARCH_ISA {

inline constexpr std::uint32_t kNever = 0xFFFFFFFFu;
inline constexpr std::uint32_t kOrigin = 1u << 24;    // relative time of cycle 0, at the start
inline constexpr std::uint32_t kRebaseAt = 1u << 30;  // move the origin when a run gets here
inline constexpr std::uint32_t kFar = 0xF0000000u;    // later than any time a run handles without a rebase
inline constexpr std::uint64_t kNeverAbsolute = 1ull << 62;

// How a bank picks its request. FrFcfsGrp equals FrFcfs on read-only traces and is compiled for traces with writes only.
enum class Choice : std::uint8_t { fifo, row_hit, row_hit_grouped };

static_assert(kMaxBanks == kLanes && kTimingClasses <= kLanes && kBankColumns == kTableColumns);

template <class Shape, PagePolicy kPolicy, Choice kChoice, bool kWrites>
struct Channel {
  template <class T>
  using Values = typename Shape::template Values<T>;

  static constexpr bool kAdaptive = kPolicy == PagePolicy::OpenAdaptive || kPolicy == PagePolicy::ClosedAdaptive;

  // The bank machines, by bank. `ready`, `command`, `request` are the proposal of the last evaluation.
  Values<std::uint32_t> ready;
  Values<std::uint32_t> request;
  Values<std::uint8_t> command;
  Values<std::uint8_t> active;   // row open
  Values<std::uint8_t> outcome;  // RowOutcome of the next CAS; when closed: a miss or a conflict
  Values<std::uint16_t> hit;     // slot of the oldest waiting row hit (row_hit only)
  Values<std::uint16_t> chosen;  // slot of the proposal
  Values<std::uint32_t> count;
  Values<std::uint32_t> open_row;
  typename Shape::Table ok;               // (bank, column) earliest cycle by the bank's own constraints
  Values<std::uint32_t> precharge_floor;  // last ACT + tRAS: no implicit precharge earlier

  std::uint32_t proposing;           // bit set of the banks that propose something
  Values<std::uint32_t> rank_ok;     // (timing class) earliest cycle by rank-wide constraints and the command bus
  Values<std::uint32_t> act_window;  // the last four ACT, in the first four places
  std::uint32_t act_oldest;

  // Request buffer.
  BufferSlot* slots;
  std::uint32_t slot_count, slots_used;
  std::uint16_t free_slot;
  std::uint32_t total, writes, last_stored_bank;
  SchedulerBuffer buffer_type;
  std::uint32_t buffer_size;
  bool last_cas_write;

  // Refresh manager.
  bool blocked, pulled_in, due_prea, due_refa;
  std::int64_t flex, postponed_limit, pulledin_limit;
  std::uint64_t refresh_due;  // absolute
  std::uint32_t open_banks;

  // Energy book-keeping (DRAMPower's command replay as a running sum), absolute cycles.
  std::uint64_t first_act, last_close, last_implicit;
  bool interval_open;
  std::uint32_t unclosed;  // banks without a precharge scheduled
  std::uint64_t last_command_at;
  std::uint32_t last_command;

  std::uint64_t epoch;  // absolute cycle of relative time 0, modulo 2^64
  const WorkloadView* workload;
  std::uint32_t accepted;  // requests stored so far: exactly those with a smaller index
  const Distances* distances;
  Counters* counters;
  Witness* witness;

  [[nodiscard]] EXARCH_INLINE std::uint64_t absolute(std::uint32_t t) const { return epoch + t; }
  // Relative time of an absolute cycle; what is out of range saturates at 0 or kFar.
  [[nodiscard]] EXARCH_INLINE std::uint32_t relative(std::uint64_t cycle) const {
    const auto t = static_cast<std::int64_t>(cycle - epoch);
    return t < 0 ? 0 : t < kFar ? static_cast<std::uint32_t>(t) : kFar;
  }

  // Request `index` of the trace, which must be of the part at hand.
  [[nodiscard]] EXARCH_INLINE PackedRequest request_at(std::uint32_t index) const {
#if defined(__CUDA_ARCH__)
    const uint2 both = read_only(reinterpret_cast<const uint2*>(workload->requests + (index - workload->part_first)));
    return {both.x, both.y};
#else
    return workload->requests[index - workload->part_first];
#endif
  }

  // Everything that lies elsewhere; a paused run may be resumed with other places of the same contents.
  EXARCH_INLINE void attach(const WorkloadView& view, const Distances& d, BufferSlot* storage, Counters& result, Witness& proof) {
    slots = storage;
    workload = &view;
    distances = &d;
    counters = &result;
    witness = &proof;
  }

  EXARCH_HD void reset(const WorkloadView& view, const ControllerParams& params, const Distances& d, BufferSlot* storage,
                       std::uint32_t storage_slots, Counters& result, Witness& proof) {
    attach(view, d, storage, result, proof);
    ready.fill(kNever);
    request.fill(0);
    command.fill(0);
    active.fill(0);
    outcome.fill(kRowMiss);
    hit.fill(kNoSlot);
    chosen.fill(kNoSlot);
    count.fill(0);
    open_row.fill(0);
    precharge_floor.fill(0);
    const auto never = [](std::uint32_t) { return 0u; };
    ok.transform(never);
    rank_ok.fill(0);
    act_window.fill(0);
    act_oldest = 0;
    proposing = 0;
    slot_count = storage_slots;
    // The first slots stand for the ends of the banks' lists, which therefore need no special cases.
    for (std::uint32_t b = 0; b < kMaxBanks; ++b) {
      const auto end = static_cast<std::uint16_t>(b);
      Shape::write(slots[b], {kNoRequest, 0, 0, kNoRequest, kNoRequest, end, end});
    }
    slots_used = kMaxBanks;
    free_slot = kNoSlot;
    total = writes = last_stored_bank = 0;
    buffer_type = params.scheduler_buffer;
    buffer_size = params.request_buffer_size;
    last_cas_write = false;
    blocked = pulled_in = due_prea = due_refa = false;
    flex = 0;
    postponed_limit = params.refresh_max_postponed;
    pulledin_limit = params.refresh_max_pulledin;
    refresh_due = params.refresh_policy == RefreshPolicy::AllBank ? view.timing.tREFI : kNeverAbsolute;
    open_banks = 0;
    first_act = last_close = last_implicit = 0;
    interval_open = false;
    unclosed = 0;
    last_command_at = 0;
    last_command = 0;
    epoch = std::uint64_t{0} - kOrigin;
    accepted = 0;
  }

  // ---- time -----------------------------------------------------------------------------------------------------------

  // Moves the origin so that `now` becomes kOrigin again; what is long past saturates at "never".
  EXARCH_HD void rebase(std::uint64_t now_absolute) {
    const std::uint64_t shift = now_absolute - kOrigin - epoch;
    const auto moved = [shift](std::uint32_t t) { return t > shift ? static_cast<std::uint32_t>(t - shift) : 0u; };
    ready.transform([&](std::uint32_t t) { return t == kNever ? kNever : moved(t); });
    precharge_floor.transform(moved);
    ok.transform(moved);
    rank_ok.transform(moved);
    act_window.transform(moved);
    epoch += shift;
  }

  // ---- request buffer -------------------------------------------------------------------------------------------------

  [[nodiscard]] EXARCH_INLINE std::uint32_t fill() const {
    if (buffer_type == SchedulerBuffer::Bankwise) return count[last_stored_bank];
    if constexpr (kWrites) {
      if (buffer_type == SchedulerBuffer::ReadWrite) return max_of(total - writes, writes);
    }
    return total;
  }
  // The space test does not look at the new request.
  [[nodiscard]] EXARCH_INLINE bool has_space() const {
    return fill() < buffer_size;
  }

  enum class Stored : std::uint8_t { no_room, unchanged, proposes };

  // Stores the next request of the trace; says whether that changed what its bank proposes, or that the scratch area is
  // exhausted.
  EXARCH_INLINE Stored store(std::uint32_t arrival_low, std::uint32_t now) {
    const std::uint32_t filled = fill();  // asks other lanes, so not behind leader()
    if (Shape::leader()) {
      witness->buffer_fill = max_of(witness->buffer_fill, filled);
      witness->buffer_total = max_of(witness->buffer_total, total);
    }
    std::uint16_t slot = free_slot;
    if (slot == kNoSlot) {
      if (slots_used == slot_count) return Stored::no_room;
      slot = static_cast<std::uint16_t>(slots_used++);
    } else {
      free_slot = slots[slot].next;
    }
    const std::uint32_t index = accepted++;
    const PackedRequest r = request_at(index);
    const std::uint32_t b = r.bank();
    const std::uint16_t last = slots[b].previous;
    const std::uint32_t place = index - workload->part_first;
    const std::uint32_t next_row = kChoice == Choice::row_hit ? read_only(workload->next_same_row + place) : kNoRequest;
    const std::uint32_t same_address =
        kChoice == Choice::row_hit_grouped ? read_only(workload->previous_same_address + place) : kNoRequest;
    Shape::write(slots[slot],
                 {index, arrival_low, r.row_bank_write, next_row, same_address, static_cast<std::uint16_t>(b), last});
    Shape::write(slots[last].next, slot);
    Shape::write(slots[b].previous, slot);
    count.set(b, count[b] + 1);
    ++total;
    if constexpr (kWrites) writes += r.is_write() ? 1 : 0;
    last_stored_bank = b;
    bool changed = count[b] == 1;
    if constexpr (kChoice == Choice::row_hit) {
      if (active[b]) {
        if (hit[b] == kNoSlot && r.row() == open_row[b]) {
          hit.set(b, slot);
          changed = true;
        }
        if constexpr (kAdaptive) changed = true;
      }
    } else if constexpr (kChoice == Choice::row_hit_grouped || kAdaptive) {
      changed = changed || active[b];
    }
    if (!changed) return Stored::unchanged;
    propose(b, now);
    return Stored::proposes;
  }

  EXARCH_INLINE void remove(std::uint32_t b, std::uint16_t slot) {
    BufferSlot& s = slots[slot];
    const std::uint16_t before = s.previous;
    const std::uint16_t after = s.next;
    Shape::write(slots[before].next, after);
    Shape::write(slots[after].previous, before);
    Shape::write(s.next, free_slot);
    free_slot = slot;
    count.set(b, count[b] - 1);
    --total;
    if constexpr (kWrites) writes -= s.is_write() ? 1 : 0;
  }

  // ---- bank machines --------------------------------------------------------------------------------------------------

  // FrFcfsGrp: the oldest row hit of the last CAS direction that no older request to the identical address precedes, else the
  // oldest row hit. `hits` counts row hits up to two.
  EXARCH_HD std::uint16_t grouped_hit(std::uint32_t b, std::uint32_t& hits) const {
    std::uint16_t oldest = kNoSlot;
    std::uint16_t grouped = kNoSlot;
    hits = 0;
    for (std::uint16_t s = slots[b].next; s != b; s = slots[s].next) {
      const BufferSlot& r = slots[s];
      if (r.row() != open_row[b]) continue;
      hits += hits < 2 ? 1 : 0;
      if (oldest == kNoSlot) oldest = s;
      if (grouped == kNoSlot && r.is_write() == last_cas_write && !waits_before(b, s, r.previous_same_address)) grouped = s;
      if (grouped != kNoSlot && hits == 2) break;
    }
    return grouped != kNoSlot ? grouped : oldest;
  }

  [[nodiscard]] EXARCH_HD bool waits_before(std::uint32_t b, std::uint16_t end, std::uint32_t index) const {
    if (index == kNoRequest) return false;
    for (std::uint16_t s = slots[b].next; s != end; s = slots[s].next) {
      if (slots[s].request >= index) return slots[s].request == index;
    }
    return false;
  }

  // Evaluates bank machine b: which request, which command, and the earliest cycle by the bank's own constraints.
  EXARCH_INLINE void propose(std::uint32_t b, std::uint32_t now) {
    using enum CommandCode;
    if (count[b] == 0 || blocked) {
      ready.set(b, kNever);
      command.set(b, 0);
      proposing &= ~(1u << b);
      return;
    }
    proposing |= 1u << b;
    std::uint16_t slot = slots[b].next;
    if (!active[b]) {
      chosen.set(b, slot);
      request.set(b, slots[slot].request);
      command.set(b, static_cast<std::uint8_t>(code_of(ACT)));
      ready.set(b, max_of(ok.at(b, kBankAct), now));
      return;
    }
    bool further_hit = false;
    bool row_hit = true;
    if constexpr (kChoice == Choice::fifo) {
      if constexpr (kPolicy != PagePolicy::Closed) {
        row_hit = slots[slot].row() == open_row[b];
        if constexpr (kPolicy != PagePolicy::Open) {
          const std::uint16_t second = slots[slot].next;
          further_hit = second != b && slots[second].row() == open_row[b];
        }
      }
    } else if constexpr (kChoice == Choice::row_hit) {
      row_hit = hit[b] != kNoSlot;
      if (row_hit) {
        slot = hit[b];
        if constexpr (kPolicy == PagePolicy::OpenAdaptive || kPolicy == PagePolicy::ClosedAdaptive) {
          further_hit = slots[slot].next_same_row < accepted;
        }
      }
    } else {
      std::uint32_t hits = 0;
      const std::uint16_t best = grouped_hit(b, hits);
      row_hit = best != kNoSlot;
      if (row_hit) slot = best;
      further_hit = hits == 2;
    }
    chosen.set(b, slot);
    request.set(b, slots[slot].request);
    if (!row_hit && kPolicy != PagePolicy::Closed) {
      command.set(b, static_cast<std::uint8_t>(code_of(PRE)));
      ready.set(b, max_of(ok.at(b, kBankPre), now));
      return;
    }
    const bool autoprecharge = kPolicy == PagePolicy::Closed           ? true
                               : kPolicy == PagePolicy::ClosedAdaptive ? !further_hit
                               : kPolicy == PagePolicy::OpenAdaptive   ? count[b] >= 2 && !further_hit
                                                                       : false;
    const bool write = kWrites && slots[slot].is_write();
    command.set(b, static_cast<std::uint8_t>((write ? code_of(WR) : code_of(RD)) + (autoprecharge ? 1 : 0)));
    std::uint32_t t = max_of(ok.at(b, kBankCas), now);
    if constexpr (kWrites && kPolicy != PagePolicy::Open) {
      if (command[b] == code_of(RDA)) t = max_of(t, ok.at(b, kBankRda));
    }
    ready.set(b, t);
  }

  EXARCH_HD void propose_all(std::uint32_t now) {
    for (std::uint32_t b = 0; b < kMaxBanks; ++b) propose(b, now);
  }

  // ---- command selection ----------------------------------------------------------------------------------------------

  template <class Index>
  [[nodiscard]] EXARCH_INLINE std::uint64_t key_of(Index b) const {
    return static_cast<std::uint64_t>(max_of(ready[b], rank_ok[command[b] >> 1])) << 32 | request[b];
  }

  // The bank proposal that is ready first, ties to the oldest request: (time << 32 | request). All times are at or after the last
  // evaluation, so the earliest one is also the next cycle in which anything can be issued. kNever << 32 when there is none.
  [[nodiscard]] EXARCH_INLINE std::uint64_t select(std::uint32_t& bank) const {
    if ((proposing & (proposing - 1)) == 0) {
      bank = proposing == 0 ? 0 : log2_floor(proposing);
      return key_of(bank);
    }
    return Shape::first_of([this](auto b) { return key_of(b); }, bank);
  }

  // ---- issue ----------------------------------------------------------------------------------------------------------

  EXARCH_INLINE void advance_timing(std::uint32_t code, std::uint32_t now) {
    rank_ok.raise(now, distances->rank[code]);
  }
  EXARCH_INLINE void advance_bank(std::uint32_t b, std::uint32_t code, std::uint32_t now) {
    ok.raise(b, now, distances->bank[code]);
  }

  EXARCH_INLINE void log_command(std::uint32_t code, std::uint64_t cycle) {
    last_command = code;
    last_command_at = cycle;
  }

  EXARCH_INLINE void note_precharge(std::uint64_t cycle) {
    --unclosed;
    last_close = max_of(last_close, cycle);
    if (Shape::leader()) ++counters->pre;
  }

  EXARCH_INLINE void close_interval() {
    if (interval_open && Shape::leader()) counters->active_cycles += last_close - first_act;
    interval_open = false;
  }

  EXARCH_INLINE void issue_act(std::uint32_t b, std::uint32_t now) {
    using enum CommandCode;
    advance_timing(code_of(ACT), now);
    advance_bank(b, code_of(ACT), now);
    act_window.set(act_oldest, now);
    act_oldest = (act_oldest + 1) & 3u;
    rank_ok.set(class_of(ACT), max_of(rank_ok[class_of(ACT)], act_window[act_oldest] + distances->tFAW));
    precharge_floor.set(b, now + distances->tRAS);
    active.set(b, 1);
    ++open_banks;
    open_row.set(b, slots[chosen[b]].row());
    if constexpr (kChoice == Choice::row_hit) hit.set(b, chosen[b]);  // the head is the oldest of its row
    const std::uint64_t cycle = absolute(now);
    if (Shape::leader()) ++counters->act;
    if (unclosed == 0 && !(interval_open && last_close > cycle)) {
      close_interval();
      if (Shape::leader()) counters->precharged_cycles += cycle > last_close ? cycle - last_close : 0;
      first_act = cycle;
      interval_open = true;
    }
    ++unclosed;
    log_command(code_of(ACT), cycle);
    propose(b, now);
  }

  EXARCH_INLINE void issue_pre(std::uint32_t b, std::uint32_t now) {
    using enum CommandCode;
    advance_timing(code_of(PRE), now);
    advance_bank(b, code_of(PRE), now);
    active.set(b, 0);
    hit.set(b, kNoSlot);
    outcome.set(b, kRowConflict);
    --open_banks;
    const std::uint64_t cycle = absolute(now);
    note_precharge(cycle);
    log_command(code_of(PRE), cycle);
    propose(b, now);
  }

  struct Served {
    std::uint32_t request;
    std::uint32_t arrival;   // low 32 bits
    std::uint64_t data_end;  // absolute cycle
  };

  // Issues the CAS that bank b proposes and takes its request out of the buffer. The caller may then accept a waiting request,
  // and must call after_cas() in any case.
  EXARCH_INLINE Served issue_cas(std::uint32_t b, std::uint32_t now) {
    using enum CommandCode;
    const std::uint32_t code = command[b];
    const std::uint16_t slot = chosen[b];
    const Served served{slots[slot].request, slots[slot].arrival,
                        absolute(now) + (kWrites && code >= code_of(WR) ? distances->write_data_end : distances->read_data_end)};
    advance_timing(code, now);
    advance_bank(b, code, now);
    const std::uint64_t cycle = absolute(now);
    const std::uint32_t counted_as = outcome[b];
    if (Shape::leader()) {
      if (kWrites && code >= code_of(WR)) {
        ++counters->wr;
      } else {
        ++counters->rd;
      }
      ++counters->row[counted_as];
    }
    outcome.set(b, kRowHit);
    if constexpr (kChoice == Choice::row_hit) {
      const std::uint32_t next = slots[slot].next_same_row;
      std::uint16_t s = kNoSlot;
      if (next < accepted && !(code & 1u)) {
        s = slots[slot].next;
        while (slots[s].request != next) s = slots[s].next;
      }
      hit.set(b, s);
    }
    remove(b, slot);
    if (code & 1u) {
      active.set(b, 0);
      outcome.set(b, kRowMiss);
      --open_banks;
      const std::uint32_t delay = kWrites && code >= code_of(WR) ? distances->implicit_pre_write : distances->implicit_pre_read;
      const std::uint64_t at = absolute(max_of(now + delay, precharge_floor[b]));
      note_precharge(at);
      last_implicit = max_of(last_implicit, at);
    }
    log_command(code, cycle);
    return served;
  }

  EXARCH_INLINE void after_cas(std::uint32_t b, bool was_write, std::uint32_t now) {
    if constexpr (kChoice == Choice::row_hit_grouped) {
      if (was_write != last_cas_write) {
        last_cas_write = was_write;
        propose_all(now);
        return;
      }
    }
    propose(b, now);
  }

  // ---- refresh manager ------------------------------------------------------------------------------------------------

  EXARCH_HD void test_postponed() {
    if (!Shape::leader()) return;
    witness->postponed_low = min_of(witness->postponed_low, flex);
    witness->postponed_high = max_of(witness->postponed_high, flex);
  }

  // Evaluates the manager at cycle `now`; afterwards due_prea / due_refa say what it proposes.
  EXARCH_HD void evaluate_refresh(std::uint64_t now) {
    due_prea = due_refa = false;
    if (now < refresh_due) return;
    const std::uint64_t interval = distances->tREFI;
    if (now >= refresh_due + interval) {
      refresh_due += interval;
      pulled_in = false;
    }
    const bool busy = total != 0;
    if (!pulled_in) {
      test_postponed();
      if (flex == postponed_limit) {
        if (Shape::leader()) witness->postponed_forced = true;
        blocked = true;
      } else if (busy) {
        ++flex;
        refresh_due += interval;
        return;
      }
      due_prea = open_banks > 0;
      due_refa = !due_prea;
    } else if (busy) {
      pulled_in = false;
      refresh_due += interval;
    } else {
      due_refa = true;
    }
  }

  // Earliest cycle of what the manager proposes, or kNever.
  [[nodiscard]] EXARCH_HD std::uint32_t refresh_ready(std::uint32_t now) const {
    using enum CommandCode;
    if (due_prea) return max_of(rank_ok[class_of(PREA)], now);
    if (due_refa) return max_of(rank_ok[class_of(REFA)], now);
    return kNever;
  }

  EXARCH_HD void issue_refresh(std::uint32_t now) {
    using enum CommandCode;
    const std::uint64_t cycle = absolute(now);
    if (due_prea) {
      advance_timing(code_of(PREA), now);
      for (std::uint32_t b = 0; b < kMaxBanks; ++b) {
        if (!active[b]) continue;
        note_precharge(cycle);
        active.set(b, 0);
        hit.set(b, kNoSlot);
        outcome.set(b, kRowMiss);
      }
      open_banks = 0;
      log_command(code_of(PREA), cycle);
      return;
    }
    advance_timing(code_of(REFA), now);
    close_interval();
    if (Shape::leader()) {
      counters->precharged_cycles += cycle > last_close ? cycle - last_close : 0;
      ++counters->ref;
      counters->active_cycles += distances->tRFC_minus_tRP;
    }
    last_close = cycle + distances->tRFC_minus_tRP;
    log_command(code_of(REFA), cycle);
    blocked = false;
    if (pulled_in) {
      --flex;
    } else {
      pulled_in = true;
    }
    if (Shape::leader()) witness->pulledin_low = min_of(witness->pulledin_low, flex);
    if (flex == -pulledin_limit) {
      if (Shape::leader()) witness->pulledin_limited = true;
      pulled_in = false;
      refresh_due += distances->tREFI;
    }
  }

  // ---- end ------------------------------------------------------------------------------------------------------------

  // Closes the energy books after the last command.
  EXARCH_HD void finish() {
    using enum CommandCode;
    std::uint64_t end = last_command_at + distances->end_width[last_command];
    if (last_implicit > last_command_at) end = last_implicit + distances->end_width[code_of(PRE)];
    end = end > 0 ? end - 1 : 0;
    if (unclosed > 0) {
      if (Shape::leader()) counters->active_cycles += end > first_act ? end - first_act : 0;
    } else {
      close_interval();
      if (Shape::leader()) counters->precharged_cycles += end > last_close ? end - last_close : 0;
    }
  }
};

}  // namespace EXARCH_ISA
}  // namespace exarch::dram
