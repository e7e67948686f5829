#include "host/timeloop/search.hpp"

#include <algorithm>

#include "host/error.hpp"
#include "host/timeloop/search_run.hpp"

namespace exarch::timeloop {
namespace {

// Before anything is made of them.
const MappingTask& checked(const MappingTask& task) {
  if (!has_good_numbers(task.problem, task.architecture)) {
    throw Error("a number of the layer or the architecture is out of its range");
  }
  return task;
}

}  // namespace

MappingSearch::MappingSearch(const MappingTask& task)
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
  hard_ = static_cast<DimSet>(set_of(Dim::N) | set_of(Dim::C) | set_of(Dim::G));
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

MappingResult MappingSearch::run() {
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

bool MappingSearch::tell(std::uint32_t stage, double share) {
  if (!task_.observer || stopped_) return !stopped_;
  stopped_ = !task_.observer({stages_[stage].level, share, result_.found, best_[0], result_.at_least});
  return !stopped_;
}

// The layer as a tile of the outermost level, which has one instance and everything to keep.
void MappingSearch::start() {
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
void MappingSearch::pass(std::size_t beam) {
  partials_.assign(stages_.size(), {});
  remaining_.fill(kInfinity);
  beam_ = beam;
  start();
  go_on(static_cast<std::uint32_t>(stages_.size() - 1));
}

// How many partial mappings of the stage inside may be made of those of a stage before the search goes on with them. Half of
// what is free: the stages further inside need room, too. Vectors take up to twice what is in them.
std::size_t MappingSearch::room_inside(std::uint32_t stage) const {
  constexpr std::size_t kLeast = 16;
  const std::size_t all = task_.memory / (2 * (sizeof(Partial) + sizeof(std::pair<Cost, std::uint32_t>)));
  std::size_t used = 0;
  for (std::uint32_t s = stage; s < stages_.size(); ++s) used += partials_[s].size();
  return std::max(kLeast, (all - std::min(all, used)) / 2);
}

void MappingSearch::forget_made() {
  for (std::vector<std::uint32_t>& list : by_tile_) list.clear();
  least_ = kInfinity;
}

// Goes on with the partial mappings of a stage, the most promising first, and then with what came of them. Where that becomes
// too much for the memory, what is there is gone on with to the end before more is made.
void MappingSearch::go_on(std::uint32_t stage) {
  leaders_ = {};
  std::vector<Partial>& now = partials_[stage];
  std::erase_if(now, [&](const Partial& p) { return p.dropped || hopeless(at_least(stage, p)); });
  std::vector<std::pair<Cost, std::uint32_t>> order;
  for (std::uint32_t i = 0; i < now.size(); ++i) order.emplace_back(at_least(stage, now[i]), i);
  std::sort(order.begin(), order.end());
  if (beam_ != 0 && order.size() > beam_) order.resize(beam_);
  forget_made();
  const std::size_t room = room_inside(stage);
  for (std::size_t i = 0; i < order.size(); ++i) {
    // What comes of those still to be gone on with costs at least what they do, as they are in order.
    remaining_[stage] = order[i].first[0];
    if (beam_ == 0) {
      result_.at_least = std::min({*std::min_element(remaining_.begin(), remaining_.end()), least_, best_[0]});
    }
    if (!tell(stage, static_cast<double>(i) / static_cast<double>(order.size()))) return;
    expand(stage, order[i].second);
    if (beam_ != 0 || stage == 0 || i + 1 == order.size() || partials_[stage - 1].size() < room) continue;
    remaining_[stage] = order[i + 1].first[0];
    ++result_.parts;
    go_on(stage - 1);
    if (stopped_) return;
    forget_made();
  }
  remaining_[stage] = kInfinity;
  if (stage > 0) go_on(stage - 1);
  now.clear();  // those inside refer to them by their places: what is made next begins anew
}

MappingResult search(const MappingTask& task) {
  if (task.goals.empty() || task.goals.size() > 3) throw UsageError("a search has one to three goals");
  return MappingSearch(task).run();
}

}  // namespace exarch::timeloop
