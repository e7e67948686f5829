#include "tools/exarch/given.hpp"

#include <algorithm>
#include <iterator>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "host/run/inputs.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/simulation_files.hpp"

namespace exarch::cli {

std::vector<OptionSpec> operator+(std::vector<OptionSpec> a, std::vector<OptionSpec> b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<OptionSpec> evaluation_options() {
  return {{"engine", "NAME", "fast, or reference (slow and obvious; the same numbers)", "fast"},
          {"no-share", "", "simulate every candidate as it stands: no canonical forms, no sharing by proof"}};
}

std::vector<OptionSpec> workload_options(const Environment& environment) {
  std::vector<OptionSpec> options;
  for (const WorkloadOption& option : environment.workload_options()) {
    const char* value = option.kind == WorkloadOption::Kind::file     ? "NAME|FILE"
                        : option.kind == WorkloadOption::Kind::number ? "N"
                                                                      : "VALUE";
    const std::string several = option.primary ? "; several: separated by commas" : "";
    options.push_back(
        {option.name, value, option.doc + several, option.default_value, false, "Workload of " + environment.name()});
  }
  return options;
}

std::vector<OptionSpec> workload_options() {
  std::vector<OptionSpec> options;
  for (const Environment* environment : environments()) {
    for (const OptionSpec& option : workload_options(*environment)) {
      const auto known = std::ranges::find(options, option.name, &OptionSpec::name);
      if (known == options.end()) {
        options.push_back(option);
        continue;
      }
      // Environments that share a name share its meaning, though not the default.
      known->group += " and " + environment->name();
      if (known->fallback != option.fallback) known->fallback += "; of " + environment->name() + ": " + option.fallback;
    }
  }
  return options;
}

std::shared_ptr<Executor> make_executor(const Arguments& arguments) {
  return std::make_shared<LocalExecutor>(arguments.text("backend"), arguments.threads());
}

EvaluatorOptions evaluator_options(const Arguments& arguments) {
  const std::string& engine = arguments.text("engine");
  if (engine != "fast" && engine != "reference") {
    static const std::vector<std::string> kEngines{"fast", "reference"};
    throw UsageError("--engine " + engine + did_you_mean(engine, kEngines) + ": expected fast or reference");
  }
  return {engine == "fast" ? Engine::fast : Engine::reference, !arguments.flag("no-share")};
}

WorkloadOptions given_options(const Environment& environment, const Arguments& arguments) {
  WorkloadOptions options = simulation_workload(environment, arguments);
  std::vector<std::string> names;
  for (const WorkloadOption& option : environment.workload_options()) {
    names.push_back(option.name);
    if (arguments.has(option.name)) options[option.name] = arguments.text(option.name);
  }
  for (const OptionSpec& option : workload_options()) {
    if (arguments.has(option.name) && !options.contains(option.name)) {
      throw UsageError("--" + option.name + " does not describe a workload of " + environment.name() +
                       did_you_mean(option.name, names));
    }
  }
  return options;
}

std::vector<WorkloadOptions> given_workloads(const Environment& environment, const Arguments& arguments) {
  return list_workloads(environment, given_options(environment, arguments));
}

std::shared_ptr<const Workload> load_given(const Environment& environment, const WorkloadOptions& options) {
  TerminalObserver terminal;
  return load(environment, options, terminal);
}

Workloads load_given(const Environment& environment, const std::vector<WorkloadOptions>& options) {
  TerminalObserver terminal;
  return load_all(environment, options, terminal);
}

Design given_design(const Environment& environment, const Arguments& arguments) {
  std::vector<std::string> settings = controller_settings(environment, arguments);
  std::ranges::copy(arguments.all("set"), std::back_inserter(settings));
  return parse_design(environment, settings);
}

DesignSpace given_space(const Environment& environment, const Arguments& arguments) {
  const std::string& name = arguments.text("space");
  // Not every verb with a space fixes parameters of it.
  std::vector<std::string> fixed = arguments.values.contains("set") ? arguments.all("set") : std::vector<std::string>{};
  const std::vector<WorkloadOptions> workloads =
      depends_on_workload(environment, name) ? given_workloads(environment, arguments) : std::vector<WorkloadOptions>{};
  const DesignSpace space = resolve_space(environment, name, workloads);
  // Of a controller file counts what the space leaves alone.
  for (const std::string& setting : controller_settings(environment, arguments)) {
    const std::size_t parameter = parameter_index(environment, setting.substr(0, setting.find('=')));
    if (space.values(parameter).size() == 1) fixed.push_back(setting);
  }
  return fix_parameters(environment, space, fixed);
}

Problem given_problem(const Environment& environment, const Arguments& arguments) {
  return {environment, given_space(environment, arguments)};
}

OptionSpec fixing_option() {
  return {"set", "Name=value", "fixes a parameter of the space to a value, in the space or not; repeatable", "", true};
}

OpenedStore open_run(const std::string& path) {
  TerminalObserver terminal;
  return open_store(path, terminal);
}

void refuse_overwriting(const std::string& option, const std::string& out, const WorkloadOptions& workload) {
  for (const auto& [name, value] : workload) {
    // Several initiators have their traces joined with "+".
    std::vector<std::string> paths{value};
    for (std::size_t from = 0, plus = 0; plus != std::string::npos; from = plus + 1) {
      plus = value.find('+', from);
      paths.push_back(value.substr(from, plus - from));
    }
    if (std::ranges::any_of(paths, [&out](const std::string& path) { return is_same_file(path, out); }))
      throw UsageError(option + " " + out + " is the " + name + " of the workload; choose another file");
  }
}

}  // namespace exarch::cli
