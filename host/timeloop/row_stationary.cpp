#include "host/timeloop/row_stationary.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "host/error.hpp"
#include "host/timeloop/map_space.hpp"
#include "kernels/launch/timeloop_launch.hpp"

namespace exarch::timeloop {
namespace {

constexpr std::uint64_t kMostMappings = 200'000'000;  // some 10 s

std::int64_t bound_of(const Problem& problem, Dim dim) {
  return problem.bound[index_of(dim)];
}

// All ways to write `bound` as a product of N factors, in lexicographic order.
template <std::size_t N>
void add_splits(std::int64_t bound, std::size_t place, std::array<std::int64_t, N>& split,
                std::vector<std::array<std::int64_t, N>>& all) {
  if (place + 1 == N) {
    split[place] = bound;
    all.push_back(split);
    return;
  }
  std::vector<std::int64_t> divisors;
  for (std::int64_t d = 1; d * d <= bound; ++d) {
    if (bound % d != 0) continue;
    divisors.push_back(d);
    if (d != bound / d) divisors.push_back(bound / d);
  }
  std::ranges::sort(divisors);
  for (const std::int64_t divisor : divisors) {
    split[place] = divisor;
    add_splits(bound / divisor, place + 1, split, all);
  }
}

template <std::size_t N>
std::vector<std::array<std::int64_t, N>> splits_of(std::int64_t bound) {
  std::vector<std::array<std::int64_t, N>> all;
  std::array<std::int64_t, N> split{};
  add_splits(bound, 0, split, all);
  return all;
}

// ---- counting -------------------------------------------------------------------------------------------------------------

struct OuterLoop {
  std::int64_t bound;
  bool moves;              // the tile
  std::int64_t stays = 0;  // words of the tile that are there before and after a step of this loop
};

// Words that come to one instance: the tile, and again in every step of the innermost loop that moves it, and of all loops
// outside. Steps of that loop alone bring only what was not there. `loops` start with the innermost one.
template <std::size_t N>
std::int64_t delivered(std::int64_t tile, const OuterLoop (&loops)[N]) {
  std::size_t first = 0;
  while (first < N && (loops[first].bound == 1 || !loops[first].moves)) ++first;
  if (first == N) return tile;
  std::int64_t outside = 1;
  for (std::size_t l = first + 1; l < N; ++l) outside *= loops[l].bound;
  return outside * (loops[first].bound * tile - (loops[first].bound - 1) * loops[first].stays);
}

// Of a tile's extent, what is there before and after it moves by a step.
std::int64_t left_over(std::int64_t extent, std::int64_t step) {
  return std::max<std::int64_t>(0, extent - step);
}

// ---- domination -----------------------------------------------------------------------------------------------------------

// Leaves out what another one dominates; of equal ones the lowest index stays. In lexicographic order a footprint comes after all
// that dominate it.
template <class Footprint>
void keep_undominated(std::vector<Footprint>& all) {
  const auto dominates = [](const Footprint& a, const Footprint& b) {
    bool good = true;  // without branches: the compiler compares several at once
    for (std::size_t i = 0; i < a.size.size(); ++i) good &= a.size[i] <= b.size[i];
    if (!good) return false;
    for (std::size_t i = 0; i < a.words.size(); ++i) good &= a.words[i] <= b.words[i];
    return good;
  };
  std::ranges::sort(all, [](const Footprint& a, const Footprint& b) {
    if (a.words != b.words) return a.words < b.words;
    return a.size != b.size ? a.size < b.size : a.index < b.index;
  });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Footprint now = all[i];
    const bool dominated = std::any_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept),
                                       [&](const Footprint& other) { return dominates(other, now); });
    if (!dominated) all[kept++] = now;
  }
  all.resize(kept);
}

// ---- pricing
// ------------------------------------------------------------------------------------------------------------------- The same
// operations in the same order as in kernels/timeloop/price.hpp, but for those that add 0 or multiply by 1. So the cycles and
// energies are the kernel's, bit by bit.

