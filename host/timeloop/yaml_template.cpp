#include "host/timeloop/yaml_template.hpp"

#include <algorithm>
#include <deque>
#include <vector>

#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/text.hpp"
#include "host/timeloop/yaml_expressions.hpp"

namespace exarch::timeloop {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxIncludeDepth = 8;
constexpr int kMaxIncludes = 1000;  // of all files together
constexpr std::string_view kTokenHead = "__exarch_include_";

// What all files of one reading share.
struct TemplateState {
  std::map<std::string, Value> values;
  std::vector<fs::path> folders;  // of add_to_path()
  std::deque<YamlNode> included;  // what tokens in the text stand for
  int depth = 0, includes = 0;
};

YamlNode load_at_depth(const fs::path& path, TemplateState& state);

// Text with the place of each of its lines.
class Output {
 public:
  void add(std::string_view text, const YamlPlace& place) {
    for (const char c : text) add(c, place);
  }
  void add(char c, const YamlPlace& place) {
    if (source.text.size() >= kMaxYamlBytes)
      refuse(place, "what is included makes more than " + std::to_string(kMaxYamlBytes >> 20) + " MiB");
    if (source.text.empty() || source.text.back() == '\n') source.lines.push_back(place);
    source.text.push_back(c);
  }
  YamlSource source;
};

class Template final : public Names {
 public:
  Template(fs::path path, TemplateState& state) : path_(std::move(path)), state_(state) {
    place_.file = std::make_shared<const std::string>(path_.string());
    place_.line = 1;
  }

  // Adds the file's text, with tags carried out, to `out`.
  void expand(Output& out) {
    const std::string text = read_text(path_, "a YAML file", kMaxYamlBytes);
    out_ = &out;
    const bool has_tags = text.find("{{") != std::string::npos || text.find("{%") != std::string::npos;
    if (!has_tags) {
      for (const char c : text) plain(c);
      return;
    }
    for (std::size_t at = 0; at < text.size();) at = step(text, at);
    if (!branches_.empty()) refuse(branches_.back().place, "{% if %} without its {% endif %}");
  }

  Value get(const std::string& name) override {
    const auto known = state_.values.find(name);
    return known == state_.values.end() ? Value{} : known->second;
  }

  std::optional<Value> call(const std::string& name, const std::vector<Value>& arguments) override {
    if (name == "cwd" && arguments.empty()) return Value{folder().string()};
    static const std::vector<std::string> kOfPaths{"add_to_path",  "path_exists", "find_path",
                                                   "include_text", "include",     "include_all"};
    if (std::ranges::find(kOfPaths, name) == kOfPaths.end()) return std::nullopt;
    for (const Value& argument : arguments) {
      if (argument.text() == nullptr)
        throw Error(name + "() takes texts" + (argument.is_undefined() ? "; a name in it is not defined" : ""));
    }
    if (arguments.empty() || arguments.size() > 2) throw Error(name + "() takes a path, and include() a key behind it");
    const std::string& path = *arguments[0].text();
    const std::string key = arguments.size() == 2 ? *arguments[1].text() : "";
    if (name == "add_to_path") {
      state_.folders.push_back(folder() / path);
      return Value{std::string()};
    }
    if (name == "path_exists") return Value{find(path).has_value()};
    if (name == "include_all") return Value{token(all_of(path, key))};
    const fs::path file = found(path);
    if (name == "find_path") return Value{file.string()};
    count_include();
    if (name == "include_text") {
      include_text(file);
      return Value{std::string()};
    }
    return Value{token(part_of(file, key))};
  }

 private:
  struct Branch {
    YamlPlace place;
    bool outer, taken, active;  // what is around is active; a branch was taken; this one is
  };

  [[nodiscard]] bool active() const { return branches_.empty() || branches_.back().active; }
  [[nodiscard]] fs::path folder() const { return fs::absolute(path_).parent_path(); }

  void plain(char c) {
    if (active()) out_->add(c, place_);
    if (c == '\n') ++place_.line;
  }

  // Copies a character, or carries out the tag that begins at `at`; returns where to go on.
  std::size_t step(const std::string& text, std::size_t at) {
    const std::string_view two = std::string_view(text).substr(at, 2);
    const std::string_view end = two == "{{" ? "}}" : two == "{%" ? "%}" : two == "{#" ? "#}" : "";
    if (end.empty()) {
      plain(text[at]);
      return at + 1;
    }
    const std::size_t close = text.find(end, at + 2);
    if (close == std::string::npos) refuse(place_, std::string(two) + " without its " + std::string(end));
    std::string_view inside = std::string_view(text).substr(at + 2, close - at - 2);
    if (!inside.empty() && (inside.front() == '-' || inside.front() == '+')) inside.remove_prefix(1);
    if (!inside.empty() && (inside.back() == '-' || inside.back() == '+')) inside.remove_suffix(1);
    if (two == "{{" && active()) print(inside);
    if (two == "{%") statement(std::string(inside));
    place_.line += static_cast<std::uint32_t>(std::ranges::count(inside, '\n'));
    return close + 2;
  }

  Value value_of(std::string_view expression) {
    try {
      return evaluate(expression, *this);
    } catch (const PlacedError&) {  // of an included file
      throw;
    } catch (const Error& error) {
      refuse(place_, error.what());
    }
  }

  void print(std::string_view expression) {
    const Value value = value_of(expression);
    if (value.is_undefined()) {
      refuse(place_, in_quotes(expression) + " is not defined in this template; give it with --define NAME=VALUE");
    }
    out_->add(to_text(value), place_);
  }

