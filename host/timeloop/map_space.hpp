// The mappings a search may choose from: an architecture, a layer, and what Timeloop calls constraints.
//
// A mapping splits every bound of the layer over the blocks of the levels: one temporal block per level, and a spatial one where
// a level has several children. Each block orders its loops, each level keeps some tensors. Constraints fix some of these
// choices. Example: the row-stationary space of ArchGym keeps the whole filter column in the weights' level, and leaves open
// how C, M and Q are split:
//
//   Constraints constraints;  // everything is open
//   constraints.temporal[1].factor[index_of(Dim::R)] = BlockConstraint::kWhole;
//   constraints.keep[0][kWeights] = Choice::no;
//   const MapSpace space(problem, architecture, constraints);
//   const Mapping first = space.at({0, 0, 0, 0});
//
// MapSpace numbers the mappings as Timeloop does. A number has four parts: factors, orders of loops, splits between X and Y, and
// which tensors bypass which levels.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "host/timeloop/factor_splits.hpp"
#include "kernels/timeloop/types.hpp"

namespace exarch::timeloop {

enum class Choice : std::uint8_t { open, no, yes };

// What is fixed of one block. All lists of loops start with the innermost one.
struct BlockConstraint {
  static constexpr std::int64_t kOpen = 0;    // any factor
  static constexpr std::int64_t kWhole = -1;  // the bound of the layer
  std::array<std::int64_t, kDims> factor{};   // (dim) kOpen, kWhole, or the bound of the loop
  std::array<std::int64_t, kDims> most{};     // (dim) largest bound of the loop; 0: no limit
  std::array<std::int64_t, kDims> least{};    // (dim) smallest bound of the loop; 0: no limit
  std::vector<Dim> innermost;  // loops with a fixed place, the innermost first; others are outside them, in any order
  std::vector<Dim> outermost;  // loops with a fixed place at the outer end, the innermost of them first
  // Spatial blocks: how many dimensions, counted from the innermost of the order, are on the X axis; the others are on Y.
  // -1: open.
  std::int32_t split = -1;
};

struct Constraints {
  std::array<BlockConstraint, kMaxLevels> spatial, temporal;   // (level) innermost level first
  std::array<std::array<Choice, kSpaces>, kMaxLevels> keep{};  // (level, tensor)
  double min_parallelism = 0;                                  // least share of the multipliers in use
  // In which order the problem lists them. It numbers the mappings: Timeloop's random search finds others with another order. A
  // problem may have fewer dimensions; then the layer's bounds of the others are 1. Example, of a matrix product: C, M, N. A
  // convolution of one group has no G: see with_groups().
  std::vector<Dim> dims{Dim::C, Dim::M, Dim::R, Dim::S, Dim::N, Dim::P, Dim::Q};
  std::array<Space, kSpaces> tensors{kWeights, kInputs, kOutputs};
};

// The most important first. Equal designs of the first are told apart by the second, and so on.
using Goals = std::vector<Goal>;

// The row-stationary space of ArchGym's TimeloopGym, for its architecture of six levels (psum_spad, weights_spad, ifmap_spad,
// DummyBuffer, shared_glb, DRAM): open are the splits of C, M, N and Q. Source: the constraint file of that environment.
[[nodiscard]] Constraints row_stationary();

// Constraints for a layer. Where it has groups and the constraints list no G, G is listed last. Blocks that say nothing of it
// leave it open, and the row-stationary space has all of it in the outermost loop of DRAM.
[[nodiscard]] Constraints with_groups(Constraints constraints, const Problem& problem);

// The place of a mapping in a map space, or, as sizes, how many places there are in each part.
struct MapParts {
  WideCount factors, orders, splits, bypasses;
  friend bool operator==(const MapParts&, const MapParts&) = default;
};

// All mappings of a sizes' parts together.
[[nodiscard]] inline WideCount total_of(const MapParts& sizes) {
  return sizes.factors * sizes.orders * sizes.splits * sizes.bypasses;
}

// The digits of a number.
[[nodiscard]] std::string decimal(WideCount number);

class MapSpace;

// The mappings of a map space that have the same factors. Valid as long as the map space.
class MapSlice {
 public:
  // How many orders, splits and bypasses there are. `factors` is 1.
  [[nodiscard]] const MapParts& sizes() const { return sizes_; }

