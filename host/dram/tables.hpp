// The declaration of the DRAM model: every parameter, counter and metric, once. Of a row follow its column, the field of the
// kernel's structs that it sets or reads, its values in the shipped spaces, help, CSV and store columns, and JSON.
//
//   design[parameter("RequestBufferSize")] = 4;                      // a wrong name does not compile
//   const std::uint64_t hits = row[counter("row_hits")];
//
// Another parameter is a row here, a field of ControllerParams (kernels/dram/types.hpp), and the rule that looks at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/env/environment.hpp"
#include "host/metric/metric.hpp"
#include "host/space/design_space.hpp"
#include "host/space/tables.hpp"
#include "kernels/dram/types.hpp"

namespace exarch::dram {

inline constexpr std::int64_t kMaxU32 = 0xFFFFFFFF;

// ---- parameters ---------------------------------------------------------------------------------------------------------

// The values a parameter has in the shipped spaces, unless a space says otherwise.
enum class InSpaces { the_default, every_label, one_to_eight };

struct ParameterRow {
  std::string_view name;
  ParameterInfo (*info)(std::string name);
  void (*set)(ControllerParams& params, std::int64_t value);
  InSpaces in_spaces = InSpaces::the_default;
};

// Defaults are those of the reference simulator for a key left out.
inline constexpr ParameterRow kParameters[] = {
    {"PagePolicy",
     [](std::string name) {
       return category(std::move(name), {"Open", "OpenAdaptive", "Closed", "ClosedAdaptive"}, 0,
                       "when a row is closed: on a conflict (Open), with the last waiting hit (Adaptive), after every access "
                       "(Closed)");
     },
     [](ControllerParams& p, std::int64_t v) { p.page_policy = static_cast<PagePolicy>(v); }, InSpaces::every_label},
    {"Scheduler",
     [](std::string name) {
       return with_names(category(std::move(name), {"Fifo", "FrFcfsGrp", "FrFcfs"}, 0,
                                  "which request a bank serves: the oldest, or row hits first (Grp: of the last direction)"),
                         {},
                         {{"GrpFrFcfs", "reads and writes in two buffers, served by turns; of later DRAMSys releases"},
                          {"GrpFrFcfsWm", "two buffers with watermarks for writes; of later DRAMSys releases"}});
     },
     [](ControllerParams& p, std::int64_t v) { p.scheduler = static_cast<Scheduler>(v); }, InSpaces::every_label},
    {"SchedulerBuffer",
     [](std::string name) {
       return category(std::move(name), {"Bankwise", "ReadWrite", "Shared"}, 0, "what RequestBufferSize limits");
     },
     [](ControllerParams& p, std::int64_t v) { p.scheduler_buffer = static_cast<SchedulerBuffer>(v); }, InSpaces::every_label},
    {"RequestBufferSize",
     [](std::string name) {
       return number(std::move(name), 1, 4096, 8, "requests", "entries per bank, per direction, or in all");
     },
     [](ControllerParams& p, std::int64_t v) { p.request_buffer_size = static_cast<std::uint32_t>(v); }},
    {"RespQueue",
     [](std::string name) {
       return category(std::move(name), {"Fifo", "Reorder"}, 0,
                       "order in which responses leave the controller: as served, or as requested");
     },
     [](ControllerParams& p, std::int64_t v) { p.resp_queue = static_cast<RespQueue>(v); }, InSpaces::every_label},
    {"RefreshPolicy",
     [](std::string name) {
       return with_names(
           category(std::move(name), {"NoRefresh", "AllBank"}, 0, "refresh nothing, or all banks together every tREFI"),
           {{"Rankwise", "AllBank"}},
           {{"PerBank", "it refreshes bank by bank, which LPDDR4 and HBM2 memories can and DDR3 cannot"},
            {"Bankwise", "the older name of PerBank, refresh bank by bank, which LPDDR4 and HBM2 memories can and DDR3 cannot"},
            {"Per2Bank", "it refreshes two banks at a time, which LPDDR5 memories can and DDR3 cannot"},
            {"SameBank", "it refreshes one bank of every bank group, which DDR5 memories can and DDR3 cannot"},
            {"Groupwise",
             "the older name of SameBank, refresh of one bank of every bank group, which DDR5 memories can and DDR3 cannot"}});
     },
     [](ControllerParams& p, std::int64_t v) { p.refresh_policy = static_cast<RefreshPolicy>(v); }, InSpaces::every_label},
    {"RefreshMaxPostponed",
     [](std::string name) {
       return number(std::move(name), 0, kMaxU32, 0, "refreshes", "refreshes that may be put off while requests wait");
     },
     [](ControllerParams& p, std::int64_t v) { p.refresh_max_postponed = static_cast<std::uint32_t>(v); },
     InSpaces::one_to_eight},
    {"RefreshMaxPulledin",
     [](std::string name) {
       return number(std::move(name), 0, kMaxU32, 0, "refreshes", "refreshes that may be done ahead while idle");
     },
     [](ControllerParams& p, std::int64_t v) { p.refresh_max_pulledin = static_cast<std::uint32_t>(v); }, InSpaces::one_to_eight},
    {"Arbiter",
     [](std::string name) {
       return category(std::move(name), {"Simple", "Fifo", "Reorder"}, 0,
                       "how requests and responses pass between player and controller");
     },
     [](ControllerParams& p, std::int64_t v) { p.arbiter = static_cast<Arbiter>(v); }, InSpaces::every_label},
    {"MaxActiveTransactions",
     [](std::string name) {
       return number(std::move(name), 1, kMaxU32, 64, "requests",
                     "requests between admission and response (Fifo and Reorder arbiters)");
     },
     [](ControllerParams& p, std::int64_t v) { p.max_active_transactions = static_cast<std::uint32_t>(v); }},
    {"CmdMux",
     [](std::string name) {
       return with_names(category(std::move(name), {"Oldest"}, 0,
                                  "which ready command is issued: the one that is ready first, then the oldest"),
                         {}, {{"Strict", "it issues reads and writes in the order of the requests, for any memory"}});
     },
     [](ControllerParams&, std::int64_t) {}},
    {"PowerDownPolicy",
     [](std::string name) {
       return with_names(category(std::move(name), {"NoPowerDown"}, 0, "no power-down"), {},
                         {{"Staggered", "it powers idle ranks down step by step, for any memory"}});
     },
     [](ControllerParams&, std::int64_t) {}},
};

// ---- counters -----------------------------------------------------------------------------------------------------------

// Smallest latency that at least `percent` of the requests do not exceed, at the histogram's resolution.
[[nodiscard]] std::uint64_t latency_percentile(const Counters& counters, std::uint64_t percent);

struct CounterRow {
  std::string_view name, unit, doc;
  std::uint64_t (*of)(const Counters& counters);
  bool internal = false;  // CounterInfo::internal
};

inline constexpr CounterRow kCounters[] = {
    {"cycles", "tCK", "from 0 to the last response", [](const Counters& c) { return c.cycles; }},
    {"act", "commands", "ACT", [](const Counters& c) { return c.act; }},
    {"pre", "commands", "PRE, those of PREA, RDA and WRA included", [](const Counters& c) { return c.pre; }},
    {"rd", "commands", "RD and RDA", [](const Counters& c) { return c.rd; }},
    {"wr", "commands", "WR and WRA", [](const Counters& c) { return c.wr; }},
    {"ref", "commands", "REFA", [](const Counters& c) { return c.ref; }},
    {"active_cycles", "tCK", "at least one bank open (DRAMPower)", [](const Counters& c) { return c.active_cycles; }},
    {"precharged_cycles", "tCK", "all banks closed, to the end of the last command (DRAMPower)",
     [](const Counters& c) { return c.precharged_cycles; }},
    {"row_hits", "requests", "served from a row another request had opened", [](const Counters& c) { return c.row[kRowHit]; }},
    {"row_misses", "requests", "opened a row in a closed bank", [](const Counters& c) { return c.row[kRowMiss]; }},
    {"row_conflicts", "requests", "had to close another row first", [](const Counters& c) { return c.row[kRowConflict]; }},
    {"idle_cycles_fifo", "tCK", "controller empty, RespQueue Fifo", [](const Counters& c) { return c.idle_cycles_fifo; }, true},
    {"idle_cycles_reorder", "tCK", "controller empty, RespQueue Reorder", [](const Counters& c) { return c.idle_cycles_reorder; },
     true},
    {"latency_sum", "tCK", "arrival at the arbiter to response, all requests", [](const Counters& c) { return c.latency_sum; }},
    {"latency_max", "tCK", "largest latency", [](const Counters& c) { return c.latency_max; }},
    {"latency_p50", "tCK", "median latency, rounded up within its histogram bucket",
     [](const Counters& c) { return latency_percentile(c, 50); }},
    {"latency_p95", "tCK", "95th percentile, likewise", [](const Counters& c) { return latency_percentile(c, 95); }},
    {"latency_p99", "tCK", "99th percentile, likewise", [](const Counters& c) { return latency_percentile(c, 99); }},
};

// ---- metrics ------------------------------------------------------------------------------------------------------------

// What metrics are made of: a run's counters on a memory, priced.
struct Priced {
  std::span<const std::uint64_t> counters;   // (counter)
  double act, pre, rd, wr, ref, background;  // energy of one device by command, DRAMPower's formula, pJ
  double energy;                             // their sum, pJ
  double window_ns;                          // DRAMPower's
  double devices, tck_ps, tck_ns, burst;     // of the memory
  double max_bw;                             // Gb/s
  double requests, served;                   // served: those that the reference counts as such
  double busy;                               // cycles in which the controller was not empty

