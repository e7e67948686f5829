// What an action complains about.
#pragma once

#include <string>

#include "host/error.hpp"

namespace exarch::test {

template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "(no error)";
}

}  // namespace exarch::test
