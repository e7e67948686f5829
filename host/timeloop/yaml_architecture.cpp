// Architectures that are trees with local lists (versions 0.2 and 0.3, and what timeloopfe writes), and the plain lists of
// Timeloop's first files. Those with nodes are in yaml_nodes.cpp.
#include "host/files/text.hpp"
#include "host/timeloop/yaml_component.hpp"

namespace exarch::timeloop {
namespace {

const YamlNode& attributes_or_self(const YamlNode& component) {
  const YamlNode* attributes = component.find("attributes");
  return attributes == nullptr ? component : *attributes;
}

void add_component(const YamlNode& component, std::int64_t around, Scope& scope, ArchitectureBuilder& builder) {
  const NameRange range = range_of(component);
  const YamlNode* class_node = component.find("class");
  const std::string class_name = class_node == nullptr ? "" : text_of(*class_node, "class");
  if (around > kLargestNumber / range.elements) refuse(component, "more than 1073741824 instances");
  const Attributes attributes({&attributes_or_self(component)}, scope, component.place);
  switch (kind_of_class(class_name)) {
    case ComponentKind::storage:
      builder.add_storage(level_of(range.name, attributes, class_name),
                          storage_of(attributes, class_name, around * range.elements));
      break;
    case ComponentKind::compute:
      builder.set_compute(range.name, compute_of(attributes, around * range.elements), component.place);
      break;
    case ComponentKind::network:
      refuse(component, "networks of one's own (class " + in_quotes(class_name) + ") are not modelled");
    default:
      break;  // Timeloop passes over what is neither; Accelergy may price it
  }
}

// architecture: {subtree: [{name: chip, local: [...], subtree: [...]}]}
FlatArchitecture tree_of(const YamlNode& architecture, Scope& scope) {
  ArchitectureBuilder builder;
  std::int64_t around = 1;
  const YamlNode* node = &architecture;
  for (int depth = 0; const YamlNode* subtrees = node->find("subtree"); ++depth) {
    if (depth == kMaxTreeDepth) refuse(*subtrees, "more than 32 subtrees within each other");
    if (!subtrees->is_list() || subtrees->items.size() != 1)
      refuse(*subtrees, "subtree: expected a list of one, as Timeloop does");
    node = &subtrees->items[0];
    const NameRange range = range_of(*node);
    if (around > kLargestNumber / range.elements) refuse(*node, "more than 1073741824 instances");
    around *= range.elements;
    const YamlNode* local = node->find("local");
    if (local == nullptr) continue;
    if (!local->is_list()) refuse(*local, "local: expected a list of components");
    for (const YamlNode& component : local->items) add_component(component, around, scope, builder);
  }
  return builder.finish(architecture.place);
}

// arch: {arithmetic: {...}, storage: [innermost, ..., outermost]}
FlatArchitecture plain_list_of(const YamlNode& architecture, Scope& scope) {
  ArchitectureBuilder builder;
  const YamlNode *arithmetic = architecture.find("arithmetic"), *storage = architecture.find("storage");
  if (arithmetic == nullptr || storage == nullptr || !storage->is_list()) {
    refuse(architecture, "the architecture has neither a subtree nor nodes, nor arithmetic and a list of storage");
  }
  const auto attributes_of = [&scope](const YamlNode& node) {
    return Attributes({&attributes_or_self(node)}, scope, node.place);
  };
  const YamlNode* name = arithmetic->find("name");
  builder.set_compute(name == nullptr ? "__ARITH__" : range_of(*arithmetic).name, compute_of(attributes_of(*arithmetic), 0),
                      arithmetic->place);
  for (std::size_t i = storage->items.size(); i-- > 0;) {
    const YamlNode& level = storage->items[i];
    const Attributes attributes = attributes_of(level);
    builder.add_storage(level_of(range_of(level).name, attributes, ""), storage_of(attributes, "", 0));
  }
  return builder.finish(architecture.place);
}

}  // namespace

FlatArchitecture architecture_of(const YamlNode& architecture, const YamlNode* problem, Scope& scope) {
  if (!architecture.is_map()) refuse(architecture, "architecture: expected a map, found " + shown(architecture));
  if (architecture.find("nodes") != nullptr) return nodes_of(architecture, problem, scope);
  if (architecture.find("subtree") != nullptr) return tree_of(architecture, scope);
  return plain_list_of(architecture, scope);
}

}  // namespace exarch::timeloop
