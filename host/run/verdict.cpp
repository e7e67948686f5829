#include "host/run/verdict.hpp"

#include <algorithm>
#include <cmath>

namespace exarch {

std::string Verdict::summary() const {
  if (violates.empty()) return "status " + status;
  std::string text = "violates ";
  for (const std::string& constraint : violates) text += (&constraint == violates.data() ? "" : ", ") + constraint;
  return text;
}

Verdict verdict_of(const Environment& environment, const Workload& workload, std::span<const Objective> objectives,
                   const Sanity& sanity, std::uint8_t status, std::span<const std::int64_t> design,
                   std::span<const double> metrics, bool explained) {
  Verdict verdict{environment.status_text(status), {}, {}};
  const auto violates = [&verdict](const std::string& constraint) {
    if (std::ranges::find(verdict.violates, constraint) == verdict.violates.end()) verdict.violates.push_back(constraint);
  };
  if (status == 0) {
    for (const Objective& objective : objectives) {
      if (!std::isfinite(objective.score(metrics, true).cost)) verdict.status = "infeasible";
      for (std::size_t k = 0; k < objective.constraints().size(); ++k) {
        if (!objective.meets(k, metrics)) violates(objective.constraints()[k]);
      }
    }
    for (std::size_t k = 0; k < sanity.size(); ++k) {
      if (!sanity.holds(k, metrics)) violates(sanity.text(k));
    }
  }
  if (explained && !verdict.sound()) verdict.why = environment.explain(workload, design, status);
  return verdict;
}

}  // namespace exarch
