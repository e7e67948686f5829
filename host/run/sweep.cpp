#include "host/run/sweep.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <optional>
#include <unordered_map>

#include "host/error.hpp"
#include "host/execute/scoring.hpp"
#include "host/run/inputs.hpp"
#include "host/run/saver.hpp"
#include "host/run/shortlist.hpp"
#include "host/run/store_view.hpp"
#include "host/run/store_writer.hpp"

namespace exarch {
namespace {

// Points that are evaluated together and saved in one transaction: enough for two cores, and so many that the rounds of a device
// are large. Both begin at multiples of themselves, so that a sweep which is killed and continued makes the same batches.
constexpr std::uint64_t kChunk = 65536, kDeviceChunk = 32 * kChunk;

std::uint64_t points_of(const SweepSpec& spec) {
  return spec.sample == 0 ? spec.problem.space.size() : spec.sample;
}

void check(const SweepSpec& spec) {
  if (points_of(spec) > kMostPoints) {
    throw UsageError("a sweep of '" + spec.problem.space.name() + "' has " + std::to_string(points_of(spec)) +
                     " points, more than 2^40; draw a sample, or choose a smaller space");
  }
  if (spec.problem.workloads.empty()) throw UsageError("a sweep needs a workload");
  if (spec.keep > 0 && spec.problem.objectives.empty()) throw UsageError("a sweep that keeps the best needs an objective");
}

// What the store keeps, as its identity says it.
std::string keep_text(const SweepSpec& spec) {
  if (spec.keep == 0) return "all";
  return "the best " + std::to_string(spec.keep) + " by " + spec.problem.objectives.front().text() + kKeptWithFront;
}

Identity identity_of(const SweepSpec& spec, const Workloads& workloads) {
  const Problem& problem = spec.problem;
  return {{"command", "sweep"},
          {"environment", problem.environment().name()},
          {"model", problem.environment().model_version()},
          {"space", problem.space.to_json()},
          {"workloads", workloads_json(problem.workloads)},
          {"workload content", workload_content(workloads)},
          {"sample", std::to_string(spec.sample)},
          {"seed", std::to_string(spec.seed)},
          {"keep", keep_text(spec)},
          {"engine", name_of(spec.evaluation.engine)},
          {"sharing", spec.evaluation.share ? "on" : "off"}};
}

// The sweep of one workload, from where the store stands. Its evaluator gives up what the store has, so that memory does not grow
// with what was swept before; where only the best are kept, it needs the outcomes that other designs may share.
class WorkloadSweep {
 public:
  WorkloadSweep(const SweepSpec& spec, std::uint32_t w, const std::shared_ptr<const Workload>& workload,
                const std::shared_ptr<Executor>& executor, RunStore* store, Observer& observer,
                std::vector<std::int64_t>& designs)
      : spec_(spec),
        problem_(spec.problem),
        w_(w),
        executor_(*executor),
        store_(store),
        observer_(observer),
        evaluator_(problem_.environment(), workload, executor, spec.evaluation),
        sanity_(problem_.environment()),
        metrics_(problem_.environment().metrics().size()),
        designs_(designs) {
    if (store_ != nullptr) {
      writer_.emplace(*store_, w, evaluator_);
      saver_.emplace(*store_);
    }
    if (spec.keep > 0) shortlist_.emplace(spec.keep, problem_.environment().tradeoffs().size());
  }

  // Goes on to the end; `done` counts evaluations. Simulations made.
  std::uint64_t run(std::uint64_t& done, Reporter& reporter) {
    resume();
    const std::uint64_t preloaded = evaluator_.simulated();
    const std::uint64_t points = points_of(spec_);
    const std::uint64_t chunk = executor_.wanted(points) > 0 ? kDeviceChunk : kChunk;
    const auto sweep = [&] {
      std::uint64_t first = store_ == nullptr ? 0 : store_->points_done(w_);
      for (std::uint64_t count = 0; first < points; first += count) {
        count = std::min(chunk - first % chunk, points - first);
        const std::string note = evaluate(first, count, done, reporter);
        done += count;
        reporter.update(done, note);
      }
    };
    run_and_close(sweep, [this] {
      if (saver_) saver_->wait();
    });
    return evaluator_.simulated() - preloaded;
  }

