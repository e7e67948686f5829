// Whether a result counts, and why not.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/env/environment.hpp"

namespace exarch {

struct Verdict {
  std::string status;                 // of the run; "infeasible" where that is ok and an objective refuses the result
  std::vector<std::string> violates;  // constraints of the objectives and of the environment's sanity(), as text
  std::vector<std::string> why;       // Environment::explain(), of a failed run and of one that violates something

  [[nodiscard]] bool sound() const { return status == "ok" && violates.empty(); }
  // "violates impossible<=0, l2_over<=0"; of a failed run "status stationary_tile".
  [[nodiscard]] std::string summary() const;
};

// `metrics`: of the result; of a failed run without meaning. `explained`: with `why`, which costs about an evaluation.
[[nodiscard]] Verdict verdict_of(const Environment& environment, const Workload& workload, std::span<const Objective> objectives,
                                 const Sanity& sanity, std::uint8_t status, std::span<const std::int64_t> design,
                                 std::span<const double> metrics, bool explained = true);

}  // namespace exarch
