#include "host/timeloop/search.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <queue>
#include <stdexcept>

#include "host/error.hpp"
#include "host/metric/metric.hpp"
#include "host/timeloop/records.hpp"
#include "host/timeloop/search_bound.hpp"
#include "kernels/launch/timeloop_launch.hpp"
#include "kernels/timeloop/deliveries.hpp"

namespace exarch::timeloop {
namespace {

constexpr double kTolerance = 1e-12;

// A partial mapping: the blocks of the stages outside one are decided, and what the level of that stage keeps. `tile` is what is
// left for that level and those inside.
struct Partial {
  double energy = 0;                     // pJ of what is decided
  double leak = 0;                       // pJ per cycle of the levels decided
  double cycles = 0;                     // that the levels outside need for what is decided
  double used = 1;                       // instances of the level in use
  double distinct = 1;                   // of them, those with different outputs
  double prefix = 1;                     // iterations of the innermost loops outside that leave tensor `idle` in its place
  double partition = 0;                  // words of the outputs that an instance of their source sees in all
  std::uint32_t table = 0;               // of bounds
  std::uint32_t tile = 0;                // state of the lattice
  std::uint32_t parent = 0;              // place in the list of the level outside
  std::uint32_t segment = 0;             // the innermost loops outside, as far as inputs may overlap: a number
  std::uint32_t spread = 0, layout = 0;  // of the stage outside
  std::uint8_t order = 0;                // of its temporal loops
  std::uint8_t keep = 0;                 // tensors that the level keeps
  std::uint8_t idle = kSpaces;
  bool dropped = false;
  std::array<std::int8_t, kSpaces> source{-1, -1, -1};  // (tensor) innermost level so far that keeps it
  std::array<double, kSpaces> instances{};              // (tensor) of the source
  std::array<double, kSpaces> groups{1, 1, 1};          // (tensor) accesses of the source per delivery of this level
  std::array<double, kSpaces> peer{};                   // (tensor) words that an instance of the source has from neighbours
  std::array<double, kMaxLevels> reads{}, writes{};     // (level) words per instance, of what is decided
};

// What a source is charged for a tensor: words per instance, pJ in all.
struct Bill {
  double reads = 0, updates = 0, energy = 0;
};

// What a level delivers of a tensor, per instance of the level: accesses, words that a child receives, words from neighbours, and
// accesses per delivery.
struct Delivered {
  double accesses = 0, share = 0, link = 0, groups = 1;
};

class Search {
 public:
  explicit Search(const MappingTask& task);
  MappingResult run();

 private:
  using Cost = std::array<double, 3>;

  using Deliveries = std::array<Delivered, kSpaces>;

  struct Ways {  // what is the same for all orders of the loops of a stage
    std::uint32_t from, child;
    const Spread* spread;
    TileLattice::Digits loops{};  // factors of the temporal loops
    DimSet dims = 0;
    double steps = 0;         // iterations of all temporal loops so far
    std::uint32_t table = 0;  // of bounds
  };
  struct Shape {  // what is the same whatever the next level keeps
    std::uint32_t spread, layout, segment;
    std::uint8_t order, idle;
    double prefix;
  };

  void pass(std::size_t beam);
  void start();
  void expand(std::uint32_t stage, std::uint32_t at);
  [[nodiscard]] std::uint32_t table_of(std::uint32_t stage, std::uint32_t at, const Spread& spread);
  void visit(std::uint32_t stage, Ways& ways, const TileLattice::Digits& rest, std::size_t place);
  void decide(std::uint32_t stage, Ways& ways);
  void lay_out(std::uint32_t stage, const Ways& ways, std::uint32_t order);
  [[nodiscard]] bool moves_out(std::uint32_t stage, const Order& loops) const;
  void hand_on(std::uint32_t stage, const Ways& ways, Shape& shape, Deliveries& delivered);
  void keep(std::uint32_t stage, const Ways& ways, const Shape& shape, const Deliveries& delivered);
  void finish(const Ways& ways, const Shape& shape, const Deliveries& delivered);
  void add(std::uint32_t stage, const Partial& partial, const Cost& at_least);
  [[nodiscard]] Bill bill(const Partial& from, std::uint32_t space, double content) const;
  [[nodiscard]] double cycles_of(const Partial& partial) const;
  [[nodiscard]] bool dominates(const Partial& a, const Partial& b) const;
  [[nodiscard]] static bool alike(const Partial& a, const Partial& b);
  [[nodiscard]] Cost costs(double energy, double cycles) const;
  [[nodiscard]] bool hopeless(const Cost& cost) const;
  [[nodiscard]] Cost at_least(std::uint32_t stage, const Partial& partial) const;
  [[nodiscard]] Nest outside(std::uint32_t stage, std::uint32_t at) const;
  [[nodiscard]] double input_deliveries(std::uint32_t level, const Nest& nest, std::uint32_t child, const Spread& spread,
                                        bool& may_link) const;
  [[nodiscard]] std::uint32_t segment_of(const Nest& nest, std::uint32_t level);
  [[nodiscard]] const std::vector<std::vector<Block>>& layouts(std::uint32_t stage, std::uint32_t spread);
  [[nodiscard]] const std::vector<Block>& blocks_of(std::uint32_t stage, std::uint32_t spread, std::uint32_t layout) const;
  [[nodiscard]] Mapping mapping_of(const Ways& ways, const Shape& shape) const;
  void set_loops(std::uint32_t stage, const Ways& ways, const Order& order, const std::vector<Block>& blocks, Nest& nest) const;
  bool tell(std::uint32_t stage, double share);

