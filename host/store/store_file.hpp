// What every store is made of: one SQLite file (WAL) with an identity and notes, one writer at a time, all writes in
// transactions. A kill at any moment loses at most the open one. Stores add their tables; docs/store.md describes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/store/sqlite.hpp"

namespace exarch {

// What makes a run this run. Ordered (key, value) pairs; all must be equal for a store to be continued.
using Identity = std::vector<std::pair<std::string, std::string>>;

enum class StoreKind : std::uint8_t { run, study };

// What a file holds; nothing if it is not an exarch store (or cannot be read).
[[nodiscard]] bool is_store_of(const std::filesystem::path& path, StoreKind kind);

class StoreFile {
 public:
  struct Format {
    StoreKind kind;
    int version;
    std::string tables;  // SQL that makes them, beside those for identity and notes
  };

  // Creates the file, or continues it if it holds the same run (resumed() then). `create` fills tables of its own in the
  // transaction that makes them. Error if it is another run (names the first key that differs and both values), another kind or
  // format version, not a store, or cannot be written.
  StoreFile(const std::filesystem::path& path, const Format& format, const Identity& identity,
            const std::function<void(StoreFile&)>& create = {});
  // What the constructor above would refuse, without creating anything: for runs that have much to do before they write.
  static void check(const std::filesystem::path& path, const Format& format, const Identity& identity);
  // Opens an existing store for reading: what it held at that moment, even while a run goes on writing.
  StoreFile(const std::filesystem::path& path, const Format& format);
  ~StoreFile();
  StoreFile(const StoreFile&) = delete;
  StoreFile& operator=(const StoreFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool resumed() const { return resumed_; }
  [[nodiscard]] const Identity& identity() const { return identity_; }
  [[nodiscard]] std::string identity_value(const std::string& key) const;  // Error if absent

  // Free-form notes that do not take part in the identity (machine, command line, wall time).
  void note(const std::string& key, const std::string& value);
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> notes() const;

  // Statements must be gone before the file is.
  [[nodiscard]] sqlite::Statement prepare(const std::string& sql) const { return {path_, db_.get(), sql}; }
  void run(const std::string& sql) const { sqlite::execute(path_, db_.get(), sql); }

  // Runs `body` inside one transaction; rolled back if it throws. Disk full and the like throw Error naming the file.
  void transaction(const std::function<void()>& body);
  // Mistakes of the caller, not of the user: std::logic_error unless `condition`.
  void require(bool condition, const char* what) const;
  void require_transaction() const { require(in_transaction_, "a write outside a transaction"); }

 private:
  class WriterLock;

  void check_format(const Format& format) const;
  void create_tables(const Format& format, const Identity& identity) const;
  void load_identity();
  void check_identity(const Identity& wanted) const;
  void prepare_writing() const;

  std::string path_;
  std::unique_ptr<WriterLock> lock_;  // released after the database is closed
  sqlite::Database db_;
  bool resumed_ = false, in_transaction_ = false;
  Identity identity_;
};

}  // namespace exarch
