// Writing a run store: what identifies a run, and how outcomes of an evaluator become stored results.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/execute/evaluator.hpp"
#include "host/store/run_store.hpp"

namespace exarch {

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

// What a new store notes about where and by what it is made.
[[nodiscard]] Notes origin_notes(Executor& executor);

// Moves outcomes between evaluators and a store.
class StoreWriter {
 public:
  StoreWriter(RunStore& store, std::uint32_t workload, Evaluator& evaluator);
  // The number of an outcome in the store. One that has none yet gets the next, and is copied to `taken` for write(): which may
  // happen while the evaluator goes on, in the order in which outcomes were taken.
  ResultId take(Evaluator::OutcomeId id, std::vector<StoredResult>& taken);
  // The same for all outcomes; the evaluator may release() them.
  [[nodiscard]] std::vector<StoredResult> take_all();
  // Inside a transaction: appends what was taken.
  void write(std::span<const StoredResult> taken);
  [[nodiscard]] ResultId result_of(Evaluator::OutcomeId id) const { return results_[id]; }
  // Takes over a stored result (resuming); its outcome.
  Evaluator::OutcomeId preload(ResultId id, const StoredResult& result);

 private:
  RunStore& store_;
  std::uint32_t workload_;
  Evaluator& evaluator_;
  static constexpr ResultId kNotStored = 0xFFFFFFFFu;
  [[nodiscard]] StoredResult stored(Evaluator::OutcomeId id) const;

  std::vector<ResultId> results_;  // (outcome)
  ResultId taken_, written_;       // numbers of the next result to take, and to write
};

}  // namespace exarch
