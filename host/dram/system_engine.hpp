// The system kernel on the CPU: candidates of one workload, with memory that is kept from run to run. One per thread.
//
//   SystemEngine engine(*load_system_workload(setup));
//   const SystemRun run = engine.run(params);
//   if (run.status == system::SystemStatus::ok) price_channel(memspec, run.channels[0]);
#pragma once

#include <cstdint>
#include <vector>

#include "host/dram/reference.hpp"
#include "host/dram/system_workload.hpp"
#include "kernels/dram/scratch.hpp"
#include "kernels/launch/dram_system_launch.hpp"

namespace exarch::dram {

class SystemEngine {
 public:
  // Refers to the workload.
  explicit SystemEngine(const SystemWorkload& workload) : SystemEngine(workload.view, workload.step_budget) {}
  explicit SystemEngine(const system::SystemView& view, std::uint64_t step_budget = ~0ull);

  // One candidate to its end, with more memory where it needs more. Equal to simulate_system_reference() in status and counters;
  // lists no commands. Throws Error if the run needs more memory than there can be.
  [[nodiscard]] SystemRun run(const ControllerParams& params);

  // Tests: another function than this processor's fastest, another first size.
  void use(const system::CpuSystemFunctions& functions, const system::ScratchSize& size);

 private:
  const system::SystemView* view_;
  std::uint64_t step_budget_;
  const system::CpuSystemFunctions* functions_;
  system::Tables tables_;
  system::ScratchSize size_;
  std::vector<std::uint64_t> block_;
};

// A run of a workload of one channel, in the terms of the DDR3 kernels. A run that never ends is Status::step_limit.
[[nodiscard]] RunResult in_ddr3_terms(const SystemRun& run, std::uint32_t tck_ps);

}  // namespace exarch::dram
