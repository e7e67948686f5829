// Reads text files, compressed by gzip or not, line by line, fast and in bounded memory, and words errors about a line.
//
// Used by the trace reader and the trace converter. A view it hands out is valid until the next
// call.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/files/byte_stream.hpp"

namespace exarch {

inline constexpr std::size_t kLongestLine = std::size_t{1} << 18;  // bytes

enum class LongLines { refused, cut };

class LineReader {
 public:
  // `example` is a valid line, shown with every error. Throws Error if the file cannot be read. A line beyond kLongestLine is an
  // error, or handed out as its beginning, with is_cut().
  LineReader(const std::filesystem::path& path, std::string example, LongLines longer = LongLines::refused);

  // The next line without its end ("\n" or "\r\n"); false at the end of the file.
  bool next(std::string_view& line);

  [[nodiscard]] std::uint64_t line_number() const { return line_number_; }
  [[nodiscard]] bool is_cut() const { return cut_; }  // the line handed out last
  [[nodiscard]] const std::string& path() const { return path_; }

  // Throws Error "file:line: what; the line reads ...; a valid line: ...".
  [[noreturn]] void fail(std::string_view what) const;

 private:
  void refill();
  void skip_line();

  ByteStream stream_;
  std::string path_;
  std::string example_;
  LongLines longer_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // unread part of the buffer
  bool end_of_file_ = false;
  bool cut_ = false;
  std::uint64_t line_number_ = 0;
  std::string_view line_;
};

// Printable form of file content for a message: at most `limit` characters, control characters as
// \xNN.
[[nodiscard]] std::string escaped(std::string_view text, std::size_t limit = 80);

// A cursor over one line of fields separated by blanks (spaces and tabs).
class Fields {
 public:
  explicit Fields(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) { skip_blanks(); }

  [[nodiscard]] bool empty() const { return at_ == end_; }
  [[nodiscard]] char front() const { return *at_; }
  // True for a line that carries nothing: blank, or a comment.
  [[nodiscard]] bool skippable() const { return empty() || *at_ == '#'; }

  // The next field, "" at the end of the line.
  std::string_view take() {
    const char* start = at_;
    while (at_ != end_ && *at_ != ' ' && *at_ != '\t') ++at_;
    const std::string_view field(start, static_cast<std::size_t>(at_ - start));
    skip_blanks();
    return field;
  }

 private:
  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t')) ++at_;
  }

  const char* at_;
  const char* end_;
};

enum class Parsed { ok, garbage, overflow };

// Whole decimal number, digits only.
[[nodiscard]] Parsed parse_decimal(std::string_view text, std::uint64_t& value);
// Hexadecimal number with its prefix 0x or 0X.
[[nodiscard]] Parsed parse_hex(std::string_view text, std::uint64_t& value);

// An address field of the current line, or an error that says what is wrong with it. Addresses are hexadecimal; where other
// tools write decimal ones, the prefix 0x is required to tell.
enum class HexPrefix { optional, required };
[[nodiscard]] std::uint64_t parse_address(const LineReader& lines, std::string_view field, HexPrefix prefix);

}  // namespace exarch
