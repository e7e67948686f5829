// The shape of eight threads per candidate, one per bank (see shape.hpp), over whatever lets these threads meet.
//
// What a lane keeps is its own; another lane's value comes by shuffle. Memory is written by the first lane alone, between two
// synchronisations of the eight: none may still have to read what is overwritten, none may read before it is there.
//
// A function that calls the Warp's operations is a collective: all eight lanes must call it, at the same place of the source.
// Collectives are Values[i], Table::at(), write() and first_of(). They do not belong behind leader(), nor behind anything else
// that differs between lanes. Example: `if (Shape::leader()) n = max_of(n, count[b])` stops for ever, because count[b] waits for
// seven lanes that went on.
//
// There are two Warps: that of a CUDA device (warp_lanes.cuh), and that of the tests (tests/support/real_lanes.hpp), in which
// every operation checks that all eight lanes arrive at the same place. A Warp gives:
//
//   Place    which lane is asked; made from a lane's number, where it is asked
//   Here     a default argument of collectives without a Place: the place in the source, if the Warp wants to know it
//   lane()   the calling lane, 0 to 7
//   shuffle(own, Place), shuffle_xor(own, distance, Here), ballot(own, Here) (a bit per lane), sync(Here)
#pragma once

#include <cstdint>

#include "kernels/core/shape.hpp"

namespace exarch {

template <class Warp>
struct Lanes {
  using Place = typename Warp::Place;
  using Here = typename Warp::Here;
  struct Own {};  // the calling lane's place

  template <class T>
  [[nodiscard]] EXARCH_INLINE static T from(T own, Place place) {
    return static_cast<T>(Warp::shuffle(static_cast<std::uint32_t>(own), place));
  }

  template <class T>
  struct Values {
    T own;

    [[nodiscard]] EXARCH_INLINE T operator[](Place i) const { return from<T>(own, i); }
    [[nodiscard]] EXARCH_INLINE T operator[](Own) const { return own; }
    EXARCH_INLINE void set(std::uint32_t i, T x) { own = Warp::lane() == i ? x : own; }
    EXARCH_INLINE void fill(T x) { own = x; }
    template <class F>
    EXARCH_INLINE void transform(F&& f) {
      own = f(own);
    }
    EXARCH_INLINE void raise(T start, const T* row) { own = max_of(own, start + row[Warp::lane()]); }
  };

  struct Table {
    std::uint32_t own[kTableColumns];

    [[nodiscard]] EXARCH_INLINE std::uint32_t at(Place i, std::uint32_t column) const { return from(own[column], i); }
    template <class F>
    EXARCH_INLINE void transform(F&& f) {
      for (std::uint32_t& v : own) v = f(v);
    }
    EXARCH_INLINE void raise(std::uint32_t i, std::uint32_t start, const std::uint32_t* row) {
      const bool mine = Warp::lane() == i;
      for (std::uint32_t k = 0; k < kTableColumns; ++k) own[k] = mine ? max_of(own[k], start + row[k]) : own[k];
    }
  };

  [[nodiscard]] EXARCH_INLINE static bool leader() { return Warp::lane() == 0; }

  template <class T>
  EXARCH_INLINE static void write(T& place, T value, Here here = {}) {
    Warp::sync(here);
    if (leader()) place = value;
    Warp::sync(here);
  }

  template <class F>
  EXARCH_INLINE static std::uint64_t first_of(F&& key, std::uint32_t& place, Here here = {}) {
    const std::uint64_t own = key(Own{});
    std::uint64_t least = own;
    for (std::uint32_t distance = kLanes / 2; distance > 0; distance /= 2) {
      least = min_of(least, Warp::shuffle_xor(least, distance, here));
    }
    place = log2_floor(Warp::ballot(own == least, here));
    return least;
  }
};

}  // namespace exarch
