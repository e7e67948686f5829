// A JSON file of DRAMSys, read with messages that name the file, the line, the key and what is expected. For the readers of
// memory specifications and address mappings.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/json.hpp"

namespace exarch::dram {

using nlohmann::json;
using Keys = std::vector<std::string>;

inline bool is_one_of(const Keys& keys, const std::string& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// A parsed file together with its text, so that messages can name the line of a key.
class JsonFile {
 public:
  explicit JsonFile(const std::filesystem::path& path)
      : path_(path.string()), text_(read_text(path, "a DRAMSys file")), root_(parse_json(text_, path_)) {}

  [[nodiscard]] const json& root() const { return root_; }

  // `key` is dotted ("memtimingspec.RCD"); its last part is looked up in the text.
  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    const std::string last = '"' + key.substr(key.rfind('.') + 1) + '"';
    const std::size_t at = text_.find(last);
    const std::string line = at == std::string::npos ? "" : ":" + std::to_string(line_at(at + 1));
    throw Error(path_ + line + ": " + key + ": " + what);
  }

 private:
  // Line of the `byte`-th character (counted from 1, as the parser does).
  [[nodiscard]] std::size_t line_at(std::size_t byte) const {
    const std::size_t before = std::min(byte == 0 ? 0 : byte - 1, text_.size());
    const auto end = text_.begin() + static_cast<std::ptrdiff_t>(before);
    return 1 + static_cast<std::size_t>(std::count(text_.begin(), end, '\n'));
  }

  std::string path_;
  std::string text_;
  json root_;
};

// One object of the file, with typed access that explains what is wrong.
class JsonObject {
 public:
  // The object under `wrapper`, or the whole file when that already has the wrapped object's
  // `mark`.
  static JsonObject open(const JsonFile& file, const std::string& wrapper, const std::string& mark, const Keys& known) {
    const json& root = file.root();
    if (root.is_object() && !root.contains(wrapper) && root.contains(mark)) {
      return JsonObject(file, root, "", known);
    }
    if (!root.is_object()) file.fail(wrapper, "expected an object {\"" + wrapper + "\": {...}}");
    const Keys only{wrapper};
    const JsonObject outer(file, root, "", only);
    JsonObject inner = outer.object(wrapper, known);
    outer.refuse_unknown_keys();
    return inner;
  }

  [[nodiscard]] const json& require(const std::string& key) const {
    const auto found = node_->find(key);
    if (found != node_->end()) return *found;
    std::vector<std::string> strangers = keys();
    std::erase_if(strangers, [this](const std::string& name) { return is_one_of(*known_, name); });
    const std::string guess = nearest(key, strangers);
    file_->fail(prefix_ + key, "this key is missing" + (guess.empty() ? "" : " (is '" + guess + "' a misspelling of it?)"));
  }

  // The object's keys are among `known`, which must outlive it; see refuse_unknown_keys().
  [[nodiscard]] JsonObject object(const std::string& key, const Keys& known) const {
    const json& value = require(key);
    if (!value.is_object()) fail(key, "expected an object {...}, found " + shown(value));
    return JsonObject(*file_, value, prefix_ + key + ".", known);
  }

  // Last, so that a missing key is reported together with what may be its misspelling.
  void refuse_unknown_keys() const {
    for (const std::string& key : keys()) {
      if (!is_one_of(*known_, key)) fail(key, "unknown key" + did_you_mean(key, *known_) + "; correct or remove it");
    }
  }

  [[nodiscard]] std::string text(const std::string& key) const {
    const json& value = require(key);
    if (!value.is_string()) fail(key, "expected a text, found " + shown(value));
    return value.get<std::string>();
  }

  [[nodiscard]] std::uint32_t integer(const std::string& key, std::uint32_t low, std::uint32_t high) const {
    return to_integer(key, require(key), low, high);
  }

  [[nodiscard]] double real(const std::string& key, double low, double high) const {
    const json& value = require(key);
    const double number = value.is_number() ? value.get<double>() : -1;
    if (!value.is_number() || !std::isfinite(number) || number < low || number > high) {
      fail(key, "expected a number from " + shown(low) + " to " + shown(high) + ", found " + shown(value));
    }
    return number;
  }

  [[nodiscard]] std::uint32_t to_integer(const std::string& key, const json& value, std::uint32_t low, std::uint32_t high) const {
    const bool valid = value.is_number_unsigned() && value.get<std::uint64_t>() >= low && value.get<std::uint64_t>() <= high;
    if (!valid) {
      fail(key,
           "expected a whole number from " + std::to_string(low) + " to " + std::to_string(high) + ", found " + shown(value));
    }
    return value.get<std::uint32_t>();
  }

  [[nodiscard]] bool has(const std::string& key) const { return node_->contains(key); }

  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> names;
    for (const auto& item : node_->items()) names.push_back(item.key());
    return names;
  }

  [[noreturn]] void fail(const std::string& key, const std::string& what) const { file_->fail(prefix_ + key, what); }

 private:
  JsonObject(const JsonFile& file, const json& node, std::string prefix, const Keys& known)
      : file_(&file), node_(&node), prefix_(std::move(prefix)), known_(&known) {}

  const JsonFile* file_;
  const json* node_;
  std::string prefix_;
  const Keys* known_;
};

}  // namespace exarch::dram
