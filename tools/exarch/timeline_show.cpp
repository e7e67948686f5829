#include "tools/exarch/timeline_show.hpp"

#include <algorithm>
#include <iostream>

#include "host/files/text.hpp"
#include "tools/exarch/show.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;
using dram::kParts;
using dram::LatencyGroup;
using dram::Timeline;
using dram::TimelineSummary;

constexpr std::array<std::uint32_t, 3> kShownPercentiles{50, 95, 99};

double mean_part_ps(const LatencyGroup& group, std::size_t part) {
  const double requests = static_cast<double>(group.sorted_ps.size());
  return requests > 0 ? static_cast<double>(group.part_ps[part]) / requests : 0;
}
std::uint64_t largest_ps(const LatencyGroup& group) {
  return group.sorted_ps.empty() ? 0 : group.sorted_ps.back();
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// Bits per ps are Tb/s.
double bandwidth_gbps(std::uint64_t bursts, const Timeline& timeline, const dram::TimeBin& bin) {
  return 8000.0 * timeline.workload->memspec.bytes_per_burst() * share(bursts, bin.end_ps - bin.begin_ps);
}

double mean_waiting(const dram::TimeBin& bin) {
  return share(bin.waiting_ps, bin.end_ps - bin.begin_ps);
}

// The six kinds of energy, by the names of metrics.
struct EnergyKind {
  const char* name;
  double dram::EnergyShares::*value;
};
constexpr std::array<EnergyKind, 6> kEnergyKinds{{{"activate", &dram::EnergyShares::activate},
                                                  {"precharge", &dram::EnergyShares::precharge},
                                                  {"read", &dram::EnergyShares::read},
                                                  {"write", &dram::EnergyShares::write},
                                                  {"refresh", &dram::EnergyShares::refresh},
                                                  {"background", &dram::EnergyShares::background}}};

// Groups without requests are left out, but for the first three.
std::vector<const LatencyGroup*> shown_groups(const TimelineSummary& summary) {
  std::vector<const LatencyGroup*> groups;
  for (const LatencyGroup& group : summary.groups) {
    if (groups.size() < 3 || !group.sorted_ps.empty()) groups.push_back(&group);
  }
  return groups;
}

void print_latencies(const TimelineSummary& summary, double tck_ps) {
  std::vector<std::vector<std::string>> rows{{"latency, tCK", "requests", "mean", "p50", "p95", "p99", "max", "mean ns"}};
  for (const LatencyGroup* group : shown_groups(summary)) {
    std::vector<std::string>& row = rows.emplace_back();
    row = {group->name, std::to_string(group->sorted_ps.size()), with_decimals(group->mean_ps() / tck_ps, 2)};
    for (const std::uint32_t percent : kShownPercentiles) {
      row.push_back(with_decimals(static_cast<double>(group->percentile_ps(percent)) / tck_ps, 0));
    }
    row.push_back(with_decimals(static_cast<double>(largest_ps(*group)) / tck_ps, 0));
    row.push_back(with_decimals(group->mean_ps() / 1000, 2));
  }
  print_table(rows);
  std::cout << "\n";

  rows = {{"part of it, mean tCK", "all", "reads", "writes", "share", "meaning"}};
  const LatencyGroup& all = summary.groups[0];
  for (std::size_t p = 0; p < kParts; ++p) {
    rows.push_back({std::string(dram::kPartInfo[p].name)});
    for (std::size_t g = 0; g < 3; ++g) rows.back().push_back(with_decimals(mean_part_ps(summary.groups[g], p) / tck_ps, 2));
    rows.back().push_back(with_decimals(100 * share(all.part_ps[p], all.sum_ps), 1) + " %");
    rows.back().emplace_back(dram::kPartInfo[p].doc);
  }
  print_table(rows);
  std::cout << "\n";
}

void print_channels(const Timeline& timeline, const TimelineSummary& summary) {
  for (std::size_t c = 0; c < summary.channels.size(); ++c) {
    const TimelineSummary::Channel& channel = summary.channels[c];
    const auto percent = [&](std::uint64_t part) { return with_decimals(100 * share(part, summary.time_ps), 1) + " %"; };
    std::vector<std::vector<std::string>> rows{{summary.channels.size() > 1 ? "channel " + std::to_string(c) : "memory", ""}};
    rows.push_back(
        {timeline.data_buses() > 1 ? "data on the buses" : "data on the bus", percent(channel.data_ps / timeline.data_buses())});
    rows.push_back({"some bank in refresh", percent(channel.refresh_ps)});
    rows.push_back({"controller without a request", percent(channel.idle_ps)});
    rows.push_back({"row hits, misses, conflicts", std::to_string(channel.row[0]) + ", " + std::to_string(channel.row[1]) + ", " +
                                                       std::to_string(channel.row[2])});
    rows.push_back({"bandwidth, Gb/s", with_decimals(channel.metrics.avg_bw_gbps, 2)});
    std::string commands;
    for (std::uint32_t k = 1; k < dram::system::kCommands; ++k) {
      if (channel.commands[k] == 0) continue;
      commands += (commands.empty() ? "" : ", ") + std::string(dram::command_name(static_cast<dram::system::Command>(k))) + " " +
                  std::to_string(channel.commands[k]);
    }
    rows.push_back({"commands", commands});
    if (timeline.workload->memspec.has_energy) {
      rows.push_back({"energy, pJ", with_decimals(channel.metrics.total_energy_pj, 2)});
      for (const EnergyKind& kind : kEnergyKinds) {
        rows.push_back({std::string("  ") + kind.name, with_decimals(channel.metrics.energy.*kind.value, 2)});
      }
    }
    print_table(rows);
    std::cout << "\n";
  }
}

void print_over_time(const Timeline& timeline, const TimelineSummary& summary) {
  std::vector<std::vector<std::string>> rows{{"from ns", "to ns", "read Gb/s", "write Gb/s", "waiting, mean", "waiting, most"}};
  for (const dram::TimeBin& bin : summary.bins) {
    rows.push_back(
        {with_decimals(static_cast<double>(bin.begin_ps) / 1000, 1), with_decimals(static_cast<double>(bin.end_ps) / 1000, 1),
         with_decimals(bandwidth_gbps(bin.reads, timeline, bin), 2), with_decimals(bandwidth_gbps(bin.writes, timeline, bin), 2),
         with_decimals(mean_waiting(bin), 2), std::to_string(bin.waiting_most)});
  }
  print_table(rows);
  std::cout << "\n";
}

void print_histogram(const TimelineSummary& summary) {
  std::vector<std::vector<std::string>> rows{{"latency up to tCK", "reads", "writes"}};
  for (std::uint32_t k = 0; k < dram::kLatencyBuckets; ++k) {
    const std::uint64_t reads = summary.groups[1].histogram[k], writes = summary.groups[2].histogram[k];
    if (reads + writes == 0) continue;
    rows.push_back({k + 1 == dram::kLatencyBuckets ? "more" : std::to_string(dram::latency_bucket_upper(k)),
                    std::to_string(reads), std::to_string(writes)});
  }
  print_table(rows);
}

Json histogram_json(const LatencyGroup& group) {
  Json json = Json::array();
  for (std::uint32_t k = 0; k < dram::kLatencyBuckets; ++k) {
    if (group.histogram[k] == 0) continue;
    const bool open = k + 1 == dram::kLatencyBuckets;
    json.push_back({{"up_to", open ? Json() : Json(dram::latency_bucket_upper(k))}, {"requests", group.histogram[k]}});
  }
  return json;
}

Json group_json(const LatencyGroup& group) {
  Json json{{"group", group.name},
            {"requests", group.sorted_ps.size()},
            {"latency_sum_ps", group.sum_ps},
            {"mean_latency_ns", group.mean_ps() / 1000}};
  for (const std::uint32_t percent : kShownPercentiles) {
    json["p" + std::to_string(percent) + "_latency_ns"] = static_cast<double>(group.percentile_ps(percent)) / 1000;
  }
  json["max_latency_ns"] = static_cast<double>(largest_ps(group)) / 1000;
  for (std::size_t p = 0; p < kParts; ++p) json["parts_sum_ps"][std::string(dram::kPartInfo[p].name)] = group.part_ps[p];
  json["histogram_cycles"] = histogram_json(group);
  return json;
}

Json channel_json(const Timeline& timeline, const TimelineSummary::Channel& channel) {
  Json json{{"data_ps", channel.data_ps}, {"refresh_ps", channel.refresh_ps}, {"idle_ps", channel.idle_ps}};
  json["row_hits"] = channel.row[dram::kRowHit];
  json["row_misses"] = channel.row[dram::kRowMiss];
  json["row_conflicts"] = channel.row[dram::kRowConflict];
  json["avg_bw_gbps"] = number_or_null(channel.metrics.avg_bw_gbps);
  json["avg_bw_idle_gbps"] = number_or_null(channel.metrics.avg_bw_idle_gbps);
  for (std::uint32_t k = 1; k < dram::system::kCommands; ++k) {
    if (channel.commands[k] > 0)
      json["commands"][std::string(dram::command_name(static_cast<dram::system::Command>(k)))] = channel.commands[k];
  }
  if (timeline.workload->memspec.has_energy) {
    json["total_energy_pj"] = channel.metrics.total_energy_pj;
    json["average_power_mw"] = number_or_null(channel.metrics.average_power_mw);
    for (const EnergyKind& kind : kEnergyKinds) {
      json["energy_" + std::string(kind.name) + "_pj"] = channel.metrics.energy.*kind.value;
    }
  }
  return json;
}

// ---- two runs -----------------------------------------------------------------------------------------------------------

std::string signed_text(double value, int decimals) {
  return (value > 0 ? "+" : "") + with_decimals(value, decimals);
}

// "12.5 % less time": B against A.
std::string relation(double a, double b, const std::string& what) {
  if (a == b || a == 0) return a == b ? "as much " + what : "another amount of " + what;
  return with_decimals(100 * std::abs(b - a) / std::abs(a), 1) + " % " + (b < a ? "less " : "more ") + what;
}

// The largest of the changes, in order: "row -12.00 ns, turn +3.10 ns".
std::string largest_changes(std::vector<ComparedFigure> figures, std::size_t most, int decimals) {
  std::ranges::stable_sort(figures, std::ranges::greater{}, [](const ComparedFigure& f) { return std::abs(f.b - f.a); });
  std::string text;
  for (std::size_t i = 0; i < std::min(most, figures.size()); ++i) {
    const ComparedFigure& f = figures[i];
    if (f.a == f.b) break;
    text += (text.empty() ? "" : ", ") + f.name + " " + signed_text(f.b - f.a, decimals) + " " + f.unit;
  }
  return text.empty() ? "none" : text;
}

// Sums over the channels.
struct Totals {
  std::uint64_t data_ps = 0, idle_ps = 0, refresh_ps = 0;
  std::array<std::uint64_t, dram::kRowOutcomes> row{};
  std::array<std::uint64_t, dram::system::kCommands> commands{};
  dram::EnergyShares energy;
  double total_energy = 0;

  explicit Totals(const TimelineSummary& summary) {
    for (const TimelineSummary::Channel& channel : summary.channels) {
      data_ps += channel.data_ps;
      idle_ps += channel.idle_ps;
      refresh_ps += channel.refresh_ps;
      total_energy += channel.metrics.total_energy_pj;
      for (std::size_t r = 0; r < row.size(); ++r) row[r] += channel.row[r];
      for (std::size_t k = 0; k < commands.size(); ++k) commands[k] += channel.commands[k];
      for (const EnergyKind& kind : kEnergyKinds) energy.*kind.value += channel.metrics.energy.*kind.value;
    }
  }
};

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

}  // namespace

