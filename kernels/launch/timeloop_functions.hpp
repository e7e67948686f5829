// The body of every CPU launch of Timeloop's model; included once per instruction-set level.
#pragma once

#include "kernels/launch/timeloop_launch.hpp"
#include "kernels/timeloop/traffic.hpp"

namespace exarch::timeloop {
inline namespace EXARCH_ISA {

inline Status evaluate_input(const Input& input, FillRule rule, Counters& counters, Price& result, Fault& fault) {
  Workspace work;  // 162 KiB of the stack; not set to anything
  const Status status = count(input, rule, work, counters, fault);
  return status == Status::ok ? price(input.architecture, counters, result) : status;
}

inline constexpr CpuFunctions functions_named(const char* name) {
  return {name, evaluate_input};
}

}  // namespace EXARCH_ISA
}  // namespace exarch::timeloop
