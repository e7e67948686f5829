#include "host/dram/tables.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace exarch::dram {

std::uint64_t latency_percentile(const Counters& counters, std::uint64_t percent) {
  const std::uint64_t requests = counters.rd + counters.wr;
  const std::uint64_t rank = (requests * percent + 99) / 100;
  std::uint64_t seen = 0;
  for (std::uint32_t bucket = 0; bucket < kLatencyBuckets; ++bucket) {
    seen += counters.latency_histogram[bucket];
    if (seen < rank) continue;
    const bool open_end = bucket + 1 == kLatencyBuckets;
    return open_end ? counters.latency_max : std::min(latency_bucket_upper(bucket), counters.latency_max);
  }
  return counters.latency_max;
}

double as_printed(double value) {
  char text[400];  // the longest double has 309 digits before the point
  const char* end = std::to_chars(text, std::end(text), value, std::chars_format::fixed, 2).ptr;
  std::from_chars(text, end, value);
  return value;
}

double printed_number(std::uint64_t time_ps) {
  for (int unit = 0; unit < 4 && time_ps != 0 && time_ps % 1000 == 0; ++unit) time_ps /= 1000;  // ps, ns, us, ms, s
  return static_cast<double>(time_ps);
}

std::vector<ParameterInfo> parameter_table() {
  std::vector<ParameterInfo> table;
  for (const ParameterRow& row : kParameters) table.push_back(row.info(std::string(row.name)));
  return table;
}

std::vector<CounterInfo> counter_table() {
  std::vector<CounterInfo> table;
  for (const CounterRow& row : kCounters) {
    table.push_back({std::string(row.name), std::string(row.unit), std::string(row.doc), row.internal});
  }
  return table;
}

std::vector<MetricInfo> metric_table() {
  return metrics_of(kMetrics);
}

Objectives objective_table() {
  return {
      {"latency", "min:total_time_ps"},
      {"power", "min:average_power_mw"},
      {"energy", "min:total_energy_pj"},
      {"edp", "min:total_energy_pj*total_time_ps"},
      {"bandwidth", "max:avg_bw_gbps"},
      {"archgym-power", "target:average_power_mw=1000"},
      {"archgym-latency", "target:total_time_ps=100000000"},
      {"archgym-both", "target:average_power_mw=1000*total_time_ps=100000000"},
      {"archgym-power-parsed", "target:archgym_power=1"},
      {"archgym-latency-parsed", "target:archgym_latency=0.1"},
      {"archgym-both-parsed", "target:archgym_power=1*archgym_latency=0.1"},
  };
}

namespace {

std::vector<std::int64_t> values_in_spaces(InSpaces in_spaces, const ParameterInfo& parameter) {
  switch (in_spaces) {
    case InSpaces::every_label:
      return range(0, parameter.maximum);
    case InSpaces::one_to_eight:
      return range(1, 8);
    case InSpaces::the_default:
      break;
  }
  return {parameter.default_value};
}

DesignSpace make_space(const std::vector<ParameterInfo>& parameters, const std::string& name, const std::string& doc,
                       const std::vector<std::int64_t>& buffer_sizes, const std::vector<std::int64_t>& active) {
  std::vector<std::vector<std::int64_t>> values;
  for (std::size_t p = 0; p < parameters.size(); ++p) values.push_back(values_in_spaces(kParameters[p].in_spaces, parameters[p]));
  values[parameter("RequestBufferSize")] = buffer_sizes;
  values[parameter("MaxActiveTransactions")] = active;
  return {name, doc, parameters, std::move(values)};
}

}  // namespace

std::vector<DesignSpace> space_table(const std::vector<ParameterInfo>& parameters) {
  const std::vector<std::int64_t> powers{1, 2, 4, 8, 16, 32, 64, 128};
  std::vector<std::int64_t> sizes = range(1, 8);
  sizes.insert(sizes.end(), {16, 32, 64, 128});
  return {
      make_space(parameters, "archgym-aco", "the space of ArchGym's ant colony (default_dramsys.yaml)", range(1, 8), powers),
      make_space(parameters, "archgym-ga", "the space of ArchGym's GA, random walker and BO", range(1, 8), range(1, 128)),
      make_space(parameters, "archgym-union", "the union of ArchGym's DRAM spaces", sizes, range(1, 128)),
      make_space(parameters, "wide", "every RequestBufferSize and MaxActiveTransactions to 128", range(1, 128), range(1, 128))};
}

}  // namespace exarch::dram
