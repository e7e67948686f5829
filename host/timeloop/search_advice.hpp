// Why no mapping fits, and what would have to change.
#pragma once

#include <string>
#include <vector>

#include "host/timeloop/search.hpp"

namespace exarch::timeloop {

// Sentences about a search that found nothing: what the constraints demand that no level has, or, of every level whose size alone
// is the reason, the least size with which a mapping fits. Example: "psum_spad: no tile that the constraints allow has fewer than
// 24 words, and it holds 16; change its size from 16 to 24 words". Empty where there is a mapping.
[[nodiscard]] std::vector<std::string> why_nothing_fits(const MappingTask& task);

}  // namespace exarch::timeloop