struct Lane {
  const Storage* storage;
  int shift;  // block sizes are powers of two

  [[nodiscard]] double vectors(std::int64_t words) const {
    // Of negative words price.hpp rounds towards zero, too.
    return static_cast<double>(words >= 0 ? (words + storage->block_size - 1) >> shift : -((-words) >> shift));
  }
  [[nodiscard]] double energy(std::int64_t reads, std::int64_t fills, std::int64_t updates) const {
    return vectors(reads) * storage->read_pj + vectors(fills) * storage->fill_pj + vectors(updates) * storage->update_pj;
  }
};

Lane lane_of(const Storage& storage) {
  int shift = 0;
  while (std::int64_t{1} << shift < storage.block_size) ++shift;
  if (std::int64_t{1} << shift != storage.block_size) throw Error("row-stationary search: block sizes are powers of two");
  return {&storage, shift};
}

std::int64_t cycles_at(double steps, std::int64_t plain, double bandwidth, double demand) {
  if (!(bandwidth > 0 && bandwidth < demand)) return plain;
  const double needed = steps / (bandwidth / demand);
  auto cycles = static_cast<std::int64_t>(needed);
  if (static_cast<double>(cycles) < needed) ++cycles;
  return cycles;
}

struct Pricing {
  const Architecture& architecture;
  Lane psum, weights, ifmap, glb, dram;
  std::array<bool, kArchgymLevels> checks_spad;  // whether its bandwidth might not be enough

  [[nodiscard]] std::int64_t cycles(const Accesses& n) const {
    const auto steps = static_cast<double>(n.steps);
    const auto slowest = [&](const Storage& level, double reads, double writes) {
      return std::max(cycles_at(steps, n.steps, level.read_bw, reads), cycles_at(steps, n.steps, level.write_bw, writes));
    };
    const auto per_step = [steps](std::int64_t words) { return static_cast<double>(words) / steps; };
    const Storage* storage = architecture.storage;
    std::int64_t cycles = slowest(storage[kSharedGlb], per_step(n.glb_in_reads) + per_step(n.glb_out_reads),
                                  per_step(n.glb_in_fills) + per_step(n.glb_out_fills + n.glb_out_updates));
    if (checks_spad[kPsumSpad]) {
      cycles = std::max(cycles, slowest(storage[kPsumSpad], per_step(n.psum_reads), per_step(n.psum_fills + n.psum_updates)));
    }
    if (checks_spad[kWeightsSpad]) {
      cycles = std::max(cycles, slowest(storage[kWeightsSpad], per_step(n.weights_reads), per_step(n.weights_fills)));
    }
    if (checks_spad[kIfmapSpad]) {
      cycles = std::max(cycles, slowest(storage[kIfmapSpad], per_step(n.ifmap_reads), per_step(n.ifmap_fills)));
    }
    return cycles;
  }

  [[nodiscard]] double energy(const Accesses& n, const ArraySize& used) const {
    const std::int64_t pes = used.columns * used.rows;
    const auto instances = static_cast<double>(pes);
    double energy = static_cast<double>(n.steps * pes) * architecture.compute.compute_pj;
    energy += psum.energy(n.psum_reads, n.psum_fills, n.psum_updates) * instances;
    energy += weights.energy(n.weights_reads, n.weights_fills, 0) * instances;
    energy += ifmap.energy(n.ifmap_reads, n.ifmap_fills, 0) * instances;
    energy += glb.energy(n.glb_in_reads, n.glb_in_fills, 0) + glb.energy(n.glb_out_reads, n.glb_out_fills, n.glb_out_updates);
    energy +=
        dram.energy(n.dram_weights, 0, 0) + dram.energy(n.dram_in, 0, 0) + dram.energy(n.dram_out_reads, 0, n.dram_out_updates);
    return energy;
  }
};

