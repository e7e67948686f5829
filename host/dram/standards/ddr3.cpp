// DDR3 SDRAM.
#include <algorithm>

#include "host/dram/standards/standard.hpp"

namespace exarch::dram {

static void fill_ddr3(const Times& t, ProtocolTable& table) {
  using enum system::Command;
  using enum system::Scope;
  const auto add = [&table](std::initializer_list<system::Command> next, std::initializer_list<system::Command> previous,
                            system::Scope scope, std::int64_t distance) { table.add(next, previous, scope, distance); };
  const std::int64_t burst = t.burst();
  const std::int64_t wr_pre = t("WL") + burst + t("WR");
  const std::int64_t rd_pre = t("AL") + t("RTP");

  // clang-format off
  add({RD, RDA},   {ACT},      bank,       t("RCD") - t("AL"));
  add({RD, RDA},   {RD, RDA},  rank,       t("CCD"));
  add({RD, RDA},   {RD, RDA},  other_rank, burst + t("RTRS"));
  add({RD, RDA},   {WR, WRA},  rank,       t("WL") + burst + t("WTR"));
  add({RD, RDA},   {WR, WRA},  any_rank,   t("WL") + burst + t("RTRS") - t("RL"));
  add({RDA},       {WR},       bank,       wr_pre - t("RTP"));
  add({WR, WRA},   {ACT},      bank,       t("RCD") - t("AL"));
  add({WR, WRA},   {RD, RDA},  rank,       t("RL") + burst + 2 - t("WL"));
  add({WR, WRA},   {RD, RDA},  other_rank, t("RL") + burst + t("RTRS") - t("WL"));
  add({WR, WRA},   {WR, WRA},  rank,       t("CCD"));
  add({WR, WRA},   {WR, WRA},  other_rank, burst + t("RTRS"));
  add({ACT},       {ACT},      bank,       t("RC"));
  add({ACT},       {ACT},      rank,       t("RRD"));
  add({ACT},       {RDA},      bank,       rd_pre + t("RP"));
  add({ACT},       {WRA},      bank,       wr_pre + t("RP"));
  add({ACT},       {PRE},      bank,       t("RP"));
  add({ACT},       {PREA},     rank,       t("RP"));
  add({ACT},       {REFA},     rank,       t("RFC"));
  add({PRE},       {ACT},      bank,       t("RAS"));
  add({PRE},       {RD},       bank,       rd_pre);
  add({PRE},       {WR},       bank,       wr_pre);
  add({PREA},      {ACT},      rank,       t("RAS"));
  add({PREA},      {RD, RDA},  rank,       rd_pre);
  add({PREA},      {WR, WRA},  rank,       wr_pre);
  add({REFA},      {ACT},      rank,       t("RC"));
  add({REFA},      {RDA},      rank,       rd_pre + t("RP"));
  add({REFA},      {WRA},      rank,       wr_pre + t("RP"));
  add({REFA},      {PRE, PREA},rank,       t("RP"));
  add({REFA},      {REFA},     rank,       t("RFC"));

  const std::int64_t down_after_read = t("RL") + burst + 1, down_after_write = t("WL") + burst + t("WR");
  add({PDEA},      {ACT},      rank,       t("ACTPDEN"));
  add({PDEA},      {PRE},      rank,       t("PRPDEN"));
  add({PDEA, PDEP},{RD, RDA},  rank,       down_after_read);
  add({PDEA},      {WR},       rank,       down_after_write);
  add({PDEA, PDEP},{WRA},      rank,       down_after_write + 1);
  add({PDEP},      {PRE, PREA},rank,       t("PRPDEN"));
  add({PDEP},      {REFA},     rank,       t("REFPDEN"));
  add({PDEA},      {PDXA},     rank,       t("CKE"));
  add({PDEP},      {PDXP},     rank,       t("CKE"));
  add({PDXA},      {PDEA},     rank,       t("CKE"));
  add({PDXP},      {PDEP},     rank,       t("CKE"));
  add({PDEP},      {SREFEX},   rank,       t("XS"));
  add({SREFEN},    {ACT},      rank,       t("RC"));
  add({SREFEN},    {RDA},      rank,       std::max(down_after_read, rd_pre + t("RP")));
  add({SREFEN},    {WRA},      rank,       std::max(down_after_write + 1, wr_pre + t("RP")));
  add({SREFEN},    {PRE, PREA},rank,       t("RP"));
  add({SREFEN},    {PDXP},     rank,       t("XP"));
  add({SREFEN},    {REFA},     rank,       t("RFC"));
  add({SREFEN},    {SREFEX},   rank,       t("XS"));
  add({SREFEX},    {SREFEN},   rank,       t("CKESR"));
  add({RD, RDA, WR, WRA}, {PDXA},   rank,  t("XP"));
  add({RD, RDA, WR, WRA}, {SREFEX}, rank,  t("XSDLL"));
  add({ACT},       {PDXA, PDXP}, rank,     t("XP"));
  add({ACT},       {SREFEX},   rank,       t("XS"));
  add({PRE, PREA}, {PDXA},     rank,       t("XP"));
  add({REFA},      {PDXP},     rank,       t("XP"));
  add({REFA},      {SREFEX},   rank,       t("XS"));
  // clang-format on

  system::Protocol& p = table.protocol;
  p.window = {4, static_cast<std::int32_t>(t("FAW")), 0, false};
  p.read_data_end = static_cast<std::uint32_t>(t("RL") + burst);
  p.write_data_end = static_cast<std::uint32_t>(t("WL") + burst);
  p.refresh_interval = static_cast<std::uint32_t>(t("REFI"));
  p.energy.implicit_pre_read = static_cast<std::uint32_t>(t("AL") + std::max<std::int64_t>(t("RTP"), 4));
  p.energy.implicit_pre_write = static_cast<std::uint32_t>(wr_pre);
}

const MemoryStandard& ddr3_standard() {
  static const MemoryStandard kStandard{
      .memory_type = "DDR3",
      .has_bank_groups = false,
      .is_dimm = true,
      .times = {"AL", "CCD", "FAW", "RAS", "RC", "RCD", "REFI", "RFC", "RL", "RP", "RRD", "RTP", "WL", "WR", "WTR"},
      .power_down_times = {"CKE", "CKESR", "XP", "XS", "XSDLL", "ACTPDEN", "PRPDEN", "REFPDEN", "RTRS", "DQSCK"},
      .unused_times = {"CL", "XPDLL"},
      .other_spellings = {},
      .intervals = {"REFI"},
      .energy = EnergyModel::one_domain,
      .unused_currents = {"idd2p1", "idd3p1"},
      .refreshes_banks = false,
      .fill = fill_ddr3};
  return kStandard;
}

}  // namespace exarch::dram
