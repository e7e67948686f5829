#include "host/dram/reference.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>

#include "host/dram/reference/energy.hpp"
#include "host/dram/reference/players.hpp"

namespace exarch::dram {
namespace {

using reference::ArbiterAgent;
using reference::ArbiterMessage;
using reference::Controller;
using reference::count_energy;
using reference::EventKernel;
using reference::kNever;
using reference::LoggedCommand;
using reference::MessageList;
using reference::PlayerAgent;
using reference::PlayerMessage;
using reference::Request;
using reference::Tick;
using system::SystemStatus;

// All agents of one run, wired.
class ReferenceRun {
 public:
  ReferenceRun(const system::SystemView& view, const ProtocolTable& table, const ControllerParams& params,
               std::vector<system::SystemCounters>& counters)
      : view_(view), requests_(all_requests(view)), kernel_(agents_of_sources(view)), to_arbiter_(kernel_, arbiter_source()) {
    for (std::uint32_t i = 0; i < view.player_count; ++i) to_players_.emplace_back(kernel_, arbiter_source() + 1 + i);
    for (std::uint32_t c = 0; c < view.channel_count; ++c) {
      controllers_.emplace_back(kernel_, c * Controller::kSources, to_arbiter_, requests_, table, view.delays, params,
                                counters[c]);
    }
    const Tick tck = table.protocol.tck_ps;
    arbiter_.emplace_back(kernel_, to_arbiter_, to_players_, controllers_, requests_, params, view.delays, tck);
    std::uint32_t first = 0;
    for (std::uint32_t i = 0; i < view.player_count; ++i) {
      players_.emplace_back(kernel_, to_players_[i], to_arbiter_, view.players[i], first, requests_, created_, tck, counters);
      first += view.players[i].count;
    }
    // After so long without a CAS or a message all counters of the refresh managers are at their limits, and every interval is as
    // the one before.
    const auto& p = table.protocol;
    const bool per_bank = params.refresh_policy == RefreshPolicy::PerBank;
    const std::uint64_t limits = std::uint64_t{params.refresh_max_postponed} + params.refresh_max_pulledin;
    const std::uint64_t intervals = limits * (per_bank ? p.banks_per_rank : 1) + 4ull * p.banks() + 64;
    const std::uint64_t interval = per_bank ? p.per_bank_interval : p.refresh_interval;
    if (interval <= kNever / 2 / tck / intervals) patience_ = intervals * interval * tck;
  }

  SystemStatus run(std::uint64_t max_steps) {
    for (Controller& controller : controllers_) controller.step();
    for (PlayerAgent& player : players_) player.start();
    std::uint64_t steps = controllers_.size();
    while (steps < max_steps) {
      const std::vector<std::size_t> runnable = kernel_.advance();
      if (runnable.empty()) return SystemStatus::stalled;  // no event is left and some response never came
      for (const std::size_t agent : runnable) {
        if (agent < controllers_.size()) {
          controllers_[agent].step();
          ++steps;
        } else if (agent == controllers_.size()) {
          arbiter_.front().run();
        } else {
          players_[agent - controllers_.size() - 1].run();
        }
      }
      // The last response ends the simulation after the round it is consumed in: the agents of that round still run.
      if (std::ranges::all_of(players_, [](const PlayerAgent& player) { return player.finished(); })) return SystemStatus::ok;
      if (goes_on_for_ever(runnable)) return SystemStatus::endless;
    }
    return SystemStatus::step_limit;
  }

  [[nodiscard]] Tick now() const { return kernel_.now(); }
  [[nodiscard]] const std::deque<Controller>& controllers() const { return controllers_; }
  [[nodiscard]] const std::vector<Request>& requests() const { return requests_; }

 private:
  static std::vector<Request> all_requests(const system::SystemView& view) {
    std::vector<Request> requests;
    for (std::uint32_t i = 0; i < view.player_count; ++i) {
      for (std::uint32_t r = 0; r < view.players[i].count; ++r) requests.push_back({view.players[i].requests[r], i});
    }
    return requests;
  }

  static std::vector<std::size_t> agents_of_sources(const system::SystemView& view) {
    std::vector<std::size_t> agents;
    for (std::size_t c = 0; c < view.channel_count; ++c) agents.insert(agents.end(), Controller::kSources, c);
    for (std::size_t i = 0; i < 1 + view.player_count; ++i) agents.push_back(view.channel_count + i);
    return agents;
  }

  [[nodiscard]] std::size_t arbiter_source() const { return view_.channel_count * Controller::kSources; }

  // Only controllers run, nobody else has a message to come, and it has been like that for longer than anything can change.
  bool goes_on_for_ever(const std::vector<std::size_t>& runnable) {
    std::uint64_t cas = 0;
    for (const Controller& controller : controllers_) cas += controller.served_cas();
    const bool others_run = std::ranges::any_of(runnable, [this](std::size_t agent) { return agent >= controllers_.size(); });
    if (others_run || !to_arbiter_.empty() || cas != cas_ ||
        std::ranges::any_of(to_players_, [](const auto& list) { return !list.empty(); })) {
      cas_ = cas;
      quiet_since_ = kernel_.now();
      return false;
    }
    return kernel_.now() - quiet_since_ > patience_;
  }

