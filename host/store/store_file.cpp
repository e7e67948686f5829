#include "host/store/store_file.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <stdexcept>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "host/store/writer_lock.hpp"

namespace exarch {

using sqlite::Statement;

namespace {

constexpr std::size_t kLongestShown = 80;
constexpr char kPlainFile[] = "PRAGMA journal_mode = DELETE";

std::int64_t application_id(StoreKind kind) {
  return kind == StoreKind::run ? 0x45584152 : 0x45584153;  // "EXAR", "EXAS"
}

const char* name_of(StoreKind kind) {
  return kind == StoreKind::run ? "a run store" : "a study's store";
}

[[noreturn]] void fail_not_a_store(const std::string& path) {
  throw Error(path + ": not an exarch store; choose another file");
}

const std::vector<StoreFile::Table>& own_tables() {
  static const std::vector<StoreFile::Table> kTables{
      {"manifest", "position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL", ""},
      {"note", "position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL", ""},
      {"extent", "name TEXT PRIMARY KEY, rows INTEGER NOT NULL", ""}};
  return kTables;
}

std::vector<StoreFile::Table> all_tables(const StoreFile::Format& format) {
  std::vector<StoreFile::Table> tables = own_tables();
  tables.insert(tables.end(), format.tables.begin(), format.tables.end());
  return tables;
}

std::string create_statement(const StoreFile::Table& table) {
  return "CREATE TABLE " + table.name + "(" + table.columns + ", checksum INTEGER NOT NULL" +
         (table.key.empty() ? "" : ", " + table.key) + ")";
}

std::string absolute_name(const std::filesystem::path& path) {
  return path.empty() ? "" : std::filesystem::absolute(path).string();
}

std::uintmax_t size_of(const std::string& file) {
  std::error_code none;
  const std::uintmax_t size = std::filesystem::file_size(file, none);
  return none ? 0 : size;
}

// SQLite's name for a file that nothing changes while it is read: it then needs no lock and no file beside it.
std::string immutable_uri(const std::string& file) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : file) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::string_view("%?#").find(c) == std::string_view::npos && byte > 0x20 && byte < 0x7F) {
      uri += c;
    } else {
      uri += {'%', kDigits[byte >> 4], kDigits[byte & 15u]};
    }
  }
  return uri + "?immutable=1";
}

std::uint64_t inode_of(const std::string& file) {
  struct stat found {};
  return ::stat(file.c_str(), &found) == 0 ? found.st_ino : 0;
}

// Before SQLite does, which only says that it is no database.
void refuse_foreign(const std::string& path) {
  const std::string foreign = foreign_file(path, {FileKind::run_store, FileKind::study_store, FileKind::sqlite}, "a store");
  if (!foreign.empty()) throw Error(foreign);
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

}  // namespace

bool is_store_of(const std::filesystem::path& path, StoreKind kind) {
  constexpr std::streamoff kApplicationIdOffset = 68;  // of SQLite's file header, big-endian
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return false;  // reading a pipe would wait for its writer
  std::ifstream file(path, std::ios::binary);
  unsigned char id[4]{};
  if (!file.seekg(kApplicationIdOffset) || !file.read(reinterpret_cast<char*>(id), sizeof id)) return false;
  if (application_id(kind) != (std::int64_t{id[0]} << 24 | id[1] << 16 | id[2] << 8 | id[3])) return false;
  return size_of(std::filesystem::weakly_canonical(path, none).string() + "-journal") == 0 || StoreFile::survives_rollback(path);
}

