// Spaces, options and objectives for tests of agents.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agents/agent.hpp"
#include "host/error.hpp"
#include "tests/support/errors.hpp"

namespace exarch::test {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Parameters of so many values each.
inline DesignSpace space_of(const std::vector<std::size_t>& sizes) {
  std::vector<ParameterInfo> parameters;
  std::vector<std::vector<std::int64_t>> values;
  for (std::size_t p = 0; p < sizes.size(); ++p) {
    parameters.push_back({"p" + std::to_string(p), ParameterKind::integer, {}, 0, 65535, 0, "", ""});
    values.emplace_back();
    for (std::size_t v = 0; v < sizes[p]; ++v) values.back().push_back(static_cast<std::int64_t>(v));
  }
  return {"test", "", parameters, values};
}

inline AgentOptions options_of(std::uint64_t seed, std::size_t population, std::map<std::string, std::string> parameters = {}) {
  return {.seed = seed, .population = population, .parameters = std::move(parameters)};
}

using Cost = double (*)(std::span<const Gene>);

// A separable bowl with its minimum, 0, away from the corners.
inline double bowl(std::span<const Gene> genes) {
  double cost = 0;
  for (std::size_t p = 0; p < genes.size(); ++p) cost += std::pow(genes[p] - (5.0 + static_cast<double>(p % 3)), 2);
  return cost;
}

// Deceptive: every pair of genes costs less the further it is from (7, 7), which costs least of all.
inline double trap(std::span<const Gene> genes) {
  double cost = 0;
  for (std::size_t p = 0; p + 1 < genes.size(); p += 2) {
    cost += genes[p] == 7 && genes[p + 1] == 7 ? 0 : 1 + genes[p] + genes[p + 1];
  }
  return cost;
}

// Minus a reward of 0.1 for every gene that has its own favourite value of eight: a maximised objective.
inline double negative_reward(std::span<const Gene> genes) {
  double reward = 0;
  for (std::size_t p = 0; p < genes.size(); ++p) reward += genes[p] == (3 + p) % 8 ? 0.1 : 0;
  return -reward;
}

inline std::vector<double> costs_of(const GeneBatch& batch, Cost cost = bowl) {
  std::vector<double> costs;
  for (std::size_t c = 0; c < batch.candidates(); ++c) costs.push_back(cost(batch.row(c)));
  return costs;
}

// One ask and tell; returns what was asked.
inline std::vector<Gene> turn(Agent& agent, Cost cost = bowl) {
  GeneBatch batch;
  agent.ask(batch);
  agent.tell(batch, costs_of(batch, cost));
  return batch.genes;
}

inline double best_after(Agent& agent, int generations, Cost cost = bowl) {
  double best = kInfinity;
  GeneBatch batch;
  for (int g = 0; g < generations; ++g) {
    agent.ask(batch);
    const std::vector<double> costs = costs_of(batch, cost);
    best = std::min(best, *std::min_element(costs.begin(), costs.end()));
    agent.tell(batch, costs);
  }
  return best;
}

}  // namespace exarch::test
