// What a timeline of the DRAM model is shown as: tables, JSON, CSV files, the data of a page; two of them side by side.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/dram/timeline.hpp"

namespace exarch::cli {

void print_timeline(const dram::Timeline& timeline, const dram::TimelineSummary& summary);
[[nodiscard]] nlohmann::ordered_json timeline_json(const dram::Timeline& timeline, const dram::TimelineSummary& summary);

// One figure of two runs, and what they differ by in words, the largest differences first.
struct ComparedFigure {
  std::string name, unit;
  double a, b;
};
struct Comparison {
  std::vector<ComparedFigure> figures;
  std::vector<std::string> sentences;
};
[[nodiscard]] Comparison compare(const dram::Timeline& a, const dram::TimelineSummary& in_a, const dram::Timeline& b,
                                 const dram::TimelineSummary& in_b);

// CSV: a line per request; a line per command.
void write_latencies(const dram::Timeline& timeline, const std::string& path);
void write_commands(const dram::Timeline& timeline, const std::string& path);

// What the page shows of cycles [from, to).
[[nodiscard]] nlohmann::ordered_json timeline_page(const dram::Timeline& timeline, std::uint64_t from, std::uint64_t to);

}  // namespace exarch::cli
