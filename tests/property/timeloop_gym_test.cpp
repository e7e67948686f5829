// The row-stationary search: counts in closed form equal the kernel's, the best mapping is the best of all, and the accelerators
// of TimeloopGym are what its tables say.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "host/timeloop/archgym.hpp"
#include "host/timeloop/environment.hpp"
#include "host/timeloop/row_stationary.hpp"
#include "kernels/launch/timeloop_launch.hpp"

namespace exarch {
namespace {

using namespace timeloop;

struct Evaluated {
  Status status{};
  Counters counters{};
  Price price{};
  Fault fault{};
};

Evaluated evaluate(const Problem& problem, const Architecture& architecture, const Mapping& mapping, FillRule rule) {
  Evaluated e;
  e.status = cpu_functions().evaluate({problem, architecture, mapping}, rule, e.counters, e.price, e.fault);
  return e;
}

class TimeloopGym : public ::testing::Test {
 protected:
  std::mt19937_64 rng_{11};
  const EnergyTable table_ = EnergyTable::shipped();

  std::int64_t one_of(std::initializer_list<std::int64_t> values) { return values.begin()[rng_() % values.size()]; }

  // Small layers of all kinds; every third is one-dimensional, where neighbours hand on inputs.
  Problem random_problem() {
    const bool flat = rng_() % 3 == 0;
    Problem p{};
    const std::int64_t bounds[kDims] = {one_of({1, 2, 3, 4, 6, 8}),  one_of({1, 2, 4, 6, 9, 12}), one_of({1, 1, 2, 3, 5}),
                                        one_of({1, 2, 3, 3, 5}),     one_of({1, 1, 1, 2, 4}),     flat ? 1 : one_of({1, 2, 5, 6}),
                                        one_of({1, 3, 4, 6, 7, 12}), one_of({1, 1, 1, 2, 3})};
    std::copy_n(bounds, kDims, p.bound);
    p.wstride = one_of({1, 1, 2, 3});
    p.hstride = one_of({1, 1, 2, 4});
    p.wdilation = one_of({1, 1, 2, 3});
    p.hdilation = one_of({1, 1, 2});
    return p;
  }

  Hardware hardware() const {
    const auto spads = table_.sizes(GymPart::spad);
    std::vector<std::int64_t> glb = table_.sizes(GymPart::shared_glb);
    glb.insert(glb.begin(), {64, 256});  // so that small layers are short of it
    return {{kArrayColumns, kMostRows}, {spads, spads, spads, glb}};
  }

