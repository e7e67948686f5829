// exarch map: the best mapping of a layer, from the command line.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/cli.hpp"

namespace exarch {
namespace {

using namespace testing;
using Json = nlohmann::ordered_json;

class Mappings : public Cli {
 protected:
  void write_files(const std::string& words_of_buffer) {
    write_text(path("arch.yaml"),
               "architecture:\n  version: 0.3\n  subtree:\n  - name: system\n    local:\n"
               "    - {name: DRAM, class: DRAM, attributes: {word-bits: 8, width: 8}}\n"
               "    - {name: buffer, class: SRAM, attributes: {depth: " +
                   words_of_buffer +
                   ", width: 8, word-bits: 8}}\n"
                   "    - name: registers[0..3]\n      class: regfile\n      attributes: {depth: 8, width: 8, word-bits: 8}\n"
                   "    - name: mac[0..3]\n      class: intmac\n      attributes: {word-bits: 8}\n");
    write_text(path("problem.yaml"), "problem: {shape: gemm_ABZ, M: 8, N: 6, K: 4}\n");
  }
  static Words with_files(Words words) {
    words.insert(words.begin(), {"--arch", "arch.yaml", "--problem", "problem.yaml"});
    return words;
  }
  static Words map(Words words) {
    words.insert(words.begin(), {"map", "timeloop"});
    return words;
  }
};

TEST_F(Mappings, OfAlexNetAreTheOptimaThatTimeloopOnlySamples) {
  const Words words = map({"--goal", "cycles,energy", "--fill-rule", "2022", "--sampler", "--json"});
  const Json json = Json::parse(good(words));
  EXPECT_EQ(json["cycles"], 7885704);
  EXPECT_NEAR(json["energy_pj"].get<double>() / 1e6, 6220.50, 0.005);
  EXPECT_NEAR(json["sampled"]["energy_pj"].get<double>() / 1e6, 29205.99, 0.005);  // what ArchGym published
  for (const Json& layer : json["layers"]) EXPECT_TRUE(layer["proved"].get<bool>()) << layer["name"];
  Words one = words;
  one.insert(one.end(), {"--threads", "1"});
  EXPECT_EQ(Json::parse(good(one)), json);
  const std::string table = good(map({"--layer", "layer3", "--goal", "energy", "--fill-rule", "2022"}));
  EXPECT_NE(table.find("808.20"), std::string::npos) << table;
  EXPECT_NE(table.find("in parallel: Q on 13 columns"), std::string::npos) << table;
}

TEST_F(Mappings, AreWrittenAsTimeloopReadsThem) {
  write_files("48");
  const Json best = Json::parse(good(map(with_files({"--goal", "edp", "--out", "best", "--json"}))))["layers"][0];
  EXPECT_TRUE(best["proved"].get<bool>());
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(path("best"))) files.push_back(entry.path().string());
  ASSERT_EQ(files.size(), 1u);
  Words eval = with_files({"--mapping", files[0], "--json"});
  eval.insert(eval.begin(), {"eval", "timeloop"});
  const Json evaluated = Json::parse(good(eval));
  EXPECT_EQ(evaluated["out"]["cycles"], best["cycles"]);
  EXPECT_EQ(evaluated["out"]["energy_pJ"], best["energy_pj"]);
}

TEST_F(Mappings, ThatObeyConstraintsAreNoBetter) {
  write_files("48");
  write_text(path("constraints.yaml"),
             "mapspace_constraints:\n- {target: registers, type: temporal, factors: M=1 N=1}\n"
             "- {target: buffer, type: spatial, factors: M=1, permutation: KNM}\n");
  const double free = Json::parse(good(map(with_files({"--goal", "energy", "--json"}))))["energy_pj"];
  const Json bound = Json::parse(good(map(with_files({"--goal", "energy", "--constraints", "constraints.yaml", "--json"}))));
  EXPECT_GE(bound["energy_pj"], free);
  EXPECT_EQ(bound["layers"][0]["nest"].get<std::string>().find("for M in 1"), std::string::npos);
}

TEST_F(Mappings, ThatDoNotFitSayWhatWouldBeEnough) {
  write_text(path("keep.yaml"), "mapspace_constraints:\n- {target: buffer, type: bypass, keep: [A, B, Z], bypass: []}\n");
  const Words words = map(with_files({"--goal", "energy", "--constraints", "keep.yaml"}));
  write_files("1");
  const Outcome outcome = run(words);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.out.find("no mapping fits"), std::string::npos) << outcome.out;
  const std::string said = "buffer: a mapping fits if it holds ";
  const std::size_t at = outcome.err.find(said);
  ASSERT_NE(at, std::string::npos) << outcome.err;
  const std::string enough = outcome.err.substr(at + said.size(), outcome.err.find(' ', at + said.size()) - at - said.size());
  write_files(enough);
  good(words);
  write_files(std::to_string(std::stoi(enough) - 1));
  EXPECT_EQ(run(words).code, 1);
}

