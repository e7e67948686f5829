// Synthetic traces: what a study relies on when it has no files.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "host/dram/synthetic.hpp"
#include "host/dram/trace_reader.hpp"
#include "host/error.hpp"
#include "tests/support/errors.hpp"

namespace exarch::dram {
namespace {

namespace fs = std::filesystem;
using test::error_of;

class SyntheticTraces : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / (std::string("exarch_") + info->name() + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::vector<TraceRequest> made(const SyntheticSpec& spec) const {
    make_trace(spec, folder_ / "made.stl");
    std::vector<TraceRequest> requests;
    read_trace(folder_ / "made.stl", [&requests](const TraceRequest& request) { requests.push_back(request); });
    EXPECT_EQ(requests.size(), spec.requests);
    for (const TraceRequest& request : requests) {
      EXPECT_LT(request.address, spec.footprint_bytes);
      EXPECT_EQ(request.address % spec.block_bytes, 0u);
    }
    return requests;
  }

  [[nodiscard]] std::string text(const SyntheticSpec& spec) const {
    make_trace(spec, folder_ / "made.stl");
    std::ifstream in(folder_ / "made.stl");
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder_;
};

std::vector<std::uint64_t> addresses(const std::vector<TraceRequest>& requests) {
  std::vector<std::uint64_t> all;
  for (const TraceRequest& request : requests) all.push_back(request.address);
  return all;
}

TEST_F(SyntheticTraces, SequentialAndStridedWalkTheFootprint) {
  EXPECT_EQ(addresses(made({.pattern = Pattern::sequential, .requests = 5, .footprint_bytes = 192})),
            (std::vector<std::uint64_t>{0, 64, 128, 0, 64}));
  EXPECT_EQ(addresses(made({.pattern = Pattern::strided, .requests = 6, .footprint_bytes = 256, .stride_bytes = 128})),
            (std::vector<std::uint64_t>{0, 128, 64, 192, 0, 128}));
}

TEST_F(SyntheticTraces, RequestsComeInGroups) {
  const auto requests = made({.requests = 6, .interval = 2, .group = 3, .pause = 100});
  std::vector<std::uint64_t> times;
  for (const TraceRequest& request : requests) times.push_back(request.issue);
  EXPECT_EQ(times, (std::vector<std::uint64_t>{0, 2, 4, 106, 108, 110}));
}

// The same bytes for a seed, whatever the machine; other bytes for another.
TEST_F(SyntheticTraces, ASeedNamesATrace) {
  for (const std::string& name : pattern_names()) {
    const SyntheticSpec spec{
        .pattern = find_pattern(name), .requests = 2000, .footprint_bytes = 1 << 20, .write_percent = 30, .seed = 7};
    const std::string once = text(spec);
    EXPECT_EQ(text(spec), once) << name;
    SyntheticSpec other = spec;
    other.seed = 8;
    EXPECT_NE(text(other), once) << name;
    // The share of writes does not change the addresses.
    SyntheticSpec reads = spec;
    reads.write_percent = 0;
    EXPECT_EQ(addresses(made(reads)), addresses(made(spec))) << name;
  }
  EXPECT_EQ(addresses(made({.pattern = Pattern::random, .requests = 3, .seed = 1})),
            (std::vector<std::uint64_t>{0x723a040, 0x45ac200, 0x3c14e40}));
}

TEST_F(SyntheticTraces, SharesAreThoseAskedFor) {
  const auto writes = [](const std::vector<TraceRequest>& requests) {
    return std::ranges::count_if(requests, [](const TraceRequest& request) { return request.is_write; });
  };
  EXPECT_NEAR(static_cast<double>(writes(made({.requests = 20000, .write_percent = 30}))), 6000, 300);
  EXPECT_EQ(writes(made({.requests = 1000, .write_percent = 100})), 1000);

  const auto hot = made({.pattern = Pattern::hot_rows, .requests = 20000, .hot_rows = 4, .hot_percent = 80});
  std::map<std::uint64_t, std::uint64_t> rows;
  for (const TraceRequest& request : hot) ++rows[request.address / 8192];
  std::vector<std::uint64_t> counts;
  for (const auto& [row, count] : rows) counts.push_back(count);
  std::ranges::sort(counts, std::greater{});
  ASSERT_GT(counts.size(), 4u);
  EXPECT_NEAR(static_cast<double>(counts[0] + counts[1] + counts[2] + counts[3]), 16000, 500);
  EXPECT_LT(counts[4], 20u);
}

// With exponent 1 the first rank has twice the weight of the second; with 0 all have the same.
TEST_F(SyntheticTraces, ZipfFollowsItsExponent) {
  SyntheticSpec spec{.pattern = Pattern::zipf, .requests = 40000, .footprint_bytes = 8192 * 100};
  const auto counts = [&](double exponent) {
    spec.exponent = exponent;
    std::map<std::uint64_t, double> rows;
    for (const TraceRequest& request : made(spec)) ++rows[request.address / 8192];
    std::vector<double> sorted;
    for (const auto& [row, count] : rows) sorted.push_back(count);
    std::ranges::sort(sorted, std::greater{});
    return sorted;
  };
  const std::vector<double> one = counts(1);
  EXPECT_NEAR(one[0] / one[1], 2, 0.15);
  EXPECT_NEAR(one[0], 40000 / 5.187, 400);  // the sum of 1/k up to 100
  const std::vector<double> none = counts(0);
  EXPECT_EQ(none.size(), 100u);
  EXPECT_LT(none[0], 520);
  EXPECT_EQ(counts(10).size(), 3u);
}

TEST_F(SyntheticTraces, BadSpecsAreRefused) {
  const auto refused = [this](const SyntheticSpec& spec, const std::string& said, const std::string& name = "x.stl") {
    const std::string error = error_of([&] { make_trace(spec, folder_ / name); });
    EXPECT_NE(error.find(said), std::string::npos) << error;
    EXPECT_TRUE(fs::is_empty(folder_)) << said;
  };
  refused({}, "must be named *.stl", "x.rstl");
  refused({}, "must be named *.stl", "x.stl.gz");
  refused({.requests = 0}, "--requests");
  refused({.requests = 1ull << 32}, "--requests");
  refused({.footprint_bytes = 100}, "--footprint");
  refused({.footprint_bytes = 1ull << 39}, "more than 2^32 bursts");
  refused({.block_bytes = 0}, "--burst");
  refused({.pattern = Pattern::strided, .stride_bytes = 100}, "--stride");
  refused({.pattern = Pattern::strided, .stride_bytes = 1ull << 40}, "--stride");
  refused({.pattern = Pattern::hot_rows, .row_bytes = 100}, "--row-bytes");
  refused({.pattern = Pattern::hot_rows, .footprint_bytes = 8192, .hot_rows = 2}, "--hot-rows: expected 1 to 1");
  refused({.pattern = Pattern::hot_rows, .hot_percent = 101}, "--hot-share");
  refused({.pattern = Pattern::zipf, .exponent = -1}, "--exponent");
  refused({.pattern = Pattern::zipf, .footprint_bytes = 1ull << 36}, "2^22 rows at most");
  refused({.write_percent = 101}, "--writes");
  refused({.interval = 1ull << 33}, "--interval");
  refused({.pause = 5}, "--pause has no effect without --group");
  EXPECT_NE(error_of([] { (void)find_pattern("zip"); }).find("did you mean 'zipf'"), std::string::npos);
}

}  // namespace
}  // namespace exarch::dram
