#include "host/store/run_store.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "host/error.hpp"

namespace exarch {
namespace {

constexpr std::int64_t kApplicationId = 0x45584152;  // "EXAR"
constexpr int kBusyTimeoutMs = 10'000;
constexpr std::size_t kLongestShown = 80;

std::int64_t as_signed(std::uint64_t value) {
  return std::bit_cast<std::int64_t>(value);
}
std::uint64_t as_unsigned(std::int64_t value) {
  return std::bit_cast<std::uint64_t>(value);
}

// --- Errors ----------------------------------------------------------------------------------

std::string advice(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return "; the disk is full: free some space and start again, everything up to the last "
             "commit is kept";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "; another process is using the store: wait for it to end, or choose another file";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return "; it cannot be written: check the permissions of the file and of its folder";
    case SQLITE_CANTOPEN:
      return "; check that the path is a file in an existing folder, and its permissions";
    case SQLITE_NOTADB:
      return "; this is not an exarch store: choose another file";
    case SQLITE_CORRUPT:
      return "; the store is damaged: restore a copy, or delete the file and start again";
    case SQLITE_IOERR:
      return "; the operating system refused to read or write: check the disk and its quota, then "
             "start again, everything up to the last commit is kept";
    default:
      return "";
  }
}

[[noreturn]] void fail(const std::string& path, sqlite3* db, int code) {
  std::string text = path + ": " + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  const int cause = db != nullptr ? sqlite3_system_errno(db) : 0;
  const int kind = code & 0xFF;
  if (cause != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN || kind == SQLITE_FULL)) {
    text += " (" + std::system_category().message(cause) + ")";
  }
  throw Error(text + advice(code));
}

[[noreturn]] void fail_damaged(const std::string& path, const std::string& what) {
  throw Error(path + ": " + what + advice(SQLITE_CORRUPT));
}

[[noreturn]] void fail_not_a_store(const std::string& path) {
  throw Error(path + ": not an exarch store; choose another file");
}

// --- Blobs: little-endian arrays, whatever the machine -----------------------------------------

template <class T>
using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint16_t>>;

template <class T>
void encode(std::span<const T> values, std::string& blob) {
  blob.resize(values.size() * sizeof(T));
  char* out = blob.data();
  for (const T value : values) {
    const auto bits = std::bit_cast<Bits<T>>(value);
    for (std::size_t b = 0; b < sizeof(T); ++b) *out++ = static_cast<char>(bits >> (8 * b));
  }
}

template <class T>
std::vector<T> decode(const std::string& path, std::string_view blob) {
  if (blob.size() % sizeof(T) != 0) fail_damaged(path, "an array has a broken length");
  std::vector<T> values(blob.size() / sizeof(T));
  const char* in = blob.data();
  for (T& value : values) {
    Bits<T> bits = 0;
    for (std::size_t b = 0; b < sizeof(T); ++b) {
      const auto byte = static_cast<Bits<T>>(static_cast<unsigned char>(*in++));
      bits = static_cast<Bits<T>>(bits | static_cast<Bits<T>>(byte << (8 * b)));
    }
    value = std::bit_cast<T>(bits);
  }
  return values;
}

// --- SQLite, with errors as exceptions ---------------------------------------------------------

struct DatabaseCloser {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using Database = std::unique_ptr<sqlite3, DatabaseCloser>;

class Statement {
 public:
  Statement() = default;
  Statement(const std::string& path, sqlite3* db, const std::string& sql) : path_(path), db_(db) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(db, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    statement_.reset(statement);
    if (code != SQLITE_OK) fail(path_, db_, code);
  }

