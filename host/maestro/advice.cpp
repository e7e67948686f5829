#include "host/maestro/advice.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "host/maestro/file.hpp"
#include "host/maestro/rows.hpp"

namespace exarch::maestro {
namespace {

std::string text_of(std::int64_t number) {
  return std::to_string(number);
}

std::int32_t size_of(const Layer& layer, Dim dim) {
  return layer.size[index_of(dim)];
}

// The directives of one level, as the file has them.
using LevelOf = std::vector<Directive>;

std::vector<LevelOf> levels_of(const Mapping& mapping) {
  std::vector<LevelOf> levels(1);
  for (std::uint32_t d = 0; d < mapping.count; ++d) {
    if (mapping.directive[d].map == Map::cluster) {
      levels.emplace_back();
    } else {
      levels.back().push_back(mapping.directive[d]);
    }
  }
  return levels;
}

std::string name_of_level(std::size_t level, std::size_t levels) {
  if (levels == 1) return "the only level";
  const char* place = level == 0 ? " (before the first Cluster)" : level + 1 == levels ? " (behind the last Cluster)" : "";
  return "level " + std::to_string(level + 1) + " of " + std::to_string(levels) + place;
}

bool maps(const LevelOf& level, Dim dim) {
  return std::ranges::any_of(level, [dim](const Directive& directive) { return directive.dim == dim; });
}

std::string missing_filter(const std::vector<LevelOf>& levels) {
  for (std::size_t l = 0; l < levels.size(); ++l) {
    for (const auto& [output, input, filter] : {std::array{Dim::Xo, Dim::X, Dim::S}, std::array{Dim::Yo, Dim::Y, Dim::R}}) {
      if (!maps(levels[l], output) || maps(levels[l], input) || maps(levels[l], filter)) continue;
      const std::string name(name_of(filter));
      return name_of_level(l, levels.size()) + " maps " + std::string(name_of(output)) + " but not " + name +
             ", of which MAESTRO needs a tile there; add TemporalMap(Sz(" + name + "),Sz(" + name + ")) " + name +
             " to that level";
    }
  }
  return "a level maps X' without S, or Y' without R; add TemporalMap(Sz(S),Sz(S)) S and TemporalMap(Sz(R),Sz(R)) R to it";
}

std::string wrong_spatial_maps(const std::vector<LevelOf>& levels) {
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const auto spatial = std::ranges::count(levels[l], Map::spatial, &Directive::map);
    if (spatial == 1 || spatial == 2) continue;
    return name_of_level(l, levels.size()) + " has " + text_of(spatial) + " SpatialMap directives; MAESTRO takes one or two";
  }
  return "a level has no SpatialMap, or more than two";
}

std::string missing_dimension(const Problem& problem) {
  for (std::uint32_t d = 0; d < problem.mapping.count; ++d) {
    const Directive& directive = problem.mapping.directive[d];
    if (directive.map == Map::cluster) continue;
    const auto has = [&](Dim dim) { return size_of(problem.layer, dim) != 0; };
    const Dim dim = directive.dim;
    const bool other_form = (dim == Dim::X && has(Dim::Xo)) || (dim == Dim::Xo && has(Dim::X)) ||
                            (dim == Dim::Y && has(Dim::Yo)) || (dim == Dim::Yo && has(Dim::Y));
    if (has(dim) || other_form) continue;
    return "the mapping names " + std::string(name_of(dim)) +
           ", of which the layer declares no size; add it to the Dimensions, or remove the directive";
  }
  return "the layer lacks a dimension that its type needs; declare it";
}

std::string too_few_pes(const Problem& problem) {
  std::int64_t units = 1;
  for (std::uint32_t d = 0; d < problem.mapping.count; ++d) {
    if (problem.mapping.directive[d].map == Map::cluster) units *= problem.mapping.directive[d].size;
    if (units > std::int64_t{1} << 32) break;
  }
  if (units <= problem.hardware.num_pes) return "a level is left without sub-clusters; make its Cluster smaller";
  return "its clusters need " + text_of(units) + " PEs, and there are " + text_of(problem.hardware.num_pes) +
         "; make the clusters smaller, or give more PEs";
}

// ---- strides ----

struct Axis {
  Dim input, output, filter;
};
constexpr std::array kAxes{Axis{Dim::Y, Dim::Yo, Dim::R}, Axis{Dim::X, Dim::Xo, Dim::S}};

std::int64_t stride_of(const Layer& layer, const Axis& axis) {
  return layer.stride[index_of(axis.input)];
}

// The size of the axis that MAESTRO walks over.
std::int64_t walked(const Layer& layer, const Axis& axis) {
  const std::int64_t output = size_of(layer, axis.output);
  return output > 0 ? output + size_of(layer, axis.filter) - 1 : size_of(layer, axis.input);
}

// What is left of the axis behind the last whole step.
std::int64_t rest_of(const Layer& layer, const Axis& axis) {
  return (walked(layer, axis) - size_of(layer, axis.filter)) % stride_of(layer, axis);
}

std::int64_t outputs_of(const Layer& layer, const Axis& axis) {
  const std::int64_t output = size_of(layer, axis.output);
  return output > 0 ? output : (size_of(layer, axis.input) - size_of(layer, axis.filter)) / stride_of(layer, axis) + 1;
}

// The outputs that MAESTRO counts of an axis, walked over in tiles of one: the whole tiles, and what is left as one more. See
// tile_sizes() and adjust_to_stride() in kernels/maestro/plan.hpp.
std::int64_t counted(const Layer& layer, const Axis& axis, Version version) {
  const std::int64_t size = walked(layer, axis), filter = size_of(layer, axis.filter), stride = stride_of(layer, axis);
  const std::int64_t whole = (size - filter) / stride + 1;
  if (rest_of(layer, axis) == 0) return whole;
  const std::int64_t left = size - whole * stride;
  const std::int64_t edge = (left < 0 ? size : left) - filter + 1;
  return whole + (version == Version::head ? std::max<std::int64_t>(edge, 0) : edge);
}

bool is_served(const Layer& layer, const CleanDesign& design, Version version) {
  const LayerCount count{layer, 1, macs_of(layer)};
  Totals totals{};
  return cpu_functions().clean(design, {&count, 1, version}, totals) == Status::ok && totals.impossible == 0;
}

// Whether any mapping counts the layer right. What decides is how the outermost level walks over the axes: their tiles are one
// output (decoding::extent()), so what is left to choose is the loop order, the spread dimension and, where that is an axis, the
// number of sub-clusters.
bool any_mapping_serves(const Layer& layer, Version version) {
  constexpr std::int64_t kMostClusters = 256;  // a network may have many such layers
  for (const std::int32_t channels : {1 << 16, 1}) {
    for (std::int32_t spread = 0; spread < static_cast<std::int32_t>(kTileds); ++spread) {
      const bool axis = spread == kTiledY || spread == kTiledX;
      const std::int64_t most = axis ? std::min(kMostClusters, outputs_of(layer, kAxes[spread == kTiledY ? 0 : 1]) + 1) : 1;
      for (std::int32_t order = 0; order < static_cast<std::int32_t>(kOrders); ++order) {
        for (std::int64_t clusters = 1; clusters <= most; ++clusters) {
          const CleanDesign design{{{channels, channels, 1, 1}, {1, 1, 1, 1}},
                                   {spread, kTiledC},
                                   {order, 0},
                                   1,
                                   {static_cast<std::int32_t>(clusters), 1, 64, 1, 64}};
          if (is_served(layer, design, version)) return true;
        }
      }
    }
  }
  return false;
}

std::string sizes_that_work(const Layer& layer) {
  std::string text;
  std::string last;
  for (const Axis& axis : kAxes) {
    const std::int64_t rest = rest_of(layer, axis);
    if (rest == 0) continue;
    const std::int64_t size = size_of(layer, axis.input);
    const std::string sizes = text_of(size - rest) + " or " + text_of(size - rest + stride_of(layer, axis));
    const std::string name(name_of(axis.input));
    text = sizes == last ? "Y and X = " + sizes : text + (text.empty() ? "" : ", and ") + name + " = " + sizes;
    last = sizes;
  }
  return text + (text.find(" and ") == std::string::npos ? " works" : " work");
}

}  // namespace

