#include <algorithm>
#include <atomic>
#include <cctype>
#include <filesystem>
#include <mutex>

#include "host/error.hpp"
#include "host/execute/executor.hpp"
#include "host/files/text.hpp"
#include "host/timeloop/search_advice.hpp"
#include "host/timeloop/written_input.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/eval.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/map.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

using namespace timeloop;

// A file name for a layer, whatever it is called.
std::string file_name(std::size_t number, const std::string& layer, const char* ending) {
  std::string name = layer;
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '_' && c != '-'; }, '_');
  return std::to_string(number) + "-" + name.substr(0, 100) + ending;
}

// Before the search: what it finds must have a place.
void make_folder(const Arguments& arguments, const char* option) {
  if (!arguments.has(option)) return;
  std::error_code failed;
  std::filesystem::create_directories(arguments.text(option), failed);
  if (failed)
    throw Error(std::string("--") + option + " " + arguments.text(option) + ": the folder cannot be made (" + failed.message() +
                ")");
}

// Writes what text_of(layer) makes of each best mapping into a file of its own.
template <class Text>
void write_files(const Arguments& arguments, const char* option, const MapRun& run, const char* ending, const Text& text_of) {
  if (!arguments.has(option)) return;
  for (std::size_t i = 0; i < run.layers.size(); ++i) {
    const MapLayer& layer = run.layers[i];
    if (!layer.best.found) continue;
    OutputFile file((std::filesystem::path(arguments.text(option)) / file_name(i + 1, layer.name, ending)).string());
    file.write(text_of(layer));
    file.close();
  }
}

void write_mappings(const Arguments& arguments, const MapRun& run) {
  write_files(arguments, "out", run, ".map.yaml",
              [](const MapLayer& layer) { return mapping_yaml(layer.task.architecture, layer.best.mapping, layer.names); });
  write_files(arguments, "reference-input", run, ".yaml", [&](const MapLayer& layer) {
    return written_input({layer.task.problem, layer.task.architecture, layer.best.mapping}, run.compute_name, layer.names);
  });
}

// Searches all layers, on all threads. A signal ends every search with what it has; its number, or 0.
int search_layers(const Arguments& arguments, const SamplerSettings& sampler, MapRun& run) {
  const std::shared_ptr<Executor> executor = make_executor(arguments);
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> done = 0;
  std::atomic<int> signal = 0;
  std::mutex terminal;
  Progress progress("layers", run.layers.size());
  // Any thread may be the one that goes on, and looks whether somebody asked to end.
  const auto look = [&](const std::string& note) {
    const std::unique_lock<std::mutex> mine(terminal, std::try_to_lock);
    if (!mine || stop) return;
    try {
      progress.update(done, note);
    } catch (const Interrupted& interrupted) {
      signal = interrupted.signal();
      stop = true;
    }
  };
  executor->pool().for_each(run.layers.size(), [&](std::size_t i, unsigned /*thread*/) {
    MapLayer& layer = run.layers[i];
    layer.task.observer = [&](const MappingProgress& now) {
      look(layer.name + ", " + layer.task.level_names[now.level]);
      return !stop;
    };
    if (!stop) layer.best = search(layer.task);
    if (!layer.best.found && layer.best.proved) layer.why = why_nothing_fits(layer.task);
    if (arguments.flag("sampler") && !stop) {
      SamplerSettings settings = sampler;
      settings.stop = &stop;
      layer.sampled = sample(layer.task.problem, layer.task.architecture, layer.task.constraints, settings);
    }
    ++done;
  });
  return signal;
}

