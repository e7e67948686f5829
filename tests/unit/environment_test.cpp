// What an environment gets for implementing the interface: options, evaluation, storage and search, whatever it models.
#include "host/env/environment.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "agents/agent.hpp"
#include "host/batch/evaluator.hpp"
#include "host/error.hpp"
#include "host/store/run_store.hpp"
#include "tests/support/toy_environment.hpp"

namespace exarch {
namespace {

using testing::ToyEnvironment;

TEST(Environment, OptionsHaveOneSpelling) {
  const ToyEnvironment toy;
  EXPECT_EQ(primary_option(toy).name, "load");
  const WorkloadOptions want{{"load", "7"}, {"label", "none"}};
  for (const char* load : {"7", "07", "0000000000007"}) EXPECT_EQ(complete_options(toy, {{"load", load}}), want) << load;
  EXPECT_EQ(complete_options(toy, {{"load", "7"}, {"label", ""}}), want);
  EXPECT_EQ(complete_options(toy, want), want);
  for (const char* load : {"0", "1000001", "+7", "7.0", " 7", "0x7", "seven", "18446744073709551617"}) {
    EXPECT_THROW((void)complete_options(toy, {{"load", load}}), UsageError) << load;
  }
  EXPECT_THROW((void)complete_options(toy, {}), UsageError);
}

TEST(Environment, EqualDesignsShareARunAndOthersDoNot) {
  const ToyEnvironment toy;
  Backend backend("cpu", 2);
  Evaluator evaluator(toy, toy.load_workload({{"load", "10"}}), backend);
  const std::vector<std::int64_t> designs{3, 0, 3, 1, 3, 0, 4, 0};
  const auto ids = evaluator.evaluate(designs);
  EXPECT_EQ(evaluator.requested(), 4u);
  EXPECT_EQ(evaluator.simulated(), 3u);
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_EQ(evaluator.counters(ids[0])[0], 4u);
  EXPECT_EQ(evaluator.counters(ids[1])[0], 12u);
  EXPECT_EQ(evaluator.counters(ids[3])[0], 3u);
  double time = 0;
  evaluator.price(ids[1], std::span(designs).subspan(2, 2), std::span(&time, 1));
  EXPECT_EQ(time, 24.0);
  EXPECT_EQ(evaluator.evaluate(std::vector<std::int64_t>{4, 0})[0], ids[3]);
  EXPECT_EQ(evaluator.simulated(), 3u);
}

TEST(Environment, ASearchIsStoredAndReadBack) {
  const ToyEnvironment toy;
  const DesignSpace& space = toy.spaces().front();
  ASSERT_EQ(space.size(), 128u);
  std::string folder = (std::filesystem::temp_directory_path() / "exarch-environment-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::filesystem::path path = std::filesystem::path(folder) / "toy.db";
  const Objective objective = Objective::parse("time", toy.metrics(), toy.objectives());
  Backend backend("cpu", 1);
  Evaluator evaluator(toy, toy.load_workload({{"load", "1000"}}), backend);
  const auto agent = make_agent("ga", space, {.seed = 1, .population = 16, .parameters = {}});
  double best = 1e300;
  std::uint64_t requested = 0;
  {
    RunStore store(path, {{"environment", toy.name()}}, {{"width", "by"}, {"cycles"}});
    for (std::uint32_t g = 0; g < 12; ++g) {
      GeneBatch batch;
      agent->ask(batch);
      std::vector<std::int64_t> designs(batch.genes.size());
      for (std::size_t c = 0; c < batch.candidates(); ++c) space.design_of(batch.row(c), std::span(designs).subspan(2 * c, 2));
      const std::size_t known = evaluator.simulated();
      const auto ids = evaluator.evaluate(designs);
      std::vector<double> costs;
      for (std::size_t c = 0; c < ids.size(); ++c) {
        double time = 0;
        evaluator.price(ids[c], std::span(designs).subspan(2 * c, 2), std::span(&time, 1));
        costs.push_back(objective.score(std::span(&time, 1), true).cost);
      }
      agent->tell(batch, costs);
      best = std::min(best, std::ranges::min(costs));
      requested += ids.size();
      store.transaction([&] {
        for (auto id = static_cast<Evaluator::OutcomeId>(known); id < evaluator.simulated(); ++id) {
          const auto design = evaluator.simulated_design(id);
          const auto counters = evaluator.counters(id);
          store.add_result({0, {design.begin(), design.end()}, 0, {counters.begin(), counters.end()}, {}});
        }
        store.add_generation({g, batch.genes, {ids.begin(), ids.end()}, costs, requested, evaluator.simulated(), agent->state()});
      });
    }
  }
  EXPECT_EQ(best, 2.0 * static_cast<double>(ToyEnvironment::cycles(1000, 64, 0)));
  const RunStore store(path);
  EXPECT_EQ(store.result_count(), evaluator.simulated());
  ASSERT_TRUE(store.last_generation().has_value());
  EXPECT_EQ(store.last_generation()->requested, requested);
  store.for_each_result([](ResultId id, const StoredResult& result) {
    EXPECT_EQ(result.counters[0], ToyEnvironment::cycles(1000, result.design[0], result.design[1])) << id;
    return true;
  });
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace exarch
