// Memory specifications and address mappings.
#include "host/error.hpp"
#include "host/spec/memspec.hpp"
#include "tests/fuzz/target.hpp"

namespace exarch::fuzz {
namespace {

const std::string& short_trace() {
  static const std::string kPath =
      write_scratch("short.stl", "0: read 0x0\n3: write 0x2000\n9: read 0x2040\n5000: write 0x1000000\n").string();
  return kPath;
}

void memspec(std::string_view input) {
  const std::string path = write_scratch("memspec.json", input).string();
  const dram::MemSpec memspec = dram::load_memspec(path);
  require(memspec.banks > 0 && memspec.bytes_per_burst() > 0 && memspec.tck_ps > 0, "a memory has banks, bursts and a clock");
  simulate_dram(short_trace(), path);
}

void mapping(std::string_view input) {
  const std::string path = write_scratch("mapping.json", input).string();
  const dram::AddressMapping mapping = dram::load_address_mapping(path);
  (void)dram::decode_address(mapping, dram::max_address(mapping));
  (void)dram::decode_address(mapping, 0x123456789ABCDEFull);
  simulate_dram(short_trace(), "", path);
}

}  // namespace

std::vector<Target> dram_targets() {
  return {{"memspec", memspec}, {"mapping", mapping}};
}

}  // namespace exarch::fuzz
