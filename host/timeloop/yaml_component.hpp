// Components of architectures: their attributes, and levels made of them. For the readers of architectures alone.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "host/timeloop/yaml_sections.hpp"

namespace exarch::timeloop {

inline constexpr int kMaxTreeDepth = 32;  // branches within each other

enum class ComponentKind { storage, compute, network, other };
// By the parts of its class, as Timeloop does.
[[nodiscard]] ComponentKind kind_of_class(const std::string& name);

// The attributes of a component, with those of the containers around it behind its own.
class Attributes {
 public:
  Attributes(std::vector<const YamlNode*> maps, Scope& scope, YamlPlace place)
      : maps_(std::move(maps)), scope_(scope), place_(std::move(place)) {}

  // The value of the first name that any of the maps has; nullptr, or nothing, where none has one.
  [[nodiscard]] const YamlNode* find(std::initializer_list<const char*> names) const;
  [[nodiscard]] std::optional<double> number(std::initializer_list<const char*> names) const;
  [[nodiscard]] std::optional<std::int64_t> whole(std::initializer_list<const char*> names, std::int64_t least = 1) const;
  [[nodiscard]] std::optional<double> price(std::initializer_list<const char*> names) const;  // from 0 to 1e30
  // Refuses a value that has an effect in Timeloop which the model does not have. `neutral` has none.
  void refuse_unless(const char* name, double neutral, const std::string& what) const;
  void refuse_any(const char* name, const std::string& what) const;
  [[nodiscard]] Scope& scope() const { return scope_; }
  [[nodiscard]] const YamlPlace& place() const { return place_; }

 private:
  std::vector<const YamlNode*> maps_;
  Scope& scope_;
  YamlPlace place_;
};

// `elements` is how many there are by their name, where the attributes do not say. Energies are the built-in ones.
[[nodiscard]] Storage storage_of(const Attributes& attributes, const std::string& class_name, std::int64_t elements);
[[nodiscard]] Compute compute_of(const Attributes& attributes, std::int64_t elements);
[[nodiscard]] FlatLevel level_of(const std::string& name, const Attributes& attributes, const std::string& class_name);

// The storage of a level that is there for the fanout alone, as timeloopfe has it.
[[nodiscard]] Storage dummy_storage(std::int64_t mesh_x, std::int64_t mesh_y);

// "PE[0..167]" is 168 elements called PE.
struct NameRange {
  std::string name;
  std::int64_t elements = 1;
};
// Of a component's `name`.
[[nodiscard]] NameRange range_of(const YamlNode& component);

// Collects levels from the outermost to the innermost.
class ArchitectureBuilder {
 public:
  void add_storage(FlatLevel level, const Storage& storage);
  void set_compute(const std::string& name, const Compute& compute, const YamlPlace& place);
  [[nodiscard]] FlatArchitecture finish(const YamlPlace& place);

  FlatArchitecture flat;

 private:
  std::vector<FlatLevel> levels_;
  std::vector<Storage> storages_;
  bool has_compute_ = false;
};

// `architecture` with nodes, of version 0.4.
[[nodiscard]] FlatArchitecture nodes_of(const YamlNode& architecture, const YamlNode* problem, Scope& variables);

}  // namespace exarch::timeloop
