#include "kernels/launch/device.hpp"

namespace exarch {
namespace {

// Compiled for the same devices as every other kernel of the build.
__global__ void empty_kernel() {}

}  // namespace

int check_device() noexcept {
  cudaFuncAttributes attributes{};
  return cudaFuncGetAttributes(&attributes, empty_kernel);
}

}  // namespace exarch
