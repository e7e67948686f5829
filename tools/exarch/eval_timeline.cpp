#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>

#include "host/dram/simulation.hpp"
#include "host/error.hpp"
#include "host/files/line_reader.hpp"
#include "host/files/text.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/eval.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/report.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/timeline_show.hpp"

namespace exarch::cli {
namespace {

using Values = std::map<std::string, std::string>;

constexpr std::size_t kBins = 20;
constexpr std::uint64_t kWidestWindow = 1'000'000;

// Cycles [from, to) of "FROM-TO".
struct CycleWindow {
  std::uint64_t from = 0, to = 0;
};

CycleWindow parse_window(const std::string& text) {
  const std::size_t dash = text.find('-');
  CycleWindow window;
  if (dash == std::string::npos || parse_decimal(text.substr(0, dash), window.from) != Parsed::ok ||
      parse_decimal(text.substr(dash + 1), window.to) != Parsed::ok || window.to <= window.from) {
    throw UsageError("--window " + in_quotes(text) + ": expected FROM-TO, two numbers of cycles such as 5000-9000");
  }
  if (window.to - window.from > kWidestWindow) {
    throw UsageError("--window " + text + ": a picture has at most " + std::to_string(kWidestWindow) + " cycles");
  }
  return window;
}

// Another design or workload than that of --set: the same, but for what --against says.
Values against_values(const Arguments& arguments, Values values) {
  for (const auto& [name, value] : assignments(arguments, "against")) values[name] = value;
  return values;
}

// The files must be files, and no two of them, nor one of them and a file that is read, the same.
void check_files(const Arguments& arguments, const Values& values) {
  Values read;  // by the words of the message
  for (const auto& [name, value] : against_values(arguments, {})) read["--against " + name] = value;
  if (arguments.has("mcconfig")) read["--mcconfig"] = arguments.text("mcconfig");
  if (arguments.has("simulation")) {
    read["--simulation"] = arguments.text("simulation");
    read["mcconfig of --simulation"] = dram::read_simulation(arguments.text("simulation")).mcconfig.string();
  }
  std::set<std::filesystem::path> paths;
  for (const char* const option : {"latencies", "commands", "picture"}) {
    if (!arguments.has(option)) continue;
    const std::string& path = arguments.text(option);
    const std::string given = std::string("--") + option + " " + path;
    if (path.empty() || path == "-") throw UsageError(given + ": name a file; standard output has the tables");
    if (path.ends_with(".gz") || path.ends_with(".zst"))
      throw UsageError(given + ": the file is not compressed; leave out the ending");
    std::error_code none;
    if (!paths.insert(std::filesystem::weakly_canonical(std::filesystem::absolute(path), none)).second)
      throw UsageError(given + " is named twice; choose another file");
    refuse_overwriting(std::string("--") + option, path, values);
    refuse_overwriting(std::string("--") + option, path, read);
  }
}

class TimelineRun {
 public:
  explicit TimelineRun(const Values& values)
      : values_(values), timeline_(dram::make_timeline(values)), summary_(summarise(timeline_, kBins)) {
    for (const std::string& warning : timeline_.workload->warnings) say(warning);
    if (summary_.unanswered > 0) {
      say("the run stalled: " + std::to_string(summary_.unanswered) + " of " + std::to_string(timeline_.run.requests.size()) +
          " requests have no response. CmdMux=Strict serves them in order, and Scheduler has chosen others; use Scheduler=Fifo");
    }
  }

  [[nodiscard]] const dram::Timeline& timeline() const { return timeline_; }
  [[nodiscard]] const dram::TimelineSummary& summary() const { return summary_; }
  [[nodiscard]] bool ok() const { return summary_.unanswered == 0; }
  [[nodiscard]] std::string title() const {
    std::string text;
    for (const auto& [name, value] : values_) text += (text.empty() ? "" : " ") + name + "=" + value;
    return text;
  }
  [[nodiscard]] nlohmann::ordered_json json() const {
    nlohmann::ordered_json json{{"environment", "dram"}, {"given", values_}};
    json.update(timeline_json(timeline_, summary_));
    return json;
  }

