#include "host/dram/simulation.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "host/dram/convert.hpp"
#include "host/dram/memspec.hpp"
#include "host/dram/tables.hpp"
#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/data_dir.hpp"
#include "host/files/file_kind.hpp"
#include "host/files/json.hpp"
#include "host/files/text.hpp"
#include "host/space/design_space.hpp"

namespace exarch::dram {
namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

// What a simulation file names, and where DRAMSys 4.0 and 5 keep such files.
struct Part {
  const char* key;
  std::array<const char*, 3> folders;
  const char* shipped;  // folder of shipped ones; "": there are none
};
constexpr Part kMemspec{"memspec", {"memspecs", "memspec", nullptr}, "dram/memspecs"};
constexpr Part kMapping{"addressmapping", {"amconfigs", "addressmapping", nullptr}, "dram/amconfigs"};
constexpr Part kController{"mcconfig", {"mcconfigs", "mcconfig", nullptr}, "dram/mcconfigs"};
constexpr Part kSimulatorSettings{"simconfig", {"simconfigs", "simulator", "simconfig"}, "dram/simconfigs"};
constexpr Part kTrace{"tracesetup", {"traces", nullptr, nullptr}, "dram/traces"};

// The object under `root`.
OrderedJson read_object(const fs::path& path, const std::string& root, FileKind kind, const std::string& expected) {
  return named_if_foreign(path, {kind}, expected, [&] {
    const OrderedJson file = parse_json<OrderedJson>(read_text(path, expected), path.string());
    if (!file.is_object() || !file.contains(root)) throw Error(path.string() + ": expected an object '" + root + "'");
    if (!file[root].is_object()) throw Error(path.string() + ": " + root + ": expected an object, found " + shown(file[root]));
    return file[root];
  });
}

std::string text_at(const OrderedJson& value, const std::string& where) {
  if (value.is_object()) {
    throw Error(where + ": an object in place of a file's name; write it into a file of its own and name that");
  }
  if (!value.is_string()) throw Error(where + ": expected a file's name, found " + shown(value));
  return value.get<std::string>();
}

std::uint64_t number_at(const OrderedJson& value, const std::string& where, std::uint64_t least, std::uint64_t most) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() >= least && value.get<std::uint64_t>() <= most) {
    return value.get<std::uint64_t>();
  }
  throw Error(where + ": expected a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ", found " +
              shown(value));
}

fs::path find_part(const fs::path& simulation, const Part& part, const std::string& name, const std::string& where) {
  std::error_code none;
  const fs::path folder = fs::absolute(simulation, none).parent_path();
  const fs::path bases[] = {folder, folder.parent_path(), folder.parent_path().parent_path()};
  for (const fs::path& base : bases) {
    if (fs::is_regular_file(base / name, none)) return base / name;
    for (const char* below : part.folders) {
      if (below == nullptr) continue;
      for (const fs::path& place : {base / below / name, base / "configs" / below / name}) {
        if (fs::is_regular_file(place, none)) return place;
      }
    }
  }
  fs::path shipped = data_dir() / part.shipped / name;
  if (fs::is_regular_file(shipped, none)) return shipped;
  std::string folders;
  for (const char* below : part.folders) {
    if (below != nullptr) folders += (folders.empty() ? "" : ", ") + std::string(below);
  }
  throw Error(where + ": there is no file '" + name + "': looked beside " + simulation.string() +
              ", in the two folders above it, in their folders " + folders + " (of configs, too), and among the shipped files");
}

void refuse_unknown(const OrderedJson& object, const std::string& where, const std::vector<std::string>& known) {
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    throw Error(where + ": unknown key '" + printable(key, 60) + "'" + did_you_mean(key, known));
  }
}

