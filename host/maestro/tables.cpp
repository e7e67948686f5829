#include "host/maestro/tables.hpp"

#include <algorithm>
#include <limits>

#include "host/space/tables.hpp"
#include "kernels/maestro/decode.hpp"

namespace exarch::maestro {
namespace {

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

constexpr std::int64_t kMaxU32 = std::numeric_limits<std::uint32_t>::max();

using Values = std::vector<std::pair<std::size_t, std::vector<std::int64_t>>>;

// All parameters not listed have their default.
DesignSpace space_with(const std::vector<ParameterInfo>& parameters, const std::string& name, const std::string& doc,
                       const Values& listed) {
  std::vector<std::vector<std::int64_t>> values;
  for (const ParameterInfo& parameter : parameters) values.push_back({parameter.default_value});
  for (const auto& [column, list] : listed) values[column] = list;
  return {name, doc, parameters, std::move(values)};
}

}  // namespace

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

const std::vector<MetricInfo>& metric_table() {
  static const std::vector<MetricInfo> kTable{
      {"runtime_cycles", "cycles", "of all layers", 0},
      {"energy_nj", "nJ", "MAESTRO's: multiply-accumulates free, L2 accesses, no L1 where there is a cluster"},
      {"edp_nj_cycles", "nJ*cycles", "energy times cycles"},
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
      {"avg_active_pes", "sub-clusters", "in use, on average", 6},
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

// Results that arithmetic forbids and mappings that do not fit are infeasible, except to what ArchGym rewards.
const Objectives& clean_objectives() {
  static const Objectives kTable = [] {
    const std::string feasible = std::string(",") + kCleanSanity;
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
  static const Objectives kTable = [] {
    const std::string feasible = std::string(",") + kArchgymSanity;
    return Objectives{{"latency", "min:runtime_cycles" + feasible},      {"energy", "min:energy_nj" + feasible},
                      {"edp", "min:edp_nj_cycles" + feasible},           {"area", "min:archgym_area" + feasible},
                      {"archgym-latency", "max:archgym_reward_latency"}, {"archgym-energy", "max:archgym_reward_energy"},
                      {"archgym-area", "max:archgym_reward_area"}};
  }();
  return kTable;
}

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

}  // namespace exarch::maestro