  // Parameters are bound in order; texts and blobs must live until step() has returned false.
  void bind(std::int64_t value) { check(sqlite3_bind_int64(statement_.get(), ++bound_, value)); }
  void bind(double value) { check(sqlite3_bind_double(statement_.get(), ++bound_, value)); }
  void bind(std::string_view text) {
    check(sqlite3_bind_text64(statement_.get(), ++bound_, data_of(text), text.size(), SQLITE_STATIC, SQLITE_UTF8));
  }
  void bind_blob(std::string_view bytes) {
    check(sqlite3_bind_blob64(statement_.get(), ++bound_, data_of(bytes), bytes.size(), SQLITE_STATIC));
  }
  void bind_null() { check(sqlite3_bind_null(statement_.get(), ++bound_)); }

  // Whether there is a row. After the last one the statement is ready for its next use.
  bool step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    bound_ = 0;
    if (code != SQLITE_DONE) {
      // The message belongs to the failed call: read it before the reset.
      try {
        fail(path_, db_, code);
      } catch (...) {
        sqlite3_reset(statement_.get());
        throw;
      }
    }
    sqlite3_reset(statement_.get());
    return false;
  }

  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  [[nodiscard]] std::string text(int column) const { return std::string(bytes(column)); }
  // Valid until the next step().
  [[nodiscard]] std::string_view bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_.get(), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return data == nullptr ? std::string_view{} : std::string_view(static_cast<const char*>(data), size);
  }

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  // A null pointer would bind NULL instead of nothing.
  static const char* data_of(std::string_view bytes) { return bytes.empty() ? "" : bytes.data(); }
  void check(int code) {
    if (code == SQLITE_OK) return;
    bound_ = 0;
    fail(path_, db_, code);
  }

  std::string path_;
  sqlite3* db_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  int bound_ = 0;
};

void execute(const std::string& path, sqlite3* db, const std::string& sql) {
  const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(path, db, code);
}

std::int64_t pragma(const std::string& path, sqlite3* db, const std::string& name) {
  Statement statement(path, db, "PRAGMA " + name);
  return statement.step() ? statement.integer(0) : 0;
}

// --- The writer's lock -------------------------------------------------------------------------

// One writer per store, for as long as it is open: SQLite itself only keeps two transactions apart, not two runs. The lock
// is a flock() on a file beside the store, so it ends with the process however that dies; a file left behind by a kill is
// taken over. (A lock on the store file itself would not do: closing its descriptor would drop SQLite's own locks.)
class WriterLock {
 public:
  explicit WriterLock(const std::string& store) : path_(store + "-lock") {
    while (true) {
      fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
      if (fd_ < 0) refuse(store, errno);
      if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        const int cause = errno;
        ::close(fd_);
        if (cause != EWOULDBLOCK) refuse(store, cause);
        throw Error(store + ": another process is writing to this store; wait for it to end, or " + "choose another file");
      }
      if (still_linked()) return;
      ::close(fd_);  // its last owner removed it in between
    }
  }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;
  ~WriterLock() {
    ::unlink(path_.c_str());
    ::close(fd_);
  }

 private:
  [[noreturn]] static void refuse(const std::string& store, int cause) {
    throw Error(store + ": cannot write there: " + std::system_category().message(cause) +
                "; check that the folder exists and its permissions");
  }

  [[nodiscard]] bool still_linked() const {
    struct stat ours {
    }, named{};
    return ::fstat(fd_, &ours) == 0 && ::stat(path_.c_str(), &named) == 0 && ours.st_ino == named.st_ino &&
           ours.st_dev == named.st_dev;
  }

  std::string path_;
  int fd_ = -1;
};

// --- Schema ------------------------------------------------------------------------------------

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
  return "CREATE TABLE manifest(position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, "
         "  value TEXT NOT NULL);"
         "CREATE TABLE layout(kind TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, "
         "  PRIMARY KEY(kind, position));"
         "CREATE TABLE note(key TEXT PRIMARY KEY, value TEXT NOT NULL);"
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
         "  results BLOB NOT NULL, costs BLOB NOT NULL, agent_state BLOB NOT NULL);"
         "PRAGMA application_id = " +
         std::to_string(kApplicationId) +
         ";"
         "PRAGMA user_version = " +
         std::to_string(RunStore::kFormatVersion) + ";";
}