void print_timeline(const Timeline& timeline, const TimelineSummary& summary) {
  print_latencies(summary, timeline.workload->memspec.tck_ps);
  print_channels(timeline, summary);
  print_over_time(timeline, summary);
  print_histogram(summary);
}

Json timeline_json(const Timeline& timeline, const TimelineSummary& summary) {
  Json json{{"status", summary.unanswered == 0 ? "ok" : "stalled"},
            {"tck_ps", timeline.workload->memspec.tck_ps},
            {"total_time_ps", summary.time_ps},
            {"requests", timeline.run.requests.size()},
            {"unanswered", summary.unanswered}};
  for (const char* const list : {"latencies", "channels", "over_time"}) json[list] = Json::array();
  for (const LatencyGroup* group : shown_groups(summary)) json["latencies"].push_back(group_json(*group));
  for (const auto& channel : summary.channels) json["channels"].push_back(channel_json(timeline, channel));
  for (const dram::TimeBin& bin : summary.bins) {
    json["over_time"].push_back({{"from_ps", bin.begin_ps},
                                 {"to_ps", bin.end_ps},
                                 {"reads", bin.reads},
                                 {"writes", bin.writes},
                                 {"read_gbps", bandwidth_gbps(bin.reads, timeline, bin)},
                                 {"write_gbps", bandwidth_gbps(bin.writes, timeline, bin)},
                                 {"waiting_mean", mean_waiting(bin)},
                                 {"waiting_most", bin.waiting_most}});
  }
  return json;
}

