// The tables of the MAESTRO environments: parameters, spaces, counters, metrics, objectives. Columns are numbered by the enums.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/env/environment.hpp"

namespace exarch::maestro {

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

[[nodiscard]] std::vector<ParameterInfo> clean_parameters();
[[nodiscard]] std::vector<ParameterInfo> archgym_parameters();
[[nodiscard]] std::vector<DesignSpace> clean_spaces(const std::vector<ParameterInfo>& parameters);
[[nodiscard]] std::vector<DesignSpace> archgym_spaces(const std::vector<ParameterInfo>& parameters);

using Objectives = std::vector<std::pair<std::string, std::string>>;
// What results must meet to be considered: Environment::sanity(), and a part of the default objectives.
inline constexpr const char* kCleanSanity = "impossible<=0,l1_over<=0,l2_over<=0";
inline constexpr const char* kArchgymSanity = "impossible<=0";

[[nodiscard]] const std::vector<CounterInfo>& counter_table();
[[nodiscard]] const std::vector<MetricInfo>& metric_table();
[[nodiscard]] const Objectives& clean_objectives();
[[nodiscard]] const Objectives& archgym_objectives();

// The workload options of both; functions, because tables of other files are made from them before main().
inline constexpr const char* kVersionName = "model-version";
[[nodiscard]] WorkloadOption model_option();
[[nodiscard]] WorkloadOption layer_option(const std::string& standard);
[[nodiscard]] WorkloadOption version_option();

}  // namespace exarch::maestro
