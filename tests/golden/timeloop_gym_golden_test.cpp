// ArchGym's TimeloopGym: Timeloop's own exhaustive searches, and the optimum of its baseline.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "host/timeloop/archgym.hpp"
#include "host/timeloop/environment.hpp"
#include "host/timeloop/row_stationary.hpp"
#include "tests/support/timeloop_records.hpp"

namespace exarch {
namespace {

using namespace timeloop;
using Json = nlohmann::ordered_json;
using testing::timeloop_records;

// The record's mapping is of no interest: the search has to find one.
Input input_of(const Json& row) {
  Json problem = row;
  problem["mapping"] = row["best"]["mapping"];
  return record_of(problem).input;
}

Hardware hardware_for(const Architecture& a) {
  const auto size = [&a](ArchgymLevel level) { return std::vector<std::int64_t>{a.storage[level].size}; };
  return {{kArrayColumns, kMostRows}, {size(kPsumSpad), size(kWeightsSpad), size(kIfmapSpad), size(kSharedGlb)}};
}

TEST(TimeloopGymGolden, OptimaOfExhaustiveSearches) {
  std::size_t searches = 0;
  for (const Json& row : timeloop_records("mapper.jsonl.gz")) {
    const Input input = input_of(row);
    const RowStationary mappings(input.problem, FillRule::current, hardware_for(input.architecture));
    EXPECT_EQ(mappings.size(), row["mapspace_size"]) << row["id"];
    const Json& objective = row["objective"];
    const bool cycles = objective[0] == "delay", energy = objective[0] == "energy";
    const auto best = mappings.best(input.architecture, cycles   ? MapObjective::cycles_energy
                                                        : energy ? MapObjective::energy_cycles
                                                                 : MapObjective::edp);
    ASSERT_TRUE(best.has_value()) << row["id"];
    const Json& want = row["best"];
    const double least = want["energy_pJ"], edp = want["edp"];
    if (cycles) {  // with several metrics, Timeloop takes what is 0.1 % worse as equal
      EXPECT_LE(best->cycles, want["cycles"].get<std::int64_t>()) << row["id"];
      if (best->cycles == want["cycles"]) {
        EXPECT_LE(best->energy_pj, least * (1 + 1e-12)) << row["id"];
      }
    } else if (energy) {
      EXPECT_NEAR(best->energy_pj, least, 1e-12 * least) << row["id"];
    } else {
      EXPECT_NEAR(best->energy_pj * static_cast<double>(best->cycles), edp, 1e-12 * edp) << row["id"];
    }
    ++searches;
  }
  EXPECT_EQ(searches, 39u);
}

// The default architecture on AlexNet: how many mappings are valid, the fewest cycles, the least energy at those, the least
// energy.
struct LayerOptimum {
  std::uint64_t mappings;
  std::size_t valid;
  std::int64_t cycles;
  double energy_uj, least_uj;
};
constexpr std::array<LayerOptimum, 5> kAlexnet{{{10080, 666, 798600, 774.48, 562.11},
                                                {443520, 13480, 3732480, 2628.32, 2235.34},
                                                {544500, 46837, 958464, 808.20, 808.20},
                                                {1584000, 103856, 1437696, 1208.24, 1208.24},
                                                {475200, 36570, 958464, 801.26, 801.26}}};

TEST(TimeloopGymGolden, OptimumOfTheBaseline) {
  const EnergyTable table = EnergyTable::shipped();
  const Accelerator accelerator = accelerator_of(default_design(archgym_parameters()), table);
  ASSERT_EQ(accelerator.status, GymStatus::ok);
  const Architecture& a = accelerator.architecture;
  // C, M, R and S, P and Q, stride
  constexpr std::int64_t kShapes[5][5] = {
      {3, 96, 11, 55, 4}, {96, 256, 5, 27, 1}, {256, 384, 3, 13, 1}, {384, 384, 3, 13, 1}, {384, 256, 3, 13, 1}};
  const auto spads = table.sizes(GymPart::spad);
  const Hardware all_hardware{{kArrayColumns, kMostRows}, {spads, spads, spads, table.sizes(GymPart::shared_glb)}};
  std::size_t kept = 0;
  for (std::size_t layer = 0; layer < kAlexnet.size(); ++layer) {
    const auto& [c, m, r, p, stride] = kShapes[layer];
    const RowStationary mappings({{c, m, r, r, 1, p, p, 1}, stride, stride, 1, 1}, FillRule::y2022, hardware_for(a));
    const LayerOptimum& want = kAlexnet[layer];
    EXPECT_EQ(mappings.size(), want.mappings);
    std::size_t valid = 0;
    mappings.for_each([&](std::uint64_t, const ArraySize& array, const Tiles& tiles, const Accesses&) {
      valid += array.columns <= 14 && array.rows <= 12 && tiles.psum <= 16 && tiles.weights <= 192 && tiles.ifmap <= 12 &&
                       tiles.glb <= 65536
                   ? 1
                   : 0;
    });
    EXPECT_EQ(valid, want.valid);
    // How many are priced at most, for all architectures of TimeloopGym: docs/models.md.
    const RowStationary of_all({{c, m, r, r, 1, p, p, 1}, stride, stride, 1, 1}, FillRule::y2022, all_hardware);
    kept += of_all.kept();
    const auto fast = mappings.best(a, MapObjective::cycles_energy), frugal = mappings.best(a, MapObjective::energy_cycles);
    ASSERT_TRUE(fast && frugal);
    EXPECT_EQ(fast->cycles, want.cycles);
    EXPECT_NEAR(fast->energy_pj / 1e6, want.energy_uj, 0.005);
    EXPECT_NEAR(frugal->energy_pj / 1e6, want.least_uj, 0.005);
  }
  EXPECT_EQ(kept, 77887u);
}

TEST(TimeloopGymGolden, TheEnvironmentsBaseline) {
  const Environment& environment = timeloop_environment();
  const auto metrics_for = [&](const char* objective) {
    const auto workload = environment.load_workload({{"map-objective", objective}});
    Backend backend("cpu", 1);
    Outcomes outcomes;
    const Design design = default_design(environment.parameters());
    environment.simulate(*workload, design, Engine::fast, backend, outcomes);
    std::vector<double> metrics(environment.metrics().size());
    environment.price(*workload, design, outcomes.counters, metrics);
    return metrics;
  };
  const auto place = [&](const char* name) {
    return static_cast<std::size_t>(std::ranges::find(environment.metrics(), name, &MetricInfo::name) -
                                    environment.metrics().begin());
  };
  const auto fast = metrics_for("cycles"), frugal = metrics_for("energy");
  EXPECT_EQ(fast[place("cycles")], 7885704);
  EXPECT_EQ(fast[place("archgym_energy")], 6220.50);
  EXPECT_EQ(fast[place("archgym_area")], 2.03);
  EXPECT_NEAR(fast[place("area_mm2")], 2.02621852, 1e-7);
  EXPECT_NEAR(frugal[place("energy_uj")], 5615.15, 0.005);
  // The cost of TimeloopGym: energy is below its target, area and cycles are not.
  const double area = (2.03 - 1.7255) / 1.7255, cycles = (7885704 - 6308563.2) / 6308563.2;
  EXPECT_NEAR(fast[place("archgym_cost")], 1e-3 + area + cycles, 1e-9);
  EXPECT_EQ(fast[place("archgym_energy_cost")], 1e-5);
}

}  // namespace
}  // namespace exarch