  // A counter as a number.
  [[nodiscard]] double n(std::size_t counter) const { return static_cast<double>(counters[counter]); }
};

struct MetricRow {
  std::string_view name, unit, doc;
  double (*of)(const Priced& p);
  int decimals = 2;  // as shown
};

[[nodiscard]] consteval std::size_t parameter(std::string_view name) {
  return place_in(kParameters, name);
}
[[nodiscard]] consteval std::size_t counter(std::string_view name) {
  return place_in(kCounters, name);
}

// A number as the reference prints it, with two decimals, read back.
[[nodiscard]] double as_printed(double value);
// SystemC prints a time in the largest unit that keeps it whole; the number of them.
[[nodiscard]] double printed_number(std::uint64_t time_ps);

inline constexpr MetricRow kMetrics[] = {
    {"total_time_ps", "ps", "time of the last response", [](const Priced& p) { return p.n(counter("cycles")) * p.tck_ps; }, 0},
    {"total_energy_pj", "pJ", "DRAMPower's total energy, all devices", [](const Priced& p) { return p.devices * p.energy; }},
    {"average_power_mw", "mW", "DRAMPower's average power over its own window",
     [](const Priced& p) { return p.window_ns > 0 ? p.devices * p.energy / p.window_ns : 0; }},
    {"avg_bw_gbps", "Gb/s", "bytes served over total time",
     [](const Priced& p) { return p.n(counter("cycles")) > 0 ? p.served * p.burst / p.n(counter("cycles")) * p.max_bw : 0; }},
    {"avg_bw_idle_gbps", "Gb/s", "bytes served over the time the controller was not empty",
     [](const Priced& p) { return p.busy > 0 ? p.served * p.burst / p.busy * p.max_bw : 0; }},
    {"mean_latency_ns", "ns", "arrival at the arbiter to response",
     [](const Priced& p) { return p.requests > 0 ? p.n(counter("latency_sum")) / p.requests * p.tck_ns : 0; }},
    {"p50_latency_ns", "ns", "median of the same, rounded up by at most 25 %",
     [](const Priced& p) { return p.n(counter("latency_p50")) * p.tck_ns; }},
    {"p95_latency_ns", "ns", "95th percentile, likewise", [](const Priced& p) { return p.n(counter("latency_p95")) * p.tck_ns; }},
    {"p99_latency_ns", "ns", "99th percentile, likewise", [](const Priced& p) { return p.n(counter("latency_p99")) * p.tck_ns; }},
    {"max_latency_ns", "ns", "maximum of the same", [](const Priced& p) { return p.n(counter("latency_max")) * p.tck_ns; }},
    {"row_hit_rate", "1", "row hits per request",
     [](const Priced& p) { return p.requests > 0 ? p.n(counter("row_hits")) / p.requests : 0; }, 6},
    {"energy_activate_pj", "pJ", "share of ACT", [](const Priced& p) { return p.devices * p.act; }},
    {"energy_precharge_pj", "pJ", "share of PRE", [](const Priced& p) { return p.devices * p.pre; }},
    {"energy_read_pj", "pJ", "share of RD", [](const Priced& p) { return p.devices * p.rd; }},
    {"energy_write_pj", "pJ", "share of WR", [](const Priced& p) { return p.devices * p.wr; }},
    {"energy_refresh_pj", "pJ", "share of REFA", [](const Priced& p) { return p.devices * p.ref; }},
    {"energy_background_pj", "pJ", "share of standby, active and precharged",
     [](const Priced& p) { return p.devices * p.background; }},
    {"archgym_power", "W", "what ArchGym reads from the reference's output: the printed mW over 1000",
     [](const Priced& p) { return as_printed(p.window_ns > 0 ? p.devices * p.energy / p.window_ns : 0) / 1e3; }, 5},
    {"archgym_latency", "1", "what it reads as time: the printed number, in ps, ns or us, over 1e9 whatever the unit",
     [](const Priced& p) { return printed_number(p.counters[counter("cycles")] * static_cast<std::uint64_t>(p.tck_ps)) / 1e9; },
     9},
};

[[nodiscard]] consteval std::size_t metric(std::string_view name) {
  return place_in(kMetrics, name);
}

// The tables as every environment gives them.
[[nodiscard]] std::vector<ParameterInfo> parameter_table();
[[nodiscard]] std::vector<DesignSpace> space_table(const std::vector<ParameterInfo>& parameters);
[[nodiscard]] std::vector<CounterInfo> counter_table();
[[nodiscard]] std::vector<MetricInfo> metric_table();
// Named objectives (name, expression); the first is the default.
[[nodiscard]] Objectives objective_table();

}  // namespace exarch::dram
