// The best row-stationary mapping of a layer for many architectures.
//
// The map space is row_stationary() of map_space.hpp. What a mapping accesses depends on the layer and the mapping only. So the
// mappings are counted once, and those are kept that may be the best one somewhere. Each architecture is then priced against
// these. Example, for ArchGym's architecture:
//
//   const RowStationary mappings(problem, FillRule::y2022, hardware);
//   if (const auto best = mappings.best(architecture, MapObjective::cycles_energy)) {
//     input.mapping = mappings.mapping(best->index);
//   }
//
// Which mappings are left out. Take two mappings that use the same loops over columns and rows. One of them needs no larger
// buffers than the other, and delivers no more words: to the psum, weights and ifmap spads, and inputs and sums to shared_glb.
// Then it is never worse than the other, on any architecture:
// - it fits wherever the other fits;
// - both use as many instances, and take as many steps;
// - all other counts follow from those five and the loops over columns and rows, and grow with them. So it has no more vector
//   accesses, whatever the block size, and costs no more, whatever the prices. Every operation of price.hpp is monotone,
//   rounding included: this holds to the last bit;
// - its demand for bandwidth is no larger, so that it takes no more cycles.
// A layer with groups has them in the outermost loop of DRAM: one group after the other.
//
// Buffers come in the sizes that architectures may have. A tile counts as the smallest buffer that holds it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "kernels/timeloop/types.hpp"

namespace exarch::timeloop {

// ArchGym's levels, the innermost first.
enum ArchgymLevel : std::uint32_t { kPsumSpad, kWeightsSpad, kIfmapSpad, kDummyBuffer, kSharedGlb, kDram, kArchgymLevels };

// What is least: cycles and, of equal cycles, energy; energy and, of equal energy, cycles; energy times cycles.
enum class MapObjective : std::uint8_t { cycles_energy, energy_cycles, edp };

// Columns and rows of multipliers.
struct ArraySize {
  std::int64_t columns, rows;
};

// What architectures may have.
struct Hardware {
  ArraySize largest;
  // (psum_spad, weights_spad, ifmap_spad, shared_glb) sizes in words, ascending, up to 2^30.
  std::array<std::vector<std::int64_t>, 4> sizes;
};

// How the bounds are split. All else of a row-stationary mapping follows from the layer.
struct Split {
  std::array<std::int64_t, 4> c;  // weights_spad; rows; temporal in shared_glb; DRAM
  std::array<std::int64_t, 5> m;  // psum_spad; rows; temporal in shared_glb; columns; DRAM
  std::array<std::int64_t, 2> n;  // temporal in shared_glb; DRAM
  std::array<std::int64_t, 2> q;  // columns; DRAM
};

// What is counted of a mapping, in words per instance. What is not here is 0 or one of these: a spad is read once per step.
struct Accesses {
  std::int64_t steps;
  std::int64_t psum_reads, psum_fills, psum_updates;
  std::int64_t weights_reads, weights_fills;
  std::int64_t ifmap_reads, ifmap_fills;
  std::int64_t glb_in_reads, glb_in_fills;
  std::int64_t glb_out_reads, glb_out_fills, glb_out_updates;
  std::int64_t dram_weights, dram_in, dram_out_reads, dram_out_updates;
};

// Words that the three spads and shared_glb (Inputs and Outputs) hold at once.
struct Tiles {
  std::int64_t psum, weights, ifmap, glb;
};

// The mapping that won, with its cycles and energy as the kernel computes them.
struct BestMapping {
  std::uint64_t index;
  std::int64_t cycles;
  double energy_pj;
};

// Whether a is better than b. Of equal ones, the lower index is.
[[nodiscard]] bool is_better(const BestMapping& a, const BestMapping& b, MapObjective objective);

class RowStationary {
 public:
  // Error where there are too many mappings, or counts are too large. Mappings are counted when an architecture first asks for
  // those with its numbers of columns and rows.
  RowStationary(const Problem& problem, FillRule rule, Hardware hardware);

