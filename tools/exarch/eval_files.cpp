#include <algorithm>
#include <iostream>

#include "host/error.hpp"
#include "host/files/text.hpp"
#include "tools/exarch/eval.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/show.hpp"

namespace exarch::cli {
namespace {

// What holds what is the files' business: the options only make a command readable.
constexpr const char* kFileOptions[] = {"arch", "problem", "mapping", "ert", "art", "files"};
constexpr const char* kGroup = "Files of timeloop";

void add_paths(const Arguments& arguments, const char* option, std::vector<std::string>& paths) {
  if (!arguments.values.contains(option)) return;  // none of this verb's
  const std::vector<std::string>& given = arguments.all(option);
  paths.insert(paths.end(), given.begin(), given.end());
}

}  // namespace

std::map<std::string, std::string> defines_of(const Arguments& arguments) {
  std::map<std::string, std::string> defines;
  for (const std::string& text : arguments.all("define")) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) throw UsageError("--define " + in_quotes(text) + ": expected NAME=VALUE");
    defines[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return defines;
}

std::vector<std::string> model_file_paths(const Arguments& arguments) {
  std::vector<std::string> paths;
  for (const char* option : kFileOptions) add_paths(arguments, option, paths);
  return paths;
}

std::vector<std::string> mapper_file_paths(const Arguments& arguments) {
  std::vector<std::string> paths = model_file_paths(arguments);
  for (const char* option : {"constraints", "mapper"}) add_paths(arguments, option, paths);
  return paths;
}

std::vector<OptionSpec> mapper_file_options() {
  std::vector<OptionSpec> options = model_file_options();
  std::erase_if(options, [](const OptionSpec& option) { return option.name == "mapping"; });
  options.push_back({"constraints", "FILE", "what mappings may be (.yaml)", "", true, kGroup});
  options.push_back({"mapper", "FILE", "goals, and limits of --sampler (.yaml)", "", true, kGroup});
  return options;
}

std::vector<OptionSpec> model_file_options() {
  return {{"arch", "FILE", "architecture (.yaml); repeatable, as the next five", "", true, kGroup},
          {"problem", "FILE", "problem (.yaml)", "", true, kGroup},
          {"mapping", "FILE", "mapping (.yaml)", "", true, kGroup},
          {"ert", "FILE", "Accelergy's energies (.yaml); without them Timeloop's built-in ones", "", true, kGroup},
          {"art", "FILE", "Accelergy's areas (.yaml)", "", true, kGroup},
          {"files", "FILE", "any of these, or all in one (.yaml)", "", true, kGroup},
          {"define", "NAME=VALUE", "a value for a name in templates; repeatable", "", true, kGroup}};
}

bool has_model_files(const Arguments& arguments) {
  return std::ranges::any_of(kFileOptions, [&](const char* option) { return arguments.has(option); });
}

// Files of the reference that describe one problem together.
int eval_model_files(const Environment& environment, const Arguments& arguments) {
  if (!environment.description().takes_model_files) {
    throw UsageError(environment.name() + " is not described by such files (--arch, --problem ...); timeloop is");
  }
  for (const char* option : {"in", "out", "set", "no-share", "reference-input"}) {
    if (arguments.has(option)) throw UsageError(std::string("--") + option + " has no effect on these files; leave it out");
  }
  if (arguments.text("engine") != "fast") throw UsageError("these files are evaluated by the fast engine only");
  const std::vector<std::string> paths = model_file_paths(arguments);
  const ModelFilesAnswer answer =
      environment.answer_model_files(paths, defines_of(arguments), given_options(environment, arguments));
  for (const std::string& note : answer.notes) say(note);
  if (arguments.flag("json")) {
    std::cout << answer.text << "\n";
    return answer.failed ? 1 : 0;
  }
  std::cout << printable(answer.verdict) << "\n";
  for (const ModelFilesAnswer::Table& table : answer.tables) {
    std::cout << "\n";
    print_table(table);
  }
  return answer.failed ? 1 : 0;
}

}  // namespace exarch::cli
