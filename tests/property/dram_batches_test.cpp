// Cutting a batch into chunks for a device, answering its lack of memory and repeating what a run leaves open: a device played by
// the CPU kernels must give what the CPU backend gives, whatever goes wrong on the way.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include "host/dram/device.hpp"
#include "host/error.hpp"
#include "kernels/launch/dram_device.hpp"
#include "kernels/launch/dram_launch.hpp"
#include "tests/support/array_lanes.hpp"
#include "tests/support/random_cases.hpp"

namespace exarch::dram {
namespace {

using namespace testing;

// Runs chunks at start(), but shows them at finish() only; refuses what exceeds `memory` bytes and whatever `refuse` says.
class PlayedDevice final : public DramChunkDevice {
 public:
  PlayedDevice(const DramWorkload& workload, std::size_t most, std::size_t memory)
      : workload_(workload), most_(most), memory_(memory) {}

  void begin(const Attempt& attempt, std::span<const ControllerParams> params) override {
    exact_ = attempt.exact;
    scratch_ = scratch_for(workload_.view, attempt, params);
  }

  [[nodiscard]] std::size_t capacity() const override { return most_; }

  [[nodiscard]] bool start(unsigned queue, std::span<const ControllerParams> chunk) override {
    EXPECT_TRUE(queues_[queue].empty()) << "queue " << queue << " was started before it was finished";
    EXPECT_LE(chunk.size(), most_);
    if (chunk.size() * scratch_bytes(scratch_, exact_) > memory_) {
      ++refused;
      return false;
    }
    ++started;
    queues_[queue].resize(chunk.size());
    for (std::size_t i = 0; i < chunk.size(); ++i) run(chunk[i], queues_[queue][i]);
    return true;
  }

  [[nodiscard]] std::span<const RunResult> finish(unsigned queue) override {
    EXPECT_FALSE(queues_[queue].empty());
    shown_[queue] = std::exchange(queues_[queue], {});
    return shown_[queue];
  }

  std::size_t started = 0, refused = 0;

 private:
  void run(const ControllerParams& params, RunResult& result) {
    const ScratchSize& size = scratch_;
    std::vector<BufferSlot> slots(size.slots);
    std::vector<PendingResponse> pending(size.pending);
    std::vector<std::uint32_t> cas_order(size.pending), arrivals(size.pending);
    std::vector<std::uint64_t> heap(size.heap);
    const Scratch scratch{slots.data(),     size.slots,      pending.data(), size.pending,
                          cas_order.data(), arrivals.data(), heap.data(),    size.heap};
    const RunFunction by = exact_ ? cpu_run_function() : testing::run_array_lanes;
    by(workload_.view, params, workload_.distances, scratch, Kernel::exact, workload_.step_budget, result);
  }

