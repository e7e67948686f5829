// Where installed data (traces, memspecs, address mappings) is found.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace exarch {

// The data folder: $EXARCH_DATA, else <binary>/../share/exarch, else the source tree's traces/ (the build tree's fallback).
// Throws Error if none exists.
[[nodiscard]] std::filesystem::path data_dir();

// For programs that bring the data themselves, such as a Python package: from now on `dir` is the data folder, unless
// $EXARCH_DATA names one. Before other threads look for data. Example: use_data_dir("/opt/tuner/share/exarch").
void use_data_dir(const std::filesystem::path& dir);

// Resolves `name` as a path if such a file exists, else as <data_dir>/<folder>/<name>[extension of the list].
// Throws Error naming what was tried and the nearest shipped name.
[[nodiscard]] std::filesystem::path find_data_file(const std::string& folder, const std::string& name,
                                                   const std::vector<std::string>& extensions);

// The absolute path, without "." and "..", if find_data_file() would take `name` as a path; else `name`.
[[nodiscard]] std::string absolute_if_file(const std::string& name);

// Names (stems) of the shipped files of a folder, sorted.
[[nodiscard]] std::vector<std::string> shipped_names(const std::string& folder);

}  // namespace exarch
