#include "tools/exarch/study_plan.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "host/error.hpp"
#include "host/study/study.hpp"
#include "host/study/summary.hpp"
#include "tools/exarch/common.hpp"
#include "tools/exarch/embedded.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/sweep.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

StudyPlan read_plan(const std::string& name) {
  if (name.ends_with(".toml")) {
    std::ifstream file(name, std::ios::binary);
    if (!file) throw Error(name + ": cannot be read; check the name");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return StudyPlan::from_toml(text, name);
  }
  return StudyPlan::from_toml(embedded_file(name + ".toml"), name + ".toml");
}

// A preset's variant: "lottery" with the agents and rewards of ArchGym as released.
std::string plan_name(const Arguments& arguments) {
  const std::string& name = arguments.positional[0];
  const std::string& compat = arguments.text("compat");
  if (compat != "archgym" && compat != "fixed") throw UsageError("--compat " + compat + ": expected archgym or fixed");
  if (arguments.has("compat") && compat == "fixed" && name.ends_with("-archgym")) {
    throw UsageError("--compat fixed: study '" + name + "' is ArchGym as released");
  }
  if (!arguments.has("compat") || compat == "fixed") return name;
  const std::vector<std::string> shipped = shipped_plans();
  if (std::ranges::find(shipped, name + "-archgym") == shipped.end()) {
    throw UsageError("--compat archgym: study '" + name + "' has no such variant");
  }
  return name + "-archgym";
}

// The plan with what the command line says instead.
StudyPlan plan_of(const Arguments& arguments) {
  StudyPlan plan = read_plan(plan_name(arguments));
  if (arguments.has("seeds")) plan.set_seeds(arguments.number("seeds", 1, 1'000'000));
  if (arguments.has("seed")) plan.first_seed = arguments.seed();
  if (arguments.has("space")) plan.space = arguments.text("space");
  if (arguments.has("objective")) {
    plan.objectives = arguments.all("objective");
    plan.reported_as.clear();
  }
  const Environment& environment = find_environment(plan.environment);
  std::vector<std::string> options;
  for (const WorkloadOption& option : environment.workload_options()) options.push_back(option.name);
  for (const auto& [name, value] : plan.workload) {
    if (std::ranges::find(options, name) != options.end()) continue;
    throw UsageError("study " + plan.name + ": '" + name + "' of [workload] does not describe a workload of " + plan.environment +
                     did_you_mean(name, options));
  }
  for (const auto& [name, value] : given_options(environment, arguments)) plan.workload[name] = value;
  return plan;
}

// The command line that describes the plan's workloads and space to the other verbs.
Arguments with_plan(const Arguments& arguments, const StudyPlan& plan) {
  Arguments all = arguments;
  const auto set = [&all](const std::string& name, const std::string& value) {
    all.values[name] = {value};
    all.given[name] = true;
  };
  if (!plan.space.empty()) set("space", plan.space);
  for (const auto& [name, value] : plan.workload) set(name, value);
  return all;
}

// A plan with everything it names.
class PreparedStudy {
 public:
  explicit PreparedStudy(const Arguments& arguments)
      : plan(plan_of(arguments)),
        effective(with_plan(arguments, plan)),
        environment(find_environment(plan.environment)),
        space(resolve_space(environment, plan.space)),
        options(given_workloads(environment, effective)) {
    for (const std::string& text : plan.objectives) objectives.push_back(parse_objective(environment, text));
    for (const std::string& text : plan.reported_as) reported.push_back(parse_objective(environment, text));
    if (plan.truth) TruthTable::check_size(space);
  }

  [[nodiscard]] std::size_t problems() const { return options.size() * objectives.size(); }

  StudyPlan plan;
  Arguments effective;
  const Environment& environment;
  DesignSpace space;
  std::vector<WorkloadOptions> options;
  std::vector<Objective> objectives, reported;
};

std::string truth_path(const Arguments& arguments) {
  if (arguments.has("truth")) return arguments.text("truth");
  std::filesystem::path out = arguments.text("out");
  return out.replace_extension(".truth.db").string();
}

// ---- --dry-run ----------------------------------------------------------------------------------------------------------

// The runs that evaluating a whole space on a workload takes, about, and the seconds of one on all threads.
struct RunEstimate {
  double runs, seconds_each;
};

