// A mapping made ready for evaluation: split into cluster levels, completed as MAESTRO completes it, with all that does not
// change from one iteration case to the next worked out.
//
// Integer arithmetic is that of the original: 32 bits for sizes, offsets and counts, wrapping; division truncates.
#pragma once

#include <cstdint>

#include "kernels/core/config.hpp"
#include "kernels/maestro/types.hpp"

namespace exarch::maestro {
inline namespace EXARCH_ISA {

// How much room an evaluation has. Mappings of two levels without repeated dimensions, as environments make them, need little,
// which is worth much on a device.
struct AnyMapping {
  static constexpr std::uint32_t kLevels = kMaxClusters + 1, kDirectives = kMaxLevelDirectives, kMapped = kMaxDirectives;
};
struct TwoLevels {
  static constexpr std::uint32_t kLevels = 2, kDirectives = 8, kMapped = kLevels * kDirectives + 1;
};

// Results of inner levels that are kept, per level. On a device, small state is worth more than the few that are found again.
#if defined(__CUDACC__)
inline constexpr std::uint32_t kKeptResults = 16;
#else
inline constexpr std::uint32_t kKeptResults = 64;
#endif

// The low 32 bits, as the original's `int`.
[[nodiscard]] EXARCH_HD constexpr std::int32_t wrap32(std::int64_t value) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(value)));
}

// What an iteration state is, as bits. Position init is neither steady nor edge.
enum StateBit : std::uint32_t {
  kSteady = 1,        // position steady
  kEdge = 2,          // position edge
  kInitEdge = 4,      // position init, and the first tile is a partial one
  kUnrolled = 8,      // position init, and it covers the dimension
  kPartialLast = 16,  // the last active sub-cluster has a partial tile
};

// The iteration states of one directive on a dimension of one size.
struct States {
  std::uint8_t number;    // 1 .. 3, the first is init
  std::uint8_t flags[3];  // StateBits
  std::int32_t steady;    // occurrences of the steady state; the others occur once
};

// Elements of its dimension that the tile of a temporal directive covers.
struct Covered {
  std::int32_t mapped[2];   // by a whole tile, and by the one at the edge
  std::int32_t outputs[2];  // the same in the output's form of the dimension
  std::int32_t fresh;       // by the next tile, without what it shares with the one before
};

// The same for a spatial directive, where it also depends on which sub-cluster is meant. For the output, *_out are those
// of the output's form of the dimension.
struct SpatialFactors {
  std::uint32_t position;  // of the directive
  std::int32_t mapped, fresh, mapped_edge, fresh_edge;
  std::int32_t mapped_out, fresh_out, mapped_edge_out, fresh_edge_out;
  bool in[2];      // input, weight: whether the dimension belongs to it
  bool in_output;  // whether it belongs to the output, and this directive is the first on it
  bool reduced;    // whether it does not belong to the output
};

inline constexpr std::uint32_t kNoPosition = 0xFFu;

