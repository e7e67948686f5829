// Timeloop's map spaces and its mapper where nothing was recorded: sizes against enumeration by hand, every mapping within its
// constraints, contradictions, the random numbers, and what threads share.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/timeloop/sampler.hpp"
#include "kernels/launch/timeloop_launch.hpp"
#include "tests/support/errors.hpp"

namespace exarch {
namespace {

using namespace timeloop;
using test::error_of;
using Sides = std::vector<std::int64_t>;

Problem layer(std::int64_t c, std::int64_t m, std::int64_t p = 1, std::int64_t g = 1) {
  return {{c, m, 1, 1, 1, p, 1, g}, 1, 1, 1, 1};
}

// An architecture of levels with given meshes, the innermost first: {multipliers x, y, level 0 x, y, level 1 x, y ...}.
Architecture meshes(const Sides& sides, std::int64_t words = 1 << 20) {
  Architecture a{};
  a.compute = {sides[0] * sides[1], sides[0], sides[1], 1.5, 10};
  for (std::size_t i = 2; i < sides.size(); i += 2) {
    Storage& level = a.storage[a.levels];
    level = {words, 1, 1, sides[i] * sides[i + 1], sides[i], sides[i + 1], 0, 0, 1.25, 1.5, 1.75, 0, 100};
    const double far = 1 << a.levels++;
    level.read_pj *= far;
    level.fill_pj *= far;
    level.update_pj *= far;
  }
  a.storage[a.levels - 1].size = -1;
  return a;
}

// A mapping as a text, so that mappings can be compared.
std::string text_of(const Mapping& mapping, std::uint32_t levels) {
  std::string text;
  for (std::uint32_t s = 0; s < levels; ++s) {
    for (const Block* block : {&mapping.spatial[s], &mapping.temporal[s]}) {
      for (std::uint32_t l = 0; l < block->count; ++l) {
        text += kDimNames[index_of(block->loop[l].dim)] + std::to_string(block->loop[l].bound);
        if (block == &mapping.spatial[s]) text += block->loop[l].axis == Axis::x ? 'x' : 'y';
      }
      text += '/';
    }
    for (const bool kept : mapping.keep[s]) text += kept ? '1' : '0';
    text += ' ';
  }
  return text;
}

// Every mapping of a map space, by slices.
std::multiset<std::string> enumerated(const MapSpace& space) {
  std::multiset<std::string> found;
  for (WideCount f = 0; f < space.sizes().factors; ++f) {
    const MapSlice slice = space.slice(f);
    for (WideCount o = 0; o < slice.sizes().orders; ++o) {
      for (WideCount s = 0; s < slice.sizes().splits; ++s) {
        for (WideCount b = 0; b < slice.sizes().bypasses; ++b) {
          found.insert(text_of(slice.at(o, s, b), space.architecture().levels));
        }
      }
    }
  }
  return found;
}

// The same by hand, for layers of C, M and P on two levels with a network of two axes between them.
std::set<std::string> by_hand(const Problem& problem) {
  std::set<std::string> all;
  const std::vector<std::uint32_t> dims{0, 1, 5};
  std::array<std::array<std::int64_t, 3>, 3> f{};  // (block, dim)
  const auto orders_of = [&](std::size_t block) {
    std::vector<std::vector<std::size_t>> orders;
    std::vector<std::size_t> loops;
    for (std::size_t d = 0; d < 3; ++d) {
      if (f[block][d] > 1) loops.push_back(d);
    }
    do orders.push_back(loops);
    while (std::next_permutation(loops.begin(), loops.end()));
    return orders;
  };
  const auto block_of = [&](std::size_t block, const std::vector<std::size_t>& order, std::size_t on_x) {
    Block out{};
    for (std::size_t i = 0; i < order.size(); ++i) {
      out.loop[out.count++] = {static_cast<Dim>(dims[order[i]]), i < on_x ? Axis::x : Axis::y, f[block][order[i]]};
    }
    return out;
  };
  const auto add = [&] {
    for (const auto& inner : orders_of(1)) {
      for (std::size_t split = 0; split <= inner.size(); ++split) {
        for (const auto& outer : orders_of(2)) {
          for (std::uint32_t kept = 0; kept < 8; ++kept) {
            Mapping m{};
            m.temporal[0] = block_of(0, orders_of(0)[0], 0);
            m.spatial[1] = block_of(1, inner, split);
            m.temporal[1] = block_of(2, outer, 0);
            for (std::uint32_t t = 0; t < kSpaces; ++t) {
              m.keep[0][t] = (kept >> t & 1u) != 0;
              m.keep[1][t] = true;
            }
            all.insert(text_of(m, 2));
          }
        }
      }
    }
  };
  const std::function<void(std::size_t)> split = [&](std::size_t d) {
    if (d == 3) return add();
    const std::int64_t bound = problem.bound[dims[d]];
    for (std::int64_t a = 1; a <= bound; ++a) {
      for (std::int64_t b = 1; a * b <= bound; ++b) {
        if (bound % (a * b) != 0) continue;
        f[0][d] = a;
        f[1][d] = b;
        f[2][d] = bound / (a * b);
        split(d + 1);
      }
    }
  };
  split(0);
  return all;
}

TEST(TimeloopFactors, AllProductsOnceInTimeloopsOrder) {
  const FactorSplits four(4, {{}, {}});
  std::vector<Sides> found(3, Sides(2));
  ASSERT_EQ(four.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) four.at(i, found[i].data());
  EXPECT_EQ(found, (std::vector<Sides>{{4, 1}, {1, 4}, {2, 2}}));

  std::mt19937 rng(3);
  for (int i = 0; i < 300; ++i) {
    const std::int64_t bound = 1 + static_cast<std::int64_t>(rng() % 72);
    std::vector<FactorSlot> slots(1 + rng() % 4);
    for (FactorSlot& slot : slots) {
      if (rng() % 4 == 0) slot.fixed = 1 + static_cast<std::int64_t>(rng() % 3);
      if (rng() % 4 == 0) slot.most = 1 + static_cast<std::int64_t>(rng() % 9);
      if (rng() % 4 == 0) slot.least = 1 + static_cast<std::int64_t>(rng() % 3);
    }
    std::set<Sides> want;
    Sides factors(slots.size(), 1);
    const std::function<void(std::size_t, std::int64_t)> choose = [&](std::size_t s, std::int64_t left) {
      if (s == slots.size()) {
        if (left == 1) want.insert(factors);
        return;
      }
      for (std::int64_t factor = 1; factor <= left; ++factor) {
        if (left % factor != 0 || !slots[s].admits(factor) || slots[s].fixed.value_or(factor) != factor) continue;
        factors[s] = factor;
        choose(s + 1, left / factor);
      }
    };
    choose(0, bound);
    const FactorSplits splits(bound, slots);
    ASSERT_EQ(splits.size(), want.size()) << bound;
    std::set<Sides> got;
    for (WideCount k = 0; k < splits.size(); ++k) {
      splits.at(k, factors.data());
      got.insert(factors);
    }
    ASSERT_EQ(got, want) << bound;
  }
}

TEST(TimeloopMapSpace, SlicesHoldEveryMappingOnce) {
  for (const Problem& problem : {layer(1, 1), layer(1, 4), layer(2, 6), layer(2, 4, 3)}) {
    const MapSpace space(problem, meshes({2, 3, 2, 3, 1, 1}), {});
    const std::multiset<std::string> found = enumerated(space);
    const std::set<std::string> want = by_hand(problem);
    EXPECT_EQ(found.size(), want.size());
    EXPECT_EQ(std::set<std::string>(found.begin(), found.end()), want);
  }
}

TEST(TimeloopMapSpace, CountsAsTimeloopDoes) {
  // A split of 4 = 2^2 over three blocks: 6. Two blocks of seven loops in any order, eight splits, three tensors at one level.
  const MapSpace space(layer(1, 4), meshes({2, 3, 2, 3, 1, 1}), {});
  EXPECT_EQ(space.sizes(), (MapParts{6, 5040 * 5040, 8, 8}));
  EXPECT_EQ(decimal(total_of(space.sizes())), "9754214400");
  EXPECT_EQ(decimal(0), "0");
  const std::set<std::string> all = by_hand(space.problem());
  std::mt19937_64 rng(1);
  for (int i = 0; i < 2000; ++i) {
    const MapParts index{rng() % 6, rng() % (5040 * 5040), rng() % 8, rng() % 8};
    EXPECT_EQ(all.count(text_of(space.at(index), 2)), 1u);
  }
  // A matrix product has three dimensions only.
  Constraints product;
  product.dims = {Dim::C, Dim::M, Dim::N};
  EXPECT_EQ(MapSpace(layer(1, 4), meshes({2, 3, 2, 3, 1, 1}), product).sizes(), (MapParts{6, 36, 4, 8}));
}

// The place of a loop in a block; the number of loops where it is not there.
std::uint32_t place_in(const Block& block, Dim dim) {
  std::uint32_t place = 0;
  while (place < block.count && block.loop[place].dim != dim) ++place;
  return place;
}

// Whether a block keeps its constraint.
void expect_kept(const Block& block, const BlockConstraint& constraint, const Problem& problem) {
  for (std::uint32_t d = 0; d < kDims; ++d) {
    const std::uint32_t place = place_in(block, static_cast<Dim>(d));
    const std::int64_t bound = place < block.count ? block.loop[place].bound : 1;
    if (constraint.factor[d] == BlockConstraint::kWhole) {
      EXPECT_EQ(bound, problem.bound[d]);
    }
    if (constraint.factor[d] > 0) {
      EXPECT_EQ(bound, constraint.factor[d]);
    }
    if (constraint.most[d] > 0) {
      EXPECT_LE(bound, constraint.most[d]);
    }
    EXPECT_GE(bound, constraint.least[d]);
  }
  const auto expect_ordered = [&](const std::vector<Dim>& list, bool inner) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::uint32_t place = place_in(block, list[i]);
      if (place == block.count) continue;
      for (std::uint32_t l = inner ? 0 : place + 1; l < (inner ? place : block.count); ++l) {
        const auto other = std::find(list.begin(), list.end(), block.loop[l].dim);
        ASSERT_NE(other, list.end());
        EXPECT_EQ(other < list.begin() + static_cast<std::ptrdiff_t>(i), inner);
      }
    }
  };
  expect_ordered(constraint.innermost, true);
  expect_ordered(constraint.outermost, false);
}

