// The program as its users run it: exit codes, messages, files, resuming after a kill, reproducible stores.
#include "tests/support/cli.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/store/run_store.hpp"
#include "tests/support/csv.hpp"

namespace exarch {
namespace {

using namespace testing;

// The hash of all counters over a fixed set of runs (`exarch bench --signature`). A change of any model result changes it: then
// change it here and raise kModelVersion (kernels/dram/types.hpp), so that older stores are not continued with other numbers.
constexpr char kSignature[] = "d30f99a312b0cb86";

const std::string kVerbs[] = {"envs", "space",  "eval",   "sweep", "search", "study",  "best",
                              "rank", "report", "export", "trace", "bench",  "doctor", "list"};

// ---- help and mistakes --------------------------------------------------------------------------------------------------

TEST_F(Cli, EveryVerbExplainsItselfWithAnExample) {
  for (const std::string& verb : kVerbs) {
    const std::string text = good({verb, "--help"});
    EXPECT_NE(text.find("Usage: exarch " + verb), std::string::npos) << text;
    EXPECT_NE(text.find("Examples:\n"), std::string::npos) << text;
    EXPECT_NE(text.find("  exarch " + verb), std::string::npos) << text;
  }
  const std::string usage = good({"--help"});
  for (const std::string& verb : kVerbs) EXPECT_NE(usage.find("  " + verb + " "), std::string::npos) << verb;
  EXPECT_TRUE(good({"--version"}).starts_with("exarch "));
  EXPECT_EQ(run({}).code, 2);
}

TEST_F(Cli, MistypedNamesAreRefusedWithTheNearestOne) {
  expect_refused({"swep"}, 2, "did you mean 'sweep'");
  expect_refused({"nosuchverb"}, 2, "unknown verb 'nosuchverb'");
  expect_refused({"eval", "dram", "--trase", "stream"}, 2, "did you mean '--trace'");
  expect_refused({"eval", "drm", "--trace", "stream"}, 2, "did you mean 'dram'");
  expect_refused({"eval", "dram", "--trace", "strem"}, 1, "did you mean 'stream'");
  expect_refused({"eval", "dram", "--trace", "stream", "--set", "PagePolcy=Open"}, 2, "did you mean 'PagePolicy'");
  expect_refused({"eval", "dram", "--trace", "stream", "--set", "PagePolicy=Opne"}, 2, "did you mean 'Open'");
  expect_refused({"eval", "dram", "--trace", "stream", "--engine", "fats"}, 2, "did you mean 'fast'");
  expect_refused({"eval", "dram", "--trace", "stream", "--backend", "cpuu"}, 2, "did you mean 'cpu'");
  expect_refused({"eval", "dram", "--trace", "stream", "--memspec", "MICRON_1Gb_DDR3-160_8bit_G"}, 1, "did you mean 'MICRON_1Gb");
  expect_refused({"sweep", "dram", "--trace", "stream", "--all", "--space", "archgm-aco", "--out", "x.db"}, 2,
                 "did you mean 'archgym-aco'");
  expect_refused({"search", "dram", "--trace", "stream", "--objective", "latncy", "--out", "x.db"}, 2, "did you mean 'latency'");
  expect_refused({"search", "dram", "--trace", "stream", "--agent", "gaa", "--out", "x.db"}, 2, "did you mean 'ga'");
  expect_refused({"trace", "inof", "stream"}, 2, "did you mean 'info'");
  EXPECT_FALSE(fs::exists(dir_ / "x.db"));
}

TEST_F(Cli, MissingAndSuperfluousArgumentsAreRefused) {
  expect_refused({"eval"}, 2, "exarch eval ENVIRONMENT");
  expect_refused({"eval", "dram", "twice", "--trace", "stream"}, 2, "exarch eval ENVIRONMENT");
  expect_refused({"eval", "dram"}, 2, "--trace");
  expect_refused({"eval", "dram", "--trace", "stream", "--set", "PagePolicy"}, 2, "Name=value");
  expect_refused({"eval", "dram", "--trace", "stream", "--threads", "many"}, 2, "--threads");
  expect_refused({"eval", "dram", "--trace", "stream", "--out", "x.csv"}, 2, "--in");
  expect_refused({"eval", "dram", "--trace", "stream", "--clk_mhz", "0"}, 2, "clk_mhz");
  expect_refused({"sweep", "dram", "--trace", "stream", "--out", "x.db"}, 2, "--sample");
  expect_refused({"sweep", "dram", "--trace", "stream", "--all", "--sample", "3", "--out", "x.db"}, 2, "--sample");
  expect_refused({"sweep", "dram", "--trace", "stream", "--all"}, 2, "--out");
  expect_refused({"search", "dram", "--trace", "stream"}, 2, "--out");
  expect_refused({"envs", "dram", "dram"}, 2, "exarch envs");
  expect_refused({"space", "dram", "dram"}, 2, "exarch space");
  expect_refused({"best", "x.db", "y.db"}, 2, "exarch best");
  expect_refused({"export", "x.db", "y.db"}, 2, "exarch export");
  expect_refused({"trace", "list", "stream"}, 2, "trace list");
  expect_refused({"trace", "info", "stream", "random"}, 2, "trace info");
  expect_refused({"trace", "convert", "--from", "stl", "a.stl", "b.stl", "c.stl"}, 2, "exarch trace");
  expect_refused({"bench", "--signature", "x"}, 2, "unknown environment 'x'");
  expect_refused({"bench", "dram", "x"}, 2, "exarch bench");
  expect_refused({"doctor", "x"}, 2, "exarch doctor");
}

TEST_F(Cli, EveryVerbTakesAndChecksTheCommonOptions) {
  for (const std::string& verb : kVerbs) {
    const std::string text = good({verb, "--help"});
    for (const char* option : {"--backend NAME", "--threads N", "--seed S", "--json", "--help"}) {
      EXPECT_NE(text.find(std::string("  ") + option), std::string::npos) << verb << " " << option;
    }
    // With an argument the verb would accept, so that only the option is wrong.
    Words words{verb};
    if (verb == "trace") words.emplace_back("list");
    if (verb == "study") words.emplace_back("regret");
    if (verb != "trace" && verb != "bench" && verb != "doctor") {
      words.emplace_back(verb == "best" || verb == "rank" || verb == "report" || verb == "export" ? "x.db" : "dram");
    }
    if (verb == "list") words.emplace_back("traces");
    const auto refused = [&](const Words& more, const std::string& said) {
      Words all = words;
      all.insert(all.end(), more.begin(), more.end());
      expect_refused(all, 2, said);
    };
    refused({"--backend", "foo"}, "--backend foo: expected auto, cpu or cuda");
    refused({"--threads", "0"}, "--threads 0: expected a whole number from 1");
    refused({"--threads", "abc"}, "--threads abc");
    refused({"--threads", "-1"}, "--threads");
    refused({"--seed", "x"}, "--seed x");
    refused({"--seed", "1", "--seed", "2"}, "--seed is given more than once");
  }
}

TEST_F(Cli, EveryVerbSpeaksJson) {
  const std::string trace = small_trace(40);
  const auto json = [&](Words words) {
    words.insert(words.end(), {"--json", "--backend", "cpu", "--threads", "2", "--seed", "1"});
    return nlohmann::json::parse(good(words));
  };
  EXPECT_EQ(json({"envs"})[0]["name"], "dram");
  EXPECT_EQ(json({"space", "dram"})[0]["name"], "archgym-aco");
  EXPECT_EQ(json({"eval", "dram", "--trace", trace})["status"], "ok");
  const auto sweep = json({"sweep", "dram", "--trace", trace, "--sample", "5", "--out", "sweep.db"});
  EXPECT_EQ(sweep["requested"], 5);
  const auto search =
      json({"search", "dram", "--trace", trace, "--population", "4", "--generations", "2", "--top", "2", "--out", "run.db"});
  EXPECT_EQ(search["requested"], 8);
  EXPECT_EQ(search["generations"], 2);
  EXPECT_TRUE(search["default"]["metrics"]["total_time_ps"].is_number()) << search;
  ASSERT_GE(search["best"].size(), 1u);
  EXPECT_TRUE(search["best"][0]["design"]["RequestBufferSize"].is_number()) << search;
  const auto best = json({"best", "run.db", "--top", "1"});
  ASSERT_EQ(best.size(), 1u);
  EXPECT_EQ(best[0]["metrics"], search["best"][0]["metrics"]);
  EXPECT_EQ(best[0]["counters"], search["best"][0]["counters"]);
  EXPECT_NE(json({"trace", "list"}).dump().find("\"cloud-1\""), std::string::npos);
  EXPECT_EQ(json({"trace", "info", trace})["requests"], 40);
  EXPECT_EQ(json({"trace", "convert", "--from", "stl", trace, "copy.stl"})["requests"], 40);
  EXPECT_EQ(json({"bench", "--signature"})["signature"], kSignature);
  EXPECT_NE(read_text(EXARCH_SOURCE_DIR "/docs/validation.md").find(kSignature), std::string::npos);
  EXPECT_EQ(json({"doctor"})["environments"]["dram"]["self test"], "ok");
  // One object per row, equal to what CSV says.
  const Words lines = lines_of(good({"export", "sweep.db", "--json"}));
  good({"export", "sweep.db", "--out", "sweep.csv"});
  const testing::CsvTable table(path("sweep.csv"));
  ASSERT_EQ(lines.size(), 5u);
  ASSERT_EQ(table.size(), 5u);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto row = nlohmann::json::parse(lines[i]);
    EXPECT_EQ(row["trace"], table.at(i, "trace"));
    EXPECT_EQ(row["candidate"], i);
    EXPECT_EQ(row["design"]["PagePolicy"], table.at(i, "PagePolicy"));
    EXPECT_EQ(row["counters"]["act"].dump(), table.at(i, "act"));
    EXPECT_EQ(row["metrics"]["total_time_ps"].dump(), table.at(i, "total_time_ps"));
  }
}

TEST_F(Cli, IllegalParameterValuesAreRefused) {
  for (const char* value : {"0", "1.5", "-1", "4294967296", "", "four", "0x4", " 4"}) {
    expect_refused({"eval", "dram", "--trace", "stream", "--set", std::string("RequestBufferSize=") + value}, 2,
                   "RequestBufferSize");
  }
  for (const char* value : {"0", "1.5", "-1", "4294967296"}) {
    expect_refused({"eval", "dram", "--trace", "stream", "--set", std::string("MaxActiveTransactions=") + value}, 2,
                   "MaxActiveTransactions");
  }
  expect_refused({"eval", "dram", "--trace", "stream", "--set", "RefreshMaxPostponed=-1"}, 2, "RefreshMaxPostponed");
  expect_refused({"eval", "dram", "--trace", "stream", "--set", "PagePolicy=open"}, 2, "did you mean 'Open'");
}

TEST_F(Cli, AMissingDeviceIsAClearFailure) {
  const Outcome outcome = run({"eval", "dram", "--trace", "stream", "--backend", "cuda"});
  if (outcome.code == 0) GTEST_SKIP() << "there is a CUDA backend here";
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("--backend cuda: "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("--backend cpu"), std::string::npos) << outcome.err;
}

TEST_F(Cli, BadTracesNameFileAndLine) {
  expect_refused({"eval", "dram", "--trace", "nosuch.stl"}, 1, "nosuch.stl");
  write_text(dir_ / "empty.stl", "");
  expect_refused({"eval", "dram", "--trace", "empty.stl"}, 1, "empty.stl: the trace has no requests");
  write_text(dir_ / "comment.stl", "# nothing\n\n");
  expect_refused({"eval", "dram", "--trace", "comment.stl"}, 1, "comment.stl: the trace has no requests");
  fs::create_directory(dir_ / "folder.stl");
  expect_refused({"eval", "dram", "--trace", "folder.stl"}, 1, "directory");
  write_text(dir_ / "bad.stl", "0: read 0x0\n# fine\n1: fetch 0x40\n");
  expect_refused({"eval", "dram", "--trace", "bad.stl"}, 1, "bad.stl:3: ");
  write_text(dir_ / "noaddr.stl", "0: read\n");
  expect_refused({"eval", "dram", "--trace", "noaddr.stl"}, 1, "noaddr.stl:1: ");
  write_text(dir_ / "name.csv", "0: read 0x0\n");
  expect_refused({"eval", "dram", "--trace", "name.csv"}, 1, "name.csv");
  expect_refused({"trace", "info", "bad.stl"}, 1, "bad.stl:3: ");
}

TEST_F(Cli, TheOptionsOfAVerbAreCheckedBeforeItsData) {
  ASSERT_EQ(setenv("EXARCH_DATA", path("nowhere").c_str(), 1), 0);
  expect_refused({"eval", "dram", "--trace", "stream"}, 1, "EXARCH_DATA");
  EXPECT_EQ(run({"doctor"}).code, 1);
  expect_refused({"eval", "dram", "--trase", "stream"}, 2, "--trace");
}

// ---- eval ---------------------------------------------------------------------------------------------------------------

const Words kGoldenDesign{"--set", "PagePolicy=Open",     "--set", "Scheduler=FrFcfs",        "--set", "SchedulerBuffer=Shared",
                          "--set", "RequestBufferSize=1", "--set", "RespQueue=Fifo",          "--set", "RefreshPolicy=NoRefresh",
                          "--set", "Arbiter=Fifo",        "--set", "MaxActiveTransactions=64"};
constexpr char kGoldenTime[] = "51595000";  // of that design on stream
constexpr char kGoldenEnergy[] = "85957050.00";

TEST_F(Cli, EvalPrintsATable) {
  Words words{"eval", "dram", "--trace", "stream"};
  words.insert(words.end(), kGoldenDesign.begin(), kGoldenDesign.end());
  const std::string text = good(words);
  EXPECT_NE(text.find("stream: PagePolicy=Open Scheduler=FrFcfs"), std::string::npos) << text;
  EXPECT_NE(text.find("status ok"), std::string::npos) << text;
  EXPECT_NE(text.find(kGoldenTime), std::string::npos) << text;
  EXPECT_NE(text.find(kGoldenEnergy), std::string::npos) << text;
}

TEST_F(Cli, EvalPrintsJson) {
  Words words{"eval", "dram", "--trace", "stream", "--json"};
  words.insert(words.end(), kGoldenDesign.begin(), kGoldenDesign.end());
  const auto json = nlohmann::json::parse(good(words));
  EXPECT_EQ(json["metrics"]["total_time_ps"].get<std::uint64_t>(), 51595000u);
  EXPECT_DOUBLE_EQ(json["metrics"]["total_energy_pj"].get<double>(), 85957050.0);
  EXPECT_EQ(json["design"]["PagePolicy"], "Open");
  EXPECT_EQ(json["design"]["RequestBufferSize"], 1);
  EXPECT_EQ(json["status"], "ok");
  EXPECT_EQ(json["workload"]["trace"], "stream");
  std::uint64_t requests = 0;
  for (const auto& bucket : json["detail"]["latency_histogram_cycles"]) requests += bucket["requests"].get<std::uint64_t>();
  EXPECT_EQ(requests, json["counters"]["rd"].get<std::uint64_t>() + json["counters"]["wr"].get<std::uint64_t>());
  // Engine, sharing and threads change nothing.
  for (const Words& more : {Words{"--engine", "reference"}, Words{"--no-share"}, Words{"--threads", "1"}}) {
    Words other = words;
    other.insert(other.end(), more.begin(), more.end());
    EXPECT_EQ(nlohmann::json::parse(good(other))["metrics"], json["metrics"]) << more[0];
  }
  const auto two = nlohmann::json::parse(good({"eval", "dram", "--trace", "stream,random", "--json"}));
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[1]["workload"]["trace"], "random");
}

