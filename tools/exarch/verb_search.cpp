#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "agents/agent.hpp"
#include "host/batch/shortlist.hpp"
#include "host/error.hpp"
#include "tools/exarch/common.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/verdict.hpp"

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

Identity identity_of(const Environment& environment, const DesignSpace& space, const Arguments& arguments,
                     const std::vector<WorkloadOptions>& options, const std::shared_ptr<const Workload>& workload,
                     const std::vector<Objective>& objectives) {
  return {{"command", "search"},
          {"environment", environment.name()},
          {"model", environment.model_version()},
          {"space", space.to_json()},
          {"workloads", workloads_json(options)},
          {"workload content", workload_content({workload})},
          {"agent", arguments.text("agent")},
          {"agent parameters", nlohmann::json(agent_parameters(arguments)).dump()},
          {"population", std::to_string(arguments.number("population", 2, 1'000'000))},
          {"objective", text_of(objectives)},
          {"seed", std::to_string(arguments.seed())},
          {"engine", arguments.text("engine")},
          {"sharing", arguments.flag("no-share") ? "off" : "on"}};
}

struct Best {
  double cost;
  Design design;
  Evaluator::OutcomeId outcome;
};

// The design that breaks a constraint least, and by how much; 0: some design meets it.
struct Closest {
  double excess;
  Design design;
};

// The best designs so far, distinct in outcome, best first.
class Leaders {
 public:
  explicit Leaders(std::size_t capacity) : capacity_(capacity) {}

  void offer(double cost, std::span<const std::int64_t> design, Evaluator::OutcomeId outcome) {
    if (!std::isfinite(cost) || (best_.size() == capacity_ && cost >= best_.back().cost)) return;
    // Designs may share an outcome and yet differ in price.
    const auto known = std::ranges::find(best_, outcome, &Best::outcome);
    if (known != best_.end()) {
      if (known->cost <= cost) return;
      best_.erase(known);
    }
    const auto place = std::ranges::upper_bound(best_, cost, {}, &Best::cost);
    best_.insert(place, {cost, {design.begin(), design.end()}, outcome});
    if (best_.size() > capacity_) best_.pop_back();
  }
  [[nodiscard]] const std::vector<Best>& best() const { return best_; }

 private:
  std::size_t capacity_;
  std::vector<Best> best_;
};

class Search {
 public:
  Search(const Environment& environment, const Arguments& arguments)
      : environment_(environment),
        arguments_(arguments),
        space_(given_space(environment, arguments)),
        objectives_(parse_objectives(environment, arguments.text("objective"))),
        backend_(make_backend(arguments)),
        options_(given_workloads(environment, arguments)),
        leaders_(std::max<std::size_t>(1, arguments.number("top", 1, 1000))),
        front_(0, check_objectives(objectives_.size())),
        sanity_(environment) {
    if (options_.size() != 1) throw UsageError("search takes one workload; run one search for each");
    if (!arguments.has("out")) throw UsageError("no --out FILE.db given for the run store");
    generations_ = static_cast<std::uint32_t>(arguments.number("generations", 1, 10'000'000));
    AgentOptions agent{arguments.seed(), arguments.number("population", 2, 1'000'000), agent_parameters(arguments),
                       objectives_.size()};
    agent_ = make_agent(arguments.text("agent"), space_, agent);
    const auto workload = load(environment, options_[0]);
    evaluator_ = std::make_unique<Evaluator>(environment, workload, backend_, evaluator_options(arguments));
    signals_.emplace();
    store_ = std::make_unique<RunStore>(arguments.text("out"),
                                        identity_of(environment, space_, arguments, options_, workload, objectives_),
                                        store_layout(environment), origin_notes(backend_));
    writer_ = std::make_unique<StoreWriter>(*store_, 0, *evaluator_);
  }

