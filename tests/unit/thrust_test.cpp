// Thrust as the C++ compiler takes it: algorithms on the CPU, with no CUDA toolkit.
#include <gtest/gtest.h>
#include <thrust/execution_policy.h>
#include <thrust/reduce.h>
#include <thrust/sort.h>

#include <cstdint>
#include <random>
#include <vector>

namespace exarch {
namespace {

static_assert(THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CPP);

// Candidates binned by a policy key, as before a launch: stable within a bin, bins counted.
TEST(Thrust, SortsByKeyAndReducesOnTheCpu) {
  std::mt19937 rng(1);
  constexpr std::size_t kCandidates = 1000;
  constexpr std::uint32_t kBins = 7;
  std::vector<std::uint32_t> bin(kCandidates), candidate(kCandidates);
  std::vector<std::uint32_t> want(kBins, 0);
  for (std::size_t i = 0; i < kCandidates; ++i) {
    const auto b = static_cast<std::uint32_t>(rng() % kBins);
    bin[i] = b;
    candidate[i] = static_cast<std::uint32_t>(i);
    ++want[b];
  }
  const std::vector<std::uint32_t> bin_of = bin;
  thrust::stable_sort_by_key(thrust::host, bin.begin(), bin.end(), candidate.begin());
  for (std::size_t i = 0; i < kCandidates; ++i) {
    ASSERT_EQ(bin_of[candidate[i]], bin[i]);
    if (i == 0) continue;
    ASSERT_LE(bin[i - 1], bin[i]);
    ASSERT_TRUE(bin[i - 1] != bin[i] || candidate[i - 1] < candidate[i]);
  }
  std::vector<std::uint32_t> keys(kBins), counts(kBins), ones(kCandidates, 1);
  const auto ends = thrust::reduce_by_key(thrust::host, bin.begin(), bin.end(), ones.begin(), keys.begin(), counts.begin());
  ASSERT_EQ(ends.first - keys.begin(), kBins);
  for (std::uint32_t b = 0; b < kBins; ++b) EXPECT_EQ(counts[b], want[b]);
  EXPECT_EQ(thrust::reduce(candidate.begin(), candidate.end(), std::uint64_t{0}), kCandidates * (kCandidates - 1) / 2);
}

}  // namespace
}  // namespace exarch
