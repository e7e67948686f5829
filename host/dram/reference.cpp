#include "host/dram/reference.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace exarch::dram {
namespace {

using Cycle = std::uint64_t;
inline constexpr Cycle kNever = ~Cycle{0};

constexpr std::size_t index_of(Command command) {
  return static_cast<std::size_t>(command);
}
inline constexpr std::size_t kCommands = 8;

constexpr bool is_read(Command command) {
  return command == Command::RD || command == Command::RDA;
}
constexpr bool is_cas(Command command) {
  return is_read(command) || command == Command::WR || command == Command::WRA;
}
constexpr bool closes_by_itself(Command command) {
  return command == Command::RDA || command == Command::WRA;
}

// ---------------------------------------------------------------------------------------------------------------------
// Event kernel: which agent runs when.
//
// Every agent has notification sources; a source has at most one live notification. Notifications for later cycles wait
// in a binary heap, those for the next round of the same cycle in a list. The order in which simultaneous events are
// delivered is observable, so neither structure may be exchanged for an "equivalent" one.
// ---------------------------------------------------------------------------------------------------------------------

enum class Agent : std::uint8_t { controller, arbiter, player };

enum class Source : std::uint8_t { request, response_done, timer, data, arbiter, player };
inline constexpr std::size_t kSources = 6;

constexpr Agent agent_of(Source source) {
  if (source == Source::arbiter) return Agent::arbiter;
  if (source == Source::player) return Agent::player;
  return Agent::controller;
}

class EventKernel {
 public:
  [[nodiscard]] Cycle now() const { return now_; }
  [[nodiscard]] std::uint64_t round() const { return round_; }

  // A zero delay replaces whatever is live by "next round"; a later-or-equal time than the live one is ignored; an
  // earlier one replaces it, and the replaced entry stays in the heap as a dead one.
  void notify(Source source, Cycle delay) {
    State& state = states_[static_cast<std::size_t>(source)];
    if (state.next_round) return;
    if (delay == 0) {
      state.next_round = true;
      state.live_entry = 0;
      next_round_.push_back(source);
      return;
    }
    const Cycle cycle = now_ + delay;
    if (state.live_entry != 0 && cycle >= state.live_cycle) return;
    state.live_entry = ++last_entry_;
    state.live_cycle = cycle;
    insert({cycle, source, state.live_entry});
  }

  // Moves to the next round and returns its agents in running order; empty when there is no event left.
  [[nodiscard]] std::vector<Agent> advance() {
    std::vector<Agent> runnable;
    if (!next_round_.empty()) {
      ++round_;
      // Zero-delay notifications are delivered last notified first.
      const std::vector<Source> delivered = std::exchange(next_round_, {});
      for (auto source = delivered.rbegin(); source != delivered.rend(); ++source) {
        states_[static_cast<std::size_t>(*source)].next_round = false;
        make_runnable(runnable, *source);
      }
      return runnable;
    }
    // A cycle that holds dead entries only does not take place.
    while (!heap_.empty() && is_dead(heap_.front())) static_cast<void>(extract());
    if (heap_.empty()) return runnable;
    now_ = heap_.front().cycle;
    round_ = 0;
    while (!heap_.empty() && heap_.front().cycle == now_) {
      const Entry entry = extract();
      if (is_dead(entry)) continue;
      states_[static_cast<std::size_t>(entry.source)].live_entry = 0;
      make_runnable(runnable, entry.source);
    }
    return runnable;
  }

 private:
  struct Entry {
    Cycle cycle;
    Source source;
    std::uint64_t number;
  };
  struct State {
    std::uint64_t live_entry = 0;  // number of the live heap entry, 0: none
    Cycle live_cycle = 0;
    bool next_round = false;
  };

  [[nodiscard]] bool is_dead(const Entry& entry) const {
    return states_[static_cast<std::size_t>(entry.source)].live_entry != entry.number;
  }

  static void make_runnable(std::vector<Agent>& runnable, Source source) {
    const Agent agent = agent_of(source);
    if (std::find(runnable.begin(), runnable.end(), agent) == runnable.end()) {
      runnable.push_back(agent);
    }
  }

  // Appends and moves up while the parent's time is strictly greater.
  void insert(const Entry& entry) {
    heap_.push_back(entry);
    std::size_t place = heap_.size();  // places count from 1
    while (place > 1 && heap_[place / 2 - 1].cycle > entry.cycle) {
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
        if (child <= heap_.size() && heap_[child - 1].cycle < heap_[smallest - 1].cycle) {
          smallest = child;
        }
      }
      if (smallest == place) return root;
      std::swap(heap_[place - 1], heap_[smallest - 1]);
      place = smallest;
    }
  }

  Cycle now_ = 0;
  std::uint64_t round_ = 0;
  std::uint64_t last_entry_ = 0;
  std::array<State, kSources> states_{};
  std::vector<Entry> heap_;
  std::vector<Source> next_round_;
};

// The messages on their way to the arbiter or to the player, ordered by delivery time, first sent first.
template <class Message>
class MessageList {
 public:
  MessageList(EventKernel& kernel, Source source) : kernel_(kernel), source_(source) {}

