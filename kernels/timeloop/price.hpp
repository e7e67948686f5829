// What counts cost: energy, cycles, area and utilisation, in doubles, in Timeloop's order of operations.
//
// Every price is computed here and nowhere else, whoever asks.
#pragma once

#include "kernels/timeloop/types.hpp"

namespace exarch::timeloop {

// What one level costs.
struct LevelPrice {
  std::int64_t cycles;  // that its bandwidth allows
  double slowdown;      // 1: it keeps up with the multipliers
  double energy_pj;     // of all instances, leakage included
  double leakage_pj;
  double area_um2;  // of all instances
  std::int64_t vector_reads[kSpaces], vector_fills[kSpaces], vector_updates[kSpaces];
  double instance_pj[kSpaces];                 // of one instance, without leakage
  double read_bw[kSpaces], write_bw[kSpaces];  // words per cycle that flow
};

struct Price {
  std::int64_t cycles, computes;
  double energy_pj, area_um2, utilization;
  double compute_pj, compute_um2;
  LevelPrice level[kMaxLevels];
};

// What a goal says of a mapping: cycles, energy in pJ, or pJ x cycles.
[[nodiscard]] EXARCH_HD double cost_of(Goal goal, double energy_pj, double cycles) {
  return goal == Goal::cycles ? cycles : goal == Goal::energy ? energy_pj : energy_pj * cycles;
}

inline namespace EXARCH_ISA {

// Vector accesses for a number of words. Words are negative where more first fills are left out than there are fills.
[[nodiscard]] EXARCH_HD std::int64_t vectors(std::int64_t words, std::int64_t block) {
  if ((block & (block - 1)) == 0) {  // as blocks mostly are: without a division
    const std::uint32_t shift = log2_floor(static_cast<std::uint64_t>(block));
    return words > 0 ? (words + block - 1) >> shift : -((-words) >> shift);
  }
  return words / block + (words > 0 && words % block != 0 ? 1 : 0);
}

// Areas are 32-bit numbers in Timeloop.
[[nodiscard]] EXARCH_HD double area_of(double um2, std::int64_t instances) {
  return static_cast<double>(static_cast<float>(um2)) * static_cast<double>(instances);
}

// The factor by which a level is too slow: 1 where the bandwidth (0: unlimited) covers the demand.
[[nodiscard]] EXARCH_HD double slowdown_of(double bandwidth, double demand) {
  return bandwidth > 0 && bandwidth < demand ? bandwidth / demand : 1.0;
}

// By how many a level's accesses are divided: instances of a cluster share them.
[[nodiscard]] EXARCH_HD double spread_of(const Storage& storage, const Replication& use) {
  const std::int64_t xy = use.x * use.y;
  if (storage.cluster_size == 1 && xy <= storage.instances) return 1;
  return static_cast<double>(xy) / static_cast<double>(min_of(xy, storage.instances / storage.cluster_size));
}

// The energy of one instance for a tensor, from its vector accesses.
[[nodiscard]] EXARCH_HD double energy_of(const Storage& storage, std::int64_t reads, std::int64_t fills, std::int64_t updates,
                                         double spread) {
  const double energy = static_cast<double>(reads) * storage.read_pj + static_cast<double>(fills) * storage.fill_pj +
                        static_cast<double>(updates) * storage.update_pj;
  return spread == 1 ? energy : energy / spread;
}

// Cycles of a level that is slower by this factor; false where it takes more than kLargestCount.
[[nodiscard]] EXARCH_HD bool cycles_of(double cycles, double slowdown, std::int64_t& out) {
  const double needed = cycles / slowdown;
  if (!(needed <= static_cast<double>(kLargestCount))) return false;
  out = static_cast<std::int64_t>(needed);
  if (static_cast<double>(out) < needed) ++out;
  return true;
}

// The accesses, bandwidth and energy of a level, without leakage; false where it takes more than kLargestCount cycles.
[[nodiscard]] EXARCH_HD bool price_level(const Storage& storage, const Replication& use, const Counts (&counts)[kSpaces],
                                         std::int64_t steps, LevelPrice& out) {
  const auto cycles = static_cast<double>(steps);
  const double spread = spread_of(storage, use);
  double reads = 0, writes = 0;
  out.energy_pj = out.leakage_pj = 0;
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    const Counts& c = counts[space];
    out.vector_reads[space] = vectors(c.reads, storage.block_size);
    out.vector_fills[space] = vectors(c.fills, storage.block_size);
    out.vector_updates[space] = vectors(c.updates, storage.block_size);
    out.instance_pj[space] =
        energy_of(storage, out.vector_reads[space], out.vector_fills[space], out.vector_updates[space], spread);
    out.energy_pj += out.instance_pj[space] * static_cast<double>(use.instances);
    out.read_bw[space] = static_cast<double>(c.reads) / cycles;
    out.write_bw[space] = static_cast<double>(c.fills + c.updates) / cycles;
    reads += out.read_bw[space];
    writes += out.write_bw[space];
  }
  out.slowdown = min_of(slowdown_of(storage.read_bw, reads), slowdown_of(storage.write_bw, writes));
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    out.read_bw[space] *= out.slowdown;
    out.write_bw[space] *= out.slowdown;
  }
  out.area_um2 = area_of(storage.area_um2, storage.instances);
  return cycles_of(cycles, out.slowdown, out.cycles);
}

// Leakage of a level, which needs the cycles of all levels.
[[nodiscard]] EXARCH_HD double leakage_of(const Storage& storage, std::int64_t cycles, const Replication& use) {
  return storage.leak_pj * static_cast<double>(cycles) * static_cast<double>(max_of<std::int64_t>(1, use.instances));
}

// Prices complete counts; Status::too_large where a bandwidth is so small that cycles exceed kLargestCount.
[[nodiscard]] EXARCH_HD Status price(const Architecture& architecture, const Counters& counters, Price& out) {
  const Compute& compute = architecture.compute;
  out.computes = counters.steps * counters.units.instances;
  out.cycles = counters.steps;
  for (std::uint32_t s = 0; s < architecture.levels; ++s) {
    if (!price_level(architecture.storage[s], counters.use[s], counters.count[s], counters.steps, out.level[s])) {
      return Status::too_large;
    }
    out.cycles = max_of(out.cycles, out.level[s].cycles);
  }
  out.compute_pj = static_cast<double>(out.computes) * compute.compute_pj;
  out.compute_um2 = area_of(compute.area_um2, compute.instances);
  out.energy_pj = out.compute_pj;
  out.area_um2 = out.compute_um2;
  for (std::uint32_t s = 0; s < architecture.levels; ++s) {
    LevelPrice& level = out.level[s];
    level.leakage_pj = leakage_of(architecture.storage[s], out.cycles, counters.use[s]);
    level.energy_pj += level.leakage_pj;
    out.energy_pj += level.energy_pj;
    out.area_um2 += level.area_um2;
  }
  out.utilization = static_cast<double>(out.computes) / static_cast<double>(compute.instances) / static_cast<double>(out.cycles);
  return Status::ok;
}

}  // namespace EXARCH_ISA
}  // namespace exarch::timeloop
