#include "host/study/study_store.hpp"

#include <algorithm>
#include <numeric>

namespace exarch {
namespace {

using sqlite::as_signed;
using sqlite::as_unsigned;
using sqlite::decode;
using sqlite::encode;
using sqlite::Statement;

StoreFile::Format format() {
  return {StoreKind::study, StudyStore::kFormatVersion,
          "CREATE TABLE problem(id INTEGER PRIMARY KEY, workload TEXT NOT NULL, objective TEXT NOT NULL, "
          "  reported_as TEXT NOT NULL, optimum REAL, best_design TEXT NOT NULL, reported_optimum REAL);"
          "CREATE TABLE configuration(id INTEGER PRIMARY KEY, label TEXT NOT NULL, agent TEXT NOT NULL, "
          "  population INTEGER NOT NULL, generations INTEGER NOT NULL, evaluations INTEGER NOT NULL, "
          "  seeds INTEGER NOT NULL, parameters TEXT NOT NULL);"
          "CREATE TABLE cell(configuration INTEGER NOT NULL, problem INTEGER NOT NULL, improvements BLOB NOT NULL, "
          "  requested BLOB NOT NULL, best_point BLOB NOT NULL, reported BLOB NOT NULL, evaluation BLOB NOT NULL, "
          "  cost BLOB NOT NULL, PRIMARY KEY(configuration, problem));"
          "CREATE TABLE clock(configuration INTEGER NOT NULL, problem INTEGER NOT NULL, evaluations BLOB NOT NULL, "
          "  seconds BLOB NOT NULL, PRIMARY KEY(configuration, problem));"};
}

template <class T>
std::string blob_of(const std::vector<T>& values) {
  std::string blob;
  encode(std::span<const T>(values), blob);
  return blob;
}

void write_configurations(const StoreFile& file, const std::vector<StoredConfiguration>& configurations) {
  Statement row = file.prepare("INSERT INTO configuration VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < configurations.size(); ++i) {
    const StoredConfiguration& c = configurations[i];
    row.bind(static_cast<std::int64_t>(i));
    row.bind(std::string_view(c.label));
    row.bind(std::string_view(c.agent));
    for (const std::uint64_t number : {c.population, c.generations, c.evaluations, c.seeds}) row.bind(as_signed(number));
    row.bind(std::string_view(c.parameters));
    row.step();
  }
}

void write_problems(const StoreFile& file, const std::vector<StoredProblem>& problems) {
  Statement row = file.prepare("INSERT INTO problem VALUES(?, ?, ?, ?, ?, ?, ?)");
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const StoredProblem& p = problems[i];
    row.bind(static_cast<std::int64_t>(i));
    for (const std::string* text : {&p.workload, &p.objective, &p.reported_as}) row.bind(std::string_view(*text));
    p.exact ? row.bind(p.optimum) : row.bind_null();
    row.bind(std::string_view(p.best_design));
    p.reported_optimum ? row.bind(*p.reported_optimum) : row.bind_null();
    row.step();
  }
}

}  // namespace

void StudyStore::check(const std::filesystem::path& path, const Identity& identity) {
  StoreFile::check(path, format(), identity);
}

StudyStore::StudyStore(const std::filesystem::path& path, const Identity& identity,
                       const std::vector<StoredConfiguration>& configurations, const std::vector<StoredProblem>& problems)
    : file_(path, format(), identity, [&](StoreFile& file) {
        write_configurations(file, configurations);
        write_problems(file, problems);
      }) {
  load();
}

StudyStore::StudyStore(const std::filesystem::path& path) : file_(path, format()) {
  load();
}

void StudyStore::load() {
  Statement row = file_.prepare(
      "SELECT label, agent, population, generations, evaluations, seeds, parameters FROM configuration ORDER BY id");
  while (row.step()) {
    configurations_.push_back({row.text(0), row.text(1), as_unsigned(row.integer(2)), as_unsigned(row.integer(3)),
                               as_unsigned(row.integer(4)), as_unsigned(row.integer(5)), row.text(6)});
  }
  Statement problem = file_.prepare(
      "SELECT workload, objective, reported_as, optimum, optimum IS NOT NULL, best_design, reported_optimum, "
      "reported_optimum IS NOT NULL FROM problem ORDER BY id");
  while (problem.step()) {
    StoredProblem stored{
        problem.text(0), problem.text(1), problem.text(2), problem.real(3), problem.integer(4) != 0, problem.text(5), {}};
    if (problem.integer(7) != 0) stored.reported_optimum = problem.real(6);
    problems_.push_back(std::move(stored));
  }
  const auto broken = [](const StoredConfiguration& c) { return c.seeds == 0 || c.population == 0; };
  if (problems_.empty() || configurations_.empty() || std::ranges::any_of(configurations_, broken)) {
    sqlite::fail_damaged(file_.path(), "the study's tables are broken");
  }
}

