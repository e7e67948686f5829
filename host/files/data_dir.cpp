#include "host/files/data_dir.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "host/error.hpp"
#include "host/files/byte_stream.hpp"

namespace exarch {
namespace {

namespace fs = std::filesystem;

// What use_data_dir() said last; empty: nothing.
fs::path& own_data_dir() {
  static fs::path dir;
  return dir;
}

// Folders that may hold the data, in order of preference; an explicit $EXARCH_DATA is the only one
// considered, so that a typing mistake in it cannot silently select other data. The same holds for a program's own folder.
std::vector<fs::path> candidate_dirs() {
  if (const char* chosen = std::getenv("EXARCH_DATA"); chosen != nullptr && *chosen != '\0') {
    return {fs::path(chosen)};
  }
  if (!own_data_dir().empty()) return {own_data_dir()};
  std::vector<fs::path> dirs;
  std::error_code ec;
  const fs::path executable = fs::read_symlink("/proc/self/exe", ec);
  if (!ec) dirs.push_back(executable.parent_path().parent_path() / "share" / "exarch");
#ifdef EXARCH_SOURCE_DATA_DIR
  dirs.emplace_back(EXARCH_SOURCE_DATA_DIR);
#endif
#ifdef EXARCH_INSTALLED_DATA_DIR
  dirs.emplace_back(EXARCH_INSTALLED_DATA_DIR);  // for other programs than exarch
#endif
  return dirs;
}

std::optional<fs::path> existing_data_dir() {
  std::error_code ec;
  for (const fs::path& dir : candidate_dirs()) {
    if (fs::is_directory(dir, ec)) return dir;
  }
  return std::nullopt;
}

std::string no_data_dir_message() {
  std::string tried;
  for (const fs::path& dir : candidate_dirs()) {
    tried += (tried.empty() ? "'" : ", '") + dir.string() + "'";
  }
  return "no data folder found (tried " + tried + "); set EXARCH_DATA to the folder that holds dram/traces and dram/memspecs";
}

std::optional<fs::path> find_shipped(const fs::path& dir, const std::string& name, const std::vector<std::string>& extensions) {
  std::error_code ec;
  if (name.empty()) return std::nullopt;
  if (fs::is_regular_file(dir / name, ec)) return dir / name;
  for (const std::string& extension : extensions) {
    const fs::path path = dir / (name + extension);
    if (fs::is_regular_file(path, ec)) return path;
  }
  return std::nullopt;
}

}  // namespace

void use_data_dir(const std::filesystem::path& dir) {
  own_data_dir() = dir;
}

std::filesystem::path data_dir() {
  if (const std::optional<fs::path> dir = existing_data_dir()) return *dir;
  throw Error(no_data_dir_message());
}

std::filesystem::path find_data_file(const std::string& folder, const std::string& name,
                                     const std::vector<std::string>& extensions) {
  std::error_code ec;
  const bool exists = fs::exists(name, ec);
  if (exists && !fs::is_directory(name, ec)) return name;
  const std::optional<fs::path> data = existing_data_dir();
  if (data) {
    if (const auto shipped = find_shipped(*data / folder, name, extensions)) return *shipped;
  }
  if (exists) throw Error("'" + name + "' is a directory, expected a file");
  if (!data) throw Error("there is no file '" + name + "', and " + no_data_dir_message());
  const std::string stem = fs::path(name).stem().string();
  throw Error("there is no file '" + name + "', nor a shipped one of that name in '" + (*data / folder).string() + "'" +
              did_you_mean(stem, shipped_names(folder)));
}

std::string absolute_if_file(const std::string& name) {
  std::error_code ec;
  if (!fs::exists(name, ec) || fs::is_directory(name, ec)) return name;
  return fs::absolute(name).lexically_normal().string();
}

std::vector<std::string> shipped_names(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(data_dir() / folder, ec)) {
    if (!entry.is_regular_file(ec)) continue;
    names.push_back(uncompressed_name(entry.path()).stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace exarch
