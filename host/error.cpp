#include "host/error.hpp"

#include <algorithm>

namespace exarch {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(char a, char b) {
  return lower(a) == lower(b);
}

bool equal(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, same);
}

// How far `word` is from `known`: 0 (upper and lower case apart), 1 (one letter too many, too few or wrong, or two exchanged) or
// 2 (further).
int typos(std::string_view word, std::string_view known) {
  constexpr std::size_t kShortest = 3;  // of two letters, one changed is another word
  const std::size_t longer = std::max(word.size(), known.size()), shorter = std::min(word.size(), known.size());
  if (longer - shorter > 1) return 2;
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(word, known, same).in1 - word.begin());
  if (at == longer) return 0;
  if (longer < kShortest) return 2;
  const auto rest = [at](std::string_view text, std::size_t skipped) { return text.substr(std::min(at + skipped, text.size())); };
  if (word.size() > known.size()) return equal(rest(word, 1), rest(known, 0)) ? 1 : 2;
  if (word.size() < known.size()) return equal(rest(word, 0), rest(known, 1)) ? 1 : 2;
  if (equal(rest(word, 1), rest(known, 1))) return 1;
  const bool exchanged = at + 1 < longer && same(word[at], known[at + 1]) && same(word[at + 1], known[at]);
  return exchanged && equal(rest(word, 2), rest(known, 2)) ? 1 : 2;
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  const std::string* best = nullptr;
  int least = 2;
  for (const std::string& candidate : candidates) {
    const int distance = typos(word, candidate);
    if (distance >= least) continue;
    least = distance;
    best = &candidate;
  }
  return best == nullptr ? "" : *best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string guess = nearest(word, candidates);
  return guess.empty() ? "" : " (did you mean '" + guess + "'?)";
}

}  // namespace exarch
