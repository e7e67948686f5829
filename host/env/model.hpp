// A cost model in its own types. Environment's functions take any workload and rows of integers; a model's are about its own
// workload, candidate and result. This class goes from the one to the other in one place, with a check, and has the one way in
// which batches are evaluated: on the threads of a pool, or on devices.
//
//   class Toy final : public Model<ToyWorkload, ToyCandidate, ToyResult> {
//     ToyCandidate candidate_of(std::span<const std::int64_t> design) const override { return {design[0], design[1]}; }
//     void run(NoWorker&, const ToyWorkload& workload, const ToyCandidate& candidate, Engine, ToyResult& result) const override;
//     void keep(const ToyWorkload&, const ToyResult& result, OutcomeRow row) const override { row.counters[0] = result.cycles; }
//     ...
//   };
//
// tests/support/toy_environment.hpp is a complete one.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "host/env/environment.hpp"

namespace exarch {

// A row that declares a counter: what it is called, and the field of a model's Result that it reads. One of the two is given.
template <class Result>
struct CounterRow {
  std::string_view name, unit, doc;
  std::int64_t Result::*count = nullptr;
  double Result::*real = nullptr;

  [[nodiscard]] std::uint64_t bits(const Result& result) const {
    return real == nullptr ? static_cast<std::uint64_t>(result.*count) : std::bit_cast<std::uint64_t>(result.*real);
  }
  void set(Result& result, std::uint64_t bits) const {
    if (real == nullptr) {
      result.*count = static_cast<std::int64_t>(bits);
    } else {
      result.*real = std::bit_cast<double>(bits);
    }
  }
};

// The counters of such a table.
template <class Rows>
[[nodiscard]] std::vector<CounterInfo> counters_of(const Rows& rows) {
  std::vector<CounterInfo> counters;
  for (const auto& row : rows) {
    counters.push_back({std::string(row.name), std::string(row.unit), std::string(row.doc), false,
                        row.real == nullptr ? CounterInfo::Kind::natural : CounterInfo::Kind::real});
  }
  return counters;
}

// The places of one outcome in the columns of Outcomes.
struct OutcomeRow {
  std::uint8_t& status;               // 0 = ok
  std::span<std::uint64_t> counters;  // all 0 at first
  std::span<std::byte> detail;        // likewise
  std::string* artifact;              // null for a model without
};

// For models that need no memory besides the candidate.
struct NoWorker {};

// `Worker` is what a thread keeps from one candidate to the next: scratch memory. `kGrain` candidates at a time are handed to a
// thread: one where a run takes long, more where handing out would cost more than running.
template <class WorkloadType, class Candidate, class Result, class Worker = NoWorker, std::size_t kGrain = 1>
class Model : public Environment {
 public:
  using Environment::Environment;

  // The model's own functions, to be called where the types are known.
  [[nodiscard]] virtual std::shared_ptr<const WorkloadType> load(const WorkloadOptions& options) const = 0;

  // ---- Environment's functions

  [[nodiscard]] std::shared_ptr<const Workload> load_workload(const WorkloadOptions& options) const final {
    return load(options);
  }
  [[nodiscard]] std::vector<WorkloadFact> describe_workload(const Workload& workload) const final {
    return do_describe_workload(own(workload));
  }
  [[nodiscard]] DesignSpace space_on(const std::string& name, const Workload& workload) const final {
    return do_space_on(name, own(workload));
  }
  void canonicalise(const Workload& workload, std::span<std::int64_t> design) const final {
    do_canonicalise(own(workload), design);
  }
  void price(const Workload& workload, std::span<const std::int64_t> design, std::span<const std::uint64_t> counters,
             std::span<double> metrics) const final {
    do_price(own(workload), design, counters, metrics);
  }
  [[nodiscard]] std::string detail_json(const Workload& workload, std::span<const std::byte> detail) const final {
    return do_detail_json(own(workload), detail);
  }
  [[nodiscard]] std::vector<std::string> explain(const Workload& workload, std::span<const std::int64_t> design,
                                                 std::uint8_t status) const final {
    return do_explain(own(workload), design, status);
  }
  [[nodiscard]] std::string reference_input(const Workload& workload, std::span<const std::int64_t> design) const final {
    return do_reference_input(own(workload), design);
  }

