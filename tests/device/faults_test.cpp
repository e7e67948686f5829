// Every call of the CUDA runtime fails in turn, once or for ever. What follows is an error or the right results; nothing is left
// behind, and the process works afterwards.
#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/execute/backend.hpp"
#include "host/maestro/environment.hpp"
#include "host/timeloop/environment.hpp"
#include "kernels/rank/rank.hpp"
#include "tests/device/batches.hpp"
#include "tests/device/runtime/standin.hpp"
#include "tests/support/timeloop_drawings.hpp"

namespace exarch::standin {
namespace {

struct Kind {
  const char* name;
  int code;
  bool sticky;
  dram::Kernel shape;
  friend void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }
};

// Two traces, whole and in parts, a network, and mappings of Timeloop.
class Session {
 public:
  explicit Session(dram::Kernel shape) {
    std::mt19937_64 rng(7);
    using dram::testing::TraceKind;
    writes_ = random_workload(rng, TraceKind::sparse_writes, 60);
    reads_ = random_workload(rng, TraceKind::dense_reads, 90);
    params_ = random_params(rng, shape == dram::Kernel::lanes ? 40 : 150);  // lanes take longer here
    want_writes_ = on_cpu(*writes_, params_);
    want_reads_ = on_cpu(*reads_, params_);
    tuning_.shape = shape;
    tuning_.chunk = params_.size() / 4;
    network_ = maestro_environment().load_workload({{"model", "alexnet"}});
    designs_ = random_designs(maestro_environment().spaces()[1], 90, 9);
    Backend cpu("cpu", 1);
    maestro_environment().simulate(*network_, designs_, Engine::fast, cpu, want_network_);
    record_ = timeloop_mapping_environment().load_workload({});
    kept_ = random_designs(timeloop_mapping_environment().spaces().front(), 90, 9);
    timeloop_mapping_environment().simulate(*record_, kept_, Engine::fast, cpu, want_kept_);
    want_drawn_ = drawing_.best(7, 3, 100, cpu);
  }

  // Whether all results are right.
  [[nodiscard]] bool whole() const {
    Backend gpu("cuda", 1);
    dram::DeviceTuning in_parts = tuning_;
    in_parts.part = 70;
    bool right = one_batch(gpu);
    right = equal(on_devices(*reads_, params_, gpu.devices(), tuning_), want_reads_) && right;
    right = equal(on_devices(*writes_, params_, gpu.devices(), in_parts), want_writes_) && right;
    Outcomes got;
    maestro_environment().simulate(*network_, designs_, Engine::fast, gpu, got);
    right = right && got.status == want_network_.status && got.counters == want_network_.counters;
    Outcomes kept;
    timeloop_mapping_environment().simulate(*record_, kept_, Engine::fast, gpu, kept);
    right = right && kept.status == want_kept_.status && kept.counters == want_kept_.counters;
    const timeloop::Drawn drawn = drawing_.best_on(gpu.devices(), 7, 3, 100);
    return right && drawn.number == want_drawn_.number && drawn.valid == want_drawn_.valid;
  }

  [[nodiscard]] bool one_batch(Backend& gpu) const {
    return equal(on_devices(*writes_, params_, gpu.devices(), tuning_), want_writes_);
  }

 private:
  dram::DeviceTuning tuning_;
  std::shared_ptr<dram::DramWorkload> writes_, reads_;
  Params params_;
  Runs want_writes_, want_reads_;
  std::shared_ptr<const Workload> network_, record_;
  std::vector<std::int64_t> designs_, kept_;
  Outcomes want_network_, want_kept_;
  timeloop::MapSpace space_ = testing::small_map_space();
  timeloop::Drawing drawing_{space_, timeloop::FillRule::current, {timeloop::Goal::edp}};
  timeloop::Drawn want_drawn_{};
};

// Lets the first, second, ... call fail while `work` runs, until there is no such call; `right_again` tries what follows, now and
// then. `work` says whether its results are right, or throws. Returns how many calls failed.
template <class Expected, class Work, class Again>
long fail_each_call(int code, bool sticky, const Work& work, const Again& right_again) {
  const Alive before = alive();
  for (long call = 1; !::testing::Test::HasFailure(); ++call) {
    fail({.call = call, .code = code, .sticky = sticky, .only = ""});
    bool right = true;
    std::string error;
    try {
      right = work();
    } catch (const Expected& e) {
      error = e.what();
      EXPECT_NE(error.find("--backend cpu"), std::string::npos) << error;
    }
    const std::string failed = mend();
    if (failed.empty()) {
      EXPECT_TRUE(error.empty() && right) << error;
      return call - 1;
    }
    EXPECT_TRUE(right) << "wrong results after call " << call << ", " << failed;
    EXPECT_EQ(alive(), before) << "left behind after call " << call << ", " << failed << "; " << error;
    if (call % 7 == 0) {
      EXPECT_TRUE(right_again()) << "after call " << call << ", " << failed;
    }
  }
  return 0;
}

class Faults : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { (void)probe_cuda(); }  // its answer is kept
};

TEST_P(Faults, OfEveryCallOfBatchesAreTold) {
  const Session session(GetParam().shape);
  ASSERT_TRUE(session.whole());
  const long calls = fail_each_call<Error>(
      GetParam().code, GetParam().sticky, [&] { return session.whole(); },
      [&] {
        Backend gpu("cuda", 1);
        return session.one_batch(gpu);
      });
  EXPECT_GT(calls, 300);
}

// The codes of cudaErrorMemoryAllocation, IllegalAddress, LaunchFailure, Unknown.
INSTANTIATE_TEST_SUITE_P(StandIn, Faults,
                         ::testing::Values(Kind{"OutOfMemory", 2, false, dram::Kernel::dense},
                                           Kind{"ForEver", 700, true, dram::Kernel::dense},
                                           Kind{"LaunchFailure", 719, false, dram::Kernel::dense},
                                           Kind{"UnknownForEver", 999, true, dram::Kernel::dense},
                                           Kind{"OutOfMemoryInLanes", 2, false, dram::Kernel::lanes},
                                           Kind{"ForEverInLanes", 700, true, dram::Kernel::lanes}),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(FaultsOfRanking, AreTold) {
  (void)probe_cuda();
  std::mt19937_64 rng(3);
  std::vector<double> a, b;
  std::vector<std::uint64_t> keys;
  for (int i = 0; i < 300; ++i) {
    a.push_back(static_cast<double>(rng() % 50));
    b.push_back(static_cast<double>(rng() % 50));
    keys.push_back(rng() % 40);
  }
  const std::vector<std::span<const double>> objectives{a, b};
  const std::vector<double> edges{0, 10, 20, 50};
  const auto all_equal = [&](const rank::Functions& got, const rank::Functions& want) {
    return got.top_k(a, 9) == want.top_k(a, 9) && got.argmin(b) == want.argmin(b) && got.distinct(keys) == want.distinct(keys) &&
           got.pareto_front(objectives) == want.pareto_front(objectives) && got.histogram(a, edges) == want.histogram(a, edges);
  };
  const auto work = [&] { return all_equal(*rank::cuda_functions(), rank::cpu_functions()); };
  ASSERT_TRUE(work());
  for (const bool sticky : {false, true}) {
    EXPECT_GT(fail_each_call<std::runtime_error>(sticky ? 700 : 2, sticky, work, work), 50);
  }
}

}  // namespace
}  // namespace exarch::standin
