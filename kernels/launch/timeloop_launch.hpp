// Running Timeloop's model on the CPU: the launch points, one per instruction-set level, and their choice.
//
// All levels give the same bits. A caller gives one evaluation at a time; threads may call at once.
//
//   Counters counters;
//   Price price;
//   Fault fault;
//   const Status status = cpu_functions().evaluate(input, FillRule::current, counters, price, fault);
#pragma once

#include "kernels/timeloop/draw.hpp"
#include "kernels/timeloop/price.hpp"
#include "kernels/timeloop/types.hpp"

namespace exarch::timeloop {

struct CpuFunctions {
  const char* name;
  // Counts and prices of an input. With another status than ok, `fault` says what is wrong, and the others are incomplete.
  Status (*evaluate)(const Input& input, FillRule rule, Counters& counters, Price& price, Fault& fault);
  // The sums alone, which takes a fraction of the time (kernels/timeloop/totals.hpp); the same status and bits.
  Status (*total)(const Frame& frame, const Mapping& mapping, Totals& totals, Fault& fault);
  // For mappings that differ in what levels keep: what they share, and the sums of each.
  void (*share)(const Frame& frame, const Mapping& mapping, Shared& shared);
  Status (*total_of_kept)(const Frame& frame, const Shared& shared, const Keep& keep, Totals& totals, Fault& fault);
  // The best of the random mappings from number `first` to below `end` (kernels/timeloop/draw.hpp).
  void (*draw)(const DrawView& view, std::uint64_t seed, std::uint64_t first, std::uint64_t end, Drawn& best);
};

// The fastest this processor can execute.
[[nodiscard]] const CpuFunctions& cpu_functions();

extern const CpuFunctions kBaselineFunctions, kX8664V3Functions;

}  // namespace exarch::timeloop
