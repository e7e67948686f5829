// A build without CUDA: no device is ever found.
#include "host/error.hpp"
#include "host/execute/cuda_devices.hpp"

namespace exarch {

CudaProbe probe_cuda() {
  return {false, "this build has no CUDA backend: configure with -DEXARCH_CUDA=ON"};
}

std::shared_ptr<CudaDevices> open_cuda_devices() {
  throw Error(probe_cuda().reason);
}

}  // namespace exarch
