// What the program says besides its results: on standard error, in one line, beginning with its name.
#pragma once

#include <string>

namespace exarch::cli {

// "exarch: TEXT". Whatever of a user's file or argument the text quotes can neither steer the terminal nor fill it.
void say(const std::string& text);

}  // namespace exarch::cli
