// The one exception type the project throws for anything a user can cause, and helpers to phrase it well.
//
// Messages say what is wrong, where (file:line:key) and what to do. The command line turns Error into exit code 1 and
// UsageError into exit code 2.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace exarch {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The request itself is wrong (an unknown option, value or name), as opposed to a failure while carrying it out.
class UsageError : public Error {
 public:
  using Error::Error;
};

// What a function gives. Its errors name the file: in_file("net.json", [&] { return layers_of(json); }) says "net.json:
// layers[0]: the key "M" is missing". An error that begins with the file already stays as it is.
template <class Function>
decltype(auto) in_file(const std::string& path, const Function& function) {
  try {
    return function();
  } catch (const Error& error) {
    const std::string what = error.what();
    throw Error(what.starts_with(path) ? what : path + ": " + what);
  }
}

// The candidate that is one typo away from `word`: one letter too many, too few or wrong, two neighbours exchanged, or upper and
// lower case. "" when there is none: a far-fetched suggestion is worse than none. Example: "latncy" is near "latency", "bogus" is
// near nothing.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

// " (did you mean 'X'?)" or "".
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace exarch
