// Random memories of every standard, with random requests of several initiators: what the system kernel is compared on.
#pragma once

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "host/dram/reference.hpp"
#include "host/dram/standards/standard.hpp"
#include "kernels/dram/system/types.hpp"
#include "tests/support/random_cases.hpp"

namespace exarch::dram::testing {

// A memory, its requests, and the view of both.
struct RandomSystem {
  std::string memory_type;
  ProtocolTable table;
  std::vector<std::vector<system::Request>> requests;  // (player, request)
  system::SystemView view{};
};

// Times small enough that everything meets everything within a short trace: a refresh every few hundred cycles.
inline MemSpec random_memory(std::mt19937_64& rng, const MemoryStandard& standard) {
  const auto between = [&rng](std::uint32_t low, std::uint32_t high) {
    return low + static_cast<std::uint32_t>(rng() % (high - low + 1));
  };
  MemSpec spec;
  spec.id = "random";
  spec.memory_type = standard.memory_type;
  spec.burst_length = 4u << between(0, 1);
  spec.data_rate = 2;
  spec.ranks = 1u << between(0, 2);
  spec.bank_groups = standard.has_bank_groups ? 1u << between(1, 2) : 1;
  spec.banks = spec.bank_groups * (1u << between(1, 2));
  spec.tck_ps = between(500, 3000);
  spec.has_energy = standard.energy != EnergyModel::none;
  for (const auto* names : {&standard.times, &standard.power_down_times}) {
    for (const std::string& name : *names) spec.times[name] = name.starts_with("RFC") ? between(20, 60) : between(1, 20);
  }
  for (const std::string& name : standard.intervals) spec.times[name] = between(250, 900);
  if (spec.times.contains("REFM")) {
    spec.times["REFM"] = 1u << between(0, 2);
    for (const char* name : {"RFC2", "RFC4"}) spec.times[name] = between(20, 60);
  }
  return spec;
}

inline std::shared_ptr<RandomSystem> random_system(std::mt19937_64& rng, const MemoryStandard& standard, std::size_t count) {
  const auto below = [&rng](std::uint64_t n) { return static_cast<std::uint32_t>(rng() % n); };
  auto result = std::make_shared<RandomSystem>();
  result->memory_type = standard.memory_type;
  while (true) {
    try {
      result->table = protocol_of(random_memory(rng, standard));
      break;
    } catch (const NegativeDistance&) {  // refused: another one
    }
  }
  system::SystemView& view = result->view;
  const system::Protocol& protocol = result->table.protocol;
  view.protocol = &protocol;
  view.channel_count = below(3) == 0 ? 1 + below(3) : 1;
  view.player_count = below(3) == 0 ? 2 + below(3) : 1;
  if (below(3) == 0) view.delays = {below(4), below(4), below(4), below(4), below(4), below(4)};
  result->requests.resize(view.player_count);
  const std::uint32_t rows = 1 + below(4), addresses = 1 + below(4), write_percent = below(2) * below(90);
  const std::uint32_t usual_gap = below(3) == 0 ? 60 : below(4);
  for (std::uint32_t p = 0; p < view.player_count; ++p) {
    for (std::size_t i = 0; i < count; ++i) {
      system::Request request{};
      request.gap = below(usual_gap + 1) + (below(60) == 0 ? below(6000) : 0);
      request.row = below(rows);
      request.bank = static_cast<std::uint8_t>(below(protocol.banks()));
      request.channel = static_cast<std::uint8_t>(below(view.channel_count));
      request.address = ((request.row * 64u + request.bank) * 8u + request.channel) * 4u + below(addresses);
      request.is_write = below(100) < write_percent ? 1 : 0;
      result->requests[p].push_back(request);
    }
    // Half of them on the memory's clock.
    const std::uint32_t period = below(2) == 0 ? protocol.tck_ps : 300 + below(5000);
    view.players[p] = {result->requests[p].data(), static_cast<std::uint32_t>(count), period, below(4) == 0};
  }
  return result;
}

inline ControllerParams random_system_params(std::mt19937_64& rng, const MemoryStandard& standard) {
  ControllerParams p = random_params(rng);
  p.refresh_policy = static_cast<RefreshPolicy>(rng() % (standard.refreshes_banks ? 3 : 2));
  p.cmd_mux = rng() % 5 == 0 ? CmdMux::Strict : CmdMux::Oldest;
  p.power_down_policy = rng() % 3 == 0 ? PowerDownPolicy::Staggered : PowerDownPolicy::NoPowerDown;
  return p;
}

// The values of a system run that differ, by name; empty if none.
inline std::string differences(const system::SystemCounters& got, const system::SystemCounters& want) {
  std::string text;
  const auto compare = [&text](const std::string& name, auto a, auto b) {
    if (a != b) text += name + " " + std::to_string(a) + " instead of " + std::to_string(b) + "; ";
  };
  compare("time_ps", got.time_ps, want.time_ps);
  for (std::uint32_t c = 1; c < system::kCommands; ++c) {
    compare(std::string(command_name(static_cast<system::Command>(c))), got.commands[c], want.commands[c]);
  }
  for (std::uint32_t i = 0; i < kRowOutcomes; ++i) compare("row outcome", got.row[i], want.row[i]);
  compare("served", got.served, want.served);
  compare("idle_ps", got.idle_ps, want.idle_ps);
  const system::EnergyCounters &e = got.energy, &w = want.energy;
  compare("act", e.act, w.act);
  compare("pre", e.pre, w.pre);
  compare("rd", e.rd, w.rd);
  compare("wr", e.wr, w.wr);
  compare("ref", e.ref, w.ref);
  compare("Cact", e.active, w.active);
  compare("Cpre", e.precharged, w.precharged);
  compare("CpdA", e.active_power_down, w.active_power_down);
  compare("CpdP", e.precharge_power_down, w.precharge_power_down);
  compare("Csr", e.self_refresh, w.self_refresh);
  compare("SRa", e.self_refresh_active, w.self_refresh_active);
  compare("SRp", e.self_refresh_precharged, w.self_refresh_precharged);
  compare("UPa", e.exit_active, w.exit_active);
  compare("UPp", e.exit_precharged, w.exit_precharged);
  compare("complaint lines", e.complaint_lines, w.complaint_lines);
  compare("latency_sum_ps", got.latency_sum_ps, want.latency_sum_ps);
  compare("latency_max_ps", got.latency_max_ps, want.latency_max_ps);
  for (std::uint32_t i = 0; i < kLatencyBuckets; ++i) {
    compare("latency bucket", got.latency_histogram[i], want.latency_histogram[i]);
  }
  return text;
}

}  // namespace exarch::dram::testing
