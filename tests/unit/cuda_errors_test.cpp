// What the entry points of builds with CUDA answer where no device does: an error that can be told, as their headers promise.
#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "host/execute/cuda_devices.hpp"
#include "kernels/launch/device.hpp"
#include "kernels/launch/dram_cuda.hpp"
#include "kernels/launch/maestro_cuda.hpp"
#include "kernels/rank/rank.hpp"

namespace exarch {
namespace {

// "Nothing here allocates, waits or throws": the compiler holds the launches to it.
static_assert(noexcept(dram::sort_bytes(0, std::declval<std::size_t&>())));
static_assert(noexcept(dram::sort_into_bins(std::declval<const dram::DeviceBatch&>(), nullptr, 0, nullptr, nullptr)));
static_assert(noexcept(check_device()) && noexcept(dram::state_bytes(false)));
static_assert(noexcept(dram::launch_bin(std::declval<const dram::DeviceBatch&>(), 0, dram::Kernel::dense, 0, 0, 64, nullptr)));
static_assert(noexcept(dram::launch_mixed(std::declval<const dram::DeviceBatch&>(), 0, 0, 64, nullptr)));
static_assert(noexcept(maestro::launch_networks(std::declval<const maestro::MaestroBatch<maestro::CleanDesign>&>(), nullptr)));

class EntryPointsWithoutADevice : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const CudaProbe probe = probe_cuda(); probe.available) GTEST_SKIP() << probe.reason;
  }
};

// Without its error, the size would be taken to be that of a sort that needs no memory of its own.
TEST_F(EntryPointsWithoutADevice, TheSizeOfASortIsAnErrorAndNoNumber) {
  std::size_t bytes = 12345;
  EXPECT_NE(dram::sort_bytes(1000, bytes), 0);
  EXPECT_EQ(bytes, 12345u);
}

TEST_F(EntryPointsWithoutADevice, RankingThrowsWhatItPromises) {
  const rank::Functions& functions = *rank::cuda_functions();
  const std::vector<double> values{3, 1, 2};
  const std::vector<std::uint64_t> keys{3, 1, 3};
  const std::vector<std::span<const double>> objectives{values, values};
  const auto text_of = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const std::runtime_error& error) {
      return error.what();
    } catch (const std::exception& error) {
      return "not a std::runtime_error: " + std::string(error.what());
    }
    return "no error";
  };
  for (const std::string& text :
       {text_of([&] { (void)functions.top_k(values, 1); }), text_of([&] { (void)functions.argmin(values); }),
        text_of([&] { (void)functions.distinct(keys); }), text_of([&] { (void)functions.pareto_front(objectives); }),
        text_of([&] { (void)functions.histogram(values, values); })}) {
    EXPECT_EQ(text.find("CUDA: ranking failed: "), 0u) << text;
    EXPECT_NE(text.find("--backend cpu"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace exarch
