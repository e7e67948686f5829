// What comes of directives: loops of a mapping, and what constraints leave open.
#include <algorithm>

#include "host/files/text.hpp"
#include "host/timeloop/yaml_sections.hpp"

namespace exarch::timeloop {

// (dimension) what a factor 0 stands for: what the other factors leave.
std::vector<std::int64_t> RuleReader::rests_of(const Rules& rules) const {
  std::vector<std::int64_t> rests(layer_.dims.size(), 1);
  for (std::size_t d = 0; d < rests.size(); ++d) {
    std::int64_t product = 1, open = 0;
    YamlPlace place;
    for (std::uint32_t s = 0; s < flat_.levels.size(); ++s) {
      for (const LoopRules* loops : {&rules.level[s].spatial, &rules.level[s].temporal}) {
        const std::int64_t factor = loops->equal[d];
        if (factor == LoopRules::kRest) {
          if (open++ > 0)
            refuse(loops->place,
                   "factors: " + layer_.dims[d] + " has the factor 0, which is the rest, twice; the first is at " + shown(place));
          place = loops->place;
        } else if (factor > 1) {
          product = product > kLargestNumber ? product : product * factor;
        }
      }
    }
    if (open == 0) continue;
    if (layer_.sizes[d] % product != 0) {
      refuse(place, "factors: " + layer_.dims[d] + " has the factor 0, which is the rest, but the other factors, " +
                        std::to_string(product) + ", do not divide its size " + std::to_string(layer_.sizes[d]));
    }
    rests[d] = layer_.sizes[d] / product;
  }
  return rests;
}

Block RuleReader::block_of(const LoopRules& rules, bool spatial, const std::vector<std::int64_t>& rest, std::uint32_t s) const {
  std::vector<std::size_t> order = rules.inner;
  for (std::size_t d = 0; d < layer_.dims.size(); ++d) {
    if (std::ranges::find(rules.inner, d) == rules.inner.end() && std::ranges::find(rules.outer, d) == rules.outer.end())
      order.push_back(d);
  }
  order.insert(order.end(), rules.outer.begin(), rules.outer.end());
  Block block{};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t d = order[i];
    const std::int64_t factor = rules.equal[d] == LoopRules::kNone   ? 1
                                : rules.equal[d] == LoopRules::kRest ? rest[d]
                                                                     : rules.equal[d];
    if (factor == 1) continue;
    if (!layer_.loops[d]) {
      refuse(rules.place, "factors: " + layer_.dims[d] + " has the factor " + std::to_string(factor) + " at " +
                              in_quotes(flat_.levels[s].name) + ", but its size is 1");
    }
    const bool on_y = spatial && rules.split != LoopRules::kNone && static_cast<std::int64_t>(i) >= rules.split;
    block.loop[block.count++] = {*layer_.loops[d], on_y ? Axis::y : Axis::x, factor};
  }
  return block;
}

Mapping RuleReader::mapping_of(const Rules& rules) const {
  const std::vector<std::int64_t> rests = rests_of(rules);
  Mapping mapping{};
  for (std::uint32_t s = 0; s < flat_.levels.size(); ++s) {
    mapping.spatial[s] = block_of(rules.level[s].spatial, true, rests, s);
    mapping.temporal[s] = block_of(rules.level[s].temporal, false, rests, s);
    for (std::uint32_t space = 0; space < kSpaces; ++space) mapping.keep[s][space] = rules.level[s].keep[space] != Choice::no;
  }
  return mapping;
}

BlockConstraint RuleReader::constraint_of(const LoopRules& rules, std::uint32_t s) const {
  BlockConstraint block;
  block.factor.fill(1);  // of loops that the shape does not have
  // A network may have layers with groups: what constraints do not name is open.
  if (!flat_.levels[s].dummy) block.factor[index_of(Dim::G)] = BlockConstraint::kOpen;
  std::int64_t split = rules.split;
  for (std::size_t d = 0; d < layer_.dims.size(); ++d) {
    if (!layer_.loops[d]) continue;
    const std::uint32_t loop = index_of(*layer_.loops[d]);
    block.factor[loop] = BlockConstraint::kOpen;
    block.most[loop] = rules.most[d] == LoopRules::kNone ? 0 : rules.most[d];
    block.least[loop] = rules.least[d] == LoopRules::kNone ? 0 : rules.least[d];
    if (rules.equal[d] == LoopRules::kRest) {
      block.factor[loop] = BlockConstraint::kWhole;
    } else if (rules.equal[d] > layer_.sizes[d]) {
      warnings_.push_back(shown(rules.place) + ": the factor " + std::to_string(rules.equal[d]) + " of " + layer_.dims[d] +
                          " at " + in_quotes(flat_.levels[s].name) + " is beyond its size " + std::to_string(layer_.sizes[d]) +
                          " and is left out, as in Timeloop");
    } else if (rules.equal[d] != LoopRules::kNone) {
      block.factor[loop] = rules.equal[d];
    }
  }
  for (std::size_t i = 0; i < rules.inner.size(); ++i) {
    if (layer_.loops[rules.inner[i]]) {
      block.innermost.push_back(*layer_.loops[rules.inner[i]]);
    } else if (rules.split != LoopRules::kNone && static_cast<std::int64_t>(i) < rules.split) {
      --split;  // a dimension that the model does not have is not counted
    }
  }
  for (const std::size_t d : rules.outer) {
    if (layer_.loops[d]) block.outermost.push_back(*layer_.loops[d]);
  }
  block.split = split == LoopRules::kNone ? -1 : static_cast<std::int32_t>(std::min<std::int64_t>(split, kDims));
  return block;
}

Constraints RuleReader::constraints_of(const Rules& rules) const {
  Constraints constraints;
  constraints.min_parallelism = rules.min_parallelism;
  constraints.tensors = layer_.tensors;
  constraints.dims.clear();
  for (const std::optional<Dim>& loop : layer_.loops) {
    if (loop) constraints.dims.push_back(*loop);
  }
  const auto levels = static_cast<std::uint32_t>(flat_.levels.size());
  for (std::uint32_t s = 0; s < levels; ++s) {
    constraints.spatial[s] = constraint_of(rules.level[s].spatial, s);
    constraints.temporal[s] = constraint_of(rules.level[s].temporal, s);
    constraints.keep[s] = rules.level[s].keep;
  }
  // Timeloop's tensors come from the outermost level.
  for (Choice& choice : constraints.keep[levels - 1]) choice = choice == Choice::open ? Choice::yes : choice;
  return constraints;
}

}  // namespace exarch::timeloop
