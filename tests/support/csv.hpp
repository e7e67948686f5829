// Reads the CSV files of the tests: a header line, commas, optional double quotes, no line breaks inside fields.
#pragma once

#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace exarch::testing {

// The fields of one CSV line.
inline std::vector<std::string> split_csv(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += c;
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

class CsvTable {
 public:
  explicit CsvTable(const std::string& path) : path_(path) {
    std::ifstream in(path);
    if (!in) throw std::runtime_error(path + ": cannot be read");
    std::string line;
    std::getline(in, line);
    header_ = split_csv(line);
    while (std::getline(in, line)) {
      lines_.push_back(line);
      rows_.push_back(split_csv(line));
      if (rows_.back().size() != header_.size()) throw std::runtime_error(path + ": ragged row: " + line);
    }
  }

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  [[nodiscard]] const std::string& line(std::size_t row) const { return lines_[row]; }  // for messages
  [[nodiscard]] const std::string& at(std::size_t row, const std::string& column) const {
    for (std::size_t c = 0; c < header_.size(); ++c) {
      if (header_[c] == column) return rows_[row][c];
    }
    throw std::runtime_error(path_ + ": no column " + column);
  }

 private:
  std::string path_;
  std::vector<std::string> header_, lines_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace exarch::testing
