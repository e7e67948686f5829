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
};

// Accesses of all kinds.
[[nodiscard]] EXARCH_HD double sum_of(const Counts& counts) {
  double sum = 0;
  for (std::uint32_t i = 0; i < counts.ingresses; ++i) sum += counts.ingress[i].accesses;
  return sum;
}

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

// Words that an instance of each level sees in all, from the outermost level inwards, in whole numbers.
[[nodiscard]] EXARCH_HD bool make_partitions(const Input& input, const Nest& nest, std::uint32_t space, Counters& out) {
  std::int64_t run = out.count[nest.levels - 1][space].tile;
  out.count[nest.levels - 1][space].partition = run;
  for (std::uint32_t s = nest.levels - 1; s-- > 0;) {
    const std::int64_t tile = out.count[s][space].tile;
    std::int64_t whole = tile;
    if (nest.spatial[s + 1].count > 0 && !volume_of(input.problem, space, nest.around[s + 1], whole)) return false;
    if (run > 0 && tile > INT64_MAX / run) return false;
    run = run * tile / whole;
    out.count[s][space].partition = run;
  }
  return true;
}

// Takes out the levels that the tensor bypasses, from the innermost outwards: the next level delivers to the children of the one
// taken out. The levels beyond the last one that keeps the tensor have no part in it.
EXARCH_HD void bypass(const Input& input, const Nest& nest, std::uint32_t space, Counters& out, Flow& flow) {
  std::uint32_t top = 0;
  for (std::uint32_t c = 0; c < nest.levels; ++c) {
    Counts& gone = out.count[c][space];
    if (input.mapping.keep[c][space]) {
      top = c;
      continue;
    }
    if (c + 1 < nest.levels) {
      Counts& next = out.count[c + 1][space];
      double received = 0;
      for (std::uint32_t i = 0; i < next.ingresses; ++i) received += next.ingress[i].accesses * next.ingress[i].multicast;
      const double factor = flow.content[c] * static_cast<double>(nest.fan[c + 1]) / received;
      for (std::uint32_t i = 0; i < next.ingresses; ++i) next.ingress[i].accesses *= factor;
      flow.content[c + 1] = sum_of(next);
      next.link = 0;
    }
    gone.tile = gone.partition = 0;
    flow.content[c] = flow.share[c] = 0;
  }
  for (std::uint32_t s = top + 1; s < nest.levels; ++s) {
    out.count[s][space].ingresses = 0;
    out.count[s][space].link = 0;
  }
  flow.share[top] = 0;
}

// Reads, fills and updates of a level; `peer` words come from neighbours of its instances, and go to them.
[[nodiscard]] EXARCH_HD bool count_accesses(std::uint32_t space, bool is_top, FillRule rule, double content, double share,
                                            double peer, Counts& counts) {
  const auto partition = static_cast<double>(counts.partition);
  if (space != kOutputs) return rounded(content + peer, counts.reads) && truncated(share + peer, counts.fills);
  // The first sum that comes to a word finds nothing there to be read.
  if (!rounded(content, counts.updates) || !rounded(content + peer - partition, counts.reads)) return false;
  if (rule == FillRule::y2022) return truncated(share + peer, counts.fills);
  return rounded(share + peer - (is_top ? 0 : partition), counts.fills);
}

// The traffic of one tensor through all levels.
[[nodiscard]] EXARCH_HD Status make_traffic(const Input& input, const Nest& nest, std::uint32_t space, FillRule rule,
                                            Workspace& work, Counters& out) {
  Flow flow{};
  std::uint32_t top = 0;
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    Counts& counts = out.count[s][space];
    if (!volume_of(input.problem, space, nest.extent[s], counts.tile)) return Status::too_large;
    const Status status = deliver(input.problem, nest, s, space, work, counts);
    if (status != Status::ok) return status;
    flow.content[s] = sum_of(counts);
    for (std::uint32_t i = 0; s > 0 && i < counts.ingresses; ++i) {
      flow.share[s - 1] += counts.ingress[i].accesses * counts.ingress[i].multicast / static_cast<double>(nest.fan[s]);
    }
    if (input.mapping.keep[s][space]) top = s;
  }
  if (!make_partitions(input, nest, space, out)) return Status::too_large;
  bypass(input, nest, space, out, flow);
  for (std::uint32_t s = 0; s < nest.levels; ++s) {
    Counts& counts = out.count[s][space];
    counts.reads = counts.fills = counts.updates = 0;
    if (!input.mapping.keep[s][space]) continue;
    const double link = s + 1 < nest.levels ? out.count[s + 1][space].link : 0;
    const double peer = link > 0 ? link / static_cast<double>(nest.use[s].instances) : 0;
    if (!count_accesses(space, s == top, rule, flow.content[s], flow.share[s], peer, counts)) return Status::too_large;
  }
  return Status::ok;
}

// Everything that is counted of an input, or why there is nothing. `out` is complete with Status::ok only.
[[nodiscard]] EXARCH_HD Status count(const Input& input, FillRule rule, Workspace& work, Counters& out, Fault& fault) {
  Nest nest;
  fault = {};
  Status status = make_nest(input, nest, fault);
  if (status == Status::ok) status = check_nest(input, nest, fault);
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
