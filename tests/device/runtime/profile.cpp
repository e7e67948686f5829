#include "tests/device/runtime/profile.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/device/runtime/grid.hpp"

namespace exarch::standin {
namespace {

constexpr uint64_t kLine = 128, kSector = 32;

uint64_t sectors_in(uint32_t mask) {
  return static_cast<uint64_t>(__builtin_popcount(mask));
}

// Lines in sets of 16 ways, least recently used first; valid and dirty by sectors.
class Cache {
 public:
  void resize(size_t bytes) {
    sets_ = std::max<size_t>(1, bytes / kLine / kWays);
    lines_.assign(sets_ * kWays, Line{});
  }

  // Returns the sectors that were not there. evicted(line, dirty sectors) is called for what has to be written back.
  template <class F>
  uint32_t access(uint64_t line, uint32_t sectors, bool write, bool allocate, F&& evicted) {
    ++time_;
    Line* set = &lines_[hash(line) % sets_ * kWays];
    Line* found = std::find_if(set, set + kWays, [&](const Line& l) { return l.tag == line; });
    if (found == set + kWays) {
      if (!allocate) return sectors;
      found = std::min_element(set, set + kWays, [](const Line& a, const Line& b) { return a.used < b.used; });
      if (found->dirty != 0) evicted(found->tag, found->dirty);
      *found = Line{line, 0, 0, 0};
    }
    const uint32_t absent = sectors & ~found->valid;
    found->valid |= sectors;
    if (write) found->dirty |= sectors;
    found->used = time_;
    return absent;
  }

 private:
  static constexpr int kWays = 16;
  struct Line {
    uint64_t tag = ~uint64_t{0};
    uint32_t valid = 0, dirty = 0;
    uint64_t used = 0;
  };
  static uint64_t hash(uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdull;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ull;
    return x ^ (x >> 33);
  }
  std::vector<Line> lines_;
  size_t sets_ = 0;
  uint64_t time_ = 0;
};

enum class Memory : std::uint8_t { local, global, shared };

// The lines that one memory instruction of a group of lanes touches.
class Coalesced {
 public:
  void add(uint64_t line, uint32_t sectors) {
    for (auto& [known, mask] : lines_) {
      if (known == line) {
        mask |= sectors;
        return;
      }
    }
    lines_.emplace_back(line, sectors);
  }
  // Local memory is interleaved: word i of the lanes of a warp is one line. It belongs to the warp's place.
  void add_local(const Warp& w, int lane, uint64_t offset, uint64_t size) {
    for (uint64_t word = offset / 4; word <= (offset + size - 1) / 4; ++word) {
      add(uint64_t{1} << 62 | w.number << 16 | word, 1u << (lane / 8));
    }
  }
  void add_global(uint64_t address, uint64_t size) {
    for (const uint64_t a : {address, address + size - 1}) add(a / kLine, 1u << (a % kLine / kSector));
  }
  [[nodiscard]] const std::vector<std::pair<uint64_t, uint32_t>>& lines() const { return lines_; }

 private:
  std::vector<std::pair<uint64_t, uint32_t>> lines_;
};

}  // namespace

class Profile::Model {
 public:
  explicit Model(ProfileSettings settings) : settings_(std::move(settings)) {
    l2_.resize(settings_.l2_bytes);
    watch_groups([this](Warp& w, const BlockEntry& block, uint32_t lanes) {
      if (counting_) see(w, block, lanes);
    });
    replace_grids([this](const KernelEntry& kernel, const Launch& launch) { return run(kernel, launch); });
  }
  ~Model() {
    watch_groups(nullptr);
    replace_grids(nullptr);
  }

  ProfileCounters counters;