TEST_F(Cli, EvalKeepsTheInputsColumnsAndOrder) {
  write_text(dir_ / "in.csv",
             "MaxActiveTransactions,trace,PagePolicy,Scheduler,SchedulerBuffer,RequestBufferSize,RefreshPolicy,Arbiter\n"
             "64,stream,Open,FrFcfs,Shared,1,NoRefresh,Fifo\n"
             "64,random,Open,FrFcfs,Shared,1,NoRefresh,Fifo\n"
             "\n"
             ",stream,,FrFcfs,Shared,1,,Fifo\n"
             "\"64\",stream,Closed,FrFcfs,Shared,1,NoRefresh,Fifo\n");
  EXPECT_EQ(good({"eval", "dram", "--in", "in.csv", "--out", "out.csv"}), "");
  const testing::CsvTable table(path("out.csv"));
  const Words expected{"MaxActiveTransactions", "trace",         "PagePolicy", "Scheduler", "SchedulerBuffer",
                       "RequestBufferSize",     "RefreshPolicy", "Arbiter",    "status",    "total_time_ps"};
  ASSERT_GT(table.header().size(), expected.size());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), table.header().begin()));
  ASSERT_EQ(table.size(), 4u);
  EXPECT_EQ(table.at(0, "total_time_ps"), kGoldenTime);
  EXPECT_EQ(table.at(0, "total_energy_pj"), kGoldenEnergy);
  EXPECT_EQ(table.at(1, "trace"), "random");
  // Empty cells: the defaults, which here are the first row's values; the input stays as it was.
  EXPECT_EQ(table.at(2, "MaxActiveTransactions"), "");
  EXPECT_EQ(table.at(2, "total_time_ps"), kGoldenTime);
  EXPECT_NE(table.at(3, "total_time_ps"), kGoldenTime);
  // A default may come from --set, and the trace from --trace.
  write_text(dir_ / "sizes.csv", "RequestBufferSize\n1\n8\n");
  Words words{"eval", "dram", "--in", "sizes.csv", "--trace", "stream"};
  words.insert(words.end(), kGoldenDesign.begin(), kGoldenDesign.end());
  const Words lines = lines_of(good(words));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[1].starts_with(std::string("1,ok,") + kGoldenTime + "," + kGoldenEnergy)) << lines[1];
}

