#include "host/timeloop/map_space.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "host/error.hpp"
#include "kernels/timeloop/nest.hpp"

namespace exarch::timeloop {
namespace {

constexpr const char* kTensorNames[kSpaces] = {"weights", "inputs", "outputs"};
constexpr std::uint64_t kFactorial[kDims + 1] = {1, 1, 2, 6, 24, 120, 720, 5040, 40320};

[[noreturn]] void refuse(const std::string& what) {
  throw Error("map space: " + what);
}

// product *= by; false where that exceeds 128 bits.
bool multiplied(WideCount& product, WideCount by) {
  if (by != 0 && product > ~WideCount{0} / by) return false;
  product *= by;
  return true;
}

// Whether a constraint is about loops that a level without a choice of children cannot have.
bool asks_for_loops(const BlockConstraint& constraint) {
  for (const std::int64_t factor : constraint.factor) {
    if (factor != BlockConstraint::kOpen && factor != 1) return true;
  }
  return constraint.split >= 0;
}

// Permutation number `index` of a list: the place of each entry in turn is a digit of the index, the first the most significant.
void permute(Dim* list, std::uint32_t count, std::uint64_t index) {
  for (std::uint32_t i = 0; i + 1 < count; ++i) {
    const std::uint64_t scale = kFactorial[count - i - 1];
    const std::uint64_t chosen = index / scale;
    index %= scale;
    std::rotate(list + i, list + i + chosen, list + i + chosen + 1);
  }
}

// A block whose loops are the given ones only, in this order. Their factors are open. The others have places too, so that the
// order is complete: innermost.
BlockConstraint only(std::initializer_list<Dim> loops) {
  BlockConstraint block;
  block.factor.fill(1);
  for (const Dim dim : loops) block.factor[index_of(dim)] = BlockConstraint::kOpen;
  for (std::uint32_t d = 0; d < index_of(Dim::G); ++d) {
    if (block.factor[d] == 1) block.innermost.push_back(static_cast<Dim>(d));
  }
  block.innermost.insert(block.innermost.end(), loops);
  return block;
}

}  // namespace

Constraints row_stationary() {
  enum Level : std::uint8_t { kPsums, kFilters, kIfmaps, kColumns, kGlobal, kDram };
  Constraints c;
  for (BlockConstraint& block : c.spatial) block = only({});
  for (BlockConstraint& block : c.temporal) block = only({});
  c.temporal[kPsums] = only({Dim::M});
  c.temporal[kFilters] = only({Dim::C, Dim::R});
  c.temporal[kFilters].factor[index_of(Dim::R)] = BlockConstraint::kWhole;
  c.temporal[kGlobal] = only({Dim::C, Dim::P, Dim::N, Dim::M});
  c.temporal[kGlobal].factor[index_of(Dim::P)] = BlockConstraint::kWhole;
  c.temporal[kDram] = only({Dim::C, Dim::M, Dim::N, Dim::Q});
  c.temporal[kDram].factor[index_of(Dim::G)] = BlockConstraint::kOpen;
  c.spatial[kColumns] = only({Dim::S, Dim::C, Dim::M});
  c.spatial[kColumns].factor[index_of(Dim::S)] = BlockConstraint::kWhole;
  c.spatial[kColumns].split = 0;
  c.spatial[kGlobal] = only({Dim::Q, Dim::M});
  c.spatial[kGlobal].split = kDims;

  const auto keep = [&c](Level level, std::initializer_list<Space> kept) {
    c.keep[level].fill(Choice::no);
    for (const Space space : kept) c.keep[level][space] = Choice::yes;
  };
  keep(kPsums, {kOutputs});
  keep(kFilters, {kWeights});
  keep(kIfmaps, {kInputs});
  keep(kColumns, {});
  keep(kGlobal, {kInputs, kOutputs});
  keep(kDram, {kWeights, kInputs, kOutputs});
  return c;
}

Constraints with_groups(Constraints constraints, const Problem& problem) {
  if (problem.bound[index_of(Dim::G)] > 1 &&
      std::find(constraints.dims.begin(), constraints.dims.end(), Dim::G) == constraints.dims.end()) {
    constraints.dims.push_back(Dim::G);
  }
  return constraints;
}

// ---- building a map space ------------------------------------------------------------------------------------------------

MapSpace::MapSpace(const Problem& problem, const Architecture& architecture, const Constraints& constraints,
                   std::vector<std::string> level_names)
    : problem_(problem),
      architecture_(architecture),
      level_names_(std::move(level_names)),
      dims_(constraints.dims),
      tensors_(constraints.tensors),
      min_parallelism_(constraints.min_parallelism) {
  check_numbers(constraints);
  lay_blocks(constraints);
  lay_factors(constraints);
  lay_bypasses(constraints);
  WideCount total = 1;
  for (const WideCount part : {sizes_.factors, sizes_.orders, sizes_.splits, sizes_.bypasses}) {
    if (part == 0 || !multiplied(total, part)) {  // 0: a part is too large itself
      refuse("there are 2^128 mappings or more, which are too many to number: fix some factors, orders or bypasses");
    }
  }
}

void MapSpace::check_numbers(const Constraints& constraints) {
  std::uint32_t listed = 0;
  for (const Dim dim : dims_) {
    if (index_of(dim) >= kDims || (listed >> index_of(dim) & 1u) != 0) refuse("the problem lists a dimension twice");
    listed |= 1u << index_of(dim);
  }
  std::uint32_t tensors = 0;
  for (const Space space : tensors_) tensors |= 1u << space;
  if (tensors != 7u) refuse("the problem has each of its three tensors once");
  for (std::uint32_t d = 0; d < kDims; ++d) {
    const std::int64_t most = (listed >> d & 1u) != 0 ? kLargestNumber : 1;
    if (problem_.bound[d] >= 1 && problem_.bound[d] <= most) continue;
    refuse(std::string("the layer's ") + kDimNames[d] + " = " + std::to_string(problem_.bound[d]) + ": expected 1 to " +
           std::to_string(most));
  }
  if (architecture_.levels < 1 || architecture_.levels > kMaxLevels)
    refuse("expected 1 to " + std::to_string(kMaxLevels) + " storage levels");
  const double share = constraints.min_parallelism;
  if (!(share >= 0 && share <= 1)) refuse("the least share of multipliers in use is a number from 0 to 1");
  level_names_.resize(architecture_.levels);
  for (std::uint32_t s = 0; s < architecture_.levels; ++s) {
    if (level_names_[s].empty()) level_names_[s] = "level " + std::to_string(s);
  }
}

std::string MapSpace::place_of(const Block& block) const {
  return level_names_[block.level] + (block.spatial ? ", spatial loops" : ", temporal loops");
}

// The blocks of the nest, and the orders and splits they have.
void MapSpace::lay_blocks(const Constraints& constraints) {
  std::int64_t x = architecture_.compute.mesh_x, y = architecture_.compute.mesh_y;
  for (std::uint32_t s = 0; s < architecture_.levels; ++s) {
    const Storage& level = architecture_.storage[s];
    if (level.mesh_x < 1 || level.mesh_y < 1 || x < 1 || y < 1 || x % level.mesh_x != 0 || y % level.mesh_y != 0) {
      refuse(level_names_[s] + ": a mesh of " + std::to_string(x) + " x " + std::to_string(y) +
             " cannot be shared evenly by one of " + std::to_string(level.mesh_x) + " x " + std::to_string(level.mesh_y) +
             ": choose meshes that divide those inside them");
    }
    wide_[s] = x / level.mesh_x;
    high_[s] = y / level.mesh_y;
    x = level.mesh_x;
    y = level.mesh_y;
    if (wide_[s] * high_[s] > 1) {
      add_block(s, true, constraints.spatial[s]);
    } else if (asks_for_loops(constraints.spatial[s])) {
      refuse(level_names_[s] +
             ", spatial loops: there can be none, because the level has one child only; remove this constraint");
    }
    add_block(s, false, constraints.temporal[s]);
  }
  sizes_.orders = sizes_.splits = 1;
  for (const Block& block : blocks_) {
    const std::size_t fixed = block.inner.size() + block.outer.size();
    if (block.free_order && !multiplied(sizes_.orders, kFactorial[dims_.size() - fixed])) sizes_.orders = 0;
    if (block.spatial && block.split < 0) sizes_.splits *= dims_.size() + 1;
  }
}

void MapSpace::add_block(std::uint32_t level, bool spatial, const BlockConstraint& constraint) {
  Block block{level, spatial, constraint.split, true, constraint.innermost, constraint.outermost};
  std::uint32_t seen = 0;
  for (const std::vector<Dim>* list : {&block.inner, &block.outer}) {
    for (const Dim dim : *list) {
      if (std::find(dims_.begin(), dims_.end(), dim) == dims_.end()) {
        refuse(place_of(block) + ": the order names a dimension that the problem does not have");
      }
      if ((seen >> index_of(dim) & 1u) != 0) refuse(place_of(block) + ": the order names a dimension twice; name each once");
      seen |= 1u << index_of(dim);
    }
  }
  for (std::uint32_t d = 0; d < kDims; ++d) {
    if (constraint.factor[d] <= 1 || std::find(dims_.begin(), dims_.end(), static_cast<Dim>(d)) != dims_.end()) continue;
    refuse(place_of(block) + ": a factor of " + kDimNames[d] + ", which the problem does not have");
  }
  if (block.split < -1)
    refuse(place_of(block) + ": a split is the number of dimensions on X, from 0 to " + std::to_string(dims_.size()));
  // Where the order of loops cannot matter, Timeloop has one: within the innermost block, and along one axis.
  const bool one_axis = spatial && (wide_[level] == 1 || high_[level] == 1);
  if ((blocks_.empty() && !spatial) || (one_axis && seen == 0)) {
    block.free_order = false;
    for (const Dim dim : dims_) {
      if ((seen >> index_of(dim) & 1u) == 0) block.inner.push_back(dim);
    }
  }
  blocks_.push_back(std::move(block));
}

// What a constraint says of one factor.
FactorSlot MapSpace::slot_of(const BlockConstraint& constraint, const Block& block, Dim dim) {
  const std::uint32_t d = index_of(dim);
  const std::int64_t bound = problem_.bound[d], factor = constraint.factor[d];
  const std::string what = place_of(block) + ": " + kDimNames[d] + " = " + std::to_string(factor);
  if (factor < BlockConstraint::kWhole) refuse(what + ": expected a factor from 1, open or whole");
  if (constraint.most[d] < 0 || constraint.least[d] < 0) refuse(what + ": limits of a factor are numbers from 1");
  FactorSlot slot;
  if (constraint.most[d] > 0) slot.most = constraint.most[d];
  if (constraint.least[d] > 0) slot.least = constraint.least[d];
  if (factor == BlockConstraint::kWhole) slot.fixed = bound;
  if (factor > 0 && factor <= bound) slot.fixed = factor;
  if (factor > bound) {
    warnings_.push_back(what + " exceeds the layer's " + std::to_string(bound) + " and is ignored, as Timeloop does");
  }
  return slot;
}

void MapSpace::lay_factors(const Constraints& constraints) {
  sizes_.factors = 1;
  for (const Dim dim : dims_) {
    const std::uint32_t d = index_of(dim);
    std::vector<FactorSlot> slots;
    std::string fixed;  // "level 0, temporal loops 3, level 1, spatial loops 5"
    for (const Block& block : blocks_) {
      const BlockConstraint& constraint = (block.spatial ? constraints.spatial : constraints.temporal)[block.level];
      slots.push_back(slot_of(constraint, block, dim));
      if (slots.back().fixed.value_or(1) == 1) continue;
      fixed += (fixed.empty() ? "" : "; ") + place_of(block) + " " + std::to_string(*slots.back().fixed);
    }
    const std::string layer = std::string(kDimNames[d]) + " = " + std::to_string(problem_.bound[d]);
    if (fixed.empty()) fixed = "none above 1";
    if (!FactorSplits::left_over(problem_.bound[d], slots)) {
      refuse("the fixed factors do not multiply to the layer's " + layer + " (" + fixed +
             "): leave one of them open, or choose divisors");
    }
    const FactorSplits& splits = factors_.emplace_back(problem_.bound[d], slots);
    if (splits.size() == 0) {
      refuse("no factors of the layer's " + layer + " keep all limits (fixed: " + fixed + "): widen the limits of " +
             kDimNames[d]);
    }
    if (!multiplied(sizes_.factors, splits.size())) refuse("there are 2^128 factors or more: fix some");
  }
}

void MapSpace::lay_bypasses(const Constraints& constraints) {
  keep_ = constraints.keep;
  sizes_.bypasses = 1;
  for (const Space space : tensors_) {
    Choice& outermost = keep_[architecture_.levels - 1][space];
    if (outermost == Choice::open) outermost = Choice::yes;
    bool can_stay = false;
    for (std::uint32_t s = 0; s < architecture_.levels; ++s) {
      can_stay = can_stay || keep_[s][space] != Choice::no;
      if (keep_[s][space] == Choice::open) sizes_.bypasses *= 2;
    }
    if (!can_stay) refuse(std::string(kTensorNames[space]) + " bypass every level: let one keep them");
  }
}

// ---- from a number to a mapping ------------------------------------------------------------------------------------------

MapSlice MapSpace::slice(WideCount factors) const {
  return slice_of(factors, true);
}

Mapping MapSpace::at(const MapParts& index) const {
  return slice_of(index.factors, false).at(index.orders, index.splits, index.bypasses);
}

MapSlice MapSpace::slice_of(WideCount factors, bool pruned) const {
  MapSlice slice;
  slice.space_ = this;
  slice.sizes_ = {1, 1, 1, sizes_.bypasses};
  for (std::size_t d = 0; d < dims_.size(); ++d) {
    std::array<std::int64_t, 2 * std::size_t{kMaxLevels}> column{};
    factors_[d].at(factors % factors_[d].size(), column.data());
    factors /= factors_[d].size();
    for (std::size_t b = 0; b < blocks_.size(); ++b) slice.block_[b].factor[index_of(dims_[d])] = column[b];
  }
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const Block& from = blocks_[b];
    MapSlice::Block& to = slice.block_[b];
    // Where the split is fixed it counts all dimensions, so that all of them keep their places.
    const bool skips = pruned && (!from.spatial || from.split < 0);
    for (const Dim dim : dims_) to.units += skips && to.factor[index_of(dim)] == 1 ? 1 : 0;
    place_loops(from, skips, to);
    slice.sizes_.orders *= kFactorial[to.permuted];
    if (from.spatial && from.split < 0) slice.sizes_.splits *= dims_.size() + 1 - to.units;
  }
  return slice;
}

