// Runs the program as its users do, in a folder of its own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace exarch::testing {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

inline std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

inline void write_text(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error(path.string() + ": cannot be written");
}

inline Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

struct Outcome {
  int code;  // exit code, or -signal
  std::string out, err;
};

class Cli : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "exarch-cli-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = fs::canonical(pattern);
    folder_ = dir_;
    ASSERT_EQ(setenv("EXARCH_DATA", EXARCH_SOURCE_DIR "/traces", 1), 0);
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (dir_ / name).string(); }

  // Starts exarch in folder_; output goes to the files out and err there.
  pid_t start(const Words& words) const {
    const std::string out = path("stdout"), err = path("stderr"), binary = EXARCH_BINARY, folder = folder_.string();
    std::vector<char*> argv;
    argv.push_back(const_cast<char*>(binary.c_str()));
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("fork failed");
    if (child == 0) {
      const int in = open("/dev/null", O_RDONLY);
      const int o = open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      const int e = open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      const bool ready =
          in >= 0 && o >= 0 && e >= 0 && chdir(folder.c_str()) == 0 && dup2(in, 0) == 0 && dup2(o, 1) == 1 && dup2(e, 2) == 2;
      if (ready) execv(binary.c_str(), argv.data());
      _exit(127);
    }
    return child;
  }

  [[nodiscard]] static int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status); }

  [[nodiscard]] Outcome run(const Words& words) const {
    const pid_t child = start(words);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return {exit_code(status), read_text(path("stdout")), read_text(path("stderr"))};
  }

  // A run that must end well.
  std::string good(const Words& words) const {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 0) << joined(words) << "\n" << outcome.err;
    return outcome.out;
  }

  // A run that must fail with this code, say `said` on standard error in one line, and print nothing.
  void expect_refused(const Words& words, int code, const std::string& said) const {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, code) << joined(words) << "\n" << outcome.err;
    EXPECT_EQ(outcome.out, "") << joined(words);
    EXPECT_NE(outcome.err.find(said), std::string::npos) << joined(words) << ": no '" << said << "' in\n" << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("exarch: ")) << outcome.err;
  }

  static std::string joined(const Words& words) {
    std::string text = "exarch";
    for (const std::string& word : words) text += " " + word;
    return text;
  }

  // Starts the run and sends it a signal once `due()`, unless it ends before.
  Outcome signal_when(const Words& words, int signal, const std::function<bool()>& due) const {
    const pid_t child = start(words);
    int status = 0;
    while (true) {
      if (waitpid(child, &status, WNOHANG) == child)
        return {exit_code(status), read_text(path("stdout")), read_text(path("stderr"))};
      if (due()) break;
      const timespec pause{0, 1'000'000};
      nanosleep(&pause, nullptr);  // only to poll less often
    }
    kill(child, signal);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return {exit_code(status), read_text(path("stdout")), read_text(path("stderr"))};
  }

  // The same with a kill; true if the run had not ended.
  bool kill_when(const Words& words, const std::function<bool()>& due) const {
    const Outcome outcome = signal_when(words, SIGKILL, due);
    EXPECT_TRUE(outcome.code == 0 || outcome.code == -SIGKILL) << outcome.err;
    return outcome.code == -SIGKILL;
  }

  // A small trace with reads and writes, so that sweeps and searches are quick.
  std::string small_trace(std::size_t requests) const {
    std::mt19937_64 rng(requests);
    std::ostringstream text;
    std::uint64_t time = 0;
    for (std::size_t i = 0; i < requests; ++i) {
      const std::uint64_t address = (rng() % 5) << 16 | (rng() % 6) << 13 | (rng() % 8) << 6;
      text << std::dec << time << ": " << (rng() % 4 == 0 ? "write" : "read") << " 0x" << std::hex << address << "\n";
      time += rng() % 3;
    }
    write_text(dir_ / ("small" + std::to_string(requests) + ".stl"), text.str());
    return "small" + std::to_string(requests) + ".stl";
  }

  std::string small_space() const {
    write_text(dir_ / "space.json",
               R"({"name": "small", "doc": "a test", "parameters": {"PagePolicy": ["Open", "Closed", "OpenAdaptive"],
                  "Scheduler": ["Fifo", "FrFcfs"], "RequestBufferSize": [1, 2, 4], "RefreshPolicy": ["AllBank"],
                  "RefreshMaxPostponed": {"from": 0, "to": 4, "step": 2}, "Arbiter": ["Simple", "Reorder"]}})");
    return "space.json";
  }
  static constexpr std::size_t kSmallSpacePoints = 3 * 2 * 3 * 3 * 2;

  fs::path dir_;
  fs::path folder_;  // where exarch is started
};

}  // namespace exarch::testing
