// The environment timeloop-mapping: what each level of a recorded problem keeps.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "host/env/hash.hpp"
#include "host/env/model.hpp"
#include "host/error.hpp"
#include "host/files/byte_stream.hpp"
#include "host/files/data_dir.hpp"
#include "host/files/json.hpp"
#include "host/space/tables.hpp"
#include "host/timeloop/device.hpp"
#include "host/timeloop/environment.hpp"
#include "host/timeloop/records.hpp"
#include "host/timeloop/reference.hpp"
#include "host/timeloop/written_input.hpp"
#include "host/timeloop/yaml_answer.hpp"

namespace exarch {
namespace timeloop {
namespace {

// Levels that have a parameter. What levels beyond keep is as the record says.
constexpr std::uint32_t kSetLevels = 8;

constexpr const char* kRecords = "timeloop/records";
constexpr const char* kRecordName = "record";

// What a level keeps: value 0 is what the record says, and 1 + bits, with a bit per tensor in the order of Space.
constexpr std::array<const char*, 9> kKept{"record", "none", "W", "I", "WI", "O", "WO", "IO", "WIO"};
constexpr std::int64_t kAsRecorded = 0;

struct RecordWorkload final : Workload {
  Record record;
  FillRule rule = FillRule::current;
  // Of all candidates: they have the same loops. Only with Status::ok of the frame is there more.
  Status frame_status = Status::ok;
  Frame frame{};
  Shared shared{};
};

struct KeptCandidate {
  std::array<std::uint8_t, kSetLevels> kept;  // (level) a value of kKept
};

struct RecordResult {
  Status status;
  std::int64_t cycles, steps, computes;
  double energy_pj, area_um2, utilization;
  std::int64_t unbacked;  // tensors that the outermost level does not keep
};

// ---- tables ----------------------------------------------------------------------------------------------------------------

constexpr CounterRow<RecordResult> kRecordCounters[] = {
    {"cycles", "cycles", "until the slowest level is done", &RecordResult::cycles},
    {"compute_cycles", "cycles", "that the multipliers need", &RecordResult::steps},
    {"computes", "MACs", "of the layer", &RecordResult::computes},
    {"energy", "pJ", "of multipliers and levels, leakage included", nullptr, &RecordResult::energy_pj},
    {"area", "um2", "of multipliers and levels", nullptr, &RecordResult::area_um2},
    {"utilization", "", "computes per cycle and multiplier", nullptr, &RecordResult::utilization},
    {"unbacked", "tensors", "that the outermost level does not keep", &RecordResult::unbacked},
};

// A metric: what it is called, and what it makes of the counters.
struct RecordMetric {
  std::string_view name, unit, doc;
  double (*of)(const RecordResult& result);
  int decimals = 2;  // as shown
};

double record_uj(const RecordResult& r) {
  return r.energy_pj / 1e6;
}

constexpr RecordMetric kRecordMetrics[] = {
    {"cycles", "cycles", "until the slowest level is done", [](const RecordResult& r) { return static_cast<double>(r.cycles); },
     0},
    {"energy_uj", "uJ", "of multipliers and levels, leakage included", record_uj},
    {"area_mm2", "mm2", "of multipliers and levels", [](const RecordResult& r) { return r.area_um2 / 1e6; }},
    {"edp", "uJ*cycles", "energy times cycles",
     [](const RecordResult& r) { return record_uj(r) * static_cast<double>(r.cycles); }},
    {"utilization", "", "computes per cycle and multiplier", [](const RecordResult& r) { return r.utilization; }, 4},
    {"unbacked", "tensors", "that the outermost level does not keep, so that nothing counts where they come from",
     [](const RecordResult& r) { return static_cast<double>(r.unbacked); }, 0},
};

std::vector<ParameterInfo> kept_parameters() {
  std::vector<ParameterInfo> parameters;
  for (std::uint32_t s = 0; s < kSetLevels; ++s) {
    const std::string level = std::to_string(s);
    parameters.push_back(
        {"L" + level,
         ParameterKind::categorical,
         {kKept.begin(), kKept.end()},
         0,
         static_cast<std::int64_t>(kKept.size()) - 1,
         kAsRecorded,
         "",
         "what storage level " + level +
             " keeps, 0 is the innermost: as the record says, none, or some of W (weights), I (inputs), O (outputs)"});
  }
  return parameters;
}

// The first `levels` levels keep anything; the others what the record says.
DesignSpace space_of_levels(const std::string& name, const std::string& doc, std::span<const ParameterInfo> parameters,
                            std::uint32_t levels) {
  std::vector<std::vector<std::int64_t>> values(parameters.size(), {kAsRecorded});
  for (std::uint32_t s = 0; s < levels; ++s) {
    values[s].clear();
    for (std::int64_t kept = 1; kept < static_cast<std::int64_t>(kKept.size()); ++kept) values[s].push_back(kept);
  }
  return {name, doc, parameters, values};
}

Description describe_mapping() {
  Description d;
  d.name = "timeloop-mapping";
  d.doc = "which level keeps which tensor, for a layer, an architecture and a mapping, equal to Timeloop's dense model";
  d.model_version = kModelVersion;
  d.parameters = kept_parameters();
  d.spaces = {space_of_levels("inner", "what the three innermost levels keep", d.parameters, 3)};
  d.workload_spaces = {{"levels", "what every level of the record but the outermost keeps"}};
  d.workload_options = {
      {kRecordName, "eyeriss-alexnet-2", "layer, architecture and mapping (.json)", WorkloadOption::Kind::file, 0, 0, true},
      {kRuleName, "current", "first fills of outputs: current leaves them out; 2022 counts them, as ArchGym does"}};
  d.counters = counters_of(kRecordCounters);
  d.metrics = metrics_of(kRecordMetrics);
  d.tradeoffs = {place_in(kRecordMetrics, "cycles"), place_in(kRecordMetrics, "energy_uj")};
  d.objectives = {{"edp", "min:edp,unbacked<=0"}, {"energy", "min:energy_uj,unbacked<=0"}, {"cycles", "min:cycles,unbacked<=0"}};
  d.sanity = "unbacked<=0";
  d.statuses.clear();
  for (std::uint32_t status = 0; status < kStatuses; ++status) d.statuses.emplace_back(name_of(static_cast<Status>(status)));
  d.known_result = {{{kRecordName, "eyeriss-alexnet-3"}}, {}, "cycles", "2336256"};  // Timeloop's
  // CPU seconds of a run of the program timeloop-model on such an architecture, a process per evaluation: a mean, as no
  // distribution was measured.
  d.reference_costs = {{"eyeriss-alexnet-2", 0.20, 0.20}};
  d.takes_problems = true;
  d.takes_model_files = true;
  return d;
}

// ---- the environment -------------------------------------------------------------------------------------------------------

class MappingEnvironment final : public Model<RecordWorkload, KeptCandidate, RecordResult, NoWorker, 16> {
 public:
  MappingEnvironment() : Model(describe_mapping()) {}

