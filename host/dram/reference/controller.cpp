#include "host/dram/reference/controller.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace exarch::dram::reference {
namespace {

bool is_rank_command(Command command) {
  switch (command) {
    case Command::PREA:
    case Command::REFA:
    case Command::PDEA:
    case Command::PDXA:
    case Command::PDEP:
    case Command::PDXP:
    case Command::SREFEN:
    case Command::SREFEX:
      return true;
    default:
      return false;
  }
}

}  // namespace

Controller::Controller(EventKernel& kernel, std::size_t first_source, MessageList<ArbiterMessage>& to_arbiter,
                       std::vector<Request>& requests, const ProtocolTable& table, const system::Delays& delays,
                       const ControllerParams& params, system::SystemCounters& counters)
    : kernel_(kernel),
      first_source_(first_source),
      to_arbiter_(to_arbiter),
      requests_(requests),
      protocol_(table.protocol),
      delays_(delays),
      params_(params),
      counters_(counters),
      checker_(table),
      buffer_(requests, params, protocol_.banks()),
      responses_(requests, params.resp_queue),
      banks_(protocol_.banks()),
      requests_of_rank_(protocol_.ranks, 0) {
  for (std::uint32_t rank = 0; rank < protocol_.ranks; ++rank) {
    const RankContext context{kernel_, checker_, protocol_, params_, banks_, rank};
    power_down_.emplace_back(context);
    refresh_.push_back(make_refresh_manager(context, power_down_.back()));
  }
}

void Controller::offer(std::uint32_t request, Tick delay) {
  offered_ = Offer{request, kernel_.now() + delay};
  kernel_.notify(first_source_ + kRequest, delay);
}

void Controller::response_done() {
  last_done_ = kernel_.now();
  kernel_.notify(first_source_ + kResponseDone, 0);
}

void Controller::step() {
  handle_responses();
  accept_request(0);
  for (const auto& manager : refresh_) (void)manager->evaluate();
  for (PowerDownManager& manager : power_down_) (void)manager.evaluate();
  const std::vector<Proposal> all = proposals();
  const std::optional<Proposal> winner = select(all);
  const bool issues = winner && winner->time <= kernel_.now();
  if (issues) issue(*winner);

  // A command that is ready but has to let another one go first is not asked for again at once.
  const bool blocked = !all.empty() && !issues;
  Tick next = kNever;
  const auto wants = [&](Tick time) {
    if (!blocked || time != kernel_.now()) next = std::min(next, time);
  };
  for (std::uint32_t bank = 0; bank < banks_.size(); ++bank) wants(evaluate_bank(bank));
  for (const auto& manager : refresh_) wants(manager->evaluate());
  for (PowerDownManager& manager : power_down_) wants(manager.evaluate());
  if (next != kNever) kernel_.notify(first_source_ + kTimer, next - std::min(next, kernel_.now()));
}

void Controller::handle_responses() {
  const Tick now = kernel_.now();
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
    const Tick delay = last_done_ == now ? protocol_.tck_ps : 0;
    to_arbiter_.send({ArbiterMessage::Kind::response, *request}, delay);
    response_is_out_ = true;
    last_done_ = kNever;
    return;
  }
  notify_data();
}

void Controller::notify_data() {
  const Tick ready = responses_.next_ready();
  if (ready != kNever && ready > kernel_.now()) kernel_.notify(first_source_ + kData, ready - kernel_.now());
}

void Controller::accept_request(Tick message_delay) {
  if (!offered_ || offered_->time > kernel_.now() || !buffer_.has_space()) return;
  const std::uint32_t request = offered_->request;
  offered_.reset();
  if (held_ == 0) idle_time_ += kernel_.now() - idle_since_;
  ++held_;
  const std::uint32_t bank = requests_[request].what.bank;
  const std::uint32_t rank = bank / protocol_.banks_per_rank;
  if (requests_of_rank_[rank] == 0) power_down_[rank].request_arrives();
  ++requests_of_rank_[rank];
  requests_[request].stored = kernel_.now();
  buffer_.store(request);
  (void)evaluate_bank(bank);
  to_arbiter_.send({ArbiterMessage::Kind::accepted, request}, message_delay);
}

// Renews a bank's chosen request and proposal; returns the proposal's time.
Tick Controller::evaluate_bank(std::uint32_t index) {
  BankMachine& bank = banks_[index];
  bank.proposal.reset();
  if (bank.blocked || bank.asleep) return kNever;  // keeps its chosen request: the bank still counts as busy
  bank.chosen = buffer_.choose(index, bank.activated ? std::optional<std::uint32_t>(bank.open_row) : std::nullopt);
  if (bank.chosen == kNoRequest) return kNever;
  const Command command = bank.activated ? command_of_activated(index) : Command::ACT;
  const std::uint32_t rank = index / protocol_.banks_per_rank;
  const Tick time = checker_.earliest(command, rank, index, kernel_.now());
  bank.proposal = Proposal{command, rank, index, bank.chosen, requests_[bank.chosen].id_of_channel, time};
  return time;
}

