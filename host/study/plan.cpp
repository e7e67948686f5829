#include "host/study/plan.hpp"

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "host/error.hpp"
#include "host/files/toml_check.hpp"

namespace exarch {
namespace {

constexpr double kMaxStudy = 1e15;          // evaluations per problem
constexpr double kMaxConfigurations = 1e6;  // of an agent

// The shortest text that reads back as the same number.
std::string shortest(double number) {
  char text[32];
  return {text, std::to_chars(text, std::end(text), number).ptr};
}

// A table of a plan, with errors that say where.
class Table {
 public:
  Table(const toml::table& table, std::string where, std::string name)
      : table_(table), where_(std::move(where)), name_(std::move(name)) {}

  [[noreturn]] void fail(const toml::node* at, const std::string& what) const {
    const toml::source_region source = at != nullptr ? at->source() : table_.source();
    throw UsageError(where_ + ":" + std::to_string(source.begin.line) + ": " + what);
  }

  // Refuses keys that nobody asked for.
  void finish() const {
    const std::vector<std::string> known(known_.begin(), known_.end());
    for (const auto& [key, node] : table_) {
      if (known_.contains(key.str())) continue;
      fail(&node, "unknown key '" + std::string(key.str()) + "'" + name_ + did_you_mean(key.str(), known));
    }
  }

  // "file:line: " of a key.
  [[nodiscard]] std::string place(std::string_view key) const {
    return where_ + ":" + std::to_string(table_.get(key)->source().begin.line) + ": ";
  }

  [[nodiscard]] const toml::node* find(std::string_view key) {
    known_.emplace(key);
    return table_.get(key);
  }

  [[nodiscard]] std::string text(std::string_view key, std::optional<std::string> fallback = std::nullopt) {
    const toml::node* node = find(key);
    if (node == nullptr) {
      if (!fallback) fail(nullptr, "'" + std::string(key) + "' is missing" + name_);
      return *fallback;
    }
    if (!node->is_string()) fail(node, "'" + std::string(key) + "': expected a text in quotes");
    return node->as_string()->get();
  }

  [[nodiscard]] std::uint64_t whole(std::string_view key, std::uint64_t minimum, std::uint64_t maximum, std::uint64_t fallback) {
    const toml::node* node = find(key);
    return node == nullptr ? fallback : whole(node, key, minimum, maximum);
  }

  // A value or a list of values, each as the text a user would give on the command line.
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> values;
    for_each(key, [&](const toml::node& node) { add(values, text_of(node, key), node, key); });
    return values;
  }

  [[nodiscard]] std::vector<std::uint64_t> wholes(std::string_view key, std::uint64_t minimum, std::uint64_t maximum) {
    std::vector<std::uint64_t> values;
    for_each(key, [&](const toml::node& node) { add(values, whole(&node, key, minimum, maximum), node, key); });
    return values;
  }

  [[nodiscard]] std::vector<double> positives(std::string_view key) {
    std::vector<double> values;
    for_each(key, [&](const toml::node& node) {
      const auto number = node.value<double>();
      if (!number || !(*number > 0) || *number > 1e6) fail(&node, "'" + std::string(key) + "': expected numbers above 0, to 1e6");
      values.push_back(*number);
    });
    std::ranges::sort(values);
    if (std::ranges::adjacent_find(values) != values.end()) {
      fail(table_.get(key), "'" + std::string(key) + "': a value stands there twice");
    }
    return values;
  }

 private:
  template <class Visit>
  void for_each(std::string_view key, Visit&& visit) {
    const toml::node* node = find(key);
    if (node == nullptr) return;
    if (const toml::array* list = node->as_array()) {
      if (list->empty()) fail(node, "'" + std::string(key) + "': an empty list");
      for (const toml::node& element : *list) visit(element);
    } else {
      visit(*node);
    }
  }

  // A value that stands in a list twice would count twice.
  template <class T>
  void add(std::vector<T>& values, T value, const toml::node& node, std::string_view key) const {
    if (std::ranges::find(values, value) != values.end()) fail(&node, "'" + std::string(key) + "': a value stands there twice");
    values.push_back(std::move(value));
  }

  [[nodiscard]] std::string text_of(const toml::node& node, std::string_view key) const {
    if (const auto* string = node.as_string()) {
      if (string->get().empty()) fail(&node, "'" + std::string(key) + "': an empty text");
      return string->get();
    }
    if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
    if (const auto* number = node.as_floating_point()) return shortest(number->get());
    fail(&node, "'" + std::string(key) + "': expected a text or a number, or a list of them");
  }

