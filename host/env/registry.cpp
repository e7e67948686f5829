#include <algorithm>

#include "host/dram/environment.hpp"
#include "host/env/environment.hpp"
#include "host/error.hpp"
#include "host/files/data_dir.hpp"
#include "host/files/text.hpp"
#include "host/maestro/environment.hpp"
#include "host/timeloop/environment.hpp"

namespace exarch {
namespace {

std::string whole_number(const WorkloadOption& option, const std::string& text) {
  std::uint64_t value = 0;
  bool good = !text.empty() && text.size() <= 19;
  for (const char c : text) {
    good = good && c >= '0' && c <= '9';
    if (good) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (!good || value < option.minimum || value > option.maximum) {
    throw UsageError(option.name + " = " + in_quotes(text) + ": expected a whole number from " + std::to_string(option.minimum) +
                     " to " + std::to_string(option.maximum));
  }
  return std::to_string(value);
}

std::vector<const Environment*>& registry() {
  static std::vector<const Environment*> all{&dram_environment(), &maestro_environment(), &maestro_archgym_environment(),
                                             &timeloop_environment(), &timeloop_mapping_environment()};
  return all;
}

}  // namespace

std::vector<ShippedFile> Environment::shipped_files(const std::string& option) const {
  std::vector<ShippedFile> files;
  if (option != primary_option(*this).name) return files;
  for (const std::string& name : shipped_workloads()) files.push_back({name, ""});
  return files;
}

DesignSpace Environment::space_on(const std::string& space, const Workload& /*workload*/) const {
  throw Error("environment " + name() + " has no space '" + space + "' that depends on the workload");
}

Sanity::Sanity(const Environment& environment) {
  const std::string& constraints = environment.sanity();
  if (constraints.empty()) return;
  const auto metrics = environment.metrics();
  objective_ = Objective::parse(metrics.front().name + "," + constraints, metrics, {});
}

std::span<const Environment* const> environments() {
  return registry();
}

void register_environment(const Environment& environment) {
  for (const Environment* known : registry()) {
    if (known->name() == environment.name()) throw Error("there is an environment '" + environment.name() + "' already");
  }
  registry().push_back(&environment);
}

void replace_environment(const Environment& environment) {
  for (const Environment*& known : registry()) {
    if (known->name() != environment.name()) continue;
    known = &environment;
    return;
  }
  registry().push_back(&environment);
}

const Environment& find_environment(const std::string& name) {
  std::vector<std::string> names;
  for (const Environment* environment : environments()) {
    if (environment->name() == name) return *environment;
    names.push_back(environment->name());
  }
  std::string list;
  for (const std::string& known : names) list += (list.empty() ? "" : ", ") + known;
  throw UsageError("unknown environment '" + name + "'" + did_you_mean(name, names) + "; there is: " + list +
                   "; a plug-in's is known once that is loaded (--plugin FILE)");
}

const DesignSpace& find_space(const Environment& environment, const std::string& name) {
  std::vector<std::string> names;
  for (const DesignSpace& space : environment.spaces()) {
    if (space.name() == name) return space;
    names.push_back(space.name());
  }
  for (const WorkloadSpace& space : environment.workload_spaces()) names.push_back(space.name);
  std::string list;
  for (const std::string& known : names) list += (list.empty() ? "" : ", ") + known;
  throw UsageError("unknown space '" + name + "'" + did_you_mean(name, names) + "; " + environment.name() + " ships " + list +
                   ", and --space takes a space file (.json)");
}

const WorkloadOption& primary_option(const Environment& environment) {
  return *std::ranges::find_if(environment.workload_options(), &WorkloadOption::primary);
}

WorkloadOptions complete_options(const Environment& environment, const WorkloadOptions& given) {
  WorkloadOptions options;
  for (const WorkloadOption& option : environment.workload_options()) {
    const auto it = given.find(option.name);
    const std::string& text = it == given.end() || it->second.empty() ? option.default_value : it->second;
    if (text.empty()) throw UsageError("no " + option.name + " given; use --" + option.name + ": " + option.doc);
    switch (option.kind) {
      case WorkloadOption::Kind::file:
        options[option.name] = absolute_if_file(text);
        // Workloads are written into stores and JSON; the folder in front may be what is not UTF-8.
        if (!is_utf8(options[option.name])) {
          throw UsageError(option.name + " = " + in_quotes(options[option.name], 200) +
                           " is not UTF-8; rename the file or folder");
        }
        break;
      case WorkloadOption::Kind::number:
        options[option.name] = whole_number(option, text);
        break;
      case WorkloadOption::Kind::text:
        options[option.name] = text;
        break;
    }
  }
  return options;
}

std::string exarch_version() {
  return EXARCH_VERSION;
}

}  // namespace exarch
