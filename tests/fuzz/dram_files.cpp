// Memory specifications and address mappings.
#include <cstdint>

#include "host/dram/memspec.hpp"
#include "host/dram/recorded_rows.hpp"
#include "host/error.hpp"
#include "tests/fuzz/target.hpp"

namespace exarch::fuzz {
namespace {

const std::string& short_trace() {
  static const std::string kPath =
      write_scratch("short.stl", "0: read 0x0\n3: write 0x2000\n9: read 0x2040\n5000: write 0x1000000\n").string();
  return kPath;
}

// The next bits, as many as `places` needs; `places` is a power of two.
std::string bits(std::uint32_t places, int& next) {
  std::string list;
  for (std::uint32_t left = places; left > 1; left /= 2) list += (list.empty() ? "" : ", ") + std::to_string(next++);
  return "[" + list + "]";
}

// A mapping that fits a memory.
std::string mapping_for(const dram::MemSpec& memspec) {
  int next = 0;
  std::string text = "{\"CONGEN\": {\"BYTE_BIT\": " + bits(memspec.width * memspec.devices / 8, next);
  text += ", \"COLUMN_BIT\": " + bits(memspec.columns, next);
  text += ", \"BANK_BIT\": " + bits(memspec.banks / memspec.bank_groups, next);
  text += ", \"BANKGROUP_BIT\": " + bits(memspec.bank_groups, next);
  text += ", \"RANK_BIT\": " + bits(memspec.ranks, next);
  text += ", \"CHANNEL_BIT\": " + bits(memspec.channels, next);
  return text + ", \"ROW_BIT\": " + bits(memspec.rows, next) + "}}";
}

void memspec(std::string_view input) {
  const std::string path = write_scratch("memspec.json", input).string();
  const dram::MemSpec memspec = dram::load_memspec(path);
  require(memspec.banks > 0 && memspec.bytes_per_burst() > 0 && memspec.tck_ps > 0, "a memory has banks, bursts and a clock");
  const std::string fitting = write_scratch("fitting.json", mapping_for(memspec)).string();
  dram::RecordedRows rows({"memspec", "addressmapping", "trace", "clk_mhz", "RefreshPolicy", "PowerDownPolicy"}, {},
                          Engine::fast);
  const dram::RecordedAnswer answer = rows.answer({path, fitting, short_trace(), "800", "AllBank", "NoPowerDown"});
  require(answer.status != "ok" || answer.channels.size() == memspec.channels, "a run has an answer for each channel");
  simulate_dram(short_trace(), path, fitting);
}

void mapping(std::string_view input) {
  const std::string path = write_scratch("mapping.json", input).string();
  const dram::AddressMapping mapping = dram::load_address_mapping(path);
  (void)dram::decode_address(mapping, dram::max_address(mapping));
  (void)dram::decode_address(mapping, 0x123456789ABCDEFull);
  static const dram::MemSpec kMemory = dram::load_memspec("MICRON_1Gb_DDR3-1600_8bit_G");
  // The answer to one that does not fit names those that do, for which it reads all that are shipped: once in a while will do.
  const auto has = [](const std::vector<std::uint32_t>& field, std::uint32_t places) {
    return field.size() < 32 && std::uint32_t{1} << field.size() == places;
  };
  const bool fits =
      has(mapping.column_bits, kMemory.columns) && has(mapping.row_bits, kMemory.rows) && has(mapping.bank_bits, kMemory.banks);
  if (fits || input.size() % 64 == 0) simulate_dram(short_trace(), "", path);
}

}  // namespace

std::vector<Target> dram_targets() {
  return {{"memspec", memspec}, {"mapping", mapping}};
}

}  // namespace exarch::fuzz
