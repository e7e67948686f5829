#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/files/text.hpp"
#include "host/run/store_view.hpp"
#include "host/run/store_writer.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/python.hpp"
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

// csv, json or parquet.
std::string format_of(const Arguments& arguments) {
  static const std::vector<std::string> kFormats{"csv", "json", "parquet"};
  const std::string& format = arguments.text("format");
  if (std::ranges::find(kFormats, format) == kFormats.end()) {
    throw UsageError("--format " + in_quotes(format) + did_you_mean(format, kFormats) + ": expected csv, json or parquet");
  }
  if (!arguments.flag("json")) return format;
  if (arguments.has("format") && format != "json") throw UsageError("--json and --format " + format + ": give one of the two");
  return "json";
}

// The Python package writes these: C++ has no library for them in Debian.
int export_parquet(const std::string& store, const Arguments& arguments) {
  if (!arguments.has("out")) throw UsageError("--format parquet needs --out FILE.parquet");
  std::vector<std::string> words{store, "--out", arguments.text("out")};
  for (const std::string& plugin : arguments.all("plugin")) words.insert(words.end(), {"--plugin", plugin});
  return run_python("--format parquet", "exarch.export", words, {"exarch", "pyarrow"});
}

int export_verb(const Arguments& arguments) {
  const std::string format = format_of(arguments);
  const OpenedStore opened = open_run(arguments.positional[0]);
  const Environment& environment = opened.environment;
  ResultTable results(opened.store);
  const bool as_json = format == "json";
  for (const WorkloadOptions& workload : workloads_from_json(opened.store.identity_value("workloads"), opened.store.path())) {
    refuse_overwriting("--out", arguments.text("out"), workload);
  }
  if (format == "parquet") return export_parquet(arguments.positional[0], arguments);
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

const Verb kExportVerb{
    .name = "export",
    .synopsis = "STORE.db [--out FILE] [--format NAME | --json]",
    .doc = "Writes every candidate of a run store as a CSV row: parameters, status, metrics, counters.",
    .options = {{"out", "FILE", "file to write; default: standard output"},
                {"format", "NAME", "csv; json, as --json; or parquet, which Python writes (docs/python.md)", "csv"}},
    .json = "an object per candidate, one per line",
    .min_positional = 1,
    .max_positional = 1,
    .examples =
        "  exarch export sweep.db --out sweep.csv\n  exarch export run.db --json | head\n"
        "  exarch export run.db --format parquet --out run.parquet\n",
    .run = export_verb};

}  // namespace exarch::cli
