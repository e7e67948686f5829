// What texts of unknown origin (arguments, files, names) are made of, and how they are shown in a message.
//
//   throw Error("unknown column " + in_quotes(name));   // unknown column 'tr\x1B]0;ace'
//   if (!is_utf8(name)) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace exarch {

// True for well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view text);

// The text as a terminal may show it: what is not UTF-8, and what would move the cursor, change colours or reverse the line
// (control characters, marks of direction) becomes \xNN. Other characters stay as they are.
[[nodiscard]] std::string printable(std::string_view text);

// The same, at most `limit` bytes of it (and less than that beyond a word or two): what is left out of the middle becomes "...".
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit);

// In quotes, for a message about one name or value.
[[nodiscard]] std::string in_quotes(std::string_view text, std::size_t limit = 60);

// A whole message: printable, words beyond 400 bytes and messages beyond 2,000 bytes cut in the middle, so that what stands at
// both ends (the place, and what to do) stays.
[[nodiscard]] std::string printable_message(std::string_view text);

// Numbers as people read them: "1.2 k", "3.4 M"; "2 m 10 s"; "1,234,567".
[[nodiscard]] std::string short_count(double n);
[[nodiscard]] std::string short_time(double seconds);
[[nodiscard]] std::string with_commas(std::uint64_t number);
// With so many digits after the point: with_decimals(0.5, 2) is "0.50".
[[nodiscard]] std::string with_decimals(double value, int decimals);

}  // namespace exarch
