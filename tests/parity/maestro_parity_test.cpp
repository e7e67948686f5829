// MAESTRO on the CPU and on CUDA devices, side by side: status and every counter, to the bit.
//
// The bodies are part of every build; without a device they are skipped with the reason.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/maestro/environment.hpp"
#include "tests/support/maestro_rows.hpp"

namespace exarch {
namespace {

class MaestroParity : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const CudaProbe probe = probe_cuda(); !probe.available) GTEST_SKIP() << probe.reason;
    cuda_ = std::make_unique<Backend>("cuda");
  }

  void compare(const Environment& environment, const WorkloadOptions& options, std::span<const std::int64_t> designs) {
    const auto workload = environment.load_workload(options);
    Outcomes got, want;
    environment.simulate(*workload, designs, Engine::fast, *cuda_, got);
    environment.simulate(*workload, designs, Engine::fast, cpu_, want);
    EXPECT_EQ(got.status, want.status) << environment.name() << " " << workload->name;
    EXPECT_EQ(got.counters, want.counters) << environment.name() << " " << workload->name;
  }

  Backend cpu_{"cpu"};
  std::unique_ptr<Backend> cuda_;
};

TEST_F(MaestroParity, OnRandomDesignsOfEverySpaceAndNetwork) {
  for (const Environment* environment : {&maestro_environment(), &maestro_archgym_environment()}) {
    for (const DesignSpace& space : environment->spaces()) {
      for (const std::string& model : environment->shipped_workloads()) {
        for (const char* version : {"e1d8efd8", "head"}) {
          compare(*environment, {{"model", model}, {"layer", "all"}, {"model-version", version}}, random_designs(space, 500, 3));
        }
      }
    }
  }
  compare(maestro_archgym_environment(), {{"decode", "shipped"}},
          random_designs(maestro_archgym_environment().spaces().front(), 2000, 4));
}

// Failing candidates among others, single ones, and more than a launch takes.
TEST_F(MaestroParity, WhateverTheBatch) {
  const Environment& environment = maestro_environment();
  const auto designs = random_designs(environment.spaces()[1], 300'000, 9);
  const std::size_t parameters = environment.parameters().size();
  compare(environment, {{"model", "alexnet"}}, designs);
  for (const std::size_t count : {1u, 63u, 64u, 65u, 1000u}) {
    compare(environment, {{"model", "resnet18"}}, std::span<const std::int64_t>(designs).first(count * parameters));
  }
}

TEST_F(MaestroParity, OnRecordedGenomes) {
  for (const char* file : {"dev.jsonl.gz", "failures.jsonl.gz"}) {
    for (const nlohmann::ordered_json& row : testing::maestro_rows(file)) {
      if (row["set"] != "archgym") continue;
      std::vector<std::int64_t> design;
      for (const auto& gene : row["source"]["genome"]) design.push_back(gene.get<std::int64_t>());
      design.push_back(row["source"]["rng_state_seed"].get<std::int64_t>());
      compare(
          maestro_archgym_environment(),
          {{"model", row["source"]["model"].get<std::string>()}, {"layer", std::to_string(row["source"]["layer_id"].get<int>())}},
          design);
    }
  }
}

}  // namespace
}  // namespace exarch