  const MappingTask& task_;
  const Architecture& architecture_;
  TileLattice tiles_;
  std::vector<StageChoices> stages_;
  std::unique_ptr<SearchBound> bound_;
  std::array<std::int64_t, kMaxLevels> wide_{}, high_{};
  double computes_, least_leak_ = 0;
  bool slides_, energy_matters_ = false, cycles_matter_ = false, leaks_ = false, stopped_ = false;
  std::vector<std::uint32_t> split_;  // dimensions with a bound to split
  DimSet hard_ = 0;                   // loops after which a delivery of the inputs is never shortened
  std::array<bool, kMaxLevels> limited_{};
  std::vector<std::vector<Partial>> partials_;       // (stage)
  std::vector<std::vector<std::uint32_t>> by_tile_;  // (tile) of the stage that is being made
  std::map<std::vector<std::int64_t>, std::uint32_t> segments_;
  std::array<std::map<std::uint32_t, std::vector<std::vector<Block>>>, kMaxLevels> layouts_;  // (stage)
  Nest outer_{};  // of the partial mapping that is gone on with
  std::unique_ptr<FullWorkspace> work_ = std::make_unique<FullWorkspace>();
  MappingResult result_;
  Cost best_{kInfinity, kInfinity, kInfinity};
  // With a beam: bounds of the best partial mappings of the stage that is being made, the worst first.
  std::priority_queue<Cost> leaders_;
  std::size_t beam_ = 0;
  double least_ = kInfinity;  // bound of the partial mappings of the stage that is being made
};

// Before anything is made of them.
const MappingTask& checked(const MappingTask& task) {
  if (!has_good_numbers(task.problem, task.architecture)) {
    throw Error("a number of the layer or the architecture is out of its range");
  }
  return task;
}

Search::Search(const MappingTask& task)
    : task_(task), architecture_(task.architecture), tiles_(checked(task).problem), slides_(slides(task.problem)) {
  Fault fault{};
  Nest nest{};
  if (!lay_networks(architecture_, nest, fault)) {
    const std::string level =
        fault.level < task.level_names.size() ? task.level_names[fault.level] : "level " + std::to_string(fault.level);
    throw Error(level + ": its instances are not meshX x meshY, or the meshes inside it are no multiples of its own");
  }
  std::vector<std::string> names = task.level_names;
  for (auto s = static_cast<std::uint32_t>(names.size()); s < architecture_.levels; ++s)
    names.push_back("level " + std::to_string(s));
  stages_ = stages_of(task.problem, architecture_, task.constraints, tiles_, names);
  for (std::uint32_t s = 0; s < architecture_.levels; ++s) {
    wide_[s] = nest.wide[s];
    high_[s] = nest.high[s];
    const Storage& storage = architecture_.storage[s];
    limited_[s] = storage.read_bw > 0 || storage.write_bw > 0;
    leaks_ = leaks_ || storage.leak_pj > 0;
    least_leak_ += storage.leak_pj;
  }
  for (const Goal goal : task.goals) {
    energy_matters_ = energy_matters_ || goal != Goal::cycles;
    cycles_matter_ = cycles_matter_ || goal != Goal::energy;
  }
  cycles_matter_ = cycles_matter_ || (energy_matters_ && leaks_);
  const auto both = [&](Dim a, Dim b) { return task.problem.bound[index_of(a)] > 1 && task.problem.bound[index_of(b)] > 1; };
  hard_ = static_cast<DimSet>(set_of(Dim::N) | set_of(Dim::C));
  if (!both(Dim::R, Dim::P)) hard_ = static_cast<DimSet>(hard_ | set_of(Dim::R) | set_of(Dim::P));
  if (!both(Dim::S, Dim::Q)) hard_ = static_cast<DimSet>(hard_ | set_of(Dim::S) | set_of(Dim::Q));
  computes_ = tiles_.computes(tiles_.count() - 1);
  if (computes_ > static_cast<double>(kLargestCount)) {
    throw Error("the layer has more than 2^53 multiply-accumulates, which is a limit of Exarch");
  }
  result_.tiles = tiles_.count();
  for (std::uint32_t d = 0; d < kDims; ++d) {
    if (task.problem.bound[d] > 1) split_.push_back(d);
  }
  by_tile_.resize(tiles_.count());
  segments_[{}] = 0;
  bound_ = std::make_unique<SearchBound>(task.problem, architecture_, task.rule, tiles_, stages_);
}

MappingResult Search::run() {
  pass(task_.beam);
  if (!stopped_) pass(0);
  result_.proved = !stopped_;
  if (result_.found) {
    for (const Goal goal : task_.goals) {
      result_.cost.push_back(cost_of(goal, result_.price.energy_pj, static_cast<double>(result_.price.cycles)));
    }
    if (result_.proved) result_.at_least = result_.cost.front();
  }
  return result_;
}

bool Search::tell(std::uint32_t stage, double share) {
  if (!task_.observer || stopped_) return !stopped_;
  stopped_ = !task_.observer({stages_[stage].level, share, result_.found, best_[0], result_.at_least});
  return !stopped_;
}

// The layer as a tile of the outermost level, which has one instance and everything to keep.
void Search::start() {
  const auto last = static_cast<std::uint32_t>(stages_.size() - 1);
  for (const std::uint8_t kept : stages_[last].keeps) {
    if (!bound_->fits(last, tiles_.count() - 1, kept)) continue;
    Partial whole;
    whole.tile = tiles_.count() - 1;
    whole.keep = kept;
    whole.energy = computes_ * architecture_.compute.compute_pj;
    whole.leak = architecture_.storage[stages_[last].level].leak_pj;
    whole.partition = tiles_.words(whole.tile)[kOutputs];
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      if ((kept >> space & 1u) == 0) continue;
      whole.source[space] = static_cast<std::int8_t>(stages_[last].level);
      whole.instances[space] = 1;
    }
    if (!hopeless(at_least(last, whole))) partials_[last].push_back(whole);
  }
}

// Decides stage after stage. With a beam only that many partial mappings of a stage are kept.
void Search::pass(std::size_t beam) {
  partials_.assign(stages_.size(), {});
  beam_ = beam;
  start();
  for (auto stage = static_cast<std::uint32_t>(stages_.size()); stage-- > 0;) {
    leaders_ = {};
    std::vector<Partial>& now = partials_[stage];
    std::erase_if(now, [&](const Partial& p) { return p.dropped || hopeless(at_least(stage, p)); });
    std::vector<std::pair<Cost, std::uint32_t>> order;
    for (std::uint32_t i = 0; i < now.size(); ++i) order.emplace_back(at_least(stage, now[i]), i);
    std::sort(order.begin(), order.end());
    least_ = kInfinity;
    if (beam != 0 && order.size() > beam) order.resize(beam);
    for (std::vector<std::uint32_t>& list : by_tile_) list.clear();
    for (std::size_t i = 0; i < order.size(); ++i) {
      // What comes of those still to be gone on with costs at least what they do, as they are in order.
      if (beam == 0) result_.at_least = std::min({order[i].first[0], least_, best_[0]});
      if (!tell(stage, static_cast<double>(i) / static_cast<double>(order.size()))) return;
      expand(stage, order[i].second);
    }
  }
}

// ---- what follows a partial mapping ----------------------------------------------------------------------------------------

const std::vector<Block>& Search::blocks_of(std::uint32_t stage, std::uint32_t spread, std::uint32_t layout) const {
  return layout == 0 ? stages_[stage].spreads[spread].blocks : layouts_[stage].at(spread)[layout - 1];
}

// The loops outside a stage, with their strides.
Nest Search::outside(std::uint32_t stage, std::uint32_t at) const {
  Nest nest{};
  nest.levels = architecture_.levels;
  for (std::uint32_t s = stage + 1; s < stages_.size(); ++s) {
    const Partial& inner = partials_[s - 1][at];
    const Partial& outer = partials_[s][inner.parent];
    Ways ways{inner.parent, inner.tile, &stages_[s].spreads[inner.spread], {}, 0, 0, 0};
    for (std::uint32_t d = 0; d < kDims; ++d) {
      ways.loops[d] = tiles_.quotient(d, tiles_.quotient(d, tiles_.digits(outer.tile)[d], ways.spread->digits[d]),
                                      tiles_.digits(inner.tile)[d]);
      if (ways.loops[d] != 0) ways.dims = static_cast<DimSet>(ways.dims | 1u << d);
    }
    set_loops(s, ways, stages_[s].orders[ways.dims][inner.order], blocks_of(s, inner.spread, inner.layout), nest);
    at = inner.parent;
  }
  return nest;
}

// Enters the loops of a stage into a nest.
void Search::set_loops(std::uint32_t stage, const Ways& ways, const Order& order, const std::vector<Block>& blocks,
                       Nest& nest) const {
  std::array<std::int64_t, kDims> around = tiles_.extents(ways.child);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const std::size_t level = stages_[stage].lowest + b;
    for (std::uint32_t d = 0; d < kDims && level > 0; ++d) nest.extent[level - 1][d] = around[d];
    NestBlock& spatial = nest.spatial[level];
    spatial.count = blocks[b].count;
    std::int64_t x = 1, y = 1;
    for (std::uint32_t l = 0; l < blocks[b].count; ++l) {
      const Loop& loop = blocks[b].loop[l];
      spatial.loop[l] = {loop.dim, loop.axis, loop.bound, around[index_of(loop.dim)]};
      around[index_of(loop.dim)] *= loop.bound;
      (loop.axis == Axis::x ? x : y) *= loop.bound;
    }
    nest.fan[level] = x * y;
    nest.wide[level] = std::max(wide_[level], x);
    nest.high[level] = std::max(high_[level], y);
    nest.temporal[level].count = 0;
  }
  NestBlock& temporal = nest.temporal[stages_[stage].level];
  temporal.count = order.count;
  for (std::uint32_t l = 0; l < order.count; ++l) {
    const std::uint32_t d = index_of(order.loop[l]);
    temporal.loop[l] = {order.loop[l], Axis::x, tiles_.divisors(d)[ways.loops[d]], around[d]};
  }
}