TEST_F(Cli, EvalNamesTheLineOfABadCell) {
  const auto refused = [&](const std::string& csv, const std::string& said) {
    write_text(dir_ / "in.csv", csv);
    expect_refused({"eval", "dram", "--in", "in.csv", "--out", "out.csv"}, 2, said);
    EXPECT_FALSE(fs::exists(dir_ / "out.csv"));
  };
  refused("trace,PagePolicy\nstream,Open\nstream,open\n", "in.csv:3: PagePolicy: unknown value 'open' (did you mean 'Open'?)");
  refused("trace,RequestBufferSize\nstream,0\n", "in.csv:2: RequestBufferSize");
  refused("trace,RequestBufferSize\nstream,1.5\n", "in.csv:2: RequestBufferSize");
  refused("trace,PagePolcy\nstream,Open\n", "in.csv:1: unknown column 'PagePolcy' (did you mean 'PagePolicy'?)");
  refused("trace,PagePolicy,PagePolicy\nstream,Open,Open\n", "in.csv:1: column 'PagePolicy' appears twice");
  refused("PagePolicy\nOpen\n", "--trace");
  const auto failed = [&](const std::string& csv, const std::string& said) {
    write_text(dir_ / "in.csv", csv);
    expect_refused({"eval", "dram", "--in", "in.csv", "--out", "out.csv"}, 1, said);
    EXPECT_FALSE(fs::exists(dir_ / "out.csv"));
  };
  failed("trace,PagePolicy\nstream,Open\nstrem,Open\n", "in.csv:3: ");
  failed("trace,PagePolicy\nstream,Open,1\n", "in.csv:2: ");
  failed("trace,PagePolicy\n", "in.csv: no designs");
  failed("trace,PagePolicy\nstream,\"Open\"\nstream,\"Open\"x\n", "in.csv:3:14: text after a closing quote");
  failed("trace,PagePolicy\n\"stream\" ,Open\n", "in.csv:2:9: text after a closing quote");
  failed("trace,PagePolicy\n\"\"\"\"x,Open\n", "in.csv:2:5: text after a closing quote");
  failed("trace,PagePolicy\n\"a\nb\"c,Open\n", "in.csv:3:3: text after a closing quote");
  failed("", "in.csv: empty");
  expect_refused({"eval", "dram", "--in", "nosuch.csv"}, 1, "nosuch.csv");
  expect_refused({"eval", "dram", "--in", "."}, 1, "folder");
  // Nothing is left behind.
  for (const auto& entry : fs::directory_iterator(dir_)) {
    EXPECT_EQ(entry.path().filename().string().find(".part"), std::string::npos) << entry.path();
  }
}

