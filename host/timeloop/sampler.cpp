#include "host/timeloop/sampler.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "host/error.hpp"
#include "host/timeloop/records.hpp"
#include "kernels/launch/timeloop_launch.hpp"

namespace exarch::timeloop {
namespace {

// What a thread learns of a mapping and tells its walk.
enum class Outcome : std::uint8_t { valid, no_fanout, no_room };

// The parts of a map space, the one that changes fastest first.
enum Part : std::uint8_t { kBypassPart, kSplitPart, kOrderPart, kFactorPart, kParts };
using Place = std::array<WideCount, kParts>;

bool is_a_random(SamplerAlgorithm algorithm) {
  return algorithm == SamplerAlgorithm::random_pruned || algorithm == SamplerAlgorithm::hybrid ||
         algorithm == SamplerAlgorithm::random;
}

// The way of one thread through the mappings of its part of the map space: factors number t, t + threads, t + 2 threads ...
class Walk {
 public:
  Walk(const MapSpace& space, const SamplerSettings& settings, std::uint32_t thread)
      : space_(space),
        algorithm_(settings.algorithm),
        threads_(settings.threads),
        thread_(thread),
        factors_(space.sizes().factors / threads_ + (thread < space.sizes().factors % threads_ ? 1 : 0)),
        most_orders_(settings.max_permutations),
        random_factors_(factors_),
        random_orders_(space.sizes().orders),
        random_splits_(space.sizes().splits),
        ended_(factors_ == 0) {
    if (ended_) return;
    // The hybrid search begins with factors number 0, too.
    if (algorithm_ == SamplerAlgorithm::random) {
      draw_all();
    } else {
      enter(algorithm_ == SamplerAlgorithm::random_pruned ? random_factors_.next() : 0);
    }
  }

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const Place& place() const { return place_; }

  // Whether random numbers decide where it goes, so that it does not end by itself.
  [[nodiscard]] bool is_random() const { return is_a_random(algorithm_); }
  // Whether it has nothing to choose but bypasses.
  [[nodiscard]] bool only_bypasses_change() const {
    return is_random() && factors_ == 1 && size(kOrderPart) == 1 && size(kSplitPart) == 1;
  }

  [[nodiscard]] Mapping mapping() const {
    if (slice_) return slice_->at(place_[kOrderPart], place_[kSplitPart], place_[kBypassPart]);
    return space_.at({global_factors(), place_[kOrderPart], place_[kSplitPart], place_[kBypassPart]});
  }

  // On to the next mapping. Where a fanout is exceeded, other bypasses are no way out; where all bypasses need too much room,
  // neither are other orders and splits.
  void advance(Outcome outcome) {
    if (algorithm_ == SamplerAlgorithm::random) {
      // The program ends this one when as many mappings were valid as there are, each as often as it came.
      valid_ += outcome == Outcome::valid ? 1 : 0;
      ended_ = valid_ >= factors_ * size(kOrderPart) * size(kSplitPart) * size(kBypassPart);
      if (++place_[kBypassPart] == size(kBypassPart)) draw_all();
      return;
    }
    if (outcome == Outcome::no_room) ++without_room_;
    if (place_[kBypassPart] + 1 == size(kBypassPart)) {
      if (without_room_ == size(kBypassPart)) {
        place_[kSplitPart] = size(kSplitPart) - 1;
        if (has_random_orders()) {
          orders_seen_ = orders_to_see_ - 1;
        } else {
          place_[kOrderPart] = size(kOrderPart) - 1;
        }
      }
      without_room_ = 0;
    }
    if (outcome == Outcome::no_fanout) place_[kBypassPart] = size(kBypassPart) - 1;
    step();
  }

 private:
  [[nodiscard]] bool has_random_orders() const { return algorithm_ == SamplerAlgorithm::random_pruned; }
  [[nodiscard]] WideCount global_factors() const { return place_[kFactorPart] * threads_ + thread_; }

  [[nodiscard]] WideCount size(Part part) const {
    if (part == kFactorPart) return factors_;
    const MapParts& sizes = slice_ ? slice_->sizes() : space_.sizes();
    return part == kBypassPart ? sizes.bypasses : part == kSplitPart ? sizes.splits : sizes.orders;
  }

  void enter(WideCount factors) {
    place_[kFactorPart] = factors;
    if (algorithm_ != SamplerAlgorithm::exhaustive) slice_ = space_.slice(global_factors());
    if (!has_random_orders()) return;
    orders_to_see_ = std::min<WideCount>(most_orders_, size(kOrderPart));
    orders_seen_ = 0;
    place_[kOrderPart] = random_orders_.next() % size(kOrderPart);
  }

  void draw_all() { place_ = {0, random_splits_.next(), random_orders_.next(), random_factors_.next()}; }

