#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "tools/exarch/common.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/progress.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

int eval_one(const Environment& environment, const Arguments& arguments) {
  Design design = default_design(environment);
  for (const std::string& assignment : arguments.all("set")) assign(environment, assignment, design);
  Backend backend = make_backend(arguments);
  Json json = Json::array();
  bool ok = true;
  const std::vector<WorkloadOptions> workloads = given_workloads(environment, arguments);
  std::vector<std::shared_ptr<const Workload>> loaded;  // all before the first result is shown
  for (const WorkloadOptions& options : workloads) loaded.push_back(load(environment, options));
  for (std::size_t w = 0; w < workloads.size(); ++w) {
    const WorkloadOptions& options = workloads[w];
    Evaluator evaluator(environment, loaded[w], backend, evaluator_options(arguments));
    const Evaluator::OutcomeId id = evaluator.evaluate(design)[0];
    ok = ok && evaluator.status(id) == 0;
    std::vector<double> metrics(environment.metrics().size());
    evaluator.price(id, design, metrics);
    if (arguments.flag("json")) {
      Json entry{{"environment", environment.name()}, {"model", environment.model_version()}};
      for (const auto& [name, value] : options) entry["workload"][name] = value;
      for (std::size_t p = 0; p < design.size(); ++p) {
        const ParameterInfo& parameter = environment.parameters()[p];
        if (parameter.kind == ParameterKind::integer) {
          entry["design"][parameter.name] = design[p];
        } else {
          entry["design"][parameter.name] = parameter.format(design[p]);
        }
      }
      entry["status"] = environment.status_text(evaluator.status(id));
      if (evaluator.status(id) != 0) {
        json.push_back(entry);
        continue;
      }
      for (std::size_t m = 0; m < metrics.size(); ++m) {
        const MetricInfo& metric = environment.metrics()[m];
        if (metric.decimals == 0) {
          entry["metrics"][metric.name] = static_cast<std::uint64_t>(metrics[m]);
        } else {
          entry["metrics"][metric.name] = metrics[m];
        }
      }
      for (std::size_t c = 0; c < environment.counters().size(); ++c) {
        if (environment.counters()[c].internal) continue;
        entry["counters"][environment.counters()[c].name] = evaluator.counters(id)[c];
      }
      entry["detail"] = Json::parse(environment.detail_json(evaluator.workload(), evaluator.detail(id)));
      json.push_back(entry);
      continue;
    }
    std::cout << options.at("trace") << ": " << format_design(environment, design) << "\n"
              << "status " << environment.status_text(evaluator.status(id)) << "\n\n";
    if (evaluator.status(id) != 0) continue;
    std::vector<std::vector<std::string>> rows{{"metric", "value", "unit", "meaning"}};
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      const MetricInfo& metric = environment.metrics()[m];
      rows.push_back({metric.name, format_metric(metric, metrics[m]), metric.unit, metric.doc});
    }
    print_table(rows);
    std::cout << "\n";
  }
  if (arguments.flag("json")) std::cout << (json.size() == 1 ? json[0] : json).dump(2) << "\n";
  return ok ? 0 : 1;
}

// Where a CSV column goes: a parameter, a workload option, or nowhere (a result column of an earlier run is an error).
struct Column {
  enum class Kind { parameter, option } kind;
  std::size_t parameter;
  std::string option;
};

std::vector<Column> match_header(const Environment& environment, const CsvReader& csv) {
  std::vector<std::string> names;
  for (const ParameterInfo& p : environment.parameters()) names.push_back(p.name);
  for (const WorkloadOption& o : environment.workload_options()) names.push_back(o.name);
  std::vector<Column> columns;
  std::map<std::string, bool> seen;
  for (const std::string& name : csv.header()) {
    const auto it = std::ranges::find(names, name);
    if (it == names.end()) {
      throw UsageError(csv.path() + ":1: unknown column '" + name + "'" + did_you_mean(name, names));
    }
    if (seen[name]) throw UsageError(csv.path() + ":1: column '" + name + "' appears twice");
    seen[name] = true;
    const auto i = static_cast<std::size_t>(it - names.begin());
    const bool parameter = i < environment.parameters().size();
    columns.push_back({parameter ? Column::Kind::parameter : Column::Kind::option, i, name});
  }
  return columns;
}

struct Group {
  std::unique_ptr<Evaluator> evaluator;
  std::vector<std::int64_t> designs;
  std::vector<std::size_t> rows;
};

// Rows are read, evaluated and written in blocks; what grows with the file is one outcome per distinct run.
class CsvEvaluation {
 public:
  CsvEvaluation(const Environment& environment, const Arguments& arguments)
      : environment_(environment),
        arguments_(arguments),
        backend_(make_backend(arguments)),
        csv_(arguments.text("in")),
        columns_(match_header(environment, csv_)),
        out_(arguments.has("out") ? arguments.text("out") : "-") {
    defaults_ = default_design(environment);
    for (const std::string& assignment : arguments.all("set")) assign(environment, assignment, defaults_);
    for (const WorkloadOption& option : environment.workload_options()) options_[option.name] = arguments.text(option.name);
  }

