// The sums that searches ask for are those of the whole evaluation, to the bit; and random mappings are what they say they are.
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/timeloop/drawing.hpp"
#include "host/timeloop/environment.hpp"
#include "kernels/launch/timeloop_launch.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/timeloop_drawings.hpp"
#include "tests/support/timeloop_records.hpp"

namespace exarch {
namespace {

using namespace timeloop;
using testing::random_timeloop_record;
using testing::timeloop_records;

struct Sums {
  Status status = Status::ok;
  Totals totals{};
  Fault fault{};

  [[nodiscard]] std::string text() const {
    std::string text = std::to_string(static_cast<int>(status));
    const auto add = [&](auto value) { text += " " + std::to_string(value); };
    if (status == Status::ok) {
      for (const std::int64_t count : {totals.cycles, totals.steps, totals.computes}) add(count);
      for (const double price : {totals.energy_pj, totals.area_um2, totals.utilization}) add(std::bit_cast<std::uint64_t>(price));
    }
    if (status == Status::level || status == Status::factor_product) {
      for (const std::int64_t number : {fault.tile, fault.capacity, fault.needed, fault.available}) add(number);
      add(static_cast<int>(fault.dim));
    }
    if (status == Status::level) add(fault.level);
    return text;
  }
};

Sums whole(const Input& input, FillRule rule) {
  Counters counters;
  Price price;
  Sums sums;
  sums.status = cpu_functions().evaluate(input, rule, counters, price, sums.fault);
  sums.totals = {price.cycles, counters.steps, price.computes, price.energy_pj, price.area_um2, price.utilization};
  return sums;
}

// By the functions of a level; with `shared`, the loops of the mapping are worked out apart from what levels keep.
Sums alone(const CpuFunctions& functions, const Input& input, FillRule rule, bool shared) {
  Sums sums;
  Frame frame;
  sums.status = make_frame(input.problem, input.architecture, rule, frame, sums.fault);
  if (sums.status != Status::ok) return sums;
  if (!shared) {
    sums.status = functions.total(frame, input.mapping, sums.totals, sums.fault);
    return sums;
  }
  const auto common = std::make_unique<Shared>();
  Mapping other = input.mapping;  // what it keeps must not matter
  for (auto& level : other.keep) {
    for (bool& kept : level) kept = !kept;
  }
  functions.share(frame, other, *common);
  sums.status = functions.total_of_kept(frame, *common, input.mapping.keep, sums.totals, sums.fault);
  return sums;
}

void expect_equal(const Input& input, FillRule rule, const std::string& which) {
  const std::string want = whole(input, rule).text();
  ASSERT_EQ(alone(cpu_functions(), input, rule, false).text(), want) << which;
  ASSERT_EQ(alone(cpu_functions(), input, rule, true).text(), want) << which;
  ASSERT_EQ(alone(kBaselineFunctions, input, rule, false).text(), want) << which;
}

TEST(TimeloopTotals, AreThoseOfTheWholeEvaluation) {
  std::mt19937_64 rng(17);
  for (int i = 0; i < 2000; ++i) {
    Record record = random_timeloop_record(rng);
    for (const FillRule rule : {FillRule::current, FillRule::y2022}) {
      ASSERT_NO_FATAL_FAILURE(expect_equal(record.input, rule, std::to_string(i)));
    }
    for (auto& level : record.input.mapping.keep) {
      for (bool& kept : level) kept = rng() % 3 != 0;
    }
    ASSERT_NO_FATAL_FAILURE(expect_equal(record.input, FillRule::current, std::to_string(i) + ", other levels"));
  }
}

TEST(TimeloopTotals, AreThoseOfEveryRecord) {
  for (const char* file : {"model.jsonl.gz", "invalid.jsonl.gz"}) {
    for (const auto& row : timeloop_records(file)) {
      ASSERT_NO_FATAL_FAILURE(expect_equal(record_of(row).input, FillRule::y2022, row["id"].get<std::string>()));
    }
  }
}

// ---- random mappings -------------------------------------------------------------------------------------------------------

// A mapping without what does not matter: loops in their order, what levels keep.
std::string text_of(const Mapping& mapping, std::uint32_t levels) {
  std::string text;
  for (std::uint32_t s = 0; s < levels; ++s) {
    for (const Block* block : {&mapping.spatial[s], &mapping.temporal[s]}) {
      for (std::uint32_t l = 0; l < block->count; ++l) {
        const bool on_y = block == &mapping.spatial[s] && block->loop[l].axis == Axis::y;
        text += std::to_string(index_of(block->loop[l].dim)) + (on_y ? "y" : "x") + std::to_string(block->loop[l].bound) + " ";
      }
      text += "| ";
    }
    for (const bool kept : mapping.keep[s]) text += kept ? "k" : "-";
  }
  return text;
}

// Every mapping of a small space that fits is drawn, and nothing else is.
TEST(TimeloopDrawing, DrawsEveryMappingThatFits) {
  const MapSpace space = testing::small_map_space();
  const Drawing drawing(space, FillRule::current, {Goal::edp});
  std::set<std::string> wanted, drawn;
  const MapParts& sizes = space.sizes();
  for (WideCount f = 0; f < sizes.factors; ++f) {
    for (WideCount o = 0; o < sizes.orders; ++o) {
      for (WideCount s = 0; s < sizes.splits; ++s) {
        for (WideCount b = 0; b < sizes.bypasses; ++b) {
          const Mapping mapping = space.at({f, o, s, b});
          if (space.rejection_of(mapping) == MapSpace::Rejection::none) wanted.insert(text_of(mapping, 3));
        }
      }
    }
  }
  for (std::uint64_t number = 0; number < 60'000; ++number) {
    if (const auto mapping = drawing.mapping(3, number)) drawn.insert(text_of(*mapping, 3));
  }
  EXPECT_EQ(drawn, wanted);
  EXPECT_GE(wanted.size(), 100u);
}

// The best is the best of the single draws, however the numbers are divided.
TEST(TimeloopDrawing, BestOfARangeIsTheBestOfItsMappings) {
  constexpr std::uint64_t kCount = 30'000;
  for (const Goals& goals : {Goals{Goal::edp}, Goals{Goal::cycles, Goal::energy}, Goals{Goal::energy}}) {
    const MapSpace space = testing::layer_map_space();
    const Drawing drawing(space, FillRule::y2022, goals);
    Drawn want{};
    for (std::uint64_t number = 5; number < 5 + kCount; ++number) {
      Mapping mapping{};
      const Draw how = draw(drawing.view(), 11, number, mapping);
      want.fanout += how == Draw::fanout ? 1 : 0;
      want.capacity += how == Draw::capacity ? 1 : 0;
      if (how != Draw::drawn) continue;
      ASSERT_EQ(space.rejection_of(mapping), MapSpace::Rejection::none) << number;
      const Sums sums = whole({space.problem(), space.architecture(), mapping}, FillRule::y2022);
      (sums.status == Status::ok ? want.valid : want.refused) += 1;
      if (sums.status != Status::ok) continue;
      if (want.found && !comes_before(drawing.view(), sums.totals, number, want.totals, want.number)) continue;
      want.found = true;
      want.number = number;
      want.totals = sums.totals;
    }
    ASSERT_TRUE(want.found);
    for (const unsigned threads : {1u, 3u}) {
      Backend backend("cpu", threads);
      testing::expect_same_draws(drawing.best(11, 5, kCount, backend), want);
    }
    Backend backend("cpu", 1);
    Drawn parts{};
    for (std::uint64_t from = 0; from < kCount; from += 7001) {
      join(drawing.view(), drawing.best(11, 5 + from, std::min<std::uint64_t>(7001, kCount - from), backend), parts);
    }
    testing::expect_same_draws(parts, want);
  }
}

TEST(TimeloopDrawing, RefusesWhatItCannotDraw) {
  const MapSpace space = testing::small_map_space();
  EXPECT_THROW(Drawing(space, FillRule::current, {}), UsageError);
  EXPECT_THROW(Drawing(space, FillRule::current, {Goal::edp, Goal::edp, Goal::edp, Goal::edp}), UsageError);
  Problem large = space.problem();
  large.bound[index_of(Dim::C)] = 1 << 30;
  Architecture architecture = space.architecture();
  architecture.levels = 7;
  for (std::uint32_t s = 2; s < architecture.levels; ++s) architecture.storage[s] = architecture.storage[2];
  Constraints constraints;
  constraints.dims = {Dim::C, Dim::M, Dim::P};
  const MapSpace wide(large, architecture, constraints);
  const std::string why = test::error_of([&] { Drawing(wide, FillRule::current, {Goal::edp}); });
  EXPECT_NE(why.find("a bound of 1073741824 has"), std::string::npos) << why;
  EXPECT_NE(why.find("fix some factors"), std::string::npos) << why;
}

}  // namespace
}  // namespace exarch
