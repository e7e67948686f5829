// One kernel of one page policy: this file is compiled once for each (EXARCH_PAGE_POLICY, EXARCH_KERNEL),
// so that a build can use several cores. Register, stack and spill budgets: budgets.txt.
#include "kernels/launch/dram_kernels.cuh"
#include "kernels/launch/dram_policies.cuh"

namespace exarch::dram {
namespace {

constexpr auto kPolicy = static_cast<PagePolicy>(EXARCH_PAGE_POLICY);
constexpr auto kKernel = static_cast<Kernel>(EXARCH_KERNEL);

template <Choice kChoice, bool kWrites>
cudaError_t launch(const DeviceBatch& batch, const LaunchShape& shape) {
  if constexpr (kKernel == Kernel::exact) {
    exact_kernel<kPolicy, kChoice, kWrites>
        <<<blocks_of(shape, 1), shape.block, 0, shape.stream>>>(batch, shape.first, shape.count);
  } else if constexpr (kKernel == Kernel::lanes) {
    lanes_kernel<kPolicy, kChoice, kWrites>
        <<<blocks_of(shape, kLanes), shape.block, 0, shape.stream>>>(batch, shape.first, shape.count);
  } else {
    dense_kernel<kPolicy, kChoice, kWrites>
        <<<blocks_of(shape, 1), shape.block, 0, shape.stream>>>(batch, shape.first, shape.count);
  }
  return cudaGetLastError();
}

}  // namespace

// The instantiations are those of dispatch_policies(), no more.
template <>
cudaError_t launch_policy<EXARCH_PAGE_POLICY, kKernel>(const DeviceBatch& batch, Choice choice, const LaunchShape& shape) {
  if (batch.workload.has_writes) {
    if (choice == Choice::fifo) return launch<Choice::fifo, true>(batch, shape);
    if (choice == Choice::row_hit) return launch<Choice::row_hit, true>(batch, shape);
    return launch<Choice::row_hit_grouped, true>(batch, shape);
  }
  if constexpr (kPolicy != PagePolicy::Closed) {
    if (choice == Choice::row_hit) return launch<Choice::row_hit, false>(batch, shape);
  }
  return launch<Choice::fifo, false>(batch, shape);
}

}  // namespace exarch::dram
