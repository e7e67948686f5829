#include "host/study/study.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace exarch {
namespace {

using Clock = std::chrono::steady_clock;

// Evaluations between two commits: looking up takes a second or so for as many; simulations start with few, and take more at a
// time while that is fast, since more searches in lock-step fill a machine better.
constexpr std::uint64_t kTableChunk = 4'000'000, kFirstLiveChunk = 10'000, kLiveChunk = 400'000;
constexpr double kFastChunk = 2;  // seconds
constexpr std::uint64_t kSampleEvaluations = 20'000;
constexpr double kSampleSeconds = 0.1;
constexpr std::size_t kClockPoints = 200;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

StoredCell cell_of(std::span<const SearchRecord> records, std::size_t problem, bool with_reported, StudyCosts& costs) {
  StoredCell cell;
  for (const SearchRecord& record : records) {
    cell.improvements.push_back(static_cast<std::uint32_t>(record.improvements.size()));
    cell.requested.push_back(record.requested);
    const bool found = !record.improvements.empty();
    cell.best_point.push_back(found ? record.improvements.back().point : 0);
    if (with_reported) {
      cell.reported.push_back(found ? costs.reported(problem, cell.best_point.back()) : std::numeric_limits<double>::infinity());
    }
    for (const Improvement& improvement : record.improvements) {
      cell.evaluation.push_back(static_cast<std::uint32_t>(improvement.evaluation));
      cell.cost.push_back(improvement.cost);
    }
  }
  return cell;
}

// Lets an agent search, for a while, with costs that need no model, numbers that depend on the genes; the evaluations it made.
std::uint64_t search_without_model(const DesignSpace& space, const SearchTask& search, std::uint64_t budget,
                                   Clock::time_point start) {
  const auto agent = make_agent(search.agent, space, search.options);
  GeneBatch batch;
  std::vector<double> costs;
  std::uint64_t evaluations = 0;
  for (std::uint64_t g = 0; evaluations < budget && (search.generations == 0 || g < search.generations); ++g) {
    agent->ask(batch);
    if (batch.candidates() == 0) break;
    costs.assign(batch.candidates(), 0);
    for (std::size_t c = 0; c < costs.size(); ++c) {
      for (const Gene gene : batch.row(c)) costs[c] += 1.0 / (1 + gene);
    }
    agent->tell(batch, costs);
    evaluations += costs.size();
    if (seconds_since(start) > kSampleSeconds) break;
  }
  return evaluations;
}

}  // namespace

double LiveCosts::reported(std::size_t problem, std::uint64_t point) {
  GeneBatch batch{space_.dimensions(), std::vector<Gene>(space_.dimensions())};
  space_.genes_of(point, batch.row(0));
  double cost = 0;
  costs_.cost(problems_ + problem, batch, std::span(&cost, 1));
  return cost;
}

StudySize size_of(const StudyPlan& plan, std::size_t problems) {
  StudySize size;
  for (const Configuration& configuration : plan.configurations()) {
    const std::uint64_t seeds = plan.agents[configuration.grid].seeds;
    ++size.configurations;
    size.cells += problems;
    size.runs += problems * seeds;
    size.evaluations += problems * seeds * configuration.evaluations;
  }
  return size;
}

std::uint64_t evaluations_done(const StudyPlan& plan, const StudyStore& store) {
  const std::vector<Configuration> configurations = plan.configurations();
  std::uint64_t done = 0;
  for (std::uint32_t c = 0; c < configurations.size(); ++c) {
    for (std::uint32_t p = 0; p < store.problems().size(); ++p) {
      if (store.has_cell(c, p)) done += configurations[c].evaluations * plan.agents[configurations[c].grid].seeds;
    }
  }
  return done;
}

