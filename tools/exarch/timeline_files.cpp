#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "host/files/text.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/timeline_show.hpp"

namespace exarch::cli {
namespace {

constexpr std::array<const char*, dram::kRowOutcomes> kOutcomeNames{"hit", "miss", "conflict"};

// A quotient of whole numbers: no decimals where it is whole; "" where the time was not reached.
std::string quotient(std::uint64_t time_ps, std::uint64_t by) {
  if (time_ps == dram::kNotReached) return "";
  if (time_ps % by == 0) return std::to_string(time_ps / by);
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), static_cast<double>(time_ps) / static_cast<double>(by));
  return {text.data(), end.ptr};
}

// A bank of a channel, rank-major, as its rank, its group and its place in the group.
struct BankPlace {
  std::uint32_t rank, group, bank;
};
BankPlace place_of(const dram::system::Protocol& p, std::uint32_t bank) {
  const std::uint32_t of_rank = bank % p.banks_per_rank;
  return {bank / p.banks_per_rank, of_rank / p.banks_per_group, of_rank % p.banks_per_group};
}

bool is_for_rank(dram::system::Command command) {
  using dram::system::Command;
  return !is_cas(command) && command != Command::ACT && command != Command::PRE && command != Command::REFB;
}

}  // namespace

void write_latencies(const dram::Timeline& timeline, const std::string& path) {
  OutputFile out(path);
  out.write(
      "request,initiator,number,channel,rank,bank_group,bank,row,access,outcome,arrival_ck,stored_ck,first_command_ck,cas_ck,"
      "data_begin_ck,data_end_ck,response_ck,latency_ck,arrival_ns,response_ns,latency_ns\n");
  const std::uint64_t tck = timeline.workload->memspec.tck_ps;
  for (const dram::SystemRequest& r : timeline.run.requests) {
    const dram::system::Request& what = timeline.what(r);
    const BankPlace place = place_of(timeline.workload->table.protocol, what.bank);
    const bool has_cas = r.cas_ps != dram::kNotReached;
    std::string line = r.id == 0 ? "" : std::to_string(r.id);
    for (const std::uint32_t value :
         {r.player + 1, r.number + 1, std::uint32_t{what.channel}, place.rank, place.group, place.bank, what.row}) {
      line += "," + std::to_string(value);
    }
    line += what.is_write != 0 ? ",write," : ",read,";
    if (has_cas) line += kOutcomeNames[r.outcome];
    const std::uint64_t latency = r.response_ps == dram::kNotReached ? dram::kNotReached : r.response_ps - r.arrival_ps;
    for (const std::uint64_t time :
         {r.arrival_ps, r.stored_ps, r.first_command_ps, r.cas_ps, has_cas ? timeline.data_begin_ps(r) : dram::kNotReached,
          has_cas ? timeline.data_end_ps(r) : dram::kNotReached, r.response_ps, latency}) {
      line += "," + quotient(time, tck);
    }
    for (const std::uint64_t time : {r.arrival_ps, r.response_ps, latency}) line += "," + quotient(time, 1000);
    out.write(line + "\n");
  }
  out.close();
}

void write_commands(const dram::Timeline& timeline, const std::string& path) {
  OutputFile out(path);
  out.write("cycle,command,channel,rank,bank_group,bank,row,request,time_ps\n");
  std::vector<dram::SystemCommand> commands = timeline.run.commands;
  std::ranges::stable_sort(commands, {}, &dram::SystemCommand::time_ps);
  std::vector<std::uint32_t> row_of(timeline.run.requests.size() + 1);
  for (const dram::SystemRequest& r : timeline.run.requests) row_of[r.id] = timeline.what(r).row;
  for (const dram::SystemCommand& c : commands) {
    std::string line = quotient(c.time_ps, timeline.workload->memspec.tck_ps) + "," + std::string(dram::command_name(c.command)) +
                       "," + std::to_string(c.channel) + "," + std::to_string(c.rank) + ",";
    if (is_for_rank(c.command)) {
      line += ",,";
    } else {
      const BankPlace place = place_of(timeline.workload->table.protocol, c.bank);
      line += std::to_string(place.group) + "," + std::to_string(place.bank) + ",";
    }
    // A precharge names no row.
    if (c.request != 0 && (c.command == dram::system::Command::ACT || is_cas(c.command)))
      line += std::to_string(row_of[c.request]);
    line += "," + (c.request == 0 ? "" : std::to_string(c.request)) + "," + std::to_string(c.time_ps) + "\n";
    out.write(line);
  }
  out.close();
}

