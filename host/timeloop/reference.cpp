#include "host/timeloop/reference.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace exarch::timeloop {
namespace {

using Point = std::array<std::int64_t, kRanks>;
using Extents = std::array<std::int64_t, kDims>;

// ---- boxes ---------------------------------------------------------------------------------------------------------------

struct Box {
  Point low, high;  // the corner beyond the last point
  friend bool operator==(const Box&, const Box&) = default;
};
using Region = std::vector<Box>;  // disjoint

std::int64_t volume(const Region& region) {
  std::int64_t sum = 0;
  for (const Box& box : region) {
    std::int64_t product = 1;
    for (std::size_t r = 0; r < kRanks; ++r) product *= box.high[r] - box.low[r];
    sum += product;
  }
  return sum;
}

Region moved(const Region& region, const Point& by) {
  Region result = region;
  for (Box& box : result) {
    for (std::size_t r = 0; r < kRanks; ++r) {
      box.low[r] += by[r];
      box.high[r] += by[r];
    }
  }
  std::ranges::sort(result, {}, &Box::low);
  return result;
}

// What of a box is outside another one: slices, rank by rank.
Region without(Box box, const Box& other) {
  for (std::size_t r = 0; r < kRanks; ++r) {
    if (box.high[r] <= other.low[r] || other.high[r] <= box.low[r]) return {box};
  }
  Region slices;
  for (std::size_t r = 0; r < kRanks; ++r) {
    if (box.low[r] < other.low[r]) {
      slices.push_back(box);
      slices.back().high[r] = box.low[r] = other.low[r];
    }
    if (box.high[r] > other.high[r]) {
      slices.push_back(box);
      slices.back().low[r] = box.high[r] = other.high[r];
    }
  }
  return slices;
}

Point minus(Point a, const Point& b) {
  for (std::size_t r = 0; r < kRanks; ++r) a[r] -= b[r];
  return a;
}

// ---- the nest ------------------------------------------------------------------------------------------------------------

struct FlatLoop {
  std::uint32_t level;
  bool spatial;
  std::size_t dim;
  Axis axis;
  std::int64_t bound, stride;
};

// All loops of a mapping from the innermost outwards, but for those with bound 1.
std::vector<FlatLoop> flatten(const Input& input) {
  std::vector<FlatLoop> loops;
  Extents stride;
  stride.fill(1);
  for (std::uint32_t s = 0; s < input.architecture.levels; ++s) {
    for (const bool spatial : {true, false}) {
      const Block& block = spatial ? input.mapping.spatial[s] : input.mapping.temporal[s];
      for (const Loop& loop : std::vector<Loop>(block.loop, block.loop + block.count)) {
        const std::size_t dim = index_of(loop.dim);
        if (loop.bound > 1) loops.push_back({s, spatial, dim, loop.axis, loop.bound, stride[dim]});
        stride[dim] *= loop.bound;
      }
    }
  }
  return loops;
}

class Reference {
 public:
  explicit Reference(const Input& input) : input_(input), loops_(flatten(input)), levels_(input.architecture.levels) {}

  using Wanted = std::function<bool(const FlatLoop&)>;

