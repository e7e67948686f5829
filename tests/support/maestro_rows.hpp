// Recorded rows of MAESTRO (tests/golden/maestro) and random problems.
#pragma once

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "host/files/line_reader.hpp"
#include "host/maestro/rows.hpp"

namespace exarch::testing {

inline std::vector<nlohmann::ordered_json> maestro_rows(const std::string& file) {
  LineReader lines(std::string(EXARCH_TEST_DATA) + "/golden/maestro/" + file, "{...}");
  std::vector<nlohmann::ordered_json> rows;
  for (std::string_view line; lines.next(line);) rows.push_back(nlohmann::ordered_json::parse(line));
  return rows;
}

// Layers and mappings of all kinds, sensible or not: repeated dimensions, both forms of the axes, strides, 0 to 3 clusters.
inline maestro::Problem random_problem(std::mt19937_64& rng) {
  using namespace maestro;
  const auto one_of = [&rng](std::initializer_list<int> values) { return *(values.begin() + rng() % values.size()); };
  const auto chance = [&rng](unsigned percent) { return rng() % 100 < percent; };
  Problem problem{};
  Layer& layer = problem.layer;
  for (std::int32_t& stride : layer.stride) stride = 1;
  layer.type = static_cast<LayerType>(rng() % 5);
  const auto declare = [&layer](Dim dim, int size) { layer.size[index_of(dim)] = size; };
  std::vector<Dim> dims;
  if (layer.type == LayerType::gemm) {
    for (const Dim dim : {Dim::M, Dim::N, Dim::K}) declare(dim, static_cast<int>(1 + rng() % 150));
    dims = {Dim::M, Dim::N, Dim::K};
  } else {
    declare(Dim::K, one_of({1, 3, 16, 64, 100}));
    declare(Dim::C, one_of({1, 3, 16, 32}));
    declare(Dim::R, one_of({1, 2, 3, 5, 7}));
    declare(Dim::S, one_of({1, 2, 3, 7}));
    const bool output_form = chance(15);
    declare(output_form ? Dim::Yo : Dim::Y, static_cast<int>(7 + rng() % 40));
    declare(output_form ? Dim::Xo : Dim::X, static_cast<int>(7 + rng() % 40));
    if (chance(15)) declare(Dim::N, one_of({1, 2, 5}));
    if (layer.type == LayerType::ngconv) declare(Dim::G, one_of({1, 2, 4}));
    if (chance(25)) layer.stride[index_of(output_form ? Dim::Xo : Dim::X)] = one_of({2, 3, 4});
    if (chance(25)) layer.stride[index_of(output_form ? Dim::Yo : Dim::Y)] = one_of({2, 3, 4});
    dims = {Dim::K, Dim::C, Dim::R, Dim::S, chance(50) ? Dim::Y : Dim::Yo, chance(50) ? Dim::X : Dim::Xo};
    if (layer.size[index_of(Dim::N)] > 0) dims.push_back(Dim::N);
    if (layer.type == LayerType::ngconv) dims.push_back(Dim::G);
  }
  Mapping& mapping = problem.mapping;
  const std::size_t levels = 1 + rng() % 4;
  for (std::size_t l = 0; l < levels; ++l) {
    if (l > 0) mapping.directive[mapping.count++] = {Map::cluster, Dim::C, one_of({1, 2, 3, 4, 8, 16}), 1};
    std::shuffle(dims.begin(), dims.end(), rng);
    const std::size_t count = l == 0 ? dims.size() : 1 + rng() % dims.size();
    const std::size_t spatial = rng() % count, second = chance(15) ? rng() % count : spatial;
    for (std::size_t i = 0; i < count; ++i) {
      const int filter = dims[i] == Dim::R || dims[i] == Dim::S ? layer.size[index_of(dims[i])] : 0;
      const int size = filter > 0 && chance(80) ? filter : one_of({1, 1, 2, 3, 4, 7, 9, 16, 30, 100});
      const int offset = chance(75) ? size : one_of({1, 2, 3, 5, 8});
      const Map map = (i == spatial || i == second) && !chance(4) ? Map::spatial : Map::temporal;
      mapping.directive[mapping.count++] = {map, dims[i], size, offset};
    }
    if (chance(10)) mapping.directive[mapping.count++] = {Map::temporal, dims[0], one_of({1, 2, 3}), 1};
  }
  problem.hardware = {one_of({16, 64, 128, 1000, 4096}), one_of({1, 1, 2, 4, 8}), one_of({1, 8, 64, 1 << 30}), one_of({0, 1, 4}),
                      one_of({1, 16, 1 << 30})};
  return problem;
}

}  // namespace exarch::testing
