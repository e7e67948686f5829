// Command-line options as tables: a verb lists what it takes, parsing and --help follow from the list.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace exarch::cli {

struct OptionSpec {
  std::string name;   // without dashes
  std::string value;  // placeholder; empty for a flag
  std::string doc;
  std::string fallback{};  // default, shown in --help
  bool repeatable = false;
};

class Arguments {
 public:
  [[nodiscard]] bool has(const std::string& name) const { return values.contains(name) && given.at(name); }
  [[nodiscard]] bool flag(const std::string& name) const { return has(name); }
  [[nodiscard]] const std::string& text(const std::string& name) const { return values.at(name).front(); }
  [[nodiscard]] const std::vector<std::string>& all(const std::string& name) const { return values.at(name); }
  // Whole number in [minimum, maximum]; UsageError otherwise.
  [[nodiscard]] std::uint64_t number(const std::string& name, std::uint64_t minimum, std::uint64_t maximum) const;

  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, bool> given;
  std::vector<std::string> positional;
};

struct Verb {
  std::string name, synopsis, doc;
  std::vector<OptionSpec> options;
  std::size_t min_positional, max_positional;
  std::string examples;
  int (*run)(const Arguments&);
};

// Parses argv[2...] for a verb; UsageError with the nearest option for an unknown one, a missing value and the like.
[[nodiscard]] Arguments parse(const Verb& verb, int argc, char** argv);
[[nodiscard]] std::string help(const Verb& verb);

}  // namespace exarch::cli
