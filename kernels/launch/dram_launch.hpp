// Running a DRAM candidate on the CPU: the launch points, one per instruction-set level, and their choice.
//
// A caller gives one candidate at a time and its own workspace; the CPU backend calls this from all its threads.
#pragma once

#include <cstdint>

#include "kernels/dram/constraints.hpp"
#include "kernels/dram/scratch.hpp"
#include "kernels/dram/types.hpp"

namespace exarch::dram {

// Runs one candidate by the kernel asked for, Kernel::exact or the single pass; the status says how it ended. On a CPU the single
// pass is dense: lanes are how a device's threads share it, with the same results.
using RunFunction = void (*)(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                             const Scratch& scratch, Kernel kernel, std::uint64_t max_steps, RunResult& result);

// The fastest function this processor can execute; all give equal results.
[[nodiscard]] RunFunction cpu_run_function();

void run_baseline(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                  const Scratch& scratch, Kernel kernel, std::uint64_t max_steps, RunResult& result);
void run_x86_64_v3(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                   const Scratch& scratch, Kernel kernel, std::uint64_t max_steps, RunResult& result);

}  // namespace exarch::dram
