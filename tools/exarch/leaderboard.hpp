// The best designs of a run store.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "tools/exarch/common.hpp"

namespace exarch::cli {

// The best lines of a workload. Candidates with the same result and the same price are one line, placed by cost, then by result,
// then by its first candidate. A line that falls off the end never comes back, so the board need not hold more than it shows.
class Leaderboard {
 public:
  struct Entry {
    double value;
    Design design;  // the first with this result and price
    std::vector<double> metrics;
    std::vector<std::uint64_t> counters;
    std::uint64_t candidates;  // how many share it
  };
  using Key = std::tuple<double, ResultId, std::uint64_t>;  // cost, result, first candidate

  explicit Leaderboard(std::size_t lines) : lines_(lines) {}

  void offer(const Score& score, ResultId id, std::uint64_t candidate, const Design& design, const std::vector<double>& metrics,
             std::span<const std::uint64_t> counters);

  [[nodiscard]] const std::map<Key, Entry>& entries() const { return entries_; }

 private:
  std::size_t lines_;
  std::map<Key, Entry> entries_;
};

// The objective that a store is looked at by: the one given, else the search's own, else what a sweep kept its best by or a truth
// store was made for, else the environment's first. Of a search with several objectives: the first, under the constraints of all,
// since the search takes no design that breaks one of them.
[[nodiscard]] Objective objective_for(const OpenedStore& opened, const std::string& given);

// Calls visit(workload, candidate, design, metrics, result) for every candidate of a store, in order.
struct PricedCandidate {
  std::uint32_t workload;
  std::uint64_t candidate;
  ResultId result;
  const Design& design;
  const std::vector<double>& metrics;  // of a failed run: without meaning
  ResultTable::Row row;
};
void for_each_priced(const OpenedStore& opened, const std::function<void(const PricedCandidate&)>& visit);

}  // namespace exarch::cli
