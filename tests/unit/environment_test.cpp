// What an environment gets for implementing the interface: options, evaluation, storage and search, whatever it models.
#include "host/env/environment.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "host/error.hpp"
#include "host/execute/evaluator.hpp"
#include "host/run/inputs.hpp"
#include "host/run/search.hpp"
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

// A cell of a notebook that defines a model runs again: what is found by name from then on is the new one, and the old one still
// works.
TEST(Environment, AnEnvironmentMayTakeThePlaceOfAnother) {
  static const ToyEnvironment kFirst, kSecond;
  const std::size_t before = environments().size();
  replace_environment(kFirst);
  EXPECT_EQ(&find_environment("toy"), &kFirst);
  replace_environment(kSecond);
  EXPECT_EQ(&find_environment("toy"), &kSecond);
  EXPECT_EQ(environments().size(), before + 1);
}

TEST(Environment, EqualDesignsShareARunAndOthersDoNot) {
  const ToyEnvironment toy;
  Evaluator evaluator(toy, toy.load_workload({{"load", "10"}}), std::make_shared<LocalExecutor>("cpu", 2));
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
  std::string folder = (std::filesystem::temp_directory_path() / "exarch-environment-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/toy.db";
  Problem problem(toy, toy.spaces().front());
  problem.workloads = list_workloads(toy, {{"load", "1000"}});
  problem.objectives = parse_objectives(toy, "time");
  SearchSpec spec(problem);
  spec.population = 16;
  spec.generations = 12;
  Observer quiet;
  const SearchReport report = run_search(spec, std::make_shared<LocalExecutor>("cpu", 1), path, quiet);
  ASSERT_FALSE(report.best.empty());
  EXPECT_EQ(report.best[0].values, std::vector<double>{2.0 * static_cast<double>(ToyEnvironment::cycles(1000, 64, 0))});
  EXPECT_EQ(report.best[0].design, (Design{64, 0}));
  EXPECT_EQ(report.requested, 16u * 12u);
  const RunStore store{std::filesystem::path(path)};
  EXPECT_EQ(store.result_count(), report.simulated);
  ASSERT_TRUE(store.last_generation().has_value());
  EXPECT_EQ(store.last_generation()->requested, report.requested);
  store.for_each_result([](ResultId id, const StoredResult& result) {
    EXPECT_EQ(result.counters[0], ToyEnvironment::cycles(1000, result.design[0], result.design[1])) << id;
    EXPECT_EQ(result.artifact, ToyEnvironment::trips(1000, result.design[0])) << id;
    return true;
  });
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace exarch
