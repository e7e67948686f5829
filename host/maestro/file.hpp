// MAESTRO's text mapping format (".m" files): networks of layers, each with its dimensions and, where given, its mapping.
//
//   Constant Tile 4;                                // a number with a name, for sizes of any kind but strides
//   Network net {
//     Layer conv1 {
//       Type: CONV                                  // CONV, DSCONV, NGCONV, GEMM, TRCONV
//       Stride { X: 2, Y: 2 }                       // optional, before Dimensions; 1 where nothing is said
//       Dimensions { K: 64, C: 3, R: 7, S: 7, Y: 230, X: 230 }
//       Dataflow {                                  // optional
//         SpatialMap(1,1) K;                        // (size,offset); Sz(D) is the layer's declared size of D
//         TemporalMap(Tile,Tile) C;
//         Cluster(Tile, P);
//       }
//     }
//   }
//
// Used by the MAESTRO environment, the command line and the tests. Every text that MAESTRO reads as it is meant reads the same
// here: blanks, commas, '-', '>', parentheses, ':' and ';' all merely separate words, and a "//" in front of a word starts a
// comment. A text that MAESTRO reads as something else than it says (-4 as 4, 4.9 as 4, a surplus brace, contradictory sizes) is
// refused, and so is one that MAESTRO refuses, with an exarch::Error "where:line: what is wrong; what to do".
//
// Whether a mapping makes sense for its layer is for the cost model to say, with a status: a dimension that the layer lacks, both
// forms of an axis, too many clusters or a mapping without directives all read.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/maestro/types.hpp"

namespace exarch::maestro {

struct NamedLayer {
  std::string name;  // "" where the file gives none; of several words the last
  Layer layer;
  std::optional<Mapping> mapping;  // absent: the layer has no Dataflow block
  std::size_t line;                // of the word Layer
};

struct NetworkFile {
  std::string name;                // as a layer's
  std::vector<NamedLayer> layers;  // at least one, in the file's order
};

// The file's network. Throws exarch::Error if the file cannot be read, and as parse_network().
[[nodiscard]] NetworkFile read_network_file(const std::string& path);

// The network a text describes; `where` stands for it in messages. Windows line ends and a byte order mark are accepted.
[[nodiscard]] NetworkFile parse_network(std::string_view text, const std::string& where);

// The text of a network: parse_network() gives the same network again, except for its line numbers. Constants and Sz(D) are
// gone, they are numbers by now, and clusters are of type P. Throws exarch::Error where no text can say what the network holds
// (a name with blanks in it, a size of 0).
[[nodiscard]] std::string write_network(const NetworkFile& file);

// Names as MAESTRO writes them: "K", and "X'" and "Y'" for Xo and Yo; "CONV", "DSCONV", "NGCONV", "GEMM", "TRCONV".
[[nodiscard]] std::string_view name_of(Dim dim);
[[nodiscard]] std::string_view name_of(LayerType type);
[[nodiscard]] std::optional<Dim> dim_of(std::string_view name);
[[nodiscard]] std::optional<LayerType> layer_type_of(std::string_view name);

}  // namespace exarch::maestro