  const DramWorkload& workload_;
  std::size_t most_, memory_;
  bool exact_ = false;
  ScratchSize scratch_{0, 0, 0};
  std::array<std::vector<RunResult>, kQueues> queues_, shown_;
};

void expect_same_as_cpu(const DramWorkload& workload, const std::vector<ControllerParams>& params, DramChunkDevice& device) {
  std::vector<dram::Run> runs(params.size());
  run_chunks(workload, params, device, runs);
  Workspace workspace;
  for (std::size_t i = 0; i < params.size(); ++i) {
    RunResult want;
    const bool want_exact = workspace.run(workload, params[i], want);
    EXPECT_EQ(runs[i].result.status, want.status) << describe(params[i]);
    EXPECT_EQ(runs[i].exact, want_exact) << describe(params[i]);
    EXPECT_EQ(std::memcmp(&runs[i].result.counters, &want.counters, sizeof want.counters), 0) << describe(params[i]);
    EXPECT_EQ(std::memcmp(&runs[i].result.witness, &want.witness, sizeof want.witness), 0) << describe(params[i]);
  }
}

std::vector<ControllerParams> random_batch(std::mt19937_64& rng, std::size_t count) {
  std::vector<ControllerParams> params;
  for (std::size_t i = 0; i < count; ++i) params.push_back(random_params(rng));
  return params;
}

TEST(DramBatches, GiveWhatTheCpuGives) {
  std::mt19937_64 rng(0xC4A9);
  for (const std::size_t count : {0u, 1u, 2u, 7u, 60u, 150u}) {
    for (const std::size_t most : {1u, 3u, 64u, 1000u}) {
      const auto workload = make_workload(random_requests(rng, static_cast<TraceKind>(rng() % 5), 150));
      PlayedDevice device(*workload, most, ~std::size_t{0});
      expect_same_as_cpu(*workload, random_batch(rng, count), device);
      EXPECT_GE(device.started, (count + most - 1) / most);
      EXPECT_EQ(device.refused, 0u);
    }
  }
}

TEST(DramBatches, AreHalvedWhereMemoryIsShort) {
  std::mt19937_64 rng(0x00E);
  const auto workload = make_workload(random_requests(rng, TraceKind::bursty, 300));
  PlayedDevice device(*workload, 1000, 1u << 20);
  expect_same_as_cpu(*workload, random_batch(rng, 200), device);
  EXPECT_GT(device.refused, 0u);
}

TEST(DramBatches, SayThatMemoryIsTooShortForOneRun) {
  std::mt19937_64 rng(0x00F);
  const auto workload = make_workload(random_requests(rng, TraceKind::bursty, 300));
  const auto params = random_batch(rng, 5);
  PlayedDevice device(*workload, 1000, 10);
  std::vector<dram::Run> runs(params.size());
  try {
    run_chunks(*workload, params, device, runs);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("--backend cpu"), std::string::npos) << error.what();
  }
}

// A starving request outgrows the usual scratch area, rarely refreshed memory the exact kernel's event queue.
TEST(DramBatches, AreRepeatedWithMoreScratch) {
  std::vector<TraceRequest> requests{{0, 0, false}, {0, 1ull << 16, false}};
  for (std::uint64_t i = 2; i < 5000; ++i) requests.push_back({0, (i % 8) << 6, false});
  const auto starving = make_workload(requests);
  ControllerParams params;
  params.scheduler = Scheduler::FrFcfs;
  params.resp_queue = RespQueue::Reorder;
  params.arbiter = Arbiter::Fifo;
  params.max_active_transactions = 4294967295u;
  params.request_buffer_size = 4;
  PlayedDevice device(*starving, 2, ~std::size_t{0});
  expect_same_as_cpu(*starving, {params, {}, params}, device);
  EXPECT_GT(device.started, 2u);

  requests.clear();
  for (std::uint64_t i = 0; i < 9000; ++i) requests.push_back({60 * i, (i % 7) << 16, false});
  const auto rare = make_workload(requests, false, 800, "MICRON_1Gb_DDR3-1600_8bit_G_less_refresh");
  rare->exact_from_start = true;
  ControllerParams refreshed;
  refreshed.refresh_policy = RefreshPolicy::AllBank;
  PlayedDevice other(*rare, 2, ~std::size_t{0});
  expect_same_as_cpu(*rare, {refreshed}, other);
  EXPECT_GT(other.started, 1u);
}

// An endless run ends with its status on a device too.
TEST(DramBatches, PassOnTheStepLimit) {
  const auto workload = make_workload({{0, 0, false}, {1, 1 << 16, false}, {2, 0, false}});
  workload->view.timing.tREFI = workload->view.timing.tRFC + 1;
  workload->distances = make_distances(workload->view.timing);
  workload->step_budget = 10000;
  ControllerParams params;
  params.refresh_policy = RefreshPolicy::AllBank;
  params.page_policy = PagePolicy::Closed;
  PlayedDevice device(*workload, 100, ~std::size_t{0});
  expect_same_as_cpu(*workload, {params, {}}, device);
}

}  // namespace
}  // namespace exarch::dram
