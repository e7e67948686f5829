// The strict, streaming reader of .stl / .rstl trace files (docs/formats.md, "Traces").
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

#include "host/files/line_reader.hpp"

namespace exarch::dram {

struct TraceRequest {
  std::uint64_t issue;  // player cycles: absolute (.stl) or gap (.rstl)
  std::uint64_t address;
  bool is_write;
  std::uint32_t bytes = 0;  // as DRAMSys 5 has them before the command, "(64)"; 0: not written, one burst
};

// Most bytes that one request may have.
inline constexpr std::uint32_t kMaxRequestBytes = 65536;

// True for .rstl, false for .stl, either compressed (.stl.gz) or not; throws on any other extension.
[[nodiscard]] bool trace_is_relative(const std::filesystem::path& path);

// Hands out a trace's requests one by one; throws Error with file:line, the offending text and a
// valid example line. A trace without any request is an error too.
class TraceReader {
 public:
  explicit TraceReader(const std::filesystem::path& path);

  // False at the end of the trace.
  bool next(TraceRequest& request);

  [[nodiscard]] bool relative() const { return relative_; }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }

  // For rules that are checked by the caller: an error about the request handed out last.
  [[noreturn]] void fail(std::string_view what) const { lines_.fail(what); }

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
