// The system kernel against the reference model, counter for counter, on random memories, requests and designs.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "host/dram/system_engine.hpp"
#include "tests/support/random_systems.hpp"

namespace exarch::dram {
namespace {

using namespace testing;
using system::SystemStatus;

std::string describe_system(const RandomSystem& random, const ControllerParams& params) {
  return random.memory_type + ", " + std::to_string(random.table.protocol.ranks) + " ranks, " +
         std::to_string(random.view.channel_count) + " channels, " + std::to_string(random.view.player_count) +
         " players: " + describe(params) + (params.cmd_mux == CmdMux::Strict ? "Strict " : "") +
         (params.power_down_policy == PowerDownPolicy::Staggered ? "Staggered" : "");
}

class SystemKernel : public ::testing::TestWithParam<const MemoryStandard*> {};

TEST_P(SystemKernel, EqualsTheReferenceModel) {
  const MemoryStandard& standard = *GetParam();
  std::mt19937_64 rng(0x5157E3);
  std::array<int, 5> ended{};
  for (int i = 0; i < 250 && !HasFailure(); ++i) {
    const auto random = random_system(rng, standard, 20 + rng() % 150);
    SystemEngine engine(random->view);
    for (int design = 0; design < 3 && !HasFailure(); ++design) {
      const ControllerParams params = random_system_params(rng, standard);
      const SystemRun want = simulate_system_reference(random->view, random->table, params);
      const SystemRun got = engine.run(params);
      ASSERT_EQ(got.status, want.status) << describe_system(*random, params);
      ++ended[static_cast<std::size_t>(want.status)];
      if (want.status == SystemStatus::endless) continue;
      for (std::size_t c = 0; c < want.channels.size(); ++c) {
        EXPECT_EQ(differences(got.channels[c], want.channels[c]), "")
            << "channel " << c << ", " << describe_system(*random, params);
      }
    }
  }
  RecordProperty("ok", ended[static_cast<std::size_t>(SystemStatus::ok)]);
  RecordProperty("stalled", ended[static_cast<std::size_t>(SystemStatus::stalled)]);
  RecordProperty("endless", ended[static_cast<std::size_t>(SystemStatus::endless)]);
  EXPECT_GT(ended[static_cast<std::size_t>(SystemStatus::ok)], 500);
}

// Too little memory is noticed, whatever runs out first, and changes no result; both instruction-set levels agree.
TEST_P(SystemKernel, DoesNotDependOnItsMemory) {
  const MemoryStandard& standard = *GetParam();
  std::mt19937_64 rng(0x5C4A7C);
  for (int i = 0; i < 40; ++i) {
    const auto random = random_system(rng, standard, 50 + rng() % 100);
    const ControllerParams params = random_system_params(rng, standard);
    const SystemRun usual = SystemEngine(random->view).run(params);
    SystemEngine engine(random->view);
    for (const system::ScratchSize size : {system::ScratchSize{1, 8, 1}, {1024, 8, 128}, {2, 4096, 128}, {1024, 4096, 1}}) {
      engine.use(system::kBaselineSystemFunctions, size);
      const SystemRun small = engine.run(params);
      ASSERT_EQ(small.status, usual.status) << describe_system(*random, params);
      ASSERT_EQ(std::memcmp(small.channels.data(), usual.channels.data(), small.channels.size() * sizeof small.channels[0]), 0)
          << describe_system(*random, params);
    }
  }
}

std::string name_of(const ::testing::TestParamInfo<const MemoryStandard*>& standard) {
  std::string name(standard.param->memory_type);
  std::erase_if(name, [](unsigned char c) { return std::isalnum(c) == 0; });
  return name;
}

INSTANTIATE_TEST_SUITE_P(Standards, SystemKernel, ::testing::ValuesIn(memory_standards()), name_of);

}  // namespace
}  // namespace exarch::dram
