#include "tools/exarch/csv.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "host/error.hpp"

namespace exarch::cli {

CsvReader::CsvReader(const std::string& path) : path_(path == "-" ? "standard input" : path), in_(&std::cin) {
  if (path != "-") {
    if (std::filesystem::is_directory(path)) throw Error(path + ": is a folder, not a CSV file");
    file_.open(path);
    if (!file_) throw Error(path + ": cannot be read: " + std::strerror(errno));
    in_ = &file_;
  }
  if (in_->peek() == '{') {
    throw UsageError(path_ + ":1: JSON, where CSV is expected; recorded problems are read from files named .jsonl or .jsonl.gz");
  }
  if (!read_row(header_)) throw Error(path_ + ": empty; expected a header line with parameter names");
  while (header_[0].starts_with("\xEF\xBB\xBF")) header_[0].erase(0, 3);  // byte order marks; appended files may begin with two
}

bool CsvReader::next(std::vector<std::string>& row) {
  do {
    if (!read_row(row)) return false;
  } while (row.size() == 1 && row[0].empty());
  if (row.size() != header_.size()) {
    throw Error(path_ + ":" + std::to_string(row_line_) + ": " + std::to_string(row.size()) + " fields, but the header has " +
                std::to_string(header_.size()));
  }
  return true;
}

bool CsvReader::read_row(std::vector<std::string>& row) {
  std::string line;
  if (!std::getline(*in_, line)) {
    if (in_->bad()) throw Error(path_ + ": cannot be read: " + std::strerror(errno));
    return false;
  }
  row_line_ = ++line_;
  row.assign(1, "");
  bool quoted = false, closed = false;  // inside quotes; behind the closing one
  for (std::size_t i = 0;; ++i) {
    if (i == line.size()) {
      if (!quoted) break;
      std::string more;
      if (!std::getline(*in_, more)) throw Error(path_ + ":" + std::to_string(row_line_) + ": a quoted field never ends");
      ++line_;
      row.back() += '\n';
      line = more;
      i = static_cast<std::size_t>(-1);
      continue;
    }
    const char c = line[i];
    if (quoted) {
      if (c != '"') {
        row.back() += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        row.back() += line[++i];
      } else {
        quoted = false;
        closed = true;
      }
    } else if (c == ',') {
      row.emplace_back();
      closed = false;
    } else if (c == '\r' && i + 1 == line.size()) {
      continue;
    } else if (closed) {
      throw Error(
          path_ + ":" + std::to_string(line_) + ":" + std::to_string(i + 1) +
          ": text after a closing quote; expected a comma or the end of the line (a quote inside quotes is written \"\")");
    } else if (c == '"' && row.back().empty()) {
      quoted = true;
    } else {
      row.back() += c;
    }
  }
  return true;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

// A table must never take the place of a store.
static bool is_run_store(const std::string& path) {
  std::string magic(15, '\0');
  std::ifstream file(path, std::ios::binary);
  return file.read(magic.data(), 15) && magic == "SQLite format 3";
}

OutputFile::OutputFile(const std::string& path) : path_(path), file_(stdout) {
  if (path == "-") return;
  // A device or pipe is written in place, and must not be read; a regular file appears whole or not at all.
  const bool in_place = std::filesystem::exists(path) && !std::filesystem::is_regular_file(path);
  if (!in_place && is_run_store(path)) throw UsageError(path + ": is a run store; write the results to another file");
  temporary_ = in_place ? "" : path + ".part" + std::to_string(getpid());
  file_ = std::fopen(in_place ? path.c_str() : temporary_.c_str(), "w");
  if (file_ == nullptr) fail();
}

OutputFile::~OutputFile() {
  if (file_ == nullptr || file_ == stdout) return;
  std::fclose(file_);
  if (!temporary_.empty()) std::remove(temporary_.c_str());
}

void OutputFile::write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) fail();
}

void OutputFile::close() {
  if (std::fflush(file_) != 0) fail();
  if (file_ == stdout) return;
  std::FILE* const file = file_;
  file_ = nullptr;
  if (std::fclose(file) != 0) fail();
  if (!temporary_.empty() && std::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
}

void OutputFile::fail() const {
  throw Error((path_ == "-" ? std::string("standard output") : path_) + ": cannot be written: " + std::strerror(errno));
}

}  // namespace exarch::cli
