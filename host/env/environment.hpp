// What an environment is: one cost model with its parameters, design spaces, workloads, counters and metrics.
//
// Two parts. Description is plain data: what a model is called, what its candidates and results consist of. Environment has the
// description and the functions that do something: load a workload, simulate, price. Batching, agents, the store and the command
// line work with both, whatever the model.
//
// A cost model joins Exarch by a class in its own folder of host/ and one line in registry.cpp. It derives from Model
// (host/env/model.hpp), which knows the model's own types of workload, candidate and result; or from Environment itself. What a
// model can do without at first has a default here. All functions are safe to call from any thread. Example of use:
//
//   const Environment& dram = find_environment("dram");
//   const auto workload = dram.load_workload({{"trace", "stream"}});
//   Outcomes outcomes;
//   Backend backend("cpu");
//   dram.simulate(*workload, default_design(dram.parameters()), Engine::fast, backend, outcomes);
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "host/execute/backend.hpp"
#include "host/metric/metric.hpp"
#include "host/space/design_space.hpp"

namespace exarch {

struct CounterInfo {
  // What the 64 bits of a counter are: a count; an integer that may be negative (two's complement); a double, of a model whose
  // reference is itself floating point.
  enum class Kind { natural, integer, real };
  std::string name, unit, doc;
  bool internal = false;  // kept for pricing; may depend on which equal run stands for a design, so it is not shown
  Kind kind = Kind::natural;
};

// An option that describes a workload (a trace, a memory, a network ...), the same on the command line and as a CSV column.
struct WorkloadOption {
  enum class Kind {
    file,    // the name of something shipped, or a path
    number,  // whole, from `minimum` to `maximum`
    text,
  };
  std::string name, default_value, doc;  // an empty default: required
  Kind kind = Kind::text;
  std::uint64_t minimum = 0, maximum = 0;
  // What workloads are called after: the command line takes several of it, separated by commas. One option of every environment.
  bool primary = false;
};

using WorkloadOptions = std::map<std::string, std::string>;

// A loaded workload; immutable, shared by all candidates. Backends recognise one they have seen as the same object.
class Workload : public std::enable_shared_from_this<Workload> {
 public:
  virtual ~Workload() = default;
  std::string name;                   // its value of the primary option, and what else tells it apart
  std::string identity;               // all that its results depend on, content hashes included
  std::vector<std::string> warnings;  // for the user, once
  std::uint64_t work = 0;             // what an evaluation has to go through, for rates ...
  std::string work_unit;              // ... in these: "requests"; empty: no such measure
};

struct ShippedFile {
  std::string name, doc;
};

// A text of any length that comes with an outcome: a mapping that was found, where tasks were placed. It is stored, exported and
// shown under its name.
struct ArtifactInfo {
  std::string name, doc;
};

// A space that follows from the workload, by name.
struct WorkloadSpace {
  std::string name, doc;
};

// Something worth knowing about a workload.
struct WorkloadFact {
  std::string name;
  std::variant<bool, std::uint64_t, double, std::string, std::vector<std::uint64_t>> value;
  std::string unit, doc;
};

// A result known from the reference, for the self test.
struct KnownResult {
  WorkloadOptions workload;
  std::vector<std::string> settings;  // "Name=value"; all other parameters have their defaults
  std::string metric, value;          // as a table shows it
};

// What comes of a recorded problem.
struct ProblemAnswer {
  std::string text = "{}";  // a JSON object
  std::string fault;        // why it was no problem, which `text` says too; "": it was one
};

// What comes of a file of problems in the reference's own format.
struct FileAnswers {
  std::vector<std::string> answers;  // a JSON object's text each
  std::vector<std::string> notes;    // what the user should know, beside the answers
  bool failed = false;               // some problem has no result
};

// What comes of files in the reference's own formats that describe one problem together.
struct ModelFilesAnswer {
  using Table = std::vector<std::vector<std::string>>;  // (row, column) the first row is the header
  std::string text = "{}";                              // a JSON object
  std::string verdict;                                  // how it ended, in a line or more
  std::vector<Table> tables;
  std::vector<std::string> notes;  // what the user should know, beside the answer
  bool failed = false;             // the problem has no result
};

// CPU seconds of one evaluation by the reference, as it is commonly run, on a shipped workload.
struct ReferenceCost {
  std::string workload;
  double median;
  double tenth_percentile = 0;  // 0: not known
};

struct BenchOptions {
  std::size_t designs = 300;  // per workload
  std::size_t rounds = 3;     // repetitions, of which the median counts
  std::uint64_t seed = 1;     // of the designs
};

// A figure of a benchmark; its name is a path, "traces/stream/requests_per_cpu_s".
struct Measurement {
  std::string name;
  double value;
};

// What simulations gave, column-wise.
struct Outcomes {
  std::vector<std::uint8_t> status;     // (outcome) 0 = ok
  std::vector<std::uint64_t> counters;  // (outcome, counter)
  std::vector<std::byte> detail;        // (outcome, detail byte): the proof for same_run(), then what reports need
  std::vector<std::string> artifacts;   // (outcome) UTF-8; of a model with an artifact(), else empty
};

enum class Engine { fast, reference };

using Objectives = std::vector<std::pair<std::string, std::string>>;

// What a model says of itself.
struct Description {
  std::string name, doc;
  std::string model_version;  // changes when a result does

