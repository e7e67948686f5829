// Files and values as users of DRAMSys and other tools have them: read with the right meaning, warned of, or refused with advice.
// cases/dram holds a trace, a memory and a mapping that fit together; every test changes one thing.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <utility>

#include "tests/support/cli.hpp"

namespace exarch {
namespace {

using namespace testing;
using Json = nlohmann::json;

constexpr std::int64_t kBaseTime_ps = 2296468;  // of the reference simulator, with the default design
constexpr double kBaseEnergy_pj = 1283712.14;

class DramCases : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    for (const char* name : {"base.stl", "base.stl.gz", "memspec.json", "mapping.json"}) {
      fs::copy_file(fs::path(EXARCH_TEST_DATA "/cli/cases/dram") / name, dir_ / name);
    }
  }

  [[nodiscard]] Json file(const std::string& name) const { return Json::parse(read_text(dir_ / name)); }
  void save(const std::string& name, const Json& json) const { write_text(dir_ / name, json.dump(1)); }

  // The memory with every current in A, as DRAMSys 5 has them.
  [[nodiscard]] Json in_amperes() const {
    Json memory = file("memspec.json");
    for (auto& [key, value] : memory["memspec"]["mempowerspec"].items()) {
      if (key != "vdd") value = value.get<double>() / 1000;
    }
    return memory;
  }

  [[nodiscard]] static Words eval(const std::string& trace, const std::string& memspec, const std::string& mapping) {
    return {"eval", "dram", "--trace", trace, "--memspec", memspec, "--addressmapping", mapping, "--clk_mhz", "667"};
  }

  // The result, and that each warning stands in the JSON and on standard error.
  [[nodiscard]] Json result(Words words) const {
    words.emplace_back("--json");
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 0) << joined(words) << "\n" << outcome.err;
    Json json = outcome.code == 0 ? Json::parse(outcome.out) : Json{{"warnings", Json::array()}};
    for (const Json& warning : json["warnings"]) {
      EXPECT_NE(outcome.err.find("exarch: warning: " + warning.get<std::string>() + "\n"), std::string::npos) << outcome.err;
    }
    return json;
  }

  static void expect_base(const Json& json) {
    EXPECT_EQ(json["metrics"]["total_time_ps"], kBaseTime_ps);
    EXPECT_NEAR(json["metrics"]["total_energy_pj"].get<double>(), kBaseEnergy_pj, 0.005);
  }

  // One warning, with all these texts in it.
  static void expect_warning(const Json& json, const Words& texts) {
    ASSERT_EQ(json["warnings"].size(), 1u) << json["warnings"];
    for (const std::string& text : texts) {
      EXPECT_NE(json["warnings"][0].get<std::string>().find(text), std::string::npos) << text << " in " << json["warnings"];
    }
  }
};

// ---- memory specifications ----------------------------------------------------------------------------------------------

TEST_F(DramCases, TheBaseHasTheReferencesNumbersAndNoWarning) {
  const Json json = result(eval("base.stl", "memspec.json", "mapping.json"));
  expect_base(json);
  EXPECT_EQ(json["warnings"], Json::array());
}

TEST_F(DramCases, NbrOfDevicesIsNbrOfDevicesOnDIMM) {
  Json memory = file("memspec.json");
  Json& architecture = memory["memspec"]["memarchitecturespec"];
  architecture["nbrOfDevices"] = architecture["nbrOfDevicesOnDIMM"];
  save("both.json", memory);
  expect_base(result(eval("base.stl", "both.json", "mapping.json")));
  architecture.erase("nbrOfDevicesOnDIMM");
  save("new.json", memory);
  const Json json = result(eval("base.stl", "new.json", "mapping.json"));
  expect_base(json);
  EXPECT_EQ(json["warnings"], Json::array());
}

