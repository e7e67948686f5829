#include "host/batch/evaluator.hpp"

#include <algorithm>

namespace exarch {

Evaluator::Evaluator(const Environment& environment, std::shared_ptr<const Workload> workload, Backend& backend,
                     EvaluatorOptions options)
    : environment_(environment),
      workload_(std::move(workload)),
      backend_(backend),
      options_(options),
      parameters_(environment.parameters().size()),
      classes_(parameters_),
      family_index_(parameters_) {}

std::span<const std::uint64_t> Evaluator::counters(OutcomeId id) const {
  const std::size_t n = environment_.counters().size();
  return std::span(outcomes_.counters).subspan(id * n, n);
}

std::span<const std::byte> Evaluator::detail(OutcomeId id) const {
  const std::size_t n = environment_.detail_size();
  return std::span(outcomes_.detail).subspan(id * n, n);
}

std::span<const std::int64_t> Evaluator::simulated_design(OutcomeId id) const {
  return std::span(simulated_designs_).subspan(id * parameters_, parameters_);
}

void Evaluator::price(OutcomeId id, std::span<const std::int64_t> design, std::span<double> metrics) const {
  environment_.price(*workload_, design, counters(id), metrics);
}

std::uint32_t Evaluator::family_of(std::uint32_t design_class) {
  std::vector<std::int64_t> design(classes_[design_class].begin(), classes_[design_class].end());
  environment_.family_of(design);
  const auto [family, is_new] = family_index_.insert(design);
  if (is_new) families_.emplace_back();
  return family;
}

std::vector<Evaluator::OutcomeId> Evaluator::evaluate(std::span<const std::int64_t> designs,
                                                      const std::function<void(std::size_t, std::size_t)>& progress) {
  const std::size_t count = designs.size() / parameters_;
  requested_ += count;
  if (!options_.share) {
    const auto first = static_cast<OutcomeId>(simulated());
    environment_.simulate(*workload_, designs, options_.engine, backend_, outcomes_);
    simulated_designs_.insert(simulated_designs_.end(), designs.begin(), designs.end());
    std::vector<OutcomeId> ids(count);
    for (std::size_t i = 0; i < count; ++i) ids[i] = first + static_cast<OutcomeId>(i);
    return ids;
  }
  std::vector<std::uint32_t> class_of(count);
  std::vector<std::uint32_t> pending;
  std::vector<std::int64_t> canonical(designs.begin(), designs.end());
  constexpr std::size_t kBlock = 1024;
  backend_.pool().for_each((count + kBlock - 1) / kBlock, [&](std::size_t block, unsigned) {
    for (std::size_t i = block * kBlock; i < std::min(count, (block + 1) * kBlock); ++i) {
      environment_.canonicalise(*workload_, std::span(canonical).subspan(i * parameters_, parameters_));
    }
  });
  for (std::size_t i = 0; i < count; ++i) {
    const auto [design_class, is_new] = classes_.insert(std::span(canonical).subspan(i * parameters_, parameters_));
    class_of[i] = design_class;
    if (!is_new) continue;
    outcome_of_class_.push_back(kPending);
    family_of_class_.push_back(family_of(design_class));
    pending.push_back(design_class);
  }
  resolve(std::move(pending), progress);
  std::vector<OutcomeId> ids(count);
  for (std::size_t i = 0; i < count; ++i) ids[i] = outcome_of_class_[class_of[i]];
  return ids;
}

Evaluator::OutcomeId Evaluator::shared_outcome(std::uint32_t design_class, std::span<const OutcomeId> candidates) const {
  for (const OutcomeId id : candidates) {
    if (environment_.same_run(detail(id), simulated_design(id), classes_[design_class])) return id;
  }
  return kPending;
}

// One class per round value: the largest, so that what it proves reaches far.
std::vector<std::uint32_t> Evaluator::representatives(std::span<const std::uint32_t> pending) const {
  DesignIndex rounds(parameters_);
  std::vector<std::uint32_t> chosen;
  std::vector<std::int64_t> design(parameters_);
  for (const std::uint32_t design_class : pending) {
    std::ranges::copy(classes_[design_class], design.begin());
    environment_.round_of(design);
    const auto [round, is_new] = rounds.insert(design);
    if (is_new) {
      chosen.push_back(design_class);
    } else if (std::ranges::lexicographical_compare(classes_[chosen[round]], classes_[design_class])) {
      chosen[round] = design_class;
    }
  }
  return chosen;
}

void Evaluator::simulate(std::span<const std::uint32_t> classes) {
  const auto first = static_cast<OutcomeId>(simulated());
  std::vector<std::int64_t> designs;
  designs.reserve(classes.size() * parameters_);
  for (const std::uint32_t c : classes) designs.insert(designs.end(), classes_[c].begin(), classes_[c].end());
  environment_.simulate(*workload_, designs, options_.engine, backend_, outcomes_);
  simulated_designs_.insert(simulated_designs_.end(), designs.begin(), designs.end());
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const OutcomeId id = first + static_cast<OutcomeId>(i);
    outcome_of_class_[classes[i]] = id;
    families_[family_of_class_[classes[i]]].outcomes.push_back(id);
  }
}

void Evaluator::resolve(std::vector<std::uint32_t> pending, const std::function<void(std::size_t, std::size_t)>& progress) {
  // Outcomes of earlier calls first; later rounds only need to look at what the round added.
  std::vector<std::size_t> tried(families_.size(), 0);
  std::size_t done = 0;
  while (true) {
    // Each class reads only finished outcomes and writes only its own slot.
    backend_.pool().for_each((pending.size() + 1023) / 1024, [&](std::size_t block, unsigned) {
      const std::size_t end = std::min(pending.size(), (block + 1) * 1024);
      for (std::size_t i = block * 1024; i < end; ++i) {
        const std::uint32_t c = pending[i];
        if (outcome_of_class_[c] != kPending) continue;
        const std::uint32_t family = family_of_class_[c];
        outcome_of_class_[c] = shared_outcome(c, std::span(families_[family].outcomes).subspan(tried[family]));
      }
    });
    for (const std::uint32_t c : pending) tried[family_of_class_[c]] = families_[family_of_class_[c]].outcomes.size();
    std::erase_if(pending, [this](std::uint32_t c) { return outcome_of_class_[c] != kPending; });
    if (progress) progress(done, pending.size());
    if (pending.empty()) return;
    const std::vector<std::uint32_t> chosen = representatives(pending);
    simulate(chosen);
    done += chosen.size();
  }
}

Evaluator::OutcomeId Evaluator::preload(std::span<const std::int64_t> design, std::uint8_t status,
                                        std::span<const std::uint64_t> counters, std::span<const std::byte> detail) {
  const auto id = static_cast<OutcomeId>(simulated());
  outcomes_.status.push_back(status);
  outcomes_.counters.insert(outcomes_.counters.end(), counters.begin(), counters.end());
  outcomes_.detail.insert(outcomes_.detail.end(), detail.begin(), detail.end());
  simulated_designs_.insert(simulated_designs_.end(), design.begin(), design.end());
  const auto [design_class, is_new] = classes_.insert(design);
  if (is_new) {
    outcome_of_class_.push_back(id);
    family_of_class_.push_back(family_of(design_class));
  }
  families_[family_of_class_[design_class]].outcomes.push_back(id);
  return id;
}

}  // namespace exarch