// Asks random designs for half a second or so. A design of a class of n equal ones stands for 1 / n of a run, and n is about the
// product, over the parameters, of how many of a parameter's values leave the design in its class.
RunEstimate estimate_runs(const PreparedStudy& study, const WorkloadOptions& options, Backend& backend,
                          const Arguments& arguments) {
  constexpr std::size_t kFewest = 16, kMost = 256;
  constexpr double kEnough = 0.5;
  const DesignSpace& space = study.space;
  const std::size_t parameters = space.dimensions();
  Evaluator evaluator(study.environment, study.environment.load_workload(options), backend, evaluator_options(arguments));
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

int dry_run(const PreparedStudy& study, const Arguments& arguments) {
  const StudyPlan& plan = study.plan;
  const StudySize size = size_of(plan, study.problems());
  const unsigned threads = arguments.threads() != 0 ? arguments.threads() : std::max(1u, std::thread::hardware_concurrency());
  const double agents = static_cast<double>(study.problems()) * estimate_agent_seconds(plan, study.space) / threads;
  const bool truth_exists = plan.truth && arguments.has("truth") && std::filesystem::exists(arguments.text("truth"));
  const std::uint64_t truth_points = plan.truth && !truth_exists ? study.space.size() * study.options.size() : 0;
  double simulating = 0;
  if (!plan.truth || truth_points > 0) {
    const double asked = plan.truth ? std::numeric_limits<double>::infinity()
                                    : static_cast<double>(size.evaluations) / static_cast<double>(study.options.size());
    Backend backend = make_backend(arguments);
    for (const WorkloadOptions& options : study.options) {
      const RunEstimate estimate = estimate_runs(study, options, backend, arguments);
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
  std::cout << plan.name << ": " << plan.doc << "\n\n";
  print_table(rows);
  std::cout << "\n"
            << size.configurations << " configurations x " << study.problems() << " problems (" << study.options.size()
            << " workloads x " << study.objectives.size() << " objectives): " << size.runs << " runs, at most "
            << size.evaluations << " evaluations; the agents take some " << short_time(agents) << " on " << threads
            << " threads\n";
  if (truth_points > 0) {
    std::cout << "before that, the truth: all " << study.space.size() << " points of '" << study.space.name() << "' on "
              << study.options.size() << " workloads, in some " << short_time(simulating)
              << ", unless its store is complete already\n";
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

// ---- running ------------------------------------------------------------------------------------------------------------

std::string optimum_design(const PreparedStudy& study, const TruthTable& table, const Ranking& ranking) {
  std::vector<Gene> genes(study.space.dimensions());
  Design design(study.space.dimensions());
  study.space.genes_of(table.first_point(ranking.best_group()), genes);
  study.space.design_of(genes, design);
  return format_design(study.environment, design);
}

// The tables of a study and its problems ranked by them: (workload, objective).
struct Truth {
  std::vector<TruthTable> tables;
  std::vector<Ranking> rankings, reported;
};

std::unique_ptr<Truth> make_truth(const PreparedStudy& study, const Arguments& arguments) {
  Arguments sweeping = study.effective;
  sweeping.positional = {study.environment.name()};
  sweeping.values["all"] = {"true"};
  sweeping.given["all"] = true;
  sweeping.values["keep"] = {"all"};
  sweeping.values["seed"] = {"1"};  // nothing is drawn: the truth is the same for any seed of the searches
  sweeping.values["out"] = {truth_path(arguments)};
  sweeping.given["out"] = true;
  for (const char* option : {"sample", "top", "keep", "objective"}) sweeping.given[option] = false;
  const SweepReport report = sweep(sweeping);
  if (report.requested > 0) {
    std::cerr << "exarch: the truth took " << report.simulated << " simulations and " << short_time(report.seconds)
              << "; it is in " << truth_path(arguments) << "\n";
  }
  const OpenedStore opened = open_store(truth_path(arguments));
  auto truth = std::make_unique<Truth>();
  truth->tables.reserve(opened.workloads.size());  // rankings point at them
  for (std::uint32_t w = 0; w < opened.workloads.size(); ++w) {
    // A table refers to its space: the study's, which outlives the store's.
    truth->tables.push_back(truth_of(opened, w, study.space));
    for (const Objective& objective : study.objectives) {
      truth->rankings.emplace_back(truth->tables.back(), objective);
      if (!truth->rankings.back().feasible()) {
        throw Error(opened.workloads[w]->name + ": no design is feasible by " + objective.text());
      }
    }
    for (const Objective& objective : study.reported) truth->reported.emplace_back(truth->tables.back(), objective);
  }
  return truth;
}

std::vector<StoredConfiguration> stored_configurations(const StudyPlan& plan) {
  std::vector<StoredConfiguration> stored;
  for (const Configuration& c : plan.configurations()) {
    const AgentGrid& grid = plan.agents[c.grid];
    stored.push_back({grid.label, grid.agent, c.population, c.generations, c.evaluations, grid.seeds, Json(c.parameters).dump()});
  }
  return stored;
}

Identity identity_of(const PreparedStudy& study, const std::vector<std::shared_ptr<const Workload>>& workloads) {
  return {{"command", "study"},
          {"environment", study.environment.name()},
          {"model", study.environment.model_version()},
          {"space", study.space.to_json()},
          {"workloads", workloads_json(study.options)},
          {"workload content", workload_content(workloads)},
          {"objectives", text_of(study.objectives)},
          {"reported as", text_of(study.reported)},
          {"costs", study.plan.truth ? "truth" : "simulation"},
          {"plan", study.plan.canonical()}};
}

void take_times(const PreparedStudy& study, StudyStore& store, const std::vector<std::shared_ptr<const Workload>>& workloads,
                Backend& backend) {
  const std::vector<Configuration> configurations = study.plan.configurations();
  const auto problems = static_cast<std::uint32_t>(study.problems());
  Progress progress("times taken", configurations.size() * problems);
  for (std::uint32_t c = 0; c < configurations.size(); ++c) {
    for (std::uint32_t p = 0; p < problems; ++p) {
      progress.update(std::uint64_t{c} * problems + p);
      if (store.clock(c, p)) continue;
      const auto& workload = workloads[p / study.objectives.size()];
      SimulatedCosts costs(study.environment, study.space, std::span(&workload, 1),
                           {{0, study.objectives[p % study.objectives.size()]}}, backend,
                           {.engine = Engine::fast, .share = true});
      const SearchSpec search = study.plan.searches(configurations[c], 0).front();
      const StoredClock clock = measure_clock(study.space, search, costs, study.plan.seconds.back());
      store.file().transaction([&] { store.add_clock(c, p, clock); });
    }
  }
}

void carry_out(const PreparedStudy& study, const Arguments& arguments) {
  const StudyPlan& plan = study.plan;
  const StudySize size = size_of(plan, study.problems());
  std::cerr << "exarch: " << plan.name << ": " << size.runs << " runs, at most " << size.evaluations
            << " evaluations (--dry-run says more)\n";
  std::vector<std::shared_ptr<const Workload>> workloads;
  for (const WorkloadOptions& one : study.options) workloads.push_back(load(study.environment, one));
  std::unique_ptr<Truth> truth;
  std::unique_ptr<SimulatedCosts> simulated;
  Backend backend = make_backend(arguments);
  std::unique_ptr<StudyCosts> costs;
  std::vector<StoredProblem> problems;
  if (plan.truth) truth = make_truth(study, arguments);
  std::vector<SimulatedCosts::Problem> priced;
  for (std::size_t w = 0; w < workloads.size(); ++w) {
    for (std::size_t o = 0; o < study.objectives.size(); ++o) {
      priced.push_back({w, study.objectives[o]});
      StoredProblem& problem = problems.emplace_back(
          StoredProblem{workloads[w]->name, plan.objectives[o], plan.reported_as.empty() ? "" : plan.reported_as[o]});
      if (truth == nullptr) continue;
      const std::size_t p = problems.size() - 1;
      problem.exact = true;
      problem.optimum = truth->rankings[p].optimum();
      problem.best_design = optimum_design(study, truth->tables[w], truth->rankings[p]);
      if (!study.reported.empty() && truth->reported[p].feasible()) problem.reported_optimum = truth->reported[p].optimum();
    }
  }
  if (truth != nullptr) {
    costs = std::make_unique<TableCosts>(study.space, truth->rankings, truth->reported, backend.pool());
  } else {
    for (std::size_t w = 0; w < workloads.size(); ++w) {
      for (const Objective& objective : study.reported) priced.push_back({w, objective});
    }
    simulated = std::make_unique<SimulatedCosts>(study.environment, study.space, workloads, priced, backend,
                                                 evaluator_options(arguments));
    costs = std::make_unique<LiveCosts>(study.space, *simulated, study.problems());
  }
  StudyStore store(arguments.text("out"), identity_of(study, workloads), stored_configurations(plan), problems);
  const auto start = std::chrono::steady_clock::now();
  const std::uint64_t before = evaluations_done(plan, store);
  store.file().note("name", plan.name);
  store.file().note("doc", plan.doc);
  store.file().note("exarch", exarch_version());
  if (!store.file().resumed()) store.file().note("backend", backend.description());  // where times are taken
  if (before > 0) std::cerr << "exarch: continuing; " << store.cell_count() << " of " << size.cells << " cells are there\n";
  {
    Progress progress("evaluations", size.evaluations, before);
    run_study(plan, store, *costs, [&](std::uint64_t done) { progress.update(done); });
  }
  if (!plan.seconds.empty()) take_times(study, store, workloads, backend);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::cerr << "exarch: " << size.runs << " runs of " << size.configurations << " configurations, in " << short_time(seconds)
            << "; the study is in " << arguments.text("out") << "\n";
}

// ---- showing ------------------------------------------------------------------------------------------------------------

Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(number_or_null(value));
  return list;
}

Json json_of(const BoxPlot& box) {
  return {{"minimum", box.minimum},
          {"low", box.low},
          {"lower_quartile", box.lower_quartile},
          {"median", box.median},
          {"upper_quartile", box.upper_quartile},
          {"high", box.high},
          {"maximum", box.maximum},
          {"mean", box.mean}};
}

Json json_of(const StoredConfiguration& c) {
  Json json{{"population", c.population}, {"evaluations", c.evaluations}};
  if (c.generations != 0) json["generations"] = c.generations;
  const Json parameters = Json::parse(c.parameters);
  for (const auto& [name, value] : parameters.items()) json[name] = value;
  return json;
}

Json json_of(const PopulationSummary& p) {
  Json json{{"population", p.population},
            {"runs", p.runs},
            {"median_regret", numbers(p.regret)},
            {"found", p.found},
            {"median_evaluations_to_optimum", number_or_null(p.evaluations_to_optimum)},
            {"median_generations_to_optimum", number_or_null(p.generations_to_optimum)}};
  if (p.regret_in_time.empty()) return json;
  json["median_regret_in_time"] = numbers(p.regret_in_time);
  json["median_seconds_to_optimum"] = number_or_null(p.seconds_to_optimum);
  json["evaluations_per_second"] = number_or_null(p.evaluations_per_second);
  return json;
}

Json json_of(const AgentOnProblem& result, const StudyStore& store) {
  Json json{
      {"score", json_of(result.score)},
      {"iqm", result.iqm},
      {"found", result.found},
      {"variance_between_configurations", number_or_null(result.between_configurations)},
      {"best", {{"configuration", json_of(store.configurations()[result.best_configuration])}, {"score", json_of(result.best)}}},
      {"worst",
       {{"configuration", json_of(store.configurations()[result.worst_configuration])}, {"score", json_of(result.worst)}}}};
  if (result.reported) json["reported"] = json_of(*result.reported);
  json["curve"] = Json::array();
  for (const auto& at : result.curve) {
    json["curve"].push_back({{"lower_quartile", number_or_null(at.lower_quartile)},
                             {"median", number_or_null(at.median)},
                             {"upper_quartile", number_or_null(at.upper_quartile)},
                             {"iqm", number_or_null(at.iqm)},
                             {"runs", at.runs}});
  }
  if (!result.populations.empty()) {
    json["populations"] = Json::array();
    for (const PopulationSummary& population : result.populations) json["populations"].push_back(json_of(population));
  }
  return json;
}

std::string note_of(const StudyStore& store, const std::string& key) {
  for (const auto& [name, value] : store.file().notes()) {
    if (name == key) return value;
  }
  return "";
}

std::string digits(double number, int significant = 3) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*g", significant, number);
  return text;
}

std::string or_dash(const Json& value, double scale = 1) {
  return value.is_null() ? "-" : digits(scale * value.get<double>());
}

// An agent's interquartile mean at a checkpoint, the mean over problems; "-" without runs of that length.
std::string at_budget(const Json& agent, std::size_t checkpoint) {
  double sum = 0;
  for (const Json& result : agent["problems"]) {
    const Json& iqm = result["curve"][checkpoint]["iqm"];
    if (iqm.is_null()) return "-";
    sum += iqm.get<double>();
  }
  return digits(sum / static_cast<double>(agent["problems"].size()));
}

void print_agents(const Json& json) {
  std::vector<std::vector<std::string>> rows{
      {"agent", "configurations", "seeds", "IQM", "95 %", "wins by best %", "wins by median %"}};
  std::vector<std::size_t> budgets;
  for (std::size_t k = 0; k < json["checkpoints"].size(); ++k) {
    for (const std::uint64_t budget : {100u, 1000u, 10000u, 100000u}) {
      if (json["checkpoints"][k] == budget) budgets.push_back(k);
    }
  }
  for (const std::size_t k : budgets) rows[0].push_back("mean IQM at " + json["checkpoints"][k].dump());
  for (const Json& agent : json["agents"]) {
    rows.push_back({agent["label"], std::to_string(agent["configurations"].get<std::uint64_t>()),
                    std::to_string(agent["seeds"].get<std::uint64_t>()), digits(agent["iqm"]["mean"].get<double>()),
                    digits(agent["iqm"]["low"].get<double>()) + " - " + digits(agent["iqm"]["high"].get<double>()),
                    digits(100 * agent["wins_by_best"].get<double>()), digits(100 * agent["wins_by_median"].get<double>())});
    for (const std::size_t k : budgets) rows.back().push_back(at_budget(agent, k));
  }
  print_table(rows);
}

void print_scores(const Json& json) {
  std::vector<std::vector<std::string>> rows{
      {"workload", "objective", "agent", "median", "quartiles", "IQM", "found %", "by settings %", "best settings"}};
  const bool with_reported = !json["problems"][0]["reported_as"].get<std::string>().empty();
  if (with_reported) rows[0].insert(rows[0].begin() + 8, "reported: median");
  for (std::size_t p = 0; p < json["problems"].size(); ++p) {
    for (const Json& agent : json["agents"]) {
      const Json& result = agent["problems"][p];
      const Json& score = result["score"];
      std::string settings;
      for (const auto& [name, value] : result["best"]["configuration"].items()) {
        settings += (settings.empty() ? "" : " ") + name + "=" + (value.is_string() ? value.get<std::string>() : value.dump());
      }
      rows.push_back({json["problems"][p]["workload"], json["problems"][p]["objective"], agent["label"],
                      digits(score["median"].get<double>()),
                      digits(score["lower_quartile"].get<double>()) + " - " + digits(score["upper_quartile"].get<double>()),
                      digits(result["iqm"].get<double>()), digits(100 * result["found"].get<double>()),
                      or_dash(result["variance_between_configurations"], 100), settings});
      if (with_reported) rows.back().insert(rows.back().begin() + 8, digits(result["reported"]["median"].get<double>()));
    }
  }
  print_table(rows);
}

// Median regret by population, at the last checkpoints and at the plan's times.
void print_populations(const Json& json) {
  std::vector<std::vector<std::string>> rows{
      {"workload", "objective", "agent", "population", "found %", "evaluations to optimum", "generations to it"}};
  const Json& checkpoints = json["checkpoints"];
  const std::size_t first = checkpoints.size() - std::min<std::size_t>(4, checkpoints.size());
  for (std::size_t k = first; k < checkpoints.size(); ++k) rows[0].push_back("regret % at " + checkpoints[k].dump());
  for (const Json& second : json["seconds"]) rows[0].push_back("in " + digits(second.get<double>()) + " s");
  if (!json["seconds"].empty()) rows[0].emplace_back("evaluations/s");
  for (std::size_t p = 0; p < json["problems"].size(); ++p) {
    for (const Json& agent : json["agents"]) {
      // Where other settings vary too, reports show it.
      if (!agent["problems"][p].contains("populations") ||
          agent["problems"][p]["populations"].size() != agent["configurations"].get<std::size_t>()) {
        continue;
      }
      for (const Json& population : agent["problems"][p]["populations"]) {
        std::vector<std::string> row{json["problems"][p]["workload"],
                                     json["problems"][p]["objective"],
                                     agent["label"],
                                     population["population"].dump(),
                                     digits(100 * population["found"].get<double>()),
                                     or_dash(population["median_evaluations_to_optimum"]),
                                     or_dash(population["median_generations_to_optimum"])};
        for (std::size_t k = first; k < checkpoints.size(); ++k) row.push_back(or_dash(population["median_regret"][k], 100));
        for (std::size_t s = 0; s < json["seconds"].size(); ++s)
          row.push_back(or_dash(population["median_regret_in_time"][s], 100));
        if (!json["seconds"].empty()) row.push_back(or_dash(population["evaluations_per_second"]));
        rows.push_back(row);
      }
    }
  }
  if (rows.size() == 1) return;
  std::cout << "\n";
  print_table(rows);
}

int show(const std::string& path, const Arguments& arguments) {
  const Json json = study_json(StudyStore(path));
  if (arguments.flag("json")) {
    std::cout << json.dump(2) << "\n";
    return 0;
  }
  print_agents(json);
  std::cout << "\n";
  print_scores(json);
  print_populations(json);
  return 0;
}

}  // namespace

std::vector<std::string> shipped_plans() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name.ends_with(".toml")) names.emplace_back(file.name.substr(0, file.name.size() - 5));
  }
  return names;
}

