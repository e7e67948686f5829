// A run store opened for reading, with what is needed to interpret it: its environment, space and workloads. Whatever does not
// fit together is damage, and an Error that names the store.
//
//   Observer quiet;
//   const OpenedStore opened = open_store("sweep.db", quiet);
//   for_each_priced(opened, [&](const PricedCandidate& c) {
//     if (c.row.status == 0) std::printf("%s %g\n", opened.workloads[c.workload]->name.c_str(), c.metrics[0]);
//   });
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/env/environment.hpp"
#include "host/run/observer.hpp"
#include "host/store/run_store.hpp"
#include "host/study/truth.hpp"

namespace exarch {

// A finished or running store.
struct OpenedStore {
  RunStore store;
  const Environment& environment;
  DesignSpace space;
  std::vector<std::shared_ptr<const Workload>> workloads;
  std::string kind;            // "sweep" or "search"
  std::string keep;            // sweep: "all", or what was kept ...
  std::string kept_by;         // ... and by which objective; of a truth store, the one that it was made for
  std::uint64_t sample, seed;  // sweep: 0 = all points in order, else number and seed of sampled points
  std::size_t objectives;      // search: how many
};

// Error for what is no run store, is of another model version, or about workloads whose files have changed.
// Warnings of its workloads go to the observer.
[[nodiscard]] OpenedStore open_store(const std::string& path, Observer& observer);

// Error unless a stored generation is one of a search in this space with so many objectives.
void check_generation(const RunStore& store, const DesignSpace& space, std::size_t objectives,
                      const StoredGeneration& generation);
// Calls visit(generation) for every generation of a search, in order, each checked.
void for_each_generation(const OpenedStore& opened, const std::function<void(const StoredGeneration&)>& visit);

// Statuses and counters of a store's results. Those of one workload are in memory, the one last asked for: candidates come
// workload by workload, while a store may hold millions of results.
class ResultTable {
 public:
  struct Row {
    std::uint8_t status;
    std::span<const std::uint64_t> counters;  // until another workload is asked for
    std::string_view artifact{};              // likewise; "" of a model without
  };
  explicit ResultTable(const RunStore& store) : store_(store) {}
  [[nodiscard]] Row at(std::uint32_t workload, ResultId id);

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;
  void load(std::uint32_t workload);

  const RunStore& store_;
  std::uint32_t workload_ = kNone;
  ResultId first_ = 0;
  std::vector<std::uint32_t> row_of_;    // (result from first_ on)
  std::vector<std::uint8_t> status_;     // (row)
  std::vector<std::uint64_t> counters_;  // (row, counter)
  std::vector<std::string> artifacts_;   // (row) of a store with artifacts
};

// The genes of the i-th candidate of a sweep: of point i, or a counter-based draw.
void sweep_genes(const DesignSpace& space, std::uint64_t sample, std::uint64_t seed, std::uint64_t i, std::span<Gene> genes);

// Calls visit(workload, candidate number, genes, result) for every candidate of a store, in order.
void for_each_candidate(const OpenedStore& opened,
                        const std::function<bool(std::uint32_t, std::uint64_t, std::span<const Gene>, ResultId)>& visit);

// The truth about a workload of a store that holds a whole space; Error for any other store.
[[nodiscard]] TruthTable truth_of(const OpenedStore& opened, std::uint32_t workload);
// The same for one that outlives the store: it refers to `space`, equal to the store's, and no workload.
[[nodiscard]] TruthTable truth_of(const OpenedStore& opened, std::uint32_t workload, const DesignSpace& space);

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

}  // namespace exarch
