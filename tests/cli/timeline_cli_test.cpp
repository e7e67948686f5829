// One run of dram in detail, as users ask for it: --explain, --against, --latencies, --commands, --picture.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/cli.hpp"

namespace exarch {
namespace {

using namespace testing;
using Json = nlohmann::json;
using Row = std::map<std::string, std::string>;

class Timelines : public Cli {
 protected:
  // No cell of these files is quoted.
  [[nodiscard]] std::vector<Row> rows_of(const std::string& name) const {
    const auto cells_of = [](const std::string& line) {
      std::vector<std::string> cells(1);
      for (const char c : line) {
        if (c == ',') {
          cells.emplace_back();
        } else {
          cells.back() += c;
        }
      }
      return cells;
    };
    const Words lines = lines_of(read_text(path(name)));
    const std::vector<std::string> header = cells_of(lines.at(0));
    std::vector<Row> rows;
    for (std::size_t i = 1; i < lines.size(); ++i) {
      const std::vector<std::string> cells = cells_of(lines[i]);
      EXPECT_EQ(cells.size(), header.size()) << lines[i];
      for (std::size_t c = 0; c < cells.size(); ++c) {
        if (c == 0) rows.emplace_back();
        rows.back()[header[c]] = cells[c];
      }
    }
    return rows;
  }
  [[nodiscard]] static double at(const Row& row, const std::string& name) { return std::stod(row.at(name)); }
};

// The files and the summary are about the run that `eval` prices: their sums are its counters.
TEST_F(Timelines, SumsAreTheCounters) {
  const std::string trace = small_trace(400);
  const std::vector<Words> designs{{},
                                   {"--set", "PagePolicy=ClosedAdaptive", "--set", "Scheduler=FrFcfsGrp", "--set",
                                    "RefreshPolicy=AllBank", "--set", "Arbiter=Fifo", "--set", "RespQueue=Reorder"}};
  for (const Words& design : designs) {
    Words words{"eval", "dram", "--trace", trace, "--json"};
    words.insert(words.end(), design.begin(), design.end());
    const Json usual = Json::parse(good(words));
    for (const char* word : {"--explain", "--latencies", "latencies.csv", "--commands", "commands.csv"}) words.emplace_back(word);
    const Json run = Json::parse(good(words));
    const Json &counters = usual["counters"], &metrics = usual["metrics"], &all = run["latencies"][0];
    EXPECT_EQ(run["total_time_ps"], metrics["total_time_ps"]);
    EXPECT_EQ(all["latency_sum_ps"].get<std::uint64_t>(),
              counters["latency_sum"].get<std::uint64_t>() * run["tck_ps"].get<std::uint64_t>());
    EXPECT_EQ(all["max_latency_ns"], metrics["max_latency_ns"]);
    EXPECT_EQ(all["histogram_cycles"], usual["detail"]["latency_histogram_cycles"]);
    for (const char* percentile : {"p50_latency_ns", "p95_latency_ns", "p99_latency_ns"}) {
      // The metric is the upper end of the bucket that the exact value lies in.
      EXPECT_LE(all[percentile], metrics[percentile]);
      EXPECT_GE(1.25 * all[percentile].get<double>() + 1e-9, metrics[percentile].get<double>());
    }
    EXPECT_EQ(all["requests"].get<int>(),
              run["latencies"][1]["requests"].get<int>() + run["latencies"][2]["requests"].get<int>());
    std::uint64_t parts = 0;
    for (const Json& part : all["parts_sum_ps"]) parts += part.get<std::uint64_t>();
    EXPECT_EQ(parts, all["latency_sum_ps"].get<std::uint64_t>());
    const Json& channel = run["channels"][0];
    for (const char* rows : {"row_hits", "row_misses", "row_conflicts"}) EXPECT_EQ(channel[rows], counters[rows]);
    EXPECT_NEAR(channel["total_energy_pj"], metrics["total_energy_pj"], 1e-9 * metrics["total_energy_pj"].get<double>());
    EXPECT_NEAR(channel["energy_activate_pj"], metrics["energy_activate_pj"], 1e-9 * metrics["total_energy_pj"].get<double>());
    EXPECT_NEAR(channel["energy_background_pj"], metrics["energy_background_pj"],
                1e-9 * metrics["total_energy_pj"].get<double>());
    int bursts = 0;
    for (const Json& bin : run["over_time"]) bursts += bin["reads"].get<int>() + bin["writes"].get<int>();
    EXPECT_EQ(bursts, 400);

    const std::vector<Row> requests = rows_of("latencies.csv"), commands = rows_of("commands.csv");
    ASSERT_EQ(requests.size(), 400u);
    double sum = 0;
    std::map<std::string, int> outcomes;
    for (const Row& r : requests) {
      sum += at(r, "latency_ck");
      ++outcomes[r.at("outcome")];
      EXPECT_EQ(at(r, "latency_ck"), at(r, "response_ck") - at(r, "arrival_ck"));
      EXPECT_LE(at(r, "arrival_ck"), at(r, "stored_ck"));
      EXPECT_LE(at(r, "stored_ck"), at(r, "first_command_ck"));
      EXPECT_LE(at(r, "first_command_ck"), at(r, "cas_ck"));
      EXPECT_LT(at(r, "data_begin_ck"), at(r, "data_end_ck"));
      EXPECT_LE(at(r, "data_end_ck"), at(r, "response_ck"));
    }
    EXPECT_EQ(sum, counters["latency_sum"].get<double>());
    EXPECT_EQ(outcomes["hit"], counters["row_hits"].get<int>());
    EXPECT_EQ(outcomes["miss"], counters["row_misses"].get<int>());
    EXPECT_EQ(outcomes["conflict"], counters["row_conflicts"].get<int>());
    int activates = 0, accesses = 0;
    for (const Row& c : commands) {
      activates += c.at("command") == "ACT" ? 1 : 0;
      if (c.at("command").starts_with("RD") || c.at("command").starts_with("WR")) {
        ++accesses;
        const Row& r =
            *std::find_if(requests.begin(), requests.end(), [&](const Row& q) { return q.at("request") == c.at("request"); });
        for (const char* column : {"bank", "row", "rank"}) EXPECT_EQ(r.at(column), c.at(column));
        EXPECT_EQ(r.at("cas_ck"), c.at("cycle"));
      }
    }
    EXPECT_EQ(activates, counters["act"].get<int>());
    EXPECT_EQ(accesses, 400);
  }
}

// Any memory has them: several channels, several initiators, bank groups, power-down, no energy model.
TEST_F(Timelines, OfEveryMemory) {
  const std::string trace = small_trace(120);
  const std::vector<Words> cases{
      {"--memspec", "MICRON_4Gb_DDR4-2400_8bit_A", "--addressmapping", "am_ddr4_8x4Gbx8_dimm_p1KB_brc", "--set",
       "PowerDownPolicy=Staggered"},
      {"--memspec", "HBM2", "--addressmapping", "am_hbm2_8Gb_pc_brc", "--set", "RefreshPolicy=PerBank"}};
  for (const Words& memory : cases) {
    Words words{"eval", "dram", "--trace", trace + "+" + trace, "--explain", "--json", "--latencies", "latencies.csv"};
    words.insert(words.end(), memory.begin(), memory.end());
    for (const char* word : {"--picture", "commands.html", "--window", "0-100000"}) words.emplace_back(word);
    const Json run = Json::parse(good(words));
    EXPECT_EQ(run["requests"], 240);
    const std::string page = read_text(path("commands.html")), mark = "id=\"data\">";
    const std::size_t begin = page.find(mark) + mark.size();
    const Json data = Json::parse(page.substr(begin, page.find("</script>", begin) - begin));
    EXPECT_EQ(data["requests"].size(), 240u);
    EXPECT_EQ(data["bursts"].size(), 240u);
    EXPECT_GE(data["commands"].size(), 240u);
    // A bus carries one burst at a time.
    std::map<int, double> busy_until;
    std::vector<Json> bursts(data["bursts"].begin(), data["bursts"].end());
    std::sort(bursts.begin(), bursts.end(), [](const Json& a, const Json& b) { return a[0].get<double>() < b[0].get<double>(); });
    for (const Json& burst : bursts) {
      const int rank = burst[3].get<int>() / data["banks_per_rank"].get<int>();
      double& until = busy_until[8 * burst[2].get<int>() + (data["data_buses"] > 1 ? rank : 0)];
      EXPECT_GE(burst[0].get<double>(), until);
      until = burst[1].get<double>();
    }
    double sum = 0;
    for (const Row& r : rows_of("latencies.csv")) sum += at(r, "latency_ck") * run["tck_ps"].get<double>();
    EXPECT_NEAR(sum, run["latencies"][0]["latency_sum_ps"].get<double>(), 1e-6 * sum);
    const Json& last = run["latencies"].back();
    EXPECT_EQ(last["group"], "initiator_2");
    EXPECT_EQ(last["requests"], 120);
    for (const Json& group : run["latencies"]) {
      std::uint64_t parts = 0;
      for (const Json& part : group["parts_sum_ps"]) parts += part.get<std::uint64_t>();
      EXPECT_EQ(parts, group["latency_sum_ps"].get<std::uint64_t>()) << group["group"];
    }
  }
}

TEST_F(Timelines, AgainstAnotherDesign) {
  const std::string trace = small_trace(300);
  const Words words{"eval", "dram", "--trace", trace, "--against", "PagePolicy=Closed", "--against", "clk_mhz=400"};
  const std::string text = good(words);
  EXPECT_NE(text.find("B needs "), std::string::npos);
  EXPECT_NE(text.find("mean_latency_reads"), std::string::npos);
  Words in_json = words;
  in_json.emplace_back("--json");
  const Json both = Json::parse(good(in_json));
  const Json other =
      Json::parse(good({"eval", "dram", "--trace", trace, "--set", "PagePolicy=Closed", "--clk_mhz", "400", "--json"}));
  EXPECT_EQ(both["b"]["total_time_ps"], other["metrics"]["total_time_ps"]);
  EXPECT_EQ(both["a"]["channels"][0]["commands"]["RD"].get<int>() + both["a"]["channels"][0]["commands"]["WR"].get<int>(), 300);
  // The parts of the difference are the difference.
  double latency = 0, parts = 0;
  for (const Json& f : both["figures"]) {
    const double change = f["b"].get<double>() - f["a"].get<double>();
    if (f["name"] == "mean_latency_all") latency = change;
    if (f["name"].get<std::string>().starts_with("of_it_")) parts += change;
  }
  EXPECT_NEAR(latency, parts, 1e-6);
}

TEST_F(Timelines, BadInputIsRefused) {
  const std::string trace = small_trace(20);
  const auto refused = [&](const Words& more, int code, const std::string& said) {
    Words words{"eval", "dram", "--trace", trace};
    words.insert(words.end(), more.begin(), more.end());
    expect_refused(words, code, said);
  };
  refused({"--explain", "--set", "PagePolicy=Opn"}, 2, "PagePolicy");
  refused({"--explain", "--set", "PagePolice=Open"}, 2, "PagePolicy");
  refused({"--against", "PagePolicy"}, 2, "expected Name=value");
  refused({"--latencies", "-"}, 2, "name a file");
  refused({"--latencies", "a.csv.gz"}, 2, "not compressed");
  refused({"--latencies", "a.csv", "--commands", "./a.csv"}, 2, "twice");
  refused({"--latencies", trace}, 2, "choose another file");
  refused({"--against", "PagePolicy=Open", "--against", "PagePolicy=Closed"}, 2, "given twice");
  // No file that is read is written, whatever names it.
  write_text(dir_ / "other.stl", "0: read 0x40\n");
  write_text(dir_ / "mc.json", R"({"mcconfig": {"PagePolicy": "Closed"}})");
  refused({"--latencies", "other.stl", "--against", "trace=other.stl"}, 2, "choose another file");
  refused({"--commands", "mc.json", "--mcconfig", "mc.json"}, 2, "choose another file");
  expect_refused({"eval", "dram", "--trace", trace + "+other.stl", "--latencies", "other.stl"}, 2, "choose another file");
  EXPECT_EQ(read_text(dir_ / "other.stl"), "0: read 0x40\n");
  // Every refresh of the idle time would be kept.
  write_text(dir_ / "idle.stl", "0: read 0x0\n4294967294: read 0x40\n");
  expect_refused({"eval", "dram", "--trace", "idle.stl", "--clk_mhz", "20", "--set", "RefreshPolicy=AllBank", "--explain"}, 1,
                 "refreshes");
  refused({"--picture", "a.html", "--window", "9-5"}, 2, "FROM-TO");
  refused({"--picture", "a.html", "--window", "0-9000000"}, 2, "at most");
  refused({"--window", "0-5"}, 2, "--picture");
  refused({"--explain", "--in", "x.csv"}, 2, "--in has no meaning");
  refused({"--latencies", "none/a.csv"}, 1, "none/a.csv");
  expect_refused({"eval", "dram", "--explain"}, 2, "--trace");
  expect_refused({"eval", "maestro", "--explain"}, 2, "maestro");
}

// Traces of other tools are read as without --explain.
TEST_F(Timelines, TracesOfOtherTools) {
  write_text(dir_ / "t.csv", "time,rw,addr\n0,R,0x0\n5,W,0x100\n9,R,0x4000\n");
  write_text(dir_ / "t.stl", "0: read 0x0\n5: write 0x100\n9: read 0x4000\n");
  const Json own = Json::parse(good({"eval", "dram", "--trace", "t.csv", "--explain", "--json"}));
  EXPECT_EQ(own["total_time_ps"], Json::parse(good({"eval", "dram", "--trace", "t.csv", "--json"}))["metrics"]["total_time_ps"]);
  EXPECT_EQ(own["total_time_ps"], Json::parse(good({"eval", "dram", "--trace", "t.stl", "--json"}))["metrics"]["total_time_ps"]);
}

// A run that stalls has latencies of what was answered, and says so.
TEST_F(Timelines, StalledRunsSaySo) {
  const Outcome outcome =
      run({"eval", "dram", "--trace", "random", "--set", "CmdMux=Strict", "--set", "Scheduler=FrFcfs", "--set", "Arbiter=Fifo",
           "--set", "RequestBufferSize=32", "--json", "--latencies", "latencies.csv"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("the run stalled"), std::string::npos);
  const Json answer = Json::parse(outcome.out);
  EXPECT_EQ(answer["status"], "stalled");
  std::size_t unanswered = 0;
  const std::vector<Row> rows = rows_of("latencies.csv");
  for (const Row& r : rows) unanswered += r.at("response_ck").empty() ? 1 : 0;
  EXPECT_EQ(rows.size(), answer["requests"].get<std::size_t>());
  EXPECT_EQ(unanswered, answer["unanswered"].get<std::size_t>());
  EXPECT_GT(unanswered, 0u);
}

TEST_F(Timelines, PictureIsAPageOfItsOwn) {
  good({"eval", "dram", "--trace", small_trace(100), "--picture", "commands.html", "--window", "0-500", "--json"});
  const std::string page = read_text(path("commands.html"));
  EXPECT_NE(page.find("\"kind\":\"timeline\""), std::string::npos);
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  if (std::system("command -v chromium >/dev/null 2>&1") != 0) GTEST_SKIP() << "no chromium here";
  // Pointing at every place of the picture must find the boxes of it; nothing may be said on the console.
  write_text(dir_ / "probe.html", page + R"(<script>
    const canvas = document.querySelector('canvas'), box = canvas.getBoundingClientRect(), said = new Set();
    for (let y = 30; y < box.height; y += 12) for (let x = 120; x < box.width; x += 2) {
      canvas.dispatchEvent(new MouseEvent('mousemove', {clientX: box.left + x, clientY: box.top + y, bubbles: true}));
      said.add(document.getElementById('told').textContent.split(' ')[0]);
    }
    document.querySelectorAll('button')[4].click();
    const pre = document.createElement('pre');
    pre.id = 'probe';
    pre.textContent = [...said].join(' ') + ' to ' + document.querySelectorAll('input')[1].value;
    document.body.append(pre);
  </script>)");
  const std::string dom = path("dom"), console = path("console");
  const std::string command =
      "HOME='" + dir_.string() + "' timeout 240 chromium --headless=new --no-sandbox --disable-gpu " +
      "--window-size=1240,1000 --virtual-time-budget=20000 --enable-logging=stderr --v=0 --dump-dom 'file://" +
      path("probe.html") + "' >'" + dom + "' 2>'" + console + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(read_text(console).find("CONSOLE"), std::string::npos) << read_text(console);
  const std::string text = read_text(dom);
  const std::size_t begin = text.find("<pre id=\"probe\">");
  ASSERT_NE(begin, std::string::npos);
  const std::string told = text.substr(begin, 300);
  for (const char* word : {"ACT", "RD", "data", "row"}) EXPECT_NE(told.find(word), std::string::npos) << told;
  EXPECT_NE(told.find("to 500"), std::string::npos) << told;
}

}  // namespace
}  // namespace exarch
