#include "host/timeloop/yaml_component.hpp"

#include <algorithm>
#include <cmath>

#include "host/files/text.hpp"

namespace exarch::timeloop {
namespace {

constexpr std::int64_t kDefaultWordBits = 16;

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

// ---- storage --------------------------------------------------------------------------------------------------------------

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

}  // namespace

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

// ---- attributes -----------------------------------------------------------------------------------------------------------

const YamlNode* Attributes::find(std::initializer_list<const char*> names) const {
  for (const char* name : names) {
    for (const YamlNode* map : maps_) {
      if (const YamlNode* value = map->find(name)) return value;
    }
  }
  return nullptr;
}

std::optional<double> Attributes::number(std::initializer_list<const char*> names) const {
  const YamlNode* node = find(names);
  if (node == nullptr) return std::nullopt;
  return number_of(*node, *names.begin(), scope_);
}

std::optional<std::int64_t> Attributes::whole(std::initializer_list<const char*> names, std::int64_t least) const {
  const YamlNode* node = find(names);
  if (node == nullptr) return std::nullopt;
  return whole_of(*node, *names.begin(), scope_, least, kLargestNumber);
}

std::optional<double> Attributes::price(std::initializer_list<const char*> names) const {
  const std::optional<double> value = number(names);
  if (value && !(*value >= 0 && *value <= 1e30))
    refuse(*find(names), std::string(*names.begin()) + ": expected a number from 0 to 1e30");
  return value;
}

void Attributes::refuse_unless(const char* name, double neutral, const std::string& what) const {
  const YamlNode* node = find({name});
  if (node == nullptr || (node->is_scalar() && node->text.empty())) return;
  const Value value = value_of(*node, scope_);
  const double* number = value.number();
  const bool* truth = std::get_if<bool>(&value.what);
  if ((number != nullptr && *number == neutral) || (truth != nullptr && (*truth ? 1 : 0) == neutral)) return;
  refuse(*node, std::string(name) + ": " + what);
}

void Attributes::refuse_any(const char* name, const std::string& what) const {
  if (const YamlNode* node = find({name})) refuse(*node, std::string(name) + ": " + what);
}

// ---- levels ---------------------------------------------------------------------------------------------------------------

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

FlatLevel level_of(const std::string& name, const Attributes& attributes, const std::string& class_name) {
  FlatLevel level;
  level.name = name;
  level.place = attributes.place();
  level.dummy = class_name == "dummy_storage";  // timeloopfe's, for the fanout
  level.own_energy = attributes.find({"vector_access_energy"}) != nullptr;
  return level;
}

Storage dummy_storage(std::int64_t mesh_x, std::int64_t mesh_y) {
  Storage storage{};
  storage.size = storage.block_size = storage.cluster_size = 1;
  storage.instances = mesh_x * mesh_y;
  storage.mesh_x = mesh_x;
  storage.mesh_y = mesh_y;
  storage.read_pj = storage.fill_pj = storage.update_pj = built_in_sram_pj(1, {1, 1, 1});
  return storage;
}

NameRange range_of(const YamlNode& node) {
  const YamlNode* name_node = node.find("name");
  if (name_node == nullptr) refuse(node, "a component of the architecture has no name");
  const std::string& text = text_of(*name_node, "name");
  const std::size_t open = text.find('['), dots = text.find(".."), close = text.find(']');
  if (open == std::string::npos) return {text};
  NameRange range{text.substr(0, open)};
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

// ---- building -------------------------------------------------------------------------------------------------------------

void ArchitectureBuilder::add_storage(FlatLevel level, const Storage& storage) {
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

void ArchitectureBuilder::set_compute(const std::string& name, const Compute& compute, const YamlPlace& place) {
  if (has_compute_) refuse(place, "a second component computes; the model has one kind of multipliers");
  has_compute_ = true;
  flat.machine.compute_name = name;
  flat.machine.architecture.compute = compute;
}

FlatArchitecture ArchitectureBuilder::finish(const YamlPlace& place) {
  if (!has_compute_) refuse(place, "the architecture has no component that computes (class mac, intmac, fpmac, compute)");
  if (levels_.empty()) refuse(place, "the architecture has no storage (class DRAM, SRAM, regfile, smartbuffer, storage)");
  flat.machine.architecture.levels = static_cast<std::uint32_t>(levels_.size());
  std::ranges::reverse(levels_);
  std::ranges::reverse(storages_);
  for (std::size_t s = 0; s < levels_.size(); ++s) {
    flat.machine.architecture.storage[s] = storages_[s];
    flat.machine.level_names.push_back(levels_[s].name);
  }
  flat.levels = std::move(levels_);
  return std::move(flat);
}

}  // namespace exarch::timeloop
