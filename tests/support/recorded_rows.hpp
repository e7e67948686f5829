// How many recorded rows there are and how many of them the golden tests compare. The tests assert these numbers, and
// docs/validation.md states them: tests/unit/docs_test.cpp compares the page with this table.
#pragma once

#include <cstddef>

namespace exarch::testing {

struct RecordedRuns {
  const char* file;
  std::size_t rows, in_scope;
};
inline constexpr RecordedRuns kArchgymRandom{"archgym_ddr3.csv", 6000, 6000};
inline constexpr RecordedRuns kArchgymOneAtATime{"archgym_ddr3_one_at_a_time.csv", 7352, 7352};
inline constexpr RecordedRuns kBeyondSpecs{"beyond_ddr3specs.csv", 75, 34};
inline constexpr RecordedRuns kBeyondSettings{"beyond_ddr3settings.csv", 75, 7};
// Of memories that the system kernel runs; all 600 `beyond` rows are compared as rows too (dram_system_golden_test.cpp).
inline constexpr RecordedRuns kBeyondRanks{"beyond_ddr3ranks.csv", 75, 38};
inline constexpr RecordedRuns kBeyondDdr4{"beyond_ddr4.csv", 75, 32};
inline constexpr RecordedRuns kProbes{"bad_inputs.csv", 172, 64};
inline constexpr RecordedRuns kRecordedRuns[] = {kArchgymRandom, kArchgymOneAtATime, kBeyondSpecs, kBeyondSettings, kProbes};

// Of MAESTRO: results, and failures, at e1d8efd8 and at head; both 0: not recorded.
struct RecordedLayers {
  const char* file;
  std::size_t rows, results, failures, head_results, head_failures;
};
inline constexpr RecordedLayers kDevRows{"dev.jsonl.gz", 1000, 1000, 0, 764, 236};
inline constexpr RecordedLayers kStressRows{"stress.jsonl.gz", 1000, 739, 261, 542, 458};
inline constexpr RecordedLayers kFailureRows{"failures.jsonl.gz", 300, 0, 300, 0, 0};
inline constexpr RecordedLayers kRecordedLayers[] = {kDevRows, kStressRows, kFailureRows};

inline constexpr std::size_t kGenomes = 766;    // of MaestroGym, decoded
inline constexpr std::size_t kCleanRows = 300;  // designs of `maestro` that the tool evaluated
inline constexpr std::size_t kMultilayerFiles = 8, kMultilayerLayers = 172;
inline constexpr std::size_t kInvalidTexts = 58;

// Of Timeloop: runs, each under both fill rules; inputs that it refuses, of which so many before it evaluates them.
inline constexpr std::size_t kTimeloopRuns = 400, kTimeloopRefusals = 50, kTimeloopUnread = 8;
// Of its mapper: random searches, of which so many find nothing; and searches of whole map spaces.
inline constexpr std::size_t kTimeloopSamples = 17, kTimeloopSamplesWithout = 3, kTimeloopOptima = 39;

}  // namespace exarch::testing
