// Truth tables against brute force, and searches in lock-step against searches alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "host/study/front.hpp"
#include "host/study/lockstep.hpp"
#include "host/study/truth.hpp"
#include "tests/support/random_cases.hpp"

namespace exarch {
namespace {

using namespace dram::testing;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

DesignSpace small_space() {
  return DesignSpace::from_json(R"({"name": "small", "parameters": {"PagePolicy": ["Open", "OpenAdaptive", "Closed"],
      "Scheduler": ["Fifo", "FrFcfs"], "RequestBufferSize": [1, 2, 4], "RespQueue": ["Fifo", "Reorder"],
      "RefreshPolicy": ["AllBank"], "RefreshMaxPostponed": [1, 4], "RefreshMaxPulledin": [1, 2],
      "Arbiter": ["Simple", "Fifo", "Reorder"], "MaxActiveTransactions": [1, 8, 64]}})",
                                "test", dram_environment().parameters());
}

Objective objective_of(const std::string& text) {
  return Objective::parse(text, dram_environment().metrics(), dram_environment().objectives());
}

// A workload's whole space, simulated.
struct Whole {
  DesignSpace space = small_space();
  std::shared_ptr<const Workload> workload;
  std::shared_ptr<Executor> executor = std::make_shared<LocalExecutor>("cpu", 2);
  Evaluator evaluator;
  std::vector<std::uint32_t> results;
  std::vector<std::int64_t> designs;

  explicit Whole(std::uint64_t seed)
      : workload([seed] {
          std::mt19937_64 rng(seed);
          return make_workload(random_requests(rng, TraceKind::bursty, 300));
        }()),
        evaluator(dram_environment(), workload, executor) {
    std::vector<Gene> genes(space.dimensions());
    for (std::uint64_t point = 0; point < space.size(); ++point) {
      space.genes_of(point, genes);
      Design design(genes.size());
      space.design_of(genes, design);
      designs.insert(designs.end(), design.begin(), design.end());
    }
    results = evaluator.evaluate(designs);
  }

  [[nodiscard]] TruthTable table() const {
    return {dram_environment(), space, *workload, results, [this](std::uint32_t id) {
              return TruthTable::Result{evaluator.status(id), evaluator.counters(id)};
            }};
  }

  // (point) costs, priced one by one.
  [[nodiscard]] std::vector<double> costs(const Objective& objective) const {
    std::vector<double> costs, metrics(dram_environment().metrics().size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      evaluator.price(results[i], std::span(designs).subspan(i * space.dimensions(), space.dimensions()), metrics);
      costs.push_back(objective.score(metrics, evaluator.status(results[i]) == 0).cost);
    }
    return costs;
  }
};

class Truth : public ::testing::TestWithParam<const char*> {};

TEST_P(Truth, RanksAsBruteForceDoes) {
  const Whole whole(11);
  const TruthTable table = whole.table();
  const Objective objective = objective_of(GetParam());
  const Ranking ranking(table, objective);
  const std::vector<double> costs = whole.costs(objective);
  const double best = *std::ranges::min_element(costs);
  ASSERT_TRUE(ranking.feasible());
  EXPECT_EQ(ranking.optimum(), best);
  EXPECT_EQ(ranking.optimal_designs(), static_cast<std::uint64_t>(std::ranges::count(costs, best)));
  EXPECT_EQ(ranking.feasible_designs(),
            static_cast<std::uint64_t>(std::ranges::count_if(costs, [](double c) { return std::isfinite(c); })));
  EXPECT_EQ(table.first_point(ranking.best_group()), static_cast<std::uint64_t>(std::ranges::find(costs, best) - costs.begin()));
  for (std::size_t i = 0; i < costs.size(); ++i) {
    ASSERT_EQ(ranking.cost(i), costs[i]);
    if (!std::isfinite(costs[i])) continue;
    const auto cheaper = std::ranges::count_if(costs, [&](double c) { return c < costs[i]; });
    ASSERT_EQ(ranking.rank(costs[i]), 1u + static_cast<std::uint64_t>(cheaper));
    ASSERT_EQ(ranking.regret(costs[i]), costs[i] - best);
  }
  EXPECT_EQ(ranking.rank(best - 1), 1u);
}

