// What a model-based agent remembers: a bounded number of evaluated candidates, the best and the newest ones.
#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <vector>

#include "agents/agents_internal.hpp"

namespace exarch {

class Observations {
 public:
  // Keeps the `best` cheapest candidates and the `newest` latest others.
  Observations(const DesignSpace& space, std::size_t best, std::size_t newest);

  // Costs without NaN, in the order in which they were asked.
  void add(const GeneBatch& batch, std::span<const double> costs);

  [[nodiscard]] std::size_t size() const { return costs_.size(); }
  // From the oldest to the newest.
  [[nodiscard]] const GeneBatch& candidates() const { return genes_; }
  [[nodiscard]] std::span<const double> costs() const { return costs_; }
  // Which candidates they are.
  [[nodiscard]] std::set<std::vector<Gene>> points() const;
  // Numbers of all of them, the cheapest first, equal ones from the oldest.
  [[nodiscard]] std::vector<std::uint32_t> by_cost() const;

  // Takes over what `other`, of the same space and bounds, remembers.
  void assign(Observations&& other);

  void write(StateWriter& writer) const;
  void read(StateReader& reader);

 private:
  void keep(std::span<const std::uint32_t> members);

  const DesignSpace& space_;
  std::size_t best_, newest_;
  GeneBatch genes_;
  std::vector<double> costs_;
};

}  // namespace exarch
