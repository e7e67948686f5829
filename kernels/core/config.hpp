// What every kernel header starts from: the host/device marker and the few helpers that must exist on both sides.
//
// Kernels are a C++20 subset that g++, clang++ and nvcc accept unchanged: no heap, no I/O, no exceptions, no virtual
// functions, no standard containers. Anything here may be called from a CPU thread or from a CUDA thread.
#pragma once

#include <cstdint>

// EXARCH_HD marks a function for both sides; EXARCH_INLINE one that must be expanded where it is called, whatever the compiler's
// own measure says; EXARCH_OUTLINE a rare or large one that a CPU build keeps out of its caller, so that the caller stays small.
#if defined(__CUDACC__)
#define EXARCH_HD __host__ __device__ inline
#define EXARCH_INLINE __host__ __device__ __forceinline__
#define EXARCH_OUTLINE __host__ __device__ inline
#else
#define EXARCH_HD inline
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EXARCH_INLINE inline  // instrumented code expanded everywhere takes the compiler minutes
#else
#define EXARCH_INLINE inline __attribute__((always_inline))
#endif
#define EXARCH_OUTLINE __attribute__((noinline))
#endif

// Kernel templates live in an inline namespace named after the instruction-set level they are compiled for, so that copies of
// different levels can share one program.
#if !defined(EXARCH_ISA)
#define EXARCH_ISA portable
#endif

namespace exarch {

template <class T>
[[nodiscard]] EXARCH_HD constexpr T min_of(T a, T b) {
  return b < a ? b : a;
}

template <class T>
[[nodiscard]] EXARCH_HD constexpr T max_of(T a, T b) {
  return a < b ? b : a;
}

// A value that no thread writes while the kernel runs: on a device, read by the path of its own.
template <class T>
[[nodiscard]] EXARCH_INLINE T read_only(const T* place) {
#if defined(__CUDA_ARCH__)
  return __ldg(place);
#else
  return *place;
#endif
}

// Position of the highest set bit; n > 0.
[[nodiscard]] EXARCH_HD constexpr std::uint32_t log2_floor(std::uint64_t n) {
#if defined(__CUDA_ARCH__)
  return 63u - static_cast<std::uint32_t>(__clzll(static_cast<long long>(n)));
#else
  return 63u - static_cast<std::uint32_t>(__builtin_clzll(n));
#endif
}

}  // namespace exarch
