// What one iteration case of a level moves and computes: the states of its directives, and the products of tile sizes that
// follow.
#pragma once

#include <cstdint>

#include "kernels/core/config.hpp"
#include "kernels/maestro/plan.hpp"
#include "kernels/maestro/types.hpp"

namespace exarch::maestro {
inline namespace EXARCH_ISA {

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
  return as_signed(as_volume(hardware.noc_latency) + as_volume(sends) - 1);
}

// The states of all directives in one iteration case.
template <class Shape>
struct Case {
  std::uint32_t flags[Shape::kDirectives];  // (position): StateBits of the state that counts for its dimension
  std::uint32_t moving;                     // positions whose state is not init, as bits
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
    const std::uint8_t flags = states_of(owner).flags[state_[owner]];
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
  for (std::uint32_t rest = level.temporal[tensor]; rest != 0; rest &= rest - 1) {
    const std::uint32_t j = log2_floor(rest & (0u - rest));
    const Covered& covered = level.covered[j];
    std::int32_t elements = covered.mapped[(states.flags[j] & kInitEdge) != 0 ? 1 : 0];
    if (any_moves && j == mover && !restarted) {
      elements = covered.fresh;
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
  for (std::uint32_t rest = level.temporal[kOutput]; rest != 0; rest &= rest - 1) {
    const std::uint32_t j = log2_floor(rest & (0u - rest));
    output *= factor(level.covered[j].outputs[(states.flags[j] & (kEdge | kInitEdge)) != 0 ? 1 : 0]);
  }
  for (std::uint32_t rest = level.reduced; rest != 0; rest &= rest - 1) {
    const std::uint32_t j = log2_floor(rest & (0u - rest));
    reduction *= factor(level.covered[j].mapped[(states.flags[j] & (kEdge | kInitEdge)) != 0 ? 1 : 0]);
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

}  // namespace EXARCH_ISA
}  // namespace exarch::maestro
