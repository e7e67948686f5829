// That the learning agents learn, and that each does what its method promises.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "agents/agent.hpp"
#include "agents/gaussian_process.hpp"
#include "agents/observations.hpp"
#include "tests/support/agent_cases.hpp"

namespace exarch {
namespace {

using namespace test;

struct Searcher {
  std::string name;
  std::size_t population;
  int generations;
  std::size_t parameters;  // of sixteen values each
};

class BeatsRandom : public ::testing::TestWithParam<Searcher> {};

// Were the agents equally good, one would win 18 or more of 20 paired seeds with probability 0.0002.
TEST_P(BeatsRandom, OnASeparableBowl) {
  const auto& [name, population, generations, parameters] = GetParam();
  const DesignSpace space = space_of(std::vector<std::size_t>(parameters, 16));
  int wins = 0;
  double sum = 0, random_sum = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const double its = best_after(*make_agent(name, space, options_of(seed, population)), generations);
    const double random = best_after(*make_agent("random", space, options_of(seed, population)), generations);
    wins += its < random;
    sum += its;
    random_sum += random;
  }
  EXPECT_GE(wins, 18);
  EXPECT_LT(sum, random_sum / 2);
}

INSTANTIATE_TEST_SUITE_P(Agents, BeatsRandom,
                         ::testing::Values(Searcher{"sa", 32, 60, 10}, Searcher{"sa:local", 32, 60, 10},
                                           Searcher{"de", 64, 40, 10}, Searcher{"nsga2", 64, 20, 10}, Searcher{"bo", 8, 10, 5},
                                           Searcher{"bo:tpe", 32, 20, 8}, Searcher{"pg", 64, 40, 10},
                                           Searcher{"pg:ppo", 64, 20, 10}),
                         [](const auto& searcher) {
                           std::string name = searcher.param.name;
                           std::ranges::replace(name, ':', '_');
                           return name;
                         });

// The first points of the unshifted sequence in three dimensions (Joe and Kuo's numbers), up to the shift: differences between
// points do not depend on it.
TEST(Sobol, IsTheSequenceUpToItsShift) {
  const DesignSpace space = space_of({16, 16, 16, 1});
  const auto agent = make_agent("random:sobol", space, options_of(3, 10));
  GeneBatch batch;
  agent->ask(batch);
  const int want[10][3] = {{0, 0, 0},   {8, 8, 8},   {12, 4, 4}, {4, 12, 12}, {6, 6, 10},
                           {14, 14, 2}, {10, 2, 14}, {2, 10, 6}, {3, 5, 15},  {11, 13, 7}};
  for (std::size_t c = 0; c < 10; ++c) {
    for (std::size_t p = 0; p < 3; ++p) EXPECT_EQ(batch.row(c)[p] ^ batch.row(0)[p], want[c][p]) << c << " " << p;
    EXPECT_EQ(batch.row(c)[3], 0);
  }
  EXPECT_THROW((void)make_agent("random:sobol", space_of(std::vector<std::size_t>(22, 2)), options_of(1, 8)), UsageError);
}

// Of a power of two of points, every value of every parameter occurs equally often.
TEST(Sobol, IsBalanced) {
  const DesignSpace space = space_of(std::vector<std::size_t>(21, 8));
  const auto agent = make_agent("random:sobol", space, options_of(9, 256));
  GeneBatch batch;
  agent->ask(batch);
  for (std::size_t p = 0; p < 21; ++p) {
    std::vector<int> count(8);
    for (std::size_t c = 0; c < 256; ++c) ++count[batch.row(c)[p]];
    for (const int n : count) EXPECT_EQ(n, 32) << p;
  }
}

TEST(LatinHypercube, TakesEveryValueEquallyOften) {
  const DesignSpace space = space_of({16, 5, 1, 32});
  const auto agent = make_agent("random:latin", space, options_of(9, 160));
  for (int g = 0; g < 3; ++g) {
    GeneBatch batch;
    agent->ask(batch);
    for (std::size_t p = 0; p < 4; ++p) {
      std::vector<std::size_t> count(space.values(p).size());
      for (std::size_t c = 0; c < 160; ++c) ++count[batch.row(c)[p]];
      for (const std::size_t n : count) EXPECT_EQ(n, 160 / count.size()) << p;
    }
    agent->tell(batch, costs_of(batch));
  }
}

std::size_t differences(std::span<const Gene> a, std::span<const Gene> b) {
  std::size_t n = 0;
  for (std::size_t p = 0; p < a.size(); ++p) n += a[p] != b[p];
  return n;
}

TEST(RandomWalk, ChangesOneParameterAtATime) {
  const DesignSpace space = space_of({16, 5, 1, 32});
  for (const char* locality : {"0", "1"}) {
    const auto agent = make_agent("random:walk", space, options_of(9, 40, {{"locality", locality}}));
    GeneBatch before, batch;
    agent->ask(before);
    agent->tell(before, costs_of(before));
    for (int g = 0; g < 20; ++g) {
      agent->ask(batch);
      for (std::size_t c = 0; c < 40; ++c) {
        EXPECT_EQ(differences(batch.row(c), before.row(c)), 1u);
        if (*locality == '0') continue;
        for (std::size_t p = 0; p < 4; ++p) EXPECT_LE(std::abs(batch.row(c)[p] - before.row(c)[p]), 1);
      }
      agent->tell(batch, costs_of(batch));
      before = batch;
    }
  }
}

// Between restarts a climber's cost only falls, and after `patience` failures it starts elsewhere.
TEST(LocalSearch, ClimbsAndStartsAgain) {
  const DesignSpace space = space_of({16, 16, 16});
  const auto agent = make_agent("sa:local", space, options_of(9, 1 + 1, {{"patience", "5"}}));
  GeneBatch batch;
  std::vector<double> at;
  std::vector<int> failures(2);
  int restarts = 0;
  std::vector<std::vector<Gene>> here(2);
  for (int g = 0; g < 300; ++g) {
    agent->ask(batch);
    const auto costs = costs_of(batch);
    for (std::size_t c = 0; c < 2; ++c) {
      const auto row = batch.row(c);
      if (g == 0 || failures[c] == 5) {
        restarts += g > 0;
        failures[c] = 0;
      } else {
        EXPECT_EQ(differences(row, here[c]), 1u);
        failures[c] = costs[c] < at[c] ? 0 : failures[c] + 1;
        if (costs[c] > at[c]) continue;
      }
      here[c].assign(row.begin(), row.end());
      at.resize(2);
      at[c] = costs[c];
    }
    agent->tell(batch, costs);
  }
  EXPECT_GT(restarts, 5);
}

// With T0 = -mean worsening / ln(acceptance), equal worsenings are accepted with just that probability.
TEST(SimulatedAnnealing, AcceptsAsOftenAsItsTemperatureSays) {
  const DesignSpace space = space_of({60000, 60000});
  for (const auto& [acceptance, expected] : {std::pair{"0.8", 0.8}, {"0.3", 0.3}}) {
    const auto agent =
        make_agent("sa", space, options_of(4, 20000, {{"acceptance", acceptance}, {"cooling", "1"}, {"locality", "0"}}));
    GeneBatch first, second, third;
    agent->ask(first);
    agent->tell(first, std::vector<double>(20000, 1));
    agent->ask(second);
    agent->tell(second, std::vector<double>(20000, 3));
    agent->ask(third);
    // A chain whose second step changes the other parameter tells where it stood: two changes from the first place if it had
    // moved.
    std::size_t told = 0, moved = 0;
    for (std::size_t c = 0; c < 20000; ++c) {
      const bool had_moved = differences(third.row(c), first.row(c)) == 2;
      const bool had_stayed = differences(third.row(c), second.row(c)) == 2;
      told += had_moved || had_stayed;
      moved += had_moved;
    }
    EXPECT_NEAR(static_cast<double>(moved) / static_cast<double>(told), expected, 0.02);  // five standard deviations
  }
}

std::vector<double> two_costs(const GeneBatch& batch) {
  std::vector<double> costs;
  for (std::size_t c = 0; c < batch.candidates(); ++c) {
    double a = 0, b = 0;
    for (const Gene gene : batch.row(c)) {
      a += gene * gene;
      b += (15 - gene) * (15 - gene);
    }
    costs.insert(costs.end(), {a, b});
  }
  return costs;
}

// Area between the front and the point (1200, 1200), of costs from 0 to 1125: the larger, the better.
double hypervolume(std::vector<std::pair<double, double>> points) {
  std::ranges::sort(points);
  double area = 0, ceiling = 1200;
  for (const auto& [a, b] : points) {
    if (b >= ceiling) continue;
    area += (1200 - a) * (ceiling - b);
    ceiling = b;
  }
  return area;
}

TEST(Nsga2, ApproachesTheFrontOfTwoObjectives) {
  const DesignSpace space = space_of(std::vector<std::size_t>(5, 16));
  std::vector<std::pair<double, double>> all;
  GeneBatch point;
  for (std::uint64_t i = 0; i < space.size(); ++i) {
    point.dimensions = 5;
    point.genes.resize(5);
    space.genes_of(i, point.genes);
    const auto costs = two_costs(point);
    all.emplace_back(costs[0], costs[1]);
  }
  const double exact = hypervolume(all);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    double reached[2];
    for (const bool learns : {false, true}) {
      AgentOptions options = options_of(seed, 100);
      options.objectives = 2;
      const auto agent = make_agent("nsga2", space, options);
      const auto random = make_agent("random", space, options_of(seed, 100));
      std::vector<std::pair<double, double>> seen;
      GeneBatch batch;
      for (int g = 0; g < 30; ++g) {
        Agent& asked = learns ? *agent : *random;
        asked.ask(batch);
        const auto costs = two_costs(batch);
        for (std::size_t c = 0; c < batch.candidates(); ++c) seen.emplace_back(costs[2 * c], costs[2 * c + 1]);
        if (learns) {
          agent->tell(batch, costs);
        } else {
          random->tell(batch, std::vector<double>(100));
        }
      }
      reached[learns ? 1 : 0] = hypervolume(seen);
    }
    EXPECT_LE(reached[1], exact);
    EXPECT_GT(reached[1], 0.98 * exact) << "seed " << seed;
    EXPECT_GT(reached[1], reached[0]) << "seed " << seed;
  }
}

