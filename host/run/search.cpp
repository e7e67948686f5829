#include "host/run/search.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "host/error.hpp"
#include "host/execute/scoring.hpp"
#include "host/run/best.hpp"
#include "host/run/inputs.hpp"
#include "host/run/saver.hpp"
#include "host/run/shortlist.hpp"
#include "host/run/store_view.hpp"
#include "host/run/store_writer.hpp"

namespace exarch {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Identity identity_of(const SearchSpec& spec, const std::shared_ptr<const Workload>& workload) {
  const Problem& problem = spec.problem;
  return {{"command", "search"},
          {"environment", problem.environment().name()},
          {"model", problem.environment().model_version()},
          {"space", problem.space.to_json()},
          {"workloads", workloads_json(problem.workloads)},
          {"workload content", workload_content({workload})},
          {"agent", spec.agent},
          {"agent parameters", nlohmann::json(spec.agent_parameters).dump()},
          {"population", std::to_string(spec.population)},
          {"objective", text_of(problem.objectives)},
          {"seed", std::to_string(spec.seed)},
          {"engine", name_of(spec.evaluation.engine)},
          {"sharing", spec.evaluation.share ? "on" : "off"}};
}

void check(const SearchSpec& spec) {
  if (spec.problem.workloads.size() != 1) throw UsageError("a search takes one workload; run one search for each");
  if (spec.problem.objectives.empty()) throw UsageError("a search needs an objective");
  if (spec.problem.objectives.size() > Shortlist::kMaxTradeoffs) {
    throw UsageError("a search takes up to " + std::to_string(Shortlist::kMaxTradeoffs) + " objectives");
  }
}

bool is_feasible(std::span<const double> costs) {
  return std::ranges::all_of(costs, [](double cost) { return std::isfinite(cost); });  // infeasible in one respect is infeasible
}

// What became of the candidates of a search: how many do not count, and why.
class Tally {
 public:
  explicit Tally(const Problem& problem) : problem_(problem), sanity_(problem.environment()) {}

  void add(const ScoredCandidate& candidate, SearchReport& report) const {
    ++report.judged;
    if (!is_feasible(candidate.costs)) ++report.infeasible;
    if (candidate.status != 0) {
      ++report.reasons["status " + problem_.environment().status_text(candidate.status)];
      return;
    }
    std::set<std::string> violated;
    for (const Objective& objective : problem_.objectives) {
      for (std::size_t k = 0; k < objective.constraints().size(); ++k) {
        const std::string& constraint = objective.constraints()[k];
        if (!objective.meets(k, candidate.metrics)) violated.insert("violates " + constraint);
        come_closer(constraint, objective.excess(k, candidate.metrics), candidate.design, report);
      }
    }
    for (std::size_t k = 0; k < sanity_.size(); ++k) {
      if (sanity_.holds(k, candidate.metrics) || violated.contains("violates " + sanity_.text(k))) continue;
      violated.insert("counted though it violates " + sanity_.text(k));
    }
    for (const std::string& text : violated) ++report.reasons[text];
  }

 private:
  // Keeps the design that breaks a constraint least; one that meets it ends the matter.
  static void come_closer(const std::string& constraint, double excess, std::span<const std::int64_t> design,
                          SearchReport& report) {
    const auto known = report.closest.find(constraint);
    if (known != report.closest.end() && known->second.excess <= excess) return;
    report.closest[constraint] = {excess, {design.begin(), design.end()}};
  }

  const Problem& problem_;
  Sanity sanity_;
};

class Search {
 public:
  Search(const SearchSpec& spec, const std::shared_ptr<Executor>& executor, const std::string& path, Observer& observer)
      : spec_(spec),
        problem_(spec.problem),
        path_(path),
        observer_(observer),
        tally_(problem_),
        leaders_(std::max<std::size_t>(1, spec.top)),
        front_(0, objectives() == 1 ? 0 : objectives()) {
    const AgentOptions options{spec.seed, spec.population, spec.agent_parameters, objectives()};
    agent_ = spec.make_own_agent ? spec.make_own_agent(problem_.space, options) : make_agent(spec.agent, problem_.space, options);
    report_.workload = load(problem_.environment(), problem_.workloads.front(), observer);
    evaluator_.emplace(problem_.environment(), report_.workload, executor, spec.evaluation);
    if (path.empty()) return;
    observer.on_open(path);
    store_.emplace(path, identity_of(spec, report_.workload), store_layout(problem_.environment()), origin_notes(*executor));
    writer_.emplace(*store_, 0, *evaluator_);
    saver_.emplace(*store_);
  }

