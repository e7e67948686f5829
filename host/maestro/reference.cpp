#include "host/maestro/reference.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <type_traits>
#include <vector>

namespace exarch::maestro {
namespace {

struct Failure {
  Status status;
};

// The tool's integers: they wrap, and division truncates towards zero. Divisors are never zero.
template <class T>
class Wrapping {
 public:
  constexpr Wrapping(T value = 0) : value_(value) {}
  template <class Narrow>
  requires(sizeof(Narrow) < sizeof(T)) constexpr Wrapping(Wrapping<Narrow> value) : value_(value.get()) {}

  [[nodiscard]] constexpr T get() const { return value_; }

  friend constexpr Wrapping operator+(Wrapping a, Wrapping b) { return wrap(a.bits() + b.bits()); }
  friend constexpr Wrapping operator-(Wrapping a, Wrapping b) { return wrap(a.bits() - b.bits()); }
  friend constexpr Wrapping operator*(Wrapping a, Wrapping b) { return wrap(a.bits() * b.bits()); }
  friend constexpr Wrapping operator/(Wrapping a, Wrapping b) { return b.value_ == -1 ? 0 - a : Wrapping(a.value_ / b.value_); }
  friend constexpr Wrapping operator%(Wrapping a, Wrapping b) { return b.value_ == -1 ? 0 : Wrapping(a.value_ % b.value_); }
  constexpr Wrapping& operator+=(Wrapping b) { return *this = *this + b; }
  constexpr Wrapping& operator*=(Wrapping b) { return *this = *this * b; }
  friend constexpr auto operator<=>(Wrapping a, Wrapping b) = default;  // NOLINT(modernize-use-nullptr): a false alarm

 private:
  using Bits = std::make_unsigned_t<T>;
  [[nodiscard]] constexpr Bits bits() const { return static_cast<Bits>(value_); }
  static constexpr Wrapping wrap(Bits bits) { return static_cast<T>(bits); }

  T value_;
};
using Int32 = Wrapping<std::int32_t>;  // sizes, offsets, clusters, occurrences of one case
using Int64 = Wrapping<std::int64_t>;  // volumes, delays, everything counted

Int32 narrow(Int64 value) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(value.get())));
}

// What x86 makes of a double, out of range included.
Int64 to_int64(double value) {
  const bool fits = value >= -0x1p63 && value < 0x1p63;
  return fits ? static_cast<std::int64_t>(value) : std::numeric_limits<std::int64_t>::min();
}

Int32 max32(Int32 a, Int32 b) {
  return max_of(a, b);
}
Int32 min32(Int32 a, Int32 b) {
  return min_of(a, b);
}
Int64 max64(Int64 a, Int64 b) {
  return max_of(a, b);
}

// ---------------------------------------------------------------------------------------------------------------------
// The layer: its dimensions and which tensors they belong to.
// ---------------------------------------------------------------------------------------------------------------------

struct Extent {
  Int32 size;
  Int32 stride;
};
using Table = std::map<Dim, Extent>;  // without the dimensions that the layer or the level does not have
using Sizes = std::map<Dim, Int32>;

// One axis of a convolution: the input form slides the filter and gives the output form.
struct Axis {
  Dim input, output, filter;
};
constexpr std::array<Axis, 2> kAxes = {{{Dim::X, Dim::Xo, Dim::S}, {Dim::Y, Dim::Yo, Dim::R}}};

std::optional<Axis> axis_of_input(Dim dim) {
  for (const Axis& axis : kAxes) {
    if (axis.input == dim) return axis;
  }
  return std::nullopt;
}

struct LayerModel {
  bool convolution;
  Table table;
  std::array<std::vector<Dim>, kTensors> tensor;  // in the tool's order, which decides between two spatial dimensions
  std::set<Dim> operands;                         // dimensions of input and weight, in ASCII order

  [[nodiscard]] bool coupled(Tensor t, Dim dim) const {
    return std::find(tensor[t].begin(), tensor[t].end(), dim) != tensor[t].end();
  }
};

std::array<std::vector<Dim>, kTensors> tensors_of(LayerType type) {
  using enum Dim;
  switch (type) {
    case LayerType::dsconv:
      return {{{C, Y, X}, {C, R, S}, {C, Y, X}}};
    case LayerType::ngconv:
      return {{{G, C, Y, X}, {G, K, C, R, S}, {G, K, C, Y, X}}};
    case LayerType::gemm:
      return {{{M, K}, {K, N}, {M, N}}};
    case LayerType::conv:
    case LayerType::trconv:
      break;
  }
  return {{{C, Y, X}, {K, C, R, S}, {K, Y, X}}};
}

