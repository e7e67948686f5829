#include "host/maestro/environment.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

#include "host/error.hpp"
#include "host/files/data_dir.hpp"
#include "host/files/json.hpp"
#include "host/maestro/advice.hpp"
#include "host/maestro/cost.hpp"
#include "host/maestro/cuda.hpp"
#include "host/maestro/file.hpp"
#include "host/maestro/reference.hpp"
#include "host/maestro/rows.hpp"
#include "host/maestro/tables.hpp"
#include "kernels/maestro/totals.hpp"

namespace exarch {
namespace maestro {
namespace {

constexpr const char* kModelVersion = "maestro-e1d8efd8/1";
constexpr const char* kCarriedEnergy =
    "here every layer's energy is its own; MAESTRO's CSV file adds the L1 accesses of the layer before to that of a layer with "
    "clusters";

bool has_cluster(const Mapping& mapping) {
  return std::any_of(mapping.directive, mapping.directive + mapping.count,
                     [](const Directive& directive) { return directive.map == Map::cluster; });
}

std::uint64_t bits_of(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

void flatten(const Totals& totals, std::span<std::uint64_t> row) {
  const Counters& c = totals.counters;
  const std::int64_t values[] = {
      c.runtime,          c.num_macs,          c.l1_output,         c.l2_read[kInput], c.l2_read[kWeight], c.l2_read[kOutput],
      c.l2_write[kInput], c.l2_write[kWeight], c.l2_write[kOutput], c.l2_size,         c.l1_size,          c.peak_bw,
      c.bw_sum,           c.occurrences,       c.offchip_bw,        c.ingress.min,     c.ingress.max,      c.ingress.sum,
      c.egress.min,       c.egress.max,        c.egress.sum,        c.compute.min,     c.compute.max,      c.compute.sum,
      c.last_macs,        c.last_ingress,      c.l1_in_energy,      totals.impossible};
  static_assert(std::size(values) == kActivePes);
  std::ranges::transform(values, row.begin(), bits_of);
  row[kActivePes] = std::bit_cast<std::uint64_t>(c.active_pes);
}

Counters counters_of(std::span<const std::uint64_t> row) {
  const auto at = [row](std::size_t column) { return static_cast<std::int64_t>(row[column]); };
  Counters c{};
  c.runtime = at(kRuntime);
  c.num_macs = at(kMacs);
  c.l1_output = at(kL1Output);
  for (std::size_t t = 0; t < kTensors; ++t) {
    c.l2_read[t] = at(kL2ReadI + t);
    c.l2_write[t] = at(kL2WriteI + t);
  }
  c.l2_size = at(kL2Required);
  c.l1_size = at(kL1Required);
  c.l1_in_energy = at(kL1InEnergy);
  return c;
}

// A number as the tool prints it in its CSV file, read back.
double as_printed(double value) {
  char text[64];
  const char* end = std::to_chars(text, std::end(text), value, std::chars_format::general, 6).ptr;
  std::from_chars(text, end, value);
  return value;
}

// The environments' part of pricing that is the same for both.
void price_counts(const NetworkWorkload& workload, const Hardware& hardware, std::span<const std::uint64_t> row,
                  std::span<double> metrics) {
  const Counters c = counters_of(row);
  const auto n = [row](CounterColumn column) { return static_cast<double>(static_cast<std::int64_t>(row[column])); };
  const auto energy = energy_of(c);
  const AreaPower physical = area_and_power(c, hardware);
  const double lanes = static_cast<double>(hardware.num_pes) * hardware.num_simd_lanes;
  metrics[kRuntimeCycles] = n(kRuntime);
  metrics[kEnergyNj] = energy.tool_nj;
  metrics[kEdp] = energy.tool_nj * n(kRuntime);
  metrics[kAreaUm2] = physical.area_um2;
  metrics[kPowerMw] = physical.total_mw;
  metrics[kThroughput] = n(kMacs) / n(kRuntime);
  metrics[kUtilization] = static_cast<double>(workload.macs) / (n(kRuntime) * lanes);
  metrics[kNumMacs] = n(kMacs);
  metrics[kL1SizeReq] = n(kL1Required);
  metrics[kL2SizeReq] = n(kL2Required);
  metrics[kL1Over] = metrics[kL2Over] = 0;
  metrics[kImpossible] = n(kImpossibleLayers);
  metrics[kPeakBwReq] = n(kPeakBw);
  metrics[kAvgBwReq] = n(kBwSum) / n(kOccurrences);
  metrics[kOffchipBwReq] = n(kOffchip);
  metrics[kAvgActive] = std::bit_cast<double>(row[kActivePes]);
  metrics[kIntensity] = n(kLastMacs) / n(kLastIngress);
  metrics[kEnergyWithL1] = energy.with_l1_nj;
  metrics[kPePower] = physical.pe_mw;
  metrics[kL1Power] = physical.l1_mw;
  metrics[kL2Power] = physical.l2_mw;
  metrics[kNocPower] = physical.noc_mw;
  const double printed_energy = as_printed(energy.tool_nj), area = archgym_area(c);
  metrics[kArchgymThroughput] = as_printed(metrics[kThroughput]);
  metrics[kArchgymEnergy] = printed_energy;
  metrics[kArchgymArea] = area;
  metrics[kArchgymRewardLatency] = n(kRuntime) <= 0 ? -1 : 1 / n(kRuntime);
  metrics[kArchgymRewardEnergy] = printed_energy <= 0 ? -1 : 1 / (n(kRuntime) * printed_energy * 1e4);
  metrics[kArchgymRewardArea] = area <= 0 ? -1 : 1 / area;
}

// ---- the environments ---------------------------------------------------------------------------------------------------

class MaestroEnvironment : public Environment {
 public:
  MaestroEnvironment(std::vector<ParameterInfo> parameters, std::vector<DesignSpace> spaces)
      : parameters_(std::move(parameters)), spaces_(std::move(spaces)) {}

  std::string model_version() const override { return kModelVersion; }
  std::span<const ParameterInfo> parameters() const override { return parameters_; }
  std::span<const DesignSpace> spaces() const override { return spaces_; }
  std::vector<std::string> shipped_workloads() const override { return shipped_names("maestro/models"); }
  std::span<const CounterInfo> counters() const override { return counter_table(); }
  std::span<const MetricInfo> metrics() const override { return metric_table(); }
  std::string status_text(std::uint8_t status) const override { return name_of(static_cast<Status>(status)); }

  std::vector<WorkloadFact> describe_workload(const Workload& base) const override {
    const auto& workload = static_cast<const NetworkWorkload&>(base);
    return {{"layers", static_cast<std::uint64_t>(workload.total), "", "layers evaluated, one after the other"},
            {"different_layers", static_cast<std::uint64_t>(workload.layers.size()), "", "equal ones are evaluated once"},
            {"macs", static_cast<std::uint64_t>(workload.macs), "MACs", "of all layers"}};
  }

  void simulate(const Workload& base, std::span<const std::int64_t> designs, Engine engine, Backend& backend,
                Outcomes& outcomes) const override {
    const auto& workload = static_cast<const NetworkWorkload&>(base);
    const std::size_t count = designs.size() / parameters_.size();
    const std::size_t first = outcomes.status.size();
    outcomes.status.resize(first + count);
    outcomes.counters.resize((first + count) * kCounterColumns);
    const auto store = [&](std::size_t i, Status status, const Totals& totals) {
      outcomes.status[first + i] = static_cast<std::uint8_t>(status);
      if (status != Status::ok) return;
      flatten(totals, std::span(outcomes.counters).subspan((first + i) * kCounterColumns, kCounterColumns));
    };
    constexpr std::size_t kBlock = 32;
    const auto for_blocks = [&](const auto& body) {
      backend.pool().for_each((count + kBlock - 1) / kBlock, [&](std::size_t block, unsigned) {
        for (std::size_t i = block * kBlock; i < std::min(count, (block + 1) * kBlock); ++i) body(i);
      });
    };
    const auto design_at = [&](std::size_t i) { return designs.subspan(i * parameters_.size(), parameters_.size()); };
    if (engine == Engine::fast && backend.uses_cuda(count)) {
      std::vector<NetworkResult> results(count);
      run_on_cuda(workload, designs, backend, results);
      for_blocks([&](std::size_t i) { store(i, results[i].status, results[i].totals); });
      return;
    }
    for_blocks([&](std::size_t i) {
      Totals totals{};
      const Status status =
          engine == Engine::reference ? run_reference(workload, design_at(i), totals) : run(workload, design_at(i), totals);
      store(i, status, totals);
    });
  }

  bool takes_problems() const override { return true; }
  ProblemAnswer answer_problem(const std::string& text, const WorkloadOptions& options) const override {
    const Version version = version_among(options);
    nlohmann::ordered_json json;
    try {
      json = answer(parse_json<nlohmann::ordered_json>(text, "", TwiceKeys::last_counts), version);
    } catch (const Error& error) {
      json = invalid_answer(nullptr, std::string("not a JSON object: ") + error.what());
    }
    return {json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace), json.value("error", std::string())};
  }

  FileAnswers answer_file(const std::string& path, std::span<const std::int64_t> design,
                          const WorkloadOptions& options) const override {
    const Version version = version_among(options);
    const Hardware hardware = hardware_for(design);
    const Design defaults = default_design(parameters_);
    for (std::size_t p = 0; p < parameters_.size(); ++p) {
      Design changed = defaults;
      changed[p] = design[p];
      if (changed == defaults || hardware_for(changed) != hardware_for(defaults) || limits_of(changed) != limits_of(defaults))
        continue;
      throw UsageError("--set " + parameters_[p].name + " has no effect on " + path +
                       ", which has its own mappings; only the hardware of maestro is taken from --set");
    }
    FileAnswers file;
    bool carried = false;  // a layer behind another one, with a cluster
    const std::vector<NamedLayer> layers = read_network_file(path).layers;
    for (const NamedLayer& layer : layers) {
      const std::string where = path + ":" + std::to_string(layer.line) + ": layer '" + layer.name + "'";
      if (!layer.mapping) throw Error(where + " has no Dataflow block; add its mapping");
      nlohmann::ordered_json json = answer(layer.name, {layer.layer, *layer.mapping, hardware}, version, limits_of(design));
      carried = carried || (!file.answers.empty() && has_cluster(*layer.mapping));
      if (json.contains("warning")) file.notes.push_back(where + ": " + json["warning"].get<std::string>());
      if (json.contains("why")) {
        file.failed = true;
        file.notes.push_back(where + ": " + json["status"].get<std::string>() + ": " + json["why"].get<std::string>());
      }
      file.answers.push_back(json.dump());
    }
    if (carried) file.notes.push_back(path + ": " + kCarriedEnergy);
    return file;
  }

  std::vector<std::string> explain(const Workload& base, std::span<const std::int64_t> design,
                                   std::uint8_t /*status*/) const override {
    const auto& workload = static_cast<const NetworkWorkload&>(base);
    std::vector<std::string> sentences;
    for (std::size_t l = 0; l < workload.layers.size(); ++l) {
      Problem problem{workload.layers[l].layer, {}, hardware_for(design)};
      Counters counters{};
      Status status = decode_for(workload, design, problem.layer, problem.mapping);
      if (status == Status::ok) status = cpu_functions().problem(problem, workload.version, counters);
      if (status != Status::ok) {
        sentences.push_back(workload.label(l) + ": " + name_of(status) + ": " + why_not(problem, status));
        continue;
      }
      for (const std::string& objection : objections(problem, counters, limits_of(design))) {
        sentences.push_back(workload.label(l) + ": " + objection);
      }
    }
    return sentences;
  }

  std::string reference_input(const Workload& base, std::span<const std::int64_t> design) const override {
    const auto& workload = static_cast<const NetworkWorkload&>(base);
    const Hardware hardware = hardware_for(design);
    std::string notes = "// --num_pes=" + std::to_string(hardware.num_pes) +
                        " --num_simd_lanes=" + std::to_string(hardware.num_simd_lanes) +
                        " --noc_bw_cstr=" + std::to_string(hardware.noc_bw) +
                        " --noc_hops=1 --noc_hop_latency=" + std::to_string(hardware.noc_latency) +
                        " --offchip_bw_cstr=" + std::to_string(hardware.offchip_bw) + "\n";
    if (workload.layers.size() > 1) notes += std::string("// ") + kCarriedEnergy + "\n";
    NetworkFile file{"network", {}};
    for (const LayerCount& count : workload.layers) {
      Mapping mapping;
      Status status = decode_for(workload, design, count.layer, mapping);
      for (std::uint32_t d = 0; d < mapping.count && status == Status::ok; ++d) {
        if (mapping.directive[d].size <= 0) status = Status::non_positive_size;
      }
      if (status != Status::ok) throw Error(std::string("this design has no mapping to write: ") + name_of(status));
      const std::string& given = workload.names[file.layers.size()];
      const std::string name = given.empty() ? "layer" + std::to_string(file.layers.size()) : given;
      if (count.repeats > 1) notes += "// " + name + " stands for " + std::to_string(count.repeats) + " equal layers\n";
      file.layers.push_back({name, count.layer, mapping, 0});
    }
    return notes + write_network(file);
  }

  std::uint64_t signature() const override { return bench_signature(*this); }
  std::vector<Measurement> measure(const BenchOptions& options) const override { return bench_measure(options); }

 protected:
  // A candidate by the CPU's kernels.
  virtual Status run(const NetworkWorkload& workload, std::span<const std::int64_t> design, Totals& totals) const = 0;
  virtual void run_on_cuda(const NetworkWorkload& workload, std::span<const std::int64_t> designs, Backend& backend,
                           std::span<NetworkResult> results) const = 0;
  // The mapping of one layer, and the accelerator.
  virtual Status decode_for(const NetworkWorkload& workload, std::span<const std::int64_t> design, const Layer& layer,
                            Mapping& mapping) const = 0;
  virtual Hardware hardware_for(std::span<const std::int64_t> design) const = 0;
  // The buffers it may fill; none of an environment that does not limit them.
  virtual std::optional<Limits> limits_of(std::span<const std::int64_t> /*design*/) const { return std::nullopt; }

 private:
  // Problems take no other option than the version.
  static Version version_among(const WorkloadOptions& options) {
    Version version = Version::e1d8efd8;
    for (const auto& [name, value] : options) {
      if (name != kVersionName) throw UsageError("--" + name + " has no effect on recorded problems; leave it out");
      version = version_of(value);
    }
    return version;
  }

  Status run_reference(const NetworkWorkload& workload, std::span<const std::int64_t> design, Totals& totals) const {
    const Hardware hardware = hardware_for(design);
    bool first = true;
    for (const LayerCount& count : workload.layers) {
      Mapping mapping;
      Counters counters;
      Status status = decode_for(workload, design, count.layer, mapping);
      if (status == Status::ok) status = evaluate_reference(count.layer, mapping, hardware, workload.version, counters);
      if (status != Status::ok) return status;
      add(counters, count, hardware, first, totals);
      first = false;
    }
    return Status::ok;
  }

  std::vector<ParameterInfo> parameters_;
  std::vector<DesignSpace> spaces_;
};

class CleanEnvironment final : public MaestroEnvironment {
 public:
  CleanEnvironment() : MaestroEnvironment(clean_parameters(), clean_spaces(clean_parameters())) {}

