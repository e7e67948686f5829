#include "host/timeloop/yaml.hpp"

#include <algorithm>

#include "host/files/text.hpp"
#include "host/timeloop/yaml_sections.hpp"

namespace exarch::timeloop {
namespace {

// ---- sections -------------------------------------------------------------------------------------------------------------

enum class Section {
  architecture,
  arch_constraints,
  mapspace,
  problem,
  mapping,
  mapper,
  ert,
  art,
  variables,
  sparse,
  layout,
  model,
  ignored
};

struct SectionName {
  const char* name;
  Section section;
};

constexpr SectionName kSections[] = {
    {"architecture", Section::architecture},
    {"arch", Section::architecture},
    {"architecture_constraints", Section::arch_constraints},
    {"arch_constraints", Section::arch_constraints},
    {"mapspace_constraints", Section::mapspace},
    {"mapspace", Section::mapspace},
    {"constraints", Section::arch_constraints},
    {"extra_mapping_constraints", Section::arch_constraints},
    {"problem", Section::problem},
    {"mapping", Section::mapping},
    {"mapper", Section::mapper},
    {"ERT", Section::ert},
    {"ART", Section::art},
    {"variables", Section::variables},
    {"sparse_optimizations", Section::sparse},
    {"layout", Section::layout},
    {"model", Section::model},
    {"globals", Section::ignored},
    {"compound_components", Section::ignored},
    {"components", Section::ignored},
};

// Sections of all files. What Timeloop passes over is passed over here, unless it looks like a misspelling.
class Sections {
 public:
  void add(YamlNode root, const std::string& file) {
    if (root.is_null()) return;
    if (!root.is_map()) throw Error(file + ": expected a map with the sections of Timeloop (architecture, problem, mapping ...)");
    for (std::size_t i = 0; i < root.keys.size(); ++i) add(root.keys[i], std::move(root.items[i]));
  }

