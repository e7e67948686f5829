// Architectures: trees with local lists (versions 0.2 and 0.3, and what timeloopfe writes), the plain lists of Timeloop's first
// files, and nodes (version 0.4).
#include <algorithm>
#include <cmath>

#include "host/files/text.hpp"
#include "host/timeloop/yaml_sections.hpp"

namespace exarch::timeloop {
namespace {

constexpr std::int64_t kDefaultWordBits = 16;
constexpr int kMaxTreeDepth = 32;

// ---- classes ---------------------------------------------------------------------------------------------------------------

enum class ComponentKind { storage, compute, network, other };

ComponentKind kind_of_class(const std::string& name) {
  const auto contains = [&name](const char* part) { return name.find(part) != std::string::npos; };
  for (const char* part : {"DRAM", "SRAM", "regfile", "smartbuffer", "storage"}) {
    if (contains(part)) return ComponentKind::storage;
  }
  for (const char* part : {"mac", "compute"}) {
    if (contains(part)) return ComponentKind::compute;
  }
  for (const char* part : {"XY_NoC", "Legacy", "ReductionTree", "SimpleMulticast"}) {
    if (contains(part)) return ComponentKind::network;
  }
  return ComponentKind::other;
}

// ---- attributes ------------------------------------------------------------------------------------------------------------

// The attributes of a component, with those of the containers around it behind its own.
class Attributes {
 public:
  Attributes(std::vector<const YamlNode*> maps, Scope& scope, YamlPlace place)
      : maps_(std::move(maps)), scope_(scope), place_(std::move(place)) {}

  [[nodiscard]] const YamlNode* find(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      for (const YamlNode* map : maps_) {
        if (const YamlNode* value = map->find(name)) return value;
      }
    }
    return nullptr;
  }
  [[nodiscard]] std::optional<double> number(std::initializer_list<const char*> names) const {
    const YamlNode* node = find(names);
    if (node == nullptr) return std::nullopt;
    return number_of(*node, *names.begin(), scope_);
  }
  [[nodiscard]] std::optional<std::int64_t> whole(std::initializer_list<const char*> names, std::int64_t least = 1) const {
    const YamlNode* node = find(names);
    if (node == nullptr) return std::nullopt;
    return whole_of(*node, *names.begin(), scope_, least, kLargestNumber);
  }
  [[nodiscard]] std::optional<double> price(std::initializer_list<const char*> names) const {
    const std::optional<double> value = number(names);
    if (value && !(*value >= 0 && *value <= 1e30))
      refuse(*find(names), std::string(*names.begin()) + ": expected a number from 0 to 1e30");
    return value;
  }
  // Refuses a value that has an effect in Timeloop which the model does not have. `neutral` has none.
  void refuse_unless(const char* name, double neutral, const std::string& what) const {
    const YamlNode* node = find({name});
    if (node == nullptr || (node->is_scalar() && node->text.empty())) return;
    const Value value = value_of(*node, scope_);
    const double* number = value.number();
    const bool* truth = std::get_if<bool>(&value.what);
    if ((number != nullptr && *number == neutral) || (truth != nullptr && (*truth ? 1 : 0) == neutral)) return;
    refuse(*node, std::string(name) + ": " + what);
  }
  void refuse_any(const char* name, const std::string& what) const {
    if (const YamlNode* node = find({name})) refuse(*node, std::string(name) + ": " + what);
  }
  [[nodiscard]] Scope& scope() const { return scope_; }
  [[nodiscard]] const YamlPlace& place() const { return place_; }

