// Random mappings of a map space, by number: the mapping of a seed and a number is always the same. Most mappings do not fit;
// these are told by few of their factors, before the others are drawn.
//
// A mapping is drawn in steps. Each of these may end it.
// 1. For every dimension, the factors of the spatial blocks, as likely as there are ways to split the rest. Rejected where
//    a level has fewer children.
// 2. The factors of the temporal blocks, and which levels keep what. Rejected where a level has fewer words.
// 3. The order of the loops of every block, and which of the spatial ones are on the X axis.
//
// All factors are as likely as each other, up to 2^-kSpreadBits of a table; so are orders, splits and bypasses. Example:
//
//   Mapping mapping;
//   if (draw(view, seed, 7, mapping) == Draw::drawn) { ... }
//
// host/timeloop/drawing.hpp makes the tables.
#pragma once

#include "kernels/core/philox.hpp"
#include "kernels/timeloop/totals.hpp"

namespace exarch::timeloop {

inline constexpr std::uint32_t kMaxBlocks = 2 * kMaxLevels;
inline constexpr std::uint32_t kSpreadBits = 128 / kDims;  // of the block of random words that chooses spatial factors

// A bucket of Walker's alias method: of 2^kSpreadBits numbers that fall into it those below `own` choose it, the others choose
// `other`.
struct Bucket {
  std::uint32_t own, other;
};

// The rows of a table that have the same spatial factors.
struct RowRange {
  std::uint32_t first, count;
};

// The splits of one dimension.
struct DimTable {
  std::uint32_t spreads;         // different spatial factors
  const Bucket* bucket;          // (spread)
  const float* spatial;          // (spread, spatial level; padded to 4) factors
  const RowRange* range;         // (spread)
  const std::uint32_t* extents;  // (row, level) of the tile of each level
  const std::uint32_t* factors;  // (row, block)
};

// A block of the nest, the innermost first.
struct DrawBlock {
  std::uint32_t level;
  bool spatial;
  bool every_place;           // loops of bound 1 have places in the order and in the split, as a fixed split counts them
  std::int32_t split;         // -1: open
  std::uint32_t inner, free;  // loops with a fixed place at the inner end; with any place; the others have fixed places
  Dim loop[kDims];            // in the order of before they are permuted
};

inline constexpr std::uint32_t kMaxGoals = 3;

// A map space as it is drawn from. All pointers are to memory of the same side.
struct DrawView {
  Frame frame;
  std::uint32_t blocks, dims, tables, spatial_levels;
  DrawBlock block[kMaxBlocks];
  Dim dim[kDims];            // (table) those with a bound above 1
  DimTable table[kDims];     // (table)
  float most[kMaxLevels];    // (spatial level) children: what the product of the factors may be at most
  float least_parallelism;   // product of the spatial factors of all levels, at least
  std::uint32_t open_keeps;  // choices that are open
  std::uint8_t open_level[kMaxLevels * kSpaces], open_space[kMaxLevels * kSpaces];
  Keep keep;  // of the choices that are not
  std::uint32_t goals;
  Goal goal[kMaxGoals];
};

enum class Draw : std::uint8_t { drawn, fanout, capacity };

// The best of a number of draws.
struct Drawn {
  bool found;
  std::uint64_t number;  // of the best; of equal ones, the lowest
  Totals totals;
  std::uint64_t fanout, capacity, refused, valid;  // how the draws ended; refused: by the model, for another reason
};

inline namespace EXARCH_ISA {

// Number `r` of 2^bits, as one of `count`.
[[nodiscard]] EXARCH_HD std::uint32_t scaled(std::uint32_t r, std::uint32_t count) {
  return static_cast<std::uint32_t>(std::uint64_t{r} * count >> 32);
}

// Block `block` of the random words of a mapping. The first decides the spatial factors, the next two the others, and the fourth
// what levels keep where that is open; the orders and splits have a stream of their own.
[[nodiscard]] EXARCH_HD PhiloxCounter counter_of_draw(std::uint64_t number, std::uint32_t block) {
  constexpr std::uint32_t kPurpose = 0x7E10;
  return {{block, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32), kPurpose}};
}
[[nodiscard]] EXARCH_HD PhiloxKey key_of_draw(std::uint64_t seed) {
  return {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
}
[[nodiscard]] EXARCH_HD PhiloxCounter words_of_draw(std::uint64_t seed, std::uint64_t number, std::uint32_t block) {
  return philox4x32_10(counter_of_draw(number, block), key_of_draw(seed));
}

// A bit for each choice of DrawView::open_keeps.
[[nodiscard]] EXARCH_HD std::uint32_t keeps_of_draw(const DrawView& view, std::uint64_t seed, std::uint64_t number) {
  return view.open_keeps > 0 ? words_of_draw(seed, number, 3).word[0] : 0;
}

// The bits of table t among the first block of random words.
[[nodiscard]] EXARCH_HD std::uint32_t spread_bits(const PhiloxCounter& random, std::uint32_t t) {
  const std::uint64_t low = std::uint64_t{random.word[1]} << 32 | random.word[0];
  const std::uint64_t high = std::uint64_t{random.word[3]} << 32 | random.word[2];
  static_assert(kDims == 8);  // half of the tables in each half
  const std::uint64_t bits = t < 4 ? low >> (kSpreadBits * t) : high >> (kSpreadBits * (t - 4));
  return static_cast<std::uint32_t>(bits) & ((1u << kSpreadBits) - 1);
}

// The spread that such bits choose.
[[nodiscard]] EXARCH_HD std::uint32_t choose_spread(const Bucket* bucket, std::uint32_t spreads, std::uint32_t bits) {
  const std::uint64_t place = std::uint64_t{bits} * spreads;
  const auto at = static_cast<std::uint32_t>(place >> kSpreadBits);
  const Bucket chosen = bucket[at];
  // Without a branch: a processor cannot guess it.
  const std::uint32_t elsewhere = 0u - static_cast<std::uint32_t>((place & ((1u << kSpreadBits) - 1)) >= chosen.own);
  return at ^ ((at ^ chosen.other) & elsewhere);
}

// The spatial levels whose factors lie together in DimTable::spatial.
[[nodiscard]] EXARCH_HD std::uint32_t padded_levels(const DrawView& view) {
  return view.spatial_levels <= 4 ? 4 : (view.spatial_levels + 3) / 4 * 4;
}

// Whether each level has enough children for the product of its factors, and enough multipliers are in use. The first four
// products are given.
[[nodiscard]] EXARCH_HD bool has_children(const DrawView& view, const float (&product)[4], const std::uint32_t (&spread)[kDims]) {
  float parallelism = product[0] * product[1] * product[2] * product[3];
  bool fits = true;
  for (std::uint32_t l = 0; l < 4; ++l) fits &= product[l] <= view.most[l];
  for (std::uint32_t l = 4; l < view.spatial_levels; ++l) {
    float more = 1;
    for (std::uint32_t t = 0; t < view.tables; ++t)
      more *= view.table[t].spatial[std::size_t{spread[t]} * padded_levels(view) + l];
    fits &= more <= view.most[l];
    parallelism *= more;
  }
  return fits & (parallelism >= view.least_parallelism);
}

// Step 1: spread[table]. False where a level has too few children.
[[nodiscard]] EXARCH_HD bool draw_spreads(const DrawView& view, const PhiloxCounter& random, std::uint32_t (&spread)[kDims]) {
  float product[4] = {1, 1, 1, 1};
  for (std::uint32_t t = 0; t < view.tables; ++t) {
    const DimTable& table = view.table[t];
    spread[t] = choose_spread(table.bucket, table.spreads, spread_bits(random, t));
    const float* factors = table.spatial + std::size_t{spread[t]} * padded_levels(view);
    for (std::uint32_t l = 0; l < 4; ++l) product[l] *= factors[l];
  }
  return has_children(view, product, spread);
}

// Words of a tile, as a double: exact up to 2^53, and beyond it no less.
[[nodiscard]] EXARCH_HD double words_of(const Problem& p, std::uint32_t space, const std::uint32_t (&extent)[kDims]) {
  const auto of = [&](Dim dim) { return static_cast<double>(extent[index_of(dim)]); };
  if (space == kWeights) return of(Dim::G) * of(Dim::C) * of(Dim::M) * of(Dim::R) * of(Dim::S);
  if (space == kOutputs) return of(Dim::G) * of(Dim::N) * of(Dim::M) * of(Dim::Q) * of(Dim::P);
  const auto along_both = [&](Dim filter, std::int64_t dilation, Dim output, std::int64_t stride) {
    return 1 + static_cast<double>(dilation) * (of(filter) - 1) + static_cast<double>(stride) * (of(output) - 1);
  };
  return of(Dim::G) * of(Dim::N) * of(Dim::C) * along_both(Dim::R, p.wdilation, Dim::P, p.wstride) *
         along_both(Dim::S, p.hdilation, Dim::Q, p.hstride);
}

// Step 2, first half: row[table], keep.
EXARCH_HD void draw_rows(const DrawView& view, const std::uint32_t (&spread)[kDims], const PhiloxCounter& low,
                         const PhiloxCounter& high, std::uint32_t keeps, std::uint32_t (&row)[kDims], Keep& keep) {
  for (std::uint32_t t = 0; t < view.tables; ++t) {
    const RowRange range = view.table[t].range[spread[t]];
    row[t] = range.first + scaled(t < 4 ? low.word[t] : high.word[t - 4], range.count);
  }
  for (std::uint32_t s = 0; s < kMaxLevels; ++s) {
    for (std::uint32_t space = 0; space < kSpaces; ++space) keep[s][space] = view.keep[s][space];
  }
  static_assert(kMaxLevels * kSpaces <= 32 && kDims <= 8);
  for (std::uint32_t i = 0; i < view.open_keeps; ++i) {
    keep[view.open_level[i]][view.open_space[i]] = (keeps >> i & 1u) != 0;
  }
}

// Step 2, second half. False where a level has too few words.
[[nodiscard]] EXARCH_HD bool has_room(const DrawView& view, const std::uint32_t (&row)[kDims], const Keep& keep) {
  const std::uint32_t levels = view.frame.architecture.levels;
  std::uint32_t extent[kDims];
  for (std::uint32_t& e : extent) e = 1;
  bool kept[kSpaces] = {};
  for (std::uint32_t s = 0; s < levels; ++s) {
    for (std::uint32_t space = 0; space < kSpaces; ++space) kept[space] = kept[space] || keep[s][space];
    const std::int64_t size = view.frame.architecture.storage[s].size;
    if (size < 0) continue;
    for (std::uint32_t t = 0; t < view.tables; ++t)
      extent[index_of(view.dim[t])] = view.table[t].extents[std::size_t{row[t]} * levels + s];
    double words = 0;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      if (keep[s][space]) words += words_of(view.frame.problem, space, extent);
    }
    if (words > static_cast<double>(size)) return false;
  }
  return kept[kWeights] && kept[kInputs] && kept[kOutputs];
}

// Step 3: the loops of a block. False where the children do not lie so.
[[nodiscard]] EXARCH_HD bool draw_block(const DrawView& view, std::uint32_t b, const std::uint32_t (&factor)[kDims],
                                        PhiloxStream& random, Block& out) {
  const DrawBlock& block = view.block[b];
  Dim loop[kDims];
  std::uint32_t count = 0, free_from = 0, free_count = 0;
  for (std::uint32_t l = 0; l < view.dims; ++l) {
    const Dim dim = block.loop[l];
    const bool is_free = l >= block.inner && l < block.inner + block.free;
    if (l == block.inner) free_from = count;
    if (!block.every_place && factor[index_of(dim)] == 1) continue;
    loop[count++] = dim;
    free_count += is_free ? 1 : 0;
  }
  for (std::uint32_t i = 0; i + 1 < free_count; ++i) {
    const std::uint32_t j = i + scaled(random.next(), free_count - i);
    const Dim moved = loop[free_from + i];
    loop[free_from + i] = loop[free_from + j];
    loop[free_from + j] = moved;
  }
  std::uint32_t on_x = count;
  if (block.spatial) on_x = block.split >= 0 ? static_cast<std::uint32_t>(block.split) : scaled(random.next(), count + 1);
  std::int64_t x = 1, y = 1;
  out.count = 0;
  for (std::uint32_t l = 0; l < count; ++l) {
    const std::int64_t bound = factor[index_of(loop[l])];
    if (bound == 1) continue;
    (l < on_x ? x : y) *= bound;
    out.loop[out.count++] = {loop[l], l < on_x ? Axis::x : Axis::y, bound};
  }
  return !block.spatial || (x <= view.frame.wide[block.level] && y <= view.frame.high[block.level]);
}

// Step 3: the loops of all blocks. False where the children do not lie so.
[[nodiscard]] EXARCH_HD bool draw_loops(const DrawView& view, std::uint64_t seed, std::uint64_t number,
                                        const std::uint32_t (&row)[kDims], Mapping& out) {
  constexpr std::uint32_t kPurpose = 0x7E11;
  PhiloxStream random(seed, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32), kPurpose);
  const std::uint32_t levels = view.frame.architecture.levels;
  for (std::uint32_t s = 0; s < levels; ++s) out.spatial[s].count = 0;
  std::uint32_t factor[kDims];
  for (std::uint32_t& f : factor) f = 1;
  for (std::uint32_t b = 0; b < view.blocks; ++b) {
    for (std::uint32_t t = 0; t < view.tables; ++t) {
      factor[index_of(view.dim[t])] = view.table[t].factors[std::size_t{row[t]} * view.blocks + b];
    }
    Block& block = (view.block[b].spatial ? out.spatial : out.temporal)[view.block[b].level];
    if (!draw_block(view, b, factor, random, block)) return false;
  }
  return true;
}

