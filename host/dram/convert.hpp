// Turns memory traces of other simulators into .stl files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace exarch::dram {

// Writes `in`, a trace in `from_format`, to `out` and returns the number of requests. Formats:
//   dramsim3   "0xADDR READ|WRITE cycle"        the cycle becomes the issue time; dramsim2, with its words, is the same
//   ramulator  "LD|ST ADDR" or "0xADDR R|W"     no times: the n-th request gets issue time n (from 0)
//   stl        .stl or .rstl                    the same trace, uniformly spaced
// `out` must end in .stl (.rstl when `in` is one). It appears under its name only when complete.
// Throws Error with file:line for anything that is not a request, a blank line or a '#' comment.
std::uint64_t convert_trace(const std::string& from_format, const std::filesystem::path& in, const std::filesystem::path& out);

}  // namespace exarch::dram
