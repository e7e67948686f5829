// Reading and writing CSV (RFC 4180: commas, optional quotes, a header line).
#pragma once

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace exarch::cli {

class CsvReader {
 public:
  explicit CsvReader(const std::string& path);  // "-" reads standard input

  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::size_t line() const { return row_line_; }  // line the current row starts on
  // The next row, skipping blank lines; false at the end. Error naming file:line when its width differs from the header's.
  bool next(std::vector<std::string>& row);

 private:
  bool read_row(std::vector<std::string>& row);

  std::string path_;
  std::ifstream file_;
  std::istream* in_;
  std::vector<std::string> header_;
  std::size_t line_ = 0, row_line_ = 0;
};

[[nodiscard]] std::string csv_field(const std::string& text);

// A text file written beside its final name and moved there by close(); "-" is standard output. Every failed write (disk full,
// no permission) is an Error that names the file.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(const std::string& text);
  void close();

 private:
  [[noreturn]] void fail() const;

  std::string path_, temporary_;
  std::FILE* file_;
};

}  // namespace exarch::cli
