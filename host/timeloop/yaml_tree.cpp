#include "host/timeloop/yaml_tree.hpp"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>

#include "host/error.hpp"
#include "host/files/text.hpp"

namespace exarch::timeloop {
namespace {

using Kind = YamlNode::Kind;

constexpr int kMaxYamlDepth = 64;
constexpr std::size_t kMaxYamlNodes = 200'000;

std::string too_deep() {
  return "more than " + std::to_string(kMaxYamlDepth) + " lists and maps within each other; is a bracket not closed?";
}

bool is_merge(const std::string& key) {
  return key == "<<" || key == "<<<";
}

// Takes what the base has and the node has not. `deep`: also within maps and lists that both have.
void merge_into(YamlNode& node, const YamlNode& base, bool deep) {
  for (std::size_t i = 0; i < base.keys.size(); ++i) {
    const auto own = std::ranges::find(node.keys, base.keys[i]);
    if (own == node.keys.end()) {
      node.keys.push_back(base.keys[i]);
      node.items.push_back(base.items[i]);
      continue;
    }
    YamlNode& mine = node.items[static_cast<std::size_t>(own - node.keys.begin())];
    if (!deep || mine.tag == "!nomerge") continue;
    if (mine.is_map() && base.items[i].is_map()) merge_into(mine, base.items[i], deep);
    if (mine.is_list() && base.items[i].is_list()) {
      mine.items.insert(mine.items.end(), base.items[i].items.begin(), base.items[i].items.end());
    }
  }
}

class Converter {
 public:
  Converter(const YamlSource& source, const std::string& file)
      : source_(source), file_(std::make_shared<const std::string>(file)) {}

  [[nodiscard]] YamlPlace place_of(const YAML::Mark& mark) const {
    const auto line = static_cast<std::size_t>(std::max(mark.line, 0));
    if (line < source_.lines.size()) return source_.lines[line];
    if (!source_.lines.empty()) return source_.lines.back();
    return {file_, static_cast<std::uint32_t>(line + 1)};
  }

  YamlNode convert(const YAML::Node& from, int depth) {
    YamlNode node;
    node.place = place_of(from.Mark());
    if (depth > kMaxYamlDepth) refuse(node, too_deep());
    count(node, 1);
    const std::string& tag = from.Tag();
    node.quoted = tag == "!";
    if (tag.size() > 1 && tag.front() == '!') node.tag = tag;
    switch (from.Type()) {
      case YAML::NodeType::Scalar:
        return scalar(from, std::move(node));
      case YAML::NodeType::Sequence:
        node.kind = Kind::list;
        for (const YAML::Node& item : from) node.items.push_back(convert(item, depth + 1));
        return node;
      case YAML::NodeType::Map:
        return map(from, std::move(node), depth);
      default:
        return node;
    }
  }

 private:
  void count(const YamlNode& at, std::size_t more) {
    nodes_ += more;
    if (nodes_ > kMaxYamlNodes) refuse(at, "more than " + std::to_string(kMaxYamlNodes) + " values; do aliases repeat lists?");
  }

  // What an include brought counts as what it holds.
  static std::size_t size_of(const YamlNode& node) {
    std::size_t size = 1;
    for (const YamlNode& item : node.items) size += size_of(item);
    return size;
  }

  YamlNode scalar(const YAML::Node& from, YamlNode node) {
    node.kind = Kind::scalar;
    node.text = from.Scalar();
    const YamlNode* included = source_.included ? source_.included(node.text) : nullptr;
    if (included == nullptr) return node;
    count(node, size_of(*included));
    return *included;
  }

  YamlNode map(const YAML::Node& from, YamlNode node, int depth) {
    node.kind = Kind::map;
    std::vector<std::pair<bool, YamlNode>> bases;
    for (const auto& entry : from) {
      const YAML::Node &key = entry.first, &value = entry.second;
      const YamlPlace place = place_of(key.Mark());
      if (!key.IsScalar()) refuse(place, "a key is a text or a number here, not a list or a map");
      YamlNode converted = convert(value, depth + 1);
      if (is_merge(key.Scalar())) {
        add_bases(bases, std::move(converted), key.Scalar() == "<<<");
        continue;
      }
      converted.place = place;
      add(node, key.Scalar(), std::move(converted));
    }
    for (const auto& [deep, base] : bases) {
      count(node, size_of(base));
      merge_into(node, base, deep);
    }
    return node;
  }

