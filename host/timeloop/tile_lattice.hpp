// All tiles a mapping can have: for every dimension a divisor of the layer's bound.
//
// A tile has a number, its state. Example: a layer with M = 4 and C = 6 has 3 x 4 states; state 0 is the single point, the last
// one is the layer itself.
//
//   TileLattice tiles(problem);
//   const std::uint32_t all = tiles.count() - 1;
//   tiles.extents(all)[index_of(Dim::M)] == 4
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/timeloop/nest.hpp"

namespace exarch::timeloop {

class TileLattice {
 public:
  static constexpr std::uint32_t kMost = 500'000;  // tiles
  static constexpr std::uint8_t kNone = 255;       // no such divisor

  using Digits = std::array<std::uint8_t, kDims>;  // (dim) which divisor, ascending
  using Volumes = std::array<double, kSpaces>;     // (tensor) words

  // Error where the layer has more than kMost tiles.
  explicit TileLattice(const Problem& problem);

  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(digits_.size()); }
  [[nodiscard]] const Digits& digits(std::uint32_t state) const { return digits_[state]; }
  [[nodiscard]] std::uint32_t state(const Digits& digits) const {
    std::uint32_t state = 0;
    for (std::uint32_t d = 0; d < kDims; ++d) state += digits[d] * radix_[d];
    return state;
  }
  [[nodiscard]] std::uint32_t radix(std::uint32_t dim) const { return radix_[dim]; }
  [[nodiscard]] const std::vector<std::int64_t>& divisors(std::uint32_t dim) const { return divisors_[dim]; }
  // The divisor that is the quotient (product) of two, or kNone.
  [[nodiscard]] std::uint8_t quotient(std::uint32_t dim, std::uint8_t a, std::uint8_t b) const {
    return quotient_[dim][a * divisors_[dim].size() + b];
  }
  [[nodiscard]] std::uint8_t product(std::uint32_t dim, std::uint8_t a, std::uint8_t b) const {
    return product_[dim][a * divisors_[dim].size() + b];
  }
  // All digits of a quotient (product) of two tiles; false where there is none.
  [[nodiscard]] bool divide(const Digits& a, const Digits& b, Digits& out) const {
    for (std::uint32_t d = 0; d < kDims; ++d) {
      out[d] = quotient(d, a[d], b[d]);
      if (out[d] == kNone) return false;
    }
    return true;
  }
  [[nodiscard]] bool multiply(const Digits& a, const Digits& b, Digits& out) const {
    for (std::uint32_t d = 0; d < kDims; ++d) {
      out[d] = product(d, a[d], b[d]);
      if (out[d] == kNone) return false;
    }
    return true;
  }
  // The place of a factor among the divisors, or kNone.
  [[nodiscard]] std::uint8_t place(std::uint32_t dim, std::int64_t factor) const;

  [[nodiscard]] std::array<std::int64_t, kDims> extents(std::uint32_t state) const;
  [[nodiscard]] const Volumes& words(std::uint32_t state) const { return words_[state]; }
  [[nodiscard]] double computes(std::uint32_t state) const { return computes_[state]; }

 private:
  std::array<std::vector<std::int64_t>, kDims> divisors_;
  std::array<std::uint32_t, kDims> radix_{};
  std::array<std::vector<std::uint8_t>, kDims> quotient_, product_;
  std::vector<Digits> digits_;
  std::vector<Volumes> words_;
  std::vector<double> computes_;
};

}  // namespace exarch::timeloop
