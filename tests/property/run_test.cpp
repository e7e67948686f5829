// Runs of the library: what a store, an observer, an executor and an interruption may change, which is nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <optional>
#include <random>

#include "agents/agent.hpp"
#include "host/dram/environment.hpp"
#include "host/error.hpp"
#include "host/execute/scoring.hpp"
#include "host/run/best.hpp"
#include "host/run/inputs.hpp"
#include "host/run/leaderboard.hpp"
#include "host/run/search.hpp"
#include "host/run/store_view.hpp"
#include "host/run/study.hpp"
#include "host/run/sweep.hpp"
#include "host/run/truth.hpp"
#include "host/study/summary.hpp"
#include "tests/support/counting_executor.hpp"
#include "tests/support/pipe_executor.hpp"
#include "tests/support/temp_folder.hpp"

namespace exarch {
namespace {

using testing::CountingExecutor;
using testing::PipeExecutor;
using testing::TempFolder;

const Environment& dram() {
  return find_environment("dram");
}

Problem problem_in(const char* space, const std::string& traces, const std::string& objectives) {
  Problem problem(dram(), DesignSpace::from_json(space, "test", dram().parameters()));
  problem.workloads = list_workloads(dram(), {{"trace", traces}});
  problem.objectives = parse_objectives(dram(), objectives);
  return problem;
}

Problem small_problem(const std::string& traces = "stream", const std::string& objectives = "latency") {
  return problem_in(R"({"name": "small", "parameters": {"PagePolicy": ["Open", "Closed"], "Scheduler": ["Fifo", "FrFcfs"],
      "RequestBufferSize": [1, 2, 4, 8], "RespQueue": ["Fifo", "Reorder"], "MaxActiveTransactions": [1, 8, 64]}})",
                    traces, objectives);
}

std::shared_ptr<Executor> local(unsigned threads = 2) {
  return std::make_shared<LocalExecutor>("cpu", threads);
}

// All that a store says about candidates.
std::vector<std::string> rows_of(const std::string& path) {
  Observer quiet;
  const OpenedStore opened = open_store(path, quiet);
  std::vector<std::string> rows;
  for_each_priced(opened, [&](const PricedCandidate& c) {
    std::string row = std::to_string(c.workload) + " " + std::to_string(c.candidate) + " " + format_design(dram(), c.design) +
                      " " + std::to_string(c.row.status);
    for (const double metric : c.metrics) row += " " + std::to_string(metric);
    rows.push_back(row);
  });
  return rows;
}

// The costs of a sweep's points, in order.
struct Costs : Observer {
  explicit Costs(const Objective& of) : objective(of) {}
  void on_results(const SweptBatch& batch) override {
    score(batch.evaluator, batch.outcomes, batch.designs, std::span(&objective, 1),
          [&](const ScoredCandidate& c) { costs.push_back(c.costs[0]); });
  }
  [[nodiscard]] bool wants_results() const override { return true; }
  const Objective& objective;
  std::vector<double> costs;
};

// Cancels a run when it is asked for the n-th time.
struct Canceller : Observer {
  explicit Canceller(int times) : left(times) {}
  bool is_cancelled() override { return --left <= 0; }
  int left;
};

// Runs again and again, each time a little further, until nothing is left; the last report.
template <class Run>
auto run_in_steps(const Run& run) {
  for (int steps = 0;; ++steps) {
    Canceller canceller(2 + steps);  // a chunk of a sweep that keeps the best is done whole, or again
    try {
      auto report = run(canceller);
      EXPECT_GT(steps, 1) << "it was never cancelled";
      return report;
    } catch (const Cancelled&) {
    }
    if (steps == 1000) throw std::runtime_error("no end");
  }
}

