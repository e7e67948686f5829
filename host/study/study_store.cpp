#include "host/study/study_store.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "host/study/plan.hpp"

namespace exarch {
namespace {

using sqlite::as_signed;
using sqlite::as_unsigned;
using sqlite::encode;
using sqlite::Statement;

StoreFile::Format format() {
  return {StoreKind::study,
          StudyStore::kFormatVersion,
          {{"problem",
            "id INTEGER PRIMARY KEY, workload TEXT NOT NULL, objective TEXT NOT NULL, reported_as TEXT NOT NULL, optimum REAL, "
            "best_design TEXT NOT NULL, reported_optimum REAL",
            ""},
           {"configuration",
            "id INTEGER PRIMARY KEY, label TEXT NOT NULL, agent TEXT NOT NULL, population INTEGER NOT NULL, "
            "generations INTEGER NOT NULL, evaluations INTEGER NOT NULL, seeds INTEGER NOT NULL, parameters TEXT NOT NULL",
            ""},
           {"cell",
            "configuration INTEGER NOT NULL, problem INTEGER NOT NULL, improvements BLOB NOT NULL, requested BLOB NOT NULL, "
            "best_point BLOB NOT NULL, reported BLOB NOT NULL, evaluation BLOB NOT NULL, cost BLOB NOT NULL",
            "PRIMARY KEY(configuration, problem)"},
           {"clock", "configuration INTEGER NOT NULL, problem INTEGER NOT NULL, evaluations BLOB NOT NULL, seconds BLOB NOT NULL",
            "PRIMARY KEY(configuration, problem)"}}};
}

template <class T>
std::string blob_of(const std::vector<T>& values) {
  std::string blob;
  encode(std::span<const T>(values), blob);
  return blob;
}

void write_configurations(StoreFile& file, const std::vector<StoredConfiguration>& configurations) {
  RowWriter row(file, "configuration");
  for (std::size_t i = 0; i < configurations.size(); ++i) {
    const StoredConfiguration& c = configurations[i];
    row << static_cast<std::int64_t>(i) << std::string_view(c.label) << std::string_view(c.agent);
    for (const std::uint64_t number : {c.population, c.generations, c.evaluations, c.seeds}) row << as_signed(number);
    row << std::string_view(c.parameters);
    row.write();
  }
}

void write_problems(StoreFile& file, const std::vector<StoredProblem>& problems) {
  RowWriter row(file, "problem");
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const StoredProblem& p = problems[i];
    row << static_cast<std::int64_t>(i);
    for (const std::string* text : {&p.workload, &p.objective, &p.reported_as}) row << std::string_view(*text);
    p.exact ? row << p.optimum : row.null();
    row << std::string_view(p.best_design);
    p.reported_optimum ? row << *p.reported_optimum : row.null();
    row.write();
  }
}

// Numbers as a plan may have them: what is summed and allocated by them stays within bounds.
bool sound(const StoredConfiguration& c) {
  return c.population >= 1 && c.population <= kMaxPopulation && c.evaluations >= 1 && c.evaluations <= kMaxEvaluations &&
         c.generations <= kMaxEvaluations && c.seeds >= 1 && c.seeds <= kMaxSeeds;
}

// What its searches found is what searches can find: ever lower costs, within their evaluations.
bool sound(const StoredCell& cell, const StoredConfiguration& configuration, bool with_reported) {
  const std::size_t seeds = configuration.seeds;
  const std::size_t all = std::accumulate(cell.improvements.begin(), cell.improvements.end(), std::size_t{0});
  if (cell.improvements.size() != seeds || cell.requested.size() != seeds || cell.best_point.size() != seeds ||
      cell.reported.size() != (with_reported ? seeds : 0) || cell.evaluation.size() != all || cell.cost.size() != all) {
    return false;
  }
  for (std::size_t s = 0, i = 0; s < seeds; ++s) {
    if (cell.requested[s] > configuration.evaluations) return false;
    std::uint32_t before = 0;
    double cost = std::numeric_limits<double>::infinity();
    for (const std::size_t end = i + cell.improvements[s]; i < end; ++i) {
      if (cell.evaluation[i] <= before || cell.evaluation[i] > cell.requested[s] || !(cell.cost[i] < cost)) return false;
      before = cell.evaluation[i];
      cost = cell.cost[i];
    }
  }
  return true;
}

}  // namespace

void StudyStore::check(const std::filesystem::path& path, const Identity& identity) {
  StoreFile::check(path, format(), identity);
}

StudyStore::StudyStore(const std::filesystem::path& path, const Identity& identity, const Notes& notes,
                       const std::vector<StoredConfiguration>& configurations, const std::vector<StoredProblem>& problems)
    : file_(path, format(), identity, notes, [&](StoreFile& file) {
        write_configurations(file, configurations);
        write_problems(file, problems);
      }) {
  load();
}