 private:
  bool run(const KernelEntry& kernel, const Launch& launch) {
    if (!settings_.watched(kernel.name)) return false;
    const size_t shared = static_cast<size_t>(kernel.shared_size) + launch.dynamic_shared;
    const Residency residency = settings_.residency({kernel.name, launch.threads, shared});
    l1_.resize(residency.l1_bytes);  // of another launch: nothing of it is left in L1
    const uint32_t warps = (launch.threads + 31) / 32;
    counters.resident_warps = std::max(counters.resident_warps, residency.blocks * warps);
    const uint64_t total = uint64_t{launch.grid.x} * launch.grid.y;
    uint64_t next = 0;
    std::vector<std::unique_ptr<BlockRun>> places(residency.blocks);
    counting_ = true;
    for (bool running = true; running;) {
      running = false;
      for (uint32_t i = 0; i < places.size(); ++i) {
        if (places[i] == nullptr && next < total) {
          places[i] = start_block(kernel, launch, static_cast<uint32_t>(next % launch.grid.x),
                                  static_cast<uint32_t>(next / launch.grid.x), i * warps);
          ++next;
          ++counters.blocks;
        }
        if (places[i] == nullptr) continue;
        if (!places[i]->step()) places[i] = nullptr;
        running = true;
      }
    }
    counting_ = false;
    return true;
  }

  void see(Warp& w, const BlockEntry& block, uint32_t lanes) {
    const auto instructions = static_cast<uint64_t>(block.instructions);
    counters.warp_instructions += instructions;
    counters.thread_instructions += instructions * sectors_in(lanes);
    for (int slot = 0; slot < block.memory_slots; ++slot) see_instruction(w, w.accesses + slot * 32, lanes);
  }

  void see_instruction(Warp& w, Access* accesses, uint32_t lanes) {
    Coalesced touched;
    Memory memory = Memory::shared;
    bool writes = false;
    for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
      const int lane = __builtin_ctz(rest);
      const Env& E = w.env[lane];
      const Access access = std::exchange(accesses[lane], Access{});
      const auto within = [&](const uint8_t* begin, uint64_t n) {
        return access.address - reinterpret_cast<uint64_t>(begin) < n;
      };
      if (access.size == 0 || within(E.param, 4096)) continue;  // 0: a guarded instruction that did nothing
      writes = access.kind != 0;
      if (within(E.local_base, static_cast<uint64_t>(E.frame_top - E.local_base))) {
        memory = Memory::local;
        touched.add_local(w, lane, access.address - reinterpret_cast<uint64_t>(E.local_base), access.size);
      } else if (!within(E.sh, E.shared_size)) {
        memory = Memory::global;
        touched.add_global(access.address, access.size);
      }
    }
    counters.l1_lines += touched.lines().size();
    for (const auto& [line, sectors] : touched.lines()) access_l1(memory, writes, line, sectors);
  }

  void access_l1(Memory memory, bool writes, uint64_t line, uint32_t sectors) {
    const auto evicted = [this](uint64_t dropped, uint32_t dirty) {
      counters.l1_written_back += sectors_in(dirty);
      access_l2(dropped, dirty, true);
    };
    if (memory == Memory::global && writes) {
      counters.written_through += sectors_in(sectors);
      l1_.access(line, sectors, false, false, evicted);
      access_l2(line, sectors, true);
      return;
    }
    const uint32_t absent = l1_.access(line, sectors, writes, true, evicted);
    if (writes || absent == 0) return;
    counters.l2_read += sectors_in(absent);
    access_l2(line, absent, false);
  }

  void access_l2(uint64_t line, uint32_t sectors, bool write) {
    const uint32_t absent = l2_.access(line, sectors, write, true,
                                       [this](uint64_t, uint32_t dirty) { counters.memory_written += sectors_in(dirty); });
    if (!write) counters.memory_read += sectors_in(absent);
  }

  ProfileSettings settings_;
  Cache l1_, l2_;
  bool counting_ = false;
};

Profile::Profile(ProfileSettings settings) : model_(std::make_unique<Model>(std::move(settings))) {}
Profile::~Profile() = default;
const ProfileCounters& Profile::counters() const {
  return model_->counters;
}

}  // namespace exarch::standin