TEST(Sweeps, WithAndWithoutAStoreGiveTheSame) {
  const TempFolder folder;
  const SweepSpec spec(small_problem("stream,random"));
  struct Collector : Observer {
    void on_results(const SweptBatch& batch) override {
      score(batch.evaluator, batch.outcomes, batch.designs, {}, [&](const ScoredCandidate& c) {
        std::string row = std::to_string(batch.workload) + " " + std::to_string(batch.first + c.candidate) + " " +
                          format_design(dram(), c.design) + " " + std::to_string(c.status);
        for (const double metric : c.metrics) row += " " + std::to_string(metric);
        rows.push_back(row);
      });
    }
    [[nodiscard]] bool wants_results() const override { return true; }
    std::vector<std::string> rows;
  } with, without;
  const SweepReport stored = run_sweep(spec, local(), folder / "a.db", with);
  const SweepReport memory = run_sweep(spec, local(), "", without);
  EXPECT_EQ(stored.requested, 2 * spec.problem.space.size());
  EXPECT_EQ(memory.requested, stored.requested);
  EXPECT_EQ(memory.simulated, stored.simulated);
  EXPECT_EQ(without.rows.size(), stored.requested);
  EXPECT_EQ(with.rows, without.rows);
  EXPECT_EQ(rows_of(folder / "a.db"), without.rows);
}

// More points than are evaluated at a time: an observer prices results that earlier points share, and an executor that wants
// large batches gets the same in fewer of them.
TEST(Sweeps, OfManyPointsAreTheSameInAFewLargeBatches) {
  const TempFolder folder;
  Problem problem(dram(), fix_parameters(dram(), resolve_space(dram(), ""),
                                         {"PagePolicy=OpenAdaptive", "RespQueue=Fifo", "Arbiter=Reorder"}));
  problem.workloads = list_workloads(dram(), {{"trace", "ranktest"}});
  problem.objectives = parse_objectives(dram(), "energy");
  ASSERT_GT(problem.space.size(), 65536u);
  Costs small_costs(problem.objectives[0]), large_costs(problem.objectives[0]);
  const auto small = std::make_shared<CountingExecutor>(0, 2), large = std::make_shared<CountingExecutor>(16384, 2);
  const SweepSpec all(problem);
  (void)run_sweep(all, small, folder / "small.db", small_costs);
  (void)run_sweep(all, large, folder / "large.db", large_costs);
  EXPECT_EQ(large_costs.costs, small_costs.costs);
  EXPECT_EQ(rows_of(folder / "large.db"), rows_of(folder / "small.db"));
  EXPECT_LT(4 * large->batches().size(), small->batches().size());

  SweepSpec best(problem);
  best.keep = 5;
  Observer quiet;
  const auto kept = [&](const std::shared_ptr<Executor>& executor) {
    std::vector<std::uint64_t> points;
    const SweepReport report = run_sweep(best, executor, "", quiet);
    for (const KeptDesign& design : report.kept[0]) points.push_back(design.candidate);
    return points;
  };
  EXPECT_EQ(kept(large), kept(small));
}

TEST(Sweeps, TheBestAreThoseOfTheWholeSpace) {
  SweepSpec spec(small_problem("random", "energy"));
  spec.keep = 5;
  Costs all(spec.problem.objectives[0]);
  const SweepReport report = run_sweep(spec, local(), "", all);
  ASSERT_EQ(report.kept.size(), 1u);
  std::ranges::sort(all.costs);
  double best = report.kept[0][0].cost;
  for (const KeptDesign& kept : report.kept[0]) {
    best = std::min(best, kept.cost);
    EXPECT_EQ(kept.design, design_at(spec.problem.space, kept.candidate));
    EXPECT_EQ(spec.problem.objectives[0].score(kept.metrics, true).cost, kept.cost);
  }
  EXPECT_EQ(best, all.costs.front());
}

TEST(Sweeps, CancelledAndContinuedIsUninterrupted) {
  const TempFolder folder;
  for (const std::size_t keep : {0u, 7u}) {
    SweepSpec spec(small_problem("stream,random"));
    spec.keep = keep;
    Observer quiet;
    const std::string whole = folder / ("whole" + std::to_string(keep)), parts = folder / ("parts" + std::to_string(keep));
    (void)run_sweep(spec, local(), whole, quiet);
    (void)run_in_steps([&](Observer& observer) { return run_sweep(spec, local(), parts, observer); });
    EXPECT_EQ(rows_of(parts), rows_of(whole));
  }
}

