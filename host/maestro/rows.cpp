#include "host/maestro/rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "host/error.hpp"
#include "host/files/json.hpp"
#include "host/files/text.hpp"
#include "host/maestro/cost.hpp"
#include "host/maestro/file.hpp"
#include "host/maestro/layers.hpp"

namespace exarch::maestro {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void fail(const std::string& what) {
  throw Error(what);
}

std::int32_t whole_number(const Json& value, const std::string& where) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max(), kLeast = std::numeric_limits<std::int32_t>::min();
  const bool whole = value.is_number_integer() && !(value.is_number_unsigned() && value.get<std::uint64_t>() > kMost);
  if (!whole || value.get<std::int64_t>() > kMost || value.get<std::int64_t>() < kLeast) {
    fail(where + ": expected a whole number of 32 bits, found " + shown(value));
  }
  return value.get<std::int32_t>();
}

Dim dim(const std::string& name, const std::string& where) {
  if (const auto dim = dim_of(name)) return *dim;
  fail(where + ": unknown dimension '" + name + "'; there is N, G, K, C, R, S, Y, X, Y', X' and M");
}

// What stands in a row: where its numbers are legal but beyond the model, a status says so.
struct Reading {
  Problem problem{};
  Status status = Status::ok;
};

void read_layer(const Json& json, Reading& reading) {
  Layer& layer = reading.problem.layer;
  for (std::int32_t& stride : layer.stride) stride = 1;
  const Json& type = member(json, "type", "layer");
  const auto known = type.is_string() ? layer_type_of(type.get<std::string>()) : std::nullopt;
  if (!known) fail("layer.type: expected CONV, DSCONV, NGCONV, GEMM or TRCONV, found " + shown(type));
  layer.type = *known;
  const Json& dims = member(json, "dims", "layer");
  if (!dims.is_object()) fail("layer.dims: expected an object, found " + shown(dims));
  for (const auto& [name, size] : dims.items()) {
    const std::string where = "layer.dims." + name;
    layer.size[index_of(dim(name, where))] = whole_number(size, where);
    if (whole_number(size, where) <= 0) reading.status = Status::non_positive_size;
  }
  const auto strides = json.find("stride");
  if (strides == json.end()) return;
  if (!strides->is_object()) fail("layer.stride: expected an object, found " + shown(*strides));
  for (const auto& [name, stride] : strides->items()) {
    const std::string where = "layer.stride." + name;
    layer.stride[index_of(dim(name, where))] = whole_number(stride, where);
    if (whole_number(stride, where) <= 0) reading.status = Status::non_positive_size;
  }
}

void read_mapping(const Json& json, Reading& reading) {
  if (!json.is_array()) fail("directives: expected a list, found " + shown(json));
  Mapping& mapping = reading.problem.mapping;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const Json& entry = json[i];
    const std::string where = "directives[" + std::to_string(i) + "]";
    const bool named = entry.is_array() && !entry.empty() && entry[0].is_string();
    const std::string name = named ? entry[0].get<std::string>() : "";
    Directive directive{};
    if (name == "Cluster" && entry.size() == 2) {
      directive = {Map::cluster, Dim::C, whole_number(entry[1], where), whole_number(entry[1], where)};
    } else if ((name == "TemporalMap" || name == "SpatialMap") && entry.size() == 4 && entry[1].is_string()) {
      directive = {name == "SpatialMap" ? Map::spatial : Map::temporal, dim(entry[1].get<std::string>(), where),
                   whole_number(entry[2], where), whole_number(entry[3], where)};
    } else {
      fail(where + ": expected [\"TemporalMap\" or \"SpatialMap\", dimension, size, offset] or [\"Cluster\", size], found " +
           shown(entry));
    }
    if (mapping.count < kMaxDirectives) {
      mapping.directive[mapping.count++] = directive;
    } else {
      reading.status = Status::too_many_directives;
    }
  }
}

