// What the children of one level receive of one tensor: how often, how many words, shared with whom.
//
// Timeloop's rule: of every temporal loop only the iterations 0 and 1 are executed, and 1 stands for all that follow. So there
// are as many classes of steps as loops at and beyond the level. In a step of class j, loop j advances by one and the loops
// inside it go from 1 back to 0. What is delivered in a step depends on its class, what a neighbour can hand on also on the class
// of the step before. Example: loops over P (inner) and M (outer) give two classes for Inputs: with P the tile moves on, with M
// it moves back.
#pragma once

#include "kernels/timeloop/nest.hpp"

namespace exarch::timeloop {

inline constexpr std::uint32_t kMaxLoops = kMaxLevels * kDims;

inline namespace EXARCH_ISA {

// The elements of one spatial block, grouped by what they receive: elements with the same code receive the same words.
struct Elements {
  std::uint32_t count;
  std::int64_t wide, high;     // of the network
  std::int64_t reach[kRanks];  // the largest offset along each rank
  std::int64_t radix[kRanks];  // of the code, in which differences of offsets cannot be mistaken for each other
};

// How a delivery divides into accesses.
struct Grouping {
  std::uint32_t kinds;
  std::uint32_t multicast[kMaxIngress], groups[kMaxIngress];  // ascending multicast
  std::int64_t accesses;                                      // of all kinds: one per group
  double hops;                                                // of all groups
};

// The classes of steps of one level and tensor.
struct Classes {
  std::uint32_t count;
  std::int64_t innermost;                 // iterations of loop 0, but for the first
  std::int64_t weight[kMaxLoops];         // (class) real steps that it stands for
  std::int64_t shift[kMaxLoops][kRanks];  // (class, rank) how the tile moves
  std::int64_t words[kMaxLoops];          // (class) delivered to an element in a step
  std::int64_t tile;                      // words of the tile, which the first visit delivers
};

// Whether a tile that moves by `v` stays where it is.
[[nodiscard]] EXARCH_HD bool is_zero(const std::int64_t (&v)[kRanks]) {
  return v[0] == 0 && v[1] == 0 && v[2] == 0 && v[3] == 0 && v[4] == 0;
}

// Whether two movements are the same in every rank.
[[nodiscard]] EXARCH_HD bool are_equal(const std::int64_t (&a)[kRanks], const std::int64_t (&b)[kRanks]) {
  return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3] && a[4] == b[4];
}

// Words of a tile that are not in the same tile moved by `shift`.
[[nodiscard]] EXARCH_HD std::int64_t new_words(std::int64_t tile, const std::int64_t (&extent)[kRanks],
                                               const std::int64_t (&shift)[kRanks]) {
  std::int64_t overlap = 1;
  for (std::uint32_t r = 0; r < kRanks; ++r) {
    overlap *= max_of<std::int64_t>(0, extent[r] - (shift[r] < 0 ? -shift[r] : shift[r]));
  }
  return tile - overlap;
}

// How a tensor moves from one class of steps to the next.
struct Motion {
  const Problem& problem;
  std::uint32_t space;
  std::int64_t inner[kRanks];  // by how much the loops so far move it back

