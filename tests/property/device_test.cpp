// Batches on devices, every model by the same pipeline, on devices that the host plays: what comes back is what the CPU backend
// gives, however memory and devices are short; and whatever call fails, the user is told, nothing is left behind, and the next
// batch is right.
#include "host/dram/device.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "host/error.hpp"
#include "host/maestro/device.hpp"
#include "host/timeloop/device.hpp"
#include "host/timeloop/drawing.hpp"
#include "host/timeloop/environment.hpp"
#include "kernels/launch/timeloop_launch.hpp"
#include "tests/support/host_device.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/timeloop_drawings.hpp"
#include "tests/support/timeloop_records.hpp"

namespace exarch {
namespace {

using testing::HostDevice;

std::vector<dram::ControllerParams> random_batch(std::mt19937_64& rng, std::size_t count) {
  std::vector<dram::ControllerParams> params;
  for (std::size_t i = 0; i < count; ++i) params.push_back(dram::testing::random_params(rng));
  return params;
}

std::shared_ptr<dram::DramWorkload> random_workload(std::mt19937_64& rng, dram::testing::TraceKind kind, std::size_t requests) {
  return dram::testing::make_workload(dram::testing::random_requests(rng, kind, requests));
}

std::vector<dram::Run> on_cpu(const dram::DramWorkload& workload, const std::vector<dram::ControllerParams>& params) {
  std::vector<dram::Run> runs(params.size());
  dram::Workspace workspace;
  for (std::size_t i = 0; i < params.size(); ++i) runs[i].exact = workspace.run(workload, params[i], runs[i].result);
  return runs;
}

void expect_equal(const std::vector<dram::Run>& got, const std::vector<dram::Run>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].result.status, want[i].result.status) << i;
    ASSERT_EQ(got[i].exact, want[i].exact) << i;
    ASSERT_EQ(std::memcmp(&got[i].result.counters, &want[i].result.counters, sizeof(dram::Counters)), 0) << i;
    ASSERT_EQ(std::memcmp(&got[i].result.witness, &want[i].result.witness, sizeof(dram::Witness)), 0) << i;
  }
}

dram::DeviceTuning tuning_of(std::size_t chunk) {
  dram::DeviceTuning tuning;
  tuning.kernels = &testing::host_dram_kernels();
  tuning.chunk = chunk;
  return tuning;
}

TEST(Devices, GiveWhatTheCpuGives) {
  std::mt19937_64 rng(0xDE1);
  for (int round = 0; round < 10; ++round) {
    const auto workload = random_workload(rng, static_cast<dram::testing::TraceKind>(round % 5), 120);
    for (const std::size_t count : {0u, 1u, 5u, 200u}) {
      const auto params = random_batch(rng, count);
      const auto want = on_cpu(*workload, params);
      for (const std::size_t chunk : {1u, 7u, 1000u}) {
        if (chunk == 1 && count > 5) continue;
        for (const std::vector<int>& ordinals : {std::vector<int>{0}, std::vector<int>{0, 1, 2}}) {
          HostDevice host;
          Devices devices(host, ordinals);
          std::vector<dram::Run> got(params.size());
          dram::run_on_devices(*workload, params, devices, got, tuning_of(chunk));
          expect_equal(got, want);
        }
      }
    }
  }
}

TEST(Devices, GiveTheSameWithoutBins) {
  std::mt19937_64 rng(0xDE2);
  const auto workload = random_workload(rng, dram::testing::TraceKind::dense_reads, 200);
  const auto params = random_batch(rng, 100);
  HostDevice host;
  Devices devices(host, {0});
  dram::DeviceTuning tuning = tuning_of(33);
  tuning.bin = false;
  std::vector<dram::Run> got(params.size());
  dram::run_on_devices(*workload, params, devices, got, tuning);
  expect_equal(got, on_cpu(*workload, params));
}

// One device, more workloads than it keeps, with little memory: batches get smaller, or the user is told.
TEST(Devices, WithLittleMemoryAreRightOrSaySo) {
  std::mt19937_64 rng(0xDE3);
  bool refused = false, ran = false;
  for (std::size_t bytes = std::size_t{1} << 12; bytes <= std::size_t{1} << 26; bytes *= 2) {
    HostDevice host({.bytes = bytes});
    Devices devices(host, {0});
    for (int round = 0; round < 12; ++round) {
      const auto workload = random_workload(rng, dram::testing::TraceKind::bursty, 50);
      const auto params = random_batch(rng, 40);
      std::vector<dram::Run> got(params.size());
      try {
        dram::run_on_devices(*workload, params, devices, got, tuning_of(1000));
        expect_equal(got, on_cpu(*workload, params));
        ran = true;
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("--backend cpu"), std::string::npos) << error.what();
        refused = true;
      }
    }
  }
  EXPECT_TRUE(refused && ran);
}

