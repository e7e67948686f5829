// The search for the best mapping against every mapping of small spaces.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "host/timeloop/search.hpp"
#include "kernels/launch/timeloop_launch.hpp"

namespace exarch {
namespace {

using namespace timeloop;

using Factors = std::array<std::int64_t, kDims>;

struct Case {
  Problem problem{};
  Architecture architecture{};
  Constraints constraints;
};

bool allows(const BlockConstraint& constraint, const Problem& problem, std::uint32_t d, std::int64_t factor) {
  const std::int64_t fixed = constraint.factor[d] == BlockConstraint::kWhole ? problem.bound[d] : constraint.factor[d];
  return (fixed == BlockConstraint::kOpen || fixed == factor) && (constraint.most[d] == 0 || factor <= constraint.most[d]);
}

// Every mapping of a space, each once or more often, written down without any thought of what is good. `visit` gets a mapping.
class Everything {
 public:
  Everything(const Case& c, std::function<void(const Mapping&)> visit) : case_(c), visit_(std::move(visit)) {}
  void run() { split(0, 0); }

 private:
  [[nodiscard]] std::uint32_t blocks() const { return 2 * case_.architecture.levels; }  // spatial 0, temporal 0, spatial 1 ...
  [[nodiscard]] const BlockConstraint& constraint(std::uint32_t block) const {
    return block % 2 == 0 ? case_.constraints.spatial[block / 2] : case_.constraints.temporal[block / 2];
  }
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> network(std::uint32_t level) const {
    const Architecture& a = case_.architecture;
    const std::int64_t x = level == 0 ? a.compute.mesh_x : a.storage[level - 1].mesh_x;
    const std::int64_t y = level == 0 ? a.compute.mesh_y : a.storage[level - 1].mesh_y;
    return {x / a.storage[level].mesh_x, y / a.storage[level].mesh_y};
  }

  // The factors of dimension d, block by block.
  void split(std::uint32_t d, std::uint32_t block) {
    if (d == kDims) {
      order(0);
      return;
    }
    std::int64_t rest = case_.problem.bound[d];
    for (std::uint32_t b = 0; b < block; ++b) rest /= factor_[b][d];
    if (block == blocks()) {
      if (rest == 1) split(d + 1, 0);
      return;
    }
    const auto [wide, high] = network(block / 2);
    for (std::int64_t f = 1; f <= rest; ++f) {
      if (rest % f != 0) continue;
      if (block % 2 == 0 && wide * high == 1) {
        if (f != 1) continue;
      } else if (!allows(constraint(block), case_.problem, d, f)) {
        continue;
      }
      factor_[block][d] = f;
      split(d, block + 1);
    }
  }

  // The order of all dimensions in a block, and for a spatial one the split.
  void order(std::uint32_t block) {
    if (block == blocks()) {
      keep(0);
      return;
    }
    const BlockConstraint& c = constraint(block);
    std::vector<Dim> dims;  // those with a loop, and those with a fixed place
    for (std::uint32_t d = 0; d < kDims; ++d) dims.push_back(static_cast<Dim>(d));
    // Dimensions without a loop need places only where places count.
    const bool places = block % 2 == 0 && c.split >= 0;
    if (!places) std::erase_if(dims, [&](Dim dim) { return factor_[block][index_of(dim)] == 1; });
    if (places && std::all_of(dims.begin(), dims.end(), [&](Dim dim) { return factor_[block][index_of(dim)] == 1; }))
      dims.clear();
    do {
      if (!agrees(c, dims)) continue;
      if (block % 2 == 1) {
        set(block, dims, 0);
        order(block + 1);
        continue;
      }
      for (std::size_t at = 0; at <= dims.size(); ++at) {
        if (places && !dims.empty() && static_cast<std::int32_t>(at) != c.split) continue;
        const auto [wide, high] = network(block / 2);
        std::int64_t x = 1, y = 1;
        for (std::size_t i = 0; i < dims.size(); ++i) (i < at ? x : y) *= factor_[block][index_of(dims[i])];
        if (x > wide || y > high) continue;
        set(block, dims, at);
        order(block + 1);
      }
    } while (std::next_permutation(dims.begin(), dims.end()));
  }

  static bool agrees(const BlockConstraint& c, const std::vector<Dim>& dims) {
    const auto rank = [&](Dim dim) {
      const auto inner = std::find(c.innermost.begin(), c.innermost.end(), dim);
      if (inner != c.innermost.end()) return static_cast<int>(inner - c.innermost.begin());
      const auto outer = std::find(c.outermost.begin(), c.outermost.end(), dim);
      return outer != c.outermost.end() ? 20 + static_cast<int>(outer - c.outermost.begin()) : 10;
    };
    return std::is_sorted(dims.begin(), dims.end(), [&](Dim a, Dim b) { return rank(a) < rank(b); });
  }