std::array<std::int64_t, 4> sizes_of(const Architecture& architecture) {
  const Storage* storage = architecture.storage;
  return {storage[kPsumSpad].size, storage[kWeightsSpad].size, storage[kIfmapSpad].size, storage[kSharedGlb].size};
}

ArraySize array_of(const Architecture& architecture) {
  const Storage& spad = architecture.storage[kPsumSpad];
  return {spad.mesh_x, spad.instances / architecture.storage[kDummyBuffer].instances};
}

}  // namespace

bool is_better(const BestMapping& a, const BestMapping& b, MapObjective objective) {
  const auto edp = [](const BestMapping& m) { return m.energy_pj * static_cast<double>(m.cycles); };
  switch (objective) {
    case MapObjective::cycles_energy:
      if (a.cycles != b.cycles) return a.cycles < b.cycles;
      if (a.energy_pj != b.energy_pj) return a.energy_pj < b.energy_pj;
      break;
    case MapObjective::energy_cycles:
      if (a.energy_pj != b.energy_pj) return a.energy_pj < b.energy_pj;
      if (a.cycles != b.cycles) return a.cycles < b.cycles;
      break;
    case MapObjective::edp:
      if (edp(a) != edp(b)) return edp(a) < edp(b);
      break;
  }
  return a.index < b.index;
}

// ---- the mappings of a layer ----------------------------------------------------------------------------------------------

RowStationary::RowStationary(const Problem& problem, FillRule rule, Hardware hardware)
    : problem_(problem), rule_(rule), hardware_(std::move(hardware)) {
  // No count is larger than the volume of the loops times the strides, with room for the borders of tiles.
  double largest_count = 8;
  for (const std::int64_t bound : problem.bound) largest_count *= static_cast<double>(bound);
  for (const std::int64_t factor : {problem.wstride, problem.hstride, problem.wdilation, problem.hdilation}) {
    largest_count *= static_cast<double>(factor);
  }
  if (!(largest_count <= static_cast<double>(kLargestCount))) throw Error("the layer is too large: its counts exceed 2^53");
  c_ = splits_of<4>(bound_of(problem, Dim::C));
  m_ = splits_of<5>(bound_of(problem, Dim::M));
  n_ = splits_of<2>(bound_of(problem, Dim::N));
  q_ = splits_of<2>(bound_of(problem, Dim::Q));
  const double size = static_cast<double>(c_.size()) * static_cast<double>(m_.size()) * static_cast<double>(n_.size()) *
                      static_cast<double>(q_.size());
  if (size > static_cast<double>(kMostMappings)) {
    throw Error("the layer has " + std::to_string(static_cast<std::uint64_t>(size)) + " row-stationary mappings; up to " +
                std::to_string(kMostMappings) + " are searched");
  }
  size_ = static_cast<std::uint64_t>(size);

  std::int64_t computes = 1;
  for (const std::int64_t bound : problem.bound) computes *= bound;
  for (const Dim dim : {Dim::N, Dim::M, Dim::P, Dim::Q}) outputs_ *= bound_of(problem, dim);
  std::set<std::int64_t> c_rows, q_columns;
  std::set<std::pair<std::int64_t, std::int64_t>> m_array;  // rows, columns
  for (const auto& c : c_) c_rows.insert(c[1]);
  for (const auto& q : q_) q_columns.insert(q[0]);
  for (const auto& m : m_) m_array.insert({m[1], m[3]});
  for (const std::int64_t c : c_rows) {
    for (const auto& [m_rows, m_columns] : m_array) {
      for (const std::int64_t q : q_columns) {
        const ArraySize array{m_columns * q, bound_of(problem, Dim::S) * c * m_rows};
        if (array.columns > hardware_.largest.columns || array.rows > hardware_.largest.rows) continue;
        auto spread = std::make_unique<Spread>();
        spread->c_rows = c;
        spread->m_rows = m_rows;
        spread->m_columns = m_columns;
        spread->q_columns = q;
        spread->array = array;
        spread->steps = computes / (array.columns * array.rows);
        spread->with_outputs = m_rows * m_columns * q;
        spread->with_inputs = bound_of(problem, Dim::S) * c * q;
        spread->with_weights = array.rows * m_columns;
        spread->own_outputs = outputs_ / spread->with_outputs;
        spreads_.push_back(std::move(spread));
      }
    }
  }
  std::ranges::stable_sort(spreads_, {}, [](const auto& spread) { return spread->steps; });
}

