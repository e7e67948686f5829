// Timeloop's model on inputs that nobody recorded: against the independent reference and across instruction sets; the limits; and
// lines that are no problems.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "host/timeloop/records.hpp"
#include "host/timeloop/reference.hpp"
#include "tests/support/timeloop_records.hpp"

namespace exarch {
namespace {

using namespace timeloop;
using Json = nlohmann::ordered_json;
using testing::random_timeloop_record;
using testing::timeloop_difference;
using testing::timeloop_records;
using testing::timeloop_row;

struct Result {
  Status status{};
  Counters counters{};
  Price price{};
  Fault fault{};
  [[nodiscard]] Json json(const Record& record) const {
    return status == Status::ok ? output_of(record, counters, price) : refusal_of(record, status, fault);
  }
};

template <class Function>
Result result_of(const Function& function, const Record& record, FillRule rule) {
  Result result;
  result.status = function(record.input, rule, result.counters, result.price, result.fault);
  return result;
}

void expect_equal(const Record& record, FillRule rule, const std::string& which) {
  const Result fast = result_of(cpu_functions().evaluate, record, rule), slow = result_of(evaluate_reference, record, rule);
  ASSERT_EQ(fast.status, slow.status) << which << timeloop_row(record);
  ASSERT_EQ(timeloop_difference(fast.json(record), slow.json(record)), "") << which << timeloop_row(record);
  const Result baseline = result_of(kBaselineFunctions.evaluate, record, rule);
  ASSERT_EQ(fast.json(record), baseline.json(record)) << which << " (instruction sets)";
}

TEST(TimeloopKernel, EqualsTheReferenceOnRandomInputs) {
  std::mt19937_64 rng(7);
  std::vector<std::size_t> seen(kStatuses);
  std::size_t links = 0, mixed = 0, many = 0, other = 0;
  for (int i = 0; i < 3000; ++i) {
    const Record record = random_timeloop_record(rng);
    for (const FillRule rule : {FillRule::current, FillRule::y2022}) {
      ASSERT_NO_FATAL_FAILURE(expect_equal(record, rule, std::to_string(i) + " "));
    }
    const Result result = result_of(cpu_functions().evaluate, record, FillRule::current);
    ++seen[static_cast<std::size_t>(result.status)];
    if (result.status != Status::ok) continue;
    bool link = false, mix = false;
    for (std::uint32_t s = 0; s < record.input.architecture.levels; ++s) {
      for (const Counts& counts : result.counters.count[s]) {
        link = link || counts.link > 0;
        mix = mix || (counts.ingresses > 1 && counts.ingress[0].multicast != counts.ingress[counts.ingresses - 1].multicast);
      }
    }
    links += link ? 1 : 0;
    mixed += mix ? 1 : 0;
    many += result.counters.fan[0] > 1 ? 1 : 0;
    other += result.price.cycles > result.counters.steps ? 1 : 0;
  }
  // The random inputs reach what the records have, and more of it.
  EXPECT_GE(seen[0], 1000u);
  for (const std::size_t number : {links, mixed, many, other}) EXPECT_GE(number, 50u);
  for (const Status status : {Status::mesh, Status::repeated_loop, Status::axis_order, Status::no_fanout, Status::factor_product,
                              Status::bypassed, Status::level}) {
    EXPECT_GE(seen[static_cast<std::size_t>(status)], 1u) << name_of(status);
  }
}

TEST(TimeloopKernel, EqualsTheReferenceOnEveryRecord) {
  for (const char* file : {"model.jsonl.gz", "invalid.jsonl.gz"}) {
    for (const Json& row : timeloop_records(file)) {
      ASSERT_NO_FATAL_FAILURE(expect_equal(record_of(row), FillRule::current, row["id"].get<std::string>() + " "));
      ASSERT_NO_FATAL_FAILURE(expect_equal(record_of(row), FillRule::y2022, row["id"].get<std::string>() + " "));
    }
  }
}

// A layer with one loop over M at the only level, below which are `elements` multipliers.
Record small_record(std::int64_t bound, std::int64_t elements) {
  Record record{};
  record.compute_name = "mac";
  record.level_names = {"L0"};
  for (std::int64_t& b : record.input.problem.bound) b = 1;
  Problem& problem = record.input.problem;
  problem.wstride = problem.hstride = problem.wdilation = problem.hdilation = 1;
  problem.bound[index_of(Dim::M)] = bound;
  problem.bound[index_of(Dim::C)] = elements;
  record.input.architecture.levels = 1;
  record.input.architecture.compute = {elements, elements, 1, 1, 1};
  record.input.architecture.storage[0] = {-1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1};
  record.input.mapping.temporal[0] = {1, {{Dim::M, Axis::x, bound}}};
  record.input.mapping.spatial[0] = {1, {{Dim::C, Axis::x, elements}}};
  for (bool& keep : record.input.mapping.keep[0]) keep = true;
  return record;
}

TEST(TimeloopKernel, SmallCaseByHand) {
  // 3 steps with 2 multipliers, for 2 input channels. Both read a weight and an input in each step; their products are added up,
  // so that outputs are updated once per step, and the first update of each of the 3 reads nothing.
  const Record record = small_record(3, 2);
  const Result result = result_of(cpu_functions().evaluate, record, FillRule::current);
  ASSERT_EQ(result.status, Status::ok);
  EXPECT_EQ(result.price.cycles, 3);
  EXPECT_EQ(result.price.computes, 6);
  EXPECT_EQ(result.counters.count[0][kWeights].reads, 6);
  EXPECT_EQ(result.counters.count[0][kInputs].reads, 6);
  EXPECT_EQ(result.counters.count[0][kOutputs].updates, 3);
  EXPECT_EQ(result.counters.count[0][kOutputs].reads, 0);
  EXPECT_EQ(result.price.utilization, 1);
  EXPECT_EQ(result.price.energy_pj, 6 + 6 + 6 + 3);
  EXPECT_EQ(result.price.area_um2, 3);
}

TEST(TimeloopKernel, LimitsHaveAStatus) {
  const auto status_of = [](const Record& record) {
    return result_of(cpu_functions().evaluate, record, FillRule::current).status;
  };
  EXPECT_EQ(status_of(small_record(3, kMaxElements)), Status::ok);
  EXPECT_EQ(status_of(small_record(3, 2 * kMaxElements)), Status::too_many_elements);
  EXPECT_EQ(status_of(small_record(kLargestNumber, 4096)), Status::ok);
  Record large = small_record(kLargestNumber, kMaxElements);
  large.input.problem.bound[index_of(Dim::P)] = 1024;
  Block& block = large.input.mapping.temporal[0];
  block.loop[block.count++] = {Dim::P, Axis::x, 1024};
  EXPECT_EQ(status_of(large), Status::too_large);
  EXPECT_EQ(status_of(small_record(kLargestNumber + 1, 2)), Status::bad_number);
  EXPECT_EQ(status_of(small_record(0, 2)), Status::bad_number);
  Record slow = small_record(3, 2);
  slow.input.architecture.storage[0].read_bw = 1e-300;
  EXPECT_EQ(status_of(slow), Status::too_large);
  Record wrong = small_record(3, 2);
  wrong.input.architecture.storage[0].read_pj = -1;
  EXPECT_EQ(status_of(wrong), Status::bad_number);
  wrong = small_record(3, 2);
  wrong.input.architecture.storage[0].cluster_size = 2;
  EXPECT_EQ(status_of(wrong), Status::bad_number);
}

TEST(TimeloopRecords, ComeBackAsTheyWere) {
  std::mt19937_64 rng(11);
  for (int i = 0; i < 300; ++i) {
    const Record record = random_timeloop_record(rng);
    const Result before = result_of(cpu_functions().evaluate, record, FillRule::current);
    if (before.status == Status::repeated_loop || before.status == Status::axis_order) continue;  // not read
    const Json got = answer(Json::parse(timeloop_row(record).dump()), FillRule::current);
    // Loops that are not read, and meshes that do not fit: the kernel looks at meshes first.
    if (before.status == Status::mesh && got["status"] == "invalid") continue;
    EXPECT_EQ(got["status"], name_of(before.status));
    EXPECT_EQ(got["out"], before.json(record)) << timeloop_row(record);
  }
}

// Every value of a row replaced by values of other kinds, and every key left out: an answer comes, and it is an object.
TEST(TimeloopRecords, DamagedRowsHaveAnswers) {
  const Json row = timeloop_row(small_record(6, 4));
  std::size_t invalid = 0, answered = 0;
  const Json flat = row.flatten();
  const std::vector<Json> values{Json(),
                                 Json(true),
                                 Json(-1),
                                 Json(0),
                                 Json(1e300),
                                 Json(18446744073709551615u),
                                 Json("\xff"),
                                 Json::array({1, 2}),
                                 Json::object(),
                                 Json(0.5),
                                 Json(std::int64_t{1} << 53)};
  for (const auto& [path, original] : flat.items()) {
    for (const Json& value : values) {
      Json damaged = row;
      damaged[Json::json_pointer(path)] = value;
      const Json got = answer(damaged, FillRule::current);
      ++answered;
      if (got["status"] != "invalid") continue;
      ++invalid;
      EXPECT_TRUE(got["error"].is_string());
      EXPECT_FALSE(got.contains("out"));
    }
  }
  EXPECT_GE(invalid, 200u);
  EXPECT_LT(invalid, answered);
  for (const char* key : {"problem", "arch", "mapping"}) {
    Json damaged = row;
    damaged.erase(key);
    const Json got = answer(damaged, FillRule::current);
    EXPECT_EQ(got["error"], std::string("row: the key \"") + key + "\" is missing");
  }
}

TEST(TimeloopRecords, BadLinesHaveAnswers) {
  for (const std::string& line :
       {std::string("{"), std::string("[]"), std::string("7"), std::string("\xff\xfe"), std::string("{\"id\": 1e999}"),
        std::string(100000, '['), std::string("{\"id\": 5}"), std::string("null")}) {
    const LineAnswer got = answer_line(line, FillRule::current);
    EXPECT_EQ(Json::parse(got.text)["status"], "invalid") << line.substr(0, 20);
    EXPECT_NE(got.fault, "");
  }
  EXPECT_EQ(Json::parse(answer_line("{\"id\": 5}", FillRule::current).text)["id"], 5);
  const LineAnswer good = answer_line(timeloop_row(small_record(6, 4)).dump(), FillRule::current);
  EXPECT_EQ(good.fault, "");
  EXPECT_EQ(Json::parse(good.text)["out"]["cycles"], 6);
}

}  // namespace
}  // namespace exarch
