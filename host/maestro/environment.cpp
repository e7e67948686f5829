#include "host/maestro/environment.hpp"

#include <algorithm>
#include <limits>

#include "host/env/model.hpp"
#include "host/error.hpp"
#include "host/files/data_dir.hpp"
#include "host/files/json.hpp"
#include "host/maestro/advice.hpp"
#include "host/maestro/cost.hpp"
#include "host/maestro/device.hpp"
#include "host/maestro/file.hpp"
#include "host/maestro/reference.hpp"
#include "host/maestro/rows.hpp"
#include "host/maestro/tables.hpp"
#include "kernels/maestro/network.hpp"
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

// A network's totals on an accelerator, priced. The constants are the tool's.
void price_totals(const NetworkWorkload& workload, const Hardware& hardware, const std::optional<Limits>& limits,
                  std::span<const std::uint64_t> counters, std::span<double> metrics) {
  Totals totals{};
  for_each_row<kCounters>([&](std::size_t i, const CounterRow& row) { row.set(totals, counters[i]); });
  const Counters& c = totals.counters;
  constexpr double kNone = std::numeric_limits<double>::infinity();
  const Energy energy = energy_of(c);
  const Priced priced{c,
                      static_cast<double>(totals.impossible),
                      static_cast<double>(c.runtime),
                      energy,
                      area_and_power(c, hardware),
                      static_cast<double>(hardware.num_pes) * hardware.num_simd_lanes,
                      static_cast<double>(workload.macs),
                      limits ? static_cast<double>(limits->l1) : kNone,
                      limits ? static_cast<double>(limits->l2) : kNone,
                      as_printed(energy.tool_nj),
                      archgym_area(c)};
  for_each_row<kMetrics>([&](std::size_t i, const MetricRow& row) { metrics[i] = row.of(priced); });
}

// ---- the environments ---------------------------------------------------------------------------------------------------

Description describe_model() {
  Description d;
  d.model_version = kModelVersion;
  d.counters = counter_table();
  d.metrics = metric_table();
  d.statuses.clear();
  for (std::uint32_t status = 0; status < kStatuses; ++status) d.statuses.emplace_back(name_of(static_cast<Status>(status)));
  d.takes_problems = true;
  return d;
}

// What the two have in common; `Design` is what a candidate is to the kernels.
template <class Design>
class MaestroEnvironment : public Model<NetworkWorkload, Design, NetworkResult, NoWorker, 32> {
 public:
  using Model<NetworkWorkload, Design, NetworkResult, NoWorker, 32>::Model;

