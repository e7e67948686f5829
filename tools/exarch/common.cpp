#include "tools/exarch/common.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>

#include "host/error.hpp"
#include "host/files/file_kind.hpp"
#include "host/files/json.hpp"
#include "host/files/text.hpp"
#include "tools/exarch/messages.hpp"

namespace exarch::cli {

std::vector<OptionSpec> operator+(std::vector<OptionSpec> a, std::vector<OptionSpec> b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<OptionSpec> evaluation_options() {
  return {{"engine", "NAME", "fast, or reference (slow and obvious; the same numbers)", "fast"},
          {"no-share", "", "simulate every candidate as it stands: no canonical forms, no sharing by proof"}};
}

std::vector<OptionSpec> workload_options(const Environment& environment) {
  std::vector<OptionSpec> options;
  for (const WorkloadOption& option : environment.workload_options()) {
    const char* value = option.kind == WorkloadOption::Kind::file     ? "NAME|FILE"
                        : option.kind == WorkloadOption::Kind::number ? "N"
                                                                      : "VALUE";
    const std::string several = option.primary ? "; several: separated by commas" : "";
    options.push_back(
        {option.name, value, option.doc + several, option.default_value, false, "Workload of " + environment.name()});
  }
  return options;
}

std::vector<OptionSpec> workload_options() {
  std::vector<OptionSpec> options;
  for (const Environment* environment : environments()) {
    for (const OptionSpec& option : workload_options(*environment)) {
      const auto known = std::ranges::find(options, option.name, &OptionSpec::name);
      if (known == options.end()) {
        options.push_back(option);
        continue;
      }
      // Environments that share a name share its meaning, though not the default.
      known->group += " and " + environment->name();
      if (known->fallback != option.fallback) known->fallback += "; of " + environment->name() + ": " + option.fallback;
    }
  }
  return options;
}

Backend make_backend(const Arguments& arguments) {
  return Backend(arguments.text("backend"), arguments.threads());
}

EvaluatorOptions evaluator_options(const Arguments& arguments) {
  const std::string& engine = arguments.text("engine");
  if (engine != "fast" && engine != "reference") {
    static const std::vector<std::string> kEngines{"fast", "reference"};
    throw UsageError("--engine " + engine + did_you_mean(engine, kEngines) + ": expected fast or reference");
  }
  return {engine == "fast" ? Engine::fast : Engine::reference, !arguments.flag("no-share")};
}

WorkloadOptions given_options(const Environment& environment, const Arguments& arguments) {
  WorkloadOptions options;
  std::vector<std::string> names;
  for (const WorkloadOption& option : environment.workload_options()) {
    names.push_back(option.name);
    if (arguments.has(option.name)) options[option.name] = arguments.text(option.name);
  }
  for (const OptionSpec& option : workload_options()) {
    if (arguments.has(option.name) && !options.contains(option.name)) {
      throw UsageError("--" + option.name + " does not describe a workload of " + environment.name() +
                       did_you_mean(option.name, names));
    }
  }
  return options;
}

namespace {

// The names of a list separated by commas. A comma may be part of a file's name: where a longer piece names a file, it is one
// name.
std::vector<std::string> split_names(const std::string& list) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= list.size();) {
    std::size_t end = std::min(list.find(',', begin), list.size());
    for (std::size_t longer = list.size(); longer > end; longer = list.rfind(',', longer - 1)) {
      std::error_code none;
      if (std::filesystem::is_regular_file(list.substr(begin, longer - begin), none)) end = longer;
    }
    names.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

}  // namespace

std::vector<WorkloadOptions> given_workloads(const Environment& environment, const Arguments& arguments) {
  WorkloadOptions one = given_options(environment, arguments);
  const std::string& primary = primary_option(environment).name;
  std::vector<WorkloadOptions> workloads;
  for (const std::string& name : split_names(one[primary])) {
    one[primary] = name;
    workloads.push_back(complete_options(environment, one));
  }
  return workloads;
}

std::shared_ptr<const Workload> load(const Environment& environment, const WorkloadOptions& options) {
  std::shared_ptr<const Workload> workload = environment.load_workload(options);
  for (const std::string& warning : workload->warnings) say("warning: " + warning);
  return workload;
}

DesignSpace resolve_space(const Environment& environment, const std::string& name) {
  if (name.empty()) return environment.spaces().front();
  if (name.ends_with(".json") || std::filesystem::exists(name)) return DesignSpace::from_file(name, environment.parameters());
  return find_space(environment, name);
}

DesignSpace given_space(const Environment& environment, const Arguments& arguments) {
  DesignSpace space = resolve_space(environment, arguments.text("space"));
  if (!arguments.has("set")) return space;
  const Design design = given_design(environment, arguments);
  std::vector<std::vector<std::int64_t>> values;
  for (std::size_t p = 0; p < space.dimensions(); ++p) values.emplace_back(space.values(p).begin(), space.values(p).end());
  for (const std::string& assignment : arguments.all("set")) {
    const std::size_t p = parameter_index(environment, assignment.substr(0, assignment.find('=')));
    values[p] = {design[p]};
  }
  std::string name = space.name();
  for (std::size_t p = 0; p < values.size(); ++p) {
    const bool fixed = values[p].size() == 1 && !std::ranges::equal(values[p], space.values(p));
    if (fixed) name += " " + space.parameters()[p].name + "=" + space.parameters()[p].format(values[p][0]);
  }
  return {name, space.doc(), space.parameters(), std::move(values)};
}

OptionSpec fixing_option() {
  return {"set", "Name=value", "fixes a parameter of the space to a value, in the space or not; repeatable", "", true};
}

Design given_design(const Environment& environment, const Arguments& arguments) {
  Design design = default_design(environment);
  assign_all(environment, arguments.all("set"), design);
  return design;
}

Design default_design(const Environment& environment) {
  return exarch::default_design(environment.parameters());
}

std::size_t parameter_index(const Environment& environment, const std::string& name) {
  std::vector<std::string> names;
  for (const ParameterInfo& parameter : environment.parameters()) {
    if (parameter.name == name) return names.size();
    names.push_back(parameter.name);
  }
  throw UsageError("unknown parameter " + in_quotes(name) + did_you_mean(name, names) + "; see exarch envs " +
                   environment.name());
}

Design default_design(const Environment& environment, const DesignSpace& space) {
  Design design = default_design(environment);
  for (std::size_t p = 0; p < design.size(); ++p) {
    const auto values = space.values(p);
    if (std::ranges::find(values, design[p]) == values.end()) design[p] = values.front();
  }
  return design;
}

std::uint64_t point_of(const DesignSpace& space, const Design& design) {
  std::vector<Gene> genes(design.size());
  for (std::size_t p = 0; p < design.size(); ++p) {
    const auto values = space.values(p);
    const auto place = std::ranges::find(values, design[p]);
    if (place == values.end()) {
      const ParameterInfo& parameter = space.parameters()[p];
      std::string listed;
      for (const std::int64_t value : values) listed += (listed.empty() ? "" : ", ") + parameter.format(value);
      throw UsageError("space '" + space.name() + "' has no " + parameter.name + "=" + parameter.format(design[p]) + "; it has " +
                       listed);
    }
    genes[p] = static_cast<Gene>(place - values.begin());
  }
  return space.point_of(genes);
}

void assign(const Environment& environment, const std::string& assignment, Design& design) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos) {
    const ParameterInfo& example = environment.parameters().front();
    throw UsageError("--set " + printable(assignment, 60) + ": expected Name=value, e.g. " + example.name + "=" +
                     example.format(example.default_value));
  }
  const std::size_t p = parameter_index(environment, assignment.substr(0, equals));
  design[p] = environment.parameters()[p].parse(assignment.substr(equals + 1));
}

