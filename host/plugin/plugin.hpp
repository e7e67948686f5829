// Plug-ins: cost models in shared libraries, by the C interface of exarch_plugin.h. A plug-in that is loaded is an environment
// like any other: found by its name, in whatever runs and stores.
//
//   const Environment& cache = load_plugin("./libcache.so");
//   Problem problem(cache, cache.spaces().front());
#pragma once

#include <string>

#include "host/env/environment.hpp"

namespace exarch {

// Loads a library and adds its model to those that are found by name. A library that is loaded already is given again. Its
// model_version() has the plug-in's name, its version, and a signature: a hash of some results, for which it is evaluated here.
// Before other threads look for environments. UsageError for a file that is missing, no library or no plug-in, of another version
// of the interface, with tables that have no meaning, or named like another environment. Error where its evaluate() fails.
const Environment& load_plugin(const std::string& path);

}  // namespace exarch
