// The MAESTRO environments as their users run them: networks and layers, files of their own, recorded problems, mistakes.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/cli.hpp"

namespace exarch {
namespace {

using namespace testing;
using Json = nlohmann::json;

// Hashes of all counters over a fixed set of runs (`exarch bench maestro --signature`). A change of any result changes them: then
// change them here and raise kModelVersion (host/maestro/environment.cpp), so that older stores are not continued with other
// numbers.
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

// More points than there are numbers for: searched and sampled, with one objective and with two, killed runs continued; what
// needs every point says so.
TEST_F(Maestro, SearchesSpacesWithoutNumbers) {
  std::string parameters;
  for (const char* name : {"K_outer", "C_outer", "Y_outer", "X_outer", "K_inner", "C_inner", "Y_inner", "X_inner"}) {
    parameters += std::string(parameters.empty() ? "" : ", ") + "\"" + name + R"(": {"from": 1, "to": 512})";
  }
  write_text(dir_ / "vast.json", R"({"name": "vast", "parameters": {)" + parameters + "}}");
  const Words vast{"--space", "vast.json", "--model", "resnet18", "--layer", "2"};
  const auto with = [&vast](Words words, const Words& more = {}) {
    words.insert(words.end(), vast.begin(), vast.end());
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  EXPECT_NE(good({"space", "maestro", "--space", "vast.json"}).find("4.7e+21"), std::string::npos);

  for (const char* objective : {"min:runtime_cycles", "min:runtime_cycles; min:area_um2"}) {
    const std::string agent = std::string(objective) == "min:runtime_cycles" ? "ga" : "nsga2";
    const Words settings{"--agent", agent, "--objective", objective, "--json"};
    const auto search = [&](const std::string& store, const std::string& generations) {
      Words more = settings;
      more.insert(more.end(), {"--out", store, "--generations", generations});
      return Json::parse(good(with({"search", "maestro"}, more)));
    };
    std::filesystem::remove(dir_ / "whole.db");
    std::filesystem::remove(dir_ / "parts.db");
    const Json whole = search("whole.db", "12");
    (void)search("parts.db", "5");
    const Json continued = search("parts.db", "12");
    ASSERT_FALSE(whole["best"].empty());
    EXPECT_EQ(whole["best"], continued["best"]) << objective;
    for (const Json& found : whole["best"]) {
      Words set{"eval", "maestro", "--model", "resnet18", "--layer", "2", "--json"};
      for (const auto& [name, value] : found["design"].items()) {
        set.insert(set.end(), {"--set", name + "=" + (value.is_string() ? value.get<std::string>() : value.dump())});
      }
      EXPECT_EQ(Json::parse(good(set))["metrics"], found["metrics"]) << objective;
    }
    EXPECT_NE(good({"best", "whole.db"}).find("K_outer"), std::string::npos);
    (void)good({"report", "whole.db", "--out", "whole.html"});
  }

  for (const char* keep : {"all", "best"}) {
    const std::string store = std::string("sample_") + keep + ".db";
    (void)good(with({"sweep", "maestro", "--sample", "300", "--keep", keep, "--out", store}));
    EXPECT_NE(good({"export", store}).find("K_outer"), std::string::npos);
  }
  for (const Words& words : {with({"sweep", "maestro", "--all", "--out", "all.db"}),
                             with({"search", "maestro", "--agent", "grid", "--out", "grid.db"}),
                             with({"study", "truth", "maestro", "--out", "truth.db"})}) {
    expect_refused(words, 2, "4.7e+21 points");
  }
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
  expect_refused({"eval", "timeloop", "--reference-input", "x"}, 2, "map timeloop --reference-input FOLDER");
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

// ---- what users are told -----------------------------------------------------------------------------------------------

// MAESTRO counts what strides leave of an axis as a tile of its own: said when the network is loaded, with sizes that work.
TEST_F(Maestro, StridesThatNoMappingCountsRightAreNamedWhenANetworkIsLoaded) {
  const auto network = [](const std::string& y, const std::string& x, const std::string& f, const std::string& t) {
    return "Network n {\nLayer stem { Type: CONV\nStride { X: " + t + ", Y: " + t + " }\nDimensions { K: 32, C: 3, R: " + f +
           ", S: " + f + ", Y: " + y + ", X: " + x +
           " }\n}\nLayer body { Type: CONV\nDimensions { K: 64, C: 32, R: 3, S: 3, Y: 28, X: 28 }\n}\n}\n";
  };
  write_text(dir_ / "net.m", network("224", "224", "11", "4"));
  const Outcome outcome = run({"eval", "maestro", "--model", "net.m", "--json"});
  for (const char* part :
       {"layer 'stem'", "MAESTRO counts 52x52 of 54x54 outputs, whatever the tiles", "Y and X = 223 or 227 work"}) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  }
  EXPECT_EQ(outcome.err.find("body"), std::string::npos) << outcome.err;
  const Json design = Json::parse(outcome.out);
  EXPECT_EQ(design["violates"][0], "impossible<=0");
  EXPECT_NE(design["why"][0].get<std::string>().find("layer 'stem': impossible: MAESTRO counts"), std::string::npos)
      << design["why"];
  for (const char* size : {"223", "227"}) {
    write_text(dir_ / "net.m", network(size, size, "11", "4"));
    const Outcome fine = run({"eval", "maestro", "--model", "net.m", "--set", "L2_size=16777216", "--json"});
    EXPECT_EQ(fine.err, "") << size;
    EXPECT_EQ(Json::parse(fine.out)["metrics"]["impossible"], 0) << size;
  }
  write_text(dir_ / "net.m", network("225", "227", "11", "4"));
  const std::string one_axis = run({"eval", "maestro", "--model", "net.m"}).err;
  EXPECT_NE(one_axis.find("Y = 223 or 227 works"), std::string::npos) << one_axis;
  write_text(dir_ / "net.m", network("57", "57", "3", "2"));
  EXPECT_EQ(run({"eval", "maestro", "--model", "net.m"}).err, "");
}

// The layer that fails is named, and a design that does not count does not look as if it did.
TEST_F(Maestro, ALayerThatNoMappingServesIsNamed) {
  write_text(dir_ / "net.m",
             "Network n {\nLayer good { Type: CONV\nDimensions { K: 32, C: 32, R: 3, S: 3, Y: 28, X: 28 }\n}\n"
             "Layer bad { Type: CONV\nStride { X: 3, Y: 3 }\nDimensions { K: 64, C: 32, R: 1, S: 1, Y: 14, X: 14 }\n}\n}\n");
  const Outcome text = run({"eval", "maestro", "--model", "net.m"});
  EXPECT_EQ(text.code, 1);
  EXPECT_NE(text.out.find("layer 'bad': stationary_tile: "), std::string::npos) << text.out;
  const Json json = Json::parse(run({"eval", "maestro", "--model", "net.m", "--json"}).out);
  EXPECT_EQ(json["status"], "stationary_tile");
  ASSERT_EQ(json["why"].size(), 1u) << json["why"];
  EXPECT_NE(json["why"][0].get<std::string>().find("layer 'bad'"), std::string::npos);
  const Words search{"search", "maestro", "--model", "net.m", "--population", "8", "--generations", "1"};
  Words to_table = search, to_json = search;
  to_table.insert(to_table.end(), {"--out", "a.db"});
  to_json.insert(to_json.end(), {"--out", "b.db", "--json"});
  const Outcome table = run(to_table);
  EXPECT_EQ(table.out.find("nan"), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("default  stationary_tile"), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("layer 'bad'"), std::string::npos) << table.out;
  const Json searched = Json::parse(run(to_json).out);
  EXPECT_EQ(searched["default"]["status"], "stationary_tile");
  EXPECT_NE(searched["default"]["why"][0].get<std::string>().find("layer 'bad'"), std::string::npos);
}

// The default design may break a buffer or arithmetic: then a search says so where it shows it.
TEST_F(Maestro, TheDefaultOfASearchIsShownForWhatItIs) {
  write_text(
      dir_ / "net.m",
      "Network n {\nLayer stem { Type: CONV\nStride { X: 4, Y: 4 }\nDimensions { K: 32, C: 3, R: 11, S: 11, Y: 224, X: 224 }\n}\n"
      "Layer proj { Type: CONV\nDimensions { N: 8, K: 256, C: 1, R: 1, S: 2048, Y: 1, X: 2048 }\n}\n}\n");
  const Words search{"search", "maestro", "--model", "net.m", "--population", "8", "--generations", "1"};
  Words to_table = search, to_json = search;
  to_table.insert(to_table.end(), {"--out", "a.db"});
  to_json.insert(to_json.end(), {"--out", "b.db", "--json"});
  const Json found = Json::parse(run(to_json).out)["default"];
  const Json evaluated = evaluate({"--model", "net.m"});
  EXPECT_EQ(evaluated["violates"], Json({"impossible<=0", "l1_over<=0", "l2_over<=0"}));
  EXPECT_EQ(found["status"], "infeasible");
  EXPECT_EQ(found["violates"], evaluated["violates"]);
  EXPECT_EQ(found["why"], evaluated["why"]);
  EXPECT_EQ(found["metrics"], evaluated["metrics"]);
  const std::string shown = run(to_table).out;
  EXPECT_NE(shown.find("default  infeasible"), std::string::npos) << shown;
  EXPECT_NE(shown.find("the default design is infeasible: violates impossible<=0"), std::string::npos) << shown;
  const std::string text = good({"eval", "maestro", "--model", "net.m"});
  EXPECT_NE(text.find("status ok, infeasible: violates impossible<=0"), std::string::npos) << text;
  const std::string sound = good({"eval", "maestro", "--layer", "2"});
  EXPECT_NE(sound.find("status ok\n"), std::string::npos) << sound;
}

// Where nothing fits, how much would.
TEST_F(Maestro, ASearchWithoutAFeasibleDesignSaysHowCloseItCame) {
  write_text(dir_ / "net.m",
             "Network n {\nLayer proj { Type: CONV\nDimensions { N: 8, K: 256, C: 1, R: 1, S: 2048, Y: 1, X: 2048 }\n}\n}\n");
  const Words search{"search", "maestro", "--model", "net.m", "--population", "64", "--generations", "1"};
  Words to_table = search, to_json = search;
  to_table.insert(to_table.end(), {"--out", "a.db"});
  to_json.insert(to_json.end(), {"--out", "b.db", "--json"});
  const Outcome table = run(to_table);
  EXPECT_EQ(table.code, 1);
  EXPECT_NE(table.out.find("closest to l1_over<=0, "), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("layer 'proj': needs "), std::string::npos) << table.out;
  const Json json = Json::parse(run(to_json).out);
  good({"export", "b.db", "--json", "--out", "all.jsonl"});
  double least = 1e18;
  for (const std::string& line : lines_of(read_text(path("all.jsonl")))) {
    const Json row = Json::parse(line);
    if (row["status"] == "ok" && row["metrics"]["l1_over"] > 0) least = std::min(least, row["metrics"]["l1_over"].get<double>());
  }
  const Json& all = json["closest"];
  const auto closest =
      std::find_if(all.begin(), all.end(), [](const Json& entry) { return entry["constraint"] == "l1_over<=0"; });
  ASSERT_NE(closest, all.end());
  EXPECT_EQ((*closest)["beyond"], least);
  // The advice holds: with that much L1 the constraint is met.
  const auto why = (*closest)["why"][0].get<std::string>();
  const std::string needed = std::to_string(2048 + static_cast<int>(least));
  EXPECT_NE(why.find("needs " + needed + " elements of L1 per PE"), std::string::npos) << why;
}

// A mapping that MAESTRO cannot evaluate is explained, and is no success.
TEST_F(Maestro, AMappingWithoutAResultIsExplained) {
  const std::string head =
      "Network n {\nLayer a { Type: CONV\nDimensions { K: 32, C: 16, R: 3, S: 3, Y: 15, X: 15 }\nDataflow {\n";
  const std::string inner =
      "Cluster(13,P); TemporalMap(16,16) K; TemporalMap(4,4) C; SpatialMap(1,1) Y'; TemporalMap(15,13) X; "
      "TemporalMap(Sz(R),Sz(R)) R; "
      "TemporalMap(Sz(S),Sz(S)) S;\n}\n}\n}\n";
  const std::string outer = "SpatialMap(16,16) K; TemporalMap(4,4) C; TemporalMap(13,13) Y'; TemporalMap(15,13) X;\n";
  write_text(dir_ / "a.m", head + outer + inner);
  const Outcome outcome = run({"eval", "maestro", "--in", "a.m"});
  EXPECT_EQ(outcome.code, 1);
  const Json answer = Json::parse(outcome.out);
  EXPECT_EQ(answer["status"], "missing_filter_directive");
  const auto why = answer["why"].get<std::string>();
  EXPECT_NE(why.find("level 1 of 2 (before the first Cluster) maps Y' but not R"), std::string::npos) << why;
  EXPECT_NE(why.find("add TemporalMap(Sz(R),Sz(R)) R"), std::string::npos) << why;
  EXPECT_NE(outcome.err.find("a.m:2: layer 'a': missing_filter_directive: " + why), std::string::npos) << outcome.err;
  write_text(dir_ / "b.m", head + outer + "TemporalMap(Sz(R),Sz(R)) R;\n" + inner);
  EXPECT_EQ(Json::parse(good({"eval", "maestro", "--in", "b.m"}))["status"], "ok") << "the advice, taken";
  // Every status that a recorded problem can end with has a sentence.
  good({"eval", "maestro", "--in", golden_ + "failures.jsonl.gz", "--out", "failures.jsonl"});
  for (const std::string& line : lines_of(read_text(path("failures.jsonl")))) {
    EXPECT_GT(Json::parse(line).value("why", std::string()).size(), 20u) << line;
  }
}

TEST_F(Maestro, LayersOfAFileHaveAVerdictOnBuffersAndKeepTheirNames) {
  const std::string dataflow =
      "Dataflow { SpatialMap(1,1) K; TemporalMap(32,32) C; TemporalMap(Sz(R),1) Y; TemporalMap(Sz(S),1) X; "
      "TemporalMap(Sz(R),Sz(R)) R; "
      "TemporalMap(Sz(S),Sz(S)) S; Cluster(32,P); SpatialMap(1,1) C; }\n}\n";
  write_text(dir_ / "two.m", "Network n {\nLayer a { Type: CONV\nDimensions { K: 32, C: 32, R: 3, S: 3, Y: 28, X: 28 }\n" +
                                 dataflow + "Layer b { Type: CONV\nDimensions { K: 64, C: 32, R: 3, S: 3, Y: 28, X: 28 }\n" +
                                 dataflow + "}\n");
  const Words roomy = lines_of(good({"eval", "maestro", "--in", "two.m"}));
  const Words tight = lines_of(good({"eval", "maestro", "--in", "two.m", "--set", "L1_size=8", "--set", "L2_size=100"}));
  ASSERT_EQ(tight.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const Json with = Json::parse(tight[i]), without = Json::parse(roomy[i]);
    EXPECT_EQ(with["out"], without["out"]) << "limits change no number";
    EXPECT_EQ(without["l1_over"], 0);
    EXPECT_EQ(with["l1_over"].get<int>(), with["out"]["l1_size_req"].get<int>() - 8);
    EXPECT_EQ(with["l2_over"].get<int>(), with["out"]["l2_size_req"].get<int>() - 100);
  }
  // Said once, since MAESTRO's own file has other energies from the second layer on.
  const std::string note = run({"eval", "maestro", "--in", "two.m"}).err;
  EXPECT_EQ(lines_of(note).size(), 1u) << note;
  EXPECT_NE(note.find("adds the L1 accesses of the layer before"), std::string::npos) << note;
  good({"eval", "maestro", "--model", "two.m", "--reference-input", "back.m"});
  const std::string back = read_text(path("back.m"));
  EXPECT_NE(back.find("Layer a "), std::string::npos) << back;
  EXPECT_NE(back.find("Layer b "), std::string::npos) << back;
  const Words answers = lines_of(good({"eval", "maestro", "--in", "back.m"}));
  EXPECT_EQ(Json::parse(answers.at(0))["id"], "a");
  EXPECT_EQ(Json::parse(answers.at(1))["id"], "b");
}

// A row that means one thing to MAESTRO and another to PyTorch is refused, wherever layers come from.
TEST_F(Maestro, DepthwiseLayersWithTwoMeaningsAreRefused) {
  write_text(dir_ / "torch.csv", "K,C,Y,X,R,S,T\n64,3,224,224,7,7,1\n32,1,114,114,3,3,2\n");
  expect_refused({"eval", "maestro", "--model", "torch.csv"}, 1,
                 "torch.csv:3: a depthwise layer with K = 32 and C = 1 has two meanings");
  expect_refused({"eval", "maestro", "--model", "torch.csv"}, 1, "write K = 1, C = 32 for 32 channels");
  write_text(dir_ / "multiplier.csv", "K,C,Y,X,R,S,T\n64,32,114,114,3,3,2\n");
  expect_refused({"eval", "maestro", "--model", "multiplier.csv"}, 1, "two meanings");
  write_text(dir_ / "groups.csv", "K,C,Y,X,R,S,groups\n32,1,114,114,3,3,32\n");
  expect_refused({"eval", "maestro", "--model", "groups.csv"}, 1,
                 "a depthwise layer is a row with T = 2, K = 1 and its channels under C");
  for (const char* k : {"1", "32"}) {
    write_text(dir_ / "fine.csv", std::string("K,C,Y,X,R,S,T\n") + k + ",32,114,114,3,3,2\n");
    EXPECT_EQ(evaluate({"--model", "fine.csv"})["counters"]["num_macs"], 32 * 112 * 112 * 9) << k;
  }
  // The same of columns that a type of layer leaves out.
  write_text(dir_ / "fc.csv", "K,C,Y,X,R,S,T\n4096,512,7,7,7,7,0\n");
  expect_refused({"eval", "maestro", "--model", "fc.csv"}, 1,
                 "fc.csv:2: T = 0 is a fully connected layer of K outputs and C inputs");
  write_text(dir_ / "gemm.csv", "K,C,Y,X,R,S,T\n128,64,32,2,1,1,3\n");
  expect_refused({"eval", "maestro", "--model", "gemm.csv"}, 1, "X = 2 would have no effect");
  const std::string layer = "Network n {\nLayer dw { Type: DSCONV\nDimensions { K: 32, C: 1, R: 3, S: 3, Y: 114, X: 114 }\n";
  write_text(dir_ / "torch.m", layer + "}\n}\n");
  expect_refused({"eval", "maestro", "--model", "torch.m"}, 1, "torch.m:2: layer 'dw': a depthwise layer with K = 32 and C = 1");
  // With a mapping of its own, or recorded, it has MAESTRO's number, and the warning.
  write_text(dir_ / "mapped.m", layer + "Dataflow { SpatialMap(1,1) C; }\n}\n}\n");
  const Outcome mapped = run({"eval", "maestro", "--in", "mapped.m"});
  EXPECT_NE(mapped.err.find("mapped.m:2: layer 'dw': a depthwise layer"), std::string::npos) << mapped.err;
  EXPECT_NE(Json::parse(mapped.out)["warning"].get<std::string>().find("two meanings"), std::string::npos) << mapped.out;
  write_text(
      dir_ / "row.jsonl",
      R"({"id": 1, "layer": {"type": "DSCONV", "dims": {"K": 32, "C": 1, "R": 3, "S": 3, "Y": 10, "X": 10}}, "directives": )"
      R"([["SpatialMap", "C", 1, 1]], "hw": {"num_pes": 16, "num_simd_lanes": 1, "noc_bw": 8, "noc_hops": 1, )"
      R"("noc_hop_latency": 1, "offchip_bw": 8}})"
      "\n");
  EXPECT_TRUE(Json::parse(good({"eval", "maestro", "--in", "row.jsonl"})).contains("warning"));
}

// Files and options that belong to other programs are named for what they are, with what to do.
TEST_F(Maestro, WhatOtherToolsHaveIsNamed) {
  write_text(dir_ / "hw.m",
             "num_pes: 168\nl1_size_cstr: 512\nl2_size_cstr: 108000\nnoc_bw_cstr: 64 // elements\noffchip_bw_cstr: 32\n");
  for (const char* option : {"--model", "--in"}) {
    expect_refused({"eval", "maestro", option, "hw.m"}, 1, "this is one of MAESTRO's hardware files");
    expect_refused({"eval", "maestro", option, "hw.m"}, 1,
                   "--set num_pes=168 --set L1_size=512 --set L2_size=108000 --set noc_bw=64 --set offchip_bw=32");
  }
  write_text(dir_ / "flow.m", "Dataflow {\n SpatialMap(1,1) K;\n Cluster(32, P);\n SpatialMap(1,1) C;\n}\n");
  expect_refused({"eval", "maestro", "--in", "flow.m"}, 1, "flow.m:1: this is a dataflow without a layer");
  write_text(dir_ / "gemm.csv", "M,N,K,0,0,0,T\n128,64,32,1,1,1,3\n");
  expect_refused({"eval", "maestro", "--model", "gemm.csv"}, 1, "gemm.csv:1: this is GAMMA's table of matrix products");
  write_text(dir_ / "gemm.csv", "K,C,Y,X,R,S,T\n128,64,32,1,1,1,3\n");
  write_text(dir_ / "conv.csv", "K,C,Y,X,R,S,T\n64,32,128,1,1,1,1\n");
  EXPECT_EQ(evaluate({"--model", "gemm.csv"})["counters"], evaluate({"--model", "conv.csv"})["counters"]) << "the advice, taken";
  expect_refused({"eval", "maestro", "--num_pes", "64"}, 2, "num_pes is a parameter of maestro, did you mean --set num_pes=64?");
  expect_refused({"eval", "maestro", "--num-pes=64"}, 2, "did you mean --set num_pes=64?");
  expect_refused({"eval", "dram", "--trace", "stream", "--RequestBufferSize", "8"}, 2, "did you mean --set RequestBufferSize=8?");
  expect_refused({"eval", "maestro-archgym", "--num_pe", "5"}, 2, "did you mean --set num_pe=5?");
  expect_refused({"search", "maestro", "--num_pes", "168", "--out", "x.db"}, 2, "did you mean --set num_pes=168?");
  expect_refused({"eval", "maestro", "--hw", "hw.m"}, 2, "the hardware is given parameter by parameter");
  expect_refused({"eval", "maestro", "--dataflow", "flow.m"}, 2, "a dataflow is given inside its layer");
}

// What `space --json` prints is a space file.
TEST_F(Maestro, SpacesThatArePrintedAreReadAgain) {
  for (const char* environment : {"dram", "maestro", "maestro-archgym"}) {
    const Json all = Json::parse(good({"space", environment, "--json"}));
    for (const Json& space : all) {
      const auto name = space["name"].get<std::string>();
      const std::string printed = good({"space", environment, "--space", name, "--json"});
      write_text(dir_ / "space.json", printed);
      EXPECT_EQ(good({"space", environment, "--space", "space.json", "--json"}), printed) << environment << " " << name;
    }
    if (all.size() < 2) continue;
    write_text(dir_ / "all.json", all.dump());
    expect_refused({"space", environment, "--space", "all.json"}, 2, "keep one of them");
  }
  const std::string counted = good({"space", "maestro", "--space", "mapping", "--model", "resnet18", "--json"});
  write_text(dir_ / "counted.json", counted);
  EXPECT_EQ(good({"space", "maestro", "--space", "counted.json", "--model", "resnet18", "--json"}), counted);
}

TEST_F(Maestro, AParameterOfASpaceCanBeFixed) {
  const Words more{"--space", "codesign", "--set", "num_pes=168", "--set", "spatial_outer=Y"};
  Words search{"search", "maestro", "--layer", "2", "--population", "32", "--generations", "2", "--out", "run.db", "--json"};
  search.insert(search.end(), more.begin(), more.end());
  const Json found = Json::parse(good(search));
  EXPECT_EQ(found["default"]["design"]["num_pes"], 168);
  good({"export", "run.db", "--json", "--out", "run.jsonl"});
  Words sweep{"sweep", "maestro", "--layer", "2", "--sample", "50", "--out", "sweep.db"};
  sweep.insert(sweep.end(), more.begin(), more.end());
  good(sweep);
  good({"export", "sweep.db", "--json", "--out", "sweep.jsonl"});
  for (const char* file : {"run.jsonl", "sweep.jsonl"}) {
    std::set<int> bandwidths;
    for (const std::string& line : lines_of(read_text(path(file)))) {
      const Json design = Json::parse(line)["design"];
      EXPECT_EQ(design["num_pes"], 168);
      EXPECT_EQ(design["spatial_outer"], "Y");
      bandwidths.insert(design["noc_bw"].get<int>());
    }
    EXPECT_GT(bandwidths.size(), 1u) << "the others vary as before";
  }
  expect_refused({"search", "maestro", "--space", "codesign", "--out", "run.db", "--layer", "2"}, 1, "run.db");
  expect_refused({"sweep", "maestro", "--set", "num_pes=0", "--sample", "5", "--out", "x.db"}, 2, "num_pes");
  const Json space = Json::parse(good({"space", "maestro", "--space", "codesign", "--set", "num_pes=168", "--json"}))[0];
  EXPECT_EQ(space["name"], "codesign num_pes=168");
}

// A kept front is one of results that count: what arithmetic forbids takes nobody's place on it.
TEST_F(Maestro, FrontsOfSweepsLeaveOutWhatIsImpossible) {
  const Words sweep{"sweep", "maestro", "--layer", "2", "--space", "mapping-small", "--sample", "2000"};
  Words best = sweep, all = sweep;
  best.insert(best.end(), {"--keep", "best", "--top", "1", "--objective", "min:runtime_cycles", "--out", "best.db"});
  all.insert(all.end(), {"--out", "all.db"});
  good(best);
  good(all);
  const auto front_of = [&](const std::string& store) {
    const Json page = Json::parse(good({"report", store, "--objective", "min:runtime_cycles", "-o", "page.html", "--json"}));
    std::set<std::string> front;
    for (const Json& point : page["workloads"][0]["cloud"]) {
      if (point["front"].get<bool>()) front.insert(point["at"].dump());
    }
    return front;
  };
  EXPECT_EQ(front_of("best.db"), front_of("all.db"));
}

// Tables and spreadsheets take a second column of one name for the first.
TEST_F(Maestro, ColumnsHaveNamesOfTheirOwn) {
  const auto expect_unique = [](const std::string& text, const std::string& what) {
    const std::string header = lines_of(text).at(0);
    std::set<std::string> names;
    std::istringstream in(header);
    for (std::string name; std::getline(in, name, ',');)
      EXPECT_TRUE(names.insert(name).second) << what << ": " << name << " twice";
    EXPECT_GT(names.size(), 10u) << what;
  };
  for (const Json& environment : Json::parse(good({"envs", "--json"}))) {
    const auto name = environment["name"].get<std::string>();
    const std::string trace = small_trace(20);
    Words workload;
    if (name == "dram") workload = {"--trace", trace};
    std::string header, row;
    for (const Json& parameter : environment["parameters"]) {
      row += header.empty() ? "" : ",";  // empty cells: defaults
      header += (header.empty() ? "" : ",") + parameter["name"].get<std::string>();
    }
    write_text(dir_ / "in.csv", header + "\n" + row + "\n" + row + "\n");
    Words eval{"eval", name, "--in", "in.csv"}, sweep{"sweep", name, "--sample", "3", "--out", name + ".db"};
    eval.insert(eval.end(), workload.begin(), workload.end());
    sweep.insert(sweep.end(), workload.begin(), workload.end());
    expect_unique(good(eval), "eval " + name);
    good(sweep);
    expect_unique(good({"export", name + ".db"}), "export " + name);
  }
}

}  // namespace
}  // namespace exarch
