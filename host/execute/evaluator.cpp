#include "host/execute/evaluator.hpp"

#include <algorithm>
#include <stdexcept>

namespace exarch {

Evaluator::Evaluator(const Environment& environment, std::shared_ptr<const Workload> workload, std::shared_ptr<Executor> executor,
                     EvaluatorOptions options)
    : environment_(environment),
      workload_(std::move(workload)),
      executor_(std::move(executor)),
      options_(options),
      parameters_(environment.parameters().size()),
      counters_(environment.counters().size()),
      detail_size_(environment.detail_size()),
      proof_size_(environment.proof_size()),
      has_artifacts_(environment.artifact().has_value()),
      classes_(parameters_),
      family_index_(parameters_),
      finished_rounds_(parameters_ + 1) {}

std::size_t Evaluator::kept(OutcomeId id) const {
  if (id < released_) throw std::logic_error("outcome " + std::to_string(id) + " was released");
  return id - released_;
}

std::span<const std::uint64_t> Evaluator::counters(OutcomeId id) const {
  return std::span(outcomes_.counters).subspan(kept(id) * counters_, counters_);
}

std::span<const std::byte> Evaluator::detail(OutcomeId id) const {
  return std::span(outcomes_.detail).subspan(kept(id) * detail_size_, detail_size_);
}

const std::string& Evaluator::artifact(OutcomeId id) const {
  static const std::string kNoArtifact;
  return has_artifacts_ ? outcomes_.artifacts[kept(id)] : kNoArtifact;
}

std::span<const std::int64_t> Evaluator::simulated_design(OutcomeId id) const {
  return std::span(simulated_designs_).subspan(kept(id) * parameters_, parameters_);
}

void Evaluator::price(OutcomeId id, std::span<const std::int64_t> design, std::span<double> metrics) const {
  environment_.price(*workload_, design, counters(id), metrics);
}

void Evaluator::release() {
  released_ = status_.size();
  outcomes_.status.clear();
  outcomes_.counters.clear();
  outcomes_.detail.clear();
  outcomes_.artifacts.clear();
  simulated_designs_.clear();
}

std::uint32_t Evaluator::family_of(std::span<const std::int64_t> canonical) {
  std::vector<std::int64_t> design(canonical.begin(), canonical.end());
  environment_.family_of(design);
  const auto [family, is_new] = family_index_.insert(design);
  if (is_new) families_.emplace_back();
  return family;
}

std::vector<Evaluator::OutcomeId> Evaluator::evaluate(std::span<const std::int64_t> designs,
                                                      const std::function<void(std::size_t, std::size_t)>& progress) {
  const std::size_t count = designs.size() / parameters_;
  requested_ += count;
  std::vector<OutcomeId> ids(count);
  if (!options_.share) {
    for (std::size_t i = 0; i < count; ++i) ids[i] = static_cast<OutcomeId>(simulated() + i);
    run(designs);
    return ids;
  }
  // A part at a time, so that canonical forms stay in the cache: there may be millions.
  constexpr std::size_t kPart = 32768, kBlock = 1024;
  std::vector<std::int64_t> canonical(std::min(kPart, count) * parameters_);
  std::vector<std::uint32_t> class_of(count);
  std::vector<Pending> pending;
  for (std::size_t first = 0; first < count; first += kPart) {
    const std::size_t some = std::min(kPart, count - first);
    executor_->pool().for_each((some + kBlock - 1) / kBlock, [&](std::size_t block, unsigned) {
      for (std::size_t i = block * kBlock; i < std::min(some, (block + 1) * kBlock); ++i) {
        const auto design = std::span(canonical).subspan(i * parameters_, parameters_);
        std::ranges::copy(designs.subspan((first + i) * parameters_, parameters_), design.begin());
        environment_.canonicalise(*workload_, design);
      }
    });
    for (std::size_t i = 0; i < some; ++i) {
      const auto design = std::span(canonical).subspan(i * parameters_, parameters_);
      const auto [design_class, is_new] = classes_.insert(design);
      class_of[first + i] = design_class;
      if (!is_new) continue;
      outcome_of_class_.push_back(kPending);
      pending.push_back({design_class, proof_size_ == 0 ? 0 : family_of(design)});
    }
  }
  resolve(std::move(pending), progress);
  for (std::size_t i = 0; i < count; ++i) ids[i] = outcome_of_class_[class_of[i]];
  return ids;
}

// The newest first, since sweeps and agents ask for neighbours together.
std::size_t Evaluator::find_proof(std::span<const std::int64_t> design, const Family& family, std::size_t first,
                                  std::size_t hint) const {
  const auto proves = [&, designs = std::span(family.designs), proofs = std::span(family.proofs)](std::size_t i) {
    return environment_.same_run(proofs.subspan(i * proof_size_, proof_size_), designs.subspan(i * parameters_, parameters_),
                                 design);
  };
  const std::size_t count = family.outcomes.size();
  if (hint >= first && hint < count && proves(hint)) return hint;
  for (std::size_t i = count; i-- > first;) {
    if (proves(i)) return i;
  }
  return kNone;
}

// The value of a design in rounds of a level, with the level. Of designs with one value, one runs at a time.
void Evaluator::get_round(std::span<const std::int64_t> design, int level, std::span<std::int64_t> round) const {
  const std::span value = round.first(parameters_);
  std::ranges::copy(design, value.begin());
  if (level == 0) environment_.round_of(value);
  if (level == 1) environment_.wide_round_of(value);
  round.back() = level;
}

// One class per round value: the largest, so that what it proves reaches far. Where the executor wants large batches, what a
// finished run of a value left open is told apart further, and at the last level all runs: three rounds are enough.
std::vector<Evaluator::Pending> Evaluator::representatives(std::span<const Pending> pending) const {
  const bool widens = executor_->wanted(pending.size()) > 0;
  DesignIndex rounds(parameters_ + 1);
  std::vector<Pending> chosen;
  std::vector<std::int64_t> design(parameters_), round(parameters_ + 1);
  std::vector<std::int64_t> largest;  // (chosen, parameter)
  for (const Pending& p : pending) {
    classes_.get(p.design_class, design);
    get_round(design, 0, round);
    for (int level = 1; widens && level <= kLastLevel && finished_rounds_.contains(round); ++level)
      get_round(design, level, round);
    const auto [number, is_new] = rounds.insert(round);
    if (is_new) {
      chosen.push_back(p);
      largest.insert(largest.end(), design.begin(), design.end());
      continue;
    }
    const auto best = std::span(largest).subspan(number * parameters_, parameters_);
    if (std::ranges::lexicographical_compare(best, design)) {
      chosen[number] = p;
      std::ranges::copy(design, best.begin());
    }
  }
  return chosen;
}

void Evaluator::run(std::span<const std::int64_t> designs) {
  const std::size_t before = outcomes_.status.size();
  executor_->simulate(environment_, *workload_, designs, options_.engine, outcomes_);
  const std::size_t outcomes = before + designs.size() / parameters_;
  if (outcomes_.status.size() != outcomes || outcomes_.counters.size() != outcomes * counters_ ||
      outcomes_.detail.size() != outcomes * detail_size_ || outcomes_.artifacts.size() != (has_artifacts_ ? outcomes : 0)) {
    throw std::logic_error("executor " + executor_->description() + " gave columns of another length than it was asked for");
  }
  simulated_designs_.insert(simulated_designs_.end(), designs.begin(), designs.end());
  status_.insert(status_.end(), outcomes_.status.begin() + static_cast<std::ptrdiff_t>(before), outcomes_.status.end());
}

void Evaluator::simulate(std::span<const Pending> chosen) {
  auto id = static_cast<OutcomeId>(simulated());
  std::vector<std::int64_t> designs(chosen.size() * parameters_);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    classes_.get(chosen[i].design_class, std::span(designs).subspan(i * parameters_, parameters_));
  }
  run(designs);
  for (const Pending& p : chosen) {
    outcome_of_class_[p.design_class] = id;
    if (proof_size_ != 0) join_family(p.family, id);
    ++id;
  }
}

