#include "tools/exarch/study_plan.hpp"

#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "host/error.hpp"
#include "host/study/study.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/study_prepared.hpp"
#include "tools/exarch/sweep.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string optimum_design(const PreparedStudy& study, const TruthTable& table, const Ranking& ranking) {
  std::vector<Gene> genes(study.space.dimensions());
  Design design(study.space.dimensions());
  study.space.genes_of(table.first_point(ranking.best_group()), genes);
  study.space.design_of(genes, design);
  return format_design(study.environment, design);
}

// The tables of a study and its problems ranked by them: (workload, objective).
struct Truth {
  std::vector<TruthTable> tables;
  std::vector<Ranking> rankings, reported;
};

void sweep_truth(const PreparedStudy& study, const Arguments& arguments) {
  Arguments sweeping = study.effective;
  sweeping.positional = {study.environment.name()};
  sweeping.values["all"] = {"true"};
  sweeping.given["all"] = true;
  sweeping.values["keep"] = {"all"};
  sweeping.values["seed"] = {"1"};  // nothing is drawn: the truth is the same for any seed of the searches
  sweeping.values["out"] = {truth_path(arguments)};
  sweeping.given["out"] = true;
  for (const char* option : {"sample", "top", "keep", "objective"}) sweeping.given[option] = false;
  const SweepReport report = sweep(sweeping, study.objectives.front().text());
  if (report.requested > 0) {
    say("the truth took " + std::to_string(report.simulated) + " simulations and " + short_time(report.seconds) + "; it is in " +
        truth_path(arguments));
  }
}

std::unique_ptr<Truth> read_truth(const PreparedStudy& study, const TruthStore& store) {
  const OpenedStore& opened = store.opened;
  auto truth = std::make_unique<Truth>();
  truth->tables.reserve(store.workloads.size());  // rankings point at them
  for (const std::uint32_t w : store.workloads) {
    // A table refers to its space: the study's, which outlives the store's.
    truth->tables.push_back(truth_of(opened, w, study.space));
    for (const Objective& objective : study.objectives) {
      truth->rankings.emplace_back(truth->tables.back(), objective);
      if (!truth->rankings.back().feasible()) {
        throw Error(opened.workloads[w]->name + ": no design is feasible by " + objective.text());
      }
    }
    for (const Objective& objective : study.reported) truth->reported.emplace_back(truth->tables.back(), objective);
  }
  return truth;
}

// From a store that has it, else from one that is made or completed now.
std::unique_ptr<Truth> make_truth(const PreparedStudy& study, const Workloads& workloads, const Arguments& arguments) {
  const std::string path = truth_path(arguments);
  if (const auto store = truth_at(path, study, workloads)) return read_truth(study, *store);
  sweep_truth(study, arguments);
  const auto store = truth_at(path, study, workloads);
  if (!store) throw std::logic_error(path + ": a sweep without an end");
  return read_truth(study, *store);
}

std::vector<StoredConfiguration> stored_configurations(const StudyPlan& plan) {
  std::vector<StoredConfiguration> stored;
  for (const Configuration& c : plan.configurations()) {
    const AgentGrid& grid = plan.agents[c.grid];
    stored.push_back({grid.label, grid.agent, c.population, c.generations, c.evaluations, grid.seeds, Json(c.parameters).dump()});
  }
  return stored;
}

Identity identity_of(const PreparedStudy& study, const Workloads& workloads) {
  return {{"command", "study"},
          {"environment", study.environment.name()},
          {"model", study.environment.model_version()},
          {"space", study.space.to_json()},
          {"workloads", workloads_json(study.options)},
          {"workload content", workload_content(workloads)},
          {"objectives", text_of(study.objectives)},
          {"reported as", text_of(study.reported)},
          {"costs", study.plan.truth ? "truth" : "simulation"},
          {"plan", study.plan.canonical()}};
}

void take_times(const PreparedStudy& study, StudyStore& store, const Workloads& workloads, Backend& backend) {
  const std::vector<Configuration> configurations = study.plan.configurations();
  const auto problems = static_cast<std::uint32_t>(study.problems());
  Progress progress("times taken", configurations.size() * problems);
  for (std::uint32_t c = 0; c < configurations.size(); ++c) {
    for (std::uint32_t p = 0; p < problems; ++p) {
      progress.update(std::uint64_t{c} * problems + p);
      if (store.clock(c, p)) continue;
      const auto& workload = workloads[p / study.objectives.size()];
      SimulatedCosts costs(study.environment, study.space, std::span(&workload, 1),
                           {{0, study.objectives[p % study.objectives.size()]}}, backend,
                           {.engine = Engine::fast, .share = true});
      const SearchSpec search = study.plan.searches(configurations[c], 0).front();
      const StoredClock clock = measure_clock(study.space, search, costs, study.plan.seconds.back());
      store.file().transaction([&] { store.add_clock(c, p, clock); });
    }
  }
}

