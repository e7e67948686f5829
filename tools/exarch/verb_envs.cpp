#include <iostream>
#include <nlohmann/json.hpp>

#include "host/run/inputs.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string legal(const ParameterInfo& parameter) {
  if (parameter.kind == ParameterKind::integer) {
    return std::to_string(parameter.minimum) + ".." + std::to_string(parameter.maximum);
  }
  std::string text;
  for (const std::string& label : parameter.labels) text += (text.empty() ? "" : " ") + label;
  return text;
}

Json describe(const Environment& environment) {
  Json json{{"name", environment.name()}, {"doc", environment.doc()}, {"model", environment.model_version()}};
  for (const ParameterInfo& p : environment.parameters()) {
    Json parameter{{"name", p.name}, {"default", p.format(p.default_value)}, {"unit", p.unit}, {"doc", p.doc}};
    if (p.kind == ParameterKind::categorical) {
      parameter["values"] = p.labels;
      for (const auto& [alias, label] : p.aliases) parameter["aliases"][alias] = label;
      for (const Elsewhere& lacking : p.elsewhere) parameter["only_in_reference"][lacking.name] = lacking.reason;
    } else {
      parameter["minimum"] = p.minimum;
      parameter["maximum"] = p.maximum;
    }
    json["parameters"].push_back(parameter);
  }
  for (const DesignSpace& space : environment.spaces()) {
    json["spaces"].push_back({{"name", space.name()}, {"points", points_json(space)}, {"doc", space.doc()}});
  }
  for (const WorkloadSpace& space : environment.workload_spaces()) {
    json["spaces"].push_back({{"name", space.name}, {"points", nullptr}, {"doc", space.doc}});
  }
  for (const WorkloadOption& o : environment.workload_options()) {
    Json option{{"name", o.name}, {"default", o.default_value}, {"doc", o.doc}};
    if (o.kind == WorkloadOption::Kind::number) {
      option["minimum"] = o.minimum;
      option["maximum"] = o.maximum;
    }
    for (const ShippedFile& file : environment.shipped_files(o.name)) {
      option["shipped"].push_back({{"name", file.name}, {"doc", file.doc}});
    }
    json["workload"].push_back(option);
  }
  for (const MetricInfo& m : environment.metrics()) {
    json["metrics"].push_back({{"name", m.name}, {"unit", m.unit}, {"doc", m.doc}});
  }
  for (const CounterInfo& c : environment.counters()) {
    json["counters"].push_back({{"name", c.name}, {"unit", c.unit}, {"doc", c.doc}});
  }
  for (const auto& [name, expression] : environment.objectives()) json["objectives"][name] = expression;
  return json;
}

void print(const Environment& environment) {
  std::cout << environment.name() << ": " << environment.doc() << " (model " << environment.model_version() << ")\n\n";
  std::vector<std::vector<std::string>> rows{{"parameter", "values", "default", "meaning"}};
  for (const ParameterInfo& p : environment.parameters()) rows.push_back({p.name, legal(p), p.format(p.default_value), p.doc});
  print_table(rows);
  rows = {{"space", "points", "meaning"}};
  for (const DesignSpace& s : environment.spaces()) rows.push_back({s.name(), points_cell(s), s.doc()});
  for (const WorkloadSpace& s : environment.workload_spaces()) rows.push_back({s.name, "by workload", s.doc});
  std::cout << "\n";
  print_table(rows);
  rows = {{"workload", "default", "meaning"}};
  for (const WorkloadOption& o : environment.workload_options()) rows.push_back({o.name, o.default_value, o.doc});
  std::cout << "\n";
  print_table(rows);
  for (const WorkloadOption& o : environment.workload_options()) {
    rows = {{"shipped " + o.name, "about"}};
    for (const ShippedFile& file : environment.shipped_files(o.name)) rows.push_back({file.name, file.doc});
    if (rows.size() == 1) continue;
    std::cout << "\n";
    print_table(rows);
  }
  rows = {{"metric", "unit", "meaning"}};
  for (const MetricInfo& m : environment.metrics()) rows.push_back({m.name, m.unit, m.doc});
  std::cout << "\n";
  print_table(rows);
  rows = {{"objective", "expression"}};
  for (const auto& [name, expression] : environment.objectives()) rows.push_back({name, expression});
  std::cout << "\n";
  print_table(rows);
}

int envs_verb(const Arguments& arguments) {
  if (arguments.flag("json")) {
    Json json = Json::array();
    for (const Environment* e : environments()) {
      if (arguments.positional.empty() || e->name() == arguments.positional[0]) json.push_back(describe(*e));
    }
    if (!arguments.positional.empty()) (void)find_environment(arguments.positional[0]);
    std::cout << json.dump(2) << "\n";
  } else if (!arguments.positional.empty()) {
    print(find_environment(arguments.positional[0]));
  } else {
    for (const Environment* e : environments()) print(*e);
  }
  return 0;
}

}  // namespace

const Verb kEnvsVerb{.name = "envs",
                     .synopsis = "[ENVIRONMENT] [--json]",
                     .doc = "Lists environments with their parameters, spaces, metrics and objectives.",
                     .json = "an array of environments",
                     .max_positional = 1,
                     .examples = "  exarch envs\n  exarch envs dram --json\n",
                     .run = envs_verb};

}  // namespace exarch::cli
