#include "host/timeloop/records.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "host/error.hpp"
#include "host/files/json.hpp"
#include "host/files/text.hpp"

namespace exarch::timeloop {
using exarch::shown;  // of JSON, beside that of YAML
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSpaceNames[kSpaces] = {"Weights", "Inputs", "Outputs"};
constexpr double kDearest = 1e30;  // price or bandwidth

// ---- reading -------------------------------------------------------------------------------------------------------------

[[noreturn]] void fail(const std::string& what) {
  throw Error(what);
}

std::int64_t whole_number(const Json& value, const std::string& where, std::int64_t least = 1,
                          std::int64_t most = kLargestNumber) {
  const bool fits = value.is_number_unsigned() ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most)
                                               : value.is_number_integer() && value.get<std::int64_t>() <= most;
  if (!fits || value.get<std::int64_t>() < least) {
    fail(where + ": expected a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ", found " +
         shown(value));
  }
  return value.get<std::int64_t>();
}

std::int64_t whole_member(const Json& object, const char* key, const std::string& where) {
  return whole_number(member(object, key, where), where + "." + key);
}

double price_number(const Json& value, const std::string& where) {
  if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() <= kDearest)) {
    fail(where + ": expected a number from 0 to 1e30, found " + shown(value));
  }
  return value.get<double>();
}

double price_member(const Json& object, const char* key, const std::string& where) {
  return price_number(member(object, key, where), where + "." + key);
}

std::string name_member(const Json& object, const std::string& where) {
  const Json& name = member(object, "name", where);
  if (!name.is_string()) fail(where + ".name: expected a text, found " + shown(name));
  return name.get<std::string>();
}

Dim dim_named(const Json& name, const std::string& where) {
  for (std::uint32_t d = 0; d < kDims; ++d) {
    if (name == kDimNames[d]) return static_cast<Dim>(d);
  }
  fail(where + ": expected a dimension, which is C, M, R, S, N, P, Q or G, found " + shown(name));
}

Problem read_problem(const Json& json) {
  Problem problem{};
  for (std::uint32_t d = 0; d < kDims; ++d) {
    const bool may_lack = d == index_of(Dim::G);  // one group
    problem.bound[d] = may_lack && !json.contains("G") ? 1 : whole_member(json, kDimNames[d], "problem");
  }
  problem.wstride = whole_member(json, "Wstride", "problem");
  problem.hstride = whole_member(json, "Hstride", "problem");
  problem.wdilation = whole_member(json, "Wdilation", "problem");
  problem.hdilation = whole_member(json, "Hdilation", "problem");
  return problem;
}

// null is unlimited: 0 in a Storage.
double bandwidth_member(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, where);
  if (value.is_null()) return 0;
  if (!value.is_number() || !(value.get<double>() > 0 && value.get<double>() <= kDearest)) {
    fail(where + "." + key + ": expected null or a number above 0, up to 1e30, found " + shown(value));
  }
  return value.get<double>();
}

Storage read_storage(const Json& json, const std::string& where) {
  Storage storage{};
  const Json& size = member(json, "size_words", where);
  storage.size = size.is_null() ? -1 : whole_number(size, where + ".size_words", 0, kLargestCount);
  storage.block_size = whole_member(json, "block_size", where);
  storage.instances = whole_member(json, "instances", where);
  storage.cluster_size = whole_member(json, "cluster_size", where);
  if (storage.cluster_size > storage.instances) fail(where + ".cluster_size: expected at most as many as there are instances");
  storage.mesh_x = whole_member(json, "meshX", where);
  storage.mesh_y = whole_member(json, "meshY", where);
  storage.read_bw = bandwidth_member(json, "read_bw", where);
  storage.write_bw = bandwidth_member(json, "write_bw", where);
  const Json& energy = member(json, "energy_pJ", where);
  storage.read_pj = price_member(energy, "read", where + ".energy_pJ");
  storage.fill_pj = price_member(energy, "fill", where + ".energy_pJ");
  storage.update_pj = price_member(energy, "update", where + ".energy_pJ");
  storage.leak_pj = energy.contains("leak") ? price_member(energy, "leak", where + ".energy_pJ") : 0;
  storage.area_um2 = price_member(json, "area_um2", where);
  return storage;
}

