// The kernels of one page policy, single pass or exact: this file is compiled once for each (EXARCH_PAGE_POLICY, EXARCH_EXACT),
// so that a build can use several cores. Register, stack and spill budgets: dram_budgets.txt.
#include "kernels/batch/dram_dense.cuh"
#include "kernels/batch/dram_policies.cuh"

namespace exarch::dram {
namespace {

template <Choice kChoice, bool kWrites>
cudaError_t launch(const DeviceBatch& batch, const LaunchShape& shape) {
  constexpr auto kPolicy = static_cast<PagePolicy>(EXARCH_PAGE_POLICY);
#if EXARCH_EXACT
  dense_kernel<EventOrder, true, kPolicy, kChoice, kWrites>
      <<<blocks_of(shape), shape.block, 0, shape.stream>>>(batch, shape.first, shape.count);
#else
  dense_kernel<SinglePass, false, kPolicy, kChoice, kWrites>
      <<<blocks_of(shape), shape.block, 0, shape.stream>>>(batch, shape.first, shape.count);
#endif
  return cudaGetLastError();
}

}  // namespace

// The instantiations are those of dispatch_policies(), no more.
template <>
cudaError_t launch_policy<EXARCH_PAGE_POLICY, EXARCH_EXACT != 0>(const DeviceBatch& batch, Choice choice,
                                                                 const LaunchShape& shape) {
  if (batch.workload.has_writes) {
    if (choice == Choice::fifo) return launch<Choice::fifo, true>(batch, shape);
    if (choice == Choice::row_hit) return launch<Choice::row_hit, true>(batch, shape);
    return launch<Choice::row_hit_grouped, true>(batch, shape);
  }
  if constexpr (static_cast<PagePolicy>(EXARCH_PAGE_POLICY) != PagePolicy::Closed) {
    if (choice == Choice::row_hit) return launch<Choice::row_hit, false>(batch, shape);
  }
  return launch<Choice::fifo, false>(batch, shape);
}

}  // namespace exarch::dram
