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
// and line; a layer with two_meanings() is one.
[[nodiscard]] std::vector<LayerEntry> read_layers(const std::filesystem::path& path);

// What is wrong with a layer that can be read in two ways, and how to write either; "" for a layer that cannot. Today: a
// depthwise layer whose K is neither 1 nor C. Example: K = 32, C = 1 is one channel to MAESTRO and 32 channels to PyTorch (groups
// = 32).
[[nodiscard]] std::string two_meanings(const Layer& layer);

}  // namespace exarch::maestro
