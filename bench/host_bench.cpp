// How fast the host's part of a run is, and how many batches it makes: what limits a device that evaluates in no time.
//
//   exarch_host_bench rate [--space NAME] [--trace NAMES] [--threads N]
//   exarch_host_bench batches [--space NAME] [--trace NAMES] [--threads N] [--wanted N]
//
// `rate`: points and candidates per second with evaluations that cost nothing. It sweeps the space twice: keeping the best in no
// store, and keeping everything in a store. Then it searches by the genetic algorithm, 40 generations of 16,384, into a store.
//
// `batches`: batches and runs of a sweep by an executor that wants N runs at a time (0: as the CPU does). The CPU simulates them.
//
// Both print one line of JSON.
#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cxxopts.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "host/env/hash.hpp"
#include "host/error.hpp"
#include "host/execute/scoring.hpp"
#include "host/run/inputs.hpp"
#include "host/run/search.hpp"
#include "host/run/sweep.hpp"
#include "tests/support/counting_executor.hpp"
#include "tests/support/temp_folder.hpp"

namespace exarch {
namespace {

using Json = nlohmann::ordered_json;

// Everything ends well, and nothing was counted.
class NullExecutor final : public Executor {
 public:
  NullExecutor(std::size_t wanted, unsigned threads) : wanted_(wanted), pool_(threads) {}

  void simulate(const Environment& environment, const Workload&, std::span<const std::int64_t> designs, Engine,
                Outcomes& outcomes) override {
    const std::size_t count = outcomes.status.size() + designs.size() / environment.parameters().size();
    outcomes.status.resize(count);
    outcomes.counters.resize(count * environment.counters().size());
    outcomes.detail.resize(count * environment.detail_size());
    if (environment.artifact()) outcomes.artifacts.resize(count);
  }
  [[nodiscard]] std::size_t wanted(std::size_t /*candidates*/) override { return wanted_; }
  [[nodiscard]] ThreadPool& pool() override { return pool_; }
  [[nodiscard]] std::string description() override { return "nothing"; }

 private:
  std::size_t wanted_;
  ThreadPool pool_;
};

// The costs of all points, in order, as one number.
class CostHash final : public Observer {
 public:
  explicit CostHash(const std::vector<Objective>& objectives) : objectives_(objectives) {}
  void on_results(const SweptBatch& batch) override {
    score(batch.evaluator, batch.outcomes, batch.designs, objectives_,
          [this](const ScoredCandidate& c) { hash_.add(std::bit_cast<std::uint64_t>(c.costs[0])); });
  }
  [[nodiscard]] bool wants_results() const override { return true; }
  [[nodiscard]] std::uint64_t value() const { return hash_.value(); }

 private:
  const std::vector<Objective>& objectives_;
  Fnv1a hash_;
};

SweepSpec spec_of(const cxxopts::ParseResult& options) {
  const Environment& dram = find_environment("dram");
  Problem problem(dram, resolve_space(dram, options["space"].as<std::string>()));
  problem.workloads = list_workloads(dram, {{"trace", options["trace"].as<std::string>()}});
  problem.objectives = parse_objectives(dram, "");
  return SweepSpec(std::move(problem));
}

Json rate(const cxxopts::ParseResult& options) {
  Json answer{{"space", options["space"].as<std::string>()}, {"trace", options["trace"].as<std::string>()}};
  for (const bool stored : {false, true}) {
    SweepSpec spec = spec_of(options);
    if (!stored) spec.keep = 10;
    const testing::TempFolder folder;
    Observer quiet;
    const auto executor = std::make_shared<NullExecutor>(16384, options["threads"].as<unsigned>());
    const SweepReport report = run_sweep(spec, executor, stored ? folder / "sweep.db" : "", quiet);
    answer[stored ? "stored_points_per_s" : "kept_points_per_s"] = static_cast<double>(report.requested) / report.seconds;
  }
  SearchSpec spec(spec_of(options).problem);
  spec.problem.workloads.resize(1);
  spec.population = 16384;
  spec.generations = 40;
  const testing::TempFolder folder;
  Observer quiet;
  const auto executor = std::make_shared<NullExecutor>(16384, options["threads"].as<unsigned>());
  const SearchReport report = run_search(spec, executor, folder / "search.db", quiet);
  answer["search_candidates_per_s"] = static_cast<double>(report.requested) / report.seconds;
  answer["search_agent_share"] = report.agent_seconds / report.seconds;
  answer["search_evaluation_share"] = report.evaluation_seconds / report.seconds;
  answer["search_store_share"] = report.store_seconds / report.seconds;
  return answer;
}

Json batches(const cxxopts::ParseResult& options) {
  const SweepSpec spec = spec_of(options);
  const auto executor =
      std::make_shared<testing::CountingExecutor>(options["wanted"].as<std::size_t>(), options["threads"].as<unsigned>());
  CostHash hash(spec.problem.objectives);
  const SweepReport report = run_sweep(spec, executor, "", hash);
  return {{"space", options["space"].as<std::string>()},
          {"trace", options["trace"].as<std::string>()},
          {"wanted", options["wanted"].as<std::size_t>()},
          {"points", report.requested},
          {"runs", report.simulated},
          {"batches", executor->batches().size()},
          {"largest", std::ranges::max(executor->batches())},
          {"sizes", executor->batches().size() <= 100 ? Json(executor->batches()) : Json()},
          {"costs", hash.value()},
          {"seconds", report.seconds}};
}

int main_of(int argc, char** argv) {
  cxxopts::Options options("exarch_host_bench", "The host's part of a run.");
  options.add_options()("what", "", cxxopts::value<std::string>()->default_value(""))(
      "space", "", cxxopts::value<std::string>()->default_value("archgym-aco"))(
      "trace", "", cxxopts::value<std::string>()->default_value("stream,random,cloud-1,cloud-2"))(
      "threads", "", cxxopts::value<unsigned>()->default_value("0"))("wanted", "",
                                                                     cxxopts::value<std::size_t>()->default_value("16384"));
  options.parse_positional("what");
  const cxxopts::ParseResult given = options.parse(argc, argv);
  const auto what = given["what"].as<std::string>();
  if (what != "rate" && what != "batches") throw UsageError("exarch_host_bench rate|batches [options]");
  std::cout << (what == "rate" ? rate(given) : batches(given)).dump() << "\n";
  return 0;
}

}  // namespace
}  // namespace exarch

int main(int argc, char** argv) {
  try {
    return exarch::main_of(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "exarch_host_bench: " << error.what() << "\n";
    return 2;
  }
}
