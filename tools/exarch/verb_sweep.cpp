#include <algorithm>
#include <chrono>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "host/batch/shortlist.hpp"
#include "host/error.hpp"
#include "tools/exarch/common.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/sweep.hpp"

namespace exarch::cli {
namespace {

constexpr std::uint64_t kChunk = 65536;                        // points per transaction
constexpr std::uint64_t kMostPoints = std::uint64_t{1} << 40;  // of a sweep: weeks of evaluations

struct Sweep {
  const Environment& environment;
  DesignSpace space;
  std::uint64_t points, sample, seed;
  std::vector<std::shared_ptr<const Workload>> workloads;
};

// What the store keeps, as its identity says it.
std::string keep_text(const Environment& environment, const Arguments& arguments) {
  if (arguments.text("keep") == "all") return "all";
  return "the best " + std::to_string(arguments.number("top", 1, 1'000'000)) + " by " +
         parse_objective(environment, arguments.text("objective")).text() + kKeptWithFront;
}

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
          {"keep", keep_text(environment, arguments)},
          {"engine", arguments.text("engine")},
          {"sharing", arguments.flag("no-share") ? "off" : "on"}};
}

// Designs of the points [first, first + count): (point, parameter).
void designs_of(const Sweep& sweep, std::uint64_t first, std::uint64_t count, std::vector<std::int64_t>& designs) {
  const std::size_t parameters = sweep.space.dimensions();
  std::vector<Gene> genes(parameters);
  designs.resize(count * parameters);
  for (std::uint64_t i = 0; i < count; ++i) {
    sweep.space.genes_of(sweep_point(sweep.space, sweep.sample, sweep.seed, first + i), genes);
    sweep.space.design_of(genes, std::span(designs).subspan(i * parameters, parameters));
  }
}

// What to show between rounds of simulation.
auto progress_of(const Evaluator& evaluator, const std::uint64_t& done, Progress& progress) {
  return [&evaluator, &done, &progress](std::size_t, std::size_t) {
    progress.update(done, short_count(static_cast<double>(evaluator.simulated())) + " simulated on " + evaluator.workload().name);
  };
}

// Sweeps one workload, from where the store stands; returns how many runs were simulated. `done` counts evaluations. The
// evaluator lives no longer, and gives up what the store has, so that memory does not grow with what was swept before.
std::uint64_t sweep_workload(RunStore& store, const Sweep& sweep, std::uint32_t w, Backend& backend,
                             const EvaluatorOptions& options, std::uint64_t& done, Progress& progress) {
  if (store.points_done(w) == sweep.points) return 0;
  Evaluator evaluator(sweep.environment, sweep.workloads[w], backend, options);
  StoreWriter writer(store, w, evaluator);
  store.for_each_result(
      [&](ResultId id, const StoredResult& result) {
        writer.preload(id, result);
        evaluator.release();
        return true;
      },
      w);
  const std::uint64_t preloaded = evaluator.simulated();
  std::vector<std::int64_t> designs;
  std::vector<ResultId> results;
  for (std::uint64_t first = store.points_done(w); first < sweep.points; first += kChunk) {
    const std::uint64_t count = std::min(kChunk, sweep.points - first);
    designs_of(sweep, first, count, designs);
    std::vector<Evaluator::OutcomeId> ids;
    try {
      ids = evaluator.evaluate(designs, progress_of(evaluator, done, progress));
    } catch (const Interrupted&) {
      store.transaction([&] { writer.flush(); });  // what was simulated of the chunk need not run again
      throw;
    }
    store.transaction([&] {
      writer.flush();
      results.clear();
      for (const auto id : ids) results.push_back(writer.result_of(id));
      store.add_points(w, first, results);
    });
    evaluator.release();
    done += count;
    progress.update(done);
  }
  return evaluator.simulated() - preloaded;
}