  std::vector<std::string> shipped_workloads() const override { return shipped_names(kRecords); }

  std::shared_ptr<const RecordWorkload> load(const WorkloadOptions& given) const override {
    const WorkloadOptions options = complete_options(*this, given);
    const std::string& name = options.at(kRecordName);
    const std::filesystem::path path = find_data_file(kRecords, name, {".json"});
    const std::string text = read_text(path, "a record of layer, architecture and mapping (.json)");
    auto workload = std::make_shared<RecordWorkload>();
    in_file(path.string(), [&] { workload->record = record_of(parse_json<nlohmann::ordered_json>(text, path.string())); });
    workload->rule = rule_of(options.at(kRuleName));
    const Input& input = workload->record.input;
    Fault fault;
    workload->frame_status = make_frame(input.problem, input.architecture, workload->rule, workload->frame, fault);
    if (workload->frame_status == Status::ok) cpu_functions().share(workload->frame, input.mapping, workload->shared);
    workload->name = name;
    if (workload->rule == FillRule::y2022) workload->name += ", fill rule 2022";
    Fnv1a hash;
    for (const char c : text) hash.add_word(static_cast<unsigned char>(c));
    workload->identity = std::string(kRecordName) + " " + std::to_string(hash.value()) + "; fill rule " + options.at(kRuleName);
    return workload;
  }

  ProblemAnswer answer_problem(const std::string& text, const WorkloadOptions& options) const override {
    return answer_record(text, options);
  }

  ModelFilesAnswer answer_model_files(std::span<const std::string> paths, const std::map<std::string, std::string>& defines,
                                      const WorkloadOptions& options) const override {
    return answer_files(paths, defines, options);
  }

  // What each level of the shipped records keeps is changed, one level at a time.
  std::uint64_t signature() const override {
    Fnv1a hash;
    for (const std::string& name : shipped_workloads()) {
      for (const char* rule : {"current", "2022"}) {
        const auto workload = load({{kRecordName, name}, {kRuleName, rule}});
        for (std::uint32_t s = 0; s < kSetLevels; ++s) {
          for (std::size_t kept = 0; kept < kKept.size(); ++kept) {
            KeptCandidate candidate{};
            candidate.kept[s] = static_cast<std::uint8_t>(kept);
            add_to(hash, evaluate(*workload, candidate, Engine::fast));
          }
        }
      }
    }
    return hash.value();
  }

