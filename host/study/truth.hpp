// The truth about a design space on one workload: what every design costs, and so its optimum, its Pareto front, the rank of any
// design, what each parameter contributes, and how many local optima a climber can end in.
//
// Built from the results of all points, each priced once; an objective then costs a pass over the different prices.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "host/env/environment.hpp"

namespace exarch {

class TruthTable {
 public:
  // A result as the caller numbers it: its status and counters, until the next call.
  using Result = std::pair<std::uint8_t, std::span<const std::uint64_t>>;

  // `results`: (point) the result of every point of the space; `result` looks one up.
  TruthTable(const Environment& environment, const DesignSpace& space, const Workload& workload,
             std::span<const std::uint32_t> results, const std::function<Result(std::uint32_t)>& result);

  // Error for a space that is too large for a table.
  static void check_size(const DesignSpace& space);

  [[nodiscard]] const DesignSpace& space() const { return space_; }
  [[nodiscard]] std::uint64_t points() const { return group_.size(); }

  // Designs of one status and one price (all metrics equal) are a group; groups are numbered by their first point.
  [[nodiscard]] std::size_t groups() const { return first_.size(); }
  [[nodiscard]] std::uint32_t group_of(std::uint64_t point) const { return group_[point]; }
  [[nodiscard]] std::uint64_t first_point(std::size_t group) const { return first_[group]; }
  [[nodiscard]] std::uint64_t designs(std::size_t group) const { return designs_[group]; }
  [[nodiscard]] bool ok(std::size_t group) const { return status_[group] == 0; }
  // ok, and nothing that the environment's sanity() speaks against.
  [[nodiscard]] bool is_sane(std::size_t group) const { return ok(group) && sanity_.holds(metrics(group)); }
  [[nodiscard]] std::span<const double> metrics(std::size_t group) const {
    return std::span(metrics_).subspan(group * metric_count_, metric_count_);
  }

  // Indices of the metrics that the Pareto front weighs.
  [[nodiscard]] std::span<const std::size_t> tradeoffs() const { return environment_.tradeoffs(); }

  // (group) by an objective; +infinity where it is infeasible.
  [[nodiscard]] std::vector<double> costs(const Objective& objective) const;
  // The groups on the Pareto front of the environment's trade-offs, by their first point; empty if it has none. Only sane designs
  // are considered and, given an objective, only those that meet its constraints.
  [[nodiscard]] std::vector<std::uint32_t> pareto_front() const;
  [[nodiscard]] std::vector<std::uint32_t> pareto_front(const Objective& objective) const;

 private:
  [[nodiscard]] std::vector<std::uint32_t> front_of(const std::vector<std::uint32_t>& candidates) const;

  const Environment& environment_;
  Sanity sanity_;
  const DesignSpace& space_;
  std::size_t metric_count_;
  std::vector<std::uint32_t> group_;    // (point)
  std::vector<std::uint64_t> first_;    // (group)
  std::vector<std::uint64_t> designs_;  // (group)
  std::vector<std::uint8_t> status_;    // (group)
  std::vector<double> metrics_;         // (group, metric)
};

// A truth table under one objective.
class Ranking {
 public:
  // `table` must outlive it.
  Ranking(const TruthTable& table, const Objective& objective);

  [[nodiscard]] const TruthTable& table() const { return table_; }
  [[nodiscard]] bool feasible() const { return feasible_ > 0; }  // any design at all
  [[nodiscard]] std::uint64_t feasible_designs() const { return feasible_; }

  [[nodiscard]] double cost(std::uint64_t point) const { return costs_[table_.group_of(point)]; }
  [[nodiscard]] std::span<const double> costs() const { return costs_; }  // (group)
  // The best cost, and the group that has it (of several, the one with the first point). Only where feasible().
  [[nodiscard]] double optimum() const { return costs_[best_]; }
  [[nodiscard]] std::uint32_t best_group() const { return best_; }
  [[nodiscard]] std::uint64_t optimal_designs() const { return optimal_; }
  // One more than the number of designs that cost less.
  [[nodiscard]] std::uint64_t rank(double cost) const;
  // How much more than the optimum a cost is; +infinity where infeasible.
  [[nodiscard]] double regret(double cost) const { return cost - optimum(); }
  // The same over the optimum's magnitude.
  [[nodiscard]] double relative_regret(double cost) const;

  // Exact functional analysis of variance over the space, all designs equally likely (Hooker, 2007; Hutter, Hoos and
  // Leyton-Brown, 2014, estimate it from forests). Shares of the cost's variance; empty if a design is infeasible or the cost is
  // constant.
  struct Importance {
    double alone;  // variance of the mean cost given the parameter's value: what it decides by itself
    double total;  // mean variance along the parameter, all others fixed: what it decides in all, with its interactions
  };
  [[nodiscard]] std::vector<Importance> importance() const;  // (parameter)

  // Ends of climbs by one-parameter moves. Designs of equal cost that such moves connect are one plateau; a plateau that no move
  // leaves downwards is a local optimum. Infeasible designs are none.
  struct LocalOptima {
    std::uint64_t plateaus;  // local optima, the global ones included
    std::uint64_t global;    // those of the best cost
    std::uint64_t designs;   // on all of them
  };
  [[nodiscard]] LocalOptima local_optima() const;

 private:
  const TruthTable& table_;
  std::vector<double> costs_;  // (group)
  std::uint32_t best_ = 0;
  std::uint64_t feasible_ = 0, optimal_ = 0;
  std::vector<double> ascending_;       // distinct feasible costs
  std::vector<std::uint64_t> cheaper_;  // (distinct cost) designs that cost less
};

}  // namespace exarch