  std::string name() const override { return "maestro"; }
  std::string doc() const override { return "dataflow mappings of neural-network layers on an accelerator, equal to MAESTRO"; }
  std::span<const std::size_t> tradeoffs() const override {
    static constexpr std::size_t kTimeEnergyArea[] = {kRuntimeCycles, kEnergyNj, kAreaUm2};
    return kTimeEnergyArea;
  }
  std::span<const std::pair<std::string, std::string>> objectives() const override { return clean_objectives(); }
  std::string sanity() const override { return kCleanSanity; }
  std::span<const WorkloadOption> workload_options() const override {
    static const std::vector<WorkloadOption> kTable{model_option(), layer_option("all"), version_option()};
    return kTable;
  }
  std::shared_ptr<const Workload> load_workload(const WorkloadOptions& given) const override {
    auto workload = load_network(complete_options(*this, given));
    for (std::size_t l = 0; l < workload->layers.size(); ++l) {
      std::string warning = stride_warning(workload->layers[l].layer, workload->label(l), workload->version);
      if (!warning.empty()) workload->warnings.push_back(workload->name + ", " + warning);
    }
    return workload;
  }

  // Tiles are clipped, so a larger one may mean the same everywhere.
  void canonicalise(const Workload& base, std::span<std::int64_t> design) const override {
    const auto& workload = static_cast<const NetworkWorkload&>(base);
    for (std::uint32_t t = 0; t < kTileds; ++t) {
      std::int64_t room = 1;
      for (const LayerCount& count : workload.layers) room = std::max<std::int64_t>(room, decoding::extent(count.layer, t));
      design[kKOuter + t] = std::min(design[kKOuter + t], room);
      design[kKInner + t] = std::min(design[kKInner + t], design[kKOuter + t]);
    }
    // What limits feasibility alone changes no counter.
    design[kL1Size] = design[kL2Size] = 1;
  }

