// What a file is, as its first bytes tell: for readers that were handed a file of another kind.
//
//   MemSpec load_memspec(path) { return named_if_foreign(path, {FileKind::memspec}, "a memory specification", [&] { ... }); }
//
// runs the reader; if it fails, and the file is of a kind that is none of those given, the error says what the file is and what
// to do with it. Example: "run.stl: is a Git LFS pointer, where a trace (.stl) is expected; fetch the file itself: git lfs pull".
// A file that its reader accepts is never looked at, so that no valid file can be misjudged.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "host/error.hpp"

namespace exarch {

enum class FileKind {
  unknown,
  // what nothing here reads
  lfs_pointer,
  html,
  xml,
  zip,
  xz,
  zstd,
  bzip2,
  seven_zip,
  tar,
  pdf,
  image,
  elf,
  hdf5,
  sqlite,  // of others
  utf16,
  // what some reader takes
  gzip,
  run_store,
  study_store,
  simulation,
  memspec,
  mapping,
  controller,  // DRAMSys mcconfig
  simulation_settings,
  space,
  problems,
  json,  // other
  plan,
  maestro_network,
  maestro_dataflow,
  maestro_hardware,
  layer_table,
  product_table,  // GAMMA's header of matrix products
  csv,
  trace_stl,
  trace_dramsim3,
  trace_ramulator,
  gem5_binary,
  trace_gem5,
  trace_dramsim2_misc,
  trace_lackey,
  trace_pin,
  trace_champsim,
  trace_scalesim,
  trace_csv,
  trace_cpu,
};

inline constexpr std::size_t kKindBytes = 4096;  // of the beginning, all that kind_of looks at

// The kind of a file that begins with `head`.
[[nodiscard]] FileKind kind_of(std::string_view head);
// The same of a regular file; unknown for anything else. With `decompress`, of what a file compressed by gzip or zstd contains.
[[nodiscard]] FileKind kind_of_file(const std::filesystem::path& path, bool decompress = false);

// "a Git LFS pointer"; "" for unknown.
[[nodiscard]] std::string name_of(FileKind kind);

// "PATH: is KIND, where EXPECTED is expected; ADVICE", or "" where the file is of no known kind or of one of `own`.
[[nodiscard]] std::string foreign_file(const std::filesystem::path& path, std::initializer_list<FileKind> own,
                                       const std::string& expected);

// Whether both names lead to one existing file, be it through links.
[[nodiscard]] bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b);

// Runs a reader of the file at `path`; its failure is replaced by what the file is, where that is another kind than its own. The
// error stays what it was, an Error or a UsageError.
template <class Body>
decltype(auto) named_if_foreign(const std::filesystem::path& path, std::initializer_list<FileKind> own,
                                const std::string& expected, Body&& body) {
  try {
    return body();
  } catch (const UsageError&) {
    const std::string foreign = foreign_file(path, own, expected);
    if (foreign.empty()) throw;
    throw UsageError(foreign);
  } catch (const Error&) {
    const std::string foreign = foreign_file(path, own, expected);
    if (foreign.empty()) throw;
    throw Error(foreign);
  }
}

}  // namespace exarch
