// Where candidates are evaluated: this machine's cores, its CUDA devices, or another process.
//
// An executor takes designs and gives columns. It decides where the work is done and nothing else: for the same designs every
// executor gives the same columns, whatever their number, order or split. Two kinds come with Exarch: LocalExecutor, and what a
// program derives itself. tests/property/executor_test.cpp has one that hands batches to a child process over pipes.
//
//   const auto executor = std::make_shared<LocalExecutor>("cpu", 2);
//   Outcomes outcomes;
//   executor->simulate(environment, *workload, designs, Engine::fast, outcomes);
//   // outcomes.status[i]: how design i ended
#pragma once

#include <memory>
#include <span>
#include <string>

#include "host/env/environment.hpp"
#include "host/execute/backend.hpp"

namespace exarch {

class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  // Simulates designs (design, parameter), appending one outcome each, in order, to columns that the caller owns. Nothing of the
  // arguments is needed after the call. It may throw Error; `outcomes` has no meaning then. One thread at a time may call it.
  virtual void simulate(const Environment& environment, const Workload& workload, std::span<const std::int64_t> designs,
                        Engine engine, Outcomes& outcomes) = 0;

  // Runs at a time that leave no part of the executor idle, where it is given so many candidates; 0: any number serves. Where it
  // is not 0, sweeps hand over many points at once, and designs run together of which some would have been proved: more runs, in
  // far fewer batches.
  [[nodiscard]] virtual std::size_t wanted(std::size_t /*candidates*/) { return 0; }
  // Threads of this process, for work around the simulation: canonical forms, sharing, agents.
  [[nodiscard]] virtual ThreadPool& pool() = 0;
  // How candidates are ranked where a batch of so many is evaluated; the results are the same everywhere.
  [[nodiscard]] virtual const rank::Functions& ranking(std::size_t candidates);
  // "cpu, 2 threads, x86-64-v3"; for reports and the notes of stores.
  [[nodiscard]] virtual std::string description() = 0;
};

// The machine that the program runs on; the arguments are those of Backend.
class LocalExecutor final : public Executor {
 public:
  explicit LocalExecutor(const std::string& kind = "auto", unsigned threads = 0) : backend_(kind, threads) {}

  void simulate(const Environment& environment, const Workload& workload, std::span<const std::int64_t> designs, Engine engine,
                Outcomes& outcomes) override {
    environment.simulate(workload, designs, engine, backend_, outcomes);
  }
  [[nodiscard]] std::size_t wanted(std::size_t candidates) override { return backend_.wanted(candidates); }
  [[nodiscard]] ThreadPool& pool() override { return backend_.pool(); }
  [[nodiscard]] const rank::Functions& ranking(std::size_t candidates) override { return backend_.ranking(candidates); }
  [[nodiscard]] std::string description() override { return backend_.description(); }

 private:
  Backend backend_;
};

}  // namespace exarch
