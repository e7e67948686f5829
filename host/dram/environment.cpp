#include "host/dram/environment.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <limits>
#include <type_traits>

#include "host/dram/device.hpp"
#include "host/dram/memspec.hpp"
#include "host/dram/reference.hpp"
#include "host/dram/system_engine.hpp"
#include "host/dram/tables.hpp"
#include "host/env/hash.hpp"
#include "host/env/model.hpp"
#include "host/error.hpp"
#include "host/files/data_dir.hpp"
#include "kernels/launch/dram_launch.hpp"

namespace exarch {
namespace dram {
namespace {

// Columns of the parameters that canonical forms and sharing are about.
constexpr std::size_t kPagePolicy = parameter("PagePolicy");
constexpr std::size_t kScheduler = parameter("Scheduler");
constexpr std::size_t kSchedulerBuffer = parameter("SchedulerBuffer");
constexpr std::size_t kRequestBufferSize = parameter("RequestBufferSize");
constexpr std::size_t kRespQueue = parameter("RespQueue");
constexpr std::size_t kRefreshPolicy = parameter("RefreshPolicy");
constexpr std::size_t kRefreshMaxPostponed = parameter("RefreshMaxPostponed");
constexpr std::size_t kRefreshMaxPulledin = parameter("RefreshMaxPulledin");
constexpr std::size_t kArbiter = parameter("Arbiter");
constexpr std::size_t kMaxActiveTransactions = parameter("MaxActiveTransactions");

const std::vector<WorkloadOption>& option_table() {
  using Kind = WorkloadOption::Kind;
  static const std::vector<WorkloadOption> kTable{
      {"trace", "",
       "a shipped trace's name (`exarch trace list`), or the path of a trace, compressed or not: `exarch trace formats`",
       Kind::file, 0, 0, true},
      {"memspec", "MICRON_1Gb_DDR3-1600_8bit_G", "a shipped memory specification's name, or the path of a DRAMSys memspec file",
       Kind::file},
      {"addressmapping", "am_ddr3_8x1Gbx8_dimm_p1KB_rbc", "a shipped address mapping's name, or the path of one", Kind::file},
      {"clk_mhz", "800", "clock of the trace player", Kind::number, 1, 100000},
      {"address_offset", "0", "subtracted from every address", Kind::number, 0, kMaxU32},
  };
  return kTable;
}

// What proves that other designs run the same.
struct Proof {
  Witness witness;
  std::uint64_t order_resolved;  // 1 if the exact kernel ran
};
static_assert(std::has_unique_object_representations_v<Proof>, "stores hold its bytes");

// What an outcome keeps besides its counters; the proof comes first.
struct Detail {
  Proof proof;
  std::uint32_t latency_histogram[kLatencyBuckets];
};

// ---- the environment ----------------------------------------------------------------------------------------------------

Description describe_model() {
  Description d;
  d.name = "dram";
  d.doc = "DDR3 memory controller on a trace, equal to DRAMSys 4.0 as ArchGym ships it";
  d.model_version = kModelVersion;
  d.parameters = parameter_table();
  d.spaces = space_table(d.parameters);
  d.workload_options = option_table();
  d.counters = counter_table();
  d.detail_size = sizeof(Detail);
  d.proof_size = sizeof(Proof);
  d.metrics = metric_table();
  d.tradeoffs = {metric("total_time_ps"), metric("total_energy_pj"), metric("average_power_mw")};
  d.objectives = objective_table();
  d.statuses.resize(static_cast<std::size_t>(Status::latency_limit) + 1, "step_limit");
  d.statuses[static_cast<std::size_t>(Status::latency_limit)] = "latency_limit";
  // DRAMSys 4.0 prints this time for it.
  d.known_result = {{{"trace", "stream"}},
                    {"PagePolicy=Open", "Scheduler=FrFcfs", "SchedulerBuffer=Shared", "RequestBufferSize=1",
                     "RefreshPolicy=NoRefresh", "Arbiter=Fifo", "MaxActiveTransactions=64"},
                    "total_time_ps",
                    "51595000"};
  d.reference_costs = bench_reference_costs();
  return d;
}

class DramEnvironment final : public Model<DramWorkload, ControllerParams, Run, Workspace> {
 public:
  DramEnvironment() : Model(describe_model()) {}

