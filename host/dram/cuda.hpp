// DRAM candidates on the CUDA devices of a backend: without a CUDA type, in every build.
//
// Defined in cuda.cpp, or in cuda_absent.cpp where the build has no CUDA backend.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "host/dram/environment.hpp"
#include "host/execute/cuda_devices.hpp"
#include "kernels/launch/dram_cuda.hpp"

namespace exarch::dram {

// How batches are launched; changes no result.
struct CudaTuning {
  std::uint32_t block = kUsualBlock;  // threads; a multiple of 32, at most kLargestBlock
  std::optional<Kernel> shape;        // of the single pass, dense or lanes; left out: by tuned_shape()
  bool bin = true;                    // off: policies are chosen at run time (single pass of read-only traces only)
  std::size_t chunk = 1u << 17;       // most candidates of a launch
  std::uint32_t part = 0;             // most requests of the trace on a device at once; 0: as many as its memory allows
};

// Runs all candidates to the end, split among the devices. `exact[i]` tells whether the exact kernel decided candidate i.
// Buffers: (candidate).
void run_on_cuda(const DramWorkload& workload, std::span<const ControllerParams> params, CudaDevices& devices,
                 std::span<RunResult> results, std::span<std::uint8_t> exact, const CudaTuning& tuning = {});

}  // namespace exarch::dram
