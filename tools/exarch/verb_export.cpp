#include "host/error.hpp"
#include "tools/exarch/common.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/progress.hpp"

namespace exarch::cli {
namespace {

int run(const Arguments& arguments) {
  const OpenedStore opened = open_store(arguments.positional[0]);
  const Environment& environment = opened.environment;
  ResultTable results(opened.store);
  OutputFile out(arguments.has("out") ? arguments.text("out") : "-");
  std::string header = "trace,candidate";
  for (const ParameterInfo& p : environment.parameters()) header += "," + p.name;
  header += ",status";
  for (const MetricInfo& m : environment.metrics()) header += "," + m.name;
  for (const CounterInfo& c : environment.counters()) header += c.internal ? "" : "," + c.name;
  out.write(header + "\n");
  std::vector<double> metrics(environment.metrics().size());
  Design design(opened.space.dimensions());
  Progress progress("rows", 0);
  std::uint64_t rows = 0;
  for_each_candidate(opened, [&](std::uint32_t w, std::uint64_t number, std::span<const Gene> genes, ResultId id) {
    const ResultTable::Row result = results.at(w, id);
    opened.space.design_of(genes, design);
    environment.price(*opened.workloads[w], design, result.counters, metrics);
    std::string line = csv_field(opened.workloads[w]->name) + "," + std::to_string(number);
    for (std::size_t p = 0; p < design.size(); ++p) line += "," + environment.parameters()[p].format(design[p]);
    line += "," + environment.status_text(result.status);
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      line += "," + (result.status == 0 ? format_metric(environment.metrics()[m], metrics[m]) : "");
    }
    out.write(line + counter_columns(environment, result.counters, result.status == 0) + "\n");
    progress.update(++rows);
    return true;
  });
  out.close();
  return 0;
}

}  // namespace

const Verb kExportVerb{"export",
                       "STORE.db [--out FILE.csv]",
                       "Writes every candidate of a run store as a CSV row: parameters, status, metrics, counters.",
                       {{"out", "FILE", "CSV file; default: standard output"}},
                       1,
                       1,
                       "  exarch export sweep.db --out sweep.csv\n  exarch export run.db | head\n",
                       run};

}  // namespace exarch::cli