  void send(const Message& message, Cycle delay) {
    // A zero-delay message is for the next round, even if its receiver has yet to run in this one.
    const Cycle cycle = kernel_.now() + delay;
    const std::uint64_t round = delay == 0 ? kernel_.round() + 1 : 0;
    const auto place = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.cycle > cycle; });
    entries_.insert(place, {cycle, round, message});
    kernel_.notify(source_, delay);
  }

  // The next message that is due in this round.
  [[nodiscard]] std::optional<Message> receive() {
    if (entries_.empty()) return std::nullopt;
    const Entry entry = entries_.front();
    if (entry.cycle > kernel_.now() || entry.round > kernel_.round()) return std::nullopt;
    entries_.pop_front();
    return entry.message;
  }

  // The single notification of the receiver is for the earliest message: to be called after each of its runs.
  void renew() {
    if (!entries_.empty()) kernel_.notify(source_, entries_.front().cycle - kernel_.now());
  }

 private:
  struct Entry {
    Cycle cycle;
    std::uint64_t round;
    Message message;
  };

  EventKernel& kernel_;
  Source source_;
  std::deque<Entry> entries_;
};

struct ArbiterMessage {
  enum class Kind : std::uint8_t { request, accepted, response, consumed };
  Kind kind;
  std::uint32_t request;  // index into the trace, in all messages
};

struct PlayerMessage {
  enum class Kind : std::uint8_t { acknowledge, response };
  Kind kind;
  std::uint32_t request;
};

// ---------------------------------------------------------------------------------------------------------------------
// Timing constraints.
// ---------------------------------------------------------------------------------------------------------------------

enum class Scope : std::uint8_t { bank, rank, fourth_last };

struct Constraint {
  Command next;
  Command previous;
  Scope scope;
  Cycle distance;
};

std::vector<Constraint> ddr3_constraints(const Timing& t) {
  using enum Command;
  std::vector<Constraint> table;
  const auto add = [&table](std::initializer_list<Command> next, std::initializer_list<Command> previous, Scope scope,
                            Cycle distance) {
    for (const Command n : next) {
      for (const Command p : previous) table.push_back({n, p, scope, distance});
    }
  };
  const Cycle read_to_precharge = t.tAL + t.tRTP;

  add({RD, RDA}, {ACT}, Scope::bank, t.tRCD - t.tAL);
  add({RD, RDA}, {RD, RDA}, Scope::rank, t.tCCD);
  add({RD, RDA}, {WR, WRA}, Scope::rank, t.write_to_read());
  add({RDA}, {WR}, Scope::bank, t.write_to_precharge() - t.tRTP);

  add({WR, WRA}, {ACT}, Scope::bank, t.tRCD - t.tAL);
  add({WR, WRA}, {RD, RDA}, Scope::rank, t.read_to_write());
  add({WR, WRA}, {WR, WRA}, Scope::rank, t.tCCD);

  add({ACT}, {ACT}, Scope::bank, t.tRC);
  add({ACT}, {ACT}, Scope::rank, t.tRRD);
  add({ACT}, {ACT}, Scope::fourth_last, t.tFAW);
  add({ACT}, {RDA}, Scope::bank, read_to_precharge + t.tRP);
  add({ACT}, {WRA}, Scope::bank, t.write_to_precharge() + t.tRP);
  add({ACT}, {PRE}, Scope::bank, t.tRP);
  add({ACT}, {PREA}, Scope::rank, t.tRP);
  add({ACT}, {REFA}, Scope::rank, t.tRFC);

  add({PRE}, {ACT}, Scope::bank, t.tRAS);
  add({PRE}, {RD}, Scope::bank, read_to_precharge);
  add({PRE}, {WR}, Scope::bank, t.write_to_precharge());

  add({PREA}, {ACT}, Scope::rank, t.tRAS);
  add({PREA}, {RD, RDA}, Scope::rank, read_to_precharge);
  add({PREA}, {WR, WRA}, Scope::rank, t.write_to_precharge());

  add({REFA}, {ACT}, Scope::rank, t.tRC);
  add({REFA}, {RDA}, Scope::rank, read_to_precharge + t.tRP);
  add({REFA}, {WRA}, Scope::rank, t.write_to_precharge() + t.tRP);
  add({REFA}, {PRE, PREA}, Scope::rank, t.tRP);
  add({REFA}, {REFA}, Scope::rank, t.tRFC);
  return table;
}

class TimingChecker {
 public:
  explicit TimingChecker(const Timing& timing) : table_(ddr3_constraints(timing)) {
    last_on_rank_.fill(kNever);
    for (auto& banks : last_on_bank_) banks.fill(kNever);
  }

  // Earliest cycle, not before `now`, in which `next` meets all constraints.
  [[nodiscard]] Cycle earliest(Command next, std::uint32_t bank, Cycle now) const {
    Cycle result = now;
    // One command per cycle on the command bus, whatever the two commands are.
    if (last_on_bus_ != kNever) result = std::max(result, last_on_bus_ + 1);
    for (const Constraint& row : table_) {
      if (row.next != next) continue;
      const Cycle previous = last(row, bank);
      if (previous != kNever) result = std::max(result, previous + row.distance);
    }
    return result;
  }

