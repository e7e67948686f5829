// Batches of Timeloop's mappings on devices.
#pragma once

#include <span>

#include "host/env/environment.hpp"
#include "host/execute/devices.hpp"
#include "kernels/launch/timeloop_device.hpp"

namespace exarch::timeloop {

// Evaluates mappings that differ in what levels keep, split among the devices. Buffers: (candidate). What the mappings share is
// kept on the devices as long as the workload lives.
void run_on_devices(const Workload& workload, const Frame& frame, const Shared& shared, std::span<const KeptMapping> mappings,
                    Devices& devices, std::span<KeptResult> results, const DeviceKernels* kernels = cuda_kernels());

}  // namespace exarch::timeloop
