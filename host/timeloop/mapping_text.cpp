#include "host/timeloop/mapping_text.hpp"

#include <algorithm>

namespace exarch::timeloop {
namespace {

std::string joined(const std::vector<std::string>& parts, const std::string& between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

// The factors of all dimensions in a block, and their order, those without a loop outside the others. Dimensions of one letter
// are written together, as Timeloop's users do.
std::string loops_yaml(const Block& block, const MappingNames& names) {
  std::vector<std::string> factors, order;
  std::array<bool, kDims> seen{};
  const auto add = [&](Dim dim, std::int64_t bound) {
    const std::string& name = names.dims[index_of(dim)];
    seen[index_of(dim)] = true;
    if (name.empty()) return;
    factors.push_back(name + "=" + std::to_string(bound));
    order.push_back(name);
  };
  for (std::uint32_t l = 0; l < block.count; ++l) {
    if (block.loop[l].bound > 1) add(block.loop[l].dim, block.loop[l].bound);
  }
  for (std::uint32_t d = 0; d < kDims; ++d) {
    if (!seen[d]) add(static_cast<Dim>(d), 1);
  }
  const bool letters = std::ranges::all_of(order, [](const std::string& name) { return name.size() == 1; });
  return "  factors: " + joined(factors, " ") +
         "\n  permutation: " + (letters ? joined(order, "") : "[" + joined(order, ", ") + "]") + "\n";
}

bool has_children(const Architecture& architecture, std::uint32_t level) {
  return (level == 0 ? architecture.compute.instances : architecture.storage[level - 1].instances) >
         architecture.storage[level].instances;
}

}  // namespace

MappingNames names_of(const std::vector<std::string>& levels) {
  return {levels, {"C", "M", "R", "S", "N", "P", "Q", ""}, {"Weights", "Inputs", "Outputs"}};
}

MappingNames names_of(const std::vector<std::string>& levels, const Layer& layer) {
  MappingNames names{levels, {}, layer.space_names};
  for (std::size_t d = 0; d < layer.dims.size(); ++d) {
    if (layer.loops[d]) names.dims[index_of(*layer.loops[d])] = layer.dims[d];
  }
  return names;
}

std::string nest_text(const Mapping& mapping, const MappingNames& names) {
  std::string text;
  for (auto s = static_cast<std::uint32_t>(names.levels.size()); s-- > 0;) {
    std::vector<std::string> kept, loops, spread;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      if (mapping.keep[s][space]) kept.push_back(names.tensors[space]);
    }
    const Block& temporal = mapping.temporal[s];
    for (std::uint32_t l = temporal.count; l-- > 0;) {
      loops.push_back("for " + names.dims[index_of(temporal.loop[l].dim)] + " in " + std::to_string(temporal.loop[l].bound));
    }
    const Block& spatial = mapping.spatial[s];
    for (std::uint32_t l = spatial.count; l-- > 0;) {
      spread.push_back(names.dims[index_of(spatial.loop[l].dim)] + " on " + std::to_string(spatial.loop[l].bound) +
                       (spatial.loop[l].axis == Axis::x ? " columns" : " rows"));
    }
    text += names.levels[s] + " [" + joined(kept, " ") + "]\n";
    if (!loops.empty()) text += "  " + joined(loops, ", ") + "\n";
    if (!spread.empty()) text += "  in parallel: " + joined(spread, ", ") + "\n";
  }
  return text;
}

std::string mapping_yaml(const Architecture& architecture, const Mapping& mapping, const MappingNames& names) {
  std::string text = "mapping:\n";
  for (std::uint32_t s = architecture.levels; s-- > 0;) {
    const std::string target = "- target: " + names.levels[s] + "\n";
    text += target + "  type: temporal\n" + loops_yaml(mapping.temporal[s], names);
    if (has_children(architecture, s)) {
      std::int64_t on_x = 0;
      for (std::uint32_t l = 0; l < mapping.spatial[s].count; ++l) {
        const Loop& loop = mapping.spatial[s].loop[l];
        on_x += loop.axis == Axis::x && loop.bound > 1 ? 1 : 0;
      }
      text += target + "  type: spatial\n" + loops_yaml(mapping.spatial[s], names) + "  split: " + std::to_string(on_x) + "\n";
    }
    std::vector<std::string> keep, bypass;
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      (mapping.keep[s][space] ? keep : bypass).push_back(names.tensors[space]);
    }
    text += target + "  type: bypass\n  keep: [" + joined(keep, ", ") + "]\n  bypass: [" + joined(bypass, ", ") + "]\n";
  }
  return text;
}

}  // namespace exarch::timeloop
