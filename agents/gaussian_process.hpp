// A Gaussian process over the points of a design space: a surrogate of a cost, with its uncertainty.
//
// The kernel is Matern 5/2 over a distance that takes integer parameters as numbers and labels as equal or not, each parameter
// with a length of its own. Costs should be scaled to mean 0 and variance 1.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>
#include <vector>

#include "agents/agent.hpp"

namespace exarch {

class GaussianProcess {
 public:
  explicit GaussianProcess(const DesignSpace& space);

  // (parameter) relative lengths; a long one means that the parameter matters little.
  [[nodiscard]] std::span<const double> lengths() const { return lengths_; }
  void set_lengths(std::span<const double> lengths) { lengths_.assign(lengths.begin(), lengths.end()); }

  // Log marginal likelihood of the values at the points with the present lengths, up to a constant; -infinity where the kernel
  // matrix is too ill-conditioned.
  [[nodiscard]] double log_likelihood(const GeneBatch& points, std::span<const double> values) const;
  // Improves the lengths, parameter by parameter, by that likelihood: one pass over a few shorter and longer ones.
  void fit_lengths(const GeneBatch& points, std::span<const double> values);

  // Conditions on values at points and prepares predictions at all points of `pool`.
  void condition(const GeneBatch& points, std::span<const double> values, const GeneBatch& pool);
  // Adds a value at a point of the pool.
  void add(std::size_t pool_point, double value);
  // (pool point)
  [[nodiscard]] const Eigen::VectorXd& mean() const { return mean_; }
  [[nodiscard]] const Eigen::VectorXd& variance() const { return variance_; }

 private:
  [[nodiscard]] bool is_ordered(std::size_t p) const { return space_.parameters()[p].kind == ParameterKind::integer; }
  // (feature, point) coordinates whose Euclidean distances are the kernel's: an integer parameter is one of them, a label one of
  // as many as there are.
  [[nodiscard]] Eigen::MatrixXd features(const GeneBatch& points) const;

  const DesignSpace& space_;
  std::vector<std::size_t> searched_;
  std::vector<double> lengths_;  // (parameter)
  // Predictions follow from the rows of L^-1 K(points, pool), L the Cholesky factor of K(points, points).
  Eigen::MatrixXd pool_;  // (feature, pool point)
  Eigen::MatrixXd rows_;  // (point, pool point); more rows than points
  Eigen::Index points_ = 0;
  Eigen::VectorXd mean_, variance_;
};

}  // namespace exarch
