// What an environment is: one cost model with its parameters, design spaces, workloads, counters and metrics.
//
// A cost model joins Exarch by implementing this interface in one file of host/env and adding one line to registry.cpp; batching,
// agents, the store and the command line work from the tables it returns. All functions are safe to call from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/metric/metric.hpp"
#include "host/space/design_space.hpp"

namespace exarch {

struct CounterInfo {
  std::string name, unit, doc;
  bool internal = false;  // kept for pricing; may depend on which equal run stands for a design, so it is not shown
};

// An option that describes a workload (a trace, a memory, a network ...), the same on the command line and as a CSV column.
struct WorkloadOption {
  std::string name, default_value, doc;  // an empty default: required
};

using WorkloadOptions = std::map<std::string, std::string>;

// A loaded workload; immutable, shared by all candidates. Backends recognise one they have seen as the same object.
class Workload : public std::enable_shared_from_this<Workload> {
 public:
  virtual ~Workload() = default;
  std::string name;                   // what the user called it
  std::string identity;               // all that its results depend on, content hashes included
  std::vector<std::string> warnings;  // for the user, once
};

// What simulations gave, column-wise.
struct Outcomes {
  std::vector<std::uint8_t> status;     // (outcome) 0 = ok
  std::vector<std::uint64_t> counters;  // (outcome, counter)
  std::vector<std::byte> detail;        // (outcome, detail byte): what the model needs for same_run() and reports
};

enum class Engine { fast, reference };

class Environment {
 public:
  virtual ~Environment() = default;

  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual std::string doc() const = 0;
  [[nodiscard]] virtual std::string model_version() const = 0;

  [[nodiscard]] virtual std::span<const ParameterInfo> parameters() const = 0;
  // Shipped design spaces; the first is the default.
  [[nodiscard]] virtual std::span<const DesignSpace> spaces() const = 0;

  [[nodiscard]] virtual std::span<const WorkloadOption> workload_options() const = 0;
  [[nodiscard]] virtual std::shared_ptr<const Workload> load_workload(const WorkloadOptions& options) const = 0;

  [[nodiscard]] virtual std::span<const CounterInfo> counters() const = 0;
  [[nodiscard]] virtual std::size_t detail_size() const = 0;  // bytes per outcome
  [[nodiscard]] virtual std::span<const MetricInfo> metrics() const = 0;
  // Named objectives (name, expression); the first is the default.
  [[nodiscard]] virtual std::span<const std::pair<std::string, std::string>> objectives() const = 0;
  [[nodiscard]] virtual std::string status_text(std::uint8_t status) const = 0;

  // Replaces a design by the representative of those that provably give the same counters on this workload.
  virtual void canonicalise(const Workload& workload, std::span<std::int64_t> design) const = 0;
  // Maps canonical designs that some run might prove equal to one common value.
  virtual void family_of(std::span<std::int64_t> design) const = 0;
  // Maps to one value the designs of a family of which only one should be simulated before the others are tried for sharing.
  virtual void round_of(std::span<std::int64_t> design) const = 0;
  // Does the run of `simulated` (its detail) prove that `other`, canonical and of the same family, runs step by step the same?
  [[nodiscard]] virtual bool same_run(std::span<const std::byte> detail, std::span<const std::int64_t> simulated,
                                      std::span<const std::int64_t> other) const = 0;

  // Simulates designs (design, parameter), appending one outcome each, in order.
  virtual void simulate(const Workload& workload, std::span<const std::int64_t> designs, Engine engine, Backend& backend,
                        Outcomes& outcomes) const = 0;

  // Metrics (in the order of metrics()) of one design from counters; the only place where counters get a price. `design` is the
  // user's design, which may differ from the simulated representative in ways that change a metric but no counter.
  virtual void price(const Workload& workload, std::span<const std::int64_t> design, std::span<const std::uint64_t> counters,
                     std::span<double> metrics) const = 0;

  // More about one outcome for `eval --json`, as a JSON object's text ("{}" when there is nothing).
  [[nodiscard]] virtual std::string detail_json(const Workload& workload, std::span<const std::byte> detail) const = 0;
};

// All environments; UsageError with the nearest name for an unknown one.
[[nodiscard]] std::span<const Environment* const> environments();
[[nodiscard]] const Environment& find_environment(const std::string& name);
[[nodiscard]] const DesignSpace& find_space(const Environment& environment, const std::string& name);

// The version of this build, "0.1.0".
[[nodiscard]] std::string exarch_version();

}  // namespace exarch
