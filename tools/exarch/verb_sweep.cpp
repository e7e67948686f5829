#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "host/run/sweep.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/simulation_files.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

SweepSpec given_sweep(const Arguments& arguments) {
  const Environment& environment = find_environment(arguments.positional[0]);
  if (!arguments.has("out")) throw UsageError("no --out FILE.db given for the results");
  if (arguments.flag("all") == arguments.has("sample")) throw UsageError("give either --all or --sample N");
  const std::string keep = arguments.text("keep");
  if (keep != "all" && keep != "best") throw UsageError("--keep " + keep + ": expected all or best");
  if (keep == "all" && (arguments.has("objective") || arguments.has("top"))) {
    throw UsageError("--objective and --top belong to --keep best; a store that keeps everything is asked by exarch best");
  }
  SweepSpec spec(given_problem(environment, arguments));
  const DesignSpace& space = spec.problem.space;
  if (arguments.has("sample")) spec.sample = arguments.number("sample", 1, kMostPoints);
  if (spec.sample == 0 && (!space.is_numbered() || space.size() > kMostPoints)) {
    throw UsageError("--all: space '" + space.name() + "' has " + space.size_text() +
                     " points, more than the 2^40 of a sweep; give --sample N or a smaller --space");
  }
  spec.seed = arguments.seed();
  spec.problem.workloads = given_workloads(environment, arguments);
  if (keep == "best") {
    spec.keep = arguments.number("top", 1, 1'000'000);
    spec.problem.objectives = {parse_objective(environment, arguments.text("objective"))};
  }
  spec.evaluation = evaluator_options(arguments);
  return spec;
}

int sweep_verb(const Arguments& arguments) {
  const SweepSpec spec = given_sweep(arguments);
  TerminalObserver terminal;
  const SweepReport report = run_sweep(spec, make_executor(arguments), arguments.text("out"), terminal);
  if (arguments.flag("json")) {
    std::cout << nlohmann::ordered_json{{"requested", report.requested},
                                        {"simulated", report.simulated},
                                        {"seconds", report.seconds},
                                        {"out", arguments.text("out")},
                                        {"warnings", report.warnings}}
                     .dump(2)
              << "\n";
    return 0;
  }
  std::cout << "requested " << report.requested << " evaluations, simulated " << report.simulated << ", in "
            << short_time(report.seconds) << " ("
            << short_count(static_cast<double>(report.requested) / std::max(report.seconds, 1e-9))
            << " evaluations/s); results in " << arguments.text("out") << "\n";
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
        evaluation_options() + simulation_options(),
    .takes_workloads = true,
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
    .run = sweep_verb};

}  // namespace exarch::cli