// One cluster level. A *position* is a directive's place in it, and sets of positions are bits. Example: a convolution of K = 4,
// C = 2, Y = X = 10, R = S = 3 on 4 PEs (tests/property/maestro_test.cpp holds the numbers to it):
//
//   position  directive            covered.mapped  .outputs  .fresh  states                     in the sets
//   0         SpatialMap(1,1) K    1, 1                              init                       coupled[weight]
//   1         TemporalMap(2,2) C   2, 2            2, 2      0       init                       coupled and temporal of both,
//   reduced 2         TemporalMap(3,3) R   3, 3            3, 3      0       init                       coupled,
//   temporal[weight], reduced 3         TemporalMap(3,3) S   3, 3            3, 3      0       init                       the
//   same 4         TemporalMap(5,3) Y   5, 4            3, 2      3       init, steady (once), edge  coupled, temporal[input],
//   temporal[output] 5         TemporalMap(10,10) X 10, 10          8, 8      0       init                       the same
//
// Y goes in tiles of 5 rows that begin 3 rows apart: rows 0-4, 3-7, and 6-9, the edge, which has 4. A tile of 5 rows under a
// filter of 3 makes 3 rows of the output. So temporal[input] is 0b110010, temporal[weight] 0b001110, temporal[output] 0b110000,
// and reduced, what is summed up inside a PE, 0b001110. K is the only spatial directive: spatial[0].position is 0, it stands for
// weight and output (leading = {kNoPosition, 0, 0}), and all 4 sub-clusters are active. Only Y has two tile sizes: bit[4] is 0,
// and a level below would be analysed for two choices of sizes.
template <class Shape>
struct Level {
  std::uint32_t count;  // directives
  Directive directive[Shape::kDirectives];
  std::int32_t dims[kDims];                // sizes; 0: the level does not have the dimension
  std::int32_t clusters, edge_clusters;    // sub-clusters; those active at the edge of the first spatially mapped dimension
  std::uint8_t owner[Shape::kDirectives];  // position of the last directive on the same dimension, whose state counts
  bool first[Shape::kDirectives];          // the first directive on its dimension
  bool repeats;                            // some dimension has several directives
  std::uint32_t spatials;
  SpatialFactors spatial[2];
  // The spatial directive (0, 1) that stands for a tensor, kNoPosition for none, and all of it, as bits.
  std::uint8_t leading[kTensors];
  std::uint8_t spatial_of[kTensors];
  // Positions of directives, as bits:
  std::uint32_t coupled[2];          // (input, weight): whose dimension belongs to the tensor
  std::uint32_t temporal[kTensors];  // the temporal ones of these; for the output, the first on a dimension only
  std::uint32_t reduced;             // temporal ones whose dimension does not belong to the output
  Covered covered[Shape::kDirectives];
  // Iteration states for a dimension of the first and of the second size it may have here: what a sub-cluster of the level above
  // gets of a whole tile, and of the one at the edge.
  States states[2][Shape::kDirectives];
  // The bit of a directive's dimension in the choice of this level's sizes, and in that of the level below (of the first
  // directive on a dimension only); kNoPosition where both sizes are the same.
  std::uint8_t own_bit[Shape::kDirectives], bit[Shape::kDirectives];
  std::int64_t l1_inputs, l1_outputs;  // twice the elements of input and weight tiles, of output tiles
};

// What a directive's tiles cover of its dimension.
struct TileSizes {
  std::int32_t mapped, fresh, mapped_edge, fresh_edge;
};

[[nodiscard]] EXARCH_HD std::uint32_t dims_of(LayerType type, Tensor tensor) {
  const std::uint32_t axes = bit_of(Dim::Y) | bit_of(Dim::X), filter = bit_of(Dim::R) | bit_of(Dim::S);
  const std::uint32_t group = type == LayerType::ngconv ? bit_of(Dim::G) : 0;
  if (type == LayerType::gemm) {
    if (tensor == kInput) return bit_of(Dim::M) | bit_of(Dim::K);
    return tensor == kWeight ? bit_of(Dim::K) | bit_of(Dim::N) : bit_of(Dim::M) | bit_of(Dim::N);
  }
  if (tensor == kInput) return group | bit_of(Dim::C) | axes;
  const std::uint32_t output_channel = type == LayerType::dsconv ? 0 : bit_of(Dim::K);
  if (tensor == kWeight) return group | output_channel | bit_of(Dim::C) | filter;
  const std::uint32_t channel = type == LayerType::conv || type == LayerType::trconv ? 0 : bit_of(Dim::C);
  return group | output_channel | channel | axes;
}

// The layer as the analysis sees it: counterparts of X' and Y' added, tensors by dimension.
struct LayerView {
  std::int32_t size[kDims], stride[kDims];
  std::uint32_t tensor[kTensors];  // dimensions, as bits
  std::uint32_t inputs;            // those of input and weight
  bool sliding;                    // X and Y slide over S and R
};

