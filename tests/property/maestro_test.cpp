// MAESTRO's kernels on problems that nobody recorded: against the independent reference, across instruction sets, batches,
// threads and canonical forms; and the parts with a textbook answer.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "host/error.hpp"
#include "host/execute/evaluator.hpp"
#include "host/maestro/advice.hpp"
#include "host/maestro/cost.hpp"
#include "host/maestro/environment.hpp"
#include "host/maestro/file.hpp"
#include "host/maestro/reference.hpp"
#include "kernels/core/mt19937.hpp"
#include "kernels/maestro/plan.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/maestro_rows.hpp"

namespace exarch {
namespace {

using namespace maestro;

TEST(MaestroKernel, EqualsTheReferenceOnRandomProblems) {
  std::mt19937_64 rng(1);
  std::vector<std::size_t> seen(kStatuses);
  for (int i = 0; i < 6000; ++i) {
    const Problem problem = testing::random_problem(rng);
    for (const Version version : {Version::e1d8efd8, Version::head}) {
      Counters fast, slow;
      std::memset(&fast, 0, sizeof fast);
      std::memset(&slow, 0, sizeof slow);
      const Status status = cpu_functions().problem(problem, version, fast);
      ASSERT_EQ(status, evaluate_reference(problem.layer, problem.mapping, problem.hardware, version, slow)) << i;
      ++seen[static_cast<std::size_t>(status)];
      if (status != Status::ok) continue;
      ASSERT_EQ(std::memcmp(&fast, &slow, sizeof fast), 0) << i;
      Counters baseline;
      std::memset(&baseline, 0, sizeof baseline);
      ASSERT_EQ(kBaselineFunctions.problem(problem, version, baseline), status);
      ASSERT_EQ(std::memcmp(&fast, &baseline, sizeof fast), 0) << i << " (instruction sets)";
    }
  }
  EXPECT_GE(seen[0], 3000u);
  for (const Status status : {Status::filter_tile, Status::spatial_maps, Status::stationary_tile, Status::clusters_exceed_pes,
                              Status::zero_compute_delay, Status::missing_dimension}) {
    EXPECT_GE(seen[static_cast<std::size_t>(status)], 5u) << name_of(status);
  }
}

// A mapping that repeats dimensions has cases beyond number; it is given up.
TEST(MaestroKernel, GivesUpOnEndlessMappings) {
  Problem problem{};
  for (std::int32_t& stride : problem.layer.stride) stride = 1;
  problem.layer.type = LayerType::conv;
  const std::pair<Dim, int> sizes[] = {{Dim::K, 64}, {Dim::C, 64}, {Dim::R, 3}, {Dim::S, 3}, {Dim::Y, 56}, {Dim::X, 56}};
  for (const auto& [dim, size] : sizes) problem.layer.size[index_of(dim)] = size;
  Mapping& mapping = problem.mapping;
  for (std::uint32_t i = 0; i < 15; ++i) mapping.directive[mapping.count++] = {Map::temporal, i % 2 == 0 ? Dim::K : Dim::C, 5, 5};
  mapping.directive[mapping.count++] = {Map::spatial, Dim::Y, 3, 1};
  problem.hardware = {16, 1, 64, 1, 64};
  Counters counters;
  EXPECT_EQ(cpu_functions().problem(problem, Version::e1d8efd8, counters), Status::too_many_directives);
  mapping.count = 0;
  for (std::uint32_t i = 0; i < 11; ++i) mapping.directive[mapping.count++] = {Map::temporal, Dim::K, 5, 5};
  for (const Dim dim : {Dim::C, Dim::X}) mapping.directive[mapping.count++] = {Map::temporal, dim, 5, 5};
  mapping.directive[mapping.count++] = {Map::spatial, Dim::Y, 3, 1};
  EXPECT_EQ(cpu_functions().problem(problem, Version::e1d8efd8, counters), Status::case_limit);
}

TEST(MaestroTotals, EqualLayersAreEvaluatedOnce) {
  const Environment& environment = maestro_environment();
  for (const auto& [model, layers, different] : {std::tuple{"resnet18", 20, 11}, std::tuple{"resnet50", 53, 23}}) {
    const auto workload = environment.load_workload({{"model", model}});
    const auto& network = static_cast<const NetworkWorkload&>(*workload);
    EXPECT_EQ(network.total, layers);
    EXPECT_EQ(network.layers.size(), static_cast<std::size_t>(different)) << model;
  }
}

// Counter by counter: volumes, cycles and occurrences add up (modulo 2^64: some mappings have absurd volumes), requirements and
// longest delays are the largest, shortest ones the smallest.
TEST(MaestroTotals, AreSumsOfTheLayers) {
  Backend backend("cpu", 1);
  for (const Environment* environment : {&maestro_environment(), &maestro_archgym_environment()}) {
    const auto whole = environment->load_workload({{"model", "resnet18"}, {"layer", "all"}});
    const auto designs = random_designs(environment->spaces().front(), 60, 3);
    Outcomes all;
    environment->simulate(*whole, designs, Engine::fast, backend, all);
    const auto table = environment->counters();
    const std::size_t count = all.status.size();
    std::vector<std::uint8_t> status(count);
    std::vector<std::int64_t> want(count * table.size());
    std::vector<double> active(count);
    for (int layer = 0; layer < 20; ++layer) {
      Outcomes one;
      environment->simulate(*environment->load_workload({{"model", "resnet18"}, {"layer", std::to_string(layer)}}), designs,
                            Engine::fast, backend, one);
      for (std::size_t i = 0; i < count; ++i) {
        if (status[i] == 0) status[i] = one.status[i];
        for (std::size_t c = 0; c < table.size(); ++c) {
          const auto value = static_cast<std::int64_t>(one.counters[i * table.size() + c]);
          std::int64_t& sum = want[i * table.size() + c];
          const std::string& name = table[c].name;
          const bool largest = name.ends_with("_req") || name.ends_with("_max");
          const bool smallest = name.ends_with("_min") || name == "l1_in_energy";
          if (layer == 0) {
            sum = value;
          } else {
            sum = largest    ? std::max(sum, value)
                  : smallest ? std::min(sum, value)
                             : static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(value));
          }
        }
        const auto runtime = static_cast<double>(static_cast<std::int64_t>(one.counters[i * table.size()]));
        active[i] += runtime * std::bit_cast<double>(one.counters[(i + 1) * table.size() - 1]);
      }
    }
    std::size_t good = 0;
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(all.status[i] == 0, status[i] == 0) << environment->name() << " " << i;
      if (all.status[i] != 0) continue;
      ++good;
      for (std::size_t c = 0; c + 1 < table.size(); ++c) {
        EXPECT_EQ(static_cast<std::int64_t>(all.counters[i * table.size() + c]), want[i * table.size() + c]) << table[c].name;
      }
      EXPECT_EQ(table.back().name, "avg_active_pes");
      const auto runtime = static_cast<double>(want[i * table.size()]);
      EXPECT_NEAR(std::bit_cast<double>(all.counters[(i + 1) * table.size() - 1]), active[i] / runtime,
                  1e-9 * active[i] / runtime);
    }
    EXPECT_GE(good, 5u) << environment->name();
  }
}

