// Adding up what the layers of a network cost.
#pragma once

#include <cstdint>

#include "kernels/core/config.hpp"
#include "kernels/maestro/types.hpp"

namespace exarch::maestro {
inline namespace EXARCH_ISA {

// sum + times * value, wrapping as 64-bit integers do.
[[nodiscard]] EXARCH_HD std::int64_t wrapping_sum(std::int64_t sum, std::int64_t times, std::int64_t value) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) +
                                   static_cast<std::uint64_t>(times) * static_cast<std::uint64_t>(value));
}

EXARCH_HD void add(const Delay& delay, std::int64_t repeats, Delay& sum) {
  sum.min = min_of(sum.min, delay.min);
  sum.max = max_of(sum.max, delay.max);
  sum.sum = wrapping_sum(sum.sum, repeats, delay.sum);
}

// Adds a layer; the first one makes the totals.
EXARCH_HD void add(const Counters& layer, const LayerCount& count, const Hardware& hardware, bool first, Totals& totals) {
  const std::int64_t impossible = is_impossible(layer, hardware, count.macs) ? count.repeats : 0;
  const double active = layer.active_pes * static_cast<double>(layer.runtime) * static_cast<double>(count.repeats);
  if (first) {
    totals = {};
    totals.counters.ingress.min = layer.ingress.min;
    totals.counters.egress.min = layer.egress.min;
    totals.counters.compute.min = layer.compute.min;
    totals.counters.l1_in_energy = layer.l1_in_energy;
    totals.counters.l1_size = layer.l1_size;
    totals.counters.l2_size = layer.l2_size;
  }
  Counters& sum = totals.counters;
  const auto accumulate = [&count](std::int64_t value, std::int64_t& target) {
    target = wrapping_sum(target, count.repeats, value);
  };
  accumulate(layer.runtime, sum.runtime);
  accumulate(layer.num_macs, sum.num_macs);
  accumulate(layer.l1_output, sum.l1_output);
  for (std::uint32_t t = 0; t < kTensors; ++t) {
    accumulate(layer.l2_read[t], sum.l2_read[t]);
    accumulate(layer.l2_write[t], sum.l2_write[t]);
  }
  sum.l1_in_energy = min_of(sum.l1_in_energy, layer.l1_in_energy);
  sum.sizes_wrapped = max_of(sum.sizes_wrapped, layer.sizes_wrapped);
  sum.l1_size = max_of(sum.l1_size, layer.l1_size);
  sum.l2_size = max_of(sum.l2_size, layer.l2_size);
  sum.peak_bw = max_of(sum.peak_bw, layer.peak_bw);
  sum.offchip_bw = max_of(sum.offchip_bw, layer.offchip_bw);
  accumulate(layer.bw_sum, sum.bw_sum);
  accumulate(layer.occurrences, sum.occurrences);
  add(layer.ingress, count.repeats, sum.ingress);
  add(layer.egress, count.repeats, sum.egress);
  add(layer.compute, count.repeats, sum.compute);
  accumulate(layer.last_macs, sum.last_macs);
  accumulate(layer.last_ingress, sum.last_ingress);
  totals.impossible += impossible;
  totals.active_cycles += active;
  const bool single = first && count.repeats == 1;
  // No time at all gives no average: a NaN's bits would depend on the machine.
  sum.active_pes = single ? layer.active_pes : sum.runtime == 0 ? 0 : totals.active_cycles / static_cast<double>(sum.runtime);
}

}  // namespace EXARCH_ISA
}  // namespace exarch::maestro
