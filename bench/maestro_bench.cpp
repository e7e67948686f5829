// Google Benchmark of the MAESTRO kernels: recorded genomes, decoded and evaluated, and recorded dataflows.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "host/maestro/environment.hpp"
#include "tests/support/maestro_rows.hpp"

namespace exarch::maestro {
namespace {

struct Genome {
  ArchgymDesign design;
  LayerCount layer;
};

std::vector<nlohmann::ordered_json> rows_of(const std::string& set) {
  std::vector<nlohmann::ordered_json> rows = testing::maestro_rows("dev.jsonl.gz");
  std::erase_if(rows, [&set](const auto& row) { return row["set"] != set; });
  return rows;
}

void genomes(benchmark::State& state) {
  std::vector<Genome> genomes;
  for (const auto& row : rows_of("archgym")) {
    Genome genome{{}, {problem_of(row).layer, 1, 0}};
    for (std::size_t g = 0; g < kArchgymGenes; ++g)
      genome.design.gene[g] = row["source"]["genome"][g].template get<std::uint32_t>();
    genome.design.outer_seed = row["source"]["rng_state_seed"].template get<std::uint32_t>();
    genomes.push_back(genome);
  }
  Totals totals;
  for ([[maybe_unused]] auto iteration : state) {
    for (const Genome& genome : genomes) {
      benchmark::DoNotOptimize(cpu_functions().archgym(genome.design, {&genome.layer, 1, Version::e1d8efd8}, totals));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(genomes.size()));
}

void problems(benchmark::State& state, const std::string& set) {
  std::vector<Problem> problems;
  for (const auto& row : rows_of(set)) problems.push_back(problem_of(row));
  Counters counters;
  for ([[maybe_unused]] auto iteration : state) {
    for (const Problem& problem : problems) {
      benchmark::DoNotOptimize(cpu_functions().problem(problem, Version::e1d8efd8, counters));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(problems.size()));
}

}  // namespace
}  // namespace exarch::maestro

int main(int argc, char** argv) {
  namespace maestro = exarch::maestro;
  benchmark::RegisterBenchmark("genomes/decode_and_evaluate", maestro::genomes);
  benchmark::RegisterBenchmark("genomes/evaluate", [](benchmark::State& state) { maestro::problems(state, "archgym"); });
  benchmark::RegisterBenchmark("dataflows/evaluate", [](benchmark::State& state) { maestro::problems(state, "dataflow"); });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