// The part of a long value where it differs from `other`.
std::string excerpt(const std::string& value, const std::string& other) {
  if (value.size() <= kLongestShown) return "'" + value + "'";
  const auto [at, _] = std::mismatch(value.begin(), value.end(), other.begin(), other.end());
  const auto difference = static_cast<std::size_t>(at - value.begin());
  const std::size_t from = std::min(difference - std::min(difference, kLongestShown / 4), value.size() - kLongestShown);
  return std::string(from > 0 ? "'..." : "'") + value.substr(from, kLongestShown) +
         (from + kLongestShown < value.size() ? "...'" : "'");
}

// Throws, naming the first key that differs.
void check_same_run(const std::string& path, const Identity& stored, const Identity& wanted) {
  const auto differ = [&](const std::string& key, const std::string& was, const std::string& now) {
    throw Error(path + ": the store holds another run: " + key + " is " + was + " there and " + now +
                " here; choose another file, or give the same settings");
  };
  for (std::size_t i = 0; i < std::max(stored.size(), wanted.size()); ++i) {
    if (i >= wanted.size()) differ(stored[i].first, excerpt(stored[i].second, ""), "absent");
    if (i >= stored.size()) differ(wanted[i].first, "absent", excerpt(wanted[i].second, ""));
    const auto& [was_key, was] = stored[i];
    const auto& [key, now] = wanted[i];
    if (key != was_key) differ("setting " + std::to_string(i), "'" + was_key + "'", "'" + key + "'");
    if (was != now) differ(key, excerpt(was, now), excerpt(now, was));
  }
}

void check_same_columns(const std::string& path, const std::vector<std::string>& stored, const std::vector<std::string>& wanted) {
  if (stored == wanted) return;
  const auto [was, now] = std::mismatch(stored.begin(), stored.end(), wanted.begin(), wanted.end());
  throw Error(path + ": the store holds another run: column " + (was == stored.end() ? "(none)" : "'" + *was + "'") +
              " there is " + (now == wanted.end() ? "(none)" : "'" + *now + "'") + " here; choose another file");
}

}  // namespace

// --- The store ---------------------------------------------------------------------------------

struct RunStore::Impl {
  // What the next rows are numbered; restored when a transaction is rolled back.
  struct Progress {
    std::uint64_t results = 0;
    std::uint32_t generations = 0;
    std::map<std::uint32_t, std::uint64_t> points;  // by workload
  };

  std::string path;
  std::unique_ptr<WriterLock> lock;  // released after the database is closed
  Database db;
  bool resumed = false, in_transaction = false;
  Identity identity;
  Layout layout;
  Progress progress;
  Statement insert_result, insert_points, insert_generation;
  std::string genes_blob, results_blob, costs_blob;  // reused