  std::vector<std::string> shipped_workloads() const override { return shipped_names("maestro/models"); }

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
    const auto parameters = this->parameters();
    const std::vector<std::int64_t> defaults = default_design(parameters);
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      std::vector<std::int64_t> changed = defaults;
      changed[p] = design[p];
      if (changed == defaults || hardware_for(changed) != hardware_for(defaults) || limits_of(changed) != limits_of(defaults))
        continue;
      throw UsageError("--set " + parameters[p].name + " has no effect on " + path +
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

  std::uint64_t signature() const override { return bench_signature(*this); }
  std::vector<Measurement> measure(const BenchOptions& options) const override { return bench_measure(options); }

 protected:
  // A candidate by the CPU's kernels.
  virtual Status evaluate(const NetworkWorkload& workload, const Design& design, Totals& totals) const = 0;
  // The mapping of one layer.
  virtual Status decode_for(const NetworkWorkload& workload, const Design& design, const Layer& layer,
                            Mapping& mapping) const = 0;
  // The buffers it may fill; none of an environment that does not limit them.
  virtual std::optional<Limits> limits_of(std::span<const std::int64_t> /*design*/) const { return std::nullopt; }

  void run(NoWorker& /*worker*/, const NetworkWorkload& workload, const Design& design, Engine engine,
           NetworkResult& result) const override {
    result.status =
        engine == Engine::reference ? run_reference(workload, design, result.totals) : evaluate(workload, design, result.totals);
  }
  bool runs_on_devices(const NetworkWorkload& /*workload*/) const override { return true; }
  void keep(const NetworkWorkload& /*workload*/, const NetworkResult& result, OutcomeRow row) const override {
    row.status = static_cast<std::uint8_t>(result.status);
    if (result.status != Status::ok) return;
    Totals totals = result.totals;
    for_each_row<kCounters>([&](std::size_t i, const CounterRow& counter) { row.counters[i] = counter.bits(totals); });
  }

  std::vector<WorkloadFact> do_describe_workload(const NetworkWorkload& workload) const override {
    return {{"layers", static_cast<std::uint64_t>(workload.total), "", "layers evaluated, one after the other"},
            {"different_layers", static_cast<std::uint64_t>(workload.layers.size()), "", "equal ones are evaluated once"},
            {"macs", static_cast<std::uint64_t>(workload.macs), "MACs", "of all layers"}};
  }

  void do_price(const NetworkWorkload& workload, std::span<const std::int64_t> design, std::span<const std::uint64_t> counters,
                std::span<double> metrics) const override {
    price_totals(workload, hardware_for(design), limits_of(design), counters, metrics);
  }

  std::vector<std::string> do_explain(const NetworkWorkload& workload, std::span<const std::int64_t> design,
                                      std::uint8_t /*status*/) const override {
    std::vector<std::string> sentences;
    for (std::size_t l = 0; l < workload.layers.size(); ++l) {
      Problem problem{workload.layers[l].layer, {}, hardware_for(design)};
      Counters counters{};
      Status status = decode_for(workload, this->candidate_of(design), problem.layer, problem.mapping);
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

  std::string do_reference_input(const NetworkWorkload& workload, std::span<const std::int64_t> design) const override {
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
      Status status = decode_for(workload, this->candidate_of(design), count.layer, mapping);
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

  Hardware hardware_for(std::span<const std::int64_t> design) const { return hardware_of(this->candidate_of(design)); }

  Status run_reference(const NetworkWorkload& workload, const Design& design, Totals& totals) const {
    const Hardware hardware = hardware_of(design);
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
};

Description describe_clean() {
  Description d = describe_model();
  d.name = "maestro";
  d.doc = "dataflow mappings of neural-network layers on an accelerator, equal to MAESTRO";
  d.parameters = clean_parameters();
  d.spaces = clean_spaces(d.parameters);
  d.workload_options = {model_option(), layer_option("all"), version_option()};
  d.tradeoffs = {metric("runtime_cycles"), metric("energy_nj"), metric("area_um2")};
  d.objectives = clean_objectives();
  d.sanity = kCleanSanity;
  // MAESTRO prints this for the default design.
  d.known_result = {{{"model", "resnet18"}, {"layer", "2"}}, {}, "runtime_cycles", "1681061"};
  return d;
}

class CleanEnvironment final : public MaestroEnvironment<CleanDesign> {
 public:
  CleanEnvironment() : MaestroEnvironment(describe_clean()) {}

  std::shared_ptr<const NetworkWorkload> load(const WorkloadOptions& given) const override {
    auto workload = load_network(complete_options(*this, given));
    for (std::size_t l = 0; l < workload->layers.size(); ++l) {
      std::string warning = stride_warning(workload->layers[l].layer, workload->label(l), workload->version);
      if (!warning.empty()) workload->warnings.push_back(workload->name + ", " + warning);
    }
    return workload;
  }

 protected:
  CleanDesign candidate_of(std::span<const std::int64_t> design) const override { return clean_design_of(design); }
  Status evaluate(const NetworkWorkload& workload, const CleanDesign& design, Totals& totals) const override {
    return cpu_functions().clean(design, workload.view(), totals);
  }
  void run_on_devices(const NetworkWorkload& workload, std::span<const CleanDesign> designs, Devices& devices,
                      std::span<NetworkResult> results) const override {
    maestro::run_on_devices(workload, designs, devices, results);
  }
  Status decode_for(const NetworkWorkload& /*workload*/, const CleanDesign& design, const Layer& layer,
                    Mapping& mapping) const override {
    decode(design, layer, mapping);
    return Status::ok;
  }
  std::optional<Limits> limits_of(std::span<const std::int64_t> design) const override {
    return Limits{design[clean_parameter("L1_size")], design[clean_parameter("L2_size")]};
  }

  // Tiles are clipped, so a larger one may mean the same everywhere.
  void do_canonicalise(const NetworkWorkload& workload, std::span<std::int64_t> design) const override {
    for (std::uint32_t t = 0; t < kTileds; ++t) {
      std::int64_t room = 1;
      for (const LayerCount& count : workload.layers) room = std::max<std::int64_t>(room, decoding::extent(count.layer, t));
      std::int64_t& outer = design[clean_parameter("K_outer") + t];
      std::int64_t& inner = design[clean_parameter("K_inner") + t];
      outer = std::min(outer, room);
      inner = std::min(inner, outer);
    }
    // What limits feasibility alone changes no counter.
    design[clean_parameter("L1_size")] = design[clean_parameter("L2_size")] = 1;
  }
};

Description describe_archgym() {
  Description d = describe_model();
  d.name = "maestro-archgym";
  d.doc = "ArchGym's MaestroGym: its 17 genes, as intended or as shipped, equal to MAESTRO";
  d.parameters = archgym_parameters();
  d.spaces = archgym_spaces(d.parameters);
  d.workload_options = {model_option(),
                        layer_option("2"),  // the only one that ArchGym evaluates
                        {"decode", "intended", "intended: genes as they are; shipped: as the released environment alters them"},
                        version_option()};
  d.tradeoffs = {metric("runtime_cycles"), metric("energy_nj"), metric("archgym_area")};
  d.objectives = archgym_objectives();
  d.sanity = kArchgymSanity;
  d.known_result = {{{"model", "mobilenet_v2"}, {"layer", "40"}},
                    {"seed_l2=163", "ckxy_l2=C", "s_l2=3", "r_l2=3", "k_l2=1", "c_l2=553", "x_l2=14", "y_l2=7", "ckxy_l1=Y",
                     "s_l1=3", "r_l1=3", "seed_l1=103", "num_pe=435", "outer_seed=2803004767"},
                    "runtime_cycles",
                    "365053"};
  return d;
}

class ArchgymEnvironment final : public MaestroEnvironment<ArchgymDesign> {
 public:
  ArchgymEnvironment() : MaestroEnvironment(describe_archgym()) {}

  std::shared_ptr<const NetworkWorkload> load(const WorkloadOptions& given) const override {
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

 protected:
  ArchgymDesign candidate_of(std::span<const std::int64_t> design) const override { return archgym_design_of(design); }
  Status evaluate(const NetworkWorkload& workload, const ArchgymDesign& design, Totals& totals) const override {
    return workload.shipped ? cpu_functions().shipped({design}, workload.view(), totals)
                            : cpu_functions().archgym(design, workload.view(), totals);
  }
  void run_on_devices(const NetworkWorkload& workload, std::span<const ArchgymDesign> designs, Devices& devices,
                      std::span<NetworkResult> results) const override {
    if (!workload.shipped) {
      maestro::run_on_devices(workload, designs, devices, results);
      return;
    }
    std::vector<ShippedDesign> shipped;
    for (const ArchgymDesign& design : designs) shipped.push_back({design});
    maestro::run_on_devices(workload, std::span<const ShippedDesign>(shipped), devices, results);
  }
  Status decode_for(const NetworkWorkload& workload, const ArchgymDesign& design, const Layer& layer,
                    Mapping& mapping) const override {
    return decode(workload.shipped ? as_shipped(design, layer) : design, layer, mapping);
  }

  void do_canonicalise(const NetworkWorkload& workload, std::span<std::int64_t> design) const override {
    for (std::size_t g = 0; g < std::size(kArchgymRows); ++g) {
      if (kArchgymRows[g].kind == GeneKind::unread) design[g] = 1;
    }
    if (!workload.shipped) return;
    for (std::size_t g = 0; g < kArchgymGenes; ++g) design[g] = std::min<std::int64_t>(design[g], 1);
  }
};

}  // namespace

CleanDesign clean_design_of(std::span<const std::int64_t> design) {
  CleanDesign genes{};
  for_each_row<kCleanRows>([&](std::size_t i, const CleanRow& row) { row.set(genes, static_cast<std::int32_t>(design[i])); });
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
