// Running a grid of a translated kernel. For the stand-in's own files and for the profile.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "tests/device/runtime/ptx_runtime.hpp"

namespace exarch::standin {

struct GridSize {
  uint32_t x, y;
};

struct Launch {
  GridSize grid;
  uint32_t threads;  // of a block
  size_t dynamic_shared;
  uint8_t* parameters;
  int device;
};

// A fault of the device code: a bad access, a trap, a deadlock.
struct Fault {
  std::string what;
};

[[nodiscard]] std::map<std::string, KernelEntry>& translated_kernels();
void run_grid(const KernelEntry& kernel, const Launch& launch);
[[nodiscard]] bool is_module_variable(uint64_t address, size_t size);
// Any lanes that may run, in any number; or those at the lowest block.
void schedule_lanes(bool any, unsigned seed);
// A name as people write it.
[[nodiscard]] std::string readable(const std::string& mangled);

// ---- for who looks at kernels as they run

struct BlockRun {
  virtual ~BlockRun() = default;
  virtual bool step() = 0;  // one basic block of every warp; false: the block has ended
};
// Block (x, y) of a grid, at its beginning, for who takes down its accesses (variant EXARCH_STANDIN_PROFILE only). `first_warp`
// is the number of its first warp.
[[nodiscard]] std::unique_ptr<BlockRun> start_block(const KernelEntry& kernel, const Launch& launch, uint32_t x, uint32_t y,
                                                    uint32_t first_warp);
// Called for every group of lanes that has run a basic block together; null: nobody.
void watch_groups(std::function<void(Warp& warp, const BlockEntry& block, uint32_t lanes)> seen);
// Called first for every grid; true: it has run the grid itself. Null: nobody.
void replace_grids(std::function<bool(const KernelEntry& kernel, const Launch& launch)> run);

}  // namespace exarch::standin
