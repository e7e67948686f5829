#include "host/run/shortlist.hpp"

#include <algorithm>
#include <cmath>
#include <compare>
#include <stdexcept>

namespace exarch {
namespace {

// A tradeoff of entries.
std::vector<double> column(const std::vector<Shortlist::Entry>& entries, std::size_t tradeoff) {
  std::vector<double> values(entries.size());
  std::ranges::transform(entries, values.begin(), [&](const Shortlist::Entry& e) { return e.tradeoffs[tradeoff]; });
  return values;
}

}  // namespace

Shortlist::Shortlist(std::size_t top, std::size_t tradeoffs) : top_(top), tradeoffs_(tradeoffs), best_(top) {
  if (tradeoffs == 1 || tradeoffs > kMaxTradeoffs) throw std::logic_error("a Pareto front is over two or three metrics");
}

Shortlist::Identity Shortlist::identity_of(const Entry& entry) {
  std::array<std::uint64_t, kMaxTradeoffs> keys{};
  std::ranges::transform(entry.tradeoffs, keys.begin(), rank::order_key);
  return {rank::order_key(entry.cost), keys, entry.sane};
}

void Shortlist::unite(std::vector<Entry>& entries) {
  // As identities are ordered, without making them: most entries differ in nothing but the point.
  const auto compare = [](const Entry& a, const Entry& b) -> std::strong_ordering {
    if (a.cost != b.cost) return a.cost < b.cost ? std::strong_ordering::less : std::strong_ordering::greater;
    for (std::size_t t = 0; t < kMaxTradeoffs; ++t) {
      const auto order = rank::order_key(a.tradeoffs[t]) <=> rank::order_key(b.tradeoffs[t]);
      if (std::is_neq(order)) return order;
    }
    return a.sane <=> b.sane;
  };
  std::ranges::sort(entries, [&compare](const Entry& a, const Entry& b) {
    const auto order = compare(a, b);
    return std::is_eq(order) ? a.point < b.point : std::is_lt(order);
  });
  const auto same = [&compare](const Entry& a, const Entry& b) { return std::is_eq(compare(a, b)); };
  entries.erase(std::unique(entries.begin(), entries.end(), same), entries.end());
  std::ranges::sort(entries, {}, &Entry::point);
}

void Shortlist::offer(std::uint64_t point, Evaluator::OutcomeId outcome, double cost, std::span<const double> tradeoffs,
                      bool sane) {
  if (!std::isfinite(cost)) return;
  Entry entry{point, outcome, cost, {}, sane};
  std::ranges::copy(tradeoffs, entry.tradeoffs.begin());
  offered_.push_back(entry);
}

bool Shortlist::settle(const rank::Functions& functions) {
  if (offered_.empty()) return false;
  std::vector<Entry> offered = std::move(offered_);
  offered_.clear();
  unite(offered);
  std::vector<double> costs(offered.size());
  std::ranges::transform(offered, costs.begin(), &Entry::cost);
  for (const std::uint32_t i : functions.top_k(costs, top_)) {
    best_.offer(identity_of(offered[i]), {offered[i].cost, offered[i].point}, offered[i]);
  }
  settle_front(offered, functions);
  std::vector<Entry> kept = front_;
  for (const auto& [order, entry] : best_.entries()) kept.push_back(entry.item);
  unite(kept);
  const bool changed = !std::ranges::equal(kept, entries_, {}, &Entry::point, &Entry::point);
  entries_ = std::move(kept);
  return changed;
}

void Shortlist::settle_front(const std::vector<Entry>& offered, const rank::Functions& functions) {
  if (tradeoffs_ == 0) return;
  std::vector<Entry> all = std::move(front_);
  front_.clear();
  std::ranges::copy_if(offered, std::back_inserter(all), &Entry::sane);
  if (all.empty()) return;
  unite(all);
  std::vector<std::vector<double>> columns;
  for (std::size_t t = 0; t < tradeoffs_; ++t) columns.push_back(column(all, t));
  const std::vector<std::span<const double>> objectives(columns.begin(), columns.end());
  for (const std::uint32_t i : functions.pareto_front(objectives)) front_.push_back(all[i]);
}

}  // namespace exarch