 private:
  std::vector<const YamlNode*> maps_;
  Scope& scope_;
  YamlPlace place_;
};

// A mesh of as many instances. What is not given follows from the rest, as in Timeloop.
struct Mesh {
  std::int64_t instances, x, y;
};

Mesh mesh_of(const Attributes& attributes, std::int64_t elements) {
  const std::int64_t instances = attributes.whole({"instances"}).value_or(elements);
  const std::optional<std::int64_t> x = attributes.whole({"meshX"}), y = attributes.whole({"meshY"});
  if (instances < 1 || instances > kLargestNumber) refuse(attributes.place(), "instances: expected 1 to 1073741824");
  if (x && y) return {instances, *x, *y};
  const std::int64_t given = x ? *x : y ? *y : instances;
  if (instances % given != 0) {
    refuse(attributes.place(),
           "a mesh with one side of " + std::to_string(given) + " does not have " + std::to_string(instances) + " instances");
  }
  return y ? Mesh{instances, instances / given, given} : Mesh{instances, given, instances / given};
}

// ---- storage ---------------------------------------------------------------------------------------------------------------

// Effects that Timeloop has and the model has not.
void refuse_what_is_not_modelled(const Attributes& a) {
  a.refuse_any("shared_bandwidth",
               "bandwidth that reads and writes share is not modelled; give read_bandwidth and write_bandwidth");
  a.refuse_unless("min_utilization", 0, "a least utilization is not modelled");
  a.refuse_unless("allow_overbooking", 0, "overbooking is not modelled");
  for (const char* name : {"network_fill_latency", "network_drain_latency", "fill_latency", "drain_latency"}) {
    a.refuse_unless(name, 0, "latencies of networks are not modelled");
  }
  for (const char* name : {"wire_energy", "router_energy", "energy_per_hop", "energy_per_ingress"}) {
    a.refuse_unless(name, 0, "energies of networks are not modelled");
  }
  a.refuse_unless("addr_gen_energy", 0, "energies of address generators are not modelled");
  for (const char* name :
       {"network_read", "network_fill", "network_drain", "network_update", "network_operand", "network_result"}) {
    a.refuse_any(name, "networks of one's own are not modelled");
  }
  a.refuse_unless("has_power_gating", 0, "power gating is not modelled");
  if (const YamlNode* scales = a.find({"per_dataspace_bandwidth_consumption_scale"})) {
    for (const YamlNode& scale : scales->items) {
      if (number_of(scale, "per_dataspace_bandwidth_consumption_scale", a.scope()) != 1) {
        refuse(scale, "per_dataspace_bandwidth_consumption_scale: bandwidths per tensor are not modelled");
      }
    }
  }
}

// Words per access, instances that share one, and bits of a word.
struct Words {
  std::int64_t bits, block, cluster;
};

Words words_of(const Attributes& a) {
  Words words{a.whole({"word_bits", "word_width", "datawidth"}).value_or(kDefaultWordBits), 1, 1};
  const std::optional<std::int64_t> block = a.whole({"block_size", "n_words"}), cluster = a.whole({"cluster_size"});
  words.block = block.value_or(1);
  words.cluster = cluster.value_or(1);
  const YamlNode* width_node = a.find({"width", "memory_width", "data_storage_width"});
  if (width_node == nullptr) return words;
  const std::int64_t width = whole_of(*width_node, "width", a.scope(), 1, kLargestNumber);
  const auto no_multiple = [&](std::int64_t of) {
    refuse(*width_node,
           "width: " + std::to_string(width) + " bits are no multiple of " + std::to_string(of) + ", which a block of words has");
  };
  if (width % (words.bits * words.block) != 0) no_multiple(words.bits * words.block);
  if (block && cluster) {
    if (words.block * words.bits * words.cluster != width) {
      refuse(*width_node, "width: expected word_bits x block_size x cluster_size, which is " +
                              std::to_string(words.block * words.bits * words.cluster) + ", found " + std::to_string(width));
    }
  } else if (block) {
    words.cluster = width / (words.bits * words.block);
  } else {
    words.block = width / words.cluster / words.bits;
    if (words.block < 1) no_multiple(words.bits * words.cluster);
  }
  return words;
}

// Words that an instance holds; -1: without limit.
std::int64_t size_of(const Attributes& a, const Words& words) {
  const std::optional<std::int64_t> entries = a.whole({"entries"}, 0),
                                    depth = a.whole({"depth", "memory_depth", "data_storage_depth"}, 0);
  const std::optional<std::int64_t> kilobytes = a.whole({"sizeKB"}, 0);
  if ((entries ? 1 : 0) + (depth ? 1 : 0) + (kilobytes ? 1 : 0) > 1) {
    refuse(*a.find({"entries", "depth", "memory_depth", "sizeKB"}), "the size is given twice, by entries, depth or sizeKB");
  }
  if (entries) return *entries;
  if (depth) return *depth * words.block;
  if (kilobytes) return *kilobytes * 1024 * 8 / words.bits;
  return -1;
}

// pJ of an access by the numbers that Timeloop has built in: a line through 0.5 KB = 1 and 100 KB = 6, for 16 bits.
double built_in_sram_pj(std::int64_t size, const Words& words) {
  if (size == 0) return 0;
  const std::int64_t width = words.bits * words.block * words.cluster;
  const std::int64_t height = size % words.block == 0 ? size / words.block : size / words.block + 1;
  const double slope = (6.0 - 1.0) / (100.0 - 0.5);
  const double kilobytes =
      static_cast<double>(static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height)) / (8 * 1024);
  return (slope * (kilobytes - 0.5) + 1.0) * static_cast<double>(width) / 16 / static_cast<double>(words.cluster);
}

