#include "host/timeloop/yaml_answer.hpp"

#include <cmath>

#include "host/files/json.hpp"
#include "host/files/text.hpp"
#include "host/timeloop/yaml.hpp"

namespace exarch::timeloop {
namespace {

using Json = nlohmann::ordered_json;
using Table = ModelFilesAnswer::Table;

std::string whole(const Json& value) {
  return std::to_string(value.get<std::int64_t>());
}

Table totals(const Json& out) {
  const double energy_uj = out["energy_pJ"].get<double>() / 1e6;
  return {{"metric", "value", "unit"},
          {"cycles", whole(out["cycles"]), "cycles"},
          {"energy", with_decimals(energy_uj, 4), "uJ"},
          {"area", with_decimals(out["area_um2"].get<double>() / 1e6, 4), "mm2"},
          {"utilization", with_decimals(out["utilization"].get<double>(), 4), ""},
          {"computes", whole(out["computes"]), "MACs"}};
}

// A row per level and tensor, the outermost level first, as people draw memories; and one for the multipliers.
Table parts(const Record& record, const Json& out) {
  Table table{{"level", "tensor", "tile", "instances", "reads", "fills", "updates", "energy uJ", "cycles"}};
  const Json& levels = out["levels"];
  for (std::size_t s = levels.size(); s-- > 0;) {
    for (const std::string& space : record.space_names) {
      const Json& counts = levels[s]["ds"][space];
      if (!counts["keep"].get<bool>()) continue;
      const double energy_uj = counts["energy_per_instance_pJ"].get<double>() * counts["instances"].get<double>() / 1e6;
      table.push_back({levels[s]["name"].get<std::string>(), space, whole(counts["tile"]), whole(counts["instances"]),
                       whole(counts["reads"]), whole(counts["fills"]), whole(counts["updates"]), with_decimals(energy_uj, 4),
                       whole(levels[s]["cycles"])});
    }
    if (const double leakage = levels[s]["leakage_energy_pJ"].get<double>(); leakage > 0) {
      table.push_back({levels[s]["name"].get<std::string>(), "leakage", "", "", "", "", "", with_decimals(leakage / 1e6, 4), ""});
    }
  }
  table.push_back({record.compute_name, "", "", whole(out["compute"]["instances_used"]), "", "", "",
                   with_decimals(out["compute"]["energy_pJ"].get<double>() / 1e6, 4), whole(out["compute"]["cycles"])});
  return table;
}

// Why there is no result, a sentence per line.
std::string reasons(const Json& json) {
  if (json.contains("why")) return "\n" + json["why"].get<std::string>();
  const Json& out = json["out"];
  if (out.contains("parse_error")) return "\n" + out["parse_error"].get<std::string>();
  std::string text;
  for (const Json& fail : out["fail"]) text += "\n" + fail["level"].get<std::string>() + ": " + fail["reason"].get<std::string>();
  return text;
}

}  // namespace

ModelFilesAnswer answer_timeloop_files(std::span<const std::string> paths, const std::map<std::string, std::string>& defines,
                                       FillRule rule) {
  const std::vector<std::filesystem::path> files(paths.begin(), paths.end());
  const TimeloopFiles read = read_timeloop(files, defines);
  const Record record = record_of(read);
  ModelFilesAnswer given;
  given.notes = read.warnings;
  const std::string broken = read.constraints ? broken_constraint(record, *read.constraints) : "";
  if (!broken.empty()) given.notes.push_back("the mapping breaks a constraint: " + broken);
  Json json = answer(nullptr, record, rule);
  json.erase("id");
  json["warnings"] = given.notes;
  given.failed = json["status"] != "ok";
  given.verdict = "status " + json["status"].get<std::string>() + (given.failed ? reasons(json) : "");
  if (!given.failed) given.tables = {totals(json["out"]), parts(record, json["out"])};
  given.text = json.dump(2, ' ', false, Json::error_handler_t::replace);
  return given;
}

}  // namespace exarch::timeloop