TEST_F(DramCases, AMemoryOfDRAMSys5IsReadUnitsIncluded) {
  Json memory = in_amperes();
  Json& spec = memory["memspec"];
  spec["memarchitecturespec"]["nbrOfDevices"] = spec["memarchitecturespec"]["nbrOfDevicesOnDIMM"];
  spec["memarchitecturespec"].erase("nbrOfDevicesOnDIMM");
  spec["memarchitecturespec"]["maxBurstLength"] = 8;
  spec["memtimingspec"].erase("clkMhz");
  spec["memtimingspec"]["tCK"] = 1.5e-9;
  save("new.json", memory);
  const Json json = result(eval("base.stl", "new.json", "mapping.json"));
  expect_base(json);
  // The currents arrive exactly, so the energy is the same double.
  EXPECT_EQ(json["metrics"]["total_energy_pj"],
            result(eval("base.stl", "memspec.json", "mapping.json"))["metrics"]["total_energy_pj"]);
  expect_warning(json, {"tCK of 1.5e-09 s", "667 MHz", "1499 ps"});

  spec["memtimingspec"]["tCK"] = 1.25e-9;
  save("whole.json", memory);
  EXPECT_EQ(result(eval("base.stl", "whole.json", "mapping.json"))["warnings"], Json::array());
  spec["memtimingspec"]["tCK"] = 1.25;
  save("ns.json", memory);
  expect_refused(eval("base.stl", "ns.json", "mapping.json"), 1, "memtimingspec.tCK: expected the cycle time in seconds");
  spec["memtimingspec"]["tCK"] = 1.25e-9;
  spec["mempowerspec"]["idd0"] = 60.0;
  save("mixed.json", memory);
  expect_refused(eval("base.stl", "mixed.json", "mapping.json"), 1, "idd0 60.0 only mA");
}

TEST_F(DramCases, TwoSpellingsThatDisagreeAreOneErrorThatNamesAll) {
  Json memory = file("memspec.json");
  memory["memspec"]["memarchitecturespec"]["nbrOfDevices"] = 4;
  memory["memspec"]["memarchitecturespec"]["maxBurstLength"] = 4;
  memory["memspec"]["memtimingspec"]["tCK"] = 1.25e-9;
  save("new.json", memory);
  const Outcome outcome = run(eval("base.stl", "new.json", "mapping.json"));
  EXPECT_EQ(outcome.code, 1);
  for (const char* part : {"nbrOfDevicesOnDIMM 2 and nbrOfDevices 4", "burstLength 8 and maxBurstLength 4",
                           "clkMhz 667 and tCK 1.25e-09 s (800 MHz)", "new.json:"}) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << "\n" << outcome.err;
  }
  EXPECT_EQ(lines_of(outcome.err).size(), 1u) << outcome.err;
}

TEST_F(DramCases, ImplausibleCurrentsKeepTheReferencesNumberAndAreWarnedOf) {
  save("new.json", in_amperes());
  const Json json = result(eval("base.stl", "new.json", "mapping.json"));
  EXPECT_EQ(json["metrics"]["total_time_ps"], kBaseTime_ps);
  EXPECT_NEAR(json["metrics"]["total_energy_pj"].get<double>(), kBaseEnergy_pj / 1000, 0.01);
  expect_warning(json, {"implausible current", "idd0 0.06 mA", "DRAMSys 5 writes A"});

  Json one = file("memspec.json");
  one["memspec"]["mempowerspec"]["idd4r"] = 0.15;
  one["memspec"]["mempowerspec"]["vdd"] = 1.5e2;
  save("one.json", one);
  const Json warned = result(eval("base.stl", "one.json", "mapping.json"));
  EXPECT_EQ(warned["warnings"].size(), 3u) << warned["warnings"];  // the current, the voltage, and a negative share
}

TEST_F(DramCases, CurrentsThatMakeSharesNegativeAreNamed) {
  Json memory = file("memspec.json");
  memory["memspec"]["mempowerspec"]["idd4r"] = 20.0;
  memory["memspec"]["mempowerspec"]["idd0"] = 30.0;
  save("new.json", memory);
  const Json json = result(eval("base.stl", "new.json", "mapping.json"));
  EXPECT_LT(json["metrics"]["energy_read_pj"].get<double>(), 0);
  EXPECT_LT(json["metrics"]["energy_activate_pj"].get<double>(), 0);
  expect_warning(json, {"negative", "idd4r 20.0 below idd3n 41.0", "idd0 30.0 below idd3n 41.0", "idd0 30.0 below idd2n 35.0"});
}

