#include "host/timeloop/drawing.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "host/error.hpp"
#include "kernels/launch/timeloop_launch.hpp"

namespace exarch::timeloop {
namespace {

// Splits of one bound: a table of them takes some 60 bytes each.
constexpr std::uint64_t kMostTableSplits = 1u << 20;
constexpr std::uint32_t kBucketSize = 1u << kSpreadBits;

// Walker's alias method: every bucket is filled with a share of at most two, so that all get what their weight asks for.
std::vector<Bucket> buckets_of(const std::vector<RowRange>& ranges) {
  double sum = 0;
  for (const RowRange& range : ranges) sum += range.count;
  const auto count = static_cast<std::uint32_t>(ranges.size());
  std::vector<double> share;  // of the average
  for (const RowRange& range : ranges) share.push_back(range.count / sum * count);
  std::vector<Bucket> buckets(count);
  std::vector<std::uint32_t> small, large;
  for (std::uint32_t i = 0; i < count; ++i) {
    buckets[i] = {kBucketSize, i};
    (share[i] < 1 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t little = small.back(), much = large.back();
    small.pop_back();
    buckets[little] = {static_cast<std::uint32_t>(std::lround(share[little] * kBucketSize)), much};
    share[much] -= 1 - share[little];
    if (share[much] >= 1) continue;
    large.pop_back();
    small.push_back(much);
  }
  return buckets;
}

}  // namespace

Drawing::Drawing(const MapSpace& space, FillRule rule, const Goals& goals) {
  if (goals.empty() || goals.size() > kMaxGoals) throw UsageError("a drawing has one to three goals");
  view_.goals = static_cast<std::uint32_t>(goals.size());
  std::ranges::copy(goals, view_.goal);
  Fault fault;
  if (make_frame(space.problem_, space.architecture_, rule, view_.frame, fault) != Status::ok) {
    throw Error("drawing mappings: a number of layer or architecture is outside the model's range, or a mesh is not even");
  }
  lay_blocks(space);
  for (std::size_t d = 0; d < space.dims_.size(); ++d) {
    if (space.problem_.bound[index_of(space.dims_[d])] > 1) lay_table(space, d);
  }
  for (std::size_t t = 0; t < tables_.size(); ++t) {
    const Table& table = tables_[t];
    view_.table[t] = {static_cast<std::uint32_t>(table.ranges.size()),
                      table.buckets.data(),
                      table.spatial.data(),
                      table.ranges.data(),
                      table.extents.data(),
                      table.factors.data()};
  }
  lay_keeps(space);
}

void Drawing::lay_blocks(const MapSpace& space) {
  view_.dims = static_cast<std::uint32_t>(space.dims_.size());
  view_.blocks = static_cast<std::uint32_t>(space.blocks_.size());
  double multipliers = 1;
  for (float& most : view_.most) most = 1;
  for (std::size_t b = 0; b < space.blocks_.size(); ++b) {
    const MapSpace::Block& from = space.blocks_[b];
    DrawBlock& to = view_.block[b];
    to.level = from.level;
    to.spatial = from.spatial;
    to.split = from.split;
    to.every_place = from.spatial && from.split >= 0;
    MapSlice::Block places{};
    space.place_loops(from, false, places);
    std::ranges::copy(places.loops, to.loop);
    to.inner = places.first;
    to.free = places.permuted;
    if (!from.spatial) continue;
    const std::int64_t children = space.wide_[from.level] * space.high_[from.level];
    multipliers *= static_cast<double>(children);
    // More elements than kMaxElements are refused by the model; floats are exact up to there.
    view_.most[view_.spatial_levels++] = static_cast<float>(std::min<std::int64_t>(children, kMaxElements));
  }
  view_.least_parallelism = static_cast<float>(space.min_parallelism_ * multipliers);
}

// The table of a dimension: its splits, those with the same spatial factors one after the other.
void Drawing::lay_table(const MapSpace& space, std::size_t dim) {
  const FactorSplits& splits = space.factors_[dim];
  if (splits.size() > kMostTableSplits) {
    throw Error("drawing mappings: a bound of " + std::to_string(space.problem_.bound[index_of(space.dims_[dim])]) + " has " +
                decimal(splits.size()) + " splits, more than the " + std::to_string(kMostTableSplits) +
                " of a table; fix some factors or use the search");
  }
  const std::size_t blocks = space.blocks_.size(), levels = space.architecture_.levels;
  std::map<std::vector<std::int64_t>, std::vector<std::uint64_t>> by_spatial;  // numbers of splits
  std::vector<std::int64_t> factors(blocks), spatial;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(splits.size()); ++i) {
    splits.at(i, factors.data());
    spatial.clear();
    for (std::size_t b = 0; b < blocks; ++b) {
      if (space.blocks_[b].spatial) spatial.push_back(factors[b]);
    }
    by_spatial[spatial].push_back(i);
  }
  if (by_spatial.size() > kBucketSize) throw Error("drawing mappings: a bound has too many ways to be spread; fix some factors");
  Table& table = tables_.emplace_back();
  for (const auto& [spread, numbers] : by_spatial) {
    for (std::size_t l = 0; l < padded_levels(view_); ++l) {
      table.spatial.push_back(l < spread.size() ? static_cast<float>(spread[l]) : 1);
    }
    table.ranges.push_back(
        {static_cast<std::uint32_t>(table.factors.size() / blocks), static_cast<std::uint32_t>(numbers.size())});
    for (const std::uint64_t number : numbers) {
      splits.at(number, factors.data());
      std::size_t b = 0;
      std::int64_t extent = 1;
      for (std::uint32_t s = 0; s < levels; ++s) {
        for (; b < blocks && space.blocks_[b].level == s; ++b) extent *= factors[b];
        table.extents.push_back(static_cast<std::uint32_t>(extent));
      }
      for (const std::int64_t factor : factors) table.factors.push_back(static_cast<std::uint32_t>(factor));
    }
  }
  table.buckets = buckets_of(table.ranges);
  view_.dim[view_.tables++] = space.dims_[dim];
}

void Drawing::lay_keeps(const MapSpace& space) {
  for (const Space tensor : space.tensors_) {
    for (std::uint32_t s = 0; s < space.architecture_.levels; ++s) {
      const Choice choice = space.keep_[s][tensor];
      view_.keep[s][tensor] = choice == Choice::yes;
      if (choice != Choice::open) continue;
      view_.open_level[view_.open_keeps] = static_cast<std::uint8_t>(s);
      view_.open_space[view_.open_keeps++] = static_cast<std::uint8_t>(tensor);
    }
  }
}

std::optional<Mapping> Drawing::mapping(std::uint64_t seed, std::uint64_t number) const {
  Mapping mapping{};
  return draw(view_, seed, number, mapping) == Draw::drawn ? std::optional(mapping) : std::nullopt;
}

Drawn Drawing::best(std::uint64_t seed, std::uint64_t first, std::uint64_t count, Backend& backend) const {
  constexpr std::uint64_t kBlock = 1u << 16;
  if (backend.uses_cuda(count)) return best_on(backend.devices(), seed, first, count);
  std::vector<Drawn> parts(backend.pool().threads());
  backend.pool().for_each((count + kBlock - 1) / kBlock, [&](std::size_t block, unsigned worker) {
    const std::uint64_t from = first + block * kBlock, end = std::min(from + kBlock, first + count);
    Drawn part;
    cpu_functions().draw(view_, seed, from, end, part);
    join(view_, part, parts[worker]);
  });
  Drawn sum{};
  for (const Drawn& part : parts) join(view_, part, sum);
  return sum;
}

}  // namespace exarch::timeloop
