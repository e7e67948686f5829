#include "host/spec/memspec.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/file_kind.hpp"
#include "host/files/json.hpp"
#include "host/spec/data_dir.hpp"

namespace exarch::dram {
namespace {

using nlohmann::json;

constexpr std::uint32_t kMaxAddressBit = 62;
constexpr std::uint32_t kMaxTiming = 10'000;
// The shipped "less refresh" memory effectively switches refresh off with an interval of
// 300,000,000.
constexpr std::uint32_t kMaxRefreshInterval = 1'000'000'000;

// The keys of DRAMSys' DDR3 memory specifications, object by object; those of power-down are of no use here and accepted.
// clang-format off
using Keys = std::vector<std::string>;
const Keys kMemspecKeys{"memoryId", "memoryType", "memarchitecturespec", "mempowerspec", "memtimingspec"};
const Keys kArchitectureKeys{
    "burstLength", "dataRate", "nbrOfBanks", "nbrOfColumns", "nbrOfRanks", "nbrOfRows", "width", "nbrOfDevicesOnDIMM",
    "nbrOfChannels"};
const Keys kPowerKeys{
    "idd0", "idd2n", "idd2p0", "idd2p1", "idd3n", "idd3p0", "idd3p1", "idd4r", "idd4w", "idd5", "idd6", "vdd"};
const Keys kTimingKeys{
    "AL", "CCD", "CKE", "CKESR", "CL", "DQSCK", "FAW", "RAS", "RC", "RCD", "REFI", "RFC", "RL", "RP", "RRD", "RTP", "WL", "WR",
    "WTR", "XP", "XPDLL", "XS", "XSDLL", "ACTPDEN", "PRPDEN", "REFPDEN", "RTRS", "clkMhz"};
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
  spec.devices = arch.integer("nbrOfDevicesOnDIMM", 1, 1024);
  spec.channels = arch.integer("nbrOfChannels", 1, 65536);
  const auto unsupported = [&](const char* key, std::uint32_t value, const char* what) {
    arch.fail(key, std::to_string(value) + " " + what + " are not supported" + kNow);
  };
  if (spec.ranks != 1) unsupported("nbrOfRanks", spec.ranks, "ranks");
  if (spec.channels != 1) unsupported("nbrOfChannels", spec.channels, "channels");
  if (spec.banks > kMaxBanks) unsupported("nbrOfBanks", spec.banks, "banks");
  if (spec.width * spec.devices % 8 != 0) {
    arch.fail("width", "width x nbrOfDevicesOnDIMM must be a whole number of bytes, is " +
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

PowerSpec read_power(const JsonObject& node) {
  const auto current = [&](const char* key) { return node.real(key, 0, 1'000'000); };
  PowerSpec p;
  p.idd0 = current("idd0");
  p.idd2n = current("idd2n");
  p.idd3n = current("idd3n");
  p.idd4r = current("idd4r");
  p.idd4w = current("idd4w");
  p.idd5 = current("idd5");
  p.vdd = node.real("vdd", 0.001, 1000);
  return p;
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
  read_architecture(architecture, spec);
  const JsonObject timing = root.object("memtimingspec", kTimingKeys);
  spec.timing = read_timing(timing, spec);
  check_timing(timing, spec.timing);
  spec.clk_mhz = timing.integer("clkMhz", 1, 100'000);
  spec.tck_ps = (1'000'000 + spec.clk_mhz / 2) / spec.clk_mhz;
  const JsonObject power = root.object("mempowerspec", kPowerKeys);
  spec.power = read_power(power);
  for (const JsonObject* node : {&root, &architecture, &timing, &power}) node->refuse_unknown_keys();
  return spec;
}

static AddressMapping read_address_mapping(const std::filesystem::path& path) {
  const JsonFile file(path);
  static const Keys kKeys = mapping_keys();
  const JsonObject root = JsonObject::open(file, "CONGEN", "ROW_BIT", kKeys);
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

void check_mapping_fits(const MemSpec& memspec, const AddressMapping& mapping) {
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
  if (!problems.empty()) {
    throw Error("address mapping '" + mapping.id + "' does not fit memory '" + memspec.id + "': " + problems);
  }
}

DecodedAddress decode_address(const AddressMapping& mapping, std::uint64_t address) {
  // In the order of the list: a later pair sees the bits an earlier one has replaced.
  for (const AddressMapping::Xor& pair : mapping.xors) {
    address ^= ((address >> pair.second) & 1u) << pair.first;
  }
  const std::uint32_t bank = gather(address, mapping.bank_bits);
  const std::uint32_t group = gather(address, mapping.bank_group_bits);
  return {.row = gather(address, mapping.row_bits),
          .bank = bank + (group << mapping.bank_bits.size()),
          .column = gather(address, mapping.column_bits)};
}

std::uint64_t max_address(const AddressMapping& mapping) {
  std::uint32_t width = 0;
  for (const FieldKey& field : kFields) {
    for (const std::uint32_t bit : mapping.*field.bits) width = std::max(width, bit + 1);
  }
  return (1ull << width) - 1;
}

}  // namespace exarch::dram
