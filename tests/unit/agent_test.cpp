// What a run relies on: questions depend on the seed and the costs alone, a restored agent goes on as if nothing had
// happened, and the algorithms search.
#include "agents/agent.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "host/error.hpp"
#include "tests/support/agent_cases.hpp"

namespace exarch {
namespace {

using namespace test;

const std::vector<std::pair<std::string, AgentOptions>> kEveryAgent = {
    {"random", options_of(7, 50)},
    {"grid", options_of(7, 50)},
    {"ga", options_of(7, 50)},
    {"ga:fixed", options_of(7, 33, {{"crossover", "uniform"}, {"elites", "0"}, {"tournament", "1"}})},
    {"ga", options_of(7, 2, {{"elites", "99"}, {"mutation_rate", "0.5"}})},
    {"ga:archgym", options_of(7, 50)},
    {"ga:archgym", options_of(7, 2, {{"mutation_rate", "0.01"}})},
    {"ga:gamma", options_of(7, 50)},
    {"ga:gamma", options_of(7, 9, {{"age_limit", "1"}, {"elites", "8"}, {"growth_rate", "1"}})},
    {"aco", options_of(7, 50)},
    {"aco:fixed", options_of(7, 2, {{"ranks", "1"}, {"greediness", "0.5"}, {"decay", "0.1"}})},
    {"aco:inverse_cost", options_of(7, 50)},
    {"aco:archgym", options_of(7, 50)},
    {"aco:archgym", options_of(7, 2, {{"evaporation", "1"}, {"greediness", "0"}, {"decay", "1"}})},
    {"random:sobol", options_of(7, 50)},
    {"random:latin", options_of(7, 50)},
    {"random:walk", options_of(7, 50, {{"locality", "0.5"}})},
    {"sa", options_of(7, 50)},
    {"sa:local", options_of(7, 20, {{"patience", "2"}})},
    {"de", options_of(7, 50)},
    {"de", options_of(7, 4, {{"weight", "2"}, {"dither", "0"}})},
    {"nsga2", options_of(7, 50)},
    {"nsga2", options_of(7, 3, {{"crossover", "two-point"}})},
    {"bo", options_of(7, 12, {{"observations", "40"}, {"pool", "60"}})},
    {"bo:tpe", options_of(7, 50)},
    {"pg", options_of(7, 50)},
    {"pg:ppo", options_of(7, 50)}};

// ArchGym's ant colony begins with a single ant.
std::size_t candidates_of(const std::string& name, const AgentOptions& options, int generation) {
  return name == "aco:archgym" && generation == 0 ? 1 : options.population;
}

TEST(EveryAgent, AsksTheSameForTheSameSeed) {
  const DesignSpace space = space_of({16, 5, 1, 9, 300});
  for (const auto& [name, options] : kEveryAgent) {
    const auto a = make_agent(name, space, options), b = make_agent(name, space, options);
    for (int g = 0; g < 10; ++g) EXPECT_EQ(turn(*a), turn(*b)) << name;
  }
}

TEST(EveryAgent, AsksLegalGenesAndAskingTwiceChangesNothing) {
  const DesignSpace space = space_of({16, 5, 1, 2, 65536});
  for (const auto& [name, options] : kEveryAgent) {
    const auto agent = make_agent(name, space, options);
    GeneBatch batch, again;
    for (int g = 0; g < (name == "bo" ? 4 : 20); ++g) {
      agent->ask(batch);
      agent->ask(again);
      EXPECT_EQ(batch.genes, again.genes);
      EXPECT_EQ(batch.dimensions, space.dimensions());
      EXPECT_EQ(batch.candidates(), candidates_of(name, options, g));
      for (std::size_t i = 0; i < batch.genes.size(); ++i) {
        ASSERT_LT(batch.genes[i], space.values(i % space.dimensions()).size()) << name;
      }
      agent->tell(batch, costs_of(batch));
    }
  }
}

TEST(EveryAgent, RestoredGoesOnAsIfNothingHadHappened) {
  const DesignSpace space = space_of({16, 5, 1, 9, 300});
  for (const auto& [name, options] : kEveryAgent) {
    for (const int kill_after : {0, 1, 2, 7}) {
      const auto uninterrupted = make_agent(name, space, options);
      for (int g = 0; g < kill_after; ++g) turn(*uninterrupted);
      const auto restored = make_agent(name, space, options);
      restored->restore(uninterrupted->state());
      EXPECT_EQ(restored->state(), uninterrupted->state());
      for (int g = 0; g < 5; ++g) EXPECT_EQ(turn(*restored), turn(*uninterrupted)) << name << " after " << kill_after;
    }
  }
}

TEST(EveryAgent, AStateThatDoesNotFitIsRefusedAndChangesNothing) {
  const DesignSpace space = space_of({16, 5, 1, 9, 300});
  for (const auto& [name, options] : kEveryAgent) {
    const auto agent = make_agent(name, space, options), other = make_agent(name, space, options);
    for (int g = 0; g < 3; ++g) turn(*agent), turn(*other);
    const std::string state = agent->state();
    std::vector<std::string> bad = {"", "x", state + "x", "exarch-agent other 1\n" + state};
    for (std::size_t cut = 1; cut < state.size(); cut += 1 + state.size() / 50) bad.push_back(state.substr(0, cut));
    std::string version = state;
    version[version.find('\n') - 1] = '2';
    bad.push_back(version);
    for (const std::string& text : bad) EXPECT_THROW(agent->restore(text), Error) << name;
    EXPECT_EQ(turn(*agent), turn(*other)) << name;
  }
}

TEST(EveryAgent, TellingWhatWasNotAskedIsAMistakeOfTheProgram) {
  const DesignSpace space = space_of({16, 5});
  for (const auto& [name, options] : kEveryAgent) {
    const auto agent = make_agent(name, space, options);
    GeneBatch batch;
    agent->ask(batch);
    std::vector<double> costs(batch.candidates() - 1);
    EXPECT_THROW(agent->tell(batch, costs), std::logic_error) << name;
  }
}

TEST(RandomAgent, SeedsAndGenerationsDiffer) {
  const DesignSpace space = space_of({64, 64, 64});
  const auto a = make_agent("random", space, options_of(1, 100)), b = make_agent("random", space, options_of(2, 100));
  const auto first = turn(*a);
  EXPECT_NE(first, turn(*a));
  EXPECT_NE(first, turn(*b));
}

TEST(RandomAgent, IsUniform) {
  const DesignSpace space = space_of({10, 3});
  const auto agent = make_agent("random", space, options_of(3, 30'000));
  GeneBatch batch;
  agent->ask(batch);
  std::vector<double> counts(30);
  for (std::size_t c = 0; c < batch.candidates(); ++c) ++counts[space.point_of(batch.row(c))];
  // Expected 1000 each, standard deviation 31; the seed is fixed.
  for (const double count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(GridAgent, CoversTheSpaceExactlyOnceInOrderAndEnds) {
  const DesignSpace space = space_of({3, 4, 5});
  for (const std::size_t population : {2u, 7u, 59u, 60u, 1000u}) {
    const auto agent = make_agent("grid", space, options_of(1, population));
    std::vector<std::uint64_t> points;
    GeneBatch batch;
    for (agent->ask(batch); batch.candidates() > 0; agent->ask(batch)) {
      for (std::size_t c = 0; c < batch.candidates(); ++c) points.push_back(space.point_of(batch.row(c)));
      agent->tell(batch, costs_of(batch));
    }
    ASSERT_EQ(points.size(), space.size());
    for (std::size_t i = 0; i < points.size(); ++i) EXPECT_EQ(points[i], i);
    agent->ask(batch);
    EXPECT_EQ(batch.candidates(), 0u);
  }
}

TEST(GridAgent, AStateBeyondTheSpaceIsRefused) {
  const DesignSpace large = space_of({100}), small = space_of({10});
  const auto a = make_agent("grid", large, options_of(1, 20)), b = make_agent("grid", small, options_of(1, 20));
  turn(*a);
  EXPECT_THROW(b->restore(a->state()), Error);
}

TEST(GaAgent, StartsWhereRandomStarts) {
  const DesignSpace space = space_of({16, 16, 16});
  const auto ga = make_agent("ga", space, options_of(5, 40)), random = make_agent("random", space, options_of(5, 40));
  EXPECT_EQ(turn(*ga), turn(*random));
  EXPECT_NE(turn(*ga), turn(*random));
}

// Stores are continued, and their best designs quoted, on the promise that a seed keeps its meaning.
TEST(GaAgent, AsksWhatItHasAlwaysAsked) {
  const DesignSpace space = space_of({16, 5, 1, 9, 300});
  const auto agent = make_agent("ga", space, options_of(7, 50));
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (int g = 0; g < 20; ++g) {
    for (const Gene gene : turn(*agent)) hash = (hash ^ gene) * 0x100000001b3;
  }
  EXPECT_EQ(hash, 0x77d3683e14b1f9b3u);
}

TEST(GaAgent, AsksItsElitesAgainUnchanged) {
  const DesignSpace space = space_of({16, 16, 16, 16});
  const auto agent = make_agent("ga", space, options_of(5, 40, {{"elites", "3"}, {"mutation_rate", "1"}}));
  GeneBatch batch, next;
  agent->ask(batch);
  std::vector<double> costs(40, 7);
  costs[31] = costs[8] = 1;  // ties rank by number
  costs[20] = -kInfinity;
  agent->tell(batch, costs);
  agent->ask(next);
  const std::size_t expected[] = {20, 8, 31};
  for (std::size_t e = 0; e < 3; ++e) {
    EXPECT_TRUE(std::ranges::equal(next.row(e), batch.row(expected[e]))) << e;
  }
}

TEST(GaAgent, TheBestCostNeverRises) {
  const DesignSpace space = space_of({16, 16, 16, 16, 16});
  for (const char* crossover : {"two-point", "uniform"}) {
    const auto agent = make_agent("ga", space, options_of(5, 30, {{"crossover", crossover}}));
    double best = kInfinity;
    for (int g = 0; g < 30; ++g) {
      const double now = best_after(*agent, 1);
      EXPECT_LE(now, best);
      best = now;
    }
  }
}

TEST(GaAgent, MutationAndCrossoverDoWhatTheirRatesSay) {
  const DesignSpace space = space_of({16, 1, 16, 16, 16});
  const auto differences = [&](const char* mutation, const char* crossover) {
    const auto agent = make_agent(
        "ga", space, options_of(11, 4000, {{"elites", "0"}, {"mutation_rate", mutation}, {"crossover_rate", crossover}}));
    GeneBatch batch;
    agent->ask(batch);
    for (std::size_t c = 0; c < batch.candidates(); ++c) std::ranges::fill(batch.row(c), Gene{0});
    for (Gene& gene : batch.row(0)) gene = 0;
    agent->tell(batch, std::vector<double>(4000, 1));
    agent->ask(batch);
    std::size_t changed = 0;
    for (const Gene gene : batch.genes) changed += gene != 0;
    return static_cast<double>(changed) / 4000;
  };
  EXPECT_EQ(differences("0", "1"), 0);
  EXPECT_EQ(differences("1", "0"), 4);  // always another value, and the fixed parameter stays
  EXPECT_NEAR(differences("auto", "0.9"), 1,
              0.07);  // 4000 children, standard deviation of the mean 0.014
  EXPECT_NEAR(differences("0.5", "0.9"), 2, 0.08);
}

TEST(GaAgent, CrossoverMixesTwoParentsGeneByGene) {
  const DesignSpace space = space_of({2, 2, 2, 2, 2, 2});
  for (const char* crossover : {"two-point", "uniform"}) {
    const auto agent = make_agent(
        "ga", space,
        options_of(
            3, 2000,
            {{"elites", "0"}, {"mutation_rate", "0"}, {"crossover_rate", "1"}, {"tournament", "1"}, {"crossover", crossover}}));
    GeneBatch batch;
    agent->ask(batch);
    for (std::size_t c = 0; c < 2000; ++c) std::ranges::fill(batch.row(c), static_cast<Gene>(c % 2));
    agent->tell(batch, std::vector<double>(2000, 1));
    agent->ask(batch);
    std::set<std::uint64_t> children;
    for (std::size_t c = 0; c < 2000; ++c) children.insert(space.point_of(batch.row(c)));
    // Uniform reaches all 64 mixtures; two cuts reach those with one foreign segment: 21 segments, two parents, less the
    // overlap of prefixes and suffixes (a prefix of one is a suffix of the other) = 32.
    EXPECT_EQ(children.size(), std::string(crossover) == "uniform" ? 64u : 32u);
  }
}

TEST(GaAgent, InfeasibleCandidatesDoNotDisturbIt) {
  const DesignSpace space = space_of({16, 16, 16});
  const auto agent = make_agent("ga", space, options_of(5, 40));
  GeneBatch batch;
  for (int g = 0; g < 5; ++g) {
    agent->ask(batch);
    agent->tell(batch, std::vector<double>(40, kInfinity));
  }
  agent->ask(batch);
  std::vector<double> costs(40, std::numeric_limits<double>::quiet_NaN());
  costs[17] = 3;
  agent->tell(batch, costs);
  GeneBatch next;
  agent->ask(next);
  EXPECT_TRUE(std::ranges::equal(next.row(0), batch.row(17)));
}

TEST(GaAgent, AStateOfAnotherPopulationOrSpaceIsRefused) {
  const DesignSpace space = space_of({16, 16}), wider = space_of({16, 16, 2}), narrower = space_of({16, 3});
  const auto agent = make_agent("ga", space, options_of(1, 20));
  turn(*agent);
  EXPECT_THROW(make_agent("ga", space, options_of(1, 21))->restore(agent->state()), Error);
  EXPECT_THROW(make_agent("ga", wider, options_of(1, 20))->restore(agent->state()), Error);
  EXPECT_THROW(make_agent("ga", narrower, options_of(1, 20))->restore(agent->state()), Error);
}

// Ten parameters of sixteen values, 1280 candidates: were the agents equally good, one would win 18 or more of 20 paired
// seeds with probability 0.0002.
TEST(GaAgent, BeatsRandomOnASeparableBowl) {
  const DesignSpace space = space_of(std::vector<std::size_t>(10, 16));
  for (const char* crossover : {"two-point", "uniform"}) {
    int wins = 0;
    double ga_sum = 0, random_sum = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const double ga = best_after(*make_agent("ga", space, options_of(seed, 64, {{"crossover", crossover}})), 20);
      const double random = best_after(*make_agent("random", space, options_of(seed, 64)), 20);
      wins += ga < random;
      ga_sum += ga;
      random_sum += random;
    }
    EXPECT_GE(wins, 18) << crossover;
    EXPECT_LT(ga_sum, random_sum / 4) << crossover;
  }
}

TEST(Registry, BuildsEveryAgentOfTheTableWithItsDefaultsSpelledOut) {
  const DesignSpace space = space_of({16, 16});
  for (const AgentInfo& info : agent_table()) {
    AgentOptions spelled_out = options_of(1, 10);
    for (const HyperparameterInfo& row : info.hyperparameters) spelled_out.parameters[row.name] = row.default_value;
    const auto a = make_agent(info.name, space, options_of(1, 10)), b = make_agent(info.name, space, spelled_out);
    for (int g = 0; g < 5; ++g) EXPECT_EQ(turn(*a), turn(*b)) << info.name;
  }
}

TEST(Registry, PopulationsHaveBounds) {
  const DesignSpace space = space_of({16, 16});
  for (const AgentInfo& info : agent_table()) {
    EXPECT_GE(info.max_population, info.name == "bo" ? 1024u : kMaxPopulation);
    EXPECT_LE(info.min_population, info.name == "de" ? 4u : 2u);
    for (const std::size_t population : {std::size_t{0}, info.min_population - 1, info.max_population + 1}) {
      EXPECT_THROW((void)make_agent(info.name, space, options_of(1, population)), UsageError);
    }
    const std::size_t large = EXARCH_SANITIZED ? 10'000 : 1'000'000;  // with sanitizers it would take minutes
    for (const std::size_t population : {info.min_population, std::min<std::size_t>(info.max_population, large)}) {
      const auto agent = make_agent(info.name, space, options_of(1, population));
      for (int g = 0; g < 2; ++g) EXPECT_NO_THROW(turn(*agent)) << info.name;
    }
  }
}

TEST(Registry, WrongNamesAndValuesGiveTheNearestValidOne) {
  const DesignSpace space = space_of({16, 16});
  const auto error = [&](const std::string& name, std::map<std::string, std::string> parameters = {}) {
    return error_of([&] { (void)make_agent(name, space, options_of(1, 10, std::move(parameters))); });
  };
  EXPECT_EQ(error("radnom"), "unknown agent 'radnom' (did you mean 'random'?)");
  EXPECT_EQ(error("bayesian-optimiser"),
            "unknown agent 'bayesian-optimiser'; valid are random, grid, ga, aco, sa, de, nsga2, bo, pg");
  EXPECT_EQ(error("ga:fixd"), "agent 'ga': unknown variant 'fixd' (did you mean 'fixed'?)");
  EXPECT_EQ(error("ga:"), "agent 'ga': unknown variant ''; valid are fixed, archgym, gamma");
  EXPECT_EQ(error("ga", {{"tournamet", "3"}}), "agent 'ga': unknown parameter 'tournamet' (did you mean 'tournament'?)");
  EXPECT_EQ(error("aco:archgim"), "agent 'aco': unknown variant 'archgim' (did you mean 'archgym'?)");
  EXPECT_EQ(error("random:archgym"), "agent 'random': unknown variant 'archgym'; valid are fixed, sobol, latin, walk");
  EXPECT_EQ(error("aco:archgym", {{"ranks", "6"}}).substr(0, 41), "agent 'aco:archgym': unknown parameter 'r");
  EXPECT_EQ(error("grid", {{"step", "3"}}), "agent 'grid' takes no parameters; remove 'step'");
  EXPECT_EQ(error("ga", {{"crossover", "two_point"}}),
            "agent 'ga': crossover = 'two_point' is not valid; it takes two-point, uniform (did "
            "you mean 'two-point'?)");
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"tournament", "0"},
                                                                                    {"tournament", "1001"},
                                                                                    {"tournament", "3.5"},
                                                                                    {"tournament", ""},
                                                                                    {"crossover_rate", "1.1"},
                                                                                    {"crossover_rate", "-0.1"},
                                                                                    {"crossover_rate", "nan"},
                                                                                    {"mutation_rate", "Auto"},
                                                                                    {"mutation_rate", "2"},
                                                                                    {"elites", "-1"},
                                                                                    {"elites", "two"}}) {
    EXPECT_NE(error("ga", {{name, value}}).find(name + " = '" + value + "' is not valid; it takes "), std::string::npos)
        << name << " " << value << ": " << error("ga", {{name, value}});
  }
}

// A space of a loop order, a tile and a label.
DesignSpace loop_space() {
  const std::vector<ParameterInfo> parameters{
      {"order", ParameterKind::categorical, {"ABC", "ACB", "BAC", "BCA", "CAB", "CBA"}, 0, 5, 0, "", ""},
      {"tile", ParameterKind::integer, {}, 1, 64, 1, "", ""},
      {"label", ParameterKind::categorical, {"x", "yz"}, 0, 1, 0, "", ""}};
  return {"loops", "", parameters, {{0, 1, 2, 3, 4, 5}, {1, 2, 4, 8, 16, 32, 64}, {0, 1}}};
}

// Every child is its parent with the moves that are sure, and nothing else.
TEST(GaGamma, ReordersLoopsAndGrowsTiles) {
  const DesignSpace space = loop_space();
  const std::map<std::string, std::string> none{{"crossover_rate", "0"}, {"mutation_rate", "0"}, {"tournament", "1000"}};
  for (const bool reorder : {false, true}) {
    for (const bool grow : {false, true}) {
      auto values = none;
      values["reorder_rate"] = reorder ? "1" : "0";
      values["growth_rate"] = grow ? "1" : "0";
      const auto agent = make_agent("ga:gamma", space, options_of(3, 20, values));
      GeneBatch batch;
      agent->ask(batch);
      std::vector<double> costs(20, 1);
      costs[17] = 0;  // a tournament of so many finds it
      const std::vector<Gene> parent(batch.row(17).begin(), batch.row(17).end());
      agent->tell(batch, costs);
      agent->ask(batch);
      for (std::size_t c = 2; c < 20; ++c) {
        const auto child = batch.row(c);
        const std::string &from = space.parameters()[0].labels[parent[0]], &to = space.parameters()[0].labels[child[0]];
        int moved = 0;
        for (std::size_t i = 0; i < 3; ++i) moved += from[i] != to[i] ? 1 : 0;
        EXPECT_EQ(moved, reorder ? 2 : 0);
        EXPECT_EQ(std::abs(static_cast<int>(child[1]) - static_cast<int>(parent[1])), grow ? 1 : 0);
        EXPECT_EQ(child[2], parent[2]);
      }
    }
  }
}

TEST(GaGamma, AsksAnEliteOnlySoManyGenerations) {
  const DesignSpace space = loop_space();
  for (const int limit : {1, 3}) {
    const auto agent = make_agent(
        "ga:gamma", space, options_of(5, 20, {{"age_limit", std::to_string(limit)}, {"elites", "1"}, {"mutation_rate", "1"}}));
    GeneBatch batch;
    agent->ask(batch);
    const std::vector<Gene> best(batch.row(4).begin(), batch.row(4).end());
    int kept = 0;
    for (int g = 0; g < 8; ++g) {
      std::vector<double> costs(20, 1);
      if (g == 0) costs[4] = 0;
      if (g > 0 && kept == g) costs[0] = 0;
      agent->tell(batch, costs);
      agent->ask(batch);
      if (kept == g && std::ranges::equal(batch.row(0), best)) ++kept;
    }
    EXPECT_EQ(kept, limit);
  }
}

}  // namespace
}  // namespace exarch
