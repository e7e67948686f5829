// From candidates to costs: the one place where genes become designs, designs are evaluated, and outcomes get metrics and costs.
//
//   std::vector<std::int64_t> designs = decode(space, batch);
//   const std::vector<Evaluator::OutcomeId> ids = evaluator.evaluate(designs);
//   score(evaluator, ids, designs, objectives, [&](const ScoredCandidate& c) { costs[c.candidate] = c.costs[0]; });
#pragma once

#include <algorithm>
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

// Prices the outcomes of designs (candidate, parameter) and scores them by each objective, on all of the executor's threads; then
// calls visit(scored candidate) in order, on this one. The evaluator must not have released them.
template <class Visit>
void score(const Evaluator& evaluator, std::span<const Evaluator::OutcomeId> outcomes, std::span<const std::int64_t> designs,
           std::span<const Objective> objectives, const Visit& visit) {
  constexpr std::size_t kPart = 16384,
                        kBlock = 256;  // candidates: that are priced before they are visited; of one thread at a time
  const std::size_t parameters = evaluator.environment().parameters().size();
  const std::size_t width = evaluator.environment().metrics().size(), scores = objectives.size();
  const auto design_of = [&](std::size_t c) { return designs.subspan(c * parameters, parameters); };
  std::vector<double> metrics(std::min(kPart, outcomes.size()) * width), costs(std::min(kPart, outcomes.size()) * scores);
  for (std::size_t first = 0; first < outcomes.size(); first += kPart) {
    const std::size_t count = std::min(kPart, outcomes.size() - first);
    const auto metrics_of = [&](std::size_t i) { return std::span(metrics).subspan(i * width, width); };
    const auto costs_of = [&](std::size_t i) { return std::span(costs).subspan(i * scores, scores); };
    evaluator.pool().for_each((count + kBlock - 1) / kBlock, [&](std::size_t block, unsigned) {
      for (std::size_t i = block * kBlock; i < std::min(count, (block + 1) * kBlock); ++i) {
        const Evaluator::OutcomeId outcome = outcomes[first + i];
        evaluator.price(outcome, design_of(first + i), metrics_of(i));
        for (std::size_t k = 0; k < scores; ++k) {
          costs_of(i)[k] = objectives[k].score(metrics_of(i), evaluator.status(outcome) == 0).cost;
        }
      }
    });
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t c = first + i;
      visit(ScoredCandidate{c, outcomes[c], evaluator.status(outcomes[c]), design_of(c), metrics_of(i), costs_of(i)});
    }
  }
}

}  // namespace exarch