TEST_F(Mappings, OfAnythingAreWrittenAsFilesThatTimeloopTakes) {
  write_text(path("net.json"), R"({"layers": [{"name": "a", "C": 1, "M": 1, "R": 3, "S": 3, "P": 14, "Q": 14, "G": 32},
    {"name": "b", "C": 8, "M": 4, "R": 1, "S": 1, "P": 14, "Q": 14},
    {"name": "c", "C": 1, "M": 1, "R": 3, "S": 3, "P": 14, "Q": 14, "G": 32}]})");
  const Words words = map({"--network", "net.json", "--goal", "cycles,energy", "--reference-input", "inputs", "--json"});
  const Json json = Json::parse(good(words));
  ASSERT_EQ(json["layers"].size(), 2u);
  EXPECT_EQ(json["layers"][0]["equal_layers"], Json({"c"}));
  EXPECT_NE(good(map({"--network", "net.json"})).find("a, c"), std::string::npos);
  for (const Json& layer : json["layers"]) {
    const std::string name = layer["name"] == "a" ? "inputs/1-a.yaml" : "inputs/2-b.yaml";
    const Json evaluated = Json::parse(good({"eval", "timeloop", "--files", name, "--json"}));
    EXPECT_EQ(evaluated["out"]["cycles"], layer["cycles"]);
    EXPECT_EQ(evaluated["out"]["energy_pJ"], layer["energy_pj"]);
  }
  // The environment maps the same layers, in its own way.
  const Json gym = Json::parse(
      good({"eval", "timeloop", "--network", "net.json", "--map-objective", "cycles", "--fill-rule", "current", "--json"}));
  EXPECT_EQ(gym["metrics"]["cycles"], json["cycles"]);
  EXPECT_NEAR(gym["metrics"]["energy_uj"].get<double>() * 1e6, json["energy_pj"].get<double>(), 1);
}

TEST_F(Mappings, WithLittleMemoryAreTheSameOptima) {
  const Words words = map({"--layer", "layer1", "--goal", "energy", "--space", "free"});
  const auto answer = [&](const std::string& memory) {
    Words all = words;
    all.insert(all.end(), {"--memory", memory, "--json"});
    return Json::parse(good(all))["layers"][0];
  };
  const Json plenty = answer("1024"), little = answer("1");
  EXPECT_EQ(plenty["parts"], 0);
  EXPECT_GT(little["parts"], 0);
  EXPECT_TRUE(little["proved"].get<bool>());
  EXPECT_NEAR(little["energy_pj"].get<double>(), plenty["energy_pj"].get<double>(), 1);
}

TEST_F(Mappings, SeveralLevelsTooSmallAreNamedWithTheirSizes) {
  write_text(path("keep.yaml"),
             "mapspace_constraints:\n- {target: buffer, type: bypass, keep: [A, B, Z], bypass: []}\n"
             "- {target: registers, type: bypass, keep: [A, B, Z], bypass: []}\n"
             "- {target: registers, type: temporal, factors: M=4 N=3 K=4}\n");
  write_files("1");
  const Outcome outcome = run(map(with_files({"--goal", "energy", "--constraints", "keep.yaml"})));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("several levels are too small at once: a mapping fits if registers holds 40 words instead of 8, and "
                             "buffer holds 40 words instead of 1"),
            std::string::npos)
      << outcome.err;
}

TEST_F(Mappings, MistakesAreNamed) {
  write_files("48");
  const std::tuple<Words, int, const char*> cases[] = {
      {{"map", "maestro"}, 2, "timeloop only"},
      {map({"--sampler=1"}), 2, "--sampler is a switch and takes no value"},
      {map({"--goal", "speed"}), 2, "expected cycles, energy, edp"},
      {map({"--goal", "energy,energy"}), 2, "is there twice"},
      {map({"--space", "all"}), 2, "expected given, free, open or row-stationary"},
      {map({"--layer", "layer33"}), 2, "there is no such layer"},
      {map({"--set", "nPEs=14"}), 1, "row"},
      {map({"--set", "nPEs=168", "--record", "eyeriss-alexnet-1"}), 2, "--set is for ArchGym's architecture"},
      {map(with_files({"--space", "row-stationary"})), 2, "six levels"},
      {map(with_files({"--network", "alexnet"})), 2, "--network lists convolutions"},
      {map({"--problem", "problem.yaml"}), 1, "architecture"},
      {map({"--network", "nowhere.json"}), 1, "nowhere.json"}};
  for (const auto& [words, code, message] : cases) expect_refused(words, code, message);
  // What of a mapper is not followed is refused, but only where it would be followed.
  for (const char* key : {"filter_revisits: true", "max_temporal_loops_in_a_mapping: 5", "sync_interval: 10"}) {
    write_text(path("mapper.yaml"), std::string("mapper: {algorithm: random, victory_condition: 100, ") + key + "}\n");
    good(map(with_files({"--mapper", "mapper.yaml"})));
    expect_refused(map(with_files({"--mapper", "mapper.yaml", "--sampler"})), 1,
                   std::string(key).substr(0, std::string(key).find(':')));
  }
  write_text(path("mapper.yaml"), "mapper: {algorithm: random, victory_condition: 100, sync_interval: 10, num_threads: 1}\n");
  good(map(with_files({"--mapper", "mapper.yaml", "--sampler"})));
}

}  // namespace
}  // namespace exarch