void read_architecture(const Json& json, Record& record) {
  Architecture& architecture = record.input.architecture;
  const Json& compute = member(json, "compute", "arch");
  record.compute_name = name_member(compute, "arch.compute");
  architecture.compute.instances = whole_member(compute, "instances", "arch.compute");
  architecture.compute.mesh_x = whole_member(compute, "meshX", "arch.compute");
  architecture.compute.mesh_y = whole_member(compute, "meshY", "arch.compute");
  architecture.compute.compute_pj =
      price_member(member(compute, "energy_pJ", "arch.compute"), "compute", "arch.compute.energy_pJ");
  architecture.compute.area_um2 = price_member(compute, "area_um2", "arch.compute");
  const Json& storage = member(json, "storage", "arch");
  if (!storage.is_array() || storage.empty() || storage.size() > kMaxLevels) {
    fail("arch.storage: expected a list of 1 to " + std::to_string(kMaxLevels) + " levels, found " +
         (storage.is_array() ? std::to_string(storage.size()) + " levels" : shown(storage)));
  }
  for (const Json& level : storage) {
    const std::string where = "arch.storage[" + std::to_string(architecture.levels) + "]";
    architecture.storage[architecture.levels++] = read_storage(level, where);
    record.level_names.push_back(name_member(level, where));
  }
}

Block read_block(const Json& json, bool spatial, const std::string& where) {
  Block block{};
  if (!json.is_array() || json.size() > kDims)
    fail(where + ": expected a list of up to " + std::to_string(kDims) + " loops, found " + shown(json));
  bool on_y = false;
  for (const Json& entry : json) {
    const std::string at = where + "[" + std::to_string(block.count) + "]";
    if (!entry.is_array() || entry.size() != (spatial ? 3 : 2)) {
      fail(at + ": expected " + (spatial ? R"(["M", 4, "X"])" : R"(["M", 4])") + " or the like, found " + shown(entry));
    }
    Loop loop{dim_named(entry[0], at), Axis::x, whole_number(entry[1], at)};
    if (spatial) {
      if (entry[2] != "X" && entry[2] != "Y") fail(at + R"(: expected the axis "X" or "Y", found )" + shown(entry[2]));
      loop.axis = entry[2] == "Y" ? Axis::y : Axis::x;
      if (loop.bound > 1 && on_y && loop.axis == Axis::x) {
        fail(at + ": loops on X stand before those on Y, for they are the inner ones");
      }
      on_y = on_y || (loop.bound > 1 && loop.axis == Axis::y);
    }
    for (std::uint32_t l = 0; l < block.count; ++l) {
      if (block.loop[l].dim == loop.dim) fail(at + ": a block has one loop over a dimension, and has one before this");
    }
    block.loop[block.count++] = loop;
  }
  return block;
}

void read_mapping(const Json& json, Record& record) {
  const std::uint32_t levels = record.input.architecture.levels;
  Mapping& mapping = record.input.mapping;
  if (!json.is_array() || json.size() != levels) {
    fail("mapping: expected a list of as many levels as arch.storage has, which is " + std::to_string(levels) + ", found " +
         (json.is_array() ? std::to_string(json.size()) : shown(json)));
  }
  for (std::uint32_t s = 0; s < levels; ++s) {
    const std::string where = "mapping[" + std::to_string(s) + "]";
    mapping.spatial[s] = read_block(member(json[s], "spatial", where), true, where + ".spatial");
    mapping.temporal[s] = read_block(member(json[s], "temporal", where), false, where + ".temporal");
    const Json& keep = member(json[s], "keep", where);
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      const Json& kept = member(keep, kSpaceNames[space], where + ".keep");
      if (!kept.is_boolean()) fail(where + ".keep." + kSpaceNames[space] + ": expected true or false, found " + shown(kept));
      mapping.keep[s][space] = kept.get<bool>();
    }
  }
}

// ---- writing -------------------------------------------------------------------------------------------------------------