  void record(Command command, std::uint32_t bank, Cycle now) {
    last_on_bus_ = now;
    last_on_rank_[index_of(command)] = now;
    last_on_bank_[index_of(command)][bank] = now;
    if (command == Command::ACT) {
      last_activates_.push_back(now);
      if (last_activates_.size() > 4) last_activates_.pop_front();
    }
  }

 private:
  [[nodiscard]] Cycle last(const Constraint& row, std::uint32_t bank) const {
    switch (row.scope) {
      case Scope::bank:
        return last_on_bank_[index_of(row.previous)][bank];
      case Scope::rank:
        return last_on_rank_[index_of(row.previous)];
      case Scope::fourth_last:
        return last_activates_.size() == 4 ? last_activates_.front() : kNever;
    }
    return kNever;
  }

  std::vector<Constraint> table_;
  Cycle last_on_bus_ = kNever;
  std::array<Cycle, kCommands> last_on_rank_{};
  std::array<std::array<Cycle, kMaxBanks>, kCommands> last_on_bank_{};
  std::deque<Cycle> last_activates_;
};

// ---------------------------------------------------------------------------------------------------------------------
// Request buffer and scheduler.
// ---------------------------------------------------------------------------------------------------------------------

class RequestBuffer {
 public:
  RequestBuffer(const WorkloadView& workload, const ControllerParams& params) : workload_(workload), params_(params) {}

  // None of the tests looks at the new request: Bankwise asks about the bank of the most recently stored one.
  [[nodiscard]] bool has_space() const {
    const std::size_t size = params_.request_buffer_size;
    switch (params_.scheduler_buffer) {
      case SchedulerBuffer::Bankwise:
        return waiting_[last_stored_bank_].size() < size;
      case SchedulerBuffer::ReadWrite:
        return reads_ < size && writes_ < size;
      case SchedulerBuffer::Shared:
        return reads_ + writes_ < size;
    }
    return false;
  }

  void store(std::uint32_t request) {
    const PackedRequest& packed = workload_.requests[request];
    waiting_[packed.bank()].push_back(request);
    last_stored_bank_ = packed.bank();
    ++(packed.is_write() ? writes_ : reads_);
  }

  // A request leaves with its CAS command; its direction is the one that FrFcfsGrp then prefers on all banks.
  void remove(std::uint32_t request) {
    const PackedRequest& packed = workload_.requests[request];
    std::erase(waiting_[packed.bank()], request);
    --(packed.is_write() ? writes_ : reads_);
    last_cas_was_write_ = packed.is_write();
  }

  // The request that a bank works on; `open_row` is set when the bank is activated.
  [[nodiscard]] std::uint32_t choose(std::uint32_t bank, std::optional<std::uint32_t> open_row) const {
    const std::vector<std::uint32_t>& list = waiting_[bank];
    if (list.empty()) return kNoRequest;
    if (!open_row || params_.scheduler == Scheduler::Fifo) return list.front();
    const std::vector<std::uint32_t> hits = row_hits(bank, *open_row);
    if (hits.empty()) return list.front();
    if (params_.scheduler == Scheduler::FrFcfsGrp) {
      for (const std::uint32_t hit : hits) {
        if (workload_.requests[hit].is_write() == last_cas_was_write_ && !has_older_with_same_address(list, hit)) {
          return hit;
        }
      }
    }
    return hits.front();
  }

  [[nodiscard]] bool has_further_request(std::uint32_t bank) const { return waiting_[bank].size() >= 2; }

  // Another request for the open row besides the one being served, as far as the scheduler can see it.
  [[nodiscard]] bool has_further_row_hit(std::uint32_t bank, std::uint32_t open_row) const {
    if (params_.scheduler == Scheduler::Fifo) {
      return has_further_request(bank) && workload_.requests[waiting_[bank][1]].row() == open_row;
    }
    return row_hits(bank, open_row).size() >= 2;
  }

 private:
  [[nodiscard]] std::vector<std::uint32_t> row_hits(std::uint32_t bank, std::uint32_t row) const {
    std::vector<std::uint32_t> hits;
    for (const std::uint32_t request : waiting_[bank]) {
      if (workload_.requests[request].row() == row) hits.push_back(request);
    }
    return hits;
  }

  [[nodiscard]] bool has_older_with_same_address(const std::vector<std::uint32_t>& list, std::uint32_t request) const {
    if (workload_.previous_same_address == nullptr) return false;
    // Requests enter the list in trace order, so nothing older than its head can be in it.
    std::uint32_t older = workload_.previous_same_address[request];
    while (older != kNoRequest && older >= list.front()) {
      if (std::find(list.begin(), list.end(), older) != list.end()) return true;
      older = workload_.previous_same_address[older];
    }
    return false;
  }

  const WorkloadView& workload_;
  const ControllerParams& params_;
  std::array<std::vector<std::uint32_t>, kMaxBanks> waiting_;  // in order of acceptance
  std::uint32_t last_stored_bank_ = 0;
  std::size_t reads_ = 0;
  std::size_t writes_ = 0;
  bool last_cas_was_write_ = false;
};

// ---------------------------------------------------------------------------------------------------------------------
// Response queue.
// ---------------------------------------------------------------------------------------------------------------------

