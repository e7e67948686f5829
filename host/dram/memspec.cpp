#include "host/dram/memspec.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/data_dir.hpp"
#include "host/files/file_kind.hpp"
#include "host/files/json.hpp"

namespace exarch::dram {
namespace {

using nlohmann::json;

constexpr std::uint32_t kMaxAddressBit = 62;
constexpr std::uint32_t kMaxTiming = 10'000;
// The shipped "less refresh" memory effectively switches refresh off with an interval of
// 300,000,000.
constexpr std::uint32_t kMaxRefreshInterval = 1'000'000'000;

// The keys of DRAMSys' DDR3 memory specifications, object by object; those of power-down are of no use here and accepted. DRAMSys
// 5 spells nbrOfDevicesOnDIMM as nbrOfDevices, has tCK in seconds for clkMhz, and maxBurstLength besides.
// clang-format off
using Keys = std::vector<std::string>;
const Keys kMemspecKeys{"memoryId", "memoryType", "memarchitecturespec", "mempowerspec", "memtimingspec"};
const Keys kArchitectureKeys{
    "burstLength", "dataRate", "nbrOfBanks", "nbrOfColumns", "nbrOfRanks", "nbrOfRows", "width", "nbrOfDevicesOnDIMM",
    "nbrOfChannels", "nbrOfDevices", "maxBurstLength"};
const Keys kPowerKeys{
    "idd0", "idd2n", "idd2p0", "idd2p1", "idd3n", "idd3p0", "idd3p1", "idd4r", "idd4w", "idd5", "idd6", "vdd"};
const Keys kTimingKeys{
    "AL", "CCD", "CKE", "CKESR", "CL", "DQSCK", "FAW", "RAS", "RC", "RCD", "REFI", "RFC", "RL", "RP", "RRD", "RTP", "WL", "WR",
    "WTR", "XP", "XPDLL", "XS", "XSDLL", "ACTPDEN", "PRPDEN", "REFPDEN", "RTRS", "clkMhz", "tCK"};
// clang-format on

bool is_one_of(const Keys& keys, const std::string& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// A parsed file together with its text, so that messages can name the line of a key.
class JsonFile {
 public:
  explicit JsonFile(const std::filesystem::path& path)
      : path_(path.string()), text_(read_text(path, "a DRAMSys file")), root_(parse_json(text_, path_)) {}

  [[nodiscard]] const json& root() const { return root_; }

  // `key` is dotted ("memtimingspec.RCD"); its last part is looked up in the text.
  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    const std::string last = '"' + key.substr(key.rfind('.') + 1) + '"';
    const std::size_t at = text_.find(last);
    const std::string line = at == std::string::npos ? "" : ":" + std::to_string(line_at(at + 1));
    throw Error(path_ + line + ": " + key + ": " + what);
  }

 private:
  // Line of the `byte`-th character (counted from 1, as the parser does).
  [[nodiscard]] std::size_t line_at(std::size_t byte) const {
    const std::size_t before = std::min(byte == 0 ? 0 : byte - 1, text_.size());
    const auto end = text_.begin() + static_cast<std::ptrdiff_t>(before);
    return 1 + static_cast<std::size_t>(std::count(text_.begin(), end, '\n'));
  }

  std::string path_;
  std::string text_;
  json root_;
};

// One object of the file, with typed access that explains what is wrong.
class JsonObject {
 public:
  // The object under `wrapper`, or the whole file when that already has the wrapped object's
  // `mark`.
  static JsonObject open(const JsonFile& file, const std::string& wrapper, const std::string& mark, const Keys& known) {
    const json& root = file.root();
    if (root.is_object() && !root.contains(wrapper) && root.contains(mark)) {
      return JsonObject(file, root, "", known);
    }
    if (!root.is_object()) file.fail(wrapper, "expected an object {\"" + wrapper + "\": {...}}");
    const Keys only{wrapper};
    const JsonObject outer(file, root, "", only);
    JsonObject inner = outer.object(wrapper, known);
    outer.refuse_unknown_keys();
    return inner;
  }

  [[nodiscard]] const json& require(const std::string& key) const {
    const auto found = node_->find(key);
    if (found != node_->end()) return *found;
    std::vector<std::string> strangers = keys();
    std::erase_if(strangers, [this](const std::string& name) { return is_one_of(*known_, name); });
    const std::string guess = nearest(key, strangers);
    file_->fail(prefix_ + key, "this key is missing" + (guess.empty() ? "" : " (is '" + guess + "' a misspelling of it?)"));
  }

