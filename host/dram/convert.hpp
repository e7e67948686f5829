// Turns memory traces of other simulators into .stl files.
//
//   const Conversion done = convert_trace("run.trc", "run.stl", {.limit = 1'000'000});
//   // done.requests lines were written; done.note says what was taken for what
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

#include "host/dram/formats/formats.hpp"

namespace exarch::dram {

// In the order in which they apply to a request.
struct ConvertOptions {
  std::string from{};                                               // a format's name; "": by the content
  ReadOptions read{};                                               // of the formats
  std::uint64_t skip = 0;                                           // requests of the input that are left out first
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  // requests of the input that are then taken at most
  bool from_zero = false;                                           // times count from that of the first request taken
  std::uint64_t interval = 1;                                       // cycles between requests that have no times
  std::uint64_t address_offset = 0;                                 // subtracted from every address
  std::uint32_t burst_bytes = 0;  // requests with lengths are cut at its multiples; 0: 64, and .stl as it is
};

struct Conversion {
  std::uint64_t requests = 0;  // written
  std::string format;          // name of the format that was read
  std::string note;            // what was taken for what: "" for .stl
};

// Writes `in` to `out`, in memory that does not grow with the trace. `out` must end in .stl (.rstl when `in` is one). It appears
// under its name only when complete. Error with the place in the file for anything that is not a request, a blank line or a '#'
// comment; UsageError for an option without effect on the format, and where no request is left.
Conversion convert_trace(const std::filesystem::path& in, const std::filesystem::path& out, const ConvertOptions& options = {});

}  // namespace exarch::dram