// Visits the mappings of a spread: body(split, index). Those with the same tiles in the spads come one after the other.
template <class Body>
void RowStationary::visit_mappings(const Spread& spread, const Body& body) const {
  std::map<std::int64_t, std::vector<std::size_t>> c_of, m_of;  // by what a spad holds
  for (std::size_t i = 0; i < c_.size(); ++i) {
    if (c_[i][1] == spread.c_rows) c_of[c_[i][0]].push_back(i);
  }
  for (std::size_t i = 0; i < m_.size(); ++i) {
    if (m_[i][1] == spread.m_rows && m_[i][3] == spread.m_columns) m_of[m_[i][0]].push_back(i);
  }
  const auto q =
      static_cast<std::size_t>(std::ranges::find(q_, spread.q_columns, [](const auto& split) { return split[0]; }) - q_.begin());
  for (const auto& [c_spad, c_list] : c_of) {
    for (const auto& [m_spad, m_list] : m_of) {
      for (const std::size_t c : c_list) {
        for (const std::size_t m : m_list) {
          for (std::size_t n = 0; n < n_.size(); ++n) {
            body(Split{c_[c], m_[m], n_[n], q_[q]}, ((c * m_.size() + m) * n_.size() + n) * q_.size() + q);
          }
        }
      }
    }
  }
}

// Counts the mappings of a spread, and keeps those that no other dominates. First those with the same tiles in the spads are
// compared, which are few, then what is left.
void RowStationary::count(const Spread& spread) const {
  std::call_once(spread.once, [&] {
    std::vector<Footprint> cell, kept;
    std::pair<std::int64_t, std::int64_t> spads{};
    const auto end_cell = [&] {
      keep_undominated(cell);
      kept.insert(kept.end(), cell.begin(), cell.end());
      cell.clear();
    };
    visit_mappings(spread, [&](const Split& split, std::uint64_t index) {
      Footprint footprint{};
      footprint.index = index;
      if (!to_footprint(tiles_of(split), footprint)) return;
      if (hands_on(split)) {
        spread.handed.push_back({footprint, accesses_by_kernel(split)});
        return;
      }
      footprint.words = words_of(split);
      if (spads != std::pair{split.c[0], split.m[0]}) end_cell();
      spads = {split.c[0], split.m[0]};
      cell.push_back(footprint);
    });
    end_cell();
    keep_undominated(kept);
    std::ranges::sort(kept, {}, &Footprint::index);
    kept.shrink_to_fit();
    spread.least_words.fill(kept.empty() ? 0 : kLargestCount);
    for (const Footprint& footprint : kept) {
      for (std::size_t i = 0; i < footprint.words.size(); ++i) {
        spread.least_words[i] = std::min(spread.least_words[i], footprint.words[i]);
      }
    }
    spread.footprints = std::move(kept);
  });
}

// Visits what count() kept: body(footprint, accesses or null where they follow from the footprint).
template <class Body>
void RowStationary::visit_kept(const Spread& spread, const Body& body) const {
  count(spread);
  for (const Footprint& footprint : spread.footprints) body(footprint, static_cast<const Accesses*>(nullptr));
  for (const Handed& handed : spread.handed) body(handed.footprint, &handed.accesses);
}

