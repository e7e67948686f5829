// The ant colonies: pheromones against a linear scan, the update rules by hand, ArchGym's colony against a second, obvious
// one, and that the one that learns does.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "agents/agent.hpp"
#include "agents/pheromones.hpp"
#include "host/error.hpp"
#include "kernels/core/philox.hpp"
#include "tests/support/agent_cases.hpp"

namespace exarch {
namespace {

using namespace test;

// The rules as docs/agents.md states them, value by value.
Gene scan_roulette(const std::vector<double>& pheromones, double unit) {
  double total = 0, running = 0;
  for (const double pheromone : pheromones) total += pheromone;
  if (total == 0) return static_cast<Gene>(unit * static_cast<double>(pheromones.size()));
  for (std::size_t v = 0; v < pheromones.size(); ++v) {
    running += pheromones[v];
    if (running / total > unit) return static_cast<Gene>(v);
  }
  return static_cast<Gene>(pheromones.size() - 1);
}

std::vector<Gene> scan_largest(const std::vector<double>& pheromones) {
  const double best = *std::max_element(pheromones.begin(), pheromones.end());
  std::vector<Gene> values;
  for (std::size_t v = 0; v < pheromones.size(); ++v) {
    if (pheromones[v] == best) values.push_back(static_cast<Gene>(v));
  }
  return values;
}

TEST(Pheromones, ChooseAsALinearScanDoes) {
  std::mt19937_64 rng(1);
  for (const std::size_t values : {1u, 2u, 3u, 7u, 8u, 9u, 100u}) {
    for (const int lowest : {0, 1, -20, -3}) {
      Pheromones tree(values, 0.125);
      std::vector<double> scan(values, 0.125);
      for (int i = 0; i < 2000; ++i) {
        // Multiples of 1/64 add up without rounding, in whatever order. Few numbers, so that many are equal.
        const std::size_t v = rng() % values;
        scan[v] = (lowest + static_cast<int>(rng() % 24)) / 64.0;
        tree.set(v, scan[v]);
        const double unit = static_cast<double>(rng() % 1024) / 1024;
        ASSERT_EQ(tree.at(v), scan[v]);
        ASSERT_EQ(tree.roulette(unit), scan_roulette(scan, unit)) << values << " " << unit;
        const std::vector<Gene> largest = scan_largest(scan);
        ASSERT_EQ(tree.ties(), largest.size());
        for (std::uint32_t tie = 0; tie < largest.size(); ++tie) ASSERT_EQ(tree.largest(tie), largest[tie]);
      }
    }
  }
}

TEST(Pheromones, SharesByHand) {
  const auto table = [](const std::vector<double>& pheromones) {
    Pheromones tree(pheromones.size(), 0);
    for (std::size_t v = 0; v < pheromones.size(); ++v) tree.set(v, pheromones[v]);
    return tree;
  };
  const Pheromones positive = table({0.5, 0.25, 0.25});
  EXPECT_EQ(positive.roulette(0), 0);
  EXPECT_EQ(positive.roulette(0.4999), 0);
  EXPECT_EQ(positive.roulette(0.5), 1);
  EXPECT_EQ(positive.roulette(0.75), 2);
  EXPECT_EQ(positive.roulette(1 - 0x1p-53), 2);
  // Running shares 2/3, 1/3, 1: the second value is never the first to exceed anything.
  const Pheromones mixed = table({0.5, -0.25, 0.5});
  EXPECT_EQ(mixed.roulette(0.66), 0);
  EXPECT_EQ(mixed.roulette(0.67), 2);
  // All negative: shares as if all were positive.
  const Pheromones negative = table({-0.5, -0.25, -0.25});
  EXPECT_EQ(negative.roulette(0.4999), 0);
  EXPECT_EQ(negative.roulette(0.6), 1);
  EXPECT_EQ(negative.roulette(0.8), 2);
  // Nothing at all: uniform.
  const Pheromones nothing = table({0.5, -0.5, 0});
  EXPECT_EQ(nothing.roulette(0.3), 0);
  EXPECT_EQ(nothing.roulette(0.34), 1);
  EXPECT_EQ(nothing.roulette(0.99), 2);
}

TEST(Pheromones, RoundingNeverLeavesTheTable) {
  std::mt19937_64 rng(2);
  for (int i = 0; i < 20'000; ++i) {
    Pheromones table(1 + rng() % 70, 0.1);
    for (int k = 0; k < 20; ++k)
      table.set(rng() % table.size(), std::ldexp(static_cast<double>(rng()), -64 - k) - (i % 3) * 0.01);
    EXPECT_LT(table.roulette(1 - 0x1p-53), table.size());
    EXPECT_LT(table.roulette(0), table.size());
  }
}

// The pheromones at the end of a state, (parameter, value).
std::vector<std::vector<double>> pheromones_of(const Agent& agent, const DesignSpace& space) {
  const std::string state = agent.state();
  std::size_t values = 0;
  for (std::size_t p = 0; p < space.dimensions(); ++p) values += space.values(p).size();
  const char* next = state.data() + state.size() - values * sizeof(double);
  std::vector<std::vector<double>> pheromones;
  for (std::size_t p = 0; p < space.dimensions(); ++p) {
    pheromones.emplace_back(space.values(p).size());
    for (double& pheromone : pheromones.back()) {
      std::memcpy(&pheromone, next, sizeof pheromone);
      next += sizeof pheromone;
    }
  }
  return pheromones;
}

// Tells the agent that its colony was this one.
void tell(Agent& agent, const std::vector<std::vector<Gene>>& ants, const std::vector<double>& costs) {
  GeneBatch batch;
  agent.ask(batch);
  ASSERT_EQ(batch.candidates(), ants.size());
  for (std::size_t c = 0; c < ants.size(); ++c) std::ranges::copy(ants[c], batch.row(c).begin());
  agent.tell(batch, costs);
}

void expect_near(const std::vector<std::vector<double>>& actual, const std::vector<std::vector<double>>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t p = 0; p < actual.size(); ++p) {
    ASSERT_EQ(actual[p].size(), expected[p].size());
    for (std::size_t v = 0; v < actual[p].size(); ++v) EXPECT_NEAR(actual[p][v], expected[p][v], 1e-12) << p << " " << v;
  }
}

TEST(AcoArchgym, UpdatesByHandOnAReward) {
  const DesignSpace space = space_of({2, 3});
  const auto agent = make_agent("aco:archgym", space, options_of(1, 2));
  tell(*agent, {{0, 0}}, {-2});  // the first ant leaves no trail
  expect_near(pheromones_of(*agent, space), {{0.1, 0.1}, {0.1, 0.1, 0.1}});
  // Local updates leave 0.1 at 0.1. The best, of reward 4, deposits -1/40: 0.9 x 0.1 - 0.1 / 40.
  tell(*agent, {{1, 2}, {1, 0}}, {-1, -4});
  expect_near(pheromones_of(*agent, space), {{0.1, 0.0875}, {0.0875, 0.1, 0.1}});
  // (0.9 x 0.0875 + 0.01) twice on the first parameter, once on the second; then the newest of the equal best deposits.
  tell(*agent, {{1, 0}, {1, 1}}, {-3, -4});
  expect_near(pheromones_of(*agent, space), {{0.1, 0.0783875}, {0.08875, 0.0875, 0.1}});
  // Nothing better: the best so far deposits again.
  tell(*agent, {{0, 2}, {0, 2}}, {-3, -2});
  expect_near(pheromones_of(*agent, space), {{0.1, 0.9 * 0.0783875 - 0.0025}, {0.08875, 0.9 * 0.0875 - 0.0025, 0.1}});
}

TEST(AcoArchgym, UpdatesByHandOnADistance) {
  const DesignSpace space = space_of({2});
  const auto agent = make_agent("aco:archgym", space, options_of(1, 2, {{"evaporation", "0.5"}, {"decay", "0.5"}}));
  tell(*agent, {{0}}, {0.05});
  tell(*agent, {{1}, {1}}, {1, 3});  // the first ant stays the best: 0.05 + 0.5 / 0.5
  expect_near(pheromones_of(*agent, space), {{1.05, 0.1}});
  tell(*agent, {{0}, {0}}, {kInfinity, 1});  // two local updates: 0.575, 0.3375; then 0.16875 + 1
  expect_near(pheromones_of(*agent, space), {{1.16875, 0.1}});
}

TEST(AcoArchgym, ItsPheromonesTurnNegativeAndGreedyAntsAvoidTheBest) {
  const DesignSpace space = space_of({2});
  const auto agent = make_agent("aco:archgym", space, options_of(1, 50, {{"evaporation", "1"}, {"greediness", "1"}}));
  tell(*agent, {{1}}, {-0.5});
  tell(*agent, std::vector<std::vector<Gene>>(50, {0}), std::vector<double>(50, 0.0));
  expect_near(pheromones_of(*agent, space), {{0.1, -0.2}});
  GeneBatch batch;
  agent->ask(batch);
  for (std::size_t c = 0; c < 50; ++c) EXPECT_EQ(batch.row(c)[0], 0);
}

// ArchGym's colony once more, from its description: tables of numbers, linear scans, one ant after another.
class SlowArchgymColony {
 public:
  SlowArchgymColony(std::vector<std::size_t> sizes, std::uint64_t seed, std::size_t ants, double greediness, double evaporation)
      : sizes_(std::move(sizes)), seed_(seed), ants_(ants), greediness_(greediness), evaporation_(evaporation) {
    for (const std::size_t size : sizes_) tables_.emplace_back(size, 0.1);
  }