  std::vector<ParameterInfo> parameters;
  // Shipped design spaces; the first is the default.
  std::vector<DesignSpace> spaces;
  // Shipped spaces whose values follow from the workload, such as a layer's divisors: Environment::space_on(). Their names differ
  // from those of `spaces`.
  std::vector<WorkloadSpace> workload_spaces;
  std::vector<WorkloadOption> workload_options;

  std::vector<CounterInfo> counters;
  std::size_t detail_size = 0;  // bytes per outcome
  // The first proof_size bytes of a detail are what same_run() needs; they outlive the rest, in memory and in stores.
  std::size_t proof_size = 0;
  // The text that comes with every outcome; none for most models.
  std::optional<ArtifactInfo> artifact;
  std::vector<MetricInfo> metrics;
  // Two or three metrics, lower is better, whose trade-offs a Pareto front shows: their indices; none for a model without any.
  std::vector<std::size_t> tradeoffs;
  // Named objectives (name, expression); the first is the default.
  Objectives objectives;
  // Constraints that every result worth considering meets, as an objective has them ("impossible<=0"); "" for a model whose
  // results all are. Fronts leave out what violates them, and searches count it, whatever the objective.
  std::string sanity;
  // How a run ended, by status: { "ok", "step_limit" }.
  std::vector<std::string> statuses{"ok"};

  // For `exarch doctor`.
  KnownResult known_result;
  // The workloads that `exarch bench` times, with what the reference takes; evaluations are timed for all environments alike.
  std::vector<ReferenceCost> reference_costs;
  // Whether answer_problem() and answer_file() take problems recorded elsewhere.
  bool takes_problems = false;
  // Whether answer_model_files() takes the reference's own files.
  bool takes_model_files = false;
};

class Environment {
 public:
  explicit Environment(Description description) : description_(std::move(description)) {}
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  virtual ~Environment() = default;

  // ---- what describes the model: see Description

  [[nodiscard]] const Description& description() const { return description_; }
  [[nodiscard]] const std::string& name() const { return description_.name; }
  [[nodiscard]] const std::string& doc() const { return description_.doc; }
  [[nodiscard]] const std::string& model_version() const { return description_.model_version; }
  [[nodiscard]] std::span<const ParameterInfo> parameters() const { return description_.parameters; }
  [[nodiscard]] std::span<const DesignSpace> spaces() const { return description_.spaces; }
  [[nodiscard]] std::span<const WorkloadSpace> workload_spaces() const { return description_.workload_spaces; }
  [[nodiscard]] std::span<const WorkloadOption> workload_options() const { return description_.workload_options; }
  [[nodiscard]] std::span<const CounterInfo> counters() const { return description_.counters; }
  [[nodiscard]] std::size_t detail_size() const { return description_.detail_size; }
  [[nodiscard]] std::size_t proof_size() const { return description_.proof_size; }
  [[nodiscard]] const std::optional<ArtifactInfo>& artifact() const { return description_.artifact; }
  [[nodiscard]] std::span<const MetricInfo> metrics() const { return description_.metrics; }
  [[nodiscard]] std::span<const std::size_t> tradeoffs() const { return description_.tradeoffs; }
  [[nodiscard]] const Objectives& objectives() const { return description_.objectives; }
  [[nodiscard]] const std::string& sanity() const { return description_.sanity; }
  // "status 7" for one that the model does not give.
  [[nodiscard]] std::string status_text(std::uint8_t status) const {
    return status < description_.statuses.size() ? description_.statuses[status] : "status " + std::to_string(status);
  }

