// What a mapping costs in all, without what it is made of: for searches, which look at thousands of mappings for one that is
// kept.
//
// The numbers are those of count() and price(), to the bit. What mappings have in common is worked out once:
//
//   Frame frame;                                    // of a layer on an architecture
//   if (make_frame(problem, architecture, rule, frame) != Status::ok) return;
//   Nest nest;
//   Totals totals;
//   Fault fault{};
//   const Status status = total(frame, mapping, work, nest, totals, fault);
//
// Where mappings differ in what levels keep alone, all that a level delivers is the same, too: see Shared.
#pragma once

#include "kernels/timeloop/price.hpp"
#include "kernels/timeloop/traffic.hpp"

namespace exarch::timeloop {

struct Frame {
  Problem problem;
  Architecture architecture;
  FillRule rule;
  std::int64_t wide[kMaxLevels], high[kMaxLevels];  // the network of each level
  double area_um2;
  bool limited[kMaxLevels];  // a level has a bandwidth
};

// A nest, and what it delivers if every level keeps every tensor.
struct Shared {
  Status nest_status;            // of the nest; with another status than ok there is nothing else
  Fault fault;                   // of the nest
  Status space_status[kSpaces];  // of what is delivered of a tensor
  Nest nest;
  Counters counters;  // tiles, partitions, ingress and links
};

inline namespace EXARCH_ISA {

// Status::ok, or what is wrong with the layer and the architecture, whatever the mapping.
[[nodiscard]] EXARCH_HD Status make_frame(const Problem& problem, const Architecture& architecture, FillRule rule, Frame& out,
                                          Fault& fault) {
  Nest nest;
  fault = {};
  out.problem = problem;
  out.architecture = architecture;
  out.rule = rule;
  if (const Status status = lay_hardware(problem, architecture, nest, fault); status != Status::ok) return status;
  out.area_um2 = area_of(architecture.compute.area_um2, architecture.compute.instances);
  for (std::uint32_t s = 0; s < architecture.levels; ++s) {
    const Storage& storage = architecture.storage[s];
    out.wide[s] = nest.wide[s];
    out.high[s] = nest.high[s];
    out.area_um2 += area_of(storage.area_um2, storage.instances);
    out.limited[s] = storage.read_bw > 0 || storage.write_bw > 0;
  }
  return Status::ok;
}

// The temporal loops of a nest one after the other, the innermost first: what the deliveries of all levels are summed from.
struct Line {
  std::uint32_t first[kMaxLevels + 1];         // (level) its innermost loop, or the next one outside
  std::int64_t beyond[kMaxLoops + 1];          // (loop) iterations of it and of all outside it
  std::int64_t bound[kMaxLoops];               // (loop)
  std::int64_t step[kMaxLoops][kRanks];        // (loop) how it moves the inputs
  std::uint8_t moves[kMaxLoops + 1][kSpaces];  // (loop) the first one from here outwards that moves a tensor
};

EXARCH_HD void make_line(const Problem& problem, const Nest& nest, Line& out) {
  std::uint32_t count = 0;
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    out.first[s] = count;
    for (std::uint32_t l = 0; l < nest.temporal[s].count; ++l, ++count) {
      const NestLoop& loop = nest.temporal[s].loop[l];
      out.bound[count] = loop.bound;
      const std::uint32_t rank = rank_moved_by(kInputs, loop.dim);
      const std::int64_t step = coefficient_of(problem, kInputs, loop.dim) * loop.stride;
      for (std::uint32_t r = 0; r < kRanks; ++r) out.step[count][r] = r == rank ? step : 0;
      for (std::uint32_t space = 0; space < kSpaces; ++space) {
        out.moves[count][space] = rank_moved_by(space, loop.dim) == kRanks ? 1 : 0;  // for now
      }
    }
  }
  out.first[nest.levels] = count;
  out.beyond[count] = 1;
  for (std::uint32_t space = 0; space < kSpaces; ++space) out.moves[count][space] = static_cast<std::uint8_t>(count);
  for (std::uint32_t i = count; i-- > 0;) {
    out.beyond[i] = out.bound[i] * out.beyond[i + 1];
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      out.moves[i][space] = out.moves[i][space] != 0 ? out.moves[i + 1][space] : static_cast<std::uint8_t>(i);
    }
  }
}

