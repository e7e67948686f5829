// What follows a partial mapping: spreads, tiles of the children, orders of the loops, and who hands words on to whom.
#include <algorithm>

#include "host/error.hpp"
#include "host/timeloop/search_run.hpp"

namespace exarch::timeloop {

const std::vector<Block>& MappingSearch::blocks_of(std::uint32_t stage, std::uint32_t spread, std::uint32_t layout) const {
  return layout == 0 ? stages_[stage].spreads[spread].blocks : layouts_[stage].at(spread)[layout - 1];
}

// The loops outside a stage, with their strides.
Nest MappingSearch::outside(std::uint32_t stage, std::uint32_t at) const {
  Nest nest{};
  nest.levels = architecture_.levels;
  for (std::uint32_t s = stage + 1; s < stages_.size(); ++s) {
    const Partial& inner = partials_[s - 1][at];
    const Partial& outer = partials_[s][inner.parent];
    Ways ways{inner.parent, inner.tile, &stages_[s].spreads[inner.spread], {}, 0, 0, 0};
    for (std::uint32_t d = 0; d < kDims; ++d) {
      ways.loops[d] = tiles_.quotient(d, tiles_.quotient(d, tiles_.digits(outer.tile)[d], ways.spread->digits[d]),
                                      tiles_.digits(inner.tile)[d]);
      if (ways.loops[d] != 0) ways.dims = static_cast<DimSet>(ways.dims | 1u << d);
    }
    set_loops(s, ways, stages_[s].orders[ways.dims][inner.order], blocks_of(s, inner.spread, inner.layout), nest);
    at = inner.parent;
  }
  return nest;
}

// Enters the loops of a stage into a nest.
void MappingSearch::set_loops(std::uint32_t stage, const Ways& ways, const Order& order, const std::vector<Block>& blocks,
                              Nest& nest) const {
  std::array<std::int64_t, kDims> around = tiles_.extents(ways.child);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const std::size_t level = stages_[stage].lowest + b;
    for (std::uint32_t d = 0; d < kDims && level > 0; ++d) nest.extent[level - 1][d] = around[d];
    NestBlock& spatial = nest.spatial[level];
    spatial.count = blocks[b].count;
    std::int64_t x = 1, y = 1;
    for (std::uint32_t l = 0; l < blocks[b].count; ++l) {
      const Loop& loop = blocks[b].loop[l];
      spatial.loop[l] = {loop.dim, loop.axis, loop.bound, around[index_of(loop.dim)]};
      around[index_of(loop.dim)] *= loop.bound;
      (loop.axis == Axis::x ? x : y) *= loop.bound;
    }
    nest.fan[level] = x * y;
    nest.wide[level] = std::max(wide_[level], x);
    nest.high[level] = std::max(high_[level], y);
    nest.temporal[level].count = 0;
  }
  NestBlock& temporal = nest.temporal[stages_[stage].level];
  temporal.count = order.count;
  for (std::uint32_t l = 0; l < order.count; ++l) {
    const std::uint32_t d = index_of(order.loop[l]);
    temporal.loop[l] = {order.loop[l], Axis::x, tiles_.divisors(d)[ways.loops[d]], around[d]};
  }
}

// The bounds for what is inside a stage, where a spread is decided.
std::uint32_t MappingSearch::table_of(std::uint32_t stage, std::uint32_t at, const Spread& spread) {
  const Partial& from = partials_[stage][at];
  if (stage == 0 || stages_[stage].spreads.size() == 1) return from.table;
  SearchBound::Shares shares{1, 1, 1};
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    if (from.source[space] < 0) continue;
    shares[space] = from.used / (from.instances[space] * from.groups[space]) * most_alike(spread, tiles_, space);
  }
  return bound_->table(stage - 1, shares);
}

void MappingSearch::expand(std::uint32_t stage, std::uint32_t at) {
  const TileLattice::Digits& tile = tiles_.digits(partials_[stage][at].tile);
  ++result_.partial;
  if (slides_ || stage == 0) outer_ = outside(stage, at);
  for (const Spread& spread : stages_[stage].spreads) {
    TileLattice::Digits rest;
    if (!tiles_.divide(tile, spread.digits, rest)) continue;
    Ways ways{at, 0, &spread, {}, 0, 0, table_of(stage, at, spread)};
    visit(stage, ways, rest, 0);
  }
}

