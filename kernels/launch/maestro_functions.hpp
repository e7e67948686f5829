// The body of every CPU launch of MAESTRO's kernels; included once per instruction-set level.
#pragma once

#include "kernels/launch/maestro_launch.hpp"
#include "kernels/maestro/network.hpp"

namespace exarch::maestro {
inline namespace EXARCH_ISA {

inline Status run_problem(const Problem& problem, Version version, Counters& counters) {
  Workspace<AnyMapping> work;
  return evaluate(problem.layer, problem.mapping, problem.hardware, version, work, counters);
}

template <class Design>
Status run_network(const Design& design, const NetworkView& network, Totals& totals) {
  Workspace<TwoLevels> work;
  return evaluate(design, network, work, totals);
}

inline constexpr CpuFunctions functions_named(const char* name) {
  return {name, run_problem, run_network<CleanDesign>, run_network<ArchgymDesign>, run_network<ShippedDesign>};
}

}  // namespace EXARCH_ISA
}  // namespace exarch::maestro