StoreFile::StoreFile(const std::filesystem::path& path, const Format& format, const Identity& identity, const Notes& notes,
                     const std::function<void(StoreFile&)>& create)
    : path_(path.string()), file_(absolute_name(path)) {
  if (path_.empty()) throw Error("a store needs a file name");
  lock_ = std::make_unique<WriterLock>(path_, file_);
  check_one_name();
  refuse_foreign(path_);
  db_ = sqlite::open(path_, file_, SQLITE_OPEN_READWRITE);
  // The tables, all that a store says about itself, and its marks appear in one transaction: a kill leaves an empty file or a
  // store.
  resumed_ = sqlite::pragma(path_, db_.get(), "page_count") > 0;
  if (!resumed_) {
    transaction([&] {
      create_tables(format, identity, notes);
      if (create) create(*this);
    });
  }
  check_format(format);
  load();
  check_identity(identity);
  prepare_writing();
}

void StoreFile::check(const std::filesystem::path& path, const Format& format, const Identity& identity) {
  const WriterLock lock(path.string(), absolute_name(path));
  if (size_of(path) == 0) return;
  StoreFile found(path);
  if (sqlite::pragma(found.path_, found.db_.get(), "page_count") == 0) return;  // killed at its very start
  found.check_format(format);
  found.load();
  found.check_identity(identity);
}

StoreFile::StoreFile(const std::filesystem::path& path) : path_(path.string()), file_(absolute_name(path)) {
  open_to_read();
}

StoreFile::StoreFile(const std::filesystem::path& path, const Format& format) : StoreFile(path) {
  if (sqlite::pragma(path_, db_.get(), "page_count") == 0) {
    throw Error(path_ + ": empty, and not an exarch store; a run that is killed at its very start leaves such a file: " +
                "give the run's command again");
  }
  check_format(format);
  // One snapshot for everything that is read, even while a run goes on writing.
  run("BEGIN");
  load();
}

// A finished store goes back to one plain file that can be read from anywhere, without -wal and -shm beside it. With
// readers attached it stays in WAL mode, which is as good.
StoreFile::~StoreFile() {
  if (db_ == nullptr || abandoned_ || sqlite3_db_readonly(db_.get(), "main") != 0) return;
  const auto quietly = [this](const char* sql) { sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr); };
  sqlite3_busy_timeout(db_.get(), 0);
  if (lock_ == nullptr) {
    // A reader does the same for a run that was killed. While a run goes on it cannot.
    quietly("ROLLBACK");
    quietly("PRAGMA query_only = 0");
  }
  quietly(kPlainFile);
}

void StoreFile::finish() {
  check_place();
  sqlite3_busy_timeout(db_.get(), 0);
  wal_inode_ = 0;  // from here on it may go
  const int code = sqlite3_exec(db_.get(), kPlainFile, nullptr, nullptr, nullptr);
  check_place();
  const int kind = code & 0xFF;
  if (kind != SQLITE_OK && kind != SQLITE_BUSY && kind != SQLITE_LOCKED) sqlite::fail(path_, db_.get(), code);
}

bool StoreFile::survives_rollback(const std::filesystem::path& path) {
  try {
    const StoreFile found(path);
    return sqlite::pragma(found.path_, found.db_.get(), "page_count") > 0;
  } catch (const Error&) {
    return true;  // whoever opens it will hear why it cannot be read
  }
}

