// The truth about a space: a sweep of all of its points, kept whole, and found again.
//
//   problem.objectives = parse_objectives(dram, "latency");
//   run_truth(problem, {}, executor, "truth.db", observer);
//   const OpenedStore opened = open_store("truth.db", observer);
//   const TruthTable truth = truth_of(opened, 0);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/run/store_view.hpp"
#include "host/run/sweep.hpp"

namespace exarch {

// Sweeps the whole space of a problem into a store, which is made or continued. The store notes the problem's first objective, by
// which it is later looked at. Error for a space that is too large for a table.
SweepReport run_truth(const Problem& problem, const EvaluatorOptions& evaluation, const std::shared_ptr<Executor>& executor,
                      const std::string& store, Observer& observer);

// A store of the whole truth about a problem's workloads, and maybe about others.
struct TruthStore {
  OpenedStore opened;
  std::vector<std::uint32_t> workloads;  // (workload of the problem) its number in the store
};

// The truth that a file holds about these workloads of a problem. Nothing if the file is missing or incomplete; Error if it is
// about something else.
[[nodiscard]] std::optional<TruthStore> find_truth(const std::string& path, const Problem& problem, const Workloads& workloads,
                                                   Observer& observer);

}  // namespace exarch
