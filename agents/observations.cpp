#include "agents/observations.hpp"

#include <algorithm>
#include <numeric>

namespace exarch {

Observations::Observations(const DesignSpace& space, std::size_t best, std::size_t newest)
    : space_(space), best_(best), newest_(newest) {
  resize_batch(genes_, space, 0);
}

void Observations::add(const GeneBatch& batch, std::span<const double> costs) {
  genes_.genes.insert(genes_.genes.end(), batch.genes.begin(), batch.genes.end());
  costs_.insert(costs_.end(), costs.begin(), costs.end());
  if (size() <= best_ + newest_) return;
  std::vector<std::uint32_t> order = by_cost();
  const std::size_t first_new = size() - newest_;
  std::vector<bool> kept(size());
  for (std::size_t i = first_new; i < size(); ++i) kept[i] = true;
  std::size_t room = best_;
  for (const std::uint32_t member : order) {
    if (room == 0) break;
    if (kept[member]) continue;
    kept[member] = true;
    --room;
  }
  std::vector<std::uint32_t> members;
  for (std::uint32_t i = 0; i < size(); ++i) {
    if (kept[i]) members.push_back(i);
  }
  keep(members);
}

void Observations::keep(std::span<const std::uint32_t> members) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto from = genes_.row(members[i]);
    std::ranges::copy(from, genes_.row(i).begin());
    costs_[i] = costs_[members[i]];
  }
  resize_batch(genes_, space_, members.size());
  costs_.resize(members.size());
}

std::set<std::vector<Gene>> Observations::points() const {
  std::set<std::vector<Gene>> points;
  for (std::size_t i = 0; i < size(); ++i) {
    const auto row = genes_.row(i);
    points.emplace(row.begin(), row.end());
  }
  return points;
}

std::vector<std::uint32_t> Observations::by_cost() const {
  std::vector<std::uint32_t> order(size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [this](std::uint32_t member) { return costs_[member]; });
  return order;
}

void Observations::assign(Observations&& other) {
  genes_ = std::move(other.genes_);
  costs_ = std::move(other.costs_);
}

void Observations::write(StateWriter& writer) const {
  writer.put(size(), 4);
  writer.put(std::span<const Gene>(genes_.genes));
  writer.put(costs());
}

void Observations::read(StateReader& reader) {
  const std::size_t count = reader.get(4);
  if (count > best_ + newest_) reader.fail("it remembers more");
  GeneBatch genes = reader.get_genes(space_, count);
  std::vector<double> costs = reader.get_doubles(count);
  genes_ = std::move(genes);
  costs_ = std::move(costs);
}

}  // namespace exarch
