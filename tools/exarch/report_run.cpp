#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "host/error.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "host/run/leaderboard.hpp"
#include "host/run/store_writer.hpp"
#include "host/study/statistics.hpp"
#include "kernels/rank/rank.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/report.hpp"
#include "tools/exarch/show.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kCloudPoints = 3000;      // beside the front, per workload
constexpr std::size_t kConvergenceRows = 2000;  // generations shown
constexpr std::size_t kDistributionPoints = 200;

// At most `count` numbers below `size`, evenly spread, the last one included.
std::vector<std::size_t> spread(std::size_t size, std::size_t count) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 1; i <= std::min(size, count); ++i) chosen.push_back(i * size / std::min(size, count) - 1);
  return chosen;
}

// What was seen of a workload.
class Seen {
 public:
  Seen(const OpenedStore& opened, std::size_t top) : opened_(opened), sanity_(opened.environment), board_(top) {}

  void add(const PricedCandidate& candidate, const Objective& objective) {
    const Score score = objective.score(candidate.metrics, candidate.row.status == 0);
    board_.offer(score, candidate.result, candidate.candidate, candidate.design, candidate.metrics, candidate.row.counters,
                 candidate.row.artifact);
    if (std::isfinite(score.cost)) ++designs_of_cost_[score.cost];
    if (candidate.row.status != 0 || !sanity_.holds(candidate.metrics) || !objective.allows(candidate.metrics)) return;
    std::vector<double> at;
    for (const std::size_t t : opened_.environment.tradeoffs()) at.push_back(candidate.metrics[t]);
    if (std::ranges::all_of(at, [](double v) { return std::isfinite(v); })) cloud_.try_emplace(std::move(at), candidate.design);
  }

  [[nodiscard]] const Leaderboard& board() const { return board_; }

  // Points of the cloud that nothing seen beats, and as many of the others as fit.
  [[nodiscard]] Json cloud() const {
    std::vector<const std::pair<const std::vector<double>, Design>*> points;
    for (const auto& point : cloud_) points.push_back(&point);
    std::vector<std::vector<double>> columns(opened_.environment.tradeoffs().size());
    for (const auto* point : points) {
      for (std::size_t t = 0; t < columns.size(); ++t) columns[t].push_back(point->first[t]);
    }
    std::vector<bool> in_front(points.size());
    if (!points.empty()) {
      std::vector<std::span<const double>> objectives(columns.begin(), columns.end());
      for (const std::uint32_t i : rank::cpu_functions().pareto_front(objectives)) in_front[i] = true;
    }
    std::vector<std::size_t> others, chosen;
    for (std::size_t i = 0; i < points.size(); ++i) (in_front[i] ? chosen : others).push_back(i);
    for (const std::size_t i : spread(others.size(), kCloudPoints)) chosen.push_back(others[i]);
    Json json = Json::array();
    for (const std::size_t i : chosen) {
      json.push_back({{"at", points[i]->first},
                      {"front", static_cast<bool>(in_front[i])},
                      {"text", format_design(opened_.environment, points[i]->second)}});
    }
    return json;
  }

  // What share of the designs has at most so much regret, both in %; from the first regret above zero.
  [[nodiscard]] Json distribution() const {
    double all = 0;
    for (const auto& [cost, designs] : designs_of_cost_) all += static_cast<double>(designs);
    const double best = designs_of_cost_.begin()->first;
    std::vector<std::pair<double, double>> points;
    double sum = 0;
    for (const auto& [cost, designs] : designs_of_cost_) {
      sum += static_cast<double>(designs);
      const double regret = relative_regret(cost, best);
      if (regret > 0 && std::isfinite(regret)) points.emplace_back(100 * regret, 100 * sum / all);
    }
    Json json = Json::array();
    for (const std::size_t i : spread(points.size(), kDistributionPoints)) {
      json.push_back({{"regret", points[i].first}, {"share", points[i].second}});
    }
    return json;
  }
  [[nodiscard]] bool any_feasible() const { return !designs_of_cost_.empty(); }

 private:
  const OpenedStore& opened_;
  Sanity sanity_;
  Leaderboard board_;
  std::map<double, std::uint64_t> designs_of_cost_;
  std::map<std::vector<double>, Design> cloud_;  // by trade-offs: the first design that has them
};

Json parameters_of(const OpenedStore& opened, std::vector<std::size_t>& shown) {
  Json json = Json::array();
  for (std::size_t p = 0; p < opened.space.dimensions(); ++p) {
    if (opened.space.values(p).size() == 1) continue;
    shown.push_back(p);
    Json values = Json::array();
    for (const std::int64_t value : opened.space.values(p)) values.push_back(opened.space.parameters()[p].format(value));
    const ParameterInfo& parameter = opened.space.parameters()[p];
    json.push_back({{"name", parameter.name}, {"unit", shown_unit(parameter.unit)}, {"values", values}});
  }
  return json;
}

