// What several verbs share: common options, designs from --set and CSV rows, number formats, tables.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/batch/evaluator.hpp"
#include "host/env/environment.hpp"
#include "host/store/run_store.hpp"
#include "host/study/truth.hpp"
#include "tools/exarch/options.hpp"

namespace exarch::cli {

// --engine, --no-share
[[nodiscard]] std::vector<OptionSpec> evaluation_options();
// One option per workload option of an environment, or of all.
[[nodiscard]] std::vector<OptionSpec> workload_options(const Environment& environment);
[[nodiscard]] std::vector<OptionSpec> workload_options();
[[nodiscard]] std::vector<OptionSpec> operator+(std::vector<OptionSpec> a, std::vector<OptionSpec> b);

[[nodiscard]] Backend make_backend(const Arguments& arguments);
[[nodiscard]] EvaluatorOptions evaluator_options(const Arguments& arguments);

// The workload options of the command line; UsageError for one of another environment.
[[nodiscard]] WorkloadOptions given_options(const Environment& environment, const Arguments& arguments);
// The workloads they name, one per entry of the comma-separated primary option, completed.
[[nodiscard]] std::vector<WorkloadOptions> given_workloads(const Environment& environment, const Arguments& arguments);
// Loads a workload; prints its warnings to stderr.
[[nodiscard]] std::shared_ptr<const Workload> load(const Environment& environment, const WorkloadOptions& options);

// A shipped space's name or a space file's path; empty: the environment's first.
[[nodiscard]] DesignSpace resolve_space(const Environment& environment, const std::string& name);
// The same by --space, with the parameters of --set fixed to one value each.
[[nodiscard]] DesignSpace given_space(const Environment& environment, const Arguments& arguments);
// What --set does to a space.
[[nodiscard]] OptionSpec fixing_option();

// The default design, and one "Name=value" assignment applied to a design.
[[nodiscard]] Design default_design(const Environment& environment);
void assign(const Environment& environment, const std::string& assignment, Design& design);
// The default design with the assignments of --set.
[[nodiscard]] Design given_design(const Environment& environment, const Arguments& arguments);
// All that --set says; UsageError where a parameter is set twice.
void assign_all(const Environment& environment, const std::vector<std::string>& assignments, Design& design);
// The same for any option of the form key=value: `seen` remembers what it said of each key.
void refuse_repeated(const std::string& option, const std::string& assignment, std::map<std::string, std::string>& seen);
// The default design as far as the space has it: where it does not have a parameter's default, the first of its values.
[[nodiscard]] Design default_design(const Environment& environment, const DesignSpace& space);
// The point of a design; UsageError if the space does not have it.
[[nodiscard]] std::uint64_t point_of(const DesignSpace& space, const Design& design);
[[nodiscard]] std::size_t parameter_index(const Environment& environment, const std::string& name);

[[nodiscard]] Objective parse_objective(const Environment& environment, const std::string& text);
// Several, separated by semicolons; one at least.
[[nodiscard]] std::vector<Objective> parse_objectives(const Environment& environment, const std::string& text);
// UsageError where two of them mean the same.
void refuse_repeated(const std::vector<Objective>& objectives);
// The texts of them, separated likewise.
[[nodiscard]] std::string text_of(const std::vector<Objective>& objectives);
// The parts of a text between separators, without empty ones.
[[nodiscard]] std::vector<std::string> split(const std::string& text, char separator);

// Fixed decimals as the metric's table says; "" for a failed run's metrics is the caller's business.
[[nodiscard]] std::string format_metric(const MetricInfo& metric, double value);
// What JSON has for a number: null where it is not finite.
[[nodiscard]] nlohmann::ordered_json number_or_null(double value);
// 1,234,567
[[nodiscard]] std::string with_commas(std::uint64_t number);
[[nodiscard]] std::string format_design(const Environment& environment, std::span<const std::int64_t> design);

// {"design": ..., "status": ..., "metrics": ..., "counters": ...}, numbers at full precision; a failed run has neither metrics
// nor counters.
[[nodiscard]] nlohmann::ordered_json result_json(const Environment& environment, std::span<const std::int64_t> design,
                                                 std::uint8_t status, std::span<const double> metrics,
                                                 std::span<const std::uint64_t> counters);

// Columns padded to their widest cell; numbers (all cells but the header parse as one) to the right.
void print_table(std::vector<std::vector<std::string>> rows);

// A verb's answer: the rows as a table or, with --json, the JSON.
void print_answer(const Arguments& arguments, const nlohmann::ordered_json& json,
                  const std::vector<std::vector<std::string>>& rows);

// Results must not take the place of a file that describes the workload: UsageError that names the option.
void refuse_overwriting(const std::string& option, const std::string& out, const WorkloadOptions& workload);

// How a workload is written into a store and found again.
[[nodiscard]] std::string workloads_json(const std::vector<WorkloadOptions>& workloads);
// `where` names the store in errors.
[[nodiscard]] std::vector<WorkloadOptions> workloads_from_json(const std::string& text, const std::string& where);

// Names of a store's columns.
[[nodiscard]] RunStore::Layout store_layout(const Environment& environment);

// What the results of these workloads depend on; part of a store's identity.
[[nodiscard]] std::string workload_content(const std::vector<std::shared_ptr<const Workload>>& workloads);

// How a sweep's identity ends that kept the best "by OBJECTIVE", and the front.
inline constexpr const char* kKeptWithFront = " and the Pareto front";

// The note of a truth store about the objective that it was made for.
inline constexpr const char* kAskedObjective = "objective asked for";

// A finished or running store opened for reading, with what is needed to interpret it.
struct OpenedStore {
  RunStore store;
  const Environment& environment;
  DesignSpace space;
  std::vector<std::shared_ptr<const Workload>> workloads;
  std::string kind;            // "sweep" or "search"
  std::string keep;            // sweep: "all", or what was kept ...
  std::string kept_by;         // ... and by which objective; of a truth store, the one that it was made for
  std::uint64_t sample, seed;  // sweep: 0 = all points in order, else number and seed of sampled points
  std::size_t objectives;      // search: how many
};
[[nodiscard]] OpenedStore open_store(const std::string& path);

// What a new store notes about where and by what it is made.
[[nodiscard]] Notes origin_notes(Backend& backend);

// Error unless a stored generation is one of a search in this space with so many objectives.
void check_generation(const RunStore& store, const DesignSpace& space, std::size_t objectives,
                      const StoredGeneration& generation);
// Calls visit(generation) for every generation of a search, in order, each checked.
void for_each_generation(const OpenedStore& opened, const std::function<void(const StoredGeneration&)>& visit);

// Statuses and counters of a store's results. Those of one workload are in memory, the one last asked for: candidates come
// workload by workload, while a store may hold millions of results.
class ResultTable {
 public:
  struct Row {
    std::uint8_t status;
    std::span<const std::uint64_t> counters;  // until another workload is asked for
  };
  explicit ResultTable(const RunStore& store) : store_(store) {}
  [[nodiscard]] Row at(std::uint32_t workload, ResultId id);

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;
  void load(std::uint32_t workload);

