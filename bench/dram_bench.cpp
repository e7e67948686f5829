// Google Benchmark of the DRAM kernels: one evaluation of a fixed design on a shipped trace, single pass and exact order.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "host/dram/environment.hpp"

namespace exarch::dram {
namespace {

ControllerParams params_for(PagePolicy policy) {
  ControllerParams params;
  params.page_policy = policy;
  params.scheduler = Scheduler::FrFcfs;
  params.scheduler_buffer = SchedulerBuffer::Shared;
  params.request_buffer_size = 8;
  params.refresh_policy = RefreshPolicy::AllBank;
  params.refresh_max_postponed = 8;
  params.refresh_max_pulledin = 8;
  params.arbiter = Arbiter::Fifo;
  params.max_active_transactions = 128;
  return params;
}

void evaluate(benchmark::State& state, const std::string& trace, PagePolicy policy, Kernel kernel) {
  const auto workload = std::static_pointer_cast<const DramWorkload>(dram_environment().load_workload({{"trace", trace}}));
  const ControllerParams params = params_for(policy);
  Workspace workspace;
  RunResult result;
  for ([[maybe_unused]] auto iteration : state) {
    workspace.run_kernel(*workload, params, kernel, result);
    benchmark::DoNotOptimize(result);
  }
  state.SetItemsProcessed(state.iterations() * workload->view.count);
}

}  // namespace
}  // namespace exarch::dram

int main(int argc, char** argv) {
  using exarch::dram::Kernel;
  using exarch::dram::PagePolicy;
  for (const char* trace : {"stream", "random", "cloud-1", "cloud-2"}) {
    for (const auto& [name, policy] : {std::pair{"open", PagePolicy::Open}, std::pair{"closed", PagePolicy::Closed}}) {
      for (const auto& [kernel_name, kernel] : {std::pair{"dense", Kernel::dense}, std::pair{"exact", Kernel::exact}}) {
        const std::string label = std::string(kernel_name) + "/" + trace + "/" + name;
        benchmark::RegisterBenchmark(label.c_str(), [trace, policy = policy, kernel = kernel](benchmark::State& state) {
          exarch::dram::evaluate(state, trace, policy, kernel);
        });
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
