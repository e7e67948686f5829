#include "host/backend/backend.hpp"

#include <array>

#include "host/error.hpp"
#include "kernels/batch/dram_launch.hpp"

namespace exarch {

CudaProbe probe_cuda() {
  return {false, "this version evaluates on the CPU only"};
}

Backend::Backend(const std::string& kind, unsigned threads) : pool_(threads) {
  static const std::array<std::string, 3> kKinds{"auto", "cpu", "cuda"};
  if (kind == "cuda") {
    throw Error("--backend cuda: " + probe_cuda().reason + "; use --backend cpu (the results are the same)");
  }
  if (kind != "auto" && kind != "cpu") {
    throw UsageError("unknown backend '" + kind + "'" + did_you_mean(kind, kKinds) + "; use auto, cpu or cuda");
  }
}

std::string Backend::description() const {
  const char* level = "";
  (void)dram::cpu_run_function(&level);
  return "cpu, " + std::to_string(pool_.threads()) + (pool_.threads() == 1 ? " thread, " : " threads, ") + level;
}

}  // namespace exarch