void carry_out(const PreparedStudy& study, const Arguments& arguments) {
  const StudyPlan& plan = study.plan;
  const StudySize size = size_of(plan, study.problems());
  say(plan.name + ": " + std::to_string(size.runs) + " runs, at most " + std::to_string(size.evaluations) +
      " evaluations (--dry-run says more)");
  const Workloads workloads = study.load_workloads();
  const Identity identity = identity_of(study, workloads);
  StudyStore::check(arguments.text("out"), identity);  // not after the truth
  std::unique_ptr<Truth> truth;
  std::unique_ptr<SimulatedCosts> simulated;
  Backend backend = make_backend(arguments);
  std::unique_ptr<StudyCosts> costs;
  std::vector<StoredProblem> problems;
  if (plan.truth) truth = make_truth(study, workloads, arguments);
  std::vector<SimulatedCosts::Problem> priced;
  for (std::size_t w = 0; w < workloads.size(); ++w) {
    for (std::size_t o = 0; o < study.objectives.size(); ++o) {
      priced.push_back({w, study.objectives[o]});
      StoredProblem& problem = problems.emplace_back(
          StoredProblem{workloads[w]->name, plan.objectives[o], plan.reported_as.empty() ? "" : plan.reported_as[o]});
      if (truth == nullptr) continue;
      const std::size_t p = problems.size() - 1;
      problem.exact = true;
      problem.optimum = truth->rankings[p].optimum();
      problem.best_design = optimum_design(study, truth->tables[w], truth->rankings[p]);
      if (!study.reported.empty() && truth->reported[p].feasible()) problem.reported_optimum = truth->reported[p].optimum();
    }
  }
  if (truth != nullptr) {
    costs = std::make_unique<TableCosts>(study.space, truth->rankings, truth->reported, backend.pool());
  } else {
    for (std::size_t w = 0; w < workloads.size(); ++w) {
      for (const Objective& objective : study.reported) priced.push_back({w, objective});
    }
    simulated = std::make_unique<SimulatedCosts>(study.environment, study.space, workloads, priced, backend,
                                                 evaluator_options(arguments));
    costs = std::make_unique<LiveCosts>(study.space, *simulated, study.problems());
  }
  Notes notes = origin_notes(backend);
  notes.insert(notes.begin(), {{"name", plan.name}, {"doc", plan.doc}});
  const SignalGuard signals;
  StudyStore store(arguments.text("out"), identity, notes, stored_configurations(plan), problems);
  const auto start = std::chrono::steady_clock::now();
  const std::uint64_t before = evaluations_done(plan, store);
  if (before > 0) {
    say("continuing; " + std::to_string(store.cell_count()) + " of " + std::to_string(size.cells) + " cells are there");
  }
  std::vector<double> by_agent;
  resumable(arguments.text("out"), [&] {
    {
      Progress progress("evaluations", size.evaluations, before);
      by_agent = run_study(plan, store, *costs, [&](std::uint64_t done) { progress.update(done); });
    }
    if (!plan.seconds.empty()) take_times(study, store, workloads, backend);
  });
  store.file().finish();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  say(std::to_string(size.runs) + " runs of " + std::to_string(size.configurations) + " configurations, in " +
      short_time(seconds) + "; the study is in " + arguments.text("out"));
  std::string times;
  for (std::size_t a = 0; a < by_agent.size(); ++a) {
    if (by_agent[a] > 0) times += (times.empty() ? "" : ", ") + plan.agents[a].label + " " + short_time(by_agent[a]);
  }
  if (plan.agents.size() > 1 && !times.empty()) say("of that by agent: " + times);
}

}  // namespace

int study_plan(const Arguments& arguments) {
  const std::string& name = arguments.positional[0];
  if (is_store_of(name, StoreKind::study)) return show_study(name, arguments);
  const PreparedStudy study(arguments);
  if (arguments.flag("dry-run")) return dry_run(study, arguments);
  const std::string& out = arguments.text("out");
  if (out.empty()) throw UsageError("study " + name + " needs --out FILE.db, or --dry-run");
  // What is wrong with the command must not be found after the truth.
  (void)evaluator_options(arguments);
  if (!study.plan.truth && arguments.has("truth"))
    throw UsageError("--truth has no meaning for a study whose costs are simulated");
  const auto file = [](const std::string& path) { return std::filesystem::weakly_canonical(std::filesystem::absolute(path)); };
  if (study.plan.truth && file(truth_path(arguments)) == file(out)) throw UsageError("--truth and --out are the same file");
  carry_out(study, arguments);
  return show_study(arguments.text("out"), arguments);
}

}  // namespace exarch::cli
