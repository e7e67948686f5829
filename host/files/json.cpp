#include "host/files/json.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "host/error.hpp"
#include "host/files/text.hpp"

namespace exarch {
namespace {

// "WHERE:LINE: " for the `at`-th byte of the text.
std::string place(std::string_view text, const std::string& where, std::size_t at) {
  if (where.empty()) return "";
  if (text.find('\n') == std::string_view::npos && !text.empty()) return where + ":1: ";
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(at, text.size())), '\n');
  return where + ":" + std::to_string(line) + ": ";
}

// A library's message without its own number, the place last: "[json.exception.parse_error.101] parse error at line 1, column 5:
// what" becomes "what (line 1, column 5)".
std::string without_prefix(std::string message) {
  if (message.starts_with('[')) message.erase(0, message.find("] ") == std::string::npos ? 0 : message.find("] ") + 2);
  if (message.starts_with("parse error")) {
    const std::size_t colon = message.find(": ");
    const std::size_t line = message.find("line ");
    if (colon != std::string::npos && line < colon) {
      message = message.substr(colon + 2) + " (" + message.substr(line, colon - line) + ")";
    }
  }
  return message;
}

// The end of the string that begins at `at`, behind its closing quote; the text's size where there is none.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

// Before anything else reads the text: brackets within each other, and NUL, which ends the text for the library, so that it would
// not see what follows.
void check_brackets(std::string_view text, const std::string& where) {
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at) - 1;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) {
        throw Error(place(text, where, at) + "objects and lists are nested more than " + std::to_string(kDeepest) +
                    " deep, the most that is read");
      }
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == '\0') {
      throw Error(place(text, where, at) + "not valid JSON: a NUL byte");
    }
  }
}

// Of valid JSON: the first key that its object has already.
void check_keys(std::string_view text, const std::string& where) {
  std::vector<std::optional<std::set<std::string>>> open;  // the keys of an object; nothing for a list
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '{' || c == '[') {
      open.emplace_back();
      if (c == '{') open.back().emplace();
    } else if (c == '}' || c == ']') {
      open.pop_back();
    } else if (c == '"') {
      const std::size_t begin = at;
      const std::size_t end = end_of_string(text, at);
      at = end - 1;
      const std::size_t next = text.find_first_not_of(" \t\r\n", end);
      if (next == std::string_view::npos || text[next] != ':') continue;
      const std::string_view written = text.substr(begin, end - begin);
      std::string key(written.substr(1, written.size() - 2));
      if (key.find('\\') != std::string::npos) key = nlohmann::json::parse(written).get<std::string>();
      if (open.back()->insert(key).second) continue;
      throw Error(place(text, where, begin) + "key \"" + printable(key, 60) + "\" occurs twice in its object; keep one of them");
    }
  }
}

}  // namespace

template <class Json>
Json parse_json(std::string_view text, const std::string& where, TwiceKeys twice) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  check_brackets(text, where);
  try {
    Json value = Json::parse(text);
    if (twice == TwiceKeys::refused) check_keys(text, where);
    return value;
  } catch (const typename Json::parse_error& error) {
    throw Error(place(text, where, error.byte > 0 ? error.byte - 1 : 0) + "not valid JSON: " + without_prefix(error.what()));
  } catch (const typename Json::exception& error) {
    throw Error((where.empty() ? "" : where + ": ") + "not valid JSON: " + without_prefix(error.what()));
  }
}

const nlohmann::ordered_json& member(const nlohmann::ordered_json& object, const std::string& key, const std::string& where) {
  if (!object.is_object()) throw Error(where + ": expected an object, found " + shown(object));
  const auto it = object.find(key);
  if (it == object.end()) throw Error(where + ": the key \"" + key + "\" is missing");
  return *it;
}

std::string shown(const nlohmann::json& value) {
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

template nlohmann::json parse_json<nlohmann::json>(std::string_view, const std::string&, TwiceKeys);
template nlohmann::ordered_json parse_json<nlohmann::ordered_json>(std::string_view, const std::string&, TwiceKeys);

}  // namespace exarch
