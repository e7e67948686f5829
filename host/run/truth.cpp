#include "host/run/truth.hpp"

#include <algorithm>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"

namespace exarch {

SweepReport run_truth(const Problem& problem, const EvaluatorOptions& evaluation, const std::shared_ptr<Executor>& executor,
                      const std::string& store, Observer& observer) {
  TruthTable::check_size(problem.space);
  if (problem.objectives.empty()) throw UsageError("a truth needs an objective to be looked at by");
  SweepSpec spec(problem);  // nothing is drawn: the truth is the same for any seed
  spec.evaluation = evaluation;
  spec.asked_for = problem.objectives.front().text();
  return run_sweep(spec, executor, store, observer);
}

std::optional<TruthStore> find_truth(const std::string& path, const Problem& problem, const Workloads& workloads,
                                     Observer& observer) {
  if (!is_store_of(path, StoreKind::run)) return std::nullopt;  // missing, or refused by whoever writes it
  OpenedStore opened = open_store(path, observer);
  const auto refuse = [&path](const std::string& why) {
    throw Error(path + ": no truth about this study: " + why + "; name another file by --truth");
  };
  if (opened.kind != "sweep" || opened.sample != 0 || opened.keep != "all") refuse("it is not the sweep of a whole space");
  if (opened.environment.name() != problem.environment().name()) refuse("it is about " + opened.environment.name());
  if (opened.space.to_json() != problem.space.to_json()) {
    refuse("it is about space '" + opened.space.name() + "', with other values than '" + problem.space.name() + "' here");
  }
  std::vector<std::uint32_t> numbers;
  bool complete = true;
  for (const auto& workload : workloads) {
    const auto found = std::ranges::find(opened.workloads, workload->identity, [](const auto& w) { return w->identity; });
    if (found == opened.workloads.end()) refuse("it knows no workload '" + workload->name + "'");
    numbers.push_back(static_cast<std::uint32_t>(found - opened.workloads.begin()));
    complete = complete && opened.store.points_done(numbers.back()) == opened.space.size();
  }
  if (complete) return TruthStore{std::move(opened), std::move(numbers)};
  for (std::uint32_t w = 0; w < opened.workloads.size(); ++w) {
    if (w < numbers.size() && numbers[w] == w) continue;
    refuse("it is incomplete, and about more than this study's workloads, or in another order; continue it by its own command");
  }
  return std::nullopt;
}

}  // namespace exarch
