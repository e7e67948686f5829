// A build without CUDA: nobody can hold CudaDevices, so nobody gets here.
#include "host/dram/cuda.hpp"
#include "host/error.hpp"

namespace exarch::dram {

void run_on_cuda(const DramWorkload&, std::span<const ControllerParams>, CudaDevices&, std::span<RunResult>,
                 std::span<std::uint8_t>, const CudaTuning&) {
  throw Error(probe_cuda().reason);
}

}  // namespace exarch::dram
