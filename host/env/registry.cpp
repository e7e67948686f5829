#include "host/env/dram.hpp"
#include "host/env/environment.hpp"
#include "host/error.hpp"

namespace exarch {

std::span<const Environment* const> environments() {
  static const Environment* const kEnvironments[] = {&dram_environment()};
  return kEnvironments;
}

const Environment& find_environment(const std::string& name) {
  std::vector<std::string> names;
  for (const Environment* environment : environments()) {
    if (environment->name() == name) return *environment;
    names.push_back(environment->name());
  }
  std::string list;
  for (const std::string& known : names) list += (list.empty() ? "" : ", ") + known;
  throw UsageError("unknown environment '" + name + "'" + did_you_mean(name, names) + "; there is: " + list);
}

const DesignSpace& find_space(const Environment& environment, const std::string& name) {
  std::vector<std::string> names;
  for (const DesignSpace& space : environment.spaces()) {
    if (space.name() == name) return space;
    names.push_back(space.name());
  }
  std::string list;
  for (const std::string& known : names) list += (list.empty() ? "" : ", ") + known;
  throw UsageError("unknown space '" + name + "'" + did_you_mean(name, names) + "; " + environment.name() + " ships " + list +
                   ", and --space takes a space file (.json)");
}

std::string exarch_version() {
  return EXARCH_VERSION;
}

}  // namespace exarch