 protected:
  KeptCandidate candidate_of(std::span<const std::int64_t> design) const override {
    KeptCandidate candidate{};
    for (std::uint32_t s = 0; s < kSetLevels; ++s) candidate.kept[s] = static_cast<std::uint8_t>(design[s]);
    return candidate;
  }

  void run(NoWorker& /*worker*/, const RecordWorkload& workload, const KeptCandidate& candidate, Engine engine,
           RecordResult& result) const override {
    result = evaluate(workload, candidate, engine);
  }

  [[nodiscard]] bool runs_on_devices(const RecordWorkload& /*workload*/) const override { return true; }

  void run_on_devices(const RecordWorkload& workload, std::span<const KeptCandidate> candidates, Devices& devices,
                      std::span<RecordResult> results) const override {
    if (workload.frame_status != Status::ok) {
      std::ranges::fill(results, RecordResult{workload.frame_status, 0, 0, 0, 0, 0, 0, 0});
      return;
    }
    std::vector<KeptMapping> mappings(candidates.size());
    for (std::size_t i = 0; i < candidates.size(); ++i) set_keep(workload, candidates[i], mappings[i].keep);
    std::vector<KeptResult> totals(candidates.size());
    timeloop::run_on_devices(workload, workload.frame, workload.shared, mappings, devices, totals);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      results[i] = result_of(workload, totals[i].status, totals[i].totals, mappings[i].keep);
    }
  }

  void keep(const RecordWorkload& /*workload*/, const RecordResult& result, OutcomeRow row) const override {
    row.status = static_cast<std::uint8_t>(result.status);
    if (result.status != Status::ok) return;
    for_each_row<kRecordCounters>(
        [&](std::size_t i, const CounterRow<RecordResult>& counter) { row.counters[i] = counter.bits(result); });
  }

  std::vector<WorkloadFact> do_describe_workload(const RecordWorkload& workload) const override {
    const Architecture& architecture = workload.record.input.architecture;
    std::uint64_t computes = 1;
    for (const std::int64_t bound : workload.record.input.problem.bound) computes *= static_cast<std::uint64_t>(bound);
    return {{"levels", std::uint64_t{architecture.levels}, "", "storage levels"},
            {"multipliers", static_cast<std::uint64_t>(architecture.compute.instances), "", ""},
            {"computes", computes, "MACs", "of the layer"}};
  }

  DesignSpace do_space_on(const std::string& name, const RecordWorkload& workload) const override {
    if (name != "levels") return Model::do_space_on(name, workload);
    return space_of_levels(name, "what every level of the record but the outermost keeps", parameters(),
                           std::min(workload.record.input.architecture.levels - 1, kSetLevels));
  }

  // Levels that the record does not have keep nothing; what it says is a value like the others.
  void do_canonicalise(const RecordWorkload& workload, std::span<std::int64_t> design) const override {
    for (std::uint32_t s = 0; s < kSetLevels; ++s) {
      if (s >= workload.record.input.architecture.levels) {
        design[s] = kAsRecorded;
      } else if (design[s] == kAsRecorded) {
        const bool* keep = workload.record.input.mapping.keep[s];
        design[s] = 1 + (keep[kWeights] ? 1 : 0) + (keep[kInputs] ? 2 : 0) + (keep[kOutputs] ? 4 : 0);
      }
    }
  }

  void do_price(const RecordWorkload& /*workload*/, std::span<const std::int64_t> /*design*/,
                std::span<const std::uint64_t> counters, std::span<double> metrics) const override {
    RecordResult result{};
    for_each_row<kRecordCounters>(
        [&](std::size_t i, const CounterRow<RecordResult>& counter) { counter.set(result, counters[i]); });
    for_each_row<kRecordMetrics>([&](std::size_t i, const RecordMetric& metric) { metrics[i] = metric.of(result); });
  }

  std::string do_reference_input(const RecordWorkload& workload, std::span<const std::int64_t> design) const override {
    const Record record = designed(workload, candidate_of(design));
    MappingNames names{record.level_names, record.dim_names, record.space_names};
    if (record.input.problem.bound[index_of(Dim::G)] == 1) names.dims[index_of(Dim::G)].clear();
    return written_input(record.input, record.compute_name, names);
  }