  void statement(const std::string& text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    const std::size_t end = begin == std::string::npos ? begin : text.find_first_of(" \t\r\n", begin);
    const std::string word = begin == std::string::npos ? "" : text.substr(begin, end - begin);
    const std::string rest = end == std::string::npos ? "" : text.substr(end);
    if (word == "if") {
      const bool outer = active(), yes = outer && is_true(value_of(rest));
      if (branches_.size() > 64) refuse(place_, "{% if %} nested too deeply");
      branches_.push_back({place_, outer, yes, yes});
    } else if (word == "elif" || word == "else" || word == "endif") {
      if (branches_.empty()) refuse(place_, "{% " + word + " %} without its {% if %}");
      other_branch(word, rest);
    } else if (word == "set") {
      if (active()) set(rest);
    } else {
      refuse(place_, "the template statement " + in_quotes(word) + " is not known here; set, if, elif, else and endif are");
    }
  }

  void other_branch(const std::string& word, const std::string& condition) {
    if (word == "endif") {
      branches_.pop_back();
      return;
    }
    Branch& branch = branches_.back();
    const bool open = branch.outer && !branch.taken;
    branch.active = false;  // the condition is one of what is around
    branch.active = open && (word == "else" || is_true(value_of(condition)));
    branch.taken = branch.taken || branch.active;
  }

  void set(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) refuse(place_, "{% set %} expects NAME = VALUE");
    std::string name = text.substr(0, equals);
    std::erase_if(name, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
    state_.values[name] = value_of(std::string_view(text).substr(equals + 1));
  }

  // ---- files

  [[nodiscard]] std::optional<fs::path> find(const std::string& path) const {
    std::vector<fs::path> folders{folder()};
    folders.insert(folders.end(), state_.folders.begin(), state_.folders.end());
    std::error_code none;
    for (const fs::path& base : folders) {
      if (fs::is_regular_file(base / path, none)) return (base / path).lexically_normal();
    }
    return std::nullopt;
  }

  [[nodiscard]] fs::path found(const std::string& path) const {
    const std::optional<fs::path> file = find(path);
    if (!file) throw Error("no file " + in_quotes(path, 200) + ", neither beside this one nor in what add_to_path() named");
    return *file;
  }

  void count_include() {
    if (++state_.includes > kMaxIncludes) throw Error("more than " + std::to_string(kMaxIncludes) + " includes");
  }

  void include_text(const fs::path& file) {
    if (++state_.depth > kMaxIncludeDepth)
      throw Error("files include each other more than " + std::to_string(kMaxIncludeDepth) + " deep");
    Template(file, state_).expand(*out_);
    --state_.depth;
  }

  YamlNode part_of(const fs::path& file, const std::string& key) {
    const YamlNode root = load_at_depth(file, state_);
    const YamlNode* part = find_path(root, key);
    if (part == nullptr) throw Error(file.string() + " has no " + in_quotes(key));
    return *part;
  }

  // The lists at `key` in all files of a pattern like "components/*.yaml", one behind the other.
  YamlNode all_of(const std::string& pattern, const std::string& key) {
    const fs::path last = fs::path(pattern).filename();
    const std::string name = last.string();
    const std::size_t star = name.find('*');
    YamlNode all;
    all.kind = YamlNode::Kind::list;
    all.place = place_;
    if (star == std::string::npos) throw Error("include_all() takes a pattern like components/*.yaml");
    std::vector<fs::path> folders{folder()};
    folders.insert(folders.end(), state_.folders.begin(), state_.folders.end());
    std::vector<fs::path> files;
    for (const fs::path& base : folders) {
      std::error_code none;
      for (const fs::directory_entry& entry : fs::directory_iterator(base / fs::path(pattern).parent_path(), none)) {
        const std::string found_name = entry.path().filename().string();
        const bool fits = found_name.size() + 1 >= name.size() && found_name.starts_with(name.substr(0, star)) &&
                          found_name.ends_with(name.substr(star + 1));
        if (fits && entry.is_regular_file(none)) files.push_back(entry.path());
      }
      if (!files.empty()) break;
    }
    std::ranges::sort(files);
    for (const fs::path& file : files) {
      count_include();
      const YamlNode part = part_of(file, key);
      if (!part.is_list()) throw Error(file.string() + ": " + in_quotes(key) + " is not a list");
      all.items.insert(all.items.end(), part.items.begin(), part.items.end());
    }
    return all;
  }

  std::string token(YamlNode node) {
    state_.included.push_back(std::move(node));
    return std::string(kTokenHead) + std::to_string(state_.included.size() - 1);
  }

  fs::path path_;
  TemplateState& state_;
  YamlPlace place_;
  Output* out_ = nullptr;
  std::vector<Branch> branches_;
};

YamlNode load_at_depth(const fs::path& path, TemplateState& state) {
  if (++state.depth > kMaxIncludeDepth)
    throw Error("files include each other more than " + std::to_string(kMaxIncludeDepth) + " deep");
  Output out;
  Template(path, state).expand(out);
  out.source.included = [&state](const std::string& text) -> const YamlNode* {
    if (!text.starts_with(kTokenHead)) return nullptr;
    const std::optional<double> index = number_in(text.substr(kTokenHead.size()));
    if (!index || !(*index >= 0 && *index < static_cast<double>(state.included.size()))) return nullptr;
    return &state.included[static_cast<std::size_t>(*index)];
  };
  YamlNode root = parse_yaml(out.source, path.string());
  --state.depth;
  return root;
}

}  // namespace

YamlNode load_yaml(const fs::path& path, const TemplateValues& values) {
  TemplateState state;
  for (const auto& [name, text] : values) {
    const std::optional<double> number = number_in(text);
    const bool yes = text == "True" || text == "true", no = text == "False" || text == "false";
    state.values[name] = number ? Value{*number} : yes || no ? Value{yes} : Value{text};
  }
  return load_at_depth(path, state);
}

}  // namespace exarch::timeloop