// All tiles of the children, dimension by dimension; `ways.child` has those decided.
void MappingSearch::visit(std::uint32_t stage, Ways& ways, const TileLattice::Digits& rest, std::size_t place) {
  if (place == split_.size()) {
    decide(stage, ways);
    return;
  }
  const std::uint32_t d = split_[place];
  const auto most = static_cast<std::uint8_t>(stage == 0 ? 0 : rest[d]);
  const DimSet dims = ways.dims;
  const std::uint32_t child = ways.child;
  for (std::uint8_t i = 0; i <= most; ++i) {
    const std::uint8_t loop = tiles_.quotient(d, rest[d], i);
    if (loop == TileLattice::kNone || !stages_[stage].temporal[d][loop]) continue;
    ways.child = child + i * tiles_.radix(d);
    ways.loops[d] = loop;
    ways.dims = static_cast<DimSet>(loop == 0 ? dims : dims | 1u << d);
    visit(stage, ways, rest, place + 1);
  }
  ways.dims = dims;
  ways.child = child;
}

// A tile of the children is chosen. Before anything is counted: what is inside costs at least the bound.
void MappingSearch::decide(std::uint32_t stage, Ways& ways) {
  ++result_.decisions;
  const Partial& from = partials_[stage][ways.from];
  const double used = from.used * ways.spread->children;
  if (stage > 0) {
    const double cycles = std::max(from.cycles, computes_ / (used * bound_->multipliers(stage - 1, ways.child)));
    if (hopeless(costs(from.energy + bound_->energy(ways.table, stage - 1, ways.child) + least_leak_ * cycles, cycles))) return;
  }
  ways.steps = computes_ / (tiles_.computes(ways.child) * used);
  for (std::uint32_t order = 0; order < stages_[stage].orders[ways.dims].size(); ++order) lay_out(stage, ways, order);
}

// What a child receives of the inputs over the run. `may_link`: neighbours may have had the same before.
double MappingSearch::input_deliveries(std::uint32_t level, const Nest& nest, std::uint32_t child, const Spread& spread,
                                       bool& may_link) const {
  Classes classes;
  const std::array<std::int64_t, kDims> extents = tiles_.extents(child);
  std::int64_t tile[kDims];
  std::copy(extents.begin(), extents.end(), tile);
  classify(task_.problem, nest, level, kInputs, tile, classes);
  std::int64_t reach[kRanks];
  for (std::uint32_t r = 0; r < kRanks; ++r) {
    std::int64_t last[kDims];
    for (std::uint32_t d = 0; d < kDims; ++d) last[d] = (tiles_.divisors(d)[spread.digits[d]] - 1) * extents[d];
    reach[r] = along(rank_of(task_.problem, kInputs, r), last);
  }
  auto words = static_cast<double>(classes.tile);
  may_link = false;
  for (std::uint32_t j = 0; j < classes.count; ++j) {
    words += static_cast<double>(classes.weight[j]) * static_cast<double>(classes.words[j]);
    bool within = classes.words[j] > 0;
    for (std::uint32_t r = 0; r < kRanks && within; ++r) within = std::abs(classes.shift[j][r]) <= reach[r];
    may_link = may_link || within;
  }
  may_link = may_link && spread.children > 1;
  return words;
}

// All layouts of a spread of a stage with one level.
const std::vector<std::vector<Block>>& MappingSearch::layouts(std::uint32_t stage, std::uint32_t spread) {
  auto [at, is_new] = layouts_[stage].try_emplace(spread);
  if (is_new) {
    const std::uint32_t level = stages_[stage].level;
    for (Block& block : layouts_of(stages_[stage].spreads[spread], tiles_, task_.constraints.spatial[level], wide_[level],
                                   high_[level], places_of(task_.problem, task_.constraints))) {
      at->second.push_back({block});
    }
  }
  return at->second;
}

// The number of the innermost loops, up to the first one after which inputs never overlap.
std::uint32_t MappingSearch::segment_of(const Nest& nest, std::uint32_t level) {
  std::vector<std::int64_t> segment;
  std::size_t moving = 0;
  for (std::uint32_t s = level; s < nest.levels; ++s) {
    for (std::uint32_t l = 0; l < nest.temporal[s].count; ++l) {
      const NestLoop& loop = nest.temporal[s].loop[l];
      if ((hard_ & set_of(loop.dim)) != 0) {
        s = nest.levels;
        break;
      }
      segment.insert(segment.end(), {static_cast<std::int64_t>(loop.dim), loop.bound, loop.stride});
      if (loop.dim != Dim::M) moving = segment.size();
    }
  }
  segment.resize(moving == 0 ? 0 : moving);
  return segments_.try_emplace(segment, static_cast<std::uint32_t>(segments_.size())).first->second;
}

