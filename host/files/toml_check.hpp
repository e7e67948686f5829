// Looks a TOML text over before the parser does, which exhausts the stack on deep nesting and long dotted keys, and does not
// survive some headers and characters that TOML does not allow.
#pragma once

#include <string>
#include <string_view>

namespace exarch {

// Error "WHERE:LINE: what" unless the text is UTF-8 with plain ASCII outside of strings and comments, its keys and headers are
// written as TOML has them, and lists, inline tables and the parts of keys are at most 32 (kDeepest) deep. What values look like
// is left to the parser.
void check_toml(std::string_view text, const std::string& where);

}  // namespace exarch
