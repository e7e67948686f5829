// Every recorded run of DRAMSys 4.0 on other memories, mappings, traces and settings than ArchGym's, text for text.
// tests/golden/dram/README.md says where the rows come from.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host/dram/recorded_rows.hpp"
#include "tests/support/csv.hpp"

namespace exarch::dram {
namespace {

class BeyondArchgym : public ::testing::TestWithParam<const char*> {};

TEST_P(BeyondArchgym, EveryRowIsEqual) {
  const exarch::testing::CsvTable table(std::string(EXARCH_TEST_DATA) + "/golden/dram/beyond_" + GetParam() + ".csv");
  ASSERT_EQ(table.size(), 75u);
  RecordedRows rows(table.header(), {}, Engine::fast);
  for (std::size_t row = 0; row < table.size(); ++row) {
    std::vector<std::string> cells;
    for (const std::string& column : table.header()) cells.push_back(table.at(row, column));
    const auto got = rows.answer(cells).cells();
    for (std::size_t c = 0; c < kAnswerColumns.size(); ++c) {
      EXPECT_EQ(got[c], table.at(row, std::string(kAnswerColumns[c]))) << "row " << row + 2 << ", " << kAnswerColumns[c];
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, BeyondArchgym,
                         ::testing::Values("ddr3specs", "ddr3settings", "ddr3multi", "ddr3ranks", "ddr4", "wideio", "lpddr4",
                                           "hbm2"));

}  // namespace
}  // namespace exarch::dram
