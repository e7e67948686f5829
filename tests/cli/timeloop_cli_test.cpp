// The environments `timeloop` and `timeloop-mapping` as their users run them: recorded problems, records and networks of their
// own, searches, mistakes.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/cli.hpp"
#include "tests/support/recorded_rows.hpp"
#include "tests/support/timeloop_records.hpp"

namespace exarch {
namespace {

using namespace testing;
using Json = nlohmann::ordered_json;

// A hash of results over a fixed set of runs. A change of any result changes it: then change it here and raise the model's
// version (host/timeloop/environment.hpp), so that older stores are not continued with other numbers.
constexpr const char *kSignature = "3853ba17d0b7c766", *kMappingSignature = "af3f45d312681404";

class Timeloop : public Cli {
 protected:
  const std::string golden_ = EXARCH_TEST_DATA "/golden/timeloop/";
  static constexpr const char* kRow =
      R"({"id": 7, "problem": {"C": 2, "M": 3, "R": 1, "S": 1, "N": 1, "P": 4, "Q": 1,)"
      R"( "Wstride": 1, "Hstride": 1, "Wdilation": 1, "Hdilation": 1},)"
      R"( "arch": {"compute": {"name": "mac", "instances": 2, "meshX": 2, "meshY": 1, "energy_pJ": {"compute": 1.5}, "area_um2": 10},)"
      R"( "storage": [{"name": "L0", "size_words": 64, "block_size": 1, "cluster_size": 1, "instances": 1, "meshX": 1, "meshY": 1,)"
      R"( "read_bw": 4, "write_bw": null, "energy_pJ": {"read": 1, "fill": 1, "update": 1}, "area_um2": 100},)"
      R"( {"name": "DRAM", "size_words": null, "block_size": 4, "cluster_size": 1, "instances": 1, "meshX": 1, "meshY": 1,)"
      R"( "read_bw": null, "write_bw": null, "energy_pJ": {"read": 512, "fill": 512, "update": 512, "leak": 0}, "area_um2": 0}]},)"
      R"( "mapping": [{"spatial": [["C", 2, "X"]], "temporal": [["P", 4]], "keep": {"Weights": true, "Inputs": true, "Outputs": true}},)"
      R"( {"spatial": [], "temporal": [["M", 3]], "keep": {"Weights": true, "Inputs": true, "Outputs": true}}]})";

