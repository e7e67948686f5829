// From candidates to costs: the one place where genes become designs, designs are evaluated, and outcomes get metrics and costs.
//
//   std::vector<std::int64_t> designs = decode(space, batch);
//   const std::vector<Evaluator::OutcomeId> ids = evaluator.evaluate(designs);
//   score(evaluator, ids, designs, objectives, [&](const ScoredCandidate& c) { costs[c.candidate] = c.costs[0]; });
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "host/execute/evaluator.hpp"
#include "host/metric/metric.hpp"
#include "host/space/design_space.hpp"

namespace exarch {

// Designs (candidate, parameter) of a batch of genes.
[[nodiscard]] inline std::vector<std::int64_t> decode(const DesignSpace& space, const GeneBatch& batch) {
  std::vector<std::int64_t> designs(batch.genes.size());
  for (std::size_t c = 0; c < batch.candidates(); ++c) {
    space.design_of(batch.row(c), std::span(designs).subspan(c * batch.dimensions, batch.dimensions));
  }
  return designs;
}

// A candidate with what it costs; the spans are valid until the next one.
struct ScoredCandidate {
  std::size_t candidate;
  Evaluator::OutcomeId outcome;
  std::uint8_t status;  // 0 = ok
  std::span<const std::int64_t> design;
  std::span<const double> metrics;  // of a failed run without meaning
  std::span<const double> costs;    // by objective; +infinity: infeasible
};

// Prices the outcomes of designs (candidate, parameter), scores them by each objective, and calls visit(scored candidate) in
// order. The evaluator must not have released them.
template <class Visit>
void score(const Evaluator& evaluator, std::span<const Evaluator::OutcomeId> outcomes, std::span<const std::int64_t> designs,
           std::span<const Objective> objectives, const Visit& visit) {
  const std::size_t parameters = evaluator.environment().parameters().size();
  std::vector<double> metrics(evaluator.environment().metrics().size()), costs(objectives.size());
  for (std::size_t c = 0; c < outcomes.size(); ++c) {
    const auto design = designs.subspan(c * parameters, parameters);
    const std::uint8_t status = evaluator.status(outcomes[c]);
    evaluator.price(outcomes[c], design, metrics);
    for (std::size_t k = 0; k < objectives.size(); ++k) costs[k] = objectives[k].score(metrics, status == 0).cost;
    visit(ScoredCandidate{c, outcomes[c], status, design, metrics, costs});
  }
}

}  // namespace exarch
