// Where candidates are evaluated: the CPU's cores, or CUDA devices. The results are the same.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "host/execute/devices.hpp"
#include "host/execute/thread_pool.hpp"
#include "kernels/rank/rank.hpp"

namespace exarch {

class Backend {
 public:
  // `kind`: auto, cpu or cuda (UsageError otherwise; Error if cuda is asked for and cannot be had). `threads` = 0: all.
  // auto takes CUDA devices where any answer, else the CPU; it looks for them when first needed.
  explicit Backend(const std::string& kind = "auto", unsigned threads = 0);

  [[nodiscard]] ThreadPool& pool() { return pool_; }
  // Whether a batch of `runs` goes to the CUDA devices. auto leaves small batches to the CPU: one run takes a device's thread far
  // longer than a core.
  [[nodiscard]] bool uses_cuda(std::size_t runs);
  // Only where uses_cuda().
  [[nodiscard]] Devices& devices();
  // How candidates are ranked where a batch of so many runs is evaluated.
  [[nodiscard]] const rank::Functions& ranking(std::size_t runs);
  // Runs at a time that fill the CUDA devices; 0 where so many candidates stay on the CPU, which any number serves.
  [[nodiscard]] std::size_t wanted(std::size_t candidates);
  // "cpu, 2 threads, x86-64-v3"; for reports.
  [[nodiscard]] std::string description();

 private:
  [[nodiscard]] bool has_cuda();

  bool automatic_;
  std::optional<bool> cuda_;  // empty: not looked for yet
  std::shared_ptr<Devices> devices_;
  ThreadPool pool_;
};

// The model of this machine's processor, as the system names it; "" where it does not.
[[nodiscard]] std::string processor_name();

}  // namespace exarch