TEST(Nsga2, AlternativesAreRefusedWhereOneObjectiveIsTaken) {
  const DesignSpace space = space_of({4, 4});
  AgentOptions options = options_of(1, 10);
  options.objectives = 2;
  EXPECT_NE(error_of([&] { (void)make_agent("ga", space, options); }).find("one objective, not 2"), std::string::npos);
  options.objectives = 4;
  EXPECT_NE(error_of([&] { (void)make_agent("nsga2", space, options); }).find("1 to 3 objectives"), std::string::npos);
}

// Conditioned on values, the process repeats them; a value added later changes predictions as if it had been there from the
// start.
TEST(GaussianProcess, InterpolatesAndGrows) {
  const DesignSpace space = space_of({16, 8, 4});
  GeneBatch points, pool;
  resize_batch(points, space, 12);
  resize_batch(pool, space, 30);
  for (std::size_t i = 0; i < 12; ++i) space.genes_of(i * 41, points.row(i));
  for (std::size_t i = 0; i < 30; ++i) space.genes_of(i < 12 ? i * 41 : i * 17 + 3, pool.row(i));
  std::vector<double> values;
  for (std::size_t i = 0; i < 12; ++i) values.push_back(std::sin(static_cast<double>(i)));
  GaussianProcess process(space), grown(space);
  process.fit_lengths(points, values);
  grown.set_lengths(process.lengths());
  process.condition(points, values, pool);
  for (Eigen::Index i = 0; i < 12; ++i) EXPECT_NEAR(process.mean()(i), values[static_cast<std::size_t>(i)], 0.02);
  GeneBatch fewer = points;
  resize_batch(fewer, space, 5);
  grown.condition(fewer, std::span(values).first(5), pool);
  for (std::size_t i = 5; i < 12; ++i) grown.add(i, values[i]);
  for (Eigen::Index i = 0; i < 30; ++i) {
    EXPECT_NEAR(grown.mean()(i), process.mean()(i), 1e-6);
    EXPECT_NEAR(grown.variance()(i), process.variance()(i), 1e-6);
  }
}