TEST_F(Cli, AMistakeInAnyRowLeavesStandardOutputEmpty) {
  std::string rows = "trace,RequestBufferSize\n";
  for (int i = 0; i < 70000; ++i) rows += "stream,1\n";
  write_text(dir_ / "in.csv", rows + "stream,0\n");
  expect_refused({"eval", "dram", "--in", "in.csv"}, 2, "in.csv:70002: RequestBufferSize");
  expect_refused({"eval", "dram", "--in", "in.csv", "--json"}, 2, "in.csv:70002: RequestBufferSize");
  write_text(dir_ / "in.csv", rows + "strem,1\n");
  expect_refused({"eval", "dram", "--in", "in.csv"}, 1, "in.csv:70002: ");
  // Several blocks of rows that take turns between workloads.
  for (int i = 0; i < 70000; ++i) rows += std::string(i % 3 == 0 ? "random" : "stream") + "," + (i % 2 == 0 ? "2" : "1") + "\n";
  write_text(dir_ / "in.csv", rows);
  good({"eval", "dram", "--in", "in.csv", "--out", "out.csv"});
  const testing::CsvTable table(path("out.csv"));
  ASSERT_EQ(table.size(), 140000u);
  std::map<std::string, std::string> times;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::string key = table.at(i, "trace") + table.at(i, "RequestBufferSize");
    const std::string time = times.try_emplace(key, table.at(i, "total_time_ps")).first->second;
    ASSERT_EQ(table.at(i, "total_time_ps"), time) << key << " in row " << i;
  }
  EXPECT_EQ(times.size(), 4u);
  EXPECT_NE(times["stream1"], times["random1"]);
}

TEST_F(Cli, EvalWritesJsonLines) {
  write_text(dir_ / "in.csv", "trace,PagePolicy\nstream,Closed\nrandom,Open\n");
  const Words lines = lines_of(good({"eval", "dram", "--in", "in.csv", "--json"}));
  ASSERT_EQ(lines.size(), 2u);
  const auto one = nlohmann::json::parse(good({"eval", "dram", "--trace", "stream", "--set", "PagePolicy=Closed", "--json"}));
  EXPECT_EQ(nlohmann::json::parse(lines[0]), one);
  EXPECT_EQ(nlohmann::json::parse(lines[1])["workload"]["trace"], "random");
}

TEST_F(Cli, OutputsThatCannotBeWrittenFail) {
  write_text(dir_ / "in.csv", "trace\nstream\n");
  fs::create_directory(dir_ / "folder");
  expect_refused({"eval", "dram", "--in", "in.csv", "--out", "in.csv/out.csv"}, 1, "in.csv/out.csv");
  expect_refused({"eval", "dram", "--in", "in.csv", "--out", "folder"}, 1, "folder");
  expect_refused({"sweep", "dram", "--trace", "stream", "--sample", "3", "--out", "in.csv/nowhere.db"}, 1, "in.csv/nowhere.db");
  expect_refused({"sweep", "dram", "--trace", "stream", "--sample", "3", "--out", "folder"}, 1, "folder");
  expect_refused({"search", "dram", "--trace", "stream", "--generations", "1", "--population", "2", "--out", "folder/no/x.db"}, 1,
                 "folder/no/x.db");
  if (fs::exists("/dev/full")) {
    expect_refused({"eval", "dram", "--in", "in.csv", "--out", "/dev/full"}, 1, "/dev/full");
  }
}

// ---- stores -------------------------------------------------------------------------------------------------------------

TEST_F(Cli, ASweepOfAllPointsIsExportedRowByRow) {
  const std::string trace = small_trace(80), space = small_space();
  good({"sweep", "dram", "--trace", trace + ",stream", "--space", space, "--all", "--out", "all.db"});
  EXPECT_EQ(good({"export", "all.db", "--out", "all.csv"}), "");
  const testing::CsvTable table(path("all.csv"));
  ASSERT_EQ(table.size(), 2 * kSmallSpacePoints);
  for (std::size_t i = 0; i < table.size(); ++i) {
    ASSERT_EQ(table.at(i, "trace"), i < kSmallSpacePoints ? path(trace) : "stream");
    ASSERT_EQ(table.at(i, "candidate"), std::to_string(i % kSmallSpacePoints));
    ASSERT_EQ(table.at(i, "status"), "ok");
  }
  EXPECT_EQ(lines_of(good({"export", "all.db"})).size(), 2 * kSmallSpacePoints + 1);
  // The exported rows are what eval says of the same designs, here without sharing.
  std::string in = "trace";
  for (const char* name : {"PagePolicy", "Scheduler", "RequestBufferSize", "RefreshPolicy", "RefreshMaxPostponed", "Arbiter"}) {
    in += std::string(",") + name;
  }
  for (std::size_t i = 0; i < table.size(); i += 5) {
    in += "\n" + table.at(i, "trace");
    for (const char* name : {"PagePolicy", "Scheduler", "RequestBufferSize", "RefreshPolicy", "RefreshMaxPostponed", "Arbiter"}) {
      in += "," + table.at(i, name);
    }
  }
  write_text(dir_ / "in.csv", in + "\n");
  good({"eval", "dram", "--in", "in.csv", "--out", "out.csv", "--no-share"});
  const testing::CsvTable again(path("out.csv"));
  for (std::size_t i = 0; i < again.size(); ++i) {
    for (const char* metric : {"total_time_ps", "total_energy_pj", "avg_bw_idle_gbps", "p99_latency_ns", "row_hit_rate"}) {
      EXPECT_EQ(again.at(i, metric), table.at(5 * i, metric)) << metric << " of " << again.line(i);
    }
  }
  // Run again, nothing is left to do.
  const Outcome rerun = run({"sweep", "dram", "--trace", trace + ",stream", "--space", space, "--all", "--out", "all.db"});
  EXPECT_EQ(rerun.code, 0) << rerun.err;
  EXPECT_TRUE(rerun.out.starts_with("requested 0 evaluations, simulated 0")) << rerun.out;
  EXPECT_EQ(rerun.err,
            "exarch: all.db already holds all " + std::to_string(2 * kSmallSpacePoints) + " evaluations; nothing is run\n");
  const std::string best = good({"best", "all.db", "--top", "3", "--objective", "latency"});
  EXPECT_EQ(lines_of(best).size(), 1u + 2 * 3) << best;
  const auto json = nlohmann::json::parse(good({"best", "all.db", "--top", "1", "--json"}));
  ASSERT_EQ(json.size(), 2u);
  double smallest = 1e300;
  for (std::size_t i = 0; i < kSmallSpacePoints; ++i) smallest = std::min(smallest, std::stod(table.at(i, "total_time_ps")));
  EXPECT_EQ(json[0]["metrics"]["total_time_ps"].get<double>(), smallest);
}

