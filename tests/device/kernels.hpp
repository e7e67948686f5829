// Small kernels that test the stand-in and the translation. What they should give is computed a second time on the host.
#pragma once

#include <span>

namespace exarch::standin {

// Runs a kernel; whether its results are right. Throws std::runtime_error where a call of the runtime fails.
struct KernelCase {
  const char* name;
  bool (*run)();
};
[[nodiscard]] std::span<const KernelCase> kernel_cases();

// Lanes that wait for each other: a shuffle of all lanes in a branch that one of them takes. Throws.
void run_shuffle_in_a_branch();
[[nodiscard]] int line_of_shuffle_in_a_branch();

// What the checked variant has to find; each throws.
void load_behind_an_array();
void store_behind_an_array();
void load_behind_shared_memory();
void load_misaligned();
void store_to_freed_memory();
// And what it has to leave alone.
[[nodiscard]] bool runs_within_bounds();

}  // namespace exarch::standin
