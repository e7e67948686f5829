// Running MAESTRO evaluations on the CPU: the launch points, one per instruction-set level, and their choice.
//
// All levels give the same bits. A caller gives one evaluation at a time; the CPU backend calls this from all its threads.
#pragma once

#include <cstdint>

#include "kernels/maestro/decode.hpp"
#include "kernels/maestro/types.hpp"

namespace exarch::maestro {

// One layer under one mapping: any mapping that fits into `Mapping`.
struct Problem {
  Layer layer;
  Mapping mapping;
  Hardware hardware;
};

struct CpuFunctions {
  const char* name;
  Status (*problem)(const Problem& problem, Version version, Counters& counters);
  // A candidate on all layers of a network; the status of the first layer that fails.
  Status (*clean)(const CleanDesign& design, const NetworkView& network, Totals& totals);
  Status (*archgym)(const ArchgymDesign& design, const NetworkView& network, Totals& totals);
  Status (*shipped)(const ShippedDesign& design, const NetworkView& network, Totals& totals);
};

// The fastest this processor can execute.
[[nodiscard]] const CpuFunctions& cpu_functions();

extern const CpuFunctions kBaselineFunctions, kX8664V3Functions;

}  // namespace exarch::maestro
