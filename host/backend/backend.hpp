// Where candidates are evaluated: the CPU's cores, or a CUDA device.
#pragma once

#include <string>

#include "host/backend/thread_pool.hpp"

namespace exarch {

struct CudaProbe {
  bool available = false;
  std::string reason;  // one line: which device, or why not
};

// What a CUDA backend would find on this machine with this build.
[[nodiscard]] CudaProbe probe_cuda();

class Backend {
 public:
  // `kind`: auto, cpu or cuda (UsageError otherwise; Error if cuda is asked for and cannot be had). `threads` = 0: all.
  explicit Backend(const std::string& kind = "auto", unsigned threads = 0);

  [[nodiscard]] ThreadPool& pool() { return pool_; }
  // "cpu, 2 threads, x86-64-v3"; for reports.
  [[nodiscard]] std::string description() const;

 private:
  ThreadPool pool_;
};

}  // namespace exarch
