// Timeloop's mappings on the CPU and on CUDA devices, side by side: status and every sum, to the bit.
//
// The bodies are part of every build; without a device they are skipped with the reason.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "host/timeloop/environment.hpp"
#include "tests/support/timeloop_drawings.hpp"

namespace exarch {
namespace {

class TimeloopParity : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const CudaProbe probe = probe_cuda(); !probe.available) GTEST_SKIP() << probe.reason;
    cuda_ = std::make_unique<Backend>("cuda");
  }

  void compare(const WorkloadOptions& options, std::span<const std::int64_t> designs) {
    const Environment& environment = timeloop_mapping_environment();
    const auto workload = environment.load_workload(options);
    Outcomes got, want;
    environment.simulate(*workload, designs, Engine::fast, *cuda_, got);
    environment.simulate(*workload, designs, Engine::fast, cpu_, want);
    EXPECT_EQ(got.status, want.status) << workload->name;
    EXPECT_EQ(got.counters, want.counters) << workload->name;
  }

  Backend cpu_{"cpu"};
  std::unique_ptr<Backend> cuda_;
};

TEST_F(TimeloopParity, OnEveryRecord) {
  const Environment& environment = timeloop_mapping_environment();
  for (const std::string& record : environment.shipped_workloads()) {
    for (const char* rule : {"current", "2022"}) {
      const WorkloadOptions options{{"record", record}, {"fill-rule", rule}};
      compare(options, random_designs(environment.space_on("levels", *environment.load_workload(options)), 700, 3));
    }
  }
}

TEST_F(TimeloopParity, WhateverTheBatch) {
  const Environment& environment = timeloop_mapping_environment();
  const auto designs = random_designs(environment.spaces().front(), 1000, 9);
  const std::size_t parameters = environment.parameters().size();
  for (const std::size_t count : {1u, 63u, 64u, 65u, 1000u}) {
    compare({}, std::span<const std::int64_t>(designs).first(count * parameters));
  }
}

TEST_F(TimeloopParity, OnRandomMappings) {
  const timeloop::MapSpace layer = testing::layer_map_space(), small = testing::small_map_space();
  for (const timeloop::MapSpace* space : {&layer, &small}) {
    for (const timeloop::Goals& goals :
         {timeloop::Goals{timeloop::Goal::edp}, {timeloop::Goal::cycles, timeloop::Goal::energy}}) {
      const timeloop::Drawing drawing(*space, timeloop::FillRule::y2022, goals);
      for (const std::uint64_t count : {1u, 63u, 5000u, 40'000u}) {
        testing::expect_same_draws(drawing.best_on(cuda_->devices(), 11, 5, count), drawing.best(11, 5, count, cpu_));
      }
    }
  }
}

}  // namespace
}  // namespace exarch
