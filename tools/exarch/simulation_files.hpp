// --simulation and --mcconfig: DRAMSys' own files as a workload and a controller.
#pragma once

#include <string>
#include <vector>

#include "host/env/environment.hpp"
#include "tools/exarch/options.hpp"

namespace exarch::cli {

[[nodiscard]] std::vector<OptionSpec> simulation_options();
// Whether the verb has these options, and one of them is given.
[[nodiscard]] bool has_simulation_files(const Arguments& arguments);
// The workload that the file of --simulation describes; {} without one.
[[nodiscard]] WorkloadOptions simulation_workload(const Environment& environment, const Arguments& arguments);
// The controller of --mcconfig, or that of --simulation, as assignments; those of --set leave theirs out. {} without one.
[[nodiscard]] std::vector<std::string> controller_settings(const Environment& environment, const Arguments& arguments);

}  // namespace exarch::cli