  [[nodiscard]] std::int64_t product(const Wanted& wanted) const {
    std::int64_t result = 1;
    for (const FlatLoop& loop : loops_) result *= wanted(loop) ? loop.bound : 1;
    return result;
  }
  [[nodiscard]] Extents extents(const Wanted& wanted) const {
    Extents result;
    result.fill(1);
    for (const FlatLoop& loop : loops_) result[loop.dim] *= wanted(loop) ? loop.bound : 1;
    return result;
  }
  // Level -1 is a multiplier.
  [[nodiscard]] Extents tile_of(int level) const {
    return extents([level](const FlatLoop& loop) { return static_cast<int>(loop.level) <= level; });
  }
  [[nodiscard]] std::int64_t steps() const {
    return product([](const FlatLoop& loop) { return !loop.spatial; });
  }
  [[nodiscard]] std::int64_t fan(std::uint32_t s) const {
    return product([s](const FlatLoop& loop) { return loop.spatial && loop.level == s; });
  }
  // What is in use of the children of level `below`.
  [[nodiscard]] Replication used_from(std::uint32_t below) const {
    const auto spatial = [below](std::optional<Axis> axis) {
      return [below, axis](const FlatLoop& loop) {
        return loop.spatial && loop.level >= below && axis.value_or(loop.axis) == loop.axis;
      };
    };
    return {product(spatial(std::nullopt)), product(spatial(Axis::x)), product(spatial(Axis::y))};
  }
  // A movement over the dimensions as the tensor sees it.
  [[nodiscard]] Point project(std::uint32_t space, const Extents& v) const {
    const Problem& p = input_.problem;
    const auto [C, M, R, S, N, P, Q, G] = v;
    if (space == kWeights) return {C, M, R, S, G};
    if (space == kOutputs) return {N, M, Q, P, G};
    return {N, C, p.wdilation * R + p.wstride * P, p.hdilation * S + p.hstride * Q, G};
  }
  // The bounding box of a tile at the origin.
  [[nodiscard]] Region box_of(std::uint32_t space, Extents extent) const {
    for (std::int64_t& e : extent) e -= 1;
    Point high = project(space, extent);
    for (std::int64_t& h : high) h += 1;
    return {{Point{}, high}};
  }
  [[nodiscard]] std::int64_t words(std::uint32_t space, const Extents& extent) const { return volume(box_of(space, extent)); }

  [[nodiscard]] Status accepted(Fault& fault) const;
  void count(std::uint32_t space, FillRule rule, Counters& out) const;

 private:
  struct Traffic {
    std::map<std::pair<std::int64_t, std::int64_t>, double> accesses;  // by multicast and groups
    double link = 0, hops = 0;
  };
  [[nodiscard]] Traffic deliver(std::uint32_t level, std::uint32_t space) const;
  [[nodiscard]] Status read(Fault& fault) const;
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> network(std::uint32_t level) const;

