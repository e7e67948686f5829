// What every store is made of: one SQLite file (WAL) with an identity and notes, one writer at a time, all writes in
// transactions. A kill at any moment loses at most the open one. Stores add their tables; docs/store.md describes them.
//
// A store is input, too: it may be damaged, cut short or edited. Every row carries a checksum that is checked whenever the row is
// read, and how many rows each table has is written down with them. So a store gives the rows that were written, or an Error that
// names the table; it never gives other rows.
//
//   StoreFile file("x.db", {StoreKind::run, 3, {{"point", "id INTEGER PRIMARY KEY, cost REAL", ""}}}, identity, notes);
//   RowWriter points(file, "point");
//   file.transaction([&] { points << std::int64_t{0} << 1.5; points.write(); });
//   RowReader rows(file, "point", "ORDER BY id");
//   while (rows.next()) use(rows.integer(0), rows.real(1));
//   file.finish();
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/store/sqlite.hpp"

namespace exarch {

class WriterLock;

// What makes a run this run. Ordered (key, value) pairs; all must be equal for a store to be continued.
using Identity = std::vector<std::pair<std::string, std::string>>;
// Remarks that do not take part in the identity (processor, version), ordered likewise.
using Notes = std::vector<std::pair<std::string, std::string>>;

enum class StoreKind : std::uint8_t { run, study };

// Whether a file holds a store of this kind; not if it cannot be read, or if a run was killed before it had one.
[[nodiscard]] bool is_store_of(const std::filesystem::path& path, StoreKind kind);

class StoreFile {
 public:
  struct Table {
    std::string name;
    std::string columns;  // "a INTEGER NOT NULL, b TEXT"; the checksum is added
    std::string key;      // "PRIMARY KEY(a, b)", or empty
  };
  struct Format {
    StoreKind kind;
    int version;
    std::vector<Table> tables;  // beside those for identity, notes and numbers of rows
  };

  // Creates the file, or continues it if it holds the same run (resumed() then). `create` fills tables of its own in the
  // transaction that makes them, which also writes the notes: what a store says about itself is there from the start. Error if it
  // is another run (names the first key that differs and both values), another kind or format version, not a store, has another
  // writer, or cannot be written.
  StoreFile(const std::filesystem::path& path, const Format& format, const Identity& identity, const Notes& notes,
            const std::function<void(StoreFile&)>& create = {});
  // What the constructor above would refuse, without creating anything: for runs that have much to do before they write.
  static void check(const std::filesystem::path& path, const Format& format, const Identity& identity);
  // Opens an existing store for reading: what it held at that moment, even while a run goes on writing. What a killed run left
  // half done is rolled back first; where the file cannot be written it is read as it is, or the Error says why it cannot be.
  StoreFile(const std::filesystem::path& path, const Format& format);
  // Whether anything is left of a file once what a killed run left half done is rolled back. is_store_of() asks.
  [[nodiscard]] static bool survives_rollback(const std::filesystem::path& path);
  ~StoreFile();
  StoreFile(const StoreFile&) = delete;
  StoreFile& operator=(const StoreFile&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool resumed() const { return resumed_; }
  [[nodiscard]] const Identity& identity() const { return identity_; }
  [[nodiscard]] std::string identity_value(const std::string& key) const;  // Error if absent
  // A whole number of the identity; Error if it is none.
  [[nodiscard]] std::uint64_t identity_number(const std::string& key) const;
  [[nodiscard]] const Notes& notes() const { return notes_; }

  // Adds a note, or replaces one. For what later commands say about a store; its origin is in the notes that it is made with.
  void note(const std::string& key, const std::string& value);

  // How many rows a table has. Rows are counted by RowWriter.
  [[nodiscard]] std::uint64_t rows(const std::string& table) const;
  // Error unless the tables are those of the format, to the letter.
  void check_tables(const Format& format) const;
  // Error: the store is damaged, and how.
  [[noreturn]] void fail_damaged(const std::string& what) const { sqlite::fail_damaged(path_, what); }
  void check(bool sound, const char* what) const {
    if (!sound) fail_damaged(what);
  }

  // Runs `body` inside one transaction; rolled back if it throws. Disk full and the like throw Error naming the file, and so
  // does a store that was deleted, moved or replaced meanwhile.
  void transaction(const std::function<void()>& body);
  // Ends writing: the store becomes one plain file. Error if the file is no longer where its name says; what is called a success
  // is said after this.
  void finish();

  // Statements must be gone before the file is.
  [[nodiscard]] sqlite::Statement prepare(const std::string& sql) const { return {path_, db_.get(), sql}; }
  void run(const std::string& sql) const { sqlite::execute(path_, db_.get(), sql); }
  // Deletes the rows of a table that `where` (with one number) chooses.
  void remove(const std::string& table, const std::string& where, std::int64_t number);

  // Mistakes of the caller, not of the user: std::logic_error unless `condition`.
  void require(bool condition, const char* what) const;
  void require_transaction() const { require(in_transaction_, "a write outside a transaction"); }

 private:
  friend class RowWriter;

  explicit StoreFile(const std::filesystem::path& path);  // opened for reading, and not looked into
  void open_to_read();
  [[nodiscard]] bool in_wal_mode() const;
  [[nodiscard]] std::string beside(const char* suffix) const;
  void check_one_name() const;
  void check_format(const Format& format) const;
  void create_tables(const Format& format, const Identity& identity, const Notes& notes);
  void load();
  void write_pairs(const std::string& table, const std::vector<std::pair<std::string, std::string>>& pairs);
  void load_row_counts();
  void store_row_counts();
  void check_identity(const Identity& wanted) const;
  void prepare_writing();
  void check_place();
  [[noreturn]] void abandon(const std::string& what);

  std::string path_;                  // as the user names it
  std::string file_;                  // absolute
  std::unique_ptr<WriterLock> lock_;  // released after the database is closed
  sqlite::Database db_;
  bool resumed_ = false, in_transaction_ = false;
  bool abandoned_ = false;       // the file is no longer where its name says
  std::uint64_t wal_inode_ = 0;  // of the -wal file while there is one to miss
  Identity identity_;
  Notes notes_;
  std::map<std::string, std::uint64_t> rows_, committed_rows_;  // by table
};

// Adds rows to a table, with their checksums. Give all columns in order, then write().
class RowWriter {
 public:
  RowWriter() = default;
  RowWriter(StoreFile& file, const std::string& table);

