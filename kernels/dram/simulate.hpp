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

// Calls f.template operator()<policy, choice, writes>() with what a candidate of this page policy needs as template arguments.
template <PagePolicy kPolicy, class F>
EXARCH_HD auto dispatch_choice(const ControllerParams& params, bool has_writes, F&& f) {
  const Choice choice = choice_of(params, has_writes);
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
}

// The same for a candidate of any page policy.
template <class F>
EXARCH_HD auto dispatch_policies(const ControllerParams& params, bool has_writes, F&& f) {
  switch (params.page_policy) {
    case PagePolicy::Open:
      return dispatch_choice<PagePolicy::Open>(params, has_writes, f);
    case PagePolicy::OpenAdaptive:
      return dispatch_choice<PagePolicy::OpenAdaptive>(params, has_writes, f);
    case PagePolicy::Closed:
      return dispatch_choice<PagePolicy::Closed>(params, has_writes, f);
    case PagePolicy::ClosedAdaptive:
      break;
  }
  return dispatch_choice<PagePolicy::ClosedAdaptive>(params, has_writes, f);
}

template <PagePolicy kPolicy, Choice kChoice, bool kWrites>
using DensePass = SinglePass<Dense, kPolicy, kChoice, kWrites>;

// Runs one candidate, whose policies `dispatch` looks at, from beginning to end in the calling thread. A single pass is for equal
// player and controller clocks only, and may end with Status::tie, which asks for the exact order; Status::out_of_space asks for
// more scratch.
template <template <PagePolicy, Choice, bool> class Run, class Dispatch>
EXARCH_HD void simulate_by(const Dispatch& dispatch, const WorkloadView& workload, const ControllerParams& params,
                           const Distances& distances, const Scratch& scratch, std::uint64_t max_steps, RunResult& result) {
  result.counters = Counters{};
  reset_witness(result.witness);
  result.status = dispatch([&]<PagePolicy kPolicy, Choice kChoice, bool kWrites>() {
    Run<kPolicy, kChoice, kWrites> run;
    run.reset(workload, params, distances, scratch, result.counters, result.witness);
    return run.run(max_steps);
  });
}

// By a candidate's page policy, which the caller knows at compile time, or by whatever policy it has.
template <template <PagePolicy, Choice, bool> class Run, PagePolicy kPolicy>
EXARCH_HD void simulate_policy(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                               const Scratch& scratch, std::uint64_t max_steps, RunResult& result) {
  simulate_by<Run>([&](auto&& f) { return dispatch_choice<kPolicy>(params, workload.has_writes, f); }, workload, params,
                   distances, scratch, max_steps, result);
}
template <template <PagePolicy, Choice, bool> class Run>
EXARCH_HD void simulate_with(const WorkloadView& workload, const ControllerParams& params, const Distances& distances,
                             const Scratch& scratch, std::uint64_t max_steps, RunResult& result) {
  simulate_by<Run>([&](auto&& f) { return dispatch_policies(params, workload.has_writes, f); }, workload, params, distances,
                   scratch, max_steps, result);
}

}  // namespace EXARCH_ISA
}  // namespace exarch::dram
