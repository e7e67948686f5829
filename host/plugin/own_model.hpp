// A cost model that is a function: named workloads, and metrics that come as they are. What models written in Python and plug-ins
// (plugin.hpp) have in common: checks of their tables, workloads by name, and what is stored. Its counters are its metrics, as
// doubles, so nothing is priced; NaN in any metric is the status "failed".
//
//   class Square final : public OwnModel {
//     void evaluate(std::size_t workload, std::span<const std::int64_t> designs, Backend& backend,
//                   std::span<double> results) const override;
//   };
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/env/environment.hpp"

namespace exarch {

class OwnModel : public Environment {
 public:
  // `description`: name, doc, model_version, parameters, one space, metrics, objectives and tradeoffs; the rest follows. No
  // objectives: the first metric, to be minimised. UsageError for what has no meaning: names that are none or stand twice, no
  // parameters, an objective of an unknown metric.
  OwnModel(Description description, std::vector<std::string> workloads);

  [[nodiscard]] std::vector<std::string> shipped_workloads() const final { return workloads_; }
  [[nodiscard]] std::shared_ptr<const Workload> load_workload(const WorkloadOptions& options) const final;
  [[nodiscard]] std::vector<WorkloadFact> describe_workload(const Workload& workload) const final;
  void simulate(const Workload& workload, std::span<const std::int64_t> designs, Engine engine, Backend& backend,
                Outcomes& outcomes) const final;
  void price(const Workload& workload, std::span<const std::int64_t> design, std::span<const std::uint64_t> counters,
             std::span<double> values) const final;
  // Of the results of a few designs on every workload, NaN being NaN.
  [[nodiscard]] std::uint64_t signature() const override;

 protected:
  // Results (design, metric) of designs (design, parameter), one at least; `workload` is the place of its name.
  virtual void evaluate(std::size_t workload, std::span<const std::int64_t> designs, Backend& backend,
                        std::span<double> results) const = 0;

 private:
  std::vector<std::string> workloads_;
};

}  // namespace exarch