// The buffers that hold the tiles; false where there are none.
bool RowStationary::to_footprint(const Tiles& tiles, Footprint& footprint) const {
  const std::array<std::int64_t, 4> words{tiles.psum, tiles.weights, tiles.ifmap, tiles.glb};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto size = std::ranges::lower_bound(hardware_.sizes[i], words[i]);
    if (size == hardware_.sizes[i].end()) return false;
    footprint.size[i] = static_cast<std::int32_t>(*size);
  }
  return true;
}

Tiles RowStationary::tiles_of(const Split& split) const {
  const auto& [c, m, n, q] = split;
  const std::int64_t r = bound_of(problem_, Dim::R), p = bound_of(problem_, Dim::P);
  const std::int64_t column = problem_.wdilation * (r - 1) + 1;  // of inputs, for one output
  const std::int64_t wide = column + problem_.wstride * (p - 1);
  const std::int64_t high = problem_.hdilation * (bound_of(problem_, Dim::S) - 1) + 1 + problem_.hstride * (q[0] - 1);
  const std::int64_t inputs = n[0] * c[0] * c[1] * c[2] * wide * high, outputs = n[0] * m[0] * m[1] * m[2] * m[3] * p * q[0];
  return {m[0], c[0] * m[0] * r, c[0] * column, inputs + outputs};
}

// Neighbours hand inputs on where Q is the only loop outside: its steps may then be those between two rows. All else that moves
// the inputs moves them further than neighbours are apart, or along another rank.
bool RowStationary::hands_on(const Split& split) const {
  const auto& [c, m, n, q] = split;
  return bound_of(problem_, Dim::P) == 1 && q[1] > 1 && c[2] * c[3] * n[0] * n[1] * m[2] * m[4] == 1;
}

// What is delivered to the three spads, and of inputs and sums to shared_glb.
std::array<std::int64_t, 5> RowStationary::words_of(const Split& split) const {
  const auto& [c, m, n, q] = split;
  const Tiles tiles = tiles_of(split);
  const std::int64_t p = bound_of(problem_, Dim::P), column = tiles.ifmap / c[0];
  const std::int64_t wide = column + problem_.wstride * (p - 1);
  const std::int64_t high = problem_.hdilation * (bound_of(problem_, Dim::S) - 1) + 1 + problem_.hstride * (q[0] - 1);
  const std::int64_t outputs = n[0] * m[0] * m[1] * m[2] * m[3] * p * q[0], in_rows = n[0] * c[0] * c[1] * c[2] * wide;
  const auto to_spad = [&](std::int64_t tile, bool with_c, bool with_m, bool with_npq, std::int64_t stays) {
    return delivered(tile, {{c[2], with_c},
                            {p, with_npq, stays},
                            {n[0], with_npq},
                            {m[2], with_m},
                            {c[3], with_c},
                            {m[4], with_m},
                            {n[1], with_npq},
                            {q[1], with_npq}});
  };
  // The loops over C and R in the spads are inside these, but move no sums.
  return {
      to_spad(tiles.psum, false, true, true, 0), to_spad(tiles.weights, true, true, false, 0),
      to_spad(tiles.ifmap, true, false, true, c[0] * left_over(column, problem_.wstride)),
      delivered(in_rows * high,
                {{c[3], true}, {m[4], false}, {n[1], true}, {q[1], true, in_rows * left_over(high, problem_.hstride * q[0])}}),
      delivered(outputs, {{c[3], false}, {m[4], true}, {n[1], true}, {q[1], true}})};
}

