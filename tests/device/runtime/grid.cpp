// Warps and blocks: who runs next, and who waits for whom.
//
// A lane stands at a basic block. Usually the lanes at the lowest block run together, which is how compilers lay out code so that
// lanes meet again. A synchronizing instruction runs once all living lanes of its member mask have come to it. If no lane of a
// warp can run and one of them waits for others, the warp is deadlocked, and says so. With schedule_lanes(true, ...) any lanes
// run that may run, in any number, which is all that independent thread scheduling promises.
#include "tests/device/runtime/grid.hpp"

#include <cxxabi.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>
#include <vector>

namespace exarch::standin {

uint64_t undefined_shuffles = 0;

std::map<std::string, KernelEntry>& translated_kernels() {
  static auto* kernels = new std::map<std::string, KernelEntry>;
  return *kernels;
}
KernelRegistration::KernelRegistration(const KernelEntry& kernel) {
  translated_kernels().emplace(kernel.name, kernel);
}

static std::map<uint64_t, size_t>& module_variables() {
  static auto* variables = new std::map<uint64_t, size_t>;
  return *variables;
}
VariableRegistration::VariableRegistration(const void* address, size_t size) {
  module_variables()[(uint64_t)address] = size;
}
bool is_module_variable(uint64_t address, size_t size) {
  auto after = module_variables().upper_bound(address);
  if (after == module_variables().begin()) return false;
  --after;
  return address + size <= after->first + after->second;
}

void ptx_fault(const char* what, Env& E, uint64_t address, int size, int space) {
  static const char* spaces[] = {"generic", "global", "local", "shared", "param", "const"};
  char text[300];
  if (size == 0) {
    std::snprintf(text, sizeof text, "%s: block %u, thread %u", what, E.cx, E.tid);
  } else {
    std::snprintf(text, sizeof text, "%s: block %u, thread %u, %d bytes at %llx (%s)", what, E.cx, E.tid, size,
                  (unsigned long long)address, spaces[space]);
  }
  throw Fault{text};
}

namespace {

std::function<void(Warp&, const BlockEntry&, uint32_t)> group_seen;
std::function<bool(const KernelEntry&, const Launch&)> grid_runner;
bool any_lanes = false;
std::mt19937 schedule(1);

int first_of(uint32_t lanes) {
  return __builtin_ctz(lanes);
}
template <class F>
void each(uint32_t lanes, F&& f) {
  for (; lanes; lanes &= lanes - 1) f(first_of(lanes));
}

// ---- deadlocks

[[noreturn]] void deadlock(const KernelEntry& kernel, Warp& w, uint32_t live) {
  std::map<uint32_t, uint32_t> groups;  // block -> lanes there
  each(live, [&](int l) { groups[w.pc[l]] |= 1u << l; });
  std::ostringstream text;
  text << "warp deadlock: block " << w.env[first_of(live)].cx << ", warp " << w.env[first_of(live)].tid / 32;
  for (const auto& [pc, lanes] : groups) {
    const BlockEntry& block = kernel.blocks[pc];
    const int l = first_of(lanes);
    text << "\n    lanes " << std::hex << lanes;
    if (block.kind == kWarpSync) text << " wait for lanes " << (block.mask(w.env[l], w.reg(l)) & live);
    text << std::dec << " in " << (block.place != nullptr ? block.place : "?");
  }
  throw Fault{text.str()};
}

// ---- a step of a warp

enum Step { kEnded, kRan, kWaits };

uint32_t living(const Warp& w) {
  uint32_t live = 0;
  each(w.present, [&](int l) { live |= w.pc[l] != kExited ? 1u << l : 0; });
  return live;
}

// Runs a synchronizing instruction if all living lanes of the member mask of `lane` stand at it; returns those lanes, or 0.
uint32_t try_sync(const KernelEntry& kernel, Warp& w, int lane, uint32_t live, uint32_t whoever) {
  const uint32_t pc = w.pc[lane];
  const BlockEntry& block = kernel.blocks[pc];
  uint32_t members = block.mask(w.env[lane], w.reg(lane));
  if (members == 0) members = whoever;
  if (!(members >> lane & 1)) ptx_fault("a member mask without the lane that executes it", w.env[lane], 0, 0, 0);
  if (members & w.present & ~live) {
    static bool said = false;
    if (!said)
      std::fprintf(stderr, "[stand-in] a member mask names lanes that have exited, in %s\n", readable(kernel.name).c_str());
    said = true;
  }
  members &= live;
  bool all = true;
  each(members, [&](int l) { all = all && w.pc[l] == pc; });
  if (!all) return 0;
  each(members, [&](int l) {
    const uint32_t other = block.mask(w.env[l], w.reg(l));
    if (other != 0 && (other & live) != members)
      ptx_fault("lanes of one instruction with different member masks", w.env[l], 0, 0, 0);
  });
  block.sync(w, members);
  each(members, [&](int l) { w.pc[l] = pc + 1; });
  if (group_seen) group_seen(w, block, members);
  return members;
}

Step stuck(const KernelEntry& kernel, Warp& w, uint32_t live) {
  each(live, [&](int l) {
    if (kernel.blocks[w.pc[l]].kind == kWarpSync) deadlock(kernel, w, live);
  });
  return kWaits;  // all at a barrier of the block
}

// The lanes at the lowest block that can run.
Step step_lowest(const KernelEntry& kernel, Warp& w) {
  const uint32_t live = living(w);
  if (!live) return kEnded;
  for (uint32_t rest = live; rest;) {
    uint32_t pc = kExited, lanes = 0;
    each(rest, [&](int l) {
      if (w.pc[l] < pc) {
        pc = w.pc[l];
        lanes = 0;
      }
      if (w.pc[l] == pc) lanes |= 1u << l;
    });
    const BlockEntry& block = kernel.blocks[pc];
    if (block.kind == kPlain) {
      each(lanes, [&](int l) { w.pc[l] = block.run(w.env[l], w.reg(l)); });
      if (group_seen) group_seen(w, block, lanes);
      return kRan;
    }
    if (block.kind == kWarpSync) {
      const int lane = first_of(lanes);
      if (try_sync(kernel, w, lane, live, lanes)) return kRan;
      const uint32_t members = block.mask(w.env[lane], w.reg(lane));
      rest &= ~(members & lanes);
    } else {
      rest &= ~lanes;
    }
  }
  return stuck(kernel, w, live);
}

// Any lanes that can run.
Step step_random(const KernelEntry& kernel, Warp& w) {
  const uint32_t live = living(w);
  if (!live) return kEnded;
  std::vector<int> order;
  each(live, [&](int l) { order.push_back(l); });
  std::shuffle(order.begin(), order.end(), schedule);
  for (const int lane : order) {
    const uint32_t pc = w.pc[lane];
    const BlockEntry& block = kernel.blocks[pc];
    if (block.kind == kPlain) {
      const auto chosen = static_cast<uint32_t>(schedule()) | 1u << lane;
      for (const int l : order) {
        if ((chosen >> l & 1) && w.pc[l] == pc) w.pc[l] = block.run(w.env[l], w.reg(l));
      }
      return kRan;
    }
    if (block.kind == kWarpSync && try_sync(kernel, w, lane, live, 1u << lane)) return kRan;
  }
  return stuck(kernel, w, live);
}

Step step_warp(const KernelEntry& kernel, Warp& w) {
  return any_lanes ? step_random(kernel, w) : step_lowest(kernel, w);
}

// ---- a block

class Block : public BlockRun {
 public:
  Block(const KernelEntry& kernel, const Launch& launch, bool accesses) : kernel_(kernel), launch_(launch) {
    local_size_ = (size_t)kernel.local_size + 4096;  // frames of called functions
    warp_count_ = (launch.threads + 31) / 32;
    shared_.resize(kernel.shared_size + launch.dynamic_shared + 64);
    local_.resize(local_size_ * launch.threads + 64);
    registers_.resize(kernel.register_size * 32 * warp_count_ + 64);
    warps_.resize(warp_count_);
    if (accesses) accesses_.resize((size_t)warp_count_ * 32 * (kernel.max_slots + 1));
  }