// The loops of a block before they are permuted. With `units_first`, those of bound 1 are the innermost.
void MapSpace::place_loops(const Block& from, bool units_first, MapSlice::Block& to) const {
  if (from.inner.size() == dims_.size() && (!units_first || !from.free_order || !from.spatial)) {  // nothing to choose
    std::copy(from.inner.begin(), from.inner.end(), to.loops.begin());
    to.first = static_cast<std::uint32_t>(dims_.size());
    return;
  }
  std::uint32_t taken = 0, count = 0;
  const auto take = [&](Dim dim) {
    if ((taken >> index_of(dim) & 1u) != 0) return;
    taken |= 1u << index_of(dim);
    to.loops[count++] = dim;
  };
  for (const Dim dim : dims_) {
    if (units_first && to.factor[index_of(dim)] == 1) take(dim);
  }
  for (const Dim dim : from.inner) take(dim);
  to.first = count;
  for (const Dim dim : dims_) {
    if (std::find(from.outer.begin(), from.outer.end(), dim) == from.outer.end()) take(dim);
  }
  to.permuted = count - to.first;
  for (const Dim dim : from.outer) take(dim);
}

Mapping MapSlice::at(WideCount order, WideCount split, WideCount bypass) const {
  Mapping mapping{};
  const auto dims = static_cast<std::uint32_t>(space_->dims_.size());
  for (std::size_t b = 0; b < space_->blocks_.size(); ++b) {
    const MapSpace::Block& from = space_->blocks_[b];
    std::array<Dim, kDims> loops = block_[b].loops;
    permute(&loops[block_[b].first], block_[b].permuted, static_cast<std::uint64_t>(order % kFactorial[block_[b].permuted]));
    order /= kFactorial[block_[b].permuted];
    auto on_x = static_cast<std::uint32_t>(from.split);
    if (from.spatial && from.split < 0) {
      const std::uint32_t choices = dims + 1 - block_[b].units;
      on_x = block_[b].units + static_cast<std::uint32_t>(split % choices);
      split /= choices;
    }
    timeloop::Block& to = (from.spatial ? mapping.spatial : mapping.temporal)[from.level];
    for (std::uint32_t l = 0; l < dims; ++l) {
      const std::int64_t bound = block_[b].factor[index_of(loops[l])];
      if (bound > 1) to.loop[to.count++] = {loops[l], from.spatial && l >= on_x ? Axis::y : Axis::x, bound};
    }
  }
  for (const Space space : space_->tensors_) {
    for (std::uint32_t s = 0; s < space_->architecture_.levels; ++s) {
      const Choice choice = space_->keep_[s][space];
      mapping.keep[s][space] = choice == Choice::open ? bypass % 2 == 1 : choice == Choice::yes;
      if (choice == Choice::open) bypass /= 2;
    }
  }
  return mapping;
}

