// The MAESTRO environments: mapping layers of neural networks onto an accelerator. See docs/models.md.
//
// Two of them share one cost model and differ in what a candidate's genes are: `maestro` has Exarch's own mappings and hardware,
// `maestro-archgym` ArchGym's 17 genes (MaestroGym).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/env/environment.hpp"
#include "kernels/launch/maestro_launch.hpp"

namespace exarch {

[[nodiscard]] const Environment& maestro_environment();
[[nodiscard]] const Environment& maestro_archgym_environment();

namespace maestro {

// One layer, or a network, layers that are equal counted together.
class NetworkWorkload final : public Workload {
 public:
  std::vector<LayerCount> layers;
  std::vector<std::string> names;    // (layer) the first of the equal ones: its name in the file, "" where it has none ...
  std::vector<std::size_t> numbers;  // ... and its number in the file
  Version version = Version::e1d8efd8;
  bool shipped = false;    // maestro-archgym: genes as the released environment decodes them
  std::int64_t macs = 0;   // of all layers
  std::int64_t total = 0;  // layers

  // How messages call one: "layer 'conv1'", or "layer 3" where it has no name.
  [[nodiscard]] std::string label(std::size_t layer) const;
  [[nodiscard]] NetworkView view() const { return {layers.data(), static_cast<std::uint32_t>(layers.size()), version}; }
};

// Candidates in the form kernels take. `design` has the values of the environment's parameters.
[[nodiscard]] CleanDesign clean_design_of(std::span<const std::int64_t> design);
[[nodiscard]] ArchgymDesign archgym_design_of(std::span<const std::int64_t> design);

// A network, or one layer of it, as `options`, which are complete, say.
[[nodiscard]] std::shared_ptr<NetworkWorkload> load_network(const WorkloadOptions& options);
// "e1d8efd8" or "head"; UsageError otherwise.
[[nodiscard]] Version version_of(const std::string& name);

// What `exarch bench` asks of the environments (bench.cpp).
[[nodiscard]] std::vector<Measurement> bench_measure(const BenchOptions& options);
[[nodiscard]] std::uint64_t bench_signature(const Environment& environment);

}  // namespace maestro
}  // namespace exarch