// 17 digits; a whole number without a fraction, as the records have it.
Json number(double value) {
  if (std::abs(value) <= static_cast<double>(kLargestCount) && value == std::trunc(value)) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

Json counts_json(const Record& record, const Counters& counters, const LevelPrice& level, std::uint32_t s, std::uint32_t space) {
  const Counts& c = counters.count[s][space];
  const bool written = space == kOutputs;
  Json out;
  out["keep"] = record.input.mapping.keep[s][space];
  out["tile"] = c.tile;
  out["utilized_capacity"] = c.tile;
  out["partition"] = c.partition;
  out["instances"] = counters.use[s].instances;
  out["x"] = counters.use[s].x;
  out["y"] = counters.use[s].y;
  out["reads"] = c.reads;
  out["fills"] = c.fills;
  out["updates"] = c.updates;
  out["temporal_reductions"] = written ? c.reads : 0;
  out["address_generations"] = c.fills + (written ? c.updates : c.reads);
  out["vec_reads"] = level.vector_reads[space];
  out["vec_fills"] = level.vector_fills[space];
  out["vec_updates"] = level.vector_updates[space];
  out["energy_per_instance_pJ"] = number(level.instance_pj[space]);
  out["read_bw"] = number(level.read_bw[space]);
  out["write_bw"] = number(level.write_bw[space]);
  return out;
}

Json level_json(const Record& record, const Counters& counters, const LevelPrice& level, std::uint32_t s) {
  Json out;
  out["name"] = record.level_names[s];
  out["cycles"] = level.cycles;
  out["slowdown"] = number(level.slowdown);
  out["area_um2"] = number(level.area_um2);
  out["leakage_energy_pJ"] = number(level.leakage_pj);
  out["energy_pJ"] = number(level.energy_pj);
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    out["ds"][record.space_names[space]] = counts_json(record, counters, level, s, space);
  }
  return out;
}

// The network below level s, for one tensor.
Json network_json(const Counters& counters, std::uint32_t levels, std::uint32_t s, std::uint32_t space) {
  const Counts& c = counters.count[s][space];
  Json ingress = Json::array();
  double all = 0, reductions = 0;
  std::uint32_t multicast = 0;
  for (std::uint32_t i = 0; i < c.ingresses; ++i) {
    const Ingress& entry = c.ingress[i];
    // To the outermost level outputs go to and fro, but for the first time.
    const bool both_ways = space == kOutputs && s + 1 == levels;
    const double accesses = both_ways ? 2 * entry.accesses - static_cast<double>(c.partition) : entry.accesses;
    ingress.push_back({entry.multicast, entry.groups, number(accesses)});
    all += accesses;
    reductions += (entry.multicast - 1) * accesses;
    multicast = std::max(multicast, entry.multicast);
  }
  Json out;
  out["fanout"] = counters.fan[s];
  out["multicast"] = multicast;
  out["link_transfers"] = number(c.link);
  out["spatial_reductions"] = space == kOutputs ? number(reductions) : Json(0);
  out["avg_hops"] = all > 0 ? number(c.hops / all) : Json(0);
  out["ingress"] = std::move(ingress);
  return out;
}

std::string parse_error_of(const Record& record, Status status, const Fault& fault) {
  const std::string level = fault.level < record.level_names.size() ? record.level_names[fault.level] : "";
  switch (status) {
    case Status::factor_product:
      return "ERROR: parsing mapping: product of all factors of dimension " + record.dim_names[index_of(fault.dim)] + " is " +
             std::to_string(fault.needed) + ", which is not equal to the dimension size of the workload " +
             std::to_string(fault.available) + ".";
    case Status::mesh:
      return "the meshes do not fit at " + level +
             ": instances are meshX times meshY, and a mesh is a multiple of the next outer one";
    case Status::no_fanout:
      return level + " has spatial loops, but only one child";
    case Status::repeated_loop:
      return level + " has two loops over dimension " + record.dim_names[index_of(fault.dim)] + " in one block";
    default:
      return level + " has a loop on X outside a loop on Y";
  }
}

// The reason of the level at which the evaluation ends.
std::string reason_of(const Fault& fault) {
  std::string reason;
  if (fault.over_capacity) {
    reason = "mapped tile size " + std::to_string(fault.tile) + " exceeds buffer capacity " + std::to_string(fault.capacity);
  }
  constexpr std::array<const char*, 4> kWhat{"", "instances", "X expansion", "Y expansion"};
  if (fault.excess == Excess::none) return reason;
  return reason + "mapped " + kWhat[static_cast<std::size_t>(fault.excess)] + " " + std::to_string(fault.needed) +
         " exceeds available hardware instances " + std::to_string(fault.available);
}

std::string why_not(Status status) {
  switch (status) {
    case Status::too_many_elements:
      return "a spatial block has more than " + std::to_string(kMaxElements) + " elements, which is a limit of Exarch";
    case Status::too_many_groups:
      return "a level has more than " + std::to_string(kMaxIngress) + " kinds of multicast, which is a limit of Exarch";
    case Status::too_large:
      return "a count exceeds 2^53, beyond which doubles have no exact whole numbers; this is a limit of Exarch";
    default:
      return "a number is not positive or too large";
  }
}

bool is_parse_error(Status status) {
  return status >= Status::mesh && status <= Status::factor_product;
}

}  // namespace

