#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "host/study/front.hpp"
#include "host/study/lockstep.hpp"
#include "host/study/statistics.hpp"
#include "tools/exarch/common.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/study_plan.hpp"
#include "tools/exarch/sweep.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string printed(const char* format, double number) {
  char text[64];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

std::string percent(double share) {
  return std::isfinite(share) ? printed("%.3g", 100 * share) : "-";
}

bool is_store(const std::string& name) {
  return std::filesystem::is_regular_file(name) || name.ends_with(".db");
}

// Refuses what a study would ignore: all options but the common ones, these, and those of workloads if it takes any.
void allow_only(const Arguments& arguments, const std::string& what, std::vector<std::string> names, bool workloads = false) {
  if (workloads) {
    for (const OptionSpec& option : workload_options()) names.push_back(option.name);
  }
  allow_only(kStudyVerb, arguments, what, names);
}

std::vector<Objective> objectives_of(const Environment& environment, const Arguments& arguments) {
  std::vector<Objective> objectives;
  for (const std::string& text : arguments.all("objective")) objectives.push_back(parse_objective(environment, text));
  if (objectives.empty()) objectives.push_back(parse_objective(environment, ""));
  refuse_repeated(objectives);
  return objectives;
}

// ---- study truth --------------------------------------------------------------------------------------------------------

struct TruthPrinter {
  const OpenedStore& opened;
  std::vector<std::vector<std::string>> summary, parameters;
  Json json = Json::array();

  explicit TruthPrinter(const OpenedStore& store) : opened(store) {
    const std::string& primary = primary_option(opened.environment).name;
    summary = {{primary, "objective", "optimum", "designs", "default's regret %", "default's rank", "different", "local optima",
                "global", "on them %", "front"}};
    parameters = {{primary, "objective", "parameter", "alone %", "in all %"}};
  }

  void add(std::uint32_t w, const TruthTable& truth, const Objective& objective) {
    const Environment& environment = opened.environment;
    const std::string& workload = opened.workloads[w]->name;
    const Ranking ranking(truth, objective);
    if (!ranking.feasible()) throw Error(workload + ": no design is feasible by " + objective.text());
    const std::size_t front = truth.pareto_front(objective).size();
    const std::uint32_t best = ranking.best_group();
    const double optimum = objective.score(truth.metrics(best), true).value;
    std::vector<double> distinct(ranking.costs().begin(), ranking.costs().end());
    std::ranges::sort(distinct);
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    const auto local = ranking.local_optima();
    const double standard = default_cost(truth, objective);
    const auto designs = static_cast<double>(truth.points());
    summary.push_back({workload, objective.text(), printed("%.9g", optimum), std::to_string(ranking.optimal_designs()),
                       percent(ranking.relative_regret(standard)),
                       std::isfinite(standard) ? std::to_string(ranking.rank(standard)) : "-", std::to_string(distinct.size()),
                       std::to_string(local.plateaus), std::to_string(local.global),
                       percent(static_cast<double>(local.designs) / designs), std::to_string(front)});
    Json entry{{primary_option(environment).name, workload},
               {"objective", objective.text()},
               {"designs", truth.points()},
               {"feasible_designs", ranking.feasible_designs()},
               {"different_costs", distinct.size()},
               {"optimum", optimum},
               {"optimal_designs", ranking.optimal_designs()},
               {"pareto_front", front},
               {"local_optima", {{"plateaus", local.plateaus}, {"global", local.global}, {"designs", local.designs}}},
               {"importance", Json::object()}};
    const auto importance = ranking.importance();
    for (std::size_t p = 0; p < importance.size(); ++p) {
      if (opened.space.values(p).size() == 1) continue;
      const std::string& name = environment.parameters()[p].name;
      parameters.push_back({workload, objective.text(), name, printed("%.2f", 100 * importance[p].alone),
                            printed("%.2f", 100 * importance[p].total)});
      entry["importance"][name] = {{"alone", importance[p].alone}, {"total", importance[p].total}};
    }
    json.push_back(entry);
  }