// Whether the outermost loop of a level that keeps nothing may as well stand at the next level outside; then it does. Loops over
// channels, batch and groups may always, merged with those that are there: what comes after them is read whole in any case. A
// loop over another dimension may where it comes out with the same strides.
bool MappingSearch::moves_out(std::uint32_t stage, const Order& loops) const {
  if (!slides_ || !stages_[stage].passes || loops.count == 0) return false;
  const Dim last = loops.loop[loops.count - 1];
  if (last == Dim::C || last == Dim::N || last == Dim::G) return true;
  const auto is_over = [last](const NestBlock& block) {
    return std::any_of(block.loop, block.loop + block.count, [last](const NestLoop& loop) { return loop.dim == last; });
  };
  const std::uint32_t next = stages_[stage].level + 1;
  return !is_over(outer_.temporal[next]) && (last == Dim::M || !is_over(outer_.spatial[next]));
}

void MappingSearch::lay_out(std::uint32_t stage, const Ways& ways, std::uint32_t order) {
  const Partial& from = partials_[stage][ways.from];
  const Order& loops = stages_[stage].orders[ways.dims][order];
  const Spread& spread = *ways.spread;
  Shape shape{static_cast<std::uint32_t>(ways.spread - stages_[stage].spreads.data()),
              0,
              from.segment,
              static_cast<std::uint8_t>(order),
              from.idle,
              from.prefix};
  // The tensor that the innermost loops leave in its place, and for how long.
  if (loops.count > 0) {
    const Space idle = idle_of(loops.loop[0]);
    std::uint32_t l = 0;
    double iterations = 1;
    for (; l < loops.count && idle_of(loops.loop[l]) == idle; ++l) {
      const std::uint32_t d = index_of(loops.loop[l]);
      iterations *= static_cast<double>(tiles_.divisors(d)[ways.loops[d]]);
    }
    shape.prefix = idle == kSpaces ? 1 : iterations * (l == loops.count && from.idle == idle ? from.prefix : 1);
    shape.idle = static_cast<std::uint8_t>(idle);
  }
  if (moves_out(stage, loops)) return;
  if (stage > 0) {
    const double used = from.used * spread.children;
    const double cycles = std::max(from.cycles, computes_ / (used * bound_->multipliers(stage - 1, ways.child)));
    const double inside = bound_->energy(ways.table, stage - 1, ways.child, shape.idle);
    if (hopeless(costs(from.energy + inside + least_leak_ * cycles, cycles))) return;
  }
  Deliveries delivered;
  const auto plain = [&](std::uint32_t space, double words, double groups) {
    delivered[space] = {words * groups, words, 0, groups};
  };
  if (stage == 0 && spread.children == 1) {
    for (std::uint32_t space = 0; space < kSpaces; ++space) plain(space, ways.steps, 1);
    finish(ways, shape, delivered);
    return;
  }
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    const double words = tiles_.words(ways.child)[space] * ways.steps / (shape.idle == space ? shape.prefix : 1);
    plain(space, words, spread.distinct[space]);
  }
  bool may_link = stage == 0;
  if (slides_ || stage == 0) {
    set_loops(stage, ways, loops, spread.blocks, outer_);
    if (stage > 0) {
      const std::uint32_t level = stages_[stage].level;
      plain(kInputs, input_deliveries(level, outer_, ways.child, spread, may_link),
            input_groups(task_.problem, spread, tiles_, ways.child));
      shape.segment = segment_of(outer_, level);
    }
  }
  if (may_link) {
    hand_on(stage, ways, shape, delivered);
  } else {
    keep(stage, ways, shape, delivered);
  }
}

// Where neighbours hand words on, it matters who is whose neighbour: all layouts are tried.
void MappingSearch::hand_on(std::uint32_t stage, const Ways& ways, Shape& shape, Deliveries& delivered) {
  const Order& loops = stages_[stage].orders[ways.dims][shape.order];
  const std::vector<std::vector<Block>>& all = layouts(stage, shape.spread);
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    set_loops(stage, ways, loops, all[i], outer_);
    shape.layout = i + 1;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      if (stage > 0 && space != kInputs) continue;
      Counts counts;
      if (deliver<false>(task_.problem, outer_, stages_[stage].level, space, work_->view(), counts) != Status::ok) {
        throw Error("the search needs more kinds of multicast, or larger counts, than the model has room for");
      }
      double accesses = 0, received = 0;
      for (std::uint32_t k = 0; k < counts.ingresses; ++k) {
        accesses += counts.ingress[k].accesses;
        received += counts.ingress[k].accesses * counts.ingress[k].multicast;
      }
      const double children = ways.spread->children;
      delivered[space] = {accesses, received / children, counts.link, children * accesses / received};
    }
    if (stage == 0) {
      finish(ways, shape, delivered);
    } else {
      keep(stage, ways, shape, delivered);
    }
  }
}

}  // namespace exarch::timeloop
