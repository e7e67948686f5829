// Input that is not what it should be: whatever a user hands over, the program ends with an error that says what is wrong, in one
// line that does no harm, and leaves what was there.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/cli.hpp"

namespace exarch {
namespace {

using namespace testing;
using Json = nlohmann::json;
using namespace std::string_literals;

constexpr char kProblem[] =
    R"({"id": 7, "layer": {"type": "CONV", "dims": {"K": 4, "C": 4, "R": 3, "S": 3, "Y": 8, "X": 8}}, "directives": )"
    R"([["SpatialMap", "K", 1, 1], ["TemporalMap", "C", 4, 4], ["Cluster", 2], ["SpatialMap", "C", 1, 1]], "hw": )"
    R"({"num_pes": 16, "num_simd_lanes": 1, "noc_bw": 8, "noc_hops": 1, "noc_hop_latency": 1, "offchip_bw": 8}})";

class Input : public Cli {
 protected:
  // A search of four candidates.
  static Words search(Words more) {
    Words words{"search", "dram", "--trace", "stream", "--population", "4", "--generations", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  static Words eval(Words more) {
    Words words{"eval", "dram", "--trace", "stream"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

// ---- files of another kind ----------------------------------------------------------------------------------------------

// Every reader says of every file that is not its own what the file is.
TEST_F(Input, AFileOfAnotherKindIsNamed) {
  good({"sweep", "dram", "--trace", small_trace(5), "--space", small_space(), "--sample", "3", "--out", "sweep.db"});
  const auto shipped = [](const std::string& name) { return read_text(fs::path(EXARCH_SOURCE_DIR "/traces/dram") / name); };
  struct Kind {
    std::string name, content, said;
  };
  const std::vector<Kind> kinds{
      {"lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "a Git LFS pointer"},
      {"html", "<!DOCTYPE html>\n<html><body>Not found</body></html>\n", "an HTML page"},
      {"zip", "PK\x03\x04\x14\0\0\0\b\0"s, "a zip archive"},
      {"xz",
       "\xFD"
       "7zXZ\0\0\x04"s,
       "compressed by xz"},
      {"pdf", "%PDF-1.7\n1 0 obj\n", "a PDF document"},
      {"elf",
       "\x7F"
       "ELF\x02\x01\x01\0\0\0"s,
       "a program or library"},
      {"utf16",
       "\xFF\xFE"
       "0\0:\0 \0r\0\n\0"s,
       "text in UTF-16"},
      {"store", read_text(dir_ / "sweep.db"), "a run store"},
      {"simulation", R"({"simulation": {"memspec": "m.json", "tracesetup": []}})", "a DRAMSys simulation file"},
      {"memspec", shipped("memspecs/MICRON_1Gb_DDR3-1600_8bit_G.json"), "a DRAMSys memory specification"},
      {"mapping", shipped("amconfigs/am_ddr3_8x1Gbx8_dimm_p1KB_rbc.json"), "a DRAMSys address mapping"},
      {"controller", R"({"mcconfig": {"PagePolicy": "Open"}})", "a DRAMSys controller configuration"},
      {"space", R"({"name": "s", "parameters": {"RequestBufferSize": [1]}})", "a design space file"},
      {"problems", kProblem + "\n"s, "a file of recorded problems"},
      {"plan", "name = \"p\"\nenvironment = \"dram\"\n[[agents]]\nagent = \"ga\"\n", "a study plan"},
      {"network", "Network n {\nLayer l { Type: CONV Dimensions { K: 1, C: 1, R: 1, S: 1, Y: 1, X: 1 } }\n}\n",
       "a MAESTRO network"},
      {"hardware", "num_pes: 168\nl1_size_cstr: 512\n", "a MAESTRO hardware file"},
      {"layers", "K,C,Y,X,R,S,T\n1,1,1,1,1,1,1\n", "a table of layers"},
      {"designs", "trace,PagePolicy\nstream,Open\n", "a CSV table"},
      {"trace", "0: read 0x0\n5: write 0x40\n", "a DRAMSys trace"},
      {"dramsim", "0x40 READ 1\n0x80 WRITE 2\n", "a DRAMsim trace"},
      {"ramulator", "LD 0x40\nST 0x80\n", "a Ramulator memory trace"},
      {"gem5", "r,4096,64,0,500\nw,8192,64,0,1500\n", "a gem5 packet trace as text"},
      {"usimm", "10 R 0x1000 0x0\n12 W 0x2000\n", "a CPU trace"}};
  struct Reader {
    std::string extension;
    Words before, after,
        own;  // the file's name stands between the words; kinds that it reads or may take for a broken one of its own
  };
  const std::vector<Reader> readers{{".stl", {"eval", "dram", "--trace"}, {}, {"trace", "dramsim", "ramulator", "gem5"}},
                                    {".json", {"eval", "dram", "--trace", "stream", "--memspec"}, {}, {"memspec"}},
                                    {".json", {"eval", "dram", "--trace", "stream", "--addressmapping"}, {}, {"mapping"}},
                                    {".json", {"space", "dram", "--space"}, {}, {"space"}},
                                    {".csv", {"eval", "dram", "--in"}, {}, {"designs"}},
                                    {".trace", {"trace", "convert", "--from", "ramulator"}, {"out.stl"}, {"ramulator"}},
                                    {".trace", {"trace", "convert", "--from", "dramsim3"}, {"out.stl"}, {"dramsim"}},
                                    {".stl", {"trace", "convert", "--from", "stl"}, {"out.stl"}, {"trace"}},
                                    // maestro_cli_test.cpp has what is said of hardware files there.
                                    {".m", {"eval", "maestro", "--in"}, {}, {"network", "hardware"}},
                                    {".m", {"eval", "maestro", "--model"}, {}, {"network", "hardware"}},
                                    {".csv", {"eval", "maestro", "--model"}, {}, {"layers", "designs"}},
                                    {".jsonl", {"eval", "maestro", "--in"}, {}, {"problems"}},
                                    {".toml", {"study"}, {"--dry-run"}, {"plan", "store"}},
                                    {".db", {"best"}, {}, {"store"}},
                                    {".db", {"study", "truth"}, {}, {"store"}},
                                    {".db", {"report"}, {"-o", "page.html"}, {"store"}}};
  for (const Reader& reader : readers) {
    for (const Kind& kind : kinds) {
      if (std::ranges::find(reader.own, kind.name) != reader.own.end()) continue;
      const std::string name = kind.name + "_file" + reader.extension;
      write_text(dir_ / name, kind.content);
      Words words = reader.before;
      words.push_back(name);
      words.insert(words.end(), reader.after.begin(), reader.after.end());
      const Outcome outcome = run(words);
      EXPECT_TRUE(outcome.code == 1 || outcome.code == 2) << joined(words) << " ended with " << outcome.code;
      EXPECT_EQ(outcome.out, "") << joined(words);
      EXPECT_NE(outcome.err.find(name + ": is " + (kind.said.starts_with("a") ? kind.said : "")), std::string::npos)
          << joined(words) << "\n"
          << outcome.err;
      EXPECT_NE(outcome.err.find(kind.said), std::string::npos) << joined(words) << "\n" << outcome.err;
      EXPECT_EQ(lines_of(outcome.err).size(), 1u) << outcome.err;
    }
  }
  EXPECT_FALSE(fs::exists(dir_ / "out.stl"));
  EXPECT_FALSE(fs::exists(dir_ / "page.html"));
}

TEST_F(Input, ACompressedFileIsNamedWhereItIsNotRead) {
  fs::copy(EXARCH_TEST_DATA "/golden/maestro/dev.jsonl.gz", dir_ / "packed");
  const std::pair<std::string, Words> readers[] = {{"m.json", {"eval", "dram", "--trace", "stream", "--memspec"}},
                                                   {"s.json", {"space", "dram", "--space"}},
                                                   {"d.csv", {"eval", "dram", "--in"}},
                                                   {"n.m", {"eval", "maestro", "--in"}},
                                                   {"p.toml", {"study"}},
                                                   {"r.db", {"best"}}};
  for (const auto& [name, words] : readers) {
    fs::copy(dir_ / "packed", dir_ / name);
    Words all = words;
    all.push_back(name);
    const Outcome outcome = run(all);
    EXPECT_NE(outcome.code, 0);
    EXPECT_NE(outcome.err.find(name + ": is a file compressed by gzip"), std::string::npos) << outcome.err;
  }
}

// ---- damage and depth ---------------------------------------------------------------------------------------------------

TEST_F(Input, DeepNestingIsRefusedByEveryReaderEvenOnASmallStack) {
  const auto nested = [](const std::string& open, const std::string& close, std::size_t deep) {
    std::string text;
    for (std::size_t i = 0; i < deep; ++i) text += open;
    text += "1";
    for (std::size_t i = 0; i < deep; ++i) text += close;
    return text;
  };
  struct Restore {
    rlimit old{};
    Restore() {
      getrlimit(RLIMIT_STACK, &old);
      rlimit small = old;
      small.rlim_cur = 512 << 10;
      setrlimit(RLIMIT_STACK, &small);
    }
    ~Restore() { setrlimit(RLIMIT_STACK, &old); }
  } const restore;
  for (const std::size_t deep : {std::size_t{33}, std::size_t{100000}, std::size_t{1000000}}) {
    for (const std::string& value : {nested("[", "]", deep), nested("{\"a\":", "}", deep)}) {
      write_text(dir_ / "deep.json", "{\"memspec\": " + value + "}");
      expect_refused(eval({"--memspec", "deep.json"}), 1, "nested more than 32 deep");
      write_text(dir_ / "deep.json", "{\"CONGEN\": " + value + "}");
      expect_refused(eval({"--addressmapping", "deep.json"}), 1, "nested more than 32 deep");
      write_text(dir_ / "deep.json", "{\"name\": \"s\", \"parameters\": " + value + "}");
      expect_refused({"space", "dram", "--space", "deep.json"}, 1, "deep.json:1: objects and lists are nested more than 32 deep");
    }
    for (const std::string& text : {"a = " + nested("[", "]", deep), "a = " + nested("{a = ", "}", deep),
                                    nested("a.", "", deep) + " = 1", "[" + nested("a.", "", deep) + "]"}) {
      write_text(dir_ / "deep.toml", text);
      expect_refused({"study", "deep.toml", "--dry-run"}, 2, "more than 32 deep");
    }
  }
  for (const char* text : {"[# x\n", "a = 1979-05-27T07:\xC3\xA9\n", "x = [0, 1\xC2\xB7]\n"}) {
    write_text(dir_ / "odd.toml", text);
    expect_refused({"study", "odd.toml", "--dry-run"}, 2, "odd.toml:1: ");
  }
}

// ---- values and names ---------------------------------------------------------------------------------------------------

TEST_F(Input, WhatIsSetTwiceIsRefusedWithBothValues) {
  expect_refused(eval({"--set", "RequestBufferSize=8", "--set", "RequestBufferSize=9"}), 2,
                 "--set RequestBufferSize=8 and --set RequestBufferSize=9");
  expect_refused(eval({"--set", "RequestBufferSize=8", "--set", "PagePolicy=Open", "--set", "RequestBufferSize=8"}), 2,
                 "RequestBufferSize=8");
  expect_refused(search({"--set-agent", "tournament=3", "--set-agent", "tournament=4", "--out", "a.db"}), 2,
                 "--set-agent tournament=3 and --set-agent tournament=4");
  expect_refused(search({"--objective", "latency; min:total_time_ps", "--agent", "nsga2", "--out", "a.db"}), 2, "named twice");
  expect_refused({"study", "regret", "dram", "--trace", "stream", "--agents", "ga,random,ga"}, 2, "--agents names ga twice");
  expect_refused({"study", "regret", "dram", "--trace", "stream", "--objective", "latency", "--objective", "latency"}, 2,
                 "named twice");
  write_text(dir_ / "d.csv", "trace,PagePolicy\nstream,Open\n");
  expect_refused({"eval", "dram", "--in", "d.csv", "--set", "PagePolicy=Open", "--set", "PagePolicy=Closed"}, 2,
                 "--set PagePolicy=Open and --set PagePolicy=Closed");
  EXPECT_FALSE(fs::exists(dir_ / "a.db"));
  good({"sweep", "dram", "--trace", small_trace(5), "--space", small_space(), "--all", "--out", "all.db"});
  expect_refused({"rank", "all.db", "--set", "PagePolicy=Open", "--set", "PagePolicy=Closed"}, 2,
                 "--set PagePolicy=Open and --set PagePolicy=Closed");
}

TEST_F(Input, AnEmptyValueIsNoValue) {
  for (const char* option :
       {"--clk_mhz", "--address_offset", "--trace", "--memspec", "--set", "--engine", "--in", "--threads", "--seed"}) {
    Words words{"eval", "dram", option, ""};
    if (std::string(option) != "--trace") words.insert(words.end(), {"--trace", "stream"});
    expect_refused(words, 2, std::string(option) + " '': the value is empty");
  }
  expect_refused(search({"--objective", "", "--out", "a.db"}), 2, "--objective ''");
  expect_refused(search({"--out", ""}), 2, "--out ''");
  expect_refused({"eval", "dram", "--trace=stream", "--clk_mhz="}, 2, "--clk_mhz ''");
}

TEST_F(Input, APresetInsideAnExpressionIsExplained) {
  for (const char* objective : {"latency, power<=5", "power*total_time_ps", "min:power", "target:power=3"}) {
    expect_refused(search({"--objective", objective, "--out", "a.db"}), 2,
                   "'power' is the preset of a whole objective (min:average_power_mw)");
  }
  expect_refused(search({"--objective", "latency, power<=5", "--out", "a.db"}), 2, "average_power_mw<=5'");
}

TEST_F(Input, ASearchWithoutAFeasibleDesignSaysSoOnStandardError) {
  const Words words = search({"--objective", "latency, average_power_mw<=0"});
  for (const bool json : {false, true}) {
    Words all = words;
    all.insert(all.end(), {"--out", json ? "j.db" : "t.db"});
    if (json) all.emplace_back("--json");
    const Outcome outcome = run(all);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_NE(outcome.err.find("exarch: no feasible design was found"), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.out.find("no feasible"), std::string::npos) << outcome.out;
    if (json) {
      EXPECT_TRUE(Json::parse(outcome.out)["best"].empty());
    }
  }
}

TEST_F(Input, MessagesQuoteShortlyAndWithoutControlCharacters) {
  const auto said = [&](const std::string& csv) {
    write_text(dir_ / "in.csv", csv);
    const Outcome outcome = run({"eval", "dram", "--in", "in.csv"});
    EXPECT_EQ(outcome.code, 2) << outcome.err.substr(0, 1000);
    EXPECT_LT(outcome.err.size(), 1000u);
    for (const char c : outcome.err) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << outcome.err;
    EXPECT_EQ(lines_of(outcome.err).size(), 1u) << outcome.err;
    return outcome.err;
  };
  EXPECT_NE(said("trace,RequestBufferSize\nstream,8\0\n"s).find("'8\\x00' is not an integer"), std::string::npos);
  EXPECT_NE(said("tr\x1B]0;owned\x07"
                 "ace\nstream\n")
                .find("unknown column 'tr\\x1B]0;owned\\x07ace'"),
            std::string::npos);
  EXPECT_NE(said("trace,RequestBufferSize\nstream," + std::string(5000000, '9') + "\n").find("it takes 1 to 4096"),
            std::string::npos);
  EXPECT_NE(said(std::string(3000000, 'a') + "\n1\n").find("unknown column"), std::string::npos);
  EXPECT_NE(said("trace,PagePolicy\nstream," + std::string(3000000, 'x') + "\n").find("unknown value"), std::string::npos);
  expect_refused(eval({"--set", "PagePolicy=\x1B[31mOpen"}), 2, "\\x1B[31mOpen");
  expect_refused({"eval", "dram\n"}, 2, "dram\\x0A");
  expect_refused(eval({"--set",
                       "PagePolicy=\xC3\x96"
                       "ffnen"}),
                 2,
                 "unknown value '\xC3\x96"
                 "ffnen'");
  expect_refused({"eval", "dram", "--trace", "no\x07such.stl"}, 1, "no\\x07such.stl");
}

TEST_F(Input, AnswersAboutBadLinesAreShort) {
  const std::string name(200000, 'Q');
  write_text(dir_ / "q.jsonl",
             "{\"id\": 1, \"layer\": {\"type\": \"CONV\", \"dims\": {\"" + name + "\": 1}}}\n[\"" + name + "\x01\"]\n");
  const Outcome outcome = run({"eval", "maestro", "--in", "q.jsonl"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_LT(outcome.out.size(), 4000u);
  EXPECT_LT(outcome.err.size(), 4000u);
  EXPECT_EQ(lines_of(outcome.out).size(), 2u);
}

TEST_F(Input, NamesOfFilesCannotSteerATerminal) {
  write_text(dir_ / "s.json", R"({"name": "a\u001b[31mb", "parameters": {"RequestBufferSize": [1]}})");
  EXPECT_NE(good({"space", "dram", "--space", "s.json"}).find("a\\x1B[31mb"), std::string::npos);
  write_text(dir_ / "a\x1B[31mb.stl", "0: read 0x0\n");
  EXPECT_EQ(good({"eval", "dram", "--trace", "a\x1B[31mb.stl"}).find('\x1B'), std::string::npos);
}

TEST_F(Input, NamesThatAreNotUtf8AreRefusedBeforeAnythingRuns) {
  expect_refused(search({"--json", "--out", "\xFF.db"}), 2, "'\\xFF.db' is not UTF-8");
  expect_refused({"eval", "dram", "--trace", "\xFF.stl", "--json"}, 2, "is not UTF-8");
  expect_refused({"trace", "convert", "--from", "stl", "a.stl", "\xE9.stl"}, 2, "is not UTF-8");
  EXPECT_FALSE(fs::exists(dir_ / "\xFF.db"));
  write_text(dir_ / "\xFF.stl", "0: read 0x0\n");
  write_text(dir_ / "in.csv", "trace\n\xFF.stl\n");
  for (const bool json : {false, true}) {
    Words words{"eval", "dram", "--in", "in.csv"};
    if (json) words.emplace_back("--json");
    expect_refused(words, 2, "in.csv:2: trace = '");
  }
  // A folder whose name is not UTF-8: what is in it cannot be named in a store either.
  fs::create_directory(dir_ / "\xE9");
  write_text(dir_ / "\xE9" / "t.stl", "0: read 0x0\n");
  folder_ = dir_ / "\xE9";
  expect_refused({"search", "dram", "--trace", "t.stl", "--out", "s.db"}, 2, "is not UTF-8");
  EXPECT_FALSE(fs::exists(folder_ / "s.db"));
  good({"eval", "dram", "--trace", "stream", "--json"});
}

TEST_F(Input, LayersWithNamesThatAreNotUtf8AreRefused) {
  write_text(dir_ / "n.m",
             "Network n {\n// caf\xE9\nLayer caf\xE9 { Type: CONV\nDimensions { K: 1, C: 1, R: 1, S: 1, Y: 1, X: 1 }\nDataflow { "
             "SpatialMap(1,1) K; } }\n}\n");
  expect_refused({"eval", "maestro", "--in", "n.m"}, 1, "n.m:3: 'caf\\xE9' is not UTF-8");
}

// ---- files that would be overwritten ------------------------------------------------------------------------------------

TEST_F(Input, NoFileIsWrittenOverItsOwnInput) {
  const std::string trace = small_trace(20), text = read_text(dir_ / trace);
  fs::create_symlink(trace, dir_ / "link.stl");
  fs::create_hard_link(dir_ / trace, dir_ / "hard.stl");
  for (const std::string& out : {trace, "./" + trace, "link.stl"s, "hard.stl"s}) {
    expect_refused({"trace", "convert", "--from", "stl", trace, out}, 2, out + ": is the trace to be converted");
    write_text(dir_ / "d.csv", "trace,PagePolicy\n" + trace + ",Open\n");
    expect_refused({"eval", "dram", "--in", "d.csv", "--out", out}, 2, "is the trace of the workload");
  }
  EXPECT_EQ(read_text(dir_ / trace), text);
  EXPECT_TRUE(fs::is_symlink(dir_ / "link.stl"));
  const std::string designs = read_text(dir_ / "d.csv");
  fs::create_symlink("d.csv", dir_ / "also.csv");
  for (const char* out : {"d.csv", "also.csv"})
    expect_refused({"eval", "dram", "--in", "d.csv", "--out", out}, 2, "is the input");
  EXPECT_EQ(read_text(dir_ / "d.csv"), designs);
  good({"sweep", "dram", "--trace", trace, "--space", small_space(), "--sample", "3", "--out", "s.db"});
  const std::string store = read_text(dir_ / "s.db");
  fs::create_symlink("s.db", dir_ / "also.db");
  for (const char* out : {"s.db", "also.db"}) {
    expect_refused({"export", "s.db", "--out", out}, 2, "store");
    expect_refused({"report", "s.db", "--out", out}, 2, "store");
  }
  for (const char* verb : {"export", "report"})
    expect_refused({verb, "s.db", "--out", "hard.stl"}, 2, "is the trace of the workload");
  EXPECT_EQ(read_text(dir_ / trace), text);
  EXPECT_EQ(read_text(dir_ / "s.db"), store);
  const std::string network = "Network n {\nLayer l { Type: CONV\nDimensions { K: 4, C: 4, R: 1, S: 1, Y: 4, X: 4 } }\n}\n";
  write_text(dir_ / "n.m", network);
  expect_refused({"eval", "maestro", "--model", "n.m", "--reference-input", "n.m"}, 2, "is the model of the workload");
  EXPECT_EQ(read_text(dir_ / "n.m"), network);
}

// ---- options that would do nothing --------------------------------------------------------------------------------------

TEST_F(Input, OptionsThatWouldDoNothingAreRefused) {
  const std::string trace = small_trace(20);
  expect_refused({"trace", "convert", trace, "out.stl", "--clk_mhz", "64"}, 2, "--clk_mhz has no effect");
  for (const char* option : {"--memspec", "--addressmapping"}) {
    expect_refused({"trace", "convert", trace, "out.stl", option, "64"}, 2, std::string(option) + " has no meaning");
  }
  for (const char* option : {"--clk_mhz", "--address_offset", "--memspec", "--addressmapping"}) {
    expect_refused({"trace", "list", option, "64"}, 2, std::string(option) + " has no meaning");
    expect_refused({"space", "dram", option, "64"}, 2, "name it by --trace");
  }
  expect_refused({"trace", "info", trace, "--from", "stl"}, 2, "--from has no meaning");
  expect_refused({"bench", "dram", "--signature", "--designs", "20"}, 2, "--designs has no meaning");
  EXPECT_FALSE(fs::exists(dir_ / "out.stl"));
  good({"trace", "info", trace, "--clk_mhz", "400"});
}

// ---- lines --------------------------------------------------------------------------------------------------------------

TEST_F(Input, ALongLineCostsOnlyItsOwnAnswer) {
  const std::string row = kProblem, longer = "{\"id\": \"" + std::string(300000, 'x') + "\"}";
  write_text(dir_ / "q.jsonl", row + "\n" + longer + "\n" + row + "\n" + longer);
  const Outcome outcome = run({"eval", "maestro", "--in", "q.jsonl", "--out", "answers.jsonl"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("q.jsonl:2: the line is longer than 262144 bytes"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("2 of 4 lines are no problems"), std::string::npos) << outcome.err;
  const Words answers = lines_of(read_text(path("answers.jsonl")));
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_EQ(Json::parse(answers[0])["status"], "ok");
  EXPECT_EQ(answers[2], answers[0]);
  for (const std::size_t i : {1u, 3u}) {
    EXPECT_EQ(Json::parse(answers[i])["status"], "invalid");
    EXPECT_EQ(Json::parse(answers[i])["error"], "the line is longer than 262144 bytes");
  }
}

TEST_F(Input, ADamagedSecondPartOfACompressedTraceIsAnError) {
  const std::string packed = read_text(EXARCH_TEST_DATA "/golden/maestro/dev.jsonl.gz");
  const std::size_t rows = lines_of(good({"eval", "maestro", "--in", EXARCH_TEST_DATA "/golden/maestro/dev.jsonl.gz"})).size();
  write_text(dir_ / "two.jsonl.gz", packed + packed);
  EXPECT_EQ(lines_of(good({"eval", "maestro", "--in", "two.jsonl.gz"})).size(), 2 * rows);
  std::string damaged = packed + packed;
  damaged[packed.size()] = static_cast<char>(damaged[packed.size()] ^ 1);
  write_text(dir_ / "two.jsonl.gz", damaged);
  const Outcome outcome = run({"eval", "maestro", "--in", "two.jsonl.gz", "--out", "out.jsonl"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("two.jsonl.gz: byte " + std::to_string(packed.size())), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(dir_ / "out.jsonl"));
}

}  // namespace
}  // namespace exarch
