#include "host/dram/standards/standard.hpp"

#include <algorithm>
#include <array>

namespace exarch::dram {
namespace {

constexpr std::array<const char*, system::kCommands> kCommandNames{
    "NONE", "ACT", "RD", "RDA", "WR", "WRA", "PRE", "PREA", "REFA", "REFB", "PDEA", "PDXA", "PDEP", "PDXP", "SREFEN", "SREFEX"};

// Earliest cycle in which a command can be issued: a CAS needs an open row.
std::int64_t earliest(const ProtocolTable& table, system::Command command) {
  if (!is_cas(command)) return 0;
  for (const ConstraintRow& row : table.rows) {
    if (row.next == command && row.previous == system::Command::ACT) return std::max<std::int64_t>(row.distance, 0);
  }
  return 0;
}

void refuse_negative_times(const ProtocolTable& table, const MemSpec& spec) {
  for (const ConstraintRow& row : table.rows) {
    if (row.scope == system::Scope::other_rank && spec.ranks == 1) continue;
    if (row.distance + earliest(table, row.previous) >= 0) continue;
    const bool data_bus = is_cas(row.next) && is_cas(row.previous);
    throw NegativeDistance(data_bus                    ? "RL"
                           : spec.times.contains("AL") ? "AL"
                                                       : "RTP",
                           std::string(command_name(row.next)) + " would follow " + std::string(command_name(row.previous)) +
                               " after " + std::to_string(row.distance) +
                               " cycles, which can be a time below zero; the reference simulator never ends then");
  }
}

}  // namespace

std::string_view command_name(system::Command command) {
  return kCommandNames[code_of(command)];
}

void ProtocolTable::add(std::initializer_list<system::Command> next, std::initializer_list<system::Command> previous,
                        system::Scope scope, std::int64_t distance) {
  for (const system::Command n : next) {
    for (const system::Command p : previous) {
      rows.push_back({n, p, scope, distance});
      protocol.add(n, p, scope, static_cast<std::int32_t>(distance));
    }
  }
}

const std::vector<const MemoryStandard*>& memory_standards() {
  static const std::vector<const MemoryStandard*> kStandards{&ddr3_standard(), &ddr4_standard(), &lpddr4_standard(),
                                                             &hbm2_standard(), &wideio_standard()};
  return kStandards;
}

const MemoryStandard* find_standard(std::string_view memory_type) {
  for (const MemoryStandard* standard : memory_standards()) {
    if (standard->memory_type == memory_type) return standard;
  }
  return nullptr;
}

std::string standard_names() {
  std::string names;
  for (const MemoryStandard* standard : memory_standards())
    names += (names.empty() ? "" : ", ") + std::string(standard->memory_type);
  return names;
}

std::uint32_t refresh_cycles(const MemSpec& spec) {
  const std::uint32_t mode = spec.cycles("REFM");
  return mode > 1 ? spec.cycles("RFC" + std::to_string(mode)) : spec.cycles("RFC");
}

ProtocolTable protocol_of(const MemSpec& spec) {
  using enum system::Command;
  const MemoryStandard* const standard = find_standard(spec.memory_type);
  if (standard == nullptr) throw Error("memory '" + spec.id + "': no protocol for memory type '" + spec.memory_type + "'");
  ProtocolTable table;
  const Times t(spec);
  standard->fill(t, table);
  refuse_negative_times(table, spec);
  system::Protocol& p = table.protocol;
  p.ranks = spec.ranks;
  p.banks_per_rank = spec.banks;
  p.banks_per_group = spec.banks / spec.bank_groups;
  p.tck_ps = spec.tck_ps;
  p.burst = static_cast<std::uint32_t>(t.burst());
  p.energy.modelled = spec.has_energy;
  if (!spec.has_energy) return table;
  p.energy.tRAS = spec.cycles("RAS");
  p.energy.tRFC = refresh_cycles(spec);
  p.energy.min_self_refresh = spec.cycles("CKESR");
  p.energy.tRP = spec.cycles("RP");
  const auto width = [&p](system::Command command, std::int64_t cycles) {
    p.energy.end_width[code_of(command)] = static_cast<std::uint32_t>(cycles);
  };
  for (const system::Command read : {RD, RDA}) width(read, t("RL") + t("DQSCK") + 1 + t.burst());
  for (const system::Command write : {WR, WRA}) width(write, t("WL") + t.burst() + t("WR"));
  width(ACT, t("RCD"));
  for (const system::Command precharge : {PRE, PREA}) width(precharge, t("RP"));
  return table;
}

}  // namespace exarch::dram