// Adds the undeclared form of each axis. Strides play no part in its size; an added input form takes the *other* axis' stride.
void add_counterparts(const Layer& layer, Table& table) {
  const auto stride = [&layer](Dim dim) { return Int32(layer.stride[index_of(dim)]); };
  for (const Axis& axis : kAxes) {
    if (!table.contains(axis.filter)) continue;
    const Int32 filter = table[axis.filter].size;
    const Axis& other = axis.input == kAxes[0].input ? kAxes[1] : kAxes[0];
    if (table.contains(axis.input)) {
      table[axis.output] = {table[axis.input].size - filter + 1, stride(axis.input)};
    } else if (table.contains(axis.output)) {
      table[axis.input] = {table[axis.output].size + filter - 1, stride(other.output)};
    }
  }
}

LayerModel model_of(const Layer& layer) {
  LayerModel model{layer.type != LayerType::gemm, {}, tensors_of(layer.type), {}};
  for (std::uint32_t i = 0; i < kDims; ++i) {
    if (layer.size[i] > 0) model.table[static_cast<Dim>(i)] = {layer.size[i], layer.stride[i]};
  }
  if (model.convolution) {
    for (const Axis& axis : kAxes) {
      if (model.table.contains(axis.input) && model.table.contains(axis.output)) throw Failure{Status::axis_forms};
    }
    add_counterparts(layer, model.table);
    if (model.table.contains(Dim::N)) {
      model.tensor[kInput].insert(model.tensor[kInput].begin(), Dim::N);
      model.tensor[kOutput].insert(model.tensor[kOutput].begin(), Dim::N);
    }
  }
  for (const std::vector<Dim>& tensor : model.tensor) {
    for (const Dim dim : tensor) {
      if (!model.table.contains(dim)) throw Failure{Status::missing_dimension};
    }
  }
  for (const Tensor t : {kInput, kWeight}) model.operands.insert(model.tensor[t].begin(), model.tensor[t].end());
  return model;
}

// ---------------------------------------------------------------------------------------------------------------------
// The mapping: one complete list of directives per level.
// ---------------------------------------------------------------------------------------------------------------------

struct Loop {
  Map map;
  Dim dim;
  Int32 size, offset;
};
using Loops = std::vector<Loop>;

// Null if there is none.
template <class LoopList>
auto* first_on(LoopList& loops, Dim dim) {
  const auto found = std::find_if(loops.begin(), loops.end(), [dim](const Loop& loop) { return loop.dim == dim; });
  return found == loops.end() ? nullptr : &*found;
}
template <class LoopList>
auto* last_on(LoopList& loops, Dim dim) {
  const auto found = std::find_if(loops.rbegin(), loops.rend(), [dim](const Loop& loop) { return loop.dim == dim; });
  return found == loops.rend() ? nullptr : &*found;
}

Int32 filter_size(const Loops& loops, const Axis& axis) {
  const Loop* filter = last_on(loops, axis.filter);
  if (filter == nullptr) throw Failure{Status::missing_filter_directive};
  return filter->size;
}

// Only the first X' of a level, and only where the level has no X; the size, though, is that of the last X'.
void convert_outputs(Loops& loops) {
  for (const Axis& axis : kAxes) {
    Loop* output = first_on(loops, axis.output);
    if (output == nullptr || first_on(loops, axis.input) != nullptr) continue;
    output->size = last_on(loops, axis.output)->size + filter_size(loops, axis) - 1;
    output->dim = axis.input;
  }
}

// What the level above does not leave to this level; several inherited loops end up in reverse order.
void inherit(Loops& loops, const Loops& above) {
  for (const Loop& loop : above) {
    if (first_on(loops, loop.dim) == nullptr) loops.insert(loops.begin(), {Map::temporal, loop.dim, loop.size, loop.offset});
  }
}

void complete(Loops& loops, const LayerModel& model, const Table& table) {
  for (const Dim dim : model.operands) {
    if (first_on(loops, dim) != nullptr || !table.contains(dim)) continue;
    loops.push_back({Map::temporal, dim, table.at(dim).size, table.at(dim).size});
  }
}

// Tiles of a strided axis grow to what their outputs read. Inherited tiles grow again at every level.
void apply_strides(Loops& loops, const LayerModel& model, const Table& table, bool outermost) {
  for (const Loop& loop : loops) {
    if (!table.contains(loop.dim)) throw Failure{Status::missing_dimension};
    const std::optional<Axis> axis = axis_of_input(loop.dim);
    if (!axis || !model.convolution) continue;
    const Int32 stride = table.at(loop.dim).stride;
    const Int32 filter = model.table.at(axis->filter).size;  // the layer's, whatever the level's
    if (stride == 1 || loop.size < filter) continue;
    const Int32 outputs = (loop.size + stride - filter) / stride;
    Loop& changed = *first_on(loops, loop.dim);
    changed.size = outputs * min32(stride, filter) + max32(filter - stride, 0);
    changed.offset = outputs * (!outermost && filter < stride ? filter : stride);
  }
}