nlohmann::ordered_json timeline_page(const dram::Timeline& timeline, std::uint64_t from, std::uint64_t to) {
  using Json = nlohmann::ordered_json;
  using dram::system::Command;
  const dram::system::Protocol& p = timeline.workload->table.protocol;
  const auto tck = static_cast<double>(timeline.workload->memspec.tck_ps);
  const auto cycle = [tck](std::uint64_t time_ps) { return static_cast<double>(time_ps) / tck; };
  const auto begin = static_cast<double>(from), end = static_cast<double>(to);
  Json page{{"kind", "timeline"},
            {"memory", timeline.workload->memspec.id},
            {"type", timeline.workload->memspec.memory_type},
            {"tck_ps", timeline.workload->memspec.tck_ps},
            {"total_ps", timeline.run.channels.front().time_ps},
            {"from", from},
            {"to", to},
            {"channels", timeline.run.channels.size()},
            {"ranks", p.ranks},
            {"data_buses", timeline.data_buses()},
            {"banks_per_rank", p.banks_per_rank},
            {"banks_per_group", p.banks_per_group}};
  Json commands = Json::array();   // cycle, name, channel, rank, bank (-1: all), request, cycles it takes
  Json opens = Json::array();      // from, to, channel, bank, row
  Json refreshes = Json::array();  // from, to, channel, bank
  Json bursts = Json::array();     // from, to, channel, bank, is write, request
  Json requests = Json::array();   // id, initiator, number, row, arrival, stored, response, outcome

  std::vector<const dram::SystemRequest*> by_id(timeline.run.requests.size() + 1, nullptr);
  for (const dram::SystemRequest& r : timeline.run.requests) by_id[r.id] = &r;
  std::vector<bool> mentioned(by_id.size());
  const auto mention = [&](std::uint64_t id) {
    if (id == 0 || mentioned[id]) return;
    mentioned[id] = true;
    const dram::SystemRequest& r = *by_id[id];
    const auto reached = [&](std::uint64_t time) { return time == dram::kNotReached ? Json() : Json(cycle(time)); };
    requests.push_back({id, r.player + 1, r.number + 1, timeline.what(r).row, reached(r.arrival_ps), reached(r.stored_ps),
                        reached(r.response_ps), r.outcome < kOutcomeNames.size() ? kOutcomeNames[r.outcome] : "not served"});
  };

  struct OpenRow {
    double since = -1;
    std::uint32_t row = 0;
  };
  std::vector<OpenRow> open(timeline.run.channels.size() * p.banks());
  const auto close = [&](std::uint32_t channel, std::uint32_t bank, double now) {
    OpenRow& row = open[channel * p.banks() + bank];
    if (row.since >= 0 && now > begin && row.since < end) {
      opens.push_back({std::max(row.since, begin), std::min(now, end), channel, bank, row.row});
    }
    row.since = -1;
  };
  for (const dram::SystemCommand& c : timeline.run.commands) {
    const double now = cycle(c.time_ps);
    const bool for_rank = is_for_rank(c.command);
    const std::uint32_t first = for_rank ? c.rank * p.banks_per_rank : c.bank;
    const std::uint32_t last = for_rank ? first + p.banks_per_rank : first + 1;
    if (c.command == Command::ACT) open[c.channel * p.banks() + c.bank] = {now, timeline.what(*by_id[c.request]).row};
    if (c.command == Command::PRE || c.command == Command::PREA || closes_by_itself(c.command)) {
      for (std::uint32_t bank = first; bank < last; ++bank) close(c.channel, bank, now);
    }
    if (c.command == Command::REFA || c.command == Command::REFB) {
      const auto scope =
          static_cast<std::size_t>(c.command == Command::REFA ? dram::system::Scope::rank : dram::system::Scope::bank);
      const double until = now + std::max(p.distance[scope][code_of(Command::ACT)][code_of(c.command)], 0);
      for (std::uint32_t bank = first; bank < last && until > begin && now < end; ++bank) {
        refreshes.push_back({std::max(now, begin), std::min(until, end), c.channel, bank});
      }
    }
    if (now < begin || now >= end) continue;
    commands.push_back({now, std::string(dram::command_name(c.command)), c.channel, c.rank,
                        for_rank ? -1 : static_cast<int>(c.bank), c.request, p.length[code_of(c.command)]});
    mention(c.request);
  }
  for (std::uint32_t channel = 0; channel < timeline.run.channels.size(); ++channel) {
    for (std::uint32_t bank = 0; bank < p.banks(); ++bank) close(channel, bank, end);
  }
  for (const dram::SystemRequest& r : timeline.run.requests) {
    if (r.cas_ps == dram::kNotReached) continue;
    const double data_from = cycle(timeline.data_begin_ps(r)), data_to = cycle(timeline.data_end_ps(r));
    if (data_to <= begin || data_from >= end) continue;
    const dram::system::Request& what = timeline.what(r);
    bursts.push_back({data_from, data_to, what.channel, what.bank, what.is_write, r.id});
    mention(r.id);
  }
  page["commands"] = std::move(commands);
  page["open_rows"] = std::move(opens);
  page["refreshes"] = std::move(refreshes);
  page["bursts"] = std::move(bursts);
  page["requests"] = std::move(requests);
  return page;
}

}  // namespace exarch::cli