Comparison compare(const Timeline& a, const TimelineSummary& in_a, const Timeline& b, const TimelineSummary& in_b) {
  Comparison result;
  const auto add = [&](const std::string& name, const std::string& unit, double of_a, double of_b) {
    return result.figures.push_back({name, unit, of_a, of_b}), result.figures.back();
  };
  const ComparedFigure time = add("total_time", "ns", number(in_a.time_ps) / 1000, number(in_b.time_ps) / 1000);
  for (std::size_t g = 0; g < 3; ++g) {
    add("mean_latency_" + in_a.groups[g].name, "ns", in_a.groups[g].mean_ps() / 1000, in_b.groups[g].mean_ps() / 1000);
  }
  const LatencyGroup &all_a = in_a.groups[0], &all_b = in_b.groups[0];
  add("p99_latency", "ns", number(all_a.percentile_ps(99)) / 1000, number(all_b.percentile_ps(99)) / 1000);
  add("max_latency", "ns", number(largest_ps(all_a)) / 1000, number(largest_ps(all_b)) / 1000);
  std::vector<ComparedFigure> parts;
  for (std::size_t p = 0; p < kParts; ++p) {
    const std::string name(dram::kPartInfo[p].name);
    add("of_it_" + name, "ns", mean_part_ps(all_a, p) / 1000, mean_part_ps(all_b, p) / 1000);
    parts.push_back(result.figures.back());
    parts.back().name = name;
  }
  const Totals total_a(in_a), total_b(in_b);
  add("data_on_the_bus", "ns", number(total_a.data_ps) / 1000, number(total_b.data_ps) / 1000);
  add("in_refresh", "ns", number(total_a.refresh_ps) / 1000, number(total_b.refresh_ps) / 1000);
  add("without_a_request", "ns", number(total_a.idle_ps) / 1000, number(total_b.idle_ps) / 1000);
  std::vector<ComparedFigure> rows;
  for (const auto& [name, outcome] :
       {std::pair{"row_hits", dram::kRowHit}, {"row_misses", dram::kRowMiss}, {"row_conflicts", dram::kRowConflict}}) {
    rows.push_back(add(name, "requests", number(total_a.row[outcome]), number(total_b.row[outcome])));
  }
  for (std::uint32_t k = 1; k < dram::system::kCommands; ++k) {
    if (total_a.commands[k] + total_b.commands[k] == 0) continue;
    add(std::string(dram::command_name(static_cast<dram::system::Command>(k))), "commands", number(total_a.commands[k]),
        number(total_b.commands[k]));
  }
  std::vector<ComparedFigure> kinds;
  const bool has_energy = a.workload->memspec.has_energy && b.workload->memspec.has_energy;
  if (has_energy) {
    add("total_energy", "pJ", total_a.total_energy, total_b.total_energy);
    for (const EnergyKind& kind : kEnergyKinds) {
      add("energy_" + std::string(kind.name), "pJ", total_a.energy.*kind.value, total_b.energy.*kind.value);
      kinds.push_back(result.figures.back());
      kinds.back().name = kind.name;
    }
  }

  result.sentences.push_back("B needs " + relation(time.a, time.b, "time") + ": " + with_decimals(time.b, 2) + " ns against " +
                             with_decimals(time.a, 2) + " ns.");
  const double latency_a = all_a.mean_ps() / 1000, latency_b = all_b.mean_ps() / 1000;
  result.sentences.push_back("Mean latency: " + with_decimals(latency_b, 2) + " ns against " + with_decimals(latency_a, 2) +
                             " ns. Largest changes of its parts: " + largest_changes(parts, 3, 2) + ".");
  result.sentences.push_back("Rows: " + largest_changes(rows, 3, 0) + ".");
  if (has_energy) {
    result.sentences.push_back("B needs " + relation(total_a.total_energy, total_b.total_energy, "energy") +
                               ". Largest changes: " + largest_changes(kinds, 3, 2) + ".");
  }
  return result;
}

}  // namespace exarch::cli
