#include "host/plugin/shared_library.hpp"

#include <dlfcn.h>
#include <elf.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "host/error.hpp"
#include "host/files/text.hpp"

namespace exarch {
namespace {

// The loader maps a library into memory without looking at its size: one that is cut off would end the process with a signal.
void check_whole(const std::string& path, std::uint64_t size) {
  std::ifstream in(path, std::ios::binary);
  Elf64_Ehdr head{};
  if (!in) throw UsageError(path + ": cannot be read; check its permissions");
  in.read(reinterpret_cast<char*>(&head), sizeof head);
  if (!in || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64) {
    throw UsageError(path + ": not a shared library of this machine; give a plug-in (.so)");
  }
  const UsageError cut_off(path + ": the library is cut off; build or copy it again");
  const auto inside = [size](std::uint64_t offset, std::uint64_t length) { return offset <= size && length <= size - offset; };
  if (head.e_phentsize != sizeof(Elf64_Phdr) || !inside(head.e_phoff, std::uint64_t{head.e_phnum} * head.e_phentsize) ||
      !inside(head.e_shoff, std::uint64_t{head.e_shnum} * head.e_shentsize)) {
    throw cut_off;
  }
  in.seekg(static_cast<std::streamoff>(head.e_phoff));
  for (unsigned i = 0; i < head.e_phnum; ++i) {
    Elf64_Phdr segment{};
    in.read(reinterpret_cast<char*>(&segment), sizeof segment);
    if (!in || !inside(segment.p_offset, segment.p_filesz)) throw cut_off;
  }
}

}  // namespace

void* open_library(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::exists(path, none)) throw UsageError(path + ": no such file; give a plug-in (.so)");
  if (!std::filesystem::is_regular_file(path, none)) throw UsageError(path + ": not a file; give a plug-in (.so)");
  check_whole(path, std::filesystem::file_size(path, none));
  // With a folder in front: without, the loader would look elsewhere.
  void* const library = dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw UsageError(path + ": cannot be loaded: " + printable(dlerror(), 400));
  return library;
}

void* find_symbol(void* library, const char* name) {
  return dlsym(library, name);
}

}  // namespace exarch
