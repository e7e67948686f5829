// Metrics and objectives: what a result is worth.
//
// An environment lists its metrics (name, unit, doc); an objective is data: minimise or maximise a metric, weighted products,
// target rewards, constraints. Costs are doubles, lower is better; infeasible designs cost +infinity.
#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace exarch {

// The cost of a design that is infeasible or has no result.
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

// MetricInfo::decimals of a metric whose size nobody knows: the shortest number that reads back as the same.
inline constexpr int kShortest = -1;

struct MetricInfo {
  std::string name, unit, doc;
  int decimals = 2;  // in tables and CSV files, as the reference prints it; JSON carries full precision
};

struct Score {
  double cost;   // lower is better; +infinity when infeasible or when the run failed
  double value;  // the objective as the user states it (a reward stays a reward)
};

class Objective {
 public:
  // Parses an objective against a metric table. Grammar (docs/formats.md):
  //   objective   = expression { "," constraint }
  //   expression  = ["min:" | "max:"] product | "target:" metric "=" number { "*" metric "=" number }
  //   product     = factor { "*" factor };  factor = metric ["^" number]
  //   constraint  = metric ("<=" | ">=") number
  // plus the named presets the environment passes (name -> expression), e.g. latency = "min:total_time_ps".
  // A target reward is the product over its terms of r = target / |target - value|, each r capped at `kRewardCap` so that hitting
  // one target exactly does not hide the others; it is maximised. A preset's name stands for the whole expression; constraints
  // may follow it.
  // UsageError on anything else, with the nearest metric or preset.
  [[nodiscard]] static Objective parse(std::string_view text, std::span<const MetricInfo> metrics,
                                       std::span<const std::pair<std::string, std::string>> presets);

  static constexpr double kRewardCap = 1e9;

  // `metrics`: one value per metric of the table; `ok`: whether the run succeeded. NaN or infinite metrics that the
  // objective reads cost +infinity, as does a value that overflows.
  [[nodiscard]] Score score(std::span<const double> metrics, bool ok) const;
  // The constraints as text, "impossible<=0", and whether metrics meet one of them; NaN meets none.
  [[nodiscard]] std::span<const std::string> constraints() const { return constraint_texts_; }
  [[nodiscard]] bool meets(std::size_t constraint, std::span<const double> metrics) const;
  // By how much metrics break a constraint: 0 where they meet it, +infinity where the metric is not finite.
  [[nodiscard]] double excess(std::size_t constraint, std::span<const double> metrics) const;
  // Whether they meet all of them.
  [[nodiscard]] bool allows(std::span<const double> metrics) const;
  // The value that has this cost; +-infinity where it is infeasible.
  [[nodiscard]] double value_of(double cost) const { return kind_ == Kind::minimise ? cost : -cost; }
  // The objective with its preset written out, without spaces: the same text is the same objective.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  struct Term {
    std::size_t metric;
    double number;  // exponent, target or bound
    bool at_most;   // constraints
  };
  enum class Kind { minimise, maximise, target };
  std::string text_;
  Kind kind_ = Kind::minimise;
  std::vector<Term> terms_, constraints_;
  std::vector<std::string> constraint_texts_;  // (constraint)
};

}  // namespace exarch
