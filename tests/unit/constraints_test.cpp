// DDR3 timing: the dense matrices of the kernels against the table of constraints, commands that come as early as the table lets
// them, and the small pure functions beside them (sharing by proof, latency buckets).
#include "kernels/dram/constraints.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "host/dram/reference.hpp"
#include "kernels/dram/witness.hpp"
#include "tests/support/random_cases.hpp"

namespace exarch::dram {
namespace {

constexpr const char* kMemories[] = {"MICRON_1Gb_DDR3-1600_8bit_G", "MICRON_1Gb_DDR3-1066_8bit_G"};
constexpr CommandCode kCommands[] = {CommandCode::ACT, CommandCode::PRE, CommandCode::RD,   CommandCode::RDA,
                                     CommandCode::WR,  CommandCode::WRA, CommandCode::PREA, CommandCode::REFA};

// The largest distance of the table's rows for a pair of commands and a scope; 0 without a row.
std::uint32_t distance_of_rows(const Timing& timing, CommandCode previous, CommandCode next, Scope scope) {
  const ConstraintTable table = ddr3_constraints(timing);
  std::uint32_t distance = 0;
  for (std::uint32_t i = 0; i < table.count; ++i) {
    const TimingConstraint& row = table.rows[i];
    if (row.previous == previous && row.next == next && row.scope == scope) distance = std::max(distance, row.distance);
  }
  return distance;
}

// What the kernels read from the dense matrices for the same bank.
std::uint32_t bank_distance(const Distances& d, CommandCode previous, CommandCode next) {
  const std::uint32_t* columns = d.bank[code_of(previous)];
  switch (next) {
    case CommandCode::ACT:
      return columns[kBankAct];
    case CommandCode::PRE:
      return columns[kBankPre];
    case CommandCode::RDA:
      return std::max(columns[kBankCas], columns[kBankRda]);
    case CommandCode::RD:
    case CommandCode::WR:
    case CommandCode::WRA:
      return columns[kBankCas];
    default:
      return 0;  // PREA and REFA concern the rank
  }
}

class Timings : public ::testing::TestWithParam<const char*> {
 protected:
  MemSpec memspec_ = load_memspec(GetParam());
  Timing timing_ = memspec_.timing;
};

INSTANTIATE_TEST_SUITE_P(Ddr3, Timings, ::testing::ValuesIn(kMemories),
                         [](const auto& instance) { return instance.index == 0 ? "DDR3_1600" : "DDR3_1066"; });

TEST_P(Timings, DenseMatricesHoldTheRowsAndNothingElse) {
  const Distances d = make_distances(timing_);
  for (const CommandCode previous : kCommands) {
    for (const CommandCode next : kCommands) {
      const std::string pair = std::to_string(code_of(previous)) + " -> " + std::to_string(code_of(next));
      const std::uint32_t rank = distance_of_rows(timing_, previous, next, Scope::rank);
      EXPECT_EQ(d.rank[code_of(previous)][class_of(next)], std::max(rank, 1u)) << "rank " << pair;
      EXPECT_EQ(bank_distance(d, previous, next), distance_of_rows(timing_, previous, next, Scope::bank)) << "bank " << pair;
    }
  }
  EXPECT_EQ(d.tFAW, timing_.tFAW);
}

// Every row lands in a cell that a command reads, so that no row can be lost.
TEST_P(Timings, EveryRowIsObeyed) {
  const Distances d = make_distances(timing_);
  const ConstraintTable table = ddr3_constraints(timing_);
  ASSERT_LE(table.count, kMaxConstraints);
  ASSERT_GT(table.count, 30u);
  for (std::uint32_t i = 0; i < table.count; ++i) {
    const TimingConstraint& row = table.rows[i];
    const std::uint32_t dense =
        row.scope == Scope::rank ? d.rank[code_of(row.previous)][class_of(row.next)] : bank_distance(d, row.previous, row.next);
    EXPECT_GE(dense, row.distance) << "row " << i;
  }
}

TEST_P(Timings, CodesThatAreNoCommandsConstrainNothing) {
  const Distances d = make_distances(timing_);
  for (std::uint32_t code = 0; code < kCommandCodes; ++code) {
    const bool command = std::ranges::any_of(kCommands, [code](CommandCode c) { return code_of(c) == code; });
    if (command) continue;
    for (std::uint32_t k = 0; k < kTimingClasses; ++k) EXPECT_LE(d.rank[code][k], 1u) << code << " " << k;
    for (std::uint32_t k = 0; k < kBankColumns; ++k) EXPECT_EQ(d.bank[code][k], 0u) << code << " " << k;
  }
}

TEST(Ddr3Constraints, HaveTheJedecValuesOfDdr3_1600) {
  using enum CommandCode;
  const Timing t = load_memspec(kMemories[0]).timing;
  const auto bank = [&t](CommandCode previous, CommandCode next) { return distance_of_rows(t, previous, next, Scope::bank); };
  const auto rank = [&t](CommandCode previous, CommandCode next) { return distance_of_rows(t, previous, next, Scope::rank); };
  EXPECT_EQ(bank(ACT, RD), 10u);
  EXPECT_EQ(bank(ACT, PRE), 28u);
  EXPECT_EQ(bank(ACT, ACT), 38u);
  EXPECT_EQ(bank(PRE, ACT), 10u);
  EXPECT_EQ(rank(ACT, ACT), 5u);
  EXPECT_EQ(rank(RD, RD), 4u);
  EXPECT_EQ(rank(RD, WR), 8u);
  EXPECT_EQ(rank(WR, RD), 18u);
  EXPECT_EQ(bank(WR, PRE), 24u);
  EXPECT_EQ(bank(WRA, ACT), 34u);
  EXPECT_EQ(bank(RDA, ACT), 16u);
  EXPECT_EQ(t.tFAW, 24u);
}

// ---- commands of the reference model ------------------------------------------------------------------------------------

CommandCode code(Command command) {
  static constexpr CommandCode kCodes[] = {CommandCode::ACT, CommandCode::PRE, CommandCode::PREA, CommandCode::RD,
                                           CommandCode::RDA, CommandCode::WR,  CommandCode::WRA,  CommandCode::REFA};
  return kCodes[static_cast<std::size_t>(command)];
}

// The earliest cycle at which `next` may follow `issued` (in issue order), by the rows of the table, the command bus and the
// four-activate window.
std::uint64_t earliest(const Timing& timing, const std::vector<IssuedCommand>& issued, const IssuedCommand& next) {
  const ConstraintTable table = ddr3_constraints(timing);
  std::uint64_t cycle = issued.empty() ? 0 : issued.back().cycle + 1;
  std::vector<std::uint64_t> activations;
  for (const IssuedCommand& previous : issued) {
    if (previous.command == Command::ACT) activations.push_back(previous.cycle);
    for (std::uint32_t i = 0; i < table.count; ++i) {
      const TimingConstraint& row = table.rows[i];
      if (row.previous != code(previous.command) || row.next != code(next.command)) continue;
      if (row.scope == Scope::rank || previous.bank == next.bank) cycle = std::max(cycle, previous.cycle + row.distance);
    }
  }
  if (next.command == Command::ACT && activations.size() >= 4) {
    cycle = std::max(cycle, activations[activations.size() - 4] + timing.tFAW);
  }
  return cycle;
}

std::vector<IssuedCommand> commands_of(const WorkloadView& view, const ControllerParams& params) {
  ReferenceResult result = simulate_reference(view, params, true);
  EXPECT_EQ(result.status, Status::ok);
  return result.commands;
}

struct Access {
  std::uint64_t time;
  std::uint32_t row, bank;
  bool write;
};

std::vector<IssuedCommand> commands_of(const char* memspec, const std::vector<Access>& accesses, const ControllerParams& params) {
  std::vector<TraceRequest> requests;
  std::uint64_t column = 0;  // every request another address: no read has to wait for the same address
  for (const Access& a : accesses) {
    requests.push_back({a.time, std::uint64_t{a.row} << 16 | std::uint64_t{a.bank} << 13 | (column++ % 16) << 6, a.write});
  }
  const std::uint32_t clk_mhz = std::string(memspec) == kMemories[0] ? 800 : 533;
  const auto workload = testing::make_workload(requests, false, clk_mhz, memspec);
  return commands_of(workload->view, params);
}

ControllerParams controller(PagePolicy policy) {
  ControllerParams params;
  params.page_policy = policy;
  params.scheduler = Scheduler::Fifo;
  params.request_buffer_size = 8;
  params.refresh_policy = RefreshPolicy::NoRefresh;
  return params;
}

// The cycle of the n-th (from 0) `command` on `bank`.
std::uint64_t cycle_of(const std::vector<IssuedCommand>& commands, Command command, std::uint32_t bank, std::size_t n = 0) {
  for (const IssuedCommand& c : commands) {
    if (c.command == command && c.bank == bank && n-- == 0) return c.cycle;
  }
  ADD_FAILURE() << "no such command on bank " << bank;
  return 0;
}

TEST_P(Timings, ActToReadIsTrcd) {
  const auto commands = commands_of(GetParam(), {{0, 0, 0, false}}, controller(PagePolicy::Open));
  EXPECT_EQ(cycle_of(commands, Command::ACT, 0), 0u);
  EXPECT_EQ(cycle_of(commands, Command::RD, 0), timing_.tRCD - timing_.tAL);
}

TEST_P(Timings, ActToWriteIsTrcd) {
  const auto commands = commands_of(GetParam(), {{0, 0, 0, true}}, controller(PagePolicy::Open));
  EXPECT_EQ(cycle_of(commands, Command::WR, 0), timing_.tRCD - timing_.tAL);
}

// A row conflict with nothing else to do: PRE at tRAS, ACT tRP later; and PRE at tRTP after a late read.
TEST_P(Timings, PreToActIsTrp) {
  auto commands = commands_of(GetParam(), {{0, 0, 0, false}, {0, 1, 0, false}}, controller(PagePolicy::Open));
  EXPECT_EQ(cycle_of(commands, Command::PRE, 0), timing_.tRAS);
  EXPECT_EQ(cycle_of(commands, Command::ACT, 0, 1), timing_.tRAS + timing_.tRP);
  commands = commands_of(GetParam(), {{0, 0, 0, false}, {200, 0, 0, false}, {200, 1, 0, false}}, controller(PagePolicy::Open));
  const std::uint64_t read = cycle_of(commands, Command::RD, 0, 1);
  EXPECT_GT(read, timing_.tRC);
  EXPECT_EQ(cycle_of(commands, Command::PRE, 0), read + timing_.tAL + timing_.tRTP);
  EXPECT_EQ(cycle_of(commands, Command::ACT, 0, 1), read + timing_.tAL + timing_.tRTP + timing_.tRP);
}

TEST_P(Timings, WriteToPrechargeIsWriteRecovery) {
  const auto commands = commands_of(GetParam(), {{0, 0, 0, true}, {0, 1, 0, false}}, controller(PagePolicy::Open));
  EXPECT_EQ(cycle_of(commands, Command::PRE, 0), cycle_of(commands, Command::WR, 0) + timing_.write_to_precharge());
}

TEST_P(Timings, ActToActOfAnotherBankIsTrrd) {
  const auto commands = commands_of(GetParam(), {{0, 0, 0, false}, {0, 0, 1, false}}, controller(PagePolicy::Open));
  EXPECT_EQ(cycle_of(commands, Command::ACT, 1), cycle_of(commands, Command::ACT, 0) + timing_.tRRD);
}

TEST_P(Timings, TheFifthActWaitsForTheFourActivateWindow) {
  std::vector<Access> accesses;
  for (std::uint32_t bank = 0; bank < 5; ++bank) accesses.push_back({0, 0, bank, false});
  const auto commands = commands_of(GetParam(), accesses, controller(PagePolicy::Open));
  const std::uint64_t window = cycle_of(commands, Command::ACT, 0) + timing_.tFAW;
  ASSERT_GT(window, cycle_of(commands, Command::ACT, 3) + timing_.tRRD) << "tRRD would decide";
  // Only the command bus may put it off further.
  std::uint64_t expected = window;
  while (
      std::ranges::any_of(commands, [&](const IssuedCommand& c) { return c.cycle == expected && c.command != Command::ACT; })) {
    ++expected;
  }
  EXPECT_EQ(cycle_of(commands, Command::ACT, 4), expected);
}

TEST_P(Timings, WriteToReadAndReadToWriteTurnTheBusAround) {
  auto commands = commands_of(GetParam(), {{0, 0, 0, true}, {0, 0, 0, false}}, controller(PagePolicy::Open));
  EXPECT_EQ(cycle_of(commands, Command::RD, 0), cycle_of(commands, Command::WR, 0) + timing_.write_to_read());
  commands = commands_of(GetParam(), {{0, 0, 0, false}, {0, 0, 0, true}}, controller(PagePolicy::Open));
  EXPECT_EQ(cycle_of(commands, Command::WR, 0), cycle_of(commands, Command::RD, 0) + timing_.read_to_write());
  // Of another bank, too.
  commands = commands_of(GetParam(), {{0, 0, 0, true}, {0, 0, 1, false}}, controller(PagePolicy::Open));
  EXPECT_EQ(cycle_of(commands, Command::RD, 1), cycle_of(commands, Command::WR, 0) + timing_.write_to_read());
}

TEST_P(Timings, ReadToReadAndWriteToWriteAreTccd) {
  for (const bool write : {false, true}) {
    const auto commands = commands_of(GetParam(), {{0, 0, 0, write}, {0, 0, 0, write}}, controller(PagePolicy::Open));
    const Command cas = write ? Command::WR : Command::RD;
    EXPECT_EQ(cycle_of(commands, cas, 0, 1), cycle_of(commands, cas, 0) + timing_.tCCD);
  }
}

// Closing the row with its last access (ClosedAdaptive); enough hits before it that tRC of the first ACT is over.
TEST_P(Timings, AutoPrechargeToAct) {
  for (const bool write : {false, true}) {
    std::vector<Access> accesses(6, {0, 0, 0, write});
    accesses.push_back({0, 1, 0, write});
    const auto commands = commands_of(GetParam(), accesses, controller(PagePolicy::ClosedAdaptive));
    const std::uint64_t last = cycle_of(commands, write ? Command::WRA : Command::RDA, 0);
    const std::uint32_t distance = (write ? timing_.write_to_precharge() : timing_.tAL + timing_.tRTP) + timing_.tRP;
    ASSERT_GT(last + distance, timing_.tRC);
    EXPECT_EQ(cycle_of(commands, Command::ACT, 0, 1), last + distance) << (write ? "WRA" : "RDA");
  }
}

TEST_P(Timings, AClosedRowWaitsForTrc) {
  const auto commands = commands_of(GetParam(), {{0, 0, 0, false}, {0, 1, 0, false}}, controller(PagePolicy::Closed));
  EXPECT_EQ(cycle_of(commands, Command::ACT, 0, 1), timing_.tRC);
}

// No command of any run comes earlier than the table allows, and many come exactly then.
TEST_P(Timings, NoCommandOfRandomRunsComesTooEarly) {
  std::mt19937_64 rng(20261123);
  std::size_t checked = 0, exact = 0;
  for (int run = 0; run < 60 && !HasFailure(); ++run) {
    const auto requests = testing::random_requests(rng, static_cast<testing::TraceKind>(rng() % 5), 60 + rng() % 60);
    const auto workload = testing::make_workload(requests, false, 800, GetParam());
    const ControllerParams params = testing::random_params(rng);
    const auto commands = commands_of(workload->view, params);
    std::vector<IssuedCommand> issued;
    for (const IssuedCommand& next : commands) {
      const std::uint64_t bound = earliest(timing_, issued, next);
      EXPECT_GE(next.cycle, bound) << "command " << issued.size() << " of " << testing::describe(params);
      exact += next.cycle == bound ? 1 : 0;
      ++checked;
      issued.push_back(next);
    }
  }
  EXPECT_GT(checked, 5000u);
  EXPECT_GT(exact, checked / 10) << "hardly any command is issued as early as it may be";
}

// ---- sharing by proof ---------------------------------------------------------------------------------------------------

Witness witness() {
  Witness w{};
  reset_witness(w);
  return w;
}

TEST(EqualRun, PostponedNeedsALimitNoBalanceTellsApart) {
  Witness w = witness();
  EXPECT_TRUE(equal_run_postponed(w, 1, 8)) << "nothing was compared";
  EXPECT_TRUE(equal_run_postponed(w, 8, 0));
  w.postponed_low = 2;
  w.postponed_high = 4;
  for (std::uint32_t other = 0; other <= 8; ++other) {
    EXPECT_EQ(equal_run_postponed(w, 8, other), other == 8 || other < 2 || other > 4) << other;
    EXPECT_TRUE(equal_run_postponed(w, other, other)) << other;
  }
  w.postponed_forced = true;
  for (std::uint32_t other = 0; other <= 8; ++other) EXPECT_EQ(equal_run_postponed(w, 8, other), other == 8) << other;
}

TEST(EqualRun, PulledinNeedsALimitBelowAllBalances) {
  Witness w = witness();
  EXPECT_TRUE(equal_run_pulledin(w, 8, 0));
  w.pulledin_low = -3;
  for (std::uint32_t other = 0; other <= 8; ++other) {
    EXPECT_EQ(equal_run_pulledin(w, 8, other), other > 3) << other;
    EXPECT_TRUE(equal_run_pulledin(w, other, other)) << other;
  }
  EXPECT_TRUE(equal_run_pulledin(w, 8, 4294967295u));
  w.pulledin_limited = true;
  EXPECT_FALSE(equal_run_pulledin(w, 8, 7));
  EXPECT_TRUE(equal_run_pulledin(w, 8, 8));
}

TEST(EqualRun, ActiveNeedsALimitThatNobodyWaitedFor) {
  Witness w = witness();
  w.most_active = 5;
  for (std::uint32_t other = 1; other <= 128; ++other) {
    EXPECT_EQ(equal_run_active(w, 64, other), other > 5) << other;
  }
  w.active_waited = true;
  for (std::uint32_t other = 1; other <= 128; ++other) EXPECT_EQ(equal_run_active(w, 64, other), other == 64) << other;
}

TEST(EqualRun, BufferNeedsOneThatHoldsWhatWasHeld) {
  using enum SchedulerBuffer;
  Witness w = witness();
  w.buffer_fill = 3;
  w.buffer_total = 6;
  for (const SchedulerBuffer own : {Bankwise, ReadWrite, Shared}) {
    for (const SchedulerBuffer other : {Bankwise, ReadWrite, Shared}) {
      for (std::uint32_t size = 1; size <= 16; ++size) {
        const bool same = own == other && size == 5;
        EXPECT_EQ(equal_run_buffer(w, own, 5, other, size), same || size > (own == other ? 3u : 6u));
      }
    }
  }
  w.buffer_refused = true;
  for (const SchedulerBuffer other : {Bankwise, ReadWrite, Shared}) {
    for (std::uint32_t size = 1; size <= 16; ++size) {
      EXPECT_EQ(equal_run_buffer(w, Shared, 5, other, size), other == Shared && size == 5);
    }
  }
}

// ---- latency buckets ----------------------------------------------------------------------------------------------------

TEST(LatencyBucket, UpperEndsAndBucketsAgree) {
  for (std::uint32_t bucket = 0; bucket + 1 < kLatencyBuckets; ++bucket) {
    const std::uint64_t upper = latency_bucket_upper(bucket);
    EXPECT_EQ(latency_bucket(upper), bucket);
    EXPECT_EQ(latency_bucket(upper + 1), bucket + 1);
  }
  EXPECT_EQ(latency_bucket(0), 0u);
  EXPECT_EQ(latency_bucket(~0ull), kLatencyBuckets - 1);
  EXPECT_EQ(latency_bucket(1ull << 40), kLatencyBuckets - 1);
}

TEST(LatencyBucket, IsMonotonicAndAtMostAQuarterWide) {
  std::uint32_t last = 0;
  for (std::uint64_t cycles = 0; cycles < 100000; ++cycles) {
    const std::uint32_t bucket = latency_bucket(cycles);
    ASSERT_GE(bucket, last);
    ASSERT_LE(bucket, last + 1);
    last = bucket;
    if (bucket + 1 < kLatencyBuckets) {
      ASSERT_GE(latency_bucket_upper(bucket), cycles);
      ASSERT_LE(latency_bucket_upper(bucket) * 4, cycles * 5 + 3) << cycles;
    }
  }
}

}  // namespace
}  // namespace exarch::dram