// Every point's neighbours, walked.
TEST_P(Truth, LocalOptimaAreThoseAClimberFinds) {
  const Whole whole(12);
  const TruthTable table = whole.table();
  const Objective objective = objective_of(GetParam());
  const std::vector<double> costs = whole.costs(objective);
  std::vector<int> plateau(costs.size(), -1);
  std::vector<Gene> genes(whole.space.dimensions());
  const auto neighbours = [&](std::uint64_t point) {
    std::vector<std::uint64_t> found;
    whole.space.genes_of(point, genes);
    for (std::size_t p = 0; p < genes.size(); ++p) {
      const Gene own = genes[p];
      for (std::size_t v = 0; v < whole.space.values(p).size(); ++v) {
        genes[p] = static_cast<Gene>(v);
        if (genes[p] != own) found.push_back(whole.space.point_of(genes));
      }
      genes[p] = own;
    }
    return found;
  };
  std::uint64_t optima = 0, global = 0, designs = 0;
  for (std::uint64_t start = 0; start < costs.size(); ++start) {
    if (plateau[start] != -1 || !std::isfinite(costs[start])) continue;
    std::vector<std::uint64_t> members{start};
    plateau[start] = 1;
    bool leads_down = false;
    for (std::size_t i = 0; i < members.size(); ++i) {
      for (const std::uint64_t other : neighbours(members[i])) {
        leads_down = leads_down || costs[other] < costs[start];
        if (costs[other] == costs[start] && plateau[other] == -1) {
          plateau[other] = 1;
          members.push_back(other);
        }
      }
    }
    if (leads_down) continue;
    ++optima;
    designs += members.size();
    global += costs[start] == *std::ranges::min_element(costs);
  }
  const auto got = Ranking(table, objective).local_optima();
  EXPECT_EQ(got.plateaus, optima);
  EXPECT_EQ(got.global, global);
  EXPECT_EQ(got.designs, designs);
}

INSTANTIATE_TEST_SUITE_P(Objectives, Truth,
                         ::testing::Values("min:total_time_ps", "max:avg_bw_idle_gbps", "archgym-both",
                                           "min:total_energy_pj, average_power_mw<=1200"));

// Shares of a known function: a + b and their product over a full grid have the variance components of the textbook.
TEST(Truth, ImportanceIsTheVarianceDecomposition) {
  const Whole whole(13);
  const TruthTable table = whole.table();
  const Objective objective = objective_of("min:total_time_ps");
  const Ranking ranking(table, objective);
  const auto importance = ranking.importance();
  const std::vector<double> costs = whole.costs(objective);
  ASSERT_EQ(importance.size(), whole.space.dimensions());
  const double mean = std::accumulate(costs.begin(), costs.end(), 0.0) / static_cast<double>(costs.size());
  double variance = 0;
  for (const double c : costs) variance += (c - mean) * (c - mean) / static_cast<double>(costs.size());
  std::vector<Gene> genes(whole.space.dimensions());
  double alone_sum = 0;
  for (std::size_t p = 0; p < genes.size(); ++p) {
    const std::size_t values = whole.space.values(p).size();
    std::vector<double> sum(values);
    std::map<std::uint64_t, std::vector<double>> lines;  // all other genes: costs
    for (std::uint64_t i = 0; i < costs.size(); ++i) {
      whole.space.genes_of(i, genes);
      sum[genes[p]] += costs[i];
      genes[p] = 0;
      lines[whole.space.point_of(genes)].push_back(costs[i]);
    }
    double alone = 0, total = 0;
    for (const double s : sum) {
      const double shift = s * static_cast<double>(values) / static_cast<double>(costs.size()) - mean;
      alone += shift * shift / static_cast<double>(values);
    }
    for (const auto& [rest, line] : lines) {
      const double middle = std::accumulate(line.begin(), line.end(), 0.0) / static_cast<double>(line.size());
      for (const double c : line) total += (c - middle) * (c - middle) / static_cast<double>(costs.size());
    }
    EXPECT_NEAR(importance[p].alone, alone / variance, 1e-9) << p;
    EXPECT_NEAR(importance[p].total, total / variance, 1e-9) << p;
    EXPECT_LE(importance[p].alone, importance[p].total + 1e-9);
    alone_sum += importance[p].alone;
  }
  EXPECT_LE(alone_sum, 1 + 1e-9);
  // An infeasible design leaves no full grid to decompose.
  EXPECT_TRUE(Ranking(table, objective_of("min:total_time_ps, average_power_mw<=1")).importance().empty());
  EXPECT_FALSE(Ranking(table, objective_of("min:total_time_ps, average_power_mw<=1")).feasible());
}

