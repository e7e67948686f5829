#include "host/env/maestro.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>

#include "host/env/maestro_cost.hpp"
#include "host/env/maestro_cuda.hpp"
#include "host/env/maestro_rows.hpp"
#include "host/error.hpp"
#include "host/reference/maestro_reference.hpp"
#include "host/spec/data_dir.hpp"
#include "host/spec/maestro_file.hpp"
#include "host/spec/maestro_layers.hpp"
#include "kernels/maestro/totals.hpp"

namespace exarch {
namespace maestro {
namespace {

constexpr const char* kModelVersion = "maestro-e1d8efd8/1";

// ---- parameters and spaces ----------------------------------------------------------------------------------------------

enum CleanColumn : std::size_t {
  kKOuter,
  kCOuter,
  kYOuter,
  kXOuter,
  kKInner,
  kCInner,
  kYInner,
  kXInner,
  kSpatialOuter,
  kSpatialInner,
  kOrderOuter,
  kOrderInner,
  kClusterSize,
  kNumPes,
  kSimdLanes,
  kNocBw,
  kNocLatency,
  kOffchipBw,
  kL1Size,
  kL2Size,
  kCleanColumns
};

ParameterInfo category(std::string name, std::vector<std::string> labels, std::int64_t default_value, std::string doc) {
  const auto last = static_cast<std::int64_t>(labels.size()) - 1;
  return {std::move(name), ParameterKind::categorical, std::move(labels), 0, last, default_value, "", std::move(doc)};
}

ParameterInfo number(std::string name, std::int64_t minimum, std::int64_t maximum, std::int64_t default_value, std::string unit,
                     std::string doc) {
  return {std::move(name), ParameterKind::integer, {}, minimum, maximum, default_value, std::move(unit), std::move(doc)};
}

// The permutations of the tiled dimensions in the order decode() numbers them.
std::vector<std::string> orders() {
  std::string order = "0123";
  std::vector<std::string> names;
  do {
    std::string name;
    for (const char place : order) name += "KCYX"[place - '0'];
    names.push_back(name);
  } while (std::ranges::next_permutation(order).found);
  return names;
}

constexpr std::int64_t kLargestTile = 65536;
constexpr std::int64_t kLargestBw = 1 << 30;

std::vector<ParameterInfo> clean_parameters() {
  const std::string clipped = "; clipped to what there is";
  return {
      number("K_outer", 1, kLargestTile, 16, "channels", "output channels of an outer tile" + clipped),
      number("C_outer", 1, kLargestTile, 16, "channels", "input channels of an outer tile" + clipped),
      number("Y_outer", 1, kLargestTile, 7, "rows", "output rows of an outer tile" + clipped),
      number("X_outer", 1, kLargestTile, 7, "columns", "output columns of an outer tile" + clipped),
      number("K_inner", 1, kLargestTile, 1, "channels", "output channels of an inner tile" + clipped),
      number("C_inner", 1, kLargestTile, 1, "channels", "input channels of an inner tile" + clipped),
      number("Y_inner", 1, kLargestTile, 1, "rows", "output rows of an inner tile" + clipped),
      number("X_inner", 1, kLargestTile, 1, "columns", "output columns of an inner tile" + clipped),
      category("spatial_outer", {"K", "C", "Y", "X"}, 0, "dimension spread over sub-clusters"),
      category("spatial_inner", {"K", "C", "Y", "X"}, 1, "dimension spread over the PEs of a sub-cluster"),
      category("order_outer", orders(), 0, "outer loop nest, outermost first"),
      category("order_inner", orders(), 0, "inner loop nest, outermost first"),
      number("cluster_size", 1, kLargestTile, 16, "PEs", "PEs per sub-cluster"),
      number("num_pes", 1, kLargestTile, 256, "PEs", "processing elements; those beyond whole sub-clusters idle"),
      number("num_simd_lanes", 1, 1024, 1, "MACs/cycle", "lanes of a PE"),
      number("noc_bw", 1, kLargestBw, 64, "elements/cycle", "bandwidth of the on-chip networks"),
      number("noc_latency", 0, 1000000, 1, "cycles", "of a transfer: hops times latency of a hop"),
      number("offchip_bw", 1, kLargestBw, 64, "elements/cycle", "bandwidth to memory"),
      number("L1_size", 1, kLargestBw, 2048, "elements", "buffer of a PE; a mapping that needs more is infeasible"),
      number("L2_size", 1, kLargestBw, 1 << 20, "elements", "shared buffer; a mapping that needs more is infeasible"),
  };
}

constexpr std::int64_t kMaxU32 = std::numeric_limits<std::uint32_t>::max();

std::vector<ParameterInfo> archgym_parameters() {
  const auto seed = [](std::string name, std::string doc) { return number(std::move(name), 0, kMaxU32, 0, "", std::move(doc)); };
  const auto tile = [](std::string name, std::int64_t standard, std::string doc) {
    return number(std::move(name), 0, kLargestTile, standard, "", std::move(doc));
  };
  const std::vector<std::string> dims{"K", "C", "X", "Y"};
  const std::string unread = "never read";
  return {seed("seed_l2", "order of the outer tiles, and the cluster size"),
          category("ckxy_l2", dims, 0, "dimension spread over the PEs of a sub-cluster"),
          tile("s_l2", 3, "inner tile of S"),
          tile("r_l2", 3, "inner tile of R"),
          tile("k_l2", 16, "inner tile of K; the outer one is drawn below"),
          tile("c_l2", 16, "inner tile of C; the outer one is drawn below"),
          tile("x_l2", 16, "inner tile of X'; the outer one is drawn below"),
          tile("y_l2", 16, "inner tile of Y'; the outer one is drawn below"),
          category("ckxy_l1", dims, 0, "dimension spread over sub-clusters"),
          tile("s_l1", 3, "outer tile of S"),
          tile("r_l1", 3, "outer tile of R"),
          tile("k_l1", 1, unread),
          tile("c_l1", 1, unread),
          tile("x_l1", 1, unread),
          tile("y_l1", 1, unread),
          seed("seed_l1", "order of the inner tiles"),
          tile("num_pe", 1024, "advances the generator; the tool always gets 1,024 PEs"),
          seed("outer_seed", "of the outer tiles, which ArchGym draws from whatever the evaluation before left")};
}

std::vector<std::int64_t> range(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> values;
  for (std::int64_t v = first; v <= last; ++v) values.push_back(v);
  return values;
}

using Values = std::vector<std::pair<std::size_t, std::vector<std::int64_t>>>;

// All parameters not listed have their default.
DesignSpace space_with(const std::vector<ParameterInfo>& parameters, const std::string& name, const std::string& doc,
                       const Values& listed) {
  std::vector<std::vector<std::int64_t>> values;
  for (const ParameterInfo& parameter : parameters) values.push_back({parameter.default_value});
  for (const auto& [column, list] : listed) values[column] = list;
  return {name, doc, parameters, std::move(values)};
}

std::vector<DesignSpace> clean_spaces(const std::vector<ParameterInfo>& parameters) {
  const std::vector<std::int64_t> channels{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
  const std::vector<std::int64_t> axis{1, 2, 4, 7, 8, 14, 16, 28, 32, 56, 112, 224};
  const std::vector<std::int64_t> inner_channels{1, 2, 4, 8, 16, 32, 64, 128}, inner_axis{1, 2, 3, 4, 7, 8, 14, 28};
  const std::vector<std::int64_t> clusters{1, 2, 4, 8, 16, 32, 64, 128, 256};
  Values mapping{{kKOuter, channels},
                 {kCOuter, channels},
                 {kYOuter, axis},
                 {kXOuter, axis},
                 {kKInner, inner_channels},
                 {kCInner, inner_channels},
                 {kYInner, inner_axis},
                 {kXInner, inner_axis},
                 {kSpatialOuter, range(0, 3)},
                 {kSpatialInner, range(0, 3)},
                 {kOrderOuter, range(0, 23)},
                 {kOrderInner, range(0, 23)},
                 {kClusterSize, clusters}};
  Values codesign = mapping;
  codesign.insert(codesign.end(), {{kNumPes, {64, 128, 256, 512, 1024, 2048, 4096}},
                                   {kNocBw, {8, 16, 32, 64, 128, 256, 512}},
                                   {kOffchipBw, {8, 16, 32, 64, 128, 256}},
                                   {kL1Size, {256, 512, 1024, 2048, 4096, 8192, 16384}},
                                   {kL2Size, {1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22}}});
  const std::vector<std::int64_t> few{1, 4, 16, 64}, few_axis{1, 7, 14, 56}, few_orders{0, 7, 16, 23};
  const Values small{{kKOuter, few},
                     {kCOuter, few},
                     {kYOuter, few_axis},
                     {kXOuter, few_axis},
                     {kKInner, {1, 4, 16}},
                     {kCInner, {1, 4, 16}},
                     {kYInner, {1, 7}},
                     {kXInner, {1, 7}},
                     {kSpatialOuter, range(0, 3)},
                     {kSpatialInner, range(0, 3)},
                     {kOrderOuter, few_orders},
                     {kClusterSize, {8, 16, 64}}};
  return {space_with(parameters, "mapping", "two-level mappings on the default accelerator", mapping),
          space_with(parameters, "codesign", "the same mappings together with the accelerator", codesign),
          space_with(parameters, "mapping-small", "few values of each, to be swept from end to end", small)};
}

// ArchGym's ranges for the only layer it evaluates, ResNet18's layer 2 (64 x 64 channels, 56 x 56, filter 3 x 3); the genes that
// are never read stay where they are.
std::vector<DesignSpace> archgym_spaces(const std::vector<ParameterInfo>& parameters) {
  const auto make = [&](const std::string& name, const std::string& doc, std::int64_t below,
                        const std::vector<std::int64_t>& filter) {
    const auto channels = range(1, 64 - below), axis = range(1, 56 - below), seeds = range(0, 719), dims = range(0, 3);
    return space_with(parameters, name, doc,
                      {{kSeedL2, seeds},
                       {kParallelL2, dims},
                       {kSL2, filter},
                       {kRL2, filter},
                       {kKL2, channels},
                       {kCL2, channels},
                       {kXL2, axis},
                       {kYL2, axis},
                       {kParallelL1, dims},
                       {kSL1, filter},
                       {kRL1, filter},
                       {kSeedL1, seeds},
                       {kNumPe, range(1, 1024 - below)}});
  };
  return {make("archgym-ga", "ranges of ArchGym's GA and BO on ResNet18's layer 2", 0, {2, 3}),
          make("archgym-aco", "ranges of ArchGym's ant colony and random walker on the same: filters cut by one", 1, {2}),
          make("archgym-full-filter", "the same with whole filters, which alone count what the layer computes", 0, {3})};
}

// ---- tables -------------------------------------------------------------------------------------------------------------

enum CounterColumn : std::size_t {
  kRuntime,
  kMacs,
  kL1Output,
  kL2ReadI,
  kL2ReadW,
  kL2ReadO,
  kL2WriteI,
  kL2WriteW,
  kL2WriteO,
  kL2Required,
  kL1Required,
  kPeakBw,
  kBwSum,
  kOccurrences,
  kOffchip,
  kIngressMin,
  kIngressMax,
  kIngressSum,
  kEgressMin,
  kEgressMax,
  kEgressSum,
  kComputeMin,
  kComputeMax,
  kComputeSum,
  kLastMacs,
  kLastIngress,
  kL1InEnergy,
  kImpossibleLayers,
  kActivePes,
  kCounterColumns
};

const std::vector<CounterInfo>& counter_table() {
  using Kind = CounterInfo::Kind;
  constexpr Kind kSigned = Kind::integer;  // mappings that make no sense give negative ones
  static const std::vector<CounterInfo> kTable{
      {"runtime", "cycles", "of all layers, one after the other", false, kSigned},
      {"num_macs", "MACs", "as the model counts them", false, kSigned},
      {"output_l1", "accesses", "outputs read, and as many written, in L1", true, kSigned},
      {"input_l2_read", "elements", "inputs read from L2", false, kSigned},
      {"filter_l2_read", "elements", "weights read from L2", false, kSigned},
      {"output_l2_read", "elements", "outputs read from L2", false, kSigned},
      {"input_l2_write", "elements", "inputs written into L2", false, kSigned},
      {"filter_l2_write", "elements", "weights written into L2", false, kSigned},
      {"output_l2_write", "elements", "outputs written into L2", false, kSigned},
      {"l2_size_req", "elements", "L2 that the most demanding layer needs", false, kSigned},
      {"l1_size_req", "elements", "L1 that it needs per PE", false, kSigned},
      {"peak_bw_req", "elements/cycle", "largest demand on the on-chip network", false, kSigned},
      {"bw_sum", "elements/cycle", "its demand over all occurrences of all cases", true, kSigned},
      {"occurrences", "1", "of all iteration cases", true, kSigned},
      {"offchip_bw_req", "elements/cycle", "as the tool halves it case by case", false, kSigned},
      {"ingress_min", "cycles", "shortest delay of inputs", false, kSigned},
      {"ingress_max", "cycles", "longest", false, kSigned},
      {"ingress_sum", "cycles", "sum over all occurrences", true, kSigned},
      {"egress_min", "cycles", "shortest delay of outputs", false, kSigned},
      {"egress_max", "cycles", "longest", false, kSigned},
      {"egress_sum", "cycles", "sum over all occurrences", true, kSigned},
      {"compute_min", "cycles", "shortest computation of a case", false, kSigned},
      {"compute_max", "cycles", "longest", false, kSigned},
      {"compute_sum", "cycles", "sum over all occurrences", true, kSigned},
      {"last_macs", "MACs", "of the last iteration case", true, kSigned},
      {"last_ingress", "elements", "of the last iteration case", true, kSigned},
      {"l1_in_energy", "1", "whether the tool's energy has L1", true, kSigned},
      {"impossible_layers", "layers", "layers whose result contradicts arithmetic", false, kSigned},
      {"avg_active_pes", "sub-clusters", "in use, on average", false, Kind::real},
  };
  return kTable;
}

enum MetricColumn : std::size_t {
  kRuntimeCycles,
  kEnergyNj,
  kEdp,
  kAreaUm2,
  kPowerMw,
  kThroughput,
  kUtilization,
  kNumMacs,
  kL1SizeReq,
  kL2SizeReq,
  kL1Over,
  kL2Over,
  kImpossible,
  kPeakBwReq,
  kAvgBwReq,
  kOffchipBwReq,
  kAvgActive,
  kIntensity,
  kEnergyWithL1,
  kPePower,
  kL1Power,
  kL2Power,
  kNocPower,
  kArchgymThroughput,
  kArchgymEnergy,
  kArchgymArea,
  kArchgymRewardLatency,
  kArchgymRewardEnergy,
  kArchgymRewardArea,
  kMetricColumns
};

const std::vector<MetricInfo>& metric_table() {
  static const std::vector<MetricInfo> kTable{
      {"runtime_cycles", "cycles", "of all layers", 0},
      {"energy_nj", "nJ", "MAESTRO's: multiply-accumulates free, L2 accesses, no L1 where there is a cluster"},
      {"edp_nj_cycles", "nJ*cycles", "energy times cycles", 0},
      {"area_um2", "um2", "PEs with the L1 and L2 that the mapping needs, bus and arbiter"},
      {"power_mw", "mW", "of the same"},
      {"throughput", "MACs/cycle", "multiply-accumulates per cycle", 4},
      {"utilization", "1", "throughput over the lanes of all PEs", 6},
      {"num_macs", "MACs", "as the model counts them", 0},
      {"l1_size_req", "elements", "L1 per PE that the mapping needs, double-buffered", 0},
      {"l2_size_req", "elements", "L2 that it needs, double-buffered", 0},
      {"l1_over", "elements", "what it needs beyond L1_size", 0},
      {"l2_over", "elements", "what it needs beyond L2_size", 0},
      {"impossible", "layers", "layers with more MACs per cycle than lanes, or with other MACs than the layer's", 0},
      {"peak_bw_req", "elements/cycle", "largest demand on the on-chip network", 0},
      {"avg_bw_req", "elements/cycle", "its average demand"},
      {"offchip_bw_req", "elements/cycle", "the tool's figure, which shrinks with the number of iteration cases", 0},
      {"avg_active_pes", "sub-clusters", "in use, on average"},
      {"arithmetic_intensity", "MACs/element", "of the last iteration case"},
      {"energy_with_l1_nj", "nJ", "with L1 accesses in every case; not MAESTRO's"},
      {"pe_power_mw", "mW", "share of the PEs' lanes"},
      {"l1_power_mw", "mW", "share of L1"},
      {"l2_power_mw", "mW", "share of L2"},
      {"noc_power_mw", "mW", "share of bus and arbiter"},
      {"archgym_throughput", "MACs/cycle", "as ArchGym reads it, 6 digits", 6},
      {"archgym_energy", "nJ", "as ArchGym reads it, 6 digits"},
      {"archgym_area", "um2", "ArchGym's own area, of 1,024 PEs"},
      {"archgym_reward_latency", "1/cycles", "1 / runtime; -1 if that is not positive", 18},
      {"archgym_reward_energy", "1", "1 / (runtime * energy * 1e4); -1 if energy is not positive", 24},
      {"archgym_reward_area", "1/um2", "1 / area; -1 if that is not positive", 18},
  };
  return kTable;
}

using Objectives = std::vector<std::pair<std::string, std::string>>;

// Results that arithmetic forbids and mappings that do not fit are infeasible, except to what ArchGym rewards.
const Objectives& clean_objectives() {
  static const Objectives kTable = [] {
    const std::string feasible = ",impossible<=0,l1_over<=0,l2_over<=0";
    return Objectives{{"latency", "min:runtime_cycles" + feasible},
                      {"energy", "min:energy_nj" + feasible},
                      {"edp", "min:edp_nj_cycles" + feasible},
                      {"area", "min:area_um2" + feasible},
                      {"power", "min:power_mw" + feasible},
                      {"throughput", "max:throughput" + feasible},
                      {"energy-with-l1", "min:energy_with_l1_nj" + feasible}};
  }();
  return kTable;
}

const Objectives& archgym_objectives() {
  static const Objectives kTable{
      {"latency", "min:runtime_cycles,impossible<=0"},   {"energy", "min:energy_nj,impossible<=0"},
      {"edp", "min:edp_nj_cycles,impossible<=0"},        {"area", "min:archgym_area,impossible<=0"},
      {"archgym-latency", "max:archgym_reward_latency"}, {"archgym-energy", "max:archgym_reward_energy"},
      {"archgym-area", "max:archgym_reward_area"}};
  return kTable;
}

constexpr const char* kVersionName = "model-version";

WorkloadOption model_option() {
  return {"model",
          "resnet18",
          "a shipped network's name, or the path of a table of layers (.csv) or of a MAESTRO file (.m)",
          WorkloadOption::Kind::file,
          0,
          0,
          true};
}

WorkloadOption layer_option(const std::string& standard) {
  return {"layer", standard, "a layer's number, from 0, or its name; all: the whole network"};
}

WorkloadOption version_option() {
  return {kVersionName, "e1d8efd8", "MAESTRO's: e1d8efd8 (what GAMMA and ArchGym build) or head (4eb08d1)"};
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

// ---- workloads ----------------------------------------------------------------------------------------------------------

std::string describe(const Layer& layer) {
  std::string text(name_of(layer.type));
  for (std::uint32_t d = 0; d < kDims; ++d) {
    if (layer.size[d] == 0) continue;
    text += " " + std::string(name_of(static_cast<Dim>(d))) + std::to_string(layer.size[d]);
    if (layer.stride[d] != 1) text += "/" + std::to_string(layer.stride[d]);
  }
  return text;
}

// "all", a number from 0 or a layer's name; the numbers of the layers meant.
std::vector<std::size_t> chosen_layers(const std::vector<LayerEntry>& layers, const std::string& choice,
                                       const std::string& model) {
  std::vector<std::size_t> all(layers.size());
  for (std::size_t l = 0; l < layers.size(); ++l) all[l] = l;
  if (choice == "all") return all;
  std::vector<std::string> names;
  for (const LayerEntry& layer : layers) {
    if (!layer.name.empty()) names.push_back(layer.name);
  }
  for (std::size_t l = 0; l < layers.size(); ++l) {
    if (layers[l].name == choice) return {l};
  }
  std::size_t number = 0;
  const char* end = choice.data() + choice.size();
  const auto [stop, error] = std::from_chars(choice.data(), end, number);
  if (error == std::errc{} && stop == end && number < layers.size()) return {number};
  throw UsageError("layer = '" + choice + "': " + model + " has the layers 0 to " + std::to_string(layers.size() - 1) +
                   (names.empty() ? "" : ", which may be named" + did_you_mean(choice, names)) + ", and \"all\"");
}

// Matrix products as ArchGym writes them; what two levels of K, C, Y, X tiles cannot express is an error.
Layer as_convolution(const LayerEntry& entry, std::size_t number, const std::string& model) {
  Layer layer = entry.layer;
  const auto size = [&layer](Dim dim) { return layer.size[index_of(dim)]; };
  const std::string where = model + ", layer " + (entry.name.empty() ? std::to_string(number) : entry.name) + ": ";
  if (layer.type == LayerType::gemm) {
    Layer product{};
    product.type = LayerType::conv;
    for (std::int32_t& stride : product.stride) stride = 1;
    const std::pair<Dim, std::int32_t> sizes[] = {
        {Dim::K, size(Dim::N)}, {Dim::C, size(Dim::K)}, {Dim::Y, size(Dim::M)}, {Dim::X, 1}, {Dim::R, 1}, {Dim::S, 1}};
    for (const auto& [dim, extent] : sizes) product.size[index_of(dim)] = extent;
    layer = product;
  }
  if (layer.type == LayerType::ngconv) {
    throw Error(where +
                "grouped convolutions have no two-level form here; evaluate mappings of them with `exarch eval maestro --in`");
  }
  std::vector<Dim> needed{Dim::C, Dim::R, Dim::S};
  if (layer.type != LayerType::dsconv) needed.push_back(Dim::K);
  for (const Dim dim : needed) {
    if (size(dim) == 0) throw Error(where + "the dimension " + std::string(name_of(dim)) + " is missing");
  }
  for (const auto& [input, output, filter] : {std::tuple{Dim::Y, Dim::Yo, Dim::R}, std::tuple{Dim::X, Dim::Xo, Dim::S}}) {
    if ((size(input) == 0) == (size(output) == 0)) {
      throw Error(where + "needs either " + std::string(name_of(input)) + " or " + std::string(name_of(output)));
    }
    if (size(input) != 0 && size(filter) > size(input)) throw Error(where + "the filter is larger than the input");
  }
  return layer;
}

std::shared_ptr<NetworkWorkload> load_network(const WorkloadOptions& options) {
  const std::string& model = options.at("model");
  const auto layers = read_layers(find_data_file("maestro/models", model, {".csv"}));
  auto workload = std::make_shared<NetworkWorkload>();
  workload->name = model + (options.at("layer") == "all" ? "" : ":" + options.at("layer"));
  workload->version = version_of(options.at("model-version"));
  workload->identity = "maestro " + options.at("model-version");
  for (const std::size_t l : chosen_layers(layers, options.at("layer"), model)) {
    const Layer layer = as_convolution(layers[l], l, model);
    const std::int64_t macs = macs_of(layer);
    workload->identity += "; " + describe(layer);
    workload->macs += macs;
    ++workload->total;
    const auto equal = std::ranges::find(workload->layers, layer, &LayerCount::layer);
    if (equal != workload->layers.end()) {
      ++equal->repeats;
    } else {
      workload->layers.push_back({layer, 1, macs});
    }
  }
  workload->work = static_cast<std::uint64_t>(workload->total);
  workload->work_unit = "layers";
  return workload;
}

// ---- the environments ---------------------------------------------------------------------------------------------------

class MaestroEnvironment : public Environment {
 public:
  MaestroEnvironment(std::vector<ParameterInfo> parameters, std::vector<DesignSpace> spaces)
      : parameters_(std::move(parameters)), spaces_(std::move(spaces)) {}

  std::string model_version() const override { return kModelVersion; }
  std::string sanity() const override { return "impossible<=0"; }
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
  std::string answer_problem(const std::string& text, const WorkloadOptions& options) const override {
    Version version = Version::e1d8efd8;
    for (const auto& [name, value] : options) {
      if (name != kVersionName) throw UsageError("--" + name + " has no effect on recorded problems; leave it out");
      version = version_of(value);
    }
    nlohmann::ordered_json row;
    try {
      row = nlohmann::ordered_json::parse(text);
    } catch (const nlohmann::json::exception& error) {
      throw Error(std::string("not a JSON object: ") + error.what());
    }
    return answer(row, version).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }

  std::string reference_input(const Workload& base, std::span<const std::int64_t> design) const override {
    const auto& workload = static_cast<const NetworkWorkload&>(base);
    NetworkFile file{"network", {}};
    for (const LayerCount& count : workload.layers) {
      Mapping mapping;
      if (const Status status = decode_for(workload, design, count.layer, mapping); status != Status::ok) {
        throw Error(std::string("this design has no mapping: ") + name_of(status));
      }
      file.layers.push_back({"layer" + std::to_string(file.layers.size()), count.layer, mapping, 0});
    }
    return write_network(file);
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

 private:
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
  std::span<const WorkloadOption> workload_options() const override {
    static const std::vector<WorkloadOption> kTable{model_option(), layer_option("all"), version_option()};
    return kTable;
  }
  std::shared_ptr<const Workload> load_workload(const WorkloadOptions& given) const override {
    return load_network(complete_options(*this, given));
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

Version version_of(const std::string& name) {
  if (name == "e1d8efd8") return Version::e1d8efd8;
  if (name == "head") return Version::head;
  throw UsageError("model-version = '" + name + "': expected e1d8efd8 or head");
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