// The same for a sweep that keeps the best and the Pareto front only.
std::uint64_t shortlist_workload(RunStore& store, const Sweep& sweep, std::uint32_t w, Backend& backend,
                                 const Arguments& arguments, std::uint64_t& done, Progress& progress) {
  if (store.points_done(w) == sweep.points) return 0;
  const Environment& environment = sweep.environment;
  const Objective objective = parse_objective(environment, arguments.text("objective"));
  const Sanity sanity(environment);
  const auto tradeoffs = environment.tradeoffs();
  const EvaluatorOptions options = evaluator_options(arguments);
  const bool sharing = options.share;
  Evaluator evaluator(environment, sweep.workloads[w], backend, options);
  StoreWriter writer(store, w, evaluator);
  Shortlist shortlist(arguments.number("top", 1, 1'000'000), tradeoffs.size());
  std::vector<double> metrics(environment.metrics().size()), weighed(tradeoffs.size());
  const auto offer = [&](std::uint64_t point, Evaluator::OutcomeId id, std::span<const std::int64_t> design) {
    evaluator.price(id, design, metrics);
    for (std::size_t t = 0; t < tradeoffs.size(); ++t) weighed[t] = metrics[tradeoffs[t]];
    shortlist.offer(point, id, objective.score(metrics, evaluator.status(id) == 0).cost, weighed, sanity.holds(metrics));
  };

  std::vector<std::int64_t> designs;
  std::unordered_map<ResultId, Evaluator::OutcomeId> outcomes;
  store.for_each_result(
      [&](ResultId id, const StoredResult& result) {
        outcomes[id] = writer.preload(id, result);
        return true;
      },
      w);
  for (const KeptPoint& kept : store.kept_points(w)) {
    designs_of(sweep, kept.point, 1, designs);
    offer(kept.point, outcomes.at(kept.result), designs);
  }
  (void)shortlist.settle(backend.ranking(0));
  const std::uint64_t preloaded = evaluator.simulated();

  std::vector<KeptPoint> kept;
  const std::size_t parameters = sweep.space.dimensions();
  for (std::uint64_t first = store.points_done(w); first < sweep.points; first += kChunk) {
    const std::uint64_t count = std::min(kChunk, sweep.points - first);
    designs_of(sweep, first, count, designs);
    const auto ids = evaluator.evaluate(designs, progress_of(evaluator, done, progress));
    for (std::uint64_t i = 0; i < count; ++i) offer(first + i, ids[i], std::span(designs).subspan(i * parameters, parameters));
    (void)shortlist.settle(backend.ranking(count));
    store.transaction([&] {
      kept.clear();
      for (const Shortlist::Entry& entry : shortlist.entries()) kept.push_back({entry.point, writer.keep(entry.outcome)});
      store.keep_points(w, first + count, kept);
    });
    if (!sharing) evaluator.release();  // an outcome that no other design shares is never priced again
    done += count;
    progress.update(done, "keeping " + std::to_string(kept.size()) + " on " + sweep.workloads[w]->name);
  }
  return evaluator.simulated() - preloaded;
}

}  // namespace

