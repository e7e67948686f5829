// How candidates are made from others: crossover, mutation, moves to neighbours.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agents/agents_internal.hpp"

namespace exarch {

enum class Crossover : std::uint8_t { two_point, uniform };
inline const std::vector<std::string> kCrossovers = {"two-point", "uniform"};

// How two parents make a child.
struct Breeding {
  // The hyperparameters crossover, crossover_rate and mutation_rate; of the last, auto is one over the number of searched
  // parameters: one mutation per child on average.
  Breeding(const Hyperparameters& values, const DesignSpace& space);

  // The first parent's genes. With probability crossover_rate some are the second's (uniform: each with probability 1/2;
  // two-point: those between two different cuts among the places before, between and after the genes); then each searched one
  // takes another value, uniformly, with probability mutation_rate.
  void make_child(const DesignSpace& space, std::span<const Gene> first, std::span<const Gene> second, PhiloxStream crossing,
                  PhiloxStream mutating, std::span<Gene> child) const;

  Crossover crossover;
  double crossover_rate, mutation_rate;
};

// Gives one of the `searched` parameters another value: an integer one, with probability `locality`, the value above or below,
// any other one otherwise.
void move_one(const DesignSpace& space, std::span<const std::size_t> searched, double locality, std::span<Gene> genes,
              PhiloxStream& draws);

// Moves that know what parameters mean, as the mapper GAMMA has them: loop orders are reordered, tiles grow and shrink.
class DomainMoves {
 public:
  // The hyperparameters reorder_rate and growth_rate. A loop order is a categorical parameter whose labels are permutations of
  // the same letters; a tile is an integer one.
  DomainMoves(const Hyperparameters& values, const DesignSpace& space);

  // With probability reorder_rate two places of one loop order change places, as far as the space has the result; with
  // probability growth_rate one tile takes the next value up or down.
  void apply(const DesignSpace& space, std::span<Gene> genes, PhiloxStream draws) const;

 private:
  double reorder_rate_, growth_rate_;
  std::vector<std::size_t> orders_, tiles_;
};

}  // namespace exarch
