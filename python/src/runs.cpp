// Searches, sweeps, truths and studies: what Python asks for becomes a spec, and the report a dict.
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "host/error.hpp"
#include "host/run/inputs.hpp"
#include "host/run/search.hpp"
#include "host/run/study.hpp"
#include "host/run/sweep.hpp"
#include "host/run/truth.hpp"
#include "python/src/agents.hpp"
#include "tools/exarch/study_plan.hpp"

namespace exarch::python {
namespace {

EvaluatorOptions evaluation_of(const std::string& engine, bool share) {
  if (engine != "fast" && engine != "reference") throw UsageError("engine '" + engine + "': expected fast or reference");
  return {engine == "fast" ? Engine::fast : Engine::reference, share};
}

nb::dict found_dict(const FoundDesign& found) {
  nb::dict row;
  row["design"] = give(found.design);
  row["status"] = found.status;
  row["cost"] = found.cost;
  row["values"] = found.values;
  row["metrics"] = found.metrics;
  row["counters"] = found.counters;
  row["artifact"] = found.artifact;
  return row;
}

nb::dict search_dict(const SearchReport& report) {
  nb::dict row;
  row["workload"] = report.workload->name;
  row["generations"] = report.generations;
  row["requested"] = report.requested;
  row["simulated"] = report.simulated;
  row["judged"] = report.judged;
  row["infeasible"] = report.infeasible;
  row["reasons"] = report.reasons;
  row["seconds"] = report.seconds;
  row["agent_seconds"] = report.agent_seconds;
  row["evaluation_seconds"] = report.evaluation_seconds;
  row["store_seconds"] = report.store_seconds;
  row["baseline"] = found_dict(report.baseline);
  nb::list best;
  for (const FoundDesign& found : report.best) best.append(found_dict(found));
  row["best"] = best;
  return row;
}

nb::dict search(const Problem& problem, nb::object agent, const std::map<std::string, std::string>& parameters,
                std::size_t population, std::uint32_t generations, std::uint64_t seed, const std::string& engine, bool share,
                std::size_t top, const std::optional<std::vector<std::int64_t>>& baseline, Machine& machine,
                const std::string& store, nb::object listener) {
  SearchSpec spec(problem);
  spec.agent_parameters = parameters;
  spec.population = population;
  spec.generations = generations;
  spec.seed = seed;
  spec.evaluation = evaluation_of(engine, share);
  spec.top = top;
  if (baseline) spec.baseline = *baseline;
  if (nb::isinstance<nb::str>(agent)) {
    spec.agent = nb::cast<std::string>(agent);
  } else {
    spec.agent = nb::cast<std::string>(nb::str(nb::getattr(agent, "name", nb::type_name(agent.type()))));
    // A handle: this frame owns the agent until the search has ended, and the spec is copied without the lock.
    const nb::handle own = agent;
    spec.make_own_agent = [own](const DesignSpace& space, const AgentOptions& options) {
      const nb::gil_scoped_acquire acquired;
      return make_python_agent(nb::borrow(own), space, options.objectives);
    };
  }
  PythonObserver observer(listener);
  return search_dict(work_on(machine, [&] { return run_search(spec, machine.executor, store, observer); }));
}

// The results of a sweep, column by column, per workload.
class CollectingObserver final : public PythonObserver {
 public:
  struct Columns {
    std::vector<std::uint8_t> status;
    std::vector<std::uint64_t> counters;  // (counter, candidate)
    std::vector<double> metrics;          // (metric, candidate)
  };
  CollectingObserver(nb::object listener, const Problem& problem, std::uint64_t points, bool collects)
      : PythonObserver(std::move(listener)), problem_(problem), points_(points), collects_(collects) {
    if (collects) columns.resize(problem.workloads.size());
  }
  [[nodiscard]] bool wants_results() const override { return collects_; }
  void on_results(const SweptBatch& batch) override {
    const Environment& environment = problem_.environment();
    const std::size_t parameters = environment.parameters().size();
    Columns& all = columns[batch.workload];
    all.status.resize(points_);
    all.counters.resize(points_ * environment.counters().size());
    all.metrics.resize(points_ * environment.metrics().size());
    std::vector<double> metrics(environment.metrics().size());
    for (std::size_t i = 0; i < batch.outcomes.size(); ++i) {
      const auto id = batch.outcomes[i];
      const std::uint64_t c = batch.first + i;
      const bool ok = batch.evaluator.status(id) == 0;
      all.status[c] = batch.evaluator.status(id);
      const auto counters = batch.evaluator.counters(id);
      for (std::size_t k = 0; k < counters.size(); ++k) all.counters[k * points_ + c] = counters[k];
      if (ok) batch.evaluator.price(id, batch.designs.subspan(i * parameters, parameters), metrics);
      for (std::size_t k = 0; k < metrics.size(); ++k) {
        all.metrics[k * points_ + c] = ok ? metrics[k] : std::numeric_limits<double>::quiet_NaN();
      }
    }
  }

  std::vector<Columns> columns;  // (workload)

