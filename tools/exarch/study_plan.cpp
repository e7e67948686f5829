#include "tools/exarch/study_plan.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/file_kind.hpp"
#include "host/files/text.hpp"
#include "host/run/study.hpp"
#include "tools/exarch/embedded.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

StudyPlan read_plan(const std::string& name) {
  if (name.ends_with(".toml")) {
    const std::string expected = "a study plan";
    return named_if_foreign(name, {FileKind::plan}, expected,
                            [&] { return StudyPlan::from_toml(read_text(name, expected), name); });
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
  if (arguments.has("space")) {
    plan.space = arguments.text("space");
    plan.places.erase("space");
  }
  if (arguments.has("objective")) {
    plan.objectives = arguments.all("objective");
    plan.reported_as.clear();
    plan.places.erase("objectives");
  }
  // A plan of an unknown environment is refused as a whole, in a moment.
  const auto known = environments();
  if (std::ranges::none_of(known, [&](const Environment* e) { return e->name() == plan.environment; })) return plan;
  for (const auto& [name, value] : given_options(find_environment(plan.environment), arguments)) {
    plan.workload[name] = value;
    plan.places.erase("workload." + name);
  }
  return plan;
}

// The store of the truth: --truth, or beside --out.
std::string truth_path(const Arguments& arguments) {
  if (arguments.has("truth")) return arguments.text("truth");
  std::filesystem::path out = arguments.text("out");
  return out.replace_extension(".truth.db").string();
}

// Says what the study would take, and runs nothing but samples.
int dry_run(const StudySpec& spec, const Arguments& arguments) {
  const StudyPlan& plan = spec.plan;
  const std::shared_ptr<Executor> executor = make_executor(arguments);
  TerminalObserver terminal;
  const StudyEstimate estimate = estimate_study(spec, executor, terminal);
  const StudySize& size = estimate.size;
  Json json{{"study", plan.name},
            {"configurations", size.configurations},
            {"problems", spec.problems()},
            {"runs", size.runs},
            {"evaluations", size.evaluations},
            {"truth_points", estimate.truth_points},
            {"costs", plan.truth ? "truth" : "simulation"},
            {"expected_agent_seconds", estimate.agent_seconds},
            {plan.truth ? "expected_truth_seconds" : "most_simulation_seconds", estimate.simulation_seconds}};
  std::vector<std::vector<std::string>> rows{{"agent", "configurations", "seeds", "runs", "evaluations"}};
  for (std::size_t a = 0; a < plan.agents.size(); ++a) {
    const AgentGrid& grid = plan.agents[a];
    const StudySize& of_grid = estimate.agents[a];
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
            << size.configurations << " configurations x " << spec.problems() << " problems (" << spec.problem.workloads.size()
            << " workloads x " << spec.problem.objectives.size() << " objectives): " << size.runs << " runs, at most "
            << size.evaluations << " evaluations; the agents take some " << short_time(estimate.agent_seconds) << " on "
            << executor->pool().threads() << " threads\n";
  if (estimate.truth_points > 0) {
    std::cout << "before that, the truth: all " << spec.problem.space.size() << " points of '" << spec.problem.space.name()
              << "' on " << spec.problem.workloads.size() << " workloads, in some " << short_time(estimate.simulation_seconds)
              << "\n";
  }
  if (!plan.truth) {
    std::cout << "and the simulations, one for every design, or class of equal ones, that any search is first to ask: at most "
              << short_time(estimate.simulation_seconds) << "\n";
  }
  if (!plan.seconds.empty()) {
    std::cout << "and at most " << short_time(plan.seconds.back() * static_cast<double>(size.cells))
              << " to take times, one search of each configuration and problem\n";
  }
  return 0;
}

void carry_out(const StudySpec& spec, const Arguments& arguments) {
  const StudyPlan& plan = spec.plan;
  const StudySize size = size_of(plan, spec.problems());
  say(plan.name + ": " + std::to_string(size.runs) + " runs, at most " + std::to_string(size.evaluations) +
      " evaluations (--dry-run says more)");
  TerminalObserver terminal;
  const StudyReport report = run_study(spec, make_executor(arguments), arguments.text("out"), terminal);
  say(std::to_string(size.runs) + " runs of " + std::to_string(size.configurations) + " configurations, in " +
      short_time(report.seconds) + "; the study is in " + arguments.text("out"));
  std::string times;
  for (std::size_t a = 0; a < report.agent_seconds.size(); ++a) {
    if (report.agent_seconds[a] <= 0) continue;
    times += (times.empty() ? "" : ", ") + plan.agents[a].label + " " + short_time(report.agent_seconds[a]);
  }
  if (plan.agents.size() > 1 && !times.empty()) say("of that by agent: " + times);
}

}  // namespace

std::vector<std::string> shipped_plans() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name.ends_with(".toml")) names.emplace_back(file.name.substr(0, file.name.size() - 5));
  }
  return names;
}

int study_plan(const Arguments& arguments) {
  const std::string& name = arguments.positional[0];
  if (is_store_of(name, StoreKind::study)) return show_study(name, arguments);
  StudySpec spec = resolve_study(plan_of(arguments));
  const bool named = arguments.has("truth") || !arguments.text("out").empty();
  if (spec.plan.truth && named) spec.truth = truth_path(arguments);
  if (arguments.flag("dry-run")) {
    spec.evaluation = evaluator_options(arguments);
    return dry_run(spec, arguments);
  }
  const std::string& out = arguments.text("out");
  if (out.empty()) throw UsageError("study " + name + " needs --out FILE.db, or --dry-run");
  // What is wrong with the command must not be found after the truth.
  spec.evaluation = evaluator_options(arguments);
  if (!spec.plan.truth && arguments.has("truth"))
    throw UsageError("--truth has no meaning for a study whose costs are simulated");
  const auto file = [](const std::string& path) { return std::filesystem::weakly_canonical(std::filesystem::absolute(path)); };
  if (spec.plan.truth && file(spec.truth) == file(out)) throw UsageError("--truth and --out are the same file");
  carry_out(spec, arguments);
  return show_study(arguments.text("out"), arguments);
}

}  // namespace exarch::cli
