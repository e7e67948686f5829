#include <cmath>

#include "host/files/text.hpp"
#include "host/timeloop/yaml_sections.hpp"

namespace exarch::timeloop {
namespace {

std::optional<bool> truth_in(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

}  // namespace

void Scope::add(const YamlNode& map) {
  for (std::size_t i = 0; i < map.keys.size(); ++i) entries_[map.keys[i]] = {&map.items[i], this};
}

void Scope::add(const std::string& prefix, const YamlNode& map, Scope& scope) {
  for (std::size_t i = 0; i < map.keys.size(); ++i) entries_[prefix + "." + map.keys[i]] = {&map.items[i], &scope};
}

Value Scope::get(const std::string& name) {
  if (const auto value = values_.find(name); value != values_.end()) return value->second;
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) return outer_ == nullptr ? Value{} : outer_->get(name);
  // `width: width` means the one outside.
  if (open_.contains(name)) {
    if (outer_ != nullptr) return outer_->get(name);
    throw Error(in_quotes(name) + " is defined by itself");
  }
  open_.insert(name);
  struct Close {
    ~Close() { open.erase(name); }
    std::set<std::string>& open;
    const std::string& name;
  } const close{open_, name};
  const YamlNode& node = *entry->second.node;
  if (node.is_list() || node.is_map()) {
    Value::List list(node.items.size());
    for (std::size_t i = 0; node.is_list() && i < list.size(); ++i) {
      if (node.items[i].is_scalar()) list[i] = value_of(node.items[i], *entry->second.scope);
    }
    return Value{std::move(list)};
  }
  return value_of(node, *entry->second.scope);
}

Value value_of(const YamlNode& node, Scope& scope) {
  if (!node.is_scalar()) return {};
  if (node.quoted) return Value{node.text};
  if (const std::optional<double> number = number_in(node.text)) return Value{*number};
  if (const std::optional<bool> truth = truth_in(node.text)) return Value{*truth};
  try {
    Value value = evaluate(node.text, scope);
    return value.is_undefined() ? Value{node.text} : value;
  } catch (const PlacedError&) {
    throw;
  } catch (const Error&) {
    return Value{node.text};
  }
}

double number_of(const YamlNode& node, const std::string& what, Scope& scope) {
  const Value value = value_of(node, scope);
  if (const double* number = value.number(); number != nullptr && std::isfinite(*number)) return *number;
  if (node.is_scalar() && node.quoted) {  // version: "0.4", depth: "64"
    if (const std::optional<double> number = number_in(node.text)) return *number;
  }
  std::string why;
  if (node.is_scalar() && !node.quoted) {
    try {
      (void)evaluate(node.text, scope);
    } catch (const Error& error) {
      why = ": " + std::string(error.what());
    }
  }
  refuse(node, what + ": expected a number, found " + shown(node) + why);
}

std::int64_t whole_of(const YamlNode& node, const std::string& what, Scope& scope, std::int64_t least, std::int64_t most) {
  const double number = number_of(node, what, scope);
  if (number != std::trunc(number) || number < static_cast<double>(least) || number > static_cast<double>(most)) {
    refuse(node, what + ": expected a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ", found " +
                     to_text(Value{number}));
  }
  return static_cast<std::int64_t>(number);
}

bool truth_of(const YamlNode& node, const std::string& what, Scope& scope) {
  const Value value = value_of(node, scope);
  if (const bool* truth = std::get_if<bool>(&value.what)) return *truth;
  if (const double* number = value.number(); number != nullptr && (*number == 0 || *number == 1)) return *number == 1;
  refuse(node, what + ": expected true or false, found " + shown(node));
}

const std::string& text_of(const YamlNode& node, const std::string& what) {
  if (!node.is_scalar()) refuse(node, what + ": expected a text, found " + shown(node));
  return node.text;
}

std::vector<std::string> texts_of(const YamlNode& node, const std::string& what) {
  if (!node.is_list()) return {text_of(node, what)};
  std::vector<std::string> texts;
  for (const YamlNode& item : node.items) texts.push_back(text_of(item, what));
  return texts;
}

}  // namespace exarch::timeloop
