// Agents, asked and told from Python; and agents written in Python.
#include "python/src/agents.hpp"

#include <algorithm>

#include "agents/agent.hpp"
#include "host/error.hpp"

namespace exarch::python {
namespace {

// An agent with the space that it must not outlive.
class AskTell {
 public:
  AskTell(std::shared_ptr<DesignSpace> space, const std::string& name, AgentOptions options)
      : space_(std::move(space)), objectives_(options.objectives), agent_(make_agent(name, *space_, options)) {}

  Out<std::uint16_t> ask() {
    {
      const nb::gil_scoped_release released;
      agent_->ask(batch_);
    }
    asked_ = true;
    return give(batch_.genes, {batch_.candidates(), space_->dimensions()});
  }

  void tell(const In<double, 2>& costs, const In<std::uint8_t, 1>& status, const In<double, 2>& metrics) {
    if (!asked_) throw UsageError("tell() answers an ask(), and there was none since the last tell()");
    if (costs.shape(0) != batch_.candidates() || costs.shape(1) != objectives_) {
      throw UsageError("tell() got costs of shape (" + std::to_string(costs.shape(0)) + ", " + std::to_string(costs.shape(1)) +
                       "), expected (" + std::to_string(batch_.candidates()) + ", " + std::to_string(objectives_) +
                       "): candidates of the last ask(), objectives");
    }
    if (agent_->wants_metrics() && status.size() != batch_.candidates()) {
      throw UsageError("this agent looks at metrics; tell() it the whole result, as Search.run() does");
    }
    const nb::gil_scoped_release released;
    agent_->tell_results(batch_, {span_of(costs), span_of(status), span_of(metrics)});
    asked_ = false;
  }

  nb::bytes state() const {
    if (asked_) throw UsageError("an agent has a state between a tell() and the next ask()");
    const std::string text = agent_->state();
    return nb::bytes(text.data(), text.size());
  }
  void restore(const nb::bytes& state) {
    agent_->restore(std::string(state.c_str(), state.size()));
    asked_ = false;
  }
  [[nodiscard]] bool wants_metrics() const { return agent_->wants_metrics(); }

 private:
  std::shared_ptr<DesignSpace> space_;
  std::size_t objectives_;
  std::unique_ptr<Agent> agent_;
  GeneBatch batch_;
  bool asked_ = false;
};

// A Python object with ask(), which returns genes (candidate, parameter), and tell(genes, costs); with state() and restore() it
// can be continued from a store.
class PythonAgent final : public Agent {
 public:
  PythonAgent(nb::object agent, const DesignSpace& space, std::size_t objectives)
      : agent_(std::move(agent)), space_(space), objectives_(objectives) {}
  ~PythonAgent() override {
    const nb::gil_scoped_acquire acquired;
    agent_.reset();
  }
  PythonAgent(const PythonAgent&) = delete;
  PythonAgent& operator=(const PythonAgent&) = delete;

  void ask(GeneBatch& batch) override {
    const nb::gil_scoped_acquire acquired;
    const auto genes = nb::cast<In<std::int64_t, 2>>(agent_.attr("ask")());
    if (genes.shape(1) != space_.dimensions()) {
      throw UsageError("the agent's ask() gave " + std::to_string(genes.shape(1)) + " genes a candidate, the space has " +
                       std::to_string(space_.dimensions()) + " parameters");
    }
    batch.dimensions = space_.dimensions();
    batch.genes.resize(genes.size());
    for (std::size_t i = 0; i < genes.size(); ++i) {
      const std::size_t p = i % space_.dimensions();
      const std::int64_t gene = genes.data()[i];
      if (gene < 0 || static_cast<std::size_t>(gene) >= space_.values(p).size()) {
        throw UsageError("the agent's ask() gave " + space_.parameters()[p].name + " = " + std::to_string(gene) +
                         ": expected 0 to " + std::to_string(space_.values(p).size() - 1));
      }
      batch.genes[i] = static_cast<Gene>(gene);
    }
  }
  void tell(const GeneBatch& batch, std::span<const double> costs) override {
    const nb::gil_scoped_acquire acquired;
    agent_.attr("tell")(give(batch.genes, {batch.candidates(), batch.dimensions}),
                        give(std::vector<double>(costs.begin(), costs.end()), {batch.candidates(), objectives_}));
  }
  [[nodiscard]] std::string state() const override {
    const nb::gil_scoped_acquire acquired;
    if (!nb::hasattr(agent_, "state")) return "";
    const auto state = nb::cast<nb::bytes>(agent_.attr("state")());
    return {state.c_str(), state.size()};
  }
  void restore(const std::string& state) override {
    const nb::gil_scoped_acquire acquired;
    if (!nb::hasattr(agent_, "restore")) {
      throw Error("the agent has no restore(), so this search cannot be continued; start a new store");
    }
    agent_.attr("restore")(nb::bytes(state.data(), state.size()));
  }

 private:
  nb::object agent_;
  const DesignSpace& space_;
  std::size_t objectives_;
};

nb::list agent_rows() {
  nb::list rows;
  for (const AgentInfo& agent : agent_table()) {
    nb::list hyperparameters;
    for (const HyperparameterInfo& h : agent.hyperparameters) {
      hyperparameters.append(nb::make_tuple(h.name, h.default_value, h.range, h.doc));
    }
    rows.append(nb::make_tuple(agent.name, agent.doc, hyperparameters, agent.max_objectives));
  }
  return rows;
}

}  // namespace

std::unique_ptr<Agent> make_python_agent(nb::object agent, const DesignSpace& space, std::size_t objectives) {
  return std::make_unique<PythonAgent>(std::move(agent), space, objectives);
}

void add_agents(nb::module_& m) {
  m.def("agents", &agent_rows, "(name, doc, hyperparameters, objectives at most) of every agent.");
  nb::class_<AskTell>(m, "AskTell", "An agent of the table.")
      .def(
          "__init__",
          [](AskTell* self, std::shared_ptr<DesignSpace> space, const std::string& name, std::size_t population,
             std::uint64_t seed, const std::map<std::string, std::string>& parameters, std::size_t objectives) {
            new (self) AskTell(std::move(space), name, AgentOptions{seed, population, parameters, objectives});
          },
          "space"_a, "name"_a, "population"_a, "seed"_a, "parameters"_a, "objectives"_a)
      .def("ask", &AskTell::ask)
      .def("tell", &AskTell::tell, "costs"_a, "status"_a, "metrics"_a)
      .def("state", &AskTell::state)
      .def("restore", &AskTell::restore, "state"_a)
      .def_prop_ro("wants_metrics", &AskTell::wants_metrics);
}

}  // namespace exarch::python
