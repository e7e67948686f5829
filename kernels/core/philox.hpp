// Philox4x32-10, the counter-based random number generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
// easy as 1, 2, 3" (SC 2011): a bijection of 128-bit counters for every 64-bit key. There is no state to pass around, so
// what is drawn for one candidate cannot depend on threads, batches or backends.
#pragma once

#include <cstdint>

#include "kernels/core/config.hpp"

namespace exarch {

struct PhiloxKey {
  std::uint32_t word[2];
};

struct PhiloxCounter {
  std::uint32_t word[4];
};

// One of the ten rounds, and the key of the next.
[[nodiscard]] EXARCH_HD constexpr PhiloxCounter philox4x32_round(PhiloxCounter counter, PhiloxKey key) {
  const std::uint64_t a = std::uint64_t{0xD2511F53u} * counter.word[0];
  const std::uint64_t b = std::uint64_t{0xCD9E8D57u} * counter.word[2];
  return {{static_cast<std::uint32_t>(b >> 32) ^ counter.word[1] ^ key.word[0], static_cast<std::uint32_t>(b),
           static_cast<std::uint32_t>(a >> 32) ^ counter.word[3] ^ key.word[1], static_cast<std::uint32_t>(a)}};
}
[[nodiscard]] EXARCH_HD constexpr PhiloxKey philox4x32_next(PhiloxKey key) {
  return {{key.word[0] + 0x9E3779B9u, key.word[1] + 0xBB67AE85u}};
}

// The block of random words at `counter`.
[[nodiscard]] EXARCH_HD constexpr PhiloxCounter philox4x32_10(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    counter = philox4x32_round(counter, key);
    key = philox4x32_next(key);
  }
  return counter;
}

// The sequence of draws named by (key, a, b, c): the words of blocks {0, a, b, c}, {1, a, b, c}, ... in order. Two streams
// with different names share no block.
class PhiloxStream {
 public:
  EXARCH_HD constexpr PhiloxStream(std::uint64_t key, std::uint32_t a, std::uint32_t b, std::uint32_t c)
      : key_{{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)}}, counter_{{0, a, b, c}} {}

  // The next 32 random bits.
  [[nodiscard]] EXARCH_HD constexpr std::uint32_t next() {
    if (used_ == 4) {
      block_ = philox4x32_10(counter_, key_);
      ++counter_.word[0];
      used_ = 0;
    }
    return block_.word[used_++];
  }

  // Uniform in [0, n), n >= 1, without bias: multiply-shift, drawing again for the few products that would favour small
  // numbers (Lemire, "Fast random integer generation in an interval", 2019).
  [[nodiscard]] EXARCH_HD constexpr std::uint32_t below(std::uint32_t n) {
    std::uint64_t product = std::uint64_t{next()} * n;
    if (static_cast<std::uint32_t>(product) < n) {
      const std::uint32_t refused = (0u - n) % n;  // 2^32 mod n
      while (static_cast<std::uint32_t>(product) < refused) product = std::uint64_t{next()} * n;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

  // Uniform in [0, 1), a multiple of 2^-53.
  [[nodiscard]] EXARCH_HD constexpr double unit() {
    const std::uint64_t high = next();
    const std::uint64_t low = next();
    return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
  }

 private:
  PhiloxKey key_;
  PhiloxCounter counter_;
  PhiloxCounter block_{};
  std::uint32_t used_ = 4;  // words of block_ already drawn
};

}  // namespace exarch
