// A set of designs, numbered in order of insertion.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace exarch {

class DesignIndex {
 public:
  explicit DesignIndex(std::size_t parameters) : parameters_(parameters), table_(1024, kEmpty) {}

  // The design's number, and whether it is new.
  std::pair<std::uint32_t, bool> insert(std::span<const std::int64_t> design);

  [[nodiscard]] std::size_t size() const { return designs_.size() / parameters_; }
  [[nodiscard]] std::span<const std::int64_t> operator[](std::size_t i) const {
    return std::span(designs_).subspan(i * parameters_, parameters_);
  }

 private:
  static constexpr std::uint32_t kEmpty = 0xFFFFFFFFu;
  void grow();

  std::size_t parameters_;
  std::vector<std::int64_t> designs_;  // (design, parameter)
  std::vector<std::uint32_t> table_;   // open addressing; a power of two, at most half full
};

}  // namespace exarch
