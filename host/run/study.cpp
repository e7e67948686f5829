#include "host/run/study.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "host/error.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "host/run/saver.hpp"
#include "host/run/store_writer.hpp"
#include "host/run/truth.hpp"

namespace exarch {
namespace {

// The tables of a study and its problems ranked by them: (workload, objective).
struct Truth {
  std::vector<TruthTable> tables;
  std::vector<Ranking> rankings, reported;
};

std::unique_ptr<Truth> read_truth(const StudySpec& spec, const TruthStore& store) {
  const OpenedStore& opened = store.opened;
  auto truth = std::make_unique<Truth>();
  truth->tables.reserve(store.workloads.size());  // rankings point at them
  for (const std::uint32_t w : store.workloads) {
    // A table refers to its space: the study's, which outlives the store's.
    truth->tables.push_back(truth_of(opened, w, spec.problem.space));
    for (const Objective& objective : spec.problem.objectives) {
      truth->rankings.emplace_back(truth->tables.back(), objective);
      if (!truth->rankings.back().feasible()) {
        throw Error(opened.workloads[w]->name + ": no design is feasible by " + objective.text());
      }
    }
    for (const Objective& objective : spec.reported) truth->reported.emplace_back(truth->tables.back(), objective);
  }
  return truth;
}

// From a store that has it, else from one that is made or completed now.
std::unique_ptr<Truth> make_truth(const StudySpec& spec, const Workloads& workloads, const std::shared_ptr<Executor>& executor,
                                  Observer& observer) {
  if (const auto store = find_truth(spec.truth, spec.problem, workloads, observer)) return read_truth(spec, *store);
  const SweepReport report = run_truth(spec.problem, spec.evaluation, executor, spec.truth, observer);
  if (report.requested > 0) {
    observer.on_note("the truth took " + std::to_string(report.simulated) + " simulations and " + short_time(report.seconds) +
                     "; it is in " + spec.truth);
  }
  const auto store = find_truth(spec.truth, spec.problem, workloads, observer);
  if (!store) throw std::logic_error(spec.truth + ": a sweep without an end");
  return read_truth(spec, *store);
}

std::vector<StoredConfiguration> stored_configurations(const StudyPlan& plan) {
  std::vector<StoredConfiguration> stored;
  for (const Configuration& c : plan.configurations()) {
    const AgentGrid& grid = plan.agents[c.grid];
    stored.push_back({grid.label, grid.agent, c.population, c.generations, c.evaluations, grid.seeds,
                      nlohmann::ordered_json(c.parameters).dump()});
  }
  return stored;
}

Identity identity_of(const StudySpec& spec, const Workloads& workloads) {
  return {{"command", "study"},
          {"environment", spec.problem.environment().name()},
          {"model", spec.problem.environment().model_version()},
          {"space", spec.problem.space.to_json()},
          {"workloads", workloads_json(spec.problem.workloads)},
          {"workload content", workload_content(workloads)},
          {"objectives", text_of(spec.problem.objectives)},
          {"reported as", text_of(spec.reported)},
          {"costs", spec.plan.truth ? "truth" : "simulation"},
          {"plan", spec.plan.canonical()}};
}

// What the store says about the problems: (workload, objective). `truth`: or none.
std::vector<StoredProblem> stored_problems(const StudySpec& spec, const Workloads& workloads, const Truth* truth) {
  std::vector<StoredProblem> problems;
  for (std::size_t w = 0; w < workloads.size(); ++w) {
    for (std::size_t o = 0; o < spec.problem.objectives.size(); ++o) {
      StoredProblem& problem = problems.emplace_back(StoredProblem{
          workloads[w]->name, spec.plan.objectives[o], spec.plan.reported_as.empty() ? "" : spec.plan.reported_as[o]});
      if (truth == nullptr) continue;
      const std::size_t p = problems.size() - 1;
      const std::uint64_t best = truth->tables[w].first_point(truth->rankings[p].best_group());
      problem.exact = true;
      problem.optimum = truth->rankings[p].optimum();
      problem.best_design = format_design(spec.problem.environment(), design_at(spec.problem.space, best));
      if (!spec.reported.empty() && truth->reported[p].feasible()) problem.reported_optimum = truth->reported[p].optimum();
    }
  }
  return problems;
}

// Costs by simulation: the problems and, behind them, those by the other objective.
std::unique_ptr<SimulatedCosts> simulated_costs(const StudySpec& spec, const Workloads& workloads,
                                                const std::shared_ptr<Executor>& executor) {
  std::vector<SimulatedCosts::Problem> priced;
  for (const std::vector<Objective>* objectives : {&spec.problem.objectives, &spec.reported}) {
    for (std::size_t w = 0; w < workloads.size(); ++w) {
      for (const Objective& objective : *objectives) priced.push_back({w, objective});
    }
  }
  return std::make_unique<SimulatedCosts>(spec.problem.environment(), spec.problem.space, workloads, priced, executor,
                                          spec.evaluation);
}

void take_times(const StudySpec& spec, StudyStore& store, const Workloads& workloads, const std::shared_ptr<Executor>& executor,
                Observer& observer) {
  const std::vector<Configuration> configurations = spec.plan.configurations();
  const std::vector<Objective>& objectives = spec.problem.objectives;
  const auto problems = static_cast<std::uint32_t>(spec.problems());
  Reporter reporter(observer, "times taken", configurations.size() * problems);
  for (std::uint32_t c = 0; c < configurations.size(); ++c) {
    for (std::uint32_t p = 0; p < problems; ++p) {
      reporter.update(std::uint64_t{c} * problems + p);
      if (store.clock(c, p)) continue;
      const auto& workload = workloads[p / objectives.size()];
      SimulatedCosts costs(spec.problem.environment(), spec.problem.space, std::span(&workload, 1),
                           {{0, objectives[p % objectives.size()]}}, executor, {.engine = Engine::fast, .share = true});
      const SearchTask search = spec.plan.searches(configurations[c], 0).front();
      const StoredClock clock = measure_clock(spec.problem.space, search, costs, spec.plan.seconds.back());
      store.file().transaction([&] { store.add_clock(c, p, clock); });
    }
  }
}

void check(const StudySpec& spec) {
  (void)spec.problem.space.size();  // searches are written down by the numbers of their points
  if (spec.plan.truth && spec.truth.empty()) throw UsageError("study " + spec.plan.name + " needs a store for the truth");
}

}  // namespace

StudyReport run_study(const StudySpec& spec, const std::shared_ptr<Executor>& executor, const std::string& path,
                      Observer& observer) {
  check(spec);
  const StudyPlan& plan = spec.plan;
  const DesignSpace& space = spec.problem.space;
  const Workloads workloads = load_workloads(spec, observer);
  const Identity identity = identity_of(spec, workloads);
  StudyStore::check(path, identity);  // not after the truth
  std::unique_ptr<Truth> truth;
  std::unique_ptr<SimulatedCosts> simulated;
  std::unique_ptr<StudyCosts> costs;
  if (plan.truth) {
    truth = make_truth(spec, workloads, executor, observer);
    costs = std::make_unique<TableCosts>(space, truth->rankings, truth->reported, executor->pool());
  } else {
    simulated = simulated_costs(spec, workloads, executor);
    costs = std::make_unique<LiveCosts>(space, *simulated, spec.problems());
  }
  Notes notes = origin_notes(*executor);
  notes.insert(notes.begin(), {{"name", plan.name}, {"doc", plan.doc}});
  observer.on_open(path);
  StudyStore store(path, identity, notes, stored_configurations(plan), stored_problems(spec, workloads, truth.get()));
  const auto start = std::chrono::steady_clock::now();
  const std::uint64_t before = evaluations_done(plan, store);
  const StudySize size = size_of(plan, spec.problems());
  if (before > 0) {
    observer.on_note("continuing; " + std::to_string(store.cell_count()) + " of " + std::to_string(size.cells) +
                     " cells are there");
  }
  StudyReport report;
  const auto search = [&] {
    {
      Reporter reporter(observer, "evaluations", size.evaluations, before);
      report.agent_seconds = run_cells(plan, store, *costs, [&](std::uint64_t done) { reporter.update(done); });
    }
    if (!plan.seconds.empty()) take_times(spec, store, workloads, executor, observer);
  };
  run_and_close(search, [&] { store.file().finish(); });
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace exarch
