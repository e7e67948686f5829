// Studies by plan: `exarch study lottery`, `exarch study my_plan.toml`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "host/study/study_store.hpp"
#include "tools/exarch/options.hpp"

namespace exarch::cli {

// Names of the shipped plans.
[[nodiscard]] std::vector<std::string> shipped_plans();

// Runs a shipped plan, a plan file, or shows a study's store again.
int study_plan(const Arguments& arguments);

// A study's store, as tables or with --json.
int show_study(const std::string& path, const Arguments& arguments);

// All that a finished study says, for --json and reports: {"study": ..., "problems": [...], "agents": [...]}.
[[nodiscard]] nlohmann::ordered_json study_json(const StudyStore& store);

}  // namespace exarch::cli
