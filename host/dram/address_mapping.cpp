#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/dram/json_file.hpp"
#include "host/dram/memspec.hpp"
#include "host/error.hpp"
#include "host/files/data_dir.hpp"
#include "host/files/file_kind.hpp"

namespace exarch::dram {
namespace {

constexpr std::uint32_t kMaxAddressBit = 62;

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
  keys.emplace_back("PSEUDOCHANNEL_BIT");
  return keys;
}

// A bit is a number; DRAMSys 5 writes a list where it is the XOR of several: [13, 16] is bit 13 ^ bit 16.
void read_bit(const JsonObject& node, const char* key, const json& entry, std::vector<std::uint32_t>& bits,
              std::set<std::uint32_t>& used, std::vector<AddressMapping::Xor>& xors) {
  const bool several = entry.is_array() && !entry.empty();
  const std::uint32_t bit = node.to_integer(key, several ? entry.front() : entry, 0, kMaxAddressBit);
  if (!used.insert(bit).second) node.fail(key, "bit " + std::to_string(bit) + " is used twice");
  bits.push_back(bit);
  for (std::size_t i = 1; several && i < entry.size(); ++i) {
    const std::uint32_t second = node.to_integer(key, entry[i], 0, kMaxAddressBit);
    if (second == bit) node.fail(key, "bit " + std::to_string(bit) + " occurs twice in " + shown(entry));
    xors.push_back({bit, second});
  }
}

void read_field(const JsonObject& node, const FieldKey& field, AddressMapping& mapping, std::set<std::uint32_t>& used) {
  // DRAMSys 5 has HBM2's pseudo channels under a name of their own.
  const bool pseudo_channels = std::string_view(field.key) == "RANK_BIT" && node.has("PSEUDOCHANNEL_BIT");
  if (pseudo_channels && node.has("RANK_BIT")) node.fail("RANK_BIT", "RANK_BIT and PSEUDOCHANNEL_BIT are one field; keep one");
  const char* const key = pseudo_channels ? "PSEUDOCHANNEL_BIT" : field.key;
  if (!field.required && !node.has(key)) return;
  const json& list = node.require(key);
  if (!list.is_array()) node.fail(key, "expected a list of bit numbers, found " + shown(list));
  for (const json& entry : list) read_bit(node, key, entry, mapping.*field.bits, used, mapping.xors);
}

// Lists of bits all mean the bits of the address itself; here one XOR follows the other.
void refuse_chains(const JsonObject& node, const AddressMapping& mapping) {
  for (const AddressMapping::Xor& pair : mapping.xors) {
    for (const AddressMapping::Xor& other : mapping.xors) {
      if (pair.second != other.first) continue;
      node.fail("XOR of bits " + std::to_string(pair.first) + " and " + std::to_string(pair.second),
                "bit " + std::to_string(pair.second) + " is itself replaced by an XOR, which is not supported in lists of bits");
    }
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
  refuse_chains(root, mapping);
  read_xors(root, mapping);
  return mapping;
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
  compare("BANK_BIT", mapping.bank_bits, memspec.banks / memspec.bank_groups,
          memspec.bank_groups == 1 ? "bank(s)" : "bank(s) per group");
  compare("BANKGROUP_BIT", mapping.bank_group_bits, memspec.bank_groups, "bank group(s)");
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
          .column = gather(address, mapping.column_bits),
          .rank = gather(address, mapping.rank_bits),
          .channel = gather(address, mapping.channel_bits)};
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
