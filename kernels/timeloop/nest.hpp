// The loop nest of a mapping: strides, tiles and replication of every level, and whether Timeloop accepts it.
//
//   Nest nest;
//   Fault fault{};
//   const Status status = make_nest(input, nest, fault);
#pragma once

#include "kernels/timeloop/types.hpp"

namespace exarch::timeloop {

// A loop whose bound is not 1. Its stride is the product of the bounds of all loops inside it over the same dimension.
struct NestLoop {
  Dim dim;
  Axis axis;
  std::int64_t bound, stride;
};

struct NestBlock {
  std::uint32_t count;
  NestLoop loop[kDims];
};

// Indices an innermost-first level: s = 0 is the innermost storage level.
struct Nest {
  std::uint32_t levels;
  NestBlock spatial[kMaxLevels], temporal[kMaxLevels];
  std::int64_t around[kMaxLevels][kDims];           // extents of the tiles of all children of level s together
  std::int64_t extent[kMaxLevels][kDims];           // extents of the tile of level s
  std::int64_t fan[kMaxLevels];                     // children of an instance in use
  std::int64_t wide[kMaxLevels], high[kMaxLevels];  // the network of level s: columns and rows
  Replication use[kMaxLevels], units;
  std::int64_t steps;
};

// A rank of a tensor: the sum of two dimensions with their coefficients.
struct Rank {
  Dim dim[2];
  std::int64_t coefficient[2];
};

inline namespace EXARCH_ISA {

// a x b where neither is negative; false where that exceeds kLargestCount. The product of doubles is exact up to there, and
// beyond it is rounded to no less.
[[nodiscard]] EXARCH_HD bool times(std::int64_t a, std::int64_t b, std::int64_t& product) {
  if (static_cast<double>(a) * static_cast<double>(b) > static_cast<double>(kLargestCount)) return false;
  const std::int64_t whole = a * b;
  if (whole > kLargestCount) return false;
  product = whole;
  return true;
}

// The rank of a tensor. Example: Inputs, rank 2: Wdilation x R + Wstride x P.
[[nodiscard]] EXARCH_HD Rank rank_of(const Problem& problem, std::uint32_t space, std::uint32_t rank) {
  const auto plain = [](Dim dim) { return Rank{{dim, dim}, {1, 0}}; };
  if (rank == 4) return plain(Dim::G);
  if (space == kWeights) return plain(static_cast<Dim>(rank));
  if (space == kOutputs) return plain(rank == 0 ? Dim::N : rank == 1 ? Dim::M : rank == 2 ? Dim::Q : Dim::P);
  if (rank == 0) return plain(Dim::N);
  if (rank == 1) return plain(Dim::C);
  if (rank == 2) return {{Dim::R, Dim::P}, {problem.wdilation, problem.wstride}};
  return {{Dim::S, Dim::Q}, {problem.hdilation, problem.hstride}};
}

// What a vector over the dimensions is along a rank.
[[nodiscard]] EXARCH_HD std::int64_t along(const Rank& rank, const std::int64_t (&vector)[kDims]) {
  return rank.coefficient[0] * vector[index_of(rank.dim[0])] + rank.coefficient[1] * vector[index_of(rank.dim[1])];
}

// The rank along which a dimension moves a tensor: one at most; kRanks where it does not.
[[nodiscard]] EXARCH_HD std::uint32_t rank_moved_by(std::uint32_t space, Dim dim) {
  // A hexadecimal digit per dimension, C last: the inverse of rank_of().
  static_assert(kDims == 8 && kRanks == 5);
  const std::uint32_t ranks = space == kWeights ? 0x45553210u : space == kInputs ? 0x43203251u : 0x42305515u;
  return ranks >> (4 * index_of(dim)) & 0xFu;
}

// How far a step of a dimension moves a tensor along that rank.
[[nodiscard]] EXARCH_HD std::int64_t coefficient_of(const Problem& problem, std::uint32_t space, Dim dim) {
  if (space != kInputs) return 1;
  return dim == Dim::P   ? problem.wstride
         : dim == Dim::Q ? problem.hstride
         : dim == Dim::R ? problem.wdilation
         : dim == Dim::S ? problem.hdilation
                         : 1;
}

// How long a tile is along a rank: its bounding box, so that stride 4 with R = 1 and P = 2 gives 5.
[[nodiscard]] EXARCH_HD std::int64_t extent_along(const Rank& rank, const std::int64_t (&extent)[kDims]) {
  return 1 + rank.coefficient[0] * (extent[index_of(rank.dim[0])] - 1) +
         rank.coefficient[1] * (extent[index_of(rank.dim[1])] - 1);
}

// Words of a tile; false beyond kLargestCount.
[[nodiscard]] EXARCH_HD bool volume_of(const Problem& problem, std::uint32_t space, const std::int64_t (&extent)[kDims],
                                       std::int64_t& volume) {
  volume = 1;
  for (std::uint32_t r = 0; r < kRanks; ++r) {
    if (!times(volume, extent_along(rank_of(problem, space, r), extent), volume)) return false;
  }
  return true;
}

// Whether a bound, a stride or a number of instances is one that the model takes: 1 to kLargestNumber.
[[nodiscard]] EXARCH_HD bool is_number(std::int64_t value) {
  return value >= 1 && value <= kLargestNumber;
}

// Not negative, and not so large that a sum of such prices could be infinite; false for what is no number.
[[nodiscard]] EXARCH_HD bool is_price(double value) {
  return value >= 0 && value <= 1e30;
}

// Whether every number of layer and architecture is in its range. Meshes and loops are looked at elsewhere.
[[nodiscard]] EXARCH_HD bool has_good_numbers(const Problem& p, const Architecture& a) {
  for (const std::int64_t bound : p.bound) {
    if (!is_number(bound)) return false;
  }
  if (!is_number(p.wstride) || !is_number(p.hstride) || !is_number(p.wdilation) || !is_number(p.hdilation)) return false;
  if (!is_number(a.compute.instances) || !is_number(a.compute.mesh_x) || !is_number(a.compute.mesh_y)) return false;
  if (!is_price(a.compute.compute_pj) || !is_price(a.compute.area_um2)) return false;
  if (a.levels < 1 || a.levels > kMaxLevels) return false;
  for (std::uint32_t s = 0; s < a.levels; ++s) {
    const Storage& level = a.storage[s];
    if (level.size < -1 || level.size > kLargestCount) return false;
    if (!is_number(level.block_size) || !is_number(level.cluster_size) || level.cluster_size > level.instances) return false;
    if (!is_number(level.instances) || !is_number(level.mesh_x) || !is_number(level.mesh_y)) return false;
    if (!is_price(level.read_bw) || !is_price(level.write_bw) || !is_price(level.leak_pj) || !is_price(level.area_um2))
      return false;
    if (!is_price(level.read_pj) || !is_price(level.fill_pj) || !is_price(level.update_pj)) return false;
  }
  return true;
}

// Whether the meshes fit into each other; the network of each level.
[[nodiscard]] EXARCH_HD bool lay_networks(const Architecture& a, Nest& nest, Fault& fault) {
  std::int64_t x = a.compute.mesh_x, y = a.compute.mesh_y;
  if (x * y != a.compute.instances) return false;
  for (std::uint32_t s = 0; s < a.levels; ++s) {
    const Storage& level = a.storage[s];
    fault.level = s;
    if (level.mesh_x * level.mesh_y != level.instances || x % level.mesh_x != 0 || y % level.mesh_y != 0) return false;
    nest.wide[s] = x / level.mesh_x;
    nest.high[s] = y / level.mesh_y;
    x = level.mesh_x;
    y = level.mesh_y;
  }
  return true;
}

// Copies the loops of a block, but for those with bound 1, and gives them strides.
[[nodiscard]] EXARCH_HD Status add_block(const Block& block, bool spatial, std::int64_t (&scale)[kDims], NestBlock& out,
                                         Fault& fault) {
  std::uint32_t seen = 0;
  bool on_y = false;
  out.count = 0;
  for (std::uint32_t l = 0; l < block.count; ++l) {
    const Loop& loop = block.loop[l];
    const std::uint32_t dim = index_of(loop.dim);
    if (block.count > kDims || dim >= kDims || !is_number(loop.bound)) return Status::bad_number;
    fault.dim = loop.dim;
    if ((seen >> dim & 1u) != 0) return Status::repeated_loop;
    seen |= 1u << dim;
    if (loop.bound == 1) continue;
    if (spatial && loop.axis == Axis::x && on_y) return Status::axis_order;
    on_y = on_y || loop.axis == Axis::y;
    out.loop[out.count++] = {loop.dim, loop.axis, loop.bound, scale[dim]};
    if (!times(scale[dim], loop.bound, scale[dim])) return Status::too_large;
  }
  return Status::ok;
}

// How often things are there: x, y and their product beyond level s, from the outermost level to the units.
[[nodiscard]] EXARCH_HD bool replicate(Nest& nest) {
  Replication now{1, 1, 1};
  for (std::uint32_t s = nest.levels; s-- > 0;) {
    nest.use[s] = now;
    nest.fan[s] = 1;
    std::int64_t x = 1, y = 1;
    for (std::uint32_t l = 0; l < nest.spatial[s].count; ++l) {
      const NestLoop& loop = nest.spatial[s].loop[l];
      std::int64_t& side = loop.axis == Axis::x ? x : y;
      if (!times(side, loop.bound, side) || !times(nest.fan[s], loop.bound, nest.fan[s])) return false;
    }
    if (!times(now.instances, nest.fan[s], now.instances) || !times(now.x, x, now.x) || !times(now.y, y, now.y)) return false;
    nest.wide[s] = max_of(nest.wide[s], x);
    nest.high[s] = max_of(nest.high[s], y);
  }
  nest.units = now;
  nest.steps = 1;
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    for (std::uint32_t l = 0; l < nest.temporal[s].count; ++l) {
      if (!times(nest.steps, nest.temporal[s].loop[l].bound, nest.steps)) return false;
    }
  }
  std::int64_t computes = 0;
  return times(nest.steps, nest.units.instances, computes);
}

// What no mapping changes of a nest: levels and networks.
[[nodiscard]] EXARCH_HD Status lay_hardware(const Problem& problem, const Architecture& a, Nest& nest, Fault& fault) {
  if (!has_good_numbers(problem, a)) return Status::bad_number;
  nest.levels = a.levels;
  return lay_networks(a, nest, fault) ? Status::ok : Status::mesh;
}

// Puts the loops of a mapping into a nest whose hardware is laid.
[[nodiscard]] EXARCH_HD Status lay_loops(const Problem& problem, const Mapping& mapping, Nest& nest, Fault& fault) {
  std::int64_t scale[kDims];
  for (std::int64_t& factor : scale) factor = 1;
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    fault.level = s;
    Status status = add_block(mapping.spatial[s], true, scale, nest.spatial[s], fault);
    if (status != Status::ok) return status;
    if (nest.spatial[s].count > 0 && nest.wide[s] * nest.high[s] == 1) return Status::no_fanout;
    for (std::uint32_t d = 0; d < kDims; ++d) nest.around[s][d] = scale[d];
    status = add_block(mapping.temporal[s], false, scale, nest.temporal[s], fault);
    if (status != Status::ok) return status;
    for (std::uint32_t d = 0; d < kDims; ++d) nest.extent[s][d] = scale[d];
  }
  for (std::uint32_t d = 0; d < kDims; ++d) {
    if (scale[d] == problem.bound[d]) continue;
    fault.dim = static_cast<Dim>(d);
    fault.needed = scale[d];
    fault.available = problem.bound[d];
    return Status::factor_product;
  }
  if (!replicate(nest)) return Status::too_large;
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    std::int64_t volume = 0;
    if (!volume_of(problem, space, nest.extent[nest.levels - 1], volume)) return Status::too_large;
  }
  return Status::ok;
}

