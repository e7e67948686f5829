// Evaluating batches of MAESTRO candidates on a CUDA device: the launches, callable from code that any compiler takes.
//
// Nothing here allocates, waits or throws. A function returns what the CUDA runtime returned (0 = cudaSuccess); a stream is
// passed as `void*` (cudaStream_t).
#pragma once

#include <cstddef>
#include <cstdint>

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

// A thread per candidate and layer, then one per candidate that adds up its layers in order. Defined for CleanDesign,
// ArchgymDesign and ShippedDesign.
template <class Design>
[[nodiscard]] int launch_networks(const MaestroBatch<Design>& batch, void* stream) noexcept;

}  // namespace exarch::maestro
