// Running Timeloop's model on the CPU: the launch points, one per instruction-set level, and their choice.
//
// All levels give the same bits. A caller gives one evaluation at a time; threads may call at once.
//
//   Counters counters;
//   Price price;
//   Fault fault;
//   const Status status = cpu_functions().evaluate(input, FillRule::current, counters, price, fault);
#pragma once

#include "kernels/timeloop/price.hpp"
#include "kernels/timeloop/types.hpp"

namespace exarch::timeloop {

struct CpuFunctions {
  const char* name;
  // Counts and prices of an input. With another status than ok, `fault` says what is wrong, and the others are incomplete.
  Status (*evaluate)(const Input& input, FillRule rule, Counters& counters, Price& price, Fault& fault);
};

// The fastest this processor can execute.
[[nodiscard]] const CpuFunctions& cpu_functions();

extern const CpuFunctions kBaselineFunctions, kX8664V3Functions;

}  // namespace exarch::timeloop