[[nodiscard]] EXARCH_HD Status view_of(const Layer& layer, LayerView& view) {
  for (std::uint32_t d = 0; d < kDims; ++d) {
    if (layer.size[d] < 0 || layer.stride[d] < 1) return Status::non_positive_size;
    view.size[d] = layer.size[d];
    view.stride[d] = layer.stride[d];
  }
  view.sliding = layer.type != LayerType::gemm;
  if (view.sliding) {
    const struct {
      Dim input, output, filter, other_output;
    } axes[2] = {{Dim::X, Dim::Xo, Dim::S, Dim::Yo}, {Dim::Y, Dim::Yo, Dim::R, Dim::Xo}};
    for (const auto& axis : axes) {
      if (layer.size[index_of(axis.input)] > 0 && layer.size[index_of(axis.output)] > 0) return Status::axis_forms;
    }
    for (const auto& axis : axes) {
      const std::uint32_t in = index_of(axis.input), out = index_of(axis.output);
      const std::int64_t filter = layer.size[index_of(axis.filter)];
      if (filter == 0 || (layer.size[in] == 0 && layer.size[out] == 0)) return Status::missing_dimension;
      if (layer.size[in] > 0) {
        view.size[out] = wrap32(layer.size[in] - filter + 1);
      } else {
        view.size[in] = wrap32(layer.size[out] + filter - 1);
        view.stride[in] = layer.stride[index_of(axis.other_output)];  // the original takes the other axis' stride
      }
    }
  }
  const std::uint32_t batch = view.sliding && layer.size[index_of(Dim::N)] > 0 ? bit_of(Dim::N) : 0;
  for (std::uint32_t t = 0; t < kTensors; ++t) {
    view.tensor[t] = dims_of(layer.type, static_cast<Tensor>(t)) | (t == kWeight ? 0 : batch);
    for (std::uint32_t d = 0; d < kDims; ++d) {
      if ((view.tensor[t] >> d & 1u) != 0 && view.size[d] == 0) return Status::missing_dimension;
    }
  }
  view.inputs = view.tensor[kInput] | view.tensor[kWeight];
  return Status::ok;
}

template <class Shape>
EXARCH_HD std::uint32_t first_on(const Level<Shape>& level, Dim dim) {
  for (std::uint32_t j = 0; j < level.count; ++j) {
    if (level.directive[j].dim == dim) return j;
  }
  return kNoPosition;
}

template <class Shape>
EXARCH_HD std::uint32_t last_on(const Level<Shape>& level, Dim dim) {
  for (std::uint32_t j = level.count; j-- > 0;) {
    if (level.directive[j].dim == dim) return j;
  }
  return kNoPosition;
}

// X' where the level has no X (Y' likewise) becomes the X that it needs.
template <class Shape>
EXARCH_HD Status to_input_form(Level<Shape>& level, Dim output, Dim input, Dim filter) {
  const std::uint32_t place = first_on(level, output);
  if (place == kNoPosition || first_on(level, input) != kNoPosition) return Status::ok;
  const std::uint32_t window = last_on(level, filter);
  if (window == kNoPosition) return Status::missing_filter_directive;
  const std::int64_t size = level.directive[last_on(level, output)].size;
  level.directive[place].dim = input;
  level.directive[place].size = wrap32(size + level.directive[window].size - 1);
  return Status::ok;
}

// What is left of them where both forms were used.
template <class Shape>
EXARCH_HD Status rest_to_input_form(Level<Shape>& level, Dim output, Dim input, Dim filter) {
  for (std::uint32_t j = 0; j < level.count; ++j) {
    Directive& directive = level.directive[j];
    if (directive.dim != output) continue;
    const std::uint32_t window = last_on(level, filter);
    if (window == kNoPosition) return Status::missing_filter_directive;
    directive.dim = input;
    directive.size = wrap32(static_cast<std::int64_t>(directive.size) + level.directive[window].size - 1);
  }
  return Status::ok;
}

