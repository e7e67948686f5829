// Progress of long work: one line on standard error, redrawn in place, only when that is a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace exarch::cli {

class Progress {
 public:
  // `unit`: what is counted, e.g. "points". `total` = 0: unknown.
  Progress(std::string unit, std::uint64_t total, std::uint64_t already_done = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Redraws at most ten times a second; `extra` is appended (best so far and the like).
  void update(std::uint64_t done, const std::string& extra = {});

 private:
  using Clock = std::chrono::steady_clock;
  std::string unit_;
  std::uint64_t total_, start_count_;
  Clock::time_point start_, last_{};
  bool terminal_, drawn_ = false;
};

// "1.2 k", "3.4 M"
[[nodiscard]] std::string short_count(double n);
// "2 m 10 s"
[[nodiscard]] std::string short_time(double seconds);

}  // namespace exarch::cli