// One player of a trace.
void read_initiators(const fs::path& path, const OrderedJson& setup, WorkloadOptions& workload) {
  const std::string where = path.string() + ": tracesetup";
  if (!setup.is_array() || setup.empty()) throw Error(where + ": expected a list with a trace, found " + shown(setup));
  if (setup.size() > 1) {
    throw Error(where + ": " + std::to_string(setup.size()) +
                " initiators; this model has one trace player. Leave one entry, or run each on its own");
  }
  const OrderedJson& player = setup[0];
  if (!player.is_object()) throw Error(where + ": expected an object with name and clkMhz, found " + shown(player));
  const std::string type = player.contains("type") && player["type"].is_string() ? player["type"].get<std::string>() : "player";
  if (type != "player") {
    throw Error(where + ": an initiator of type '" + printable(type, 40) +
                "' makes its requests itself; this model plays traces (exarch trace make writes synthetic ones)");
  }
  refuse_unknown(player, where, {"name", "clkMhz", "type", "dataLength"});
  if (!player.contains("name")) throw Error(where + ": the name of the trace is missing");
  workload["trace"] = find_part(path, kTrace, text_at(player["name"], where + ": name"), where + ": name").string();
  if (player.contains("clkMhz")) {
    workload["clk_mhz"] = std::to_string(number_at(player["clkMhz"], where + ": clkMhz", 1, 100'000));
  }
  if (player.contains("dataLength")) {  // of a request without a length
    const std::uint32_t burst = load_memspec(workload.at("memspec")).bytes_per_burst();
    if (number_at(player["dataLength"], where + ": dataLength", 1, kMaxRequestBytes) != burst) {
      throw Error(where + ": dataLength: requests of " + shown(player["dataLength"]) + " bytes; a burst of the memory has " +
                  std::to_string(burst) + ". Write the length into the trace, \"12: (128) read 0x40\"");
    }
  }
}

// Of a file of settings one counts here; the others are about output.
void read_settings(const fs::path& path, WorkloadOptions& workload) {
  const OrderedJson settings =
      read_object(path, "simconfig", FileKind::simulation_settings, "a DRAMSys file of simulation settings");
  if (settings.contains("AddressOffset")) {
    workload["address_offset"] = std::to_string(
        number_at(settings["AddressOffset"], path.string() + ": AddressOffset", 0, static_cast<std::uint64_t>(kMaxU32)));
  }
}

// What DRAMSys knows of a controller besides this model's parameters.
struct ForeignKey {
  const char* name;
  bool only_off;  // modelled where it is 0 or false only
  const char* doc;
};
constexpr ForeignKey kForeignKeys[] = {
    {"HighWatermark", false, "of Scheduler GrpFrFcfsWm"},
    {"LowWatermark", false, "of Scheduler GrpFrFcfsWm"},
    {"RequestBufferSizeRead", false, "of SchedulerBuffer ReadWrite in DRAMSys 5.2"},
    {"RequestBufferSizeWrite", false, "of SchedulerBuffer ReadWrite in DRAMSys 5.2"},
    {"PowerDownTimeout", false, "without power-down"},
    {"RefreshManagement", true, "refresh management (RFM)"},
    {"ArbitrationDelayFw", true, "a delay of the arbiter"},
    {"ArbitrationDelayBw", true, "a delay of the arbiter"},
    {"ThinkDelayFw", true, "a delay of the controller"},
    {"ThinkDelayBw", true, "a delay of the controller"},
    {"PhyDelayFw", true, "a delay of the PHY"},
    {"PhyDelayBw", true, "a delay of the PHY"},
    {"BlockingReadDelay", false, "of blocking transport, which traces do not use"},
    {"BlockingWriteDelay", false, "of blocking transport, which traces do not use"},
};

bool is_off(const OrderedJson& value) {
  return value.is_null() || value == false || (value.is_number() && value.get<double>() == 0);
}

std::string value_text(const OrderedJson& value, const std::string& where) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
  throw Error(where + ": expected a word or a whole number, found " + shown(value));
}

void write_json(const fs::path& path, const OrderedJson& json) {
  std::ofstream out(path);
  out << json.dump(4) << "\n";
  if (!out.flush()) throw Error(path.string() + ": cannot write the file");
}

}  // namespace

Simulation read_simulation(const fs::path& path, bool has_mcconfig) {
  const OrderedJson file = read_object(path, "simulation", FileKind::simulation, "a DRAMSys simulation file");
  const std::string where = path.string();
  refuse_unknown(
      file, where,
      {"simulationid", "memspec", "addressmapping", "mcconfig", "simconfig", "thermalconfig", "tracesetup", "thermalsim"});
  for (const char* key : {"memspec", "addressmapping", "tracesetup"}) {
    if (!file.contains(key)) throw Error(where + ": the key '" + key + "' is missing");
  }
  const auto part = [&](const Part& which) {
    const std::string place = where + ": " + which.key;
    return find_part(path, which, text_at(file[which.key], place), place);
  };
  Simulation run;
  run.workload["memspec"] = part(kMemspec).string();
  run.workload["addressmapping"] = part(kMapping).string();
  if (file.contains("mcconfig") && !has_mcconfig) run.mcconfig = part(kController);
  if (file.contains("simconfig")) read_settings(part(kSimulatorSettings), run.workload);
  read_initiators(path, file["tracesetup"], run.workload);
  return run;
}

