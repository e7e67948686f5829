#include "host/dram/timeline.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "host/dram/environment.hpp"
#include "host/dram/recorded_rows.hpp"
#include "host/error.hpp"

namespace exarch::dram {
namespace {

struct Span {
  std::uint64_t begin, end;
};

// When banks cannot be used for a refresh: from it to the earliest ACT after it.
class Refreshes {
 public:
  explicit Refreshes(const Timeline& timeline)
      : protocol_(timeline.workload->table.protocol), banks_(timeline.run.channels.size() * protocol_.banks()) {
    const auto span = [&](const SystemCommand& c, system::Scope scope) {
      const std::int32_t cycles =
          protocol_.distance[static_cast<std::size_t>(scope)][code_of(system::Command::ACT)][code_of(c.command)];
      return Span{c.time_ps, c.time_ps + std::uint64_t{static_cast<std::uint32_t>(std::max(cycles, 0))} * protocol_.tck_ps};
    };
    for (const SystemCommand& c : timeline.run.commands) {
      if (c.command == system::Command::REFA) {
        for (std::uint32_t b = 0; b < protocol_.banks_per_rank; ++b) {
          add(c.channel, c.rank * protocol_.banks_per_rank + b, span(c, system::Scope::rank));
        }
      } else if (c.command == system::Command::REFB) {
        add(c.channel, c.bank, span(c, system::Scope::bank));
      }
    }
  }

  // Parts of [begin, end) that a refresh of the bank takes, in order.
  [[nodiscard]] std::vector<Span> within(std::uint32_t channel, std::uint32_t bank, Span wait) const {
    std::vector<Span> found;
    const std::vector<Span>& spans = banks_[channel * protocol_.banks() + bank];
    auto it = std::ranges::partition_point(spans, [&](const Span& s) { return s.end <= wait.begin; });
    for (; it != spans.end() && it->begin < wait.end; ++it) {
      found.push_back({std::max(it->begin, wait.begin), std::min(it->end, wait.end)});
    }
    return found;
  }

  // Time in which some bank of a channel is refreshed.
  [[nodiscard]] std::uint64_t time_of(std::uint32_t channel, std::uint64_t end) const {
    std::vector<Span> all;
    for (std::uint32_t b = 0; b < protocol_.banks(); ++b) {
      const std::vector<Span>& spans = banks_[channel * protocol_.banks() + b];
      all.insert(all.end(), spans.begin(), spans.end());
    }
    std::ranges::sort(all, {}, &Span::begin);
    std::uint64_t sum = 0, done = 0;
    for (const Span& s : all) {
      const std::uint64_t from = std::max(s.begin, done), to = std::min(s.end, end);
      if (to > from) sum += to - from;
      done = std::max(done, to);
    }
    return sum;
  }

 private:
  void add(std::uint32_t channel, std::uint32_t bank, Span span) {
    std::vector<Span>& spans = banks_[channel * protocol_.banks() + bank];
    if (!spans.empty()) spans.back().end = std::min(spans.back().end, span.begin);
    spans.push_back(span);
  }

  const system::Protocol& protocol_;
  std::vector<std::vector<Span>> banks_;  // (channel, bank) in order of time
};

// Times of the reads and writes of each bank.
std::vector<std::vector<std::uint64_t>> cas_times(const Timeline& timeline) {
  const std::uint32_t banks = timeline.workload->table.protocol.banks();
  std::vector<std::vector<std::uint64_t>> times(timeline.run.channels.size() * banks);
  for (const SystemCommand& c : timeline.run.commands) {
    if (is_cas(c.command)) times[c.channel * banks + c.bank].push_back(c.time_ps);
  }
  return times;
}

class Partition {
 public:
  explicit Partition(const Timeline& timeline) : timeline_(timeline), refreshes_(timeline), cas_(cas_times(timeline)) {}

  [[nodiscard]] std::array<std::uint64_t, kParts> of(const SystemRequest& r) const {
    const system::Request& what = timeline_.what(r);
    std::array<std::uint64_t, kParts> parts{};
    const auto part = [&parts](Part p) -> std::uint64_t& { return parts[static_cast<std::size_t>(p)]; };
    part(Part::entry) = r.stored_ps - r.arrival_ps;
    // The bank serves others until the last of their reads and writes before the first command of this one.
    const std::uint32_t banks = timeline_.workload->table.protocol.banks();
    const std::vector<std::uint64_t>& cas = cas_[what.channel * banks + what.bank];
    const auto after = std::ranges::lower_bound(cas, r.first_command_ps);
    const std::uint64_t served = after == cas.begin() ? 0 : *std::prev(after);
    const std::uint64_t turn_from = std::max(served, r.stored_ps);
    std::uint64_t before = 0, later = 0;
    for (const Span& s : refreshes_.within(what.channel, what.bank, {r.stored_ps, r.first_command_ps})) {
      const std::uint64_t middle = std::clamp(turn_from, s.begin, s.end);
      before += middle - s.begin;
      later += s.end - middle;
    }
    part(Part::refresh) = before + later;
    part(Part::bank) = turn_from - r.stored_ps - before;
    part(Part::turn) = r.first_command_ps - turn_from - later;
    part(Part::row) = r.cas_ps - r.first_command_ps;
    part(Part::data) = timeline_.data_end_ps(r) - r.cas_ps;
    part(Part::response) = r.response_ps - timeline_.data_end_ps(r);
    return parts;
  }

