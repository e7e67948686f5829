#include "host/timeloop/search_bound.hpp"

#include <algorithm>

#include "host/metric/metric.hpp"

namespace exarch::timeloop {
namespace {

double per_word(double pj, const Storage& storage) {
  return pj / static_cast<double>(storage.block_size) / static_cast<double>(storage.cluster_size);
}

// The product of the dimensions in a set.
double product_of(const std::array<std::int64_t, kDims>& extents, DimSet set) {
  double product = 1;
  for (std::uint32_t d = 0; d < kDims; ++d) {
    if ((set >> d & 1u) != 0) product *= static_cast<double>(extents[d]);
  }
  return product;
}

}  // namespace

SearchBound::SearchBound(const Problem& problem, const Architecture& architecture, FillRule rule, const TileLattice& tiles,
                         const std::vector<StageChoices>& stages)
    : problem_(problem),
      architecture_(architecture),
      rule_(rule),
      tiles_(tiles),
      stages_(stages),
      slides_(slides(problem)),
      // The tiles of a strided layer cover more than they read.
      dense_(!slides_ && problem.wstride == 1 && problem.hstride == 1 && problem.wdilation == 1 && problem.hdilation == 1),
      computes_(tiles.computes(tiles.count() - 1)),
      multipliers_(stages.size() * tiles.count(), 0) {
  for (std::uint32_t stage = 0; stage < stages.size(); ++stage) {
    steps_.push_back(step_of(stage));
    fitting_.emplace_back();
    for (std::uint32_t tile = 0; tile < tiles.count(); ++tile) {
      const std::vector<std::uint8_t>& keeps = stages[stage].keeps;
      if (std::any_of(keeps.begin(), keeps.end(), [&](std::uint8_t keep) { return fits(stage, tile, keep); })) {
        fitting_[stage].push_back(tile);
      }
    }
    make_multipliers(stage);
  }
  (void)table(static_cast<std::uint32_t>(stages.size() - 1), {1, 1, 1});
}

std::uint32_t SearchBound::table(std::uint32_t stage, const Shares& shares) {
  Shares key = shares;
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    // What the stage keeps comes from nowhere else.
    if (!may(stage, space, false)) key[space] = 1;
  }
  const std::size_t bytes = tables_.size() * tiles_.count() * kStates * sizeof(double);
  if (bytes > kMemory) key.fill(computes_);
  const auto [at, is_new] = numbers_.try_emplace({stage, key}, static_cast<std::uint32_t>(tables_.size()));
  if (!is_new) return at->second;
  Table& table = tables_.emplace_back();
  table.anchor = table.lowest = stage;
  table.shares = key;
  while (table.lowest > 0 && stages_[table.lowest].spreads.size() == 1) --table.lowest;
  table.energy.assign((std::size_t{stage} - table.lowest + 1) * tiles_.count() * kStates, kInfinity);
  for (std::uint32_t s = table.lowest; s <= stage; ++s) {
    for (std::uint32_t space = 0; space < kSpaces; ++space) table.source[s][space] = source_of(table, s, space);
    make_stage(s, table);
  }
  return at->second;
}

// Whether a stage may keep a tensor, or may pass it on.
bool SearchBound::may(std::uint32_t stage, std::uint32_t space, bool kept) const {
  return std::any_of(stages_[stage].keeps.begin(), stages_[stage].keeps.end(),
                     [&](std::uint8_t keep) { return ((keep >> space & 1u) != 0) == kept; });
}

bool SearchBound::fits(std::uint32_t stage, std::uint32_t tile, std::uint8_t keep) const {
  const std::int64_t size = storage(stage).size;
  if (size < 0) return true;
  double words = 0;
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    if ((keep >> space & 1u) != 0) words += tiles_.words(tile)[space];
  }
  return words <= static_cast<double>(size);
}

// Where a tensor may come from that passes through a stage: the cheapest level, and the most children that may share.
SearchBound::Source SearchBound::source_of(const Table& table, std::uint32_t stage, std::uint32_t space) const {
  const std::array<std::int64_t, kDims> whole = tiles_.extents(tiles_.count() - 1);
  Source source;
  source.read = source.update = kInfinity;
  for (std::uint32_t s = stage; s < stages_.size(); ++s) {
    if (may(s, space, true)) {
      source.read = std::min(source.read, per_word(storage(s).read_pj, storage(s)));
      source.update = std::min(source.update, per_word(storage(s).update_pj, storage(s)));
      // From beyond the anchor, words come through the spatial blocks there.
      source.shared = std::max(source.shared, s <= table.anchor ? 1.0 : table.shares[space]);
      source.first =
          std::max(source.first, tiles_.words(tiles_.count() - 1)[kOutputs] *
                                     std::min(static_cast<double>(storage(s).instances), product_of(whole, kIdle[kOutputs])));
    }
    if (!may(s, space, false)) break;
  }
  return source;
}

