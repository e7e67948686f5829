#include "tools/exarch/messages.hpp"

#include <iostream>

#include "host/files/text.hpp"

namespace exarch::cli {

void say(const std::string& text) {
  std::cerr << "exarch: " + printable_message(text) + "\n";
}

}  // namespace exarch::cli
