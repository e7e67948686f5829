#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/data_dir.hpp"
#include "host/files/json.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "host/timeloop/archgym.hpp"
#include "host/timeloop/environment.hpp"
#include "host/timeloop/layers.hpp"
#include "tools/exarch/eval.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/map.hpp"
#include "tools/exarch/messages.hpp"

namespace exarch::cli {
namespace {

using namespace timeloop;

// "cycles,energy"; UsageError for other words, or one twice.
Goals goals_of(const std::string& text) {
  Goals goals;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    const Goal goal = word == "cycles" ? Goal::cycles : word == "energy" ? Goal::energy : Goal::edp;
    if (word != name_of(goal))
      throw UsageError("--goal " + in_quotes(text) + ": expected cycles, energy, edp, or a list of them");
    if (std::ranges::find(goals, goal) != goals.end())
      throw UsageError("--goal " + in_quotes(text) + ": " + word + " is there twice");
    goals.push_back(goal);
    begin = end + 1;
  }
  return goals;
}

nlohmann::ordered_json json_file(const std::filesystem::path& path, const std::string& what) {
  return parse_json<nlohmann::ordered_json>(read_text(path, what), path.string());
}

SamplerAlgorithm algorithm_of(const MapperKeys& keys) {
  const std::string& name = keys.algorithm;
  if (name == "random_pruned") return SamplerAlgorithm::random_pruned;
  if (name == "linear_pruned") return SamplerAlgorithm::linear_pruned;
  if (name == "exhaustive") return SamplerAlgorithm::exhaustive;
  if (name == "hybrid") return SamplerAlgorithm::hybrid;
  return SamplerAlgorithm::random;  // the last one that a mapper's file may name
}

// The limits of Timeloop's mapper, as the file says.
void set_limits(const MapperKeys& keys, SamplerSettings& sampler) {
  const auto count = [](std::uint64_t number) { return static_cast<std::uint32_t>(std::min<std::uint64_t>(number, UINT32_MAX)); };
  const auto refuse = [](const std::string& key, const std::string& why) {
    throw Error("mapper: " + key + " " + why + "; leave out --sampler, or this key");
  };
  if (keys.filter_revisits) refuse("filter_revisits", "is not followed");
  if (keys.max_temporal_loops_in_a_mapping >= 0) refuse("max_temporal_loops_in_a_mapping", "is not followed");
  if (keys.sync_interval > 0 && keys.threads.value_or(8) > 1) {
    refuse("sync_interval",
           "makes what Timeloop finds depend on how its threads race, so that there is nothing to follow but for num_threads: 1");
  }
  sampler.algorithm = algorithm_of(keys);
  sampler.threads = count(std::clamp<std::uint64_t>(keys.threads.value_or(8), 1, 1024));
  sampler.timeout = count(keys.timeout);
  sampler.victory_condition = count(keys.victory_condition);
  sampler.search_size = count(keys.search_size);
  sampler.max_permutations = count(keys.max_permutations_per_if_visit);
  sampler.penalize_bypass_fails = keys.penalize_consecutive_bypass_fails;
}

// A layer before the constraints are chosen.
struct Given {
  MappingTask task;
  std::string name = "layer";
  bool has_layer = true;
};

Given from_files(const Arguments& arguments, MapRun& run, SamplerSettings& sampler) {
  Given given;
  const std::vector<std::string> paths = mapper_file_paths(arguments);
  const TimeloopFiles files =
      read_timeloop(std::vector<std::filesystem::path>(paths.begin(), paths.end()), defines_of(arguments));
  for (const std::string& warning : files.warnings) say(warning);
  if (!files.machine) throw Error("the files have no architecture; give one with --arch");
  given.task.architecture = files.machine->architecture;
  run.names = files.layer ? names_of(files.machine->level_names, *files.layer) : names_of(files.machine->level_names);
  run.compute_name = files.machine->compute_name;
  given.has_layer = files.layer.has_value();
  // The loops of another shape have other names, and its constraints leave no room for those of a convolution.
  const std::span<const std::string> of_convolution(run.names.dims.data(), index_of(Dim::G));
  if (arguments.has("network") && std::ranges::find(of_convolution, "") != of_convolution.end()) {
    throw UsageError("--network lists convolutions, and the problem of the files is none; leave out one of them");
  }
  if (files.layer) given.task.problem = files.layer->problem;
  if (files.layer && !files.layer->name.empty()) given.name = files.layer->name;
  if (files.constraints) given.task.constraints = *files.constraints;
  if (files.mapper && !arguments.has("goal")) run.goals = files.mapper->goals();
  if (files.mapper && arguments.flag("sampler")) set_limits(*files.mapper, sampler);
  return given;
}

Given from_record(const Arguments& arguments, MapRun& run) {
  Given given;
  const std::string& name = arguments.text("record");
  const std::filesystem::path path = find_data_file("timeloop/records", name, {".json"});
  const Record record =
      in_file(path.string(), [&] { return record_of(json_file(path, "a record of layer and architecture (.json)")); });
  given.task.problem = record.input.problem;
  given.task.architecture = record.input.architecture;
  given.name = path.stem().string();
  run.names = names_of(record.level_names);
  run.compute_name = record.compute_name;
  for (std::uint32_t s = 0; s < record.input.architecture.levels; ++s) {
    for (std::uint32_t space = 0; space < kSpaces; ++space) {
      given.task.constraints.keep[s][space] = record.input.mapping.keep[s][space] ? Choice::yes : Choice::no;
    }
  }
  return given;
}

// The architecture of ArchGym, with the parameters that are set.
Given from_design(const Arguments& arguments, MapRun& run, SamplerSettings& sampler) {
  Given given;
  const Design design = parse_design(timeloop_environment(), arguments.all("set"));
  const Accelerator accelerator = accelerator_of(design, EnergyTable::shipped());
  if (accelerator.status != GymStatus::ok) throw Error(accelerator.why);
  given.task.architecture = accelerator.architecture;
  given.task.constraints = row_stationary();
  given.has_layer = false;
  sampler.algorithm = SamplerAlgorithm::random_pruned;  // the settings of TimeloopGym
  sampler.timeout = 150;
  sampler.victory_condition = 10;
  run.names = names_of({"psum_spad", "weights_spad", "ifmap_spad", "DummyBuffer", "shared_glb", "DRAM"});
  return given;
}

// The layers of a network, equal ones once; one of them alone where it is named.
void add_layers(const Arguments& arguments, const MappingTask& task, MapRun& run) {
  const std::filesystem::path path = find_data_file("timeloop/networks", arguments.text("network"), {".json"});
  const std::string wanted = arguments.has("layer") ? arguments.text("layer") : "";
  std::vector<std::string> names;
  for (const NamedProblem& layer : in_file(path.string(), [&] { return layers_of(json_file(path, "a network (.json)")); })) {
    names.push_back(layer.name);
    if (!wanted.empty() && layer.name != wanted) continue;
    const auto same = std::ranges::find_if(run.layers, [&](const MapLayer& l) { return l.task.problem == layer.problem; });
    if (same != run.layers.end()) {
      same->count += layer.count;
      same->equal.push_back(layer.name);
      continue;
    }
    MapLayer& mapped = run.layers.emplace_back(MapLayer{layer.name, wanted.empty() ? layer.count : 1, task, run.names});
    mapped.task.problem = layer.problem;
    mapped.task.constraints = with_groups(task.constraints, layer.problem);
    if (layer.problem.bound[index_of(Dim::G)] > 1) mapped.names.dims[index_of(Dim::G)] = kDimNames[index_of(Dim::G)];
  }
  if (run.layers.empty()) {
    throw UsageError("--layer " + in_quotes(wanted) + ": there is no such layer in " + path.string() +
                     did_you_mean(wanted, names));
  }
}

// All factors, orders and spreads. What is kept stays, and so does how the problem lists its dimensions.
Constraints everything_open(const Constraints& given) {
  Constraints free;
  free.keep = given.keep;
  free.dims = given.dims;
  free.tensors = given.tensors;
  return free;
}

}  // namespace