  void price(const Workload& base, std::span<const std::int64_t> design, std::span<const std::uint64_t> counters,
             std::span<double> metrics) const override {
    price_counts(static_cast<const NetworkWorkload&>(base), hardware_for(design), counters, metrics);
    metrics[kL1Over] = std::max(0.0, metrics[kL1SizeReq] - static_cast<double>(design[kL1Size]));
    metrics[kL2Over] = std::max(0.0, metrics[kL2SizeReq] - static_cast<double>(design[kL2Size]));
  }

  // MAESTRO prints this for the default design.
  KnownResult known_result() const override { return {{{"model", "resnet18"}, {"layer", "2"}}, {}, "runtime_cycles", "1681061"}; }

 protected:
  Status run(const NetworkWorkload& workload, std::span<const std::int64_t> design, Totals& totals) const override {
    return cpu_functions().clean(clean_design_of(design), workload.view(), totals);
  }
  void run_on_cuda(const NetworkWorkload& workload, std::span<const std::int64_t> designs, Backend& backend,
                   std::span<NetworkResult> results) const override {
    std::vector<CleanDesign> genes(results.size());
    for (std::size_t i = 0; i < genes.size(); ++i) genes[i] = clean_design_of(designs.subspan(i * kCleanColumns, kCleanColumns));
    maestro::run_on_cuda(workload, std::span<const CleanDesign>(genes), backend.devices(), results);
  }
  Status decode_for(const NetworkWorkload& /*workload*/, std::span<const std::int64_t> design, const Layer& layer,
                    Mapping& mapping) const override {
    decode(clean_design_of(design), layer, mapping);
    return Status::ok;
  }
  Hardware hardware_for(std::span<const std::int64_t> design) const override { return clean_design_of(design).hardware; }
  std::optional<Limits> limits_of(std::span<const std::int64_t> design) const override {
    return Limits{design[kL1Size], design[kL2Size]};
  }
};

class ArchgymEnvironment final : public MaestroEnvironment {
 public:
  ArchgymEnvironment() : MaestroEnvironment(archgym_parameters(), archgym_spaces(archgym_parameters())) {}

