// This machine's cores, asked as an executor is that wants so many runs at a time (0: as the CPU is). It notes the batches.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/execute/executor.hpp"

namespace exarch::testing {

class CountingExecutor final : public Executor {
 public:
  CountingExecutor(std::size_t wanted, unsigned threads) : wanted_(wanted), local_("cpu", threads) {}

  void simulate(const Environment& environment, const Workload& workload, std::span<const std::int64_t> designs, Engine engine,
                Outcomes& outcomes) override {
    batches_.push_back(designs.size() / environment.parameters().size());
    local_.simulate(environment, workload, designs, engine, outcomes);
  }
  [[nodiscard]] std::size_t wanted(std::size_t /*candidates*/) override { return wanted_; }
  [[nodiscard]] ThreadPool& pool() override { return local_.pool(); }
  [[nodiscard]] std::string description() override { return local_.description(); }

  [[nodiscard]] const std::vector<std::size_t>& batches() const { return batches_; }  // runs of each

 private:
  std::size_t wanted_;
  LocalExecutor local_;
  std::vector<std::size_t> batches_;
};

}  // namespace exarch::testing
