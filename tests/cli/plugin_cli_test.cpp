// Plug-ins: the documented one through every verb, and those that do what they must not.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "tests/support/cli.hpp"

namespace exarch::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

class Plugins : public Cli {
 protected:
  static std::string plugin(const std::string& name) { return std::string(EXARCH_PLUGINS "/plugin_") + name + ".so"; }
  // The words, with the documented plug-in loaded.
  static Words cached(Words words) {
    words.insert(words.end(), {"--plugin", plugin("cache")});
    return words;
  }
};

TEST_F(Plugins, TheDocumentedOneWorksWithEveryVerb) {
  const Json about = Json::parse(good(cached({"envs", "cache", "--json"})))[0];
  EXPECT_EQ(about["parameters"][2]["values"], Json({"lru", "random"}));
  const std::string model = about["model"];
  EXPECT_THAT(model, HasSubstr("plug-in cache/1, signature "));
  EXPECT_EQ(good(cached({"bench", "cache", "--signature"})), model.substr(model.size() - 16) + "\n");
  const Json one =
      Json::parse(good(cached({"eval", "cache", "--workload", "hot", "--set", "ways=4", "--set", "size_kb=64", "--json"})));
  EXPECT_DOUBLE_EQ(one["metrics"]["time_ns"], 1.4 + 100.0 / 16 / 2);
  EXPECT_EQ(one["model"], model);
  write_text(dir_ / "in.csv", "workload,ways,policy\ncold,1,lru\nhot,8,random\n");
  EXPECT_THAT(good(cached({"eval", "cache", "--in", "in.csv"})), HasSubstr("hot,8,random,ok,"));
  (void)good(cached({"space", "cache"}));
  // A truth, searches measured against it, a study, a report: as for any other model.
  (void)good(cached({"study", "truth", "cache", "--workload", "cold,hot", "--out", "truth.db"}));
  (void)good(cached({"search", "cache", "--agent", "ga", "--population", "16", "--generations", "20", "--objective", "both",
                     "--out", "run.db"}));
  const Json best = Json::parse(good(cached({"best", "run.db", "--json"})));
  EXPECT_THAT(best.dump(), HasSubstr("area_mm2"));
  (void)good(cached({"rank", "truth.db", "--set", "ways=4"}));
  (void)good(cached({"study", "regret", "truth.db", "--agents", "random,ga", "--seeds", "2", "--budget", "64"}));
  write_text(
      dir_ / "plan.toml",
      "name = \"mine\"\nenvironment = \"cache\"\nobjectives = [\"time\"]\nseeds = 2\n\n[workload]\nworkload = [\"hot\"]\n\n"
      "[[agents]]\nagent = \"random\"\npopulation = [8]\nevaluations = [64]\n");
  (void)good(cached({"study", "plan.toml", "--out", "study.db"}));
  for (const char* store : {"run.db", "study.db"}) (void)good(cached({"report", store, "-o", std::string(store) + ".html"}));
  EXPECT_THAT(good(cached({"export", "run.db"})), HasSubstr("time_ns"));
  EXPECT_THAT(good(cached({"doctor"})), HasSubstr("cache self test: ok"));
  // Values are those of the plug-in's table, whatever lies between them.
  expect_refused(cached({"eval", "cache", "--set", "ways=3"}), 2, "ways: 3 is no value of plug-in 'cache' (nearest: 2 and 4)");
  expect_refused(cached({"eval", "cache", "--set", "ways=9"}), 2, "ways");
  write_text(dir_ / "odd.json", R"({"name": "odd", "parameters": {"ways": [1, 3]}})");
  expect_refused(cached({"sweep", "cache", "--space", "odd.json", "--all", "--out", "odd.db"}), 2, "ways: 3 is no value");
  // A store says which model it is of.
  expect_refused({"best", "run.db"}, 1, "made with model " + model + " of environment 'cache', which is not there");
  expect_refused({"report", "study.db", "-o", "x.html"}, 2, "--plugin FILE");
}

TEST_F(Plugins, ABatchIsItsDesigns) {
  std::string rows = "ways,size_kb,policy\n";
  for (const char* ways : {"1", "2", "4", "8"}) {
    for (int size = 16; size <= 256; size += 16) {
      for (const char* policy : {"lru", "random"}) rows += std::string(ways) + "," + std::to_string(size) + "," + policy + "\n";
    }
  }
  std::string many = rows;  // more than one call of a thread
  for (int i = 0; i < 4; ++i) many += rows.substr(rows.find('\n') + 1);
  write_text(dir_ / "many.csv", many);
  const Words all = lines_of(good(cached({"eval", "cache", "--in", "many.csv", "--no-share", "--threads", "2"})));
  EXPECT_EQ(all, lines_of(good(cached({"eval", "cache", "--in", "many.csv", "--threads", "1"}))));
  write_text(dir_ / "one.csv", "ways,size_kb,policy\n8,256,random\n");
  EXPECT_EQ(lines_of(good(cached({"eval", "cache", "--in", "one.csv"})))[1], all.back());
}