  int run() {
    if (store_->resumed()) resume();
    const auto start = std::chrono::steady_clock::now();
    resumable(arguments_.text("out"), [&] {
      Progress progress("generations", generations_, next_);
      for (; next_ < generations_; ++next_) {
        if (!generation()) break;
        const auto& best = leaders_.best();
        progress.update(next_ + 1, best.empty() ? "no feasible design yet" : "best " + value_text(best.front()));
      }
    });
    store_->finish();
    report(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    if (!found().empty()) return 0;
    say("no feasible design was found in " + arguments_.text("out") +
        "; loosen the constraints, or search on (more --generations)");
    return 1;
  }

 private:
  // The number of trade-offs that a front over so many objectives weighs.
  static std::size_t check_objectives(std::size_t objectives) {
    if (objectives > Shortlist::kMaxTradeoffs) {
      throw UsageError("--objective names " + std::to_string(objectives) + " objectives; there may be up to " +
                       std::to_string(Shortlist::kMaxTradeoffs));
    }
    return objectives == 1 ? 0 : objectives;
  }

  // Prices a generation, offers its designs to the leaders and returns the costs: (candidate, objective).
  std::vector<double> judge(const GeneBatch& batch, std::span<const Evaluator::OutcomeId> ids,
                            std::span<const std::int64_t> designs) {
    const std::size_t parameters = space_.dimensions();
    const std::size_t objectives = objectives_.size();
    std::vector<double> costs(batch.candidates() * objectives);
    std::vector<double> metrics(environment_.metrics().size());
    for (std::size_t c = 0; c < batch.candidates(); ++c) {
      const auto design = designs.subspan(c * parameters, parameters);
      const auto its = std::span(costs).subspan(c * objectives, objectives);
      evaluator_->price(ids[c], design, metrics);
      for (std::size_t k = 0; k < objectives; ++k) {
        its[k] = objectives_[k].score(metrics, evaluator_->status(ids[c]) == 0).cost;
      }
      tally(evaluator_->status(ids[c]), design, metrics, its);
      // Infeasible in one respect is infeasible.
      if (!std::ranges::all_of(its, [](double cost) { return std::isfinite(cost); })) continue;
      leaders_.offer(its[0], design, ids[c]);
      if (objectives > 1) {
        front_.offer(space_.point_of(batch.row(c)), ids[c], its[0], its);
      }
    }
    (void)front_.settle(rank::cpu_functions());
    return costs;
  }

  // Why candidates do not count, and how many results are not to be believed.
  void tally(std::uint8_t status, std::span<const std::int64_t> design, std::span<const double> metrics,
             std::span<const double> costs) {
    ++judged_;
    if (!std::ranges::all_of(costs, [](double cost) { return std::isfinite(cost); })) ++infeasible_;
    if (status != 0) {
      ++reasons_["status " + environment_.status_text(status)];
      return;
    }
    std::set<std::string> violated;
    for (const Objective& objective : objectives_) {
      for (std::size_t k = 0; k < objective.constraints().size(); ++k) {
        const std::string& constraint = objective.constraints()[k];
        if (!objective.meets(k, metrics)) violated.insert("violates " + constraint);
        come_closer(constraint, objective.excess(k, metrics), design);
      }
    }
    for (std::size_t k = 0; k < sanity_.size(); ++k) {
      if (sanity_.holds(k, metrics) || violated.contains("violates " + sanity_.text(k))) continue;
      violated.insert("counted though it violates " + sanity_.text(k));
    }
    for (const std::string& text : violated) ++reasons_[text];
  }

  // Keeps the design that breaks a constraint least; one that meets it ends the matter.
  void come_closer(const std::string& constraint, double excess, std::span<const std::int64_t> design) {
    const auto known = closest_.find(constraint);
    if (known != closest_.end() && known->second.excess <= excess) return;
    closest_[constraint] = {excess, {design.begin(), design.end()}};
  }

  std::string reasons_text() const {
    std::string text;
    for (const auto& [reason, count] : reasons_) {
      text += (text.empty() ? "" : ", ") + reason + " " + with_commas(count) + percent_of_judged(count);
    }
    return text;
  }

  std::string percent_of_judged(std::uint64_t count) const {
    char text[32];
    std::snprintf(text, sizeof text, " (%.3g %%)", 100 * static_cast<double>(count) / static_cast<double>(judged_));
    return text;
  }

  std::vector<std::int64_t> designs_of(const GeneBatch& batch) const {
    std::vector<std::int64_t> designs(batch.genes.size());
    for (std::size_t c = 0; c < batch.candidates(); ++c) {
      space_.design_of(batch.row(c), std::span(designs).subspan(c * batch.dimensions, batch.dimensions));
    }
    return designs;
  }

  bool generation() {
    GeneBatch batch;
    const auto timed = [](double& seconds, auto&& step) {
      const auto start = std::chrono::steady_clock::now();
      step();
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    timed(agent_seconds_, [&] { agent_->ask(batch); });
    if (batch.candidates() == 0) return false;
    std::vector<Evaluator::OutcomeId> ids;
    std::vector<double> costs;
    timed(evaluation_seconds_, [&] {
      const std::vector<std::int64_t> designs = designs_of(batch);
      ids = evaluator_->evaluate(designs);
      costs = judge(batch, ids, designs);
    });
    timed(agent_seconds_, [&] { agent_->tell(batch, costs); });
    timed(store_seconds_, [&] { store(batch, ids, costs); });
    return true;
  }

  void store(const GeneBatch& batch, std::span<const Evaluator::OutcomeId> ids, const std::vector<double>& costs) {
    requested_ += batch.candidates();
    store_->transaction([&] {
      writer_->flush();
      StoredGeneration row{next_, batch.genes, {}, costs, requested_, evaluator_->simulated(), agent_->state()};
      for (const auto id : ids) row.results.push_back(writer_->result_of(id));
      store_->add_generation(row);
    });
  }

  void resume() {
    store_->for_each_result([&](ResultId id, const StoredResult& result) {
      writer_->preload(id, result);
      return true;
    });
    store_->for_each_generation([&](const StoredGeneration& stored) {
      check_generation(*store_, space_, objectives_.size(), stored);
      const GeneBatch batch{space_.dimensions(), stored.genes};
      // Results are numbered as the evaluator numbers its outcomes: one workload, preloaded in order.
      judge(batch, stored.results, designs_of(batch));
      return true;
    });
    if (const auto last = store_->last_generation()) {
      agent_->restore(last->agent_state);
      next_ = last->generation + 1;
      requested_ = last->requested;
    }
    if (next_ >= generations_) {
      say(arguments_.text("out") + " already holds " + std::to_string(next_) + " generations, --generations is " +
          std::to_string(generations_) + "; nothing is run");
    } else {
      say("continuing " + arguments_.text("out") + " after " + std::to_string(next_) + " generations");
    }
  }

  std::string value_text(const Best& best) const {
    std::string text;
    for (const double value : values_of(best)) {
      char number[64];
      std::snprintf(number, sizeof number, "%.6g", value);
      text += (text.empty() ? "" : " ") + std::string(number);
    }
    return text;
  }

  // By objective.
  std::vector<double> values_of(const Best& best) const {
    std::vector<double> metrics(environment_.metrics().size());
    evaluator_->price(best.outcome, best.design, metrics);
    std::vector<double> values;
    for (const Objective& objective : objectives_) {
      values.push_back(objective.score(metrics, evaluator_->status(best.outcome) == 0).value);
    }
    return values;
  }

  // The best designs; of several objectives, those on the front, by the first objective.
  std::vector<Best> found() const {
    if (objectives_.size() == 1) return leaders_.best();
    std::vector<Best> front;
    std::vector<Gene> genes(space_.dimensions());
    for (const Shortlist::Entry& entry : front_.entries()) {
      Design design(space_.dimensions());
      space_.genes_of(entry.point, genes);
      space_.design_of(genes, design);
      front.push_back({entry.cost, design, entry.outcome});
    }
    std::ranges::stable_sort(front, {}, &Best::cost);
    return front;
  }

  void report(double seconds) {
    const std::uint64_t simulated = evaluator_->simulated();  // without the default design, unless the agent asked for it
    const Design standard = given_design(environment_, arguments_);
    const auto standard_id = evaluator_->evaluate(standard)[0];
    std::vector<Best> shown{{0, standard, standard_id}};
    const std::vector<Best> best = found();
    // A front is shown from end to end, all of it in JSON.
    const std::size_t top = arguments_.number("top", 1, 1000);
    const std::size_t lines = objectives_.size() == 1 || arguments_.flag("json") ? best.size() : std::min(top, best.size());
    for (std::size_t i = 0; i < lines; ++i) shown.push_back(best[lines < 2 ? 0 : i * (best.size() - 1) / (lines - 1)]);
    if (arguments_.flag("json")) {
      print_json(shown, simulated, seconds);
      return;
    }
    std::cout << (objectives_.size() == 1 ? "objective " : "objectives ") << text_of(objectives_) << " on "
              << evaluator_->workload().name << ", agent " << arguments_.text("agent") << ", seed " << arguments_.seed()
              << "\n\n";
    print_designs(shown);
    if (const Verdict verdict = verdict_on(shown[0], true); !verdict.sound()) {
      std::cout << "\nthe default design " << (verdict.status == "ok" ? "counts, though it " : "is infeasible: ")
                << verdict.summary() << "\n";
      for (const std::string& why : verdict.why) std::cout << "  " << why << "\n";
    }
    if (best.empty()) print_closest();
    if (objectives_.size() > 1) std::cout << "\nthe Pareto front of what was seen has " << best.size() << " different results\n";
    if (!reasons_.empty()) {
      std::cout << "\ninfeasible: " << with_commas(infeasible_) << " of " << with_commas(judged_) << " candidates"
                << percent_of_judged(infeasible_) << "; " << reasons_text() << "\n";
    }
    std::cout << "\nrequested " << requested_ << " evaluations in " << next_ << " generations, simulated " << simulated
              << " runs, in " << short_time(seconds) << "; results in " << arguments_.text("out") << "\n";
  }

  // Whether a design that is shown counts.
  Verdict verdict_on(const Best& best, bool explained) const {
    std::vector<double> metrics(environment_.metrics().size());
    evaluator_->price(best.outcome, best.design, metrics);
    return verdict_of(environment_, evaluator_->workload(), objectives_, sanity_, evaluator_->status(best.outcome), best.design,
                      metrics, explained);
  }

  // Where nothing is feasible: of the constraints that no candidate met, how close one came.
  void print_closest() const {
    if (!closest_.empty()) std::cout << "\n";
    for (const auto& [constraint, closest] : closest_) {
      if (closest.excess == 0 || !std::isfinite(closest.excess)) continue;
      char excess[64];
      std::snprintf(excess, sizeof excess, "%.9g", closest.excess);
      std::cout << "closest to " << constraint << ", " << excess << " beyond it: " << format_design(environment_, closest.design)
                << "\n";
      for (const std::string& why : environment_.explain(evaluator_->workload(), closest.design, 0))
        std::cout << "  " << why << "\n";
    }
  }

  nlohmann::ordered_json closest_json() const {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const auto& [constraint, closest] : closest_) {
      if (closest.excess == 0 || !std::isfinite(closest.excess)) continue;
      json.push_back({{"constraint", constraint},
                      {"beyond", closest.excess},
                      {"design", format_design(environment_, closest.design)},
                      {"why", environment_.explain(evaluator_->workload(), closest.design, 0)}});
    }
    return json;
  }

  // The first of `shown` is the default design.
  void print_designs(const std::vector<Best>& shown) const {
    std::vector<double> metrics(environment_.metrics().size());
    const auto first_metrics = environment_.metrics().first(std::min(kShown, metrics.size()));
    std::vector<std::vector<std::string>> rows{{"", "objective"}};
    for (const MetricInfo& metric : first_metrics) rows[0].push_back(metric.name);
    rows[0].emplace_back("design");
    for (std::size_t i = 0; i < shown.size(); ++i) {
      // A failed run has a status in place of numbers.
      const Verdict verdict = verdict_on(shown[i], false);
      const bool failed = evaluator_->status(shown[i].outcome) != 0;
      rows.push_back(
          {i == 0 ? "default" : "#" + std::to_string(i), verdict.status == "ok" ? value_text(shown[i]) : verdict.status});
      evaluator_->price(shown[i].outcome, shown[i].design, metrics);
      for (std::size_t m = 0; m < first_metrics.size(); ++m) {
        rows.back().push_back(failed ? "" : format_metric(first_metrics[m], metrics[m]));
      }
      rows.back().push_back(format_design(environment_, shown[i].design));
    }
    print_table(rows);
  }

  void print_json(const std::vector<Best>& shown, std::uint64_t simulated, double seconds) const {
    nlohmann::ordered_json json{{"objective", text_of(objectives_)},
                                {"workload", evaluator_->workload().name},
                                {"agent", arguments_.text("agent")},
                                {"seed", arguments_.seed()},
                                {"generations", next_},
                                {"requested", requested_},
                                {"simulated", simulated},
                                {"infeasible", infeasible_},
                                {"reasons", reasons_},
                                {"seconds", seconds},
                                {"agent_seconds", agent_seconds_},
                                {"evaluation_seconds", evaluation_seconds_},
                                {"store_seconds", store_seconds_},
                                {"out", arguments_.text("out")},
                                {"warnings", evaluator_->workload().warnings}};
    std::vector<double> metrics(environment_.metrics().size());
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const Best& best = shown[i];
      const std::uint8_t status = evaluator_->status(best.outcome);
      evaluator_->price(best.outcome, best.design, metrics);
      const std::vector<double> values = values_of(best);
      nlohmann::ordered_json entry{
          {"objective", values.size() == 1 ? nlohmann::ordered_json(values[0]) : nlohmann::ordered_json(values)}};
      entry.update(result_json(environment_, best.design, status, metrics, evaluator_->counters(best.outcome)));
      const Verdict verdict = verdict_on(best, i == 0);
      entry["status"] = verdict.status;
      if (!verdict.violates.empty()) entry["violates"] = verdict.violates;
      if (!verdict.why.empty()) entry["why"] = verdict.why;
      if (i == 0) {
        json["default"] = entry;
        json["best"] = nlohmann::ordered_json::array();
      } else {
        json["best"].push_back(entry);
      }
    }
    if (shown.size() == 1) json["closest"] = closest_json();
    std::cout << json.dump(2) << "\n";
  }

