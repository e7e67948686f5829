#include "host/store/sqlite.hpp"

#include <sqlite3.h>

#include <cstring>
#include <system_error>

#include "host/error.hpp"
#include "host/files/text.hpp"

namespace exarch::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

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
    case SQLITE_ERROR:     // a table or column is missing: no SQL of this program is wrong
    case SQLITE_TOOBIG:    // lengths beyond all bounds
    case SQLITE_MISMATCH:  // a text where a number belongs
    case SQLITE_CONSTRAINT:
      return "; the store is damaged: restore a copy, or delete the file and start again";
    case SQLITE_IOERR:
      return "; the operating system refused to read or write: check the disk and its quota, then "
             "start again, everything up to the last commit is kept";
    default:
      return "";
  }
}

// A null pointer would bind NULL instead of nothing.
const char* data_of(std::string_view bytes) {
  return bytes.empty() ? "" : bytes.data();
}

}  // namespace

void Checksum::add_bytes(char type, std::string_view bytes) {
  step(type, bytes.size());
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    const std::string_view part = bytes.substr(i, 8);
    std::uint64_t word = 0;
    if (std::endian::native == std::endian::little) {
      std::memcpy(&word, part.data(), part.size());
    } else {
      for (std::size_t b = 0; b < part.size(); ++b) word |= std::uint64_t{static_cast<unsigned char>(part[b])} << (8 * b);
    }
    step(type, word);
  }
}

void fail(const std::string& path, sqlite3* db, int code) {
  std::string text = path + ": " + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  const int cause = db != nullptr ? sqlite3_system_errno(db) : 0;
  const int kind = code & 0xFF;
  if (cause != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN || kind == SQLITE_FULL)) {
    text += " (" + std::system_category().message(cause) + ")";
  }
  throw Error(text + advice(code));
}

void fail_damaged(const std::string& path, const std::string& what) {
  throw Error(path + ": " + what + advice(SQLITE_CORRUPT));
}

void DatabaseCloser::operator()(sqlite3* db) const {
  sqlite3_close(db);
}

Database open(const std::string& path, const std::string& file, int flags) {
  sqlite3* handle = nullptr;
  // SQLite may be built to read any name that begins with "file:" as a URI; one that begins with a folder is none.
  const bool as_given = (flags & SQLITE_OPEN_URI) != 0 || file.starts_with('/');
  // One thread at a time uses a store, so SQLite need not lock its own structures.
  const int code = sqlite3_open_v2((as_given ? file : "./" + file).c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database db(handle);
  if (code != SQLITE_OK) fail(path, handle, code);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  return db;
}

void execute(const std::string& path, sqlite3* db, const std::string& sql) {
  const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(path, db, code);
}

std::int64_t pragma(const std::string& path, sqlite3* db, const std::string& name) {
  Statement statement(path, db, "PRAGMA " + name);
  return statement.step() ? statement.integer(0) : 0;
}

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Statement(const std::string& path, sqlite3* db, const std::string& sql) : path_(path), db_(db) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) fail(path_, db_, code);
}

void Statement::bind(std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), ++bound_, value));
}
void Statement::bind(double value) {
  check(sqlite3_bind_double(statement_.get(), ++bound_, value));
}
void Statement::bind(std::string_view text) {
  check(sqlite3_bind_text64(statement_.get(), ++bound_, data_of(text), text.size(), SQLITE_STATIC, SQLITE_UTF8));
}
void Statement::bind_blob(std::string_view bytes) {
  check(sqlite3_bind_blob64(statement_.get(), ++bound_, data_of(bytes), bytes.size(), SQLITE_STATIC));
}
void Statement::bind_null() {
  check(sqlite3_bind_null(statement_.get(), ++bound_));
}

bool Statement::step() {
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

int Statement::columns() const {
  return sqlite3_column_count(statement_.get());
}
bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}
bool Statement::is_integer(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER;
}
std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}
double Statement::real(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}
std::string Statement::text(int column) const {
  const std::string_view text = bytes(column);
  if (!is_utf8(text)) fail_damaged(path_, "a text is not UTF-8");
  return std::string(text);
}

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data == nullptr ? std::string_view{} : std::string_view(static_cast<const char*>(data), size);
}

void Statement::add_to(Checksum& sum, int column) const {
  switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_INTEGER:
      return sum.add(integer(column));
    case SQLITE_FLOAT:
      return sum.add(real(column));
    case SQLITE_TEXT:
      return sum.add(bytes(column));
    case SQLITE_BLOB:
      return sum.add_blob(bytes(column));
    default:
      return sum.add_null();
  }
}

void Statement::check(int code) {
  if (code == SQLITE_OK) return;
  bound_ = 0;
  fail(path_, db_, code);
}

}  // namespace exarch::sqlite