  void set(std::uint32_t block, const std::vector<Dim>& dims, std::size_t on_x) {
    Block& to = block % 2 == 0 ? mapping_.spatial[block / 2] : mapping_.temporal[block / 2];
    to.count = 0;
    for (std::size_t i = 0; i < dims.size(); ++i) {
      const std::int64_t bound = factor_[block][index_of(dims[i])];
      if (bound > 1) to.loop[to.count++] = {dims[i], i < on_x ? Axis::x : Axis::y, bound};
    }
  }

  void keep(std::uint32_t level) {
    if (level == case_.architecture.levels) {
      visit_(mapping_);
      return;
    }
    for (std::uint32_t kept = 0; kept < 8; ++kept) {
      bool good = true;
      for (std::uint32_t space = 0; space < kSpaces; ++space) {
        const bool k = mapping_.keep[level][space] = (kept >> space & 1u) != 0;
        const Choice choice = case_.constraints.keep[level][space];
        good = good && !(choice == Choice::yes && !k) && !(choice == Choice::no && k);
        good = good && (k || choice != Choice::open || level + 1 < case_.architecture.levels);
      }
      if (good) keep(level + 1);
    }
  }

  const Case& case_;
  std::function<void(const Mapping&)> visit_;
  std::array<Factors, 2 * kMaxLevels> factor_{};
  Mapping mapping_{};
};

// A space that takes too long to go through.
struct TooLarge {};

struct Best {
  bool found = false;
  std::uint64_t mappings = 0;
  std::vector<double> cost;
};

Best best_of_all(const Case& c, const Goals& goals, FillRule rule) {
  Best best;
  Input input{c.problem, c.architecture, {}};
  Counters counters;
  Everything(c, [&](const Mapping& mapping) {
    if (++best.mappings > 100'000) throw TooLarge{};
    input.mapping = mapping;
    Price price;
    Fault fault;
    if (cpu_functions().evaluate(input, rule, counters, price, fault) != Status::ok) return;
    std::vector<double> cost;
    for (const Goal goal : goals) cost.push_back(cost_of(goal, price.energy_pj, static_cast<double>(price.cycles)));
    // The first goal decides, unless the two differ in the last digits only.
    const auto better = [&] {
      for (std::size_t g = 0; g < cost.size(); ++g) {
        if (std::abs(cost[g] - best.cost[g]) > 1e-11 * best.cost[g]) return cost[g] < best.cost[g];
      }
      return false;
    };
    if (best.found && !better()) return;
    best.found = true;
    best.cost = cost;
  }).run();
  return best;
}

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : rng_(seed) {}

  // A layer of a few dozen computes on two or three levels.
  Case make() {
    Case c;
    for (std::int64_t& bound : c.problem.bound) bound = 1;
    c.problem.wstride = c.problem.hstride = c.problem.wdilation = c.problem.hdilation = 1;
    const bool sliding = chance(70);
    std::int64_t computes = 1;
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t d = sliding && chance(60) ? index_of(one_of({Dim::R, Dim::P, Dim::S, Dim::Q})) : pick(kDims);
      const std::int64_t factor = 2 + pick(3);
      if (computes * factor > 24) continue;
      computes *= factor;
      c.problem.bound[d] *= factor;
    }
    if (chance(30)) c.problem.wstride = 2 + pick(2);
    if (chance(30)) c.problem.hstride = 2;
    if (chance(30)) c.problem.wdilation = 2;
    if (chance(30)) c.problem.hdilation = 2 + pick(2);
    Architecture& a = c.architecture;
    a.levels = 2 + pick(2);
    std::int64_t x = 1, y = 1;
    bool network = false;
    for (std::uint32_t s = a.levels; s-- > 0;) {
      Storage& level = a.storage[s];
      level.mesh_x = x;
      level.mesh_y = y;
      level.instances = x * y;
      level.size = s + 1 == a.levels || chance(30) ? -1 : 3 + pick(30);
      level.block_size = 1 + pick(3);
      level.cluster_size = chance(20) && level.instances > 1 ? 2 : 1;
      level.read_bw = chance(40) ? 0.5 + pick(4) : 0;
      level.write_bw = chance(40) ? 0.5 + pick(4) : 0;
      const double scale = s == 0 ? 1 : s == 1 ? 6 : 100;
      level.read_pj = scale * price();
      level.fill_pj = scale * price();
      level.update_pj = scale * price();
      level.leak_pj = chance(30) ? price() : 0;
      if (!network && chance(60)) {
        network = true;
        x *= 1 + pick(4);
        if (chance(50)) y *= 1 + pick(3);
      }
    }
    a.compute = {x * y, x, y, price(), 1};
    c.constraints.dims.push_back(Dim::G);
    constrain(c);
    return c;
  }

