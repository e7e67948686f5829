// What Timeloop itself takes as input: an architecture with its energies and areas, a problem and a mapping, in one YAML text.
//
//   std::ofstream("layer.yaml") << written_input(record.input, "mac", names_of(record.level_names));
//
// `timeloop-model layer.yaml` and `exarch eval timeloop --files layer.yaml` evaluate it.
#pragma once

#include <string>

#include "host/timeloop/mapping_text.hpp"

namespace exarch::timeloop {

// Levels, dimensions and tensors are called as in `names`; a dimension without a name has the bound 1. Error
// where a level without a limit shares accesses (cluster_size), which Timeloop's files cannot say.
[[nodiscard]] std::string written_input(const Input& input, const std::string& compute_name, const MappingNames& names);

}  // namespace exarch::timeloop