  // Texts and blobs must live until write().
  RowWriter& operator<<(std::int64_t value) { return add(value); }
  RowWriter& operator<<(double value) { return add(value); }
  RowWriter& operator<<(std::string_view text) { return add(text); }
  RowWriter& blob(std::string_view bytes);
  RowWriter& null();
  void write();

 private:
  template <class T>
  RowWriter& add(T value) {
    statement_.bind(value);
    sum_.add(value);
    return *this;
  }

  StoreFile* file_ = nullptr;
  std::uint64_t* rows_ = nullptr;  // of the table, in file_
  sqlite::Statement statement_;
  sqlite::Checksum empty_{""}, sum_{""};  // of no values yet; of those given
};

// Reads rows of a table, all their columns, and checks each against its checksum.
class RowReader {
 public:
  // `tail`: the SQL after FROM TABLE, with a mark per key: RowReader(file, "points", "WHERE workload = ? ORDER BY first", w).
  template <class... Keys>
  RowReader(const StoreFile& file, const std::string& table, const std::string& tail, Keys... keys)
      : file_(file), table_(table), statement_(file.prepare("SELECT * FROM " + table + " " + tail)) {
    (statement_.bind(std::int64_t{keys}), ...);
  }

  // Whether there is a row. Error if it is not what was written.
  bool next();

  [[nodiscard]] bool is_null(int column) const { return statement_.is_null(column); }
  [[nodiscard]] std::int64_t integer(int column) const { return statement_.integer(column); }
  // A number from 0 on that fits T; Error otherwise.
  template <class T>
  [[nodiscard]] T natural(int column) const {
    const std::int64_t value = integer(column);
    if (value < 0 || !std::in_range<T>(value)) file_.fail_damaged(table_ + " has a number out of range");
    return static_cast<T>(value);
  }
  [[nodiscard]] double real(int column) const { return statement_.real(column); }
  [[nodiscard]] std::string text(int column) const { return statement_.text(column); }
  // Valid until the next call of next().
  [[nodiscard]] std::string_view bytes(int column) const { return statement_.bytes(column); }
  template <class T>
  [[nodiscard]] std::vector<T> array(int column) const {
    return sqlite::decode<T>(file_.path(), bytes(column));
  }

 private:
  const StoreFile& file_;
  std::string table_;
  sqlite::Statement statement_;
};

}  // namespace exarch
