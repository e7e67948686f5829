// Space files, study plans, objectives and tables of designs.
#include <cmath>

#include "host/env/environment.hpp"
#include "host/error.hpp"
#include "host/study/plan.hpp"
#include "tests/fuzz/target.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::fuzz {
namespace {

void space(std::string_view input) {
  for (const Environment* environment : environments()) {
    try {
      const DesignSpace space = DesignSpace::from_json(input, "space.json", environment->parameters());
      require(space.rough_size() > 0, "a space has points");
      const DesignSpace again = DesignSpace::from_json(space.to_json(), "again.json", environment->parameters());
      require(again.to_json() == space.to_json() && again.is_numbered() == space.is_numbered(),
              "a space that is written reads as the same");
      std::vector<Gene> genes(space.dimensions());
      Design design(space.dimensions());
      random_genes(space, 1, 1, genes);
      space.design_of(genes, design);
      if (!space.is_numbered()) continue;
      require(again.size() == space.size(), "a space that is written has as many points");
      for (const std::uint64_t point : {std::uint64_t{0}, space.size() / 2, space.size() - 1}) {
        space.genes_of(point, genes);
        space.design_of(genes, design);
        require(space.point_of(genes) == point, "points have genes, and genes their point");
      }
    } catch (const Error&) {
      if (environment == environments().back()) throw;
    }
  }
}

void plan(std::string_view input) {
  const StudyPlan plan = StudyPlan::from_toml(input, "plan.toml");
  require(StudyPlan::from_toml(input, "plan.toml").canonical() == plan.canonical(), "a plan means one thing");
  const std::vector<Configuration> configurations = plan.configurations();
  require(!configurations.empty(), "a plan has a configuration");
  if (plan.agents[configurations[0].grid].seeds > 1000) return;
  (void)plan.searches(configurations[0], 0);
}

void objective(std::string_view input) {
  for (const Environment* environment : environments()) {
    try {
      const Objective objective = Objective::parse(input, environment->metrics(), environment->objectives());
      const Objective again = Objective::parse(objective.text(), environment->metrics(), environment->objectives());
      require(again.text() == objective.text(), "an objective that is written reads as the same");
      for (const double value : {0.0, 1.0, 1e-300, 1e300, -2.5}) {
        const std::vector<double> metrics(environment->metrics().size(), value);
        const Score a = objective.score(metrics, true), b = again.score(metrics, true);
        require(!std::isnan(a.cost) && a.cost == b.cost, "a cost is a number, and the same");
      }
    } catch (const Error&) {
      if (environment == environments().back()) throw;
    }
  }
}

std::vector<std::vector<std::string>> rows_of(const std::string& path) {
  cli::CsvReader reader(path);
  std::vector<std::vector<std::string>> rows{reader.header()};
  for (std::vector<std::string> row; reader.next(row);) rows.push_back(row);
  return rows;
}

void csv(std::string_view input) {
  const auto rows = rows_of(write_scratch("table.csv", input).string());
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : ",") + cli::csv_field(row[i]);
    text += "\n";
  }
  require(rows_of(write_scratch("again.csv", text).string()) == rows, "a table that is written reads as the same");
}

// A table of designs: what its cells say is input, too. Workloads are those of a short trace.
void designs(std::string_view input) {
  static const std::string kTrace = write_scratch("short.stl", "0: read 0x0\n3: write 0x2000\n9: read 0x2040\n").string();
  const std::string path = write_scratch("designs.csv", input).string();
  (void)run_verb(cli::kEvalVerb,
                 {"dram", "--in", path, "--out", scratch("results.csv").string(), "--trace", kTrace, "--threads", "1"});
}

}  // namespace

std::vector<Target> text_targets() {
  return {{"space", space}, {"plan", plan}, {"objective", objective}, {"csv", csv}, {"designs", designs}};
}

}  // namespace exarch::fuzz