TEST_F(DramCases, AnEditedCLIsSaidToHaveNoEffect) {
  Json memory = file("memspec.json");
  memory["memspec"]["memtimingspec"]["CL"] = 11;
  save("new.json", memory);
  const Json json = result(eval("base.stl", "new.json", "mapping.json"));
  expect_base(json);
  expect_warning(json, {"RL 9 counts, CL 11 has no effect", "RL should be AL + CL = 11"});
  memory["memspec"]["memtimingspec"]["RL"] = 11;
  save("both.json", memory);
  EXPECT_EQ(result(eval("base.stl", "both.json", "mapping.json"))["warnings"], Json::array());
}

TEST_F(DramCases, ARefreshThatTakesAllTheTimeIsGivenAsTheReason) {
  Json memory = file("memspec.json");
  memory["memspec"]["memtimingspec"]["REFI"] = 76;
  save("new.json", memory);
  Words words = eval("base.stl", "new.json", "mapping.json");
  expect_warning(result(words), {"REFI 76 is too short", "RFC 74"});  // no refresh: the run ends
  words.insert(words.end(), {"--set", "RefreshPolicy=AllBank"});
  const Outcome text = run(words);
  EXPECT_EQ(text.code, 1);
  EXPECT_NE(text.out.find("status step_limit\nthe run did not end"), std::string::npos) << text.out;
  words.emplace_back("--json");
  const Json json = Json::parse(run(words).out);
  EXPECT_EQ(json["status"], "step_limit");
  const auto reason = json["why"][0].get<std::string>();
  for (const char* part : {"REFI = 76", "RFC = 74", "leaves no time for an access", "NoRefresh"}) {
    EXPECT_NE(reason.find(part), std::string::npos) << part << "\n" << reason;
  }
}

// A refresh that leaves time for an access may still never leave it where the access falls: the status says so, the load does
// not.
TEST_F(DramCases, ARefreshThatAlwaysComesBetweenIsGivenAsTheReasonToo) {
  Json memory = file("memspec.json");
  memory["memspec"]["memtimingspec"]["REFI"] = 107;
  save("new.json", memory);
  Words words = eval("base.stl", "new.json", "mapping.json");
  words.insert(words.end(), {"--set", "RefreshPolicy=AllBank", "--json"});
  for (const char* engine : {"fast", "reference"}) {
    Words with = words;
    with.insert(with.end(), {"--engine", engine});
    const Json json = Json::parse(run(with).out);
    EXPECT_EQ(json["status"], "step_limit") << engine;
    EXPECT_EQ(json["warnings"], Json::array());
    EXPECT_NE(json["why"][0].get<std::string>().find("REFI = 107 cycles and takes RFC = 74 and waits for open banks"),
              std::string::npos)
        << json["why"];
  }
}

// ---- address mappings ---------------------------------------------------------------------------------------------------

TEST_F(DramCases, TheRootOfDRAMSys5IsReadAsCONGEN) {
  Json mapping = file("mapping.json");
  mapping["addressmapping"] = mapping["CONGEN"];
  save("both.json", mapping);
  expect_refused(eval("base.stl", "memspec.json", "both.json"), 1, "the file has both, keep one");
  mapping.erase("CONGEN");
  save("new.json", mapping);
  expect_base(result(eval("base.stl", "memspec.json", "new.json")));
}

TEST_F(DramCases, ABitInNoFieldIsNamedWithTheRequestsThatAlias) {
  Json mapping = file("mapping.json");
  mapping["CONGEN"]["ROW_BIT"] = {16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27};
  save("new.json", mapping);
  write_text(dir_ / "alias.stl", "0: read 0x0\n1: read 0x8000\n2: read 0x0\n3: read 0x8000\n4: read 0x8100\n");
  const Json json = result(eval("alias.stl", "memspec.json", "new.json"));
  expect_warning(json, {"'new': bit 15 is in no field", "4 of 5 requests of", "alias"});
  EXPECT_EQ(json["counters"]["row_hits"], 4);  // one row, as the reference has it
  write_text(dir_ / "below.stl", "0: read 0x0\n1: read 0x4000\n2: read 0x10000\n");
  EXPECT_EQ(result(eval("below.stl", "memspec.json", "new.json"))["warnings"], Json::array());
}

