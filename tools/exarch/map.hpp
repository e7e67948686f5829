// What `exarch map` is asked for and what it found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/timeloop/mapping_text.hpp"
#include "host/timeloop/sampler.hpp"
#include "host/timeloop/search.hpp"
#include "tools/exarch/options.hpp"

namespace exarch::cli {

struct MapLayer {
  std::string name;
  std::int64_t count = 1;  // equal layers are mapped once
  timeloop::MappingTask task;
  timeloop::MappingNames names;      // that its mapping is written with
  std::vector<std::string> equal{};  // other layers of the network with the same sizes
  timeloop::MappingResult best{};
  std::optional<timeloop::SamplerResult> sampled{};  // what Timeloop's mapper would have told
  std::vector<std::string> why{};                    // where nothing fits: what would have to change
};

struct MapRun {
  std::vector<MapLayer> layers;
  timeloop::MappingNames names;  // without those of groups, which not every layer has
  timeloop::Goals goals;
  std::string compute_name = "mac";
};

[[nodiscard]] const char* name_of(timeloop::Goal goal);

// Architecture, constraints, goals and layers, from files, a record, or ArchGym's parameters, and from a network; `sampler` gets
// the limits of a mapper's file.
[[nodiscard]] MapRun asked_for(const Arguments& arguments, timeloop::SamplerSettings& sampler);

// The answer: a table per layer and totals, and the loop nest where there is one layer; with --json an object.
void show_mappings(const Arguments& arguments, const MapRun& run);

}  // namespace exarch::cli
