// Accelergy's tables: what actions cost (ERT), and how large components are (ART).
#include <algorithm>

#include "host/files/text.hpp"
#include "host/timeloop/yaml_sections.hpp"

namespace exarch::timeloop {
namespace {

// "system.chip.PE[0..167].spad[1..4]" is about spad.
std::string component_of(std::string name) {
  if (name.ends_with(']')) name.resize(name.rfind('[') == std::string::npos ? name.size() : name.rfind('['));
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

using Actions = std::map<std::string, double>;  // pJ

double energy_of(const YamlNode& action, Scope& scope) {
  const YamlNode* energy = action.find("energy");
  if (energy == nullptr) return 0;
  const double value = number_of(*energy, "energy", scope);
  if (!(value >= 0 && value <= 1e30)) refuse(*energy, "energy: expected a number from 0 to 1e30");
  return value;
}

// Per action, the largest energy of all its arguments.
void note(Actions& actions, const std::string& name, double energy) {
  double& most = actions[name];
  most = std::max(most, energy);
}

// Version 0.2: {read: {energy: 1}} or {read: [{arguments: ..., energy: 1}]}.
Actions actions_of_map(const YamlNode& component, Scope& scope) {
  Actions actions;
  for (std::size_t a = 0; a < component.keys.size(); ++a) {
    const YamlNode& action = component.items[a];
    if (!action.is_list()) note(actions, component.keys[a], energy_of(action, scope));
    for (const YamlNode& entry : action.is_list() ? action.items : std::vector<YamlNode>{}) {
      note(actions, component.keys[a], energy_of(entry, scope));
    }
  }
  return actions;
}

// Versions 0.3 and 0.4: {name: ..., actions: [{name: read, arguments: ..., energy: 1}]}.
Actions actions_of_list(const YamlNode& component, Scope& scope) {
  Actions actions;
  const YamlNode* list = component.find("actions");
  if (list == nullptr || !list->is_list()) refuse(component, "a component of the ERT has no list of actions");
  for (const YamlNode& action : list->items) {
    const YamlNode* name = action.find("name");
    if (name == nullptr) refuse(action, "an action of the ERT has no name");
    note(actions, text_of(*name, "name"), energy_of(action, scope));
  }
  return actions;
}

// (component as Timeloop calls it) of a whole table; of components of one name the last counts, as in Timeloop.
std::map<std::string, Actions> energies_of(const YamlNode& ert, Scope& scope) {
  const YamlNode* tables = ert.find("tables");
  if (tables == nullptr) refuse(ert, "ERT: has no tables");
  std::map<std::string, Actions> energies;
  if (tables->is_map()) {
    for (std::size_t c = 0; c < tables->keys.size(); ++c)
      energies[component_of(tables->keys[c])] = actions_of_map(tables->items[c], scope);
    return energies;
  }
  if (!tables->is_list()) refuse(*tables, "tables: expected a list");
  for (const YamlNode& component : tables->items) {
    const YamlNode* name = component.find("name");
    if (name == nullptr) refuse(component, "a component of the ERT has no name");
    energies[component_of(text_of(*name, "name"))] = actions_of_list(component, scope);
  }
  for (const char* wire : {"wire", "Wire"}) {
    const auto found = energies.find(wire);
    if (found != energies.end() && found->second["transfer_random"] != 0)
      refuse(*tables, "ERT: energies of wires are not modelled");
  }
  return energies;
}

const double* first_of(const Actions& actions, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = actions.find(name);
    if (found != actions.end()) return &found->second;
  }
  return nullptr;
}

void price_storage(Storage& storage, const Actions& actions) {
  double most = 0;
  for (const auto& [name, energy] : actions) most = std::max(most, energy);
  // An action that the table lacks costs as much as its dearest one.
  const double other = most / static_cast<double>(storage.cluster_size);
  const auto price = [&](std::initializer_list<const char*> names) {
    const double* energy = first_of(actions, names);
    return energy == nullptr ? other : *energy;
  };
  storage.read_pj = price({"random_read", "read"});
  storage.fill_pj = price({"random_fill", "random_write", "fill", "write"});
  storage.update_pj = price({"random_update", "random_write", "update", "write"});
  const double* leak = first_of(actions, {"leak"});
  storage.leak_pj = leak == nullptr ? 0 : *leak;
}

// (component) um2. Timeloop keeps areas in single precision.
std::map<std::string, double> areas_of(const YamlNode& art, Scope& scope) {
  const YamlNode* tables = art.find("tables");
  if (tables == nullptr || !tables->is_list()) refuse(art, "ART: has no list of tables");
  std::map<std::string, double> areas;
  for (const YamlNode& component : tables->items) {
    const YamlNode *name = component.find("name"), *area = component.find("area");
    if (name == nullptr || area == nullptr) refuse(component, "a component of the ART has a name and an area");
    const double value = number_of(*area, "area", scope);
    if (!(value >= 0 && value <= 1e30)) refuse(*area, "area: expected a number from 0 to 1e30");
    areas[component_of(text_of(*name, "name"))] = static_cast<double>(static_cast<float>(value));
  }
  return areas;
}

}  // namespace

void apply_tables(const YamlNode& ert, const YamlNode* art, FlatArchitecture& flat, Scope& scope,
                  std::vector<std::string>& warnings) {
  Machine& machine = flat.machine;
  const std::map<std::string, Actions> energies = energies_of(ert, scope);
  for (std::uint32_t s = 0; s < machine.architecture.levels; ++s) {
    const auto found = energies.find(machine.level_names[s]);
    if (found != energies.end()) {
      if (!flat.levels[s].own_energy) price_storage(machine.architecture.storage[s], found->second);
    } else if (!flat.levels[s].dummy && !flat.levels[s].own_energy) {
      warnings.push_back(shown(ert.place) + ": the ERT does not have " + in_quotes(machine.level_names[s]) +
                         "; its energies are Timeloop's built-in ones");
    }
  }
  const auto compute = energies.find(machine.compute_name);
  const double* energy =
      compute == energies.end() ? nullptr : first_of(compute->second, {"mac_random", "mult_random", "mac", "mult", "compute"});
  if (energy != nullptr) {
    machine.architecture.compute.compute_pj = *energy;
  } else {
    warnings.push_back(shown(ert.place) + ": the ERT has no compute energy of " + in_quotes(machine.compute_name) +
                       "; it is Timeloop's built-in one");
  }
  if (art == nullptr) return;
  const std::map<std::string, double> areas = areas_of(*art, scope);
  for (std::uint32_t s = 0; s < machine.architecture.levels; ++s) {
    if (const auto found = areas.find(machine.level_names[s]); found != areas.end()) {
      machine.architecture.storage[s].area_um2 = found->second;
    }
  }
  if (const auto found = areas.find(machine.compute_name); found != areas.end())
    machine.architecture.compute.area_um2 = found->second;
}

}  // namespace exarch::timeloop
