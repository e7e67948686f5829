// Evaluates two designs of a memory controller, then lets a genetic algorithm search; docs/library.md explains it.
#include <cstdio>

#include "host/execute/scoring.hpp"
#include "host/run/inputs.hpp"
#include "host/run/search.hpp"

using namespace exarch;

struct Printer : Observer {
  void on_improvement(const FoundBetter& better) override {
    std::printf("generation %2ju: %.0f ps\n", static_cast<std::uintmax_t>(better.generation), better.values[0]);
  }
};

int main() {
  const Environment& dram = find_environment("dram");
  const auto executor = std::make_shared<LocalExecutor>("auto");
  Problem problem(dram, resolve_space(dram, "archgym-aco"));
  problem.workloads = list_workloads(dram, {{"trace", "cloud-1"}});
  problem.objectives = parse_objectives(dram, "latency");

  std::vector<std::int64_t> designs = parse_design(dram, {"PagePolicy=Open"});
  for (const std::int64_t value : parse_design(dram, {"PagePolicy=Closed"})) designs.push_back(value);
  Evaluator evaluator(dram, dram.load_workload(problem.workloads[0]), executor);
  score(evaluator, evaluator.evaluate(designs), designs, problem.objectives,
        [&](const ScoredCandidate& c) { std::printf("%s: %.0f ps\n", c.candidate == 0 ? "open" : "closed", c.costs[0]); });

  SearchSpec spec(problem);
  spec.population = 64;
  spec.generations = 20;
  Printer printer;
  const SearchReport report = run_search(spec, executor, "", printer);
  std::printf("%s\n", format_design(dram, report.best.at(0).design).c_str());
}