  // Shared and local memory hold garbage at first.
  void start(uint32_t x, uint32_t y, uint32_t first_warp) {
    std::fill(shared_.begin(), shared_.end(), 0x5C);
    std::fill(local_.begin(), local_.end(), 0xC3);
    std::fill(registers_.begin(), registers_.end(), 0);
    for (uint32_t i = 0; i < warp_count_; ++i) {
      Warp& w = warps_[i];
      w.block = &common_;
      w.registers = aligned(registers_) + kernel_.register_size * 32 * i;
      w.register_size = kernel_.register_size;
      w.accesses = accesses_.empty() ? nullptr : accesses_.data() + (size_t)i * 32 * (kernel_.max_slots + 1);
      w.number = first_warp + i;
      w.present = 0;
      for (uint32_t l = 0; l < 32; ++l) {
        w.pc[l] = kExited;
        if (i * 32 + l >= launch_.threads) continue;
        w.present |= 1u << l;
        w.pc[l] = 0;
        set_env(w.env[l], i * 32 + l, x, y);
        w.env[l].warp = &w;
      }
    }
  }

  bool step() override {
    bool ran = false, alive = false;
    for (Warp& w : warps_) {
      const Step s = step_warp(kernel_, w);
      ran = ran || s == kRan;
      alive = alive || s != kEnded;
    }
    if (alive && !ran) pass_barrier();
    return alive;
  }

