// Eight lanes that are real: a candidate run by eight fibers, which meet in every collective as the threads of a warp do.
//
// The code they run is that of the device (kernels/core/lanes.hpp); only the Warp is another. Each collective checks that all
// eight lanes arrive, with the same operation, from the same place of the source. If they do not, a device would wait for ever or
// exchange the wrong values; here the run ends with a text that says which lanes wait where. Example:
//
//   lane 0 waits in a shuffle at kernels/dram/channel.hpp:175:63 (fill); lanes 1,2,3,4,5,6,7 wait in a sync at
//   kernels/dram/channel.hpp:211:17 (store)
//
// Between two collectives the lanes run one after the other, in an order drawn anew each time. So a lane that reads what the
// leader wrote without a synchronisation between the two reads the old value in some runs and the new one in others, and the
// results differ from those of one thread. That is a matter of chance: many runs find it, one may not.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <source_location>
#include <string>

#include "host/dram/environment.hpp"
#include "kernels/core/lanes.hpp"

namespace exarch::testing {

struct RealWarp {
  using Location = std::source_location;

  struct Place {
    Place(std::uint32_t asked, const Location& here = Location::current()) : lane(asked), where(here) {}
    std::uint32_t lane;
    Location where;
  };
  struct Here {
    Here(const Location& here = Location::current()) : where(here) {}
    Location where;
  };

  [[nodiscard]] static std::uint32_t lane();
  [[nodiscard]] static std::uint32_t shuffle(std::uint32_t own, const Place& place);
  [[nodiscard]] static std::uint64_t shuffle_xor(std::uint64_t own, std::uint32_t distance, const Here& here);
  [[nodiscard]] static std::uint32_t ballot(bool own, const Here& here);
  static void sync(const Here& here);
};

using RealLanes = Lanes<RealWarp>;

// Runs `body` once in each of the eight lanes. Returns an empty text, or what a device would not survive; the lanes are then left
// where they stand, so `body` must hold nothing that needs its destructor. `body` must not throw. The orders of the lanes depend
// on `seed` alone.
[[nodiscard]] std::string run_lanes(std::uint64_t seed, const std::function<void()>& body);

}  // namespace exarch::testing

namespace exarch::dram::testing {

// Workspace::run_kernel() of the single pass, in real lanes; also checks that all lanes end with the same status. The scratch
// area holds garbage at first, as on a device.
[[nodiscard]] std::string run_in_real_lanes(const DramWorkload& workload, const ControllerParams& params, std::uint64_t seed,
                                            RunResult& result);

// Status, all counters and the witness.
[[nodiscard]] inline bool equal_results(const RunResult& a, const RunResult& b) {
  return a.status == b.status && std::memcmp(&a.counters, &b.counters, sizeof a.counters) == 0 &&
         std::memcmp(&a.witness, &b.witness, sizeof a.witness) == 0;
}

}  // namespace exarch::dram::testing
