// Progress of long work: one line on standard error, redrawn in place, only when that is a terminal; and its end by a signal.
//
// While a Progress or a SignalGuard lives, SIGINT, SIGTERM and SIGHUP end the work at the next update(), which throws
// Interrupted: stores are closed as at any end, and the program exits with 128 + the signal's number. A second signal ends the
// process at once, which stores survive, too.
//
//   Progress progress("rows", 50);
//   for (std::uint64_t row = 0; row < 50; ++row) { write(row); progress.update(row + 1); }
//
//   TerminalObserver terminal;                                     // the same for the runs of the library
//   run_search(spec, make_executor(arguments), "run.db", terminal);
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>

#include "host/run/observer.hpp"

namespace exarch::cli {

// Somebody asked the program to end. Not an Error: nothing is wrong.
class Interrupted : public std::runtime_error {
 public:
  Interrupted(int signal, const std::string& what) : std::runtime_error(what), signal_(signal) {}
  [[nodiscard]] int signal() const { return signal_; }

 private:
  int signal_;
};

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

// What a run of the library says, on standard error; its store makes an interruption say how to go on.
class TerminalObserver final : public Observer {
 public:
  void on_open(const std::string& store) override;
  void on_start(const std::string& unit, std::uint64_t total, std::uint64_t done) override;
  void on_progress(std::uint64_t done, const std::string& note) override;
  void on_end() override;
  void on_warning(const std::string& text) override;
  void on_note(const std::string& text) override;

 private:
  std::string store_;
  std::optional<SignalGuard> signals_;  // from when there is a store
  std::optional<Progress> progress_;
};

}  // namespace exarch::cli