Json best_of(const OpenedStore& opened, const Leaderboard& board, const std::vector<std::size_t>& shown) {
  const auto metrics = opened.environment.metrics();
  const auto tradeoffs = opened.environment.tradeoffs();
  std::vector<std::size_t> first, listed(tradeoffs.begin(), tradeoffs.end());
  for (std::size_t m = 0; m < std::min<std::size_t>(3, metrics.size()); ++m) first.push_back(m);
  if (listed.empty()) listed = first;
  Json json = Json::array();
  for (const auto& [order, ranked] : board.entries()) {
    const Leaderboard::Line& entry = ranked.item;
    Json places = Json::array(), shown_metrics = Json::object();
    for (const std::size_t p : shown) {
      const auto values = opened.space.values(p);
      places.push_back(std::ranges::find(values, entry.design[p]) - values.begin());
    }
    for (const std::size_t m : listed) shown_metrics[metrics[m].name] = number_or_null(entry.metrics[m]);
    json.push_back({{"value", entry.value},
                    {"metrics", shown_metrics},
                    {"places", places},
                    {"text", format_design(opened.environment, entry.design)}});
    if (const auto& artifact = opened.environment.artifact()) json.back()["artifact"] = {{artifact->name, entry.artifact}};
  }
  return json;
}

// Generation by generation, by the first objective of the search.
Json convergence_of(const OpenedStore& opened, const Objective& objective) {
  Json rows = Json::array();
  double best = std::numeric_limits<double>::infinity();
  std::string design_text;
  Design design(opened.space.dimensions());
  for_each_generation(opened, [&](const StoredGeneration& generation) {
    std::vector<double> costs;
    for (std::size_t c = 0; c < generation.results.size(); ++c) {
      // Of several objectives the first is shown, of designs that are feasible by all.
      const auto its = std::span(generation.costs).subspan(c * opened.objectives, opened.objectives);
      if (!std::ranges::all_of(its, [](double each) { return std::isfinite(each); })) continue;
      const double cost = its[0];
      costs.push_back(cost);
      if (!(cost < best)) continue;
      best = cost;
      opened.space.design_of(std::span(generation.genes).subspan(c * design.size(), design.size()), design);
      design_text = format_design(opened.environment, design);
    }
    std::ranges::sort(costs);
    const bool falling = objective.value_of(1) < 0;  // a higher cost is a lower value
    const auto value = [&](double q) {
      return costs.empty() ? Json() : Json(objective.value_of(quantile(costs, falling ? 1 - q : q)));
    };
    rows.push_back({{"generation", generation.generation},
                    {"requested", generation.requested},
                    {"simulated", generation.simulated},
                    {"best", number_or_null(objective.value_of(best))},
                    {"lower_quartile", value(0.25)},
                    {"median", value(0.5)},
                    {"upper_quartile", value(0.75)},
                    {"design", design_text}});
  });
  Json json = Json::array();
  for (const std::size_t i : spread(rows.size(), kConvergenceRows)) json.push_back(rows[i]);
  return json;
}

Json importance_of(const OpenedStore& opened, const Ranking& ranking) {
  Json json = Json::array();
  const auto importance = ranking.importance();
  for (std::size_t p = 0; p < importance.size(); ++p) {
    if (opened.space.values(p).size() == 1) continue;
    json.push_back(
        {{"parameter", opened.space.parameters()[p].name}, {"alone", importance[p].alone}, {"total", importance[p].total}});
  }
  return json;
}

// What a sweep's store is about, and how far the sweep has come.
std::string sweep_text(const OpenedStore& opened, const Objective& objective) {
  std::uint64_t done = 0;
  for (std::uint32_t w = 0; w < opened.workloads.size(); ++w) done += opened.store.points_done(w);
  const std::uint64_t asked = (opened.sample == 0 ? opened.space.size() : opened.sample) * opened.workloads.size();
  std::string text = opened.sample == 0 ? "All designs of " + opened.space.name()
                                        : with_commas(opened.sample) + " designs drawn from " + opened.space.name();
  if (opened.workloads.size() > 1) text += " on each of " + std::to_string(opened.workloads.size()) + " workloads";
  if (opened.keep != "all") text += "; the store keeps " + opened.keep;
  text += "; seen by " + objective.text() + ".";
  if (done < asked) text += " Incomplete: " + with_commas(done) + " of " + with_commas(asked) + " evaluations so far.";
  return text;
}

