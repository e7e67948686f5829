// All ways to write a bound as a product of factors, one factor per block, in the order in which Timeloop numbers them.
//
// The factors of the outermost open block change slowest. Each runs through the divisors d of what is to be split as 1, n, 2,
// n / 2, 3 ...; the innermost open block takes what is left. Example, 4 over two open blocks, innermost first: 4 x 1, 1 x 4,
// 2 x 2. Nothing is listed: a number is turned into its factors.
//
//   const FactorSplits splits(4, {{}, {}});
//   std::int64_t factors[2];
//   splits.at(2, factors);  // of size() == 3: 2 x 2
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace exarch::timeloop {

// Map spaces have more mappings than a 64-bit number can count.
__extension__ using WideCount = unsigned __int128;

// What a block may have as its factor.
struct FactorSlot {
  std::optional<std::int64_t> fixed;
  std::int64_t least = 1, most = std::numeric_limits<std::int64_t>::max();

  [[nodiscard]] bool admits(std::int64_t factor) const { return factor >= least && factor <= most; }
};

class FactorSplits {
 public:
  // Slots, innermost first. The fixed factors must divide the bound together (see left_over()).
  FactorSplits(std::int64_t bound, const std::vector<FactorSlot>& slots);

  // How many there are; 0 where the slots admit none. Below 2^64 for every bound up to 2^30 and 16 slots.
  [[nodiscard]] WideCount size() const { return size_; }

  // The factors of number `index` < size(), one per slot.
  void at(WideCount index, std::int64_t* factors) const;

  // What the fixed factors leave of a bound to the open slots; nothing where they do not divide it.
  [[nodiscard]] static std::optional<std::int64_t> left_over(std::int64_t bound, const std::vector<FactorSlot>& slots);

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

  void count(const std::vector<FactorSlot>& slots);

  std::vector<std::int64_t> fixed_;              // (slot) 0: open
  std::vector<std::uint32_t> open_;              // slots without a fixed factor, innermost first
  std::vector<std::int64_t> divisors_;           // of what is left to them, in Timeloop's order; the second is all of it
  std::vector<std::uint32_t> quotient_;          // (i, j) the place of divisor i / divisor j; kNone: no whole number
  std::vector<std::vector<WideCount>> ways_;     // (open slots k, i) ways to split divisor i over the k innermost
  std::vector<std::vector<std::uint8_t>> fits_;  // (open slot, i) whether it may have divisor i
  std::uint32_t all_ = 0;                        // the place of what is left among divisors_
  WideCount size_ = 0;
};

}  // namespace exarch::timeloop