template <class Design>
void expect_maestro_equal(const maestro::NetworkWorkload& workload, const std::vector<Design>& designs,
                          const std::vector<int>& ordinals,
                          maestro::Status (*on_cpu)(const Design&, const maestro::NetworkView&, maestro::Totals&)) {
  HostDevice host;
  Devices devices(host, ordinals);
  std::vector<maestro::NetworkResult> got(designs.size());
  maestro::run_on_devices(workload, std::span<const Design>(designs), devices, got, &testing::host_maestro_kernels());
  for (std::size_t i = 0; i < designs.size(); ++i) {
    maestro::Totals want{};
    ASSERT_EQ(got[i].status, on_cpu(designs[i], workload.view(), want)) << i;
    if (got[i].status != maestro::Status::ok) continue;
    ASSERT_EQ(std::memcmp(&got[i].totals.counters, &want.counters, sizeof want.counters), 0) << i;
    ASSERT_EQ(got[i].totals.impossible, want.impossible) << i;
  }
}

TEST(Devices, GiveWhatTheCpuGivesOnNetworks) {
  for (const std::vector<int>& ordinals : {std::vector<int>{0}, std::vector<int>{0, 1, 2}}) {
    const auto network =
        std::dynamic_pointer_cast<const maestro::NetworkWorkload>(maestro_environment().load_workload({{"model", "alexnet"}}));
    const auto columns = maestro_environment().parameters().size();
    const auto rows = random_designs(maestro_environment().spaces()[1], 300, 1);
    std::vector<maestro::CleanDesign> clean;
    for (std::size_t i = 0; i < 300; ++i) {
      clean.push_back(maestro::clean_design_of(std::span(rows).subspan(i * columns, columns)));
    }
    expect_maestro_equal(*network, clean, ordinals, maestro::cpu_functions().clean);

    const auto layer = std::dynamic_pointer_cast<const maestro::NetworkWorkload>(maestro_archgym_environment().load_workload({}));
    const auto genes = random_designs(maestro_archgym_environment().spaces().front(), 300, 1);
    std::vector<maestro::ArchgymDesign> archgym;
    std::vector<maestro::ShippedDesign> shipped;
    for (std::size_t i = 0; i < 300; ++i) {
      archgym.push_back(maestro::archgym_design_of(std::span(genes).subspan(i * 18, 18)));
      shipped.push_back({archgym.back()});
    }
    expect_maestro_equal(*layer, archgym, ordinals, maestro::cpu_functions().archgym);
    expect_maestro_equal(*layer, shipped, ordinals, maestro::cpu_functions().shipped);
  }
}

struct KeptBatchOfRecord {
  std::shared_ptr<const Workload> workload;  // only its identity counts
  timeloop::Frame frame;
  timeloop::Shared shared;
  std::vector<timeloop::KeptMapping> mappings;
  std::vector<timeloop::KeptResult> want;
};

KeptBatchOfRecord kept_batch(std::size_t count) {
  using namespace timeloop;
  KeptBatchOfRecord batch{};
  batch.workload = timeloop_mapping_environment().load_workload({});
  std::mt19937_64 rng(4);
  Fault fault;
  for (;;) {
    const Record record = testing::random_timeloop_record(rng);
    if (record.input.architecture.levels < 4) continue;
    if (make_frame(record.input.problem, record.input.architecture, FillRule::current, batch.frame, fault) != Status::ok)
      continue;
    cpu_functions().share(batch.frame, record.input.mapping, batch.shared);
    if (batch.shared.nest_status == Status::ok) break;
  }
  batch.mappings.resize(count);
  batch.want.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (auto& level : batch.mappings[i].keep) {
      for (bool& kept : level) kept = rng() % 4 != 0;
    }
    batch.want[i].status =
        cpu_functions().total_of_kept(batch.frame, batch.shared, batch.mappings[i].keep, batch.want[i].totals, fault);
  }
  return batch;
}

void expect_kept_equal(const KeptBatchOfRecord& batch, Devices& devices) {
  std::vector<timeloop::KeptResult> got(batch.mappings.size());
  timeloop::run_on_devices(*batch.workload, batch.frame, batch.shared, batch.mappings, devices, got,
                           &testing::host_timeloop_kernels());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].status, batch.want[i].status) << i;
    if (got[i].status != timeloop::Status::ok) continue;
    ASSERT_EQ(std::memcmp(&got[i].totals, &batch.want[i].totals, sizeof got[i].totals), 0) << i;
  }
}

