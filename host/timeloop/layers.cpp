#include "host/timeloop/layers.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "host/error.hpp"
#include "host/files/json.hpp"
#include "host/files/text.hpp"

namespace exarch::timeloop {
using exarch::shown;  // of JSON, beside that of YAML
namespace {

using LayerJson = nlohmann::ordered_json;

struct LayerKey {
  std::string_view name;
  bool required;
};
// Dimensions in the order of Dim, then coefficients, then how often the layer is there.
constexpr std::array<LayerKey, 13> kLayerKeys{{{"C", true},
                                               {"M", true},
                                               {"R", true},
                                               {"S", true},
                                               {"N", false},
                                               {"P", true},
                                               {"Q", true},
                                               {"G", false},
                                               {"Wstride", false},
                                               {"Hstride", false},
                                               {"Wdilation", false},
                                               {"Hdilation", false},
                                               {"count", false}}};

NamedProblem layer_of(const LayerJson& json, std::size_t place) {
  std::string where = "layers[" + std::to_string(place) + "]";
  if (!json.is_object()) throw Error(where + ": expected an object, found " + shown(json));
  NamedProblem layer{};
  layer.name = "layer" + std::to_string(place + 1);
  for (const auto& [key, value] : json.items()) {
    if (key == "name") {
      if (!value.is_string()) throw Error(where + ".name: expected a text, found " + shown(value));
      layer.name = value.get<std::string>();
      where += " '" + printable(layer.name) + "'";
    } else if (std::ranges::find(kLayerKeys, key, &LayerKey::name) == kLayerKeys.end()) {
      throw Error(where + ": unknown key " + in_quotes(key) +
                  "; a layer has name, C, M, R, S, N, P, Q, G, Wstride, Hstride, Wdilation, Hdilation and count");
    }
  }
  std::array<std::int64_t, kLayerKeys.size()> numbers{};
  for (std::size_t k = 0; k < kLayerKeys.size(); ++k) {
    const std::string key(kLayerKeys[k].name);
    if (!kLayerKeys[k].required && !json.contains(key)) {
      numbers[k] = 1;
      continue;
    }
    const LayerJson& value = member(json, key, where);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() < 1 ||
        value.get<std::uint64_t>() > static_cast<std::uint64_t>(kLargestNumber)) {
      throw Error(where + "." + key + ": expected a whole number from 1 to " + std::to_string(kLargestNumber) + ", found " +
                  shown(value));
    }
    numbers[k] = value.get<std::int64_t>();
  }
  std::copy_n(numbers.begin(), kDims, layer.problem.bound);
  layer.problem.wstride = numbers[kDims];
  layer.problem.hstride = numbers[kDims + 1];
  layer.problem.wdilation = numbers[kDims + 2];
  layer.problem.hdilation = numbers[kDims + 3];
  layer.count = numbers[kDims + 4];
  return layer;
}

}  // namespace

std::vector<NamedProblem> layers_of(const nlohmann::ordered_json& json) {
  const LayerJson& list = member(json, "layers", "a network");
  if (!list.is_array() || list.empty() || list.size() > kMostLayers) {
    throw Error("layers: expected a list of 1 to " + std::to_string(kMostLayers) + " layers");
  }
  std::vector<NamedProblem> layers;
  for (std::size_t i = 0; i < list.size(); ++i) layers.push_back(layer_of(list[i], i));
  return layers;
}

}  // namespace exarch::timeloop