int map_verb(const Arguments& arguments) {
  if (arguments.positional[0] != "timeloop") {
    throw UsageError("map " + in_quotes(arguments.positional[0]) + ": mappings are searched for timeloop only");
  }
  if (arguments.has("record") && !mapper_file_paths(arguments).empty()) throw UsageError("--record and files: give one of them");
  if (arguments.has("set") && (arguments.has("record") || !mapper_file_paths(arguments).empty())) {
    throw UsageError("--set is for ArchGym's architecture, without --record and files");
  }
  if (arguments.has("define") && mapper_file_paths(arguments).empty())
    throw UsageError("--define is for templates among files (--arch ...)");
  SamplerSettings sampler;
  sampler.threads = 8;
  MapRun run = asked_for(arguments, sampler);
  make_folder(arguments, "out");
  make_folder(arguments, "reference-input");
  const int signal = search_layers(arguments, sampler, run);
  show_mappings(arguments, run);
  write_mappings(arguments, run);  // after it: an error of the disk costs no answer
  for (const MapLayer& layer : run.layers) {
    for (const std::string& sentence : layer.why) say(layer.name + ": " + sentence);
  }
  if (signal != 0) {
    const bool all = std::ranges::all_of(run.layers, [](const MapLayer& layer) { return layer.best.found; });
    say(all ? "interrupted: the mappings are the best so far"
            : "interrupted: the mappings are the best so far, and of some layers none is known yet");
    return 128 + signal;
  }
  return std::ranges::all_of(run.layers, [](const MapLayer& layer) { return layer.best.found; }) ? 0 : 1;
}

}  // namespace

const Verb kMapVerb{
    .name = "map",
    .synopsis =
        "timeloop [--set Name=value ... | --record NAME | --arch FILE --problem FILE [--constraints FILE] ...] [--goal LIST] "
        "[--json]",
    .doc = "Finds the best mapping of each layer on an architecture, and proves that it is.",
    .options =
        std::vector<OptionSpec>{
            {"set", "Name=value", "a parameter of ArchGym's architecture, which is mapped where no other is given; repeatable",
             "", true},
            {"record", "NAME",
             "architecture and layer of a record, shipped or a .json file; its levels keep what the record says"},
            {"network", "NAME", "maps the layers of a network, shipped or a .json file, in the place of one layer", "alexnet"},
            {"layer", "NAME", "one layer of the network alone"},
            {"goal", "LIST", "cycles, energy, edp, or a list such as cycles,energy: the next ones decide between equals", "edp"},
            {"space", "SPACE",
             "given: what the constraints leave open, for ArchGym's architecture its own; free: all factors, orders and spreads, "
             "levels keep what is given; open: levels keep anything; row-stationary: the constraints of ArchGym",
             "given"},
            {"fill-rule", "RULE", "first fills of outputs: current leaves them out; 2022 counts them, as ArchGym does",
             "current"},
            {"sampler", "",
             "says beside it what Timeloop's own mapper finds, with the limits of the mapper's file, or ArchGym's for its "
             "architecture"},
            {"beam", "N", "partial mappings per level of the first pass, which looks for a good mapping", "256"},
            {"memory", "MB",
             "partial mappings held at once by the search of a layer, about; where there are more it goes on part by part, which "
             "may take longer",
             "1024"},
            {"out", "FOLDER", "writes each best mapping there, as a mapping file of Timeloop (.map.yaml)"},
            {"reference-input", "FOLDER",
             "writes architecture, tables, problem and best mapping of each layer there, as one file that Timeloop takes "
             "(.yaml)"}} +
        mapper_file_options(),
    .simulates = true,
    .json = "an object: goals, layers with mapping and proof, totals",
    .min_positional = 1,
    .max_positional = 1,
    .examples =
        "  exarch map timeloop --goal cycles,energy --fill-rule 2022 --sampler\n"
        "  exarch map timeloop --network resnet50 --set nPEs=336 --goal energy --out best\n"
        "  exarch map timeloop --layer layer3 --space free --goal energy\n"
        "  exarch map timeloop --arch arch.yaml --problem layer.yaml --constraints constraints.yaml --goal edp --sampler\n",
    .run = map_verb};

}  // namespace exarch::cli
