// One run of one design looked at closely: what happened to each request, and where its time went.
//
// The reference model makes the run, so that every memory has one; its numbers are those of every other engine. Times are ps.
//
//   const Timeline line = make_timeline({{"trace", "cloud-1"}, {"memspec", ...}, {"PagePolicy", "Closed"}});
//   const TimelineSummary summary = summarise(line, 20);
//   summary.groups[0].mean_ps();   // of all requests
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/dram/reference.hpp"
#include "host/dram/system_pricing.hpp"
#include "host/dram/system_workload.hpp"

namespace exarch::dram {

struct Timeline {
  std::unique_ptr<SystemWorkload> workload;
  SystemRun run;  // with commands and requests

  [[nodiscard]] const system::Request& what(const SystemRequest& request) const {
    return workload->requests[request.player][request.number];
  }
  // When a burst is on the pins of the memory; the request has its CAS.
  [[nodiscard]] std::uint64_t data_begin_ps(const SystemRequest& request) const;
  [[nodiscard]] std::uint64_t data_end_ps(const SystemRequest& request) const;
  // Of a channel: the pseudo channels of HBM2 have a data bus each.
  [[nodiscard]] std::uint32_t data_buses() const { return workload->memspec.memory_type == "HBM2" ? workload->memspec.ranks : 1; }
};

// Parameters, workload options and delays by name; options that are left out have their defaults. Throws as RecordedRows, and
// Error for a run that never ends.
[[nodiscard]] Timeline make_timeline(std::map<std::string, std::string> values);

// A request's time from its arrival to its response, in parts that follow each other; their sum is its latency.
enum class Part : std::uint8_t { entry, refresh, bank, turn, row, data, response };
inline constexpr std::size_t kParts = 7;
struct PartInfo {
  std::string_view name, doc;
};
inline constexpr std::array<PartInfo, kParts> kPartInfo{
    {{"entry", "from arrival until the controller's buffer took it"},
     {"refresh", "in the buffer before its first command, while its rank or bank was refreshed"},
     {"bank", "likewise, while its bank still served earlier requests (until the last of their reads and writes)"},
     {"turn", "likewise, all else: the scheduler, distances between commands, the command bus"},
     {"row", "from its first command, PRE or ACT, to its read or write; 0 where its row is open already"},
     {"data", "from its read or write to the end of its data"},
     {"response", "from the end of its data to its response: response order, hand-over, delays"}}};

// Latencies of some of the requests. Only those that have had their response.
struct LatencyGroup {
  std::string name;  // "all", "reads", "writes", "initiator 1", "row_hits", ...
  std::vector<std::uint64_t> sorted_ps;
  std::uint64_t sum_ps = 0;
  std::array<std::uint64_t, kParts> part_ps{};             // summed
  std::array<std::uint64_t, kLatencyBuckets> histogram{};  // by whole cycles, in the buckets of Counters

  [[nodiscard]] double mean_ps() const {
    return sorted_ps.empty() ? 0 : static_cast<double>(sum_ps) / static_cast<double>(sorted_ps.size());
  }
  // The smallest latency that at least so many percent do not exceed, exact; 0 of none.
  [[nodiscard]] std::uint64_t percentile_ps(std::uint32_t percent) const;
};

// A piece of the run's time; pieces are equally long, but the last may be shorter.
struct TimeBin {
  std::uint64_t begin_ps = 0, end_ps = 0;
  std::uint64_t reads = 0, writes = 0;  // bursts whose data ended in it
  std::uint64_t waiting_ps = 0;         // in the buffer, summed over requests: over its length it is the mean occupancy
  std::uint64_t waiting_most = 0;       // largest number of requests in the buffers at a time
};

struct TimelineSummary {
  std::vector<LatencyGroup> groups;
  std::vector<TimeBin> bins;
  std::uint64_t time_ps = 0;
  std::uint64_t unanswered = 0;  // requests without a response: the run stalled
  struct Channel {
    std::array<std::uint64_t, system::kCommands> commands{};
    std::array<std::uint64_t, kRowOutcomes> row{};
    std::uint64_t data_ps = 0;     // its data buses carried bursts, summed over them
    std::uint64_t idle_ps = 0;     // its controller held no request
    std::uint64_t refresh_ps = 0;  // some of its banks were being refreshed
    ChannelMetrics metrics;
  };
  std::vector<Channel> channels;
};

[[nodiscard]] TimelineSummary summarise(const Timeline& timeline, std::size_t bins);

}  // namespace exarch::dram