class ResponseQueue {
 public:
  explicit ResponseQueue(RespQueue order) : order_(order) {}

  void insert(std::uint32_t request, Cycle ready) {
    const std::uint64_t key = order_ == RespQueue::Fifo ? cas_count_++ : request;
    entries_.emplace(key, Entry{request, ready});
  }

  // When the data of the next response in order are complete; kNever while its CAS is still to come.
  [[nodiscard]] Cycle next_ready() const { return next_is_here() ? entries_.begin()->second.ready : kNever; }

  [[nodiscard]] std::optional<std::uint32_t> take_deliverable(Cycle now) {
    if (!next_is_here() || entries_.begin()->second.ready > now) return std::nullopt;
    const std::uint32_t request = entries_.begin()->second.request;
    entries_.erase(entries_.begin());
    ++next_;
    return request;
  }

 private:
  struct Entry {
    std::uint32_t request;
    Cycle ready;
  };

  [[nodiscard]] bool next_is_here() const { return !entries_.empty() && entries_.begin()->first == next_; }

  RespQueue order_;
  std::map<std::uint64_t, Entry> entries_;  // by place in CAS order (Fifo) or by request (Reorder)
  std::uint64_t cas_count_ = 0;
  std::uint64_t next_ = 0;
};

// ---------------------------------------------------------------------------------------------------------------------
// Controller.
// ---------------------------------------------------------------------------------------------------------------------

struct Proposal {
  Command command;
  std::uint32_t bank;
  std::uint32_t request;  // index; kNoRequest for refresh commands
  Cycle time;

  // Ids start at 1; a refresh command carries 0 and so wins every tie.
  [[nodiscard]] std::uint32_t id() const { return request == kNoRequest ? 0 : request + 1; }
};

struct BankMachine {
  bool activated = false;
  bool blocked = false;
  std::uint32_t open_row = 0;
  std::uint32_t chosen = kNoRequest;
  std::optional<Proposal> proposal;

  // For the row statistics only.
  bool used_since_activate = false;
  bool last_closed_by_pre = false;
};

class Controller {
 public:
  Controller(EventKernel& kernel, MessageList<ArbiterMessage>& to_arbiter, const WorkloadView& workload,
             const ControllerParams& params, Counters& counters)
      : kernel_(kernel),
        to_arbiter_(to_arbiter),
        workload_(workload),
        params_(params),
        timing_(workload.timing),
        counters_(counters),
        checker_(workload.timing),
        buffer_(workload, params),
        responses_(params.resp_queue),
        banks_(workload.timing.banks),
        refresh_due_(workload.timing.tREFI) {}

  // From the arbiter. Visible at once: a controller that runs later in the same round already takes it.
  void offer(std::uint32_t request, Cycle delay) {
    offered_ = Offer{request, kernel_.now() + delay};
    kernel_.notify(Source::request, delay);
  }

  // From the arbiter: the response that is out has been taken over.
  void response_done() {
    last_done_ = kernel_.now();
    kernel_.notify(Source::response_done, 0);
  }

  // Running a step more often than needed changes nothing.
  void step() {
    handle_responses();
    accept_request();
    evaluate_refresh();
    if (const std::optional<Proposal> winner = select(); winner && winner->time <= kernel_.now()) {
      issue(*winner);
    }
    Cycle next = kNever;
    for (std::uint32_t bank = 0; bank < banks_.size(); ++bank) {
      next = std::min(next, evaluate_bank(bank));
    }
    next = std::min(next, evaluate_refresh());
    if (next != kNever) kernel_.notify(Source::timer, next - std::min(next, kernel_.now()));
  }

  [[nodiscard]] const std::vector<IssuedCommand>& log() const { return log_; }

  // Cycles without any request, up to `end`.
  [[nodiscard]] Cycle idle_cycles(Cycle end) const { return idle_cycles_ + (held_ == 0 ? end - idle_since_ : 0); }

 private:
  struct Offer {
    std::uint32_t request;
    Cycle time;
  };

  void handle_responses() {
    const Cycle now = kernel_.now();
    if (response_is_out_) {
      if (last_done_ != now) return;
      response_is_out_ = false;
      ++counters_.served;
      --held_;
      if (held_ == 0) {
        idle_since_ = now;
        return;
      }
    }
    if (const std::optional<std::uint32_t> request = responses_.take_deliverable(now)) {
      // Hand-overs are at least one cycle apart.
      const Cycle delay = last_done_ == now ? 1 : 0;
      to_arbiter_.send({ArbiterMessage::Kind::response, *request}, delay);
      response_is_out_ = true;
      last_done_ = kNever;
      return;
    }
    notify_data();
  }

  void notify_data() {
    const Cycle ready = responses_.next_ready();
    if (ready != kNever && ready > kernel_.now()) {
      kernel_.notify(Source::data, ready - kernel_.now());
    }
  }

  void accept_request() {
    if (!offered_ || offered_->time > kernel_.now() || !buffer_.has_space()) return;
    const std::uint32_t request = offered_->request;
    offered_.reset();
    if (held_ == 0) idle_cycles_ += kernel_.now() - idle_since_;
    ++held_;
    buffer_.store(request);
    evaluate_bank(workload_.requests[request].bank());
    to_arbiter_.send({ArbiterMessage::Kind::accepted, request}, 0);
  }