// What a child receives of the inputs per iteration, at least. The first loop that moves them may keep the overlap, in at least
// half of the iterations. Where only loops over one dimension move them along a rank, nothing receives less than that; where
// there are two, movements can cancel, and then nothing is received.
double SearchBound::input_words(std::uint32_t child, const std::array<std::int64_t, kDims>& strides) const {
  const double words = tiles_.words(child)[kInputs];
  if (!slides_) return words;
  const std::array<std::int64_t, kDims> extents = tiles_.extents(child);
  std::int64_t tile[kDims];
  std::copy(extents.begin(), extents.end(), tile);
  double least = words;
  for (const std::uint32_t r : kSlidingRanks) {
    const Rank rank = rank_of(problem_, kInputs, r);
    const std::int64_t extent = extent_along(rank, tile);
    for (std::uint32_t i = 0; i < 2; ++i) {
      const std::uint32_t mover = index_of(rank.dim[i]), other = index_of(rank.dim[1 - i]);
      const std::int64_t left = problem_.bound[mover] / strides[mover];
      if (left < 2) continue;
      const std::int64_t overlap = std::max<std::int64_t>(0, extent - rank.coefficient[i] * strides[mover]);
      const double fresh = words - words / static_cast<double>(extent) * static_cast<double>(overlap);
      const auto visits = static_cast<double>(left);
      const bool alone = problem_.bound[other] == strides[other];
      least = std::min(least, alone ? fresh + (words - fresh) / visits : fresh / 2);
    }
  }
  return least;
}

// The energy of delivering `words` to all children in all, where `shared` of them receive the same ones: reads and updates of
// the parent.
double SearchBound::deliver(const Source& source, std::uint32_t space, double words, double shared) const {
  const double all = tiles_.words(tiles_.count() - 1)[space];
  double accesses = words / (shared * source.shared);
  if (space != kInputs || dense_) accesses = std::max(accesses, all);
  if (space != kOutputs) return accesses * source.read;
  return std::max(0.0, accesses - source.first) * source.read + accesses * source.update;
}

// Children that share a delivery of the inputs, at most: all of them where neighbours may hand them on. That takes a loop outside
// that moves the tile by no more than the children are apart.
double SearchBound::most_shared(const Step& step, const Spread& spread, std::uint32_t child,
                                const std::array<std::int64_t, kDims>& strides) const {
  const std::array<std::int64_t, kDims> extents = tiles_.extents(child);
  for (const std::uint32_t r : kSlidingRanks) {
    const Rank rank = rank_of(problem_, kInputs, r);
    std::int64_t reach = 0, moving = 0;
    bool within = false;
    for (std::uint32_t i = 0; i < 2; ++i) {
      const std::uint32_t d = index_of(rank.dim[i]);
      reach += rank.coefficient[i] * extents[d] * (tiles_.divisors(d)[spread.digits[d]] - 1);
    }
    for (std::uint32_t i = 0; i < 2; ++i) {
      const std::uint32_t d = index_of(rank.dim[i]);
      if (problem_.bound[d] == strides[d]) continue;
      ++moving;
      within = within || rank.coefficient[i] * strides[d] <= reach;
    }
    // Movements along both dimensions may cancel.
    if (reach > 0 && (within || moving == 2)) return spread.children;
  }
  const bool one = step.child + 1 == static_cast<std::int32_t>(step.stage);
  return one ? spread.children / input_groups(problem_, spread, tiles_, child) : most_alike(spread, tiles_, kInputs);
}

// The table for what is inside a spread of a step.
std::uint32_t SearchBound::child_table(const Step& step, std::uint32_t inner, const Spread& spread, const Table& table) {
  Shares shares = table.shares;
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    if (!may(step.stage, space, false)) shares[space] = 1;
    shares[space] *= most_alike(spread, tiles_, space);
  }
  return this->table(inner, shares);
}

