// What a search has found, as a table or with --json.
#pragma once

#include "host/run/search.hpp"
#include "tools/exarch/options.hpp"

namespace exarch::cli {

void show_search(const SearchSpec& spec, const SearchReport& report, const Arguments& arguments);

}  // namespace exarch::cli
