// How close a search comes to the Pareto front of a space whose truth is known.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "host/study/lockstep.hpp"
#include "host/study/truth.hpp"

namespace exarch {

// Runs a search over the environment's trade-offs and returns the groups it saw, ascending. An agent of several objectives is
// told all trade-offs, one of a single objective the first.
[[nodiscard]] std::vector<std::uint32_t> search_front(const TruthTable& table, const SearchTask& search);

struct FrontScore {
  double covered;   // share of the exact front's points, by their trade-offs, that were seen
  double distance;  // IGD+ (Ishibuchi et al., 2015): from a point of the exact front to what was seen, on average, each trade-off
                    // scaled to the exact front's range; 0 = the whole front
};

// `front`: the exact one; both lists hold groups of the table, at least one each.
[[nodiscard]] FrontScore score_front(const TruthTable& table, std::span<const std::uint32_t> front,
                                     std::span<const std::uint32_t> seen);

}  // namespace exarch
