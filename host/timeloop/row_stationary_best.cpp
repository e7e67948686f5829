// The search for the best mapping on an architecture, among those that row_stationary.cpp has left.
#include <algorithm>

#include "host/error.hpp"
#include "host/timeloop/row_stationary.hpp"

namespace exarch::timeloop {
namespace {

std::int64_t cycles_at(double steps, std::int64_t plain, double bandwidth, double demand) {
  if (!(bandwidth > 0 && bandwidth < demand)) return plain;
  const double needed = steps / (bandwidth / demand);
  auto cycles = static_cast<std::int64_t>(needed);
  if (static_cast<double>(cycles) < needed) ++cycles;
  return cycles;
}

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

class RowStationary::Hunt {
  // The same operations in the same order as in kernels/timeloop/price.hpp, but for those that add 0 or multiply by 1. So the
  // cycles and energies are the kernel's, bit by bit.
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

  static Lane lane_of(const Storage& storage) {
    int shift = 0;
    while (std::int64_t{1} << shift < storage.block_size) ++shift;
    if (std::int64_t{1} << shift != storage.block_size) throw Error("row-stationary search: block sizes are powers of two");
    return {&storage, shift};
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

// Visits what count() kept: body(footprint, accesses or null where they follow from the footprint).
template <class Body>
void RowStationary::visit_kept(const Spread& spread, const Body& body) const {
  count(spread);
  for (const Footprint& footprint : spread.footprints) body(footprint, static_cast<const Accesses*>(nullptr));
  for (const Handed& handed : spread.handed) body(handed.footprint, &handed.accesses);
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
