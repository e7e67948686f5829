// A YAML text as a tree that remembers where each value stands. For readers of Timeloop's files, inside this folder.
//
// Merges (`<<: *base`, and timeloopfe's `<<<: *base`, which goes into maps and lists) are carried out. A key that occurs twice in
// a map, of which YAML libraries keep one, is an error. Nesting and size are limited: aliases of aliases of lists cannot fill the
// memory. Example:
//
//   const YamlNode root = parse_yaml("arch: {name: buffer}\n", "arch.yaml");
//   refuse(*root.find("arch"), "has no storage");  // Error "arch.yaml:1: has no storage"
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/error.hpp"

namespace exarch::timeloop {

struct YamlPlace {
  std::shared_ptr<const std::string> file;
  std::uint32_t line = 0;  // from 1
};

// "arch.yaml:12"
[[nodiscard]] std::string shown(const YamlPlace& place);

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  bool quoted = false;            // a scalar in quotes, which is a text whatever it looks like
  std::string text;               // of a scalar
  std::string tag;                // "!Component"; "" for most
  YamlPlace place;                // of a map's value: where its key stands
  std::vector<std::string> keys;  // (entry) of a map
  std::vector<YamlNode> items;    // (entry) of a map or list

  [[nodiscard]] bool is_null() const { return kind == Kind::null; }
  [[nodiscard]] bool is_map() const { return kind == Kind::map; }
  [[nodiscard]] bool is_list() const { return kind == Kind::list; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::scalar; }
  // The value of a key in a map; nullptr where there is none, or null. `-` and `_` in keys are the same, as in Timeloop.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

// Whether two keys are the same but for `-` and `_`.
[[nodiscard]] bool same_key(std::string_view a, std::string_view b);

// An error that says where: what catches others to add a place leaves it as it is.
class PlacedError : public Error {
 public:
  using Error::Error;
};

// Throws PlacedError "FILE:LINE: what".
[[noreturn]] void refuse(const YamlPlace& place, const std::string& what);
[[noreturn]] void refuse(const YamlNode& node, const std::string& what);

// What stands in a text that was put together from several: the place of each of its lines, and what scalars stand for.
struct YamlSource {
  std::string text;
  std::vector<YamlPlace> lines;                                      // (line) empty: all of `file`
  std::function<const YamlNode*(const std::string&)> included = {};  // what a scalar stands for; nullptr: itself
};

inline constexpr std::size_t kMaxYamlBytes = std::size_t{4} << 20;

// Error "FILE:LINE: not valid YAML: ..." and the like.
[[nodiscard]] YamlNode parse_yaml(const std::string& text, const std::string& file);
[[nodiscard]] YamlNode parse_yaml(const YamlSource& source, const std::string& file);

// What is at "a.b.c" of nested maps; nullptr where nothing is.
[[nodiscard]] const YamlNode* find_path(const YamlNode& root, std::string_view path);

// The value for a message: 'text', a list, a map ...
[[nodiscard]] std::string shown(const YamlNode& node);

}  // namespace exarch::timeloop