  const RunStore& store_;
  std::uint32_t workload_ = kNone;
  ResultId first_ = 0;
  std::vector<std::uint32_t> row_of_;    // (result from first_ on)
  std::vector<std::uint8_t> status_;     // (row)
  std::vector<std::uint64_t> counters_;  // (row, counter)
};

// A result in CSV files: the names of its columns, "status,runtime_cycles,...", and their cells, empty ones for a failed run.
// Status, metrics, and the counters that a user sees, but for those that a metric of the same name shows: every column has a name
// of its own.
[[nodiscard]] std::string result_header(const Environment& environment);
[[nodiscard]] std::string result_cells(const Environment& environment, std::uint8_t status, std::span<const double> metrics,
                                       std::span<const std::uint64_t> counters);

// Point number of the i-th candidate of a sweep: i itself, or a counter-based draw.
[[nodiscard]] std::uint64_t sweep_point(const DesignSpace& space, std::uint64_t sample, std::uint64_t seed, std::uint64_t i);

// Calls visit(workload, candidate number, genes, result) for every candidate of a store, in order.
void for_each_candidate(const OpenedStore& opened,
                        const std::function<bool(std::uint32_t, std::uint64_t, std::span<const Gene>, ResultId)>& visit);

// The truth about a workload of a store that holds a whole space; Error for any other store.
[[nodiscard]] TruthTable truth_of(const OpenedStore& opened, std::uint32_t workload);
// The same for one that outlives the store: it refers to `space`, equal to the store's, and no workload.
[[nodiscard]] TruthTable truth_of(const OpenedStore& opened, std::uint32_t workload, const DesignSpace& space);

// Moves outcomes between evaluators and a store.
class StoreWriter {
 public:
  StoreWriter(RunStore& store, std::uint32_t workload, Evaluator& evaluator);
  // Inside a transaction: appends outcomes the store does not have yet, all or one. The evaluator may release() them afterwards.
  void flush();
  ResultId keep(Evaluator::OutcomeId id);
  [[nodiscard]] ResultId result_of(Evaluator::OutcomeId id) const { return results_[id]; }
  // Takes over a stored result (resuming); its outcome.
  Evaluator::OutcomeId preload(ResultId id, const StoredResult& result);

 private:
  RunStore& store_;
  std::uint32_t workload_;
  Evaluator& evaluator_;
  static constexpr ResultId kNotStored = 0xFFFFFFFFu;
  std::vector<ResultId> results_;  // (outcome)
};

// The verbs.
extern const Verb kEnvsVerb, kSpaceVerb, kEvalVerb, kSweepVerb, kSearchVerb, kStudyVerb, kBestVerb, kRankVerb, kReportVerb,
    kExportVerb, kTraceVerb, kBenchVerb, kDoctorVerb;

}  // namespace exarch::cli
