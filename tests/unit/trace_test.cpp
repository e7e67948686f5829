// What a user relies on when handing over a trace: each odd input gets its documented answer, and
// the packed form says the same as the file.
#include "host/dram/trace.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include "host/dram/convert.hpp"
#include "host/error.hpp"
#include "tests/support/errors.hpp"

namespace exarch::dram {
namespace {

namespace fs = std::filesystem;

const MemSpec& memory() {
  static const MemSpec spec = load_memspec("MICRON_1Gb_DDR3-1600_8bit_G");
  return spec;
}

const AddressMapping& mapping() {
  static const AddressMapping loaded = load_address_mapping("am_ddr3_8x1Gbx8_dimm_p1KB_rbc");
  return loaded;
}

// A folder of its own for each test.
class TraceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / (std::string("exarch_") + info->name() + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text) const {
    const fs::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }

  std::string line_error(const std::string& line) const;
  std::string convert_error(const std::string& format, const std::string& text) const;

  fs::path folder_;
};

PackedTrace load(const std::string& path, std::uint64_t offset = 0) {
  return load_trace(path, memory(), mapping(), offset);
}

using test::error_of;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The error for a trace whose second line is `line`.
std::string TraceTest::line_error(const std::string& line) const {
  const std::string path = file("t.stl", "0: read 0x0\n" + line + "\n");
  return error_of([&] { (void)load(path); });
}

std::string TraceTest::convert_error(const std::string& format, const std::string& text) const {
  const std::string in = file("in.trace", text);
  return error_of([&] { (void)convert_trace(in, folder_ / "out.stl", {.from = format}); });
}

// ---- the probes of the reference simulator
// --------------------------------------------------------

TEST(TraceProbes, AcceptedOnesHaveTheirRequests) {
  const std::map<std::string, std::size_t> accepted{
      {"probe.stl", 300},     {"t_back.stl", 3},    {"t_blankline.stl", 2}, {"t_comment.stl", 1}, {"t_crlf.stl", 2},
      {"t_late.stl", 2},      {"t_nocolon.stl", 1}, {"t_nohex.stl", 2},     {"t_nonl.stl", 2},    {"t_one.stl", 1},
      {"t_oor.stl", 2},       {"t_rel.rstl", 3},    {"t_rw.stl", 4},        {"t_same.stl", 3},    {"t_spaces.stl", 2},
      {"t_unaligned.stl", 2}, {"t_wdata.stl", 1},   {"t_wdataok.stl", 2}};
  for (const auto& [name, requests] : accepted) {
    const PackedTrace trace = load(EXARCH_TEST_DATA "/golden/dram/probes/" + name);
    EXPECT_EQ(trace.requests.size(), requests) << name;
    EXPECT_EQ(trace.out_of_range, name == "t_oor.stl" ? 2u : 0u) << name;
    EXPECT_EQ(trace.relative, name == "t_rel.rstl") << name;
  }
}

TEST(TraceProbes, RefusedOnesNameFileAndLine) {
  const std::map<std::string, std::string> refused{
      {"t_badaddr.stl", ":1: address '0xZZ' is not a hexadecimal number"},
      {"t_badcmd.stl", ":1: unknown command 'fetch', expected read or write"},
      {"t_burst.stl", ":1: the length in parentheses is in bytes and must be a multiple of 64"},
      {"t_burst16.stl", ":1: the length in parentheses is in bytes and must be a multiple of 64"},
      {"t_empty.stl", ": the trace has no requests"},
      {"t_fract.stl", ":1: time '0.5:' is not a whole number"},
      {"t_negt.stl", ":1: time '-5:' is negative"},
      {"t_noaddr.stl", ":1: the address is missing"},
      {"t_upper.stl", ":1: unknown command 'READ', expected read or write (in lower case)"}};
  for (const auto& [name, message] : refused) {
    const std::string error = error_of([&] { (void)load(EXARCH_TEST_DATA "/golden/dram/probes/" + name); });
    EXPECT_TRUE(contains(error, name + message)) << error;
    EXPECT_TRUE(contains(error, "a valid line: \"12: read 0x3F40\"")) << error;
  }
}

TEST(TraceProbes, EveryProbeFileHasItsAnswer) {
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(EXARCH_TEST_DATA "/golden/dram/probes")) ++files;
  EXPECT_EQ(files, 18u + 9u);
}

