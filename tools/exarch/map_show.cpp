#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/files/text.hpp"
#include "tools/exarch/map.hpp"
#include "tools/exarch/show.hpp"

namespace exarch::cli {
namespace {

using namespace timeloop;
using Json = nlohmann::ordered_json;

std::string proof_of(const MappingResult& best) {
  if (best.proved) return best.found ? "optimal" : "no mapping fits";
  if (!best.found || best.at_least <= 0) return "interrupted";
  return "interrupted; at most " + with_decimals((best.cost.front() / best.at_least - 1) * 100, 2) + " % above the best";
}

Json json_of(const MapLayer& layer) {
  const MappingResult& best = layer.best;
  const MappingNames& names = layer.names;
  Json json{{"name", layer.name},
            {"equal_layers", layer.equal},
            {"count", layer.count},
            {"found", best.found},
            {"proved", best.proved}};
  if (best.found) {
    json["cycles"] = best.price.cycles;
    json["energy_pj"] = best.price.energy_pj;
    json["edp"] = best.price.energy_pj * static_cast<double>(best.price.cycles);
    json["utilization"] = best.price.utilization;
    json["at_least"] = best.at_least;
    json["nest"] = nest_text(best.mapping, names);
    json["mapping"] = mapping_yaml(layer.task.architecture, best.mapping, names);
  }
  if (!layer.why.empty()) json["why"] = layer.why;
  json["tiles"] = best.tiles;
  json["decisions"] = best.decisions;
  json["partial"] = best.partial;
  json["parts"] = best.parts;
  json["evaluated"] = best.evaluated;
  if (!layer.sampled) return json;
  json["sampled"] = {{"found", layer.sampled->found}, {"mappings", decimal(total_of(layer.sampled->sizes))}};
  if (layer.sampled->found) {
    json["sampled"]["cycles"] = layer.sampled->price.cycles;
    json["sampled"]["energy_pj"] = layer.sampled->price.energy_pj;
  }
  return json;
}

// Energy of each level and tensor, of one mapping.
void print_energies(const MapLayer& layer) {
  const MappingNames& names = layer.names;
  std::vector<std::vector<std::string>> rows{
      {"level", "energy uJ", "share", names.tensors[0], names.tensors[1], names.tensors[2]}};
  const Price& price = layer.best.price;
  const auto bar = [&](double pj) { return std::string(static_cast<std::size_t>(std::lround(pj / price.energy_pj * 40)), '#'); };
  rows.push_back({"compute", with_decimals(price.compute_pj / 1e6, 2), bar(price.compute_pj), "", "", ""});
  for (std::uint32_t s = 0; s < layer.task.architecture.levels; ++s) {
    const LevelPrice& level = price.level[s];
    rows.push_back({names.levels[s], with_decimals(level.energy_pj / 1e6, 2), bar(level.energy_pj)});
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      const auto instances = static_cast<double>(layer.best.counters.use[s].instances);
      rows.back().push_back(layer.best.mapping.keep[s][space] ? with_decimals(level.instance_pj[space] * instances / 1e6, 2)
                                                              : "");
    }
  }
  print_table(rows);
}

// A layer and those with the same sizes, which are mapped once: "layer8", "layer8, layer10", "layer8, layer10 ... layer40 (7)".
std::string names_of(const MapLayer& layer) {
  constexpr std::size_t kShown = 3;  // of those with the same sizes
  const std::size_t equal = layer.equal.size();
  std::string text = printable(layer.name);
  for (std::size_t i = 0; i < equal; ++i) {
    if (equal <= kShown || i == 0) text += ", " + printable(layer.equal[i]);
  }
  if (equal > kShown) text += " ... " + printable(layer.equal.back()) + " (" + std::to_string(equal + 1) + ")";
  return text;
}

// Cycles and energy of all layers; `complete` where each has a mapping.
struct Totals {
  double cycles = 0, energy_pj = 0;
  bool complete = true;
  void add(bool found, std::int64_t count, const Price& price) {
    complete = complete && found;
    if (!found) return;
    cycles += static_cast<double>(count) * static_cast<double>(price.cycles);
    energy_pj += static_cast<double>(count) * price.energy_pj;
  }
};

}  // namespace

const char* name_of(Goal goal) {
  return goal == Goal::cycles ? "cycles" : goal == Goal::energy ? "energy" : "edp";
}

void show_mappings(const Arguments& arguments, const MapRun& run) {
  Json json{{"goals", Json::array()}, {"layers", Json::array()}};
  for (const Goal goal : run.goals) json["goals"].push_back(name_of(goal));
  const bool samples = arguments.flag("sampler");
  std::vector<std::vector<std::string>> rows{{"layer", "times", "cycles", "energy uJ", "utilization", "proof", "evaluated"}};
  if (samples) rows[0].insert(rows[0].end(), {"sampler's cycles", "sampler's uJ"});
  const auto add_numbers = [&rows](bool found, const Price& price) {
    rows.back().push_back(found ? std::to_string(price.cycles) : "");
    rows.back().push_back(found ? with_decimals(price.energy_pj / 1e6, 2) : "");
  };
  Totals totals, sampled_totals;
  for (const MapLayer& layer : run.layers) {
    const MappingResult& best = layer.best;
    json["layers"].push_back(json_of(layer));
    rows.push_back({names_of(layer), std::to_string(layer.count)});
    add_numbers(best.found, best.price);
    rows.back().push_back(best.found ? with_decimals(best.price.utilization, 4) : "");
    rows.back().insert(rows.back().end(), {proof_of(best), std::to_string(best.evaluated)});
    totals.add(best.found, layer.count, best.price);
    if (!samples) continue;
    const SamplerResult none{}, &sampled = layer.sampled ? *layer.sampled : none;
    add_numbers(sampled.found, sampled.price);
    sampled_totals.add(sampled.found, layer.count, sampled.price);
  }
  if (totals.complete) {
    json["cycles"] = totals.cycles;
    json["energy_pj"] = totals.energy_pj;
  }
  const bool both = samples && sampled_totals.complete;
  if (both) json["sampled"] = {{"cycles", sampled_totals.cycles}, {"energy_pj", sampled_totals.energy_pj}};
  if (totals.complete && run.layers.size() > 1) {
    rows.push_back({"all", "", with_decimals(totals.cycles, 0), with_decimals(totals.energy_pj / 1e6, 2), "", "", ""});
    if (samples) {
      rows.back().push_back(both ? with_decimals(sampled_totals.cycles, 0) : "");
      rows.back().push_back(both ? with_decimals(sampled_totals.energy_pj / 1e6, 2) : "");
    }
  }
  print_answer(arguments, json, rows);
  if (arguments.flag("json") || run.layers.size() != 1 || !run.layers[0].best.found) return;
  std::cout << "\n" << nest_text(run.layers[0].best.mapping, run.layers[0].names) << "\n";
  print_energies(run.layers[0]);
}

}  // namespace exarch::cli
