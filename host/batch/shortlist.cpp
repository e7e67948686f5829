#include "host/batch/shortlist.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <tuple>

namespace exarch {
namespace {

// Equal for designs that are one entry.
auto sameness(const Shortlist::Entry& e) {
  return std::tie(e.cost, e.tradeoffs, e.sane);
}

// A tradeoff of some of the entries.
std::vector<double> column(const std::vector<Shortlist::Entry>& entries, const std::vector<std::uint32_t>& chosen,
                           std::size_t tradeoff) {
  std::vector<double> values(chosen.size());
  std::ranges::transform(chosen, values.begin(), [&](std::uint32_t i) { return entries[i].tradeoffs[tradeoff]; });
  return values;
}

}  // namespace

Shortlist::Shortlist(std::size_t top, std::size_t tradeoffs) : top_(top), tradeoffs_(tradeoffs) {
  if (tradeoffs == 1 || tradeoffs > kMaxTradeoffs) throw std::logic_error("a Pareto front is over two or three metrics");
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
  std::vector<Entry> all = entries_;
  all.insert(all.end(), offered_.begin(), offered_.end());
  offered_.clear();
  // Of equal ones the first, which is the one with the smallest point.
  std::ranges::sort(all, [](const Entry& a, const Entry& b) {
    return sameness(a) != sameness(b) ? sameness(a) < sameness(b) : a.point < b.point;
  });
  const auto same = [](const Entry& a, const Entry& b) { return sameness(a) == sameness(b); };
  all.erase(std::unique(all.begin(), all.end(), same), all.end());
  std::ranges::sort(all, {}, &Entry::point);

  std::vector<double> costs(all.size());
  std::ranges::transform(all, costs.begin(), &Entry::cost);
  std::vector<std::uint32_t> chosen = functions.top_k(costs, top_);
  std::vector<std::uint32_t> sane;
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    if (all[i].sane) sane.push_back(i);
  }
  if (tradeoffs_ > 0 && !sane.empty()) {
    std::vector<std::vector<double>> columns;
    std::vector<std::span<const double>> objectives;
    for (std::size_t t = 0; t < tradeoffs_; ++t) columns.push_back(column(all, sane, t));
    for (const auto& values : columns) objectives.emplace_back(values);
    for (const std::uint32_t i : functions.pareto_front(objectives)) chosen.push_back(sane[i]);
  }
  std::ranges::sort(chosen);
  chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());

  std::vector<Entry> kept;
  for (const std::uint32_t i : chosen) kept.push_back(all[i]);
  const bool changed = !std::ranges::equal(kept, entries_, {}, &Entry::point, &Entry::point);
  entries_ = std::move(kept);
  return changed;
}

}  // namespace exarch