// The groups among `considered` that no other one beats.
template <class Considered>
std::vector<std::uint32_t> unbeaten(const TruthTable& table, const Considered& considered) {
  std::vector<std::uint32_t> front;
  for (std::uint32_t a = 0; a < table.groups(); ++a) {
    bool beaten = !considered(a);
    for (std::uint32_t b = 0; b < table.groups() && !beaten; ++b) {
      bool as_good = considered(b), equal = true;
      for (const std::size_t t : dram_environment().tradeoffs()) {
        as_good = as_good && table.metrics(b)[t] <= table.metrics(a)[t];
        equal = equal && table.metrics(b)[t] == table.metrics(a)[t];
      }
      beaten = as_good && (!equal || b < a);
    }
    if (!beaten) front.push_back(a);
  }
  return front;
}

TEST(Truth, TheParetoFrontIsWhatNoDesignBeats) {
  const Whole whole(14);
  const TruthTable table = whole.table();
  const auto front = table.pareto_front();
  EXPECT_EQ(front, unbeaten(table, [](std::uint32_t) { return true; }));
  EXPECT_EQ(table.pareto_front(objective_of("power")), front) << "an objective without constraints";
  std::uint64_t designs = 0;
  for (std::size_t g = 0; g < table.groups(); ++g) designs += table.designs(g);
  EXPECT_EQ(designs, table.points());
}

// Under an objective the front is that of the designs that it allows; without the others, some of them are beaten no more.
TEST(Truth, TheParetoFrontMeetsTheConstraintsOfAnObjective) {
  const Whole whole(14);
  const TruthTable table = whole.table();
  const auto metric = std::ranges::find(dram_environment().metrics(), "mean_latency_ns", &MetricInfo::name);
  const auto latency = [&](std::uint32_t group) {
    return table.metrics(group)[static_cast<std::size_t>(metric - dram_environment().metrics().begin())];
  };
  std::vector<double> latencies;
  for (std::uint32_t g = 0; g < table.groups(); ++g) latencies.push_back(std::floor(latency(g)));
  std::ranges::sort(latencies);
  for (const double least : {latencies[latencies.size() / 4], latencies[latencies.size() / 2]}) {
    const auto slower = table.pareto_front(objective_of("energy, mean_latency_ns>=" + std::to_string(least)));
    EXPECT_FALSE(slower.empty());
    EXPECT_NE(slower, table.pareto_front());
    EXPECT_EQ(slower, unbeaten(table, [&](std::uint32_t group) { return latency(group) >= least; }));
  }
  EXPECT_TRUE(table.pareto_front(objective_of("latency, average_power_mw<=0")).empty());
}

// NSGA-II against the exact front, and what the score says of a search that saw everything.
TEST(Front, IsFoundByNsga2) {
  const Whole whole(18);
  const TruthTable table = whole.table();
  const auto front = table.pareto_front();
  std::vector<std::uint32_t> all(table.groups());
  std::iota(all.begin(), all.end(), 0u);
  const FrontScore perfect = score_front(table, front, all);
  EXPECT_EQ(perfect.covered, 1);
  EXPECT_EQ(perfect.distance, 0);
  const FrontScore alone = score_front(table, front, std::span(&front[0], 1));
  EXPECT_DOUBLE_EQ(alone.covered, 1.0 / static_cast<double>(front.size()));
  double nsga2 = 0, random = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto seen = search_front(table, {"nsga2", {seed, 20, {}, 3}, 0, 400});
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    nsga2 += score_front(table, front, seen).covered;
    random += score_front(table, front, search_front(table, {"random", {seed, 20, {}, 1}, 0, 400})).covered;
  }
  EXPECT_GT(nsga2, random);
}

// A front point is found by any design of its trade-offs: of groups that differ in other metrics only, one is enough.
TEST(Front, PointsAreFoundByTheirTradeoffs) {
  std::size_t tied = 0;
  for (std::uint64_t seed = 20; seed < 30; ++seed) {
    const Whole whole(seed);
    const TruthTable table = whole.table();
    const auto front = table.pareto_front();
    for (const std::uint32_t exact : front) {
      const double alone = score_front(table, front, std::span(&exact, 1)).covered;
      for (std::uint32_t g = 0; g < table.groups(); ++g) {
        const auto same = [&](std::size_t t) { return table.metrics(g)[t] == table.metrics(exact)[t]; };
        if (g == exact || !std::ranges::all_of(table.tradeoffs(), same)) continue;
        ++tied;
        EXPECT_EQ(score_front(table, front, std::span(&g, 1)).covered, alone);
      }
    }
  }
  EXPECT_GT(tied, 0u);
}