StudyStore::StudyStore(const std::filesystem::path& path) : file_(path, format()) {
  load();
}

void StudyStore::load() {
  file_.check_tables(format());
  RowReader row(file_, "configuration", "ORDER BY id");
  while (row.next()) {
    file_.check(row.natural<std::size_t>(0) == configurations_.size(), "rows of configuration are missing");
    configurations_.push_back({row.text(1), row.text(2), row.natural<std::uint64_t>(3), row.natural<std::uint64_t>(4),
                               row.natural<std::uint64_t>(5), row.natural<std::uint64_t>(6), row.text(7)});
    file_.check(sound(configurations_.back()), "a configuration has numbers that no plan can have");
  }
  RowReader problem(file_, "problem", "ORDER BY id");
  while (problem.next()) {
    file_.check(problem.natural<std::size_t>(0) == problems_.size(), "rows of problem are missing");
    StoredProblem stored{
        problem.text(1), problem.text(2), problem.text(3), problem.real(4), !problem.is_null(4), problem.text(5), {}};
    if (!problem.is_null(6)) stored.reported_optimum = problem.real(6);
    problems_.push_back(std::move(stored));
  }
  file_.check(!configurations_.empty() && configurations_.size() == file_.rows("configuration"),
              "rows of configuration are missing");
  file_.check(!problems_.empty() && problems_.size() == file_.rows("problem"), "rows of problem are missing");
  for (const char* table : {"cell", "clock"}) {
    Statement count = file_.prepare(std::string("SELECT count(*) FROM ") + table);
    if (!count.step() || as_unsigned(count.integer(0)) != file_.rows(table)) {
      file_.fail_damaged(std::string("rows of ") + table + " are missing");
    }
  }
}

void StudyStore::add_cell(std::uint32_t configuration, std::uint32_t problem, const StoredCell& cell) {
  file_.require_transaction();
  file_.require(configuration < configurations_.size() && problem < problems_.size(), "a cell of nothing");
  file_.require(sound(cell, configurations_[configuration], !problems_[problem].reported_as.empty()),
                "a cell that no searches can have");
  const std::string blobs[] = {blob_of(cell.improvements), blob_of(cell.requested),  blob_of(cell.best_point),
                               blob_of(cell.reported),     blob_of(cell.evaluation), blob_of(cell.cost)};
  RowWriter row(file_, "cell");
  row << std::int64_t{configuration} << std::int64_t{problem};
  for (const std::string& blob : blobs) row.blob(blob);
  row.write();
}

void StudyStore::add_clock(std::uint32_t configuration, std::uint32_t problem, const StoredClock& clock) {
  file_.require_transaction();
  const std::string evaluations = blob_of(clock.evaluations), seconds = blob_of(clock.seconds);
  RowWriter row(file_, "clock");
  row << std::int64_t{configuration} << std::int64_t{problem};
  row.blob(evaluations).blob(seconds).write();
}

bool StudyStore::has_cell(std::uint32_t configuration, std::uint32_t problem) const {
  Statement row = file_.prepare("SELECT 1 FROM cell WHERE configuration = ? AND problem = ?");
  row.bind(std::int64_t{configuration});
  row.bind(std::int64_t{problem});
  return row.step();
}

std::optional<StoredClock> StudyStore::clock(std::uint32_t configuration, std::uint32_t problem) const {
  RowReader row(file_, "clock", "WHERE configuration = ? AND problem = ?", configuration, problem);
  if (!row.next()) return std::nullopt;
  StoredClock clock{row.array<std::uint32_t>(2), row.array<double>(3)};
  file_.check(!clock.seconds.empty() && clock.evaluations.size() == clock.seconds.size() &&
                  std::ranges::is_sorted(clock.evaluations) && std::ranges::is_sorted(clock.seconds),
              "a clock is broken");
  return clock;
}

std::uint64_t StudyStore::cell_count() const {
  return file_.rows("cell");
}

void StudyStore::for_each_cell(const std::function<bool(std::uint32_t, std::uint32_t, const StoredCell&)>& visit) const {
  RowReader row(file_, "cell", "ORDER BY configuration, problem");
  std::uint64_t cells = 0;
  for (; row.next(); ++cells) {
    const auto configuration = row.natural<std::uint32_t>(0), problem = row.natural<std::uint32_t>(1);
    file_.check(configuration < configurations_.size() && problem < problems_.size(), "a cell of nothing");
    const StoredCell cell{row.array<std::uint32_t>(2), row.array<std::uint64_t>(3), row.array<std::uint64_t>(4),
                          row.array<double>(5),        row.array<std::uint32_t>(6), row.array<double>(7)};
    file_.check(sound(cell, configurations_[configuration], !problems_[problem].reported_as.empty()), "a cell is broken");
    if (!visit(configuration, problem, cell)) return;
  }
  file_.check(cells == file_.rows("cell"), "rows of cell are missing");
}

}  // namespace exarch
