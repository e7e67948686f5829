#include "tools/exarch/embedded.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace exarch::cli {

std::string_view embedded_file(std::string_view name) {
  const auto files = embedded_files();
  const auto file = std::ranges::find(files, name, &EmbeddedFile::name);
  if (file == files.end()) throw std::logic_error("no embedded file " + std::string(name));
  return file->text;
}

}  // namespace exarch::cli