  // The object's keys are among `known`, which must outlive it; see refuse_unknown_keys().
  [[nodiscard]] JsonObject object(const std::string& key, const Keys& known) const {
    const json& value = require(key);
    if (!value.is_object()) fail(key, "expected an object {...}, found " + shown(value));
    return JsonObject(*file_, value, prefix_ + key + ".", known);
  }

  // Last, so that a missing key is reported together with what may be its misspelling.
  void refuse_unknown_keys() const {
    for (const std::string& key : keys()) {
      if (!is_one_of(*known_, key)) fail(key, "unknown key" + did_you_mean(key, *known_) + "; correct or remove it");
    }
  }

  [[nodiscard]] std::string text(const std::string& key) const {
    const json& value = require(key);
    if (!value.is_string()) fail(key, "expected a text, found " + shown(value));
    return value.get<std::string>();
  }

  [[nodiscard]] std::uint32_t integer(const std::string& key, std::uint32_t low, std::uint32_t high) const {
    return to_integer(key, require(key), low, high);
  }

  [[nodiscard]] double real(const std::string& key, double low, double high) const {
    const json& value = require(key);
    const double number = value.is_number() ? value.get<double>() : -1;
    if (!value.is_number() || !std::isfinite(number) || number < low || number > high) {
      fail(key, "expected a number from " + shown(low) + " to " + shown(high) + ", found " + shown(value));
    }
    return number;
  }

  [[nodiscard]] std::uint32_t to_integer(const std::string& key, const json& value, std::uint32_t low, std::uint32_t high) const {
    const bool valid = value.is_number_unsigned() && value.get<std::uint64_t>() >= low && value.get<std::uint64_t>() <= high;
    if (!valid) {
      fail(key,
           "expected a whole number from " + std::to_string(low) + " to " + std::to_string(high) + ", found " + shown(value));
    }
    return value.get<std::uint32_t>();
  }

  [[nodiscard]] bool has(const std::string& key) const { return node_->contains(key); }

  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> names;
    for (const auto& item : node_->items()) names.push_back(item.key());
    return names;
  }

  [[noreturn]] void fail(const std::string& key, const std::string& what) const { file_->fail(prefix_ + key, what); }

 private:
  JsonObject(const JsonFile& file, const json& node, std::string prefix, const Keys& known)
      : file_(&file), node_(&node), prefix_(std::move(prefix)), known_(&known) {}

