#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/run/inputs.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

// "memspecs" for the option memspec; of DRAM "mappings" for addressmapping, too.
std::vector<std::pair<std::string, std::string>> kinds_of(const Environment& environment) {
  std::vector<std::pair<std::string, std::string>> kinds;
  for (const WorkloadOption& option : environment.workload_options()) {
    if (option.kind != WorkloadOption::Kind::file || environment.shipped_files(option.name).empty()) continue;
    const std::string plural = option.name == "addressmapping" ? "mappings" : option.name + "s";
    kinds.emplace_back(plural, option.name);
  }
  return kinds;
}

int list_verb(const Arguments& arguments) {
  const Environment& environment = find_environment(arguments.positional[0]);
  const std::string& kind = arguments.positional[1];
  const auto kinds = kinds_of(environment);
  const auto found = std::ranges::find_if(kinds, [&kind](const auto& each) { return each.first == kind || each.second == kind; });
  if (found == kinds.end()) {
    std::vector<std::string> names;
    std::string list;
    for (const auto& [plural, option] : kinds) {
      names.push_back(plural);
      list += (list.empty() ? "" : ", ") + plural;
    }
    throw UsageError("exarch list " + environment.name() + " " + kind + did_you_mean(kind, names) + ": expected one of " + list);
  }
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows{{found->second, "about"}};
  for (const ShippedFile& file : environment.shipped_files(found->second)) {
    json.push_back({{"name", file.name}, {"doc", file.doc}});
    rows.push_back({file.name, file.doc});
  }
  if (arguments.flag("json")) {
    std::cout << json.dump(2) << "\n";
  } else {
    print_table(rows);
  }
  return 0;
}

}  // namespace

const Verb kListVerb{.name = "list",
                     .synopsis = "ENVIRONMENT KIND [--json]",
                     .doc = "Lists the shipped files of a kind, and what fits them: memspecs, mappings or traces of dram.",
                     .json = "an array of files: name, doc",
                     .min_positional = 2,
                     .max_positional = 2,
                     .examples = "  exarch list dram memspecs\n  exarch list dram mappings\n  exarch list dram traces --json\n",
                     .run = list_verb};

}  // namespace exarch::cli