  std::vector<std::string> shipped_workloads() const override { return shipped_names("dram/traces"); }
  std::vector<ShippedFile> shipped_files(const std::string& option) const override;
  std::shared_ptr<const DramWorkload> load(const WorkloadOptions& options) const override;
  void family_of(std::span<std::int64_t> design) const override;
  void round_of(std::span<std::int64_t> design) const override;
  void wide_round_of(std::span<std::int64_t> design) const override;
  bool same_run(std::span<const std::byte> bytes, std::span<const std::int64_t> simulated,
                std::span<const std::int64_t> other) const override;
  std::uint64_t signature() const override { return bench_signature(spaces().front()); }
  std::vector<Measurement> measure(const BenchOptions& options) const override {
    return bench_measure(spaces().front(), options);
  }

 protected:
  ControllerParams candidate_of(std::span<const std::int64_t> design) const override { return params_of(design); }
  void run(Workspace& workspace, const DramWorkload& workload, const ControllerParams& params, Engine engine,
           Run& run) const override;
  // The system kernel is a CPU's.
  bool runs_on_devices(const DramWorkload& workload) const override { return workload.system == nullptr; }
  void run_on_devices(const DramWorkload& workload, std::span<const ControllerParams> params, Devices& devices,
                      std::span<Run> runs) const override {
    dram::run_on_devices(workload, params, devices, runs);
  }
  void keep(const DramWorkload& workload, const Run& run, OutcomeRow row) const override;

