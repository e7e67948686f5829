// Every recorded run of Timeloop, number by number, under both fill rules; and every input that it refuses, with its words.
#include <gtest/gtest.h>

#include <string>

#include "host/timeloop/records.hpp"
#include "tests/support/recorded_rows.hpp"
#include "tests/support/timeloop_records.hpp"

namespace exarch {
namespace {

using namespace timeloop;
using Json = nlohmann::ordered_json;
using testing::timeloop_difference;
using testing::timeloop_records;

TEST(TimeloopGolden, EveryNumberOfEveryRun) {
  std::size_t equal = 0;
  for (const Json& row : timeloop_records("model.jsonl.gz")) {
    const std::string id = row["id"];
    const Json got = answer(row, FillRule::current);
    EXPECT_EQ(got["id"], row["id"]);
    ASSERT_EQ(got["status"], "ok") << id << " " << got.dump();
    const std::string difference = timeloop_difference(got["out"], row["out"]);
    EXPECT_EQ(difference, "") << id;
    equal += difference.empty() ? 1 : 0;
  }
  EXPECT_EQ(equal, testing::kTimeloopRuns);
}

TEST(TimeloopGolden, TheFillRuleOf2022) {
  std::size_t equal = 0, other_cycles = 0;
  for (const Json& row : timeloop_records("model.jsonl.gz")) {
    const Json& want = row["out_fill2022"];
    const Json answered = answer(row, FillRule::y2022);
    ASSERT_EQ(answered["status"], "ok") << row["id"];
    const Json& out = answered["out"];
    Json got{{"cycles", out["cycles"]}, {"energy_pJ", out["energy_pJ"]}, {"utilization", out["utilization"]}};
    for (const Json& level : out["levels"]) {
      got["fills_outputs"][level["name"].get<std::string>()] = level["ds"]["Outputs"]["fills"];
    }
    const std::string difference = timeloop_difference(got, want);
    EXPECT_EQ(difference, "") << row["id"];
    equal += difference.empty() ? 1 : 0;
    other_cycles += row["out"]["cycles"] != want["cycles"] ? 1 : 0;
  }
  EXPECT_EQ(equal, testing::kTimeloopRuns);
  EXPECT_GE(other_cycles, 100u);
}

TEST(TimeloopGolden, EveryRefusal) {
  std::size_t refused = 0, unread = 0;
  for (const Json& row : timeloop_records("invalid.jsonl.gz")) {
    Json want = row["out"];
    want.erase("status");  // of the program that was run
    const Json got = answer(row, FillRule::current);
    EXPECT_NE(got["status"], "ok") << row["id"];
    ASSERT_TRUE(got.contains("out")) << row["id"] << " " << got.dump();
    EXPECT_EQ(got["out"], want) << row["id"];
    EXPECT_EQ(got["status"] == "factor_product", want.contains("parse_error")) << row["id"];
    ++(want.contains("parse_error") ? unread : refused);
  }
  EXPECT_EQ(refused + unread, testing::kTimeloopRefusals);
  EXPECT_EQ(unread, testing::kTimeloopUnread);
}

}  // namespace
}  // namespace exarch
