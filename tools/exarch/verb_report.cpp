#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "host/run/inputs.hpp"
#include "tools/exarch/embedded.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/report.hpp"
#include "tools/exarch/study_plan.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

Json study_page(const StudyStore& store) {
  Json json = study_json(store);
  json["kind"] = "study";
  // Values as the objective states them, not costs: what is maximised has a positive optimum.
  const Environment& environment = find_environment(json["study"]["environment"].get<std::string>());
  for (Json& problem : json["problems"]) {
    const Objective objective = parse_objective(environment, problem["objective"].get<std::string>());
    problem["unit"] = unit_of(environment, objective);
    problem["optimum"] = objective.value_of(problem["optimum_cost"].get<double>());
    const Json& best_seen = problem["best_seen_cost"];
    problem["best_seen"] = best_seen.is_null() ? Json() : Json(objective.value_of(best_seen.get<double>()));
  }
  json["provenance"] = provenance_of(store.file());
  return json;
}

void replace(std::string& text, const std::string& mark, const std::string& by) {
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) throw std::logic_error("the report's page has no " + mark);
  text.replace(at, mark.size(), by);
}

// JSON that cannot end the script element it stands in, whatever its texts say.
std::string embeddable(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  for (const char c : text) safe += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return safe;
}

}  // namespace

std::string report_page(const Json& json) {
  const bool is_timeline = json.at("kind") == "timeline";
  std::string page(embedded_file("report.html"));
  // The data last: it may contain anything.
  replace(page, "@STYLE@", std::string(embedded_file("report.css")));
  replace(page, "@CHARTS@", is_timeline ? "" : std::string(embedded_file("chart.min.js")));
  replace(page, "@SCRIPT@", std::string(embedded_file(is_timeline ? "report.timeline.js" : "report.js")));
  replace(page, "@DATA@", embeddable(json));
  return page;
}

namespace {

int report_verb(const Arguments& arguments) {
  const std::string& store = arguments.positional[0];
  if (arguments.text("out").empty()) throw UsageError("report needs -o FILE.html");
  const std::string& path = arguments.text("out");
  if (std::filesystem::exists(path) && std::filesystem::equivalent(path, store)) {
    throw UsageError("-o " + path + " is the store itself; choose another file");
  }
  if (is_store_of(path, StoreKind::study) || is_store_of(path, StoreKind::run)) {
    throw UsageError("-o " + path + " is a store; choose another file");
  }
  const bool is_study = is_store_of(store, StoreKind::study);
  for (const char* option : {"truth", "objective", "top"}) {
    if (is_study && arguments.has(option))
      throw UsageError(std::string("--") + option + " has no meaning for the report of a study");
  }
  const Json json = is_study ? study_page(StudyStore(store)) : run_page(open_run(store), arguments);
  const std::string page = report_page(json);
  std::ofstream file(path, std::ios::binary);
  file << page;
  if (!file.flush()) throw Error(path + ": cannot be written; check that the folder exists and its permissions");
  if (arguments.flag("json")) std::cout << json.dump(2) << "\n";
  say(path + ", " + std::to_string(page.size() / 1024) + " KB; open it in a browser");
  return 0;
}

}  // namespace

const Verb kReportVerb{
    .name = "report",
    .synopsis = "STORE.db -o FILE.html [--truth TRUTH.db] [--objective EXPR] [--top N]",
    .doc = "Writes one HTML file about a study, a search or a sweep, readable offline and printable.",
    .options = {{"out", "FILE", "the page (also -o)"},
                {"truth", "FILE", "a search: show the optimum and the Pareto front of this truth store too"},
                {"objective", "EXPR",
                 "a preset or an expression; default: the search's own, or what the sweep or truth was made for, "
                 "else the environment's first; the front too shows only designs that meet its constraints"},
                {"top", "N", "best designs in the parallel coordinates", "30"}},
    .json = "what the page is made of",
    .min_positional = 1,
    .max_positional = 1,
    .examples =
        "  exarch report lottery.db -o lottery.html\n"
        "  exarch report run.db --truth truth.db -o run.html\n"
        "  exarch report truth.db --objective archgym-both -o truth.html\n",
    .run = report_verb};

}  // namespace exarch::cli
