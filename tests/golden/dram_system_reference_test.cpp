// The reference model beyond DDR3 with one rank: complete command lists of small traces on every standard, recorded rows of
// DRAMSys 4.0, and its answers to odd settings.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "host/dram/recorded_rows.hpp"
#include "host/dram/reference.hpp"
#include "host/dram/system_workload.hpp"
#include "tests/support/csv.hpp"
#include "tests/support/temp_folder.hpp"

namespace exarch::dram {
namespace {

using testing::CsvTable;
using testing::TempFolder;

const std::string kGolden = std::string(EXARCH_TEST_DATA) + "/golden/dram/";

struct SystemCase {
  const char *memspec, *mapping, *clk_mhz;
  std::vector<const char*> traces;
  const char* config;  // page policy, scheduler, buffer, size, response queue, refresh [postponed, pulled in], arbiter [active]
  const char *cmd_mux, *power_down;
  const char* delays;    // name and ns of each
  const char* outputs;   // time, energy, power, bandwidth, bandwidth without idle time
  const char* commands;  // cycle:command rank bank #request
};

void PrintTo(const SystemCase& small, std::ostream* out) {
  *out << small.memspec << ' ' << small.config;
}

// clang-format off
const SystemCase kSystemCases[] = {
    {"MICRON_4Gb_DDR4-2400_8bit_A", "am_ddr4_8x4Gbx8_dimm_p1KB_brc", "1200",
     {"0: read 0x2000\n1: read 0x40002000\n2: read 0x10002000\n3: write 0x4000\n4: read 0x2040\n5: write "
     "0x10002040\n6: read 0x20002000\n40: read 0x10002080"},
     "OpenAdaptive FrFcfs Bankwise 4 Fifo NoRefresh Fifo 8", "Oldest", "NoPowerDown", "",
     "79968 117988.50 1252.98 51.22 51.22",
     "0:ACT r0b0 #1 4:ACT r0b4 #3 8:ACT r0b1 #2 12:ACT r0b8 #7 16:RD r0b0 #1 20:RD r0b4 #3 24:RD r0b1 #2 28:RD r0b8 "
     "#7 32:RDA r0b0 #5 38:WR r0b4 #6 60:ACT r0b0 #4 67:RD r0b4 #8 76:WR r0b0 #4"},
    {"JEDEC_8Gb_LPDDR4-3200_16bit", "am_lpddr4_8Gbx16_brc", "1600",
     {"0: read 0x800\n1: write 0x8000800\n2: read 0x1000\n3: read 0x8000820\n900: read 0x1020\n1560: read "
     "0x18001000\n2400: write 0x1000"},
     "Open FrFcfs Bankwise 4 Fifo PerBank 0 0 Simple", "Oldest", "NoPowerDown", "",
     "1517500   1.01 5.12",
     "0:ACT r0b0 #1 16:ACT r0b1 #2 29:RD r0b0 #1 59:WR r0b1 #2 70:PRE r0b0 #3 97:ACT r0b0 #3 101:RD r0b1 #4 126:RD "
     "r0b0 #3 780:PRE r0b0 809:REFB r0b0 1031:ACT r0b0 #5 1060:RD r0b0 #5 1560:PRE r0b1 1562:ACT r0b3 #6 1589:REFB "
     "r0b1 1591:RD r0b3 #6 2340:REFB r0b2 2400:WR r0b0 #7"},
    {"HBM2", "am_hbm2_8Gb_pc_brc", "1000",
     {"0: read 0x400\n1: read 0x20000400\n2: write 0x2000400\n3: read 0x8000400\n4: read 0x420\n5: read 0x800\n6: read "
     "0x20000420"},
     "Open FrFcfs Bankwise 4 Fifo NoRefresh Fifo 8", "Oldest", "NoPowerDown", "",
     "75999   23.58 23.58",
     "0:ACT r0b0 #1 2:ACT r1b16 #2 4:ACT r0b4 #4 8:ACT r0b1 #3 13:RD r0b0 #1 15:RD r1b16 #2 16:RD r0b0 #5 18:RD r0b4 "
     "#4 19:RD r1b16 #7 29:PRE r0b0 #6 36:WR r0b1 #3 42:ACT r0b0 #6 55:RD r0b0 #6"},
    {"HBM2", "am_hbm2_8Gb_pc_brc", "1000",
     {"0: read 0x400\n1: read 0x20000400\n2: write 0x2000400\n3: read 0x8000400\n4: read 0x420\n5: read 0x800\n6: read "
     "0x20000420\n400: read 0x20000440"},
     "Open FrFcfs Bankwise 4 Fifo PerBank 1 0 Fifo 8", "Oldest", "NoPowerDown", "",
     "433000   4.73 18.79",
     "0:ACT r0b0 #1 2:ACT r1b16 #2 4:ACT r0b4 #4 8:ACT r0b1 #3 13:RD r0b0 #1 15:RD r1b16 #2 16:RD r0b0 #5 18:RD r0b4 "
     "#4 19:RD r1b16 #7 29:PRE r0b0 #6 36:WR r0b1 #3 42:ACT r0b0 #6 55:RD r0b0 #6 122:PRE r1b16 136:REFB r1b16 "
     "244:PRE r0b0 258:REFB r0b0 366:REFB r1b17 400:ACT r1b16 #8 413:RD r1b16 #8"},
    {"JEDEC_256Mb_WIDEIO-266_128bit", "am_wideio_4x256Mb_brc", "400",
     {"0: read 0x800\n1: read 0x800800\n2: read 0x1000800\n3: write 0x2000800\n4: write 0x1000\n5: read 0x2000840\n60: "
     "read 0x1040"},
     "Closed Fifo Bankwise 4 Fifo NoRefresh Reorder 4", "Oldest", "NoPowerDown", "",
     "199227 19381.76|7809.34|0.00|0.00 92.06|56.14|-nan|-nan 12.85|5.14|0.00|0.00 15.13|10.09|-nan|-nan",
     "0:ACT r0b0 #1 3:ACT r0b1 #2 3:ACT r0b0 #4 5:RDA r0b0 #1 8:WRA r0b0 #4 9:RDA r0b1 #2 14:ACT r0b2 #3 17:ACT r0b0 "
     "#5 19:RDA r0b2 #3 21:ACT r0b0 #6 26:RDA r0b0 #6 27:WRA r0b0 #5 40:ACT r0b0 #7 45:RDA r0b0 #7"},
    {"MICRON_1Gb_DDR3-1600_8bit_G", "am_ddr3_8x1Gbx8_dimm_p1KB_rbc", "800",
     {"0: read 0x10000\n7000: read 0x10040\n20000: write 0x10080"},
     "Open Fifo Bankwise 8 Fifo AllBank 1 1 Simple", "Oldest", "Staggered", "",
     "25655000 9017250.00 348.68 0.04 1.40",
     "0:PDEP r0b0 3:PDXP r0b0 9:ACT r0b0 #1 19:RD r0b0 #1 34:PDEA r0b0 6240:PDXA r0b0 6246:PREA r0b0 6256:REFA r0b0 "
     "6344:REFA r0b0 6345:PDEP r0b0 7000:PDXP r0b0 7006:ACT r0b0 #2 7016:RD r0b0 #2 7031:PDEA r0b0 12480:PDXA r0b0 "
     "12486:PREA r0b0 12496:REFA r0b0 12497:PDEP r0b0 18720:PDXP r0b0 18726:SREFEN r0b0 20000:SREFEX r0b0 20096:REFA "
     "r0b0 20184:ACT r0b0 #3 20512:WR r0b0 #3"},
    {"MICRON_1Gb_DDR3-1600_8bit_G", "am_ddr3_8x1Gbx8_dimm_p1KB_rbc", "800",
     {"0: read 0x10000\n7000: read 0x10040\n20000: write 0x10080"},
     "ClosedAdaptive Fifo Bankwise 8 Fifo AllBank 1 1 Simple", "Oldest", "Staggered", "",
     "25035000 24704340.00 494.79 0.04 9.00",
     "0:PDEP r0b0 3:PDXP r0b0 9:ACT r0b0 #1 19:RDA r0b0 #1 34:PDEA r0b0 6240:PDXA r0b0 6241:REFA r0b0 6329:REFA r0b0 "
     "6330:PDEA r0b0 7000:PDXA r0b0 7006:ACT r0b0 #2 7016:RDA r0b0 #2 7031:PDEA r0b0 12480:PDXA r0b0 12481:REFA r0b0 "
     "12483:PDEA r0b0 18720:PDXA r0b0 18721:REFA r0b0 18723:PDEA r0b0 20000:PDXA r0b0 20006:ACT r0b0 #3 20016:WRA "
     "r0b0 #3"},
    {"MICRON_1Gb_DDR3-1600_8bit_G", "am_ddr3_8x1Gbx8_dimm_p1KB_rbc", "800",
     {"0: read 0x10000\n1: read 0x10040\n2: write 0x12000\n3: read 0x20000\n4: read 0x12040"},
     "Open FrFcfs Bankwise 1 Fifo NoRefresh Simple", "Oldest", "NoPowerDown", "ArbitrationDelayFw 2 ArbitrationDelayBw 3 ThinkDelayFw 5 ThinkDelayBw 1 PhyDelayFw 4 PhyDelayBw 7",
     "105000 114675.00 1223.20 19.50 19.98",
     "2:ACT r0b0 #1 12:RD r0b0 #1 16:RD r0b0 #2 19:ACT r0b1 #3 29:WR r0b1 #3 30:PRE r0b0 #4 40:ACT r0b0 #4 50:RD r0b0 "
     "#4 54:RD r0b1 #5"},
    {"MICRON_1Gb_DDR3-1600_8bit_G", "am_ddr3_8x1Gbx8_dimm_p1KB_rbc", "800",
     {"0: read 0x10000\n1: read 0x10040\n2: write 0x12000\n3: read 0x20000\n4: read 0x12040"},
     "Open FrFcfs Bankwise 1 Fifo NoRefresh Fifo 4", "Oldest", "NoPowerDown", "ArbitrationDelayFw 2 ArbitrationDelayBw 3 ThinkDelayFw 5 ThinkDelayBw 1 PhyDelayFw 4 PhyDelayBw 7",
     "100000 113325.00 1241.92 25.60 25.60",
     "0:ACT r0b0 #1 10:RD r0b0 #1 14:RD r0b0 #2 15:ACT r0b1 #3 25:WR r0b1 #3 28:PRE r0b0 #4 38:ACT r0b0 #4 48:RD r0b0 "
     "#4 52:RD r0b1 #5"},
    {"MICRON_1Gb_DDR3-1600_8bit_G", "am_ddr3_8x1Gbx8_dimm_p1KB_rbc", "300+667",
     {"0: read 0x10000\n3: read 0x10040\n10: write 0x14000", "0: read 0x30000\n1: read 0x32000\n2: write 0x32040"},
     "Open FrFcfs Shared 4 Reorder NoRefresh Reorder 2", "Oldest", "NoPowerDown", "",
     "101250 142650.00 1240.43 30.34 30.34",
     "0:ACT r0b0 #1 5:ACT r0b1 #3 10:RD r0b0 #1 14:RD r0b0 #4 18:RD r0b1 #3 27:ACT r0b2 #6 28:PRE r0b0 #2 37:WR r0b2 "
     "#6 38:ACT r0b0 #2 55:RD r0b0 #2 69:WR r0b1 #5"},
    {"memspec_ranktest", "am_ranktest", "800",
     {"0: read 0x2000\n1: read 0x40002000\n2: write 0x80002040\n3: read 0x2040\n4: write 0x80002080\n5: read "
     "0xC0004000"},
     "Open Fifo Bankwise 4 Fifo NoRefresh Fifo 8", "Strict", "NoPowerDown", "",
     "61250 209100.00 3413.88 50.16 50.16",
     "0:ACT r0b0 #1 1:ACT r1b8 #2 2:ACT r2b16 #3 5:ACT r3b24 #6 10:RD r0b0 #1 15:RD r1b8 #2 22:WR r2b16 #3 25:RD r0b0 "
     "#4 32:WR r2b16 #5 35:RD r3b24 #6"},
};
// clang-format on

// The columns of a case, as a recorded row has them.
std::map<std::string, std::string> columns_of(const SystemCase& small, const TempFolder& folder) {
  std::map<std::string, std::string> row{{"memspec", small.memspec},
                                         {"addressmapping", small.mapping},
                                         {"clk_mhz", small.clk_mhz},
                                         {"CmdMux", small.cmd_mux},
                                         {"PowerDownPolicy", small.power_down}};
  for (std::size_t i = 0; i < small.traces.size(); ++i) {
    const std::string path = folder / ("trace" + std::to_string(i) + ".stl");
    std::ofstream(path) << small.traces[i] << '\n';
    row["trace"] += (i == 0 ? "" : "+") + path;
  }
  std::istringstream config(small.config);
  for (const char* name : {"PagePolicy", "Scheduler", "SchedulerBuffer", "RequestBufferSize", "RespQueue", "RefreshPolicy"}) {
    config >> row[name];
  }
  if (row["RefreshPolicy"] != "NoRefresh") config >> row["RefreshMaxPostponed"] >> row["RefreshMaxPulledin"];
  config >> row["Arbiter"];
  if (row["Arbiter"] != "Simple") config >> row["MaxActiveTransactions"];
  std::istringstream delays(small.delays);
  for (std::string name; delays >> name;) delays >> row[name];
  return row;
}

RecordedAnswer answer_of(const std::map<std::string, std::string>& columns) {
  std::vector<std::string> header, row;
  for (const auto& [name, value] : columns) {
    header.push_back(name);
    row.push_back(value);
  }
  return RecordedRows(header, {}, Engine::reference).answer(row);
}

std::string outputs_of(const RecordedAnswer& answer) {
  const auto cells = answer.cells();
  const bool one = answer.channels.size() == 1;
  std::string text = one ? cells[1] : cells[1].substr(0, cells[1].find('|'));
  for (std::size_t c = 2; c < cells.size(); ++c) text += " " + cells[c];
  return text;
}

class SystemTrace : public ::testing::TestWithParam<SystemCase> {};

TEST_P(SystemTrace, CommandsAndOutputs) {
  const TempFolder folder;
  const auto columns = columns_of(GetParam(), folder);
  const RecordedAnswer answer = answer_of(columns);
  EXPECT_EQ(answer.status, "ok") << answer.message;
  EXPECT_EQ(outputs_of(answer), GetParam().outputs);

  SystemSetup setup{columns.at("memspec"), columns.at("addressmapping"), columns.at("trace"), columns.at("clk_mhz"), 0, {}};
  for (std::size_t d = 0; d < kDelayKeys.size(); ++d) {
    const auto found = columns.find(std::string(kDelayKeys[d].name));
    if (found != columns.end()) setup.delays_ns[d] = std::stoul(found->second);
  }
  const auto workload = load_system_workload(setup);
  SystemRun run = simulate_system_reference(workload->view, workload->table, row_params(columns), true);
  ASSERT_EQ(run.status, system::SystemStatus::ok);
  std::stable_sort(run.commands.begin(), run.commands.end(),
                   [](const SystemCommand& a, const SystemCommand& b) { return a.time_ps < b.time_ps; });
  std::string text;
  for (const SystemCommand& issued : run.commands) {
    if (!text.empty()) text += ' ';
    text += std::to_string(issued.time_ps / workload->memspec.tck_ps) + ':' + std::string(command_name(issued.command)) + " r" +
            std::to_string(issued.rank) + 'b' + std::to_string(issued.bank);
    if (issued.request != 0) text += " #" + std::to_string(issued.request);
  }
  EXPECT_EQ(text, GetParam().commands);
}

INSTANTIATE_TEST_SUITE_P(DramSystemReference, SystemTrace, ::testing::ValuesIn(kSystemCases));

std::vector<std::string> row_of(const CsvTable& table, std::size_t row) {
  std::vector<std::string> cells;
  for (const std::string& name : table.header()) cells.push_back(table.at(row, name));
  return cells;
}

// A sample; the fast kernel is compared with every row, and the two models with each other on random designs. What did not end is
// always looked at.
TEST(DramSystemReference, RecordedRows) {
  constexpr std::size_t kEvery = EXARCH_SANITIZED ? 37 : 5;
  std::size_t compared = 0;
  for (const char* family : {"ddr3specs", "ddr3ranks", "ddr3settings", "ddr3multi", "ddr4", "wideio", "lpddr4", "hbm2"}) {
    const CsvTable table(kGolden + "beyond_" + family + ".csv");
    RecordedRows rows(table.header(), {}, Engine::reference);
    for (std::size_t r = 0; r < table.size(); ++r) {
      if (r % kEvery != 0 && table.at(r, "status") == "ok") continue;
      ++compared;
      const RecordedAnswer answer = rows.answer(row_of(table, r));
      const auto cells = answer.cells();
      for (std::size_t c = 0; c < cells.size(); ++c) {
        EXPECT_EQ(cells[c], table.at(r, std::string(kAnswerColumns[c])))
            << kAnswerColumns[c] << " of " << table.line(r) << " " << answer.message;
      }
    }
  }
  EXPECT_GE(compared, EXARCH_SANITIZED ? 16u : 120u);
}

// Settings that the DDR3 kernels have not, of the probes of odd inputs.
TEST(DramSystemReference, Probes) {
  const CsvTable table(kGolden + "bad_inputs.csv");
  const std::map<std::string, std::string> baseline{{"trace", kGolden + "probes/probe.stl"},
                                                    {"clk_mhz", "800"},
                                                    {"PagePolicy", "Open"},
                                                    {"Scheduler", "FrFcfs"},
                                                    {"RequestBufferSize", "8"},
                                                    {"RefreshPolicy", "AllBank"},
                                                    {"RefreshMaxPostponed", "8"},
                                                    {"RefreshMaxPulledin", "8"}};
  const std::map<std::string, std::pair<std::string, std::string>> probes{
      {"baseline", {"clk_mhz", "800"}},
      {"ArbitrationDelayFw=5", {"ArbitrationDelayFw", "5"}},
      {"ArbitrationDelayBw=5", {"ArbitrationDelayBw", "5"}},
      {"ThinkDelayFw=5", {"ThinkDelayFw", "5"}},
      {"ThinkDelayBw=5", {"ThinkDelayBw", "5"}},
      {"PhyDelayFw=5", {"PhyDelayFw", "5"}},
      {"PhyDelayBw=5", {"PhyDelayBw", "5"}},
      {"PowerDownPolicy=Staggered", {"PowerDownPolicy", "Staggered"}},
      {"PowerDownPolicy=NoPowerDown", {"PowerDownPolicy", "NoPowerDown"}},
      {"two initiators", {"trace", kGolden + "probes/probe.stl+" + kGolden + "probes/t_back.stl"}},
      {"sim {'EnableWindowing': True, 'WindowSize': 7}", {"window_size", "7"}},
      {"sim {'AddressOffset': 4096}", {"address_offset", "4096"}}};
  std::size_t compared = 0;
  for (std::size_t r = 0; r < table.size(); ++r) {
    const auto probe = probes.find(table.at(r, "probe"));
    if (probe == probes.end()) continue;
    ++compared;
    auto columns = baseline;
    columns[probe->second.first] = probe->second.second;
    const auto cells = answer_of(columns).cells();
    for (std::size_t c = 1; c < cells.size(); ++c) {
      EXPECT_EQ(cells[c], table.at(r, std::string(kAnswerColumns[c]))) << probe->first << " " << kAnswerColumns[c];
    }
  }
  EXPECT_EQ(compared, probes.size());
}

// What cannot be run is an answer with a reason, and the next row has its own.
TEST(DramSystemReference, RowsThatCannotBeRun) {
  RecordedRows rows({"memspec", "addressmapping", "trace", "RefreshPolicy", "power_analysis", "clk_mhz"}, {}, Engine::reference);
  const std::vector<std::string> good{"HBM2", "am_hbm2_8Gb_pc_brc", "ranktest", "PerBank", "False", "1000"};
  const std::map<std::size_t, std::pair<std::string, std::string>> bad{
      {0, {"HBM3", "HBM3"}},     {1, {"am_lpddr4_8Gbx16_brc", "does not fit"}}, {2, {"ranktest+", "initiator 2 is missing"}},
      {3, {"PerRow", "PerRow"}}, {4, {"True", "no energy model of HBM2"}},      {5, {"800+900", "2 clocks for 1 initiators"}},
  };
  EXPECT_EQ(rows.answer(good).status, "ok");
  for (const auto& [column, change] : bad) {
    auto row = good;
    row[column] = change.first;
    const RecordedAnswer answer = rows.answer(row);
    EXPECT_EQ(answer.status, "error") << change.first;
    EXPECT_NE(answer.message.find(change.second), std::string::npos) << answer.message;
    EXPECT_TRUE(answer.channels.empty());
  }
  EXPECT_EQ(rows.answer(good).status, "ok");
  const RecordedAnswer ddr3 = answer_of({{"trace", "ranktest"}, {"RefreshPolicy", "PerBank"}, {"power_analysis", "True"}});
  EXPECT_NE(ddr3.message.find("DDR3 memories are refreshed all banks together"), std::string::npos) << ddr3.message;
}

}  // namespace
}  // namespace exarch::dram
