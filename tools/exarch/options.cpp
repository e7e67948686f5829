#include "tools/exarch/options.hpp"

#include <algorithm>
#include <cctype>
// An option that may be repeated is one value each time: objectives, among others, contain commas.
#define CXXOPTS_VECTOR_DELIMITER '\0'
#include <cxxopts.hpp>
#include <map>
#include <set>
#include <span>
#include <string_view>

#include "host/env/environment.hpp"
#include "host/error.hpp"
#include "host/files/text.hpp"
#include "host/plugin/plugin.hpp"
#include "tools/exarch/given.hpp"

namespace exarch::cli {
namespace {

constexpr std::uint64_t kMaxThreads = 4096;
constexpr std::uint64_t kMaxSeed = ~0ull >> 1;

std::vector<OptionSpec> all_options(const Verb& verb) {
  const auto doc = [](const std::string& text, bool matters) {
    return text + (matters ? "" : "; accepted, without effect here");
  };
  const std::string group = "Common options";
  std::vector<OptionSpec> options = own_options(verb);
  options.push_back({"backend", "NAME", doc("auto, cpu or cuda", verb.simulates), "auto", false, group});
  options.push_back({"threads", "N", doc("CPU threads", verb.simulates), "all", false, group});
  options.push_back({"seed", "S", doc("seed of random draws", verb.draws), "1", false, group});
  options.push_back(
      {"plugin", "FILE", "loads a cost model of your own from a shared library (docs/plugins.md); repeatable", "", true, group});
  options.push_back({"json", "", "as JSON: " + verb.json, "", false, group});
  options.push_back({"help", "", "this text", "", false, group});
  return options;
}

cxxopts::Options build(const Verb& verb) {
  cxxopts::Options options("exarch " + verb.name, verb.doc);
  auto add = options.add_options();
  std::set<std::string> added;  // environments may share the name of a workload option
  for (const OptionSpec& option : all_options(verb)) {
    if (!added.insert(option.name).second) continue;
    const std::string name = option.name == "out" ? "o,out" : option.name;
    if (option.value.empty()) {
      add(name, option.doc);
    } else if (option.repeatable) {
      add(name, option.doc, cxxopts::value<std::vector<std::string>>());
    } else {
      add(name, option.doc, cxxopts::value<std::string>());
    }
  }
  add("positional", "", cxxopts::value<std::vector<std::string>>());
  return options;
}

// Options that other programs have for what is said in another way here.
std::string said_otherwise(const std::string& name, const std::vector<std::string>& words) {
  const bool about_maestro = std::ranges::any_of(words, [](const std::string& word) { return word.starts_with("maestro"); });
  if (!about_maestro) return "";
  static const std::map<std::string, std::string> kOtherwise{
      {"hw", "; the hardware is given parameter by parameter: --set num_pes=168 --set L1_size=512 --set L2_size=108000"},
      {"hw_file", "; the hardware is given parameter by parameter: --set num_pes=168 --set L1_size=512 --set L2_size=108000"},
      {"dataflow", "; a dataflow is given inside its layer, in a MAESTRO file: exarch eval maestro --in FILE.m"}};
  const auto known = kOtherwise.find(name);
  return known == kOtherwise.end() ? "" : known->second;
}

// How a parameter is given that somebody wrote as an option; "" for what is no parameter. `words` are all of the command line.
std::string said_as_set(const Verb& verb, const std::string& word, const std::vector<std::string>& words) {
  if (std::ranges::find(verb.options, "set", &OptionSpec::name) == verb.options.end()) return "";
  const auto plain = [](std::string name) {
    std::erase_if(name, [](char c) { return c == '-' || c == '_'; });
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name;
  };
  const std::size_t equals = word.find('=');
  const auto next = std::ranges::find(words, word) + 1;
  const bool has_value = equals == std::string::npos && next != words.end() && !next->starts_with("--");
  const std::string value = equals != std::string::npos ? word.substr(equals + 1) : has_value ? *next : "";
  for (const bool named : {true, false}) {  // the environment that the command names before others
    for (const Environment* environment : environments()) {
      if ((std::ranges::find(words, environment->name()) != words.end()) != named) continue;
      for (const ParameterInfo& parameter : environment->parameters()) {
        if (plain(parameter.name) != plain(word.substr(0, equals))) continue;
        const std::string example = value.empty() ? parameter.format(parameter.default_value) : value;
        return "; " + parameter.name + " is a parameter of " + environment->name() + ", did you mean --set " + parameter.name +
               "=" + example + "?";
      }
    }
  }
  return "";
}

void refuse_unknown(const Verb& verb, const std::vector<std::string>& unmatched, const std::vector<std::string>& words) {
  for (const std::string& word : unmatched) {
    if (!word.starts_with("-")) continue;
    const std::string name =
        word.substr(word.find_first_not_of('-') == std::string::npos ? word.size() : word.find_first_not_of('-'));
    std::string hint = said_as_set(verb, word, words);
    if (hint.empty()) hint = said_otherwise(name.substr(0, name.find('=')), words);
    if (!hint.empty()) throw UsageError("unknown option " + word + hint);
    std::vector<std::string> known;
    for (const OptionSpec& option : all_options(verb)) known.push_back("--" + option.name);
    throw UsageError("unknown option " + word + did_you_mean("--" + name.substr(0, name.find('=')), known) + "; see exarch " +
                     verb.name + " --help");
  }
}

// Plug-ins bring environments, and with them workload options: they are loaded before anything is parsed.
void load_plugins(std::span<char*> words) {
  constexpr std::string_view kOption = "--plugin";
  for (std::size_t i = 1; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word == kOption && i + 1 < words.size()) {
      word = words[++i];
    } else if (word.starts_with(kOption) && word.substr(kOption.size()).starts_with("=")) {
      word.remove_prefix(kOption.size() + 1);
    } else {
      continue;
    }
    if (!word.empty()) load_plugin(std::string(word));  // else an error of its own, below
  }
}

// A switch is on where it stands: --json=no would be read as on by a careless eye, and --json=1 as a number.
void refuse_values_of_switches(const Verb& verb, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return;
    const std::size_t equals = word.find('=');
    if (!word.starts_with("--") || equals == std::string::npos) continue;
    const std::string name = word.substr(2, equals - 2);
    for (const OptionSpec& option : all_options(verb)) {
      if (option.name != name || !option.value.empty()) continue;
      throw UsageError(in_quotes(word) + ": --" + name + " is a switch and takes no value; write --" + name +
                       " alone, or leave it out");
    }
  }
}