template <class Shape>
EXARCH_HD Status inherit(Level<Shape>& level, const Level<Shape>& above) {
  for (std::uint32_t i = 0; i < above.count; ++i) {
    const Directive& directive = above.directive[i];
    if (first_on(level, directive.dim) != kNoPosition) continue;
    if (level.count == Shape::kDirectives) return Status::too_many_directives;
    for (std::uint32_t j = level.count++; j > 0; --j) level.directive[j] = level.directive[j - 1];
    level.directive[0] = {Map::temporal, directive.dim, directive.size, directive.offset};
  }
  return Status::ok;
}

template <class Shape>
EXARCH_HD Status complete(Level<Shape>& level, std::uint32_t inputs) {
  std::uint32_t missing = inputs;
  for (std::uint32_t j = 0; j < level.count; ++j) missing &= ~bit_of(level.directive[j].dim);
  for (std::uint32_t d = 0; d < kDims; ++d) {
    if ((missing >> d & 1u) == 0 || level.dims[d] == 0) continue;
    if (level.count == Shape::kDirectives) return Status::too_many_directives;
    level.directive[level.count++] = {Map::temporal, static_cast<Dim>(d), level.dims[d], level.dims[d]};
  }
  return Status::ok;
}

// Tiles of a strided axis that cover the filter take whole strides. Inherited tiles, already adjusted, are adjusted again.
template <class Shape>
EXARCH_HD Status adjust_to_stride(Level<Shape>& level, const LayerView& layer, bool outermost) {
  for (std::uint32_t j = 0; j < level.count; ++j) {
    const Dim dim = level.directive[j].dim;
    if (level.dims[index_of(dim)] == 0) return Status::missing_dimension;
    const std::int64_t stride = layer.stride[index_of(dim)];
    if (!layer.sliding || (dim != Dim::X && dim != Dim::Y) || stride == 1) continue;
    const std::int64_t filter = layer.size[index_of(dim == Dim::X ? Dim::S : Dim::R)];
    const std::int64_t size = level.directive[j].size;
    if (size < filter) continue;
    const std::int64_t outputs = (size + stride - filter) / stride;
    Directive& target = level.directive[first_on(level, dim)];
    target.size = wrap32(outputs * min_of(stride, filter) + max_of<std::int64_t>(filter - stride, 0));
    target.offset = wrap32(outputs * (!outermost && filter < stride ? filter : stride));
    if (target.size <= 0 || target.offset <= 0) return Status::non_positive_size;
  }
  return Status::ok;
}

// Sub-clusters with work when the dimension runs out.
[[nodiscard]] EXARCH_HD std::int32_t active_at_edge(std::int64_t dim, std::int64_t size, std::int64_t offset,
                                                    std::int64_t clusters) {
  const std::int64_t covered = wrap32(offset * (clusters - 1) + size);
  if (dim > covered) {
    const std::int64_t folds = ((dim - size) / offset + 1) / clusters - 1;
    const std::int64_t rest = wrap32(dim - (folds + 1) * offset * clusters);
    return rest < size ? 1 : wrap32((rest - size) / offset + 1);
  }
  if (dim <= size) return 1;
  const std::int64_t whole = (dim - size) / offset + 1;
  return wrap32(whole + (wrap32(offset * (whole - 1) + size) < dim ? 1 : 0));
}

[[nodiscard]] EXARCH_HD TileSizes tile_sizes(const Directive& directive, std::int32_t dim) {
  const std::int64_t size = directive.size, offset = directive.offset;
  const std::int64_t steps = max_of<std::int64_t>(0, (dim - size) / offset);
  const bool has_edge = wrap32(steps * offset + size) < dim || size > dim;
  std::int32_t left = wrap32(dim - (steps + 1) * offset);
  if (left < 0) left = dim;
  TileSizes tiles{};
  tiles.mapped = directive.size;
  tiles.fresh = directive.map == Map::temporal && dim <= directive.size ? 0 : min_of(directive.size, directive.offset);
  tiles.mapped_edge = has_edge ? left : directive.size;
  tiles.fresh_edge = max_of(wrap32(offset - (size - left)), 0);
  return tiles;
}

