// From genes to MAESTRO mappings: Exarch's own two-level form, and MaestroGym's, as intended and as shipped.
#pragma once

#include <cstdint>

#include "kernels/core/config.hpp"
#include "kernels/core/mt19937.hpp"
#include "kernels/maestro/types.hpp"

namespace exarch::maestro {

// Dimensions that both forms tile, order and spread: output channel, input channel, output rows, output columns.
enum Tiled : std::uint32_t { kTiledK, kTiledC, kTiledY, kTiledX, kTileds };

inline constexpr std::uint32_t kOrders = 24;  // permutations of them

// A mapping of two levels, and the accelerator. Tiles of the axes count output rows and columns.
struct CleanDesign {
  std::int32_t tile[2][kTileds];  // [outer, inner]; larger ones than there is room for are clipped
  std::int32_t spatial[2];        // Tiled: which is spread over sub-clusters, over the PEs of one
  std::int32_t order[2];          // 0 .. kOrders - 1: the loop nest, a permutation in lexicographic order of K, C, Y, X
  std::int32_t cluster_size;      // PEs per sub-cluster
  Hardware hardware;
};

// ArchGym's genes in its order, and the seed of what it draws from an unseeded generator.
struct ArchgymDesign {
  std::uint32_t gene[17];
  std::uint32_t outer_seed;
};
// ArchGym's genes as its released environment evaluates them.
struct ShippedDesign {
  ArchgymDesign design;
};

enum ArchgymGene : std::uint32_t {
  kSeedL2,
  kParallelL2,
  kSL2,
  kRL2,
  kKL2,
  kCL2,
  kXL2,
  kYL2,
  kParallelL1,
  kSL1,
  kRL1,
  kKL1,  // this one and the next three are never read
  kCL1,
  kXL1,
  kYL1,
  kSeedL1,
  kNumPe,
  kArchgymGenes
};

// The accelerator that MaestroGym always names.
inline constexpr Hardware kArchgymHardware{1024, 1, 1 << 30, 1, 1 << 30};

inline namespace EXARCH_ISA {

namespace decoding {

template <std::uint32_t kRoom>
EXARCH_HD void append(MappingOf<kRoom>& mapping, Map map, Dim dim, std::int32_t size) {
  mapping.directive[mapping.count++] = {map, dim, size, size};
}

[[nodiscard]] EXARCH_HD constexpr Dim dim_of(std::uint32_t tiled) {
  return tiled == kTiledK ? Dim::K : tiled == kTiledC ? Dim::C : tiled == kTiledY ? Dim::Yo : Dim::Xo;
}

// How far tiles of a dimension go in a layer; 0: the layer's computation does not have it.
[[nodiscard]] EXARCH_HD std::int32_t extent(const Layer& layer, std::uint32_t tiled) {
  const auto size = [&layer](Dim dim) { return layer.size[index_of(dim)]; };
  if (tiled == kTiledK) return layer.type == LayerType::dsconv ? 0 : size(Dim::K);
  if (tiled == kTiledC) return size(Dim::C);
  const bool rows = tiled == kTiledY;
  // A tile of several outputs of a strided axis is counted as if the stride were 1, which computes more than there is.
  if (layer.stride[index_of(rows ? Dim::Y : Dim::X)] > 1) return 1;
  const std::int32_t output = size(rows ? Dim::Yo : Dim::Xo);
  return output > 0 ? output : size(rows ? Dim::Y : Dim::X) - size(rows ? Dim::R : Dim::S) + 1;
}

}  // namespace decoding

// The mapping of a clean design on a convolution. Tiles of R and S are the whole filter, inner tiles are clipped to outer ones
// and those to the layer. Where the layer lacks the dimension to spread (K of a depthwise layer), C is spread in its place.
template <std::uint32_t kRoom>
EXARCH_HD void decode(const CleanDesign& design, const Layer& layer, MappingOf<kRoom>& mapping) {
  std::int32_t room[kTileds];
  for (std::uint32_t t = 0; t < kTileds; ++t) room[t] = decoding::extent(layer, t);
  mapping.count = 0;
  for (std::uint32_t l = 0; l < 2; ++l) {
    std::uint32_t spatial = static_cast<std::uint32_t>(design.spatial[l]);
    if (room[spatial] == 0) spatial = kTiledC;
    std::uint32_t left[kTileds] = {kTiledK, kTiledC, kTiledY, kTiledX};
    std::uint32_t rest = static_cast<std::uint32_t>(design.order[l]), permutations = kOrders;
    for (std::uint32_t n = kTileds; n > 0; --n) {
      permutations /= n;
      const std::uint32_t place = rest / permutations;
      rest %= permutations;
      const std::uint32_t tiled = left[place];
      for (std::uint32_t i = place; i + 1 < n; ++i) left[i] = left[i + 1];
      if (room[tiled] == 0) continue;
      room[tiled] = min_of(room[tiled], design.tile[l][tiled]);
      decoding::append(mapping, tiled == spatial ? Map::spatial : Map::temporal, decoding::dim_of(tiled), room[tiled]);
    }
    decoding::append(mapping, Map::temporal, Dim::R, layer.size[index_of(Dim::R)]);
    decoding::append(mapping, Map::temporal, Dim::S, layer.size[index_of(Dim::S)]);
    if (l == 0) decoding::append(mapping, Map::cluster, Dim::C, design.cluster_size);
  }
}

// What ArchGym's environment makes of the genes before it decodes them: they go through a step for actions of reinforcement
// learning, in [0, 1), which leaves 0 as it is and turns everything else into the largest index.
[[nodiscard]] EXARCH_HD ArchgymDesign as_shipped(const ArchgymDesign& design, const Layer& layer) {
  const auto size = [&layer](Dim dim) { return static_cast<std::uint32_t>(layer.size[index_of(dim)]); };
  const std::uint32_t k = size(Dim::K), c = size(Dim::C), x = size(Dim::X), y = size(Dim::Y);
  const std::uint32_t values[kArchgymGenes] = {720, 4, 2, 2, k, c, x, y, 4, 2, 2, k, c, x, y, 720, 1024};
  ArchgymDesign shipped = design;
  for (std::uint32_t g = 0; g < kArchgymGenes; ++g) shipped.gene[g] = design.gene[g] == 0 ? 0 : values[g] - 1;
  return shipped;
}

// MaestroGym's mapping: the genes of "l2" are the inner tiles; the outer ones are drawn below them. Its generator is seeded with
// genes, except for the outer tiles, which take what the evaluation before left; here, outer_seed.
template <std::uint32_t kRoom>
[[nodiscard]] EXARCH_HD Status decode(const ArchgymDesign& design, const Layer& layer, MappingOf<kRoom>& mapping) {
  struct Tile {
    Dim dim;
    std::uint32_t size;
  };
  const auto& g = design.gene;
  const auto draw = [](Mt19937Start& stream, std::uint32_t below) { return 1 + numpy_up_to(stream, below - 2); };
  Tile inner[6] = {{Dim::S, g[kSL2]}, {Dim::R, g[kRL2]},  {Dim::K, g[kKL2]},
                   {Dim::C, g[kCL2]}, {Dim::Xo, g[kXL2]}, {Dim::Yo, g[kYL2]}};
  Tile outer[6] = {{Dim::S, g[kSL1]}, {Dim::R, g[kRL1]}, {Dim::K, 1}, {Dim::C, 1}, {Dim::Xo, 1}, {Dim::Yo, 1}};
  // One stream, started anew: on a device, several would each have their local memory.
  Mt19937Start stream(design.outer_seed);
  for (std::uint32_t i = 2; i < 6; ++i) {
    if (inner[i].size > 1) outer[i].size = draw(stream, inner[i].size);
  }
  if (stream.exhausted()) return Status::case_limit;
  const auto shuffle = [&stream](Tile(&tiles)[6]) {
    for (std::uint32_t i = 5; i > 0; --i) {
      const std::uint32_t j = numpy_up_to(stream, i);
      const Tile held = tiles[i];
      tiles[i] = tiles[j];
      tiles[j] = held;
    }
  };
  stream.restart(g[kSeedL1]);
  shuffle(inner);
  if (stream.exhausted()) return Status::case_limit;
  stream.restart(g[kSeedL2]);
  shuffle(outer);
  (void)draw(stream, g[kNumPe] <= 1 ? 2 : g[kNumPe]);  // a number of PEs that nobody reads
  const auto parallel = [](std::uint32_t gene) {
    return gene == 0 ? Dim::K : gene == 1 ? Dim::C : gene == 2 ? Dim::Xo : Dim::Yo;
  };
  const Dim spatial[2] = {parallel(g[kParallelL1]), parallel(g[kParallelL2])};
  std::uint32_t most = 1;
  for (const Tile& tile : outer) {
    if (tile.dim == spatial[1]) most = tile.size;
  }
  const std::uint32_t cluster = most <= 1 ? 1 : draw(stream, most);
  if (stream.exhausted()) return Status::case_limit;

  mapping.count = 0;
  const bool depthwise = layer.type == LayerType::dsconv;
  for (std::uint32_t l = 0; l < 2; ++l) {
    const Dim spread = depthwise && spatial[l] == Dim::K ? Dim::C : spatial[l];
    for (const Tile& tile : l == 0 ? outer : inner) {
      if (depthwise && tile.dim == Dim::K) continue;
      decoding::append(mapping, tile.dim == spread ? Map::spatial : Map::temporal, tile.dim,
                       static_cast<std::int32_t>(tile.size));
    }
    if (l == 0) decoding::append(mapping, Map::cluster, Dim::C, static_cast<std::int32_t>(cluster));
  }
  return Status::ok;
}

}  // namespace EXARCH_ISA
}  // namespace exarch::maestro
