// Studies by plan and reports, as users run them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "host/error.hpp"
#include "host/study/study_store.hpp"
#include "tests/support/cli.hpp"

namespace exarch {
namespace {

using namespace testing;
using Json = nlohmann::json;

class Studies : public Cli {
 protected:
  // A plan of two agents with 2 + 1 configurations on two small traces and two objectives: 12 cells.
  [[nodiscard]] std::string plan(const std::string& more = "", const std::string& label = "GA") const {
    write_text(
        dir_ / "plan.toml",
        "name = \"tiny\"\ndoc = \"a test\"\nenvironment = \"dram\"\nspace = \"" + small_space() +
            "\"\nobjectives = [\"latency\", \"archgym-both\"]\nseeds = 4\n" + more + "[workload]\ntrace = [\"" + small_trace(50) +
            "\", \"" + small_trace(60) +
            "\"]\n[[agents]]\nagent = \"random\"\npopulation = 10\nevaluations = 40\n[[agents]]\nagent = \"ga\"\nlabel = \"" +
            label + "\"\npopulation = [4, 8]\ngenerations = 5\nset.mutation_rate = [0.1, \"auto\"]\n");
    return "plan.toml";
  }
  [[nodiscard]] static Words study(const std::string& plan, const std::string& out) {
    return {"study", plan, "--out", out, "--json"};
  }

  // What a command of the shell prints.
  [[nodiscard]] static std::string output_of(const std::string& command) {
    std::string text;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return "";
    char buffer[65536];
    for (std::size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, n);
    pclose(pipe);
    return text;
  }
  // What the browser prints, opening a page with an option of its own.
  [[nodiscard]] std::string browse(const std::string& page, const std::string& option) const {
    return output_of("cd '" + dir_.string() + "' && HOME='" + dir_.string() +
                     "' timeout 240 chromium --headless=new --no-sandbox --disable-gpu --window-size=1240,3000 "
                     "--virtual-time-budget=20000 --enable-logging=stderr --v=0 " +
                     option + " 'file://" + path(page) + "' 2>'" + path("console") + "'");
  }
  // The page after its scripts ran, and what the browser's console said; empty without a browser.
  [[nodiscard]] std::string in_browser(const std::string& page, std::string& console) const {
    const std::string dom = browse(page, "--dump-dom");
    for (const std::string& line : lines_of(read_text(path("console")))) {
      if (line.find("CONSOLE") != std::string::npos) console += line + "\n";
    }
    return dom;
  }
  // The same of a page without a word on the console.
  [[nodiscard]] std::string in_browser(const std::string& page) const {
    std::string console;
    const std::string dom = in_browser(page, console);
    EXPECT_EQ(console, "");
    return dom;
  }
  [[nodiscard]] static bool has_browser() { return std::system("command -v chromium >/dev/null 2>&1") == 0; }

  // Opens a report, points at each of its charts, and returns what the tooltips said.
  [[nodiscard]] Json hover_over(const std::string& page) const {
    // Appended to a copy: every chart must have drawn something, and show a tooltip where the middle one of its points is, or,
    // where the point has a band, near the band's edge.
    std::string text = read_text(path(page));
    // Frames become timers: a busy machine may draw no frame at all while the page's virtual time runs, and the charts handle the
    // mouse, and fade their tooltips in, by frames.
    const std::string head = "<head>";
    text.insert(text.find(head) + head.size(),
                "<script>window.requestAnimationFrame = f => setTimeout(() => f(performance.now()), 16);</script>");
    text += R"(<script>
      const charts = Object.values(Chart.instances), banded = new Set();
      for (const chart of charts) {
        const set = chart.data.datasets.findIndex(d => d.data.length > 0);
        const wide = chart.data.datasets.findIndex(d => d.data.some(p => p.high > p.y));
        const points = chart.data.datasets[wide < 0 ? set : wide].data;
        const index = wide < 0 ? Math.floor(points.length / 2) : points.findIndex(p => p.high > p.y);
        const at = chart.getDatasetMeta(wide < 0 ? set : wide).data[index].getCenterPoint(), box = chart.canvas.getBoundingClientRect();
        if (wide >= 0) {
          at.y += 0.9 * (chart.scales.y.getPixelForValue(points[index].high) - at.y);
          banded.add(chart);
        }
        chart.canvas.dispatchEvent(new MouseEvent('mousemove', {clientX: box.left + at.x, clientY: box.top + at.y, bubbles: true}));
      }
      setTimeout(() => {  // many frames later
        const result = document.createElement('pre');
        result.id = 'told';
        result.textContent = JSON.stringify(charts.map(chart => {
          const canvas = chart.canvas, pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          let inked = 0;
          for (let i = 3; i < pixels.length; i += 4) inked += pixels[i] > 0 ? 1 : 0;
          const tooltip = chart.tooltip;
          return {title: canvas.getAttribute('aria-label'), inked, opacity: tooltip.opacity, banded: banded.has(chart),
                  last: Math.max(...chart.data.datasets[0].data.map(p => p.x)), end: chart.scales.x.max,
                  said: (tooltip.title || []).concat(...(tooltip.body || []).map(b => b.lines))};
        }));
        document.body.append(result);
      }, 500);
    </script>)";
    write_text(dir_ / "probe.html", text);
    const std::string dom = in_browser("probe.html");
    const std::size_t begin = dom.find("<pre id=\"told\">");
    if (begin == std::string::npos) throw std::runtime_error("the browser gave no page");
    std::string json = dom.substr(begin + 15, dom.find("</pre>", begin) - begin - 15);
    for (const auto& [entity, character] : {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}}) {
      for (std::size_t i = 0; (i = json.find(entity, i)) != std::string::npos; ++i)
        json.replace(i, std::string(entity).size(), character);
    }
    return Json::parse(json);
  }

