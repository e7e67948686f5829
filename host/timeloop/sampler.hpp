// What Timeloop's own mapper finds: its search, its random numbers and its limits, followed step by step.
//
// The program runs threads, which never talk to each other: each walks a part of its own through the map space. Here they run
// one after the other, so the result is the same and does not depend on the machine. Example, the settings of ArchGym:
//
//   SamplerSettings settings;
//   settings.threads = 8;
//   settings.timeout = 150;
//   settings.victory_condition = 10;
//   settings.goals = {Goal::cycles, Goal::energy};
//   settings.fill_rule = FillRule::y2022;
//   const SamplerResult result = sample(problem, architecture, row_stationary(), settings);
//   if (result.found) std::printf("%.2f uJ\n", result.price.energy_pj / 1e6);
//
// It is no way to find the best mapping: it says what users of Timeloop are told.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <vector>

#include "host/timeloop/map_space.hpp"
#include "kernels/timeloop/price.hpp"

namespace exarch::timeloop {

// Timeloop's `algorithm`: how a thread walks through its part of the map space. Bypasses change fastest, then splits, orders and
// factors.
enum class SamplerAlgorithm : std::uint8_t {
  random_pruned,  // random factors; for each of them some random orders, with all splits and bypasses
  hybrid,         // random factors, with all orders, splits and bypasses. Timeloop's own choice where nothing is said
  linear_pruned,  // everything, one after the other
  exhaustive,     // everything, with places for loops of bound 1
  random,         // random factors, orders and splits, with places for loops of bound 1; for each of them all bypasses
};

// Limits are counts of mappings, and of each thread. The initial values are Timeloop's, but for `threads`, which is the number of
// processors there.
struct SamplerSettings {
  SamplerAlgorithm algorithm = SamplerAlgorithm::hybrid;
  std::uint32_t threads = 1;
  std::uint32_t timeout = 1000;           // invalid mappings in a row after which a thread stops
  std::uint32_t victory_condition = 500;  // valid mappings without progress after which it stops; 0: no limit
  std::uint32_t search_size = 0;          // valid mappings, of all threads together; 0: no limit
  std::uint32_t max_permutations = 16;    // of random_pruned: orders that it tries for the same factors
  bool penalize_bypass_fails = false;     // whether mappings that differ in bypasses only count for the limits
  std::uint64_t most_tried = 10'000'000;  // Exarch's own, of the random searches: see SamplerEnd::endless; 0: no limit
  Goals goals{Goal::edp};                 // what a better mapping is; see is_better()
  FillRule fill_rule = FillRule::current;
  const std::atomic<bool>* stop = nullptr;  // set by another thread: end with what there is
};

// Why a thread ended. `endless`: Timeloop's thread goes on for ever, or for longer than SamplerSettings::most_tried. It does so
// where nothing but bypasses is open to it, as these count for no limit; and where mappings are each better than another in a
// circle, which the 0.1 % of is_better() allow.
enum class SamplerEnd : std::uint8_t { timeout, victory, search_size, exhausted, stopped, endless };

struct SamplerThread {
  SamplerEnd end = SamplerEnd::exhausted;
  std::uint64_t tried = 0, valid = 0;
  std::uint64_t fanout = 0, capacity = 0;  // of the tried ones: rejected, by reason
  bool found = false;
  std::int64_t cycles = 0;  // of its best mapping
  double energy_pj = 0;
};

struct SamplerResult {
  bool found = false;
  std::uint32_t thread = 0;  // that found the best mapping
  Mapping mapping{};
  Price price{};
  MapParts sizes{};  // of the map space
  std::vector<SamplerThread> threads;
};

// What Timeloop's mapper finds. Error where constraints contradict each other (see MapSpace), or where Exarch cannot evaluate a
// mapping that Timeloop can (a count beyond 2^53, say). UsageError where the search would have no end.
[[nodiscard]] SamplerResult sample(const MapSpace& space, const SamplerSettings& settings);
[[nodiscard]] SamplerResult sample(const Problem& problem, const Architecture& architecture, const Constraints& constraints,
                                   const SamplerSettings& settings);

struct MappingCost {
  std::int64_t cycles;
  double energy_pj;
};

// Whether Timeloop's mapper takes `candidate` in the place of `incumbent`. The first goal in which they differ by more than 0.1 %
// decides; where none does, the sign of the difference in the first goal. So with {cycles, energy}, 0.05 % less energy in the
// same cycles is no progress. The relation is not transitive: the result of a search depends on the order of its mappings.
[[nodiscard]] bool is_better(const MappingCost& candidate, const MappingCost& incumbent, const Goals& goals);

// Numbers from 0 to below a bound (from 1), as Timeloop draws them: std::default_random_engine and
// std::uniform_int_distribution<std::uint64_t> as GNU's standard library has them. The C++ standard leaves both open, so they are
// written down here; then every build gives the same mappings.
class SamplerNumbers {
 public:
  explicit SamplerNumbers(WideCount bound) : bound_(bound) {}
  [[nodiscard]] WideCount next();

 private:
  [[nodiscard]] std::uint64_t up_to(std::uint64_t most);

  std::minstd_rand0 engine_;  // with its initial seed
  WideCount bound_;
};

}  // namespace exarch::timeloop
