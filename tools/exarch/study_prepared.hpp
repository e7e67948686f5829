// A study's plan with everything it names, before anything runs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/study/plan.hpp"
#include "tools/exarch/common.hpp"

namespace exarch::cli {

using Workloads = std::vector<std::shared_ptr<const Workload>>;

// The plan that the arguments of `exarch study` name, with what they say instead of it. UsageError or Error for whatever the plan
// has wrong, with file and line.
class PreparedStudy {
 public:
  explicit PreparedStudy(const Arguments& arguments);

  [[nodiscard]] std::size_t problems() const { return options.size() * objectives.size(); }  // (workload, objective)
  [[nodiscard]] Workloads load_workloads() const;

  StudyPlan plan;
  Arguments effective;  // the command line that describes the plan's workloads and space to the other verbs
  const Environment& environment;
  DesignSpace space;
  std::vector<WorkloadOptions> options;  // (workload)
  std::vector<Objective> objectives, reported;

 private:
  void check_duplicates() const;
};

// The store of the truth: --truth, or beside --out.
[[nodiscard]] std::string truth_path(const Arguments& arguments);

// A store of the whole truth about a study's workloads, and maybe about others.
struct TruthStore {
  OpenedStore opened;
  std::vector<std::uint32_t> workloads;  // (workload of the study) its number in the store
};

// The truth that a file holds about a study. Nothing if the file is missing or incomplete; Error if it is about something else.
[[nodiscard]] std::optional<TruthStore> truth_at(const std::string& path, const PreparedStudy& study, const Workloads& workloads);

// Says what the study would take, and runs nothing but samples.
int dry_run(const PreparedStudy& study, const Arguments& arguments);

}  // namespace exarch::cli
