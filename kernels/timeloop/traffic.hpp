// Reads, fills and updates of every level, from what each level delivers: levels that a tensor bypasses are taken out, and what
// neighbours hand on is charged.
#pragma once

#include "kernels/timeloop/deliveries.hpp"

namespace exarch::timeloop {

inline namespace EXARCH_ISA {

// Of one tensor, for every level. Timeloop counts in doubles, because bypassed levels scale what is beyond them.
struct Flow {
  double content[kMaxLevels];  // accesses of the parent's side
  double share[kMaxLevels];    // words that an instance receives from its parent
  double link[kMaxLevels];     // words that a child takes from its neighbour
  double scale[kMaxLevels];    // of the accesses, where the level inside is bypassed
  std::uint32_t top;           // the outermost level that keeps the tensor
};

// Reads, fills and updates of a level, in words per instance.
struct AccessCounts {
  std::int64_t reads, fills, updates;
};

// To the nearest whole number, halves away from zero; false beyond kLargestCount.
[[nodiscard]] EXARCH_HD bool rounded(double value, std::int64_t& whole) {
  constexpr auto kLimit = static_cast<double>(kLargestCount);
  if (!(value <= kLimit && value >= -kLimit)) return false;
  const double magnitude = value < 0 ? -value : value;
  whole = static_cast<std::int64_t>(magnitude);  // exact: no carry into the next whole number
  if (magnitude - static_cast<double>(whole) >= 0.5) ++whole;
  if (value < 0) whole = -whole;
  return true;
}

// Towards zero.
[[nodiscard]] EXARCH_HD bool truncated(double value, std::int64_t& whole) {
  constexpr auto kLimit = static_cast<double>(kLargestCount);
  if (!(value <= kLimit && value >= -kLimit)) return false;
  whole = static_cast<std::int64_t>(value);
  return true;
}

// Words that an instance of each level sees in all, from the outermost level inwards, in whole numbers. From the tiles of the
// counts.
[[nodiscard]] EXARCH_HD bool make_partitions(const Problem& problem, const Nest& nest, std::uint32_t space,
                                             const std::int64_t (&tile)[kMaxLevels], std::int64_t (&partition)[kMaxLevels]) {
  std::int64_t run = partition[nest.levels - 1] = tile[nest.levels - 1];
  for (std::uint32_t s = nest.levels - 1; s-- > 0;) {
    std::int64_t whole = tile[s];
    if (nest.spatial[s + 1].count > 0 && !volume_of(problem, space, nest.around[s + 1], whole)) return false;
    // Far from the largest number doubles say so; near it a division does.
    const bool far = static_cast<double>(run) * static_cast<double>(tile[s]) < 9e18;
    if (!far && run > 0 && tile[s] > INT64_MAX / run) return false;
    if (whole != tile[s]) run = run * tile[s] / whole;
    partition[s] = run;
  }
  return true;
}

// The flow of a tensor through all levels. Levels that it bypasses are taken out: the next level delivers to the children of the
// one taken out. The levels beyond the last one that keeps it have no part in it. deliver_of(level, counts) points `counts` to
// what the level delivers, as if all levels kept the tensor; that is looked at before the next level is asked for.
template <class DeliverOf>
[[nodiscard]] EXARCH_HD Status make_flow(const Nest& nest, const Keep& keep, std::uint32_t space, const DeliverOf& deliver_of,
                                         Flow& flow) {
  flow.top = 0;
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    const auto fan = static_cast<double>(nest.fan[s]);
    const Counts* counts = nullptr;
    if (const Status status = deliver_of(s, counts); status != Status::ok) return status;
    double content = 0, received = 0, share = 0;
    for (std::uint32_t i = 0; i < counts->ingresses; ++i) {
      const double words = counts->ingress[i].accesses * counts->ingress[i].multicast;
      content += counts->ingress[i].accesses;
      received += words;
      share += fan == 1 ? words : words / fan;
    }
    flow.scale[s] = 1;
    flow.share[s] = 0;
    flow.link[s] = counts->link;
    if (s > 0) {
      flow.share[s - 1] = share;
      if (!keep[s - 1][space]) {
        flow.scale[s] = flow.content[s - 1] * fan / received;
        flow.link[s] = content = 0;
        for (std::uint32_t i = 0; i < counts->ingresses; ++i) content += counts->ingress[i].accesses * flow.scale[s];
      }
    }
    flow.content[s] = content;
    if (keep[s][space]) flow.top = s;
  }
  flow.share[flow.top] = 0;
  return Status::ok;
}

// Reads, fills and updates of a level that keeps the tensor. Words that its instances have from neighbours go to them, too.
[[nodiscard]] EXARCH_HD bool count_accesses(std::uint32_t space, std::uint32_t level, FillRule rule, const Flow& flow,
                                            std::int64_t words, const Replication& use, AccessCounts& out) {
  const bool is_top = level == flow.top;
  const double link = is_top ? 0 : flow.link[level + 1];
  const double peer = link > 0 ? link / static_cast<double>(use.instances) : 0;
  const double content = flow.content[level], share = flow.share[level];
  const auto partition = static_cast<double>(words);
  out.updates = 0;
  if (space != kOutputs) return rounded(content + peer, out.reads) && truncated(share + peer, out.fills);
  // The first sum that comes to a word finds nothing there to be read.
  if (!rounded(content, out.updates) || !rounded(content + peer - partition, out.reads)) return false;
  if (rule == FillRule::y2022) return truncated(share + peer, out.fills);
  return rounded(share + peer - (is_top ? 0 : partition), out.fills);
}

// Writes down what bypassing changes of the counts.
EXARCH_HD void bypass(const Nest& nest, const Keep& keep, std::uint32_t space, const Flow& flow, Counters& out) {
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    Counts& counts = out.count[s][space];
    if (s > flow.top) counts.ingresses = 0;
    if (s > flow.top || (s > 0 && !keep[s - 1][space])) counts.link = 0;
    if (s > 0 && !keep[s - 1][space]) {
      for (std::uint32_t i = 0; i < counts.ingresses; ++i) counts.ingress[i].accesses *= flow.scale[s];
    }
    if (!keep[s][space]) counts.tile = counts.partition = 0;
  }
}

