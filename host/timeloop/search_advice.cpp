#include "host/timeloop/search_advice.hpp"

#include <algorithm>
#include <optional>

#include "host/timeloop/search_choices.hpp"

namespace exarch::timeloop {
namespace {

std::string name_of_level(const MappingTask& task, std::uint32_t level) {
  return level < task.level_names.size() ? task.level_names[level] : "level " + std::to_string(level);
}

// Whether a mapping fits where a level has `words` words; how many of them it needs.
std::optional<std::int64_t> needs(MappingTask task, std::uint32_t level, std::int64_t words) {
  task.architecture.storage[level].size = words;
  const MappingResult result = search(task);
  if (!result.found) return std::nullopt;
  std::int64_t tile = 0;
  for (const Counts& counts : result.counters.count[level]) tile += counts.tile;
  return tile;
}

// The least size of a level with which a mapping fits, all else being as it is; none where its size is not the reason.
std::optional<std::int64_t> least_size(const MappingTask& task, std::uint32_t level) {
  std::int64_t low = task.architecture.storage[level].size;
  if (low < 0) return std::nullopt;
  std::optional<std::int64_t> high = needs(task, level, -1);
  while (high && *high - low > 1) {
    const std::int64_t middle = low + (*high - low) / 2;
    if (const auto tile = needs(task, level, middle)) {
      high = *tile;
    } else {
      low = middle;
    }
  }
  return high;
}

// Where no single size helps: sizes of several levels with which a mapping fits together. The innermost level is kept as small as
// can be, then the next one.
std::string several_levels(MappingTask task, const std::vector<std::string>& names) {
  const Architecture given = task.architecture;
  for (std::uint32_t s = 0; s < given.levels; ++s) task.architecture.storage[s].size = -1;
  if (!search(task).found) return "the constraints leave no way to split the layer over these levels, whatever they hold";
  std::string growing;
  for (std::uint32_t s = 0; s < given.levels; ++s) {
    const std::int64_t now = given.storage[s].size;
    if (now < 0) continue;
    task.architecture.storage[s].size = now;
    if (search(task).found) continue;
    const std::int64_t size = *least_size(task, s);  // without a limit a mapping fits
    task.architecture.storage[s].size = size;
    growing += (growing.empty() ? "" : ", and ") + names[s] + " holds " + std::to_string(size) + " words instead of " +
               std::to_string(now);
  }
  return "several levels are too small at once: a mapping fits if " + growing;
}

}  // namespace

std::vector<std::string> why_nothing_fits(const MappingTask& given) {
  MappingTask task = given;
  task.goals = {Goal::energy};
  std::vector<std::string> names;
  for (std::uint32_t s = 0; s < task.architecture.levels; ++s) names.push_back(name_of_level(task, s));
  std::vector<std::string> sentences;
  const TileLattice tiles(task.problem);
  for (const StageChoices& stage : stages_of(task.problem, task.architecture, task.constraints, tiles, names)) {
    if (!stage.spreads.empty()) continue;
    sentences.push_back(names[stage.level] + ": the spatial loops that the constraints demand do not fit on its children");
  }
  if (!sentences.empty() || search(task).found) return sentences;
  for (std::uint32_t s = 0; s < task.architecture.levels; ++s) {
    const std::optional<std::int64_t> size = least_size(task, s);
    if (!size) continue;
    const std::int64_t now = task.architecture.storage[s].size;
    sentences.push_back(names[s] + ": a mapping fits if it holds " + std::to_string(*size) + " words instead of " +
                        std::to_string(now) + ", " + std::to_string(*size - now) + " more");
  }
  if (sentences.empty()) sentences.push_back(several_levels(task, names));
  return sentences;
}

}  // namespace exarch::timeloop