// All counts, from what is delivered.
Accesses RowStationary::accesses_of(const Spread& spread, const std::array<std::int64_t, 5>& words) const {
  const auto& [psums, weights, ifmap, inputs, sums] = words;
  const std::int64_t steps = spread.steps, own = spread.own_outputs, updates = psums * spread.with_outputs;
  const bool elides = rule_ == FillRule::current;
  Accesses n{};
  n.steps = n.psum_updates = n.weights_reads = n.ifmap_reads = steps;
  n.psum_reads = steps - own;  // the first sum of each output finds nothing to be added to
  n.psum_fills = psums - (elides ? own : 0);
  n.weights_fills = weights;
  n.ifmap_fills = ifmap;
  n.glb_in_reads = ifmap * spread.with_inputs;
  n.glb_in_fills = n.dram_in = inputs;
  n.glb_out_updates = updates;
  n.glb_out_reads = updates - outputs_;
  n.glb_out_fills = sums - (elides ? outputs_ : 0);
  n.dram_weights = weights * spread.with_weights;
  n.dram_out_updates = sums;
  n.dram_out_reads = sums - outputs_;
  return n;
}

// All counts by the kernel, on an architecture that has what the mapping needs.
Accesses RowStationary::accesses_by_kernel(const Split& split) const {
  Input input{};
  input.problem = problem_;
  input.mapping = mapping(split);
  Architecture& a = input.architecture;
  a.levels = kArchgymLevels;
  const std::int64_t x = split.m[3] * split.q[0], y = bound_of(problem_, Dim::S) * split.c[1] * split.m[1];
  a.compute = {x * y, x, y, 0, 0};
  for (std::uint32_t level = 0; level < kArchgymLevels; ++level) {
    a.storage[level] = {-1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0};
    Storage& storage = a.storage[level];
    if (level <= kDummyBuffer) storage.mesh_x = x;
    if (level < kDummyBuffer) storage.mesh_y = y;
    storage.instances = storage.mesh_x * storage.mesh_y;
  }
  Counters counters;
  Price price;
  Fault fault;
  const Status status = cpu_functions().evaluate(input, rule_, counters, price, fault);
  if (status != Status::ok) throw Error("a row-stationary mapping is refused by the kernel");
  const Counts& psum = counters.count[kPsumSpad][kOutputs];
  const Counts& weights = counters.count[kWeightsSpad][kWeights];
  const Counts& ifmap = counters.count[kIfmapSpad][kInputs];
  const Counts &glb_in = counters.count[kSharedGlb][kInputs], &glb_out = counters.count[kSharedGlb][kOutputs];
  const Counts* dram = counters.count[kDram];
  return {counters.steps,  psum.reads,           psum.fills,          psum.updates,         weights.reads,         weights.fills,
          ifmap.reads,     ifmap.fills,          glb_in.reads,        glb_in.fills,         glb_out.reads,         glb_out.fills,
          glb_out.updates, dram[kWeights].reads, dram[kInputs].reads, dram[kOutputs].reads, dram[kOutputs].updates};
}

Split RowStationary::split(std::uint64_t index) const {
  Split split{};
  split.q = q_[index % q_.size()];
  index /= q_.size();
  split.n = n_[index % n_.size()];
  index /= n_.size();
  split.m = m_[index % m_.size()];
  split.c = c_[index / m_.size()];
  return split;
}

Mapping RowStationary::mapping(std::uint64_t index) const {
  return mapping(split(index));
}

