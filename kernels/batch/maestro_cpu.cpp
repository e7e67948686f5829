#include "kernels/batch/maestro_functions.hpp"

namespace exarch::maestro {

const CpuFunctions kBaselineFunctions = functions_named("baseline");

const CpuFunctions& cpu_functions() {
#if defined(EXARCH_HAS_V3)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
      __builtin_cpu_supports("fma")) {
    return kX8664V3Functions;
  }
#endif
  return kBaselineFunctions;
}

}  // namespace exarch::maestro
