// Networks: files that list layers.
//
//   {"layers": [{"name": "conv1", "C": 3, "M": 96, "R": 11, "S": 11, "P": 55, "Q": 55, "Wstride": 4, "Hstride": 4}, ...]}
//
// docs/formats.md describes the format. Example of use:
//
//   const std::vector<NamedProblem> layers = layers_of(parse_json<nlohmann::ordered_json>(text, "net.json"));
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "kernels/timeloop/types.hpp"

namespace exarch::timeloop {

struct NamedProblem {
  std::string name;
  Problem problem;
  std::int64_t count;  // how often it is there, one after the other
};

inline constexpr std::size_t kMostLayers = 4096;

// Error saying which layer and which key is missing or wrong, and what it may be.
[[nodiscard]] std::vector<NamedProblem> layers_of(const nlohmann::ordered_json& json);

}  // namespace exarch::timeloop
