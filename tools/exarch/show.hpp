// How results are shown: numbers, tables, JSON, the cells of CSV files.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/env/environment.hpp"
#include "tools/exarch/options.hpp"

namespace exarch::cli {

// Fixed decimals as the metric's table says; "" for a failed run's metrics is the caller's business.
[[nodiscard]] std::string format_metric(const MetricInfo& metric, double value);
// What JSON has for a number: null where it is not finite.
[[nodiscard]] nlohmann::ordered_json number_or_null(double value);
// How many points a space has: a whole number, rounded where they are not numbered.
[[nodiscard]] nlohmann::ordered_json points_json(const DesignSpace& space);
// The same for a table, without separators.
[[nodiscard]] std::string points_cell(const DesignSpace& space);

// {"design": ..., "status": ..., "metrics": ..., "counters": ...}, numbers at full precision, and a model's artifact by its name;
// a failed run has none of the three.
[[nodiscard]] nlohmann::ordered_json result_json(const Environment& environment, std::span<const std::int64_t> design,
                                                 std::uint8_t status, std::span<const double> metrics,
                                                 std::span<const std::uint64_t> counters, std::string_view artifact = {});

// Columns padded to their widest cell; numbers (all cells but the header parse as one) to the right.
void print_table(std::vector<std::vector<std::string>> rows);

// A verb's answer: the rows as a table or, with --json, the JSON.
void print_answer(const Arguments& arguments, const nlohmann::ordered_json& json,
                  const std::vector<std::vector<std::string>>& rows);

// A result in CSV files: the names of its columns, "status,runtime_cycles,...", and their cells, empty ones for a failed run.
// Status, metrics, a model's artifact, and the counters that a user sees, but for those that a metric of the same name shows:
// every column has a name of its own.
[[nodiscard]] std::string result_header(const Environment& environment);
[[nodiscard]] std::string result_cells(const Environment& environment, std::uint8_t status, std::span<const double> metrics,
                                       std::span<const std::uint64_t> counters, std::string_view artifact = {});

}  // namespace exarch::cli
