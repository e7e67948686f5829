// Architectures of version 0.4: nodes become levels, as in timeloopfe.
#include <algorithm>

#include "host/files/text.hpp"
#include "host/timeloop/yaml_component.hpp"

namespace exarch::timeloop {
namespace {

class NodeReader {
 public:
  NodeReader(const YamlNode* problem, Scope& variables) : variables_(variables) {
    // split: len(spec.problem.instance)
    const YamlNode* instance = problem == nullptr ? nullptr : problem->find("instance");
    if (instance != nullptr) variables_.define("spec.problem.instance", Value{Value::List(instance->items.size())});
  }

  FlatArchitecture read(const YamlNode& architecture) {
    builder_.flat.has_nodes = true;
    read_list(architecture, 0);
    return builder_.finish(architecture.place);
  }

 private:
  void read_list(const YamlNode& branch, int depth) {
    if (depth == kMaxTreeDepth) refuse(branch, "more than 32 branches within each other");
    const YamlNode* nodes = branch.find("nodes");
    if (nodes == nullptr || !nodes->is_list()) refuse(branch, "nodes: expected a list");
    for (const YamlNode& node : nodes->items) read_node(node, depth);
  }

  void read_node(const YamlNode& node, int depth) {
    if (!node.is_map()) {
      if (node.tag == "!Nothing") return;
      refuse(node, "a node of the architecture is a map with a tag: !Component, !Container, !Parallel ...");
    }
    if (const YamlNode* sparse = node.find("sparse_optimizations"); sparse != nullptr && !sparse->items.empty()) {
      refuse(*sparse, "sparse_optimizations: sparsity is not modelled");
    }
    if (node.tag == "!Component") {
      read_component(node);
    } else if (node.tag == "!Container") {
      read_container(node);
    } else if (node.tag == "!Parallel") {
      read_parallel(node, depth);
    } else if (node.tag == "!Hierarchical") {
      read_list(node, depth + 1);
    } else if (node.tag == "!Nothing") {
      return;
    } else if (node.tag == "!Pipelined") {
      refuse(node, "!Pipelined: pipelines are not modelled");
    } else {
      refuse(node, "the tag " + in_quotes(node.tag) +
                       " of a node is not known: !Component, !Container, !Hierarchical, !Parallel, !Nothing");
    }
  }

  Scope& new_scope(const YamlNode& node) {
    Scope& outer = containers_.empty() ? variables_ : *containers_.back();
    Scope& scope = builder_.flat.scopes.emplace_back(&outer);
    if (const YamlNode* attributes = node.find("attributes")) scope.add(*attributes);
    const NameRange range = range_of(node);
    // Other components refer to a component by its name.
    if (const YamlNode* attributes = node.find("attributes")) variables_.add(range.name + ".attributes", *attributes, scope);
    if (const YamlNode* spatial = node.find("spatial")) variables_.add(range.name + ".spatial", *spatial, scope);
    return scope;
  }

  struct Fanout {
    std::int64_t x = 1, y = 1;
  };
  static Fanout fanout_of(const YamlNode& node, Scope& scope) {
    Fanout fanout;
    const YamlNode* spatial = node.find("spatial");
    if (spatial == nullptr) return fanout;
    if (!spatial->is_map()) refuse(*spatial, "spatial: expected {meshX: ..., meshY: ...}");
    if (const YamlNode* x = spatial->find("meshX")) fanout.x = whole_of(*x, "meshX", scope, 1, kLargestNumber);
    if (const YamlNode* y = spatial->find("meshY")) fanout.y = whole_of(*y, "meshY", scope, 1, kLargestNumber);
    return fanout;
  }

  // A level that keeps nothing stands for the fanout into a node, as timeloopfe has it.
  void fan_out(const YamlNode& node, const std::string& name, const Fanout& fanout) {
    const YamlNode* constraints = node.find("constraints");
    const YamlNode* spatial = constraints == nullptr ? nullptr : constraints->find("spatial");
    if (fanout.x == 1 && fanout.y == 1) {
      if (spatial != nullptr && !spatial->items.empty())
        refuse(*spatial, "spatial constraints of " + in_quotes(name) + ", which has no fanout (spatial: {meshX: ...})");
      return;
    }
    if (parallel_ > 0) refuse(node, "nodes under !Parallel have no fanout of their own, as in Timeloop");
    FlatLevel level;
    level.name = "inter_" + name + "_spatial";
    level.place = node.place;
    level.spatial_constraints = spatial;
    level.fans_out_to = name;
    level.dummy = true;
    builder_.add_storage(std::move(level), dummy_storage(x_, y_));
    if (fanout.x > kLargestNumber / x_ || fanout.y > kLargestNumber / y_) refuse(node, "more than 1073741824 instances");
    x_ *= fanout.x;
    y_ *= fanout.y;
  }