  std::vector<std::string> do_explain(const RecordWorkload& workload, std::span<const std::int64_t> design,
                                      std::uint8_t /*status*/) const override {
    const Record record = designed(workload, candidate_of(design));
    const nlohmann::ordered_json json = answer(nullptr, record, workload.rule);
    if (json.contains("why")) return {json["why"].get<std::string>()};
    if (json["out"].contains("parse_error")) return {json["out"]["parse_error"].get<std::string>()};
    std::vector<std::string> sentences;
    if (!json["out"].contains("fail")) {
      if (unbacked(workload, record.input.mapping.keep) > 0) {
        sentences.push_back(record.level_names.back() + " does not keep every tensor: nothing counts where the others come from");
      }
      return sentences;
    }
    const nlohmann::ordered_json& first = json["out"]["fail"][0];
    return {first["level"].get<std::string>() + ": " + first["reason"].get<std::string>()};
  }

 private:
  // The record with what a candidate keeps.
  static Record designed(const RecordWorkload& workload, const KeptCandidate& candidate) {
    Record record = workload.record;
    set_keep(workload, candidate, record.input.mapping.keep);
    return record;
  }

  static void set_keep(const RecordWorkload& workload, const KeptCandidate& candidate, Keep& keep) {
    const Input& input = workload.record.input;
    for (std::uint32_t s = 0; s < kMaxLevels; ++s) {
      const bool set = s < std::min(input.architecture.levels, kSetLevels) && candidate.kept[s] != kAsRecorded;
      for (std::uint32_t space = 0; space < kSpaces; ++space) {
        keep[s][space] = set ? ((candidate.kept[s] - 1u) >> space & 1u) != 0 : input.mapping.keep[s][space];
      }
    }
  }

  static std::int64_t unbacked(const RecordWorkload& workload, const Keep& keep) {
    const bool* outermost = keep[workload.record.input.architecture.levels - 1];
    return std::count(outermost, outermost + kSpaces, false);
  }

  static RecordResult result_of(const RecordWorkload& workload, Status status, const Totals& totals, const Keep& keep) {
    if (status != Status::ok) return {status, 0, 0, 0, 0, 0, 0, 0};
    return {status,           totals.cycles,   totals.steps,       totals.computes,
            totals.energy_pj, totals.area_um2, totals.utilization, unbacked(workload, keep)};
  }

  static RecordResult evaluate(const RecordWorkload& workload, const KeptCandidate& candidate, Engine engine) {
    KeptMapping mapping;
    set_keep(workload, candidate, mapping.keep);
    Totals totals{};
    Fault fault;
    Status status = workload.frame_status;
    if (status == Status::ok) {
      status = cpu_functions().total_of_kept(workload.frame, workload.shared, mapping.keep, totals, fault);
    }
    // Limits are the kernel's; the reference has none of its own.
    if (engine == Engine::reference && status <= Status::level) {
      Input input = workload.record.input;
      std::memcpy(input.mapping.keep, mapping.keep, sizeof mapping.keep);
      Counters counters;
      Price price;
      status = evaluate_reference(input, workload.rule, counters, price, fault);
      if (status == Status::ok) {
        totals = {price.cycles, counters.steps, price.computes, price.energy_pj, price.area_um2, price.utilization};
      }
    }
    return result_of(workload, status, totals, mapping.keep);
  }

  static void add_to(Fnv1a& hash, const RecordResult& result) {
    hash.add(static_cast<std::uint64_t>(result.status));
    for (const std::int64_t count : {result.cycles, result.steps, result.computes, result.unbacked}) {
      hash.add(static_cast<std::uint64_t>(count));
    }
    for (const double price : {result.energy_pj, result.area_um2, result.utilization}) {
      hash.add(std::bit_cast<std::uint64_t>(price));
    }
  }
};

}  // namespace

FillRule rule_of(const std::string& name) {
  if (name == "current") return FillRule::current;
  if (name == "2022") return FillRule::y2022;
  throw UsageError(std::string(kRuleName) + " = " + name + ": expected current or 2022");
}

// The only option that has an effect on what describes itself; UsageError for others.
static FillRule only_rule(const WorkloadOptions& options, const char* of_what) {
  FillRule rule = FillRule::current;
  for (const auto& [name, value] : options) {
    if (name != kRuleName) throw UsageError("--" + name + " has no effect on " + of_what + "; leave it out");
    rule = rule_of(value);
  }
  return rule;
}

ProblemAnswer answer_record(const std::string& text, const WorkloadOptions& options) {
  LineAnswer line = answer_line(text, only_rule(options, "recorded problems"));
  return {std::move(line.text), std::move(line.fault)};
}

ModelFilesAnswer answer_files(std::span<const std::string> paths, const std::map<std::string, std::string>& defines,
                              const WorkloadOptions& options) {
  return answer_timeloop_files(paths, defines, only_rule(options, "Timeloop's files"));
}

}  // namespace timeloop

const Environment& timeloop_mapping_environment() {
  static const timeloop::MappingEnvironment kEnvironment;
  return kEnvironment;
}

}  // namespace exarch
