// CPU seconds, for benchmarks: what a shared machine lets others take does not count.
#pragma once

#include <time.h>

namespace exarch {

// Used by this process so far, all threads together.
inline double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace exarch