double built_in_dram_pj(const Words& words) {
  return 200.0 * static_cast<double>(words.bits * words.block) / 16;
}

double bandwidth_of(const Attributes& a, const char* name) {
  double bandwidth = 0;  // none: without limit
  if (const std::optional<double> both = a.price({"bandwidth"})) bandwidth = *both / 2;
  if (const std::optional<double> own = a.price({name})) bandwidth = *own;
  if (bandwidth == 0 && a.find({"bandwidth", name}) != nullptr)
    refuse(*a.find({name, "bandwidth"}), std::string(name) + ": expected more than 0");
  return bandwidth;
}

Storage storage_of(const Attributes& a, const std::string& class_name, std::int64_t elements) {
  refuse_what_is_not_modelled(a);
  const Words words = words_of(a);
  const std::int64_t size = size_of(a, words);
  const Mesh mesh = mesh_of(a, elements);
  const YamlNode* technology = a.find({"technology"});
  const bool dram = class_name.find("DRAM") != std::string::npos || (technology != nullptr && technology->text == "DRAM");
  if (dram && words.cluster != 1) refuse(a.place(), "cluster_size: a DRAM's is 1");
  if (!dram && size < 0) refuse(a.place(), "a buffer needs a size: depth, entries or sizeKB");
  const std::optional<double> buffering = a.number({"multiple_buffering"});
  if (buffering && !(*buffering >= 1 && *buffering <= 1e6))
    refuse(*a.find({"multiple_buffering"}), "multiple_buffering: expected a number from 1");
  Storage storage{};
  storage.size = size < 0 ? -1 : static_cast<std::int64_t>(std::floor(static_cast<double>(size) / buffering.value_or(1)));
  storage.block_size = words.block;
  storage.cluster_size = words.cluster;
  storage.instances = mesh.instances;
  storage.mesh_x = mesh.x;
  storage.mesh_y = mesh.y;
  if (storage.cluster_size > storage.instances)
    refuse(a.place(), "cluster_size: expected at most as many as there are instances");
  storage.read_bw = bandwidth_of(a, "read_bandwidth");
  storage.write_bw = bandwidth_of(a, "write_bandwidth");
  const double access =
      a.price({"vector_access_energy"}).value_or(dram ? built_in_dram_pj(words) : built_in_sram_pj(size, words));
  storage.read_pj = storage.fill_pj = storage.update_pj = access;
  if (const double area = a.price({"cluster_area"}).value_or(0); area > 0)
    storage.area_um2 = area / static_cast<double>(words.cluster);
  return storage;
}

Compute compute_of(const Attributes& a, std::int64_t elements) {
  const Mesh mesh = mesh_of(a, elements);
  const double bits = static_cast<double>(a.whole({"word_bits", "datawidth"}).value_or(kDefaultWordBits));
  for (const char* name : {"network_operand", "network_result"}) a.refuse_any(name, "networks of one's own are not modelled");
  return {mesh.instances, mesh.x, mesh.y, a.price({"energy"}).value_or(bits / 16 * (bits / 16)), a.price({"area"}).value_or(0)};
}

// ---- names -----------------------------------------------------------------------------------------------------------------

// "PE[0..167]" is 168 elements called PE.
struct Range {
  std::string name;
  std::int64_t elements = 1;
};

