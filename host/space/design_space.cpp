#include "host/space/design_space.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/file_kind.hpp"
#include "host/files/json.hpp"
#include "host/files/text.hpp"
#include "kernels/core/philox.hpp"

namespace exarch {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMaxValues = std::size_t{1} << 16;      // a Gene numbers them
constexpr std::uint64_t kMaxPoints = std::uint64_t{1} << 63;  // point numbers fit a signed integer
constexpr std::size_t kShortestRange = 4;                     // shorter lists are written out

const std::vector<std::string> kTopKeys = {"name", "doc", "parameters"};
const std::vector<std::string> kRangeKeys = {"from", "to", "step"};

std::string joined(std::span<const std::string> names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

// " (did you mean 'X'?)", or the whole list when nothing is near.
std::string suggestion(std::string_view word, std::span<const std::string> valid) {
  const std::string guess = did_you_mean(word, valid);
  return guess.empty() ? "; valid are " + joined(valid) : guess;
}

std::string range_text(const ParameterInfo& info) {
  return std::to_string(info.minimum) + " to " + std::to_string(info.maximum) + (info.unit.empty() ? "" : " " + info.unit);
}

// Throws unless `value` is legal; `text` is the value as the user wrote it.
void check_legal(const ParameterInfo& info, std::int64_t value, const std::string& text) {
  if (value >= info.minimum && value <= info.maximum) return;
  const std::int64_t valid = std::clamp(value, info.minimum, info.maximum);
  throw UsageError(info.name + ": " + printable(text, 60) + " is out of range; it takes " + range_text(info) +
                   " (nearest valid: " + info.format(valid) + ")");
}

void check_keys(const json& object, const std::string& what, std::span<const std::string> valid) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(valid.begin(), valid.end(), key) == valid.end()) {
      throw UsageError(what + "unknown key " + in_quotes(key) + suggestion(key, valid));
    }
  }
}

std::string string_at(const json& object, const std::string& key) {
  const auto it = object.find(key);
  if (it == object.end()) return {};
  if (!it->is_string()) throw UsageError(key + ": expected a text, found " + shown(*it));
  return it->get<std::string>();
}

// A JSON integer as int64; `what` names it in messages.
std::int64_t integer_of(const json& value, const std::string& what) {
  if (!value.is_number_integer()) {
    throw UsageError(what + ": expected an integer, found " + shown(value));
  }
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) {
    throw UsageError(what + ": " + shown(value) + " is too large");
  }
  return value.get<std::int64_t>();
}

std::vector<std::int64_t> values_of_range(const json& range, const ParameterInfo& info) {
  if (info.kind == ParameterKind::categorical) {
    throw UsageError(info.name + ": a range needs an integer parameter; list the names, e.g. [\"" +
                     info.format(info.default_value) + "\"]");
  }
  check_keys(range, info.name + ": ", kRangeKeys);
  for (const char* key : {"from", "to"}) {
    if (!range.contains(key)) throw UsageError(info.name + ": the range lacks \"" + key + "\"");
  }
  const std::int64_t from = integer_of(range["from"], info.name + ".from");
  const std::int64_t to = integer_of(range["to"], info.name + ".to");
  const std::int64_t step = range.contains("step") ? integer_of(range["step"], info.name + ".step") : 1;
  check_legal(info, from, std::to_string(from));
  check_legal(info, to, std::to_string(to));
  if (step < 1) throw UsageError(info.name + ".step: must be 1 or more, found " + shown(step));
  if (to < from) {
    throw UsageError(info.name + ": the range ends before it starts (from " + shown(from) + " to " + shown(to) + ")");
  }
  const std::uint64_t last =  // unsigned: from and to may be further apart than int64 reaches
      (static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from)) / static_cast<std::uint64_t>(step);
  if (last >= kMaxValues) {
    throw UsageError(info.name + ": the range has more than " + std::to_string(kMaxValues) + " values; use a larger step");
  }
  std::vector<std::int64_t> values;
  for (std::uint64_t i = 0; i <= last; ++i) {
    values.push_back(from + static_cast<std::int64_t>(i) * step);
  }
  return values;
}

std::int64_t value_of(const json& value, const ParameterInfo& info) {
  if (info.kind == ParameterKind::integer) {
    const std::int64_t number = integer_of(value, info.name);
    check_legal(info, number, std::to_string(number));
    return number;
  }
  if (!value.is_string()) {
    throw UsageError(info.name + ": expected one of " + joined(info.labels) + ", found " + shown(value));
  }
  return info.parse(value.get_ref<const std::string&>());
}

std::vector<std::int64_t> values_of(const json& entry, const ParameterInfo& info) {
  if (entry.is_object()) return values_of_range(entry, info);
  if (!entry.is_array()) {
    throw UsageError(info.name + ": expected a list of values or {\"from\", \"to\", \"step\"}, " + "found " + shown(entry));
  }
  std::vector<std::int64_t> values;
  for (const json& value : entry) values.push_back(value_of(value, info));
  return values;
}

