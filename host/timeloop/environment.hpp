// The Timeloop environment. See docs/models.md.
//
// A workload is a record: a layer, an architecture and a mapping. A design says, for each storage level, which tensors the level
// keeps; the others bypass it. Everything else is the record's. Example:
//
//   const auto workload = timeloop_environment().load_workload({{"record", "eyeriss-alexnet-2"}});
#pragma once

#include "host/env/environment.hpp"

namespace exarch {

[[nodiscard]] const Environment& timeloop_environment();

}  // namespace exarch
