// Wide I/O SDR: single data rate, four channels, a window of two activates.
#include <algorithm>

#include "host/dram/standards/standard.hpp"

namespace exarch::dram {

static void fill_wideio(const Times& t, ProtocolTable& table) {
  using enum system::Command;
  using enum system::Scope;
  const auto add = [&table](std::initializer_list<system::Command> next, std::initializer_list<system::Command> previous,
                            system::Scope scope, std::int64_t distance) { table.add(next, previous, scope, distance); };
  const std::int64_t length = t.burst_length();
  const std::int64_t wr_pre = t("WL") + length - 1 + t("WR");

  // clang-format off
  add({RD, RDA},   {ACT},      bank,       t("RCD"));
  add({RD, RDA},   {RD, RDA},  rank,       length);
  add({RD, RDA},   {RD, RDA},  other_rank, length + t("RTRS"));
  add({RD, RDA},   {WR, WRA},  rank,       t("WL") + length - 1 + t("WTR"));
  add({RD, RDA},   {WR, WRA},  other_rank, t("WL") + length + t("RTRS") - t("RL"));
  add({RDA},       {WR},       bank,       wr_pre - length);
  add({WR, WRA},   {ACT},      bank,       t("RCD"));
  add({WR, WRA},   {RD, RDA},  rank,       t("RL") + length + 1);
  add({WR, WRA},   {RD, RDA},  other_rank, t("RL") + length + t("RTRS") - t("WL"));
  add({WR, WRA},   {WR, WRA},  rank,       length);
  add({WR, WRA},   {WR, WRA},  other_rank, length + t("RTRS"));
  add({ACT},       {ACT},      bank,       t("RC"));
  add({ACT},       {ACT},      rank,       t("RRD"));
  add({ACT},       {RDA},      bank,       length + t("RP"));
  add({ACT},       {WRA},      bank,       wr_pre + t("RP"));
  add({ACT},       {PRE},      bank,       t("RP"));
  add({ACT},       {PREA},     rank,       t("RP"));
  add({ACT},       {REFA},     rank,       t("RFC"));
  add({PRE},       {ACT},      bank,       t("RAS"));
  add({PRE},       {RD},       bank,       length);
  add({PRE},       {WR},       bank,       wr_pre);
  add({PREA},      {ACT},      rank,       t("RAS"));
  add({PREA},      {RD, RDA},  rank,       length);
  add({PREA},      {WR, WRA},  rank,       wr_pre);
  add({REFA},      {ACT},      rank,       t("RC"));
  add({REFA},      {RDA},      rank,       length + t("RP"));
  add({REFA},      {WRA},      rank,       wr_pre + t("RP"));
  add({REFA},      {PRE, PREA},rank,       t("RP"));
  add({REFA},      {REFA},     rank,       t("RFC"));

  const std::int64_t down_after_read = t("RL") + length, down_after_write = t("WL") + length + t("WR") - 1;
  add({PDEA, PDEP},{RD, RDA},  rank,       down_after_read);
  add({PDEA},      {WR},       rank,       down_after_write);
  add({PDEA, PDEP},{WRA},      rank,       down_after_write + 1);
  add({PDEA},      {PDXA},     rank,       t("CKE"));
  add({PDEP},      {PDXP},     rank,       t("CKE"));
  add({PDXA},      {PDEA},     rank,       t("CKE"));
  add({PDXP},      {PDEP},     rank,       t("CKE"));
  add({PDEP},      {SREFEX},   rank,       t("XSR"));
  add({SREFEN},    {ACT},      rank,       t("RC"));
  add({SREFEN},    {RDA},      rank,       std::max(down_after_read, length + t("RP")));
  add({SREFEN},    {WRA},      rank,       std::max(down_after_write + 1, wr_pre + t("RP")));
  add({SREFEN},    {PRE, PREA},rank,       t("RP"));
  add({SREFEN},    {PDXP},     rank,       t("XP"));
  add({SREFEN},    {REFA},     rank,       t("RFC"));
  add({SREFEN},    {SREFEX},   rank,       t("XSR"));
  add({SREFEX},    {SREFEN},   rank,       t("CKESR"));
  add({RD, RDA, WR, WRA}, {PDXA}, rank,    t("XP"));
  add({ACT},       {PDXA, PDXP}, rank,     t("XP"));
  add({ACT},       {SREFEX},   rank,       t("XSR"));
  add({PRE, PREA}, {PDXA},     rank,       t("XP"));
  add({REFA},      {PDXP},     rank,       t("XP"));
  add({REFA},      {SREFEX},   rank,       t("XSR"));
  // clang-format on

  system::Protocol& p = table.protocol;
  const std::int64_t burst = t.burst();
  p.window = {2, static_cast<std::int32_t>(t("TAW")), 0, false};
  p.read_data_end = static_cast<std::uint32_t>(t("RL") + t("AC") + burst);
  p.write_data_end = static_cast<std::uint32_t>(t("WL") + burst);
  p.refresh_interval = static_cast<std::uint32_t>(t("REFI"));
  p.energy.implicit_pre_read = static_cast<std::uint32_t>(burst);
  p.energy.implicit_pre_write = static_cast<std::uint32_t>(burst + t("WL") + t("WR") - 1);
}

const MemoryStandard& wideio_standard() {
  static const MemoryStandard kStandard{
      .memory_type = "WIDEIO_SDR",
      .has_bank_groups = false,
      .is_dimm = false,
      .times = {"AC", "DQSCK", "RAS", "RC", "RCD", "REFI", "RFC", "RL", "RP", "RRD", "TAW", "WL", "WR", "WTR", "RTRS"},
      .power_down_times = {"CKE", "CKESR", "XP", "XSR"},
      .unused_times = {"CCD_R", "CCD_W"},
      .other_spellings = {},
      .intervals = {"REFI"},
      .energy = EnergyModel::two_domains,
      .unused_currents = {"idd2p1", "idd2p12", "idd3p1", "idd3p12"},
      .refreshes_banks = false,
      .fill = fill_wideio};
  return kStandard;
}

}  // namespace exarch::dram
