#define EXARCH_ISA x86_64_v3
#include "kernels/launch/dram_system_functions.hpp"

namespace exarch::dram::system {

const CpuSystemFunctions kX8664V3SystemFunctions = kSystemFunctions;

}  // namespace exarch::dram::system
