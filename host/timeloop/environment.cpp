// The environment timeloop: ArchGym's accelerator, with the best mapping of each layer.
#include "host/timeloop/environment.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "host/env/hash.hpp"
#include "host/env/model.hpp"
#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/data_dir.hpp"
#include "host/files/json.hpp"
#include "host/files/text.hpp"
#include "host/space/tables.hpp"
#include "host/timeloop/archgym.hpp"
#include "host/timeloop/layers.hpp"
#include "host/timeloop/reference.hpp"
#include "host/timeloop/row_stationary.hpp"
#include "host/timeloop/sampler.hpp"
#include "kernels/launch/timeloop_launch.hpp"

namespace exarch {
namespace timeloop {
namespace {

constexpr const char* kNetworks = "timeloop/networks";
constexpr const char* kNetworkName = "network";
constexpr const char* kObjectiveName = "map-objective";
constexpr const char* kMapperName = "mapper";

struct GymLayer {
  std::string name;  // of the first of equal ones
  Problem problem;
  std::int64_t count;  // of equal ones
  std::unique_ptr<const RowStationary> mappings;
};

struct GymWorkload final : Workload {
  EnergyTable table;
  std::vector<GymLayer> layers;  // different ones
  std::int64_t total = 0;        // layers
  FillRule rule = FillRule::y2022;
  MapObjective objective = MapObjective::cycles_energy;
  bool samples = false;  // with Timeloop's mapper, as TimeloopGym does, instead of the best mapping
};

struct GymCandidate {
  Design design;
};

struct GymResult {
  GymStatus status;
  std::int64_t cycles, steps, computes;
  std::int64_t printed;  // energy in hundredths of uJ, each layer rounded
  double energy_pj, compute_pj, spads_pj, glb_pj, dram_pj;
  std::string mappings;
};

// ---- tables ---------------------------------------------------------------------------------------------------------------

constexpr CounterRow<GymResult> kGymCounters[] = {
    {"cycles", "cycles", "of all layers, one after the other", &GymResult::cycles},
    {"compute_cycles", "cycles", "that the multipliers need", &GymResult::steps},
    {"computes", "MACs", "of all layers", &GymResult::computes},
    {"printed_energy", "0.01 uJ", "energies of the layers, rounded as Timeloop prints them", &GymResult::printed},
    {"energy", "pJ", "of all layers", nullptr, &GymResult::energy_pj},
    {"compute_energy", "pJ", "of the multipliers", nullptr, &GymResult::compute_pj},
    {"spads_energy", "pJ", "of the buffers in the PEs", nullptr, &GymResult::spads_pj},
    {"glb_energy", "pJ", "of the shared buffer", nullptr, &GymResult::glb_pj},
    {"dram_energy", "pJ", "of DRAM", nullptr, &GymResult::dram_pj},
};

// What metrics are made of.
struct GymPriced {
  GymResult result;
  double area_mm2;
  double multipliers;
};

struct GymMetric {
  std::string_view name, unit, doc;
  double (*of)(const GymPriced& priced);
  int decimals = 2;
};

double gym_cycles(const GymPriced& p) {
  return static_cast<double>(p.result.cycles);
}
double gym_energy(const GymPriced& p) {
  return p.result.energy_pj / 1e6;
}
double printed_energy(const GymPriced& p) {
  return static_cast<double>(p.result.printed) / 100;
}
double printed_area(const GymPriced& p) {
  return std::round(p.area_mm2 * 100) / 100;
}

// The targets of TimeloopGym: its baseline on AlexNet, less 30 %, 15 % and 20 %.
constexpr double kTargetEnergy = 29206 * (1 - 0.3), kTargetArea = 2.03 * (1 - 0.15), kTargetCycles = 7885704 * (1 - 0.2);

double excess_over(double value, double target) {
  return std::max((value - target) / target, 0.0);
}
// TimeloopGym keeps its cost away from 0.
double gym_cost(double cost) {
  return cost == 0 ? 1e-5 : cost;
}

constexpr GymMetric kGymMetrics[] = {
    {"cycles", "cycles", "of all layers, one after the other", gym_cycles, 0},
    {"energy_uj", "uJ", "of all layers", gym_energy},
    {"area_mm2", "mm2", "of multipliers and buffers", [](const GymPriced& p) { return p.area_mm2; }, 4},
    {"edp", "uJ*cycles", "energy times cycles", [](const GymPriced& p) { return gym_energy(p) * gym_cycles(p); }},
    {"utilization", "", "computes per cycle and multiplier",
     [](const GymPriced& p) { return static_cast<double>(p.result.computes) / p.multipliers / gym_cycles(p); }, 4},
    {"compute_uj", "uJ", "of the multipliers", [](const GymPriced& p) { return p.result.compute_pj / 1e6; }},
    {"spads_uj", "uJ", "of the buffers in the PEs", [](const GymPriced& p) { return p.result.spads_pj / 1e6; }},
    {"glb_uj", "uJ", "of the shared buffer", [](const GymPriced& p) { return p.result.glb_pj / 1e6; }},
    {"dram_uj", "uJ", "of DRAM", [](const GymPriced& p) { return p.result.dram_pj / 1e6; }},
    {"archgym_energy", "uJ", "energy as TimeloopGym observes it, each layer rounded", printed_energy},
    {"archgym_area", "mm2", "area as TimeloopGym observes it, rounded", printed_area},
    {"archgym_cost", "", "TimeloopGym's joint cost: how far energy, area and cycles are above its targets",
     [](const GymPriced& p) {
       return gym_cost(1e-3 + excess_over(printed_energy(p), kTargetEnergy) + excess_over(printed_area(p), kTargetArea) +
                       excess_over(gym_cycles(p), kTargetCycles));
     },
     5},
    {"archgym_energy_cost", "", "TimeloopGym's cost of energy alone",
     [](const GymPriced& p) { return gym_cost(excess_over(printed_energy(p), kTargetEnergy)); }, 5},
    {"archgym_area_cost", "", "TimeloopGym's cost of area alone",
     [](const GymPriced& p) { return gym_cost(excess_over(printed_area(p), kTargetArea)); }, 5},
    {"archgym_latency_cost", "", "TimeloopGym's cost of cycles alone",
     [](const GymPriced& p) { return gym_cost(excess_over(gym_cycles(p), kTargetCycles)); }, 5},
};

Description describe_gym() {
  Description d;
  d.name = "timeloop";
  d.doc = "accelerators like Eyeriss with the best mapping of each layer: ArchGym's TimeloopGym, with proof instead of samples";
  d.model_version = kModelVersion;
  d.parameters = archgym_parameters();
  d.spaces = archgym_spaces(d.parameters);
  d.workload_options = {
      {kNetworkName, "alexnet", "layers (.json)", WorkloadOption::Kind::file, 0, 0, true},
      {kObjectiveName, "cycles",
       "the best mapping of a layer: cycles (then energy), energy (then cycles), or edp, which is energy times cycles"},
      {kMapperName, "best", "best: proved; sampled: what Timeloop's own mapper finds with the settings of TimeloopGym"},
      {kRuleName, "2022", "first fills of outputs: 2022 counts them, as ArchGym does; current leaves them out"}};
  d.counters = counters_of(kGymCounters);
  d.artifact = ArtifactInfo{"mappings", "of the different layers: loops of each level, the innermost first"};
  d.metrics = metrics_of(kGymMetrics);
  d.tradeoffs = {place_in(kGymMetrics, "cycles"), place_in(kGymMetrics, "energy_uj"), place_in(kGymMetrics, "area_mm2")};
  d.objectives = {{"edp", "min:edp"},
                  {"energy", "min:energy_uj"},
                  {"cycles", "min:cycles"},
                  {"archgym", "min:archgym_cost"},
                  {"archgym-energy", "min:archgym_energy_cost"},
                  {"archgym-area", "min:archgym_area_cost"},
                  {"archgym-latency", "min:archgym_latency_cost"}};
  d.statuses = {kGymStatusNames.begin(), kGymStatusNames.end()};
  d.known_result = {{{kNetworkName, "alexnet"}}, {}, "cycles", "7885704"};  // TimeloopGym's baseline
  // CPU seconds of the five runs of timeloop-mapper for one evaluation, tables given: one measurement, as no distribution was
  // made.
  d.reference_costs = {{"alexnet", 9.9, 9.9}};
  d.takes_problems = true;
  d.takes_model_files = true;
  return d;
}

MapObjective objective_of(const std::string& name) {
  if (name == "cycles") return MapObjective::cycles_energy;
  if (name == "energy") return MapObjective::energy_cycles;
  if (name == "edp") return MapObjective::edp;
  throw UsageError(std::string(kObjectiveName) + " = " + in_quotes(name) + ": expected cycles, energy or edp");
}

bool samples_of(const std::string& name) {
  if (name == "best") return false;
  if (name == "sampled") return true;
  throw UsageError(std::string(kMapperName) + " = " + in_quotes(name) + ": expected best or sampled");
}

Hardware hardware_of(const EnergyTable& table) {
  const std::vector<std::int64_t> spads = table.sizes(GymPart::spad);
  return {{kArrayColumns, kMostRows}, {spads, spads, spads, table.sizes(GymPart::shared_glb)}};
}

// ---- mappings as text -----------------------------------------------------------------------------------------------------

// "layer2: psum_spad M16; weights_spad R5; rows S5; columns Q9; shared_glb C2 P27; DRAM C48 M16 Q3".
std::string text_of(const GymLayer& layer, const Mapping& mapping) {
  std::string text = layer.name + ":";
  const auto add = [&](const char* where, const Block& block) {
    if (block.count == 0) return;
    text += std::string(text.back() == ':' ? " " : "; ") + where;
    for (std::uint32_t l = 0; l < block.count; ++l) {
      text += std::string(" ") + kDimNames[index_of(block.loop[l].dim)] + std::to_string(block.loop[l].bound);
    }
  };
  add("psum_spad", mapping.temporal[kPsumSpad]);
  add("weights_spad", mapping.temporal[kWeightsSpad]);
  add("rows", mapping.spatial[kDummyBuffer]);
  add("columns", mapping.spatial[kSharedGlb]);
  add("shared_glb", mapping.temporal[kSharedGlb]);
  add("DRAM", mapping.temporal[kDram]);
  return text;
}

// ---- evaluating -----------------------------------------------------------------------------------------------------------

// What a mapping costs; Status::ok, as it was found to fit.
template <class Evaluate>
void price_mapping(const Evaluate& evaluate, const GymLayer& layer, FillRule rule, const Architecture& architecture,
                   const Mapping& mapping, GymResult& result) {
  const Input input{layer.problem, architecture, mapping};
  Counters counters;
  Price price;
  Fault fault;
  if (evaluate(input, rule, counters, price, fault) != Status::ok) {
    throw std::logic_error("the best mapping of " + layer.name + " is not valid");
  }
  const auto times = static_cast<double>(layer.count);
  result.cycles += layer.count * price.cycles;
  result.steps += layer.count * counters.steps;
  result.computes += layer.count * price.computes;
  result.printed += layer.count * std::llround(price.energy_pj / 1e4);
  result.energy_pj += times * price.energy_pj;
  result.compute_pj += times * price.compute_pj;
  for (const ArchgymLevel spad : {kPsumSpad, kWeightsSpad, kIfmapSpad}) result.spads_pj += times * price.level[spad].energy_pj;
  result.glb_pj += times * price.level[kSharedGlb].energy_pj;
  result.dram_pj += times * price.level[kDram].energy_pj;
}

// The best mapping the slow way: every mapping of the layer by the reference model, none left out.
std::optional<BestMapping> best_by_reference(const GymLayer& layer, FillRule rule, const Architecture& architecture,
                                             MapObjective objective) {
  const Storage& spad = architecture.storage[kPsumSpad];
  const std::int64_t rows = spad.instances / architecture.storage[kDummyBuffer].instances;
  std::optional<BestMapping> best;
  layer.mappings->for_each([&](std::uint64_t index, const ArraySize& array, const Tiles&, const Accesses&) {
    if (array.columns > spad.mesh_x || array.rows > rows) return;
    const Input input{layer.problem, architecture, layer.mappings->mapping(index)};
    Counters counters;
    Price price;
    Fault fault;
    if (evaluate_reference(input, rule, counters, price, fault) != Status::ok) return;
    const BestMapping now{index, price.cycles, price.energy_pj};
    if (!best || is_better(now, *best, objective)) best = now;
  });
  return best;
}

// What Timeloop's mapper finds with TimeloopGym's settings; none where it gives up before it finds any.
std::optional<Mapping> sampled_mapping(const GymLayer& layer, FillRule rule, const Architecture& architecture,
                                       MapObjective objective) {
  if (layer.problem.bound[index_of(Dim::S)] > architecture.compute.instances / kArrayColumns) return std::nullopt;
  SamplerSettings settings;
  settings.algorithm = SamplerAlgorithm::random_pruned;
  settings.threads = 8;
  settings.timeout = 150;
  settings.victory_condition = 10;
  settings.goals = objective == MapObjective::cycles_energy   ? Goals{Goal::cycles, Goal::energy}
                   : objective == MapObjective::energy_cycles ? Goals{Goal::energy, Goal::cycles}
                                                              : Goals{Goal::edp};
  settings.fill_rule = rule;
  const SamplerResult result = sample(layer.problem, architecture, with_groups(row_stationary(), layer.problem), settings);
  return result.found ? std::optional(result.mapping) : std::nullopt;
}

// The mapping of a layer that the workload asks for.
std::optional<Mapping> mapping_for(const GymWorkload& workload, const GymLayer& layer, const Architecture& architecture,
                                   Engine engine) {
  if (workload.samples) return sampled_mapping(layer, workload.rule, architecture, workload.objective);
  const auto best = engine == Engine::fast ? layer.mappings->best(architecture, workload.objective)
                                           : best_by_reference(layer, workload.rule, architecture, workload.objective);
  return best ? std::optional(layer.mappings->mapping(best->index)) : std::nullopt;
}

class GymEnvironment final : public Model<GymWorkload, GymCandidate, GymResult> {
 public:
  GymEnvironment() : Model(describe_gym()) {}