void read_hardware(const Json& json, Reading& reading) {
  const auto at = [&json](const char* key) { return whole_number(member(json, key, "hw"), std::string("hw.") + key); };
  if (at("noc_hops") < 0 || at("noc_hop_latency") < 0) reading.status = Status::non_positive_hardware;
  const std::int64_t latency = std::int64_t{at("noc_hops")} * at("noc_hop_latency");
  // The tool multiplies in 32 bits.
  const auto wrapped = static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(latency)));
  reading.problem.hardware = {at("num_pes"), at("num_simd_lanes"), at("noc_bw"), wrapped, at("offchip_bw")};
}

Reading read_row(const Json& row) {
  if (!row.is_object()) fail("expected an object, found " + shown(row));
  Reading reading;
  read_layer(member(row, "layer", "row"), reading);
  read_mapping(member(row, "directives", "row"), reading);
  read_hardware(member(row, "hw", "row"), reading);
  return reading;
}

Json real(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "-nan";
  return value < 0 ? "-inf" : "inf";
}

double ratio(std::int64_t a, std::int64_t b) {
  return static_cast<double>(a) / static_cast<double>(b);
}

// The size a layer declares of a tensor.
std::int64_t declared(const Layer& layer, std::initializer_list<Dim> dims) {
  std::uint64_t product = 1;  // wraps, as the tool's
  for (const Dim dim : dims) product *= static_cast<std::uint64_t>(std::max(layer.size[index_of(dim)], 1));
  return static_cast<std::int64_t>(product);
}

std::int64_t input_elements(const Layer& layer) {
  if (layer.type == LayerType::gemm) return declared(layer, {Dim::M, Dim::K});
  const bool grouped = layer.type == LayerType::ngconv;
  return grouped ? declared(layer, {Dim::N, Dim::G, Dim::C, Dim::Y, Dim::X}) : declared(layer, {Dim::N, Dim::C, Dim::Y, Dim::X});
}

std::int64_t weight_elements(const Layer& layer) {
  if (layer.type == LayerType::gemm) return declared(layer, {Dim::K, Dim::N});
  if (layer.type == LayerType::dsconv) return declared(layer, {Dim::C, Dim::R, Dim::S});
  if (layer.type == LayerType::ngconv) return declared(layer, {Dim::G, Dim::K, Dim::C, Dim::R, Dim::S});
  return declared(layer, {Dim::K, Dim::C, Dim::R, Dim::S});
}

void put(Json& out, const std::string& prefix, const Delay& delay, std::int64_t occurrences) {
  out[prefix + "_min"] = delay.min;
  out[prefix + "_max"] = delay.max;
  out[prefix + "_avg"] = occurrences == 0 ? std::numeric_limits<std::int64_t>::min() : delay.sum / occurrences;
}

void put(Json& out, const std::string& prefix, std::int64_t l1_read, std::int64_t l1_write, std::int64_t l2_read,
         std::int64_t l2_write) {
  out[prefix + "_l1_read"] = l1_read;
  out[prefix + "_l1_write"] = l1_write;
  out[prefix + "_l2_read"] = l2_read;
  out[prefix + "_l2_write"] = l2_write;
  out[prefix + "_reuse"] = real(ratio(l1_read, l1_write));
}

}  // namespace

Problem problem_of(const Json& row) {
  return read_row(row).problem;
}

