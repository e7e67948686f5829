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
using sqlite::decode;
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
  std::set<std::string> taken = {"id", "workload", "status", "proof", "rowid", "oid", "_rowid_"};
  for (const std::string& column : columns_of(layout)) {
    if (column.empty() || column.find('\0') != std::string::npos || !taken.insert(lower(column)).second) {
      throw Error(path + ": '" + column + "' cannot be a column of the results: every parameter " +
                  "and counter needs a name of its own");
    }
  }
}

std::string schema(const RunStore::Layout& layout) {
  std::string columns;
  for (const std::string& name : columns_of(layout)) columns += quoted(name) + " INTEGER NOT NULL, ";
  return "CREATE TABLE layout(kind TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, "
         "  PRIMARY KEY(kind, position));"
         "CREATE TABLE result(id INTEGER PRIMARY KEY, workload INTEGER NOT NULL, "
         "  status INTEGER NOT NULL, " +
         columns +
         "proof BLOB NOT NULL);"
         "CREATE TABLE points(workload INTEGER NOT NULL, first INTEGER NOT NULL, "
         "  results BLOB NOT NULL, PRIMARY KEY(workload, first));"
         "CREATE TABLE kept(workload INTEGER NOT NULL, point INTEGER NOT NULL, "
         "  result INTEGER NOT NULL, PRIMARY KEY(workload, point));"
         "CREATE TABLE swept(workload INTEGER PRIMARY KEY, points INTEGER NOT NULL);"
         "CREATE TABLE generation(generation INTEGER PRIMARY KEY, requested INTEGER NOT NULL, "
         "  simulated INTEGER NOT NULL, best_cost REAL, mean_cost REAL, genes BLOB NOT NULL, "
         "  results BLOB NOT NULL, costs BLOB NOT NULL, agent_state BLOB NOT NULL);";
}

