// Recorded problems of Timeloop (tests/golden/timeloop) and random ones.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/files/line_reader.hpp"
#include "host/timeloop/records.hpp"

namespace exarch::testing {

inline std::vector<nlohmann::ordered_json> timeloop_records(const std::string& file) {
  LineReader lines(std::string(EXARCH_TEST_DATA) + "/golden/timeloop/" + file, "{...}");
  std::vector<nlohmann::ordered_json> rows;
  for (std::string_view line; lines.next(line);) rows.push_back(nlohmann::ordered_json::parse(line));
  return rows;
}

// What of `got` differs from `want`, as "levels.0.cycles: 3 instead of 4"; "" where nothing does. Whole numbers and texts are
// equal, numbers with a fraction on either side to 1e-12.
inline std::string timeloop_difference(const nlohmann::ordered_json& got, const nlohmann::ordered_json& want,
                                       const std::string& where = "") {
  const auto differs = [&] { return where + ": " + got.dump().substr(0, 200) + " instead of " + want.dump().substr(0, 200); };
  if (want.is_structured()) {
    if (got.is_object() != want.is_object() || got.is_array() != want.is_array() || got.size() != want.size()) return differs();
    for (const auto& [key, value] : want.items()) {
      const std::string path = where + (where.empty() ? "" : ".") + key;
      if (want.is_object() && !got.contains(key)) return path + " is missing";
      const auto& other = want.is_object() ? got[key] : got[std::stoul(key)];
      if (std::string difference = timeloop_difference(other, value, path); !difference.empty()) return difference;
    }
    return "";
  }
  if (got.is_number() && (got.is_number_float() || want.is_number_float()) && want.is_number()) {
    const auto a = got.get<double>(), b = want.get<double>();
    return std::abs(a - b) <= 1e-12 * std::abs(b) ? "" : differs();
  }
  return got == want ? "" : differs();
}

}  // namespace exarch::testing
