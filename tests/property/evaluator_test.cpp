// Batching, canonical forms and sharing by proof change how much is simulated, never a result.
#include "host/execute/evaluator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/dram/tables.hpp"
#include "tests/support/counting_executor.hpp"
#include "tests/support/random_cases.hpp"

namespace exarch::dram {
namespace {

using namespace testing;

constexpr std::size_t kParameters = 12;

struct Priced {
  std::uint8_t status;
  std::vector<double> metrics;
  bool operator==(const Priced&) const = default;
};

std::span<const std::int64_t> row(std::span<const std::int64_t> designs, std::size_t i) {
  return designs.subspan(i * kParameters, kParameters);
}

std::string describe_design(std::span<const std::int64_t> design) {
  std::string text;
  for (std::size_t p = 0; p < design.size(); ++p) {
    const ParameterInfo& parameter = dram_environment().parameters()[p];
    text += parameter.name + "=" + parameter.format(design[p]) + " ";
  }
  return text;
}

// Half from ArchGym's ant colony space, half wide: no postponing, buffers of 128, any number of active transactions.
std::vector<std::int64_t> random_designs(std::mt19937_64& rng, std::size_t count) {
  const DesignSpace& space = dram_environment().spaces().front();
  EXPECT_EQ(space.name(), "archgym-aco");
  EXPECT_EQ(space.dimensions(), kParameters);
  std::vector<std::int64_t> designs;
  std::vector<Gene> genes(kParameters);
  std::vector<std::int64_t> design(kParameters);
  for (std::size_t i = 0; i < count; ++i) {
    space.genes_of(rng() % space.size(), genes);
    space.design_of(genes, design);
    if (i % 2 == 1) design = design_of(random_params(rng));
    designs.insert(designs.end(), design.begin(), design.end());
  }
  return designs;
}

std::vector<Priced> priced(const Evaluator& evaluator, std::span<const Evaluator::OutcomeId> ids,
                           std::span<const std::int64_t> designs) {
  std::vector<Priced> all;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    all.push_back({evaluator.status(ids[i]), std::vector<double>(dram_environment().metrics().size())});
    evaluator.price(ids[i], row(designs, i), all.back().metrics);
  }
  return all;
}

std::vector<Priced> evaluate_all(Evaluator& evaluator, std::span<const std::int64_t> designs) {
  return priced(evaluator, evaluator.evaluate(designs), designs);
}

void expect_equal(const std::vector<Priced>& got, const std::vector<Priced>& want, std::span<const std::int64_t> designs) {
  ASSERT_EQ(got.size(), want.size());
  int shown = 0;
  for (std::size_t i = 0; i < got.size() && shown < 5; ++i) {
    if (got[i] == want[i]) continue;
    ++shown;
    std::string text = "status " + std::to_string(got[i].status) + "/" + std::to_string(want[i].status);
    for (std::size_t m = 0; m < got[i].metrics.size(); ++m) {
      if (got[i].metrics[m] == want[i].metrics[m]) continue;
      text += ", " + dram_environment().metrics()[m].name + " " + std::to_string(got[i].metrics[m]) + " instead of " +
              std::to_string(want[i].metrics[m]);
    }
    ADD_FAILURE() << "design " << i << " " << describe_design(row(designs, i)) << ": " << text;
  }
}

const char* name_of(TraceKind kind) {
  static constexpr const char* kNames[] = {"dense_reads", "dense_writes", "sparse_reads", "sparse_writes", "bursty"};
  return kNames[static_cast<std::size_t>(kind)];
}

class EvaluatorOn : public ::testing::TestWithParam<TraceKind> {
 protected:
  std::mt19937_64 rng_{0xBA7C4 + static_cast<unsigned>(GetParam())};
  std::shared_ptr<DramWorkload> workload_ = make_workload(random_requests(rng_, GetParam(), 200 + rng_() % 200));
};

INSTANTIATE_TEST_SUITE_P(Kinds, EvaluatorOn,
                         ::testing::Values(TraceKind::dense_reads, TraceKind::dense_writes, TraceKind::sparse_reads,
                                           TraceKind::sparse_writes, TraceKind::bursty),
                         [](const auto& instance) { return name_of(instance.param); });

// 5 kinds x 8 traces x 250 designs. Simulated as they stand, the designs are the yardstick of the whole file.
TEST_P(EvaluatorOn, SharingChangesNoMetric) {
  constexpr std::size_t kDesigns = 250;
  const auto executor = std::make_shared<LocalExecutor>("cpu", 2);
  std::uint64_t simulated = 0, requested = 0;
  for (int trace = 0; trace < 8 && !HasFailure(); ++trace) {
    const auto workload = make_workload(random_requests(rng_, GetParam(), 200 + rng_() % 200));
    workload->exact_from_start = trace % 2 == 1;
    SCOPED_TRACE("trace " + std::to_string(trace));
    const auto designs = random_designs(rng_, kDesigns);
    Evaluator plain(dram_environment(), workload, executor, {Engine::fast, false});
    Evaluator sharing(dram_environment(), workload, executor);
    expect_equal(evaluate_all(sharing, designs), evaluate_all(plain, designs), designs);
    EXPECT_EQ(plain.simulated(), kDesigns);
    EXPECT_EQ(sharing.requested(), kDesigns);
    simulated += sharing.simulated();
    requested += sharing.requested();
  }
  EXPECT_LT(simulated, requested) << "nothing was shared";
  RecordProperty("simulated", static_cast<int>(simulated));
}

// The same on many designs of one family each: only the limits vary, which is what sharing by proof is about.
TEST_P(EvaluatorOn, SharingChangesNoMetricWhereOnlyLimitsDiffer) {
  const auto executor = std::make_shared<LocalExecutor>("cpu", 2);
  std::uint64_t simulated = 0, requested = 0;
  for (int family = 0; family < 4 && !HasFailure(); ++family) {
    const auto workload = make_workload(random_requests(rng_, GetParam(), 150 + rng_() % 100));
    const auto base = random_designs(rng_, 1);
    std::vector<std::int64_t> designs;
    for (int i = 0; i < 120; ++i) {
      std::vector<std::int64_t> design(base.begin(), base.end());
      design[dram::parameter("SchedulerBuffer")] = static_cast<std::int64_t>(rng_() % 3);
      design[dram::parameter("RequestBufferSize")] = static_cast<std::int64_t>(1 + rng_() % 24);
      design[dram::parameter("RefreshPolicy")] = 1;  // AllBank
      design[dram::parameter("RefreshMaxPostponed")] = static_cast<std::int64_t>(rng_() % 10);
      design[dram::parameter("RefreshMaxPulledin")] = static_cast<std::int64_t>(rng_() % 10);
      design[dram::parameter("MaxActiveTransactions")] = static_cast<std::int64_t>(1 + rng_() % (i % 3 == 0 ? 9 : 99));
      designs.insert(designs.end(), design.begin(), design.end());
    }
    Evaluator plain(dram_environment(), workload, executor, {Engine::fast, false});
    Evaluator sharing(dram_environment(), workload, executor);
    expect_equal(evaluate_all(sharing, designs), evaluate_all(plain, designs), designs);
    simulated += sharing.simulated();
    requested += sharing.requested();
  }
  EXPECT_LT(simulated, requested);
}

TEST_P(EvaluatorOn, ABatchEqualsSingles) {
  const auto executor = std::make_shared<LocalExecutor>("cpu", 2);
  const auto designs = random_designs(rng_, 300);
  Evaluator batch(dram_environment(), workload_, executor);
  Evaluator singles(dram_environment(), workload_, executor);
  const auto want = evaluate_all(batch, designs);
  std::vector<Priced> got;
  for (std::size_t i = 0; i < want.size(); ++i) got.push_back(evaluate_all(singles, row(designs, i))[0]);
  expect_equal(got, want, designs);
  // One after the other, no candidate is simulated that a batch would not have had to.
  EXPECT_EQ(singles.requested(), batch.requested());
  EXPECT_LT(singles.simulated(), singles.requested());
  // And each on its own, with nothing to share.
  for (std::size_t i = 0; i < want.size(); i += 10) {
    Evaluator alone(dram_environment(), workload_, executor);
    expect_equal(evaluate_all(alone, row(designs, i)), {want[i]}, row(designs, i));
    EXPECT_EQ(alone.simulated(), 1u);
  }
}

TEST_P(EvaluatorOn, PermutingABatchPermutesItsResults) {
  const auto executor = std::make_shared<LocalExecutor>("cpu", 2);
  const auto designs = random_designs(rng_, 400);
  std::vector<std::size_t> order(400);
  std::iota(order.begin(), order.end(), 0);
  Evaluator straight(dram_environment(), workload_, executor);
  const auto want = evaluate_all(straight, designs);
  for (int round = 0; round < 3; ++round) {
    std::ranges::shuffle(order, rng_);
    std::vector<std::int64_t> shuffled;
    std::vector<Priced> expected;
    for (const std::size_t i : order) {
      shuffled.insert(shuffled.end(), row(designs, i).begin(), row(designs, i).end());
      expected.push_back(want[i]);
    }
    Evaluator evaluator(dram_environment(), workload_, executor);
    expect_equal(evaluate_all(evaluator, shuffled), expected, shuffled);
  }
}

TEST_P(EvaluatorOn, AnySplitIntoBatchesIsEqual) {
  const auto executor = std::make_shared<LocalExecutor>("cpu", 2);
  const std::size_t count = 400;
  const auto designs = random_designs(rng_, count);
  Evaluator whole(dram_environment(), workload_, executor);
  const auto want = evaluate_all(whole, designs);
  for (const std::size_t largest : {3u, 40u, 399u}) {
    Evaluator evaluator(dram_environment(), workload_, executor);
    std::vector<Priced> got;
    for (std::size_t first = 0; first < count;) {
      const std::size_t n = std::min(count - first, rng_() % (largest + 1));  // empty batches, too
      const auto part = evaluate_all(evaluator, std::span(designs).subspan(first * kParameters, n * kParameters));
      got.insert(got.end(), part.begin(), part.end());
      first += n;
    }
    expect_equal(got, want, designs);
    EXPECT_EQ(evaluator.requested(), count);
  }
}

TEST_P(EvaluatorOn, TheNumberOfThreadsChangesNothing) {
  const auto designs = random_designs(rng_, 400);
  std::vector<Priced> want;
  std::vector<std::uint64_t> counters;
  std::uint64_t simulated = 0;
  for (const unsigned threads : {1u, 2u, 7u}) {
    const auto executor = std::make_shared<LocalExecutor>("cpu", threads);
    Evaluator evaluator(dram_environment(), workload_, executor);
    const auto got = evaluate_all(evaluator, designs);
    std::vector<std::uint64_t> all;
    for (Evaluator::OutcomeId id = 0; id < evaluator.simulated(); ++id) {
      all.insert(all.end(), evaluator.counters(id).begin(), evaluator.counters(id).end());
    }
    if (threads == 1) {
      want = got;
      counters = all;
      simulated = evaluator.simulated();
    }
    expect_equal(got, want, designs);
    EXPECT_EQ(evaluator.simulated(), simulated);
    EXPECT_EQ(all, counters) << "the outcomes are not numbered alike";
  }
}

// What a store does on resuming: outcomes of the first part are taken over, then the rest is evaluated.
// What an executor wants changes how many batches there are, and no result.
TEST_P(EvaluatorOn, LargeBatchesChangeNoMetric) {
  std::vector<std::int64_t> designs;
  for (int group = 0; group < 4; ++group) {  // differences in limits are what rounds are about
    const auto base = random_designs(rng_, 1);
    for (int i = 0; i < 100; ++i) {
      designs.insert(designs.end(), base.begin(), base.end());
      const std::span design = std::span(designs).last(kParameters);
      design[dram::parameter("RefreshMaxPulledin")] = static_cast<std::int64_t>(1 + rng_() % 8);
      design[dram::parameter("MaxActiveTransactions")] = std::int64_t{1} << rng_() % 8;
    }
  }
  const auto small = std::make_shared<exarch::testing::CountingExecutor>(0, 2);
  const auto large = std::make_shared<exarch::testing::CountingExecutor>(4096, 2);
  Evaluator narrow(dram_environment(), workload_, small), wide(dram_environment(), workload_, large);
  expect_equal(evaluate_all(wide, designs), evaluate_all(narrow, designs), designs);
  EXPECT_LE(large->batches().size(), 3u);
  EXPECT_LE(large->batches().size(), small->batches().size());
  EXPECT_LE(static_cast<double>(wide.simulated()), 1.5 * static_cast<double>(narrow.simulated()));
}

TEST_P(EvaluatorOn, ResumingFromStoredOutcomesEqualsAnUninterruptedRun) {
  const auto executor = std::make_shared<LocalExecutor>("cpu", 2);
  const auto designs = random_designs(rng_, 400);
  const auto first_part = std::span<const std::int64_t>(designs).first(250 * kParameters);
  const auto rest = std::span<const std::int64_t>(designs).subspan(250 * kParameters);
  Evaluator whole(dram_environment(), workload_, executor);
  const auto first_ids = whole.evaluate(first_part);
  const std::uint64_t simulated_first = whole.simulated();
  const auto first_want = priced(whole, first_ids, first_part);
  Evaluator resumed(dram_environment(), workload_, executor);
  for (Evaluator::OutcomeId id = 0; id < simulated_first; ++id) {
    EXPECT_EQ(resumed.preload(whole.simulated_design(id), whole.status(id), whole.counters(id), whole.proof(id)), id);
  }
  EXPECT_EQ(resumed.simulated(), simulated_first);
  const auto rest_want = evaluate_all(whole, rest);
  expect_equal(evaluate_all(resumed, rest), rest_want, rest);
  EXPECT_EQ(resumed.simulated(), whole.simulated());
  // What was stored is not simulated again.
  expect_equal(evaluate_all(resumed, first_part), first_want, first_part);
  EXPECT_EQ(resumed.simulated(), whole.simulated());
}

// What a sweep does: outcomes whose counters a store has are given up. They are shared as before, under the same numbers.
TEST_P(EvaluatorOn, ReleasedOutcomesAreStillShared) {
  const auto executor = std::make_shared<LocalExecutor>("cpu", 2);
  const std::size_t count = 400;
  const auto designs = random_designs(rng_, count);
  for (const bool share : {true, false}) {
    Evaluator keeping(dram_environment(), workload_, executor, {Engine::fast, share});
    Evaluator releasing(dram_environment(), workload_, executor, {Engine::fast, share});
    for (std::size_t first = 0; first < count; first += 50) {
      const auto part = std::span(designs).subspan(first * kParameters, 50 * kParameters);
      const auto want = keeping.evaluate(part);
      const std::uint64_t before = releasing.simulated();
      EXPECT_EQ(releasing.evaluate(part), want);
      ASSERT_EQ(releasing.simulated(), keeping.simulated());
      for (auto id = static_cast<Evaluator::OutcomeId>(before); id < releasing.simulated(); ++id) {
        EXPECT_TRUE(std::ranges::equal(releasing.counters(id), keeping.counters(id)));
        EXPECT_TRUE(std::ranges::equal(releasing.detail(id), keeping.detail(id)));
        EXPECT_TRUE(std::ranges::equal(releasing.simulated_design(id), keeping.simulated_design(id)));
      }
      releasing.release();
      EXPECT_THROW((void)releasing.counters(0), std::logic_error);
      EXPECT_EQ(releasing.status(0), keeping.status(0));
    }
    if (!share) continue;
    EXPECT_LT(releasing.simulated(), count);
    // Preloading needs proofs only, and may release at once.
    Evaluator resumed(dram_environment(), workload_, executor);
    for (Evaluator::OutcomeId id = 0; id < keeping.simulated(); ++id) {
      (void)resumed.preload(keeping.simulated_design(id), keeping.status(id), keeping.counters(id), keeping.proof(id));
      resumed.release();
    }
    const auto part = std::span(designs).first(50 * kParameters);
    // Numbered alike, so that either evaluator's counters may be asked for.
    expect_equal(priced(keeping, resumed.evaluate(part), part), priced(keeping, keeping.evaluate(part), part), part);
    EXPECT_EQ(resumed.simulated(), keeping.simulated());
  }
}

TEST_P(EvaluatorOn, DuplicatesAreSimulatedOnce) {
  const auto executor = std::make_shared<LocalExecutor>("cpu", 2);
  const auto few = random_designs(rng_, 20);
  std::vector<std::int64_t> many;
  for (int copy = 0; copy < 30; ++copy) many.insert(many.end(), few.begin(), few.end());
  Evaluator once(dram_environment(), workload_, executor);
  Evaluator repeated(dram_environment(), workload_, executor);
  const auto want = evaluate_all(once, few);
  const auto ids = repeated.evaluate(many);
  EXPECT_EQ(repeated.simulated(), once.simulated());
  EXPECT_LE(repeated.simulated(), 20u);
  EXPECT_EQ(repeated.requested(), 600u);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], ids[i % 20]) << i;
  expect_equal(priced(repeated, std::span(ids).last(20), few), want, few);
  (void)repeated.evaluate(many);
  EXPECT_EQ(repeated.simulated(), once.simulated());
}