  std::vector<Gene> generation(std::uint32_t number, Cost cost) {
    std::vector<Gene> asked;
    if (number == 0) {
      PhiloxStream draws(seed_, 0, 0, 0);
      for (const std::size_t size : sizes_) asked.push_back(static_cast<Gene>(draws.below(static_cast<std::uint32_t>(size))));
      best_ = asked;
      return asked;
    }
    std::vector<Gene> leader;
    for (std::uint32_t ant = 0; ant < ants_; ++ant) {
      const std::vector<Gene> genes = walk(ant, number);
      asked.insert(asked.end(), genes.begin(), genes.end());
      for (std::size_t p = 0; p < genes.size(); ++p) {
        double& pheromone = tables_[p][genes[p]];
        pheromone = (1 - 0.1) * pheromone + 0.1 * 0.1;
      }
      if (leader.empty() || cost(genes) < cost(leader)) leader = genes;
    }
    if (cost(leader) <= cost(best_)) best_ = leader;
    for (std::size_t p = 0; p < best_.size(); ++p) {
      double& pheromone = tables_[p][best_[p]];
      pheromone = (1 - evaporation_) * pheromone + evaporation_ * std::clamp(1 / (10 * cost(best_)), -1e6, 1e6);
    }
    return asked;
  }

 private:
  std::vector<Gene> walk(std::uint32_t ant, std::uint32_t generation) const {
    PhiloxStream draws(seed_, 5, ant, generation);
    std::vector<Gene> genes;
    for (const std::vector<double>& table : tables_) {
      if (table.size() == 1) {
        genes.push_back(0);
      } else if (draws.unit() < greediness_) {
        const std::vector<Gene> largest = scan_largest(table);
        genes.push_back(largest[draws.below(static_cast<std::uint32_t>(largest.size()))]);
      } else {
        genes.push_back(scan_roulette(table, draws.unit()));
      }
    }
    return genes;
  }

