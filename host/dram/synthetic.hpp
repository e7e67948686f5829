// Synthetic traces, so that a study needs no files: the same spec and seed make the same trace.
//
//   make_trace({.pattern = Pattern::zipf, .requests = 100'000, .write_percent = 30, .seed = 7}, "zipf.stl");
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace exarch::dram {

enum class Pattern {
  sequential,  // block after block, from the start again behind the last
  strided,     // every stride_bytes; behind the last, the same one block further
  random,      // any block, uniformly
  hot_rows,    // hot_percent of the requests in hot_rows rows drawn once, the others anywhere
  zipf,        // the row of rank k with a weight of 1 / k^exponent; ranks are dealt to rows at random
};

// The names on the command line, in the enum's order: "sequential", ..., "hot-rows", "zipf".
[[nodiscard]] const std::vector<std::string>& pattern_names();
// UsageError with the nearest name for one that there is not.
[[nodiscard]] Pattern find_pattern(const std::string& name);

// A block is what a request moves: a burst of the memory. All addresses are below footprint_bytes, which is a whole number of
// blocks.
struct SyntheticSpec {
  Pattern pattern = Pattern::sequential;
  std::uint64_t requests = 100'000;
  std::uint64_t footprint_bytes = std::uint64_t{256} << 20;
  std::uint32_t block_bytes = 64;
  std::uint64_t stride_bytes = 8192;  // strided: a whole number of blocks
  std::uint32_t row_bytes = 8192;     // hot_rows, zipf: a whole number of blocks
  std::uint32_t hot_rows = 16;
  std::uint32_t hot_percent = 90;
  double exponent = 1;              // zipf
  std::uint32_t write_percent = 0;  // of the requests, drawn for each
  std::uint64_t interval = 1;       // cycles from one request to the next
  std::uint64_t group = 0;          // so many requests, then a pause; 0: no pauses
  std::uint64_t pause = 0;          // cycles that the first request of a group waits in addition
  std::uint64_t seed = 1;
};

// Writes an .stl file, in memory that does not grow with the number of requests. UsageError names the field that is wrong.
void make_trace(const SyntheticSpec& spec, const std::filesystem::path& out);

}  // namespace exarch::dram
