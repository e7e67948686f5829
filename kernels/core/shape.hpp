// The shapes of a kernel: how the banks of one candidate are spread over threads.
//
// Dense: one thread runs a candidate and keeps per-bank values in arrays of its own. Lanes: eight threads run a candidate
// together, one per bank, each with its bank's values in registers; all take the same decisions on the same values and differ
// only in what they keep. ArrayLanes runs the second shape in one thread, value by value; Lanes (lanes.hpp) runs it in eight
// threads: of a CUDA warp (warp_lanes.cuh), or of the tests.
//
// A shape gives: Values<T> (eight values: one per bank, or per timing class), Table (four values per bank), first_of() (the
// smallest of eight keys), leader() (who counts) and write() (to memory that all lanes read).
#pragma once

#include <cstdint>

#include "kernels/core/config.hpp"

namespace exarch {

inline constexpr std::uint32_t kLanes = 8;
inline constexpr std::uint32_t kTableColumns = 4;

template <class T>
struct ArrayValues {
  alignas(kLanes * sizeof(T)) T value[kLanes];

  [[nodiscard]] EXARCH_INLINE T operator[](std::uint32_t i) const { return value[i]; }
  EXARCH_INLINE void set(std::uint32_t i, T x) { value[i] = x; }
  EXARCH_INLINE void fill(T x) {
    for (T& v : value) v = x;
  }
  // Replaces every value v by f(v).
  template <class F>
  EXARCH_INLINE void transform(F&& f) {
    for (T& v : value) v = f(v);
  }
  // Raises value i to at least start + row[i]. The results are collected first, so that the compiler sees no overlap with the row
  // and keeps all eight in one vector register.
  EXARCH_INLINE void raise(T start, const T* row) {
    T raised[kLanes];
    for (std::uint32_t i = 0; i < kLanes; ++i) raised[i] = max_of(value[i], start + row[i]);
    for (std::uint32_t i = 0; i < kLanes; ++i) value[i] = raised[i];
  }
};

struct ArrayTable {
  alignas(kTableColumns * sizeof(std::uint32_t)) std::uint32_t value[kLanes][kTableColumns];

  [[nodiscard]] EXARCH_INLINE std::uint32_t at(std::uint32_t i, std::uint32_t column) const { return value[i][column]; }
  template <class F>
  EXARCH_INLINE void transform(F&& f) {
    for (auto& row : value) {
      for (std::uint32_t& v : row) v = f(v);
    }
  }
  // Raises row i to at least start + row; see ArrayValues::raise().
  EXARCH_INLINE void raise(std::uint32_t i, std::uint32_t start, const std::uint32_t* row) {
    std::uint32_t raised[kTableColumns];
    for (std::uint32_t k = 0; k < kTableColumns; ++k) raised[k] = max_of(value[i][k], start + row[k]);
    for (std::uint32_t k = 0; k < kTableColumns; ++k) value[i][k] = raised[k];
  }
};

// What the shapes of one thread have in common.
struct OneThread {
  template <class T>
  using Values = ArrayValues<T>;
  using Table = ArrayTable;

  [[nodiscard]] EXARCH_INLINE static constexpr bool leader() { return true; }
  template <class T>
  EXARCH_INLINE static void write(T& place, T value) {
    place = value;
  }
};

struct Dense : OneThread {
  // The smallest of key(0) .. key(7), and its place; the smallest occurs once, or the place does not matter.
  template <class F>
  EXARCH_INLINE static std::uint64_t first_of(F&& key, std::uint32_t& place) {
    std::uint64_t keys[kLanes];
    for (std::uint32_t i = 0; i < kLanes; ++i) keys[i] = key(i);
    std::uint32_t winner[4];
    for (std::uint32_t i = 0; i < 4; ++i) {
      winner[i] = keys[2 * i + 1] < keys[2 * i] ? 2 * i + 1 : 2 * i;
      keys[i] = min_of(keys[2 * i], keys[2 * i + 1]);
    }
    const std::uint32_t left = keys[1] < keys[0] ? winner[1] : winner[0];
    const std::uint64_t left_key = min_of(keys[0], keys[1]);
    const std::uint32_t right = keys[3] < keys[2] ? winner[3] : winner[2];
    const std::uint64_t right_key = min_of(keys[2], keys[3]);
    place = right_key < left_key ? right : left;
    return min_of(left_key, right_key);
  }
};

struct ArrayLanes : OneThread {
  // As lanes do it: every lane takes the smaller of its own and its partner's key, with partners 4, 2 and 1 apart; afterwards all
  // have the smallest, and the lane whose own key it is names the place.
  template <class F>
  EXARCH_INLINE static std::uint64_t first_of(F&& key, std::uint32_t& place) {
    std::uint64_t own[kLanes];
    for (std::uint32_t i = 0; i < kLanes; ++i) own[i] = key(i);
    std::uint64_t least[kLanes];
    for (std::uint32_t i = 0; i < kLanes; ++i) least[i] = own[i];
    for (std::uint32_t distance = kLanes / 2; distance > 0; distance /= 2) {
      std::uint64_t partner[kLanes];
      for (std::uint32_t i = 0; i < kLanes; ++i) partner[i] = least[i ^ distance];
      for (std::uint32_t i = 0; i < kLanes; ++i) least[i] = min_of(least[i], partner[i]);
    }
    std::uint32_t set = 0;
    for (std::uint32_t i = 0; i < kLanes; ++i) set |= (own[i] == least[i] ? 1u : 0u) << i;
    place = log2_floor(set);
    return least[0];
  }
};

}  // namespace exarch