 private:
  [[nodiscard]] double default_cost(const TruthTable& truth, const Objective& objective) const {
    const std::uint32_t group = truth.group_of(point_of(opened.space, default_design(opened.environment, opened.space)));
    return objective.score(truth.metrics(group), truth.ok(group)).cost;
  }
};

// The store that an argument names, made or continued first if it names an environment.
std::string truth_store(const Arguments& arguments) {
  const std::string& name = arguments.positional[1];
  if (is_store(name)) {
    allow_only(arguments, "study truth of a store", {"objective"});
    return name;
  }
  allow_only(arguments, "study truth", {"objective", "space", "out", "engine", "no-share"}, true);
  // A mistake here must not be found after the sweep.
  const Environment& environment = find_environment(name);
  const std::vector<Objective> objectives = objectives_of(environment, arguments);
  TruthTable::check_size(resolve_space(environment, arguments.text("space")));
  Arguments sweeping = arguments;
  sweeping.positional = {name};
  sweeping.values["all"] = {"true"};
  sweeping.given["all"] = true;
  sweeping.values["keep"] = {"all"};
  sweeping.values["seed"] = {"1"};  // nothing is drawn
  for (const char* option : {"sample", "top", "keep", "objective"}) sweeping.given[option] = false;
  const SweepReport report = sweep(sweeping, objectives.front().text());
  if (report.requested > 0) {
    say(std::to_string(report.requested) + " evaluations, " + std::to_string(report.simulated) + " of them simulated, in " +
        short_time(report.seconds) + "; the truth is in " + arguments.text("out"));
  }
  return arguments.text("out");
}

int study_truth(const Arguments& arguments) {
  const OpenedStore opened = open_store(truth_store(arguments));
  const std::vector<Objective> objectives = objectives_of(opened.environment, arguments);
  TruthPrinter printer(opened);
  for (std::uint32_t w = 0; w < opened.workloads.size(); ++w) {
    const TruthTable truth = truth_of(opened, w);
    for (const Objective& objective : objectives) printer.add(w, truth, objective);
  }
  if (arguments.flag("json")) {
    std::cout << printer.json.dump(2) << "\n";
    return 0;
  }
  print_table(printer.summary);
  std::cout << "\n";
  print_table(printer.parameters);
  return 0;
}

// ---- study regret -------------------------------------------------------------------------------------------------------

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

struct RegretStudy {
  std::vector<std::string> agents;
  std::uint64_t seeds, budget;
  std::size_t population;

  // (agent, problem, seed)
  [[nodiscard]] std::vector<SearchSpec> searches(std::size_t problems, std::uint64_t first_seed) const {
    std::vector<SearchSpec> specs;
    for (const std::string& agent : agents) {
      for (std::size_t problem = 0; problem < problems; ++problem) {
        for (std::uint64_t seed = 0; seed < seeds; ++seed) {
          specs.push_back({agent, {first_seed + seed, population, {}, 1}, problem, budget});
        }
      }
    }
    return specs;
  }
};

