#include "host/maestro/tables.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace exarch::maestro {
namespace {

constexpr std::int64_t kMaxU32 = std::numeric_limits<std::uint32_t>::max();

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

ParameterInfo info_of(const CleanRow& row) {
  const std::string name(row.name), doc(row.doc);
  switch (row.labels) {
    case Labels::dims:
      return category(name, {"K", "C", "Y", "X"}, row.standard, doc);
    case Labels::orders:
      return category(name, orders(), row.standard, doc);
    case Labels::none:
      break;
  }
  return number(name, row.minimum, row.maximum, row.standard, std::string(row.unit), doc);
}

ParameterInfo info_of(const ArchgymRow& row) {
  const std::string name(row.name), doc(row.doc);
  switch (row.kind) {
    case GeneKind::dim:
      return category(name, {"K", "C", "X", "Y"}, row.standard, doc);
    case GeneKind::seed:
    case GeneKind::own_seed:
      return number(name, 0, kMaxU32, row.standard, "", doc);
    default:
      return number(name, 0, kLargestTile, row.standard, "", doc);
  }
}

// `values_of(row)` gives a parameter's values; none: its default alone.
template <class Rows, class ValuesOf>
DesignSpace space_of(const Rows& rows, const std::vector<ParameterInfo>& parameters, const std::string& name,
                     const std::string& doc, const ValuesOf& values_of) {
  std::vector<std::vector<std::int64_t>> values;
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    values.push_back(values_of(rows[p]));
    if (values.back().empty()) values.back() = {parameters[p].default_value};
  }
  return {name, doc, parameters, std::move(values)};
}

std::vector<std::int64_t> list_of(std::span<const std::int64_t> values) {
  return {values.begin(), values.end()};
}

}  // namespace

double as_printed(double value) {
  char text[64];
  const char* end = std::to_chars(text, std::end(text), value, std::chars_format::general, 6).ptr;
  std::from_chars(text, end, value);
  return value;
}

std::vector<ParameterInfo> clean_parameters() {
  std::vector<ParameterInfo> table;
  for (const CleanRow& row : kCleanRows) table.push_back(info_of(row));
  return table;
}

std::vector<ParameterInfo> archgym_parameters() {
  std::vector<ParameterInfo> table;
  for (const ArchgymRow& row : kArchgymRows) table.push_back(info_of(row));
  return table;
}

std::vector<DesignSpace> clean_spaces(const std::vector<ParameterInfo>& parameters) {
  const auto make = [&](const std::string& name, const std::string& doc, const auto& values_of) {
    return space_of(kCleanRows, parameters, name, doc, values_of);
  };
  return {
      make("mapping", "two-level mappings on the default accelerator", [](const CleanRow& row) { return list_of(row.mapping); }),
      make("codesign", "the same mappings together with the accelerator",
           [](const CleanRow& row) { return list_of(row.mapping.empty() ? row.codesign : row.mapping); }),
      make("mapping-small", "few values of each, to be swept from end to end",
           [](const CleanRow& row) { return list_of(row.small); })};
}

std::vector<DesignSpace> archgym_spaces(const std::vector<ParameterInfo>& parameters) {
  const auto make = [&](const std::string& name, const std::string& doc, std::int64_t below,
                        const std::vector<std::int64_t>& filter) {
    return space_of(kArchgymRows, parameters, name, doc, [&](const ArchgymRow& row) -> std::vector<std::int64_t> {
      switch (row.kind) {
        case GeneKind::seed:
          return range(0, 719);
        case GeneKind::dim:
          return range(0, 3);
        case GeneKind::filter:
          return filter;
        case GeneKind::channels:
          return range(1, 64 - below);
        case GeneKind::axis:
          return range(1, 56 - below);
        case GeneKind::pes:
          return range(1, 1024 - below);
        case GeneKind::unread:
        case GeneKind::own_seed:
          break;
      }
      return {};
    });
  };
  return {make("archgym-ga", "ranges of ArchGym's GA and BO on ResNet18's layer 2", 0, {2, 3}),
          make("archgym-aco", "ranges of ArchGym's ant colony and random walker on the same: filters cut by one", 1, {2}),
          make("archgym-full-filter", "the same with whole filters, which alone count what the layer computes", 0, {3})};
}

std::vector<CounterInfo> counter_table() {
  using Kind = CounterInfo::Kind;
  std::vector<CounterInfo> table;
  for (const CounterRow& row : kCounters) {
    table.push_back({std::string(row.name), std::string(row.unit), std::string(row.doc), row.internal,
                     row.real == nullptr ? Kind::integer : Kind::real});
  }
  return table;
}

std::vector<MetricInfo> metric_table() {
  return metrics_of(kMetrics);
}

// Results that arithmetic forbids and mappings that do not fit are infeasible, except to what ArchGym rewards.
Objectives clean_objectives() {
  const std::string feasible = std::string(",") + kCleanSanity;
  return {{"latency", "min:runtime_cycles" + feasible},
          {"energy", "min:energy_nj" + feasible},
          {"edp", "min:edp_nj_cycles" + feasible},
          {"area", "min:area_um2" + feasible},
          {"power", "min:power_mw" + feasible},
          {"throughput", "max:throughput" + feasible},
          {"energy-with-l1", "min:energy_with_l1_nj" + feasible}};
}

Objectives archgym_objectives() {
  const std::string feasible = std::string(",") + kArchgymSanity;
  return {{"latency", "min:runtime_cycles" + feasible},      {"energy", "min:energy_nj" + feasible},
          {"edp", "min:edp_nj_cycles" + feasible},           {"area", "min:archgym_area" + feasible},
          {"archgym-latency", "max:archgym_reward_latency"}, {"archgym-energy", "max:archgym_reward_energy"},
          {"archgym-area", "max:archgym_reward_area"}};
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
