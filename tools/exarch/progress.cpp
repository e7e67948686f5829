#include "tools/exarch/progress.hpp"

#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>

#include "host/files/text.hpp"

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

std::string short_count(double n) {
  static constexpr std::array<const char*, 5> kSuffix{"", " k", " M", " G", " T"};
  std::size_t i = 0;
  while (n >= 1000 && i + 1 < kSuffix.size()) {
    n /= 1000;
    ++i;
  }
  char text[32];
  std::snprintf(text, sizeof text, i == 0 ? "%.0f%s" : "%.1f%s", n, kSuffix[i]);
  return text;
}

std::string short_time(double seconds) {
  const auto s = static_cast<long>(std::ceil(seconds));
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3600) return std::to_string(s / 60) + " m " + std::to_string(s % 60) + " s";
  return std::to_string(s / 3600) + " h " + std::to_string(s / 60 % 60) + " m";
}

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

}  // namespace exarch::cli