// The order of the loops is that of the constraints.
Mapping RowStationary::mapping(const Split& split) const {
  const Constraints constraints = row_stationary();
  Mapping mapping{};
  const auto fill = [&](Block& block, const BlockConstraint& order, std::initializer_list<std::pair<Dim, std::int64_t>> bounds,
                        Axis axis) {
    for (const Dim dim : order.innermost) {
      std::int64_t bound = order.factor[index_of(dim)] == BlockConstraint::kWhole ? bound_of(problem_, dim) : 1;
      for (const auto& [given, factor] : bounds) {
        if (given == dim) bound = factor;
      }
      if (bound > 1) block.loop[block.count++] = {dim, axis, bound};
    }
  };
  const auto& [c, m, n, q] = split;
  const auto temporal = [&](ArchgymLevel level, std::initializer_list<std::pair<Dim, std::int64_t>> bounds) {
    fill(mapping.temporal[level], constraints.temporal[level], bounds, Axis::x);
  };
  temporal(kPsumSpad, {{Dim::M, m[0]}});
  temporal(kWeightsSpad, {{Dim::C, c[0]}});
  temporal(kSharedGlb, {{Dim::C, c[2]}, {Dim::N, n[0]}, {Dim::M, m[2]}});
  temporal(kDram, {{Dim::C, c[3]}, {Dim::M, m[4]}, {Dim::N, n[1]}, {Dim::Q, q[1]}});
  fill(mapping.spatial[kDummyBuffer], constraints.spatial[kDummyBuffer], {{Dim::C, c[1]}, {Dim::M, m[1]}}, Axis::y);
  fill(mapping.spatial[kSharedGlb], constraints.spatial[kSharedGlb], {{Dim::M, m[3]}, {Dim::Q, q[0]}}, Axis::x);
  for (std::uint32_t level = 0; level < kArchgymLevels; ++level) {
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      mapping.keep[level][space] = constraints.keep[level][space] == Choice::yes;
    }
  }
  return mapping;
}

std::size_t RowStationary::kept() const {
  std::size_t all = 0;
  for (const auto& spread : spreads_) {
    count(*spread);
    all += spread->footprints.size() + spread->handed.size();
  }
  return all;
}

void RowStationary::for_each(const Visit& visit) const {
  for (const auto& spread : spreads_) {
    visit_mappings(*spread, [&](const Split& split, std::uint64_t index) {
      visit(index, spread->array, tiles_of(split),
            hands_on(split) ? accesses_by_kernel(split) : accesses_of(*spread, words_of(split)));
    });
  }
}

bool RowStationary::is_enough(ArchgymLevel spad, double bandwidth) const {
  // Per step, a spad is read once, and psums are updated once. What is delivered to it is no more than what its multiplier uses
  // of it, but for inputs that dilation leaves out. Neighbours read inputs, too.
  const auto gaps = static_cast<double>(problem_.wdilation);
  const bool hands = bound_of(problem_, Dim::P) == 1;
  return bandwidth >= (spad == kPsumSpad ? 2 : spad == kWeightsSpad ? 1 : hands ? 1 + gaps : gaps);
}

// ---- an architecture ------------------------------------------------------------------------------------------------------

class RowStationary::Hunt {
 public:
  Hunt(const RowStationary& mappings, const Architecture& a, MapObjective objective)
      : mappings_(mappings), objective_(objective), sizes_(sizes_of(a)), pricing_(pricing_on(mappings, a)) {}

  [[nodiscard]] const std::optional<BestMapping>& best() const { return best_; }

  // No mapping is better than one with the least of everything, which may not exist. It has the lowest index there is.
  [[nodiscard]] BestMapping bound_of(const Spread& spread) const {
    mappings_.count(spread);
    const Accesses least = mappings_.accesses_of(spread, spread.least_words);
    return {0, pricing_.cycles(least), pricing_.energy(least, spread.array)};
  }

  void try_all(const Spread& spread, const BestMapping& bound) {
    for (const Handed& handed : spread.handed) {
      if (fits(handed.footprint)) try_one(spread, handed.footprint, handed.accesses);
    }
    if (best_ && !is_better(bound, *best_, objective_)) return;
    for (const Footprint& footprint : spread.footprints) {
      if (fits(footprint)) try_one(spread, footprint, mappings_.accesses_of(spread, footprint.words));
    }
  }

 private:
  static Pricing pricing_on(const RowStationary& mappings, const Architecture& a) {
    Pricing pricing{a,
                    lane_of(a.storage[kPsumSpad]),
                    lane_of(a.storage[kWeightsSpad]),
                    lane_of(a.storage[kIfmapSpad]),
                    lane_of(a.storage[kSharedGlb]),
                    lane_of(a.storage[kDram]),
                    {}};
    for (const ArchgymLevel spad : {kPsumSpad, kWeightsSpad, kIfmapSpad}) {
      for (const double bandwidth : {a.storage[spad].read_bw, a.storage[spad].write_bw}) {
        if (bandwidth > 0 && !mappings.is_enough(spad, bandwidth)) pricing.checks_spad[spad] = true;
      }
    }
    return pricing;
  }