  std::string name() const override { return "maestro-archgym"; }
  std::string doc() const override { return "ArchGym's MaestroGym: its 17 genes, as intended or as shipped, equal to MAESTRO"; }
  std::span<const std::size_t> tradeoffs() const override {
    static constexpr std::size_t kTimeEnergyArea[] = {kRuntimeCycles, kEnergyNj, kArchgymArea};
    return kTimeEnergyArea;
  }
  std::span<const std::pair<std::string, std::string>> objectives() const override { return archgym_objectives(); }
  std::string sanity() const override { return kArchgymSanity; }
  std::span<const WorkloadOption> workload_options() const override {
    static const std::vector<WorkloadOption> kTable{
        model_option(),
        layer_option("2"),  // the only one that ArchGym evaluates
        {"decode", "intended", "intended: genes as they are; shipped: as the released environment alters them"},
        version_option()};
    return kTable;
  }
  std::shared_ptr<const Workload> load_workload(const WorkloadOptions& given) const override {
    const WorkloadOptions options = complete_options(*this, given);
    auto workload = load_network(options);
    const std::string& decode = options.at("decode");
    if (decode != "intended" && decode != "shipped") {
      throw UsageError("decode = '" + decode + "': expected intended or shipped");
    }
    workload->shipped = decode == "shipped";
    workload->identity += "; genes as " + decode;
    for (const LayerCount& count : workload->layers) {
      for (const Dim dim : {Dim::K, Dim::C, Dim::X, Dim::Y}) {
        if (count.layer.size[index_of(dim)] == 0) throw Error(workload->name + ": ArchGym's layers have K, C, X and Y");
      }
    }
    return workload;
  }