// Going straight to the exact kernel is a matter of speed only.
TEST_P(EvaluatorOn, ExactFromStartChangesNoMetric) {
  const auto executor = std::make_shared<LocalExecutor>("cpu", 2);
  const auto designs = random_designs(rng_, 300);
  workload_->exact_from_start = false;
  Evaluator lazy(dram_environment(), workload_, executor);
  const auto want = evaluate_all(lazy, designs);
  auto exact = std::make_shared<DramWorkload>(*workload_);
  refer_to(exact->trace, exact->view);
  exact->exact_from_start = true;
  for (const bool share : {true, false}) {
    Evaluator evaluator(dram_environment(), exact, executor, {Engine::fast, share});
    expect_equal(evaluate_all(evaluator, designs), want, designs);
  }
}

// The reference engine proves nothing about neighbours, so it shares only canonical forms; and it agrees.
TEST_P(EvaluatorOn, TheReferenceEngineAgrees) {
  const auto executor = std::make_shared<LocalExecutor>("cpu", 2);
  const auto designs = random_designs(rng_, 40);
  Evaluator fast(dram_environment(), workload_, executor);
  Evaluator reference(dram_environment(), workload_, executor, {Engine::reference, true});
  expect_equal(evaluate_all(fast, designs), evaluate_all(reference, designs), designs);
  EXPECT_GE(reference.simulated(), fast.simulated());
}

