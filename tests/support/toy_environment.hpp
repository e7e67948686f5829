// The smallest environment there is: two parameters, one counter, nothing shared, a space that follows from the workload, and an
// artifact. What works with it works without DRAM.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/env/model.hpp"

namespace exarch::testing {

struct ToyWorkload final : Workload {
  std::uint64_t load = 0;
};
struct ToyCandidate {
  std::int64_t width, by;
};
struct ToyResult {
  std::uint64_t cycles;
  std::string trips;
};

inline Description describe_toy() {
  Description d;
  d.name = "toy";
  d.doc = "carries things";
  d.model_version = "toy/1";
  d.parameters = {{"width", ParameterKind::integer, {}, 1, 64, 1, "pieces", "pieces per trip"},
                  {"by", ParameterKind::categorical, {"cart", "hand"}, 0, 1, 0, "", "how"}};
  d.spaces = {DesignSpace::from_json(R"({"name": "all", "parameters": {"width": {"from": 1, "to": 64}, "by": ["cart", "hand"]}})",
                                     "toy", d.parameters)};
  d.workload_spaces = {{"divisors", "widths that divide the load"}};
  d.workload_options = {{"load", "", "pieces", WorkloadOption::Kind::number, 1, 1000000, true}, {"label", "none", "anything"}};
  d.counters = {{"cycles", "cycles", "trips and what they take"}};
  d.artifact = ArtifactInfo{"trips", "how many pieces each trip takes"};
  d.metrics = {{"time_ns", "ns", "at 500 MHz", 0}};
  d.objectives = {{"time", "min:time_ns"}};
  d.known_result = {{{"load", "10"}}, {"width=3", "by=cart"}, "time_ns", "8"};
  return d;
}

// Carrying `load` pieces: each trip takes `width` of them and, by cart, one cycle; by hand, as many cycles as pieces.
class ToyEnvironment final : public Model<ToyWorkload, ToyCandidate, ToyResult> {
 public:
  ToyEnvironment() : Model(describe_toy()) {}

  std::shared_ptr<const ToyWorkload> load(const WorkloadOptions& given) const override {
    const WorkloadOptions options = complete_options(*this, given);
    auto workload = std::make_shared<ToyWorkload>();
    workload->name = options.at("load");
    workload->identity = "load " + workload->name + " " + options.at("label");
    workload->load = std::stoull(workload->name);
    return workload;
  }
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

 protected:
  ToyCandidate candidate_of(std::span<const std::int64_t> design) const override { return {design[0], design[1]}; }
  void run(NoWorker& /*worker*/, const ToyWorkload& workload, const ToyCandidate& candidate, Engine /*engine*/,
           ToyResult& result) const override {
    result = {cycles(workload.load, candidate.width, candidate.by), trips(workload.load, candidate.width)};
  }
  void keep(const ToyWorkload& /*workload*/, const ToyResult& result, OutcomeRow row) const override {
    row.counters[0] = result.cycles;
    *row.artifact = result.trips;
  }
  std::vector<WorkloadFact> do_describe_workload(const ToyWorkload& workload) const override {
    return {{"load", workload.load, "pieces", ""}};
  }
  // Widths that leave no trip half empty.
  DesignSpace do_space_on(const std::string& name, const ToyWorkload& workload) const override {
    std::vector<std::int64_t> widths;
    for (std::int64_t width = 1; width <= 64; ++width) {
      if (static_cast<std::int64_t>(workload.load) % width == 0) widths.push_back(width);
    }
    return {name, "", parameters(), {widths, {0, 1}}};
  }
  void do_price(const ToyWorkload& /*workload*/, std::span<const std::int64_t> /*design*/,
                std::span<const std::uint64_t> counters, std::span<double> metrics) const override {
    metrics[0] = 2.0 * static_cast<double>(counters[0]);
  }
};

}  // namespace exarch::testing
