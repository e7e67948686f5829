#include "agents/variation.hpp"

#include <algorithm>

namespace exarch {
namespace {

// Uniformly one of the values other than the present one.
Gene other_value(std::uint32_t values, Gene present, PhiloxStream& draws) {
  const std::uint32_t other = draws.below(values - 1);  // numbers all values but the present one
  return static_cast<Gene>(other < present ? other : other + 1);
}

std::uint32_t values_of(const DesignSpace& space, std::size_t parameter) {
  return static_cast<std::uint32_t>(space.values(parameter).size());
}

void cross(Crossover kind, std::span<const Gene> other, std::span<Gene> genes, PhiloxStream& draws) {
  if (kind == Crossover::uniform) {
    for (std::size_t p = 0; p < genes.size(); ++p) {
      if (draws.below(2) == 1) genes[p] = other[p];
    }
    return;
  }
  const auto places = static_cast<std::uint32_t>(genes.size() + 1);
  const std::uint32_t a = draws.below(places);
  std::uint32_t b = draws.below(places - 1);
  if (b >= a) ++b;
  for (std::uint32_t p = std::min(a, b); p < std::max(a, b); ++p) genes[p] = other[p];
}

// Whether the labels are permutations of the same letters, two of them or more.
bool are_permutations(const std::vector<std::string>& labels) {
  const auto sorted = [](std::string label) {
    std::ranges::sort(label);
    return label;
  };
  return labels.size() > 1 && labels.front().size() > 1 &&
         std::ranges::all_of(labels, [&](const std::string& label) { return sorted(label) == sorted(labels.front()); });
}

double mutation_rate_of(const Hyperparameters& values, const DesignSpace& space) {
  if (values.text("mutation_rate") != "auto") return values.real("mutation_rate", 0, 1);
  return 1.0 / static_cast<double>(std::max<std::size_t>(1, searched_parameters(space).size()));
}

}  // namespace

Breeding::Breeding(const Hyperparameters& values, const DesignSpace& space)
    : crossover(static_cast<Crossover>(values.choice("crossover", kCrossovers))),
      crossover_rate(values.real("crossover_rate", 0, 1)),
      mutation_rate(mutation_rate_of(values, space)) {}

void Breeding::make_child(const DesignSpace& space, std::span<const Gene> first, std::span<const Gene> second,
                          PhiloxStream crossing, PhiloxStream mutating, std::span<Gene> child) const {
  std::ranges::copy(first, child.begin());
  if (crossing.unit() < crossover_rate) cross(crossover, second, child, crossing);
  for (std::size_t p = 0; p < child.size(); ++p) {
    const std::uint32_t values = values_of(space, p);
    if (values == 1 || mutating.unit() >= mutation_rate) continue;
    child[p] = other_value(values, child[p], mutating);
  }
}

void move_one(const DesignSpace& space, std::span<const std::size_t> searched, double locality, std::span<Gene> genes,
              PhiloxStream& draws) {
  if (searched.empty()) return;
  const std::size_t p = searched[draws.below(static_cast<std::uint32_t>(searched.size()))];
  const std::uint32_t values = values_of(space, p);
  const bool near = draws.unit() < locality;
  if (!near || space.parameters()[p].kind == ParameterKind::categorical) {
    genes[p] = other_value(values, genes[p], draws);
    return;
  }
  const bool up = genes[p] == 0 || (genes[p] + 1u < values && draws.below(2) == 1);
  genes[p] = static_cast<Gene>(up ? genes[p] + 1 : genes[p] - 1);
}

DomainMoves::DomainMoves(const Hyperparameters& values, const DesignSpace& space)
    : reorder_rate_(values.real("reorder_rate", 0, 1)), growth_rate_(values.real("growth_rate", 0, 1)) {
  for (const std::size_t p : searched_parameters(space)) {
    const ParameterInfo& parameter = space.parameters()[p];
    if (parameter.kind == ParameterKind::integer) {
      tiles_.push_back(p);
    } else if (are_permutations(parameter.labels)) {
      orders_.push_back(p);
    }
  }
}

void DomainMoves::apply(const DesignSpace& space, std::span<Gene> genes, PhiloxStream draws) const {
  if (!orders_.empty() && draws.unit() < reorder_rate_) {
    const std::size_t p = orders_[draws.below(static_cast<std::uint32_t>(orders_.size()))];
    const ParameterInfo& parameter = space.parameters()[p];
    const auto values = space.values(p);
    std::string order = parameter.format(values[genes[p]]);
    const auto places = static_cast<std::uint32_t>(order.size());
    const std::uint32_t a = draws.below(places), b = draws.below(places - 1);
    std::swap(order[a], order[b < a ? b : b + 1]);
    const auto wanted = std::ranges::find(values, order, [&parameter](std::int64_t value) { return parameter.format(value); });
    if (wanted != values.end()) genes[p] = static_cast<Gene>(wanted - values.begin());
  }
  if (!tiles_.empty() && draws.unit() < growth_rate_) move_one(space, tiles_, 1, genes, draws);
}

}  // namespace exarch
