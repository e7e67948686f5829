// The table of agents, and what they share.
#include <algorithm>
#include <bit>
#include <charconv>
#include <stdexcept>
#include <system_error>

#include "agents/agents_internal.hpp"
#include "host/error.hpp"
#include "kernels/core/philox.hpp"

namespace exarch {
namespace {

constexpr std::size_t kMinPopulation = 2;
constexpr std::size_t kMaxPopulation = 1'000'000;
constexpr const char* kDefaultVariant = "fixed";  // what a name without a variant means

const std::vector<const AgentEntry*>& entries() {
  static const std::vector<const AgentEntry*> table = {&random_agent(),     &grid_agent(), &ga_agent(),
                                                       &ga_archgym_agent(), &aco_agent(),  &aco_inverse_cost_agent(),
                                                       &aco_archgym_agent()};
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

std::unique_ptr<Agent> make_agent(const std::string& name, const DesignSpace& space, const AgentOptions& options) {
  const AgentEntry& entry = entry_of(name);
  if (options.population < kMinPopulation || options.population > kMaxPopulation) {
    throw UsageError("population " + std::to_string(options.population) + " is out of range; it takes " +
                     std::to_string(kMinPopulation) + " to " + std::to_string(kMaxPopulation));
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

void check_told(std::size_t asked, const GeneBatch& batch, std::span<const double> costs) {
  if (batch.candidates() == asked && costs.size() == asked) return;
  throw std::logic_error("an agent asked for " + std::to_string(asked) + " candidates and was told " +
                         std::to_string(costs.size()) + " costs of " + std::to_string(batch.candidates()));
}

StateWriter::StateWriter(std::string_view agent) : text_(tag_of(agent)) {}

void StateWriter::put(std::uint64_t value, std::size_t bytes) {
  for (std::size_t b = 0; b < bytes; ++b) text_ += static_cast<char>(value >> (8 * b));
}

void StateWriter::put(double value) {
  put(std::bit_cast<std::uint64_t>(value), sizeof value);
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

void StateReader::finish() const {
  if (!rest_.empty()) fail("it is too long");
}

void StateReader::fail(const std::string& why) const {
  throw Error("the stored state does not fit agent '" + agent_ + "': " + why +
              "; continue with the settings it was written with, or start a new run");
}

}  // namespace exarch
