// The best mapping of a layer on an architecture, and the proof that it is the best.
//
// The search goes from the outermost level inwards. After each level it has partial mappings, each with the tile that is left for
// the levels inside and the exact cost of what is decided. It leaves out
// - partial mappings that are no better than another with the same tile, multipliers in use and loops outside, in anything that
//   what follows can depend on;
// - partial mappings whose cost, with the least the levels inside can cost (search_bound.hpp), is not below that of a mapping
//   that is known.
// What is left at the end is evaluated by the model itself. Result and order do not depend on threads or time. Costs are compared
// with a tolerance of 1e-12 of their value: no mapping of the space is better by more than that. Where a bandwidth sets the
// cycles, a mapping may need one cycle less, because Timeloop's doubles can come out just above a whole number.
//
//   MappingTask task{problem, architecture, names, row_stationary(), {Goal::cycles, Goal::energy}};
//   const MappingResult best = search(task);
//   if (best.found) std::printf("%.2f uJ\n", best.price.energy_pj / 1e6);
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/timeloop/map_space.hpp"
#include "kernels/timeloop/price.hpp"

namespace exarch::timeloop {

struct MappingProgress {
  std::uint32_t level;    // is being decided
  double share;           // of that level, 0 to 1
  bool found;             // a mapping is known
  double cost, at_least;  // of the first goal: the best known, and what no mapping can be below
};

struct MappingTask {
  Problem problem;
  Architecture architecture;
  std::vector<std::string> level_names;  // for messages; "level 0" ... where empty
  Constraints constraints;
  Goals goals{Goal::edp};
  FillRule rule = FillRule::current;
  // Partial mappings of a level that the first pass keeps, which looks for a good mapping without proving anything.
  std::size_t beam = 64;
  // Bytes of partial mappings that are held at once, about. Where there are more, the search goes on with a part of them to the
  // end before it makes more: it compares fewer with each other then, and may take longer. The proof is the same.
  std::size_t memory = std::size_t{1} << 30;
  // Called now and then; false ends the search with the best mapping so far.
  std::function<bool(const MappingProgress&)> observer;
};

struct MappingResult {
  bool found = false;   // there is a valid mapping
  bool proved = false;  // no mapping is better; with !found: there is none
  Mapping mapping{};
  Counters counters{};
  Price price{};
  std::vector<double> cost;     // (goal) in the units of cost_of()
  double at_least = 0;          // no mapping has a lower first goal
  std::uint64_t tiles = 0;      // of the layer
  std::uint64_t decisions = 0;  // choices of a level that were looked at
  std::uint64_t partial = 0;    // partial mappings that were gone on with
  std::uint64_t parts = 0;      // that were gone on with one after the other, because the memory was full
  std::uint64_t evaluated = 0;  // complete mappings that the model was run on
};

// The best mapping; Error where constraints contradict layer or architecture, or the layer is too large for the search.
[[nodiscard]] MappingResult search(const MappingTask& task);

}  // namespace exarch::timeloop