class MaestroEnvironments : public ::testing::TestWithParam<std::pair<const char*, WorkloadOptions>> {
 protected:
  const Environment& environment_ = find_environment(GetParam().first);
  std::shared_ptr<const Workload> workload_ = environment_.load_workload(GetParam().second);
  std::vector<std::int64_t> designs_ = random_designs(environment_.spaces().front(), 3000, 7);
  std::size_t parameters_ = environment_.parameters().size();

  // Statuses and metrics by way of an evaluator.
  std::vector<double> evaluate(Evaluator& evaluator, std::span<const std::int64_t> designs) {
    std::vector<double> all;
    const auto ids = evaluator.evaluate(designs);
    std::vector<double> metrics(environment_.metrics().size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      all.push_back(evaluator.status(ids[i]));
      if (evaluator.status(ids[i]) != 0) continue;
      evaluator.price(ids[i], designs.subspan(i * parameters_, parameters_), metrics);
      all.insert(all.end(), metrics.begin(), metrics.end());
    }
    return all;
  }
};

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

TEST_P(MaestroEnvironments, GiveTheSameBitsForAnyBatchThreadsSharingAndEngine) {
  const auto one = std::make_shared<LocalExecutor>("cpu", 1), three = std::make_shared<LocalExecutor>("cpu", 3);
  Evaluator plain(environment_, workload_, one, {Engine::fast, false});
  const std::vector<double> want = evaluate(plain, designs_);
  Evaluator shared(environment_, workload_, three);
  EXPECT_TRUE(same(evaluate(shared, designs_), want)) << "threads, sharing";
  EXPECT_LE(shared.simulated(), plain.simulated());
  Evaluator batches(environment_, workload_, three);
  std::vector<double> parts;
  for (std::size_t first = 0; first < 3000; first += 170) {
    const std::size_t count = std::min<std::size_t>(170, 3000 - first);
    const auto part = evaluate(batches, std::span(designs_).subspan(first * parameters_, count * parameters_));
    parts.insert(parts.end(), part.begin(), part.end());
  }
  EXPECT_TRUE(same(parts, want)) << "batches";
  const auto few = std::span<const std::int64_t>(designs_).first(150 * parameters_);
  Evaluator fast(environment_, workload_, one), reference(environment_, workload_, three, {Engine::reference});
  EXPECT_TRUE(same(evaluate(reference, few), evaluate(fast, few))) << "engine reference";
}