  Goals goals() {
    switch (pick(5)) {
      case 0:
        return {Goal::energy};
      case 1:
        return {Goal::cycles};
      case 2:
        return {Goal::edp};
      case 3:
        return {Goal::cycles, Goal::energy};
      default:
        return {Goal::energy, Goal::cycles};
    }
  }
  std::uint32_t pick(std::uint64_t n) { return static_cast<std::uint32_t>(rng_() % n); }
  bool chance(unsigned percent) { return rng_() % 100 < percent; }

 private:
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return *(values.begin() + rng_() % values.size());
  }
  double price() { return static_cast<double>(1 + rng_() % 1000) / 97; }

  void constrain(Case& c) {
    const bool open_keep = chance(50), passing = !open_keep && chance(50);
    for (std::uint32_t s = 0; s < c.architecture.levels; ++s) {
      for (Choice& choice : c.constraints.keep[s]) {
        choice = open_keep && chance(60) ? Choice::open : s + 1 == c.architecture.levels || chance(60) ? Choice::yes : Choice::no;
        if (passing && s == 1 && c.architecture.levels == 3) choice = Choice::no;  // loops there may stand outside
      }
    }
    if (chance(passing ? 80 : 50)) return;
    for (auto* blocks : {&c.constraints.spatial, &c.constraints.temporal}) {
      for (std::uint32_t s = 0; s < c.architecture.levels; ++s) {
        BlockConstraint& block = (*blocks)[s];
        for (std::uint32_t d = 0; d < kDims; ++d) {
          if (chance(12)) block.factor[d] = 1;
          if (chance(10)) block.most[d] = 1 + pick(3);
        }
        if (chance(30)) {
          std::vector<Dim> dims;
          for (std::uint32_t d = 0; d < kDims; ++d) dims.push_back(static_cast<Dim>(d));
          std::shuffle(dims.begin(), dims.end(), rng_);
          block.innermost.assign(dims.begin(), dims.begin() + pick(kDims + 1));
          if (chance(40)) block.outermost.assign(dims.begin() + static_cast<std::ptrdiff_t>(block.innermost.size()), dims.end());
        }
        if (blocks == &c.constraints.spatial && chance(30)) block.split = static_cast<std::int32_t>(pick(kDims + 1));
      }
    }
  }

  std::mt19937_64 rng_;
};

TEST(TimeloopSearch, FindsTheBestOfEveryMapping) {
  // More: EXARCH_SEARCH_CASES=5000.
  const char* number = std::getenv("EXARCH_SEARCH_CASES");
  const int cases = number != nullptr ? std::atoi(number) : EXARCH_SANITIZED != 0 ? 20 : 120;
  int found = 0, bounded = 0, links = 0, bypasses = 0, parts = 0, groups = 0;
  for (int i = 0; i < cases; ++i) {
    Maker maker(static_cast<std::uint64_t>(i));
    const Case c = maker.make();
    const Goals goals = maker.goals();
    const FillRule rule = maker.chance(50) ? FillRule::current : FillRule::y2022;
    Best best;
    try {
      best = best_of_all(c, goals, rule);
    } catch (const TooLarge&) {
      continue;
    }
    MappingTask task;
    task.problem = c.problem;
    task.architecture = c.architecture;
    task.constraints = c.constraints;
    task.goals = goals;
    task.rule = rule;
    task.beam = maker.chance(50) ? 1 : 8;
    if (maker.chance(50)) task.memory = 0;  // a few partial mappings at a time
    MappingResult result;
    ASSERT_NO_THROW(result = search(task)) << i;
    ASSERT_TRUE(result.proved) << i;
    ASSERT_EQ(result.found, best.found) << i << ", " << best.mappings << " mappings";
    if (!best.found) continue;
    ++found;
    parts += result.parts > 0 ? 1 : 0;
    groups += c.problem.bound[index_of(Dim::G)] > 1 ? 1 : 0;
    bounded += result.price.cycles > result.counters.steps ? 1 : 0;
    for (std::uint32_t s = 0; s < c.architecture.levels; ++s) {
      links += result.counters.count[s][kInputs].link > 0 ? 1 : 0;
      bypasses += result.mapping.keep[s][kWeights] ? 0 : 1;
    }
    for (std::size_t g = 0; g < goals.size(); ++g) {
      ASSERT_NEAR(result.cost[g], best.cost[g], 1e-10 * best.cost[g])
          << i << ", goal " << g << ", " << best.mappings << " mappings";
    }
  }
  for (const int number_of : {bounded, links, bypasses, parts, groups}) EXPECT_GE(number_of, cases / 100);
  EXPECT_GE(found, cases / 2);
}

}  // namespace
}  // namespace exarch
