#include <iostream>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/execute/design_index.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

constexpr std::uint64_t kMostPoints = std::uint64_t{1} << 32;  // whose classes are counted

// Distinct canonical designs of a space on a workload.
std::uint64_t count_classes(const Environment& environment, const DesignSpace& space, const Workload& workload) {
  DesignIndex classes(space.dimensions());
  std::vector<Gene> genes(space.dimensions());
  std::vector<std::int64_t> design(space.dimensions());
  Progress progress("points", space.size());
  for (std::uint64_t point = 0; point < space.size(); ++point) {
    space.genes_of(point, genes);
    space.design_of(genes, design);
    environment.canonicalise(workload, design);
    classes.insert(design);
    if ((point & 0xFFFFu) == 0) progress.update(point);
  }
  return classes.size();
}

int space_verb(const Arguments& arguments) {
  const Environment& environment = find_environment(arguments.positional[0]);
  const std::string& primary = primary_option(environment).name;
  std::vector<std::vector<std::string>> rows{{"space", "points", primary, "classes"}};
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  if (!arguments.has(primary) && !given_options(environment, arguments).empty()) {
    throw UsageError("options of a workload have no meaning without one; name it by --" + primary);
  }
  std::vector<DesignSpace> spaces;
  if (!arguments.has("space") && !arguments.has(primary) && !arguments.has("set")) {
    spaces.assign(environment.spaces().begin(), environment.spaces().end());
  } else {
    spaces.push_back(given_space(environment, arguments));
  }
  for (const DesignSpace& space : spaces) {
    nlohmann::ordered_json entry = nlohmann::ordered_json::parse(space.to_json());
    entry["points"] = points_json(space);
    const bool counted = space.is_numbered() && space.size() <= kMostPoints;
    const std::string points = points_cell(space);
    if (!arguments.has(primary)) {
      rows.push_back({space.name(), points, "", ""});
    } else {
      for (const WorkloadOptions& options : given_workloads(environment, arguments)) {
        const auto workload = load_given(environment, options);
        nlohmann::ordered_json& classes = entry["classes"][options.at(primary)];
        if (counted) classes = count_classes(environment, space, *workload);
        rows.push_back({space.name(), points, options.at(primary), counted ? classes.dump() : "-"});
      }
      if (!counted) {
        say("the classes of " + in_quotes(space.name()) + " are not counted, as it has more than " + with_commas(kMostPoints) +
            " points");
      }
    }
    json.push_back(entry);
  }
  print_answer(arguments, json, rows);
  return 0;
}

}  // namespace

const Verb kSpaceVerb{
    .name = "space",
    .synopsis = "ENVIRONMENT [--space NAME|FILE] [WORKLOAD] [--json]",
    .doc = "Shows design spaces: their points, and on a workload the classes of designs that cannot differ.",
    .options = std::vector<OptionSpec>{{"space", "NAME|FILE", "a shipped space or a space file (.json)"}, fixing_option()},
    .takes_workloads = true,
    .json = "an array of spaces, values included; `classes` is null where a space has more than 2^32 points",
    .min_positional = 1,
    .max_positional = 1,
    .examples = "  exarch space dram\n  exarch space dram --space archgym-aco --trace cloud-1\n",
    .run = space_verb};

}  // namespace exarch::cli
