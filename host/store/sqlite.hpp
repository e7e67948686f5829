// SQLite with errors as exceptions that say what to do, and arrays as blobs. For the stores of this folder only.
//
// Every Error names the file. A Database closes itself; Statements on it must be gone by then.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace exarch::sqlite {

struct DatabaseCloser {
  void operator()(sqlite3* db) const;
};
using Database = std::unique_ptr<sqlite3, DatabaseCloser>;

// Opens a file with the SQLITE_OPEN_* flags. `path` is what errors call it. "file:x.db" and ":memory:" are names of files like
// any other, unless `flags` have SQLITE_OPEN_URI; then `file` is taken as it is. No schema in a file is trusted: it cannot call
// functions with side effects, and pages are checked as they are read.
[[nodiscard]] Database open(const std::string& path, const std::string& file, int flags);

// The Error of a failed call, of the database's last one unless it is null.
[[noreturn]] void fail(const std::string& path, sqlite3* db, int code);
[[noreturn]] void fail_damaged(const std::string& path, const std::string& what);

void execute(const std::string& path, sqlite3* db, const std::string& sql);
[[nodiscard]] std::int64_t pragma(const std::string& path, sqlite3* db, const std::string& name);

// The checksum of a row: 64 bits of the table's name and of every value with its type, a word at a time (docs/store.md has the
// formula). A step is a bijection of the state, so a change within one word is always noticed; other damage goes unnoticed once
// in 10^19. zlib's CRC-32 would make a sweep of a fast model an eighth slower.
class Checksum {
 public:
  explicit Checksum(std::string_view table) { add_bytes('T', table); }
  void add(std::int64_t value) { step('i', std::bit_cast<std::uint64_t>(value)); }
  void add(double value) {  // as SQLite keeps it: -0 is 0, NaN is NULL
    value != value ? add_null() : step('r', std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value));
  }
  void add(std::string_view text) { add_bytes('t', text); }
  void add_blob(std::string_view bytes) { add_bytes('b', bytes); }
  void add_null() { step('n', 0); }
  [[nodiscard]] std::int64_t value() const { return std::bit_cast<std::int64_t>(state_); }

 private:
  void step(char type, std::uint64_t word) {
    state_ = std::rotl(state_ ^ word, 29) * 0x9E3779B97F4A7C15u + static_cast<unsigned char>(type);
  }
  void add_bytes(char type, std::string_view bytes);

  std::uint64_t state_ = 0;
};

class Statement {
 public:
  Statement() = default;
  Statement(const std::string& path, sqlite3* db, const std::string& sql);

  // Parameters are bound in order; texts and blobs must live until step() has returned false.
  void bind(std::int64_t value);
  void bind(double value);
  void bind(std::string_view text);
  void bind_blob(std::string_view bytes);
  void bind_null();

  // Whether there is a row. After the last one the statement is ready for its next use.
  bool step();

  [[nodiscard]] int columns() const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] bool is_integer(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  // Error for a text that is not UTF-8: none is written, and JSON could not show it.
  [[nodiscard]] std::string text(int column) const;
  // Valid until the next step().
  [[nodiscard]] std::string_view bytes(int column) const;

  // Adds the value of a column, type included, to a checksum.
  void add_to(class Checksum& sum, int column) const;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  void check(int code);

  std::string path_;
  sqlite3* db_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  int bound_ = 0;
};

// 64-bit counters are stored as signed numbers of the same bits.
[[nodiscard]] inline std::int64_t as_signed(std::uint64_t value) {
  return std::bit_cast<std::int64_t>(value);
}
[[nodiscard]] inline std::uint64_t as_unsigned(std::int64_t value) {
  return std::bit_cast<std::uint64_t>(value);
}

// Blobs are little-endian arrays, whatever the machine.
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
[[nodiscard]] std::vector<T> decode(const std::string& path, std::string_view blob) {
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

}  // namespace exarch::sqlite