// The exact optimum and front of a run's workload, and what decides in its space, from a truth store of the same workload and
// space.
void add_truth(const OpenedStore& opened, const std::string& path, const Objective& objective, Json& workload) {
  const OpenedStore truth = open_run(path);
  const auto same = [&](const std::shared_ptr<const Workload>& w) { return w->identity == opened.workloads[0]->identity; };
  const auto found = std::ranges::find_if(truth.workloads, same);
  if (truth.environment.name() != opened.environment.name() || found == truth.workloads.end()) {
    throw Error(path + ": not about workload '" + opened.workloads[0]->name + "' of " + opened.store.path());
  }
  if (truth.space.to_json() != opened.space.to_json()) {
    throw Error(path + ": about space '" + truth.space.name() + "', the run about '" + opened.space.name() + "'");
  }
  const TruthTable table = truth_of(truth, static_cast<std::uint32_t>(found - truth.workloads.begin()));
  const Ranking ranking(table, objective);
  if (!ranking.feasible()) throw Error(path + ": no design is feasible by " + objective.text());
  workload["optimum"] = objective.value_of(ranking.optimum());
  if (Json importance = importance_of(truth, ranking); !importance.empty()) workload["importance"] = std::move(importance);
  workload["exact_front"] = Json::array();
  for (const std::uint32_t group : table.pareto_front(objective)) {
    std::vector<double> at;
    for (const std::size_t t : table.tradeoffs()) at.push_back(table.metrics(group)[t]);
    const Design design = design_at(table.space(), table.first_point(group));
    workload["exact_front"].push_back({{"at", at}, {"text", format_design(truth.environment, design)}});
  }
}

}  // namespace

std::string shown_unit(const std::string& unit) {
  return unit == "1" ? "" : unit;
}

std::string unit_of(const Environment& environment, const Objective& objective) {
  const std::string product = objective.text().substr(0, objective.text().find(','));  // without constraints
  for (const MetricInfo& metric : environment.metrics()) {
    if (product == "min:" + metric.name || product == "max:" + metric.name) return shown_unit(metric.unit);
  }
  return "";
}

Json run_page(const OpenedStore& opened, const Arguments& arguments) {
  const Environment& environment = opened.environment;
  const Objective objective = objective_for(opened, arguments.text("objective"));
  const bool is_search = opened.kind == "search";
  for (const WorkloadOptions& workload : workloads_from_json(opened.store.identity_value("workloads"), opened.store.path())) {
    refuse_overwriting("--out", arguments.text("out"), workload);
  }
  if (!is_search && arguments.has("truth")) throw UsageError("--truth has no meaning for the report of a sweep");
  std::vector<Seen> seen(opened.workloads.size(), Seen(opened, arguments.number("top", 1, 1000)));
  std::uint64_t candidates = 0;
  {
    Progress progress("candidates", 0);
    for_each_priced(opened, [&](const PricedCandidate& candidate) {
      seen[candidate.workload].add(candidate, objective);
      if (++candidates % 4096 == 0) progress.update(candidates);
    });
  }
  std::string names;
  for (const auto& workload : opened.workloads) names += (names.empty() ? "" : ", ") + workload->name;
  Json json{
      {"kind", opened.kind},
      {"title", environment.name() + ", " + names + ": " +
                    (is_search ? opened.store.identity_value("agent") : "sweep of " + opened.space.name())},
      {"subtitle", is_search ? "A search for " + opened.store.identity_value("objective") + " in " + opened.space.name() + "."
                             : sweep_text(opened, objective)},
      {"objective", objective.text()},
      {"unit", unit_of(environment, objective)},
      {"units", Json::object()},
      {"facts", Json::array()},
      {"tradeoffs", Json::array()},
      {"workloads", Json::array()}};
  const auto add_fact = [&json](const std::string& value, const std::string& name) {
    json["facts"].push_back(Json::array({value, name}));
  };
  add_fact(with_commas(candidates), is_search ? "evaluations" : "designs kept");
  add_fact(with_commas(opened.store.result_count()), opened.keep == "all" ? "simulated runs" : "different results kept");
  add_fact(opened.space.size_text(), "points in the space");
  add_fact(environment.name() + " / " + opened.space.name(), "environment / space");
  std::vector<std::size_t> shown;
  json["parameters"] = parameters_of(opened, shown);
  for (const MetricInfo& metric : environment.metrics()) json["units"][metric.name] = shown_unit(metric.unit);
  for (const std::size_t t : environment.tradeoffs()) {
    json["tradeoffs"].push_back({{"name", environment.metrics()[t].name}, {"unit", shown_unit(environment.metrics()[t].unit)}});
  }
  const bool complete = !is_search && opened.keep == "all" && opened.sample == 0;
  for (std::uint32_t w = 0; w < opened.workloads.size(); ++w) {
    Json workload{{"name", opened.workloads[w]->name}, {"best", best_of(opened, seen[w].board(), shown)}};
    // Stored costs are those of the search's own objective; by another one there is no convergence to show.
    if (is_search && objective.text() == objective_for(opened, "").text())
      workload["convergence"] = convergence_of(opened, objective);
    if (complete && opened.store.points_done(w) == opened.space.size() && seen[w].any_feasible()) {
      workload["distribution"] = seen[w].distribution();
      const TruthTable table = truth_of(opened, w);
      if (Json importance = importance_of(opened, Ranking(table, objective)); !importance.empty()) {
        workload["importance"] = std::move(importance);
      }
    }
    if (!environment.tradeoffs().empty()) workload["cloud"] = seen[w].cloud();
    if (arguments.has("truth")) add_truth(opened, arguments.text("truth"), objective, workload);
    json["workloads"].push_back(std::move(workload));
  }
  json["provenance"] = provenance_of(opened.store);
  return json;
}

}  // namespace exarch::cli
