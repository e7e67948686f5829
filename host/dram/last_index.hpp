// A flat hash table that remembers the last index seen for each 64-bit key; the trace packer's tool
// for linking requests.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace exarch {

class LastIndex {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;

  // Stores `index` for `key` and returns the index stored before, or kNone.
  std::uint32_t exchange(std::uint64_t key, std::uint32_t index) {
    if (used_ * 2 >= slots_.size()) grow();
    Slot& slot = slots_[find(key)];
    const std::uint32_t before = slot.stamp == stamp_ ? slot.index : kNone;
    if (before == kNone) ++used_;
    slot = {key, index, stamp_};
    return before;
  }

  // Forgets everything; costs the same however much there is.
  void clear() {
    ++stamp_;
    used_ = 0;
  }

  // Calls `visit(index)` for each key, in no particular order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.stamp == stamp_) visit(slot.index);
    }
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t index = kNone;
    std::uint32_t stamp = 0;  // the slot is in use if this is the table's stamp
  };

  // The key's slot, or the free one where it belongs (linear probing).
  [[nodiscard]] std::size_t find(std::uint64_t key) const {
    const std::uint64_t mixed = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15ull;
    std::size_t at = static_cast<std::size_t>(mixed ^ (mixed >> 29)) & (slots_.size() - 1);
    while (slots_[at].stamp == stamp_ && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  void grow() {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
    for (const Slot& slot : old) {
      if (slot.stamp == stamp_) slots_[find(slot.key)] = slot;
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(1024);  // a power of two
  std::uint32_t stamp_ = 1;
  std::size_t used_ = 0;
};

}  // namespace exarch