  [[nodiscard]] std::uint64_t whole(const toml::node* node, std::string_view key, std::uint64_t minimum,
                                    std::uint64_t maximum) const {
    const auto* integer = node->as_integer();
    if (integer == nullptr || integer->get() < 0 || static_cast<std::uint64_t>(integer->get()) < minimum ||
        static_cast<std::uint64_t>(integer->get()) > maximum) {
      fail(node, "'" + std::string(key) + "': expected a whole number from " + std::to_string(minimum) + " to " +
                     std::to_string(maximum));
    }
    return static_cast<std::uint64_t>(integer->get());
  }

  const toml::table& table_;
  std::string where_, name_;
  std::set<std::string, std::less<>> known_;
};

// Asks an agent for its opinion of the values, on the smallest of spaces.
void check_settings(const AgentGrid& grid, const Configuration& configuration) {
  static const std::vector<ParameterInfo> kParameters{{"p", ParameterKind::integer, {}, 0, 1, 0, "", ""}};
  static const DesignSpace kSpace("check", "", kParameters, {{0, 1}});
  (void)make_agent(grid.agent, kSpace, {1, configuration.population, configuration.parameters, 1});
}

AgentGrid read_agent(const toml::table& source, const std::string& where, std::uint64_t seeds) {
  Table table(source, where, " of [[agents]]");
  AgentGrid grid;
  const toml::node* agent = table.find("agent");
  grid.agent = table.text("agent");
  grid.line = source.source().begin.line;
  grid.label = table.text("label", grid.agent);
  grid.seeds = table.whole("seeds", 1, kMaxSeeds, seeds);
  grid.populations = table.wholes("population", 1, kMaxPopulation);
  if (grid.populations.empty()) grid.populations = {64};
  grid.generations = table.wholes("generations", 1, kMaxEvaluations);
  grid.evaluations = table.wholes("evaluations", 1, kMaxEvaluations);
  if (grid.generations.empty() == grid.evaluations.empty()) {
    table.fail(nullptr, "[[agents]] '" + grid.label + "' needs 'generations' or 'evaluations', not both");
  }
  try {
    (void)find_agent(grid.agent);
  } catch (const UsageError& error) {
    table.fail(agent, error.what());
  }
  if (const toml::node* settings = table.find("set")) {
    if (!settings->is_table()) table.fail(settings, "'set': expected a table of hyperparameters, set.name = [values]");
    Table values(*settings->as_table(), where, " of 'set'");
    // In the order of the agent's table, not of the file: the same grid is the same text.
    for (const HyperparameterInfo& parameter : find_agent(grid.agent).hyperparameters) {
      std::vector<std::string> texts = values.texts(parameter.name);
      if (!texts.empty()) grid.grid.emplace_back(parameter.name, std::move(texts));
    }
    values.finish();
  }
  table.finish();
  return grid;
}

}  // namespace

