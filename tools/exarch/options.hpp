// Command-line options as tables: a verb lists what it takes besides the common options, parsing and --help follow from the list.
#pragma once

#include <cstdint>
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
  std::string group = "Options";  // heading in --help
};

class Arguments {
 public:
  [[nodiscard]] bool has(const std::string& name) const { return values.contains(name) && given.at(name); }
  [[nodiscard]] bool flag(const std::string& name) const { return has(name); }
  [[nodiscard]] const std::string& text(const std::string& name) const { return values.at(name).front(); }
  [[nodiscard]] const std::vector<std::string>& all(const std::string& name) const { return values.at(name); }
  // Whole number in [minimum, maximum]; UsageError otherwise.
  [[nodiscard]] std::uint64_t number(const std::string& name, std::uint64_t minimum, std::uint64_t maximum) const;
  [[nodiscard]] unsigned threads() const;  // 0 = all
  [[nodiscard]] std::uint64_t seed() const;

  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, bool> given;
  std::vector<std::string> positional;
};

// Every verb also takes the common options: --backend, --threads, --seed, --plugin, --json and --help.
struct Verb {
  std::string name, synopsis, doc;
  std::vector<OptionSpec> options{};
  bool takes_workloads = false;  // options that describe workloads, of every environment there is when the verb is called
  bool simulates = false;        // whether --backend and --threads have an effect
  bool draws = false;            // whether --seed has
  std::string json{};            // what --json prints
  std::size_t min_positional = 0, max_positional = 0;
  std::string examples;
  int (*run)(const Arguments&) = nullptr;
};

// Parses argv[2...] for a verb; UsageError with the nearest option for an unknown one, a missing value and the like. The values
// of the common options are checked here, whether or not the verb makes use of them.
[[nodiscard]] Arguments parse(const Verb& verb, int argc, char** argv);
[[nodiscard]] std::string help(const Verb& verb);

// The options of a verb but the common ones.
[[nodiscard]] std::vector<OptionSpec> own_options(const Verb& verb);

// Refuses what would be ignored: UsageError for a given option of the verb that is not among `names`. The common options are not
// looked at.
void allow_only(const Verb& verb, const Arguments& arguments, const std::string& what, const std::vector<std::string>& names);

}  // namespace exarch::cli
