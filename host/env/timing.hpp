// CPU seconds and their median, for benchmarks: what a shared machine gives to others does not count.
#pragma once

#include <time.h>

#include <algorithm>
#include <vector>

namespace exarch {

// Used by this process so far, all threads together.
inline double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace exarch