// The bounds for what is inside a stage, where a spread is decided.
std::uint32_t Search::table_of(std::uint32_t stage, std::uint32_t at, const Spread& spread) {
  const Partial& from = partials_[stage][at];
  if (stage == 0 || stages_[stage].spreads.size() == 1) return from.table;
  SearchBound::Shares shares{1, 1, 1};
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    if (from.source[space] < 0) continue;
    shares[space] = from.used / (from.instances[space] * from.groups[space]) * most_alike(spread, tiles_, space);
  }
  return bound_->table(stage - 1, shares);
}

void Search::expand(std::uint32_t stage, std::uint32_t at) {
  const TileLattice::Digits& tile = tiles_.digits(partials_[stage][at].tile);
  ++result_.partial;
  if (slides_ || stage == 0) outer_ = outside(stage, at);
  for (const Spread& spread : stages_[stage].spreads) {
    TileLattice::Digits rest;
    if (!tiles_.divide(tile, spread.digits, rest)) continue;
    Ways ways{at, 0, &spread, {}, 0, 0, table_of(stage, at, spread)};
    visit(stage, ways, rest, 0);
  }
}

// All tiles of the children, dimension by dimension; `ways.child` has those decided.
void Search::visit(std::uint32_t stage, Ways& ways, const TileLattice::Digits& rest, std::size_t place) {
  if (place == split_.size()) {
    decide(stage, ways);
    return;
  }
  const std::uint32_t d = split_[place];
  const auto most = static_cast<std::uint8_t>(stage == 0 ? 0 : rest[d]);
  const DimSet dims = ways.dims;
  const std::uint32_t child = ways.child;
  for (std::uint8_t i = 0; i <= most; ++i) {
    const std::uint8_t loop = tiles_.quotient(d, rest[d], i);
    if (loop == TileLattice::kNone || !stages_[stage].temporal[d][loop]) continue;
    ways.child = child + i * tiles_.radix(d);
    ways.loops[d] = loop;
    ways.dims = static_cast<DimSet>(loop == 0 ? dims : dims | 1u << d);
    visit(stage, ways, rest, place + 1);
  }
  ways.dims = dims;
  ways.child = child;
}