  // Renews a bank's chosen request and proposal; returns the proposal's time.
  Cycle evaluate_bank(std::uint32_t index) {
    BankMachine& bank = banks_[index];
    bank.proposal.reset();
    if (bank.blocked) return kNever;  // keeps its chosen request: the bank still counts as busy
    bank.chosen = buffer_.choose(index, bank.activated ? std::optional<std::uint32_t>(bank.open_row) : std::nullopt);
    if (bank.chosen == kNoRequest) return kNever;
    const Command command = bank.activated ? command_of_activated(index) : Command::ACT;
    const Cycle time = checker_.earliest(command, index, kernel_.now());
    bank.proposal = Proposal{command, index, bank.chosen, time};
    return time;
  }

  [[nodiscard]] Command command_of_activated(std::uint32_t index) const {
    const BankMachine& bank = banks_[index];
    const PackedRequest& request = workload_.requests[bank.chosen];
    const Command stay_open = request.is_write() ? Command::WR : Command::RD;
    const Command close = request.is_write() ? Command::WRA : Command::RDA;
    // Under Closed the row was opened for this very request, so rows are not compared.
    if (params_.page_policy == PagePolicy::Closed) return close;
    if (request.row() != bank.open_row) return Command::PRE;
    const bool further_hit = buffer_.has_further_row_hit(index, bank.open_row);
    switch (params_.page_policy) {
      case PagePolicy::OpenAdaptive:
        return buffer_.has_further_request(index) && !further_hit ? close : stay_open;
      case PagePolicy::ClosedAdaptive:
        return further_hit ? stay_open : close;
      default:
        return stay_open;
    }
  }

  // The all-bank refresh manager. Renews its proposal; returns when it wants to be asked again.
  Cycle evaluate_refresh() {
    refresh_proposal_.reset();
    if (params_.refresh_policy == RefreshPolicy::NoRefresh) return kNever;
    const Cycle now = kernel_.now();
    const Cycle interval = timing_.tREFI;
    if (now < refresh_due_) return refresh_due_;
    if (now >= refresh_due_ + interval) {
      refresh_due_ += interval;
      pulled_in_ = false;
    }
    const bool busy =
        std::any_of(banks_.begin(), banks_.end(), [](const BankMachine& bank) { return bank.chosen != kNoRequest; });
    if (pulled_in_) {
      if (busy) {
        pulled_in_ = false;
        refresh_due_ += interval;
        return refresh_due_;
      }
      return propose_refresh(Command::REFA);
    }
    if (flexibility_ == static_cast<std::int64_t>(params_.refresh_max_postponed)) {
      for (BankMachine& bank : banks_) bank.blocked = true;
    } else if (busy) {
      ++flexibility_;
      refresh_due_ += interval;
      return refresh_due_;
    }
    return propose_refresh(open_banks_ > 0 ? Command::PREA : Command::REFA);
  }

  Cycle propose_refresh(Command command) {
    const Cycle time = checker_.earliest(command, 0, kernel_.now());
    refresh_proposal_ = Proposal{command, 0, kNoRequest, time};
    return time;
  }

  // The proposal with the smallest time wins, ties go to the smallest id. A bank's proposal is the one of its last
  // evaluation: a bank blocked earlier in this step still competes.
  [[nodiscard]] std::optional<Proposal> select() const {
    std::optional<Proposal> winner = refresh_proposal_;
    const auto key = [now = kernel_.now()](const Proposal& proposal) {
      return std::pair(std::max(proposal.time, now), proposal.id());
    };
    for (const BankMachine& bank : banks_) {
      if (!bank.proposal) continue;
      if (!winner || key(*bank.proposal) < key(*winner)) winner = bank.proposal;
    }
    return winner;
  }

  void issue(const Proposal& proposal) {
    const Cycle now = kernel_.now();
    if (proposal.command == Command::PREA || proposal.command == Command::REFA) {
      for (BankMachine& bank : banks_) update_bank(bank, proposal.command);
    } else {
      update_bank(banks_[proposal.bank], proposal.command);
    }
    update_refresh(proposal.command);
    checker_.record(proposal.command, proposal.bank, now);
    log_.push_back({now, proposal.command, proposal.bank, proposal.id()});
    if (!is_cas(proposal.command)) return;
    buffer_.remove(proposal.request);
    accept_request();  // the slot that just became free may be waited for
    const Cycle latency = is_read(proposal.command) ? timing_.tRL : timing_.tWL;
    responses_.insert(proposal.request, now + latency + timing_.burst);
    notify_data();
  }

