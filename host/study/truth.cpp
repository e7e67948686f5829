#include "host/study/truth.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include "host/error.hpp"
#include "host/metric/metric.hpp"
#include "kernels/rank/rank.hpp"

namespace exarch {
namespace {

// Calls visit(first, stride, length) for every line of points that differ in one parameter only.
template <class Visit>
void for_each_line(const DesignSpace& space, std::size_t parameter, Visit&& visit) {
  std::uint64_t stride = 1;
  for (std::size_t p = space.dimensions(); p-- > parameter + 1;) stride *= space.values(p).size();
  const std::uint64_t length = space.values(parameter).size();
  for (std::uint64_t block = 0; block < space.size(); block += stride * length) {
    for (std::uint64_t offset = 0; offset < stride; ++offset) visit(block + offset, stride, length);
  }
}

}  // namespace

TruthTable::TruthTable(const Environment& environment, const DesignSpace& space, const Workload& workload,
                       std::span<const std::uint32_t> results, const std::function<Result(std::uint32_t)>& result)
    : environment_(environment),
      sanity_(environment),
      space_(space),
      metric_count_(environment.metrics().size()),
      group_(results.size()) {
  if (results.size() != space.size()) throw std::logic_error("a truth table needs a result for every point");
  check_size(space);
  std::vector<Gene> genes(space.dimensions());
  Design design(space.dimensions());
  std::vector<double> metrics(metric_count_);
  std::map<std::vector<std::uint64_t>, std::uint32_t> group_of_price;  // status and bits of the metrics
  // A result's designs have few prices, and neighbouring points tend to share both.
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> groups_of_result;
  std::vector<std::uint64_t> key(metric_count_ + 1);
  for (std::uint64_t point = 0; point < results.size(); ++point) {
    space.genes_of(point, genes);
    space.design_of(genes, design);
    const Result priced = result(results[point]);
    const std::uint8_t status = priced.first;
    if (status == 0) {
      environment.price(workload, design, priced.second, metrics);
    } else {
      std::ranges::fill(metrics, std::numeric_limits<double>::quiet_NaN());
    }
    std::vector<std::uint32_t>& known = groups_of_result[results[point]];
    const auto same = std::ranges::find_if(known, [&](std::uint32_t g) {
      return status_[g] == status &&
             std::memcmp(metrics_.data() + g * metric_count_, metrics.data(), metric_count_ * sizeof(double)) == 0;
    });
    if (same != known.end()) {
      group_[point] = *same;
      ++designs_[*same];
      continue;
    }
    key[0] = status;
    std::memcpy(key.data() + 1, metrics.data(), metric_count_ * sizeof(double));
    const auto [place, fresh] = group_of_price.try_emplace(key, static_cast<std::uint32_t>(first_.size()));
    if (fresh) {
      first_.push_back(point);
      designs_.push_back(0);
      status_.push_back(status);
      metrics_.insert(metrics_.end(), metrics.begin(), metrics.end());
    }
    known.push_back(place->second);
    group_[point] = place->second;
    ++designs_[place->second];
  }
}

void TruthTable::check_size(const DesignSpace& space) {
  if (space.size() <= std::numeric_limits<std::uint32_t>::max()) return;
  throw Error("space '" + space.name() + "' has " + std::to_string(space.size()) +
              " points; a truth table holds fewer than 2^32: fix some parameters");
}

std::vector<double> TruthTable::costs(const Objective& objective) const {
  std::vector<double> costs(groups());
  for (std::size_t g = 0; g < groups(); ++g) costs[g] = objective.score(metrics(g), ok(g)).cost;
  return costs;
}

std::vector<std::uint32_t> TruthTable::pareto_front() const {
  std::vector<std::uint32_t> sane;
  for (std::uint32_t g = 0; g < groups(); ++g) {
    if (is_sane(g)) sane.push_back(g);
  }
  return front_of(sane);
}

std::vector<std::uint32_t> TruthTable::pareto_front(const Objective& objective) const {
  std::vector<std::uint32_t> feasible;
  for (std::uint32_t g = 0; g < groups(); ++g) {
    if (is_sane(g) && objective.allows(metrics(g))) feasible.push_back(g);
  }
  return front_of(feasible);
}

std::vector<std::uint32_t> TruthTable::front_of(const std::vector<std::uint32_t>& candidates) const {
  const auto tradeoffs = environment_.tradeoffs();
  if (tradeoffs.empty()) return {};
  std::vector<std::vector<double>> columns;
  std::vector<std::span<const double>> objectives;
  for (const std::size_t t : tradeoffs) {
    std::vector<double>& column = columns.emplace_back();
    for (const std::uint32_t g : candidates) column.push_back(metrics(g)[t]);
  }
  for (const auto& column : columns) objectives.emplace_back(column);
  std::vector<std::uint32_t> front = rank::cpu_functions().pareto_front(objectives);
  for (std::uint32_t& g : front) g = candidates[g];
  return front;
}

Ranking::Ranking(const TruthTable& table, const Objective& objective) : table_(table), costs_(table.costs(objective)) {
  std::map<double, std::uint64_t> designs_of_cost;
  for (std::uint32_t g = 0; g < costs_.size(); ++g) {
    if (!std::isfinite(costs_[g])) continue;
    designs_of_cost[costs_[g]] += table.designs(g);
    if (feasible_ == 0 || costs_[g] < costs_[best_]) best_ = g;
    feasible_ += table.designs(g);
  }
  std::uint64_t cheaper = 0;
  for (const auto& [cost, designs] : designs_of_cost) {
    ascending_.push_back(cost);
    cheaper_.push_back(cheaper);
    cheaper += designs;
  }
  if (!designs_of_cost.empty()) optimal_ = designs_of_cost.begin()->second;
}

std::uint64_t Ranking::rank(double cost) const {
  const auto place = std::ranges::lower_bound(ascending_, cost);
  return 1 + (place == ascending_.end() ? feasible_ : cheaper_[static_cast<std::size_t>(place - ascending_.begin())]);
}

double Ranking::relative_regret(double cost) const {
  const double absolute = regret(cost);
  if (absolute == 0) return 0;
  return optimum() == 0 ? kInfinity : absolute / std::abs(optimum());
}

std::vector<Ranking::Importance> Ranking::importance() const {
  const DesignSpace& space = table_.space();
  if (feasible_ != table_.points()) return {};
  const auto count = static_cast<double>(table_.points());
  // Costs far from zero would lose the digits that matter.
  double mean = 0;
  for (std::size_t g = 0; g < costs_.size(); ++g) mean += costs_[g] * static_cast<double>(table_.designs(g));
  mean /= count;
  double variance = 0;
  for (std::size_t g = 0; g < costs_.size(); ++g) {
    variance += (costs_[g] - mean) * (costs_[g] - mean) * static_cast<double>(table_.designs(g));
  }
  variance /= count;
  if (!(variance > 0)) return {};
  std::vector<Importance> importance;
  for (std::size_t p = 0; p < space.dimensions(); ++p) {
    const std::size_t values = space.values(p).size();
    std::vector<double> sum(values);
    double along = 0;  // sum over lines of the squared deviations from the line's mean
    for_each_line(space, p, [&](std::uint64_t first, std::uint64_t stride, std::uint64_t length) {
      double line = 0, squares = 0;
      for (std::uint64_t v = 0; v < length; ++v) {
        const double deviation = cost(first + v * stride) - mean;
        sum[v] += deviation;
        line += deviation;
        squares += deviation * deviation;
      }
      along += squares - line * line / static_cast<double>(length);
    });
    double between = 0;
    for (const double s : sum) {
      const double shift = s * static_cast<double>(values) / count;
      between += shift * shift / static_cast<double>(values);
    }
    importance.push_back({between / variance, std::max(0.0, along / count / variance)});
  }
  return importance;
}

Ranking::LocalOptima Ranking::local_optima() const {
  const DesignSpace& space = table_.space();
  const std::uint64_t points = table_.points();
  std::vector<std::uint32_t> parent(points);  // a forest whose trees become the plateaus
  std::iota(parent.begin(), parent.end(), 0u);
  const auto root = [&parent](std::uint32_t point) {
    while (parent[point] != point) {
      parent[point] = parent[parent[point]];
      point = parent[point];
    }
    return point;
  };
  // Of all neighbours along a line, the cheapest decides whether a move leads down, and equal ones form a chain.
  std::vector<bool> leads_down(points);
  std::vector<std::pair<double, std::uint32_t>> line;
  for (std::size_t p = 0; p < space.dimensions(); ++p) {
    for_each_line(space, p, [&](std::uint64_t first, std::uint64_t stride, std::uint64_t length) {
      if (length == 1) return;
      line.clear();
      for (std::uint64_t v = 0; v < length; ++v) {
        const std::uint64_t point = first + v * stride;
        line.emplace_back(cost(point), static_cast<std::uint32_t>(point));
      }
      std::ranges::sort(line);
      for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i].first > line[0].first) leads_down[line[i].second] = true;
        if (i > 0 && line[i].first == line[i - 1].first) parent[root(line[i].second)] = root(line[i - 1].second);
      }
    });
  }
  std::vector<bool> left(points);  // by root: some design of the plateau leads down
  for (std::uint32_t point = 0; point < points; ++point) {
    if (leads_down[point]) left[root(point)] = true;
  }
  LocalOptima optima{};
  for (std::uint32_t point = 0; point < points; ++point) {
    const double its = cost(point);
    const std::uint32_t plateau = root(point);
    if (!std::isfinite(its) || left[plateau]) continue;
    ++optima.designs;
    if (plateau != point) continue;
    ++optima.plateaus;
    if (its == optimum()) ++optima.global;
  }
  return optima;
}

}  // namespace exarch
