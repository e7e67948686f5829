// MAESTRO candidates on the CUDA devices of a backend: without a CUDA type, in every build.
//
// Defined in cuda.cpp, or in cuda_absent.cpp where the build has no CUDA backend.
#pragma once

#include <span>

#include "host/execute/cuda_devices.hpp"
#include "host/maestro/environment.hpp"

namespace exarch::maestro {

// Evaluates all candidates, split among the devices. Buffers: (candidate).
void run_on_cuda(const NetworkWorkload& workload, std::span<const CleanDesign> designs, CudaDevices& devices,
                 std::span<NetworkResult> results);
// ArchGym's genes, decoded as the workload says.
void run_on_cuda(const NetworkWorkload& workload, std::span<const ArchgymDesign> designs, CudaDevices& devices,
                 std::span<NetworkResult> results);

}  // namespace exarch::maestro