  void step() {
    for (const Part part : {kBypassPart, kSplitPart, kOrderPart}) {
      if (part == kOrderPart && has_random_orders()) {
        if (orders_seen_ + 1 < orders_to_see_) {
          place_[part] = random_orders_.next() % size(part);
          ++orders_seen_;
          return;
        }
      } else if (place_[part] + 1 < size(part)) {
        ++place_[part];
        return;
      }
      place_[part] = 0;
    }
    if (is_random()) {
      enter(random_factors_.next());
    } else if (place_[kFactorPart] + 1 < factors_) {
      enter(place_[kFactorPart] + 1);
    } else {
      ended_ = true;
    }
  }

  const MapSpace& space_;
  SamplerAlgorithm algorithm_;
  WideCount threads_, thread_, factors_, most_orders_;
  SamplerNumbers random_factors_, random_orders_, random_splits_;
  Place place_{};
  std::optional<MapSlice> slice_;  // empty: loops of bound 1 have places, too
  WideCount orders_to_see_ = 0, orders_seen_ = 0, without_room_ = 0, valid_ = 0;
  bool ended_;
};

double value_of(const MappingCost& cost, Goal goal) {
  switch (goal) {
    case Goal::cycles:
      return static_cast<double>(cost.cycles);
    case Goal::energy:
      return cost.energy_pj;
    case Goal::edp:
      break;
  }
  return cost.energy_pj * static_cast<double>(cost.cycles);
}

// How much less the candidate costs, as a share of the incumbent.
double gain_of(const MappingCost& candidate, const MappingCost& incumbent, Goal goal) {
  const double candidate_cost = value_of(candidate, goal), incumbent_cost = value_of(incumbent, goal);
  const double gain = incumbent_cost - candidate_cost;
  if (incumbent_cost != 0) return gain / incumbent_cost;
  return candidate_cost == 0 ? 0 : gain / candidate_cost;
}

// A thread of the mapper.
class SamplerRun {
 public:
  SamplerRun(const MapSpace& space, const SamplerSettings& settings, std::uint32_t thread)
      : space_(space), settings_(settings), walk_(space, settings, thread) {
    input_.problem = space.problem();
    input_.architecture = space.architecture();
    if (settings.search_size > 0) most_valid_ = 1 + (settings.search_size - 1) / settings.threads;
  }

  void run(SamplerResult& best, std::uint32_t number) {
    Mapping mapping{};
    Price price{};
    while (!ends()) {
      const Outcome outcome = try_next();
      if (outcome == Outcome::valid && improves_) {
        mapping = input_.mapping;
        price = price_;
      }
    }
    if (!report_.found) return;
    if (best.found && !is_better(cost_of(price), cost_of(best.price), settings_.goals)) return;
    best.found = true;
    best.thread = number;
    best.mapping = mapping;
    best.price = price;
  }

  [[nodiscard]] const SamplerThread& report() const { return report_; }

 private:
  static MappingCost cost_of(const Price& price) { return {price.cycles, price.energy_pj}; }

  bool ends() {
    const auto end = [this](SamplerEnd why) {
      report_.end = why;
      return true;
    };
    if (settings_.stop != nullptr && settings_.stop->load(std::memory_order_relaxed)) return end(SamplerEnd::stopped);
    if (most_valid_ > 0 && report_.valid >= most_valid_) return end(SamplerEnd::search_size);
    if (settings_.victory_condition > 0 && since_best_ >= settings_.victory_condition) return end(SamplerEnd::victory);
    if (invalid_ > 0 && invalid_ >= settings_.timeout) return end(SamplerEnd::timeout);
    if (walk_.ended()) return end(SamplerEnd::exhausted);
    const bool endless = !settings_.penalize_bypass_fails && walk_.only_bypasses_change();
    if (endless && report_.tried > space_.sizes().bypasses) return end(SamplerEnd::endless);
    const bool long_enough = walk_.is_random() && settings_.most_tried > 0 && report_.tried >= settings_.most_tried;
    return long_enough && end(SamplerEnd::endless);
  }

  // Tries the mapping where the walk stands, and goes on.
  Outcome try_next() {
    const Place place = walk_.place();
    // Limits do not count a mapping that differs from the one before in bypasses only.
    const bool counts = settings_.penalize_bypass_fails || report_.tried < 2 || !only_bypasses_differ(place, last_);
    last_ = place;
    input_.mapping = walk_.mapping();
    ++report_.tried;
    const Outcome outcome = outcome_of_input();
    improves_ = false;
    if (outcome == Outcome::no_fanout) {
      ++report_.fanout;
      ++invalid_;
    } else if (outcome == Outcome::no_room) {
      ++report_.capacity;
      if (counts) ++invalid_;
    } else {
      ++report_.valid;
      invalid_ = 0;
      improves_ = !report_.found || is_better(cost_of(price_), {report_.cycles, report_.energy_pj}, settings_.goals);
      if (improves_) {
        report_.found = true;
        report_.cycles = price_.cycles;
        report_.energy_pj = price_.energy_pj;
        since_best_ = 0;
      } else if (counts) {
        ++since_best_;
      }
    }
    walk_.advance(outcome);
    return outcome;
  }

