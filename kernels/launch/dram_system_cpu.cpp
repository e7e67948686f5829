#include "kernels/launch/cpu_level.hpp"
#include "kernels/launch/dram_system_functions.hpp"

namespace exarch::dram::system {

const CpuSystemFunctions kBaselineSystemFunctions = kSystemFunctions;

const CpuSystemFunctions& cpu_system_functions() {
#if defined(EXARCH_HAS_V3)
  if (runs_x86_64_v3()) return kX8664V3SystemFunctions;
#endif
  return kBaselineSystemFunctions;
}

}  // namespace exarch::dram::system
