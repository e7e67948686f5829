// The MAESTRO environments as their users run them: networks and layers, files of their own, recorded problems, mistakes.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/cli.hpp"

namespace exarch {
namespace {

using namespace testing;
using Json = nlohmann::json;

// Hashes of all counters over a fixed set of runs (`exarch bench maestro --signature`). A change of any result changes them: then
// change them here and raise kModelVersion (host/env/maestro.cpp), so that older stores are not continued with other numbers.
const std::map<std::string, std::string> kSignatures{{"maestro", "4256bf46ed32c199"}, {"maestro-archgym", "f5a0e2a04832a1b0"}};

class Maestro : public Cli {
 protected:
  const std::string golden_ = EXARCH_TEST_DATA "/golden/maestro/";

  [[nodiscard]] Json evaluate(Words words) const {
    words.insert(words.begin(), {"eval", "maestro", "--json"});
    return Json::parse(good(words));
  }
  // A network of two layers, the second strided.
  void write_network() const {
    write_text(dir_ / "net.m",
               "Network net {\n"
               "Layer first { Type: CONV\n Dimensions { K: 8, C: 4, R: 3, S: 3, Y: 18, X: 18 } }\n"
               "Layer second { Type: DSCONV\n Stride { X: 2, Y: 2 }\n Dimensions { K: 1, C: 8, R: 3, S: 3, Y: 17, X: 17 } }\n"
               "}\n");
  }
  static constexpr const char* kRow =
      R"({"id": 7, "layer": {"type": "CONV", "dims": {"K": 4, "C": 4, "R": 3, "S": 3, "Y": 10, "X": 10}},)"
      R"( "directives": [["SpatialMap", "K", 1, 1], ["Cluster", 2], ["SpatialMap", "C", 1, 1]],)"
      R"( "hw": {"num_pes": 16, "num_simd_lanes": 1, "noc_bw": 8, "noc_hops": 1, "noc_hop_latency": 1, "offchip_bw": 8}})";
};

TEST_F(Maestro, SignaturesAreKnown) {
  for (const auto& [environment, signature] : kSignatures) {
    EXPECT_EQ(good({"bench", environment, "--signature"}), signature + "\n") << environment;
    const Json figures = Json::parse(good({"bench", environment, "--designs", "10", "--rounds", "1", "--json"}));
    EXPECT_EQ(figures["signature"], signature) << environment << ", after other work";
    for (const char* figure : {"archgym_genomes", "resnet50_layers", "dataflows"}) {
      EXPECT_GT(figures[figure]["evaluations_per_cpu_s"].get<double>(), 0) << figure;
    }
  }
}

TEST_F(Maestro, EvaluatesALayerOrAWholeNetwork) {
  const Json layer = evaluate({"--model", "resnet18", "--layer", "2"});
  EXPECT_EQ(layer["metrics"]["runtime_cycles"], 1681061);  // MAESTRO's own
  EXPECT_EQ(layer["counters"]["num_macs"], 107495424);
  EXPECT_EQ(layer["counters"]["avg_active_pes"], 64.0);
  const Json several = evaluate({"--model", "resnet18,alexnet"});
  ASSERT_EQ(several.size(), 2u);
  EXPECT_GT(several[0]["metrics"]["runtime_cycles"], layer["metrics"]["runtime_cycles"]);
  EXPECT_EQ(evaluate({})["metrics"], several[0]["metrics"]);  // resnet18 is the default
  const std::string text = good({"eval", "maestro", "--layer", "2"});
  EXPECT_NE(text.find("runtime_cycles"), std::string::npos) << text;
}

TEST_F(Maestro, TakesNetworksOfItsUsers) {
  write_network();
  const Json both = evaluate({"--model", "net.m"});
  const Json first = evaluate({"--model", "net.m", "--layer", "first"}), second = evaluate({"--model", "net.m", "--layer", "1"});
  EXPECT_EQ(both["metrics"]["runtime_cycles"].get<int>(),
            first["metrics"]["runtime_cycles"].get<int>() + second["metrics"]["runtime_cycles"].get<int>());
  write_text(dir_ / "net.csv", "K,C,Y,X,R,S,T\n8,4,18,18,3,3,1\n10,64,1,1,1,1,0\n");
  EXPECT_EQ(evaluate({"--model", "net.csv", "--layer", "0"})["metrics"], first["metrics"]);
  EXPECT_EQ(evaluate({"--model", "net.csv", "--layer", "1"})["counters"]["num_macs"], 640);  // fully connected
}

TEST_F(Maestro, AnswersRecordedProblems) {
  good({"eval", "maestro", "--in", golden_ + "dev.jsonl.gz", "--out", "results.jsonl"});
  const Words lines = lines_of(read_text(path("results.jsonl")));
  ASSERT_EQ(lines.size(), 1000u);
  const Json first = Json::parse(lines[0]);
  EXPECT_EQ(first["id"], "dev-00000");
  EXPECT_EQ(first["status"], "ok");
  EXPECT_EQ(first["out"]["runtime"], 365053);
  EXPECT_EQ(first["out"]["energy_nj"], 3347.3914938000003);
  EXPECT_NE(lines[0].find("3347.3914938000003"), std::string::npos) << "17 significant digits";
  good({"eval", "maestro", "--in", golden_ + "dev.jsonl.gz", "--out", "one.jsonl", "--threads", "1"});
  EXPECT_EQ(read_text(path("one.jsonl")), read_text(path("results.jsonl")));
  good({"eval", "maestro-archgym", "--in", golden_ + "failures.jsonl.gz", "--out", "failures.jsonl"});
  EXPECT_EQ(read_text(path("failures.jsonl")).find("\"ok\""), std::string::npos);
  write_text(dir_ / "rows.jsonl", std::string(kRow) + "\n\n" + kRow + "\n");
  const Words old = lines_of(good({"eval", "maestro", "--in", "rows.jsonl"}));
  ASSERT_EQ(old.size(), 2u);
  EXPECT_EQ(old[0], old[1]);
  EXPECT_EQ(Json::parse(old[0])["id"], 7);
  good({"eval", "maestro", "--in", "rows.jsonl", "--model-version", "head"});
}

// A line that is no problem is answered in its place, named on standard error, and costs no other line its answer.
TEST_F(Maestro, LinesThatAreNoProblemsDoNotStopTheOthers) {
  const std::string row = kRow;
  const auto with = [&row](const std::string& from, const std::string& to) {
    std::string changed = row;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
  };
  const std::pair<std::string, std::string> cases[] = {
      {"{", "not a JSON object"},
      {"[1]", "expected an object"},
      {"{}", "\"layer\" is missing"},
      {with("\"CONV\"", "\"CON\""), "layer.type"},
      {with("\"K\": 4", "\"Q\": 4"), "unknown dimension 'Q'"},
      {with("\"K\": 4", "\"K\": 4.5"), "layer.dims.K"},
      {with("\"K\": 4", "\"K\": 99999999999"), "layer.dims.K"},
      {with("\"SpatialMap\", \"K\", 1, 1", "\"SpatialMap\", \"K\", 1"), "directives[0]"},
      {with("\"Cluster\", 2", "\"Cluster\", \"2\""), "directives[1]"},
      {with("\"num_pes\": 16, ", ""), "\"num_pes\" is missing"},
      {with("\"noc_bw\": 8", "\"noc_bw\": null"), "hw.noc_bw"},
      {std::string("{\"a\": \"\xff\"}"), "not a JSON object"},
      {std::string(100000, '[') + std::string(100000, ']'), "nested more than 32 deep"}};
  for (const auto& [text, message] : cases) {
    write_text(dir_ / "bad.jsonl", row + "\n" + text + "\n" + row + "\n");
    const Outcome outcome = run({"eval", "maestro", "--in", "bad.jsonl", "--out", "answers.jsonl"});
    EXPECT_EQ(outcome.code, 1) << text;
    EXPECT_NE(outcome.err.find("bad.jsonl:2: "), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("1 of 3 lines are no problems"), std::string::npos) << outcome.err;
    const Words answers = lines_of(read_text(path("answers.jsonl")));
    ASSERT_EQ(answers.size(), 3u) << text;
    EXPECT_EQ(Json::parse(answers[0])["status"], "ok") << text;
    EXPECT_EQ(answers[2], answers[0]) << text;
    const Json answer = Json::parse(answers[1]);
    EXPECT_EQ(answer["status"], "invalid") << text;
    EXPECT_EQ(answer["id"], text.find("\"id\"") == std::string::npos ? Json() : Json(7)) << text;
    EXPECT_NE(answer["error"].get<std::string>().find(message), std::string::npos) << answer;
  }
  // Numbers that make no sense are the model's to judge.
  std::string many = R"(["Cluster", 2])";
  for (int i = 0; i < 48; ++i) many += R"(, ["TemporalMap", "C", 1, 1])";
  const std::pair<std::string, std::string> odd[] = {{with("\"K\", 1, 1", "\"K\", 0, 1"), "non_positive_size"},
                                                     {with("\"K\": 4", "\"K\": 0"), "non_positive_size"},
                                                     {with("\"K\": 4", "\"K\": -2147483648"), "non_positive_size"},
                                                     {with("16", "-16"), "non_positive_hardware"},
                                                     {with("latency\": 1", "latency\": -1"), "non_positive_hardware"},
                                                     {with("[\"Cluster\", 2]", many), "too_many_directives"},
                                                     {row, "ok"}};
  std::string text;
  for (const auto& [line, status] : odd) text += line + "\n";
  write_text(dir_ / "odd.jsonl", text);
  const Words lines = lines_of(good({"eval", "maestro", "--in", "odd.jsonl"}));
  ASSERT_EQ(lines.size(), std::size(odd));
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(Json::parse(lines[i])["status"], odd[i].second) << odd[i].first;
  write_text(dir_ / "empty.jsonl", "\n");
  expect_refused({"eval", "maestro", "--in", "empty.jsonl"}, 1, "no problems");
  expect_refused({"eval", "maestro", "--in", "nosuch.jsonl"}, 1, "nosuch.jsonl");
  expect_refused({"eval", "dram", "--in", "odd.jsonl"}, 2, "takes no recorded problems");
  expect_refused({"eval", "maestro", "--in", "odd.jsonl", "--model", "vgg16"}, 2, "--model has no effect");
  expect_refused({"eval", "maestro", "--in", "odd.jsonl", "--model-version", "tip"}, 2, "expected e1d8efd8 or head");
  expect_refused({"eval", "maestro", "--in", "odd.jsonl", "--set", "K_outer=2"}, 2, "--set has no effect");
  expect_refused({"eval", "maestro", "--in", "odd.jsonl", "--out", "./odd.jsonl"}, 2, "is the input");
  expect_refused({"eval", "maestro", "--in", "odd.jsonl", "--out", "x.jsonl.gz"}, 2, "not compressed");
  fs::copy(dir_ / "odd.jsonl", dir_ / "odd.JSONL");
  EXPECT_EQ(lines_of(good({"eval", "maestro", "--in", "odd.JSONL"})), lines);
  std::string compact = row;
  std::erase(compact, ' ');
  write_text(dir_ / "odd.txt", compact + "\n");
  expect_refused({"eval", "maestro", "--in", "odd.txt"}, 2, "recorded problems are read from files named .jsonl");
}

// A product of small numbers is no whole number: JSON has all of it.
TEST_F(Maestro, EnergyTimesDelayIsNotRounded) {
  write_text(dir_ / "tiny.csv", "K,C,Y,X,R,S,T\n1,1,1,1,1,1,1\n");
  const Json metrics = evaluate({"--model", "tiny.csv", "--set", "cluster_size=1", "--set", "num_pes=1"})["metrics"];
  EXPECT_DOUBLE_EQ(metrics["edp_nj_cycles"].get<double>(),
                   metrics["energy_nj"].get<double>() * metrics["runtime_cycles"].get<double>());
}

// MAESTRO counts the outputs of a tile on a strided axis as if there were no stride: a mapping that is to be right takes one.
TEST_F(Maestro, StridedLayersCountWhatTheyCompute) {
  write_network();
  for (const char* tile : {"1", "4", "16"}) {
    const std::string outer = tile;
    const Json layer =
        evaluate({"--model", "net.m", "--layer", "second", "--set", "Y_outer=" + outer, "--set", "X_outer=" + outer});
    EXPECT_EQ(layer["metrics"]["impossible"], 0) << tile;
    EXPECT_EQ(layer["metrics"]["num_macs"], 8 * 8 * 8 * 9) << tile;
  }
}

// Spaces beyond what can be gone through are refused, not begun.
TEST_F(Maestro, VastSpacesAreNotGoneThrough) {
  const std::string shown = good({"space", "maestro", "--model", "resnet18", "--space", "codesign"});
  EXPECT_NE(shown.find("70477554489753600"), std::string::npos) << shown;
  EXPECT_TRUE(
      Json::parse(good({"space", "maestro", "--model", "resnet18", "--space", "mapping", "--json"}))[0]["classes"]["resnet18"]
          .is_null());
  expect_refused({"sweep", "maestro", "--space", "mapping", "--all", "--out", "vast.db"}, 2, "give --sample N");
  EXPECT_FALSE(fs::exists(dir_ / "vast.db"));
}

TEST_F(Maestro, MistakesAreExplained) {
  write_network();
  expect_refused({"eval", "maestro", "--model", "resnet19"}, 1, "did you mean 'resnet18'");
  expect_refused({"eval", "maestro", "--layer", "20"}, 2, "layers 0 to 19");
  expect_refused({"eval", "maestro", "--layer", "-1"}, 2, "layers 0 to 19");
  expect_refused({"eval", "maestro", "--model", "net.m", "--layer", "secnd"}, 2, "did you mean 'second'");
  expect_refused({"eval", "maestro", "--decode", "shipped"}, 2, "--decode does not describe a workload of maestro");
  expect_refused({"eval", "maestro-archgym", "--decode", "shiped"}, 2, "expected intended or shipped");
  expect_refused({"eval", "maestro", "--model-version", "e1d"}, 2, "expected e1d8efd8 or head");
  expect_refused({"eval", "maestro", "--set", "K_outer=0"}, 2, "K_outer");
  expect_refused({"eval", "maestro", "--set", "order_outer=KCXX"}, 2, "order_outer");
  expect_refused({"eval", "dram", "--trace", "stream", "--reference-input", "x"}, 2, "writes no input files");
  expect_refused({"eval", "maestro", "--model", "resnet18,vgg16", "--reference-input", "x"}, 2, "name one workload");
  const std::pair<const char*, const char*> tables[] = {{"K,C,Y,X,R,S\n", "columns K, C, Y, X, R, S and T"},
                                                        {"K,C,Y,X,R,S,Q\n", "unknown column 'Q'"},
                                                        {"K,C,Y,X,R,S,K\n", "appears twice"},
                                                        {"K,C,Y,X,R,S,T\n", "no layers"},
                                                        {"K,C,Y,X,R,S,T\n1,2,3\n", ":2: "},
                                                        {"K,C,Y,X,R,S,T\n1,1,9,9,3,3,7\n", "T = 7"},
                                                        {"K,C,Y,X,R,S,T\n1,1,9,9,3,-3,1\n", "S = '-3'"},
                                                        {"K,C,Y,X,R,S,T\n1,1,2,9,3,3,1\n", "larger than the input"},
                                                        {"K,C,Y,X,R,S,T\n0,1,9,9,3,3,1\n", "K = '0'"},
                                                        {"", "no layers"}};
  for (const auto& [text, message] : tables) {
    write_text(dir_ / "bad.csv", text);
    expect_refused({"eval", "maestro", "--model", "bad.csv"}, 1, message);
  }
  write_text(dir_ / "grouped.m",
             "Network n { Layer l { Type: NGCONV\n Dimensions { G: 2, K: 2, C: 2, R: 3, S: 3, Y: 9, X: 9 } } }\n");
  expect_refused({"eval", "maestro", "--model", "grouped.m"}, 1, "grouped convolutions");
  write_text(dir_ / "twice.m",
             "Network n { Layer a { Type: CONV\n Dimensions { K: 2, C: 2, R: 3, S: 3, Y: 9, X: 9 } }\n"
             "Layer 0 { Type: CONV\n Dimensions { K: 4, C: 2, R: 3, S: 3, Y: 9, X: 9 } } }\n");
  expect_refused({"eval", "maestro", "--model", "twice.m", "--layer", "0"}, 2, "could be layer 0 or 1");
  expect_refused({"eval", "maestro", "--in", "x.csv", "--reference-input", "x.m"}, 2, "--reference-input is for one design");
  write_text(dir_ / "vast.csv", "K,C,Y,X,R,S,T\n1000000,1000000,1000000,1000000,1,1,1\n");
  expect_refused({"eval", "maestro", "--model", "vast.csv"}, 1, "more multiply-accumulates than 64 bits hold");
  // Buffers beyond 32 bits wrap in the tool; nobody should take them for small ones.
  write_text(dir_ / "fc.csv", "K,C,Y,X,R,S,T\n65536,16384,1,1,1,1,0\n");
  const Json wrapped =
      evaluate({"--model", "fc.csv", "--set", "K_outer=65536", "--set", "C_outer=16384", "--set", "K_inner=256"});
  EXPECT_LT(wrapped["metrics"]["l2_size_req"], 0);
  EXPECT_EQ(wrapped["metrics"]["impossible"], 1);
  // A design that the model cannot evaluate ends as a status, not as a crash.
  const Outcome outcome = run({"eval", "maestro", "--layer", "2", "--set", "cluster_size=512"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.out.find("status clusters_exceed_pes"), std::string::npos) << outcome.out;
}

TEST_F(Maestro, WritesTheMappingOfADesign) {
  good({"eval", "maestro", "--layer", "2", "--set", "K_outer=32", "--set", "order_outer=YXKC", "--reference-input", "best.m"});
  const std::string text = read_text(path("best.m"));
  for (const char* part : {"Network", "Type: CONV", "SpatialMap(32,32) K", "TemporalMap(7,7) Y'", "Cluster(16, P)"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  // Read back, it costs what the design costs.
  const Json back = Json::parse(good({"eval", "maestro", "--in", "best.m"}));
  const Json design = evaluate({"--layer", "2", "--set", "K_outer=32", "--set", "order_outer=YXKC"});
  EXPECT_EQ(back["id"], "layer0");
  EXPECT_EQ(back["out"]["runtime"], design["metrics"]["runtime_cycles"]);
  EXPECT_EQ(back["out"]["energy_nj"], design["metrics"]["energy_nj"]);
  EXPECT_NE(Json::parse(good({"eval", "maestro", "--in", "best.m", "--set", "num_pes=16"}))["out"]["runtime"],
            back["out"]["runtime"]);
  expect_refused({"eval", "maestro", "--in", "best.m", "--set", "K_outer=5"}, 2, "--set K_outer has no effect");
  expect_refused({"eval", "maestro-archgym", "--in", "best.m", "--set", "num_pe=5"}, 2, "--set num_pe has no effect");
  write_network();
  expect_refused({"eval", "maestro", "--in", "net.m"}, 1, "net.m:2: layer 'first' has no Dataflow block");
  write_text(dir_ / "bad.m", "Network n {\nLayer l {\nType: CONV\nDimensions { K: -4 }\n}\n}\n");
  expect_refused({"eval", "maestro", "--in", "bad.m"}, 1, "bad.m:4: ");
  EXPECT_EQ(evaluate({"--model", "best.m"})["workload"]["model"], path("best.m"));
}

// Limits change a price and no counter, so that designs with one outcome have different costs.
TEST_F(Maestro, SearchesFindTheBestOfDesignsThatShareAnOutcome) {
  write_text(dir_ / "l2.json", R"({"name": "l2", "parameters": {"L2_size": [1024, 1048576, 16777216], "K_outer": [16, 32]}})");
  const Json found =
      Json::parse(good({"search", "maestro", "--layer", "2", "--space", "l2.json", "--agent", "grid", "--population", "6",
                        "--generations", "1", "--objective", "min:l2_over", "--out", "l2.db", "--json"}));
  EXPECT_EQ(found["best"][0]["objective"], 0.0);
}

TEST_F(Maestro, SweepsSearchesAndReportsAsAnyModel) {
  good({"sweep", "maestro", "--layer", "2", "--space", "mapping-small", "--sample", "3000", "--out", "sweep.db"});
  const std::string best = good({"best", "sweep.db", "--objective", "latency", "--json"});
  EXPECT_NE(best.find("runtime_cycles"), std::string::npos);
  const Words search{"search",        "maestro", "--layer",     "2",   "--agent", "ga:gamma", "--population", "64",
                     "--generations", "6",       "--objective", "edp", "--out",   "run.db",   "--seed",       "3"};
  const std::string shown = good(search);
  EXPECT_NE(shown.find("infeasible: "), std::string::npos) << shown;
  EXPECT_NE(shown.find("requested 384 evaluations"), std::string::npos) << shown;
  good({"export", "run.db", "--out", "run.csv"});
  EXPECT_NE(read_text(path("run.csv")).find(",avg_active_pes"), std::string::npos);
  good({"report", "run.db", "-o", "run.html"});
  const Json archgym = Json::parse(good({"search", "maestro-archgym", "--population", "64", "--generations", "20", "--objective",
                                         "archgym-latency", "--out", "hack.db", "--json"}));
  EXPECT_GT(archgym["reasons"]["counted though it violates impossible<=0"], 0);
}

}  // namespace
}  // namespace exarch