INSTANTIATE_TEST_SUITE_P(All, MaestroEnvironments,
                         ::testing::Values(std::pair{"maestro", WorkloadOptions{{"model", "resnet50"}}},
                                           std::pair{"maestro", WorkloadOptions{{"model", "mobilenet_v2"}, {"layer", "3"}}},
                                           std::pair{"maestro", WorkloadOptions{{"model", "vgg16"}, {"model-version", "head"}}},
                                           std::pair{"maestro-archgym", WorkloadOptions{}},
                                           std::pair{"maestro-archgym", WorkloadOptions{{"decode", "shipped"}}},
                                           std::pair{"maestro-archgym",
                                                     WorkloadOptions{{"model", "mobilenet_v2"}, {"layer", "all"}}}));

// The mapping file that a design can be written as holds the same mapping: evaluated as a problem, it costs the same.
TEST(MaestroMappingFile, OfADesignCostsWhatTheDesignCosts) {
  const Environment& environment = maestro_environment();
  const auto workload = environment.load_workload({{"model", "mobilenet_v2"}, {"layer", "4"}});
  Backend backend("cpu", 1);
  const auto designs = random_designs(environment.spaces().front(), 200, 5);
  const std::size_t parameters = environment.parameters().size();
  Outcomes outcomes;
  environment.simulate(*workload, designs, Engine::fast, backend, outcomes);
  for (std::size_t i = 0; i < 200; ++i) {
    const auto design = std::span<const std::int64_t>(designs).subspan(i * parameters, parameters);
    const NetworkFile file = parse_network(environment.reference_input(*workload, design), "mapping.m");
    ASSERT_EQ(file.layers.size(), 1u);
    const Problem problem{file.layers[0].layer, *file.layers[0].mapping, clean_design_of(design).hardware};
    Counters counters{};
    ASSERT_EQ(static_cast<std::uint8_t>(cpu_functions().problem(problem, Version::e1d8efd8, counters)), outcomes.status[i]);
    if (outcomes.status[i] == 0) {
      EXPECT_EQ(static_cast<std::uint64_t>(counters.runtime), outcomes.counters[i * environment.counters().size()]);
    }
  }
}

// Inner tiles lie inside of outer ones, those inside of the layer, and every dimension is tiled once per level.
TEST(MaestroClean, MapsEveryLayerSensibly) {
  const auto workload = maestro_environment().load_workload({{"model", "shufflenet_v2"}});
  const auto& layers = static_cast<const NetworkWorkload&>(*workload).layers;
  const auto designs = random_designs(maestro_environment().spaces().front(), 300, 11);
  const std::size_t parameters = maestro_environment().parameters().size();
  for (std::size_t i = 0; i < 300; ++i) {
    const CleanDesign design = clean_design_of(std::span(designs).subspan(i * parameters, parameters));
    for (const LayerCount& count : layers) {
      Mapping mapping;
      decode(design, count.layer, mapping);
      std::int32_t outer[kDims] = {};
      std::uint32_t spatial = 0, level = 0, seen = 0;
      for (std::uint32_t d = 0; d < mapping.count; ++d) {
        const Directive& directive = mapping.directive[d];
        if (directive.map == Map::cluster) {
          EXPECT_EQ(spatial, 1u);
          spatial = seen = 0;
          level = 1;
          continue;
        }
        const std::uint32_t dim = index_of(directive.dim);
        EXPECT_EQ(seen & bit_of(directive.dim), 0u);
        seen |= bit_of(directive.dim);
        if (directive.map == Map::spatial) ++spatial;
        EXPECT_GE(directive.size, 1);
        if (level == 0) outer[dim] = directive.size;
        EXPECT_LE(directive.size, outer[dim]);
        if (directive.dim == Dim::R || directive.dim == Dim::S) {
          EXPECT_EQ(directive.size, count.layer.size[dim]);
        }
      }
      EXPECT_EQ(spatial, 1u);
    }
  }
}