TEST_F(Plugins, NanIsAFailedRun) {
  write_text(dir_ / "in.csv", "x,kind\n1,c\n2,b\n3,a\n");
  const Outcome outcome = run({"eval", "plain", "--in", "in.csv", "--plugin", plugin("plain")});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "x,kind,status,y,z\n1,c,ok,12,1e-09\n2,b,failed,,\n3,a,ok,30,1e-09\n");
  // Numbers keep their order, the default is the one that the plug-in names, and an unknown value is refused.
  const Json space = Json::parse(good({"space", "plain", "--json", "--plugin", plugin("plain")}))[0];
  EXPECT_EQ(space["parameters"]["x"], Json({3, 1, 2}));
  EXPECT_EQ(Json::parse(good({"eval", "plain", "--json", "--plugin=" + plugin("plain")}))["design"]["kind"], "b");
  expect_refused({"eval", "plain", "--set", "kind=d", "--plugin", plugin("plain")}, 2, "kind");
}

TEST_F(Plugins, HostileOnesAreRefused) {
  const std::vector<std::pair<std::string, std::string>> refusals{
      {"LABELS", "parameter kind has the label 'a' twice"},
      {"VALUES", "parameter kind needs labels or numbers, one of the two"},
      {"DEFAULT", "parameter kind: its default is none of its values"},
      {"NAME", "parameter 'ki nd': expected letters"},
      {"TWICE", "parameter 'X': the name is taken"},
      {"OBJECTIVE", "w"},
      {"VERSION", "version 99 of the interface"},
      {"SIZE", "(8 bytes), this program has version 1"},
      {"TAKEN", "there is an environment 'dram' already"},
      {"NO_VERSION", "its version is missing"},
      {"COUNT", "it has 1099511627776 parameters; from 1 to 256 are possible"},
      {"NO_TABLE", "it has 2 metrics, and no table of them"},
      {"FLAGS", "flags that this program does not know"},
      {"NO_FUNCTION", "it has no evaluate()"},
      {"SYMBOL", "no function exarch_get_plugin()"},
      {"NULL", "cannot be used on this machine"}};
  for (const auto& [name, said] : refusals) {
    const Words words{"eval", "plain", "--plugin", plugin(name)};
    expect_refused(words, 2, said);
    EXPECT_THAT(run(words).err, HasSubstr("exarch: " + plugin(name) + ": ")) << name;
  }
  // They are found out by their first call, which is that of the signature.
  for (const auto& [name, said] : {std::pair<std::string, std::string>{"FAILS", "could not evaluate 8 designs: no licence for 7"},
                                   {"FAILS_SILENTLY", "could not evaluate 8 designs: xxx"},
                                   {"FEWER", "did not write z of design 7 of 8"},
                                   {"MORE", "wrote behind the 8 designs that it was given"}}) {
    expect_refused({"eval", "plain", "--plugin", plugin(name)}, 1, said);
  }
}

TEST_F(Plugins, WhatIsNoLibraryIsRefused) {
  const std::string whole = read_text(plugin("plain"));
  write_text(dir_ / "text.so", "not a library\n");
  write_text(dir_ / "empty.so", "");
  write_text(dir_ / "head.so", whole.substr(0, 40));
  write_text(dir_ / "half.so", whole.substr(0, whole.size() / 2));
  write_text(dir_ / "tail.so", whole.substr(0, whole.size() - 1));
  std::string other = whole;
  other[18] = 'x';  // the machine
  write_text(dir_ / "other.so", other);
  for (const auto& [file, said] : {std::pair<std::string, std::string>{"none.so", "no such file"},
                                   {".", "not a file"},
                                   {"/dev/null", "not a file"},
                                   {"text.so", "not a shared library"},
                                   {"empty.so", "not a shared library"},
                                   {"head.so", "not a shared library"},
                                   {"half.so", "cut off"},
                                   {"tail.so", "cut off"},
                                   {"other.so", "cannot be loaded"},
                                   {EXARCH_BINARY, "cannot be loaded"}}) {
    expect_refused({"envs", "--plugin", file}, 2, said);
  }
  expect_refused({"envs", "--plugin"}, 2, "plugin");
  expect_refused({"envs", "--plugin="}, 2, "plugin");
  // Twice the same is once; a library elsewhere of the same name is another.
  (void)good({"envs", "plain", "--plugin", plugin("plain"), "--plugin", plugin("plain")});
  fs::copy_file(plugin("plain"), dir_ / "copy.so");
  expect_refused({"envs", "--plugin", plugin("plain"), "--plugin", "copy.so"}, 2, "there is an environment 'plain' already");
}

}  // namespace
}  // namespace exarch::testing
