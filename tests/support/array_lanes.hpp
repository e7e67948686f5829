// The single pass in the shape of a device's lanes, played by one thread: what a device computes, without what only real lanes
// show (real_lanes.hpp).
#pragma once

#include "kernels/dram/simulate.hpp"
#include "kernels/launch/dram_launch.hpp"

namespace exarch::dram::testing {

template <PagePolicy kPolicy, Choice kChoice, bool kWrites>
using ArrayLanesPass = SinglePass<ArrayLanes, kPolicy, kChoice, kWrites>;

// A RunFunction; the kernel asked for is not looked at.
void run_array_lanes(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                     const Scratch& scratch, Kernel kernel, std::uint64_t max_steps, RunResult& result);

}  // namespace exarch::dram::testing
