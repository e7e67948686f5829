// Recorded problems of Timeloop (tests/golden/timeloop) and random ones.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "host/files/line_reader.hpp"
#include "host/timeloop/records.hpp"

namespace exarch::testing {

inline std::vector<nlohmann::ordered_json> timeloop_records(const std::string& file) {
  LineReader lines(std::string(EXARCH_TEST_DATA) + "/golden/timeloop/" + file, "{...}");
  std::vector<nlohmann::ordered_json> rows;
  for (std::string_view line; lines.next(line);) rows.push_back(nlohmann::ordered_json::parse(line));
  return rows;
}

// What of `got` differs from `want`, as "levels.0.cycles: 3 instead of 4"; "" where nothing does. Whole numbers and texts are
// equal, numbers with a fraction on either side to 1e-12.
inline std::string timeloop_difference(const nlohmann::ordered_json& got, const nlohmann::ordered_json& want,
                                       const std::string& where = "") {
  const auto differs = [&] { return where + ": " + got.dump().substr(0, 200) + " instead of " + want.dump().substr(0, 200); };
  if (want.is_structured()) {
    if (got.is_object() != want.is_object() || got.is_array() != want.is_array() || got.size() != want.size()) return differs();
    for (const auto& [key, value] : want.items()) {
      const std::string path = where + (where.empty() ? "" : ".") + key;
      if (want.is_object() && !got.contains(key)) return path + " is missing";
      const auto& other = want.is_object() ? got[key] : got[std::stoul(key)];
      if (std::string difference = timeloop_difference(other, value, path); !difference.empty()) return difference;
    }
    return "";
  }
  if (got.is_number() && (got.is_number_float() || want.is_number_float()) && want.is_number()) {
    const auto a = got.get<double>(), b = want.get<double>();
    return std::abs(a - b) <= 1e-12 * std::abs(b) ? "" : differs();
  }
  return got == want ? "" : differs();
}

// Layers, architectures and mappings of all kinds: 1 to 5 levels, networks of one and two dimensions below any of them, strides,
// dilations, bypasses, clusters, leakage, bandwidths that limit. Most are valid; small capacities, meshes and wrong factors are
// not.
inline timeloop::Record random_timeloop_record(std::mt19937_64& rng) {
  using namespace timeloop;
  const auto one_of = [&rng](std::initializer_list<int> values) { return *(values.begin() + rng() % values.size()); };
  const auto chance = [&rng](unsigned percent) { return rng() % 100 < percent; };
  const auto price = [&rng] { return static_cast<double>(rng() % 100000) / 1009; };
  Record record{};
  record.compute_name = "mac";
  Architecture& architecture = record.input.architecture;
  Mapping& mapping = record.input.mapping;
  const std::uint32_t levels = architecture.levels = static_cast<std::uint32_t>(1 + rng() % 5);
  std::int64_t x = one_of({1, 1, 1, 2}), y = one_of({1, 1, 2}), elements = 1, steps = 1;
  for (std::uint32_t s = levels; s-- > 0;) {
    Storage& level = architecture.storage[s];
    level.mesh_x = x;
    level.mesh_y = y;
    level.instances = x * y;
    level.size = chance(85) ? -1 : one_of({0, 5, 40, 300, 5000});
    level.block_size = one_of({1, 1, 2, 3, 4, 8});
    level.cluster_size = chance(20) && x % 2 == 0 ? 2 : 1;
    level.read_bw = chance(50) ? 0 : one_of({1, 2, 3, 5, 16}) / 4.0;
    level.write_bw = chance(50) ? 0 : one_of({1, 2, 3, 5, 16}) / 4.0;
    level.read_pj = price();
    level.fill_pj = price();
    level.update_pj = price();
    level.leak_pj = chance(30) ? price() : 0;
    level.area_um2 = price();
    record.level_names.insert(record.level_names.begin(), "L" + std::to_string(s));
    for (std::uint32_t space = 0; space < kSpaces; ++space) mapping.keep[s][space] = chance(levels == 1 ? 95 : 75);
    x *= one_of({1, 1, 2, 3, 4, 7});
    y *= one_of({1, 1, 1, 2, 3});
    if (chance(1)) x += 1;
  }
  architecture.compute = {x * y, x, y, price(), price()};
  for (std::int64_t& bound : record.input.problem.bound) bound = 1;
  const auto add = [&](Block& block, Axis axis, std::int64_t bound) {
    const Dim dim = chance(4) ? Dim::G : static_cast<Dim>(rng() % index_of(Dim::G));  // few groups: they leave no overlaps
    for (std::uint32_t l = 0; l < block.count; ++l) {
      if (block.loop[l].dim == dim && !chance(1)) return false;
    }
    if (block.count == kDims) return false;
    block.loop[block.count++] = {dim, axis, bound};
    record.input.problem.bound[index_of(dim)] *= bound;
    return true;
  };
  x = architecture.compute.mesh_x;
  y = architecture.compute.mesh_y;
  for (std::uint32_t s = 0; s < levels; ++s) {
    const Storage& level = architecture.storage[s];
    std::int64_t room[2] = {x / level.mesh_x, y / level.mesh_y};
    for (const Axis axis : {Axis::x, Axis::y}) {
      for (int tries = 0; tries < 3; ++tries) {
        std::int64_t& left = room[axis == Axis::y ? 1 : 0];
        const std::int64_t bound = one_of({1, 2, 2, 3, 4, 7});
        if ((bound > left && !chance(1)) || elements * bound > 200) continue;
        if (!add(mapping.spatial[s], axis, bound)) continue;
        left /= bound;
        elements *= bound;
      }
    }
    Block& spatial = mapping.spatial[s];
    if (chance(2) && spatial.count > 1) std::swap(spatial.loop[0], spatial.loop[spatial.count - 1]);
    for (int tries = one_of({0, 1, 2, 3, 4}); tries > 0; --tries) {
      const std::int64_t bound = one_of({1, 2, 2, 3, 4, 5});
      if (steps * bound < 20000 && add(mapping.temporal[s], Axis::x, bound)) steps *= bound;
    }
    x = level.mesh_x;
    y = level.mesh_y;
  }
  Problem& problem = record.input.problem;
  if (chance(1)) ++problem.bound[rng() % kDims];
  problem.wstride = chance(70) ? 1 : one_of({2, 3, 4});
  problem.hstride = chance(70) ? 1 : one_of({2, 3, 4});
  problem.wdilation = chance(80) ? 1 : one_of({2, 3});
  problem.hdilation = chance(80) ? 1 : one_of({2, 3});
  return record;
}

// The record as a line of a file.
inline nlohmann::ordered_json timeloop_row(const timeloop::Record& record) {
  using namespace timeloop;
  using Json = nlohmann::ordered_json;
  const auto unlimited = [](double bandwidth) { return bandwidth == 0 ? Json() : Json(bandwidth); };
  Json row;
  const Problem& problem = record.input.problem;
  for (std::uint32_t d = 0; d < kDims; ++d) row["problem"][kDimNames[d]] = problem.bound[d];
  row["problem"]["Wstride"] = problem.wstride;
  row["problem"]["Hstride"] = problem.hstride;
  row["problem"]["Wdilation"] = problem.wdilation;
  row["problem"]["Hdilation"] = problem.hdilation;
  const Architecture& architecture = record.input.architecture;
  const Compute& compute = architecture.compute;
  row["arch"]["compute"] = {{"name", record.compute_name},
                            {"instances", compute.instances},
                            {"meshX", compute.mesh_x},
                            {"meshY", compute.mesh_y},
                            {"energy_pJ", {{"compute", compute.compute_pj}}},
                            {"area_um2", compute.area_um2}};
  for (std::uint32_t s = 0; s < architecture.levels; ++s) {
    const Storage& level = architecture.storage[s];
    row["arch"]["storage"].push_back(
        {{"name", record.level_names[s]},
         {"size_words", level.size < 0 ? Json() : Json(level.size)},
         {"block_size", level.block_size},
         {"cluster_size", level.cluster_size},
         {"instances", level.instances},
         {"meshX", level.mesh_x},
         {"meshY", level.mesh_y},
         {"read_bw", unlimited(level.read_bw)},
         {"write_bw", unlimited(level.write_bw)},
         {"energy_pJ", {{"read", level.read_pj}, {"fill", level.fill_pj}, {"update", level.update_pj}, {"leak", level.leak_pj}}},
         {"area_um2", level.area_um2}});
    Json spatial = Json::array(), temporal = Json::array();
    for (std::uint32_t l = 0; l < record.input.mapping.spatial[s].count; ++l) {
      const Loop& loop = record.input.mapping.spatial[s].loop[l];
      spatial.push_back({kDimNames[index_of(loop.dim)], loop.bound, loop.axis == Axis::x ? "X" : "Y"});
    }
    for (std::uint32_t l = 0; l < record.input.mapping.temporal[s].count; ++l) {
      const Loop& loop = record.input.mapping.temporal[s].loop[l];
      temporal.push_back({kDimNames[index_of(loop.dim)], loop.bound});
    }
    const bool* keep = record.input.mapping.keep[s];
    row["mapping"].push_back({{"spatial", spatial},
                              {"temporal", temporal},
                              {"keep", {{"Weights", keep[kWeights]}, {"Inputs", keep[kInputs]}, {"Outputs", keep[kOutputs]}}}});
  }
  return row;
}

}  // namespace exarch::testing
