// The slow, obvious MAESTRO cost model: the yardstick of the fast kernels.
//
// Follows the public tool MAESTRO rule by rule, in the order in which docs/models.md states them: recursion over the levels, one
// case at a time, nothing remembered. It is never optimised. Tests compare the kernels with it.
#pragma once

#include "kernels/maestro/types.hpp"

namespace exarch::maestro {

// Costs one layer under one mapping on one accelerator, as the tool's given version does (docs/models.md; source: MAESTRO). Fills
// `counters` if the status is ok and leaves zeros otherwise.
[[nodiscard]] Status evaluate_reference(const Layer& layer, const Mapping& mapping, const Hardware& hardware, Version version,
                                        Counters& counters);

}  // namespace exarch::maestro