// Keeping the best gives the lines that a store of everything would be ranked to, and the Pareto front.
TEST_F(Cli, ASweepThatKeepsTheBestFindsWhatAWholeOneHolds) {
  const std::string trace = small_trace(80), space = small_space();
  const Words sweep{"sweep", "dram", "--trace", trace + ",stream", "--space", space, "--all", "--out"};
  Words all = sweep, kept = sweep, alone = sweep;
  all.insert(all.end(), {"all.db"});
  kept.insert(kept.end(), {"kept.db", "--keep", "best", "--objective", "energy", "--top", "7"});
  alone.insert(alone.end(), {"alone.db", "--keep", "best", "--objective", "energy", "--top", "7", "--no-share"});
  for (const Words& words : {all, kept, alone}) good(words);
  good({"export", "all.db", "--out", "all.csv"});
  good({"export", "kept.db", "--out", "kept.csv"});
  const testing::CsvTable whole(path("all.csv")), some(path("kept.csv"));
  const auto price = [](const testing::CsvTable& table, std::size_t i) {
    return std::vector<double>{std::stod(table.at(i, "total_energy_pj")), std::stod(table.at(i, "total_time_ps")),
                               std::stod(table.at(i, "average_power_mw"))};
  };
  for (const std::string& workload : {path(trace), std::string("stream")}) {
    std::map<std::vector<double>, std::string> first;  // price: candidate
    for (std::size_t i = 0; i < whole.size(); ++i) {
      if (whole.at(i, "trace") == workload) first.try_emplace(price(whole, i), whole.at(i, "candidate"));
    }
    std::set<std::string> want, got;
    for (const auto& [one, candidate] : first) {
      if (want.size() < 7) want.insert(candidate);  // ascending energy
    }
    for (const auto& [one, candidate] : first) {
      const bool beaten = std::ranges::any_of(first, [&one](const auto& other) {
        return other.first != one && other.first[0] <= one[0] && other.first[1] <= one[1] && other.first[2] <= one[2];
      });
      if (!beaten) want.insert(candidate);
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (some.at(i, "trace") == workload) got.insert(some.at(i, "candidate"));
    }
    EXPECT_EQ(got, want) << workload;
  }
  EXPECT_EQ(good({"export", "alone.db"}), read_text(dir_ / "kept.csv"));
  EXPECT_LT(fs::file_size(dir_ / "kept.db"), fs::file_size(dir_ / "all.db"));
  const Outcome best = run({"best", "kept.db", "--objective", "energy", "--top", "1", "--json"});
  EXPECT_EQ(best.err, "");
  EXPECT_NE(run({"best", "kept.db", "--objective", "latency"}).err.find("keeps only the best 7"), std::string::npos);
  Words longer = kept;
  longer.back() = "8";
  expect_refused(longer, 1, "keep is");
  expect_refused({"sweep", "dram", "--trace", trace, "--all", "--out", "x.db", "--keep", "beast"}, 2, "--keep beast");
  expect_refused({"sweep", "dram", "--trace", trace, "--all", "--out", "x.db", "--top", "3"}, 2, "--keep best");
}

TEST_F(Cli, ASampledSweepDoesNotDependOnThreadsOrSharing) {
  const std::string trace = small_trace(60);
  const Words sweep{"sweep", "dram", "--trace", trace, "--sample", "500", "--seed", "3", "--out"};
  Words a = sweep, b = sweep, c = sweep, d = sweep;
  a.insert(a.end(), {"a.db", "--threads", "1"});
  b.insert(b.end(), {"b.db", "--threads", "3"});
  c.insert(c.end(), {"c.db", "--no-share"});
  d.insert(d.end(), {"d.db", "--engine", "reference"});
  for (const Words& words : {a, b, c, d}) good(words);
  const std::string want = good({"export", "a.db"});
  EXPECT_EQ(lines_of(want).size(), 501u);
  EXPECT_EQ(good({"export", "b.db"}), want);
  // Without sharing a run's own order of responses may differ from the shared one in the idle count it does not use.
  write_text(dir_ / "a.csv", want);
  for (const char* store : {"c.db", "d.db"}) {
    good({"export", store, "--out", "other.csv"});
    const testing::CsvTable left(path("a.csv")), right(path("other.csv"));
    ASSERT_EQ(left.size(), right.size());
    for (std::size_t i = 0; i < left.size(); ++i) {
      for (const std::string& column : left.header()) {
        if (column.starts_with("idle_cycles")) continue;
        ASSERT_EQ(left.at(i, column), right.at(i, column)) << store << " " << column << ", row " << left.line(i);
      }
    }
  }
}

Words search_words(const std::string& trace, const std::string& out) {
  return {"search", "dram",          "--trace", trace,    "--agent", "ga",    "--population",
          "24",     "--generations", "12",      "--seed", "5",       "--out", out};
}

// A truth table says of every design what a look at all of them says.
TEST_F(Cli, TheTruthRanksEveryDesign) {
  const std::string trace = small_trace(80), space = small_space();
  const Words words{"study", "truth",    "dram",        "--trace", trace + ",stream", "--space", space,
                    "--out", "truth.db", "--objective", "latency", "--objective",     "energy",  "--json"};
  const Outcome made = run(words);
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_NE(made.err.find(std::to_string(2 * kSmallSpacePoints) + " evaluations"), std::string::npos) << made.err;
  const auto truth = nlohmann::json::parse(made.out);
  ASSERT_EQ(truth.size(), 4u);
  EXPECT_EQ(good(words), made.out) << "made again, it says the same";
  EXPECT_EQ(
      nlohmann::json::parse(good({"study", "truth", "truth.db", "--objective", "latency", "--objective", "energy", "--json"})),
      truth);
  good({"export", "truth.db", "--out", "all.csv"});
  const testing::CsvTable table(path("all.csv"));
  std::vector<double> times;
  for (std::size_t i = 0; i < kSmallSpacePoints; ++i) times.push_back(std::stod(table.at(i, "total_time_ps")));
  const double best = *std::ranges::min_element(times);
  EXPECT_EQ(truth[0]["optimum"].get<double>(), best);
  EXPECT_EQ(truth[0]["optimal_designs"], std::ranges::count(times, best));
  EXPECT_EQ(truth[0]["designs"], kSmallSpacePoints);
  EXPECT_GE(truth[0]["local_optima"]["plateaus"], truth[0]["local_optima"]["global"]);
  EXPECT_EQ(truth[0]["importance"].size(), 5u);

  Words rank{"rank", "truth.db", "--objective", "latency", "--json"};
  for (const char* name : {"PagePolicy", "Scheduler", "RequestBufferSize", "RefreshMaxPostponed", "Arbiter"}) {
    rank.insert(rank.end(), {"--set", std::string(name) + "=" + table.at(17, name)});
  }
  const auto ranked = nlohmann::json::parse(good(rank));
  ASSERT_EQ(ranked.size(), 2u);
  EXPECT_EQ(ranked[0]["objective"].get<double>(), times[17]);
  EXPECT_EQ(ranked[0]["rank"], 1 + std::ranges::count_if(times, [&](double t) { return t < times[17]; }));
  EXPECT_DOUBLE_EQ(ranked[0]["relative_regret"].get<double>(), (times[17] - best) / best);
  expect_refused({"rank", "truth.db", "--set", "RequestBufferSize=3"}, 2, "it has 1, 2, 4");
  good({"sweep", "dram", "--trace", trace, "--space", space, "--sample", "10", "--out", "part.db"});
  expect_refused({"rank", "part.db"}, 1, "not a store of every point");
  expect_refused({"study", "truth", "part.db"}, 1, "not a store of every point");
  expect_refused({"study", "thruth", "truth.db"}, 2, "did you mean 'truth'");
  expect_refused({"study", "truth", "dram", "--trace", trace}, 2, "--out");
}

