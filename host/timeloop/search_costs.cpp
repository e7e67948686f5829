// What partial and complete mappings cost, and which are kept.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "host/error.hpp"
#include "host/timeloop/records.hpp"
#include "host/timeloop/search_run.hpp"
#include "kernels/launch/timeloop_launch.hpp"

namespace exarch::timeloop {
namespace {

double vectors_of(double words, std::int64_t block) {
  return words > 0 ? std::ceil(words / static_cast<double>(block)) : std::trunc(words / static_cast<double>(block));
}

// By how much accesses are fewer where instances share them.
double sharing(const Storage& storage, double used) {
  const std::int64_t clusters = storage.instances / storage.cluster_size;  // whole ones
  return used / std::min(used, static_cast<double>(clusters));
}

}  // namespace

// The reads and updates of the source of a tensor, which delivers `content` words per instance.
MappingSearch::Bill MappingSearch::bill(const Partial& from, std::uint32_t space, double content) const {
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
double MappingSearch::cycles_of(const Partial& partial) const {
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
void MappingSearch::keep(std::uint32_t stage, const Ways& ways, const Shape& shape, const Deliveries& delivered) {
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
void MappingSearch::finish(const Ways& ways, const Shape& shape, const Deliveries& delivered) {
  Partial whole = partials_[0][ways.from];
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    if (whole.source[space] < 0) continue;
    const Bill last = bill(whole, space, delivered[space].accesses * whole.groups[space]);
    whole.energy += last.energy;
    whole.reads[whole.source[space]] += last.reads;
    whole.writes[whole.source[space]] += last.updates;
  }
  const double cycles = std::ceil(std::max(cycles_of(whole) * (1 - kSearchTolerance), ways.steps));
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

Mapping MappingSearch::mapping_of(const Ways& ways, const Shape& shape) const {
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

MappingSearch::Cost MappingSearch::costs(double energy, double cycles) const {
  Cost cost{0, 0, 0};
  for (std::size_t g = 0; g < task_.goals.size(); ++g) cost[g] = cost_of(task_.goals[g], energy, cycles);
  return cost;
}

// Whether a cost, or a bound of it, is not below that of the best mapping; with a beam, not below those that are kept.
bool MappingSearch::hopeless(const Cost& cost) const {
  const Cost& limit = beam_ != 0 && leaders_.size() == beam_ && leaders_.top() < best_ ? leaders_.top() : best_;
  for (std::size_t g = 0; g < task_.goals.size(); ++g) {
    if (cost[g] == kInfinity || cost[g] > limit[g] * (1 + kSearchTolerance)) return true;
    if (cost[g] < limit[g] * (1 - kSearchTolerance)) return false;
  }
  return true;
}

MappingSearch::Cost MappingSearch::at_least(std::uint32_t stage, const Partial& partial) const {
  const double cycles = std::max(partial.cycles, computes_ / (partial.used * bound_->multipliers(stage, partial.tile)));
  double leak = partial.leak;
  for (std::uint32_t s = 0; s < stages_[stage].level && leaks_; ++s) leak += architecture_.storage[s].leak_pj * partial.used;
  return costs(partial.energy + bound_->energy(partial.table, stage, partial.tile, partial.idle) + leak * cycles, cycles);
}

// Whether two partial mappings can go on in the same way, with the same numbers of instances.
bool MappingSearch::alike(const Partial& a, const Partial& b) {
  return a.tile == b.tile && a.used == b.used && a.idle == b.idle && a.segment == b.segment && a.source == b.source &&
         a.instances == b.instances;
}

// Whether a is as good as b in all that what follows depends on.
bool MappingSearch::dominates(const Partial& a, const Partial& b) const {
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

void MappingSearch::add(std::uint32_t stage, const Partial& partial, const Cost& at_least) {
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

}  // namespace exarch::timeloop
