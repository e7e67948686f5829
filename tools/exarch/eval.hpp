// The ways of `exarch eval`: one design, a CSV file of designs, a file of recorded problems, a file of the reference's own
// format, several of them that describe one problem. Each returns the exit code.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "host/execute/evaluator.hpp"
#include "host/run/verdict.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/options.hpp"

namespace exarch::cli {

int eval_one(const Environment& environment, const Arguments& arguments);
int eval_csv(const Environment& environment, const Arguments& arguments);
// CSV rows of any memory, as DRAMSys runs are recorded: whether the header has their columns, and their answers.
[[nodiscard]] bool is_recorded_csv(const Environment& environment, const CsvReader& csv);
int eval_recorded(const Environment& environment, const Arguments& arguments, CsvReader& csv);
// What --set and the workload options say, by name, as text.
// Name=value of each use of an option; UsageError for a name that is given twice.
[[nodiscard]] std::map<std::string, std::string> assignments(const Arguments& arguments, const std::string& option);
[[nodiscard]] std::map<std::string, std::string> given_values(const Environment& environment, const Arguments& arguments);
// One run of dram in detail: its options, whether one of them is given, and the answer.
[[nodiscard]] std::vector<OptionSpec> timeline_options();
[[nodiscard]] bool wants_timeline(const Arguments& arguments);
int eval_timeline(const Environment& environment, const Arguments& arguments);
int eval_problems(const Environment& environment, const Arguments& arguments);
int eval_reference_file(const Environment& environment, const Arguments& arguments);
int eval_model_files(const Environment& environment, const Arguments& arguments);
// Whether an option of eval_model_files() is given, and these options.
[[nodiscard]] bool has_model_files(const Arguments& arguments);
[[nodiscard]] std::vector<OptionSpec> model_file_options();
// The paths that are given, and the values of --define.
[[nodiscard]] std::vector<std::string> model_file_paths(const Arguments& arguments);
[[nodiscard]] std::map<std::string, std::string> defines_of(const Arguments& arguments);
// The same options and paths for a search of mappings, with --constraints and --mapper.
[[nodiscard]] std::vector<OptionSpec> mapper_file_options();
[[nodiscard]] std::vector<std::string> mapper_file_paths(const Arguments& arguments);

// What is known of one evaluated design, workload included.
[[nodiscard]] nlohmann::ordered_json evaluated_json(const Environment& environment, const Verdict& verdict,
                                                    const WorkloadOptions& options, const Evaluator& evaluator,
                                                    Evaluator::OutcomeId id, std::span<const std::int64_t> design,
                                                    std::span<const double> metrics);

}  // namespace exarch::cli