// ---- many searches ------------------------------------------------------------------------------------------------------

std::vector<SearchTask> specs_of_every_agent(std::size_t problems) {
  std::vector<SearchTask> specs;
  for (const AgentInfo& agent : agent_table()) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      SearchTask spec{
          agent.name, {seed, 8 + 4 * static_cast<std::size_t>(seed % 2), {}, 1}, specs.size() % problems, 50 + 17 * seed};
      specs.push_back(spec);
    }
  }
  return specs;
}

void expect_same(const std::vector<SearchRecord>& got, const std::vector<SearchRecord>& want,
                 const std::vector<SearchTask>& specs) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].requested, want[i].requested) << specs[i].agent;
    ASSERT_EQ(got[i].improvements.size(), want[i].improvements.size()) << specs[i].agent;
    for (std::size_t k = 0; k < got[i].improvements.size(); ++k) {
      EXPECT_EQ(got[i].improvements[k].evaluation, want[i].improvements[k].evaluation);
      EXPECT_EQ(got[i].improvements[k].cost, want[i].improvements[k].cost);
      EXPECT_EQ(got[i].improvements[k].point, want[i].improvements[k].point);
    }
  }
}

TEST(LockStep, GivesEverySearchWhatItWouldGetAlone) {
  Whole whole(15), other(16);
  const std::vector<std::shared_ptr<const Workload>> workloads{whole.workload, other.workload};
  const Objective latency = objective_of("min:total_time_ps"), energy = objective_of("min:total_energy_pj");
  const std::vector<SimulatedCosts::Problem> problems{{0, latency}, {1, latency}, {0, energy}};
  const auto specs = specs_of_every_agent(problems.size());
  const std::shared_ptr<Executor> executor = std::make_shared<LocalExecutor>("cpu", 2);
  SimulatedCosts together(dram_environment(), whole.space, workloads, problems, executor);
  std::uint64_t reported = 0;
  const auto joined = search_in_lockstep(whole.space, specs, together, [&](std::uint64_t n) { reported = n; });
  EXPECT_EQ(together.requested(), reported);
  EXPECT_LT(together.simulated(), together.requested());

  std::vector<SearchRecord> alone;
  for (const SearchTask& spec : specs) {
    SimulatedCosts own(dram_environment(), whole.space, workloads, problems, executor);
    alone.push_back(search_in_lockstep(whole.space, std::span(&spec, 1), own)[0]);
  }
  expect_same(joined, alone, specs);

  // And what it would get from the truth.
  const TruthTable first = whole.table(), second = other.table();
  const std::vector<Ranking> rankings{Ranking(first, latency), Ranking(second, latency), Ranking(first, energy)};
  ThreadPool pool(2);
  expect_same(search_in_tables(whole.space, specs, rankings, pool), joined, specs);
}

TEST(LockStep, RecordsImprovementsUpToTheBudget) {
  Whole whole(17);
  const Objective latency = objective_of("min:total_time_ps");
  const TruthTable table = whole.table();
  const std::vector<Ranking> rankings{Ranking(table, latency)};
  ThreadPool pool(1);
  const std::vector<SearchTask> specs{
      {"grid", {1, 100, {}, 1}, 0, 1u << 30}, {"random", {1, 100, {}, 1}, 0, 150}, {"ga", {1, 10, {}, 1}, 0, 0}};
  const auto records = search_in_tables(whole.space, specs, rankings, pool);
  EXPECT_EQ(records[0].requested, whole.space.size());  // the grid ends by itself
  EXPECT_EQ(records[0].best_after(whole.space.size()), rankings[0].optimum());
  EXPECT_EQ(records[1].requested, 150u);
  EXPECT_EQ(records[2].requested, 0u);
  EXPECT_EQ(records[2].best_after(100), kInfinity);
  const std::vector<double> costs = whole.costs(latency);
  for (const std::uint64_t n : {std::uint64_t{1}, std::uint64_t{7}, std::uint64_t{500}}) {
    EXPECT_EQ(records[0].best_after(n), *std::min_element(costs.begin(), costs.begin() + static_cast<std::ptrdiff_t>(n)));
  }
}

}  // namespace
}  // namespace exarch