StoreFile::Format format_of(const RunStore::Layout& layout) {
  return {StoreKind::run, RunStore::kFormatVersion, schema(layout)};
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
  Statement insert_result, insert_points, insert_generation;
  std::string genes_blob, results_blob, costs_blob;  // reused

  Impl(const std::filesystem::path& path, const Identity& identity, const Layout& columns)
      : file(path, format_of(columns), identity, [&](StoreFile& created) {
          write_layout(created, "parameter", columns.parameters);
          write_layout(created, "counter", columns.counters);
        }) {
    load();
    const std::size_t width = 4 + layout.parameters.size() + layout.counters.size();
    std::string marks = "?";
    for (std::size_t i = 1; i < width; ++i) marks += ", ?";
    insert_result = file.prepare("INSERT INTO result VALUES(" + marks + ")");
    insert_points = file.prepare("INSERT INTO points(workload, first, results) VALUES(?, ?, ?)");
    insert_generation = file.prepare(
        "INSERT INTO generation(generation, requested, simulated, best_cost, mean_cost, genes, "
        "results, costs, agent_state) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  }
  explicit Impl(const std::filesystem::path& path) : file(path, format_of({})) { load(); }

  static void write_layout(const StoreFile& file, std::string_view kind, const std::vector<std::string>& names) {
    Statement row = file.prepare("INSERT INTO layout(kind, position, name) VALUES(?, ?, ?)");
    for (std::size_t i = 0; i < names.size(); ++i) {
      row.bind(kind);
      row.bind(static_cast<std::int64_t>(i));
      row.bind(std::string_view(names[i]));
      row.step();
    }
  }

  [[nodiscard]] std::vector<std::string> read_layout(std::string_view kind) const {
    Statement row = file.prepare("SELECT name FROM layout WHERE kind = ? ORDER BY position");
    row.bind(kind);
    std::vector<std::string> names;
    while (row.step()) names.push_back(row.text(0));
    return names;
  }

  void load() {
    layout = {read_layout("parameter"), read_layout("counter")};
    Statement results = file.prepare("SELECT max(id) + 1 FROM result");
    if (results.step()) progress.results = as_unsigned(results.integer(0));
    Statement generations = file.prepare("SELECT max(generation) + 1 FROM generation");
    if (generations.step()) progress.generations = static_cast<std::uint32_t>(generations.integer(0));
    // With max(), SQLite takes the bare columns from the row of the maximum.
    Statement points = file.prepare("SELECT workload, max(first), length(results) / 4 FROM points GROUP BY workload");
    while (points.step()) {
      progress.points[static_cast<std::uint32_t>(points.integer(0))] = as_unsigned(points.integer(1) + points.integer(2));
    }
    Statement swept = file.prepare("SELECT workload, points FROM swept");
    while (swept.step()) progress.points[static_cast<std::uint32_t>(swept.integer(0))] = as_unsigned(swept.integer(1));
  }

  void require(bool condition, const char* what) const { file.require(condition, what); }
  void require_transaction() const { file.require_transaction(); }
  void require_known(std::span<const ResultId> results) const {
    const auto last = std::max_element(results.begin(), results.end());
    require(last == results.end() || *last < progress.results, "an unknown result is referred to");
  }

  void read_result(const Statement& row, StoredResult& result) const {
    result.workload = static_cast<std::uint32_t>(row.integer(1));
    result.status = static_cast<std::uint8_t>(row.integer(2));
    result.design.resize(layout.parameters.size());
    result.counters.resize(layout.counters.size());
    int column = 3;
    for (std::int64_t& value : result.design) value = row.integer(column++);
    for (std::uint64_t& value : result.counters) value = as_unsigned(row.integer(column++));
    result.proof = row.bytes(column);
  }

  [[nodiscard]] StoredGeneration generation_at(const Statement& row) const {
    return {.generation = static_cast<std::uint32_t>(row.integer(0)),
            .genes = decode<std::uint16_t>(file.path(), row.bytes(1)),
            .results = decode<ResultId>(file.path(), row.bytes(2)),
            .costs = decode<double>(file.path(), row.bytes(3)),
            .requested = as_unsigned(row.integer(4)),
            .simulated = as_unsigned(row.integer(5)),
            .agent_state = row.text(6)};
  }

  static constexpr char kSelectGeneration[] =
      "SELECT generation, genes, results, costs, requested, simulated, agent_state FROM "
      "generation ";
};

RunStore::RunStore(const std::filesystem::path& path, const Identity& identity, const Layout& layout) {
  check_layout(path.string(), layout);
  impl_ = std::make_unique<Impl>(path, identity, layout);
  check_same_columns(path.string(), columns_of(impl_->layout), columns_of(layout));
  check_same_columns(path.string(), impl_->layout.parameters, layout.parameters);
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

void RunStore::note(const std::string& key, const std::string& value) {
  impl_->file.note(key, value);
}
std::vector<std::pair<std::string, std::string>> RunStore::notes() const {
  return impl_->file.notes();
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
  Statement& row = impl_->insert_result;
  row.bind(as_signed(id));
  row.bind(std::int64_t{result.workload});
  row.bind(std::int64_t{result.status});
  for (const std::int64_t value : result.design) row.bind(value);
  for (const std::uint64_t value : result.counters) row.bind(as_signed(value));
  row.bind_blob(result.proof);
  row.step();
  ++impl_->progress.results;
  return static_cast<ResultId>(id);
}

void RunStore::add_points(std::uint32_t workload, std::uint64_t first, std::span<const ResultId> results) {
  impl_->require_transaction();
  impl_->require(first == points_done(workload), "points are added out of order");
  impl_->require_known(results);
  if (results.empty()) return;
  encode(results, impl_->results_blob);
  Statement& row = impl_->insert_points;
  row.bind(std::int64_t{workload});
  row.bind(as_signed(first));
  row.bind_blob(impl_->results_blob);
  row.step();
  impl_->progress.points[workload] += results.size();
}

void RunStore::keep_points(std::uint32_t workload, std::uint64_t done, std::span<const KeptPoint> kept) {
  impl_->require_transaction();
  impl_->require(done >= points_done(workload), "points are added out of order");
  Statement remove = impl_->file.prepare("DELETE FROM kept WHERE workload = ?");
  remove.bind(std::int64_t{workload});
  remove.step();
  Statement insert = impl_->file.prepare("INSERT INTO kept(workload, point, result) VALUES(?, ?, ?)");
  for (const KeptPoint& one : kept) {
    impl_->require_known(std::span(&one.result, 1));
    insert.bind(std::int64_t{workload});
    insert.bind(as_signed(one.point));
    insert.bind(std::int64_t{one.result});
    insert.step();
  }
  Statement swept = impl_->file.prepare("INSERT OR REPLACE INTO swept(workload, points) VALUES(?, ?)");
  swept.bind(std::int64_t{workload});
  swept.bind(as_signed(done));
  swept.step();
  impl_->progress.points[workload] = done;
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
  Statement& row = impl_->insert_generation;
  row.bind(std::int64_t{generation.generation});
  row.bind(as_signed(generation.requested));
  row.bind(as_signed(generation.simulated));
  if (feasible > 0) {
    row.bind(best);
    row.bind(sum / static_cast<double>(feasible));
  } else {
    row.bind_null();
    row.bind_null();
  }
  row.bind_blob(impl_->genes_blob);
  row.bind_blob(impl_->results_blob);
  row.bind_blob(impl_->costs_blob);
  row.bind_blob(generation.agent_state);
  row.step();
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
  Statement row = impl_->file.prepare(std::string(Impl::kSelectGeneration) + "ORDER BY generation DESC LIMIT 1");
  if (!row.step()) return std::nullopt;
  return impl_->generation_at(row);
}

void RunStore::for_each_result(const std::function<bool(ResultId, const StoredResult&)>& visit,
                               std::optional<std::uint32_t> workload) const {
  Statement row =
      impl_->file.prepare(std::string("SELECT * FROM result ") + (workload ? "WHERE workload = ? " : "") + "ORDER BY id");
  if (workload) row.bind(std::int64_t{*workload});
  StoredResult result;
  while (row.step()) {
    impl_->read_result(row, result);
    if (!visit(static_cast<ResultId>(row.integer(0)), result)) return;
  }
}

void RunStore::for_each_points(std::uint32_t workload,
                               const std::function<bool(std::uint64_t, std::span<const ResultId>)>& visit) const {
  Statement row = impl_->file.prepare("SELECT first, results FROM points WHERE workload = ? ORDER BY first");
  row.bind(std::int64_t{workload});
  while (row.step()) {
    const auto results = decode<ResultId>(impl_->file.path(), row.bytes(1));
    if (!visit(as_unsigned(row.integer(0)), results)) return;
  }
}

std::vector<KeptPoint> RunStore::kept_points(std::uint32_t workload) const {
  Statement row = impl_->file.prepare("SELECT point, result FROM kept WHERE workload = ? ORDER BY point");
  row.bind(std::int64_t{workload});
  std::vector<KeptPoint> kept;
  while (row.step()) kept.push_back({as_unsigned(row.integer(0)), static_cast<ResultId>(row.integer(1))});
  return kept;
}

void RunStore::for_each_generation(const std::function<bool(const StoredGeneration&)>& visit) const {
  Statement row = impl_->file.prepare(std::string(Impl::kSelectGeneration) + "ORDER BY generation");
  while (row.step()) {
    if (!visit(impl_->generation_at(row))) return;
  }
}

}  // namespace exarch
