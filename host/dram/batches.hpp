// How a batch of DRAM candidates is run on a device that takes thousands at once: cut into chunks that fit its memory, two chunks
// in flight, and whatever the first attempt leaves open run again: ties with the exact kernel, runs short of scratch with more of
// it.
//
// Knows no CUDA; the device is behind ChunkDevice, which tests play on the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "host/dram/environment.hpp"

namespace exarch::dram {

// Requests [first, end) of a trace.
struct TracePart {
  std::uint32_t first, end;
};

// The parts in which a trace is given to runs that hold `capacity` requests of it at a time, each part beginning `overlap` before
// the end of the one before; none if the capacity is too small for that.
[[nodiscard]] std::vector<TracePart> trace_parts(std::uint32_t count, std::uint32_t capacity, std::uint32_t overlap);

struct Chunk {
  std::span<const ControllerParams> params;  // (candidate)
  ScratchSize scratch;                       // for each of them
  bool exact;
};

class ChunkDevice {
 public:
  static constexpr unsigned kQueues = 2;

  virtual ~ChunkDevice() = default;
  // Most candidates worth giving to a queue at once, at least 1.
  [[nodiscard]] virtual std::size_t capacity(const ScratchSize& scratch, bool exact) const = 0;
  // Starts a chunk on an idle queue; false if there is not enough memory for it. `chunk.params` need not outlive the call.
  [[nodiscard]] virtual bool start(unsigned queue, const Chunk& chunk) = 0;
  // Waits for the queue's chunk; (candidate), valid until the queue's next start().
  [[nodiscard]] virtual std::span<const RunResult> finish(unsigned queue) = 0;
};

// Runs all candidates to the end. `exact[i]` tells whether the exact kernel decided candidate i. Buffers: (candidate).
void run_chunks(const DramWorkload& workload, std::span<const ControllerParams> params, ChunkDevice& device,
                std::span<RunResult> results, std::span<std::uint8_t> exact);

}  // namespace exarch::dram