TEST(Mt19937Start, EqualsTheStandardLibrarys) {
  for (const std::uint32_t seed : {0u, 1u, 5489u, 719u, 4294967295u}) {
    std::mt19937 standard(seed);
    Mt19937Start start(seed);
    for (std::uint32_t i = 0; i < Mt19937Start::kMost; ++i) ASSERT_EQ(start.next(), standard()) << seed << " output " << i;
    EXPECT_TRUE(start.exhausted());
  }
}

TEST(RepeatedSum, EqualsAddingOneAtATime) {
  std::mt19937_64 rng(2);
  for (int i = 0; i < 3000; ++i) {
    const double term = i % 3 == 0   ? static_cast<double>(rng() % 4000) / 16
                        : i % 3 == 1 ? 283.0 * static_cast<double>(1 + rng() % 8) + 0.104 * static_cast<double>(rng() % 100000)
                                     : static_cast<double>(rng()) * 1e-12;
    const auto count = static_cast<std::int64_t>(rng() % 20000);
    double sum = 0;
    for (std::int64_t k = 0; k < count; ++k) sum += term;
    ASSERT_EQ(repeated_sum(term, count), sum) << term << " x " << count;
  }
  EXPECT_EQ(repeated_sum(-0.25, 3), -0.75);
  EXPECT_EQ(repeated_sum(-0.1, 1234567), -repeated_sum(0.1, 1234567));
  EXPECT_LT(repeated_sum(-1.5, 2147483647), -3e9);  // at once
  EXPECT_EQ(repeated_sum(1, 0), 0);
}

// ---- strides ----

Layer strided_layer(std::mt19937_64& rng) {
  const auto below = [&rng](std::uint64_t n) { return static_cast<std::int32_t>(rng() % n); };
  Layer layer{};
  for (std::int32_t& stride : layer.stride) stride = 1;
  layer.type = below(5) == 0 ? LayerType::dsconv : LayerType::conv;
  layer.size[index_of(Dim::K)] = layer.type == LayerType::dsconv ? 1 : 1 + below(9);
  layer.size[index_of(Dim::C)] = 1 + below(9);
  const bool square = below(2) == 0;
  const std::int32_t filter = 1 + below(7), stride = 2 + below(4), more = below(40);
  for (const auto& [input, window] : {std::pair{Dim::Y, Dim::R}, std::pair{Dim::X, Dim::S}}) {
    const bool same = square || input == Dim::Y;
    layer.size[index_of(window)] = same ? filter : 1 + below(7);
    layer.size[index_of(input)] = layer.size[index_of(window)] + (same ? more : below(40));
    layer.stride[index_of(input)] = same ? stride : 1 + below(5);
  }
  return layer;
}

bool any_random_design_serves(const Layer& layer, Version version, std::mt19937_64& rng, int designs) {
  const auto upto = [&rng](std::uint64_t n) { return 1 + static_cast<std::int32_t>(rng() % n); };
  const LayerCount count{layer, 1, macs_of(layer)};
  for (int i = 0; i < designs; ++i) {
    CleanDesign design{};
    for (std::uint32_t l = 0; l < 2; ++l) {
      for (std::int32_t& tile : design.tile[l]) tile = upto(10);
      design.spatial[l] = upto(kTileds) - 1;
      design.order[l] = upto(kOrders) - 1;
    }
    design.cluster_size = 1 << (upto(5) - 1);
    design.hardware = {upto(200), upto(2), upto(100), upto(3), upto(100)};
    Totals totals{};
    if (cpu_functions().clean(design, {&count, 1, version}, totals) == Status::ok && totals.impossible == 0) return true;
  }
  return false;
}