// A tile of the children is chosen. Before anything is counted: what is inside costs at least the bound.
void Search::decide(std::uint32_t stage, Ways& ways) {
  ++result_.decisions;
  const Partial& from = partials_[stage][ways.from];
  const double used = from.used * ways.spread->children;
  if (stage > 0) {
    const double cycles = std::max(from.cycles, computes_ / (used * bound_->multipliers(stage - 1, ways.child)));
    if (hopeless(costs(from.energy + bound_->energy(ways.table, stage - 1, ways.child) + least_leak_ * cycles, cycles))) return;
  }
  ways.steps = computes_ / (tiles_.computes(ways.child) * used);
  for (std::uint32_t order = 0; order < stages_[stage].orders[ways.dims].size(); ++order) lay_out(stage, ways, order);
}

// What a child receives of the inputs over the run. `may_link`: neighbours may have had the same before.
double Search::input_deliveries(std::uint32_t level, const Nest& nest, std::uint32_t child, const Spread& spread,
                                bool& may_link) const {
  Classes classes;
  const std::array<std::int64_t, kDims> extents = tiles_.extents(child);
  std::int64_t tile[kDims];
  std::copy(extents.begin(), extents.end(), tile);
  classify(task_.problem, nest, level, kInputs, tile, classes);
  std::int64_t reach[kRanks];
  for (std::uint32_t r = 0; r < kRanks; ++r) {
    std::int64_t last[kDims];
    for (std::uint32_t d = 0; d < kDims; ++d) last[d] = (tiles_.divisors(d)[spread.digits[d]] - 1) * extents[d];
    reach[r] = along(rank_of(task_.problem, kInputs, r), last);
  }
  auto words = static_cast<double>(classes.tile);
  may_link = false;
  for (std::uint32_t j = 0; j < classes.count; ++j) {
    words += static_cast<double>(classes.weight[j]) * static_cast<double>(classes.words[j]);
    bool within = classes.words[j] > 0;
    for (std::uint32_t r = 0; r < kRanks && within; ++r) within = std::abs(classes.shift[j][r]) <= reach[r];
    may_link = may_link || within;
  }
  may_link = may_link && spread.children > 1;
  return words;
}