  const Input& input_;
  std::vector<FlatLoop> loops_;
  std::uint32_t levels_;
};

// ---- whether Timeloop takes it -------------------------------------------------------------------------------------------

// What a parser refuses.
Status Reference::read(Fault& fault) const {
  const Architecture& a = input_.architecture;
  std::int64_t x = a.compute.mesh_x, y = a.compute.mesh_y;
  if (x * y != a.compute.instances) return Status::mesh;
  for (fault.level = 0; fault.level < levels_; ++fault.level) {
    const Storage& level = a.storage[fault.level];
    if (level.mesh_x * level.mesh_y != level.instances || x % level.mesh_x > 0 || y % level.mesh_y > 0) return Status::mesh;
    std::tie(x, y) = std::pair(level.mesh_x, level.mesh_y);
  }
  std::int64_t children = a.compute.instances;
  for (fault.level = 0; fault.level < levels_; ++fault.level) {
    for (const Block* block : {&input_.mapping.spatial[fault.level], &input_.mapping.temporal[fault.level]}) {
      std::set<Dim> seen;
      std::set<Axis> axes;
      for (std::uint32_t l = 0; l < block->count; ++l) {
        fault.dim = block->loop[l].dim;
        if (!seen.insert(fault.dim).second) return Status::repeated_loop;
        if (block->loop[l].bound == 1 || block == &input_.mapping.temporal[fault.level]) continue;
        if (block->loop[l].axis == Axis::x && axes.contains(Axis::y)) return Status::axis_order;
        axes.insert(block->loop[l].axis);
      }
      if (!axes.empty() && children == a.storage[fault.level].instances) return Status::no_fanout;
    }
    children = a.storage[fault.level].instances;
  }
  const Extents whole = tile_of(static_cast<int>(levels_));
  for (std::size_t d = 0; d < kDims; ++d) {
    fault.dim = static_cast<Dim>(d);
    fault.needed = whole[d];
    fault.available = input_.problem.bound[d];
    if (fault.needed != fault.available) return Status::factor_product;
  }
  return Status::ok;
}

Status Reference::accepted(Fault& fault) const {
  if (const Status status = read(fault); status != Status::ok) return status;
  const auto exceeds = [&fault](std::int64_t needed, std::int64_t available) {
    fault.needed = needed;
    fault.available = available;
    return needed > available;
  };
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    const auto* keep = input_.mapping.keep;
    if (std::none_of(keep, keep + levels_, [space](const auto& kept) { return kept[space]; })) return Status::bypassed;
  }
  const Compute& compute = input_.architecture.compute;
  const Replication units = used_from(0);
  if (exceeds(units.instances, compute.instances)) return Status::compute_instances;
  if (exceeds(units.x, compute.mesh_x)) return Status::compute_x;
  if (exceeds(units.y, compute.mesh_y)) return Status::compute_y;
  for (fault.level = 0; fault.level < levels_; ++fault.level) {
    const Storage& level = input_.architecture.storage[fault.level];
    fault.tile = 0;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      if (input_.mapping.keep[fault.level][space]) fault.tile += words(space, tile_of(static_cast<int>(fault.level)));
    }
    fault.capacity = level.size;
    fault.over_capacity = level.size != -1 && fault.tile > level.size;
    const Replication use = used_from(fault.level + 1);
    fault.excess = exceeds(use.instances, level.instances) ? Excess::instances
                   : exceeds(use.x, level.mesh_x)          ? Excess::x
                   : exceeds(use.y, level.mesh_y)          ? Excess::y
                                                           : Excess::none;
    if (fault.over_capacity || fault.excess != Excess::none) return Status::level;
  }
  return Status::ok;
}

// ---- deliveries ----------------------------------------------------------------------------------------------------------

// Columns and rows of the network below a level.
std::pair<std::int64_t, std::int64_t> Reference::network(std::uint32_t level) const {
  const Architecture& a = input_.architecture;
  const auto [x, y] = level == 0 ? std::pair(a.compute.mesh_x, a.compute.mesh_y)
                                 : std::pair(a.storage[level - 1].mesh_x, a.storage[level - 1].mesh_y);
  const auto along = [&](Axis axis) {
    return product([level, axis](const FlatLoop& loop) { return loop.spatial && loop.level == level && loop.axis == axis; });
  };
  return {std::max(x / a.storage[level].mesh_x, along(Axis::x)), std::max(y / a.storage[level].mesh_y, along(Axis::y))};
}

