// The fast kernels against the reference model, counter for counter, on random designs over random traces.
#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "host/dram/reference.hpp"
#include "tests/support/array_lanes.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/real_lanes.hpp"

namespace exarch::dram {
namespace {

using namespace testing;

// All counters; of the two idle counts the one of the candidate's own response order.
std::string differences(const Counters& got, const Counters& want, const ControllerParams& params) {
  std::string text;
  const auto compare = [&text](const char* name, std::uint64_t a, std::uint64_t b) {
    if (a != b) text += std::string(name) + " " + std::to_string(a) + " instead of " + std::to_string(b) + "; ";
  };
  compare("cycles", got.cycles, want.cycles);
  compare("act", got.act, want.act);
  compare("pre", got.pre, want.pre);
  compare("rd", got.rd, want.rd);
  compare("wr", got.wr, want.wr);
  compare("ref", got.ref, want.ref);
  compare("active_cycles", got.active_cycles, want.active_cycles);
  compare("precharged_cycles", got.precharged_cycles, want.precharged_cycles);
  compare("row_hits", got.row[kRowHit], want.row[kRowHit]);
  compare("row_misses", got.row[kRowMiss], want.row[kRowMiss]);
  compare("row_conflicts", got.row[kRowConflict], want.row[kRowConflict]);
  compare("served", got.served, want.served);
  const bool fifo = params.resp_queue == RespQueue::Fifo;
  compare("idle", fifo ? got.idle_cycles_fifo : got.idle_cycles_reorder, want.idle_cycles_fifo);
  compare("latency_sum", got.latency_sum, want.latency_sum);
  compare("latency_max", got.latency_max, want.latency_max);
  for (std::uint32_t i = 0; i < kLatencyBuckets; ++i) {
    compare("latency bucket", got.latency_histogram[i], want.latency_histogram[i]);
  }
  return text;
}

struct Tally {
  int runs = 0, ties = 0;
};

Tally check(const DramWorkload& workload, std::mt19937_64& rng, int designs, bool single_pass) {
  Workspace workspace;
  Tally tally;
  for (int i = 0; i < designs; ++i) {
    const ControllerParams params = random_params(rng);
    const ReferenceResult want = simulate_reference(workload.view, params);
    EXPECT_EQ(want.status, Status::ok);
    RunResult exact;
    workspace.run_kernel(workload, params, Kernel::exact, exact);
    EXPECT_EQ(exact.status, Status::ok) << describe(params);
    EXPECT_EQ(differences(exact.counters, want.counters, params), "") << "exact kernel: " << describe(params);
    ++tally.runs;
    if (!single_pass) continue;
    RunResult fast;
    workspace.run_kernel(workload, params, Kernel::dense, fast);
    RunResult lanes;
    workspace.run_kernel(workload, params, Kernel::lanes, lanes, testing::run_array_lanes);
    EXPECT_EQ(lanes.status, fast.status) << describe(params);
    EXPECT_EQ(std::memcmp(&lanes.witness, &fast.witness, sizeof fast.witness), 0) << describe(params);
    if (fast.status == Status::tie) {
      ++tally.ties;
      continue;
    }
    EXPECT_EQ(fast.status, Status::ok) << describe(params);
    EXPECT_EQ(differences(fast.counters, want.counters, params), "") << "single pass: " << describe(params);
    EXPECT_EQ(differences(lanes.counters, want.counters, params), "") << "single pass in lanes: " << describe(params);
  }
  return tally;
}

class KernelsEqualReference : public ::testing::TestWithParam<TraceKind> {};

TEST_P(KernelsEqualReference, OnRandomDesignsAndTraces) {
  std::mt19937_64 rng(0xE8A2C4 + static_cast<unsigned>(GetParam()));
  Tally total;
  for (int trace = 0; trace < 120 && !HasFailure(); ++trace) {
    const auto workload = make_workload(random_requests(rng, GetParam(), 20 + rng() % 400));
    const Tally tally = check(*workload, rng, 10, true);
    total.runs += tally.runs;
    total.ties += tally.ties;
  }
  RecordProperty("runs", total.runs);
  RecordProperty("ties", total.ties);
  EXPECT_LT(total.ties, total.runs) << "the single pass never got through";
}

INSTANTIATE_TEST_SUITE_P(Kinds, KernelsEqualReference,
                         ::testing::Values(TraceKind::dense_reads, TraceKind::dense_writes, TraceKind::sparse_reads,
                                           TraceKind::sparse_writes, TraceKind::bursty));

// The lanes as a device runs them, eight at a time: every combination of policies, on traces with and without writes. The
// comparison is with the dense single pass, whose results are compared with the reference above.
TEST(RealLanesEqualTheDensePass, WithEveryCombinationOfPolicies) {
  std::mt19937_64 rng(0x1A9E5);
  int runs = 0, ok = 0;
  Workspace workspace;
  for (std::uint64_t combination = 0; combination < 4 * 3 * 3 * 3 * 2 * 2 * 2; ++combination) {
    std::uint64_t rest = combination;
    const auto next = [&rest](std::uint64_t n) { return std::exchange(rest, rest / n) % n; };
    ControllerParams params = random_params(rng);
    params.page_policy = static_cast<PagePolicy>(next(4));
    params.scheduler = static_cast<Scheduler>(next(3));
    params.scheduler_buffer = static_cast<SchedulerBuffer>(next(3));
    params.arbiter = static_cast<Arbiter>(next(3));
    params.resp_queue = static_cast<RespQueue>(next(2));
    params.refresh_policy = static_cast<RefreshPolicy>(next(2));
    const bool writes = next(2) == 1;
    const TraceKind kinds[] = {TraceKind::dense_reads, TraceKind::sparse_reads, TraceKind::dense_writes, TraceKind::sparse_writes,
                               TraceKind::bursty};
    const auto kind = writes ? kinds[2 + rng() % 3] : kinds[rng() % 2];
    const auto workload = make_workload(random_requests(rng, kind, 20 + rng() % 60));
    RunResult dense, real;
    workspace.run_kernel(*workload, params, Kernel::dense, dense);
    ASSERT_EQ(run_in_real_lanes(*workload, params, rng(), real), "") << describe(params);
    ASSERT_TRUE(equal_results(real, dense)) << describe(params);
    ++runs;
    ok += dense.status == Status::ok ? 1 : 0;
  }
  EXPECT_EQ(runs, 864);
  EXPECT_GT(ok, runs / 2) << "most runs ended in a tie";
}

TEST(ExactKernelEqualsReference, WithOtherPlayerClocksAndRelativeTraces) {
  std::mt19937_64 rng(77);
  for (int trace = 0; trace < 150 && !HasFailure(); ++trace) {
    const auto kind = static_cast<TraceKind>(rng() % 5);
    const std::uint32_t clocks[] = {100, 300, 533, 667, 800, 933, 1600, 3200, 1};
    auto requests = random_requests(rng, kind, 20 + rng() % 200);
    const bool relative = rng() % 2 == 0;
    if (relative) {
      for (auto& request : requests) request.issue = rng() % 50;
    }
    const auto workload = make_workload(requests, relative, clocks[rng() % 9]);
    check(*workload, rng, 6, false);
  }
}

TEST(ExactKernelEqualsReference, OnOtherMemories) {
  std::mt19937_64 rng(78);
  for (const char* memspec : {"MICRON_1Gb_DDR3-1066_8bit_G", "MICRON_1Gb_DDR3-800_8bit_G", "MICRON_1Gb_DDR3-1600_8bit_G_3s"}) {
    for (int trace = 0; trace < 20 && !HasFailure(); ++trace) {
      const auto workload = make_workload(random_requests(rng, static_cast<TraceKind>(rng() % 5), 200), false, 800, memspec);
      check(*workload, rng, 5, false);
    }
  }
}

// A request can starve behind row hits for longer than any window: the run must notice and be repeated with more memory.
TEST(KernelsEqualReference, WhenARequestStarves) {
  std::vector<TraceRequest> requests{{0, 0, false}, {0, 1ull << 16, false}};
  for (std::uint64_t i = 2; i < 5000; ++i) requests.push_back({0, (i % 8) << 6, false});
  const auto workload = make_workload(requests);
  std::mt19937_64 rng(5);
  for (int i = 0; i < 6; ++i) {
    ControllerParams params = random_params(rng);
    params.page_policy = PagePolicy::Open;
    params.scheduler = Scheduler::FrFcfs;
    params.refresh_policy = RefreshPolicy::NoRefresh;
    params.resp_queue = i % 2 == 0 ? RespQueue::Reorder : RespQueue::Fifo;
    params.arbiter = i < 2 ? Arbiter::Simple : i < 4 ? Arbiter::Fifo : Arbiter::Reorder;
    params.max_active_transactions = 4294967295u;
    params.request_buffer_size = 4;
    const ReferenceResult want = simulate_reference(workload->view, params);
    Workspace workspace;
    RunResult result;
    (void)workspace.run(*workload, params, result);
    EXPECT_EQ(result.status, Status::ok);
    EXPECT_EQ(differences(result.counters, want.counters, params), "") << describe(params);
    workspace.run_kernel(*workload, params, Kernel::exact, result);
    EXPECT_EQ(differences(result.counters, want.counters, params), "") << describe(params);
  }
}

// Gaps of hours of DRAM time pass in steps of refreshes, and the 32-bit clock of the kernels moves its origin.
TEST(KernelsEqualReference, OverLongGaps) {
  std::vector<TraceRequest> requests;
  std::uint64_t time = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    requests.push_back({time, (i % 3) << 16 | (i % 5) << 13, i % 4 == 0});
    time += i % 7 == 0 ? 4000000000ull : i;
  }
  const auto workload = make_workload(requests);
  Workspace workspace;
  ControllerParams params;
  params.refresh_policy = RefreshPolicy::NoRefresh;
  for (const Kernel kernel : {Kernel::dense, Kernel::lanes, Kernel::exact}) {
    const ReferenceResult want = simulate_reference(workload->view, params);
    RunResult result;
    workspace.run_kernel(*workload, params, kernel, result, kernel == Kernel::lanes ? testing::run_array_lanes : nullptr);
    if (result.status == Status::tie) continue;
    EXPECT_EQ(differences(result.counters, want.counters, params), "") << static_cast<int>(kernel);
  }
}

// Every idle moment leaves a dead notification behind until the next refresh is due, here 375 ms away: the exact kernel's event
// queue outgrows its usual size and the run is repeated with a larger one.
TEST(ExactKernelEqualsReference, WhenRefreshesAreFarApart) {
  std::vector<TraceRequest> requests;
  for (std::uint64_t i = 0; i < 9000; ++i) requests.push_back({60 * i, (i % 7) << 16, false});
  const auto workload = make_workload(requests, false, 800, "MICRON_1Gb_DDR3-1600_8bit_G_less_refresh");
  ControllerParams params;
  params.refresh_policy = RefreshPolicy::AllBank;
  const ReferenceResult want = simulate_reference(workload->view, params);
  RunResult result;
  Workspace().run_kernel(*workload, params, Kernel::exact, result);
  EXPECT_EQ(result.status, Status::ok);
  EXPECT_EQ(differences(result.counters, want.counters, params), "");
}

// Refreshes that leave no time for requests: the run ends with a status instead of never.
TEST(KernelsEndWithAStatus, WhenNothingButRefreshesHappens) {
  auto workload = make_workload({{0, 0, false}, {1, 1 << 16, false}, {2, 0, false}});
  workload->view.timing.tREFI = workload->view.timing.tRFC + 1;
  workload->distances = make_distances(workload->view.timing);
  workload->step_budget = 100000;
  ControllerParams params;
  params.refresh_policy = RefreshPolicy::AllBank;
  params.page_policy = PagePolicy::Closed;
  for (const Kernel kernel : {Kernel::dense, Kernel::lanes, Kernel::exact}) {
    RunResult result;
    Workspace().run_kernel(*workload, params, kernel, result, kernel == Kernel::lanes ? testing::run_array_lanes : nullptr);
    EXPECT_NE(result.status, Status::out_of_space);
    if (result.status == Status::ok) continue;
    EXPECT_TRUE(result.status == Status::step_limit || result.status == Status::tie);
  }
}

}  // namespace
}  // namespace exarch::dram
