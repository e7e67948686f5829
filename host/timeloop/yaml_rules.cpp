// Directives: what a mapping says, and what constraints leave open.
#include <algorithm>

#include "host/files/text.hpp"
#include "host/timeloop/yaml_sections.hpp"

namespace exarch::timeloop {
namespace {

// Effects that Timeloop has and the model has not.
void refuse_options(const YamlNode& node) {
  for (const char* key :
       {"no_link_transfer", "no_reuse", "no_multicast_no_reduction", "no_temporal_reuse", "rmw_first_update", "no_coalesce"}) {
    const YamlNode* value = node.find(key);
    if (value == nullptr || (value->is_list() && value->items.empty())) continue;
    refuse(*value, std::string(key) + ": is not modelled");
  }
  for (const char* key : {"remainders"}) {
    if (const YamlNode* value = node.find(key)) refuse(*value, std::string(key) + ": imperfect factors are not modelled");
  }
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The next word of a list of factors: letters, digits or signs.
class FactorWords {
 public:
  explicit FactorWords(std::string_view text) : text_(text.substr(0, text.find('#'))) {}

  bool at_end() {
    while (at_ < text_.size() && (is_space(text_[at_]) || text_[at_] == ',')) ++at_;
    return at_ == text_.size();
  }
  std::string letters() {
    return take([](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; });
  }
  std::string digits() {
    return take([](char c) { return c >= '0' && c <= '9'; });
  }
  std::string sign() {
    return take([](char c) { return c == '=' || c == '<' || c == '>'; });
  }
  // "7,3": a factor with a last iteration of its own.
  [[nodiscard]] bool has_remainder() const {
    return at_ + 1 < text_.size() && text_[at_] == ',' && text_[at_ + 1] >= '0' && text_[at_ + 1] <= '9';
  }

 private:
  template <class Is>
  std::string take(Is is) {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    const std::size_t begin = at_;
    while (at_ < text_.size() && is(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

RuleReader::RuleReader(const FlatArchitecture& flat, const Layer& layer, Scope& scope, std::vector<std::string>& warnings)
    : flat_(flat), layer_(layer), scope_(scope), warnings_(warnings) {}

Rules RuleReader::no_rules() const {
  LoopRules open;
  open.equal.assign(layer_.dims.size(), LoopRules::kNone);
  open.most = open.least = open.equal;
  Rules rules;
  for (LevelRules& level : rules.level) level.spatial = level.temporal = open;
  return rules;
}

std::int64_t RuleReader::fanout(std::uint32_t s) const {
  const Architecture& a = flat_.machine.architecture;
  const std::int64_t inner = s == 0 ? a.compute.instances : a.storage[s - 1].instances;
  return inner / a.storage[s].instances;
}

// ---- sections and directives ----------------------------------------------------------------------------------------------

void RuleReader::read(const YamlNode& section, bool is_mapping, Rules& rules) const {
  if (section.is_list()) {
    read_list(section, is_mapping, rules);
    return;
  }
  if (!section.is_map()) refuse(section, "expected a list of directives, found " + shown(section));
  for (const char* key : {"targets", "constraints"}) {
    const YamlNode* list = section.find(key);
    if (list == nullptr) continue;
    if (!list->is_list()) refuse(*list, std::string(key) + ": expected a list of directives, found " + shown(*list));
    read_list(*list, is_mapping, rules);
    return;
  }
}

void RuleReader::read_list(const YamlNode& list, bool is_mapping, Rules& rules) const {
  for (const YamlNode& target : list.items) {
    if (!target.is_map()) refuse(target, "a directive is a map with target and type, found " + shown(target));
    const YamlNode* inner = target.find("constraints");
    if (inner == nullptr) {
      read_directive(target, target, is_mapping, rules);
      continue;
    }
    if (!inner->is_list()) refuse(*inner, "constraints: expected a list");
    for (const YamlNode& directive : inner->items) read_directive(target, directive, is_mapping, rules);
  }
}

std::uint32_t RuleReader::level_of(const YamlNode& target, const YamlNode& directive, Part part) const {
  const YamlNode* node = target.find("target");
  if (node == nullptr) node = target.find("name");
  if (node == nullptr) refuse(directive, "a directive has no target");
  const std::string& name = text_of(*node, "target");
  const std::vector<std::string>& names = flat_.machine.level_names;
  for (std::uint32_t s = 0; s < names.size(); ++s) {
    // A node of version 0.4 has its spatial directives at the level that fans out to it.
    const bool for_node = part == Part::spatial && flat_.levels[s].fans_out_to == name;
    if (for_node || (names[s] == name && !(part == Part::spatial && flat_.has_nodes && !flat_.levels[s].dummy && fanout(s) == 1)))
      return s;
  }
  for (std::uint32_t s = 0; s < names.size(); ++s) {
    if (names[s] == name) return s;
  }
  const std::optional<double> number = node->quoted ? std::nullopt : number_in(name);
  if (number && *number >= 0 && *number < static_cast<double>(names.size())) return static_cast<std::uint32_t>(*number);
  std::string known;
  for (const std::string& other : names) known += (known.empty() ? "" : ", ") + other;
  refuse(*node, "the storage level " + in_quotes(name) + " is not in the architecture" + did_you_mean(name, names) + "; it has " +
                    known);
}

void RuleReader::read_directive(const YamlNode& target, const YamlNode& directive, bool is_mapping, Rules& rules) const {
  const YamlNode* type_node = directive.find("type");
  if (type_node == nullptr) refuse(directive, "a directive has no type (temporal, spatial, bypass)");
  const std::string& type = text_of(*type_node, "type");
  const YamlNode* attributes = directive.find("attributes");
  const YamlNode& node = attributes == nullptr ? directive : *attributes;
  refuse_options(directive);
  refuse_options(node);
  if (type == "temporal" || type == "spatial") {
    const bool spatial = type == "spatial";
    const std::uint32_t s = level_of(target, directive, spatial ? Part::spatial : Part::temporal);
    LoopRules& loops = spatial ? rules.level[s].spatial : rules.level[s].temporal;
    if (is_mapping && loops.is_said) {
      refuse(directive, "a second " + type + " directive for " + in_quotes(flat_.levels[s].name) + "; the first is at " +
                            shown(loops.place));
    }
    read_loops(node, is_mapping, spatial, s, loops);
    if (const YamlNode* split = directive.find("split"); split != nullptr && node.find("split") == nullptr && spatial) {
      loops.split = whole_of(*split, "split", scope_, 0, kLargestNumber);
    }
  } else if (type == "datatype" || type == "bypass" || type == "bypassing" || type == "dataspace") {
    read_keeps(node, rules.level[level_of(target, directive, Part::dataspace)].keep);
  } else if (!is_mapping && (type == "utilization" || type == "parallelism")) {
    const YamlNode* least = node.find("min");
    if (least == nullptr) refuse(directive, type + ": has no min");
    if (level_of(target, directive, Part::temporal) != 0)
      refuse(directive, type + ": is constrained at the innermost level, as in Timeloop");
    rules.min_parallelism = number_of(*least, "min", scope_);
    if (!(rules.min_parallelism >= 0 && rules.min_parallelism <= 1)) refuse(*least, "min: expected a share from 0 to 1");
  } else if (type == "max_overbooked_proportion") {
    const YamlNode* proportion = node.find("proportion");
    if (proportion != nullptr && number_of(*proportion, "proportion", scope_) != 0)
      refuse(*proportion, type + ": overbooking is not modelled");
  } else if (type == "skew") {
    refuse(*type_node, "skew: skews are not modelled");
  } else {
    static const std::vector<std::string> kTypes{"temporal", "spatial",     "bypass",     "dataspace",
                                                 "datatype", "utilization", "parallelism"};
    refuse(*type_node, "the type " + in_quotes(type) + " of a directive is not known" + did_you_mean(type, kTypes) +
                           "; temporal, spatial and bypass are" + (is_mapping ? "" : ", and utilization"));
  }
}

// ---- loops ----------------------------------------------------------------------------------------------------------------

void RuleReader::read_loops(const YamlNode& node, bool is_mapping, bool spatial, std::uint32_t s, LoopRules& rules) const {
  if (!rules.is_said) rules.place = node.place;
  rules.is_said = true;
  if (const YamlNode* factors = node.find("factors")) read_factors(*factors, is_mapping, rules);
  read_macros(node, rules);
  if (const YamlNode* dims = node.find("maximize_dims"); dims != nullptr && !dims->items.empty()) {
    warnings_.push_back(shown(dims->place) + ": maximize_dims is not carried out: the factors are left open");
  }
  for (const bool most : {true, false}) {
    const YamlNode* bound = node.find(most ? "default_max_factor" : "default_min_factor");
    if (bound == nullptr) continue;
    const std::int64_t value = whole_of(*bound, most ? "default_max_factor" : "default_min_factor", scope_, 1, kLargestNumber);
    for (std::int64_t& limit : most ? rules.most : rules.least) {
      if (limit == LoopRules::kNone) limit = value;
    }
  }
  if (const YamlNode* permutation = node.find("permutation")) read_permutation(*permutation, is_mapping, rules);
  if (const YamlNode* split = node.find("split")) {
    if (!spatial) refuse(*split, "split: has no meaning for temporal loops");
    const std::int64_t value = whole_of(*split, "split", scope_, 0, kLargestNumber);
    if (rules.split != LoopRules::kNone && rules.split != value)
      refuse(*split, "split: is " + std::to_string(rules.split) + " by another directive");
    rules.split = value;
  }
  if (!spatial || fanout(s) > 1) return;
  for (std::size_t d = 0; d < rules.equal.size(); ++d) {
    const bool many = rules.equal[d] > 1 || rules.least[d] > 1 || (rules.equal[d] == LoopRules::kRest && layer_.sizes[d] > 1);
    if (many) refuse(node, "spatial: " + in_quotes(flat_.levels[s].name) + " has one child, over which no loop can be spread");
  }
}

void RuleReader::read_factors(const YamlNode& node, bool is_mapping, LoopRules& rules) const {
  for (const std::string& text : texts_of(node, "factors")) read_factor_text(text, node, is_mapping, rules);
}

void RuleReader::read_factor_text(const std::string& text, const YamlNode& node, bool is_mapping, LoopRules& rules) const {
  for (FactorWords words(text); !words.at_end();) {
    const std::string name = words.letters(), sign = words.sign(), digits = words.digits();
    if (name.empty() || digits.empty() || digits.size() > 10) {
      refuse(node, "factors: expected factors like C=4 M<=8, found " + in_quotes(text));
    }
    if (words.has_remainder()) refuse(node, "factors: " + in_quotes(text) + ": imperfect factors are not modelled");
    const std::size_t dim = dim_of(name, node);
    const std::int64_t value = std::stoll(digits);
    if (value > kLargestNumber) refuse(node, "factors: " + digits + " is too large");
    if (sign.find_first_not_of('=') == std::string::npos) {
      set_factor(rules.equal, dim, value, node);
    } else if (is_mapping) {
      refuse(node, "factors: a mapping has factors like C=4, and no limits: " + in_quotes(text));
    } else if (sign == "<=" || sign == ">=") {
      if (value == 0) refuse(node, "factors: a limit is 1 or more: " + in_quotes(text));
      set_factor(sign == "<=" ? rules.most : rules.least, dim, value, node);
    } else {
      refuse(node, "factors: expected =, <= or >= in " + in_quotes(text));
    }
  }
}

void RuleReader::set_factor(std::vector<std::int64_t>& factors, std::size_t dim, std::int64_t value, const YamlNode& node) const {
  if (factors[dim] != LoopRules::kNone && factors[dim] != value) {
    refuse(node, "factors: " + layer_.dims[dim] + " is given twice, as " + std::to_string(factors[dim]) + " and " +
                     std::to_string(value));
  }
  factors[dim] = value;
}

std::size_t RuleReader::dim_of(const std::string& name, const YamlNode& node) const {
  const auto known = std::ranges::find(layer_.dims, name);
  if (known != layer_.dims.end()) return static_cast<std::size_t>(known - layer_.dims.begin());
  std::string dims;
  for (const std::string& dim : layer_.dims) dims += (dims.empty() ? "" : ", ") + dim;
  refuse(node, "the problem has no dimension " + in_quotes(name) + "; it has " + dims);
}

void RuleReader::read_permutation(const YamlNode& node, bool is_mapping, LoopRules& rules) const {
  std::vector<std::size_t> inner, outer;
  bool behind = false;
  for (const std::string& text : texts_of(node, "permutation")) {
    for (const char c : text.substr(0, text.find('#'))) {
      if (is_space(c) || c == ',') continue;
      if (c == '_' && !is_mapping) {
        behind = true;
        continue;
      }
      const std::size_t dim = dim_of(std::string(1, c), node);
      if (std::ranges::find(inner, dim) != inner.end() || std::ranges::find(outer, dim) != outer.end()) {
        refuse(node, "permutation: " + layer_.dims[dim] + " occurs twice");
      }
      (behind ? outer : inner).push_back(dim);
    }
  }
  const bool said = !rules.inner.empty() || !rules.outer.empty();
  if (said && (rules.inner != inner || rules.outer != outer))
    refuse(node, "permutation: another directive has another one for this level");
  rules.inner = std::move(inner);
  rules.outer = std::move(outer);
}

// What timeloopfe has instead of long lists of factors.
void RuleReader::read_macros(const YamlNode& node, LoopRules& rules) const {
  if (const YamlNode* only = node.find("factors_only")) {
    read_factors(*only, false, rules);
    for (std::size_t d = 0; d < rules.equal.size(); ++d) {
      if (rules.equal[d] == LoopRules::kNone && rules.most[d] == LoopRules::kNone && rules.least[d] == LoopRules::kNone)
        rules.equal[d] = 1;
    }
  }
  for (const bool those : {true, false}) {
    const YamlNode* spaces = node.find(those ? "no_iteration_over_dataspaces" : "must_iterate_over_dataspaces");
    if (spaces == nullptr) continue;
    const std::vector<bool> named = dims_of_spaces(*spaces);
    for (std::size_t d = 0; d < named.size(); ++d) {
      if (named[d] == those) set_factor(rules.equal, d, 1, *spaces);
    }
  }
}

// ---- tensors --------------------------------------------------------------------------------------------------------------

std::vector<std::uint32_t> RuleReader::spaces_of(const YamlNode& node) const {
  std::vector<std::uint32_t> spaces;
  for (const std::string& name : texts_of(node, "data spaces")) {
    if (name == "*") return {kWeights, kInputs, kOutputs};
    const auto known = std::ranges::find(layer_.space_names, name);
    if (known == layer_.space_names.end()) {
      const std::vector<std::string> names(layer_.space_names.begin(), layer_.space_names.end());
      refuse(node, "the problem has no data space " + in_quotes(name) + did_you_mean(name, names));
    }
    spaces.push_back(static_cast<std::uint32_t>(known - layer_.space_names.begin()));
  }
  return spaces;
}

// (dimension) whether one of the data spaces has it.
std::vector<bool> RuleReader::dims_of_spaces(const YamlNode& node) const {
  static constexpr std::array<std::string_view, kSpaces> kLoops{"CMRSG", "NCRPSQG", "NMPQG"};
  std::vector<bool> has(layer_.dims.size(), false);
  for (const std::uint32_t space : spaces_of(node)) {
    for (std::size_t d = 0; d < has.size(); ++d) {
      const std::optional<Dim> loop = layer_.loops[d];
      if (loop && kLoops[space].find(kDimNames[index_of(*loop)]) != std::string_view::npos) has[d] = true;
    }
  }
  return has;
}

void RuleReader::read_keeps(const YamlNode& node, std::array<Choice, kSpaces>& keep) const {
  const auto set = [&](std::uint32_t space, Choice choice, const YamlNode& at) {
    if (keep[space] != Choice::open && keep[space] != choice) {
      refuse(at, in_quotes(layer_.space_names[space]) + " is both kept and bypassed at this level");
    }
    keep[space] = choice;
  };
  for (const auto& [key, choice] : {std::pair{"keep", Choice::yes}, {"bypass", Choice::no}}) {
    const YamlNode* list = node.find(key);
    if (list == nullptr) continue;
    for (const std::uint32_t space : spaces_of(*list)) set(space, choice, *list);
  }
  for (const auto& [key, choice] : {std::pair{"keep_only", Choice::yes}, {"bypass_only", Choice::no}}) {
    const YamlNode* list = node.find(key);
    if (list == nullptr) continue;
    const std::vector<std::uint32_t> named = spaces_of(*list);
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      const bool is_named = std::ranges::find(named, space) != named.end();
      set(space, is_named == (choice == Choice::yes) ? Choice::yes : Choice::no, *list);
    }
  }
}

// ---- nodes of version 0.4 -------------------------------------------------------------------------------------------------

void RuleReader::read_nodes(Rules& rules) const {
  for (std::uint32_t s = 0; s < flat_.levels.size(); ++s) {
    const FlatLevel& level = flat_.levels[s];
    LevelRules& r = rules.level[s];
    if (level.dummy) {
      r.keep.fill(Choice::no);
      std::ranges::fill(r.temporal.equal, 1);
    }
    if (level.spatial_constraints != nullptr) {
      refuse_options(*level.spatial_constraints);
      read_loops(*level.spatial_constraints, false, true, s, r.spatial);
    }
    if (level.constraints == nullptr) continue;
    if (const YamlNode* temporal = level.constraints->find("temporal")) {
      refuse_options(*temporal);
      read_loops(*temporal, false, false, s, r.temporal);
    }
    if (const YamlNode* dataspace = level.constraints->find("dataspace")) {
      refuse_options(*dataspace);
      read_keeps(*dataspace, r.keep);
    }
    if (const YamlNode* booked = level.constraints->find("max_overbooked_proportion");
        booked != nullptr && !booked->items.empty()) {
      refuse(*booked, "max_overbooked_proportion: overbooking is not modelled");
    }
  }
  for (std::uint32_t s = 0; s < flat_.levels.size(); ++s) {
    if (!flat_.levels[s].may_keep) continue;
    const std::vector<std::string>& may = *flat_.levels[s].may_keep;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      const bool named =
          std::ranges::find(may, layer_.space_names[space]) != may.end() || std::ranges::find(may, "*") != may.end();
      if (!named) rules.level[s].keep[space] = Choice::no;
    }
  }
  for (const FlatArchitecture::Parallel& parallel : flat_.parallels) {
    for (const std::string& name : layer_.space_names) {
      const bool kept = std::ranges::find(parallel.kept, name) != parallel.kept.end() ||
                        std::ranges::find(parallel.kept, "*") != parallel.kept.end();
      if (!kept) {
        refuse(parallel.place,
               in_quotes(name) +
                   " is kept by no branch of !Parallel; give it one, be it !Nothing {constraints: {dataspace: {keep: [" + name +
                   "]}}}");
      }
    }
  }
}

void RuleReader::fill_from_nodes(Rules& mapping, const Rules& nodes) const {
  const auto fill = [](LoopRules& own, const LoopRules& node) {
    for (std::size_t d = 0; d < own.equal.size(); ++d) {
      if (own.equal[d] == LoopRules::kNone) own.equal[d] = node.equal[d];
    }
    if (own.inner.empty()) own.inner = node.inner;
    if (own.split == LoopRules::kNone) own.split = node.split;
    if (!own.is_said) own.place = node.place;
  };
  for (std::uint32_t s = 0; s < flat_.levels.size(); ++s) {
    fill(mapping.level[s].spatial, nodes.level[s].spatial);
    fill(mapping.level[s].temporal, nodes.level[s].temporal);
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      Choice& keep = mapping.level[s].keep[space];
      if (keep == Choice::open) keep = nodes.level[s].keep[space];
    }
  }
}

void RuleReader::place_units(Rules& rules) const {
  for (std::uint32_t s = 0; s < flat_.levels.size(); ++s) {
    for (const bool spatial : {false, true}) {
      LoopRules& loops = spatial ? rules.level[s].spatial : rules.level[s].temporal;
      if (spatial && fanout(s) == 1) continue;
      for (std::size_t d = 0; d < layer_.dims.size(); ++d) {
        const bool unit = loops.equal[d] == 1 || loops.most[d] == 1 || loops.least[d] == 1 || layer_.sizes[d] == 1;
        const bool placed =
            std::ranges::find(loops.inner, d) != loops.inner.end() || std::ranges::find(loops.outer, d) != loops.outer.end();
        if (unit && !placed) loops.inner.insert(loops.inner.begin(), d);
      }
    }
  }
}

}  // namespace exarch::timeloop
