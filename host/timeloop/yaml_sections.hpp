// How the sections of Timeloop's files become parts of a record. For yaml.cpp alone; see there and yaml.hpp.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/timeloop/yaml.hpp"
#include "host/timeloop/yaml_expressions.hpp"

namespace exarch::timeloop {

// ---- values ----------------------------------------------------------------------------------------------------------------

// What names in the values of a file stand for. A scope asks the one around it. Values are evaluated when they are asked for.
class Scope final : public Names {
 public:
  Scope() = default;
  explicit Scope(Scope* outer) : outer_(outer) {}
  // The entries of a map become names. Of two maps the one added last counts.
  void add(const YamlNode& map);
  // The parts of a map become "prefix.key".
  void add(const std::string& prefix, const YamlNode& map, Scope& scope);
  void define(const std::string& name, Value value) { values_[name] = std::move(value); }

  [[nodiscard]] Value get(const std::string& name) override;

 private:
  struct Entry {
    const YamlNode* node;
    Scope* scope;  // where its own names are looked for
  };
  Scope* outer_ = nullptr;
  std::map<std::string, Entry> entries_;
  std::map<std::string, Value> values_;
  std::set<std::string> open_;  // being evaluated
};

// The value of a scalar: number, true or false, text in quotes, or an expression. A text that is no expression, or with a name
// that is not defined, is itself.
[[nodiscard]] Value value_of(const YamlNode& node, Scope& scope);
// PlacedError that says what is expected of `what`.
[[nodiscard]] double number_of(const YamlNode& node, const std::string& what, Scope& scope);
[[nodiscard]] std::int64_t whole_of(const YamlNode& node, const std::string& what, Scope& scope, std::int64_t least,
                                    std::int64_t most);
[[nodiscard]] bool truth_of(const YamlNode& node, const std::string& what, Scope& scope);
[[nodiscard]] const std::string& text_of(const YamlNode& node, const std::string& what);
// A list of texts; one text is a list of one.
[[nodiscard]] std::vector<std::string> texts_of(const YamlNode& node, const std::string& what);

// ---- problem ---------------------------------------------------------------------------------------------------------------

// Densities below 1 count for nothing without sparse optimizations, of which a warning tells.
[[nodiscard]] Layer layer_of(const YamlNode& problem, Scope& scope, std::vector<std::string>& warnings);

// ---- architecture ----------------------------------------------------------------------------------------------------------

struct FlatLevel {
  std::string name;
  YamlPlace place;
  const YamlNode* constraints = nullptr;             // of a node of version 0.4
  const YamlNode* spatial_constraints = nullptr;     // of the node of version 0.4 that this level fans out to
  std::string fans_out_to;                           // that node's name
  bool dummy = false;                                // keeps nothing: there for the fanout
  bool own_energy = false;                           // given with the level, which tables do not change
  std::optional<std::vector<std::string>> may_keep;  // of a branch of !Parallel: tensors that it keeps; "*": all
};

struct FlatArchitecture {
  Machine machine;
  std::vector<FlatLevel> levels;  // innermost first
  bool has_nodes = false;         // of version 0.4
  struct Parallel {
    YamlPlace place;
    std::vector<std::string> kept;  // by any branch
  };
  std::vector<Parallel> parallels;
  std::deque<Scope> scopes;  // (node) of version 0.4: what names in its values mean
};

// Prices are the built-in ones, or those of the tables where they are given.
[[nodiscard]] FlatArchitecture architecture_of(const YamlNode& architecture, const YamlNode* problem, Scope& scope);
// Takes energies and areas from Accelergy's tables.
void apply_tables(const YamlNode& ert, const YamlNode* art, FlatArchitecture& flat, Scope& scope,
                  std::vector<std::string>& warnings);

// ---- mapping and constraints -----------------------------------------------------------------------------------------------

// What is said of the loops of one block. Dimensions are those of the shape.
struct LoopRules {
  static constexpr std::int64_t kNone = -1, kRest = 0;
  std::vector<std::int64_t> equal, most, least;  // (dimension)
  std::vector<std::size_t> inner, outer;         // dimensions with a place, the innermost first
  std::int64_t split = kNone;
  YamlPlace place;       // of the first directive
  bool is_said = false;  // by any directive
};

struct LevelRules {
  LoopRules spatial, temporal;
  std::array<Choice, kSpaces> keep{};
};

struct Rules {
  std::array<LevelRules, kMaxLevels> level;
  double min_parallelism = 0;
};

class RuleReader {
 public:
  RuleReader(const FlatArchitecture& flat, const Layer& layer, Scope& scope, std::vector<std::string>& warnings);
  // A list of directives with `target` and `type`, or a map that holds one as `targets` or `constraints`. Rules that contradict
  // those read before are refused.
  void read(const YamlNode& section, bool is_mapping, Rules& rules) const;
  // The constraints that stand with the nodes of an architecture of version 0.4.
  void read_nodes(Rules& rules) const;
  // What a mapping leaves open is as the nodes say.
  void fill_from_nodes(Rules& mapping, const Rules& nodes) const;
  // Of version 0.4: dimensions of one iteration without a place go to the inner end, as timeloopfe has them.
  void place_units(Rules& rules) const;

  [[nodiscard]] Mapping mapping_of(const Rules& rules) const;
  [[nodiscard]] Constraints constraints_of(const Rules& rules) const;
  [[nodiscard]] Rules no_rules() const;

 private:
  enum class Part { spatial, temporal, dataspace };
  void read_list(const YamlNode& list, bool is_mapping, Rules& rules) const;
  void read_directive(const YamlNode& target, const YamlNode& directive, bool is_mapping, Rules& rules) const;
  [[nodiscard]] std::uint32_t level_of(const YamlNode& target, const YamlNode& directive, Part part) const;
  void read_loops(const YamlNode& node, bool is_mapping, bool spatial, std::uint32_t s, LoopRules& rules) const;
  void read_factors(const YamlNode& node, bool is_mapping, LoopRules& rules) const;
  void read_factor_text(const std::string& text, const YamlNode& node, bool is_mapping, LoopRules& rules) const;
  void read_permutation(const YamlNode& node, bool is_mapping, LoopRules& rules) const;
  void read_macros(const YamlNode& node, LoopRules& rules) const;
  void read_keeps(const YamlNode& node, std::array<Choice, kSpaces>& keep) const;
  void set_factor(std::vector<std::int64_t>& factors, std::size_t dim, std::int64_t value, const YamlNode& node) const;
  [[nodiscard]] std::size_t dim_of(const std::string& name, const YamlNode& node) const;
  [[nodiscard]] std::vector<std::uint32_t> spaces_of(const YamlNode& node) const;
  [[nodiscard]] std::vector<bool> dims_of_spaces(const YamlNode& node) const;
  [[nodiscard]] Block block_of(const LoopRules& rules, bool spatial, const std::vector<std::int64_t>& rest,
                               std::uint32_t s) const;
  [[nodiscard]] BlockConstraint constraint_of(const LoopRules& rules, std::uint32_t s) const;
  [[nodiscard]] std::vector<std::int64_t> rests_of(const Rules& rules) const;
  [[nodiscard]] std::int64_t fanout(std::uint32_t s) const;

  const FlatArchitecture& flat_;
  const Layer& layer_;
  Scope& scope_;
  std::vector<std::string>& warnings_;
};

}  // namespace exarch::timeloop
