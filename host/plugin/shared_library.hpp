// Shared libraries that a user names.
#pragma once

#include <string>

namespace exarch {

// Opens a library, for as long as the process lives. UsageError for a file that is missing, is no library of this machine, is cut
// off, or needs what cannot be found.
[[nodiscard]] void* open_library(const std::string& path);
// A function of it; null where there is none.
[[nodiscard]] void* find_symbol(void* library, const char* name);

}  // namespace exarch
