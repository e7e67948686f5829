// Tables that declare a model's parameters, counters and metrics, a row each: how rows are found and walked, and what parameter
// rows and lists of values are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/metric/metric.hpp"
#include "host/space/design_space.hpp"

namespace exarch {

// A categorical parameter; its values are the labels' numbers.
[[nodiscard]] inline ParameterInfo category(std::string name, std::vector<std::string> labels, std::int64_t default_value,
                                            std::string doc) {
  const auto last = static_cast<std::int64_t>(labels.size()) - 1;
  return {std::move(name), ParameterKind::categorical, std::move(labels), 0, last, default_value, "", std::move(doc)};
}

// The same, with other names of its labels, {"Rankwise", "AllBank"}, and labels that only the reference has.
[[nodiscard]] inline ParameterInfo with_names(ParameterInfo parameter, std::vector<std::pair<std::string, std::string>> aliases,
                                              std::vector<Elsewhere> elsewhere) {
  parameter.aliases = std::move(aliases);
  parameter.elsewhere = std::move(elsewhere);
  return parameter;
}

// An integer parameter.
[[nodiscard]] inline ParameterInfo number(std::string name, std::int64_t minimum, std::int64_t maximum,
                                          std::int64_t default_value, std::string unit, std::string doc) {
  return {std::move(name), ParameterKind::integer, {}, minimum, maximum, default_value, std::move(unit), std::move(doc)};
}

// The place of a row in its table; a name that no row has does not compile.
template <class Rows>
[[nodiscard]] consteval std::size_t place_in(const Rows& rows, std::string_view name) {
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    if (rows[i].name == name) return i;
  }
  throw "no such row";
}

// Calls visit(i, row) for every row, which the compiler sees through: no calls are left.
template <const auto& kRows, class Visit>
void for_each_row(const Visit& visit) {
  [&visit]<std::size_t... kPlaces>(std::index_sequence<kPlaces...>) {
    (visit(kPlaces, kRows[kPlaces]), ...);
  }
  (std::make_index_sequence<std::size(kRows)>());
}

// The metrics of a table whose rows have name, unit, doc and decimals.
template <class Rows>
[[nodiscard]] std::vector<MetricInfo> metrics_of(const Rows& rows) {
  std::vector<MetricInfo> metrics;
  for (const auto& row : rows)
    metrics.push_back({std::string(row.name), std::string(row.unit), std::string(row.doc), row.decimals});
  return metrics;
}

// first, first + 1, ... last.
[[nodiscard]] inline std::vector<std::int64_t> range(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> values;
  for (std::int64_t v = first; v <= last; ++v) values.push_back(v);
  return values;
}

}  // namespace exarch