// ---- the text format
// ------------------------------------------------------------------------------

TEST_F(TraceTest, ReadsWhatItDocuments) {
  const std::string path = file("t.stl",
                                "  # comment\r\n\n \t \n"
                                "0:\tread\t0x40\r\n"
                                "  3: write 0XaBcD0 0xFF00  \n"
                                "7\tread   0x0000000000000000000000100");
  std::vector<TraceRequest> requests;
  EXPECT_EQ(read_trace(path, [&](const TraceRequest& r) { requests.push_back(r); }), 3u);
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[1].issue, 3u);
  EXPECT_EQ(requests[1].address, 0xABCD0u);
  EXPECT_TRUE(requests[1].is_write);
  EXPECT_EQ(requests[2].issue, 7u);
  EXPECT_EQ(requests[2].address, 0x100u);
  EXPECT_FALSE(requests[2].is_write);
}

TEST_F(TraceTest, RefusesMalformedLines) {
  const std::map<std::string, std::string> expected{
      {"x: read 0x0", "time 'x:' is not a number"},
      {"+1: read 0x0", "time '+1:' is not a number"},
      {": read 0x0", "time ':' is not a number"},
      {"1e3: read 0x0", "time '1e3:' is not a number"},
      {"1.0: read 0x0", "is not a whole number"},
      {"-1: read 0x0", "time '-1:' is negative"},
      {"1:read 0x0", "a blank is missing after the ':'"},
      {"18446744073709551616: read 0x0", "does not fit in 64 bits"},
      {"99999999999999999999999: read 0x0", "does not fit in 64 bits"},
      {"1:", "the command is missing"},
      {"1: Write 0x0", "unknown command 'Write'"},
      {"1: read", "the address is missing"},
      {"1: read 0x", "address '0x' is not a hexadecimal number"},
      {"1: read 0x1G", "address '0x1G' is not a hexadecimal number"},
      {"1: read -0x10", "address '-0x10' is not a hexadecimal number"},
      {"1: read 3B22EDCG", "address '3B22EDCG' is not a hexadecimal number"},
      {"1: read 0x10000000000000000", "does not fit in 64 bits"},
      {"1: read 0x0 0xFF", "unexpected '0xFF' after the request"},
      {"1: read 0x0 # note", "unexpected '#' after the request"},
      {"1: write 0x0 0xFG", "unexpected '0xFG' after the request"},
      {"1: write 0x0 FF", "unexpected 'FF' after the request"},
      {"1: write 0x0 0xFF 0xFF", "unexpected '0xFF' after the request"},
      {std::string("1: re\0ad 0x0", 12), "unknown command 're\\x00ad'"},
  };
  for (const auto& [line, message] : expected) {
    const std::string error = line_error(line);
    EXPECT_TRUE(contains(error, "t.stl:2: ")) << error;
    EXPECT_TRUE(contains(error, message)) << error;
  }
}

TEST_F(TraceTest, ErrorsQuoteTheLineShortAndHarmless) {
  const std::string error = line_error("1:\x1b[31m" + std::string(200, 'z'));
  EXPECT_TRUE(contains(error, "the line reads \"1:\\x1B[31m" + std::string(73, 'z') + "...\"")) << error;
}

TEST_F(TraceTest, LinesMayStraddleTheReadBuffer) {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += std::to_string(i) + ": read 0x" + std::to_string(i) + "\n";
  std::uint64_t sum = 0;
  const std::string path = file("long.stl", text);
  EXPECT_EQ(read_trace(path, [&](const TraceRequest& r) { sum += r.issue; }), 40000u);
  EXPECT_EQ(sum, 39999ull * 40000 / 2);
  const std::string huge = error_of([&] { (void)load(file("huge.stl", "0: read 0x0\n" + std::string(400000, '0'))); });
  EXPECT_TRUE(contains(huge, "huge.stl:2: the line is longer than")) << huge;
}

