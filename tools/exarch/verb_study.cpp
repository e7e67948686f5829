#include <algorithm>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/study_measures.hpp"
#include "tools/exarch/study_plan.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

int study_verb(const Arguments& arguments) {
  const std::string& study = arguments.positional[0];
  const bool by_plan = study.ends_with(".toml") || is_store_of(study, StoreKind::study);
  const std::vector<std::string> shipped = shipped_plans();
  if (by_plan || std::ranges::find(shipped, study) != shipped.end()) {
    if (arguments.positional.size() > 1)
      throw UsageError("study " + study + ": one argument too many, '" + arguments.positional[1] + "'");
    allow_for_study(arguments, "study " + study,
                    {"out", "truth", "compat", "dry-run", "seeds", "space", "objective", "engine", "no-share"}, true);
    if (is_store_of(study, StoreKind::study)) allow_for_study(arguments, "showing a study", {});
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
        evaluation_options(),
    .takes_workloads = true,
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
    .run = study_verb};

}  // namespace exarch::cli