// What the tiles of every directive cover, of their dimension and of the output's form of it.
template <class Shape>
EXARCH_INLINE void cover(Level<Shape>& level, const LayerView& layer) {
  level.repeats = false;
  for (std::uint32_t j = 0; j < level.count; ++j) {
    const Dim dim = level.directive[j].dim;
    level.first[j] = first_on(level, dim) == j;
    level.owner[j] = static_cast<std::uint8_t>(last_on(level, dim));
    level.repeats = level.repeats || !level.first[j];
    const TileSizes in = tile_sizes(level.directive[level.owner[j]], level.dims[index_of(dim)]);
    level.covered[j] = {{in.mapped, in.mapped_edge}, {in.mapped, in.mapped_edge}, in.fresh};
  }
  for (std::uint32_t j = 0; j < level.count && layer.sliding; ++j) {
    const Dim dim = level.directive[j].dim;
    if (dim != Dim::X && dim != Dim::Y) continue;
    const Covered& window = level.covered[first_on(level, dim == Dim::X ? Dim::S : Dim::R)];
    Covered& covered = level.covered[j];
    for (std::uint32_t e = 0; e < 2; ++e) {
      covered.outputs[e] = wrap32(static_cast<std::int64_t>(covered.mapped[e]) - window.mapped[e] + 1);
    }
  }
}

[[nodiscard]] EXARCH_INLINE bool has_dim(const LayerView& layer, Tensor tensor, Dim dim) {
  return (layer.tensor[tensor] & bit_of(dim)) != 0;
}

// Enters the spatial directive at position j. A tensor's dimensions have an order, and the last one that is mapped spatially
// stands for it: leading_rank has the place of the one so far.
template <class Shape>
EXARCH_INLINE void enter_spatial(Level<Shape>& level, const LayerView& layer, std::uint32_t j,
                                 std::uint32_t (&leading_rank)[kTensors]) {
  const Dim dim = level.directive[j].dim;
  const Directive& owner = level.directive[level.owner[j]];
  const TileSizes in = tile_sizes(owner, level.dims[index_of(dim)]);
  const Covered& covered = level.covered[j];
  const bool slides = layer.sliding && (dim == Dim::X || dim == Dim::Y);
  const bool in_output = has_dim(layer, kOutput, dim);
  level.spatial[level.spatials] = {j,
                                   in.mapped,
                                   in.fresh,
                                   in.mapped_edge,
                                   in.fresh_edge,
                                   covered.outputs[0],
                                   slides ? min_of(owner.offset, owner.size) : in.fresh,
                                   covered.outputs[1],
                                   slides ? min_of(owner.offset, covered.outputs[1]) : in.fresh_edge,
                                   {has_dim(layer, kInput, dim), has_dim(layer, kWeight, dim)},
                                   in_output && level.first[j],
                                   !in_output};
  if (level.first[j]) {
    constexpr std::uint8_t kPlace[kDims] = {4, 1, 3, 2, 0, 5, 6, 8, 0, 7, 0};  // (Dim) in the order N G M K C R S Y X
    const std::uint8_t rank = dim == Dim::N && !layer.sliding ? 9 : kPlace[index_of(dim)];
    for (std::uint32_t t = 0; t < kTensors; ++t) {
      if (!has_dim(layer, static_cast<Tensor>(t), dim)) continue;
      level.spatial_of[t] = static_cast<std::uint8_t>(level.spatial_of[t] | 1u << level.spatials);
      if (level.leading[t] != kNoPosition && rank < leading_rank[t]) continue;
      level.leading[t] = static_cast<std::uint8_t>(level.spatials);
      leading_rank[t] = rank;
    }
  }
  ++level.spatials;
}

