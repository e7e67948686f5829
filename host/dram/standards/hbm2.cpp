// HBM2: pseudo channels as ranks, a row and a column command bus. DRAMSys 4.0 has no energy model for it.
#include <algorithm>

#include "host/dram/standards/standard.hpp"

namespace exarch::dram {

static void fill_hbm2(const Times& t, ProtocolTable& table) {
  using enum system::Command;
  using enum system::Scope;
  const auto add = [&table](std::initializer_list<system::Command> next, std::initializer_list<system::Command> previous,
                            system::Scope scope, std::int64_t distance) { table.add(next, previous, scope, distance); };
  const std::int64_t burst = t.burst();
  const std::int64_t wr_pre = t("WL") + burst + t("WR");

  // clang-format off
  add({RD, RDA},   {ACT},      bank,       t("RCDRD") + 1);
  add({RD, RDA},   {RD, RDA},  group,      t("CCDL"));
  add({RD, RDA},   {RD, RDA},  rank,       t("CCDS"));
  add({RD, RDA},   {WR, WRA},  group,      t("WL") + burst + t("WTRL"));
  add({RD, RDA},   {WR, WRA},  rank,       t("WL") + burst + t("WTRS"));
  add({RDA},       {WR},       bank,       wr_pre - t("RTP"));
  add({WR, WRA},   {ACT},      bank,       t("RCDWR") + 1);
  add({WR, WRA},   {RD, RDA},  rank,       t("RTW"));
  add({WR, WRA},   {WR, WRA},  group,      t("CCDL"));
  add({WR, WRA},   {WR, WRA},  rank,       t("CCDS"));
  add({ACT},       {ACT},      bank,       t("RC"));
  add({ACT},       {ACT},      group,      t("RRDL"));
  add({ACT},       {ACT},      rank,       t("RRDS"));
  add({ACT},       {RDA},      bank,       t("RTP") + t("RP") - 1);
  add({ACT},       {WRA},      bank,       wr_pre + t("RP") - 1);
  add({ACT},       {PRE},      bank,       t("RP") - 1);
  add({ACT},       {PREA},     rank,       t("RP") - 1);
  add({ACT},       {REFA},     rank,       t("RFC") - 1);
  add({ACT},       {REFB},     bank,       t("RFCSB") - 1);
  add({ACT},       {REFB},     rank,       t("RREFD") - 1);
  add({PRE},       {ACT},      bank,       t("RAS") + 1);
  add({PRE},       {RD},       bank,       t("RTP"));
  add({PRE},       {WR},       bank,       wr_pre);
  add({PREA},      {ACT},      rank,       t("RAS") + 1);
  add({PREA},      {RD, RDA},  rank,       t("RTP"));
  add({PREA},      {WR, WRA},  rank,       wr_pre);
  add({PREA},      {REFB},     rank,       t("RFCSB"));
  add({REFA},      {ACT},      rank,       t("RC") + 1);
  add({REFA},      {RDA},      rank,       t("RTP") + t("RP"));
  add({REFA},      {WRA},      rank,       wr_pre + t("RP"));
  add({REFA},      {PRE, PREA},rank,       t("RP"));
  add({REFA},      {REFA},     rank,       t("RFC"));
  add({REFA},      {REFB},     rank,       t("RFCSB"));
  add({REFB},      {ACT},      bank,       t("RC") + 1);
  add({REFB},      {ACT},      group,      t("RRDL") + 1);
  add({REFB},      {ACT},      rank,       t("RRDS") + 1);
  add({REFB},      {RDA},      bank,       t("RTP") + t("RP"));
  add({REFB},      {WRA},      bank,       wr_pre + t("RP"));
  add({REFB},      {PRE},      bank,       t("RP"));
  add({REFB},      {PREA},     rank,       t("RP"));
  add({REFB},      {REFA},     rank,       t("RFC"));
  add({REFB},      {REFB},     bank,       t("RFCSB"));
  add({REFB},      {REFB},     rank,       t("RREFD"));  // after a full round RFCSB, see below

  // Power-down and self-refresh of one pseudo channel hold the other back too.
  const std::int64_t down_after_read = t("RL") + t("PL") + burst + 1, down_after_write = t("WL") + t("PL") + burst + 1 + t("WR");
  add({PDEA, PDEP},{RD, RDA},  any_rank,   down_after_read);
  add({PDEA},      {WR},       any_rank,   down_after_write);
  add({PDEA, PDEP},{WRA},      any_rank,   down_after_write);
  add({PDEA},      {PDXA},     any_rank,   t("CKE"));
  add({PDEP},      {PDXP},     any_rank,   t("CKE"));
  add({PDXA},      {PDEA},     any_rank,   t("CKE"));
  add({PDXP},      {PDEP},     any_rank,   t("CKE"));
  add({PDEP},      {SREFEX},   any_rank,   t("XS"));
  add({SREFEN},    {ACT},      any_rank,   t("RC") + 1);
  add({SREFEN},    {RDA},      any_rank,   std::max(t("RTP") + t("RP"), down_after_read));
  add({SREFEN},    {WRA},      any_rank,   wr_pre + t("RP"));
  add({SREFEN},    {PRE, PREA},any_rank,   t("RP"));
  add({SREFEN},    {PDXP},     any_rank,   t("XP"));
  add({SREFEN},    {REFA},     any_rank,   t("RFC"));
  add({SREFEN},    {REFB},     any_rank,   t("RFCSB"));
  add({SREFEN},    {SREFEX},   any_rank,   t("XS"));
  add({SREFEX},    {SREFEN},   any_rank,   t("CKE") + 1);
  add({RD, RDA, WR, WRA}, {PDXA}, any_rank, t("XP"));
  add({ACT},       {PDXA, PDXP}, any_rank, t("XP") - 1);
  add({ACT},       {SREFEX},   any_rank,   t("XS") - 1);
  add({PRE, PREA}, {PDXA},     any_rank,   t("XP"));
  add({REFA},      {PDXP},     any_rank,   t("XP"));
  add({REFA},      {SREFEX},   any_rank,   t("XS"));
  add({REFB},      {PDXA, PDXP}, any_rank, t("XP"));
  add({REFB},      {SREFEX},   any_rank,   t("XS"));
  // clang-format on

  system::Protocol& p = table.protocol;
  p.length[code_of(ACT)] = 2;
  p.command_buses = 2;
  p.first_use_of_bus_waits = true;
  p.window = {4, static_cast<std::int32_t>(t("FAW") - 1), static_cast<std::int32_t>(t("FAW")), true};
  p.read_data_end = static_cast<std::uint32_t>(t("RL") + t("DQSCK") + burst);
  p.write_data_end = static_cast<std::uint32_t>(t("WL") + burst);
  p.refresh_interval = static_cast<std::uint32_t>(t("REFI"));
  p.per_bank_interval = static_cast<std::uint32_t>(t("REFISB"));
  p.refb_after_full_round = static_cast<std::int32_t>(t("RFCSB"));
}

const MemoryStandard& hbm2_standard() {
  static const MemoryStandard kStandard{
      .memory_type = "HBM2",
      .has_bank_groups = true,
      .is_dimm = false,
      .times = {"CCDL", "CCDS", "DQSCK", "FAW",  "RAS",   "RC",  "RCDRD", "RCDWR", "REFI", "REFISB", "RFC", "RFCSB",
                "RL",   "RP",   "RRDL",  "RRDS", "RREFD", "RTP", "RTW",   "WL",    "WR",   "WTRL",   "WTRS"},
      .power_down_times = {"CKE", "PL", "XP", "XS"},
      .unused_times = {"CCDR"},
      .other_spellings = {},
      .intervals = {"REFI", "REFISB"},
      .energy = EnergyModel::none,
      .unused_currents = {},
      .refreshes_banks = true,
      .fill = fill_hbm2};
  return kStandard;
}

}  // namespace exarch::dram