std::string why_not(const Problem& problem, Status status) {
  const std::vector<LevelOf> levels = levels_of(problem.mapping);
  switch (status) {
    case Status::ok:
      return "";
    case Status::non_positive_size:
      return "a size, an offset or a stride is below 1, or becomes so under the stride";
    case Status::filter_tile:
      return "MAESTRO at head takes temporal tiles of R and S only as large as the filter; write TemporalMap(Sz(R),Sz(R)) R";
    case Status::axis_forms:
      return "both forms of an axis are used, X and X' or Y and Y'; keep one";
    case Status::missing_dimension:
      return missing_dimension(problem);
    case Status::spatial_maps:
      return wrong_spatial_maps(levels);
    case Status::too_many_clusters:
      return "it has " + text_of(static_cast<std::int64_t>(levels.size()) - 1) +
             " Cluster directives; MAESTRO takes three at most";
    case Status::stationary_tile:
      return "a tile that moves brings nothing new of its dimension, where MAESTRO ends without a word; a tile must not be "
             "larger "
             "than its dimension, nor a stride larger than the filter leave a rest of the axis";
    case Status::clusters_exceed_pes:
      return too_few_pes(problem);
    case Status::zero_compute_delay:
      return "an iteration computes nothing, which MAESTRO divides by";
    case Status::occurrence_overflow:
      return "an iteration occurs 2^31 times or more, or not even once; choose larger tiles";
    case Status::non_positive_hardware:
      return "PEs, lanes and bandwidths are at least 1, hops and latencies at least 0";
    case Status::missing_filter_directive:
      return missing_filter(levels);
    case Status::empty_mapping:
      return "the mapping has no directive";
    case Status::too_many_directives:
      return "it has more than " + text_of(kMaxDirectives) + " directives, or " + text_of(kMaxLevelDirectives) + " in a level";
    case Status::case_limit:
      return "it has more iteration cases than are gone through; choose larger tiles";
  }
  return "";
}

