#include "host/execute/backend.hpp"

#include <array>
#include <fstream>

#include "host/error.hpp"
#include "kernels/launch/cpu_level.hpp"

namespace exarch {
namespace {

// Below this many runs `auto` stays on the CPU. An estimate, as no device has been measured: a device's thread is some hundred
// times slower than a core, and thousands of them run at once.
constexpr std::size_t kFewestRunsForCuda = 512;

// Candidates that occupy a device: the dense kernel's resident threads on an H100 (132 multiprocessors, four warps each). An
// estimate as well.
constexpr std::size_t kRunsPerDevice = 16384;

}  // namespace

Backend::Backend(const std::string& kind, unsigned threads) : automatic_(kind == "auto"), pool_(threads) {
  static const std::array<std::string, 3> kKinds{"auto", "cpu", "cuda"};
  if (kind == "cuda") {
    if (const CudaProbe probe = probe_cuda(); !probe.available) {
      throw Error("--backend cuda: " + probe.reason + "; or use --backend cpu (the results are the same)");
    }
    cuda_ = true;
  } else if (kind == "cpu") {
    cuda_ = false;
  } else if (kind != "auto") {
    throw UsageError("unknown backend '" + kind + "'" + did_you_mean(kind, kKinds) + "; use auto, cpu or cuda");
  }
}

bool Backend::has_cuda() {
  if (!cuda_) cuda_ = probe_cuda().available;
  return *cuda_;
}

bool Backend::uses_cuda(std::size_t runs) {
  return (!automatic_ || runs >= kFewestRunsForCuda) && has_cuda();
}

Devices& Backend::devices() {
  if (!devices_) devices_ = open_cuda_devices();
  return *devices_;
}

std::size_t Backend::wanted(std::size_t candidates) {
  return uses_cuda(candidates) ? kRunsPerDevice * devices().size() : 0;
}

const rank::Functions& Backend::ranking(std::size_t runs) {
  return uses_cuda(runs) ? *rank::cuda_functions() : rank::cpu_functions();
}

std::string Backend::description() {
  const std::string cpu =
      "cpu, " + std::to_string(pool_.threads()) + (pool_.threads() == 1 ? " thread, " : " threads, ") + cpu_level();
  return has_cuda() ? "cuda, " + probe_cuda().reason + "; " + cpu : cpu;
}

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t value = line.find(": ");
    if (line.starts_with("model name") && value != std::string::npos) return line.substr(value + 2);
  }
  return "";
}

}  // namespace exarch