std::vector<std::string> read_mcconfig(const fs::path& path) {
  const OrderedJson file = read_object(path, "mcconfig", FileKind::controller, "a DRAMSys controller configuration (mcconfig)");
  const std::vector<ParameterInfo> parameters = parameter_table();
  std::vector<std::string> names, assignments;
  for (const ParameterInfo& parameter : parameters) names.push_back(parameter.name);
  for (const auto& [key, value] : file.items()) {
    const std::string where = path.string() + ": " + printable(key, 60);
    const auto known = std::ranges::find(parameters, key, &ParameterInfo::name);
    if (known != parameters.end()) {
      const std::string text = value_text(value, where);
      try {
        (void)known->parse(text);
      } catch (const Error& error) {
        throw Error(path.string() + ": " + error.what());
      }
      assignments.push_back(key + "=" + text);
      continue;
    }
    const auto* foreign =
        std::ranges::find(kForeignKeys, std::string_view(key), [](const ForeignKey& f) { return std::string_view(f.name); });
    if (foreign == std::end(kForeignKeys))
      throw Error(path.string() + ": unknown key '" + printable(key, 60) + "'" + did_you_mean(key, names));
    if (foreign->only_off && !is_off(value)) {
      throw Error(where + " (" + foreign->doc + ") is not modelled; expected 0, found " + shown(value));
    }
  }
  return assignments;
}

fs::path write_simulation(const fs::path& dir, const WorkloadOptions& workload, std::span<const std::int64_t> design) {
  std::error_code ec;
  if (fs::exists(dir, ec) && !(fs::is_directory(dir, ec) && fs::is_empty(dir, ec))) {
    throw UsageError(dir.string() + ": is there already; the files of the reference are written into a new folder");
  }
  const fs::path configs = dir / "configs";
  const fs::path folders[] = {dir / "simulations",   configs / "memspecs",   configs / "amconfigs", configs / "mcconfigs",
                              configs / "simulator", configs / "thermalsim", dir / "traces"};
  for (const fs::path& folder : folders) {
    fs::create_directories(folder, ec);
    if (ec) throw Error(folder.string() + ": cannot make the folder: " + ec.message());
  }
  const auto copy = [&ec](const fs::path& from, const fs::path& to) {
    fs::copy_file(from, to, ec);
    if (ec) throw Error(to.string() + ": cannot write the file: " + ec.message());
  };
  copy(find_data_file("dram/memspecs", workload.at("memspec"), {".json"}), configs / "memspecs" / "memspec.json");
  copy(find_data_file("dram/amconfigs", workload.at("addressmapping"), {".json"}), configs / "amconfigs" / "mapping.json");

  const fs::path trace =
      find_data_file("dram/traces", workload.at("trace"), {".stl", ".rstl", ".stl.gz", ".rstl.gz", ".stl.zst", ".rstl.zst"});
  const TraceFormat& format = recognise_trace(trace);
  const bool relative = is_stl(format) && uncompressed_name(trace).extension() == ".rstl";
  const std::string name = relative ? "trace.rstl" : "trace.stl";
  ConvertOptions options{.from = format.name};
  if (format.time_kind == TimeKind::real) options.read.clk_mhz = static_cast<std::uint32_t>(std::stoul(workload.at("clk_mhz")));
  if (is_stl(format) || format.has_lengths) options.burst_bytes = load_memspec(workload.at("memspec")).bytes_per_burst();
  convert_trace(trace, dir / "traces" / name, options);

  OrderedJson controller;
  const std::vector<ParameterInfo> parameters = parameter_table();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].labels.empty()) {
      controller[parameters[i].name] = design[i];
    } else {
      controller[parameters[i].name] = parameters[i].format(design[i]);
    }
  }
  write_json(configs / "mcconfigs" / "mcconfig.json", {{"mcconfig", controller}});
  write_json(configs / "simulator" / "simconfig.json", {{"simconfig",
                                                         {{"SimulationName", "exarch"},
                                                          {"Debug", false},
                                                          {"DatabaseRecording", false},
                                                          {"PowerAnalysis", true},
                                                          {"EnableWindowing", false},
                                                          {"WindowSize", 1000},
                                                          {"ThermalSimulation", false},
                                                          {"SimulationProgressBar", false},
                                                          {"CheckTLM2Protocol", false},
                                                          {"ECCControllerMode", "Disabled"},
                                                          {"ErrorChipSeed", 42},
                                                          {"ErrorCSVFile", ""},
                                                          {"StoreMode", "NoStorage"},
                                                          {"UseMalloc", false},
                                                          {"AddressOffset", std::stoull(workload.at("address_offset"))}}}});
  write_json(configs / "thermalsim" / "config.json",
             {{"thermalsimconfig", {{"TemperatureScale", "Celsius"}, {"StaticTemperatureDefaultValue", 89}}}});
  fs::path simulation = dir / "simulations" / "exarch.json";
  write_json(simulation,
             {{"simulation",
               {{"simulationid", "exarch"},
                {"memspec", "memspec.json"},
                {"addressmapping", "mapping.json"},
                {"mcconfig", "mcconfig.json"},
                {"simconfig", "simconfig.json"},
                {"thermalconfig", "config.json"},
                {"tracesetup", OrderedJson::array({{{"name", name}, {"clkMhz", std::stoul(workload.at("clk_mhz"))}}})}}}});
  return simulation;
}

}  // namespace exarch::dram
