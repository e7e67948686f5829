// The best few of many: the one structure behind `search`, `best`, `report` and `sweep --keep best`.
#pragma once

#include <cstddef>
#include <iterator>
#include <map>
#include <utility>

namespace exarch {

// Keeps the `capacity` items whose Order is smallest. Items of the same Identity are one: the one with the smaller Order stands
// for them. An item that falls off the end would have to come back with a smaller Order.
//
//   Best<int, double, std::string> best(2);      // identity, order, item
//   best.offer(7, 3.0, "a");
//   best.offer(7, 1.0, "b");                     // the same identity, better: takes the place of "a"
//   best.offer(8, 2.0, "c");
//   for (const auto& [order, entry] : best.entries()) use(order, entry.item);   // b, c
template <class Identity, class Order, class Item>
class Best {
 public:
  struct Entry {
    Identity identity;
    Item item;
  };
  using Entries = std::map<Order, Entry>;

  explicit Best(std::size_t capacity) : capacity_(capacity) {}

  // Whether an item of this order could be among the best: a cheap question before the others.
  [[nodiscard]] bool reaches(const Order& order) const {
    return entries_.size() < capacity_ || (capacity_ > 0 && !(entries_.rbegin()->first < order));
  }

  // The item that now stands for the identity: the one offered, or the better one that was there; nullptr if neither is among the
  // best. No two identities may have the same order.
  Item* offer(const Identity& identity, const Order& order, Item item) {
    if (const auto known = order_of_.find(identity); known != order_of_.end()) {
      if (!(order < known->second)) return &entries_.at(known->second).item;
      entries_.erase(known->second);
      order_of_.erase(known);
    }
    if (!reaches(order)) return nullptr;
    const auto place = entries_.try_emplace(order, Entry{identity, std::move(item)}).first;
    order_of_.emplace(identity, order);
    if (entries_.size() > capacity_) {
      const auto last = std::prev(entries_.end());
      order_of_.erase(last->second.identity);
      entries_.erase(last);
    }
    return &place->second.item;
  }

  // The item of an identity, if it is among the best.
  [[nodiscard]] Item* find(const Identity& identity) {
    const auto known = order_of_.find(identity);
    return known == order_of_.end() ? nullptr : &entries_.at(known->second).item;
  }

  // By order, best first.
  [[nodiscard]] const Entries& entries() const { return entries_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }

 private:
  std::size_t capacity_;
  Entries entries_;
  std::map<Identity, Order> order_of_;
};

}  // namespace exarch