  explicit Impl(const std::filesystem::path& file) : path(file.string()) {}
  ~Impl() { close(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  [[nodiscard]] Statement prepare(const std::string& sql) const { return {path, db.get(), sql}; }
  void run(const std::string& sql) const { execute(path, db.get(), sql); }

  void open(int flags) {
    if (path.empty()) throw Error("a run store needs a file name");
    sqlite3* handle = nullptr;
    // One thread at a time uses a store, so SQLite need not lock its own structures.
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    db.reset(handle);
    if (code != SQLITE_OK) fail(path, handle, code);
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  }

  // A finished store goes back to one plain file that can be read from anywhere, without -wal and -shm beside it. With
  // readers attached it stays in WAL mode, which is as good.
  void close() {
    if (db == nullptr) return;
    for (Statement* s : {&insert_result, &insert_points, &insert_generation}) *s = Statement();
    if (lock != nullptr) {
      sqlite3_busy_timeout(db.get(), 0);
      sqlite3_exec(db.get(), "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr);
    }
    db.reset();
  }

  void check_is_store() const {
    if (pragma(path, db.get(), "application_id") != kApplicationId) fail_not_a_store(path);
    const std::int64_t version = pragma(path, db.get(), "user_version");
    if (version != kFormatVersion) {
      throw Error(path + ": a store of format version " + std::to_string(version) + "; this program reads version " +
                  std::to_string(kFormatVersion) + ": use the exarch release that wrote it, or choose another file");
    }
  }

  void create(const Identity& wanted, const Layout& columns) const {
    run(schema(columns));
    Statement manifest = prepare("INSERT INTO manifest(position, key, value) VALUES(?, ?, ?)");
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      manifest.bind(static_cast<std::int64_t>(i));
      manifest.bind(std::string_view(wanted[i].first));
      manifest.bind(std::string_view(wanted[i].second));
      manifest.step();
    }
    write_layout("parameter", columns.parameters);
    write_layout("counter", columns.counters);
  }

  void write_layout(std::string_view kind, const std::vector<std::string>& names) const {
    Statement row = prepare("INSERT INTO layout(kind, position, name) VALUES(?, ?, ?)");
    for (std::size_t i = 0; i < names.size(); ++i) {
      row.bind(kind);
      row.bind(static_cast<std::int64_t>(i));
      row.bind(std::string_view(names[i]));
      row.step();
    }
  }

  [[nodiscard]] std::vector<std::string> read_layout(std::string_view kind) const {
    Statement row = prepare("SELECT name FROM layout WHERE kind = ? ORDER BY position");
    row.bind(kind);
    std::vector<std::string> names;
    while (row.step()) names.push_back(row.text(0));
    return names;
  }

  void load() {
    Statement manifest = prepare("SELECT key, value FROM manifest ORDER BY position");
    while (manifest.step()) identity.emplace_back(manifest.text(0), manifest.text(1));
    layout = {read_layout("parameter"), read_layout("counter")};

    Statement results = prepare("SELECT max(id) + 1 FROM result");
    if (results.step()) progress.results = as_unsigned(results.integer(0));
    Statement generations = prepare("SELECT max(generation) + 1 FROM generation");
    if (generations.step()) progress.generations = static_cast<std::uint32_t>(generations.integer(0));
    // With max(), SQLite takes the bare columns from the row of the maximum.
    Statement points = prepare("SELECT workload, max(first), length(results) / 4 FROM points GROUP BY workload");
    while (points.step()) {
      progress.points[static_cast<std::uint32_t>(points.integer(0))] = as_unsigned(points.integer(1) + points.integer(2));
    }
    Statement swept = prepare("SELECT workload, points FROM swept");
    while (swept.step()) progress.points[static_cast<std::uint32_t>(swept.integer(0))] = as_unsigned(swept.integer(1));
  }

  // In WAL mode readers work while the run writes. synchronous=NORMAL does not wait for the disk at each commit: a killed
  // process loses nothing that was committed, since the operating system has it; a power cut may lose the last commits, but
  // leaves a consistent store to continue from.
  void prepare_writing() {
    Statement mode = prepare("PRAGMA journal_mode = WAL");
    if (!mode.step() || mode.text(0) != "wal") {
      throw Error(path + ": the file system cannot share a store between a run and its readers " +
                  "(SQLite's WAL mode); choose a file on a local disk");
    }
    run("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000");

    const std::size_t columns = 4 + layout.parameters.size() + layout.counters.size();
    std::string marks = "?";
    for (std::size_t i = 0; i < columns; ++i) marks += i + 1 < columns ? ", ?" : "";
    insert_result = prepare("INSERT INTO result VALUES(" + marks + ")");
    insert_points = prepare("INSERT INTO points(workload, first, results) VALUES(?, ?, ?)");
    insert_generation = prepare(
        "INSERT INTO generation(generation, requested, simulated, best_cost, mean_cost, genes, "
        "results, costs, agent_state) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
  }

  // Runs `body` between BEGIN and COMMIT; anything thrown undoes it.
  template <class Body>
  void transaction(Body&& body) {
    const Progress before = progress;
    run("BEGIN IMMEDIATE");
    in_transaction = true;
    try {
      body();
      run("COMMIT");
      in_transaction = false;
    } catch (...) {
      // After some errors SQLite has rolled back by itself; then this fails, and nothing is lost.
      sqlite3_exec(db.get(), "ROLLBACK", nullptr, nullptr, nullptr);
      in_transaction = false;
      progress = before;
      throw;
    }
  }

  // These are mistakes of the program, not of its user.
  void require(bool condition, const char* what) const {
    if (!condition) throw std::logic_error(path + ": " + what);
  }
  void require_transaction() const { require(in_transaction, "a write outside a transaction"); }
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
            .genes = decode<std::uint16_t>(path, row.bytes(1)),
            .results = decode<ResultId>(path, row.bytes(2)),
            .costs = decode<double>(path, row.bytes(3)),
            .requested = as_unsigned(row.integer(4)),
            .simulated = as_unsigned(row.integer(5)),
            .agent_state = row.text(6)};
  }

  static constexpr char kSelectGeneration[] =
      "SELECT generation, genes, results, costs, requested, simulated, agent_state FROM "
      "generation ";
};

RunStore::RunStore(const std::filesystem::path& path, const Identity& identity, const Layout& layout)
    : impl_(std::make_unique<Impl>(path)) {
  check_layout(impl_->path, layout);
  impl_->lock = std::make_unique<WriterLock>(impl_->path);
  impl_->open(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  // The tables, the identity and the marks of a store appear in one transaction: a kill leaves an empty file or a store.
  impl_->resumed = pragma(impl_->path, impl_->db.get(), "page_count") > 0;
  if (!impl_->resumed) impl_->transaction([&] { impl_->create(identity, layout); });
  impl_->check_is_store();
  impl_->load();
  check_same_run(impl_->path, impl_->identity, identity);
  check_same_columns(impl_->path, columns_of(impl_->layout), columns_of(layout));
  check_same_columns(impl_->path, impl_->layout.parameters, layout.parameters);
  impl_->prepare_writing();
}

RunStore::RunStore(const std::filesystem::path& path) : impl_(std::make_unique<Impl>(path)) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw Error(impl_->path + ": no such store; check the name");
  }
  impl_->open(SQLITE_OPEN_READONLY);
  if (pragma(impl_->path, impl_->db.get(), "page_count") == 0) fail_not_a_store(impl_->path);
  impl_->check_is_store();
  // One snapshot for everything that is read, even while a run goes on writing.
  impl_->run("BEGIN");
  impl_->load();
}