void check_common(const Arguments& arguments) {
  static const std::vector<std::string> kBackends{"auto", "cpu", "cuda"};
  const std::string& backend = arguments.text("backend");
  if (std::ranges::find(kBackends, backend) == kBackends.end()) {
    throw UsageError("--backend " + backend + did_you_mean(backend, kBackends) + ": expected auto, cpu or cuda");
  }
  (void)arguments.threads();
  (void)arguments.seed();
}

void check_positional(const Verb& verb, const Arguments& arguments) {
  const std::size_t count = arguments.positional.size();
  if (count < verb.min_positional || count > verb.max_positional) {
    throw UsageError(std::string(count < verb.min_positional ? "an argument is missing" : "too many arguments") +
                     "; usage: exarch " + verb.name + " " + verb.synopsis);
  }
}

}  // namespace

Arguments parse(const Verb& verb, int argc, char** argv) {
  // Names go into stores and JSON, which are UTF-8.
  for (int i = 1; i < argc; ++i) {
    if (!is_utf8(argv[i])) throw UsageError(in_quotes(argv[i]) + " is not UTF-8; rename the file, or link to it by another name");
  }
  load_plugins({argv, static_cast<std::size_t>(argc)});
  refuse_values_of_switches(verb, {argv, argv + argc});
  cxxopts::Options options = build(verb);
  options.allow_unrecognised_options();
  options.parse_positional({"positional"});
  Arguments arguments;
  try {
    const cxxopts::ParseResult result = options.parse(argc, argv);
    refuse_unknown(verb, result.unmatched(), {argv, argv + argc});
    if (result.count("help") > 0) {
      arguments.given["help"] = true;
      arguments.values["help"] = {""};
      return arguments;
    }
    if (result.count("positional") > 0) arguments.positional = result["positional"].as<std::vector<std::string>>();
    for (const std::string& word : result.unmatched()) arguments.positional.push_back(word);
    for (const OptionSpec& option : all_options(verb)) {
      const bool given = result.count(option.name) > 0;
      arguments.given[option.name] = given;
      auto& values = arguments.values[option.name];
      if (option.value.empty()) continue;
      if (option.repeatable) {
        if (given) values = result[option.name].as<std::vector<std::string>>();
      } else if (result.count(option.name) > 1) {
        throw UsageError("--" + option.name + " is given more than once");
      } else {
        values = {given ? result[option.name].as<std::string>() : option.fallback};
      }
      if (given && std::ranges::find(values, "") != values.end()) {
        throw UsageError("--" + option.name + " '': the value is empty; give " + option.value + ", or leave the option out");
      }
    }
  } catch (const cxxopts::exceptions::exception& error) {
    throw UsageError(std::string(error.what()) + "; see exarch " + verb.name + " --help");
  }
  check_positional(verb, arguments);
  check_common(arguments);
  return arguments;
}

std::vector<OptionSpec> own_options(const Verb& verb) {
  std::vector<OptionSpec> options = verb.options;
  if (!verb.takes_workloads) return options;
  const std::vector<OptionSpec> more = workload_options();
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

void allow_only(const Verb& verb, const Arguments& arguments, const std::string& what, const std::vector<std::string>& names) {
  for (const OptionSpec& option : own_options(verb)) {
    if (!arguments.has(option.name) || std::ranges::find(names, option.name) != names.end()) continue;
    throw UsageError("--" + option.name + " has no meaning for " + what);
  }
}

std::string help(const Verb& verb) {
  std::string text = verb.doc + "\n\nUsage: exarch " + verb.name + " " + verb.synopsis + "\n";
  std::string group;
  for (const OptionSpec& option : all_options(verb)) {
    if (option.group != group) text += "\n" + option.group + ":\n";
    group = option.group;
    std::string left = "  --" + option.name + (option.value.empty() ? "" : " " + option.value);
    left.resize(std::max<std::size_t>(left.size() + 2, 30), ' ');
    text += left + option.doc + (option.fallback.empty() ? "" : " (default: " + option.fallback + ")") + "\n";
  }
  return text + "\nExamples:\n" + verb.examples;
}

unsigned Arguments::threads() const {
  return has("threads") ? static_cast<unsigned>(number("threads", 1, kMaxThreads)) : 0;
}

std::uint64_t Arguments::seed() const {
  return number("seed", 0, kMaxSeed);
}

std::uint64_t Arguments::number(const std::string& name, std::uint64_t minimum, std::uint64_t maximum) const {
  const std::string& value = text(name);
  std::uint64_t n = 0;
  bool good = !value.empty() && value.size() <= 19;
  for (const char c : value) {
    good = good && c >= '0' && c <= '9';
    if (good) n = n * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (!good || n < minimum || n > maximum) {
    throw UsageError("--" + name + " " + printable(value, 60) + ": expected a whole number from " + std::to_string(minimum) +
                     " to " + std::to_string(maximum));
  }
  return n;
}

}  // namespace exarch::cli
