// The shape of eight neighbouring threads of a warp per candidate, one per bank (see shape.hpp). nvcc only.
//
// What a lane keeps is in registers; another lane's value comes by shuffle. Memory is written by the first lane alone, between
// two synchronisations of the eight: none may still have to read what is overwritten, none may read before it is there. Blocks
// are one-dimensional and whole warps. The host pass of the compiler never runs these functions; it sees the first lane alone.
#pragma once

#include "kernels/core/shape.hpp"

namespace exarch {

struct WarpLanes {
  struct Own {};  // the calling lane's place

  [[nodiscard]] EXARCH_INLINE static std::uint32_t lane() {
#if defined(__CUDA_ARCH__)
    return threadIdx.x & (kLanes - 1);
#else
    return 0;
#endif
  }
  // The eight lanes among the 32 of the warp.
  [[nodiscard]] EXARCH_INLINE static std::uint32_t group() {
#if defined(__CUDA_ARCH__)
    return 0xFFu << (threadIdx.x & 24u);
#else
    return 1;
#endif
  }
  template <class T>
  [[nodiscard]] EXARCH_INLINE static T from(T own, std::uint32_t place) {
#if defined(__CUDA_ARCH__)
    return static_cast<T>(__shfl_sync(group(), static_cast<std::uint32_t>(own), static_cast<int>(place), kLanes));
#else
    return place == 0 ? own : T{};
#endif
  }

  template <class T>
  struct Values {
    T own;

    [[nodiscard]] EXARCH_INLINE T operator[](std::uint32_t i) const { return from<T>(own, i); }
    [[nodiscard]] EXARCH_INLINE T operator[](Own) const { return own; }
    EXARCH_INLINE void set(std::uint32_t i, T x) { own = lane() == i ? x : own; }
    EXARCH_INLINE void fill(T x) { own = x; }
    template <class F>
    EXARCH_INLINE void transform(F&& f) {
      own = f(own);
    }
    EXARCH_INLINE void raise(T start, const T* row) { own = max_of(own, start + row[lane()]); }
  };

  struct Table {
    std::uint32_t own[kTableColumns];

    [[nodiscard]] EXARCH_INLINE std::uint32_t at(std::uint32_t i, std::uint32_t column) const { return from(own[column], i); }
    template <class F>
    EXARCH_INLINE void transform(F&& f) {
      for (std::uint32_t& v : own) v = f(v);
    }
    EXARCH_INLINE void raise(std::uint32_t i, std::uint32_t start, const std::uint32_t* row) {
      const bool mine = lane() == i;
      for (std::uint32_t k = 0; k < kTableColumns; ++k) own[k] = mine ? max_of(own[k], start + row[k]) : own[k];
    }
  };

  [[nodiscard]] EXARCH_INLINE static bool leader() {
    return lane() == 0;
  }

  template <class T>
  EXARCH_INLINE static void write(T& place, T value) {
#if defined(__CUDA_ARCH__)
    __syncwarp(group());
    if (leader()) place = value;
    __syncwarp(group());
#else
    place = value;
#endif
  }

  template <class F>
  EXARCH_INLINE static std::uint64_t first_of(F&& key, std::uint32_t& place) {
    const std::uint64_t own = key(Own{});
    std::uint64_t least = own;
    std::uint32_t set = 1;
#if defined(__CUDA_ARCH__)
    for (int distance = kLanes / 2; distance > 0; distance /= 2) {
      const std::uint64_t partner = __shfl_xor_sync(group(), static_cast<unsigned long long>(least), distance, kLanes);
      least = min_of(least, partner);
    }
    set = __ballot_sync(group(), own == least) >> (threadIdx.x & 24u) & 0xFFu;
#endif
    place = log2_floor(set);
    return least;
  }
};

}  // namespace exarch