RunStore::~RunStore() = default;
RunStore::RunStore(RunStore&&) noexcept = default;
RunStore& RunStore::operator=(RunStore&&) noexcept = default;

const std::string& RunStore::path() const {
  return impl_->path;
}
bool RunStore::resumed() const {
  return impl_->resumed;
}
const Identity& RunStore::identity() const {
  return impl_->identity;
}
const RunStore::Layout& RunStore::layout() const {
  return impl_->layout;
}

std::string RunStore::identity_value(const std::string& key) const {
  std::vector<std::string> keys;
  for (const auto& [name, value] : impl_->identity) {
    if (name == key) return value;
    keys.push_back(name);
  }
  throw Error(impl_->path + ": the store does not say '" + key + "'" + did_you_mean(key, keys));
}

void RunStore::note(const std::string& key, const std::string& value) {
  const auto write = [&] {
    Statement row = impl_->prepare(
        "INSERT INTO note(key, value) VALUES(?, ?) "
        "ON CONFLICT(key) DO UPDATE SET value = excluded.value");
    row.bind(std::string_view(key));
    row.bind(std::string_view(value));
    row.step();
  };
  if (impl_->in_transaction) {
    write();
  } else {
    transaction(write);
  }
}

std::vector<std::pair<std::string, std::string>> RunStore::notes() const {
  Statement row = impl_->prepare("SELECT key, value FROM note ORDER BY rowid");
  std::vector<std::pair<std::string, std::string>> notes;
  while (row.step()) notes.emplace_back(row.text(0), row.text(1));
  return notes;
}

