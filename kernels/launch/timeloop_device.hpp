// Evaluating mappings of Timeloop's model on a device: the launches as a table of functions, in every build.
//
// Nothing here allocates, waits or throws. A function returns what DeviceRuntime's functions return (0: good); a stream is one of
// its streams.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/timeloop/draw.hpp"

namespace exarch::timeloop {

inline constexpr std::uint32_t kTimeloopBlock = 64;  // threads

// What a mapping's levels keep.
struct KeptMapping {
  Keep keep;
};

struct KeptResult {
  Status status;
  Totals totals;  // with Status::ok only
};

// One launch's data; every pointer is to device memory.
struct KeptBatch {
  const Frame* frame;
  const Shared* shared;
  const KeptMapping* mappings;  // (candidate)
  KeptResult* results;          // (candidate)
  std::uint32_t count;
};

struct DrawBatch {
  const DrawView* view;  // its pointers, too
  std::uint64_t seed, first, end;
  Drawn* best;      // (thread)
  std::byte* work;  // (thread, workspace_bytes())
  std::uint32_t threads, elements;
};

// Of a workspace for spatial blocks of so many elements; a multiple of 16.
[[nodiscard]] EXARCH_HD constexpr std::size_t workspace_bytes(std::uint32_t elements) {
  return (elements * (sizeof(std::int64_t) + sizeof(std::uint16_t)) + (elements + 31) / 32 * sizeof(std::uint32_t) + 31) / 16 *
         16;
}

// The workspace in such a piece of memory, which is aligned to 16 bytes.
[[nodiscard]] EXARCH_HD Workspace workspace_in(std::byte* memory, std::uint32_t elements) {
  auto* code = reinterpret_cast<std::int64_t*>(memory);
  auto* served = reinterpret_cast<std::uint32_t*>(code + elements);
  return {code, reinterpret_cast<std::uint16_t*>(served + (elements + 31) / 32), served};
}

struct DeviceKernels {
  // A thread per candidate.
  int (*total_of_kept)(const KeptBatch& batch, void* stream) noexcept;
  // A thread for every `threads`-th number.
  int (*draw)(const DrawBatch& batch, void* stream) noexcept;
};

// Null in a build without CUDA.
[[nodiscard]] const DeviceKernels* cuda_kernels() noexcept;

}  // namespace exarch::timeloop
