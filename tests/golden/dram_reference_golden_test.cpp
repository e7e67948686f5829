// The reference model against the published behaviour of DRAMSys 4.0: complete command lists of a small trace with reads
// and writes, and the outputs of golden runs on the four traces of DRAMGym.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <ostream>
#include <string>
#include <vector>

#include "host/dram/memspec.hpp"
#include "host/dram/reference.hpp"
#include "host/dram/trace.hpp"

namespace exarch::dram {
namespace {

constexpr char kMemSpec[] = "MICRON_1Gb_DDR3-1600_8bit_G";
constexpr char kMapping[] = "am_ddr3_8x1Gbx8_dimm_p1KB_rbc";
constexpr std::uint32_t kPlayerMhz = 800;

struct SmallCase {
  ControllerParams params;
  const char* outputs;
  const char* commands;  // cycle:command bank #request
};

struct TraceCase {
  const char* trace;
  ControllerParams params;
  const char* outputs;
};

// How GoogleTest prints a case.
void PrintTo(const SmallCase& small, std::ostream* out) {
  *out << small.outputs;
}
void PrintTo(const TraceCase& golden, std::ostream* out) {
  *out << golden.trace << ' ' << golden.outputs;
}

// Outputs: Total Time [ps], Total Energy [pJ], Average Power [mW], AVG BW [Gb/s, %], AVG BW\IDLE [Gb/s, %].
// ControllerParams: page policy, scheduler, buffer, response queue, refresh, arbiter, buffer size, postponed, pulled-in,
// active transactions.
// clang-format off
const SmallCase kSmallCases[] = {
    {{PagePolicy::Open, Scheduler::Fifo, SchedulerBuffer::Bankwise, RespQueue::Fifo, RefreshPolicy::AllBank,
      Arbiter::Simple, 2, 1, 1, 1},
     "276250 307275.00 1112.31 20.39 19.91 20.39 19.91",
     "0:ACT b0 #1 10:RD b0 #1 28:PRE b0 #2 38:ACT b0 #2 48:WR b0 #2 72:PRE b0 #3 82:ACT b0 #3"
     " 92:RD b0 #3 93:ACT b3 #5 100:WR b0 #4 118:RD b3 #5 126:WR b3 #6 144:RD b3 #7 145:ACT b6 #9"
     " 150:PRE b3 #8 155:WR b6 #9 160:ACT b3 #8 173:RD b3 #8 177:RD b6 #10 183:PRE b6 #11 193:ACT"
     " b6 #11 203:RD b6 #11 207:RD b6 #12"},
    {{PagePolicy::OpenAdaptive, Scheduler::FrFcfs, SchedulerBuffer::Shared, RespQueue::Reorder, RefreshPolicy::AllBank,
      Arbiter::Fifo, 4, 1, 1, 4},
     "267500 288300.00 1077.76 22.97 22.43 28.74 28.07",
     "0:ACT b0 #1 10:RD b0 #1 14:RD b0 #3 22:WRA b0 #4 24:ACT b3 #5 40:RD b3 #5 56:ACT b0 #2"
     " 66:WR b0 #2 78:WR b3 #6 81:ACT b6 #9 91:WR b6 #9 109:RDA b3 #7 113:RD b6 #10 123:PRE b6"
     " #11 125:ACT b3 #8 133:ACT b6 #11 135:RD b3 #8 143:RD b6 #11 200:RD b6 #12"},
    {{PagePolicy::Closed, Scheduler::FrFcfsGrp, SchedulerBuffer::ReadWrite, RespQueue::Fifo, RefreshPolicy::NoRefresh,
      Arbiter::Reorder, 2, 1, 1, 8},
     "366250 447150.00 1169.02 16.78 16.38 16.78 16.38",
     "0:ACT b0 #1 10:RDA b0 #1 38:ACT b0 #2 48:WRA b0 #2 49:ACT b3 #5 66:RDA b3 #5 82:ACT b0 #3"
     " 87:ACT b3 #6 92:RDA b0 #3 100:WRA b3 #6 120:ACT b0 #4 130:WRA b0 #4 134:ACT b3 #7 148:RDA"
     " b3 #7 149:ACT b6 #9 159:RDA b6 #10 172:ACT b3 #8 182:RDA b3 #8 187:ACT b6 #9 197:WRA b6 #9"
     " 231:ACT b6 #11 241:RDA b6 #11 269:ACT b6 #12 279:RDA b6 #12"},
    {{PagePolicy::ClosedAdaptive, Scheduler::FrFcfsGrp, SchedulerBuffer::Shared, RespQueue::Fifo, RefreshPolicy::NoRefresh,
      Arbiter::Reorder, 8, 1, 1, 2},
     "387500 413175.00 1036.18 15.86 15.48 15.86 15.48",
     "0:ACT b0 #1 10:RDA b0 #1 38:ACT b0 #2 48:WRA b0 #2 82:ACT b0 #3 92:WR b0 #4 110:RDA b0 #3"
     " 124:ACT b3 #5 134:RD b3 #5 142:WRA b3 #6 176:ACT b3 #7 186:RDA b3 #7 200:ACT b6 #9 210:WRA"
     " b6 #9 214:ACT b3 #8 228:RDA b3 #8 244:ACT b6 #10 254:RDA b6 #10 282:ACT b6 #11 292:RD b6"
     " #11 296:RDA b6 #12"},
    {{PagePolicy::Open, Scheduler::FrFcfsGrp, SchedulerBuffer::Shared, RespQueue::Fifo, RefreshPolicy::NoRefresh,
      Arbiter::Simple, 8, 1, 1, 1},
     "267500 288300.00 1077.76 21.05 20.56 37.55 36.67",
     "0:ACT b0 #1 5:ACT b3 #5 10:RD b0 #1 11:ACT b6 #9 14:RD b0 #3 18:RD b3 #5 26:WR b0 #4 30:WR"
     " b3 #6 34:WR b6 #9 50:PRE b0 #2 52:RD b3 #7 58:PRE b3 #8 60:ACT b0 #2 61:RD b6 #10 67:PRE"
     " b6 #11 68:ACT b3 #8 70:WR b0 #2 77:ACT b6 #11 88:RD b3 #8 92:RD b6 #11 200:RD b6 #12"},
};

const TraceCase kTraceCases[] = {
    {"stream",
     {PagePolicy::Closed, Scheduler::FrFcfsGrp, SchedulerBuffer::Shared, RespQueue::Fifo, RefreshPolicy::NoRefresh,
      Arbiter::Reorder, 4, 6, 7, 64},
     "461235000 448575675.00 972.52 11.10 10.84 11.10 10.84"},
    {"stream",
     {PagePolicy::ClosedAdaptive, Scheduler::Fifo, SchedulerBuffer::Shared, RespQueue::Reorder, RefreshPolicy::NoRefresh,
      Arbiter::Fifo, 2, 2, 5, 1},
     "473617500 455262225.00 961.21 10.81 10.56 10.81 10.56"},
    {"stream",
     {PagePolicy::Closed, Scheduler::FrFcfsGrp, SchedulerBuffer::Bankwise, RespQueue::Fifo, RefreshPolicy::AllBank,
      Arbiter::Simple, 2, 6, 1, 32},
     "475250000 465253275.00 978.93 10.77 10.52 10.77 10.52"},
    {"stream",
     {PagePolicy::Open, Scheduler::FrFcfs, SchedulerBuffer::Shared, RespQueue::Fifo, RefreshPolicy::NoRefresh,
      Arbiter::Fifo, 1, 7, 4, 64},
     "51595000 85957050.00 1666.00 99.23 96.91 99.23 96.91"},
    {"stream",
     {PagePolicy::ClosedAdaptive, Scheduler::Fifo, SchedulerBuffer::ReadWrite, RespQueue::Reorder, RefreshPolicy::NoRefresh,
      Arbiter::Simple, 3, 7, 7, 128},
     "50025000 85139925.00 1701.90 102.34 99.94 102.34 99.94"},
    {"stream",
     {PagePolicy::Open, Scheduler::Fifo, SchedulerBuffer::Shared, RespQueue::Reorder, RefreshPolicy::AllBank,
      Arbiter::Reorder, 4, 7, 4, 1},
     "178025000 157032750.00 882.08 28.76 28.09 28.76 28.09"},
    {"stream",
     {PagePolicy::OpenAdaptive, Scheduler::Fifo, SchedulerBuffer::ReadWrite, RespQueue::Fifo, RefreshPolicy::AllBank,
      Arbiter::Fifo, 5, 6, 6, 2},
     "89487500 107373000.00 1199.87 57.21 55.87 57.21 55.87"},
    {"stream",
     {PagePolicy::Open, Scheduler::FrFcfs, SchedulerBuffer::Shared, RespQueue::Fifo, RefreshPolicy::AllBank,
      Arbiter::Fifo, 8, 4, 4, 8},
     "50517500 85737450.00 1697.18 101.35 98.98 101.35 98.98"},
    {"random",
     {PagePolicy::Open, Scheduler::FrFcfsGrp, SchedulerBuffer::Shared, RespQueue::Reorder, RefreshPolicy::AllBank,
      Arbiter::Simple, 5, 4, 3, 4},
     "107858750 259325625.00 2404.36 47.46 46.35 47.46 46.35"},
    {"random",
     {PagePolicy::OpenAdaptive, Scheduler::FrFcfs, SchedulerBuffer::Bankwise, RespQueue::Fifo, RefreshPolicy::NoRefresh,
      Arbiter::Fifo, 5, 5, 5, 64},
     "86872500 246366900.00 2835.96 58.94 57.56 58.94 57.56"},
    {"random",
     {PagePolicy::OpenAdaptive, Scheduler::Fifo, SchedulerBuffer::Bankwise, RespQueue::Reorder, RefreshPolicy::NoRefresh,
      Arbiter::Reorder, 8, 3, 6, 8},
     "120127500 264323250.00 2200.40 42.62 41.62 42.62 41.62"},
    {"random",
     {PagePolicy::ClosedAdaptive, Scheduler::FrFcfs, SchedulerBuffer::Shared, RespQueue::Fifo, RefreshPolicy::AllBank,
      Arbiter::Reorder, 8, 5, 4, 8},
     "114511250 262985250.00 2296.31 44.71 43.66 44.71 43.66"},
    {"random",
     {PagePolicy::Open, Scheduler::FrFcfs, SchedulerBuffer::Shared, RespQueue::Reorder, RefreshPolicy::NoRefresh,
      Arbiter::Fifo, 1, 2, 7, 4},
     "287980000 354964950.00 1232.60 17.78 17.36 17.78 17.36"},
    {"random",
     {PagePolicy::Closed, Scheduler::FrFcfsGrp, SchedulerBuffer::ReadWrite, RespQueue::Fifo, RefreshPolicy::AllBank,
      Arbiter::Reorder, 7, 2, 5, 8},
     "114905000 263735625.00 2294.97 44.56 43.51 44.56 43.52"},
    {"cloud-1",
     {PagePolicy::ClosedAdaptive, Scheduler::FrFcfs, SchedulerBuffer::Bankwise, RespQueue::Reorder, RefreshPolicy::AllBank,
      Arbiter::Fifo, 1, 5, 7, 2},
     "336601250 387771450.00 1151.96 15.21 14.85 15.21 14.85"},
    {"cloud-1",
     {PagePolicy::OpenAdaptive, Scheduler::FrFcfsGrp, SchedulerBuffer::Bankwise, RespQueue::Fifo, RefreshPolicy::AllBank,
      Arbiter::Simple, 6, 2, 6, 64},
     "68313750 170303175.00 2492.96 74.94 73.18 74.94 73.18"},
    {"cloud-1",
     {PagePolicy::Closed, Scheduler::FrFcfs, SchedulerBuffer::Bankwise, RespQueue::Fifo, RefreshPolicy::NoRefresh,
      Arbiter::Fifo, 4, 2, 6, 4},
     "280655000 351062475.00 1250.80 18.24 17.82 18.24 17.82"},
    {"cloud-1",
     {PagePolicy::ClosedAdaptive, Scheduler::FrFcfs, SchedulerBuffer::ReadWrite, RespQueue::Reorder, RefreshPolicy::AllBank,
      Arbiter::Reorder, 2, 6, 6, 16},
     "97277500 186088275.00 1912.94 52.63 51.40 52.63 51.40"},
    {"cloud-1",
     {PagePolicy::Open, Scheduler::Fifo, SchedulerBuffer::Shared, RespQueue::Reorder, RefreshPolicy::NoRefresh,
      Arbiter::Reorder, 6, 8, 2, 1},
     "310005000 299712450.00 966.80 16.52 16.13 16.52 16.13"},
    {"cloud-1",
     {PagePolicy::Open, Scheduler::Fifo, SchedulerBuffer::ReadWrite, RespQueue::Reorder, RefreshPolicy::AllBank,
      Arbiter::Simple, 1, 5, 1, 16},
     "175733750 230110725.00 1309.43 29.13 28.45 29.13 28.45"},
    {"cloud-2",
     {PagePolicy::Closed, Scheduler::Fifo, SchedulerBuffer::ReadWrite, RespQueue::Reorder, RefreshPolicy::AllBank,
      Arbiter::Fifo, 5, 5, 2, 4},
     "305601250 370428450.00 1212.07 16.75 16.36 16.75 16.36"},
    {"cloud-2",
     {PagePolicy::Open, Scheduler::Fifo, SchedulerBuffer::ReadWrite, RespQueue::Fifo, RefreshPolicy::AllBank,
      Arbiter::Fifo, 1, 1, 2, 64},
     "170191250 224249775.00 1317.63 30.08 29.38 30.08 29.38"},
    {"cloud-2",
     {PagePolicy::OpenAdaptive, Scheduler::FrFcfs, SchedulerBuffer::Shared, RespQueue::Reorder, RefreshPolicy::NoRefresh,
      Arbiter::Simple, 3, 5, 2, 8},
     "93220000 179200050.00 1922.33 54.92 53.63 54.92 53.63"},
    {"cloud-2",
     {PagePolicy::ClosedAdaptive, Scheduler::FrFcfs, SchedulerBuffer::ReadWrite, RespQueue::Reorder, RefreshPolicy::AllBank,
      Arbiter::Fifo, 8, 5, 1, 16},
     "71840000 168923625.00 2350.86 71.27 69.60 71.27 69.60"},
    {"cloud-2",
     {PagePolicy::Closed, Scheduler::FrFcfs, SchedulerBuffer::Bankwise, RespQueue::Fifo, RefreshPolicy::NoRefresh,
      Arbiter::Reorder, 7, 6, 6, 128},
     "261443750 340680300.00 1303.07 19.58 19.12 19.58 19.13"},
    {"cloud-2",
     {PagePolicy::Closed, Scheduler::FrFcfs, SchedulerBuffer::Bankwise, RespQueue::Reorder, RefreshPolicy::AllBank,
      Arbiter::Simple, 7, 1, 3, 8},
     "265588750 348563100.00 1312.41 19.28 18.82 19.28 18.82"},
    {"cloud-2",
     {PagePolicy::ClosedAdaptive, Scheduler::FrFcfsGrp, SchedulerBuffer::Bankwise, RespQueue::Fifo, RefreshPolicy::AllBank,
      Arbiter::Simple, 7, 2, 2, 32},
     "65410000 165311175.00 2526.68 78.27 76.43 78.27 76.43"},
};
// clang-format on

PackedTrace small_trace(const MemSpec& memspec, const AddressMapping& mapping) {
  const std::vector<TraceRequest> requests = {{0, 0x10000, false},  {1, 0x20000, true},   {2, 0x10040, false},
                                              {3, 0x10080, true},   {4, 0x56000, false},  {5, 0x56000, true},
                                              {6, 0x56000, false},  {7, 0x76040, false},  {8, 0x1C100, true},
                                              {60, 0x1C140, false}, {61, 0x2C140, false}, {200, 0x2C180, false}};
  return pack_trace("small", requests, false, memspec, mapping);
}

std::string command_list(const std::vector<IssuedCommand>& commands) {
  static constexpr const char* kNames[] = {"ACT", "PRE", "PREA", "RD", "RDA", "WR", "WRA", "REFA"};
  std::string text;
  for (const IssuedCommand& command : commands) {
    if (!text.empty()) text += ' ';
    text += std::to_string(command.cycle) + ':' + kNames[static_cast<int>(command.command)] + " b" +
            std::to_string(command.bank) + " #" + std::to_string(command.request);
  }
  return text;
}

// DRAMPower's formula for DDR3, one voltage domain, per device [pJ].
double device_energy_pj(const Counters& counters, const MemSpec& memspec) {
  const PowerSpec& p = memspec.power;
  const Timing& t = memspec.timing;
  const auto energy = [&](std::uint64_t cycles, double milliamperes) {
    return static_cast<double>(cycles) * (1000.0 / memspec.clk_mhz) * milliamperes * p.vdd;
  };
  return energy(counters.act * t.tRAS, p.idd0 - p.idd3n) + energy(counters.pre * (t.tRC - t.tRAS), p.idd0 - p.idd2n) +
         energy(counters.rd * t.burst, p.idd4r - p.idd3n) + energy(counters.wr * t.burst, p.idd4w - p.idd3n) +
         energy(counters.ref * t.tRFC, p.idd5 - p.idd3n) + energy(counters.active_cycles, p.idd3n) +
         energy(counters.precharged_cycles, p.idd2n);
}

// The outputs as the reference simulator prints them.
std::string outputs(const Counters& counters, const MemSpec& memspec) {
  const double energy = device_energy_pj(counters, memspec) * memspec.devices;
  const auto energy_cycles = static_cast<double>(counters.active_cycles + counters.precharged_cycles);
  const double power = energy / (energy_cycles * 1000.0 / memspec.clk_mhz);
  const double max_bandwidth = 1000.0 / memspec.tck_ps * memspec.data_rate * memspec.width * memspec.devices;
  const auto beats = static_cast<double>(counters.served * memspec.timing.burst);
  const double all = beats / static_cast<double>(counters.cycles);
  const double busy = beats / static_cast<double>(counters.cycles - counters.idle_cycles_fifo);
  char text[200];
  std::snprintf(text, sizeof text, "%llu %.2f %.2f %.2f %.2f %.2f %.2f",
                static_cast<unsigned long long>(counters.cycles * memspec.tck_ps), energy, power, all * max_bandwidth, all * 100,
                busy * max_bandwidth, busy * 100);
  return text;
}

// Every request has one CAS, one row outcome and one place in the histogram.
void expect_consistent(const Counters& counters, std::uint64_t requests, Arbiter arbiter) {
  EXPECT_EQ(counters.rd + counters.wr, requests);
  EXPECT_EQ(counters.row[kRowHit] + counters.row[kRowMiss] + counters.row[kRowConflict], requests);
  EXPECT_EQ(counters.served, arbiter == Arbiter::Simple ? requests - 1 : requests);
  std::uint64_t in_histogram = 0;
  for (const std::uint32_t bucket : counters.latency_histogram) in_histogram += bucket;
  EXPECT_EQ(in_histogram, requests);
  EXPECT_GE(counters.latency_max * requests, counters.latency_sum);
  EXPECT_EQ(counters.idle_cycles_fifo, counters.idle_cycles_reorder);
}

class SmallTrace : public testing::TestWithParam<SmallCase> {};

TEST_P(SmallTrace, CommandsAndOutputs) {
  const MemSpec memspec = load_memspec(kMemSpec);
  const PackedTrace trace = small_trace(memspec, load_address_mapping(kMapping));
  const WorkloadView workload = make_view(trace, memspec, kPlayerMhz);
  const ReferenceResult result = simulate_reference(workload, GetParam().params, true);
  ASSERT_EQ(result.status, Status::ok);
  EXPECT_EQ(command_list(result.commands), GetParam().commands);
  EXPECT_EQ(outputs(result.counters, memspec), GetParam().outputs);
  expect_consistent(result.counters, workload.count, GetParam().params.arbiter);
}

INSTANTIATE_TEST_SUITE_P(DramReference, SmallTrace, testing::ValuesIn(kSmallCases));

class GoldenTrace : public testing::TestWithParam<TraceCase> {};

TEST_P(GoldenTrace, Outputs) {
  const MemSpec memspec = load_memspec(kMemSpec);
  const PackedTrace trace = load_trace(GetParam().trace, memspec, load_address_mapping(kMapping));
  const WorkloadView workload = make_view(trace, memspec, kPlayerMhz);
  const ReferenceResult result = simulate_reference(workload, GetParam().params);
  ASSERT_EQ(result.status, Status::ok);
  EXPECT_TRUE(result.commands.empty());
  EXPECT_EQ(outputs(result.counters, memspec), GetParam().outputs);
  expect_consistent(result.counters, workload.count, GetParam().params.arbiter);
}

INSTANTIATE_TEST_SUITE_P(DramReference, GoldenTrace, testing::ValuesIn(kTraceCases));

// Only an explicit PRE makes the next activation of the bank a conflict.
TEST(DramReference, RowOutcomes) {
  const MemSpec memspec = load_memspec(kMemSpec);
  const PackedTrace trace = small_trace(memspec, load_address_mapping(kMapping));
  const WorkloadView workload = make_view(trace, memspec, kPlayerMhz);

  const Counters open = simulate_reference(workload, kSmallCases[4].params).counters;
  EXPECT_EQ(open.row[kRowMiss], 3u);      // the first use of banks 0, 3 and 6
  EXPECT_EQ(open.row[kRowConflict], 3u);  // one PRE on each of them
  EXPECT_EQ(open.row[kRowHit], 6u);

  const Counters closed = simulate_reference(workload, kSmallCases[2].params).counters;
  EXPECT_EQ(closed.row[kRowConflict], 0u);
  EXPECT_EQ(closed.row[kRowMiss], 12u);
  EXPECT_EQ(closed.row[kRowHit], 0u);
}

TEST(DramReference, GivesUpAfterTheStepBudget) {
  const MemSpec memspec = load_memspec(kMemSpec);
  const PackedTrace trace = small_trace(memspec, load_address_mapping(kMapping));
  const WorkloadView workload = make_view(trace, memspec, kPlayerMhz);
  const ReferenceResult result = simulate_reference(workload, kSmallCases[0].params, true, 10);
  EXPECT_EQ(result.status, Status::step_limit);
  EXPECT_LE(result.commands.size(), 10u);
}

}  // namespace
}  // namespace exarch::dram