  [[nodiscard]] std::vector<KeptDesign> kept() {
    std::vector<KeptDesign> all;
    if (!shortlist_) return all;
    for (const Shortlist::Entry& entry : shortlist_->entries()) {
      decode_points(entry.point, 1);
      evaluator_.price(entry.outcome, designs_, metrics_);
      const auto counters = evaluator_.counters(entry.outcome);
      all.push_back({entry.point, {designs_.begin(), designs_.end()}, entry.cost, metrics_, {counters.begin(), counters.end()}});
    }
    return all;
  }

 private:
  // Takes over what the store has.
  void resume() {
    if (store_ == nullptr) return;
    std::unordered_map<ResultId, Evaluator::OutcomeId> outcomes;
    store_->for_each_result(
        [&](ResultId id, const StoredResult& result) {
          const Evaluator::OutcomeId outcome = writer_->preload(id, result);
          if (shortlist_) {
            outcomes[id] = outcome;
          } else {
            release();
          }
          return true;
        },
        w_);
    if (!shortlist_) return;
    for (const KeptPoint& kept : store_->kept_points(w_)) {
      decode_points(kept.point, 1);
      offer(kept.point, std::array{outcomes.at(kept.result)}, designs_);
    }
    (void)shortlist_->settle(executor_.ranking(0));
  }

  // Gives up what only the store needs to have; an observer may price any outcome again.
  void release() {
    if (!observer_.wants_results()) evaluator_.release();
  }

  // Designs of the points [first, first + count), into designs_.
  void decode_points(std::uint64_t first, std::uint64_t count) {
    const DesignSpace& space = problem_.space;
    const std::size_t parameters = space.dimensions();
    constexpr std::uint64_t kBlock = 4096;
    designs_.resize(count * parameters);
    executor_.pool().for_each((count + kBlock - 1) / kBlock, [&](std::size_t block, unsigned) {
      std::vector<Gene> genes(parameters);
      for (std::uint64_t i = block * kBlock; i < std::min(count, (block + 1) * kBlock); ++i) {
        sweep_genes(space, spec_.sample, spec_.seed, first + i, genes);
        space.design_of(genes, std::span(designs_).subspan(i * parameters, parameters));
      }
    });
  }

  // Offers the candidates from `first` on, with their designs, to the shortlist.
  void offer(std::uint64_t first, std::span<const Evaluator::OutcomeId> outcomes, std::span<const std::int64_t> designs) {
    const auto tradeoffs = problem_.environment().tradeoffs();
    std::vector<double> weighed(tradeoffs.size());
    score(evaluator_, outcomes, designs, std::span(problem_.objectives).first(1), [&](const ScoredCandidate& c) {
      for (std::size_t t = 0; t < tradeoffs.size(); ++t) weighed[t] = c.metrics[tradeoffs[t]];
      shortlist_->offer(first + c.candidate, c.outcome, c.costs[0], weighed, sanity_.holds(c.metrics));
    });
  }

  // Evaluates a chunk and saves it; what to show.
  std::string evaluate(std::uint64_t first, std::uint64_t count, std::uint64_t done, Reporter& reporter) {
    const std::string& name = evaluator_.workload().name;
    decode_points(first, count);
    std::vector<Evaluator::OutcomeId> outcomes;
    try {
      outcomes = evaluator_.evaluate(designs_, [&](std::size_t, std::size_t) {
        reporter.update(done, std::to_string(evaluator_.simulated()) + " simulated on " + name);
      });
    } catch (...) {
      // What was simulated of the chunk need not run again.
      if (writer_ && !shortlist_) saver_->save([this, results = writer_->take_all()] { writer_->write(results); });
      throw;
    }
    if (observer_.wants_results()) observer_.on_results({w_, first, designs_, outcomes, evaluator_});
    if (!shortlist_) {
      if (store_ != nullptr) save_all(first, outcomes);
      release();
      return "";
    }
    const std::size_t parameters = designs_.size() / count;
    for (std::size_t i = 0; i < count; i += kChunk) {
      const std::size_t some = std::min<std::size_t>(kChunk, count - i);
      offer(first + i, std::span(outcomes).subspan(i, some), std::span(designs_).subspan(i * parameters, some * parameters));
      (void)shortlist_->settle(executor_.ranking(some));
    }
    if (store_ != nullptr) save_kept(first + count);
    // An outcome that no other design shares is never priced again, unless it is kept and reported from memory.
    if (store_ != nullptr && !spec_.evaluation.share) release();
    return "keeping " + std::to_string(shortlist_->entries().size()) + " on " + name;
  }