  // ---- workloads

  // Names of the workloads that come with Exarch: values of the primary option.
  [[nodiscard]] virtual std::vector<std::string> shipped_workloads() const { return {}; }
  // Names of the files that come with Exarch for an option, the primary one included, and what to know about each.
  [[nodiscard]] virtual std::vector<ShippedFile> shipped_files(const std::string& option) const;
  // Options left out have their defaults, as complete_options() says.
  [[nodiscard]] virtual std::shared_ptr<const Workload> load_workload(const WorkloadOptions& options) const = 0;
  [[nodiscard]] virtual std::vector<WorkloadFact> describe_workload(const Workload& workload) const = 0;
  // One of workload_spaces() on a workload of this environment.
  [[nodiscard]] virtual DesignSpace space_on(const std::string& name, const Workload& workload) const;

  // ---- what evaluates

  // Sharing. The defaults are those of a model that knows nothing about it: equal designs alone share a run.
  // Replaces a design by the representative of those that provably give the same counters on this workload.
  virtual void canonicalise(const Workload& /*workload*/, std::span<std::int64_t> /*design*/) const {}
  // Maps canonical designs that some run might prove equal to one common value.
  virtual void family_of(std::span<std::int64_t> /*design*/) const {}
  // Maps to one value the designs of a family of which only one should be simulated before the others are tried for sharing.
  virtual void round_of(std::span<std::int64_t> /*design*/) const {}
  // The same for executors that want large batches, among designs whose round_of() value has a finished run: what that run left
  // open. One of each value runs; what this leaves open in its turn runs all at once. So a batch has three rounds at most, in
  // which more designs may run than need to. Example, DRAM: the finished run of the largest MaxActiveTransactions proves the
  // values that were never reached. Each of the others needs a run of its own, so they may all run together.
  virtual void wide_round_of(std::span<std::int64_t> design) const { round_of(design); }
  // Does the run of `simulated` (its proof) prove that `other`, canonical and of the same family, runs step by step the same?
  [[nodiscard]] virtual bool same_run(std::span<const std::byte> /*proof*/, std::span<const std::int64_t> /*simulated*/,
                                      std::span<const std::int64_t> /*other*/) const {
    return false;
  }

  // Simulates designs (design, parameter), appending one outcome each, in order.
  virtual void simulate(const Workload& workload, std::span<const std::int64_t> designs, Engine engine, Backend& backend,
                        Outcomes& outcomes) const = 0;

  // Metrics (in the order of metrics()) of one design from counters; the only place where counters get a price. `design` is the
  // user's design, which may differ from the simulated representative in ways that change a metric but no counter.
  virtual void price(const Workload& workload, std::span<const std::int64_t> design, std::span<const std::uint64_t> counters,
                     std::span<double> metrics) const = 0;

  // More about one outcome for `eval --json`, as a JSON object's text ("{}" when there is nothing).
  [[nodiscard]] virtual std::string detail_json(const Workload& /*workload*/, std::span<const std::byte> /*detail*/) const {
    return "{}";
  }

  // Why a design has no result, or one that sanity() speaks against: sentences for its user that name the part of the workload
  // and what to change; none where nothing is known, or nothing is wrong.
  [[nodiscard]] virtual std::vector<std::string> explain(const Workload& /*workload*/, std::span<const std::int64_t> /*design*/,
                                                         std::uint8_t /*status*/) const {
    return {};
  }

