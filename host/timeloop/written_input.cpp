#include "host/timeloop/written_input.hpp"

#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "kernels/timeloop/nest.hpp"

namespace exarch::timeloop {
namespace {

constexpr int kWordBits = 16;  // of a word; no count depends on it

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump();
}

std::string digits_of(double value) {
  return nlohmann::json(value).dump();
}

// "PE[0..167]", as Accelergy numbers instances.
std::string numbered(const std::string& name, std::int64_t instances) {
  return name + "[0.." + std::to_string(instances - 1) + "]";
}

std::string written_storage(const Storage& s, const std::string& name) {
  if (s.size < 0 && s.cluster_size > 1) {
    throw Error(name +
                ": a level without a limit is a DRAM in Timeloop's files, and those share no accesses; give it a size, or "
                "cluster_size 1");
  }
  std::string text = "    - name: " + quoted(numbered(name, s.instances)) + "\n      class: " + (s.size < 0 ? "DRAM" : "SRAM") +
                     "\n      attributes:\n";
  const auto add = [&](const char* key, const std::string& value) {
    text += std::string("        ") + key + ": " + value + "\n";
  };
  if (s.size >= 0) add("entries", std::to_string(s.size));
  add("word-bits", std::to_string(kWordBits));
  add("block-size", std::to_string(s.block_size));
  add("cluster-size", std::to_string(s.cluster_size));
  add("width", std::to_string(kWordBits * s.block_size * s.cluster_size));
  add("instances", std::to_string(s.instances));
  add("meshX", std::to_string(s.mesh_x));
  add("meshY", std::to_string(s.mesh_y));
  if (s.read_bw > 0) add("read_bandwidth", digits_of(s.read_bw));
  if (s.write_bw > 0) add("write_bandwidth", digits_of(s.write_bw));
  return text;
}

std::string written_architecture(const Architecture& a, const std::string& compute_name, const MappingNames& names) {
  std::string text = "architecture:\n  version: 0.3\n  subtree:\n  - name: system\n    local:\n";
  for (std::uint32_t s = a.levels; s-- > 0;) text += written_storage(a.storage[s], names.levels[s]);
  const Compute& c = a.compute;
  return text + "    - name: " + quoted(numbered(compute_name, c.instances)) +
         "\n      class: intmac\n      attributes: {word-bits: " + std::to_string(kWordBits) +
         ", instances: " + std::to_string(c.instances) + ", meshX: " + std::to_string(c.mesh_x) +
         ", meshY: " + std::to_string(c.mesh_y) + "}\n";
}

// Accelergy's tables of energies and areas.
std::string written_tables(const Architecture& a, const std::string& compute_name, const MappingNames& names) {
  std::string ert = "ERT:\n  version: 0.3\n  tables:\n", art = "ART:\n  version: 0.3\n  tables:\n";
  const auto action = [&](const char* name, double pj) {
    ert += std::string("    - {name: ") + name + ", arguments: {}, energy: " + digits_of(pj) + "}\n";
  };
  const auto component = [&](const std::string& name, std::int64_t instances, double area_um2) {
    const std::string full = quoted("system." + numbered(name, instances));
    ert += "  - name: " + full + "\n    actions:\n";
    art += "  - {name: " + full + ", area: " + digits_of(area_um2) + "}\n";
  };
  for (std::uint32_t s = 0; s < a.levels; ++s) {
    const Storage& storage = a.storage[s];
    component(names.levels[s], storage.instances, storage.area_um2);
    action("read", storage.read_pj);
    action("fill", storage.fill_pj);
    action("update", storage.update_pj);
    action("leak", storage.leak_pj);
  }
  component(compute_name, a.compute.instances, a.compute.area_um2);
  action("compute", a.compute.compute_pj);
  return ert + art;
}

// The projection of a tensor: ranks of [dimension, coefficient] or [dimension].
std::string written_projection(const Problem& problem, std::uint32_t space, const MappingNames& names) {
  constexpr const char* kCoefficients[kDims] = {"", "", "Wdilation", "Hdilation", "", "Wstride", "Hstride", ""};
  std::string ranks;
  for (std::uint32_t r = 0; r < kRanks; ++r) {
    const Rank rank = rank_of(problem, space, r);
    const bool slides = rank.dim[0] != rank.dim[1];
    std::string terms;
    for (std::uint32_t i = 0; i < (slides ? 2u : 1u); ++i) {
      const std::uint32_t d = index_of(rank.dim[i]);
      if (names.dims[d].empty()) continue;
      terms += (terms.empty() ? "[" : ", [") + names.dims[d] + (slides ? std::string(", ") + kCoefficients[d] : "") + "]";
    }
    if (!terms.empty()) ranks += (ranks.empty() ? "[" : ", [") + terms + "]";
  }
  return "[" + ranks + "]";
}

std::string written_problem(const Problem& problem, const MappingNames& names) {
  std::string dims, sizes;
  for (std::uint32_t d = 0; d < kDims; ++d) {
    if (names.dims[d].empty()) continue;
    dims += (dims.empty() ? "" : ", ") + names.dims[d];
    sizes += "    " + names.dims[d] + ": " + std::to_string(problem.bound[d]) + "\n";
  }
  std::string text = "problem:\n  shape:\n    name: layer\n    dimensions: [" + dims + "]\n    coefficients:\n";
  for (const auto& [name, value] : {std::pair{"Wstride", problem.wstride},
                                    {"Hstride", problem.hstride},
                                    {"Wdilation", problem.wdilation},
                                    {"Hdilation", problem.hdilation}}) {
    text += std::string("    - {name: ") + name + ", default: 1}\n";
    sizes += std::string("    ") + name + ": " + std::to_string(value) + "\n";
  }
  text += "    data-spaces:\n";
  for (std::uint32_t space = 0; space < kSpaces; ++space) {
    text += "    - name: " + names.tensors[space] + "\n      projection: " + written_projection(problem, space, names) + "\n";
    if (space == kOutputs) text += "      read-write: true\n";
  }
  return text + "  instance:\n" + sizes;
}

}  // namespace

std::string written_input(const Input& input, const std::string& compute_name, const MappingNames& names) {
  return written_architecture(input.architecture, compute_name, names) + written_tables(input.architecture, compute_name, names) +
         written_problem(input.problem, names) + mapping_yaml(input.architecture, input.mapping, names);
}

}  // namespace exarch::timeloop
