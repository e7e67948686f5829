#include "host/timeloop/archgym.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "host/env/hash.hpp"
#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/data_dir.hpp"
#include "host/files/json.hpp"
#include "host/space/tables.hpp"

namespace exarch::timeloop {
namespace {

using GymJson = nlohmann::ordered_json;

// ---- parameters -----------------------------------------------------------------------------------------------------------

constexpr std::array<const char*, 4> kClasses{"regfile", "smartbuffer_SRAM", "smartbuffer_RF",
                                              "SRAM"};  // in the order of GymClass
enum GymClass : std::int64_t { kRegfile, kSmartSram, kSmartRf, kSram };
constexpr std::array<const char*, 3> kPartNames{"spad", "DummyBuffer", "shared_glb"};  // in the order of GymPart

constexpr std::int64_t kRow = 14;  // PEs
constexpr std::int64_t kDeepest16 = 65536;

ParameterInfo class_of(const std::string& name, GymClass kind, const std::string& doc) {
  return category(name + "_class", {kClasses.begin(), kClasses.end()}, kind, doc);
}

// The defaults are the architecture file of TimeloopGym.
void add_spad(std::vector<ParameterInfo>& table, const std::string& name, const std::string& holds, std::int64_t depth) {
  table.push_back(class_of(name, kSmartSram, "what the buffer of " + holds + " in each PE is made of"));
  table.push_back(number(name + "_depth", 2, kDeepest16, depth, "", "rows of this buffer; it holds depth x block words"));
  table.push_back(number(name + "_block", 1, 4, 1, "words", "words of a row, which are read or written at once"));
  table.push_back(number(name + "_read_bw", 1, 16, 2, "words", "read per cycle"));
  table.push_back(number(name + "_write_bw", 1, 16, 2, "words", "written per cycle"));
}

std::vector<ParameterInfo> make_parameters() {
  std::vector<ParameterInfo> table;
  table.push_back(number("nPEs", kRow, kRow * kMostRows, 168, "", "processing elements, a multiple of 14"));
  table.push_back(number("meshX", 2, 14, 14, "", "columns of the mesh that may be used: 2, 7 or 14"));
  add_spad(table, "ifmap", "inputs", 12);
  add_spad(table, "psum", "partial sums", 16);
  add_spad(table, "weights", "weights", 192);
  table.push_back(class_of("dummy", kSram, "what DummyBuffer is made of; it keeps nothing, and costs area alone"));
  table.push_back(number("dummy_depth", 2, kDeepest16, 16, "", "rows of DummyBuffer"));
  table.push_back(number("dummy_block", 1, 4, 1, "words", "words of a row of DummyBuffer"));
  table.push_back(class_of("glb", kSmartSram, "what the buffer that all PEs share is made of"));
  table.push_back(number("glb_depth", 1024, kDeepest16, 16384, "", "rows of this buffer; it holds depth x block words"));
  table.push_back(number("glb_banks", 16, 128, 32, "", "banks of this buffer"));
  table.push_back(number("glb_block", 1, 4, 4, "words", "words of a row, which are read or written at once"));
  table.push_back(number("glb_read_bw", 1, 16, 16, "words", "read per cycle"));
  table.push_back(number("glb_write_bw", 1, 16, 16, "words", "written per cycle"));
  return table;
}

const std::vector<ParameterInfo>& parameter_rows() {
  static const std::vector<ParameterInfo> kTable = make_parameters();
  return kTable;
}

// What TimeloopGym's action may choose of a parameter, by the end of its name.
std::vector<std::int64_t> archgym_values(const std::string& name) {
  const auto powers = [](std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> values;
    for (std::int64_t value = first; value <= last; value *= 2) values.push_back(value);
    return values;
  };
  if (name == "nPEs") {
    std::vector<std::int64_t> values;
    for (std::int64_t rows = 1; rows <= kMostRows; ++rows) values.push_back(kRow * rows);
    return values;
  }
  if (name == "meshX") return {2, 7, 14};
  if (name == "glb_banks") return powers(16, 128);
  if (name.ends_with("_class")) return {kRegfile, kSmartSram, kSmartRf, kSram};
  if (name.ends_with("_depth")) return powers(name == "glb_depth" ? 1024 : 2, kDeepest16);
  if (name.ends_with("_block")) return {1, 2, 4};
  return powers(2, 16);  // bandwidths
}

using Values = std::vector<std::int64_t>;

DesignSpace space_with(const std::string& name, const std::string& doc, std::span<const ParameterInfo> parameters,
                       const std::vector<std::pair<const char*, Values>>& choices) {
  std::vector<Values> values;
  for (const ParameterInfo& parameter : parameters) values.push_back({parameter.default_value});
  for (const auto& [parameter, list] : choices) values[gym_parameter(parameter)] = list;
  return {name, doc, parameters, values};
}

// ---- the table ------------------------------------------------------------------------------------------------------------

double cost_member(const GymJson& object, const char* key, const std::string& where) {
  const GymJson& value = member(object, key, where);
  if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() <= 1e30)) {
    throw Error(where + "." + key + ": expected a number from 0 to 1e30, found " + shown(value));
  }
  return value.get<double>();
}