  std::vector<WorkloadFact> do_describe_workload(const DramWorkload& workload) const override;
  void do_canonicalise(const DramWorkload& workload, std::span<std::int64_t> design) const override;
  void do_price(const DramWorkload& workload, std::span<const std::int64_t> design, std::span<const std::uint64_t> counters,
                std::span<double> metrics) const override;
  std::string do_detail_json(const DramWorkload& workload, std::span<const std::byte> detail) const override;
  std::vector<std::string> do_explain(const DramWorkload& workload, std::span<const std::int64_t> design,
                                      std::uint8_t status) const override;
};

std::vector<std::string> DramEnvironment::do_explain(const DramWorkload& workload, std::span<const std::int64_t> design,
                                                     std::uint8_t status) const {
  if (status == static_cast<std::uint8_t>(Status::latency_limit)) {
    return {"a request waited 2^30 cycles to enter the controller, the longest wait that is counted"};
  }
  if (status != static_cast<std::uint8_t>(Status::step_limit)) return {};
  if (workload.system != nullptr) {
    return {"the run does not end: it refreshes again and again, and memory '" + workload.memspec.id +
            "' leaves no time for an access in between. Correct its refresh interval and times, or use RefreshPolicy=NoRefresh"};
  }
  std::string text = "the run did not end within " + std::to_string(workload.step_budget) + " steps";
  if (design[kRefreshPolicy] != static_cast<std::int64_t>(RefreshPolicy::AllBank)) return {text};
  const Timing& t = workload.view.timing;
  const std::string refresh =
      "a refresh is due every REFI = " + std::to_string(t.tREFI) + " cycles and takes RFC = " + std::to_string(t.tRFC);
  text += t.tRFC + t.tRCD - t.tAL > t.tREFI
              ? ": " + refresh + ", which leaves no time for an access (RCD - AL = " + std::to_string(t.tRCD - t.tAL) + ")"
              : ": " + refresh + " and waits for open banks (RAS + RP = " + std::to_string(t.tRAS + t.tRP) +
                    "), so that accesses do not come to their turn in between";
  return {text + "; the reference simulator would not end either. Correct REFI or RFC of memory '" + workload.memspec.id +
          "' (both in cycles), or use RefreshPolicy=NoRefresh"};
}

// Of memories: what they are and which mappings fit; of mappings, the same the other way round. Those that are not supported are
// left out.
std::vector<ShippedFile> DramEnvironment::shipped_files(const std::string& option) const {
  std::vector<ShippedFile> files;
  const auto listed = [](const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
    return text;
  };
  if (option == "memspec") {
    for (const std::string& name : shipped_names("dram/memspecs")) {
      try {
        const MemSpec m = load_memspec(name);
        files.push_back({name, m.memory_type + " at " + std::to_string(m.clk_mhz) + " MHz, " + std::to_string(m.devices) + " x " +
                                   std::to_string(m.width) + " bit, " + std::to_string(m.rows) + " rows, bursts of " +
                                   std::to_string(m.bytes_per_burst()) + " bytes; mappings: " + listed(fitting_mappings(m))});
      } catch (const Error&) {
      }
    }
  } else if (option == "addressmapping") {
    for (const std::string& name : shipped_names("dram/amconfigs")) {
      const std::vector<std::string> memories = fitting_memspecs(load_address_mapping(name));
      if (!memories.empty()) files.push_back({name, "memories: " + listed(memories)});
    }
  } else {
    files = Environment::shipped_files(option);
  }
  return files;
}

// Everything counters and prices depend on: the decoded trace (so the address mapping too), its clock, timing, currents.
std::string identity_of(const DramWorkload& workload, std::uint32_t clk_mhz) {
  Fnv1a hash;
  for (std::size_t i = 0; i < workload.trace.requests.size(); ++i) {
    const PackedRequest& r = workload.trace.requests[i];
    const std::uint32_t previous = workload.trace.has_writes ? workload.trace.previous_same_address[i] : kNoRequest;
    for (const std::uint32_t word : {r.gap, r.row_bank_write, previous}) hash.add_word(word);
  }
  const MemSpec& m = workload.memspec;
  const Timing& t = m.timing;
  const PowerSpec& p = m.power;
  char text[64];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash.value()));
  std::string identity = "trace " + workload.trace.content_hash + " decoded " + text + ", memory " + m.id;
  for (const std::uint32_t v : {t.tRCD, t.tRP, t.tRAS, t.tRC,   t.tRRD, t.tFAW,  t.tCCD,    t.tRTP,  t.tWR,     t.tWTR,
                                t.tRL,  t.tWL, t.tAL,  t.tREFI, t.tRFC, t.burst, m.clk_mhz, m.width, m.devices, m.data_rate}) {
    identity += " " + std::to_string(v);
  }
  for (const double current : {p.idd0, p.idd2n, p.idd3n, p.idd4r, p.idd4w, p.idd5, p.vdd}) {
    std::snprintf(text, sizeof text, " %.17g", current);
    identity += text;
  }
  if (workload.system != nullptr) {
    identity += ", " + m.memory_type + " " + std::to_string(m.ranks) + " ranks of " + std::to_string(m.banks) + " banks in " +
                std::to_string(m.bank_groups) + " groups";
    for (const auto& [name, cycles] : m.times) identity += " " + name + " " + std::to_string(cycles);
    for (const double current : {m.second_power.idd0, m.second_power.vdd}) {
      std::snprintf(text, sizeof text, " %.17g", current);
      identity += text;
    }
  }
  return identity + ", clk_mhz " + std::to_string(clk_mhz);
}

// Far more steps than any run needs that makes progress: a few per command and per refresh. A memory that spends all its time
// refreshing (tREFI hardly above tRFC) would go on for ever.
std::uint64_t step_budget(const DramWorkload& workload) {
  const WorkloadView& view = workload.view;
  __extension__ using Wide = unsigned __int128;
  const Wide span = static_cast<Wide>(workload.trace.last_issue) * view.player_period_ps / view.tck_ps;
  if (span > kMaxSpan) {
    throw Error("trace " + workload.trace.name + " spans more than 2^40 controller cycles; cut its idle time, or split it");
  }
  return (1u << 20) + 1024ull * view.count + 16 * (static_cast<std::uint64_t>(span) / view.timing.tREFI);
}

// Designs are compared by one time and one energy; several channels have as many, and some memories have no energy model.
void refuse_unpriced(const MemSpec& memspec) {
  if (memspec.channels == 1 && memspec.has_energy) return;
  throw Error("memory '" + memspec.id + "' (" + memspec.memory_type + ") has " +
              (memspec.has_energy ? std::to_string(memspec.channels) + " channels" : "no energy model") +
              ", and is evaluated row by row: exarch eval dram --in rows.csv with a column power_analysis, see docs/formats.md, "
              "\"Rows of any memory\"; the memory of a design has one channel and an energy model: DDR3 or DDR4");
}

std::shared_ptr<const DramWorkload> DramEnvironment::load(const WorkloadOptions& given) const {
  WorkloadOptions options = complete_options(*this, given);
  auto workload = std::make_shared<DramWorkload>();
  const auto clk_mhz = static_cast<std::uint32_t>(std::stoul(options["clk_mhz"]));
  const auto offset = static_cast<std::uint32_t>(std::stoul(options["address_offset"]));
  workload->memspec = load_memspec(options["memspec"]);
  const bool plain = workload->memspec.is_plain_ddr3();
  if (!plain) refuse_unpriced(workload->memspec);
  const AddressMapping mapping = load_address_mapping(options["addressmapping"]);
  check_mapping_fits(workload->memspec, mapping);
  workload->trace = load_trace(options["trace"], workload->memspec, mapping, offset, clk_mhz);
  workload->view = make_view(workload->trace, workload->memspec, clk_mhz);
  if (plain) {
    workload->distances = make_distances(workload->view.timing);
  } else {
    // The times that pricing asks for.
    const MemSpec& m = workload->memspec;
    workload->memspec.timing.tRAS = m.cycles("RAS");
    workload->memspec.timing.tRC = m.cycles("RC");
    workload->memspec.timing.tRFC = refresh_cycles(m);
    workload->memspec.timing.burst = m.burst_length / m.data_rate;
    workload->system =
        load_system_workload({options["memspec"], options["addressmapping"], options["trace"], options["clk_mhz"], offset, {}});
  }
  workload->name = options["trace"];
  workload->work = workload->view.count;
  workload->work_unit = "requests";
  workload->identity = identity_of(*workload, clk_mhz);
  workload->step_budget = plain ? step_budget(*workload) : workload->system->step_budget;
  workload->warnings = workload->memspec.warnings;
  std::ranges::copy(workload->trace.warnings, std::back_inserter(workload->warnings));
  if (workload->trace.out_of_range > 0) {
    workload->warnings.push_back(std::to_string(workload->trace.out_of_range) + " of " + std::to_string(workload->view.count) +
                                 " addresses of " + workload->name +
                                 " lie above the memory; their upper bits are ignored, as the reference simulator does");
  }
  // A trace that asks for less than one request in four cycles leaves the controller idle again and again.
  const bool sparse = workload->trace.last_issue > 4ull * workload->view.count;
  workload->exact_from_start = sparse || workload->view.relative || workload->view.player_period_ps != workload->view.tck_ps;
  return workload;
}

std::vector<WorkloadFact> DramEnvironment::do_describe_workload(const DramWorkload& workload) const {
  const TraceInfo info = trace_info(workload.trace, workload.memspec);
  return {
      {"requests", info.requests, "requests", ""},
      {"reads", info.reads, "requests", ""},
      {"writes", info.writes, "requests", ""},
      {"relative", workload.trace.relative, "", "times are gaps after the previous acknowledgement (.rstl)"},
      {"first_issue", info.first_issue, "player cycles", "the first request's time, or gap"},
      {"last_issue", info.last_issue, "player cycles", "the last time, or the sum of all gaps"},
      {"span_ns", static_cast<double>(info.last_issue) * workload.view.player_period_ps / 1000.0, "ns", "the same in time"},
      {"distinct_rows", info.distinct_rows, "rows", "in all banks"},
      {"same_row_as_previous_in_bank", info.same_row_as_previous_in_bank, "requests", "to the row their bank used last"},
      {"per_bank", info.per_bank, "requests", "bank 0, 1, ..."},
      {"out_of_range", info.out_of_range, "requests", "above the memory; their addresses wrap"},
      {"content_hash", workload.trace.content_hash, "", "of times, addresses and directions"},
  };
}

// Arbiter Reorder with either response queue, and Arbiter Fifo with RespQueue Reorder, all answer in request order.
void hide_order(std::span<std::int64_t> design) {
  const ControllerParams params = params_of(design);
  if (params.arbiter == Arbiter::Simple) return;
  const bool ordered = params.arbiter == Arbiter::Reorder || params.resp_queue == RespQueue::Reorder;
  design[kArbiter] = static_cast<std::int64_t>(ordered ? Arbiter::Reorder : Arbiter::Fifo);
  design[kRespQueue] = static_cast<std::int64_t>(ordered ? RespQueue::Reorder : RespQueue::Fifo);
}

// Equivalences that hold by construction (docs/models.md, "Canonical forms", gives the reason of each).
void DramEnvironment::do_canonicalise(const DramWorkload& workload, std::span<std::int64_t> design) const {
  const bool read_only = !workload.view.has_writes;
  const auto is = [&design](std::size_t column, auto value) { return design[column] == static_cast<std::int64_t>(value); };
  const auto set = [&design](std::size_t column, auto value) { design[column] = static_cast<std::int64_t>(value); };

  if (is(kRefreshPolicy, RefreshPolicy::NoRefresh)) {
    design[kRefreshMaxPostponed] = 0;
    design[kRefreshMaxPulledin] = 0;
  }
  const bool simple = is(kArbiter, Arbiter::Simple);
  if (simple) design[kMaxActiveTransactions] = 1;
  if (read_only) {
    if (is(kSchedulerBuffer, SchedulerBuffer::ReadWrite)) set(kSchedulerBuffer, SchedulerBuffer::Shared);
    if (is(kScheduler, Scheduler::FrFcfsGrp)) set(kScheduler, Scheduler::FrFcfs);
    if (is(kPagePolicy, PagePolicy::Closed)) set(kScheduler, Scheduler::Fifo);
  }
  // At most M requests are on their way, so a buffer of M never fills.
  if (!simple && design[kRequestBufferSize] >= design[kMaxActiveTransactions]) {
    set(kSchedulerBuffer, SchedulerBuffer::Shared);
    design[kRequestBufferSize] = design[kMaxActiveTransactions];
  }
  // Whatever its type, a buffer of one holds one request: nothing to choose from, and all is served and answered in order.
  if (design[kRequestBufferSize] == 1) {
    set(kSchedulerBuffer, SchedulerBuffer::Shared);
    set(kScheduler, Scheduler::Fifo);
    if (is(kPagePolicy, PagePolicy::OpenAdaptive)) set(kPagePolicy, PagePolicy::Open);
    if (is(kPagePolicy, PagePolicy::ClosedAdaptive)) set(kPagePolicy, PagePolicy::Closed);
    set(kRespQueue, RespQueue::Fifo);
    if (is(kArbiter, Arbiter::Reorder)) set(kArbiter, Arbiter::Fifo);
  }
}

// A run may prove that other refresh limits, buffers or transaction limits would have changed nothing; and where no tie had to be
// resolved, who puts the responses in request order (arbiter or controller) changes nothing but the controller's idle time, of
// which every such run counts both.
void DramEnvironment::family_of(std::span<std::int64_t> design) const {
  hide_order(design);
  design[kRefreshMaxPostponed] = design[kRefreshMaxPulledin] = 0;
  design[kSchedulerBuffer] = design[kRequestBufferSize] = 0;
  design[kMaxActiveTransactions] = 0;
}

// RefreshMaxPulledin hardly ever matters and large MaxActiveTransactions agree often: simulate the largest first.
void DramEnvironment::round_of(std::span<std::int64_t> design) const {
  hide_order(design);
  design[kRefreshMaxPulledin] = 0;
  design[kMaxActiveTransactions] = 0;
}

void DramEnvironment::wide_round_of(std::span<std::int64_t> design) const {
  hide_order(design);
  design[kRefreshMaxPulledin] = 0;
}

bool DramEnvironment::same_run(std::span<const std::byte> bytes, std::span<const std::int64_t> simulated,
                               std::span<const std::int64_t> other) const {
  Proof proof;
  std::memcpy(&proof, bytes.data(), sizeof proof);
  const Witness& w = proof.witness;
  const auto own = [simulated](std::size_t column) { return static_cast<std::uint32_t>(simulated[column]); };
  const auto wanted = [other](std::size_t column) { return static_cast<std::uint32_t>(other[column]); };
  // Called for millions of pairs, nearly all of which differ: what tells most of them apart comes first.
  if (!equal_run_buffer(w, static_cast<SchedulerBuffer>(own(kSchedulerBuffer)), own(kRequestBufferSize),
                        static_cast<SchedulerBuffer>(wanted(kSchedulerBuffer)), wanted(kRequestBufferSize))) {
    return false;
  }
  const bool simple = own(kArbiter) == static_cast<std::uint32_t>(Arbiter::Simple);
  if (!simple && !equal_run_active(w, own(kMaxActiveTransactions), wanted(kMaxActiveTransactions))) return false;
  const bool same_order = own(kArbiter) == wanted(kArbiter) && own(kRespQueue) == wanted(kRespQueue);
  return (same_order || proof.order_resolved == 0) &&
         equal_run_postponed(w, own(kRefreshMaxPostponed), wanted(kRefreshMaxPostponed)) &&
         equal_run_pulledin(w, own(kRefreshMaxPulledin), wanted(kRefreshMaxPulledin));
}

// Nothing is proved about a run's neighbours: limits count as reached.
void prove_nothing(Witness& witness) {
  reset_witness(witness);
  witness.postponed_forced = witness.pulledin_limited = true;
  witness.buffer_refused = witness.active_waited = true;
}

void run_reference(const DramWorkload& workload, const ControllerParams& params, RunResult& result) {
  const ReferenceResult reference = simulate_reference(workload.view, params, false, workload.step_budget);
  result.counters = reference.counters;
  result.status = reference.status;
  prove_nothing(result.witness);
}

RunResult run_system(const SystemWorkload& workload, const ControllerParams& params, Engine engine) {
  const SystemRun run = engine == Engine::reference
                            ? simulate_system_reference(workload.view, workload.table, params, false, workload.step_budget)
                            : SystemEngine(workload).run(params);
  RunResult result = in_ddr3_terms(run, workload.memspec.tck_ps);
  prove_nothing(result.witness);
  return result;
}

void DramEnvironment::run(Workspace& workspace, const DramWorkload& workload, const ControllerParams& params, Engine engine,
                          Run& run) const {
  if (workload.system != nullptr) {
    run.result = run_system(*workload.system, params, engine);
    run.exact = true;
  } else if (engine == Engine::reference) {
    run_reference(workload, params, run.result);
    run.exact = true;
  } else {
    run.exact = workspace.run(workload, params, run.result);
  }
}

void DramEnvironment::keep(const DramWorkload& /*workload*/, const Run& run, OutcomeRow row) const {
  row.status = static_cast<std::uint8_t>(run.result.status);
  for_each_row<kCounters>([&](std::size_t c, const CounterRow& counter) { row.counters[c] = counter.of(run.result.counters); });
  Detail detail{};
  detail.proof.witness = run.result.witness;
  detail.proof.order_resolved = run.exact ? 1 : 0;
  std::ranges::copy(run.result.counters.latency_histogram, detail.latency_histogram);
  std::memcpy(row.detail.data(), &detail, sizeof detail);
}

// Energy: DRAMPower's formula, in its order of operations so that the last printed digit agrees.
// Bandwidth: the reference counts a burst when its response handshake is complete, which with Arbiter Simple the end of the
// simulation cuts off for the last one.
void DramEnvironment::do_price(const DramWorkload& workload, std::span<const std::int64_t> design,
                               std::span<const std::uint64_t> counters, std::span<double> metrics) const {
  const MemSpec& m = workload.memspec;
  const PowerSpec& p = m.power;
  const Timing& t = m.timing;
  Priced priced{};
  priced.counters = counters;
  const auto n = [&priced](std::size_t column) { return priced.n(column); };
  const double clk_ns = 1000.0 / m.clk_mhz;
  const double active = n(counter("active_cycles")), precharged = n(counter("precharged_cycles"));
  // Every term over the voltage domains first; a memory of one domain has nothing in the second.
  const PowerSpec& q = m.second_power;
  const auto term = [&](double cycles, double PowerSpec::*above, double PowerSpec::*below) {
    return cycles * clk_ns * (p.*above - p.*below) * p.vdd + cycles * clk_ns * (q.*above - q.*below) * q.vdd;
  };
  priced.act = term(n(counter("act")) * t.tRAS, &PowerSpec::idd0, &PowerSpec::idd3n);
  priced.pre = term(n(counter("pre")) * (t.tRC - t.tRAS), &PowerSpec::idd0, &PowerSpec::idd2n);
  priced.rd = term(n(counter("rd")) * t.burst, &PowerSpec::idd4r, &PowerSpec::idd3n);
  priced.wr = term(n(counter("wr")) * t.burst, &PowerSpec::idd4w, &PowerSpec::idd3n);
  priced.ref = term(n(counter("ref")) * t.tRFC, &PowerSpec::idd5, &PowerSpec::idd3n);
  const double open = active * clk_ns * p.idd3n * p.vdd + active * clk_ns * q.idd3n * q.vdd;
  const double closed = precharged * clk_ns * p.idd2n * p.vdd + precharged * clk_ns * q.idd2n * q.vdd;
  priced.background = m.ranks * (open + closed);
  priced.energy = priced.act + priced.pre + priced.rd + priced.wr + priced.ref + priced.background;
  priced.window_ns = (active + precharged) * clk_ns;
  priced.devices = m.devices;
  priced.tck_ps = m.tck_ps;
  priced.tck_ns = m.tck_ps / 1000.0;
  priced.burst = t.burst;
  priced.max_bw = 1000.0 / m.tck_ps * m.data_rate * m.width * m.devices;

  const bool simple = design[kArbiter] == static_cast<std::int64_t>(Arbiter::Simple);
  const bool fifo_queue = design[kRespQueue] == static_cast<std::int64_t>(RespQueue::Fifo);
  priced.requests = n(counter("rd")) + n(counter("wr"));
  priced.served = priced.requests - (simple ? 1 : 0);
  priced.busy = n(counter("cycles")) - n(fifo_queue ? counter("idle_cycles_fifo") : counter("idle_cycles_reorder"));
  for_each_row<kMetrics>([&](std::size_t i, const MetricRow& row) { metrics[i] = row.of(priced); });
}

std::string DramEnvironment::do_detail_json(const DramWorkload& workload, std::span<const std::byte> bytes) const {
  Detail detail;
  std::memcpy(&detail, bytes.data(), sizeof detail);
  std::string json = "{\"latency_histogram_cycles\":[";
  bool first = true;
  for (std::uint32_t bucket = 0; bucket < kLatencyBuckets; ++bucket) {
    if (detail.latency_histogram[bucket] == 0) continue;
    json += (first ? "" : ",") + std::string("{\"up_to\":") +
            (bucket + 1 == kLatencyBuckets ? "null" : std::to_string(latency_bucket_upper(bucket))) +
            ",\"requests\":" + std::to_string(detail.latency_histogram[bucket]) + "}";
    first = false;
  }
  return json + "],\"tck_ps\":" + std::to_string(workload.memspec.tck_ps) + "}";
}

}  // namespace