std::vector<double> run_cells(const StudyPlan& plan, StudyStore& store, StudyCosts& costs, const SearchProgress& progress) {
  const std::vector<Configuration> configurations = plan.configurations();
  const auto problems = static_cast<std::uint32_t>(store.problems().size());
  struct Cell {
    std::uint32_t configuration, problem;
    std::size_t first, seeds;  // its searches in the chunk
  };
  std::vector<Cell> chunk;
  std::vector<SearchTask> searches;
  std::uint64_t planned = 0, done = evaluations_done(plan, store);
  std::uint64_t limit = plan.truth ? kTableChunk : kFirstLiveChunk;
  std::vector<double> seconds(plan.agents.size());
  const auto finish_chunk = [&] {
    if (chunk.empty()) return;
    const auto start = Clock::now();
    const auto records = costs.run(searches, [&](std::uint64_t now) {
      if (progress) progress(done + std::min(now, planned));
    });
    std::vector<StoredCell> cells;
    for (const Cell& cell : chunk) {
      const bool with_reported = !store.problems()[cell.problem].reported_as.empty();
      cells.push_back(cell_of(std::span(records).subspan(cell.first, cell.seeds), cell.problem, with_reported, costs));
    }
    store.file().transaction([&] {
      for (std::size_t i = 0; i < chunk.size(); ++i) store.add_cell(chunk[i].configuration, chunk[i].problem, cells[i]);
    });
    done += std::exchange(planned, 0);
    if (progress) progress(done);
    const double took = seconds_since(start);
    seconds[configurations[chunk.front().configuration].grid] += took;
    if (!plan.truth && took < kFastChunk) limit = std::min(2 * limit, kLiveChunk);
    chunk.clear();
    searches.clear();
  };
  for (std::uint32_t c = 0; c < configurations.size(); ++c) {
    if (c > 0 && configurations[c].grid != configurations[c - 1].grid) finish_chunk();  // so that times are one agent's
    for (std::uint32_t p = 0; p < problems; ++p) {
      if (store.has_cell(c, p)) continue;
      const std::vector<SearchTask> specs = plan.searches(configurations[c], p);
      chunk.push_back({c, p, searches.size(), specs.size()});
      searches.insert(searches.end(), specs.begin(), specs.end());
      planned += configurations[c].evaluations * specs.size();
      if (planned >= limit) finish_chunk();
    }
  }
  finish_chunk();
  return seconds;
}

StoredClock measure_clock(const DesignSpace& space, const SearchTask& search, Costs& costs, double seconds) {
  const auto agent = make_agent(search.agent, space, search.options);
  StoredClock clock;
  GeneBatch batch;
  std::vector<double> told;
  std::uint64_t evaluations = 0, stride = 1;
  const auto start = Clock::now();
  for (std::uint64_t g = 0;; ++g) {
    agent->ask(batch);
    if (batch.candidates() == 0) break;
    told.resize(batch.candidates());
    costs.cost(search.problem, batch, told);
    agent->tell(batch, told);
    evaluations += told.size();
    const double now = seconds_since(start);
    const bool ends = now >= seconds || evaluations >= search.budget || g + 1 == search.generations;
    if (g % stride == stride - 1 || ends) {
      clock.evaluations.push_back(static_cast<std::uint32_t>(std::min(evaluations, search.budget)));
      clock.seconds.push_back(now);
    }
    if (ends) break;
    if (clock.evaluations.size() < 2 * kClockPoints) continue;
    // Small populations have many generations: from here on every second one of those taken so far counts.
    for (std::size_t i = 0; i < kClockPoints; ++i) {
      clock.evaluations[i] = clock.evaluations[2 * i + 1];
      clock.seconds[i] = clock.seconds[2 * i + 1];
    }
    clock.evaluations.resize(kClockPoints);
    clock.seconds.resize(kClockPoints);
    stride *= 2;
  }
  return clock;
}

double estimate_agent_seconds(const StudyPlan& plan, const DesignSpace& space) {
  const std::vector<Configuration> configurations = plan.configurations();
  double seconds = 0;
  for (std::size_t g = 0; g < plan.agents.size(); ++g) {
    // The middle one of an agent's configurations stands for them all.
    std::vector<const Configuration*> of_grid;
    std::uint64_t evaluations = 0;
    for (const Configuration& configuration : configurations) {
      if (configuration.grid != g) continue;
      of_grid.push_back(&configuration);
      evaluations += configuration.evaluations * plan.agents[g].seeds;
    }
    const SearchTask sample = plan.searches(*of_grid[of_grid.size() / 2], 0).front();
    const std::uint64_t budget = std::min(sample.budget, kSampleEvaluations);
    const auto start = Clock::now();
    std::uint64_t sampled = 0;
    while (sampled < kSampleEvaluations && (sampled == 0 || seconds_since(start) < kSampleSeconds)) {
      sampled += search_without_model(space, sample, budget, start);
    }
    seconds += seconds_since(start) / static_cast<double>(std::max<std::uint64_t>(sampled, 1)) * static_cast<double>(evaluations);
  }
  return seconds;
}

}  // namespace exarch