void assign_all(const Environment& environment, const std::vector<std::string>& assignments, Design& design) {
  std::map<std::string, std::string> seen;
  for (const std::string& assignment : assignments) {
    refuse_repeated("--set", assignment, seen);
    assign(environment, assignment, design);
  }
}

void refuse_repeated(const std::string& option, const std::string& assignment, std::map<std::string, std::string>& seen) {
  const auto [first, is_new] = seen.emplace(assignment.substr(0, assignment.find('=')), assignment);
  if (is_new) return;
  throw UsageError(option + " " + printable(first->second, 60) + " and " + option + " " + printable(assignment, 60) +
                   " both set " + printable(first->first, 60) + "; keep one of them");
}

Objective parse_objective(const Environment& environment, const std::string& text) {
  return Objective::parse(text.empty() ? environment.objectives().front().first : text, environment.metrics(),
                          environment.objectives());
}

std::vector<Objective> parse_objectives(const Environment& environment, const std::string& text) {
  std::vector<Objective> objectives;
  for (const std::string& one : split(text, ';')) {
    const std::size_t begin = one.find_first_not_of(' '), end = one.find_last_not_of(' ');
    if (begin != std::string::npos) objectives.push_back(parse_objective(environment, one.substr(begin, end - begin + 1)));
  }
  if (objectives.empty()) objectives.push_back(parse_objective(environment, text));
  refuse_repeated(objectives);
  return objectives;
}