  // The best mapping on an architecture of ArchGym's levels within the hardware, and none where no mapping fits. Of equally good
  // ones it is the one with the lowest index among those that no other dominates. Columns are the meshX of the spads, rows are
  // the instances of the spads per DummyBuffer: like Timeloop's mapper, it keeps to the fanout of each level. Safe to call from
  // any thread.
  [[nodiscard]] std::optional<BestMapping> best(const Architecture& architecture, MapObjective objective) const;

  // Mappings are numbered: the split of C varies slowest, then M, N and Q. The splits of a bound are in lexicographic order, so
  // that in the first all of it is at DRAM.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Split split(std::uint64_t index) const;
  [[nodiscard]] Mapping mapping(std::uint64_t index) const;
  // How many are priced at most.
  [[nodiscard]] std::size_t kept() const;

  // Calls visit(index, array in use, tiles, accesses) for every mapping that the largest array can carry, in no order that
  // matters.
  using Visit = std::function<void(std::uint64_t, const ArraySize&, const Tiles&, const Accesses&)>;
  void for_each(const Visit& visit) const;

  // The smallest that a limit has to be for some mapping to fit, the others as they are. 0: no size helps.
  struct Needs {
    Tiles tiles;
    ArraySize array;
  };
  [[nodiscard]] Needs needs(const Architecture& architecture) const;

  // Whether a bandwidth, in words per cycle, never slows a level down: psum_spad, weights_spad or ifmap_spad.
  [[nodiscard]] bool is_enough(ArchgymLevel spad, double bandwidth) const;

 private:
  // What tells the mappings of a spread apart. Tiles are the sizes of the buffers that hold them.
  struct Footprint {
    std::array<std::int32_t, 4> size;
    std::array<std::int64_t, 5> words;  // to psum_spad, weights_spad, ifmap_spad; inputs and sums to shared_glb
    std::uint64_t index;
  };
  struct Handed {  // a mapping with transfers between neighbours: its counts do not follow from a footprint
    Footprint footprint;
    Accesses accesses;
  };
  // Mappings with the same loops over columns and rows.
  struct Spread {
    std::int64_t c_rows, m_rows, m_columns, q_columns;
    ArraySize array;
    std::int64_t steps;
    // Children of shared_glb with other outputs, inputs, weights; outputs of one PE.
    std::int64_t with_outputs, with_inputs, with_weights, own_outputs;
    mutable std::once_flag once;
    mutable std::vector<Footprint> footprints;  // by index
    mutable std::vector<Handed> handed;
    mutable std::array<std::int64_t, 5> least_words;  // of each kind, over all footprints
  };
  class Hunt;  // for the best mapping on one architecture
  void count(const Spread& spread) const;
  [[nodiscard]] std::vector<const Spread*> spreads_on(const ArraySize& array) const;
  template <class Body>
  void visit_mappings(const Spread& spread, const Body& body) const;
  [[nodiscard]] Tiles tiles_of(const Split& split) const;
  [[nodiscard]] std::array<std::int64_t, 5> words_of(const Split& split) const;
  [[nodiscard]] Accesses accesses_of(const Spread& spread, const std::array<std::int64_t, 5>& words) const;
  [[nodiscard]] bool hands_on(const Split& split) const;
  [[nodiscard]] Accesses accesses_by_kernel(const Split& split) const;
  [[nodiscard]] bool to_footprint(const Tiles& tiles, Footprint& footprint) const;
  [[nodiscard]] Mapping mapping(const Split& split) const;
  template <class Body>
  void visit_kept(const Spread& spread, const Body& body) const;

  Problem problem_;
  FillRule rule_;
  Hardware hardware_;
  std::uint64_t size_ = 0;
  std::int64_t outputs_ = 1;  // of the layer
  std::vector<std::array<std::int64_t, 4>> c_;
  std::vector<std::array<std::int64_t, 5>> m_;
  std::vector<std::array<std::int64_t, 2>> n_, q_;
  std::vector<std::unique_ptr<Spread>> spreads_;  // by steps
};

}  // namespace exarch::timeloop