TEST(Observations, KeepTheBestAndTheNewest) {
  const DesignSpace space = space_of({1000});
  Observations known(space, 3, 2);
  for (std::uint32_t i = 0; i < 40; ++i) {
    GeneBatch batch;
    resize_batch(batch, space, 1);
    batch.row(0)[0] = static_cast<Gene>(i);
    known.add(batch, std::vector<double>{std::abs(static_cast<double>(i) - 10)});
  }
  std::vector<Gene> kept(known.candidates().genes);
  EXPECT_EQ(kept, (std::vector<Gene>{9, 10, 11, 38, 39}));
  EXPECT_EQ(known.by_cost(), (std::vector<std::uint32_t>{1, 0, 2, 3, 4}));
}

// Parameters of eight labels each, and one without a choice.
DesignSpace labels_of(std::size_t parameters) {
  std::vector<ParameterInfo> infos;
  std::vector<std::vector<std::int64_t>> values;
  for (std::size_t p = 0; p <= parameters; ++p) {
    infos.push_back(
        {"p" + std::to_string(p), ParameterKind::categorical, {"a", "b", "c", "d", "e", "f", "g", "h"}, 0, 7, 0, "", ""});
    values.push_back(p == parameters ? std::vector<std::int64_t>{3} : std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7});
  }
  return {"labels", "", infos, values};
}