Range range_of(const YamlNode& node) {
  const YamlNode* name_node = node.find("name");
  if (name_node == nullptr) refuse(node, "a component of the architecture has no name");
  const std::string& text = text_of(*name_node, "name");
  const std::size_t open = text.find('['), dots = text.find(".."), close = text.find(']');
  if (open == std::string::npos) return {text};
  Range range{text.substr(0, open)};
  if (dots == std::string::npos || close == std::string::npos || !(open < dots && dots < close)) {
    refuse(*name_node, "name: expected a range like PE[0..167], found " + in_quotes(text));
  }
  const std::optional<double> first = number_in(text.substr(open + 1, dots - open - 1));
  const std::optional<double> last = number_in(text.substr(dots + 2, close - dots - 2));
  const bool good = first && last && *first == std::trunc(*first) && *last == std::trunc(*last) && *first >= 0 &&
                    *first <= *last && *last <= static_cast<double>(kLargestNumber);
  if (!good) refuse(*name_node, "name: expected a range like PE[0..167], found " + in_quotes(text));
  range.elements = static_cast<std::int64_t>(*last - *first) + 1;
  if (range.elements > kLargestNumber) refuse(*name_node, "name: more than 1073741824 elements");
  return range;
}

// ---- building --------------------------------------------------------------------------------------------------------------

// Collects levels from the outermost to the innermost.
class Builder {
 public:
  void add_storage(FlatLevel level, const Storage& storage) {
    if (levels_.size() >= kMaxLevels) {
      refuse(level.place,
             "the architecture has more than " + std::to_string(kMaxLevels) + " storage levels, which is a limit of Exarch");
    }
    for (const FlatLevel& other : levels_) {
      if (other.name == level.name) refuse(level.place, "a second storage level is called " + in_quotes(level.name));
    }
    levels_.push_back(std::move(level));
    storages_.push_back(storage);
  }

  void set_compute(const std::string& name, const Compute& compute, const YamlPlace& place) {
    if (has_compute_) refuse(place, "a second component computes; the model has one kind of multipliers");
    has_compute_ = true;
    flat_.machine.compute_name = name;
    flat_.machine.architecture.compute = compute;
  }

  FlatArchitecture finish(const YamlPlace& place) {
    if (!has_compute_) refuse(place, "the architecture has no component that computes (class mac, intmac, fpmac, compute)");
    if (levels_.empty()) refuse(place, "the architecture has no storage (class DRAM, SRAM, regfile, smartbuffer, storage)");
    flat_.machine.architecture.levels = static_cast<std::uint32_t>(levels_.size());
    std::ranges::reverse(levels_);
    std::ranges::reverse(storages_);
    for (std::size_t s = 0; s < levels_.size(); ++s) {
      flat_.machine.architecture.storage[s] = storages_[s];
      flat_.machine.level_names.push_back(levels_[s].name);
    }
    flat_.levels = std::move(levels_);
    return std::move(flat_);
  }

  FlatArchitecture flat_;

 private:
  std::vector<FlatLevel> levels_;
  std::vector<Storage> storages_;
  bool has_compute_ = false;
};

FlatLevel level_of(const std::string& name, const Attributes& attributes, const std::string& class_name) {
  FlatLevel level;
  level.name = name;
  level.place = attributes.place();
  level.dummy = class_name == "dummy_storage";  // timeloopfe's, for the fanout
  level.own_energy = attributes.find({"vector_access_energy"}) != nullptr;
  return level;
}

const YamlNode& attributes_or_self(const YamlNode& component) {
  const YamlNode* attributes = component.find("attributes");
  return attributes == nullptr ? component : *attributes;
}