// The nest of an input, or why Timeloop would not read it.
[[nodiscard]] EXARCH_HD Status make_nest(const Input& input, Nest& nest, Fault& fault) {
  if (const Status status = lay_hardware(input.problem, input.architecture, nest, fault); status != Status::ok) return status;
  return lay_loops(input.problem, input.mapping, nest, fault);
}

// Which of the three numbers is the first that exceeds what is there.
[[nodiscard]] EXARCH_HD Excess excess_of(const Replication& needed, std::int64_t instances, std::int64_t x, std::int64_t y,
                                         Fault& fault) {
  const auto exceeds = [&fault](std::int64_t need, std::int64_t there) {
    fault.needed = need;
    fault.available = there;
    return need > there;
  };
  if (exceeds(needed.instances, instances)) return Excess::instances;
  if (exceeds(needed.x, x)) return Excess::x;
  if (exceeds(needed.y, y)) return Excess::y;
  fault.needed = fault.available = 0;
  return Excess::none;
}

// Whether the hardware can carry the mapping, in Timeloop's order: bypass, multipliers, then each level from the innermost.
[[nodiscard]] EXARCH_HD Status check_nest(const Problem& problem, const Architecture& architecture, const Keep& keep,
                                          const Nest& nest, Fault& fault) {
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    bool kept = false;
    for (std::uint32_t s = 0; s < nest.levels; ++s) kept = kept || keep[s][space];
    if (!kept) return Status::bypassed;
  }
  const Compute& compute = architecture.compute;
  switch (excess_of(nest.units, compute.instances, compute.mesh_x, compute.mesh_y, fault)) {
    case Excess::instances:
      return Status::compute_instances;
    case Excess::x:
      return Status::compute_x;
    case Excess::y:
      return Status::compute_y;
    case Excess::none:
      break;
  }
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    const Storage& level = architecture.storage[s];
    fault.level = s;
    fault.tile = 0;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      std::int64_t volume = 0;
      if (!keep[s][space]) continue;
      if (!volume_of(problem, space, nest.extent[s], volume)) return Status::too_large;
      fault.tile += volume;
    }
    fault.capacity = level.size;
    fault.over_capacity = level.size >= 0 && fault.tile > level.size;
    fault.excess = excess_of(nest.use[s], level.instances, level.mesh_x, level.mesh_y, fault);
    if (fault.over_capacity || fault.excess != Excess::none) return Status::level;
  }
  fault = {};
  return Status::ok;
}

}  // namespace EXARCH_ISA
}  // namespace exarch::timeloop