  std::vector<std::string> shipped_workloads() const override { return shipped_names(kNetworks); }

  std::shared_ptr<const GymWorkload> load(const WorkloadOptions& given) const override {
    const WorkloadOptions options = complete_options(*this, given);
    const std::string& name = options.at(kNetworkName);
    const std::filesystem::path path = find_data_file(kNetworks, name, {".json"});
    const std::string text = read_text(path, "a network of layers (.json)");
    auto workload = std::make_shared<GymWorkload>();
    workload->table = EnergyTable::shipped();
    workload->rule = rule_of(options.at(kRuleName));
    workload->objective = objective_of(options.at(kObjectiveName));
    workload->samples = samples_of(options.at(kMapperName));
    in_file(path.string(), [&] { add_layers(layers_of(parse_json<nlohmann::ordered_json>(text, path.string())), *workload); });
    workload->name = name;
    for (const char* option : {kObjectiveName, kMapperName, kRuleName}) {
      if (options.at(option) != option_default(option)) workload->name += ", " + std::string(option) + " " + options.at(option);
    }
    Fnv1a hash;
    for (const char c : text) hash.add_word(static_cast<unsigned char>(c));
    workload->identity = std::string(kNetworkName) + " " + std::to_string(hash.value()) + "; energies " +
                         std::to_string(workload->table.hash) + "; " + kObjectiveName + " " + options.at(kObjectiveName) +
                         "; mapper " + options.at(kMapperName) + "; fill rule " + options.at(kRuleName);
    workload->work = workload->layers.size();
    workload->work_unit = "layers";
    return workload;
  }

