// Which copy of the CPU kernels this processor takes. Every launch of a model is compiled for any x86-64 (or other) machine and,
// on x86-64, once more for the v3 level (AVX2, BMI2); both give the same numbers.
#pragma once

namespace exarch {

// Whether there is a v3 copy, and this processor can execute it.
[[nodiscard]] inline bool runs_x86_64_v3() {
#if defined(EXARCH_HAS_V3)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

// "x86-64-v3" or "baseline"; for reports.
[[nodiscard]] inline const char* cpu_level() {
  return runs_x86_64_v3() ? "x86-64-v3" : "baseline";
}

}  // namespace exarch
