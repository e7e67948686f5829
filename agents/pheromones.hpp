// The pheromones of one parameter: a number for every value, and the two ways in which an ant chooses among them.
//
// Kept as a tree of sums, so that choosing and changing one of n values both take log n steps: in a colony every ant changes
// the numbers that the next one sees. An inner node is computed from its children alone, never adjusted, so the tree is a
// function of the numbers and of no history. Numbers may be negative (docs/agents.md, aco:archgym).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/space/design_space.hpp"

namespace exarch {

class Pheromones {
 public:
  // `values` numbers, 1 or more, each `start`.
  Pheromones(std::size_t values, double start);

  [[nodiscard]] std::size_t size() const { return values_; }
  [[nodiscard]] double at(std::size_t value) const { return nodes_[leaves_ + value].sum; }
  void set(std::size_t value, double pheromone);  // must be finite

  // How many values share the largest number, and the tie-th of them in order of value; tie < ties().
  [[nodiscard]] std::uint32_t ties() const { return nodes_[1].ties; }
  [[nodiscard]] Gene largest(std::uint32_t tie) const;

  // The roulette wheel, stopped at `unit` in [0, 1): the first value at which the running sum, divided by the whole sum,
  // exceeds `unit`. A whole sum of zero has no shares; all values are equally likely then.
  [[nodiscard]] Gene roulette(double unit) const;

 private:
  struct Node {
    double sum;        // of the node's values
    double high, low;  // the largest and the smallest of their running sums
    double best;       // the largest of the values, and how many have it; 0: a place beyond the last value
    std::uint32_t ties;
  };
  [[nodiscard]] static Node joined(const Node& left, const Node& right);

  std::size_t values_, leaves_;  // leaves_: values_ rounded up to a power of two
  std::vector<Node> nodes_;      // root at 1; children of i at 2 i and 2 i + 1; leaves from leaves_ on
};

}  // namespace exarch