// Searches in the truth and searches that simulate, together, tell the same story.
TEST_F(Cli, RegretIsTheSameInATruthTableAndInSimulation) {
  const std::string trace = small_trace(80), space = small_space();
  good({"study", "truth", "dram", "--trace", trace, "--space", space, "--out", "truth.db"});
  const Words study{"--agents", "random,ga,sa:local,bo", "--seeds", "4", "--budget", "120", "--population", "10", "--json"};
  Words exact{"study", "regret", "truth.db"}, simulated{"study", "regret", "dram", "--trace", trace, "--space", space};
  exact.insert(exact.end(), study.begin(), study.end());
  simulated.insert(simulated.end(), study.begin(), study.end());
  const auto in_table = nlohmann::json::parse(good(exact));
  ASSERT_EQ(in_table.size(), 4u);
  for (const auto& entry : in_table) {
    double before = 1e300;
    for (const auto& at : entry["regret"]) {
      EXPECT_LE(at["median"].get<double>(), before);
      before = at["median"].get<double>();
    }
    EXPECT_EQ(entry["regret"].size(), 2u);  // at 100 and 120
  }
  ASSERT_TRUE(std::ranges::any_of(in_table, [](const auto& entry) { return entry["found"] > 0; }));
  EXPECT_EQ(nlohmann::json::parse(good(simulated)), in_table);
  const auto front = nlohmann::json::parse(
      good({"study", "front", "truth.db", "--seeds", "3", "--budget", "300", "--population", "20", "--json"}));
  ASSERT_EQ(front.size(), 2u);
  EXPECT_GT(front[0]["median_found"].get<double>(), 0.3);
  // A constraint is part of one objective; what nothing can meet is an error, not a regret of 0.
  const auto constrained =
      nlohmann::json::parse(good({"study", "regret", "truth.db", "--agents", "ga", "--seeds", "3", "--budget", "100",
                                  "--objective", "min:total_energy_pj, average_power_mw<=1e9", "--json"}));
  ASSERT_EQ(constrained.size(), 1u);
  EXPECT_EQ(constrained[0]["objective"], "min:total_energy_pj,average_power_mw<=1e9");
  expect_refused({"study", "regret", "dram", "--trace", trace, "--space", space, "--agents", "ga", "--seeds", "2", "--budget",
                  "50", "--objective", "latency, average_power_mw<=0"},
                 1, "no search saw a design that is feasible");
  expect_refused({"study", "regret", "truth.db", "--trace", "stream"}, 2, "--trace has no meaning for study regret of a store");
  expect_refused({"study", "front", "truth.db", "--objective", "energy"}, 2, "--objective has no meaning for study front");
  expect_refused({"study", "truth", "dram", "--trace", trace, "--space", space, "--out", "late.db", "--objective", "latencyy"}, 2,
                 "latency");
  EXPECT_FALSE(fs::exists(dir_ / "late.db")) << "a mistake that is found after the sweep";
  expect_refused({"study", "regret", "truth.db", "--agents", "gaa"}, 2, "did you mean 'ga'");
  expect_refused({"study", "regret", "truth.db", "--agents", ","}, 2, "--agents");
}

TEST_F(Cli, ASearchForSeveralObjectivesShowsAFront) {
  const std::string trace = small_trace(80), space = small_space();
  const Words words{"search", "dram",        "--trace",         trace,          "--space", space,           "--agent",
                    "nsga2",  "--objective", "latency; energy", "--population", "30",      "--generations", "8",
                    "--out",  "front.db",    "--json"};
  const auto json = nlohmann::json::parse(good(words));
  ASSERT_GE(json["best"].size(), 1u);
  std::vector<double> last{-1e300, 1e300};
  for (const auto& entry : json["best"]) {
    const auto values = entry["objective"].get<std::vector<double>>();
    ASSERT_EQ(values.size(), 2u);
    EXPECT_GT(values[0], last[0]);
    EXPECT_LT(values[1], last[1]);  // each step in time is paid for in energy
    last = values;
  }
  auto again = nlohmann::json::parse(good(words));  // from the store
  EXPECT_EQ(again["best"], json["best"]);
  EXPECT_NE(good({"best", "front.db", "--top", "1"}).find(" 1 "), std::string::npos);
  expect_refused({"search", "dram", "--trace", trace, "--agent", "ga", "--objective", "latency;energy", "--out", "x.db"}, 2,
                 "one objective, not 2");
  expect_refused(
      {"search", "dram", "--trace", trace, "--agent", "nsga2", "--objective", "latency;energy;power;edp", "--out", "x.db"}, 2,
      "up to 3");
}

TEST_F(Cli, ASearchIsDeterministic) {
  const std::string trace = small_trace(120);
  Words a = search_words(trace, "a.db"), b = search_words(trace, "b.db"), c = search_words(trace, "c.db");
  a.insert(a.end(), {"--threads", "1"});
  b.insert(b.end(), {"--threads", "4"});
  *std::ranges::find(c, "5") = "6";
  for (const Words& words : {a, b, c}) good(words);
  const std::string want = good({"export", "a.db"});
  EXPECT_EQ(lines_of(want).size(), 1u + 24 * 12);
  EXPECT_EQ(good({"export", "b.db"}), want);
  EXPECT_NE(good({"export", "c.db"}), want);
  EXPECT_EQ(good({"best", "b.db", "--top", "3"}), good({"best", "a.db", "--top", "3"}));
}

TEST_F(Cli, ASearchGoesOnToMoreGenerations) {
  const std::string trace = small_trace(120);
  Words few = search_words(trace, "a.db");
  *std::ranges::find(few, "12") = "4";
  good(few);
  EXPECT_EQ(lines_of(good({"export", "a.db"})).size(), 1u + 24 * 4);
  const Outcome more = run(search_words(trace, "a.db"));
  EXPECT_EQ(more.code, 0) << more.err;
  EXPECT_NE(more.err.find("continuing a.db after 4 generations"), std::string::npos) << more.err;
  good(search_words(trace, "b.db"));
  EXPECT_EQ(good({"export", "a.db"}), good({"export", "b.db"}));
}

TEST_F(Cli, ASearchThatIsDoneSaysSo) {
  const Words words = search_words(small_trace(120), "a.db");
  good(words);
  const std::string want = good({"export", "a.db"});
  for (const char* generations : {"12", "4"}) {
    Words again = words;
    *std::ranges::find(again, "12") = generations;
    const Outcome outcome = run(again);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err,
              std::string("exarch: a.db already holds 12 generations, --generations is ") + generations + "; nothing is run\n");
    EXPECT_NE(outcome.out.find("in 12 generations"), std::string::npos) << outcome.out;
  }
  EXPECT_EQ(good({"export", "a.db"}), want);
}

