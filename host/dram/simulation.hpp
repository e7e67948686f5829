// DRAMSys' simulation files: one file that names a memory, its address mapping, a controller, settings and the trace to play.
//
//   const Simulation run = read_simulation("resources/simulations/ddr3-example.json");
//   environment.load(run.workload);                                   // trace, memspec, addressmapping, clk_mhz, address_offset
//   read_mcconfig(run.mcconfig);                                      // {"PagePolicy=Open", "Scheduler=FrFcfs", ...}
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "host/env/environment.hpp"

namespace exarch::dram {

struct Simulation {
  WorkloadOptions workload;
  std::filesystem::path mcconfig;  // "" where the file names none
};

// The files it names are looked for beside it, in its parent folders as DRAMSys lays them out (configs/memspecs,
// configs/amconfigs, configs/mcconfigs, traces; of release 5 memspec, addressmapping, mcconfig), and among the shipped ones.
// Error with the place for what is missing, and for what is not modelled: several initiators, initiators that are no trace,
// objects in place of files' names. `has_mcconfig`: the caller has a controller of its own, and the one that is named need not be
// there.
[[nodiscard]] Simulation read_simulation(const std::filesystem::path& path, bool has_mcconfig = false);

// A DRAMSys controller file as assignments of parameters ("Name=value"), for those that it has. Error for an unknown key or
// value, and for a setting that is not modelled, with what is right.
[[nodiscard]] std::vector<std::string> read_mcconfig(const std::filesystem::path& path);

// Writes what the reference simulator takes to run a design on a workload: DIR/simulations/exarch.json and the files that
// it names, with copies of the memory, the mapping and (as .stl, uncompressed) the trace. `dir` is made; UsageError if it is
// there and not empty. Returns the path of the simulation file.
std::filesystem::path write_simulation(const std::filesystem::path& dir, const WorkloadOptions& workload,
                                       std::span<const std::int64_t> design);

}  // namespace exarch::dram