void Evaluator::join_family(std::uint32_t number, OutcomeId id) {
  Family& family = families_[number];
  const auto design = simulated_design(id);
  const auto bytes = proof(id);
  std::vector<std::int64_t> round(parameters_ + 1);
  for (int level = 0; level < kLastLevel; ++level) {
    get_round(design, level, round);
    (void)finished_rounds_.insert(round);
  }
  family.outcomes.push_back(id);
  family.designs.insert(family.designs.end(), design.begin(), design.end());
  family.proofs.insert(family.proofs.end(), bytes.begin(), bytes.end());
}

void Evaluator::resolve(std::vector<Pending> pending, const std::function<void(std::size_t, std::size_t)>& progress) {
  if (proof_size_ == 0) {  // nothing to share: all run, in blocks for the sake of progress
    for (std::size_t first = 0; first < pending.size(); first += kUnsharedBlock) {
      if (progress) progress(first, pending.size() - first);
      simulate(std::span(pending).subspan(first, std::min(kUnsharedBlock, pending.size() - first)));
    }
    if (progress) progress(pending.size(), 0);
    return;
  }
  // Outcomes of earlier calls first; later rounds only need to look at what the round added.
  std::vector<std::size_t> tried(families_.size(), 0);
  std::size_t done = 0;
  while (true) {
    // Each class reads only finished outcomes and writes only its own slot.
    executor_->pool().for_each((pending.size() + 1023) / 1024, [&](std::size_t block, unsigned) {
      std::vector<std::int64_t> design(parameters_);
      std::vector<std::size_t> hints(families_.size(), kNone);  // what proved the family's last class is likely to prove the next
      const std::size_t end = std::min(pending.size(), (block + 1) * 1024);
      for (std::size_t i = block * 1024; i < end; ++i) {
        const auto [design_class, family] = pending[i];
        if (outcome_of_class_[design_class] != kPending) continue;
        classes_.get(design_class, design);
        const std::size_t found = find_proof(design, families_[family], tried[family], hints[family]);
        if (found == kNone) continue;
        hints[family] = found;
        outcome_of_class_[design_class] = families_[family].outcomes[found];
      }
    });
    for (const Pending& p : pending) tried[p.family] = families_[p.family].outcomes.size();
    std::erase_if(pending, [this](const Pending& p) { return outcome_of_class_[p.design_class] != kPending; });
    if (progress) progress(done, pending.size());
    if (pending.empty()) return;
    const std::vector<Pending> chosen = representatives(pending);
    simulate(chosen);
    done += chosen.size();
  }
}

Evaluator::OutcomeId Evaluator::preload(std::span<const std::int64_t> design, std::uint8_t status,
                                        std::span<const std::uint64_t> counters, std::span<const std::byte> proof,
                                        const std::string& artifact) {
  const auto id = static_cast<OutcomeId>(simulated());
  status_.push_back(status);
  outcomes_.status.push_back(status);
  outcomes_.counters.insert(outcomes_.counters.end(), counters.begin(), counters.end());
  outcomes_.detail.insert(outcomes_.detail.end(), proof.begin(), proof.end());
  outcomes_.detail.resize(outcomes_.status.size() * detail_size_);
  if (has_artifacts_) outcomes_.artifacts.push_back(artifact);
  simulated_designs_.insert(simulated_designs_.end(), design.begin(), design.end());
  if (!options_.share) return id;
  const auto [design_class, is_new] = classes_.insert(design);
  if (is_new) outcome_of_class_.push_back(id);
  if (proof_size_ != 0) join_family(family_of(design), id);
  return id;
}

}  // namespace exarch
