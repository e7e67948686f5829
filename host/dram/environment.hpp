// The DRAM controller environment (ArchGym's DRAMGym): see docs/models.md.
#pragma once

#include <memory>

#include "host/dram/system_workload.hpp"
#include "host/dram/trace.hpp"
#include "host/env/environment.hpp"
#include "kernels/dram/constraints.hpp"
#include "kernels/dram/scratch.hpp"
#include "kernels/launch/dram_launch.hpp"

namespace exarch {

[[nodiscard]] const Environment& dram_environment();

namespace dram {

// A trace on one memory behind one address mapping.
class DramWorkload final : public Workload {
 public:
  PackedTrace trace;
  MemSpec memspec;
  WorkloadView view{};
  Distances distances{};
  std::uint64_t step_budget = kNoStepLimit;  // per run; Status::step_limit beyond it
  // Ties between simultaneous events are frequent (another player clock, idle gaps): go straight to the exact kernel.
  bool exact_from_start = false;
  // Of a memory that the DDR3 kernels do not have (DDR4, several ranks): what the system kernel runs; null otherwise. Then of
  // `view` only the requests mean something.
  std::shared_ptr<const SystemWorkload> system;
};

// A run to the end, and whether the exact kernel had to decide.
struct Run {
  RunResult result;
  bool exact;
};

[[nodiscard]] ControllerParams params_of(std::span<const std::int64_t> design);

// Per-thread memory of the CPU backend, grown on demand and reused.
class Workspace {
 public:
  // Runs one candidate to the end: single pass, the exact kernel where needed, more scratch where needed. True if the exact
  // kernel had to decide.
  bool run(const DramWorkload& workload, const ControllerParams& params, RunResult& result);
  // Same, with the kernel chosen by the caller (tests, benchmarks); Status::tie is then returned as it is.
  // `by`: another function than this processor's fastest.
  void run_kernel(const DramWorkload& workload, const ControllerParams& params, Kernel kernel, RunResult& result,
                  RunFunction by = nullptr);

 private:
  std::vector<BufferSlot> slots_;
  std::vector<PendingResponse> pending_;
  std::vector<std::uint32_t> cas_order_, arrivals_;
  std::vector<std::uint64_t> heap_;
};

// What `exarch bench` asks of the environment, on designs of `space` (bench.cpp).
[[nodiscard]] std::uint64_t bench_signature(const DesignSpace& space);
[[nodiscard]] std::vector<ReferenceCost> bench_reference_costs();
[[nodiscard]] std::vector<Measurement> bench_measure(const DesignSpace& space, const BenchOptions& options);

}  // namespace dram
}  // namespace exarch
