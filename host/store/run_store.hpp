// The run store: one SQLite file (WAL) that says what was asked, what came back, from which version and with which seed.
//
// Results are stored once per simulated candidate; the points of a sweep and the candidates of a generation refer to them by
// number, so millions of points cost four bytes each. Every write belongs to a transaction(); a kill at any moment loses at
// most the open one. docs/store.md describes the tables.
//
// One thread at a time may use a RunStore, and one writer at a time a file; readers work meanwhile. Mistakes of the caller (a
// write outside a transaction, points out of order) are std::logic_error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/store/store_file.hpp"

namespace exarch {

using ResultId = std::uint32_t;  // from 0, in order of insertion

struct StoredResult {
  std::uint32_t workload;            // index into the store's workload list
  std::vector<std::int64_t> design;  // parameter values that were simulated
  std::uint8_t status;               // 0 = ok
  std::vector<std::uint64_t> counters;
  std::string proof;       // the model's witness, opaque bytes
  std::string artifact{};  // UTF-8; of a store with artifacts
};

struct StoredGeneration {
  std::uint32_t generation;            // from 0
  std::vector<std::uint16_t> genes;    // (candidate, parameter)
  std::vector<ResultId> results;       // (candidate, workload)
  std::vector<double> costs;           // (candidate, objective)
  std::uint64_t requested, simulated;  // cumulative counts
  std::string agent_state;             // after tell()
};

struct KeptPoint {
  std::uint64_t point;
  ResultId result;
};

class RunStore {
 public:
  static constexpr int kFormatVersion = 3;

  struct Layout {
    std::vector<std::string> parameters, counters;
    std::string artifact{};  // its name; "": the model has none
  };

  // Creates the file, or continues it if it holds the same run (resumed() then). Error if it is another run (names the first key
  // that differs and both values), another format version, not a store, or cannot be written.
  // The notes are written with it, and stay those of its first process unless note() replaces one.
  RunStore(const std::filesystem::path& path, const Identity& identity, const Layout& layout, const Notes& notes = {});
  // Opens an existing store for reading (best, export): what it held at that moment, even while a run goes on writing.
  explicit RunStore(const std::filesystem::path& path);
  ~RunStore();
  RunStore(RunStore&&) noexcept;
  RunStore& operator=(RunStore&&) noexcept;

  [[nodiscard]] const std::string& path() const;
  [[nodiscard]] bool resumed() const;
  [[nodiscard]] const Identity& identity() const;
  [[nodiscard]] std::string identity_value(const std::string& key) const;     // Error if absent
  [[nodiscard]] std::uint64_t identity_number(const std::string& key) const;  // Error if absent or no whole number
  [[nodiscard]] const Layout& layout() const;

  [[nodiscard]] const Notes& notes() const;
  void note(const std::string& key, const std::string& value);  // outside transaction(): adds a note, or replaces one
  // Error: the store is damaged, and how. For readers who know more about its rows than the store does.
  [[noreturn]] void fail_damaged(const std::string& what) const;

  // Runs `body` inside one transaction; rolled back if it throws. Disk full and the like throw Error naming the file.
  void transaction(const std::function<void()>& body);
  // Ends writing; Error if the file is no longer where its name says. What is called a success is said after this.
  void finish();

  // Inside transaction():
  ResultId add_result(const StoredResult& result);
  // Points [first, first + results.size()) of workload `workload`; chunks are added in order without gaps.
  void add_points(std::uint32_t workload, std::uint64_t first, std::span<const ResultId> results);
  // For a sweep that keeps only some of its points: `kept`, by point, in place of what was kept of the workload before, with
  // all points below `done` gone through.
  void keep_points(std::uint32_t workload, std::uint64_t done, std::span<const KeptPoint> kept);
  void add_generation(const StoredGeneration& generation);

  [[nodiscard]] std::uint64_t result_count() const;
  [[nodiscard]] std::uint64_t points_done(std::uint32_t workload) const;
  [[nodiscard]] std::optional<StoredGeneration> last_generation() const;

  // In id order / point order / generation order; `visit` returns false to stop. Results of one workload, or of all.
  void for_each_result(const std::function<bool(ResultId, const StoredResult&)>& visit,
                       std::optional<std::uint32_t> workload = std::nullopt) const;
  void for_each_points(std::uint32_t workload,
                       const std::function<bool(std::uint64_t first, std::span<const ResultId>)>& visit) const;
  [[nodiscard]] std::vector<KeptPoint> kept_points(std::uint32_t workload) const;
  void for_each_generation(const std::function<bool(const StoredGeneration&)>& visit) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace exarch
