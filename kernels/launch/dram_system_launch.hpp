// Running a candidate of the system kernel on the CPU: the launch points, one per instruction-set level, and their choice.
//
// A caller gives one candidate at a time and its own block of memory; the CPU backend calls this from all its threads. Example:
//   std::vector<std::uint64_t> block(cpu_system_functions().scratch_words(view, size));
//   cpu_system_functions().run(view, tables, params, size, block.data(), kNoStepLimit, counters, result);
#pragma once

#include <cstdint>

#include "kernels/dram/system/scratch.hpp"
#include "kernels/dram/system/tables.hpp"
#include "kernels/dram/system/types.hpp"

namespace exarch::dram::system {

struct CpuSystemFunctions {
  // Words of 64 bits that a run with scratch areas of this size needs.
  std::uint64_t (*scratch_words)(const SystemView& view, const ScratchSize& size);
  // One candidate to its end; `counters`: (channel).
  void (*run)(const SystemView& view, const Tables& tables, const ControllerParams& params, const ScratchSize& size,
              std::uint64_t* block, std::uint64_t max_steps, SystemCounters* counters, SystemResult& result);
};

// The fastest this processor can execute; all levels give equal results.
[[nodiscard]] const CpuSystemFunctions& cpu_system_functions();

extern const CpuSystemFunctions kBaselineSystemFunctions, kX8664V3SystemFunctions;

}  // namespace exarch::dram::system