Reference::Traffic Reference::deliver(std::uint32_t level, std::uint32_t space) const {
  Traffic traffic;
  std::vector<FlatLoop> outer, inside;
  for (const FlatLoop& loop : loops_) {
    if (!loop.spatial && loop.level >= level) outer.push_back(loop);
    if (loop.spatial && loop.level == level) inside.push_back(loop);
  }
  if (level == 0 && inside.empty()) {
    traffic.accesses[{1, 1}] = static_cast<double>(steps());
    return traffic;
  }
  const Region tile = box_of(space, tile_of(static_cast<int>(level) - 1));

  // Per class: the movement of the tile, what is new, how many steps.
  std::vector<Point> shift;
  std::vector<Region> fresh;
  std::vector<std::int64_t> weight;
  Extents back{};
  std::optional<Point> direction;
  for (std::size_t j = 0; j < outer.size(); ++j) {
    Extents movement = back;
    movement[outer[j].dim] += outer[j].stride;
    back[outer[j].dim] -= outer[j].stride;
    shift.push_back(project(space, movement));
    std::int64_t steps = outer[j].bound - 1;
    for (std::size_t i = j + 1; i < outer.size(); ++i) steps *= outer[i].bound;
    weight.push_back(steps);
    const bool rests = shift[j] == Point{};
    if (!rests && !direction) direction = shift[j];
    if (level == 0 || (!rests && shift[j] != direction)) {
      fresh.push_back(tile);
    } else {
      fresh.push_back(rests ? Region{} : without(tile[0], moved(tile, minus({}, shift[j]))[0]));
    }
  }

  // Elements, the innermost spatial loop fastest.
  std::vector<Point> offset{Point{}};
  for (const FlatLoop& loop : inside) {
    const std::vector<Point> one = offset;
    for (std::int64_t i = 1; i < loop.bound; ++i) {
      Extents step{};
      step[loop.dim] = -i * loop.stride;
      for (const Point& point : one) offset.push_back(minus(point, project(space, step)));
    }
  }
  const auto [wide, high] = network(level);
  const auto neighbours = [w = wide, h = high, &offset](std::int64_t f) {
    std::vector<std::size_t> result;
    const auto add = [&](bool there, std::int64_t g) {
      if (there && g < static_cast<std::int64_t>(offset.size())) result.push_back(static_cast<std::size_t>(g));
    };
    add(f / w > 0, f - w);
    add(f / w + 1 < h, f + w);
    add(f % w > 0, f - 1);
    add(f % w + 1 < w, f + 1);
    return result;
  };

  // Elements with the same offset receive the same words.
  using Groups = std::map<Point, std::vector<std::int64_t>>;
  const auto group = [&offset](const std::set<std::size_t>& served) {
    Groups groups;
    for (std::size_t f = 0; f < offset.size(); ++f) {
      if (!served.contains(f)) groups[offset[f]].push_back(static_cast<std::int64_t>(f));
    }
    return groups;
  };
  const auto hops_of = [w = wide, h = high](const std::vector<std::int64_t>& elements) {
    std::map<std::int64_t, std::set<std::int64_t>> columns;
    for (const std::int64_t f : elements) columns[f % w].insert(f / w);
    const double centre = static_cast<double>(h - 1) / 2;
    auto hops = static_cast<double>(columns.rbegin()->first);
    for (const auto& [column, rows] : columns) {
      hops += std::max(0.0, static_cast<double>(*rows.rbegin()) - centre) +
              std::max(0.0, centre - static_cast<double>(*rows.begin()));
    }
    return hops;
  };
  const Groups everyone = group({});

  // Steps that deliver `now` after a movement by `by`, where the step before delivered `before`.
  const auto add = [&](const Region& now, const Point& by, const Region& before, std::int64_t times) {
    if (now.empty() || times == 0) return;
    std::set<std::size_t> served;
    for (std::size_t f = 0; !before.empty() && f < offset.size(); ++f) {
      const Region mine = moved(now, offset[f]);
      for (const std::size_t g : neighbours(static_cast<std::int64_t>(f))) {
        if (mine == moved(before, minus(offset[g], by))) served.insert(f);
      }
    }
    Groups groups = group(served);
    if (groups.size() >= everyone.size()) {
      groups = everyone;
      served.clear();
    }
    const auto each = static_cast<double>(volume(now)) * static_cast<double>(times);
    traffic.link += each * static_cast<double>(served.size());
    std::map<std::int64_t, std::int64_t> sizes;
    for (const auto& [point, elements] : groups) {
      ++sizes[static_cast<std::int64_t>(elements.size())];
      if (!inside.empty()) traffic.hops += each * hops_of(elements);  // a single child is next to its parent
    }
    for (const auto& [multicast, number] : sizes) traffic.accesses[{multicast, number}] += each * static_cast<double>(number);
  };
  add(tile, {}, {}, 1);
  if (outer.empty()) return traffic;
  add(fresh[0], shift[0], tile, outer[0].bound - 1);
  for (std::size_t j = 1; j < outer.size(); ++j) {
    add(fresh[j], shift[j], fresh[0], weight[j]);
    add(fresh[0], shift[0], fresh[j], (outer[0].bound - 1) * weight[j]);
  }
  return traffic;
}

