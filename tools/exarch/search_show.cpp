#include "tools/exarch/search_show.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "host/run/verdict.hpp"
#include "tools/exarch/show.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

class SearchPrinter {
 public:
  SearchPrinter(const SearchSpec& spec, const SearchReport& report, const Arguments& arguments)
      : spec_(spec), environment_(spec.problem.environment()), report_(report), arguments_(arguments), sanity_(environment_) {
    // A front is shown from end to end, all of it in JSON.
    const std::size_t found = report.best.size();
    const bool all = spec.problem.objectives.size() == 1 || arguments.flag("json");
    const std::size_t lines = all ? found : std::min(spec.top, found);
    for (std::size_t i = 0; i < lines; ++i) shown_.push_back(&report.best[lines < 2 ? 0 : i * (found - 1) / (lines - 1)]);
  }

  void print_text() const {
    const std::size_t objectives = spec_.problem.objectives.size();
    std::cout << (objectives == 1 ? "objective " : "objectives ") << text_of(spec_.problem.objectives) << " on "
              << report_.workload->name << ", agent " << spec_.agent << ", seed " << spec_.seed << "\n\n";
    print_designs();
    if (const Verdict verdict = verdict_on(report_.baseline, true); !verdict.sound()) {
      std::cout << "\nthe default design " << (verdict.status == "ok" ? "counts, though it " : "is infeasible: ")
                << verdict.summary() << "\n";
      for (const std::string& why : verdict.why) std::cout << "  " << why << "\n";
    }
    if (report_.best.empty()) print_closest();
    if (objectives > 1) {
      std::cout << "\nthe Pareto front of what was seen has " << report_.best.size() << " different results\n";
    }
    if (!report_.reasons.empty()) {
      std::cout << "\ninfeasible: " << with_commas(report_.infeasible) << " of " << with_commas(report_.judged) << " candidates"
                << percent_of_judged(report_.infeasible) << "; " << reasons_text() << "\n";
    }
    std::cout << "\nrequested " << report_.requested << " evaluations in " << report_.generations << " generations, simulated "
              << report_.simulated << " runs, in " << short_time(report_.seconds) << "; results in " << arguments_.text("out")
              << "\n";
  }

  void print_json() const {
    Json json{{"objective", text_of(spec_.problem.objectives)},
              {"workload", report_.workload->name},
              {"agent", spec_.agent},
              {"seed", spec_.seed},
              {"generations", report_.generations},
              {"requested", report_.requested},
              {"simulated", report_.simulated},
              {"infeasible", report_.infeasible},
              {"reasons", report_.reasons},
              {"seconds", report_.seconds},
              {"agent_seconds", report_.agent_seconds},
              {"evaluation_seconds", report_.evaluation_seconds},
              {"store_seconds", report_.store_seconds},
              {"out", arguments_.text("out")},
              {"warnings", report_.workload->warnings}};
    json["default"] = design_json(report_.baseline, true);
    json["best"] = Json::array();
    for (const FoundDesign* design : shown_) json["best"].push_back(design_json(*design, false));
    if (shown_.empty()) json["closest"] = closest_json();
    std::cout << json.dump(2) << "\n";
  }

 private:
  static constexpr std::size_t kShown = 4;  // metrics in the closing table

  // Whether a design that is shown counts.
  [[nodiscard]] Verdict verdict_on(const FoundDesign& found, bool explained) const {
    return verdict_of(environment_, *report_.workload, spec_.problem.objectives, sanity_, found.status, found.design,
                      found.metrics, explained);
  }

  static std::string value_text(const FoundDesign& found) {
    std::string text;
    for (const double value : found.values) {
      char number[64];
      std::snprintf(number, sizeof number, "%.6g", value);
      text += (text.empty() ? "" : " ") + std::string(number);
    }
    return text;
  }

  void print_designs() const {
    const auto metrics = environment_.metrics().first(std::min(kShown, environment_.metrics().size()));
    std::vector<std::vector<std::string>> rows{{"", "objective"}};
    for (const MetricInfo& metric : metrics) rows[0].push_back(metric.name);
    rows[0].emplace_back("design");
    const auto add = [&](const std::string& name, const FoundDesign& found) {
      // A failed run has a status in place of numbers.
      const Verdict verdict = verdict_on(found, false);
      rows.push_back({name, verdict.status == "ok" ? value_text(found) : verdict.status});
      for (std::size_t m = 0; m < metrics.size(); ++m) {
        rows.back().push_back(found.status != 0 ? "" : format_metric(metrics[m], found.metrics[m]));
      }
      rows.back().push_back(format_design(environment_, found.design));
    };
    add("default", report_.baseline);
    for (std::size_t i = 0; i < shown_.size(); ++i) add("#" + std::to_string(i + 1), *shown_[i]);
    print_table(rows);
  }

  // Where nothing is feasible: of the constraints that no candidate met, how close one came.
  void print_closest() const {
    if (!report_.closest.empty()) std::cout << "\n";
    for (const auto& [constraint, closest] : report_.closest) {
      if (closest.excess == 0 || !std::isfinite(closest.excess)) continue;
      char excess[64];
      std::snprintf(excess, sizeof excess, "%.9g", closest.excess);
      std::cout << "closest to " << constraint << ", " << excess << " beyond it: " << format_design(environment_, closest.design)
                << "\n";
      for (const std::string& why : environment_.explain(*report_.workload, closest.design, 0)) std::cout << "  " << why << "\n";
    }
  }

  [[nodiscard]] Json closest_json() const {
    Json json = Json::array();
    for (const auto& [constraint, closest] : report_.closest) {
      if (closest.excess == 0 || !std::isfinite(closest.excess)) continue;
      json.push_back({{"constraint", constraint},
                      {"beyond", closest.excess},
                      {"design", format_design(environment_, closest.design)},
                      {"why", environment_.explain(*report_.workload, closest.design, 0)}});
    }
    return json;
  }

  [[nodiscard]] Json design_json(const FoundDesign& found, bool explained) const {
    Json json{{"objective", found.values.size() == 1 ? Json(found.values[0]) : Json(found.values)}};
    json.update(result_json(environment_, found.design, found.status, found.metrics, found.counters, found.artifact));
    const Verdict verdict = verdict_on(found, explained);
    json["status"] = verdict.status;
    if (!verdict.violates.empty()) json["violates"] = verdict.violates;
    if (!verdict.why.empty()) json["why"] = verdict.why;
    return json;
  }

  [[nodiscard]] std::string reasons_text() const {
    std::string text;
    for (const auto& [reason, count] : report_.reasons) {
      text += (text.empty() ? "" : ", ") + reason + " " + with_commas(count) + percent_of_judged(count);
    }
    return text;
  }

  [[nodiscard]] std::string percent_of_judged(std::uint64_t count) const {
    char text[32];
    std::snprintf(text, sizeof text, " (%.3g %%)", 100 * static_cast<double>(count) / static_cast<double>(report_.judged));
    return text;
  }

  const SearchSpec& spec_;
  const Environment& environment_;
  const SearchReport& report_;
  const Arguments& arguments_;
  Sanity sanity_;
  std::vector<const FoundDesign*> shown_;  // beside the baseline
};

}  // namespace

void show_search(const SearchSpec& spec, const SearchReport& report, const Arguments& arguments) {
  const SearchPrinter printer(spec, report, arguments);
  if (arguments.flag("json")) {
    printer.print_json();
  } else {
    printer.print_text();
  }
}

}  // namespace exarch::cli
