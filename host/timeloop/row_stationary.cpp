#include "host/timeloop/row_stationary.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <string>

#include "host/error.hpp"
#include "host/timeloop/map_space.hpp"
#include "kernels/launch/timeloop_launch.hpp"

namespace exarch::timeloop {
namespace {

// Some 20 s to count, and 40 MB of splits of one dimension.
constexpr double kMostMappings = 50'000'000, kMostSplits = 1'000'000;

std::int64_t bound_of(const Problem& problem, Dim dim) {
  return problem.bound[index_of(dim)];
}

// How many ways there are to write `bound` as a product of so many factors: each of its primes is spread by itself.
double split_count(std::int64_t bound, int factors) {
  double count = 1;
  for (std::int64_t prime = 2; bound > 1; ++prime) {
    if (prime * prime > bound) prime = bound;
    for (int times = 0; bound % prime == 0; ++times) {
      bound /= prime;
      count *= static_cast<double>(factors + times) / static_cast<double>(times + 1);
    }
  }
  return count;
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

}  // namespace

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
  double size = 1;
  bool few = true;
  for (const auto& [dim, factors] : {std::pair{Dim::C, 4}, {Dim::M, 5}, {Dim::N, 2}, {Dim::Q, 2}}) {
    const double splits = split_count(bound_of(problem, dim), factors);
    few = few && splits <= kMostSplits;
    size *= splits;
  }
  size = std::round(size);
  if (!few || size > kMostMappings) {
    char text[200];
    std::snprintf(text, sizeof text, "the layer has %.4g row-stationary mappings; up to %.0f are searched", size, kMostMappings);
    throw Error(text);
  }
  c_ = splits_of<4>(bound_of(problem, Dim::C));
  m_ = splits_of<5>(bound_of(problem, Dim::M));
  n_ = splits_of<2>(bound_of(problem, Dim::N));
  q_ = splits_of<2>(bound_of(problem, Dim::Q));
  size_ = c_.size() * m_.size() * n_.size() * q_.size();

  std::int64_t computes = 1;
  for (const std::int64_t bound : problem.bound) computes *= bound;
  for (const Dim dim : {Dim::N, Dim::M, Dim::P, Dim::Q, Dim::G}) outputs_ *= bound_of(problem, dim);
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
  const auto& c = split.c;
  const auto& m = split.m;
  const auto &n = split.n, &q = split.q;
  const Tiles tiles = tiles_of(split);
  const std::int64_t p = bound_of(problem_, Dim::P), groups = bound_of(problem_, Dim::G), column = tiles.ifmap / c[0];
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
                            {q[1], with_npq},
                            {groups, true}});
  };
  // The loops over C and R in the spads are inside these, but move no sums.
  return {to_spad(tiles.psum, false, true, true, 0), to_spad(tiles.weights, true, true, false, 0),
          to_spad(tiles.ifmap, true, false, true, c[0] * left_over(column, problem_.wstride)),
          delivered(in_rows * high, {{c[3], true},
                                     {m[4], false},
                                     {n[1], true},
                                     {q[1], true, in_rows * left_over(high, problem_.hstride * q[0])},
                                     {groups, true}}),
          delivered(outputs, {{c[3], false}, {m[4], true}, {n[1], true}, {q[1], true}, {groups, true}})};
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
  const std::int64_t groups = bound_of(problem_, Dim::G);
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
  Block& outermost = mapping.temporal[kDram];
  if (groups > 1) outermost.loop[outermost.count++] = {Dim::G, Axis::x, groups};
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

}  // namespace exarch::timeloop
