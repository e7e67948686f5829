// The Timeloop environment's part of `exarch bench`: the signature, and how many architectures are searched in a second.
#include "host/env/hash.hpp"
#include "host/env/timing.hpp"
#include "host/timeloop/environment.hpp"

namespace exarch::timeloop {
namespace {

// One evaluation of TimeloopGym on AlexNet: 9.9 CPU seconds of timeloop-mapper, tables given. See docs/performance.md.
constexpr double kReferenceDesign = 9.9;

double seconds_for(const Workload& workload, std::span<const std::int64_t> designs) {
  Backend backend("cpu", 1);
  Outcomes outcomes;
  const double start = cpu_seconds();
  timeloop_environment().simulate(workload, designs, Engine::fast, backend, outcomes);
  return cpu_seconds() - start;
}

}  // namespace

std::vector<Measurement> bench_measure(const BenchOptions& options) {
  const Environment& environment = timeloop_environment();
  const auto designs = random_designs(environment.spaces().front(), options.designs, options.seed);
  std::vector<Measurement> figures;
  for (const char* objective : {"cycles", "energy", "edp"}) {
    const std::string name = std::string("alexnet_architectures/") + objective;
    const auto workload = environment.load_workload({{"network", "alexnet"}, {"map-objective", objective}});
    figures.push_back({name + "/first_pass_cpu_s", seconds_for(*workload, designs)});  // mappings are counted in it
    std::vector<double> seconds;
    for (std::size_t round = 0; round < options.rounds; ++round) seconds.push_back(seconds_for(*workload, designs));
    const double rate = static_cast<double>(options.designs) / median(seconds);
    figures.push_back({name + "/per_cpu_s", rate});
    figures.push_back({name + "/ratio_to_reference", rate * kReferenceDesign});
  }
  return figures;
}

std::uint64_t bench_signature() {
  Fnv1a hash;
  const Environment& environment = timeloop_environment();
  Backend backend("cpu", 1);
  for (const DesignSpace& space : environment.spaces()) {
    const auto designs = random_designs(space, 64, 4);
    for (const char* network : {"alexnet", "keyword_spotting"}) {
      for (const auto& [objective, rule] : {std::pair{"cycles", "2022"}, {"energy", "current"}, {"edp", "2022"}}) {
        const auto workload =
            environment.load_workload({{"network", network}, {"map-objective", objective}, {"fill-rule", rule}});
        Outcomes outcomes;
        environment.simulate(*workload, designs, Engine::fast, backend, outcomes);
        for (const std::uint8_t status : outcomes.status) hash.add(status);
        for (const std::uint64_t counter : outcomes.counters) hash.add(counter);
      }
    }
  }
  return hash.value();
}

}  // namespace exarch::timeloop
