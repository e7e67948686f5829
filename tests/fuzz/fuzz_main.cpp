// The libFuzzer program: fuzz --target=NAME [libFuzzer's options, folders and files].
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/target.hpp"

namespace {

const exarch::fuzz::Target* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kOption = "--target=";
  exarch::fuzz::fuzzing = true;
  for (int i = 1; i < *argc; ++i) {
    const std::string_view word = (*argv)[i];
    if (word == "--list") {
      for (const auto& target : exarch::fuzz::targets()) std::puts(target.name.c_str());
      std::exit(0);
    }
    if (word.starts_with(kOption)) chosen = &exarch::fuzz::find_target(word.substr(kOption.size()));
  }
  if (chosen == nullptr) {
    std::fputs("usage: fuzz --list | --target=NAME [libFuzzer's options, folders and files]\n", stderr);
    std::exit(2);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  exarch::fuzz::run(*chosen, {reinterpret_cast<const char*>(data), size});
  return 0;
}