  ProblemAnswer answer_problem(const std::string& text, const WorkloadOptions& options) const override {
    return answer_record(text, options);
  }

  ModelFilesAnswer answer_model_files(std::span<const std::string> paths, const std::map<std::string, std::string>& defines,
                                      const WorkloadOptions& options) const override {
    return answer_files(paths, defines, options);
  }

  std::uint64_t signature() const override { return bench_signature(); }
  std::vector<Measurement> measure(const BenchOptions& options) const override { return bench_measure(options); }

 protected:
  GymCandidate candidate_of(std::span<const std::int64_t> design) const override { return {{design.begin(), design.end()}}; }

  void run(NoWorker& /*worker*/, const GymWorkload& workload, const GymCandidate& candidate, Engine engine,
           GymResult& result) const override {
    const Accelerator accelerator = accelerator_of(candidate.design, workload.table);
    result.status = accelerator.status;
    if (result.status != GymStatus::ok) return;
    const Architecture& architecture = accelerator.architecture;
    for (const GymLayer& layer : workload.layers) {
      const auto mapping = mapping_for(workload, layer, architecture, engine);
      if (!mapping) {
        result.status = GymStatus::no_mapping;
        return;
      }
      price_mapping(engine == Engine::fast ? cpu_functions().evaluate : evaluate_reference, layer, workload.rule, architecture,
                    *mapping, result);
      result.mappings += (result.mappings.empty() ? "" : "\n") + text_of(layer, *mapping);
    }
  }

