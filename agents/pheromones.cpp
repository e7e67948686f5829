#include "agents/pheromones.hpp"

#include <algorithm>
#include <bit>

#include "host/metric/metric.hpp"

namespace exarch {

Pheromones::Pheromones(std::size_t values, double start) : values_(values), leaves_(std::bit_ceil(values)) {
  nodes_.assign(2 * leaves_, {0, -kInfinity, kInfinity, -kInfinity, 0});
  for (std::size_t v = 0; v < values; ++v) nodes_[leaves_ + v] = {start, start, start, start, 1};
  for (std::size_t i = leaves_ - 1; i >= 1; --i) nodes_[i] = joined(nodes_[2 * i], nodes_[2 * i + 1]);
}

Pheromones::Node Pheromones::joined(const Node& left, const Node& right) {
  Node node = {left.sum + right.sum, std::max(left.high, left.sum + right.high), std::min(left.low, left.sum + right.low),
               std::max(left.best, right.best), 0};
  if (left.best == node.best) node.ties += left.ties;
  if (right.best == node.best) node.ties += right.ties;
  return node;
}

void Pheromones::set(std::size_t value, double pheromone) {
  std::size_t i = leaves_ + value;
  nodes_[i] = {pheromone, pheromone, pheromone, pheromone, 1};
  while (i > 1) {
    i /= 2;
    nodes_[i] = joined(nodes_[2 * i], nodes_[2 * i + 1]);
  }
}

Gene Pheromones::largest(std::uint32_t tie) const {
  const double best = nodes_[1].best;
  std::size_t i = 1;
  while (i < leaves_) {
    i *= 2;
    const std::uint32_t on_the_left = nodes_[i].best == best ? nodes_[i].ties : 0;
    if (tie >= on_the_left) {
      tie -= on_the_left;
      ++i;
    }
  }
  return static_cast<Gene>(i - leaves_);
}

Gene Pheromones::roulette(double unit) const {
  const double total = nodes_[1].sum;
  if (total == 0) return static_cast<Gene>(unit * static_cast<double>(values_));
  // With a negative whole sum, "running sum / whole sum > unit" is "running sum < unit * whole sum".
  double threshold = unit * total;
  std::size_t i = 1;
  while (i < leaves_) {
    i *= 2;
    const Node& left = nodes_[i];
    const bool exceeds = total > 0 ? left.high > threshold : left.low < threshold;
    // Rounding may leave the threshold just beyond the last value; there is none to the right of it.
    if (exceeds || nodes_[i + 1].ties == 0) continue;
    threshold -= left.sum;
    ++i;
  }
  return static_cast<Gene>(i - leaves_);
}

}  // namespace exarch
