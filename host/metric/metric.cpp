#include "host/metric/metric.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <system_error>

#include "host/error.hpp"

namespace exarch {
namespace {

using Preset = std::pair<std::string, std::string>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string without_spaces(std::string_view text) {
  std::string result;
  std::copy_if(text.begin(), text.end(), std::back_inserter(result),
               [](char c) { return c != ' ' && c != '\t' && c != '\n' && c != '\r'; });
  return result;
}

// Cuts `text` at the first `separator`: returns what precedes it and leaves what follows in `text`;
// the last piece leaves an empty text and sets `more` to false.
std::string_view cut(std::string_view& text, char separator, bool& more) {
  const std::size_t at = text.find(separator);
  more = at != std::string_view::npos;
  const std::string_view piece = text.substr(0, at);
  text = more ? text.substr(at + 1) : std::string_view{};
  return piece;
}

template <class Visit>
void for_each_piece(std::string_view text, char separator, Visit&& visit) {
  for (bool more = true; more;) visit(cut(text, separator, more));
}

// The names a term may use, and how to complain about it.
class Names {
 public:
  Names(std::string_view objective, std::span<const MetricInfo> metrics, std::span<const Preset> presets)
      : objective_(objective), presets_(presets) {
    for (const MetricInfo& metric : metrics) metrics_.push_back(metric.name);
    everything_ = metrics_;
    for (const Preset& preset : presets) everything_.push_back(preset.first);
  }

  [[noreturn]] void fail(const std::string& what) const { throw UsageError("objective '" + objective_ + "': " + what); }

  [[nodiscard]] std::size_t metric(std::string_view name) const {
    const auto it = std::find(metrics_.begin(), metrics_.end(), name);
    if (it != metrics_.end()) return static_cast<std::size_t>(it - metrics_.begin());
    if (name.empty()) fail("a metric is missing; metrics and presets are " + list());
    if (const auto preset = std::ranges::find(presets_, name, &Preset::first); preset != presets_.end()) fail_preset(*preset);
    const std::string guess = did_you_mean(name, everything_);
    fail("unknown metric '" + std::string(name) + "'" + (guess.empty() ? "; metrics and presets are " + list() : guess));
  }

  [[nodiscard]] double number(std::string_view text) const {
    double value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || stop != text.data() + text.size() || !std::isfinite(value)) {
      fail("expected a number, found '" + std::string(text) + "'");
    }
    return value;
  }

 private:
  // A preset is a whole expression, and so no part of one.
  [[noreturn]] void fail_preset(const Preset& preset) const {
    std::vector<std::string> used;
    for (const std::string& metric : metrics_) {
      if (preset.second.find(metric) != std::string::npos) used.push_back(metric);
    }
    const std::string example = used.empty() ? metrics_.front() : used.front();
    fail("'" + preset.first + "' is the preset of a whole objective (" + preset.second +
         ") and can only stand alone in front of constraints; here a metric is expected, for example " + example +
         ", as in 'min:" + metrics_.front() + ", " + example + "<=5'");
  }

  [[nodiscard]] std::string list() const {
    std::string text;
    for (const std::string& name : everything_) text += (text.empty() ? "" : ", ") + name;
    return text;
  }

  std::string objective_;
  std::span<const Preset> presets_;
  std::vector<std::string> metrics_, everything_;
};

// Replaces the expression by the preset of that name, if there is one.
std::string expanded(const std::string& text, std::span<const Preset> presets) {
  const std::size_t comma = std::min(text.find(','), text.size());
  for (const auto& [name, expression] : presets) {
    if (text.compare(0, comma, name) == 0) {
      return without_spaces(expression) + text.substr(comma);
    }
  }
  return text;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

Objective Objective::parse(std::string_view text, std::span<const MetricInfo> metrics, std::span<const Preset> presets) {
  const Names names(text, metrics, presets);
  Objective objective;
  objective.text_ = expanded(without_spaces(text), presets);
  std::string_view rest = objective.text_;
  bool more = false;
  std::string_view expression = cut(rest, ',', more);
  if (take_prefix(expression, "target:")) {
    objective.kind_ = Kind::target;
  } else if (take_prefix(expression, "max:")) {
    objective.kind_ = Kind::maximise;
  } else {
    take_prefix(expression, "min:");
  }

  for_each_piece(expression, '*', [&](std::string_view factor) {
    const bool target = objective.kind_ == Kind::target;
    bool has_number = false;
    const std::size_t metric = names.metric(cut(factor, target ? '=' : '^', has_number));
    if (target && !has_number) names.fail("a target is written metric=number");
    const double number = has_number ? names.number(factor) : 1.0;
    if (target && number <= 0) names.fail("a target must be greater than 0");
    objective.terms_.push_back({metric, number, false});
  });

  const auto add_constraint = [&](std::string_view constraint) {
    const std::size_t at = constraint.find_first_of("<>");
    if (at == std::string_view::npos || constraint.substr(at + 1, 1) != "=") {
      names.fail("a constraint is written metric<=number or metric>=number, found '" + std::string(constraint) + "'");
    }
    objective.constraints_.push_back(
        {names.metric(constraint.substr(0, at)), names.number(constraint.substr(at + 2)), constraint[at] == '<'});
    objective.constraint_texts_.emplace_back(constraint);
  };
  if (more) for_each_piece(rest, ',', add_constraint);
  return objective;
}

bool Objective::meets(std::size_t constraint, std::span<const double> metrics) const {
  const Term& c = constraints_[constraint];
  const double metric = metrics[c.metric];
  return std::isfinite(metric) && (c.at_most ? metric <= c.number : metric >= c.number);
}

double Objective::excess(std::size_t constraint, std::span<const double> metrics) const {
  const Term& c = constraints_[constraint];
  const double metric = metrics[c.metric];
  if (!std::isfinite(metric)) return kInfinity;
  return std::max(0.0, c.at_most ? metric - c.number : c.number - metric);
}

bool Objective::allows(std::span<const double> metrics) const {
  for (std::size_t c = 0; c < constraints_.size(); ++c) {
    if (!meets(c, metrics)) return false;
  }
  return true;
}

Score Objective::score(std::span<const double> metrics, bool ok) const {
  const auto readable = [&](const Term& term) { return std::isfinite(metrics[term.metric]); };
  if (!ok || !std::all_of(terms_.begin(), terms_.end(), readable)) return {kInfinity, kNaN};

  double value = 1;
  for (const Term& term : terms_) {
    const double metric = metrics[term.metric];
    // The cap is per term: hitting one target exactly must not hide how far off the others are.
    value *= kind_ == Kind::target ? std::min(term.number / std::abs(term.number - metric), kRewardCap)
                                   : std::pow(metric, term.number);
  }
  if (!allows(metrics) || !std::isfinite(value)) return {kInfinity, value};
  return {kind_ == Kind::minimise ? value : -value, value};
}

}  // namespace exarch
