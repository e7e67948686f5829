// What the arguments of a verb give: options that several verbs share, and what they say as the library has it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/execute/evaluator.hpp"
#include "host/run/problem.hpp"
#include "host/run/store_view.hpp"
#include "tools/exarch/options.hpp"

namespace exarch::cli {

// --engine, --no-share
[[nodiscard]] std::vector<OptionSpec> evaluation_options();
// One option per workload option of an environment, or of all.
[[nodiscard]] std::vector<OptionSpec> workload_options(const Environment& environment);
[[nodiscard]] std::vector<OptionSpec> workload_options();
[[nodiscard]] std::vector<OptionSpec> operator+(std::vector<OptionSpec> a, std::vector<OptionSpec> b);

[[nodiscard]] std::shared_ptr<Executor> make_executor(const Arguments& arguments);
[[nodiscard]] EvaluatorOptions evaluator_options(const Arguments& arguments);

// The workload options of the command line; UsageError for one of another environment.
[[nodiscard]] WorkloadOptions given_options(const Environment& environment, const Arguments& arguments);
// The workloads they name, one per entry of the comma-separated primary option, completed.
[[nodiscard]] std::vector<WorkloadOptions> given_workloads(const Environment& environment, const Arguments& arguments);

// Loads a workload, or several; what they warn of is said.
[[nodiscard]] std::shared_ptr<const Workload> load_given(const Environment& environment, const WorkloadOptions& options);
[[nodiscard]] Workloads load_given(const Environment& environment, const std::vector<WorkloadOptions>& options);

// The default design, with the controller of --mcconfig or --simulation and the parameters of --set.
[[nodiscard]] Design given_design(const Environment& environment, const Arguments& arguments);

// The space of --space, with the parameters of --set fixed to one value each; and a problem in it.
[[nodiscard]] DesignSpace given_space(const Environment& environment, const Arguments& arguments);
[[nodiscard]] Problem given_problem(const Environment& environment, const Arguments& arguments);
// What --set does to a space.
[[nodiscard]] OptionSpec fixing_option();

// A run store opened for reading; what its workloads warn of is said.
[[nodiscard]] OpenedStore open_run(const std::string& path);

// Results must not take the place of a file that describes the workload: UsageError that names the option.
void refuse_overwriting(const std::string& option, const std::string& out, const WorkloadOptions& workload);

}  // namespace exarch::cli