  void keep(const GymWorkload& /*workload*/, const GymResult& result, OutcomeRow row) const override {
    row.status = static_cast<std::uint8_t>(result.status);
    if (result.status != GymStatus::ok) return;
    for_each_row<kGymCounters>(
        [&](std::size_t i, const CounterRow<GymResult>& counter) { row.counters[i] = counter.bits(result); });
    *row.artifact = result.mappings;
  }

  std::string do_reference_input(const GymWorkload& /*workload*/, std::span<const std::int64_t> /*design*/) const override {
    throw UsageError(
        "--reference-input: a network has an input file per layer; exarch map timeloop --reference-input FOLDER writes them");
  }

  std::vector<WorkloadFact> do_describe_workload(const GymWorkload& workload) const override {
    std::uint64_t computes = 0, mappings = 0;
    for (const GymLayer& layer : workload.layers) {
      std::uint64_t of_layer = 1;
      for (const std::int64_t bound : layer.problem.bound) of_layer *= static_cast<std::uint64_t>(bound);
      computes += of_layer * static_cast<std::uint64_t>(layer.count);
      mappings += layer.mappings->size();
    }
    return {{"layers", static_cast<std::uint64_t>(workload.total), "", "one after the other"},
            {"different_layers", static_cast<std::uint64_t>(workload.layers.size()), "", "equal ones are mapped once"},
            {"computes", computes, "MACs", "of all layers"},
            {"mappings", mappings, "", "row-stationary ones of the different layers"}};
  }