  const system::SystemView& view_;
  std::vector<Request> requests_;
  EventKernel kernel_;
  MessageList<ArbiterMessage> to_arbiter_;
  std::deque<MessageList<PlayerMessage>> to_players_;
  std::deque<Controller> controllers_;
  std::deque<ArbiterAgent> arbiter_;  // one
  std::deque<PlayerAgent> players_;
  std::uint64_t created_ = 0;
  std::uint64_t cas_ = 0;
  Tick quiet_since_ = 0, patience_ = kNever;
};

// ---- DDR3 with one rank ---------------------------------------------------------------------------------------------------

ProtocolTable ddr3_table(const WorkloadView& workload) {
  const Timing& t = workload.timing;
  MemSpec spec;
  spec.burst_length = t.burst;
  spec.data_rate = 1;
  spec.times = {{"RCD", t.tRCD}, {"RP", t.tRP},   {"RAS", t.tRAS}, {"RC", t.tRC},   {"RRD", t.tRRD},
                {"FAW", t.tFAW}, {"CCD", t.tCCD}, {"RTP", t.tRTP}, {"WR", t.tWR},   {"WTR", t.tWTR},
                {"RL", t.tRL},   {"WL", t.tWL},   {"AL", t.tAL},   {"RFC", t.tRFC}, {"REFI", t.tREFI}};
  spec.memory_type = "DDR3";
  spec.ranks = spec.channels = 1;
  spec.banks = t.banks;
  spec.tck_ps = workload.tck_ps;
  return protocol_of(spec);
}

Command ddr3_command(system::Command command) {
  switch (command) {
    case system::Command::PRE:
      return Command::PRE;
    case system::Command::PREA:
      return Command::PREA;
    case system::Command::RD:
      return Command::RD;
    case system::Command::RDA:
      return Command::RDA;
    case system::Command::WR:
      return Command::WR;
    case system::Command::WRA:
      return Command::WRA;
    case system::Command::REFA:
      return Command::REFA;
    default:
      return Command::ACT;
  }
}

std::vector<system::Request> ddr3_requests(const WorkloadView& workload) {
  std::vector<system::Request> requests(workload.count);
  for (std::uint32_t i = 0; i < workload.count; ++i) {
    const PackedRequest& packed = workload.requests[i];
    const std::uint32_t previous = workload.previous_same_address == nullptr ? kNoRequest : workload.previous_same_address[i];
    requests[i] = {.gap = packed.gap,
                   .row = packed.row(),
                   .address = previous == kNoRequest ? i : requests[previous].address,
                   .bank = static_cast<std::uint8_t>(packed.bank()),
                   .channel = 0,
                   .is_write = static_cast<std::uint8_t>(packed.is_write() ? 1 : 0)};
  }
  return requests;
}

Counters ddr3_counters(const system::SystemCounters& from, std::uint64_t tck_ps) {
  Counters to{};
  to.cycles = from.time_ps / tck_ps;
  to.act = from.energy.act;
  to.pre = from.energy.pre;
  to.rd = from.energy.rd;
  to.wr = from.energy.wr;
  to.ref = from.energy.ref;
  to.active_cycles = from.energy.active;
  to.precharged_cycles = from.energy.precharged;
  std::copy(std::begin(from.row), std::end(from.row), std::begin(to.row));
  to.served = from.served;
  to.idle_cycles_fifo = to.idle_cycles_reorder = from.idle_ps / tck_ps;
  to.latency_sum = from.latency_sum_ps / tck_ps;
  to.latency_max = from.latency_max_ps / tck_ps;
  std::copy(std::begin(from.latency_histogram), std::end(from.latency_histogram), std::begin(to.latency_histogram));
  return to;
}

}  // namespace

SystemRun simulate_system_reference(const system::SystemView& view, const ProtocolTable& table, const ControllerParams& params,
                                    bool keep_commands, std::uint64_t max_steps) {
  SystemRun result;
  result.channels.resize(view.channel_count);
  ReferenceRun simulation(view, table, params, result.channels);
  result.status = simulation.run(max_steps);
  const std::uint64_t delay = std::uint64_t{view.delays.think_forward} + view.delays.phy_forward;
  for (std::uint32_t c = 0; c < view.channel_count; ++c) {
    const Controller& controller = simulation.controllers()[c];
    system::SystemCounters& counters = result.channels[c];
    counters.time_ps = simulation.now();
    counters.idle_ps = controller.idle_time(simulation.now());
    counters.energy = count_energy(controller.log(), table.protocol, delay);
    if (!keep_commands) continue;
    for (const LoggedCommand& issued : controller.log()) {
      const std::uint64_t request = issued.request == kNoRequest ? 0 : simulation.requests()[issued.request].created;
      result.commands.push_back({issued.time, issued.command, c, issued.rank, issued.bank, request});
    }
  }
  if (!keep_commands) return result;
  std::uint32_t number = 0;
  const Request* last = nullptr;
  for (const Request& request : simulation.requests()) {
    number = last != nullptr && last->player == request.player ? number + 1 : 0;
    last = &request;
    result.requests.push_back({request.created, request.player, number, request.arrival, request.stored, request.first_command,
                               request.cas, request.response, request.outcome});
  }
  return result;
}

ReferenceResult simulate_reference(const WorkloadView& workload, const ControllerParams& params, bool keep_commands,
                                   std::uint64_t max_steps) {
  const ProtocolTable table = ddr3_table(workload);
  const std::vector<system::Request> requests = ddr3_requests(workload);
  system::SystemView view{};
  view.players[0] = {requests.data(), workload.count, workload.player_period_ps, workload.relative};
  view.player_count = view.channel_count = 1;
  view.protocol = &table.protocol;
  const SystemRun system = simulate_system_reference(view, table, params, keep_commands, max_steps);

  ReferenceResult result;
  result.status = system.status == SystemStatus::ok ? Status::ok : Status::step_limit;
  result.counters = ddr3_counters(system.channels.front(), workload.tck_ps);
  for (const SystemCommand& issued : system.commands) {
    result.commands.push_back({issued.time_ps / workload.tck_ps, ddr3_command(issued.command), issued.bank,
                               static_cast<std::uint32_t>(issued.request)});
  }
  return result;
}

}  // namespace exarch::dram
