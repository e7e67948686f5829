// The smallest environment there is: two parameters, one counter, nothing shared, a space that follows from the workload, and an
// artifact. What works with it works without DRAM.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/env/environment.hpp"

namespace exarch::testing {

// Carrying `load` pieces: each trip takes `width` of them and, by cart, one cycle; by hand, as many cycles as pieces.
class ToyEnvironment final : public Environment {
 public:
  struct ToyWorkload : Workload {
    std::uint64_t load = 0;
  };

  std::string name() const override { return "toy"; }
  std::string doc() const override { return "carries things"; }
  std::string model_version() const override { return "toy/1"; }
  std::span<const ParameterInfo> parameters() const override { return parameters_; }
  std::span<const DesignSpace> spaces() const override { return spaces_; }
  // Widths that leave no trip half empty.
  std::vector<WorkloadSpace> workload_spaces() const override { return {{"divisors", "widths that divide the load"}}; }
  DesignSpace space_on(const std::string& name, const Workload& workload) const override {
    const auto load = static_cast<std::int64_t>(static_cast<const ToyWorkload&>(workload).load);
    std::vector<std::int64_t> widths;
    for (std::int64_t width = 1; width <= 64; ++width) {
      if (load % width == 0) widths.push_back(width);
    }
    return {name, "", parameters_, {widths, {0, 1}}};
  }
  std::span<const WorkloadOption> workload_options() const override { return options_; }
  std::vector<std::string> shipped_workloads() const override { return {}; }
  std::shared_ptr<const Workload> load_workload(const WorkloadOptions& given) const override {
    const WorkloadOptions options = complete_options(*this, given);
    auto workload = std::make_shared<ToyWorkload>();
    workload->name = options.at("load");
    workload->identity = "load " + workload->name + " " + options.at("label");
    workload->load = std::stoull(workload->name);
    return workload;
  }
  std::vector<WorkloadFact> describe_workload(const Workload& workload) const override {
    return {{"load", static_cast<const ToyWorkload&>(workload).load, "pieces", ""}};
  }
  std::span<const CounterInfo> counters() const override { return counters_; }
  std::optional<ArtifactInfo> artifact() const override { return ArtifactInfo{"trips", "how many pieces each trip takes"}; }
  std::span<const MetricInfo> metrics() const override { return metrics_; }
  std::span<const std::pair<std::string, std::string>> objectives() const override { return objectives_; }
  std::string status_text(std::uint8_t /*status*/) const override { return "ok"; }
  void simulate(const Workload& workload, std::span<const std::int64_t> designs, Engine /*engine*/, Backend& /*backend*/,
                Outcomes& outcomes) const override {
    const std::uint64_t load = static_cast<const ToyWorkload&>(workload).load;
    for (std::size_t d = 0; d < designs.size(); d += 2) {
      outcomes.status.push_back(0);
      outcomes.counters.push_back(cycles(load, designs[d], designs[d + 1]));
      outcomes.artifacts.push_back(trips(load, designs[d]));
    }
  }
  void price(const Workload& /*workload*/, std::span<const std::int64_t> /*design*/, std::span<const std::uint64_t> counters,
             std::span<double> metrics) const override {
    metrics[0] = 2.0 * static_cast<double>(counters[0]);
  }
  KnownResult known_result() const override { return {{{"load", "10"}}, {"width=3", "by=cart"}, "time_ns", "8"}; }
  std::uint64_t signature() const override { return 0; }

  // "2 x 3, 1" for 7 pieces, 3 at a time.
  static std::string trips(std::uint64_t load, std::int64_t width) {
    const auto pieces = static_cast<std::uint64_t>(width);
    std::string text;
    if (load >= pieces) text = std::to_string(load / pieces) + " x " + std::to_string(pieces);
    if (load % pieces != 0) text += (text.empty() ? "" : ", ") + std::to_string(load % pieces);
    return text;
  }

  static std::uint64_t cycles(std::uint64_t load, std::int64_t width, std::int64_t by) {
    const auto pieces = static_cast<std::uint64_t>(width);
    return (load + pieces - 1) / pieces * (by == 0 ? 1 : pieces);
  }

 private:
  std::vector<ParameterInfo> parameters_{{"width", ParameterKind::integer, {}, 1, 64, 1, "pieces", "pieces per trip"},
                                         {"by", ParameterKind::categorical, {"cart", "hand"}, 0, 1, 0, "", "how"}};
  std::vector<DesignSpace> spaces_{DesignSpace::from_json(
      R"({"name": "all", "parameters": {"width": {"from": 1, "to": 64}, "by": ["cart", "hand"]}})", "toy", parameters_)};
  std::vector<WorkloadOption> options_{{"load", "", "pieces", WorkloadOption::Kind::number, 1, 1000000, true},
                                       {"label", "none", "anything"}};
  std::vector<CounterInfo> counters_{{"cycles", "cycles", "trips and what they take"}};
  std::vector<MetricInfo> metrics_{{"time_ns", "ns", "at 500 MHz", 0}};
  std::vector<std::pair<std::string, std::string>> objectives_{{"time", "min:time_ns"}};
};

}  // namespace exarch::testing