TEST(Devices, GiveWhatTheCpuGivesOnMappings) {
  const KeptBatchOfRecord batch = kept_batch(500);
  const timeloop::MapSpace space = testing::layer_map_space();
  const timeloop::Drawing drawing(space, timeloop::FillRule::current, {timeloop::Goal::edp});
  Backend cpu("cpu", 1);
  for (const std::vector<int>& ordinals : {std::vector<int>{0}, std::vector<int>{0, 1, 2}}) {
    HostDevice host;
    Devices devices(host, ordinals);
    expect_kept_equal(batch, devices);
    expect_kept_equal(batch, devices);  // what is on the devices already
    for (const std::uint64_t count : {1u, 2u, 1000u, 20'000u}) {
      testing::expect_same_draws(drawing.best_on(devices, 7, 3, count, &testing::host_timeloop_kernels()),
                                 drawing.best(7, 3, count, cpu));
    }
  }
}

// Every call that can fail, one after the other: in opening devices, in a batch of either model, in closing.
template <class RunBatch>
void expect_faults_to_be_told(const RunBatch& run_batch) {
  std::size_t calls = 0;
  {
    HostDevice host;
    {
      Devices devices(host, {0, 1});
      run_batch(devices);
    }
    calls = host.calls();
    ASSERT_EQ(host.alive(), 0u);
  }
  std::size_t told = 0;
  for (std::size_t call = 0; call < calls; ++call) {
    HostDevice host({.failing_call = call});
    try {
      Devices devices(host, {0, 1});
      try {
        run_batch(devices);
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("hostErrorMade: made to fail"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("--backend cpu"), std::string::npos) << error.what();
        ++told;
        host.mend();
        run_batch(devices);  // checks its results itself
      }
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("hostErrorMade"), std::string::npos) << error.what();
      ++told;
    }
    EXPECT_EQ(host.alive(), 0u) << "call " << call;
  }
  EXPECT_GT(told, calls / 2);  // the others are those of destructors, which cannot tell
}

TEST(Devices, TellOfEveryFaultOfABatchOfDramRuns) {
  std::mt19937_64 rng(0xDE4);
  const auto workload = random_workload(rng, dram::testing::TraceKind::bursty, 60);
  const auto params = random_batch(rng, 40);
  const auto want = on_cpu(*workload, params);
  expect_faults_to_be_told([&](Devices& devices) {
    std::vector<dram::Run> got(params.size());
    dram::run_on_devices(*workload, params, devices, got, tuning_of(9));
    expect_equal(got, want);
  });
}

TEST(Devices, TellOfEveryFaultOfABatchOfNetworks) {
  const auto layer = std::dynamic_pointer_cast<const maestro::NetworkWorkload>(maestro_archgym_environment().load_workload({}));
  const auto genes = random_designs(maestro_archgym_environment().spaces().front(), 20, 2);
  std::vector<maestro::ArchgymDesign> designs;
  for (std::size_t i = 0; i < 20; ++i) designs.push_back(maestro::archgym_design_of(std::span(genes).subspan(i * 18, 18)));
  expect_faults_to_be_told([&](Devices& devices) {
    std::vector<maestro::NetworkResult> got(designs.size());
    maestro::run_on_devices(*layer, std::span<const maestro::ArchgymDesign>(designs), devices, got,
                            &testing::host_maestro_kernels());
    for (std::size_t i = 0; i < got.size(); ++i) {
      maestro::Totals want{};
      EXPECT_EQ(got[i].status, maestro::cpu_functions().archgym(designs[i], layer->view(), want));
      if (got[i].status != maestro::Status::ok) continue;
      EXPECT_EQ(got[i].totals.counters.runtime, want.counters.runtime);
    }
  });
}

TEST(Devices, TellOfEveryFaultOfABatchOfMappings) {
  const KeptBatchOfRecord batch = kept_batch(50);
  expect_faults_to_be_told([&](Devices& devices) { expect_kept_equal(batch, devices); });
}

TEST(Devices, TellOfEveryFaultOfRandomMappings) {
  const timeloop::MapSpace space = testing::small_map_space();
  const timeloop::Drawing drawing(space, timeloop::FillRule::current, {timeloop::Goal::edp});
  Backend cpu("cpu", 1);
  const timeloop::Drawn want = drawing.best(7, 3, 300, cpu);
  expect_faults_to_be_told([&](Devices& devices) {
    testing::expect_same_draws(drawing.best_on(devices, 7, 3, 300, &testing::host_timeloop_kernels()), want);
  });
}

}  // namespace
}  // namespace exarch
