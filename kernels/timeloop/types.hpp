// What Timeloop's dense model takes and gives: one layer, one architecture, one mapping; counts, and what they cost.
//
// Everything is plain data of fixed size. Loops, levels and data spaces have Timeloop's names. Level 0 is the innermost storage
// level. Every list of loops starts with the innermost loop. Example: a layer with M = 4 on two levels, with the loop over M at
// the outer one:
//
//   Input input{};
//   input.problem = {{1, 4, 1, 1, 1, 1, 1, 1}, 1, 1, 1, 1};
//   input.architecture.levels = 2;
//   input.mapping.temporal[1] = {1, {{Dim::M, Axis::x, 4}}};
#pragma once

#include <cstdint>

#include "kernels/core/config.hpp"

namespace exarch::timeloop {

// The loops of a convolution: input and output channels of a group, filter columns and rows, batch, output columns and rows,
// groups. Every tensor has the groups: depthwise channels and batches of matrix products are groups, too.
enum class Dim : std::uint8_t { C, M, R, S, N, P, Q, G };
inline constexpr std::uint32_t kDims = 8;
// As users write them, in the order of Dim.
inline constexpr const char* kDimNames[kDims] = {"C", "M", "R", "S", "N", "P", "Q", "G"};
[[nodiscard]] EXARCH_HD constexpr std::uint32_t index_of(Dim dim) {
  return static_cast<std::uint32_t>(dim);
}

// The tensors. Outputs are read and written, the others are read.
enum Space : std::uint32_t { kWeights, kInputs, kOutputs, kSpaces };
inline constexpr std::uint32_t kRanks = 5;                // of each tensor
inline constexpr std::uint32_t kSlidingRanks[] = {2, 3};  // of the inputs: those that two dimensions move along

inline constexpr std::uint32_t kMaxLevels = 10;          // storage levels of an architecture
inline constexpr std::uint32_t kMaxElements = 16384;     // of one spatial block: the product of its bounds
inline constexpr std::uint32_t kMaxIngress = 32;         // kinds of multicast of one level and tensor
inline constexpr std::int64_t kLargestNumber = 1 << 30;  // of a bound, a stride, a number of instances ...
// Counts are exact in a double up to this. Timeloop counts in doubles, too.
inline constexpr std::int64_t kLargestCount = std::int64_t{1} << 53;

struct Problem {
  std::int64_t bound[kDims];
  std::int64_t wstride, hstride, wdilation, hdilation;
  friend bool operator==(const Problem&, const Problem&) = default;
};

struct Storage {
  std::int64_t size;          // words per instance; -1: unlimited
  std::int64_t block_size;    // words per vector access
  std::int64_t cluster_size;  // instances that share one access
  std::int64_t instances, mesh_x, mesh_y;
  double read_bw, write_bw;            // words per cycle and instance; 0: unlimited
  double read_pj, fill_pj, update_pj;  // per vector access
  double leak_pj;                      // per cycle and instance
  double area_um2;                     // per instance
};

struct Compute {
  std::int64_t instances, mesh_x, mesh_y;
  double compute_pj;  // per multiply-accumulate
  double area_um2;    // per instance
};

struct Architecture {
  std::uint32_t levels;
  Compute compute;
  Storage storage[kMaxLevels];
};

enum class Axis : std::uint8_t { x, y };

struct Loop {
  Dim dim;
  Axis axis;  // of a temporal loop: without meaning
  std::int64_t bound;
};

struct Block {
  std::uint32_t count;
  Loop loop[kDims];  // every dimension once at most
};

using Keep = bool[kMaxLevels][kSpaces];  // false: the tensor bypasses the level

struct Mapping {
  Block spatial[kMaxLevels];
  Block temporal[kMaxLevels];
  Keep keep;
};

struct Input {
  Problem problem;
  Architecture architecture;
  Mapping mapping;
};

// When a word of the outputs comes to a level for the first time, nothing has to be filled. `current` leaves these fills out, as
// Timeloop does since May 2023. `y2022` counts them, as the Timeloop of ArchGym does.
enum class FillRule : std::uint8_t { current, y2022 };

// How an evaluation ended. All but ok have no counts. Where Timeloop refuses, it is said with what.
enum class Status : std::uint8_t {
  ok,
  bad_number,         // a number is not positive, or beyond kLargestNumber: no input of Timeloop's
  mesh,               // instances are not meshX x meshY, or a mesh is no multiple of the next outer one: the tool aborts
  repeated_loop,      // a dimension occurs twice in a block: no input of Timeloop's
  axis_order,         // a loop on X outside one on Y: no input of Timeloop's
  no_fanout,          // a spatial loop at a level that has one child: the tool aborts
  factor_product,     // the bounds of a dimension do not multiply to the layer's: the tool aborts
  bypassed,           // a tensor bypasses every level
  compute_instances,  // more multiply-accumulate units than there are
  compute_x,          // ... more columns
  compute_y,          // ... more rows
  level,              // a level holds too little, or there are too few of them: Fault says which
  too_large,          // a limit of Exarch: a count beyond kLargestCount
  too_many_elements,  // a limit of Exarch: kMaxElements
  too_many_groups,    // a limit of Exarch: kMaxIngress
};
inline constexpr std::uint32_t kStatuses = 15;

enum class Excess : std::uint8_t { none, instances, x, y };

// Where and by how much an input is wrong. What a status does not need is 0.
struct Fault {
  std::uint32_t level;  // of `mesh`, `repeated_loop`, `axis_order`, `no_fanout`, `level`
  Dim dim;              // of `factor_product`, `repeated_loop`
  bool over_capacity;   // of `level`: `tile` words do not fit into `capacity`
  Excess excess;        // of `level`: there are fewer than needed of ...
  std::int64_t tile, capacity;
  std::int64_t needed, available;  // of `compute_*`, `level`; of `factor_product`: the product, the bound
};

// Accesses of one kind to a level: each is delivered to `multicast` children at once, and `groups` such accesses go to disjoint
// children. For outputs an access takes the sum of as many partial sums.
struct Ingress {
  std::uint32_t multicast, groups;
  double accesses;  // of all groups, over the whole run
};

// One level, one tensor. Counts are words per instance over the whole run.
struct Counts {
  std::int64_t tile;       // words that it holds at once; 0 where it is bypassed
  std::int64_t partition;  // words that an instance sees in all
  std::int64_t reads, fills, updates;
  double link;  // words that a child takes from its neighbour
  double hops;  // accesses times the way of each through the network, before levels are bypassed
  std::uint32_t ingresses;
  Ingress ingress[kMaxIngress];  // by multicast, then by groups
};

struct Replication {
  std::int64_t instances, x, y;  // in use
};

// All that is counted. Nothing has a price here: see price.hpp.
struct Counters {
  std::int64_t steps;  // temporal iterations, which is cycles of the multipliers
  Replication units;   // multiply-accumulate units in use
  Replication use[kMaxLevels];
  std::int64_t fan[kMaxLevels];  // children of one instance in use
  Counts count[kMaxLevels][kSpaces];
};

// What a mapping has to achieve.
enum class Goal : std::uint8_t { cycles, energy, edp };

// What a search asks of a mapping.
struct Totals {
  std::int64_t cycles, steps, computes;
  double energy_pj, area_um2, utilization;
};

// Scratch memory of one evaluation, for the elements of one spatial block. It needs no initial value.
struct Workspace {
  std::int64_t* code;     // (element) where it stands in the tensor
  std::uint16_t* order;   // elements by code, then by column, then by row of the network
  std::uint32_t* served;  // (element) bit: its neighbour has its words
};

// The memory of a Workspace that is large enough for every input.
struct FullWorkspace {
  std::int64_t code[kMaxElements];
  std::uint16_t order[kMaxElements];
  std::uint32_t served[kMaxElements / 32];

  [[nodiscard]] EXARCH_HD Workspace view() { return {code, order, served}; }
};

}  // namespace exarch::timeloop