// A warning is given exactly where no design is right, and the sizes that it names are.
TEST(StrideWarning, IsGivenWhereNoMappingCountsRight) {
  std::mt19937_64 rng(3);
  std::size_t warned = 0, silent = 0, advised = 0;
  for (int i = 0; i < 300; ++i) {
    const Layer layer = strided_layer(rng);
    for (const Version version : {Version::e1d8efd8, Version::head}) {
      const std::string warning = stride_warning(layer, "layer 'a'", version);
      ASSERT_EQ(warning.empty(), any_random_design_serves(layer, version, rng, 1000)) << warning;
      ++(warning.empty() ? silent : warned);
      if (warning.empty()) continue;
      Layer smaller = layer, larger = layer;
      for (const auto& [input, window] : {std::pair{Dim::Y, Dim::R}, std::pair{Dim::X, Dim::S}}) {
        const std::int32_t size = layer.size[index_of(input)], stride = layer.stride[index_of(input)];
        const std::int32_t rest = (size - layer.size[index_of(window)]) % stride;
        if (rest == 0) continue;
        smaller.size[index_of(input)] = size - rest;
        larger.size[index_of(input)] = size - rest + stride;
        const std::string sizes = std::to_string(size - rest) + " or " + std::to_string(size - rest + stride);
        EXPECT_NE(warning.find(sizes), std::string::npos) << warning;
        ++advised;
      }
      EXPECT_EQ(stride_warning(smaller, "", version), "");
      EXPECT_EQ(stride_warning(larger, "", version), "");
    }
  }
  EXPECT_GT(warned, 100u);
  EXPECT_GT(silent, 100u);
  EXPECT_GT(advised, warned - 1);
}

// The example that explains a Level in kernels/maestro/plan.hpp.
TEST(MaestroPlan, OfTheExampleInItsHeader) {
  Layer layer{};
  layer.type = LayerType::conv;
  std::ranges::fill(layer.stride, 1);
  const auto size = [&layer](Dim dim) -> std::int32_t& { return layer.size[index_of(dim)]; };
  size(Dim::K) = 4;
  size(Dim::C) = 2;
  size(Dim::Y) = size(Dim::X) = 10;
  size(Dim::R) = size(Dim::S) = 3;
  MappingOf<AnyMapping::kMapped> mapping{};
  for (const Directive& directive : {Directive{Map::spatial, Dim::K, 1, 1}, Directive{Map::temporal, Dim::C, 2, 2},
                                     Directive{Map::temporal, Dim::R, 3, 3}, Directive{Map::temporal, Dim::S, 3, 3},
                                     Directive{Map::temporal, Dim::Y, 5, 3}, Directive{Map::temporal, Dim::X, 10, 10}}) {
    mapping.directive[mapping.count++] = directive;
  }
  Plan<AnyMapping> plan;
  ASSERT_EQ(make_plan(layer, mapping, {4, 1, 8, 1, 8}, Version::e1d8efd8, plan), Status::ok);
  ASSERT_EQ(plan.levels, 1u);
  const Level<AnyMapping>& level = plan.level[0];
  ASSERT_EQ(level.count, 6u);
  EXPECT_EQ(level.clusters, 4);
  EXPECT_EQ(level.edge_clusters, 4);
  EXPECT_EQ(level.coupled[kInput], 0b110010u);
  EXPECT_EQ(level.coupled[kWeight], 0b001111u);
  EXPECT_EQ(level.temporal[kInput], 0b110010u);
  EXPECT_EQ(level.temporal[kWeight], 0b001110u);
  EXPECT_EQ(level.temporal[kOutput], 0b110000u);
  EXPECT_EQ(level.reduced, 0b001110u);
  EXPECT_EQ(level.spatials, 1u);
  EXPECT_EQ(level.spatial[0].position, 0u);
  EXPECT_EQ(level.leading[kInput], kNoPosition);
  EXPECT_EQ(level.leading[kWeight], 0u);
  EXPECT_EQ(level.leading[kOutput], 0u);
  const struct {
    std::int32_t mapped[2], outputs[2], fresh;
    std::uint8_t states;
  } want[] = {
      {{2, 2}, {2, 2}, 0, 1}, {{3, 3}, {3, 3}, 0, 1}, {{3, 3}, {3, 3}, 0, 1}, {{5, 4}, {3, 2}, 3, 3}, {{10, 10}, {8, 8}, 0, 1}};
  for (std::uint32_t j = 1; j < 6; ++j) {
    for (std::uint32_t e = 0; e < 2; ++e) {
      EXPECT_EQ(level.covered[j].mapped[e], want[j - 1].mapped[e]) << j;
      EXPECT_EQ(level.covered[j].outputs[e], want[j - 1].outputs[e]) << j;
    }
    EXPECT_EQ(level.covered[j].fresh, want[j - 1].fresh) << j;
    EXPECT_EQ(level.states[0][j].number, want[j - 1].states) << j;
    EXPECT_EQ(level.bit[j], j == 4 ? 0 : kNoPosition) << j;
  }
  EXPECT_EQ(level.states[0][4].steady, 1);
  EXPECT_EQ(level.states[0][0].number, 1);
}

}  // namespace
}  // namespace exarch
