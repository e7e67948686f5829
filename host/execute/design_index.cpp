#include "host/execute/design_index.hpp"

#include <algorithm>
#include <bit>

namespace exarch {
namespace {

constexpr std::size_t kFirstSlots = 1024;

std::uint64_t hash(std::span<const std::uint64_t> key) {
  std::uint64_t h = 0x9E3779B97F4A7C15ull;
  for (const std::uint64_t word : key) {
    h = (h ^ word) * 0xD6E8FEB86659FD93ull;
    h ^= h >> 32;
  }
  return h;
}

// Keys have a word or two: to call for a comparison takes longer than to compare.
bool equal(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace

std::uint32_t DesignIndex::Dictionary::code_of(std::int64_t value) {
  const auto next = static_cast<std::uint32_t>(values.size());
  const bool in_array = value >= 0 && value < static_cast<std::int64_t>(kDirect);
  std::uint32_t& code = in_array ? direct[static_cast<std::size_t>(value)] : others.try_emplace(value, kEmpty).first->second;
  if (code == kEmpty) {
    code = next;
    values.push_back(value);
  }
  return code;
}

std::uint32_t DesignIndex::Dictionary::known_code_of(std::int64_t value) const {
  if (value >= 0 && value < static_cast<std::int64_t>(kDirect)) return direct[static_cast<std::size_t>(value)];
  const auto found = others.find(value);
  return found == others.end() ? kEmpty : found->second;
}

DesignIndex::DesignIndex(std::size_t parameters)
    : dictionaries_(parameters), fields_(parameters, Field{0, 0, 0}), codes_(parameters), probe_(1), table_(kFirstSlots, kEmpty) {
  for (Dictionary& dictionary : dictionaries_) dictionary.direct.fill(kEmpty);
}

std::pair<std::uint32_t, bool> DesignIndex::insert(std::span<const std::int64_t> design) {
  bool too_wide = false;
  for (std::size_t p = 0; p < design.size(); ++p) {
    codes_[p] = dictionaries_[p].code_of(design[p]);
    too_wide |= (std::uint64_t{codes_[p]} >> fields_[p].bits) != 0;
  }
  if (too_wide) widen();
  std::ranges::fill(probe_, 0);
  for (std::size_t p = 0; p < design.size(); ++p) {
    probe_[fields_[p].word] |= static_cast<std::uint64_t>(codes_[p]) << fields_[p].shift;
  }
  const std::size_t mask = table_.size() - 1;
  std::size_t slot = hash(probe_) & mask;
  for (; table_[slot] != kEmpty; slot = (slot + 1) & mask) {
    if (equal(key(table_[slot]), probe_)) return {table_[slot], false};
  }
  const auto number = static_cast<std::uint32_t>(size_++);
  table_[slot] = number;
  keys_.insert(keys_.end(), probe_.begin(), probe_.end());
  if (2 * size_ > table_.size()) rebuild_table(2 * table_.size());
  return {number, true};
}

bool DesignIndex::contains(std::span<const std::int64_t> design) const {
  std::vector<std::uint64_t> wanted(words_, 0);
  for (std::size_t p = 0; p < design.size(); ++p) {
    const std::uint32_t code = dictionaries_[p].known_code_of(design[p]);
    if (code == kEmpty) return false;
    wanted[fields_[p].word] |= static_cast<std::uint64_t>(code) << fields_[p].shift;
  }
  const std::size_t mask = table_.size() - 1;
  for (std::size_t slot = hash(wanted) & mask; table_[slot] != kEmpty; slot = (slot + 1) & mask) {
    if (equal(key(table_[slot]), wanted)) return true;
  }
  return false;
}

void DesignIndex::get(std::size_t number, std::span<std::int64_t> design) const {
  for (std::size_t p = 0; p < fields_.size(); ++p) design[p] = dictionaries_[p].values[fields_[p].of(key(number))];
}

// Gives every parameter bits for the values it has, and writes all keys anew.
void DesignIndex::widen() {
  std::vector<Field> fields;
  std::uint32_t word = 0, used = 0;
  for (const Dictionary& dictionary : dictionaries_) {
    const auto bits = static_cast<std::uint32_t>(std::bit_width(dictionary.values.size() - 1));
    if (used + bits > 64) {
      ++word;
      used = 0;
    }
    // A field without bits may stand behind a full word: its shift must stay below 64.
    fields.push_back({word, bits == 0 ? 0 : used, bits});
    used += bits;
  }
  std::vector<std::uint64_t> keys(size_ * (word + 1));
  for (std::size_t number = 0; number < size_; ++number) {
    const auto old = key(number);
    for (std::size_t p = 0; p < fields.size(); ++p) {
      keys[number * (word + 1) + fields[p].word] |= fields_[p].of(old) << fields[p].shift;
    }
  }
  keys_ = std::move(keys);
  fields_ = std::move(fields);
  words_ = word + 1;
  probe_.assign(words_, 0);
  rebuild_table(table_.size());
}

void DesignIndex::rebuild_table(std::size_t slots) {
  table_ = {};  // the old one is of no use: free it before the new one is allocated
  table_.resize(slots, kEmpty);
  const std::size_t mask = slots - 1;
  for (std::uint32_t number = 0; number < size_; ++number) {
    std::size_t slot = hash(key(number)) & mask;
    while (table_[slot] != kEmpty) slot = (slot + 1) & mask;
    table_[slot] = number;
  }
}

}  // namespace exarch