 private:
  Values values_;
  dram::Timeline timeline_;
  dram::TimelineSummary summary_;
};

int compare_runs(const Arguments& arguments, const TimelineRun& a, const TimelineRun& b) {
  const Comparison comparison = compare(a.timeline(), a.summary(), b.timeline(), b.summary());
  if (arguments.flag("json")) {
    nlohmann::ordered_json json{{"a", a.json()}, {"b", b.json()}, {"in_words", comparison.sentences}};
    for (const ComparedFigure& f : comparison.figures) {
      json["figures"].push_back({{"name", f.name}, {"unit", f.unit}, {"a", f.a}, {"b", f.b}});
    }
    std::cout << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
    return a.ok() && b.ok() ? 0 : 1;
  }
  std::cout << "A: " << printable(a.title()) << "\nB: " << printable(b.title()) << "\n\n";
  for (const std::string& sentence : comparison.sentences) std::cout << sentence << "\n";
  std::cout << "\n";
  std::vector<std::vector<std::string>> rows{{"figure", "A", "B", "B - A", "unit"}};
  for (const ComparedFigure& f : comparison.figures) {
    const int decimals = f.unit == "ns" || f.unit == "pJ" ? 2 : 0;
    rows.push_back(
        {f.name, with_decimals(f.a, decimals), with_decimals(f.b, decimals), with_decimals(f.b - f.a, decimals), f.unit});
  }
  print_table(rows);
  return a.ok() && b.ok() ? 0 : 1;
}

void write_picture(const TimelineRun& run, const std::string& path, const CycleWindow& window) {
  nlohmann::ordered_json page = timeline_page(run.timeline(), window.from, window.to);
  page["title"] = run.title();
  OutputFile out(path);
  out.write(report_page(page));
  out.close();
  say(path + ": cycles " + std::to_string(window.from) + " to " + std::to_string(window.to) + "; open it in a browser");
}

}  // namespace

std::vector<OptionSpec> timeline_options() {
  const std::string group = "One run of dram in detail";
  return {{"explain", "", "latencies of reads and writes, where their cycles go, bandwidth and waiting requests over time", "",
           false, group},
          {"against", "Name=value", "explains what changes with another value of a parameter or of the workload; repeatable", "",
           true, group},
          {"latencies", "FILE", "CSV of each request: arrival, first command, data, response", "", false, group},
          {"commands", "FILE", "CSV of each command: cycle, rank, bank, row, request", "", false, group},
          {"picture", "FILE", "HTML page of the commands: bank by bank over time, to zoom and to print", "", false, group},
          {"window", "FROM-TO", "cycles of --picture", "0-20000", false, group}};
}

bool wants_timeline(const Arguments& arguments) {
  for (const char* const option : {"explain", "against", "latencies", "commands", "picture", "window"}) {
    if (arguments.has(option)) return true;
  }
  return false;
}

int eval_timeline(const Environment& environment, const Arguments& arguments) {
  if (environment.name() != "dram")
    throw UsageError("--explain and the like look at runs of dram; " + environment.name() + " has none");
  for (const char* const option : {"in", "out", "reference-input"}) {
    if (arguments.has(option)) {
      throw UsageError(std::string("--") + option +
                       " has no meaning beside --explain, --against, --latencies, --commands or --picture");
    }
  }
  if (arguments.has("window") && !arguments.has("picture")) throw UsageError("--window is for --picture FILE");
  const Values values = given_values(environment, arguments);
  check_files(arguments, values);
  const CycleWindow window = parse_window(arguments.text("window"));

  const TimelineRun run(values);
  std::optional<TimelineRun> other;
  if (arguments.has("against")) other.emplace(against_values(arguments, values));
  if (arguments.has("latencies")) write_latencies(run.timeline(), arguments.text("latencies"));
  if (arguments.has("commands")) write_commands(run.timeline(), arguments.text("commands"));
  if (arguments.has("picture")) write_picture(run, arguments.text("picture"), window);
  if (other) return compare_runs(arguments, run, *other);
  if (arguments.flag("json")) {
    std::cout << run.json().dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  } else {
    std::cout << printable(run.title()) << "\nstatus " << (run.ok() ? "ok" : "stalled") << ", "
              << run.timeline().run.requests.size() << " requests in "
              << with_decimals(static_cast<double>(run.summary().time_ps) / 1000, 2) << " ns\n\n";
    print_timeline(run.timeline(), run.summary());
  }
  return run.ok() ? 0 : 1;
}

}  // namespace exarch::cli
