#include "host/study/lockstep.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <mutex>

#include "host/execute/scoring.hpp"
#include "host/metric/metric.hpp"

namespace exarch {
namespace {

// One search on its way.
class Search {
 public:
  Search(const DesignSpace& space, const SearchTask& spec)
      : space_(&space), spec_(&spec), agent_(make_agent(spec.agent, space, spec.options)) {}

  [[nodiscard]] std::size_t problem() const { return spec_->problem; }
  [[nodiscard]] const GeneBatch& asked() const { return asked_; }

  // False when the search has ended.
  bool ask() {
    if (record_.requested >= spec_->budget) return false;
    if (spec_->generations != 0 && generation_ == spec_->generations) return false;
    ++generation_;
    agent_->ask(asked_);
    return asked_.candidates() > 0;
  }

  // Candidates beyond the budget are told, but not recorded.
  void tell(std::span<const double> costs) {
    const std::uint64_t counted = std::min<std::uint64_t>(costs.size(), spec_->budget - record_.requested);
    for (std::uint64_t c = 0; c < counted; ++c) {
      if (!(costs[c] < best_)) continue;
      best_ = costs[c];
      record_.improvements.push_back({record_.requested + c + 1, best_, space_->point_of(asked_.row(c))});
    }
    record_.requested += counted;
    agent_->tell(asked_, costs);
  }

  [[nodiscard]] SearchRecord take() { return std::move(record_); }

 private:
  const DesignSpace* space_;
  const SearchTask* spec_;
  std::unique_ptr<Agent> agent_;
  GeneBatch asked_;
  SearchRecord record_;
  std::uint64_t generation_ = 0;  // asked so far
  double best_ = kInfinity;
};

// Searches whose candidates are evaluated together.
class Team {
 public:
  explicit Team(std::size_t dimensions) : dimensions_(dimensions) {}

  void join(Search& search) { active_.push_back(&search); }

  // Asks all searches; false when none has a question left.
  bool ask() {
    std::erase_if(active_, [](Search* search) { return !search->ask(); });
    batches_.clear();
    for (Search* search : active_) {
      GeneBatch& batch = batches_[search->problem()].genes;
      batch.dimensions = dimensions_;
      batch.genes.insert(batch.genes.end(), search->asked().genes.begin(), search->asked().genes.end());
    }
    return !active_.empty();
  }

  void evaluate(Costs& costs) {
    for (auto& [problem, batch] : batches_) {
      batch.costs.resize(batch.genes.candidates());
      costs.cost(problem, batch.genes, batch.costs);
    }
  }

  // Evaluations made.
  std::uint64_t tell() {
    std::map<std::size_t, std::size_t> next;  // by problem: the first cost not told yet
    std::uint64_t told = 0;
    for (Search* search : active_) {
      const std::size_t count = search->asked().candidates();
      search->tell(std::span(batches_[search->problem()].costs).subspan(next[search->problem()], count));
      next[search->problem()] += count;
      told += count;
    }
    return told;
  }

 private:
  struct Batch {
    GeneBatch genes;
    std::vector<double> costs;
  };

  std::size_t dimensions_;
  std::vector<Search*> active_;
  std::map<std::size_t, Batch> batches_;  // by problem
};

}  // namespace

double SearchRecord::best_after(std::uint64_t evaluations) const {
  const auto later = std::ranges::upper_bound(improvements, evaluations, {}, &Improvement::evaluation);
  return later == improvements.begin() ? kInfinity : std::prev(later)->cost;
}

SimulatedCosts::SimulatedCosts(const Environment& environment, const DesignSpace& space,
                               std::span<const std::shared_ptr<const Workload>> workloads, std::vector<Problem> problems,
                               const std::shared_ptr<Executor>& executor, EvaluatorOptions options)
    : space_(space), problems_(std::move(problems)) {
  for (const auto& workload : workloads) {
    evaluators_.push_back(std::make_unique<Evaluator>(environment, workload, executor, options));
  }
}

void SimulatedCosts::cost(std::size_t problem, const GeneBatch& batch, std::span<double> costs) {
  Evaluator& evaluator = *evaluators_[problems_[problem].workload];
  const std::vector<std::int64_t> designs = decode(space_, batch);
  const std::vector<Evaluator::OutcomeId> outcomes = evaluator.evaluate(designs);
  score(evaluator, outcomes, designs, std::span(&problems_[problem].objective, 1),
        [&costs](const ScoredCandidate& scored) { costs[scored.candidate] = scored.costs[0]; });
}

std::uint64_t SimulatedCosts::requested() const {
  std::uint64_t sum = 0;
  for (const auto& evaluator : evaluators_) sum += evaluator->requested();
  return sum;
}

std::uint64_t SimulatedCosts::simulated() const {
  std::uint64_t sum = 0;
  for (const auto& evaluator : evaluators_) sum += evaluator->simulated();
  return sum;
}

std::vector<SearchRecord> search_in_lockstep(const DesignSpace& space, std::span<const SearchTask> searches, Costs& costs,
                                             const SearchProgress& progress) {
  std::vector<Search> all;
  all.reserve(searches.size());
  for (const SearchTask& spec : searches) all.emplace_back(space, spec);
  Team teams[2]{Team(space.dimensions()), Team(space.dimensions())};
  for (std::size_t i = 0; i < all.size(); ++i) teams[i % 2].join(all[i]);
  std::uint64_t evaluations = 0;
  bool going[2]{teams[0].ask(), false};
  std::future<void> evaluation;
  const auto start = [&](Team& team) { return std::async(std::launch::async, [&team, &costs] { team.evaluate(costs); }); };
  if (going[0]) evaluation = start(teams[0]);
  going[1] = teams[1].ask();
  // In turn: the costs of one team arrive, the other's are started, the first is told and asked again meanwhile.
  for (std::size_t turn = 0; going[0] || going[1]; turn = 1 - turn) {
    if (evaluation.valid()) evaluation.get();
    const std::size_t other = 1 - turn;
    if (going[other]) evaluation = start(teams[other]);
    if (!going[turn]) continue;
    evaluations += teams[turn].tell();
    if (progress) progress(evaluations);
    going[turn] = teams[turn].ask();
    if (going[turn] && !going[other]) {
      // Alone, a team takes every turn.
      evaluation = start(teams[turn]);
      turn = other;
    }
  }
  std::vector<SearchRecord> records;
  for (Search& search : all) records.push_back(search.take());
  return records;
}

std::vector<SearchRecord> search_in_tables(const DesignSpace& space, std::span<const SearchTask> searches,
                                           std::span<const Ranking> problems, ThreadPool& pool, const SearchProgress& progress) {
  std::vector<SearchRecord> records(searches.size());
  std::mutex mutex;
  std::uint64_t evaluations = 0;
  pool.for_each(searches.size(), [&](std::size_t i, unsigned) {
    const Ranking& problem = problems[searches[i].problem];
    Search search(space, searches[i]);
    std::vector<double> costs;
    while (search.ask()) {
      costs.resize(search.asked().candidates());
      for (std::size_t c = 0; c < costs.size(); ++c) costs[c] = problem.cost(space.point_of(search.asked().row(c)));
      search.tell(costs);
    }
    records[i] = search.take();
    const std::scoped_lock lock(mutex);
    evaluations += records[i].requested;
    if (progress) progress(evaluations);
  });
  return records;
}

}  // namespace exarch