  // What no count depends on: bandwidths of spads that are enough for every mapping, and DummyBuffer, whose area is priced
  // anyway.
  void do_canonicalise(const GymWorkload& workload, std::span<std::int64_t> design) const override {
    constexpr std::pair<const char*, ArchgymLevel> kSpads[] = {
        {"ifmap", kIfmapSpad}, {"psum", kPsumSpad}, {"weights", kWeightsSpad}};
    for (const auto& [prefix, level] : kSpads) {
      for (const char* end : {"_read_bw", "_write_bw"}) {
        std::int64_t& bandwidth = design[gym_parameter(std::string(prefix) + end)];
        const bool enough = std::ranges::all_of(workload.layers, [&, spad = level](const GymLayer& layer) {
          return layer.mappings->is_enough(spad, static_cast<double>(bandwidth));
        });
        if (enough) bandwidth = kMostBandwidth;
      }
    }
    std::int64_t& kind = design[gym_parameter("dummy_class")];
    std::int64_t& depth = design[gym_parameter("dummy_depth")];
    std::int64_t& block = design[gym_parameter("dummy_block")];
    if (!workload.table.find(GymPart::dummy_buffer, kind, depth, block)) return;  // its status
    kind = parameters()[gym_parameter("dummy_class")].default_value;
    depth = parameters()[gym_parameter("dummy_depth")].default_value;
    block = parameters()[gym_parameter("dummy_block")].default_value;
  }

  void do_price(const GymWorkload& workload, std::span<const std::int64_t> design, std::span<const std::uint64_t> counters,
                std::span<double> metrics) const override {
    GymPriced priced{};
    for_each_row<kGymCounters>(
        [&](std::size_t i, const CounterRow<GymResult>& counter) { counter.set(priced.result, counters[i]); });
    const Architecture a = accelerator_of(design, workload.table).architecture;
    double area_um2 = area_of(a.compute.area_um2, a.compute.instances);
    for (std::uint32_t level = 0; level < a.levels; ++level) {
      area_um2 += area_of(a.storage[level].area_um2, a.storage[level].instances);
    }
    priced.area_mm2 = area_um2 / 1e6;
    priced.multipliers = static_cast<double>(a.compute.instances);
    for_each_row<kGymMetrics>([&](std::size_t i, const GymMetric& metric) { metrics[i] = metric.of(priced); });
  }

