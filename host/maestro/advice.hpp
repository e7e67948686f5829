// What users are told about layers, mappings and results, in sentences that name the layer, the level or the directive.
//
// Nothing here changes a number. The sentences reach users as warnings of a workload, as "why" in JSON, and below tables.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/maestro/environment.hpp"

namespace exarch::maestro {

// Why MAESTRO has no result for this problem, whose evaluation gave `status` (not ok).
[[nodiscard]] std::string why_not(const Problem& problem, Status status);

// A warning for a layer with strides of which no mapping of the environment `maestro` counts the outputs right; "" for any other.
// MAESTRO walks a strided axis in steps of the stride. Where (input - filter) is no multiple of the stride, what is left of the
// axis is counted as a tile of its own, mostly with a wrong number of outputs, and the result is impossible.
[[nodiscard]] std::string stride_warning(const Layer& layer, const std::string& label, Version version);

// The buffers that a design has, where it limits them.
struct Limits {
  std::int64_t l1, l2;  // elements
  friend bool operator==(const Limits&, const Limits&) = default;
};

// What speaks against one layer's result: an impossible count or time, a buffer that is too small. Nothing for a sound one.
[[nodiscard]] std::vector<std::string> objections(const Problem& problem, const Counters& counters,
                                                  const std::optional<Limits>& limits);

}  // namespace exarch::maestro