  void expect_alive(const Json& charts, std::size_t at_least) const {
    EXPECT_GE(charts.size(), at_least);
    for (const Json& chart : charts) {
      EXPECT_GT(chart["inked"], 500) << chart;
      EXPECT_EQ(chart["opacity"], 1) << chart;
      EXPECT_FALSE(chart["said"].empty()) << chart;
    }
  }
};

TEST_F(Studies, APlanRunsAndSaysWhatItsAgentsReached) {
  const Json json = Json::parse(good(study(plan(), "s.db")));
  ASSERT_EQ(json["problems"].size(), 4u);
  ASSERT_EQ(json["agents"].size(), 2u);
  EXPECT_EQ(json["agents"][0]["label"], "random");
  EXPECT_EQ(json["agents"][1]["label"], "GA");
  EXPECT_EQ(json["agents"][1]["configurations"], 4);
  EXPECT_EQ(json["agents"][1]["runs"], 4 * 4 * 4);
  EXPECT_EQ(json["agents"][0]["evaluations"], 4 * 4 * 40);
  EXPECT_EQ(json["agents"][1]["evaluations"], 4 * 4 * 2 * (5 * 4 + 5 * 8));
  EXPECT_NEAR(json["agents"][0]["wins_by_best"].get<double>() + json["agents"][1]["wins_by_best"].get<double>(), 1, 1e-12);
  EXPECT_NEAR(json["agents"][0]["improvement"][1].get<double>() + json["agents"][1]["improvement"][0].get<double>(), 1, 1e-12);
  for (std::size_t p = 0; p < 4; ++p) {
    EXPECT_EQ(json["problems"][p]["exact"], true);
    // The optimum is what the truth says, and no search is better.
    EXPECT_LE(json["problems"][p]["optimum_cost"], json["problems"][p]["best_seen_cost"]);
    for (const Json& agent : json["agents"]) {
      EXPECT_GE(agent["problems"][p]["score"]["minimum"], 0);
      EXPECT_LE(agent["problems"][p]["score"]["maximum"], 1);
    }
  }
  const Json truth = Json::parse(good({"rank", "s.truth.db", "--objective", "latency", "--json"}));
  EXPECT_EQ(json["problems"][0]["optimum_cost"], truth[0]["optimum"]);
  EXPECT_EQ(json["problems"][2]["optimum_cost"], truth[1]["optimum"]);
  // Shown again, it says the same; and as a table.
  EXPECT_EQ(Json::parse(good({"study", "s.db", "--json"})), json);
  EXPECT_NE(good({"study", "s.db"}).find("wins by best"), std::string::npos);
}

TEST_F(Studies, DoNotDependOnThreadsOrOnWhereCostsComeFrom) {
  const Json tables = Json::parse(good(study(plan(), "a.db")));
  Words one = study("plan.toml", "b.db");
  one.insert(one.end(), {"--threads", "1", "--truth", "a.truth.db"});
  EXPECT_EQ(Json::parse(good(one))["agents"], tables["agents"]);
  const Json live = Json::parse(good(study(plan("costs = \"simulation\"\n"), "c.db")));
  for (std::size_t p = 0; p < 4; ++p) {
    EXPECT_EQ(live["problems"][p]["best_seen_cost"], tables["problems"][p]["best_seen_cost"]);
    EXPECT_EQ(live["problems"][p]["exact"], false);
  }
  StudyStore from_tables(path("a.db")), simulated(path("c.db"));
  std::vector<std::vector<double>> costs[2];
  for (const auto& [store, list] : {std::pair{&from_tables, &costs[0]}, std::pair{&simulated, &costs[1]}}) {
    store->for_each_cell([list = list](std::uint32_t, std::uint32_t, const StoredCell& cell) {
      list->push_back(cell.cost);
      return true;
    });
  }
  EXPECT_EQ(costs[0].size(), 20u);
  EXPECT_EQ(costs[0], costs[1]);
}

TEST_F(Studies, ReportTheBestDesignsByAnotherObjective) {
  const Json json =
      Json::parse(good(study(plan("reported_as = [\"archgym-latency-parsed\", \"archgym-both-parsed\"]\n"), "s.db")));
  EXPECT_EQ(json["problems"][1]["reported_as"], "archgym-both-parsed");
  EXPECT_LE(json["agents"][1]["problems"][1]["reported"]["maximum"], 1);
}

TEST_F(Studies, ADryRunCountsAndRunsNothing) {
  const Json json = Json::parse(good({"study", plan(), "--dry-run", "--json"}));
  EXPECT_EQ(json["configurations"], 5);
  EXPECT_EQ(json["problems"], 4);
  EXPECT_EQ(json["runs"], 5 * 4 * 4);
  EXPECT_EQ(json["evaluations"], 4 * 4 * (40 + 2 * (5 * 4 + 5 * 8)));
  EXPECT_EQ(json["truth_points"], 2 * kSmallSpacePoints);
  EXPECT_GT(json["expected_agent_seconds"], 0);
  EXPECT_GT(json["expected_truth_seconds"], 0);
  for (const char* shipped :
       {"lottery", "lottery-archgym", "lottery-wide", "budgets", "population", "population-wide", "mapping"}) {
    EXPECT_NE(good({"study", shipped, "--dry-run", "--seeds", "1"}).find("configurations"), std::string::npos) << shipped;
  }
  const Json lottery = Json::parse(good({"study", "lottery", "--compat", "archgym", "--dry-run", "--json"}));
  // ArchGym's grids: 600 ACO and 72 GA points, 3 BO settings by 5 seeds, 2 RW budgets; four traces, three objectives.
  EXPECT_EQ(lottery["study"], "lottery-archgym");
  EXPECT_EQ(lottery["problems"], 12);
  EXPECT_EQ(lottery["agents"][2]["configurations"], 600);
  EXPECT_EQ(lottery["agents"][1]["configurations"], 72);
  EXPECT_EQ(lottery["agents"][3]["runs"], 12 * 15);
  EXPECT_EQ(lottery["agents"][0]["configurations"], 2);
  EXPECT_TRUE(fs::exists(dir_ / "plan.toml"));
  EXPECT_FALSE(fs::exists(dir_ / "s.db"));
}