// All layouts of a spread of a stage with one level.
const std::vector<std::vector<Block>>& Search::layouts(std::uint32_t stage, std::uint32_t spread) {
  auto [at, is_new] = layouts_[stage].try_emplace(spread);
  if (is_new) {
    const std::uint32_t level = stages_[stage].level;
    for (Block& block :
         layouts_of(stages_[stage].spreads[spread], tiles_, task_.constraints.spatial[level], wide_[level], high_[level])) {
      at->second.push_back({block});
    }
  }
  return at->second;
}

// The number of the innermost loops, up to the first one after which inputs never overlap.
std::uint32_t Search::segment_of(const Nest& nest, std::uint32_t level) {
  std::vector<std::int64_t> segment;
  std::size_t moving = 0;
  for (std::uint32_t s = level; s < nest.levels; ++s) {
    for (std::uint32_t l = 0; l < nest.temporal[s].count; ++l) {
      const NestLoop& loop = nest.temporal[s].loop[l];
      if ((hard_ & set_of(loop.dim)) != 0) {
        s = nest.levels;
        break;
      }
      segment.insert(segment.end(), {static_cast<std::int64_t>(loop.dim), loop.bound, loop.stride});
      if (loop.dim != Dim::M) moving = segment.size();
    }
  }
  segment.resize(moving == 0 ? 0 : moving);
  return segments_.try_emplace(segment, static_cast<std::uint32_t>(segments_.size())).first->second;
}

// Whether the outermost loop of a level that keeps nothing may as well stand at the next level outside; then it does. Loops over
// channels and batch may always, merged with those that are there: what comes after them is read whole in any case. A loop over
// another dimension may where it comes out with the same strides.
bool Search::moves_out(std::uint32_t stage, const Order& loops) const {
  if (!slides_ || !stages_[stage].passes || loops.count == 0) return false;
  const Dim last = loops.loop[loops.count - 1];
  if (last == Dim::C || last == Dim::N) return true;
  const auto is_over = [last](const NestBlock& block) {
    return std::any_of(block.loop, block.loop + block.count, [last](const NestLoop& loop) { return loop.dim == last; });
  };
  const std::uint32_t next = stages_[stage].level + 1;
  return !is_over(outer_.temporal[next]) && (last == Dim::M || !is_over(outer_.spatial[next]));
}