// Which directives matter to which tensor.
template <class Shape>
EXARCH_INLINE void couple(Level<Shape>& level, const LayerView& layer) {
  level.coupled[kInput] = level.coupled[kWeight] = level.reduced = 0;
  level.spatials = 0;
  std::uint32_t leading_rank[kTensors] = {0, 0, 0};
  for (std::uint32_t t = 0; t < kTensors; ++t) {
    level.leading[t] = kNoPosition;
    level.spatial_of[t] = 0;
    level.temporal[t] = 0;
  }
  for (std::uint32_t j = 0; j < level.count; ++j) {
    const Dim dim = level.directive[j].dim;
    const bool in_input = has_dim(layer, kInput, dim), in_weight = has_dim(layer, kWeight, dim);
    const bool in_output = has_dim(layer, kOutput, dim);
    level.coupled[kInput] |= (in_input ? 1u : 0u) << j;
    level.coupled[kWeight] |= (in_weight ? 1u : 0u) << j;
    if (level.directive[j].map == Map::spatial) {
      enter_spatial(level, layer, j, leading_rank);
      continue;
    }
    if (in_input) level.temporal[kInput] |= 1u << j;
    if (in_weight) level.temporal[kWeight] |= 1u << j;
    if (in_output && level.first[j]) level.temporal[kOutput] |= 1u << j;
    if (!in_output) level.reduced |= 1u << j;
  }
}

// The lowest bits for what changes most often: choices that differ there do not take each other's places in a ResultCache.
template <class Shape>
EXARCH_INLINE void number_choices(Level<Shape>& level) {
  std::uint8_t bits = 0;
  for (std::uint32_t j = level.count; j-- > 0;) {
    const Covered& covered = level.covered[j];
    level.bit[j] = level.first[j] && covered.mapped[0] != covered.mapped[1] ? bits++ : kNoPosition;
  }
}

// Elements of a whole tile of a tensor.
template <class Shape>
[[nodiscard]] EXARCH_INLINE std::uint64_t tile_volume(const Level<Shape>& level, std::uint32_t dims) {
  std::uint64_t product = 1;
  for (std::uint32_t j = 0; j < level.count; ++j) {
    if (!level.first[j] || (dims & bit_of(level.directive[j].dim)) == 0) continue;
    product *= static_cast<std::uint64_t>(static_cast<std::int64_t>(level.covered[j].mapped[0]));
  }
  return product;
}

// Fills in all that follows from a level's directives and dimensions.
template <class Shape>
EXARCH_HD void work_out(Level<Shape>& level, const LayerView& layer) {
  cover(level, layer);
  couple(level, layer);
  number_choices(level);
  level.l1_inputs =
      static_cast<std::int64_t>(2 * (tile_volume(level, layer.tensor[kInput]) + tile_volume(level, layer.tensor[kWeight])));
  level.l1_outputs = static_cast<std::int64_t>(2 * tile_volume(level, layer.tensor[kOutput]));
}

[[nodiscard]] EXARCH_HD States states_of(const Directive& directive, std::int32_t clusters, std::int32_t dim) {
  const std::int64_t size = directive.size, offset = directive.offset;
  States states{};
  const auto add = [&states](std::uint32_t flags) { states.flags[states.number++] = static_cast<std::uint8_t>(flags); };
  if (directive.map == Map::temporal) {
    add((dim < size ? kInitEdge : 0u) | (dim <= size ? kUnrolled : 0u));
    states.steady = wrap32((dim - size) / offset);
    if (size < dim && states.steady > 0) add(kSteady);
    if (dim >= size && wrap32(states.steady * offset + size) < dim) add(kEdge);
    return states;
  }
  const std::int32_t covered = wrap32(size + offset * (clusters - 1));
  add((dim < covered ? kInitEdge | kPartialLast : 0u) | (dim <= covered ? kUnrolled : 0u));
  const std::int32_t folds = states.steady = wrap32(((dim - size) / offset + 1) / clusters - 1);
  if (covered < dim && folds > 0) add(kSteady);
  const std::int32_t reach = wrap32((std::int64_t{folds} + 1) * offset * clusters);
  const std::int32_t end = wrap32(static_cast<std::int64_t>(reach) + covered);
  const std::int32_t last_end = wrap32(static_cast<std::int64_t>(end) - offset * clusters);
  if (dim > covered && end > dim && last_end != dim) {
    const std::int64_t rest = wrap32(static_cast<std::int64_t>(dim) - reach);
    const std::int64_t active = rest < size ? 1 : (rest - size) / offset + 1;
    add(kEdge | (wrap32((active - 1) * offset + size) < rest ? kPartialLast : 0u));
  }
  return states;
}

