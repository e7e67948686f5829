// An executor that hands batches to another process: a child that is forked when it is made, and reached over two pipes. What a
// program needs in order to evaluate elsewhere is in this file.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/execute/executor.hpp"

namespace exarch::testing {

class PipeExecutor final : public Executor {
 public:
  // The child loads workloads by these options, in the order of `workloads`, and knows `environment` by itself.
  PipeExecutor(const Environment& environment, std::vector<WorkloadOptions> workloads);
  ~PipeExecutor() override;

  void simulate(const Environment& environment, const Workload& workload, std::span<const std::int64_t> designs, Engine engine,
                Outcomes& outcomes) override;
  [[nodiscard]] ThreadPool& pool() override { return pool_; }
  [[nodiscard]] std::string description() override { return "a child process"; }

  [[nodiscard]] std::uint64_t simulated() const { return simulated_; }  // designs that went over the pipe
  void kill_child() const;

 private:
  [[noreturn]] static void serve(const Environment& environment, const std::vector<WorkloadOptions>& workloads, int in, int out);

  std::vector<std::string> identities_;  // (workload)
  int child_ = 0, to_child_ = -1, from_child_ = -1;
  std::uint64_t simulated_ = 0;
  ThreadPool pool_{1};
};

}  // namespace exarch::testing