  void update_bank(BankMachine& bank, Command command) {
    if (is_cas(command)) {
      if (bank.used_since_activate) {
        ++counters_.row[kRowHit];
      } else {
        ++(bank.last_closed_by_pre ? counters_.row[kRowConflict] : counters_.row[kRowMiss]);
      }
      bank.used_since_activate = true;
      bank.chosen = kNoRequest;
    }
    switch (command) {
      case Command::ACT:
        bank.activated = true;
        bank.open_row = workload_.requests[bank.chosen].row();
        bank.used_since_activate = false;
        break;
      case Command::PRE:
        bank.activated = false;
        bank.last_closed_by_pre = true;
        break;
      case Command::PREA:
        // Only the banks that this command closes forget how they were closed before.
        if (bank.activated) bank.last_closed_by_pre = false;
        bank.activated = false;
        break;
      case Command::RDA:
      case Command::WRA:
        bank.activated = false;
        bank.last_closed_by_pre = false;
        break;
      case Command::REFA:
        bank.blocked = false;
        break;
      case Command::RD:
      case Command::WR:
        break;
    }
  }

  void update_refresh(Command command) {
    if (command == Command::ACT) ++open_banks_;
    if (command == Command::PRE || closes_by_itself(command)) --open_banks_;
    if (command == Command::PREA) open_banks_ = 0;
    if (command != Command::REFA) return;
    // The refresh that is due leaves the flexibility alone; only those pulled in after it lower it.
    if (pulled_in_) {
      --flexibility_;
    } else {
      pulled_in_ = true;
    }
    if (flexibility_ == -static_cast<std::int64_t>(params_.refresh_max_pulledin)) {
      pulled_in_ = false;
      refresh_due_ += timing_.tREFI;
    }
  }

  EventKernel& kernel_;
  MessageList<ArbiterMessage>& to_arbiter_;
  const WorkloadView& workload_;
  const ControllerParams& params_;
  const Timing& timing_;
  Counters& counters_;

  TimingChecker checker_;
  RequestBuffer buffer_;
  ResponseQueue responses_;
  std::vector<BankMachine> banks_;
  std::vector<IssuedCommand> log_;

  std::optional<Offer> offered_;
  bool response_is_out_ = false;
  Cycle last_done_ = kNever;  // cycle of the last completed response handshake; kNever while a response is out

  std::uint64_t held_ = 0;  // requests stored and not yet returned
  Cycle idle_since_ = 0;
  Cycle idle_cycles_ = 0;

  Cycle refresh_due_;
  bool pulled_in_ = false;
  std::int64_t flexibility_ = 0;
  std::uint32_t open_banks_ = 0;
  std::optional<Proposal> refresh_proposal_;
};

// ---------------------------------------------------------------------------------------------------------------------
// Arbiter.
// ---------------------------------------------------------------------------------------------------------------------

class ArbiterAgent {
 public:
  ArbiterAgent(EventKernel& kernel, MessageList<ArbiterMessage>& inbox, MessageList<PlayerMessage>& to_player,
               Controller& controller, const ControllerParams& params, std::vector<Cycle>& arrival)
      : kernel_(kernel), inbox_(inbox), to_player_(to_player), controller_(controller), params_(params), arrival_(arrival) {}

  void run() {
    while (const std::optional<ArbiterMessage> message = inbox_.receive()) {
      switch (message->kind) {
        case ArbiterMessage::Kind::request:
          arrival_[message->request] = kernel_.now();
          request_from_player(message->request);
          break;
        case ArbiterMessage::Kind::accepted:
          accepted_by_controller(message->request);
          break;
        case ArbiterMessage::Kind::response:
          response_from_controller(message->request);
          break;
        case ArbiterMessage::Kind::consumed:
          consumed_by_player();
          break;
      }
    }
    inbox_.renew();
  }

 private:
  [[nodiscard]] bool is_simple() const { return params_.arbiter == Arbiter::Simple; }

  void request_from_player(std::uint32_t request) {
    if (!is_simple()) {
      if (active_ >= params_.max_active_transactions) {
        parked_ = request;
        return;
      }
      ++active_;
      acknowledge(request);
    }
    forward(request);
  }

  void accepted_by_controller(std::uint32_t request) {
    last_accepted_ = kernel_.now();
    if (is_simple()) acknowledge(request);
    if (queue_.empty()) {
      channel_is_busy_ = false;
      return;
    }
    const std::uint32_t next = queue_.front();
    queue_.pop_front();
    controller_.offer(next, 1);
  }

  void response_from_controller(std::uint32_t request) {
    if (!is_simple()) controller_.response_done();
    listed_.insert({response_key(request), request});
    if (player_is_busy_ || !next_response_is_listed()) return;
    player_is_busy_ = true;
    send_next_response(!is_simple() && last_consumed_ == kernel_.now() ? 1 : 0);
  }

  void consumed_by_player() {
    if (is_simple()) {
      controller_.response_done();
    } else {
      last_consumed_ = kernel_.now();
      if (parked_) {
        // The parked request takes over the place of the one that left.
        const std::uint32_t request = *parked_;
        parked_.reset();
        acknowledge(request);
        forward(request);
      } else {
        --active_;
      }
    }
    if (next_response_is_listed()) {
      send_next_response(1);
    } else {
      player_is_busy_ = false;
    }
  }

  // Offers a request to the controller, or queues it behind the one being offered.
  void forward(std::uint32_t request) {
    if (channel_is_busy_) {
      queue_.push_back(request);
      return;
    }
    channel_is_busy_ = true;
    controller_.offer(request, !is_simple() && last_accepted_ == kernel_.now() ? 1 : 0);
  }

