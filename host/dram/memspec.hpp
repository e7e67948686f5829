// Memory specification and address mapping: what DRAMSys' JSON files say, checked, in our types.
//
// Used by the DRAM environment, the trace packer and the tests. Errors are thrown as exarch::Error and name the file, the
// key and what is expected; an absurd value (zero banks, a distance that would be negative) never gets past here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/dram/types.hpp"

namespace exarch::dram {

// Currents in mA, voltage in V, of one voltage domain of "mempowerspec".
struct PowerSpec {
  double idd0 = 0, idd2n = 0, idd3n = 0, idd4r = 0, idd4w = 0, idd5 = 0, vdd = 0;
  double idd6 = 0, idd2p0 = 0, idd3p0 = 0;  // self-refresh, power-down
};

struct MemSpec {
  std::string id;           // "memoryId"
  std::string memory_type;  // "DDR3", "DDR4", "LPDDR4", "HBM2", "WIDEIO_SDR"
  // Of a channel: ranks (HBM2: pseudo channels); of a rank: banks, in bank_groups groups.
  std::uint32_t burst_length = 0, data_rate = 0, banks = 0, columns = 0, rows = 0, ranks = 0, bank_groups = 1;
  std::uint32_t width = 0, devices = 0, channels = 0;  // width: bits per device
  std::uint32_t clk_mhz = 0;
  std::uint32_t tck_ps = 0;  // 10^6 / clk_mhz, rounded to the nearest ps
  Timing timing{};           // of DDR3 only, for its own kernels
  // Every time of "memtimingspec" that its standard has, in cycles, by JEDEC name; see standards/.
  std::map<std::string, std::uint32_t, std::less<>> times;
  PowerSpec power, second_power;  // voltage domains; the second is zero where there is none
  bool has_energy = true;         // false for LPDDR4 and HBM2: DRAMSys 4.0 has no energy model for them
  // Times and currents that the file lacks and only power-down (or several ranks) need; read as 0.
  std::vector<std::string> missing;
  std::vector<std::string>
      warnings;  // what a user should know of the file: a current in the wrong unit, a key that has no effect

  // A time in cycles; 0 if the memory has none of that name.
  [[nodiscard]] std::uint32_t cycles(std::string_view name) const {
    const auto found = times.find(name);
    return found == times.end() ? 0 : found->second;
  }
  // What the DDR3 kernels run: one rank and one channel of DDR3, whose energy does not count DQSCK.
  [[nodiscard]] bool is_plain_ddr3() const {
    return memory_type == "DDR3" && ranks == 1 && channels == 1 && cycles("DQSCK") == 0;
  }

  [[nodiscard]] std::uint32_t bytes_per_burst() const { return width * devices / 8 * burst_length; }
};

// Address bits of each field, least significant first; "XOR" pairs replace bit `first` by first ^ second beforehand.
struct AddressMapping {
  struct Xor {
    std::uint32_t first, second;
  };
  std::string id;  // file stem
  std::vector<std::uint32_t> byte_bits, column_bits, row_bits, bank_bits, bank_group_bits, rank_bits, channel_bits;
  std::vector<Xor> xors;
};

struct DecodedAddress {
  std::uint32_t row;
  std::uint32_t bank;  // of its rank: group * banks per group + bank in the group
  std::uint32_t column;
  std::uint32_t rank = 0, channel = 0;
};

// Reads and checks a DRAMSys memspec file (DDR3, DDR4, LPDDR4, HBM2, WIDEIO_SDR; other types are refused by name), in the
// spelling of DRAMSys 4.0 or 5. `name` is a file path, or the name of a shipped memspec with or without ".json".
[[nodiscard]] MemSpec load_memspec(const std::string& name);

// Reads and checks an address mapping ("CONGEN", or "addressmapping" as DRAMSys 5 has it); `name` as above.
[[nodiscard]] AddressMapping load_address_mapping(const std::string& name);

// Throws unless the mapping addresses exactly the memory's bytes, columns, rows and banks (as the reference's
// "Memspec and address mapping do not match"); the error names shipped ones that fit.
void check_mapping_fits(const MemSpec& memspec, const AddressMapping& mapping);

// Names of the shipped mappings that fit a memory, and of the shipped memories that a mapping fits.
[[nodiscard]] std::vector<std::string> fitting_mappings(const MemSpec& memspec);
[[nodiscard]] std::vector<std::string> fitting_memspecs(const AddressMapping& mapping);

// Splits an address (bits above the map are ignored, as the reference does after its warning).
[[nodiscard]] DecodedAddress decode_address(const AddressMapping& mapping, std::uint64_t address);

// The address bits that some field names; what an address comes to in them, after XOR: two addresses with the same location are
// the same byte of the memory.
[[nodiscard]] std::uint64_t mapped_bits(const AddressMapping& mapping);
[[nodiscard]] std::uint64_t location_of(const AddressMapping& mapping, std::uint64_t address);

// Highest address the mapping covers; addresses above it draw a warning and wrap.
[[nodiscard]] std::uint64_t max_address(const AddressMapping& mapping);

}  // namespace exarch::dram
