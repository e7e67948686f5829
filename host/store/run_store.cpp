#include "host/store/run_store.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string_view>

#include "host/error.hpp"
#include "host/store/store_file.hpp"

namespace exarch {

using sqlite::as_signed;
using sqlite::as_unsigned;
using sqlite::encode;
using sqlite::Statement;

namespace {

std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + '"';
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::vector<std::string> columns_of(const RunStore::Layout& layout) {
  std::vector<std::string> columns = layout.parameters;
  columns.insert(columns.end(), layout.counters.begin(), layout.counters.end());
  return columns;
}

// Parameters and counters are columns of one table, whose names SQL compares without case.
void check_layout(const std::string& path, const RunStore::Layout& layout) {
  std::set<std::string> taken = {"id", "workload", "status", "proof", "artifact", "checksum", "rowid", "oid", "_rowid_"};
  for (const std::string& column : columns_of(layout)) {
    if (column.empty() || column.find('\0') != std::string::npos || !taken.insert(lower(column)).second) {
      throw Error(path + ": '" + column + "' cannot be a column of the results: every parameter " +
                  "and counter needs a name of its own");
    }
  }
}

std::vector<StoreFile::Table> tables_of(const RunStore::Layout& layout) {
  std::string columns;
  for (const std::string& name : columns_of(layout)) columns += quoted(name) + " INTEGER NOT NULL, ";
  columns += "proof BLOB NOT NULL";
  if (!layout.artifact.empty()) columns += ", artifact TEXT NOT NULL";
  return {
      {"layout", "kind TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL", "PRIMARY KEY(kind, position)"},
      {"result", "id INTEGER PRIMARY KEY, workload INTEGER NOT NULL, status INTEGER NOT NULL, " + columns, ""},
      {"points", "workload INTEGER NOT NULL, first INTEGER NOT NULL, results BLOB NOT NULL", "PRIMARY KEY(workload, first)"},
      {"kept", "workload INTEGER NOT NULL, point INTEGER NOT NULL, result INTEGER NOT NULL", "PRIMARY KEY(workload, point)"},
      {"swept", "workload INTEGER PRIMARY KEY, points INTEGER NOT NULL", ""},
      {"generation",
       "generation INTEGER PRIMARY KEY, requested INTEGER NOT NULL, simulated INTEGER NOT NULL, best_cost REAL, mean_cost REAL, "
       "genes BLOB NOT NULL, results BLOB NOT NULL, costs BLOB NOT NULL, agent_state BLOB NOT NULL",
       ""}};
}

StoreFile::Format format_of(const RunStore::Layout& layout) {
  return {StoreKind::run, RunStore::kFormatVersion, tables_of(layout)};
}

void check_same_columns(const std::string& path, const std::vector<std::string>& stored, const std::vector<std::string>& wanted) {
  if (stored == wanted) return;
  const auto [was, now] = std::mismatch(stored.begin(), stored.end(), wanted.begin(), wanted.end());
  throw Error(path + ": the store holds another run: column " + (was == stored.end() ? "(none)" : "'" + *was + "'") +
              " there is " + (now == wanted.end() ? "(none)" : "'" + *now + "'") + " here; choose another file");
}

}  // namespace

struct RunStore::Impl {
  // What the next rows are numbered; restored when a transaction is rolled back.
  struct Progress {
    std::uint64_t results = 0;
    std::uint32_t generations = 0;
    std::map<std::uint32_t, std::uint64_t> points;  // by workload
  };

  StoreFile file;
  Layout layout;
  Progress progress;
  RowWriter insert_result, insert_points, insert_generation;
  std::string genes_blob, results_blob, costs_blob;  // reused

  Impl(const std::filesystem::path& path, const Identity& identity, const Layout& columns, const Notes& notes)
      : file(path, format_of(columns), identity, notes, [&](StoreFile& created) {
          write_layout(created, "parameter", columns.parameters);
          write_layout(created, "counter", columns.counters);
          if (!columns.artifact.empty()) write_layout(created, "artifact", {columns.artifact});
        }) {
    load();
    insert_result = RowWriter(file, "result");
    insert_points = RowWriter(file, "points");
    insert_generation = RowWriter(file, "generation");
  }
  explicit Impl(const std::filesystem::path& path) : file(path, format_of({})) { load(); }

