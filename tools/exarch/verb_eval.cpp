#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "host/files/text.hpp"
#include "host/trace/line_reader.hpp"
#include "tools/exarch/common.hpp"
#include "tools/exarch/csv.hpp"
#include "tools/exarch/messages.hpp"
#include "tools/exarch/progress.hpp"
#include "tools/exarch/verdict.hpp"

namespace exarch::cli {
namespace {

using Json = nlohmann::ordered_json;

// What is known of one evaluated design, workload included.
Json evaluated_json(const Environment& environment, const Verdict& verdict, const WorkloadOptions& options,
                    const Evaluator& evaluator, Evaluator::OutcomeId id, std::span<const std::int64_t> design,
                    std::span<const double> metrics) {
  Json json{{"environment", environment.name()}, {"model", environment.model_version()}};
  for (const auto& [name, value] : options) json["workload"][name] = value;
  json["warnings"] = evaluator.workload().warnings;
  json.update(result_json(environment, design, evaluator.status(id), metrics, evaluator.counters(id)));
  if (!verdict.violates.empty()) json["violates"] = verdict.violates;
  if (!verdict.why.empty()) json["why"] = verdict.why;
  if (evaluator.status(id) == 0) {
    json["detail"] = Json::parse(environment.detail_json(evaluator.workload(), evaluator.detail(id)));
  }
  return json;
}

void print_result(const Environment& environment, const Evaluator& evaluator, Evaluator::OutcomeId id, const Design& design,
                  std::span<const double> metrics, const Verdict& verdict) {
  std::cout << printable(evaluator.workload().name) << ": " << format_design(environment, design) << "\n"
            << "status " << verdict.status << (verdict.violates.empty() ? "" : ", infeasible: " + verdict.summary()) << "\n";
  for (const std::string& sentence : verdict.why) std::cout << sentence << "\n";
  std::cout << "\n";
  if (evaluator.status(id) != 0) return;
  std::vector<std::vector<std::string>> rows{{"metric", "value", "unit", "meaning"}};
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const MetricInfo& metric = environment.metrics()[m];
    rows.push_back({metric.name, format_metric(metric, metrics[m]), metric.unit, metric.doc});
  }
  print_table(rows);
  std::cout << "\n";
}

// The design as the reference's input file, for one workload.
void write_reference_input(const Environment& environment, const Workload& workload, const Design& design,
                           const std::string& path) {
  const std::string text = environment.reference_input(workload, design);
  if (text.empty()) throw UsageError("--reference-input: " + environment.name() + " writes no input files of its reference");
  OutputFile out(path);
  out.write(text);
  out.close();
}

int eval_one(const Environment& environment, const Arguments& arguments) {
  const Design design = given_design(environment, arguments);
  Backend backend = make_backend(arguments);
  const std::vector<WorkloadOptions> workloads = given_workloads(environment, arguments);
  std::vector<std::shared_ptr<const Workload>> loaded;  // all before the first result is shown
  for (const WorkloadOptions& options : workloads) loaded.push_back(load(environment, options));
  if (arguments.has("reference-input")) {
    if (loaded.size() != 1) throw UsageError("--reference-input writes one file; name one workload");
    refuse_overwriting("--reference-input", arguments.text("reference-input"), workloads[0]);
    write_reference_input(environment, *loaded[0], design, arguments.text("reference-input"));
  }
  Json json = Json::array();
  const Sanity sanity(environment);
  bool ok = true;
  std::vector<double> metrics(environment.metrics().size());
  for (std::size_t w = 0; w < workloads.size(); ++w) {
    Evaluator evaluator(environment, loaded[w], backend, evaluator_options(arguments));
    const Evaluator::OutcomeId id = evaluator.evaluate(design)[0];
    ok = ok && evaluator.status(id) == 0;
    evaluator.price(id, design, metrics);
    const Verdict verdict = verdict_of(environment, *loaded[w], {}, sanity, evaluator.status(id), design, metrics);
    if (arguments.flag("json")) {
      json.push_back(evaluated_json(environment, verdict, workloads[w], evaluator, id, design, metrics));
    } else {
      print_result(environment, evaluator, id, design, metrics, verdict);
    }
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
  CsvEvaluation(const Environment& environment, const Arguments& arguments)
      : environment_(environment),
        arguments_(arguments),
        as_json_(arguments.flag("json")),
        backend_(make_backend(arguments)),
        csv_(arguments.text("in")),
        columns_(match_header(environment, csv_)),
        out_(arguments.has("out") ? arguments.text("out") : "-"),
        sanity_(environment) {
    defaults_ = given_design(environment, arguments);
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
          std::make_unique<Evaluator>(environment_, load(environment_, options), backend_, evaluator_options(arguments_));
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
    const std::string cells = result_cells(environment_, group.evaluator->status(id), metrics, group.evaluator->counters(id));
    out_.write(text_.substr(begin, rows_[i].text_end - begin) + cells + "\n");
  }

  const Environment& environment_;
  const Arguments& arguments_;
  bool as_json_;
  Backend backend_;
  CsvReader csv_;
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

bool has_suffix(std::string path, std::initializer_list<std::string_view> suffixes) {
  std::ranges::transform(path, path.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::any_of(suffixes, [&path](std::string_view suffix) { return path.ends_with(suffix); });
}

// The answer to a line that is not even read.
ProblemAnswer too_long() {
  const std::string fault = "the line is longer than " + std::to_string(kLongestLine) + " bytes";
  return {Json{{"id", nullptr}, {"status", "invalid"}, {"error", fault}}.dump(), fault};
}

// Recorded problems, a JSON object per line: answered in order, in blocks, by all threads. A line that is no problem is answered
// too, and the exit code tells.
int eval_problems(const Environment& environment, const Arguments& arguments) {
  if (!environment.takes_problems()) {
    throw UsageError(environment.name() + " takes no recorded problems (.jsonl); --in expects a CSV file of designs");
  }
  for (const char* option : {"set", "no-share", "reference-input"}) {
    if (arguments.has(option)) throw UsageError(std::string("--") + option + " has no effect on recorded problems; leave it out");
  }
  if (arguments.text("engine") != "fast") throw UsageError("recorded problems are evaluated by the fast engine only");
  const WorkloadOptions options = given_options(environment, arguments);
  Backend backend = make_backend(arguments);
  const std::string& in = arguments.text("in");
  LineReader lines(in, R"({"id": 1, "layer": {...}, "directives": [...], "hw": {...}})", LongLines::cut);
  OutputFile out(arguments.has("out") ? arguments.text("out") : "-");
  Progress progress("problems", 0);
  constexpr std::size_t kBlock = 4096, kBlockBytes = std::size_t{64} << 20;
  struct Line {
    std::string text;
    std::uint64_t number;
    bool cut;
    ProblemAnswer answer{};
  };
  constexpr std::uint64_t kFaultsShown = 10;
  std::vector<Line> block;
  std::size_t bytes = 0;
  std::uint64_t done = 0, faults = 0;
  const auto answer_block = [&] {
    backend.pool().for_each(block.size(), [&](std::size_t i, unsigned) {
      block[i].answer = block[i].cut ? too_long() : environment.answer_problem(block[i].text, options);
    });
    // Where no line is a problem, the file may be of another kind: said before the first answer is written.
    const bool no_problems = std::ranges::none_of(block, [](const Line& line) { return line.answer.fault.empty(); });
    if (done == 0 && no_problems) {
      const std::string foreign =
          foreign_file(in, {FileKind::problems, FileKind::json, FileKind::gzip}, "a file of recorded problems");
      if (!foreign.empty()) throw Error(foreign);
    }
    for (const Line& line : block) {
      out.write(line.answer.text + "\n");
      if (line.answer.fault.empty() || ++faults > kFaultsShown) continue;
      say(lines.path() + ":" + std::to_string(line.number) + ": " + line.answer.fault);
    }
    done += block.size();
    bytes = 0;
    block.clear();
    progress.update(done);
  };
  for (std::string_view text; lines.next(text);) {
    if (text.find_first_not_of(" \t") == std::string_view::npos) continue;
    block.push_back({lines.is_cut() ? "" : std::string(text), lines.line_number(), lines.is_cut()});
    bytes += block.back().text.size();
    if (block.size() == kBlock || bytes > kBlockBytes) answer_block();
  }
  answer_block();
  if (done == 0) throw Error(lines.path() + ": no problems; a problem is a JSON object on a line of its own");
  out.close();
  if (faults == 0) return 0;
  say(with_commas(faults) + " of " + with_commas(done) +
      " lines are no problems; their answers have status \"invalid\" and say why");
  return 1;
}

// Problems in a file of the reference's own format; hardware and the like from --set.
int eval_reference_file(const Environment& environment, const Arguments& arguments) {
  if (arguments.text("engine") != "fast" || arguments.has("no-share") || arguments.has("reference-input")) {
    throw UsageError("--engine, --no-share and --reference-input have no effect on " + arguments.text("in") + "; leave them out");
  }
  const Design design = given_design(environment, arguments);
  const FileAnswers file = environment.answer_file(arguments.text("in"), design, given_options(environment, arguments));
  if (file.answers.empty()) throw UsageError(environment.name() + " reads no such files; --in expects a CSV file of designs");
  OutputFile out(arguments.has("out") ? arguments.text("out") : "-");
  for (const std::string& answer : file.answers) out.write(answer + "\n");
  out.close();
  for (const std::string& note : file.notes) say(note);
  return file.failed ? 1 : 0;
}

// Results go into a file of their own, as text.
void check_out(const Arguments& arguments) {
  const std::string &in = arguments.text("in"), &out = arguments.text("out");
  std::error_code none;
  if (std::filesystem::is_regular_file(out, none) && is_same_file(in, out)) {
    throw UsageError("--out " + out + " is the input; choose another file");
  }
  if (has_suffix(out, {".gz"})) throw UsageError("--out " + out + ": results are not compressed; leave out .gz");
}

int run(const Arguments& arguments) {
  const Environment& environment = find_environment(arguments.positional[0]);
  if (arguments.has("in") && arguments.has("out")) check_out(arguments);
  if (arguments.has("in") && has_suffix(arguments.text("in"), {".m"})) return eval_reference_file(environment, arguments);
  if (arguments.has("in") && has_suffix(arguments.text("in"), {".jsonl", ".jsonl.gz"}))
    return eval_problems(environment, arguments);
  if (arguments.has("in") && arguments.has("reference-input"))
    throw UsageError("--reference-input is for one design, without --in");
  if (arguments.has("in")) {
    return named_if_foreign(arguments.text("in"), {FileKind::csv}, "a CSV file of designs",
                            [&] { return CsvEvaluation(environment, arguments).run(); });
  }
  if (arguments.has("out")) throw UsageError("--out needs --in FILE; for one design use --json or the table on standard output");
  return eval_one(environment, arguments);
}

}  // namespace

const Verb kEvalVerb{
    .name = "eval",
    .synopsis = "ENVIRONMENT (WORKLOAD [--set Name=value ...] | --in FILE [--out FILE]) [--json]",
    .doc = "Evaluates one design, or every row of a CSV file.",
    .options =
        std::vector<OptionSpec>{
            {"set", "Name=value", "sets a parameter; repeatable", "", true},
            {"in", "FILE",
             "CSV of designs: columns are parameters and workload options; - = standard input. Or, for maestro, recorded "
             "problems "
             "(.jsonl, .jsonl.gz): layer, directives and hw of each line; or layers with mappings (.m), hardware from --set"},
            {"out", "FILE",
             "CSV of results: the input's columns, status, metrics, counters; of problems: id, status, out per line; default: "
             "standard output"},
            {"reference-input", "FILE", "writes the design as the reference simulator's own input file (maestro: .m)"}} +
        evaluation_options() + workload_options(),
    .simulates = true,
    .json = "an object per design at full precision, with counters; with --in one per line",
    .min_positional = 1,
    .max_positional = 1,
    .examples =
        "  exarch eval dram --trace cloud-1 --set PagePolicy=Open --set Scheduler=FrFcfs\n"
        "  exarch eval dram --in designs.csv --out results.csv\n"
        "  printf 'trace,PagePolicy\\nstream,Closed\\n' | exarch eval dram --in -\n"
        "  exarch eval maestro --model resnet18 --layer 2 --set K_outer=32 --reference-input mapping.m\n"
        "  exarch eval maestro --in rows.jsonl.gz --out results.jsonl --model-version head\n",
    .run = run};

}  // namespace exarch::cli