  static void add(YamlNode& node, const std::string& key, YamlNode value) {
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      if (!same_key(node.keys[i], key)) continue;
      refuse(value, "the key " + in_quotes(key) + " occurs a second time; the first is at " + shown(node.items[i].place));
    }
    node.keys.push_back(key);
    node.items.push_back(std::move(value));
  }

  static void add_bases(std::vector<std::pair<bool, YamlNode>>& bases, YamlNode base, bool deep) {
    if (base.is_map()) {
      bases.emplace_back(deep, std::move(base));
      return;
    }
    if (!base.is_list()) refuse(base, "<< takes a map (<<: *name), or a list of maps");
    for (YamlNode& item : base.items) {
      if (!item.is_map()) refuse(item, "<< takes a map (<<: *name), or a list of maps");
      bases.emplace_back(deep, std::move(item));
    }
  }

  const YamlSource& source_;
  std::shared_ptr<const std::string> file_;
  std::size_t nodes_ = 0;
};

// Hears of a document, and does nothing about it.
class Deaf final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnAlias(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& /*value*/) override {}
  void OnSequenceStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {}
  void OnMapEnd() override {}
};

// Whether anything follows the first document, which the library would pass over. Its own function for all documents does not
// end where a text goes on with a stray `,` or `}`.
bool has_second_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Deaf deaf;
  return parser.HandleNextDocument(deaf) && parser.HandleNextDocument(deaf);
}

void check_text(const std::string& text, const std::string& file) {
  if (text.size() > kMaxYamlBytes) throw Error(file + ": more than " + std::to_string(kMaxYamlBytes >> 20) + " MiB");
  if (!is_utf8(text)) throw Error(file + ": not UTF-8");
  if (text.find('\0') != std::string::npos) throw Error(file + ": has a zero byte, which no text has");
}

}  // namespace

std::string shown(const YamlPlace& place) {
  const std::string file = place.file ? *place.file : "";
  return place.line == 0 ? file : file + ":" + std::to_string(place.line);
}

bool same_key(std::string_view a, std::string_view b) {
  const auto plain = [](char c) { return c == '-' ? '_' : c; };
  return std::ranges::equal(a, b, {}, plain, plain);
}

const YamlNode* YamlNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (same_key(keys[i], key)) return items[i].is_null() ? nullptr : &items[i];
  }
  return nullptr;
}

void refuse(const YamlPlace& place, const std::string& what) {
  throw PlacedError(shown(place) + ": " + what);
}

void refuse(const YamlNode& node, const std::string& what) {
  refuse(node.place, what);
}

YamlNode parse_yaml(const std::string& text, const std::string& file) {
  return parse_yaml(YamlSource{text, {}}, file);
}

YamlNode parse_yaml(const YamlSource& source, const std::string& file) {
  check_text(source.text, file);
  Converter converter(source, file);
  try {
    if (has_second_document(source.text)) {
      throw Error(
          file +
          ": something follows the end of the YAML document, as a second one (---) or a stray character; Timeloop reads one");
    }
    return converter.convert(YAML::Load(source.text), 0);
  } catch (const YAML::DeepRecursion& error) {
    refuse(converter.place_of(error.mark), too_deep());
  } catch (const YAML::Exception& error) {
    refuse(converter.place_of(error.mark), "not valid YAML: " + error.msg);
  }
}

const YamlNode* find_path(const YamlNode& root, std::string_view path) {
  const YamlNode* node = &root;
  while (node != nullptr && !path.empty()) {
    const std::size_t dot = path.find('.');
    node = node->find(path.substr(0, dot));
    path = dot == std::string_view::npos ? "" : path.substr(dot + 1);
  }
  return node;
}

std::string shown(const YamlNode& node) {
  switch (node.kind) {
    case Kind::scalar:
      return in_quotes(node.text);
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
    default:
      return "nothing";
  }
}

}  // namespace exarch::timeloop