void refuse_repeated(const std::vector<Objective>& objectives) {
  std::set<std::string> seen;
  for (const Objective& objective : objectives) {
    if (!seen.insert(objective.text()).second) throw UsageError("objective '" + objective.text() + "' is named twice");
  }
}

std::string text_of(const std::vector<Objective>& objectives) {
  std::string text;
  for (const Objective& objective : objectives) text += (text.empty() ? "" : "; ") + objective.text();
  return text;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : text + separator) {
    if (c != separator) {
      part += c;
    } else if (!part.empty()) {
      parts.push_back(std::exchange(part, {}));
    }
  }
  return parts;
}

std::string format_metric(const MetricInfo& metric, double value) {
  char text[512];
  std::snprintf(text, sizeof text, "%.*f", metric.decimals, value);
  return text;
}

nlohmann::ordered_json number_or_null(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string format_design(const Environment& environment, std::span<const std::int64_t> design) {
  std::string text;
  for (std::size_t p = 0; p < design.size(); ++p) {
    const ParameterInfo& parameter = environment.parameters()[p];
    if (parameter.minimum == parameter.maximum) continue;
    text += (text.empty() ? "" : " ") + parameter.name + "=" + parameter.format(design[p]);
  }
  return text;
}

namespace {

nlohmann::ordered_json counter_json(const CounterInfo& info, std::uint64_t bits) {
  switch (info.kind) {
    case CounterInfo::Kind::natural:
      return bits;
    case CounterInfo::Kind::integer:
      return static_cast<std::int64_t>(bits);
    case CounterInfo::Kind::real:
      return std::bit_cast<double>(bits);
  }
  return nullptr;
}

}  // namespace

nlohmann::ordered_json result_json(const Environment& environment, std::span<const std::int64_t> design, std::uint8_t status,
                                   std::span<const double> metrics, std::span<const std::uint64_t> counters) {
  nlohmann::ordered_json json;
  for (std::size_t p = 0; p < design.size(); ++p) {
    const ParameterInfo& parameter = environment.parameters()[p];
    if (parameter.kind == ParameterKind::integer) {
      json["design"][parameter.name] = design[p];
    } else {
      json["design"][parameter.name] = parameter.format(design[p]);
    }
  }
  json["status"] = environment.status_text(status);
  if (status != 0) return json;
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const MetricInfo& metric = environment.metrics()[m];
    if (metric.decimals == 0 && std::abs(metrics[m]) < 0x1p63 && metrics[m] == std::trunc(metrics[m])) {
      json["metrics"][metric.name] = static_cast<std::int64_t>(metrics[m]);
    } else {
      json["metrics"][metric.name] = metrics[m];
    }
  }
  for (std::size_t c = 0; c < counters.size(); ++c) {
    const CounterInfo& info = environment.counters()[c];
    if (info.internal) continue;
    json["counters"][info.name] = counter_json(info, counters[c]);
  }
  return json;
}

void print_table(std::vector<std::vector<std::string>> rows) {
  for (auto& row : rows) {
    for (std::string& cell : row) cell = printable(cell);  // names may come from files
  }
  std::vector<std::size_t> width;
  std::vector<bool> numeric;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      if (c == width.size()) {
        width.push_back(0);
        numeric.push_back(true);
      }
      width[c] = std::max(width[c], rows[r][c].size());
      if (r > 0 && rows[r][c].find_first_not_of("0123456789.-+e") != std::string::npos) numeric[c] = false;
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string pad(width[c] - row[c].size(), ' ');
      line += (c == 0 ? "" : "  ") + (numeric[c] ? pad + row[c] : row[c] + pad);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::cout << line << "\n";
  }
}

