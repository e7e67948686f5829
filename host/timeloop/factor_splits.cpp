#include "host/timeloop/factor_splits.hpp"

#include <algorithm>
#include <map>

namespace exarch::timeloop {
namespace {

// 1, n, 2, n / 2 ...
std::vector<std::int64_t> divisors_by_pairs(std::int64_t n) {
  std::vector<std::int64_t> divisors;
  for (std::int64_t d = 1; d * d <= n; ++d) {
    if (n % d != 0) continue;
    divisors.push_back(d);
    if (d * d != n) divisors.push_back(n / d);
  }
  return divisors;
}

}  // namespace

std::optional<std::int64_t> FactorSplits::left_over(std::int64_t bound, const std::vector<FactorSlot>& slots) {
  bool open = false;
  for (const FactorSlot& slot : slots) {
    open = open || !slot.fixed;
    if (!slot.fixed) continue;
    if (*slot.fixed < 1 || bound % *slot.fixed != 0) return std::nullopt;
    bound /= *slot.fixed;
  }
  if (!open && bound != 1) return std::nullopt;
  return bound;
}

FactorSplits::FactorSplits(std::int64_t bound, const std::vector<FactorSlot>& slots) {
  const std::optional<std::int64_t> left = left_over(bound, slots);
  if (!left) return;
  for (std::uint32_t s = 0; s < slots.size(); ++s) {
    fixed_.push_back(slots[s].fixed.value_or(0));
    if (!slots[s].fixed) {
      open_.push_back(s);
    } else if (!slots[s].admits(*slots[s].fixed)) {
      return;
    }
  }
  divisors_ = divisors_by_pairs(*left);
  const auto divisors = static_cast<std::uint32_t>(divisors_.size());
  std::map<std::int64_t, std::uint32_t> place;
  for (std::uint32_t i = 0; i < divisors; ++i) place[divisors_[i]] = i;
  all_ = place[*left];
  quotient_.assign(divisors_.size() * divisors_.size(), kNone);
  for (std::uint32_t i = 0; i < divisors; ++i) {
    for (std::uint32_t j = 0; j < divisors; ++j) {
      if (divisors_[i] % divisors_[j] == 0) quotient_[i * divisors_.size() + j] = place[divisors_[i] / divisors_[j]];
    }
  }
  count(slots);
}

void FactorSplits::count(const std::vector<FactorSlot>& slots) {
  const std::size_t divisors = divisors_.size();
  for (const std::uint32_t s : open_) {
    std::vector<std::uint8_t>& fits = fits_.emplace_back();
    for (const std::int64_t divisor : divisors_) fits.push_back(slots[s].admits(divisor) ? 1 : 0);
  }
  ways_.emplace_back(divisors, 0);
  ways_[0][0] = 1;  // no slot: nothing to split, which is divisor 1
  for (std::size_t k = 1; k <= open_.size(); ++k) {
    std::vector<WideCount>& ways = ways_.emplace_back(divisors, 0);
    for (std::size_t i = 0; i < divisors; ++i) {
      for (std::size_t j = 0; j < divisors; ++j) {
        const std::uint32_t rest = quotient_[i * divisors + j];
        if (rest != kNone && fits_[k - 1][j] != 0) ways[i] += ways_[k - 1][rest];
      }
    }
  }
  size_ = ways_.back()[all_];
}

void FactorSplits::at(WideCount index, std::int64_t* factors) const {
  std::copy(fixed_.begin(), fixed_.end(), factors);
  std::uint32_t left = all_;
  for (std::size_t k = open_.size(); k-- > 0;) {
    for (std::uint32_t j = 0; j < divisors_.size(); ++j) {
      const std::uint32_t rest = quotient_[left * divisors_.size() + j];
      if (rest == kNone || fits_[k][j] == 0) continue;
      const WideCount ways = ways_[k][rest];
      if (index >= ways) {
        index -= ways;
        continue;
      }
      factors[open_[k]] = divisors_[j];
      left = rest;
      break;
    }
  }
}

}  // namespace exarch::timeloop