TEST_F(TraceTest, RefusesWhatIsNotATrace) {
  const std::string csv = file("t.csv", "0: fetch 0x0\n");
  EXPECT_TRUE(contains(error_of([&] { (void)load(csv); }), "unknown trace type '.csv'"));
  const std::string bare = file("trace", "0: fetch 0x0\n");
  EXPECT_TRUE(contains(error_of([&] { (void)load(bare); }), "the name has no extension"));
  EXPECT_TRUE(contains(error_of([&] { (void)load(folder_.string()); }), "is a directory"));
  EXPECT_TRUE(contains(error_of([] { (void)load("nosuch.stl"); }), "there is no file 'nosuch.stl'"));
  EXPECT_TRUE(contains(error_of([] { (void)load("clod-1"); }), "did you mean 'cloud-1'?"));
  const std::string comments = file("c.stl", "# nothing\n\n");
  EXPECT_TRUE(contains(error_of([&] { (void)load(comments); }), "the trace has no requests"));
}

// ---- packing
// --------------------------------------------------------------------------------------

TEST(PackTrace, ShippedTracesAreFoundByName) {
  const PackedTrace trace = load("cloud-1");
  EXPECT_EQ(trace.name, "cloud-1");
  EXPECT_EQ(trace.requests.size(), 10000u);
  EXPECT_FALSE(trace.has_writes);
  EXPECT_EQ(trace.last_issue, 9999u);
}

TEST(PackTrace, GapsFollowTheRunningMaximum) {
  const PackedTrace trace = load(EXARCH_TEST_DATA "/golden/dram/probes/t_back.stl");
  EXPECT_EQ(trace.requests[0].gap, 100u);
  EXPECT_EQ(trace.requests[1].gap, 0u);
  EXPECT_EQ(trace.requests[2].gap, 0u);
  const std::vector<TraceRequest> requests{{5, 0, false}, {3, 0, false}, {9, 0, false}};
  EXPECT_EQ(pack_trace("t", requests, false, memory(), mapping()).requests[2].gap, 4u);
  EXPECT_EQ(pack_trace("t", requests, true, memory(), mapping()).requests[2].gap, 9u);
}

std::vector<TraceRequest> random_requests(std::uint32_t seed, std::size_t count, bool writes) {
  std::mt19937_64 random(seed);
  std::vector<TraceRequest> requests;
  for (std::size_t i = 0; i < count; ++i) {
    // Few rows and columns, so that rows and addresses recur; some addresses lie above the map.
    const std::uint64_t address =
        (random() % 5) << 16 | (random() % 8) << 13 | (random() % 6) << 5 | (random() % 8 == 0 ? 1ull << 40 : 0);
    requests.push_back({.issue = i, .address = address, .is_write = writes && random() % 3 == 0});
  }
  return requests;
}

TEST(PackTrace, LinksEqualABruteForceSearch) {
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    const bool writes = seed % 3 != 0;
    const std::vector<TraceRequest> requests = random_requests(seed, 1500, writes);
    const PackedTrace trace = pack_trace("random", requests, false, memory(), mapping());
    ASSERT_EQ(trace.has_writes, writes);
    ASSERT_EQ(trace.previous_same_address.size(), writes ? requests.size() : 0);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const DecodedAddress decoded = decode_address(mapping(), requests[i].address);
      ASSERT_EQ(trace.requests[i].row(), decoded.row);
      ASSERT_EQ(trace.requests[i].bank(), decoded.bank);
      ASSERT_EQ(trace.requests[i].is_write(), requests[i].is_write);
      std::size_t next = i + 1;
      while (next < requests.size() && trace.requests[next].row_bank_write >> 1 != trace.requests[i].row_bank_write >> 1) ++next;
      ASSERT_EQ(trace.next_same_row[i], next < requests.size() ? static_cast<std::uint32_t>(next) : kNoRequest);
      std::size_t previous = i;
      while (previous > 0 && requests[previous - 1].address != requests[i].address) --previous;
      if (!writes) continue;
      ASSERT_EQ(trace.previous_same_address[i], previous > 0 ? static_cast<std::uint32_t>(previous - 1) : kNoRequest);
    }
  }
}

TEST(PackTrace, ManyRowsAndAddressesAreLinked) {
  std::vector<TraceRequest> requests;
  for (std::uint64_t pass = 0; pass < 2; ++pass) {
    for (std::uint64_t i = 0; i < 20000; ++i) requests.push_back({0, i << 13, true});
    for (std::uint64_t i = 0; i < 3000; ++i) requests.push_back({0, i, true});  // one row
  }
  const PackedTrace trace = pack_trace("many", requests, false, memory(), mapping());
  EXPECT_EQ(trace.previous_same_address[23001], 1u);
  EXPECT_EQ(trace.next_same_row[1], 23001u);
  EXPECT_EQ(trace.previous_same_address[45999], 22999u);
  EXPECT_EQ(trace_info(trace, memory()).distinct_rows, 20000u);
}

