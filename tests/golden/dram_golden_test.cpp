// Every golden row of DRAMSys 4.0 that is in scope, text for text, through the environment: with sharing, and with every
// candidate simulated as it stands. tests/golden/dram/README.md says where the rows come from.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "host/dram/environment.hpp"
#include "host/error.hpp"
#include "host/execute/evaluator.hpp"
#include "tests/support/array_lanes.hpp"
#include "tests/support/csv.hpp"
#include "tests/support/real_lanes.hpp"
#include "tests/support/recorded_rows.hpp"

namespace exarch {
namespace {

using testing::CsvTable;

const std::string kData = std::string(EXARCH_TEST_DATA) + "/golden/dram/";
constexpr const char* kCompared[] = {"total_time_ps", "total_energy_pj", "average_power_mw", "avg_bw_gbps", "avg_bw_idle_gbps"};

// One golden run: what was asked and what DRAMSys printed (in the order of kCompared).
struct Case {
  std::string row;  // for messages
  WorkloadOptions workload;
  Design design;
  std::vector<std::string> want;
};

std::size_t parameter_index(const std::string& name) {
  const auto parameters = dram_environment().parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    if (parameters[p].name == name) return p;
  }
  throw UsageError("no parameter " + name);
}

void set(Design& design, const std::string& name, const std::string& value) {
  const std::size_t p = parameter_index(name);
  design[p] = dram_environment().parameters()[p].parse(value);
}

Design default_design() {
  Design design;
  for (const ParameterInfo& p : dram_environment().parameters()) design.push_back(p.default_value);
  return design;
}

Design design_of_row(const CsvTable& table, std::size_t row) {
  Design design = default_design();
  for (const std::string& column : table.header()) {
    const auto parameters = dram_environment().parameters();
    if (std::ranges::none_of(parameters, [&](const ParameterInfo& p) { return p.name == column; })) continue;
    const std::string& value = table.at(row, column);
    set(design, column, value);
  }
  return design;
}

std::vector<std::string> wanted(const CsvTable& table, std::size_t row) {
  std::vector<std::string> want;
  for (const char* name : kCompared) want.push_back(table.at(row, name));
  return want;
}

// The printed metrics of one outcome, in the order of kCompared.
std::vector<std::string> printed(const Evaluator& evaluator, Evaluator::OutcomeId id, const Design& design) {
  const auto table = dram_environment().metrics();
  std::vector<double> metrics(table.size());
  evaluator.price(id, design, metrics);
  std::vector<std::string> texts;
  for (const char* name : kCompared) {
    const auto it = std::ranges::find(table, name, &MetricInfo::name);
    char text[512];
    const int decimals = std::strcmp(name, "total_time_ps") == 0 ? 0 : 2;
    std::snprintf(text, sizeof text, "%.*f", decimals, metrics[static_cast<std::size_t>(it - table.begin())]);
    texts.emplace_back(text);
  }
  return texts;
}

struct Totals {
  std::size_t compared = 0, wrong = 0;
  std::uint64_t simulated = 0;
};

// Compares all cases, batched by workload; at most 20 mismatches are printed.
Totals compare(const std::vector<Case>& cases, bool share) {
  std::map<WorkloadOptions, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < cases.size(); ++i) groups[cases[i].workload].push_back(i);
  const auto executor = std::make_shared<LocalExecutor>();
  Totals totals;
  for (const auto& [options, members] : groups) {
    Evaluator evaluator(dram_environment(), dram_environment().load_workload(options), executor, {Engine::fast, share});
    std::vector<std::int64_t> designs;
    for (const std::size_t i : members) designs.insert(designs.end(), cases[i].design.begin(), cases[i].design.end());
    const auto ids = evaluator.evaluate(designs);
    for (std::size_t k = 0; k < members.size(); ++k) {
      const Case& golden = cases[members[k]];
      ++totals.compared;
      const auto got = printed(evaluator, ids[k], golden.design);
      if (evaluator.status(ids[k]) == 0 && got == golden.want) continue;
      if (++totals.wrong > 20) continue;
      std::string text = dram_environment().status_text(evaluator.status(ids[k])) + ":";
      for (std::size_t m = 0; m < got.size(); ++m) text += std::string(" ") + kCompared[m] + "=" + got[m];
      ADD_FAILURE() << "sharing " << (share ? "on" : "off") << ", row " << golden.row << "\n  got " << text;
    }
    totals.simulated += evaluator.simulated();
  }
  EXPECT_EQ(totals.wrong, 0u) << "of " << totals.compared << " rows";
  return totals;
}

