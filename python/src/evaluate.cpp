// Evaluation: designs in, columns out.
#include <algorithm>
#include <limits>
#include <optional>

#include "host/error.hpp"
#include "host/execute/evaluator.hpp"
#include "python/src/bind.hpp"

namespace exarch::python {
namespace {

// What came of a batch, column by column.
struct Columns {
  std::vector<std::uint8_t> status;      // (design)
  std::vector<std::uint64_t> counters;   // (counter, design)
  std::vector<double> metrics;           // (metric, design) NaN where the run failed
  std::vector<std::string> artifacts{};  // (design) of a model with artifacts
};

void check_designs(const Environment& environment, const In<std::int64_t, 2>& designs) {
  const auto parameters = environment.parameters();
  if (designs.shape(1) != parameters.size()) {
    throw UsageError("designs have " + std::to_string(designs.shape(1)) + " columns, expected one for each of the " +
                     std::to_string(parameters.size()) + " parameters");
  }
  const std::int64_t* value = designs.data();
  for (std::size_t i = 0; i < designs.shape(0); ++i) {
    for (const ParameterInfo& parameter : parameters) {
      if (*value < parameter.minimum || *value > parameter.maximum) {
        throw UsageError("designs[" + std::to_string(i) + "]: " + parameter.name + " = " + std::to_string(*value) +
                         ": expected a whole number from " + std::to_string(parameter.minimum) + " to " +
                         std::to_string(parameter.maximum));
      }
      ++value;
    }
  }
}

// An evaluator with a workload, for any number of batches. What it has simulated it never simulates again.
class Evaluation {
 public:
  Evaluation(const Environment& environment, std::shared_ptr<Workload> workload, std::shared_ptr<Machine> machine,
             const std::string& engine, bool share)
      : environment_(environment), workload_(std::move(workload)), machine_(std::move(machine)) {
    if (engine != "fast" && engine != "reference") throw UsageError("engine '" + engine + "': expected fast or reference");
    options_ = {engine == "fast" ? Engine::fast : Engine::reference, share};
  }

  nb::tuple evaluate(const In<std::int64_t, 2>& designs, const nb::object& progress) {
    check_designs(environment_, designs);
    const std::size_t count = designs.shape(0);
    Columns columns = work_on(*machine_, [&] { return run(span_of(designs), count, progress); });
    return nb::make_tuple(give(std::move(columns.status)),
                          give(std::move(columns.counters), {environment_.counters().size(), count}),
                          give(std::move(columns.metrics), {environment_.metrics().size(), count}),
                          environment_.artifact() ? nb::cast(columns.artifacts) : nb::none());
  }

  [[nodiscard]] std::uint64_t simulated() const { return before_ + (evaluator_ ? evaluator_->simulated() : 0); }

 private:
  static constexpr std::size_t kBlock = 65536;

  // An exception in the middle of a batch leaves an evaluator that nobody should ask again.
  Columns run(std::span<const std::int64_t> designs, std::size_t count, const nb::object& progress) {
    if (!evaluator_) {
      evaluator_.emplace(environment_, workload_, machine_->executor, options_);
    }
    try {
      return run_blocks(designs, count, progress);
    } catch (...) {
      before_ += evaluator_->simulated();
      evaluator_.reset();
      throw;
    }
  }

  Columns run_blocks(std::span<const std::int64_t> designs, std::size_t count, const nb::object& progress) {
    const std::size_t parameters = environment_.parameters().size();
    Columns columns;
    columns.status.resize(count);
    columns.counters.resize(count * environment_.counters().size());
    columns.metrics.resize(count * environment_.metrics().size());
    if (environment_.artifact()) columns.artifacts.resize(count);
    const std::size_t wanted = machine_->executor->wanted(count), block = std::max(kBlock, wanted);
    for (std::size_t first = 0; first < count; first += block) {
      check_signals();
      const std::size_t some = std::min(block, count - first);
      const auto part = designs.subspan(first * parameters, some * parameters);
      fill(columns, count, first, part, evaluator_->evaluate(part));
      if (progress.is_none()) continue;
      const nb::gil_scoped_acquire acquired;
      progress(first + some, count);
    }
    return columns;
  }

  void fill(Columns& columns, std::size_t count, std::size_t first, std::span<const std::int64_t> designs,
            const std::vector<Evaluator::OutcomeId>& ids) {
    constexpr std::size_t kPart = 256;
    const std::size_t parameters = environment_.parameters().size(), width = environment_.metrics().size();
    const std::size_t counters = environment_.counters().size();
    const auto one = [&](std::size_t i, std::vector<double>& metrics) {
      const Evaluator::OutcomeId id = ids[i];
      const bool ok = evaluator_->status(id) == 0;
      const auto counted = evaluator_->counters(id);
      columns.status[first + i] = evaluator_->status(id);
      for (std::size_t c = 0; c < counters; ++c) columns.counters[c * count + first + i] = counted[c];
      if (ok) environment_.price(*workload_, designs.subspan(i * parameters, parameters), counted, metrics);
      for (std::size_t k = 0; k < width; ++k) {
        columns.metrics[k * count + first + i] = ok ? metrics[k] : std::numeric_limits<double>::quiet_NaN();
      }
      if (!columns.artifacts.empty()) columns.artifacts[first + i] = evaluator_->artifact(id);
    };
    const auto some = [&](std::size_t begin, std::size_t end) {
      std::vector<double> metrics(width);
      for (std::size_t i = begin; i < end; ++i) one(i, metrics);
    };
    if (ids.size() <= kPart) return some(0, ids.size());
    machine_->executor->pool().for_each((ids.size() + kPart - 1) / kPart, [&](std::size_t part, unsigned) {
      some(part * kPart, std::min(ids.size(), (part + 1) * kPart));
    });
  }

  const Environment& environment_;
  std::shared_ptr<Workload> workload_;
  std::shared_ptr<Machine> machine_;
  EvaluatorOptions options_;
  std::optional<Evaluator> evaluator_;
  std::uint64_t before_ = 0;  // simulated by evaluators that an exception ended
};

}  // namespace

void add_evaluate(nb::module_& m) {
  nb::class_<Evaluation>(m, "Evaluation", "Evaluates designs on one workload.")
      .def(
          "__init__",
          [](Evaluation* self, const Environment& environment, std::shared_ptr<Workload> workload,
             std::shared_ptr<Machine> machine, const std::string& engine,
             bool share) { new (self) Evaluation(environment, std::move(workload), std::move(machine), engine, share); },
          "environment"_a, "workload"_a, "machine"_a, "engine"_a = "fast", "share"_a = true)
      .def("evaluate", &Evaluation::evaluate, "designs"_a, "progress"_a = nb::none(),
           "Parameter values int64 (design, parameter) -> status uint8 (design), counters uint64 (counter, design), metrics "
           "float64 "
           "(metric, design), artifacts or None.")
      .def_prop_ro("simulated", &Evaluation::simulated, "How many runs were made.");
}

}  // namespace exarch::python