// ---- counts --------------------------------------------------------------------------------------------------------------

void Reference::count(std::uint32_t space, FillRule rule, Counters& out) const {
  std::vector<Traffic> traffic;
  std::vector<std::int64_t> size, partition(levels_);
  std::vector<double> content, share(levels_, 0.0);
  std::vector<bool> keep;
  for (std::uint32_t s = 0; s < levels_; ++s) {
    traffic.push_back(deliver(s, space));
    size.push_back(words(space, tile_of(static_cast<int>(s))));
    keep.push_back(input_.mapping.keep[s][space]);
    content.push_back(0);
    for (const auto& [kind, accesses] : traffic[s].accesses) {
      content[s] += accesses;
      if (s > 0) share[s - 1] += accesses * static_cast<double>(kind.first) / static_cast<double>(fan(s));
    }
  }
  partition.back() = size.back();
  for (std::uint32_t s = levels_ - 1; s-- > 0;) {
    const Extents around =
        extents([s](const FlatLoop& loop) { return loop.level <= s || (loop.spatial && loop.level == s + 1); });
    partition[s] = partition[s + 1] * size[s] / (fan(s + 1) > 1 ? words(space, around) : size[s]);
  }
  for (std::uint32_t s = 0; s < levels_; ++s) {
    if (keep[s]) continue;
    if (s + 1 < levels_) {
      double received = 0;
      for (const auto& [kind, accesses] : traffic[s + 1].accesses) received += accesses * static_cast<double>(kind.first);
      const double factor = content[s] * static_cast<double>(fan(s + 1)) / received;
      content[s + 1] = 0;
      for (auto& [kind, accesses] : traffic[s + 1].accesses) content[s + 1] += accesses *= factor;
      traffic[s + 1].link = 0;
    }
    size[s] = partition[s] = 0;
    content[s] = share[s] = 0;
  }
  const auto top = static_cast<std::uint32_t>(std::distance(std::find(keep.rbegin(), keep.rend(), true), keep.rend()) - 1);
  share[top] = 0;
  for (std::uint32_t s = top + 1; s < levels_; ++s) traffic[s].accesses.clear(), traffic[s].link = 0;
  for (std::uint32_t s = 0; s < levels_; ++s) {
    Counts& c = out.count[s][space];
    c = {};
    c.tile = size[s];
    c.partition = partition[s];
    c.link = traffic[s].link;
    c.hops = traffic[s].hops;
    for (const auto& [kind, accesses] : traffic[s].accesses) {
      c.ingress[c.ingresses++] = {static_cast<std::uint32_t>(kind.first), static_cast<std::uint32_t>(kind.second), accesses};
    }
    if (!keep[s]) continue;
    double peer = 0;
    if (s + 1 < levels_ && traffic[s + 1].link > 0) peer = traffic[s + 1].link / static_cast<double>(used_from(s + 1).instances);
    const auto seen = static_cast<double>(partition[s]);
    const bool written = space == kOutputs;
    const bool elided = written && rule == FillRule::current;
    c.reads = std::llround(content[s] + peer - (written ? seen : 0));
    c.updates = written ? std::llround(content[s]) : 0;
    c.fills = elided ? std::llround(share[s] + peer - (s == top ? 0 : seen)) : static_cast<std::int64_t>(share[s] + peer);
  }
}

// ---- prices --------------------------------------------------------------------------------------------------------------

std::int64_t blocks(std::int64_t words, std::int64_t block) {
  const std::lldiv_t parts = std::lldiv(words, block);
  return parts.quot + (parts.rem > 0);
}

