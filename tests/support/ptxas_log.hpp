// What ptxas said of kernels: the build leaves its words in files *.log beside the CUDA objects.
//
//   for (const PtxasKernel& kernel : ptxas_kernels(EXARCH_CUDA_LOGS)) use(kernel.name, kernel.registers);
#pragma once

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

namespace exarch::testing {

struct PtxasKernel {
  std::string name, architecture;                 // mangled; "sm_90"
  unsigned registers = 0, stack = 0, spills = 0;  // stack and spills (stores and loads) in bytes
};

// All kernels of all logs in a folder, those of libraries included.
inline std::vector<PtxasKernel> ptxas_kernels(const std::filesystem::path& folder) {
  static const std::regex kEntry("Compiling entry function '([^']+)' for '([^']+)'");
  static const std::regex kFrame("(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");
  static const std::regex kUsed("Used (\\d+) registers");
  const auto number = [](const std::string& text) { return static_cast<unsigned>(std::stoul(text)); };
  std::vector<PtxasKernel> kernels;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".log") continue;
    std::ifstream in(file.path());
    PtxasKernel kernel;
    for (std::string line; std::getline(in, line);) {
      std::smatch match;
      if (std::regex_search(line, match, kEntry)) {
        kernel = {match[1], match[2]};
      } else if (std::regex_search(line, match, kFrame)) {
        kernel.stack = number(match[1]);
        kernel.spills = number(match[2]) + number(match[3]);
      } else if (std::regex_search(line, match, kUsed)) {
        kernel.registers = number(match[1]);
        if (!kernel.name.empty()) kernels.push_back(kernel);
      }
    }
  }
  return kernels;
}

}  // namespace exarch::testing
