// A build without CUDA: no runtime, and no model's kernels for a device. The only file that stands in for what nvcc compiles.
#include "kernels/launch/device.hpp"
#include "kernels/launch/dram_device.hpp"
#include "kernels/launch/maestro_device.hpp"
#include "kernels/launch/timeloop_device.hpp"
#include "kernels/rank/rank.hpp"

namespace exarch {

const DeviceRuntime* cuda_runtime() noexcept {
  return nullptr;
}

const dram::DeviceKernels* dram::cuda_kernels() noexcept {
  return nullptr;
}

const maestro::DeviceKernels* maestro::cuda_kernels() noexcept {
  return nullptr;
}

const timeloop::DeviceKernels* timeloop::cuda_kernels() noexcept {
  return nullptr;
}

const rank::Functions* rank::cuda_functions() {
  return nullptr;
}

}  // namespace exarch