  // kRow with one text in the place of another.
  [[nodiscard]] static std::string with(const std::string& from, const std::string& to) {
    std::string changed = kRow;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
  }
};

TEST_F(Timeloop, SignatureIsKnown) {
  EXPECT_EQ(good({"bench", "timeloop", "--signature"}), std::string(kSignature) + "\n");
  EXPECT_EQ(good({"bench", "timeloop-mapping", "--signature"}), std::string(kMappingSignature) + "\n");
}

TEST_F(Timeloop, AnswersEveryRecordInOrder) {
  for (const std::string rule : {"current", "2022"}) {
    good({"eval", "timeloop", "--in", golden_ + "model.jsonl.gz", "--out", "results.jsonl", "--fill-rule", rule});
    const Words lines = lines_of(read_text(path("results.jsonl")));
    const std::vector<Json> rows = timeloop_records("model.jsonl.gz");
    ASSERT_EQ(lines.size(), kTimeloopRuns);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const Json got = Json::parse(lines[i]);
      EXPECT_EQ(got["id"], rows[i]["id"]);
      EXPECT_EQ(got["status"], "ok");
      if (rule == "current") {
        EXPECT_EQ(timeloop_difference(got["out"], rows[i]["out"]), "") << got["id"];
      } else {
        EXPECT_EQ(got["out"]["cycles"], rows[i]["out_fill2022"]["cycles"]) << got["id"];
      }
    }
  }
  good({"eval", "timeloop", "--in", golden_ + "model.jsonl.gz", "--out", "one.jsonl", "--fill-rule", "2022", "--threads", "1"});
  EXPECT_EQ(read_text(path("one.jsonl")), read_text(path("results.jsonl")));
  const Words refusals = lines_of(good({"eval", "timeloop", "--in", golden_ + "invalid.jsonl.gz"}));
  ASSERT_EQ(refusals.size(), kTimeloopRefusals);
  for (const std::string& line : refusals) EXPECT_EQ(Json::parse(line)["out"]["valid"], false);
}

// A line that is no problem is answered in its place, named on standard error, and costs no other line its answer.
TEST_F(Timeloop, LinesThatAreNoProblemsDoNotStopTheOthers) {
  const std::pair<std::string, std::string> cases[] = {
      {"{", "not a JSON object"},
      {"[1]", "expected an object"},
      {"{}", "\"problem\" is missing"},
      {with("\"C\": 2", "\"C\": 2.5"), "problem.C: expected a whole number from 1 to 1073741824"},
      {with("\"C\": 2", "\"C\": 0"), "problem.C"},
      {with("\"C\": 2", "\"C\": 99999999999999999999999"), "problem.C"},
      {with("\"M\": 3, ", ""), "problem: the key \"M\" is missing"},
      {with("\"mac\"", "5"), "arch.compute.name"},
      {with("64", "-1"), "arch.storage[0].size_words"},
      {with("\"read_bw\": 4", "\"read_bw\": 0"), "arch.storage[0].read_bw: expected null or a number above 0"},
      {with("\"compute\": 1.5", "\"compute\": -1.5"), "arch.compute.energy_pJ.compute"},
      {with("\"compute\": 1.5", "\"compute\": 1e999"), "not a JSON object"},
      {with("[\"C\", 2, \"X\"]", "[\"C\", 2]"), "mapping[0].spatial[0]"},
      {with("[\"C\", 2, \"X\"]", "[\"K\", 2, \"X\"]"), "expected a dimension"},
      {with("[\"P\", 4]", "[\"P\", 2], [\"P\", 2]"), "mapping[0].temporal[1]: a block has one loop over a dimension"},
      {with("\"Weights\": true", "\"Weights\": 1"), "mapping[0].keep.Weights: expected true or false"},
      {std::string("{\"a\": \"\xff\"}"), "not a JSON object"},
      {std::string(100000, '[') + std::string(100000, ']'), "nested more than 32 deep"}};
  const std::string row = kRow;
  for (const auto& [text, message] : cases) {
    write_text(dir_ / "bad.jsonl", row + "\n" + text + "\n" + row + "\n");
    const Outcome outcome = run({"eval", "timeloop", "--in", "bad.jsonl", "--out", "answers.jsonl"});
    EXPECT_EQ(outcome.code, 1) << text;
    EXPECT_NE(outcome.err.find("bad.jsonl:2: "), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
    const Words answers = lines_of(read_text(path("answers.jsonl")));
    ASSERT_EQ(answers.size(), 3u) << text;
    EXPECT_EQ(Json::parse(answers[0])["status"], "ok") << answers[0];
    EXPECT_EQ(answers[2], answers[0]) << text;
    EXPECT_EQ(Json::parse(answers[1])["status"], "invalid") << text;
    EXPECT_NE(Json::parse(answers[1])["error"].get<std::string>().find(message), std::string::npos) << answers[1];
  }
  // Whether layer, architecture and mapping go together is the model's to judge.
  const std::pair<std::string, std::string> odd[] = {
      {row, "ok"},
      {with("\"C\": 2", "\"C\": 4"), "factor_product"},
      {with("64", "3"), "level"},
      {with("\"instances\": 2, \"meshX\": 2", "\"instances\": 1, \"meshX\": 1"), "no_fanout"},
      {with("\"meshX\": 2", "\"meshX\": 3"), "mesh"}};
  std::string text;
  for (const auto& [line, status] : odd) text += line + "\n";
  write_text(dir_ / "odd.jsonl", text);
  const Words lines = lines_of(good({"eval", "timeloop", "--in", "odd.jsonl"}));
  ASSERT_EQ(lines.size(), std::size(odd));
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(Json::parse(lines[i])["status"], odd[i].second) << lines[i];
  expect_refused({"eval", "timeloop", "--in", "odd.jsonl", "--network", "alexnet"}, 2, "--network has no effect");
  expect_refused({"eval", "timeloop", "--in", "odd.jsonl", "--fill-rule", "2023"}, 2, "expected current or 2022");
}

TEST_F(Timeloop, DesignsAreBypasses) {
  write_text(dir_ / "own.json", kRow);
  const auto evaluate = [&](Words words) {
    words.insert(words.begin(), {"eval", "timeloop-mapping", "--record", "own.json", "--json"});
    return Json::parse(good(words));
  };
  const Json plain = evaluate({});
  const Json answer = Json::parse(lines_of([&] {
    write_text(dir_ / "own.jsonl", std::string(kRow) + "\n");
    return good({"eval", "timeloop", "--in", "own.jsonl"});
  }())[0]);
  EXPECT_EQ(plain["metrics"]["cycles"], answer["out"]["cycles"]);
  EXPECT_EQ(plain["counters"]["energy"], answer["out"]["energy_pJ"]);
  EXPECT_EQ(evaluate({"--engine", "reference"})["counters"], plain["counters"]);
  EXPECT_EQ(evaluate({"--set", "L0=WIO", "--set", "L5=none"})["counters"], plain["counters"]);
  EXPECT_GT(evaluate({"--set", "L0=IO"})["counters"]["energy"], plain["counters"]["energy"]);  // weights from DRAM each time
  EXPECT_EQ(evaluate({"--set", "L1=IO"})["metrics"]["unbacked"], 1);
  const Outcome none = run({"eval", "timeloop-mapping", "--record", "own.json", "--set", "L0=none", "--set", "L1=WI"});
  EXPECT_EQ(none.code, 1);
  EXPECT_NE(none.out.find("one of the tensors is bypassed in all storage levels"), std::string::npos) << none.out;
  write_text(dir_ / "bad.json", with("\"M\": 3, ", ""));
  expect_refused({"eval", "timeloop-mapping", "--record", "bad.json"}, 1, "problem: the key \"M\" is missing");
  expect_refused({"eval", "timeloop-mapping", "--record", "nosuch"}, 1, "nosuch");
}

TEST_F(Timeloop, SearchesAndSweeps) {
  const std::string swept =
      good({"sweep", "timeloop-mapping", "--all", "--space", "levels", "--record", "eyeriss-alexnet-2", "--out", "all.db"});
  EXPECT_NE(swept.find("32768"), std::string::npos) << swept;
  const Json found = Json::parse(good({"search", "timeloop-mapping", "--space", "levels", "--agent", "ga", "--generations", "15",
                                       "--seed", "1", "--out", "ga.db", "--json"}));
  ASSERT_FALSE(found["best"].empty());
  const Json& best = found["best"][0];
  EXPECT_EQ(best["metrics"]["unbacked"], 0);
  EXPECT_EQ(best["design"]["L5"], "record");
  EXPECT_EQ(Json::parse(good({"best", "all.db", "--json"}))[0]["metrics"]["edp"], best["metrics"]["edp"]);
}

// ---- architectures --------------------------------------------------------------------------------------------------------

// A network of two small layers, one of them twice.
constexpr const char* kSmallNetwork =
    R"({"layers": [{"name": "a", "C": 4, "M": 8, "R": 3, "S": 3, "P": 7, "Q": 7}, {"C": 8, "M": 4, "R": 1, "S": 1, "P": 7, "Q": 7},)"
    R"( {"C": 4, "M": 8, "R": 3, "S": 3, "P": 7, "Q": 7, "Wstride": 1, "count": 2}]})";

TEST_F(Timeloop, TheBaselineOfArchGym) {
  const Json fast = Json::parse(good({"eval", "timeloop", "--json"}));
  EXPECT_EQ(fast["metrics"]["cycles"], 7885704);
  EXPECT_NEAR(fast["metrics"]["energy_uj"].get<double>(), 6220.50, 0.005);
  EXPECT_NE(fast["artifact"]["mappings"].get<std::string>().find("layer5: psum_spad M16"), std::string::npos);
  EXPECT_NE(good({"eval", "timeloop"}).find("layer5: psum_spad M16"), std::string::npos);
  const Json frugal = Json::parse(good({"eval", "timeloop", "--map-objective", "energy", "--json"}));
  EXPECT_NEAR(frugal["metrics"]["energy_uj"].get<double>(), 5615.15, 0.005);
  const Json sampled = Json::parse(good({"eval", "timeloop", "--mapper", "sampled", "--json"}));  // what TimeloopGym reports
  EXPECT_EQ(sampled["metrics"]["cycles"], 7885704);
  EXPECT_EQ(sampled["metrics"]["archgym_energy"], 29205.99);
  EXPECT_EQ(sampled["metrics"]["archgym_area"], 2.03);
  expect_refused({"eval", "timeloop", "--map-objective", "delay"}, 2, "expected cycles, energy or edp");
  expect_refused({"eval", "timeloop", "--mapper", "random"}, 2, "expected best or sampled");
}

TEST_F(Timeloop, NetworksOfUsers) {
  write_text(dir_ / "net.json", kSmallNetwork);
  const auto evaluate = [&](Words words) {
    words.insert(words.begin(), {"eval", "timeloop", "--network", "net.json", "--json"});
    return Json::parse(good(words));
  };
  const Json both = evaluate({});
  EXPECT_EQ(both["counters"]["computes"], 3 * 4 * 8 * 9 * 49 + 8 * 4 * 49);
  for (const char* objective : {"cycles", "energy", "edp"}) {
    // The reference model goes through all mappings.
    EXPECT_EQ(evaluate({"--map-objective", objective, "--engine", "reference"})["counters"],
              evaluate({"--map-objective", objective})["counters"]);
  }
  // Spads' bandwidths and DummyBuffer change no count; DummyBuffer has an area.
  const Json other = evaluate({"--set", "ifmap_read_bw=8", "--set", "dummy_depth=4096"});
  EXPECT_EQ(other["counters"], both["counters"]);
  EXPECT_GT(other["metrics"]["area_mm2"], both["metrics"]["area_mm2"]);
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "\"layers\" is missing"},
      {R"({"layers": []})", "expected a list of 1 to 4096 layers"},
      {R"({"layers": [{"C": 1}]})", "layers[0]: the key \"M\" is missing"},
      {R"({"layers": [{"C": 1, "M": 0, "R": 1, "S": 1, "P": 1, "Q": 1}]})", "layers[0].M: expected a whole number from 1"},
      {R"({"layers": [{"C": 1, "M": 1, "R": 1, "S": 1, "P": 1, "Q": 1, "K": 2}]})", "unknown key 'K'"},
      {R"({"layers": [{"C": 1073741824, "M": 1073741824, "R": 1, "S": 1, "P": 1, "Q": 1}]})", "exceed 2^53"},
      {R"({"layers": [{"C": 720720, "M": 720720, "R": 1, "S": 1, "P": 1, "Q": 1}]})", "row-stationary mappings; up to"},
      {R"({"layers": [{"C": 1, "M": 735134400, "R": 1, "S": 1, "P": 1, "Q": 1}]})", "row-stationary mappings; up to"},
      {"[1]", "a network: expected an object"}};
  for (const auto& [text, message] : cases) {
    write_text(dir_ / "bad.json", text);
    expect_refused({"eval", "timeloop", "--network", "bad.json"}, 1, message);
  }
}

