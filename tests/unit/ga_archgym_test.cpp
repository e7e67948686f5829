// ArchGym's genetic algorithm: its code and its operators by hand, and all of it against a second, obvious one.
#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "agents/agent.hpp"
#include "host/error.hpp"
#include "kernels/core/philox.hpp"
#include "tests/support/agent_cases.hpp"

namespace exarch {
namespace {

using namespace test;

// A state with these chromosomes (candidate, parameter).
std::string state_of(std::uint32_t generation, const std::vector<std::vector<std::uint16_t>>& chromosomes) {
  std::string state = "exarch-agent ga:archgym 1\n";
  const auto put = [&state](std::uint64_t value, int bytes) {
    for (int b = 0; b < bytes; ++b) state += static_cast<char>(value >> (8 * b));
  };
  put(generation, 4);
  put(chromosomes.size(), 4);
  put(chromosomes[0].size(), 4);
  for (const auto& codes : chromosomes) {
    for (const std::uint16_t code : codes) put(code, 2);
  }
  return state;
}

std::vector<Gene> asked(Agent& agent) {
  GeneBatch batch;
  agent.ask(batch);
  return batch.genes;
}

TEST(GaArchgym, DecodesGrayAndGivesTheLastValueTheCodesBeyondIt) {
  const DesignSpace space = space_of({4, 3, 5, 1});
  const auto agent = make_agent("ga:archgym", space, options_of(1, 8));
  // 000 001 011 010 110 111 101 100 count from 0 to 7.
  agent->restore(state_of(3, {{0b00, 0b00, 0b000, 0},
                              {0b01, 0b01, 0b001, 0},
                              {0b11, 0b11, 0b011, 0},
                              {0b10, 0b10, 0b010, 0},
                              {0b00, 0b00, 0b110, 0},
                              {0b01, 0b01, 0b111, 0},
                              {0b11, 0b11, 0b101, 0},
                              {0b10, 0b10, 0b100, 0}}));
  const std::vector<Gene> expected = {0, 0, 0, 0, 1, 1, 1, 0, 2, 2, 2, 0, 3, 2, 3, 0,
                                      0, 0, 4, 0, 1, 1, 4, 0, 2, 2, 4, 0, 3, 2, 4, 0};
  EXPECT_EQ(asked(*agent), expected);
  for (const std::vector<std::uint16_t>& codes : {std::vector<std::uint16_t>{4, 0, 0, 0}, {0, 0, 8, 0}, {0, 0, 0, 1}}) {
    EXPECT_THROW(agent->restore(state_of(3, std::vector<std::vector<std::uint16_t>>(8, codes))), Error);
  }
}

TEST(GaArchgym, StartsWithTheLastOfThreeValuesHalfTheTime) {
  const DesignSpace space = space_of({3, 4, 5});
  const auto agent = make_agent("ga:archgym", space, options_of(1, 40'000));
  std::vector<std::vector<int>> counts(3, std::vector<int>(5));
  const std::vector<Gene> genes = asked(*agent);
  for (std::size_t i = 0; i < genes.size(); ++i) ++counts[i % 3][genes[i]];
  const std::vector<std::vector<int>> expected = {
      {10'000, 10'000, 20'000, 0, 0}, {10'000, 10'000, 10'000, 10'000, 0}, {5'000, 5'000, 5'000, 5'000, 20'000}};
  for (std::size_t p = 0; p < 3; ++p) {
    for (std::size_t v = 0; v < 5; ++v) EXPECT_NEAR(counts[p][v], expected[p][v], 500);  // five standard deviations
  }
}

TEST(GaArchgym, FlipsEveryBitAtRateOneAndKeepsNoElites) {
  const DesignSpace space = space_of({4, 3, 1});
  const auto agent = make_agent("ga:archgym", space, options_of(1, 2, {{"mutation_rate", "1"}}));
  agent->restore(state_of(9, {{0b01, 0b00, 0}, {0b01, 0b00, 0}}));
  GeneBatch batch;
  agent->ask(batch);
  agent->tell(batch, std::vector<double>{0, 1});
  // 01 -> 10, the last of four; 00 -> 11, the last of three.
  EXPECT_EQ(asked(*agent), (std::vector<Gene>{3, 2, 0, 3, 2, 0}));
}

// The algorithm once more, on rows of single bits.
class SlowArchgymGa {
 public:
  SlowArchgymGa(std::vector<std::size_t> sizes, std::uint64_t seed, std::uint32_t population, double mutation_rate)
      : sizes_(std::move(sizes)), seed_(seed), population_(population), mutation_rate_(mutation_rate) {
    for (std::uint32_t c = 0; c < population_; ++c) {
      PhiloxStream draws(seed_, 4, c, 0);
      rows_.emplace_back();
      for (const std::size_t size : sizes_) {
        const std::uint32_t bits = bits_of(size), code = draws.below(1u << bits);
        for (std::uint32_t b = bits; b-- > 0;) rows_.back().push_back(code >> b & 1);
      }
    }
  }

  std::vector<Gene> genes() const {
    std::vector<Gene> genes;
    for (const auto& row : rows_) {
      std::size_t next = 0;
      for (const std::size_t size : sizes_) {
        std::size_t value = 0, bit = 0;
        for (std::uint32_t b = 0; b < bits_of(size); ++b) {
          bit ^= row[next++];  // Gray to binary: every bit is the parity of those up to it
          value = 2 * value + bit;
        }
        genes.push_back(static_cast<Gene>(std::min(value, size - 1)));
      }
    }
    return genes;
  }

  void breed(const std::vector<double>& costs) {
    ++generation_;
    std::vector<std::vector<std::uint32_t>> winners;
    for (std::uint32_t c = 0; c < population_; ++c) {
      PhiloxStream draws(seed_, 1, c, generation_);
      const std::uint32_t three[] = {draws.below(population_), draws.below(population_), draws.below(population_)};
      winners.push_back(rows_[*std::ranges::min_element(three, {}, [&](std::uint32_t i) { return costs[i]; })]);
    }
    rows_ = winners;
    const auto length = static_cast<std::uint32_t>(rows_[0].size());
    for (std::uint32_t i = 0; i < population_ / 2; ++i) {
      PhiloxStream draws(seed_, 2, i, generation_);
      std::uint32_t n1 = draws.below(length), n2 = draws.below(length);
      if (n1 > n2) std::swap(n1, n2);
      for (std::uint32_t b = n1; b < n2; ++b) std::swap(rows_[i][b], rows_[i + population_ / 2][b]);
    }
    for (std::uint32_t c = 0; c < population_; ++c) {
      PhiloxStream draws(seed_, 3, c, generation_);
      for (std::uint32_t& bit : rows_[c]) bit ^= draws.unit() < mutation_rate_ ? 1 : 0;
    }
  }

 private:
  static std::uint32_t bits_of(std::size_t size) { return static_cast<std::uint32_t>(std::bit_width(size - 1)); }

  std::vector<std::size_t> sizes_;
  std::uint64_t seed_;
  std::uint32_t population_, generation_ = 0;
  double mutation_rate_;
  std::vector<std::vector<std::uint32_t>> rows_;
};

TEST(GaArchgym, AsksWhatAnObviousOneAsks) {
  // The DRAM space of ArchGym's genetic algorithm (26 bits), a wide one, and one of a single bit.
  for (const std::vector<std::size_t>& sizes :
       {std::vector<std::size_t>{4, 3, 3, 8, 2, 2, 8, 8, 3, 128, 1, 1}, {65536, 1, 1000, 5, 65535, 2, 300}, {1, 2}}) {
    const DesignSpace space = space_of(sizes);
    for (const char* mutation_rate : {"0", "0.1", "0.01"}) {
      for (const std::uint32_t population : {2u, 8u, 64u}) {
        const auto agent =
            make_agent("ga:archgym", space, options_of(population, population, {{"mutation_rate", mutation_rate}}));
        SlowArchgymGa slow(sizes, population, population, std::stod(mutation_rate));
        GeneBatch batch;
        for (int g = 0; g < 12; ++g) {
          agent->ask(batch);
          ASSERT_EQ(batch.genes, slow.genes()) << population << " " << mutation_rate << " " << g;
          agent->tell(batch, costs_of(batch));
          slow.breed(costs_of(batch));
        }
      }
    }
  }
}

TEST(GaArchgym, ACostThatIsNoNumberIsTheWorst) {
  const DesignSpace space = space_of({16, 16, 16});
  const auto a = make_agent("ga:archgym", space, options_of(1, 40)), b = make_agent("ga:archgym", space, options_of(1, 40));
  GeneBatch batch;
  a->ask(batch);
  std::vector<double> costs = costs_of(batch);
  costs[3] = costs[20] = kInfinity;
  a->tell(batch, costs);
  costs[3] = std::numeric_limits<double>::quiet_NaN();
  b->tell(batch, costs);
  EXPECT_EQ(asked(*a), asked(*b));
}

TEST(GaArchgym, TakesEvenPopulationsAndItsOwnParametersOnly) {
  const DesignSpace space = space_of({16, 16});
  const auto error = [&](std::size_t population, std::map<std::string, std::string> parameters = {}) {
    return error_of([&] { (void)make_agent("ga:archgym", space, options_of(1, population, std::move(parameters))); });
  };
  EXPECT_EQ(error(33), "agent 'ga:archgym' crosses its candidates in pairs; make the population 33 even");
  EXPECT_EQ(error(32, {{"mutation_rate", "auto"}}), "agent 'ga:archgym': mutation_rate = 'auto' is not valid; it takes 0 to 1");
  EXPECT_EQ(error(32, {{"tournament", "3"}}), "agent 'ga:archgym': unknown parameter 'tournament'; valid are mutation_rate");
}

TEST(GaArchgym, AStateOfAnotherVariantPopulationOrSpaceIsRefused) {
  const DesignSpace space = space_of({16, 16}), wider = space_of({16, 16, 2}), narrower = space_of({16, 3});
  const auto agent = make_agent("ga:archgym", space, options_of(1, 20));
  turn(*agent);
  const std::string state = agent->state();
  EXPECT_THROW(make_agent("ga", space, options_of(1, 20))->restore(state), Error);
  EXPECT_THROW(make_agent("ga:archgym", space, options_of(1, 22))->restore(state), Error);
  EXPECT_THROW(make_agent("ga:archgym", wider, options_of(1, 20))->restore(state), Error);
  EXPECT_THROW(make_agent("ga:archgym", narrower, options_of(1, 20))->restore(state), Error);
}

// It does search: were it no better than random, it would win 18 or more of 20 paired seeds with probability 0.0002.
TEST(GaArchgym, BeatsRandomOnASeparableBowl) {
  const DesignSpace space = space_of(std::vector<std::size_t>(10, 16));
  int wins = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    wins += best_after(*make_agent("ga:archgym", space, options_of(seed, 64, {{"mutation_rate", "0.01"}})), 20) <
            best_after(*make_agent("random", space, options_of(seed, 64)), 20);
  }
  EXPECT_GE(wins, 18);
}

}  // namespace
}  // namespace exarch