TEST(Canonicalise, IsIdempotentAndKeepsDesignsLegal) {
  std::mt19937_64 rng(9);
  for (const TraceKind kind : {TraceKind::dense_reads, TraceKind::dense_writes}) {
    const auto workload = make_workload(random_requests(rng, kind, 50));
    const auto designs = random_designs(rng, 2000);
    for (std::size_t i = 0; i < 2000; ++i) {
      std::vector<std::int64_t> once(row(designs, i).begin(), row(designs, i).end());
      dram_environment().canonicalise(*workload, once);
      std::vector<std::int64_t> twice = once;
      dram_environment().canonicalise(*workload, twice);
      ASSERT_EQ(once, twice) << describe_design(row(designs, i));
      for (std::size_t p = 0; p < kParameters; ++p) {
        const ParameterInfo& parameter = dram_environment().parameters()[p];
        ASSERT_GE(once[p], parameter.minimum) << parameter.name;
        ASSERT_LE(once[p], parameter.maximum) << parameter.name;
      }
    }
  }
}

TEST(Evaluator, TakesAnEmptyBatchAndReportsProgress) {
  std::mt19937_64 rng(10);
  const auto workload = make_workload(random_requests(rng, TraceKind::bursty, 60));
  const auto executor = std::make_shared<LocalExecutor>("cpu", 2);
  Evaluator evaluator(dram_environment(), workload, executor);
  EXPECT_TRUE(evaluator.evaluate({}).empty());
  EXPECT_EQ(evaluator.requested(), 0u);
  std::size_t calls = 0, last_done = 0, last_left = 0;
  const auto designs = random_designs(rng, 50);
  (void)evaluator.evaluate(designs, [&](std::size_t done, std::size_t left) {
    ++calls;
    EXPECT_GE(done, last_done);
    last_done = done;
    last_left = left;
  });
  EXPECT_GT(calls, 1u);
  EXPECT_EQ(last_done, evaluator.simulated());
  EXPECT_EQ(last_left, 0u);
}

}  // namespace
}  // namespace exarch::dram
