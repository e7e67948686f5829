// What the page of a report is made of.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "host/run/store_view.hpp"
#include "tools/exarch/options.hpp"

namespace exarch::cli {

// Of a sweep or a search.
[[nodiscard]] nlohmann::ordered_json run_page(const OpenedStore& opened, const Arguments& arguments);

// The whole page, of whatever kind its data are.
[[nodiscard]] std::string report_page(const nlohmann::ordered_json& json);

// A unit as it is shown: "1" is none to read.
[[nodiscard]] std::string shown_unit(const std::string& unit);

// The unit of the objective's values, where it is that of one metric; empty where there is none.
[[nodiscard]] std::string unit_of(const Environment& environment, const Objective& objective);

// What a store notes and what identifies it, as (name, text).
template <class Store>
[[nodiscard]] nlohmann::ordered_json provenance_of(const Store& store) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const auto& [key, value] : store.notes()) json.push_back(nlohmann::ordered_json::array({key, value}));
  for (const auto& [key, value] : store.identity()) json.push_back(nlohmann::ordered_json::array({key, value}));
  return json;
}

}  // namespace exarch::cli