void RunStore::transaction(const std::function<void()>& body) {
  impl_->require(impl_->lock != nullptr, "a write to a store opened for reading");
  impl_->require(!impl_->in_transaction, "a transaction inside a transaction");
  impl_->transaction(body);
}

ResultId RunStore::add_result(const StoredResult& result) {
  impl_->require_transaction();
  impl_->require(
      result.design.size() == impl_->layout.parameters.size() && result.counters.size() == impl_->layout.counters.size(),
      "a result does not fit the store's columns");
  const std::uint64_t id = impl_->progress.results;
  if (id > std::numeric_limits<ResultId>::max()) {
    throw Error(impl_->path + ": the store is full: it holds 2^32 results; split the run");
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
  Statement remove = impl_->prepare("DELETE FROM kept WHERE workload = ?");
  remove.bind(std::int64_t{workload});
  remove.step();
  Statement insert = impl_->prepare("INSERT INTO kept(workload, point, result) VALUES(?, ?, ?)");
  for (const KeptPoint& one : kept) {
    impl_->require_known(std::span(&one.result, 1));
    insert.bind(std::int64_t{workload});
    insert.bind(as_signed(one.point));
    insert.bind(std::int64_t{one.result});
    insert.step();
  }
  Statement swept = impl_->prepare("INSERT OR REPLACE INTO swept(workload, points) VALUES(?, ?)");
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
  Statement row = impl_->prepare(std::string(Impl::kSelectGeneration) + "ORDER BY generation DESC LIMIT 1");
  if (!row.step()) return std::nullopt;
  return impl_->generation_at(row);
}

void RunStore::for_each_result(const std::function<bool(ResultId, const StoredResult&)>& visit,
                               std::optional<std::uint32_t> workload) const {
  Statement row = impl_->prepare(std::string("SELECT * FROM result ") + (workload ? "WHERE workload = ? " : "") + "ORDER BY id");
  if (workload) row.bind(std::int64_t{*workload});
  StoredResult result;
  while (row.step()) {
    impl_->read_result(row, result);
    if (!visit(static_cast<ResultId>(row.integer(0)), result)) return;
  }
}

void RunStore::for_each_points(std::uint32_t workload,
                               const std::function<bool(std::uint64_t, std::span<const ResultId>)>& visit) const {
  Statement row = impl_->prepare("SELECT first, results FROM points WHERE workload = ? ORDER BY first");
  row.bind(std::int64_t{workload});
  while (row.step()) {
    const auto results = decode<ResultId>(impl_->path, row.bytes(1));
    if (!visit(as_unsigned(row.integer(0)), results)) return;
  }
}

std::vector<KeptPoint> RunStore::kept_points(std::uint32_t workload) const {
  Statement row = impl_->prepare("SELECT point, result FROM kept WHERE workload = ? ORDER BY point");
  row.bind(std::int64_t{workload});
  std::vector<KeptPoint> kept;
  while (row.step()) kept.push_back({as_unsigned(row.integer(0)), static_cast<ResultId>(row.integer(1))});
  return kept;
}

void RunStore::for_each_generation(const std::function<bool(const StoredGeneration&)>& visit) const {
  Statement row = impl_->prepare(std::string(Impl::kSelectGeneration) + "ORDER BY generation");
  while (row.step()) {
    if (!visit(impl_->generation_at(row))) return;
  }
}

}  // namespace exarch