  void acknowledge(std::uint32_t request) { to_player_.send({PlayerMessage::Kind::acknowledge, request}, 0); }

  // Responses are listed in order of arrival, with Reorder in order of their requests.
  std::uint64_t response_key(std::uint32_t request) {
    return params_.arbiter == Arbiter::Reorder ? request : responses_received_++;
  }

  [[nodiscard]] bool next_response_is_listed() const { return !listed_.empty() && listed_.begin()->first == next_response_; }

  void send_next_response(Cycle delay) {
    const std::uint32_t request = listed_.begin()->second;
    listed_.erase(listed_.begin());
    ++next_response_;
    to_player_.send({PlayerMessage::Kind::response, request}, delay);
  }

  EventKernel& kernel_;
  MessageList<ArbiterMessage>& inbox_;
  MessageList<PlayerMessage>& to_player_;
  Controller& controller_;
  const ControllerParams& params_;
  std::vector<Cycle>& arrival_;

  bool channel_is_busy_ = false;
  std::deque<std::uint32_t> queue_;
  Cycle last_accepted_ = kNever;

  std::uint64_t active_ = 0;  // admitted and not yet returned
  std::optional<std::uint32_t> parked_;

  bool player_is_busy_ = false;
  std::set<std::pair<std::uint64_t, std::uint32_t>> listed_;
  std::uint64_t responses_received_ = 0;
  std::uint64_t next_response_ = 0;
  Cycle last_consumed_ = kNever;
};

// ---------------------------------------------------------------------------------------------------------------------
// Trace player.
// ---------------------------------------------------------------------------------------------------------------------

class PlayerAgent {
 public:
  PlayerAgent(EventKernel& kernel, MessageList<PlayerMessage>& inbox, MessageList<ArbiterMessage>& to_arbiter,
              const WorkloadView& workload, Counters& counters, const std::vector<Cycle>& arrival)
      : kernel_(kernel), inbox_(inbox), to_arbiter_(to_arbiter), workload_(workload), counters_(counters), arrival_(arrival) {}

  void start() { send_next_request(0); }

  void run() {
    while (const std::optional<PlayerMessage> message = inbox_.receive()) {
      switch (message->kind) {
        case PlayerMessage::Kind::acknowledge:
          if (sent_ < workload_.count) send_next_request(next_edge_ps());
          break;
        case PlayerMessage::Kind::response:
          consume(message->request);
          break;
      }
    }
    inbox_.renew();
  }

  [[nodiscard]] bool finished() const { return consumed_ == workload_.count; }

 private:
  // First player clock edge strictly after now.
  [[nodiscard]] std::uint64_t next_edge_ps() const {
    const std::uint64_t now_ps = kernel_.now() * workload_.tck_ps;
    return (now_ps / workload_.player_period_ps + 1) * workload_.player_period_ps;
  }

  void send_next_request(std::uint64_t earliest_ps) {
    const std::uint64_t gap_ps = std::uint64_t{workload_.requests[sent_].gap} * workload_.player_period_ps;
    issue_ps_ += gap_ps;
    const std::uint64_t leaves_ps = workload_.relative ? earliest_ps + gap_ps : std::max(earliest_ps, issue_ps_);
    // The arbiter sees it at the next controller clock edge.
    const Cycle arrives = (leaves_ps + workload_.tck_ps - 1) / workload_.tck_ps;
    to_arbiter_.send({ArbiterMessage::Kind::request, sent_}, arrives - kernel_.now());
    ++sent_;
  }

  void consume(std::uint32_t request) {
    ++consumed_;
    const std::uint64_t latency = kernel_.now() - arrival_[request];
    counters_.latency_sum += latency;
    counters_.latency_max = std::max(counters_.latency_max, latency);
    ++counters_.latency_histogram[latency_bucket(latency)];
    to_arbiter_.send({ArbiterMessage::Kind::consumed, request}, 0);
  }

  EventKernel& kernel_;
  MessageList<PlayerMessage>& inbox_;
  MessageList<ArbiterMessage>& to_arbiter_;
  const WorkloadView& workload_;
  Counters& counters_;
  const std::vector<Cycle>& arrival_;

  std::uint32_t sent_ = 0;
  std::uint32_t consumed_ = 0;
  std::uint64_t issue_ps_ = 0;  // absolute traces: earliest issue time of the last request
};

// ---------------------------------------------------------------------------------------------------------------------
// Energy counting: DRAMPower's view of the command log.
// ---------------------------------------------------------------------------------------------------------------------

struct PowerCommand {
  Cycle cycle;
  Command command;
  std::uint32_t bank;
};