  int run() {
    Progress progress("designs", 0);
    std::vector<std::string> row;
    bool more = true;
    std::uint64_t done = 0;
    while (more) {
      more = csv_.next(row);
      if (more) add(row);
      if (rows_.size() == kBlock || (!more && !rows_.empty())) {
        done += rows_.size();
        evaluate_block();
        progress.update(done);
      }
    }
    if (done == 0) throw Error(csv_.path() + ": no designs below the header");
    out_.close();
    return failed_ ? 1 : 0;
  }

 private:
  static constexpr std::size_t kBlock = 65536;

  void add(const std::vector<std::string>& row) {
    Design design = defaults_;
    WorkloadOptions options = options_;
    try {
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        if (row[c].empty()) continue;  // left out: the default
        if (columns_[c].kind == Column::Kind::parameter) {
          design[columns_[c].parameter] = environment_.parameters()[columns_[c].parameter].parse(row[c]);
        } else {
          options[columns_[c].option] = row[c];
        }
      }
      Group& group = groups_[options];
      if (!group.evaluator) {
        group.evaluator =
            std::make_unique<Evaluator>(environment_, load(environment_, options), backend_, evaluator_options(arguments_));
      }
      group.designs.insert(group.designs.end(), design.begin(), design.end());
      group.rows.push_back(rows_.size());
    } catch (const UsageError& error) {
      throw UsageError(csv_.path() + ":" + std::to_string(csv_.line()) + ": " + error.what());
    } catch (const Error& error) {
      throw Error(csv_.path() + ":" + std::to_string(csv_.line()) + ": " + error.what());
    }
    std::string text;
    for (const std::string& field : row) text += csv_field(field) + ",";
    rows_.push_back(std::move(text));
  }

  // Comes with the first results, so that a file whose first block is bad leaves nothing behind.
  void write_header() {
    if (header_written_) return;
    header_written_ = true;
    std::string header;
    for (const std::string& name : csv_.header()) header += csv_field(name) + ",";
    header += "status";
    for (const MetricInfo& metric : environment_.metrics()) header += "," + metric.name;
    for (const CounterInfo& counter : environment_.counters()) header += counter.internal ? "" : "," + counter.name;
    out_.write(header + "\n");
  }

  void evaluate_block() {
    std::vector<double> metrics(environment_.metrics().size());
    const std::size_t parameters = environment_.parameters().size();
    for (auto& [options, group] : groups_) {
      const std::vector<Evaluator::OutcomeId> ids = group.evaluator->evaluate(group.designs);
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto design = std::span(group.designs).subspan(i * parameters, parameters);
        group.evaluator->price(ids[i], design, metrics);
        const bool ok = group.evaluator->status(ids[i]) == 0;
        failed_ = failed_ || !ok;
        std::string& text = rows_[group.rows[i]];
        text += environment_.status_text(group.evaluator->status(ids[i]));
        for (std::size_t m = 0; m < metrics.size(); ++m) {
          text += "," + (ok ? format_metric(environment_.metrics()[m], metrics[m]) : "");
        }
        text += counter_columns(environment_, group.evaluator->counters(ids[i]), ok);
      }
      group.designs.clear();
      group.rows.clear();
    }
    write_header();
    for (const std::string& text : rows_) out_.write(text + "\n");
    rows_.clear();
  }

  const Environment& environment_;
  const Arguments& arguments_;
  Backend backend_;
  CsvReader csv_;
  std::vector<Column> columns_;
  OutputFile out_;
  Design defaults_;
  WorkloadOptions options_;
  std::map<WorkloadOptions, Group> groups_;
  std::vector<std::string> rows_;
  bool failed_ = false, header_written_ = false;
};

int run(const Arguments& arguments) {
  const Environment& environment = find_environment(arguments.positional[0]);
  if (arguments.has("in") && arguments.flag("json")) throw UsageError("--json shows one design; results of --in FILE are CSV");
  if (arguments.has("in")) return CsvEvaluation(environment, arguments).run();
  if (arguments.has("out")) throw UsageError("--out needs --in FILE; for one design use --json or the table on standard output");
  return eval_one(environment, arguments);
}

}  // namespace

const Verb kEvalVerb{
    "eval",
    "ENVIRONMENT (--trace NAME [--set Name=value ...] [--json] | --in FILE [--out FILE])",
    "Evaluates one design, or every row of a CSV file.",
    std::vector<OptionSpec>{
        {"set", "Name=value", "sets a parameter; repeatable", "", true},
        {"in", "FILE", "CSV of designs: columns are parameters and workload options; - = standard input"},
        {"out", "FILE", "CSV of results: the input's columns, status, metrics, counters; default: standard output"},
        {"json", "", "one design as JSON at full precision, with counters and histogram"}} +
        workload_options() + backend_options(),
    1,
    1,
    "  exarch eval dram --trace cloud-1 --set PagePolicy=Open --set Scheduler=FrFcfs\n"
    "  exarch eval dram --in designs.csv --out results.csv\n"
    "  printf 'trace,PagePolicy\\nstream,Closed\\n' | exarch eval dram --in -\n",
    run};

}  // namespace exarch::cli
