// DDR4 SDRAM: bank groups, and refresh of fine granularity by REFM.
#include <algorithm>

#include "host/dram/standards/standard.hpp"

namespace exarch::dram {

static void fill_ddr4(const Times& t, ProtocolTable& table) {
  using enum system::Command;
  using enum system::Scope;
  const auto add = [&table](std::initializer_list<system::Command> next, std::initializer_list<system::Command> previous,
                            system::Scope scope, std::int64_t distance) { table.add(next, previous, scope, distance); };
  const std::int64_t burst = t.burst();
  const std::int64_t wr_pre = t("WL") + burst + t("WR");
  const std::int64_t rd_pre = t("AL") + t("RTP");
  // 1, 2 or 4: that many times as many refreshes, each shorter.
  const std::int64_t mode = t("REFM");
  const std::int64_t rfc = mode == 1 ? t("RFC") : mode == 2 ? t("RFC2") : t("RFC4");

  // clang-format off
  add({RD, RDA},   {ACT},      bank,       t("RCD") - t("AL"));
  add({RD, RDA},   {RD, RDA},  group,      t("CCD_L"));
  add({RD, RDA},   {RD, RDA},  rank,       t("CCD_S"));
  add({RD, RDA},   {RD, RDA},  other_rank, burst + t("RTRS"));
  add({RD, RDA},   {WR, WRA},  group,      t("WL") + burst + t("WTR_L"));
  add({RD, RDA},   {WR, WRA},  rank,       t("WL") + burst + t("WTR_S"));
  add({RD, RDA},   {WR, WRA},  any_rank,   t("WL") + burst + t("RTRS") - t("RL") + t("RPRE"));
  add({RDA},       {WR},       bank,       wr_pre - t("RTP"));
  add({WR, WRA},   {ACT},      bank,       t("RCD") - t("AL"));
  add({WR, WRA},   {RD, RDA},  rank,       t("RL") + burst + 1 - t("WL") + t("WPRE"));
  add({WR, WRA},   {RD, RDA},  other_rank, t("RL") + burst + t("RTRS") - t("WL") + t("WPRE"));
  add({WR, WRA},   {WR, WRA},  group,      t("CCD_L"));
  add({WR, WRA},   {WR, WRA},  rank,       t("CCD_S"));
  add({WR, WRA},   {WR, WRA},  other_rank, burst + t("RTRS"));
  add({ACT},       {ACT},      bank,       t("RC"));
  add({ACT},       {ACT},      group,      t("RRD_L"));
  add({ACT},       {ACT},      rank,       t("RRD_S"));
  add({ACT},       {RDA},      bank,       rd_pre + t("RP"));
  add({ACT},       {WRA},      bank,       wr_pre + t("RP"));
  add({ACT},       {PRE},      bank,       t("RP"));
  add({ACT},       {PREA},     rank,       t("RP"));
  add({ACT},       {REFA},     rank,       rfc);
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
  add({REFA},      {REFA},     rank,       rfc);

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
  add({SREFEN},    {REFA},     rank,       rfc);
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
  p.refresh_interval = static_cast<std::uint32_t>(t("REFI") / mode);
  p.energy.implicit_pre_read = static_cast<std::uint32_t>(rd_pre);
  p.energy.implicit_pre_write = static_cast<std::uint32_t>(wr_pre);
}

const MemoryStandard& ddr4_standard() {
  static const MemoryStandard kStandard{
      .memory_type = "DDR4",
      .has_bank_groups = true,
      .is_dimm = true,
      .times = {"AL", "CCD_L", "CCD_S", "FAW", "RAS", "RC",   "RCD", "REFM",  "REFI",  "RFC",  "RL",   "RPRE",
                "RP", "RRD_L", "RRD_S", "RTP", "WL",  "WPRE", "WR",  "WTR_L", "WTR_S", "RTRS", "DQSCK"},
      .power_down_times = {"CKE", "CKESR", "XP", "XS", "XSDLL", "ACTPDEN", "PRPDEN", "REFPDEN"},
      .unused_times = {"CL", "XPDLL", "RFC2", "RFC4"},
      .other_spellings = {{"RFC1", "RFC"}},
      .intervals = {"REFI"},
      .energy = EnergyModel::second_domain_idd0_idd6,
      .unused_currents = {"idd2p1", "idd3p1", "iBeta_vdd", "iBeta_vpp", "idd5F2", "idd5F4", "ipp2n", "ipp2p", "ipp3n", "ipp3p",
                          "ipp4r", "ipp4w", "ipp5B", "ipp5F2", "ipp5F4", "vddq"},
      .refreshes_banks = false,
      .fill = fill_ddr4};
  return kStandard;
}

}  // namespace exarch::dram