BlockConstraint random_block(std::mt19937& rng, const Problem& problem, bool spatial) {
  BlockConstraint block;
  std::vector<Dim> dims;
  for (std::uint32_t d = 0; d < kDims; ++d) {
    dims.push_back(static_cast<Dim>(d));
    if (rng() % 5 == 0) block.factor[d] = rng() % 2 == 0 ? 1 : problem.bound[d] % 2 == 0 ? 2 : BlockConstraint::kWhole;
    if (rng() % 6 == 0) block.most[d] = 1 + rng() % 6;
    if (rng() % 12 == 0) block.least[d] = 1 + rng() % 2;
  }
  std::shuffle(dims.begin(), dims.end(), rng);
  if (rng() % 2 == 0) block.innermost.assign(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(rng() % 4));
  if (rng() % 2 == 0) block.outermost.assign(dims.begin() + 4, dims.begin() + 4 + static_cast<std::ptrdiff_t>(rng() % 4));
  if (spatial && rng() % 2 == 0) block.split = static_cast<std::int32_t>(rng() % 8);
  return block;
}

TEST(TimeloopMapSpace, MappingsKeepTheirConstraints) {
  std::mt19937 rng(5);
  std::size_t spaces = 0, contradictions = 0, mappings = 0, rejected = 0;
  while (spaces < 300) {
    const Problem problem = layer(1 << rng() % 4, 6, 1 << rng() % 3, 1 + rng() % 2);
    const Architecture a = meshes({4, 2, 4, 1, 2, 1, 1, 1}, 16);
    Constraints c;
    c.dims.push_back(Dim::G);
    for (std::uint32_t s = 0; s < a.levels; ++s) {
      c.spatial[s] = random_block(rng, problem, true);
      c.temporal[s] = random_block(rng, problem, false);
      for (Choice& choice : c.keep[s]) choice = static_cast<Choice>(rng() % 3);
    }
    std::shuffle(c.dims.begin(), c.dims.end(), rng);
    std::unique_ptr<MapSpace> space;
    try {
      space = std::make_unique<MapSpace>(problem, a, c);
    } catch (const Error&) {
      ++contradictions;
      continue;
    }
    ++spaces;
    for (int i = 0; i < 50; ++i, ++mappings) {
      const MapSlice slice = space->slice(rng() % space->sizes().factors);
      const Mapping m = i % 2 == 0
                            ? slice.at(rng() % slice.sizes().orders, rng() % slice.sizes().splits, rng() % slice.sizes().bypasses)
                            : space->at({rng() % space->sizes().factors, rng() % space->sizes().orders,
                                         rng() % space->sizes().splits, rng() % space->sizes().bypasses});
      for (std::uint32_t s = 0; s < a.levels; ++s) {
        expect_kept(m.spatial[s], c.spatial[s], problem);
        expect_kept(m.temporal[s], c.temporal[s], problem);
        for (std::uint32_t t = 0; t < kSpaces; ++t) {
          if (c.keep[s][t] != Choice::open) {
            EXPECT_EQ(m.keep[s][t], c.keep[s][t] == Choice::yes);
          }
        }
      }
      // What is rejected at once the model refuses, but for a fanout that other levels make up for.
      Counters counters;
      Price price;
      Fault fault;
      const Status status = cpu_functions().evaluate({problem, a, m}, FillRule::current, counters, price, fault);
      const MapSpace::Rejection rejection = space->rejection_of(m);
      if (rejection == MapSpace::Rejection::none) {
        EXPECT_EQ(status, Status::ok);
      }
      if (rejection == MapSpace::Rejection::capacity) {
        EXPECT_NE(status, Status::ok);
      }
      rejected += rejection != MapSpace::Rejection::none ? 1 : 0;
      ASSERT_FALSE(::testing::Test::HasFailure()) << text_of(m, a.levels);
    }
  }
  EXPECT_GE(contradictions, 100u);
  EXPECT_GE(rejected, mappings / 10);
  EXPECT_LE(rejected, mappings - mappings / 20);
}

