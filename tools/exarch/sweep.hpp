// Sweeping a space into a store: what `exarch sweep` does, and what a truth table begins with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/exarch/options.hpp"

namespace exarch::cli {

struct SweepReport {
  std::uint64_t requested, simulated;
  double seconds;
  std::vector<std::string> warnings;  // of the workloads
};

// By the arguments of `exarch sweep`; continues a store of the same sweep. `asked`: the objective that the sweep is made for, as
// text; "": none. The store notes it and is later looked at by it.
SweepReport sweep(const Arguments& arguments, const std::string& asked = "");

}  // namespace exarch::cli