  static bool only_bypasses_differ(const Place& a, const Place& b) {
    return a[kBypassPart] != b[kBypassPart] && a[kSplitPart] == b[kSplitPart] && a[kOrderPart] == b[kOrderPart] &&
           a[kFactorPart] == b[kFactorPart];
  }

  Outcome outcome_of_input() {
    switch (space_.rejection_of(input_.mapping)) {
      case MapSpace::Rejection::fanout:
        return Outcome::no_fanout;
      case MapSpace::Rejection::capacity:
        return Outcome::no_room;
      case MapSpace::Rejection::none:
        break;
    }
    Fault fault{};
    const Status status = evaluate_(input_, settings_.fill_rule, counters_, price_, fault);
    if (status == Status::ok) return Outcome::valid;
    if (status >= Status::too_large || status == Status::bad_number) {
      throw Error(std::string("the sampler came to a mapping that Timeloop may evaluate and Exarch cannot (") + name_of(status) +
                  "): take a smaller layer or architecture");
    }
    return Outcome::no_room;
  }

  const MapSpace& space_;
  const SamplerSettings& settings_;
  Walk walk_;
  Input input_{};
  Counters counters_{};
  Price price_{};
  decltype(CpuFunctions::evaluate) evaluate_ = cpu_functions().evaluate;
  SamplerThread report_;
  Place last_{};
  std::uint64_t most_valid_ = 0, invalid_ = 0, since_best_ = 0;
  bool improves_ = false;
};

void check(const SamplerSettings& settings) {
  if (settings.threads < 1 || settings.threads > 4096) throw UsageError("the sampler has 1 to 4096 threads");
  if (settings.goals.empty()) throw UsageError("the sampler needs a goal: cycles, energy or edp");
  if (settings.max_permutations < 1) throw UsageError("the sampler tries 1 order of the loops at least");
  if (is_a_random(settings.algorithm) && settings.victory_condition == 0 && settings.search_size == 0) {
    throw UsageError("a random search without a victory condition and a search size has no end: set one of them");
  }
}

}  // namespace

bool is_better(const MappingCost& candidate, const MappingCost& incumbent, const Goals& goals) {
  constexpr double kTolerance = 0.001;
  for (const Goal goal : goals) {
    const double gain = gain_of(candidate, incumbent, goal);
    if (std::fabs(gain) > kTolerance) return gain > 0;
  }
  return gain_of(candidate, incumbent, goals.front()) > 0;
}

// A number from 0 to `most`, each as likely. The engine gives numbers from 1 to 2^31 - 2: too many are divided, too few are the
// digits of a larger one.
std::uint64_t SamplerNumbers::up_to(std::uint64_t most) {
  constexpr std::uint64_t kFirst = std::minstd_rand0::min(), kRange = std::minstd_rand0::max() - kFirst;
  if (most == kRange) return engine_() - kFirst;
  if (most < kRange) {
    const std::uint64_t each = kRange / (most + 1);
    std::uint64_t drawn = 0;
    do {
      drawn = engine_() - kFirst;
    } while (drawn >= each * (most + 1));
    return drawn / each;
  }
  for (;;) {
    const std::uint64_t high = (kRange + 1) * up_to(most / (kRange + 1));
    const std::uint64_t drawn = high + (engine_() - kFirst);
    if (drawn <= most && drawn >= high) return drawn;
  }
}

WideCount SamplerNumbers::next() {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  if (bound_ <= kMost) return up_to(static_cast<std::uint64_t>(bound_ - 1));
  // The program multiplies by 2^64 - 1, not by 2^64.
  const std::uint64_t low = up_to(kMost);
  return low + WideCount{up_to(static_cast<std::uint64_t>(bound_ / kMost - 1))} * kMost;
}

SamplerResult sample(const MapSpace& space, const SamplerSettings& settings) {
  check(settings);
  SamplerResult result;
  result.sizes = space.sizes();
  for (std::uint32_t thread = 0; thread < settings.threads; ++thread) {
    SamplerRun run(space, settings, thread);
    run.run(result, thread);
    result.threads.push_back(run.report());
  }
  return result;
}

SamplerResult sample(const Problem& problem, const Architecture& architecture, const Constraints& constraints,
                     const SamplerSettings& settings) {
  return sample(MapSpace(problem, architecture, constraints), settings);
}

}  // namespace exarch::timeloop
