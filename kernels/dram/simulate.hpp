// Entry points of the DRAM kernels: pick the instantiation for a candidate and run it.
#pragma once

#include <cstdint>

#include "kernels/dram/event_order.hpp"
#include "kernels/dram/single_pass.hpp"

namespace exarch::dram {
inline namespace EXARCH_ISA {

// The kernel a candidate needs. FrFcfsGrp is FrFcfs on read-only traces, and with closed pages every scheduler serves a
// read-only bank in order (section "Canonical forms" of docs/models.md).
[[nodiscard]] EXARCH_HD constexpr Choice choice_of(const ControllerParams& params, bool has_writes) {
  if (params.scheduler == Scheduler::Fifo) return Choice::fifo;
  if (!has_writes) return params.page_policy == PagePolicy::Closed ? Choice::fifo : Choice::row_hit;
  return params.scheduler == Scheduler::FrFcfsGrp ? Choice::row_hit_grouped : Choice::row_hit;
}

// Calls f.template operator()<policy, choice, writes>() with the candidate's policies as template arguments.
template <class F>
EXARCH_HD auto dispatch_policies(const ControllerParams& params, bool has_writes, F&& f) {
  const Choice choice = choice_of(params, has_writes);
  const auto with_policy = [&]<PagePolicy kPolicy>() {
    if (!has_writes) {
      if constexpr (kPolicy == PagePolicy::Closed) {
        return f.template operator()<kPolicy, Choice::fifo, false>();
      } else {
        if (choice == Choice::fifo) return f.template operator()<kPolicy, Choice::fifo, false>();
        return f.template operator()<kPolicy, Choice::row_hit, false>();
      }
    }
    if (choice == Choice::fifo) return f.template operator()<kPolicy, Choice::fifo, true>();
    if (choice == Choice::row_hit) return f.template operator()<kPolicy, Choice::row_hit, true>();
    return f.template operator()<kPolicy, Choice::row_hit_grouped, true>();
  };
  switch (params.page_policy) {
    case PagePolicy::Open:
      return with_policy.template operator()<PagePolicy::Open>();
    case PagePolicy::OpenAdaptive:
      return with_policy.template operator()<PagePolicy::OpenAdaptive>();
    case PagePolicy::Closed:
      return with_policy.template operator()<PagePolicy::Closed>();
    case PagePolicy::ClosedAdaptive:
      break;
  }
  return with_policy.template operator()<PagePolicy::ClosedAdaptive>();
}

template <template <PagePolicy, Choice, bool> class Run>
EXARCH_HD void simulate_with(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                             const Scratch& scratch, std::uint64_t max_steps, RunResult& result) {
  result.counters = Counters{};
  reset_witness(result.witness);
  result.status = dispatch_policies(params, workload.has_writes, [&]<PagePolicy kPolicy, Choice kChoice, bool kWrites>() {
    Run<kPolicy, kChoice, kWrites> run;
    run.reset(workload, params, distances, scratch, result.counters, result.witness);
    return run.run(max_steps);
  });
}

template <PagePolicy kPolicy, Choice kChoice, bool kWrites>
using DensePass = SinglePass<Dense, kPolicy, kChoice, kWrites>;
template <PagePolicy kPolicy, Choice kChoice, bool kWrites>
using LanesPass = SinglePass<ArrayLanes, kPolicy, kChoice, kWrites>;

// Runs one candidate in the calling thread. The single pass is for equal player and controller clocks only, and may end with
// Status::tie, which asks for Kernel::exact; Status::out_of_space asks for more scratch.
EXARCH_HD void simulate(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                        const Scratch& scratch, Kernel kernel, std::uint64_t max_steps, RunResult& result) {
  switch (kernel) {
    case Kernel::dense:
      return simulate_with<DensePass>(workload, params, distances, scratch, max_steps, result);
    case Kernel::lanes:
      return simulate_with<LanesPass>(workload, params, distances, scratch, max_steps, result);
    case Kernel::exact:
      return simulate_with<EventOrder>(workload, params, distances, scratch, max_steps, result);
  }
}

}  // namespace EXARCH_ISA
}  // namespace exarch::dram