std::string stride_warning(const Layer& layer, const std::string& label, Version version) {
  if (layer.type != LayerType::conv && layer.type != LayerType::trconv && layer.type != LayerType::dsconv) return "";
  const auto by_output = [&](const Axis& axis) { return stride_of(layer, axis) > 1 && size_of(layer, axis.output) > 0; };
  const auto even = [&](const Axis& axis) { return rest_of(layer, axis) == 0 && !by_output(axis); };
  if (std::ranges::all_of(kAxes, even)) return "";
  if (any_mapping_serves(layer, version)) return "";
  const auto both = [&](const auto& of) { return text_of(of(kAxes[0])) + "x" + text_of(of(kAxes[1])); };
  const std::string said = both([&](const Axis& axis) { return counted(layer, axis, version); });
  const std::string real = both([&](const Axis& axis) { return outputs_of(layer, axis); });
  std::string text = label + ": ";
  text += said == real ? "MAESTRO evaluates it under no mapping"
                       : "MAESTRO counts " + said + " of " + real + " outputs, whatever the tiles";
  text += ", as the strides leave a rest of the input; no mapping that was tried is feasible; ";
  const bool by_outputs = std::ranges::any_of(kAxes, by_output);
  return text + (by_outputs ? "declare Y and X of the input in place of Y' and X'" : sizes_that_work(layer));
}

std::vector<std::string> objections(const Problem& problem, const Counters& counters, const std::optional<Limits>& limits) {
  std::vector<std::string> found;
  const std::int64_t macs = macs_of(problem.layer);
  if (counters.num_macs != macs) {
    found.push_back("impossible: MAESTRO counts " + text_of(counters.num_macs) + " multiply-accumulates, the layer has " +
                    text_of(macs));
  } else if (is_impossible(counters, problem.hardware, macs)) {
    const bool wrapped = counters.sizes_wrapped != 0 || counters.l1_size < 0 || counters.l2_size < 0;
    found.push_back(wrapped ? "impossible: its buffers do not fit into the tool's 32 bits"
                            : "impossible: " + text_of(macs) + " multiply-accumulates in " + text_of(counters.runtime) +
                                  " cycles are more than " + text_of(problem.hardware.num_pes) + " PEs can do");
  }
  const auto check = [&found](const char* buffer, std::int64_t needed, std::int64_t limit) {
    if (needed <= limit) return;
    const std::string per_pe = std::string(buffer) == "L1" ? " per PE" : "";
    found.push_back("needs " + text_of(needed) + " elements of " + buffer + per_pe + ", " + text_of(needed - limit) +
                    " more than " + buffer + "_size = " + text_of(limit));
  };
  if (limits) {
    check("L1", counters.l1_size, limits->l1);
    check("L2", counters.l2_size, limits->l2);
  }
  return found;
}

}  // namespace exarch::maestro
