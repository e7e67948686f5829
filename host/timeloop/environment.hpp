// The Timeloop environments. See docs/models.md.
//
// timeloop: a design is an accelerator like Eyeriss with ArchGym's 26 parameters, a workload is a network. Each layer has the
// best of its row-stationary mappings. Example:
//
//   const auto workload = timeloop_environment().load_workload({{"network", "alexnet"}});
//
// timeloop-mapping: a workload is a record, which is a layer, an architecture and a mapping. A design says, for each storage
// level, which tensors the level keeps; the others bypass it. Everything else is the record's. Example:
//
//   const auto workload = timeloop_mapping_environment().load_workload({{"record", "eyeriss-alexnet-2"}});
#pragma once

#include "host/env/environment.hpp"
#include "kernels/timeloop/types.hpp"

namespace exarch {

[[nodiscard]] const Environment& timeloop_environment();
[[nodiscard]] const Environment& timeloop_mapping_environment();

namespace timeloop {

inline constexpr const char* kModelVersion = "timeloop-4cf6d4c/1";
inline constexpr const char* kRuleName = "fill-rule";  // an option of both

// "current" or "2022"; UsageError otherwise.
[[nodiscard]] FillRule rule_of(const std::string& name);

// The answer to a recorded problem: the same of both environments.
[[nodiscard]] ProblemAnswer answer_record(const std::string& text, const WorkloadOptions& options);

// The answer to Timeloop's own files (yaml.hpp), of both, too.
[[nodiscard]] ModelFilesAnswer answer_files(std::span<const std::string> paths, const std::map<std::string, std::string>& defines,
                                            const WorkloadOptions& options);

// For `exarch bench timeloop` (bench.cpp).
[[nodiscard]] std::uint64_t bench_signature();
[[nodiscard]] std::vector<Measurement> bench_measure(const BenchOptions& options);

}  // namespace timeloop
}  // namespace exarch
