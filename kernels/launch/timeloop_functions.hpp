// The body of every CPU launch of Timeloop's model; included once per instruction-set level.
#pragma once

#include "kernels/launch/timeloop_launch.hpp"
#include "kernels/timeloop/draw.hpp"

namespace exarch::timeloop {
inline namespace EXARCH_ISA {

inline Status evaluate_input(const Input& input, FillRule rule, Counters& counters, Price& result, Fault& fault) {
  FullWorkspace work;  // 162 KiB of the stack; not set to anything
  const Status status = count(input, rule, work.view(), counters, fault);
  return status == Status::ok ? price(input.architecture, counters, result) : status;
}

inline Status total_of_mapping(const Frame& frame, const Mapping& mapping, Totals& totals, Fault& fault) {
  FullWorkspace work;
  Nest nest;
  return total(frame, mapping, work.view(), nest, totals, fault);
}

inline Status total_of_kept(const Frame& frame, const Shared& shared, const Keep& keep, Totals& totals, Fault& fault) {
  return total(frame, shared, keep, totals, fault);
}

inline void share_mapping(const Frame& frame, const Mapping& mapping, Shared& shared) {
  FullWorkspace work;
  share(frame, mapping, work.view(), shared);
}

// Random words of many numbers at a time, which compilers turn into vectors.
inline constexpr std::uint32_t kDrawBatch = 256;

struct DrawWords {
  std::uint32_t word[4][kDrawBatch];
  [[nodiscard]] PhiloxCounter of(std::uint32_t i) const { return {{word[0][i], word[1][i], word[2][i], word[3][i]}}; }
};

// words_of_draw() of all numbers: round by round, so that the inner loops are of plain additions and products.
inline void draw_words(std::uint64_t seed, const std::uint64_t* numbers, std::uint32_t count, std::uint32_t block,
                       DrawWords& out) {
  std::uint32_t* const a = out.word[0];
  std::uint32_t* const b = out.word[1];
  std::uint32_t* const c = out.word[2];
  std::uint32_t* const d = out.word[3];
  for (std::uint32_t i = 0; i < count; ++i) {
    const PhiloxCounter counter = counter_of_draw(numbers[i], block);
    a[i] = counter.word[0];
    b[i] = counter.word[1];
    c[i] = counter.word[2];
    d[i] = counter.word[3];
  }
  PhiloxKey key = key_of_draw(seed);
  for (int round = 0; round < 10; ++round) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const PhiloxCounter next = philox4x32_round({{a[i], b[i], c[i], d[i]}}, key);
      a[i] = next.word[0];
      b[i] = next.word[1];
      c[i] = next.word[2];
      d[i] = next.word[3];
    }
    key = philox4x32_next(key);
  }
}

// draw_spreads() of all numbers, a table at a time; of those that go on, number and spread are moved to the front. How many.
inline std::uint32_t draw_spreads_of(const DrawView& view, const DrawWords& words, std::uint32_t count, std::uint64_t* number,
                                     std::uint32_t (*spread)[kDims]) {
  alignas(16) float product[kDrawBatch][4];
  for (std::uint32_t i = 0; i < count; ++i) {
    for (float& p : product[i]) p = 1;
  }
  const std::uint32_t padded = padded_levels(view);
  for (std::uint32_t t = 0; t < view.tables; ++t) {
    const DimTable table = view.table[t];
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t chosen = choose_spread(table.bucket, table.spreads, spread_bits(words.of(i), t));
      spread[i][t] = chosen;
      const float* factors = table.spatial + std::size_t{chosen} * padded;
      float next[4];  // of its own, so that the four are one vector
      for (std::uint32_t l = 0; l < 4; ++l) next[l] = product[i][l] * factors[l];
      __builtin_memcpy(product[i], next, sizeof next);
    }
  }
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool fits = has_children(view, product[i], spread[i]);
    number[kept] = number[i];
    for (std::uint32_t t = 0; t < kDims; ++t) spread[kept][t] = spread[i][t];
    kept += fits ? 1 : 0;
  }
  return kept;
}

// As draw_all(), a batch at a time through each step: so a processor need not guess which of them go on.
inline void draw_range(const DrawView& view, std::uint64_t seed, std::uint64_t first, std::uint64_t end, Drawn& best) {
  FullWorkspace work;
  Nest nest;
  Mapping mapping;
  DrawWords words, more;
  std::uint64_t number[kDrawBatch];
  std::uint32_t spread[kDrawBatch][kDims], row[kDrawBatch][kDims];
  Keep keep[kDrawBatch];
  best = {};
  for (std::uint64_t from = first; from < end; from += kDrawBatch) {
    const auto count = static_cast<std::uint32_t>(min_of<std::uint64_t>(kDrawBatch, end - from));
    for (std::uint32_t i = 0; i < count; ++i) number[i] = from + i;
    draw_words(seed, number, count, 0, words);
    const std::uint32_t spread_out = draw_spreads_of(view, words, count, number, spread);
    draw_words(seed, number, spread_out, 1, words);
    draw_words(seed, number, spread_out, 2, more);
    const std::uint32_t levels = view.frame.architecture.levels;
    for (std::uint32_t i = 0; i < spread_out; ++i) {
      draw_rows(view, spread[i], words.of(i), more.of(i), keeps_of_draw(view, seed, number[i]), row[i], keep[i]);
      for (std::uint32_t t = 0; t < view.tables; ++t) __builtin_prefetch(view.table[t].extents + std::size_t{row[i][t]} * levels);
    }
    best.fanout += count - spread_out;
    for (std::uint32_t i = 0; i < spread_out; ++i) {
      if (!has_room(view, row[i], keep[i])) {
        ++best.capacity;
        continue;
      }
      __builtin_memcpy(mapping.keep, keep[i], sizeof mapping.keep);
      if (!draw_loops(view, seed, number[i], row[i], mapping)) {
        ++best.fanout;
        continue;
      }
      try_drawn(view, number[i], mapping, work.view(), nest, best);
    }
  }
}

inline constexpr CpuFunctions functions_named(const char* name) {
  return {name, evaluate_input, total_of_mapping, share_mapping, total_of_kept, draw_range};
}

}  // namespace EXARCH_ISA
}  // namespace exarch::timeloop
