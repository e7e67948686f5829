// A stand-in for the CUDA runtime, which runs translated kernels on the CPU: what tests choose and ask of it.
//
// A program that links the library exarch_standin instead of the CUDA runtime has devices that behave as badly as they may. What
// the real runtime leaves open is chosen badly on purpose: operations of streams wait until something needs them and then run in
// a random order of those that are legal; fresh memory holds garbage; a copy from ordinary memory is read at once but may arrive
// late; any call can be made to fail.
//
//   standin::configure({.order = standin::Order::lazy});
//   standin::fail({.call = 17, .code = cudaErrorIllegalAddress, .sticky = true});   // the 17th call from now on
//   ...
//   EXPECT_EQ(standin::mend(), "cudaMemcpyAsync");                                  // which one it was
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace exarch::standin {

enum class Order : std::uint8_t {
  random,  // of the streams that may go on, any
  lazy,    // only what is waited for
  eager,   // every operation at once
};

struct Settings {
  std::size_t bytes = std::size_t{4} << 30;  // of memory, each device
  int major = 9;                             // compute capability, the part before the dot
  Order order = Order::random;
  unsigned seed = 1;         // of all that is random here
  bool late_copies = false;  // cudaMemcpy from ordinary memory returns before the data is on the device
  bool any_lanes = false;    // lanes of a warp run in any order and number: all that independent thread scheduling promises
  unsigned fill = 0xA5;      // byte that fresh device memory holds; above 255: random ones
};

// What the variables EXARCH_STANDIN_* say (docs/validation.md lists them). This is what holds until configure() is called.
[[nodiscard]] Settings environment_settings();

// There are EXARCH_STANDIN_DEVICES devices, 2 unless told, as long as the process lives: libraries (CUB) remember how many.

// Devices as new. No memory, stream or event may be alive.
void configure(const Settings& settings);

struct Failure {
  long call = 1;        // which one from now on, counted from 1 over those that can fail
  int code = 2;         // cudaErrorMemoryAllocation
  bool sticky = false;  // every later call that touches the device gives the code, too
  std::string only;     // counts calls of this function; empty: of all
};
void fail(const Failure& failure);
// From now on no call fails, and devices with sticky errors are usable again. Returns the call that failed; "" if none did.
std::string mend();

// What was made and not destroyed, all devices together.
struct Alive {
  std::size_t allocations = 0, pinned = 0, streams = 0, events = 0;
  bool operator==(const Alive&) const = default;
};
[[nodiscard]] Alive alive();

// The faults of kernels (a bad access, a trap, a deadlock of lanes) since the last call, each a text that names kernel and place.
[[nodiscard]] std::string take_faults();

// Lanes that read from a lane outside of the member mask of a shuffle: undefined, and none are expected.
[[nodiscard]] std::uint64_t undefined_shuffle_count();

}  // namespace exarch::standin