// With the right to write, since what a killed run left half done is rolled back by whoever reads it first. Where that right is
// missing SQLite reads without it.
void StoreFile::open_to_read() {
  std::error_code ignored;
  if (std::filesystem::is_directory(file_, ignored)) throw Error(path_ + ": a folder, where a store is needed");
  if (path_.empty() || !std::filesystem::exists(file_, ignored)) {
    if (ignored) throw Error(path_ + ": cannot be read: " + ignored.message() + "; check the permissions of its folder");
    throw Error(path_ + ": no such store; check the name");
  }
  if (!std::filesystem::is_regular_file(file_, ignored)) throw Error(path_ + ": not a regular file, so not an exarch store");
  check_one_name();
  const auto first_read = [this] {
    return sqlite3_exec(db_.get(), "PRAGMA query_only = 1; PRAGMA cell_size_check = 1; SELECT 1 FROM sqlite_schema", nullptr,
                        nullptr, nullptr);
  };
  db_ = sqlite::open(path_, file_, SQLITE_OPEN_READWRITE);
  int code = first_read();
  if (code == SQLITE_OK) return;
  const int kind = code & 0xFF;
  if (kind == SQLITE_NOTADB) refuse_foreign(path_);
  if (kind != SQLITE_READONLY && kind != SQLITE_CANTOPEN && kind != SQLITE_IOERR) sqlite::fail(path_, db_.get(), code);
  for (const char* suffix : {"-wal", "-journal"}) {
    if (size_of(beside(suffix)) == 0) continue;
    throw Error(path_ + ": a run that did not end left a part of this store in " + path_ + suffix +
                ", and taking that over needs to write in this folder, which is not permitted; copy both files to a folder of " +
                "your own, or give the run's command again where it may write");
  }
  if (!in_wal_mode()) sqlite::fail(path_, db_.get(), code);
  db_ = sqlite::open(path_, immutable_uri(file_), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  code = first_read();
  if (code != SQLITE_OK) sqlite::fail(path_, db_.get(), code);
}

bool StoreFile::in_wal_mode() const {
  constexpr std::streamoff kWriteVersion = 18;  // of SQLite's file header
  std::ifstream file(file_, std::ios::binary);
  return file.seekg(kWriteVersion) && file.get() == 2;
}

// Where links lead is where SQLite puts what belongs to a file.
std::string StoreFile::beside(const char* suffix) const {
  std::error_code none;
  const std::filesystem::path real = std::filesystem::weakly_canonical(file_, none);
  return (none ? file_ : real.string()) + suffix;
}

// SQLite keeps a journal beside the name that a file was opened by. Under another name of the same file it would not be seen.
void StoreFile::check_one_name() const {
  struct stat found {};
  if (::stat(file_.c_str(), &found) != 0 || found.st_nlink < 2) return;
  if (!in_wal_mode() || inode_of(beside("-wal")) != 0) return;
  throw Error(path_ +
              ": this file has other names (hard links), and a run that uses one of them, or was killed, keeps a part of " +
              "the store beside that name; use that name, or, if there is no such run, a copy of this file");
}

void StoreFile::check_format(const Format& format) const {
  const std::int64_t id = sqlite::pragma(path_, db_.get(), "application_id");
  if (id != application_id(format.kind)) {
    for (const StoreKind kind : {StoreKind::run, StoreKind::study}) {
      if (id == application_id(kind)) {
        throw Error(path_ + ": " + name_of(kind) + ", where " + name_of(format.kind) + " is needed; choose another file");
      }
    }
    fail_not_a_store(path_);
  }
  const std::int64_t version = sqlite::pragma(path_, db_.get(), "user_version");
  if (version != format.version) {
    throw Error(path_ + ": a store of format version " + std::to_string(version) + "; this program reads version " +
                std::to_string(format.version) + ": use the exarch release that wrote it, or choose another file");
  }
}

void StoreFile::create_tables(const Format& format, const Identity& identity, const Notes& notes) {
  std::string sql;
  for (const Table& table : all_tables(format)) {
    sql += create_statement(table) + ";";
    if (table.name != "extent") rows_[table.name] = 0;
  }
  run(sql + "PRAGMA application_id = " + std::to_string(application_id(format.kind)) +
      ";PRAGMA user_version = " + std::to_string(format.version) + ";");
  write_pairs("manifest", identity);
  write_pairs("note", notes);
}

void StoreFile::write_pairs(const std::string& table, const std::vector<std::pair<std::string, std::string>>& pairs) {
  RowWriter row(*this, table);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    row << static_cast<std::int64_t>(i) << std::string_view(pairs[i].first) << std::string_view(pairs[i].second);
    row.write();
  }
}

void StoreFile::note(const std::string& key, const std::string& value) {
  Notes changed = notes_;
  const auto known = std::ranges::find(changed, key, &Notes::value_type::first);
  if (known == changed.end()) {
    changed.emplace_back(key, value);
  } else {
    known->second = value;
  }
  transaction([&] {
    remove("note", "position >= ?", 0);
    write_pairs("note", changed);
  });
  notes_ = std::move(changed);
}