StudyPlan StudyPlan::from_toml(std::string_view text, const std::string& where) {
  toml::table source;
  try {
    check_toml(text, where);
    source = toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw UsageError(where + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  Table table(source, where, "");
  StudyPlan plan;
  plan.name = table.text("name");
  plan.doc = table.text("doc", "");
  plan.environment = table.text("environment");
  plan.space = table.text("space", "");
  plan.objectives = table.texts("objectives");
  plan.reported_as = table.texts("reported_as");
  if (plan.objectives.empty()) table.fail(nullptr, "'objectives' is missing");
  if (!plan.reported_as.empty() && plan.reported_as.size() != plan.objectives.size()) {
    table.fail(table.find("reported_as"), "'reported_as' needs one entry per objective");
  }
  const std::string costs = table.text("costs", "truth");
  if (costs != "truth" && costs != "simulation") table.fail(table.find("costs"), "'costs': expected \"truth\" or \"simulation\"");
  plan.truth = costs == "truth";
  plan.seconds = table.positives("seconds");
  plan.first_seed = table.whole("first_seed", 0, std::uint64_t{1} << 62, 1);
  const std::uint64_t seeds = table.whole("seeds", 1, kMaxSeeds, 20);

  if (const toml::node* workload = table.find("workload")) {
    if (!workload->is_table()) table.fail(workload, "'workload': expected a table, [workload]");
    Table options(*workload->as_table(), where, " of [workload]");
    for (const auto& [key, node] : *workload->as_table()) {
      std::string& joined = plan.workload[std::string(key.str())];
      for (const std::string& value : options.texts(key.str())) {
        if (value.find(',') != std::string::npos) options.fail(&node, "'" + value + "': names with commas are not supported");
        joined += (joined.empty() ? "" : ",") + value;
      }
      plan.places["workload." + std::string(key.str())] = options.place(key.str());
    }
  }
  for (const char* key : {"environment", "space", "objectives", "reported_as"}) {
    if (table.find(key) != nullptr) plan.places[key] = table.place(key);
  }
  const toml::node* agents = table.find("agents");
  if (agents == nullptr || !agents->is_array_of_tables()) table.fail(agents, "a plan needs tables [[agents]]");
  std::set<std::string> labels;
  for (const toml::node& agent : *agents->as_array()) {
    plan.agents.push_back(read_agent(*agent.as_table(), where, seeds));
    if (!labels.insert(plan.agents.back().label).second) {
      table.fail(&agent, "two [[agents]] are labelled '" + plan.agents.back().label + "'; give one another label");
    }
  }
  table.finish();
  double all_evaluations = 0;
  for (const Configuration& configuration : plan.configurations()) {
    const AgentGrid& grid = plan.agents[configuration.grid];
    try {
      check_settings(grid, configuration);
    } catch (const UsageError& error) {
      throw UsageError(where + ":" + std::to_string(grid.line) + ": agent '" + grid.label + "': " + error.what());
    }
    all_evaluations += static_cast<double>(configuration.evaluations) * static_cast<double>(grid.seeds);
  }
  if (all_evaluations > kMaxStudy) throw UsageError(where + ": more than 10^15 evaluations per problem");
  return plan;
}

void StudyPlan::set_seeds(std::uint64_t seeds) {
  for (AgentGrid& grid : agents) grid.seeds = seeds;
}

std::vector<Configuration> StudyPlan::configurations() const {
  std::vector<Configuration> all;
  for (std::size_t g = 0; g < agents.size(); ++g) {
    const AgentGrid& grid = agents[g];
    const bool by_generations = !grid.generations.empty();
    double size = static_cast<double>(grid.populations.size()) *
                  static_cast<double>(std::max(grid.generations.size(), grid.evaluations.size()));
    for (const auto& entry : grid.grid) size *= static_cast<double>(entry.second.size());
    if (size > kMaxConfigurations) throw UsageError("agent '" + grid.label + "': more than a million configurations");
    std::vector<Configuration> of_grid;
    for (const std::size_t population : grid.populations) {
      for (const std::uint64_t limit : by_generations ? grid.generations : grid.evaluations) {
        const std::uint64_t evaluations = by_generations ? limit * population : limit;
        if (evaluations > kMaxEvaluations) {
          throw UsageError("agent '" + grid.label + "': " + std::to_string(evaluations) + " evaluations per search; at most " +
                           std::to_string(kMaxEvaluations));
        }
        of_grid.push_back({g, population, by_generations ? limit : 0, evaluations, {}});
      }
    }
    for (const auto& [parameter, values] : grid.grid) {
      std::vector<Configuration> extended;
      for (const Configuration& configuration : of_grid) {
        for (const std::string& value : values) {
          extended.push_back(configuration);
          extended.back().parameters[parameter] = value;
        }
      }
      of_grid = std::move(extended);
    }
    all.insert(all.end(), of_grid.begin(), of_grid.end());
  }
  return all;
}

std::vector<SearchTask> StudyPlan::searches(const Configuration& configuration, std::size_t problem) const {
  const AgentGrid& grid = agents[configuration.grid];
  std::vector<SearchTask> specs;
  for (std::uint64_t seed = 0; seed < grid.seeds; ++seed) {
    specs.push_back({grid.agent,
                     {first_seed + seed, configuration.population, configuration.parameters, 1},
                     problem,
                     configuration.evaluations,
                     configuration.generations});
  }
  return specs;
}

std::string StudyPlan::canonical() const {
  nlohmann::ordered_json json{{"objectives", objectives},
                              {"reported_as", reported_as},
                              {"seconds", seconds},
                              {"first_seed", first_seed},
                              {"agents", nlohmann::ordered_json::array()}};
  for (const AgentGrid& grid : agents) {
    json["agents"].push_back({{"label", grid.label},
                              {"agent", grid.agent},
                              {"seeds", grid.seeds},
                              {"population", grid.populations},
                              {"generations", grid.generations},
                              {"evaluations", grid.evaluations},
                              {"set", grid.grid}});
  }
  return json.dump();
}

}  // namespace exarch