void print_answer(const Arguments& arguments, const nlohmann::ordered_json& json,
                  const std::vector<std::vector<std::string>>& rows) {
  if (arguments.flag("json")) {
    std::cout << json.dump(2) << "\n";
  } else {
    print_table(rows);
  }
}

void refuse_overwriting(const std::string& option, const std::string& out, const WorkloadOptions& workload) {
  for (const auto& [name, value] : workload) {
    if (is_same_file(value, out))
      throw UsageError(option + " " + out + " is the " + name + " of the workload; choose another file");
  }
}

std::string workloads_json(const std::vector<WorkloadOptions>& workloads) {
  return nlohmann::json(workloads).dump();
}

std::vector<WorkloadOptions> workloads_from_json(const std::string& text, const std::string& where) {
  return parse_json(text, where).get<std::vector<WorkloadOptions>>();
}

RunStore::Layout store_layout(const Environment& environment) {
  RunStore::Layout layout;
  for (const ParameterInfo& p : environment.parameters()) layout.parameters.push_back(p.name);
  for (const CounterInfo& c : environment.counters()) layout.counters.push_back(c.name);
  return layout;
}

std::string workload_content(const std::vector<std::shared_ptr<const Workload>>& workloads) {
  std::string content;
  for (const auto& workload : workloads) content += (content.empty() ? "" : "; ") + workload->identity;
  return content;
}

namespace {

// What a store says about itself was written by a run that could read it: whatever is wrong with it now is damage.
template <class Body>
auto stored_text(const RunStore& store, const std::string& key, const Body& body) {
  try {
    return body(store.identity_value(key));
  } catch (const nlohmann::json::exception&) {
    store.fail_damaged("its '" + key + "' is no JSON");
  } catch (const UsageError& error) {
    store.fail_damaged("its '" + key + "' has no meaning: " + error.what());
  }
}

std::size_t objectives_of(const RunStore& store, const Environment& environment) {
  return stored_text(store, "objective", [&](const std::string& text) {
    if (text.empty()) throw UsageError("it is empty");
    return parse_objectives(environment, text).size();
  });
}

void check_points(const RunStore& store, std::size_t workloads, std::uint64_t points) {
  for (std::uint32_t w = 0; w < workloads; ++w) {
    if (store.points_done(w) > points) store.fail_damaged("it has more points than its sweep");
  }
}

}  // namespace

OpenedStore open_store(const std::string& path) {
  RunStore store{std::filesystem::path(path)};
  const Environment& environment =
      *stored_text(store, "environment", [](const std::string& name) { return &find_environment(name); });
  if (store.identity_value("model") != environment.model_version()) {
    throw Error(path + ": made with model " + store.identity_value("model") + ", this is " + environment.model_version() +
                "; use the version of exarch that made it, or run again");
  }
  const RunStore::Layout layout = store_layout(environment);
  if (store.layout().parameters != layout.parameters || store.layout().counters != layout.counters) {
    store.fail_damaged("its columns are not the parameters and counters of " + environment.name());
  }
  DesignSpace space = stored_text(
      store, "space", [&](const std::string& json) { return DesignSpace::from_json(json, path, environment.parameters()); });
  std::vector<std::shared_ptr<const Workload>> workloads;
  for (const WorkloadOptions& options : stored_text(
           store, "workloads", [&](const std::string& text) { return workloads_from_json(text, path + ", its workloads"); })) {
    workloads.push_back(load(environment, options));
  }
  if (store.identity_value("workload content") != workload_content(workloads)) {
    throw Error(path + ": a file that describes its workloads has changed since; restore it, or run again into another store");
  }
  std::string kind = store.identity_value("command");
  const bool is_sweep = kind == "sweep";
  if (workloads.empty() || (!is_sweep && (kind != "search" || workloads.size() != 1))) {
    store.fail_damaged("it is neither a sweep nor a search");
  }
  const std::uint64_t sample = is_sweep ? store.identity_number("sample") : 0;
  std::string keep = is_sweep ? store.identity_value("keep") : "all";
  std::string kept_by;
  if (const std::size_t by = keep.find(" by "), end = keep.find(kKeptWithFront);
      by != std::string::npos && end != std::string::npos && by + 4 <= end) {
    kept_by = keep.substr(by + 4, end - by - 4);
  }
  for (const auto& [key, value] : store.notes()) {
    if (key == kAskedObjective && kept_by.empty()) kept_by = value;
  }
  const std::uint64_t seed = store.identity_number("seed");
  const std::size_t objectives = is_sweep ? 0 : objectives_of(store, environment);
  if (is_sweep) check_points(store, workloads.size(), sample == 0 ? space.size() : sample);
  return {
      std::move(store), environment, std::move(space), std::move(workloads), std::move(kind), std::move(keep), std::move(kept_by),
      sample,           seed,        objectives};
}