std::int64_t count_member(const GymJson& object, const char* key, const std::string& where) {
  const GymJson& value = member(object, key, where);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() < 1 || value.get<std::uint64_t>() > 1u << 30) {
    throw Error(where + "." + key + ": expected a whole number from 1 to 2^30, found " + shown(value));
  }
  return value.get<std::int64_t>();
}

template <class Names>
std::int64_t label_member(const GymJson& object, const char* key, const Names& names, const std::string& where) {
  const GymJson& value = member(object, key, where);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (value == names[i]) return static_cast<std::int64_t>(i);
  }
  throw Error(where + "." + key + ": unknown name " + shown(value));
}

// ---- architectures --------------------------------------------------------------------------------------------------------

struct StorageChoice {
  const char* prefix;  // of its parameters
  GymPart part;
  ArchgymLevel level;
};

constexpr StorageChoice kChoices[] = {{"ifmap", GymPart::spad, kIfmapSpad},
                                      {"psum", GymPart::spad, kPsumSpad},
                                      {"weights", GymPart::spad, kWeightsSpad},
                                      {"dummy", GymPart::dummy_buffer, kDummyBuffer},
                                      {"glb", GymPart::shared_glb, kSharedGlb}};

}  // namespace

std::vector<ParameterInfo> archgym_parameters() {
  return parameter_rows();
}

std::size_t gym_parameter(std::string_view name) {
  const auto& table = parameter_rows();
  const auto found = std::ranges::find(table, name, &ParameterInfo::name);
  if (found == table.end()) throw std::logic_error("no parameter " + std::string(name));
  return static_cast<std::size_t>(found - table.begin());
}

std::vector<DesignSpace> archgym_spaces(std::span<const ParameterInfo> parameters) {
  std::vector<std::pair<const char*, Values>> all, effective;
  for (const ParameterInfo& parameter : parameters) {
    const std::string& name = parameter.name;
    all.emplace_back(name.c_str(), archgym_values(name));
    const bool inert = name.starts_with("dummy") || (name.ends_with("_bw") && !name.starts_with("glb"));
    if (!inert) effective.push_back(all.back());
  }
  // One row of PEs is infeasible.
  effective.front().second.erase(effective.front().second.begin());
  auto smart = effective;
  for (auto& [name, values] : smart) {
    if (std::string_view(name).ends_with("_class")) values = {kSmartSram, kSmartRf};
  }
  return {
      space_with("archgym", "all choices of TimeloopGym", parameters, all),
      space_with("effective", "the same, but for what no cycle and no access depends on", parameters, effective),
      space_with("smartbuffers", "the same, with classes alone whose price grows with their size", parameters, smart),
      space_with("eyeriss", "the sizes of the default design's buffers, PEs, bandwidths: small enough for a sweep", parameters,
                 {{"nPEs", {56, 112, 168, 224, 280, 336}},
                  {"ifmap_depth", {8, 12, 16, 32}},
                  {"psum_depth", {8, 16, 32, 64}},
                  {"weights_depth", {32, 64, 128, 192, 256, 512}},
                  {"glb_depth", {4096, 8192, 16384, 32768}},
                  {"glb_read_bw", {4, 8, 16}},
                  {"glb_write_bw", {4, 8, 16}}})};
}

EnergyTable EnergyTable::shipped() {
  return read(data_dir() / "timeloop" / "energy_table.json");
}

EnergyTable EnergyTable::read(const std::filesystem::path& path) {
  const std::string text = read_text(path, "a table of energies and areas (.json)");
  const auto root = parse_json<GymJson>(text, path.string());
  EnergyTable table;
  Fnv1a hash;
  for (const char c : text) hash.add_word(static_cast<unsigned char>(c));
  table.hash = hash.value();
  const std::string where = path.string() + ": ";
  const GymJson& mac = member(root, "mac", path.string());
  table.compute_pj = cost_member(mac, "compute_pJ", where + "mac");
  table.compute_um2 = cost_member(mac, "area_um2", where + "mac");
  const auto cost_of = [](const GymJson& object, const std::string& at) {
    return PartCost{cost_member(object, "read_pJ", at), cost_member(object, "write_pJ", at), cost_member(object, "area_um2", at)};
  };
  const GymJson& dram = member(root, "DRAM", path.string());
  table.dram = cost_of(dram, where + "DRAM");
  table.dram_block = count_member(dram, "block_size", where + "DRAM");
  const GymJson& entries = member(root, "entries", path.string());
  if (!entries.is_array()) throw Error(where + "entries: expected a list, found " + shown(entries));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const GymJson& entry = entries[i];
    const std::string at = where + "entries[" + std::to_string(i) + "]";
    const Key key{label_member(entry, "component", kPartNames, at), label_member(entry, "class", kClasses, at),
                  count_member(entry, "depth", at), count_member(entry, "block_size", at),
                  member(entry, "n_banks", at).is_null() ? 0 : count_member(entry, "n_banks", at)};
    const bool infeasible = entry.contains("infeasible") && entry["infeasible"] == true;
    const bool is_new = table.entries_.emplace(key, infeasible ? std::nullopt : std::optional(cost_of(entry, at))).second;
    if (!is_new) throw Error(at + ": stands there twice");
  }
  return table;
}