std::vector<Case> archgym_cases(const std::string& file) {
  const CsvTable table(kData + file);
  std::vector<Case> cases;
  for (std::size_t row = 0; row < table.size(); ++row) {
    cases.push_back({table.line(row), {{"trace", table.at(row, "trace")}}, design_of_row(table, row), wanted(table, row)});
  }
  return cases;
}

// With sanitizers, whose builds simulate ten times slower, one row of twenty.
constexpr std::size_t kEvery = EXARCH_SANITIZED ? 20 : 1;

std::vector<Case> cases_to_run(const std::string& file) {
  std::vector<Case> cases;
  const auto all = archgym_cases(file);
  for (std::size_t i = 0; i < all.size(); i += kEvery) cases.push_back(all[i]);
  return cases;
}

class ArchgymRows : public ::testing::TestWithParam<testing::RecordedRuns> {};

TEST_P(ArchgymRows, WithSharing) {
  const auto cases = cases_to_run(GetParam().file);
  const Totals totals = compare(cases, true);
  EXPECT_EQ(totals.compared, (GetParam().in_scope + kEvery - 1) / kEvery);
  EXPECT_LT(totals.simulated, totals.compared) << "nothing was shared";
}

TEST_P(ArchgymRows, SimulatedOneByOne) {
  const auto cases = cases_to_run(GetParam().file);
  const Totals totals = compare(cases, false);
  EXPECT_EQ(totals.compared, (GetParam().in_scope + kEvery - 1) / kEvery);
  EXPECT_EQ(totals.simulated, totals.compared);
}

// The single pass gives the same in both its shapes, on every row.
TEST_P(ArchgymRows, ShapesOfTheSinglePassAreEqual) {
  const auto cases = cases_to_run(GetParam().file);
  std::map<std::string, std::shared_ptr<const dram::DramWorkload>> workloads;
  dram::Workspace workspace;
  for (const auto& one : cases) {
    auto& workload = workloads[one.workload.at("trace")];
    if (!workload) {
      workload = std::static_pointer_cast<const dram::DramWorkload>(dram_environment().load_workload(one.workload));
    }
    const dram::ControllerParams params = dram::params_of(one.design);
    dram::RunResult dense{}, lanes{};
    workspace.run_kernel(*workload, params, dram::Kernel::dense, dense);
    workspace.run_kernel(*workload, params, dram::Kernel::lanes, lanes, dram::testing::run_array_lanes);
    ASSERT_EQ(std::memcmp(&dense, &lanes, sizeof dense), 0) << one.row;
  }
}

// The same with lanes that are real, as on a device: a row of every combination of policies, on the first requests of its trace.
TEST_P(ArchgymRows, RealLanesEqualTheDensePassWithEveryCombinationOfPolicies) {
  constexpr std::uint32_t kRequests = 400;
  constexpr const char* kTurns[] = {"stream", "random", "cloud-1", "cloud-2"};
  const auto cases = archgym_cases(GetParam().file);
  std::map<std::string, std::shared_ptr<const dram::DramWorkload>> traces;
  std::set<std::tuple<dram::PagePolicy, dram::Scheduler, dram::SchedulerBuffer, dram::Arbiter>> policies;
  dram::Workspace workspace;
  for (const auto& one : cases) {
    if (one.workload.at("trace") != kTurns[policies.size() % 4]) continue;
    const dram::ControllerParams params = dram::params_of(one.design);
    if (!policies.insert({params.page_policy, params.scheduler, params.scheduler_buffer, params.arbiter}).second) continue;
    auto& trace = traces[one.workload.at("trace")];
    if (!trace) trace = std::static_pointer_cast<const dram::DramWorkload>(dram_environment().load_workload(one.workload));
    dram::DramWorkload beginning = *trace;
    beginning.view.part_end = beginning.view.count = std::min(kRequests, trace->view.count);
    dram::RunResult dense, real;
    workspace.run_kernel(beginning, params, dram::Kernel::dense, dense);
    ASSERT_EQ(dram::testing::run_in_real_lanes(beginning, params, policies.size(), real), "") << one.row;
    ASSERT_TRUE(dram::testing::equal_results(real, dense)) << one.row;
  }
  EXPECT_EQ(policies.size(), 4u * 3 * 3 * 3) << "a combination of policies is in no row";
}

