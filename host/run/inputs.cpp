#include "host/run/inputs.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "host/error.hpp"
#include "host/files/text.hpp"

namespace exarch {
namespace {

// The names of a list separated by commas. A comma may be part of a file's name: where a longer piece names a file, it is one
// name.
std::vector<std::string> split_names(const std::string& list) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= list.size();) {
    std::size_t end = std::min(list.find(',', begin), list.size());
    for (std::size_t longer = list.size(); longer > end; longer = list.rfind(',', longer - 1)) {
      std::error_code none;
      if (std::filesystem::is_regular_file(list.substr(begin, longer - begin), none)) end = longer;
    }
    names.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

void assign(const Environment& environment, const std::string& assignment, const std::string& option, Design& design) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos) {
    const ParameterInfo& example = environment.parameters().front();
    throw UsageError(option + " " + printable(assignment, 60) + ": expected Name=value, e.g. " + example.name + "=" +
                     example.format(example.default_value));
  }
  const std::size_t p = parameter_index(environment, assignment.substr(0, equals));
  design[p] = environment.parameters()[p].parse(assignment.substr(equals + 1));
}

}  // namespace

bool depends_on_workload(const Environment& environment, const std::string& space) {
  const std::span<const WorkloadSpace> dependent = environment.workload_spaces();
  return std::ranges::find(dependent, space, &WorkloadSpace::name) != dependent.end();
}

DesignSpace resolve_space(const Environment& environment, const std::string& name,
                          const std::vector<WorkloadOptions>& workloads) {
  if (name.empty()) return environment.spaces().front();
  if (depends_on_workload(environment, name)) {
    if (workloads.size() != 1) {
      throw UsageError("space '" + name + "' follows from the workload, and so is for one workload; there are " +
                       std::to_string(workloads.size()));
    }
    return environment.space_on(name, *environment.load_workload(workloads.front()));
  }
  if (name.ends_with(".json") || std::filesystem::exists(name)) return DesignSpace::from_file(name, environment.parameters());
  return find_space(environment, name);
}

DesignSpace fix_parameters(const Environment& environment, const DesignSpace& space,
                           const std::vector<std::string>& assignments) {
  if (assignments.empty()) return space;
  const Design design = parse_design(environment, assignments);
  std::vector<std::vector<std::int64_t>> values;
  for (std::size_t p = 0; p < space.dimensions(); ++p) values.emplace_back(space.values(p).begin(), space.values(p).end());
  for (const std::string& assignment : assignments) {
    const std::size_t p = parameter_index(environment, assignment.substr(0, assignment.find('=')));
    values[p] = {design[p]};
  }
  std::string name = space.name();
  for (std::size_t p = 0; p < values.size(); ++p) {
    const bool fixed = values[p].size() == 1 && !std::ranges::equal(values[p], space.values(p));
    if (fixed) name += " " + space.parameters()[p].name + "=" + space.parameters()[p].format(values[p][0]);
  }
  return {name, space.doc(), space.parameters(), std::move(values)};
}

Design default_design(const Environment& environment) {
  return default_design(environment.parameters());
}

Design default_design(const Environment& environment, const DesignSpace& space) {
  Design design = default_design(environment);
  for (std::size_t p = 0; p < design.size(); ++p) {
    const auto values = space.values(p);
    if (std::ranges::find(values, design[p]) == values.end()) design[p] = values.front();
  }
  return design;
}

void assign_all(const Environment& environment, const std::vector<std::string>& assignments, Design& design,
                const std::string& option) {
  std::map<std::string, std::string> seen;
  for (const std::string& assignment : assignments) {
    refuse_repeated(option, assignment, seen);
    assign(environment, assignment, option, design);
  }
}

Design parse_design(const Environment& environment, const std::vector<std::string>& assignments) {
  Design design = default_design(environment);
  assign_all(environment, assignments, design);
  return design;
}

