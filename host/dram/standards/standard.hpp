// The memory standards, one file each: which times a memory specification has, and what a controller must respect, as a table of
// rows {next, previous, scope, distance} in JEDEC's names. The dense Protocol of the kernels is made from the rows; the reference
// model reads the rows themselves.
//
//   const MemSpec spec = load_memspec("MICRON_4Gb_DDR4-2400_8bit_A");
//   const ProtocolTable table = protocol_of(spec);
//   SystemView view{...};
//   view.protocol = &table.protocol;
//
// A new standard is a file here, with its times, rows and energy terms, and a line in standard.cpp.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/dram/memspec.hpp"
#include "host/error.hpp"
#include "kernels/dram/protocol.hpp"

namespace exarch::dram {

// `next` comes no earlier than `distance` cycles after the last `previous` within `scope`.
struct ConstraintRow {
  system::Command next, previous;
  system::Scope scope;
  std::int64_t distance;  // cycles; negative only where the sum of both times cannot be
};

// All rows of one memory, and what of its protocol is no row: lengths of commands, buses, the activate window, refresh.
struct ProtocolTable {
  std::vector<ConstraintRow> rows;
  system::Protocol protocol;  // dense; holds the rows too

  // A row for each pair of a next and a previous command.
  void add(std::initializer_list<system::Command> next, std::initializer_list<system::Command> previous, system::Scope scope,
           std::int64_t distance);
};

// The times of a memory, in cycles, by JEDEC name: t("RCD").
class Times {
 public:
  explicit Times(const MemSpec& spec) : spec_(&spec) {}
  [[nodiscard]] std::int64_t operator()(std::string_view name) const { return spec_->cycles(name); }
  // Data cycles of a burst, burstLength / dataRate, and the burst length itself.
  [[nodiscard]] std::int64_t burst() const { return spec_->burst_length / spec_->data_rate; }
  [[nodiscard]] std::int64_t burst_length() const { return spec_->burst_length; }

 private:
  const MemSpec* spec_;
};

enum class EnergyModel : std::uint8_t { none, one_domain, two_domains, second_domain_idd0_idd6 };

struct MemoryStandard {
  std::string_view memory_type;  // as in "memoryType"
  bool has_bank_groups;
  bool is_dimm;                    // has "nbrOfDevicesOnDIMM"; otherwise one device, whose width is that of the channel
  std::vector<std::string> times;  // that a memory must have
  std::vector<std::string> power_down_times;                         // that only power-down, or several ranks, need
  std::vector<std::string> unused_times;                             // that it may have, without effect
  std::vector<std::pair<std::string, std::string>> other_spellings;  // of DRAMSys 5: {"RFCab", "RFCAB"}
  std::vector<std::string> intervals;                                // those of `times` that are refresh intervals
  EnergyModel energy;
  std::vector<std::string> unused_currents;
  bool refreshes_banks;  // RefreshPolicy PerBank
  void (*fill)(const Times& t, ProtocolTable& table);
};

// JEDEC's name: "ACT", "SREFEN".
[[nodiscard]] std::string_view command_name(system::Command command);

// The standard of that name; null if there is none.
[[nodiscard]] const MemoryStandard* find_standard(std::string_view memory_type);
[[nodiscard]] const std::vector<const MemoryStandard*>& memory_standards();
// "DDR3, DDR4, ...".
[[nodiscard]] std::string standard_names();

// A distance below zero that leads to a time below zero: what() names the row, key() a time of the memory.
class NegativeDistance : public Error {
 public:
  NegativeDistance(std::string key, const std::string& what) : Error(what), key_(std::move(key)) {}
  [[nodiscard]] const std::string& key() const { return key_; }

 private:
  std::string key_;
};

// The protocol of a memory. Throws NegativeDistance for a memory that no run can be right on: where a row's distance is negative
// and its previous command can come early enough, DRAMSys 4.0 computes a time below zero, which is never reached.
[[nodiscard]] ProtocolTable protocol_of(const MemSpec& spec);

// Cycles that an all-bank refresh takes: RFC, or DDR4's RFC2 or RFC4 of fine granularity.
[[nodiscard]] std::uint32_t refresh_cycles(const MemSpec& spec);

// One function per standard, in the file of its name.
[[nodiscard]] const MemoryStandard& ddr3_standard();
[[nodiscard]] const MemoryStandard& ddr4_standard();
[[nodiscard]] const MemoryStandard& lpddr4_standard();
[[nodiscard]] const MemoryStandard& hbm2_standard();
[[nodiscard]] const MemoryStandard& wideio_standard();

}  // namespace exarch::dram