 private:
  const Problem& problem_;
  std::uint64_t points_;
  bool collects_;
};

nb::dict kept_dict(const KeptDesign& kept) {
  nb::dict row;
  row["candidate"] = kept.candidate;
  row["design"] = give(kept.design);
  row["cost"] = kept.cost;
  row["metrics"] = kept.metrics;
  row["counters"] = kept.counters;
  return row;
}

nb::dict sweep_dict(const SweepReport& report) {
  nb::dict row;
  row["requested"] = report.requested;
  row["simulated"] = report.simulated;
  row["seconds"] = report.seconds;
  row["warnings"] = report.warnings;
  nb::list kept;
  for (const auto& of_workload : report.kept) {
    nb::list designs;
    for (const KeptDesign& design : of_workload) designs.append(kept_dict(design));
    kept.append(designs);
  }
  row["kept"] = kept;
  return row;
}

nb::dict sweep(const Problem& problem, std::uint64_t sample, std::uint64_t seed, std::size_t keep, const std::string& engine,
               bool share, Machine& machine, const std::string& store, bool collect, nb::object listener) {
  SweepSpec spec(problem);
  spec.sample = sample;
  spec.seed = seed;
  spec.keep = keep;
  spec.evaluation = evaluation_of(engine, share);
  const std::uint64_t points = sample != 0 ? sample : collect ? problem.space.size() : 0;
  CollectingObserver observer(std::move(listener), problem, points, collect);
  nb::dict row = sweep_dict(work_on(machine, [&] { return run_sweep(spec, machine.executor, store, observer); }));
  nb::list columns;
  const Environment& environment = problem.environment();
  for (CollectingObserver::Columns& all : observer.columns) {
    columns.append(nb::make_tuple(give(std::move(all.status)),
                                  give(std::move(all.counters), {environment.counters().size(), points}),
                                  give(std::move(all.metrics), {environment.metrics().size(), points})));
  }
  row["columns"] = columns;
  return row;
}

nb::dict truth(const Problem& problem, const std::string& engine, bool share, Machine& machine, const std::string& store,
               nb::object listener) {
  PythonObserver observer(std::move(listener));
  const EvaluatorOptions evaluation = evaluation_of(engine, share);
  return sweep_dict(work_on(machine, [&] { return run_truth(problem, evaluation, machine.executor, store, observer); }));
}

Out<std::int64_t> sweep_designs(const DesignSpace& space, std::uint64_t sample, std::uint64_t seed) {
  const std::uint64_t count = sample == 0 ? space.size() : sample;
  const std::size_t width = space.dimensions();
  std::vector<std::int64_t> designs(count * width);
  std::vector<Gene> genes(width);
  for (std::uint64_t i = 0; i < count; ++i) {
    sweep_genes(space, sample, seed, i, genes);
    space.design_of(genes, std::span(designs).subspan(i * width, width));
  }
  return give(std::move(designs), {count, width});
}

// The result as JSON: what `exarch study PLAN --json` says of the finished study.
std::string study(const std::string& plan, const std::string& where, const std::optional<std::uint64_t>& seeds,
                  const std::string& truth_store, Machine& machine, const std::string& store, nb::object listener) {
  StudyPlan parsed = StudyPlan::from_toml(plan, where);
  if (seeds) parsed.set_seeds(*seeds);
  StudySpec spec = resolve_study(std::move(parsed));
  spec.truth = truth_store;
  PythonObserver observer(std::move(listener));
  work_on(machine, [&] { return run_study(spec, machine.executor, store, observer); });
  return cli::study_json(StudyStore(std::filesystem::path(store))).dump();
}

}  // namespace

void add_runs(nb::module_& m) {
  nb::class_<Problem>(m, "Problem", "What a run is about.")
      .def(
          "__init__",
          [](Problem* self, const Environment& environment, const DesignSpace& space,
             const std::vector<WorkloadOptions>& workloads, const std::string& objectives) {
            Problem problem(environment, space);
            for (const WorkloadOptions& options : workloads) problem.workloads.push_back(complete_options(environment, options));
            problem.objectives = parse_objectives(environment, objectives);
            new (self) Problem(std::move(problem));
          },
          "environment"_a, "space"_a, "workloads"_a, "objectives"_a)
      .def_prop_ro("objectives", [](const Problem& problem) {
        std::vector<std::string> texts;
        for (const Objective& objective : problem.objectives) texts.push_back(objective.text());
        return texts;
      });
  m.def("search", &search, "problem"_a, "agent"_a, "parameters"_a, "population"_a, "generations"_a, "seed"_a, "engine"_a,
        "share"_a, "top"_a, "baseline"_a.none(), "machine"_a, "store"_a, "listener"_a.none());
  m.def("sweep", &sweep, "problem"_a, "sample"_a, "seed"_a, "keep"_a, "engine"_a, "share"_a, "machine"_a, "store"_a, "collect"_a,
        "listener"_a.none());
  m.def("truth", &truth, "problem"_a, "engine"_a, "share"_a, "machine"_a, "store"_a, "listener"_a.none());
  m.def("sweep_designs", &sweep_designs, "space"_a, "sample"_a, "seed"_a, "Designs of a sweep, in its order.");
  m.def("study", &study, "plan"_a, "where"_a, "seeds"_a.none(), "truth"_a, "machine"_a, "store"_a, "listener"_a.none());
}

}  // namespace exarch::python