TEST_F(TraceTest, GapsOfMoreThan32BitsAreRefused) {
  const std::string widest = file("w.stl", "0: read 0x0\n4294967294: read 0x0\n");
  EXPECT_EQ(load(widest).requests[1].gap, 4294967294u);
  EXPECT_TRUE(contains(line_error("4294967295: read 0x0"), "t.stl:2: more than 4294967294 player cycles"));
  const std::string relative = file("r.rstl", "4294967295: read 0x0\n");
  EXPECT_TRUE(contains(error_of([&] { (void)load(relative); }), "r.rstl:1: more than 4294967294"));
  const std::vector<TraceRequest> requests{{0, 0, false}, {1ull << 40, 0, false}};
  const std::string packed = error_of([&] { (void)pack_trace("mine", requests, false, memory(), mapping()); });
  EXPECT_TRUE(contains(packed, "mine: request 2: more than")) << packed;
  EXPECT_TRUE(contains(error_of([] { (void)pack_trace("none", {}, false, memory(), mapping()); }), "no requests"));
}

TEST_F(TraceTest, TheAddressOffsetIsSubtractedFirst) {
  const std::string path = file("t.stl", "0: read 0x80010000\n1: read 0x80000040\n");
  const PackedTrace trace = load(path, 0x80000000u);
  EXPECT_EQ(trace.out_of_range, 0u);
  EXPECT_EQ(trace.requests[0].row(), 1u);
  EXPECT_TRUE(contains(error_of([&] { (void)load(path, 0x80000041u); }), "t.stl:2: the address is below the address offset"));
}

TEST_F(TraceTest, AMappingThatDoesNotFitIsRefused) {
  const std::string error = error_of([] { (void)load_trace("cloud-1", memory(), load_address_mapping("am_ddr3_x16_rbc")); });
  EXPECT_TRUE(contains(error, "does not fit")) << error;
}

