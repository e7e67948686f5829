// The store of a study: what was planned, and for every configuration and problem what its searches found.
//
// A cell is a configuration under a problem: all its searches, one per seed. Cells are added whole, so a kill loses the open
// transaction and nothing else. docs/store.md describes the tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/store/store_file.hpp"

namespace exarch {

struct StoredProblem {
  std::string workload, objective;
  std::string reported_as;                   // the other objective of the plan, or empty
  double optimum = 0;                        // the best cost there is, if `exact`
  bool exact = false;                        // else nobody knows
  std::string best_design{};                 // one that has it
  std::optional<double> reported_optimum{};  // the best cost by the other objective
};

struct StoredConfiguration {
  std::string label, agent;
  std::uint64_t population, generations, evaluations, seeds;  // as in the plan; generations 0 = no limit
  std::string parameters;                                     // JSON object
};

// What the searches of a cell found.
struct StoredCell {
  std::vector<std::uint32_t> improvements;  // (seed) how many
  std::vector<std::uint64_t> requested;     // (seed) evaluations
  std::vector<std::uint64_t> best_point;    // (seed) of the space; the last improvement's, 0 where there is none
  std::vector<double> reported;             // (seed) cost of that point by the problem's other objective; empty if it has none
  std::vector<std::uint32_t> evaluation;    // (improvement, seed by seed) after how many evaluations
  std::vector<double> cost;                 // (improvement, seed by seed)
};

// How long a search took when its costs were simulated: evaluations made after so many seconds, ascending.
struct StoredClock {
  std::vector<std::uint32_t> evaluations;
  std::vector<double> seconds;
};

class StudyStore {
 public:
  static constexpr int kFormatVersion = 2;

  // Creates the file, or continues it if it holds the same study; as StoreFile does.
  StudyStore(const std::filesystem::path& path, const Identity& identity, const Notes& notes,
             const std::vector<StoredConfiguration>& configurations, const std::vector<StoredProblem>& problems);
  // What that would refuse, without creating anything.
  static void check(const std::filesystem::path& path, const Identity& identity);
  // Opens a finished or running study for reading.
  explicit StudyStore(const std::filesystem::path& path);

  [[nodiscard]] StoreFile& file() { return file_; }
  [[nodiscard]] const StoreFile& file() const { return file_; }
  [[nodiscard]] const std::vector<StoredConfiguration>& configurations() const { return configurations_; }
  [[nodiscard]] const std::vector<StoredProblem>& problems() const { return problems_; }

  // Inside file().transaction():
  void add_cell(std::uint32_t configuration, std::uint32_t problem, const StoredCell& cell);
  void add_clock(std::uint32_t configuration, std::uint32_t problem, const StoredClock& clock);

  [[nodiscard]] bool has_cell(std::uint32_t configuration, std::uint32_t problem) const;
  [[nodiscard]] std::optional<StoredClock> clock(std::uint32_t configuration, std::uint32_t problem) const;
  [[nodiscard]] std::uint64_t cell_count() const;
  // By configuration, then problem; `visit` returns false to stop.
  void for_each_cell(
      const std::function<bool(std::uint32_t configuration, std::uint32_t problem, const StoredCell&)>& visit) const;

 private:
  void load();

  StoreFile file_;
  std::vector<StoredConfiguration> configurations_;
  std::vector<StoredProblem> problems_;
};

}  // namespace exarch
