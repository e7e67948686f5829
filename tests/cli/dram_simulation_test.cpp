// DRAMSys' own files: a simulation with all that it names, a controller; and a design written back as such files.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/cli.hpp"

namespace exarch {
namespace {

using namespace testing;
using Json = nlohmann::json;

class DramSimulations : public Cli {
 protected:
  void SetUp() override {
    Cli::SetUp();
    for (const char* name : {"base.stl", "base.stl.gz", "memspec.json", "mapping.json"}) {
      fs::copy_file(fs::path(EXARCH_TEST_DATA "/cli/cases/dram") / name, dir_ / name);
    }
    save("controller.json", {{"mcconfig", controller()}});
    save("run.json", {{"simulation", simulation()}});
  }

  static Json controller() {
    return {{"PagePolicy", "Closed"},           {"Scheduler", "FrFcfs"},    {"SchedulerBuffer", "Bankwise"},
            {"RequestBufferSize", 8},           {"CmdMux", "Oldest"},       {"RespQueue", "Fifo"},
            {"RefreshPolicy", "AllBank"},       {"RefreshMaxPostponed", 8}, {"RefreshMaxPulledin", 8},
            {"PowerDownPolicy", "NoPowerDown"}, {"Arbiter", "Fifo"},        {"MaxActiveTransactions", 128}};
  }

  static Json simulation() {
    return {{"simulationid", "own"},
            {"memspec", "memspec.json"},
            {"addressmapping", "mapping.json"},
            {"mcconfig", "controller.json"},
            {"tracesetup", Json::array({{{"clkMhz", 667}, {"name", "base.stl"}}})}};
  }

  void save(const std::string& name, const Json& json) const { write_text(dir_ / name, json.dump(1)); }

  [[nodiscard]] Json result(Words words) const {
    words.emplace_back("--json");
    return Json::parse(good(words));
  }

  static Words workload() {
    return {"--trace", "base.stl", "--memspec", "memspec.json", "--addressmapping", "mapping.json", "--clk_mhz", "667"};
  }