std::optional<PartCost> EnergyTable::find(GymPart part, std::int64_t kind, std::int64_t depth, std::int64_t block,
                                          std::int64_t banks) const {
  const auto found = entries_.find({static_cast<std::int64_t>(part), kind, depth, block, banks});
  return found == entries_.end() ? std::nullopt : found->second;
}

bool EnergyTable::has(GymPart part, std::int64_t kind, std::int64_t depth, std::int64_t block, std::int64_t banks) const {
  return entries_.contains({static_cast<std::int64_t>(part), kind, depth, block, banks});
}

std::vector<std::int64_t> EnergyTable::sizes(GymPart part) const {
  std::set<std::int64_t> sizes;
  for (const auto& [key, cost] : entries_) {
    const auto [of, kind, depth, block, banks] = key;
    if (of == static_cast<std::int64_t>(part) && cost) sizes.insert(depth * block);
  }
  return {sizes.begin(), sizes.end()};
}

Accelerator accelerator_of(std::span<const std::int64_t> design, const EnergyTable& table) {
  const auto value = [&](const std::string& name) { return design[gym_parameter(name)]; };
  Accelerator out{};
  Architecture& a = out.architecture;
  const std::int64_t pes = value("nPEs"), mesh_x = value("meshX");
  const auto refuse = [&](GymStatus status, std::string why) {
    out.status = status;
    out.why = std::move(why);
    return out;
  };
  if (pes % kRow != 0) return refuse(GymStatus::no_estimate, "nPEs = " + std::to_string(pes) + " is no multiple of 14");
  if (kArrayColumns % mesh_x != 0)
    return refuse(GymStatus::no_estimate, "meshX = " + std::to_string(mesh_x) + " does not divide 14");
  a.levels = kArchgymLevels;
  a.compute = {pes, mesh_x, pes / mesh_x, table.compute_pj, table.compute_um2};
  a.storage[kDram] = {-1, table.dram_block,   1, 1, 1, 1, 0, 0, table.dram.read_pj, table.dram.write_pj, table.dram.write_pj,
                      0,  table.dram.area_um2};
  for (const StorageChoice& choice : kChoices) {
    const std::string prefix = choice.prefix;
    const std::int64_t kind = value(prefix + "_class"), depth = value(prefix + "_depth"), block = value(prefix + "_block");
    const std::int64_t banks = choice.part == GymPart::shared_glb ? value("glb_banks") : 0;
    const auto cost = table.find(choice.part, kind, depth, block, banks);
    if (!cost) {
      const std::string what = prefix + " (class " + std::string(kClasses[static_cast<std::size_t>(kind)]) + ", depth " +
                               std::to_string(depth) + ", block " + std::to_string(block) +
                               (banks > 0 ? ", banks " + std::to_string(banks) : "") + ")";
      return refuse(GymStatus::no_estimate, table.has(choice.part, kind, depth, block, banks)
                                                ? what + " has no energy: the estimator finds no such memory"
                                                : what + " is not in the table of energies; space archgym lists what is");
    }
    Storage& storage = a.storage[choice.level];
    storage = {depth * block, block, 1, 1, 1, 1, 0, 0, cost->read_pj, cost->write_pj, cost->write_pj, 0, cost->area_um2};
    if (choice.part != GymPart::dummy_buffer) {
      storage.read_bw = static_cast<double>(value(prefix + "_read_bw"));
      storage.write_bw = static_cast<double>(value(prefix + "_write_bw"));
    }
    if (choice.part != GymPart::shared_glb) {
      storage.instances = choice.part == GymPart::spad ? pes : kArrayColumns;
      storage.mesh_x = mesh_x;
      storage.mesh_y = storage.instances / mesh_x;
    }
  }
  if (pes == kRow)
    return refuse(GymStatus::no_fanout, "nPEs = 14 is one row of PEs, which leaves no fanout to spread loops over");
  return out;
}

}  // namespace exarch::timeloop
