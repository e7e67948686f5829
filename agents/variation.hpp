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

// Mixes the genes of `other` into `genes`. Uniform: each with probability 1/2. Two-point: those between two different cuts among
// the places before, between and after the genes.
void cross(Crossover kind, std::span<const Gene> other, std::span<Gene> genes, PhiloxStream& draws);

// Gives each searched gene another value, uniformly, with probability `rate`.
void mutate(const DesignSpace& space, double rate, std::span<Gene> genes, PhiloxStream& draws);

// The hyperparameter mutation_rate: a number, or auto: one over the number of searched parameters, one mutation per child on
// average.
[[nodiscard]] double mutation_rate_of(const Hyperparameters& values, const DesignSpace& space);

// Gives one of the `searched` parameters another value: an integer one, with probability `locality`, the value above or below,
// any other one otherwise.
void move_one(const DesignSpace& space, std::span<const std::size_t> searched, double locality, std::span<Gene> genes,
              PhiloxStream& draws);

}  // namespace exarch