SearchSpec small_search(const std::string& agent, const std::string& objectives) {
  SearchSpec spec(small_problem("random", objectives));
  spec.agent = agent;
  spec.population = 16;
  spec.generations = 8;
  spec.top = 4;
  return spec;
}

// What a report says, but for times.
std::string text_of(const SearchReport& report) {
  std::string text = std::to_string(report.generations) + " " + std::to_string(report.requested) + " " +
                     std::to_string(report.simulated) + " " + std::to_string(report.judged) + " " +
                     std::to_string(report.infeasible);
  for (const auto& [reason, count] : report.reasons) text += "\n" + reason + " " + std::to_string(count);
  for (const auto& [constraint, closest] : report.closest) {
    text += "\n" + constraint + " " + std::to_string(closest.excess) + " " + format_design(dram(), closest.design);
  }
  std::vector<const FoundDesign*> all{&report.baseline};
  for (const FoundDesign& found : report.best) all.push_back(&found);
  for (const FoundDesign* found : all) {
    text += "\n" + format_design(dram(), found->design) + " " + std::to_string(found->status);
    for (const double value : found->values) text += " " + std::to_string(value);
    for (const double metric : found->metrics) text += " " + std::to_string(metric);
    for (const std::uint64_t counter : found->counters) text += " " + std::to_string(counter);
  }
  return text;
}

class Searches : public ::testing::TestWithParam<std::pair<const char*, const char*>> {
 protected:
  SearchSpec spec_ = small_search(GetParam().first, GetParam().second);
};

INSTANTIATE_TEST_SUITE_P(Agents, Searches,
                         ::testing::Values(std::pair("ga", "latency"),
                                           std::pair("random", "min:total_energy_pj,total_time_ps<=1"),
                                           std::pair("nsga2", "latency; energy")),
                         [](const auto& instance) { return std::string(instance.param.first); });

TEST_P(Searches, AStoreAndAnInterruptionChangeNothing) {
  const TempFolder folder;
  Observer quiet;
  const std::string want = text_of(run_search(spec_, local(), "", quiet));
  EXPECT_EQ(text_of(run_search(spec_, local(), folder / "whole.db", quiet)), want);
  EXPECT_EQ(text_of(run_in_steps([&](Observer& observer) { return run_search(spec_, local(), folder / "parts.db", observer); })),
            want);
  EXPECT_EQ(rows_of(folder / "parts.db"), rows_of(folder / "whole.db"));
  // A finished one is read, not run.
  EXPECT_EQ(text_of(run_search(spec_, local(), folder / "whole.db", quiet)), want);
}

TEST_P(Searches, AnotherProcessGivesTheSame) {
  const TempFolder folder;
  Observer quiet;
  const auto child = std::make_shared<PipeExecutor>(dram(), spec_.problem.workloads);
  const std::string there = text_of(run_search(spec_, child, folder / "there.db", quiet));
  EXPECT_GT(child->simulated(), 0u);
  EXPECT_EQ(there, text_of(run_search(spec_, local(), folder / "here.db", quiet)));
  EXPECT_EQ(rows_of(folder / "there.db"), rows_of(folder / "here.db"));
}

TEST(Executors, ASweepByAnotherProcessGivesTheSame) {
  const TempFolder folder;
  Observer quiet;
  const SweepSpec spec(small_problem("stream,random"));
  const auto child = std::make_shared<PipeExecutor>(dram(), spec.problem.workloads);
  (void)run_sweep(spec, child, folder / "there.db", quiet);
  (void)run_sweep(spec, local(), folder / "here.db", quiet);
  EXPECT_EQ(rows_of(folder / "there.db"), rows_of(folder / "here.db"));
}