TEST(TimeloopMapSpace, ContradictionsSayWhereAndWhat) {
  const Problem problem = layer(6, 4);
  const Architecture a = meshes({4, 1, 1, 1, 1, 1});
  const std::vector<std::string> names{"regs", "DRAM"};
  const auto fault_of = [&](const Constraints& c) { return error_of([&] { MapSpace(problem, a, c, names); }); };
  Constraints c;
  c.temporal[0].factor[index_of(Dim::C)] = 4;
  EXPECT_EQ(fault_of(c),
            "map space: the fixed factors do not multiply to the layer's C = 6 (regs, temporal loops 4): leave one "
            "of them open, or choose divisors");
  c = {};
  c.spatial[1].factor[index_of(Dim::M)] = 2;
  EXPECT_EQ(fault_of(c),
            "map space: DRAM, spatial loops: there can be none, because the level has one child only; remove this "
            "constraint");
  c = {};
  for (BlockConstraint* block : {&c.spatial[0], &c.temporal[0], &c.temporal[1]}) block->most[index_of(Dim::M)] = 1;
  EXPECT_EQ(fault_of(c),
            "map space: no factors of the layer's M = 4 keep all limits (fixed: none above 1): widen the limits of M");
  c = {};
  c.keep[0][kInputs] = c.keep[1][kInputs] = Choice::no;
  EXPECT_EQ(fault_of(c), "map space: inputs bypass every level: let one keep them");
  c = {};
  c.temporal[1].innermost = {Dim::C};
  c.temporal[1].outermost = {Dim::M, Dim::C};
  EXPECT_EQ(fault_of(c), "map space: DRAM, temporal loops: the order names a dimension twice; name each once");
  EXPECT_EQ(
      error_of([&] {
        MapSpace(problem, meshes({4, 1, 3, 1, 1, 1}), {}, names);
      }),
      "map space: regs: a mesh of 4 x 1 cannot be shared evenly by one of 3 x 1: choose meshes that divide those inside them");

  c = {};
  c.temporal[1].factor[index_of(Dim::C)] = 1187;
  EXPECT_EQ(MapSpace(problem, a, c, names).warnings(),
            std::vector<std::string>{"DRAM, temporal loops: C = 1187 exceeds the layer's 6 and is ignored, as Timeloop does"});
}