// The exact kernel where the single pass would do.
TEST_P(ArchgymRows, ExactKernelEqualsSinglePassOnEveryTwentieth) {
  const auto cases = archgym_cases(GetParam().file);
  std::map<std::string, std::shared_ptr<const dram::DramWorkload>> workloads;
  dram::Workspace workspace;
  std::size_t compared = 0, ties = 0;
  for (std::size_t i = 0; i < cases.size(); i += 20) {
    auto& workload = workloads[cases[i].workload.at("trace")];
    if (!workload) {
      workload = std::static_pointer_cast<const dram::DramWorkload>(dram_environment().load_workload(cases[i].workload));
    }
    const dram::ControllerParams params = dram::params_of(cases[i].design);
    dram::RunResult exact{}, fast{};
    workspace.run_kernel(*workload, params, dram::Kernel::exact, exact);
    workspace.run_kernel(*workload, params, dram::Kernel::dense, fast);
    ASSERT_EQ(exact.status, dram::Status::ok) << cases[i].row;
    if (fast.status == dram::Status::tie) {
      ++ties;
      continue;
    }
    ASSERT_EQ(fast.status, dram::Status::ok) << cases[i].row;
    ++compared;
    // Of the two idle counts only that of the candidate's own response order is meaningful.
    for (dram::Counters* c : {&exact.counters, &fast.counters}) {
      (params.resp_queue == dram::RespQueue::Fifo ? c->idle_cycles_reorder : c->idle_cycles_fifo) = 0;
    }
    EXPECT_EQ(std::memcmp(&exact.counters, &fast.counters, sizeof exact.counters), 0) << cases[i].row;
  }
  EXPECT_EQ(compared + ties, (cases.size() + 19) / 20);
  EXPECT_GT(compared, ties);
}

INSTANTIATE_TEST_SUITE_P(Dram, ArchgymRows, ::testing::Values(testing::kArchgymRandom, testing::kArchgymOneAtATime),
                         [](const auto& instance) { return instance.index == 0 ? "random_points" : "one_at_a_time"; });

// ---- other memories, mappings, traces and clocks ------------------------------------------------------------------------

bool in_scope(const CsvTable& table, std::size_t row) {
  if (table.at(row, "CmdMux") != "Oldest" || table.at(row, "PowerDownPolicy") != "NoPowerDown") return false;
  if (table.at(row, "status") != "ok") return false;
  for (const std::string& column : table.header()) {
    if (column.find("Delay") != std::string::npos && table.at(row, column) != "0") return false;
  }
  return true;
}

std::vector<Case> beyond_cases(const std::string& file) {
  const CsvTable table(kData + file);
  std::vector<Case> cases;
  for (std::size_t row = 0; row < table.size(); ++row) {
    if (!in_scope(table, row)) continue;
    WorkloadOptions options;
    for (const char* name : {"memspec", "addressmapping", "trace", "clk_mhz", "address_offset"}) {
      options[name] = table.at(row, name);
    }
    cases.push_back({table.line(row), options, design_of_row(table, row), wanted(table, row)});
  }
  return cases;
}

class BeyondRows : public ::testing::TestWithParam<testing::RecordedRuns> {};

TEST_P(BeyondRows, WithSharingAndOneByOne) {
  const auto cases = beyond_cases(GetParam().file);
  EXPECT_EQ(compare(cases, true).compared, GetParam().in_scope);
  EXPECT_EQ(compare(cases, false).compared, GetParam().in_scope);
}

// "beyond_ddr4.csv" as "ddr4".
std::string family_of(const ::testing::TestParamInfo<testing::RecordedRuns>& runs) {
  const std::string file = runs.param.file;
  return file.substr(7, file.size() - 11);
}

INSTANTIATE_TEST_SUITE_P(Dram, BeyondRows,
                         ::testing::Values(testing::kBeyondSpecs, testing::kBeyondSettings, testing::kBeyondRanks,
                                           testing::kBeyondDdr4),
                         family_of);

// ---- probes -------------------------------------------------------------------------------------------------------------

