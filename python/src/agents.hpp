// Agents that a program wrote in Python, for runs.
#pragma once

#include <memory>

#include "agents/agent.hpp"
#include "python/src/bind.hpp"

namespace exarch::python {

// An object with ask() and tell(genes, costs) as an agent. With the lock; the space must outlive it.
[[nodiscard]] std::unique_ptr<Agent> make_python_agent(nb::object agent, const DesignSpace& space, std::size_t objectives);

}  // namespace exarch::python
