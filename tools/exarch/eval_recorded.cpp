#include <nlohmann/json.hpp>
#include <set>

#include "host/dram/recorded_rows.hpp"
#include "host/error.hpp"
#include "tools/exarch/eval.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/simulation_files.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

// One value per channel; energies only where they were asked for.
Json answer_json(const dram::RecordedAnswer& answer) {
  Json json{{"status", answer.status}};
  if (!answer.message.empty()) json["message"] = answer.message;
  if (answer.channels.empty()) return json;
  const auto add = [&](std::string_view name, double dram::ChannelMetrics::*value) {
    Json& list = json[std::string(name)] = Json::array();
    for (const dram::ChannelMetrics& channel : answer.channels) list.push_back(number_or_null(channel.*value));
  };
  json["total_time_ps"] = std::vector<std::uint64_t>(answer.channels.size(), answer.time_ps);
  if (answer.has_energy) {
    add("total_energy_pj", &dram::ChannelMetrics::total_energy_pj);
    add("average_power_mw", &dram::ChannelMetrics::average_power_mw);
  }
  add("avg_bw_gbps", &dram::ChannelMetrics::avg_bw_gbps);
  add("avg_bw_idle_gbps", &dram::ChannelMetrics::avg_bw_idle_gbps);
  return json;
}

// Warnings of memories and traces come back with every row of them.
class Warnings {
 public:
  void say_new(const std::vector<std::string>& warnings) {
    constexpr std::size_t kMost = 20;
    for (const std::string& warning : warnings) {
      if (!said_.insert(warning).second) continue;
      if (said_.size() <= kMost) say("warning: " + warning);
      if (said_.size() == kMost + 1) say("more warnings of other memories and traces are left out");
    }
  }

 private:
  std::set<std::string> said_;
};

class RecordedEvaluation {
 public:
  RecordedEvaluation(const Environment& environment, const Arguments& arguments, CsvReader& csv)
      : csv_(csv),
        as_json_(arguments.flag("json")),
        // What is given holds for every row without a cell of its own.
        rows_(csv.header(), given_values(environment, arguments), evaluator_options(arguments).engine),
        path_(arguments.has("out") ? arguments.text("out") : "-"),
        out_(path_) {
    if (path_ != "-") refuse_overwriting("--out", path_, given_values(environment, arguments));
  }

  int run() {
    if (!rows_.ignored().empty()) {
      std::string names;
      for (const std::string& name : rows_.ignored()) names += (names.empty() ? "" : ", ") + name;
      say("columns without an effect on the runs are left out: " + names);
    }
    if (!as_json_) write_header();
    std::vector<std::string> row;
    while (csv_.next(row)) answer(row);
    if (count_ == 0) throw Error(csv_.path() + ": no rows below the header");
    out_.close();
    if (errors_ > 0)
      say(std::to_string(errors_) + " of " + std::to_string(count_) + " rows have no result; column message says why");
    return errors_ > 0 ? 1 : 0;
  }

 private:
  void write_header() {
    std::string header;
    for (std::size_t c = 0; c < csv_.header().size(); ++c) {
      if (rows_.is_input(c)) header += csv_field(csv_.header()[c]) + ",";
    }
    for (const std::string_view name : dram::kAnswerColumns) header += std::string(name) + ",";
    out_.write(header + "message\n");
  }

  void answer(const std::vector<std::string>& row) {
    if (path_ != "-") refuse_overwriting("--out", path_, files_of(row));
    const dram::RecordedAnswer answer = rows_.answer(row);
    ++count_;
    warnings_.say_new(answer.warnings);
    if (answer.status == "error" || answer.status == "step_limit") {
      constexpr std::size_t kMostSaid = 10;
      if (++errors_ <= kMostSaid) say(csv_.path() + ":" + std::to_string(csv_.line()) + ": " + answer.message);
    }
    if (as_json_) {
      out_.write(answer_json(answer).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
      return;
    }
    std::string text;
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (rows_.is_input(c)) text += csv_field(row[c]) + ",";
    }
    for (const std::string& cell : answer.cells()) text += csv_field(cell) + ",";
    out_.write(text + csv_field(answer.message) + "\n");
  }

  // The files that a row names.
  [[nodiscard]] WorkloadOptions files_of(const std::vector<std::string>& row) const {
    WorkloadOptions files;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string& name = csv_.header()[c];
      if (name == "trace" || name == "memspec" || name == "addressmapping") files[name] = row[c];
    }
    return files;
  }

  CsvReader& csv_;
  bool as_json_;
  dram::RecordedRows rows_;
  std::string path_;
  OutputFile out_;
  Warnings warnings_;
  std::size_t count_ = 0, errors_ = 0;
};

}  // namespace

std::map<std::string, std::string> assignments(const Arguments& arguments, const std::string& option) {
  std::map<std::string, std::string> values;
  for (const std::string& text : arguments.all(option)) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) throw UsageError("--" + option + " " + text + ": expected Name=value");
    const std::string name = text.substr(0, equals);
    if (!values.emplace(name, text.substr(equals + 1)).second)
      throw UsageError("--" + option + " " + name + " is given twice; leave one out");
  }
  return values;
}

std::map<std::string, std::string> given_values(const Environment& environment, const Arguments& arguments) {
  std::map<std::string, std::string> values = given_options(environment, arguments);
  for (const std::string& setting : controller_settings(environment, arguments)) {
    const std::size_t equals = setting.find('=');
    values[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  for (const auto& [name, value] : assignments(arguments, "set")) values[name] = value;
  return values;
}

bool is_recorded_csv(const Environment& environment, const CsvReader& csv) {
  return environment.name() == "dram" && dram::RecordedRows::has_header(csv.header());
}

int eval_recorded(const Environment& environment, const Arguments& arguments, CsvReader& csv) {
  return RecordedEvaluation(environment, arguments, csv).run();
}

}  // namespace exarch::cli