Design baseline() {
  Design design = default_design();
  const std::pair<const char*, const char*> values[] = {
      {"PagePolicy", "Open"},       {"Scheduler", "FrFcfs"},     {"SchedulerBuffer", "Bankwise"},
      {"RequestBufferSize", "8"},   {"RespQueue", "Fifo"},       {"RefreshPolicy", "AllBank"},
      {"RefreshMaxPostponed", "8"}, {"RefreshMaxPulledin", "8"}, {"MaxActiveTransactions", "128"},
      {"Arbiter", "Simple"}};
  for (const auto& [name, value] : values) set(design, name, value);
  return design;
}

std::string probe_trace(const std::string& file) {
  return kData + "probes/" + file;
}

// "Name=value" of a parameter, or clkMhz=value of the trace player; false if Exarch refuses it (out of range, not a whole
// number).
bool apply_assignment(const std::string& assignment, Case& probe) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos) return false;
  const std::string name = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  if (name == "clkMhz") {
    probe.workload["clk_mhz"] = value;
    return true;
  }
  try {
    set(probe.design, name, value);
  } catch (const UsageError&) {
    return false;
  }
  return true;
}

// Traces that the strict reader takes (the reference's lenient reading of the others is not reproduced).
constexpr const char* kReadableTraces[] = {"blankline", "comment",   "nocolon", "oor",  "back", "crlf", "nonl",  "wdata",
                                           "wdataok",   "unaligned", "one",     "late", "same", "rw",   "spaces"};

// What a probe means, if it is in scope.
std::optional<Case> probe_case(const CsvTable& table, std::size_t row) {
  std::string name = table.at(row, "probe");
  if (table.at(row, "outcome") != "ok") return std::nullopt;
  Case probe{table.line(row), {{"trace", probe_trace("probe.stl")}, {"clk_mhz", "800"}}, baseline(), wanted(table, row)};
  if (name == "baseline") return probe;
  if (name == "rstl") {
    probe.workload["trace"] = probe_trace("t_rel.rstl");
    return probe;
  }
  if (name == "sim {'AddressOffset': 4096}") {
    probe.workload["address_offset"] = "4096";
    return probe;
  }
  if (name.starts_with("missing ")) {  // a key left out: the reference's default is the parameter's default
    const std::size_t p = parameter_index(name.substr(8));
    probe.design[p] = dram_environment().parameters()[p].default_value;
    return probe;
  }
  if (name.starts_with("trace ")) {
    const std::string trace = name.substr(6, name.find(':') - 6);
    if (std::ranges::find(kReadableTraces, trace) == std::end(kReadableTraces)) return std::nullopt;
    probe.workload["trace"] = probe_trace("t_" + trace + ".stl");
    return probe;
  }
  const std::size_t bracket = name.find(" [");
  if (bracket != std::string::npos) {
    const std::string trace = name.substr(bracket + 2, name.size() - bracket - 3);
    if (trace != "probe") probe.workload["trace"] = trace;
    name.resize(bracket);
  }
  if (name == "both 0") name = "RefreshMaxPostponed=0 RefreshMaxPulledin=0";
  if (name.starts_with("Pulledin=")) name = "RefreshMax" + name.substr(0, name.find(' '));
  if (const std::size_t other = name.find(" (other=1)"); other != std::string::npos) {
    name.resize(other);
    name += name.starts_with("RefreshMaxPulledin") ? " RefreshMaxPostponed=1" : " RefreshMaxPulledin=1";
  }
  if (name.find_first_of("({'") != std::string::npos) return std::nullopt;
  std::istringstream words(name);
  std::string word;
  bool known = true;
  while (words >> word) known = known && apply_assignment(word, probe);
  return known ? std::optional(probe) : std::nullopt;
}

TEST(Probes, ThatMeanSomethingHere) {
  const CsvTable table(kData + "bad_inputs.csv");
  std::vector<Case> cases;
  for (std::size_t row = 0; row < table.size(); ++row) {
    if (const auto probe = probe_case(table, row)) cases.push_back(*probe);
  }
  EXPECT_EQ(compare(cases, true).compared, testing::kProbes.in_scope);
  EXPECT_EQ(compare(cases, false).compared, testing::kProbes.in_scope);
}

}  // namespace
}  // namespace exarch
