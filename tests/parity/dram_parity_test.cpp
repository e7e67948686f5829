// CPU and CUDA backend, side by side: status, counters and witness of every golden row's design and of random designs, to the
// bit.
//
// The bodies are part of every build; without a device they are skipped with the reason.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "host/dram/device.hpp"
#include "host/dram/environment.hpp"
#include "host/error.hpp"
#include "tests/support/csv.hpp"
#include "tests/support/random_cases.hpp"

namespace exarch {
namespace {

using testing::CsvTable;

const std::string kData = std::string(EXARCH_TEST_DATA) + "/golden/dram/";
constexpr std::size_t kParameters = 12;

class Parity : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const CudaProbe probe = probe_cuda(); !probe.available) GTEST_SKIP() << probe.reason;
    cuda_ = std::make_unique<Backend>("cuda");
  }

  // Simulates designs (design, parameter) on both backends.
  void compare(const Workload& workload, std::span<const std::int64_t> designs, const std::string& what) {
    Outcomes got, want;
    dram_environment().simulate(workload, designs, Engine::fast, *cuda_, got);
    dram_environment().simulate(workload, designs, Engine::fast, cpu_, want);
    EXPECT_EQ(got.status, want.status) << what;
    EXPECT_EQ(got.counters, want.counters) << what;
    EXPECT_EQ(got.detail, want.detail) << what << " (witness, histogram or which kernel decided)";
    compared_ += designs.size() / kParameters;
  }

  Backend cpu_{"cpu"};
  std::unique_ptr<Backend> cuda_;
  std::size_t compared_ = 0;
};

// The parameters a row names; the others have their default. False where Exarch does not model the row.
bool design_of_row(const CsvTable& table, std::size_t row, std::vector<std::int64_t>& designs) {
  const auto parameters = dram_environment().parameters();
  std::vector<std::int64_t> design;
  for (const ParameterInfo& parameter : parameters) {
    design.push_back(parameter.default_value);
    if (std::ranges::find(table.header(), parameter.name) == table.header().end()) continue;
    const std::string& value = table.at(row, parameter.name);
    try {
      design.back() = parameter.parse(value);
    } catch (const UsageError&) {
      return false;
    }
  }
  designs.insert(designs.end(), design.begin(), design.end());
  return true;
}

TEST_F(Parity, OnEveryGoldenRow) {
  std::map<WorkloadOptions, std::vector<std::int64_t>> groups;
  for (const char* file :
       {"archgym_ddr3.csv", "archgym_ddr3_one_at_a_time.csv", "beyond_ddr3specs.csv", "beyond_ddr3settings.csv"}) {
    const CsvTable table(kData + file);
    for (std::size_t row = 0; row < table.size(); ++row) {
      WorkloadOptions options;
      for (const WorkloadOption& option : dram_environment().workload_options()) {
        const auto& header = table.header();
        if (std::ranges::find(header, option.name) != header.end()) options[option.name] = table.at(row, option.name);
      }
      if (!design_of_row(table, row, groups[options]) && groups[options].empty()) groups.erase(options);
    }
  }
  for (const auto& [options, designs] : groups) {
    std::shared_ptr<const Workload> workload;
    try {
      workload = dram_environment().load_workload(options);
    } catch (const Error&) {
      continue;  // rows of memories and mappings that Exarch refuses
    }
    compare(*workload, designs, options.at("trace"));
  }
  EXPECT_GE(compared_, 13352u);
}

std::vector<std::int64_t> random_designs(std::mt19937_64& rng, std::size_t count) {
  std::vector<std::int64_t> designs;
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<std::int64_t> design = dram::testing::design_of(dram::testing::random_params(rng));
    designs.insert(designs.end(), design.begin(), design.end());
  }
  return designs;
}

// Five rounds, one with each kind of trace.
class RandomParity : public Parity, public ::testing::WithParamInterface<int> {};

TEST_P(RandomParity, OnDesignsAndTraces) {
  using dram::testing::TraceKind;
  std::mt19937_64 rng(0x9A61 + static_cast<unsigned>(GetParam()));
  for (int round = 5 * GetParam(); round < 5 * GetParam() + 5 && !HasFailure(); ++round) {
    const auto kind = static_cast<TraceKind>(round % 5);
    auto requests = dram::testing::random_requests(rng, kind, 20 + rng() % 400);
    const bool relative = round % 7 == 6;
    if (relative) {
      for (auto& request : requests) request.issue = rng() % 50;
    }
    const std::uint32_t clocks[] = {800, 800, 800, 533, 1600};
    const auto workload = dram::testing::make_workload(requests, relative, clocks[rng() % 5]);
    workload->exact_from_start = relative || workload->view.player_period_ps != workload->view.tck_ps || rng() % 4 == 0;
    compare(*workload, random_designs(rng, 500), "round " + std::to_string(round));
  }
}

INSTANTIATE_TEST_SUITE_P(Rounds, RandomParity, ::testing::Range(0, 12));