// Labels have no order to follow: every parameter has a favourite one. Were the agents equally good, one would win or draw all
// but four of 20 paired seeds, and win more than it loses, with a probability below 0.01.
TEST(LearningAgents, LearnLabels) {
  const DesignSpace space = labels_of(8);
  for (const char* name : {"sa", "sa:local", "de", "nsga2", "bo:tpe", "pg", "pg:ppo", "bo"}) {
    const bool slow = std::string(name) == "bo";
    int wins = 0, losses = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const AgentOptions options = options_of(seed, slow ? 10 : 50);
      const double its = best_after(*make_agent(name, space, options), slow ? 7 : 30, negative_reward);
      const double random = best_after(*make_agent("random", space, options), slow ? 7 : 30, negative_reward);
      wins += its < random;
      losses += its > random;
    }
    EXPECT_LE(losses, 2) << name;
    EXPECT_GE(wins, 14) << name;
  }
}

// Spaces that are known to the last point, down to a single one.
TEST(LearningAgents, GoOnWhereNothingIsNew) {
  for (const std::vector<std::size_t>& sizes : {std::vector<std::size_t>{3, 2}, {2}, {1, 1}}) {
    const DesignSpace space = space_of(sizes);
    for (const AgentInfo& info : agent_table()) {
      const auto agent = make_agent(info.name, space, options_of(3, std::max<std::size_t>(4, info.min_population)));
      GeneBatch batch;
      for (int g = 0; g < 8; ++g) {
        agent->ask(batch);
        if (batch.candidates() == 0) break;  // the grid
        for (std::size_t i = 0; i < batch.genes.size(); ++i) ASSERT_LT(batch.genes[i], sizes[i % sizes.size()]) << info.name;
        agent->tell(batch, costs_of(batch));
      }
    }
  }
}

// A reward that no other candidate comes near must not stop an agent, and an infeasible generation teaches nothing.
TEST(LearningAgents, BearInfeasibleAndOutstandingCosts) {
  const DesignSpace space = space_of({16, 16, 16});
  for (const char* name : {"sa", "sa:local", "de", "nsga2", "bo", "bo:tpe", "pg", "pg:ppo"}) {
    const auto agent = make_agent(name, space, options_of(5, 20));
    GeneBatch batch;
    for (int g = 0; g < 6; ++g) {
      agent->ask(batch);
      std::vector<double> costs = costs_of(batch);
      if (g == 0 || g == 3) std::ranges::fill(costs, kInfinity);
      if (g == 1) costs[4] = -1e300;
      if (g == 2) costs[5] = std::numeric_limits<double>::quiet_NaN();
      if (g == 4) std::ranges::fill(costs, 1.0);
      agent->tell(batch, costs);
      const auto again = make_agent(name, space, options_of(5, 20));
      again->restore(agent->state());
      GeneBatch next, its;
      agent->ask(next);
      again->ask(its);
      EXPECT_EQ(next.genes, its.genes) << name << " in generation " << g;
    }
    const auto last = turn(*agent);
    for (const Gene gene : last) EXPECT_LT(gene, 16) << name;
  }
}

}  // namespace
}  // namespace exarch
