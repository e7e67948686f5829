#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "host/run/store_view.hpp"
#include "host/study/statistics.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/study_measures.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

// 100, 300, 1000, 3000, ... below the budget, and the budget.
std::vector<std::uint64_t> checkpoints(std::uint64_t budget) {
  std::vector<std::uint64_t> points;
  for (std::uint64_t n = 100; n < budget; n *= 10) {
    points.push_back(n);
    if (3 * n < budget) points.push_back(3 * n);
  }
  points.push_back(budget);
  return points;
}

struct Compared {
  std::string workload, objective;
  double optimum;  // by cost; of searches without a truth table, the best seen
};

class RegretPrinter {
 public:
  RegretPrinter(const AgentStudy& study, std::string primary, bool exact)
      : primary_(std::move(primary)), checkpoints_(checkpoints(study.budget)) {
    rows_ = {{primary_, "objective", "agent"}};
    for (const std::uint64_t n : checkpoints_) {
      rows_[0].push_back("at " + std::to_string(n));
    }
    rows_[0].emplace_back(exact ? "optimum found" : "best found");
    rows_[0].emplace_back("median evaluations");
  }

  void add(const std::string& agent, const Compared& problem, std::span<const SearchRecord> records) {
    std::vector<std::string> row{problem.workload, problem.objective, agent};
    Json entry{{primary_, problem.workload}, {"objective", problem.objective}, {"agent", agent}, {"regret", Json::array()}};
    for (const std::uint64_t n : checkpoints_) {
      std::vector<double> regrets;
      for (const SearchRecord& record : records) regrets.push_back(relative_regret(record.best_after(n), problem.optimum));
      std::ranges::sort(regrets);
      const double low = quantile(regrets, 0.25), median = quantile(regrets, 0.5), high = quantile(regrets, 0.75);
      row.push_back(percent(median) + " (" + percent(low) + " - " + percent(high) + ")");
      entry["regret"].push_back({{"evaluations", n}, {"lower_quartile", low}, {"median", median}, {"upper_quartile", high}});
    }
    std::vector<double> found;
    for (const SearchRecord& record : records) {
      if (!record.improvements.empty() && record.improvements.back().cost <= problem.optimum) {
        found.push_back(static_cast<double>(record.improvements.back().evaluation));
      }
    }
    row.push_back(std::to_string(found.size()) + " of " + std::to_string(records.size()));
    entry["found"] = found.size();
    entry["seeds"] = records.size();
    std::ranges::sort(found);
    entry["found_at"] = found;
    // Of all seeds: those that never found it count as infinitely late.
    found.resize(records.size(), std::numeric_limits<double>::infinity());
    const double median = quantile(found, 0.5);
    row.push_back(std::isfinite(median) ? printed("%.0f", median) : "-");
    entry["median_evaluations_to_optimum"] = std::isfinite(median) ? Json(median) : Json();
    rows_.push_back(row);
    json_.push_back(entry);
  }

  void print(const Arguments& arguments) const { print_answer(arguments, json_, rows_); }

 private:
  std::string primary_;
  std::vector<std::uint64_t> checkpoints_;
  std::vector<std::vector<std::string>> rows_;
  Json json_ = Json::array();
};

void print_regret(const AgentStudy& study, const Environment& environment, std::span<const Compared> problems,
                  std::span<const SearchRecord> records, bool exact, const Arguments& arguments) {
  RegretPrinter printer(study, primary_option(environment).name, exact);
  for (std::size_t problem = 0; problem < problems.size(); ++problem) {
    for (std::size_t agent = 0; agent < study.agents.size(); ++agent) {
      printer.add(study.agents[agent], problems[problem],
                  records.subspan((agent * problems.size() + problem) * study.seeds, study.seeds));
    }
  }
  printer.print(arguments);
}

int regret_in_store(const AgentStudy& study, const Arguments& arguments) {
  const OpenedStore opened = open_run(arguments.positional[1]);
  const std::vector<Objective> objectives = objectives_of(opened.environment, arguments);
  std::vector<TruthTable> tables;
  tables.reserve(opened.workloads.size());
  std::vector<Ranking> rankings;
  std::vector<Compared> problems;
  for (std::uint32_t w = 0; w < opened.workloads.size(); ++w) {
    tables.push_back(truth_of(opened, w));
    for (const Objective& objective : objectives) {
      rankings.emplace_back(tables.back(), objective);
      if (!rankings.back().feasible()) throw Error(opened.workloads[w]->name + ": no design is feasible by " + objective.text());
      problems.push_back({opened.workloads[w]->name, objective.text(), rankings.back().optimum()});
    }
  }
  const std::vector<SearchTask> searches = study.searches(problems.size(), arguments.seed());
  ThreadPool pool(arguments.threads());
  std::vector<SearchRecord> records;
  {
    Progress progress("evaluations", study.budget * searches.size());
    records = search_in_tables(opened.space, searches, rankings, pool, [&](std::uint64_t done) { progress.update(done); });
  }
  print_regret(study, opened.environment, problems, records, true, arguments);
  return 0;
}

int regret_by_simulation(const AgentStudy& study, const Arguments& arguments) {
  const Environment& environment = find_environment(arguments.positional[1]);
  const DesignSpace space = given_space(environment, arguments);
  const std::vector<Objective> objectives = objectives_of(environment, arguments);
  const std::shared_ptr<Executor> executor = make_executor(arguments);
  const Workloads workloads = load_given(environment, given_workloads(environment, arguments));
  std::vector<SimulatedCosts::Problem> priced;
  std::vector<Compared> problems;
  for (std::size_t w = 0; w < workloads.size(); ++w) {
    for (const Objective& objective : objectives) {
      priced.push_back({w, objective});
      problems.push_back({workloads[w]->name, objective.text(), std::numeric_limits<double>::infinity()});
    }
  }
  SimulatedCosts costs(environment, space, workloads, priced, executor, evaluator_options(arguments));
  const std::vector<SearchTask> searches = study.searches(problems.size(), arguments.seed());
  const auto start = std::chrono::steady_clock::now();
  std::vector<SearchRecord> records;
  {
    Progress progress("evaluations", study.budget * searches.size());
    records = search_in_lockstep(space, searches, costs, [&](std::uint64_t done) { progress.update(done); });
  }
  for (std::size_t i = 0; i < records.size(); ++i) {
    double& optimum = problems[searches[i].problem].optimum;
    optimum = std::min(optimum, records[i].best_after(study.budget));
  }
  for (const Compared& problem : problems) {
    if (!std::isfinite(problem.optimum)) {
      throw Error(problem.workload + ": no search saw a design that is feasible by " + problem.objective);
    }
  }
  print_regret(study, environment, problems, records, false, arguments);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  say(std::to_string(searches.size()) + " searches, " + std::to_string(costs.requested()) + " evaluations requested, " +
      std::to_string(costs.simulated()) + " runs simulated, in " + short_time(seconds) +
      "; regret is to the best that any of them saw");
  return 0;
}

}  // namespace

int study_regret(const Arguments& arguments) {
  const AgentStudy study = agent_study_of(arguments, "random,ga,aco,sa,de,bo:tpe,pg");
  if (is_store(arguments.positional[1])) {
    allow_for_study(arguments, "study regret of a store", {"objective", "agents", "seeds", "budget", "population"});
    return regret_in_store(study, arguments);
  }
  allow_for_study(arguments, "study regret of an environment",
                  {"objective", "agents", "seeds", "budget", "population", "space", "engine", "no-share"}, true);
  return regret_by_simulation(study, arguments);
}

}  // namespace exarch::cli