  SearchReport run() {
    if (store_ && store_->resumed()) resume();
    const auto start = Clock::now();
    {
      Reporter reporter(observer_, "generations", spec_.generations, report_.generations);
      while (report_.generations < spec_.generations && generation()) reporter.update(report_.generations, note());
    }
    if (store_) {
      saver_->wait();
      store_->finish();
    }
    report_.seconds = seconds_since(start);
    report_.simulated = evaluator_->simulated();  // without the baseline, unless the agent asked for it
    for (const Leader& leader : found()) report_.best.push_back(describe(leader));
    const Design baseline = spec_.baseline.empty() ? default_design(problem_.environment()) : spec_.baseline;
    report_.baseline = describe({baseline, evaluator_->evaluate(baseline)[0], 0});
    return std::move(report_);
  }

 private:
  struct Leader {
    Design design;
    Evaluator::OutcomeId outcome;
    double cost;
  };
  // Designs may share an outcome and yet differ in price: the best of them stands for all.
  using Leaders = Best<Evaluator::OutcomeId, std::pair<double, std::uint64_t>, Leader>;  // cost, arrival

  [[nodiscard]] std::size_t objectives() const { return problem_.objectives.size(); }

  // Prices candidates, offers their designs to the leaders and returns the costs: (candidate, objective).
  std::vector<double> judge(const GeneBatch& batch, std::span<const Evaluator::OutcomeId> outcomes,
                            std::span<const std::int64_t> designs) {
    std::vector<double> costs;
    costs.reserve(outcomes.size() * objectives());
    told_ = {};
    const bool in_full = agent_->wants_metrics();
    score(*evaluator_, outcomes, designs, problem_.objectives, [&](const ScoredCandidate& candidate) {
      costs.insert(costs.end(), candidate.costs.begin(), candidate.costs.end());
      if (in_full) {
        told_.status.push_back(candidate.status);
        told_.metrics.insert(told_.metrics.end(), candidate.metrics.begin(), candidate.metrics.end());
      }
      tally_.add(candidate, report_);
      if (!is_feasible(candidate.costs)) return;
      const double cost = candidate.costs[0];
      const std::pair order{cost, report_.judged};
      if (leaders_.reaches(order)) {
        leaders_.offer(candidate.outcome, order, {{candidate.design.begin(), candidate.design.end()}, candidate.outcome, cost});
      }
      if (objectives() > 1) offer_to_front(batch.row(candidate.candidate), candidate);
    });
    (void)front_.settle(rank::cpu_functions());
    forget_beaten();
    return costs;
  }

  // The front's entries are known by their points; in a space whose points are not numbered, by their arrival, and their designs
  // are kept.
  void offer_to_front(std::span<const Gene> genes, const ScoredCandidate& candidate) {
    const bool numbered = problem_.space.is_numbered();
    const std::uint64_t number = numbered ? problem_.space.point_of(genes) : report_.judged;
    front_.offer(number, candidate.outcome, candidate.costs[0], candidate.costs);
    if (!numbered) front_designs_[number] = {candidate.design.begin(), candidate.design.end()};
  }
  void forget_beaten() {
    if (front_designs_.size() <= front_.entries().size()) return;
    std::map<std::uint64_t, Design> kept;
    for (const Shortlist::Entry& entry : front_.entries()) kept.insert(front_designs_.extract(entry.point));
    front_designs_ = std::move(kept);
  }

  bool generation() {
    GeneBatch batch;
    auto start = Clock::now();
    agent_->ask(batch);
    report_.agent_seconds += seconds_since(start);
    if (batch.candidates() == 0) return false;
    start = Clock::now();
    const std::vector<std::int64_t> designs = decode(problem_.space, batch);
    const std::vector<Evaluator::OutcomeId> outcomes = evaluator_->evaluate(designs);
    const std::vector<double> costs = judge(batch, outcomes, designs);
    report_.evaluation_seconds += seconds_since(start);
    start = Clock::now();
    agent_->tell_results(batch, {costs, told_.status, told_.metrics});
    report_.agent_seconds += seconds_since(start);
    start = Clock::now();
    report_.requested += batch.candidates();
    if (store_) save(batch, outcomes, costs);
    report_.store_seconds += seconds_since(start);
    ++report_.generations;
    announce();
    return true;
  }

  void save(const GeneBatch& batch, std::span<const Evaluator::OutcomeId> outcomes, const std::vector<double>& costs) {
    std::vector<StoredResult> results = writer_->take_all();
    StoredGeneration row{report_.generations,     batch.genes,    {}, costs, report_.requested,
                         evaluator_->simulated(), agent_->state()};
    for (const auto id : outcomes) row.results.push_back(writer_->result_of(id));
    saver_->save([this, results = std::move(results), row = std::move(row)] {
      writer_->write(results);
      store_->add_generation(row);
    });
  }

