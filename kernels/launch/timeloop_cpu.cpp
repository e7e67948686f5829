#include "kernels/launch/cpu_level.hpp"
#include "kernels/launch/timeloop_functions.hpp"

namespace exarch::timeloop {

const CpuFunctions kBaselineFunctions = functions_named("baseline");

const CpuFunctions& cpu_functions() {
#if defined(EXARCH_HAS_V3)
  if (runs_x86_64_v3()) return kX8664V3Functions;
#endif
  return kBaselineFunctions;
}

}  // namespace exarch::timeloop
