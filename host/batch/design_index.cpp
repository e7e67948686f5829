#include "host/batch/design_index.hpp"

#include <algorithm>

namespace exarch {
namespace {

std::uint64_t hash(std::span<const std::int64_t> design) {
  std::uint64_t h = 0x9E3779B97F4A7C15ull;
  for (const std::int64_t value : design) {
    h = (h ^ static_cast<std::uint64_t>(value)) * 0xD6E8FEB86659FD93ull;
    h ^= h >> 32;
  }
  return h;
}

}  // namespace

std::pair<std::uint32_t, bool> DesignIndex::insert(std::span<const std::int64_t> design) {
  const std::size_t mask = table_.size() - 1;
  std::size_t i = hash(design) & mask;
  while (table_[i] != kEmpty) {
    if (std::ranges::equal((*this)[table_[i]], design)) return {table_[i], false};
    i = (i + 1) & mask;
  }
  const auto number = static_cast<std::uint32_t>(size());
  table_[i] = number;
  designs_.insert(designs_.end(), design.begin(), design.end());
  if (2 * size() > table_.size()) grow();
  return {number, true};
}

void DesignIndex::grow() {
  std::vector<std::uint32_t> larger(2 * table_.size(), kEmpty);
  const std::size_t mask = larger.size() - 1;
  for (std::uint32_t number = 0; number < size(); ++number) {
    std::size_t i = hash((*this)[number]) & mask;
    while (larger[i] != kEmpty) i = (i + 1) & mask;
    larger[i] = number;
  }
  table_ = std::move(larger);
}

}  // namespace exarch
