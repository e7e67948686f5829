// Eight neighbouring threads of a warp per candidate (see lanes.hpp). nvcc only.
//
// Blocks are one-dimensional and whole warps. The host pass of the compiler never runs these functions; it sees the first lane
// alone.
#pragma once

#include "kernels/core/lanes.hpp"

namespace exarch {

struct CudaWarp {
  using Place = std::uint32_t;
  struct Here {};

  [[nodiscard]] EXARCH_INLINE static std::uint32_t lane() {
#if defined(__CUDA_ARCH__)
    return threadIdx.x & (kLanes - 1);
#else
    return 0;
#endif
  }
  // The first of the eight lanes, among the 32 of the warp; and the eight as a mask.
  [[nodiscard]] EXARCH_INLINE static std::uint32_t first() {
#if defined(__CUDA_ARCH__)
    return threadIdx.x & 24u;
#else
    return 0;
#endif
  }
  [[nodiscard]] EXARCH_INLINE static std::uint32_t group() {
    return 0xFFu << first();
  }

  [[nodiscard]] EXARCH_INLINE static std::uint32_t shuffle(std::uint32_t own, Place place) {
#if defined(__CUDA_ARCH__)
    return __shfl_sync(group(), own, static_cast<int>(place), kLanes);
#else
    return place == 0 ? own : 0;
#endif
  }
  [[nodiscard]] EXARCH_INLINE static std::uint64_t shuffle_xor(std::uint64_t own, std::uint32_t distance, Here) {
#if defined(__CUDA_ARCH__)
    return __shfl_xor_sync(group(), static_cast<unsigned long long>(own), static_cast<int>(distance), kLanes);
#else
    return distance == 0 ? own : ~std::uint64_t{0};
#endif
  }
  [[nodiscard]] EXARCH_INLINE static std::uint32_t ballot(bool own, Here) {
#if defined(__CUDA_ARCH__)
    return __ballot_sync(group(), own) >> first() & 0xFFu;
#else
    return own ? 1 : 0;
#endif
  }
  EXARCH_INLINE static void sync(Here) {
#if defined(__CUDA_ARCH__)
    __syncwarp(group());
#endif
  }
};

using WarpLanes = Lanes<CudaWarp>;

}  // namespace exarch
