// MAESTRO's analysis of one planned mapping: every iteration case of every cluster level, from the outermost inwards.
//
// A level's result depends only on the sizes its dimensions have, and each has one of two: a whole tile of the level above or the
// one at the edge. So the results of inner levels are kept under the choice of sizes, a bit per dimension, and the recursion of
// the original becomes a table that fills itself.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/core/config.hpp"
#include "kernels/maestro/plan.hpp"
#include "kernels/maestro/types.hpp"
#include "kernels/maestro/volumes.hpp"

namespace exarch::maestro {
inline namespace EXARCH_ISA {

// What the analysis of an inner level gives.
struct LevelResult {
  std::int64_t runtime;
  double active;  // sub-clusters in use, on average
};

// The results of one level by choice of sizes; a later choice may take the place of an earlier one.
struct ResultCache {
  std::uint16_t choice[kKeptResults];  // + 1; 0: empty
  LevelResult result[kKeptResults];
};

template <class Shape>
struct Workspace {
  Plan<Shape> plan;
  union {
    MappingOf<Shape::kMapped> mapping;      // until it is planned
    ResultCache cache[Shape::kLevels - 1];  // then: of level 1 on
  };
  const Hardware* hardware;
  Version version;
  Status status;
  std::uint32_t cases;  // gone through so far
  bool l1_known;
  std::int64_t l1_size;
};

// The sizes that sub-clusters get in a case: a bit per dimension with its edge tile. `last`: of the sub-cluster at the end.
template <class Shape>
[[nodiscard]] EXARCH_HD std::uint32_t choice_of(const Level<Shape>& level, const Case<Shape>& states, bool last) {
  std::uint32_t choice = 0;
  for (std::uint32_t j = 0; j < level.count; ++j) {
    if (level.bit[j] == kNoPosition) continue;
    const bool edge = (states.flags[j] & (kEdge | kInitEdge)) != 0;
    const bool whole = level.directive[j].map == Map::spatial && level.edge_clusters != 1 && !last;
    if (edge && !whole) choice |= 1u << level.bit[j];
  }
  return choice;
}

template <std::uint32_t L, class Shape>
EXARCH_HD LevelResult analyze_level(Workspace<Shape>& work, std::uint32_t choice);

// The result of level L for a choice of sizes, from the cache where it is known.
template <std::uint32_t L, class Shape>
EXARCH_HD LevelResult result_of(Workspace<Shape>& work, std::uint32_t choice) {
  ResultCache& cache = work.cache[L - 1];
  const std::uint32_t slot = choice % kKeptResults;
  if (cache.choice[slot] == choice + 1) return cache.result[slot];
  const LevelResult result = analyze_level<L>(work, choice);
  cache.choice[slot] = static_cast<std::uint16_t>(choice + 1);
  cache.result[slot] = result;
  return result;
}

// Computation of one case: of the level's sub-clusters, or, innermost, of its processing elements.
struct Computation {
  std::int64_t delay;
  double active;
};

template <std::uint32_t L, class Shape>
EXARCH_HD Computation compute(Workspace<Shape>& work, const Case<Shape>& states, std::int64_t critical) {
  const Level<Shape>& level = work.plan.level[L];
  const std::uint32_t lead = states.flags[level.spatial[0].position];
  const bool edge = (lead & (kEdge | kInitEdge)) != 0;
  Computation computation{0, 0};
  bool innermost = true;
  if constexpr (L + 1 < Shape::kLevels) {
    if (L + 1 < work.plan.levels) {
      innermost = false;
      std::int32_t weight = edge ? level.edge_clusters : level.clusters;
      if (edge && (lead & kPartialLast) != 0) {
        const LevelResult last = result_of<L + 1>(work, choice_of(level, states, true));
        computation.delay = max_of<std::int64_t>(computation.delay, last.runtime);
        computation.active += last.active;
        weight = level.edge_clusters - 1;
      }
      if (weight > 0) {
        const LevelResult normal = result_of<L + 1>(work, choice_of(level, states, false));
        computation.delay = max_of<std::int64_t>(computation.delay, normal.runtime);
        computation.active += weight * normal.active;
      }
    }
  }
  if (innermost) {
    const double cycles = std::ceil(static_cast<double>(critical) / static_cast<double>(work.hardware->num_simd_lanes));
    // A number too large for 64 bits becomes what x86 makes of it.
    const bool fits = cycles >= -0x1p63 && cycles < 0x1p63;
    computation.delay = fits ? static_cast<std::int64_t>(cycles) : std::numeric_limits<std::int64_t>::min();
  }
  if (computation.active == 0) computation.active = edge ? level.edge_clusters : level.clusters;
  return computation;
}

// The first analysis that ends, mostly of the innermost level, gives the L1 size.
template <class Shape>
EXARCH_HD void finish_level(Workspace<Shape>& work, const Level<Shape>& level, std::int64_t inputs_counted) {
  if (work.l1_known) return;
  work.l1_known = true;
  work.l1_size = as_signed(as_volume(inputs_counted) * as_volume(level.l1_inputs) + as_volume(level.l1_outputs));
}

template <std::uint32_t L, class Shape>
EXARCH_HD LevelResult analyze_level(Workspace<Shape>& work, std::uint32_t choice) {
  const Level<Shape>& level = work.plan.level[L];
  Cases<Shape> cases(level, choice);
  if (cases.total() > kMaxCases || (work.cases += cases.total()) > kMaxCases) {
    work.status = Status::case_limit;
    return {0, 0};
  }
  LevelResult result{0, 0};
  std::int64_t occurrences = 0, inputs_counted = 0;
  for (std::uint32_t c = 0; c < cases.total(); ++c) {
    if (c > 0) cases.advance();
    const std::int32_t times = cases.occurrences();
    if (times <= 0) work.status = Status::occurrence_overflow;
    if (work.status != Status::ok) return {0, 0};
    const Case<Shape>& states = cases.states();
    if (occurrences == 0) ++inputs_counted;  // until the first case that is not skipped
    const OutputVolumes out = outputs(level, states);
    const bool skipped = work.version == Version::head && as_signed(out.critical) <= 0;
    if (skipped && occurrences != 0) continue;
    bool stationary = false;
    const Volume in =
        ingress(level, states, cases.rolled(), kInput, stationary) + ingress(level, states, cases.rolled(), kWeight, stationary);
    if (stationary) work.status = Status::stationary_tile;
    if (skipped) continue;
    const Computation computation = compute<L>(work, states, as_signed(out.critical));
    const std::int64_t in_delay = delay_of(in, *work.hardware);
    std::int64_t total = as_signed(as_volume(computation.delay) + as_volume(in_delay));
    if (states.moving != 0) {
      total = max_of(max_of(delay_of(out.egress, *work.hardware), computation.delay), in_delay);
    }
    result.runtime = as_signed(as_volume(result.runtime) + as_volume(times) * as_volume(total));
    result.active += computation.active * times;
    occurrences += times;
  }
  if (occurrences != 0) result.active /= static_cast<double>(occurrences);
  finish_level(work, level, inputs_counted);
  return result;
}

EXARCH_HD void record(std::int64_t value, std::int64_t times, Delay& delay) {
  delay.min = min_of(delay.min, value);
  delay.max = max_of(delay.max, value);
  delay.sum = as_signed(as_volume(delay.sum) + as_volume(times) * as_volume(value));
}

// Elements of the layer's tensors, which the outermost level moves at least once.
template <class Shape>
EXARCH_INLINE void count_tensors(const Plan<Shape>& plan, Counters& counters) {
  const Level<Shape>& level = plan.level[0];
  for (std::uint32_t t = 0; t < kTensors; ++t) {
    Volume product = 1;
    for (std::uint32_t d = 0; d < kDims; ++d) {
      if ((plan.tensor[t] >> d & 1u) == 0) continue;
      std::int64_t size = level.dims[d];
      if (t == kOutput && plan.sliding) {
        if (d == index_of(Dim::X)) size = size - level.dims[index_of(Dim::S)] + 1;
        if (d == index_of(Dim::Y)) size = size - level.dims[index_of(Dim::R)] + 1;
      }
      product *= as_volume(size);
    }
    (t == kOutput ? counters.l2_read : counters.l2_write)[t] = as_signed(product);
  }
}

// L2 that the outermost level requires, double-buffered.
struct L2Required {
  Volume inputs, outputs;
};

// What a case of the outermost level moves: inputs and weights, both together, and outputs.
struct Moved {
  Volume in[2], all_in, out;
};

// Counts the time of a case, and what it asks of the networks.
template <class Shape>
[[nodiscard]] EXARCH_INLINE Status count_time(Workspace<Shape>& work, const Case<Shape>& states, std::int32_t times,
                                              std::int64_t critical, const Moved& moved, const L2Required& l2,
                                              Counters& counters) {
  const Hardware& hardware = *work.hardware;
  const Computation computation = compute<0>(work, states, critical);
  if (work.status != Status::ok) return work.status;
  const std::int64_t in_delay = delay_of(moved.all_in, hardware), out_delay = delay_of(moved.out, hardware);
  std::int64_t total = as_signed(as_volume(computation.delay) + as_volume(in_delay));
  if (states.moving != 0) total = max_of(max_of(out_delay, computation.delay), in_delay);
  if (computation.delay == 0) return Status::zero_compute_delay;
  total = max_of(total, max_of(divide(as_signed(l2.inputs), hardware.offchip_bw) / 2,
                               divide(as_signed(l2.outputs), hardware.offchip_bw) / 2));
  // The original halves what it has kept so far with every case.
  counters.offchip_bw = max_of(max_of(counters.offchip_bw, divide(as_signed(l2.outputs), computation.delay)),
                               divide(as_signed(l2.inputs), computation.delay)) /
                        2;
  counters.runtime = as_signed(as_volume(counters.runtime) + as_volume(times) * as_volume(total));
  counters.active_pes += computation.active * times;
  const std::int64_t traffic = max_of(as_signed(moved.all_in), as_signed(moved.out));
  counters.peak_bw = max_of(counters.peak_bw, divide(traffic, computation.delay));
  const std::int64_t demand = divide(as_signed(as_volume(times) * as_volume(traffic)), computation.delay);
  counters.bw_sum = as_signed(as_volume(counters.bw_sum) + as_volume(demand));
  record(in_delay, times, counters.ingress);
  record(out_delay, times, counters.egress);
  record(computation.delay, times, counters.compute);
  counters.occurrences += times;
  return Status::ok;
}

// Counts a case of the outermost level that occurs so many times. `inputs_counted`: cases up to the first that is not skipped.
template <class Shape>
[[nodiscard]] EXARCH_INLINE Status count_case(Workspace<Shape>& work, const Cases<Shape>& cases, L2Required& l2,
                                              std::int64_t& inputs_counted, Counters& counters) {
  const Level<Shape>& level = work.plan.level[0];
  const std::int32_t times = cases.occurrences();
  if (times <= 0) return Status::occurrence_overflow;
  const Case<Shape>& states = cases.states();
  const OutputVolumes out = outputs(level, states);
  const bool skipped = work.version == Version::head && as_signed(out.critical) <= 0;
  Moved moved{{0, 0}, 0, out.egress};
  bool stationary = false;
  if (counters.occurrences == 0 || !skipped) {
    moved.in[kInput] = ingress(level, states, cases.rolled(), kInput, stationary);
    moved.in[kWeight] = ingress(level, states, cases.rolled(), kWeight, stationary);
    if (stationary) return Status::stationary_tile;
  }
  moved.all_in = moved.in[kInput] + moved.in[kWeight];
  if (counters.occurrences == 0) {  // of the first case; head counts all up to the first that is not skipped
    l2.inputs += 2 * moved.all_in;
    l2.outputs = 2 * out.egress;
    ++inputs_counted;
  }
  const Volume occurrences = as_volume(times);
  counters.l2_write[kOutput] = as_signed(as_volume(counters.l2_write[kOutput]) + occurrences * out.egress);
  counters.l1_output = as_signed(as_volume(counters.l1_output) + occurrences * out.macs);
  if (skipped) return Status::ok;
  counters.num_macs = as_signed(as_volume(counters.num_macs) + occurrences * out.macs);
  for (std::uint32_t t = 0; t < kOutput; ++t) {
    counters.l2_read[t] = as_signed(as_volume(counters.l2_read[t]) + occurrences * moved.in[t]);
  }
  counters.last_macs = as_signed(out.macs);
  counters.last_ingress = as_signed(moved.all_in);
  return count_time(work, states, times, as_signed(out.critical), moved, l2, counters);
}

// Makes a workspace ready for an analysis of its plan.
template <class Shape>
EXARCH_INLINE void begin(Workspace<Shape>& work) {
  for (std::uint32_t l = 1; l < work.plan.levels; ++l) {
    for (std::uint16_t& choice : work.cache[l - 1].choice) choice = 0;
  }
  work.status = Status::ok;
  work.cases = 0;
  work.l1_known = false;
  work.l1_size = 0;
}

// The outermost level, where everything else is counted.
template <class Shape>
EXARCH_HD Status analyze(Workspace<Shape>& work, Counters& result) {
  begin(work);
  Counters counters{};  // a thread's own until it is complete
  counters.ingress.min = counters.egress.min = counters.compute.min = std::numeric_limits<std::int64_t>::max();
  const Level<Shape>& level = work.plan.level[0];
  Cases<Shape> cases(level, 0);
  if (cases.total() > kMaxCases) return Status::case_limit;
  work.cases = cases.total();
  count_tensors(work.plan, counters);
  L2Required l2{0, 0};
  std::int64_t inputs_counted = 0;
  for (std::uint32_t c = 0; c < cases.total(); ++c) {
    if (c > 0) cases.advance();
    if (const Status status = count_case(work, cases, l2, inputs_counted, counters); status != Status::ok) return status;
  }
  if (counters.occurrences != 0) {
    counters.active_pes /= static_cast<double>(counters.occurrences);
  } else {
    counters.ingress.min = counters.egress.min = counters.compute.min = std::numeric_limits<std::int64_t>::min();
  }
  counters.l1_in_energy = work.l1_known ? 0 : 1;
  finish_level(work, level, inputs_counted);
  const std::int64_t l2_size = as_signed(l2.inputs + l2.outputs);
  counters.l2_size = wrap32(l2_size);
  counters.l1_size = wrap32(work.l1_size);
  counters.sizes_wrapped = counters.l2_size != l2_size || counters.l1_size != work.l1_size ? 1 : 0;
  result = counters;
  return Status::ok;
}

// Evaluates one mapping of a layer. `work` is scratch; `counters` is complete with status ok only.
template <class Shape>
EXARCH_HD Status evaluate(const Layer& layer, const MappingOf<Shape::kMapped>& mapping, const Hardware& hardware, Version version,
                          Workspace<Shape>& work, Counters& counters) {
  work.hardware = &hardware;
  work.version = version;
  const Status status = make_plan(layer, mapping, hardware, version, work.plan);
  return status == Status::ok ? analyze(work, counters) : status;
}

}  // namespace EXARCH_ISA
}  // namespace exarch::maestro
