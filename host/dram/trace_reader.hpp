// The strict, streaming reader of .stl / .rstl trace files (docs/formats.md, "Traces").
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

#include "host/dram/request_reader.hpp"
#include "host/files/line_reader.hpp"

namespace exarch::dram {

// True for .rstl, false for .stl, either compressed (.stl.gz, .stl.zst) or not; throws on any other extension.
[[nodiscard]] bool trace_is_relative(const std::filesystem::path& path);

// Hands out a trace's requests one by one; throws Error with file:line, the offending text and a
// valid example line. A trace without any request is an error too.
class TraceReader final : public RequestReader {
 public:
  // The name says whether times are gaps, or the caller does.
  explicit TraceReader(const std::filesystem::path& path) : TraceReader(path, trace_is_relative(path)) {}
  TraceReader(const std::filesystem::path& path, bool relative);

  bool next(TraceRequest& request) override;
  [[nodiscard]] bool relative() const override { return relative_; }
  [[noreturn]] void fail(std::string_view what) const override { lines_.fail(what); }

  [[nodiscard]] std::uint64_t requests() const { return requests_; }

 private:
  bool relative_;
  LineReader lines_;
  std::uint64_t requests_ = 0;
};

// Streams a trace file through `sink(request)` and returns the number of requests (at least 1).
template <class Sink>
std::uint64_t read_trace(const std::filesystem::path& path, Sink&& sink) {
  TraceReader reader(path);
  TraceRequest request{};
  while (reader.next(request)) sink(std::as_const(request));
  return reader.requests();
}

}  // namespace exarch::dram