  // A design of TimeloopGym; often with small buffers, and sometimes with bandwidths that it does not offer.
  Design random_design() {
    const auto spaces = timeloop_environment().spaces();
    const DesignSpace& space = spaces.front();
    Design design;
    for (std::size_t p = 0; p < space.dimensions(); ++p) {
      const auto values = space.values(p);
      const bool is_depth = timeloop_environment().parameters()[p].name.ends_with("_depth");
      design.push_back(values[rng_() % (is_depth && rng_() % 2 == 0 ? std::min<std::size_t>(values.size(), 5) : values.size())]);
    }
    for (const char* name : {"ifmap_read_bw", "psum_write_bw", "weights_write_bw", "glb_read_bw"}) {
      if (rng_() % 4 == 0) design[gym_parameter(name)] = one_of({1, 3, 5});
    }
    return design;
  }
};

TEST_F(TimeloopGym, CountsOfEveryMappingEqualTheKernels) {
  std::size_t mappings = 0, handed = 0, small = 0;
  for (int i = 0; i < 60; ++i) {
    const Problem problem = random_problem();
    for (const FillRule rule : {FillRule::current, FillRule::y2022}) {
      const RowStationary all(problem, rule, hardware());
      std::set<std::uint64_t> seen;
      all.for_each([&](std::uint64_t index, const ArraySize& array, const Tiles& tiles, const Accesses& n) {
        Architecture a{};
        a.levels = kArchgymLevels;
        a.compute = {14 * 24, 14, 24, 0, 0};
        for (std::uint32_t level = 0; level < kArchgymLevels; ++level) {
          Storage& storage = a.storage[level];
          storage = {-1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0};
          if (level <= kDummyBuffer) storage.mesh_x = 14;
          if (level < kDummyBuffer) storage.mesh_y = 24;
          storage.instances = storage.mesh_x * storage.mesh_y;
        }
        const Evaluated e = evaluate(problem, a, all.mapping(index), rule);
        ASSERT_EQ(e.status, Status::ok);
        const auto& count = e.counters.count;
        const Counts &psum = count[kPsumSpad][kOutputs], &weights = count[kWeightsSpad][kWeights];
        const Counts &ifmap = count[kIfmapSpad][kInputs], &in = count[kSharedGlb][kInputs], &out = count[kSharedGlb][kOutputs];
        const Counts* dram = count[kDram];
        const std::vector<std::int64_t> got{
            array.columns,     array.rows,     tiles.psum,     tiles.weights,    tiles.ifmap,       tiles.glb,
            n.steps,           n.psum_reads,   n.psum_fills,   n.psum_updates,   n.weights_reads,   n.weights_fills,
            n.ifmap_reads,     n.ifmap_fills,  n.glb_in_reads, n.glb_in_fills,   n.glb_out_reads,   n.glb_out_fills,
            n.glb_out_updates, n.dram_weights, n.dram_in,      n.dram_out_reads, n.dram_out_updates};
        const std::vector<std::int64_t> want{e.counters.units.x,
                                             e.counters.units.y,
                                             psum.tile,
                                             weights.tile,
                                             ifmap.tile,
                                             in.tile + out.tile,
                                             e.counters.steps,
                                             psum.reads,
                                             psum.fills,
                                             psum.updates,
                                             weights.reads,
                                             weights.fills,
                                             ifmap.reads,
                                             ifmap.fills,
                                             in.reads,
                                             in.fills,
                                             out.reads,
                                             out.fills,
                                             out.updates,
                                             dram[kWeights].reads,
                                             dram[kInputs].reads,
                                             dram[kOutputs].reads,
                                             dram[kOutputs].updates};
        ASSERT_EQ(got, want) << index;
        seen.insert(index);
        ++mappings;
        handed += count[kDummyBuffer][kInputs].link > 0 ? 1 : 0;
      });
      ASSERT_FALSE(::testing::Test::HasFatalFailure());
      small += seen.size() < all.size() ? 1 : 0;
      EXPECT_GE(all.size(), seen.size());
      EXPECT_LE(all.kept(), seen.size());
    }
  }
  EXPECT_GE(mappings, 50000u);
  EXPECT_GE(handed, 20u);
  EXPECT_GE(small, 20u);  // some mappings need more than the largest array
}

TEST_F(TimeloopGym, TheBestMappingIsTheBestOfAll) {
  std::size_t found = 0, none = 0, slowed = 0, handed = 0;
  for (int i = 0; i < 120; ++i) {
    const Problem problem = random_problem();
    const FillRule rule = i % 2 == 0 ? FillRule::y2022 : FillRule::current;
    const RowStationary mappings(problem, rule, hardware());
    for (int k = 0; k < 6; ++k) {
      Accelerator accelerator = accelerator_of(random_design(), table_);
      if (accelerator.status != GymStatus::ok) continue;
      Architecture& architecture = accelerator.architecture;
      if (k % 2 == 0) architecture.storage[kSharedGlb].size = one_of({64, 256, 1024});
      const std::int64_t columns = architecture.storage[kPsumSpad].mesh_x, rows = architecture.compute.instances / kArrayColumns;
      for (const MapObjective objective : {MapObjective::cycles_energy, MapObjective::energy_cycles, MapObjective::edp}) {
        std::optional<BestMapping> want;
        mappings.for_each([&](std::uint64_t index, const ArraySize& array, const Tiles&, const Accesses&) {
          if (array.columns > columns || array.rows > rows) return;
          const Evaluated e = evaluate(problem, architecture, mappings.mapping(index), rule);
          if (e.status != Status::ok) return;
          const BestMapping now{index, e.price.cycles, e.price.energy_pj};
          if (!want || is_better(now, *want, objective)) want = now;
        });
        const auto got = mappings.best(architecture, objective);
        ASSERT_EQ(got.has_value(), want.has_value());
        if (!got) {
          ++none;
          continue;
        }
        ++found;
        const Evaluated e = evaluate(problem, architecture, mappings.mapping(got->index), rule);
        ASSERT_EQ(e.status, Status::ok);
        EXPECT_EQ(got->cycles, e.price.cycles);
        EXPECT_EQ(got->energy_pj, e.price.energy_pj);  // to the last bit
        if (objective == MapObjective::edp) {
          EXPECT_EQ(got->energy_pj * static_cast<double>(got->cycles), want->energy_pj * static_cast<double>(want->cycles));
        } else {
          EXPECT_EQ(got->cycles, want->cycles);
          EXPECT_EQ(got->energy_pj, want->energy_pj);
        }
        slowed += got->cycles > e.counters.steps ? 1 : 0;
        handed += e.counters.count[kDummyBuffer][kInputs].link > 0 ? 1 : 0;
      }
    }
  }
  for (const std::size_t number : {found, none}) EXPECT_GE(number, 200u);
  for (const std::size_t number : {slowed, handed}) EXPECT_GE(number, 20u);
}

// What needs() asks for is enough, and one less is not.
TEST_F(TimeloopGym, NeedsAreTheSmallestChanges) {
  std::size_t changes = 0;
  for (int i = 0; i < 800; ++i) {
    const RowStationary mappings(random_problem(), FillRule::y2022, hardware());
    Accelerator accelerator = accelerator_of(random_design(), table_);
    if (accelerator.status != GymStatus::ok) continue;
    Architecture& a = accelerator.architecture;
    a.storage[kSharedGlb].size = one_of({64, 256, 1024});
    const auto fits = [&](const Architecture& architecture) {
      return mappings.best(architecture, MapObjective::cycles_energy).has_value();
    };
    if (fits(a)) continue;
    const RowStationary::Needs needs = mappings.needs(a);
    const std::pair<ArchgymLevel, std::int64_t> sizes[] = {{kPsumSpad, needs.tiles.psum},
                                                           {kWeightsSpad, needs.tiles.weights},
                                                           {kIfmapSpad, needs.tiles.ifmap},
                                                           {kSharedGlb, needs.tiles.glb}};
    for (const auto& [level, words] : sizes) {
      Architecture changed = a;
      changed.storage[level].size = words == 0 ? std::int64_t{1} << 18 : words;
      EXPECT_EQ(fits(changed), words != 0);
      changed.storage[level].size = words - 1;
      if (words == 0) continue;
      EXPECT_FALSE(fits(changed));
      ++changes;
    }
  }
  EXPECT_GE(changes, 20u);
}

TEST_F(TimeloopGym, StatusesOfDesigns) {
  const Design plain = default_design(archgym_parameters());
  EXPECT_EQ(accelerator_of(plain, table_).status, GymStatus::ok);
  const auto with = [&](std::initializer_list<std::pair<const char*, std::int64_t>> changes) {
    Design design = plain;
    for (const auto& [name, value] : changes) design[gym_parameter(name)] = value;
    return accelerator_of(design, table_);
  };
  constexpr std::int64_t kSramClass = 3, kSmartSramClass = 1;
  EXPECT_EQ(with({{"glb_class", kSramClass}, {"glb_banks", 16}}).status, GymStatus::ok);
  EXPECT_EQ(with({{"glb_class", kSramClass}, {"glb_banks", 32}}).status, GymStatus::no_estimate);
  EXPECT_EQ(with({{"glb_class", kSmartSramClass}, {"glb_depth", 1024}, {"glb_banks", 64}}).status, GymStatus::no_estimate);
  EXPECT_EQ(with({{"nPEs", 14}}).status, GymStatus::no_fanout);
  EXPECT_NE(with({{"weights_depth", 13}}).why.find("not in the table"), std::string::npos);
  // The share of TimeloopGym's actions that are infeasible before any mapping is tried: 24.7 %.
  const DesignSpace& space = timeloop_environment().spaces().front();
  std::size_t infeasible = 0;
  constexpr std::size_t kDesigns = 20000;
  for (std::size_t i = 0; i < kDesigns; ++i) {
    Design design;
    for (std::size_t p = 0; p < space.dimensions(); ++p) design.push_back(space.values(p)[rng_() % space.values(p).size()]);
    infeasible += accelerator_of(design, table_).status == GymStatus::ok ? 0 : 1;
  }
  EXPECT_NEAR(static_cast<double>(infeasible) / kDesigns, 0.247, 0.015);
}

TEST(TimeloopGymSpaces, HaveTheirSizes) {
  const Environment& environment = timeloop_environment();
  EXPECT_EQ(environment.parameters().size(), kGymParameters);
  EXPECT_EQ(find_space(environment, "archgym").size(), 2154550209231716352u);
  EXPECT_EQ(find_space(environment, "effective").size(), 23ull * 3 * 192 * 192 * 192 * 4 * 7 * 4 * 3 * 4 * 4);
  EXPECT_EQ(find_space(environment, "smartbuffers").size(), 23ull * 3 * 96 * 96 * 96 * 2 * 7 * 4 * 3 * 4 * 4);
  EXPECT_EQ(find_space(environment, "eyeriss").size(), 20736u);
}

}  // namespace
}  // namespace exarch
