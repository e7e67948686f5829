// Progress of long work: one line on standard error, redrawn in place, only when that is a terminal; and its end by a signal.
//
// While a Progress or a SignalGuard lives, SIGINT, SIGTERM and SIGHUP end the work at the next update(), which throws
// Interrupted: stores are closed as at any end, and the program exits with 128 + the signal's number. A second signal ends the
// process at once, which stores survive, too.
//
//   resumable("run.db", [&] {
//     Progress progress("generations", 50);
//     for (std::uint64_t g = 0; g < 50; ++g) { generation(); progress.update(g + 1); }
//   });
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <iterator>
#include <stdexcept>
#include <string>

namespace exarch::cli {

// Somebody asked the program to end. Not an Error: nothing is wrong.
class Interrupted : public std::runtime_error {
 public:
  Interrupted(int signal, const std::string& what) : std::runtime_error(what), signal_(signal) {}
  [[nodiscard]] int signal() const { return signal_; }

 private:
  int signal_;
};

// Runs what writes into `store`, and adds to an Interrupted how to go on.
template <class Body>
void resumable(const std::string& store, const Body& body) {
  try {
    body();
  } catch (const Interrupted& interrupted) {
    throw Interrupted(interrupted.signal(),
                      "interrupted; what is done is in " + store + ": give the same command again to go on");
  }
}

// While it lives, a signal is remembered instead of ending the process, and the next Progress::update() throws Interrupted. Work
// that has a store open holds one.
class SignalGuard {
 public:
  SignalGuard();
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction before_[std::size(kSignals)];  // what they did
};

class Progress {
 public:
  // `unit`: what is counted, e.g. "points". `total` = 0: unknown.
  Progress(std::string unit, std::uint64_t total, std::uint64_t already_done = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Redraws at most ten times a second; `extra` is appended (best so far and the like). Throws Interrupted after a signal.
  void update(std::uint64_t done, const std::string& extra = {});

 private:
  using Clock = std::chrono::steady_clock;
  std::string unit_;
  std::uint64_t total_, start_count_;
  Clock::time_point start_, last_{};
  bool terminal_, drawn_ = false;
  SignalGuard signals_;
};

// "1.2 k", "3.4 M"
[[nodiscard]] std::string short_count(double n);
// "2 m 10 s"
[[nodiscard]] std::string short_time(double seconds);

}  // namespace exarch::cli
