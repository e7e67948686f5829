#include "host/dram/recorded_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "host/dram/environment.hpp"
#include "host/dram/reference.hpp"
#include "host/dram/system_engine.hpp"
#include "host/dram/tables.hpp"
#include "host/error.hpp"
#include "host/files/line_reader.hpp"

namespace exarch::dram {
namespace {

// Besides parameters, workload options and delays.
const std::vector<std::string> kSettings{"power_analysis", "enable_windowing", "window_size"};
// What DRAMSys was called with, and results; of no effect.
const std::vector<std::string> kResults{"family",           "simulation",      "channels",
                                        "status",           "exit_code",       "message",
                                        "n_addr_warnings",  "n_stderr_lines",  "initiators_finished",
                                        "last_finish_ps",   "total_time_ps",   "total_energy_pj",
                                        "average_power_mw", "avg_bw_gbps",     "avg_bw_idle_gbps",
                                        "avg_bw_pct",       "avg_bw_idle_pct", "max_bw_gbps"};

// Those of them that no table of designs has.
const std::vector<std::string> kRunColumns{"simulation", "avg_bw_pct", "avg_bw_idle_pct", "max_bw_gbps"};

std::vector<std::string> delay_names() {
  std::vector<std::string> names;
  for (const DelayKey& key : kDelayKeys) names.emplace_back(key.name);
  return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

std::uint64_t whole_number(const std::string& name, const std::string& text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  if (parse_decimal(text, value) == Parsed::ok && value >= least && value <= most) return value;
  throw UsageError(name + ": expected a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                   ", found '" + escaped(text, 40) + "'");
}

bool truth(const std::string& name, const std::string& text) {
  for (const char* const yes : {"True", "true", "1"}) {
    if (text == yes) return true;
  }
  for (const char* const no : {"False", "false", "0"}) {
    if (text == no) return false;
  }
  throw UsageError(name + ": expected True or False, found '" + escaped(text, 40) + "'");
}

// Labels of parameters that only rows of any memory take; DRAMSys' older names too.
struct SystemLabel {
  std::string_view parameter, label;
  void (*set)(ControllerParams& params);
};
constexpr std::array<SystemLabel, 4> kSystemLabels{{
    {"RefreshPolicy", "PerBank", [](ControllerParams& p) { p.refresh_policy = RefreshPolicy::PerBank; }},
    {"RefreshPolicy", "Bankwise", [](ControllerParams& p) { p.refresh_policy = RefreshPolicy::PerBank; }},
    {"CmdMux", "Strict", [](ControllerParams& p) { p.cmd_mux = CmdMux::Strict; }},
    {"PowerDownPolicy", "Staggered", [](ControllerParams& p) { p.power_down_policy = PowerDownPolicy::Staggered; }},
}};

// The one place that knows which model answers.
SystemRun simulate(const SystemWorkload& workload, const ControllerParams& params, Engine engine) {
  if (engine == Engine::fast) return SystemEngine(workload).run(params);
  return simulate_system_reference(workload.view, workload.table, params, false, workload.step_budget);
}

void check_settings(const std::map<std::string, std::string>& values) {
  const auto check = [&values](const char* name, const auto& read) {
    if (const auto found = values.find(name); found != values.end()) (void)read(name, found->second);
  };
  check("clk_mhz", [](const char* /*name*/, const std::string& text) { return player_clocks(text); });
  check("address_offset", [](const char* name, const std::string& text) { return whole_number(name, text, 0, kMaxU32); });
  check("power_analysis", truth);
  // Neither of these changes a figure; both must be what the reference takes.
  check("enable_windowing", truth);
  check("window_size", [](const char* name, const std::string& text) { return whole_number(name, text, 1, 1'000'000'000'000); });
}

std::string decimals(double value) {
  if (std::isnan(value)) return "-nan";  // as the reference prints zero over zero
  char text[400];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

}  // namespace

SystemSetup row_setup(const std::map<std::string, std::string>& values) {
  SystemSetup setup;
  setup.memspec = values.at("memspec");
  setup.mapping = values.at("addressmapping");
  setup.traces = values.at("trace");
  setup.clk_mhz = values.at("clk_mhz");
  setup.address_offset = whole_number("address_offset", values.at("address_offset"), 0, kMaxU32);
  for (std::size_t d = 0; d < kDelayKeys.size(); ++d) {
    const std::string name(kDelayKeys[d].name);
    if (const auto found = values.find(name); found != values.end()) {
      setup.delays_ns[d] = whole_number(name, found->second, 0, 1'000'000);
    }
  }
  return setup;
}

ControllerParams row_params(const std::map<std::string, std::string>& values) {
  std::vector<std::int64_t> design;
  std::vector<const SystemLabel*> labels;
  for (const ParameterInfo& parameter : dram_environment().parameters()) {
    design.push_back(parameter.default_value);
    const auto found = values.find(parameter.name);
    if (found == values.end()) continue;
    const auto is_given = [&](const SystemLabel& label) {
      return label.parameter == parameter.name && label.label == found->second;
    };
    const auto* const label = std::ranges::find_if(kSystemLabels, is_given);
    if (label != kSystemLabels.end()) {
      labels.push_back(label);
    } else {
      design.back() = parameter.parse(found->second);
    }
  }
  ControllerParams params = params_of(design);
  for (const SystemLabel* label : labels) label->set(params);
  return params;
}

std::array<std::string, kAnswerColumns.size()> RecordedAnswer::cells() const {
  std::array<std::string, kAnswerColumns.size()> texts{status};
  for (const ChannelMetrics& channel : channels) {
    const std::string energy = has_energy ? decimals(channel.total_energy_pj) : "";
    const std::string power = has_energy ? decimals(channel.average_power_mw) : "";
    const std::array<std::string, 5> values{std::to_string(time_ps), energy, power, decimals(channel.avg_bw_gbps),
                                            decimals(channel.avg_bw_idle_gbps)};
    for (std::size_t v = 0; v < values.size(); ++v) {
      const bool empty = !has_energy && (v == 1 || v == 2);
      texts[v + 1] += (&channel == channels.data() || empty ? "" : "|") + values[v];
    }
  }
  return texts;
}

bool RecordedRows::has_header(const std::vector<std::string>& header) {
  const std::vector<std::string> delays = delay_names();
  return std::ranges::any_of(header, [&](const std::string& name) {
    return contains(kSettings, name) || contains(delays, name) || contains(kRunColumns, name);
  });
}

RecordedRows::RecordedRows(std::vector<std::string> header, std::map<std::string, std::string> defaults, Engine engine)
    : header_(std::move(header)), defaults_(std::move(defaults)), engine_(engine) {
  std::vector<std::string> inputs = kSettings;
  for (const ParameterInfo& parameter : dram_environment().parameters()) inputs.push_back(parameter.name);
  for (const std::string& name : delay_names()) inputs.push_back(name);
  for (const WorkloadOption& option : dram_environment().workload_options()) {
    if (!contains(inputs, option.name)) inputs.push_back(option.name);
    if (!option.default_value.empty()) defaults_.emplace(option.name, option.default_value);
  }
  // What holds for all rows is wrong before any of them.
  for (const auto& [name, value] : defaults_) {
    if (!contains(inputs, name)) throw UsageError("unknown parameter '" + escaped(name, 40) + "'" + did_you_mean(name, inputs));
  }
  (void)row_params(defaults_);
  check_settings(defaults_);
  std::set<std::string> seen;
  for (const std::string& name : header_) {
    if (!seen.insert(name).second) throw UsageError("column '" + escaped(name, 40) + "' appears twice");
    inputs_.push_back(contains(inputs, name));
    if (inputs_.back()) continue;
    if (!contains(kResults, name)) throw UsageError("unknown column '" + escaped(name, 40) + "'" + did_you_mean(name, inputs));
    ignored_.push_back(name);
  }
}

RecordedAnswer RecordedRows::answer(const std::vector<std::string>& row) {
  std::map<std::string, std::string> values = defaults_;
  for (std::size_t c = 0; c < header_.size(); ++c) {
    if (inputs_[c] && !row[c].empty()) values[header_[c]] = row[c];
  }
  try {
    return run(values);
  } catch (const Error& error) {
    RecordedAnswer answer;
    answer.status = "error";
    answer.message = error.what();
    return answer;
  }
}

RecordedAnswer RecordedRows::run(const std::map<std::string, std::string>& values) {
  if (!values.contains("trace")) throw UsageError("trace: the row names none");
  const ControllerParams params = row_params(values);
  check_settings(values);
  std::map<std::string, std::string> key;
  for (const auto& [name, value] : values) {
    if (!contains({"memspec", "addressmapping", "trace", "clk_mhz", "address_offset"}, name) && !contains(delay_names(), name)) {
      continue;
    }
    key.emplace(name, value);
  }
  RecordedAnswer answer;
  if (workload_ == nullptr || key != workload_key_) {
    workload_.reset();
    workload_ = load_system_workload(row_setup(values));
    workload_key_ = key;
    answer.warnings = workload_->warnings;
  }
  const MemSpec& memspec = workload_->memspec;
  if (const std::string reason = unable(memspec, params); !reason.empty()) throw UsageError(reason);
  const auto analysis = values.find("power_analysis");
  answer.has_energy = analysis == values.end() ? memspec.has_energy : truth("power_analysis", analysis->second);
  if (answer.has_energy && !memspec.has_energy) {
    throw UsageError("power_analysis: there is no energy model of " + memspec.memory_type + " memories; write False");
  }

  const SystemRun outcome = simulate(*workload_, params, engine_);
  answer.time_ps = outcome.channels.front().time_ps;
  switch (outcome.status) {
    case system::SystemStatus::ok:
      answer.status = "ok";
      break;
    case system::SystemStatus::stalled:
      answer.status = "stalled";
      answer.message =
          "no event is left although requests wait: CmdMux=Strict serves them in order, and Scheduler has chosen others; use "
          "Scheduler=Fifo";
      break;
    case system::SystemStatus::endless:
      answer.status = "timeout";
      answer.message = "the run never ends: it refreshes for ever and serves no request; with CmdMux=Strict use Scheduler=Fifo";
      return answer;
    default:
      answer.status = "step_limit";
      answer.message = "the run did not end within " + std::to_string(workload_->step_budget) + " steps";
      return answer;
  }
  for (const system::SystemCounters& channel : outcome.channels) answer.channels.push_back(price_channel(memspec, channel));
  return answer;
}

}  // namespace exarch::dram