// Extends what is known of child tiles by the blocks of a step. `reached`: least energy by the tile of children and innermost
// loops; `bare`: the same without any other temporal loop, by what the loop outside leaves in its place.
void SearchBound::add_child(const Step& step, std::uint32_t child, const Table& table, std::vector<double>& reached,
                            std::vector<double>& bare) {
  const double boxes = computes_ / tiles_.computes(child);  // visits of all children in all
  const bool multipliers = step.child < 0;
  const auto inner = static_cast<std::uint32_t>(std::max(step.child, 0));
  // Multipliers take all tensors.
  const std::vector<std::uint8_t> keeps = multipliers ? std::vector<std::uint8_t>{(1u << kSpaces) - 1} : stages_[inner].keeps;
  for (const std::uint8_t keep : keeps) {
    if (!multipliers && !fits(inner, child, keep)) continue;
    for (const Spread& spread : step.spreads) {
      TileLattice::Digits around;
      if (!tiles_.multiply(tiles_.digits(child), spread.digits, around)) continue;
      // The bounds inside, with what is shared by this spread.
      std::array<double, kStates> inside{};
      if (!multipliers) {
        const Table& within = step.spreads.size() == 1 ? table : tables_[child_table(step, inner, spread, table)];
        std::copy_n(&within.energy[place(within, inner, child)], kStates, inside.begin());
        if (std::min(std::min(inside[0], inside[1]), std::min(inside[2], inside[3])) == kInfinity) continue;
      }
      const std::uint32_t start = tiles_.state(around);
      const std::array<std::int64_t, kDims> extents = tiles_.extents(start);
      // Between several stages there may be loops inside some of the spatial ones.
      const bool several = step.child + 1 != static_cast<std::int32_t>(step.stage);
      const std::array<std::int64_t, kDims> strides = several ? tiles_.extents(child) : extents;
      const bool repeats = multipliers && spread.children == 1;  // multipliers without a network read every operand every time
      std::array<double, kSpaces> words{}, shared{}, fills{};
      for (std::uint32_t space = 0; space < kSpaces; ++space) {
        words[space] = boxes * (space == kInputs && !multipliers ? input_words(child, strides) : tiles_.words(child)[space]);
        shared[space] = spread.children / spread.distinct[space];
        if (space == kInputs && slides_) shared[space] = most_shared(step, spread, child, strides);
        if (multipliers) shared[space] = spread.children;
        if (!multipliers) fills[space] = per_word(storage(inner).fill_pj, storage(inner));
      }
      const auto cost = [&](std::uint32_t space, double reuse) {
        if ((keep >> space & 1u) == 0) return 0.0;
        const double all = tiles_.words(tiles_.count() - 1)[space];
        double delivered = words[space] / reuse;
        if (space != kInputs || dense_) delivered = std::max(delivered, all);
        double elided = 0;
        if (space == kOutputs && rule_ == FillRule::current && !multipliers) elided = table.source[step.stage][space].first;
        return deliver(table.source[step.stage][space], space, delivered, shared[space]) +
               fills[space] * std::max(0.0, delivered - elided);
      };
      std::array<double, kSpaces> once{};
      for (std::uint32_t space = 0; space < kSpaces; ++space) once[space] = cost(space, 1);
      const double all = once[0] + once[1] + once[2];
      // All loops outside leave a tensor in its place.
      std::array<double, kSpaces> spill{};
      for (std::uint32_t idle = 0; idle < kSpaces; ++idle) {
        spill[idle] = product_of(tiles_.extents(tiles_.count() - 1), kIdle[idle]) / product_of(extents, kIdle[idle]);
      }
      // No temporal loop.
      for (std::uint32_t idle = 0; idle < kStates; ++idle) {
        double energy = all + inside[idle];
        if (idle < kSpaces && !repeats) energy += cost(idle, spill[idle]) - once[idle];
        double& least = bare[std::size_t{start} * kStates + idle];
        least = std::min(least, energy);
      }
      // Groups alone: they leave none in its place.
      constexpr std::uint32_t kGroups = index_of(Dim::G);
      const auto factors = static_cast<std::uint8_t>(tiles_.divisors(kGroups).size());  // fewer than kNone
      for (std::uint8_t n = 1; n < factors; ++n) {
        TileLattice::Digits now = around;
        now[kGroups] = tiles_.product(kGroups, around[kGroups], n);
        if (!step.temporal[kGroups][n] || now[kGroups] == TileLattice::kNone) continue;
        double& least = reached[tiles_.state(now)];
        least = std::min(least, all + inside[kSpaces]);
      }
      // Loops that leave a tensor in its place come first.
      for (std::uint32_t idle = 0; idle < kSpaces; ++idle) {
        TileLattice::Digits now = around;
        const auto visit = [&](const auto& self, std::uint32_t d, double reuse) -> void {
          if (d == kDims) {
            if (reuse == 1) return;
            const double energy = all - once[idle] + (repeats ? once[idle] : cost(idle, reuse)) + inside[idle];
            const std::uint32_t tile = tiles_.state(now);
            reached[tile] = std::min(reached[tile], energy);
            // Where no other loop follows, those outside may go on.
            const double most = repeats ? once[idle] : cost(idle, spill[idle]);
            double& least = bare[std::size_t{tile} * kStates + idle];
            least = std::min(least, all - once[idle] + most + inside[idle]);
            return;
          }
          const std::uint8_t from = around[d];
          if ((kIdle[idle] >> d & 1u) == 0) {
            self(self, d + 1, reuse);
            return;
          }
          const auto divisors = static_cast<std::uint8_t>(tiles_.divisors(d).size());
          for (std::uint8_t n = 0; n < divisors; ++n) {
            if (!step.temporal[d][n]) continue;
            const std::uint8_t to = tiles_.product(d, from, n);
            if (to == TileLattice::kNone) continue;
            now[d] = to;
            self(self, d + 1, reuse * static_cast<double>(tiles_.divisors(d)[n]));
          }
          now[d] = from;
        };
        visit(visit, 0, 1);
      }
    }
  }
}