void StoreFile::load() {
  load_row_counts();
  const auto read = [this](const std::string& table, std::vector<std::pair<std::string, std::string>>& pairs) {
    pairs.clear();
    RowReader row(*this, table, "ORDER BY position");
    while (row.next()) {
      if (row.natural<std::size_t>(0) != pairs.size()) break;
      pairs.emplace_back(row.text(1), row.text(2));
    }
    if (pairs.size() != rows(table)) fail_damaged("rows of " + table + " are missing");
  };
  read("manifest", identity_);
  read("note", notes_);
}

void StoreFile::load_row_counts() {
  rows_.clear();
  RowReader row(*this, "extent", "");
  while (row.next()) rows_[row.text(0)] = row.natural<std::uint64_t>(1);
  committed_rows_ = rows_;
}

void StoreFile::store_row_counts() {
  for (const auto& [table, count] : rows_) {
    const auto before = committed_rows_.find(table);
    if (before != committed_rows_.end() && before->second == count) continue;
    const std::string_view name(table);
    const std::int64_t number = sqlite::as_signed(count);
    sqlite::Checksum sum("extent");
    sum.add(name);
    sum.add(number);
    Statement row = prepare("INSERT OR REPLACE INTO extent VALUES(?, ?, ?)");
    row.bind(name);
    row.bind(number);
    row.bind(sum.value());
    row.step();
  }
}

std::uint64_t StoreFile::rows(const std::string& table) const {
  const auto found = rows_.find(table);
  if (found == rows_.end()) fail_damaged("it does not say how many rows " + table + " has");
  return found->second;
}

void StoreFile::check_tables(const Format& format) const {
  std::map<std::string, std::string> wanted, found;
  const sqlite::Database model = sqlite::open(path_, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY);
  for (const Table& table : all_tables(format)) sqlite::execute(path_, model.get(), create_statement(table));
  const auto list = [this](sqlite3* db, std::map<std::string, std::string>& entries) {
    Statement row(path_, db, "SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_schema");
    while (row.step()) entries[row.text(0)] = row.text(1);
  };
  list(model.get(), wanted);
  list(db_.get(), found);
  for (const auto& [name, sql] : wanted) {
    const auto at = found.find(name);
    if (at == found.end()) fail_damaged(name + " is missing");
    if (at->second != sql) fail_damaged(name + " has other columns than a store of this version");
  }
  for (const auto& entry : found) {
    if (!wanted.contains(entry.first)) fail_damaged(entry.first + " does not belong into a store");
  }
}

