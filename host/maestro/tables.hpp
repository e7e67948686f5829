// The declaration of the MAESTRO models: every parameter, counter and metric, once. Of a row follow its column, the field of the
// kernel's structs that it sets or reads, its values in the shipped spaces, help, CSV and store columns, and JSON.
//
//   design[clean_parameter("L1_size")] = 4096;      // a wrong name does not compile
//   const double nj = metrics[metric("energy_nj")];
//
// Stores and exports have the rows' order.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/env/environment.hpp"
#include "host/maestro/cost.hpp"
#include "host/space/tables.hpp"
#include "kernels/maestro/decode.hpp"
#include "kernels/maestro/types.hpp"

namespace exarch::maestro {

inline constexpr std::int64_t kLargestTile = 65536;
inline constexpr std::int64_t kLargestBw = 1 << 30;

// ---- parameters of `maestro` --------------------------------------------------------------------------------------------

// Lists of values in the shipped spaces.
inline constexpr std::int64_t kChannels[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
inline constexpr std::int64_t kAxis[] = {1, 2, 4, 7, 8, 14, 16, 28, 32, 56, 112, 224};
inline constexpr std::int64_t kInnerChannels[] = {1, 2, 4, 8, 16, 32, 64, 128};
inline constexpr std::int64_t kInnerAxis[] = {1, 2, 3, 4, 7, 8, 14, 28};
inline constexpr std::int64_t kClusters[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};
inline constexpr std::int64_t kEveryDim[] = {0, 1, 2, 3};
inline constexpr std::int64_t kEveryOrder[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                               12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
inline constexpr std::int64_t kFew[] = {1, 4, 16, 64};
inline constexpr std::int64_t kFewAxis[] = {1, 7, 14, 56};
inline constexpr std::int64_t kFewInner[] = {1, 4, 16};
inline constexpr std::int64_t kFewInnerAxis[] = {1, 7};
inline constexpr std::int64_t kFewOrders[] = {0, 7, 16, 23};
inline constexpr std::int64_t kFewClusters[] = {8, 16, 64};
inline constexpr std::int64_t kPes[] = {64, 128, 256, 512, 1024, 2048, 4096};
inline constexpr std::int64_t kNocBws[] = {8, 16, 32, 64, 128, 256, 512};
inline constexpr std::int64_t kOffchipBws[] = {8, 16, 32, 64, 128, 256};
inline constexpr std::int64_t kL1Sizes[] = {256, 512, 1024, 2048, 4096, 8192, 16384};
inline constexpr std::int64_t kL2Sizes[] = {1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22};

// What labels stand for: the dimensions, and the loop nests in the order decode() numbers them.
enum class Labels { none, dims, orders };

struct CleanRow {
  std::string_view name;
  Labels labels;                  // none: a number ...
  std::int64_t minimum, maximum;  // ... in this range
  std::int64_t standard;          // the default
  std::string_view unit, doc;
  void (*set)(CleanDesign& design, std::int32_t value);  // a limit of buffers is none of the kernel's business: nothing
  // Its values in the spaces; the default where there is none. Space `codesign` has those of `mapping` too.
  std::span<const std::int64_t> mapping{}, small{}, codesign{};
};

inline constexpr CleanRow kCleanRows[] = {
    {"K_outer", Labels::none, 1, kLargestTile, 16, "channels", "output channels of an outer tile; clipped to what there is",
     [](CleanDesign& d, std::int32_t v) { d.tile[0][kTiledK] = v; }, kChannels, kFew},
    {"C_outer", Labels::none, 1, kLargestTile, 16, "channels", "input channels of an outer tile; clipped to what there is",
     [](CleanDesign& d, std::int32_t v) { d.tile[0][kTiledC] = v; }, kChannels, kFew},
    {"Y_outer", Labels::none, 1, kLargestTile, 7, "rows", "output rows of an outer tile; clipped to what there is",
     [](CleanDesign& d, std::int32_t v) { d.tile[0][kTiledY] = v; }, kAxis, kFewAxis},
    {"X_outer", Labels::none, 1, kLargestTile, 7, "columns", "output columns of an outer tile; clipped to what there is",
     [](CleanDesign& d, std::int32_t v) { d.tile[0][kTiledX] = v; }, kAxis, kFewAxis},
    {"K_inner", Labels::none, 1, kLargestTile, 1, "channels", "output channels of an inner tile; clipped to what there is",
     [](CleanDesign& d, std::int32_t v) { d.tile[1][kTiledK] = v; }, kInnerChannels, kFewInner},
    {"C_inner", Labels::none, 1, kLargestTile, 1, "channels", "input channels of an inner tile; clipped to what there is",
     [](CleanDesign& d, std::int32_t v) { d.tile[1][kTiledC] = v; }, kInnerChannels, kFewInner},
    {"Y_inner", Labels::none, 1, kLargestTile, 1, "rows", "output rows of an inner tile; clipped to what there is",
     [](CleanDesign& d, std::int32_t v) { d.tile[1][kTiledY] = v; }, kInnerAxis, kFewInnerAxis},
    {"X_inner", Labels::none, 1, kLargestTile, 1, "columns", "output columns of an inner tile; clipped to what there is",
     [](CleanDesign& d, std::int32_t v) { d.tile[1][kTiledX] = v; }, kInnerAxis, kFewInnerAxis},
    {"spatial_outer", Labels::dims, 0, 3, 0, "", "dimension spread over sub-clusters",
     [](CleanDesign& d, std::int32_t v) { d.spatial[0] = v; }, kEveryDim, kEveryDim},
    {"spatial_inner", Labels::dims, 0, 3, 1, "", "dimension spread over the PEs of a sub-cluster",
     [](CleanDesign& d, std::int32_t v) { d.spatial[1] = v; }, kEveryDim, kEveryDim},
    {"order_outer", Labels::orders, 0, kOrders - 1, 0, "", "outer loop nest, outermost first",
     [](CleanDesign& d, std::int32_t v) { d.order[0] = v; }, kEveryOrder, kFewOrders},
    {"order_inner", Labels::orders, 0, kOrders - 1, 0, "", "inner loop nest, outermost first",
     [](CleanDesign& d, std::int32_t v) { d.order[1] = v; }, kEveryOrder},
    {"cluster_size", Labels::none, 1, kLargestTile, 16, "PEs", "PEs per sub-cluster",
     [](CleanDesign& d, std::int32_t v) { d.cluster_size = v; }, kClusters, kFewClusters},
    {"num_pes",
     Labels::none,
     1,
     kLargestTile,
     256,
     "PEs",
     "processing elements; those beyond whole sub-clusters idle",
     [](CleanDesign& d, std::int32_t v) { d.hardware.num_pes = v; },
     {},
     {},
     kPes},
    {"num_simd_lanes", Labels::none, 1, 1024, 1, "MACs/cycle", "lanes of a PE",
     [](CleanDesign& d, std::int32_t v) { d.hardware.num_simd_lanes = v; }},
    {"noc_bw",
     Labels::none,
     1,
     kLargestBw,
     64,
     "elements/cycle",
     "bandwidth of the on-chip networks",
     [](CleanDesign& d, std::int32_t v) { d.hardware.noc_bw = v; },
     {},
     {},
     kNocBws},
    {"noc_latency", Labels::none, 0, 1000000, 1, "cycles", "of a transfer: hops times latency of a hop",
     [](CleanDesign& d, std::int32_t v) { d.hardware.noc_latency = v; }},
    {"offchip_bw",
     Labels::none,
     1,
     kLargestBw,
     64,
     "elements/cycle",
     "bandwidth to memory",
     [](CleanDesign& d, std::int32_t v) { d.hardware.offchip_bw = v; },
     {},
     {},
     kOffchipBws},
    {"L1_size",
     Labels::none,
     1,
     kLargestBw,
     2048,
     "elements",
     "buffer of a PE; a mapping that needs more is infeasible",
     [](CleanDesign&, std::int32_t) {},
     {},
     {},
     kL1Sizes},
    {"L2_size",
     Labels::none,
     1,
     kLargestBw,
     1 << 20,
     "elements",
     "shared buffer; a mapping that needs more is infeasible",
     [](CleanDesign&, std::int32_t) {},
     {},
     {},
     kL2Sizes},
};

[[nodiscard]] consteval std::size_t clean_parameter(std::string_view name) {
  return place_in(kCleanRows, name);
}

// ---- parameters of `maestro-archgym` ------------------------------------------------------------------------------------

// What a gene is: its range, and the values that ArchGym's agents give it on the only layer it evaluates, ResNet18's layer 2
// (64 x 64 channels, 56 x 56, filter 3 x 3).
enum class GeneKind {
  seed,      // 32 bits; ArchGym takes 0 to 719
  dim,       // K, C, X or Y
  filter,    // 2 or 3
  channels,  // 1 to 64
  axis,      // 1 to 56
  pes,       // 1 to 1024
  unread,    // a tile that is never read, and stays where it is
  own_seed,  // 32 bits; no gene of ArchGym's
};

struct ArchgymRow {
  std::string_view name;
  GeneKind kind;
  std::int64_t standard;  // the default
  std::string_view doc;
};

// In the order of ArchgymGene; the last one is ArchgymDesign::outer_seed.
inline constexpr ArchgymRow kArchgymRows[] = {
    {"seed_l2", GeneKind::seed, 0, "order of the outer tiles, and the cluster size"},
    {"ckxy_l2", GeneKind::dim, 0, "dimension spread over the PEs of a sub-cluster"},
    {"s_l2", GeneKind::filter, 3, "inner tile of S"},
    {"r_l2", GeneKind::filter, 3, "inner tile of R"},
    {"k_l2", GeneKind::channels, 16, "inner tile of K; the outer one is drawn below"},
    {"c_l2", GeneKind::channels, 16, "inner tile of C; the outer one is drawn below"},
    {"x_l2", GeneKind::axis, 16, "inner tile of X'; the outer one is drawn below"},
    {"y_l2", GeneKind::axis, 16, "inner tile of Y'; the outer one is drawn below"},
    {"ckxy_l1", GeneKind::dim, 0, "dimension spread over sub-clusters"},
    {"s_l1", GeneKind::filter, 3, "outer tile of S"},
    {"r_l1", GeneKind::filter, 3, "outer tile of R"},
    {"k_l1", GeneKind::unread, 1, "never read"},
    {"c_l1", GeneKind::unread, 1, "never read"},
    {"x_l1", GeneKind::unread, 1, "never read"},
    {"y_l1", GeneKind::unread, 1, "never read"},
    {"seed_l1", GeneKind::seed, 0, "order of the inner tiles"},
    {"num_pe", GeneKind::pes, 1024, "advances the generator; the tool always gets 1,024 PEs"},
    {"outer_seed", GeneKind::own_seed, 0, "of the outer tiles, which ArchGym draws from whatever the evaluation before left"},
};
static_assert(std::size(kArchgymRows) == kArchgymGenes + 1 && kArchgymRows[kSeedL1].name == "seed_l1");

// ---- counters -----------------------------------------------------------------------------------------------------------

// A counter is a whole number, which mappings that make no sense can make negative, or a double: one of the two is given.
struct CounterRow {
  std::string_view name, unit, doc;
  std::int64_t& (*count)(Totals& totals);
  bool internal = false;  // CounterInfo::internal
  double& (*real)(Totals& totals) = nullptr;

  [[nodiscard]] std::uint64_t bits(Totals& totals) const {
    return real == nullptr ? static_cast<std::uint64_t>(count(totals)) : std::bit_cast<std::uint64_t>(real(totals));
  }
  void set(Totals& totals, std::uint64_t bits) const {
    if (real == nullptr) {
      count(totals) = static_cast<std::int64_t>(bits);
    } else {
      real(totals) = std::bit_cast<double>(bits);
    }
  }
};

inline constexpr CounterRow kCounters[] = {
    {"runtime", "cycles", "of all layers, one after the other", [](Totals& t) -> std::int64_t& { return t.counters.runtime; }},
    {"num_macs", "MACs", "as the model counts them", [](Totals& t) -> std::int64_t& { return t.counters.num_macs; }},
    {"output_l1", "accesses", "outputs read, and as many written, in L1",
     [](Totals& t) -> std::int64_t& { return t.counters.l1_output; }, true},
    {"input_l2_read", "elements", "inputs read from L2", [](Totals& t) -> std::int64_t& { return t.counters.l2_read[kInput]; }},
    {"filter_l2_read", "elements", "weights read from L2",
     [](Totals& t) -> std::int64_t& { return t.counters.l2_read[kWeight]; }},
    {"output_l2_read", "elements", "outputs read from L2",
     [](Totals& t) -> std::int64_t& { return t.counters.l2_read[kOutput]; }},
    {"input_l2_write", "elements", "inputs written into L2",
     [](Totals& t) -> std::int64_t& { return t.counters.l2_write[kInput]; }},
    {"filter_l2_write", "elements", "weights written into L2",
     [](Totals& t) -> std::int64_t& { return t.counters.l2_write[kWeight]; }},
    {"output_l2_write", "elements", "outputs written into L2",
     [](Totals& t) -> std::int64_t& { return t.counters.l2_write[kOutput]; }},
    {"l2_size_req", "elements", "L2 that the most demanding layer needs",
     [](Totals& t) -> std::int64_t& { return t.counters.l2_size; }},
    {"l1_size_req", "elements", "L1 that it needs per PE", [](Totals& t) -> std::int64_t& { return t.counters.l1_size; }},
    {"peak_bw_req", "elements/cycle", "largest demand on the on-chip network",
     [](Totals& t) -> std::int64_t& { return t.counters.peak_bw; }},
    {"bw_sum", "elements/cycle", "its demand over all occurrences of all cases",
     [](Totals& t) -> std::int64_t& { return t.counters.bw_sum; }, true},
    {"occurrences", "1", "of all iteration cases", [](Totals& t) -> std::int64_t& { return t.counters.occurrences; }, true},
    {"offchip_bw_req", "elements/cycle", "as the tool halves it case by case",
     [](Totals& t) -> std::int64_t& { return t.counters.offchip_bw; }},
    {"ingress_min", "cycles", "shortest delay of inputs", [](Totals& t) -> std::int64_t& { return t.counters.ingress.min; }},
    {"ingress_max", "cycles", "longest", [](Totals& t) -> std::int64_t& { return t.counters.ingress.max; }},
    {"ingress_sum", "cycles", "sum over all occurrences", [](Totals& t) -> std::int64_t& { return t.counters.ingress.sum; },
     true},
    {"egress_min", "cycles", "shortest delay of outputs", [](Totals& t) -> std::int64_t& { return t.counters.egress.min; }},
    {"egress_max", "cycles", "longest", [](Totals& t) -> std::int64_t& { return t.counters.egress.max; }},
    {"egress_sum", "cycles", "sum over all occurrences", [](Totals& t) -> std::int64_t& { return t.counters.egress.sum; }, true},
    {"compute_min", "cycles", "shortest computation of a case",
     [](Totals& t) -> std::int64_t& { return t.counters.compute.min; }},
    {"compute_max", "cycles", "longest", [](Totals& t) -> std::int64_t& { return t.counters.compute.max; }},
    {"compute_sum", "cycles", "sum over all occurrences", [](Totals& t) -> std::int64_t& { return t.counters.compute.sum; },
     true},
    {"last_macs", "MACs", "of the last iteration case", [](Totals& t) -> std::int64_t& { return t.counters.last_macs; }, true},
    {"last_ingress", "elements", "of the last iteration case", [](Totals& t) -> std::int64_t& { return t.counters.last_ingress; },
     true},
    {"l1_in_energy", "1", "whether the tool's energy has L1", [](Totals& t) -> std::int64_t& { return t.counters.l1_in_energy; },
     true},
    {"impossible_layers", "layers", "layers whose result contradicts arithmetic",
     [](Totals& t) -> std::int64_t& { return t.impossible; }},
    {"avg_active_pes", "sub-clusters", "in use, on average", nullptr, false,
     [](Totals& t) -> double& { return t.counters.active_pes; }},
};

// ---- metrics ------------------------------------------------------------------------------------------------------------

// What metrics are made of: the totals of a network on an accelerator, priced.
struct Priced {
  Counters c;
  double impossible;  // layers
  double runtime;     // cycles
  Energy energy;
  AreaPower physical;
  double lanes, macs;         // of all PEs; of the network's layers
  double l1_limit, l2_limit;  // infinity: none
  double printed_energy;      // as the tool prints it
  double archgym_area;
};

// A number as the tool prints it in its CSV file, read back.
[[nodiscard]] double as_printed(double value);
[[nodiscard]] inline double beyond(std::int64_t needed, double limit) {
  const double over = static_cast<double>(needed) - limit;
  return over > 0 ? over : 0;
}

struct MetricRow {
  std::string_view name, unit, doc;
  double (*of)(const Priced& p);
  int decimals = 2;  // as shown
};

inline constexpr MetricRow kMetrics[] = {
    {"runtime_cycles", "cycles", "of all layers", [](const Priced& p) { return p.runtime; }, 0},
    {"energy_nj", "nJ", "MAESTRO's: multiply-accumulates free, L2 accesses, no L1 where there is a cluster",
     [](const Priced& p) { return p.energy.tool_nj; }},
    {"edp_nj_cycles", "nJ*cycles", "energy times cycles", [](const Priced& p) { return p.energy.tool_nj * p.runtime; }},
    {"area_um2", "um2", "PEs with the L1 and L2 that the mapping needs, bus and arbiter",
     [](const Priced& p) { return p.physical.area_um2; }},
    {"power_mw", "mW", "of the same", [](const Priced& p) { return p.physical.total_mw; }},
    {"throughput", "MACs/cycle", "multiply-accumulates per cycle",
     [](const Priced& p) { return static_cast<double>(p.c.num_macs) / p.runtime; }, 4},
    {"utilization", "1", "throughput over the lanes of all PEs", [](const Priced& p) { return p.macs / (p.runtime * p.lanes); },
     6},
    {"num_macs", "MACs", "as the model counts them", [](const Priced& p) { return static_cast<double>(p.c.num_macs); }, 0},
    {"l1_size_req", "elements", "L1 per PE that the mapping needs, double-buffered",
     [](const Priced& p) { return static_cast<double>(p.c.l1_size); }, 0},
    {"l2_size_req", "elements", "L2 that it needs, double-buffered",
     [](const Priced& p) { return static_cast<double>(p.c.l2_size); }, 0},
    {"l1_over", "elements", "what it needs beyond L1_size", [](const Priced& p) { return beyond(p.c.l1_size, p.l1_limit); }, 0},
    {"l2_over", "elements", "what it needs beyond L2_size", [](const Priced& p) { return beyond(p.c.l2_size, p.l2_limit); }, 0},
    {"impossible", "layers", "layers with more MACs per cycle than lanes, or with other MACs than the layer's",
     [](const Priced& p) { return p.impossible; }, 0},
    {"peak_bw_req", "elements/cycle", "largest demand on the on-chip network",
     [](const Priced& p) { return static_cast<double>(p.c.peak_bw); }, 0},
    {"avg_bw_req", "elements/cycle", "its average demand",
     [](const Priced& p) { return static_cast<double>(p.c.bw_sum) / static_cast<double>(p.c.occurrences); }},
    {"offchip_bw_req", "elements/cycle", "the tool's figure, which shrinks with the number of iteration cases",
     [](const Priced& p) { return static_cast<double>(p.c.offchip_bw); }, 0},
    {"avg_active_pes", "sub-clusters", "in use, on average", [](const Priced& p) { return p.c.active_pes; }, 6},
    {"arithmetic_intensity", "MACs/element", "of the last iteration case",
     [](const Priced& p) { return static_cast<double>(p.c.last_macs) / static_cast<double>(p.c.last_ingress); }},
    {"energy_with_l1_nj", "nJ", "with L1 accesses in every case; not MAESTRO's",
     [](const Priced& p) { return p.energy.with_l1_nj; }},
    {"pe_power_mw", "mW", "share of the PEs' lanes", [](const Priced& p) { return p.physical.pe_mw; }},
    {"l1_power_mw", "mW", "share of L1", [](const Priced& p) { return p.physical.l1_mw; }},
    {"l2_power_mw", "mW", "share of L2", [](const Priced& p) { return p.physical.l2_mw; }},
    {"noc_power_mw", "mW", "share of bus and arbiter", [](const Priced& p) { return p.physical.noc_mw; }},
    {"archgym_throughput", "MACs/cycle", "as ArchGym reads it, 6 digits",
     [](const Priced& p) { return as_printed(static_cast<double>(p.c.num_macs) / p.runtime); }, 6},
    {"archgym_energy", "nJ", "as ArchGym reads it, 6 digits", [](const Priced& p) { return p.printed_energy; }},
    {"archgym_area", "um2", "ArchGym's own area, of 1,024 PEs", [](const Priced& p) { return p.archgym_area; }},
    {"archgym_reward_latency", "1/cycles", "1 / runtime; -1 if that is not positive",
     [](const Priced& p) { return p.runtime <= 0 ? -1 : 1 / p.runtime; }, 18},
    {"archgym_reward_energy", "1", "1 / (runtime * energy * 1e4); -1 if energy is not positive",
     [](const Priced& p) { return p.printed_energy <= 0 ? -1 : 1 / (p.runtime * p.printed_energy * 1e4); }, 24},
    {"archgym_reward_area", "1/um2", "1 / area; -1 if that is not positive",
     [](const Priced& p) { return p.archgym_area <= 0 ? -1 : 1 / p.archgym_area; }, 18},
};

[[nodiscard]] consteval std::size_t metric(std::string_view name) {
  return place_in(kMetrics, name);
}

// ---- the tables as every environment gives them -------------------------------------------------------------------------

[[nodiscard]] std::vector<ParameterInfo> clean_parameters();
[[nodiscard]] std::vector<ParameterInfo> archgym_parameters();
[[nodiscard]] std::vector<DesignSpace> clean_spaces(const std::vector<ParameterInfo>& parameters);
[[nodiscard]] std::vector<DesignSpace> archgym_spaces(const std::vector<ParameterInfo>& parameters);

// What results must meet to be considered: Description::sanity, and a part of the default objectives.
inline constexpr const char* kCleanSanity = "impossible<=0,l1_over<=0,l2_over<=0";
inline constexpr const char* kArchgymSanity = "impossible<=0";

[[nodiscard]] std::vector<CounterInfo> counter_table();
[[nodiscard]] std::vector<MetricInfo> metric_table();
[[nodiscard]] Objectives clean_objectives();
[[nodiscard]] Objectives archgym_objectives();

// The workload options of both; functions, because tables of other files are made from them before main().
inline constexpr const char* kVersionName = "model-version";
[[nodiscard]] WorkloadOption model_option();
[[nodiscard]] WorkloadOption layer_option(const std::string& standard);
[[nodiscard]] WorkloadOption version_option();

}  // namespace exarch::maestro