  // The one section of a kind; nullptr where there is none.
  [[nodiscard]] const YamlNode* find(Section section) const {
    const auto found = std::ranges::find_if(sections_, [section](const auto& entry) { return entry.first == section; });
    return found == sections_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::vector<const YamlNode*> all(Section section) const {
    std::vector<const YamlNode*> nodes;
    for (const auto& [kind, node] : sections_) {
      if (kind == section) nodes.push_back(&node);
    }
    return nodes;
  }

 private:
  void add(const std::string& key, YamlNode node) {
    const auto known = std::ranges::find_if(kSections, [&key](const SectionName& name) { return same_key(name.name, key); });
    if (known == std::end(kSections)) {
      std::vector<std::string> names;
      for (const SectionName& name : kSections) names.emplace_back(name.name);
      const std::string meant = did_you_mean(key, names);
      if (!meant.empty()) refuse(node, "the section " + in_quotes(key) + " is not known" + meant);
      return;
    }
    // timeloopfe writes `mapping: []` where there is none.
    if (known->section == Section::ignored || node.is_null() || (node.is_list() && node.items.empty())) return;
    const bool several = known->section == Section::arch_constraints || known->section == Section::mapspace;
    if (const YamlNode* other = find(known->section); other != nullptr && !several) {
      refuse(node, "a second section " + in_quotes(key) + "; the first is at " + shown(other->place));
    }
    sections_.emplace_back(known->section, std::move(node));
  }

  std::vector<std::pair<Section, YamlNode>> sections_;
};

bool is_empty(const YamlNode& node) {
  if (node.is_scalar()) return false;
  return std::ranges::all_of(node.items, [](const YamlNode& item) { return is_empty(item); });
}

// Sections that the model has nothing for.
void refuse_sections(const Sections& sections, Scope& scope) {
  if (const YamlNode* sparse = sections.find(Section::sparse)) {
    const YamlNode* targets = sparse->is_map() ? sparse->find("targets") : sparse;
    if (targets != nullptr && !is_empty(*targets)) refuse(*sparse, "sparse_optimizations: sparsity is not modelled");
  }
  if (const YamlNode* layout = sections.find(Section::layout); layout != nullptr && !is_empty(*layout)) {
    refuse(*layout, "layout: layouts of tensors in memory are not modelled");
  }
  if (const YamlNode* model = sections.find(Section::model)) {
    const YamlNode* automatic = model->find("auto_bypass_on_failure");
    if (automatic != nullptr && truth_of(*automatic, "auto_bypass_on_failure", scope)) {
      refuse(*automatic, "auto_bypass_on_failure: is not modelled; a mapping that does not fit is refused");
    }
  }
  for (const YamlNode* mapspace : sections.all(Section::mapspace)) {
    const YamlNode* kind = mapspace->find("template");
    if (kind != nullptr && kind->is_scalar() && kind->text != "uber")
      refuse(*kind, "template: imperfect factors (" + in_quotes(kind->text) + ") are not modelled; uber is");
  }
}

// ---- the mapper's keys ----------------------------------------------------------------------------------------------------

MapperKeys mapper_of(const YamlNode& node, Scope& scope) {
  if (!node.is_map()) refuse(node, "mapper: expected a map, found " + shown(node));
  MapperKeys keys;
  const auto count = [&](const char* key, std::uint64_t& value) {
    if (const YamlNode* given = node.find(key))
      value = static_cast<std::uint64_t>(whole_of(*given, key, scope, 0, kLargestCount));
  };
  count("search_size", keys.search_size);
  count("timeout", keys.timeout);
  count("heartbeat", keys.timeout);
  count("victory_condition", keys.victory_condition);
  count("sync_interval", keys.sync_interval);
  count("max_permutations_per_if_visit", keys.max_permutations_per_if_visit);
  if (const YamlNode* threads = node.find("num_threads"))
    keys.threads = static_cast<std::uint64_t>(whole_of(*threads, "num_threads", scope, 1, 4096));
  if (const YamlNode* loops = node.find("max_temporal_loops_in_a_mapping")) {
    keys.max_temporal_loops_in_a_mapping = whole_of(*loops, "max_temporal_loops_in_a_mapping", scope, -1, kLargestNumber);
  }
  if (const YamlNode* revisits = node.find("filter_revisits"))
    keys.filter_revisits = truth_of(*revisits, "filter_revisits", scope);
  if (const YamlNode* fails = node.find("penalize_consecutive_bypass_fails")) {
    keys.penalize_consecutive_bypass_fails = truth_of(*fails, "penalize_consecutive_bypass_fails", scope);
  }
  if (const YamlNode* algorithm = node.find("algorithm")) {
    static const std::vector<std::string> kAlgorithms{"random", "exhaustive", "linear_pruned", "hybrid", "random_pruned"};
    keys.algorithm = text_of(*algorithm, "algorithm");
    std::ranges::replace(keys.algorithm, '-', '_');
    if (std::ranges::find(kAlgorithms, keys.algorithm) == kAlgorithms.end()) {
      refuse(*algorithm, "algorithm: " + in_quotes(keys.algorithm) + did_you_mean(keys.algorithm, kAlgorithms) +
                             ": expected random, exhaustive, linear_pruned, hybrid or random_pruned");
    }
  }
  for (const char* key : {"optimization_metrics", "optimization_metric"}) {
    const YamlNode* metrics = node.find(key);
    if (metrics == nullptr || (metrics->is_list() && metrics->items.empty())) continue;
    keys.metrics = texts_of(*metrics, key);
  }
  return keys;
}

}  // namespace

Goals MapperKeys::goals() const {
  Goals goals;
  for (const std::string& metric : metrics) {
    if (metric == "delay") {
      goals.push_back(Goal::cycles);
    } else if (metric == "energy") {
      goals.push_back(Goal::energy);
    } else if (metric == "edp") {
      goals.push_back(Goal::edp);
    } else {
      throw Error("mapper: the metric " + in_quotes(metric) + " is not searched for; delay, energy and edp are");
    }
  }
  return goals;
}

TimeloopFiles read_timeloop(std::span<const std::filesystem::path> paths, const TemplateValues& values) {
  Sections sections;
  for (const std::filesystem::path& path : paths) sections.add(load_yaml(path, values), path.string());
  Scope scope;
  if (const YamlNode* variables = sections.find(Section::variables)) scope.add(*variables);
  refuse_sections(sections, scope);

  TimeloopFiles files;
  const YamlNode *architecture = sections.find(Section::architecture), *problem = sections.find(Section::problem);
  const YamlNode *ert = sections.find(Section::ert), *art = sections.find(Section::art),
                 *mapping = sections.find(Section::mapping);
  std::optional<FlatArchitecture> flat;
  if (problem != nullptr) files.layer = layer_of(*problem, scope, files.warnings);
  if (architecture != nullptr) {
    flat = architecture_of(*architecture, problem, scope);
    if (ert != nullptr) apply_tables(*ert, art, *flat, scope, files.warnings);
    files.machine = flat->machine;
  }
  if (ert != nullptr && architecture == nullptr) refuse(*ert, "an ERT without an architecture that it is about");
  if (art != nullptr && ert == nullptr) refuse(*art, "an ART without an ERT, which Timeloop does not read; give both");
  if (const YamlNode* mapper = sections.find(Section::mapper)) files.mapper = mapper_of(*mapper, scope);

  std::vector<const YamlNode*> constraints = sections.all(Section::arch_constraints);
  for (const YamlNode* mapspace : sections.all(Section::mapspace)) constraints.push_back(mapspace);
  if (const YamlNode* own = architecture == nullptr ? nullptr : architecture->find("constraints")) constraints.push_back(own);
  if (!flat || !files.layer) {
    const YamlNode* lonely = mapping;
    for (const YamlNode* section : constraints)
      lonely = is_empty(*section) || section->find("template") != nullptr ? lonely : section;
    if (lonely != nullptr)
      refuse(*lonely, std::string("mappings and constraints need ") + (flat ? "the problem" : "the architecture") +
                          " that they are about");
    return files;
  }

  const RuleReader reader(*flat, *files.layer, scope, files.warnings);
  Rules limits = reader.no_rules();
  if (flat->has_nodes) reader.read_nodes(limits);
  for (const YamlNode* section : constraints) reader.read(*section, false, limits);
  if (mapping != nullptr) {
    Rules rules = reader.no_rules();
    reader.read(*mapping, true, rules);
    if (flat->has_nodes) {  // what nodes say holds for a mapping, too: timeloopfe writes it into the mapping
      reader.fill_from_nodes(rules, limits);
      reader.place_units(rules);
    }
    files.mapping = reader.mapping_of(rules);
  }
  if (flat->has_nodes) reader.place_units(limits);
  files.constraints = reader.constraints_of(limits);
  return files;
}

Record record_of(const TimeloopFiles& files) {
  if (!files.machine) throw Error("the files have no architecture");
  if (!files.layer) throw Error("the files have no problem");
  if (!files.mapping) throw Error("the files have no mapping; give one");
  Record record{};
  record.input = {files.layer->problem, files.machine->architecture, *files.mapping};
  record.compute_name = files.machine->compute_name;
  record.level_names = files.machine->level_names;
  record.space_names = files.layer->space_names;
  for (std::size_t d = 0; d < files.layer->dims.size(); ++d) {
    if (files.layer->loops[d]) record.dim_names[index_of(*files.layer->loops[d])] = files.layer->dims[d];
  }
  return record;
}

// ---- constraints and a mapping --------------------------------------------------------------------------------------------

namespace {

std::int64_t factor_in(const Block& block, Dim dim) {
  for (std::uint32_t l = 0; l < block.count; ++l) {
    if (block.loop[l].dim == dim) return block.loop[l].bound;
  }
  return 1;
}

// Loops with more than one iteration must stand in the order that is fixed.
bool is_ordered(const Block& block, const BlockConstraint& constraint) {
  const auto place = [&](Dim dim) -> int {
    const auto inner = std::ranges::find(constraint.innermost, dim);
    if (inner != constraint.innermost.end()) return static_cast<int>(inner - constraint.innermost.begin());
    const auto outer = std::ranges::find(constraint.outermost, dim);
    if (outer != constraint.outermost.end()) return 100 + static_cast<int>(outer - constraint.outermost.begin());
    return 50;
  };
  for (std::uint32_t l = 1; l < block.count; ++l) {
    if (place(block.loop[l].dim) < place(block.loop[l - 1].dim)) return false;
  }
  return true;
}

std::string broken_in(const Record& record, const Block& block, const BlockConstraint& constraint, const std::string& where) {
  for (std::uint32_t d = 0; d < kDims; ++d) {
    const std::int64_t have = factor_in(block, static_cast<Dim>(d)), want = constraint.factor[d];
    const std::int64_t fixed = want == BlockConstraint::kWhole ? record.input.problem.bound[d] : want;
    const std::string what =
        where + " has " + record.dim_names[d] + " = " + std::to_string(have) + ", where the constraints say ";
    if (fixed != BlockConstraint::kOpen && have != fixed) return what + std::to_string(fixed);
    if (constraint.most[d] != 0 && have > constraint.most[d]) return what + "at most " + std::to_string(constraint.most[d]);
    if (constraint.least[d] != 0 && have < constraint.least[d]) return what + "at least " + std::to_string(constraint.least[d]);
  }
  return is_ordered(block, constraint) ? "" : where + " has its loops in another order than the constraints say";
}

}  // namespace

std::string broken_constraint(const Record& record, const Constraints& constraints) {
  for (std::uint32_t s = 0; s < record.input.architecture.levels; ++s) {
    const std::string& level = record.level_names[s];
    std::string broken = broken_in(record, record.input.mapping.temporal[s], constraints.temporal[s], level);
    if (broken.empty()) broken = broken_in(record, record.input.mapping.spatial[s], constraints.spatial[s], level + ", spatial,");
    if (!broken.empty()) return broken;
  }
  return "";
}

}  // namespace exarch::timeloop
