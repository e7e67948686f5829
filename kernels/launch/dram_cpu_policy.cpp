// Compiled once per page policy (EXARCH_PAGE_POLICY, by number) and instruction-set level (EXARCH_ISA).
#include "kernels/dram/simulate.hpp"
#include "kernels/launch/dram_policies.hpp"

namespace exarch::dram {
inline namespace EXARCH_ISA {

template <PagePolicy kPolicy>
void run_policy(const WorkloadView& workload, const ControllerParams& params, const Distances& distances, const Scratch& scratch,
                Kernel kernel, std::uint64_t max_steps, RunResult& result) {
  if (kernel == Kernel::exact) {
    simulate_policy<EventOrder, kPolicy>(workload, params, distances, scratch, max_steps, result);
  } else {
    simulate_policy<DensePass, kPolicy>(workload, params, distances, scratch, max_steps, result);
  }
}

template void run_policy<static_cast<PagePolicy>(EXARCH_PAGE_POLICY)>(const WorkloadView&, const ControllerParams&,
                                                                      const Distances&, const Scratch&, Kernel, std::uint64_t,
                                                                      RunResult&);

}  // namespace EXARCH_ISA
}  // namespace exarch::dram
