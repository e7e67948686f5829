#include <algorithm>
#include <chrono>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "host/files/text.hpp"
#include "host/study/study.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/study_prepared.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

// The runs that evaluating a whole space on a workload takes, about, and the seconds of one on all threads.
struct RunEstimate {
  double runs, seconds_each;
};

// Asks random designs for half a second or so. A design of a class of n equal ones stands for 1 / n of a run, and n is about the
// product, over the parameters, of how many of a parameter's values leave the design in its class.
RunEstimate estimate_runs(const PreparedStudy& study, std::shared_ptr<const Workload> workload, Backend& backend,
                          const Arguments& arguments) {
  constexpr std::size_t kFewest = 16, kMost = 256;
  constexpr double kEnough = 0.5;
  const DesignSpace& space = study.space;
  const std::size_t parameters = space.dimensions();
  Evaluator evaluator(study.environment, std::move(workload), backend, evaluator_options(arguments));
  std::vector<Gene> genes(parameters), neighbour(parameters);
  std::vector<std::int64_t> design(parameters), line;  // the design, then its neighbours
  double seconds = 0, shares = 0;
  std::size_t asked = 0;
  for (; asked < kFewest || (asked < kMost && seconds < kEnough); ++asked) {
    space.genes_of(random_point(space, 1, asked), genes);
    space.design_of(genes, design);
    line = design;
    for (std::size_t p = 0; p < parameters; ++p) {
      neighbour = genes;
      for (neighbour[p] = 0; neighbour[p] < space.values(p).size(); ++neighbour[p]) {
        space.design_of(neighbour, design);
        line.insert(line.end(), design.begin(), design.end());
      }
    }
    const auto start = std::chrono::steady_clock::now();
    const std::vector<Evaluator::OutcomeId> ids = evaluator.evaluate(line);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    double share = 1;
    auto id = ids.begin() + 1;
    for (std::size_t p = 0; p < parameters; ++p) {
      const auto end = id + static_cast<std::ptrdiff_t>(space.values(p).size());
      share /= static_cast<double>(std::count(id, end, ids.front()));
      id = end;
    }
    shares += share;
  }
  return {shares / static_cast<double>(asked) * static_cast<double>(space.size()),
          seconds / static_cast<double>(evaluator.simulated())};
}

}  // namespace

int dry_run(const PreparedStudy& study, const Arguments& arguments) {
  const StudyPlan& plan = study.plan;
  const StudySize size = size_of(plan, study.problems());
  const unsigned threads = arguments.threads() != 0 ? arguments.threads() : std::max(1u, std::thread::hardware_concurrency());
  const double agents = static_cast<double>(study.problems()) * estimate_agent_seconds(plan, study.space) / threads;
  const bool named = arguments.has("truth") || !arguments.text("out").empty();
  const Workloads workloads = study.load_workloads();
  const bool truth_exists = plan.truth && named && truth_at(truth_path(arguments), study, workloads);
  const std::uint64_t truth_points = plan.truth && !truth_exists ? study.space.size() * study.options.size() : 0;
  double simulating = 0;
  if (!plan.truth || truth_points > 0) {
    const double asked = plan.truth ? std::numeric_limits<double>::infinity()
                                    : static_cast<double>(size.evaluations) / static_cast<double>(study.options.size());
    Backend backend = make_backend(arguments);
    for (const auto& workload : workloads) {
      const RunEstimate estimate = estimate_runs(study, workload, backend, arguments);
      simulating += std::min(estimate.runs, asked) * estimate.seconds_each;
    }
  }
  Json json{{"study", plan.name},
            {"configurations", size.configurations},
            {"problems", study.problems()},
            {"runs", size.runs},
            {"evaluations", size.evaluations},
            {"truth_points", truth_points},
            {"costs", plan.truth ? "truth" : "simulation"},
            {"expected_agent_seconds", agents},
            {plan.truth ? "expected_truth_seconds" : "most_simulation_seconds", simulating}};
  std::vector<std::vector<std::string>> rows{{"agent", "configurations", "seeds", "runs", "evaluations"}};
  for (const AgentGrid& grid : plan.agents) {
    StudyPlan alone = plan;
    alone.agents = {grid};
    const StudySize of_grid = size_of(alone, study.problems());
    rows.push_back({grid.label, std::to_string(of_grid.configurations), std::to_string(grid.seeds), std::to_string(of_grid.runs),
                    std::to_string(of_grid.evaluations)});
    json["agents"].push_back({{"label", grid.label},
                              {"configurations", of_grid.configurations},
                              {"runs", of_grid.runs},
                              {"evaluations", of_grid.evaluations}});
  }
  if (arguments.flag("json")) {
    std::cout << json.dump(2) << "\n";
    return 0;
  }
  std::cout << printable(plan.name) << ": " << printable(plan.doc) << "\n\n";
  print_table(rows);
  std::cout << "\n"
            << size.configurations << " configurations x " << study.problems() << " problems (" << study.options.size()
            << " workloads x " << study.objectives.size() << " objectives): " << size.runs << " runs, at most "
            << size.evaluations << " evaluations; the agents take some " << short_time(agents) << " on " << threads
            << " threads\n";
  if (truth_points > 0) {
    std::cout << "before that, the truth: all " << study.space.size() << " points of '" << study.space.name() << "' on "
              << study.options.size() << " workloads, in some " << short_time(simulating) << "\n";
  }
  if (!plan.truth) {
    std::cout << "and the simulations, one for every design, or class of equal ones, that any search is first to ask: at most "
              << short_time(simulating) << "\n";
  }
  if (!plan.seconds.empty()) {
    std::cout << "and at most " << short_time(plan.seconds.back() * static_cast<double>(size.cells))
              << " to take times, one search of each configuration and problem\n";
  }
  return 0;
}

}  // namespace exarch::cli
