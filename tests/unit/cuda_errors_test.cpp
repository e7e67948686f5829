// What the entry points of builds with CUDA answer where no device does: an error that can be told, as their headers promise.
#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/execute/devices.hpp"
#include "kernels/launch/dram_device.hpp"
#include "kernels/rank/rank.hpp"

namespace exarch {
namespace {

class EntryPointsWithoutADevice : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const CudaProbe probe = probe_cuda(); probe.available) GTEST_SKIP() << probe.reason;
  }
};

// Without its error, the size would be taken to be that of a sort that needs no memory of its own.
TEST_F(EntryPointsWithoutADevice, TheSizeOfASortIsAnErrorAndNoNumber) {
  std::size_t bytes = 12345;
  EXPECT_NE(dram::cuda_kernels()->sort_bytes(1000, bytes), 0);
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
