// Cost models written in Python: an environment whose simulation is a call.
#include <bit>

#include "host/env/environment.hpp"
#include "host/error.hpp"
#include "host/run/inputs.hpp"
#include "python/src/bind.hpp"

namespace exarch::python {
namespace {

constexpr const char* kWorkloadOption = "workload";

// Its counters are its metrics, as doubles: what Python computed is stored as it is, and nothing is priced.
class PythonEnvironment final : public Environment {
 public:
  // `evaluate(workload name, designs int64 (design, parameter))` gives (metrics float64 (metric, design), status uint8 (design)).
  PythonEnvironment(Description description, std::vector<std::string> workloads, nb::object evaluate)
      : Environment(std::move(description)), workloads_(std::move(workloads)), evaluate_(std::move(evaluate)) {}

  [[nodiscard]] std::vector<std::string> shipped_workloads() const override { return workloads_; }
  [[nodiscard]] std::shared_ptr<const Workload> load_workload(const WorkloadOptions& options) const override {
    auto workload = std::make_shared<Workload>();
    workload->name = complete_options(*this, options).at(kWorkloadOption);
    if (std::ranges::find(workloads_, workload->name) == workloads_.end()) {
      throw UsageError("unknown workload '" + workload->name + "'" + did_you_mean(workload->name, workloads_) +
                       "; see exarch envs " + name());
    }
    workload->identity = model_version() + " " + workload->name;
    return workload;
  }
  [[nodiscard]] std::vector<WorkloadFact> describe_workload(const Workload& /*workload*/) const override { return {}; }

  void simulate(const Workload& workload, std::span<const std::int64_t> designs, Engine /*engine*/, Backend& /*backend*/,
                Outcomes& outcomes) const override {
    const std::size_t width = parameters().size(), count = designs.size() / width, columns = metrics().size();
    if (count == 0) return;
    const nb::gil_scoped_acquire acquired;
    const nb::object result =
        evaluate_(workload.name, give(std::vector<std::int64_t>(designs.begin(), designs.end()), {count, width}));
    const auto [values, status] = nb::cast<std::pair<In<double, 2>, In<std::uint8_t, 1>>>(result);
    if (values.shape(0) != columns || values.shape(1) != count || status.size() != count) {
      throw Error("model '" + name() + "' gave results of another shape than (metric, design)");
    }
    for (std::size_t i = 0; i < count; ++i) {
      outcomes.status.push_back(status(i));
      for (std::size_t k = 0; k < columns; ++k) outcomes.counters.push_back(std::bit_cast<std::uint64_t>(values(k, i)));
    }
  }
  void price(const Workload& /*workload*/, std::span<const std::int64_t> /*design*/, std::span<const std::uint64_t> counters,
             std::span<double> values) const override {
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = std::bit_cast<double>(counters[k]);
  }
  [[nodiscard]] std::uint64_t signature() const override { return 0; }

 private:
  std::vector<std::string> workloads_;
  nb::object evaluate_;
};

std::string text_of(const nb::dict& row, const char* key) {
  return nb::cast<std::string>(row[key]);
}

ParameterInfo parameter_of(const nb::dict& row) {
  ParameterInfo parameter{};
  parameter.name = text_of(row, "name");
  parameter.labels = nb::cast<std::vector<std::string>>(row["labels"]);
  parameter.kind = parameter.labels.empty() ? ParameterKind::integer : ParameterKind::categorical;
  parameter.minimum = nb::cast<std::int64_t>(row["minimum"]);
  parameter.maximum = nb::cast<std::int64_t>(row["maximum"]);
  parameter.default_value = nb::cast<std::int64_t>(row["default"]);
  parameter.unit = text_of(row, "unit");
  parameter.doc = text_of(row, "doc");
  return parameter;
}

// The Python side has checked names and types.
Description description_of(const nb::dict& table) {
  Description d;
  d.name = text_of(table, "name");
  d.doc = text_of(table, "doc");
  d.model_version = text_of(table, "version");
  for (const nb::handle row : table["parameters"]) d.parameters.push_back(parameter_of(nb::cast<nb::dict>(row)));
  d.spaces.push_back(DesignSpace::from_json(text_of(table, "space"), "space of model '" + d.name + "'", d.parameters));
  for (const nb::handle row : table["metrics"]) {
    const auto [name, unit, doc] = nb::cast<std::tuple<std::string, std::string, std::string>>(row);
    d.metrics.push_back({name, unit, doc, 6});
    d.counters.push_back({name, unit, doc, true, CounterInfo::Kind::real});
  }
  d.objectives = nb::cast<Objectives>(table["objectives"]);
  d.tradeoffs = nb::cast<std::vector<std::size_t>>(table["tradeoffs"]);
  d.statuses = nb::cast<std::vector<std::string>>(table["statuses"]);
  const auto workloads = nb::cast<std::vector<std::string>>(table["workloads"]);
  d.workload_options = {
      {kWorkloadOption, workloads.front(), "what the model is evaluated on", WorkloadOption::Kind::text, 0, 0, true}};
  for (const auto& [name, expression] : d.objectives) (void)Objective::parse(expression, d.metrics, {});  // throws
  return d;
}

// Environments live until the interpreter ends: stores and evaluators refer to them. One of the same name takes the place of an
// earlier one of Python's, so that a cell of a notebook can be run again.
const Environment& add_environment(const nb::dict& table, nb::object evaluate) {
  auto made = std::make_unique<PythonEnvironment>(description_of(table), nb::cast<std::vector<std::string>>(table["workloads"]),
                                                  std::move(evaluate));
  for (const Environment* known : environments()) {
    if (known->name() == made->name() && dynamic_cast<const PythonEnvironment*>(known) == nullptr) {
      throw UsageError("there is an environment '" + made->name() + "' already; give the model another name");
    }
  }
  replace_environment(*made);
  return *made.release();
}

}  // namespace

void add_model(nb::module_& m) {
  m.def("add_environment", &add_environment, "table"_a, "evaluate"_a, nb::rv_policy::reference);
}

}  // namespace exarch::python
