// The body of every CPU launch of the system kernel; included once per instruction-set level.
#pragma once

#include "kernels/dram/system/simulate.hpp"
#include "kernels/launch/dram_system_launch.hpp"

namespace exarch::dram::system {
inline namespace EXARCH_ISA {

inline std::uint64_t words_for(const SystemView& view, const ScratchSize& size) {
  return words_of(sizeof(System)) + scratch_words(view, size);
}

inline void run_candidate(const SystemView& view, const Tables& tables, const ControllerParams& params, const ScratchSize& size,
                          std::uint64_t* block, std::uint64_t max_steps, SystemCounters* counters, SystemResult& result) {
  Scratch scratch{};
  (void)divide_scratch(view, size, block + words_of(sizeof(System)), scratch);
  run_system(view, tables, params, scratch, max_steps, *reinterpret_cast<System*>(block), counters, result);
}

inline constexpr CpuSystemFunctions kSystemFunctions{words_for, run_candidate};

}  // namespace EXARCH_ISA
}  // namespace exarch::dram::system