void Search::lay_out(std::uint32_t stage, const Ways& ways, std::uint32_t order) {
  const Partial& from = partials_[stage][ways.from];
  const Order& loops = stages_[stage].orders[ways.dims][order];
  const Spread& spread = *ways.spread;
  Shape shape{static_cast<std::uint32_t>(ways.spread - stages_[stage].spreads.data()),
              0,
              from.segment,
              static_cast<std::uint8_t>(order),
              from.idle,
              from.prefix};
  // The tensor that the innermost loops leave in its place, and for how long.
  if (loops.count > 0) {
    const Space idle = idle_of(loops.loop[0]);
    std::uint32_t l = 0;
    double iterations = 1;
    for (; l < loops.count && idle_of(loops.loop[l]) == idle; ++l) {
      const std::uint32_t d = index_of(loops.loop[l]);
      iterations *= static_cast<double>(tiles_.divisors(d)[ways.loops[d]]);
    }
    shape.prefix = iterations * (l == loops.count && from.idle == idle ? from.prefix : 1);
    shape.idle = static_cast<std::uint8_t>(idle);
  }
  if (moves_out(stage, loops)) return;
  if (stage > 0) {
    const double used = from.used * spread.children;
    const double cycles = std::max(from.cycles, computes_ / (used * bound_->multipliers(stage - 1, ways.child)));
    const double inside = bound_->energy(ways.table, stage - 1, ways.child, shape.idle);
    if (hopeless(costs(from.energy + inside + least_leak_ * cycles, cycles))) return;
  }
  Deliveries delivered;
  const auto plain = [&](std::uint32_t space, double words, double groups) {
    delivered[space] = {words * groups, words, 0, groups};
  };
  if (stage == 0 && spread.children == 1) {
    for (std::uint32_t space = 0; space < kSpaces; ++space) plain(space, ways.steps, 1);
    finish(ways, shape, delivered);
    return;
  }
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    const double words = tiles_.words(ways.child)[space] * ways.steps / (shape.idle == space ? shape.prefix : 1);
    plain(space, words, spread.distinct[space]);
  }
  bool may_link = stage == 0;
  if (slides_ || stage == 0) {
    set_loops(stage, ways, loops, spread.blocks, outer_);
    if (stage > 0) {
      const std::uint32_t level = stages_[stage].level;
      plain(kInputs, input_deliveries(level, outer_, ways.child, spread, may_link),
            input_groups(task_.problem, spread, tiles_, ways.child));
      shape.segment = segment_of(outer_, level);
    }
  }
  if (may_link) {
    hand_on(stage, ways, shape, delivered);
  } else {
    keep(stage, ways, shape, delivered);
  }
}

// Where neighbours hand words on, it matters who is whose neighbour: all layouts are tried.
void Search::hand_on(std::uint32_t stage, const Ways& ways, Shape& shape, Deliveries& delivered) {
  const Order& loops = stages_[stage].orders[ways.dims][shape.order];
  const std::vector<std::vector<Block>>& all = layouts(stage, shape.spread);
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    set_loops(stage, ways, loops, all[i], outer_);
    shape.layout = i + 1;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      if (stage > 0 && space != kInputs) continue;
      Counts counts;
      if (deliver<false>(task_.problem, outer_, stages_[stage].level, space, work_->view(), counts) != Status::ok) {
        throw Error("the search needs more kinds of multicast, or larger counts, than the model has room for");
      }
      double accesses = 0, received = 0;
      for (std::uint32_t k = 0; k < counts.ingresses; ++k) {
        accesses += counts.ingress[k].accesses;
        received += counts.ingress[k].accesses * counts.ingress[k].multicast;
      }
      const double children = ways.spread->children;
      delivered[space] = {accesses, received / children, counts.link, children * accesses / received};
    }
    if (stage == 0) {
      finish(ways, shape, delivered);
    } else {
      keep(stage, ways, shape, delivered);
    }
  }
}

// ---- costs -------------------------------------------------------------------------------------------------------------------

double vectors_of(double words, std::int64_t block) {
  return words > 0 ? std::ceil(words / static_cast<double>(block)) : std::trunc(words / static_cast<double>(block));
}

// By how much accesses are fewer where instances share them.
double sharing(const Storage& storage, double used) {
  const std::int64_t clusters = storage.instances / storage.cluster_size;  // whole ones
  return used / std::min(used, static_cast<double>(clusters));
}

// The reads and updates of the source of a tensor, which delivers `content` words per instance.
Bill Search::bill(const Partial& from, std::uint32_t space, double content) const {
  const std::int8_t source = from.source[space];
  if (source < 0) return {};
  const Storage& storage = architecture_.storage[source];
  const double instances = from.instances[space];
  const bool written = space == kOutputs;
  Bill bill;
  bill.reads = std::round(content + from.peer[space] - (written ? from.partition : 0));
  bill.updates = written ? std::round(content) : 0;
  bill.energy = (vectors_of(bill.reads, storage.block_size) * storage.read_pj +
                 vectors_of(bill.updates, storage.block_size) * storage.update_pj) /
                sharing(storage, instances) * instances;
  return bill;
}

// The cycles that bandwidths demand.
double Search::cycles_of(const Partial& partial) const {
  double cycles = partial.cycles;
  for (std::uint32_t s = 0; s < architecture_.levels; ++s) {
    if (!limited_[s]) continue;
    const Storage& storage = architecture_.storage[s];
    if (storage.read_bw > 0) cycles = std::max(cycles, partial.reads[s] / storage.read_bw);
    if (storage.write_bw > 0) cycles = std::max(cycles, partial.writes[s] / storage.write_bw);
  }
  return cycles;
}