  static Words eval(const Words& more) {
    Words words{"eval", "dram"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(DramSimulations, AFileStandsForAllThatItNames) {
  Words words = eval(workload());
  const Json controller_values = controller();
  for (const auto& [name, value] : controller_values.items()) {
    words.emplace_back("--set");
    words.push_back(name + "=" + (value.is_string() ? value.get<std::string>() : value.dump()));
  }
  const Json by_hand = result(words), by_file = result(eval({"--simulation", "run.json"}));
  EXPECT_EQ(by_file["metrics"], by_hand["metrics"]);
  EXPECT_EQ(by_file["design"], by_hand["design"]);
  EXPECT_NE(by_file["metrics"], result(eval(workload()))["metrics"]) << "the controller makes no difference";

  // What is given beside it counts more.
  EXPECT_EQ(result(eval({"--simulation", "run.json", "--set", "PagePolicy=Open"}))["design"]["PagePolicy"], "Open");
  EXPECT_EQ(result(eval({"--simulation", "run.json", "--clk_mhz", "400"}))["workload"]["clk_mhz"], "400");
  // Looked at in detail it is the same run.
  EXPECT_EQ(result(eval({"--simulation", "run.json", "--explain"}))["total_time_ps"], by_file["metrics"]["total_time_ps"]);
  Words own = workload();
  own.insert(own.end(), {"--mcconfig", "controller.json"});
  EXPECT_EQ(result(eval(own))["metrics"], by_hand["metrics"]);
}

// DRAMSys keeps the kinds of files in folders of their own.
TEST_F(DramSimulations, FilesAreFoundWhereDRAMSysKeepsThem) {
  const Json expected = result(eval({"--simulation", "run.json"}))["metrics"];
  for (const char* folder : {"four/simulations", "four/configs/memspecs", "four/configs/amconfigs", "four/configs/mcconfigs",
                             "four/traces", "five/memspec", "five/traces"}) {
    fs::create_directories(dir_ / folder);
  }
  const auto copy = [this](const char* from, const char* to) { fs::copy_file(dir_ / from, dir_ / to); };
  copy("run.json", "four/simulations/run.json");
  copy("memspec.json", "four/configs/memspecs/memspec.json");
  copy("mapping.json", "four/configs/amconfigs/mapping.json");
  copy("controller.json", "four/configs/mcconfigs/controller.json");
  copy("base.stl", "four/traces/base.stl");
  EXPECT_EQ(result(eval({"--simulation", "four/simulations/run.json"}))["metrics"], expected);

  copy("memspec.json", "five/memspec/memspec.json");
  copy("base.stl", "five/traces/base.stl");
  copy("mapping.json", "five/mapping.json");
  copy("controller.json", "five/controller.json");
  Json five = simulation();
  five["memspec"] = "memspec/memspec.json";
  five["tracesetup"][0] = {{"type", "player"}, {"clkMhz", 667}, {"dataLength", 32}, {"name", "traces/base.stl"}};
  save("five/run.json", {{"simulation", five}});
  EXPECT_EQ(result(eval({"--simulation", "five/run.json"}))["metrics"], expected);
  // A shipped one, whose controller is not shipped.
  const std::string shipped = EXARCH_SOURCE_DIR "/traces/dram/simulations/ddr3-example.json";
  expect_refused(eval({"--simulation", shipped}), 1, "mcconfig: there is no file 'policy.json'");
  EXPECT_EQ(result(eval({"--simulation", shipped, "--mcconfig", "controller.json"}))["design"]["PagePolicy"], "Closed");
}

TEST_F(DramSimulations, TheSettingsHaveTheAddressOffset) {
  write_text(dir_ / "base.stl", "0: read 0x1000\n9: write 0x2000\n");
  Json with = simulation();
  with["simconfig"] = "settings.json";
  save("run.json", {{"simulation", with}});
  save("settings.json", {{"simconfig", {{"AddressOffset", 4096}, {"Debug", false}}}});
  EXPECT_EQ(result(eval({"--simulation", "run.json"}))["workload"]["address_offset"], "4096");
  save("settings.json", {{"simconfig", {{"AddressOffset", -1}}}});
  expect_refused(eval({"--simulation", "run.json"}), 1, "AddressOffset: expected a whole number");
}

TEST_F(DramSimulations, WhatIsNotModelledIsRefusedByName) {
  const auto refused = [this](const std::string& key, const Json& value, const std::string& said) {
    Json changed = simulation();
    changed[key] = value;
    save("changed.json", {{"simulation", changed}});
    expect_refused(eval({"--simulation", "changed.json"}), 1, said);
  };
  refused("memspec", "nosuch.json", "memspec: there is no file 'nosuch.json'");
  refused("memspec", {{"memoryId", "x"}}, "an object in place of a file's name");
  refused("memspec", 3, "expected a file's name");
  refused("memspek", "x", "unknown key 'memspek'");
  refused("tracesetup", Json::array(), "expected a list with a trace");
  const Json player{{"clkMhz", 667}, {"name", "base.stl"}};
  refused("tracesetup", Json::array({player, player}), "2 initiators; this model has one trace player");
  refused("tracesetup", Json::array({{{"type", "generator"}, {"name", "g"}}}), "an initiator of type 'generator'");
  refused("tracesetup", Json::array({{{"clkMhz", 0}, {"name", "base.stl"}}}), "clkMhz: expected a whole number");
  refused("tracesetup", Json::array({{{"clkMhz", 667}}}), "the name of the trace is missing");
  refused("tracesetup", Json::array({{{"name", "base.stl"}, {"dataLength", 64}}}), "a burst of the memory has 32");
  save("empty.json", {{"simulation", Json::object()}});
  expect_refused(eval({"--simulation", "empty.json"}), 1, "the key 'memspec' is missing");
  expect_refused(eval({"--simulation", "memspec.json"}), 1, "is a DRAMSys memory specification");
  expect_refused(eval({"--trace", "base.stl", "--memspec", "run.json"}), 1, "belongs behind --simulation");

  const auto controller_refused = [this](const std::string& key, const Json& value, const std::string& said) {
    Json changed = controller();
    changed[key] = value;
    save("changed.json", {{"mcconfig", changed}});
    expect_refused(eval({"--trace", "base.stl", "--mcconfig", "changed.json"}), 1, said);
  };
  controller_refused("PagePolicy", "Opened", "unknown value 'Opened'; valid are Open");
  controller_refused("CmdMux", "Strict", "the reference knows 'Strict', this model does not");
  controller_refused("RequestBufferSize", 0, "RequestBufferSize");
  controller_refused("RequestBufferSize", 1.5, "expected a word or a whole number");
  controller_refused("PagePolicyy", "Open", "unknown key 'PagePolicyy' (did you mean 'PagePolicy'?)");
  controller_refused("ThinkDelayFw", 10, "(a delay of the controller) is not modelled; expected 0, found 10");
  controller_refused("RefreshManagement", true, "refresh management (RFM)");
  Json fine = controller();
  fine.update({{"ThinkDelayFw", 0}, {"RefreshManagement", false}, {"HighWatermark", 12}});
  save("fine.json", {{"mcconfig", fine}});
  good(eval({"--trace", "base.stl", "--mcconfig", "fine.json"}));

  expect_refused({"eval", "maestro", "--mcconfig", "controller.json"}, 2, "files of DRAMSys");
  expect_refused(eval({"--in", "x.csv", "--simulation", "run.json"}), 2, "for one design, without --in");
}

// In a search the controller is where it begins, and what the space leaves alone.
TEST_F(DramSimulations, SweepsAndSearchesTakeTheFiles) {
  save("space.json", {{"name", "s"}, {"parameters", {{"PagePolicy", {"Open", "Closed"}}}}});
  good({"sweep", "dram", "--simulation", "run.json", "--space", "space.json", "--all", "--out", "sweep.db"});
  const Json swept = Json::parse(good({"best", "sweep.db", "--json"}))[0]["design"];
  EXPECT_EQ(swept["Scheduler"], "FrFcfs");
  EXPECT_EQ(swept["MaxActiveTransactions"], 128);
  const Json found = result({"search", "dram", "--simulation", "run.json", "--space", "space.json", "--population", "4",
                             "--generations", "2", "--out", "search.db"});
  EXPECT_EQ(found["default"]["design"]["PagePolicy"], "Closed");
  EXPECT_EQ(found["best"][0]["design"]["Scheduler"], "FrFcfs");
}

TEST_F(DramSimulations, ADesignIsWrittenAsFilesThatAreReadAsTheSame) {
  write_text(dir_ / "gaps.rstl", "5: (64) read 0x0\n7: write 0x100\n");
  write_text(dir_ / "packets.txt", "r,4096,64,0,500\nw,8190,4,0,26000\n");
  std::size_t count = 0;
  for (const std::string trace : {"base.stl", "base.stl.gz", "gaps.rstl", "packets.txt"}) {
    Words words =
        eval({"--trace", trace, "--memspec", "memspec.json", "--addressmapping", "mapping.json", "--clk_mhz", "667", "--set",
              "PagePolicy=ClosedAdaptive", "--set", "MaxActiveTransactions=7", "--set", "RefreshPolicy=AllBank"});
    const std::string folder = "files" + std::to_string(count++);
    words.insert(words.end(), {"--reference-input", folder});
    const Json written = result(words);
    const Json read = result(eval({"--simulation", folder + "/simulations/exarch.json"}));
    EXPECT_EQ(read["metrics"], written["metrics"]) << trace;
    EXPECT_EQ(read["design"], written["design"]) << trace;
    const std::string text = read_text(dir_ / folder / "traces" / (trace == "gaps.rstl" ? "trace.rstl" : "trace.stl"));
    EXPECT_EQ(text.find('('), std::string::npos) << "DRAMSys 4.0 has no lengths: " << trace;
  }
  expect_refused(eval({"--trace", "base.stl", "--reference-input", "files0"}), 2, "is there already");
  expect_refused(eval({"--trace", "base.stl,base.stl.gz", "--reference-input", "more"}), 2, "name one workload");
  EXPECT_FALSE(fs::exists(dir_ / "more"));
}

}  // namespace
}  // namespace exarch