Notes origin_notes(Backend& backend) {
  return {{"exarch", exarch_version()}, {"backend", backend.description()}, {"processor", processor_name()}};
}

void check_generation(const RunStore& store, const DesignSpace& space, std::size_t objectives,
                      const StoredGeneration& generation) {
  const std::size_t parameters = space.dimensions(), candidates = generation.results.size();
  bool sound =
      candidates > 0 && generation.genes.size() == candidates * parameters && generation.costs.size() == candidates * objectives;
  for (std::size_t g = 0; sound && g < generation.genes.size(); ++g) {
    sound = generation.genes[g] < space.values(g % parameters).size();
  }
  if (!sound) {
    store.fail_damaged("generation " + std::to_string(generation.generation) + " has genes or costs that its search cannot have");
  }
}

void for_each_generation(const OpenedStore& opened, const std::function<void(const StoredGeneration&)>& visit) {
  opened.store.for_each_generation([&](const StoredGeneration& generation) {
    check_generation(opened.store, opened.space, opened.objectives, generation);
    visit(generation);
    return true;
  });
}

ResultTable::Row ResultTable::at(std::uint32_t workload, ResultId id) {
  if (workload != workload_) load(workload);
  const std::size_t i = id - first_;
  if (id < first_ || i >= row_of_.size() || row_of_[i] == kNone) {
    store_.fail_damaged("a candidate refers to result " + std::to_string(id) + " of another workload");
  }
  const std::size_t n = store_.layout().counters.size();
  return {status_[row_of_[i]], std::span(counters_).subspan(row_of_[i] * n, n)};
}

void ResultTable::load(std::uint32_t workload) {
  workload_ = workload;
  row_of_.clear();
  status_.clear();
  counters_.clear();
  store_.for_each_result(
      [this](ResultId id, const StoredResult& result) {
        if (status_.empty()) first_ = id;
        row_of_.resize(id - first_ + 1, kNone);
        row_of_.back() = static_cast<std::uint32_t>(status_.size());
        status_.push_back(result.status);
        counters_.insert(counters_.end(), result.counters.begin(), result.counters.end());
        return true;
      },
      workload);
}

namespace {

// Whether a counter has a column of its own in CSV files.
bool has_column(const Environment& environment, const CounterInfo& counter) {
  return !counter.internal &&
         std::ranges::find(environment.metrics(), counter.name, &MetricInfo::name) == environment.metrics().end();
}

}  // namespace

std::string result_header(const Environment& environment) {
  std::string text = "status";
  for (const MetricInfo& metric : environment.metrics()) text += "," + metric.name;
  for (const CounterInfo& counter : environment.counters()) {
    if (has_column(environment, counter)) text += "," + counter.name;
  }
  return text;
}

std::string result_cells(const Environment& environment, std::uint8_t status, std::span<const double> metrics,
                         std::span<const std::uint64_t> counters) {
  const bool ok = status == 0;
  std::string text = environment.status_text(status);
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    text += "," + (ok ? format_metric(environment.metrics()[m], metrics[m]) : "");
  }
  for (std::size_t c = 0; c < counters.size(); ++c) {
    const CounterInfo& info = environment.counters()[c];
    if (has_column(environment, info)) text += "," + (ok ? counter_json(info, counters[c]).dump() : "");
  }
  return text;
}

std::uint64_t sweep_point(const DesignSpace& space, std::uint64_t sample, std::uint64_t seed, std::uint64_t i) {
  return sample == 0 ? i : random_point(space, seed, i);
}

