#include "tools/exarch/python.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "host/error.hpp"
#include "host/files/text.hpp"

namespace exarch::cli {
namespace {

constexpr int kNotFound = 127;  // as a shell has it

// Runs a program and gives its exit code, 128 + the signal that ended it.
int run_program(const std::vector<std::string>& words) {
  std::vector<std::string> copies = words;
  std::vector<char*> argv;
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return kNotFound;
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return kNotFound;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int run_python(const std::string& what, const std::string& module, const std::vector<std::string>& words,
               const std::vector<std::string>& packages) {
  const char* const named = std::getenv("EXARCH_PYTHON");
  const std::string python = named != nullptr && *named != '\0' ? named : "python3";
  std::vector<std::string> question{python, "-c",
                                    "import importlib.util, sys; sys.exit(any(importlib.util.find_spec(name) is None for name in "
                                    "sys.argv[1:]))"};
  question.insert(question.end(), packages.begin(), packages.end());
  if (run_program(question) != 0) {
    std::string list;
    for (const std::string& package : packages) list += (list.empty() ? "" : ", ") + package;
    throw Error(
        what + " is done by Python, and " + in_quotes(python, 200) + " is missing or lacks a package of these: " + list +
        "; install them (docs/python.md) and activate their environment, or name an interpreter that has them in EXARCH_PYTHON");
  }
  std::vector<std::string> call{python, "-m", module};
  call.insert(call.end(), words.begin(), words.end());
  return run_program(call);
}

}  // namespace exarch::cli