// Both forms of an axis in one level: the output form becomes a second directive on the input form.
void convert_remaining_outputs(Loops& loops) {
  for (const Axis& axis : kAxes) {
    for (Loop& loop : loops) {
      if (loop.dim == axis.output) loop = {loop.map, axis.input, loop.size + filter_size(loops, axis) - 1, loop.offset};
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// A level: what its directives alone determine.
// ---------------------------------------------------------------------------------------------------------------------

// Elements along one dimension, in the tool's terms: mapped and unique, of a full tile and of the one at the edge.
struct Tile {
  Int32 m, u, me, ue;
};

struct Level {
  Int32 N;   // sub-clusters
  Int32 Ne;  // sub-clusters with work at the spatial edge
  Loops loops;
  Table table;
  std::map<Dim, Tile> tile;  // of the last directive on a dimension; X' and Y': the output form of X and Y
};

const Loop& first_spatial(const Loops& loops) {
  return *std::find_if(loops.begin(), loops.end(), [](const Loop& loop) { return loop.map == Map::spatial; });
}

void check(const Level& level) {
  const auto spatial = std::count_if(level.loops.begin(), level.loops.end(), [](const Loop& l) { return l.map == Map::spatial; });
  if (spatial < 1 || spatial > 2) throw Failure{Status::spatial_maps};
  if (level.N * first_spatial(level.loops).offset == 0) throw Failure{Status::clusters_exceed_pes};
  for (const Loop& loop : level.loops) {
    if (!level.table.contains(loop.dim)) throw Failure{Status::missing_dimension};
    if (loop.offset == 0) throw Failure{Status::non_positive_size};  // wrapped away by a stride
  }
}

Int32 members_at_edge(const Level& level) {
  const Loop& loop = first_spatial(level.loops);
  const Int32 D = level.table.at(loop.dim).size;
  const Int32 s = loop.size;
  const Int32 o = loop.offset;
  const Int32 N = level.N;
  if (D > o * (N - 1) + s) {
    const Int32 q = ((D - s) / o + 1) / N - 1;
    const Int32 rem = D - (q + 1) * o * N;
    return rem < s ? 1 : (rem - s) / o + 1;
  }
  if (D <= s) return 1;
  const Int32 full = (D - s) / o + 1;
  return o * (full - 1) + s < D ? full + 1 : full;
}

Tile tile_of(const Loop& loop, Int32 D) {
  const Int32 s = loop.size;
  const Int32 o = loop.offset;
  const Int32 q = max32(0, (D - s) / o);
  const bool edge = q * o + s < D || s > D;
  const Int32 rest = D - (q + 1) * o;
  const Int32 e = rest < 0 ? D : rest;
  const bool stays = loop.map == Map::temporal && D <= s;
  return {s, stays ? 0 : min32(s, o), edge ? e : s, max32(o - (s - e), 0)};
}

// The results may be zero or negative: tiles smaller than the filter are where the tool's nonsense comes from.
Tile output_tile_of(const Loop& loop, const Tile& input, const Tile& filter) {
  const Int32 me = input.me - filter.me + 1;
  return {input.m - filter.m + 1, min32(loop.offset, loop.size), me, min32(loop.offset, me)};
}

void set_tiles(Level& level, bool convolution) {
  for (const Loop& loop : level.loops) level.tile[loop.dim] = tile_of(loop, level.table.at(loop.dim).size);
  if (!convolution) return;
  for (const Loop& loop : level.loops) {
    const std::optional<Axis> axis = axis_of_input(loop.dim);
    if (axis) level.tile[axis->output] = output_tile_of(loop, level.tile.at(loop.dim), level.tile.at(axis->filter));
  }
}

Table table_below(const Level& level, const LayerModel& model) {
  Table below;
  for (const Dim dim : model.operands) {
    const Extent& extent = level.table.at(dim);
    below[dim] = {min32(first_on(level.loops, dim)->size, extent.size), extent.stride};
  }
  return below;
}

// One list of directives per level, as written; and how many sub-clusters each level has.
std::vector<Level> split(const Mapping& mapping, Int32 num_pes) {
  std::vector<Level> levels(1);
  Int32 product = 1;
  for (std::uint32_t i = 0; i < mapping.count; ++i) {
    const Directive& directive = mapping.directive[i];
    if (directive.map == Map::cluster) {
      levels.emplace_back();
      levels.back().N = directive.size;
      product *= directive.size;
    } else {
      levels.back().loops.push_back({directive.map, directive.dim, directive.size, directive.offset});
    }
  }
  if (levels.size() - 1 > kMaxClusters) throw Failure{Status::too_many_clusters};
  if (product == 0) throw Failure{Status::clusters_exceed_pes};  // wrapped
  levels[0].N = num_pes / product;
  return levels;
}

std::vector<Level> levels_of(const LayerModel& model, const Mapping& mapping, Int32 num_pes) {
  std::vector<Level> levels = split(mapping, num_pes);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    Level& level = levels[i];
    level.table = i == 0 ? model.table : table_below(levels[i - 1], model);
    convert_outputs(level.loops);
    if (i > 0) inherit(level.loops, levels[i - 1].loops);
    complete(level.loops, model, level.table);
    if (level.loops.size() > kMaxLevelDirectives) throw Failure{Status::too_many_directives};
    apply_strides(level.loops, model, level.table, i == 0);
    convert_remaining_outputs(level.loops);
    check(level);
    level.Ne = members_at_edge(level);
    set_tiles(level, model.convolution);
  }
  return levels;
}

// ---------------------------------------------------------------------------------------------------------------------
// Iteration cases: one state per directive.
// ---------------------------------------------------------------------------------------------------------------------

enum class Position : std::uint8_t { init, steady, edge };

struct State {
  Position position;
  Int32 count;
  bool unrolled = false;
  bool init_edge = false;
  bool se_edge = false;  // the last active sub-cluster has a partial tile

  [[nodiscard]] bool at_edge() const { return position == Position::edge || init_edge; }
};

std::vector<State> temporal_states(const Loop& loop, Int32 d) {
  const Int32 s = loop.size;
  const Int32 o = loop.offset;
  std::vector<State> states{{Position::init, 1, d <= s, d < s, false}};
  const Int32 n = (d - s) / o;
  if (s < d && n > 0) states.push_back({Position::steady, n});
  if (d >= s && n * o + s < d) states.push_back({Position::edge, 1});
  return states;
}

std::vector<State> spatial_states(const Loop& loop, Int32 d, Int32 N) {
  const Int32 s = loop.size;
  const Int32 o = loop.offset;
  const Int32 covered = s + o * (N - 1);
  const bool unrolled = d <= covered;
  std::vector<State> states{{Position::init, 1, unrolled, d < covered, d < covered}};
  const Int32 n = ((d - s) / o + 1) / N - 1;
  if (covered < d && n > 0) states.push_back({Position::steady, n});
  if (!unrolled && (n + 1) * o * N + covered > d && n * o * N + covered != d) {
    const Int32 rem = d - (n + 1) * o * N;
    const Int32 active = rem < s ? 1 : (rem - s) / o + 1;
    states.push_back({Position::edge, 1, false, false, (active - 1) * o + s < rem});
  }
  return states;
}

struct Case {
  Int32 occurrences = 1;
  std::map<Dim, State> state;  // of the last directive on a dimension; the others only multiply the occurrences
};

// Case 0 is all Init; rounding up makes the order a rotation of the usual odometer's.
Case case_number(std::int64_t number, const Loops& loops, const std::vector<std::vector<State>>& states) {
  Case result;
  std::int64_t faster = 1;  // combinations of the directives that follow
  for (std::size_t i = loops.size(); i-- > 0;) {
    const auto count = static_cast<std::int64_t>(states[i].size());
    const State& state = states[i][static_cast<std::size_t>((number + faster - 1) / faster % count)];
    result.state.emplace(loops[i].dim, state);  // keeps what a later directive put there
    result.occurrences *= state.count;
    faster *= count;
  }
  if (result.occurrences <= 0) throw Failure{Status::occurrence_overflow};
  return result;
}

// ---------------------------------------------------------------------------------------------------------------------
// Volumes of one case.
// ---------------------------------------------------------------------------------------------------------------------

// Which sub-cluster is asked about: the first one or one of the rest; se: the one with the partial tile.
struct Member {
  bool first, se;
  bool keep = false;  // count all of a partial tile's outputs, not only the new ones
};
constexpr Member kFirst{true, false};
constexpr Member kRest{false, false};
constexpr Member kFirstPartial{true, true};
constexpr Member kRestPartial{false, true};

Int32 or_one(Int32 unique) {
  return unique == 0 ? 1 : unique;
}

class Volumes {
 public:
  Volumes(const LayerModel& model, const Level& level, const Case& the_case) : model_(model), level_(level), case_(the_case) {}

  // Data that all sub-clusters must receive.
  [[nodiscard]] Int64 ingress(Tensor t) const {
    return over_members(spatial_of(t), [&](Member member) { return pe_in(t, member); });
  }

  // Outputs that leave the sub-clusters.
  [[nodiscard]] Int64 egress() const {
    return over_members(spatial_of(kOutput), [&](Member member) { return pe_out(false, member); });
  }

  // Partial sums of all sub-clusters.
  [[nodiscard]] Int64 macs() const {
    Spatial spatial = spatial_of(kOutput);
    for (const Loop& loop : level_.loops) {
      if (loop.map == Map::spatial) spatial = {loop.dim, spatial.edge || state(loop.dim).at_edge()};
    }
    if (!spatial.edge) return level_.N * pe_out(true, kFirst);
    const bool partial = state(*spatial.dim).se_edge;
    if (level_.Ne == 1) return pe_out(true, partial ? kFirstPartial : kFirst);
    const Int64 whole = max32(level_.Ne - (partial ? 1 : 0) - 1, 0);
    const Int64 sums = pe_out(true, kFirst) + whole * pe_out(true, kFirst);
    return partial ? sums + pe_out(true, {.first = false, .se = true, .keep = true}) : sums;
  }

  // Partial sums of the slowest sub-cluster.
  [[nodiscard]] Int64 critical() const {
    const Spatial spatial = spatial_of(kOutput);
    const bool partial = spatial.dim && spatial.edge && level_.Ne == 1 && state(*spatial.dim).se_edge;
    return pe_out(true, partial ? kFirstPartial : kFirst);
  }

  [[nodiscard]] const State& state(Dim dim) const { return case_.state.at(dim); }

 private:
  struct Spatial {
    std::optional<Dim> dim;
    bool edge = false;
  };

  // The last spatial dimension of a tensor, and whether any of them is at its edge.
  [[nodiscard]] Spatial spatial_of(Tensor t) const {
    Spatial spatial;
    for (const Dim dim : model_.tensor[t]) {
      if (first_on(level_.loops, dim)->map == Map::spatial) spatial = {dim, spatial.edge || state(dim).at_edge()};
    }
    return spatial;
  }

  template <class VolumeOf>
  [[nodiscard]] Int64 over_members(const Spatial& spatial, VolumeOf volume_of) const {
    if (!spatial.dim) return volume_of(kFirst);
    if (!spatial.edge) return volume_of(kFirst) + (Int64(level_.N) - 1) * volume_of(kRest);
    const bool partial = state(*spatial.dim).se_edge;
    if (level_.Ne == 1) return volume_of(partial ? kFirstPartial : kFirst);
    const Int64 whole = max32(level_.Ne - (partial ? 1 : 0) - 1, 0);
    const Int64 volume = volume_of(kFirst) + whole * volume_of(kRest);
    return partial ? volume + volume_of(kRestPartial) : volume;
  }

  // The whole of what one sub-cluster works on.
  [[nodiscard]] Int64 mapped(Tensor t, Member member) const {
    Int64 product = 1;
    for (const Loop& loop : level_.loops) {
      if (model_.coupled(t, loop.dim)) product *= mapped_factor(loop, member);
    }
    return product;
  }

  [[nodiscard]] Int32 mapped_factor(const Loop& loop, Member member) const {
    const Tile& tile = level_.tile.at(loop.dim);
    const bool edge = state(loop.dim).at_edge();
    if (!edge) return tile.m;
    if (loop.map == Map::temporal) return tile.me;
    if (level_.Ne == 1) return member.first || member.se ? tile.me : 1;
    return member.se ? tile.me : tile.m;
  }

  // What of it is new: decided by the innermost loop that has moved.
  [[nodiscard]] Int64 pe_in(Tensor t, Member member) const {
    const Loops& loops = level_.loops;
    std::size_t moved = loops.size();
    while (moved > 0 && state(loops[moved - 1].dim).position == Position::init) --moved;
    if (moved == 0) return mapped(t, member);
    --moved;
    if (!model_.coupled(t, loops[moved].dim)) return 0;  // stationary
    bool restarted = false;                              // a loop inside the moved one starts anew
    for (std::size_t i = moved + 1; i < loops.size(); ++i) {
      const State& inner = state(loops[i].dim);
      restarted = restarted || (model_.coupled(t, loops[i].dim) && inner.position == Position::init && !inner.unrolled);
    }
    Int64 product = 1;
    for (std::size_t i = 0; i < loops.size(); ++i) {
      if (model_.coupled(t, loops[i].dim)) product *= pe_in_factor(i, moved, restarted, member);
    }
    return product;
  }

  [[nodiscard]] Int32 pe_in_factor(std::size_t i, std::size_t moved, bool restarted, Member member) const {
    const Loop& loop = level_.loops[i];
    const Tile& tile = level_.tile.at(loop.dim);
    const State& st = state(loop.dim);
    const bool moves = i == moved && !restarted;
    if (loop.map == Map::temporal) {
      if (st.position == Position::init) return st.at_edge() ? tile.me : tile.m;
      if (!moves) return tile.m;
      if (tile.u == 0) throw Failure{Status::stationary_tile};
      return tile.u;
    }
    const bool only_new = !member.first && (st.position == Position::init ? i > moved : moves);
    if (only_new) return member.se ? tile.ue : tile.u;
    return member.se ? tile.me : tile.m;
  }

  // Outputs of one sub-cluster; with `sums`, its partial sums, that is outputs times the reduction.
  [[nodiscard]] Int64 pe_out(bool sums, Member member) const {
    Int64 product = 1;
    if (sums) {
      for (const Loop& loop : level_.loops) {
        if (!model_.coupled(kOutput, loop.dim)) product *= reduction_factor(loop, member);
      }
    }
    for (const Dim dim : model_.tensor[kOutput]) product *= output_factor(dim, member);
    return product;
  }

  [[nodiscard]] Int32 reduction_factor(const Loop& loop, Member member) const {
    const Tile& tile = level_.tile.at(loop.dim);
    const State& st = state(loop.dim);
    if (loop.map == Map::temporal) return st.at_edge() ? tile.me : tile.m;
    if (st.position == Position::edge) {
      if (level_.Ne == 1) return member.first || member.se ? tile.me : 1;
      if (member.se) return tile.ue;
    } else if (st.at_edge() && member.se) {
      return tile.me;
    }
    return member.first ? tile.m : or_one(tile.u);
  }

  [[nodiscard]] Int32 output_factor(Dim dim, Member member) const {
    const std::optional<Axis> axis = model_.convolution ? axis_of_input(dim) : std::nullopt;
    const Tile& tile = level_.tile.at(axis ? axis->output : dim);
    const State& st = state(dim);
    if (first_on(level_.loops, dim)->map == Map::temporal) return st.at_edge() ? tile.me : tile.m;
    if (st.position == Position::edge) {
      if (level_.Ne == 1) return member.first || member.se ? level_.tile.at(dim).me : 1;  // the input form, as in the tool
      if (member.se) return tile.ue;
    } else if (st.at_edge() && member.se) {
      return level_.Ne == 1 || member.keep ? tile.me : tile.ue;
    }
    return member.first ? tile.m : or_one(tile.u);
  }

  const LayerModel& model_;
  const Level& level_;
  const Case& case_;
};

// ---------------------------------------------------------------------------------------------------------------------
// The recursion.
// ---------------------------------------------------------------------------------------------------------------------

struct DelayTotals {
  Int64 min = std::numeric_limits<std::int64_t>::max();
  Int64 max = 0;
  Int64 sum = 0;

  void add(Int64 delay, Int64 occurrences) {
    min = min_of(min, delay);
    max = max_of(max, delay);
    sum += occurrences * delay;
  }
  [[nodiscard]] Delay get() const { return {min.get(), max.get(), sum.get()}; }
};

struct Totals {
  Int64 run, macs, l1_output, occurrences;
  std::array<Int64, kTensors> l2_read{}, l2_write{};
  std::array<Int64, kTensors> l2_required{}, l1_required{};
  Int64 peak, bw_sum, offchip;
  DelayTotals ingress, egress, compute;
  Int64 last_macs, last_ingress;
  double active = 0;
};

struct Evaluation {
  LayerModel model;
  std::vector<Level> levels;
  Hardware hardware;
  Version version;
  std::uint64_t cases = 0;             // so far, over all calls
  std::optional<Int64> l1_required{};  // of the first call that ends, that is of the innermost level reached
  bool l1_from_outermost = false;
};

Totals analyze(Evaluation& evaluation, std::size_t depth, const Sizes& sizes);

// One level with given sizes of its dimensions.
class Call {
 public:
  Call(Evaluation& evaluation, std::size_t depth, const Sizes& sizes)
      : evaluation_(evaluation), model_(evaluation.model), level_(evaluation.levels[depth]), depth_(depth), sizes_(sizes) {}

  [[nodiscard]] Totals run() {
    std::vector<std::vector<State>> states;
    std::int64_t cases = 1;
    for (const Loop& loop : level_.loops) {
      const Int32 d = sizes_.at(loop.dim);
      states.push_back(loop.map == Map::temporal ? temporal_states(loop, d) : spatial_states(loop, d, level_.N));
      cases *= static_cast<std::int64_t>(states.back().size());
    }
    for (std::int64_t number = 0; number < cases; ++number) {
      if (++evaluation_.cases > kMaxCases) throw Failure{Status::case_limit};
      add(case_number(number, level_.loops, states));
    }
    if (totals_.occurrences != 0) totals_.active /= static_cast<double>(totals_.occurrences.get());
    if (!evaluation_.l1_required) {
      evaluation_.l1_required = sum(totals_.l1_required);
      evaluation_.l1_from_outermost = outermost();
    }
    return totals_;
  }

  [[nodiscard]] static Int64 sum(const std::array<Int64, kTensors>& of) { return of[kInput] + of[kOutput] + of[kWeight]; }

 private:
  struct Work {
    Int64 delay;
    double active;
  };

  [[nodiscard]] bool outermost() const { return depth_ == 0; }
  [[nodiscard]] bool innermost() const { return depth_ + 1 == evaluation_.levels.size(); }

  void add(const Case& the_case) {
    const Volumes volumes(model_, level_, the_case);
    const bool head = evaluation_.version == Version::head;
    if (!set_up_) require_buffers(volumes);
    if (!head) set_up_ = true;

    const Int64 occurrences = the_case.occurrences;
    const Int64 egress = volumes.egress();
    const Int64 macs = volumes.macs();
    const Int64 critical = volumes.critical();
    totals_.l2_write[kOutput] += occurrences * egress;
    totals_.l1_output += occurrences * macs;
    if (head && critical <= 0) return;
    set_up_ = true;

    Int64 ingress = 0;
    for (const Tensor t : {kInput, kWeight}) {
      const Int64 volume = volumes.ingress(t);
      ingress += volume;
      totals_.l2_read[t] += occurrences * volume;
    }
    totals_.last_macs = macs;
    totals_.last_ingress = ingress;

    const Work work = innermost() ? compute(critical) : work_below(volumes);
    const Int64 delay = delay_of(the_case, ingress, egress, work.delay);
    totals_.run += occurrences * delay;
    totals_.macs += occurrences * macs;
    const double active = work.active != 0 ? work.active : static_cast<double>(active_members(volumes).get());
    totals_.active += active * static_cast<double>(occurrences.get());
    add_traffic(occurrences, ingress, egress, work.delay == 0 ? 1 : work.delay);
    totals_.occurrences += occurrences;
  }

  // Double buffers at both ends of this level's network, and what the larger ones see once.
  void require_buffers(const Volumes& volumes) {
    for (const Tensor t : {kInput, kWeight}) {
      totals_.l2_write[t] = 1;
      Int64 tile = 1;
      for (const Dim dim : model_.tensor[t]) {
        totals_.l2_write[t] *= sizes_.at(dim);
        tile *= level_.tile.at(dim).m;
      }
      totals_.l2_required[t] += 2 * volumes.ingress(t);
      totals_.l1_required[t] += 2 * tile;
    }
    totals_.l2_read[kOutput] = 1;
    Int64 tile = 1;
    for (const Dim dim : model_.tensor[kOutput]) {
      const std::optional<Axis> axis = model_.convolution ? axis_of_input(dim) : std::nullopt;
      totals_.l2_read[kOutput] *= axis ? sizes_.at(dim) - sizes_.at(axis->filter) + 1 : sizes_.at(dim);
      tile *= level_.tile.at(dim).m;  // the input form: the halo counts
    }
    totals_.l2_required[kOutput] = 2 * volumes.egress();
    totals_.l1_required[kOutput] = 2 * tile;
  }

  [[nodiscard]] const State& spatial_state(const Volumes& volumes) const {
    return volumes.state(first_spatial(level_.loops).dim);
  }

  [[nodiscard]] Int32 active_members(const Volumes& volumes) const {
    return spatial_state(volumes).at_edge() ? level_.Ne : level_.N;
  }

  [[nodiscard]] Work compute(Int64 critical) const {
    const double lanes = evaluation_.hardware.num_simd_lanes;
    return {to_int64(std::ceil(static_cast<double>(critical.get()) / lanes)), 0};
  }

  // The slowest of the sub-clusters; one with a partial tile differs from the others.
  [[nodiscard]] Work work_below(const Volumes& volumes) const {
    Work work{0, 0};
    const auto add = [&](bool partial, Int32 members) {
      const Totals below = analyze(evaluation_, depth_ + 1, sizes_below(volumes, partial));
      work.delay = max64(work.delay, below.run);
      work.active += static_cast<double>(members.get()) * below.active;
    };
    const State& state = spatial_state(volumes);
    if (state.at_edge() && state.se_edge) {
      add(true, 1);
      if (level_.Ne - 1 > 0) add(false, level_.Ne - 1);
    } else {
      add(false, active_members(volumes));
    }
    return work;
  }

  [[nodiscard]] Sizes sizes_below(const Volumes& volumes, bool partial) const {
    Sizes below;
    for (const Loop& loop : level_.loops) {
      const Tile& tile = level_.tile.at(loop.dim);
      const bool edge = volumes.state(loop.dim).at_edge();
      const bool whole = loop.map == Map::spatial && level_.Ne != 1 && !partial;
      below.emplace(loop.dim, edge && !whole ? tile.me : tile.m);  // the first directive decides
    }
    return below;
  }

  // Cycles to send a volume; none takes one less than the latency.
  [[nodiscard]] Int64 transfer(Int64 volume) const {
    const Int64 bw = evaluation_.hardware.noc_bw;
    const Int64 sends = volume / bw + (volume % bw != 0 ? 1 : 0);
    return evaluation_.hardware.noc_latency + sends - 1;
  }

  [[nodiscard]] Int64 delay_of(const Case& the_case, Int64 ingress, Int64 egress, Int64 compute) {
    const bool start = std::all_of(the_case.state.begin(), the_case.state.end(),
                                   [](const auto& entry) { return entry.second.position == Position::init; });
    const Int64 delay = start ? compute + transfer(ingress) : max64(transfer(egress), max64(compute, transfer(ingress)));
    if (!outermost()) return delay;
    if (compute == 0) throw Failure{Status::zero_compute_delay};
    const Int64 operands = totals_.l2_required[kInput] + totals_.l2_required[kWeight];
    const Int64 outputs = totals_.l2_required[kOutput];
    const Int64 bw = evaluation_.hardware.offchip_bw;
    totals_.offchip = max64(totals_.offchip, max64(outputs / compute, operands / compute)) / 2;  // halved at every case
    return max64(delay, max64(operands / bw / 2, outputs / bw / 2));
  }

  void add_traffic(Int64 occurrences, Int64 ingress, Int64 egress, Int64 compute) {
    const Int64 larger = max64(ingress, egress);
    totals_.peak = max64(totals_.peak, larger / compute);
    totals_.bw_sum += occurrences * larger / compute;
    totals_.ingress.add(transfer(ingress), occurrences);
    totals_.egress.add(transfer(egress), occurrences);
    totals_.compute.add(compute, occurrences);
  }

  Evaluation& evaluation_;
  const LayerModel& model_;
  const Level& level_;
  const std::size_t depth_;
  const Sizes& sizes_;
  Totals totals_{};
  bool set_up_ = false;
};

Totals analyze(Evaluation& evaluation, std::size_t depth, const Sizes& sizes) {
  return Call(evaluation, depth, sizes).run();
}

// ---------------------------------------------------------------------------------------------------------------------
// What the tool refuses before it looks at the mapping as a whole.
// ---------------------------------------------------------------------------------------------------------------------

void check_input(const Layer& layer, const Mapping& mapping, const Hardware& hw, Version version) {
  if (hw.num_pes <= 0 || hw.num_simd_lanes <= 0 || hw.noc_bw <= 0 || hw.offchip_bw <= 0)
    throw Failure{Status::non_positive_hardware};
  if (mapping.count > kMaxDirectives) throw Failure{Status::too_many_directives};
  const std::vector<Directive> directives(mapping.directive, mapping.directive + mapping.count);
  for (const Directive& directive : directives) {
    if (directive.size <= 0) throw Failure{Status::non_positive_size};
    if (directive.map != Map::cluster && directive.offset <= 0) throw Failure{Status::non_positive_size};
  }
  for (std::uint32_t i = 0; i < kDims; ++i) {
    if (layer.size[i] < 0 || layer.stride[i] < 1) throw Failure{Status::non_positive_size};
  }
  if (directives.empty()) throw Failure{Status::empty_mapping};
  if (version != Version::head) return;
  for (const Directive& directive : directives) {
    if (directive.map != Map::temporal || (directive.dim != Dim::R && directive.dim != Dim::S)) continue;
    const std::int32_t filter = layer.size[index_of(directive.dim)];
    if (directive.size != directive.offset || directive.size != filter) throw Failure{Status::filter_tile};
  }
}

Counters counters_of(const Evaluation& evaluation, const Totals& totals) {
  Counters counters{};
  counters.runtime = totals.run.get();
  counters.num_macs = totals.macs.get();
  counters.l1_output = totals.l1_output.get();
  for (std::uint32_t t = 0; t < kTensors; ++t) {
    counters.l2_read[t] = totals.l2_read[t].get();
    counters.l2_write[t] = totals.l2_write[t].get();
  }
  const Int64 l2_required = Call::sum(totals.l2_required), l1_required = *evaluation.l1_required;
  counters.l2_size = narrow(l2_required).get();
  counters.l1_size = narrow(l1_required).get();
  counters.sizes_wrapped = counters.l2_size != l2_required.get() || counters.l1_size != l1_required.get() ? 1 : 0;
  counters.peak_bw = totals.peak.get();
  counters.bw_sum = totals.bw_sum.get();
  counters.occurrences = totals.occurrences.get();
  counters.offchip_bw = totals.offchip.get();
  counters.ingress = totals.ingress.get();
  counters.egress = totals.egress.get();
  counters.compute = totals.compute.get();
  if (totals.occurrences == 0) {  // the tool then averages over nothing
    const std::int64_t nothing = std::numeric_limits<std::int64_t>::min();
    counters.ingress.min = counters.egress.min = counters.compute.min = nothing;
  }
  counters.last_macs = totals.last_macs.get();
  counters.last_ingress = totals.last_ingress.get();
  counters.l1_in_energy = evaluation.l1_from_outermost ? 1 : 0;
  counters.active_pes = totals.active;
  return counters;
}

}  // namespace

Status evaluate_reference(const Layer& layer, const Mapping& mapping, const Hardware& hardware, Version version,
                          Counters& counters) {
  counters = {};
  try {
    check_input(layer, mapping, hardware, version);
    Evaluation evaluation{model_of(layer), {}, hardware, version};
    evaluation.levels = levels_of(evaluation.model, mapping, hardware.num_pes);
    Sizes sizes;
    for (const auto& [dim, extent] : evaluation.model.table) sizes[dim] = extent.size;
    counters = counters_of(evaluation, analyze(evaluation, 0, sizes));
    return Status::ok;
  } catch (const Failure& failure) {
    return failure.status;
  }
}

}  // namespace exarch::maestro