// `exarch space --json` prints an array of spaces, with what it counted. One of them is a space file.
json only_space(json root) {
  if (root.is_array() && root.size() == 1) root = json(root[0]);
  if (root.is_array() && root.size() > 1) {
    std::string names;
    for (const json& space : root) {
      const bool named = space.is_object() && space.contains("name") && space["name"].is_string();
      if (named) names += (names.empty() ? "" : ", ") + space["name"].get<std::string>();
    }
    throw UsageError("expected one space, found " + std::to_string(root.size()) + (names.empty() ? "" : " (" + names + ")") +
                     "; keep one of them, or print one with exarch space ENVIRONMENT --space NAME --json");
  }
  for (const char* counted : {"points", "classes"}) {
    if (root.is_object()) root.erase(counted);
  }
  return root;
}

DesignSpace space_of(const json& root, std::span<const ParameterInfo> parameters) {
  if (!root.is_object()) throw UsageError("expected an object, found " + shown(root));
  check_keys(root, "", kTopKeys);
  const std::string name = string_at(root, "name");
  if (name.empty()) throw UsageError("the key \"name\" is missing or empty; name the space");
  const auto table = root.find("parameters");
  if (table == root.end() || !table->is_object()) {
    throw UsageError("the key \"parameters\" must be an object of value lists");
  }
  std::vector<std::string> names;
  for (const ParameterInfo& info : parameters) names.push_back(info.name);
  for (const auto& [key, value] : table->items()) {
    if (std::find(names.begin(), names.end(), key) == names.end()) {
      throw UsageError("parameters: unknown parameter '" + key + "'" + suggestion(key, names));
    }
  }
  std::vector<std::vector<std::int64_t>> values;
  for (const ParameterInfo& info : parameters) {
    const auto entry = table->find(info.name);
    if (entry == table->end()) {
      values.push_back({info.default_value});
    } else {
      values.push_back(values_of(*entry, info));
    }
  }
  return {name, string_at(root, "doc"), parameters, std::move(values)};
}

void check_values(const ParameterInfo& info, const std::vector<std::int64_t>& values) {
  if (values.empty()) throw UsageError(info.name + ": the list of values is empty");
  if (values.size() > kMaxValues) {
    throw UsageError(info.name + ": " + std::to_string(values.size()) + " values; a parameter takes at most " +
                     std::to_string(kMaxValues));
  }
  for (const std::int64_t value : values) check_legal(info, value, std::to_string(value));
  std::vector<std::int64_t> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const auto twin = std::adjacent_find(sorted.begin(), sorted.end());
  if (twin != sorted.end()) {
    throw UsageError(info.name + ": value " + info.format(*twin) + " is listed twice");
  }
}

// Whether the values are from, from + step, ... with one positive step.
bool is_range(std::span<const std::int64_t> values) {
  if (values.size() < kShortestRange || values[1] <= values[0]) return false;
  // Unsigned: distances between legal values may exceed int64.
  const auto distance = [&](std::size_t i) {
    return static_cast<std::uint64_t>(values[i]) - static_cast<std::uint64_t>(values[i - 1]);
  };
  for (std::size_t i = 2; i < values.size(); ++i) {
    if (values[i] <= values[i - 1] || distance(i) != distance(1)) return false;
  }
  return distance(1) <= INT64_MAX;
}

ordered_json entry_of(const ParameterInfo& info, std::span<const std::int64_t> values) {
  if (info.kind == ParameterKind::integer && is_range(values)) {
    return {{"from", values.front()}, {"to", values.back()}, {"step", values[1] - values[0]}};
  }
  ordered_json list = ordered_json::array();
  for (const std::int64_t value : values) {
    if (info.kind == ParameterKind::integer) {
      list.push_back(value);
    } else {
      list.push_back(info.format(value));
    }
  }
  return list;
}

}  // namespace

std::string ParameterInfo::format(std::int64_t value) const {
  const bool has_label = kind == ParameterKind::categorical && value >= 0 && static_cast<std::uint64_t>(value) < labels.size();
  return has_label ? labels[static_cast<std::size_t>(value)] : std::to_string(value);
}

std::int64_t ParameterInfo::parse(std::string_view text) const {
  if (kind == ParameterKind::categorical) {
    const auto label = std::find(labels.begin(), labels.end(), text);
    if (label != labels.end()) return label - labels.begin();
    const auto alias = std::ranges::find(aliases, text, &std::pair<std::string, std::string>::first);
    if (alias != aliases.end()) return std::ranges::find(labels, alias->second) - labels.begin();
    const auto lacking = std::ranges::find(elsewhere, text, &Elsewhere::name);
    if (lacking != elsewhere.end()) {
      throw UsageError(name + ": the reference knows '" + lacking->name + "', this model does not: " + lacking->reason +
                       "; valid are " + joined(labels));
    }
    throw UsageError(name + ": unknown value " + in_quotes(text) + suggestion(text, labels));
  }
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range && stop == end) {
    value = text.front() == '-' ? INT64_MIN : INT64_MAX;
    throw UsageError(name + ": " + printable(text, 60) + " is out of range; it takes " + range_text(*this) +
                     " (nearest valid: " + format(std::clamp(value, minimum, maximum)) + ")");
  }
  if (error != std::errc{} || stop != end) {
    throw UsageError(name + ": " + in_quotes(text) + " is not an integer; it takes " + range_text(*this));
  }
  check_legal(*this, value, std::string(text));
  return value;
}

