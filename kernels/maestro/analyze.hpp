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

namespace exarch::maestro::inline EXARCH_ISA {

// What the analysis of an inner level gives.
struct LevelResult {
  std::int64_t runtime;
  double active;  // sub-clusters in use, on average
};

// The results of one level by choice of sizes; a later choice may take the place of an earlier one.
struct ResultCache {
  static constexpr std::uint32_t kSlots = 64;
  std::uint16_t choice[kSlots];  // + 1; 0: empty
  LevelResult result[kSlots];
};

template <class Shape>
struct Workspace {
  Plan<Shape> plan;
  union {
    Mapping mapping;                        // until it is planned
    ResultCache cache[Shape::kLevels - 1];  // then: of level 1 on
  };
  const Hardware* hardware;
  Version version;
  Status status;
  std::uint32_t cases;  // gone through so far
  bool l1_known;
  std::int64_t l1_size;
};

// Wrapping arithmetic on volumes, as the original's 64-bit integers.
using Volume = std::uint64_t;
[[nodiscard]] EXARCH_HD constexpr Volume as_volume(std::int64_t value) {
  return static_cast<Volume>(value);
}
[[nodiscard]] EXARCH_HD constexpr std::int64_t as_signed(Volume value) {
  return static_cast<std::int64_t>(value);
}

// a / b for b != 0. Both mostly fit into 32 bits, where a division takes a fraction of the time.
[[nodiscard]] EXARCH_HD std::int64_t divide(std::int64_t a, std::int64_t b) {
  if (((as_volume(a) | as_volume(b)) >> 32) == 0) return static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b);
  return b == -1 ? as_signed(0 - as_volume(a)) : a / b;
}

// Cycles to move so many elements over a NoC: pipelined, the first after the latency. Nothing at all takes a cycle less than the
// latency, as in the original.
[[nodiscard]] EXARCH_HD std::int64_t delay_of(Volume volume, const Hardware& hardware) {
  const std::int64_t elements = as_signed(volume), bw = hardware.noc_bw;
  std::int64_t sends = 1;
  if (elements <= 0 || elements > bw) {
    sends = divide(elements, bw);
    if (sends * bw != elements) ++sends;
  }
  return hardware.noc_latency + sends - 1;
}

// The states of all directives in one iteration case.
template <class Shape>
struct Case {
  std::uint32_t flags[Shape::kDirectives];  // (position): StateBits of the state that counts for its dimension
  std::uint32_t moving;                     // positions whose state is not init, as bits
};

struct CaseVolumes {
  Volume input, weight, egress, macs, critical;
  bool stationary;  // a moving tile brought nothing new, at which the original gives up
};

// Walks through the iteration cases of a level for one choice of sizes, in the original's order: case c has state number
// ceil(c / f) mod m of each directive, f being the product of the numbers of states m of the directives behind.
template <class Shape>
class Cases {
 public:
  EXARCH_HD Cases(const Level<Shape>& level, std::uint32_t choice) : level_(level) {
    rolled_ = 0;
    total_ = 1;
    turning_ = 0;
    for (std::uint32_t j = level.count; j-- > 0;) {
      const std::uint32_t bit = level.own_bit[j];
      alternative_[j] = static_cast<std::uint8_t>(bit == kNoPosition ? 0u : choice >> bit & 1u);
      const States& states = states_of(j);
      state_[j] = 0;
      if (states.number > 1) {
        period_[j] = total_;
        phase_[j] = 0;
        total_ = total_ > kMaxCases ? total_ : total_ * states.number;
        turning_ |= 1u << j;
      }
    }
    for (std::uint32_t j = 0; j < level.count; ++j)
      rolled_ |= ((states_of(level.owner[j]).flags[0] & kUnrolled) == 0 ? 1u : 0u) << j;
    settle();
  }

  [[nodiscard]] EXARCH_HD std::uint32_t total() const { return total_; }
  [[nodiscard]] EXARCH_HD const Case<Shape>& states() const { return case_; }
  // Positions whose dimension has more than one tile, as bits.
  [[nodiscard]] EXARCH_HD std::uint32_t rolled() const { return rolled_; }