  void resume() {
    store_->for_each_result([&](ResultId id, const StoredResult& result) {
      writer_->preload(id, result);
      return true;
    });
    store_->for_each_generation([&](const StoredGeneration& stored) {
      check_generation(*store_, problem_.space, objectives(), stored);
      const GeneBatch batch{problem_.space.dimensions(), stored.genes};
      // Results are numbered as the evaluator numbers its outcomes: one workload, preloaded in order.
      judge(batch, stored.results, decode(problem_.space, batch));
      return true;
    });
    if (const auto last = store_->last_generation()) {
      agent_->restore(last->agent_state);
      report_.generations = last->generation + 1;
      report_.requested = last->requested;
    }
    if (!leaders_.empty()) announced_ = leaders_.entries().begin()->first;
    if (report_.generations >= spec_.generations) {
      observer_.on_note(path_ + " already holds " + std::to_string(report_.generations) + " generations, --generations is " +
                        std::to_string(spec_.generations) + "; nothing is run");
    } else {
      observer_.on_note("continuing " + path_ + " after " + std::to_string(report_.generations) + " generations");
    }
  }

  // Tells the observer of a new best design.
  void announce() {
    if (leaders_.empty() || leaders_.entries().begin()->first == announced_) return;
    announced_ = leaders_.entries().begin()->first;
    const FoundDesign best = describe(leaders_.entries().begin()->second.item);
    observer_.on_improvement({report_.generations - std::uint64_t{1}, report_.requested, best.values, best.design});
  }

  // What to show of the search so far.
  [[nodiscard]] std::string note() const {
    if (leaders_.empty()) return "no feasible design yet";
    std::string text = "best";
    for (const double value : describe(leaders_.entries().begin()->second.item).values) {
      char number[64];
      std::snprintf(number, sizeof number, " %.6g", value);
      text += number;
    }
    return text;
  }

  // The best designs; of several objectives, those on the front, by the first objective.
  [[nodiscard]] std::vector<Leader> found() const {
    std::vector<Leader> best;
    if (objectives() == 1) {
      for (const auto& [order, entry] : leaders_.entries()) best.push_back(entry.item);
      return best;
    }
    for (const Shortlist::Entry& entry : front_.entries()) {
      best.push_back({problem_.space.is_numbered() ? design_at(problem_.space, entry.point) : front_designs_.at(entry.point),
                      entry.outcome, entry.cost});
    }
    std::ranges::stable_sort(best, {}, &Leader::cost);
    return best;
  }

  [[nodiscard]] FoundDesign describe(const Leader& leader) const {
    const auto counters = evaluator_->counters(leader.outcome);
    FoundDesign found{leader.design,
                      evaluator_->status(leader.outcome),
                      leader.cost,
                      {},
                      std::vector<double>(problem_.environment().metrics().size()),
                      {counters.begin(), counters.end()}};
    found.artifact = evaluator_->artifact(leader.outcome);
    evaluator_->price(leader.outcome, leader.design, found.metrics);
    for (const Objective& objective : problem_.objectives) {
      const Score score = objective.score(found.metrics, found.status == 0);
      if (found.values.empty()) found.cost = score.cost;
      found.values.push_back(score.value);
    }
    return found;
  }

  const SearchSpec& spec_;
  const Problem& problem_;
  std::string path_;
  Observer& observer_;
  Tally tally_;
  Leaders leaders_;
  Shortlist front_;                                            // of several objectives
  std::map<std::uint64_t, Design> front_designs_;              // by arrival; of a space whose points are not numbered
  std::optional<std::pair<double, std::uint64_t>> announced_;  // the leader that the observer knows
  struct {
    std::vector<std::uint8_t> status;  // (candidate)
    std::vector<double> metrics;       // (candidate, metric)
  } told_;                             // for agents that want them
  SearchReport report_;
  std::unique_ptr<Agent> agent_;
  std::optional<Evaluator> evaluator_;
  std::optional<RunStore> store_;
  std::optional<StoreWriter> writer_;
  std::optional<Saver> saver_;  // the last, since it writes until it is gone
};

}  // namespace

SearchReport run_search(const SearchSpec& spec, const std::shared_ptr<Executor>& executor, const std::string& store,
                        Observer& observer) {
  check(spec);
  return Search(spec, executor, store, observer).run();
}

}  // namespace exarch