Json study_json(const StudyStore& store) {
  const Json plan = Json::parse(store.file().identity_value("plan"));
  const auto seconds = plan["seconds"].get<std::vector<double>>();
  const StudySummary summary = summarise(store, seconds);
  Json json{{"study",
             {{"name", note_of(store, "name")},
              {"doc", note_of(store, "doc")},
              {"environment", store.file().identity_value("environment")},
              {"model", store.file().identity_value("model")},
              {"space", Json::parse(store.file().identity_value("space"))["name"]},
              {"costs", store.file().identity_value("costs")},
              {"first_seed", plan["first_seed"]},
              {"workload_content", store.file().identity_value("workload content")},
              {"exarch", note_of(store, "exarch")},
              {"backend", note_of(store, "backend")}}},
            {"checkpoints", summary.checkpoints},
            {"seconds", seconds},
            {"thresholds", summary.thresholds},
            {"problems", Json::array()},
            {"agents", Json::array()}};
  for (std::size_t p = 0; p < summary.problems.size(); ++p) {
    const StoredProblem& stored = store.problems()[p];
    const StudySummary::Problem& problem = summary.problems[p];
    json["problems"].push_back({{"workload", stored.workload},
                                {"objective", stored.objective},
                                {"reported_as", stored.reported_as},
                                {"exact", stored.exact},
                                {"optimum_cost", problem.optimum},
                                {"best_seen_cost", problem.best_seen},
                                {"best_seen_score", problem.best_score},
                                {"best_design", stored.best_design}});
  }
  for (const AgentSummary& agent : summary.agents) {
    Json entry{{"label", agent.label},
               {"agent", agent.agent},
               {"configurations", agent.configurations},
               {"seeds", agent.seeds},
               {"runs", agent.runs},
               {"evaluations", agent.evaluations},
               {"iqm", {{"mean", agent.iqm.mean}, {"low", agent.iqm.interval.low}, {"high", agent.iqm.interval.high}}},
               {"profile", agent.profile},
               {"improvement", agent.improvement},
               {"wins_by_best", agent.wins_by_best},
               {"wins_by_median", agent.wins_by_median},
               {"problems", Json::array()}};
    for (const AgentOnProblem& result : agent.problems) entry["problems"].push_back(json_of(result, store));
    json["agents"].push_back(std::move(entry));
  }
  return json;
}

int study_plan(const Arguments& arguments) {
  const std::string& name = arguments.positional[0];
  if (is_store_of(name, StoreKind::study)) return show(name, arguments);
  const PreparedStudy study(arguments);
  if (arguments.flag("dry-run")) return dry_run(study, arguments);
  const std::string& out = arguments.text("out");
  if (out.empty()) throw UsageError("study " + name + " needs --out FILE.db, or --dry-run");
  // What is wrong with the command must not be found after the truth.
  (void)evaluator_options(arguments);
  if (!study.plan.truth && arguments.has("truth"))
    throw UsageError("--truth has no meaning for a study whose costs are simulated");
  if (study.plan.truth && truth_path(arguments) == out) throw UsageError("--truth and --out are the same file");
  if (is_store_of(out, StoreKind::run)) throw Error(out + ": a run store, where a study's store is needed; choose another file");
  carry_out(study, arguments);
  return show(arguments.text("out"), arguments);
}

}  // namespace exarch::cli
