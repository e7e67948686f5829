// A build without CUDA: nobody can hold CudaDevices, so nobody gets here.
#include "host/error.hpp"
#include "host/maestro/cuda.hpp"

namespace exarch::maestro {

void run_on_cuda(const NetworkWorkload& /*workload*/, std::span<const CleanDesign> /*designs*/, CudaDevices& /*devices*/,
                 std::span<NetworkResult> /*results*/) {
  throw Error(probe_cuda().reason);
}

void run_on_cuda(const NetworkWorkload& /*workload*/, std::span<const ArchgymDesign> /*designs*/, CudaDevices& /*devices*/,
                 std::span<NetworkResult> /*results*/) {
  throw Error(probe_cuda().reason);
}

}  // namespace exarch::maestro