  [[nodiscard]] const Refreshes& refreshes() const { return refreshes_; }

 private:
  const Timeline& timeline_;
  Refreshes refreshes_;
  std::vector<std::vector<std::uint64_t>> cas_;
};

std::vector<LatencyGroup> groups_of(const Timeline& timeline, const Partition& partition) {
  std::vector<LatencyGroup> groups;
  for (const char* const name : {"all", "reads", "writes", "row_hits", "row_misses", "row_conflicts"}) {
    groups.emplace_back().name = name;
  }
  const std::uint32_t players = timeline.workload->view.player_count;
  if (players > 1) {
    for (std::uint32_t p = 0; p < players; ++p) groups.emplace_back().name = "initiator_" + std::to_string(p + 1);
  }
  const std::uint32_t tck = timeline.workload->memspec.tck_ps;
  for (const SystemRequest& r : timeline.run.requests) {
    if (r.response_ps == kNotReached) continue;
    const std::uint64_t latency = r.response_ps - r.arrival_ps;
    const std::array<std::uint64_t, kParts> parts = partition.of(r);
    const auto add = [&](LatencyGroup& group) {
      group.sorted_ps.push_back(latency);
      group.sum_ps += latency;
      for (std::size_t p = 0; p < kParts; ++p) group.part_ps[p] += parts[p];
      ++group.histogram[latency_bucket(latency / tck)];
    };
    add(groups[0]);
    add(groups[timeline.what(r).is_write != 0 ? 2 : 1]);
    add(groups[3 + r.outcome]);
    if (players > 1) add(groups[6 + r.player]);
  }
  for (LatencyGroup& group : groups) std::ranges::sort(group.sorted_ps);
  return groups;
}

// How many requests are in the buffers from each moment on at which that changes.
std::vector<std::pair<std::uint64_t, std::uint64_t>> occupancy(const Timeline& timeline) {
  std::vector<std::pair<std::uint64_t, int>> changes;
  const std::uint64_t end = timeline.run.channels.front().time_ps;
  for (const SystemRequest& r : timeline.run.requests) {
    if (r.stored_ps == kNotReached) continue;
    changes.emplace_back(r.stored_ps, 1);
    changes.emplace_back(std::min(r.cas_ps, end), -1);
  }
  std::ranges::sort(changes);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> steps;
  std::uint64_t count = 0;
  for (const auto& [time, change] : changes) {
    count = change > 0 ? count + 1 : count - 1;
    if (steps.empty() || steps.back().first != time) steps.emplace_back(time, 0);
    steps.back().second = count;
  }
  return steps;
}

std::vector<TimeBin> bins_of(const Timeline& timeline, std::size_t count) {
  const std::uint64_t time = timeline.run.channels.front().time_ps;
  const std::uint64_t tck = timeline.workload->memspec.tck_ps;
  const std::uint64_t width = std::max<std::uint64_t>((time / tck + count) / count, 1) * tck;
  std::vector<TimeBin> bins;
  for (std::uint64_t begin = 0; begin <= time; begin += width) bins.push_back({.begin_ps = begin, .end_ps = begin + width});
  bins.back().end_ps = std::max(time, bins.back().begin_ps);
  for (const SystemRequest& r : timeline.run.requests) {
    if (r.cas_ps == kNotReached) continue;
    TimeBin& bin = bins[std::min<std::size_t>(timeline.data_end_ps(r) / width, bins.size() - 1)];
    ++(timeline.what(r).is_write != 0 ? bin.writes : bin.reads);
  }
  const auto steps = occupancy(timeline);
  for (std::size_t s = 0; s < steps.size(); ++s) {
    const auto [from, waiting] = steps[s];
    const std::uint64_t to = s + 1 < steps.size() ? steps[s + 1].first : time;
    for (std::size_t b = from / width; b < bins.size() && bins[b].begin_ps < to; ++b) {
      const std::uint64_t begin = std::max(from, bins[b].begin_ps), end = std::min(to, bins[b].end_ps);
      if (end <= begin) continue;
      bins[b].waiting_ps += waiting * (end - begin);
      bins[b].waiting_most = std::max(bins[b].waiting_most, waiting);
    }
  }
  return bins;
}

void check_names(const std::map<std::string, std::string>& values) {
  std::vector<std::string> names;
  for (const ParameterInfo& parameter : dram_environment().parameters()) names.push_back(parameter.name);
  for (const WorkloadOption& option : dram_environment().workload_options()) names.push_back(option.name);
  for (const DelayKey& key : kDelayKeys) names.emplace_back(key.name);
  for (const auto& [name, value] : values) {
    if (std::ranges::find(names, name) == names.end()) {
      throw UsageError("unknown parameter '" + escaped(name, 40) + "'" + did_you_mean(name, names));
    }
  }
}

}  // namespace

std::uint64_t Timeline::data_end_ps(const SystemRequest& request) const {
  const system::Protocol& p = workload->table.protocol;
  const system::Delays& delays = workload->view.delays;
  const std::uint64_t cycles = what(request).is_write != 0 ? p.write_data_end : p.read_data_end;
  return request.cas_ps + (std::uint64_t{delays.think_forward} + delays.phy_forward + cycles) * p.tck_ps;
}

std::uint64_t Timeline::data_begin_ps(const SystemRequest& request) const {
  const system::Protocol& p = workload->table.protocol;
  return data_end_ps(request) - std::uint64_t{p.burst} * p.tck_ps;
}

Timeline make_timeline(std::map<std::string, std::string> values) {
  check_names(values);
  for (const WorkloadOption& option : dram_environment().workload_options()) {
    if (!option.default_value.empty()) values.emplace(option.name, option.default_value);
  }
  if (!values.contains("trace")) throw UsageError("a workload of dram needs --trace (a shipped name or a file)");
  const ControllerParams params = row_params(values);
  Timeline timeline;
  timeline.workload = load_system_workload(row_setup(values));
  const SystemWorkload& workload = *timeline.workload;
  if (const std::string reason = unable(workload.memspec, params); !reason.empty()) throw UsageError(reason);
  constexpr std::uint64_t kMostRefreshes = 20'000'000;  // each is kept
  if (params.refresh_policy != RefreshPolicy::NoRefresh && workload.refreshes > kMostRefreshes) {
    throw Error("the trace's time has room for " + std::to_string(workload.refreshes) +
                " refreshes, too many to look at one by one; cut its idle time, or use RefreshPolicy=NoRefresh");
  }
  timeline.run = simulate_system_reference(workload.view, workload.table, params, true, workload.step_budget);
  if (timeline.run.status == system::SystemStatus::ok || timeline.run.status == system::SystemStatus::stalled) return timeline;
  throw Error(
      "the run does not end: it refreshes again and again and serves no request; with CmdMux=Strict use Scheduler=Fifo, "
      "or correct the memory's refresh interval, or use RefreshPolicy=NoRefresh");
}

std::uint64_t LatencyGroup::percentile_ps(std::uint32_t percent) const {
  if (sorted_ps.empty()) return 0;
  const std::uint64_t rank = (static_cast<std::uint64_t>(sorted_ps.size()) * percent + 99) / 100;
  return sorted_ps[std::max<std::uint64_t>(rank, 1) - 1];
}

TimelineSummary summarise(const Timeline& timeline, std::size_t bins) {
  const SystemWorkload& workload = *timeline.workload;
  const Partition partition(timeline);
  TimelineSummary summary;
  summary.groups = groups_of(timeline, partition);
  summary.bins = bins_of(timeline, bins);
  summary.time_ps = timeline.run.channels.front().time_ps;
  summary.unanswered = timeline.run.requests.size() - summary.groups.front().sorted_ps.size();
  for (std::uint32_t c = 0; c < timeline.run.channels.size(); ++c) {
    const system::SystemCounters& counters = timeline.run.channels[c];
    TimelineSummary::Channel& channel = summary.channels.emplace_back();
    std::ranges::copy(counters.commands, channel.commands.begin());
    std::ranges::copy(counters.row, channel.row.begin());
    std::uint64_t bursts = 0;
    for (const std::uint64_t served : channel.row) bursts += served;
    channel.data_ps = bursts * workload.table.protocol.burst * workload.table.protocol.tck_ps;
    channel.idle_ps = counters.idle_ps;
    channel.refresh_ps = partition.refreshes().time_of(c, summary.time_ps);
    channel.metrics = price_channel(workload.memspec, counters);
  }
  return summary;
}

}  // namespace exarch::dram
