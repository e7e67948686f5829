// What every kernel header starts from: the host/device marker and the few helpers that must exist on both sides.
//
// Kernels are a C++20 subset that g++, clang++ and nvcc accept unchanged: no heap, no I/O, no exceptions, no virtual
// functions, no standard containers. Anything here may be called from a CPU thread or from a CUDA thread.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define EXARCH_HD __host__ __device__ __forceinline__
#else
#define EXARCH_HD inline
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

}  // namespace exarch
