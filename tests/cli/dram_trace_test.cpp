// Traces on the command line: what other tools wrote, given as it is; and what the documentation says of formats.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "tests/support/cli.hpp"

namespace exarch {
namespace {

using namespace testing;
using Json = nlohmann::json;

class DramTraces : public Cli {
 protected:
  [[nodiscard]] Json json(Words words) const {
    words.emplace_back("--json");
    return Json::parse(good(words));
  }
};

TEST_F(DramTraces, AnotherToolsTraceIsEvaluatedAsWhatItBecomes) {
  write_text(dir_ / "run.trc", "0x1000 READ 3\n0x2000 WRITE 7\n0x1040 READ 9\n");
  EXPECT_EQ(json({"trace", "convert", "run.trc", "run.stl"})["format"], "dramsim3");
  const Outcome direct = run({"eval", "dram", "--trace", "run.trc", "--json"});
  ASSERT_EQ(direct.code, 0) << direct.err;
  EXPECT_NE(direct.err.find("run.trc is read as a trace of DRAMsim3"), std::string::npos) << direct.err;
  EXPECT_EQ(lines_of(direct.err).size(), 1u) << direct.err;
  const Json read = Json::parse(direct.out), made = json({"eval", "dram", "--trace", "run.stl"});
  EXPECT_EQ(read["metrics"], made["metrics"]);
  EXPECT_EQ(read["warnings"].size(), made["warnings"].size() + 1);
}

// The clock of the player makes cycles of ticks, in both ways of reading.
TEST_F(DramTraces, TicksAreOfThePlayersClock) {
  write_text(dir_ / "p.txt", "r,4096,64,0,500\nw,8192,64,0,26000\nr,64,64,0,52000\n");
  good({"trace", "convert", "p.txt", "p.stl", "--clk_mhz", "400"});
  EXPECT_EQ(read_text(dir_ / "p.stl"), "0:\tread\t0x1000\n10:\twrite\t0x2000\n20:\tread\t0x40\n");
  EXPECT_EQ(json({"eval", "dram", "--trace", "p.txt", "--clk_mhz", "400"})["metrics"],
            json({"eval", "dram", "--trace", "p.stl", "--clk_mhz", "400"})["metrics"]);
}

TEST_F(DramTraces, OptionsOfConversionAreChecked) {
  write_text(dir_ / "p.txt", "r,4096,64,0,500\n");
  good({"trace", "convert", "p.txt", "p.stl", "--address_offset", "0x1000", "--burst", "32"});
  EXPECT_EQ(read_text(dir_ / "p.stl"), "0:\tread\t0x0\n0:\tread\t0x20\n");
  const auto refused = [this](const std::string& option, const std::string& value, const std::string& said) {
    expect_refused({"trace", "convert", "p.txt", "q.stl", option, value}, 2, said);
  };
  refused("--address_offset", "0x10000000000000000", "64 bits");
  refused("--address_offset", "4k", "expected a whole number");
  refused("--burst", "0", "--burst");
  refused("--clk_mhz", "0", "--clk_mhz");
  refused("--limit", "0", "--limit");
  refused("--direction", "up", "read or write");
  refused("--interval", "2", "--interval has no effect");
  expect_refused({"trace", "convert", "p.txt", "q.stl", "--address_offset", "0x1001"}, 1, "p.txt:1: the address is below");
  EXPECT_FALSE(fs::exists(dir_ / "q.stl"));
}

TEST_F(DramTraces, SyntheticTracesAreMadeAndEvaluated) {
  EXPECT_EQ(good({"trace", "make", "zipf", "z.stl", "--requests", "500", "--writes", "30", "--seed", "7"}),
            "500 requests written to z.stl\n");
  const std::string once = read_text(dir_ / "z.stl");
  EXPECT_EQ(json({"trace", "make", "zipf", "z.stl", "--requests", "500", "--writes", "30", "--seed", "7"})["seed"], 7);
  EXPECT_EQ(read_text(dir_ / "z.stl"), once);
  EXPECT_EQ(json({"eval", "dram", "--trace", "z.stl"})["warnings"], Json::array());
  const auto refused = [this](const Words& more, const std::string& said) {
    Words words{"trace", "make"};
    words.insert(words.end(), more.begin(), more.end());
    expect_refused(words, 2, said);
  };
  refused({"zip", "x.stl"}, "did you mean 'zipf'");
  refused({"zipf"}, "takes a pattern and an output file");
  refused({"zipf", "x.txt"}, "must be named *.stl");
  refused({"random", "x.stl", "--stride", "64"}, "--stride has no meaning");
  refused({"zipf", "x.stl", "--exponent", "one"}, "expected a number from 0 to 10");
  refused({"strided", "x.stl", "--stride", "100"}, "--stride: expected a multiple");
  refused({"random", "x.stl", "--from", "stl"}, "--from has no meaning");
  EXPECT_FALSE(fs::exists(dir_ / "x.stl"));
}

// A trace is read and written in memory that does not grow with it.
TEST_F(DramTraces, ConversionNeedsTheSameMemoryForAnyLength) {
  if (EXARCH_SANITIZED != 0) GTEST_SKIP() << "sanitizers need memory of their own";
  good({"trace", "make", "random", "long.stl", "--requests", "1000000"});
  ASSERT_GT(fs::file_size(dir_ / "long.stl"), 18'000'000u);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_DATA, &before), 0);
  const rlimit limit{8'000'000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
  const Outcome converted = run({"trace", "convert", "long.stl", "again.stl"});
  const Outcome evaluated = run({"eval", "dram", "--trace", "long.stl"});
  ASSERT_EQ(setrlimit(RLIMIT_DATA, &before), 0);
  EXPECT_EQ(converted.out, "1000000 requests written to again.stl\n") << converted.err;
  EXPECT_EQ(read_text(dir_ / "again.stl") == read_text(dir_ / "long.stl"), true);
  EXPECT_NE(evaluated.code, 0) << "a trace that is simulated is held in memory; the limit does not hold what it should";
}

// Every format has its row in the documentation, as the program prints it.
TEST_F(DramTraces, TheDocumentationHasTheTableOfFormats) {
  const std::string page = read_text(fs::path(EXARCH_SOURCE_DIR) / "docs/formats.md");
  const Json formats = json({"trace", "formats"});
  EXPECT_GE(formats.size(), 12u);
  for (const Json& format : formats) {
    const std::string line = std::regex_replace(format["line"].get<std::string>(), std::regex(R"(\|)"), R"(\|)");
    const std::string row = "| `" + format["name"].get<std::string>() + "` | " + format["tool"].get<std::string>() + " | `" +
                            line + "` | " + format["time"].get<std::string>() + " |";
    EXPECT_NE(page.find(row), std::string::npos) << row;
    EXPECT_NE(good({"trace", "--help"}).find(format["name"].get<std::string>()), std::string::npos);
  }
}

}  // namespace
}  // namespace exarch