  void canonicalise(const Workload& base, std::span<std::int64_t> design) const override {
    for (const ArchgymGene unread : {kKL1, kCL1, kXL1, kYL1}) design[unread] = 1;
    if (!static_cast<const NetworkWorkload&>(base).shipped) return;
    for (std::size_t g = 0; g < kArchgymGenes; ++g) design[g] = std::min<std::int64_t>(design[g], 1);
  }

  void price(const Workload& base, std::span<const std::int64_t> /*design*/, std::span<const std::uint64_t> counters,
             std::span<double> metrics) const override {
    price_counts(static_cast<const NetworkWorkload&>(base), kArchgymHardware, counters, metrics);
  }

  KnownResult known_result() const override {
    return {{{"model", "mobilenet_v2"}, {"layer", "40"}},
            {"seed_l2=163", "ckxy_l2=C", "s_l2=3", "r_l2=3", "k_l2=1", "c_l2=553", "x_l2=14", "y_l2=7", "ckxy_l1=Y", "s_l1=3",
             "r_l1=3", "seed_l1=103", "num_pe=435", "outer_seed=2803004767"},
            "runtime_cycles",
            "365053"};
  }

 protected:
  Status run(const NetworkWorkload& workload, std::span<const std::int64_t> design, Totals& totals) const override {
    const ArchgymDesign genes = archgym_design_of(design);
    return workload.shipped ? cpu_functions().shipped({genes}, workload.view(), totals)
                            : cpu_functions().archgym(genes, workload.view(), totals);
  }
  void run_on_cuda(const NetworkWorkload& workload, std::span<const std::int64_t> designs, Backend& backend,
                   std::span<NetworkResult> results) const override {
    const std::size_t columns = parameters().size();
    std::vector<ArchgymDesign> genes(results.size());
    for (std::size_t i = 0; i < genes.size(); ++i) genes[i] = archgym_design_of(designs.subspan(i * columns, columns));
    maestro::run_on_cuda(workload, std::span<const ArchgymDesign>(genes), backend.devices(), results);
  }
  Status decode_for(const NetworkWorkload& workload, std::span<const std::int64_t> design, const Layer& layer,
                    Mapping& mapping) const override {
    const ArchgymDesign genes = archgym_design_of(design);
    return decode(workload.shipped ? as_shipped(genes, layer) : genes, layer, mapping);
  }
  Hardware hardware_for(std::span<const std::int64_t> /*design*/) const override { return kArchgymHardware; }
};

}  // namespace

CleanDesign clean_design_of(std::span<const std::int64_t> design) {
  const auto at = [design](std::size_t column) { return static_cast<std::int32_t>(design[column]); };
  CleanDesign genes{};
  for (std::size_t t = 0; t < kTileds; ++t) {
    genes.tile[0][t] = at(kKOuter + t);
    genes.tile[1][t] = at(kKInner + t);
  }
  for (std::size_t l = 0; l < 2; ++l) {
    genes.spatial[l] = at(kSpatialOuter + l);
    genes.order[l] = at(kOrderOuter + l);
  }
  genes.cluster_size = at(kClusterSize);
  genes.hardware = {at(kNumPes), at(kSimdLanes), at(kNocBw), at(kNocLatency), at(kOffchipBw)};
  return genes;
}

ArchgymDesign archgym_design_of(std::span<const std::int64_t> design) {
  ArchgymDesign genes{};
  for (std::size_t g = 0; g < kArchgymGenes; ++g) genes.gene[g] = static_cast<std::uint32_t>(design[g]);
  genes.outer_seed = static_cast<std::uint32_t>(design[kArchgymGenes]);
  return genes;
}

}  // namespace maestro

const Environment& maestro_environment() {
  static const maestro::CleanEnvironment kEnvironment;
  return kEnvironment;
}

const Environment& maestro_archgym_environment() {
  static const maestro::ArchgymEnvironment kEnvironment;
  return kEnvironment;
}

}  // namespace exarch
