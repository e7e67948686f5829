// What the agents share: their entries in the registry, hyperparameter values, the uniform draw and the state format.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "agents/agent.hpp"
#include "kernels/core/philox.hpp"

namespace exarch {

// What an agent's file tells the registry, by a function that registry.cpp names.
struct AgentEntry {
  AgentInfo info;
  std::unique_ptr<Agent> (*make)(const DesignSpace& space, const AgentOptions& options);
};

// The values of an agent's hyperparameters: the user's, else the table's default. UsageError for a value out of range.
class Hyperparameters {
 public:
  Hyperparameters(const AgentInfo& info, const AgentOptions& options) : info_(info), options_(options) {}

  [[nodiscard]] const std::string& text(const std::string& name) const;
  [[nodiscard]] std::uint64_t integer(const std::string& name, std::uint64_t minimum, std::uint64_t maximum) const;
  [[nodiscard]] double real(const std::string& name, double minimum, double maximum) const;
  // The index of the value in `choices`.
  [[nodiscard]] std::size_t choice(const std::string& name, std::span<const std::string> choices) const;

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& hint) const;

  const AgentInfo& info_;
  const AgentOptions& options_;
};

// What a random draw is for; part of its name, so that draws for different purposes never share random words. The numbers
// are part of what a seed means: never reuse or change one.
enum class Purpose : std::uint32_t {
  uniform_candidate = 0,
  parents = 1,
  crossover = 2,
  mutation = 3,
  chromosome = 4,
  ant = 5,
  neighbour = 6,
  acceptance = 7,
  digital_shift = 8,
  permutation = 9,
  trial = 10,
  policy = 11,
  pool = 12,
  domain_move = 13,
};

// A candidate drawn uniformly from the space: the same one for every agent that asks with the same seed, generation and number.
void draw_uniform(const DesignSpace& space, std::uint64_t seed, std::uint32_t generation, std::size_t candidate,
                  std::span<Gene> genes);

// Makes `batch` hold `candidates` rows of the space's width; their content is unspecified.
void resize_batch(GeneBatch& batch, const DesignSpace& space, std::size_t candidates);

// Throws unless there is one cost for each of the `asked` candidates, or one per objective.
void check_told(std::size_t asked, const GeneBatch& batch, std::span<const double> costs, std::size_t objectives = 1);

// Costs as agents compare them: NaN has no order, so a cost that is none is the worst there is.
[[nodiscard]] std::vector<double> comparable(std::span<const double> costs);

// The parameters that the space leaves a choice.
[[nodiscard]] std::vector<std::size_t> searched_parameters(const DesignSpace& space);

// An agent's state: "exarch-agent NAME 1\n", then little-endian fields.
class StateWriter {
 public:
  explicit StateWriter(std::string_view agent);

  void put(std::uint64_t value, std::size_t bytes);
  void put(double value);
  void put(std::span<const double> values);
  void put(std::span<const Gene> genes);
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// Reads a state back; Error if it is another agent's, another version's, too short or too long.
class StateReader {
 public:
  StateReader(std::string_view agent, std::string_view state);

  [[nodiscard]] std::uint64_t get(std::size_t bytes);
  [[nodiscard]] double get_double();
  // Numbers, none of them NaN.
  [[nodiscard]] std::vector<double> get_doubles(std::size_t count);
  // Genes of so many candidates, all legal in the space.
  [[nodiscard]] GeneBatch get_genes(const DesignSpace& space, std::size_t candidates);
  void finish() const;
  [[noreturn]] void fail(const std::string& why) const;

 private:
  std::string agent_;
  std::string_view rest_;
};

// What agents with generations of one size have in common: the generation's number, its random streams, and how a state begins.
class GenerationAgent : public Agent {
 protected:
  GenerationAgent(const AgentInfo& info, const DesignSpace& space, const AgentOptions& options)
      : info_(info), space_(space), seed_(options.seed), population_(options.population) {}

  [[nodiscard]] PhiloxStream stream(std::size_t candidate, Purpose purpose) const {
    return {seed_, static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(candidate), generation_};
  }
  // A generation of uniform draws, the ones `random` asks.
  void ask_uniform(GeneBatch& batch) const;
  // The state up to the generation's number, the population and the number of parameters.
  [[nodiscard]] StateWriter begin_state() const;
  // Reads that back; the generation's number.
  [[nodiscard]] std::uint32_t begin_restore(StateReader& reader) const;

  const AgentInfo& info_;
  const DesignSpace& space_;
  std::uint64_t seed_;
  std::size_t population_;
  std::uint32_t generation_ = 0;  // of the next ask()
};

template <class Search>
std::unique_ptr<Agent> make(const DesignSpace& space, const AgentOptions& options) {
  return std::make_unique<Search>(space, options);
}

}  // namespace exarch