  static constexpr std::size_t kShown = 4;  // metrics in the closing table

  const Environment& environment_;
  const Arguments& arguments_;
  DesignSpace space_;
  std::vector<Objective> objectives_;
  Backend backend_;
  std::vector<WorkloadOptions> options_;
  Leaders leaders_;
  Shortlist front_;  // of several objectives
  Sanity sanity_;
  std::uint32_t generations_ = 0, next_ = 0;
  std::uint64_t requested_ = 0;
  std::uint64_t judged_ = 0, infeasible_ = 0;                              // candidates, those of earlier processes included
  std::map<std::string, std::uint64_t> reasons_;                           // why: candidates
  std::map<std::string, Closest> closest_;                                 // by constraint
  double agent_seconds_ = 0, evaluation_seconds_ = 0, store_seconds_ = 0;  // of this process
  std::unique_ptr<Agent> agent_;
  std::unique_ptr<Evaluator> evaluator_;
  std::optional<SignalGuard> signals_;  // from when there is a store
  std::unique_ptr<RunStore> store_;
  std::unique_ptr<StoreWriter> writer_;
};

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

int run(const Arguments& arguments) {
  return Search(find_environment(arguments.positional[0]), arguments).run();
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
               evaluation_options() + workload_options(),
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
    .run = run};

}  // namespace exarch::cli
