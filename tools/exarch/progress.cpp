#include "tools/exarch/progress.hpp"

#include <unistd.h>

#include <cstdio>

#include "host/files/text.hpp"
#include "tools/exarch/messages.hpp"

namespace exarch::cli {
namespace {

volatile std::sig_atomic_t asked_to_end = 0;  // the signal that came

void on_signal(int signal) {
  asked_to_end = signal;
  if (isatty(STDERR_FILENO) == 0) return;
  constexpr char kText[] = "\nexarch: ending after this batch; once more to end at once\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText, sizeof kText - 1);
}

}  // namespace

Progress::Progress(std::string unit, std::uint64_t total, std::uint64_t already_done)
    : unit_(std::move(unit)),
      total_(total),
      start_count_(already_done),
      start_(Clock::now()),
      terminal_(isatty(STDERR_FILENO) != 0) {}

SignalGuard::SignalGuard() {
  struct sigaction once {};
  once.sa_handler = on_signal;
  once.sa_flags = SA_RESETHAND | SA_RESTART;
  for (std::size_t s = 0; s < std::size(kSignals); ++s) {
    sigaction(kSignals[s], nullptr, &before_[s]);
    // What is ignored stays so: under nohup a closed terminal ends nothing.
    if (before_[s].sa_handler != SIG_IGN) sigaction(kSignals[s], &once, nullptr);
  }
}

SignalGuard::~SignalGuard() {
  for (std::size_t s = 0; s < std::size(kSignals); ++s) sigaction(kSignals[s], &before_[s], nullptr);
}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void Progress::update(std::uint64_t done, const std::string& extra) {
  if (asked_to_end != 0) throw Interrupted(asked_to_end, "interrupted");
  if (!terminal_) return;
  const auto now = Clock::now();
  if (drawn_ && now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done - start_count_) / seconds : 0;
  std::string line = short_count(static_cast<double>(done));
  if (total_ > 0) line += " of " + short_count(static_cast<double>(total_));
  line += " " + unit_ + ", " + short_count(rate) + "/s";
  if (total_ > done && rate > 0) line += ", ETA " + short_time(static_cast<double>(total_ - done) / rate);
  if (!extra.empty()) line += ", " + printable(extra, 200);
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

void TerminalObserver::on_open(const std::string& store) {
  store_ = store;
  if (!signals_) signals_.emplace();
}

void TerminalObserver::on_start(const std::string& unit, std::uint64_t total, std::uint64_t done) {
  progress_.emplace(unit, total, done);
}

void TerminalObserver::on_progress(std::uint64_t done, const std::string& note) {
  try {
    progress_->update(done, note);
  } catch (const Interrupted& interrupted) {
    if (store_.empty()) throw;
    throw Interrupted(interrupted.signal(),
                      "interrupted; what is done is in " + store_ + ": give the same command again to go on");
  }
}

void TerminalObserver::on_end() {
  progress_.reset();
}

void TerminalObserver::on_warning(const std::string& text) {
  say("warning: " + text);
}

void TerminalObserver::on_note(const std::string& text) {
  say(text);
}

}  // namespace exarch::cli
