// What people write, as what it means: spaces, designs, objectives and workloads by their texts. Every function throws UsageError
// for a text without a meaning, with the nearest name that has one.
//
//   const Environment& dram = find_environment("dram");
//   const DesignSpace space = resolve_space(dram, "archgym-aco");
//   const Design open_page = parse_design(dram, {"PagePolicy=Open", "Scheduler=FrFcfs"});
//   const std::vector<Objective> objectives = parse_objectives(dram, "latency; energy");
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/env/environment.hpp"

namespace exarch {

// A shipped space's name or a space file's path (.json); "": the environment's first. `workloads`: those of the run, completed. A
// space that follows from the workload is made for one of them, so there must be one only.
[[nodiscard]] DesignSpace resolve_space(const Environment& environment, const std::string& name,
                                        const std::vector<WorkloadOptions>& workloads = {});
// Whether a name is that of a space that follows from the workload.
[[nodiscard]] bool depends_on_workload(const Environment& environment, const std::string& space);
// The space with a parameter fixed to one value by each assignment "Name=value", in the space or not.
[[nodiscard]] DesignSpace fix_parameters(const Environment& environment, const DesignSpace& space,
                                         const std::vector<std::string>& assignments);

// The environment's default design.
[[nodiscard]] Design default_design(const Environment& environment);
// The same as far as the space has it: where it does not have a parameter's default, the first of its values.
[[nodiscard]] Design default_design(const Environment& environment, const DesignSpace& space);
// Assignments "Name=value" applied to a design; no parameter may be set twice. `option`: how they were given, for errors.
void assign_all(const Environment& environment, const std::vector<std::string>& assignments, Design& design,
                const std::string& option = "--set");
// The default design with assignments.
[[nodiscard]] Design parse_design(const Environment& environment, const std::vector<std::string>& assignments);
// A design as assignments, "PagePolicy=Open Scheduler=FrFcfs ..."; parameters that can have one value only are left out.
[[nodiscard]] std::string format_design(const Environment& environment, std::span<const std::int64_t> design);
// The place of a parameter in the environment's table.
[[nodiscard]] std::size_t parameter_index(const Environment& environment, const std::string& name);
// UsageError if an assignment "key=value" of `option` is about a key that one before was about; `seen` remembers them.
void refuse_repeated(const std::string& option, const std::string& assignment, std::map<std::string, std::string>& seen);

// The point of a design, and the design of a point. UsageError for a design that the space does not have.
[[nodiscard]] std::uint64_t point_of(const DesignSpace& space, const Design& design);
[[nodiscard]] Design design_at(const DesignSpace& space, std::uint64_t point);

// A preset's name or an expression ("min:total_energy_pj, average_power_mw<=1500"); "": the environment's first preset.
[[nodiscard]] Objective parse_objective(const Environment& environment, const std::string& text);
// Several, separated by semicolons; one at least, and no two that mean the same.
[[nodiscard]] std::vector<Objective> parse_objectives(const Environment& environment, const std::string& text);
void refuse_repeated(const std::vector<Objective>& objectives);
// Their texts, separated by semicolons.
[[nodiscard]] std::string text_of(const std::vector<Objective>& objectives);

// The workloads that options name: one per name in the primary option's list, which commas separate; each completed. A comma may
// be part of a file's name.
[[nodiscard]] std::vector<WorkloadOptions> list_workloads(const Environment& environment, WorkloadOptions options);

// "fast" or "reference".
[[nodiscard]] std::string name_of(Engine engine);

// The parts of a text between separators, without empty ones.
[[nodiscard]] std::vector<std::string> split(const std::string& text, char separator);

}  // namespace exarch
