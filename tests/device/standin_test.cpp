// The translation and the stand-in themselves: small kernels give what they should, under every order of lanes that is allowed,
// and what is wrong with a kernel is reported.
#include "tests/device/runtime/standin.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <stdexcept>
#include <string>

#include "host/execute/devices.hpp"
#include "tests/device/kernels.hpp"

namespace exarch::standin {

static void PrintTo(const KernelCase& kernel, std::ostream* out) {
  *out << kernel.name;
}

namespace {

class Kernels : public ::testing::TestWithParam<KernelCase> {
 protected:
  void TearDown() override { configure(environment_settings()); }
};
INSTANTIATE_TEST_SUITE_P(StandIn, Kernels, ::testing::ValuesIn(kernel_cases().begin(), kernel_cases().end()),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_P(Kernels, GiveWhatTheHostComputes) {
  EXPECT_TRUE(GetParam().run());
  EXPECT_EQ(take_faults(), "");
}

TEST_P(Kernels, GiveTheSameInAnyOrderOfLanes) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    configure({.seed = seed, .any_lanes = true});
    EXPECT_TRUE(GetParam().run()) << "seed " << seed;
  }
  EXPECT_EQ(take_faults(), "");
  EXPECT_EQ(undefined_shuffle_count(), 0u);
}

// What a kernel's fault is called; the device is usable again afterwards.
template <class Run>
std::string fault_of(const Run& run) {
  EXPECT_THROW(run(), std::runtime_error);
  (void)mend();
  return take_faults();
}

void expect_says(const std::string& text, const std::string& words) {
  EXPECT_NE(text.find(words), std::string::npos) << "the report does not say: " << words << "\n" << text;
}

TEST(StandIn, ReportsLanesThatWaitForEachOtherWithTheirLines) {
  for (const bool any_lanes : {false, true}) {
    configure({.any_lanes = any_lanes});
    const std::string text = fault_of(run_shuffle_in_a_branch);
    expect_says(text, "leader_shuffles");
    expect_says(text, "warp deadlock");
    expect_says(text, "lanes 1 wait for lanes ffffffff in shfl.sync.idx.b32 at tests/device/kernels.cu:" +
                          std::to_string(line_of_shuffle_in_a_branch()));
    expect_says(text, "lanes fffffffe wait for lanes ffffffff");
  }
  configure(environment_settings());
  EXPECT_TRUE(kernel_cases().front().run());
}

TEST(StandIn, ReportsAccessesOutOfBounds) {
  expect_says(fault_of(load_behind_an_array), "a load out of bounds: block 0, thread 31, 4 bytes at ");
  expect_says(fault_of(store_behind_an_array), "a store out of bounds: block 0, thread 31, 4 bytes at ");
  expect_says(fault_of(load_behind_shared_memory), "out of the bounds of shared memory: block 0, thread 31, 4 bytes at ");
  expect_says(fault_of(load_misaligned), "misaligned access: block 0, thread 0, 4 bytes at ");
  expect_says(fault_of(store_to_freed_memory), "a store out of bounds: block 0, thread 0, 4 bytes at ");
  EXPECT_TRUE(runs_within_bounds());
  EXPECT_EQ(take_faults(), "");
}

TEST(StandIn, IsWhatTheProgramCallsTheCudaRuntime) {
  EXPECT_NE(probe_cuda().reason.find("Stand-in"), std::string::npos) << probe_cuda().reason;
}

TEST(StandIn, GivesNoNewDevicesWhileSomethingIsAlive) {
  void* memory = nullptr;
  ASSERT_EQ(cuda_runtime()->allocate(MemoryKind::device, 100, memory), kDeviceGood);
  EXPECT_EQ(alive(), (Alive{.allocations = 1}));
  EXPECT_THROW(configure({}), std::logic_error);
  EXPECT_EQ(cuda_runtime()->release(MemoryKind::device, memory), kDeviceGood);
  configure(environment_settings());
}

}  // namespace
}  // namespace exarch::standin
