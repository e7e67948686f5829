// Looking at the beginning of a text: for the sources that tell kinds of files (file_kind.cpp, trace_kind.cpp).
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "host/files/file_kind.hpp"

namespace exarch {

using Words = std::vector<std::string_view>;

inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Takes the next line that carries something (not blank, not a comment) off `text`; "" at its end.
inline std::string_view take_line(std::string_view& text, std::string_view comment) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && !line.starts_with(comment)) return line;
  }
  return "";
}

inline Words split_at(std::string_view line, std::string_view separators) {
  Words words;
  while (true) {
    const std::size_t end = std::min(line.find_first_of(separators), line.size());
    words.push_back(trimmed(line.substr(0, end)));
    if (end == line.size()) return words;
    line.remove_prefix(end + 1);
  }
}

inline Words fields_of(std::string_view line) {
  Words words = split_at(line, " \t");
  std::erase(words, "");
  return words;
}

inline bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}
inline bool is_hex(std::string_view word) {
  return word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X') &&
         word.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
}
inline bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

// Of a text that is a memory trace, or a program's list of its accesses; unknown for anything else.
[[nodiscard]] FileKind trace_kind(std::string_view text);
// Whether the bytes are instructions of a ChampSim trace, which begins with no mark.
[[nodiscard]] bool is_champsim(std::string_view head);

}  // namespace exarch