Json output_of(const Problem& problem, const Counters& c) {
  const double energy = energy_of(c).tool_nj;
  const AreaPower physical = area_and_power(c, problem.hardware);
  const double throughput = ratio(c.num_macs, c.runtime);
  Json out;
  out["num_pes"] = problem.hardware.num_pes;
  out["runtime"] = c.runtime;
  out["energy_nj"] = real(energy);
  out["throughput"] = real(throughput);
  out["throughput_per_energy"] = real(throughput / energy * 1e9);
  out["area"] = real(physical.area_um2);
  out["power"] = real(physical.total_mw);
  out["noc_bw_req"] = c.peak_bw;
  out["avg_bw_req"] = real(ratio(c.bw_sum, c.occurrences));
  out["peak_bw_req"] = c.peak_bw;
  out["vector_width"] = problem.hardware.num_simd_lanes;
  out["offchip_bw_req"] = c.offchip_bw;
  out["l2_size_req"] = c.l2_size;
  out["l1_size_req"] = c.l1_size;
  out["multicast_weight"] = real(ratio(c.l2_read[kWeight], c.l2_read[kWeight]));
  out["multicast_input"] = real(ratio(c.l2_read[kInput], c.l2_read[kInput]));
  out["input_pixels"] = input_elements(problem.layer);
  out["weight_pixels"] = weight_elements(problem.layer);
  out["ops_per_joule"] = real(static_cast<double>(c.num_macs) / energy * 1e9);
  out["num_macs"] = c.num_macs;
  out["pe_power"] = real(physical.pe_mw);
  out["l1_power"] = real(physical.l1_mw);
  out["l2_power"] = real(physical.l2_mw);
  out["noc_power"] = real(physical.noc_mw);
  put(out, "input", c.num_macs, c.l2_read[kInput], c.l2_read[kInput], c.l2_write[kInput]);
  put(out, "filter", c.num_macs, c.l2_read[kWeight], c.l2_read[kWeight], c.l2_write[kWeight]);
  put(out, "output", c.l1_output, c.l1_output, c.l2_read[kOutput], c.l2_write[kOutput]);
  put(out, "ingress", c.ingress, c.occurrences);
  put(out, "egress", c.egress, c.occurrences);
  put(out, "compute", c.compute, c.occurrences);
  out["avg_active_pes"] = real(c.active_pes);
  out["arithmetic_intensity"] = c.occurrences == 0 ? Json(0.0) : real(ratio(c.last_macs, c.last_ingress));
  return out;
}

const char* name_of(Status status) {
  constexpr const char* kNames[kStatuses] = {"ok",
                                             "non_positive_size",
                                             "filter_tile",
                                             "axis_forms",
                                             "missing_dimension",
                                             "spatial_maps",
                                             "too_many_clusters",
                                             "stationary_tile",
                                             "clusters_exceed_pes",
                                             "zero_compute_delay",
                                             "occurrence_overflow",
                                             "non_positive_hardware",
                                             "missing_filter_directive",
                                             "empty_mapping",
                                             "too_many_directives",
                                             "case_limit"};
  return kNames[static_cast<std::size_t>(status)];
}

Json answer(const Json& row, Version version) {
  const Json id = row.is_object() && row.contains("id") ? row["id"] : Json();
  try {
    const Reading reading = read_row(row);
    if (reading.status != Status::ok) {
      return {{"id", id}, {"status", name_of(reading.status)}, {"why", why_not(reading.problem, reading.status)}};
    }
    return answer(id, reading.problem, version);
  } catch (const Error& error) {
    return invalid_answer(id, error.what());
  }
}

Json invalid_answer(const Json& id, const std::string& fault) {
  return {{"id", id}, {"status", "invalid"}, {"error", printable_message(fault)}};
}

Json answer(const Json& id, const Problem& problem, Version version, const std::optional<Limits>& limits) {
  Counters counters{};
  const Status status = cpu_functions().problem(problem, version, counters);
  Json json;
  json["id"] = id;
  json["status"] = name_of(status);
  if (const std::string warning = two_meanings(problem.layer); !warning.empty()) json["warning"] = warning;
  if (status != Status::ok) {
    json["why"] = why_not(problem, status);
    return json;
  }
  json["impossible"] = is_impossible(counters, problem.hardware, macs_of(problem.layer));
  if (limits) {
    json["l1_over"] = std::max<std::int64_t>(0, counters.l1_size - limits->l1);
    json["l2_over"] = std::max<std::int64_t>(0, counters.l2_size - limits->l2);
  }
  json["out"] = output_of(problem, counters);
  return json;
}

}  // namespace exarch::maestro
