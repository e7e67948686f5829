#include "tools/exarch/simulation_files.hpp"

#include "host/dram/simulation.hpp"
#include "host/error.hpp"

namespace exarch::cli {
namespace {

bool has_option(const Arguments& arguments, const char* name) {
  return arguments.values.contains(name) && arguments.has(name);
}

void check_environment(const Environment& environment) {
  if (environment.name() == "dram") return;
  throw UsageError("--simulation and --mcconfig are files of DRAMSys, for exarch eval, sweep and search dram; not for " +
                   environment.name());
}

}  // namespace

std::vector<OptionSpec> simulation_options() {
  const std::string group = "Workload of dram";
  return {{"simulation", "FILE.json", "a DRAMSys simulation file, for all that it names; options given beside it count more", "",
           false, group},
          {"mcconfig", "FILE.json",
           "a DRAMSys controller file: the design; in sweeps and searches, the parameters that the space does not vary", "",
           false, group}};
}

bool has_simulation_files(const Arguments& arguments) {
  return has_option(arguments, "simulation") || has_option(arguments, "mcconfig");
}

WorkloadOptions simulation_workload(const Environment& environment, const Arguments& arguments) {
  if (!has_simulation_files(arguments)) return {};
  check_environment(environment);
  if (!has_option(arguments, "simulation")) return {};
  return dram::read_simulation(arguments.text("simulation"), has_option(arguments, "mcconfig")).workload;
}

std::vector<std::string> controller_settings(const Environment& environment, const Arguments& arguments) {
  if (!has_simulation_files(arguments)) return {};
  check_environment(environment);
  const bool own = has_option(arguments, "mcconfig");
  const std::filesystem::path path =
      own ? std::filesystem::path(arguments.text("mcconfig")) : dram::read_simulation(arguments.text("simulation")).mcconfig;
  if (path.empty()) return {};
  std::vector<std::string> settings = dram::read_mcconfig(path);
  for (const std::string& assignment : arguments.all("set")) {
    const std::string name = assignment.substr(0, assignment.find('=')) + "=";
    std::erase_if(settings, [&name](const std::string& setting) { return setting.starts_with(name); });
  }
  return settings;
}

}  // namespace exarch::cli