std::size_t parameter_index(const Environment& environment, const std::string& name) {
  std::vector<std::string> names;
  for (const ParameterInfo& parameter : environment.parameters()) {
    if (parameter.name == name) return names.size();
    names.push_back(parameter.name);
  }
  throw UsageError("unknown parameter " + in_quotes(name) + did_you_mean(name, names) + "; see exarch envs " +
                   environment.name());
}

void refuse_repeated(const std::string& option, const std::string& assignment, std::map<std::string, std::string>& seen) {
  const auto [first, is_new] = seen.emplace(assignment.substr(0, assignment.find('=')), assignment);
  if (is_new) return;
  throw UsageError(option + " " + printable(first->second, 60) + " and " + option + " " + printable(assignment, 60) +
                   " both set " + printable(first->first, 60) + "; keep one of them");
}

std::uint64_t point_of(const DesignSpace& space, const Design& design) {
  std::vector<Gene> genes(design.size());
  for (std::size_t p = 0; p < design.size(); ++p) {
    const auto values = space.values(p);
    const auto place = std::ranges::find(values, design[p]);
    if (place == values.end()) {
      const ParameterInfo& parameter = space.parameters()[p];
      std::string listed;
      for (const std::int64_t value : values) listed += (listed.empty() ? "" : ", ") + parameter.format(value);
      throw UsageError("space '" + space.name() + "' has no " + parameter.name + "=" + parameter.format(design[p]) + "; it has " +
                       listed);
    }
    genes[p] = static_cast<Gene>(place - values.begin());
  }
  return space.point_of(genes);
}

Design design_at(const DesignSpace& space, std::uint64_t point) {
  std::vector<Gene> genes(space.dimensions());
  Design design(space.dimensions());
  space.genes_of(point, genes);
  space.design_of(genes, design);
  return design;
}

Objective parse_objective(const Environment& environment, const std::string& text) {
  return Objective::parse(text.empty() ? environment.objectives().front().first : text, environment.metrics(),
                          environment.objectives());
}

std::vector<Objective> parse_objectives(const Environment& environment, const std::string& text) {
  std::vector<Objective> objectives;
  for (const std::string& one : split(text, ';')) {
    const std::size_t begin = one.find_first_not_of(' '), end = one.find_last_not_of(' ');
    if (begin != std::string::npos) objectives.push_back(parse_objective(environment, one.substr(begin, end - begin + 1)));
  }
  if (objectives.empty()) objectives.push_back(parse_objective(environment, text));
  refuse_repeated(objectives);
  return objectives;
}

void refuse_repeated(const std::vector<Objective>& objectives) {
  std::set<std::string> seen;
  for (const Objective& objective : objectives) {
    if (!seen.insert(objective.text()).second) throw UsageError("objective '" + objective.text() + "' is named twice");
  }
}

std::string text_of(const std::vector<Objective>& objectives) {
  std::string text;
  for (const Objective& objective : objectives) text += (text.empty() ? "" : "; ") + objective.text();
  return text;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : text + separator) {
    if (c != separator) {
      part += c;
    } else if (!part.empty()) {
      parts.push_back(std::exchange(part, {}));
    }
  }
  return parts;
}

std::vector<WorkloadOptions> list_workloads(const Environment& environment, WorkloadOptions options) {
  const std::string primary = primary_option(environment).name;
  std::vector<WorkloadOptions> workloads;
  for (const std::string& name : split_names(options[primary])) {
    options[primary] = name;
    workloads.push_back(complete_options(environment, options));
  }
  return workloads;
}

std::string format_design(const Environment& environment, std::span<const std::int64_t> design) {
  std::string text;
  for (std::size_t p = 0; p < design.size(); ++p) {
    const ParameterInfo& parameter = environment.parameters()[p];
    if (parameter.minimum == parameter.maximum) continue;
    text += (text.empty() ? "" : " ") + parameter.name + "=" + parameter.format(design[p]);
  }
  return text;
}

std::string name_of(Engine engine) {
  return engine == Engine::fast ? "fast" : "reference";
}

}  // namespace exarch
