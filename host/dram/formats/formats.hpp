// The formats of traces that are read: one table, from which `exarch trace formats`, --help and the documentation are made, and
// which file is of which. One source file per format beside this one.
//
//   const TraceFormat& format = recognise_trace("run.trc");          // by its content
//   const auto reader = open_trace(format, "run.trc", {.clk_mhz = 400});
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/dram/request_reader.hpp"
#include "host/files/file_kind.hpp"

namespace exarch::dram {

using RequestReaderPtr = std::unique_ptr<RequestReader>;

enum class TimeKind {
  cycles,  // of the player's clock
  real,    // ticks or ns: cycles are made of them with the player's clock
  none,    // requests are numbered
};

struct TraceFormat {
  std::string name;  // for --from
  FileKind kind;     // how its files are recognised (host/files/file_kind.cpp)
  TimeKind time_kind;
  bool has_lengths;      // of any number of bytes: cut at the bursts' boundaries
  bool counts_elements;  // addresses without directions and units: ReadOptions::word_bytes and is_write
  std::string tool;      // "DRAMsim3": "a trace of DRAMsim3"
  std::string line;      // what a line or record is
  std::string time;      // what becomes the issue time
  RequestReaderPtr (*open)(const std::filesystem::path& path, const ReadOptions& options);
};

[[nodiscard]] std::span<const TraceFormat> trace_formats();
// "csv, dramsim2, ..."
[[nodiscard]] std::string trace_format_names();
// UsageError with the nearest name for one that there is not.
[[nodiscard]] const TraceFormat& find_trace_format(const std::string& name);
// By the content; `stl` where it is of none, whose reader then says what is wrong with it.
[[nodiscard]] const TraceFormat& recognise_trace(const std::filesystem::path& path);

[[nodiscard]] inline bool is_stl(const TraceFormat& format) {
  return format.kind == FileKind::trace_stl;
}

// Runs `body`, which reads the file as `format`; a failure says what the file is, where it is of another kind.
template <class Body>
decltype(auto) reading_trace(const TraceFormat& format, const std::filesystem::path& path, Body&& body) {
  // A table without the columns of a trace is a table still.
  const FileKind near = format.kind == FileKind::trace_csv ? FileKind::csv : format.kind;
  return named_if_foreign(path, {format.kind, near, FileKind::gzip},
                          is_stl(format) ? "a trace (.stl, .rstl)" : "a trace of " + format.tool, std::forward<Body>(body));
}

// "PATH is read as a trace of DRAMsim3 (dramsim3); the cycle"; with the reader's own note, after the last request.
[[nodiscard]] std::string read_as(const TraceFormat& format, const std::string& name, const RequestReader& reader);

// The whole bursts that a request of any length touches; one of length 0 stays as it is. Fails where its end is beyond 64 bits.
[[nodiscard]] TraceRequest whole_bursts(const RequestReader& reader, TraceRequest request, std::uint32_t burst_bytes);

// One per format.
[[nodiscard]] RequestReaderPtr open_stl(const std::filesystem::path& path, const ReadOptions& options);
[[nodiscard]] RequestReaderPtr open_dramsim(const std::filesystem::path& path, const ReadOptions& options);
[[nodiscard]] RequestReaderPtr open_dramsim2_misc(const std::filesystem::path& path, const ReadOptions& options);
[[nodiscard]] RequestReaderPtr open_ramulator(const std::filesystem::path& path, const ReadOptions& options);
[[nodiscard]] RequestReaderPtr open_gem5_text(const std::filesystem::path& path, const ReadOptions& options);
[[nodiscard]] RequestReaderPtr open_gem5(const std::filesystem::path& path, const ReadOptions& options);
[[nodiscard]] RequestReaderPtr open_lackey(const std::filesystem::path& path, const ReadOptions& options);
[[nodiscard]] RequestReaderPtr open_pin(const std::filesystem::path& path, const ReadOptions& options);
[[nodiscard]] RequestReaderPtr open_champsim(const std::filesystem::path& path, const ReadOptions& options);
[[nodiscard]] RequestReaderPtr open_scalesim(const std::filesystem::path& path, const ReadOptions& options);
[[nodiscard]] RequestReaderPtr open_csv(const std::filesystem::path& path, const ReadOptions& options);

}  // namespace exarch::dram