TEST(Executors, OneThatDiesIsAnErrorAndTheRunGoesOnWithAnother) {
  const TempFolder folder;
  Observer quiet;
  const SearchSpec spec = small_search("ga", "latency");
  const auto child = std::make_shared<PipeExecutor>(dram(), spec.problem.workloads);
  struct Killer : Observer {
    explicit Killer(const PipeExecutor& executor) : child(executor) {}
    void on_progress(std::uint64_t done, const std::string&) override {
      if (done == 2) child.kill_child();
    }
    const PipeExecutor& child;
  } killer(*child);
  EXPECT_THROW((void)run_search(spec, child, folder / "run.db", killer), Error);
  const std::string resumed = text_of(run_search(spec, local(), folder / "run.db", quiet));
  EXPECT_EQ(resumed, text_of(run_search(spec, local(), "", quiet)));
}

TEST(Executors, OneThatGivesTooLittleIsRefused) {
  class Short final : public Executor {
   public:
    void simulate(const Environment& environment, const Workload& workload, std::span<const std::int64_t> designs, Engine engine,
                  Outcomes& outcomes) override {
      own_.simulate(environment, workload, designs, engine, outcomes);
      outcomes.counters.pop_back();
    }
    ThreadPool& pool() override { return own_.pool(); }
    std::string description() override { return "short"; }

   private:
    LocalExecutor own_{"cpu", 1};
  };
  Observer quiet;
  EXPECT_THROW((void)run_search(small_search("ga", "latency"), std::make_shared<Short>(), "", quiet), std::logic_error);
}

// Everything an observer hears, as text.
struct Listener : Observer {
  void on_open(const std::string&) override { heard.emplace_back("open"); }
  void on_start(const std::string& unit, std::uint64_t total, std::uint64_t done) override {
    heard.push_back("start " + unit + " " + std::to_string(done) + "/" + std::to_string(total));
    last = done;
  }
  void on_progress(std::uint64_t done, const std::string&) override {
    EXPECT_GE(done, last);
    last = done;
  }
  void on_end() override { heard.push_back("end " + std::to_string(last)); }
  void on_improvement(const FoundBetter& better) override { improvements.push_back(better.values[0]); }
  void on_note(const std::string& text) override { heard.push_back(text); }
  std::vector<std::string> heard;
  std::vector<double> improvements;
  std::uint64_t last = 0;
};

TEST(Observers, HearOfProgressAndOfEveryNewBest) {
  const TempFolder folder;
  Listener first;
  const SearchSpec spec = small_search("ga", "latency");
  const SearchReport report = run_search(spec, local(), folder / "run.db", first);
  EXPECT_THAT(first.heard, ::testing::ElementsAre("open", "start generations 0/8", "end 8"));
  ASSERT_FALSE(first.improvements.empty());
  EXPECT_TRUE(std::ranges::is_sorted(first.improvements, std::greater<>()));
  EXPECT_EQ(first.improvements.back(), report.best[0].values[0]);
  Listener again;
  (void)run_search(spec, local(), folder / "run.db", again);
  EXPECT_TRUE(again.improvements.empty()) << "what was known before is no news";
}

TEST(Observers, AnExceptionOfTheirsEndsTheRunAndReachesTheCaller) {
  struct Thrower : Observer {
    void on_progress(std::uint64_t done, const std::string&) override {
      if (done == 3) throw std::out_of_range("enough");
    }
  } thrower;
  const TempFolder folder;
  const SearchSpec spec = small_search("ga", "latency");
  EXPECT_THROW((void)run_search(spec, local(), folder / "run.db", thrower), std::out_of_range);
  Observer quiet;
  EXPECT_EQ(text_of(run_search(spec, local(), folder / "run.db", quiet)), text_of(run_search(spec, local(), "", quiet)));
}