TEST_F(Cli, AnotherRunIsNotContinued) {
  const std::string trace = small_trace(40);
  const Words search = search_words(trace, "run.db");
  good(search);
  const std::string before = good({"export", "run.db"});
  Words seed = search, population = search, objective = search;
  *std::ranges::find(seed, "5") = "6";
  expect_refused(seed, 1, "seed is '5' there and '6' here");
  *std::ranges::find(population, "24") = "25";
  expect_refused(population, 1, "population is '24' there and '25' here");
  objective.insert(objective.end(), {"--objective", "energy"});
  expect_refused(objective, 1, "objective is ");
  Words other = search;
  *std::ranges::find(other, trace) = small_trace(41);
  expect_refused(other, 1, "workload");
  expect_refused({"sweep", "dram", "--trace", trace, "--sample", "5", "--out", "run.db"}, 1, "command is 'search' there");
  // The same name with another content is another trace.
  write_text(dir_ / trace, "0: read 0x0\n1: read 0x40\n");
  expect_refused(search, 1, "workload content");
  small_trace(40);
  EXPECT_EQ(good({"export", "run.db"}), before);
  good({"sweep", "dram", "--trace", trace, "--sample", "5", "--seed", "1", "--out", "sweep.db"});
  expect_refused({"sweep", "dram", "--trace", trace, "--sample", "5", "--seed", "2", "--out", "sweep.db"}, 1,
                 "seed is '1' there and '2' here");
}

TEST_F(Cli, AStoreIsUnderstoodFromAnyFolder) {
  fs::create_directories(dir_ / "a");
  fs::create_directories(dir_ / "b");
  fs::copy_file(EXARCH_SOURCE_DIR "/traces/dram/memspecs/MICRON_1Gb_DDR3-1600_8bit_G.json", dir_ / "a" / "memory.json");
  fs::rename(dir_ / small_trace(40), dir_ / "a" / "t.stl");
  folder_ = dir_ / "a";
  good({"sweep", "dram", "--trace", "t.stl,stream", "--memspec", "memory.json", "--clk_mhz", "800", "--sample", "5", "--out",
        "s.db"});
  const std::string exported = good({"export", "s.db"});
  EXPECT_TRUE(lines_of(exported)[1].starts_with(path("a/t.stl") + ",0,")) << exported;
  EXPECT_TRUE(lines_of(exported)[6].starts_with("stream,0,")) << exported;
  folder_ = dir_ / "b";
  EXPECT_EQ(good({"export", "../a/s.db"}), exported);
  good({"best", "../a/s.db"});
  // The same files and numbers in other words are the same run.
  const Outcome again = run({"sweep", "dram", "--trace", ".././a/t.stl,stream", "--memspec", path("a/memory.json"), "--clk_mhz",
                             "0800", "--sample", "005", "--seed", "01", "--out", "../a/s.db"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.err, "exarch: ../a/s.db already holds all 10 evaluations; nothing is run\n");
  for (const char* clock : {"+800", "800.0", "8e2", " 800", "-800"}) {
    expect_refused({"eval", "dram", "--trace", "stream", "--clk_mhz", clock}, 2, "clk_mhz");
  }
}

TEST_F(Cli, AStoreOfAnotherFormatIsRefused) {
  const std::string trace = small_trace(40);
  good(search_words(trace, "run.db"));
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path("run.db").c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "PRAGMA user_version=99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  expect_refused(search_words(trace, "run.db"), 1, "format version 99");
  expect_refused({"best", "run.db"}, 1, "format version 99");
  expect_refused({"export", "run.db"}, 1, "format version 99");
}

TEST_F(Cli, AFileThatIsNoStoreIsRefused) {
  write_text(dir_ / "text.db", "this is not a database, but it is long enough to be looked at as if it were one ...........\n");
  write_text(dir_ / "empty.db", "");
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path("other.db").c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "CREATE TABLE t(x)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  for (const char* name : {"text.db", "empty.db", "other.db", "nosuch.db"}) {
    expect_refused({"best", name}, 1, name);
    expect_refused({"export", name}, 1, name);
  }
  const std::string trace = small_trace(40);
  expect_refused(search_words(trace, "text.db"), 1, "text.db");
  expect_refused(search_words(trace, "other.db"), 1, "other.db");
  EXPECT_TRUE(read_text(path("text.db")).starts_with("this is not a database"));
  EXPECT_FALSE(fs::exists(dir_ / "nosuch.db"));
}

// ---- killed runs --------------------------------------------------------------------------------------------------------

class KilledRuns : public Cli {
 protected:
  // What the store holds so far, 0 while it cannot be read.
  [[nodiscard]] std::uint64_t stored(const std::string& name, const std::function<std::uint64_t(const RunStore&)>& count) const {
    if (!fs::exists(dir_ / name)) return 0;
    try {
      return count(RunStore(dir_ / name));
    } catch (const Error&) {
      return 0;
    }
  }
};

TEST_F(KilledRuns, ASweepContinuesToTheSameResult) {
  const std::string traces = small_trace(60) + "," + small_trace(61);
  const auto words = [&](const std::string& out) {
    return Words{"sweep", "dram", "--trace", traces, "--sample", "150000", "--seed", "9", "--out", out};
  };
  good(words("whole.db"));
  const std::string want = good({"export", "whole.db"});
  EXPECT_EQ(std::ranges::count(want, '\n'), 300001);
  const auto points = [](const RunStore& store) { return store.points_done(0) + store.points_done(1); };
  int killed = 0;
  // One store killed again and again: when the file appears, with the first points, with more.
  killed += kill_when(words("killed.db"), [&] { return fs::exists(dir_ / "killed.db"); }) ? 1 : 0;
  for (const std::uint64_t enough : {1u, 65537u, 131073u, 262145u}) {
    killed += kill_when(words("killed.db"), [&] { return stored("killed.db", points) >= enough; }) ? 1 : 0;
  }
  RecordProperty("killed", killed);
  EXPECT_GE(killed, 1);
  const Outcome last = run(words("killed.db"));
  EXPECT_EQ(last.code, 0) << last.err;
  EXPECT_EQ(stored("killed.db", points), 300000u);
  EXPECT_TRUE(good({"export", "killed.db"}) == want) << "the continued sweep differs from the uninterrupted one";
}

TEST_F(KilledRuns, ASweepThatKeepsTheBestContinuesToTheSameResult) {
  const std::string traces = small_trace(60) + "," + small_trace(61);
  const auto words = [&](const std::string& out) {
    return Words{"sweep", "dram", "--trace", traces, "--sample", "150000", "--seed", "9", "--keep", "best", "--out", out};
  };
  good(words("whole.db"));
  const auto points = [](const RunStore& store) { return store.points_done(0) + store.points_done(1); };
  int killed = 0;
  for (const std::uint64_t enough : {1u, 65537u, 262145u}) {
    killed += kill_when(words("killed.db"), [&] { return stored("killed.db", points) >= enough; }) ? 1 : 0;
  }
  EXPECT_GE(killed, 1);
  good(words("killed.db"));
  EXPECT_EQ(stored("killed.db", points), 300000u);
  EXPECT_EQ(good({"export", "killed.db"}), good({"export", "whole.db"}));
}