  // The product of what its states occur, in 32 bits.
  [[nodiscard]] EXARCH_HD std::int32_t occurrences() const {
    std::uint32_t product = 1;
    for (std::uint32_t rest = turning_; rest != 0; rest &= rest - 1) {
      const std::uint32_t j = log2_floor(rest & (0u - rest));
      const States& states = states_of(j);
      if (states.flags[state_[j]] == kSteady) product *= static_cast<std::uint32_t>(states.steady);
    }
    return static_cast<std::int32_t>(product);
  }

  EXARCH_HD void advance() {
    for (std::uint32_t rest = turning_; rest != 0; rest &= rest - 1) {
      const std::uint32_t j = log2_floor(rest & (0u - rest));
      if (phase_[j] == 0) {
        const std::uint32_t next = state_[j] + 1u;
        state_[j] = static_cast<std::uint8_t>(next == states_of(j).number ? 0 : next);
        if (!level_.repeats) set(j);
      }
      phase_[j] = phase_[j] + 1 == period_[j] ? 0 : phase_[j] + 1;
    }
    if (level_.repeats) settle();
  }

 private:
  [[nodiscard]] EXARCH_HD const States& states_of(std::uint32_t j) const { return level_.states[alternative_[j]][j]; }
  EXARCH_HD void set(std::uint32_t j) {
    const std::uint32_t owner = level_.owner[j];
    const std::uint32_t flags = states_of(owner).flags[state_[owner]];
    case_.flags[j] = flags;
    case_.moving = (case_.moving & ~(1u << j)) | ((flags & (kSteady | kEdge)) != 0 ? 1u : 0u) << j;
  }
  EXARCH_HD void settle() {
    case_.moving = 0;
    for (std::uint32_t j = 0; j < level_.count; ++j) set(j);
  }

  const Level<Shape>& level_;
  std::uint8_t alternative_[Shape::kDirectives], state_[Shape::kDirectives];
  std::uint32_t period_[Shape::kDirectives], phase_[Shape::kDirectives];
  std::uint32_t rolled_, total_, turning_;
  Case<Shape> case_;
};

[[nodiscard]] EXARCH_HD constexpr Volume factor(std::int32_t elements) {
  return static_cast<Volume>(static_cast<std::int64_t>(elements));
}

// What a sub-cluster has of a spatially mapped dimension, by the sub-cluster that is meant: the first or any other, one with the
// partial tile at the end (`last`) or not.
class Spatial {
 public:
  EXARCH_HD Spatial(const SpatialFactors& factors, std::uint32_t flags, std::int32_t edge_clusters)
      : f_(factors), flags_(flags), one_(edge_clusters == 1) {}

  // Inputs to receive. No directive moves:
  [[nodiscard]] EXARCH_HD std::int32_t standing(bool first, bool last) const {
    if ((flags_ & (kEdge | kInitEdge)) == 0) return f_.mapped;
    if (one_) return first || last ? f_.mapped_edge : 1;
    return last ? f_.mapped_edge : f_.mapped;
  }
  // Some directive moves; `only_fresh`: others than the first get what they do not share with their neighbour.
  [[nodiscard]] EXARCH_HD std::int32_t moving(bool first, bool last, bool only_fresh) const {
    if (!first && only_fresh) return last ? f_.fresh_edge : f_.fresh;
    return last ? f_.mapped_edge : f_.mapped;
  }
  // Partial sums over a dimension that the output does not have.
  [[nodiscard]] EXARCH_HD std::int32_t reduced(bool first, bool last) const {
    if ((flags_ & kInitEdge) != 0 && last) return f_.mapped_edge;
    if ((flags_ & kEdge) != 0) {
      if (one_) return first || last ? f_.mapped_edge : 1;
      if (last) return f_.fresh_edge;
    }
    return first ? f_.mapped : f_.fresh == 0 ? 1 : f_.fresh;
  }
  // Outputs; `keep`: those at the edge whole instead of only what is new.
  [[nodiscard]] EXARCH_HD std::int32_t output(bool first, bool last, bool keep) const {
    if ((flags_ & kInitEdge) != 0 && last) return one_ || keep ? f_.mapped_edge_out : f_.fresh_edge_out;
    if ((flags_ & kEdge) != 0) {
      if (one_) return first || last ? f_.mapped_edge : 1;  // the input's form, in the original too
      if (last) return f_.fresh_edge_out;
    }
    return first ? f_.mapped_out : f_.fresh_out == 0 ? 1 : f_.fresh_out;
  }

