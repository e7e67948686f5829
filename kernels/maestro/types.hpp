// What MAESTRO's cost model takes and gives: one layer, one mapping, one accelerator; exact integer counters.
//
// Everything is plain data of fixed size. Names are those of MAESTRO's mapping language: Sz(D), TemporalMap, SpatialMap, Cluster.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "kernels/core/config.hpp"

namespace exarch::maestro {

// MAESTRO at commit e1d8efd8 (what GAMMA and ArchGym build) and at the head of its repository (4eb08d1).
enum class Version : std::uint8_t { e1d8efd8, head };

// Dimensions in ASCII order of their names, which is the order in which MAESTRO completes a mapping. Xo and Yo are X' and Y', the
// output's columns and rows.
enum class Dim : std::uint8_t { C, G, K, M, N, R, S, X, Xo, Y, Yo };
inline constexpr std::uint32_t kDims = 11;
[[nodiscard]] EXARCH_HD constexpr std::uint32_t index_of(Dim dim) {
  return static_cast<std::uint32_t>(dim);
}
[[nodiscard]] EXARCH_HD constexpr std::uint32_t bit_of(Dim dim) {
  return 1u << index_of(dim);
}

enum class LayerType : std::uint8_t { conv, dsconv, ngconv, gemm, trconv };

struct Layer {
  LayerType type;
  std::int32_t size[kDims];    // as declared; 0: not declared
  std::int32_t stride[kDims];  // 1: none