TEST(Searches, AnAgentThatAsksForMetricsGetsThoseOfItsCandidates) {
  // Asks the points in order, and checks what it is told.
  class Reader final : public Agent {
   public:
    Reader(const DesignSpace& space, std::uint64_t& told) : space_(space), told_(told) {}
    void ask(GeneBatch& batch) override {
      batch.dimensions = space_.dimensions();
      batch.genes.resize(8 * batch.dimensions);
      for (std::size_t c = 0; c < 8; ++c) space_.genes_of(next_++ % space_.size(), batch.row(c));
    }
    void tell(const GeneBatch&, std::span<const double>) override { FAIL() << "told costs only"; }
    bool wants_metrics() const override { return true; }
    void tell_results(const GeneBatch& batch, const Told& told) override {
      const std::size_t metrics = dram().metrics().size();
      ASSERT_EQ(told.status.size(), batch.candidates());
      ASSERT_EQ(told.metrics.size(), batch.candidates() * metrics);
      const Objective objective = parse_objective(dram(), "latency");
      for (std::size_t c = 0; c < batch.candidates(); ++c) {
        EXPECT_EQ(objective.score(told.metrics.subspan(c * metrics, metrics), told.status[c] == 0).cost, told.costs[c]);
      }
      told_ += batch.candidates();
    }
    std::string state() const override { return std::to_string(next_); }
    void restore(const std::string& state) override { next_ = std::stoull(state); }

   private:
    const DesignSpace& space_;
    std::uint64_t& told_;
    std::uint64_t next_ = 0;
  };
  std::uint64_t told = 0;
  SearchSpec spec = small_search("reader", "latency");
  spec.make_own_agent = [&told](const DesignSpace& space, const AgentOptions&) { return std::make_unique<Reader>(space, told); };
  Observer quiet;
  EXPECT_EQ(run_search(spec, local(), "", quiet).requested, 64u);
  EXPECT_EQ(told, 64u);
}

constexpr const char* kPlan = R"(
name = "small"
doc = "two agents"
environment = "dram"
space = "archgym-aco"
objectives = ["latency", "energy"]
seeds = 3
[workload]
trace = "stream"
[[agents]]
agent = "ga"
population = [8, 16]
evaluations = 64
[[agents]]
agent = "random"
population = 16
evaluations = 64
)";

StudySpec small_study(const std::string& truth) {
  StudySpec spec = resolve_study(StudyPlan::from_toml(kPlan, "plan"));
  spec.problem.space = small_problem().space;
  spec.truth = truth;
  return spec;
}

TEST(Studies, CancelledAndContinuedIsUninterrupted) {
  const TempFolder folder;
  StudySpec spec = small_study(folder / "truth.db");
  Observer quiet;
  const auto cells = [](const std::string& path) {
    std::vector<std::vector<double>> all;
    const StudyStore store{std::filesystem::path(path)};
    store.for_each_cell([&](std::uint32_t c, std::uint32_t p, const StoredCell& cell) {
      all.push_back({static_cast<double>(c), static_cast<double>(p)});
      all.back().insert(all.back().end(), cell.cost.begin(), cell.cost.end());
      for (const std::uint64_t point : cell.best_point) all.back().push_back(static_cast<double>(point));
      return true;
    });
    return all;
  };
  (void)run_study(spec, local(), folder / "whole.db", quiet);
  EXPECT_EQ(cells(folder / "whole.db").size(), 6u);
  spec.truth = folder / "truth2.db";
  (void)run_in_steps([&](Observer& observer) { return run_study(spec, local(), folder / "parts.db", observer); });
  EXPECT_EQ(cells(folder / "parts.db"), cells(folder / "whole.db"));
}