// Chooses what the level of the next stage keeps.
void Search::keep(std::uint32_t stage, const Ways& ways, const Shape& shape, const Deliveries& delivered) {
  const Partial& from = partials_[stage][ways.from];
  const std::uint32_t level = stages_[stage - 1].level;
  const Storage& storage = architecture_.storage[level];
  const double used = from.used * ways.spread->children, distinct = from.distinct * ways.spread->distinct[kOutputs];
  const double partition = tiles_.words(tiles_.count() - 1)[kOutputs] / distinct;
  const double inside = bound_->energy(ways.table, stage - 1, ways.child, shape.idle);
  const double least = computes_ / (used * bound_->multipliers(stage - 1, ways.child));
  for (const std::uint8_t kept : stages_[stage - 1].keeps) {
    if (!bound_->fits(stage - 1, ways.child, kept)) continue;
    std::array<Bill, kSpaces> bills{};
    std::array<double, kSpaces> fills{}, peer{};
    double energy = from.energy;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      const Delivered& d = delivered[space];
      if ((kept >> space & 1u) == 0 || from.source[space] < 0) continue;
      bills[space] = bill(from, space, d.accesses * from.groups[space]);
      peer[space] = d.link / used;
      const bool elided = space == kOutputs && task_.rule == FillRule::current;
      fills[space] = elided ? std::round(d.share + peer[space] - partition) : std::trunc(d.share + peer[space]);
      energy += bills[space].energy;
      energy += vectors_of(fills[space], storage.block_size) * storage.fill_pj / sharing(storage, used) * used;
    }
    const double sooner = std::max(from.cycles, least);
    if (hopeless(costs(energy + inside + least_leak_ * sooner, sooner))) continue;
    Partial next = from;
    next.energy = energy;
    next.leak += storage.leak_pj * used;
    next.used = used;
    next.distinct = distinct;
    next.prefix = shape.prefix;
    next.table = ways.table;
    next.tile = ways.child;
    next.parent = ways.from;
    next.segment = shape.segment;
    next.spread = shape.spread;
    next.layout = shape.layout;
    next.order = shape.order;
    next.keep = kept;
    next.idle = shape.idle;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      if ((kept >> space & 1u) == 0) {
        if (from.source[space] >= 0) next.groups[space] *= delivered[space].groups;
        continue;
      }
      if (from.source[space] >= 0) {
        next.reads[from.source[space]] += bills[space].reads;
        next.writes[from.source[space]] += bills[space].updates;
      }
      next.writes[level] += fills[space];
      next.source[space] = static_cast<std::int8_t>(level);
      next.instances[space] = used;
      next.groups[space] = 1;
      next.peer[space] = peer[space];
      if (space == kOutputs) next.partition = partition;
    }
    next.cycles = cycles_of(next);
    const Cost cost = at_least(stage - 1, next);
    if (!hopeless(cost)) add(stage - 1, next, cost);
  }
}

// A mapping is complete: the model has the last word.
void Search::finish(const Ways& ways, const Shape& shape, const Deliveries& delivered) {
  Partial whole = partials_[0][ways.from];
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    if (whole.source[space] < 0) continue;
    const Bill last = bill(whole, space, delivered[space].accesses * whole.groups[space]);
    whole.energy += last.energy;
    whole.reads[whole.source[space]] += last.reads;
    whole.writes[whole.source[space]] += last.updates;
  }
  const double cycles = std::ceil(std::max(cycles_of(whole) * (1 - kTolerance), ways.steps));
  const double energy = whole.energy + whole.leak * cycles;
  if (hopeless(costs(energy, cycles))) return;
  const double units = whole.used * ways.spread->children;
  if (units < task_.constraints.min_parallelism * static_cast<double>(architecture_.compute.instances)) return;
  const Input input{task_.problem, architecture_, mapping_of(ways, shape)};
  MappingResult found;
  Fault fault{};
  ++result_.evaluated;
  const Status status = cpu_functions().evaluate(input, task_.rule, found.counters, found.price, fault);
  if (status > Status::level) {
    throw Error(std::string("the best mapping is beyond a limit of Exarch (") + name_of(status) +
                "); a smaller layer, or constraints, help");
  }
  if (status != Status::ok) throw std::logic_error("the search made a mapping that the model refuses");
  const auto true_cycles = static_cast<double>(found.price.cycles);
  // Where a bandwidth limits, the model's doubles may come out just above a whole number, which is one cycle more.
  const double rounding = 1 + 1e-9 * cycles;
  if (std::abs(found.price.energy_pj - energy) > 1e-9 * std::abs(energy) + rounding * whole.leak ||
      std::abs(true_cycles - cycles) > rounding) {
    throw std::logic_error("the search counts " + std::to_string(energy) + " pJ and " + std::to_string(cycles) +
                           " cycles where the model counts " + std::to_string(found.price.energy_pj) + " and " +
                           std::to_string(found.price.cycles));
  }
  const Cost cost = costs(found.price.energy_pj, true_cycles);
  if (hopeless(cost)) return;
  best_ = cost;
  result_.found = true;
  result_.mapping = input.mapping;
  result_.counters = found.counters;
  result_.price = found.price;
}

