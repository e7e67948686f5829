// Running batches of DRAM candidates on a device: the launches as a table of functions, in every build.
//
// Nothing here allocates, waits or throws: the caller (host/dram/device.cpp) owns memory and streams and answers errors. A code
// is what DeviceRuntime's functions return (0: good); a stream is one of its streams.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dram/constraints.hpp"
#include "kernels/dram/scratch.hpp"
#include "kernels/dram/types.hpp"

namespace exarch::dram {

// Candidates of one bin take the same instantiation of a kernel, so that the threads of a warp agree on the policies.
inline constexpr std::uint32_t kBins = 12;  // (PagePolicy, Choice)

// What candidates are sorted by. The upper bits are the bin; the lower ones bring candidates together that share further
// branches.
inline constexpr std::uint32_t kSortKeyBits = 8;

[[nodiscard]] EXARCH_HD constexpr std::uint32_t bin_of(std::uint32_t page_policy, std::uint32_t choice) {
  return page_policy * 3 + choice;
}

// A multiple of a warp, and what __launch_bounds__ allows.
inline constexpr std::uint32_t kLargestBlock = 256;
inline constexpr std::uint32_t kUsualBlock = 64;

// One launch's data; every pointer is to device memory. Scratch areas lie one after the other in `scratch`, one per position.
struct DeviceBatch {
  WorkloadView workload;
  const Distances* distances;
  const ControllerParams* params;  // (candidate)
  const std::uint32_t* order;      // (position) candidate; null: every candidate at its own position
  RunResult* results;              // (candidate)
  std::byte* scratch;              // (position, scratch_bytes())
  ScratchSize scratch_size;        // of every candidate
  std::uint64_t max_steps;
  // For a trace given in parts, to the dense or exact kernel:
  std::byte* states;  // (position, state_bytes()) where paused runs are kept; null if the view has the whole trace
  bool resume;        // go on with the candidates whose result says Status::paused; they keep their positions
};

// Bytes of one candidate's scratch area; a multiple of 16.
[[nodiscard]] constexpr std::size_t scratch_bytes(const ScratchSize& size, bool exact) {
  const std::size_t single_pass =
      std::size_t{size.slots} * sizeof(BufferSlot) + std::size_t{size.pending} * sizeof(PendingResponse);
  const std::size_t ordered =
      std::size_t{size.pending} * 2 * sizeof(std::uint32_t) + std::size_t{size.heap} * sizeof(std::uint64_t);
  return (single_pass + (exact ? ordered : 0) + 31) / 16 * 16;
}

// The shape of the single pass for a launch of `count` candidates on a device of compute capability `major`: lanes while they are
// too few to give every scheduler of the device enough threads, dense beyond. The limits come from the compiled kernels'
// registers and latencies (H100: about 10,000 candidates); no device has measured them yet (docs/performance.md).
[[nodiscard]] constexpr Kernel tuned_shape(int major, std::size_t count) {
  struct Limit {
    int major;
    std::size_t lanes_below;
  };
  constexpr Limit kLimits[] = {{8, 6144}, {9, 10240}};
  std::size_t lanes_below = kLimits[0].lanes_below;
  for (const Limit& limit : kLimits) {
    if (major >= limit.major) lanes_below = limit.lanes_below;
  }
  return count < lanes_below ? Kernel::lanes : Kernel::dense;
}

struct DeviceKernels {
  // Bytes that a paused run takes.
  std::size_t (*state_bytes)(bool exact) noexcept;
  // The bin of a candidate; equal on host and device.
  std::uint32_t (*bin_of)(const ControllerParams& params, bool has_writes) noexcept;
  // Device memory that sort_into_bins() needs for `count` candidates, in `bytes` if nothing failed.
  int (*sort_bytes)(std::uint32_t count, std::size_t& bytes) noexcept;
  // Fills `order` with the candidates of `batch` by ascending bin, equal ones by ascending number; `space` has
  // sort_bytes(count).
  int (*sort_into_bins)(const DeviceBatch& batch, std::uint32_t* order, std::uint32_t count, std::byte* space,
                        void* stream) noexcept;
  // Runs the candidates at positions [first, first + count), which must all be of `bin`: one thread each, or eight
  // (Kernel::lanes).
  int (*launch_bin)(const DeviceBatch& batch, std::uint32_t bin, Kernel kernel, std::uint32_t first, std::uint32_t count,
                    std::uint32_t block, void* stream) noexcept;
  // Runs positions [first, first + count) of any bins with the single pass, policies chosen at run time: what binning is compared
  // with. For read-only traces.
  int (*launch_mixed)(const DeviceBatch& batch, std::uint32_t first, std::uint32_t count, std::uint32_t block,
                      void* stream) noexcept;
};

// Null in a build without CUDA.
[[nodiscard]] const DeviceKernels* cuda_kernels() noexcept;

}  // namespace exarch::dram
