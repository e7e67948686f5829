// MAESTRO's files, layer tables and recorded problems.
#include <cstring>

#include "host/env/environment.hpp"
#include "host/error.hpp"
#include "host/maestro/file.hpp"
#include "host/maestro/layers.hpp"
#include "host/maestro/reference.hpp"
#include "kernels/launch/maestro_launch.hpp"
#include "tests/fuzz/target.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::fuzz {
namespace {

using namespace maestro;

bool same(const Directive& a, const Directive& b) {
  if (a.map != b.map || a.size != b.size) return false;
  return a.map == Map::cluster || (a.dim == b.dim && a.offset == b.offset);
}

bool same(const Mapping& a, const Mapping& b) {
  for (std::uint32_t i = 0; i < a.count && i < b.count; ++i) {
    if (!same(a.directive[i], b.directive[i])) return false;
  }
  return a.count == b.count;
}

bool same(const NetworkFile& a, const NetworkFile& b) {
  if (a.name != b.name || a.layers.size() != b.layers.size()) return false;
  for (std::size_t l = 0; l < a.layers.size(); ++l) {
    const NamedLayer &x = a.layers[l], &y = b.layers[l];
    if (x.name != y.name || x.layer != y.layer || x.mapping.has_value() != y.mapping.has_value()) return false;
    if (x.mapping && !same(*x.mapping, *y.mapping)) return false;
  }
  return true;
}

// The kernel ends, and counts what the reference counts.
void check_costs(const Layer& layer, const Mapping& mapping) {
  const Hardware hardware{64, 2, 32, 3, 16};
  for (const Version version : {Version::e1d8efd8, Version::head}) {
    Counters fast{}, reference{};
    const Status status = cpu_functions().problem({layer, mapping, hardware}, version, fast);
    if (status == Status::case_limit) continue;  // the reference would take minutes
    require(evaluate_reference(layer, mapping, hardware, version, reference) == status, "kernel and reference end alike");
    if (status != Status::ok) continue;
    require(fast.runtime == reference.runtime && fast.num_macs == reference.num_macs && fast.l1_output == reference.l1_output &&
                std::memcmp(fast.l2_read, reference.l2_read, sizeof fast.l2_read) == 0 &&
                std::memcmp(fast.l2_write, reference.l2_write, sizeof fast.l2_write) == 0 && fast.l2_size == reference.l2_size &&
                fast.l1_size == reference.l1_size && fast.occurrences == reference.occurrences,
            "kernel and reference count alike");
  }
}

void network(std::string_view input) {
  const std::string path = write_scratch("network.m", input).string();
  const NetworkFile file = read_network_file(path);
  require(!file.layers.empty(), "a network has a layer");
  for (const NamedLayer& layer : file.layers) {
    if (layer.mapping) check_costs(layer.layer, *layer.mapping);
  }
  const Environment& environment = find_environment("maestro");
  try {
    const std::string text = write_network(file);
    require(same(parse_network(text, "again.m"), file), "a network that is written reads as the same");
  } catch (const Error&) {
    // A name that no text can hold; the layers are looked at all the same.
  }
  (void)read_layers(path);
  (void)environment.answer_file(path, default_design(environment.parameters()), {});
}

void layers(std::string_view input) {
  const std::string path = write_scratch("layers.csv", input).string();
  require(!read_layers(path).empty(), "a table has a layer");
  static Backend backend("cpu", 1);
  for (const char* name : {"maestro", "maestro-archgym"}) {
    const Environment& environment = find_environment(name);
    const auto workload = environment.load_workload({{primary_option(environment).name, path}});
    const Design design = default_design(environment.parameters());
    Outcomes outcomes;
    environment.simulate(*workload, design, Engine::fast, backend, outcomes);
    std::vector<double> metrics(environment.metrics().size());
    if (outcomes.status[0] == 0) environment.price(*workload, design, outcomes.counters, metrics);
  }
}

void problems(std::string_view input) {
  const std::string path = write_scratch("problems.jsonl", input).string();
  (void)run_verb(cli::kEvalVerb, {"maestro", "--in", path, "--out", scratch("answers.jsonl").string(), "--threads", "1"});
}

}  // namespace

std::vector<Target> maestro_targets() {
  return {{"network", network}, {"layers", layers}, {"problems", problems}};
}

}  // namespace exarch::fuzz
