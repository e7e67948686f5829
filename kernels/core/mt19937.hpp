// The first numbers of a Mersenne Twister (MT19937) stream, without its 624 words of state.
//
// Models whose reference draws from NumPy's legacy generator need the same numbers, but only a few per seed: output i depends on
// words i, i + 1 and i + 397 of the seeded state (M. Matsumoto, T. Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998), so the
// words in between are passed through and forgotten.
#pragma once

#include <cstdint>

#include "kernels/core/config.hpp"

namespace exarch {
inline namespace EXARCH_ISA {

class Mt19937Start {
 public:
  static constexpr std::uint32_t kKept = 18;   // outputs at hand
  static constexpr std::uint32_t kMost = 227;  // outputs there can be: later ones depend on earlier ones
  static constexpr std::uint32_t kDistance = 397;

  EXARCH_HD explicit Mt19937Start(std::uint32_t seed) { restart(seed); }

  // As numpy.random.seed(seed).
  EXARCH_HD void restart(std::uint32_t seed) {
    seed_ = seed;
    next_ = 0;
    std::uint32_t word = seed;
    for (std::uint32_t i = 0;; ++i) {
      if (i <= kKept) low_[i] = word;
      if (i >= kDistance) high_[i - kDistance] = word;
      if (i == kDistance + kKept - 1) break;
      word = following(word, i + 1);
    }
  }

  [[nodiscard]] EXARCH_HD bool exhausted() const { return next_ == kMost; }
  // The next output; 0 when exhausted.
  [[nodiscard]] EXARCH_HD std::uint32_t next() {
    if (next_ < kKept) {
      const std::uint32_t i = next_++;
      return output(low_[i], low_[i + 1], high_[i]);
    }
    return exhausted() ? 0 : late(next_++);
  }

 private:
  [[nodiscard]] EXARCH_HD static constexpr std::uint32_t following(std::uint32_t word, std::uint32_t i) {
    return 1812433253u * (word ^ (word >> 30)) + i;
  }

  [[nodiscard]] EXARCH_HD static constexpr std::uint32_t output(std::uint32_t word, std::uint32_t after, std::uint32_t far) {
    const std::uint32_t mixed = (word & 0x80000000u) | (after & 0x7FFFFFFFu);
    std::uint32_t y = far ^ (mixed >> 1) ^ ((mixed & 1u) != 0 ? 0x9908B0DFu : 0u);
    y ^= y >> 11;
    y ^= y << 7 & 0x9D2C5680u;
    y ^= y << 15 & 0xEFC60000u;
    return y ^ y >> 18;
  }

  // Beyond those at hand, which hardly ever happens: the words once more.
  [[nodiscard]] EXARCH_OUTLINE std::uint32_t late(std::uint32_t i) const {
    std::uint32_t word = seed_, own = 0, after = 0;
    for (std::uint32_t j = 0; j < i + kDistance; ++j) {
      if (j == i) own = word;
      if (j == i + 1) after = word;
      word = following(word, j + 1);
    }
    return output(own, after, word);
  }

  std::uint32_t seed_, next_ = 0;
  std::uint32_t low_[kKept + 1], high_[kKept];
};

// NumPy's legacy bounded integer: 0 .. most, by masking and rejection; no draw for 0.
[[nodiscard]] EXARCH_HD std::uint32_t numpy_up_to(Mt19937Start& stream, std::uint32_t most) {
  if (most == 0) return 0;
  const std::uint32_t mask = 0xFFFFFFFFu >> (31 - log2_floor(most));
  while (!stream.exhausted()) {
    const std::uint32_t value = stream.next() & mask;
    if (value <= most) return value;
  }
  return 0;
}

}  // namespace EXARCH_ISA
}  // namespace exarch
