// The reference model's event kernel: which agent runs when, and the messages between agents.
//
// Every agent has notification sources; a source has at most one live notification. Notifications for later times wait in a
// binary heap, those for the next round of the same time in a list. The order in which simultaneous events are delivered is
// observable, so neither structure may be exchanged for an "equivalent" one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace exarch::dram::reference {

using Tick = std::uint64_t;  // ps
inline constexpr Tick kNever = ~Tick{0};

// Agents are numbered: the controllers of channels 0, 1, ..., the arbiter, the players.
class EventKernel {
 public:
  // `agent_of_source[s]`: the agent that a notification of source s makes run.
  explicit EventKernel(std::vector<std::size_t> agent_of_source)
      : agent_of_source_(std::move(agent_of_source)), states_(agent_of_source_.size()) {}

  [[nodiscard]] Tick now() const { return now_; }
  [[nodiscard]] std::uint64_t round() const { return round_; }

  // A zero delay replaces whatever is live by "next round"; a later-or-equal time than the live one is ignored; an
  // earlier one replaces it, and the replaced entry stays in the heap as a dead one.
  void notify(std::size_t source, Tick delay) {
    State& state = states_[source];
    if (state.next_round) return;
    if (delay == 0) {
      state.next_round = true;
      state.live_entry = 0;
      next_round_.push_back(source);
      return;
    }
    const Tick time = now_ + delay;
    if (state.live_entry != 0 && time >= state.live_time) return;
    state.live_entry = ++last_entry_;
    state.live_time = time;
    insert({time, source, state.live_entry});
  }

  [[nodiscard]] bool is_waiting(std::size_t source) const {
    return states_[source].next_round || states_[source].live_entry != 0;
  }

  // Moves to the next round and returns its agents in running order; empty when there is no event left.
  [[nodiscard]] std::vector<std::size_t> advance() {
    std::vector<std::size_t> runnable;
    if (!next_round_.empty()) {
      ++round_;
      // Zero-delay notifications are delivered last notified first.
      const std::vector<std::size_t> delivered = std::exchange(next_round_, {});
      for (auto source = delivered.rbegin(); source != delivered.rend(); ++source) {
        states_[*source].next_round = false;
        make_runnable(runnable, *source);
      }
      return runnable;
    }
    // A time that has dead entries only does not take place.
    while (!heap_.empty() && is_dead(heap_.front())) static_cast<void>(extract());
    if (heap_.empty()) return runnable;
    now_ = heap_.front().time;
    round_ = 0;
    while (!heap_.empty() && heap_.front().time == now_) {
      const Entry entry = extract();
      if (is_dead(entry)) continue;
      states_[entry.source].live_entry = 0;
      make_runnable(runnable, entry.source);
    }
    return runnable;
  }

 private:
  struct Entry {
    Tick time;
    std::size_t source;
    std::uint64_t number;
  };
  struct State {
    std::uint64_t live_entry = 0;  // number of the live heap entry, 0: none
    Tick live_time = 0;
    bool next_round = false;
  };

  [[nodiscard]] bool is_dead(const Entry& entry) const { return states_[entry.source].live_entry != entry.number; }

  void make_runnable(std::vector<std::size_t>& runnable, std::size_t source) const {
    const std::size_t agent = agent_of_source_[source];
    if (std::find(runnable.begin(), runnable.end(), agent) == runnable.end()) runnable.push_back(agent);
  }

  // Appends and moves up while the parent's time is strictly greater.
  void insert(const Entry& entry) {
    heap_.push_back(entry);
    std::size_t place = heap_.size();  // places count from 1
    while (place > 1 && heap_[place / 2 - 1].time > entry.time) {
      heap_[place - 1] = heap_[place / 2 - 1];
      place /= 2;
    }
    heap_[place - 1] = entry;
  }

  // Takes the root; the last element moves to the root and then down. The left child wins equal times.
  Entry extract() {
    const Entry root = heap_.front();
    heap_.front() = heap_.back();
    heap_.pop_back();
    std::size_t place = 1;
    while (true) {
      std::size_t smallest = place;
      for (const std::size_t child : {2 * place, 2 * place + 1}) {
        if (child <= heap_.size() && heap_[child - 1].time < heap_[smallest - 1].time) smallest = child;
      }
      if (smallest == place) return root;
      std::swap(heap_[place - 1], heap_[smallest - 1]);
      place = smallest;
    }
  }

  std::vector<std::size_t> agent_of_source_;
  Tick now_ = 0;
  std::uint64_t round_ = 0;
  std::uint64_t last_entry_ = 0;
  std::vector<State> states_;
  std::vector<Entry> heap_;
  std::vector<std::size_t> next_round_;
};

// The messages on their way to one agent, ordered by delivery time, first sent first.
template <class Message>
class MessageList {
 public:
  MessageList(EventKernel& kernel, std::size_t source) : kernel_(&kernel), source_(source) {}

  void send(const Message& message, Tick delay) {
    // A zero-delay message is for the next round, even if its receiver has yet to run in this one.
    const Tick time = kernel_->now() + delay;
    const std::uint64_t round = delay == 0 ? kernel_->round() + 1 : 0;
    const auto place = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.time > time; });
    entries_.insert(place, {time, round, message});
    kernel_->notify(source_, delay);
  }

  // The next message that is due in this round.
  [[nodiscard]] std::optional<Message> receive() {
    if (entries_.empty()) return std::nullopt;
    const Entry entry = entries_.front();
    if (entry.time > kernel_->now() || (entry.time == kernel_->now() && entry.round > kernel_->round())) return std::nullopt;
    entries_.pop_front();
    return entry.message;
  }

  // The single notification of the receiver is for the earliest message: to be called after each of its runs.
  void renew() {
    if (!entries_.empty()) kernel_->notify(source_, entries_.front().time - kernel_->now());
  }

  [[nodiscard]] bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    Tick time;
    std::uint64_t round;
    Message message;
  };

  EventKernel* kernel_;
  std::size_t source_;
  std::deque<Entry> entries_;
};

}  // namespace exarch::dram::reference