Record record_of(const Json& row) {
  if (!row.is_object()) fail("expected an object, found " + shown(row));
  Record record{};
  record.input.problem = read_problem(member(row, "problem", "row"));
  read_architecture(member(row, "arch", "row"), record);
  read_mapping(member(row, "mapping", "row"), record);
  return record;
}

Json output_of(const Record& record, const Counters& counters, const Price& price) {
  const std::uint32_t levels = record.input.architecture.levels;
  Json out;
  out["valid"] = true;
  out["cycles"] = price.cycles;
  out["energy_pJ"] = number(price.energy_pj);
  out["area_um2"] = number(price.area_um2);
  out["utilization"] = number(price.utilization);
  out["computes"] = price.computes;
  out["compute"] = {{"cycles", counters.steps},
                    {"instances_used", counters.units.instances},
                    {"energy_pJ", number(price.compute_pj)},
                    {"area_um2", number(price.compute_um2)}};
  out["levels"] = Json::array();
  out["networks"] = Json::array();
  for (std::uint32_t s = 0; s < levels; ++s) {
    out["levels"].push_back(level_json(record, counters, price.level[s], s));
    Json network;
    network["name"] = record.level_names[s] + " <==> " + (s == 0 ? record.compute_name : record.level_names[s - 1]);
    network["energy_pJ"] = 0;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      network["ds"][record.space_names[space]] = network_json(counters, levels, s, space);
    }
    out["networks"].push_back(std::move(network));
  }
  return out;
}

Json refusal_of(const Record& record, Status status, const Fault& fault) {
  Json out{{"valid", false}};
  if (is_parse_error(status)) {
    out["parse_error"] = parse_error_of(record, status, fault);
    return out;
  }
  const auto add = [&out](const std::string& level, const std::string& reason) {
    out["fail"].push_back({{"level", level}, {"reason", reason}});
  };
  const std::string units = " exceeds hardware instances " + std::to_string(fault.available);
  const std::string arithmetic = "mapped max Arithmetic ", needed = " " + std::to_string(fault.needed);
  switch (status) {
    case Status::bypassed:
      add(record.compute_name, "one of the tensors is bypassed in all storage levels");
      for (const std::string& level : record.level_names) add(level, "one of the tensors is bypassed in all storage levels");
      break;
    case Status::compute_instances:
      add(record.compute_name, arithmetic + "instances" + needed + units);
      break;
    case Status::compute_x:
      add(record.compute_name, arithmetic + "X expansion" + needed + units);
      break;
    case Status::compute_y:
      add(record.compute_name, arithmetic + "Y expansion" + needed + units);
      break;
    default:
      add(record.level_names.at(fault.level), reason_of(fault));
  }
  return out;
}

const char* name_of(Status status) {
  constexpr const char* kNames[kStatuses] = {"ok",        "bad_number",     "mesh",      "repeated_loop",     "axis_order",
                                             "no_fanout", "factor_product", "bypassed",  "compute_instances", "compute_x",
                                             "compute_y", "level",          "too_large", "too_many_elements", "too_many_groups"};
  return kNames[static_cast<std::size_t>(status)];
}

Json answer(const Json& row, FillRule rule) {
  const Json id = row.is_object() && row.contains("id") ? row["id"] : Json();
  try {
    return answer(id, record_of(row), rule);
  } catch (const Error& error) {
    return invalid_answer(id, error.what());
  }
}

Json answer(const Json& id, const Record& record, FillRule rule) {
  Counters counters{};
  Price price{};
  Fault fault{};
  const Status status = cpu_functions().evaluate(record.input, rule, counters, price, fault);
  Json json;
  json["id"] = id;
  json["status"] = name_of(status);
  if (status == Status::ok) {
    json["out"] = output_of(record, counters, price);
  } else if (status == Status::bad_number || status > Status::level) {
    json["why"] = why_not(status);
  } else {
    json["out"] = refusal_of(record, status, fault);
  }
  return json;
}

Json invalid_answer(const Json& id, const std::string& fault) {
  return {{"id", id}, {"status", "invalid"}, {"error", printable_message(fault)}};
}

LineAnswer answer_line(const std::string& line, FillRule rule) {
  Json json;
  try {
    json = answer(parse_json<Json>(line, "", TwiceKeys::last_counts), rule);
  } catch (const Error& error) {
    json = invalid_answer(nullptr, std::string("not a JSON object: ") + error.what());
  }
  return {json.dump(-1, ' ', false, Json::error_handler_t::replace), json.value("error", std::string())};
}

}  // namespace exarch::timeloop
