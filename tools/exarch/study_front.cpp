#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/run/store_view.hpp"
#include "host/study/front.hpp"
#include "host/study/statistics.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/study_measures.hpp"

namespace exarch::cli {

using Json = nlohmann::ordered_json;

int study_front(const Arguments& arguments) {
  allow_for_study(arguments, "study front", {"agents", "seeds", "budget", "population"});
  const AgentStudy study = agent_study_of(arguments, "nsga2,random");
  const OpenedStore opened = open_run(arguments.positional[1]);
  const auto tradeoffs = opened.environment.tradeoffs();
  if (tradeoffs.empty()) throw Error("environment " + opened.environment.name() + " names no trade-offs for a Pareto front");
  std::vector<std::size_t> objectives;
  for (const std::string& name : study.agents) {
    objectives.push_back(std::min(find_agent(name).max_objectives, tradeoffs.size()));
  }
  const std::string& primary = primary_option(opened.environment).name;
  std::vector<std::vector<std::string>> rows{{primary, "agent", "front", "found %", "quartiles", "distance", "quartiles"}};
  Json json = Json::array();
  ThreadPool pool(arguments.threads());
  Progress progress("searches", study.seeds * study.agents.size() * opened.workloads.size());
  std::uint64_t done = 0;
  for (std::uint32_t w = 0; w < opened.workloads.size(); ++w) {
    const TruthTable truth = truth_of(opened, w);
    const std::vector<std::uint32_t> front = truth.pareto_front();
    if (front.empty()) throw Error(opened.workloads[w]->name + ": no design is feasible");
    for (std::size_t a = 0; a < study.agents.size(); ++a) {
      std::vector<double> covered(study.seeds), distance(study.seeds);
      pool.for_each(study.seeds, [&](std::size_t seed, unsigned) {
        const SearchTask search{study.agents[a], {arguments.seed() + seed, study.population, {}, objectives[a]}, 0, study.budget};
        const FrontScore score = score_front(truth, front, search_front(truth, search));
        covered[seed] = score.covered;
        distance[seed] = score.distance;
      });
      progress.update(done += study.seeds);
      std::ranges::sort(covered);
      std::ranges::sort(distance);
      const auto quartiles = [](const std::vector<double>& v, const char* format, double scale) {
        return printed(format, scale * quantile(v, 0.25)) + " - " + printed(format, scale * quantile(v, 0.75));
      };
      rows.push_back({opened.workloads[w]->name, study.agents[a], std::to_string(front.size()),
                      printed("%.1f", 100 * quantile(covered, 0.5)), quartiles(covered, "%.1f", 100),
                      printed("%.2g", quantile(distance, 0.5)), quartiles(distance, "%.2g", 1)});
      json.push_back({{primary, opened.workloads[w]->name},
                      {"agent", study.agents[a]},
                      {"front", front.size()},
                      {"evaluations", study.budget},
                      {"seeds", study.seeds},
                      {"median_found", quantile(covered, 0.5)},
                      {"median_distance", quantile(distance, 0.5)}});
    }
  }
  print_answer(arguments, json, rows);
  return 0;
}

}  // namespace exarch::cli