TEST_F(KilledRuns, ASearchContinuesToTheSameResult) {
  const std::string trace = small_trace(600);
  const auto words = [&](const std::string& out) {
    return Words{"search", "dram",          "--trace", trace,    "--agent", "ga",    "--population",
                 "200",    "--generations", "40",      "--seed", "5",       "--out", out};
  };
  good(words("whole.db"));
  const std::string want = good({"export", "whole.db"});
  EXPECT_EQ(std::ranges::count(want, '\n'), 1 + 200 * 40);
  const auto generations = [](const RunStore& store) -> std::uint64_t {
    const auto last = store.last_generation();
    return last ? last->generation + 1 : 0;
  };
  int killed = 0;
  killed += kill_when(words("killed.db"), [&] { return fs::exists(dir_ / "killed.db"); }) ? 1 : 0;
  for (const std::uint64_t enough : {1u, 3u, 8u, 15u, 25u}) {
    killed += kill_when(words("killed.db"), [&] { return stored("killed.db", generations) >= enough; }) ? 1 : 0;
  }
  RecordProperty("killed", killed);
  EXPECT_GE(killed, 1);
  const Outcome last = run(words("killed.db"));
  EXPECT_EQ(last.code, 0) << last.err;
  EXPECT_EQ(stored("killed.db", generations), 40u);
  EXPECT_EQ(stored("killed.db", [](const RunStore& store) { return store.result_count(); }),
            stored("whole.db", [](const RunStore& store) { return store.result_count(); }));
  EXPECT_TRUE(good({"export", "killed.db"}) == want) << "the continued search differs from the uninterrupted one";
  EXPECT_EQ(good({"best", "killed.db"}), good({"best", "whole.db"}));
}

// ---- the other verbs ----------------------------------------------------------------------------------------------------

TEST_F(Cli, EnvsAndSpaceDescribeTheEnvironment) {
  EXPECT_NE(good({"envs"}).find("RequestBufferSize"), std::string::npos);
  const auto envs = nlohmann::json::parse(good({"envs", "dram", "--json"}));
  EXPECT_EQ(envs[0]["name"], "dram");
  EXPECT_EQ(envs[0]["parameters"].size(), 12u);
  expect_refused({"envs", "drum"}, 2, "did you mean 'dram'");
  EXPECT_NE(good({"space", "dram"}).find("archgym-aco"), std::string::npos);
  const std::string space = small_space();
  const auto json = nlohmann::json::parse(good({"space", "dram", "--space", space, "--trace", small_trace(30), "--json"}));
  EXPECT_EQ(json[0]["points"].get<std::size_t>(), kSmallSpacePoints);
  EXPECT_LE(json[0]["classes"][path("small30.stl")].get<std::size_t>(), kSmallSpacePoints);
  write_text(dir_ / "bad.json", R"({"name": "bad", "parameters": {"PagePolcy": ["Open"]}})");
  expect_refused({"space", "dram", "--space", "bad.json"}, 2, "did you mean 'PagePolicy'");
  write_text(dir_ / "broken.json", "{");
  EXPECT_NE(run({"space", "dram", "--space", "broken.json"}).code, 0);
}

TEST_F(Cli, TraceListsInfosAndConverts) {
  const Words names = lines_of(good({"trace", "list"}));
  EXPECT_NE(std::ranges::find(names, "cloud-1"), names.end());
  const std::string text = good({"trace", "info", "stream"});
  EXPECT_NE(text.find("requests"), std::string::npos) << text;
  write_text(dir_ / "three.stl", "0: read 0x0\n5: write 0x40\n9: read 0x10000\n");
  const auto json = nlohmann::json::parse(good({"trace", "info", "three.stl", "--json"}));
  EXPECT_EQ(json["requests"], 3);
  EXPECT_EQ(json["reads"], 2);
  EXPECT_EQ(json["writes"], 1);
  EXPECT_EQ(json["last_issue"], 9);
  EXPECT_EQ(json["distinct_rows"], 2);
  write_text(dir_ / "r.trace", "LD 0x40\nST 0x80\n");
  EXPECT_EQ(good({"trace", "convert", "--from", "ramulator", "r.trace", "r.stl"}), "2 requests written to r.stl\n");
  EXPECT_EQ(read_text(path("r.stl")), "0:\tread\t0x40\n1:\twrite\t0x80\n");
  write_text(dir_ / "d.trace", "0x40 READ 3\n0x80 WRITE 7\n");
  good({"trace", "convert", "--from", "dramsim3", "d.trace", "d.stl"});
  EXPECT_EQ(read_text(path("d.stl")), "3:\tread\t0x40\n7:\twrite\t0x80\n");
  good({"trace", "convert", "--from", "stl", "three.stl", "copy.stl"});
  EXPECT_EQ(nlohmann::json::parse(good({"trace", "info", "copy.stl", "--json"}))["content_hash"], json["content_hash"]);
  good({"eval", "dram", "--trace", "r.stl"});
  expect_refused({"trace", "convert", "--from", "ramulatr", "r.trace", "r.stl"}, 2, "did you mean 'ramulator'");
  expect_refused({"trace", "convert", "r.trace", "r.stl"}, 2, "--from");
  expect_refused({"trace", "convert", "--from", "ramulator", "nosuch.trace", "n.stl"}, 1, "nosuch.trace");
  write_text(dir_ / "bad.trace", "LD 0x40\nXX 0x80\n");
  expect_refused({"trace", "convert", "--from", "ramulator", "bad.trace", "n.stl"}, 1, "bad.trace:2: ");
  EXPECT_FALSE(fs::exists(dir_ / "n.stl"));
  expect_refused({"trace", "info"}, 2, "trace info");
}

TEST_F(Cli, DoctorIsContent) {
  const std::string text = good({"doctor"});
  EXPECT_NE(text.find("self test: ok"), std::string::npos) << text;
  EXPECT_EQ(nlohmann::json::parse(good({"doctor", "--json"}))["environments"]["dram"]["self test"], "ok");
}

TEST_F(Cli, BenchReportsTheFiguresOfTheDocumentation) {
  const auto json = nlohmann::json::parse(good({"bench", "dram", "--designs", "10", "--rounds", "1", "--json"}));
  for (const char* trace : {"stream", "random", "cloud-1", "cloud-2"}) {
    for (const char* figure : {"evaluations_per_cpu_s", "requests_per_cpu_s", "ratio_to_reference_median",
                               "ratio_to_reference_fast", "exact_over_single_pass"}) {
      EXPECT_GT(json["traces"][trace][figure].get<double>(), 0) << trace << " " << figure;
    }
  }
  EXPECT_EQ(json["cost_per_request_relative"]["RequestBufferSize"]["8"], 1.0);
  EXPECT_GT(json["cost_per_request_relative"]["requests"]["10000000"].get<double>(), 0);
  EXPECT_EQ(json["designs"], 10);
  EXPECT_EQ(json["signature"], kSignature);
}

TEST_F(Cli, TheSignatureOfTheModelIsKnown) {
  const std::string text = good({"bench", "--signature"});
  ASSERT_EQ(text.size(), 17u) << text;
  EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), 16u) << text;
  EXPECT_EQ(text.substr(0, 16), kSignature);
}

}  // namespace
}  // namespace exarch