  [[nodiscard]] bool fits(const Footprint& footprint) const {
    bool fit = true;
    for (std::size_t i = 0; i < sizes_.size(); ++i) fit &= footprint.size[i] <= sizes_[i];
    return fit;
  }

  void try_one(const Spread& spread, const Footprint& footprint, const Accesses& accesses) {
    const std::int64_t cycles = pricing_.cycles(accesses);
    if (objective_ == MapObjective::cycles_energy && best_ && cycles > best_->cycles) return;
    const BestMapping now{footprint.index, cycles, pricing_.energy(accesses, spread.array)};
    if (!best_ || is_better(now, *best_, objective_)) best_ = now;
  }

  const RowStationary& mappings_;
  MapObjective objective_;
  std::array<std::int64_t, 4> sizes_;
  Pricing pricing_;
  std::optional<BestMapping> best_;
};

std::optional<BestMapping> RowStationary::best(const Architecture& a, MapObjective objective) const {
  Hunt hunt(*this, a, objective);
  const std::vector<const Spread*> spreads = spreads_on(array_of(a));
  if (objective == MapObjective::cycles_energy) {  // by steps: those that are never tried need not be counted
    for (const Spread* spread : spreads) {
      if (hunt.best() && spread->steps > hunt.best()->cycles) break;  // no mapping takes fewer cycles than steps
      hunt.try_all(*spread, hunt.bound_of(*spread));
    }
    return hunt.best();
  }
  std::vector<std::pair<BestMapping, const Spread*>> promising;
  for (const Spread* spread : spreads) promising.emplace_back(hunt.bound_of(*spread), spread);
  std::ranges::stable_sort(promising, [&](const auto& x, const auto& y) { return is_better(x.first, y.first, objective); });
  for (const auto& [bound, spread] : promising) hunt.try_all(*spread, bound);
  return hunt.best();
}

// Those that the array can carry, by steps.
std::vector<const RowStationary::Spread*> RowStationary::spreads_on(const ArraySize& array) const {
  std::vector<const Spread*> fitting;
  for (const auto& spread : spreads_) {
    if (spread->array.columns <= array.columns && spread->array.rows <= array.rows) fitting.push_back(spread.get());
  }
  return fitting;
}

RowStationary::Needs RowStationary::needs(const Architecture& a) const {
  const std::array<std::int64_t, 4> sizes = sizes_of(a);
  const ArraySize there = array_of(a);
  Needs needs{};
  std::array<std::int64_t*, 4> tiles{&needs.tiles.psum, &needs.tiles.weights, &needs.tiles.ifmap, &needs.tiles.glb};
  const auto lower = [](std::int64_t& least, std::int64_t value) { least = least == 0 ? value : std::min(least, value); };
  for (const auto& spread : spreads_) {
    const bool few_columns = spread->array.columns > there.columns, few_rows = spread->array.rows > there.rows;
    visit_kept(*spread, [&](const Footprint& footprint, const Accesses* /*counted*/) {
      int faults = (few_columns ? 1 : 0) + (few_rows ? 1 : 0);
      for (std::size_t i = 0; i < sizes.size(); ++i) faults += footprint.size[i] > sizes[i] ? 1 : 0;
      if (faults != 1) return;
      if (few_columns) lower(needs.array.columns, spread->array.columns);
      if (few_rows) lower(needs.array.rows, spread->array.rows);
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (footprint.size[i] > sizes[i]) lower(*tiles[i], footprint.size[i]);
      }
    });
  }
  return needs;
}

}  // namespace exarch::timeloop
