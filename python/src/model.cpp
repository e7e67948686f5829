// Cost models written in Python: an environment whose simulation is a call.
#include "host/error.hpp"
#include "host/plugin/own_model.hpp"
#include "host/plugin/plugin.hpp"
#include "python/src/bind.hpp"

namespace exarch::python {
namespace {

class PythonEnvironment final : public OwnModel {
 public:
  // `evaluate(workload name, designs int64 (design, parameter))` gives metrics float64 (metric, design).
  PythonEnvironment(Description description, std::vector<std::string> workloads, nb::object evaluate)
      : OwnModel(std::move(description), std::move(workloads)), evaluate_(std::move(evaluate)) {}

  // Python's models are told apart by their versions alone.
  [[nodiscard]] std::uint64_t signature() const override { return 0; }

 protected:
  void evaluate(std::size_t workload, std::span<const std::int64_t> designs, Backend& /*backend*/,
                std::span<double> results) const override {
    const std::size_t width = parameters().size(), count = designs.size() / width, columns = metrics().size();
    const nb::gil_scoped_acquire acquired;
    const nb::object result =
        evaluate_(shipped_workloads()[workload], give(std::vector<std::int64_t>(designs.begin(), designs.end()), {count, width}));
    const auto values = nb::cast<In<double, 2>>(result);
    if (values.shape(0) != columns || values.shape(1) != count) {
      throw Error("model '" + name() + "' gave results of another shape than (metric, design)");
    }
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t k = 0; k < columns; ++k) results[i * columns + k] = values(k, i);
    }
  }

 private:
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

// The Python side has checked types.
Description description_of(const nb::dict& table) {
  Description d;
  d.name = text_of(table, "name");
  d.doc = text_of(table, "doc");
  d.model_version = text_of(table, "version");
  for (const nb::handle row : table["parameters"]) d.parameters.push_back(parameter_of(nb::cast<nb::dict>(row)));
  d.spaces.push_back(DesignSpace::from_json(text_of(table, "space"), "space of model '" + d.name + "'", d.parameters));
  for (const nb::handle row : table["metrics"]) {
    const auto [name, unit, doc] = nb::cast<std::tuple<std::string, std::string, std::string>>(row);
    d.metrics.push_back({name, unit, doc, kShortest});
  }
  d.objectives = nb::cast<Objectives>(table["objectives"]);
  d.tradeoffs = nb::cast<std::vector<std::size_t>>(table["tradeoffs"]);
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
  m.def("load_plugin", &load_plugin, "path"_a, nb::rv_policy::reference);
  m.def("add_environment", &add_environment, "table"_a, "evaluate"_a, nb::rv_policy::reference);
}

}  // namespace exarch::python
