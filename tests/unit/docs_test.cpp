// What the pages say about the tests is what the tests assert.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/recorded_rows.hpp"

namespace exarch {
namespace {

using namespace testing;

std::string page(const std::string& name) {
  std::ifstream in(EXARCH_SOURCE_DIR "/" + name);
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

// 1,234,567
std::string shown(std::size_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

void expect_says(const std::string& text, const std::string& words) {
  EXPECT_NE(text.find(words), std::string::npos) << "the page does not say: " << words;
}

std::string results_and_failures(std::size_t results, std::size_t failures) {
  if (results + failures == 0) return "not recorded";
  if (failures == 0) return shown(results) + " results";
  return (results == 0 ? "" : shown(results) + " results, ") + shown(failures) + " failures";
}

TEST(Docs, ValidationStatesTheRowsThatTheTestsCompare) {
  const std::string text = page("docs/validation.md");
  std::size_t in_scope = 0;
  for (const RecordedRuns& runs : kRecordedRuns) {
    expect_says(text, std::string("| `") + runs.file + "` | " + shown(runs.rows) + " | " + shown(runs.in_scope) + " |");
    in_scope += runs.in_scope;
    std::ifstream in(std::string(EXARCH_TEST_DATA "/golden/dram/") + runs.file);
    std::size_t lines = 0;
    for (std::string line; std::getline(in, line);) ++lines;
    EXPECT_EQ(lines, runs.rows + 1) << runs.file << ", with its header";
  }
  expect_says(text, "Each of the " + shown(in_scope) + " rows");
  for (const RecordedLayers& rows : kRecordedLayers) {
    expect_says(text, std::string("| `") + rows.file + "` | " + shown(rows.rows) + " | " +
                          results_and_failures(rows.results, rows.failures) + " | " +
                          results_and_failures(rows.head_results, rows.head_failures) + " |");
  }
  expect_says(text, "| `multilayer.jsonl.gz` | " + shown(kMultilayerFiles) + " files, " + shown(kMultilayerLayers) + " layers |");
  expect_says(text, "| `invalid.jsonl.gz` | " + shown(kInvalidTexts) + " texts |");
  expect_says(text, "| `model.jsonl.gz` | " + shown(kTimeloopRuns) + " runs |");
  expect_says(text, "| `invalid.jsonl.gz` | " + shown(kTimeloopRefusals) + " refusals |");
  expect_says(text, "wrong factors (" + shown(kTimeloopUnread) + ")");
  expect_says(text, "| `mapper_random.jsonl.gz` | " + shown(kTimeloopSamples) + " samples |");
  expect_says(text, shown(kTimeloopSamplesWithout) + " find nothing");
  expect_says(text, "| `mapper.jsonl.gz` | " + shown(kTimeloopOptima) + " optima |");
  expect_says(text, shown(kGenomes) + " recorded genomes");
  expect_says(text, "`clean.jsonl.gz` has " + shown(kCleanRows) + " random designs");
}

TEST(Docs, TheFirstPageStatesTheRecordedRuns) {
  expect_says(page("README.md"), shown(kArchgymRandom.rows + kArchgymOneAtATime.rows) + " ArchGym runs");
}

}  // namespace
}  // namespace exarch