SweepReport sweep(const Arguments& arguments, const std::string& asked) {
  const Environment& environment = find_environment(arguments.positional[0]);
  if (!arguments.has("out")) throw UsageError("no --out FILE.db given for the results");
  if (arguments.flag("all") == arguments.has("sample")) throw UsageError("give either --all or --sample N");
  const std::string keep = arguments.text("keep");
  if (keep != "all" && keep != "best") throw UsageError("--keep " + keep + ": expected all or best");
  if (keep == "all" && (arguments.has("objective") || arguments.has("top"))) {
    throw UsageError("--objective and --top belong to --keep best; a store that keeps everything is asked by exarch best");
  }
  DesignSpace space = given_space(environment, arguments);
  const std::uint64_t sample = arguments.has("sample") ? arguments.number("sample", 1, kMostPoints) : 0;
  if (sample == 0 && space.size() > kMostPoints) {
    throw UsageError("--all: space '" + space.name() + "' has " + with_commas(space.size()) +
                     " points, more than the 2^40 of a sweep; give --sample N or a smaller --space");
  }
  const std::uint64_t points = sample == 0 ? space.size() : sample;
  Sweep sweep{environment, std::move(space), points, sample, arguments.seed(), {}};
  Backend backend = make_backend(arguments);
  const std::vector<WorkloadOptions> options = given_workloads(environment, arguments);
  for (const WorkloadOptions& one : options) sweep.workloads.push_back(load(environment, one));

  const SignalGuard signals;
  RunStore store(arguments.text("out"),
                 identity_of(environment, sweep.space, arguments, options, sweep.workloads, sample, sweep.seed),
                 store_layout(environment), origin_notes(backend));
  const std::uint64_t wanted = points * sweep.workloads.size();
  std::uint64_t done = 0;
  for (std::uint32_t w = 0; w < sweep.workloads.size(); ++w) done += store.points_done(w);
  if (store.resumed()) {
    if (done == wanted) {
      say(arguments.text("out") + " already holds all " + std::to_string(wanted) + " evaluations; nothing is run");
    } else {
      say("continuing " + arguments.text("out") + " after " + std::to_string(done) + " of " + std::to_string(wanted) +
          " evaluations");
    }
  }
  if (!asked.empty()) store.note(kAskedObjective, asked);
  const auto start = std::chrono::steady_clock::now();
  const std::uint64_t requested = wanted - done;
  std::uint64_t simulated = 0;
  resumable(arguments.text("out"), [&] {
    Progress progress("evaluations", wanted, done);
    for (std::uint32_t w = 0; w < sweep.workloads.size(); ++w) {
      simulated += keep == "all" ? sweep_workload(store, sweep, w, backend, evaluator_options(arguments), done, progress)
                                 : shortlist_workload(store, sweep, w, backend, arguments, done, progress);
    }
  });
  store.finish();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::vector<std::string> warnings;
  for (const auto& workload : sweep.workloads) std::ranges::copy(workload->warnings, std::back_inserter(warnings));
  return {requested, simulated, seconds, std::move(warnings)};
}

namespace {

int run(const Arguments& arguments) {
  const auto [requested, simulated, seconds, warnings] = sweep(arguments);
  if (arguments.flag("json")) {
    std::cout << nlohmann::ordered_json{{"requested", requested},
                                        {"simulated", simulated},
                                        {"seconds", seconds},
                                        {"out", arguments.text("out")},
                                        {"warnings", warnings}}
                     .dump(2)
              << "\n";
    return 0;
  }
  std::cout << "requested " << requested << " evaluations, simulated " << simulated << ", in " << short_time(seconds) << " ("
            << short_count(static_cast<double>(requested) / std::max(seconds, 1e-9)) << " evaluations/s); results in "
            << arguments.text("out") << "\n";
  return 0;
}

}  // namespace

const Verb kSweepVerb{
    .name = "sweep",
    .synopsis = "ENVIRONMENT WORKLOAD (--all | --sample N) --out FILE.db [--space NAME|FILE] [--seed S]",
    .doc = "Evaluates a whole design space, or a random sample of it, into a run store; continues where it stopped.",
    .options =
        std::vector<OptionSpec>{
            {"space", "NAME|FILE", "a shipped space or a space file (.json); default: the environment's first"},
            fixing_option(),
            {"all", "", "every point, in order"},
            {"sample", "N", "N points drawn uniformly (with repetition)"},
            {"keep", "all|best", "what the store keeps: every point, or only the best and the Pareto front", "all"},
            {"objective", "EXPR", "with --keep best: what is best (a preset or an expression)"},
            {"top", "N", "with --keep best: how many, of different cost or trade-offs", "100"},
            {"out", "FILE", "run store (SQLite)"}} +
        evaluation_options() + workload_options(),
    .simulates = true,
    .draws = true,
    .json = "what was requested and simulated",
    .min_positional = 1,
    .max_positional = 1,
    .examples =
        "  exarch sweep dram --space archgym-aco --trace stream,random,cloud-1,cloud-2 --all --out sweep.db\n"
        "  exarch sweep dram --trace cloud-1 --sample 100000 --seed 7 --out sample.db\n"
        "  exarch sweep maestro --space codesign --set num_pes=168 --sample 100000 --out pes.db\n"
        "  exarch sweep dram --space archgym-union --trace cloud-1 --all --keep best --objective energy --out best.db\n",
    .run = run};

}  // namespace exarch::cli