  // Every warp as far as it can go, then the next one.
  void run() {
    for (bool alive = true; alive;) {
      alive = false;
      for (Warp& w : warps_) {
        Step s;
        while ((s = step_warp(kernel_, w)) == kRan) {
        }
        alive = alive || s == kWaits;
      }
      if (alive) pass_barrier();
    }
  }

  void run_threads(uint32_t x, uint32_t y) {
    for (uint32_t t = 0; t < launch_.threads; ++t) {
      Env E;
      set_env(E, t, x, y);
      E.warp = nullptr;
      std::memset(E.local, 0xC3, local_size_);
      try {
        kernel_.thread(E);
      } catch (const ThreadExit&) {
      }
    }
  }

 private:
  static uint8_t* aligned(std::vector<uint8_t>& v) { return (uint8_t*)(((uint64_t)v.data() + 63) / 64 * 64); }

  void set_env(Env& E, uint32_t t, uint32_t x, uint32_t y) {
    E = Env{t, launch_.threads, x, y, launch_.grid.x, launch_.grid.y, 0, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, 0};
    E.sh = aligned(shared_);
    E.shared_size = static_cast<uint32_t>(kernel_.shared_size + launch_.dynamic_shared);
    E.local = E.local_base = aligned(local_) + local_size_ * t;
    E.frame_top = E.local + kernel_.local_size;
    E.param = launch_.parameters;
    E.device = launch_.device;
  }

  // All living threads stand at a barrier: they pass it.
  void pass_barrier() {
    common_ = {false, true, 0};
    const auto each_waiting = [&](auto&& f) {
      for (Warp& w : warps_) each(living(w), [&](int l) { f(w, l, kernel_.blocks[w.pc[l]]); });
    };
    each_waiting([&](Warp& w, int l, const BlockEntry& block) {
      if (block.kind != kBarrierReduction) return;
      block.sync(w, 1u << l);
      common_.red_or |= w.reduced[l];
      common_.red_and &= w.reduced[l];
      common_.red_count += w.reduced[l];
    });
    each_waiting([&](Warp& w, int l, const BlockEntry& block) {
      if (block.after) block.after(w, 1u << l);
      ++w.pc[l];
    });
  }

  const KernelEntry& kernel_;
  Launch launch_;
  size_t local_size_;
  uint32_t warp_count_;
  std::vector<uint8_t> shared_, local_, registers_;
  std::vector<Warp> warps_;
  std::vector<Access> accesses_;
  BlockShared common_{};
};

}  // namespace

void watch_groups(std::function<void(Warp&, const BlockEntry&, uint32_t)> seen) {
  group_seen = std::move(seen);
}
void replace_grids(std::function<bool(const KernelEntry&, const Launch&)> run) {
  grid_runner = std::move(run);
}
void schedule_lanes(bool any, unsigned seed) {
  any_lanes = any;
  schedule.seed(seed);
}

std::string readable(const std::string& mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : mangled;
}

std::unique_ptr<BlockRun> start_block(const KernelEntry& kernel, const Launch& launch, uint32_t x, uint32_t y,
                                      uint32_t first_warp) {
  auto block = std::make_unique<Block>(kernel, launch, true);
  block->start(x, y, first_warp);
  return block;
}

// Blocks of kernels without synchronization come in any order. The others come in their order: what waits for an earlier block
// in global memory (CUB does) would wait for ever for one that has not begun.
void run_grid(const KernelEntry& kernel, const Launch& launch) {
  if (grid_runner && grid_runner(kernel, launch)) return;
  Block block(kernel, launch, false);
  std::vector<uint64_t> order((uint64_t)launch.grid.x * launch.grid.y);
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (kernel.thread != nullptr) std::shuffle(order.begin(), order.end(), schedule);
  for (const uint64_t i : order) {
    const auto x = (uint32_t)(i % launch.grid.x), y = (uint32_t)(i / launch.grid.x);
    if (kernel.thread != nullptr) {
      block.run_threads(x, y);
    } else {
      block.start(x, y, 0);
      block.run();
    }
  }
}

}  // namespace exarch::standin