  std::vector<std::size_t> sizes_;
  std::uint64_t seed_;
  std::size_t ants_;
  double greediness_, evaporation_;
  std::vector<std::vector<double>> tables_;
  std::vector<Gene> best_;
};

TEST(AcoArchgym, AsksWhatAnObviousColonyAsks) {
  const std::vector<std::size_t> sizes = {4, 3, 1, 8, 2, 16, 128};
  const DesignSpace space = space_of(sizes);
  for (const Cost cost : {bowl, negative_reward}) {
    for (const std::size_t ants : {2u, 16u, 64u}) {
      for (const char* greediness : {"0", "0.5", "1"}) {
        for (const char* evaporation : {"0.1", "1"}) {
          const auto agent = make_agent("aco:archgym", space,
                                        options_of(ants, ants, {{"greediness", greediness}, {"evaporation", evaporation}}));
          SlowArchgymColony slow(sizes, ants, ants, std::stod(greediness), std::stod(evaporation));
          for (std::uint32_t g = 0; g < 17; ++g) {
            ASSERT_EQ(turn(*agent, cost), slow.generation(g, cost))
                << ants << " " << greediness << " " << evaporation << " " << g;
          }
        }
      }
    }
  }
}

TEST(AcoInverseCost, UpdatesByHand) {
  const DesignSpace space = space_of({3});
  const std::map<std::string, std::string> values = {{"evaporation", "0.5"}, {"decay", "0"}};
  const auto agent = make_agent("aco:inverse_cost", space, options_of(1, 2, values));
  tell(*agent, {{2}, {2}}, {kInfinity, kInfinity});  // nothing feasible: no deposit
  expect_near(pheromones_of(*agent, space), {{0.1, 0.1, 0.1}});
  tell(*agent, {{0}, {1}}, {8e7, 4e7});  // the first cost is the unit: 0.05 + 0.5 x 1
  expect_near(pheromones_of(*agent, space), {{0.1, 0.55, 0.1}});
  tell(*agent, {{2}, {1}}, {8e7, 9e7});  // a colony's best, though not the best so far: 0.05 + 0.5 x 0.5
  expect_near(pheromones_of(*agent, space), {{0.1, 0.55, 0.3}});
  tell(*agent, {{0}, {1}}, {1e7, 1e7});  // 0.05 + 0.5 x 4
  expect_near(pheromones_of(*agent, space), {{2.05, 0.55, 0.3}});
  tell(*agent, {{2}, {2}}, {0, 0});  // no inverse: the largest deposit
  expect_near(pheromones_of(*agent, space), {{2.05, 0.55, 0.15 + 5e5}});

  const auto rewarded = make_agent("aco:inverse_cost", space, options_of(1, 2, values));
  tell(*rewarded, {{0}, {1}}, {-2, -1});  // rewards are deposited in units of the first
  tell(*rewarded, {{2}, {1}}, {-6, 3});
  expect_near(pheromones_of(*rewarded, space), {{0.55, 0.1, 0.05 + 1.5}});
  tell(*rewarded, {{1}, {1}}, {2, 3});  // worse than no reward
  expect_near(pheromones_of(*rewarded, space), {{0.55, 0.05, 0.05 + 1.5}});
}

TEST(Aco, UpdatesByHand) {
  const DesignSpace space = space_of({2, 2});
  // Two parameters: bounds of sqrt(0.81) = 0.9 and 0.1.
  const auto agent =
      make_agent("aco", space, options_of(1, 3, {{"ranks", "3"}, {"evaporation", "0.5"}, {"best_probability", "0.81"}}));
  expect_near(pheromones_of(*agent, space), {{0.5, 0.5}, {0.5, 0.5}});
  // Weights 3 (best so far, (1, 0)), 2 (the same) and 1 ((1, 1)) of 6.
  tell(*agent, {{0, 0}, {1, 0}, {1, 1}}, {5, 1, 3});
  expect_near(pheromones_of(*agent, space), {{0.25, 0.75}, {0.25 + 5.0 / 12, 0.25 + 1.0 / 12}});
  tell(*agent, {{0, 1}, {0, 1}, {0, 1}}, {kInfinity, kInfinity, kInfinity});  // the best so far alone
  expect_near(pheromones_of(*agent, space), {{0.125, 0.875}, {1.0 / 3 + 0.5, 1.0 / 6}});
  tell(*agent, {{0, 1}, {0, 1}, {0, 1}}, {kInfinity, kInfinity, kInfinity});  // 0.0625 and 0.9375 are out of bounds
  expect_near(pheromones_of(*agent, space), {{0.1, 0.9}, {0.9, 0.1}});
}

TEST(Aco, ConvergedItDrawsTheBestAntAsOftenAsItSays) {
  const DesignSpace space = space_of({8, 8, 1, 8, 8});
  const auto agent = make_agent("aco", space, options_of(1, 20'000, {{"ranks", "1"}, {"evaporation", "1"}}));
  GeneBatch batch;
  agent->ask(batch);
  const std::vector<Gene> best(batch.row(17).begin(), batch.row(17).end());
  std::vector<double> costs(20'000, 1);
  costs[17] = 0;
  agent->tell(batch, costs);
  agent->ask(batch);
  int drawn = 0;
  for (std::size_t c = 0; c < batch.candidates(); ++c) drawn += std::ranges::equal(batch.row(c), best);
  EXPECT_NEAR(drawn, 1000, 155);  // 5 %; standard deviation 31, the seed is fixed
}

TEST(Aco, OnlyTheOrderOfCostsMatters) {
  const DesignSpace space = space_of({16, 5, 1, 9, 300});
  const auto plain = make_agent("aco", space, options_of(3, 40)), scaled = make_agent("aco", space, options_of(3, 40));
  for (int g = 0; g < 20; ++g) {
    EXPECT_EQ(turn(*plain), turn(*scaled, [](std::span<const Gene> genes) { return 1e-9 * bowl(genes) - 1000; })) << g;
  }
}

TEST(AcoInverseCost, TheUnitOfCostsDoesNotMatter) {
  const DesignSpace space = space_of({16, 5, 1, 9, 300});
  const auto plain = make_agent("aco:inverse_cost", space, options_of(3, 40));
  const auto scaled = make_agent("aco:inverse_cost", space, options_of(3, 40));
  for (int g = 0; g < 20; ++g) {
    EXPECT_EQ(turn(*plain), turn(*scaled, [](std::span<const Gene> genes) { return 0x1p40 * bowl(genes); })) << g;
  }
}

TEST(Aco, CostsThatSayNothingDoNoHarm) {
  const DesignSpace space = space_of({16, 3, 1});
  for (const char* name : {"aco", "aco:inverse_cost", "aco:archgym"}) {
    for (const double useless : {kInfinity, -kInfinity, std::nan(""), 0.0, -0.0, 1e-320, 1e308}) {
      const auto agent = make_agent(name, space, options_of(5, 40, {{"evaporation", "0.5"}}));
      GeneBatch batch;
      for (int g = 0; g < 5; ++g) {
        agent->ask(batch);
        agent->tell(batch, std::vector<double>(batch.candidates(), useless));
      }
      for (const auto& table : pheromones_of(*agent, space)) {
        for (const double pheromone : table) EXPECT_TRUE(std::isfinite(pheromone)) << name << " " << useless;
      }
      const auto restored = make_agent(name, space, options_of(5, 40, {{"evaporation", "0.5"}}));
      EXPECT_NO_THROW(restored->restore(agent->state())) << name << " " << useless;
    }
  }
}

TEST(Aco, AStateOfAnotherVariantPopulationOrSpaceIsRefused) {
  const DesignSpace space = space_of({16, 16}), wider = space_of({16, 16, 2}), narrower = space_of({16, 3});
  const auto agent = make_agent("aco", space, options_of(1, 20));
  turn(*agent);
  std::string state = agent->state();
  for (const char* name : {"aco:archgym", "aco:inverse_cost", "ga"}) {
    EXPECT_THROW(make_agent(name, space, options_of(1, 20))->restore(state), Error);
  }
  EXPECT_THROW(make_agent("aco", space, options_of(1, 21))->restore(state), Error);
  EXPECT_THROW(make_agent("aco", wider, options_of(1, 20))->restore(state), Error);
  EXPECT_THROW(make_agent("aco", narrower, options_of(1, 20))->restore(state), Error);
  const double nan = std::nan("");
  std::memcpy(state.data() + state.size() - sizeof nan, &nan, sizeof nan);
  EXPECT_THROW(agent->restore(state), Error);
}

TEST(Aco, BadHyperparametersAreClearErrors) {
  const DesignSpace space = space_of({16, 16});
  const auto error = [&](const std::string& name, const std::string& key, const std::string& value) {
    return error_of([&] { (void)make_agent(name, space, options_of(1, 10, {{key, value}})); });
  };
  EXPECT_EQ(error("aco", "ranks", "0"), "agent 'aco': ranks = '0' is not valid; it takes 1 to 1000000");
  EXPECT_EQ(error("aco:archgym", "greediness", "1.5"), "agent 'aco:archgym': greediness = '1.5' is not valid; it takes 0 to 1");
  EXPECT_EQ(error("aco", "evaporatoin", "1"), "agent 'aco': unknown parameter 'evaporatoin' (did you mean 'evaporation'?)");
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"evaporation", "-0.1"}, {"evaporation", "nan"}, {"decay", "1.1"}, {"decay", ""}, {"greediness", "half"}}) {
    for (const char* name : {"aco", "aco:inverse_cost", "aco:archgym"}) {
      EXPECT_NE(error(name, key, value).find("is not valid"), std::string::npos) << name << " " << key;
    }
  }
  EXPECT_NE(error("aco", "best_probability", "1").find("is not valid"), std::string::npos);
  EXPECT_NE(error("aco:archgym", "start", "0").find("is not valid"), std::string::npos);
}

// How many of 20 seeds the first agent finds something cheaper than the second, with `population` x `generations` candidates.
int wins(const std::string& first, const std::string& second, Cost cost, std::size_t values, std::size_t population,
         int generations) {
  const DesignSpace space = space_of(std::vector<std::size_t>(10, values));
  int count = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const double a = best_after(*make_agent(first, space, options_of(seed, population)), generations, cost);
    const double b = best_after(*make_agent(second, space, options_of(seed, population)), generations, cost);
    count += a < b;
  }
  return count;
}

// Were two agents equally good, one would win 18 or more of 20 paired seeds with probability 211 / 2^20 = 0.0002 at most (less
// with ties, which count for the other).
TEST(Aco, BeatsRandomOnASeparableAndOnADeceptiveObjective) {
  for (const auto& [population, generations] : {std::pair{16, 40}, {64, 20}, {1024, 10}}) {
    EXPECT_GE(wins("aco", "random", bowl, 16, population, generations), 18) << population;
    EXPECT_GE(wins("aco", "random", trap, 8, population, generations), 18) << population;
    EXPECT_GE(wins("aco", "random", negative_reward, 8, population, generations), 18) << population;
  }
}

// What the sign of ArchGym's deposit does: on a reward its colony is worse than random, the corrected deposit better.
TEST(AcoArchgym, IsWorseThanRandomOnARewardAndTheCorrectedDepositIsBetter) {
  EXPECT_GE(wins("random", "aco:archgym", negative_reward, 8, 64, 20), 18);
  EXPECT_GE(wins("aco:inverse_cost", "random", negative_reward, 8, 64, 20), 18);
  EXPECT_GE(wins("aco:inverse_cost", "random", bowl, 16, 64, 20), 18);
}

}  // namespace
}  // namespace exarch