LevelPrice price_of(const Storage& storage, const Replication& use, const Counts (&counts)[kSpaces], std::int64_t steps) {
  LevelPrice level{};
  std::vector<double> read, write;
  const std::int64_t places = std::min(use.x * use.y, storage.instances / storage.cluster_size);
  const double sharing = static_cast<double>(use.x * use.y) / static_cast<double>(places);
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    const Counts& c = counts[space];
    level.vector_reads[space] = blocks(c.reads, storage.block_size);
    level.vector_fills[space] = blocks(c.fills, storage.block_size);
    level.vector_updates[space] = blocks(c.updates, storage.block_size);
    level.instance_pj[space] = (static_cast<double>(level.vector_reads[space]) * storage.read_pj +
                                static_cast<double>(level.vector_fills[space]) * storage.fill_pj +
                                static_cast<double>(level.vector_updates[space]) * storage.update_pj) /
                               sharing;
    level.energy_pj += level.instance_pj[space] * static_cast<double>(use.instances);
    read.push_back(static_cast<double>(c.reads) / static_cast<double>(steps));
    write.push_back(static_cast<double>(c.fills + c.updates) / static_cast<double>(steps));
  }
  const double reads = read[0] + read[1] + read[2], writes = write[0] + write[1] + write[2];
  level.slowdown = 1;
  if (storage.read_bw != 0 && reads > storage.read_bw) level.slowdown = storage.read_bw / reads;
  if (storage.write_bw != 0 && writes > storage.write_bw) level.slowdown = std::min(level.slowdown, storage.write_bw / writes);
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    level.read_bw[space] = level.slowdown * read[space];
    level.write_bw[space] = level.slowdown * write[space];
  }
  level.cycles = static_cast<std::int64_t>(std::ceil(static_cast<double>(steps) / level.slowdown));
  level.area_um2 = double{static_cast<float>(storage.area_um2)} * static_cast<double>(storage.instances);
  return level;
}

Price price_of(const Architecture& architecture, const Counters& counters) {
  Price price{};
  price.computes = counters.steps * counters.units.instances;
  price.cycles = counters.steps;
  price.compute_pj = static_cast<double>(price.computes) * architecture.compute.compute_pj;
  price.compute_um2 =
      double{static_cast<float>(architecture.compute.area_um2)} * static_cast<double>(architecture.compute.instances);
  for (std::uint32_t s = 0; s < architecture.levels; ++s) {
    price.level[s] = price_of(architecture.storage[s], counters.use[s], counters.count[s], counters.steps);
    price.cycles = std::max(price.cycles, price.level[s].cycles);
  }
  price.energy_pj = price.compute_pj;
  price.area_um2 = price.compute_um2;
  for (std::uint32_t s = 0; s < architecture.levels; ++s) {
    LevelPrice& level = price.level[s];
    level.leakage_pj =
        architecture.storage[s].leak_pj * static_cast<double>(price.cycles) * static_cast<double>(counters.use[s].instances);
    level.energy_pj += level.leakage_pj;
    price.energy_pj += level.energy_pj;
    price.area_um2 += level.area_um2;
  }
  price.utilization = static_cast<double>(price.computes) / static_cast<double>(architecture.compute.instances) /
                      static_cast<double>(price.cycles);
  return price;
}

}  // namespace

Status evaluate_reference(const Input& input, FillRule rule, Counters& counters, Price& price, Fault& fault) {
  const Reference reference(input);
  fault = {};
  if (const Status status = reference.accepted(fault); status != Status::ok) return status;
  counters = {};
  counters.steps = reference.steps();
  counters.units = reference.used_from(0);
  for (std::uint32_t s = 0; s < input.architecture.levels; ++s) {
    counters.use[s] = reference.used_from(s + 1);
    counters.fan[s] = reference.fan(s);
  }
  for (std::uint32_t space = 0; space < kSpaces; ++space) reference.count(space, rule, counters);
  price = price_of(input.architecture, counters);
  return Status::ok;
}

}  // namespace exarch::timeloop