 private:
  const SpatialFactors& f_;
  std::uint32_t flags_;
  bool one_;
};

// How the sub-clusters of a level add up, as seen from the spatial directive that leads.
struct Fold {
  bool spatial, edge, last;       // anything mapped spatially; at its edge; with a partial tile there
  std::int64_t clusters, active;  // sub-clusters; those active at the edge
};

// A sum over sub-clusters of volume(first, last).
template <class F>
[[nodiscard]] EXARCH_HD Volume over_clusters(const Fold& fold, F&& volume) {
  if (!fold.spatial) return volume(true, false);
  if (!fold.edge) return volume(true, false) + as_volume(fold.clusters - 1) * volume(false, false);
  if (fold.active == 1) return volume(true, fold.last);
  const Volume sum =
      volume(true, false) + as_volume(max_of<std::int64_t>(fold.active - (fold.last ? 2 : 1), 0)) * volume(false, false);
  return fold.last ? sum + volume(false, true) : sum;
}

template <class Shape>
[[nodiscard]] EXARCH_HD Fold fold_of(const Level<Shape>& level, const Case<Shape>& states, std::uint32_t leading,
                                     std::uint32_t members) {
  Fold fold{leading != kNoPosition, false, false, level.clusters, level.edge_clusters};
  if (!fold.spatial) return fold;
  for (std::uint32_t q = 0; q < level.spatials; ++q) {
    const std::uint32_t flags = states.flags[level.spatial[q].position];
    fold.edge = fold.edge || ((members >> q & 1u) != 0 && (flags & (kEdge | kInitEdge)) != 0);
    if (q == leading) fold.last = (flags & kPartialLast) != 0;
  }
  return fold;
}

// Input and weight elements that all sub-clusters together receive in one case.
template <class Shape>
[[nodiscard]] EXARCH_HD Volume ingress(const Level<Shape>& level, const Case<Shape>& states, std::uint32_t rolled, Tensor tensor,
                                       bool& stationary) {
  const std::uint32_t coupled = level.coupled[tensor];
  const bool any_moves = states.moving != 0;
  const std::uint32_t mover = any_moves ? log2_floor(states.moving) : 0;
  if (any_moves && (coupled >> mover & 1u) == 0) return 0;  // the tensor stays where it is
  // A dimension inside of the mover starts anew, so that nothing is left of the tile before.
  const bool restarted = any_moves && (coupled & rolled & ~((2u << mover) - 1)) != 0;
  Volume product = 1;
  for (std::uint32_t j = 0; j < level.count; ++j) {
    const std::uint32_t edge = (states.flags[j] & kInitEdge) != 0 ? 1 : 0;
    const TemporalFactors& f = level.factors[j];
    std::int32_t elements = tensor == kInput ? f.input[edge] : f.weight[edge];
    if (any_moves && j == mover && !restarted && level.directive[j].map == Map::temporal) {
      elements = tensor == kInput ? f.new_input : f.new_weight;
      if (elements == 0) stationary = true;
    }
    product *= factor(elements);
  }
  const Fold fold = fold_of(level, states, level.leading[tensor], level.spatial_of[tensor]);
  return over_clusters(fold, [&](bool first, bool last) {
    Volume volume = product;
    for (std::uint32_t q = 0; q < level.spatials; ++q) {
      const SpatialFactors& f = level.spatial[q];
      if (!f.in[tensor]) continue;
      const std::uint32_t flags = states.flags[f.position];
      const Spatial spatial(f, flags, level.edge_clusters);
      if (!any_moves) {
        volume *= factor(spatial.standing(first, last));
        continue;
      }
      const bool init = (flags & (kSteady | kEdge)) == 0;
      const bool only_fresh = init ? f.position > mover : f.position == mover && !restarted;
      volume *= factor(spatial.moving(first, last, only_fresh));
    }
    return volume;
  });
}

struct OutputVolumes {
  Volume egress, macs, critical;
};

