// exarch: exact architecture design-space exploration. One verb per file; this one finds the verb and turns errors into exit
// codes.
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/env/environment.hpp"
#include "host/error.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/verbs.hpp"

namespace {

using exarch::cli::Verb;

const std::vector<const Verb*>& verbs() {
  using namespace exarch::cli;
  static const std::vector<const Verb*> kVerbs{&kEnvsVerb,  &kSpaceVerb, &kEvalVerb, &kSweepVerb,  &kSearchVerb,
                                               &kStudyVerb, &kBestVerb,  &kRankVerb, &kReportVerb, &kExportVerb,
                                               &kTraceVerb, &kMapVerb,   &kListVerb, &kBenchVerb,  &kDoctorVerb};
  return kVerbs;
}

std::string usage() {
  std::string text = "Usage: exarch VERB ...\n\n";
  for (const Verb* verb : verbs()) {
    text += "  " + verb->name + std::string(10 - verb->name.size(), ' ') + verb->doc.substr(0, verb->doc.find('\n')) + "\n";
  }
  return text + "\nexarch VERB --help explains a verb with examples; exarch --version names the build.\n";
}

const Verb& find_verb(const std::string& name) {
  std::vector<std::string> names;
  for (const Verb* verb : verbs()) {
    if (verb->name == name) return *verb;
    names.push_back(verb->name);
  }
  throw exarch::UsageError("unknown verb '" + name + "'" + exarch::did_you_mean(name, names) + "; see exarch --help");
}

int run(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << usage();
    return 2;
  }
  const std::string name = argv[1];
  if (name == "--help" || name == "-h" || name == "help") {
    std::cout << usage();
    return 0;
  }
  if (name == "--version") {
    std::cout << "exarch " << exarch::exarch_version() << "\n";
    return 0;
  }
  const Verb& verb = find_verb(name);
  const exarch::cli::Arguments arguments = exarch::cli::parse(verb, argc - 1, argv + 1);
  if (arguments.has("help")) {
    std::cout << exarch::cli::help(verb);
    return 0;
  }
  const int code = verb.run(arguments);
  std::cout.flush();
  if (!std::cout) throw exarch::Error("standard output: cannot be written");
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  // A file beyond the limit of its size (ulimit -f) is then an error of the write, which says what to do.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const exarch::UsageError& error) {
    exarch::cli::say(error.what());
    return 2;
  } catch (const nlohmann::json::exception& error) {
    // What users write is checked where it is read: what is left are texts in stores.
    exarch::cli::say("a text in the store is damaged; restore a copy, or run again (" + std::string(error.what()) + ")");
    return 1;
  } catch (const exarch::cli::Interrupted& interrupted) {
    exarch::cli::say(interrupted.what());
    return 128 + interrupted.signal();
  } catch (const std::bad_alloc&) {
    exarch::cli::say("out of memory; use a smaller population, sample or workload");
    return 1;
  } catch (const std::exception& error) {
    exarch::cli::say(error.what());
    return 1;
  }
}
