// Batches of candidates on one workload: canonical form, deduplication, sharing by proof, simulation, fan-out.
//
// "Requested" counts candidates asked for; "simulated" counts runs. A design that was ever simulated, or is proved equal to one
// that was, never runs again. Results do not depend on how candidates are split into batches or on the number of threads: shared
// results are equal by proof, not by choice.
//
// The evaluator owns the outcomes. Their numbers, statuses and proofs stay for its life; what a store has of them (design,
// counters, detail) can be given up with release(), so that memory grows by some 20 bytes per class and 200 per simulated run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "host/env/environment.hpp"
#include "host/execute/design_index.hpp"
#include "host/execute/executor.hpp"

namespace exarch {

struct EvaluatorOptions {
  Engine engine = Engine::fast;
  bool share = true;  // off: every requested candidate is simulated as it stands
};

class Evaluator {
 public:
  using OutcomeId = std::uint32_t;

  // `environment` is one of the registry's, or outlives the evaluator.
  Evaluator(const Environment& environment, std::shared_ptr<const Workload> workload, std::shared_ptr<Executor> executor,
            EvaluatorOptions options = {});

  // Outcomes of designs (candidate, parameter), in order. `progress(simulated in this call, still to do at most)` is called
  // between rounds of simulation and may be empty.
  [[nodiscard]] std::vector<OutcomeId> evaluate(std::span<const std::int64_t> designs,
                                                const std::function<void(std::size_t, std::size_t)>& progress = {});

  // Takes over an outcome of an earlier run (resuming); returns its number. Of its detail, it has the proof only.
  OutcomeId preload(std::span<const std::int64_t> design, std::uint8_t status, std::span<const std::uint64_t> counters,
                    std::span<const std::byte> proof, const std::string& artifact = {});

  // Forgets what only reports need of all outcomes so far. evaluate() still shares them, under the same numbers, and status()
  // still answers; asking for the rest is a std::logic_error.
  void release();

  [[nodiscard]] const Environment& environment() const { return environment_; }
  [[nodiscard]] const Workload& workload() const { return *workload_; }
  // The executor's threads.
  [[nodiscard]] ThreadPool& pool() const { return executor_->pool(); }
  [[nodiscard]] std::uint64_t requested() const { return requested_; }
  [[nodiscard]] std::uint64_t simulated() const { return status_.size(); }

  [[nodiscard]] std::uint8_t status(OutcomeId id) const { return status_[id]; }
  // Of outcomes that were not released:
  [[nodiscard]] std::span<const std::uint64_t> counters(OutcomeId id) const;
  [[nodiscard]] std::span<const std::byte> detail(OutcomeId id) const;
  // "" of a model without artifacts.
  [[nodiscard]] const std::string& artifact(OutcomeId id) const;
  [[nodiscard]] std::span<const std::byte> proof(OutcomeId id) const { return detail(id).first(proof_size_); }
  [[nodiscard]] std::span<const std::int64_t> simulated_design(OutcomeId id) const;
  // Metrics of a requested design from its outcome.
  void price(OutcomeId id, std::span<const std::int64_t> design, std::span<double> metrics) const;

 private:
  static constexpr OutcomeId kPending = 0xFFFFFFFFu;
  static constexpr std::size_t kNone = ~std::size_t{0};
  static constexpr std::size_t kUnsharedBlock = 65536;

  // What the outcomes of a family prove, side by side for the search.
  struct Family {
    std::vector<OutcomeId> outcomes;
    std::vector<std::int64_t> designs;  // (outcome, parameter)
    std::vector<std::byte> proofs;      // (outcome, proof byte)
  };

  // A class without an outcome. Models without proofs have no families.
  struct Pending {
    std::uint32_t design_class, family;
  };

  void run(std::span<const std::int64_t> designs);
  void simulate(std::span<const Pending> chosen);
  void join_family(std::uint32_t family, OutcomeId id);
  // The place in the family, `first` or behind, of an outcome that proves itself to be the design's; kNone if there is none. The
  // place `hint` is tried before all others.
  [[nodiscard]] std::size_t find_proof(std::span<const std::int64_t> design, const Family& family, std::size_t first,
                                       std::size_t hint) const;
  std::uint32_t family_of(std::span<const std::int64_t> canonical);
  static constexpr int kLastLevel = 2;
  void get_round(std::span<const std::int64_t> design, int level, std::span<std::int64_t> round) const;
  [[nodiscard]] std::vector<Pending> representatives(std::span<const Pending> pending) const;
  void resolve(std::vector<Pending> pending, const std::function<void(std::size_t, std::size_t)>& progress);
  [[nodiscard]] std::size_t kept(OutcomeId id) const;

  const Environment& environment_;
  std::shared_ptr<const Workload> workload_;
  std::shared_ptr<Executor> executor_;
  EvaluatorOptions options_;
  std::size_t parameters_, counters_, detail_size_, proof_size_;
  bool has_artifacts_;

  DesignIndex classes_;                      // canonical designs
  std::vector<OutcomeId> outcome_of_class_;  // (class)
  DesignIndex family_index_;
  std::vector<Family> families_;
  DesignIndex finished_rounds_;       // values of get_round() that have a run
  std::vector<std::uint8_t> status_;  // (outcome)
  std::uint64_t requested_ = 0;

  // Of the outcomes from released_ on:
  std::size_t released_ = 0;
  Outcomes outcomes_;
  std::vector<std::int64_t> simulated_designs_;  // (outcome, parameter)
};

}  // namespace exarch
