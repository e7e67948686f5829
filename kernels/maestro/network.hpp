// One candidate on all layers of a workload: what its layers cost together.
#pragma once

#include <cstdint>

#include "kernels/core/config.hpp"
#include "kernels/maestro/analyze.hpp"
#include "kernels/maestro/decode.hpp"
#include "kernels/maestro/totals.hpp"
#include "kernels/maestro/types.hpp"

namespace exarch::maestro {
inline namespace EXARCH_ISA {

// A candidate on one layer.
EXARCH_HD Status evaluate(const CleanDesign& design, const Layer& layer, Version version, Workspace<TwoLevels>& work,
                          Counters& counters) {
  decode(design, layer, work.mapping);
  return evaluate(layer, work.mapping, design.hardware, version, work, counters);
}

EXARCH_HD Status evaluate(const ArchgymDesign& design, const Layer& layer, Version version, Workspace<TwoLevels>& work,
                          Counters& counters) {
  const Status status = decode(design, layer, work.mapping);
  if (status != Status::ok) return status;
  const Hardware hardware = kArchgymHardware;  // a device has no address of a host's constant
  return evaluate(layer, work.mapping, hardware, version, work, counters);
}

EXARCH_HD Status evaluate(const ShippedDesign& design, const Layer& layer, Version version, Workspace<TwoLevels>& work,
                          Counters& counters) {
  return evaluate(as_shipped(design.design, layer), layer, version, work, counters);
}

[[nodiscard]] EXARCH_HD Hardware hardware_of(const CleanDesign& design) {
  return design.hardware;
}
[[nodiscard]] EXARCH_HD Hardware hardware_of(const ArchgymDesign& /*design*/) {
  return kArchgymHardware;
}
[[nodiscard]] EXARCH_HD Hardware hardware_of(const ShippedDesign& /*design*/) {
  return kArchgymHardware;
}

// A candidate on all layers; the status of the first layer that fails.
template <class Design>
EXARCH_HD Status evaluate(const Design& design, const NetworkView& network, Workspace<TwoLevels>& work, Totals& totals) {
  for (std::uint32_t l = 0; l < network.count; ++l) {
    Counters counters;
    const Status status = evaluate(design, network.layers[l].layer, network.version, work, counters);
    if (status != Status::ok) return status;
    add(counters, network.layers[l], hardware_of(design), l == 0, totals);
  }
  return Status::ok;
}

}  // namespace EXARCH_ISA
}  // namespace exarch::maestro
