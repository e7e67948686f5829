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
constexpr double kLeastLengthScale = 0.05, kLongest = 50;
constexpr double kSmallestVariance = 1e-12;

// The kernel between all columns of a and of b: Rasmussen and Williams, "Gaussian processes for machine learning" (2006),
// equation 4.17. Distances by one matrix product.
Eigen::MatrixXd matern52(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  Eigen::MatrixXd squared = -2 * a.transpose() * b;
  squared.colwise() += a.colwise().squaredNorm().transpose();
  squared.rowwise() += b.colwise().squaredNorm();
  const Eigen::ArrayXXd r = (5 * squared.array().max(0)).sqrt();
  return ((1 + r + r.square() / 3) * (-r).exp()).matrix();
}

Eigen::MatrixXd with_noise(Eigen::MatrixXd kernel) {
  kernel.diagonal().array() += kNoise;
  return kernel;
}

}  // namespace

GaussianProcess::GaussianProcess(const DesignSpace& space)
    : space_(space), searched_(searched_parameters(space)), lengths_(space.dimensions(), 1.0) {}

Eigen::MatrixXd GaussianProcess::features(const GeneBatch& points) const {
  Eigen::Index count = 0;
  for (const std::size_t p : searched_) count += is_ordered(p) ? 1 : static_cast<Eigen::Index>(space_.values(p).size());
  Eigen::MatrixXd features = Eigen::MatrixXd::Zero(count, static_cast<Eigen::Index>(points.candidates()));
  Eigen::Index first = 0;
  for (const std::size_t p : searched_) {
    const auto values = static_cast<double>(space_.values(p).size());
    for (Eigen::Index c = 0; c < features.cols(); ++c) {
      const Gene gene = points.row(static_cast<std::size_t>(c))[p];
      if (is_ordered(p)) {
        features(first, c) = gene / (values - 1) / lengths_[p];
      } else {
        features(first + gene, c) = std::sqrt(0.5) / lengths_[p];  // different labels are at distance 1
      }
    }
    first += is_ordered(p) ? 1 : static_cast<Eigen::Index>(space_.values(p).size());
  }
  return features;
}

double GaussianProcess::log_likelihood(const GeneBatch& points, std::span<const double> values) const {
  const Eigen::MatrixXd at = features(points);
  const Eigen::LLT<Eigen::MatrixXd> factor(with_noise(matern52(at, at)));
  if (factor.info() != Eigen::Success) return -std::numeric_limits<double>::infinity();
  const Eigen::Map<const Eigen::VectorXd> y(values.data(), static_cast<Eigen::Index>(values.size()));
  const Eigen::VectorXd z = factor.matrixL().solve(y);
  return -0.5 * z.squaredNorm() - factor.matrixLLT().diagonal().array().log().sum();
}

void GaussianProcess::fit_lengths(const GeneBatch& points, std::span<const double> values) {
  if (values.empty() || searched_.empty()) return;
  double best = log_likelihood(points, values);
  for (const std::size_t p : searched_) {
    const double present = lengths_[p];
    double chosen = present;
    for (const double factor : {0.4, 2.5}) {
      lengths_[p] = std::clamp(present * factor, kLeastLengthScale, kLongest);
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
  const Eigen::MatrixXd at = features(points);
  pool_ = features(pool);
  const Eigen::LLT<Eigen::MatrixXd> factor(with_noise(matern52(at, at)));
  const Eigen::Map<const Eigen::VectorXd> y(values.data(), n);
  rows_ = factor.matrixL().solve(matern52(at, pool_));
  points_ = n;
  mean_ = rows_.transpose() * factor.matrixL().solve(y);
  variance_ = (1 - rows_.colwise().squaredNorm().transpose().array()).max(kSmallestVariance);
}

void GaussianProcess::add(std::size_t pool_point, double value) {
  const auto at = static_cast<Eigen::Index>(pool_point);
  if (points_ == rows_.rows()) rows_.conservativeResize(points_ + std::max<Eigen::Index>(64, points_ / 4), Eigen::NoChange);
  // The next row of the Cholesky factor, then of its product with the kernel.
  const double pivot = std::sqrt(variance_(at) + kNoise);
  Eigen::VectorXd row = matern52(pool_, pool_.col(at));
  row.noalias() -= rows_.topRows(points_).transpose() * rows_.col(at).head(points_);
  row /= pivot;
  rows_.row(points_) = row.transpose();
  ++points_;
  mean_ += row * ((value - mean_(at)) / pivot);
  variance_ = (variance_.array() - row.array().square()).max(kSmallestVariance);
}

}  // namespace exarch
