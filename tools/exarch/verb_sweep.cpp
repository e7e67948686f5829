#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "tools/exarch/common.hpp"
#include "tools/exarch/progress.hpp"

namespace exarch::cli {
namespace {

constexpr std::uint64_t kChunk = 65536;  // points per transaction

struct Sweep {
  const Environment& environment;
  DesignSpace space;
  std::uint64_t points, sample, seed;
  std::vector<std::shared_ptr<const Workload>> workloads;
  std::vector<std::unique_ptr<Evaluator>> evaluators;
  std::vector<std::unique_ptr<StoreWriter>> writers;
};

Identity identity_of(const Environment& environment, const DesignSpace& space, const Arguments& arguments,
                     const std::vector<WorkloadOptions>& options, const std::vector<std::shared_ptr<const Workload>>& workloads,
                     std::uint64_t sample, std::uint64_t seed) {
  return {{"command", "sweep"},
          {"environment", environment.name()},
          {"model", environment.model_version()},
          {"space", space.to_json()},
          {"workloads", workloads_json(options)},
          {"workload content", workload_content(workloads)},
          {"sample", std::to_string(sample)},
          {"seed", std::to_string(seed)},
          {"engine", arguments.text("engine")},
          {"sharing", arguments.flag("no-share") ? "off" : "on"}};
}

// Takes over what an earlier, interrupted run of the same sweep stored.
void preload(const RunStore& store, Sweep& sweep) {
  store.for_each_result([&](ResultId id, const StoredResult& result) {
    sweep.writers[result.workload]->preload(id, result);
    return true;
  });
}

void run_chunk(RunStore& store, Sweep& sweep, std::uint64_t first, Progress& progress) {
  const std::uint64_t count = std::min(kChunk, sweep.points - first);
  const std::size_t parameters = sweep.space.dimensions();
  std::vector<std::int64_t> designs(count * parameters);
  std::vector<Gene> genes(parameters);
  for (std::uint64_t i = 0; i < count; ++i) {
    sweep.space.genes_of(sweep_point(sweep.space, sweep.sample, sweep.seed, first + i), genes);
    sweep.space.design_of(genes, std::span(designs).subspan(i * parameters, parameters));
  }
  for (std::uint32_t w = 0; w < sweep.workloads.size(); ++w) {
    if (store.points_done(w) > first) continue;
    Evaluator& evaluator = *sweep.evaluators[w];
    const std::uint64_t done = first * sweep.workloads.size() + w * count;
    const auto ids = evaluator.evaluate(designs, [&](std::size_t, std::size_t) {
      progress.update(done,
                      short_count(static_cast<double>(evaluator.simulated())) + " simulated on " + sweep.workloads[w]->name);
    });
    store.transaction([&] {
      sweep.writers[w]->flush();
      std::vector<ResultId> results;
      results.reserve(ids.size());
      for (const auto id : ids) results.push_back(sweep.writers[w]->result_of(id));
      store.add_points(w, first, results);
    });
  }
}

int run(const Arguments& arguments) {
  const Environment& environment = find_environment(arguments.positional[0]);
  if (!arguments.has("out")) throw UsageError("no --out FILE.db given for the results");
  if (arguments.flag("all") == arguments.has("sample")) throw UsageError("give either --all or --sample N");
  DesignSpace space = resolve_space(environment, arguments.text("space"));
  const std::uint64_t sample = arguments.has("sample") ? arguments.number("sample", 1, std::uint64_t{1} << 40) : 0;
  const std::uint64_t points = sample == 0 ? space.size() : sample;
  Sweep sweep{environment, std::move(space), points, sample, arguments.seed(), {}, {}, {}};
  Backend backend = make_backend(arguments);
  const std::vector<WorkloadOptions> options = given_workloads(environment, arguments);
  for (const WorkloadOptions& one : options) sweep.workloads.push_back(load(environment, one));

  RunStore store(arguments.text("out"),
                 identity_of(environment, sweep.space, arguments, options, sweep.workloads, sample, sweep.seed),
                 store_layout(environment));
  for (std::uint32_t w = 0; w < sweep.workloads.size(); ++w) {
    sweep.evaluators.push_back(
        std::make_unique<Evaluator>(environment, sweep.workloads[w], backend, evaluator_options(arguments)));
    sweep.writers.push_back(std::make_unique<StoreWriter>(store, w, *sweep.evaluators[w]));
  }
  std::uint64_t first = points;
  for (std::uint32_t w = 0; w < sweep.workloads.size(); ++w) first = std::min(first, store.points_done(w));
  if (store.resumed()) {
    preload(store, sweep);
    if (first >= points) {
      std::cerr << "exarch: " << arguments.text("out") << " already holds all " << points << " points; nothing is run\n";
    } else {
      std::cerr << "exarch: continuing " << arguments.text("out") << " after " << first << " of " << points << " points\n";
    }
  }
  store.note("exarch", exarch_version());
  store.note("backend", backend.description());
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t simulated_before = 0;
  for (const auto& evaluator : sweep.evaluators) simulated_before += evaluator->simulated();
  const std::uint64_t first_here = first;
  {
    Progress progress("evaluations", points * sweep.workloads.size(), first * sweep.workloads.size());
    for (; first < points; first += kChunk) {
      run_chunk(store, sweep, first, progress);
      progress.update(std::min(points, first + kChunk) * sweep.workloads.size());
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::uint64_t simulated = 0;
  for (const auto& evaluator : sweep.evaluators) simulated += evaluator->simulated();
  const std::uint64_t requested = (points - std::min(points, first_here)) * sweep.workloads.size();
  if (arguments.flag("json")) {
    std::cout << nlohmann::ordered_json{{"requested", requested},
                                        {"simulated", simulated - simulated_before},
                                        {"seconds", seconds},
                                        {"out", arguments.text("out")}}
                     .dump(2)
              << "\n";
    return 0;
  }
  std::cout << "requested " << requested << " evaluations, simulated " << simulated - simulated_before << ", in "
            << short_time(seconds) << " (" << short_count(static_cast<double>(requested) / std::max(seconds, 1e-9))
            << " evaluations/s); results in " << arguments.text("out") << "\n";
  return 0;
}

}  // namespace

const Verb kSweepVerb{
    .name = "sweep",
    .synopsis = "ENVIRONMENT WORKLOAD (--all | --sample N) --out FILE.db [--space NAME|FILE] [--seed S]",
    .doc = "Evaluates a whole design space, or a random sample of it, into a run store; continues where it stopped.",
    .options = std::vector<OptionSpec>{{"space", "NAME|FILE",
                                        "a shipped space or a space file (.json); default: the environment's first"},
                                       {"all", "", "every point, in order"},
                                       {"sample", "N", "N points drawn uniformly (with repetition)"},
                                       {"out", "FILE", "run store (SQLite)"}} +
               evaluation_options() + workload_options(),
    .simulates = true,
    .draws = true,
    .json = "what was requested and simulated",
    .min_positional = 1,
    .max_positional = 1,
    .examples =
        "  exarch sweep dram --space archgym-aco --trace stream,random,cloud-1,cloud-2 --all --out sweep.db\n"
        "  exarch sweep dram --trace cloud-1 --sample 100000 --seed 7 --out sample.db\n",
    .run = run};

}  // namespace exarch::cli