#if defined(__GLIBCXX__)
TEST(TimeloopSampler, DrawsTheNumbersOfGnusLibrary) {
  constexpr std::uint64_t kRange = 2147483645;
  for (const std::uint64_t most : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{6}, std::uint64_t{10079}, kRange - 1, kRange,
                                   kRange + 1, std::uint64_t{1} << 40}) {
    std::default_random_engine engine;
    std::uniform_int_distribution<std::uint64_t> distribution(0, most);
    SamplerNumbers numbers(WideCount{most} + 1);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(numbers.next(), distribution(engine)) << most;
  }
  const WideCount wide = WideCount{1} << 100;
  SamplerNumbers numbers(wide);
  for (int i = 0; i < 1000; ++i) ASSERT_LT(numbers.next(), wide);
}
#endif

TEST(TimeloopSampler, APromilleIsNoProgress) {
  const Goals goals{Goal::cycles, Goal::energy};
  EXPECT_TRUE(is_better({100, 50}, {100, 51}, goals));
  EXPECT_FALSE(is_better({100, 1000}, {100, 1000.5}, goals));  // within 0.1 %
  EXPECT_TRUE(is_better({9999, 1000}, {10000, 1000.5}, goals));
  EXPECT_FALSE(is_better({9999, 1010}, {10000, 1000}, goals));  // energy decides
  EXPECT_FALSE(is_better({100, 50}, {100, 50}, goals));
  EXPECT_TRUE(is_better({1, 0}, {1, 5}, {Goal::edp}));
}

