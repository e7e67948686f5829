#include "host/store/store_file.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"

namespace exarch {

using sqlite::Statement;

namespace {

constexpr std::size_t kLongestShown = 80;

std::int64_t application_id(StoreKind kind) {
  return kind == StoreKind::run ? 0x45584152 : 0x45584153;  // "EXAR", "EXAS"
}

const char* name_of(StoreKind kind) {
  return kind == StoreKind::run ? "a run store" : "a study's store";
}

[[noreturn]] void fail_not_a_store(const std::string& path) {
  throw Error(path + ": not an exarch store; choose another file");
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

// One writer per store, for as long as it is open: SQLite itself only keeps two transactions apart, not two runs. The lock
// is a flock() on a file beside the store, so it ends with the process however that dies; a file left behind by a kill is
// taken over. (A lock on the store file itself would not do: closing its descriptor would drop SQLite's own locks.)
class StoreFile::WriterLock {
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

bool is_store_of(const std::filesystem::path& path, StoreKind kind) {
  constexpr std::streamoff kApplicationIdOffset = 68;  // of SQLite's file header, big-endian
  std::ifstream file(path, std::ios::binary);
  unsigned char id[4]{};
  if (!file.seekg(kApplicationIdOffset) || !file.read(reinterpret_cast<char*>(id), sizeof id)) return false;
  return application_id(kind) == (std::int64_t{id[0]} << 24 | id[1] << 16 | id[2] << 8 | id[3]);
}

StoreFile::StoreFile(const std::filesystem::path& path, const Format& format, const Identity& identity,
                     const std::function<void(StoreFile&)>& create)
    : path_(path.string()) {
  if (path_.empty()) throw Error("a store needs a file name");
  refuse_foreign(path_);
  lock_ = std::make_unique<WriterLock>(path_);
  db_ = sqlite::open(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  // The tables, the identity and the marks of a store appear in one transaction: a kill leaves an empty file or a store.
  resumed_ = sqlite::pragma(path_, db_.get(), "page_count") > 0;
  if (!resumed_) {
    transaction([&] {
      create_tables(format, identity);
      if (create) create(*this);
    });
  }
  check_format(format);
  load_identity();
  check_identity(identity);
  prepare_writing();
}

void StoreFile::check(const std::filesystem::path& path, const Format& format, const Identity& identity) {
  const WriterLock lock(path.string());  // knows what is wrong with the folder
  std::error_code none;
  if (!std::filesystem::exists(path, none)) return;
  if (::access(path.c_str(), W_OK) != 0) throw Error(path.string() + ": cannot write there: " + std::strerror(errno));
  if (std::filesystem::file_size(path, none) == 0) return;
  StoreFile(path, format).check_identity(identity);
}

StoreFile::StoreFile(const std::filesystem::path& path, const Format& format) : path_(path.string()) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw Error(path_ + ": a folder, where a store is needed");
  if (!std::filesystem::exists(path, ignored)) throw Error(path_ + ": no such store; check the name");
  refuse_foreign(path_);
  db_ = sqlite::open(path_, SQLITE_OPEN_READONLY);
  if (sqlite::pragma(path_, db_.get(), "page_count") == 0) fail_not_a_store(path_);
  check_format(format);
  // One snapshot for everything that is read, even while a run goes on writing.
  run("BEGIN");
  load_identity();
}

// A finished store goes back to one plain file that can be read from anywhere, without -wal and -shm beside it. With
// readers attached it stays in WAL mode, which is as good.
StoreFile::~StoreFile() {
  if (lock_ == nullptr || db_ == nullptr) return;
  sqlite3_busy_timeout(db_.get(), 0);
  sqlite3_exec(db_.get(), "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr);
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

void StoreFile::create_tables(const Format& format, const Identity& identity) const {
  run("CREATE TABLE manifest(position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL);"
      "CREATE TABLE note(key TEXT PRIMARY KEY, value TEXT NOT NULL);" +
      format.tables + "PRAGMA application_id = " + std::to_string(application_id(format.kind)) +
      ";PRAGMA user_version = " + std::to_string(format.version) + ";");
  Statement manifest = prepare("INSERT INTO manifest(position, key, value) VALUES(?, ?, ?)");
  for (std::size_t i = 0; i < identity.size(); ++i) {
    manifest.bind(static_cast<std::int64_t>(i));
    manifest.bind(std::string_view(identity[i].first));
    manifest.bind(std::string_view(identity[i].second));
    manifest.step();
  }
}

void StoreFile::load_identity() {
  Statement manifest = prepare("SELECT key, value FROM manifest ORDER BY position");
  while (manifest.step()) identity_.emplace_back(manifest.text(0), manifest.text(1));
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
void StoreFile::prepare_writing() const {
  Statement mode = prepare("PRAGMA journal_mode = WAL");
  if (!mode.step() || mode.text(0) != "wal") {
    throw Error(path_ + ": the file system cannot share a store between a run and its readers " +
                "(SQLite's WAL mode); choose a file on a local disk");
  }
  run("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -16000");
}

std::string StoreFile::identity_value(const std::string& key) const {
  std::vector<std::string> keys;
  for (const auto& [name, value] : identity_) {
    if (name == key) return value;
    keys.push_back(name);
  }
  throw Error(path_ + ": the store does not say '" + key + "'" + did_you_mean(key, keys));
}

void StoreFile::note(const std::string& key, const std::string& value) {
  const auto write = [&] {
    Statement row = prepare(
        "INSERT INTO note(key, value) VALUES(?, ?) "
        "ON CONFLICT(key) DO UPDATE SET value = excluded.value");
    row.bind(std::string_view(key));
    row.bind(std::string_view(value));
    row.step();
  };
  if (in_transaction_) {
    write();
  } else {
    transaction(write);
  }
}

std::vector<std::pair<std::string, std::string>> StoreFile::notes() const {
  Statement row = prepare("SELECT key, value FROM note ORDER BY rowid");
  std::vector<std::pair<std::string, std::string>> notes;
  while (row.step()) notes.emplace_back(row.text(0), row.text(1));
  return notes;
}

void StoreFile::transaction(const std::function<void()>& body) {
  require(lock_ != nullptr, "a write to a store opened for reading");
  require(!in_transaction_, "a transaction inside a transaction");
  run("BEGIN IMMEDIATE");
  in_transaction_ = true;
  try {
    body();
    run("COMMIT");
    in_transaction_ = false;
  } catch (...) {
    // After some errors SQLite has rolled back by itself; then this fails, and nothing is lost.
    sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    in_transaction_ = false;
    throw;
  }
}

void StoreFile::require(bool condition, const char* what) const {
  if (!condition) throw std::logic_error(path_ + ": " + what);
}

}  // namespace exarch