// Throws, naming the first key that differs.
void StoreFile::check_identity(const Identity& wanted) const {
  const Identity& stored = identity_;
  const auto differ = [&](const std::string& key, const std::string& was, const std::string& now) {
    throw Error(path_ + ": the store holds another run: " + key + " is " + was + " there and " + now +
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

// In WAL mode readers work while the run writes. synchronous=NORMAL does not wait for the disk at each commit: a killed
// process loses nothing that was committed, since the operating system has it; a power cut may lose the last commits, but
// leaves a consistent store to continue from.
void StoreFile::prepare_writing() {
  Statement mode = prepare("PRAGMA journal_mode = WAL");
  if (!mode.step() || mode.text(0) != "wal") {
    throw Error(path_ + ": the file system cannot share a store between a run and its readers " +
                "(SQLite's WAL mode); choose a file on a local disk");
  }
  run("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000");
}

void StoreFile::abandon(const std::string& what) {
  // Neither its journal nor another file of this name is this run's business any more.
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  abandoned_ = true;
  throw Error(path_ + ": " + what);
}

// A run may go on for days, and its file's name is in everybody's reach. SQLite itself would write on into a file that nobody can
// find any more.
void StoreFile::check_place() {
  switch (lock_->file_state()) {
    case WriterLock::File::there:
      break;
    case WriterLock::File::deleted:
      abandon("the store was deleted while the run went on: all its results are lost; start again");
    case WriterLock::File::replaced:
      abandon("the store was replaced by another file while the run went on: the results of this run are not in it; " +
              std::string("choose another file and start again"));
    case WriterLock::File::moved:
      abandon("the store was moved or renamed while the run went on; move it back, beside " + path_ +
              "-wal which has its latest results, and give the same command again");
  }
  const std::uint64_t wal = inode_of(beside("-wal"));
  if (wal_inode_ == 0 || wal == wal_inode_) {
    wal_inode_ = wal;
    return;
  }
  wal_inode_ = 0;
  throw Error(path_ + "-wal: this part of the store was deleted or replaced while the run went on; " +
              "give the same command again: it goes on from what " + path_ + " has");
}

std::string StoreFile::identity_value(const std::string& key) const {
  std::vector<std::string> keys;
  for (const auto& [name, value] : identity_) {
    if (name == key) return value;
    keys.push_back(name);
  }
  throw Error(path_ + ": the store does not say '" + key + "'" + did_you_mean(key, keys));
}

std::uint64_t StoreFile::identity_number(const std::string& key) const {
  const std::string value = identity_value(key);
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (code != std::errc() || end != value.data() + value.size()) fail_damaged("its '" + key + "' is no whole number");
  return number;
}

void StoreFile::transaction(const std::function<void()>& body) {
  require(lock_ != nullptr, "a write to a store opened for reading");
  require(!in_transaction_, "a transaction inside a transaction");
  run("BEGIN IMMEDIATE");
  in_transaction_ = true;
  try {
    body();
    store_row_counts();
    run("COMMIT");
    in_transaction_ = false;
    committed_rows_ = rows_;
  } catch (...) {
    // After some errors SQLite has rolled back by itself; then this fails, and nothing is lost.
    sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    in_transaction_ = false;
    for (auto& [table, count] : rows_) count = committed_rows_[table];  // in place: writers point there
    throw;
  }
  check_place();
}

void StoreFile::remove(const std::string& table, const std::string& where, std::int64_t number) {
  require_transaction();
  Statement row = prepare("DELETE FROM " + table + " WHERE " + where);
  row.bind(number);
  row.step();
  rows_.at(table) -= static_cast<std::uint64_t>(sqlite3_changes(db_.get()));
}

void StoreFile::require(bool condition, const char* what) const {
  if (!condition) throw std::logic_error(path_ + ": " + what);
}

RowWriter::RowWriter(StoreFile& file, const std::string& table)
    : file_(&file), rows_(&file.rows_.at(table)), empty_(table), sum_(empty_) {
  int columns = 0;
  for (Statement info = file.prepare("PRAGMA table_info(" + table + ")"); info.step();) ++columns;
  std::string marks = "?";
  for (int i = 1; i < columns; ++i) marks += ", ?";
  statement_ = file.prepare("INSERT INTO " + table + " VALUES(" + marks + ")");
}

RowWriter& RowWriter::blob(std::string_view bytes) {
  statement_.bind_blob(bytes);
  sum_.add_blob(bytes);
  return *this;
}

RowWriter& RowWriter::null() {
  statement_.bind_null();
  sum_.add_null();
  return *this;
}

void RowWriter::write() {
  file_->require_transaction();
  statement_.bind(sum_.value());
  sum_ = empty_;
  statement_.step();
  ++*rows_;
}

bool RowReader::next() {
  if (!statement_.step()) return false;
  const int last = statement_.columns() - 1;
  sqlite::Checksum sum(table_);
  for (int c = 0; c < last; ++c) statement_.add_to(sum, c);
  if (sum.value() != statement_.integer(last)) {
    const bool numbered = statement_.is_integer(0);
    file_.fail_damaged((numbered ? "row " + std::to_string(statement_.integer(0)) : "a row") + " of " + table_ +
                       " does not match its checksum");
  }
  return true;
}

}  // namespace exarch
