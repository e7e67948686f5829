// The MAESTRO environments' part of `exarch bench`: the signature, and what evaluations cost.
#include <string>

#include "host/env/hash.hpp"
#include "host/env/timing.hpp"
#include "host/maestro/environment.hpp"

namespace exarch::maestro {
namespace {

std::shared_ptr<const NetworkWorkload> load(const Environment& environment, const WorkloadOptions& options) {
  return std::static_pointer_cast<const NetworkWorkload>(environment.load_workload(options));
}

Mapping mapping_of(std::initializer_list<Directive> directives) {
  Mapping mapping{};
  for (const Directive& directive : directives) mapping.directive[mapping.count++] = directive;
  return mapping;
}

// The three dataflows of the paper on MAESTRO (MICRO 2019) with their usual names: what is spread over sub-clusters and PEs.
std::vector<Mapping> dataflows_on(const Layer& layer) {
  const std::int32_t r = layer.size[index_of(Dim::R)], s = layer.size[index_of(Dim::S)];
  const auto temporal = [](Dim dim, std::int32_t size, std::int32_t offset) {
    return Directive{Map::temporal, dim, size, offset};
  };
  const auto spatial = [](Dim dim, std::int32_t size, std::int32_t offset) { return Directive{Map::spatial, dim, size, offset}; };
  const auto cluster = [](std::int32_t size) { return Directive{Map::cluster, Dim::C, size, size}; };
  const Directive filter_r = temporal(Dim::R, r, r), filter_s = temporal(Dim::S, s, s);
  return {// KC-P, weight stationary
          mapping_of({spatial(Dim::K, 1, 1), temporal(Dim::C, 64, 64), filter_r, filter_s, temporal(Dim::Y, r, 1),
                      temporal(Dim::X, s, 1), cluster(64), spatial(Dim::C, 1, 1), temporal(Dim::Y, r, 1), temporal(Dim::X, s, 1),
                      filter_r, filter_s}),
          // YX-P, output stationary
          mapping_of({temporal(Dim::K, 1, 1), temporal(Dim::C, 1, 1), spatial(Dim::Y, r, 1), temporal(Dim::X, 7 + s, 8), filter_r,
                      filter_s, cluster(8), spatial(Dim::X, s, 1), filter_r, filter_s}),
          // YR-P, row stationary
          mapping_of({temporal(Dim::C, 2, 2), temporal(Dim::K, 2, 2), spatial(Dim::Y, r, 1), temporal(Dim::X, s, 1), filter_r,
                      filter_s, cluster(r), spatial(Dim::Y, 1, 1), spatial(Dim::R, 1, 1), filter_s})};
}

std::vector<Problem> dataflow_problems() {
  std::vector<Problem> problems;
  for (const char* model : {"resnet50", "mobilenet_v2", "vgg16"}) {
    const auto network = load(maestro_environment(), {{"model", model}});
    for (const LayerCount& count : network->layers) {
      if (count.layer.type == LayerType::dsconv) continue;  // has no K to spread
      for (const Mapping& mapping : dataflows_on(count.layer)) problems.push_back({count.layer, mapping, {256, 1, 64, 1, 64}});
    }
  }
  return problems;
}

// CPU seconds of `body`, the median of several rounds.
template <class Body>
double median_seconds(std::size_t rounds, const Body& body) {
  std::vector<double> seconds;
  for (std::size_t round = 0; round < rounds; ++round) {
    const double start = cpu_seconds();
    body();
    seconds.push_back(cpu_seconds() - start);
  }
  return median(seconds);
}

// CPU seconds of MAESTRO at e1d8efd8, built as its own files say, a process per evaluation: docs/performance.md.
constexpr double kReferenceGenome = 0.0188;

}  // namespace

std::vector<Measurement> bench_measure(const BenchOptions& options) {
  std::vector<Measurement> figures;
  const auto add = [&](const std::string& name, std::size_t evaluations, double seconds, double reference) {
    const double rate = static_cast<double>(evaluations) / seconds;
    figures.push_back({name + "/evaluations_per_cpu_s", rate});
    if (reference > 0) figures.push_back({name + "/ratio_to_reference_process", rate * reference});
  };
  Totals totals;
  Counters counters;
  {
    const Environment& environment = maestro_archgym_environment();
    const auto layer = load(environment, {});
    const std::size_t count = options.designs * 20, columns = environment.parameters().size();
    const auto designs = random_designs(environment.spaces().front(), count, options.seed);
    add("archgym_genomes", count,
        median_seconds(options.rounds,
                       [&] {
                         for (std::size_t i = 0; i < count; ++i) {
                           const auto design = std::span<const std::int64_t>(designs).subspan(i * columns, columns);
                           (void)cpu_functions().archgym(archgym_design_of(design), layer->view(), totals);
                         }
                       }),
        kReferenceGenome);
  }
  {
    const Environment& environment = maestro_environment();
    const auto network = load(environment, {{"model", "resnet50"}});
    const std::size_t columns = environment.parameters().size();
    const auto designs = random_designs(environment.spaces().front(), options.designs, options.seed);
    std::size_t layers = 0;
    const double seconds = median_seconds(options.rounds, [&] {
      layers = 0;
      for (std::size_t i = 0; i < options.designs; ++i) {
        const auto design = std::span<const std::int64_t>(designs).subspan(i * columns, columns);
        const bool good = cpu_functions().clean(clean_design_of(design), network->view(), totals) == Status::ok;
        if (good) layers += network->layers.size();
      }
    });
    add("resnet50_layers", layers, seconds, 0);
  }
  {
    const std::vector<Problem> problems = dataflow_problems();
    const std::size_t repeats = 1 + options.designs * 10 / problems.size();
    add("dataflows", problems.size() * repeats,
        median_seconds(options.rounds,
                       [&] {
                         for (std::size_t r = 0; r < repeats; ++r) {
                           for (const Problem& problem : problems)
                             (void)cpu_functions().problem(problem, Version::e1d8efd8, counters);
                         }
                       }),
        0);  // the tool's time was taken for recorded rows, which bench/exarch_maestro_bench evaluates
  }
  return figures;
}

std::uint64_t bench_signature(const Environment& environment) {
  Fnv1a hash;
  Backend backend("cpu", 1);
  for (const DesignSpace& space : environment.spaces()) {
    const auto designs = random_designs(space, 64, 4);
    for (const char* model : {"resnet18", "mobilenet_v2"}) {
      for (const char* version : {"e1d8efd8", "head"}) {
        Outcomes outcomes;
        const auto workload = environment.load_workload({{"model", model}, {"layer", "all"}, {"model-version", version}});
        environment.simulate(*workload, designs, Engine::fast, backend, outcomes);
        for (const std::uint8_t status : outcomes.status) hash.add(status);
        for (const std::uint64_t counter : outcomes.counters) hash.add(counter);
      }
    }
  }
  return hash.value();
}

}  // namespace exarch::maestro
