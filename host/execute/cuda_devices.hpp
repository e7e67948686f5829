// The CUDA devices of this machine, as the rest of the program sees them: without a CUDA type, in every build.
//
// Defined in cuda/devices.cpp, or in cuda_absent.cpp where the build has no CUDA backend.
#pragma once

#include <memory>
#include <string>

namespace exarch {

struct CudaProbe {
  bool available = false;
  std::string reason;  // one line: which devices, or why none
};

// What a CUDA backend would find on this machine with this build.
[[nodiscard]] CudaProbe probe_cuda();

// All devices that can run this build's kernels, with their streams and memory; opened once per backend.
class CudaDevices;

// Error if probe_cuda() finds none.
[[nodiscard]] std::shared_ptr<CudaDevices> open_cuda_devices();

}  // namespace exarch