TEST(PackTrace, TheContentHashSeesEverythingThatMatters) {
  const std::vector<TraceRequest> base{{0, 0x40, false}, {1, 0x80, true}};
  const auto hash = [](const std::vector<TraceRequest>& requests, bool relative = false, std::uint64_t offset = 0) {
    return pack_trace("t", requests, relative, memory(), mapping(), offset).content_hash;
  };
  std::set<std::string> hashes{hash(base), hash(base, true), hash(base, false, 0x40)};
  hashes.insert(hash({{0, 0x40, false}, {2, 0x80, true}}));
  hashes.insert(hash({{0, 0x40, false}, {1, 0x81, true}}));
  hashes.insert(hash({{0, 0x40, true}, {1, 0x80, true}}));
  hashes.insert(hash({{0, 0x40, false}}));
  hashes.insert(hash({{1, 0x80, true}, {0, 0x40, false}}));
  EXPECT_EQ(hashes.size(), 8u);
  EXPECT_EQ(hash(base), hash(base));
  EXPECT_EQ(hash(base).size(), 16u);
  EXPECT_EQ(hash(base).find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(MakeView, ChecksThePlayerClock) {
  const PackedTrace trace = load("cloud-1");
  const WorkloadView view = make_view(trace, memory(), 533);
  EXPECT_EQ(view.player_period_ps, 1876u);
  EXPECT_EQ(view.tck_ps, 1250u);
  EXPECT_EQ(view.count, 10000u);
  EXPECT_EQ(view.requests, trace.requests.data());
  EXPECT_EQ(make_view(trace, memory(), 1).player_period_ps, 1000000u);
  EXPECT_EQ(make_view(trace, memory(), 100000).player_period_ps, 10u);
  EXPECT_THROW((void)make_view(trace, memory(), 0), UsageError);
  EXPECT_THROW((void)make_view(trace, memory(), 100001), UsageError);
}

TEST(MakeView, RefusesTimesThatDoNotFitInPicoseconds) {
  const std::vector<TraceRequest> requests(2000, {4294967294u, 0, false});
  const PackedTrace trace = pack_trace("slow", requests, true, memory(), mapping());
  EXPECT_NO_THROW((void)make_view(trace, memory(), 800));
  EXPECT_TRUE(contains(error_of([&] { (void)make_view(trace, memory(), 1); }), "exceeds 2^62 ps"));
}

TEST(TraceInfo, CountsWhatIsThere) {
  const std::vector<TraceRequest> requests{{4, 0x0, false},    {5, 0x40, true},    {6, 0x2000, false},
                                           {7, 0x10000, true}, {8, 0x2040, false}, {9, 1ull << 33, false}};
  const TraceInfo info = trace_info(pack_trace("t", requests, false, memory(), mapping()), memory());
  EXPECT_EQ(info.requests, 6u);
  EXPECT_EQ(info.reads, 4u);
  EXPECT_EQ(info.writes, 2u);
  EXPECT_EQ(info.distinct_rows, 3u);
  EXPECT_EQ(info.out_of_range, 1u);
  EXPECT_EQ(info.first_issue, 4u);
  EXPECT_EQ(info.last_issue, 9u);
  EXPECT_EQ(info.same_row_as_previous_in_bank, 2u);
  EXPECT_EQ(info.per_bank, (std::vector<std::uint64_t>{4, 2, 0, 0, 0, 0, 0, 0}));
}

// ---- conversion
// -----------------------------------------------------------------------------------

TEST_F(TraceTest, ConvertsOtherSimulatorsTraces) {
  const fs::path out = folder_ / "out.stl";
  EXPECT_EQ(convert_trace(file("a.trc", "# x\n0x40 READ 3\n0xaB WRITE 7\n"), out, {.from = "dramsim3"}).requests, 2u);
  EXPECT_EQ(content_of(out), "3:\tread\t0x40\n7:\twrite\t0xab\n");
  EXPECT_EQ(convert_trace(file("b.trc", "LD 0x40\n\nST 128\n0xC0 R\n0x100 W\n"), out).requests, 4u);
  EXPECT_EQ(content_of(out), "0:\tread\t0x40\n1:\twrite\t0x80\n2:\tread\t0xc0\n3:\twrite\t0x100\n");
}

TEST_F(TraceTest, ConversionKeepsATraceAsItIs) {
  for (const std::string name : {"probe.stl", "t_crlf.stl", "t_rel.rstl", "t_wdata.stl"}) {
    const std::string in = EXARCH_TEST_DATA "/golden/dram/probes/" + name;
    const fs::path once = folder_ / ("once" + fs::path(name).extension().string());
    const fs::path twice = folder_ / ("twice" + fs::path(name).extension().string());
    convert_trace(in, once);
    convert_trace(once, twice, {.from = "stl"});
    EXPECT_EQ(content_of(once), content_of(twice));
    EXPECT_EQ(load(in).content_hash, load(once.string()).content_hash) << name;
  }
}

TEST_F(TraceTest, ConversionErrorsNameTheLineAndLeaveNoFile) {
  EXPECT_TRUE(contains(convert_error("dramsim3", "0x0 READ 1\n0x0 Read 2\n"),
                       "in.trace:2: unknown command 'Read', expected READ or WRITE"));
  EXPECT_TRUE(contains(convert_error("dramsim3", "0x0 READ\n"), "in.trace:1: cycle ''"));
  EXPECT_TRUE(contains(convert_error("dramsim3", "0x0 READ 1 1\n"), "in.trace:1: unexpected '1'"));
  EXPECT_TRUE(contains(convert_error("ramulator", "3 20734016\n"), "in.trace:1: unknown command '3', expected LD or ST"));
  EXPECT_TRUE(contains(convert_error("ramulator", "LD 6f\n"), "in.trace:1: address '6f' is neither decimal nor hexadecimal"));
  EXPECT_TRUE(contains(convert_error("ramulator", "\n"), "no requests"));
  EXPECT_TRUE(contains(convert_error("dramsim", "\n"), "unknown trace format 'dramsim' (did you mean 'dramsim"));
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 1u) << "only the input";
  const std::string in = file("x.rstl", "0: read 0x0\n");
  EXPECT_TRUE(contains(error_of([&] { (void)convert_trace(in, folder_ / "x.stl"); }), "must be named *.rstl"));
  EXPECT_TRUE(contains(error_of([&] { (void)convert_trace(in, folder_ / "none" / "x.rstl"); }), "cannot write"));
}

}  // namespace
}  // namespace exarch::dram