Design default_design(std::span<const ParameterInfo> parameters) {
  Design design;
  for (const ParameterInfo& parameter : parameters) design.push_back(parameter.default_value);
  return design;
}

DesignSpace::DesignSpace(std::string name, std::string doc, std::span<const ParameterInfo> parameters,
                         std::vector<std::vector<std::int64_t>> values)
    : name_(std::move(name)),
      doc_(std::move(doc)),
      parameters_(parameters.begin(), parameters.end()),
      values_(std::move(values)) {
  if (parameters_.empty() || values_.size() != parameters_.size()) {
    throw UsageError("design space '" + name_ + "': " + std::to_string(values_.size()) + " value lists for " +
                     std::to_string(parameters_.size()) + " parameters; every parameter needs one");
  }
  for (std::size_t p = 0; p < values_.size(); ++p) {
    check_values(parameters_[p], values_[p]);
    if (size_ != 0 && (__builtin_mul_overflow(size_, values_[p].size(), &size_) || size_ > kMaxPoints)) size_ = 0;
  }
}

std::uint64_t DesignSpace::size() const {
  if (size_ != 0) return size_;
  throw UsageError(
      "design space '" + name_ + "' has " + size_text() +
      " points, and no more than 2^63 have numbers; search it, or draw a sample of it (exarch sweep --sample), or fix "
      "some parameters (--set Name=value)");
}

double DesignSpace::rough_size() const {
  double points = 1;
  for (const std::vector<std::int64_t>& values : values_) points *= static_cast<double>(values.size());
  return points;
}

std::string DesignSpace::size_text() const {
  if (is_numbered()) return with_commas(size_);
  char text[32];
  std::snprintf(text, sizeof text, "%.2g", rough_size());
  return text;
}

DesignSpace DesignSpace::from_file(const std::string& path, std::span<const ParameterInfo> parameters) {
  const std::string expected = "a design space file";
  return named_if_foreign(path, {FileKind::space, FileKind::json}, expected,
                          [&] { return from_json(read_text(path, expected), path, parameters); });
}

DesignSpace DesignSpace::from_json(std::string_view text, const std::string& where, std::span<const ParameterInfo> parameters) {
  try {
    return space_of(only_space(parse_json(text, where)), parameters);
  } catch (const UsageError& e) {
    throw UsageError(where + ": " + e.what());
  }
}

std::string DesignSpace::to_json() const {
  ordered_json table = ordered_json::object();
  for (std::size_t p = 0; p < dimensions(); ++p) {
    table[parameters_[p].name] = entry_of(parameters_[p], values_[p]);
  }
  const ordered_json root = {{"name", name_}, {"doc", doc_}, {"parameters", table}};
  return root.dump(-1, ' ', false, json::error_handler_t::replace);
}

void DesignSpace::genes_of(std::uint64_t point, std::span<Gene> genes) const {
  for (std::size_t p = dimensions(); p-- > 0;) {
    genes[p] = static_cast<Gene>(point % values_[p].size());
    point /= values_[p].size();
  }
}

std::uint64_t DesignSpace::point_of(std::span<const Gene> genes) const {
  std::uint64_t point = 0;
  for (std::size_t p = 0; p < dimensions(); ++p) point = point * values_[p].size() + genes[p];
  return point;
}

void DesignSpace::design_of(std::span<const Gene> genes, std::span<std::int64_t> design) const {
  for (std::size_t p = 0; p < dimensions(); ++p) design[p] = values_[p][genes[p]];
}

void random_genes(const DesignSpace& space, std::uint64_t seed, std::uint64_t number, std::span<Gene> genes) {
  constexpr std::uint32_t kSamplePurpose = 0x5A;
  PhiloxStream draws(seed, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32), kSamplePurpose);
  if (!space.is_numbered()) {
    for (std::size_t p = 0; p < genes.size(); ++p) {
      genes[p] = static_cast<Gene>(draws.below(static_cast<std::uint32_t>(space.values(p).size())));
    }
    return;
  }
  const std::uint64_t size = space.size();
  if (size <= 0xFFFFFFFFu) {
    space.genes_of(draws.below(static_cast<std::uint32_t>(size)), genes);
    return;
  }
  const std::uint64_t word = static_cast<std::uint64_t>(draws.next()) << 32 | draws.next();
  __extension__ using Wide = unsigned __int128;
  space.genes_of(static_cast<std::uint64_t>(static_cast<Wide>(word) * size >> 64), genes);
}

std::vector<std::int64_t> random_designs(const DesignSpace& space, std::size_t count, std::uint64_t seed) {
  const std::size_t parameters = space.dimensions();
  std::vector<Gene> genes(parameters);
  std::vector<std::int64_t> designs(count * parameters);
  for (std::size_t i = 0; i < count; ++i) {
    random_genes(space, seed, i, genes);
    space.design_of(genes, std::span(designs).subspan(i * parameters, parameters));
  }
  return designs;
}

}  // namespace exarch