TEST_F(DramCases, BankBitsInsideABurstAreWarnedOf) {
  Json mapping = file("mapping.json");
  mapping["CONGEN"]["BANK_BIT"] = {2, 3, 4};
  mapping["CONGEN"]["COLUMN_BIT"] = {5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
  save("new.json", mapping);
  const Json json = result(eval("base.stl", "memspec.json", "new.json"));
  EXPECT_EQ(json["metrics"]["total_time_ps"], 10326611);
  expect_warning(json, {"BANK_BIT bit 2, 3, 4 inside a burst of 32 bytes (bits 0 to 4)", "are in bank 0"});
}

TEST_F(DramCases, AMappingThatDoesNotFitNamesShippedOnesThatDo) {
  expect_refused(
      {"eval", "dram", "--trace", "stream", "--memspec", "MICRON_2Gb_DDR3-1600_16bit_D", "--addressmapping", "am_ddr3_x16_rbc"},
      1, "shipped address mappings that fit: am_ddr3_8x1Gbx8_dimm_p1KB_brc");
  expect_refused(eval("base.stl", "memspec.json", "am_ddr3_x16_rbc"), 1, "no shipped address mappings fit");
  const Json dram = Json::parse(good({"envs", "dram", "--json"}))[0];
  std::set<std::string> options;
  for (const Json& option : dram["workload"]) {
    if (option.contains("shipped")) options.insert(option["name"]);
  }
  EXPECT_EQ(options, (std::set<std::string>{"trace", "memspec", "addressmapping"}));
  EXPECT_NE(good({"envs", "dram"}).find("MICRON_2Gb_DDR3-1600_16bit_D"), std::string::npos);
}

// Nothing that is shipped draws a warning that is not true.
TEST_F(DramCases, ShippedMemoriesAndMappingsAreNotWarnedOf) {
  const Json dram = Json::parse(good({"envs", "dram", "--json"}))[0];
  std::string rows = "trace,memspec,addressmapping,power_analysis\n";
  for (const Json& option : dram["workload"]) {
    if (option["name"] != "memspec") continue;
    for (const Json& shipped : option["shipped"]) {
      std::istringstream words(shipped["doc"].get<std::string>());
      for (std::string word; words >> word;) {
        if (word.starts_with("am_")) rows += "base.stl," + shipped["name"].get<std::string>() + "," + word + ",\n";
      }
    }
  }
  write_text(dir_ / "all.csv", rows);
  EXPECT_GT(lines_of(rows).size(), 30u);
  const Outcome outcome = run({"eval", "dram", "--in", "all.csv"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err.find("warning"), std::string::npos) << outcome.err;
}

// ---- traces -------------------------------------------------------------------------------------------------------------

TEST_F(DramCases, LengthsInBytesAreBurstsAtTheSameTime) {
  write_text(dir_ / "long.stl", "0: (64) read 0x0\n10: (32) write 0x100\n");
  write_text(dir_ / "plain.stl", "0: read 0x0\n0: read 0x20\n10: write 0x100\n");
  const Json json = result(eval("long.stl", "memspec.json", "mapping.json"));
  expect_warning(json, {"1 request of", "longer than a burst of 32 bytes", "3 requests in all"});
  EXPECT_EQ(json["metrics"], result(eval("plain.stl", "memspec.json", "mapping.json"))["metrics"]);
  const auto info = [this](const std::string& trace) {
    return Json::parse(good({"trace", "info", trace, "--memspec", "memspec.json", "--addressmapping", "mapping.json", "--json"}));
  };
  EXPECT_EQ(info("long.stl")["requests"], 3);
  EXPECT_EQ(info("long.stl")["content_hash"], info("plain.stl")["content_hash"]);
  EXPECT_EQ(info("long.stl")["warnings"].size(), 1u);

  good({"trace", "convert", "--from", "stl", "long.stl", "copy.stl"});
  EXPECT_EQ(info("copy.stl")["content_hash"], info("plain.stl")["content_hash"]);

  write_text(dir_ / "gaps.rstl", "5: (96) read 0x0\n7: read 0x100\n");
  write_text(dir_ / "same.rstl", "5: read 0x0\n0: read 0x20\n0: read 0x40\n7: read 0x100\n");
  EXPECT_EQ(info("gaps.rstl")["content_hash"], info("same.rstl")["content_hash"]);

  write_text(dir_ / "one.stl", "0: (32) read 0x0\n");
  EXPECT_EQ(info("one.stl")["warnings"], Json::array());
}

TEST_F(DramCases, OtherLengthsAreExplained) {
  write_text(dir_ / "part.stl", "0: read 0x0\n1: (48) read 0x40\n");
  expect_refused(eval("part.stl", "memspec.json", "mapping.json"), 1, "part.stl:2: the length in parentheses is in bytes");
  expect_refused(eval("part.stl", "memspec.json", "mapping.json"), 1, "a multiple of 32");
  for (const char* length : {"(0)", "(x)", "(64", "()", "(65537)", "(64)read"}) {
    write_text(dir_ / "bad.stl", std::string("0: ") + length + " read 0x0\n");
    expect_refused(eval("bad.stl", "memspec.json", "mapping.json"), 1, "bad.stl:1: length '" + std::string(length) + "'");
  }
  write_text(dir_ / "end.stl", "0: (64) read 0xffffffffffffffe0\n");
  expect_refused(eval("end.stl", "memspec.json", "mapping.json"), 1, "does not fit in 64 bits");
}

TEST_F(DramCases, CompressedTracesAreReadUnderTheirOwnName) {
  expect_base(result(eval("base.stl.gz", "memspec.json", "mapping.json")));
  EXPECT_EQ(Json::parse(good({"trace", "convert", "--from", "stl", "base.stl.gz", "copy.stl", "--json"}))["requests"], 200);
  fs::copy_file(dir_ / "base.stl.gz", dir_ / "gaps.rstl.gz");
  EXPECT_EQ(Json::parse(good({"trace", "info", "gaps.rstl.gz", "--json"}))["relative"], true);
  expect_refused({"trace", "convert", "--from", "stl", "base.stl", "copy.stl.gz"}, 2, "leave out .gz");
}

TEST_F(DramCases, ACommaMayBePartOfATracesName) {
  fs::copy_file(dir_ / "base.stl", dir_ / "two_phases,run1.stl");
  const Json whole = result(eval("two_phases,run1.stl", "memspec.json", "mapping.json"));
  expect_base(whole);
  Words words = eval("base.stl,two_phases,run1.stl,base.stl.gz", "memspec.json", "mapping.json");
  words.emplace_back("--json");
  const Json several = Json::parse(good(words));
  ASSERT_EQ(several.size(), 3u);
  for (const Json& one : several) expect_base(one);
}

TEST_F(DramCases, OtherToolsWordsAreConvertedAsTheirToolsReadThem) {
  const auto converted = [this](const std::string& from, const std::string& text) {
    write_text(dir_ / "in.trace", text);
    good({"trace", "convert", "--from", from, "in.trace", "out.stl"});
    return read_text(dir_ / "out.stl");
  };
  EXPECT_EQ(converted("ramulator", "LD 4096\nST 8192\nLD 0x3000\n"), "0:\tread\t0x1000\n1:\twrite\t0x2000\n2:\tread\t0x3000\n");
  const std::string k6 = "0x1000 P_MEM_RD 10\n0x2000 P_MEM_WR 25\n0x1040 P_FETCH 31\n0x1080 BOFF 40\n";
  EXPECT_EQ(converted("dramsim2", k6), "10:\tread\t0x1000\n25:\twrite\t0x2000\n31:\tread\t0x1040\n40:\twrite\t0x1080\n");
  EXPECT_EQ(converted("dramsim3", k6), converted("dramsim2", k6));
  EXPECT_EQ(converted("dramsim3", "0x1000 read 10\n0x2000 write 25\n"), "10:\tread\t0x1000\n25:\twrite\t0x2000\n");
  const auto refused = [this](const std::string& from, const std::string& text, const std::string& said) {
    write_text(dir_ / "in.trace", text);
    expect_refused({"trace", "convert", "--from", from, "in.trace", "out.stl"}, 1, said);
  };
  refused("ramulator", "LD 4k\n", "neither decimal nor hexadecimal with 0x");
  refused("ramulator", "R 0,1,2,3\n", "Ramulator 2's read/write traces");
  refused("dramsim2", "0x1000 P_INT_ACK 10\n", "unknown command 'P_INT_ACK'");
}

// ---- values that only the reference has ---------------------------------------------------------------------------------

TEST_F(DramCases, ValuesThatOnlyTheReferenceHasAreSaidToBeSuch) {
  const std::map<std::string, std::string> lacking{{"RefreshPolicy=PerBank", "LPDDR4 and HBM2"},
                                                   {"RefreshPolicy=Bankwise", "older name of PerBank"},
                                                   {"RefreshPolicy=SameBank", "DDR5"},
                                                   {"RefreshPolicy=Groupwise", "DDR5"},
                                                   {"RefreshPolicy=Per2Bank", "LPDDR5"},
                                                   {"Scheduler=GrpFrFcfs", "later DRAMSys releases"},
                                                   {"Scheduler=GrpFrFcfsWm", "later DRAMSys releases"},
                                                   {"CmdMux=Strict", "order of the requests"},
                                                   {"PowerDownPolicy=Staggered", "powers idle ranks down"}};
  for (const auto& [setting, reason] : lacking) {
    const Words words{"eval", "dram", "--trace", "base.stl", "--set", setting};
    expect_refused(words, 2, "the reference knows '" + setting.substr(setting.find('=') + 1) + "', this model does not");
    expect_refused(words, 2, reason);
    EXPECT_EQ(run(words).err.find("did you mean"), std::string::npos) << setting;
  }
}

TEST_F(DramCases, RankwiseIsTheOlderNameOfAllBank) {
  Words words = eval("base.stl", "memspec.json", "mapping.json");
  words.insert(words.end(), {"--set", "RefreshPolicy=Rankwise"});
  const Json older = result(words);
  EXPECT_EQ(older["design"]["RefreshPolicy"], "AllBank");
  words.back() = "RefreshPolicy=AllBank";
  EXPECT_EQ(result(words)["metrics"], older["metrics"]);
  write_text(dir_ / "space.json", R"({"name": "twice", "parameters": {"RefreshPolicy": ["Rankwise", "AllBank"]}})");
  expect_refused({"space", "dram", "--space", "space.json"}, 2, "value AllBank is listed twice");
}

// ---- what the pages say -------------------------------------------------------------------------------------------------

// Every range that a table of docs/ gives for a parameter or a workload option is the program's.
TEST_F(DramCases, TheRangesInTheDocumentationAreTheProgramsOwn) {
  std::map<std::string, std::set<std::pair<std::uint64_t, std::uint64_t>>> ranges;
  for (const Json& environment : Json::parse(good({"envs", "--json"}))) {
    for (const char* table : {"parameters", "workload"}) {
      for (const Json& entry : environment[table]) {
        if (!entry.contains("minimum")) continue;
        ranges[entry["name"].get<std::string>()].emplace(entry["minimum"].get<std::uint64_t>(),
                                                         entry["maximum"].get<std::uint64_t>());
      }
    }
  }
  const std::regex range(R"(([0-9][0-9,]*) to (2\^32 - 1|[0-9][0-9,]*))");
  const std::regex name("[A-Za-z_][A-Za-z0-9_]*");
  const auto number = [](std::string text) {
    if (text == "2^32 - 1") return std::uint64_t{0xFFFFFFFFu};
    std::erase(text, ',');
    return static_cast<std::uint64_t>(std::stoull(text));
  };
  std::size_t checked = 0;
  for (const char* page : {"formats.md", "models.md"}) {
    for (const std::string& line : lines_of(read_text(fs::path(EXARCH_SOURCE_DIR) / "docs" / page))) {
      if (!line.starts_with("| ")) continue;
      const std::string cell = line.substr(1, line.find('|', 1) - 1), rest = line.substr(line.find('|', 1));
      for (std::sregex_iterator word(cell.begin(), cell.end(), name), end; word != end; ++word) {
        const auto known = ranges.find(word->str());
        if (known == ranges.end()) continue;
        for (std::sregex_iterator found(rest.begin(), rest.end(), range); found != end; ++found) {
          EXPECT_TRUE(known->second.contains({number((*found)[1]), number((*found)[2])})) << page << ": " << line;
          ++checked;
        }
      }
    }
  }
  EXPECT_GE(checked, 8u);
}

// Rows of any memory, in the columns in which runs of DRAMSys are recorded; the answer has a value per channel.
TEST_F(DramCases, RowsOfAnyMemoryHaveAnAnswerEach) {
  write_text(dir_ / "rows.csv",
             "family,memspec,addressmapping,trace,clk_mhz,RefreshPolicy,CmdMux,power_analysis,total_time_ps\n"
             "hbm2,HBM2,am_hbm2_8Gb_pc_brc,ranktest,200,PerBank,Oldest,False,1\n"
             "none,HBM9,am_hbm2_8Gb_pc_brc,ranktest,200,PerBank,Oldest,False,1\n"
             "wideio,JEDEC_256Mb_WIDEIO-200_128bit,am_wideio_4x256Mb_brc,ranktest+stream,200+400,AllBank,Strict,True,1\n");
  const Outcome outcome = run({"eval", "dram", "--in", "rows.csv", "--out", "out.csv"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("left out: family, total_time_ps"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("rows.csv:3: "), std::string::npos) << outcome.err;
  const Words lines = lines_of(read_text(dir_ / "out.csv"));
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0],
            "memspec,addressmapping,trace,clk_mhz,RefreshPolicy,CmdMux,power_analysis,status,total_time_ps,total_energy_pj,"
            "average_power_mw,avg_bw_gbps,avg_bw_idle_gbps,message");
  EXPECT_NE(lines[1].find(",False,ok,"), std::string::npos) << lines[1];
  EXPECT_NE(lines[1].find(",,,"), std::string::npos) << "no energy: " << lines[1];
  EXPECT_NE(lines[2].find(",error,,,,,,"), std::string::npos) << lines[2];
  EXPECT_EQ(std::count(lines[3].begin(), lines[3].end(), '|'), 5 * 3) << lines[3];

  const Words json = lines_of(run({"eval", "dram", "--in", "rows.csv", "--json", "--engine", "reference"}).out);
  ASSERT_EQ(json.size(), 3u);
  EXPECT_EQ(Json::parse(json[0])["total_time_ps"].size(), 1u);
  EXPECT_EQ(Json::parse(json[1])["status"], "error");
  EXPECT_EQ(Json::parse(json[2])["total_energy_pj"].size(), 4u);
  write_text(dir_ / "typo.csv", "memspec,trace,PagePolcy,power_analysis\nHBM2,stream,Open,False\n");
  expect_refused({"eval", "dram", "--in", "typo.csv"}, 2, "did you mean 'PagePolicy'");
  // What is said for all rows is wrong before any of them.
  expect_refused({"eval", "dram", "--in", "rows.csv", "--set", "PagePolcy=Closed"}, 2, "did you mean 'PagePolicy'");
  expect_refused({"eval", "dram", "--in", "rows.csv", "--set", "PagePolicy=Clsed"}, 2, "PagePolicy");
  expect_refused({"eval", "dram", "--in", "rows.csv", "--clk_mhz", "0"}, 2, "clk_mhz");
  // A trace that a row names is not written over; one that lasts too long is an error of its row.
  write_text(dir_ / "mine.stl", "0: read 0x0\n");
  write_text(dir_ / "long.stl", "0: read 0x0\n4294967294: read 0x40\n");
  write_text(dir_ / "own.csv", "trace,clk_mhz,power_analysis\nranktest,200,True\nranktest+mine.stl,200,True\n");
  expect_refused({"eval", "dram", "--in", "own.csv", "--out", "mine.stl"}, 2, "choose another file");
  EXPECT_EQ(read_text(dir_ / "mine.stl"), "0: read 0x0\n");
  write_text(dir_ / "own.csv", "trace,clk_mhz,power_analysis,RefreshPolicy\nlong.stl,1,True,AllBank\n");
  EXPECT_NE(run({"eval", "dram", "--in", "own.csv"}).out.find("2^40"), std::string::npos);
}

TEST_F(DramCases, ShippedFilesAreListedWithWhatFits) {
  EXPECT_NE(good({"list", "dram", "memspecs"}).find("HBM2 at 1000 MHz"), std::string::npos);
  EXPECT_NE(good({"list", "dram", "mappings"}).find("am_wideio_4x256Mb_brc"), std::string::npos);
  EXPECT_NE(good({"list", "dram", "traces", "--json"}).find("\"cloud-1\""), std::string::npos);
  expect_refused({"list", "dram", "memspec5"}, 2, "expected one of");
}

}  // namespace
}  // namespace exarch