TEST_F(Studies, TheCommandLineOverrulesThePlan) {
  Words words = study(plan(), "s.db");
  words.insert(words.end(), {"--seeds", "2", "--objective", "energy", "--trace", small_trace(70), "--seed", "11"});
  const Json json = Json::parse(good(words));
  EXPECT_EQ(json["problems"].size(), 1u);
  EXPECT_EQ(json["problems"][0]["objective"], "energy");
  EXPECT_EQ(json["agents"][0]["seeds"], 2);
  EXPECT_EQ(json["study"]["first_seed"], 11);
  words = study("plan.toml", "t.db");  // the truth is the same for any seed
  words.insert(words.end(),
               {"--seeds", "2", "--objective", "energy", "--trace", small_trace(70), "--seed", "12", "--truth", "s.truth.db"});
  good(words);
  // Another study is not continued.
  expect_refused(study("plan.toml", "s.db"), 1, "the store holds another run");
}

// The truth takes long, so what would make it useless is found before.
TEST_F(Studies, WhatCannotBeWrittenIsSaidBeforeTheTruthIsMade) {
  write_text(dir_ / "text.db", "no store\n");
  good(study(plan("costs = \"simulation\"\n"), "other.db"));
  for (const auto& [out, said] : {std::pair{"nowhere/s.db", "cannot write there"}, std::pair{"text.db", "not an exarch store"},
                                  std::pair{"other.db", "the store holds another run"}, std::pair{".", "a folder"}}) {
    const Outcome outcome = run({"study", plan(), "--out", out, "--truth", "t.db"});
    EXPECT_EQ(outcome.code, 1) << out;
    EXPECT_NE(outcome.err.find(said), std::string::npos) << outcome.err;
    EXPECT_FALSE(fs::exists(dir_ / "t.db")) << out;
  }
}