  static void write_layout(StoreFile& file, std::string_view kind, const std::vector<std::string>& names) {
    RowWriter row(file, "layout");
    for (std::size_t i = 0; i < names.size(); ++i) {
      row << kind << static_cast<std::int64_t>(i) << std::string_view(names[i]);
      row.write();
    }
  }

  void load_layout() {
    RowReader row(file, "layout", "ORDER BY kind DESC, position");  // parameters first
    while (row.next()) {
      if (row.text(0) == "artifact") {
        layout.artifact = row.text(2);
        file.check(row.natural<std::size_t>(1) == 0 && !layout.artifact.empty(), "its artifact has no name");
        continue;
      }
      std::vector<std::string>& names = row.text(0) == "parameter" ? layout.parameters : layout.counters;
      file.check(row.natural<std::size_t>(1) == names.size(), "rows of layout are missing");
      names.push_back(row.text(2));
    }
    const std::size_t found = layout.parameters.size() + layout.counters.size() + (layout.artifact.empty() ? 0 : 1);
    file.check(!layout.parameters.empty() && found == file.rows("layout"), "rows of layout are missing");
  }

  // What is there, and that nothing between is missing.
  void load() {
    load_layout();
    file.check_tables(format_of(layout));
    const auto last = [this](const char* query) {
      Statement row = file.prepare(query);
      return row.step() && !row.is_null(0) ? as_unsigned(row.integer(0)) : 0;
    };
    progress.results = file.rows("result");
    file.check(last("SELECT max(id) + 1 FROM result") == progress.results, "rows of result are missing");
    file.check(progress.results <= std::uint64_t{std::numeric_limits<ResultId>::max()} + 1, "it has too many results");
    const std::uint64_t generations = file.rows("generation");
    file.check(last("SELECT max(generation) + 1 FROM generation") == generations, "rows of generation are missing");
    file.check(generations <= std::numeric_limits<std::uint32_t>::max(), "it has too many generations");
    progress.generations = static_cast<std::uint32_t>(generations);
    file.check(last("SELECT count(*) FROM points") == file.rows("points"), "rows of points are missing");
    RowReader swept(file, "swept", "ORDER BY workload");
    std::uint64_t workloads = 0;
    for (; swept.next(); ++workloads) progress.points[workload_of(swept.integer(0))] = swept.natural<std::uint64_t>(1);
    file.check(workloads == file.rows("swept"), "rows of swept are missing");
    file.check(last("SELECT count(*) FROM kept") == file.rows("kept"), "rows of kept are missing");
  }

  void write_points_done(std::uint32_t workload, std::uint64_t done) {
    file.remove("swept", "workload = ?", workload);
    RowWriter row(file, "swept");
    row << std::int64_t{workload} << as_signed(done);
    row.write();
    progress.points[workload] = done;
  }

  [[nodiscard]] std::uint32_t workload_of(std::int64_t number) const {
    file.check(std::in_range<std::uint32_t>(number), "a workload's number is out of range");
    return static_cast<std::uint32_t>(number);
  }

  void check_known(std::span<const ResultId> results) const {
    const auto last = std::max_element(results.begin(), results.end());
    file.check(last == results.end() || *last < progress.results, "a result is referred to that is not there");
  }

  void require(bool condition, const char* what) const { file.require(condition, what); }
  void require_transaction() const { file.require_transaction(); }
  void require_known(std::span<const ResultId> results) const {
    const auto last = std::max_element(results.begin(), results.end());
    require(last == results.end() || *last < progress.results, "an unknown result is referred to");
  }

  void read_result(const RowReader& row, StoredResult& result) const {
    result.workload = workload_of(row.integer(1));
    result.status = row.natural<std::uint8_t>(2);
    result.design.resize(layout.parameters.size());
    result.counters.resize(layout.counters.size());
    int column = 3;
    for (std::int64_t& value : result.design) value = row.integer(column++);
    for (std::uint64_t& value : result.counters) value = as_unsigned(row.integer(column++));
    result.proof = row.bytes(column++);
    if (!layout.artifact.empty()) result.artifact = row.text(column);
  }

