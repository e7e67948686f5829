#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/files/json.hpp"
#include "host/study/summary.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/study_plan.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(number_or_null(value));
  return list;
}

Json json_of(const BoxPlot& box) {
  return {{"minimum", box.minimum},
          {"low", box.low},
          {"lower_quartile", box.lower_quartile},
          {"median", box.median},
          {"upper_quartile", box.upper_quartile},
          {"high", box.high},
          {"maximum", box.maximum},
          {"mean", box.mean}};
}

Json json_of(const StoredConfiguration& c) {
  Json json{{"population", c.population}, {"evaluations", c.evaluations}};
  if (c.generations != 0) json["generations"] = c.generations;
  json.update(parse_json<Json>(c.parameters, "a configuration of the store"));  // refuses what is no object
  return json;
}

Json json_of(const PopulationSummary& p) {
  Json json{{"population", p.population},
            {"runs", p.runs},
            {"median_regret", numbers(p.regret)},
            {"found", p.found},
            {"median_evaluations_to_optimum", number_or_null(p.evaluations_to_optimum)},
            {"median_generations_to_optimum", number_or_null(p.generations_to_optimum)}};
  if (p.regret_in_time.empty()) return json;
  json["median_regret_in_time"] = numbers(p.regret_in_time);
  json["median_seconds_to_optimum"] = number_or_null(p.seconds_to_optimum);
  json["evaluations_per_second"] = number_or_null(p.evaluations_per_second);
  return json;
}

Json json_of(const AgentOnProblem& result, const StudyStore& store) {
  Json json{
      {"score", json_of(result.score)},
      {"iqm", result.iqm},
      {"found", result.found},
      {"variance_between_configurations", number_or_null(result.between_configurations)},
      {"best", {{"configuration", json_of(store.configurations()[result.best_configuration])}, {"score", json_of(result.best)}}},
      {"worst",
       {{"configuration", json_of(store.configurations()[result.worst_configuration])}, {"score", json_of(result.worst)}}}};
  if (result.reported) json["reported"] = json_of(*result.reported);
  json["curve"] = Json::array();
  for (const auto& at : result.curve) {
    json["curve"].push_back({{"lower_quartile", number_or_null(at.lower_quartile)},
                             {"median", number_or_null(at.median)},
                             {"upper_quartile", number_or_null(at.upper_quartile)},
                             {"iqm", number_or_null(at.iqm)},
                             {"runs", at.runs}});
  }
  if (!result.populations.empty()) {
    json["populations"] = Json::array();
    for (const PopulationSummary& population : result.populations) json["populations"].push_back(json_of(population));
  }
  return json;
}

std::string note_of(const StudyStore& store, const std::string& key) {
  for (const auto& [name, value] : store.file().notes()) {
    if (name == key) return value;
  }
  return "";
}

std::string digits(double number, int significant = 3) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*g", significant, number);
  return text;
}

// A score or share, times `whole`: what is less than all never looks like all.
std::string share(double value, double whole = 1) {
  const std::string all = digits(whole);
  for (int significant = 3; significant < 15; ++significant) {
    std::string text = digits(whole * value, significant);
    if (value >= 1 || text != all) return text;
  }
  return "<" + all;
}

std::string or_dash(const Json& value, double scale = 1) {
  return value.is_null() ? "-" : digits(scale * value.get<double>());
}

// An agent's interquartile mean at a checkpoint, the mean over problems; "-" without runs of that length.
std::string at_budget(const Json& agent, std::size_t checkpoint) {
  double sum = 0;
  for (const Json& result : agent["problems"]) {
    const Json& iqm = result["curve"][checkpoint]["iqm"];
    if (iqm.is_null()) return "-";
    sum += iqm.get<double>();
  }
  return share(sum / static_cast<double>(agent["problems"].size()));
}