// A truth about more workloads than the study's serves it; one about other things does not.
TEST_F(Studies, TheTruthOfAnotherStudyServes) {
  const Json both = Json::parse(good(study(plan(), "both.db")));
  Words one = study(plan(), "one.db");
  one.insert(one.end(), {"--trace", small_trace(60), "--truth", "both.truth.db"});
  const Json json = Json::parse(good(one));
  ASSERT_EQ(json["problems"].size(), 2u);
  EXPECT_EQ(json["problems"][0], both["problems"][2]);
  EXPECT_FALSE(fs::exists(dir_ / "one.truth.db"));
  const auto points = [&](const Words& more) {
    Words words{"study", "plan.toml", "--dry-run", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return Json::parse(good(words))["truth_points"].get<std::uint64_t>();
  };
  EXPECT_EQ(points({"--trace", small_trace(50), "--truth", "both.truth.db"}), 0u);
  EXPECT_EQ(points({"--truth", "missing.db"}), 2 * kSmallSpacePoints);
  Words other = study("plan.toml", "other.db");
  other.insert(other.end(), {"--trace", small_trace(70), "--truth", "both.truth.db"});
  expect_refused(other, 1, "both.truth.db: no truth about this study: it knows no workload");
  other.insert(other.end(), "--dry-run");
  expect_refused(other, 1, "it knows no workload");
}

// Where an objective has no feasible design, the others are still answered.
TEST_F(Studies, AnInfeasibleProblemIsLeftOut) {
  Words words = study(plan("costs = \"simulation\"\n"), "s.db");
  words.insert(words.end(), {"--objective", "latency", "--objective", "latency, total_time_ps<=1"});
  const Json json = Json::parse(good(words));
  EXPECT_EQ(json["problems"].size(), 2u);
  EXPECT_EQ(json["infeasible"].size(), 2u);
  EXPECT_EQ(json["agents"][0]["problems"].size(), 2u);
  EXPECT_EQ(json["agents"][0]["runs"], 2 * 4);
  EXPECT_NEAR(json["agents"][0]["wins_by_best"].get<double>() + json["agents"][1]["wins_by_best"].get<double>(), 1, 1e-12);
  EXPECT_NE(good({"study", "s.db"}).find("left out"), std::string::npos);
  good({"report", "s.db", "-o", "s.html"});
  Words none = study("plan.toml", "none.db");
  none.insert(none.end(), {"--objective", "latency, total_time_ps<=1"});
  expect_refused(none, 1, "no search saw a feasible design");
}

// Where there is an optimum, to see nothing feasible is to score nothing: it must not make the mean better.
TEST_F(Studies, AProblemThatNoSearchSolvesCountsAsSuch) {
  good({"study", "truth", "dram", "--space", small_space(), "--trace", small_trace(50), "--out", "t.db"});
  const Json best = Json::parse(good({"rank", "t.db", "--json"}));
  const std::string objective = "latency, total_time_ps<=" + std::to_string(best[0]["optimum"].get<std::uint64_t>());
  write_text(dir_ / "hard.toml", "name = \"hard\"\nenvironment = \"dram\"\nspace = \"" + small_space() +
                                     "\"\nobjectives = [\"latency\", \"" + objective +
                                     "\"]\nseeds = 1\nfirst_seed = 1\n[workload]\ntrace = \"" + small_trace(50) +
                                     "\"\n[[agents]]\nagent = \"random\"\npopulation = 2\nevaluations = 2\n");
  Words words = study("hard.toml", "hard.db");
  words.insert(words.end(), {"--truth", "t.db"});
  const Json json = Json::parse(good(words));
  ASSERT_EQ(json["problems"].size(), 2u);
  ASSERT_EQ(json["agents"][0]["problems"][1]["found"], 0) << "another seed, please";
  EXPECT_TRUE(json["problems"][1]["best_seen_cost"].is_null());
  EXPECT_EQ(json["agents"][0]["problems"][1]["iqm"], 0);
  EXPECT_LT(json["agents"][0]["iqm"]["mean"], json["agents"][0]["problems"][0]["iqm"]);
  EXPECT_TRUE(json["infeasible"].empty());
  good({"report", "hard.db", "-o", "hard.html"});
}

// A population may be all of a space: the first generation of a design per point of it.
TEST_F(Studies, PopulationsMayBeLargerThanTheSpace) {
  write_text(dir_ / "large.toml", "name = \"large\"\nenvironment = \"dram\"\nspace = \"" + small_space() +
                                      "\"\nobjectives = \"latency\"\nseeds = 1\n[workload]\ntrace = \"" + small_trace(50) +
                                      "\"\n[[agents]]\nagent = \"grid\"\npopulation = " + std::to_string(kSmallSpacePoints) +
                                      "\nevaluations = " + std::to_string(kSmallSpacePoints) +
                                      "\n[[agents]]\nagent = \"ga\"\npopulation = 2000000\nevaluations = 2000000\n");
  const Json json = Json::parse(good(study("large.toml", "large.db")));
  for (const Json& agent : json["agents"]) EXPECT_EQ(agent["problems"][0]["found"], 1) << agent["label"];
}

TEST_F(Studies, MistakesInAPlanNameTheirLine) {
  const auto refused = [&](const std::string& text, const std::string& said, int code = 2) {
    write_text(dir_ / "bad.toml", text);
    const Outcome outcome = run({"study", "bad.toml", "--out", "x.db"});
    EXPECT_EQ(outcome.code, code) << text;
    EXPECT_NE(outcome.err.find(said), std::string::npos) << text << outcome.err;
    expect_refused({"study", "bad.toml", "--dry-run"}, code, said);
  };
  const std::string head = "name = \"x\"\nenvironment = \"dram\"\nobjectives = \"latency\"\n";
  refused("name = \n", "bad.toml:1");
  refused(head, "bad.toml:1: a plan needs tables [[agents]]");
  refused(head + "sedes = 3\n[[agents]]\nagent = \"ga\"\nevaluations = 9\n",
          "bad.toml:4: unknown key 'sedes' (did you mean 'seeds'?)");
  refused(head + "[[agents]]\nagent = \"gaa\"\nevaluations = 9\n", "bad.toml:5: unknown agent 'gaa'");
  refused(head + "[[agents]]\nagent = \"ga\"\n", "needs 'generations' or 'evaluations'");
  refused(head + "[[agents]]\nagent = \"ga\"\nevaluations = 9\ngenerations = 2\n", "not both");
  refused(head + "[[agents]]\nagent = \"ga\"\nevaluations = 0\n", "bad.toml:6: 'evaluations': expected a whole number from 1");
  refused(head + "[[agents]]\nagent = \"ga\"\nevaluations = 9\nset.mutation = 1\n", "unknown key 'mutation' of 'set'");
  refused(head + "[[agents]]\nagent = \"ga\"\nevaluations = 9\nset.mutation_rate = 2\n", "mutation_rate");
  refused(head + "[[agents]]\nagent = \"ga:archgym\"\npopulation = 3\nevaluations = 9\n", "even");
  refused(head + "[[agents]]\nagent = \"ga\"\nevaluations = 9\n[[agents]]\nagent = \"ga\"\nevaluations = 8\n", "labelled 'ga'");
  refused(head + "[[agents]]\nagent = \"ga\"\nevaluations = [9, 7, 9]\n",
          "bad.toml:6: 'evaluations': a value stands there twice");
  refused(head + "costs = \"guess\"\n[[agents]]\nagent = \"ga\"\nevaluations = 9\n", "bad.toml:4: 'costs'");
  refused(head + "reported_as = [\"energy\", \"power\"]\n[[agents]]\nagent = \"ga\"\nevaluations = 9\n",
          "one entry per objective");
  refused(head + "[workload]\ntracee = \"stream\"\n[[agents]]\nagent = \"ga\"\nevaluations = 9\n", "tracee");
  refused(head + "[[agents]]\nagent = \"ga\"\nevaluations = 9\n", "--trace");
  const std::string tail = "[workload]\ntrace = \"stream\"\n[[agents]]\nagent = \"ga\"\nevaluations = 9\n";
  refused("name = \"x\"\nenvironment = \"drum\"\nobjectives = \"latency\"\n" + tail, "bad.toml:2: unknown environment 'drum'");
  refused(head + "space = \"archgym-acco\"\n" + tail, "bad.toml:4: ");
  refused("name = \"x\"\nenvironment = \"dram\"\nobjectives = [\"latency\", \"min:total_time_ps\"]\n" + tail,
          "bad.toml:3: 'latency' and 'min:total_time_ps' are the same objective");
  refused(head + "seconds = [0.1, 0.10]\n" + tail, "bad.toml:4: 'seconds': a value stands there twice");
  refused(head + "[workload]\ntrace = [\"stream\", \"a,b\"]\n[[agents]]\nagent = \"ga\"\nevaluations = 9\n",
          "bad.toml:5: 'a,b': names with commas");
  refused(head + "[workload]\ntrace = \"stream\"\nclk_mhz = 0\n[[agents]]\nagent = \"ga\"\nevaluations = 9\n",
          "bad.toml:6: clk_mhz");
  refused(head + "[workload]\ntrace = \"stream\"\nmemspec = \"nosuch\"\n[[agents]]\nagent = \"ga\"\nevaluations = 9\n",
          "bad.toml:6: ", 1);
  EXPECT_FALSE(fs::exists(dir_ / "x.db"));
  expect_refused({"study", "nosuch.toml", "--out", "x.db"}, 1, "nosuch.toml");
  expect_refused({"study", "lotery", "--out", "x.db"}, 2, "did you mean 'lottery'");
  expect_refused({"study", plan()}, 2, "needs --out FILE.db");
  expect_refused({"study", "plan.toml", "dram", "--out", "x.db"}, 2, "one argument too many");
  expect_refused({"study", "plan.toml", "--out", "x.db", "--budget", "7"}, 2, "--budget has no meaning");
  expect_refused({"study", "plan.toml", "--out", "x.db", "--compat", "archgym"}, 2, "no such variant");
  refused(head + "reported_as = \"\"\n[[agents]]\nagent = \"ga\"\nevaluations = 9\n", "bad.toml:4: 'reported_as': an empty text");
  expect_refused({"study", "plan.toml", "--out", "x.db", "--truth", "./x.db"}, 2, "the same file");
  expect_refused({"study", "plan.toml", "--out", "x.db", "--engine", "fasst"}, 2, "did you mean 'fast'");
  expect_refused({"study", "population-wide", "--out", "x.db", "--truth", "y.db"}, 2, "--truth has no meaning");
  expect_refused({"study", "lottery-archgym", "--out", "x.db", "--compat", "fixed"}, 2, "ArchGym as released");
  EXPECT_FALSE(fs::exists(dir_ / "x.db") || fs::exists(dir_ / "x.truth.db"));
  expect_refused({"study", "lottery", "--out", "x.db", "--compat", "both"}, 2, "expected archgym or fixed");
}

TEST_F(Studies, AKilledStudyContinuesToTheSameResult) {
  // Two million evaluations in cells of 200,000, so that there is something to kill.
  write_text(dir_ / "long.toml", "name = \"long\"\nenvironment = \"dram\"\nspace = \"" + small_space() +
                                     "\"\nobjectives = \"latency\"\nseeds = 20\n[workload]\ntrace = \"" + small_trace(50) +
                                     "\"\n[[agents]]\nagent = \"aco\"\npopulation = 10\nevaluations = 40000\n" +
                                     "set.evaporation = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]\n");
  const std::string want = good(study("long.toml", "whole.db"));
  const auto cells = [&]() -> std::uint64_t {
    if (!is_store_of(dir_ / "killed.db", StoreKind::study)) return 0;
    try {
      return StudyStore(dir_ / "killed.db").cell_count();
    } catch (const Error&) {
      return 0;
    }
  };
  int killed = 0;
  Words words = study("long.toml", "killed.db");
  words.insert(words.end(), {"--truth", "whole.truth.db"});
  for (const std::uint64_t enough : {1u, 3u, 6u}) killed += kill_when(words, [&] { return cells() >= enough; }) ? 1 : 0;
  EXPECT_GE(killed, 1);
  const std::uint64_t before = cells();
  EXPECT_GE(before, 1u);
  if (before < 10) expect_refused({"study", "killed.db"}, 1, "of its 10 cells");
  EXPECT_EQ(good(words), want);
}

TEST_F(Studies, TimesAreTakenOnceAndKept) {
  const Json json = Json::parse(good(study(plan("seconds = [0.001, 0.1]\n"), "s.db")));
  const Json& population = json["agents"][1]["problems"][0]["populations"][0];
  EXPECT_EQ(population["population"], 4);
  EXPECT_EQ(population["median_regret_in_time"].size(), 2u);
  EXPECT_GT(population["evaluations_per_second"], 0);
  EXPECT_EQ(Json::parse(good(study("plan.toml", "s.db"))), json) << "times are not taken again";
  EXPECT_EQ(Json::parse(good({"study", "s.db", "--json"})), json);
  expect_refused({"study", "s.db", "--seeds", "9"}, 2, "--seeds has no meaning");
}

TEST_F(Studies, StoresOfRunsAndStudiesAreNotMixedUp) {
  good(study(plan(), "s.db"));
  expect_refused({"best", "s.db"}, 1, "a study's store, where a run store is needed");
  expect_refused({"sweep", "dram", "--trace", small_trace(50), "--all", "--space", small_space(), "--out", "s.db"}, 1,
                 "a study's store");
  expect_refused(study("plan.toml", "s.truth.db"), 1, "a run store, where a study's store is needed");
  expect_refused({"report", "s.db"}, 2, "-o FILE.html");
  expect_refused({"report", "s.db", "-o", "s.db"}, 2, "the store itself");
  expect_refused({"report", "s.db", "-o", "s.truth.db"}, 2, "is a store");
  expect_refused({"report", "s.db", "-o", "nosuch/x.html"}, 1, "cannot be written");
  expect_refused({"report", "s.db", "-o", "x.html", "--objective", "energy"}, 2, "no meaning for the report of a study");
  expect_refused({"report", "nosuch.db", "-o", "x.html"}, 1, "nosuch.db");
}

TEST_F(Studies, APageStandsAlone) {
  // A label that would end the script it is written into, were it not escaped.
  const std::string evil = "</script><img src=x onerror=alert(1)>&";
  good(study(plan("", evil), "s.db"));
  good({"report", "s.db", "-o", "s.html"});
  const std::string page = read_text(path("s.html"));
  EXPECT_EQ(page.find(evil), std::string::npos);
  EXPECT_NE(page.find("\\u003c/script>\\u003cimg"), std::string::npos);
  EXPECT_EQ(page.find("src=\"http"), std::string::npos);
  EXPECT_EQ(page.find("href="), std::string::npos);
  EXPECT_NE(page.find("Released under the MIT License"), std::string::npos) << "the chart library's notice";
  if (!has_browser()) GTEST_SKIP() << "no chromium here";
  const std::string dom = in_browser("s.html");
  EXPECT_EQ(dom.find("<img"), std::string::npos) << "a label became HTML";
  EXPECT_NE(dom.find("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&amp;"), std::string::npos);
}

TEST_F(Studies, TheReportOfAStudyIsAlive) {
  if (!has_browser()) GTEST_SKIP() << "no chromium here";
  good(study(plan("seconds = [0.01]\nreported_as = [\"energy\", \"power\"]\n"), "s.db"));
  good({"report", "s.db", "-o", "s.html"});
  const Json charts = hover_over("s.html");
  // Means, profile; four problems each: boxes, budgets, shares, evaluations, rates, reported boxes.
  expect_alive(charts, 2 + 4 * 3);
  const auto banded = std::ranges::count_if(charts, [](const Json& chart) { return chart["banded"].get<bool>(); });
  EXPECT_GE(banded, 1) << "budgets must have been pointed at away from their lines";
  const std::string all = charts.dump();
  EXPECT_THAT(all, ::testing::HasSubstr("quartiles: "));
  EXPECT_THAT(all, ::testing::HasSubstr("best: population="));
  EXPECT_THAT(all, ::testing::HasSubstr("by settings: "));
}

TEST_F(Studies, TheReportOfARunIsAlive) {
  if (!has_browser()) GTEST_SKIP() << "no chromium here";
  const std::string trace = small_trace(60), space = small_space();
  good({"search", "dram", "--trace", trace, "--space", space, "--agent", "ga", "--population", "8", "--generations", "6", "--out",
        "run.db"});
  good({"study", "truth", "dram", "--trace", trace, "--space", space, "--out", "truth.db"});
  good({"report", "run.db", "--truth", "truth.db", "-o", "run.html"});
  const Json run = hover_over("run.html");
  expect_alive(run, 1 + 1 + 3);  // convergence, parallel coordinates, three pairs of trade-offs
  EXPECT_THAT(run.dump(), ::testing::HasSubstr("PagePolicy")) << "hovering shows the design";
  EXPECT_EQ(run[0]["banded"], true);
  EXPECT_EQ(run[0]["end"], run[0]["last"]) << "the axis ends with the last evaluation";
  good({"report", "truth.db", "--objective", "energy", "-o", "truth.html"});
  expect_alive(hover_over("truth.html"), 1 + 1 + 1 + 3);  // parallel coordinates, importance, distribution, trade-offs
}

TEST_F(Studies, AReportShowsTheMappingsOfTheBestDesign) {
  if (!has_browser()) GTEST_SKIP() << "no chromium here";
  good({"search", "timeloop", "--network", "keyword_spotting", "--agent", "random", "--population", "32", "--generations", "1",
        "--out", "t.db"});
  good({"report", "t.db", "-o", "t.html"});
  const std::string page = in_browser("t.html");
  EXPECT_THAT(page, ::testing::HasSubstr("<h3>Of the best design: mappings</h3><pre>layer1: "));
  EXPECT_THAT(page, ::testing::HasSubstr("\nlayer3: "));
}

TEST_F(Studies, AReportOfWhatHasNothingToShowIsAlive) {
  if (!has_browser()) GTEST_SKIP() << "no chromium here";
  const std::string trace = small_trace(60), space = small_space();
  EXPECT_EQ(run({"search", "dram", "--trace", trace, "--space", space, "--population", "8", "--generations", "2", "--objective",
                 "energy, total_time_ps<=1", "--out", "run.db"})
                .code,
            1)
      << "no design is feasible";
  good({"report", "run.db", "-o", "run.html"});
  const std::string dom = in_browser("run.html");
  EXPECT_THAT(dom, ::testing::HasSubstr("No design is feasible."));
}

TEST_F(Studies, TheReportOfASpaceOfOneDesignIsAlive) {
  if (!has_browser()) GTEST_SKIP() << "no chromium here";
  write_text(dir_ / "one.json", R"({"name": "one", "doc": "a test", "parameters": {"PagePolicy": ["Open"]}})");
  good({"search", "dram", "--trace", small_trace(60), "--space", "one.json", "--agent", "random", "--population", "4",
        "--generations", "3", "--out", "run.db"});
  good({"report", "run.db", "-o", "run.html"});
  expect_alive(hover_over("run.html"), 1 + 3);  // convergence, trade-offs
  EXPECT_THAT(in_browser("run.html"), ::testing::HasSubstr("No parameter varies in this space."));
}

TEST_F(Studies, AReportSpeaksOfAnOptimumOnlyWhereItIsKnown) {
  good(study(plan("seconds = [0.01]\n"), "s.db"));
  const Json json = Json::parse(good({"report", "s.db", "-o", "s.html", "--json"}));
  EXPECT_EQ(json["problems"][0]["unit"], "ps");
  EXPECT_EQ(json["problems"][0]["optimum"], json["problems"][0]["optimum_cost"]);
  EXPECT_EQ(json["problems"][1]["unit"], "");
  EXPECT_EQ(json["problems"][1]["optimum"], -json["problems"][1]["optimum_cost"].get<double>()) << "a reward is maximised";
  good(study(plan("costs = \"simulation\"\n"), "t.db"));
  good({"report", "t.db", "-o", "t.html"});
  if (!has_browser()) GTEST_SKIP() << "no chromium here";
  const std::string exact = in_browser("s.html"), seen = in_browser("t.html");
  for (const char* said :
       {"<label>Normalised by", "at the optimum</span>", "<h3>Seconds to the optimum: ", "1 = the optimum, over"}) {
    EXPECT_THAT(exact, ::testing::HasSubstr(said));
    EXPECT_THAT(seen, ::testing::Not(::testing::HasSubstr(said)));
  }
  EXPECT_THAT(seen, ::testing::HasSubstr("at the best seen</span>"));
  EXPECT_THAT(seen, ::testing::HasSubstr("1 = the best that any search saw, over"));
  for (const std::string& page : {exact, seen}) {
    EXPECT_THAT(page, ::testing::HasSubstr("<dt>backend</dt><dd>cpu"));
    EXPECT_THAT(page, ::testing::HasSubstr("[[agents]] label = \"GA\", agent = \"ga\", seeds = 4, population = [4,8]"));
    EXPECT_THAT(page, ::testing::HasSubstr("set.mutation_rate = [\"0.1\",\"auto\"]"));
  }
}

TEST_F(Studies, AReportNeverRoundsAScoreToOne) {
  if (!has_browser()) GTEST_SKIP() << "no chromium here";
  good(study(plan(), "s.db"));
  good({"report", "s.db", "-o", "s.html"});
  const std::regex mean(R"re("iqm":\{"mean":[^}]*\})re"), found(R"re("found":[^,]*)re");
  std::string page =
      std::regex_replace(read_text(path("s.html")), mean, R"("iqm":{"mean":0.999978,"low":0.9996,"high":0.9999999999})");
  page = std::regex_replace(page, found, R"("found":0.99996)");
  write_text(dir_ / "near.html", page);
  const std::string dom = in_browser("near.html");
  EXPECT_THAT(dom, ::testing::HasSubstr("<span>0.99998</span>"));
  EXPECT_THAT(dom, ::testing::HasSubstr("<span>0.9996 – 1 − 1e-10</span>"));
  EXPECT_THAT(dom, ::testing::HasSubstr("<span>99.996 %</span>"));
}

TEST_F(Studies, AReportIsPrintedWhole) {
  if (!has_browser()) GTEST_SKIP() << "no chromium here";
  if (std::system("command -v pdftotext >/dev/null 2>&1") != 0) GTEST_SKIP() << "no pdftotext here, of poppler-utils";
  good({"search", "dram", "--trace", small_trace(60), "--population", "8", "--generations", "4", "--out", "run.db"});
  const Json json = Json::parse(good({"report", "run.db", "-o", "run.html", "--json"}));
  (void)browse("run.html", "--print-to-pdf='" + path("run.pdf") + "'");
  const std::string text = output_of("pdftotext -layout '" + path("run.pdf") + "' -");
  const Json& best = json["workloads"][0]["best"][0];
  EXPECT_GE(json["parameters"].size(), 10u);
  for (std::size_t p = 0; p < json["parameters"].size(); ++p) {
    const Json& parameter = json["parameters"][p];
    EXPECT_THAT(text, ::testing::HasSubstr(parameter["name"].get<std::string>()));
    EXPECT_THAT(text, ::testing::HasSubstr(parameter["values"][best["places"][p].get<std::size_t>()].get<std::string>()));
  }
  for (const auto& [metric, value] : best["metrics"].items()) EXPECT_THAT(text, ::testing::HasSubstr(metric + ", "));
  // A page that is too wide is printed smaller: a heading is then no longer of 14 points, its line of 16.
  const std::string boxes = output_of("pdftotext -bbox '" + path("run.pdf") + "' -");
  std::smatch heading;
  ASSERT_TRUE(
      std::regex_search(boxes, heading, std::regex(R"re(yMin="([0-9.]+)" xMax="[0-9.]+" yMax="([0-9.]+)">Convergence<)re")));
  EXPECT_GT(std::stod(heading[2]) - std::stod(heading[1]), 16);
}

// A page about a part of a space says so.
TEST_F(Studies, AReportOfASweepSaysWhatTheStoreHolds) {
  const Words sweep{"sweep", "dram", "--trace", small_trace(60), "--space", small_space(), "--out"};
  const auto page_of = [&](const std::string& store, const Words& more) {
    Words words = sweep;
    words.push_back(store);
    words.insert(words.end(), more.begin(), more.end());
    good(words);
    return Json::parse(good({"report", store, "-o", "page.html", "--json"}));
  };
  const Json best = page_of("best.db", {"--sample", "90", "--keep", "best", "--top", "3", "--objective", "energy"});
  const auto subtitle = best["subtitle"].get<std::string>();
  EXPECT_NE(subtitle.find("90 designs drawn from small"), std::string::npos) << subtitle;
  EXPECT_NE(subtitle.find("seen by min:total_energy_pj"), std::string::npos) << subtitle;
  EXPECT_EQ(best["objective"], "min:total_energy_pj") << "what was best to the sweep";
  EXPECT_EQ(best["facts"][1][1], "different results kept");
  const Json all = page_of("all.db", {"--all"});
  EXPECT_NE(all["subtitle"].get<std::string>().find("All designs of small; "), std::string::npos);
  EXPECT_EQ(all["facts"][1][1], "simulated runs");
  EXPECT_EQ(all["subtitle"].get<std::string>().find("Incomplete"), std::string::npos);
}

// A front may show only what the objective allows: what breaks a constraint is worse than anything.
TEST_F(Studies, FrontsMeetTheConstraintsOfTheObjective) {
  const std::string trace = small_trace(60), space = small_space();
  good({"study", "truth", "dram", "--trace", trace, "--space", space, "--out", "truth.db"});
  const Json all = Json::parse(good({"report", "truth.db", "-o", "page.html", "--json"}))["workloads"][0]["cloud"];
  std::vector<double> times, energies;  // trade-offs of dram: time, energy, power
  for (const Json& point : all) {
    if (point["front"].get<bool>()) times.push_back(point["at"][0]);
    energies.push_back(point["at"][1]);
  }
  ASSERT_GT(times.size(), 1u) << "a front with something to leave out";
  std::ranges::sort(times);
  // Nothing as fast as the fastest half of the front.
  const double limit = times[times.size() / 2];
  const std::string capped = "energy, total_time_ps>=" + std::to_string(limit);
  const auto expect_slow = [&](const Json& cloud, const std::string& what) {
    ASSERT_FALSE(cloud.empty()) << what;
    for (const Json& point : cloud) EXPECT_GE(point["at"][0].get<double>(), limit) << what << ": " << point;
  };
  const auto workload_of = [&](Words words) {
    words.insert(words.end(), {"-o", "page.html", "--json"});
    return Json::parse(good(words))["workloads"][0];
  };
  expect_slow(workload_of({"report", "truth.db", "--objective", capped})["cloud"], "of a truth");
  good({"search", "dram", "--trace", trace, "--space", space, "--population", "16", "--generations", "4", "--objective", capped,
        "--out", "run.db"});
  const Json run = workload_of({"report", "run.db", "--truth", "truth.db"});
  expect_slow(run["cloud"], "of a search");
  expect_slow(run["exact_front"], "of the truth beside a search");

  const auto front_size = [&](const std::string& objective) {
    return Json::parse(good({"study", "truth", "truth.db", "--objective", objective, "--json"}))[0]["pareto_front"].get<int>();
  };
  EXPECT_NE(front_size(capped), front_size("energy"));
  EXPECT_EQ(front_size(capped), static_cast<int>(run["exact_front"].size()));

  // A truth that was made for an objective is looked at by it.
  good({"study", "truth", "dram", "--trace", trace, "--space", space, "--objective", capped, "--out", "capped.db"});
  const Json page = Json::parse(good({"report", "capped.db", "-o", "page.html", "--json"}));
  EXPECT_EQ(page["objective"].get<std::string>().substr(0, 35), "min:total_energy_pj,total_time_ps>=");
  expect_slow(page["workloads"][0]["cloud"], "of a truth made for it");
  EXPECT_GE(Json::parse(good({"best", "capped.db", "--top", "1", "--json"}))[0]["metrics"]["total_time_ps"], limit);
  EXPECT_EQ(Json::parse(good({"rank", "capped.db", "--json"}))[0]["optimum"],
            Json::parse(good({"rank", "truth.db", "--objective", capped, "--json"}))[0]["optimum"]);
}

// The constraint of any objective of a search holds for all that the search shows.
TEST_F(Studies, ConstraintsOfAllObjectivesHold) {
  const std::string trace = small_trace(60), space = small_space();
  good({"study", "truth", "dram", "--trace", trace, "--space", space, "--out", "truth.db"});
  const double fastest = Json::parse(good({"best", "truth.db", "--top", "1", "--json"}))[0]["objective"];
  const std::string slow = "total_time_ps>=" + std::to_string(fastest + 1);
  good({"search", "dram", "--trace", trace, "--space", space, "--agent", "nsga2", "--population", "54", "--generations", "2",
        "--objective", "latency; energy, " + slow, "--out", "run.db"});
  for (const Json& line : Json::parse(good({"best", "run.db", "--json"}))) {
    EXPECT_GT(line["metrics"]["total_time_ps"].get<double>(), fastest);
  }
  const Json page = Json::parse(good({"report", "run.db", "-o", "page.html", "--json"}))["workloads"][0];
  for (const Json& point : page["cloud"]) EXPECT_GT(point["at"][0].get<double>(), fastest) << point;
  for (const Json& generation : page["convergence"]) EXPECT_GT(generation["best"].get<double>(), fastest) << generation;
}

TEST_F(Studies, AReportShowsTheExactFrontOfItsTruthOnly) {
  const std::string trace = small_trace(60), space = small_space();
  good({"search", "dram", "--trace", trace, "--space", space, "--population", "8", "--generations", "3", "--out", "run.db"});
  good({"study", "truth", "dram", "--trace", trace, "--space", space, "--out", "truth.db"});
  good({"study", "truth", "dram", "--trace", small_trace(61), "--space", space, "--out", "other.db"});
  const Json json = Json::parse(good({"report", "run.db", "--truth", "truth.db", "-o", "run.html", "--json"}));
  const Json rank = Json::parse(good({"rank", "truth.db", "--json"}));
  EXPECT_EQ(json["workloads"][0]["optimum"], rank[0]["optimum"]);
  EXPECT_FALSE(json["workloads"][0]["exact_front"].empty());
  EXPECT_TRUE(json["workloads"][0].contains("convergence"));
  EXPECT_EQ(json["workloads"][0]["importance"].size(), 5u) << "of the parameters that vary";
  const Json other = Json::parse(good({"report", "run.db", "--objective", "energy", "-o", "run.html", "--json"}));
  EXPECT_FALSE(other["workloads"][0].contains("convergence")) << "stored costs are of another objective";
  expect_refused({"report", "run.db", "--truth", "other.db", "-o", "run.html"}, 1, "not about workload");
  expect_refused({"report", "truth.db", "--truth", "truth.db", "-o", "run.html"}, 2, "--truth has no meaning");
}

}  // namespace
}  // namespace exarch
