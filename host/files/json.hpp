// Reading JSON of unknown origin: files of users, lines of files, texts in stores.
//
//   const nlohmann::json root = parse_json(text, path);   // Error "space.json:3: not valid JSON: ..."
//
// What all readers share: nesting is limited (walking through a deep value, or printing it, would exhaust the stack), a text is
// UTF-8, mistakes are given with their line, and a key that occurs twice in an object, of which JSON readers silently keep one,
// is an error.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace exarch {

inline constexpr int kDeepest = 32;  // objects and lists within each other, in JSON and TOML

enum class TwiceKeys { refused, last_counts };

// Throws Error "WHERE:LINE: what" (without ":LINE" for a text of a single line). Json is nlohmann::json or
// nlohmann::ordered_json.
template <class Json = nlohmann::json>
[[nodiscard]] Json parse_json(std::string_view text, const std::string& where, TwiceKeys twice = TwiceKeys::refused);

extern template nlohmann::json parse_json<nlohmann::json>(std::string_view, const std::string&, TwiceKeys);
extern template nlohmann::ordered_json parse_json<nlohmann::ordered_json>(std::string_view, const std::string&, TwiceKeys);

// The value of a key; Error "WHERE: ..." for what is no object, or lacks it.
[[nodiscard]] const nlohmann::ordered_json& member(const nlohmann::ordered_json& object, const std::string& key,
                                                   const std::string& where);

// A value for a message, cut to a readable length.
[[nodiscard]] std::string shown(const nlohmann::json& value);

}  // namespace exarch
