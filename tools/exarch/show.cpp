#include "tools/exarch/show.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/files/text.hpp"
#include "tools/exarch/csv.hpp"

namespace exarch::cli {

std::string format_metric(const MetricInfo& metric, double value) {
  if (metric.decimals != kShortest) return with_decimals(value, metric.decimals);
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

nlohmann::ordered_json points_json(const DesignSpace& space) {
  if (space.is_numbered()) return space.size();
  return space.rough_size();
}

std::string points_cell(const DesignSpace& space) {
  return space.is_numbered() ? std::to_string(space.size()) : space.size_text();
}

nlohmann::ordered_json number_or_null(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}

namespace {

nlohmann::ordered_json counter_json(const CounterInfo& info, std::uint64_t bits) {
  switch (info.kind) {
    case CounterInfo::Kind::natural:
      return bits;
    case CounterInfo::Kind::integer:
      return static_cast<std::int64_t>(bits);
    case CounterInfo::Kind::real:
      return std::bit_cast<double>(bits);
  }
  return nullptr;
}

}  // namespace

nlohmann::ordered_json result_json(const Environment& environment, std::span<const std::int64_t> design, std::uint8_t status,
                                   std::span<const double> metrics, std::span<const std::uint64_t> counters,
                                   std::string_view artifact) {
  nlohmann::ordered_json json;
  for (std::size_t p = 0; p < design.size(); ++p) {
    const ParameterInfo& parameter = environment.parameters()[p];
    if (parameter.kind == ParameterKind::integer) {
      json["design"][parameter.name] = design[p];
    } else {
      json["design"][parameter.name] = parameter.format(design[p]);
    }
  }
  json["status"] = environment.status_text(status);
  if (status != 0) return json;
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const MetricInfo& metric = environment.metrics()[m];
    if (metric.decimals == 0 && std::abs(metrics[m]) < 0x1p63 && metrics[m] == std::trunc(metrics[m])) {
      json["metrics"][metric.name] = static_cast<std::int64_t>(metrics[m]);
    } else {
      json["metrics"][metric.name] = metrics[m];
    }
  }
  for (std::size_t c = 0; c < counters.size(); ++c) {
    const CounterInfo& info = environment.counters()[c];
    if (info.internal) continue;
    json["counters"][info.name] = counter_json(info, counters[c]);
  }
  if (const auto& info = environment.artifact()) json["artifact"][info->name] = artifact;
  return json;
}

void print_table(std::vector<std::vector<std::string>> rows) {
  for (auto& row : rows) {
    for (std::string& cell : row) cell = printable(cell);  // names may come from files
  }
  std::vector<std::size_t> width;
  std::vector<bool> numeric;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      if (c == width.size()) {
        width.push_back(0);
        numeric.push_back(true);
      }
      width[c] = std::max(width[c], rows[r][c].size());
      if (r > 0 && rows[r][c].find_first_not_of("0123456789.-+e") != std::string::npos) numeric[c] = false;
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string pad(width[c] - row[c].size(), ' ');
      line += (c == 0 ? "" : "  ") + (numeric[c] ? pad + row[c] : row[c] + pad);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::cout << line << "\n";
  }
}

void print_answer(const Arguments& arguments, const nlohmann::ordered_json& json,
                  const std::vector<std::vector<std::string>>& rows) {
  if (arguments.flag("json")) {
    std::cout << json.dump(2) << "\n";
  } else {
    print_table(rows);
  }
}

namespace {

// Whether a counter has a column of its own in CSV files.
bool has_column(const Environment& environment, const CounterInfo& counter) {
  return !counter.internal &&
         std::ranges::find(environment.metrics(), counter.name, &MetricInfo::name) == environment.metrics().end();
}

}  // namespace

std::string result_header(const Environment& environment) {
  std::string text = "status";
  for (const MetricInfo& metric : environment.metrics()) text += "," + metric.name;
  for (const CounterInfo& counter : environment.counters()) {
    if (has_column(environment, counter)) text += "," + counter.name;
  }
  if (const auto& artifact = environment.artifact()) text += "," + csv_field(artifact->name);
  return text;
}

std::string result_cells(const Environment& environment, std::uint8_t status, std::span<const double> metrics,
                         std::span<const std::uint64_t> counters, std::string_view artifact) {
  const bool ok = status == 0;
  std::string text = environment.status_text(status);
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    text += "," + (ok ? format_metric(environment.metrics()[m], metrics[m]) : "");
  }
  for (std::size_t c = 0; c < counters.size(); ++c) {
    const CounterInfo& info = environment.counters()[c];
    if (has_column(environment, info)) text += "," + (ok ? counter_json(info, counters[c]).dump() : "");
  }
  if (environment.artifact()) text += "," + (ok ? csv_field(std::string(artifact)) : "");
  return text;
}

}  // namespace exarch::cli
