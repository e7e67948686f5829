// The Timeloop environment's part of `exarch bench`: the signature, and how many architectures are searched in a second.
#include <stdexcept>

#include "host/env/hash.hpp"
#include "host/env/timing.hpp"
#include "host/timeloop/archgym.hpp"
#include "host/timeloop/drawing.hpp"
#include "host/timeloop/environment.hpp"
#include "host/timeloop/search.hpp"
#include "kernels/launch/timeloop_launch.hpp"

namespace exarch::timeloop {
namespace {

// One evaluation of TimeloopGym on AlexNet: 9.9 CPU seconds of timeloop-mapper, tables given. See docs/performance.md.
constexpr double kReferenceDesign = 9.9;

struct Pass {
  double seconds;
  Outcomes outcomes;
};

Pass pass_over(const Workload& workload, std::span<const std::int64_t> designs) {
  Backend backend("cpu", 1);
  Pass pass;
  const double start = cpu_seconds();
  timeloop_environment().simulate(workload, designs, Engine::fast, backend, pass.outcomes);
  pass.seconds = cpu_seconds() - start;
  return pass;
}

MappingTask task_of(const Problem& problem, const Constraints& constraints, const Goals& goals) {
  const Accelerator accelerator = accelerator_of(default_design(archgym_parameters()), EnergyTable::shipped());
  MappingTask task;
  task.problem = problem;
  task.architecture = accelerator.architecture;
  task.constraints = constraints;
  task.goals = goals;
  task.beam = 256;
  return task;
}

// CPU seconds of `body`, the median of several rounds.
template <class Body>
double median_of(std::size_t rounds, const Body& body) {
  std::vector<double> seconds;
  for (std::size_t round = 0; round < rounds; ++round) {
    const double start = cpu_seconds();
    body();
    seconds.push_back(cpu_seconds() - start);
  }
  return median(seconds);
}

// Random mappings of AlexNet's third layer on ArchGym's architecture: how many are drawn, of which most do not fit; and how many
// that fit are priced, by their sums alone and with everything that is counted.
void measure_mappings(const BenchOptions& options, std::vector<Measurement>& figures) {
  constexpr std::uint64_t kDraws = 4'000'000;
  constexpr std::size_t kMappings = 2000;  // that lie in the processor's caches, as those of a search do
  Constraints free;
  free.keep = row_stationary().keep;
  for (const auto& [name, constraints] : {std::pair{"row_stationary", row_stationary()}, {"free", free}}) {
    const MappingTask task = task_of({{256, 384, 3, 3, 1, 13, 13, 1}, 1, 1, 1, 1}, constraints, {Goal::edp});
    const MapSpace space(task.problem, task.architecture, constraints);
    const Drawing drawing(space, task.rule, task.goals);
    const std::string prefix = std::string("mappings/") + name;
    Drawn best;
    const double drawing_s =
        median_of(options.rounds, [&] { cpu_functions().draw(drawing.view(), options.seed, 0, kDraws, best); });
    figures.push_back({prefix + "/candidates_per_cpu_s", static_cast<double>(kDraws) / drawing_s});
    figures.push_back({prefix + "/valid_share", static_cast<double>(best.valid) / static_cast<double>(kDraws)});
    std::vector<Input> inputs;
    for (std::uint64_t number = 0; inputs.size() < kMappings; ++number) {
      if (const auto mapping = drawing.mapping(options.seed, number)) {
        inputs.push_back({task.problem, task.architecture, *mapping});
      }
    }
    Totals totals;
    Counters counters;
    Price price;
    Fault fault;
    const auto rate = [&](double seconds) { return static_cast<double>(10 * kMappings) / seconds; };
    std::vector<double> sums, whole;
    for (std::size_t round = 0; round < options.rounds; ++round) {  // in turns
      sums.push_back(median_of(1, [&] {
        for (std::size_t i = 0; i < 10 * kMappings; ++i) {
          (void)cpu_functions().total(drawing.view().frame, inputs[i % kMappings].mapping, totals, fault);
        }
      }));
      whole.push_back(median_of(1, [&] {
        for (std::size_t i = 0; i < 10 * kMappings; ++i) {
          (void)cpu_functions().evaluate(inputs[i % kMappings], task.rule, counters, price, fault);
        }
      }));
    }
    figures.push_back({prefix + "/valid_priced_per_cpu_s", rate(median(sums))});
    figures.push_back({prefix + "/valid_priced_ratio_to_all_counts", median(whole) / median(sums)});
  }
}

double seconds_of(const std::vector<MappingTask>& tasks, std::size_t rounds) {
  return median_of(rounds, [&] {
    for (const MappingTask& task : tasks) {
      if (!search(task).proved) throw std::logic_error("a search without a proof");
    }
  });
}

// The proved search of mappings on ArchGym's architecture: AlexNet in its space, a matrix product and a layer in free spaces.
void measure_search(const BenchOptions& options, std::vector<Measurement>& figures) {
  const Problem layers[] = {{{3, 96, 11, 11, 1, 55, 55, 1}, 4, 4, 1, 1},
                            {{96, 256, 5, 5, 1, 27, 27, 1}, 1, 1, 1, 1},
                            {{256, 384, 3, 3, 1, 13, 13, 1}, 1, 1, 1, 1},
                            {{384, 384, 3, 3, 1, 13, 13, 1}, 1, 1, 1, 1},
                            {{384, 256, 3, 3, 1, 13, 13, 1}, 1, 1, 1, 1}};
  const Problem product{{1024, 512, 1, 1, 1, 1024, 1, 1}, 1, 1, 1, 1};
  std::vector<MappingTask> alexnet;
  for (const Problem& layer : layers) alexnet.push_back(task_of(layer, row_stationary(), {Goal::cycles, Goal::energy}));
  Constraints free;
  free.keep = row_stationary().keep;
  figures.push_back({"map/alexnet_row_stationary_cpu_s", seconds_of(alexnet, options.rounds)});
  figures.push_back({"map/gemm_512x1024x1024_free_cpu_s", seconds_of({task_of(product, free, {Goal::energy})}, options.rounds)});
  figures.push_back({"map/alexnet_layer3_free_cpu_s", seconds_of({task_of(layers[2], free, {Goal::energy})}, options.rounds)});
}

}  // namespace

// Random designs of TimeloopGym's space, of which some 60 % have no result; and those alone that have one.
std::vector<Measurement> bench_measure(const BenchOptions& options) {
  const Environment& environment = timeloop_environment();
  const std::size_t columns = environment.parameters().size();
  const auto designs = random_designs(environment.spaces().front(), options.designs, options.seed);
  std::vector<Measurement> figures;
  for (const char* objective : {"cycles", "energy", "edp"}) {
    const std::string name = std::string("alexnet_architectures/") + objective;
    const auto workload = environment.load_workload({{"network", "alexnet"}, {"map-objective", objective}});
    const Pass first = pass_over(*workload, designs);  // counts the mappings
    figures.push_back({name + "/first_pass_cpu_s", first.seconds});
    std::vector<std::int64_t> valid;
    for (std::size_t i = 0; i < options.designs; ++i) {
      const auto design = std::span<const std::int64_t>(designs).subspan(i * columns, columns);
      if (first.outcomes.status[i] == 0) valid.insert(valid.end(), design.begin(), design.end());
    }
    const auto add_rate = [&](const std::string& what, std::span<const std::int64_t> timed) {
      std::vector<double> seconds;
      for (std::size_t round = 0; round < options.rounds; ++round) seconds.push_back(pass_over(*workload, timed).seconds);
      if (timed.empty()) return;
      const double rate = static_cast<double>(timed.size()) / static_cast<double>(columns) / median(seconds);
      figures.push_back({name + "/" + what + "_per_cpu_s", rate});
      figures.push_back({name + "/" + what + "_ratio_to_reference", rate * kReferenceDesign});
    };
    add_rate("random", designs);
    add_rate("valid", valid);
  }
  measure_mappings(options, figures);
  measure_search(options, figures);
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