  // The design as the reference simulator's own input file; "" for a model that cannot write one. Error where the design has
  // none.
  [[nodiscard]] virtual std::string reference_input(const Workload& /*workload*/,
                                                    std::span<const std::int64_t> /*design*/) const {
    return "";
  }

  // The answer to a problem recorded elsewhere, which says more than a design and a workload: `eval --in FILE.jsonl` hands them
  // over line by line. A text that is no problem has an answer too. `options` are workload options as the user gave them;
  // UsageError for one that is none of problems. Of a model that takes_problems.
  [[nodiscard]] virtual ProblemAnswer answer_problem(const std::string& /*text*/, const WorkloadOptions& /*options*/) const {
    return {};
  }

  // The same for the problems in a file of the reference's own format (MAESTRO: the layers and mappings of a .m file), with what
  // the file leaves open taken from `design`. Error with file and line, UsageError where `design`
  // says what the file leaves no room for.
  [[nodiscard]] virtual FileAnswers answer_file(const std::string& /*path*/, std::span<const std::int64_t> /*design*/,
                                                const WorkloadOptions& /*options*/) const {
    return {};
  }

  // The same for files that describe one problem together (Timeloop: architecture, problem, mapping, tables, in YAML). `defines`
  // are values for names in templates. Of a model that takes_model_files.
  [[nodiscard]] virtual ModelFilesAnswer answer_model_files(std::span<const std::string> /*paths*/,
                                                            const std::map<std::string, std::string>& /*defines*/,
                                                            const WorkloadOptions& /*options*/) const {
    return {};
  }

  // For `exarch bench`. A hash of every counter over a fixed set of runs: equal on every machine, backend and build, and only a
  // change of results changes it.
  [[nodiscard]] virtual std::uint64_t signature() const = 0;
  // Figures beyond the time of evaluations: parts of the model, growth with the size of things.
  [[nodiscard]] virtual std::vector<Measurement> measure(const BenchOptions& /*options*/) const { return {}; }

 private:
  Description description_;
};

// The constraints of an environment's sanity().
class Sanity {
 public:
  explicit Sanity(const Environment& environment);
  [[nodiscard]] std::size_t size() const { return objective_ ? objective_->constraints().size() : 0; }
  [[nodiscard]] const std::string& text(std::size_t constraint) const { return objective_->constraints()[constraint]; }
  [[nodiscard]] bool holds(std::size_t constraint, std::span<const double> metrics) const {
    return objective_->meets(constraint, metrics);
  }
  // By how much metrics break one.
  [[nodiscard]] double excess(std::size_t constraint, std::span<const double> metrics) const {
    return objective_->excess(constraint, metrics);
  }
  // All of them.
  [[nodiscard]] bool holds(std::span<const double> metrics) const { return !objective_ || objective_->allows(metrics); }

 private:
  std::optional<Objective> objective_;
};

// Adds a model of a program's own to those that are found by name: stores about it can be opened, verbs take it. It must live
// until the program ends. Before other threads look for environments; Error for a name that is taken.
void register_environment(const Environment& environment);
// The same, in the place of one of the same name if there is one. That one must live on, too, for whoever has it already. For
// programs in which a model is written while they run: a notebook, whose cells run again.
void replace_environment(const Environment& environment);

// All environments, in the order they were added; UsageError with the nearest name for an unknown one.
[[nodiscard]] std::span<const Environment* const> environments();
[[nodiscard]] const Environment& find_environment(const std::string& name);
[[nodiscard]] const DesignSpace& find_space(const Environment& environment, const std::string& name);

[[nodiscard]] const WorkloadOption& primary_option(const Environment& environment);
// What the options say, in one spelling, so that equal workloads have equal options from whatever folder they are named: defaults
// filled in, numbers without leading zeros, paths of files absolute. UsageError for a missing or illegal value.
[[nodiscard]] WorkloadOptions complete_options(const Environment& environment, const WorkloadOptions& given);

// The version of this build, "0.1.0".
[[nodiscard]] std::string exarch_version();

}  // namespace exarch
