// Recorded runs of Timeloop's mapper: the same best mapping and the same numbers, from the same settings. Two sets: the random
// search with the settings of ArchGym, whose first five runs are its published baseline for AlexNet; and searches of whole map
// spaces.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "host/timeloop/records.hpp"
#include "host/timeloop/sampler.hpp"
#include "tests/support/recorded_rows.hpp"
#include "tests/support/timeloop_records.hpp"

namespace exarch {
namespace {

using namespace timeloop;
using Json = nlohmann::ordered_json;
using testing::timeloop_records;

// The layer and architecture of a row that may have no mapping.
Record problem_of(Json row) {
  row["mapping"] = Json::array();
  for (std::size_t s = 0; s < row["arch"]["storage"].size(); ++s) {
    row["mapping"].push_back({{"spatial", Json::array()},
                              {"temporal", Json::array()},
                              {"keep", {{"Weights", true}, {"Inputs", true}, {"Outputs", true}}}});
  }
  return record_of(row);
}

Goals goals_of(const Json& names) {
  Goals goals;
  for (const Json& name : names) goals.push_back(name == "delay" ? Goal::cycles : name == "energy" ? Goal::energy : Goal::edp);
  return goals;
}

// A mapping as the records have it.
Json mapping_row(const Record& record, const Mapping& mapping) {
  Record with = record;
  with.input.mapping = mapping;
  Json rows = testing::timeloop_row(with)["mapping"];
  Json named = Json::array();
  for (std::size_t s = 0; s < rows.size(); ++s) {
    named.push_back({{"name", record.level_names[s]},
                     {"spatial", rows[s]["spatial"]},
                     {"temporal", rows[s]["temporal"]},
                     {"keep", rows[s]["keep"]}});
  }
  return named;
}

TEST(TimeloopSamplerGolden, EveryRandomRun) {
  std::int64_t baseline_cycles = 0;
  double baseline_uj = 0;
  std::size_t equal = 0, unfound = 0;
  for (const Json& row : timeloop_records("mapper_random.jsonl.gz")) {
    const Record record = problem_of(row);
    const Json& given = row["mapper"];
    ASSERT_EQ(given["algorithm"], "random-pruned");
    SamplerSettings settings;
    settings.algorithm = SamplerAlgorithm::random_pruned;
    settings.threads = given["threads"];
    settings.timeout = given["timeout"];
    settings.victory_condition = given["victory_condition"];
    settings.max_permutations = given["max_permutations_per_if_visit"];
    settings.goals = goals_of(given["objective"]);
    settings.fill_rule = FillRule::y2022;
    const SamplerResult got = sample(record.input.problem, record.input.architecture, row_stationary(), settings);
    const Json& want = row["result"];
    ASSERT_EQ(got.found, want["found"].get<bool>()) << row["id"];
    if (!got.found) {
      ++unfound;
      continue;
    }
    EXPECT_EQ(got.price.cycles, want["cycles"]) << row["id"];
    EXPECT_NEAR(got.price.energy_pj / want["energy_pJ_fill2022"].get<double>(), 1, 1e-12) << row["id"];
    EXPECT_NEAR(got.price.area_um2 / want["area_um2"].get<double>(), 1, 1e-7) << row["id"];  // Timeloop has 32-bit areas
    EXPECT_EQ(mapping_row(record, got.mapping), want["mapping"]) << row["id"];
    EXPECT_EQ(decimal(total_of(got.sizes)), want["mapspace_size"].dump()) << row["id"];
    ++equal;
    if (row["id"].get<std::string>().starts_with("rnd-default-")) {
      baseline_cycles += got.price.cycles;
      baseline_uj += got.price.energy_pj / 1e6;
    }
  }
  EXPECT_EQ(equal + unfound, testing::kTimeloopSamples);
  EXPECT_EQ(unfound, testing::kTimeloopSamplesWithout);
  // ArchGym has 7885704 cycles and 29206 uJ.
  EXPECT_EQ(baseline_cycles, 7885704);
  EXPECT_NEAR(baseline_uj, 29205.99, 0.005);
}

TEST(TimeloopSamplerGolden, EveryOptimum) {
  std::size_t equal = 0;
  for (const Json& row : timeloop_records("mapper.jsonl.gz")) {
    const Record record = problem_of(row);
    SamplerSettings settings;
    settings.algorithm = SamplerAlgorithm::linear_pruned;
    settings.timeout = 0xffffffff;
    settings.victory_condition = 0;
    settings.goals = goals_of(row["objective"]);
    const SamplerResult got = sample(record.input.problem, record.input.architecture, row_stationary(), settings);
    ASSERT_TRUE(got.found) << row["id"];
    const Json& want = row["best"];
    EXPECT_EQ(got.price.cycles, want["cycles"]) << row["id"];
    EXPECT_NEAR(got.price.energy_pj / want["energy_pJ"].get<double>(), 1, 1e-12) << row["id"];
    EXPECT_EQ(mapping_row(record, got.mapping), want["mapping"]) << row["id"];
    EXPECT_EQ(decimal(total_of(got.sizes)), row["mapspace_size"].dump()) << row["id"];
    ++equal;
  }
  EXPECT_EQ(equal, testing::kTimeloopOptima);
}

}  // namespace
}  // namespace exarch
