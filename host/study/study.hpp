// Carrying out a study's plan: every configuration's searches under every problem, into a store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "host/study/lockstep.hpp"
#include "host/study/plan.hpp"
#include "host/study/study_store.hpp"

namespace exarch {

// Runs searches, wherever costs come from.
class StudyCosts {
 public:
  virtual ~StudyCosts() = default;
  // (search)
  [[nodiscard]] virtual std::vector<SearchRecord> run(std::span<const SearchTask> searches, const SearchProgress& progress) = 0;
  // The cost of a point by the problem's other objective.
  [[nodiscard]] virtual double reported(std::size_t problem, std::uint64_t point) = 0;
};

// From truth tables: (problem) rankings, and those by the other objective, or none. All must outlive it.
class TableCosts final : public StudyCosts {
 public:
  TableCosts(const DesignSpace& space, std::span<const Ranking> problems, std::span<const Ranking> reported, ThreadPool& pool)
      : space_(space), problems_(problems), reported_(reported), pool_(pool) {}
  std::vector<SearchRecord> run(std::span<const SearchTask> searches, const SearchProgress& progress) override {
    return search_in_tables(space_, searches, problems_, pool_, progress);
  }
  double reported(std::size_t problem, std::uint64_t point) override { return reported_[problem].cost(point); }

 private:
  const DesignSpace& space_;
  std::span<const Ranking> problems_, reported_;
  ThreadPool& pool_;
};

// By simulation, the searches in lock-step. `costs` has the problems and, behind them, those by the other objective, if any.
class LiveCosts final : public StudyCosts {
 public:
  LiveCosts(const DesignSpace& space, SimulatedCosts& costs, std::size_t problems)
      : space_(space), costs_(costs), problems_(problems) {}
  std::vector<SearchRecord> run(std::span<const SearchTask> searches, const SearchProgress& progress) override {
    return search_in_lockstep(space_, searches, costs_, progress);
  }
  double reported(std::size_t problem, std::uint64_t point) override;

 private:
  const DesignSpace& space_;
  SimulatedCosts& costs_;
  std::size_t problems_;
};

// What a study has to do.
struct StudySize {
  std::uint64_t configurations = 0, cells = 0, runs = 0;
  std::uint64_t evaluations = 0;  // at most: agents may ask fewer
};
[[nodiscard]] StudySize size_of(const StudyPlan& plan, std::size_t problems);
// Evaluations at most of the cells that the store has already.
[[nodiscard]] std::uint64_t evaluations_done(const StudyPlan& plan, const StudyStore& store);

// Runs what the store lacks. `progress`: evaluations, at most, of the cells done and under way. Returns the seconds spent on each
// of the plan's agents, now.
std::vector<double> run_cells(const StudyPlan& plan, StudyStore& store, StudyCosts& costs, const SearchProgress& progress = {});

// How long one search takes by simulation, from a start without any known cost: until its end, or for `seconds`. Measured, so
// different each time. `costs` must not have been asked anything.
[[nodiscard]] StoredClock measure_clock(const DesignSpace& space, const SearchTask& search, Costs& costs, double seconds);

// CPU seconds, in one thread, that the plan's agents would take for all their searches of one problem, costs aside: from a
// sample of each, made now.
[[nodiscard]] double estimate_agent_seconds(const StudyPlan& plan, const DesignSpace& space);

}  // namespace exarch
