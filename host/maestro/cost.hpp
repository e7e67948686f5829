// What MAESTRO's counts cost: energy, area and power, as the tool computes them.
//
// Doubles in the tool's order of operations, so that all its digits are reproduced; the tool's comments give the units. Sources
// of the constants: docs/models.md.
#pragma once

#include <cstdint>

#include "kernels/maestro/types.hpp"

namespace exarch::maestro {

struct Energy {
  double tool_nj;     // as the tool prints it: without L1 wherever the mapping has a cluster, see Counters::l1_in_energy
  double with_l1_nj;  // with L1 always; not the tool's
};
[[nodiscard]] Energy energy_of(const Counters& counters);
// The energy of a layer behind another one in a file of several, where the tool adds the L1 accesses of the layer before.
[[nodiscard]] double energy_behind(const Counters& counters, const Counters& before);

struct AreaPower {
  double area_um2;
  double pe_mw, l1_mw, l2_mw, noc_mw, total_mw;
};
// Of PEs with L1 and an L2 as large as the counters require, a bus and an arbiter.
[[nodiscard]] AreaPower area_and_power(const Counters& counters, const Hardware& hardware);

// ArchGym's own area, in its unit, of 1,024 PEs.
[[nodiscard]] double archgym_area(const Counters& counters);

// term + term + ... + term, `count` times, rounded after each addition, in a time that does not grow with the count.
[[nodiscard]] double repeated_sum(double term, std::int64_t count);

}  // namespace exarch::maestro
