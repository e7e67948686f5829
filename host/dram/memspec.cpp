#include "host/dram/memspec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "host/dram/json_file.hpp"
#include "host/dram/standards/standard.hpp"
#include "host/error.hpp"
#include "host/files/data_dir.hpp"
#include "host/files/file_kind.hpp"
#include "kernels/dram/system/types.hpp"

namespace exarch::dram {
namespace {

constexpr std::uint32_t kMaxTiming = 10'000;
// The shipped "less refresh" memory effectively switches refresh off with an interval of
// 300,000,000.
constexpr std::uint32_t kMaxRefreshInterval = 1'000'000'000;

bool is_ddr3(const MemSpec& spec) {
  return spec.memory_type == "DDR3";
}

void append(Keys& keys, const Keys& more) {
  keys.insert(keys.end(), more.begin(), more.end());
}

// ---- the keys of each object --------------------------------------------------------------------

const Keys kMemspecKeys{"memoryId",      "memoryType",       "memarchitecturespec", "mempowerspec",
                        "memtimingspec", "memimpedancespec", "bankwisespec",        "prepostamble"};

// DRAMSys 5 spells nbrOfDevicesOnDIMM as nbrOfDevices, HBM2's nbrOfRanks as nbrOfPseudoChannels, and has maxBurstLength besides.
Keys architecture_keys(const MemoryStandard& standard) {
  Keys keys{"burstLength", "dataRate",           "nbrOfBanks",    "nbrOfColumns", "nbrOfRanks",     "nbrOfRows",
            "width",       "nbrOfDevicesOnDIMM", "nbrOfChannels", "nbrOfDevices", "maxBurstLength", "nbrOfBankGroups"};
  if (standard.memory_type == "HBM2") append(keys, {"nbrOfPseudoChannels", "nbrOfStacks"});
  if (standard.memory_type == "DDR4") append(keys, {"RefMode"});
  return keys;
}

// A current or voltage: what the file calls it, in the spellings of both releases, and where it goes.
struct Current {
  std::string key, other;  // `other`: the spelling of DRAMSys 5.5; "" if the same
  double PowerSpec::*value;
  bool second;    // of the second voltage domain
  bool required;  // otherwise for power-down only
};

std::vector<Current> currents_of(const MemoryStandard& standard) {
  if (standard.energy == EnergyModel::none) return {};
  std::vector<Current> list{
      {"idd0", "", &PowerSpec::idd0, false, true},          {"idd2n", "", &PowerSpec::idd2n, false, true},
      {"idd3n", "", &PowerSpec::idd3n, false, true},        {"idd4r", "", &PowerSpec::idd4r, false, true},
      {"idd4w", "", &PowerSpec::idd4w, false, true},        {"idd5", "idd5B", &PowerSpec::idd5, false, true},
      {"idd6", "idd6n", &PowerSpec::idd6, false, false},    {"idd2p0", "idd2p", &PowerSpec::idd2p0, false, false},
      {"idd3p0", "idd3p", &PowerSpec::idd3p0, false, false}};
  if (standard.energy == EnergyModel::one_domain) return list;
  list.push_back({"idd02", "ipp0", &PowerSpec::idd0, true, true});
  list.push_back({"idd62", "ipp6n", &PowerSpec::idd6, true, false});
  if (standard.energy == EnergyModel::second_domain_idd0_idd6) return list;
  list.push_back({"idd2n2", "", &PowerSpec::idd2n, true, true});
  list.push_back({"idd3n2", "", &PowerSpec::idd3n, true, true});
  list.push_back({"idd4r2", "", &PowerSpec::idd4r, true, true});
  list.push_back({"idd4w2", "", &PowerSpec::idd4w, true, true});
  list.push_back({"idd52", "", &PowerSpec::idd5, true, true});
  list.push_back({"idd2p02", "", &PowerSpec::idd2p0, true, false});
  list.push_back({"idd3p02", "", &PowerSpec::idd3p0, true, false});
  return list;
}

Keys power_keys(const MemoryStandard& standard) {
  Keys keys{"vdd"};
  for (const Current& current : currents_of(standard)) {
    keys.push_back(current.key);
    if (standard.memory_type == "DDR4" && !current.other.empty()) keys.push_back(current.other);
  }
  if (standard.energy != EnergyModel::one_domain) append(keys, {"vdd2", "vpp"});
  append(keys, standard.unused_currents);
  return keys;
}

Keys timing_keys(const MemoryStandard& standard) {
  Keys keys{"clkMhz", "tCK"};
  append(keys, standard.times);
  append(keys, standard.power_down_times);
  append(keys, standard.unused_times);
  for (const auto& [spelling, name] : standard.other_spellings) keys.push_back(spelling);
  return keys;
}

// ---- the objects --------------------------------------------------------------------------------

void read_architecture(const JsonObject& arch, const MemoryStandard& standard, MemSpec& spec) {
  const bool pseudo_channels = arch.has("nbrOfPseudoChannels") && !arch.has("nbrOfRanks");
  const char* const ranks_key = pseudo_channels ? "nbrOfPseudoChannels" : "nbrOfRanks";
  spec.burst_length = arch.integer("burstLength", 1, 1024);
  spec.data_rate = arch.integer("dataRate", 1, 1024);
  spec.banks = arch.integer("nbrOfBanks", 1, 65536);
  spec.columns = arch.integer("nbrOfColumns", 1, 1u << 24);
  spec.rows = arch.integer("nbrOfRows", 1, 1u << kMaxRowBits);
  spec.ranks = arch.integer(ranks_key, 1, 65536);
  spec.width = arch.integer("width", 1, 1024);
  const char* const devices_key = arch.has("nbrOfDevices") ? "nbrOfDevices" : "nbrOfDevicesOnDIMM";
  spec.devices = standard.is_dimm || arch.has(devices_key) ? arch.integer(devices_key, 1, 1024) : 1;
  spec.channels = arch.integer("nbrOfChannels", 1, 65536);
  if (standard.has_bank_groups || arch.has("nbrOfBankGroups")) spec.bank_groups = arch.integer("nbrOfBankGroups", 1, 1024);
  const auto most = [&](const char* key, std::uint32_t value, std::uint32_t limit, const char* what) {
    if (value <= limit) return;
    arch.fail(key, std::to_string(value) + " " + what + " are not supported (" + spec.memory_type + ": up to " +
                       std::to_string(limit) + ")");
  };
  most(ranks_key, spec.ranks, system::kMaxRanks, "ranks");
  most("nbrOfChannels", spec.channels, system::kMaxChannels, "channels");
  most("nbrOfBanks", spec.banks, is_ddr3(spec) ? kMaxBanks : system::kMaxBanksPerRank, "banks");
  most("nbrOfBanks", spec.banks * spec.ranks, system::kMaxBanksPerChannel, "banks in all ranks");
  if (!standard.has_bank_groups) most("nbrOfBankGroups", spec.bank_groups, 1, "bank groups");
  if (!standard.is_dimm && spec.devices != 1) most(devices_key, spec.devices, 1, "devices");
  if (arch.has("nbrOfStacks")) most("nbrOfStacks", arch.integer("nbrOfStacks", 1, 1024), 1, "stacks");
  if (spec.banks % spec.bank_groups != 0) {
    arch.fail("nbrOfBankGroups", "must divide nbrOfBanks, the banks of all groups of a rank; is " +
                                     std::to_string(spec.bank_groups) + " of " + std::to_string(spec.banks) + " banks");
  }
  if (spec.width * spec.devices % 8 != 0) {
    arch.fail("width", "width x number of devices must be a whole number of bytes, is " +
                           std::to_string(spec.width * spec.devices) + " bits");
  }
  if (spec.burst_length % spec.data_rate != 0) {
    arch.fail("burstLength", "must be a multiple of dataRate, so that a burst takes whole cycles");
  }
}

void read_times(const JsonObject& node, const MemoryStandard& standard, MemSpec& spec) {
  const auto spelling_of = [&](const std::string& name) {
    if (node.has(name)) return name;
    for (const auto& [spelling, meant] : standard.other_spellings) {
      if (meant == name && node.has(spelling)) return spelling;
    }
    return name;
  };
  for (const std::string& name : standard.times) {
    const std::string key = spelling_of(name);
    const bool interval = is_one_of(standard.intervals, name);
    spec.times[name] = node.integer(key, interval ? 1 : 0, interval ? kMaxRefreshInterval : kMaxTiming);
  }
  for (const std::string& name : standard.power_down_times) {
    if (node.has(spelling_of(name))) {
      spec.times[name] = node.integer(spelling_of(name), 0, kMaxTiming);
    } else {
      spec.missing.push_back(name);
    }
  }
  if (spec.memory_type != "DDR4") return;
  // Fine granularity: its own refresh time, which the usual mode does not need.
  const std::uint32_t mode = spec.times["REFM"];
  if (mode != 1 && mode != 2 && mode != 4) node.fail("REFM", "must be 1, 2 or 4, is " + std::to_string(mode));
  const std::string key = "RFC" + std::to_string(mode);
  if (mode != 1) spec.times[key] = node.integer(key, 0, kMaxTiming);
}

Timing timing_of(const MemSpec& spec) {
  const auto cycles = [&spec](const char* key) { return spec.cycles(key); };
  Timing t{};
  t.tRCD = cycles("RCD");
  t.tRP = cycles("RP");
  t.tRAS = cycles("RAS");
  t.tRC = cycles("RC");
  t.tRRD = cycles("RRD");
  t.tFAW = cycles("FAW");
  t.tCCD = cycles("CCD");
  t.tRTP = cycles("RTP");
  t.tWR = cycles("WR");
  t.tWTR = cycles("WTR");
  t.tRL = cycles("RL");
  t.tWL = cycles("WL");
  t.tAL = cycles("AL");
  t.tRFC = cycles("RFC");
  t.tREFI = cycles("REFI");
  t.burst = spec.burst_length / spec.data_rate;
  t.banks = spec.banks;
  return t;
}

// Distances the controller and the energy model derive by subtraction must not be negative: in the
// reference simulator they wrap around, and the run never finishes.
void check_timing(const JsonObject& node, const Timing& t) {
  const auto require = [&](bool holds, const char* key, const char* rule, std::uint32_t value) {
    if (!holds) node.fail(key, std::string("must be ") + rule + ", is " + std::to_string(value));
  };
  require(t.tAL <= t.tRCD, "AL", "at most RCD", t.tAL);
  require(t.tRAS <= t.tRC, "RAS", "at most RC", t.tRAS);
  require(t.tWL <= t.tRL + t.burst + 2, "WL", "at most RL + burstLength / dataRate + 2", t.tWL);
  // An implicit precharge must be over before the bank's next ACT, or the energy model's command stream is out of order.
  require(t.tRTP + t.tRP >= 4, "RP", "at least 4 - RTP", t.tRP);
  require(t.tRTP <= t.write_to_precharge(), "RTP", "at most WL + burstLength / dataRate + WR", t.tRTP);
  require(t.tRP <= t.tRFC, "RP", "at most RFC", t.tRP);
  require(t.tREFI > t.tRFC, "REFI", "greater than RFC, or refresh would take all the time", t.tREFI);
}

// The same for the other standards: the rows themselves are looked at.
void check_protocol(const JsonObject& node, const MemSpec& spec) {
  try {
    const system::Protocol p = protocol_of(spec).protocol;
    const auto rest = [&p](system::Command command) {
      const auto c = code_of(command);
      return p.distance[static_cast<std::size_t>(system::Scope::rank)][c][c];
    };
    const auto greater = [&](const char* key, std::uint32_t interval, std::int32_t time) {
      if (static_cast<std::int64_t>(interval) > time) return;
      node.fail(key, "the interval of " + std::to_string(interval) + " cycles must be greater than the " + std::to_string(time) +
                         " cycles that a refresh takes, or refresh would take all the time");
    };
    greater("REFI", p.refresh_interval, rest(system::Command::REFA));
    if (p.per_bank_interval != 0) {
      greater(spec.memory_type == "HBM2" ? "REFISB" : "REFIPB", p.per_bank_interval, rest(system::Command::REFB));
    }
  } catch (const NegativeDistance& problem) {
    node.fail(problem.key(), problem.what());
  }
  if (!spec.has_energy) return;
  if (spec.cycles("RAS") > spec.cycles("RC")) node.fail("RAS", "must be at most RC, is " + std::to_string(spec.cycles("RAS")));
  if (spec.cycles("RP") > spec.cycles("RFC")) node.fail("RP", "must be at most RFC, is " + std::to_string(spec.cycles("RP")));
}

// Clock of a cycle time, in whole MHz as DRAMSys 4.0 counts.
std::uint32_t mhz_of_seconds(double seconds) {
  return static_cast<std::uint32_t>(std::lround(1e-6 / seconds));
}

double read_cycle_time(const JsonObject& timing) {
  constexpr double kShortest = 1e-11, kLongest = 1e-6;  // 100,000 and 1 MHz
  const json& value = timing.require("tCK");
  const double seconds = value.is_number() ? value.get<double>() : 0;
  if (seconds >= kShortest && seconds <= kLongest) return seconds;
  timing.fail("tCK", "expected the cycle time in seconds, from 1e-11 to 1e-6 (800 MHz: 1.25e-9), found " + shown(value));
}

// A file that has a value in the spelling of DRAMSys 4.0 and in that of DRAMSys 5 must have the same one in both.
void check_spellings(const JsonObject& arch, const JsonObject& timing) {
  std::vector<std::string> differ;
  const JsonObject* first = nullptr;
  std::string first_key;
  const auto disagree = [&](const JsonObject& node, const char* key, const std::string& text) {
    differ.push_back(text);
    if (first == nullptr) first = &node, first_key = key;
  };
  const auto pair = [](const JsonObject& node, const char* key, const char* other) {
    return std::string(key) + " " + shown(node.require(key)) + " and " + other + " " + shown(node.require(other));
  };
  if (arch.has("nbrOfDevices") && arch.has("nbrOfDevicesOnDIMM") &&
      arch.require("nbrOfDevices") != arch.require("nbrOfDevicesOnDIMM")) {
    disagree(arch, "nbrOfDevices", pair(arch, "nbrOfDevicesOnDIMM", "nbrOfDevices"));
  }
  if (arch.has("maxBurstLength") && arch.integer("maxBurstLength", 1, 1024) < arch.integer("burstLength", 1, 1024)) {
    disagree(arch, "maxBurstLength", pair(arch, "burstLength", "maxBurstLength"));
  }
  if (timing.has("clkMhz") && timing.has("tCK") &&
      timing.integer("clkMhz", 1, 100'000) != mhz_of_seconds(read_cycle_time(timing))) {
    disagree(timing, "tCK",
             pair(timing, "clkMhz", "tCK") + " s (" + std::to_string(mhz_of_seconds(read_cycle_time(timing))) + " MHz)");
  }
  if (differ.empty()) return;
  std::string list;
  for (const std::string& text : differ) list += (list.empty() ? "" : "; ") + text;
  first->fail(first_key, "the spellings of DRAMSys 4.0 and DRAMSys 5 disagree: " + list + "; keep one of each");
}

void read_clock(const JsonObject& timing, MemSpec& spec) {
  if (timing.has("clkMhz") || !timing.has("tCK")) {
    spec.clk_mhz = timing.integer("clkMhz", 1, 100'000);
  } else {
    spec.clk_mhz = mhz_of_seconds(read_cycle_time(timing));
  }
  spec.tck_ps = (1'000'000 + spec.clk_mhz / 2) / spec.clk_mhz;
  if (timing.has("clkMhz")) return;
  const double tck_ps = read_cycle_time(timing) * 1e12;
  if (std::lround(tck_ps) == static_cast<long>(spec.tck_ps)) return;
  spec.warnings.push_back("tCK of " + shown(timing.require("tCK")) +
                          " s is no whole number of MHz; as in DRAMSys 4.0 the clock is " + std::to_string(spec.clk_mhz) +
                          " MHz, so a cycle takes " + std::to_string(spec.tck_ps) + " ps");
}

// The six currents that every energy model has.
struct CurrentKey {
  const char* key;
  double PowerSpec::*current;
};
constexpr std::array<CurrentKey, 6> kCurrents{{{"idd0", &PowerSpec::idd0},
                                               {"idd2n", &PowerSpec::idd2n},
                                               {"idd3n", &PowerSpec::idd3n},
                                               {"idd4r", &PowerSpec::idd4r},
                                               {"idd4w", &PowerSpec::idd4w},
                                               {"idd5", &PowerSpec::idd5}}};

// 1000 x value, exactly as the decimal number would be read: 0.041 gives 41.
double thousandfold(double value) {
  char text[40];
  char* const end = std::to_chars(text, std::end(text), value, std::chars_format::scientific).ptr;
  const std::string digits(text, end);
  const std::size_t e = digits.find('e');
  return std::stod(digits.substr(0, e) + "e" + std::to_string(std::stoi(digits.substr(e + 1)) + 3));
}

void read_power(const JsonObject& node, const MemoryStandard& standard, MemSpec& spec) {
  constexpr double kMost = 1'000'000;
  for (const Current& current : currents_of(standard)) {
    PowerSpec& domain = current.second ? spec.second_power : spec.power;
    double& value = domain.*current.value;
    const bool other = !node.has(current.key) && !current.other.empty() && node.has(current.other);
    const std::string& key = other ? current.other : current.key;
    if (current.required || node.has(key)) {
      value = node.real(key, 0, kMost);
    } else {
      spec.missing.push_back(current.key);
    }
  }
  spec.power.vdd = node.real("vdd", 0.001, 1000);
  if (standard.energy == EnergyModel::one_domain) return;
  spec.second_power.vdd = node.real(!node.has("vdd2") && node.has("vpp") ? "vpp" : "vdd2", 0.001, 1000);
}

// Files with tCK are of DRAMSys 5, which writes A; files of an early release of it have mA. No device draws 5 A or more, and none
// less than 5 mA, so the numbers tell.
void convert_amperes(const JsonObject& node, MemSpec& spec) {
  const double kLimit = is_ddr3(spec) || spec.memory_type == "DDR4" ? 5 : 0.5;
  std::string amperes, milliamperes;
  // The devices of other standards draw less at rest; the largest current tells.
  const double most = std::max({spec.power.idd4r, spec.power.idd4w, spec.power.idd5, spec.power.idd0});
  for (const CurrentKey& each : kCurrents) {
    const double value = spec.power.*each.current;
    if (value == 0) continue;
    std::string& list = (is_ddr3(spec) ? value : most) < kLimit ? amperes : milliamperes;
    list += (list.empty() ? "" : ", ") + std::string(each.key) + " " + shown(value);
  }
  if (!amperes.empty() && !milliamperes.empty()) {
    node.fail(amperes.substr(0, amperes.find(' ')), "the currents have two units: " + amperes + " can only be A, and " +
                                                        milliamperes + " only mA; write all in A, as DRAMSys 5 does");
  }
  if (!milliamperes.empty()) {
    spec.warnings.push_back("the currents (" + milliamperes +
                            ") are read in mA: too large for A, in which DRAMSys 5 writes them");
    return;
  }
  for (const Current& each : currents_of(*find_standard(spec.memory_type))) {
    PowerSpec& domain = each.second ? spec.second_power : spec.power;
    double& value = domain.*each.value;
    value = thousandfold(value);
  }
}

// What is legal, and what the reference takes as it stands, but hardly what was meant.
void warn_of_power(MemSpec& spec) {
  constexpr double kLeast_ma = 1, kMost_ma = 10'000, kLeast_v = 0.5, kMost_v = 5;
  const PowerSpec& p = spec.power;
  std::string low, high;
  const bool small = spec.memory_type == "WIDEIO_SDR";  // mobile devices draw less
  for (const CurrentKey& each : kCurrents) {
    const double value = p.*each.current;
    std::string* const list = value > 0 && value < kLeast_ma && !small ? &low : value > kMost_ma ? &high : nullptr;
    if (list != nullptr) *list += (list->empty() ? "" : ", ") + std::string(each.key) + " " + shown(value) + " mA";
  }
  if (!low.empty()) {
    spec.warnings.push_back(
        "implausible current: " + low +
        "; DRAMSys 5 writes A, a file with clkMhz is read in mA: if A was meant, multiply by 1000, or energies "
        "are 1000 times too low");
  }
  if (!high.empty()) spec.warnings.push_back("implausible current: " + high + "; currents are those of one device, in mA");
  if (p.vdd < kLeast_v || p.vdd > kMost_v) {
    spec.warnings.push_back("implausible voltage: vdd " + shown(p.vdd) + " V; voltages are in V");
  }
  struct Share {
    const char *above_key, *below_key, *what;
    double above, below;
  };
  std::string negative;
  for (const Share& share :
       {Share{"idd0", "idd3n", "activate", p.idd0, p.idd3n}, Share{"idd0", "idd2n", "precharge", p.idd0, p.idd2n},
        Share{"idd4r", "idd3n", "read", p.idd4r, p.idd3n}, Share{"idd4w", "idd3n", "write", p.idd4w, p.idd3n},
        Share{"idd5", "idd3n", "refresh", p.idd5, p.idd3n}}) {
    if (share.above >= share.below) continue;
    negative += (negative.empty() ? "" : ", ") + std::string(share.above_key) + " " + shown(share.above) + " below " +
                share.below_key + " " + shown(share.below) + " (" + share.what + ")";
  }
  if (!negative.empty()) {
    spec.warnings.push_back("shares of the energy become negative, as in the reference simulator: " + negative +
                            "; these currents (mA) cannot be those of a device");
  }
}

// Keys that say again what other keys say, of which only the others count; and times that leave none for accesses.
void warn_of_timing(const JsonObject& arch, const JsonObject& timing, MemSpec& spec) {
  const auto number = [](const JsonObject& node, const char* key) -> std::optional<double> {
    if (!node.has(key) || !node.require(key).is_number()) return std::nullopt;
    return node.require(key).get<double>();
  };
  const std::uint32_t al = spec.cycles("AL"), rl = spec.cycles("RL");
  if (const auto cl = number(timing, "CL"); cl && *cl + al != rl) {
    spec.warnings.push_back("RL " + std::to_string(rl) + " counts, CL " + shown(timing.require("CL")) +
                            " has no effect, as in the reference simulator; they contradict each other: RL should be AL + CL = " +
                            std::to_string(std::lround(*cl + al)));
  }
  const std::uint32_t rfc = spec.cycles("RFC"), rcd = spec.cycles("RCD"), refi = spec.cycles("REFI");
  if (rfc + rcd - al > refi) {
    spec.warnings.push_back("REFI " + std::to_string(refi) + " is too short: RFC " + std::to_string(rfc) + " and RCD - AL " +
                            std::to_string(rcd - al) +
                            " leave no time for an access between two refreshes, so with "
                            "RefreshPolicy=AllBank a run may never end, as in the reference simulator");
  }
  if (const auto most = number(arch, "maxBurstLength"); most && *most > spec.burst_length) {
    spec.warnings.push_back("burstLength " + std::to_string(spec.burst_length) + " counts, maxBurstLength " +
                            shown(arch.require("maxBurstLength")) + " has no effect");
  }
}

}  // namespace

static MemSpec read_memspec(const std::filesystem::path& path) {
  const JsonFile file(path);
  const JsonObject root = JsonObject::open(file, "memspec", "memarchitecturespec", kMemspecKeys);
  MemSpec spec;
  spec.memory_type = root.text("memoryType");
  const MemoryStandard* const standard = find_standard(spec.memory_type);
  if (standard == nullptr) {
    root.fail("memoryType", "'" + spec.memory_type + "' is not supported (now supported: " + standard_names() + ")");
  }
  spec.id = root.text("memoryId");
  spec.has_energy = standard->energy != EnergyModel::none;
  const Keys architecture_known = architecture_keys(*standard), timing_known = timing_keys(*standard),
             power_known = power_keys(*standard);
  const JsonObject architecture = root.object("memarchitecturespec", architecture_known);
  const JsonObject timing = root.object("memtimingspec", timing_known);
  check_spellings(architecture, timing);
  read_architecture(architecture, *standard, spec);
  read_times(timing, *standard, spec);
  read_clock(timing, spec);
  if (is_ddr3(spec)) {
    spec.timing = timing_of(spec);
    check_timing(timing, spec.timing);
  }
  if (spec.ranks > 1 && std::ranges::find(spec.missing, "RTRS") != spec.missing.end()) (void)timing.require("RTRS");
  check_protocol(timing, spec);
  if (spec.has_energy) {
    const JsonObject power = root.object("mempowerspec", power_known);
    read_power(power, *standard, spec);
    if (!timing.has("clkMhz")) convert_amperes(power, spec);
    power.refuse_unknown_keys();
    warn_of_power(spec);
  }
  for (const JsonObject* node : {&root, &architecture, &timing}) node->refuse_unknown_keys();
  warn_of_timing(architecture, timing, spec);
  for (std::string& warning : spec.warnings) warning.insert(0, "memory '" + spec.id + "': ");
  return spec;
}

MemSpec load_memspec(const std::string& name) {
  const std::filesystem::path path = find_data_file("dram/memspecs", name, {".json"});
  return named_if_foreign(path, {FileKind::memspec, FileKind::json}, "a memory specification",
                          [&] { return read_memspec(path); });
}

}  // namespace exarch::dram
