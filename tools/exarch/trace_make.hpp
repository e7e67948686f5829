// `exarch trace make`: synthetic traces.
#pragma once

#include <string>
#include <vector>

#include "tools/exarch/options.hpp"

namespace exarch::cli {

[[nodiscard]] std::vector<OptionSpec> make_options();
// make PATTERN OUT.stl
int make_trace_action(const Verb& verb, const Arguments& arguments);

}  // namespace exarch::cli