Mapping Search::mapping_of(const Ways& ways, const Shape& shape) const {
  Nest nest = outside(0, ways.from);
  set_loops(0, ways, stages_[0].orders[ways.dims][shape.order], blocks_of(0, shape.spread, shape.layout), nest);
  Mapping mapping{};
  for (std::uint32_t s = 0; s < architecture_.levels; ++s) {
    const auto copy = [](const NestBlock& from, Block& to) {
      to.count = from.count;
      for (std::uint32_t l = 0; l < from.count; ++l) to.loop[l] = {from.loop[l].dim, from.loop[l].axis, from.loop[l].bound};
    };
    copy(nest.spatial[s], mapping.spatial[s]);
    copy(nest.temporal[s], mapping.temporal[s]);
  }
  std::uint32_t at = ways.from;
  for (std::uint32_t stage = 0; stage < stages_.size(); ++stage) {
    const Partial& partial = partials_[stage][at];
    bool* keep = mapping.keep[stages_[stage].level];
    for (std::uint32_t space = 0; space < kSpaces; ++space) keep[space] = (partial.keep >> space & 1u) != 0;
    at = partial.parent;
  }
  return mapping;
}

// ---- comparisons -------------------------------------------------------------------------------------------------------------

Search::Cost Search::costs(double energy, double cycles) const {
  Cost cost{0, 0, 0};
  for (std::size_t g = 0; g < task_.goals.size(); ++g) cost[g] = cost_of(task_.goals[g], energy, cycles);
  return cost;
}

// Whether a cost, or a bound of it, is not below that of the best mapping; with a beam, not below those that are kept.
bool Search::hopeless(const Cost& cost) const {
  const Cost& limit = beam_ != 0 && leaders_.size() == beam_ && leaders_.top() < best_ ? leaders_.top() : best_;
  for (std::size_t g = 0; g < task_.goals.size(); ++g) {
    if (cost[g] == kInfinity || cost[g] > limit[g] * (1 + kTolerance)) return true;
    if (cost[g] < limit[g] * (1 - kTolerance)) return false;
  }
  return true;
}

Search::Cost Search::at_least(std::uint32_t stage, const Partial& partial) const {
  const double cycles = std::max(partial.cycles, computes_ / (partial.used * bound_->multipliers(stage, partial.tile)));
  double leak = partial.leak;
  for (std::uint32_t s = 0; s < stages_[stage].level && leaks_; ++s) leak += architecture_.storage[s].leak_pj * partial.used;
  return costs(partial.energy + bound_->energy(partial.table, stage, partial.tile, partial.idle) + leak * cycles, cycles);
}

// Whether two partial mappings can go on in the same way, with the same numbers of instances.
bool Search::alike(const Partial& a, const Partial& b) {
  return a.tile == b.tile && a.used == b.used && a.idle == b.idle && a.segment == b.segment && a.source == b.source &&
         a.instances == b.instances;
}

// Whether a is as good as b in all that what follows depends on.
bool Search::dominates(const Partial& a, const Partial& b) const {
  if (energy_matters_ && !(a.energy <= b.energy && a.leak <= b.leak)) return false;
  if (a.prefix < b.prefix || a.distinct > b.distinct || a.partition < b.partition) return false;
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    if (a.groups[space] > b.groups[space] || a.peer[space] > b.peer[space]) return false;
  }
  if (!cycles_matter_) return true;
  if (a.cycles > b.cycles) return false;
  for (std::uint32_t s = 0; s < architecture_.levels; ++s) {
    if (limited_[s] && (a.reads[s] > b.reads[s] || a.writes[s] > b.writes[s])) return false;
  }
  return true;
}

void Search::add(std::uint32_t stage, const Partial& partial, const Cost& at_least) {
  std::vector<Partial>& list = partials_[stage];
  std::vector<std::uint32_t>& same = by_tile_[partial.tile];
  for (const std::uint32_t i : same) {
    if (alike(list[i], partial) && dominates(list[i], partial)) return;
  }
  std::erase_if(same, [&](std::uint32_t i) {
    const bool drop = alike(partial, list[i]) && dominates(partial, list[i]);
    list[i].dropped = list[i].dropped || drop;
    return drop;
  });
  same.push_back(static_cast<std::uint32_t>(list.size()));
  list.push_back(partial);
  least_ = std::min(least_, at_least[0]);
  if (beam_ == 0) return;
  leaders_.push(at_least);
  if (leaders_.size() > beam_) leaders_.pop();
}

}  // namespace

MappingResult search(const MappingTask& task) {
  if (task.goals.empty() || task.goals.size() > 3) throw UsageError("a search has one to three goals");
  return Search(task).run();
}

}  // namespace exarch::timeloop