TEST(TimeloopSampler, ThreadsShareTheMapSpace) {
  const MapSpace space(layer(4, 6), meshes({4, 2, 4, 1, 2, 1, 1, 1}, 9), {});
  SamplerSettings settings;
  settings.algorithm = SamplerAlgorithm::linear_pruned;
  settings.timeout = 0xffffffff;
  settings.victory_condition = 0;
  settings.goals = {Goal::energy};
  const SamplerResult one = sample(space, settings);
  ASSERT_TRUE(one.found);
  EXPECT_GE(one.threads[0].valid, 1000u);
  EXPECT_GE(one.threads[0].capacity, 1000u);
  settings.threads = 7;
  const SamplerResult seven = sample(space, settings);
  std::uint64_t tried = 0, valid = 0;
  for (const SamplerThread& thread : seven.threads) {
    EXPECT_EQ(thread.end, SamplerEnd::exhausted);
    tried += thread.tried;
    valid += thread.valid;
  }
  EXPECT_EQ(tried, one.threads[0].tried);
  EXPECT_EQ(valid, one.threads[0].valid);
  EXPECT_DOUBLE_EQ(seven.price.energy_pj, one.price.energy_pj);
  settings.threads = 4000;  // more than there are factors
  EXPECT_DOUBLE_EQ(sample(space, settings).price.energy_pj, one.price.energy_pj);
  // Random searches find nothing better.
  for (const SamplerAlgorithm algorithm : {SamplerAlgorithm::random_pruned, SamplerAlgorithm::hybrid, SamplerAlgorithm::random}) {
    settings = {};
    settings.algorithm = algorithm;
    settings.goals = {Goal::energy};
    const SamplerResult random = sample(space, settings);
    ASSERT_TRUE(random.found);
    EXPECT_GE(random.price.energy_pj, one.price.energy_pj);
    // One with places for loops of bound 1 meets many mappings that do not fit, in a row.
    EXPECT_EQ(random.threads[0].end, algorithm == SamplerAlgorithm::random ? SamplerEnd::timeout : SamplerEnd::victory);
  }
}

TEST(TimeloopSampler, EndsAndSaysWhy) {
  const MapSpace space(layer(4, 6, 2), meshes({4, 2, 4, 1, 2, 1, 1, 1}, 12), {});
  SamplerSettings settings;
  settings.search_size = 10;
  settings.threads = 3;  // 4 each
  const SamplerResult some = sample(space, settings);
  for (const SamplerThread& thread : some.threads) {
    EXPECT_EQ(thread.end, SamplerEnd::search_size);
    EXPECT_EQ(thread.valid, 4u);
  }
  const MapSpace nothing_fits(layer(4, 6, 2), meshes({4, 2, 4, 1, 2, 1, 1, 1}, 0), [] {
    Constraints c;
    c.keep[0].fill(Choice::yes);
    return c;
  }());
  settings.timeout = 40;
  const SamplerResult none = sample(nothing_fits, settings);
  EXPECT_FALSE(none.found);
  EXPECT_EQ(none.threads[2].end, SamplerEnd::timeout);
  EXPECT_EQ(none.threads[2].valid, 0u);
  // One choice of factors, and free bypasses: Timeloop does not end.
  settings = {};
  const SamplerResult endless = sample(MapSpace(layer(1, 1), meshes({1, 1, 1, 1, 1, 1}), {}), settings);
  EXPECT_EQ(endless.threads[0].end, SamplerEnd::endless);
  EXPECT_TRUE(endless.found);
  // As many valid mappings as there are, in a map space where all of them are.
  settings.algorithm = SamplerAlgorithm::random;
  settings.victory_condition = 0;
  settings.search_size = 0xffffffff;
  Constraints kept;
  for (auto& level : kept.keep) level.fill(Choice::yes);
  for (BlockConstraint& block : kept.temporal) block.innermost = kept.dims;
  const MapSpace small(layer(2, 3), meshes({1, 1, 1, 1, 1, 1}), kept);
  const SamplerResult all = sample(small, settings);
  EXPECT_EQ(all.threads[0].end, SamplerEnd::exhausted);
  EXPECT_EQ(all.threads[0].valid, static_cast<std::uint64_t>(total_of(small.sizes())));
  settings = {};
  settings.most_tried = 100;
  settings.victory_condition = 1000000;
  EXPECT_EQ(sample(space, settings).threads[0].tried, 100u);
  const std::atomic<bool> stop{true};
  settings.stop = &stop;
  EXPECT_EQ(sample(space, settings).threads[0].end, SamplerEnd::stopped);
  settings = {};
  settings.victory_condition = 0;
  EXPECT_THROW((void)sample(space, settings), UsageError);  // random, without an end
}

}  // namespace
}  // namespace exarch
