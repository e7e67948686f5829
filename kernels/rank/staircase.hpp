// The last step of a Pareto front of three objectives.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>

namespace exarch::rank {

// The pairs (second, third objective) seen so far that no other one beats: the third falls as the second rises.
class Staircase {
 public:
  // True, and the pair is added, if no earlier pair is at least as good in both. Points come in ascending order of
  // (first, second, third objective), so that earlier ones are never worse in the first.
  bool add(std::uint64_t second, std::uint64_t third) {
    auto next = steps_.upper_bound(second);
    if (next != steps_.begin() && std::prev(next)->second <= third) return false;
    while (next != steps_.end() && next->second >= third) next = steps_.erase(next);
    steps_[second] = third;
    return true;
  }

 private:
  std::map<std::uint64_t, std::uint64_t> steps_;
};

}  // namespace exarch::rank
