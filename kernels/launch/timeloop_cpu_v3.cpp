#define EXARCH_ISA x86_64_v3
#include "kernels/launch/timeloop_functions.hpp"

namespace exarch::timeloop {

const CpuFunctions kX8664V3Functions = functions_named("x86-64-v3");

}  // namespace exarch::timeloop