  void simulate(const Workload& base, std::span<const std::int64_t> designs, Engine engine, Backend& backend,
                Outcomes& outcomes) const final {
    const WorkloadType& workload = own(base);
    const std::size_t columns = parameters().size(), count = designs.size() / columns;
    const std::size_t first = outcomes.status.size();
    outcomes.status.resize(first + count);
    outcomes.counters.resize((first + count) * counters().size());
    outcomes.detail.resize((first + count) * detail_size());
    if (artifact()) outcomes.artifacts.resize(first + count);
    const auto candidate = [&](std::size_t i) { return candidate_of(designs.subspan(i * columns, columns)); };
    const auto row = [&](std::size_t i) {
      const std::size_t slot = first + i;
      return OutcomeRow{outcomes.status[slot], std::span(outcomes.counters).subspan(slot * counters().size(), counters().size()),
                        std::span(outcomes.detail).subspan(slot * detail_size(), detail_size()),
                        artifact() ? &outcomes.artifacts[slot] : nullptr};
    };
    if (engine == Engine::fast && runs_on_devices(workload) && backend.uses_cuda(count)) {
      std::vector<Candidate> candidates(count);
      for_all<1024>(backend, count, [&](std::size_t i, unsigned) { candidates[i] = candidate(i); });
      std::vector<Result> results(count);
      run_on_devices(workload, candidates, backend.devices(), results);
      for_all<1024>(backend, count, [&](std::size_t i, unsigned) { keep(workload, results[i], row(i)); });
      return;
    }
    std::vector<Worker> workers(backend.pool().threads());
    for_all<kGrain>(backend, count, [&](std::size_t i, unsigned worker) {
      Result result{};
      run(workers[worker], workload, candidate(i), engine, result);
      keep(workload, result, row(i));
    });
  }

 protected:
  // A candidate as kernels take it; `design` has the values of the environment's parameters.
  [[nodiscard]] virtual Candidate candidate_of(std::span<const std::int64_t> design) const = 0;
  // Evaluates one candidate on the CPU.
  virtual void run(Worker& worker, const WorkloadType& workload, const Candidate& candidate, Engine engine,
                   Result& result) const = 0;
  // Whether there are kernels for devices, and the evaluation of a batch by them; (candidate).
  [[nodiscard]] virtual bool runs_on_devices(const WorkloadType& /*workload*/) const { return false; }
  virtual void run_on_devices(const WorkloadType& /*workload*/, std::span<const Candidate> /*candidates*/, Devices& /*devices*/,
                              std::span<Result> /*results*/) const {
    throw std::logic_error(name() + " does not run on devices");
  }
  // Writes down what an outcome keeps of a result.
  virtual void keep(const WorkloadType& workload, const Result& result, OutcomeRow row) const = 0;

  // What Environment's functions of the same names do, on the model's own workload.
  [[nodiscard]] virtual std::vector<WorkloadFact> do_describe_workload(const WorkloadType& workload) const = 0;
  [[nodiscard]] virtual DesignSpace do_space_on(const std::string& space, const WorkloadType& workload) const {
    return Environment::space_on(space, workload);
  }
  virtual void do_canonicalise(const WorkloadType& /*workload*/, std::span<std::int64_t> /*design*/) const {}
  virtual void do_price(const WorkloadType& workload, std::span<const std::int64_t> design,
                        std::span<const std::uint64_t> counters, std::span<double> metrics) const = 0;
  [[nodiscard]] virtual std::string do_detail_json(const WorkloadType& /*workload*/,
                                                   std::span<const std::byte> /*detail*/) const {
    return "{}";
  }
  [[nodiscard]] virtual std::vector<std::string> do_explain(const WorkloadType& /*workload*/,
                                                            std::span<const std::int64_t> /*design*/,
                                                            std::uint8_t /*status*/) const {
    return {};
  }
  [[nodiscard]] virtual std::string do_reference_input(const WorkloadType& /*workload*/,
                                                       std::span<const std::int64_t> /*design*/) const {
    return "";
  }

 private:
  // The only step down from Workload.
  [[nodiscard]] const WorkloadType& own(const Workload& workload) const {
    if (typeid(workload) != typeid(WorkloadType)) {
      throw std::logic_error("workload " + workload.name + " is not one of environment " + name());
    }
    return static_cast<const WorkloadType&>(workload);
  }

  // Calls body(i, worker) for every i below `count`.
  template <std::size_t kBlock, class Body>
  static void for_all(Backend& backend, std::size_t count, const Body& body) {
    backend.pool().for_each((count + kBlock - 1) / kBlock, [&](std::size_t block, unsigned worker) {
      for (std::size_t i = block * kBlock; i < std::min(count, (block + 1) * kBlock); ++i) body(i, worker);
    });
  }
};

}  // namespace exarch