// Runs that outgrow their scratch area, and runs that never end.
TEST_F(Parity, WhereRunsDoNotEndAtTheFirstAttempt) {
  std::mt19937_64 rng(0x57A7);
  std::vector<dram::TraceRequest> requests{{0, 0, false}, {0, 1ull << 16, false}};
  for (std::uint64_t i = 2; i < 5000; ++i) requests.push_back({0, (i % 8) << 6, false});
  compare(*dram::testing::make_workload(requests), random_designs(rng, 600), "starving request");

  requests.clear();
  for (std::uint64_t i = 0; i < 9000; ++i) requests.push_back({60 * i, (i % 7) << 16, false});
  const auto rare = dram::testing::make_workload(requests, false, 800, "MICRON_1Gb_DDR3-1600_8bit_G_less_refresh");
  rare->exact_from_start = true;
  compare(*rare, random_designs(rng, 100), "rare refreshes");

  const auto endless = dram::testing::make_workload({{0, 0, false}, {1, 1 << 16, false}, {2, 0, false}});
  endless->view.timing.tREFI = endless->view.timing.tRFC + 1;
  endless->distances = dram::make_distances(endless->view.timing);
  endless->step_budget = 100000;
  compare(*endless, random_designs(rng, 100), "nothing but refreshes");
}

// No result depends on how a batch is launched, ordered or split.
TEST_F(Parity, WhateverTheLaunch) {
  std::mt19937_64 rng(0x1A0C);
  const auto workload =
      dram::testing::make_workload(dram::testing::random_requests(rng, dram::testing::TraceKind::dense_writes, 400));
  std::vector<dram::ControllerParams> params;
  for (int i = 0; i < 1500; ++i) params.push_back(dram::testing::random_params(rng));
  std::vector<dram::RunResult> want(params.size());
  dram::Workspace workspace;
  for (std::size_t i = 0; i < params.size(); ++i) (void)workspace.run(*workload, params[i], want[i]);
  std::vector<std::size_t> order(params.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  using dram::Kernel;
  for (const dram::DeviceTuning& tuning :
       {dram::DeviceTuning{32, Kernel::dense, true, 1u << 17, 0}, dram::DeviceTuning{128, Kernel::dense, true, 97, 0},
        dram::DeviceTuning{32, Kernel::lanes, true, 1u << 17, 0}, dram::DeviceTuning{256, Kernel::lanes, true, 61, 0},
        dram::DeviceTuning{256, {}, false, 1u << 17, 0}, dram::DeviceTuning{64, {}, false, 1, 0}}) {
    std::ranges::shuffle(order, rng);
    std::vector<dram::ControllerParams> shuffled;
    for (const std::size_t i : order) shuffled.push_back(params[i]);
    if (tuning.chunk == 1) shuffled.resize(50);
    std::vector<dram::Run> got(shuffled.size());
    dram::run_on_devices(*workload, shuffled, cuda_->devices(), got, tuning);
    for (std::size_t k = 0; k < got.size(); ++k) {
      const dram::RunResult& w = want[order[k]];
      ASSERT_EQ(got[k].result.status, w.status) << dram::testing::describe(shuffled[k]);
      ASSERT_EQ(std::memcmp(&got[k].result.counters, &w.counters, sizeof w.counters), 0) << dram::testing::describe(shuffled[k]);
      ASSERT_EQ(std::memcmp(&got[k].result.witness, &w.witness, sizeof w.witness), 0) << dram::testing::describe(shuffled[k]);
    }
  }
}

// A trace longer than what a device holds of it at once.
TEST_F(Parity, WithATraceInParts) {
  std::mt19937_64 rng(0x9A27);
  for (const auto kind : {dram::testing::TraceKind::dense_reads, dram::testing::TraceKind::bursty}) {
    const auto workload = dram::testing::make_workload(dram::testing::random_requests(rng, kind, 6000));
    std::vector<dram::ControllerParams> params;
    for (int i = 0; i < 300; ++i) params.push_back(dram::testing::random_params(rng));
    for (const bool exact_from_start : {false, true}) {
      workload->exact_from_start = exact_from_start;
      dram::Workspace workspace;
      std::vector<dram::Run> got(params.size());
      for (const std::uint32_t part : {1200u, 2500u, 5999u, 0u}) {
        dram::DeviceTuning tuning;
        tuning.part = part;
        tuning.chunk = 170;
        dram::run_on_devices(*workload, params, cuda_->devices(), got, tuning);
        for (std::size_t i = 0; i < params.size(); ++i) {
          dram::RunResult want;
          (void)workspace.run(*workload, params[i], want);
          ASSERT_EQ(got[i].result.status, want.status) << dram::testing::describe(params[i]);
          ASSERT_EQ(std::memcmp(&got[i].result.counters, &want.counters, sizeof want.counters), 0) << part;
          ASSERT_EQ(std::memcmp(&got[i].result.witness, &want.witness, sizeof want.witness), 0) << part;
        }
      }
    }
  }
}

// Many batches over more workloads than a device keeps.
TEST_F(Parity, WhenWorkloadsComeAndGo) {
  std::mt19937_64 rng(0x60);
  std::vector<std::shared_ptr<dram::DramWorkload>> workloads;
  for (int i = 0; i < 12; ++i) {
    workloads.push_back(
        dram::testing::make_workload(dram::testing::random_requests(rng, dram::testing::TraceKind::dense_reads, 50)));
  }
  for (int i = 0; i < 40; ++i) {
    const std::size_t w = rng() % workloads.size();
    if (i % 5 == 4) {
      workloads[w] =
          dram::testing::make_workload(dram::testing::random_requests(rng, dram::testing::TraceKind::dense_writes, 60));
    }
    compare(*workloads[w], random_designs(rng, 40), "workload " + std::to_string(w));
  }
}

}  // namespace
}  // namespace exarch
