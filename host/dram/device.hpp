// Batches of DRAM candidates on devices.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "host/dram/environment.hpp"
#include "host/execute/chunks.hpp"
#include "kernels/launch/dram_device.hpp"

namespace exarch::dram {

// How batches are launched; changes no result.
struct DeviceTuning {
  std::uint32_t block = kUsualBlock;  // threads; a multiple of 32, at most kLargestBlock
  std::optional<Kernel> shape;        // of the single pass, dense or lanes; left out: by tuned_shape()
  bool bin = true;                    // off: policies are chosen at run time (single pass of read-only traces only)
  std::size_t chunk = 1u << 17;       // most candidates of a launch
  std::uint32_t part = 0;             // most requests of the trace on a device at once; 0: as many as its memory allows
  const DeviceKernels* kernels = cuda_kernels();
};

// Runs all candidates to the end, split among the devices. Buffers: (candidate).
void run_on_devices(const DramWorkload& workload, std::span<const ControllerParams> params, Devices& devices, std::span<Run> runs,
                    const DeviceTuning& tuning = {});

// Which kernel, and how many times the scratch areas were enlarged.
struct Attempt {
  bool exact;
  unsigned enlarged;
  bool operator<(const Attempt& other) const { return std::tie(exact, enlarged) < std::tie(other.exact, other.enlarged); }
};

using DramChunkDevice = ChunkDevice<ControllerParams, RunResult, Attempt>;

// Runs all candidates to the end on what takes chunks of them: ties again with the exact kernel, runs short of scratch with more
// of it. Buffers: (candidate).
void run_chunks(const DramWorkload& workload, std::span<const ControllerParams> params, DramChunkDevice& device,
                std::span<Run> runs);

// The scratch area that every one of these candidates is given in an attempt; a run's result does not depend on having more than
// it needs.
[[nodiscard]] ScratchSize scratch_for(const WorkloadView& workload, const Attempt& attempt,
                                      std::span<const ControllerParams> params);

// Requests [first, end) of a trace.
struct TracePart {
  std::uint32_t first, end;
};

// The parts in which a trace is given to runs that hold `capacity` requests of it at a time, each part beginning `overlap` before
// the end of the one before; none if the capacity is too small for that.
[[nodiscard]] std::vector<TracePart> trace_parts(std::uint32_t count, std::uint32_t capacity, std::uint32_t overlap);

}  // namespace exarch::dram