template <class Shape>
struct Plan {
  std::uint32_t levels;
  std::uint32_t tensor[kTensors];  // dimensions, as bits
  bool sliding;                    // X and Y slide over S and R
  Level<Shape> level[Shape::kLevels];
};

template <std::uint32_t kRoom>
[[nodiscard]] EXARCH_HD Status check(const MappingOf<kRoom>& mapping, const Hardware& hardware, const Layer& layer,
                                     Version version) {
  if (hardware.num_pes <= 0 || hardware.num_simd_lanes <= 0 || hardware.noc_bw <= 0 || hardware.offchip_bw <= 0) {
    return Status::non_positive_hardware;
  }
  if (mapping.count > kRoom) return Status::too_many_directives;
  for (std::uint32_t j = 0; j < mapping.count; ++j) {
    const Directive& directive = mapping.directive[j];
    if (directive.size <= 0 || (directive.map != Map::cluster && directive.offset <= 0)) return Status::non_positive_size;
  }
  for (std::uint32_t j = 0; j < mapping.count && version == Version::head; ++j) {
    const Directive& directive = mapping.directive[j];
    if (directive.map != Map::temporal) continue;
    if (directive.dim != Dim::R && directive.dim != Dim::S) continue;
    if (directive.size != directive.offset || directive.size != layer.size[index_of(directive.dim)]) return Status::filter_tile;
  }
  return mapping.count == 0 ? Status::empty_mapping : Status::ok;
}

// The levels of a mapping, and how many PEs an outermost sub-cluster has.
template <class Shape>
[[nodiscard]] EXARCH_INLINE Status count_levels(const MappingOf<Shape::kMapped>& mapping, std::uint32_t& levels,
                                                std::int64_t& pes) {
  std::uint32_t clusters = 0;
  pes = 1;
  for (std::uint32_t j = 0; j < mapping.count; ++j) {
    if (mapping.directive[j].map != Map::cluster) continue;
    if (++clusters > kMaxClusters || clusters >= Shape::kLevels) return Status::too_many_clusters;
    pes = min_of<std::int64_t>(pes * mapping.directive[j].size, std::int64_t{1} << 32);
  }
  levels = clusters + 1;
  return Status::ok;
}

// Gives a level its directives, from `next` on, which is then behind the Cluster directive at their end.
template <class Shape>
[[nodiscard]] EXARCH_INLINE Status take_directives(const MappingOf<Shape::kMapped>& mapping, std::uint32_t& next,
                                                   Level<Shape>& level) {
  level.count = 0;
  for (; next < mapping.count && mapping.directive[next].map != Map::cluster; ++next) {
    if (level.count == Shape::kDirectives) return Status::too_many_directives;
    level.directive[level.count++] = mapping.directive[next];
  }
  ++next;
  return Status::ok;
}

// The sizes of a level's dimensions: the layer's, or what a sub-cluster of the level above gets (null: there is none).
template <class Shape>
EXARCH_INLINE void size_dims(const LayerView& view, const Level<Shape>* above, Level<Shape>& level) {
  for (std::uint32_t d = 0; d < kDims; ++d) level.dims[d] = above == nullptr ? view.size[d] : 0;
  if (above == nullptr) return;
  for (std::uint32_t j = 0; j < above->count; ++j) {
    const Dim dim = above->directive[j].dim;
    if (!above->first[j] || (view.inputs & bit_of(dim)) == 0) continue;
    level.dims[index_of(dim)] = min_of(above->directive[j].size, above->dims[index_of(dim)]);
  }
}