// What is said after an interruption, that the store has what was done, is said after a look: a cancelled run whose store is gone
// ends with an Error.
TEST(Runs, ThatEndEarlyLookForTheirStore) {
  struct Remover : Observer {
    Remover(std::string store, int after) : path(std::move(store)), left(after) {}
    bool is_cancelled() override {
      if (--left > 0) return false;
      std::filesystem::remove(path);
      return true;
    }
    std::string path;
    int left;
  };
  const auto expect_missed = [](const auto& run) {
    const TempFolder folder;
    for (int after = 1;; ++after) {
      const std::string path = folder / (std::to_string(after) + ".db");
      Remover remover(path, after);
      try {
        run(path, remover);
        EXPECT_GT(after, 1) << "it was never cancelled";
        break;
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("deleted")) << "cancelled when asked for the " << after << ". time";
      } catch (const Cancelled&) {
        ADD_FAILURE() << "cancelled when asked for the " << after << ". time, without a word about the store";
      }
      if (::testing::Test::HasFailure()) break;
    }
  };
  for (const std::size_t keep : {0u, 7u}) {
    SweepSpec spec(small_problem("stream,random"));
    spec.keep = keep;
    expect_missed([&](const std::string& path, Observer& observer) { (void)run_sweep(spec, local(), path, observer); });
  }
  const SearchSpec search = small_search("ga", "latency");
  expect_missed([&](const std::string& path, Observer& observer) { (void)run_search(search, local(), path, observer); });
}

TEST(Studies, AnEstimateCountsWhatARunDoes) {
  const TempFolder folder;
  const StudySpec spec = small_study(folder / "truth.db");
  Observer quiet;
  const StudyEstimate before = estimate_study(spec, local(), quiet);
  EXPECT_EQ(before.truth_points, spec.problem.space.size());
  EXPECT_EQ(before.size.runs, 2u * 3u * 3u);  // problems, configurations, seeds
  ASSERT_EQ(before.agents.size(), 2u);
  EXPECT_EQ(before.agents[0].runs + before.agents[1].runs, before.size.runs);
  (void)run_truth(spec.problem, {}, local(), spec.truth, quiet);
  EXPECT_EQ(estimate_study(spec, local(), quiet).truth_points, 0u);
}

TEST(Specs, WhatMakesNoSenseIsRefusedBeforeAnythingRuns) {
  struct NeverOpens : Observer {
    void on_open(const std::string&) override { ADD_FAILURE() << "a store is opened"; }
  } observer;
  const auto refused = [&](const SearchSpec& spec) {
    EXPECT_THROW((void)run_search(spec, local(), "/nowhere/run.db", observer), UsageError);
  };
  SearchSpec spec = small_search("ga", "latency");
  spec.agent = "gaa";
  refused(spec);
  spec = small_search("ga", "latency; energy");  // one objective only
  refused(spec);
  spec = small_search("ga", "latency");
  spec.problem.workloads.push_back(spec.problem.workloads[0]);
  refused(spec);
  spec = small_search("ga", "latency");
  spec.problem.objectives.clear();
  refused(spec);
  SweepSpec sweep(small_problem());
  sweep.sample = kMostPoints + 1;
  EXPECT_THROW((void)run_sweep(sweep, local(), "", observer), UsageError);
  sweep.sample = 0;
  sweep.problem.workloads.clear();
  EXPECT_THROW((void)run_sweep(sweep, local(), "", observer), UsageError);
}

// The best few against brute force: items of an identity are one, ties go to the smaller order.
TEST(TheBest, AreThoseOfAllOfferedItems) {
  std::mt19937_64 rng(0xBE57);
  for (int round = 0; round < 300; ++round) {
    const std::size_t capacity = rng() % 8;
    Best<int, std::pair<int, int>, int> best(capacity);
    std::map<int, std::pair<int, int>> smallest;  // by identity
    for (int arrival = 0; arrival < 60; ++arrival) {
      const int identity = static_cast<int>(rng() % 12);
      const std::pair order{static_cast<int>(rng() % 10), arrival};
      if (best.reaches(order) || best.find(identity) != nullptr) best.offer(identity, order, identity);
      const auto [known, is_new] = smallest.try_emplace(identity, order);
      if (!is_new) known->second = std::min(known->second, order);
    }
    std::vector<std::pair<std::pair<int, int>, int>> want, got;
    for (const auto& [identity, order] : smallest) want.emplace_back(order, identity);
    std::ranges::sort(want);
    want.resize(std::min(want.size(), capacity));
    for (const auto& [order, entry] : best.entries()) got.emplace_back(order, entry.item);
    EXPECT_EQ(got, want) << "round " << round;
  }
}

}  // namespace
}  // namespace exarch
