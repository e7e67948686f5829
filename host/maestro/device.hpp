// Batches of MAESTRO candidates on devices.
#pragma once

#include <span>

#include "host/execute/devices.hpp"
#include "host/maestro/environment.hpp"
#include "kernels/launch/maestro_device.hpp"

namespace exarch::maestro {

// Evaluates all candidates, split among the devices. Buffers: (candidate). Defined for CleanDesign, ArchgymDesign and
// ShippedDesign.
template <class Design>
void run_on_devices(const NetworkWorkload& workload, std::span<const Design> designs, Devices& devices,
                    std::span<NetworkResult> results, const DeviceKernels* kernels = cuda_kernels());

}  // namespace exarch::maestro
