// Writes .stl and .rstl files (docs/formats.md, "Traces"), a line per request, one tab between fields.
//
//   TraceWriter writer("run.stl");
//   writer.write({.issue = 12, .address = 0x3F40, .is_write = false});
//   writer.commit();   // from now on there is a file of this name
#pragma once

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "host/dram/request_reader.hpp"
#include "host/error.hpp"

namespace exarch::dram {

// A file that is written under a temporary name and renamed by commit(); otherwise it is removed.
class TraceWriter {
 public:
  explicit TraceWriter(const std::filesystem::path& path)
      : path_(path), temporary_(path.string() + ".part-" + std::to_string(::getpid())) {
    file_ = std::fopen(temporary_.c_str(), "wb");
    if (file_ == nullptr) fail();
  }
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;
  ~TraceWriter() {
    if (file_ != nullptr) std::fclose(file_);
    std::error_code ec;
    if (!committed_) std::filesystem::remove(temporary_, ec);
  }

  void write(const TraceRequest& request) {
    std::array<char, 64> line;
    char* at = std::to_chars(line.data(), line.data() + 20, request.issue).ptr;
    at = append(at, ":\t");
    if (request.bytes != 0) {
      at = append(at, "(");
      at = std::to_chars(at, at + 10, request.bytes).ptr;
      at = append(at, ")\t");
    }
    at = append(at, request.is_write ? "write\t0x" : "read\t0x");
    at = std::to_chars(at, line.data() + line.size() - 1, request.address, 16).ptr;
    *at++ = '\n';
    const auto size = static_cast<std::size_t>(at - line.data());
    if (std::fwrite(line.data(), 1, size, file_) != size) fail();
  }

  void commit() {
    const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
    if (!closed) fail();
    std::error_code ec;
    std::filesystem::rename(temporary_, path_, ec);
    if (ec) throw Error(path_.string() + ": cannot write the file: " + ec.message());
    committed_ = true;
  }

 private:
  static char* append(char* at, std::string_view text) {
    std::memcpy(at, text.data(), text.size());
    return at + text.size();
  }

  [[noreturn]] void fail() const { throw Error(path_.string() + ": cannot write the file: " + std::strerror(errno)); }

  std::filesystem::path path_, temporary_;
  std::FILE* file_ = nullptr;
  bool committed_ = false;
};

}  // namespace exarch::dram