// Words that one element of a level receives of a tensor in all, as the classes of deliver() add up to; below 0 where a neighbour
// may have what an element needs, or where there are more than kLargestCount.
//
// Weights and outputs move along one rank per dimension. Loops inside the first that moves the tile find it in place; every other
// step brings a tile that overlaps none before. Inputs slide: there each class has words of its own, summed from the innermost
// loop outwards.
[[nodiscard]] EXARCH_HD std::int64_t words_received(const Line& line, std::uint32_t level, std::uint32_t levels,
                                                    std::uint32_t space, const std::int64_t (&extent)[kRanks], std::int64_t tile,
                                                    bool many, const std::int64_t (&reach)[kRanks]) {
  const std::uint32_t end = line.first[levels], begin = line.first[level];
  const std::uint32_t moving = line.moves[begin][space];
  std::int64_t sum = 0;
  if (space != kInputs) return times(tile, line.beyond[moving], sum) ? sum : -1;
  if (moving == end) return tile;
  std::int64_t inner[kRanks] = {}, first[kRanks], inner_words = moving == begin ? -1 : 0;
  for (std::uint32_t r = 0; r < kRanks; ++r) first[r] = line.step[line.moves[begin][space]][r];
  for (std::uint32_t i = moving; i < end; ++i) {
    std::int64_t shift[kRanks];
    std::int64_t other = 0, any = 0;
    for (std::uint32_t r = 0; r < kRanks; ++r) {
      shift[r] = line.step[i][r] - inner[r];
      inner[r] += line.step[i][r];
      any |= shift[r];
      other |= shift[r] ^ first[r];
    }
    const std::int64_t words = any == 0 ? 0 : other == 0 ? new_words(tile, extent, shift) : tile;
    if (inner_words < 0) inner_words = words;
    if (many && words != 0 && words == inner_words) {
      bool within = true;  // the reach of the elements: serve() would look at them
      for (std::uint32_t r = 0; r < kRanks; ++r) within &= shift[r] <= reach[r] && -shift[r] <= reach[r];
      if (within) return -1;
    }
    std::int64_t steps = 0;
    if (!times(sum, line.bound[i], sum) || !times(words, line.bound[i] - 1, steps)) return -1;
    sum += steps;
  }
  return sum + tile;
}

// deliver() without hops, the short way where all accesses of the level are alike. The tile of the level inside is given.
[[nodiscard]] EXARCH_HD Status deliver_totals(const Problem& problem, const Nest& nest, const Line& line, std::uint32_t level,
                                              std::uint32_t space, std::int64_t tile, const std::int64_t (&extent)[kRanks],
                                              const Workspace& work, Counts& counts) {
  Uniform uniform;
  const bool many = nest.fan[level] > 1;
  // Multipliers take what a neighbour had in the step before, where that is the same.
  if (level > 0 && nest.fan[level] <= kMaxElements && groups_evenly(problem, nest.spatial[level], space, uniform)) {
    std::int64_t all = 0;
    const std::int64_t each = words_received(line, level, nest.levels, space, extent, tile, many, uniform.reach);
    if (each >= 0 && times(each, uniform.groups, all)) {
      counts.link = counts.hops = 0;
      counts.ingresses = 1;
      counts.ingress[0] = {uniform.multicast, uniform.groups, static_cast<double>(all)};
      return Status::ok;
    }
  }
  return deliver<false>(problem, nest, level, space, work, counts);
}

// Cycles that a level's bandwidth allows, as price_level() has them.
[[nodiscard]] EXARCH_HD bool limited_cycles(const Storage& storage, const AccessCounts (&accesses)[kSpaces], std::int64_t steps,
                                            std::int64_t& out) {
  const auto cycles = static_cast<double>(steps);
  double reads = 0, writes = 0;
  for (const AccessCounts& a : accesses) {
    reads += static_cast<double>(a.reads);
    writes += static_cast<double>(a.fills + a.updates);
  }
  // Far below the bandwidth, whatever is rounded.
  const double most = cycles * (1 - 1e-9);
  if ((storage.read_bw == 0 || reads <= storage.read_bw * most) && (storage.write_bw == 0 || writes <= storage.write_bw * most)) {
    out = steps;
    return true;
  }
  reads = writes = 0;
  for (const AccessCounts& a : accesses) {
    reads += static_cast<double>(a.reads) / cycles;
    writes += static_cast<double>(a.fills + a.updates) / cycles;
  }
  return cycles_of(cycles, min_of(slowdown_of(storage.read_bw, reads), slowdown_of(storage.write_bw, writes)), out);
}

// The sums of price() for accesses[level][tensor].
[[nodiscard]] EXARCH_HD Status price_totals(const Frame& frame, const Nest& nest,
                                            const AccessCounts (&accesses)[kMaxLevels][kSpaces], Totals& out) {
  const Architecture& a = frame.architecture;
  double energy[kMaxLevels];
  out.steps = out.cycles = nest.steps;
  out.computes = nest.steps * nest.units.instances;
  for (std::uint32_t s = 0; s < a.levels; ++s) {
    const Storage& storage = a.storage[s];
    const double spread = spread_of(storage, nest.use[s]);
    energy[s] = 0;
    for (const AccessCounts& each : accesses[s]) {
      energy[s] += energy_of(storage, vectors(each.reads, storage.block_size), vectors(each.fills, storage.block_size),
                             vectors(each.updates, storage.block_size), spread) *
                   static_cast<double>(nest.use[s].instances);
    }
    std::int64_t cycles = nest.steps;
    if (frame.limited[s] && !limited_cycles(storage, accesses[s], nest.steps, cycles)) return Status::too_large;
    out.cycles = max_of(out.cycles, cycles);
  }
  out.energy_pj = static_cast<double>(out.computes) * a.compute.compute_pj;
  for (std::uint32_t s = 0; s < a.levels; ++s) {
    out.energy_pj += energy[s] + leakage_of(a.storage[s], out.cycles, nest.use[s]);
  }
  out.area_um2 = frame.area_um2;
  out.utilization =
      static_cast<double>(out.computes) / static_cast<double>(a.compute.instances) / static_cast<double>(out.cycles);
  return Status::ok;
}