TEST_F(Timeloop, DesignsWithoutAResultSayWhy) {
  const std::pair<Words, const char*> cases[] = {
      {{"--set", "nPEs=14"}, "no_fanout"},
      {{"--set", "nPEs=15"}, "no multiple of 14"},
      {{"--set", "weights_depth=13"}, "is not in the table of energies"},
      {{"--set", "glb_class=SRAM"}, "the estimator finds no such memory"},
      {{"--set", "weights_depth=8"}, "layer1: no mapping fits; one of these changes is enough: words of weights 8 -> 12"},
      {{"--network", "cognitive_5s"}, "no design has more than 24"},
      {{"--network", "cognitive_5s", "--mapper", "sampled"}, "no design has more than 24"},
      {{"--mapper", "sampled", "--set", "weights_depth=8"}, "layer1: no mapping fits; one of these changes is enough"}};
  for (const auto& [words, message] : cases) {
    Words all{"eval", "timeloop"};
    all.insert(all.end(), words.begin(), words.end());
    const Outcome outcome = run(all);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_NE((outcome.out + outcome.err).find(message), std::string::npos) << outcome.out << outcome.err;
  }
}

TEST_F(Timeloop, SearchesArchitectures) {
  write_text(dir_ / "net.json", kSmallNetwork);
  const Json found =
      Json::parse(good({"search", "timeloop", "--network", "net.json", "--space", "effective", "--agent", "ga", "--generations",
                        "10", "--seed", "1", "--objective", "energy,area_mm2<=1.0", "--out", "ga.db", "--json"}));
  ASSERT_FALSE(found["best"].empty());
  EXPECT_LE(found["best"][0]["metrics"]["area_mm2"], 1.0);
  const Words swept = {"sweep", "timeloop", "--network", "net.json", "--space", "eyeriss", "--sample", "500", "--seed", "2"};
  const auto with_threads = [&](const std::string& threads) {
    Words words = swept;
    words.insert(words.end(), {"--out", "t" + threads + ".db", "--threads", threads});
    good(words);
    return good({"export", "t" + threads + ".db"});
  };
  EXPECT_EQ(with_threads("1"), with_threads("2"));
  EXPECT_NE(good({"export", "t1.db"}).find("psum_spad"), std::string::npos);
}