  // Columns 3 and 4 are for readers in SQL.
  [[nodiscard]] StoredGeneration generation_at(const RowReader& row) const {
    StoredGeneration generation{.generation = row.natural<std::uint32_t>(0),
                                .genes = row.array<std::uint16_t>(5),
                                .results = row.array<ResultId>(6),
                                .costs = row.array<double>(7),
                                .requested = row.natural<std::uint64_t>(1),
                                .simulated = row.natural<std::uint64_t>(2),
                                .agent_state = std::string(row.bytes(8))};
    check_known(generation.results);
    const std::size_t candidates = generation.genes.size() / layout.parameters.size();
    const auto fits = [](std::size_t size, std::size_t parts) { return parts == 0 ? size == 0 : size > 0 && size % parts == 0; };
    file.check(generation.genes.size() == candidates * layout.parameters.size() && fits(generation.results.size(), candidates) &&
                   fits(generation.costs.size(), candidates),
               "a generation's genes, results and costs do not belong together");
    return generation;
  }
};

RunStore::RunStore(const std::filesystem::path& path, const Identity& identity, const Layout& layout, const Notes& notes) {
  check_layout(path.string(), layout);
  impl_ = std::make_unique<Impl>(path, identity, layout, notes);
  check_same_columns(path.string(), columns_of(impl_->layout), columns_of(layout));
  check_same_columns(path.string(), impl_->layout.parameters, layout.parameters);
  check_same_columns(path.string(), {impl_->layout.artifact}, {layout.artifact});
}

RunStore::RunStore(const std::filesystem::path& path) : impl_(std::make_unique<Impl>(path)) {}

RunStore::~RunStore() = default;
RunStore::RunStore(RunStore&&) noexcept = default;
RunStore& RunStore::operator=(RunStore&&) noexcept = default;

const std::string& RunStore::path() const {
  return impl_->file.path();
}
bool RunStore::resumed() const {
  return impl_->file.resumed();
}
const Identity& RunStore::identity() const {
  return impl_->file.identity();
}
std::string RunStore::identity_value(const std::string& key) const {
  return impl_->file.identity_value(key);
}
const RunStore::Layout& RunStore::layout() const {
  return impl_->layout;
}

std::uint64_t RunStore::identity_number(const std::string& key) const {
  return impl_->file.identity_number(key);
}
const Notes& RunStore::notes() const {
  return impl_->file.notes();
}
void RunStore::note(const std::string& key, const std::string& value) {
  impl_->file.note(key, value);
}
void RunStore::fail_damaged(const std::string& what) const {
  impl_->file.fail_damaged(what);
}
void RunStore::finish() {
  impl_->file.finish();
}

void RunStore::transaction(const std::function<void()>& body) {
  const Impl::Progress before = impl_->progress;
  try {
    impl_->file.transaction(body);
  } catch (...) {
    impl_->progress = before;
    throw;
  }
}

ResultId RunStore::add_result(const StoredResult& result) {
  impl_->require_transaction();
  impl_->require(
      result.design.size() == impl_->layout.parameters.size() && result.counters.size() == impl_->layout.counters.size(),
      "a result does not fit the store's columns");
  const std::uint64_t id = impl_->progress.results;
  if (id > std::numeric_limits<ResultId>::max()) {
    throw Error(impl_->file.path() + ": the store is full: it holds 2^32 results; split the run");
  }
  RowWriter& row = impl_->insert_result;
  row << as_signed(id) << std::int64_t{result.workload} << std::int64_t{result.status};
  for (const std::int64_t value : result.design) row << value;
  for (const std::uint64_t value : result.counters) row << as_signed(value);
  row.blob(result.proof);
  if (!impl_->layout.artifact.empty()) row << std::string_view(result.artifact);
  row.write();
  ++impl_->progress.results;
  return static_cast<ResultId>(id);
}

void RunStore::add_points(std::uint32_t workload, std::uint64_t first, std::span<const ResultId> results) {
  impl_->require_transaction();
  impl_->require(first == points_done(workload), "points are added out of order");
  impl_->require_known(results);
  if (results.empty()) return;
  encode(results, impl_->results_blob);
  RowWriter& row = impl_->insert_points;
  row << std::int64_t{workload} << as_signed(first);
  row.blob(impl_->results_blob).write();
  impl_->write_points_done(workload, first + results.size());
}

void RunStore::keep_points(std::uint32_t workload, std::uint64_t done, std::span<const KeptPoint> kept) {
  impl_->require_transaction();
  impl_->require(done >= points_done(workload), "points are added out of order");
  impl_->file.remove("kept", "workload = ?", workload);
  RowWriter insert(impl_->file, "kept");
  for (const KeptPoint& one : kept) {
    impl_->require_known(std::span(&one.result, 1));
    insert << std::int64_t{workload} << as_signed(one.point) << std::int64_t{one.result};
    insert.write();
  }
  impl_->write_points_done(workload, done);
}

void RunStore::add_generation(const StoredGeneration& generation) {
  impl_->require_transaction();
  impl_->require(generation.generation == impl_->progress.generations, "generations are added out of order");
  impl_->require_known(generation.results);
  const std::size_t candidates = generation.genes.size() / std::max<std::size_t>(1, impl_->layout.parameters.size());
  const std::size_t objectives = candidates == 0 ? 1 : generation.costs.size() / candidates;
  double best = std::numeric_limits<double>::infinity(), sum = 0;
  std::size_t feasible = 0;
  for (std::size_t c = 0; c < candidates; ++c) {
    const double cost = generation.costs[c * objectives];
    if (!std::isfinite(cost)) continue;
    best = std::min(best, cost);
    sum += cost;
    ++feasible;
  }
  encode(std::span<const std::uint16_t>(generation.genes), impl_->genes_blob);
  encode(std::span<const ResultId>(generation.results), impl_->results_blob);
  encode(std::span<const double>(generation.costs), impl_->costs_blob);
  RowWriter& row = impl_->insert_generation;
  row << std::int64_t{generation.generation} << as_signed(generation.requested) << as_signed(generation.simulated);
  if (feasible > 0) {
    row << best << sum / static_cast<double>(feasible);
  } else {
    row.null().null();
  }
  row.blob(impl_->genes_blob).blob(impl_->results_blob).blob(impl_->costs_blob).blob(generation.agent_state).write();
  ++impl_->progress.generations;
}

std::uint64_t RunStore::result_count() const {
  return impl_->progress.results;
}

std::uint64_t RunStore::points_done(std::uint32_t workload) const {
  const auto it = impl_->progress.points.find(workload);
  return it == impl_->progress.points.end() ? 0 : it->second;
}

std::optional<StoredGeneration> RunStore::last_generation() const {
  RowReader row(impl_->file, "generation", "ORDER BY generation DESC LIMIT 1");
  if (!row.next()) return std::nullopt;
  return impl_->generation_at(row);
}

void RunStore::for_each_result(const std::function<bool(ResultId, const StoredResult&)>& visit,
                               std::optional<std::uint32_t> workload) const {
  RowReader row(impl_->file, "result", "ORDER BY id");
  StoredResult result;
  ResultId id = 0;
  for (; row.next(); ++id) {
    impl_->file.check(row.integer(0) == std::int64_t{id}, "rows of result are missing");
    impl_->read_result(row, result);
    if (workload && result.workload != *workload) continue;
    if (!visit(id, result)) return;
  }
  impl_->file.check(id == impl_->progress.results, "rows of result are missing");
}

void RunStore::for_each_points(std::uint32_t workload,
                               const std::function<bool(std::uint64_t, std::span<const ResultId>)>& visit) const {
  RowReader row(impl_->file, "points", "WHERE workload = ? ORDER BY first", workload);
  std::uint64_t next = 0;
  while (row.next()) {
    const auto results = row.array<ResultId>(2);
    impl_->file.check(row.natural<std::uint64_t>(1) == next, "rows of points are missing");
    impl_->check_known(results);
    if (!visit(next, results)) return;
    next += results.size();
  }
  const bool keeps_all = impl_->file.rows("points") > 0;
  impl_->file.check(!keeps_all || next == points_done(workload), "rows of points are missing");
}

std::vector<KeptPoint> RunStore::kept_points(std::uint32_t workload) const {
  RowReader row(impl_->file, "kept", "WHERE workload = ? ORDER BY point", workload);
  std::vector<KeptPoint> kept;
  while (row.next()) {
    kept.push_back({row.natural<std::uint64_t>(1), row.natural<ResultId>(2)});
    impl_->check_known(std::span(&kept.back().result, 1));
    impl_->file.check(kept.back().point < points_done(workload), "a point is kept that was not reached");
  }
  return kept;
}

void RunStore::for_each_generation(const std::function<bool(const StoredGeneration&)>& visit) const {
  RowReader row(impl_->file, "generation", "ORDER BY generation");
  std::uint32_t number = 0;
  for (; row.next(); ++number) {
    const StoredGeneration generation = impl_->generation_at(row);
    impl_->file.check(generation.generation == number, "rows of generation are missing");
    if (!visit(generation)) return;
  }
  impl_->file.check(number == impl_->progress.generations, "rows of generation are missing");
}

}  // namespace exarch