void StudyStore::add_cell(std::uint32_t configuration, std::uint32_t problem, const StoredCell& cell) {
  file_.require_transaction();
  file_.require(configuration < configurations_.size() && problem < problems_.size(), "a cell of nothing");
  file_.require(cell.improvements.size() == configurations_[configuration].seeds, "a cell without all its searches");
  const std::string blobs[] = {blob_of(cell.improvements), blob_of(cell.requested),  blob_of(cell.best_point),
                               blob_of(cell.reported),     blob_of(cell.evaluation), blob_of(cell.cost)};
  Statement row = file_.prepare("INSERT INTO cell VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
  row.bind(std::int64_t{configuration});
  row.bind(std::int64_t{problem});
  for (const std::string& blob : blobs) row.bind_blob(blob);
  row.step();
}

void StudyStore::add_clock(std::uint32_t configuration, std::uint32_t problem, const StoredClock& clock) {
  file_.require_transaction();
  const std::string evaluations = blob_of(clock.evaluations), seconds = blob_of(clock.seconds);
  Statement row = file_.prepare("INSERT INTO clock VALUES(?, ?, ?, ?)");
  row.bind(std::int64_t{configuration});
  row.bind(std::int64_t{problem});
  row.bind_blob(evaluations);
  row.bind_blob(seconds);
  row.step();
}

bool StudyStore::has_cell(std::uint32_t configuration, std::uint32_t problem) const {
  Statement row = file_.prepare("SELECT 1 FROM cell WHERE configuration = ? AND problem = ?");
  row.bind(std::int64_t{configuration});
  row.bind(std::int64_t{problem});
  return row.step();
}

std::optional<StoredClock> StudyStore::clock(std::uint32_t configuration, std::uint32_t problem) const {
  Statement row = file_.prepare("SELECT evaluations, seconds FROM clock WHERE configuration = ? AND problem = ?");
  row.bind(std::int64_t{configuration});
  row.bind(std::int64_t{problem});
  if (!row.step()) return std::nullopt;
  StoredClock clock{decode<std::uint32_t>(file_.path(), row.bytes(0)), decode<double>(file_.path(), row.bytes(1))};
  if (clock.seconds.empty() || clock.evaluations.size() != clock.seconds.size())
    sqlite::fail_damaged(file_.path(), "a clock is broken");
  return clock;
}

std::uint64_t StudyStore::cell_count() const {
  Statement row = file_.prepare("SELECT count(*) FROM cell");
  return row.step() ? as_unsigned(row.integer(0)) : 0;
}

void StudyStore::for_each_cell(const std::function<bool(std::uint32_t, std::uint32_t, const StoredCell&)>& visit) const {
  Statement row = file_.prepare(
      "SELECT configuration, problem, improvements, requested, best_point, reported, evaluation, cost FROM cell "
      "ORDER BY configuration, problem");
  const std::string& path = file_.path();
  while (row.step()) {
    const auto configuration = static_cast<std::uint32_t>(row.integer(0)), problem = static_cast<std::uint32_t>(row.integer(1));
    if (configuration >= configurations_.size() || problem >= problems_.size()) sqlite::fail_damaged(path, "a cell of nothing");
    const StoredCell cell{decode<std::uint32_t>(path, row.bytes(2)), decode<std::uint64_t>(path, row.bytes(3)),
                          decode<std::uint64_t>(path, row.bytes(4)), decode<double>(path, row.bytes(5)),
                          decode<std::uint32_t>(path, row.bytes(6)), decode<double>(path, row.bytes(7))};
    const std::size_t seeds = configurations_[configuration].seeds;
    const std::size_t all = std::accumulate(cell.improvements.begin(), cell.improvements.end(), std::size_t{0});
    if (cell.improvements.size() != seeds || cell.requested.size() != seeds || cell.best_point.size() != seeds ||
        cell.reported.size() != (problems_[problem].reported_as.empty() ? 0 : seeds) || cell.evaluation.size() != all ||
        cell.cost.size() != all) {
      sqlite::fail_damaged(path, "a cell is broken");
    }
    if (!visit(configuration, problem, cell)) return;
  }
}

}  // namespace exarch