// Timeloop's own files: one command prints the table that people read, with --json what a record's answer has.
TEST_F(Timeloop, OwnFilesAreEvaluated) {
  write_text(path("arch.yaml"),
             "architecture:\n  version: 0.3\n  subtree:\n  - name: system\n    local:\n"
             "    - {name: DRAM, class: DRAM, attributes: {word-bits: 8}}\n"
             "    - {name: buffer, class: SRAM, attributes: {depth: 64, width: 8, word-bits: 8}}\n"
             "    - {name: mac, class: intmac, attributes: {word-bits: 8}}\n");
  write_text(path("problem.yaml"), "problem: {shape: gemm_ABZ, M: 4, N: {{size | default(2)}}, K: 8}\n");
  write_text(path("mapping.yaml"),
             "mapping:\n- {target: DRAM, type: temporal, factors: M=4, permutation: MNK}\n"
             "- {target: buffer, type: temporal, factors: K=8 N=0, permutation: KNM}\n");
  const Words files{"--arch", "arch.yaml", "--problem", "problem.yaml", "--mapping", "mapping.yaml"};
  const auto eval = [&](Words more) {
    Words words{"eval", "timeloop"};
    words.insert(words.end(), files.begin(), files.end());
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const std::string table = good(eval({}));
  EXPECT_NE(table.find("status ok"), std::string::npos) << table;
  EXPECT_NE(table.find("buffer  Z"), std::string::npos) << table;
  const Json json = Json::parse(good(eval({"--json", "--define", "size=3"})));
  EXPECT_EQ(json["status"], "ok");
  EXPECT_EQ(json["out"]["computes"], 4 * 3 * 8);
  EXPECT_EQ(json["out"]["levels"][0]["ds"]["A"]["tile"], 8);
  const Outcome too_much = run(eval({"--define", "size=30"}));
  EXPECT_EQ(too_much.code, 1);
  EXPECT_NE(too_much.out.find("buffer: mapped tile size 278 exceeds buffer capacity 64"), std::string::npos) << too_much.out;
  const Outcome wrong = run(eval({"--set", "L0=W"}));
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.err.find("--set has no effect on these files"), std::string::npos) << wrong.err;
  EXPECT_EQ(run({"eval", "dram", "--arch", "arch.yaml"}).code, 2);
}

}  // namespace
}  // namespace exarch