  const JsonFile* file_;
  const json* node_;
  std::string prefix_;
  const Keys* known_;
};

// ---- memory specification -----------------------------------------------------------------------

void read_architecture(const JsonObject& arch, MemSpec& spec) {
  constexpr const char* kNow = " (now supported: DDR3, one rank, one channel, up to 8 banks)";
  spec.burst_length = arch.integer("burstLength", 1, 1024);
  spec.data_rate = arch.integer("dataRate", 1, 1024);
  spec.banks = arch.integer("nbrOfBanks", 1, 65536);
  spec.columns = arch.integer("nbrOfColumns", 1, 1u << 24);
  spec.rows = arch.integer("nbrOfRows", 1, 1u << kMaxRowBits);
  spec.ranks = arch.integer("nbrOfRanks", 1, 65536);
  spec.width = arch.integer("width", 1, 1024);
  spec.devices = arch.integer(arch.has("nbrOfDevices") ? "nbrOfDevices" : "nbrOfDevicesOnDIMM", 1, 1024);
  spec.channels = arch.integer("nbrOfChannels", 1, 65536);
  const auto unsupported = [&](const char* key, std::uint32_t value, const char* what) {
    arch.fail(key, std::to_string(value) + " " + what + " are not supported" + kNow);
  };
  if (spec.ranks != 1) unsupported("nbrOfRanks", spec.ranks, "ranks");
  if (spec.channels != 1) unsupported("nbrOfChannels", spec.channels, "channels");
  if (spec.banks > kMaxBanks) unsupported("nbrOfBanks", spec.banks, "banks");
  if (spec.width * spec.devices % 8 != 0) {
    arch.fail("width", "width x number of devices must be a whole number of bytes, is " +
                           std::to_string(spec.width * spec.devices) + " bits");
  }
  if (spec.burst_length % spec.data_rate != 0) {
    arch.fail("burstLength", "must be a multiple of dataRate, so that a burst takes whole cycles");
  }
}

Timing read_timing(const JsonObject& node, const MemSpec& spec) {
  const auto cycles = [&](const char* key) { return node.integer(key, 0, kMaxTiming); };
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
  t.tREFI = node.integer("REFI", 1, kMaxRefreshInterval);
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

PowerSpec read_power(const JsonObject& node) {
  PowerSpec p;
  for (const CurrentKey& each : kCurrents) p.*each.current = node.real(each.key, 0, 1'000'000);
  p.vdd = node.real("vdd", 0.001, 1000);
  return p;
}

// Files with tCK are of DRAMSys 5, which writes A; files of an early release of it have mA. No device draws 5 A or more, and none
// less than 5 mA, so the numbers tell.
void convert_amperes(const JsonObject& node, MemSpec& spec) {
  constexpr double kLimit = 5;
  std::string amperes, milliamperes;
  for (const CurrentKey& each : kCurrents) {
    const double value = spec.power.*each.current;
    if (value == 0) continue;
    std::string& list = value < kLimit ? amperes : milliamperes;
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
  for (const CurrentKey& each : kCurrents) spec.power.*each.current = thousandfold(spec.power.*each.current);
}

// What is legal, and what the reference takes as it stands, but hardly what was meant.
void warn_of_power(MemSpec& spec) {
  constexpr double kLeast_ma = 1, kMost_ma = 10'000, kLeast_v = 0.5, kMost_v = 5;
  const PowerSpec& p = spec.power;
  std::string low, high;
  for (const CurrentKey& each : kCurrents) {
    const double value = p.*each.current;
    std::string* const list = value > 0 && value < kLeast_ma ? &low : value > kMost_ma ? &high : nullptr;
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
  const std::uint32_t al = spec.timing.tAL, rl = spec.timing.tRL;
  if (const auto cl = number(timing, "CL"); cl && *cl + al != rl) {
    spec.warnings.push_back("RL " + std::to_string(rl) + " counts, CL " + shown(timing.require("CL")) +
                            " has no effect, as in the reference simulator; they contradict each other: RL should be AL + CL = " +
                            std::to_string(std::lround(*cl + al)));
  }
  const std::uint32_t rfc = spec.timing.tRFC, rcd = spec.timing.tRCD, refi = spec.timing.tREFI;
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

// ---- address mapping ----------------------------------------------------------------------------

struct FieldKey {
  const char* key;
  std::vector<std::uint32_t> AddressMapping::*bits;
  bool required;
};

constexpr std::array<FieldKey, 7> kFields{{
    {"BYTE_BIT", &AddressMapping::byte_bits, false},
    {"COLUMN_BIT", &AddressMapping::column_bits, true},
    {"ROW_BIT", &AddressMapping::row_bits, true},
    {"BANK_BIT", &AddressMapping::bank_bits, true},
    {"BANKGROUP_BIT", &AddressMapping::bank_group_bits, false},
    {"RANK_BIT", &AddressMapping::rank_bits, false},
    {"CHANNEL_BIT", &AddressMapping::channel_bits, false},
}};

Keys mapping_keys() {
  Keys keys{"XOR"};
  for (const FieldKey& field : kFields) keys.emplace_back(field.key);
  return keys;
}

void read_field(const JsonObject& node, const FieldKey& field, AddressMapping& mapping, std::set<std::uint32_t>& used) {
  if (!field.required && !node.has(field.key)) return;
  const json& list = node.require(field.key);
  if (!list.is_array()) {
    node.fail(field.key, "expected a list of bit numbers, found " + shown(list));
  }
  for (const json& entry : list) {
    const std::uint32_t bit = node.to_integer(field.key, entry, 0, kMaxAddressBit);
    if (!used.insert(bit).second) {
      node.fail(field.key, "bit " + std::to_string(bit) + " is used twice");
    }
    (mapping.*field.bits).push_back(bit);
  }
}

void read_xors(const JsonObject& node, AddressMapping& mapping) {
  if (!node.has("XOR")) return;
  const json& list = node.require("XOR");
  if (!list.is_array()) node.fail("XOR", "expected a list of pairs, found " + shown(list));
  for (const json& pair : list) {
    if (!pair.is_object() || pair.size() != 2 || !pair.contains("FIRST") || !pair.contains("SECOND")) {
      node.fail("XOR", "expected a pair {\"FIRST\": bit, \"SECOND\": bit}, found " + shown(pair));
    }
    const std::uint32_t first = node.to_integer("XOR", pair["FIRST"], 0, kMaxAddressBit);
    const std::uint32_t second = node.to_integer("XOR", pair["SECOND"], 0, kMaxAddressBit);
    if (first == second) {
      node.fail("XOR", "FIRST and SECOND are the same bit, " + std::to_string(first) + ", which would always give 0");
    }
    mapping.xors.push_back({first, second});
  }
}

std::uint32_t gather(std::uint64_t address, const std::vector<std::uint32_t>& bits) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) value |= ((address >> bits[i]) & 1u) << i;
  return static_cast<std::uint32_t>(value);
}

}  // namespace

static MemSpec read_memspec(const std::filesystem::path& path) {
  const JsonFile file(path);
  const JsonObject root = JsonObject::open(file, "memspec", "memarchitecturespec", kMemspecKeys);
  MemSpec spec;
  spec.memory_type = root.text("memoryType");
  if (spec.memory_type != "DDR3") {
    root.fail("memoryType", "'" + spec.memory_type +
                                "' is not supported (now supported: DDR3, one rank, one channel, "
                                "up to 8 banks)");
  }
  spec.id = root.text("memoryId");
  const JsonObject architecture = root.object("memarchitecturespec", kArchitectureKeys);
  const JsonObject timing = root.object("memtimingspec", kTimingKeys);
  check_spellings(architecture, timing);
  read_architecture(architecture, spec);
  spec.timing = read_timing(timing, spec);
  check_timing(timing, spec.timing);
  read_clock(timing, spec);
  const JsonObject power = root.object("mempowerspec", kPowerKeys);
  spec.power = read_power(power);
  if (!timing.has("clkMhz")) convert_amperes(power, spec);
  for (const JsonObject* node : {&root, &architecture, &timing, &power}) node->refuse_unknown_keys();
  warn_of_power(spec);
  warn_of_timing(architecture, timing, spec);
  for (std::string& warning : spec.warnings) warning.insert(0, "memory '" + spec.id + "': ");
  return spec;
}

static AddressMapping read_address_mapping(const std::filesystem::path& path) {
  const JsonFile file(path);
  static const Keys kKeys = mapping_keys();
  // DRAMSys 5 calls the object by another name.
  const bool dramsys5 = file.root().is_object() && file.root().contains("addressmapping");
  if (dramsys5 && file.root().contains("CONGEN")) {
    file.fail("addressmapping", "addressmapping is what DRAMSys 5 calls CONGEN; the file has both, keep one");
  }
  const JsonObject root = JsonObject::open(file, dramsys5 ? "addressmapping" : "CONGEN", "ROW_BIT", kKeys);
  AddressMapping mapping;
  mapping.id = path.stem().string();
  root.refuse_unknown_keys();
  std::set<std::uint32_t> used;
  for (const FieldKey& field : kFields) read_field(root, field, mapping, used);
  if (mapping.row_bits.size() > kMaxRowBits) {
    root.fail("ROW_BIT",
              "at most " + std::to_string(kMaxRowBits) + " bits are supported, found " + std::to_string(mapping.row_bits.size()));
  }
  read_xors(root, mapping);
  return mapping;
}

MemSpec load_memspec(const std::string& name) {
  const std::filesystem::path path = find_data_file("dram/memspecs", name, {".json"});
  return named_if_foreign(path, {FileKind::memspec, FileKind::json}, "a memory specification",
                          [&] { return read_memspec(path); });
}

AddressMapping load_address_mapping(const std::string& name) {
  const std::filesystem::path path = find_data_file("dram/amconfigs", name, {".json"});
  return named_if_foreign(path, {FileKind::mapping, FileKind::json}, "an address mapping",
                          [&] { return read_address_mapping(path); });
}

namespace {

// Where the mapping addresses something else than the memory has; "" if it fits.
std::string misfit(const MemSpec& memspec, const AddressMapping& mapping) {
  std::string problems;
  const auto compare = [&](const char* key, const std::vector<std::uint32_t>& bits, std::uint32_t expected, const char* what) {
    if ((1ull << bits.size()) == expected) return;
    problems += std::string(problems.empty() ? "" : "; ") + key + " has " + std::to_string(bits.size()) +
                " bits, the memory has " + std::to_string(expected) + " " + what;
  };
  compare("BYTE_BIT", mapping.byte_bits, memspec.width * memspec.devices / 8, "byte(s) per column");
  compare("COLUMN_BIT", mapping.column_bits, memspec.columns, "column(s)");
  compare("ROW_BIT", mapping.row_bits, memspec.rows, "row(s)");
  compare("BANK_BIT", mapping.bank_bits, memspec.banks, "bank(s)");
  compare("BANKGROUP_BIT", mapping.bank_group_bits, 1, "bank group(s)");
  compare("RANK_BIT", mapping.rank_bits, memspec.ranks, "rank(s)");
  compare("CHANNEL_BIT", mapping.channel_bits, memspec.channels, "channel(s)");
  return problems;
}

// Those of the shipped files in `folder` that can be read and for which `fits(path)` holds; none without a data folder.
template <class Fits>
std::vector<std::string> shipped_that_fit(const std::string& folder, const Fits& fits) {
  std::vector<std::string> names;
  try {
    const std::filesystem::path dir = data_dir() / folder;
    for (const std::string& name : shipped_names(folder)) {
      try {
        if (fits((dir / (name + ".json")).string())) names.push_back(name);
      } catch (const Error&) {  // of a memory that is not supported
      }
    }
  } catch (const Error&) {
  }
  return names;
}

// "; shipped WHAT that fit: a, b"; `what` is a plural.
std::string advice(const char* what, const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 6;
  if (names.empty()) return std::string("; no shipped ") + what + " fit";
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) text += (i == 0 ? " " : ", ") + names[i];
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return std::string("; shipped ") + what + " that fit:" + text;
}

}  // namespace

void check_mapping_fits(const MemSpec& memspec, const AddressMapping& mapping) {
  const std::string problems = misfit(memspec, mapping);
  if (problems.empty()) return;
  throw Error("address mapping '" + mapping.id + "' does not fit memory '" + memspec.id + "': " + problems +
              advice("address mappings", fitting_mappings(memspec)) + advice("memories", fitting_memspecs(mapping)) +
              "; exarch envs dram lists them");
}

std::vector<std::string> fitting_mappings(const MemSpec& memspec) {
  return shipped_that_fit("dram/amconfigs",
                          [&](const std::string& path) { return misfit(memspec, load_address_mapping(path)).empty(); });
}

std::vector<std::string> fitting_memspecs(const AddressMapping& mapping) {
  return shipped_that_fit("dram/memspecs", [&](const std::string& path) { return misfit(load_memspec(path), mapping).empty(); });
}

namespace {

// In the order of the list: a later pair sees the bits an earlier one has replaced.
std::uint64_t with_xors(const AddressMapping& mapping, std::uint64_t address) {
  for (const AddressMapping::Xor& pair : mapping.xors) {
    address ^= ((address >> pair.second) & 1u) << pair.first;
  }
  return address;
}

}  // namespace

DecodedAddress decode_address(const AddressMapping& mapping, std::uint64_t address) {
  address = with_xors(mapping, address);
  const std::uint32_t bank = gather(address, mapping.bank_bits);
  const std::uint32_t group = gather(address, mapping.bank_group_bits);
  return {.row = gather(address, mapping.row_bits),
          .bank = bank + (group << mapping.bank_bits.size()),
          .column = gather(address, mapping.column_bits)};
}

std::uint64_t mapped_bits(const AddressMapping& mapping) {
  std::uint64_t mask = 0;
  for (const FieldKey& field : kFields) {
    for (const std::uint32_t bit : mapping.*field.bits) mask |= 1ull << bit;
  }
  return mask;
}

std::uint64_t location_of(const AddressMapping& mapping, std::uint64_t address) {
  return with_xors(mapping, address) & mapped_bits(mapping);
}

std::uint64_t max_address(const AddressMapping& mapping) {
  const auto width = static_cast<std::uint32_t>(std::bit_width(mapped_bits(mapping)));
  return (1ull << width) - 1;
}

}  // namespace exarch::dram
