// Networks as workloads: which layers, and what mappings can make of them.
#include <algorithm>
#include <charconv>
#include <tuple>

#include "host/error.hpp"
#include "host/files/data_dir.hpp"
#include "host/maestro/advice.hpp"
#include "host/maestro/environment.hpp"
#include "host/maestro/file.hpp"
#include "host/maestro/layers.hpp"

namespace exarch::maestro {
namespace {

std::string describe(const Layer& layer) {
  std::string text(name_of(layer.type));
  for (std::uint32_t d = 0; d < kDims; ++d) {
    if (layer.size[d] == 0) continue;
    text += " " + std::string(name_of(static_cast<Dim>(d))) + std::to_string(layer.size[d]);
    if (layer.stride[d] != 1) text += "/" + std::to_string(layer.stride[d]);
  }
  return text;
}

// "all", a number from 0 or a layer's name; the numbers of the layers meant.
std::vector<std::size_t> chosen_layers(const std::vector<LayerEntry>& layers, const std::string& choice,
                                       const std::string& model) {
  std::vector<std::size_t> all(layers.size());
  for (std::size_t l = 0; l < layers.size(); ++l) all[l] = l;
  if (choice == "all") return all;
  std::vector<std::string> names;
  for (const LayerEntry& layer : layers) {
    if (!layer.name.empty()) names.push_back(layer.name);
  }
  // What a choice could mean: every layer of that name, and the one of that number.
  std::vector<std::size_t> meant;
  std::size_t number = layers.size();
  const char* end = choice.data() + choice.size();
  const auto [stop, error] = std::from_chars(choice.data(), end, number);
  const bool numbered = error == std::errc{} && stop == end && std::to_string(number) == choice;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    if (layers[l].name == choice || (numbered && l == number)) meant.push_back(l);
  }
  if (meant.size() == 1) return meant;
  if (meant.size() > 1) {
    throw UsageError("layer = '" + choice + "' could be layer " + std::to_string(meant[0]) + " or " + std::to_string(meant[1]) +
                     " of " + model + ", by name or number; give the layers names of their own");
  }
  throw UsageError("layer = '" + choice + "': " + model + " has the layers 0 to " + std::to_string(layers.size() - 1) +
                   (names.empty() ? "" : ", which may be named" + did_you_mean(choice, names)) + ", and \"all\"");
}

// Matrix products as ArchGym writes them; what two levels of K, C, Y, X tiles cannot express is an error.
Layer as_convolution(const LayerEntry& entry, std::size_t number, const std::string& model) {
  Layer layer = entry.layer;
  const auto size = [&layer](Dim dim) { return layer.size[index_of(dim)]; };
  const std::string where = model + ", layer " + (entry.name.empty() ? std::to_string(number) : entry.name) + ": ";
  if (layer.type == LayerType::gemm) {
    Layer product{};
    product.type = LayerType::conv;
    for (std::int32_t& stride : product.stride) stride = 1;
    const std::pair<Dim, std::int32_t> sizes[] = {
        {Dim::K, size(Dim::N)}, {Dim::C, size(Dim::K)}, {Dim::Y, size(Dim::M)}, {Dim::X, 1}, {Dim::R, 1}, {Dim::S, 1}};
    for (const auto& [dim, extent] : sizes) product.size[index_of(dim)] = extent;
    layer = product;
  }
  if (layer.type == LayerType::ngconv) {
    throw Error(where +
                "grouped convolutions have no two-level form here; evaluate mappings of them with `exarch eval maestro --in`");
  }
  std::vector<Dim> needed{Dim::C, Dim::R, Dim::S};
  if (layer.type != LayerType::dsconv) needed.push_back(Dim::K);
  for (const Dim dim : needed) {
    if (size(dim) == 0) throw Error(where + "the dimension " + std::string(name_of(dim)) + " is missing");
  }
  for (const auto& [input, output, filter] : {std::tuple{Dim::Y, Dim::Yo, Dim::R}, std::tuple{Dim::X, Dim::Xo, Dim::S}}) {
    if ((size(input) == 0) == (size(output) == 0)) {
      throw Error(where + "needs either " + std::string(name_of(input)) + " or " + std::string(name_of(output)));
    }
    if (size(input) != 0 && size(filter) > size(input)) throw Error(where + "the filter is larger than the input");
  }
  return layer;
}

}  // namespace

std::shared_ptr<NetworkWorkload> load_network(const WorkloadOptions& options) {
  const std::string& model = options.at("model");
  const auto layers = read_layers(find_data_file("maestro/models", model, {".csv"}));
  auto workload = std::make_shared<NetworkWorkload>();
  workload->name = model + (options.at("layer") == "all" ? "" : ":" + options.at("layer"));
  workload->version = version_of(options.at("model-version"));
  workload->identity = "maestro " + options.at("model-version");
  for (const std::size_t l : chosen_layers(layers, options.at("layer"), model)) {
    const Layer layer = as_convolution(layers[l], l, model);
    const std::int64_t macs = macs_of(layer);
    workload->identity += "; " + describe(layer);
    if (macs < 0 || __builtin_add_overflow(workload->macs, macs, &workload->macs)) {
      throw Error(model + ", layer " + std::to_string(l) + ": more multiply-accumulates than 64 bits hold");
    }
    ++workload->total;
    const auto equal = std::ranges::find(workload->layers, layer, &LayerCount::layer);
    if (equal != workload->layers.end()) {
      ++equal->repeats;
    } else {
      workload->layers.push_back({layer, 1, macs});
      workload->names.push_back(layers[l].name);
      workload->numbers.push_back(l);
    }
  }
  workload->work = static_cast<std::uint64_t>(workload->total);
  workload->work_unit = "layers";
  return workload;
}

std::string NetworkWorkload::label(std::size_t layer) const {
  return names[layer].empty() ? "layer " + std::to_string(numbers[layer]) : "layer '" + names[layer] + "'";
}

Version version_of(const std::string& name) {
  if (name == "e1d8efd8") return Version::e1d8efd8;
  if (name == "head") return Version::head;
  throw UsageError("model-version = '" + name + "': expected e1d8efd8 or head");
}

}  // namespace exarch::maestro
