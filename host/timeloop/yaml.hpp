// Timeloop's own input files: architecture, problem, mapping, constraints, mapper and Accelergy's tables, in YAML.
//
//   const std::vector<std::filesystem::path> paths{"arch.yaml", "problem.yaml", "mapping.yaml", "ERT.yaml"};
//   const TimeloopFiles files = read_timeloop(paths);
//   std::puts(answer(nullptr, record_of(files), FillRule::current).dump().c_str());
//
// Any list of files will do that together hold the sections, as for Timeloop. Architectures are trees with local lists (versions
// 0.2 and 0.3, and what timeloopfe writes), or nodes (version 0.4) with expressions and templates. docs/formats.md, "Timeloop's
// own files", describes what is read. What is not modelled is refused with file and line, never ignored: sparsity, imperfect
// factors, skews, layouts, energies of wires ...
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/timeloop/map_space.hpp"
#include "host/timeloop/records.hpp"
#include "host/timeloop/yaml_template.hpp"

namespace exarch::timeloop {

// A problem whose shape was fitted onto the eight loops of a grouped convolution. Example: of the matrix product Z[m,n] += A[m,k]
// B[n,k] the loops are m = M, n = N, k = C, and the tensors A = Weights, B = Inputs, Z = Outputs.
struct Layer {
  Problem problem{};
  std::string name;                              // of the shape; "" where it has none
  std::array<std::string, kSpaces> space_names;  // (Space) as the shape calls it
  std::array<Space, kSpaces> tensors;            // in the order of the shape
  std::vector<std::string> dims;                 // (dimension of the shape) in its order
  std::vector<std::int64_t> sizes;               // (dimension of the shape)
  std::vector<std::optional<Dim>> loops;         // (dimension of the shape) its loop; none for one of size 1 beyond eight
};

struct Machine {
  Architecture architecture{};
  std::string compute_name;
  std::vector<std::string> level_names;  // (level) innermost first
};

// How Timeloop's own mapper would search. Of the defaults those of Timeloop.
struct MapperKeys {
  std::string algorithm = "hybrid";         // random, exhaustive, linear_pruned, hybrid, random_pruned
  std::vector<std::string> metrics{"edp"};  // delay, energy, edp, last_level_accesses ...; the most important first
  std::optional<std::uint64_t> threads;     // none: as many as the processor has
  std::uint64_t search_size = 0;            // valid mappings; 0: no limit
  std::uint64_t timeout = 1000;             // invalid mappings in a row that end the search
  std::uint64_t victory_condition = 500;    // valid mappings in a row without a better one that end it; 0: no limit
  std::uint64_t sync_interval = 0;          // mappings between two exchanges of threads; 0: none
  std::uint64_t max_permutations_per_if_visit = 16;
  std::int64_t max_temporal_loops_in_a_mapping = -1;  // -1: no limit
  bool filter_revisits = false;
  bool penalize_consecutive_bypass_fails = false;

  // The metrics as goals: delay, energy and edp. Error for others.
  [[nodiscard]] Goals goals() const;
};

// What files hold; a part that they do not have is empty.
struct TimeloopFiles {
  std::optional<Machine> machine;
  std::optional<Layer> layer;
  std::optional<Mapping> mapping;
  std::optional<Constraints> constraints;  // of architecture, nodes and map space together
  std::optional<MapperKeys> mapper;
  std::vector<std::string> warnings;  // sentences for the user
};

// Error with file and line; also where a mapping or constraints come without the architecture and the problem that they are
// about. `values` are those of templates.
[[nodiscard]] TimeloopFiles read_timeloop(std::span<const std::filesystem::path> paths, const TemplateValues& values = {});

// Architecture, problem and mapping together; Error that says which of them is missing.
[[nodiscard]] Record record_of(const TimeloopFiles& files);

// Which constraint a mapping breaks, in a sentence; "" for none. Bypasses are not looked at, as Timeloop does not.
[[nodiscard]] std::string broken_constraint(const Record& record, const Constraints& constraints);

}  // namespace exarch::timeloop