MapRun asked_for(const Arguments& arguments, SamplerSettings& sampler) {
  MapRun run;
  run.goals = goals_of(arguments.text("goal"));
  Given given = !mapper_file_paths(arguments).empty() ? from_files(arguments, run, sampler)
                : arguments.has("record")             ? from_record(arguments, run)
                                                      : from_design(arguments, run, sampler);
  MappingTask& task = given.task;
  const std::string& space = arguments.text("space");
  if (space == "row-stationary") {
    if (task.architecture.levels != 6) throw UsageError("--space row-stationary is for the six levels of ArchGym's architecture");
    task.constraints = row_stationary();
  } else if (space == "free") {
    task.constraints = everything_open(task.constraints);
  } else if (space == "open") {
    task.constraints = everything_open(task.constraints);
    for (auto& level : task.constraints.keep) level.fill(Choice::open);
  } else if (space != "given") {
    throw UsageError("--space " + in_quotes(space) + ": expected given, free, open or row-stationary");
  }
  task.level_names = run.names.levels;
  task.goals = run.goals;
  task.rule = rule_of(arguments.text("fill-rule"));
  task.memory = arguments.number("memory", 1, 1'000'000) << 20;
  task.beam = arguments.number("beam", 1, 1'000'000);
  sampler.goals = run.goals;
  sampler.fill_rule = task.rule;
  const bool of_network = arguments.has("network") || arguments.has("layer") || !given.has_layer;
  if (of_network) {
    add_layers(arguments, task, run);
  } else {
    task.constraints = with_groups(task.constraints, task.problem);
    run.layers.push_back({given.name, 1, task, run.names});
  }
  return run;
}

}  // namespace exarch::cli