  std::vector<std::string> do_explain(const GymWorkload& workload, std::span<const std::int64_t> design,
                                      std::uint8_t status) const override {
    if (status == 0) return {};
    const Accelerator accelerator = accelerator_of(design, workload.table);
    if (accelerator.status != GymStatus::ok) return {accelerator.why};
    std::vector<std::string> sentences;
    for (const GymLayer& layer : workload.layers) {
      if (mapping_for(workload, layer, accelerator.architecture, Engine::fast)) continue;
      if (layer.mappings->best(accelerator.architecture, workload.objective)) {
        sentences.push_back(layer.name + ": the mapper gave up before it found a valid mapping; --mapper best finds one");
        continue;
      }
      sentences.push_back(layer.name + ": " + why_none_fits(layer, accelerator.architecture));
    }
    return sentences;
  }

 private:
  static constexpr std::int64_t kMostBandwidth = 16;

  [[nodiscard]] std::string option_default(const std::string& name) const {
    return std::ranges::find(workload_options(), name, &WorkloadOption::name)->default_value;
  }

  // Equal layers become one.
  static void add_layers(const std::vector<NamedProblem>& layers, GymWorkload& workload) {
    const Hardware hardware = hardware_of(workload.table);
    double computes = 0;
    for (const NamedProblem& given : layers) {
      double of_layer = static_cast<double>(given.count);
      for (const std::int64_t bound : given.problem.bound) of_layer *= static_cast<double>(bound);
      computes += of_layer;
      // Cycles are at most 2^53 in all, whatever the bandwidth.
      if (!(computes * 64 <= static_cast<double>(kLargestCount))) throw Error("the network is too large: its counts exceed 2^53");
      workload.total += given.count;
      const auto same = std::ranges::find(workload.layers, given.problem, &GymLayer::problem);
      if (same != workload.layers.end()) {
        same->count += given.count;
        continue;
      }
      try {
        workload.layers.push_back({given.name, given.problem, given.count,
                                   std::make_unique<const RowStationary>(given.problem, workload.rule, hardware)});
      } catch (const Error& error) {
        throw Error("layer " + in_quotes(given.name) + ": " + error.what());
      }
      const std::int64_t rows = given.problem.bound[index_of(Dim::S)];
      if (rows > kMostRows) {
        workload.warnings.push_back(printable(given.name) + " needs " + std::to_string(rows) +
                                    " rows of PEs, one for each row of the filter (S); no design has more than " +
                                    std::to_string(kMostRows) + ", so that none has a result");
      }
    }
  }

  static std::string why_none_fits(const GymLayer& layer, const Architecture& architecture) {
    const std::int64_t rows = layer.problem.bound[index_of(Dim::S)];
    if (rows > kMostRows)
      return "needs " + std::to_string(rows) + " rows of PEs (S); no design has more than " + std::to_string(kMostRows);
    const RowStationary::Needs needs = layer.mappings->needs(architecture);
    std::string helps;
    const auto add = [&](std::int64_t needed, const std::string& what, std::int64_t there) {
      if (needed == 0) return;
      helps += (helps.empty() ? "" : ", or ") + what + " " + std::to_string(there) + " -> " + std::to_string(needed);
    };
    const auto words = [&](std::int64_t needed, const char* what, ArchgymLevel level) {
      add(needed, std::string("words of ") + what, architecture.storage[level].size);
    };
    words(needs.tiles.psum, "psum", kPsumSpad);
    words(needs.tiles.weights, "weights", kWeightsSpad);
    words(needs.tiles.ifmap, "ifmap", kIfmapSpad);
    words(needs.tiles.glb, "glb", kSharedGlb);
    add(needs.array.rows, "rows of PEs (nPEs / 14)", architecture.storage[kPsumSpad].instances / kArrayColumns);
    add(needs.array.columns, "columns (meshX)", architecture.storage[kPsumSpad].mesh_x);
    if (helps.empty()) return "no mapping fits, and no single change is enough";
    return "no mapping fits; one of these changes is enough: " + helps;
  }
};

}  // namespace
}  // namespace timeloop

const Environment& timeloop_environment() {
  static const timeloop::GymEnvironment kEnvironment;
  return kEnvironment;
}

}  // namespace exarch