// RDA and WRA become RD and WR plus a precharge of the bank when its data and tRAS allow; then all are put in order of
// time, precharges first within a cycle.
std::vector<PowerCommand> merged_commands(const std::vector<IssuedCommand>& log, const Timing& t) {
  std::vector<PowerCommand> merged;
  std::vector<Cycle> last_activate(t.banks, 0);
  for (const IssuedCommand& issued : log) {
    const auto plain = [&] {
      if (issued.command == Command::RDA) return Command::RD;
      if (issued.command == Command::WRA) return Command::WR;
      return issued.command;
    }();
    merged.push_back({issued.cycle, plain, issued.bank});
    if (issued.command == Command::ACT) last_activate[issued.bank] = issued.cycle;
    if (closes_by_itself(issued.command)) {
      const Cycle distance = is_read(issued.command) ? t.tAL + std::max(t.tRTP, std::uint32_t{4}) : t.write_to_precharge();
      merged.push_back({std::max(issued.cycle + distance, last_activate[issued.bank] + t.tRAS), Command::PRE, issued.bank});
    }
  }
  std::stable_sort(merged.begin(), merged.end(), [](const PowerCommand& a, const PowerCommand& b) {
    return std::pair(a.cycle, a.command != Command::PRE) < std::pair(b.cycle, b.command != Command::PRE);
  });
  return merged;
}

// Where the books are closed after the last command.
Cycle end_marker(const PowerCommand& last, const Timing& t) {
  switch (last.command) {
    case Command::RD:
      return last.cycle + t.tRL + t.burst;
    case Command::WR:
      return last.cycle + t.write_to_precharge() - 1;
    case Command::ACT:
      return last.cycle + t.tRCD - 1;
    case Command::PRE:
    case Command::PREA:
      return last.cycle + t.tRP - 1;
    default:  // REFA: its cycles are in the books already
      return last.cycle;
  }
}

void count_energy(const std::vector<IssuedCommand>& log, const Timing& t, Counters& counters) {
  const std::vector<PowerCommand> merged = merged_commands(log, t);
  if (merged.empty()) return;
  std::vector<bool> open(t.banks, false);
  Cycle first_activate = 0;
  Cycle last_precharge = 0;
  const auto open_count = [&open] { return static_cast<std::uint64_t>(std::count(open.begin(), open.end(), true)); };
  const auto span = [](Cycle from, Cycle to) { return to > from ? to - from : 0; };

  for (const PowerCommand& entry : merged) {
    switch (entry.command) {
      case Command::ACT:
        if (open[entry.bank]) break;
        ++counters.act;
        if (open_count() == 0) {
          first_activate = entry.cycle;
          counters.precharged_cycles += span(last_precharge, entry.cycle);
        }
        open[entry.bank] = true;
        break;
      case Command::RD:
        ++counters.rd;
        break;
      case Command::WR:
        ++counters.wr;
        break;
      case Command::PRE:
        if (!open[entry.bank]) break;
        ++counters.pre;
        if (open_count() == 1) {
          counters.active_cycles += span(first_activate, entry.cycle);
          last_precharge = entry.cycle;
        }
        open[entry.bank] = false;
        break;
      case Command::PREA:
        if (open_count() == 0) break;
        counters.pre += open_count();
        counters.active_cycles += span(first_activate, entry.cycle);
        last_precharge = entry.cycle;
        open.assign(open.size(), false);
        break;
      case Command::REFA:
        ++counters.ref;
        counters.precharged_cycles += span(last_precharge, entry.cycle);
        counters.active_cycles += t.tRFC - t.tRP;
        last_precharge = entry.cycle + t.tRFC - t.tRP;
        first_activate = entry.cycle;
        open.assign(open.size(), false);
        break;
      case Command::RDA:
      case Command::WRA:
        break;  // split by merged_commands()
    }
  }
  const Cycle end = end_marker(merged.back(), t);
  if (open_count() > 0) {
    counters.active_cycles += span(first_activate, end);
  } else {
    counters.precharged_cycles += span(last_precharge, end);
  }
}

}  // namespace

ReferenceResult simulate_reference(const WorkloadView& workload, const ControllerParams& params, bool keep_commands,
                                   std::uint64_t max_steps) {
  ReferenceResult result;
  EventKernel kernel;
  MessageList<ArbiterMessage> to_arbiter(kernel, Source::arbiter);
  MessageList<PlayerMessage> to_player(kernel, Source::player);
  std::vector<Cycle> arrival(workload.count, 0);  // by request: when it reached the arbiter
  Controller controller(kernel, to_arbiter, workload, params, result.counters);
  ArbiterAgent arbiter(kernel, to_arbiter, to_player, controller, params, arrival);
  PlayerAgent player(kernel, to_player, to_arbiter, workload, result.counters, arrival);

  result.status = Status::step_limit;
  controller.step();
  player.start();
  std::uint64_t steps = 1;
  while (steps < max_steps) {
    const std::vector<Agent> runnable = kernel.advance();
    if (runnable.empty()) break;  // stalled: no event is left and some response never came
    for (const Agent agent : runnable) {
      switch (agent) {
        case Agent::controller:
          controller.step();
          ++steps;
          break;
        case Agent::arbiter:
          arbiter.run();
          break;
        case Agent::player:
          player.run();
          break;
      }
    }
    // The last response ends the simulation after the round it is consumed in: the agents of that round still run.
    if (player.finished()) {
      result.status = Status::ok;
      break;
    }
  }

  result.counters.cycles = kernel.now();
  result.counters.idle_cycles_fifo = controller.idle_cycles(kernel.now());
  result.counters.idle_cycles_reorder = result.counters.idle_cycles_fifo;
  count_energy(controller.log(), workload.timing, result.counters);
  if (keep_commands) result.commands = controller.log();
  return result;
}

}  // namespace exarch::dram
