// Mappings for people and for Timeloop: a loop nest as text, and Timeloop's mapping file.
#pragma once

#include <string>
#include <vector>

#include "host/timeloop/yaml.hpp"

namespace exarch::timeloop {

// What names a mapping is written with.
struct MappingNames {
  std::vector<std::string> levels;           // innermost first
  std::array<std::string, kDims> dims;       // (Dim) "" for a loop that the problem does not have
  std::array<std::string, kSpaces> tensors;  // (Space)
};

// The names of a convolution, or of the shape that a layer came in.
[[nodiscard]] MappingNames names_of(const std::vector<std::string>& levels);
[[nodiscard]] MappingNames names_of(const std::vector<std::string>& levels, const Layer& layer);

// The nest, the outermost level first, a line per level and per kind of loop:
//   DRAM [Weights Inputs Outputs]
//     for M in 24, for C in 8
//   shared_glb [Inputs Outputs]
//     in parallel: Q on 13 columns
[[nodiscard]] std::string nest_text(const Mapping& mapping, const MappingNames& names);

// A mapping as Timeloop reads it, and read_timeloop() too: for each level, factors and order of its loops, and what bypasses it.
[[nodiscard]] std::string mapping_yaml(const Architecture& architecture, const Mapping& mapping, const MappingNames& names);

}  // namespace exarch::timeloop
