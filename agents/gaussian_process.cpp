#include "agents/gaussian_process.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "agents/agents_internal.hpp"

namespace exarch {
namespace {

// Added to the diagonal: equal designs have equal costs, so this is for the arithmetic only, and for what the lengths cannot
// explain.
constexpr double kNoise = 1e-3;
constexpr double kShortest = 0.05, kLongest = 50;
constexpr double kSmallestVariance = 1e-12;

// Rasmussen and Williams, "Gaussian processes for machine learning" (2006), equation 4.17.
double matern52(double squared_distance) {
  const double r = std::sqrt(5 * squared_distance);
  return (1 + r + r * r / 3) * std::exp(-r);
}

}  // namespace

GaussianProcess::GaussianProcess(const DesignSpace& space)
    : space_(space), searched_(searched_parameters(space)), lengths_(space.dimensions(), 1.0) {}

double GaussianProcess::kernel(std::span<const Gene> a, std::span<const Gene> b) const {
  double squared = 0;
  for (const std::size_t p : searched_) {
    if (a[p] == b[p]) continue;
    double difference = 1;
    if (space_.parameters()[p].kind == ParameterKind::integer) {
      difference = (static_cast<double>(a[p]) - static_cast<double>(b[p])) / static_cast<double>(space_.values(p).size() - 1);
    }
    const double scaled = difference / lengths_[p];
    squared += scaled * scaled;
  }
  return matern52(squared);
}

Eigen::MatrixXd GaussianProcess::kernel_matrix(const GeneBatch& points) const {
  const auto n = static_cast<Eigen::Index>(points.candidates());
  Eigen::MatrixXd k(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    k(i, i) = 1 + kNoise;
    for (Eigen::Index j = 0; j < i; ++j) {
      k(i, j) = k(j, i) = kernel(points.row(static_cast<std::size_t>(i)), points.row(static_cast<std::size_t>(j)));
    }
  }
  return k;
}

double GaussianProcess::log_likelihood(const GeneBatch& points, std::span<const double> values) const {
  const Eigen::LLT<Eigen::MatrixXd> factor(kernel_matrix(points));
  if (factor.info() != Eigen::Success) return -std::numeric_limits<double>::infinity();
  const Eigen::Map<const Eigen::VectorXd> y(values.data(), static_cast<Eigen::Index>(values.size()));
  const Eigen::VectorXd z = factor.matrixL().solve(y);
  return -0.5 * z.squaredNorm() - factor.matrixLLT().diagonal().array().log().sum();
}

void GaussianProcess::fit_lengths(const GeneBatch& points, std::span<const double> values) {
  if (values.empty()) return;
  double best = log_likelihood(points, values);
  for (const std::size_t p : searched_) {
    const double present = lengths_[p];
    double chosen = present;
    for (const double factor : {0.4, 2.5}) {
      lengths_[p] = std::clamp(present * factor, kShortest, kLongest);
      if (const double likelihood = log_likelihood(points, values); likelihood > best) {
        best = likelihood;
        chosen = lengths_[p];
      }
    }
    lengths_[p] = chosen;
  }
}

void GaussianProcess::condition(const GeneBatch& points, std::span<const double> values, const GeneBatch& pool) {
  const auto n = static_cast<Eigen::Index>(points.candidates());
  const auto m = static_cast<Eigen::Index>(pool.candidates());
  const Eigen::LLT<Eigen::MatrixXd> factor(kernel_matrix(points));
  const Eigen::Map<const Eigen::VectorXd> y(values.data(), n);
  Eigen::MatrixXd cross(n, m);
  for (Eigen::Index j = 0; j < m; ++j) {
    for (Eigen::Index i = 0; i < n; ++i) {
      cross(i, j) = kernel(points.row(static_cast<std::size_t>(i)), pool.row(static_cast<std::size_t>(j)));
    }
  }
  rows_ = factor.matrixL().solve(cross);
  points_ = n;
  mean_ = rows_.transpose() * factor.matrixL().solve(y);
  variance_ = (1 - rows_.colwise().squaredNorm().transpose().array()).max(kSmallestVariance);
  pool_ = pool;
}

void GaussianProcess::add(std::size_t pool_point, double value) {
  const auto at = static_cast<Eigen::Index>(pool_point);
  const Eigen::Index m = rows_.cols();
  if (points_ == rows_.rows()) rows_.conservativeResize(points_ + std::max<Eigen::Index>(64, points_ / 4), Eigen::NoChange);
  // The next row of the Cholesky factor, then of its product with the kernel.
  const double pivot = std::sqrt(variance_(at) + kNoise);
  Eigen::VectorXd row(m);
  for (Eigen::Index j = 0; j < m; ++j) row(j) = kernel(pool_.row(pool_point), pool_.row(static_cast<std::size_t>(j)));
  row.noalias() -= rows_.topRows(points_).transpose() * rows_.col(at).head(points_);
  row /= pivot;
  rows_.row(points_) = row.transpose();
  ++points_;
  mean_ += row * ((value - mean_(at)) / pivot);
  variance_ = (variance_.array() - row.array().square()).max(kSmallestVariance);
}

}  // namespace exarch
