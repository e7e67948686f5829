// FNV-1a, 64 bits: for signatures and identities, which must not change.
//
//   Fnv1a hash;
//   hash.add(42);
//   std::uint64_t signature = hash.value();
#pragma once

#include <cstdint>

namespace exarch {

class Fnv1a {
 public:
  // A number byte by byte, the lowest first.
  void add(std::uint64_t number) {
    for (int i = 0; i < 8; ++i) add_word(number >> (8 * i) & 0xFF);
  }
  // A byte; a wider word in one step, which is quicker and no longer FNV-1a proper.
  void add_word(std::uint64_t word) { value_ = (value_ ^ word) * 0x100000001B3ull; }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325ull;
};

}  // namespace exarch