Command Controller::command_of_activated(std::uint32_t index) const {
  const BankMachine& bank = banks_[index];
  const system::Request& request = requests_[bank.chosen].what;
  const Command stay_open = request.is_write != 0 ? Command::WR : Command::RD;
  const Command close = request.is_write != 0 ? Command::WRA : Command::RDA;
  // Under Closed the row was opened for this very request, so rows are not compared.
  if (params_.page_policy == PagePolicy::Closed) return close;
  if (request.row != bank.open_row) return Command::PRE;
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

// A bank's proposal is the one of its last evaluation: a bank blocked earlier in this step still competes. A rank on its way into
// or out of power-down proposes nothing else.
std::vector<Proposal> Controller::proposals() const {
  std::vector<Proposal> all;
  for (std::uint32_t rank = 0; rank < protocol_.ranks; ++rank) {
    if (power_down_[rank].proposal()) {
      all.push_back(*power_down_[rank].proposal());
      continue;
    }
    if (refresh_[rank]->proposal()) all.push_back(*refresh_[rank]->proposal());
    for (std::uint32_t bank = 0; bank < protocol_.banks_per_rank; ++bank) {
      const auto& proposal = banks_[rank * protocol_.banks_per_rank + bank].proposal;
      if (proposal) all.push_back(*proposal);
    }
  }
  return all;
}

// Oldest: the proposal whose last cycle comes first, ties go to the smallest id, then to the lower rank. Strict: the same, of
// reads and writes only the next request's. Two command buses have a winner each; of these the one that is ready first.
std::optional<Proposal> Controller::select(const std::vector<Proposal>& proposals) const {
  const bool strict = params_.cmd_mux == CmdMux::Strict;
  const auto time_of = [now = kernel_.now()](const Proposal& proposal) { return std::max(proposal.time, now); };
  const auto key = [&](const Proposal& proposal) {
    return std::pair(time_of(proposal) + Tick{protocol_.length[code_of(proposal.command)]} * protocol_.tck_ps, proposal.id);
  };
  std::vector<std::optional<Proposal>> winners(protocol_.command_buses);
  for (const Proposal& proposal : proposals) {
    if (strict && is_cas(proposal.command) && proposal.id != next_cas_) continue;
    std::optional<Proposal>& winner = winners[protocol_.bus_of(proposal.command)];
    if (!winner || key(proposal) < key(*winner)) winner = proposal;
  }
  std::optional<Proposal> best;
  for (const std::optional<Proposal>& winner : winners) {
    if (!winner) continue;
    if (!best || std::pair(time_of(*winner), winner->id) < std::pair(time_of(*best), best->id)) best = winner;
  }
  return best;
}

void Controller::issue(const Proposal& proposal) {
  const Tick now = kernel_.now();
  const Command command = proposal.command;
  const std::uint32_t rank = proposal.rank;
  const bool whole_rank = is_rank_command(command);
  if (whole_rank) {
    for (std::uint32_t bank = 0; bank < protocol_.banks_per_rank; ++bank) {
      (void)update_bank(banks_[rank * protocol_.banks_per_rank + bank], command);
    }
  } else {
    const RowOutcome outcome = update_bank(banks_[proposal.bank], command);
    if (proposal.request != kNoRequest) {
      Request& request = requests_[proposal.request];
      request.first_command = std::min(request.first_command, now);
      if (is_cas(command)) {
        request.cas = now;
        request.outcome = outcome;
      }
    }
    // A refresh that closes a bank makes no conflict of the next request.
    if (command == Command::PRE && proposal.request == kNoRequest) banks_[proposal.bank].last_closed_by_pre = false;
  }
  refresh_[rank]->update(command, proposal.bank);
  power_down_[rank].update(command);
  checker_.record(command, rank, proposal.bank, now);
  ++counters_.commands[code_of(command)];
  log_.push_back({now, command, rank, whole_rank ? 0 : proposal.bank, proposal.request});
  if (is_cas(command)) {
    const Tick tck = protocol_.tck_ps;
    ++next_cas_;
    buffer_.remove(proposal.request);
    accept_request(delays_.think_forward * tck);  // the slot that just became free may be waited for
    const std::uint64_t data_end = is_write_cas(command) ? protocol_.write_data_end : protocol_.read_data_end;
    const std::uint64_t path =
        std::uint64_t{delays_.think_forward} + delays_.phy_forward + delays_.phy_backward + delays_.think_backward;
    responses_.insert(proposal.request, now + (data_end + path) * tck);
    notify_data();
    --requests_of_rank_[rank];
  }
  if (requests_of_rank_[rank] == 0) power_down_[rank].rank_is_idle();
}

RowOutcome Controller::update_bank(BankMachine& bank, Command command) {
  RowOutcome outcome = kRowOutcomes;
  if (is_cas(command)) {
    outcome = bank.used_since_activate ? kRowHit : bank.last_closed_by_pre ? kRowConflict : kRowMiss;
    ++counters_.row[outcome];
    bank.used_since_activate = true;
    bank.chosen = kNoRequest;
  }
  switch (command) {
    case Command::ACT:
      bank.activated = true;
      bank.open_row = requests_[bank.chosen].what.row;
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
    case Command::REFB:
      bank.blocked = bank.asleep = false;
      break;
    case Command::PDEA:
    case Command::PDEP:
    case Command::SREFEN:
      bank.asleep = true;
      break;
    case Command::PDXA:
    case Command::PDXP:
      bank.asleep = false;
      break;
    default:
      break;
  }
  return outcome;
}

}  // namespace exarch::dram::reference
