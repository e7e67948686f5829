// What a search may choose at one level of an architecture: factors, orders of loops, spreads over children, tensors to keep.
//
// A stage is what is decided at once: one level, and with it the levels just inside that keep nothing and have no loops. Choices
// that no mapping is better for are left out. Example: in a block over M, P and Q it matters for the weights whether P
// and Q are inside M, but not in which order they are; so there is one order with P and Q inside, and one with M inside.
#pragma once

#include <string>
#include <vector>

#include "host/timeloop/map_space.hpp"
#include "host/timeloop/tile_lattice.hpp"

namespace exarch::timeloop {

// A set of dimensions: bit index_of(dim).
using DimSet = std::uint8_t;
[[nodiscard]] constexpr DimSet set_of(Dim dim) {
  return static_cast<DimSet>(1u << index_of(dim));
}
// The dimensions that do not move a tensor. Every dimension but G is in the set of one tensor.
inline constexpr std::array<DimSet, kSpaces> kIdle{DimSet(set_of(Dim::N) | set_of(Dim::P) | set_of(Dim::Q)), set_of(Dim::M),
                                                   DimSet(set_of(Dim::C) | set_of(Dim::R) | set_of(Dim::S))};
// The tensor that a loop leaves in its place; kSpaces: none.
[[nodiscard]] constexpr Space idle_of(Dim dim) {
  return (kIdle[kWeights] & set_of(dim)) != 0  ? kWeights
         : (kIdle[kInputs] & set_of(dim)) != 0 ? kInputs
         : dim == Dim::G                       ? kSpaces
                                               : kOutputs;
}

// Whether inputs of neighbouring positions overlap: filters with more than one element over outputs of more than one.
[[nodiscard]] bool slides(const Problem& problem);

// The spatial blocks of a stage: how many children share the work, and along which dimensions.
struct Spread {
  std::uint32_t state = 0;                        // the factors, as a tile
  TileLattice::Digits digits{};                   // the same
  double children = 1;                            // product of the factors
  std::array<double, kSpaces> distinct{1, 1, 1};  // children that receive different words; of the inputs: if nothing slides
  DimSet dims = 0;
  std::vector<Block> blocks;  // one way to lay it out: a block per level of the stage, the innermost first
};

// Children of a spread that receive the same of a tensor, at most. Of inputs that slide, those on a diagonal do.
[[nodiscard]] double most_alike(const Spread& spread, const TileLattice& tiles, std::uint32_t space);

// The number of different a x i + b x j, for i < n and j < m.
[[nodiscard]] double distinct_sums(std::int64_t a, std::int64_t n, std::int64_t b, std::int64_t m);

// Children of a spread that receive different inputs, for the tile of a child.
[[nodiscard]] double input_groups(const Problem& problem, const Spread& spread, const TileLattice& tiles, std::uint32_t child);

// Loops of a temporal block, the innermost first.
struct Order {
  std::uint32_t count = 0;
  std::array<Dim, kDims> loop{};
};

struct StageChoices {
  std::uint32_t level = 0, lowest = 0;                 // the levels of the stage; temporal loops and tensors are those of `level`
  std::array<std::vector<bool>, kDims> temporal;       // (dim, divisor) may be the factor of the temporal loop
  std::vector<Spread> spreads;                         // the first one is the trivial one where that is allowed
  std::array<std::vector<Order>, 1u << kDims> orders;  // (set of dimensions with a loop)
  std::vector<std::uint8_t> keeps;                     // sets of tensors: bit per Space
  bool passes = false;  // the level keeps nothing, and its loops may as well stand at the next level outside where that has none
                        // over the same dimension
};

// The stages of a search, the innermost first; Error where constraints contradict the layer or the architecture, naming level and
// dimension. `level_names`: one per level.
[[nodiscard]] std::vector<StageChoices> stages_of(const Problem& problem, const Architecture& architecture,
                                                  const Constraints& constraints, const TileLattice& tiles,
                                                  const std::vector<std::string>& level_names);

// The spreads of two stages one inside the other, taken together. Where the inputs do not overlap, what counts is how much is
// spread along which dimension, not on which level; then there is one spread for each.
[[nodiscard]] std::vector<Spread> together(const TileLattice& tiles, const std::vector<Spread>& inner,
                                           const std::vector<Spread>& outer);

// How many places for loops a block has: one for every dimension of the problem.
[[nodiscard]] std::int32_t places_of(const Problem& problem, const Constraints& constraints);

// All layouts of a spread that the constraints allow: what is on which axis, in which order. `places`: places_of().
[[nodiscard]] std::vector<Block> layouts_of(const Spread& spread, const TileLattice& tiles, const BlockConstraint& constraint,
                                            std::int64_t wide, std::int64_t high, std::int32_t places);

}  // namespace exarch::timeloop
