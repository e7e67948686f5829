// The table of agents, and what they share.
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <system_error>

#include "agents/agents_internal.hpp"
#include "host/error.hpp"
#include "kernels/core/philox.hpp"

// Every agent and variant, in the order of help texts: the function that its file defines. Another agent is one more file, and a
// name here.
#define EXARCH_AGENTS(agent)                                                                                                \
  agent(random_agent) agent(random_sobol_agent) agent(random_latin_agent) agent(random_walk_agent) agent(grid_agent)        \
      agent(ga_agent) agent(ga_archgym_agent) agent(ga_gamma_agent) agent(aco_agent) agent(aco_inverse_cost_agent)          \
          agent(aco_archgym_agent) agent(sa_agent) agent(sa_local_agent) agent(de_agent) agent(nsga2_agent) agent(bo_agent) \
              agent(bo_tpe_agent) agent(pg_agent) agent(pg_ppo_agent)

namespace exarch {

#define EXARCH_DECLARE(name) const AgentEntry& name();
EXARCH_AGENTS(EXARCH_DECLARE)
#undef EXARCH_DECLARE

namespace {

constexpr const char* kDefaultVariant = "fixed";  // what a name without a variant means

const std::vector<const AgentEntry*>& entries() {
#define EXARCH_ENTRY(name) &name(),
  static const std::vector<const AgentEntry*> table = {EXARCH_AGENTS(EXARCH_ENTRY)};
#undef EXARCH_ENTRY
  return table;
}

std::string joined(std::span<const std::string> names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

// Throws for a `word` that is none of the valid ones.
[[noreturn]] void fail_unknown(const std::string& what, const std::string& word, std::span<const std::string> valid) {
  const std::string guess = did_you_mean(word, valid);
  throw UsageError(what + " '" + word + "'" + (guess.empty() ? "; valid are " + joined(valid) : guess));
}

// "NAME:VARIANT" in two.
std::pair<std::string, std::string> parts_of(const std::string& name) {
  const std::size_t colon = name.find(':');
  if (colon == std::string::npos) return {name, kDefaultVariant};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

const AgentEntry& entry_of(const std::string& name) {
  const auto [agent, variant] = parts_of(name);
  std::vector<std::string> agents, variants;
  for (const AgentEntry* entry : entries()) {
    const auto [its_agent, its_variant] = parts_of(entry->info.name);
    if (its_agent == agent && its_variant == variant) return *entry;
    if (its_agent == agent) variants.push_back(its_variant);
    if (its_variant == kDefaultVariant) agents.push_back(its_agent);
  }
  if (variants.empty()) fail_unknown("unknown agent", agent, agents);
  fail_unknown("agent '" + agent + "': unknown variant", variant, variants);
}

void check_parameters(const AgentInfo& info, const AgentOptions& options) {
  std::vector<std::string> names;
  for (const HyperparameterInfo& parameter : info.hyperparameters) names.push_back(parameter.name);
  for (const auto& [name, value] : options.parameters) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    if (names.empty()) {
      throw UsageError("agent '" + info.name + "' takes no parameters; remove '" + name + "'");
    }
    fail_unknown("agent '" + info.name + "': unknown parameter", name, names);
  }
}

template <class T>
bool parse_number(const std::string& text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end;
}

std::string tag_of(std::string_view agent) {
  return "exarch-agent " + std::string(agent) + " 1\n";
}

}  // namespace

const std::vector<AgentInfo>& agent_table() {
  static const std::vector<AgentInfo> table = [] {
    std::vector<AgentInfo> infos;
    for (const AgentEntry* entry : entries()) infos.push_back(entry->info);
    return infos;
  }();
  return table;
}

const AgentInfo& find_agent(const std::string& name) {
  return entry_of(name).info;
}

std::unique_ptr<Agent> make_agent(const std::string& name, const DesignSpace& space, const AgentOptions& options) {
  const AgentEntry& entry = entry_of(name);
  if (options.population < entry.info.min_population || options.population > entry.info.max_population) {
    throw UsageError("population " + std::to_string(options.population) + " is out of range; agent '" + entry.info.name +
                     "' takes " + std::to_string(entry.info.min_population) + " to " + std::to_string(entry.info.max_population));
  }
  if (options.objectives < 1 || options.objectives > entry.info.max_objectives) {
    throw UsageError("agent '" + entry.info.name + "' takes " +
                     (entry.info.max_objectives == 1 ? std::string("one objective")
                                                     : "1 to " + std::to_string(entry.info.max_objectives) + " objectives") +
                     ", not " + std::to_string(options.objectives));
  }
  check_parameters(entry.info, options);
  return entry.make(space, options);
}

const std::string& Hyperparameters::text(const std::string& name) const {
  const auto given = options_.parameters.find(name);
  if (given != options_.parameters.end()) return given->second;
  const auto row = std::ranges::find(info_.hyperparameters, name, &HyperparameterInfo::name);
  if (row == info_.hyperparameters.end()) throw std::logic_error("no hyperparameter " + name);
  return row->default_value;
}

void Hyperparameters::fail(const std::string& name, const std::string& hint) const {
  const auto row = std::ranges::find(info_.hyperparameters, name, &HyperparameterInfo::name);
  throw UsageError("agent '" + info_.name + "': " + name + " = '" + text(name) + "' is not valid; it takes " + row->range + hint);
}

std::uint64_t Hyperparameters::integer(const std::string& name, std::uint64_t minimum, std::uint64_t maximum) const {
  std::uint64_t value = 0;
  if (!parse_number(text(name), value) || value < minimum || value > maximum) fail(name, "");
  return value;
}

double Hyperparameters::real(const std::string& name, double minimum, double maximum) const {
  double value = 0;
  const bool valid = parse_number(text(name), value) && value >= minimum && value <= maximum;
  if (!valid) fail(name, "");
  return value;
}

std::size_t Hyperparameters::choice(const std::string& name, std::span<const std::string> choices) const {
  const auto it = std::find(choices.begin(), choices.end(), text(name));
  if (it == choices.end()) fail(name, did_you_mean(text(name), choices));
  return static_cast<std::size_t>(it - choices.begin());
}

void draw_uniform(const DesignSpace& space, std::uint64_t seed, std::uint32_t generation, std::size_t candidate,
                  std::span<Gene> genes) {
  PhiloxStream draws(seed, static_cast<std::uint32_t>(Purpose::uniform_candidate), static_cast<std::uint32_t>(candidate),
                     generation);
  for (std::size_t p = 0; p < genes.size(); ++p) {
    genes[p] = static_cast<Gene>(draws.below(static_cast<std::uint32_t>(space.values(p).size())));
  }
}

void resize_batch(GeneBatch& batch, const DesignSpace& space, std::size_t candidates) {
  batch.dimensions = space.dimensions();
  batch.genes.resize(candidates * space.dimensions());
}

void check_told(std::size_t asked, const GeneBatch& batch, std::span<const double> costs, std::size_t objectives) {
  if (batch.candidates() == asked && costs.size() == asked * objectives) return;
  throw std::logic_error("an agent asked for " + std::to_string(asked) + " candidates and was told " +
                         std::to_string(costs.size()) + " costs of " + std::to_string(batch.candidates()));
}

std::vector<double> comparable(std::span<const double> costs) {
  std::vector<double> result(costs.begin(), costs.end());
  std::ranges::replace_if(
      result, [](double cost) { return std::isnan(cost); }, std::numeric_limits<double>::infinity());
  return result;
}

std::vector<std::size_t> searched_parameters(const DesignSpace& space) {
  std::vector<std::size_t> searched;
  for (std::size_t p = 0; p < space.dimensions(); ++p) {
    if (space.values(p).size() > 1) searched.push_back(p);
  }
  return searched;
}

StateWriter::StateWriter(std::string_view agent) : text_(tag_of(agent)) {}

void StateWriter::put(std::uint64_t value, std::size_t bytes) {
  for (std::size_t b = 0; b < bytes; ++b) text_ += static_cast<char>(value >> (8 * b));
}

void StateWriter::put(double value) {
  put(std::bit_cast<std::uint64_t>(value), sizeof value);
}

void StateWriter::put(std::span<const double> values) {
  for (const double value : values) put(value);
}

void StateWriter::put(std::span<const Gene> genes) {
  for (const Gene gene : genes) put(gene, sizeof(Gene));
}

StateReader::StateReader(std::string_view agent, std::string_view state) : agent_(agent), rest_(state) {
  const std::string tag = tag_of(agent);
  if (!state.starts_with(tag)) fail("it was written by another agent or version");
  rest_.remove_prefix(tag.size());
}

std::uint64_t StateReader::get(std::size_t bytes) {
  if (rest_.size() < bytes) fail("it is too short");
  std::uint64_t value = 0;
  for (std::size_t b = 0; b < bytes; ++b) {
    value |= std::uint64_t{static_cast<unsigned char>(rest_[b])} << (8 * b);
  }
  rest_.remove_prefix(bytes);
  return value;
}

double StateReader::get_double() {
  return std::bit_cast<double>(get(sizeof(double)));
}

std::vector<double> StateReader::get_doubles(std::size_t count) {
  if (rest_.size() / sizeof(double) < count) fail("it is too short");
  std::vector<double> values(count);
  for (double& value : values) {
    value = get_double();
    if (std::isnan(value)) fail("a value is not a number");
  }
  return values;
}

GeneBatch StateReader::get_genes(const DesignSpace& space, std::size_t candidates) {
  if (rest_.size() / sizeof(Gene) / space.dimensions() < candidates) fail("it is too short");
  GeneBatch batch;
  resize_batch(batch, space, candidates);
  for (std::size_t i = 0; i < batch.genes.size(); ++i) {
    batch.genes[i] = static_cast<Gene>(get(sizeof(Gene)));
    if (batch.genes[i] >= space.values(i % space.dimensions()).size()) fail("it is of another space");
  }
  return batch;
}

void StateReader::finish() const {
  if (!rest_.empty()) fail("it is too long");
}

void StateReader::fail(const std::string& why) const {
  throw Error("the stored state does not fit agent '" + agent_ + "': " + why +
              "; continue with the settings it was written with, or start a new run");
}

void GenerationAgent::ask_uniform(GeneBatch& batch) const {
  resize_batch(batch, space_, population_);
  for (std::size_t c = 0; c < population_; ++c) draw_uniform(space_, seed_, generation_, c, batch.row(c));
}

StateWriter GenerationAgent::begin_state() const {
  StateWriter writer(info_.name);
  writer.put(generation_, 4);
  writer.put(population_, 4);
  writer.put(space_.dimensions(), 4);
  return writer;
}

std::uint32_t GenerationAgent::begin_restore(StateReader& reader) const {
  const auto generation = static_cast<std::uint32_t>(reader.get(4));
  if (reader.get(4) != population_) reader.fail("it has another population");
  if (reader.get(4) != space_.dimensions()) reader.fail("it is of another space");
  return generation;
}

}  // namespace exarch