void add_component(const YamlNode& component, std::int64_t around, Scope& scope, Builder& builder) {
  const Range range = range_of(component);
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
  Builder builder;
  std::int64_t around = 1;
  const YamlNode* node = &architecture;
  for (int depth = 0; const YamlNode* subtrees = node->find("subtree"); ++depth) {
    if (depth == kMaxTreeDepth) refuse(*subtrees, "more than 32 subtrees within each other");
    if (!subtrees->is_list() || subtrees->items.size() != 1)
      refuse(*subtrees, "subtree: expected a list of one, as Timeloop does");
    node = &subtrees->items[0];
    const Range range = range_of(*node);
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
  Builder builder;
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

// ---- nodes of version 0.4
// ------------------------------------------------------------------------------------------------------

class NodeReader {
 public:
  NodeReader(const YamlNode* problem, Scope& variables) : variables_(variables) {
    // split: len(spec.problem.instance)
    const YamlNode* instance = problem == nullptr ? nullptr : problem->find("instance");
    if (instance != nullptr) variables_.define("spec.problem.instance", Value{Value::List(instance->items.size())});
  }

  FlatArchitecture read(const YamlNode& architecture) {
    builder_.flat_.has_nodes = true;
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
    Scope& scope = builder_.flat_.scopes.emplace_back(&outer);
    if (const YamlNode* attributes = node.find("attributes")) scope.add(*attributes);
    const Range range = range_of(node);
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
    Storage storage{1, 1, 1, x_ * y_, x_, y_, 0, 0, 0, 0, 0, 0, 0};
    storage.read_pj = storage.fill_pj = storage.update_pj = built_in_sram_pj(1, {1, 1, 1});
    FlatLevel level;
    level.name = "inter_" + name + "_spatial";
    level.place = node.place;
    level.spatial_constraints = spatial;
    level.fans_out_to = name;
    level.dummy = true;
    builder_.add_storage(std::move(level), storage);
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
    if (!before) builder_.flat_.parallels.push_back(std::move(parallel));
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
  Builder builder_;
};

}  // namespace

FlatArchitecture architecture_of(const YamlNode& architecture, const YamlNode* problem, Scope& scope) {
  if (!architecture.is_map()) refuse(architecture, "architecture: expected a map, found " + shown(architecture));
  if (architecture.find("nodes") != nullptr) return NodeReader(problem, scope).read(architecture);
  if (architecture.find("subtree") != nullptr) return tree_of(architecture, scope);
  return plain_list_of(architecture, scope);
}

// ---- Accelergy's tables
// --------------------------------------------------------------------------------------------------------

namespace {

// "system.chip.PE[0..167].spad[1..4]" is about spad.
std::string component_of(std::string name) {
  if (name.ends_with(']')) name.resize(name.rfind('[') == std::string::npos ? name.size() : name.rfind('['));
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

using Actions = std::map<std::string, double>;  // pJ

double energy_of(const YamlNode& action, Scope& scope) {
  const YamlNode* energy = action.find("energy");
  if (energy == nullptr) return 0;
  const double value = number_of(*energy, "energy", scope);
  if (!(value >= 0 && value <= 1e30)) refuse(*energy, "energy: expected a number from 0 to 1e30");
  return value;
}

// Per action, the largest energy of all its arguments.
void note(Actions& actions, const std::string& name, double energy) {
  double& most = actions[name];
  most = std::max(most, energy);
}

// Version 0.2: {read: {energy: 1}} or {read: [{arguments: ..., energy: 1}]}.
Actions actions_of_map(const YamlNode& component, Scope& scope) {
  Actions actions;
  for (std::size_t a = 0; a < component.keys.size(); ++a) {
    const YamlNode& action = component.items[a];
    if (!action.is_list()) note(actions, component.keys[a], energy_of(action, scope));
    for (const YamlNode& entry : action.is_list() ? action.items : std::vector<YamlNode>{}) {
      note(actions, component.keys[a], energy_of(entry, scope));
    }
  }
  return actions;
}

// Versions 0.3 and 0.4: {name: ..., actions: [{name: read, arguments: ..., energy: 1}]}.
Actions actions_of_list(const YamlNode& component, Scope& scope) {
  Actions actions;
  const YamlNode* list = component.find("actions");
  if (list == nullptr || !list->is_list()) refuse(component, "a component of the ERT has no list of actions");
  for (const YamlNode& action : list->items) {
    const YamlNode* name = action.find("name");
    if (name == nullptr) refuse(action, "an action of the ERT has no name");
    note(actions, text_of(*name, "name"), energy_of(action, scope));
  }
  return actions;
}

// (component as Timeloop calls it) of a whole table; of components of one name the last counts, as in Timeloop.
std::map<std::string, Actions> energies_of(const YamlNode& ert, Scope& scope) {
  const YamlNode* tables = ert.find("tables");
  if (tables == nullptr) refuse(ert, "ERT: has no tables");
  std::map<std::string, Actions> energies;
  if (tables->is_map()) {
    for (std::size_t c = 0; c < tables->keys.size(); ++c)
      energies[component_of(tables->keys[c])] = actions_of_map(tables->items[c], scope);
    return energies;
  }
  if (!tables->is_list()) refuse(*tables, "tables: expected a list");
  for (const YamlNode& component : tables->items) {
    const YamlNode* name = component.find("name");
    if (name == nullptr) refuse(component, "a component of the ERT has no name");
    energies[component_of(text_of(*name, "name"))] = actions_of_list(component, scope);
  }
  for (const char* wire : {"wire", "Wire"}) {
    const auto found = energies.find(wire);
    if (found != energies.end() && found->second["transfer_random"] != 0)
      refuse(*tables, "ERT: energies of wires are not modelled");
  }
  return energies;
}

const double* first_of(const Actions& actions, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = actions.find(name);
    if (found != actions.end()) return &found->second;
  }
  return nullptr;
}

void price_storage(Storage& storage, const Actions& actions) {
  double most = 0;
  for (const auto& [name, energy] : actions) most = std::max(most, energy);
  // An action that the table lacks costs as much as its dearest one.
  const double other = most / static_cast<double>(storage.cluster_size);
  const auto price = [&](std::initializer_list<const char*> names) {
    const double* energy = first_of(actions, names);
    return energy == nullptr ? other : *energy;
  };
  storage.read_pj = price({"random_read", "read"});
  storage.fill_pj = price({"random_fill", "random_write", "fill", "write"});
  storage.update_pj = price({"random_update", "random_write", "update", "write"});
  const double* leak = first_of(actions, {"leak"});
  storage.leak_pj = leak == nullptr ? 0 : *leak;
}

// (component) um2. Timeloop keeps areas in single precision.
std::map<std::string, double> areas_of(const YamlNode& art, Scope& scope) {
  const YamlNode* tables = art.find("tables");
  if (tables == nullptr || !tables->is_list()) refuse(art, "ART: has no list of tables");
  std::map<std::string, double> areas;
  for (const YamlNode& component : tables->items) {
    const YamlNode *name = component.find("name"), *area = component.find("area");
    if (name == nullptr || area == nullptr) refuse(component, "a component of the ART has a name and an area");
    const double value = number_of(*area, "area", scope);
    if (!(value >= 0 && value <= 1e30)) refuse(*area, "area: expected a number from 0 to 1e30");
    areas[component_of(text_of(*name, "name"))] = static_cast<double>(static_cast<float>(value));
  }
  return areas;
}

}  // namespace

void apply_tables(const YamlNode& ert, const YamlNode* art, FlatArchitecture& flat, Scope& scope,
                  std::vector<std::string>& warnings) {
  Machine& machine = flat.machine;
  const std::map<std::string, Actions> energies = energies_of(ert, scope);
  for (std::uint32_t s = 0; s < machine.architecture.levels; ++s) {
    const auto found = energies.find(machine.level_names[s]);
    if (found != energies.end()) {
      if (!flat.levels[s].own_energy) price_storage(machine.architecture.storage[s], found->second);
    } else if (!flat.levels[s].dummy && !flat.levels[s].own_energy) {
      warnings.push_back(shown(ert.place) + ": the ERT does not have " + in_quotes(machine.level_names[s]) +
                         "; its energies are Timeloop's built-in ones");
    }
  }
  const auto compute = energies.find(machine.compute_name);
  const double* energy =
      compute == energies.end() ? nullptr : first_of(compute->second, {"mac_random", "mult_random", "mac", "mult", "compute"});
  if (energy != nullptr) {
    machine.architecture.compute.compute_pj = *energy;
  } else {
    warnings.push_back(shown(ert.place) + ": the ERT has no compute energy of " + in_quotes(machine.compute_name) +
                       "; it is Timeloop's built-in one");
  }
  if (art == nullptr) return;
  const std::map<std::string, double> areas = areas_of(*art, scope);
  for (std::uint32_t s = 0; s < machine.architecture.levels; ++s) {
    if (const auto found = areas.find(machine.level_names[s]); found != areas.end()) {
      machine.architecture.storage[s].area_um2 = found->second;
    }
  }
  if (const auto found = areas.find(machine.compute_name); found != areas.end())
    machine.architecture.compute.area_um2 = found->second;
}

}  // namespace exarch::timeloop