void for_each_candidate(const OpenedStore& opened,
                        const std::function<bool(std::uint32_t, std::uint64_t, std::span<const Gene>, ResultId)>& visit) {
  std::vector<Gene> genes(opened.space.dimensions());
  bool go_on = true;
  if (opened.kind == "sweep") {
    for (std::uint32_t w = 0; w < opened.workloads.size() && go_on; ++w) {
      for (const KeptPoint& kept : opened.store.kept_points(w)) {
        opened.space.genes_of(sweep_point(opened.space, opened.sample, opened.seed, kept.point), genes);
        if (!(go_on = visit(w, kept.point, genes, kept.result))) break;
      }
      opened.store.for_each_points(w, [&](std::uint64_t first, std::span<const ResultId> results) {
        for (std::size_t i = 0; i < results.size() && go_on; ++i) {
          opened.space.genes_of(sweep_point(opened.space, opened.sample, opened.seed, first + i), genes);
          go_on = visit(w, first + i, genes, results[i]);
        }
        return go_on;
      });
    }
    return;
  }
  std::uint64_t number = 0;
  for_each_generation(opened, [&](const StoredGeneration& generation) {
    const std::span all(generation.genes);
    for (std::size_t c = 0; c < generation.results.size() && go_on; ++c) {
      go_on = visit(0, number++, all.subspan(c * genes.size(), genes.size()), generation.results[c]);
    }
  });
}

TruthTable truth_of(const OpenedStore& opened, std::uint32_t workload) {
  return truth_of(opened, workload, opened.space);
}

TruthTable truth_of(const OpenedStore& opened, std::uint32_t workload, const DesignSpace& space) {
  const RunStore& store = opened.store;
  if (opened.kind != "sweep" || opened.sample != 0 || opened.keep != "all" ||
      store.points_done(workload) != opened.space.size()) {
    throw Error(store.path() + ": not a store of every point of its space; make one with exarch sweep --all, and let it end");
  }
  std::vector<std::uint32_t> results(opened.space.size());
  store.for_each_points(workload, [&results](std::uint64_t first, std::span<const ResultId> part) {
    std::ranges::copy(part, results.begin() + static_cast<std::ptrdiff_t>(first));
    return true;
  });
  ResultTable table(store);
  return {opened.environment, space, *opened.workloads[workload], results, [&table, workload](ResultId id) {
            const ResultTable::Row row = table.at(workload, id);
            return TruthTable::Result{row.status, row.counters};
          }};
}

StoreWriter::StoreWriter(RunStore& store, std::uint32_t workload, Evaluator& evaluator)
    : store_(store), workload_(workload), evaluator_(evaluator) {}

void StoreWriter::flush() {
  for (auto id = static_cast<Evaluator::OutcomeId>(results_.size()); id < evaluator_.simulated(); ++id) (void)keep(id);
}

ResultId StoreWriter::keep(Evaluator::OutcomeId id) {
  if (id >= results_.size()) results_.resize(id + std::size_t{1}, kNotStored);
  if (results_[id] != kNotStored) return results_[id];
  const auto design = evaluator_.simulated_design(id);
  const auto counters = evaluator_.counters(id);
  const auto proof = evaluator_.proof(id);
  StoredResult result;
  result.workload = workload_;
  result.status = evaluator_.status(id);
  result.design.assign(design.begin(), design.end());
  result.counters.assign(counters.begin(), counters.end());
  result.proof.assign(reinterpret_cast<const char*>(proof.data()), proof.size());
  results_[id] = store_.add_result(result);
  return results_[id];
}

Evaluator::OutcomeId StoreWriter::preload(ResultId id, const StoredResult& result) {
  if (result.proof.size() != evaluator_.environment().proof_size()) {
    throw Error(store_.path() + ": its proofs have " + std::to_string(result.proof.size()) + " bytes, those of this program " +
                std::to_string(evaluator_.environment().proof_size()) +
                "; continue it with the version of exarch that made it, or choose another file");
  }
  const auto outcome = evaluator_.preload(result.design, result.status, result.counters,
                                          std::as_bytes(std::span(result.proof.data(), result.proof.size())));
  results_.push_back(id);
  return outcome;
}

}  // namespace exarch::cli