void print_agents(const Json& json) {
  std::vector<std::vector<std::string>> rows{
      {"agent", "configurations", "seeds", "IQM", "95 %", "wins by best %", "wins by median %"}};
  std::vector<std::size_t> budgets;
  for (std::size_t k = 0; k < json["checkpoints"].size(); ++k) {
    for (const std::uint64_t budget : {100u, 1000u, 10000u, 100000u}) {
      if (json["checkpoints"][k] == budget) budgets.push_back(k);
    }
  }
  for (const std::size_t k : budgets) rows[0].push_back("mean IQM at " + json["checkpoints"][k].dump());
  for (const Json& agent : json["agents"]) {
    rows.push_back({agent["label"], std::to_string(agent["configurations"].get<std::uint64_t>()),
                    std::to_string(agent["seeds"].get<std::uint64_t>()), share(agent["iqm"]["mean"].get<double>()),
                    share(agent["iqm"]["low"].get<double>()) + " - " + share(agent["iqm"]["high"].get<double>()),
                    share(agent["wins_by_best"].get<double>(), 100), share(agent["wins_by_median"].get<double>(), 100)});
    for (const std::size_t k : budgets) rows.back().push_back(at_budget(agent, k));
  }
  print_table(rows);
}

void print_scores(const Json& json) {
  std::vector<std::vector<std::string>> rows{
      {"workload", "objective", "agent", "median", "quartiles", "IQM", "found %", "by settings %", "best settings"}};
  const bool with_reported = !json["problems"][0]["reported_as"].get<std::string>().empty();
  if (with_reported) rows[0].insert(rows[0].begin() + 8, "reported: median");
  for (std::size_t p = 0; p < json["problems"].size(); ++p) {
    for (const Json& agent : json["agents"]) {
      const Json& result = agent["problems"][p];
      const Json& score = result["score"];
      std::string settings;
      for (const auto& [name, value] : result["best"]["configuration"].items()) {
        settings += (settings.empty() ? "" : " ") + name + "=" + (value.is_string() ? value.get<std::string>() : value.dump());
      }
      rows.push_back({json["problems"][p]["workload"], json["problems"][p]["objective"], agent["label"],
                      share(score["median"].get<double>()),
                      share(score["lower_quartile"].get<double>()) + " - " + share(score["upper_quartile"].get<double>()),
                      share(result["iqm"].get<double>()), share(result["found"].get<double>(), 100),
                      or_dash(result["variance_between_configurations"], 100), settings});
      if (with_reported) rows.back().insert(rows.back().begin() + 8, share(result["reported"]["median"].get<double>()));
    }
  }
  print_table(rows);
}

// Median regret by population, at the last checkpoints and at the plan's times.
void print_populations(const Json& json) {
  std::vector<std::vector<std::string>> rows{
      {"workload", "objective", "agent", "population", "found %", "evaluations to optimum", "generations to it"}};
  if (!json["seconds"].empty()) rows[0].emplace_back("seconds to it");
  const Json& checkpoints = json["checkpoints"];
  const std::size_t first = checkpoints.size() - std::min<std::size_t>(4, checkpoints.size());
  for (std::size_t k = first; k < checkpoints.size(); ++k) rows[0].push_back("regret % at " + checkpoints[k].dump());
  for (const Json& second : json["seconds"]) rows[0].push_back("in " + digits(second.get<double>()) + " s");
  if (!json["seconds"].empty()) rows[0].emplace_back("evaluations/s");
  for (std::size_t p = 0; p < json["problems"].size(); ++p) {
    for (const Json& agent : json["agents"]) {
      // Where other settings vary too, reports show it.
      if (!agent["problems"][p].contains("populations") ||
          agent["problems"][p]["populations"].size() != agent["configurations"].get<std::size_t>()) {
        continue;
      }
      for (const Json& population : agent["problems"][p]["populations"]) {
        std::vector<std::string> row{json["problems"][p]["workload"],
                                     json["problems"][p]["objective"],
                                     agent["label"],
                                     population["population"].dump(),
                                     share(population["found"].get<double>(), 100),
                                     or_dash(population["median_evaluations_to_optimum"]),
                                     or_dash(population["median_generations_to_optimum"])};
        if (!json["seconds"].empty()) row.push_back(or_dash(population["median_seconds_to_optimum"]));
        for (std::size_t k = first; k < checkpoints.size(); ++k) row.push_back(or_dash(population["median_regret"][k], 100));
        for (std::size_t s = 0; s < json["seconds"].size(); ++s)
          row.push_back(or_dash(population["median_regret_in_time"][s], 100));
        if (!json["seconds"].empty()) row.push_back(or_dash(population["evaluations_per_second"]));
        rows.push_back(row);
      }
    }
  }
  if (rows.size() == 1) return;
  std::cout << "\n";
  print_table(rows);
}

