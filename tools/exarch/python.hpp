// What the Python package does for the program: things for which Debian has no C++ library.
#pragma once

#include <string>
#include <vector>

namespace exarch::cli {

// Runs `python -m MODULE WORDS...`, by the interpreter that the environment variable EXARCH_PYTHON names, else python3; gives its
// exit code. Error, with what to do, where there is no such interpreter, or it lacks a package of `packages`. `what`: needs it.
[[nodiscard]] int run_python(const std::string& what, const std::string& module, const std::vector<std::string>& words,
                             const std::vector<std::string>& packages);

}  // namespace exarch::cli
