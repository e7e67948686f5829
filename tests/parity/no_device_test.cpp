// Which backend runs: what is said where there is no device, and what is chosen.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <string>
#include <utility>

#include "host/error.hpp"
#include "host/execute/backend.hpp"

namespace exarch {
namespace {

TEST(WithoutADevice, CudaIsRefusedWithTheReason) {
  const CudaProbe probe = probe_cuda();
  ASSERT_FALSE(probe.reason.empty());
  if (probe.available) GTEST_SKIP() << probe.reason;
  try {
    const Backend backend("cuda");
    FAIL() << "a backend without a device";
  } catch (const UsageError&) {
    FAIL() << "nothing is wrong with the request";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(probe.reason), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("--backend cpu"), std::string::npos) << error.what();
  }
  EXPECT_THROW((void)open_cuda_devices(), Error);
}

TEST(WithoutADevice, AutoTakesTheCpu) {
  if (const CudaProbe probe = probe_cuda(); probe.available) GTEST_SKIP() << probe.reason;
  Backend backend("auto", 2);
  EXPECT_FALSE(backend.uses_cuda(1u << 20));
  EXPECT_EQ(backend.description().substr(0, 15), "cpu, 2 threads,");
}

TEST(Backends, CpuStaysCpuAndSmallBatchesToo) {
  Backend cpu("cpu");
  EXPECT_FALSE(cpu.uses_cuda(1u << 20));
  Backend automatic("auto");
  EXPECT_FALSE(automatic.uses_cuda(1));
  EXPECT_EQ(automatic.uses_cuda(1u << 20), probe_cuda().available);
}

// Output (both streams) and exit code of the program.
std::pair<std::string, int> run_program(const std::string& arguments) {
  FILE* pipe = popen((std::string(EXARCH_BINARY) + " " + arguments + " 2>&1").c_str(), "r");
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  return {output, WEXITSTATUS(pclose(pipe))};
}

TEST(Program, DoctorSaysWhichDevicesOrWhyNone) {
  const auto [output, code] = run_program("doctor");
  EXPECT_EQ(code, 0) << output;
  EXPECT_NE(output.find(probe_cuda().reason), std::string::npos) << output;
}

TEST(Program, RefusesBackendCudaWithoutADeviceAndFallsBackByItself) {
  if (const CudaProbe probe = probe_cuda(); probe.available) GTEST_SKIP() << probe.reason;
  const auto [refused, code] = run_program("eval dram --trace stream --backend cuda");
  EXPECT_EQ(code, 1) << refused;
  EXPECT_NE(refused.find("--backend cuda: " + probe_cuda().reason), std::string::npos) << refused;
  const auto [automatic, fine] = run_program("eval dram --trace stream --backend auto");
  EXPECT_EQ(fine, 0) << automatic;
  EXPECT_EQ(automatic, run_program("eval dram --trace stream --backend cpu").first);
}

}  // namespace
}  // namespace exarch
