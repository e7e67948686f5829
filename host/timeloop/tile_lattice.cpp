#include "host/timeloop/tile_lattice.hpp"

#include <algorithm>
#include <string>

#include "host/error.hpp"

namespace exarch::timeloop {
namespace {

std::vector<std::int64_t> divisors_of(std::int64_t number) {
  std::vector<std::int64_t> small, large;
  for (std::int64_t d = 1; d * d <= number; ++d) {
    if (number % d != 0) continue;
    small.push_back(d);
    if (d * d != number) large.push_back(number / d);
  }
  small.insert(small.end(), large.rbegin(), large.rend());
  return small;
}

}  // namespace

TileLattice::TileLattice(const Problem& problem) {
  std::uint64_t count = 1;
  for (std::uint32_t d = 0; d < kDims; ++d) {
    divisors_[d] = divisors_of(problem.bound[d]);
    const std::size_t n = divisors_[d].size();
    radix_[d] = static_cast<std::uint32_t>(count);
    count *= n;
    if (n >= kNone || count > kMost) {
      throw Error("the layer can be cut into more than " + std::to_string(kMost) +
                  " different tiles, which is a limit of the search; bounds with fewer divisors have fewer");
    }
    quotient_[d].assign(n * n, kNone);
    product_[d].assign(n * n, kNone);
    for (std::size_t a = 0; a < n; ++a) {
      for (std::size_t b = 0; b < n; ++b) {
        if (divisors_[d][a] % divisors_[d][b] == 0) quotient_[d][a * n + b] = place(d, divisors_[d][a] / divisors_[d][b]);
        product_[d][a * n + b] = place(d, divisors_[d][a] * divisors_[d][b]);
      }
    }
  }
  digits_.resize(count);
  words_.resize(count);
  computes_.resize(count);
  Digits now{};
  for (std::uint32_t state = 0; state < count; ++state) {
    digits_[state] = now;
    std::int64_t extent[kDims];
    computes_[state] = 1;
    for (std::uint32_t d = 0; d < kDims; ++d) {
      extent[d] = divisors_[d][now[d]];
      computes_[state] *= static_cast<double>(extent[d]);
    }
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      double words = 1;
      for (std::uint32_t r = 0; r < kRanks; ++r) words *= static_cast<double>(extent_along(rank_of(problem, space, r), extent));
      words_[state][space] = words;
    }
    for (std::uint32_t d = 0; d < kDims; ++d) {
      if (++now[d] < divisors_[d].size()) break;
      now[d] = 0;
    }
  }
}

std::uint8_t TileLattice::place(std::uint32_t dim, std::int64_t factor) const {
  const auto at = std::lower_bound(divisors_[dim].begin(), divisors_[dim].end(), factor);
  return at != divisors_[dim].end() && *at == factor ? static_cast<std::uint8_t>(at - divisors_[dim].begin()) : kNone;
}

std::array<std::int64_t, kDims> TileLattice::extents(std::uint32_t state) const {
  std::array<std::int64_t, kDims> extents{};
  for (std::uint32_t d = 0; d < kDims; ++d) extents[d] = divisors_[d][digits_[state][d]];
  return extents;
}

}  // namespace exarch::timeloop