// Mapping number `number` of a seed, or why it does not fit; then `out` is incomplete.
[[nodiscard]] EXARCH_HD Draw draw(const DrawView& view, std::uint64_t seed, std::uint64_t number, Mapping& out) {
  std::uint32_t spread[kDims], row[kDims];
  if (!draw_spreads(view, words_of_draw(seed, number, 0), spread)) return Draw::fanout;
  draw_rows(view, spread, words_of_draw(seed, number, 1), words_of_draw(seed, number, 2), keeps_of_draw(view, seed, number), row,
            out.keep);
  if (!has_room(view, row, out.keep)) return Draw::capacity;
  return draw_loops(view, seed, number, row, out) ? Draw::drawn : Draw::fanout;
}

// Whether `a` comes before `b`: by the goals in their order, then by number.
[[nodiscard]] EXARCH_HD bool comes_before(const DrawView& view, const Totals& a, std::uint64_t a_number, const Totals& b,
                                          std::uint64_t b_number) {
  for (std::uint32_t g = 0; g < view.goals; ++g) {
    const double x = cost_of(view.goal[g], a.energy_pj, static_cast<double>(a.cycles));
    const double y = cost_of(view.goal[g], b.energy_pj, static_cast<double>(b.cycles));
    if (x != y) return x < y;
  }
  return a_number < b_number;
}