  EXARCH_HD Motion(const Problem& p, std::uint32_t of_space) : problem(p), space(of_space) {
    for (std::int64_t& distance : inner) distance = 0;
  }
  // The movement of the next loop's class.
  EXARCH_HD void next(const NestLoop& loop, std::int64_t (&shift)[kRanks]) {
    const std::uint32_t moved = rank_moved_by(space, loop.dim);
    const std::int64_t step = moved < kRanks ? coefficient_of(problem, space, loop.dim) * loop.stride : 0;
    for (std::uint32_t r = 0; r < kRanks; ++r) {
      shift[r] = r == moved ? step - inner[r] : -inner[r];
      inner[r] += r == moved ? step : 0;
    }
  }
};

// Lengths of a tile along the ranks of a tensor; its words.
EXARCH_HD std::int64_t measure(const Problem& problem, std::uint32_t space, const std::int64_t (&tile)[kDims],
                               std::int64_t (&extent)[kRanks]) {
  std::int64_t words = 1;
  for (std::uint32_t r = 0; r < kRanks; ++r) {
    extent[r] = extent_along(rank_of(problem, space, r), tile);
    words *= extent[r];
  }
  return words;
}

// The classes of the loops of levels `level` and beyond. An element keeps what it has when the tile does not move, and the
// overlap when it moves as it did before: in the direction of the innermost loop that moves it. Multipliers keep nothing.
EXARCH_HD void classify(const Problem& problem, const Nest& nest, std::uint32_t level, std::uint32_t space,
                        const std::int64_t (&child)[kDims], Classes& out) {
  std::int64_t extent[kRanks];
  out.innermost = 0;
  out.tile = measure(problem, space, child, extent);
  out.count = 0;
  Motion motion(problem, space);
  std::uint32_t first = kMaxLoops;  // the class that sets the direction
  for (std::uint32_t s = level; s < nest.levels; ++s) {
    for (std::uint32_t l = 0; l < nest.temporal[s].count; ++l) {
      const NestLoop& loop = nest.temporal[s].loop[l];
      const std::uint32_t j = out.count++;
      out.weight[j] = loop.bound;
      motion.next(loop, out.shift[j]);
      const bool rests = is_zero(out.shift[j]);
      if (first == kMaxLoops && !rests) first = j;
      if (level == 0) {
        out.words[j] = out.tile;
      } else if (rests) {
        out.words[j] = 0;
      } else {
        out.words[j] = are_equal(out.shift[j], out.shift[first]) ? new_words(out.tile, extent, out.shift[j]) : out.tile;
      }
    }
  }
  std::int64_t outside = 1;
  for (std::uint32_t j = out.count; j-- > 0;) {
    const std::int64_t bound = out.weight[j];
    out.weight[j] = (bound - 1) * outside;
    outside *= bound;
    out.innermost = bound - 1;
  }
}

// Whether element a comes before b: by code, column, row.
[[nodiscard]] EXARCH_HD bool is_before(const Workspace& work, std::int64_t wide, std::uint32_t a, std::uint32_t b) {
  if (work.code[a] != work.code[b]) return work.code[a] < work.code[b];
  if (a % wide != b % wide) return a % wide < b % wide;
  return a < b;
}

// Sorts the elements. A heap sort: no recursion, no memory.
EXARCH_HD void sort_elements(const Workspace& work, const Elements& elements) {
  const auto sink = [&](std::uint32_t at, std::uint32_t end) {
    const std::uint16_t sinking = work.order[at];
    for (;;) {
      std::uint32_t below = 2 * at + 1;
      if (below >= end) break;
      if (below + 1 < end && is_before(work, elements.wide, work.order[below], work.order[below + 1])) ++below;
      if (!is_before(work, elements.wide, sinking, work.order[below])) break;
      work.order[at] = work.order[below];
      at = below;
    }
    work.order[at] = sinking;
  };
  for (std::uint32_t f = 0; f < elements.count; ++f) work.order[f] = static_cast<std::uint16_t>(f);
  for (std::uint32_t f = elements.count / 2; f-- > 0;) sink(f, elements.count);
  for (std::uint32_t end = elements.count; end-- > 1;) {
    const std::uint16_t last = work.order[end];
    work.order[end] = work.order[0];
    work.order[0] = last;
    sink(0, end);
  }
}

// Gives every element its code, the innermost spatial loop fastest, and sorts them.
EXARCH_HD void make_elements(const Problem& problem, const Nest& nest, std::uint32_t level, std::uint32_t space,
                             const Workspace& work, Elements& out) {
  const NestBlock& block = nest.spatial[level];
  out.count = static_cast<std::uint32_t>(nest.fan[level]);
  out.wide = nest.wide[level];
  out.high = nest.high[level];
  std::int64_t step[kDims][kRanks], radix = 1;
  for (std::uint32_t r = 0; r < kRanks; ++r) {
    const Rank rank = rank_of(problem, space, r);
    out.reach[r] = 0;
    for (std::uint32_t l = 0; l < block.count; ++l) {
      std::int64_t unit[kDims] = {};
      unit[index_of(block.loop[l].dim)] = block.loop[l].stride;
      step[l][r] = along(rank, unit);
      out.reach[r] += step[l][r] * (block.loop[l].bound - 1);
    }
    out.radix[r] = radix;
    radix *= 2 * out.reach[r] + 1;  // the tensor has at most kLargestCount words, so that this fits
  }
  std::int64_t index[kDims] = {}, code = 0;
  for (std::uint32_t f = 0; f < out.count; ++f) {
    work.code[f] = code;
    for (std::uint32_t l = 0; l < block.count; ++l) {
      std::int64_t unit = 0;
      for (std::uint32_t r = 0; r < kRanks; ++r) unit += step[l][r] * out.radix[r];
      code += unit;
      if (++index[l] < block.loop[l].bound) break;
      code -= unit * index[l];
      index[l] = 0;
    }
  }
  sort_elements(work, out);
}

// Whether serve() marked an element.
[[nodiscard]] EXARCH_HD bool is_served(const Workspace& work, std::uint32_t f) {
  return (work.served[f / 32] >> (f % 32) & 1u) != 0;
}

// Marks the elements of which a neighbour had, one step of `shift` before, the words they need now. Their number.
EXARCH_HD std::int64_t serve(const Workspace& work, const Elements& elements, const std::int64_t (&shift)[kRanks]) {
  std::int64_t wanted = 0, served = 0;
  for (std::uint32_t r = 0; r < kRanks; ++r) {
    if (shift[r] > elements.reach[r] || -shift[r] > elements.reach[r]) return 0;
    wanted += shift[r] * elements.radix[r];
  }
  for (std::uint32_t word = 0; word < (elements.count + 31) / 32; ++word) work.served[word] = 0;
  const auto has = [&](std::uint32_t f, std::int64_t neighbour) {
    return neighbour < elements.count && work.code[neighbour] - work.code[f] == wanted;
  };
  for (std::uint32_t f = 0; f < elements.count; ++f) {
    const std::int64_t column = f % elements.wide, row = f / elements.wide;
    const bool any = (row > 0 && has(f, f - elements.wide)) || (row + 1 < elements.high && has(f, f + elements.wide)) ||
                     (column > 0 && has(f, f - 1)) || (column + 1 < elements.wide && has(f, f + 1));
    if (!any) continue;
    work.served[f / 32] |= 1u << (f % 32);
    ++served;
  }
  return served;
}

// The way of one access through the network: along the row to the last column, and in every column from the centre to the first
// and to the last row. `begin` and `end` are places in the order; elements that are served are left out.
[[nodiscard]] EXARCH_HD double hops_of(const Workspace& work, const Elements& elements, std::uint32_t begin, std::uint32_t end,
                                       bool all) {
  const double centre = static_cast<double>(elements.high - 1) / 2;
  double hops = 0;
  std::int64_t last_column = 0;
  for (std::uint32_t at = begin; at < end;) {
    const std::int64_t column = work.order[at] % elements.wide;
    std::int64_t first = -1, last = -1;
    for (; at < end && work.order[at] % elements.wide == column; ++at) {
      if (!all && is_served(work, work.order[at])) continue;
      last = work.order[at] / elements.wide;
      if (first < 0) first = last;
    }
    if (first < 0) continue;
    last_column = column;
    hops += max_of(0.0, static_cast<double>(last) - centre) + max_of(0.0, centre - static_cast<double>(first));
  }
  return hops + static_cast<double>(last_column);
}

// Adds a group of `multicast` elements; false where there are too many kinds.
[[nodiscard]] EXARCH_HD bool add_group(Grouping& grouping, std::uint32_t multicast) {
  std::uint32_t at = 0;
  while (at < grouping.kinds && grouping.multicast[at] < multicast) ++at;
  if (at == grouping.kinds || grouping.multicast[at] != multicast) {
    if (grouping.kinds == kMaxIngress) return false;
    for (std::uint32_t to = grouping.kinds++; to > at; --to) {
      grouping.multicast[to] = grouping.multicast[to - 1];
      grouping.groups[to] = grouping.groups[to - 1];
    }
    grouping.multicast[at] = multicast;
    grouping.groups[at] = 0;
  }
  ++grouping.groups[at];
  ++grouping.accesses;
  return true;
}

// Groups all elements, or those that are not served.
template <bool kHops>
[[nodiscard]] EXARCH_HD bool group(const Workspace& work, const Elements& elements, bool all, Grouping& out) {
  out.kinds = 0;
  out.accesses = 0;
  out.hops = 0;
  for (std::uint32_t begin = 0, end = 0; begin < elements.count; begin = end) {
    std::uint32_t multicast = 0;
    for (; end < elements.count && work.code[work.order[end]] == work.code[work.order[begin]]; ++end) {
      multicast += all || !is_served(work, work.order[end]) ? 1 : 0;
    }
    if (multicast == 0) continue;
    if (!add_group(out, multicast)) return false;
    if constexpr (kHops) out.hops += hops_of(work, elements, begin, end, all);
  }
  return true;
}

// What the steps of a level add up to.
struct Delivery {
  Counts& counts;  // its ingress, hops and link
  Status status;
};

// Adds accesses of one kind, in the order of Counts::ingress; Status::too_many_groups where there is no room for another kind.
EXARCH_HD void add_ingress(Delivery& delivery, std::uint32_t multicast, std::uint32_t groups, std::int64_t accesses) {
  Counts& counts = delivery.counts;
  const auto is_after = [&](const Ingress& entry) {
    return entry.multicast != multicast ? entry.multicast > multicast : entry.groups > groups;
  };
  std::uint32_t at = counts.ingresses;
  while (at > 0 && is_after(counts.ingress[at - 1])) --at;
  if (at == 0 || counts.ingress[at - 1].multicast != multicast || counts.ingress[at - 1].groups != groups) {
    if (counts.ingresses == kMaxIngress) {
      delivery.status = Status::too_many_groups;
      return;
    }
    for (std::uint32_t to = counts.ingresses++; to > at; --to) counts.ingress[to] = counts.ingress[to - 1];
    counts.ingress[at++] = {multicast, groups, 0};
  }
  counts.ingress[at - 1].accesses += static_cast<double>(accesses);
}

// Adds `steps` steps that deliver `words` to every element, `served` of which have them from a neighbour.
EXARCH_HD void add_steps(Delivery& delivery, const Grouping& grouping, std::int64_t words, std::int64_t steps,
                         std::int64_t served) {
  std::int64_t each = 0, all = 0;
  if (words == 0 || steps == 0) return;
  // Of elements that are served, none may be left.
  if (!times(words, steps, each) || (served > 0 && !times(each, served, all)) ||
      (grouping.accesses > 0 && !times(each, grouping.accesses, all))) {
    delivery.status = Status::too_large;
    return;
  }
  for (std::uint32_t k = 0; k < grouping.kinds; ++k) {
    add_ingress(delivery, grouping.multicast[k], grouping.groups[k], each * grouping.groups[k]);
  }
  delivery.counts.link += static_cast<double>(each) * static_cast<double>(served);
  delivery.counts.hops += static_cast<double>(each) * grouping.hops;
}

// What remains to be delivered after neighbours have handed on what they had a step of `shift` ago. They do where that saves
// accesses of the parent; else `rest` is `everyone`. Gives the number of elements served.
template <bool kHops>
EXARCH_HD std::int64_t hand_on(const Workspace& work, const Elements& elements, const std::int64_t (&shift)[kRanks],
                               const Grouping& everyone, Grouping& rest, Status& status) {
  const std::int64_t served = serve(work, elements, shift);
  if (served > 0) {
    if (!group<kHops>(work, elements, false, rest)) status = Status::too_many_groups;
    if (rest.accesses < everyone.accesses) return served;
  }
  rest = everyone;
  return 0;
}

// All steps of a level with several children. A step of class 0 follows the first visit or a step of another class; a step of
// another class follows one of class 0. A neighbour can hand on words where the step before delivered as many, which makes them
// the same.
template <bool kHops>
EXARCH_HD void deliver_to_many(const Problem& problem, const Nest& nest, std::uint32_t level, std::uint32_t space,
                               const Classes& classes, const Workspace& work, Delivery& delivery) {
  Elements elements;
  make_elements(problem, nest, level, space, work, elements);
  Grouping everyone, inner, rest;
  if (!group<kHops>(work, elements, true, everyone)) {
    delivery.status = Status::too_many_groups;
    return;
  }
  add_steps(delivery, everyone, classes.tile, 1, 0);
  if (classes.count == 0) return;
  const std::int64_t words = classes.words[0];
  std::int64_t served = words == 0 ? 0 : hand_on<kHops>(work, elements, classes.shift[0], everyone, inner, delivery.status);
  const auto add_inner = [&](std::int64_t before, std::int64_t steps) {
    const bool same = before == words;
    add_steps(delivery, same ? inner : everyone, words, steps, same ? served : 0);
  };
  add_inner(classes.tile, classes.innermost);
  for (std::uint32_t j = 1; j < classes.count && delivery.status == Status::ok; ++j) {
    if (classes.words[j] != 0 && classes.words[j] == words) {
      const std::int64_t number = hand_on<kHops>(work, elements, classes.shift[j], everyone, rest, delivery.status);
      add_steps(delivery, rest, classes.words[j], classes.weight[j], number);
    } else {
      add_steps(delivery, everyone, classes.words[j], classes.weight[j], 0);
    }
    std::int64_t steps = 0;
    if (!times(classes.innermost, classes.weight[j], steps)) delivery.status = Status::too_large;
    add_inner(classes.words[j], steps);
  }
}

// A level of which every access goes to as many children as any other, and no words come from neighbours.
struct Uniform {
  std::uint32_t multicast, groups;
  std::int64_t reach[kRanks];  // the largest offset of an element along each rank
};

// Whether the children fall into equal groups: where no two spatial loops move the tensor along the same rank, so that the
// elements of a group differ in the other loops alone.
[[nodiscard]] EXARCH_HD bool groups_evenly(const Problem& problem, const NestBlock& block, std::uint32_t space, Uniform& out) {
  out.multicast = out.groups = 1;
  for (std::int64_t& offset : out.reach) offset = 0;
  for (std::uint32_t l = 0; l < block.count; ++l) {
    const NestLoop& loop = block.loop[l];
    const auto bound = static_cast<std::uint32_t>(loop.bound);
    const std::uint32_t rank = rank_moved_by(space, loop.dim);
    if (rank == kRanks) {
      out.multicast *= bound;
      continue;
    }
    if (out.reach[rank] != 0) return false;
    out.reach[rank] = coefficient_of(problem, space, loop.dim) * loop.stride * (loop.bound - 1);
    out.groups *= bound;
  }
  return true;
}

// What level `level` delivers of a tensor to its children over the run: the ingress, hops and link of `counts`. Without kHops,
// hops are 0.
template <bool kHops>
[[nodiscard]] EXARCH_HD Status deliver(const Problem& problem, const Nest& nest, std::uint32_t level, std::uint32_t space,
                                       const Workspace& work, Counts& counts) {
  Delivery delivery{counts, Status::ok};
  counts.ingresses = 0;
  counts.link = counts.hops = 0;
  if (level == 0 && nest.fan[0] == 1) {  // one multiplier reads every operand in every step
    add_ingress(delivery, 1, 1, nest.steps);
    return Status::ok;
  }
  if (nest.fan[level] > kMaxElements) return Status::too_many_elements;
  std::int64_t child[kDims];
  for (std::uint32_t d = 0; d < kDims; ++d) child[d] = level == 0 ? 1 : nest.extent[level - 1][d];
  Classes classes;
  classify(problem, nest, level, space, child, classes);
  if (nest.fan[level] > 1) {
    deliver_to_many<kHops>(problem, nest, level, space, classes, work, delivery);
  } else {
    Grouping one{};
    one.accesses = one.kinds = one.multicast[0] = one.groups[0] = 1;
    add_steps(delivery, one, classes.tile, 1, 0);
    for (std::uint32_t j = 0; j < classes.count; ++j) add_steps(delivery, one, classes.words[j], classes.weight[j], 0);
  }
  double all = 0;
  for (std::uint32_t i = 0; i < counts.ingresses; ++i) all += counts.ingress[i].accesses;
  if (all > static_cast<double>(kLargestCount) || counts.link > static_cast<double>(kLargestCount)) return Status::too_large;
  return delivery.status;
}

}  // namespace EXARCH_ISA
}  // namespace exarch::timeloop
