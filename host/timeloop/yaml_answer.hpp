// What Exarch says to Timeloop's own files: the answer to a record, and the same as tables. Example:
//
//   const std::vector<std::string> paths{"arch.yaml", "problem.yaml", "mapping.yaml"};
//   std::puts(answer_timeloop_files(paths, {}, FillRule::current).text.c_str());
#pragma once

#include <map>
#include <span>
#include <string>

#include "host/env/environment.hpp"
#include "kernels/timeloop/types.hpp"

namespace exarch::timeloop {

// {"status": ..., "out": {...}, "warnings": [...]}, with `out` as that of a record. Error for what cannot be read.
[[nodiscard]] ModelFilesAnswer answer_timeloop_files(std::span<const std::string> paths,
                                                     const std::map<std::string, std::string>& defines, FillRule rule);

}  // namespace exarch::timeloop