// Outputs that all sub-clusters send up, their partial sums, and those on the critical path.
template <class Shape>
[[nodiscard]] EXARCH_HD OutputVolumes outputs(const Level<Shape>& level, const Case<Shape>& states) {
  Volume output = 1, reduction = 1;
  for (std::uint32_t j = 0; j < level.count; ++j) {
    const std::uint32_t edge = (states.flags[j] & (kEdge | kInitEdge)) != 0 ? 1 : 0;
    output *= factor(level.factors[j].output[edge]);
    reduction *= factor(level.factors[j].reduction[edge]);
  }
  const auto outputs_of = [&](bool first, bool last, bool keep) {
    Volume volume = output;
    for (std::uint32_t q = 0; q < level.spatials; ++q) {
      const SpatialFactors& f = level.spatial[q];
      if (f.in_output) volume *= factor(Spatial(f, states.flags[f.position], level.edge_clusters).output(first, last, keep));
    }
    return volume;
  };
  const auto sums_of = [&](bool first, bool last, bool keep) {
    Volume volume = reduction;
    for (std::uint32_t q = 0; q < level.spatials; ++q) {
      const SpatialFactors& f = level.spatial[q];
      if (f.reduced) volume *= factor(Spatial(f, states.flags[f.position], level.edge_clusters).reduced(first, last));
    }
    return volume * outputs_of(first, last, keep);
  };
  OutputVolumes volumes;
  const Fold fold = fold_of(level, states, level.leading[kOutput], level.spatial_of[kOutput]);
  volumes.egress = over_clusters(fold, [&](bool first, bool last) { return outputs_of(first, last, false); });
  volumes.critical = sums_of(true, fold.spatial && fold.edge && fold.active == 1 && fold.last, false);

  const Fold all = fold_of(level, states, level.spatials - 1, (1u << level.spatials) - 1);
  if (!all.edge) {
    volumes.macs = as_volume(all.clusters) * sums_of(true, false, false);
  } else if (all.active == 1) {
    volumes.macs = sums_of(true, all.last, false);
  } else {  // those between count as the first
    const Volume whole = sums_of(true, false, false);
    volumes.macs = whole + as_volume(max_of<std::int64_t>(all.active - (all.last ? 2 : 1), 0)) * whole;
    if (all.last) volumes.macs += sums_of(false, true, true);
  }
  return volumes;
}

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
  const std::uint32_t slot = choice % ResultCache::kSlots;
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
  work.l1_size = wrap32(as_signed(as_volume(inputs_counted) * as_volume(level.l1_inputs) + as_volume(level.l1_outputs)));
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
  for (std::uint32_t c = 0; c < cases.total(); ++c, c < cases.total() ? cases.advance() : void()) {
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
    std::int64_t total = computation.delay + in_delay;
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

// The outermost level, where everything else is counted.
template <class Shape>
EXARCH_HD Status analyze(Workspace<Shape>& work, Counters& result) {
  const Level<Shape>& level = work.plan.level[0];
  const LayerView& layer = work.plan.layer;
  const Hardware& hardware = *work.hardware;
  for (std::uint32_t l = 1; l < work.plan.levels; ++l) {
    for (std::uint16_t& choice : work.cache[l - 1].choice) choice = 0;
  }
  work.status = Status::ok;
  work.cases = 0;
  work.l1_known = false;
  work.l1_size = 0;
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  Counters counters{};  // a thread's own until it is complete
  counters.ingress.min = counters.egress.min = counters.compute.min = kLargest;

  Cases<Shape> cases(level, 0);
  if (cases.total() > kMaxCases) return Status::case_limit;
  work.cases = cases.total();
  for (std::uint32_t t = 0; t < kTensors; ++t) {
    Volume product = 1;
    for (std::uint32_t d = 0; d < kDims; ++d) {
      if ((layer.tensor[t] >> d & 1u) == 0) continue;
      std::int64_t size = level.dims[d];
      if (t == kOutput && layer.sliding) {
        if (d == index_of(Dim::X)) size = size - level.dims[index_of(Dim::S)] + 1;
        if (d == index_of(Dim::Y)) size = size - level.dims[index_of(Dim::R)] + 1;
      }
      product *= as_volume(size);
    }
    (t == kOutput ? counters.l2_read : counters.l2_write)[t] = as_signed(product);
  }

  Volume l2_inputs = 0, l2_outputs = 0;  // required, double-buffered
  std::int64_t inputs_counted = 0;
  for (std::uint32_t c = 0; c < cases.total(); ++c, c < cases.total() ? cases.advance() : void()) {
    const std::int32_t times = cases.occurrences();
    if (times <= 0) return Status::occurrence_overflow;
    const Case<Shape>& states = cases.states();
    const OutputVolumes out = outputs(level, states);
    const bool skipped = work.version == Version::head && as_signed(out.critical) <= 0;
    Volume in_volume[2] = {0, 0};
    bool stationary = false;
    if (counters.occurrences == 0 || !skipped) {
      in_volume[kInput] = ingress(level, states, cases.rolled(), kInput, stationary);
      in_volume[kWeight] = ingress(level, states, cases.rolled(), kWeight, stationary);
      if (stationary) return Status::stationary_tile;
    }
    if (counters.occurrences == 0) {  // of the first case; head counts all up to the first that is not skipped
      l2_inputs += 2 * (in_volume[kInput] + in_volume[kWeight]);
      l2_outputs = 2 * out.egress;
      ++inputs_counted;
    }
    const Volume occurrences = as_volume(times);
    counters.l2_write[kOutput] = as_signed(as_volume(counters.l2_write[kOutput]) + occurrences * out.egress);
    counters.l1_output = as_signed(as_volume(counters.l1_output) + occurrences * out.macs);
    if (skipped) continue;
    counters.num_macs = as_signed(as_volume(counters.num_macs) + occurrences * out.macs);

    for (std::uint32_t t = 0; t < kOutput; ++t) {
      counters.l2_read[t] = as_signed(as_volume(counters.l2_read[t]) + occurrences * in_volume[t]);
    }
    const Volume in = in_volume[kInput] + in_volume[kWeight];
    counters.last_macs = as_signed(out.macs);
    counters.last_ingress = as_signed(in);
    const Computation computation = compute<0>(work, states, as_signed(out.critical));
    if (work.status != Status::ok) return work.status;
    const std::int64_t in_delay = delay_of(in, hardware), out_delay = delay_of(out.egress, hardware);
    std::int64_t total = computation.delay + in_delay;
    if (states.moving != 0) total = max_of(max_of(out_delay, computation.delay), in_delay);
    if (computation.delay == 0) return Status::zero_compute_delay;
    total = max_of(total, max_of(divide(as_signed(l2_inputs), hardware.offchip_bw) / 2,
                                 divide(as_signed(l2_outputs), hardware.offchip_bw) / 2));
    // The original halves what it has kept so far with every case.
    counters.offchip_bw = max_of(max_of(counters.offchip_bw, divide(as_signed(l2_outputs), computation.delay)),
                                 divide(as_signed(l2_inputs), computation.delay)) /
                          2;
    counters.runtime = as_signed(as_volume(counters.runtime) + occurrences * as_volume(total));
    counters.active_pes += computation.active * times;
    const std::int64_t traffic = max_of(as_signed(in), as_signed(out.egress));
    counters.peak_bw = max_of(counters.peak_bw, divide(traffic, computation.delay));
    const std::int64_t moved = divide(as_signed(occurrences * as_volume(traffic)), computation.delay);
    counters.bw_sum = as_signed(as_volume(counters.bw_sum) + as_volume(moved));
    record(in_delay, times, counters.ingress);
    record(out_delay, times, counters.egress);
    record(computation.delay, times, counters.compute);
    counters.occurrences += times;
  }
  if (counters.occurrences != 0) {
    counters.active_pes /= static_cast<double>(counters.occurrences);
  } else {
    counters.ingress.min = counters.egress.min = counters.compute.min = std::numeric_limits<std::int64_t>::min();
  }
  counters.l1_in_energy = work.l1_known ? 0 : 1;
  finish_level(work, level, inputs_counted);
  counters.l2_size = wrap32(as_signed(l2_inputs + l2_outputs));
  counters.l1_size = work.l1_size;
  result = counters;
  return Status::ok;
}

// Evaluates one mapping of a layer. `work` is scratch; `counters` is complete with status ok only.
template <class Shape>
EXARCH_HD Status evaluate(const Layer& layer, const Mapping& mapping, const Hardware& hardware, Version version,
                          Workspace<Shape>& work, Counters& counters) {
  work.hardware = &hardware;
  work.version = version;
  const Status status = make_plan(layer, mapping, hardware, version, work.plan);
  return status == Status::ok ? analyze(work, counters) : status;
}

}  // namespace exarch::maestro::inline EXARCH_ISA