RegretStudy study_of(const Arguments& arguments, const char* agents) {
  RegretStudy study{split(arguments.has("agents") ? arguments.text("agents") : agents, ','),
                    arguments.number("seeds", 1, 1'000'000), arguments.number("budget", 1, 1'000'000'000),
                    arguments.number("population", 2, 1'000'000)};
  if (study.agents.empty()) throw UsageError("--agents: expected names separated by commas");
  for (auto agent = study.agents.begin(); agent != study.agents.end(); ++agent) {
    if (std::find(study.agents.begin(), agent, *agent) != agent) throw UsageError("--agents names " + *agent + " twice");
  }
  return study;
}

struct Problem {
  std::string workload, objective;
  double optimum;  // by cost; of searches without a truth table, the best seen
};

class RegretPrinter {
 public:
  RegretPrinter(const RegretStudy& study, std::string primary, bool exact)
      : primary_(std::move(primary)), checkpoints_(checkpoints(study.budget)) {
    rows_ = {{primary_, "objective", "agent"}};
    for (const std::uint64_t n : checkpoints_) {
      rows_[0].push_back("at " + std::to_string(n));
    }
    rows_[0].emplace_back(exact ? "optimum found" : "best found");
    rows_[0].emplace_back("median evaluations");
  }

  void add(const std::string& agent, const Problem& problem, std::span<const SearchRecord> records) {
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

void print_regret(const RegretStudy& study, const Environment& environment, std::span<const Problem> problems,
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

int regret_in_store(const RegretStudy& study, const Arguments& arguments) {
  const OpenedStore opened = open_store(arguments.positional[1]);
  const std::vector<Objective> objectives = objectives_of(opened.environment, arguments);
  std::vector<TruthTable> tables;
  tables.reserve(opened.workloads.size());
  std::vector<Ranking> rankings;
  std::vector<Problem> problems;
  for (std::uint32_t w = 0; w < opened.workloads.size(); ++w) {
    tables.push_back(truth_of(opened, w));
    for (const Objective& objective : objectives) {
      rankings.emplace_back(tables.back(), objective);
      if (!rankings.back().feasible()) throw Error(opened.workloads[w]->name + ": no design is feasible by " + objective.text());
      problems.push_back({opened.workloads[w]->name, objective.text(), rankings.back().optimum()});
    }
  }
  const std::vector<SearchSpec> searches = study.searches(problems.size(), arguments.seed());
  ThreadPool pool(arguments.threads());
  std::vector<SearchRecord> records;
  {
    Progress progress("evaluations", study.budget * searches.size());
    records = search_in_tables(opened.space, searches, rankings, pool, [&](std::uint64_t done) { progress.update(done); });
  }
  print_regret(study, opened.environment, problems, records, true, arguments);
  return 0;
}

int regret_by_simulation(const RegretStudy& study, const Arguments& arguments) {
  const Environment& environment = find_environment(arguments.positional[1]);
  const DesignSpace space = resolve_space(environment, arguments.text("space"));
  const std::vector<Objective> objectives = objectives_of(environment, arguments);
  Backend backend = make_backend(arguments);
  std::vector<std::shared_ptr<const Workload>> workloads;
  for (const WorkloadOptions& options : given_workloads(environment, arguments)) workloads.push_back(load(environment, options));
  std::vector<SimulatedCosts::Problem> priced;
  std::vector<Problem> problems;
  for (std::size_t w = 0; w < workloads.size(); ++w) {
    for (const Objective& objective : objectives) {
      priced.push_back({w, objective});
      problems.push_back({workloads[w]->name, objective.text(), std::numeric_limits<double>::infinity()});
    }
  }
  SimulatedCosts costs(environment, space, workloads, priced, backend, evaluator_options(arguments));
  const std::vector<SearchSpec> searches = study.searches(problems.size(), arguments.seed());
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
  for (const Problem& problem : problems) {
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

int study_regret(const Arguments& arguments) {
  const RegretStudy study = study_of(arguments, "random,ga,aco,sa,de,bo:tpe,pg");
  if (is_store(arguments.positional[1])) {
    allow_only(arguments, "study regret of a store", {"objective", "agents", "seeds", "budget", "population"});
    return regret_in_store(study, arguments);
  }
  allow_only(arguments, "study regret of an environment",
             {"objective", "agents", "seeds", "budget", "population", "space", "engine", "no-share"}, true);
  return regret_by_simulation(study, arguments);
}

// ---- study front --------------------------------------------------------------------------------------------------------

int study_front(const Arguments& arguments) {
  allow_only(arguments, "study front", {"agents", "seeds", "budget", "population"});
  const RegretStudy study = study_of(arguments, "nsga2,random");
  const OpenedStore opened = open_store(arguments.positional[1]);
  const auto tradeoffs = opened.environment.tradeoffs();
  if (tradeoffs.empty()) throw Error("environment " + opened.environment.name() + " names no trade-offs for a Pareto front");
  std::vector<std::size_t> objectives;
  for (const std::string& name : study.agents) {
    objectives.push_back(std::min(find_agent(name).max_objectives, tradeoffs.size()));
  }
  const std::string& primary = primary_option(opened.environment).name;
  std::vector<std::vector<std::string>> rows{{primary, "agent", "front", "found %", "quartiles", "distance", "quartiles"}};
  Json json = Json::array();
  ThreadPool pool(arguments.threads());
  Progress progress("searches", study.seeds * study.agents.size() * opened.workloads.size());
  std::uint64_t done = 0;
  for (std::uint32_t w = 0; w < opened.workloads.size(); ++w) {
    const TruthTable truth = truth_of(opened, w);
    const std::vector<std::uint32_t> front = truth.pareto_front();
    if (front.empty()) throw Error(opened.workloads[w]->name + ": no design is feasible");
    for (std::size_t a = 0; a < study.agents.size(); ++a) {
      std::vector<double> covered(study.seeds), distance(study.seeds);
      pool.for_each(study.seeds, [&](std::size_t seed, unsigned) {
        const SearchSpec search{study.agents[a], {arguments.seed() + seed, study.population, {}, objectives[a]}, 0, study.budget};
        const FrontScore score = score_front(truth, front, search_front(truth, search));
        covered[seed] = score.covered;
        distance[seed] = score.distance;
      });
      progress.update(done += study.seeds);
      std::ranges::sort(covered);
      std::ranges::sort(distance);
      const auto quartiles = [](const std::vector<double>& v, const char* format, double scale) {
        return printed(format, scale * quantile(v, 0.25)) + " - " + printed(format, scale * quantile(v, 0.75));
      };
      rows.push_back({opened.workloads[w]->name, study.agents[a], std::to_string(front.size()),
                      printed("%.1f", 100 * quantile(covered, 0.5)), quartiles(covered, "%.1f", 100),
                      printed("%.2g", quantile(distance, 0.5)), quartiles(distance, "%.2g", 1)});
      json.push_back({{primary, opened.workloads[w]->name},
                      {"agent", study.agents[a]},
                      {"front", front.size()},
                      {"evaluations", study.budget},
                      {"seeds", study.seeds},
                      {"median_found", quantile(covered, 0.5)},
                      {"median_distance", quantile(distance, 0.5)}});
    }
  }
  print_answer(arguments, json, rows);
  return 0;
}

int run(const Arguments& arguments) {
  const std::string& study = arguments.positional[0];
  const bool by_plan = study.ends_with(".toml") || is_store_of(study, StoreKind::study);
  const std::vector<std::string> shipped = shipped_plans();
  if (by_plan || std::ranges::find(shipped, study) != shipped.end()) {
    if (arguments.positional.size() > 1)
      throw UsageError("study " + study + ": one argument too many, '" + arguments.positional[1] + "'");
    allow_only(arguments, "study " + study,
               {"out", "truth", "compat", "dry-run", "seeds", "space", "objective", "engine", "no-share"}, true);
    if (is_store_of(study, StoreKind::study)) allow_only(arguments, "showing a study", {});
    return study_plan(arguments);
  }
  const std::vector<std::string> measures{"truth", "regret", "front"};
  if (std::ranges::find(measures, study) != measures.end() && arguments.positional.size() < 2) {
    throw UsageError("study " + study + " needs a truth store or an environment");
  }
  if (study == "truth") return study_truth(arguments);
  if (study == "regret") return study_regret(arguments);
  if (study == "front") return study_front(arguments);
  if (const std::string foreign = foreign_file(study, {}, "a study plan (.toml) or a study's store"); !foreign.empty()) {
    throw UsageError(foreign);
  }
  std::vector<std::string> known = measures;
  known.insert(known.end(), shipped.begin(), shipped.end());
  std::string listed;
  for (const std::string& name : known) listed += (listed.empty() ? "" : ", ") + name;
  throw UsageError("unknown study '" + study + "'" + did_you_mean(study, known) + "; there are " + listed +
                   ", and plans in files (.toml)");
}

}  // namespace

const Verb kStudyVerb{
    .name = "study",
    .synopsis =
        "(lottery | population | budgets | ... | PLAN.toml) --out STUDY.db | STUDY.db | (truth | regret | front) (TRUTH.db | "
        "ENVIRONMENT WORKLOAD)",
    .doc = "Runs whole studies of agents, builds the truth about a space, and measures agents against it.",
    .options =
        std::vector<OptionSpec>{
            {"space", "NAME|FILE", "a shipped space or a space file (.json); default: the plan's, or the environment's first"},
            {"objective", "EXPR",
             "a preset (see exarch envs) or an expression; repeatable; default: the plan's, or the environment's first", "",
             true},
            {"out", "FILE", "plans: the study's store; truth: the store of the truth; both made or continued"},
            {"truth", "FILE", "plans: the store of the truth, made or continued; default: OUT with the ending .truth.db"},
            {"compat", "NAME", "lottery: fixed, or archgym: its agents and rewards as released, defects included", "fixed"},
            {"dry-run", "", "plans: say how many runs and evaluations there would be, and how long they would take"},
            {"agents", "A,B,...",
             "agents to compare; default for regret: random,ga,aco,sa,de,bo:tpe,pg, for front: nsga2,random"},
            {"seeds", "N",
             "searches per agent, with seeds from --seed on; of plans: per configuration and problem, and by default as the plan "
             "says",
             "20"},
            {"budget", "N", "evaluations per search", "10000"},
            {"population", "N", "candidates per generation", "64"}} +
        evaluation_options() + workload_options(),
    .simulates = true,
    .draws = true,
    .json = "plans: all that reports are made of; else an array: one entry per workload and objective (and agent)",
    .min_positional = 1,
    .max_positional = 2,
    .examples =
        "  exarch study lottery --out lottery.db\n"
        "  exarch study lottery --compat archgym --truth lottery.truth.db --out archgym.db\n"
        "  exarch study population --dry-run\n"
        "  exarch study my_plan.toml --seeds 5 --trace my_trace.stl --out my_study.db ; exarch report my_study.db -o "
        "my_study.html\n"
        "  exarch study truth dram --space archgym-aco --trace stream,random,cloud-1,cloud-2 --out truth.db --objective latency\n"
        "  exarch study regret truth.db --agents random,ga,aco --seeds 100 --budget 10000 --objective archgym-both\n"
        "  exarch study regret dram --trace cloud-1 --agents ga,bo:tpe --seeds 50 --budget 2000\n"
        "  exarch study front truth.db --agents nsga2,random --seeds 20 --population 100\n\n"
        "Plans: lottery, lottery-archgym, lottery-wide, budgets, population, population-wide, mapping, and TOML files "
        "(docs/formats.md).\n"
        "Costs come from the truth of the space, which is made first, or by simulation. A killed study continues when the same\n"
        "command is given again; results do not depend on threads. A study's store is shown again by exarch study STUDY.db.\n"
        "truth: the optimum, the designs that have it, the default design's regret and rank, local optima under one-parameter "
        "moves,\n"
        "the size of the Pareto front, and what each parameter decides (exact functional ANOVA). The store is a complete sweep: "
        "exarch\n"
        "best, rank and export answer from it.\n"
        "regret: how far from the optimum agents are after 100, 300, 1,000, ... evaluations, in %: median over seeds "
        "(quartiles). "
        "In a truth\n"
        "store, regret is exact; in an environment the searches run in lock-step, and regret is to the best that any of them "
        "saw.\n",
    .run = run};

}  // namespace exarch::cli