  void save_all(std::uint64_t first, std::span<const Evaluator::OutcomeId> outcomes) {
    std::vector<StoredResult> taken = writer_->take_all();
    std::vector<ResultId> results;
    for (const auto id : outcomes) results.push_back(writer_->result_of(id));
    saver_->save([this, first, taken = std::move(taken), results = std::move(results)] {
      writer_->write(taken);
      for (std::size_t i = 0; i < results.size(); i += kChunk) {
        store_->add_points(w_, first + i, std::span(results).subspan(i, std::min<std::size_t>(kChunk, results.size() - i)));
      }
    });
  }

  void save_kept(std::uint64_t done) {
    std::vector<StoredResult> taken;
    std::vector<KeptPoint> kept;
    for (const Shortlist::Entry& entry : shortlist_->entries())
      kept.push_back({entry.point, writer_->take(entry.outcome, taken)});
    saver_->save([this, done, taken = std::move(taken), kept = std::move(kept)] {
      writer_->write(taken);
      store_->keep_points(w_, done, kept);
    });
  }

  const SweepSpec& spec_;
  const Problem& problem_;
  std::uint32_t w_;
  Executor& executor_;  // the evaluator keeps it
  RunStore* store_;     // or none
  Observer& observer_;
  Evaluator evaluator_;
  std::optional<StoreWriter> writer_;
  std::optional<Saver> saver_;  // writes until it is gone, so that it goes before what it writes
  Sanity sanity_;
  std::optional<Shortlist> shortlist_;
  std::vector<double> metrics_;
  std::vector<std::int64_t>& designs_;  // of the chunk; many megabytes, so that one serves all workloads
};

}  // namespace

SweepReport run_sweep(const SweepSpec& spec, const std::shared_ptr<Executor>& executor, const std::string& path,
                      Observer& observer) {
  check(spec);
  const Workloads workloads = load_all(spec.problem.environment(), spec.problem.workloads, observer);
  std::optional<RunStore> store;
  std::uint64_t done = 0;
  const std::uint64_t wanted = points_of(spec) * workloads.size();
  if (!path.empty()) {
    observer.on_open(path);
    store.emplace(path, identity_of(spec, workloads), store_layout(spec.problem.environment()), origin_notes(*executor));
    for (std::uint32_t w = 0; w < workloads.size(); ++w) done += store->points_done(w);
    if (store->resumed() && done == wanted) {
      observer.on_note(path + " already holds all " + std::to_string(wanted) + " evaluations; nothing is run");
    } else if (store->resumed()) {
      observer.on_note("continuing " + path + " after " + std::to_string(done) + " of " + std::to_string(wanted) +
                       " evaluations");
    }
    if (!spec.asked_for.empty()) store->note(kAskedObjective, spec.asked_for);
  }
  SweepReport report;
  report.requested = wanted - done;
  for (const auto& workload : workloads) std::ranges::copy(workload->warnings, std::back_inserter(report.warnings));
  const auto start = std::chrono::steady_clock::now();
  const auto sweep_all = [&] {
    Reporter reporter(observer, "evaluations", wanted, done);
    std::vector<std::int64_t> designs;
    for (std::uint32_t w = 0; w < workloads.size(); ++w) {
      if (store && store->points_done(w) == points_of(spec)) continue;
      WorkloadSweep sweep(spec, w, workloads[w], executor, store ? &*store : nullptr, observer, designs);
      report.simulated += sweep.run(done, reporter);
      if (!store) report.kept.push_back(sweep.kept());
    }
  };
  run_and_close(sweep_all, [&store] {
    if (store) store->finish();
  });
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace exarch
