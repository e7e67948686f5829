// Batches of candidates on one workload: canonical form, deduplication, sharing by proof, simulation, fan-out.
//
// "Requested" counts candidates asked for; "simulated" counts runs. Outcomes are kept for the life of the evaluator, so a
// design that was ever simulated, or is proved equal to one that was, never runs again. Results do not depend on how candidates
// are split into batches or on the number of threads: shared results are equal by proof, not by choice.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "host/batch/design_index.hpp"
#include "host/env/environment.hpp"

namespace exarch {

struct EvaluatorOptions {
  Engine engine = Engine::fast;
  bool share = true;  // off: every requested candidate is simulated as it stands
};

class Evaluator {
 public:
  using OutcomeId = std::uint32_t;

  Evaluator(const Environment& environment, std::shared_ptr<const Workload> workload, Backend& backend,
            EvaluatorOptions options = {});

  // Outcomes of designs (candidate, parameter), in order. `progress(simulated in this call, still to do at most)` is called
  // between rounds of simulation and may be empty.
  [[nodiscard]] std::vector<OutcomeId> evaluate(std::span<const std::int64_t> designs,
                                                const std::function<void(std::size_t, std::size_t)>& progress = {});

  // Takes over an outcome of an earlier run (resuming); returns its number.
  OutcomeId preload(std::span<const std::int64_t> design, std::uint8_t status, std::span<const std::uint64_t> counters,
                    std::span<const std::byte> detail);

  [[nodiscard]] const Environment& environment() const { return environment_; }
  [[nodiscard]] const Workload& workload() const { return *workload_; }
  [[nodiscard]] std::uint64_t requested() const { return requested_; }
  [[nodiscard]] std::uint64_t simulated() const { return outcomes_.status.size(); }

  [[nodiscard]] std::uint8_t status(OutcomeId id) const { return outcomes_.status[id]; }
  [[nodiscard]] std::span<const std::uint64_t> counters(OutcomeId id) const;
  [[nodiscard]] std::span<const std::byte> detail(OutcomeId id) const;
  [[nodiscard]] std::span<const std::int64_t> simulated_design(OutcomeId id) const;
  // Metrics of a requested design from its outcome.
  void price(OutcomeId id, std::span<const std::int64_t> design, std::span<double> metrics) const;

 private:
  static constexpr OutcomeId kPending = 0xFFFFFFFFu;

  struct Family {
    std::vector<OutcomeId> outcomes;
  };

  void simulate(std::span<const std::uint32_t> classes);
  [[nodiscard]] OutcomeId shared_outcome(std::uint32_t design_class, std::span<const OutcomeId> candidates) const;
  std::uint32_t family_of(std::uint32_t design_class);
  [[nodiscard]] std::vector<std::uint32_t> representatives(std::span<const std::uint32_t> pending) const;
  void resolve(std::vector<std::uint32_t> pending, const std::function<void(std::size_t, std::size_t)>& progress);

  const Environment& environment_;
  std::shared_ptr<const Workload> workload_;
  Backend& backend_;
  EvaluatorOptions options_;
  std::size_t parameters_;

  DesignIndex classes_;                      // canonical designs
  std::vector<OutcomeId> outcome_of_class_;  // (class)
  std::vector<std::uint32_t> family_of_class_;
  DesignIndex family_index_;
  std::vector<Family> families_;
  Outcomes outcomes_;
  std::vector<std::int64_t> simulated_designs_;  // (outcome, parameter)
  std::uint64_t requested_ = 0;
};

}  // namespace exarch