  void read_container(const YamlNode& node) {
    Scope& scope = new_scope(node);
    if (parallel_ > 0) {
      // A container without fanout under !Parallel is a branch that keeps nothing.
      const Fanout fanout = fanout_of(node, scope);
      if (fanout.x == 1 && fanout.y == 1) return;
    }
    fan_out(node, range_of(node).name, fanout_of(node, scope));
    containers_.push_back(&scope);
    if (const YamlNode* attributes = node.find("attributes")) attributes_.insert(attributes_.begin(), attributes);
  }

  void read_component(const YamlNode& node) {
    Scope& scope = new_scope(node);
    if (const YamlNode* enabled = node.find("enabled"); enabled != nullptr && !truth_of(*enabled, "enabled", scope)) return;
    const std::string name = range_of(node).name;
    const YamlNode* class_node = node.find("class");
    if (class_node == nullptr) refuse(node, "the component " + in_quotes(name) + " has no class");
    const std::string& class_name = text_of(*class_node, "class");
    fan_out(node, name, fanout_of(node, scope));
    std::vector<const YamlNode*> maps;
    if (const YamlNode* attributes = node.find("attributes")) maps.push_back(attributes);
    maps.insert(maps.end(), attributes_.begin(), attributes_.end());
    const Attributes attributes(std::move(maps), scope, node.place);
    for (const char* name_of_mesh : {"meshX", "meshY", "instances"}) {
      attributes.refuse_any(name_of_mesh, "a node's mesh is given by spatial: {meshX: ..., meshY: ...}");
    }
    switch (kind_of_class(class_name)) {
      case ComponentKind::storage:
        add_storage(node, level_of(name, attributes, class_name), storage_of(attributes, class_name, x_ * y_));
        break;
      case ComponentKind::compute: {
        Compute compute = compute_of(attributes, x_ * y_);
        compute.mesh_x = x_;
        compute.mesh_y = y_;
        builder_.set_compute(name, compute, node.place);
        break;
      }
      case ComponentKind::network:
        refuse(node, "networks of one's own (class " + in_quotes(class_name) + ") are not modelled");
      default:
        if (class_name == "nothing") break;
        refuse(*class_node, "the class " + in_quotes(class_name) +
                                " is none of those Timeloop knows: DRAM, SRAM, regfile, smartbuffer, "
                                "storage, mac, intmac, fpmac, compute, or a name with one of them in it");
    }
  }

  void add_storage(const YamlNode& node, FlatLevel level, Storage storage) {
    storage.mesh_x = x_;
    storage.mesh_y = y_;
    level.constraints = node.find("constraints");
    level.may_keep = may_keep_;
    builder_.add_storage(std::move(level), storage);
  }

  // Each tensor is kept in one of the branches, and passes by the others.
  void read_parallel(const YamlNode& node, int depth) {
    const YamlNode* nodes = node.find("nodes");
    if (nodes == nullptr || !nodes->is_list()) refuse(node, "nodes: expected a list");
    const std::optional<std::vector<std::string>> before = may_keep_;
    FlatArchitecture::Parallel parallel{node.place, {}};
    ++parallel_;
    for (const YamlNode& branch : nodes->items) {
      may_keep_ = kept_by(branch, depth + 1);
      for (const std::string& tensor : *may_keep_) {
        if (std::ranges::find(parallel.kept, tensor) != parallel.kept.end()) {
          refuse(branch, in_quotes(tensor) + " is kept by two branches of !Parallel; keep it in one of them");
        }
      }
      parallel.kept.insert(parallel.kept.end(), may_keep_->begin(), may_keep_->end());
      read_node(branch, depth + 1);
    }
    --parallel_;
    may_keep_ = before;
    if (!before) builder_.flat.parallels.push_back(std::move(parallel));
  }

  static std::vector<std::string> kept_by(const YamlNode& node, int depth) {
    if (depth > kMaxTreeDepth) refuse(node, "more than 32 branches within each other");
    std::vector<std::string> kept;
    if (const YamlNode* constraints = node.find("constraints")) {
      const YamlNode* dataspace = constraints->find("dataspace");
      for (const char* key : {"keep", "keep_only"}) {
        const YamlNode* keep = dataspace == nullptr ? nullptr : dataspace->find(key);
        if (keep == nullptr) continue;
        for (const std::string& tensor : texts_of(*keep, key)) kept.push_back(tensor);
      }
    }
    if (const YamlNode* nodes = node.find("nodes")) {
      for (const YamlNode& inner : nodes->items) {
        for (std::string& tensor : kept_by(inner, depth + 1)) kept.push_back(std::move(tensor));
      }
    }
    return kept;
  }

  Scope& variables_;
  std::vector<Scope*> containers_;
  std::vector<const YamlNode*> attributes_;  // of containers, the innermost first
  std::int64_t x_ = 1, y_ = 1;               // the mesh of what comes next
  int parallel_ = 0;
  std::optional<std::vector<std::string>> may_keep_;
  ArchitectureBuilder builder_;
};

}  // namespace

FlatArchitecture nodes_of(const YamlNode& architecture, const YamlNode* problem, Scope& variables) {
  return NodeReader(problem, variables).read(architecture);
}

}  // namespace exarch::timeloop
