#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "host/files/text.hpp"
#include "host/run/inputs.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/eval.hpp"
#include "tools/exarch/given.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/show.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

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
      throw UsageError(csv.path() + ":1: unknown column " + in_quotes(name) + did_you_mean(name, names));
    }
    if (seen[name]) throw UsageError(csv.path() + ":1: column " + in_quotes(name) + " appears twice");
    seen[name] = true;
    const auto i = static_cast<std::size_t>(it - names.begin());
    const bool parameter = i < environment.parameters().size();
    columns.push_back({parameter ? Column::Kind::parameter : Column::Kind::option, i, name});
  }
  return columns;
}

// The rows of one workload.
struct Group {
  WorkloadOptions options;
  std::unique_ptr<Evaluator> evaluator;
  std::vector<std::int64_t> designs;  // (row of this group, parameter)
  std::size_t evaluated = 0;          // rows done
};

// All rows are read and checked before the first is evaluated, so that a file with a mistake gives no results at all; then they
// are evaluated and written in blocks. A row is kept as its design and, for CSV, its own text.
class CsvEvaluation {
 public:
  CsvEvaluation(const Environment& environment, const Arguments& arguments, CsvReader& csv)
      : environment_(environment),
        arguments_(arguments),
        as_json_(arguments.flag("json")),
        executor_(make_executor(arguments)),
        csv_(csv),
        columns_(match_header(environment, csv_)),
        out_(arguments.has("out") ? arguments.text("out") : "-"),
        sanity_(environment) {
    defaults_ = parse_design(environment, arguments.all("set"));
    options_ = given_options(environment, arguments);
  }

  int run() {
    std::vector<std::string> row;
    while (csv_.next(row)) add(row);
    if (rows_.empty()) throw Error(csv_.path() + ": no designs below the header");
    Progress progress("designs", rows_.size());
    if (!as_json_) write_header();
    for (std::size_t first = 0; first < rows_.size(); first += kBlock) {
      evaluate_block(first, std::min(rows_.size(), first + kBlock));
      progress.update(std::min(rows_.size(), first + kBlock));
    }
    out_.close();
    return failed_ ? 1 : 0;
  }

 private:
  static constexpr std::size_t kBlock = 65536;

  struct Row {
    std::size_t text_end;  // its text ends there in text_, and begins where the row before ends
    std::uint32_t group;
  };

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
      const std::uint32_t g = group_of(options);
      groups_[g].designs.insert(groups_[g].designs.end(), design.begin(), design.end());
      if (!as_json_) {
        for (const std::string& field : row) text_ += csv_field(field) + ",";
      }
      rows_.push_back({text_.size(), g});
    } catch (const UsageError& error) {
      throw UsageError(csv_.path() + ":" + std::to_string(csv_.line()) + ": " + error.what());
    } catch (const Error& error) {
      throw Error(csv_.path() + ":" + std::to_string(csv_.line()) + ": " + error.what());
    }
  }

  // Two spellings of a workload's options ("800", "0800") lead to one group.
  std::uint32_t group_of(const WorkloadOptions& given) {
    if (const auto it = group_index_.find(given); it != group_index_.end()) return it->second;
    const WorkloadOptions options = complete_options(environment_, given);
    const auto known = std::ranges::find(groups_, options, &Group::options);
    const auto g = static_cast<std::uint32_t>(known - groups_.begin());
    if (known == groups_.end()) {
      if (arguments_.has("out")) refuse_overwriting("--out", arguments_.text("out"), options);
      auto evaluator =
          std::make_unique<Evaluator>(environment_, load_given(environment_, options), executor_, evaluator_options(arguments_));
      groups_.push_back({options, std::move(evaluator), {}});
    }
    group_index_.emplace(given, g);
    return g;
  }

  void write_header() {
    std::string header;
    for (const std::string& name : csv_.header()) header += csv_field(name) + ",";
    out_.write(header + result_header(environment_) + "\n");
  }

  void evaluate_block(std::size_t first, std::size_t end) {
    const std::size_t parameters = environment_.parameters().size();
    std::vector<std::size_t> count(groups_.size());
    for (std::size_t i = first; i < end; ++i) ++count[rows_[i].group];
    std::vector<std::vector<Evaluator::OutcomeId>> ids(groups_.size());
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (count[g] == 0) continue;
      const std::span designs(groups_[g].designs);
      ids[g] = groups_[g].evaluator->evaluate(designs.subspan(groups_[g].evaluated * parameters, count[g] * parameters));
    }
    std::vector<std::size_t> next(groups_.size());
    for (std::size_t i = first; i < end; ++i) {
      Group& group = groups_[rows_[i].group];
      const auto design = std::span(group.designs).subspan(group.evaluated++ * parameters, parameters);
      write_row(i, group, ids[rows_[i].group][next[rows_[i].group]++], design);
    }
  }

  void write_row(std::size_t i, const Group& group, Evaluator::OutcomeId id, std::span<const std::int64_t> design) {
    std::vector<double> metrics(environment_.metrics().size());
    group.evaluator->price(id, design, metrics);
    const bool ok = group.evaluator->status(id) == 0;
    failed_ = failed_ || !ok;
    if (as_json_) {
      const Verdict verdict = verdict_of(environment_, group.evaluator->workload(), {}, sanity_, group.evaluator->status(id),
                                         design, metrics, group.evaluator->status(id) != 0);
      out_.write(evaluated_json(environment_, verdict, group.options, *group.evaluator, id, design, metrics).dump() + "\n");
      return;
    }
    const std::size_t begin = i == 0 ? 0 : rows_[i - 1].text_end;
    const std::string cells = result_cells(environment_, group.evaluator->status(id), metrics, group.evaluator->counters(id),
                                           group.evaluator->artifact(id));
    out_.write(text_.substr(begin, rows_[i].text_end - begin) + cells + "\n");
  }

  const Environment& environment_;
  const Arguments& arguments_;
  bool as_json_;
  std::shared_ptr<Executor> executor_;
  CsvReader& csv_;
  std::vector<Column> columns_;
  OutputFile out_;
  Sanity sanity_;
  Design defaults_;
  WorkloadOptions options_;
  std::map<WorkloadOptions, std::uint32_t> group_index_;
  std::vector<Group> groups_;
  std::string text_;  // the input's cells, row after row
  std::vector<Row> rows_;
  bool failed_ = false;
};

}  // namespace

int eval_csv(const Environment& environment, const Arguments& arguments) {
  return named_if_foreign(arguments.text("in"), {FileKind::csv}, "a CSV file of designs", [&] {
    CsvReader csv(arguments.text("in"));
    if (is_recorded_csv(environment, csv)) return eval_recorded(environment, arguments, csv);
    return CsvEvaluation(environment, arguments, csv).run();
  });
}

}  // namespace exarch::cli