// ---- quick rejection -----------------------------------------------------------------------------------------------------

MapSpace::Rejection MapSpace::rejection_of(const Mapping& mapping) const {
  double share = 1;  // of the multipliers
  for (std::uint32_t s = 0; s < architecture_.levels; ++s) {
    if (wide_[s] * high_[s] == 1) continue;
    std::int64_t x = 1, y = 1;
    for (std::uint32_t l = 0; l < mapping.spatial[s].count; ++l) {
      const Loop& loop = mapping.spatial[s].loop[l];
      std::int64_t& side = loop.axis == Axis::x ? x : y;
      side *= loop.bound;
      if (side > (loop.axis == Axis::x ? wide_[s] : high_[s])) return Rejection::fanout;
    }
    share *= static_cast<double>(x) * static_cast<double>(y) / static_cast<double>(wide_[s] * high_[s]);
  }
  if (share < min_parallelism_) return Rejection::fanout;
  bool kept[kSpaces] = {};
  std::int64_t extent[kDims];
  for (std::int64_t& e : extent) e = 1;
  for (std::uint32_t s = 0; s < architecture_.levels; ++s) {
    for (const timeloop::Block* block : {&mapping.spatial[s], &mapping.temporal[s]}) {
      for (std::uint32_t l = 0; l < block->count; ++l) extent[index_of(block->loop[l].dim)] *= block->loop[l].bound;
    }
    std::int64_t words = 0;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      if (!mapping.keep[s][space]) continue;
      kept[space] = true;
      std::int64_t volume = kLargestCount;
      if (architecture_.storage[s].size < 0) continue;
      if (!volume_of(problem_, space, extent, volume)) return Rejection::capacity;
      words += volume;
    }
    if (architecture_.storage[s].size >= 0 && words > architecture_.storage[s].size) return Rejection::capacity;
  }
  return kept[kWeights] && kept[kInputs] && kept[kOutputs] ? Rejection::none : Rejection::capacity;
}

std::string decimal(WideCount number) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(number % 10)));
    number /= 10;
  } while (number > 0);
  return digits;
}

}  // namespace exarch::timeloop
