// Goes through inputs once, without a fuzzer: fuzz_replay TARGET FOLDER|FILE ...; each was a finding once, or is a good example.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <vector>

#include "tests/fuzz/target.hpp"

namespace fs = std::filesystem;

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: fuzz_replay TARGET FOLDER|FILE ...\n", stderr);
    return 2;
  }
  try {
    const auto& target = exarch::fuzz::find_target(argv[1]);
    std::vector<fs::path> files;
    for (int i = 2; i < argc; ++i) {
      if (fs::is_regular_file(argv[i])) files.emplace_back(argv[i]);
      if (!fs::is_directory(argv[i])) continue;
      for (const auto& entry : fs::directory_iterator(argv[i])) files.push_back(entry.path());
    }
    if (files.empty()) {
      std::fputs("fuzz_replay: no inputs\n", stderr);
      return 1;
    }
    std::ranges::sort(files);
    for (const fs::path& file : files) {
      std::printf("%s\n", file.c_str());  // the last one named is the culprit
      std::fflush(stdout);
      exarch::fuzz::run(target, exarch::fuzz::read_file(file));
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz_replay: %s\n", error.what());
    return 1;
  }
  return 0;
}
