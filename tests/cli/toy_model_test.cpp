// A model of a program's own, with a space that follows from the workload and an artifact, through every verb. Nothing below the
// registry knows it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/toy_environment.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch {
namespace {

using cli::Verb;
using ::testing::HasSubstr;
using testing::TempFolder;
using testing::ToyEnvironment;
using Json = nlohmann::ordered_json;

class ToyModel : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    static const ToyEnvironment kToy;
    register_environment(kToy);
  }

  // What a verb prints; it must end well.
  static std::string run(const Verb& verb, std::vector<std::string> words) {
    words.insert(words.begin(), verb.name);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    ::testing::internal::CaptureStdout();
    int code = -1;
    try {
      code = verb.run(cli::parse(verb, static_cast<int>(argv.size()), argv.data()));
    } catch (...) {
      (void)::testing::internal::GetCapturedStdout();
      throw;
    }
    const std::string text = ::testing::internal::GetCapturedStdout();
    EXPECT_EQ(code, 0) << text;
    return text;
  }

  static std::string text_of(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  TempFolder folder_;
};

TEST_F(ToyModel, IsListedAndEvaluated) {
  EXPECT_THAT(run(cli::kEnvsVerb, {"toy"}), HasSubstr("divisors"));
  const Json json = Json::parse(run(cli::kEvalVerb, {"toy", "--load", "7", "--set", "width=3", "--json"}));
  EXPECT_EQ(json["counters"]["cycles"], 3);
  EXPECT_EQ(json["artifact"]["trips"], "2 x 3, 1");
  std::ofstream(folder_ / "in.csv") << "load,width\n7,3\n6,3\n";
  EXPECT_EQ(run(cli::kEvalVerb, {"toy", "--in", folder_ / "in.csv"}),
            "load,width,status,time_ns,cycles,trips\n7,3,ok,6,3,\"2 x 3, 1\"\n6,3,ok,4,2,2 x 3\n");
}

TEST_F(ToyModel, ItsSpaceFollowsFromTheWorkload) {
  const auto widths = [](const std::string& load) {
    return Json::parse(run(cli::kSpaceVerb, {"toy", "--load", load, "--space", "divisors", "--json"}))[0]["parameters"]["width"];
  };
  EXPECT_EQ(widths("12"), Json({1, 2, 3, 4, 6, 12}));
  EXPECT_EQ(widths("7"), Json({1, 7}));
  // One workload at a time, and none is no answer.
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"toy", "--space", "divisors"}, {"toy", "--space", "divisors", "--load", "12,7"}}) {
    EXPECT_THROW(run(cli::kSpaceVerb, words), UsageError);
  }
  EXPECT_THROW(run(cli::kSpaceVerb, {"toy", "--space", "divisor", "--load", "12"}), UsageError);
}

TEST_F(ToyModel, ASweepKeepsArtifactsAndEveryReaderShowsThem) {
  const std::string store = folder_ / "sweep.db";
  run(cli::kSweepVerb, {"toy", "--load", "12", "--space", "divisors", "--all", "--out", store});
  const std::string table = run(cli::kExportVerb, {store});
  EXPECT_EQ(std::ranges::count(table, '\n'), 1 + 6 * 2);
  EXPECT_THAT(table, HasSubstr("load,candidate,width,by,status,time_ns,cycles,trips\n"));
  EXPECT_THAT(table, HasSubstr("12,2,2,cart,ok,12,6,6 x 2\n"));
  const Json best = Json::parse(run(cli::kBestVerb, {store, "--json"}));
  EXPECT_EQ(best[0]["design"]["width"], 12);
  EXPECT_EQ(best[0]["artifact"]["trips"], "1 x 12");
  const Json report = Json::parse(run(cli::kReportVerb, {store, "--out", folder_ / "sweep.html", "--json"}));
  EXPECT_EQ(report["workloads"][0]["best"][0]["artifact"]["trips"], "1 x 12");
  const Json rank = Json::parse(run(cli::kRankVerb, {store, "--set", "width=6", "--set", "by=cart", "--json"}));
  EXPECT_EQ(rank[0]["rank"], 2);
  // The same again is read, not run; another workload's space is another run.
  run(cli::kSweepVerb, {"toy", "--load", "12", "--space", "divisors", "--all", "--out", store});
  EXPECT_THROW(run(cli::kSweepVerb, {"toy", "--load", "24", "--space", "divisors", "--all", "--out", store}), Error);
}

TEST_F(ToyModel, ASearchFindsTheOptimumAndContinues) {
  const std::string store = folder_ / "run.db";
  const auto search = [&](const std::string& generations) {
    return Json::parse(run(cli::kSearchVerb, {"toy", "--load", "48", "--space", "divisors", "--population", "4", "--generations",
                                              generations, "--out", store, "--json"}));
  };
  (void)search("2");
  const Json json = search("12");
  EXPECT_EQ(json["requested"], 48);
  EXPECT_EQ(json["best"][0]["design"]["width"], 48);
  EXPECT_EQ(json["best"][0]["artifact"]["trips"], "1 x 48");
  EXPECT_THAT(run(cli::kReportVerb, {store, "--out", folder_ / "run.html", "--json"}), HasSubstr("1 x 48"));
}

TEST_F(ToyModel, AStudyMeasuresAgentsAgainstItsTruth) {
  std::ofstream(folder_ / "plan.toml") << R"(
name = "toy"
doc = "carrying"
environment = "toy"
space = "divisors"
objectives = ["time"]
seeds = 3
[workload]
load = "60"
[[agents]]
agent = "ga"
population = 4
evaluations = 24
[[agents]]
agent = "random"
population = 4
evaluations = 24
)";
  const std::string store = folder_ / "study.db";
  const Json json = Json::parse(run(cli::kStudyVerb, {folder_ / "plan.toml", "--out", store, "--json"}));
  EXPECT_EQ(json["problems"][0]["optimum_cost"], 2.0);
  run(cli::kReportVerb, {store, "--out", folder_ / "study.html"});
  EXPECT_THAT(text_of(folder_ / "study.html"), HasSubstr("carrying"));
  const Json truth = Json::parse(
      run(cli::kStudyVerb, {"truth", "toy", "--load", "60", "--space", "divisors", "--out", folder_ / "truth.db", "--json"}));
  EXPECT_EQ(truth[0]["designs"], 12 * 2);
  const Json regret =
      Json::parse(run(cli::kStudyVerb, {"regret", "toy", "--load", "60", "--space", "divisors", "--agents", "random", "--seeds",
                                        "2", "--budget", "40", "--population", "4", "--json"}));
  EXPECT_EQ(regret[0]["seeds"], 2);
}

}  // namespace
}  // namespace exarch
