// Search agents: ask for candidates, tell their costs.
//
// An agent sees a design space and costs (lower is better, +infinity = infeasible), never a model or a backend. All
// randomness is counter-based, keyed by (seed, generation, candidate, purpose), so a run depends on its seed alone. state() and
// restore() carry a run across a kill: a restored agent asks the same questions as an uninterrupted one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/space/design_space.hpp"

namespace exarch {

// One row of an agent's hyperparameter table; CLI help, study grids and docs derive from it.
struct HyperparameterInfo {
  std::string name, default_value, range, doc;
};

// What came of the candidates of an ask(), in its order.
struct Told {
  std::span<const double> costs;         // (candidate, objective)
  std::span<const std::uint8_t> status;  // (candidate) 0 = ok; empty unless the agent wants metrics
  std::span<const double> metrics;       // (candidate, metric), those of a failed run without meaning; empty likewise
};

class Agent {
 public:
  virtual ~Agent() = default;

  // The next candidates to evaluate; empty when the agent has nothing left to ask (an exhausted grid).
  virtual void ask(GeneBatch& batch) = 0;
  // Costs of the candidates of the last ask(), in its order: (candidate, objective).
  virtual void tell(const GeneBatch& batch, std::span<const double> costs) = 0;

  // For agents that look for bottlenecks: true makes a search hand over statuses and metrics too, by tell_results().
  [[nodiscard]] virtual bool wants_metrics() const { return false; }
  // What a search calls; other agents see the costs, as tell() has them.
  virtual void tell_results(const GeneBatch& batch, const Told& told) { tell(batch, told.costs); }

  // Everything ask() and tell() depend on besides the constructor's arguments, between a tell() and the next ask().
  [[nodiscard]] virtual std::string state() const = 0;
  virtual void restore(const std::string& state) = 0;  // throws Error if it does not fit
};

struct AgentOptions {
  std::uint64_t seed = 1;
  std::size_t population = 1024;                  // candidates per ask(); 2 .. kMaxPopulation
  std::map<std::string, std::string> parameters;  // --set-agent key=value
  std::size_t objectives = 1;                     // costs per candidate; most agents take one
};

inline constexpr std::size_t kMaxPopulation = std::size_t{1} << 26;  // whole spaces, where memory allows

struct AgentInfo {
  std::string name;  // NAME, or NAME:VARIANT: a variant has its own hyperparameters and defaults
  std::string doc;
  std::vector<HyperparameterInfo> hyperparameters;
  std::size_t min_population = 2, max_population = kMaxPopulation;
  std::size_t max_objectives = 1;
};

// The registry: every agent and variant. (One file per agent; another agent is one more file and its name in registry.cpp.)
[[nodiscard]] const std::vector<AgentInfo>& agent_table();

// An entry of the table by its name; UsageError with the nearest one for an unknown name.
[[nodiscard]] const AgentInfo& find_agent(const std::string& name);

// Builds an agent; UsageError for an unknown name, parameter or value (with the nearest valid one). "NAME:fixed" is NAME. The
// space must outlive the agent.
[[nodiscard]] std::unique_ptr<Agent> make_agent(const std::string& name, const DesignSpace& space, const AgentOptions& options);

}  // namespace exarch
