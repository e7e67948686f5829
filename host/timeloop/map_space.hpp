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
#pragma once

#include <array>
#include <cstdint>
#include <vector>

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
};

// What a mapping has to achieve, the most important first. Equal designs of the first are told apart by the second, and so on.
enum class Goal : std::uint8_t { cycles, energy, edp };
using Goals = std::vector<Goal>;

// The row-stationary space of ArchGym's TimeloopGym, for its architecture of six levels (psum_spad, weights_spad, ifmap_spad,
// DummyBuffer, shared_glb, DRAM): open are the splits of C, M, N and Q. Source: the constraint file of that environment.
[[nodiscard]] Constraints row_stationary();

}  // namespace exarch::timeloop
