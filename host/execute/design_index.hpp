// A set of designs, numbered in order of insertion.
//
// Made for millions of designs: a design is kept as a packed key, a few bits per parameter that number the values seen so far.
// Keys are exact (equal keys are equal designs), and grow wider, all at once, when a parameter shows more values than its bits
// number. DRAM designs of the shipped spaces take 8 bytes each, and 8 to 16 more in the table.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace exarch {

class DesignIndex {
 public:
  explicit DesignIndex(std::size_t parameters);

  // The design's number, and whether it is new.
  std::pair<std::uint32_t, bool> insert(std::span<const std::int64_t> design);

  [[nodiscard]] bool contains(std::span<const std::int64_t> design) const;

  [[nodiscard]] std::size_t size() const { return size_; }
  // Writes the design of that number to `design`.
  void get(std::size_t number, std::span<std::int64_t> design) const;

 private:
  static constexpr std::uint32_t kEmpty = 0xFFFFFFFFu;
  static constexpr std::size_t kDirect = 256;  // values below are looked up in an array

  // The values of one parameter, numbered as they came.
  struct Dictionary {
    std::vector<std::int64_t> values;
    std::array<std::uint32_t, kDirect> direct;
    std::unordered_map<std::int64_t, std::uint32_t> others;

    std::uint32_t code_of(std::int64_t value);                            // of a new value: the next
    [[nodiscard]] std::uint32_t known_code_of(std::int64_t value) const;  // of a new value: kEmpty
  };
  // Where a parameter's code lies in a key; fields do not cross words.
  struct Field {
    std::uint32_t word, shift, bits;

    [[nodiscard]] std::uint64_t of(std::span<const std::uint64_t> key) const {
      return key[word] >> shift & ((std::uint64_t{1} << bits) - 1);
    }
  };

  [[nodiscard]] std::span<const std::uint64_t> key(std::size_t number) const {
    return std::span(keys_).subspan(number * words_, words_);
  }
  void widen();
  void rebuild_table(std::size_t slots);

  std::vector<Dictionary> dictionaries_;  // (parameter)
  std::vector<Field> fields_;             // (parameter)
  std::size_t words_ = 1, size_ = 0;
  std::vector<std::uint64_t> keys_;   // (design, word)
  std::vector<std::uint32_t> codes_;  // (parameter) of the design being looked for, and ...
  std::vector<std::uint64_t> probe_;  // (word) ... its key
  std::vector<std::uint32_t> table_;  // open addressing; a power of two, at most half full
};

}  // namespace exarch