ControllerParams params_of(std::span<const std::int64_t> design) {
  ControllerParams params;
  for_each_row<kParameters>([&](std::size_t i, const ParameterRow& row) { row.set(params, design[i]); });
  return params;
}

void Workspace::run_kernel(const DramWorkload& workload, const ControllerParams& params, Kernel kernel, RunResult& result,
                           RunFunction by) {
  static const RunFunction kFastest = cpu_run_function();
  if (by == nullptr) by = kFastest;
  ScratchSize size = usual_scratch(workload.view, params);
  while (true) {
    if (slots_.size() < size.slots) slots_.resize(size.slots);
    if (pending_.size() < size.pending) pending_.resize(size.pending);
    if (cas_order_.size() < size.pending) cas_order_.resize(size.pending);
    if (arrivals_.size() < size.pending) arrivals_.resize(size.pending);
    if (heap_.size() < size.heap) heap_.resize(size.heap);
    const Scratch scratch{slots_.data(),     size.slots,       pending_.data(), size.pending,
                          cas_order_.data(), arrivals_.data(), heap_.data(),    size.heap};
    by(workload.view, params, workload.distances, scratch, kernel, workload.step_budget, result);
    if (result.status != Status::out_of_space) return;
    const ScratchSize larger = larger_scratch(workload.view, size);
    if (larger.pending == size.pending && larger.heap == size.heap) {
      throw Error("internal error: a run outgrew its largest scratch area");
    }
    size = larger;
  }
}

bool Workspace::run(const DramWorkload& workload, const ControllerParams& params, RunResult& result) {
  if (!workload.exact_from_start) {
    run_kernel(workload, params, Kernel::dense, result);
    if (result.status != Status::tie) return false;
  }
  run_kernel(workload, params, Kernel::exact, result);
  return true;
}

}  // namespace dram

const Environment& dram_environment() {
  static const dram::DramEnvironment kEnvironment;
  return kEnvironment;
}

}  // namespace exarch