  // A mapping; each number is below its size. Loops of bound 1 are left out.
  [[nodiscard]] Mapping at(WideCount order, WideCount split, WideCount bypass) const;

 private:
  friend class MapSpace;
  friend class Drawing;

  struct Block {
    std::array<std::int64_t, kDims> factor;
    std::array<Dim, kDims> loops;  // all that the problem has; the permuted ones by name, the others in their places
    std::uint32_t first, permuted, units;
  };
  const MapSpace* space_ = nullptr;
  std::array<Block, 2 * std::size_t{kMaxLevels}> block_{};
  MapParts sizes_{};
};

class MapSpace {
 public:
  // The mappings of a layer on an architecture under constraints. Level names are for texts; without them it is "level 2".
  // Error saying which level and dimension where constraints contradict each other, the layer or the architecture, and where
  // there are 2^128 mappings or more.
  MapSpace(const Problem& problem, const Architecture& architecture, const Constraints& constraints,
           std::vector<std::string> level_names = {});

  // How many mappings Timeloop counts. Loops of bound 1 have places in the orders too, so several of these mappings are the same.
  // Example: two levels in one order each, M = 4: 3 factors, 1 order, 1 split, 1 bypass.
  [[nodiscard]] const MapParts& sizes() const { return sizes_; }

  // A mapping by Timeloop's number; every part is below its size.
  [[nodiscard]] Mapping at(const MapParts& index) const;

  // The mappings with given factors (a number below sizes().factors). Loops of bound 1 have no choice of a place here, so that
  // there are fewer orders and splits. Timeloop calls such a map space pruned. Two mappings of a slice can be equal only where
  // a level with fanout on one axis has neither a fixed order nor a fixed split.
  [[nodiscard]] MapSlice slice(WideCount factors) const;

  // Where Timeloop's mapper throws a mapping away before it evaluates it: a level has more columns or rows of children than its
  // fanout, or too few multipliers are in use; a level holds too little, or a tensor bypasses all of them.
  enum class Rejection : std::uint8_t { none, fanout, capacity };
  [[nodiscard]] Rejection rejection_of(const Mapping& mapping) const;

  // What of the constraints does not count, each with its level. Example: "DRAM, temporal loops: P = 1187 exceeds the layer's 55
  // and is ignored, as Timeloop does".
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  [[nodiscard]] const Problem& problem() const { return problem_; }
  [[nodiscard]] const Architecture& architecture() const { return architecture_; }

 private:
  friend class MapSlice;
  friend class Drawing;

  // A block of the nest, the innermost first: Timeloop's tiling levels.
  struct Block {
    std::uint32_t level;
    bool spatial;
    std::int32_t split;  // -1: open
    bool free_order;     // false: the order is fixed, whatever the bounds
    std::vector<Dim> inner, outer;
  };

  void lay_blocks(const Constraints& constraints);
  void add_block(std::uint32_t level, bool spatial, const BlockConstraint& constraint);
  void check_numbers(const Constraints& constraints);
  void lay_factors(const Constraints& constraints);
  void lay_bypasses(const Constraints& constraints);
  [[nodiscard]] FactorSlot slot_of(const BlockConstraint& constraint, const Block& block, Dim dim);
  void place_loops(const Block& from, bool units_first, MapSlice::Block& to) const;
  [[nodiscard]] MapSlice slice_of(WideCount factors, bool pruned) const;
  [[nodiscard]] std::string place_of(const Block& block) const;  // "DRAM, temporal loops"

  Problem problem_;
  Architecture architecture_;
  std::vector<std::string> level_names_, warnings_;
  std::array<std::int64_t, kMaxLevels> wide_{}, high_{};  // (level) fanout
  std::vector<Dim> dims_;                                 // as the problem lists them
  std::array<Space, kSpaces> tensors_;
  std::vector<Block> blocks_;
  std::vector<FactorSplits> factors_;                           // (dim)
  std::array<std::array<Choice, kSpaces>, kMaxLevels> keep_{};  // (level, tensor)
  double min_parallelism_ = 0;
  MapParts sizes_{};
};

}  // namespace exarch::timeloop