// Adds what other draws gave.
EXARCH_HD void join(const DrawView& view, const Drawn& more, Drawn& sum) {
  sum.fanout += more.fanout;
  sum.capacity += more.capacity;
  sum.refused += more.refused;
  sum.valid += more.valid;
  if (!more.found || (sum.found && !comes_before(view, more.totals, more.number, sum.totals, sum.number))) return;
  sum.found = true;
  sum.number = more.number;
  sum.totals = more.totals;
}

// Evaluates a mapping that was drawn.
EXARCH_HD void try_drawn(const DrawView& view, std::uint64_t number, const Mapping& mapping, const Workspace& work, Nest& nest,
                         Drawn& out) {
  Totals totals;
  Fault fault;
  if (total(view.frame, mapping, work, nest, totals, fault) != Status::ok) {
    ++out.refused;
    return;
  }
  ++out.valid;
  if (out.found && !comes_before(view, totals, number, out.totals, out.number)) return;
  out.found = true;
  out.number = number;
  out.totals = totals;
}

// Draws `first`, first + step, ... below `end`, and evaluates those that fit: what a thread of a device does.
EXARCH_HD void draw_all(const DrawView& view, std::uint64_t seed, std::uint64_t first, std::uint64_t end, std::uint64_t step,
                        const Workspace& work, Drawn& out) {
  Mapping mapping;
  Nest nest;
  out = {};
  for (std::uint64_t number = first; number < end; number += step) {
    // Threads of a warp look for a mapping that fits at the same time, and evaluate theirs together.
    Draw drawn = Draw::fanout;
    for (; number < end; number += step) {
      drawn = draw(view, seed, number, mapping);
      if (drawn == Draw::drawn) break;
      ++(drawn == Draw::fanout ? out.fanout : out.capacity);
    }
    if (drawn == Draw::drawn) try_drawn(view, number, mapping, work, nest, out);
  }
}

}  // namespace EXARCH_ISA
}  // namespace exarch::timeloop
