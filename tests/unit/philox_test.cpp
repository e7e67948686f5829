// The generator is Random123's, its integers are unbiased and its streams do not overlap.
#include "kernels/core/philox.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace exarch {
namespace {

constexpr bool same(PhiloxCounter a, PhiloxCounter b) {
  return a.word[0] == b.word[0] && a.word[1] == b.word[1] && a.word[2] == b.word[2] && a.word[3] == b.word[3];
}

// The "philox4x32 10" rows of tests/kat_vectors in Random123 1.14.0 (D. E. Shaw Research).
struct KnownAnswer {
  PhiloxCounter counter;
  PhiloxKey key;
  PhiloxCounter answer;
};
constexpr KnownAnswer kKnownAnswers[] = {
    {{{0, 0, 0, 0}}, {{0, 0}}, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
    {{{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}},
     {{0xffffffff, 0xffffffff}},
     {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
    {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
     {{0xa4093822, 0x299f31d0}},
     {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}},
};

static_assert(same(philox4x32_10({{0, 0, 0, 0}}, {{0, 0}}), kKnownAnswers[0].answer), "works at compile time");

TEST(Philox, GivesThePublishedKnownAnswers) {
  for (const KnownAnswer& known : kKnownAnswers) {
    EXPECT_TRUE(same(philox4x32_10(known.counter, known.key), known.answer));
  }
}

TEST(Philox, AStreamReadsItsBlocksInOrder) {
  PhiloxStream stream(0x299f31d0a4093822ull, 5, 6, 7);
  for (std::uint32_t block = 0; block < 3; ++block) {
    const PhiloxCounter words = philox4x32_10({{block, 5, 6, 7}}, {{0xa4093822, 0x299f31d0}});
    for (const std::uint32_t word : words.word) EXPECT_EQ(stream.next(), word);
  }
}

TEST(Philox, StreamsWithOtherNamesDiffer) {
  std::set<std::uint64_t> firsts;
  const auto first = [](std::uint64_t key, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    PhiloxStream stream(key, a, b, c);
    const std::uint64_t high = stream.next();
    return high << 32 | stream.next();
  };
  for (std::uint32_t i = 0; i < 1000; ++i) {
    firsts.insert(first(1, i, 0, 0));
    firsts.insert(first(1, 0, i + 1, 0));
    firsts.insert(first(1, 0, 0, i + 1));
    firsts.insert(first(2 + i, 0, 0, 0));
    firsts.insert(first(std::uint64_t{1 + i} << 32, 0, 0, 0));
  }
  EXPECT_EQ(firsts.size(), 5000u);
}

// Chi-square of `counts` against a uniform distribution, as a z value (Wilson-Hilferty).
double chi_square_z(const std::vector<double>& counts) {
  double total = 0, chi_square = 0;
  for (const double count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  for (const double count : counts) chi_square += (count - expected) * (count - expected) / expected;
  const double degrees = static_cast<double>(counts.size() - 1), spread = 2 / (9 * degrees);
  return (std::cbrt(chi_square / degrees) - (1 - spread)) / std::sqrt(spread);
}

TEST(Philox, BoundedIntegersAreUniform) {
  for (const std::uint32_t n : {2u, 3u, 7u, 128u, 1000u}) {
    std::vector<double> counts(n);
    PhiloxStream stream(42, n, 0, 0);
    for (std::uint32_t i = 0; i < 200 * n; ++i) ++counts.at(stream.below(n));
    EXPECT_LT(std::abs(chi_square_z(counts)), 4.5) << n;  // seeds are fixed: this cannot fail by chance later
  }
}

TEST(Philox, BoundedIntegersHaveNoBiasWhereAPlainMultiplyHasOne) {
  // 3 * 2^30 values: without rejection one third of them would be drawn twice as often.
  constexpr std::uint32_t kValues = 3u << 30;
  std::vector<double> counts(3);
  PhiloxStream stream(7, 0, 0, 0);
  for (int i = 0; i < 300'000; ++i) ++counts.at(stream.below(kValues) % 3);
  EXPECT_LT(std::abs(chi_square_z(counts)), 4.5);
}

TEST(Philox, OneValueAndAllValuesWork) {
  PhiloxStream stream(1, 2, 3, 4), same_stream(1, 2, 3, 4);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(stream.below(1), 0u);
  for (int i = 0; i < 100; ++i) (void)same_stream.next();
  const std::uint32_t word = same_stream.next();
  EXPECT_EQ(stream.below(0xFFFFFFFFu), static_cast<std::uint32_t>(std::uint64_t{word} * 0xFFFFFFFFu >> 32));
}

TEST(Philox, UnitDoublesLieInTheHalfOpenIntervalAndAreUniform) {
  std::vector<double> counts(64);
  PhiloxStream stream(9, 0, 0, 0);
  for (int i = 0; i < 64'000; ++i) {
    const double draw = stream.unit();
    ASSERT_GE(draw, 0.0);
    ASSERT_LT(draw, 1.0);
    ++counts.at(static_cast<std::size_t>(draw * 64));
  }
  EXPECT_LT(std::abs(chi_square_z(counts)), 4.5);
}

}  // namespace
}  // namespace exarch