Json json_of(const StudyStore& store) {
  const std::string& path = store.file().path();
  const Json plan = parse_json<Json>(store.file().identity_value("plan"), path + ", its plan");
  const auto seconds = plan["seconds"].get<std::vector<double>>();
  const StudySummary summary = summarise(store, seconds);
  Json json{{"study",
             {{"name", note_of(store, "name")},
              {"doc", note_of(store, "doc")},
              {"environment", store.file().identity_value("environment")},
              {"model", store.file().identity_value("model")},
              {"space", parse_json<Json>(store.file().identity_value("space"), path + ", its space")["name"]},
              {"costs", store.file().identity_value("costs")},
              {"first_seed", plan["first_seed"]},
              {"workload_content", store.file().identity_value("workload content")},
              {"exarch", note_of(store, "exarch")},
              {"backend", note_of(store, "backend")}}},
            {"checkpoints", summary.checkpoints},
            {"seconds", seconds},
            {"thresholds", summary.thresholds},
            {"problems", Json::array()},
            {"infeasible", Json::array()},
            {"agents", Json::array()}};
  for (std::size_t p = 0; p < summary.problems.size(); ++p) {
    const StudySummary::Problem& problem = summary.problems[p];
    const StoredProblem& stored = store.problems()[problem.stored];
    json["problems"].push_back({{"workload", stored.workload},
                                {"objective", stored.objective},
                                {"reported_as", stored.reported_as},
                                {"exact", stored.exact},
                                {"optimum_cost", problem.optimum},
                                {"best_seen_cost", number_or_null(problem.best_seen)},
                                {"best_seen_score", problem.best_score},
                                {"best_design", stored.best_design}});
  }
  for (std::uint32_t p = 0; p < store.problems().size(); ++p) {
    if (std::ranges::find(summary.problems, p, &StudySummary::Problem::stored) != summary.problems.end()) continue;
    json["infeasible"].push_back({{"workload", store.problems()[p].workload}, {"objective", store.problems()[p].objective}});
  }
  for (const AgentSummary& agent : summary.agents) {
    Json entry{{"label", agent.label},
               {"agent", agent.agent},
               {"configurations", agent.configurations},
               {"seeds", agent.seeds},
               {"runs", agent.runs},
               {"evaluations", agent.evaluations},
               {"iqm", {{"mean", agent.iqm.mean}, {"low", agent.iqm.interval.low}, {"high", agent.iqm.interval.high}}},
               {"profile", agent.profile},
               {"improvement", agent.improvement},
               {"wins_by_best", agent.wins_by_best},
               {"wins_by_median", agent.wins_by_median},
               {"problems", Json::array()}};
    for (const AgentOnProblem& result : agent.problems) entry["problems"].push_back(json_of(result, store));
    json["agents"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace

Json study_json(const StudyStore& store) {
  try {
    return json_of(store);
  } catch (const nlohmann::json::exception&) {
    store.file().fail_damaged("a text in it is not what a study writes");
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.starts_with(store.file().path())) throw;
    store.file().fail_damaged(what);
  }
}

int show_study(const std::string& path, const Arguments& arguments) {
  const Json json = study_json(StudyStore(path));
  if (arguments.flag("json")) {
    std::cout << json.dump(2) << "\n";
    return 0;
  }
  print_agents(json);
  std::cout << "\n";
  print_scores(json);
  print_populations(json);
  for (const Json& problem : json["infeasible"]) {
    std::cout << "\nno search saw a design that is feasible by " << problem["objective"].get<std::string>() << " on "
              << problem["workload"].get<std::string>() << ": left out\n";
  }
  return 0;
}

}  // namespace exarch::cli
