#include <map>

#include "agents/agent.hpp"
#include "host/error.hpp"
#include "host/run/inputs.hpp"
#include "host/run/search.hpp"
#include "host/run/shortlist.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/search_show.hpp"
#include "tools/exarch/simulation_files.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

std::map<std::string, std::string> agent_parameters(const Arguments& arguments) {
  std::map<std::string, std::string> parameters, seen;
  for (const std::string& assignment : arguments.all("set-agent")) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos) throw UsageError("--set-agent " + assignment + ": expected key=value");
    refuse_repeated("--set-agent", assignment, seen);
    parameters[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }
  return parameters;
}

SearchSpec given_search(const Arguments& arguments) {
  const Environment& environment = find_environment(arguments.positional[0]);
  SearchSpec spec(given_problem(environment, arguments));
  spec.problem.objectives = parse_objectives(environment, arguments.text("objective"));
  spec.problem.workloads = given_workloads(environment, arguments);
  spec.top = arguments.number("top", 1, 1000);
  if (const std::size_t objectives = spec.problem.objectives.size(); objectives > Shortlist::kMaxTradeoffs) {
    throw UsageError("--objective names " + std::to_string(objectives) + " objectives; there may be up to " +
                     std::to_string(Shortlist::kMaxTradeoffs));
  }
  if (spec.problem.workloads.size() != 1) throw UsageError("search takes one workload; run one search for each");
  if (!arguments.has("out")) throw UsageError("no --out FILE.db given for the run store");
  spec.agent = arguments.text("agent");
  spec.agent_parameters = agent_parameters(arguments);
  spec.population = arguments.number("population", 2, 1'000'000);
  spec.generations = static_cast<std::uint32_t>(arguments.number("generations", 1, 10'000'000));
  spec.seed = arguments.seed();
  spec.evaluation = evaluator_options(arguments);
  spec.baseline = given_design(environment, arguments);
  return spec;
}

std::string agent_names() {
  std::string names;
  for (const AgentInfo& agent : agent_table()) names += (names.empty() ? "" : ", ") + agent.name;
  return names;
}

std::string agent_help() {
  std::string text;
  for (const AgentInfo& agent : agent_table()) {
    text += "  " + agent.name + ": " + agent.doc + "\n";
    for (const HyperparameterInfo& h : agent.hyperparameters) {
      text += "      " + h.name + " = " + h.default_value + "  (" + h.range + ") " + h.doc + "\n";
    }
  }
  return text;
}

int search_verb(const Arguments& arguments) {
  const SearchSpec spec = given_search(arguments);
  TerminalObserver terminal;
  const SearchReport report = run_search(spec, make_executor(arguments), arguments.text("out"), terminal);
  show_search(spec, report, arguments);
  if (!report.best.empty()) return 0;
  say("no feasible design was found in " + arguments.text("out") + "; loosen the constraints, or search on (more --generations)");
  return 1;
}

}  // namespace

const Verb kSearchVerb{
    .name = "search",
    .synopsis =
        "ENVIRONMENT WORKLOAD --out FILE.db [--agent NAME[:VARIANT]] [--population N] [--generations N] [--objective EXPR]",
    .doc = "Lets an agent search a design space; continues where it stopped.",
    .options = std::vector<OptionSpec>{{"space", "NAME|FILE",
                                        "a shipped space or a space file (.json); default: the environment's first"},
                                       fixing_option(),
                                       {"agent", "NAME[:VARIANT]", agent_names(), "ga"},
                                       {"set-agent", "key=value", "sets a hyperparameter of the agent; repeatable", "", true},
                                       {"population", "N", "candidates per generation", "1024"},
                                       {"generations", "N", "generations", "50"},
                                       {"objective", "EXPR",
                                        "a preset (see exarch envs) or an expression, e.g. 'min:total_energy_pj, "
                                        "average_power_mw<=1500'; several, for nsga2, "
                                        "separated by semicolons"},
                                       {"top", "N", "designs to show at the end", "5"},
                                       {"out", "FILE", "run store (SQLite)"}} +
               evaluation_options() + simulation_options(),
    .takes_workloads = true,
    .simulates = true,
    .draws = true,
    .json = "what was requested and simulated, where the time went, the default design and the best ones",
    .min_positional = 1,
    .max_positional = 1,
    .examples =
        "  exarch search dram --trace cloud-1 --agent ga --population 1024 --generations 50 --objective latency --seed 1 --out "
        "run.db\n"
        "  exarch search dram --trace random --objective archgym-both --agent random --generations 10 --out rw.db\n"
        "  exarch search dram --trace random --objective archgym-both --agent aco:archgym --population 16 --generations 17 --out "
        "aco.db\n"
        "  exarch search dram --trace cloud-1 --agent nsga2 --objective 'latency; power; energy' --population 200 --out "
        "front.db\n"
        "  exarch search maestro --model resnet18 --space codesign --set num_pes=168 --objective edp --out pes.db\n"
        "\nAgents:\n" +
        agent_help(),
    .run = search_verb};

}  // namespace exarch::cli