// Completes a level's directives as MAESTRO does, in its order of steps.
template <class Shape>
[[nodiscard]] EXARCH_INLINE Status complete_level(const LayerView& view, const Level<Shape>* above, Level<Shape>& level) {
  Status status = to_input_form(level, Dim::Xo, Dim::X, Dim::S);
  if (status == Status::ok) status = to_input_form(level, Dim::Yo, Dim::Y, Dim::R);
  if (status == Status::ok && above != nullptr) status = inherit(level, *above);
  if (status == Status::ok) status = complete(level, view.inputs);
  if (status == Status::ok) status = adjust_to_stride(level, view, above == nullptr);
  if (status == Status::ok) status = rest_to_input_form(level, Dim::Xo, Dim::X, Dim::S);
  if (status == Status::ok) status = rest_to_input_form(level, Dim::Yo, Dim::Y, Dim::R);
  return status;
}

// One or two spatial directives; the first says how many sub-clusters are active at its edge.
template <class Shape>
[[nodiscard]] EXARCH_INLINE Status count_active(Level<Shape>& level) {
  std::uint32_t spatials = 0, first_spatial = 0;
  for (std::uint32_t j = level.count; j-- > 0;) {
    if (level.directive[j].map != Map::spatial) continue;
    ++spatials;
    first_spatial = j;
  }
  if (spatials == 0 || spatials > 2) return Status::spatial_maps;
  const Directive& spatial = level.directive[first_spatial];
  if (wrap32(static_cast<std::int64_t>(level.clusters) * spatial.offset) == 0) return Status::clusters_exceed_pes;
  level.edge_clusters = active_at_edge(level.dims[index_of(spatial.dim)], spatial.size, spatial.offset, level.clusters);
  return Status::ok;
}

// The iteration states, for each size that a dimension may have here.
template <class Shape>
EXARCH_INLINE void list_states(const Level<Shape>* above, Level<Shape>& level) {
  for (std::uint32_t j = 0; j < level.count; ++j) {
    const Directive& directive = level.directive[j];
    level.own_bit[j] = kNoPosition;
    if (above == nullptr) {
      level.states[0][j] = states_of(directive, level.clusters, level.dims[index_of(directive.dim)]);
      continue;
    }
    const std::uint32_t place = first_on(*above, directive.dim);  // it has all dimensions that this one has
    const Covered& whole = above->covered[place];
    level.states[0][j] = states_of(directive, level.clusters, whole.mapped[0]);
    if (whole.mapped[1] == whole.mapped[0]) continue;
    level.own_bit[j] = above->bit[place];
    level.states[1][j] = states_of(directive, level.clusters, whole.mapped[1]);
  }
}

// Splits a mapping into levels; a status other than ok where MAESTRO would end without a result.
template <class Shape>
[[nodiscard]] EXARCH_HD Status make_plan(const Layer& layer, const MappingOf<Shape::kMapped>& mapping, const Hardware& hardware,
                                         Version version, Plan<Shape>& plan) {
  if (const Status status = check(mapping, hardware, layer, version); status != Status::ok) return status;
  LayerView view;
  if (const Status status = view_of(layer, view); status != Status::ok) return status;
  for (std::uint32_t t = 0; t < kTensors; ++t) plan.tensor[t] = view.tensor[t];
  plan.sliding = view.sliding;
  std::int64_t pes = 1;
  if (const Status status = count_levels<Shape>(mapping, plan.levels, pes); status != Status::ok) return status;
  std::uint32_t next = 0;
  for (std::uint32_t l = 0; l < plan.levels; ++l) {
    Level<Shape>& level = plan.level[l];
    const Level<Shape>* above = l == 0 ? nullptr : &plan.level[l - 1];
    level.clusters = l == 0 ? static_cast<std::int32_t>(hardware.num_pes / pes) : mapping.directive[next - 1].size;
    if (const Status status = take_directives(mapping, next, level); status != Status::ok) return status;
    size_dims(view, above, level);
    if (const Status status = complete_level(view, above, level); status != Status::ok) return status;
    if (const Status status = count_active(level); status != Status::ok) return status;
    work_out(level, view);
    list_states(above, level);
  }
  return Status::ok;
}

}  // namespace EXARCH_ISA
}  // namespace exarch::maestro
