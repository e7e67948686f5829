// What a device leaves open changes no result: which stream goes on, when a copy arrives, what fresh memory holds, how many
// devices there are and how much memory they have.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/execute/backend.hpp"
#include "host/maestro/device.hpp"
#include "host/maestro/environment.hpp"
#include "host/timeloop/environment.hpp"
#include "tests/device/batches.hpp"
#include "tests/device/runtime/standin.hpp"
#include "tests/support/timeloop_drawings.hpp"

namespace exarch::standin {
namespace {

using dram::testing::TraceKind;

class Streams : public ::testing::Test {
 protected:
  void SetUp() override { (void)probe_cuda(); }  // its answer is kept
  void TearDown() override { configure(environment_settings()); }
};

dram::DeviceTuning tuning_of(dram::Kernel shape, std::size_t chunk, std::uint32_t part = 0) {
  dram::DeviceTuning tuning;
  tuning.shape = shape;
  tuning.chunk = chunk;
  tuning.part = part;
  return tuning;
}

struct Choice {
  Settings settings;
  std::vector<int> devices;  // those of the batch

  [[nodiscard]] std::string name() const {
    const char* orders[] = {"random", "lazy", "eager"};
    return std::string(orders[static_cast<int>(settings.order)]) + ", seed " + std::to_string(settings.seed) +
           (settings.late_copies ? ", late copies" : "") + ", " + std::to_string(devices.size()) + " devices";
  }
};

std::vector<Choice> choices() {
  std::vector<Choice> out;
  for (const Order order : {Order::lazy, Order::eager, Order::random, Order::random, Order::random}) {
    for (const bool late : {false, true}) {
      const auto seed = static_cast<unsigned>(out.size() + 1);
      const Settings settings{.order = order, .seed = seed, .late_copies = late, .fill = seed % 2 == 0 ? 256u : 0xA5u};
      out.push_back({settings, seed % 3 == 0 ? std::vector<int>{0, 1} : std::vector<int>{0}});
    }
  }
  return out;
}

TEST_F(Streams, InAnyOrderGiveTheSameRuns) {
  std::mt19937_64 rng(0x57E);
  const auto reads = random_workload(rng, TraceKind::dense_reads, 150), writes = random_workload(rng, TraceKind::bursty, 100);
  const Params params = random_params(rng, 90);
  const Runs want_reads = on_cpu(*reads, params), want_writes = on_cpu(*writes, params);
  for (const Choice& choice : choices()) {
    configure(choice.settings);
    Devices devices(*cuda_runtime(), choice.devices);
    for (const dram::Kernel shape : {dram::Kernel::dense, dram::Kernel::lanes}) {
      EXPECT_TRUE(equal(on_devices(*reads, params, devices, tuning_of(shape, 17)), want_reads)) << choice.name();
      EXPECT_TRUE(equal(on_devices(*writes, params, devices, tuning_of(shape, 17)), want_writes)) << choice.name();
    }
  }
  EXPECT_EQ(take_faults(), "");
  EXPECT_EQ(undefined_shuffle_count(), 0u);
}

TEST_F(Streams, InAnyOrderGiveTheSameRunsOfTracesInParts) {
  std::mt19937_64 rng(7);
  const auto workload = random_workload(rng, TraceKind::dense_reads, 3000);
  const Params params = random_params(rng, 30);
  const Runs want = on_cpu(*workload, params);
  for (const Choice& choice : choices()) {
    configure(choice.settings);
    Devices devices(*cuda_runtime(), choice.devices);
    EXPECT_TRUE(equal(on_devices(*workload, params, devices, tuning_of(dram::Kernel::dense, 1000, 1500)), want)) << choice.name();
  }
}

TEST_F(Streams, InAnyOrderGiveTheSameCostsOfNetworks) {
  const auto network = maestro_environment().load_workload({{"model", "alexnet"}});
  const auto rows = random_designs(maestro_environment().spaces()[1], 100, 9);
  const std::size_t columns = maestro_environment().parameters().size();
  std::vector<maestro::CleanDesign> designs;
  for (std::size_t i = 0; i < 100; ++i)
    designs.push_back(maestro::clean_design_of(std::span(rows).subspan(i * columns, columns)));
  const auto& workload = dynamic_cast<const maestro::NetworkWorkload&>(*network);
  for (const Choice& choice : choices()) {
    configure(choice.settings);
    Devices devices(*cuda_runtime(), choice.devices);
    std::vector<maestro::NetworkResult> got(designs.size());
    maestro::run_on_devices(workload, std::span<const maestro::CleanDesign>(designs), devices, got);
    for (std::size_t i = 0; i < designs.size(); ++i) {
      maestro::Totals want{};
      ASSERT_EQ(got[i].status, maestro::cpu_functions().clean(designs[i], workload.view(), want)) << choice.name();
      if (got[i].status != maestro::Status::ok) continue;
      ASSERT_EQ(std::memcmp(&got[i].totals.counters, &want.counters, sizeof want.counters), 0) << choice.name();
    }
  }
}

TEST_F(Streams, InAnyOrderGiveTheSameMappings) {
  const Environment& environment = timeloop_mapping_environment();
  const auto record = environment.load_workload({});
  const auto designs = random_designs(environment.spaces().front(), 300, 9);
  const timeloop::MapSpace space = testing::small_map_space();
  const timeloop::Drawing drawing(space, timeloop::FillRule::current, {timeloop::Goal::energy});
  Backend cpu("cpu", 1);
  Outcomes want;
  environment.simulate(*record, designs, Engine::fast, cpu, want);
  const timeloop::Drawn want_drawn = drawing.best(7, 3, 5000, cpu);
  for (const Choice& choice : choices()) {
    configure(choice.settings);
    Devices devices(*cuda_runtime(), choice.devices);
    testing::expect_same_draws(drawing.best_on(devices, 7, 3, 5000, timeloop::cuda_kernels(), 20), want_drawn);
    Backend gpu("cuda", 1);
    Outcomes got;
    environment.simulate(*record, designs, Engine::fast, gpu, got);
    EXPECT_EQ(got.status, want.status) << choice.name();
    EXPECT_EQ(got.counters, want.counters) << choice.name();
  }
}

// Independent thread scheduling promises no order of lanes.
TEST_F(Streams, LanesInAnyOrderGiveTheSameRuns) {
  std::mt19937_64 rng(0x1A5);
  const auto workload = random_workload(rng, TraceKind::dense_reads, 40);
  const Params params = random_params(rng, 40);
  const Runs want = on_cpu(*workload, params);
  for (unsigned seed = 1; seed <= 2; ++seed) {
    configure({.seed = seed, .any_lanes = true});
    Devices devices(*cuda_runtime(), {0});
    EXPECT_TRUE(equal(on_devices(*workload, params, devices, tuning_of(dram::Kernel::lanes, 1000)), want)) << "seed " << seed;
  }
  EXPECT_EQ(take_faults(), "");
}

// More workloads than the device keeps, on devices of several sizes: the right runs, or an error.
TEST_F(Streams, LittleMemoryGivesTheRightRunsOrAnError) {
  std::mt19937_64 rng(7);
  const Params params = random_params(rng, 3);
  std::vector<std::shared_ptr<dram::DramWorkload>> workloads;
  std::vector<Runs> want;
  for (int i = 0; i < 6; ++i) {
    workloads.push_back(random_workload(rng, TraceKind::dense_reads, 20000));
    want.push_back(on_cpu(*workloads.back(), params));
  }
  std::size_t right = 0, refused = 0;
  for (std::size_t bytes = std::size_t{1} << 12; bytes <= std::size_t{1} << 24; bytes *= 4) {
    configure({.bytes = bytes});
    for (std::size_t i = 0; i < workloads.size(); ++i) {
      try {
        Devices devices(*cuda_runtime(), {0});
        EXPECT_TRUE(equal(on_devices(*workloads[i], params, devices, tuning_of(dram::Kernel::dense, 1000)), want[i]));
        ++right;
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("--backend cpu"), std::string::npos) << error.what();
        ++refused;
      }
    }
    EXPECT_EQ(alive(), Alive{});
  }
  EXPECT_GE(right, workloads.size());
  EXPECT_GT(refused, 0u);
  // All of them, one after the other, on a device that keeps few.
  configure({.bytes = std::size_t{4} << 20});
  Devices devices(*cuda_runtime(), {0});
  for (std::size_t i = 0; i < workloads.size(); ++i) {
    EXPECT_TRUE(equal(on_devices(*workloads[i], params, devices, tuning_of(dram::Kernel::dense, 1000)), want[i])) << i;
  }
}

}  // namespace
}  // namespace exarch::standin