// The traffic of one tensor through all levels.
[[nodiscard]] EXARCH_HD Status make_traffic(const Input& input, const Nest& nest, std::uint32_t space, FillRule rule,
                                            const Workspace& work, Counters& out) {
  Flow flow;
  std::int64_t tile[kMaxLevels], partition[kMaxLevels];
  const auto deliver_of = [&](std::uint32_t s, const Counts*& counts) {
    counts = &out.count[s][space];
    if (!volume_of(input.problem, space, nest.extent[s], tile[s])) return Status::too_large;
    return deliver<true>(input.problem, nest, s, space, work, out.count[s][space]);
  };
  const Status status = make_flow(nest, input.mapping.keep, space, deliver_of, flow);
  if (status != Status::ok) return status;
  if (!make_partitions(input.problem, nest, space, tile, partition)) return Status::too_large;
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    Counts& counts = out.count[s][space];
    counts.tile = tile[s];
    counts.partition = partition[s];
    AccessCounts accesses{};
    if (input.mapping.keep[s][space] && !count_accesses(space, s, rule, flow, partition[s], nest.use[s], accesses)) {
      return Status::too_large;
    }
    counts.reads = accesses.reads;
    counts.fills = accesses.fills;
    counts.updates = accesses.updates;
  }
  bypass(nest, input.mapping.keep, space, flow, out);
  return Status::ok;
}

// Everything that is counted of an input, or why there is nothing. `out` is complete with Status::ok only.
[[nodiscard]] EXARCH_HD Status count(const Input& input, FillRule rule, const Workspace& work, Counters& out, Fault& fault) {
  Nest nest;
  fault = {};
  Status status = make_nest(input, nest, fault);
  if (status == Status::ok) status = check_nest(input.problem, input.architecture, input.mapping.keep, nest, fault);
  if (status != Status::ok) return status;
  out.steps = nest.steps;
  out.units = nest.units;
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    out.use[s] = nest.use[s];
    out.fan[s] = nest.fan[s];
  }
  for (std::uint32_t space = 0; space < kSpaces && status == Status::ok; ++space) {
    status = make_traffic(input, nest, space, rule, work, out);
  }
  return status;
}

}  // namespace EXARCH_ISA
}  // namespace exarch::timeloop