// The accesses of all levels to a tensor: 0 where it is bypassed.
[[nodiscard]] EXARCH_HD bool count_all(const Frame& frame, const Nest& nest, const Keep& keep, std::uint32_t space,
                                       const Flow& flow, const std::int64_t (&partition)[kMaxLevels],
                                       AccessCounts (&accesses)[kMaxLevels][kSpaces]) {
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    if (!keep[s][space]) {
      accesses[s][space] = {};
    } else if (!count_accesses(space, s, frame.rule, flow, partition[s], nest.use[s], accesses[s][space])) {
      return false;
    }
  }
  return true;
}

// What a mapping costs, or why it has no cost. `nest` is scratch memory.
[[nodiscard]] EXARCH_HD Status total(const Frame& frame, const Mapping& mapping, const Workspace& work, Nest& nest, Totals& out,
                                     Fault& fault) {
  nest.levels = frame.architecture.levels;
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    nest.wide[s] = frame.wide[s];
    nest.high[s] = frame.high[s];
  }
  fault = {};
  Status status = lay_loops(frame.problem, mapping, nest, fault);
  if (status == Status::ok) status = check_nest(frame.problem, frame.architecture, mapping.keep, nest, fault);
  if (status != Status::ok) return status;
  AccessCounts accesses[kMaxLevels][kSpaces];
  Line line;
  make_line(frame.problem, nest, line);
  Counts counts;
  Flow flow;
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    std::int64_t tile[kMaxLevels], partition[kMaxLevels];
    std::int64_t extent[kRanks] = {}, inner = 0;  // of the tile inside
    const auto deliver_of = [&](std::uint32_t s, const Counts*& delivered) {
      delivered = &counts;
      status = deliver_totals(frame.problem, nest, line, s, space, inner, extent, work, counts);
      inner = tile[s] = measure(frame.problem, space, nest.extent[s], extent);  // the layer's fits, and so does a part of it
      return status;
    };
    status = make_flow(nest, mapping.keep, space, deliver_of, flow);
    if (status != Status::ok) return status;
    if (!make_partitions(frame.problem, nest, space, tile, partition)) return Status::too_large;
    if (!count_all(frame, nest, mapping.keep, space, flow, partition, accesses)) return Status::too_large;
  }
  return price_totals(frame, nest, accesses, out);
}

// What all mappings share that have the loops of `mapping`, on a frame that is good.
EXARCH_HD void share(const Frame& frame, const Mapping& mapping, const Workspace& work, Shared& out) {
  Nest& nest = out.nest;
  nest.levels = frame.architecture.levels;
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    nest.wide[s] = frame.wide[s];
    nest.high[s] = frame.high[s];
  }
  out.fault = {};
  out.nest_status = lay_loops(frame.problem, mapping, nest, out.fault);
  if (out.nest_status != Status::ok) return;
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    Status& status = out.space_status[space] = Status::ok;
    std::int64_t tile[kMaxLevels], partition[kMaxLevels];
    for (std::uint32_t s = 0; s < nest.levels && status == Status::ok; ++s) {
      status = volume_of(frame.problem, space, nest.extent[s], tile[s])
                   ? deliver<false>(frame.problem, nest, s, space, work, out.counters.count[s][space])
                   : Status::too_large;
    }
    if (status != Status::ok) continue;
    if (!make_partitions(frame.problem, nest, space, tile, partition)) status = Status::too_large;
    for (std::uint32_t s = 0; s < nest.levels; ++s) out.counters.count[s][space].partition = partition[s];
  }
}

// total() of the mapping that `shared` was made of, but with what levels keep given apart.
[[nodiscard]] EXARCH_HD Status total(const Frame& frame, const Shared& shared, const Keep& keep, Totals& out, Fault& fault) {
  fault = shared.fault;
  if (shared.nest_status != Status::ok) return shared.nest_status;
  const Nest& nest = shared.nest;
  if (const Status status = check_nest(frame.problem, frame.architecture, keep, nest, fault); status != Status::ok) return status;
  AccessCounts accesses[kMaxLevels][kSpaces];
  Flow flow;
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    if (shared.space_status[space] != Status::ok) return shared.space_status[space];
    std::int64_t partition[kMaxLevels];
    const auto deliver_of = [&](std::uint32_t s, const Counts*& delivered) {
      delivered = &shared.counters.count[s][space];
      partition[s] = delivered->partition;
      return Status::ok;
    };
    if (const Status status = make_flow(nest, keep, space, deliver_of, flow); status != Status::ok) return status;
    if (!count_all(frame, nest, keep, space, flow, partition, accesses)) return Status::too_large;
  }
  return price_totals(frame, nest, accesses, out);
}

}  // namespace EXARCH_ISA
}  // namespace exarch::timeloop
