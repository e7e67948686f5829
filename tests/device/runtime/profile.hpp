// Counting what kernels do: warp instructions, active lanes, and memory traffic through a model of one multiprocessor's caches.
// It counts and does not measure: it has no clock.
//
// The model: the blocks that are resident on a multiprocessor advance by one basic block in turn; where one ends, the next takes
// its place and its local memory. A memory instruction of a group of lanes touches lines of 128 bytes, in sectors of 32. L1
// caches local memory for writing; global memory is written through to L2. Both caches have 16 ways and drop what was used least
// recently. For kernels compiled with EXARCH_STANDIN_PROFILE only.
//
//   Profile profile({.watched = [](const std::string& kernel) { return kernel.find("dense") != kernel.npos; }, ...});
//   run a batch;
//   profile.counters().warp_instructions
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace exarch::standin {

struct Residency {
  unsigned blocks = 1;   // of the launch, on one multiprocessor at a time
  std::size_t l1_bytes;  // what is left of L1 beside shared memory
};

// A launch, as its residency depends on it.
struct LaunchShape {
  std::string kernel;  // mangled
  unsigned threads;    // of a block
  std::size_t shared;  // bytes of shared memory of a block
};

struct ProfileSettings {
  std::function<bool(const std::string& kernel)> watched;  // by mangled name; the others just run
  std::function<Residency(const LaunchShape&)> residency;
  std::size_t l2_bytes;  // the share of one multiprocessor
};

struct ProfileCounters {
  std::uint64_t blocks = 0;
  std::uint64_t warp_instructions = 0, thread_instructions = 0;  // an instruction of a group of lanes; of a lane
  std::uint64_t l1_lines = 0;                                    // touched, an instruction's lines counted once
  // Sectors of 32 bytes: L1 reads from L2, writes back to it, writes through to it; L2 reads from memory, writes back to it.
  std::uint64_t l2_read = 0, l1_written_back = 0, written_through = 0, memory_read = 0, memory_written = 0;
  unsigned resident_warps = 0;  // most of any launch
};

// Watches from its construction to its destruction; one at a time.
class Profile {
 public:
  explicit Profile(ProfileSettings settings);
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;
  ~Profile();

  [[nodiscard]] const ProfileCounters& counters() const;

 private:
  class Model;
  std::unique_ptr<Model> model_;
};

}  // namespace exarch::standin
