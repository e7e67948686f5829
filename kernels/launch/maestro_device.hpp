// Evaluating batches of MAESTRO candidates on a device: the launches as a table of functions, in every build.
//
// Nothing here allocates, waits or throws. A function returns what DeviceRuntime's functions return (0: good); a stream is one of
// its streams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/maestro/decode.hpp"
#include "kernels/maestro/types.hpp"

namespace exarch::maestro {

inline constexpr std::uint32_t kMaestroBlock = 64;  // threads

// What one thread gives: a candidate on one layer.
struct LayerResult {
  Counters counters;  // complete with status ok only
  Status status;
};

// One launch's data; every pointer is to device memory.
template <class Design>
struct MaestroBatch {
  const LayerCount* layers;  // (layer)
  std::uint32_t layer_count;
  Version version;
  const Design* designs;   // (candidate)
  std::uint32_t count;     // candidates
  LayerResult* parts;      // (layer, candidate): a scratch area
  NetworkResult* results;  // (candidate)
};

// A thread per candidate and layer, then one per candidate that adds up its layers in order.
template <class Design>
using LaunchNetworks = int (*)(const MaestroBatch<Design>& batch, void* stream) noexcept;

struct DeviceKernels {
  LaunchNetworks<CleanDesign> clean;
  LaunchNetworks<ArchgymDesign> archgym;
  LaunchNetworks<ShippedDesign> shipped;

  template <class Design>
  [[nodiscard]] LaunchNetworks<Design> launch() const {
    if constexpr (std::is_same_v<Design, CleanDesign>) {
      return clean;
    } else if constexpr (std::is_same_v<Design, ArchgymDesign>) {
      return archgym;
    } else {
      return shipped;
    }
  }
};

// Null in a build without CUDA.
[[nodiscard]] const DeviceKernels* cuda_kernels() noexcept;

}  // namespace exarch::maestro
