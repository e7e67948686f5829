#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/run/store_view.hpp"
#include "host/run/store_writer.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"
#include "tools/exarch/verbs.hpp"

namespace exarch::cli {
namespace {

std::string csv_header(const Environment& environment) {
  std::string header = primary_option(environment).name + ",candidate";
  for (const ParameterInfo& p : environment.parameters()) header += "," + p.name;
  return header + "," + result_header(environment);
}

std::string csv_row(const Environment& environment, std::span<const std::int64_t> design, const ResultTable::Row& result,
                    std::span<const double> metrics) {
  std::string row;
  for (std::size_t p = 0; p < design.size(); ++p) row += "," + environment.parameters()[p].format(design[p]);
  return row + "," + result_cells(environment, result.status, metrics, result.counters, result.artifact);
}

int export_verb(const Arguments& arguments) {
  const OpenedStore opened = open_run(arguments.positional[0]);
  const Environment& environment = opened.environment;
  ResultTable results(opened.store);
  const bool as_json = arguments.flag("json");
  for (const WorkloadOptions& workload : workloads_from_json(opened.store.identity_value("workloads"), opened.store.path())) {
    refuse_overwriting("--out", arguments.text("out"), workload);
  }
  OutputFile out(arguments.has("out") ? arguments.text("out") : "-");
  if (!as_json) out.write(csv_header(environment) + "\n");
  std::vector<double> metrics(environment.metrics().size());
  Design design(opened.space.dimensions());
  Progress progress("rows", 0);
  std::uint64_t rows = 0;
  for_each_candidate(opened, [&](std::uint32_t w, std::uint64_t number, std::span<const Gene> genes, ResultId id) {
    const ResultTable::Row result = results.at(w, id);
    const std::string& workload = opened.workloads[w]->name;
    opened.space.design_of(genes, design);
    environment.price(*opened.workloads[w], design, result.counters, metrics);
    if (as_json) {
      nlohmann::ordered_json json{{primary_option(environment).name, workload}, {"candidate", number}};
      json.update(result_json(environment, design, result.status, metrics, result.counters, result.artifact));
      out.write(json.dump() + "\n");
    } else {
      out.write(csv_field(workload) + "," + std::to_string(number) + csv_row(environment, design, result, metrics) + "\n");
    }
    progress.update(++rows);
    return true;
  });
  out.close();
  return 0;
}

}  // namespace

const Verb kExportVerb{.name = "export",
                       .synopsis = "STORE.db [--out FILE] [--json]",
                       .doc = "Writes every candidate of a run store as a CSV row: parameters, status, metrics, counters.",
                       .options = {{"out", "FILE", "file to write; default: standard output"}},
                       .json = "an object per candidate, one per line",
                       .min_positional = 1,
                       .max_positional = 1,
                       .examples = "  exarch export sweep.db --out sweep.csv\n  exarch export run.db --json | head\n",
                       .run = export_verb};

}  // namespace exarch::cli