  friend bool operator==(const Layer&, const Layer&) = default;
};

enum class Map : std::uint8_t { temporal, spatial, cluster };

struct Directive {
  Map map;
  Dim dim;              // of a cluster: without meaning
  std::int32_t size;    // of the tile, or of the cluster
  std::int32_t offset;  // of a cluster: without meaning
};

inline constexpr std::uint32_t kMaxClusters = 3;          // MAESTRO knows four NoCs, one per level
inline constexpr std::uint32_t kMaxDirectives = 48;       // of a mapping, clusters included
inline constexpr std::uint32_t kMaxLevelDirectives = 16;  // of one level, with what it inherits

template <std::uint32_t kRoom>
struct MappingOf {
  std::uint32_t count;
  Directive directive[kRoom];
};
using Mapping = MappingOf<kMaxDirectives>;

struct Hardware {
  std::int32_t num_pes;
  std::int32_t num_simd_lanes;  // multiply-accumulates per PE and cycle
  std::int32_t noc_bw;          // elements per cycle, of every level's NoC
  std::int32_t noc_latency;     // cycles: hops x latency of a hop
  std::int32_t offchip_bw;      // elements per cycle
  friend bool operator==(const Hardware&, const Hardware&) = default;
};

// How an evaluation ended. Where the tool prints a row, ok; everything else is a way in which it ends without one.
enum class Status : std::uint8_t {
  ok,
  non_positive_size,         // a tile, an offset, a cluster or a dimension that is not positive: parse error
  filter_tile,               // head: a temporal R or S tile other than the whole filter: parse error
  axis_forms,                // both X and X' (or Y and Y') declared: error
  missing_dimension,         // a directive, or a tensor, on a dimension that the layer or the level does not have: error, crash
  spatial_maps,              // a level with none or more than two: error
  too_many_clusters,         // more than three: crash
  stationary_tile,           // a tile that moves brings nothing new: exit without a word
  clusters_exceed_pes,       // division by zero
  zero_compute_delay,        // division by zero
  occurrence_overflow,       // an iteration case occurs 2^31 times or more: assertion
  non_positive_hardware,     // zero: division by zero; negative: the tool computes nonsense
  missing_filter_directive,  // X' or Y' in a level without S or R: the tool reads an uninitialised number
  empty_mapping,             // crash
  too_many_directives,       // a limit of Exarch: kMaxDirectives, kMaxLevelDirectives
  case_limit,                // a limit of Exarch: kMaxCases
};
inline constexpr std::uint32_t kStatuses = 16;

// Iteration cases after which an evaluation is given up (a mapping that repeats dimensions can have 3^16 per level). The largest
// of thousands of random mappings needs 3,300. Two levels of six dimensions, as environments map, cannot reach it even where no
// result of the inner level is kept (3^6 + 2 x 3^12 = 1,063,611), so that their status does not depend on kKeptResults.
inline constexpr std::uint32_t kMaxCases = 1u << 21;

enum Tensor : std::uint32_t { kInput, kWeight, kOutput, kTensors };

// Cycles of one kind over all iteration cases of the outermost level.
struct Delay {
  std::int64_t min, max, sum;  // sum: times the occurrences of each case
};

// What one layer costs. Volumes count elements; every number is MAESTRO's own, nonsense of nonsensical mappings included.
struct Counters {
  std::int64_t runtime;             // cycles
  std::int64_t num_macs;            // as the model counts them
  std::int64_t l1_output;           // outputs read and written at the innermost level: num_macs, and in head also what cases
                                    // without any output would have
  std::int64_t l2_read[kTensors];   // at the outermost level
  std::int64_t l2_write[kTensors];  // at the outermost level
  std::int64_t l2_size, l1_size;    // required, as 32-bit integers ...
  std::int64_t sizes_wrapped;       // ... and whether (1) they did not fit into them
  std::int64_t peak_bw;             // elements per cycle that the NoC would have to carry
  std::int64_t bw_sum;              // the same, summed over all occurrences
  std::int64_t occurrences;         // of all cases
  std::int64_t offchip_bw;          // elements per cycle
  Delay ingress, egress, compute;
  std::int64_t last_macs, last_ingress;  // of the last case, whose ratio is the tool's arithmetic intensity
  // Whether the tool's energy has the L1 accesses: where the outermost level is the first whose analysis ends. That is so without
  // clusters, and in head also where all its cases lack an output.
  std::int64_t l1_in_energy;
  double active_pes;  // average
};

inline namespace EXARCH_ISA {

// Multiply-accumulates of the layer itself; strides count as the division they are. -1, which no result counts, if 64 bits do not
// hold them.
[[nodiscard]] inline std::int64_t macs_of(const Layer& layer) {
  const auto size = [&layer](Dim dim) { return static_cast<std::int64_t>(max_of(layer.size[index_of(dim)], 1)); };
  const auto outputs = [&](Dim input, Dim output, Dim filter) {
    if (layer.size[index_of(output)] > 0) return size(output);
    return (size(input) - size(filter)) / max_of(layer.stride[index_of(input)], 1) + 1;
  };
  std::int64_t macs = 1;
  const auto times = [&macs](std::int64_t factor) {
    if (macs < 0 || factor < 0 || __builtin_mul_overflow(macs, factor, &macs)) macs = -1;
  };
  if (layer.type == LayerType::gemm) {
    for (const Dim dim : {Dim::M, Dim::N, Dim::K}) times(size(dim));
    return macs;
  }
  for (const Dim dim : {Dim::N, Dim::C, Dim::R, Dim::S}) times(size(dim));
  times(outputs(Dim::Y, Dim::Yo, Dim::R));
  times(outputs(Dim::X, Dim::Xo, Dim::S));
  if (layer.type != LayerType::dsconv) times(size(Dim::K));
  if (layer.type == LayerType::ngconv) times(size(Dim::G));
  return macs;
}

}  // namespace EXARCH_ISA

// A layer of a network and how often the network has it.
struct LayerCount {
  Layer layer;
  std::int64_t repeats;
  std::int64_t macs;  // macs_of(layer)
};

struct NetworkView {
  const LayerCount* layers;
  std::uint32_t count;
  Version version;
};

// Costs of several layers: sums of cycles and volumes, the largest requirements, the extremes of delays. Of a single layer, its
// own counters.
struct Totals {
  Counters counters;
  std::int64_t impossible;  // layers whose result contradicts arithmetic: see is_impossible()
  double active_cycles;     // active PEs times cycles
};

struct NetworkResult {
  Totals totals;  // complete with status ok only
  Status status;  // of the first layer that fails
};

inline namespace EXARCH_ISA {

// More multiply-accumulates per cycle than there are lanes, no time at all, a number of operations that is not the layer's, or
// buffers that 32 bits do not measure.
[[nodiscard]] EXARCH_HD bool is_impossible(const Counters& counters, const Hardware& hardware, std::int64_t macs) {
  if (counters.num_macs != macs || counters.num_macs <= 0 || counters.runtime <= 0) return true;
  if (counters.sizes_wrapped != 0 || counters.l1_size < 0 || counters.l2_size < 0) return true;
  const double lanes = static_cast<double>(hardware.num_pes) * hardware.num_simd_lanes;
  return static_cast<double>(counters.num_macs) > lanes * static_cast<double>(counters.runtime);
}

}  // namespace EXARCH_ISA

}  // namespace exarch::maestro
