// Layers of a network: ArchGym's tables (.csv) and MAESTRO's own files (.m).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kernels/maestro/types.hpp"

namespace exarch::maestro {

struct LayerEntry {
  std::string name;  // "" in tables
  Layer layer;
};

// The layers of a file, in order, at least one. Tables have the columns K, C, Y, X, R, S and T in any order; T is 0 for a fully
// connected layer (K outputs, C inputs), 1 for a convolution, 2 for a depthwise one, 3 for a matrix product (K = M, C = N, Y = K
// of M x K times K x N), which, as in MaestroGym, become convolutions. Of a .m file the mappings are left aside. Error with file
// and line.
[[nodiscard]] std::vector<LayerEntry> read_layers(const std::filesystem::path& path);

}  // namespace exarch::maestro
