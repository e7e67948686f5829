// LPDDR4 SDRAM: commands of several cycles, refresh bank by bank. DRAMSys 4.0 has no energy model for it.
#include <algorithm>

#include "host/dram/standards/standard.hpp"

namespace exarch::dram {

static void fill_lpddr4(const Times& t, ProtocolTable& table) {
  using enum system::Command;
  using enum system::Scope;
  const auto add = [&table](std::initializer_list<system::Command> next, std::initializer_list<system::Command> previous,
                            system::Scope scope, std::int64_t distance) { table.add(next, previous, scope, distance); };
  const std::int64_t burst = t.burst();
  const std::int64_t rd_wr = t("RL") + t("DQSCK") + burst - t("WL") + t("WPRE") + t("RPST");
  const std::int64_t wr_rd = t("WL") + 1 + burst + t("WTR");
  const std::int64_t rd_pre = t("RTP") + burst - 6;
  const std::int64_t rda_act = t("RTP") + burst - 8 + t("RPPB");
  const std::int64_t wr_pre = t("WL") + burst + 1 + t("WR") + 2;
  const std::int64_t wra_act = t("WL") + burst + 1 + t("WR") + t("RPPB");

  // clang-format off
  add({RD, RDA},   {ACT},      bank,       t("RCD"));
  add({RD, RDA},   {RD, RDA},  rank,       t("CCD"));
  add({RD, RDA},   {RD, RDA},  other_rank, burst + t("RTRS"));
  add({RD, RDA},   {WR, WRA},  rank,       wr_rd);
  add({RD, RDA},   {WR, WRA},  other_rank, t("WL") + burst + t("RTRS") - t("RL"));
  add({RDA},       {WR},       bank,       wr_pre - rd_pre);
  add({WR, WRA},   {ACT},      bank,       t("RCD"));
  add({WR, WRA},   {RD, RDA},  rank,       rd_wr);
  add({WR, WRA},   {RD, RDA},  other_rank, t("RL") + burst + t("RTRS") - t("WL"));
  add({WR, WRA},   {WR, WRA},  rank,       t("CCD"));
  add({WR, WRA},   {WR, WRA},  other_rank, burst + t("RTRS"));
  add({ACT},       {ACT},      bank,       t("RCPB"));
  add({ACT},       {ACT},      rank,       t("RRD"));
  add({ACT},       {RDA},      bank,       rda_act);
  add({ACT},       {WRA},      bank,       wra_act);
  add({ACT},       {PRE},      bank,       t("RPPB") - 2);
  add({ACT},       {PREA},     rank,       t("RPAB") - 2);
  add({ACT},       {REFA},     rank,       t("RFCAB") - 2);
  add({ACT},       {REFB},     bank,       t("RFCPB") - 2);
  add({ACT},       {REFB},     rank,       t("RRD") - 2);
  add({PRE},       {ACT},      bank,       t("RAS") + 2);
  add({PRE},       {RD},       bank,       rd_pre);
  add({PRE},       {WR},       bank,       wr_pre);
  add({PRE},       {PRE},      rank,       t("PPD"));
  add({PREA},      {ACT},      rank,       t("RAS") + 2);
  add({PREA},      {RD, RDA},  rank,       rd_pre);
  add({PREA},      {WR, WRA},  rank,       wr_pre);
  add({PREA},      {PRE},      rank,       t("PPD"));
  add({PREA},      {REFB},     rank,       t("RFCPB"));
  add({REFA},      {ACT},      rank,       t("RCPB") + 2);
  add({REFA},      {RDA},      rank,       rd_pre + t("RPPB"));
  add({REFA},      {WRA},      rank,       wr_pre + t("RPPB"));
  add({REFA},      {PRE},      rank,       t("RPPB"));
  add({REFA},      {PREA},     rank,       t("RPAB"));
  add({REFA},      {REFA},     rank,       t("RFCAB"));
  add({REFA},      {REFB},     rank,       t("RFCPB"));
  add({REFB},      {ACT},      bank,       t("RCPB") + 2);
  add({REFB},      {ACT},      rank,       t("RRD") + 2);
  add({REFB},      {RDA},      bank,       rd_pre + t("RPPB"));
  add({REFB},      {WRA},      bank,       wr_pre + t("RPPB"));
  add({REFB},      {PRE},      bank,       t("RPPB"));
  add({REFB},      {PREA},     rank,       t("RPAB"));
  add({REFB},      {REFA},     rank,       t("RFCAB"));
  add({REFB},      {REFB},     rank,       t("RFCPB"));

  const std::int64_t down_after_read = 3 + t("RL") + t("DQSCK") + burst + t("RPST");
  const std::int64_t down_after_write = 3 + t("WL") + t("DQSS") + t("DQS2DQ") + burst + t("WR");
  add({PDEA},      {ACT},      rank,       3 + t("CMDCKE"));
  add({PDEA},      {PRE},      rank,       1 + t("CMDCKE"));
  add({PDEA, PDEP},{RD, RDA},  rank,       down_after_read);
  add({PDEA},      {WR},       rank,       down_after_write);
  add({PDEA, PDEP},{WRA},      rank,       down_after_write + 2);
  add({PDEP},      {PRE, PREA},rank,       1 + t("CMDCKE"));
  add({PDEP},      {REFA},     rank,       1 + t("CMDCKE"));
  add({PDEA, PDEP},{REFB},     rank,       1 + t("CMDCKE"));
  add({PDEA},      {PDXA},     rank,       t("CKE"));
  add({PDEP},      {PDXP},     rank,       t("CKE"));
  add({PDXA},      {PDEA},     rank,       t("CKE"));
  add({PDXP},      {PDEP},     rank,       t("CKE"));
  add({PDEP},      {SREFEX},   rank,       t("XSR"));
  add({SREFEN},    {ACT},      rank,       t("RCPB") + 2);
  add({SREFEN},    {RDA},      rank,       std::max(down_after_read, rd_pre + t("RPPB")));
  add({SREFEN},    {WRA},      rank,       std::max(down_after_write + 2, wr_pre + t("RPPB")));
  add({SREFEN},    {PRE},      rank,       t("RPPB"));
  add({SREFEN},    {PREA},     rank,       t("RPAB"));
  add({SREFEN},    {PDXP},     rank,       t("XP"));
  add({SREFEN},    {REFA},     rank,       t("RFCAB"));
  add({SREFEN},    {REFB},     rank,       t("RFCPB"));
  add({SREFEN},    {SREFEX},   rank,       t("XSR"));
  add({SREFEX},    {SREFEN},   rank,       t("SR"));
  add({RD, RDA, WR, WRA}, {PDXA}, rank,    t("XP"));
  add({ACT},       {PDXA, PDXP}, rank,     t("XP"));
  add({ACT},       {SREFEX},   rank,       t("XSR") - 2);
  add({PRE, PREA}, {PDXA},     rank,       t("XP"));
  add({REFA},      {PDXP},     rank,       t("XP"));
  add({REFA},      {SREFEX},   rank,       t("XSR"));
  add({REFB},      {PDXA, PDXP}, rank,     t("XP"));
  add({REFB},      {SREFEX},   rank,       t("XSR"));
  // clang-format on

  system::Protocol& p = table.protocol;
  for (const system::Command command : {ACT, RD, RDA, WR, WRA}) p.length[code_of(command)] = 4;
  for (const system::Command command : {PRE, PREA, REFA, REFB, SREFEN, SREFEX}) p.length[code_of(command)] = 2;
  p.window = {4, static_cast<std::int32_t>(t("FAW") - 3), static_cast<std::int32_t>(t("FAW") - 1), true};
  p.read_data_end = static_cast<std::uint32_t>(t("RL") + t("DQSCK") + burst + 3);
  p.write_data_end = static_cast<std::uint32_t>(t("WL") + t("DQSS") + t("DQS2DQ") + burst + 3);
  p.refresh_interval = static_cast<std::uint32_t>(t("REFI"));
  p.per_bank_interval = static_cast<std::uint32_t>(t("REFIPB"));
}

const MemoryStandard& lpddr4_standard() {
  static const MemoryStandard kStandard{
      .memory_type = "LPDDR4",
      .has_bank_groups = false,
      .is_dimm = false,
      .times = {"CCD", "DQS2DQ", "DQSCK", "DQSS", "FAW",  "PPD", "RCD", "REFI", "REFIPB", "RFCAB", "RFCPB", "RL",
                "RAS", "RPAB",   "RPPB",  "RCPB", "RPST", "RRD", "RTP", "WL",   "WPRE",   "WR",    "WTR",   "RTRS"},
      .power_down_times = {"CKE", "CMDCKE", "SR", "XP", "XSR"},
      .unused_times = {"ESCKE", "RCAB", "CCDMW"},
      .other_spellings = {{"REFIpb", "REFIPB"},
                          {"REFIab", "REFI"},
                          {"REFIAB", "REFI"},
                          {"RFCab", "RFCAB"},
                          {"RFCpb", "RFCPB"},
                          {"RPab", "RPAB"},
                          {"RPpb", "RPPB"},
                          {"RCab", "RCAB"},
                          {"RCpb", "RCPB"}},
      .intervals = {"REFI", "REFIPB"},
      .energy = EnergyModel::none,
      .unused_currents = {},
      .refreshes_banks = true,
      .fill = fill_lpddr4};
  return kStandard;
}

}  // namespace exarch::dram