// Any loops may follow, where the constraints allow loops over a dimension at all.
void SearchBound::spread_out(const Step& step, std::vector<double>& reached) const {
  for (std::uint32_t d = 0; d < kDims; ++d) {
    const std::vector<bool>& allowed = step.temporal[d];
    if (std::find(allowed.begin() + 1, allowed.end(), true) == allowed.end()) continue;
    const std::size_t n = tiles_.divisors(d).size();
    // From large tiles to small ones, so that every place is read before it is written.
    for (std::uint32_t tile = tiles_.count(); tile-- > 0;) {
      const std::uint8_t to = tiles_.digits(tile)[d];
      for (std::uint8_t from = 0; from < to && n > 1; ++from) {
        if (tiles_.quotient(d, to, from) == TileLattice::kNone) continue;
        reached[tile] = std::min(reached[tile], reached[tile - std::size_t{tiles_.radix(d)} * (to - from)]);
      }
    }
  }
}

SearchBound::Step SearchBound::step_of(std::uint32_t stage) const {
  Step step{stage, static_cast<std::int32_t>(stage) - 1, stages_[stage].spreads, stages_[stage].temporal};
  for (; step.child > 0 && stages_[step.child].keeps == std::vector<std::uint8_t>{0}; --step.child) {
    const StageChoices& idle = stages_[step.child];
    step.spreads = together(tiles_, idle.spreads, step.spreads);
    for (std::uint32_t d = 0; d < kDims; ++d) {
      // Loops of both over one dimension may multiply to any factor.
      const bool loops = std::find(idle.temporal[d].begin() + 1, idle.temporal[d].end(), true) != idle.temporal[d].end();
      if (loops) step.temporal[d].assign(step.temporal[d].size(), true);
    }
  }
  return step;
}

void SearchBound::make_stage(std::uint32_t stage, Table& table) {
  std::vector<double> reached(tiles_.count(), kInfinity), bare(std::size_t{tiles_.count()} * kStates, kInfinity);
  const Step& step = steps_[stage];
  if (step.child < 0) {
    add_child(step, 0, table, reached, bare);
  } else {
    for (const std::uint32_t child : fitting_[step.child]) add_child(step, child, table, reached, bare);
  }
  spread_out(step, reached);
  for (std::uint32_t tile = 0; tile < tiles_.count(); ++tile) {
    for (std::uint32_t idle = 0; idle < kStates; ++idle) {
      const std::size_t place = std::size_t{tile} * kStates + idle;
      table.energy[this->place(table, stage, 0) + place] = std::min(reached[tile], bare[place]);
    }
  }
}

// As many children as possible.
void SearchBound::make_multipliers(std::uint32_t stage) {
  for (std::uint32_t tile = 0; tile < tiles_.count(); ++tile) {
    double& most = multipliers_[std::size_t{stage} * tiles_.count() + tile];
    for (const Spread& spread : stages_[stage].spreads) {
      TileLattice::Digits rest;
      if (!tiles_.divide(tiles_.digits(tile), spread.digits, rest)) continue;
      most = std::max(most, spread.children * (stage == 0 ? 1 : multipliers(stage - 1, tiles_.state(rest))));
    }
  }
}

}  // namespace exarch::timeloop
